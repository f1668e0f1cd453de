//! The emitted code, most of it executed on the model. One program: its tests, many of which wait for one
//! compiler, run side by side.

mod common;
mod edits;
mod in_place;
mod matrix;
mod offsets;
mod operators;
mod quotients;
mod rows;
mod scalar;
mod threads;
mod tiles;
