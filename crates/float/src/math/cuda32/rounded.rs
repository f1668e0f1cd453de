//! Roots and reciprocals that round once, and roundings to integers.

use crate::math::hardware::{canonical, flush, saturate as into_unit};

fn in_mode<const F: bool>(x: f32) -> f32 {
    if F { flush(x) } else { x }
}

/// √x
pub fn sqrt<const F: bool>(x: f32) -> f32 {
    canonical(in_mode::<F>(x).sqrt())
}

/// 1/x
pub fn rcp<const F: bool>(x: f32) -> f32 {
    canonical(in_mode::<F>(1.0 / in_mode::<F>(x)))
}

/// Down to an integer.
pub fn floor<const F: bool>(x: f32) -> f32 {
    canonical(in_mode::<F>(x).floor())
}

/// Up to an integer.
pub fn ceil<const F: bool>(x: f32) -> f32 {
    canonical(in_mode::<F>(x).ceil())
}

/// Toward zero to an integer.
pub fn trunc<const F: bool>(x: f32) -> f32 {
    canonical(x.trunc())
}

/// To the nearest integer, ties to even.
pub fn rint<const F: bool>(x: f32) -> f32 {
    canonical(x.round_ties_even())
}

/// Into [0, 1]; NaN gives 0.
pub fn saturate<const F: bool>(x: f32) -> f32 {
    into_unit(in_mode::<F>(x))
}
