//! Fuzzing of every stage, on stable Rust and in one process: mutants of real texts go through a
//! stage, which must not panic, must keep its promises and must end in time.
//!
//! * [`mutate`]: one text from another, by bytes, tokens and lines;
//! * [`stages`]: what is run, what it starts from and what must hold;
//! * [`minimise`]: the shortest text that still fails.
//!
//! `cargo xtask fuzz` runs stages for a time; the tests of this crate replay what it once found
//! (`fixtures/fuzz/<stage>/`) and run a few mutants of each stage.

#![allow(clippy::disallowed_methods, reason = "seeds are files, and time is what is measured")]

pub mod minimise;
pub mod mutate;
pub mod run;
pub mod stages;

pub use mutate::Random;
pub use run::{Failure, run};
pub use stages::{STAGES, Stage};
