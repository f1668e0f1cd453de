//! The machine: state of a unit of threads, and the instructions that act on it.
//!
//! A *unit* is what executes an instruction at once: the threads of a block, or of a warp. Its lanes
//! lie in chunks of [`CHUNK`]; a register holds one value for each lane and notes its *shape*, found
//! while the program runs: one value for all lanes, an arithmetic progression in each chunk, or any
//! values. Most index arithmetic never leaves the first two, and an access to memory whose address
//! is a progression needs one check for each chunk.
//!
//! Values of expressions are computed for all lanes, active or not: nobody reads them outside the
//! lanes that were active. Only writes to local variables and to memory look at the mask.

pub(crate) mod access;
pub(crate) mod atomic;
pub(crate) mod control;
pub(crate) mod convert;
pub(crate) mod float;
pub(crate) mod fused;
pub(crate) mod grid;
pub(crate) mod integer;
pub(crate) mod joined;
pub(crate) mod lanes;
pub(crate) mod matrix;
pub(crate) mod parallel;
pub(crate) mod print;
pub(crate) mod registers;
pub(crate) mod together;
pub(crate) mod twin;
pub(crate) mod warp;

use crate::launch::{Checks, Options, Schedule};
use crate::memory::{Aligned, FIRST_BUFFER, Memory, WINDOW_BITS, WINDOW_ORIGIN};
use crate::outcome::{Access, FaultKind, Finding, FindingKind, Outcome, Participant};
use crate::program::Code;
use registers::{Bits, File, Mask};

/// Lanes that are computed together.
pub(crate) const CHUNK: usize = 16;

/// The most chunks of a block, which has at most 1024 threads.
pub(crate) const BLOCK_CHUNKS: usize = 1024 / CHUNK;

/// The most chunks of a unit, which may be several blocks.
pub(crate) const MAX_CHUNKS: usize = 2 * BLOCK_CHUNKS;

/// What an instruction executes. Unsafe to call, because it may need features of the processor that
/// whoever chose it has found to be there.
pub(crate) type Exec = unsafe fn(&mut Machine<'_>, &Inst);

/// What the control loop does with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Calls `run`.
    Exec,
    /// Calls `run`, and stops if that raised a fault.
    Checked,
    /// Lanes with a false condition wait in `slot`.
    If,
    /// The end of the accepted arm: those that waited go on.
    Else,
    /// Both meet.
    EndIf,
    LoopBegin,
    /// Lanes with a false condition leave.
    LoopTest,
    Break,
    Continue,
    /// Lanes that continued join.
    Step,
    /// To the next pass.
    Back,
    LoopEnd,
    SwitchBegin,
    /// Lanes whose condition holds enter an arm, with those that fall into it.
    ArmBegin,
    ArmEnd,
    /// As `ArmEnd`, into the next arm.
    ArmFall,
    SwitchEnd,
    CallBegin,
    /// Lanes leave an inlined callee.
    Return,
    CallEnd,
    /// Lanes end.
    Exit,
    BlockBarrier,
    GridBarrier,
    End,
}

/// An instruction. Which file a register is of follows from `run`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inst {
    pub(crate) op: Op,
    pub(crate) run: Exec,
    pub(crate) d: u32,
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) c: u32,
    pub(crate) imm: u64,
    pub(crate) slot: u32,
    pub(crate) target: u32,
    pub(crate) site: u32,
}

/// The masks of a control construct that is being executed.
#[derive(Clone, Default)]
pub(crate) struct Slot {
    /// If: lanes of the other arm. Loop: lanes that continued. Switch: lanes that entered.
    pub(crate) waiting: Mask,
    /// Lanes that have reached the end.
    pub(crate) joined: Mask,
}

/// Why a unit stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All its lanes have ended.
    Done,
    /// It waits at a barrier of the block; the instruction is before `pc`.
    Block,
    /// It waits at a barrier of the grid.
    Grid,
    /// Its turn is over.
    Turn,
    /// A fault was raised.
    Fault,
}

/// The state of a unit.
#[derive(Default)]
pub(crate) struct Unit {
    pub(crate) w: File<u32>,
    pub(crate) d: File<u64>,
    pub(crate) b: Bits,
    /// Lanes that execute.
    pub(crate) mask: Mask,
    /// Lanes that exist.
    pub(crate) all: Mask,
    /// Lanes that have not ended.
    pub(crate) alive: Mask,
    pub(crate) slots: Vec<Slot>,
    pub(crate) pc: usize,
    /// Chunks of lanes.
    pub(crate) chunks: usize,
    /// The number of lane 0's thread in the block.
    pub(crate) first: u32,
    /// Threads' local memory, in rows of one word for each lane.
    pub(crate) local: Vec<[u32; CHUNK]>,
    /// Twins of registers of words and double words, and of local memory.
    pub(crate) word_twins: twin::Twins,
    pub(crate) double_twins: twin::Twins,
    pub(crate) local_twins: twin::memory::Tables,
    /// Which bytes of it were written, where that is checked: four bits for each lane.
    pub(crate) local_written: Vec<u64>,
    /// Instructions that back edges have counted in this turn.
    pub(crate) turn: u64,
    /// Chunks of one block, where several are in this unit; else of the unit.
    pub(crate) block_chunks: usize,
}

impl Unit {
    /// Whether all lanes that exist are active.
    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        self.mask.count == self.all.count
    }
}

/// What an address points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A buffer of the memory.
    Buffer(usize),
    /// A range of the block's shared memory that begins here.
    Shared(usize),
    /// A range of the parameters.
    Parameters,
    /// Rows of the threads' local memory that begin here.
    Local(usize),
}

/// An object of the running program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) place: Place,
    pub(crate) base: u64,
    pub(crate) size: u64,
}

/// Everything that an instruction can reach.
pub(crate) struct Machine<'r> {
    pub(crate) unit: Box<Unit>,
    pub(crate) code: &'r Code,
    pub(crate) memory: &'r mut Memory,
    /// The block's shared memory.
    pub(crate) shared: Aligned,
    pub(crate) parameters: Vec<u8>,
    /// Objects of the program by number; buffers come after them.
    pub(crate) objects: Vec<Option<Object>>,
    pub(crate) options: &'r Options,
    pub(crate) checks: Checks,
    pub(crate) schedule: Schedule,
    pub(crate) grid: [u32; 3],
    pub(crate) block_dim: [u32; 3],
    /// The running block, or the first of those that run together.
    pub(crate) block: [u32; 3],
    /// The blocks that run together, if they are several.
    pub(crate) group: together::Group,
    pub(crate) outcome: Outcome,
    pub(crate) fuel: u64,
    pub(crate) warp_width: usize,
    /// Active lanes for which the last condition that parted them does not hold.
    pub(crate) fails: Mask,
    /// The fault, once one was raised: what, and the number of the first thread concerned.
    pub(crate) fault: Option<(FaultKind, u32, Option<u32>, u32)>,
    /// Values of a clock that counts what is executed.
    pub(crate) executed: u64,
    /// Instructions that a unit may count until the next has its turn.
    pub(crate) turn_length: u64,
    /// What has arrived at the block's barrier, and what the last one that was passed gave.
    pub(crate) barrier: grid::Barrier,
    pub(crate) passed: grid::Barrier,
    /// Whether the launch can begin again with smaller units, and whether it must.
    pub(crate) may_restart: bool,
    pub(crate) restart: bool,
    pub(crate) cluster: [u32; 3],
    pub(crate) dynamic_shared: u64,
    /// Addresses of the module's variables.
    pub(crate) symbols: Vec<u64>,
    /// What is being traced.
    pub(crate) trace: Option<Box<crate::trace::Tracer>>,
    /// Whether somebody looks at accesses to memory: the checks or the tracker.
    pub(crate) hooked: bool,
    /// What blocks on this thread of the host touched, where others run blocks too.
    pub(crate) tracker: Option<Box<parallel::Tracker>>,
    /// Twins in the block's shared memory.
    pub(crate) shared_twins: twin::memory::Tables,
    /// Whether there are twins in memory, and bytes left for more.
    pub(crate) has_twins: bool,
    /// What the last access touched, for that of the twins after it.
    pub(crate) noted: Option<Box<twin::memory::Noted>>,
    pub(crate) twin_room: u64,
    /// What rounding does at each site, where that is asked for.
    pub(crate) errors: Option<Vec<twin::lanes::SiteError>>,
    /// What the checks remember.
    pub(crate) watch: Option<Box<crate::check::Watch>>,
    /// What the quick look remembers, and whether this run is one: then any finding ends it.
    pub(crate) screen: Option<Box<crate::check::screen::Screen>>,
    pub(crate) screening: bool,
    /// Where the operands of joined instructions lie.
    pub(crate) sources: Option<Box<joined::Sources>>,
    /// How often each place and kind has been reported.
    pub(crate) reported: std::collections::BTreeMap<(u32, u8), usize>,
}

impl Machine<'_> {
    /// The object of an address.
    #[inline(always)]
    pub(crate) fn object(&self, address: u64) -> Option<Object> {
        let index = address >> WINDOW_BITS;
        if index >= FIRST_BUFFER {
            let index = (index - FIRST_BUFFER) as usize;
            let buffer = self.memory.buffers.get(index)?;
            return Some(Object {
                place: Place::Buffer(index),
                base: (address & !((1 << WINDOW_BITS) - 1)) + WINDOW_ORIGIN,
                size: buffer.bytes.len() as u64,
            });
        }
        let object = self.objects.get(index as usize).copied().flatten();
        if self.group.is_several()
            && let Some(Object { place: Place::Shared(start), base, size }) = object
        {
            return Some(self.group.shared(address, start, base, size));
        }
        object
    }

    /// As [`Machine::object`]; of one that each block of the unit has a copy of, the first block's.
    #[inline(always)]
    pub(crate) fn first_copy(&self, address: u64) -> Option<Object> {
        let index = address >> WINDOW_BITS;
        if index >= FIRST_BUFFER {
            return self.object(address);
        }
        self.objects.get(index as usize).copied().flatten()
    }

    /// The number of a lane's thread in its block.
    pub(crate) fn thread_of(&self, lane: usize) -> u32 {
        self.unit.first + (lane % (self.unit.block_chunks.max(1) * CHUNK)) as u32
    }

    /// The block of a lane.
    pub(crate) fn block_of(&self, lane: usize) -> [u32; 3] {
        let number = lane / (self.unit.block_chunks.max(1) * CHUNK);
        self.group.places.get(number).copied().unwrap_or(self.block)
    }

    /// Raises a fault, unless there is one already.
    #[cold]
    pub(crate) fn raise(&mut self, kind: FaultKind, site: u32, lane: Option<usize>, lanes: u32) {
        if self.fault.is_none() {
            let thread = lane.map(|lane| self.thread_of(lane));
            self.block = lane.map_or(self.block, |lane| self.block_of(lane));
            self.fault = Some((kind, site, thread, lanes));
        }
    }

    /// The place of a thread in its block.
    pub(crate) fn thread(&self, number: u32) -> [u32; 3] {
        let [x, y, _] = self.block_dim.map(|extent| extent.max(1));
        [number % x, number / x % y, number / x / y]
    }

    /// Describes an access for a fault or finding.
    pub(crate) fn describe(&self, address: u64, bytes: u64, writes: bool) -> Access {
        let object = self.object(address);
        let (space, name) = match object.map(|object| object.place) {
            Some(Place::Buffer(index)) => {
                let buffer = self.memory.buffers.get(index);
                let name = buffer.map_or(String::new(), |buffer| buffer.name.clone());
                let constant = self.code.constants.contains(&name);
                (if constant { "constant" } else { "global" }, name)
            }
            Some(Place::Shared(_)) => ("shared", self.code.object_name(address >> WINDOW_BITS)),
            Some(Place::Local(_)) => ("local", self.code.object_name(address >> WINDOW_BITS)),
            Some(Place::Parameters) => ("parameter", String::new()),
            None if address >> WINDOW_BITS == 0 => ("null", String::new()),
            None => ("unknown", String::new()),
        };
        let (base, size) = object.map_or((0, 0), |object| (object.base, object.size));
        Access {
            space,
            object: name,
            offset: address.wrapping_sub(base) as i64,
            bytes,
            size,
            address,
            writes,
        }
    }

    /// Notes a finding about the statement at `site`.
    #[cold]
    pub(crate) fn find(
        &mut self,
        kind: FindingKind,
        site: u32,
        lane: usize,
        lanes: u32,
        writes: bool,
        other: Option<Participant>,
    ) {
        if self.screening {
            return crate::check::screen::doubt(self);
        }
        let index = match &kind {
            FindingKind::OutOfBounds(_) => 0,
            FindingKind::Misaligned(..) => 1,
            FindingKind::Uninitialised(_) => 2,
            FindingKind::Race(_) => 3,
            FindingKind::DivergentBarrier { .. } => 4,
            FindingKind::MissingLanes { .. } => 5,
            FindingKind::InactiveLane { .. } => 6,
            FindingKind::DivisionByZero => 7,
        };
        let count = self.reported.entry((site, index)).or_insert(0);
        *count += 1;
        if *count > self.options.findings_limit {
            self.outcome.counters.findings_dropped += 1;
            return;
        }
        let Some(location) = self.code.sites.get(site as usize).copied() else { return };
        let thread = self.thread(self.thread_of(lane));
        let who = Participant { block: self.block_of(lane), thread, location, writes };
        self.outcome.findings.push(Finding { kind, who, threads: lanes, other });
    }
}
