//! Hyperbolic functions, their inverses, and what they need near zero.

use super::inverse::refined_root;
use super::logarithm::log;
use super::{NAN, bits, high_word, polynomial, reciprocal, scaled};
use crate::math::hardware;

const INTEGER: f64 = 6_755_399_441_055_744.0;
const LN_2: u64 = 0x3fe6_2e42_fefa_39ef;

/// x = n·ln 2 + rest.
fn split(x: f64) -> (i32, f64) {
    let shifted = x.mul_add(bits(0x3ff7_1547_652b_82fe), INTEGER);
    let whole = shifted - INTEGER;
    let rest = whole.mul_add(bits(0xbfe6_2e42_fefa_39ef), x);
    (shifted.to_bits() as u32 as i32, whole.mul_add(bits(0xbc7a_bc9e_3b39_803f), rest))
}

/// (e^rest − 1)·2^n + (2^n − one): e^x − `one`, twice, where n is too large for a power.
fn less_one(rest: f64, n: i32, one: f64) -> f64 {
    let series = polynomial(
        rest,
        [
            0x3e21_f407_6acd_15b6,
            0x3e5a_f86d_8ebd_13cd,
            0x3e92_7e50_92ba_033d,
            0x3ec7_1dde_6c5f_9da1,
            0x3efa_01a0_18d0_34e6,
            0x3f2a_01a0_1b3b_6940,
            0x3f56_c16c_16c1_b5dd,
            0x3f81_1111_1110_f74d,
            0x3fa5_5555_5555_554d,
            0x3fc5_5555_5555_5557,
            0x3fe0_0000_0000_0000,
        ],
    );
    let series = (rest * series).mul_add(rest, rest);
    let last = n == 1024;
    let exponent = (n - i32::from(last)) as u32;
    let power = bits(u64::from((exponent << 20).wrapping_add(0x3ff0_0000)) << 32);
    let result = series.mul_add(power, power - one);
    if last { result + result } else { result }
}

/// e^x − 1
pub(super) fn expm1(x: f64) -> f64 {
    let high = f32::from_bits(high_word(x));
    if high < f32::from_bits(0x4086_2e43) && high > f32::from_bits(0xc04a_8000) {
        let doubled = high_word(x) << 1;
        if doubled == 0 {
            return x;
        }
        // Near zero as it is.
        let (n, rest) = if doubled < 0x7fb3_e647 { (0, x) } else { split(x) };
        return less_one(rest, n, 1.0);
    }
    if x.is_nan() {
        NAN
    } else if x.is_sign_negative() {
        -1.0
    } else {
        f64::INFINITY
    }
}

/// sinh x
pub(super) fn sinh(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() {
        return NAN;
    }
    if high_word(a) < 0x3ff0_0000 {
        let square = a * a;
        let series = polynomial(
            square,
            [
                0x3d6b_4c75_ab27_4c53,
                0x3de6_11a5_61d8_7def,
                0x3e5a_e646_71b1_8f5c,
                0x3ec7_1de3_a465_b1e4,
                0x3f2a_01a0_1a02_899d,
                0x3f81_1111_1111_10a6,
                0x3fc5_5555_5555_5556,
            ],
        );
        return (square * series).mul_add(a, a).copysign(x);
    }
    if a >= bits(0x4086_33ce_8fb9_f87e) {
        return f64::INFINITY.copysign(x);
    }
    let (n, rest) = split(a);
    // Half of e^a, less a half.
    let half = less_one(rest, n - 1, 0.5);
    let quotient = half / 2f64.mul_add(half, 1.0);
    (half + quotient).copysign(x)
}

/// cosh x
pub(super) fn cosh(x: f64) -> f64 {
    let a = x.abs();
    if high_word(a) >= 0x4086_33cf {
        return if x.is_nan() { NAN } else { f64::INFINITY };
    }
    let (n, rest) = split(a);
    let quarter = scaled(super::exponential::series(rest), n - 2);
    let sum = reciprocal(quarter).mul_add(0.0625, quarter);
    sum + sum
}

/// ln(1 + x)
pub(super) fn log1p(x: f64) -> f64 {
    let high = f32::from_bits(high_word(x));
    if high < f32::from_bits(0x3fe5_5555) && high > f32::from_bits(0xbfd9_9999) {
        let quotient = x / (x + 2.0);
        let product = quotient * x;
        let q = x - product;
        let square = q * q;
        let series = polynomial(
            square,
            [
                0x3eb3_72fb_2fbe_14b5,
                0x3ed0_87ff_ceb2_dc44,
                0x3ef3_b9ff_890f_468c,
                0x3f17_457e_fd51_baf8,
                0x3f3c_71c8_de3c_e825,
                0x3f62_4924_8fa4_661f,
                0x3f89_9999_999d_70c4,
                0x3fb5_5555_5555_5462,
            ],
        );
        return (square * series).mul_add(q, -product) + x;
    }
    log(x + 1.0)
}

/// arsinh x
pub(super) fn asinh(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() {
        return NAN;
    }
    if high_word(a) > 0x43df_ffff {
        return (log1p(a) + bits(LN_2)).copysign(x);
    }
    let square = x.mul_add(x, 1.0);
    let inverse = f64::from_bits(u64::from(hardware::rsq64h(high_word(square))) << 32);
    let error = square.mul_add(-(inverse * inverse), 1.0);
    let inverse = error.mul_add(0.375, 0.5).mul_add(error * inverse, inverse);
    let divisor = square.mul_add(inverse, 1.0);
    let argument = a.mul_add(a * reciprocal(divisor), a);
    log1p(argument).copysign(x)
}

/// arcosh x
pub(super) fn acosh(x: f64) -> f64 {
    if x.is_nan() || x < 1.0 {
        return NAN;
    }
    let less = x - 1.0;
    if high_word(less) > 0x432f_ffff {
        return log1p(less + bits(0xbff0_0000_0000_0001)) + bits(LN_2);
    }
    let root = if high_word(less) == 0 { 0.0 } else { refined_root(x.mul_add(x, -1.0)) };
    log1p(less + root)
}

/// artanh x
pub(super) fn atanh(x: f64) -> f64 {
    let a = x.abs();
    if a.is_nan() || a > 1.0 {
        return NAN;
    }
    (log1p((a + a) / (1.0 - a)) * 0.5).copysign(x)
}
