//! The CPU target: C++17 in which kernels are loops over the threads of a block, joined with the
//! user's own host code, and a header that gives CUDA's names a meaning on a CPU.
//!
//! * `port`: the passes of a port, in order.
//! * `launches`: `k<<<g, b>>>(x)`.
//! * `pointers`: kernels whose address loses its type.
//! * `shared`: declarations of shared memory.
//! * `branches`: conditions on `__CUDA_ARCH__`.
//! * `section`: the compiled forms at the end of the root.
//! * `lists`: kernels whose instances have no name there.
//! * `kernels`: the first statement of a kernel, and what becomes of each instance.
//! * `device`, `names`, `guard`: what has no form on a CPU.
//! * `includes`: headers of CUDA.
//! * `header`: `port_cpu.hpp`.
//! * `kernel`: compiled forms, from the IR.

mod branches;
mod device;
pub mod findings;
mod guard;
pub mod header;
mod includes;
pub mod kernel;
mod kernels;
mod launches;
mod lists;
mod names;
mod pointers;
mod port;
mod section;
mod shared;
mod synchrony;

use port_backend::{Architecture, Backend, Options, Ported, Unit};

/// The CPU target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn description(&self) -> &'static str {
        "C++17 for any CPU, with g++ or clang, OpenMP optional: kernels as loops, host code included"
    }

    fn architectures(&self) -> &'static [Architecture] {
        &[]
    }

    fn extension(&self) -> &'static str {
        "cpp"
    }

    fn merge_generated(&self, name: &str, texts: &[&str]) -> Option<String> {
        (name == header::FILE_NAME).then(|| header::merge(texts)).flatten()
    }

    fn port(&self, unit: &Unit<'_>, options: &Options) -> Ported {
        port::run(unit, options)
    }
}
