//! What the workspace tests share.

#[path = "../../xtask/src/compilers.rs"]
pub mod compilers;
pub mod kernels;
pub mod reference;
