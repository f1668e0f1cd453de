//! Sine, cosine and tangent.

use super::{NAN, bits, polynomial, reciprocal};

/// The first 1152 bits of 2/π after the binary point, least significant limb first.
const TWO_OVER_PI: [u64; 18] = [
    0x6bfb_5fb1_1f8d_5d08,
    0x3d07_39f7_8a52_92ea,
    0x7527_bac7_ebe5_f17b,
    0x4f46_3f66_9e5f_ea2d,
    0x6d36_7ecf_27cb_09b7,
    0xef2f_118b_5a0a_6d1f,
    0x1ff8_97ff_de05_980f,
    0x9c84_5f8b_bdf9_283b,
    0x3991_d639_8353_39f4,
    0xe99c_7026_b45f_7e41,
    0xe882_35f5_2ebb_4484,
    0xfe1d_eb1c_b129_a73e,
    0x0649_2eea_09d1_921c,
    0xb724_6e3a_424d_d2e0,
    0xfe51_63ab_debb_c561,
    0xdb62_9599_3c43_9041,
    0xfc27_57d1_f534_ddc0,
    0xa2f9_836e_4e44_1529,
];

/// From here on (2^31) the three-part π/2 no longer reduces exactly enough.
const LARGE: u64 = 0x41e0_0000_0000_0000;

/// A large finite angle by the method of Payne and Hanek: quarter turns modulo 2^31, and what is
/// left.
fn reduce_large(x: f64) -> (i32, f64) {
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as u32 - 1024;
    let mantissa = (x.to_bits() << 11) | 1 << 63;
    // Four limbs of 2/π decide; those above count whole turns, those below are too small.
    let first = 15 - (exponent / 64) as usize;
    let mut product = [0u64; 5];
    let mut carry = 0u128;
    let mut count = 0;
    for &limb in TWO_OVER_PI.iter().skip(first).take(4) {
        let sum = u128::from(limb) * u128::from(mantissa) + carry;
        product[count] = sum as u64;
        carry = sum >> 64;
        count += 1;
    }
    product[count] = carry as u64;
    let shift = exponent % 64;
    let window = |high: u64, low: u64| {
        if shift == 0 { high } else { high << shift | low >> (64 - shift) }
    };
    let (high, low) = (window(product[3], product[2]), window(product[2], product[1]));
    let above = (high >> 61) & 1;
    let mut quarters = ((high >> 62) + above) as i32;
    if x.is_sign_negative() {
        quarters = -quarters;
    }
    let mut fraction = u128::from(high) << 64 | u128::from(low);
    fraction <<= 2;
    let mut negative = x.is_sign_negative();
    if above != 0 {
        fraction = fraction.wrapping_neg();
        negative = !negative;
    }
    let zeros = ((fraction >> 64) as u64).leading_zeros();
    let normal = if zeros >= 64 { 0 } else { ((fraction << zeros) >> 64) as u64 };
    // π/4 in 64 bits.
    let product = u128::from(normal) * 0xc90f_daa2_2168_c235;
    let high = (product >> 64) as i64;
    let (significand, zeros) = if high > 0 {
        (((product << 1) >> 64) as u64, u64::from(zeros) + 1)
    } else {
        (high as u64, u64::from(zeros))
    };
    let rounded = (((significand.wrapping_add(1)) >> 10) + 1) >> 1;
    let result = 0x3fe0_0000_0000_0000u64.wrapping_sub(zeros << 52).wrapping_add(rounded);
    (quarters, f64::from_bits(result | u64::from(negative) << 63))
}

/// An angle as quarter turns and what is left.
fn reduce(x: f64) -> (i32, f64) {
    if x.is_infinite() || x.is_nan() {
        return (0, NAN);
    }
    if x.abs() >= bits(LARGE) {
        return reduce_large(x);
    }
    let quarters = (x * bits(0x3fe4_5f30_6dc9_c883)).round_ties_even() as i32;
    let n = -f64::from(quarters);
    let rest = n.mul_add(bits(0x3ff9_21fb_5444_2d18), x);
    let rest = n.mul_add(bits(0x3c91_a626_3314_5c00), rest);
    (quarters, n.mul_add(bits(0x397b_839a_2520_49c0), rest))
}

/// sin of `quarters` quarter turns plus `rest`.
fn sine_of(quarters: i32, rest: f64) -> f64 {
    let square = rest * rest;
    let result = if quarters & 1 == 0 {
        polynomial(
            square,
            [
                0x3de5_db65_f978_5eba,
                0xbe5a_e5f1_2cb0_d246,
                0x3ec7_1de3_69ac_e392,
                0xbf2a_01a0_19db_62a1,
                0x3f81_1111_1111_0818,
                0xbfc5_5555_5555_5554,
                0,
            ],
        )
        .mul_add(rest, rest)
    } else {
        polynomial(
            square,
            [
                0xbda8_ff83_20fd_8164,
                0x3e21_eea7_c1ef_8528,
                0xbe92_7e4f_8e06_e6d9,
                0x3efa_01a0_19dd_bce9,
                0xbf56_c16c_16c1_5d47,
                0x3fa5_5555_5555_5551,
                0xbfe0_0000_0000_0000,
                0x3ff0_0000_0000_0000,
            ],
        )
    };
    if quarters & 2 == 0 { result } else { result.mul_add(-1.0, 0.0) }
}

/// sin x
pub(super) fn sin(x: f64) -> f64 {
    let (quarters, rest) = reduce(x);
    sine_of(quarters, rest)
}

/// cos x
pub(super) fn cos(x: f64) -> f64 {
    let (quarters, rest) = reduce(x);
    sine_of(quarters.wrapping_add(1), rest)
}

/// tan x
pub(super) fn tan(x: f64) -> f64 {
    let (quarters, rest) = reduce(x);
    let square = rest * rest;
    let series = polynomial(
        square,
        [
            0x3ee4_8dac_2799_bcb9,
            0xbef9_757c_5b27_ebb1,
            0x3f09_80e9_0fd9_1e04,
            0xbefa_e2b0_417d_7e1d,
            0x3f11_9f53_41bf_ba57,
            0x3f15_e791_a00f_6919,
            0x3f2f_f2e7_fade_c73a,
            0x3f43_4bc1_b206_da62,
            0x3f57_db18_ef2f_83f9,
            0x3f6d_6d2e_7ae4_9fbc,
            0x3f82_26e3_a816_a776,
            0x3f96_64f4_85d2_5660,
            0x3fab_a1ba_1bab_f31d,
            0x3fc1_1111_1111_05d2,
            0x3fd5_5555_5555_555e,
        ],
    );
    let cubic = square * series;
    let tangent = cubic.mul_add(rest, rest);
    if quarters & 1 == 0 {
        return tangent;
    }
    // −1/tan, the tangent's own error carried through.
    let error = cubic.mul_add(rest, -(tangent - rest));
    let inverse = -reciprocal(tangent);
    let miss = tangent.mul_add(inverse, 1.0);
    inverse.mul_add(error, miss).mul_add(inverse, inverse)
}

/// πx as half turns and what is left, times π.
fn reduce_pi(x: f64) -> (i32, f64) {
    let doubled = super::scaled(x, 1).round_ties_even();
    let rest = (-doubled).mul_add(0.5, x);
    let rest = rest.mul_add(bits(0x4009_21fb_5444_2d18), rest * bits(0x3ca1_a626_3314_5c07));
    (doubled as i64 as i32, rest)
}

/// sin πx
pub(super) fn sinpi(x: f64) -> f64 {
    if x.is_infinite() || x.is_nan() {
        return NAN;
    }
    if x.trunc() == x {
        return x * 0.0;
    }
    let (quarters, rest) = reduce_pi(x);
    sine_of(quarters, rest)
}

/// cos πx
pub(super) fn cospi(x: f64) -> f64 {
    let x = if super::high_word(x) << 1 < 0x8680_0001 { x } else { x * 0.0 };
    if x.is_nan() {
        return NAN;
    }
    let (quarters, rest) = reduce_pi(x);
    sine_of(quarters.wrapping_add(1), rest)
}
