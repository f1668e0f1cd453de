//! What people call an operation of the IR: in traces, and where a port does something else.

use port_ir::{
    AtomicOp, CompareOp, Conversion, Expression, FloatOp, IntegerOp, StatementKind, UnaryOp,
};

/// What an atomic operation is called.
pub fn of_atomic(op: AtomicOp) -> &'static str {
    match op {
        AtomicOp::Add => "atomic addition",
        AtomicOp::Subtract => "atomic subtraction",
        AtomicOp::Minimum => "atomic minimum",
        AtomicOp::Maximum => "atomic maximum",
        AtomicOp::And => "atomic and",
        AtomicOp::Or => "atomic or",
        AtomicOp::Xor => "atomic xor",
        AtomicOp::Exchange => "atomic exchange",
        AtomicOp::CompareExchange { .. } => "atomic compare-and-exchange",
        AtomicOp::IncrementWrap => "atomic increment",
        AtomicOp::DecrementWrap => "atomic decrement",
    }
}

/// What a statement, and so its result, is noted as.
pub fn of_statement(kind: &StatementKind) -> &'static str {
    match kind {
        StatementKind::Load { .. } => "load",
        StatementKind::Store { .. } => "store",
        StatementKind::Copy { .. } | StatementKind::Fill { .. } => "copy",
        StatementKind::AsyncCopy(_) => "async copy",
        StatementKind::Fence { .. } => "fence",
        StatementKind::If { .. } | StatementKind::Switch { .. } => "branch",
        StatementKind::Loop(_) => "loop",
        StatementKind::Break => "break",
        StatementKind::Continue => "continue",
        StatementKind::Return { .. } => "return",
        StatementKind::Shuffle { .. } => "shuffle",
        StatementKind::Vote { .. } => "vote",
        StatementKind::Match { .. } => "match",
        StatementKind::ActiveMask { .. } => "active mask",
        StatementKind::WarpReduce { .. } => "warp reduction",
        StatementKind::Atomic { .. } => "atomic",
        StatementKind::Barrier { .. } => "barrier",
        StatementKind::MatrixLoad { .. } => "matrix load",
        StatementKind::MatrixStore { .. } => "matrix store",
        StatementKind::MatrixMultiply { .. } => "matrix multiplication",
        StatementKind::Call { .. } => "call",
        _ => "statement",
    }
}

/// What a value is noted as; `None` for what only moves other values about.
pub fn of_expression(expression: &Expression) -> Option<&'static str> {
    Some(match expression {
        Expression::Constant(_) | Expression::Zero(_) => "constant",
        Expression::Unary { op, .. } => match op {
            UnaryOp::Negate => "negation",
            UnaryOp::Not => "not",
            UnaryOp::Absolute => "absolute value",
        },
        Expression::Integer { op, .. } => match op {
            IntegerOp::Add => "integer addition",
            IntegerOp::Subtract => "integer subtraction",
            IntegerOp::Multiply | IntegerOp::MultiplyHigh => "integer multiplication",
            IntegerOp::Divide => "integer division",
            IntegerOp::Remainder => "remainder",
            IntegerOp::Minimum => "integer minimum",
            IntegerOp::Maximum => "integer maximum",
            IntegerOp::And => "and",
            IntegerOp::Or => "or",
            IntegerOp::Xor => "xor",
            IntegerOp::ShiftLeft | IntegerOp::ShiftRight => "shift",
        },
        Expression::Float { op, .. } => match op {
            FloatOp::Add => "addition",
            FloatOp::Subtract => "subtraction",
            FloatOp::Multiply => "multiplication",
            FloatOp::Divide => "division",
            FloatOp::Minimum | FloatOp::MinimumNan => "minimum",
            FloatOp::Maximum | FloatOp::MaximumNan => "maximum",
        },
        Expression::FusedMultiplyAdd { .. } => "fused multiply-add",
        Expression::Compare { op, .. } => match op {
            CompareOp::Equal | CompareOp::NotEqual => "equality",
            _ => "comparison",
        },
        Expression::Select { .. } => "selection",
        Expression::Convert { kind, .. } => match kind {
            Conversion::Space
            | Conversion::Bits
            | Conversion::PointerToInteger
            | Conversion::IntegerToPointer
            | Conversion::SharedOffset
            | Conversion::SharedPointer => return None,
            _ => "conversion",
        },
        Expression::Math { function, .. } => function.name(),
        _ => return None,
    })
}
