//! Approximate operations of CUDA, of operands and in modes that the caller names.

pub use super::hardware::{divide, divide_full_range, reciprocal, square_root};
