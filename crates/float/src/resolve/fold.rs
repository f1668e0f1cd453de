//! What nvcc computes while it compiles.
//!
//! Three things are done before any code is made, in this order, and the results differ from what
//! the same operations would give on the chip:
//!
//! * The front end folds arithmetic between literals. Its numbers keep their subnormals, with `-ftz`
//!   too, and its quotients are exact under fast math; what would be infinite or NaN, and what would
//!   vanish, is left to run.
//! * The optimiser folds sums and products of constants that reach each other through variables, and
//!   these flush as the code would; so does a sign that is flipped. It leaves approximate quotients.
//! * It folds a list of functions that bear the C library's names, by the host's library in binary64
//!   and rounded once, fast math or not: `cosf(-1.4e27f)` is the true cosine, where the chip's
//!   approximation is nowhere near. What the host finds outside the domain, and what vanishes
//!   even in binary64, is left to run. Without
//!   `-ftz` the instructions behind `__sinf` and `__cosf` are on the list.
//!
//! And it drops operations that change no value: `x - 0`, `x + -0`, `x * 1`, and `x / 1` where the
//! quotient is exact. A subnormal that would have been flushed by them then stays.
//!
//! Measured on what CUDA 13.5 makes of one-line kernels; the results of 9.2 on V100 that are public
//! agree where they tell.

use std::collections::HashSet;

use port_ir::{
    Constant, Conversion, Expression, ExpressionTypes, FloatFlags, FloatOp, Function, Location,
    MathFunction, Rounding, Scalar, Type, UnaryOp, Value,
};

use MathFunction as M;

use super::rewrite::Rewriter;
use crate::arithmetic;
use crate::function::{F32Function, F64Function};
use crate::math;
use crate::profile::{Division, Profile, Side};

/// The function as the compiler's optimiser leaves it. Other sides' compilers fold too, but what they
/// fold is what the code would give.
pub(super) fn fold(function: &Function, types: &ExpressionTypes, profile: &Profile) -> Function {
    if !matches!(profile.side(), Side::Cuda(_)) {
        return function.clone();
    }
    // Constants that only the optimiser knows.
    let mut late: HashSet<Value> = HashSet::new();
    let source = function;
    Rewriter::run(source, |writer, value, expression| {
        let folded = match &expression {
            Expression::Float { op, left, right, flags } if is_operator(*op, *flags) => {
                let literal = is_literal(source, &late, value, &[*left, *right]);
                float(writer, literal, profile, types.get(value), (*op, *left, *right))
            }
            Expression::Unary { op, value: operand } => {
                let literal = is_literal(source, &late, value, &[*operand]);
                unary(writer, literal, profile, *op, *operand)
            }
            Expression::Math { function, arguments, flags } if is_plain(*flags) => {
                math(writer, *function, arguments)
            }
            // The instructions without `.ftz` are folded by the host's functions too.
            Expression::Math { function: name @ (M::Sin | M::Cos), arguments, flags }
                if flags.approximate && !flags.flush && !profile.flushes() =>
            {
                math(writer, *name, arguments)
            }
            // Exact, and nothing is flushed: the code would read a subnormal as zero.
            Expression::Convert {
                kind: Conversion::FloatToFloat { .. },
                value: operand,
                to: Type::Scalar(Scalar::F64),
            } => constant(writer, *operand)
                .filter(|constant| constant.scalar == Scalar::F32)
                .and_then(Constant::as_float)
                .map(|value| Folded::Late(Constant::f64(value))),
            _ => None,
        };
        match folded {
            Some(Folded::Literal(constant)) => writer.append(Expression::Constant(constant)),
            Some(Folded::Late(constant)) => {
                let value = writer.append(Expression::Constant(constant));
                late.insert(value);
                value
            }
            Some(Folded::Operand(value)) => value,
            Some(Folded::Negated(value)) => {
                writer.append(Expression::Unary { op: UnaryOp::Negate, value })
            }
            None => writer.append(expression),
        }
    })
}

enum Folded {
    /// By the front end.
    Literal(Constant),
    /// By the optimiser.
    Late(Constant),
    /// Nothing but an operand.
    Operand(Value),
    /// An operand's negation.
    Negated(Value),
}

/// The source's own operators, as opposed to intrinsics: only those may be fused, or are quotients.
fn is_operator(op: FloatOp, flags: FloatFlags) -> bool {
    let fuses = matches!(op, FloatOp::Add | FloatOp::Subtract | FloatOp::Multiply);
    is_plain(flags) && (flags.contract || !fuses)
}

/// Operators and functions that say nothing of how they round.
fn is_plain(flags: FloatFlags) -> bool {
    flags.rounding == Rounding::NearestEven && !flags.approximate
}

fn constant(writer: &Rewriter<'_>, value: Value) -> Option<Constant> {
    match writer.expression(value) {
        Expression::Constant(constant) => Some(*constant),
        Expression::Zero(Type::Scalar(scalar)) => Some(Constant::from_bits(*scalar, 0)),
        _ => None,
    }
}

/// Whether the text of one lies inside the text of the other: a literal stands in the expression that
/// uses it, a variable's initial value does not.
fn lies_in(inner: Option<Location>, outer: Option<Location>) -> bool {
    let (Some(inner), Some(outer)) = (inner, outer) else { return false };
    if inner.inlined != outer.inlined {
        return false;
    }
    // A token of a macro's body is as much a literal as one in plain text.
    if inner.origin.expansion != outer.origin.expansion {
        return inner.origin.expansion.is_some();
    }
    let (inner, outer) = (inner.origin.span, outer.origin.span);
    inner.file == outer.file && outer.start <= inner.start && inner.end <= outer.end
}

/// Whether an expression's operands stand in its own text, and none is a constant that only the
/// optimiser knows. `operands` are the new ones.
fn is_literal(source: &Function, late: &HashSet<Value>, value: Value, operands: &[Value]) -> bool {
    let place = |value| source.expressions.location(value);
    operands.iter().all(|operand| !late.contains(operand))
        && source.expressions[value].operands().iter().all(|old| lies_in(place(*old), place(value)))
}

fn float(
    writer: &Rewriter<'_>,
    literal: bool,
    profile: &Profile,
    ty: Type,
    (op, left, right): (FloatOp, Value, Value),
) -> Option<Folded> {
    let scalar = match ty {
        Type::Scalar(scalar @ (Scalar::F32 | Scalar::F64)) => scalar,
        _ => return None,
    };
    let single = scalar == Scalar::F32;
    let approximate = single && profile.division() == Division::Approximate;
    let known = (constant(writer, left), constant(writer, right));
    if let (Some(a), Some(b)) = known {
        if literal && let Some(result) = exact_enough(op, a, b) {
            return Some(Folded::Literal(result));
        }
        if op == FloatOp::Divide && approximate {
            return None;
        }
        return Some(Folded::Late(computed(op, a, b, single && profile.flushes())?));
    }
    let is = |known: Option<Constant>, wanted: f64| {
        known.and_then(Constant::as_float).is_some_and(|x| x.to_bits() == wanted.to_bits())
    };
    match op {
        FloatOp::Add if is(known.1, -0.0) => Some(Folded::Operand(left)),
        FloatOp::Add if is(known.0, -0.0) => Some(Folded::Operand(right)),
        FloatOp::Subtract if is(known.1, 0.0) => Some(Folded::Operand(left)),
        FloatOp::Subtract if is(known.0, -0.0) => Some(Folded::Negated(right)),
        FloatOp::Multiply if is(known.1, 1.0) => Some(Folded::Operand(left)),
        FloatOp::Multiply if is(known.0, 1.0) => Some(Folded::Operand(right)),
        FloatOp::Multiply if is(known.1, -1.0) => Some(Folded::Negated(left)),
        FloatOp::Multiply if is(known.0, -1.0) => Some(Folded::Negated(right)),
        FloatOp::Divide if !approximate && is(known.1, 1.0) => Some(Folded::Operand(left)),
        FloatOp::Divide if !approximate && is(known.1, -1.0) => Some(Folded::Negated(left)),
        _ => None,
    }
}

/// Arithmetic between literals; `None` for what the front end leaves.
fn exact_enough(op: FloatOp, a: Constant, b: Constant) -> Option<Constant> {
    let result = computed(op, a, b, false)?;
    let number = result.as_float()?;
    let operands = (a.as_float()?, b.as_float()?);
    let vanished = number == 0.0
        && matches!(op, FloatOp::Multiply | FloatOp::Divide)
        && operands.0 != 0.0
        && operands.1 != 0.0;
    (number.is_finite() && !vanished).then_some(result)
}

fn computed(op: FloatOp, a: Constant, b: Constant, flush: bool) -> Option<Constant> {
    let flags = FloatFlags { flush, ..FloatFlags::STRICT };
    if a.scalar != b.scalar {
        return None;
    }
    match a.scalar {
        Scalar::F32 => {
            let (a, b) = (f32::from_bits(a.bits as u32), f32::from_bits(b.bits as u32));
            Some(Constant::f32(match op {
                FloatOp::Add => arithmetic::f32::add(a, b, flags),
                FloatOp::Subtract => arithmetic::f32::sub(a, b, flags),
                FloatOp::Multiply => arithmetic::f32::mul(a, b, flags),
                FloatOp::Divide => arithmetic::f32::div(a, b, flags),
                // The choice of an operand flushes nothing at compile time.
                FloatOp::Minimum => arithmetic::f32::min(a, b, FloatFlags::STRICT),
                FloatOp::Maximum => arithmetic::f32::max(a, b, FloatFlags::STRICT),
                _ => return None,
            }))
        }
        Scalar::F64 => {
            let (a, b) = (f64::from_bits(a.bits), f64::from_bits(b.bits));
            Some(Constant::f64(match op {
                FloatOp::Add => a + b,
                FloatOp::Subtract => a - b,
                FloatOp::Multiply => a * b,
                FloatOp::Divide => a / b,
                _ => return None,
            }))
        }
        _ => None,
    }
}

fn unary(
    writer: &Rewriter<'_>,
    literal: bool,
    profile: &Profile,
    op: UnaryOp,
    operand: Value,
) -> Option<Folded> {
    let constant = constant(writer, operand)?;
    let sign = match constant.scalar {
        Scalar::F32 => 1u64 << 31,
        Scalar::F64 => 1 << 63,
        _ => return None,
    };
    match op {
        UnaryOp::Absolute => {
            Some(Folded::Late(Constant::from_bits(constant.scalar, constant.bits & !sign)))
        }
        UnaryOp::Negate => {
            let negated = Constant::from_bits(constant.scalar, constant.bits ^ sign);
            if literal {
                return Some(Folded::Literal(negated));
            }
            if constant.scalar == Scalar::F32 && profile.flushes() {
                let flushed = arithmetic::flush_f32(f32::from_bits(negated.bits as u32));
                return Some(Folded::Late(Constant::f32(flushed)));
            }
            Some(Folded::Late(negated))
        }
        UnaryOp::Not => None,
    }
}

/// The functions that are folded by name.
fn is_known_by_name(function: MathFunction) -> bool {
    matches!(
        function,
        M::Acos
            | M::Asin
            | M::Atan
            | M::Atan2
            | M::Ceil
            | M::Cos
            | M::Cosh
            | M::Exp
            | M::Exp2
            | M::Floor
            | M::FloatModulo
            | M::Log
            | M::Log10
            | M::Power
            | M::Round
            | M::Sin
            | M::Sinh
            | M::SquareRoot
            | M::Tan
            | M::Tanh
    )
}

/// Whether the host reports that its result vanished, after which the optimiser does not use it.
fn underflows(function: MathFunction, operands: &[f64], result: f64) -> bool {
    let exact = matches!(
        function,
        M::Ceil | M::Floor | M::Round | M::FloatModulo | M::Log | M::Log10 | M::Acos
    );
    !exact
        && result.abs() < f64::MIN_POSITIVE
        && operands.iter().all(|operand| *operand != 0.0 && operand.is_finite())
}

fn math(writer: &Rewriter<'_>, function: MathFunction, arguments: &[Value]) -> Option<Folded> {
    if !is_known_by_name(function) {
        return None;
    }
    let known: Vec<Constant> =
        arguments.iter().map(|value| constant(writer, *value)).collect::<Option<_>>()?;
    let scalar = known.first()?.scalar;
    let numbers: Vec<f64> =
        known.iter().map(|constant| constant.as_float()).collect::<Option<_>>()?;
    // In binary64 first, whose range decides; a result that only binary32 cannot hold is infinite.
    let wide = match (math::correct_f64(function)?, numbers.as_slice()) {
        (F64Function::Unary(of), [a]) => of(*a),
        (F64Function::Binary(of), [a, b]) => of(*a, *b),
        _ => return None,
    };
    if !wide.is_finite() || underflows(function, &numbers, wide) {
        return None;
    }
    match scalar {
        Scalar::F64 => Some(Folded::Late(Constant::f64(wide))),
        Scalar::F32 => {
            let narrow = match (math::correct_f32(function)?, numbers.as_slice()) {
                (F32Function::Unary(of), [a]) => of(*a as f32),
                (F32Function::Binary(of), [a, b]) => of(*a as f32, *b as f32),
                _ => return None,
            };
            Some(Folded::Late(Constant::f32(narrow)))
        }
        _ => None,
    }
}
