//! CUDA's functions on f16 and bf16, as `cuda_fp16.h` and `cuda_bf16.h` of CUDA 13.5 expand them for
//! sm_80 and later: an f32 computation, rounded once more by the caller.
//!
//! The headers correct the few operands whose result the unit's error would round to the wrong side.
//! The corrected result is the correctly rounded one, which is what is given for these operands; the
//! other results rest on the unit's models.

use port_ir::{FloatFlags, MathFunction, Scalar};

use super::{correct_f32, cuda32, hardware};
use crate::function::F32Function;

/// The function: operand as f32, exactly; result to be rounded to the nearest, ties to even. `None`
/// where the f32 function serves.
pub fn cuda_narrow(
    scalar: Scalar,
    function: MathFunction,
    flags: FloatFlags,
) -> Option<F32Function> {
    match scalar {
        Scalar::F16 => half(function, flags.approximate),
        Scalar::Bf16 => brain(function),
        _ => None,
    }
}

/// Whether an operand is one of those that the header names by their bits.
fn is_one_of(x: f32, operands: &[u16]) -> bool {
    operands.iter().any(|&bits| crate::arithmetic::f16::widen(bits) == x)
}

fn corrected(function: MathFunction, x: f32, operands: &[u16], result: f32) -> f32 {
    if !is_one_of(x, operands) {
        return result;
    }
    match correct_f32(function) {
        Some(F32Function::Unary(of)) => of(x),
        _ => result,
    }
}

fn half(function: MathFunction, approximate: bool) -> Option<F32Function> {
    use F32Function::Unary;
    use MathFunction as M;
    Some(match function {
        M::Exp => Unary(|x| {
            let result = hardware::ex2(x * f32::from_bits(0x3fb8_aa3b));
            corrected(M::Exp, x, &[0x1f79, 0x25cf, 0xc13b, 0xc1ef], result)
        }),
        // Nudged up, so that what lies just below a tie after the unit's rounding goes up.
        M::Exp2 => Unary(|x| {
            let result = hardware::ex2(x);
            hardware::canonical(result.mul_add(f32::from_bits(0x3380_0000), result))
        }),
        M::Exp10 => Unary(|x| {
            let result = hardware::ex2(x * f32::from_bits(0x4054_9a78));
            corrected(M::Exp10, x, &[0x34de, 0x9766, 0x9972, 0xa5c4, 0xbf0a], result)
        }),
        M::Log => Unary(|x| {
            let result = hardware::lg2(x) * f32::from_bits(0x3f31_7218);
            corrected(M::Log, x, &[0x160d, 0x3bfe, 0x3c0b, 0x6051], result)
        }),
        M::Log2 => Unary(hardware::lg2),
        M::Log10 => Unary(|x| {
            let result = hardware::lg2(x) * f32::from_bits(0x3e9a_209b);
            corrected(M::Log10, x, &[0x338f, 0x33f8, 0x57e1, 0x719d], result)
        }),
        M::Sin => Unary(|x| {
            let magnitude = corrected(M::Sin, x.abs(), &[0x32b3, 0x5cb0], sine(x.abs(), 0));
            if x.is_sign_negative() { -magnitude } else { magnitude }
        }),
        M::Cos => Unary(|x| corrected(M::Cos, x.abs(), &[0x2b7c], sine(x, 1))),
        M::SquareRoot => Unary(hardware::sqrt),
        M::ReciprocalSquareRoot => Unary(hardware::rsq),
        M::Reciprocal => Unary(hardware::rcp),
        M::Tanh if approximate => Unary(hardware::tanh),
        M::Tanh => Unary(cuda32::exponential::tanh::<false>),
        _ => return None,
    })
}

/// sin of x and so many quarter turns, with shorter polynomials than f32 has.
fn sine(x: f32, turns: u32) -> f32 {
    let magic = f32::from_bits(0x4b40_0000);
    let shifted = x.mul_add(f32::from_bits(0x3f22_f983), magic);
    let quarters = (shifted.to_bits() & 3) + turns;
    let whole = shifted - magic;
    let rest = whole.mul_add(f32::from_bits(0xbfc9_0fda), x);
    let rest = whole.mul_add(f32::from_bits(0xb3a2_2168), rest);
    let square = rest * rest;
    let step = |sum: f32, bits: u32| sum.mul_add(square, f32::from_bits(bits));
    let result = if quarters & 1 == 0 {
        let series = step(step(f32::from_bits(0xb94c_a1f9), 0x3c08_839e), 0xbe2a_aaa3);
        step(series, 0).mul_add(rest, rest)
    } else {
        let series = step(step(f32::from_bits(0x37cc_f5ce), 0xbab6_061a), 0x3d2a_aaa5);
        step(series, 0xbf00_0000).mul_add(square, 1.0)
    };
    hardware::canonical(if quarters & 2 == 0 { result } else { -result })
}

fn brain(function: MathFunction) -> Option<F32Function> {
    use F32Function::Unary;
    use MathFunction as M;
    Some(match function {
        // The factor one unit above the nearest.
        M::Exp => Unary(|x| hardware::exp2(x * f32::from_bits(0x3fb8_aa3c), false)),
        M::Exp2 => Unary(|x| hardware::exp2(x, false)),
        M::Exp10 => Unary(|x| {
            if x.to_bits() == 0xbc95_0000 {
                return f32::from_bits(0x3f75_0000);
            }
            hardware::exp2(x * f32::from_bits(0x4054_9a78), false)
        }),
        M::Log => Unary(|x| hardware::log2(x, false) * f32::from_bits(0x3f31_7218)),
        M::Log2 => Unary(|x| hardware::log2(x, false)),
        M::Log10 => Unary(|x| hardware::log2(x, false) * f32::from_bits(0x3e9a_209b)),
        M::SquareRoot => Unary(|x| hardware::square_root(x, false)),
        M::ReciprocalSquareRoot => Unary(|x| hardware::rsqrt(x, false)),
        M::Reciprocal => Unary(|x| hardware::reciprocal(x, false)),
        M::Tanh => Unary(hardware::tanh),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every f16 operand: the result, rounded to f16, is the correctly rounded one or its neighbour,
    /// and almost always the former; the headers promise no more.
    #[test]
    fn every_half_operand() {
        for function in [
            MathFunction::Exp,
            MathFunction::Exp2,
            MathFunction::Exp10,
            MathFunction::Log,
            MathFunction::Log2,
            MathFunction::Log10,
            MathFunction::Sin,
            MathFunction::Cos,
            MathFunction::Tanh,
            MathFunction::SquareRoot,
            MathFunction::ReciprocalSquareRoot,
            MathFunction::Reciprocal,
        ] {
            let Some(F32Function::Unary(of)) =
                cuda_narrow(Scalar::F16, function, FloatFlags::STRICT)
            else {
                panic!("{function:?}")
            };
            let Some(F32Function::Unary(exact)) = correct_f32(function) else { panic!() };
            let mut others = 0;
            for bits in 0..=u16::MAX {
                let x = crate::arithmetic::f16::widen(bits);
                if x.is_nan() {
                    continue;
                }
                let (got, expected) = (of(x), exact(x));
                assert_eq!(got.is_nan(), expected.is_nan(), "{function:?}({x:e})");
                if got.is_nan() {
                    continue;
                }
                let narrow = |x| crate::arithmetic::f16::narrow(x);
                let steps = narrow(got).abs_diff(narrow(expected));
                assert!(steps <= 1, "{function:?}({x:e}) = {got:e}, not {expected:e}");
                others += u32::from(steps);
            }
            assert!(others <= 8, "{function:?}: {others} results are not the nearest");
        }
    }
}
