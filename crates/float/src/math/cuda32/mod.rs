//! CUDA's binary32 functions as the compiler expands them for sm_75 to sm_90 (CUDA 13.5; the same
//! operations and constants in 12.9 where both were looked at).
//!
//! A function's value is fixed by the order of its operations and by its constants; both are facts
//! read from the PTX that `nvcc` emits for a one-line kernel. `F` is the compilation's
//! `-ftz`. Results end as the one NaN these chips produce.

pub mod bessel;
pub mod error;
pub mod exponential;
pub mod gamma;
pub mod intrinsic;
pub mod logarithm;
pub mod power;
pub mod remainder;
pub mod rounded;
pub mod trigonometric;
mod wide;

use port_ir::MathFunction;

use crate::function::F32Function;

/// The function of one mode. `approximate`: fast math's and the intrinsics' forms; `sm`: the
/// architecture's number, for tanh became an instruction with 75.
pub fn function(
    function: MathFunction,
    approximate: bool,
    flush: bool,
    sm: u32,
) -> Option<F32Function> {
    if flush {
        select::<true>(function, approximate, sm)
    } else {
        select::<false>(function, approximate, sm)
    }
}

fn select<const F: bool>(
    function: MathFunction,
    approximate: bool,
    sm: u32,
) -> Option<F32Function> {
    wide::select::<F>(function, approximate).or_else(|| plain::<F>(function, approximate, sm))
}

/// The forms for any processor.
fn plain<const F: bool>(function: MathFunction, approximate: bool, sm: u32) -> Option<F32Function> {
    use F32Function::{Binary, Quaternary, Ternary, ToI32, Unary, WithI32};
    use MathFunction as M;
    if approximate {
        match function {
            M::SquareRoot => return Some(Unary(intrinsic::sqrt::<F>)),
            M::Reciprocal => return Some(Unary(intrinsic::rcp::<F>)),
            M::Exp => return Some(Unary(intrinsic::exp::<F>)),
            M::Exp10 => return Some(Unary(intrinsic::exp10::<F>)),
            M::Log => return Some(Unary(intrinsic::log::<F>)),
            M::Log2 => return Some(Unary(intrinsic::log2::<F>)),
            M::Log10 => return Some(Unary(intrinsic::log10::<F>)),
            M::Sin => return Some(Unary(intrinsic::sin::<F>)),
            M::Cos => return Some(Unary(intrinsic::cos::<F>)),
            M::Tan => return Some(Unary(intrinsic::tan::<F>)),
            M::Tanh if sm >= 75 => return Some(Unary(intrinsic::tanh)),
            M::Power => return Some(Binary(intrinsic::pow::<F>)),
            M::BesselY1 => return Some(Unary(bessel::y1_fast::<F>)),
            M::Hypot => return Some(Binary(power::hypot_fast::<F>)),
            M::Norm3 => return Some(Ternary(power::norm3_fast::<F>)),
            M::Norm4 => return Some(Quaternary(power::norm4_fast::<F>)),
            _ => {}
        }
    }
    Some(match function {
        M::SquareRoot => Unary(rounded::sqrt::<F>),
        M::ReciprocalSquareRoot => Unary(power::rsqrt::<F>),
        M::Reciprocal => Unary(rounded::rcp::<F>),
        M::CubeRoot => Unary(power::cbrt::<F>),
        M::ReciprocalCubeRoot => Unary(power::rcbrt::<F>),
        M::Exp => Unary(exponential::exp::<F>),
        M::Exp2 => Unary(exponential::exp2::<F>),
        M::Exp10 => Unary(exponential::exp10::<F>),
        M::ExpMinusOne => Unary(exponential::expm1::<F>),
        M::Log => Unary(logarithm::log::<F>),
        M::Log2 => Unary(logarithm::log2::<F>),
        M::Log10 => Unary(logarithm::log10::<F>),
        M::LogOnePlus => Unary(logarithm::log1p::<F>),
        M::LogBinary => Unary(logarithm::logb::<F>),
        M::Sin => Unary(trigonometric::sin::<F>),
        M::Cos => Unary(trigonometric::cos::<F>),
        M::Tan => Unary(trigonometric::tan::<F>),
        M::SinPi => Unary(trigonometric::sinpi::<F>),
        M::CosPi => Unary(trigonometric::cospi::<F>),
        M::Asin => Unary(trigonometric::asin::<F>),
        M::Acos => Unary(trigonometric::acos::<F>),
        M::Atan => Unary(trigonometric::atan::<F>),
        M::Atan2 => Binary(trigonometric::atan2::<F>),
        M::Sinh => Unary(exponential::sinh::<F>),
        M::Cosh => Unary(exponential::cosh::<F>),
        M::Tanh => Unary(exponential::tanh::<F>),
        M::Asinh => Unary(exponential::asinh::<F>),
        M::Acosh => Unary(exponential::acosh::<F>),
        M::Atanh => Unary(exponential::atanh::<F>),
        M::Erf => Unary(error::erf::<F>),
        M::Erfc => Unary(error::erfc::<F>),
        M::ErfcScaled => Unary(error::erfcx::<F>),
        M::ErfInverse => Unary(error::erfinv::<F>),
        M::ErfcInverse => Unary(error::erfcinv::<F>),
        M::NormalCdf => Unary(error::normcdf::<F>),
        M::NormalCdfInverse => Unary(error::normcdfinv::<F>),
        M::Gamma => Unary(gamma::tgamma::<F>),
        M::LogGamma => Unary(gamma::lgamma::<F>),
        M::BesselJ0 => Unary(bessel::j0::<F>),
        M::BesselJ1 => Unary(bessel::j1::<F>),
        M::BesselY0 => Unary(bessel::y0::<F>),
        M::BesselY1 => Unary(bessel::y1::<F>),
        M::BesselI0 => Unary(bessel::i0::<F>),
        M::BesselI1 => Unary(bessel::i1::<F>),
        M::Power => Binary(power::pow::<F>),
        M::ScaleByPowerOfTwo => WithI32(remainder::ldexp::<F>),
        M::FrexpFraction => Unary(remainder::frexp_fraction::<F>),
        M::FrexpExponent => ToI32(remainder::frexp_exponent::<F>),
        M::IntegerLogBinary => ToI32(remainder::ilogb::<F>),
        M::FloatModulo => Binary(remainder::fmod::<F>),
        M::FloatRemainder => Binary(remainder::remainder::<F>),
        M::Hypot => Binary(power::hypot::<F>),
        M::ReciprocalHypot => Binary(power::rhypot::<F>),
        M::Norm3 => Ternary(power::norm3::<F>),
        M::ReciprocalNorm3 => Ternary(power::rnorm3::<F>),
        M::Norm4 => Quaternary(power::norm4::<F>),
        M::ReciprocalNorm4 => Quaternary(power::rnorm4::<F>),
        M::PositiveDifference => Binary(remainder::fdim::<F>),
        M::CopySign => Binary(remainder::copysign),
        M::NextAfter => Binary(remainder::nextafter::<F>),
        M::Floor => Unary(rounded::floor::<F>),
        M::Ceil => Unary(rounded::ceil::<F>),
        M::Trunc => Unary(rounded::trunc::<F>),
        M::Round => Unary(remainder::round::<F>),
        M::RoundEven => Unary(rounded::rint::<F>),
        M::Saturate => Unary(rounded::saturate::<F>),
        _ => return None,
    })
}
