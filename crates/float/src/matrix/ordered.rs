//! Products without a matrix unit: in order, exactly, or of integers.

use port_ir::{FragmentElement, Rounding, Scalar};

use super::number::{NAN, Number, input_format, special_sum};
use crate::arithmetic::flush_f32;
use crate::format::{Format, Parts, bf16_to_f32, f16_to_f32, f32_to_f16};

/// An input's value; tf32 without the bits that no unit reads.
pub(super) fn input(input: FragmentElement, bits: u64) -> f32 {
    match input {
        FragmentElement::Scalar(Scalar::F16) => f16_to_f32(bits as u16),
        FragmentElement::Scalar(Scalar::Bf16) => bf16_to_f32(bits as u16),
        FragmentElement::Scalar(Scalar::F8E4M3) => Format::E4M3.to_f64(bits) as f32,
        FragmentElement::Scalar(Scalar::F8E5M2) => Format::E5M2.to_f64(bits) as f32,
        FragmentElement::Tf32 => f32::from_bits(bits as u32 & 0xffff_e000),
        _ => f32::from_bits(bits as u32),
    }
}

/// The same, zero for a subnormal number of its format.
pub(super) fn flushed_input(element: FragmentElement, bits: u64) -> f32 {
    let value = input(element, bits);
    match element {
        FragmentElement::Scalar(Scalar::F16) if value.abs() < 2f32.powi(-14) => {
            0f32.copysign(value)
        }
        _ => flush_f32(value),
    }
}

/// What C starts with.
pub(super) fn start(accumulator: Scalar, bits: u64) -> f32 {
    match accumulator {
        Scalar::F16 => f16_to_f32(bits as u16),
        _ => f32::from_bits(bits as u32),
    }
}

/// The result's bits.
pub(super) fn result(accumulator: Scalar, sum: f32) -> u64 {
    match accumulator {
        Scalar::F16 => f32_to_f16(sum).into(),
        _ => sum.to_bits().into(),
    }
}

/// One rounding for each product and each sum, in f32 (f64 for f64). A f16 result is rounded from
/// f32 at the end.
pub(super) fn ordered(
    element: FragmentElement,
    accumulator: Scalar,
    terms: impl Iterator<Item = (u64, u64)>,
    before: u64,
) -> u64 {
    if accumulator == Scalar::F64 {
        let value = f64::from_bits;
        return terms.fold(value(before), |sum, (a, b)| sum + value(a) * value(b)).to_bits();
    }
    let value = |bits| input(element, bits);
    let sum = terms.fold(start(accumulator, before), |sum, (a, b)| sum + value(a) * value(b));
    result(accumulator, sum)
}

/// Fused multiply-adds in order of k.
pub(super) fn chain(
    accumulator: Scalar,
    terms: impl Iterator<Item = (u64, u64)>,
    before: u64,
) -> u64 {
    if accumulator == Scalar::F64 {
        let value = f64::from_bits;
        return terms.fold(value(before), |sum, (a, b)| value(a).mul_add(value(b), sum)).to_bits();
    }
    let value = |bits| f32::from_bits(bits as u32);
    let strict = port_ir::FloatFlags::STRICT;
    let sum = terms.fold(value(before), |sum, (a, b)| {
        crate::arithmetic::f32::fma(value(a), value(b), sum, strict)
    });
    sum.to_bits().into()
}

/// The exact sum, rounded once to the nearest.
pub(super) fn exact(
    element: FragmentElement,
    accumulator: Scalar,
    terms: impl Iterator<Item = (u64, u64)>,
    before: u64,
) -> u64 {
    let Some(format) = Format::of(accumulator) else { return 0 };
    let inputs = input_format(element, false);
    let low_bits = if element == FragmentElement::Tf32 { !0xffff_e000 } else { 0 };
    let mut sum = Sum::default();
    let mut specials: Vec<Number> = vec![Number::from_format(format, before)];
    if let Some(parts) = format.parts(before) {
        sum.add(parts.significand, parts.exponent, parts.negative);
    }
    for (a, b) in terms {
        let (a, b) = (a & !low_bits, b & !low_bits);
        match (inputs.parts(a), inputs.parts(b)) {
            (Some(a), Some(b)) => sum.add(
                a.significand * b.significand,
                a.exponent + b.exponent,
                a.negative != b.negative,
            ),
            _ => {
                let number = |bits| Number::from_format(inputs, bits);
                // Only signs and zeros count beside an infinity.
                let sign =
                    |number: Number| Number { significand: number.significand.signum(), ..number };
                specials.push(sign(number(a)).times(sign(number(b))));
            }
        }
    }
    match special_sum(specials.into_iter()) {
        0 => format.round(sum.parts(), Rounding::NearestEven, false),
        NAN => format.nan(),
        infinity => format.infinity(infinity < 0),
    }
}

/// A sum with a place for every bit that a product of two f64 can have.
struct Sum {
    /// In base 2^32, lowest first, not carried.
    digits: Vec<i64>,
}

/// The power of two of a [`Sum`]'s lowest bit: below that of the smallest product.
const LOWEST: i32 = -2176;
/// Digits of a [`Sum`]: up to 2^2080, and room for carries.
const DIGITS: usize = 136;

impl Default for Sum {
    fn default() -> Self {
        Sum { digits: vec![0; DIGITS] }
    }
}

impl Sum {
    /// Adds at most 106 bits.
    fn add(&mut self, significand: u128, exponent: i32, negative: bool) {
        let Ok(place) = usize::try_from(exponent - LOWEST) else { return };
        let (digit, shift) = (place / 32, place % 32);
        let (low, high) = (significand << shift, significand >> 1 >> (127 - shift));
        for index in 0..5 {
            let part = if index < 4 { low >> (32 * index) } else { high };
            let part = (part & 0xffff_ffff) as i64;
            if let Some(digit) = self.digits.get_mut(digit + index) {
                *digit += if negative { -part } else { part };
            }
        }
    }

    /// The sum, its lowest bits told by the sticky bit.
    fn parts(mut self) -> Parts {
        // Every digit becomes 0 to 2^32 − 1; the sign comes out at the end.
        let carried = |digits: &mut [i64]| {
            let mut carry = 0;
            for digit in digits {
                let total = *digit + carry;
                *digit = total & 0xffff_ffff;
                carry = total >> 32;
            }
            carry
        };
        let negative = carried(&mut self.digits) < 0;
        if negative {
            for digit in &mut self.digits {
                *digit = -*digit;
            }
            carried(&mut self.digits);
        }
        let top = self.digits.iter().rposition(|digit| *digit != 0).unwrap_or(0).max(3);
        let mut significand = 0u128;
        for digit in self.digits.get(top - 3..=top).unwrap_or(&[]).iter().rev() {
            significand = significand << 32 | *digit as u128;
        }
        let sticky = self.digits.iter().take(top - 3).any(|digit| *digit != 0);
        Parts { negative, significand, exponent: LOWEST + 32 * (top as i32 - 3), sticky }
    }
}

/// Integers: exact, then wrapped or clamped to 32 bits.
pub(super) fn integers(
    input: FragmentElement,
    terms: impl Iterator<Item = (u64, u64)>,
    start: u64,
    saturate: bool,
) -> u64 {
    let value = |bits: u64| -> i64 {
        match input {
            FragmentElement::Scalar(Scalar::I8) => (bits as i8).into(),
            FragmentElement::Scalar(Scalar::U8) => (bits as u8).into(),
            FragmentElement::I4 => (bits << 60) as i64 >> 60,
            FragmentElement::U4 => bits as i64 & 15,
            FragmentElement::B1 => bits as i64 & 1,
            _ => bits as i32 as i64,
        }
    };
    let sum = terms.fold(i64::from(start as u32 as i32), |sum, (a, b)| {
        sum.wrapping_add(value(a).wrapping_mul(value(b)))
    });
    let result =
        if saturate { sum.clamp(i32::MIN.into(), i32::MAX.into()) as i32 } else { sum as i32 };
    u64::from(result as u32)
}
