//! Buffers under the quick look: the one thread that each granule belongs to.
//!
//! In most kernels nobody but one thread ever touches a place that is written. So a line of 16 granules
//! has an owner: whose thread 0 touches granule 0, and so on, and which granules were touched. Lines
//! that several such rows of threads touch know the thread of each granule. Whoever touches what
//! belongs to another thread is in doubt, even if both only read.

use super::Touch;

/// Granules of a line.
const LINE: u64 = 16;
/// Bits of an owner: touched granules, how many granules a thread has as a power of two, the thread.
const SHIFT: u32 = 16;
const THREAD: u32 = 20;
/// Threads are counted from here, for rows that begin before the line's first thread.
const ORIGIN: u64 = 1 << 32;
/// Instead of a power of two: atomic operations touch it, by any thread.
const ATOMIC: u64 = 15;
/// Not an owner, but the number of the line's cells.
const CELLS: u64 = 1 << 63;
/// The cell of what atomic operations touch.
const ANYBODY: u64 = u64::MAX;

/// Memory of one launch that the next one uses: what is new costs more than what is done with it.
#[derive(Debug, Default)]
pub(crate) struct Spare(Vec<(Vec<u64>, Vec<u8>)>);

/// A copy of a memory has its own.
impl Clone for Spare {
    fn clone(&self) -> Self {
        Spare::default()
    }
}

/// The most bytes that are kept.
const MOST_SPARE: usize = 1 << 26;

/// What is known of a buffer.
pub(super) struct Lines {
    size: u64,
    /// Bytes of a granule as a power of two, once that is known.
    granule: Option<u32>,
    owners: Vec<u64>,
    cells: Vec<[u64; LINE as usize]>,
    /// Which lines were touched, by the first and how many, and what they held.
    touched: Vec<[u32; 2]>,
    before: Vec<u8>,
}

impl Lines {
    pub(super) fn new(size: u64, spare: &mut Spare) -> Self {
        let (mut owners, mut before) = spare.0.pop().unwrap_or_default();
        owners.clear();
        before.clear();
        Lines { size, granule: None, owners, cells: Vec::new(), touched: Vec::new(), before }
    }

    /// Leaves its memory for the next launch.
    pub(super) fn spare(self, spare: &mut Spare) {
        let bytes =
            |(owners, before): &(Vec<u64>, Vec<u8>)| 8 * owners.capacity() + before.capacity();
        let own = (self.owners, self.before);
        if spare.0.iter().map(bytes).sum::<usize>() + bytes(&own) <= MOST_SPARE {
            spare.0.push(own);
        }
    }

    /// Sets the granule by the first access; whether it serves an access of this size.
    #[inline(always)]
    fn serves(&mut self, size: u64) -> Option<u32> {
        match self.granule {
            Some(granule) => (1 << granule <= size).then_some(granule),
            None => self.begin(size),
        }
    }

    #[cold]
    fn begin(&mut self, size: u64) -> Option<u32> {
        let granule = size.trailing_zeros().min(2);
        self.granule = Some(granule);
        let lines = (self.size >> granule) / LINE + 2;
        if lines > u64::from(u32::MAX) {
            return None;
        }
        self.owners.resize(lines as usize, 0);
        Some(granule)
    }

    /// Gives a buffer back what it held.
    pub(super) fn restore(&self, bytes: &mut [u8]) {
        let line = (LINE as usize) << self.granule.unwrap_or(0);
        let mut before = &self.before[..];
        for [first, count] in &self.touched {
            let (start, length) = (*first as usize * line, *count as usize * line);
            let end = (start + length).min(bytes.len());
            if let Some(place) = bytes.get_mut(start..end)
                && let Some(before) = before.get(..place.len())
            {
                place.copy_from_slice(before);
            }
            before = before.get(length..).unwrap_or(&[]);
        }
    }

    /// Keeps what lines hold.
    #[inline(always)]
    fn keep(&mut self, bytes: &[u8], first: u64, count: u64, granule: u32) {
        let line = (LINE as usize) << granule;
        let (start, length) = (first as usize * line, count as usize * line);
        match self.touched.last_mut() {
            Some(last) if u64::from(last[0]) + u64::from(last[1]) == first => {
                last[1] += count as u32;
            }
            _ => self.touched.push([first as u32, count as u32]),
        }
        match bytes.get(start..start + length) {
            Some(bytes) => self.before.extend_from_slice(bytes),
            None => {
                let rest = bytes.get(start..).unwrap_or(&[]);
                self.before.extend_from_slice(rest);
                self.before.resize(self.before.len() + length - rest.len(), 0);
            }
        }
    }

    /// Notes accesses of whole chunks to whole lines; `false`, and some may have been noted, if they are
    /// not that or something is in doubt.
    pub(super) fn rows(
        &mut self,
        bytes: &[u8],
        places: &[u64],
        threads: &[u64],
        size: u64,
    ) -> bool {
        let Some(granule) = self.serves(size).filter(|granule| 1 << granule == size) else {
            return false;
        };
        let shift = granule + 4;
        let (mut first, mut count) = (0, 0);
        let mut fine = true;
        for (place, thread) in places.iter().zip(threads) {
            let line = place >> shift;
            let owner = owner(*thread, 0, 0xffff);
            let Some(known) = self.owners.get_mut(line as usize) else { return false };
            if place & ((1 << shift) - 1) != 0 || *known != 0 && *known != owner {
                fine = false;
                break;
            }
            if *known == owner {
                continue;
            }
            *known = owner;
            if first + count != line {
                if count != 0 {
                    self.keep(bytes, first, count, granule);
                }
                (first, count) = (line, 0);
            }
            count += 1;
        }
        if count != 0 {
            self.keep(bytes, first, count, granule);
        }
        fine
    }

    /// Notes a chunk's access; `false` if something belongs to another thread, where that matters.
    #[inline(always)]
    pub(super) fn chunk(&mut self, bytes: &[u8], thread: u64, touch: Touch, races: bool) -> bool {
        let Some(granule) = self.serves(touch.size) else { return false };
        let place = touch.place >> granule;
        let count = (touch.size >> granule).min(LINE);
        let aligned = touch.place & ((1 << granule) - 1) == 0 && touch.size >> granule <= LINE;
        let slots = touch.stride >> granule;
        if aligned && touch.mask & (touch.mask - 1) == 0 {
            // One lane.
            let lane = u64::from(touch.mask.trailing_zeros());
            let place = place + ((touch.stride * lane) >> granule);
            let fits = place % LINE + count <= LINE;
            let mask = ((1u64 << count) - 1) << (place % LINE);
            if fits && (touch.stride * lane) & ((1 << granule) - 1) == 0 {
                let owner = owner(thread + lane, 4, 0);
                return self.touch(bytes, place / LINE, owner, mask, granule, races);
            }
        }
        let shift = slots.trailing_zeros();
        let phase = place & slots.wrapping_sub(1);
        let regular = aligned
            && touch.stride & ((1 << granule) - 1) == 0
            && slots.is_power_of_two()
            && slots <= LINE
            && phase + count <= slots;
        if !regular {
            return self.lanes(bytes, thread, touch, granule, races);
        }
        let slots = LINE >> shift;
        let slot = place >> shift;
        let mut line = place / LINE;
        let mut bits = u64::from(touch.mask) << (slot & (slots - 1));
        while bits != 0 {
            let part = (bits & ((1 << slots) - 1)) as u16;
            bits >>= slots;
            if part != 0 {
                let mask = u64::from(super::super::spread(part, shift, count as u32)) << phase;
                let first = thread.wrapping_add(line * slots).wrapping_sub(slot);
                let owner = owner(first, u64::from(shift), 0);
                if !self.touch(bytes, line, owner, mask & 0xffff, granule, races) {
                    return false;
                }
            }
            line += 1;
        }
        true
    }

    /// Notes lanes one by one.
    #[inline(never)]
    fn lanes(
        &mut self,
        bytes: &[u8],
        thread: u64,
        touch: Touch,
        granule: u32,
        races: bool,
    ) -> bool {
        super::each_lane(touch.mask).all(|l| {
            let first = touch.place.wrapping_add(l * touch.stride);
            let last = (first + touch.size - 1) >> granule;
            ((first >> granule)..=last).all(|place| {
                let owner = owner(thread + l, 4, 0);
                self.touch(bytes, place / LINE, owner, 1 << (place % LINE), granule, races)
            })
        })
    }

    /// Notes an atomic access.
    pub(super) fn atomic(&mut self, bytes: &[u8], place: u64, size: u64, races: bool) -> bool {
        let Some(granule) = self.serves(size) else { return false };
        ((place >> granule)..=((place + size - 1) >> granule)).all(|place| {
            let owner = owner(0, ATOMIC, 0);
            self.touch(bytes, place / LINE, owner, 1 << (place % LINE), granule, races)
        })
    }

    /// Notes that granules of a line belong to an owner.
    #[inline(always)]
    fn touch(
        &mut self,
        bytes: &[u8],
        line: u64,
        owner: u64,
        mask: u64,
        granule: u32,
        races: bool,
    ) -> bool {
        let Some(known) = self.owners.get_mut(line as usize) else { return false };
        if *known == 0 {
            *known = owner | mask;
            self.keep(bytes, line, 1, granule);
            return true;
        }
        if (*known ^ owner) >> SHIFT == 0 {
            *known |= mask;
            return true;
        }
        !races || self.differs(line as usize, owner, mask)
    }

    /// Another row of threads touches a line.
    #[inline(never)]
    fn differs(&mut self, line: usize, new: u64, mask: u64) -> bool {
        let known = self.owners[line];
        if known & CELLS == 0 {
            let mut cells = [0; LINE as usize];
            for (granule, cell) in cells.iter_mut().enumerate() {
                if known >> granule & 1 == 1 {
                    *cell = thread_of(known, granule as u64);
                }
            }
            self.owners[line] = CELLS | self.cells.len() as u64;
            self.cells.push(cells);
        }
        let number = (self.owners[line] & !CELLS) as usize;
        let Some(cells) = self.cells.get_mut(number) else { return false };
        let mut fine = true;
        for (granule, cell) in cells.iter_mut().enumerate() {
            if mask >> granule & 1 == 1 {
                let thread = thread_of(new, granule as u64);
                fine &= *cell == 0 || *cell == thread;
                *cell = if *cell == 0 { thread } else { *cell };
            }
        }
        fine
    }
}

/// An owner: the thread of a line's first granule, and how many granules each has, as a power of two.
#[inline(always)]
fn owner(thread: u64, shift: u64, mask: u64) -> u64 {
    (thread.wrapping_add(ORIGIN) << THREAD | shift << SHIFT | mask) & !CELLS
}

/// The thread of a granule, counted so that none is 0.
fn thread_of(owner: u64, granule: u64) -> u64 {
    match owner >> SHIFT & 15 {
        ATOMIC => ANYBODY,
        shift => (owner >> THREAD) + (granule >> shift),
    }
}
