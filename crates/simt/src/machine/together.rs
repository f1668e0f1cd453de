//! Several blocks in one unit.
//!
//! Their lanes lie one block after the other, each from a chunk of its own. Indices of blocks are then
//! registers with one value for each chunk, as addresses of shared variables are: every block has a copy
//! of shared memory, [`APART`] bits of the address apart, and what points into the copy of another block
//! is out of bounds.

use super::registers::Mask;
use super::{CHUNK, MAX_CHUNKS, Machine, Object, Place, Unit, grid};
use crate::memory::WINDOW_BITS;
use crate::program::Preset;
use crate::together::Root;

/// Bits of an address that count bytes in one block's copy of a shared variable: as far as that is
/// before or behind it, an address is known to be outside.
const APART: u32 = 29;

/// Bytes of registers that a unit of several blocks may use, of which a few are in use at any time: more
/// do not stay in the near caches.
const NEAR: usize = 160 << 10;

/// The blocks of the running unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// Their places in the grid; empty for one block.
    pub(crate) places: Vec<[u32; 3]>,
    /// From one block's shared memory to the next one's.
    pitch: u64,
    /// For each chunk of the unit, how far its block's copies lie from the first block's: as
    /// addresses, and in memory.
    pub(crate) shift: Vec<[u64; CHUNK]>,
    pub(crate) jump: Vec<[u64; CHUNK]>,
}

impl Group {
    #[inline(always)]
    pub(crate) fn is_several(&self) -> bool {
        !self.places.is_empty()
    }

    /// The object of an address in a shared variable: the copy of one of the blocks.
    pub(crate) fn shared(&self, address: u64, start: usize, base: u64, size: u64) -> Object {
        let number = address.wrapping_sub(base).wrapping_add(1 << (APART - 1)) >> APART;
        let number = if number < self.places.len() as u64 { number } else { 0 };
        let place = Place::Shared(start + (number * self.pitch) as usize);
        Object { place, base: base + (number << APART), size }
    }
}

/// Whether an object is one that each block of the unit has a copy of.
#[inline(always)]
pub(crate) fn is_apart(m: &Machine<'_>, object: Object) -> bool {
    m.group.is_several() && matches!(object.place, Place::Shared(_))
}

/// Bytes of a block's shared memory with what lies between it and the next block's.
pub(super) fn pitch(shared_bytes: u64) -> u64 {
    shared_bytes.next_multiple_of(64)
}

/// How many blocks a unit takes, each of so many chunks and bytes.
pub(super) fn size(m: &Machine<'_>, chunks: usize, blocks: u64, block_bytes: u64) -> usize {
    let code = m.code;
    if m.watch.is_some() || !may_join(m) || chunks == 0 {
        return 1;
    }
    // Double words are addresses most often, and progressions.
    let words = code.counts.words as usize + code.local_rows + 1;
    let chunk_bytes = CHUNK * words * if code.twinned { 4 + 16 } else { 4 };
    let near = (NEAR / chunk_bytes.max(1)).min(MAX_CHUNKS);
    let most = usize::try_from(m.options.memory_limit / block_bytes.max(1)).unwrap_or(usize::MAX);
    (near / chunks).min(most).clamp(1, usize::try_from(blocks).unwrap_or(usize::MAX).max(1))
}

/// Whether blocks of the launch may share a unit.
pub(crate) fn may_join(m: &Machine<'_>) -> bool {
    let code = m.code;
    let threads: u32 = m.block_dim.iter().product();
    code.together.possible
        && m.trace.is_none()
        && m.schedule == crate::launch::Schedule::InOrder
        && m.cluster == [1; 3]
        && !code.reads_stale
        && (!code.together.whole_warps || (threads as usize).is_multiple_of(code.warp_width))
        && !meet(m)
        && m.dynamic_shared < 1 << (APART - 2)
        && code.static_shared < 1 << (APART - 2)
}

/// How far the copy of an object that a chunk's block has lies from the first block's, in addresses.
#[inline(always)]
pub(crate) fn shift(m: &Machine<'_>, object: Object, k: usize) -> u64 {
    if is_apart(m, object) { m.group.shift[k / CHUNK][k % CHUNK] } else { 0 }
}

/// How far a chunk's block's shared memory lies from the first block's.
#[inline(always)]
pub(crate) fn copy(m: &Machine<'_>, k: usize) -> u64 {
    if m.group.is_several() { m.group.jump[k / CHUNK][k % CHUNK] } else { 0 }
}

/// Whether the kernel writes through one pointer to a buffer that another of its pointers leads to.
fn meet(m: &Machine<'_>) -> bool {
    let code = m.code;
    let object = |root: &Root| {
        let address = match root {
            Root::Argument(index) => {
                let offset = code.parameters.get(*index as usize)?.offset as usize;
                u64::from_le_bytes(*m.parameters.get(offset..)?.first_chunk()?)
            }
            Root::Variable(name) => {
                let index = code.symbols.iter().position(|symbol| symbol.name == *name)?;
                *m.symbols.get(index)?
            }
        };
        Some(address >> WINDOW_BITS)
    };
    let objects: Vec<_> =
        code.together.roots.iter().map(|(root, writes)| (object(root), *writes)).collect();
    objects.iter().enumerate().any(|(index, (object, writes))| {
        object.is_none()
            || objects[..index].iter().any(|(other, wrote)| other == object && *writes | *wrote)
    })
}

/// Prepares a machine for units of so many blocks.
pub(super) fn prepare(m: &mut Machine<'_>, blocks: usize, chunks: usize, shared_bytes: u64) {
    m.group = Group::default();
    if blocks < 2 {
        return;
    }
    m.group.pitch = pitch(shared_bytes);
    m.group.places = vec![[0; 3]; blocks];
    let number = |q: usize, l: usize| ((q * CHUNK + l) / chunks.max(1)) as u64;
    let rows = (blocks * chunks).div_ceil(CHUNK);
    let pitch = m.group.pitch;
    m.group.shift = (0..rows).map(|q| std::array::from_fn(|l| number(q, l) << APART)).collect();
    m.group.jump = (0..rows).map(|q| std::array::from_fn(|l| number(q, l) * pitch)).collect();
}

/// The lanes of a unit of several blocks.
pub(super) fn lanes(blocks: usize, chunks: usize, threads: usize) -> Mask {
    let own = Mask::first(threads);
    let mut all = Mask::default();
    for block in 0..blocks {
        all.bits[block * chunks..(block + 1) * chunks].copy_from_slice(&own.bits[..chunks]);
    }
    all.recount(blocks * chunks);
    all
}

/// Sets what is different in each block of the unit.
pub(super) fn start(m: &mut Machine<'_>, units: &mut [Box<Unit>], numbers: &[u64]) {
    let mut places = std::mem::take(&mut m.group.places);
    places.clear();
    let mut last: Option<(u64, [u32; 3])> = None;
    for number in numbers {
        let place = match last {
            // Most follow each other, and divisions take long.
            Some((before, [x, y, z]))
                if before.checked_add(1) == Some(*number) && x + 1 < m.grid[0] =>
            {
                [x + 1, y, z]
            }
            _ => grid::place(m, *number),
        };
        places.push(place);
        last = Some((*number, place));
    }
    m.group.places = places;
    m.outcome.counters.blocks += numbers.len() as u64 - 1;
    let Some(unit) = units.first_mut() else { return };
    let chunks = unit.block_chunks;
    for (preset, _, register) in &m.code.presets {
        match preset {
            Preset::Shared(_) => {
                let Some(base) = unit.d.uniform(*register) else { continue };
                for k in 0..unit.chunks {
                    let copy = ((k / chunks) as u64) << APART;
                    unit.d.set_base(*register, k, base + copy);
                }
                unit.d.set_affine(*register, 0);
            }
            Preset::Builtin(builtin) if preset.is_of_block() => {
                let value = |place: &[u32; 3]| grid::block_value(m, *place, *builtin);
                let mut values = m.group.places.iter().map(value);
                let first = values.next().unwrap_or(0);
                if values.all(|value| value == first) {
                    unit.w.set_uniform(*register, first);
                    continue;
                }
                let bases = unit.w.firsts_mut(*register).chunks_mut(chunks.max(1));
                for (bases, place) in bases.zip(&m.group.places) {
                    bases.fill(value(place));
                }
                unit.w.set_affine(*register, 0);
            }
            _ => {}
        }
    }
}

/// How many blocks of the unit have active lanes.
#[inline(always)]
pub(super) fn active_blocks(m: &Machine<'_>) -> u64 {
    match m.group.places.len() {
        0 => 1,
        all if m.unit.is_full() => all as u64,
        _ => some_blocks(m),
    }
}

#[cold]
fn some_blocks(m: &Machine<'_>) -> u64 {
    let unit = &m.unit;
    let bits = &unit.mask.bits[..unit.chunks];
    let blocks = bits.chunks(unit.block_chunks.max(1));
    blocks.filter(|bits| bits.iter().any(|bits| *bits != 0)).count() as u64
}

/// Whether each block of the unit is at a barrier with all its lanes that have not ended, or with none.
pub(super) fn whole_blocks(m: &Machine<'_>) -> bool {
    let unit = &m.unit;
    let chunks = unit.block_chunks.max(1);
    (0..unit.chunks).step_by(chunks).all(|first| {
        let end = (first + chunks).min(unit.chunks);
        let (here, alive) = (&unit.mask.bits[first..end], &unit.alive.bits[first..end]);
        here == alive || here.iter().all(|bits| *bits == 0)
    })
}
