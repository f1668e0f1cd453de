//! Bytes that nobody wrote, in each kind of memory.

use super::{Touch, Watch, one};
use crate::machine::{CHUNK, Machine, Object, Place, Unit};
use crate::outcome::FindingKind;

/// Whether bytes of a buffer or of shared memory were written.
#[inline(always)]
pub(super) fn is_written(
    m: &Machine<'_>,
    watch: &Watch,
    object: Object,
    offset: u64,
    bytes: u64,
) -> bool {
    match object.place {
        Place::Shared(start) => watch.written.has(start + offset as usize, bytes as usize),
        Place::Buffer(index) => match m.memory.buffers.get(index).map(|buffer| &buffer.written) {
            Some(Some(written)) => written.has(offset as usize, bytes as usize),
            _ => true,
        },
        _ => true,
    }
}

#[inline(always)]
pub(super) fn set_written(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    object: Object,
    offset: u64,
    bytes: u64,
    value: bool,
) {
    match object.place {
        Place::Shared(start) => watch.written.set(start + offset as usize, bytes as usize, value),
        Place::Buffer(index) => {
            if let Some(buffer) = m.memory.buffers.get_mut(index)
                && let Some(written) = &mut buffer.written
            {
                written.set(offset as usize, bytes as usize, value);
            }
        }
        _ => {}
    }
}

/// A bit for each byte of a word, four bits for each lane of a mask.
pub(super) fn nibbles(mask: u16) -> u64 {
    if mask == u16::MAX {
        return u64::MAX;
    }
    (0..16).filter(|l| mask >> l & 1 == 1).fold(0, |sum, l| sum | 15 << (4 * l))
}

/// All active lanes access one place of a local variable.
pub(super) fn local_rows(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    touch: &Touch,
    row: usize,
    offset: u64,
    address: u64,
) {
    if !watch.initialised {
        return;
    }
    let chunks = m.unit.chunks;
    if !offset.is_multiple_of(4) || !touch.size.is_multiple_of(4) {
        let lanes: Vec<usize> = m.unit.mask.lanes(chunks).collect();
        for lane in lanes {
            one(m, watch, touch, lane, address);
        }
        return;
    }
    let (mut first, mut count) = (None, 0);
    for word in 0..touch.size / 4 {
        let start = (row + (offset / 4 + word) as usize) * chunks;
        for k in 0..chunks {
            let wanted = nibbles(m.unit.mask.bits[k]);
            let Some(place) = m.unit.local_written.get_mut(start + k) else { return };
            if !touch.writes {
                let missing = wanted & !*place;
                if missing != 0 {
                    first.get_or_insert(k * CHUNK + missing.trailing_zeros() as usize / 4);
                    let mut nibble = missing | missing >> 2;
                    nibble |= nibble >> 1;
                    count += (nibble & 0x1111_1111_1111_1111).count_ones();
                }
            }
            // What was reported once is not told again.
            if touch.writes || touch.reports {
                *place |= wanted;
            }
        }
    }
    if let Some(lane) = first
        && touch.reports
    {
        let access = m.describe(address, touch.size, false);
        m.find(FindingKind::Uninitialised(access), touch.site, lane, count, false, None);
    }
}

/// The bits of a lane's word of local memory.
pub(super) fn local_word(
    unit: &mut Unit,
    row: usize,
    offset: u64,
    lane: usize,
) -> Option<(&mut u64, u32)> {
    let index = (row + (offset / 4) as usize) * unit.chunks + lane / CHUNK;
    let shift = 4 * (lane % CHUNK) as u32 + (offset % 4) as u32;
    unit.local_written.get_mut(index).map(|word| (word, shift))
}

/// Notes that a lane's bytes were written, or that they are as if not.
pub(super) fn mark(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    lane: usize,
    address: u64,
    size: u64,
    value: bool,
) {
    let Some(object) = m.object(address) else { return };
    let offset = address.wrapping_sub(object.base);
    if let Place::Local(row) = object.place {
        for at in offset..offset.saturating_add(size) {
            if let Some((word, shift)) = local_word(&mut m.unit, row, at, lane) {
                *word = *word & !(1 << shift) | u64::from(value) << shift;
            }
        }
        return;
    }
    set_written(m, watch, object, offset, size, value);
}

/// Tells that a lane reads what nobody wrote.
#[cold]
pub(super) fn unwritten(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    touch: &Touch,
    lane: usize,
    address: u64,
) {
    let access = m.describe(address, touch.size, false);
    m.find(FindingKind::Uninitialised(access), touch.site, lane, 1, false, None);
    mark(m, watch, lane, address, touch.size, true);
}
