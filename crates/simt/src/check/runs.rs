//! Accesses that need no look at single lanes: of neighbours by neighbours, of one place by many, of
//! buffers that nobody writes.

use super::initial::{is_written, set_written};
use super::report::{same_value, settle};
use super::shadow::{ATOMIC, Pattern, VOLATILE};
use super::{Touch, Watch};
use crate::machine::access::Element;
use crate::machine::{BLOCK_CHUNKS, CHUNK, Inst, Machine, Place};
use crate::memory::{FIRST_BUFFER, WINDOW_BITS};

/// Which buffers the launch cannot write to; empty if that is not known.
pub(crate) fn only_read(m: &Machine<'_>) -> Vec<bool> {
    let Some(targets) = &m.code.writes else { return Vec::new() };
    let mut only_read = vec![true; m.memory.buffers.len()];
    let mut writes = |address: u64| {
        if let Some(index) = (address >> WINDOW_BITS).checked_sub(FIRST_BUFFER)
            && let Some(only_read) = only_read.get_mut(index as usize)
        {
            *only_read = false;
        }
    };
    for index in &targets.parameters {
        let Some(parameter) = m.code.parameters.get(*index) else { return Vec::new() };
        let (start, size) = (parameter.offset as usize, parameter.size as usize);
        let bytes = m.parameters.get(start..start + size).unwrap_or(&[]);
        // A struct may hold pointers anywhere.
        for word in bytes.windows(8) {
            writes(word.try_into().map_or(0, u64::from_le_bytes));
        }
    }
    for (symbol, address) in m.code.symbols.iter().zip(&m.symbols) {
        if targets.variables.contains(&symbol.name) {
            writes(*address);
        }
    }
    only_read
}

/// Whether all lanes read one buffer that nobody writes, and all of whose bytes were written.
#[inline(always)]
pub(super) fn reads_one(
    m: &Machine<'_>,
    watch: &Watch,
    i: &Inst,
    affine: bool,
    stride: u64,
) -> bool {
    let unit = &m.unit;
    let first = unit.d.get(i.a, unit.mask.lowest()).wrapping_add(i.imm);
    if !is_quiet(m, watch, first >> WINDOW_BITS) {
        return false;
    }
    one_window(m, i.a, i.imm, first, affine, stride)
}

/// Whether all active lanes' addresses lie in the window of the first one's.
#[inline(always)]
pub(super) fn one_window(
    m: &Machine<'_>,
    register: u32,
    offset: u64,
    first: u64,
    affine: bool,
    stride: u64,
) -> bool {
    let unit = &m.unit;
    let mut other = 0;
    for k in 0..unit.chunks {
        let mask = unit.mask.bits[k];
        if mask == 0 {
            continue;
        }
        if affine && stride < 1 << 16 {
            let base = unit.d.base(register, k).wrapping_add(offset);
            other |= (base ^ first) | (base.wrapping_add(15 * stride) ^ first);
            continue;
        }
        let mut addresses = m.addresses(register, offset, k);
        for (l, address) in addresses.iter_mut().enumerate() {
            *address = if mask >> l & 1 == 1 { *address ^ first } else { 0 };
        }
        other |= addresses.iter().fold(0, |sum, address| sum | address);
    }
    other >> WINDOW_BITS == 0
}

/// Whether nobody writes to an object, and nobody asks whether it was written.
#[inline(always)]
pub(super) fn is_quiet(m: &Machine<'_>, watch: &Watch, object: u64) -> bool {
    let Some(index) = object.checked_sub(FIRST_BUFFER) else { return false };
    watch.only_read.get(index as usize) == Some(&true)
        && m.memory.buffers.get(index as usize).is_some_and(|buffer| buffer.written.is_none())
}

/// Neighbouring places, accessed by neighbouring threads, or one by several.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Bytes from the object's start.
    start: u64,
    bytes: u64,
    /// The thread of the first place; of several that read it, the last too.
    thread: i32,
    last: i32,
}

/// Serves an access of chunks that are each a run, or one place that they read; `false` if nothing
/// was done.
pub(super) fn runs<E: Element>(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    i: &Inst,
    touch: &Touch,
    stride: u64,
) -> bool {
    let size = touch.size;
    let dense = stride == size;
    if touch.flags & (ATOMIC | VOLATILE) != 0 || !(dense || stride == 0 && !touch.writes) {
        return false;
    }
    let first = m.unit.d.get(i.a, m.unit.mask.lowest()).wrapping_add(i.imm);
    let Some(object) = m.object(first) else { return false };
    if !matches!(object.place, Place::Buffer(_) | Place::Shared(_)) {
        return false;
    }
    let mut runs = [Run::default(); BLOCK_CHUNKS];
    let (mut count, mut bits) = (0usize, 0);
    for k in 0..m.unit.chunks {
        let mask = m.unit.mask.bits[k];
        if mask == 0 {
            continue;
        }
        let (low, high) = (mask.trailing_zeros(), 15 - mask.leading_zeros());
        let base = m.unit.d.base(i.a, k).wrapping_add(i.imm).wrapping_sub(object.base);
        let thread = (m.unit.first as usize + k * CHUNK) as i32;
        let low_thread = thread + low as i32;
        let new = if dense {
            // Lanes without gaps.
            if u32::from(mask) >> low != (2 << (high - low)) - 1 {
                return false;
            }
            let start = base.wrapping_add(u64::from(low) * size);
            let bytes = u64::from(high - low + 1) * size;
            Run { start, bytes, thread: low_thread, last: low_thread }
        } else {
            Run { start: base, bytes: size, thread: low_thread, last: thread + high as i32 }
        };
        if new.start > object.size || object.size - new.start < new.bytes {
            return false;
        }
        bits |= new.start;
        if let Some(run) = count.checked_sub(1).and_then(|last| runs.get_mut(last)) {
            let lanes = (run.bytes / size) as i32;
            if dense
                && run.start + run.bytes == new.start
                && run.thread == run.last
                && run.thread + lanes == new.thread
            {
                run.bytes += new.bytes;
                continue;
            }
            if !touch.writes && run.start == new.start && run.bytes == new.bytes {
                run.last = new.last;
                continue;
            }
        }
        runs[count] = new;
        count += 1;
    }
    let runs = &runs[..count];
    let exact = {
        let granule = watch.shadow(first, object, bits, size).granule;
        size == 1 << granule
    };
    if watch.races && !exact {
        return false;
    }
    if watch.initialised {
        for run in runs {
            if touch.writes {
                set_written(m, watch, object, run.start, run.bytes, true);
            } else if !is_written(m, watch, object, run.start, run.bytes) {
                // Lane by lane, to find which.
                return false;
            }
        }
    }
    if !watch.races {
        return true;
    }
    let window = watch.window(object.place);
    let own = matches!(object.place, Place::Shared(_));
    let pattern = Pattern {
        segment: watch.order.now,
        site: touch.site,
        flags: touch.flags,
        ..Pattern::default()
    };
    let mut clashes = std::mem::take(&mut watch.clashes);
    let shadow = watch.shadow(first, object, bits, size);
    for run in runs {
        let range = [run.start >> shadow.granule, run.bytes >> shadow.granule];
        let (thread, last) = (run.thread as i16, run.last as i16);
        let pattern = match (dense, thread == last) {
            (true, true) => Pattern { base: thread, ..pattern },
            (true, false) => pattern.rows(thread, last),
            (false, true) => Pattern { base: thread, shift: 4, ..pattern },
            (false, false) => pattern.many(thread, last),
        };
        if own && !touch.writes {
            shadow.read_late(range, pattern, &window, &mut clashes);
        } else {
            shadow.run(range, pattern, touch.writes, &window, &mut clashes);
        }
    }
    watch.clashes = clashes;
    if !watch.clashes.is_empty() {
        settle(m, watch, touch, first, &mut same_value::<E>(i));
    }
    true
}
