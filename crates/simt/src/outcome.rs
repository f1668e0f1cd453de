//! What a run gives: what was printed and found, or the fault that ended it.

use port_ir::Location;

use crate::trace::Trace;

/// What a run that ended gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What the kernel printed. Bytes, because `%s` and `%c` print any.
    pub printed: Vec<u8>,
    /// What the checks found, in the order in which it happened; at most
    /// [`Options::findings_limit`](crate::Options) for one place and kind.
    pub findings: Vec<Finding>,
    /// What was counted.
    pub counters: Counters,
    /// What was traced, where that was asked for.
    pub trace: Option<Trace>,
    /// What rounding did, by statement, where that was asked for.
    pub errors: Vec<StatementError>,
    /// Threads of the host that ran blocks.
    pub threads: usize,
}

/// What rounding did at a statement, at worst over all threads and passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatementError {
    /// The statement or expression.
    pub location: Location,
    /// The relative error of its result: against the same computation without rounding.
    pub total: f64,
    /// The relative error of the operation alone: against the exact result for its operands.
    pub own: f64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Instructions executed, each for all lanes of its unit: what `fuel` pays for.
    pub instructions: u64,
    /// Blocks run.
    pub blocks: u64,
    /// Findings that were not kept, because there were enough for their place and kind.
    pub findings_dropped: u64,
}

/// A thread that takes part in a fault or finding, and what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The block.
    pub block: [u32; 3],
    /// The thread in its block.
    pub thread: [u32; 3],
    /// What it executed.
    pub location: Location,
    /// Whether it wrote, for accesses to memory.
    pub writes: bool,
}

/// An access to memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// What is accessed: `global`, `shared`, `local`, `constant`, `parameter`, `unknown`.
    pub space: &'static str,
    /// The buffer or variable; empty if the address belongs to none.
    pub object: String,
    /// Bytes from the object's start; negative before it.
    pub offset: i64,
    /// Bytes accessed.
    pub bytes: u64,
    /// Bytes of the object.
    pub size: u64,
    /// The address itself.
    pub address: u64,
    /// Whether it writes.
    pub writes: bool,
}

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An access outside its object.
    OutOfBounds(Access),
    /// `assert` of something false: the message.
    Assertion(String),
    /// `__trap()`.
    Trap,
    /// The budget of instructions is used up; the location is that of the innermost loop.
    Fuel,
    /// Registers, shared or local memory need more than the limit: bytes.
    MemoryLimit(u64),
    /// Calls are nested too deep.
    StackOverflow,
    /// Threads wait for each other for ever: what they wait for.
    Deadlock(String),
    /// The launch does not fit the kernel: why.
    InvalidLaunch(String),
    /// A construct that the machine does not hold was reached: what.
    Unsupported(String),
}

/// Why, and where, a run ended early.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Why.
    pub kind: FaultKind,
    /// The statement; `None` before the first.
    pub location: Option<Location>,
    /// The block.
    pub block: Option<[u32; 3]>,
    /// The first thread that is concerned.
    pub thread: Option<[u32; 3]>,
    /// How many threads of the unit are concerned.
    pub threads: u32,
    /// What was printed, found and counted until then.
    pub outcome: Outcome,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// An access outside its object.
    OutOfBounds(Access),
    /// An access that is not aligned as its type: the bytes it is to be aligned to.
    Misaligned(Access, u64),
    /// A load of bytes that nobody wrote.
    Uninitialised(Access),
    /// Two accesses that nothing orders; [`Finding::other`] is the earlier one. Whether the two
    /// threads belong to one block is in their participants.
    Race(Access),
    /// A barrier that only some threads of the block reach: how many do, of how many.
    DivergentBarrier {
        /// Threads that arrived.
        arrived: u32,
        /// Threads that had not returned.
        expected: u32,
    },
    /// A warp operation with a mask of which some lanes do not take part.
    MissingLanes {
        /// The lanes of the mask.
        mask: u64,
        /// The lanes that execute it.
        active: u64,
    },
    /// A shuffle that reads a lane which does not take part.
    InactiveLane {
        /// The lane that is read.
        lane: u32,
    },
    /// An integer division, or remainder, by zero.
    DivisionByZero,
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Who: the first thread that is concerned, and the statement.
    pub who: Participant,
    /// How many threads of the unit are concerned by this execution of the statement.
    pub threads: u32,
    /// The other side of a race.
    pub other: Option<Participant>,
}
