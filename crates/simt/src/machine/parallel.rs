//! Blocks on several threads of the host, with the result of one.
//!
//! Each thread of the host runs its blocks in the schedule's order, on memory of its own that shares
//! the bytes of every buffer until it writes there, and notes which bytes its blocks read, wrote, or
//! changed by operations whose order does not matter. If no thread touched what another wrote, each
//! block has seen what it would have seen in turn: what was written is brought together. If not, or
//! if a block did what depends on an order (a clock, a fault, a shuffle from a lane that is not
//! there), all of it is thrown away and the blocks run in turn.
//!
//! The first blocks run alone and say whether threads are worth it, and, where the program's text does
//! not, which buffers are written. Reads of the others are not noted; a write there ends the attempt.
//! Of a buffer that is written a thread has copies of the pages that its blocks read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use port_ir::Scalar;

use super::access::Element;
use super::atomic::{Change, change, decode};
use super::grid::{Ending, Line, Setup};
use super::registers::Shape;
use super::{CHUNK, Inst, Machine, Object, Op, Place};
use crate::check::runs::only_read;
use crate::launch::{Launch, Options, Schedule};
use crate::memory::{Aligned, Bytes, FIRST_BUFFER, Memory, Stash, WINDOW_BITS, WINDOW_ORIGIN};
use crate::outcome::Outcome;
use crate::program::Code;

/// A change whose order does not matter, if nobody sees the values between.
type Reduction = (Change, Scalar);

/// A bit for each byte of a buffer, or for each word while nobody asks for less.
#[derive(Default)]
struct Bits {
    words: Vec<u64>,
    bytes: u64,
    /// How many bytes a bit stands for, as a power of two.
    shift: u32,
    /// The words outside of these are zero.
    used: std::ops::Range<usize>,
}

/// Four bytes: most accesses are of words or more.
const COARSE: u32 = 2;

impl Bits {
    fn none(bytes: u64, stash: &mut Stash) -> Self {
        Bits {
            words: stash.words(bytes.div_ceil(64 << COARSE) as usize),
            bytes,
            shift: COARSE,
            used: 0..0,
        }
    }

    /// Keeps the room for the next launch.
    fn keep(mut self, stash: &mut Stash) {
        if let Some(words) = self.words.get_mut(self.used.clone()) {
            words.fill(0);
            stash.keep_words(self.words);
        }
    }

    #[inline(always)]
    fn set(&mut self, start: u64, end: u64) {
        let end = end.min(self.bytes);
        if start >= end {
            return;
        }
        let part = (1 << self.shift) - 1;
        if start & part != 0 || end & part != 0 && end != self.bytes {
            *self = self.by_bytes();
        }
        let (start, last) = (start >> self.shift, (end - 1) >> self.shift);
        let (low, high) = (u64::MAX << (start % 64), u64::MAX >> (63 - last % 64));
        let (first, last) = ((start / 64) as usize, (last / 64) as usize);
        self.use_words(first..last + 1);
        if first == last {
            self.words[first] |= low & high;
            return;
        }
        self.words[first] |= low;
        self.words[first + 1..last].fill(u64::MAX);
        self.words[last] |= high;
    }

    #[inline(always)]
    fn use_words(&mut self, words: std::ops::Range<usize>) {
        self.used = match self.used.is_empty() {
            true => words,
            false => self.used.start.min(words.start)..self.used.end.max(words.end),
        };
    }

    /// The same, with a bit for each byte.
    #[cold]
    fn by_bytes(&self) -> Bits {
        let words = vec![0; self.bytes.div_ceil(64) as usize];
        let mut fine = Bits { words, bytes: self.bytes, shift: 0, used: 0..0 };
        each_run(self, |run| fine.set(run.start as u64, run.end as u64));
        fine
    }

    fn meets(&self, other: &Bits) -> bool {
        let both_used = !self.used.is_empty() && !other.used.is_empty();
        if both_used && self.shift != other.shift {
            return self.by_bytes().meets_alike(&other.by_bytes());
        }
        self.meets_alike(other)
    }

    fn meets_alike(&self, other: &Bits) -> bool {
        let both = self.used.start.max(other.used.start)..self.used.end.min(other.used.end);
        match (self.words.get(both.clone()), other.words.get(both.clone())) {
            (Some(ours), Some(theirs)) => ours.iter().zip(theirs).any(|(a, b)| a & b != 0),
            _ => false,
        }
    }

    fn add(&mut self, other: &Bits, stash: &mut Stash) {
        if self.words.is_empty() {
            *self = Bits::none(other.bytes, stash);
        }
        if self.shift != other.shift {
            *self = self.by_bytes();
            return self.add_alike(&other.by_bytes());
        }
        self.add_alike(other);
    }

    fn add_alike(&mut self, other: &Bits) {
        if other.used.is_empty() {
            return;
        }
        self.use_words(other.used.clone());
        if let (Some(to), Some(from)) =
            (self.words.get_mut(other.used.clone()), other.words.get(other.used.clone()))
        {
            to.iter_mut().zip(from).for_each(|(a, b)| *a |= b);
        }
    }

    /// How many bytes they stand for.
    fn count(&self) -> u64 {
        let words = self.words.get(self.used.clone()).unwrap_or_default();
        words.iter().map(|word| u64::from(word.count_ones()) << self.shift).sum()
    }
}

/// What blocks did to a buffer.
#[derive(Default)]
struct Touched {
    bytes: u64,
    /// Whether reads are noted.
    watched: bool,
    read: Option<Bits>,
    written: Option<Bits>,
    reduced: BTreeMap<Reduction, Bits>,
}

/// What blocks on one thread of the host did.
pub(crate) struct Tracker {
    buffers: Vec<Touched>,
    /// Something depends on the order of blocks.
    depends: bool,
    stash: Stash,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Read,
    Write,
    /// Reads and writes.
    Update,
    Reduce(Reduction),
}

impl Tracker {
    fn new(memory: &Memory, watched: impl Fn(usize) -> bool, stash: Stash) -> Self {
        let touched = |(index, buffer): (usize, &crate::memory::Buffer)| Touched {
            bytes: buffer.bytes.len() as u64,
            watched: watched(index),
            ..Touched::default()
        };
        Tracker {
            buffers: memory.buffers.iter().enumerate().map(touched).collect(),
            depends: false,
            stash,
        }
    }

    /// Notes an access to bytes from an address, all in one window, before it happens.
    #[inline(always)]
    fn note(&mut self, memory: &mut Memory, address: u64, bytes: u64, what: What) {
        let Some(index) = (address >> WINDOW_BITS).checked_sub(FIRST_BUFFER) else { return };
        let Some(touched) = self.buffers.get_mut(index as usize) else { return };
        let place = (address & ((1 << WINDOW_BITS) - 1)).checked_sub(WINDOW_ORIGIN);
        // Outside of the object, it is a fault.
        let Some(start) = place else { return };
        let end = start.saturating_add(bytes);
        let length = touched.bytes;
        if touched.watched
            && let Some(buffer) = memory.buffers.get_mut(index as usize)
        {
            let (from, to) = (start as usize, end.min(length) as usize);
            if what == What::Write {
                buffer.bytes.touch(from, to);
            } else {
                let written = touched.written.as_ref();
                let written = written.map_or((&[][..], 0), |it| (&it.words[..], it.shift));
                buffer.bytes.fetch(from, to, written);
            }
        }
        let stash = &mut self.stash;
        let mut none = || Bits::none(length, stash);
        match what {
            What::Read if !touched.watched => {}
            What::Read => touched.read.get_or_insert_with(none).set(start, end),
            _ if !touched.watched => self.depends = true,
            What::Write => touched.written.get_or_insert_with(none).set(start, end),
            What::Reduce((_, scalar)) if start % scalar.size() != 0 => self.depends = true,
            What::Reduce(by) => touched.reduced.entry(by).or_insert_with(none).set(start, end),
            What::Update => {
                touched.read.get_or_insert_with(&mut none).set(start, end);
                touched.written.get_or_insert_with(none).set(start, end);
            }
        }
    }

    /// Adds an access to a range of accesses whose place it may continue; what it does not is noted, and
    /// the range begins anew.
    #[inline(always)]
    fn extend(
        &mut self,
        memory: &mut Memory,
        range: &mut (u64, u64),
        start: u64,
        bytes: u64,
        what: What,
    ) {
        let end = start.wrapping_add(bytes);
        // What goes on in another window is in another object.
        if range.1 == start && (range.0 ^ end) >> WINDOW_BITS == 0 {
            range.1 = end;
            return;
        }
        self.note(memory, range.0, range.1.wrapping_sub(range.0), what);
        *range = (start, end);
    }

    /// Whether reads of the window of an address are of interest.
    #[inline(always)]
    fn ignores_reads(&self, address: u64) -> bool {
        let index = (address >> WINDOW_BITS).checked_sub(FIRST_BUFFER);
        let touched = index.and_then(|index| self.buffers.get(index as usize));
        touched.is_none_or(|touched| !touched.watched)
    }
}

/// Whether accesses to an object have to be noted: writes to any buffer, for one that the first block
/// did not write to must not be written.
#[inline(always)]
pub(crate) fn is_tracked(m: &Machine<'_>, object: Object, writes: bool) -> bool {
    match (&m.tracker, object.place) {
        (Some(tracker), Place::Buffer(index)) => {
            writes || tracker.buffers.get(index).is_none_or(|touched| touched.watched)
        }
        _ => false,
    }
}

/// Notes accesses of the active lanes to elements of so many bytes, `stride` bytes apart in each chunk:
/// neighbours, or one place. The places count from the object's start.
#[inline(never)]
pub(crate) fn track_places(
    m: &mut Machine<'_>,
    object: Object,
    places: &[u64],
    [size, stride]: [u64; 2],
    writes: bool,
) {
    let Some(tracker) = &mut m.tracker else { return };
    let what = if writes { What::Write } else { What::Read };
    let mut range = (0, 0);
    for (place, mask) in places.iter().zip(&m.unit.mask.bits) {
        let mut rest = u32::from(*mask);
        while rest != 0 {
            let first = rest.trailing_zeros();
            let count = (rest >> first).trailing_ones();
            rest &= !(((1 << count) - 1) << first);
            let start = object.base.wrapping_add(place + stride * u64::from(first));
            let bytes = stride * u64::from(count - 1) + size;
            tracker.extend(m.memory, &mut range, start, bytes, what);
        }
    }
    tracker.note(m.memory, range.0, range.1.wrapping_sub(range.0), what);
}

/// Notes that what happens next depends on which blocks ran before.
pub(crate) fn depends_on_order(m: &mut Machine<'_>) {
    if let Some(tracker) = &mut m.tracker {
        tracker.depends = true;
    }
}

/// Notes an access to one range.
pub(crate) fn track_one(m: &mut Machine<'_>, address: u64, bytes: u64, writes: bool) {
    if let Some(tracker) = &mut m.tracker
        && bytes != 0
    {
        tracker.note(m.memory, address, bytes, if writes { What::Write } else { What::Read });
    }
}

/// Notes an access of the active lanes.
#[inline(never)]
pub(crate) fn track<E: Element>(m: &mut Machine<'_>, i: &Inst, writes: bool) {
    let what = if writes { What::Write } else { What::Read };
    track_lanes::<E>(m, i, i.imm, what);
}

/// Notes an atomic operation of the active lanes.
#[inline(never)]
pub(crate) fn track_atomic<E: Element>(m: &mut Machine<'_>, i: &Inst) {
    let (what, scalar, offset) = decode(i.imm);
    let what = match what {
        _ if i.slot & 1 != 0 || scalar.is_float() => What::Update,
        Change::Add | Change::Subtract => What::Reduce((Change::Add, plain(scalar))),
        Change::And | Change::Or | Change::Xor => What::Reduce((what, plain(scalar))),
        Change::Minimum | Change::Maximum => What::Reduce((what, scalar)),
        _ => What::Update,
    };
    track_lanes::<E>(m, i, offset, what);
}

/// The scalar of the same size for operations that do not ask for more.
fn plain(scalar: Scalar) -> Scalar {
    match scalar.size() {
        8 => Scalar::U64,
        2 => Scalar::U16,
        _ => Scalar::U32,
    }
}

fn track_lanes<E: Element>(m: &mut Machine<'_>, i: &Inst, offset: u64, what: What) {
    let Some(mut tracker) = m.tracker.take() else { return };
    let size = E::SIZE as u64;
    let unit = &m.unit;
    if unit.mask.is_empty() {
        // What is written then, if anything, is no lane's.
    } else if let Some(address) = unit.d.uniform(i.a) {
        tracker.note(m.memory, address.wrapping_add(offset), size, what);
    } else {
        let affine = unit.d.shape(i.a) == Shape::Affine;
        let stride = unit.d.stride(i.a);
        if affine && stride < 1 << 16 {
            // Most accesses are to shared memory, or read what nobody writes.
            let first = unit.d.get(i.a, unit.mask.lowest()).wrapping_add(offset);
            let mut other = 0;
            for k in (0..unit.chunks).filter(|k| unit.mask.bits[*k] != 0) {
                let base = unit.d.base(i.a, k).wrapping_add(offset);
                other |= (base ^ first) | (base.wrapping_add(15 * stride) ^ first);
            }
            let elsewhere = first >> WINDOW_BITS < FIRST_BUFFER;
            if other >> WINDOW_BITS == 0
                && (elsewhere || what == What::Read && tracker.ignores_reads(first))
            {
                m.tracker = Some(tracker);
                return;
            }
        }
        // Neighbours are one range, also those of the chunk after.
        let mut range = (0, 0);
        for k in 0..unit.chunks {
            let mask = unit.mask.bits[k];
            if mask == 0 {
                continue;
            }
            if affine && stride == size {
                let base = unit.d.base(i.a, k).wrapping_add(offset);
                if (base ^ base.wrapping_add(size * CHUNK as u64)) >> WINDOW_BITS == 0 {
                    let mut rest = u32::from(mask);
                    while rest != 0 {
                        let first = rest.trailing_zeros();
                        let count = (rest >> first).trailing_ones();
                        rest &= !(((1 << count) - 1) << first);
                        let start = base + size * u64::from(first);
                        tracker.extend(m.memory, &mut range, start, size * u64::from(count), what);
                    }
                    continue;
                }
            }
            let addresses = m.addresses(i.a, offset, k);
            if what == What::Read {
                let first = addresses[mask.trailing_zeros() as usize & 15];
                let other = addresses.iter().fold(0, |bits, address| bits | (address ^ first));
                if other >> WINDOW_BITS == 0 && tracker.ignores_reads(first) {
                    continue;
                }
            }
            for (l, address) in addresses.into_iter().enumerate() {
                if mask >> l & 1 == 1 {
                    tracker.extend(m.memory, &mut range, address, size, what);
                }
            }
        }
        tracker.note(m.memory, range.0, range.1.wrapping_sub(range.0), what);
    }
    m.tracker = Some(tracker);
}

/// What a thread of the host gives.
struct Work {
    memory: Memory,
    tracker: Tracker,
    /// What blocks printed, by their place in the order.
    printed: Vec<(usize, Vec<u8>)>,
    instructions: u64,
    blocks: u64,
    fine: bool,
}

/// Work (instructions of chunks) below which threads cost more than they bring.
const LEAST_WORK: u64 = 600_000;

/// Bytes that are copied, there and back, in the time that an instruction of a chunk takes.
const COPIED: u64 = 8;

/// Bytes of a buffer for which a thread that brings together what others wrote is worth it.
const LEAST_COLLECTED: usize = 1 << 17;

/// Parts that each thread's share of the blocks comes in.
const PARTS: usize = 8;

/// What all threads of the host know of a launch.
struct Common<'r> {
    code: &'r Code,
    launch: &'r Launch,
    options: &'r Options,
    may_restart: bool,
    setup: &'r Setup,
    order: &'r [u64],
    next: AtomicUsize,
    stop: AtomicBool,
    part: usize,
}

impl Common<'_> {
    /// Runs blocks until none are left. `pilot` is asked after each block of the first part.
    fn work(
        &self,
        mut memory: Memory,
        written: Option<Vec<bool>>,
        mut stash: Stash,
        mut pilot: impl FnMut(&Machine<'_>) -> bool,
        first: std::ops::Range<usize>,
    ) -> Work {
        let mut machine =
            self.setup.machine(self.code, &mut memory, self.launch, self.options, self.may_restart);
        let only_read = only_read(&machine);
        let watched = |index: usize| match &written {
            Some(written) => written.get(index) == Some(&true),
            None => only_read.get(index) != Some(&true),
        };
        for (index, buffer) in machine.memory.buffers.iter_mut().enumerate() {
            if watched(index) {
                buffer.bytes.copy_by_pages(&mut stash);
            }
        }
        let tracker = Tracker::new(machine.memory, watched, stash);
        machine.tracker = Some(Box::new(tracker));
        machine.hooked = true;
        let mut line = Line::new(self.setup, &machine);
        // Each thread gets some units.
        let share = self.order.len() / (2 * self.options.threads.max(1));
        line.size = line.size.min(share.max(1));
        let part = self.part.next_multiple_of(line.size);
        let mut printed = Vec::new();
        let mut fine = true;
        let mut range = first;
        'all: loop {
            while !range.is_empty() {
                let place = range.start;
                let end = self.order.len().min(range.end).min(place.saturating_add(line.size));
                let Some(numbers) = self.order.get(place..end) else { break 'all };
                if numbers.is_empty() {
                    break 'all;
                }
                range.start = end;
                if self.stop.load(Ordering::Relaxed) {
                    fine = false;
                    break 'all;
                }
                fine = line.run(self.setup, &mut machine, numbers);
                fine &= machine.tracker.as_ref().is_some_and(|tracker| !tracker.depends);
                if !fine || !pilot(&machine) {
                    fine = false;
                    self.stop.store(true, Ordering::Relaxed);
                    break 'all;
                }
                if !machine.outcome.printed.is_empty() {
                    printed.push((place, std::mem::take(&mut machine.outcome.printed)));
                }
            }
            // Blocks that print are never several in a unit, so what is printed has one place.
            let start = self.next.fetch_add(part, Ordering::Relaxed);
            range = start..start.saturating_add(part);
        }
        let instructions = self.options.fuel - machine.fuel;
        let blocks = machine.outcome.counters.blocks;
        let tracker = machine.tracker.take();
        let none = || Tracker::new(&Memory::new(), |_| true, Stash::default());
        let tracker = tracker.map_or_else(none, |it| *it);
        Work { memory, tracker, printed, instructions, blocks, fine }
    }
}

/// Runs a launch on several threads of the host; `None`, and nothing has happened, if the blocks
/// have to run in turn.
pub(super) fn run(
    code: &Code,
    memory: &mut Memory,
    launch: &Launch,
    options: &Options,
    may_restart: bool,
    setup: &Setup,
    order: &[u64],
) -> Option<Ending> {
    let threads = options.threads.min(order.len()).min(256);
    // A seed's order of lanes depends on what ran before.
    if threads < 2
        || setup.resident > 1
        || code.reads_stale
        || code.twinned
        || options.checks.any()
        || options.trace.is_some()
        || matches!(options.schedule, Schedule::Seeded(_))
        || setup.needed.saturating_mul(threads as u64) > options.memory_limit
    {
        return None;
    }
    // Without loops it is known what there is to do; with little of it for what may have to be copied,
    // not even one block is tried.
    let loops = code.instructions.iter().any(|inst| inst.op == Op::Back);
    let work = (code.instructions.len() as u64)
        .saturating_mul(setup.chunks as u64)
        .saturating_mul(order.len() as u64);
    if !loops && work < LEAST_WORK {
        return None;
    }
    let mut stashes = std::mem::take(&mut memory.stashes);
    stashes.resize_with(threads, Stash::default);
    let lent = memory.lend();
    let common = Common {
        code,
        launch,
        options,
        may_restart,
        setup,
        order,
        next: AtomicUsize::new(1),
        stop: AtomicBool::new(false),
        part: ((order.len() - 1) / (threads * PARTS)).max(1),
    };
    let works = pilot(&common, &lent, stashes);
    drop(lent);
    let mut works = works?;
    if !fits(&mut works, options) {
        put_away(memory, works);
        return None;
    }
    let threads = works.iter().filter(|work| work.blocks > 0).count();
    let mut outcome = Outcome { threads, ..Outcome::default() };
    outcome.counters.instructions = works.iter().map(|work| work.instructions).sum();
    outcome.counters.blocks = works.iter().map(|work| work.blocks).sum();
    let mut printed: Vec<(usize, Vec<u8>)> =
        works.iter_mut().flat_map(|work| std::mem::take(&mut work.printed)).collect();
    printed.sort_by_key(|(place, _)| *place);
    outcome.printed = printed.into_iter().flat_map(|(_, text)| text).collect();
    for index in 0..memory.buffers.len() {
        collect(memory, &mut works, index);
    }
    put_away(memory, works);
    Some(Ending::Finished(outcome))
}

/// Makes the memory's bytes its own again, and keeps the room that the launch has had: no more than the
/// memory itself has.
fn put_away(memory: &mut Memory, works: Vec<Work>) {
    let most: usize = memory.buffers.iter().map(|buffer| buffer.bytes.len()).sum();
    for work in works {
        let Work { memory: copies, tracker, .. } = work;
        let mut stash = Stash::default();
        for buffer in copies.buffers {
            stash.keep_bytes(buffer.bytes.copied());
        }
        for touched in tracker.buffers {
            let bits = touched.read.into_iter().chain(touched.written);
            bits.chain(touched.reduced.into_values()).for_each(|bits| bits.keep(&mut stash));
        }
        stash.keep_rest(tracker.stash, most);
        memory.stashes.push(stash);
    }
    memory.reclaim();
}

/// Runs the first block, and then the others on all threads if that is worth it: a thread for each stash.
/// Also what has not come to its end is given back.
fn pilot(common: &Common<'_>, lent: &Memory, stashes: Vec<Stash>) -> Option<Vec<Work>> {
    let threads = stashes.len();
    let mut stashes = stashes.into_iter();
    let own = stashes.next().unwrap_or_default();
    let spend = |work: u64| work.saturating_mul(common.setup.chunks as u64);
    let mut first = None;
    std::thread::scope(|scope| {
        let mut others = Vec::new();
        let mut asked = false;
        let own = common.work(
            lent.clone(),
            None,
            own,
            |machine| {
                if std::mem::replace(&mut asked, true) {
                    return true;
                }
                let Some(tracker) = &machine.tracker else { return false };
                let blocks = common.order.len() as u64;
                let done = machine.outcome.counters.blocks.max(1);
                let used = spend(common.options.fuel - machine.fuel);
                let work = (used / done).saturating_mul(blocks);
                // Known where the program's text does not say which buffers are written.
                let known = common.code.writes.is_none();
                let written = tracker.buffers.iter().map(Touched::is_written).collect();
                let written: Option<Vec<bool>> = known.then_some(written);
                let bytes = |touched: &Touched| {
                    let all = (touched.changed() / done).saturating_mul(blocks);
                    all.min(touched.bytes)
                };
                let bytes: u64 = tracker.buffers.iter().map(bytes).sum();
                let too_little = work < LEAST_WORK.saturating_add(bytes / COPIED);
                let room: u64 = tracker.buffers.iter().map(Touched::room).sum();
                if too_little || room.saturating_mul(threads as u64) > common.options.memory_limit {
                    return false;
                }
                for stash in stashes.by_ref() {
                    let (memory, written) = (lent.clone(), written.clone());
                    others.push(
                        scope.spawn(move || common.work(memory, written, stash, |_| true, 0..0)),
                    );
                }
                true
            },
            0..1,
        );
        let mut works = vec![own];
        for other in others {
            // Whoever panicked has done nothing that counts.
            works.push(other.join().ok()?);
        }
        first = Some(works);
        Some(())
    })?;
    first
}

impl Touched {
    fn is_written(&self) -> bool {
        self.written.is_some() || !self.reduced.is_empty()
    }

    /// Bytes that were changed.
    fn changed(&self) -> u64 {
        let reduced: u64 = self.reduced.values().map(Bits::count).sum();
        self.written.as_ref().map_or(0, Bits::count) + reduced
    }

    /// Bytes that a copy may come to.
    fn room(&self) -> u64 {
        if self.watched { self.bytes } else { 0 }
    }
}

/// Whether the blocks did what they would have done in turn.
fn fits(works: &mut [Work], options: &Options) -> bool {
    let Some(mut stash) = works.first_mut().map(|work| std::mem::take(&mut work.tracker.stash))
    else {
        return false;
    };
    let fits = fits_with(works, options, &mut stash);
    if let Some(work) = works.first_mut() {
        work.tracker.stash = stash;
    }
    fits
}

fn fits_with(works: &[Work], options: &Options, stash: &mut Stash) -> bool {
    let sum = |of: fn(&Work) -> u64| works.iter().map(of).fold(0, u64::saturating_add);
    let printed = works.iter().flat_map(|work| &work.printed).map(|(_, text)| text.len()).sum();
    if !works.iter().all(|work| work.fine)
        || sum(|work| work.instructions) > options.fuel
        || options.print_limit < printed
    {
        return false;
    }
    let buffers = works.iter().map(|work| work.tracker.buffers.len()).max().unwrap_or(0);
    (0..buffers).all(|index| {
        let (mut read, mut written) = (Bits::default(), Bits::default());
        let mut reduced: BTreeMap<Reduction, Bits> = BTreeMap::new();
        let mut touched = works.iter().filter_map(|work| work.tracker.buffers.get(index));
        let fine = touched.all(|one| {
            let fine = {
                let meets_reduced = |bits: &Bits| reduced.values().any(|other| bits.meets(other));
                // What is there then is not what it was changed by.
                let ways: Vec<&Bits> = one.written.iter().chain(one.reduced.values()).collect();
                let is_both =
                    (1..ways.len()).any(|at| ways[..at].iter().any(|other| ways[at].meets(other)));
                !is_both
                    && one.read.as_ref().is_none_or(|it| !it.meets(&written) && !meets_reduced(it))
                    && one.written.as_ref().is_none_or(|it| {
                        !it.meets(&written) && !it.meets(&read) && !meets_reduced(it)
                    })
                    && one.reduced.iter().all(|(by, it)| {
                        let others = reduced.iter().filter(|(other, _)| *other != by);
                        !it.meets(&written)
                            && !it.meets(&read)
                            && others.map(|(_, other)| other).all(|other| !it.meets(other))
                    })
            };
            for (all, here) in [(&mut read, &one.read), (&mut written, &one.written)] {
                if let Some(here) = here {
                    all.add(here, stash);
                }
            }
            for (by, here) in &one.reduced {
                reduced.entry(*by).or_default().add(here, stash);
            }
            fine
        });
        let all = [read, written].into_iter().chain(reduced.into_values());
        all.for_each(|bits| bits.keep(stash));
        fine
    })
}

/// Brings a buffer together: what each thread's blocks wrote goes into it.
fn collect(memory: &mut Memory, works: &mut [Work], index: usize) {
    // Nobody else has the bytes then, so that they are changed where they are.
    let copy = |work: &mut Work| {
        let buffer = work.memory.buffers.get_mut(index);
        buffer.map(|buffer| std::mem::take(&mut buffer.bytes).copied()).unwrap_or_default()
    };
    let mut copies: Vec<Aligned> = works.iter_mut().map(copy).collect();
    let Some(buffer) = memory.buffers.get_mut(index) else { return };
    buffer.bytes.reclaim();
    collect_copies(&mut buffer.bytes, works, &mut copies, index);
    for (work, bytes) in works.iter_mut().zip(copies) {
        work.tracker.stash.keep_bytes(bytes);
    }
}

fn collect_copies(bytes: &mut Bytes, works: &mut [Work], copies: &mut [Aligned], index: usize) {
    if adopt(bytes, works, copies, index) {
        return;
    }
    let touched = works.iter().map(|work| work.tracker.buffers.get(index));
    let Some(touched) = touched.collect::<Option<Vec<&Touched>>>() else { return };
    // What was there before any thread changed it, run by run.
    let mut before: Vec<Vec<u8>> = Vec::new();
    for bits in touched.iter().flat_map(|touched| touched.reduced.values()) {
        let mut old = Vec::new();
        each_run(bits, |run| old.extend_from_slice(bytes.get(run).unwrap_or_default()));
        before.push(old);
    }
    let written: Vec<(&Bits, &[u8])> = touched
        .iter()
        .zip(&*copies)
        .filter_map(|(touched, theirs)| Some((touched.written.as_ref()?, &**theirs)))
        .collect();
    collect_written(bytes, &written, None);
    let mut before = before.into_iter();
    for (touched, theirs) in touched.iter().zip(&*copies) {
        for ((what, scalar), bits) in &touched.reduced {
            let size = scalar.size() as usize;
            let old = before.next().unwrap_or_default();
            let mut old = old.chunks_exact(size);
            each_run(bits, |run| {
                for start in run.step_by(size) {
                    let at = start..start + size;
                    let (Some(to), Some(old), Some(new)) =
                        (bytes.get_mut(at.clone()), old.next(), theirs.get(at))
                    else {
                        return;
                    };
                    let [now, old, new] = [&*to, old, new].map(|bytes| {
                        let mut word = [0; 8];
                        word[..size].copy_from_slice(bytes);
                        u64::from_le_bytes(word)
                    });
                    // What they added, beside what was there.
                    let by = match what {
                        Change::Add => new.wrapping_sub(old),
                        Change::Xor => new ^ old,
                        _ => new,
                    };
                    let sum = change(*what, *scalar, now, by, 0);
                    to.copy_from_slice(&sum.to_le_bytes()[..size]);
                }
            });
        }
    }
}

/// Makes one thread's copy the buffer, if that thread wrote more than nobody did: then only the rest has to
/// be copied.
fn adopt(bytes: &mut Bytes, works: &mut [Work], copies: &mut [Aligned], index: usize) -> bool {
    let Some(mut stash) = works.first_mut().map(|work| std::mem::take(&mut work.tracker.stash))
    else {
        return false;
    };
    let mut all = Bits::default();
    let (mut most, mut reduces) = (None, false);
    for (at, work) in works.iter().enumerate() {
        let Some(touched) = work.tracker.buffers.get(index) else { continue };
        reduces |= !touched.reduced.is_empty();
        if let Some(written) = &touched.written {
            all.add(written, &mut stash);
            most = most.max(Some((written.count(), at)));
        }
    }
    let length = bytes.len() as u64;
    let adopted = most.filter(|(count, _)| !reduces && length.saturating_sub(all.count()) < *count);
    if let Some((_, at)) = adopted {
        bytes.swap(&mut copies[at]);
        let from = works.iter().zip(&*copies).enumerate().filter(|(other, _)| *other != at);
        let from = from.filter_map(|(_, (work, theirs))| {
            let written = work.tracker.buffers.get(index)?.written.as_ref()?;
            Some((written, &**theirs))
        });
        collect_written(bytes, &from.collect::<Vec<_>>(), Some((&all, &copies[at])));
    }
    all.keep(&mut stash);
    works[0].tracker.stash = stash;
    adopted.is_some()
}

/// Copies what threads wrote, each a part of the buffer; and from `rest` what none of them did.
fn collect_written(bytes: &mut [u8], written: &[(&Bits, &[u8])], rest: Option<(&Bits, &[u8])>) {
    const WORD: usize = 64 << COARSE;
    let collect = |start: usize, part: &mut [u8]| {
        let end = start + part.len();
        let mut copy = |from: &[u8], run: std::ops::Range<usize>| {
            let here = run.start - start..run.end - start;
            if let (Some(to), Some(from)) = (part.get_mut(here), from.get(run)) {
                to.copy_from_slice(from);
            }
        };
        for (bits, theirs) in written {
            each_run_of(bits, start..end, |run| copy(theirs, run));
        }
        if let Some((all, theirs)) = rest {
            let mut at = start;
            each_run_of(all, start..end, |run| {
                copy(theirs, at..run.start);
                at = run.end;
            });
            copy(theirs, at..end);
        }
    };
    let threads = written.len() + usize::from(rest.is_some());
    let part = bytes.len().div_ceil(threads.max(1)).max(LEAST_COLLECTED).next_multiple_of(WORD);
    if bytes.len() <= part {
        return collect(0, bytes);
    }
    std::thread::scope(|scope| {
        let mut parts = bytes.chunks_mut(part).enumerate();
        let own = parts.next();
        for (index, bytes) in parts {
            scope.spawn(move || collect(index * part, bytes));
        }
        if let Some((_, bytes)) = own {
            collect(0, bytes);
        }
    });
}

/// Calls `each` with ranges of bytes whose bits are set.
fn each_run(bits: &Bits, each: impl FnMut(std::ops::Range<usize>)) {
    each_run_of(bits, 0..bits.bytes as usize, each);
}

/// Calls `each` with ranges of bytes whose bits are set, of some bytes that begin and end with a word of
/// bits or the buffer.
fn each_run_of(
    bits: &Bits,
    bytes: std::ops::Range<usize>,
    mut each: impl FnMut(std::ops::Range<usize>),
) {
    let (shift, length) = (bits.shift, bits.bytes as usize);
    let mut each = |from: usize, to: usize| each(from << shift..(to << shift).min(length));
    let mut open: Option<usize> = None;
    let word = 64 << shift;
    let used = bits.used.start.max(bytes.start / word)..bits.used.end.min(bytes.end.div_ceil(word));
    let words = bits.words.get(used.clone()).unwrap_or_default();
    for (index, word) in used.clone().zip(words) {
        let start = index * 64;
        // Where a range begins or ends, the bit differs from the one before.
        let before = word << 1 | u64::from(open.is_some());
        let mut changes = word ^ before;
        while changes != 0 {
            let at = start + changes.trailing_zeros() as usize;
            changes &= changes - 1;
            match open.take() {
                Some(from) => each(from, at),
                None => open = Some(at),
            }
        }
    }
    if let Some(from) = open {
        each(from, used.end * 64);
    }
}
