//! Powers, roots and norms.

use super::logarithm::{MIDDLE_2, split};
use crate::math::hardware;
use crate::math::number::{Number, constant};

/// log₂ of a positive number as an unevaluated sum, accurate to about 2^-40. `cubic` adds what the
/// quotient's error contributes through the cubic term.
pub(super) fn log2_in_two_parts<const F: bool>(
    mantissa: Number<F>,
    exponent: Number<F>,
    cubic: bool,
) -> (Number<F>, Number<F>) {
    let less = mantissa + constant(0xbf80_0000);
    let more = mantissa + Number::ONE;
    let inverse = more.rcp();
    // r ≈ 2(m − 1)/(m + 1), and what it misses.
    let r = (less + less) * inverse;
    let square = r * r;
    let miss = less - r;
    let miss = inverse * (-r).fma(less, miss + miss);
    let series = square.polynomial([0x3a2c_32e4, 0x3b52_e7db, 0x3c93_bb73, 0x3df6_384f]) * square;
    let log2_e = constant::<F>(0x3fb8_aa3b);
    let high = r.fma(log2_e, exponent);
    let low = r.fma(log2_e, exponent - high);
    let low = r.fma(constant(0x32a5_5e34), miss.fma(log2_e, low));
    let low = if cubic { (series * constant(0x4040_0000)).fma(miss, low) } else { low };
    let low = series.fma(r, low);
    let sum = high + low;
    (sum, low - (sum - high))
}

/// 2^(n + rest) by a polynomial, in two factors so that neither over- nor underflows early.
pub(super) fn power_of_two<const F: bool>(whole: Number<F>, rest: Number<F>) -> Number<F> {
    let series = rest
        .polynomial([0x391f_cb8e, 0x3aaf_85ed, 0x3c1d_9856, 0x3d63_57bb, 0x3e75_fdec, 0x3f31_7218])
        .fma(rest, Number::ONE);
    let first = if whole.greater(Number::ZERO) { 0 } else { 0x8300_0000u32 };
    let second = ((whole.raw() as i32) << 23) as u32;
    series * constant(first.wrapping_add(0x7f00_0000)) * constant(second.wrapping_sub(first))
}

/// a^b
pub fn pow<const F: bool>(a: f32, b: f32) -> f32 {
    let (a, b) = (Number::<F>::new(a), Number::<F>::new(b));
    if a.equals(Number::ONE) || b.equals(Number::ZERO) {
        return 1.0;
    }
    let (magnitude, exponent) = (a.abs(), b.abs());
    if magnitude.is_nan() || exponent.is_nan() {
        return hardware::NAN;
    }
    let half = (b * Number::HALF).truncated();
    let odd = (b - (half + half)).abs().equals(Number::ONE);
    if a.equals(Number::ZERO) || magnitude.equals(Number::INFINITY) {
        // Zeros and infinities by their bits: doubled, the bits of the exponent flip for a
        // reciprocal, and the sign stays for an odd power alone.
        let mut bits = (a + a).bits();
        if b.less(Number::ZERO) {
            bits ^= 0x7f80_0000;
        }
        if !odd {
            bits &= 0x7fff_ffff;
        }
        return f32::from_bits(bits);
    }
    if a.equals(constant(0xbf80_0000)) && exponent.equals(Number::INFINITY) {
        return 1.0;
    }
    let parts = split(magnitude, MIDDLE_2, 0x4b80_0000, 0xc1c0_0000);
    let (high, low) = log2_in_two_parts(parts.mantissa, parts.exponent, true);
    let product = high * b;
    let error = low.fma(b, high.fma(b, -product));
    let whole = product.rounded();
    let rest = error + (product - whole);
    let result = if product.abs().greater(constant(0x4318_0000)) {
        if product.less(Number::ZERO) { Number::ZERO } else { Number::INFINITY }
    } else {
        power_of_two(whole, rest)
    };
    if a.less(Number::ZERO) {
        if !b.floor().equals(b) {
            return hardware::NAN;
        }
        if odd {
            return (-result).result();
        }
    }
    result.result()
}

/// 1/√x
pub fn rsqrt<const F: bool>(x: f32) -> f32 {
    hardware::canonical(hardware::rsqrt(x, F))
}

/// ∛x
pub fn cbrt<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let doubled = x + x;
    if doubled.equals(x) {
        return doubled.result();
    }
    let magnitude = x.abs();
    let inverse = (magnitude.log2() * constant(0xbf2a_aaab)).ex2();
    let root = magnitude * inverse;
    let correction = root.fma(-(inverse * root), Number::ONE);
    let result = root.fma(correction * constant(0x3eaa_aaab), root);
    if x.less(Number::ZERO) { (-result).result() } else { result.result() }
}

/// 1/∛x
pub fn rcbrt<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let doubled = x + x;
    if doubled.equals(x) {
        return hardware::canonical(f32::from_bits(doubled.bits() ^ 0x7f80_0000));
    }
    let magnitude = x.abs();
    let root = (magnitude.log2() * constant(0xbeaa_aaab)).ex2();
    let correction = (root * root).fma(-(magnitude * root), Number::ONE);
    let result = correction.fma(root * constant(0x3eaa_aaab), root);
    if x.less(Number::ZERO) { (-result).result() } else { result.result() }
}

// ---- norms ---------------------------------------------------------------------------------------

/// Powers of two that bring the largest operand near one, and back.
fn scales<const F: bool>(largest: Number<F>) -> (Number<F>, Number<F>) {
    let exponent = largest.bits() & 0xfe00_0000;
    (constant(0x7e80_0000u32.wrapping_sub(exponent)), constant(exponent | 0x0080_0000))
}

/// The scaled sum of squares, smallest term first; `terms` in the order of addition.
fn scaled_sum<const F: bool, const N: usize>(terms: [Number<F>; N], scale: Number<F>) -> Number<F> {
    let first = terms[0] * scale;
    let mut sum = first * first;
    for &term in &terms[1..] {
        let term = term * scale;
        sum = term.fma(term, sum);
    }
    sum
}

fn root<const F: bool>(x: Number<F>, fast: bool) -> Number<F> {
    if fast { Number::new(hardware::square_root(x.raw(), F)) } else { x.sqrt() }
}

/// Magnitudes compared by their bits.
fn ordered<const F: bool>(a: Number<F>, b: Number<F>) -> (Number<F>, Number<F>) {
    if (a.bits() as i32) < (b.bits() as i32) { (a, b) } else { (b, a) }
}

fn hypot_of<const F: bool>(a: f32, b: f32, fast: bool) -> f32 {
    let (small, large) = ordered(Number::<F>::new(a).abs(), Number::<F>::new(b).abs());
    if small.equals(Number::INFINITY) || large.equals(Number::INFINITY) && small.is_nan() {
        return f32::INFINITY;
    }
    if small.equals(Number::ZERO) {
        return large.result();
    }
    let (down, up) = scales(large);
    (root(scaled_sum([small, large], down), fast) * up).result()
}

/// √(a² + b²)
pub fn hypot<const F: bool>(a: f32, b: f32) -> f32 {
    hypot_of::<F>(a, b, false)
}

/// √(a² + b²) with the unit's square root.
pub fn hypot_fast<const F: bool>(a: f32, b: f32) -> f32 {
    hypot_of::<F>(a, b, true)
}

/// 1/√(a² + b²)
pub fn rhypot<const F: bool>(a: f32, b: f32) -> f32 {
    let (small, large) = ordered(Number::<F>::new(a).abs(), Number::<F>::new(b).abs());
    if small.equals(Number::INFINITY) {
        return 0.0;
    }
    let (down, _) = scales(large);
    (scaled_sum([small, large], down).rsqrt() * down).result()
}

/// The smaller and the larger; the number of a number and a NaN.
fn sorted<const F: bool>(a: Number<F>, b: Number<F>) -> (Number<F>, Number<F>) {
    if a.is_nan() {
        (b, b)
    } else if b.is_nan() {
        (a, a)
    } else if a.less(b) {
        (a, b)
    } else {
        (b, a)
    }
}

/// Of three or four magnitudes: the scaled terms in the order they are added, the largest, and the
/// plain sum, which carries NaN.
struct Terms<const F: bool, const N: usize> {
    terms: [Number<F>; N],
    largest: Number<F>,
    sum: Number<F>,
}

fn three<const F: bool>(a: f32, b: f32, c: f32) -> Terms<F, 3> {
    let [a, b, c] = [a, b, c].map(|x| Number::<F>::new(x).abs());
    let (low, high) = sorted(a, b);
    let (middle, largest) = sorted(high, c);
    Terms { terms: [middle, low, largest], largest, sum: a + b + c }
}

fn four<const F: bool>(a: f32, b: f32, c: f32, d: f32) -> Terms<F, 4> {
    let [a, b, c, d] = [a, b, c, d].map(|x| Number::<F>::new(x).abs());
    let (low, high) = sorted(a, b);
    let (second, high) = sorted(high, c);
    let (third, largest) = sorted(high, d);
    Terms { terms: [third, second, low, largest], largest, sum: c + (a + b + d) }
}

fn norm<const F: bool, const N: usize>(of: Terms<F, N>, fast: bool) -> f32 {
    if of.largest.equals(Number::INFINITY) {
        return f32::INFINITY;
    }
    let (down, up) = scales(of.largest);
    if !of.sum.greater(of.largest) {
        return of.sum.result();
    }
    (root(scaled_sum(of.terms, down), fast) * up).result()
}

fn reciprocal_norm<const F: bool, const N: usize>(of: Terms<F, N>) -> f32 {
    if of.largest.equals(Number::INFINITY) {
        return 0.0;
    }
    if of.sum.is_nan() {
        return hardware::NAN;
    }
    let (down, _) = scales(of.largest);
    (scaled_sum(of.terms, down).rsqrt() * down).result()
}

/// √(a² + b² + c²)
pub fn norm3<const F: bool>(a: f32, b: f32, c: f32) -> f32 {
    norm(three::<F>(a, b, c), false)
}

/// √(a² + b² + c²) with the unit's square root.
pub fn norm3_fast<const F: bool>(a: f32, b: f32, c: f32) -> f32 {
    norm(three::<F>(a, b, c), true)
}

/// 1/√(a² + b² + c²)
pub fn rnorm3<const F: bool>(a: f32, b: f32, c: f32) -> f32 {
    reciprocal_norm(three::<F>(a, b, c))
}

/// √(a² + b² + c² + d²)
pub fn norm4<const F: bool>(a: f32, b: f32, c: f32, d: f32) -> f32 {
    norm(four::<F>(a, b, c, d), false)
}

/// √(a² + b² + c² + d²) with the unit's square root.
pub fn norm4_fast<const F: bool>(a: f32, b: f32, c: f32, d: f32) -> f32 {
    norm(four::<F>(a, b, c, d), true)
}

/// 1/√(a² + b² + c² + d²)
pub fn rnorm4<const F: bool>(a: f32, b: f32, c: f32, d: f32) -> f32 {
    reciprocal_norm(four::<F>(a, b, c, d))
}
