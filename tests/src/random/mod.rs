//! Random CUDA programs with a spec: valid, free of races and of undefined behaviour, the same for
//! the same seed. What they compute has no meaning; what matters is that an oracle and a port must
//! agree on it to the last bit.
//!
//! * [`types`]: scalar types with C++'s promotions; `scope`: what is known while writing.
//! * `expression`: values, each with the range that it may have, so that nothing overflows.
//! * `statement`, `together`: statements; barriers and warp operations stand only where the threads
//!   that they need are together.
//! * `program`: functions, structures, kernels, buffers.
//! * [`tree`]: the program as a tree, and [`reduce`], which cuts one down.
//!
//! A program is free of races by construction: a thread writes its own elements of its output
//! buffers; a shared array is, between two barriers, either written by each thread in its own
//! element, or read by all, or the target of one atomic operation; atomics on global memory are
//! never read back.

mod expression;
mod program;
pub mod reduce;
mod scope;
mod statement;
mod together;
pub mod tree;
pub mod types;

pub use program::{Unit, generate};

use scope::{Array, Callable, Place, Procedure, Random, Shared, State};
use types::Type;

/// A structure of a program.
#[derive(Clone, Debug)]
struct Structure {
    name: String,
    fields: Vec<(String, Type)>,
    /// What its method `value` gives.
    result: Type,
    /// Whether it has an array `h`.
    array: bool,
}

/// What is known while a program is written.
struct Generator {
    random: Random,
    /// Part of every name of the program.
    tag: u64,
    names: usize,
    /// Extents of the block and the grid.
    block: [u32; 3],
    grid: [u32; 3],
    /// Whether a kernel is being written, so that the extents are exact.
    in_kernel: bool,
    places: Vec<Place>,
    arrays: Vec<Array>,
    shared: Vec<Shared>,
    callables: Vec<Callable>,
    procedures: Vec<Procedure>,
    structures: Vec<Structure>,
    /// Objects of structures: (name, structure).
    objects: Vec<(String, String)>,
    /// Variables that the expression being written must not mention.
    banned: Vec<usize>,
    volatile: Vec<usize>,
    /// How shared arrays stood at the start of each loop around.
    loop_states: Vec<Vec<State>>,
    /// Whether some threads may have returned.
    exited: bool,
    /// What `return` in the function being written gives.
    returns: Option<Type>,
    /// Statements that may still be written.
    budget: usize,
    idioms: usize,
    /// The atomic operation on the kernel's accumulator.
    accumulator: Option<(&'static str, Type)>,
    uses_accumulator: bool,
    /// The buffer of the kernel's grid-stride loop.
    strided: Option<(Type, u32)>,
    uses_reduction: bool,
    uses_parameters: bool,
}
