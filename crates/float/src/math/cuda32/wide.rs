//! The functions that kernels call most, compiled for processors that multiply and add in one
//! instruction: without it each of their steps would be a call of the C library's `fmaf`. Values are
//! the same in every bit, for that function is exact too.

use port_ir::MathFunction;

use super::{error, exponential, intrinsic, logarithm, power, trigonometric};
use crate::function::F32Function;

/// The function of one mode, where this processor has the instruction and the function is one of them.
#[cfg(target_arch = "x86_64")]
pub(super) fn select<const F: bool>(
    function: MathFunction,
    approximate: bool,
) -> Option<F32Function> {
    use F32Function::{Binary, Unary};
    use MathFunction as M;
    if !(std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")) {
        return None;
    }
    macro_rules! wide {
        ($kind:ident($($x:ident),*) $($path:ident)::+) => {{
            #[target_feature(enable = "avx2,fma")]
            fn wide<const F: bool>($($x: f32),*) -> f32 {
                $($path)::+::<F>($($x),*)
            }
            // SAFETY: the processor has both features, as was found above.
            #[allow(unsafe_code)]
            $kind(|$($x),*| unsafe { wide::<F>($($x),*) })
        }};
    }
    if approximate {
        match function {
            M::Exp => return Some(wide!(Unary(x) intrinsic::exp)),
            M::Power => return Some(wide!(Binary(x, y) intrinsic::pow)),
            // Others have forms of fast math that are one instruction of the unit.
            M::Exp10 | M::Log | M::Log2 | M::Log10 | M::Sin | M::Cos | M::Tan | M::Tanh => {
                return None;
            }
            _ => {}
        }
    }
    Some(match function {
        M::Exp => wide!(Unary(x) exponential::exp),
        M::Exp10 => wide!(Unary(x) exponential::exp10),
        M::ExpMinusOne => wide!(Unary(x) exponential::expm1),
        M::Sinh => wide!(Unary(x) exponential::sinh),
        M::Cosh => wide!(Unary(x) exponential::cosh),
        M::Tanh => wide!(Unary(x) exponential::tanh),
        M::Log => wide!(Unary(x) logarithm::log),
        M::Log2 => wide!(Unary(x) logarithm::log2),
        M::Log10 => wide!(Unary(x) logarithm::log10),
        M::LogOnePlus => wide!(Unary(x) logarithm::log1p),
        M::Sin => wide!(Unary(x) trigonometric::sin),
        M::Cos => wide!(Unary(x) trigonometric::cos),
        M::Atan => wide!(Unary(x) trigonometric::atan),
        M::Erf => wide!(Unary(x) error::erf),
        M::Power => wide!(Binary(x, y) power::pow),
        _ => return None,
    })
}

/// No other processor is known to need it.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn select<const F: bool>(_: MathFunction, _: bool) -> Option<F32Function> {
    let _ = (error::erf::<F>, exponential::exp::<F>, intrinsic::exp::<F>, logarithm::log::<F>);
    let _ = (power::pow::<F>, trigonometric::sin::<F>);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit patterns of all kinds, and all special ones.
    fn operands() -> impl Iterator<Item = f32> {
        let special = [0u32, 1, 0x007f_ffff, 0x0080_0000, 0x3f80_0000, 0x7f80_0000, 0x7fc0_0000];
        let spread = (0..40_000u32).map(|i| i.wrapping_mul(0x9e37_79b9));
        let usual = (0..20_000u32).map(|i| (i as f32 * 0.01).to_bits());
        let bits = special.into_iter().chain(spread).chain(usual);
        bits.flat_map(|bits| [f32::from_bits(bits), f32::from_bits(bits ^ 0x8000_0000)])
    }

    fn compare<const F: bool>(approximate: bool) -> usize {
        let mut compared = 0;
        for function in MathFunction::ALL {
            let Some(wide) = select::<F>(*function, approximate) else { continue };
            compared += 1;
            let plain = super::super::plain::<F>(*function, approximate, 80);
            match (wide, plain) {
                (F32Function::Unary(wide), Some(F32Function::Unary(plain))) => {
                    for x in operands() {
                        let (a, b) = (wide(x).to_bits(), plain(x).to_bits());
                        assert_eq!(a, b, "{function:?} of {x:e}");
                    }
                }
                (F32Function::Binary(wide), Some(F32Function::Binary(plain))) => {
                    for (x, y) in operands().zip(operands().skip(7777)) {
                        let (a, b) = (wide(x, y).to_bits(), plain(x, y).to_bits());
                        assert_eq!(a, b, "{function:?} of {x:e}, {y:e}");
                    }
                }
                other => panic!("{function:?} has another form: {other:?}"),
            }
        }
        compared
    }

    #[test]
    fn wide_forms_give_the_same_bits() {
        let counts = [
            compare::<false>(false),
            compare::<true>(false),
            compare::<false>(true),
            compare::<true>(true),
        ];
        let expected = if select::<false>(MathFunction::Exp, false).is_some() {
            [15, 15, 8, 8]
        } else {
            [0; 4]
        };
        assert_eq!(counts, expected);
    }
}
