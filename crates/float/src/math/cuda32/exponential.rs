//! Exponentials, hyperbolic functions and their inverses.

use super::logarithm::log1p_of;
use crate::math::hardware;
use crate::math::number::{Number, constant};

/// log₂ e.
const LOG2_E: u32 = 0x3fb8_aa3b;

/// 2^n as bits, from a number whose low mantissa bits hold n plus the exponent's bias.
fn power_from_low_bits<const F: bool>(x: Number<F>) -> Number<F> {
    constant(x.bits() << 23)
}

/// e^x or 10^x: the exponent is split off by adding 1.5·2^23 with rounding down, inside a range that
/// saturation keeps, so that overflow and underflow need no branch.
fn split_exponential<const F: bool>(
    x: Number<F>,
    turns: u32,
    high: u32,
    low: u32,
) -> (Number<F>, Number<F>) {
    let unit = x.fma(constant(turns), Number::HALF).saturated();
    // unit · 252 + 12582913 rounded down: where numbers are one apart, so the product's whole part.
    let shifted = ((f64::from(unit.raw()) * 252.0) as i32 + 12_582_913) as f32;
    let shifted = Number::<F>::new(shifted);
    let whole = shifted + constant(0xcb40_007f);
    let rest = x.fma(constant(low), x.fma(constant(high), -whole));
    (rest.ex2(), power_from_low_bits(shifted))
}

/// The two factors of e^x.
pub(super) fn exp_factors<const F: bool>(x: Number<F>) -> (Number<F>, Number<F>) {
    split_exponential(x, 0x3bbb_989d, LOG2_E, 0x32a5_7060)
}

/// e^x
pub fn exp<const F: bool>(x: f32) -> f32 {
    let (mantissa, power) = exp_factors::<F>(Number::new(x));
    (mantissa * power).result()
}

/// 10^x
pub fn exp10<const F: bool>(x: f32) -> f32 {
    let (mantissa, power) =
        split_exponential::<F>(Number::new(x), 0x3c57_fa62, 0x4054_9a78, 0x3397_9a37);
    (mantissa * power).result()
}

/// 2^x
pub fn exp2<const F: bool>(x: f32) -> f32 {
    hardware::canonical(hardware::exp2(x, F))
}

/// e^x − 1
pub fn expm1<const F: bool>(x: f32) -> f32 {
    expm1_of::<F>(Number::new(x)).result()
}

pub(super) fn expm1_of<const F: bool>(x: Number<F>) -> Number<F> {
    let limit = constant::<F>(0x42b1_7218);
    let x = if x.abs().greater(limit) { limit.with_sign_of(x) } else { x };
    let shifted = x.fma(constant(LOG2_E), constant(0x4b40_007f));
    let whole = shifted + constant(0xcb40_007f);
    let minus = -whole;
    let rest = minus.fma(constant(0x3377_d1cf), minus.fma(constant(0x3f31_7217), x));
    // From 25 on half of the power is used and the result doubled, lest the power overflow.
    let halved = whole.at_least(constant(0x41c8_0000));
    let mut power_bits = shifted.bits() << 23;
    if halved {
        power_bits = power_bits.wrapping_sub(0x0080_0000);
    }
    let power =
        if whole.equals(constant(0xc300_0000)) { Number::ZERO } else { constant(power_bits) };
    let series = rest
        .polynomial([0x3ab5_b2c6, 0x3c09_1356, 0x3d2a_a9af, 0x3e2a_aa59, 0x3f00_0003])
        .fma(rest, Number::ZERO)
        .fma(rest, rest);
    let result = series.fma(power, -(Number::ONE - power));
    if halved { result + result } else { result }
}

/// e^|x| times a power of two, `bias` being the power's exponent bias less the wanted shift.
pub(super) fn exp_shifted<const F: bool>(x: Number<F>, shift: u32) -> Number<F> {
    let whole = (x * constant(LOG2_E)).truncated();
    let limit = constant::<F>(0x42fc_0000);
    let whole = if whole.abs().greater(limit) { limit.with_sign_of(whole) } else { whole };
    let rest = whole.fma(constant(0x3102_e308), whole.fma(constant(0xbf31_7218), x));
    let mantissa = (rest * constant(LOG2_E)).ex2();
    mantissa * power_from_low_bits(whole + constant(shift))
}

/// sinh x
pub fn sinh<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    if magnitude.at_least(Number::ONE) {
        let quarter = exp_shifted(magnitude, 0x4b40_007d);
        let small = constant::<F>(0xbe00_0000).divide_approximately(quarter);
        return Number::TWO.fma(quarter, small).with_sign_of(x).result();
    }
    let square = x * x;
    let series = square.polynomial([0x363d_0ada, 0x394f_ff49, 0x3c08_889a, 0x3e2a_aaab]);
    (square * series).fma(x, x).result()
}

/// cosh x
pub fn cosh<const F: bool>(x: f32) -> f32 {
    let quarter = exp_shifted(Number::<F>::new(x).abs(), 0x4b40_007d);
    let small = constant::<F>(0x3e00_0000).divide_approximately(quarter);
    Number::TWO.fma(quarter, small).result()
}

/// tanh x
pub fn tanh<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    if magnitude.at_least(constant(0x3f19_999a)) {
        if magnitude.at_least(constant(0x4110_2cb4)) {
            return Number::<F>::ONE.with_sign_of(x).result();
        }
        let exponential = (magnitude * constant(0x4038_aa3b)).ex2();
        let reciprocal = (exponential + Number::ONE).rcp();
        return reciprocal.fma(constant(0xc000_0000), Number::ONE).with_sign_of(x).result();
    }
    let square = x * x;
    let series = square
        .polynomial([0x3c80_f082, 0xbd56_3cae, 0x3e08_5941, 0xbeaa_a9ed])
        .fma(square, Number::ZERO);
    series.fma(x, x).result()
}

/// arsinh x
pub fn asinh<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    let huge = magnitude.greater(constant(0x4b00_0000));
    let argument = if huge {
        magnitude
    } else {
        let square = x.fma(x, Number::ONE);
        let divisor = square.fma(square.rsq(), Number::ONE);
        magnitude.fma(magnitude * divisor.rcp(), magnitude)
    };
    let mut result = log1p_of(argument);
    if huge {
        result = result + constant(0x3f31_7218);
    }
    if magnitude.at_most(Number::INFINITY) {
        result.with_sign_of(x).result()
    } else {
        result.result()
    }
}

/// arcosh x
pub fn acosh<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let less = x - Number::ONE;
    // As an unsigned integer: negative numbers count as huge, and end as NaN by the logarithm.
    let huge = less.bits() > 0x4b00_0000;
    let addend = if huge {
        constant(0xbf80_0001)
    } else {
        let square = x.fma(x, constant(0xbf80_0000));
        if square.equals(Number::ZERO) { Number::ZERO } else { refined_root(square) }
    };
    let mut result = log1p_of(less + addend);
    if huge {
        result = result + constant(0x3f31_7218);
    }
    result.result()
}

/// √x by one correction of x · rsq(x).
fn refined_root<const F: bool>(x: Number<F>) -> Number<F> {
    let inverse = x.rsq();
    let root = x * inverse;
    (-root).fma(root, x).fma(inverse * Number::HALF, root)
}

/// artanh x
pub fn atanh<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    let reciprocal = (Number::ONE - magnitude).rcp();
    let argument = magnitude * (reciprocal + reciprocal);
    let argument =
        if magnitude.greater(constant(0x7e80_0000)) { constant(0xc000_0000) } else { argument };
    (Number::HALF.with_sign_of(x) * log1p_of(argument)).result()
}
