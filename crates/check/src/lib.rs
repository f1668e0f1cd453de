//! Running original texts and ports, and comparing what they give.
//!
//! [`spec`] reads what to launch on which data, [`inline`] takes the same from a command line,
//! [`init`] writes a first one,
//! [`machine`] runs it on the SIMT machine, [`ports`] runs what a port emits, [`oracle`] compiles a text against the fiber runtime in
//! `oracle/` with the machine's C++ compiler and runs it, [`cpu`] compiles and runs ports for the
//! processor, [`ascend`] ports for Ascend on a model of its API. [`metrics`] compares results, [`rules`] accepts them, [`verdict`] says what a difference
//! is, [`attribution`] why there is one, [`growth`] how it grows over steps, [`judge`] puts it all together. [`traced`] shows what a line
//! computes, [`toolchain`] finds compilers.
//!
//! [`spec`], [`oracle`] and [`cpu`] use nothing of the front end: the oracle must not share a defect
//! with what it checks.

pub mod arguments;
pub mod ascend;
pub mod attribution;
pub mod cpu;
pub mod expression;
pub mod findings;
pub mod fixes;
pub mod generate;
pub mod growth;
pub mod init;
pub mod inline;
pub mod judge;
pub mod lines;
pub mod localize;
pub mod machine;
pub mod machine_findings;
pub mod metrics;
pub mod npy;
pub mod oracle;
pub mod ports;
pub mod rules;
pub mod search;
pub mod spec;
mod structure;
pub mod tensor;
pub mod toolchain;
pub mod traced;
pub mod verdict;

pub use findings::FINDINGS;
pub use spec::{Case, ParameterSet, Spec};
pub use tensor::{DType, Tensor};
