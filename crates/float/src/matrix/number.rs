//! Inputs taken apart, exactly.

use port_ir::{FragmentElement, Scalar};

use crate::format::Format;

/// A finite number `significand · 2^unit`, or what is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// With its sign; 0 for zero and for what is not finite.
    pub significand: i64,
    /// The power of two of the significand's last bit.
    pub unit: i32,
    /// The power of two of the place where a normal number has its leading bit: of subnormal
    /// numbers the smallest normal one's.
    pub exponent: i32,
    /// +1 and −1 for infinities, 0 for numbers, 2 for NaN.
    pub special: i8,
}

/// NaN among [`Number::special`].
pub(super) const NAN: i8 = 2;

/// The format of inputs; with `fnuz` 8-bit ones are of that kind. tf32 lies in the bits of an f32.
pub(super) fn input_format(input: FragmentElement, fnuz: bool) -> Format {
    match input {
        FragmentElement::Scalar(Scalar::F16) => Format::F16,
        FragmentElement::Scalar(Scalar::Bf16) => Format::BF16,
        FragmentElement::Scalar(Scalar::F8E4M3) if fnuz => Format::E4M3_FNUZ,
        FragmentElement::Scalar(Scalar::F8E4M3) => Format::E4M3,
        FragmentElement::Scalar(Scalar::F8E5M2) if fnuz => Format::E5M2_FNUZ,
        FragmentElement::Scalar(Scalar::F8E5M2) => Format::E5M2,
        FragmentElement::Scalar(Scalar::F64) => Format::F64,
        _ => Format::F32,
    }
}

impl Number {
    /// From an element's bits. Of tf32 the unit does not read the low bits.
    pub fn of(format: Format, input: FragmentElement, bits: u64) -> Number {
        let bits = if input == FragmentElement::Tf32 { bits & 0xffff_e000 } else { bits };
        Number::from_format(format, bits)
    }

    /// From bits of a format.
    pub fn from_format(format: Format, bits: u64) -> Number {
        let Some(parts) = format.parts(bits) else {
            let special = match format.is_infinite(bits) {
                false => NAN,
                true if bits >> (format.width() - 1) & 1 == 1 => -1,
                true => 1,
            };
            return Number { significand: 0, unit: 0, exponent: 0, special };
        };
        let magnitude = parts.significand as i64;
        Number {
            significand: if parts.negative { -magnitude } else { magnitude },
            unit: parts.exponent,
            exponent: parts.exponent + format.fraction_bits as i32,
            special: 0,
        }
    }

    /// The exact product; its significand lies in [1, 4) of its exponent if both are normal.
    pub fn times(self, other: Number) -> Number {
        let special = match (self.special, other.special) {
            (0, 0) => 0,
            (NAN, _) | (_, NAN) => NAN,
            (a, 0) => infinite_times(a, other.significand),
            (0, b) => infinite_times(b, self.significand),
            (a, b) => a * b,
        };
        Number {
            significand: self.significand * other.significand,
            unit: self.unit + other.unit,
            exponent: self.exponent + other.exponent,
            special,
        }
    }

    /// In units of `2^unit`, what is below them cut off.
    pub fn truncated(self, unit: i32) -> i128 {
        let shift = unit - self.unit;
        let magnitude = u128::from(self.significand.unsigned_abs());
        let magnitude = match shift {
            ..=0 => magnitude << (-shift).min(63),
            1..=127 => magnitude >> shift,
            _ => 0,
        };
        if self.significand < 0 { -(magnitude as i128) } else { magnitude as i128 }
    }
}

fn infinite_times(infinity: i8, significand: i64) -> i8 {
    match significand.signum() {
        0 => NAN,
        sign => infinity * sign as i8,
    }
}

/// What a sum of terms is if some are not finite: the special, or 0.
pub(super) fn special_sum(terms: impl Iterator<Item = Number>) -> i8 {
    terms.fold(0, |sum, term| match (sum, term.special) {
        (NAN, _) | (_, NAN) => NAN,
        (0, special) => special,
        (sum, 0) => sum,
        (sum, special) if sum == special => sum,
        _ => NAN,
    })
}
