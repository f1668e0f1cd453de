//! What the workspace tests share.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

#[path = "../../xtask/src/compilers.rs"]
pub mod compilers;
pub mod kernels;
pub mod reference;
