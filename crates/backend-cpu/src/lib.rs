//! The CPU target: C++17 in which kernels are loops over the threads of a block, joined with the
//! user's own host code, and a header that gives CUDA's names a meaning on a CPU.

pub mod kernel;
