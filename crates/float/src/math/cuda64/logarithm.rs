//! Logarithms.

use super::{NAN, bits, high_word, polynomial, reciprocal, with_high_word};

/// A positive number as mantissa in [√½, √2) and exponent; `None` of any other.
pub(super) fn split(x: f64) -> Option<(f64, i32)> {
    let (mut x, mut bias) = (x, -1023);
    if (high_word(x) as i32) <= 0x000f_ffff {
        x *= bits(0x4350_0000_0000_0000);
        bias = -1077;
    }
    let high = high_word(x);
    if high.wrapping_sub(1) >= 0x7fef_ffff {
        return None;
    }
    let mut exponent = bias + (high >> 20) as i32;
    let mut mantissa = with_high_word(x, (high & 0x800f_ffff) | 0x3ff0_0000);
    if (high_word(mantissa) as i32) >= 0x3ff6_a09f {
        mantissa = with_high_word(mantissa, high_word(mantissa) - 0x0010_0000);
        exponent += 1;
    }
    Some((mantissa, exponent))
}

/// ln x
pub(super) fn log(x: f64) -> f64 {
    let Some((mantissa, exponent)) = split(x) else {
        return if x == 0.0 {
            f64::NEG_INFINITY
        } else if x == f64::INFINITY {
            x
        } else {
            NAN
        };
    };
    // q ≈ 2(m − 1)/(m + 1), and what it misses.
    let inverse = reciprocal(mantissa + 1.0);
    let less = mantissa - 1.0;
    let q = less * inverse;
    let q = less.mul_add(inverse, q);
    let square = q * q;
    let series = polynomial(
        square,
        [
            0x3eb1_380b_3ae8_0f1e,
            0x3ed0_ee25_8b7a_8b04,
            0x3ef3_b266_9f02_676f,
            0x3f17_45cb_a9ab_0956,
            0x3f3c_71c7_2d1b_5154,
            0x3f62_4924_923b_e72d,
            0x3f89_9999_9999_a3c4,
            0x3fb5_5555_5555_5554,
        ],
    );
    let miss = less - q;
    let miss = inverse * (-q).mul_add(less, miss + miss);
    let tail = (square * series).mul_add(q, miss);
    let exponent = f64::from(exponent);
    let ln_2 = bits(0x3fe6_2e42_fefa_39ef);
    let high = exponent.mul_add(ln_2, q);
    let lost = (-exponent).mul_add(ln_2, high) - q;
    high + exponent.mul_add(bits(0x3c7a_bc9e_3b39_803f), tail - lost)
}

/// log₂ x
pub(super) fn log2(x: f64) -> f64 {
    let log = log(x);
    log.mul_add(bits(0x3ff7_1547_652b_82fe), log * bits(0x3c77_77d0_ffda_0d24))
}

/// log₁₀ x
pub(super) fn log10(x: f64) -> f64 {
    let log = log(x);
    log.mul_add(bits(0x3fdb_cb7b_1526_e50e), log * bits(0x3c69_5355_baaa_fad3))
}
