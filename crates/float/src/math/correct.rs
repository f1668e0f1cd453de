//! Functions of the profile `exact`, rounded to the nearest.
//!
//! On f32 a function is computed in binary64 by the C library, whose error is below one unit of the
//! 53rd bit, and rounded once more. That is the correctly rounded result unless the exact value lies
//! within 2^-29 of a unit from the middle between two neighbours, which about one operand of 10^8
//! meets. On f64 it is the C library's result: within one unit of the last place, no more.

use port_ir::MathFunction;

use crate::function::{F32Function, F64Function};
use crate::libm;

macro_rules! narrowed {
    ($function:ident; $($name:ident),* $(,)?) => {
        match $function {
            $( MathFunction::$name => Some(F32Function::Unary(|x| match libm::f64(MathFunction::$name) {
                Some(F64Function::Unary(wide)) => wide(f64::from(x)) as f32,
                _ => f32::NAN,
            })), )*
            _ => None,
        }
    };
}

/// The function on f32, correctly rounded but for the rare case above.
pub fn correct_f32(function: MathFunction) -> Option<F32Function> {
    let narrowed = narrowed!(function;
        CubeRoot, ReciprocalCubeRoot, Exp, Exp2, Exp10, ExpMinusOne, Log, Log2, Log10, LogOnePlus,
        Sin, Cos, Tan, SinPi, CosPi, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Erf,
        Erfc, ErfcScaled, ErfInverse, ErfcInverse, NormalCdf, NormalCdfInverse, Gamma, LogGamma,
        BesselJ0, BesselJ1, BesselY0, BesselY1, BesselI0, BesselI1, ReciprocalSquareRoot,
    );
    narrowed.or_else(|| match function {
        MathFunction::Atan2 => Some(F32Function::Binary(|a, b| wide2(MathFunction::Atan2, a, b))),
        MathFunction::Power => Some(F32Function::Binary(|a, b| wide2(MathFunction::Power, a, b))),
        MathFunction::Hypot => Some(F32Function::Binary(|a, b| wide2(MathFunction::Hypot, a, b))),
        MathFunction::ReciprocalHypot => {
            Some(F32Function::Binary(|a, b| wide2(MathFunction::ReciprocalHypot, a, b)))
        }
        // Exact, or rounded once, by the C library itself.
        _ => libm::f32(function),
    })
}

fn wide2(function: MathFunction, a: f32, b: f32) -> f32 {
    match libm::f64(function) {
        Some(F64Function::Binary(wide)) => wide(f64::from(a), f64::from(b)) as f32,
        _ => f32::NAN,
    }
}

/// The function on f64: the C library's.
pub fn correct_f64(function: MathFunction) -> Option<F64Function> {
    libm::f64(function)
}
