//! Powers and the reciprocal root.

use super::{NAN, bits, high_word, polynomial, reciprocal, with_high_word};
use crate::math::hardware;

/// 1/√x
pub(super) fn rsqrt(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return NAN;
    }
    if x == 0.0 {
        return f64::INFINITY.copysign(x);
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    if x < f64::MIN_POSITIVE {
        return refined_rsqrt(x * 18_014_398_509_481_984.0) * 134_217_728.0;
    }
    refined_rsqrt(x)
}

fn refined_rsqrt(x: f64) -> f64 {
    let start = f64::from_bits(u64::from(hardware::rsq64h(high_word(x))) << 32);
    let error = x.mul_add(-(start * start), 1.0);
    error.mul_add(0.375, 0.5).mul_add(start * error, start)
}

/// a + b as a number and its error, where |a| ≥ |b|.
fn sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, (a - sum) + b)
}

/// a · b as a number and its error.
fn product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// |a|^b with the logarithm in two numbers; what zeros, infinities and NaN give is corrected after.
fn magnitude_power(a: f64, b: f64) -> f64 {
    // As in the logarithm, but subnormal numbers by their own bias, and nothing is refused.
    let mut high = high_word(a);
    let mut exponent = (high >> 20) as i32;
    let mut x = a;
    if exponent == 0 {
        x = a * bits(0x4350_0000_0000_0000);
        high = high_word(x);
        exponent = (high >> 20) as i32 - 54;
    }
    let mut unbiased = exponent - 1023;
    let mut mantissa = with_high_word(x, (high & 0x800f_ffff) | 0x3ff0_0000);
    if high_word(mantissa) >= 0x3ff6_a09f {
        mantissa = with_high_word(mantissa, high_word(mantissa) - 0x0010_0000);
        unbiased += 1;
    }
    // q + q_low ≈ 2(m − 1)/(m + 1).
    let inverse = reciprocal(mantissa + 1.0);
    let less = mantissa - 1.0;
    let q = less * inverse;
    let q = less.mul_add(inverse, q);
    let square = q * q;
    let series = polynomial(
        square,
        [
            0x3eb0_f5ff_7d2c_afe2,
            0x3ed0_f5d2_41ad_3b5a,
            0x3ef3_b20a_7548_8a3f,
            0x3f17_45cd_e4fa_ecd5,
            0x3f3c_71c7_258a_578b,
            0x3f62_4924_9242_b910,
            0x3f89_9999_9999_9dfb,
        ],
    );
    let miss = less - q;
    let q_low = inverse * (-q).mul_add(less, miss + miss);
    // The leading coefficient 1/12 in two numbers.
    let twelfth = bits(0x3fb5_5555_5555_5555);
    let lead = square.mul_add(series, twelfth);
    let lead_low = square.mul_add(series, twelfth - lead);
    let lead_low = (lead_low + 0.0) + bits(0xbc46_a4cb_00b9_e7b0);
    let lead_sum = lead + lead_low;
    let lead_low = lead_low + (lead - lead_sum);
    // q³ in two numbers.
    let (q2, q2_low) = product(q, q);
    let doubled = with_high_word(q_low, high_word(q_low).wrapping_add(0x0010_0000));
    let q2_low = q.mul_add(doubled, q2_low);
    let (q3, q3_low) = product(q2, q);
    let q3_low = q2_low.mul_add(q, q2.mul_add(q_low, q3_low));
    let (term, term_low) = product(lead_sum, q3);
    let term_low = lead_low.mul_add(q3, lead_sum.mul_add(q3_low, term_low));
    let (term, term_low) = {
        let total = term + term_low;
        (total, term_low + (term - total))
    };
    let total = q + term;
    let low = q_low + (term_low + (term + (q - total)));
    let (high, low) = {
        let sum = total + low;
        (sum, low + (total - sum))
    };
    let n = f64::from(unbiased);
    let ln_2 = bits(0x3fe6_2e42_fefa_39ef);
    let log = n.mul_add(ln_2, high);
    let lost = (-n).mul_add(ln_2, log) - high;
    let log_low = n.mul_add(bits(0x3c7a_bc9e_3b39_803f), low - lost);
    let (log, log_low) = {
        let sum = log + log_low;
        (sum, log_low + (log - sum))
    };
    // A huge exponent is brought down, lest its product with the logarithm be NaN.
    let mut b = b;
    if high_word(b) << 1 > 0xfdff_ffff {
        b = with_high_word(b, high_word(b) & 0xff0f_ffff);
    }
    let (exponent, exponent_low) = product(log, b);
    let exponent_low = log_low.mul_add(b, exponent_low);
    let (exponent, exponent_low) = sum(exponent, exponent_low);
    let result = super::exponential::exp(exponent);
    if result.is_infinite() { result } else { result.mul_add(exponent_low, result) }
}

/// a^b
pub(super) fn pow(a: f64, b: f64) -> f64 {
    if a == 1.0 || b == 0.0 {
        return 1.0;
    }
    if a.is_nan() || b.is_nan() {
        return NAN;
    }
    let whole = b.trunc() == b;
    // Beyond 2^53 every number is even.
    let odd = whole && b.abs() < 9_007_199_254_740_992.0 && (b as i64) & 1 != 0;
    let sign = if a.is_sign_negative() && odd { -1.0 } else { 1.0 };
    if b.is_infinite() {
        let size = a.abs();
        return if size == 1.0 {
            1.0
        } else if (size > 1.0) == (b > 0.0) {
            f64::INFINITY
        } else {
            0.0
        };
    }
    if a == 0.0 || a.is_infinite() {
        let vanishes = (a == 0.0) == (b > 0.0);
        return if vanishes { 0f64 } else { f64::INFINITY }.copysign(sign);
    }
    if a < 0.0 && !whole {
        return NAN;
    }
    magnitude_power(a.abs(), b).abs() * sign
}

/// A magnitude with its exponent near zero, the third of it that was taken off, and what a subnormal
/// one was raised by, in thirds.
fn thirds(x: f64) -> (f64, i32, i32) {
    let (mut a, mut raised) = (x.abs(), 0);
    if high_word(a) >> 20 == 0 {
        a *= bits(0x4350_0000_0000_0000);
        raised = 18;
    }
    let exponent = (high_word(a) >> 20) as i32 - 1022;
    let third = (exponent as f32 * f32::from_bits(0x3eaa_aaab)).round_ties_even() as i32;
    let high = (third as u32).wrapping_mul(0xffd0_0000).wrapping_add(high_word(a));
    (with_high_word(a, high), third, raised)
}

/// ∛x
pub(super) fn cbrt(x: f64) -> f64 {
    let doubled = x + x;
    if doubled == x {
        return doubled;
    }
    if x.is_nan() {
        return NAN;
    }
    let (a, third, raised) = thirds(x);
    let start = hardware::ex2(hardware::lg2(a as f32) * f32::from_bits(0x3eaa_aaab));
    let start = f64::from(start);
    let square = start * start;
    // Halley's step.
    let divisor = super::scaled(square, 1).mul_add(start, a);
    let rest = square.mul_add(-start, a);
    let root = start.mul_add(reciprocal(divisor) * rest, start);
    super::scaled(root, third - raised).copysign(x)
}

/// 1/∛x
pub(super) fn rcbrt(x: f64) -> f64 {
    let doubled = x + x;
    if x.is_nan() {
        return NAN;
    }
    if doubled == x {
        return if x == 0.0 { f64::INFINITY } else { 0.0 }.copysign(x);
    }
    let (a, third, raised) = thirds(x);
    let start = hardware::ex2(hardware::lg2(a as f32) * f32::from_bits(0xbeaa_aaab));
    let y = f64::from(start);
    let square = y * y;
    let product = a * y;
    let error = square.mul_add(-product, 1.0);
    let error = square.mul_add(-a.mul_add(y, -product), error);
    let error = product.mul_add(-y.mul_add(y, -square), error);
    let factor = error.mul_add(bits(0x3fcc_71c7_1c71_c71c), bits(0x3fd5_5555_5555_5555));
    let root = factor.mul_add(error * y, y);
    super::scaled(root, raised - third).copysign(x)
}

/// √(a² + b²)
pub(super) fn hypot(a: f64, b: f64) -> f64 {
    let (a, b) = (a.abs().to_bits(), b.abs().to_bits());
    let (small, large) = (f64::from_bits(a.min(b)), f64::from_bits(a.max(b)));
    if small.is_infinite() || large.is_infinite() {
        return f64::INFINITY;
    }
    if large.is_nan() {
        return NAN;
    }
    if small == 0.0 {
        return large;
    }
    let exponent = high_word(large) & 0xffc0_0000;
    let down = bits(u64::from(0x7fd0_0000u32.wrapping_sub(exponent)) << 32);
    let (x, y) = (down * small, down * large);
    let sum = y.mul_add(y, x * x);
    let start = f64::from_bits(u64::from(hardware::rsq64h(high_word(sum))) << 32);
    let error = sum.mul_add(-(start * start), 1.0);
    let inverse = error.mul_add(0.375, 0.5).mul_add(error * start, start);
    (sum * inverse) * bits(u64::from(exponent | 0x0010_0000) << 32)
}

/// a · 2^b
pub(super) fn ldexp(a: f64, b: i32) -> f64 {
    let b = b.clamp(-2099, 2099);
    // Beyond ±216 the power is split in four, which rounds a subnormal result more than once.
    let power = |n: i32| bits((n as u64) << 52);
    if b.abs() < 217 {
        return a * power(b + 1023);
    }
    let quarter = (b + 4092) >> 2;
    let rest = b + 4092 - 3 * quarter;
    a * power(rest) * power(quarter) * power(quarter) * power(quarter)
}
