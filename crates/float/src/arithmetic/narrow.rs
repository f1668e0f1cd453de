//! f16 and bf16, by their bits. Operations are computed in f32 or f64 and rounded once in effect:
//! sums, differences, products and quotients of such short numbers are not changed by being rounded
//! to 24 (of bf16, where the intermediate can be subnormal, to 53) bits first; fused operations
//! round to odd first.

use port_ir::Rounding;

/// `a · b + c` in f64, the last bit odd where it is not exact; the product is exact.
#[inline]
fn fused_odd(a: f32, b: f32, c: f32) -> f64 {
    let product = f64::from(a) * f64::from(b);
    sum_odd(product, f64::from(c))
}

/// `a + b` in f64, the last bit odd where it is not exact.
#[inline]
fn sum_odd(a: f64, b: f64) -> f64 {
    let sum = a + b;
    let part = sum - a;
    let error = (a - (sum - part)) + (b - part);
    let bits = sum.to_bits();
    let inexact = (error > 0.0) | (error < 0.0);
    let outward = (error > 0.0) == (sum > 0.0);
    let odd = if outward { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    f64::from_bits(if inexact & (bits & 1 == 0) { odd } else { bits })
}

/// What a zero sum becomes: −0 if the rounding is down and the two are not both +0.
fn zero_sum(sum: f64, a: f64, b: f64, rounding: Rounding) -> f64 {
    let positive = a.is_sign_positive() && b.is_sign_positive();
    if sum == 0.0 && rounding == Rounding::Down && !positive { -0.0 } else { sum }
}

macro_rules! operations {
    ($(#[$doc:meta])* $module:ident, $format:expr, $widen:path, $narrow:path, $infinity:literal, $exponent:literal) => {
        $(#[$doc])*
        pub mod $module {
            use port_ir::{FloatFlags, Rounding};

            use super::{fused_odd, sum_odd, zero_sum};
            use crate::format::{Format, f64_to_f32_odd};

            const FORMAT: Format = $format;

            /// The value.
            #[inline]
            pub fn widen(bits: u16) -> f32 {
                $widen(bits)
            }

            /// The nearest, ties to even.
            #[inline]
            pub fn narrow(value: f32) -> u16 {
                $narrow(value)
            }

            /// A subnormal number as the zero of its sign.
            #[inline]
            pub fn flush(x: u16) -> u16 {
                if x & $exponent == 0 { x & 0x8000 } else { x }
            }

            /// Whether it is NaN.
            #[inline]
            pub fn is_nan(x: u16) -> bool {
                x & 0x7fff > $infinity
            }

            #[inline]
            fn input(x: u16, flags: FloatFlags) -> u16 {
                if flags.flush { flush(x) } else { x }
            }

            fn round(value: f64, rounding: Rounding) -> u16 {
                FORMAT.round_f64(value, rounding, false) as u16
            }

            /// `a + b`
            #[inline]
            pub fn add(a: u16, b: u16, flags: FloatFlags) -> u16 {
                let (a, b) = (widen(input(a, flags)), widen(input(b, flags)));
                let sum = match flags.rounding {
                    Rounding::NearestEven => narrow(a + b),
                    rounding => {
                        let (a, b) = (f64::from(a), f64::from(b));
                        round(zero_sum(sum_odd(a, b), a, b, rounding), rounding)
                    }
                };
                input(sum, flags)
            }

            /// `a - b`
            #[inline]
            pub fn sub(a: u16, b: u16, flags: FloatFlags) -> u16 {
                add(a, b ^ 0x8000, flags)
            }

            /// `a * b`
            #[inline]
            pub fn mul(a: u16, b: u16, flags: FloatFlags) -> u16 {
                let (a, b) = (widen(input(a, flags)), widen(input(b, flags)));
                let product = f64::from(a) * f64::from(b);
                let product = match flags.rounding {
                    Rounding::NearestEven => narrow(f64_to_f32_odd(product)),
                    rounding => round(product, rounding),
                };
                input(product, flags)
            }

            /// `a / b`
            #[inline]
            pub fn div(a: u16, b: u16, flags: FloatFlags) -> u16 {
                let (a, b) = (widen(input(a, flags)), widen(input(b, flags)));
                let quotient = f64::from(a) / f64::from(b);
                let quotient = match flags.rounding {
                    Rounding::NearestEven => narrow(f64_to_f32_odd(quotient)),
                    // A quotient of such short numbers is never so near to another short number
                    // that 53 bits do not tell them apart.
                    rounding => round(quotient, rounding),
                };
                input(quotient, flags)
            }

            /// `a * b + c`, rounded once.
            #[inline]
            pub fn fma(a: u16, b: u16, c: u16, flags: FloatFlags) -> u16 {
                let (a, b, c) = (input(a, flags), input(b, flags), input(c, flags));
                let (a, b, c) = (widen(a), widen(b), widen(c));
                let sum = fused_odd(a, b, c);
                let sum = match flags.rounding {
                    Rounding::NearestEven => narrow(f64_to_f32_odd(sum)),
                    rounding => {
                        let product = f64::from(a) * f64::from(b);
                        round(zero_sum(sum, product, f64::from(c), rounding), rounding)
                    }
                };
                input(sum, flags)
            }

            /// √x
            #[inline]
            pub fn sqrt(x: u16, flags: FloatFlags) -> u16 {
                let root = f64::from(widen(input(x, flags))).sqrt();
                input(round(root, flags.rounding), flags)
            }

            /// The smaller; of a number and a NaN the number, of two NaNs 0x7fff; −0 is smaller
            /// than +0.
            #[inline]
            pub fn min(a: u16, b: u16, flags: FloatFlags) -> u16 {
                let (a, b) = (input(a, flags), input(b, flags));
                let (x, y) = (widen(a), widen(b));
                let least = if x == y { a | b } else if x < y { a } else { b };
                let first = if is_nan(b) { a } else { least };
                if is_nan(a) { if is_nan(b) { 0x7fff } else { b } } else { first }
            }

            /// The larger; of a number and a NaN the number, of two NaNs 0x7fff; −0 is smaller than
            /// +0.
            #[inline]
            pub fn max(a: u16, b: u16, flags: FloatFlags) -> u16 {
                let (a, b) = (input(a, flags), input(b, flags));
                let (x, y) = (widen(a), widen(b));
                let greatest = if x == y { a & b } else if x > y { a } else { b };
                let first = if is_nan(b) { a } else { greatest };
                if is_nan(a) { if is_nan(b) { 0x7fff } else { b } } else { first }
            }

            /// The smaller, 0x7fff if either is NaN.
            #[inline]
            pub fn min_nan(a: u16, b: u16, flags: FloatFlags) -> u16 {
                if is_nan(a) || is_nan(b) { 0x7fff } else { min(a, b, flags) }
            }

            /// The larger, 0x7fff if either is NaN.
            #[inline]
            pub fn max_nan(a: u16, b: u16, flags: FloatFlags) -> u16 {
                if is_nan(a) || is_nan(b) { 0x7fff } else { max(a, b, flags) }
            }
        }
    };
}

operations! {
    /// Operations on the bits of f16.
    f16, Format::F16, crate::format::f16_to_f32, crate::format::f32_to_f16, 0x7c00, 0x7c00
}
operations! {
    /// Operations on the bits of bf16.
    bf16, Format::BF16, crate::format::bf16_to_f32, crate::format::f32_to_bf16, 0x7f80, 0x7f80
}
