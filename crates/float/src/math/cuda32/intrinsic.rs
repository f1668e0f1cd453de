//! The forms that fast math and the `__` intrinsics choose: one or two unit functions.

use crate::math::hardware;
use crate::math::number::{Number, constant};

/// 2^(x · log₂ e)
pub fn exp<const F: bool>(x: f32) -> f32 {
    (Number::<F>::new(x) * constant(0x3fb8_aa3b)).exp2().result()
}

/// 2^(x · log₂ 10)
pub fn exp10<const F: bool>(x: f32) -> f32 {
    (Number::<F>::new(x) * constant(0x4054_9a78)).exp2().result()
}

/// log₂ x
pub fn log2<const F: bool>(x: f32) -> f32 {
    Number::<F>::new(x).log2().result()
}

/// log₂ x · ln 2
pub fn log<const F: bool>(x: f32) -> f32 {
    (Number::<F>::new(x).log2() * constant(0x3f31_7218)).result()
}

/// log₂ x · log₁₀ 2
pub fn log10<const F: bool>(x: f32) -> f32 {
    (Number::<F>::new(x).log2() * constant(0x3e9a_209b)).result()
}

/// 2^(b · log₂ a)
pub fn pow<const F: bool>(a: f32, b: f32) -> f32 {
    (Number::<F>::new(a).log2() * Number::new(b)).exp2().result()
}

/// sin x
pub fn sin<const F: bool>(x: f32) -> f32 {
    hardware::sine(x)
}

/// cos x
pub fn cos<const F: bool>(x: f32) -> f32 {
    hardware::cosine(x)
}

/// sin x / cos x
pub fn tan<const F: bool>(x: f32) -> f32 {
    hardware::divide(hardware::sine(x), hardware::cosine(x), F)
}

/// tanh x
pub fn tanh(x: f32) -> f32 {
    hardware::tanh(x)
}

/// √x
pub fn sqrt<const F: bool>(x: f32) -> f32 {
    hardware::canonical(hardware::square_root(x, F))
}

/// 1/x
pub fn rcp<const F: bool>(x: f32) -> f32 {
    hardware::reciprocal(x, F)
}
