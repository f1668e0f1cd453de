//! Writes each operation with the flags that say what it does, fused ones as such.

use std::collections::HashMap;

use port_ir::{
    Block, Constant, Conversion, Expression, ExpressionTypes, FloatFlags, FloatOp, Function,
    MathClass, Scalar, Type, UnaryOp, Value, VectorSize,
};

use super::contract::Fusion;
use super::rewrite::Rewriter;
use crate::profile::Profile;

/// The function with its fusions done. Where the profile flushes f32, what compares or converts an
/// f32, and what would only flip or clear a sign, gets it through an addition of −0 that flushes.
pub(super) fn settle(
    function: &Function,
    types: &ExpressionTypes,
    profile: &Profile,
    fusions: &HashMap<Value, Fusion>,
) -> Function {
    let is_f32 = |value: Value| types.get(value).scalar() == Some(Scalar::F32);
    let flushes = profile.flushes();
    let seen = if flushes { seen_as_it_is(function) } else { Vec::new() };
    Rewriter::run(function, |writer, value, expression| match expression {
        Expression::Float { op, left, right, flags } => {
            // The mark of a quotient's product has served.
            let approximate = flags.approximate && op == FloatOp::Divide;
            let flags = FloatFlags { contract: false, approximate, ..flags };
            let flags = if is_f32(value) { profile.operation_flags(op, flags) } else { flags };
            if let Some(fusion) = fusions.get(&value)
                && let Expression::Float { left, right, .. } = &function.expressions[fusion.product]
            {
                let (a, b) = (writer.of(*left), writer.of(*right));
                let a = writer.signed(a, fusion.negative_product);
                let addend = writer.of(fusion.addend);
                let c = writer.signed(addend, fusion.negative_addend);
                return writer.append(Expression::FusedMultiplyAdd { a, b, c, flags });
            }
            writer.append(Expression::Float { op, left, right, flags })
        }
        Expression::FusedMultiplyAdd { a, b, c, flags } => {
            let flags = FloatFlags { contract: false, ..flags };
            let flags =
                if is_f32(value) { profile.operation_flags(FloatOp::Add, flags) } else { flags };
            writer.append(Expression::FusedMultiplyAdd { a, b, c, flags })
        }
        Expression::Math { function: name, arguments, flags } => {
            let single = function.expressions[value].operands().into_iter().any(is_f32);
            let (mut arguments, mut flags) = (arguments, flags);
            if single {
                flags = profile.function_flags(name, flags);
                // A predicate asks about the number that an operation would see.
                if flushes && matches!(name.class(), MathClass::FloatPredicate) {
                    let old = function.expressions[value].operands();
                    for (argument, old) in arguments.iter_mut().zip(old) {
                        *argument = flushed(writer, *argument, types.get(old));
                    }
                }
            }
            writer.append(Expression::Math { function: name, arguments, flags })
        }
        Expression::Compare { op, left, right } if flushes => {
            let (mut left, mut right) = (left, right);
            if let Expression::Compare { left: old_left, right: old_right, .. } =
                &function.expressions[value]
                && is_f32(*old_left)
            {
                left = flushed(writer, left, types.get(*old_left));
                right = flushed(writer, right, types.get(*old_right));
            }
            writer.append(Expression::Compare { op, left, right })
        }
        Expression::Convert { kind, value: operand, to } if flushes => {
            let Expression::Convert { value: old, .. } = &function.expressions[value] else {
                return writer.append(Expression::Convert { kind, value: operand, to });
            };
            let from = types.get(*old);
            // To half types goes an instruction that keeps subnormals.
            let flushes_operand = matches!(kind, Conversion::FloatToInteger(_))
                || matches!(kind, Conversion::FloatToFloat { .. })
                    && to.scalar() == Some(Scalar::F64);
            let operand = if from.scalar() == Some(Scalar::F32) && flushes_operand {
                flushed(writer, operand, from)
            } else {
                operand
            };
            let narrows = matches!(kind, Conversion::FloatToFloat { .. })
                && from.scalar() == Some(Scalar::F64)
                && to.scalar() == Some(Scalar::F32);
            let converted = writer.append(Expression::Convert { kind, value: operand, to });
            if narrows { flushed(writer, converted, to) } else { converted }
        }
        Expression::Unary { op, value: operand }
            if op != UnaryOp::Not
                && is_f32(value)
                && seen.get(value.index()).copied().unwrap_or(false) =>
        {
            let result = writer.append(Expression::Unary { op, value: operand });
            flushed(writer, result, types.get(value))
        }
        other => writer.append(other),
    })
}

/// Which values someone uses who does not flush them: statements, and expressions that only pass
/// values on.
fn seen_as_it_is(function: &Function) -> Vec<bool> {
    let mut seen = vec![false; function.expressions.len()];
    for (_, expression) in function.expressions.iter() {
        let flushes = matches!(
            expression,
            Expression::Float { .. }
                | Expression::FusedMultiplyAdd { .. }
                | Expression::Math { .. }
                | Expression::Unary { .. }
                | Expression::Compare { .. }
        );
        if !flushes {
            expression.for_each_operand(|operand| seen[operand.index()] = true);
        }
    }
    let mut blocks: Vec<&Block> = function.body.iter().collect();
    while let Some(block) = blocks.pop() {
        for statement in &block.statements {
            for operand in statement.kind.operands() {
                seen[operand.index()] = true;
            }
            blocks.extend(statement.kind.blocks());
        }
    }
    seen
}

/// An f32, or a vector of them, with zeros for subnormal numbers.
fn flushed(writer: &mut Rewriter<'_>, value: Value, ty: Type) -> Value {
    // A sign that was only flipped or cleared is flushed by whatever flushed its number.
    let mut number = value;
    while let Expression::Unary { op: UnaryOp::Negate | UnaryOp::Absolute, value } =
        writer.expression(number)
    {
        number = *value;
    }
    let is_flushed = match writer.expression(number) {
        Expression::Float { flags, .. } | Expression::FusedMultiplyAdd { flags, .. } => flags.flush,
        Expression::Math { function, flags, .. } => {
            flags.flush && function.class() == MathClass::Float
        }
        Expression::Constant(constant) => {
            constant.as_float().is_none_or(|value| (value as f32).is_normal() || value == 0.0)
        }
        Expression::Convert { kind: Conversion::IntegerToFloat(_), .. } => true,
        _ => false,
    };
    if is_flushed {
        return value;
    }
    let zero = writer.append(Expression::Constant(Constant::f32(-0.0)));
    let zero = match ty {
        Type::Vector(_, size) => {
            debug_assert!(matches!(size, VectorSize::Two | VectorSize::Three | VectorSize::Four));
            writer.append(Expression::Splat { ty, value: zero })
        }
        _ => zero,
    };
    let flags = FloatFlags { flush: true, ..FloatFlags::STRICT };
    writer.append(Expression::Float { op: FloatOp::Add, left: value, right: zero, flags })
}
