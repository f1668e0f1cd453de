//! CUDA's binary64 functions as the compiler expands them (CUDA 13.5), neither `-ftz` nor fast math
//! changes them.
//!
//! Reciprocals start from the unit's 20-bit approximation, which is modelled, and are brought to full
//! precision by a step that triples the digits: what the model misses is beyond the last place of
//! almost every result. Everything else is exact.

mod error;
mod exponential;
mod hyperbolic;
mod inverse;
mod logarithm;
mod norm;
mod power;
mod trigonometric;

use port_ir::MathFunction;

use super::hardware;
use crate::function::F64Function;

/// The function; `None` for one whose expansion is not written here.
pub fn function(function: MathFunction) -> Option<F64Function> {
    use F64Function::{Binary, Quaternary, Ternary, Unary, WithI32};
    use MathFunction as M;
    Some(match function {
        M::ReciprocalSquareRoot => Unary(power::rsqrt),
        M::Exp => Unary(exponential::exp),
        M::Exp2 => Unary(exponential::exp2),
        M::Exp10 => Unary(exponential::exp10),
        M::Tanh => Unary(exponential::tanh),
        M::Log => Unary(logarithm::log),
        M::Log2 => Unary(logarithm::log2),
        M::Log10 => Unary(logarithm::log10),
        M::Sin => Unary(trigonometric::sin),
        M::Cos => Unary(trigonometric::cos),
        M::Tan => Unary(trigonometric::tan),
        M::Power => Binary(power::pow),
        M::CubeRoot => Unary(power::cbrt),
        M::ReciprocalCubeRoot => Unary(power::rcbrt),
        M::Hypot => Binary(power::hypot),
        M::ReciprocalHypot => Binary(norm::rhypot),
        M::Norm3 => Ternary(norm::norm3),
        M::ReciprocalNorm3 => Ternary(norm::rnorm3),
        M::Norm4 => Quaternary(norm::norm4),
        M::ReciprocalNorm4 => Quaternary(norm::rnorm4),
        M::ScaleByPowerOfTwo => WithI32(power::ldexp),
        M::SinPi => Unary(trigonometric::sinpi),
        M::CosPi => Unary(trigonometric::cospi),
        M::Asin => Unary(inverse::asin),
        M::Acos => Unary(inverse::acos),
        M::Atan => Unary(inverse::atan),
        M::Atan2 => Binary(inverse::atan2),
        M::Sinh => Unary(hyperbolic::sinh),
        M::Cosh => Unary(hyperbolic::cosh),
        M::Asinh => Unary(hyperbolic::asinh),
        M::Acosh => Unary(hyperbolic::acosh),
        M::Atanh => Unary(hyperbolic::atanh),
        M::ExpMinusOne => Unary(hyperbolic::expm1),
        M::LogOnePlus => Unary(hyperbolic::log1p),
        M::Erf => Unary(error::erf),
        M::Erfc => Unary(error::erfc),
        M::NormalCdf => Unary(error::normcdf),
        _ => return None,
    })
}

/// The NaN of these functions.
pub(super) const NAN: f64 = f64::from_bits(0x7fff_ffff_ffff_ffff);

#[inline]
fn bits(x: u64) -> f64 {
    f64::from_bits(x)
}

#[inline]
fn high_word(x: f64) -> u32 {
    (x.to_bits() >> 32) as u32
}

/// The number with another high word.
#[inline]
fn with_high_word(x: f64, high: u32) -> f64 {
    f64::from_bits(u64::from(high) << 32 | x.to_bits() & 0xffff_ffff)
}

/// The number times a power of two, by its bits.
#[inline]
fn scaled(x: f64, exponent: i32) -> f64 {
    with_high_word(x, high_word(x).wrapping_add((exponent as u32) << 20))
}

/// 1/x by one step that triples the digits of the unit's approximation.
#[inline]
fn reciprocal(x: f64) -> f64 {
    let start = f64::from_bits(u64::from(hardware::rcp64h(high_word(x))) << 32);
    let error = (-x).mul_add(start, 1.0);
    error.mul_add(error, error).mul_add(start, start)
}

/// The series of (e^x − 1 − x) / x² near 0, the highest power first.
const LESS_ONE: [u64; 10] = [
    0x3e5a_e904_a474_1b81,
    0x3e92_8a27_f89b_6999,
    0x3ec7_1de7_15ff_7e07,
    0x3efa_019a_6b0a_c45a,
    0x3f2a_01a0_17ee_d94f,
    0x3f56_c16c_17f2_a71b,
    0x3f81_1111_1111_73c4,
    0x3fa5_5555_5555_211a,
    0x3fc5_5555_5555_5540,
    0x3fe0_0000_0000_0005,
];

/// By fused steps, highest power first.
#[inline]
fn polynomial<const N: usize>(x: f64, coefficients: [u64; N]) -> f64 {
    let mut sum = bits(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, bits(coefficient));
    }
    sum
}
