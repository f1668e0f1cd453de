//! Analyses of valid modules: facts that ports are decided by.
//!
//! * [`flow`]: the order of statements; which stores a load of a local may see.
//! * [`uniformity`]: which values are the same for the threads of a warp, block or grid, and which
//!   statements such threads execute together.
//! * [`divergence`]: barriers and warp operations that may be executed by only some of the threads
//!   that should take part.
//! * [`warp_size`]: constants that stand for the number of lanes in a warp.
//! * [`progress`]: loops that wait for another thread.
//! * [`affine`]: addresses as polynomials over thread numbers and passes of loops.
//!
//! They work on a [`program::Program`]: a module, the [`ModuleInfo`](crate::ModuleInfo) that
//! validating it gave, and the flow of each function. On modules that are not valid they may panic.
//! They see most in a module that [`crate::passes::flatten`] has made: there a constant that reaches a
//! shuffle through a method of an object is as plain as one that stands in it. Places stay those of
//! the user's text; what is inlined at several calls may be reported for each. All are deterministic and take time about
//! proportional to the module.

pub mod affine;
pub mod divergence;
pub mod flow;
pub mod program;
pub mod progress;
mod slots;
pub mod uniformity;
pub mod warp_size;
