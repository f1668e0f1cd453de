//! Conformance of the fiber oracle: small kernels, one construct each, whose results this test
//! computes by itself; and whole programs.

#![allow(clippy::disallowed_methods, reason = "tests read their kernels")]

mod arithmetic;
mod block;
mod common;
mod errors;
mod library;
mod matrix;
mod program;
mod warp;
mod wave;
