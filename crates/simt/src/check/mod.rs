//! The checks while a kernel runs, beside bounds: alignment, bytes that nobody wrote, races, and who
//! comes to a barrier.
//!
//! # Rules
//!
//! *Alignment.* A load or store is aligned as its type, a vector as a whole.
//!
//! *Initialised.* A load of a scalar or vector element of which some byte was never written is a
//! finding; it is told once for these bytes. A copy (`memcpy`, a struct or array as a whole) passes
//! on what it finds, so padding is none. Shared memory and local variables begin unwritten, buffers
//! that [`Memory::add_uninitialised`](crate::Memory::add_uninitialised) made too.
//!
//! *Races.* Two accesses of different threads to one place, of which one writes, are a finding unless
//! they are ordered (`order`), or
//! - both are atomic or volatile, for polled flags and locks; but in shared memory a volatile access
//!   does not excuse lanes of one warp from `__syncwarp`, which warp-synchronous code needs;
//! - both write the same value: whatever order, the memory holds it in the end. CUDA guarantees that
//!   one write of a warp's instruction lands, so this is what such code relies on.
//!
//! Lanes of a warp are threads as others are: nothing orders them but `__syncwarp` and barriers.
//! Shared memory is one per block; asynchronous copies count as done at once.

mod address;
mod initial;
mod order;
mod report;
pub(crate) mod runs;
pub(crate) mod screen;
mod shadow;
pub(crate) mod written;

use std::collections::{BTreeMap, BTreeSet};

use crate::machine::access::Element;
use crate::machine::lanes::Kernel;
use crate::machine::registers::{Raw, Shape, progression};
use crate::machine::warp::{NONE, WarpInst};
use crate::machine::{CHUNK, Inst, Machine, Object, Place, parallel};
use crate::memory::{FIRST_BUFFER, WINDOW_BITS};
use crate::outcome::{FindingKind, Participant};
use address::{alignment, read_only};
use initial::{is_written, local_rows, local_word, mark, set_written, unwritten};
use order::Order;
use report::{same_value, settle};
use runs::{is_quiet, only_read, reads_one, runs};
use shadow::{ATOMIC, Clash, LINE, Pattern, Shadow, VOLATILE, Window};
use written::Written;

/// What the compiler says of an access, in an instruction's `slot`.
pub(crate) mod slot {
    /// The access is atomic.
    pub(crate) const ATOMIC: u32 = 1;
    /// The access is volatile.
    pub(crate) const VOLATILE: u32 = 2;
    /// What came before it is published (on atomic operations too).
    pub(crate) const RELEASES: u32 = 4;
    /// A part of a whole that is copied.
    pub(crate) const COPIES: u32 = 8;
    /// From here: the alignment of the whole access, as a power of two.
    pub(crate) const ALIGN: u32 = 4;
}

/// What the checks remember during a launch.
pub(crate) struct Watch {
    races: bool,
    initialised: bool,
    order: Order,
    /// By object; buffers after the program's own.
    shadows: Vec<Option<Shadow>>,
    own: usize,
    written: Written,
    /// Of blocks that wait for the grid.
    others: BTreeMap<u64, Written>,
    block: Option<u64>,
    clashes: Vec<Clash>,
    /// The buffers of constant variables.
    constants: Vec<usize>,
    /// Whether each buffer is only read: no access to it can be part of a race.
    only_read: Vec<bool>,
    /// Bytes that the shadow of one object may take.
    limit: u64,
    /// Pairs of sites that were reported.
    reported: BTreeSet<(u32, u32, bool, bool)>,
    /// Counts instructions, in the upper bits of flags.
    instruction: u8,
    /// Where threads wait at the block's barrier: site, first thread, how many.
    arrived: Vec<(u32, u32, u32)>,
}

impl Watch {
    /// Nothing yet; `None` if there is nothing to watch.
    pub(crate) fn new(m: &Machine<'_>) -> Option<Box<Watch>> {
        if !m.checks.any() {
            return None;
        }
        let threads = m.block_dim.iter().map(|extent| *extent as usize).product();
        Some(Box::new(Watch {
            races: m.checks.races,
            initialised: m.checks.initialised,
            order: Order::new(threads, m.warp_width),
            shadows: Vec::new(),
            own: m.objects.len(),
            written: Written::default(),
            others: BTreeMap::new(),
            block: None,
            clashes: Vec::new(),
            constants: m
                .symbols
                .iter()
                .filter_map(|address| {
                    let index = (address >> WINDOW_BITS).checked_sub(FIRST_BUFFER)? as usize;
                    let name = &m.memory.buffers.get(index)?.name;
                    m.code.constants.contains(name).then_some(index)
                })
                .collect(),
            only_read: only_read(m),
            limit: m.options.memory_limit,
            reported: BTreeSet::new(),
            instruction: 0,
            arrived: Vec::new(),
        }))
    }

    fn window(&self, place: Place) -> Window {
        let order = &self.order;
        match place {
            // Each block has its own: what others did there is past.
            Place::Shared(_) => {
                Window { first: order.epoch, block: order.epoch, epoch: order.epoch }
            }
            _ => Window { first: order.grid_first, block: order.block_first, epoch: order.epoch },
        }
    }

    /// The shadow of an object, with granules that serve accesses to `size` bytes at `offset`.
    #[inline(always)]
    fn shadow(&mut self, address: u64, object: Object, offset: u64, size: u64) -> &mut Shadow {
        let number = (address >> WINDOW_BITS) as usize;
        let number = match number.checked_sub(FIRST_BUFFER as usize) {
            Some(buffer) => buffer + self.own,
            None => number,
        };
        if self.shadows.len() <= number {
            self.shadows.resize_with(number + 1, || None);
        }
        let (granule, limit) = ((offset | size | 4).trailing_zeros(), self.limit);
        let window = self.window(object.place);
        let shadow =
            self.shadows[number].get_or_insert_with(|| Shadow::new(object.size, granule, limit));
        if granule < shadow.granule {
            shadow.refine(granule, &window);
        }
        shadow
    }
}

/// Looks at the addresses of an access before it happens. Lanes are active as the mask says; the
/// address of each is in `i.a`, with `i.imm` bytes to add.
#[inline(never)]
pub(crate) fn before_access<E: Element>(m: &mut Machine<'_>, i: &Inst, writes: bool) {
    if m.tracker.is_some() {
        return parallel::track::<E>(m, i, writes);
    }
    if m.screening {
        return screen::before_access::<E>(m, i, writes);
    }
    if m.checks.memory {
        let align = 1 << (i.slot >> slot::ALIGN & 15);
        alignment(m, i, i.imm, align.max(E::SIZE as u64), writes);
        if writes && m.watch.as_ref().is_some_and(|watch| !watch.constants.is_empty()) {
            read_only::<E>(m, i);
        }
    }
    if let Some(mut watch) = m.watch.take() {
        if watch.races || watch.initialised {
            access::<E>(m, &mut watch, i, writes);
        }
        m.watch = Some(watch);
    }
}

/// As [`before_access`] for an atomic operation, whose offset lies above the low byte.
#[inline(never)]
pub(crate) fn before_atomic<E: Element>(m: &mut Machine<'_>, i: &Inst) {
    if m.tracker.is_some() {
        return parallel::track_atomic::<E>(m, i);
    }
    let offset = ((i.imm as i64) >> 8) as u64;
    if m.screening {
        return screen::before_atomic::<E>(m, i, offset);
    }
    if m.checks.memory {
        alignment(m, i, offset, E::SIZE as u64, true);
    }
    let Some(mut watch) = m.watch.take() else { return };
    if watch.races || watch.initialised {
        watch.instruction = watch.instruction.wrapping_add(16);
        let touch = Touch {
            site: i.site,
            size: E::SIZE as u64,
            reads: true,
            writes: true,
            reports: true,
            flags: ATOMIC | watch.instruction,
        };
        let releases = i.slot & slot::RELEASES != 0 && watch.races;
        if releases {
            watch.order.step();
        }
        for k in 0..m.unit.chunks {
            let mut bits = m.unit.mask.bits[k];
            if bits == 0 {
                continue;
            }
            let addresses = m.addresses(i.a, offset, k);
            if !releases && watch.order.is_quiet() {
                bits = atomics_again(m, &mut watch, &touch, &addresses, k, bits);
            }
            while bits != 0 {
                let l = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let lane = k * CHUNK + l;
                if releases {
                    watch.order.fence(m.unit.first as usize + lane, true);
                }
                one(m, &mut watch, &touch, lane, addresses[l]);
                settle(m, &mut watch, &touch, addresses[l], &mut |_, _| false);
            }
        }
    }
    m.watch = Some(watch);
}

/// Serves the lanes of a chunk whose place only atomic accesses know; the others are left.
fn atomics_again(
    m: &Machine<'_>,
    watch: &mut Watch,
    touch: &Touch,
    addresses: &[u64; CHUNK],
    k: usize,
    bits: u16,
) -> u16 {
    let first = addresses[bits.trailing_zeros() as usize & 15];
    let Some(object) = m.object(first) else { return bits };
    if !matches!(object.place, Place::Buffer(_) | Place::Shared(_)) {
        return bits;
    }
    let Some(limit) = object.size.checked_sub(touch.size) else { return bits };
    // Those that lie in the object, in what was written.
    let (mut open, mut low) = (0u16, 0);
    for (l, address) in addresses.iter().enumerate() {
        let offset = address.wrapping_sub(object.base);
        let inside = u16::from(offset <= limit) << l & bits;
        open |= inside;
        low |= if inside != 0 { offset } else { 0 };
    }
    if watch.initialised {
        let mut unseen = open;
        while unseen != 0 {
            let l = unseen.trailing_zeros() as usize;
            unseen &= unseen - 1;
            let offset = addresses[l].wrapping_sub(object.base);
            if !is_written(m, watch, object, offset, touch.size) {
                open &= !(1 << l);
            }
        }
    }
    if !watch.races {
        return bits & !open;
    }
    let window = watch.window(object.place);
    let thread = m.unit.first as u16 + (k * CHUNK) as u16;
    let pattern = Pattern {
        segment: watch.order.now,
        site: touch.site,
        flags: touch.flags,
        ..Pattern::default()
    };
    let shadow = watch.shadow(first, object, low, touch.size);
    if touch.size != 1 << shadow.granule {
        return bits;
    }
    let mut left = bits;
    while open != 0 {
        let l = open.trailing_zeros() as usize;
        open &= open - 1;
        let offset = addresses[l].wrapping_sub(object.base);
        if shadow.again(offset >> shadow.granule, thread + l as u16, &pattern, &window) {
            left &= !(1 << l);
        }
    }
    left
}

/// As [`before_access`] for bytes that a lane reads or writes in a copy, a fill or with its warp.
pub(crate) fn before_one(
    m: &mut Machine<'_>,
    i: &Inst,
    lane: usize,
    address: u64,
    size: u64,
    writes: bool,
) {
    if m.tracker.is_some() {
        return parallel::track_one(m, address, size, writes);
    }
    if m.screening {
        return screen::doubt(m);
    }
    let Some(mut watch) = m.watch.take() else { return };
    let touch = Touch {
        site: i.site,
        size,
        reads: !writes,
        writes,
        reports: true,
        flags: watch.instruction,
    };
    one(m, &mut watch, &touch, lane, address);
    settle(m, &mut watch, &touch, address, &mut |_, _| false);
    m.watch = Some(watch);
}

/// A lane copies bytes: as it reads and writes them, but what was not written stays so.
pub(crate) fn before_copy(
    m: &mut Machine<'_>,
    i: &Inst,
    lane: usize,
    [to, from]: [u64; 2],
    [read, bytes]: [u64; 2],
) {
    if m.tracker.is_some() {
        parallel::track_one(m, from, read, false);
        return parallel::track_one(m, to, bytes, true);
    }
    if m.screening {
        return screen::doubt(m);
    }
    let Some(mut watch) = m.watch.take() else { return };
    watch.instruction = watch.instruction.wrapping_add(16);
    let flags = watch.instruction;
    let mut touch =
        Touch { site: i.site, size: 1, reads: true, writes: false, reports: false, flags };
    // Words as far as they go.
    let step = match to | from | read | bytes {
        all if all.is_multiple_of(4) => 4,
        _ => 1,
    };
    touch.size = step;
    let mut at = 0;
    while at < bytes {
        let (source, target) = (from.wrapping_add(at), to.wrapping_add(at));
        // Whoever leaves an object ends the copy there.
        if m.object(target).is_none_or(|object| target.wrapping_sub(object.base) >= object.size) {
            break;
        }
        let mut known = true;
        if at < read {
            touch.writes = false;
            known = one(m, &mut watch, &touch, lane, source);
            settle(m, &mut watch, &touch, source, &mut |_, _| false);
        }
        touch.writes = true;
        touch.reads = false;
        one(m, &mut watch, &touch, lane, target);
        settle(m, &mut watch, &touch, target, &mut |_, _| false);
        touch.reads = true;
        if !known {
            mark(m, &mut watch, lane, target, step, false);
        }
        at += step;
    }
    m.watch = Some(watch);
}

/// An access, as it concerns one lane.
#[derive(Clone, Copy)]
struct Touch {
    site: u32,
    size: u64,
    reads: bool,
    writes: bool,
    /// Whether reading what nobody wrote is told.
    reports: bool,
    flags: u8,
}

/// The progression of a chunk's active lanes, if they are one.
#[inline(always)]
fn progress(addresses: &[u64; CHUNK], mask: u16) -> Option<(u64, u64)> {
    let low = mask.trailing_zeros() as usize;
    let high = 15 - mask.leading_zeros() as usize;
    let (first, last) = (addresses[low & 15], addresses[high & 15]);
    let gap = (high - low) as u64;
    if gap == 0 {
        return Some((first, 0));
    }
    let stride = last.wrapping_sub(first) / gap;
    let base = first.wrapping_sub(stride.wrapping_mul(low as u64));
    let expected = progression(base, stride);
    let mut bad = false;
    for l in 0..CHUNK {
        bad |= addresses[l] != expected[l] && mask >> l & 1 == 1;
    }
    (!bad).then_some((base, stride))
}

fn access<E: Element>(m: &mut Machine<'_>, watch: &mut Watch, i: &Inst, writes: bool) {
    watch.instruction = watch.instruction.wrapping_add(16);
    let touch = Touch {
        site: i.site,
        size: E::SIZE as u64,
        reads: !writes,
        writes,
        reports: i.slot & slot::COPIES == 0,
        flags: (i.slot & 3) as u8 | watch.instruction,
    };
    if touch.flags & (ATOMIC | VOLATILE) != 0 && writes && i.slot & slot::RELEASES != 0 {
        watch.order.step();
        let first = m.unit.first as usize;
        for lane in m.unit.mask.lanes(m.unit.chunks) {
            watch.order.fence(first + lane, true);
        }
    }
    if let Some(address) = m.unit.d.uniform(i.a) {
        return uniform::<E>(m, watch, i, &touch, address.wrapping_add(i.imm));
    }
    let affine = m.unit.d.shape(i.a) == Shape::Affine;
    let stride = m.unit.d.stride(i.a);
    if (!writes && reads_one(m, watch, i, affine, stride))
        || (affine && runs::<E>(m, watch, i, &touch, stride))
    {
        return;
    }
    for k in 0..m.unit.chunks {
        let mask = m.unit.mask.bits[k];
        if mask == 0 {
            continue;
        }
        let run = match affine {
            true => Some((m.unit.d.base(i.a, k).wrapping_add(i.imm), stride)),
            false => progress(&m.addresses(i.a, i.imm, k), mask),
        };
        let done = run.is_some_and(|(base, stride)| chunk(m, watch, &touch, base, stride, k, mask));
        if !done {
            let addresses = m.addresses(i.a, i.imm, k);
            let mut bits = mask;
            while bits != 0 {
                let l = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                one(m, watch, &touch, k * CHUNK + l, addresses[l]);
                if !watch.clashes.is_empty() {
                    settle(m, watch, &touch, addresses[l], &mut same_value::<E>(i));
                }
            }
        } else if !watch.clashes.is_empty() {
            let lane = k * CHUNK + mask.trailing_zeros() as usize;
            let address = m.unit.d.get(i.a, lane).wrapping_add(i.imm);
            settle(m, watch, &touch, address, &mut same_value::<E>(i));
        }
    }
}

/// All lanes access one place.
fn uniform<E: Element>(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    i: &Inst,
    touch: &Touch,
    address: u64,
) {
    let Some(object) = m.object(address) else { return };
    let offset = address.wrapping_sub(object.base);
    if offset > object.size || object.size - offset < touch.size {
        return;
    }
    if let Place::Local(row) = object.place {
        return local_rows(m, watch, touch, row, offset, address);
    }
    if object.place == Place::Parameters
        || !touch.writes && is_quiet(m, watch, address >> WINDOW_BITS)
    {
        return;
    }
    let first = m.unit.mask.lowest();
    let soft = touch.flags & (ATOMIC | VOLATILE) != 0;
    let stores_one = touch.writes && m.unit.mask.count > 1 && !soft && {
        let value = E::file(&mut m.unit).get(i.b, first);
        E::file(&mut m.unit).uniform(i.b).is_some() || {
            let lanes: Vec<usize> = m.unit.mask.lanes(m.unit.chunks).collect();
            lanes.into_iter().all(|lane| E::file(&mut m.unit).get(i.b, lane) == value)
        }
    };
    if m.unit.mask.count == 1 || touch.writes && !stores_one || soft {
        for k in 0..m.unit.chunks {
            let mut bits = m.unit.mask.bits[k];
            while bits != 0 {
                let lane = k * CHUNK + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                one(m, watch, touch, lane, address);
                if !watch.clashes.is_empty() {
                    settle(m, watch, touch, address, &mut same_value::<E>(i));
                }
            }
        }
        return;
    }
    if watch.initialised {
        if touch.writes {
            set_written(m, watch, object, offset, touch.size, true);
        } else if !is_written(m, watch, object, offset, touch.size) {
            unwritten(m, watch, touch, first, address);
        }
    }
    if !watch.races {
        return;
    }
    let window = watch.window(object.place);
    let segment = watch.order.now;
    let last = (0..m.unit.chunks).rev().find(|k| m.unit.mask.bits[*k] != 0).unwrap_or(0);
    let last = last * CHUNK + 15 - m.unit.mask.bits[last].leading_zeros() as usize;
    let base = m.unit.first as i16;
    let mut clashes = std::mem::take(&mut watch.clashes);
    let shadow = watch.shadow(address, object, offset, touch.size);
    let granule = offset >> shadow.granule;
    let count = (touch.size >> shadow.granule) as u32;
    let pattern = Pattern {
        segment,
        site: touch.site,
        mask: (((1u32 << count.min(16)) - 1) << (granule % LINE as u64)) as u16,
        flags: touch.flags,
        ..Pattern::default()
    };
    let pattern = pattern.many(base + first as i16, base + last as i16);
    let line = (granule / LINE as u64) as usize;
    if touch.writes {
        shadow.write(line, pattern, &window, &mut clashes);
    } else {
        shadow.read(line, pattern, &window, &mut clashes);
    }
    watch.clashes = clashes;
    if !watch.clashes.is_empty() {
        settle(m, watch, touch, address, &mut same_value::<E>(i));
    }
}

/// A chunk whose lanes access a progression of places; whether that was all.
#[inline(always)]
fn chunk(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    touch: &Touch,
    base: u64,
    stride: u64,
    k: usize,
    mask: u16,
) -> bool {
    let low = mask.trailing_zeros() as u64;
    let high = 15 - u64::from(mask.leading_zeros());
    let first = base.wrapping_add(low.wrapping_mul(stride));
    let Some(object) = m.object(first) else { return true };
    let size = touch.size;
    let Some(limit) = object.size.checked_sub(size) else { return false };
    let start = first.wrapping_sub(object.base);
    let end = base.wrapping_add(high.wrapping_mul(stride)).wrapping_sub(object.base);
    if start > limit || end > limit || touch.flags & (ATOMIC | VOLATILE) != 0 {
        return false;
    }
    match object.place {
        Place::Parameters => return true,
        Place::Local(_) => return false,
        Place::Buffer(_) | Place::Shared(_) => {}
    }
    if stride != 0 && (!stride.is_power_of_two() || stride < size) {
        return false;
    }
    if watch.initialised {
        let dense = stride == size && mask == u16::MAX;
        if dense || stride == 0 {
            let bytes = if dense { size * CHUNK as u64 } else { size };
            if touch.writes {
                set_written(m, watch, object, start, bytes, true);
            } else if !is_written(m, watch, object, start, bytes) {
                // Lane by lane, to find which.
                return false;
            }
        } else {
            for l in low..=high {
                if mask >> l & 1 == 0 {
                    continue;
                }
                let offset = base.wrapping_add(l.wrapping_mul(stride)).wrapping_sub(object.base);
                if touch.writes {
                    set_written(m, watch, object, offset, size, true);
                } else if !is_written(m, watch, object, offset, size) {
                    return false;
                }
            }
        }
    }
    if !watch.races {
        return true;
    }
    let thread = m.unit.first as i32 + (k * CHUNK) as i32;
    let window = watch.window(object.place);
    let now = watch.order.now;
    let mut clashes = std::mem::take(&mut watch.clashes);
    let shadow = watch.shadow(first, object, start, size);
    let granule = shadow.granule;
    let count = (size >> granule) as u32;
    let place = base.wrapping_sub(object.base) as i64 >> granule;
    let mut pattern =
        Pattern { segment: now, site: touch.site, flags: touch.flags, ..Pattern::default() };
    let mut done = true;
    if stride == 0 {
        let at = (place & 15) as u32;
        if touch.writes || at + count > LINE as u32 {
            done = false;
        } else {
            pattern.mask = (((1u32 << count) - 1) << at) as u16;
            let (low, high) = (thread as i16 + low as i16, thread as i16 + high as i16);
            if low != high {
                pattern = pattern.many(low, high);
            } else {
                (pattern.base, pattern.shift) = (low, 4);
            }
            shadow.read((place >> 4) as usize, pattern, &window, &mut clashes);
        }
    } else {
        // Lanes lie in slots of `1 << shift` granules; a line has some of these.
        let shift = (stride >> granule).trailing_zeros();
        let phase = (place & ((1 << shift) - 1)) as u32;
        if shift > 4 || phase + count > 1 << shift {
            done = false;
        } else {
            let slots = 16u32 >> shift;
            let slot = place >> shift;
            let mut line = place >> 4;
            let mut bits = u64::from(mask) << (slot & i64::from(slots - 1));
            pattern.shift = shift as u8;
            while bits != 0 {
                let part = (bits & ((1 << slots) - 1)) as u16;
                bits >>= slots;
                if part != 0 {
                    pattern.mask = spread(part, shift, count) << phase;
                    pattern.base = (i64::from(thread) + line * i64::from(slots) - slot) as i16;
                    if touch.writes {
                        shadow.write(line as usize, pattern, &window, &mut clashes);
                    } else {
                        shadow.read(line as usize, pattern, &window, &mut clashes);
                    }
                }
                line += 1;
            }
        }
    }
    watch.clashes = clashes;
    if !done && touch.writes {
        // The lanes, one by one, note it again.
        return false;
    }
    done
}

/// Bit `l` becomes `count` bits from `l << shift` on.
#[inline(always)]
fn spread(bits: u16, shift: u32, count: u32) -> u16 {
    let x = u32::from(bits);
    let x = match shift {
        0 => x,
        1 => {
            let x = (x | x << 4) & 0x0f0f;
            let x = (x | x << 2) & 0x3333;
            (x | x << 1) & 0x5555
        }
        2 => (x & 1) | (x & 2) << 3 | (x & 4) << 6 | (x & 8) << 9,
        3 => (x & 1) | (x & 2) << 7,
        _ => x & 1,
    };
    (x * ((1 << count) - 1)) as u16
}

/// One lane's access; whether all that it reads was written.
fn one(m: &mut Machine<'_>, watch: &mut Watch, touch: &Touch, lane: usize, address: u64) -> bool {
    let Some(object) = m.object(address) else { return true };
    let offset = address.wrapping_sub(object.base);
    if offset > object.size || object.size - offset < touch.size {
        return true;
    }
    let mut known = true;
    if watch.initialised {
        if touch.reads {
            known = match object.place {
                Place::Local(row) => (offset..offset + touch.size).all(|at| {
                    local_word(&mut m.unit, row, at, lane)
                        .is_none_or(|(word, shift)| *word >> shift & 1 == 1)
                }),
                _ => is_written(m, watch, object, offset, touch.size),
            };
            if !known && touch.reports {
                unwritten(m, watch, touch, lane, address);
            }
        }
        if touch.writes {
            mark(m, watch, lane, address, touch.size, true);
        }
    }
    if !watch.races || !matches!(object.place, Place::Buffer(_) | Place::Shared(_)) {
        return known;
    }
    let thread = m.unit.first + lane as u32;
    let soft = touch.flags & (ATOMIC | VOLATILE) != 0;
    if soft && touch.reads {
        watch.order.acquire(thread as usize, address);
    }
    let window = watch.window(object.place);
    let pattern = Pattern {
        segment: watch.order.now,
        site: touch.site,
        flags: touch.flags,
        ..Pattern::default()
    };
    let mut clashes = std::mem::take(&mut watch.clashes);
    let shadow = watch.shadow(address, object, offset, touch.size);
    let first = offset >> shadow.granule;
    let count = touch.size >> shadow.granule;
    for granule in first..first + count {
        shadow.one(granule, thread as u16, &pattern, touch.writes, &window, &mut clashes);
    }
    watch.clashes = clashes;
    if soft && touch.writes {
        watch.order.release(thread as usize, address);
    }
    known
}

/// Orders a thread's accesses, for those that see what it writes next. `imm`: 1 beyond the block.
pub(crate) struct Fence;
impl Kernel for Fence {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let Some(watch) = &mut m.watch else { return };
        watch.order.step();
        let first = m.unit.first as usize;
        for lane in m.unit.mask.lanes(m.unit.chunks) {
            watch.order.fence(first + lane, i.imm != 0);
        }
    }
}

/// A block runs from here, for the first time or after a barrier of the grid; `chunks` are its own, in a
/// unit of several.
pub(crate) fn enter(m: &mut Machine<'_>, block: u64, chunks: usize, resident: bool) {
    if m.screening {
        return screen::enter(m, block, chunks);
    }
    let bytes = m.shared.len();
    let Some(watch) = &mut m.watch else { return };
    watch.order.enter(block);
    watch.arrived.clear();
    if !watch.initialised {
        return;
    }
    if resident {
        let next = watch.others.remove(&block).unwrap_or_else(|| Written::none(bytes));
        let last = std::mem::replace(&mut watch.written, next);
        if let Some(before) = watch.block {
            watch.others.insert(before, last);
        }
    } else if watch.block.is_none() {
        watch.written = Written::none(bytes);
    } else {
        watch.written.clear();
    }
    watch.block = Some(block);
}

/// All blocks have met.
pub(crate) fn grid_barrier(m: &mut Machine<'_>) {
    if let Some(watch) = &mut m.watch {
        watch.order.grid_barrier();
        watch.arrived.clear();
    }
}

/// Some lanes of a unit have come to the block's barrier.
pub(crate) fn arrive(m: &mut Machine<'_>, site: u32) {
    let thread = m.unit.first + m.unit.mask.lowest() as u32;
    let count = m.unit.mask.count;
    if let Some(watch) = &mut m.watch {
        watch.arrived.push((site, thread, count));
    }
}

/// All threads of a block that can have arrived at a barrier: what they did before it is ordered
/// before what they will do. So many of them wait, of units that have not ended.
pub(crate) fn barrier(m: &mut Machine<'_>, expected: u32) {
    if m.screening {
        return screen::barrier(m);
    }
    let convergence = m.checks.convergence;
    let Some(watch) = &mut m.watch else { return };
    watch.order.block_barrier();
    let arrivals = std::mem::take(&mut watch.arrived);
    if !convergence {
        return;
    }
    let arrived: u32 = arrivals.iter().map(|(_, _, count)| count).sum();
    let Some((site, thread, count)) = arrivals.first().copied() else { return };
    let elsewhere = arrivals.iter().find(|other| other.0 != site);
    if arrived >= expected && elsewhere.is_none() {
        return;
    }
    let here = arrivals.iter().filter(|other| other.0 == site).map(|other| other.2).sum::<u32>();
    let other = elsewhere.and_then(|(other, thread, _)| {
        let location = m.code.sites.get(*other as usize).copied()?;
        let thread = m.thread(*thread);
        Some(Participant { block: m.block, thread, location, writes: false })
    });
    let kind = FindingKind::DivergentBarrier {
        arrived: if elsewhere.is_some() { here } else { arrived },
        expected: expected.max(arrived),
    };
    // No unit runs: lanes count from the block's first thread.
    let lane = thread.wrapping_sub(m.unit.first) as usize;
    m.find(kind, site, lane, count, false, other);
}

/// Lanes of warps meet.
pub(crate) fn warp_barrier(m: &mut Machine<'_>, inst: &WarpInst) {
    let Some(mut watch) = m.watch.take() else { return };
    watch.order.step();
    let width = m.warp_width;
    for start in (0..m.unit.chunks * CHUNK).step_by(width) {
        let mut open = m.active(start);
        let alive = m.alive(start);
        while open != 0 {
            let lane = open.trailing_zeros() as usize;
            let mask_of = |lane: usize| match inst.mask {
                NONE => u64::MAX,
                mask if inst.wide_mask => m.unit.d.get(mask, start + lane),
                mask => u64::from(m.unit.w.get(mask, start + lane).to_u64() as u32),
            };
            let mask = mask_of(lane);
            let same = (0..64)
                .filter(|other| open >> other & 1 == 1 && mask_of(*other) == mask)
                .fold(0u64, |sum, other| sum | 1 << other);
            let group = same & mask | 1 << lane;
            open &= !same;
            let first = m.unit.first as usize + start;
            watch.order.warp_barrier(first, group, alive & !group == 0);
        }
    }
    m.watch = Some(watch);
}
