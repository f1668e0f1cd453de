//! What is ordered before what.
//!
//! Time is cut in *segments*, numbered over the launch; every barrier, warp barrier and fence begins
//! a new one. An access notes its segment and thread. An earlier access of another thread is ordered
//! before a later one if
//! - the block, or the grid, has met at a barrier between them;
//! - their warp has (`__syncwarp` with both in the mask). Shuffles and votes order no memory;
//! - the earlier thread published it and the later one has seen that: a fence, then an atomic or
//!   volatile write (*release*), whose place the later thread read by an atomic or volatile access
//!   (*acquire*, with or without a fence: CUDA code most often has none there). A fence also
//!   publishes what barriers had ordered before it, and what is known passes on through barriers.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// A segment of time.
pub(super) type Segment = u32;

/// Up to where a thread's accesses are published to its block, and to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Published {
    block: Segment,
    device: Segment,
}

/// A thread's last fence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fenced {
    own: Published,
    /// The block's last barrier, and its warp's, before the fence.
    epoch: Segment,
    warp: Segment,
}

/// Entries that were seen: so many of each place's log.
type Known = Rc<Vec<(u32, u32)>>;

/// A write that published what came before it.
struct Entry {
    block: u64,
    thread: u32,
    fenced: Fenced,
    /// What the block's threads had published before its last barrier.
    published: Rc<Vec<Published>>,
    known: [Known; 2],
}

/// All such writes to one place.
#[derive(Default)]
struct Log {
    entries: Vec<Entry>,
    by_block: HashMap<u64, Vec<u32>>,
    /// Entries of threads that had seen other places.
    others: Vec<u32>,
}

/// The last warp barriers of a thread that not its whole warp took part in.
type Meetings = [(u64, Segment); 4];

/// Segments, and what orders them.
pub(super) struct Order {
    pub(super) now: Segment,
    /// The last barrier of the grid, the start of the block's run, and its last barrier.
    pub(super) grid_first: Segment,
    pub(super) block_first: Segment,
    pub(super) epoch: Segment,
    /// Which block began in which segment.
    runs: Vec<(Segment, u64)>,
    block: u64,
    width: usize,
    threads: usize,
    /// For each warp, when all of it last met.
    warps: Vec<Segment>,
    /// By thread; empty until needed, as those below.
    meetings: Vec<Meetings>,
    fences: Vec<Fenced>,
    fences_changed: bool,
    published: Rc<Vec<Published>>,
    known: Vec<Known>,
    known_by_block: Known,
    places: HashMap<u64, u32>,
    logs: Vec<Log>,
    /// Bytes that logs take, about.
    spent: u64,
}

/// How many bytes logs may take. Beyond, everything counts as ordered: nothing is reported that is
/// not known to be a race.
const MOST_LOGS: u64 = 1 << 28;

impl Order {
    pub(super) fn new(threads: usize, width: usize) -> Self {
        Order {
            now: 1,
            grid_first: 1,
            block_first: 1,
            epoch: 1,
            runs: Vec::new(),
            block: 0,
            width: width.max(1),
            threads,
            warps: vec![0; threads.div_ceil(width.max(1))],
            meetings: Vec::new(),
            fences: Vec::new(),
            fences_changed: false,
            published: Rc::default(),
            known: Vec::new(),
            known_by_block: Rc::default(),
            places: HashMap::new(),
            logs: Vec::new(),
            spent: 0,
        }
    }

    /// A block runs from here.
    pub(super) fn enter(&mut self, block: u64) {
        self.now += 1;
        (self.block_first, self.epoch) = (self.now, self.now);
        self.runs.push((self.now, block));
        self.block = block;
        self.warps.fill(0);
        self.meetings.clear();
        self.fences.clear();
        self.fences_changed = false;
        self.known.clear();
        if !self.published.is_empty() {
            self.published = Rc::default();
        }
        if !self.known_by_block.is_empty() {
            self.known_by_block = Rc::default();
        }
    }

    /// All blocks have met.
    pub(super) fn grid_barrier(&mut self) {
        self.now += 1;
        self.grid_first = self.now;
        // Everything that runs and logs tell of lies before.
        self.runs.clear();
        self.places.clear();
        self.logs.clear();
        self.spent = 0;
    }

    /// The block has met.
    pub(super) fn block_barrier(&mut self) {
        self.now += 1;
        self.epoch = self.now;
        if self.fences_changed {
            self.publish(0..self.threads);
            self.fences_changed = false;
        }
        if !self.known.is_empty() {
            let mut all = std::mem::take(&mut self.known_by_block);
            for known in self.known.drain(..) {
                merge(&mut all, &known);
            }
            self.known_by_block = all;
        }
    }

    fn publish(&mut self, threads: impl Iterator<Item = usize>) {
        let published = Rc::make_mut(&mut self.published);
        published.resize(self.threads, Published::default());
        for thread in threads {
            if let (Some(place), Some(fence)) = (published.get_mut(thread), self.fences.get(thread))
            {
                *place = fence.own;
            }
        }
    }

    /// Warp barriers begin a segment together.
    pub(super) fn step(&mut self) {
        self.now += 1;
    }

    /// Lanes of the warp that begins at a thread have met; `all` says that the whole warp has.
    pub(super) fn warp_barrier(&mut self, first: usize, lanes: u64, all: bool) {
        let warp = first / self.width;
        if all {
            if let Some(place) = self.warps.get_mut(warp) {
                *place = self.now;
            }
        } else {
            if self.meetings.is_empty() {
                self.meetings = vec![Meetings::default(); self.threads];
            }
            for lane in bits(lanes) {
                let Some(meetings) = self.meetings.get_mut(first + lane) else { continue };
                // The same lanes again, else the oldest.
                let same = meetings.iter().position(|(mask, _)| *mask == lanes);
                let oldest = (0..meetings.len()).min_by_key(|index| meetings[*index].1);
                meetings[same.or(oldest).unwrap_or(0)] = (lanes, self.now);
            }
        }
        if self.fences_changed {
            self.publish(bits(lanes).map(|lane| first + lane));
        }
        if !self.known.is_empty() {
            let mut together = Known::default();
            for lane in bits(lanes) {
                if let Some(known) = self.known.get(first + lane) {
                    merge(&mut together, known);
                }
            }
            for lane in bits(lanes) {
                if let Some(known) = self.known.get_mut(first + lane) {
                    known.clone_from(&together);
                }
            }
        }
    }

    /// A thread's fence, in the segment that has just begun.
    pub(super) fn fence(&mut self, thread: usize, device: bool) {
        if self.fences.is_empty() {
            self.fences = vec![Fenced::default(); self.threads];
        }
        let warp = self.warps.get(thread / self.width).copied().unwrap_or(0);
        if let Some(fence) = self.fences.get_mut(thread) {
            fence.own.block = self.now;
            if device {
                fence.own.device = self.now;
                (fence.epoch, fence.warp) = (self.epoch, warp);
            }
        }
        self.fences_changed = true;
    }

    /// Whether atomic accesses neither publish nor learn anything.
    pub(super) fn is_quiet(&self) -> bool {
        self.places.is_empty() && self.fences.is_empty() && self.published.is_empty()
    }

    /// A thread read a place that others may have released.
    pub(super) fn acquire(&mut self, thread: usize, address: u64) {
        if self.places.is_empty() {
            return;
        }
        let Some(place) = self.places.get(&address).copied() else { return };
        let length = self.logs.get(place as usize).map_or(0, |log| log.entries.len()) as u32;
        if self.known.is_empty() {
            self.known = vec![Known::default(); self.threads];
        }
        if let Some(known) = self.known.get_mut(thread) {
            add(known, place, length);
        }
    }

    /// A thread wrote a place that others may acquire.
    pub(super) fn release(&mut self, thread: usize, address: u64) {
        let fenced = self.fences.get(thread).copied().unwrap_or_default();
        let publishes = fenced.own != Published::default() || !self.published.is_empty();
        if !publishes || self.spent > MOST_LOGS {
            return;
        }
        let next = self.logs.len() as u32;
        let place = *self.places.entry(address).or_insert(next);
        if place == next {
            self.logs.push(Log::default());
        }
        let own = self.known.get(thread).cloned().unwrap_or_default();
        let known = [own, self.known_by_block.clone()];
        let Some(log) = self.logs.get_mut(place as usize) else { return };
        let indices = log.by_block.entry(self.block).or_default();
        // Of a thread that publishes nothing new, the first entry does.
        let last = indices.iter().rev().take(32).filter_map(|at| log.entries.get(*at as usize));
        let again = last.into_iter().find(|entry| entry.thread == thread as u32);
        if again.is_some_and(|entry| {
            entry.fenced == fenced
                && Rc::ptr_eq(&entry.published, &self.published)
                && others(&entry.known, place).eq(others(&known, place))
        }) {
            return;
        }
        let index = log.entries.len() as u32;
        indices.push(index);
        if others(&known, place).next().is_some() {
            log.others.push(index);
        }
        let (block, thread) = (self.block, thread as u32);
        let published = self.published.clone();
        // Whoever publishes again after this gets a copy.
        self.spent += 128 + 8 * published.len() as u64;
        log.entries.push(Entry { block, thread, fenced, published, known });
    }

    /// The block that ran in a segment.
    pub(super) fn block_of(&self, segment: Segment) -> u64 {
        let after = self.runs.partition_point(|(first, _)| *first <= segment);
        after.checked_sub(1).and_then(|at| self.runs.get(at)).map_or(self.block, |run| run.1)
    }

    /// Whether an access of thread `earlier` in `segment` comes before what `thread` does now. The
    /// last barriers of the block and grid were looked at already.
    pub(super) fn is_ordered(&self, segment: Segment, earlier: u32, thread: u32) -> bool {
        let block = self.block_of(segment);
        if block == self.block {
            if earlier == thread {
                return true;
            }
            let warp = thread as usize / self.width;
            if earlier as usize / self.width == warp {
                if self.warps.get(warp).is_some_and(|met| segment < *met) {
                    return true;
                }
                let lane = earlier as usize % self.width;
                if let Some(meetings) = self.meetings.get(thread as usize)
                    && meetings.iter().any(|(mask, met)| mask >> lane & 1 == 1 && segment < *met)
                {
                    return true;
                }
            }
        }
        if self.logs.is_empty() {
            return false;
        }
        if self.spent > MOST_LOGS {
            return true;
        }
        self.has_seen(block, segment, earlier, thread)
    }

    fn has_seen(&self, block: u64, segment: Segment, earlier: u32, thread: u32) -> bool {
        let own = self.known.get(thread as usize).map_or(&[][..], |known| known);
        let mut open: Vec<(u32, u32)> = own.iter().chain(&*self.known_by_block).copied().collect();
        let mut looked_at: BTreeMap<u32, u32> = BTreeMap::new();
        while let Some((place, length)) = open.pop() {
            let done = looked_at.entry(place).or_insert(0);
            if *done >= length {
                continue;
            }
            *done = length;
            let Some(log) = self.logs.get(place as usize) else { continue };
            let entries = log.by_block.get(&block).map_or(&[][..], |entries| entries);
            let mut there = entries.iter().take_while(|index| **index < length);
            let covers = |index: &u32| {
                let entry = log.entries.get(*index as usize);
                entry.is_some_and(|entry| self.covers(entry, segment, earlier))
            };
            if there.any(covers) {
                return true;
            }
            for index in log.others.iter().take_while(|index| **index < length) {
                if let Some(entry) = log.entries.get(*index as usize) {
                    open.extend(entry.known.iter().flat_map(|known| known.iter().copied()));
                }
            }
        }
        false
    }

    fn covers(&self, entry: &Entry, segment: Segment, thread: u32) -> bool {
        let within = entry.block == self.block;
        let until = |published: Published| match within {
            true => published.block.max(published.device),
            false => published.device,
        };
        let fence = entry.fenced;
        if thread == entry.thread {
            return segment < until(fence.own);
        }
        let same_warp = thread as usize / self.width == entry.thread as usize / self.width;
        let barrier = if same_warp { fence.epoch.max(fence.warp) } else { fence.epoch };
        let own = entry.published.get(thread as usize).copied().unwrap_or_default();
        segment < barrier.max(until(own))
    }
}

/// What is known of other places.
fn others(known: &[Known; 2], place: u32) -> impl Iterator<Item = (u32, u32)> {
    known.iter().flat_map(|known| known.iter().copied()).filter(move |one| one.0 != place)
}

fn add(known: &mut Known, place: u32, length: u32) {
    match known.iter().position(|(other, _)| *other == place) {
        Some(at) if known[at].1 >= length => {}
        Some(at) => Rc::make_mut(known)[at].1 = length,
        None => Rc::make_mut(known).push((place, length)),
    }
}

fn merge(into: &mut Known, from: &Known) {
    if into.is_empty() {
        into.clone_from(from);
    } else if !Rc::ptr_eq(into, from) {
        for (place, length) in from.iter() {
            add(into, *place, *length);
        }
    }
}

fn bits(mask: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |lane| mask >> lane & 1 == 1)
}
