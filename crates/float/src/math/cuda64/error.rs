//! The error function and the normal distribution.

use super::{LESS_ONE, NAN, bits, high_word, polynomial, reciprocal};
use crate::math::hardware;

/// erf x = 1 − e^(−p(|x|)), the exponent in two numbers.
pub(super) fn erf(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() {
        return NAN;
    }
    if a >= bits(0x4017_afb4_8dc9_6626) {
        return 1f64.copysign(x);
    }
    let series = polynomial(
        a,
        [
            0xbcf0_679a_fba6_f279,
            0x3d47_088f_db46_fa5f,
            0xbd8d_f9f9_b976_a9b2,
            0x3dc7_f1f5_590c_c332,
            0xbdfa_28a3_cd2d_56c4,
            0x3e24_85ee_6783_5925,
            0xbe47_6db4_5919_f583,
            0x3e62_d698_d98c_8d71,
            0xbe72_0a2c_7155_d5c6,
            0xbe41_d29b_37ca_1397,
            0x3ea2_ef6c_c0f6_7a49,
            0xbec1_02b8_9233_3b6f,
            0x3eca_3037_5ba9_a84e,
            0x3eca_ad18_dede_a43e,
            0xbeff_0535_5bc5_b225,
            0x3f10_e37a_3108_bc8b,
            0x3efb_292d_828e_5cb2,
            0xbf43_5662_6ebf_9bfa,
            0x3f5b_ca68_f73d_6afc,
            0xbf2b_6b69_ebbc_280b,
            0xbf93_9668_5912_a453,
            0x3fba_4f4e_2a1a_bef8,
            0x3fe4_5f30_6dc9_c8bb,
            0x3fc0_6eba_8214_db69,
        ],
    );
    let exponent = series.mul_add(a, a);
    let low = series.mul_add(a, a - exponent);
    let whole = (exponent as f32 * f32::from_bits(0xbfb8_aa3b)).round_ties_even();
    let rest = (-f64::from(whole)).mul_add(bits(0x3fe6_2e42_fefa_39ef), -exponent);
    let series = polynomial(rest, LESS_ONE);
    let less_one = rest + (rest * series).mul_add(rest, -low);
    let power = f64::from(hardware::ex2(whole));
    (-less_one).mul_add(power, 1.0 - power).copysign(x)
}

/// erfc of a magnitude.
fn complement(a: f64) -> f64 {
    if high_word(a) > 0x403b_4000 {
        return 0.0;
    }
    let inverse = reciprocal(a + 4.0);
    let q = (a - 4.0) * inverse;
    let rest = (-q).mul_add(a, (-4f64).mul_add(q + 1.0, a));
    let q = inverse.mul_add(rest, q);
    let series = polynomial(
        q,
        [
            0xbdf8_774a_d4e0_bfd7,
            0xbe44_e1c6_fd03_d328,
            0xbe43_3014_9f7a_56b6,
            0x3e7b_edde_d837_6273,
            0x3e6f_9254_c3ab_f22b,
            0xbeab_9068_c214_8cf0,
            0x3e94_c645_4db3_4009,
            0x3ed7_f1c3_78f2_311d,
            0xbee7_8e05_1c6d_5c58,
            0xbef9_95b4_ead1_4a90,
            0x3f23_be27_cf0a_29b2,
            0xbf2a_1def_3e81_672e,
            0xbf48_d4ab_e68c_1713,
            0x3f74_9c67_210d_d6b4,
            0xbf90_9623_8568_e357,
            0x3fa3_079e_df8c_2dc9,
            0xbfb0_fb06_dff6_01fc,
            0x3fb7_fee0_04df_bcdc,
            0xbfb9_ddb2_3c3d_b8c6,
            0x3fb1_6ece_fcfa_5fda,
            0x3f8f_7f5d_f66f_b6d6,
            0xbfc1_df1a_d154_a29d,
            0x3ff3_ba59_16e9_fd7f,
        ],
    );
    let inverse = reciprocal(2f64.mul_add(a, 1.0));
    let quotient = series * inverse;
    let rest = a.mul_add(quotient * -2.0, series) - quotient;
    let scaled = rest.mul_add(inverse, quotient);
    let square = a * a;
    let exponential = super::exponential::exp_in_two_steps(-square);
    let error = (-a).mul_add(a, square);
    scaled * exponential.mul_add(error, exponential)
}

fn reflected(x: f64, of_magnitude: f64) -> f64 {
    if x.is_sign_negative() { 2.0 - of_magnitude } else { of_magnitude }
}

/// 1 − erf(x)
pub(super) fn erfc(x: f64) -> f64 {
    if x.is_nan() {
        return NAN;
    }
    reflected(x, complement(x.abs()))
}

/// Distribution function of the standard normal.
pub(super) fn normcdf(x: f64) -> f64 {
    if x.is_nan() {
        return NAN;
    }
    let x = x.clamp(-38.5, 38.5);
    // −x/√2 in two parts.
    let minus_root_half = bits(0xbfe6_a09e_667f_3bcd);
    let high = x * minus_root_half;
    let low = x.mul_add(bits(0x3c8b_dd34_13b2_6456), x.mul_add(minus_root_half, -high));
    let argument = high + low;
    let mut result = reflected(argument, complement(argument.abs()));
    if x.is_sign_negative() && high_word(x) >= 0xbff0_0001 {
        let rest = (high - argument) + low;
        result = ((argument * -2.0) * result).mul_add(rest, result);
    }
    result * 0.5
}
