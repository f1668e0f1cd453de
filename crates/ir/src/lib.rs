//! The SIMT intermediate representation: what a kernel means, without the text that said it and
//! without the target that will run it.
//!
//! This documentation defines the IR. Front ends make it with [`FunctionBuilder`], people read and
//! write it in the [text form](text), [`validate()`] holds it to its rules ([`Rule`] lists them),
//! and passes, back ends and machines may rely on all of that. Nothing here knows a target: not its
//! spelling of anything, and not the number of lanes in its warps.
//!
//! # Programs
//!
//! A [`Module`] holds types, variables and functions of one translation unit under one
//! configuration. A *kernel* is launched by the host over a grid of blocks of threads (on targets
//! that have them, blocks also form clusters); a *device function* is called by kernels and other
//! device functions. Templates are instantiated: each instance is a function. Functions are kept;
//! inlining is a pass, which notes in every [`Location`] the calls it replaced.
//!
//! Each thread executes the kernel by itself. Threads are numbered in their block with x fastest;
//! consecutive runs of [`Builtin::WarpSize`] threads are *warps*, and the place of a thread in its
//! warp is its *lane*. The IR does not say that lanes advance together, nor that they may not. It
//! says what they must do together: see [Convergence](#convergence).
//!
//! # Values
//!
//! An [`Expression`] is a pure value. It has no effect and no moment: whoever evaluates it, and
//! however often, gets the same ([`Expression::Undefined`] alone may give other bits to each use).
//! Expressions live in the arena of their function; operands are older than their users.
//!
//! What depends on memory, on other threads or on time is a [`Statement`]. Its outcome is an
//! [`Expression::Result`], which that statement alone defines, anew each time it is executed.
//!
//! **Scope.** A result may be used after its statement: in the rest of its block, and in blocks
//! inside. An expression over results may be used where all of them may. A loop that tests before
//! its passes shows the results of its condition to body and step; nothing of a body is seen in the
//! step or in the condition, because `continue` may have skipped it. What has to leave a block goes
//! through a local variable.
//!
//! # Types
//!
//! [`Type`]s are scalars, CUDA's short vectors, pointers, arrays, structs (unions are structs whose
//! members overlap) and matrix fragments. Integers say whether they are signed; operations take
//! signedness from there. Every type but fragments has a size and an alignment in bytes
//! ([`Types::layout`]); bytes are in little-endian order. Any value can be loaded, stored, passed
//! and returned whole.
//!
//! # Memory
//!
//! Memory is bytes. A pointer has a [`Space`] and no type: each access says the type that it reads
//! or writes, and bytes stored as one type may be loaded as another. Addresses are computed by
//! [`Expression::Element`], [`Expression::Member`] and conversions between a space and the generic
//! one. An access is to be aligned as its type; one that is not, or that lies outside its object, is
//! undefined.
//!
//! | space | an instance for each | lives | who writes |
//! |---|---|---|---|
//! | global | launch series | until freed | host and threads |
//! | shared | block | while the block runs | its threads |
//! | constant | device | the program | host |
//! | parameter | launch | while the kernel runs | host |
//! | local | activation of a function in a thread | while that runs | the thread |
//!
//! Shared and local variables begin undefined. Plain accesses of different threads to one place, at
//! least one of them a store, that nothing orders, are a data race, and undefined. Accesses are
//! ordered in a thread by the program, and between threads by barriers, fences and atomic accesses
//! as in the C++ memory model with [scopes](MemoryScope). A volatile access happens exactly as
//! written; that a value is seen by other threads at some time follows from it, an order of other
//! accesses does not. [Cache hints](CacheHint) never change a value, but
//! [`CacheHint::ReadOnly`] promises that nobody writes there while the kernel runs.
//!
//! # Arithmetic
//!
//! Integers wrap. Shifts by the width or more give 0, or the sign in every bit. Division by zero
//! gives some value and does not trap. Conversions from float to integer give 0 for NaN and the
//! nearest representable integer for what does not fit.
//!
//! A float operation gives its exact result, rounded once as its [`FloatFlags`] say. Then come the
//! liberties that the flags give: `contract` lets a product and a sum become one operation,
//! `approximate` lets the hardware's approximation stand, `flush` replaces subnormals by zeros.
//! Whoever uses a liberty declares it; a float profile decides which are used. The functions of
//! [`MathFunction`] without `approximate` are the source language's functions of that name, with
//! the error bounds documented there.
//!
//! # Control
//!
//! Control is structured: [`If`](StatementKind::If), [`Switch`](StatementKind::Switch) with C's fall
//! through, [`Loop`], `break`, `continue`, `return`. A block ends with at most one jump. Reaching
//! the end of a function that returns a value gives an undefined one. Loops need not end, and a
//! thread that is ready is executed at some time; whether that holds for *lanes* whose warp is busy
//! with another branch depends on the target, and [`analysis::progress`] finds code that needs it.
//!
//! # Convergence
//!
//! Barriers, warp operations and matrix operations are executed by several threads together.
//!
//! * A barrier of a block (cluster, grid) must be executed by all its threads that have not
//!   returned, the same statement in the same pass of the loops around, or by none. It orders all
//!   accesses of these threads to memory.
//! * A warp operation with a mask must be executed by all lanes of the mask, and gives each of them
//!   the outcome over exactly those. Bit *i* of a mask is lane *i*. Without a mask it is executed by
//!   whichever lanes are active.
//! * A matrix operation must be executed by all lanes of a warp. Which lane holds which element is
//!   the target's affair; a program may only do the same to all elements, or combine elements of
//!   equal index of fragments of one type.
//!
//! These statements are neither moved into nor out of branches, nor merged, nor duplicated, unless
//! the threads that execute them stay the same.
//!
//! # What could not be translated
//!
//! [`Expression::Poison`] and [`StatementKind::Unsupported`] stand where the source could not be
//! translated, with the code of the finding that told the user. They are valid, so that the rest of
//! the module can be worked with; whatever uses them is not translated further
//! ([`FunctionInfo::poison`] lists them with the calls that lead there).
//!
//! # Origins
//!
//! Every expression, statement, local, parameter, variable, function and type has a [`Location`]:
//! the bytes of the user's text that asked for it, with the macro expansions that they went
//! through, and the calls that were inlined around it. Nodes that a pass makes take the location of
//! what they replace.
//!
//! # Launches
//!
//! [`LaunchFacts`] ride beside the code: extents of grids and blocks, ranges of arguments, sizes of
//! buffers. They are assumptions, not semantics, and who uses one says so.

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
pub mod passes;
mod scope;
pub mod statement;
pub mod text;
pub mod types;
pub mod typing;
pub mod validate;
mod visit;

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
