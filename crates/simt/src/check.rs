//! Checks beside bounds: alignment here; initialised bytes and races are to come.

use crate::machine::{Inst, Machine};
use crate::outcome::FindingKind;

/// Looks at the addresses of an access before it happens. Lanes are active as the mask says; the
/// address of each is in `i.a`, with `i.imm` bytes to add.
#[cold]
pub(crate) fn before_access(m: &mut Machine<'_>, i: &Inst, size: u64, writes: bool) {
    if m.checks.memory {
        alignment(m, i, i.imm, size, writes);
    }
}

/// As [`before_access`] for an atomic operation, whose offset lies above the low byte.
#[cold]
pub(crate) fn before_atomic(m: &mut Machine<'_>, i: &Inst, size: u64) {
    if m.checks.memory {
        alignment(m, i, ((i.imm as i64) >> 8) as u64, size, true);
    }
}

/// All threads of a block have arrived at a barrier: what they did before it is ordered before what
/// they will do.
pub(crate) fn barrier(_: &mut Machine<'_>) {}

fn alignment(m: &mut Machine<'_>, i: &Inst, offset: u64, size: u64, writes: bool) {
    let unit = &m.unit;
    let address = |lane: usize| unit.d.get(i.a, lane).wrapping_add(offset);
    let lanes: Vec<usize> =
        unit.mask.lanes(unit.chunks).filter(|lane| !address(*lane).is_multiple_of(size)).collect();
    if let Some(first) = lanes.first() {
        let access = m.describe(address(*first), size, writes);
        let kind = FindingKind::Misaligned(access, size);
        m.find(kind, i.site, *first, lanes.len() as u32, writes, None);
    }
}
