//! Running original texts and ports, and comparing what they give.
//!
//! [`spec`] reads what to launch on which data, [`oracle`] compiles a text against the fiber
//! runtime in `oracle/` with the machine's C++ compiler and runs it, [`cpu`] compiles and runs ports
//! for the processor, [`metrics`] compares results, [`toolchain`] finds compilers and headers. Nothing here uses the front end: the oracle must not
//! share a defect with what it checks.

pub mod cpu;
pub mod expression;
pub mod findings;
pub mod generate;
pub mod metrics;
pub mod npy;
pub mod oracle;
pub mod spec;
pub mod tensor;
pub mod toolchain;

pub use findings::FINDINGS;
pub use spec::{Case, ParameterSet, Spec};
pub use tensor::{DType, Tensor};
