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
    let before = Number::from_format(format, before);
    if accumulator == Scalar::F64 {
        return exact_f64(terms, before);
    }
    let products: Vec<Number> = terms
        .map(|(a, b)| Number::of(inputs, element, a).times(Number::of(inputs, element, b)))
        .chain([before])
        .collect();
    match special_sum(products.iter().copied()) {
        0 => {}
        NAN => return format.nan(),
        infinity => return format.infinity(infinity < 0),
    }
    // Aligned to the smallest unit where everything fits, else to the largest number that can
    // matter: what is below is told by one bit.
    let numbers = || products.iter().filter(|number| number.significand != 0);
    let Some(top) = numbers().map(|number| number.exponent).max() else { return 0 };
    let unit = numbers().map(|number| number.unit).min().unwrap_or(0).max(top - 90);
    let (mut sum, mut rest) = (0i128, 0i128);
    for number in numbers() {
        let kept = number.truncated(unit);
        sum += kept;
        let shift = unit - number.unit;
        // Below the unit, in units 2^30 times finer; finer still only the sign counts.
        if shift > 0 {
            let fine = number.truncated(unit - 30) - (kept << 30);
            rest += fine * 4 + i128::from(number.significand.signum()) * i128::from(shift > 30);
        }
    }
    sum += rest.div_euclid(1 << 32);
    let sticky = rest.rem_euclid(1 << 32) != 0;
    let (negative, significand) = match (sum < 0, sticky) {
        (false, _) => (false, sum.unsigned_abs()),
        (true, false) => (true, sum.unsigned_abs()),
        // A little above a negative integer: its magnitude is a little below.
        (true, true) => (true, sum.unsigned_abs() - 1),
    };
    format.round(
        Parts { negative, significand, exponent: unit, sticky },
        Rounding::NearestEven,
        false,
    )
}

/// In f64, by the exact error of each product and sum: rounded once but for cancellation beyond
/// 106 bits.
fn exact_f64(terms: impl Iterator<Item = (u64, u64)>, before: Number) -> u64 {
    let start = match before.special {
        0 => {
            before.significand as f64
                * 2f64.powi(before.unit / 2)
                * 2f64.powi(before.unit - before.unit / 2)
        }
        1 => f64::INFINITY,
        -1 => f64::NEG_INFINITY,
        _ => f64::NAN,
    };
    let (mut high, mut low) = (start, 0.0);
    for (a, b) in terms {
        let (a, b) = (f64::from_bits(a), f64::from_bits(b));
        let product = a * b;
        let sum = high + product;
        let part = sum - high;
        let error = (high - (sum - part)) + (product - part);
        low += error + a.mul_add(b, -product);
        high = sum;
    }
    let total = high + low;
    // Where something is infinite the errors are NaN.
    (if high.is_finite() { total } else { high }).to_bits()
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
