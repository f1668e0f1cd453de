//! The error function, its complements and inverses, and the normal distribution.

use super::exponential::{exp_factors, exp_shifted};
use crate::math::hardware;
use crate::math::number::{Number, constant};

/// erf x
pub fn erf<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    if magnitude.at_least(constant(0x3f80_7b28)) {
        let series = magnitude.polynomial([
            0x388e_49b7,
            0xba73_c723,
            0x3be3_e044,
            0xbd19_b6f7,
            0x3e20_72ab,
            0x3f6a_18f3,
            0x3f20_f3eb,
        ]);
        let exponent = series.fma(x, x);
        return (Number::<F>::ONE - (-exponent.abs()).ex2()).with_sign_of(x).result();
    }
    let series = (x * x).polynomial([
        0x388d_8e09,
        0xba48_7a7d,
        0x3ba8_86c1,
        0xbcdb_c4cf,
        0x3de7_12bb,
        0xbec0_9388,
        0x3e03_75d4,
    ]);
    series.fma(x, x).result()
}

/// From here on erfc is zero, and erfcx its asymptotic series.
const LARGE: u32 = 0x4120_e148;

/// e^(a²)·erfc(a) of a magnitude below [`LARGE`], by a rational change of variable.
fn scaled_complement<const F: bool>(a: Number<F>) -> Number<F> {
    let inverse = (a + constant(0x4080_0000)).rcp();
    let q = (a + constant(0xc080_0000)) * inverse;
    // The quotient's error, from (a − 4) − q·(a + 4).
    let rest = (-q).fma(a, constant::<F>(0xc080_0000).fma(q + Number::ONE, a));
    let q = inverse.fma(rest, q);
    let series = q.polynomial([
        0x3a69_a091,
        0x3be6_e05b,
        0xbc81_fb4b,
        0x3d15_373b,
        0xbd88_7c5a,
        0x3dc0_21d5,
        0xbdce_d424,
        0x3d8b_74de,
        0x3c7b_f170,
        0xbe0e_f8d4,
        0x3f9d_d2c9,
    ]);
    let inverse = Number::<F>::TWO.fma(a, Number::ONE).rcp();
    let quotient = series * inverse;
    let rest = a.fma(quotient * constant(0xc000_0000), series) - quotient;
    rest.fma(inverse, quotient)
}

/// erfc of a magnitude.
fn complement<const F: bool>(a: Number<F>) -> Number<F> {
    if a.greater(constant(LARGE)) {
        return Number::ZERO;
    }
    let scaled = scaled_complement(a);
    let square = a * a;
    let exponential = exp_shifted(-square, 0x4b40_007f);
    let error = (-a).fma(a, square);
    scaled * exponential.fma(error, exponential)
}

/// erfc from its value at the magnitude.
fn reflected<const F: bool>(x: Number<F>, of_magnitude: Number<F>) -> Number<F> {
    if x.less(Number::ZERO) { Number::TWO - of_magnitude } else { of_magnitude }
}

/// 1 − erf(x)
pub fn erfc<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    reflected(x, complement(x.abs())).result()
}

/// e^(x²) · erfc(x)
pub fn erfcx<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    let result = if magnitude.less(constant(LARGE)) {
        scaled_complement(magnitude)
    } else {
        // 1/x in two steps, lest the divisor leave the range of the approximation.
        let quarter = constant::<F>(0x3e80_0000);
        let inverse = quarter.divide_approximately(magnitude * quarter);
        let series = (inverse * inverse).polynomial([
            0x40d2_0000,
            0xbff0_0000,
            0x3f40_0000,
            0xbf00_0000,
            0x3f80_0000,
        ]);
        (inverse * constant(0x3f10_6ebb)) * series
    };
    if !x.less(Number::ZERO) {
        return result.result();
    }
    // 2·e^(x²) − erfcx(−x), the square in two parts.
    let square = magnitude.multiply_toward_zero(magnitude);
    let error = magnitude.fma(magnitude, -square);
    let (mantissa, power) = exp_factors(square);
    let doubled = mantissa.fma(power, mantissa * power);
    if doubled.equals(Number::INFINITY) {
        return doubled.result();
    }
    (doubled.fma(error, doubled) - result).result()
}

const CENTRAL: [u32; 10] = [
    0xaf8a_6370,
    0x3221_f645,
    0xb401_6fda,
    0x3468_f846,
    0x3707_42aa,
    0xb804_db4d,
    0xba4a_fea1,
    0x3bb5_c027,
    0x3e24_ae0f,
    0x3f62_dfc4,
];

/// Inverse of erf.
pub fn erfinv<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let log = x.fma(-x, Number::ONE).lg2();
    if !log.less(constant(0xc103_3333)) {
        return ((-log).polynomial(CENTRAL) * x).result();
    }
    let minus = -log;
    if log.equals(constant(0xff80_0000)) {
        return minus.with_sign_of(x).result();
    }
    let inverse_root = minus.rsq();
    let series = inverse_root.polynomial([
        0xbf17_04a1,
        0xbf29_baa5,
        0x3fcc_6adc,
        0xbf2c_daed,
        0xbdc3_0537,
        0x3f55_d9b9,
    ]);
    ((inverse_root * minus) * series).with_sign_of(x).result()
}

/// Inverse of erfc, before the last rounding that normcdfinv adds.
fn erfcinv_of<const F: bool>(y: Number<F>) -> Number<F> {
    let other = Number::TWO + -y;
    if y.at_least(constant(0x3b5e_d289)) && y.at_most(constant(0x3fff_9097)) {
        let series = (-(other * y).lg2()).polynomial(CENTRAL);
        return series.fma(-y, series);
    }
    let upper = y.greater(Number::ONE);
    let log = (if upper { other } else { y }).log2();
    let minus = -log;
    let inverse_root = minus.rsq();
    let series = inverse_root.polynomial([
        0xc27c_73f1,
        0x42fe_f829,
        0xc2e4_361c,
        0x4271_4d9b,
        0xc1ae_51b3,
        0x40ce_f504,
        0xbfea_9e05,
        0xbcf8_71f4,
        0x3f55_3775,
    ]);
    let root = if log.equals(constant(0xff80_0000)) { minus } else { inverse_root * minus };
    series * if upper { -root } else { root }
}

/// Inverse of erfc.
pub fn erfcinv<const F: bool>(y: f32) -> f32 {
    erfcinv_of::<F>(Number::new(y)).result()
}

/// Inverse of the standard normal distribution function.
pub fn normcdfinv<const F: bool>(y: f32) -> f32 {
    let y = Number::<F>::new(y);
    constant::<F>(0xbfb5_04f3).fma(erfcinv_of(y + y), Number::ZERO).result()
}

/// Distribution function of the standard normal.
pub fn normcdf<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let limit = constant::<F>(0x4168_0000);
    let x = if x.abs().greater(limit) { limit.with_sign_of(x) } else { x };
    // −x/√2 in two parts.
    let minus_root_half = constant::<F>(0xbf35_04f3);
    let high = x * minus_root_half;
    let low = x.fma(constant(0xb24f_e77a), x.fma(minus_root_half, -high));
    let argument = high + low;
    let mut result = reflected(argument, complement(argument.abs()));
    if x.less(constant(0xbf80_0000)) {
        let rest = (high - argument) + low;
        result = ((argument * constant(0xc000_0000)) * result).fma(rest, result);
    }
    hardware::canonical((result * Number::HALF).raw())
}
