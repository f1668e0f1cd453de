//! Float profiles: how each chip and its compiler round, as data and as passes over the IR.
//!
//! A [`Profile`] says what a kernel's float operations compute on one side: a chip with its compiler
//! and flags (`cuda:sm_80+fast-math`, `hip:gfx90a`, `ascend:950`), a CPU port (`cpu`), or mathematics
//! (`exact`). It is used in two steps. [`resolve()`] makes of a module what that side's compiler makes
//! of it: products and sums become fused operations where it fuses them, and each operation's flags
//! say exactly how it rounds and flushes. What executes the module then asks for single operations
//! ([`arithmetic`], [`format`]), functions ([`Profile::f32_function`]) and matrix units ([`matrix`]).
//!
//! Each part of a profile is *measured*, *documented* or *modelled* ([`Profile::parts`]); where a
//! chip's bits are not public the profile computes a stand-in and holds an [`Envelope`].

pub mod arithmetic;
pub mod chunk;
pub mod format;
mod function;
mod libm;
pub mod math;
pub mod matrix;
mod profile;
mod resolve;

pub use function::{F32Function, F64Function};
pub use profile::{
    Contraction, Difference, Division, Envelope, Evidence, Functions, Nan, Part, PartId, Profile,
    Side, UnknownProfile,
};
pub use resolve::resolve;
