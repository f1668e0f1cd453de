//! Operations as the compiler has them before it fuses any.

use port_ir::{
    Constant, Expression, ExpressionTypes, FloatFlags, FloatOp, Function, MathFunction, Rounding,
    Scalar, Type, UnaryOp, Value,
};

use super::rewrite::Rewriter;
use crate::profile::{Contraction, Division, Functions, Profile};

/// Writes quotients and logarithms as the products that the compiler makes of them:
///
/// * `x / c` for a constant power of two is `x * (1/c)`, exactly.
/// * With approximate division `x / c` is `x * rn(1/c)` for every constant, `1 / x` the hardware's
///   reciprocal, `1 / sqrtf(x)` its reciprocal root, and `x / y` is `x * rcp(y)`. These products are
///   fused with sums like the source's own.
/// * The sign of a factor becomes the product's, so that `-a * b` and `a * b` are one product.
/// * The approximate `log` and `log10` are the hardware's binary logarithm times a constant, and so
///   is that product.
pub(super) fn prepare(function: &Function, types: &ExpressionTypes, profile: &Profile) -> Function {
    let contracts = profile.contraction() != Contraction::Never;
    let approximate = profile.division() == Division::Approximate;
    let cuda = matches!(profile.side(), crate::Side::Cuda(_));
    if !(contracts || approximate || cuda) {
        return function.clone();
    }
    Rewriter::run(function, |writer, value, expression| {
        let ty = types.get(value);
        let single = ty == Type::F32;
        match &expression {
            Expression::Float { op: FloatOp::Divide, left, right, flags }
                if flags.rounding == Rounding::NearestEven
                    && (contracts || approximate)
                    && (single || ty == Type::F64) =>
            {
                let fast = single && approximate;
                match quotient(writer, [*left, *right], *flags, fast, cuda) {
                    Some(product) => product,
                    None => writer.append(expression),
                }
            }
            Expression::Float { op: FloatOp::Multiply, left, right, flags }
                if contracts && flags.contract && (single || ty == Type::F64) =>
            {
                let (flags, operands) = (*flags, [*left, *right]);
                let under = operands.map(|operand| negated(writer, operand));
                let negative = under.iter().filter(|value| value.is_some()).count() == 1;
                let [left, right] =
                    [under[0].unwrap_or(operands[0]), under[1].unwrap_or(operands[1])];
                let op = FloatOp::Multiply;
                let product = writer.append(Expression::Float { op, left, right, flags });
                writer.signed(product, negative)
            }
            Expression::Math { function, arguments, flags } if cuda && single => {
                let approximate =
                    flags.approximate || profile.functions(*function) == Functions::CudaFast;
                let scale = match function {
                    MathFunction::Log => 0x3f31_7218,
                    MathFunction::Log10 => 0x3e9a_209b,
                    _ => return writer.append(expression),
                };
                let Some(argument) = arguments.first().copied().filter(|_| approximate) else {
                    return writer.append(expression);
                };
                let binary = writer.append(Expression::Math {
                    function: MathFunction::Log2,
                    arguments: vec![argument],
                    flags: FloatFlags { approximate: true, ..*flags },
                });
                let scale = f32_constant(writer, f32::from_bits(scale));
                writer.append(product(binary, scale, flags.flush))
            }
            _ => writer.append(expression),
        }
    })
}

/// What is under a negation.
fn negated(writer: &Rewriter<'_>, value: Value) -> Option<Value> {
    match writer.expression(value) {
        Expression::Unary { op: UnaryOp::Negate, value } => Some(*value),
        _ => None,
    }
}

fn product(left: Value, right: Value, flush: bool) -> Expression {
    let flags = FloatFlags { flush, ..FloatFlags::SOURCE };
    Expression::Float { op: FloatOp::Multiply, left, right, flags }
}

/// A product that only the last stage of the compiler makes: marked as approximate until then.
fn late_product(left: Value, right: Value, flush: bool) -> Expression {
    let flags = FloatFlags { flush, approximate: true, ..FloatFlags::SOURCE };
    Expression::Float { op: FloatOp::Multiply, left, right, flags }
}

fn f32_constant(writer: &mut Rewriter<'_>, value: f32) -> Value {
    writer.append(Expression::Constant(Constant::f32(value)))
}

/// What a quotient becomes; `None` if it stays one.
fn quotient(
    writer: &mut Rewriter<'_>,
    operands: [Value; 2],
    flags: FloatFlags,
    fast: bool,
    cuda: bool,
) -> Option<Value> {
    let [left, right] = operands;
    let constant = |value: Value| match writer.expression(value) {
        Expression::Constant(constant) => Some(*constant),
        _ => None,
    };
    if constant(left).is_some() && constant(right).is_some() {
        return None;
    }
    if let Some(divisor) = constant(right) {
        let inverse = inverse(divisor, fast, cuda)?;
        let inverse = writer.append(Expression::Constant(inverse));
        let made = if fast { late_product } else { product };
        return Some(writer.append(made(left, inverse, flags.flush)));
    }
    if !fast {
        return None;
    }
    let approximate = FloatFlags { approximate: true, ..flags };
    let is_one = constant(left).and_then(Constant::as_float) == Some(1.0);
    if is_one
        && let Expression::Math { function: MathFunction::SquareRoot, arguments, flags: root } =
            writer.expression(right)
        && root.rounding == Rounding::NearestEven
    {
        let arguments = arguments.clone();
        let function = MathFunction::ReciprocalSquareRoot;
        return Some(writer.append(Expression::Math { function, arguments, flags: approximate }));
    }
    let reciprocal = writer.append(Expression::Math {
        function: MathFunction::Reciprocal,
        arguments: vec![right],
        flags: approximate,
    });
    if is_one {
        return Some(reciprocal);
    }
    Some(writer.append(late_product(left, reciprocal, flags.flush)))
}

/// `1 / divisor`: where that is exact, or any with `fast`. `ptxas` computes it as the chip would: of
/// a subnormal divisor it is infinite, of one beyond 2^126 zero.
fn inverse(divisor: Constant, fast: bool, cuda: bool) -> Option<Constant> {
    match divisor.scalar {
        Scalar::F32 => {
            let divisor = f32::from_bits(divisor.bits as u32);
            if fast && cuda {
                return Some(Constant::f32(crate::math::hardware::rcp(divisor)));
            }
            let inverse = 1.0 / divisor;
            let exact = divisor.to_bits() & 0x007f_ffff == 0 && divisor.is_normal();
            ((exact || fast) && inverse.is_normal()).then(|| Constant::f32(inverse))
        }
        Scalar::F64 => {
            let divisor = f64::from_bits(divisor.bits);
            let inverse = 1.0 / divisor;
            let exact = divisor.to_bits() << 12 == 0 && inverse.is_normal();
            (exact && divisor.is_normal()).then(|| Constant::f64(inverse))
        }
        _ => None,
    }
}
