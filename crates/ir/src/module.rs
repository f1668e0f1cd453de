//! A module: types, variables and functions of one translation unit, and what is known of its
//! launches.

use crate::arena::{Arena, Handle, Location};
use crate::function::Function;
use crate::types::{Space, Type, Types};

/// How large a module's variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// As its type.
    Fixed,
    /// The launch says: `extern __shared__ T name[]`. The variable's type is that of one element.
    /// All such variables begin at the same address.
    Dynamic,
}

/// A variable outside functions, or a block's shared variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Unique in the module.
    pub name: String,
    /// `Shared`, `Constant` or `Global`.
    pub space: Space,
    /// Its type, or that of an element if the extent is dynamic.
    pub ty: Type,
    /// Whether the launch decides its size.
    pub extent: Extent,
    /// Bytes, a power of two, at least the type's own; `None` for the type's own.
    pub align: Option<u64>,
    /// Its first bytes, the others zero; `None` for undefined (shared) or zero (others).
    pub initial: Option<Vec<u8>>,
}

/// Integers from `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The smallest.
    pub low: i64,
    /// The largest.
    pub high: i64,
}

impl Range {
    /// One integer.
    pub fn exactly(value: i64) -> Self {
        Range { low: value, high: value }
    }

    /// The integer, if there is only one.
    pub fn single(self) -> Option<i64> {
        (self.low == self.high).then_some(self.low)
    }
}

/// What is known of one launch, or of a class of launches, of a kernel. Facts are assumptions that
/// whoever uses them must report: they come from the host code in view or from a specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchFacts {
    /// The kernel.
    pub kernel: Handle<Function>,
    /// Blocks in x, y and z.
    pub grid: [Option<Range>; 3],
    /// Threads of a block in x, y and z.
    pub block: [Option<Range>; 3],
    /// Bytes of dynamic shared memory.
    pub dynamic_shared: Option<Range>,
    /// Of the arguments.
    pub arguments: Vec<ArgumentFact>,
    /// The launch in the user's text.
    pub location: Location,
}

/// A fact about an argument of a launch, named by the parameter's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentFact {
    /// An integer lies in a range.
    Range {
        /// The parameter.
        parameter: u32,
        /// Its values.
        range: Range,
    },
    /// A pointer reaches so many bytes.
    Extent {
        /// The parameter.
        parameter: u32,
        /// The bytes.
        bytes: Range,
    },
    /// A pointer is aligned.
    Aligned {
        /// The parameter.
        parameter: u32,
        /// Bytes, a power of two.
        align: u64,
    },
    /// Two pointers reach no common byte.
    Disjoint {
        /// One parameter.
        first: u32,
        /// The other.
        second: u32,
    },
    /// Two pointers are equal.
    Same {
        /// One parameter.
        first: u32,
        /// The other.
        second: u32,
    },
}

/// The IR of one translation unit under one configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Arrays and structs.
    pub types: Types,
    /// Variables outside functions, and blocks' shared variables.
    pub variables: Arena<Variable>,
    /// Kernels and device functions.
    pub functions: Arena<Function>,
    /// What is known of launches.
    pub launches: Vec<LaunchFacts>,
}

impl Module {
    /// An empty module.
    pub fn new() -> Self {
        Self::default()
    }

    /// The function of this name.
    pub fn function_named(&self, name: &str) -> Option<Handle<Function>> {
        self.functions.iter().find(|(_, f)| f.name == name).map(|(handle, _)| handle)
    }

    /// The variable of this name.
    pub fn variable_named(&self, name: &str) -> Option<Handle<Variable>> {
        self.variables.iter().find(|(_, v)| v.name == name).map(|(handle, _)| handle)
    }

    /// The kernels, in order.
    pub fn kernels(&self) -> impl Iterator<Item = (Handle<Function>, &Function)> {
        self.functions.iter().filter(|(_, function)| function.is_kernel())
    }
}
