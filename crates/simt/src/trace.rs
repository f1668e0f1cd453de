//! What a program computed where, in order: for comparing two programs that should do the same.
//!
//! A program that is compiled with [`Program::traced`](crate::Program::traced) has a [`Point`] after
//! each value, store, barrier and jump. Passing one makes an [`Event`]: a digest of the values of
//! the threads that were there, and so of which threads were. Digests do not depend on how threads
//! are grouped in units. A program that is not traced has no points and pays nothing.

use port_ir::{Location, Scalar, Value};

use crate::machine::lanes::Kernel;
use crate::machine::{Inst, Machine};
use crate::memory::{FIRST_BUFFER, WINDOW_BITS};

/// What is to be traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRequest {
    /// The block whose events are kept, by its number; `None` for those of no block: then only
    /// [`Trace::writes`] is filled.
    pub block: Option<u64>,
    /// The thread whose values are kept beside the digests, by its number in the block.
    pub thread: u32,
    /// Most events that are kept.
    pub limit: usize,
}

/// A place of the program at which something is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The user's text.
    pub location: Location,
    /// What: `add`, `load`, `store`, `barrier` …
    pub what: &'static str,
    /// The type of what is noted, where it is one number.
    pub scalar: Option<Scalar>,
    /// The value of the kernel that it is; `None` for effects, and in functions that are called.
    pub value: Option<Value>,
    /// The address that is loaded from or stored to; as [`Point::value`].
    pub pointer: Option<Value>,
    /// The first of what is noted is an address; so many bytes from it.
    pub(crate) address: Option<u64>,
    /// It writes memory that other threads can see.
    pub(crate) writes: bool,
}

/// A point that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which of [`Program::points`](crate::Program::points).
    pub point: u32,
    /// How many threads passed it together.
    pub threads: u32,
    /// Of their numbers and values.
    pub digest: u64,
    /// The value's bits in the thread that was asked for; `None` if it was not there.
    pub sample: Option<u64>,
}

/// What a launch passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The events of the block that was asked for, in order.
    pub events: Vec<Event>,
    /// Whether there were more.
    pub truncated: bool,
    /// For each block, a digest of what it wrote, whatever the order; only as many as
    /// [`MOST_BLOCKS`].
    pub writes: Vec<u64>,
}

/// Blocks whose writes are told apart.
pub const MOST_BLOCKS: usize = 1 << 20;

/// A trace that is being made.
pub(crate) struct Tracer {
    pub(crate) request: TraceRequest,
    pub(crate) trace: Trace,
}

impl Tracer {
    pub(crate) fn new(request: TraceRequest, blocks: u64) -> Box<Tracer> {
        let blocks = usize::try_from(blocks).unwrap_or(MOST_BLOCKS).min(MOST_BLOCKS);
        let trace = Trace { writes: vec![0; blocks], ..Trace::default() };
        Box::new(Tracer { request, trace })
    }
}

/// The file of a noted register, in two bits.
pub(crate) const WORD: u64 = 1;
pub(crate) const DOUBLE: u64 = 2;
pub(crate) const TRUTH: u64 = 3;

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (value ^ (value >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
}

/// An address as both of two programs have it: objects of the program itself are numbered as it
/// happens.
fn common(address: u64) -> u64 {
    match address >> WINDOW_BITS {
        index if index >= FIRST_BUFFER => address,
        _ => address & ((1 << WINDOW_BITS) - 1),
    }
}

/// Notes up to four registers. `imm`: the point, and from bit 32 two bits for each register's file.
pub(crate) struct Note;
impl Kernel for Note {
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let Some(mut tracer) = m.trace.take() else { return };
        note(m, i, &mut tracer);
        m.trace = Some(tracer);
    }
}

fn note(m: &Machine<'_>, i: &Inst, tracer: &mut Tracer) {
    let number = i.imm as u32;
    let Some(point) = m.code.points.get(number as usize) else { return };
    let [x, y, z] = m.block.map(u64::from);
    let [width, height, _] = m.grid.map(u64::from);
    let block = x + width * (y + height * z);
    let keep = tracer.request.block == Some(block);
    if !keep && !point.writes {
        return;
    }
    let unit = &m.unit;
    let registers = [i.a, i.b, i.c, i.slot];
    let mut digest = 0u64;
    let mut sample = None;
    let mut threads = 0;
    for lane in unit.mask.lanes(unit.chunks) {
        let thread = unit.first + lane as u32;
        let mut own = mix(u64::from(thread) + 1);
        let mut first = None;
        for (index, register) in registers.iter().enumerate() {
            let bits = match (i.imm >> (32 + 2 * index)) & 3 {
                WORD => u64::from(unit.w.get(*register, lane)),
                DOUBLE => unit.d.get(*register, lane),
                TRUTH => u64::from(unit.b.get(*register, lane)),
                _ => break,
            };
            let bits = match point.address {
                Some(offset) if index == 0 => common(bits.wrapping_add(offset)),
                _ => bits,
            };
            first = first.or(Some(bits));
            own = mix(own ^ bits);
        }
        digest = digest.wrapping_add(own);
        threads += 1;
        if thread == tracer.request.thread {
            sample = first;
        }
    }
    if point.writes
        && let Some(writes) = tracer.trace.writes.get_mut(block as usize)
    {
        *writes = writes.wrapping_add(digest);
    }
    if keep {
        match tracer.trace.events.len() < tracer.request.limit {
            true => tracer.trace.events.push(Event { point: number, threads, digest, sample }),
            false => tracer.trace.truncated = true,
        }
    }
}
