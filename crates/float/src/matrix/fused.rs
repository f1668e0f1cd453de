//! NVIDIA's tensor cores: several products and C in one step.
//!
//! A step aligns the exact products and C to the largest exponent among them, keeps so many bits
//! below it, cuts off the rest toward zero, adds exactly, and rounds the sum: to f32 toward zero, to
//! f16 to the nearest. Longer sums take several steps, each with the last one's result for C. The
//! exponent of a product is the sum of its factors' (it is not normalised), so that a product can be
//! nearly four times its power of two.
//!
//! Of 8-bit inputs, `mma` on Hopper (to f16) and Blackwell makes f16 numbers and takes two steps of
//! those. That was found here: of the published results of H100, H200 and B200 it gives all.

use port_ir::{FragmentElement, Rounding, Scalar};

use super::Unit;
use super::number::{NAN, Number, special_sum};
use crate::format::{Format, Parts};

/// What a unit does with one kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    /// Products of one step.
    terms: usize,
    /// Bits that are kept below the largest exponent.
    fraction: i32,
    /// An exponent below which no alignment goes.
    least: i32,
    /// Fraction bits of the result; more are cut off.
    result_bits: u32,
    /// Whether the result is f16.
    narrow: bool,
    /// Whether products are taken in pairs, those of even number in the first step (places 0, 1, 4,
    /// 5, …) and the others in the second, and C is added afterwards, to the nearest.
    emulated: bool,
}

/// The steps of a unit.
pub(super) fn steps(unit: Unit, input: FragmentElement, accumulator: Scalar) -> Option<Steps> {
    use FragmentElement as E;
    let narrow = accumulator == Scalar::F16;
    let eight = matches!(input, E::Scalar(Scalar::F8E4M3 | Scalar::F8E5M2));
    let half = input == E::Scalar(Scalar::F16);
    if narrow && !half && !eight {
        return None;
    }
    let known = match unit {
        Unit::Volta | Unit::Turing => half,
        Unit::Ampere => !eight,
        _ => true,
    };
    if !known {
        return None;
    }
    let (terms, fraction, least) = match unit {
        Unit::Volta => (4, 23, if narrow { -19 } else { i32::MIN }),
        Unit::Turing => (8, 24, if narrow { -20 } else { -132 }),
        Unit::Ampere | Unit::Ada => (8, 24, if narrow { -20 } else { -132 }),
        Unit::Hopper | Unit::Blackwell => (16, 25, if narrow { -21 } else { -133 }),
        _ => return None,
    };
    let steps = Steps { terms, fraction, least, result_bits: 23, narrow, emulated: false };
    Some(match (input, unit) {
        (E::Tf32, _) => Steps { terms: terms / 2, ..steps },
        (_, Unit::Ada) if eight => {
            Steps { terms: 16, fraction: 13, least: -132, result_bits: 13, ..steps }
        }
        (_, Unit::Hopper) if eight && !narrow => {
            Steps { terms: 32, fraction: 13, result_bits: 13, ..steps }
        }
        (_, Unit::Hopper | Unit::Blackwell) if eight => Steps { emulated: true, ..steps },
        _ => steps,
    })
}

impl Steps {
    /// The product of a row and a column, and `start`, which has the accumulator's bits.
    pub fn dot(&self, row: &[Number], column: &[Number], start: u64) -> u64 {
        if self.emulated {
            return self.emulated_dot(row, column, start);
        }
        let mut sum = start;
        for (row, column) in row.chunks(self.terms).zip(column.chunks(self.terms)) {
            let products = row.iter().zip(column).map(|(a, b)| a.times(*b));
            sum = self.step(products, sum);
        }
        sum
    }

    /// 8-bit inputs on a unit that has none: they are made f16 and go through two steps of that,
    /// the register of each lane first with its lower pair, then with its upper one; C comes last.
    fn emulated_dot(&self, row: &[Number], column: &[Number], start: u64) -> u64 {
        let mut total = start;
        for (row, column) in row.chunks(2 * self.terms).zip(column.chunks(2 * self.terms)) {
            let mut sum = 0;
            for half in 0..2 {
                let products = row
                    .iter()
                    .zip(column)
                    .enumerate()
                    .filter(|(place, _)| place / 2 % 2 == half)
                    .map(|(_, (a, b))| a.times(*b));
                sum = self.step(products, sum);
            }
            total = match self.narrow {
                true => {
                    let half = |bits: u64| crate::format::f16_to_f32(bits as u16);
                    crate::format::f32_to_f16(half(sum) + half(total)).into()
                }
                false => {
                    let single = |bits: u64| f32::from_bits(bits as u32);
                    canonical((single(sum) + single(total)).to_bits())
                }
            };
        }
        total
    }

    fn accumulator(&self) -> Format {
        if self.narrow { Format::F16 } else { Format::F32 }
    }

    fn step(&self, products: impl Iterator<Item = Number> + Clone, start: u64) -> u64 {
        let format = self.accumulator();
        let terms = products.chain([Number::from_format(format, start)]);
        match special_sum(terms.clone()) {
            0 => {}
            NAN => return format.nan(),
            infinity => return format.infinity(infinity < 0),
        }
        let largest =
            terms.clone().filter(|term| term.significand != 0).map(|term| term.exponent).max();
        let Some(largest) = largest else { return 0 };
        let unit = largest.max(self.least) - self.fraction;
        let sum: i128 = terms.map(|term| term.truncated(unit)).sum();
        let parts = Parts {
            negative: sum < 0,
            significand: sum.unsigned_abs(),
            exponent: unit,
            sticky: false,
        };
        if parts.significand == 0 {
            return 0;
        }
        if format == Format::F16 {
            return format.round(parts, Rounding::NearestEven, false);
        }
        // What is too large for the exponent becomes infinity, although the fraction is cut off.
        let top = unit + 127 - parts.significand.leading_zeros() as i32;
        if top > format.bias {
            return format.infinity(parts.negative);
        }
        let kept = Format { fraction_bits: self.result_bits, ..Format::F32 };
        kept.round(parts, Rounding::TowardZero, false) << (23 - self.result_bits)
    }
}

fn canonical(bits: u32) -> u64 {
    if f32::from_bits(bits).is_nan() { 0x7fff_ffff } else { bits.into() }
}
