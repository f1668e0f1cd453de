//! Analyses of valid modules: facts that ports are decided by.
//!
//! * [`flow`]: the order of statements; which stores a load of a local may see.
//! * [`uniformity`]: which values are the same for the threads of a warp, block or grid, and which
//!   statements such threads execute together.
//! * [`divergence`]: barriers and warp operations that may be executed by only some of the threads
//!   that should take part.
//!
//! An analysis takes a module and the [`ModuleInfo`](crate::ModuleInfo) that validating it gave;
//! on modules that are not valid it may panic. All are deterministic and take time about
//! proportional to the module.

pub mod divergence;
pub mod flow;
pub mod uniformity;
