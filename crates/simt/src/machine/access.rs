//! Loads, stores, copies and fills.
//!
//! An access resolves the object of its first active lane. Lanes whose addresses lie in that object
//! are served chunk by chunk: neighbours by one copy, others one by one. Only when some lane's
//! address lies elsewhere is each lane resolved by itself.

use super::lanes::Kernel;
use super::registers::{File, Raw, Shape, progression};
use super::together::is_apart;
use super::{CHUNK, Inst, MAX_CHUNKS, Machine, Object, Place, Unit, parallel};
use crate::check::screen;
use crate::memory::{Buffer, Memory};
use crate::outcome::{FaultKind, FindingKind};

/// A value as it lies in memory.
pub(crate) trait Element: 'static {
    type Raw: Raw;
    const SIZE: usize;
    fn read(bytes: &[u8]) -> Self::Raw;
    fn write(value: Self::Raw, bytes: &mut [u8]);
    /// Neighbours: all are read before any is written, so that this is one copy.
    #[inline(always)]
    fn read_chunk(bytes: &[u8]) -> [Self::Raw; CHUNK] {
        let mut values = [Self::Raw::default(); CHUNK];
        if let Some(bytes) = bytes.get(..CHUNK * Self::SIZE) {
            for l in 0..CHUNK {
                values[l] = Self::read(&bytes[l * Self::SIZE..(l + 1) * Self::SIZE]);
            }
        }
        values
    }
    #[inline(always)]
    fn write_chunk(values: [Self::Raw; CHUNK], bytes: &mut [u8]) {
        if let Some(bytes) = bytes.get_mut(..CHUNK * Self::SIZE) {
            for l in 0..CHUNK {
                Self::write(values[l], &mut bytes[l * Self::SIZE..(l + 1) * Self::SIZE]);
            }
        }
    }
    fn file(unit: &mut Unit) -> &mut File<Self::Raw>;
}

macro_rules! elements {
    ($($name:ident $ty:ident $raw:ident $file:ident $size:literal;)*) => { $(
        pub(crate) struct $name;
        impl Element for $name {
            type Raw = $raw;
            const SIZE: usize = $size;
            #[inline(always)]
            fn read(bytes: &[u8]) -> $raw {
                match bytes.first_chunk::<$size>() {
                    Some(bytes) => $ty::from_le_bytes(*bytes) as $raw,
                    None => 0,
                }
            }
            #[inline(always)]
            fn write(value: $raw, bytes: &mut [u8]) {
                if let Some(bytes) = bytes.first_chunk_mut::<$size>() {
                    *bytes = (value as $ty).to_le_bytes();
                }
            }
            #[inline(always)]
            fn file(unit: &mut Unit) -> &mut File<$raw> {
                &mut unit.$file
            }
        }
    )* };
}

elements! {
    U8 u8 u32 w 1;
    S8 i8 u32 w 1;
    U16 u16 u32 w 2;
    S16 i16 u32 w 2;
    Word u32 u32 w 4;
    Double u64 u64 d 8;
}

/// The bytes of an object that is not local.
#[inline(always)]
pub(crate) fn bytes_of<'m>(
    memory: &'m mut Memory,
    shared: &'m mut [u8],
    parameters: &'m mut [u8],
    object: Object,
) -> &'m mut [u8] {
    match object.place {
        Place::Buffer(index) => {
            memory.buffers.get_mut(index).map_or(&mut [], |buffer: &mut Buffer| &mut buffer.bytes)
        }
        Place::Shared(start) => {
            shared.get_mut(start..start + object.size as usize).unwrap_or(&mut [])
        }
        Place::Parameters => parameters,
        Place::Local(_) => &mut [],
    }
}

/// As [`bytes_of`], to read them: what several threads of the host share is not copied for it.
#[inline(always)]
pub(crate) fn bytes_to_read<'m>(
    memory: &'m Memory,
    shared: &'m [u8],
    parameters: &'m [u8],
    object: Object,
) -> &'m [u8] {
    match object.place {
        Place::Buffer(index) => memory.buffers.get(index).map_or(&[], |buffer| &buffer.bytes),
        Place::Shared(start) => shared.get(start..start + object.size as usize).unwrap_or(&[]),
        Place::Parameters => parameters,
        Place::Local(_) => &[],
    }
}

/// The bits of a value in a lane's local memory.
pub(crate) fn read_local_bits(unit: &Unit, row: usize, offset: u64, size: u64, lane: usize) -> u64 {
    match size {
        2 => read_local::<U16>(unit, row, offset, lane).into(),
        4 => read_local::<Word>(unit, row, offset, lane).into(),
        _ => read_local::<Double>(unit, row, offset, lane),
    }
}

/// Reads a value of a lane's local memory.
#[inline(always)]
fn read_local<E: Element>(unit: &Unit, row: usize, offset: u64, lane: usize) -> E::Raw {
    let (k, l) = (lane / CHUNK, lane % CHUNK);
    let word = |at: u64| {
        let index = (row + (at / 4) as usize) * unit.chunks + k;
        unit.local.get(index).map_or(0, |chunk| chunk[l])
    };
    if offset.is_multiple_of(4) && E::SIZE == 4 {
        return E::Raw::from_u64(word(offset).into());
    }
    let mut bytes = [0; 8];
    for (place, byte) in bytes[..E::SIZE].iter_mut().enumerate() {
        let at = offset + place as u64;
        *byte = (word(at) >> (8 * (at % 4))) as u8;
    }
    E::read(&bytes)
}

#[inline(always)]
fn write_local<E: Element>(unit: &mut Unit, row: usize, offset: u64, lane: usize, value: E::Raw) {
    let (k, l) = (lane / CHUNK, lane % CHUNK);
    let chunks = unit.chunks;
    let place = |at: u64| (row + (at / 4) as usize) * chunks + k;
    if offset.is_multiple_of(4) && E::SIZE == 4 {
        if let Some(chunk) = unit.local.get_mut(place(offset)) {
            chunk[l] = value.to_u64() as u32;
        }
        return;
    }
    let mut bytes = [0; 8];
    E::write(value, &mut bytes);
    for (index, byte) in bytes[..E::SIZE].iter().enumerate() {
        let at = offset + index as u64;
        if let Some(chunk) = unit.local.get_mut(place(at)) {
            let shift = 8 * (at % 4);
            chunk[l] = chunk[l] & !(0xff << shift) | u32::from(*byte) << shift;
        }
    }
}

impl Machine<'_> {
    /// Reports an access outside its object; whether the kernel goes on.
    #[cold]
    pub(crate) fn outside(&mut self, address: u64, size: u64, i: &Inst, lane: usize, writes: bool) {
        let access = self.describe(address, size, writes);
        if self.checks.memory {
            self.find(FindingKind::OutOfBounds(access), i.site, lane, 1, writes, None);
        } else {
            self.raise(FaultKind::OutOfBounds(access), i.site, Some(lane), 1);
        }
    }

    /// Reads a value for one lane, wherever it lies.
    #[inline(always)]
    pub(crate) fn read_one<E: Element>(&mut self, address: u64, i: &Inst, lane: usize) -> E::Raw {
        if let Some(object) = self.object(address) {
            let offset = address.wrapping_sub(object.base);
            if offset <= object.size && object.size - offset >= E::SIZE as u64 {
                if let Place::Local(row) = object.place {
                    return read_local::<E>(&self.unit, row, offset, lane);
                }
                let data = bytes_to_read(self.memory, &self.shared, &self.parameters, object);
                return data.get(offset as usize..).map_or(E::Raw::default(), E::read);
            }
        }
        self.outside(address, E::SIZE as u64, i, lane, false);
        E::Raw::default()
    }

    /// Writes a value of one lane, wherever it lies.
    #[inline(always)]
    pub(crate) fn write_one<E: Element>(
        &mut self,
        address: u64,
        value: E::Raw,
        i: &Inst,
        lane: usize,
    ) {
        if let Some(object) = self.object(address) {
            let offset = address.wrapping_sub(object.base);
            let writable = object.place != Place::Parameters;
            if writable && offset <= object.size && object.size - offset >= E::SIZE as u64 {
                if let Place::Local(row) = object.place {
                    return write_local::<E>(&mut self.unit, row, offset, lane, value);
                }
                let data = bytes_of(self.memory, &mut self.shared, &mut self.parameters, object);
                if let Some(bytes) = data.get_mut(offset as usize..) {
                    E::write(value, bytes);
                }
                return;
            }
        }
        self.outside(address, E::SIZE as u64, i, lane, true);
    }

    /// The addresses of a chunk's lanes.
    #[inline(always)]
    pub(crate) fn addresses(&self, register: u32, offset: u64, k: usize) -> [u64; CHUNK] {
        let mut addresses = self.unit.d.chunk(register, k);
        for address in &mut addresses {
            *address = address.wrapping_add(offset);
        }
        addresses
    }

    /// The object of the first active lane; of one that each block has a copy of, the first block's.
    #[inline(always)]
    pub(crate) fn first_object(&self, register: u32, offset: u64) -> Option<Object> {
        let lane = if self.unit.is_full() { 0 } else { self.unit.mask.lowest() };
        self.first_copy(self.unit.d.get(register, lane).wrapping_add(offset))
    }
}

/// The places of a chunk's lanes, those that are not active the first, if all active ones fit.
/// `shift` and `jump` lead to its block's copy of the object.
#[inline(always)]
fn inside(
    places: &[u64; CHUNK],
    limit: u64,
    mask: u16,
    shift: u64,
    jump: u64,
) -> Option<[u64; CHUNK]> {
    let mut inside = [0; CHUNK];
    let mut bad = 0u32;
    for l in 0..CHUNK {
        let active = u32::from(mask) & (1 << l) != 0;
        let place = if active { places[l].wrapping_sub(shift) } else { 0 };
        bad |= u32::from(place > limit);
        inside[l] = place.wrapping_add(jump);
    }
    (bad == 0).then_some(inside)
}

/// `d = *(a + imm)`
pub(crate) struct Load<E>(std::marker::PhantomData<E>);
impl<E: Element> Kernel for Load<E> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.hooked {
            crate::check::before_access::<E>(m, i, false);
        }
        let offset = i.imm;
        let object = m.first_object(i.a, offset);
        let size = E::SIZE as u64;
        let object = object.filter(|object| object.size >= size);
        if let Some(Object { place: Place::Local(row), base, size: length }) = object {
            return load_local::<E>(m, i, row, base, length);
        }
        if let Some(address) = m.unit.d.uniform(i.a) {
            let lane = m.unit.mask.lowest();
            let value = m.read_one::<E>(address.wrapping_add(offset), i, lane);
            return E::file(&mut m.unit).set_uniform(i.d, value);
        }
        let Some(object) = object else { return load_each::<E>(m, i) };
        if m.unit.d.shape(i.a) == Shape::Affine {
            return load_affine::<E>(m, i, object);
        }
        load_vector::<E>(m, i, object);
    }
}

/// Loads from progressions of addresses.
#[inline(always)]
fn load_affine<E: Element>(m: &mut Machine<'_>, i: &Inst, object: Object) {
    let stride = m.unit.d.stride(i.a);
    let by = i.imm.wrapping_sub(object.base);
    if !load_places::<E>(m, i, false, object, stride, by, InRegister(i.a)) {
        let target = E::file(&mut m.unit).start(i.d);
        let starts = starts(m, i.a, by);
        load_strided::<E>(m, i, object, &starts, stride, target);
    }
}

/// The addresses at the start of all chunks: a trait, so that it is compiled where it is used, with
/// the features of the processor that are known there.
pub(crate) trait Bases: Clone + std::marker::Copy {
    /// Writes them, each `by` further.
    fn fill(self, m: &Machine<'_>, by: u64, places: &mut [u64]);
}

/// Those of a register.
#[derive(Clone, Copy)]
pub(crate) struct InRegister(pub(crate) u32);

impl Bases for InRegister {
    #[inline(always)]
    fn fill(self, m: &Machine<'_>, by: u64, places: &mut [u64]) {
        match m.unit.d.uniform(self.0) {
            Some(base) => places.fill(base.wrapping_add(by)),
            None => {
                for (place, base) in places.iter_mut().zip(m.unit.d.firsts(self.0)) {
                    *place = base.wrapping_add(by);
                }
            }
        }
    }
}

/// Loads from progressions that begin `by` behind what `bases` gives, if they are
/// neighbours or one place, and inside the object; else does nothing. `looks` says that nobody who looks
/// at accesses has seen this one yet.
#[inline(always)]
pub(crate) fn load_places<E: Element>(
    m: &mut Machine<'_>,
    i: &Inst,
    looks: bool,
    object: Object,
    stride: u64,
    by: u64,
    bases: impl Bases,
) -> bool {
    let d = i.d;
    let (size, chunks) = (E::SIZE as u64, m.unit.chunks);
    let span = if stride == size { CHUNK * E::SIZE } else { E::SIZE };
    let limit = object.size.checked_sub(span as u64).filter(|_| stride == size || stride == 0);
    let Some(limit) = limit else { return false };
    let full = m.unit.is_full();
    let mut places = [0; MAX_CHUNKS];
    if !all_within(m, by, limit, full, object, &mut places, bases) {
        return false;
    }
    if looks && m.screening && !screen::passes(m, i, object, &places[..chunks], stride, size, false)
    {
        return false;
    }
    if looks && parallel::is_tracked(m, object, false) {
        parallel::track_places(m, object, &places[..chunks], [size, stride], false);
    }
    if let Some(noted) = &mut m.noted
        && size >= super::twin::memory::LEAST_NOTED
    {
        noted.note(object, stride, &places[..chunks]);
    }
    let target = E::file(&mut m.unit).start(d);
    let object = all_copies(m, object);
    let data = bytes_to_read(m.memory, &m.shared, &m.parameters, object);
    let unit = &mut m.unit;
    let places = &places[..chunks];
    let mask = unit.mask;
    let mask = &mask.bits[..chunks];
    let out = &mut E::file(unit).data[target..target + chunks];
    match (stride == 0, full) {
        (true, true) => spread::<E, true>(data, places, mask, out),
        (true, false) => spread::<E, false>(data, places, mask, out),
        (false, true) => neighbours::<E, true>(data, places, mask, out),
        (false, false) => neighbours::<E, false>(data, places, mask, out),
    }
    E::file(unit).set_vector(d);
    true
}

/// Stores to neighbours that begin `by` behind what `bases` gives, if all lanes of chunks with active
/// ones are inside the object; else does nothing.
#[inline(always)]
pub(crate) fn store_places<E: Element>(
    m: &mut Machine<'_>,
    i: &Inst,
    looks: bool,
    object: Object,
    by: u64,
    bases: impl Bases,
) -> bool {
    let value = i.b;
    let chunks = m.unit.chunks;
    let all = m.unit.mask.count as usize == chunks * CHUNK;
    if !all && m.noted.is_some() {
        // The twins want all places.
        return false;
    }
    let Some(limit) = object.size.checked_sub((CHUNK * E::SIZE) as u64) else { return false };
    let mut places = [0; MAX_CHUNKS];
    if !all_within(m, by, limit, all, object, &mut places, bases) {
        return false;
    }
    let size = E::SIZE as u64;
    if looks && m.screening && !screen::passes(m, i, object, &places[..chunks], size, size, true) {
        return false;
    }
    if looks && parallel::is_tracked(m, object, true) {
        parallel::track_places(m, object, &places[..chunks], [size, size], true);
    }
    if let Some(noted) = &mut m.noted
        && size >= super::twin::memory::LEAST_NOTED
    {
        noted.note(object, size, &places[..chunks]);
    }
    let source = E::file(&mut m.unit).operand(value, 0);
    let object = all_copies(m, object);
    let data = bytes_of(m.memory, &mut m.shared, &mut m.parameters, object);
    let mask = m.unit.mask;
    let values = &E::file(&mut m.unit).data[source.start..];
    if all && all_there(&places[..chunks], CHUNK * E::SIZE, data.len()) {
        let values = &values[..if source.splat { 1 } else { chunks }];
        for k in 0..chunks {
            let start = places[k] as usize;
            // SAFETY: as many bytes from each start are there.
            #[allow(unsafe_code)]
            let bytes = unsafe { data.get_unchecked_mut(start..start + CHUNK * E::SIZE) };
            E::write_chunk(values[if source.splat { 0 } else { k }], bytes);
        }
        return true;
    }
    for (k, place) in places[..chunks].iter().enumerate() {
        let mask = mask.bits[k];
        if mask == 0 {
            continue;
        }
        let values = values[if source.splat { 0 } else { k }];
        let Some(bytes) = data.get_mut(*place as usize..) else { continue };
        if bytes.len() < CHUNK * E::SIZE {
            continue;
        }
        if mask == u16::MAX {
            E::write_chunk(values, bytes);
            continue;
        }
        // Where lanes are not active, what is there is written again.
        let mut kept = E::read_chunk(bytes);
        for l in 0..CHUNK {
            kept[l] = if u32::from(mask) & (1 << l) != 0 { values[l] } else { kept[l] };
        }
        E::write_chunk(kept, bytes);
    }
    true
}

/// The object, with the copies that other blocks of the unit have of it.
#[inline(always)]
pub(crate) fn all_copies(m: &Machine<'_>, object: Object) -> Object {
    match object.place {
        Place::Shared(start) if m.group.is_several() => {
            Object { size: (m.shared.len() as u64).saturating_sub(start as u64), ..object }
        }
        _ => object,
    }
}

/// How far the copy of a chunk's block lies from the first block's: as an address, and in memory.
#[inline(always)]
pub(crate) fn copy_of(m: &Machine<'_>, object: Object, k: usize) -> (u64, u64) {
    if !is_apart(m, object) {
        return (0, 0);
    }
    let (q, l) = (k / CHUNK, k % CHUNK);
    (m.group.shift[q][l], m.group.jump[q][l])
}

/// Whether so many bytes from each start are there.
#[inline(always)]
fn all_there(starts: &[u64], bytes: usize, length: usize) -> bool {
    let Some(last) = length.checked_sub(bytes) else { return false };
    let mut highest = 0;
    for start in starts {
        highest = if *start > highest { *start } else { highest };
    }
    highest <= last as u64
}

/// Loads one value for each chunk.
#[inline(always)]
fn spread<E: Element, const FULL: bool>(
    data: &[u8],
    starts: &[u64],
    mask: &[u16],
    out: &mut [[E::Raw; CHUNK]],
) {
    let (starts, mask) = (&starts[..out.len()], &mask[..out.len()]);
    for k in 0..out.len() {
        if (FULL || mask[k] != 0)
            && let Some(bytes) = data.get(starts[k] as usize..)
        {
            out[k] = [E::read(bytes); CHUNK];
        }
    }
}

/// Loads neighbours for each chunk.
#[inline(always)]
fn neighbours<E: Element, const FULL: bool>(
    data: &[u8],
    starts: &[u64],
    mask: &[u16],
    out: &mut [[E::Raw; CHUNK]],
) {
    let (starts, mask) = (&starts[..out.len()], &mask[..out.len()]);
    if FULL && all_there(starts, CHUNK * E::SIZE, data.len()) {
        for k in 0..out.len() {
            let start = starts[k] as usize;
            // SAFETY: as many bytes from each start are there.
            #[allow(unsafe_code)]
            let bytes = unsafe { data.get_unchecked(start..start + CHUNK * E::SIZE) };
            out[k] = E::read_chunk(bytes);
        }
        return;
    }
    for k in 0..out.len() {
        if (FULL || mask[k] != 0)
            && let Some(bytes) = data.get(starts[k] as usize..)
            && bytes.len() >= CHUNK * E::SIZE
        {
            out[k] = E::read_chunk(bytes);
        }
    }
}

/// Whether the first addresses of all chunks with active lanes, moved, are at most the limit; and
/// where they lie in the bytes of the object with all its copies.
#[inline(always)]
pub(crate) fn all_within(
    m: &Machine<'_>,
    by: u64,
    limit: u64,
    full: bool,
    object: Object,
    places: &mut [u64; MAX_CHUNKS],
    bases: impl Bases,
) -> bool {
    // Plain loops over all chunks: a processor does eight at once.
    let places = &mut places[..m.unit.chunks];
    bases.fill(m, by, places);
    // The limit is below 2^63, so the highest bit tells who is beyond it on either side.
    let mut beyond = 0;
    let apart = is_apart(m, object);
    if apart {
        let (shift, jump) = (m.group.shift.as_flattened(), m.group.jump.as_flattened());
        for ((place, shift), jump) in places.iter_mut().zip(shift).zip(jump) {
            let at = place.wrapping_sub(*shift);
            beyond |= at | limit.wrapping_sub(at);
            *place = at.wrapping_add(*jump);
        }
    } else {
        for at in places.iter() {
            beyond |= *at | limit.wrapping_sub(*at);
        }
    }
    beyond >> 63 == 0 || !full && active_within(m, limit, apart, places)
}

/// Whether the chunks that have active lanes begin within the limit.
#[cold]
fn active_within(m: &Machine<'_>, limit: u64, apart: bool, places: &[u64]) -> bool {
    places.iter().enumerate().all(|(k, place)| {
        let jump = if apart { m.group.jump[k / CHUNK][k % CHUNK] } else { 0 };
        m.unit.mask.bits[k] == 0 || place.wrapping_sub(jump) <= limit
    })
}

/// The first address of each chunk of a progression, moved.
#[inline(always)]
fn starts(m: &Machine<'_>, register: u32, by: u64) -> [u64; MAX_CHUNKS] {
    let mut starts = [0; MAX_CHUNKS];
    for q in 0..m.unit.chunks.div_ceil(CHUNK) {
        let bases = m.unit.d.bases(register, q);
        for l in 0..CHUNK {
            starts[q * CHUNK + l] = bases[l].wrapping_add(by);
        }
    }
    starts
}

/// Loads from progressions that are not neighbours, or that leave the object.
fn load_strided<E: Element>(
    m: &mut Machine<'_>,
    i: &Inst,
    object: Object,
    starts: &[u64; MAX_CHUNKS],
    stride: u64,
    target: usize,
) {
    for (k, start) in starts.iter().enumerate().take(m.unit.chunks) {
        if m.unit.mask.bits[k] != 0 {
            load_chunk::<E>(m, i, object, progression(*start, stride), target, k);
        }
    }
    E::file(&mut m.unit).set_vector(i.d);
}

/// Loads from any addresses.
#[inline(always)]
fn load_vector<E: Element>(m: &mut Machine<'_>, i: &Inst, object: Object) {
    let target = E::file(&mut m.unit).start(i.d);
    for k in 0..m.unit.chunks {
        if m.unit.mask.bits[k] == 0 {
            continue;
        }
        let mut places = m.unit.d.chunk(i.a, k);
        for place in &mut places {
            *place = place.wrapping_add(i.imm).wrapping_sub(object.base);
        }
        load_chunk::<E>(m, i, object, places, target, k);
    }
    E::file(&mut m.unit).set_vector(i.d);
}

/// Loads a chunk from places counted from the object's start.
#[inline(always)]
pub(crate) fn load_chunk<E: Element>(
    m: &mut Machine<'_>,
    i: &Inst,
    object: Object,
    places: [u64; CHUNK],
    target: usize,
    k: usize,
) {
    let mask = m.unit.mask.bits[k];
    let (shift, jump) = copy_of(m, object, k);
    match inside(&places, object.size - E::SIZE as u64, mask, shift, jump) {
        Some(places) => {
            let object = all_copies(m, object);
            let data = bytes_to_read(m.memory, &m.shared, &m.parameters, object);
            let mut values = [E::Raw::default(); CHUNK];
            for (value, place) in values.iter_mut().zip(places) {
                *value = data.get(place as usize..).map_or(E::Raw::default(), E::read);
            }
            E::file(&mut m.unit).data[target + k] = values;
        }
        None => load_apart::<E>(m, i, object.base, &places, target, k),
    }
}

/// Loads a chunk some of whose lanes reach another object.
#[cold]
fn load_apart<E: Element>(
    m: &mut Machine<'_>,
    i: &Inst,
    base: u64,
    places: &[u64; CHUNK],
    target: usize,
    k: usize,
) {
    if m.screening {
        // Not all addresses may have been looked at.
        return screen::doubt(m);
    }
    for (l, place) in places.iter().enumerate() {
        if m.unit.mask.bits[k] >> l & 1 == 1 {
            let value = m.read_one::<E>(place.wrapping_add(base), i, k * CHUNK + l);
            E::file(&mut m.unit).data[target + k][l] = value;
        }
    }
}

fn load_each<E: Element>(m: &mut Machine<'_>, i: &Inst) {
    let target = E::file(&mut m.unit).start(i.d);
    for k in 0..m.unit.chunks {
        let mask = m.unit.mask.bits[k];
        let addresses = m.addresses(i.a, i.imm, k);
        for (l, address) in addresses.into_iter().enumerate() {
            if mask >> l & 1 == 1 {
                let value = m.read_one::<E>(address, i, k * CHUNK + l);
                E::file(&mut m.unit).data[target + k][l] = value;
            }
        }
    }
    E::file(&mut m.unit).set_vector(i.d);
}

#[inline(always)]
fn load_local<E: Element>(m: &mut Machine<'_>, i: &Inst, row: usize, base: u64, length: u64) {
    let chunks = m.unit.chunks;
    let target = E::file(&mut m.unit).start(i.d);
    if let Some(address) = m.unit.d.uniform(i.a) {
        let offset = address.wrapping_add(i.imm).wrapping_sub(base);
        if offset <= length && length - offset >= E::SIZE as u64 && offset.is_multiple_of(4) {
            let start = (row + (offset / 4) as usize) * chunks;
            if E::SIZE == 4 {
                for k in 0..chunks {
                    let words = m.unit.local[start + k];
                    let out = &mut E::file(&mut m.unit).data[target + k];
                    for (value, word) in out.iter_mut().zip(words) {
                        *value = E::Raw::from_u64(word.into());
                    }
                }
                E::file(&mut m.unit).set_vector(i.d);
                return;
            }
            if E::SIZE == 8 {
                for k in 0..chunks {
                    let (low, high) = (m.unit.local[start + k], m.unit.local[start + chunks + k]);
                    let out = &mut E::file(&mut m.unit).data[target + k];
                    for l in 0..CHUNK {
                        out[l] = E::Raw::from_u64(u64::from(high[l]) << 32 | u64::from(low[l]));
                    }
                }
                E::file(&mut m.unit).set_vector(i.d);
                return;
            }
        }
    }
    load_each::<E>(m, i);
}

/// `*(a + imm) = b`
pub(crate) struct Store<E>(std::marker::PhantomData<E>);
impl<E: Element> Kernel for Store<E> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.hooked {
            crate::check::before_access::<E>(m, i, true);
        }
        let offset = i.imm;
        let size = E::SIZE as u64;
        let object = m.first_object(i.a, offset).filter(|object| object.size >= size);
        if let Some(Object { place: Place::Local(row), base, size: length }) = object {
            return store_local::<E>(m, i, row, base, length);
        }
        if let Some(address) = m.unit.d.uniform(i.a) {
            // The last lane's value stays.
            let lane = m.unit.mask.lanes(m.unit.chunks).last().unwrap_or(0);
            let value = E::file(&mut m.unit).get(i.b, lane);
            return m.write_one::<E>(address.wrapping_add(offset), value, i, lane);
        }
        let Some(object) = object.filter(|object| object.place != Place::Parameters) else {
            return store_each::<E>(m, i);
        };
        let affine = m.unit.d.shape(i.a) == Shape::Affine;
        let stride = m.unit.d.stride(i.a);
        let together = affine && stride == size;
        let fits = object.size.checked_sub(CHUNK as u64 * size);
        let by = offset.wrapping_sub(object.base);
        if together && store_places::<E>(m, i, false, object, by, InRegister(i.a)) {
            return;
        }
        for k in 0..m.unit.chunks {
            let mask = m.unit.mask.bits[k];
            if mask == 0 {
                continue;
            }
            let values = E::file(&mut m.unit).chunk(i.b, k);
            let shift = offset.wrapping_sub(object.base);
            if together && mask == u16::MAX {
                let (apart, jump) = copy_of(m, object, k);
                let start = m.unit.d.base(i.a, k).wrapping_add(shift).wrapping_sub(apart);
                if fits.is_some_and(|limit| start <= limit) {
                    let object = all_copies(m, object);
                    let data = bytes_of(m.memory, &mut m.shared, &mut m.parameters, object);
                    if let Some(bytes) = data.get_mut(start.wrapping_add(jump) as usize..) {
                        E::write_chunk(values, bytes);
                    }
                    continue;
                }
            }
            let mut places = match affine {
                true => progression(m.unit.d.base(i.a, k), stride),
                false => m.unit.d.chunk(i.a, k),
            };
            for place in &mut places {
                *place = place.wrapping_add(shift);
            }
            store_chunk::<E>(m, i, object, places, values, k);
        }
    }
}

/// Stores a chunk to places counted from the object's start.
#[inline(always)]
fn store_chunk<E: Element>(
    m: &mut Machine<'_>,
    i: &Inst,
    object: Object,
    places: [u64; CHUNK],
    values: [E::Raw; CHUNK],
    k: usize,
) {
    let mask = m.unit.mask.bits[k];
    let (shift, jump) = copy_of(m, object, k);
    if let Some(places) = inside(&places, object.size - E::SIZE as u64, mask, shift, jump) {
        let object = all_copies(m, object);
        let data = bytes_of(m.memory, &mut m.shared, &mut m.parameters, object);
        let mut bits = mask;
        while bits != 0 {
            let l = bits.trailing_zeros() as usize % CHUNK;
            bits &= bits - 1;
            if let Some(bytes) = data.get_mut(places[l] as usize..) {
                E::write(values[l], bytes);
            }
        }
        return;
    }
    for l in 0..CHUNK {
        if mask >> l & 1 == 1 {
            let address = places[l].wrapping_add(object.base);
            m.write_one::<E>(address, values[l], i, k * CHUNK + l);
        }
    }
}

fn store_each<E: Element>(m: &mut Machine<'_>, i: &Inst) {
    for k in 0..m.unit.chunks {
        let mask = m.unit.mask.bits[k];
        let addresses = m.addresses(i.a, i.imm, k);
        let values = E::file(&mut m.unit).chunk(i.b, k);
        for l in 0..CHUNK {
            if mask >> l & 1 == 1 {
                m.write_one::<E>(addresses[l], values[l], i, k * CHUNK + l);
            }
        }
    }
}

#[inline(always)]
fn store_local<E: Element>(m: &mut Machine<'_>, i: &Inst, row: usize, base: u64, length: u64) {
    let chunks = m.unit.chunks;
    if let Some(address) = m.unit.d.uniform(i.a) {
        let offset = address.wrapping_add(i.imm).wrapping_sub(base);
        if offset <= length
            && length - offset >= E::SIZE as u64
            && offset.is_multiple_of(4)
            && E::SIZE >= 4
        {
            let start = (row + (offset / 4) as usize) * chunks;
            for k in 0..chunks {
                let mask = m.unit.mask.bits[k];
                let values = E::file(&mut m.unit).chunk(i.b, k);
                for half in 0..E::SIZE / 4 {
                    let words = &mut m.unit.local[start + half * chunks + k];
                    for l in 0..CHUNK {
                        let word = (values[l].to_u64() >> (32 * half)) as u32;
                        words[l] = if u32::from(mask) & (1 << l) != 0 { word } else { words[l] };
                    }
                }
            }
            return;
        }
    }
    store_each::<E>(m, i);
}

/// Copies `c` bytes (a double word) from `b` to `a`, lane by lane.
pub(crate) struct Copy;
impl Kernel for Copy {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let lanes: Vec<usize> = m.unit.mask.lanes(m.unit.chunks).collect();
        for lane in lanes {
            let bytes = m.unit.d.get(i.c, lane);
            let (to, from) = (m.unit.d.get(i.a, lane), m.unit.d.get(i.b, lane));
            copy_bytes(m, i, lane, to, from, bytes, bytes);
            if m.fault.is_some() {
                return;
            }
        }
    }
}

/// Copies `read` bytes and fills up to `bytes` with zeros.
fn copy_bytes(
    m: &mut Machine<'_>,
    i: &Inst,
    lane: usize,
    to: u64,
    from: u64,
    read: u64,
    bytes: u64,
) {
    let read = read.min(bytes);
    if m.hooked {
        crate::check::before_copy(m, i, lane, [to, from], [read, bytes]);
    }
    copy_words(m, i, lane, [to, from], [read, bytes]);
    if m.code.twinned && m.fault.is_none() {
        super::twin::memory::copied(m, lane, to, from, bytes);
    }
}

fn copy_words(
    m: &mut Machine<'_>,
    i: &Inst,
    lane: usize,
    [to, from]: [u64; 2],
    [read, bytes]: [u64; 2],
) {
    let mut at = 0;
    while at < bytes {
        let (source, target) = (from.wrapping_add(at), to.wrapping_add(at));
        let found = m.outcome.findings.len();
        if bytes - at >= 4 && (read >= at + 4 || read <= at) {
            let value = if at < read { m.read_one::<Word>(source, i, lane) } else { 0 };
            m.write_one::<Word>(target, value, i, lane);
            at += 4;
        } else {
            let value = if at < read { m.read_one::<U8>(source, i, lane) } else { 0 };
            m.write_one::<U8>(target, value, i, lane);
            at += 1;
        }
        // A copy of which some byte lies outside ends there: the rest would say the same.
        if m.fault.is_some() || m.outcome.findings.len() != found {
            return;
        }
        if at.is_multiple_of(1 << 16) {
            if m.fuel < 1 << 12 {
                return m.raise(FaultKind::Fuel, i.site, Some(lane), 1);
            }
            m.fuel -= 1 << 12;
        }
    }
}

/// Fills `c` bytes (a double word) at `a` with the byte in the word `b`.
pub(crate) struct Fill;
impl Kernel for Fill {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let lanes: Vec<usize> = m.unit.mask.lanes(m.unit.chunks).collect();
        for lane in lanes {
            let bytes = m.unit.d.get(i.c, lane);
            let (to, byte) = (m.unit.d.get(i.a, lane), m.unit.w.get(i.b, lane));
            for at in 0..bytes {
                let found = m.outcome.findings.len();
                if m.hooked {
                    crate::check::before_one(m, i, lane, to.wrapping_add(at), 1, true);
                }
                m.write_one::<U8>(to.wrapping_add(at), byte, i, lane);
                if m.fault.is_some() || m.outcome.findings.len() != found {
                    break;
                }
                if at % (1 << 16) == (1 << 16) - 1 {
                    if m.fuel < 1 << 12 {
                        return m.raise(FaultKind::Fuel, i.site, Some(lane), 1);
                    }
                    m.fuel -= 1 << 12;
                }
            }
            if m.fault.is_some() {
                return;
            }
        }
    }
}

/// An asynchronous copy of `imm` bytes from `b` to `a`, of which the double word `c` are read. It is
/// done at once: nobody may look before the wait that ends it.
pub(crate) struct AsyncCopy;
impl Kernel for AsyncCopy {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let lanes: Vec<usize> = m.unit.mask.lanes(m.unit.chunks).collect();
        for lane in lanes {
            let (to, from) = (m.unit.d.get(i.a, lane), m.unit.d.get(i.b, lane));
            let read = m.unit.d.get(i.c, lane);
            copy_bytes(m, i, lane, to, from, read, i.imm);
            if m.fault.is_some() {
                return;
            }
        }
    }
}
