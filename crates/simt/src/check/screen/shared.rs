//! Shared memory under the quick look: for each granule, who last wrote and read it.
//!
//! Time is cut in intervals by the barriers, which all blocks of a unit pass together. A tag holds an
//! interval and a thread; a thread that finds a tag of this interval by another one is in doubt. Reads
//! are not noted before somebody writes to the object in the same interval: most often nobody does.

use super::Touch;

/// Bits of a tag that name a thread, or who else did it.
const THREAD: u32 = 11;
/// Several threads read it.
const MANY: u32 = (1 << THREAD) - 1;
/// Only atomic operations changed it.
const ATOMIC: u32 = MANY - 1;
/// The last interval that a tag can hold.
const LAST: u32 = (1 << (32 - THREAD)) - 2;

/// How many places of late reads are kept for an object.
const MOST_LATE: usize = 1 << 16;

/// What is known of one variable, in all blocks of the unit.
#[derive(Clone, Default)]
struct Variable {
    /// When this was last reset: the first interval of the running blocks.
    since: u32,
    /// Granules that nobody has written.
    missing: u64,
    /// The last intervals in which it was written, accessed at all but by atomic operations, and by
    /// atomic operations that left no tags.
    written_in: u32,
    plain_in: u32,
    atomics_in: u32,
    /// Reads of this interval that left no tags: for each the stride and size, and the places of chunks.
    late_in: u32,
    late: Vec<(u32, u8)>,
    late_places: Vec<u32>,
    /// The interval in which they were too many.
    lost_in: u32,
}

/// Shared memory of all blocks of a unit.
#[derive(Default)]
pub(super) struct Shared {
    /// Bytes of a granule, as a power of two.
    granule: u32,
    bytes: usize,
    writes: Vec<u32>,
    reads: Vec<u32>,
    /// This interval, and the first of the running blocks.
    now: u32,
    first: u32,
    variables: Vec<Variable>,
    /// The first thread of each chunk.
    threads: Vec<u32>,
}

impl Shared {
    /// Blocks begin, that have so many bytes.
    pub(super) fn enter(&mut self, bytes: usize, threads: &[u32]) {
        self.threads.clear();
        self.threads.extend_from_slice(threads);
        if self.writes.is_empty() {
            self.granule = 2;
        }
        if bytes > self.bytes || self.now > LAST / 2 {
            self.bytes = bytes.max(self.bytes);
            let length = (self.bytes >> self.granule) + 32;
            for tags in [&mut self.writes, &mut self.reads] {
                tags.clear();
                tags.resize(length, 0);
            }
            self.now = 0;
            self.variables.clear();
        }
        self.now += 1;
        self.first = self.now;
    }

    /// The threads have met; `false` if there are no more intervals.
    pub(super) fn barrier(&mut self) -> bool {
        self.now += 1;
        self.now < LAST
    }

    /// The variable of an object's number, with so many bytes in each of so many blocks.
    #[inline(always)]
    fn variable(&mut self, number: u64, [size, blocks]: [u64; 2]) -> &mut Variable {
        let number = number as usize;
        if self.variables.len() <= number {
            self.variables.resize(number + 1, Variable::default());
        }
        let (first, granule) = (self.first, self.granule);
        let variable = &mut self.variables[number];
        if variable.since != first {
            variable.since = first;
            variable.missing = size.div_ceil(1 << granule).saturating_mul(blocks);
        }
        variable
    }

    /// Makes granules as small as an access.
    #[cold]
    fn refine(&mut self, size: u64) {
        while 1 << self.granule > size && self.granule > 0 {
            self.granule -= 1;
            for tags in [&mut self.writes, &mut self.reads] {
                *tags = tags.iter().flat_map(|tag| [*tag; 2]).collect();
            }
            for variable in &mut self.variables {
                variable.missing *= 2;
            }
        }
    }

    /// Notes a chunk's access to a place behind `at`: whether it meets another thread's, and whether it
    /// reads what nobody has written.
    pub(super) fn chunk(
        &mut self,
        number: u64,
        all: [u64; 2],
        at: u64,
        thread: u32,
        touch: Touch,
    ) -> (bool, bool) {
        if 1 << self.granule > touch.size {
            self.refine(touch.size);
        }
        let mut conflict = self.begins(number, all, touch.writes);
        let place = at.wrapping_add(touch.place);
        let dense = touch.mask == u16::MAX
            && touch.stride == touch.size
            && touch.size == 1 << self.granule
            && place & (touch.size - 1) == 0;
        if dense && touch.writes {
            let (clash, fresh) = self.write_dense((place >> self.granule) as usize, thread);
            let variable = self.variable(number, all);
            variable.missing = variable.missing.saturating_sub(u64::from(fresh));
            return (conflict | clash, false);
        }
        if dense {
            let (clash, unwritten) = self.read_dense((place >> self.granule) as usize, thread);
            return (conflict | clash, unwritten);
        }
        if touch.stride == 0 && !touch.writes && touch.mask & (touch.mask - 1) != 0 {
            let (clash, unwritten) = self.read_one(place, touch.size);
            return (conflict | clash, unwritten);
        }
        let (mut unwritten, mut fresh) = (false, 0);
        for l in super::each_lane(touch.mask) {
            let first = place.wrapping_add(l * touch.stride);
            let last = (first + touch.size - 1) >> self.granule;
            for index in (first >> self.granule)..=last {
                let (clash, new) = self.one(index as usize, thread + l as u32, touch.writes);
                conflict |= clash;
                unwritten |= new && !touch.writes;
                fresh += u64::from(new && touch.writes);
            }
        }
        if fresh != 0 {
            let variable = self.variable(number, all);
            variable.missing = variable.missing.saturating_sub(fresh);
        }
        (conflict, unwritten)
    }

    /// A lane's access to a granule: whether another thread's was there, and whether nobody had written.
    #[inline(always)]
    fn one(&mut self, index: usize, thread: u32, writes: bool) -> (bool, bool) {
        let (floor, first) = (self.now << THREAD, self.first << THREAD);
        let tag = floor | thread;
        let (Some(write), Some(read)) = (self.writes.get_mut(index), self.reads.get_mut(index))
        else {
            return (true, true);
        };
        let mut clash = *write >= floor && *write != tag;
        let new = *write < first;
        let others = *read >= floor && *read != tag;
        if writes {
            clash |= others;
            *write = tag;
        } else {
            *read = if others { floor | MANY } else { tag };
        }
        (clash, new)
    }

    /// Several threads read one place.
    #[inline(always)]
    fn read_one(&mut self, place: u64, size: u64) -> (bool, bool) {
        let (floor, first) = (self.now << THREAD, self.first << THREAD);
        let (mut clash, mut new) = (false, false);
        for index in (place >> self.granule)..=((place + size - 1) >> self.granule) {
            let index = index as usize;
            let (Some(write), Some(read)) = (self.writes.get(index), self.reads.get_mut(index))
            else {
                return (true, true);
            };
            clash |= *write >= floor;
            new |= *write < first;
            *read = floor | MANY;
        }
        (clash, new)
    }

    /// Whether all that chunks read at places behind `start` was written.
    #[inline(always)]
    fn has(&self, start: u64, places: &[u64], [stride, size]: [u64; 2]) -> bool {
        let first = self.first << THREAD;
        let bytes = if stride == 0 { size } else { 15 * stride + size };
        let count = bytes.div_ceil(1 << self.granule) as usize;
        for place in places {
            let place = place.wrapping_add(start);
            let index = (place >> self.granule) as usize;
            let Some(tags) = self.writes.get(index..index + count) else { return false };
            let mut written = place & ((1 << self.granule) - 1) == 0;
            for tag in tags {
                written &= *tag >= first;
            }
            if !written {
                return false;
            }
        }
        true
    }

    /// Notes accesses of whole chunks at places behind `start`, to neighbours or, if they read, to one
    /// place each; `None`, and nothing was done, if they are of another kind.
    #[inline(always)]
    pub(super) fn rows(
        &mut self,
        number: u64,
        all: [u64; 2],
        start: u64,
        places: &[u64],
        [stride, size]: [u64; 2],
        writes: bool,
    ) -> Option<(bool, bool)> {
        let bits = places.iter().fold(start, |bits, place| bits | place);
        let fits = size == 1 << self.granule
            && bits & (size - 1) == 0
            && (stride == size || stride == 0 && !writes)
            && places.len() <= self.threads.len();
        if !fits {
            return None;
        }
        let mut conflict = self.begins(number, all, writes);
        let (mut unwritten, mut fresh) = (false, 0);
        for (k, place) in places.iter().enumerate() {
            let (place, thread) = (place.wrapping_add(start), self.threads[k]);
            let index = (place >> self.granule) as usize;
            if writes {
                let (clash, new) = self.write_dense(index, thread);
                conflict |= clash;
                fresh += new;
            } else {
                let (clash, new) = match stride {
                    0 => self.read_one(place, size),
                    _ => self.read_dense(index, thread),
                };
                conflict |= clash;
                unwritten |= new;
            }
        }
        let variable = self.variable(number, all);
        variable.missing = variable.missing.saturating_sub(u64::from(fresh));
        Some((conflict, unwritten))
    }

    /// A plain access to a variable begins; whether it meets what left no tags.
    #[inline(always)]
    fn begins(&mut self, number: u64, all: [u64; 2], writes: bool) -> bool {
        let now = self.now;
        let variable = self.variable(number, all);
        let mut conflict = variable.atomics_in == now;
        variable.plain_in = now;
        if writes {
            conflict |= variable.lost_in == now;
            variable.written_in = now;
            if variable.late_in == now && !variable.late.is_empty() {
                self.catch_up(number);
            }
        }
        conflict
    }

    #[inline(always)]
    fn write_dense(&mut self, index: usize, thread: u32) -> (bool, u32) {
        let (floor, first) = (self.now << THREAD, self.first << THREAD);
        let (Some(writes), Some(reads)) =
            (self.writes.get_mut(index..index + 16), self.reads.get(index..index + 16))
        else {
            return (true, 0);
        };
        let (mut clash, mut fresh) = (0u32, 0u32);
        for l in 0..16 {
            let tag = (floor | thread) + l as u32;
            clash |= u32::from(writes[l] >= floor) & u32::from(writes[l] != tag);
            clash |= u32::from(reads[l] >= floor) & u32::from(reads[l] != tag);
            fresh += u32::from(writes[l] < first);
            writes[l] = tag;
        }
        (clash != 0, fresh)
    }

    #[inline(always)]
    fn read_dense(&mut self, index: usize, thread: u32) -> (bool, bool) {
        let (floor, first) = (self.now << THREAD, self.first << THREAD);
        let (Some(writes), Some(reads)) =
            (self.writes.get(index..index + 16), self.reads.get_mut(index..index + 16))
        else {
            return (true, true);
        };
        let (mut clash, mut new) = (0u32, 0u32);
        for l in 0..16 {
            let tag = (floor | thread) + l as u32;
            clash |= u32::from(writes[l] >= floor) & u32::from(writes[l] != tag);
            new |= u32::from(writes[l] < first);
            let others = reads[l] >= floor && reads[l] != tag;
            reads[l] = if others { floor | MANY } else { tag };
        }
        (clash != 0, new != 0)
    }

    /// Keeps a read of all lanes for later, if nobody has written to the variable in this interval and
    /// all of it was written before; `false` if that is not so.
    #[inline(always)]
    pub(super) fn reads_late(
        &mut self,
        number: u64,
        start: u64,
        places: &[u64],
        [stride, size]: [u64; 2],
        initialised: bool,
    ) -> bool {
        let (now, first, granule) = (self.now, self.first, self.granule);
        let Some(variable) = self.variables.get(number as usize) else { return false };
        let fine = variable.since == first
            && variable.written_in != now
            && variable.atomics_in != now
            && 1 << granule <= size
            && (stride == 0 || stride == size);
        let known = !initialised || variable.missing == 0;
        if !fine || !known && !self.has(start, places, [stride, size]) {
            return false;
        }
        let Some(variable) = self.variables.get_mut(number as usize) else { return false };
        variable.plain_in = now;
        if variable.late_in != now {
            variable.late_in = now;
            variable.late.clear();
            variable.late_places.clear();
        }
        if variable.late_places.len() >= MOST_LATE {
            variable.lost_in = now;
            return true;
        }
        variable.late.push((stride as u32, size as u8));
        variable.late_places.extend(places.iter().map(|place| (place.wrapping_add(start)) as u32));
        true
    }

    /// Notes the reads that wait.
    #[cold]
    #[inline(never)]
    fn catch_up(&mut self, number: u64) {
        let Some(variable) = self.variables.get_mut(number as usize) else { return };
        let mut late = std::mem::take(&mut variable.late);
        let mut places = std::mem::take(&mut variable.late_places);
        let chunks = places.len() / late.len().max(1);
        for ((stride, size), places) in late.iter().zip(places.chunks(chunks.max(1))) {
            let (stride, size) = (u64::from(*stride), u64::from(*size));
            for (k, place) in places.iter().enumerate() {
                let thread = self.threads.get(k).copied().unwrap_or(0);
                let place = u64::from(*place);
                if stride == size && size == 1 << self.granule && place & (size - 1) == 0 {
                    self.read_dense((place >> self.granule) as usize, thread);
                    continue;
                }
                if stride == 0 {
                    self.read_one(place, size);
                    continue;
                }
                for l in 0..16 {
                    let from = place + l * stride;
                    for index in (from >> self.granule)..=((from + size - 1) >> self.granule) {
                        self.one(index as usize, thread + l as u32, false);
                    }
                }
            }
        }
        late.clear();
        places.clear();
        if let Some(variable) = self.variables.get_mut(number as usize) {
            (variable.late, variable.late_places) = (late, places);
        }
    }

    /// Whether atomic operations on a variable need leave no tags.
    pub(super) fn only_atomics(&mut self, number: u64, initialised: bool) -> bool {
        let (now, first) = (self.now, self.first);
        let Some(variable) = self.variables.get_mut(number as usize) else { return false };
        let fine = variable.since == first
            && variable.plain_in != now
            && (!initialised || variable.missing == 0);
        if fine {
            variable.atomics_in = now;
        }
        fine
    }

    /// Notes an atomic access of a thread.
    pub(super) fn atomic(
        &mut self,
        number: u64,
        all: [u64; 2],
        at: u64,
        size: u64,
        thread: u32,
    ) -> (bool, bool) {
        if 1 << self.granule > size {
            self.refine(size);
        }
        let now = self.now;
        let variable = self.variable(number, all);
        if variable.atomics_in == now {
            return (false, false);
        }
        // Who reads or writes it otherwise in this interval looks for tags.
        variable.written_in = now;
        let lost = variable.lost_in == now;
        if variable.late_in == now && !variable.late.is_empty() {
            self.catch_up(number);
        }
        let (floor, first) = (now << THREAD, self.first << THREAD);
        let (own, atomic) = (floor | thread, floor | ATOMIC);
        let (mut conflict, mut unwritten) = (lost, false);
        for index in (at >> self.granule)..=((at + size - 1) >> self.granule) {
            let index = index as usize;
            let (Some(write), Some(read)) = (self.writes.get_mut(index), self.reads.get(index))
            else {
                return (true, true);
            };
            conflict |= *write >= floor && *write != own && *write != atomic;
            conflict |= *read >= floor && *read != own;
            unwritten |= *write < first;
            *write = atomic;
        }
        (conflict, unwritten)
    }
}
