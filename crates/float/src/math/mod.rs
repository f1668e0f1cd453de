//! Mathematical functions, bit for bit where a chip's compiler fixes every bit.
//!
//! * [`cuda32`] and [`cuda64`] hold CUDA's functions on f32 and f64, [`narrow`] those on f16 and bf16:
//!   reduction, polynomial and corrections as the compiler expands them, which is exact. Most f32
//!   functions end in one or two of the eight approximations of the special function unit, whose
//!   tables are not public: [`hardware`] models them, with the sequences around them.
//! * [`correct`] holds mathematics itself, rounded to the nearest.
//!
//! The functions were compared with an interpretation of the PTX that `nvcc` 13.5 makes of a call, over
//! the same models of the unit: equal in every bit on hundreds of thousands of operands each, all
//! special ones, subnormals and boundaries among them. What has no expansion here (`jn`, `yn`, `powi`;
//! on f64 also the gamma and Bessel functions, `erfcx` and the inverses of the error functions) is the
//! C library's.

pub mod approximate;
pub mod correct;
pub mod cuda32;
pub mod cuda64;
pub mod hardware;
pub mod narrow;
mod number;

use port_ir::{FloatFlags, MathFunction};

pub use crate::function::{F32Function, F64Function};
pub use correct::{correct_f32, correct_f64};
pub use narrow::cuda_narrow;

/// CUDA's function on f32 as `flags` ask for it, on an architecture from sm_75 on.
pub fn cuda_f32(function: MathFunction, flags: FloatFlags) -> Option<F32Function> {
    cuda_f32_on(75, function, flags)
}

/// CUDA's function on f32 as `flags` ask for it: `approximate` for fast math's and the intrinsics'
/// forms, `flush` for `-ftz`. `sm` is the architecture's number.
pub fn cuda_f32_on(sm: u32, function: MathFunction, flags: FloatFlags) -> Option<F32Function> {
    cuda32::function(function, flags.approximate, flags.flush, sm)
}

/// CUDA's function on f64. It has one form: neither `-ftz` nor fast math changes it.
pub fn cuda_f64(function: MathFunction) -> Option<F64Function> {
    cuda64::function(function)
}
