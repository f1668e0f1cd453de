//! Atomic operations: lane by lane, in the order that the schedule says.

use port_float::arithmetic;
use port_ir::{FloatFlags, Scalar};

use super::access::{Double, Element, U16, Word, all_copies, copy_of};
use super::lanes::{Kernel, select};
use super::registers::Raw;
use super::{Exec, Inst, Machine, Place, twin};
use crate::launch::Schedule;

/// What an atomic operation does, in `imm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Change {
    Add,
    Subtract,
    Minimum,
    Maximum,
    And,
    Or,
    Xor,
    Exchange,
    CompareExchange,
    IncrementWrap,
    DecrementWrap,
}

const CHANGES: [Change; 11] = [
    Change::Add,
    Change::Subtract,
    Change::Minimum,
    Change::Maximum,
    Change::And,
    Change::Or,
    Change::Xor,
    Change::Exchange,
    Change::CompareExchange,
    Change::IncrementWrap,
    Change::DecrementWrap,
];

/// What `imm` holds: the operation, the scalar's place among [`Scalar::ALL`], the byte offset.
pub(crate) fn encode(change: Change, scalar: Scalar, offset: u64) -> u64 {
    let change = CHANGES.iter().position(|other| *other == change).unwrap_or(0) as u64;
    let scalar = Scalar::ALL.iter().position(|other| *other == scalar).unwrap_or(0) as u64;
    change | scalar << 4 | offset << 8
}

/// What an atomic instruction does, to which scalar, and its byte offset.
pub(crate) fn decode(imm: u64) -> (Change, Scalar, u64) {
    let what = CHANGES.get((imm & 15) as usize).copied().unwrap_or(Change::Exchange);
    let scalar = Scalar::ALL.get((imm >> 4 & 15) as usize).copied().unwrap_or(Scalar::U32);
    (what, scalar, ((imm as i64) >> 8) as u64)
}

/// The memory's new value.
#[inline(always)]
pub(crate) fn change(change: Change, scalar: Scalar, old: u64, value: u64, expected: u64) -> u64 {
    use Change as C;
    let flags = FloatFlags::STRICT;
    macro_rules! float {
        ($module:ident, $load:expr, $store:expr) => {{
            use arithmetic::$module as f;
            let (a, b) = ($load(old), $load(value));
            match change {
                C::Add => $store(f::add(a, b, flags)),
                C::Subtract => $store(f::sub(a, b, flags)),
                C::Minimum => $store(f::min(a, b, flags)),
                C::Maximum => $store(f::max(a, b, flags)),
                _ => value,
            }
        }};
    }
    match change {
        C::Exchange => return value,
        C::CompareExchange => return if old == expected { value } else { old },
        C::And => return old & value,
        C::Or => return old | value,
        C::Xor => return old ^ value,
        C::IncrementWrap => return if old >= value { 0 } else { old + 1 },
        C::DecrementWrap => return if old == 0 || old > value { value } else { old - 1 },
        _ => {}
    }
    match scalar {
        Scalar::F32 => {
            float!(f32, |x: u64| f32::from_bits(x as u32), |x: f32| u64::from(x.to_bits()))
        }
        Scalar::F64 => float!(f64, |x: u64| f64::from_bits(x), |x: f64| x.to_bits()),
        Scalar::F16 => float!(f16, |x: u64| x as u16, |x: u16| u64::from(x)),
        Scalar::Bf16 => float!(bf16, |x: u64| x as u16, |x: u16| u64::from(x)),
        _ => {
            let less = match (scalar.is_signed(), scalar.size()) {
                (true, 8) => (value as i64) < old as i64,
                (true, _) => (value as i32) < old as i32,
                _ => value < old,
            };
            match change {
                C::Add => old.wrapping_add(value),
                C::Subtract => old.wrapping_sub(value),
                C::Minimum => {
                    if less {
                        value
                    } else {
                        old
                    }
                }
                _ => {
                    if less {
                        old
                    } else {
                        value
                    }
                }
            }
        }
    }
}

impl Machine<'_> {
    /// The active lanes in the order of the schedule.
    pub(crate) fn scheduled_lanes(&self) -> Vec<usize> {
        let mut lanes: Vec<usize> = self.unit.mask.lanes(self.unit.chunks).collect();
        match self.schedule {
            Schedule::InOrder => {}
            Schedule::Reversed => lanes.reverse(),
            Schedule::Seeded(seed) => {
                let salt = mix(seed ^ self.executed ^ mix(u64::from(self.block[0])));
                lanes.sort_by_key(|lane| mix(salt ^ *lane as u64));
            }
        }
        lanes
    }
}

/// Spreads bits (the finaliser of SplitMix64).
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// `d = *(a + offset)`, which becomes `change(old, b)`; `c` is what a compare-exchange expects.
pub(crate) struct Atomic<E>(std::marker::PhantomData<E>);
impl<E: Element> Kernel for Atomic<E> {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.hooked {
            crate::check::before_atomic::<E>(m, i);
        }
        let what = CHANGES.get((i.imm & 15) as usize).copied().unwrap_or(Change::Exchange);
        let scalar = Scalar::ALL.get((i.imm >> 4 & 15) as usize).copied().unwrap_or(Scalar::U32);
        let offset = ((i.imm as i64) >> 8) as u64;
        // The unsigned forms compare within the element's own width.
        let width = if E::SIZE == 8 { u64::MAX } else { (1 << (8 * E::SIZE)) - 1 };
        let (has_result, has_expected) = (i.slot & 1 != 0, i.slot & 2 != 0);
        let target = if has_result { E::file(&mut m.unit).make_vector(i.d) } else { 0 };
        let apply = |m: &mut Machine<'_>, lane: usize| {
            let address = m.unit.d.get(i.a, lane).wrapping_add(offset);
            let Some(object) = m.object(address) else {
                return m.outside(address, E::SIZE as u64, i, lane, true);
            };
            let at = address.wrapping_sub(object.base);
            if at > object.size || object.size - at < E::SIZE as u64 {
                return m.outside(address, E::SIZE as u64, i, lane, true);
            }
            let value = E::file(&mut m.unit).get(i.b, lane).to_u64() & width;
            let expected = match has_expected {
                true => E::file(&mut m.unit).get(i.c, lane).to_u64() & width,
                false => 0,
            };
            let old = if let Place::Buffer(_) | Place::Shared(_) = object.place {
                let data =
                    super::access::bytes_of(m.memory, &mut m.shared, &mut m.parameters, object);
                let Some(bytes) = data.get_mut(at as usize..) else { return };
                let old = E::read(bytes).to_u64();
                let new = change(what, scalar, old, value, expected) & width;
                E::write(E::Raw::from_u64(new), bytes);
                old
            } else {
                let old = m.read_one::<E>(address, i, lane).to_u64();
                let new = change(what, scalar, old, value, expected) & width;
                m.write_one::<E>(address, E::Raw::from_u64(new), i, lane);
                old
            };
            if i.slot & twin::memory::TWINNED != 0
                && let Some(kind) = twin::Kind::carried(scalar)
            {
                let new = change(what, scalar, old, value, expected) & width;
                // One that exchanged nothing leaves what is there, as `or` does.
                let keeps = what == Change::CompareExchange && old != expected;
                let what = if keeps { Change::Or } else { what };
                twin::memory::atomic(m, i, kind, what, lane, address, [old, value, new]);
            }
            if has_result {
                E::file(&mut m.unit).data[target + lane / 16][lane % 16] = E::Raw::from_u64(old);
            }
        };
        if m.schedule == Schedule::InOrder
            && !has_result
            && what == Change::Add
            && E::SIZE == 4
            && scalar != Scalar::F32
            && add_words(m, i, offset)
        {
            return;
        }
        if m.schedule == Schedule::InOrder {
            for k in 0..m.unit.chunks {
                let mut bits = m.unit.mask.bits[k];
                while bits != 0 {
                    let l = bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    apply(m, k * 16 + l);
                }
            }
        } else {
            for lane in m.scheduled_lanes() {
                apply(m, lane);
            }
        }
    }
}

/// Adds words whose old values nobody asks for, if they all lie in one object; else does nothing.
fn add_words(m: &mut Machine<'_>, i: &Inst, offset: u64) -> bool {
    let Some(object) = m.first_object(i.a, offset) else { return false };
    if matches!(object.place, Place::Local(_) | Place::Parameters) || object.size < 4 {
        return false;
    }
    let limit = object.size - 4;
    for k in 0..m.unit.chunks {
        let mut bits = m.unit.mask.bits[k];
        if bits == 0 {
            continue;
        }
        let (shift, jump) = copy_of(m, object, k);
        let addresses = m.addresses(i.a, offset, k);
        let values = m.unit.w.chunk(i.b, k);
        let object = all_copies(m, object);
        let data = super::access::bytes_of(m.memory, &mut m.shared, &mut m.parameters, object);
        while bits != 0 {
            let l = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            let place = addresses[l].wrapping_sub(object.base).wrapping_sub(shift);
            if place > limit {
                // The others of this unit are served lane by lane, from here on.
                m.finish_words(i, offset, k, l);
                return true;
            }
            if let Some(bytes) = data.get_mut(place.wrapping_add(jump) as usize..) {
                let sum = Word::read(bytes).wrapping_add(values[l]);
                Word::write(sum, bytes);
            }
        }
    }
    true
}

impl Machine<'_> {
    /// The rest of [`add_words`] from a lane on.
    #[cold]
    fn finish_words(&mut self, i: &Inst, offset: u64, k: usize, l: usize) {
        let first = k * 16 + l;
        let lanes: Vec<usize> =
            self.unit.mask.lanes(self.unit.chunks).filter(|lane| *lane >= first).collect();
        for lane in lanes {
            let address = self.unit.d.get(i.a, lane).wrapping_add(offset);
            let findings = self.outcome.findings.len();
            let old = self.read_one::<Word>(address, i, lane);
            if self.fault.is_none() && self.outcome.findings.len() == findings {
                let sum = old.wrapping_add(self.unit.w.get(i.b, lane));
                self.write_one::<Word>(address, sum, i, lane);
            }
        }
    }
}

/// The instruction for a scalar.
pub(crate) fn atomic(scalar: Scalar) -> Option<Exec> {
    Some(match scalar.size() {
        2 => select::<Atomic<U16>>(),
        4 => select::<Atomic<Word>>(),
        8 => select::<Atomic<Double>>(),
        _ => return None,
    })
}
