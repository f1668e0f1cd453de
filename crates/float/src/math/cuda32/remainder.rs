//! Remainders, and functions that move bits.

use crate::math::hardware;
use crate::math::number::Number;

/// An integer remainder of significands, exact as the instruction sequence is: the quotient's last
/// bit and the remainder.
fn magnitude_remainder(a: f32, b: f32) -> (bool, f32) {
    let (mut rest, divisor) = (significand(a), significand(b));
    let mut odd;
    if rest.0 == 0 {
        return (false, 0.0);
    }
    if rest.1 < divisor.1 {
        return (false, a);
    }
    loop {
        odd = rest.0 >= divisor.0;
        if odd {
            rest.0 -= divisor.0;
        }
        if rest.1 == divisor.1 {
            break;
        }
        rest.0 <<= 1;
        rest.1 -= 1;
    }
    (odd, (rest.0 as f64 * 2f64.powi(rest.1)) as f32)
}

/// The magnitude as an integer of at most 25 bits times a power of two.
fn significand(x: f32) -> (u64, i32) {
    let bits = x.to_bits() & 0x7fff_ffff;
    let (exponent, fraction) = ((bits >> 23) as i32, u64::from(bits & 0x007f_ffff));
    if exponent == 0 {
        // Shifted up to 24 bits, so that exponents compare as magnitudes do.
        if fraction == 0 {
            return (0, -149);
        }
        let up = fraction.leading_zeros() as i32 - 40;
        return (fraction << up, -149 - up);
    }
    (fraction | 0x0080_0000, exponent - 150)
}

/// Remainder of a/b with the quotient truncated: exact.
pub fn fmod<const F: bool>(a: f32, b: f32) -> f32 {
    let (sign, a, b) = (a, Number::<F>::new(a).abs().raw(), Number::<F>::new(b).abs().raw());
    if a.is_nan() || b.is_nan() || a.is_infinite() || b == 0.0 {
        return hardware::NAN;
    }
    if b.is_infinite() {
        return a.copysign(sign);
    }
    let rest = magnitude_remainder(a, b).1;
    (if F { hardware::flush(rest) } else { rest }).copysign(sign)
}

/// Remainder of a/b with the quotient rounded to nearest even: exact.
pub fn remainder<const F: bool>(a: f32, b: f32) -> f32 {
    let (sign, a, b) = (a, Number::<F>::new(a).abs().raw(), Number::<F>::new(b).abs().raw());
    if a.is_nan() || b.is_nan() || a.is_infinite() || b == 0.0 {
        return hardware::NAN;
    }
    if b.is_infinite() {
        return a.copysign(sign);
    }
    let (odd, rest) = magnitude_remainder(a, b);
    let doubled = 2.0 * f64::from(rest);
    let up = doubled > f64::from(b) || doubled == f64::from(b) && odd;
    let rest = if up { rest - b } else { rest };
    let rest = if F { hardware::flush(rest) } else { rest };
    if sign.is_sign_negative() { -rest } else { rest }
}

/// a − b if that is positive, else +0.
pub fn fdim<const F: bool>(a: f32, b: f32) -> f32 {
    let (a, b) = (Number::<F>::new(a), Number::<F>::new(b));
    if a.at_most(b) { 0.0 } else { (a - b).result() }
}

/// The magnitude of a, the sign of b.
pub fn copysign(a: f32, b: f32) -> f32 {
    a.copysign(b)
}

/// The float after a in the direction of b.
pub fn nextafter<const F: bool>(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        return hardware::NAN;
    }
    let (a, b) = if F { (hardware::flush(a), hardware::flush(b)) } else { (a, b) };
    if a == b {
        return if a == 0.0 { b } else { a };
    }
    if a == 0.0 {
        return (if F { f32::MIN_POSITIVE } else { f32::from_bits(1) }).copysign(b);
    }
    let next = if b > a { a.next_up() } else { a.next_down() };
    if F { hardware::flush(next) } else { next }
}

/// a · 2^b
pub fn ldexp<const F: bool>(a: f32, b: i32) -> f32 {
    let b = b.clamp(-278, 278);
    // Beyond ±100 the power is split in four, which rounds a subnormal result more than once.
    let power = |n: i32| Number::<F>::new(f32::from_bits((n as u32) << 23));
    let a = Number::<F>::new(a);
    if b.abs() < 101 {
        return (a * power(b + 127)).result();
    }
    let quarter = (b + 508) >> 2;
    let rest = b + 508 - 3 * quarter;
    (a * power(rest) * power(quarter) * power(quarter) * power(quarter)).result()
}

/// The fraction in [0.5, 1) with the sign.
pub fn frexp_fraction<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs().raw();
    if magnitude == 0.0 || !magnitude.is_finite() {
        return (x + x).result();
    }
    let bits =
        if magnitude < f32::MIN_POSITIVE { x.raw() * 16_777_216.0 } else { x.raw() }.to_bits();
    f32::from_bits((bits & 0x807f_ffff) | 0x3f00_0000)
}

/// The exponent that belongs to the fraction; 0 of zeros, infinities and NaN.
pub fn frexp_exponent<const F: bool>(x: f32) -> i32 {
    let magnitude = Number::<F>::new(x).abs().raw();
    if magnitude == 0.0 || !magnitude.is_finite() {
        return 0;
    }
    let (bits, bias) = if magnitude < f32::MIN_POSITIVE {
        ((magnitude * 16_777_216.0).to_bits(), -150)
    } else {
        (magnitude.to_bits(), -126)
    };
    (bits >> 23) as i32 + bias
}

/// The exponent as an integer.
pub fn ilogb<const F: bool>(x: f32) -> i32 {
    let bits = Number::<F>::new(x).abs().bits();
    if bits == 0 || bits > 0x7f80_0000 {
        return i32::MIN;
    }
    if bits == 0x7f80_0000 {
        return i32::MAX;
    }
    if bits < 0x0080_0000 { -118 - bits.leading_zeros() as i32 } else { (bits >> 23) as i32 - 127 }
}

/// To the nearest integer, ties away from zero.
pub fn round<const F: bool>(x: f32) -> f32 {
    // Toward zero, so that the number just below a half does not become one.
    Number::<F>::new(x)
        .add_toward_zero(Number::HALF.with_sign_of(Number::new(x)))
        .truncated()
        .result()
}
