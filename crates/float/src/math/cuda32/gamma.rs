//! The gamma function and its logarithm.

use super::logarithm::{MIDDLE_2, log_of, split};
use super::power::{log2_in_two_parts, power_of_two};
use super::trigonometric::{sine_of, sine_of_half_turns};
use crate::math::hardware;
use crate::math::number::{Number, constant};

/// Γ(x). `scale` says whether subnormal magnitudes are scaled before their logarithm is taken, which
/// only modes that keep subnormals do.
pub fn tgamma<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let result =
        if x.abs().less(constant(0x3fc0_0000)) || x.is_nan() { near_one(x) } else { asymptotic(x) };
    if !x.less(Number::ZERO) {
        return result.result();
    }
    if x.truncated().equals(x) {
        return hardware::NAN;
    }
    // Below −41.1 the magnitude underflows; the sign of zero is that of an even interval.
    if x.less(constant(0xc224_6666)) && (x.raw() as i32) & 1 != 0 {
        return 0.0;
    }
    result.result()
}

/// Below 1.5 in magnitude: the reciprocal's series.
fn near_one<const F: bool>(x: Number<F>) -> Number<F> {
    let rest = if x.equals(Number::ZERO) { x } else { x - x.rounded() };
    let factor = if x.less(constant(0xbf00_0000)) { x } else { Number::ONE };
    let factor = if x.at_most(Number::HALF) { factor * rest } else { factor };
    let series = rest.polynomial([
        0xba8c_9f66,
        0x3be9_03d7,
        0xbc1e_00b0,
        0xbd2c_c522,
        0x3e2a_89b3,
        0xbd2c_0c05,
        0xbf27_e7a2,
        0x3f13_c468,
    ]);
    let inverse = series.fma(factor, Number::ZERO).fma(rest, factor);
    Number::ONE.divide_approximately(inverse)
}

fn asymptotic<const F: bool>(x: Number<F>) -> Number<F> {
    let negative = x.less(Number::ZERO);
    let limit = constant::<F>(0x4224_6666);
    let x = if x.abs().greater(limit) { limit } else { x };
    let a = x.abs();
    let parts = split(a, MIDDLE_2, 0x3f80_0000, 0);
    let (log_high, log_low) = log2_in_two_parts(parts.mantissa, parts.exponent, false);
    // (a − 1/2)·log₂ a − a·log₂ e in two parts.
    let factor = a + constant(0xbf00_0000);
    let product = log_high * factor;
    let product_low = log_low.fma(factor, log_high.fma(factor, -product));
    let log2_e = constant::<F>(0x3fb8_aa3b);
    let linear = log2_e * a;
    let linear_low = constant::<F>(0x32a5_7060).fma(a, log2_e.fma(a, -linear));
    let sum = product + -linear;
    let back = sum + linear;
    let sum_low = (product + -back) + (-linear + -(sum + -back));
    let low = (product_low - linear_low) + sum_low;
    let huge = a.greater(constant(0x4204_0000));
    // Of a negative number the reciprocal's logarithm; far out 48 is added, and taken off at the end.
    let start = constant::<F>(if huge { 0x4240_0000 } else { 0x8000_0000 });
    let (high, low) = if negative { (start - sum, -low) } else { (sum, low) };
    let whole = high.rounded();
    let power = power_of_two(whole, (high - whole) + low);
    let power = power * constant(0x4020_6c99);
    let inverse = a.rcp();
    let series = inverse.polynomial([
        0x388f_7971,
        0xb854_3ed8,
        0xb9dd_a6be,
        0x3a82_0abe,
        0xb992_0afd,
        0xbb2f_4d64,
        0x3b63_8732,
        0x3daa_aaac,
    ]);
    let series = inverse * series;
    if !negative {
        return series.fma(power, power);
    }
    // Γ(x) = −π / (x·Γ(−x)·sin πx), the divisor's error corrected.
    let factor = series.fma(x, x);
    let doubled = (a + a).rounded();
    let rest = doubled.fma(constant(0xbf00_0000), a);
    let sine = sine_of_half_turns(doubled.raw() as i32, rest);
    let divisor = factor * sine;
    let error = factor.fma(sine, -divisor);
    let reciprocal = Number::ONE.divide_approximately(divisor);
    let correction = power * (error * (reciprocal * reciprocal));
    let result = power.fma(reciprocal, -correction) * Number::HALF;
    if huge { result * constant(0x2780_0000) } else { result }
}

/// ln x for a positive number, −∞ for zero.
fn log<const F: bool>(x: Number<F>) -> Number<F> {
    let (result, scaled) = log_of(x);
    if scaled.equals(Number::ZERO) { constant(0xff80_0000) } else { result }
}

/// ln |Γ(a)| of a magnitude.
fn log_gamma<const F: bool>(a: Number<F>) -> Number<F> {
    if !a.less(constant(0x4040_0000)) && !a.is_nan() {
        if !a.less(constant(0x40f9_999a)) {
            return stirling(a);
        }
        let b = a + constant(0xc040_0000);
        let top = b.polynomial([0xc43b_38fb, 0xc640_f6f8, 0xc720_6560, 0xc73c_b6aa, 0xc80b_ae5a]);
        let bottom = (b + constant(0xc381_a020))
            .fma(b, constant(0xc628_64b8))
            .fma(b, constant(0xc7b5_0686))
            .fma(b, constant(0xc849_8465));
        return top.fma(bottom.rcp(), b);
    }
    if !a.less(constant(0x3fc0_0000)) && !a.is_nan() {
        let b = a + constant(0xc000_0000);
        return b * b.polynomial([
            0x3850_07fa,
            0xb967_a002,
            0x3a0d_e6fc,
            0xba9d_e0e2,
            0x3b3d_05b7,
            0xbbf1_eb10,
            0x3ca8_9a28,
            0xbd89_f01a,
            0x3ea5_1a66,
            0x3ed8_7730,
        ]);
    }
    if !a.less(constant(0x3f33_3333)) && !a.is_nan() {
        let b = Number::ONE - a;
        return b * b.polynomial([
            0x3d3b_ef76,
            0x3dd4_7577,
            0x3dfb_8079,
            0x3e02_95b5,
            0x3e12_a765,
            0x3e2d_6867,
            0x3e54_62bf,
            0x3e8a_8a72,
            0x3ecd_26a4,
            0x3f52_8d32,
            0x3f13_c468,
        ]);
    }
    let series = a.polynomial([
        0x3b6b_1c86,
        0xbbb3_4878,
        0xbd36_caef,
        0x3e2b_5555,
        0xbd2c_96c7,
        0xbf27_e6eb,
        0x3f13_c463,
    ]);
    -log((a * series).fma(a, a))
}

fn stirling<const F: bool>(a: Number<F>) -> Number<F> {
    if a.equals(Number::INFINITY) {
        return a;
    }
    let inverse = a.rcp();
    let square = inverse * inverse;
    let product = (log(a) * Number::HALF) * (a + constant(0xbf00_0000));
    let rest = product - a;
    let series = square.polynomial([0x3a4b_e755, 0xbb36_0953, 0x3daa_aaa3]);
    rest + (product + series.fma(inverse, constant(0x3f6b_3f8e)))
}

/// ln |Γ(x)|
pub fn lgamma<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let a = x.abs();
    let result = log_gamma(a);
    if x.at_least(Number::ZERO) {
        return result.result();
    }
    if a.equals(a.floor()) {
        return f32::INFINITY;
    }
    if a.less(constant(0x1fec_1e4a)) {
        return (-log(a)).result();
    }
    // ln(π / |x·sin πx|) − ln Γ(|x|).
    let doubled = (a + a).rounded();
    let rest = (-doubled).fma(Number::HALF, a) * constant(0x4049_0fdb);
    let sine = sine_of(doubled.raw() as i32, rest).abs();
    let (log, scaled) = log_of(a * sine);
    let reflection = constant::<F>(0x3f92_8682) - log;
    let reflection = if scaled.equals(Number::ZERO) { Number::INFINITY } else { reflection };
    reflection.fma(Number::ONE, -result).result()
}
