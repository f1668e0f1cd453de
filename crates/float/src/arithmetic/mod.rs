//! Single float operations, as a processor does them: on values (f32, f64) and on bits (f16, bf16),
//! with the rounding and the flushing that [`FloatFlags`](port_ir::FloatFlags) ask for.
//!
//! Rounding to nearest even is the processor's own, or a short computation in f64 that loops over
//! lanes vectorise; other roundings are computed in integers ([`exact`]). All functions are inlined,
//! so that a caller whose flags are constants pays for nothing else.
//!
//! NaN results have the bits that this processor gives them; [`canonical_f32`] and its kin make them
//! those of a chip that has one NaN only.

pub mod exact;
mod narrow;
mod wide;

/// On f32.
pub use wide::single as f32;

/// On f64.
pub use wide::double as f64;

/// On the bits of f16.
pub use narrow::f16;

/// On the bits of bf16.
pub use narrow::bf16;

/// A subnormal f32 as the zero of its sign.
#[inline]
pub fn flush_f32(x: core::primitive::f32) -> core::primitive::f32 {
    let bits = x.to_bits();
    if bits & 0x7f80_0000 == 0 { core::primitive::f32::from_bits(bits & 0x8000_0000) } else { x }
}

/// NaN as 0x7fffffff: what every f32 operation of an NVIDIA GPU gives.
///
/// On bits, because the language does not promise the bits of a NaN, and a choice between two is
/// taken away by the compiler.
#[inline]
pub fn canonical_f32(x: core::primitive::f32) -> core::primitive::f32 {
    let bits = x.to_bits();
    let is_nan = bits & 0x7fff_ffff > 0x7f80_0000;
    core::primitive::f32::from_bits(if is_nan { 0x7fff_ffff } else { bits })
}

/// NaN as 0x7fff, of f16 and bf16 alike; `infinity` is the format's.
#[inline]
pub fn canonical_narrow(x: u16, infinity: u16) -> u16 {
    if x & 0x7fff > infinity { 0x7fff } else { x }
}
