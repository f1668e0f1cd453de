//! From clashes to findings: what is a race, and who takes part.

use super::shadow::{ATOMIC, Clash, VOLATILE};
use super::{Touch, Watch};
use crate::machine::access::Element;
use crate::machine::{CHUNK, Inst, Machine, Place};
use crate::outcome::{FindingKind, Participant};

/// Whether a lane's store changes nothing; of a clash within one instruction, the other lane is
/// given too.
pub(super) type Same<'f> = &'f mut dyn FnMut(&mut Machine<'_>, (usize, Option<usize>)) -> bool;

/// Whether a lane's store changes nothing: the memory, or the other lane of the instruction, holds
/// its value.
pub(super) fn same_value<E: Element>(
    i: &Inst,
) -> impl FnMut(&mut Machine<'_>, (usize, Option<usize>)) -> bool {
    let (a, b, imm) = (i.a, i.b, i.imm);
    move |m, (lane, other)| {
        let lanes = m.unit.chunks * CHUNK;
        if lane >= lanes {
            return false;
        }
        let mut bytes = [[0; 8]; 2];
        let value = E::file(&mut m.unit).get(b, lane);
        E::write(value, &mut bytes[0]);
        match other {
            Some(other) if other < lanes => {
                let value = E::file(&mut m.unit).get(b, other);
                E::write(value, &mut bytes[1]);
            }
            _ => {
                let address = m.unit.d.get(a, lane).wrapping_add(imm);
                let Some(object) = m.object(address) else { return false };
                let offset = address.wrapping_sub(object.base) as usize;
                let data = crate::machine::access::bytes_of(
                    m.memory,
                    &mut m.shared,
                    &mut m.parameters,
                    object,
                );
                let Some(there) = data.get(offset..offset.saturating_add(E::SIZE)) else {
                    return false;
                };
                bytes[1][..E::SIZE].copy_from_slice(there);
            }
        }
        bytes[0] == bytes[1]
    }
}

/// Reports what of the clashes is a race.
#[cold]
#[inline(never)]
pub(super) fn settle(
    m: &mut Machine<'_>,
    watch: &mut Watch,
    touch: &Touch,
    address: u64,
    same: Same<'_>,
) {
    if watch.clashes.is_empty() {
        return;
    }
    let mut clashes = std::mem::take(&mut watch.clashes);
    let mut races: Vec<Clash> = Vec::new();
    if let Some(object) = m.object(address) {
        let shared = matches!(object.place, Place::Shared(_));
        clashes.retain(|clash| is_race(m, watch, touch, shared, clash, same));
        let granule = watch.shadow(address, object, 0, 1 << 8).granule;
        for clash in &clashes {
            let key = (touch.site, clash.site, touch.writes, clash.earlier_writes);
            if races.iter().any(|race| race.site == clash.site) || !watch.reported.insert(key) {
                m.outcome.counters.findings_dropped += 1;
                continue;
            }
            races.push(*clash);
            let number = watch.order.block_of(clash.segment);
            let [x, y, _] = m.grid.map(u64::from);
            let Some(location) = m.code.sites.get(clash.site as usize).copied() else { continue };
            let other = Participant {
                block: [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32],
                thread: m.thread(u32::from(clash.earlier)),
                location,
                writes: clash.earlier_writes,
            };
            let place = object.base.wrapping_add(clash.granule << granule);
            let access = m.describe(place, touch.size, touch.writes);
            let lane = (u32::from(clash.thread)).wrapping_sub(m.unit.first) as usize;
            let threads = clashes.iter().filter(|other| other.site == clash.site).count() as u32;
            let kind = FindingKind::Race(access);
            m.find(kind, touch.site, lane, threads, touch.writes, Some(other));
        }
    }
    clashes.clear();
    watch.clashes = clashes;
}

pub(super) fn is_race(
    m: &mut Machine<'_>,
    watch: &Watch,
    touch: &Touch,
    shared: bool,
    clash: &Clash,
    same: Same<'_>,
) -> bool {
    let soft = ATOMIC | VOLATILE;
    let (earlier, later) = (u32::from(clash.earlier), u32::from(clash.thread));
    if clash.flags & soft != 0 && touch.flags & soft != 0 {
        let width = m.warp_width as u32;
        let excused = (clash.flags | touch.flags) & ATOMIC != 0
            || !shared
            || earlier / width != later / width;
        if excused {
            return false;
        }
    }
    if watch.order.is_ordered(clash.segment, earlier, later) {
        return false;
    }
    if touch.writes && clash.earlier_writes && (touch.flags | clash.flags) & ATOMIC == 0 {
        let together = clash.segment == watch.order.now
            && clash.site == touch.site
            && clash.flags >> 4 == touch.flags >> 4;
        let first = m.unit.first;
        let other = together.then(|| earlier.wrapping_sub(first) as usize);
        return !same(m, (later.wrapping_sub(first) as usize, other));
    }
    true
}
