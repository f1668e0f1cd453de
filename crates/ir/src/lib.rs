//! The SIMT intermediate representation.
//!
//! This documentation is the definition of the IR. (The text is completed as the crate grows.)

/// How deep blocks may be nested: what a C++ compiler has to accept (C++ standard, annex on
/// implementation quantities).
pub const MAX_BLOCK_DEPTH: usize = 256;

pub mod analysis;
pub mod arena;
pub mod builder;
pub mod expression;
pub mod function;
pub mod module;
pub mod operation;
mod scope;
pub mod statement;
pub mod text;
pub mod types;
pub mod typing;
pub mod validate;

pub use arena::{Arena, Handle, InlineFrame, Location};
pub use builder::FunctionBuilder;
pub use expression::Expression;
pub use function::{Function, FunctionKind, LaunchBounds, Local, Parameter, ParameterAttributes};
pub use module::{ArgumentFact, Extent, LaunchFacts, Module, Range, Variable};
pub use operation::{
    Axis, Builtin, CompareOp, Constant, Conversion, FloatFlags, FloatOp, IntegerOp, MathClass,
    MathFunction, Rounding, UnaryOp,
};
pub use statement::{
    Access, AsyncCopy, AtomicOp, BarrierReduce, BarrierReduction, BarrierScope, Block, CacheHint,
    ClockKind, Loop, LoopTest, MemoryOrder, MemoryScope, NamedBarrier, Ordering, ReduceOp,
    ShuffleMode, Statement, StatementKind, SwitchCase, Unroll, Value, VoteKind,
};
pub use text::{Origins, ParseError, PrintOptions, parse, print, print_function};
pub use types::{
    Array, Fragment, FragmentElement, FragmentUse, Layout, MatrixLayout, Member, Scalar, Space,
    Struct, Type, Types, VectorSize,
};
pub use typing::ExpressionTypes;
pub use validate::{
    ConvergentUse, FunctionInfo, ModuleInfo, PoisonUse, Rule, ValidationError, validate,
};
