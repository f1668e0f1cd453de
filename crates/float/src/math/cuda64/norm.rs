//! Lengths of vectors, and their inverses.

use super::{NAN, bits, high_word};
use crate::math::hardware;

/// Powers of two that bring the largest operand near one, and back.
fn scales(largest: f64) -> (f64, f64) {
    let exponent = high_word(largest) & 0xffc0_0000;
    let down = bits(u64::from(0x7fd0_0000u32.wrapping_sub(exponent)) << 32);
    (down, bits(u64::from(exponent | 0x0010_0000) << 32))
}

/// 1/√x from the unit's approximation by one step.
fn inverse_root(x: f64) -> f64 {
    let start = f64::from_bits(u64::from(hardware::rsq64h(high_word(x))) << 32);
    let error = x.mul_add(-(start * start), 1.0);
    error.mul_add(0.375, 0.5).mul_add(error * start, start)
}

/// The scaled sum of squares, in the order of addition.
fn sum_of_squares<const N: usize>(terms: [f64; N], scale: f64) -> f64 {
    let first = terms[0] * scale;
    let mut sum = first * first;
    for term in &terms[1..] {
        let term = term * scale;
        sum = term.mul_add(term, sum);
    }
    sum
}

/// Magnitudes in the order in which they are added, the largest, and the plain sum, which carries NaN.
struct Terms<const N: usize> {
    terms: [f64; N],
    largest: f64,
    sum: f64,
}

fn sorted(a: f64, b: f64) -> (f64, f64) {
    if a < b { (a, b) } else { (b, a) }
}

fn length<const N: usize>(of: &Terms<N>) -> f64 {
    if of.largest.is_infinite() {
        return f64::INFINITY;
    }
    if of.sum.is_nan() {
        return NAN;
    }
    if of.sum <= of.largest {
        return of.sum;
    }
    let (down, up) = scales(of.largest);
    let sum = sum_of_squares(of.terms, down);
    (sum * inverse_root(sum)) * up
}

fn inverse_length<const N: usize>(of: &Terms<N>) -> f64 {
    if of.largest.is_infinite() {
        return 0.0;
    }
    if of.sum.is_nan() {
        return NAN;
    }
    if of.sum == 0.0 {
        return f64::INFINITY;
    }
    let (down, _) = scales(of.largest);
    down * inverse_root(sum_of_squares(of.terms, down))
}

/// Infinity wins over NaN.
fn largest_of(operands: &[f64], largest: f64) -> f64 {
    if operands.iter().any(|x| x.is_infinite()) { f64::INFINITY } else { largest }
}

fn two(a: f64, b: f64) -> Terms<2> {
    let (a, b) = (a.abs(), b.abs());
    let (small, large) = sorted(a, b);
    Terms { terms: [small, large], largest: largest_of(&[a, b], large), sum: a + b }
}

fn three(a: f64, b: f64, c: f64) -> Terms<3> {
    let [a, b, c] = [a, b, c].map(f64::abs);
    let (low, high) = sorted(a, b);
    let (middle, large) = sorted(high, c);
    Terms { terms: [middle, low, large], largest: largest_of(&[a, b, c], large), sum: a + b + c }
}

fn four(a: f64, b: f64, c: f64, d: f64) -> Terms<4> {
    let [a, b, c, d] = [a, b, c, d].map(f64::abs);
    let (low, high) = sorted(a, b);
    let (second, high) = sorted(high, c);
    let (third, large) = sorted(high, d);
    let largest = largest_of(&[a, b, c, d], large);
    Terms { terms: [third, second, low, large], largest, sum: a + b + c + d }
}

/// 1/√(a² + b²)
pub(super) fn rhypot(a: f64, b: f64) -> f64 {
    inverse_length(&two(a, b))
}

/// √(a² + b² + c²)
pub(super) fn norm3(a: f64, b: f64, c: f64) -> f64 {
    length(&three(a, b, c))
}

/// 1/√(a² + b² + c²)
pub(super) fn rnorm3(a: f64, b: f64, c: f64) -> f64 {
    inverse_length(&three(a, b, c))
}

/// √(a² + b² + c² + d²)
pub(super) fn norm4(a: f64, b: f64, c: f64, d: f64) -> f64 {
    length(&four(a, b, c, d))
}

/// 1/√(a² + b² + c² + d²)
pub(super) fn rnorm4(a: f64, b: f64, c: f64, d: f64) -> f64 {
    inverse_length(&four(a, b, c, d))
}
