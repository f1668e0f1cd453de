//! A quick look at what a launch does: whether the checks could find anything at all.
//!
//! Most launches have no mistake, and then nobody asks who accessed what. So a launch first runs as it
//! does without checks, several blocks in a unit, and only what suffices to see that all is well is noted:
//! of shared memory the last thread that wrote and read each place (`shared`), of a buffer the one thread
//! that each place belongs to (`buffers`). At the first doubt what the launch has written is taken
//! back, and it runs again under the checks themselves, whose findings these are. A doubt need not be a
//! mistake; but what the checks would find raises one.

mod buffers;
mod shared;

use buffers::Lines;
pub(crate) use buffers::Spare;
use shared::Shared;

use super::address::alignment;
use super::runs::{one_window, only_read};
use super::{initial, slot};
use crate::launch::{Launch, Options};
use crate::machine::access::{Element, InRegister, all_within};
use crate::machine::grid::{self, Ending, Line, Setup};
use crate::machine::lanes;
use crate::machine::registers::Shape;
use crate::machine::{CHUNK, Inst, MAX_CHUNKS, Machine, Object, Place, together};
use crate::memory::{Memory, WINDOW_BITS};
use crate::outcome::FaultKind;
use crate::program::Code;

/// What is known of a buffer.
enum Buffer {
    /// Nobody writes to it, and all of it was written: no access to it is a mistake.
    Quiet,
    /// Nobody may write to it.
    Constant,
    Watched(Lines),
}

/// What the quick look remembers.
pub(crate) struct Screen {
    races: bool,
    initialised: bool,
    buffers: Vec<Buffer>,
    shared: Shared,
    /// What the processor can do.
    level: lanes::Level,
    /// Threads of a block.
    threads: u64,
    /// For each chunk of the unit: its first thread's number in the launch, and in its block.
    first_thread: [u64; MAX_CHUNKS],
    first_of_block: [u32; MAX_CHUNKS],
}

/// An access of a chunk's lanes to a progression of places.
#[derive(Clone, Copy)]
struct Touch {
    /// The chunk.
    k: usize,
    /// The place of lane 0, in bytes from the object's start; of shared memory, in its block's copy.
    place: u64,
    stride: u64,
    size: u64,
    mask: u16,
    writes: bool,
}

/// Runs a launch with the quick look; `None`, and nothing has happened, if it has to run under the
/// checks themselves.
pub(crate) fn run(
    code: &Code,
    memory: &mut Memory,
    launch: &Launch,
    options: &Options,
    setup: &Setup,
    order: &[u64],
) -> Option<Ending> {
    let looks = options.checks.any() && options.trace.is_none() && !code.twinned;
    if !looks || !setup.is_of_blocks() {
        return None;
    }
    let mut machine = setup.machine(code, memory, launch, options, false);
    let screen = Screen::new(&mut machine)?;
    // What was written before, of buffers that not all was.
    let written: Vec<_> =
        machine.memory.buffers.iter().map(|buffer| buffer.written.clone()).collect();
    machine.watch = None;
    machine.screen = Some(Box::new(screen));
    machine.screening = true;
    let mut line = Line::new(setup, &machine);
    for numbers in order.chunks(line.size) {
        if !line.run(setup, &mut machine, numbers) || machine.fault.is_some() {
            break;
        }
    }
    let fine = machine.fault.is_none();
    let ending = fine.then(|| grid::ending(&mut machine, code, options, true));
    let seen = machine.screen.take().map_or(Vec::new(), |screen| screen.buffers);
    drop(machine);
    for ((buffer, written), seen) in memory.buffers.iter_mut().zip(written).zip(seen) {
        if !fine {
            buffer.written = written;
        }
        if let Buffer::Watched(lines) = seen {
            if !fine {
                lines.restore(&mut buffer.bytes);
            }
            lines.spare(&mut memory.spare);
        }
    }
    ending
}

/// Something may be wrong: the checks themselves have to look.
#[cold]
pub(crate) fn doubt(m: &mut Machine<'_>) {
    m.raise(FaultKind::Trap, 0, None, 0);
}

impl Screen {
    fn new(m: &mut Machine<'_>) -> Option<Screen> {
        let only_read = only_read(m);
        let Memory { buffers, spare, .. } = &mut *m.memory;
        let mut spent = 0u64;
        let buffers: Vec<Buffer> = (buffers.iter().enumerate())
            .map(|(index, buffer)| {
                if only_read.get(index) == Some(&true) && buffer.written.is_none() {
                    return Buffer::Quiet;
                }
                if m.code.constants.contains(&buffer.name) {
                    return Buffer::Constant;
                }
                spent = spent.saturating_add(2 * buffer.bytes.len() as u64);
                Buffer::Watched(Lines::new(buffer.bytes.len() as u64, spare))
            })
            .collect();
        (spent <= m.options.memory_limit).then(|| Screen {
            races: m.checks.races,
            initialised: m.checks.initialised,
            buffers,
            shared: Shared::default(),
            level: lanes::level(),
            threads: m.block_dim.iter().map(|extent| u64::from(*extent)).product(),
            first_thread: [0; MAX_CHUNKS],
            first_of_block: [0; MAX_CHUNKS],
        })
    }

    /// Whether accesses to an object need no look, but at their addresses.
    #[inline(always)]
    fn is_quiet(&self, place: Place, writes: bool) -> bool {
        match place {
            Place::Buffer(index) => match self.buffers.get(index) {
                Some(Buffer::Quiet | Buffer::Constant) => !writes,
                _ => false,
            },
            Place::Parameters => true,
            _ => false,
        }
    }

    /// Looks at a chunk's access; whether there is nothing to doubt.
    #[inline(always)]
    fn chunk(&mut self, m: &mut Machine<'_>, object: Object, touch: Touch) -> bool {
        match object.place {
            Place::Shared(start) => {
                let jump = together::copy(m, touch.k);
                let at = start as u64 + jump;
                let (number, thread) =
                    (object.base >> WINDOW_BITS, self.first_of_block[touch.k % MAX_CHUNKS]);
                let copies = m.group.places.len().max(1) as u64;
                let all = [object.size, copies];
                let (conflict, unwritten) = self.shared.chunk(number, all, at, thread, touch);
                !(conflict && self.races || unwritten && self.initialised)
            }
            Place::Buffer(index) => {
                let thread = self.first_thread[touch.k % MAX_CHUNKS];
                let Some(seen) = self.buffers.get_mut(index) else { return false };
                let lines = match seen {
                    Buffer::Quiet | Buffer::Constant => return !touch.writes,
                    Buffer::Watched(lines) => lines,
                };
                let Some(buffer) = m.memory.buffers.get_mut(index) else { return false };
                if self.initialised
                    && let Some(written) = &mut buffer.written
                {
                    for l in each_lane(touch.mask) {
                        let at = touch.place.wrapping_add(l * touch.stride) as usize;
                        if touch.writes {
                            written.set(at, touch.size as usize, true);
                        } else if !written.has(at, touch.size as usize) {
                            return false;
                        }
                    }
                }
                lines.chunk(&buffer.bytes, thread, touch, self.races)
            }
            Place::Parameters => true,
            Place::Local(_) => false,
        }
    }

    /// Looks at an access before it happens.
    fn access<E: Element>(
        &mut self,
        m: &mut Machine<'_>,
        i: &Inst,
        offset: u64,
        writes: bool,
    ) -> bool {
        if m.unit.mask.is_empty() {
            return true;
        }
        let size = E::SIZE as u64;
        let shape = m.unit.d.shape(i.a);
        let (affine, stride) = (shape != Shape::Vector, m.unit.d.stride(i.a));
        let first = m.unit.d.get(i.a, m.unit.mask.lowest()).wrapping_add(offset);
        let Some(object) = m.first_copy(first) else { return true };
        if self.is_quiet(object.place, writes) && one_window(m, i.a, offset, first, affine, stride)
        {
            return true;
        }
        if let Place::Local(row) = object.place {
            return self.local(m, i, object, row, size, writes);
        }
        let limit = object.size.checked_sub(size);
        if affine && stride < 1 << 16 {
            let limit = object.size.checked_sub(size + (CHUNK as u64 - 1) * stride);
            let (by, full) = (offset.wrapping_sub(object.base), m.unit.is_full());
            let mut places = [0; MAX_CHUNKS];
            if limit.is_some_and(|limit| {
                all_within(m, by, limit, full, object, &mut places, InRegister(i.a))
            }) {
                let places = &places[..m.unit.chunks];
                return self.places(m, object, places, stride, size, writes);
            }
        }
        for k in 0..m.unit.chunks {
            let mask = m.unit.mask.bits[k];
            if mask == 0 {
                continue;
            }
            let shift = together::shift(m, object, k);
            if affine && let Some(limit) = limit {
                let base = m.unit.d.base(i.a, k).wrapping_add(offset);
                let place = base.wrapping_sub(object.base).wrapping_sub(shift);
                let [low, high] = [mask.trailing_zeros(), 15 - mask.leading_zeros()]
                    .map(|lane| place.wrapping_add(stride.wrapping_mul(u64::from(lane))));
                if low <= limit && high <= limit && stride < 1 << 32 {
                    if !self.chunk(m, object, Touch { k, place, stride, size, mask, writes }) {
                        return false;
                    }
                    continue;
                }
            }
            let addresses = m.addresses(i.a, offset, k);
            for l in each_lane(mask) {
                let address = addresses[l as usize];
                let place = address.wrapping_sub(object.base).wrapping_sub(shift);
                let touch = Touch { k, place, stride: 0, size, mask: 1 << l, writes };
                let fine = if limit.is_some_and(|limit| place <= limit) {
                    self.chunk(m, object, touch)
                } else {
                    self.elsewhere(m, address, touch)
                };
                if !fine {
                    return false;
                }
            }
        }
        true
    }

    /// A lane that reaches another object than the first does.
    #[cold]
    fn elsewhere(&mut self, m: &mut Machine<'_>, address: u64, touch: Touch) -> bool {
        let Some(object) = m.first_copy(address) else { return false };
        let place = address.wrapping_sub(object.base);
        let place = place.wrapping_sub(together::shift(m, object, touch.k));
        let fits = object.size.checked_sub(touch.size).is_some_and(|limit| place <= limit);
        fits && self.chunk(m, object, Touch { place, ..touch })
    }

    /// Local memory, where only what was written matters.
    fn local(
        &self,
        m: &mut Machine<'_>,
        i: &Inst,
        object: Object,
        row: usize,
        size: u64,
        writes: bool,
    ) -> bool {
        if !self.initialised {
            return true;
        }
        let chunks = m.unit.chunks;
        if let Some(address) = m.unit.d.uniform(i.a) {
            let offset = address.wrapping_add(i.imm).wrapping_sub(object.base);
            if offset > object.size || object.size - offset < size {
                return false;
            }
            if offset.is_multiple_of(4) && size.is_multiple_of(4) {
                for word in 0..size / 4 {
                    let start = (row + (offset / 4 + word) as usize) * chunks;
                    for k in 0..chunks {
                        let wanted = initial::nibbles(m.unit.mask.bits[k]);
                        let place = m.unit.local_written.get_mut(start + k);
                        let Some(place) = place else { return false };
                        if writes {
                            *place |= wanted;
                        } else if wanted & !*place != 0 {
                            return false;
                        }
                    }
                }
                return true;
            }
        }
        for k in 0..chunks {
            let addresses = m.addresses(i.a, i.imm, k);
            for l in each_lane(m.unit.mask.bits[k]) {
                let offset = addresses[l as usize].wrapping_sub(object.base);
                if offset > object.size || object.size - offset < size {
                    return false;
                }
                for at in offset..offset + size {
                    let lane = k * CHUNK + l as usize;
                    let word = initial::local_word(&mut m.unit, row, at, lane);
                    let Some((word, shift)) = word else { return false };
                    if writes {
                        *word |= 1 << shift;
                    } else if *word >> shift & 1 == 0 {
                        return false;
                    }
                }
            }
        }
        true
    }
}

/// The lanes of a chunk's mask.
#[inline(always)]
fn each_lane(mask: u16) -> impl Iterator<Item = u64> {
    let mut bits = mask;
    std::iter::from_fn(move || {
        let lane = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (lane < 16).then_some(u64::from(lane))
    })
}

/// Looks at an access before it happens, as [`super::before_access`] does.
pub(super) fn before_access<E: Element>(m: &mut Machine<'_>, i: &Inst, writes: bool) {
    if m.checks.memory {
        let align = 1 << (i.slot >> slot::ALIGN & 15);
        alignment(m, i, i.imm, align.max(E::SIZE as u64), writes);
    }
    let Some(mut screen) = m.screen.take() else { return };
    let fine = screen.access::<E>(m, i, i.imm, writes);
    m.screen = Some(screen);
    if !fine {
        doubt(m);
    }
}

/// As [`before_access`] for an atomic operation.
pub(super) fn before_atomic<E: Element>(m: &mut Machine<'_>, i: &Inst, offset: u64) {
    if m.checks.memory {
        alignment(m, i, offset, E::SIZE as u64, true);
    }
    let Some(mut screen) = m.screen.take() else { return };
    let size = E::SIZE as u64;
    let fine = (0..m.unit.chunks).all(|k| {
        let mask = m.unit.mask.bits[k];
        let addresses = m.addresses(i.a, offset, k);
        each_lane(mask).all(|l| screen.atomic(m, addresses[l as usize], k, l, size))
    });
    m.screen = Some(screen);
    if !fine {
        doubt(m);
    }
}

impl Screen {
    /// An atomic access of a lane.
    fn atomic(&mut self, m: &mut Machine<'_>, address: u64, k: usize, l: u64, size: u64) -> bool {
        let Some(object) = m.first_copy(address) else { return false };
        let place = address.wrapping_sub(object.base);
        let place = place.wrapping_sub(together::shift(m, object, k));
        if object.size.checked_sub(size).is_none_or(|limit| place > limit) {
            return false;
        }
        match object.place {
            Place::Shared(start) => {
                let at = start as u64 + together::copy(m, k) + place;
                let thread = self.first_of_block[k % MAX_CHUNKS] + l as u32;
                let number = object.base >> WINDOW_BITS;
                let all = [object.size, m.group.places.len().max(1) as u64];
                let (conflict, unwritten) = self.shared.atomic(number, all, at, size, thread);
                !(conflict && self.races || unwritten && self.initialised)
            }
            Place::Buffer(index) => {
                let Some(Buffer::Watched(lines)) = self.buffers.get_mut(index) else {
                    return false;
                };
                let Some(buffer) = m.memory.buffers.get_mut(index) else { return false };
                if self.initialised
                    && buffer
                        .written
                        .as_ref()
                        .is_some_and(|it| !it.has(place as usize, size as usize))
                {
                    return false;
                }
                lines.atomic(&buffer.bytes, place, size, self.races)
            }
            _ => false,
        }
    }
}

/// Looks at places that a fused instruction has found to be inside an object: of lane 0 of each chunk,
/// those of shared memory with how far the block's copy lies from the first. Whether the
/// instruction may go on; if not, what it stands for looks again.
#[inline(always)]
pub(crate) fn passes(
    m: &mut Machine<'_>,
    i: &Inst,
    object: Object,
    places: &[u64],
    stride: u64,
    size: u64,
    writes: bool,
) -> bool {
    if m.checks.memory {
        let align = (1 << (i.slot >> slot::ALIGN & 15)).max(size);
        let bits = places.iter().fold(stride, |bits, place| bits | place);
        if bits & (align - 1) != 0 {
            return false;
        }
    }
    match &m.screen {
        Some(screen) if !screen.is_quiet(object.place, writes) => {
            noted(m, object, places, stride, size, writes)
        }
        _ => true,
    }
}

#[inline(never)]
fn noted(
    m: &mut Machine<'_>,
    object: Object,
    places: &[u64],
    stride: u64,
    size: u64,
    writes: bool,
) -> bool {
    let Some(mut screen) = m.screen.take() else { return false };
    let fine = screen.places(m, object, places, stride, size, writes);
    m.screen = Some(screen);
    if !fine {
        doubt(m);
    }
    fine
}

impl Screen {
    /// Looks at an access of all active lanes, chunk by chunk, to places that are inside an object.
    fn places(
        &mut self,
        m: &mut Machine<'_>,
        object: Object,
        places: &[u64],
        stride: u64,
        size: u64,
        writes: bool,
    ) -> bool {
        match self.level {
            // SAFETY: the processor was found to have these features.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            lanes::Level::Widest => unsafe {
                self.places_widest(m, object, places, [stride, size], writes)
            },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            lanes::Level::Wide => unsafe {
                self.places_wide(m, object, places, [stride, size], writes)
            },
            _ => self.places_here(m, object, places, [stride, size], writes),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(
        enable = "avx512f,avx512vl,avx512bw,avx512dq,avx512cd,avx2,fma,bmi1,bmi2,popcnt,lzcnt"
    )]
    fn places_widest(
        &mut self,
        m: &mut Machine<'_>,
        object: Object,
        places: &[u64],
        strides: [u64; 2],
        writes: bool,
    ) -> bool {
        self.places_here(m, object, places, strides, writes)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
    fn places_wide(
        &mut self,
        m: &mut Machine<'_>,
        object: Object,
        places: &[u64],
        strides: [u64; 2],
        writes: bool,
    ) -> bool {
        self.places_here(m, object, places, strides, writes)
    }

    #[inline(always)]
    fn places_here(
        &mut self,
        m: &mut Machine<'_>,
        object: Object,
        places: &[u64],
        [stride, size]: [u64; 2],
        writes: bool,
    ) -> bool {
        let full = m.unit.is_full() && m.unit.all.count as usize == CHUNK * m.unit.chunks;
        if let Place::Buffer(index) = object.place
            && full
            && stride == size
            && let Some(Buffer::Watched(lines)) = self.buffers.get_mut(index)
            && let Some(buffer) = m.memory.buffers.get(index)
            && buffer.written.is_none()
            && lines.rows(&buffer.bytes, places, &self.first_thread, size)
        {
            return true;
        }
        if full && let Place::Shared(start) = object.place {
            let number = object.base >> WINDOW_BITS;
            let all = [object.size, m.group.places.len().max(1) as u64];
            let (start, known) = (start as u64, self.initialised);
            if !writes && self.shared.reads_late(number, start, places, [stride, size], known) {
                return true;
            }
            let seen = self.shared.rows(number, all, start, places, [stride, size], writes);
            if let Some((conflict, unwritten)) = seen {
                return !(conflict && self.races || unwritten && self.initialised);
            }
        }
        let mask = m.unit.mask;
        let apart = matches!(object.place, Place::Shared(_));
        for (k, place) in places.iter().enumerate() {
            let mask = mask.bits[k];
            let jump = if apart { together::copy(m, k) } else { 0 };
            let place = place.wrapping_sub(jump);
            if mask != 0 && !self.chunk(m, object, Touch { k, place, stride, size, mask, writes }) {
                return false;
            }
        }
        true
    }
}

/// Whether atomic operations on an object, whose places a fused instruction has found to be inside,
/// need no look: only such operations reach it until the next barrier.
#[inline(always)]
pub(crate) fn passes_atomics(m: &mut Machine<'_>, object: Object, bits: u64, size: u64) -> bool {
    let Some(screen) = &mut m.screen else { return true };
    if m.checks.memory && bits & (size - 1) != 0 {
        return false;
    }
    matches!(object.place, Place::Shared(_))
        && screen.shared.only_atomics(object.base >> WINDOW_BITS, screen.initialised)
}

/// Blocks run from here.
pub(super) fn enter(m: &mut Machine<'_>, first: u64, own: usize) {
    let Some(screen) = &mut m.screen else { return };
    let [x, y, _] = m.grid.map(u64::from);
    let own = own.max(1);
    let chunks = screen.first_thread.chunks_mut(own).zip(screen.first_of_block.chunks_mut(own));
    for (number, (in_launch, in_block)) in chunks.enumerate() {
        let block = match m.group.places.get(number) {
            Some([bx, by, bz]) => u64::from(*bx) + x * (u64::from(*by) + y * u64::from(*bz)),
            None if number == 0 => first,
            None => break,
        };
        let start = block * screen.threads;
        for (k, (launch, thread)) in in_launch.iter_mut().zip(in_block).enumerate() {
            *thread = (k * CHUNK) as u32;
            *launch = start + (k * CHUNK) as u64;
        }
    }
    screen.shared.enter(m.shared.len(), &screen.first_of_block);
}

/// All threads of the unit have met at a barrier of their blocks.
pub(super) fn barrier(m: &mut Machine<'_>) {
    if let Some(screen) = &mut m.screen
        && !screen.shared.barrier()
    {
        doubt(m);
    }
}

/// Whether a load of so many bytes from anywhere in an object needs no look, and is aligned if `bits` are.
#[inline(always)]
pub(crate) fn is_plain(m: &Machine<'_>, i: &Inst, object: Object, bits: u64, size: u64) -> bool {
    let align = (1u64 << (i.slot >> slot::ALIGN & 15)).max(size);
    let aligned = !m.checks.memory || bits & (align - 1) == 0;
    aligned && m.screen.as_ref().is_some_and(|screen| screen.is_quiet(object.place, false))
}
