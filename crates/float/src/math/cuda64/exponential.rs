//! Exponentials and the hyperbolic tangent.

use super::{LESS_ONE, NAN, bits, high_word, polynomial, reciprocal, scaled};
use crate::math::hardware;

/// 1.5 · 2^52: adding it leaves an integer in the low word.
const INTEGER: f64 = 6_755_399_441_055_744.0;

const SERIES: [u64; 12] = [
    0x3e5a_de15_69ce_2bdf,
    0x3e92_8af3_fca2_13ea,
    0x3ec7_1dee_6240_1315,
    0x3efa_0199_7c89_eb71,
    0x3f2a_01a0_1476_1f65,
    0x3f56_c16c_1852_b7af,
    0x3f81_1111_1112_2322,
    0x3fa5_5555_5555_02a1,
    0x3fc5_5555_5555_5511,
    0x3fe0_0000_0000_000b,
    0x3ff0_0000_0000_0000,
    0x3ff0_0000_0000_0000,
];

const MINUS_LN_2: u64 = 0xbfe6_2e42_fefa_39ef;
const MINUS_LN_2_LOW: u64 = 0xbc7a_bc9e_3b39_803f;

/// A float made of a high word orders magnitudes as the numbers do.
fn magnitude(x: f64) -> f32 {
    f32::from_bits(high_word(x) & 0x7fff_ffff)
}

/// mantissa · 2^n in two factors, for results that may be subnormal or nearly overflow.
fn in_two_steps(mantissa: f64, n: i32) -> f64 {
    let half = (n + ((n as u32) >> 31) as i32) >> 1;
    let rest = (((n - half) as u32) << 20).wrapping_add(0x3ff0_0000);
    scaled(mantissa, half) * bits(u64::from(rest) << 32)
}

/// e^rest of a small rest.
pub(super) fn series(rest: f64) -> f64 {
    polynomial(rest, SERIES)
}

/// e^x of a moderate number, the power of two always in two factors.
pub(super) fn exp_in_two_steps(x: f64) -> f64 {
    let shifted = x.mul_add(bits(0x3ff7_1547_652b_82fe), INTEGER);
    let whole = shifted - INTEGER;
    let rest = whole.mul_add(bits(MINUS_LN_2_LOW), whole.mul_add(bits(MINUS_LN_2), x));
    in_two_steps(series(rest), shifted.to_bits() as u32 as i32)
}

/// e^x
pub(super) fn exp(x: f64) -> f64 {
    let shifted = x.mul_add(bits(0x3ff7_1547_652b_82fe), INTEGER);
    let n = shifted.to_bits() as u32 as i32;
    let whole = shifted - INTEGER;
    let rest = whole.mul_add(bits(MINUS_LN_2_LOW), whole.mul_add(bits(MINUS_LN_2), x));
    let mantissa = polynomial(rest, SERIES);
    let size = magnitude(x);
    if size < f32::from_bits(0x4086_232b) {
        return scaled(mantissa, n);
    }
    // Of NaN the comparison of high words fails too.
    if size < f32::from_bits(0x4087_4800) {
        return in_two_steps(mantissa, n);
    }
    if x < 0.0 {
        0.0
    } else if x.is_nan() {
        NAN
    } else {
        f64::INFINITY
    }
}

/// 2^x
pub(super) fn exp2(x: f64) -> f64 {
    let shifted = x + INTEGER;
    let n = shifted.to_bits() as u32 as i32;
    let rest = x - (shifted - INTEGER);
    let rest = rest.mul_add(bits(0x3fe6_2e42_fefa_39ef), rest * bits(0x3c7a_bc9e_3b39_803f));
    finish(x, rest, n, 0x408f_f000, 0x4090_cc00)
}

/// 10^x
pub(super) fn exp10(x: f64) -> f64 {
    let shifted = x.mul_add(bits(0x400a_934f_0979_a371), INTEGER);
    let n = shifted.to_bits() as u32 as i32;
    let whole = shifted - INTEGER;
    let rest =
        whole.mul_add(bits(0x3c49_dc1d_a994_fd21), whole.mul_add(bits(0xbfd3_4413_509f_79ff), x));
    let rest = rest.mul_add(bits(0x4002_6bb1_bbb5_5516), rest * bits(0xbcaf_48ad_494e_a3e9));
    finish(x, rest, n, 0x4073_3a71, 0x4074_39b8)
}

/// The series times a power of two, inside the limits of its exponent, given as high words.
fn finish(x: f64, rest: f64, n: i32, normal: u32, last: u32) -> f64 {
    let mantissa = polynomial(rest, SERIES);
    let size = magnitude(x);
    if size < f32::from_bits(normal) {
        return scaled(mantissa, n);
    }
    if size < f32::from_bits(last) {
        return in_two_steps(mantissa, n);
    }
    if x.is_nan() {
        NAN
    } else if x.is_sign_negative() {
        0.0
    } else {
        f64::INFINITY
    }
}

/// tanh x
pub(super) fn tanh(x: f64) -> f64 {
    let size = x.abs();
    if size < bits(0x3fe4_f922_24dd_2f1a) {
        let square = x * x;
        let series = polynomial(
            square,
            [
                0xbef0_bc46_e2f5_e964,
                0x3f14_359f_420a_fc3d,
                0xbf2d_f9f0_728c_5d84,
                0x3f43_37d1_cec4_f033,
                0xbf57_d6e9_6743_35b3,
                0x3f6d_6d00_0d7a_ad3d,
                0xbf82_26e1_f3cf_1ef5,
                0x3f96_64f4_7ec0_c8cf,
                0xbfab_a1ba_1b80_ab40,
                0x3fc1_1111_1110_fa4a,
                0xbfd5_5555_5555_5550,
                0,
            ],
        );
        return series.mul_add(x, x);
    }
    if x.is_nan() {
        return NAN;
    }
    if high_word(size) > 0x4033_0fc1 {
        return 1f64.copysign(x);
    }
    let doubled = size + size;
    let whole = (doubled as f32 * f32::from_bits(0x3fb8_aa3b)).round_ties_even();
    let rest = (-f64::from(whole)).mul_add(bits(0x3fe6_2e42_fefa_39ef), doubled);
    let series = polynomial(rest, LESS_ONE);
    let less_one = (rest * series).mul_add(rest, rest);
    // The power is one of two: exact.
    let power = f64::from(hardware::ex2(whole));
    let minus_less_one = (-less_one).mul_add(power, 1.0 - power);
    let inverse = reciprocal(2.0 - minus_less_one);
    2f64.mul_add(-inverse, 1.0).copysign(x)
}
