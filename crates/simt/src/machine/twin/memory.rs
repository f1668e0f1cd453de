//! Twins in memory: tables beside the bytes of buffers, of a block's shared memory and of threads'
//! local memory, an entry for each element of 2, 4 or 8 bytes that a float was stored to.
//!
//! An entry counts only while the bytes are those that were stored with it. So what others write (the
//! host, integers, bit tricks) is its own twin again.

use super::dd::Dd;
use super::{EXTRA, Kind, State, kind_of, widened};
use crate::machine::access::{bytes_to_read, copy_of, read_local_bits};
use crate::machine::atomic::Change;
use crate::machine::lanes::Kernel;
use crate::machine::registers::Shape;
use crate::machine::{CHUNK, Inst, MAX_CHUNKS, Machine, Object, Place};
use crate::memory::WINDOW_BITS;

/// Twins of elements of one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    hi: Vec<f64>,
    lo: Vec<f64>,
    /// What was stored with each: low words and, of elements of 8 bytes, high words. Zeros at first,
    /// whose twin is zero.
    low: Vec<u32>,
    high: Vec<u32>,
}

impl Table {
    fn new(elements: usize, size: u64) -> Self {
        let words = || vec![0; elements];
        let high = if size == 8 { words() } else { Vec::new() };
        Table { hi: vec![0.0; elements], lo: vec![0.0; elements], low: words(), high }
    }

    #[inline(always)]
    fn get(&self, index: usize, bits: u64) -> Option<Dd> {
        let same = *self.low.get(index)? == bits as u32
            && self.high.get(index).is_none_or(|high| *high == (bits >> 32) as u32);
        same.then(|| Dd::new(self.hi[index], self.lo[index]))
    }

    #[inline(always)]
    fn put(&mut self, index: usize, bits: u64, twin: Dd) {
        if let Some(low) = self.low.get_mut(index) {
            *low = bits as u32;
            if let Some(high) = self.high.get_mut(index) {
                *high = (bits >> 32) as u32;
            }
            (self.hi[index], self.lo[index]) = (twin.hi, twin.lo);
        }
    }

    /// Which of the neighbours from `first` were stored with these bits, if they exist.
    #[inline(always)]
    fn same(&self, first: usize, bits: &[u64; CHUNK]) -> Option<[bool; CHUNK]> {
        let low = self.low.get(first..first + CHUNK)?;
        let mut same = [false; CHUNK];
        for l in 0..CHUNK {
            same[l] = low[l] == bits[l] as u32;
        }
        if let Some(high) = self.high.get(first..first + CHUNK) {
            for l in 0..CHUNK {
                same[l] &= high[l] == (bits[l] >> 32) as u32;
            }
        }
        Some(same)
    }

    /// Stores neighbours; whether they exist.
    #[inline(always)]
    fn put_all(&mut self, first: usize, bits: &[u64; CHUNK], hi: &Lanes, lo: &Lanes) -> bool {
        let range = first..first.saturating_add(CHUNK);
        let Some(low) = self.low.get_mut(range.clone()) else { return false };
        for l in 0..CHUNK {
            low[l] = bits[l] as u32;
        }
        if let Some(high) = self.high.get_mut(range.clone()) {
            for l in 0..CHUNK {
                high[l] = (bits[l] >> 32) as u32;
            }
        }
        self.hi[range.clone()].copy_from_slice(hi);
        self.lo[range].copy_from_slice(lo);
        true
    }
}

type Lanes = [f64; CHUNK];

/// Tables of an object, for elements of 2, 4 and 8 bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables([Option<Box<Table>>; 3]);

fn by_size(size: u64) -> usize {
    match size {
        2 => 0,
        4 => 1,
        _ => 2,
    }
}

impl Tables {
    fn of(&self, size: u64) -> Option<&Table> {
        self.0[by_size(size)].as_deref()
    }

    /// The twin of an element, if it was stored with these bits.
    pub(crate) fn twin(&self, size: u64, index: usize, bits: u64) -> Option<Dd> {
        self.of(size)?.get(index, bits)
    }

    /// Whether there is any twin of elements of this size.
    pub(crate) fn has(&self, size: u64) -> bool {
        self.0[by_size(size)].is_some()
    }
}

/// Bytes that an entry takes, at most.
const ENTRY: u64 = 24;

/// Where tables are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Buffer(usize),
    Shared,
    Local,
}

/// An element: its table's home, its place there, and how far apart those of neighbouring lanes lie.
#[derive(Clone, Copy)]
struct Spot {
    home: Home,
    index: usize,
}

impl Machine<'_> {
    fn tables(&self, home: Home) -> Option<&Tables> {
        match home {
            Home::Buffer(index) => self.memory.twins.get(index),
            Home::Shared => Some(&self.shared_twins),
            Home::Local => Some(&self.unit.local_twins),
        }
    }

    /// The table of elements, which is made if `make` says so and there is room.
    fn table(&mut self, home: Home, size: u64, make: bool) -> Option<&mut Table> {
        let elements = match home {
            Home::Buffer(index) => self.memory.buffers.get(index)?.bytes.len() as u64 / size,
            Home::Shared => self.shared.len() as u64 / size,
            Home::Local => {
                let rows = if size == 2 { 2 } else { 1 };
                (self.code.local_rows * rows * self.unit.chunks * CHUNK) as u64
            }
        };
        let left = &mut self.twin_room;
        let tables = match home {
            Home::Buffer(index) => {
                if self.memory.twins.len() <= index {
                    if !make {
                        return None;
                    }
                    self.memory.twins.resize_with(index + 1, Tables::default);
                }
                self.memory.twins.get_mut(index)?
            }
            Home::Shared => &mut self.shared_twins,
            Home::Local => &mut self.unit.local_twins,
        };
        let place = &mut tables.0[by_size(size)];
        if place.is_none() {
            if !make {
                return None;
            }
            *left = left.checked_sub(elements.saturating_mul(ENTRY))?;
            *place = Some(Box::new(Table::new(elements as usize, size)));
        }
        place.as_deref_mut()
    }

    /// Where the element at an offset of an object has its entry.
    #[inline(always)]
    fn spot(&self, object: Object, offset: u64, size: u64, lane: usize) -> Option<Spot> {
        if offset > object.size || object.size - offset < size {
            return None;
        }
        let aligned = |at: u64| at.is_multiple_of(size).then_some((at / size) as usize);
        Some(match object.place {
            Place::Buffer(index) => Spot { home: Home::Buffer(index), index: aligned(offset)? },
            Place::Shared(start) => {
                Spot { home: Home::Shared, index: aligned(start as u64 + offset)? }
            }
            Place::Local(row) => {
                let unit = if size == 2 { 2 } else { 4 };
                if !offset.is_multiple_of(unit) {
                    return None;
                }
                let row = row * (4 / unit) as usize + (offset / unit) as usize;
                let index = row * self.unit.chunks * CHUNK + lane;
                Spot { home: Home::Local, index }
            }
            Place::Parameters => return None,
        })
    }

    /// The entry of an element of a chunk, in the tables of the object's home; of an object that each
    /// block of the unit has a copy of, `object` is the first.
    #[inline(always)]
    fn index(&self, object: Object, address: u64, size: u64, k: usize) -> Option<usize> {
        let (shift, jump) = copy_of(self, object, k);
        let at = address.wrapping_sub(shift).wrapping_sub(object.base);
        if at > object.size || object.size - at < size {
            return None;
        }
        let from = match object.place {
            Place::Buffer(_) => 0,
            Place::Shared(start) => start as u64 + jump,
            Place::Parameters | Place::Local(_) => return None,
        };
        (from + at).is_multiple_of(size).then_some(((from + at) / size) as usize)
    }

    fn spot_at(&self, address: u64, size: u64, lane: usize) -> Option<Spot> {
        let object = self.object(address)?;
        self.spot(object, address.wrapping_sub(object.base), size, lane)
    }

    /// The twin of an element that holds these bits.
    fn twin_at(&self, address: u64, kind: Kind, bits: u64, lane: usize) -> Dd {
        let size = kind.size();
        self.spot_at(address, size, lane)
            .and_then(|spot| self.tables(spot.home)?.twin(size, spot.index, bits))
            .unwrap_or_else(|| kind.value(bits))
    }

    /// How the active lanes' elements lie.
    fn layout(&self, register: u32, offset: u64, size: u64) -> Layout {
        let unit = &self.unit;
        let lane = unit.mask.lowest();
        let first = unit.d.get(register, lane).wrapping_add(offset);
        let Some(object) = self.object(first) else { return Layout::Apart };
        if let Some(address) = unit.d.uniform(register) {
            let at = address.wrapping_add(offset).wrapping_sub(object.base);
            return match (self.spot(object, at, size, 0), object.place) {
                (Some(spot), Place::Local(_)) => Layout::Rows(spot),
                (Some(spot), _) => Layout::One(spot),
                _ => Layout::Apart,
            };
        }
        if matches!(object.place, Place::Local(_) | Place::Parameters) {
            return Layout::Apart;
        }
        let affine = unit.d.shape(register) == Shape::Affine;
        let stride = unit.d.stride(register);
        let mut other = 0;
        for k in (0..unit.chunks).filter(|k| unit.mask.bits[*k] != 0) {
            if affine && stride < 1 << 16 {
                let base = unit.d.base(register, k).wrapping_add(offset);
                other |= (base ^ first) | (base.wrapping_add(15 * stride) ^ first);
                continue;
            }
            for (l, address) in self.addresses(register, offset, k).into_iter().enumerate() {
                if unit.mask.bits[k] >> l & 1 == 1 {
                    other |= address ^ first;
                }
            }
        }
        if other >> WINDOW_BITS != 0 {
            return Layout::Apart;
        }
        match self.first_copy(first) {
            Some(object) => Layout::Object { object, dense: affine && stride == size },
            None => Layout::Apart,
        }
    }
}

/// What an access touched, as far as it is known at once: neighbours, or one place for each chunk.
pub(crate) struct Noted {
    is_known: bool,
    /// The object; of one that each block of the unit has a copy of, the first.
    place: Place,
    stride: u64,
    /// Where each chunk's elements begin, from the object's start.
    places: [u64; MAX_CHUNKS],
}

/// Bytes of the smallest elements that are noted: of smaller ones many are integers without twins, after
/// which nobody would ask.
pub(crate) const LEAST_NOTED: u64 = 4;

impl Default for Noted {
    fn default() -> Self {
        Noted { is_known: false, place: Place::Parameters, stride: 0, places: [0; MAX_CHUNKS] }
    }
}

impl Noted {
    #[inline(always)]
    pub(crate) fn note(&mut self, object: Object, stride: u64, places: &[u64]) {
        (self.is_known, self.place, self.stride) = (true, object.place, stride);
        self.places[..places.len()].copy_from_slice(places);
    }

    /// Where the table is, and how many bytes its start lies before the object's.
    #[inline(always)]
    fn home(&self) -> Option<(Home, u64)> {
        match self.place {
            Place::Buffer(index) => Some((Home::Buffer(index), 0)),
            Place::Shared(start) => Some((Home::Shared, start as u64)),
            Place::Parameters | Place::Local(_) => None,
        }
    }
}

/// What the last access has noted; it is given back after.
#[inline(always)]
fn take(m: &mut Machine<'_>) -> Option<Box<Noted>> {
    if !m.noted.as_ref()?.is_known {
        return None;
    }
    m.noted.take()
}

#[inline(always)]
fn give(m: &mut Machine<'_>, noted: Option<Box<Noted>>) {
    if let Some(mut noted) = noted {
        noted.is_known = false;
        m.noted = Some(noted);
    }
}

/// Loads twins of what was noted.
#[inline(always)]
fn load_noted(m: &mut Machine<'_>, i: &Inst, kind: Kind, noted: &Noted) {
    let (wide, size) = (kind.is_wide(), kind.size());
    let same = |m: &mut Machine<'_>| m.unit.twins(wide).set(i.d, State::Same);
    let Some((home, base)) = noted.home() else { return same(m) };
    if !m.tables(home).is_some_and(|tables| tables.has(size)) {
        return same(m);
    }
    let index = |k: usize| {
        let at = base.wrapping_add(noted.places[k]);
        at.is_multiple_of(size).then_some((at / size) as usize)
    };
    if kind != Kind::F32 || noted.stride != 4 {
        let start = m.unit.twins(wide).set_vector(i.d);
        let step = usize::from(noted.stride != 0);
        for k in 0..m.unit.chunks {
            if m.unit.mask.bits[k] != 0 {
                let first = index(k);
                load_chunk(m, i, kind, home, start, k, |l| first?.checked_add(l * step));
            }
        }
        return;
    }
    let tables = match home {
        Home::Buffer(index) => m.memory.twins.get(index),
        _ => Some(&m.shared_twins),
    };
    let Some(table) = tables.and_then(|tables| tables.of(4)) else { return same(m) };
    let unit = &mut m.unit;
    let (start, source) = (unit.word_twins.start[i.d as usize], unit.w.start(i.d));
    let mut found = false;
    for k in 0..unit.chunks {
        if unit.mask.bits[k] == 0 {
            continue;
        }
        let words = &unit.w.data[source + k];
        let at = base.wrapping_add(noted.places[k]);
        let range = (at / 4) as usize..(at / 4) as usize + CHUNK;
        let (mut hi, mut lo) = ([0.0; CHUNK], [0.0; CHUNK]);
        if at.is_multiple_of(4)
            && let (Some(low), Some(from_hi), Some(from_lo)) =
                (table.low.get(range.clone()), table.hi.get(range.clone()), table.lo.get(range))
        {
            let mut other = 0;
            for l in 0..CHUNK {
                other |= low[l] ^ words[l];
            }
            if other == 0 {
                found = true;
                hi.copy_from_slice(from_hi);
                lo.copy_from_slice(from_lo);
                unit.word_twins.write(start + k, hi, lo);
                continue;
            }
            let mut any = false;
            for l in 0..CHUNK {
                let same = low[l] == words[l];
                hi[l] = if same { from_hi[l] } else { f64::from(f32::from_bits(words[l])) };
                lo[l] = if same { from_lo[l] } else { 0.0 };
                any |= same;
            }
            found |= any;
        } else {
            for l in 0..CHUNK {
                let bits = words[l].into();
                let place = (at / 4) as usize + l;
                let twin = if at.is_multiple_of(4) { table.get(place, bits) } else { None };
                found |= twin.is_some();
                let twin = twin.unwrap_or(kind.value(bits));
                (hi[l], lo[l]) = (twin.hi, twin.lo);
            }
        }
        unit.word_twins.write(start + k, hi, lo);
    }
    unit.word_twins.set(i.d, if found { State::Vector } else { State::Same });
}

/// Stores twins where all lanes have stored to neighbours.
#[inline(always)]
fn store_noted(m: &mut Machine<'_>, i: &Inst, kind: Kind, state: State, noted: &Noted) {
    let size = kind.size();
    let integer = matches!(kind, Kind::I32 | Kind::U32 | Kind::I64 | Kind::U64);
    let Some((home, base)) = noted.home() else { return };
    if m.table(home, size, state != State::Same && !integer).is_none() {
        return;
    }
    m.has_twins = true;
    let tables = match home {
        Home::Buffer(index) => m.memory.twins.get_mut(index),
        _ => Some(&mut m.shared_twins),
    };
    let Some(table) = tables.and_then(|it| it.0[by_size(size)].as_deref_mut()) else { return };
    let unit = &m.unit;
    for k in 0..unit.chunks {
        let at = base.wrapping_add(noted.places[k]);
        if !at.is_multiple_of(size) {
            continue;
        }
        let first = (at / size) as usize;
        let bits: [u64; CHUNK] = match kind.is_wide() {
            true => unit.d.chunk(i.b, k),
            false => widened(unit.w.chunk(i.b, k)),
        };
        if state == State::Same || integer {
            // What has other bits is forgotten.
            if let Some(low) = table.low.get_mut(first..first + CHUNK) {
                for l in 0..CHUNK {
                    low[l] = !(bits[l] as u32);
                }
            }
            continue;
        }
        let (hi, lo) = unit.twin_chunk(i.b, state, kind, k);
        table.put_all(first, &bits, &hi, &lo);
    }
}

enum Layout {
    /// All lanes have one element.
    One(Spot),
    /// Each lane has its own in a row.
    Rows(Spot),
    /// All lie in one object, or each block's in its copy of one; neighbours beside each other if
    /// `dense`.
    Object { object: Object, dense: bool },
    /// Anything.
    Apart,
}

fn offset_of(i: &Inst) -> u64 {
    ((i.imm as i64) >> EXTRA) as u64
}

/// The twin of what was loaded to `d` from `a` and what is extra.
pub(crate) struct Load;
impl Kernel for Load {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let wide = kind.is_wide();
        let noted = take(m);
        if !m.has_twins || m.unit.mask.is_empty() {
            m.unit.twins(wide).set(i.d, State::Same);
        } else if let Some(noted) = &noted {
            load_noted(m, i, kind, noted);
        } else {
            load(m, i, kind);
        }
        give(m, noted);
    }
}

#[inline(always)]
fn load(m: &mut Machine<'_>, i: &Inst, kind: Kind) {
    let (wide, size, offset) = (kind.is_wide(), kind.size(), offset_of(i));
    let home = |object: Object| match object.place {
        Place::Buffer(index) => Home::Buffer(index),
        Place::Shared(_) => Home::Shared,
        _ => Home::Local,
    };
    match m.layout(i.a, offset, size) {
        Layout::One(spot) => {
            let lane = m.unit.mask.lowest();
            let bits = m.unit.bits_of(i.d, kind, lane);
            let found = m.tables(spot.home).and_then(|it| it.twin(size, spot.index, bits));
            let state = found.map_or(State::Same, State::Uniform);
            m.unit.twins(wide).set(i.d, state);
        }
        Layout::Rows(spot) => {
            if !m.tables(spot.home).is_some_and(|tables| tables.has(size)) {
                return m.unit.twins(wide).set(i.d, State::Same);
            }
            let start = m.unit.twins(wide).set_vector(i.d);
            for k in 0..m.unit.chunks {
                load_chunk(m, i, kind, spot.home, start, k, |l| Some(spot.index + k * CHUNK + l));
            }
        }
        Layout::Object { object, dense } => {
            let home = home(object);
            if !m.tables(home).is_some_and(|tables| tables.has(size)) {
                return m.unit.twins(wide).set(i.d, State::Same);
            }
            // The register of the addresses is not the result's.
            let start = m.unit.twins(wide).set_vector(i.d);
            for k in 0..m.unit.chunks {
                if m.unit.mask.bits[k] == 0 {
                    continue;
                }
                if dense {
                    let base = m.unit.d.base(i.a, k).wrapping_add(offset);
                    if let Some(first) = m.index(object, base, size, k) {
                        load_chunk(m, i, kind, home, start, k, |l| Some(first + l));
                        continue;
                    }
                }
                let addresses = m.addresses(i.a, offset, k);
                let mut places = [None; CHUNK];
                for (place, address) in places.iter_mut().zip(addresses) {
                    *place = m.index(object, address, size, k);
                }
                load_chunk(m, i, kind, home, start, k, |l| places[l]);
            }
        }
        Layout::Apart => {
            let start = m.unit.twins(wide).set_vector(i.d);
            for k in 0..m.unit.chunks {
                let addresses = m.addresses(i.a, offset, k);
                for (l, address) in addresses.into_iter().enumerate() {
                    if m.unit.mask.bits[k] >> l & 1 == 1 {
                        let lane = k * CHUNK + l;
                        let bits = m.unit.bits_of(i.d, kind, lane);
                        let twin = m.twin_at(address, kind, bits, lane);
                        let twins = m.unit.twins(wide);
                        (twins.hi[start + k][l], twins.lo[start + k][l]) = (twin.hi, twin.lo);
                    }
                }
            }
        }
    }
}

/// Loads the twins of a chunk: of lane `l` from `place(l)`.
#[inline(always)]
fn load_chunk(
    m: &mut Machine<'_>,
    i: &Inst,
    kind: Kind,
    home: Home,
    start: usize,
    k: usize,
    place: impl Fn(usize) -> Option<usize>,
) {
    let (mut hi, mut lo) = m.unit.twin_chunk(i.d, State::Same, kind, k);
    let bits: [u64; CHUNK] = match kind.is_wide() {
        true => m.unit.d.chunk(i.d, k),
        false => widened(m.unit.w.chunk(i.d, k)),
    };
    let Some(table) = m.tables(home).and_then(|tables| tables.of(kind.size())) else { return };
    let first = place(0).unwrap_or(usize::MAX);
    // Neighbours.
    if place(CHUNK - 1) == first.checked_add(CHUNK - 1)
        && (1..CHUNK - 1).all(|l| place(l) == Some(first + l))
        && let Some(same) = table.same(first, &bits)
    {
        let (from_hi, from_lo) = (&table.hi[first..first + CHUNK], &table.lo[first..first + CHUNK]);
        for l in 0..CHUNK {
            hi[l] = if same[l] { from_hi[l] } else { hi[l] };
            lo[l] = if same[l] { from_lo[l] } else { lo[l] };
        }
    } else {
        for l in 0..CHUNK {
            if let Some(twin) = place(l).and_then(|place| table.get(place, bits[l])) {
                (hi[l], lo[l]) = (twin.hi, twin.lo);
            }
        }
    }
    m.unit.twins(kind.is_wide()).write(start + k, hi, lo);
}

/// The twin of `b` goes where `b` was stored: to `a` and what is extra. An integer has none, and
/// makes what was there forgotten.
pub(crate) struct Store;
impl Kernel for Store {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let state = m.unit.twin_state(i, 1, i.b, kind);
        let noted = take(m);
        if m.unit.mask.is_empty() || !m.has_twins && state == State::Same {
            // There is nothing to forget.
        } else if let Some(noted) = &noted {
            store_noted(m, i, kind, state, noted);
        } else {
            store(m, i, kind, state);
        }
        give(m, noted);
    }
}

#[inline(always)]
fn store(m: &mut Machine<'_>, i: &Inst, kind: Kind, state: State) {
    let (size, offset) = (kind.size(), offset_of(i));
    let integer = matches!(kind, Kind::I32 | Kind::U32 | Kind::I64 | Kind::U64);
    let make = state != State::Same && !integer;
    match m.layout(i.a, offset, size) {
        Layout::Object { object, dense } => {
            let home = match object.place {
                Place::Buffer(index) => Home::Buffer(index),
                _ => Home::Shared,
            };
            if m.table(home, size, make).is_none() {
                return;
            }
            m.has_twins = true;
            for k in 0..m.unit.chunks {
                let mask = m.unit.mask.bits[k];
                if mask == 0 {
                    continue;
                }
                let bits: [u64; CHUNK] = match kind.is_wide() {
                    true => m.unit.d.chunk(i.b, k),
                    false => widened(m.unit.w.chunk(i.b, k)),
                };
                let bits = if size == 2 { bits.map(|bits| bits & 0xffff) } else { bits };
                let (hi, lo) = m.unit.twin_chunk(i.b, state, kind, k);
                let bits = if integer { bits.map(|bits| !bits) } else { bits };
                let addresses = m.addresses(i.a, offset, k);
                let mut places = [None; CHUNK];
                if dense {
                    // The first active lane's place says where the chunk lies.
                    let low = mask.trailing_zeros() as usize;
                    let Some(first) = m.index(object, addresses[low], size, k) else { continue };
                    let start = first.wrapping_sub(low);
                    let Some(table) = m.table(home, size, false) else { return };
                    if mask == u16::MAX && table.put_all(start, &bits, &hi, &lo) {
                        continue;
                    }
                    for (l, place) in places.iter_mut().enumerate() {
                        *place = Some(start.wrapping_add(l));
                    }
                } else {
                    for (place, address) in places.iter_mut().zip(addresses) {
                        *place = m.index(object, address, size, k);
                    }
                }
                let Some(table) = m.table(home, size, false) else { return };
                for (l, place) in places.into_iter().enumerate() {
                    if let Some(place) = place
                        && mask >> l & 1 == 1
                    {
                        table.put(place, bits[l], Dd::new(hi[l], lo[l]));
                    }
                }
            }
        }
        Layout::Rows(_) | Layout::One(_) | Layout::Apart => {
            for k in 0..m.unit.chunks {
                let addresses = m.addresses(i.a, offset, k);
                for (l, address) in addresses.into_iter().enumerate() {
                    if m.unit.mask.bits[k] >> l & 1 == 1 {
                        let lane = k * CHUNK + l;
                        let bits = m.unit.bits_of(i.b, kind, lane);
                        let bits = if size == 2 { bits & 0xffff } else { bits };
                        let twin = m.unit.twin_lane(i.b, state, kind, lane);
                        let bits = if integer { !bits } else { bits };
                        put(m, address, size, bits, twin, make, lane);
                    }
                }
            }
        }
    }
}

fn put(m: &mut Machine<'_>, address: u64, size: u64, bits: u64, twin: Dd, make: bool, lane: usize) {
    let Some(spot) = m.spot_at(address, size, lane) else { return };
    if let Some(table) = m.table(spot.home, size, make) {
        table.put(spot.index, bits, twin);
        m.has_twins = true;
    }
}

/// What an atomic instruction that has a twin says in its slot.
pub(crate) const TWINNED: u32 = 1 << 8;
/// The value has none.
pub(crate) const PLAIN: u32 = 1 << 9;

/// A lane's atomic operation has changed a float.
#[allow(clippy::too_many_arguments, reason = "what an atomic operation is")]
pub(crate) fn atomic(
    m: &mut Machine<'_>,
    i: &Inst,
    kind: Kind,
    what: Change,
    lane: usize,
    address: u64,
    [old, value, new]: [u64; 3],
) {
    let state = match i.slot & PLAIN != 0 {
        true => State::Same,
        false if kind.is_wide() => m.unit.double_twins.state(i.b),
        false => m.unit.word_twins.state(i.b),
    };
    let before = m.twin_at(address, kind, old, lane);
    let operand = m.unit.twin_lane(i.b, state, kind, lane);
    let twin = match what {
        Change::Add => before.add(operand),
        Change::Subtract => before.subtract(operand),
        Change::Exchange | Change::CompareExchange => operand,
        _ if new == old => before,
        _ if new == value => operand,
        _ => kind.value(new),
    };
    put(m, address, kind.size(), new, twin, true, lane);
    if i.slot & 1 != 0 {
        let (k, l) = (lane / CHUNK, lane % CHUNK);
        let twins = m.unit.twins(kind.is_wide());
        let start = twins.set_vector(i.d);
        (twins.hi[start + k][l], twins.lo[start + k][l]) = (before.hi, before.lo);
    }
}

/// The bits of an element of memory, wherever it lies.
fn bits_at(m: &Machine<'_>, address: u64, size: u64, lane: usize) -> Option<u64> {
    let object = m.object(address)?;
    let offset = address.wrapping_sub(object.base);
    if offset > object.size || object.size - offset < size {
        return None;
    }
    if let Place::Local(row) = object.place {
        return Some(read_local_bits(&m.unit, row, offset, size, lane));
    }
    let data = bytes_to_read(m.memory, &m.shared, &m.parameters, object);
    let bytes = data.get(offset as usize..(offset + size) as usize)?;
    let mut word = [0; 8];
    word[..size as usize].copy_from_slice(bytes);
    Some(u64::from_le_bytes(word))
}

/// A lane has copied bytes.
pub(crate) fn copied(m: &mut Machine<'_>, lane: usize, to: u64, from: u64, bytes: u64) {
    for size in [2, 4, 8] {
        let (Some(source), Some(target)) = (m.spot_at(from, size, lane), m.spot_at(to, size, lane))
        else {
            continue;
        };
        let known = m.tables(source.home).is_some_and(|tables| tables.has(size));
        if !known && !m.tables(target.home).is_some_and(|tables| tables.has(size)) {
            continue;
        }
        let mut at = 0;
        while at + size <= bytes {
            let (source, target) = (from.wrapping_add(at), to.wrapping_add(at));
            let Some(bits) = bits_at(m, target, size, lane) else { break };
            let twin = m
                .spot_at(source, size, lane)
                .and_then(|spot| m.tables(spot.home)?.twin(size, spot.index, bits));
            match twin {
                Some(twin) => put(m, target, size, bits, twin, true, lane),
                None => put(m, target, size, !bits, Dd::default(), false, lane),
            }
            at += size;
        }
    }
}

/// The twin of an element that an instruction loads lane by lane.
pub(crate) fn loaded(m: &Machine<'_>, address: u64, kind: Kind, bits: u64, lane: usize) -> Dd {
    m.twin_at(address, kind, bits, lane)
}

/// An instruction has stored an element lane by lane.
pub(crate) fn stored(
    m: &mut Machine<'_>,
    address: u64,
    kind: Kind,
    bits: u64,
    twin: Dd,
    lane: usize,
) {
    let make = twin != kind.value(bits);
    put(m, address, kind.size(), bits, twin, make, lane);
}
