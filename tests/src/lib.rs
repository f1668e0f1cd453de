//! What the workspace tests share.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

pub mod cpu;
pub mod kernels;
pub mod mutate;
pub mod originals;
pub mod random;
pub mod reference;

pub use port_compilers as compilers;
