//! Addresses: alignment, and memory that is not to be written.

use crate::machine::access::Element;
use crate::machine::registers::Shape;
use crate::machine::{Inst, Machine, Place};
use crate::outcome::FindingKind;

pub(super) fn alignment(m: &mut Machine<'_>, i: &Inst, offset: u64, size: u64, writes: bool) {
    let unit = &m.unit;
    let is_bad = |address: u64| address.wrapping_add(offset) & (size - 1) != 0;
    if size == 1 {
        return;
    }
    match unit.d.shape(i.a) {
        Shape::Uniform if !is_bad(unit.d.stride(i.a)) && !is_bad(unit.d.base(i.a, 0)) => return,
        Shape::Affine if unit.d.stride(i.a) & (size - 1) == 0 => {
            let active = |k: &usize| unit.mask.bits[*k] != 0;
            if (0..unit.chunks).filter(active).all(|k| !is_bad(unit.d.base(i.a, k))) {
                return;
            }
        }
        Shape::Vector => {
            let mut bits = 0;
            for k in 0..unit.chunks {
                let addresses = unit.d.chunk(i.a, k);
                let mask = unit.mask.bits[k];
                for (l, address) in addresses.into_iter().enumerate() {
                    let active = 0u64.wrapping_sub(u64::from(mask >> l & 1));
                    bits |= address.wrapping_add(offset) & active;
                }
            }
            if bits & (size - 1) == 0 {
                return;
            }
        }
        _ => {}
    }
    misaligned(m, i, offset, size, writes);
}

#[cold]
pub(super) fn misaligned(m: &mut Machine<'_>, i: &Inst, offset: u64, size: u64, writes: bool) {
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

/// Reports stores to constant memory.
pub(super) fn read_only<E: Element>(m: &mut Machine<'_>, i: &Inst) {
    if m.unit.mask.is_empty() {
        return;
    }
    let lane = m.unit.mask.lowest();
    let address = m.unit.d.get(i.a, lane).wrapping_add(i.imm);
    let Some(Place::Buffer(index)) = m.object(address).map(|object| object.place) else { return };
    if m.watch.as_ref().is_some_and(|watch| watch.constants.contains(&index)) {
        let access = m.describe(address, E::SIZE as u64, true);
        let count = m.unit.mask.count;
        m.find(FindingKind::OutOfBounds(access), i.site, lane, count, true, None);
    }
}
