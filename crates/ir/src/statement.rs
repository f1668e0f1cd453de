//! Statements: what has an effect, or an order, or is executed together by several threads.

use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::types::MatrixLayout;

/// Shorthand: a value of the function.
pub type Value = Handle<Expression>;

/// Statements that are executed in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// First to last.
    pub statements: Vec<Statement>,
}

impl Block {
    /// A block of nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

/// A step of execution, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// The user's text.
    pub location: Location,
}

/// What a barrier waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BarrierScope {
    /// The lanes of the mask, or of the warp.
    Warp,
    /// The threads of the block.
    Block,
    /// The threads of the cluster.
    Cluster,
    /// The threads of the grid.
    Grid,
}

/// Who sees an atomic access or a fence in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemoryScope {
    /// The threads of the block.
    Block,
    /// The threads of the cluster.
    Cluster,
    /// The threads of the device.
    Device,
    /// The device, the host and other devices.
    System,
}

/// How an atomic access or a fence orders other accesses, as in C++.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemoryOrder {
    /// Not at all.
    Relaxed,
    /// What follows stays after it.
    Acquire,
    /// What precedes stays before it.
    Release,
    /// Both.
    AcquireRelease,
    /// Both, and all such accesses have one total order.
    SequentiallyConsistent,
}

/// An order and who sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ordering {
    /// The order.
    pub order: MemoryOrder,
    /// Who sees it.
    pub scope: MemoryScope,
}

impl Ordering {
    /// Relaxed, device scope: what CUDA's plain atomic functions are.
    pub const RELAXED: Ordering =
        Ordering { order: MemoryOrder::Relaxed, scope: MemoryScope::Device };
}

/// What caches should do; never changes a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CacheHint {
    /// Nothing special.
    #[default]
    None,
    /// Load through the read-only path: nobody writes this memory while the kernel runs (`__ldg`).
    ReadOnly,
    /// Keep at all levels (`.ca`), on stores write back at all levels (`.wb`).
    All,
    /// Keep in the device-wide level only (`.cg`).
    DeviceLevel,
    /// Likely used once (`.cs`).
    Streaming,
    /// Last use (`.lu`).
    LastUse,
    /// Do not keep; fetch again (`.cv`), on stores write through (`.wt`).
    Through,
}

/// How memory is accessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Access {
    /// The access happens, once, exactly as written.
    pub volatile: bool,
    /// The access is atomic.
    pub atomic: Option<Ordering>,
    /// What caches should do.
    pub cache: CacheHint,
}

impl Access {
    /// A plain access.
    pub const PLAIN: Access = Access { volatile: false, atomic: None, cache: CacheHint::None };
}

/// What an atomic operation does to the memory it finds. All give the value from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtomicOp {
    /// Adds (integers wrap, floats round to nearest).
    Add,
    /// Subtracts.
    Subtract,
    /// The smaller.
    Minimum,
    /// The larger.
    Maximum,
    /// Bitwise.
    And,
    /// Bitwise.
    Or,
    /// Bitwise.
    Xor,
    /// Replaces.
    Exchange,
    /// Replaces if the memory equals, bit for bit, the expected value.
    CompareExchange {
        /// What the memory must equal.
        expected: Value,
    },
    /// `old >= value ? 0 : old + 1`, unsigned.
    IncrementWrap,
    /// `old == 0 || old > value ? value : old - 1`, unsigned.
    DecrementWrap,
}

/// From which lane a shuffle reads. Lanes are grouped in segments of `width`; `lane` counts in the
/// segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ShuffleMode {
    /// From lane `lane mod width` of the segment.
    Index,
    /// From the lane `lane` below; the lowest ones keep their own value.
    Up,
    /// From the lane `lane` above; the highest ones keep their own value.
    Down,
    /// From the lane whose number is the own xor `lane`; a lane keeps its own value if that is in a
    /// later segment.
    Xor,
}

/// What a vote asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VoteKind {
    /// Whether the predicate holds in any lane: a truth value.
    Any,
    /// Whether it holds in all lanes: a truth value.
    All,
    /// Whether it is the same in all lanes: a truth value.
    Uniform,
    /// In which lanes it holds: a mask, an unsigned integer.
    Ballot,
}

/// How a warp or a barrier combines values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReduceOp {
    /// The sum.
    Add,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// Bitwise.
    And,
    /// Bitwise.
    Or,
    /// Bitwise.
    Xor,
}

/// What a barrier computes from one truth value of each thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BarrierReduction {
    /// In how many threads it holds: an `i32`.
    Count,
    /// Whether it holds in all: a truth value.
    And,
    /// Whether it holds in any: a truth value.
    Or,
}

/// A barrier's reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BarrierReduce {
    /// What is computed.
    pub op: BarrierReduction,
    /// The thread's truth value.
    pub predicate: Value,
    /// What every thread gets.
    pub result: Value,
}

/// One of several barriers of a block, for some of its threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamedBarrier {
    /// Which, from 0; 0 is the one that unnamed block barriers use.
    pub index: Value,
    /// How many threads it waits for; `None` for all of the block.
    pub threads: Option<Value>,
    /// Whether the thread goes on without waiting.
    pub arrive_only: bool,
}

/// Which clock is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClockKind {
    /// The multiprocessor's cycles, low 32 bits: an `i32`.
    Cycles32,
    /// The multiprocessor's cycles: an `i64`.
    Cycles64,
    /// Nanoseconds: a `u64`.
    Nanoseconds,
}

/// What the source asks of a loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unroll {
    /// Nothing.
    #[default]
    None,
    /// Unroll completely.
    Full,
    /// Unroll so many times; 1 forbids.
    Times(u32),
}

/// When a loop's condition is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LoopTest {
    /// Before each pass (`for`, `while`).
    Before,
    /// After each pass (`do … while`).
    After,
}

/// A loop.
///
/// With [`LoopTest::Before`] each pass is: `condition`, leave if `test` is false, `body`, `step`.
/// With [`LoopTest::After`]: `body`, `step`, `condition`, leave if `test` is false.
/// `Continue` goes to the start of `step`, `Break` leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// When the condition is evaluated.
    pub when: LoopTest,
    /// Computes what `test` needs.
    pub condition: Block,
    /// The truth value; `None` loops until `Break` or `Return`.
    pub test: Option<Value>,
    /// The pass.
    pub body: Block,
    /// Executed after the body, and at `Continue`.
    pub step: Block,
    /// What the source asks for.
    pub unroll: Unroll,
}

impl Loop {
    /// Whether anything is computed or tested to decide whether to go on.
    pub fn has_condition(&self) -> bool {
        self.test.is_some() || !self.condition.statements.is_empty()
    }
}

/// One arm of a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchCase {
    /// The selector's values that come here, by bits (see
    /// [`Constant`](crate::operation::Constant)); empty for an arm that is only fallen into.
    pub values: Vec<u64>,
    /// Whether every value that no other arm has comes here.
    pub default: bool,
    /// What is done.
    pub body: Block,
    /// Whether the next arm follows when the body's end is reached.
    pub fallthrough: bool,
}

/// An argument of [`StatementKind::AsyncCopy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AsyncCopy {
    /// Pointer into shared memory.
    pub destination: Value,
    /// Pointer into global memory.
    pub source: Value,
    /// Bytes written: 4, 8 or 16.
    pub bytes: u32,
    /// How many of them are read, an integer; the rest become zero. `None` reads all.
    pub source_bytes: Option<Value>,
    /// What caches should do.
    pub cache: CacheHint,
}

/// The kinds of statement. A field named `result` holds an
/// [`Expression::Result`] that this statement, and no other, defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    // Memory.
    /// Reads a value of the result's type, at its natural alignment.
    Load {
        /// What was read.
        result: Value,
        /// Where.
        pointer: Value,
        /// How.
        access: Access,
    },
    /// Writes a value, at the natural alignment of its type.
    Store {
        /// Where.
        pointer: Value,
        /// What.
        value: Value,
        /// How.
        access: Access,
    },
    /// Copies bytes between memories that do not overlap.
    Copy {
        /// To.
        destination: Value,
        /// From.
        source: Value,
        /// How many, an integer.
        bytes: Value,
    },
    /// Sets bytes.
    Fill {
        /// Where.
        destination: Value,
        /// The byte, the low bits of an integer.
        byte: Value,
        /// How many, an integer.
        bytes: Value,
    },
    /// Reads, changes and writes one value as one step.
    Atomic {
        /// The value from before; `None` if nobody asks.
        result: Option<Value>,
        /// What happens.
        op: AtomicOp,
        /// Where.
        pointer: Value,
        /// The operand, of the memory's type.
        value: Value,
        /// Order and scope.
        ordering: Ordering,
    },
    /// Orders the thread's accesses.
    Fence {
        /// Order and scope.
        ordering: Ordering,
    },
    /// Asks for memory to be brought closer.
    Prefetch {
        /// Where.
        pointer: Value,
    },
    /// Begins a copy from global to shared memory that goes on while the thread does.
    AsyncCopy(AsyncCopy),
    /// Closes the group of async copies begun since the last such statement.
    AsyncCommit,
    /// Waits until at most so many of the thread's youngest groups are unfinished; `None` waits for
    /// all copies.
    AsyncWait {
        /// The number of groups.
        pending: Option<u32>,
    },

    // Calls.
    /// Calls a device function.
    Call {
        /// What it returns; `None` if it returns nothing or nobody asks.
        result: Option<Value>,
        /// The callee.
        function: Handle<Function>,
        /// One for each parameter.
        arguments: Vec<Value>,
    },

    // Executed by several threads together.
    /// Waits for the other threads of the scope, and orders accesses to memory among them.
    Barrier {
        /// Who waits.
        scope: BarrierScope,
        /// For warps, which lanes: an unsigned integer. `None` for all that are active.
        mask: Option<Value>,
        /// For blocks, which of the barriers. `None` for the one of the whole block.
        named: Option<NamedBarrier>,
        /// What is computed from the threads' truth values.
        reduce: Option<BarrierReduce>,
    },
    /// Reads another lane's `value`.
    Shuffle {
        /// The value read, of `value`'s type.
        result: Value,
        /// Whether a lane was in reach, a truth value; `None` if nobody asks.
        in_range: Option<Value>,
        /// From which lane.
        mode: ShuffleMode,
        /// Which lanes take part; `None` for those that are active.
        mask: Option<Value>,
        /// The own value.
        value: Value,
        /// Lane, distance or lane mask, an integer.
        lane: Value,
        /// Lanes of a segment, an integer, a power of two; `None` for the whole warp.
        width: Option<Value>,
    },
    /// Asks about the lanes' truth values.
    Vote {
        /// The answer.
        result: Value,
        /// The question.
        kind: VoteKind,
        /// Which lanes take part; `None` for those that are active.
        mask: Option<Value>,
        /// The own truth value.
        predicate: Value,
    },
    /// Which lanes hold the same value.
    Match {
        /// The mask of the lanes with the own value. With `all`: the mask of all participants if
        /// all are the same, else 0.
        result: Value,
        /// With `all`, whether all are the same; a truth value.
        same: Option<Value>,
        /// Whether all must be the same.
        all: bool,
        /// Which lanes take part; `None` for those that are active.
        mask: Option<Value>,
        /// The own value.
        value: Value,
    },
    /// Which lanes execute this statement together.
    ActiveMask {
        /// The mask, an unsigned integer.
        result: Value,
    },
    /// Combines the lanes' values.
    WarpReduce {
        /// The same in all lanes that take part.
        result: Value,
        /// How.
        op: ReduceOp,
        /// Which lanes take part; `None` for those that are active.
        mask: Option<Value>,
        /// The own value.
        value: Value,
    },
    /// Chooses one of the active lanes.
    Elect {
        /// Whether it is this one, a truth value.
        result: Value,
        /// Which lanes take part; `None` for those that are active.
        mask: Option<Value>,
    },

    // Matrices: executed by all lanes of a warp together.
    /// Reads a tile.
    MatrixLoad {
        /// The fragment.
        result: Value,
        /// The tile's first element.
        pointer: Value,
        /// Elements from a row (or column) to the next, an integer.
        stride: Value,
        /// How the matrix lies in memory.
        layout: MatrixLayout,
    },
    /// Writes a tile.
    MatrixStore {
        /// The tile's first element.
        pointer: Value,
        /// The fragment, an accumulator.
        value: Value,
        /// Elements from a row (or column) to the next, an integer.
        stride: Value,
        /// How the matrix lies in memory.
        layout: MatrixLayout,
    },
    /// `result = a · b + c`
    MatrixMultiply {
        /// An accumulator.
        result: Value,
        /// m × k
        a: Value,
        /// k × n
        b: Value,
        /// An accumulator.
        c: Value,
        /// Whether integer results that do not fit become the nearest that does.
        saturate: bool,
    },

    // The outside.
    /// Prints.
    Print {
        /// Number of arguments printed, or negative, an `i32`; `None` if nobody asks.
        result: Option<Value>,
        /// As `printf` reads it, escapes resolved.
        format: String,
        /// What it formats.
        arguments: Vec<Value>,
    },
    /// Stops the launch with an error if the condition is false.
    Assert {
        /// The truth value.
        condition: Value,
        /// The text of the condition.
        message: String,
    },
    /// Stops the launch with an error.
    Trap,
    /// Reads a clock.
    Clock {
        /// The time.
        result: Value,
        /// Which clock.
        kind: ClockKind,
    },
    /// Suspends the thread for about so many nanoseconds.
    Sleep {
        /// A `u32`.
        nanoseconds: Value,
    },

    // Control.
    /// Statements of their own scope.
    Block(Block),
    /// One or the other.
    If {
        /// The truth value.
        condition: Value,
        /// Executed if it is true.
        accept: Block,
        /// Executed if it is false.
        reject: Block,
    },
    /// The arm that has the selector's value, or the default, or nothing. `Break` leaves.
    Switch {
        /// An integer.
        selector: Value,
        /// The arms, in order.
        cases: Vec<SwitchCase>,
    },
    /// Again and again.
    Loop(Box<Loop>),
    /// Leaves the innermost loop or switch.
    Break,
    /// Goes to the step of the innermost loop.
    Continue,
    /// Leaves the function; of a kernel, ends the thread.
    Return {
        /// What the function gives.
        value: Option<Value>,
    },

    /// What could not be translated.
    Unsupported {
        /// The code of the finding that says why.
        code: String,
        /// A few words for the reader of the text form.
        what: String,
    },
}

impl StatementKind {
    /// The blocks inside, in the order of the text.
    pub fn blocks(&self) -> Vec<&Block> {
        match self {
            StatementKind::Block(block) => vec![block],
            StatementKind::If { accept, reject, .. } => vec![accept, reject],
            StatementKind::Switch { cases, .. } => cases.iter().map(|case| &case.body).collect(),
            StatementKind::Loop(looping) => match looping.when {
                LoopTest::Before => vec![&looping.condition, &looping.body, &looping.step],
                LoopTest::After => vec![&looping.body, &looping.step, &looping.condition],
            },
            _ => Vec::new(),
        }
    }

    /// Whether other threads take part, so that who executes it together matters: barriers, warp
    /// and matrix operations.
    pub fn is_convergent(&self) -> bool {
        matches!(
            self,
            StatementKind::Barrier { .. }
                | StatementKind::Shuffle { .. }
                | StatementKind::Vote { .. }
                | StatementKind::Match { .. }
                | StatementKind::ActiveMask { .. }
                | StatementKind::WarpReduce { .. }
                | StatementKind::Elect { .. }
                | StatementKind::MatrixLoad { .. }
                | StatementKind::MatrixStore { .. }
                | StatementKind::MatrixMultiply { .. }
        )
    }

    /// Whether control never reaches what follows.
    pub fn is_jump(&self) -> bool {
        matches!(
            self,
            StatementKind::Break
                | StatementKind::Continue
                | StatementKind::Return { .. }
                | StatementKind::Trap
        )
    }
}
