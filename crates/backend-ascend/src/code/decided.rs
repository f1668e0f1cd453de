//! Branches that constants decide: what a template's arguments or a null pointer that a caller hands
//! on leave out. The accesses in them may have no form, and never happen.

use port_ir::{
    Block, CompareOp, Constant, Conversion, Expression, Function, IntegerOp, Module, Scalar,
    Statement, StatementKind, Type, UnaryOp, Value, validate,
};

/// The module without what never happens; the same where the result would not be valid.
pub(crate) fn prune(module: Module) -> Module {
    let mut pruned = module.clone();
    for handle in pruned.functions.handles().collect::<Vec<_>>() {
        if let Some(simpler) = function(&pruned.functions[handle]) {
            pruned.functions[handle] = simpler;
        }
    }
    if validate(&pruned).is_ok() { pruned } else { module }
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    Number(Constant),
    /// A null pointer.
    Null,
    /// The address of something.
    Address,
}

fn function(function: &Function) -> Option<Function> {
    let mut known: Vec<Known> = Vec::with_capacity(function.expressions.len());
    // Which older value a value is the same as.
    let mut same: Vec<Value> = Vec::with_capacity(function.expressions.len());
    let mut changed = false;
    for (value, expression) in function.expressions.iter() {
        let mut expression = expression.clone();
        expression.for_each_operand_mut(|operand| {
            if let Some(older) = same.get(operand.index()) {
                *operand = *older;
            }
        });
        known.push(learn(&expression, &known));
        let older = stands_for(&expression, &known);
        changed |= older.is_some();
        same.push(older.unwrap_or(value));
    }
    let mut simpler = function.clone();
    let mut body = simpler.body.take()?;
    let pruned = block(&mut body, &known, &same);
    if !pruned && !changed {
        return None;
    }
    for handle in simpler.expressions.handles().collect::<Vec<_>>() {
        let expression = simpler.expressions.get_mut(handle)?;
        expression.for_each_operand_mut(|operand| {
            if let Some(older) = same.get(operand.index()) {
                *operand = *older;
            }
        });
        // Where a truth value is known, its users are told.
        if let Some(Known::Number(constant)) = known.get(handle.index())
            && constant.scalar == Scalar::Bool
        {
            *expression = Expression::Constant(*constant);
        }
    }
    simpler.body = Some(body);
    Some(simpler)
}

fn learn(expression: &Expression, known: &[Known]) -> Known {
    let of = |value: &Value| known.get(value.index()).copied().unwrap_or(Known::Nothing);
    let truth = |value: bool| Known::Number(Constant::bool(value));
    match expression {
        Expression::Constant(constant) => Known::Number(*constant),
        Expression::Zero(Type::Scalar(scalar)) => Known::Number(Constant::from_bits(*scalar, 0)),
        Expression::Zero(Type::Pointer(_)) => Known::Null,
        Expression::Local(_) | Expression::Variable(_) | Expression::ArgumentAddress(_) => {
            Known::Address
        }
        Expression::Convert { kind: Conversion::Space, value, .. } => of(value),
        Expression::Unary { op: UnaryOp::Not, value } => match of(value) {
            Known::Number(constant) if constant.scalar == Scalar::Bool => truth(constant.bits == 0),
            _ => Known::Nothing,
        },
        Expression::Integer { op, left, right } => match (op, of(left), of(right)) {
            (IntegerOp::And, Known::Number(a), _) | (IntegerOp::And, _, Known::Number(a))
                if a == Constant::bool(false) =>
            {
                truth(false)
            }
            (IntegerOp::Or, Known::Number(a), _) | (IntegerOp::Or, _, Known::Number(a))
                if a == Constant::bool(true) =>
            {
                truth(true)
            }
            (IntegerOp::And, Known::Number(a), Known::Number(b)) if a.scalar == Scalar::Bool => {
                truth(a.bits & b.bits != 0)
            }
            (IntegerOp::Or, Known::Number(a), Known::Number(b)) if a.scalar == Scalar::Bool => {
                truth(a.bits | b.bits != 0)
            }
            _ => Known::Nothing,
        },
        Expression::Compare { op, left, right } => match (of(left), of(right)) {
            (Known::Number(a), Known::Number(b)) => {
                compared(*op, a, b).map_or(Known::Nothing, truth)
            }
            (Known::Null, Known::Null) => match op {
                CompareOp::Equal => truth(true),
                CompareOp::NotEqual => truth(false),
                _ => Known::Nothing,
            },
            (Known::Null, Known::Address) | (Known::Address, Known::Null) => match op {
                CompareOp::Equal => truth(false),
                CompareOp::NotEqual => truth(true),
                _ => Known::Nothing,
            },
            _ => Known::Nothing,
        },
        _ => Known::Nothing,
    }
}

/// The older value that a value is.
fn stands_for(expression: &Expression, known: &[Known]) -> Option<Value> {
    let of = |value: &Value| match known.get(value.index()) {
        Some(Known::Number(constant)) if constant.scalar == Scalar::Bool => {
            Some(constant.bits != 0)
        }
        _ => None,
    };
    match expression {
        Expression::Integer { op: op @ (IntegerOp::And | IntegerOp::Or), left, right } => {
            let neutral = Some(*op == IntegerOp::And);
            if of(left) == neutral {
                Some(*right)
            } else if of(right) == neutral {
                Some(*left)
            } else {
                None
            }
        }
        Expression::Select { condition, accept, reject } => match of(condition)? {
            true => Some(*accept),
            false => Some(*reject),
        },
        _ => None,
    }
}

fn compared(op: CompareOp, a: Constant, b: Constant) -> Option<bool> {
    if a.scalar != b.scalar {
        return None;
    }
    Some(op.holds(a.as_integer()?, b.as_integer()?))
}

/// Takes decided branches away; whether there were some.
fn block(block: &mut Block, known: &[Known], same: &[Value]) -> bool {
    let mut changed = false;
    let mut kept: Vec<Statement> = Vec::with_capacity(block.statements.len());
    for mut statement in std::mem::take(&mut block.statements) {
        statement.kind.for_each_value_mut(|value| {
            if let Some(older) = same.get(value.index()) {
                *value = *older;
            }
        });
        for inner in statement.kind.blocks_mut() {
            changed |= self::block(inner, known, same);
        }
        match statement.kind {
            StatementKind::If { condition, accept, reject } => {
                let decided = match known.get(condition.index()) {
                    Some(Known::Number(constant)) => Some(constant.bits != 0),
                    _ => None,
                };
                match decided {
                    Some(holds) => {
                        changed = true;
                        // A jump ends the block that it stands in.
                        let taken = if holds { accept } else { reject };
                        let jumps = taken.statements.iter().any(|taken| taken.kind.is_jump());
                        kept.extend(taken.statements);
                        if jumps {
                            break;
                        }
                    }
                    None => {
                        let kind = StatementKind::If { condition, accept, reject };
                        kept.push(Statement { kind, location: statement.location });
                    }
                }
            }
            kind => kept.push(Statement { kind, location: statement.location }),
        }
    }
    block.statements = kept;
    changed
}
