//! The SIMT machine: runs kernels of the IR on a processor under a float profile.
//!
//! A [`Program`] is one kernel with what it calls, compiled to instructions that each act on all
//! lanes of a unit of threads: whole blocks where their threads may advance together, a warp where
//! they must not. It runs over the buffers of a [`Memory`], as a [`Launch`] says, and gives an
//! [`Outcome`] (what was printed, what the checks found, counters) or ends with a [`Fault`].
//!
//! ```text
//! module (resolved for the profile, flattened, valid) ──Program::new──► instructions
//!                                   Memory, Launch, Options ──run──► Outcome | Fault
//! ```
//!
//! Same program, memory, launch and options: same result, bit for bit. Where a real device leaves an
//! order open (of blocks, of atomic operations of different threads), [`Schedule`] chooses it.
//!
//! # Addresses
//!
//! A pointer is 64 bits: an object (a buffer, a variable, a block's shared variable, a thread's local
//! variable) and a place in it, see [`memory`]. So every access is checked against the object that
//! its pointer was made from, however it was computed, and a fault names that object.

mod check;
mod compile;
pub mod launch;
mod machine;
pub mod memory;
pub mod names;
pub mod outcome;
pub mod program;
mod together;
pub mod trace;

pub use launch::{Argument, Checks, Launch, Options, Schedule};
pub use memory::{BufferId, Memory};
pub use outcome::{
    Access, Counters, Fault, FaultKind, Finding, FindingKind, Outcome, Participant, StatementError,
};
pub use program::{Parameter, Program, Unsupported};
pub use trace::{Event, Point, Trace, TraceRequest};
