//! f32 and f64.

macro_rules! operations {
    ($(#[$doc:meta])* $module:ident, $float:ident, $bits:ty, $format:expr, $flush_mask:expr, $fused:path) => {
        $(#[$doc])*
        pub mod $module {
            use core::primitive::$float;
            use port_ir::{FloatFlags, Rounding};

            use crate::arithmetic::exact;
            use crate::format::{Format, Parts};

            const FORMAT: Format = $format;
            const EXPONENT: $bits = $flush_mask;
            const SIGN: $bits = 1 << (<$bits>::BITS - 1);

            /// A subnormal number as the zero of its sign.
            #[inline]
            pub fn flush(x: $float) -> $float {
                let bits = x.to_bits();
                if bits & EXPONENT == 0 { $float::from_bits(bits & SIGN) } else { x }
            }

            #[inline]
            fn input(x: $float, flags: FloatFlags) -> $float {
                if flags.flush { flush(x) } else { x }
            }

            fn parts(x: $float) -> Option<Parts> {
                FORMAT.parts(x.to_bits().into())
            }

            fn from_bits(bits: u64) -> $float {
                $float::from_bits(bits as $bits)
            }

            /// `a + b`
            #[inline]
            pub fn add(a: $float, b: $float, flags: FloatFlags) -> $float {
                let (a, b) = (input(a, flags), input(b, flags));
                let sum = match flags.rounding {
                    Rounding::NearestEven => a + b,
                    rounding => match (parts(a), parts(b)) {
                        (Some(x), Some(y)) => from_bits(exact::add(FORMAT, x, y, rounding)),
                        _ => a + b,
                    },
                };
                input(sum, flags)
            }

            /// `a - b`
            #[inline]
            pub fn sub(a: $float, b: $float, flags: FloatFlags) -> $float {
                if flags.rounding == Rounding::NearestEven {
                    return input(input(a, flags) - input(b, flags), flags);
                }
                // A NaN's sign stays.
                add(a, if b.is_nan() { b } else { -b }, flags)
            }

            /// `a * b`
            #[inline]
            pub fn mul(a: $float, b: $float, flags: FloatFlags) -> $float {
                let (a, b) = (input(a, flags), input(b, flags));
                let product = match flags.rounding {
                    Rounding::NearestEven => a * b,
                    rounding => match (parts(a), parts(b)) {
                        (Some(x), Some(y)) => from_bits(exact::multiply(FORMAT, x, y, rounding)),
                        _ => a * b,
                    },
                };
                input(product, flags)
            }

            /// `a / b`, correctly rounded.
            #[inline]
            pub fn div(a: $float, b: $float, flags: FloatFlags) -> $float {
                let (a, b) = (input(a, flags), input(b, flags));
                let quotient = match flags.rounding {
                    Rounding::NearestEven => a / b,
                    rounding => match (parts(a), parts(b)) {
                        (Some(x), Some(y)) if b != 0.0 => {
                            from_bits(exact::divide(FORMAT, x, y, rounding))
                        }
                        _ => a / b,
                    },
                };
                input(quotient, flags)
            }

            /// `a * b + c`, rounded once.
            #[inline]
            pub fn fma(a: $float, b: $float, c: $float, flags: FloatFlags) -> $float {
                let (a, b, c) = (input(a, flags), input(b, flags), input(c, flags));
                let sum = match flags.rounding {
                    Rounding::NearestEven => $fused(a, b, c),
                    rounding => match (parts(a), parts(b), parts(c)) {
                        (Some(x), Some(y), Some(z)) => {
                            from_bits(exact::fused_multiply_add(FORMAT, x, y, z, rounding))
                        }
                        _ => $fused(a, b, c),
                    },
                };
                input(sum, flags)
            }

            /// √x, correctly rounded.
            #[inline]
            pub fn sqrt(x: $float, flags: FloatFlags) -> $float {
                let x = input(x, flags);
                let root = match flags.rounding {
                    Rounding::NearestEven => x.sqrt(),
                    rounding => match parts(x) {
                        Some(y) if x > 0.0 => from_bits(exact::square_root(FORMAT, y, rounding)),
                        _ => x.sqrt(),
                    },
                };
                input(root, flags)
            }

            /// The smaller; of a number and a NaN the number; −0 is smaller than +0.
            #[inline]
            pub fn min(a: $float, b: $float, flags: FloatFlags) -> $float {
                let (a, b) = (input(a, flags), input(b, flags));
                // Of equal numbers, which differ in the sign of zero at most, a set sign wins.
                let equal = $float::from_bits(a.to_bits() | b.to_bits());
                let lower = if a < b { a } else { b };
                let least = if a == b { equal } else { lower };
                if b.is_nan() { a } else { least }
            }

            /// The larger; of a number and a NaN the number; −0 is smaller than +0.
            #[inline]
            pub fn max(a: $float, b: $float, flags: FloatFlags) -> $float {
                let (a, b) = (input(a, flags), input(b, flags));
                let equal = $float::from_bits(a.to_bits() & b.to_bits());
                let upper = if a > b { a } else { b };
                let greatest = if a == b { equal } else { upper };
                if b.is_nan() { a } else { greatest }
            }

            /// The smaller, NaN if either is NaN.
            #[inline]
            pub fn min_nan(a: $float, b: $float, flags: FloatFlags) -> $float {
                let least = min(a, b, flags);
                if a.is_nan() { a } else if b.is_nan() { b } else { least }
            }

            /// The larger, NaN if either is NaN.
            #[inline]
            pub fn max_nan(a: $float, b: $float, flags: FloatFlags) -> $float {
                let greatest = max(a, b, flags);
                if a.is_nan() { a } else if b.is_nan() { b } else { greatest }
            }

            /// The smaller as a C library has it: of equal numbers the second.
            #[inline]
            pub fn min_second(a: $float, b: $float) -> $float {
                if a < b || b.is_nan() { a } else { b }
            }

            /// The larger as a C library has it: of equal numbers the second.
            #[inline]
            pub fn max_second(a: $float, b: $float) -> $float {
                if a > b || b.is_nan() { a } else { b }
            }
        }
    };
}

/// `a * b + c` in f32, rounded once, without the processor's instruction: the product is exact in
/// f64, the error of the sum is known, and a sum whose last bit is made odd where it is inexact
/// rounds to f32 as the exact one would.
#[inline]
pub fn fused_f32(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let sum = product + c;
    let part = sum - product;
    let error = (product - (sum - part)) + (c - part);
    let bits = sum.to_bits();
    // Of an infinity or NaN the error is NaN, which compares false with everything.
    let inexact = (error > 0.0) | (error < 0.0);
    let outward = (error > 0.0) == (sum > 0.0);
    let odd = if outward { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    let adjust = inexact & (bits & 1 == 0);
    f64::from_bits(if adjust { odd } else { bits }) as f32
}

#[inline]
fn fused_f64(a: f64, b: f64, c: f64) -> f64 {
    a.mul_add(b, c)
}

operations! {
    /// Operations on f32.
    single, f32, u32, Format::F32, 0x7f80_0000, crate::arithmetic::wide::fused_f32
}
operations! {
    /// Operations on f64.
    double, f64, u64, Format::F64, 0x7ff0_0000_0000_0000, crate::arithmetic::wide::fused_f64
}
