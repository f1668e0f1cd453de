//! Functions: kernels and the device functions that they call.

use std::collections::BTreeMap;

use crate::arena::{Arena, Handle, InlineFrame, Location};
use crate::expression::Expression;
use crate::statement::Block;
use crate::types::Type;

/// What a kernel promises about its launches (`__launch_bounds__`, cluster attributes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LaunchBounds {
    /// Threads of a block, at most.
    pub max_threads: Option<u32>,
    /// Blocks that should fit on a multiprocessor, at least.
    pub min_blocks: Option<u32>,
    /// Blocks of a cluster, at most.
    pub max_cluster_blocks: Option<u32>,
    /// Blocks of a cluster in x, y and z.
    pub cluster: Option<[u32; 3]>,
}

/// Who calls a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// The host launches it.
    Kernel(LaunchBounds),
    /// Kernels and other functions call it.
    Device,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The user's name; may be empty.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// For a pointer, what the source says it points at.
    pub pointee: Option<Type>,
    /// What the source says about it.
    pub attributes: ParameterAttributes,
    /// The user's text.
    pub location: Location,
}

/// What the source says about a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParameterAttributes {
    /// What this pointer reaches, nothing else reaches while the function runs (`__restrict__`).
    pub restrict: bool,
    /// The function only reads through this pointer (`const T*`).
    pub read_only: bool,
    /// A kernel's parameter that is never copied to local memory (`__grid_constant__`).
    pub grid_constant: bool,
}

/// A local variable: memory of one thread, one instance for each activation of the function. It is
/// undefined until it is stored to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The user's name, or a name for what the front end made; not unique.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Bytes, a power of two, at least the type's own; `None` for the type's own.
    pub align: Option<u64>,
}

/// A kernel or a device function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Unique in the module. For an instance of a template, with its arguments.
    pub name: String,
    /// Who calls it.
    pub kind: FunctionKind,
    /// In order.
    pub parameters: Vec<Parameter>,
    /// What it returns; `None` for nothing, as every kernel.
    pub result: Option<Type>,
    /// Its local variables.
    pub locals: Arena<Local>,
    /// Its values.
    pub expressions: Arena<Expression>,
    /// Names that the user gave to values; for people only.
    pub names: BTreeMap<Handle<Expression>, String>,
    /// Calls that were inlined; [`Location`]s point here.
    pub inlined: Arena<InlineFrame>,
    /// What it does; `None` for a function that is declared but not defined here.
    pub body: Option<Block>,
}

impl Function {
    /// A function without parameters, result or body.
    pub fn new(name: impl Into<String>, kind: FunctionKind) -> Self {
        Function {
            name: name.into(),
            kind,
            parameters: Vec::new(),
            result: None,
            locals: Arena::new(),
            expressions: Arena::new(),
            names: BTreeMap::new(),
            inlined: Arena::new(),
            body: None,
        }
    }

    /// Whether the host launches it.
    pub fn is_kernel(&self) -> bool {
        matches!(self.kind, FunctionKind::Kernel(_))
    }
}
