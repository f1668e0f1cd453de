//! AMD's matrix cores.

use port_ir::{FragmentElement, Rounding, Scalar};

use super::number::{NAN, Number, special_sum};
use super::ordered;
use crate::arithmetic::flush_f32;
use crate::format::{Format, Parts};

/// CDNA 2, f16 and bf16 (its `_1k` instructions): four products at a time, added in pairs in f32,
/// the pairs' sums added, and that to C; each sum rounded to the nearest. Subnormal inputs, products,
/// sums and C are flushed.
pub(super) fn pairs(
    input: FragmentElement,
    accumulator: Scalar,
    terms: impl Iterator<Item = (u64, u64)>,
    start: u64,
) -> u64 {
    let value = |bits| ordered::flushed_input(input, bits);
    let products: Vec<f32> = terms.map(|(a, b)| flush_f32(value(a) * value(b))).collect();
    let add = |a: f32, b: f32| flush_f32(a + b);
    let mut sum = flush_f32(ordered::start(accumulator, start));
    for group in products.chunks(4) {
        let product = |index: usize| group.get(index).copied().unwrap_or(0.0);
        let pairs = add(add(product(0), product(1)), add(product(2), product(3)));
        sum = add(sum, pairs);
    }
    ordered::result(accumulator, sum)
}

/// Bits that a sum of products keeps.
const SUM_BITS: i32 = 24;
/// Bits that it is given below C's exponent, where that is larger.
const WIDE_BITS: i32 = 31;

/// A sum in units of a power of two, aligned to an exponent; of nothing, no exponent.
#[derive(Clone, Copy)]
struct Aligned {
    sum: i128,
    exponent: Option<i32>,
}

impl Aligned {
    /// Terms aligned to the largest exponent among them, what is below [`SUM_BITS`] cut off.
    fn of(terms: impl Iterator<Item = Number> + Clone) -> Aligned {
        let finite = terms.clone().filter(|term| term.significand != 0);
        let exponent = finite.map(|term| term.exponent).max();
        let unit = exponent.unwrap_or(0) - SUM_BITS;
        Aligned { sum: terms.map(|term| term.truncated(unit)).sum(), exponent }
    }

    /// Both at the larger exponent. The lower one is rounded down; `extra` is how many more bits
    /// `self` is given where it is the lower one. Gives the sum, its unit and exponent.
    fn joined(self, other: Aligned, extra: i32, drops: bool) -> (i128, i32, i32) {
        let (Some(own), Some(others)) = (self.exponent, other.exponent) else {
            let known = if self.exponent.is_some() { self } else { other };
            let exponent = known.exponent.unwrap_or(0);
            return (known.sum, exponent - SUM_BITS, exponent);
        };
        if own < others {
            let lower = (self.sum << extra) >> (others - own).min(126);
            return (lower + (other.sum << extra), others - SUM_BITS - extra, others);
        }
        let distance = own - others;
        let lower = if drops && distance > 25 { 0 } else { other.sum >> distance.min(126) };
        (self.sum + lower, own - SUM_BITS, own)
    }
}

fn rounded(sum: i128, unit: i32) -> u64 {
    let parts =
        Parts { negative: sum < 0, significand: sum.unsigned_abs(), exponent: unit, sticky: false };
    if sum == 0 { 0 } else { Format::F32.round(parts, Rounding::NearestEven, false) }
}

fn special(terms: impl Iterator<Item = Number>, before: Number) -> Option<u64> {
    match special_sum(terms.chain([before])) {
        0 => None,
        NAN => Some(0x7fc0_0000),
        infinity => Some(Format::F32.infinity(infinity < 0)),
    }
}

/// CDNA 3, f16, bf16 (eight products at a time) and xf32 (four): the products' aligned sum meets C
/// at the larger exponent, the lower of the two rounded down; then to the nearest f32.
pub(super) fn late(input: FragmentElement, row: &[Number], column: &[Number], start: u64) -> u64 {
    let group = if input == FragmentElement::Tf32 { 4 } else { 8 };
    let mut sum = start;
    for (row, column) in row.chunks(group).zip(column.chunks(group)) {
        let products = row.iter().zip(column).map(|(a, b)| a.times(*b));
        let before = Number::from_format(Format::F32, sum);
        if let Some(special) = special(products.clone(), before) {
            sum = special;
            continue;
        }
        let before = Aligned::of([before].into_iter());
        let (total, unit, _) = Aligned::of(products).joined(before, WIDE_BITS - SUM_BITS, false);
        sum = rounded(total, unit);
    }
    sum
}

/// CDNA 3, 8-bit inputs: sixteen products at a time; those at even and those at odd places are summed
/// apart and joined, the lower sum rounded down; C is dropped where it is far below.
pub(super) fn late_split(row: &[Number], column: &[Number], start: u64) -> u64 {
    let mut sum = start;
    for (row, column) in row.chunks(16).zip(column.chunks(16)) {
        let products = row.iter().zip(column).map(|(a, b)| a.times(*b));
        let before = Number::from_format(Format::F32, sum);
        if let Some(special) = special(products.clone(), before) {
            sum = special;
            continue;
        }
        let even = Aligned::of(products.clone().step_by(2));
        let odd = Aligned::of(products.skip(1).step_by(2));
        let has_products = even.exponent.is_some() || odd.exponent.is_some();
        let (products, _, exponent) = even.joined(odd, 0, false);
        let products = Aligned { sum: products, exponent: has_products.then_some(exponent) };
        let before = Aligned::of([before].into_iter());
        let (total, unit, _) = products.joined(before, WIDE_BITS - SUM_BITS, true);
        sum = rounded(total, unit);
    }
    sum
}
