//! How a kernel is launched, and what is asked of the machine while it runs.

use crate::memory::BufferId;
use crate::trace::TraceRequest;

/// A launch of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Blocks in x, y and z.
    pub grid: [u32; 3],
    /// Threads of a block in x, y and z.
    pub block: [u32; 3],
    /// Blocks of a cluster in x, y and z; `None` for what the kernel itself says, else one block.
    pub cluster: Option<[u32; 3]>,
    /// Bytes of dynamic shared memory.
    pub dynamic_shared: u64,
    /// One for each parameter, in order.
    pub arguments: Vec<Argument>,
}

impl Launch {
    /// A launch without dynamic shared memory and arguments.
    pub fn new(grid: [u32; 3], block: [u32; 3]) -> Self {
        Launch { grid, block, cluster: None, dynamic_shared: 0, arguments: Vec::new() }
    }
}

/// An argument of a launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A value by its bytes, as many as the parameter's type has. Pointers inside are addresses
    /// that [`Memory::address`](crate::Memory::address) gave.
    Bytes(Vec<u8>),
    /// A pointer to a byte of a buffer.
    Buffer {
        /// The buffer.
        id: BufferId,
        /// Bytes from its start.
        offset: u64,
    },
}

/// In which order blocks run, and in which order the lanes of one atomic instruction take their
/// turns: what a device leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// Blocks and lanes by their numbers.
    #[default]
    InOrder,
    /// Highest number first.
    Reversed,
    /// A shuffle that the seed decides.
    Seeded(u64),
}

/// What is checked beside what is always checked (bounds; see [`crate::outcome`]). With checks, a
/// bad access becomes a finding and the kernel goes on: the load gives zeros, the store is dropped.
/// Without, it is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Checks {
    /// Bounds and alignment as findings.
    pub memory: bool,
    /// Loads of bytes that nobody wrote.
    pub initialised: bool,
    /// Accesses of different threads to one place that nothing orders.
    pub races: bool,
    /// Barriers that only some threads reach, warp operations that read lanes which do not take part.
    pub convergence: bool,
    /// Integer division by zero.
    pub arithmetic: bool,
}

impl Checks {
    /// Nothing beside what is always checked.
    pub const NONE: Checks = Checks {
        memory: false,
        initialised: false,
        races: false,
        convergence: false,
        arithmetic: false,
    };

    /// Everything.
    pub const ALL: Checks = Checks {
        memory: true,
        initialised: true,
        races: true,
        convergence: true,
        arithmetic: true,
    };

    /// Whether anything is asked.
    pub fn any(self) -> bool {
        self != Checks::NONE
    }
}

/// What is asked of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Orders that a device leaves open.
    pub schedule: Schedule,
    /// What is checked.
    pub checks: Checks,
    /// How many instructions may be executed, each for all lanes of its unit, until the run ends
    /// with [`FaultKind::Fuel`](crate::FaultKind::Fuel).
    pub fuel: u64,
    /// Bytes that the machine may use for registers, shared and local memory, and again for the variables
    /// of the module.
    pub memory_limit: u64,
    /// How many findings are kept for one place of the source and one kind: the rest is counted.
    pub findings_limit: usize,
    /// How many bytes may be printed; the rest is dropped.
    pub print_limit: usize,
    /// Whether it is noted what rounding does at each statement; only programs of
    /// [`Program::twinned_by_statement`](crate::Program::twinned_by_statement) can tell.
    pub errors: bool,
    /// Threads of the host that run blocks; 0 is 1. The result is the same for any number: launches
    /// whose blocks depend on each other run on one.
    pub threads: usize,
    /// What is traced; only programs of [`Program::traced`](crate::Program::traced) have points.
    pub trace: Option<TraceRequest>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            schedule: Schedule::InOrder,
            checks: Checks::NONE,
            fuel: 2_000_000_000,
            memory_limit: 1 << 30,
            findings_limit: 4,
            print_limit: 1 << 24,
            errors: false,
            threads: 1,
            trace: None,
        }
    }
}
