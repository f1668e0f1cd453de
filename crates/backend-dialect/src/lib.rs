//! Targets that speak a dialect of CUDA C++: their ports are edits of the user's own text.
//!
//! Renames are the easy half: the API tables say what a name becomes and the front end's meanings
//! say which tokens are that name. The hard half is what stays spelled the same and means something
//! else: the width of a warp, lock step, contraction, a branch on `__CUDA_ARCH__`. Each edit carries
//! the row or the finding that asked for it; whatever is not certain is a finding, not an edit.
//!
//! One folder a target, each with the same file names.

mod arithmetic;
pub mod compat;
pub mod findings;
pub mod hip;
mod ptx;
pub use port_rewrite::program;

pub use hip::Hip;
