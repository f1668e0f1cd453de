//! Logarithms.

use crate::math::number::{Number, constant};

/// What a positive number is made of: mantissa − 1 in about [−1/3, 1/3], and the exponent, both as
/// the logarithms of all bases take them.
pub(super) struct Split<const F: bool> {
    /// The number itself, scaled if it was subnormal.
    pub scaled: Number<F>,
    /// Its mantissa.
    pub mantissa: Number<F>,
    /// Its exponent.
    pub exponent: Number<F>,
}

/// `middle` is the mantissa, as bits, from which the exponent counts one up; subnormal numbers are
/// raised by `up`, whose logarithm is −`lowered`.
pub(super) fn split<const F: bool>(x: Number<F>, middle: u32, up: u32, lowered: u32) -> Split<F> {
    let tiny = x.less(constant(0x0080_0000));
    let scaled = if tiny { x * constant(up) } else { x };
    let start = if tiny { constant(lowered) } else { Number::ZERO };
    let exponent = scaled.bits().wrapping_sub(middle) & 0xff80_0000;
    let mantissa = constant(scaled.bits().wrapping_sub(exponent));
    let exponent = Number::<F>::from_integer(exponent as i32).fma(constant(0x3400_0000), start);
    Split { scaled, mantissa, exponent }
}

/// From 4/3 on the exponent counts one up.
const MIDDLE_E: u32 = 0x3f2a_aaab;
/// From √2 on.
pub(super) const MIDDLE_2: u32 = 0x3f35_04f3;

/// What infinities, NaN and negative numbers give: x·∞ + ∞.
fn special<const F: bool>(x: Number<F>) -> Number<F> {
    x.fma(Number::INFINITY, Number::INFINITY)
}

/// The natural logarithm before zero is looked at, and the scaled operand that tells.
pub(super) fn log_of<const F: bool>(x: Number<F>) -> (Number<F>, Number<F>) {
    let parts = split(x, MIDDLE_E, 0x4b00_0000, 0xc1b8_0000);
    if parts.scaled.bits() >= 0x7f80_0000 {
        return (special(parts.scaled), parts.scaled);
    }
    let m = parts.mantissa + constant(0xbf80_0000);
    let series = m.polynomial([
        0xbe05_5027,
        0x3e10_39f6,
        0xbdf8_cdcc,
        0x3e0f_2955,
        0xbe2a_d8b9,
        0x3e4c_ed0b,
        0xbe7f_ff22,
        0x3eaa_aa78,
        0xbf00_0000,
    ]);
    let of_mantissa = (m * series).fma(m, m);
    (parts.exponent.fma(constant(0x3f31_7218), of_mantissa), parts.scaled)
}

const MINUS_INFINITY: u32 = 0xff80_0000;

/// ln x
pub fn log<const F: bool>(x: f32) -> f32 {
    let (result, scaled) = log_of::<F>(Number::new(x));
    if scaled.equals(Number::ZERO) { f32::NEG_INFINITY } else { result.result() }
}

/// log₁₀ x
pub fn log10<const F: bool>(x: f32) -> f32 {
    let (result, scaled) = log_of::<F>(Number::new(x));
    if scaled.equals(Number::ZERO) {
        return f32::NEG_INFINITY;
    }
    (result * constant(0x3ede_5bd9)).result()
}

/// log₂ x
pub fn log2<const F: bool>(x: f32) -> f32 {
    let parts = split::<F>(Number::new(x), MIDDLE_2, 0x4b00_0000, 0xc1b8_0000);
    if parts.scaled.equals(Number::ZERO) {
        return f32::from_bits(MINUS_INFINITY);
    }
    if parts.scaled.bits() >= 0x7f80_0000 {
        return special(parts.scaled).result();
    }
    let m = parts.mantissa + constant(0xbf80_0000);
    let series = m.polynomial([
        0x3dc6_b27f,
        0xbe2c_7f30,
        0x3e2f_cf2a,
        0xbe37_4e43,
        0x3e52_0bf4,
        0xbe76_3c8b,
        0x3e93_bf99,
        0xbeb8_aa49,
        0x3ef6_384a,
        0xbf38_aa3b,
    ]);
    let of_mantissa = m.fma(constant(0x3fb8_aa3b), m * (m * series));
    (parts.exponent + of_mantissa).result()
}

/// ln(1 + x)
pub fn log1p<const F: bool>(x: f32) -> f32 {
    log1p_of::<F>(Number::new(x)).result()
}

pub(super) fn log1p_of<const F: bool>(x: Number<F>) -> Number<F> {
    // x at infinity, NaN, or negative in any way but above −1.
    let bits = x.bits();
    let mut result = log1p_inside(x);
    if bits >= 0x7f80_0000 {
        if bits as i32 >= 0xbf80_0001u32 as i32 {
            result = special(x);
        }
        if x.equals(Number::ZERO) {
            result = constant(0x8000_0000);
        }
    }
    result
}

fn log1p_inside<const F: bool>(x: Number<F>) -> Number<F> {
    let rounded = x.add_toward_zero(Number::ONE);
    let exponent = rounded.bits().wrapping_sub(0x3f40_0000) & 0xff80_0000;
    // x scaled by the power, plus the power itself less one, instead of the rounded sum.
    let scaled = constant::<F>(x.bits().wrapping_sub(exponent));
    let power = constant::<F>(0x4080_0000u32.wrapping_sub(exponent));
    let m = constant::<F>(0x3e80_0000).fma(power, constant(0xbf80_0000)) + scaled;
    let exponent = Number::<F>::from_integer(exponent as i32) * constant(0x3400_0000);
    let series = m.polynomial([
        0xbd39_bf78,
        0x3dd8_0012,
        0xbe07_78e0,
        0x3e14_6475,
        0xbe2a_68dd,
        0x3e4c_af9e,
        0xbe80_0042,
        0x3eaa_aae6,
        0xbf00_0000,
    ]);
    let of_mantissa = (m * series).fma(m, m);
    exponent.fma(constant(0x3f31_7218), of_mantissa)
}

/// The exponent of x as a float.
pub fn logb<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let bits = x.abs().bits();
    if bits < 0x0080_0000 {
        if x.equals(Number::ZERO) {
            return f32::NEG_INFINITY;
        }
        return (-118 - bits.leading_zeros() as i32) as f32;
    }
    if bits >= 0x7f80_0000 {
        return (x * x).result();
    }
    ((bits >> 23) as i32 - 127) as f32
}
