//! Instructions that do the work of two which often follow each other.
//!
//! What a fused instruction does not do itself, it leaves to the two that it stands for: so the result
//! is the same, and the checks see every access.

use std::marker::PhantomData;

use super::access::{
    Bases, Element, InRegister, Load, Store, Word, all_copies, bytes_of, bytes_to_read, copy_of,
    load_chunk, load_places, store_places,
};
use super::atomic::{Atomic, Change, decode};
use super::convert::{self, extend, extended_stride};
use super::lanes::Kernel;
use super::registers::Shape;
use super::{CHUNK, Inst, Machine, Object, Place, parallel};
use crate::check::screen;
use crate::launch::Schedule;

/// The object of the first active lane's element, if it is not local.
#[inline(always)]
fn object_of<const SIGNED: bool>(
    m: &Machine<'_>,
    [base, index]: [u32; 2],
    size: u64,
    offset: u64,
    least: usize,
) -> Option<Object> {
    let unit = &m.unit;
    let lane = if unit.is_full() { 0 } else { unit.mask.lowest() };
    let by = extend::<SIGNED>(unit.w.get(index, lane)).wrapping_mul(size);
    let address = unit.d.get(base, lane).wrapping_add(by).wrapping_add(offset);
    let object = m.first_copy(address)?;
    (!matches!(object.place, Place::Local(_)) && object.size >= least as u64).then_some(object)
}

/// As [`object_of`], if nobody notes who accesses it.
#[inline(always)]
pub(super) fn object_at<const SIGNED: bool>(
    m: &Machine<'_>,
    registers: [u32; 2],
    size: u64,
    offset: u64,
    least: usize,
    writes: bool,
) -> Option<Object> {
    let object = object_of::<SIGNED>(m, registers, size, offset, least)?;
    (!parallel::is_tracked(m, object, writes)).then_some(object)
}

/// The elements of so many bytes that a word register names.
#[derive(Clone, Copy)]
pub(super) struct Elements<const SIGNED: bool> {
    pub(super) base: u32,
    pub(super) index: u32,
    pub(super) size: u64,
}

impl<const SIGNED: bool> Bases for Elements<SIGNED> {
    #[inline(always)]
    fn fill(self, m: &Machine<'_>, by: u64, places: &mut [u64]) {
        InRegister(self.base).fill(m, by, places);
        let index = m.unit.w.firsts(self.index);
        if self.size < 1 << 31 {
            // Factors of 32 bits are one instruction, those of 64 are several.
            for (place, index) in places.iter_mut().zip(index) {
                let by = match SIGNED {
                    true => (i64::from(*index as i32) * i64::from(self.size as i32)) as u64,
                    false => u64::from(*index) * u64::from(self.size as u32),
                };
                *place = place.wrapping_add(by);
            }
            return;
        }
        for (place, index) in places.iter_mut().zip(index) {
            *place = place.wrapping_add(extend::<SIGNED>(*index).wrapping_mul(self.size));
        }
    }
}

/// `d = *(b + c * target + imm)` with a word `c`; `a` is a register for the address.
pub(crate) struct LoadAt<E, const SIGNED: bool>(PhantomData<E>);
impl<E: Element, const SIGNED: bool> Kernel for LoadAt<E, SIGNED> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.watch.is_some() || !load_at::<E, SIGNED>(m, i) {
            let size = u64::from(i.target);
            convert::Element::<SIGNED>::run(m, &Inst { d: i.a, a: i.b, b: i.c, imm: size, ..*i });
            Load::<E>::run(m, i);
        }
    }
}

#[inline(always)]
fn load_at<E: Element, const SIGNED: bool>(m: &mut Machine<'_>, i: &Inst) -> bool {
    let (size, pair) = (u64::from(i.target), [i.b, i.c]);
    let (base, index) = (m.unit.d.shape(i.b), m.unit.w.shape(i.c));
    if base == Shape::Vector || (base, index) == (Shape::Uniform, Shape::Uniform) {
        return false;
    }
    let Some(object) = object_of::<SIGNED>(m, pair, size, i.imm, E::SIZE) else {
        return false;
    };
    let by = i.imm.wrapping_sub(object.base);
    match index {
        Shape::Uniform => {
            let Some(index) = m.unit.w.uniform(i.c) else { return false };
            let by = by.wrapping_add(extend::<SIGNED>(index).wrapping_mul(size));
            let stride = m.unit.d.stride(i.b);
            load_places::<E>(m, i, true, object, stride, by, InRegister(i.b))
        }
        Shape::Affine => {
            let Some(stride) = extended_stride::<SIGNED>(m, i.c) else { return false };
            let stride = stride.wrapping_mul(size).wrapping_add(m.unit.d.stride(i.b));
            let bases = Elements::<SIGNED> { base: i.b, index: i.c, size };
            load_places::<E>(m, i, true, object, stride, by, bases)
        }
        Shape::Vector => {
            if m.unit.d.stride(i.b) != 0 || m.screening && !looks_plain::<E>(m, i, object, size) {
                return false;
            }
            if m.noted.is_some() || parallel::is_tracked(m, object, false) {
                // They want the addresses.
                return false;
            }
            let target = E::file(&mut m.unit).start(i.d);
            for k in 0..m.unit.chunks {
                if m.unit.mask.bits[k] == 0 {
                    continue;
                }
                let base = [m.unit.d.base(i.b, k).wrapping_add(by); CHUNK];
                let places = convert::elements::<SIGNED>(base, m.unit.w.chunk(i.c, k), size);
                load_chunk::<E>(m, i, object, places, target, k);
            }
            E::file(&mut m.unit).set_vector(i.d);
            true
        }
    }
}

/// Whether the quick look has nothing to see in loads of any elements of an object.
fn looks_plain<E: Element>(m: &Machine<'_>, i: &Inst, object: Object, size: u64) -> bool {
    let bits = (0..m.unit.chunks).fold(size | i.imm, |bits, k| bits | m.unit.d.base(i.b, k));
    screen::is_plain(m, i, object, bits, E::SIZE as u64)
}

/// `*(a + c * target + imm) = b` with a word `c`; `d` is a register for the address.
pub(crate) struct StoreAt<E, const SIGNED: bool>(PhantomData<E>);
impl<E: Element, const SIGNED: bool> Kernel for StoreAt<E, SIGNED> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.watch.is_some() || !store_at::<E, SIGNED>(m, i) {
            let size = u64::from(i.target);
            convert::Element::<SIGNED>::run(m, &Inst { b: i.c, imm: size, ..*i });
            Store::<E>::run(m, &Inst { a: i.d, ..*i });
        }
    }
}

#[inline(always)]
fn store_at<E: Element, const SIGNED: bool>(m: &mut Machine<'_>, i: &Inst) -> bool {
    let (size, pair) = (u64::from(i.target), [i.a, i.c]);
    if m.unit.d.shape(i.a) == Shape::Vector || m.unit.w.shape(i.c) != Shape::Affine {
        return false;
    }
    let Some(stride) = extended_stride::<SIGNED>(m, i.c) else { return false };
    let stride = stride.wrapping_mul(size).wrapping_add(m.unit.d.stride(i.a));
    if stride != E::SIZE as u64 {
        return false;
    }
    let Some(object) = object_of::<SIGNED>(m, pair, size, i.imm, E::SIZE) else {
        return false;
    };
    let by = i.imm.wrapping_sub(object.base);
    let bases = Elements::<SIGNED> { base: i.a, index: i.c, size };
    object.place != Place::Parameters && store_places::<E>(m, i, true, object, by, bases)
}

/// Changes the word at `a + c * target` by `b`; `d` is a register for the address.
pub(crate) struct ChangeAt<const SIGNED: bool>;
impl<const SIGNED: bool> Kernel for ChangeAt<SIGNED> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.watch.is_some() || !add_at::<SIGNED>(m, i) {
            let size = u64::from(i.target);
            convert::Element::<SIGNED>::run(m, &Inst { b: i.c, imm: size, ..*i });
            Atomic::<Word>::run(m, &Inst { a: i.d, ..*i });
        }
    }
}

/// Adds to words, lane by lane in order, if all of them lie in one object.
#[inline(always)]
fn add_at<const SIGNED: bool>(m: &mut Machine<'_>, i: &Inst) -> bool {
    let (change, scalar, offset) = decode(i.imm);
    let (size, pair) = (u64::from(i.target), [i.a, i.c]);
    if change != Change::Add
        || !scalar.is_integer()
        || m.schedule != Schedule::InOrder
        || m.unit.d.stride(i.a) != 0
        || m.unit.d.shape(i.a) == Shape::Vector
    {
        return false;
    }
    let Some(object) = object_at::<SIGNED>(m, pair, size, offset, 4, true) else { return false };
    if object.place == Place::Parameters {
        return false;
    }
    let by = offset.wrapping_sub(object.base);
    let limit = object.size - 4;
    // All or nothing: a lane that is outside ends what the others would still do.
    let mut bits = 0;
    for k in 0..m.unit.chunks {
        let (places, _) = places_at::<SIGNED>(m, i, object, by, k);
        let mask = u32::from(m.unit.mask.bits[k]);
        let mut beyond = 0;
        for (l, place) in places.iter().enumerate() {
            let active = 0u64.wrapping_sub(u64::from(mask >> l & 1));
            beyond |= (place | limit.wrapping_sub(*place)) & active;
            bits |= place & active;
        }
        if beyond >> 63 != 0 {
            return false;
        }
    }
    if m.screening && !screen::passes_atomics(m, object, bits, 4) {
        return false;
    }
    let copies = all_copies(m, object);
    let length = bytes_to_read(m.memory, &m.shared, &m.parameters, copies).len();
    if length as u64 > u64::from(u32::MAX) {
        return false;
    }
    let last = length.saturating_sub(4) as u32;
    let one = m.unit.w.uniform(i.b);
    for k in 0..m.unit.chunks {
        let (found, jump) = places_at::<SIGNED>(m, i, object, by, k);
        let mut places = [0; CHUNK];
        for l in 0..CHUNK {
            places[l] = found[l].wrapping_add(jump) as u32;
        }
        let values = m.unit.w.chunk(i.b, k);
        let mut bits = m.unit.mask.bits[k];
        let data = bytes_of(m.memory, &mut m.shared, &mut m.parameters, copies);
        let inside = places.iter().fold(true, |inside, place| inside & (*place <= last));
        if bits == u16::MAX && inside && data.len() >= 4 {
            // SAFETY: four bytes from each place are in the data.
            #[allow(unsafe_code)]
            unsafe {
                match one {
                    Some(value) => add_chunk(data.as_mut_ptr(), &places, &[value; CHUNK]),
                    None => add_chunk(data.as_mut_ptr(), &places, &values),
                }
            }
            continue;
        }
        while bits != 0 {
            let l = bits.trailing_zeros() as usize % CHUNK;
            bits &= bits - 1;
            add(data, places[l].into(), values[l]);
        }
    }
    true
}

/// Adds to words, one after the other: some may be the same.
///
/// # Safety
/// A word can be read and written at each place.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn add_chunk(data: *mut u8, places: &[u32; CHUNK], values: &[u32; CHUNK]) {
    for l in 0..CHUNK {
        // SAFETY: as the caller says; words of bytes need no alignment.
        unsafe {
            let word = data.add(places[l] as usize).cast::<[u8; 4]>();
            word.write(u32::from_le_bytes(word.read()).wrapping_add(values[l]).to_le_bytes());
        }
    }
}

/// The places of a chunk's elements in the object, and how far its block's copy lies from the first.
#[inline(always)]
fn places_at<const SIGNED: bool>(
    m: &Machine<'_>,
    i: &Inst,
    object: Object,
    by: u64,
    k: usize,
) -> ([u64; CHUNK], u64) {
    let (shift, jump) = copy_of(m, object, k);
    let base = m.unit.d.base(i.a, k).wrapping_add(by).wrapping_sub(shift);
    let index = m.unit.w.chunk(i.c, k);
    (convert::elements::<SIGNED>([base; CHUNK], index, u64::from(i.target)), jump)
}

/// Adds to the word at a place.
#[inline(always)]
fn add(data: &mut [u8], place: u64, value: u32) {
    if let Some(bytes) = data.get_mut(place as usize..)
        && let Some(word) = bytes.first_chunk_mut::<4>()
    {
        *word = u32::from_le_bytes(*word).wrapping_add(value).to_le_bytes();
    }
}
