//! Inverse trigonometric functions.

use super::{NAN, bits, high_word, polynomial, reciprocal, with_high_word};
use crate::math::hardware;

const ARC: [u64; 13] = [
    0x3fb0_066b_dc18_95e9,
    0xbfb3_823b_1807_54af,
    0x3fb1_1e52_cc2f_79ae,
    0xbf92_4eaf_3526_861b,
    0x3f91_df02_a31e_6cb7,
    0x3f84_7d18_b0ee_c6cc,
    0x3f8d_0af9_61ba_53b0,
    0x3f91_bf77_34cf_1c48,
    0x3f96_e914_8314_4ef7,
    0x3f9f_1c6e_0a4f_9f81,
    0x3fa6_db6d_c27f_a92b,
    0x3fb3_3333_3320_f91b,
    0x3fc5_5555_5555_5f4d,
];

const HALF_PI: u64 = 0x3ff9_21fb_5444_2d18;
const QUARTER_PI: u64 = 0x3fe9_21fb_5444_2d18;
const HALF_PI_LOW: u64 = 0x3c91_a626_3314_5c07;

/// √x from the unit's approximation of 1/√x, one correction of each and one of the root.
pub(super) fn refined_root(x: f64) -> f64 {
    let inverse = f64::from_bits(u64::from(hardware::rsq64h(high_word(x))) << 32);
    let half = with_high_word(inverse, high_word(inverse).wrapping_sub(0x0010_0000));
    let root = x * inverse;
    let root = root.mul_add(-root, x).mul_add(half, root);
    let half = inverse.mul_add(-root, 1.0).mul_add(half, half);
    root.mul_add(-root, x).mul_add(half, root)
}

/// arcsin x
pub(super) fn asin(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 1.0 {
        return NAN;
    }
    if f32::from_bits(high_word(x)).abs() < f32::from_bits(0x3fe2_6666) {
        let square = x * x;
        return (square * polynomial(square, ARC)).mul_add(x, x);
    }
    let half = (-0.5f64).mul_add(x.abs(), 0.5);
    let root = if half == 0.0 { half } else { refined_root(half) };
    let series = half * polynomial(half, ARC);
    let doubled = root * -2.0;
    let low = doubled.mul_add(series, bits(HALF_PI_LOW));
    let sum = (doubled + bits(QUARTER_PI)) + low;
    (sum + bits(QUARTER_PI)).copysign(x)
}

/// arccos x
pub(super) fn acos(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() || a > 1.0 {
        return NAN;
    }
    let negative = x.is_sign_negative();
    if (high_word(a) as i32) < 0x3fe2_6666 {
        let square = a * a;
        let arc = (square * polynomial(square, ARC)).mul_add(a, a);
        return if negative {
            bits(HALF_PI) + (arc + bits(HALF_PI_LOW))
        } else {
            bits(HALF_PI) - (arc - bits(HALF_PI_LOW))
        };
    }
    let rest = 1.0 - a;
    let arc = if (high_word(rest) as i32) < 1 {
        a * 0.0
    } else {
        let root = refined_root(with_high_word(rest, high_word(rest) - 0x0010_0000));
        let doubled = with_high_word(root, high_word(root).wrapping_add(0x0010_0000));
        let series = polynomial(
            rest,
            [
                0x3ec7_15b3_7115_5f70,
                0xbeba_c2fe_66fa_ac4b,
                0x3ed9_a9b8_8efc_d9b8,
                0x3edd_0f40_a8a0_c4c3,
                0x3ef4_6d4c_fa9e_0e1f,
                0x3f07_9c16_8d1e_2422,
                0x3f1c_9a88_c3bc_a540,
                0x3f31_c4e6_4bd4_76df,
                0x3f46_e8ba_6000_9c8f,
                0x3f5f_1c71_c62b_05a2,
                0x3f76_db6d_b6dc_9f2c,
                0x3f93_3333_3333_329c,
                0x3fb5_5555_5555_5555,
            ],
        );
        (rest * series).mul_add(doubled, doubled)
    };
    if negative { bits(0x4009_21fb_5444_2d18) - (arc + bits(0xbca1_a626_3314_5c07)) } else { arc }
}

fn arc_tangent(a: f64) -> f64 {
    let square = a * a;
    let series = polynomial(
        square,
        [
            0xbef5_3e1d_2a25_ff7e,
            0x3f2d_3b63_dbb6_5b49,
            0xbf53_1278_8dde_082e,
            0x3f6f_9690_c824_9315,
            0xbf82_cf5a_abc7_cf0d,
            0x3f91_62b0_b2a3_bfde,
            0xbf9a_7256_feb6_fc6b,
            0x3fa1_7156_0ce4_a489,
            0xbfa4_f44d_8414_50e4,
            0x3fa7_ee3d_3f36_bb95,
            0xbfaa_d32a_e04a_9fd1,
            0x3fae_1781_3d66_954f,
            0xbfb1_1089_ca9a_5bcd,
            0x3fb3_b12b_2db5_1738,
            0xbfb7_45d0_22f8_dc5c,
            0x3fbc_71c7_09df_e927,
            0xbfc2_4924_91fa_1744,
            0x3fc9_9999_9998_40d2,
            0xbfd5_5555_5555_544c,
        ],
    );
    (square * series).mul_add(a, a)
}

/// arctan x
pub(super) fn atan(x: f64) -> f64 {
    let a = x.abs();
    if a.is_nan() {
        return NAN;
    }
    let outer = a > 1.0;
    let b = if a.is_infinite() {
        0.0
    } else if outer {
        reciprocal(a)
    } else {
        a
    };
    let arc = arc_tangent(b);
    (if outer { bits(HALF_PI) - arc } else { arc }).copysign(x)
}

/// The angle of the point (x, y).
pub(super) fn atan2(y: f64, x: f64) -> f64 {
    let (width, height) = (x.abs(), y.abs());
    if width.is_nan() || height.is_nan() {
        return NAN;
    }
    let left = x.is_sign_negative();
    let steep = height > width;
    let (large, small) = if steep { (height, width) } else { (width, height) };
    let angle = if large == 0.0 {
        if left { bits(0x4009_21fb_5444_2d18) } else { 0.0 }
    } else if width == height {
        bits(if left { 0x4002_d97c_7f33_21d2 } else { QUARTER_PI })
    } else {
        let arc = arc_tangent(small / large);
        match (steep, left) {
            (true, true) => arc + bits(HALF_PI),
            (true, false) => -arc + bits(HALF_PI),
            (false, true) => bits(0x4009_21fb_5444_2d18) - arc,
            (false, false) => arc,
        }
    };
    angle.copysign(y)
}
