//! Arithmetic whose operands come straight from memory.
//!
//! A joined instruction stands for loads of words and the operation that alone uses them. What all
//! lanes load from one object, as neighbours or one place a chunk, is read where it is used; whatever
//! else there is, and every access that somebody looks at, is left to the instructions it stands for.

use std::marker::PhantomData;

use super::access::{Bases, Element, InRegister, Word, all_copies, all_within, bytes_to_read};
use super::convert::{extend, extended_stride};
use super::float::{AddF32, FusedF32, MultiplyAddF32};
use super::fused::{Elements, object_at};
use super::lanes::{Kernel, select};
use super::registers::Shape;
use super::together::is_apart;
use super::{CHUNK, Exec, Inst, MAX_CHUNKS, Machine, Object, Place, parallel};

/// How a load's address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In a register.
    Address,
    /// An element's, by a signed or unsigned index.
    Element { signed: bool },
}

/// What a joined instruction stands for: loads, by the operand that they are, and the operation.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) loads: [Option<(Inst, Form)>; 3],
    pub(crate) run: Exec,
    pub(crate) imm: u64,
}

/// An operation of three words.
pub(crate) trait Three: 'static {
    /// Whether there is a third.
    const THIRD: bool;
    fn apply(a: u32, b: u32, c: u32) -> u32;
}

impl<const FLUSH: bool, const CANONICAL: bool> Three for AddF32<FLUSH, CANONICAL> {
    const THIRD: bool = false;
    #[inline(always)]
    fn apply(a: u32, b: u32, _: u32) -> u32 {
        AddF32::<FLUSH, CANONICAL>::apply(a, b)
    }
}

impl<const FLUSH: bool, const CANONICAL: bool, const FIRST: bool> Three
    for MultiplyAddF32<FLUSH, CANONICAL, FIRST>
{
    const THIRD: bool = true;
    #[inline(always)]
    fn apply(a: u32, b: u32, c: u32) -> u32 {
        super::float::multiplied_added::<FLUSH, CANONICAL, FIRST>(a, b, c)
    }
}

impl<const FLUSH: bool, const CANONICAL: bool> Three for FusedF32<FLUSH, CANONICAL> {
    const THIRD: bool = true;
    #[inline(always)]
    fn apply(a: u32, b: u32, c: u32) -> u32 {
        super::float::fused_once::<FLUSH, CANONICAL>(a, b, c)
    }
}

/// The operations that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Add,
    /// A product that is added to, rounded in between; whether it is the first operand.
    MultiplyAdd {
        first: bool,
    },
    Fused,
}

/// The joined form of an operation.
pub(crate) fn joined(work: Work, flush: bool, canonical: bool) -> Exec {
    macro_rules! form {
        ($flush:literal, $canonical:literal) => {
            match work {
                Work::Add => select::<Join<AddF32<$flush, $canonical>>>(),
                Work::MultiplyAdd { first: true } => {
                    select::<Join<MultiplyAddF32<$flush, $canonical, true>>>()
                }
                Work::MultiplyAdd { first: false } => {
                    select::<Join<MultiplyAddF32<$flush, $canonical, false>>>()
                }
                Work::Fused => select::<Join<FusedF32<$flush, $canonical>>>(),
            }
        };
    }
    match (flush, canonical) {
        (false, false) => form!(false, false),
        (false, true) => form!(false, true),
        (true, false) => form!(true, false),
        (true, true) => form!(true, true),
    }
}

/// `d = f(a, b, c)`, some of them loaded; `imm` is the number of what it stands for.
pub(crate) struct Join<O>(PhantomData<O>);
impl<O: Three> Kernel for Join<O> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.watch.is_some() || !m.unit.is_full() || !at_once::<O>(m, i) {
            one_by_one(m, i);
        }
    }
}

/// What the instruction stands for.
#[inline(never)]
fn one_by_one(m: &mut Machine<'_>, i: &Inst) {
    let code = m.code;
    let Some(joined) = code.joined.get(i.imm as usize) else { return };
    for (load, _) in joined.loads.iter().flatten() {
        // SAFETY: every `run` comes from `lanes::select`, which chooses a form whose processor
        // features were found to be there.
        #[allow(unsafe_code)]
        unsafe {
            (load.run)(m, load);
        }
        if m.fault.is_some() {
            return;
        }
    }
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        (joined.run)(m, &Inst { imm: joined.imm, ..*i });
    }
}

/// The chunks of an operand: a place for each, in bytes from a start.
#[derive(Clone, Copy)]
struct Source {
    start: Start,
    /// Whether a chunk is one word, that all lanes have.
    is_spread: bool,
    /// Whether all chunks are one.
    is_one: bool,
}

#[derive(Clone, Copy)]
enum Start {
    Memory(*const u8),
    /// A chunk of the file of registers.
    Register(usize),
}

type Places = [u64; MAX_CHUNKS];

/// Applies the operation, if all that is loaded can be read where it lies; else does nothing.
#[inline(always)]
fn at_once<O: Three>(m: &mut Machine<'_>, i: &Inst) -> bool {
    let code = m.code;
    let Some(joined) = code.joined.get(i.imm as usize) else { return true };
    let (mut x, mut y, mut z) = ([0; MAX_CHUNKS], [0; MAX_CHUNKS], [0; MAX_CHUNKS]);
    let Some(a) = source(m, joined, 0, i.a, &mut x) else { return false };
    let Some(b) = source(m, joined, 1, i.b, &mut y) else { return false };
    let third = if O::THIRD { source(m, joined, 2, i.c, &mut z) } else { None };
    let c = match (third, O::THIRD) {
        (Some(third), _) => third,
        (None, false) => a,
        (None, true) => return false,
    };
    if a.is_one && b.is_one && c.is_one {
        return false;
    }
    let (chunks, file) = (m.unit.chunks, &mut m.unit.w);
    let target = file.set_vector(i.d);
    let length = file.data.len();
    let registers: *mut [u32; CHUNK] = file.data.as_mut_ptr();
    // SAFETY: registers have so many chunks; what the places lead to was found to lie in objects and
    // registers, whose words nobody changes but this loop, a whole chunk after it was read.
    #[allow(unsafe_code)]
    unsafe {
        let start = |source: Source| match source.start {
            Start::Memory(start) => start,
            Start::Register(chunk) => registers.add(chunk.min(length)).cast_const().cast(),
        };
        let sources =
            [(start(a), &x[..chunks]), (start(b), &y[..chunks]), (start(c), &z[..chunks])];
        let out = registers.add(target);
        match (a.is_spread, b.is_spread, c.is_spread) {
            (false, false, false) => apply::<O, false, false, false>(sources, out),
            (true, false, false) => apply::<O, true, false, false>(sources, out),
            (false, true, false) => apply::<O, false, true, false>(sources, out),
            (true, true, false) => apply::<O, true, true, false>(sources, out),
            (false, false, true) => apply::<O, false, false, true>(sources, out),
            (true, false, true) => apply::<O, true, false, true>(sources, out),
            (false, true, true) => apply::<O, false, true, true>(sources, out),
            (true, true, true) => apply::<O, true, true, true>(sources, out),
        }
    }
    true
}

/// Applies the operation to all chunks.
///
/// # Safety
/// A chunk of words can be read at each place of a source, or one word if it is spread, and as many
/// chunks can be written.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn apply<O: Three, const A: bool, const B: bool, const C: bool>(
    [a, b, c]: [(*const u8, &[u64]); 3],
    out: *mut [u32; CHUNK],
) {
    for k in 0..a.1.len().min(b.1.len()).min(c.1.len()) {
        // SAFETY: as the caller says; there are as many places as chunks.
        unsafe {
            let x = chunk::<A>(a.0.add(a.1[k] as usize));
            let y = chunk::<B>(b.0.add(b.1[k] as usize));
            let z = match O::THIRD {
                true => chunk::<C>(c.0.add(c.1[k] as usize)),
                false => [0; CHUNK],
            };
            let mut r = [0; CHUNK];
            for l in 0..CHUNK {
                r[l] = O::apply(x[l], y[l], z[l]);
            }
            out.add(k).write(r);
        }
    }
}

/// The words at a place.
///
/// # Safety
/// They can be read.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn chunk<const SPREAD: bool>(place: *const u8) -> [u32; CHUNK] {
    if SPREAD {
        // SAFETY: as the caller says.
        return [u32::from_le_bytes(unsafe { place.cast::<[u8; 4]>().read() }); CHUNK];
    }
    // SAFETY: as the caller says.
    let words = unsafe { place.cast::<[[u8; 4]; CHUNK]>().read() };
    let mut values = [0; CHUNK];
    for l in 0..CHUNK {
        values[l] = u32::from_le_bytes(words[l]);
    }
    values
}

/// Where an operand's chunks lie: in memory, if it is loaded, else in its register.
#[inline(always)]
fn source(
    m: &mut Machine<'_>,
    joined: &Joined,
    number: usize,
    register: u32,
    places: &mut Places,
) -> Option<Source> {
    if let Some((load, form)) = &joined.loads[number] {
        return match form {
            Form::Address => by_address(m, load, places),
            Form::Element { signed: true } => by_element::<true>(m, load, places),
            Form::Element { signed: false } => by_element::<false>(m, load, places),
        };
    }
    let operand = m.unit.w.operand(register, number);
    let step = if operand.splat { 0 } else { 4 * CHUNK as u64 };
    for (k, place) in places[..m.unit.chunks].iter_mut().enumerate() {
        *place = k as u64 * step;
    }
    // Words of registers lie as the processor has them.
    let start = Start::Register(operand.start);
    cfg!(target_endian = "little").then_some(Source {
        start,
        is_spread: false,
        is_one: operand.splat,
    })
}

/// What a load reads whose address is in a register.
#[inline(always)]
fn by_address(m: &Machine<'_>, load: &Inst, places: &mut Places) -> Option<Source> {
    let unit = &m.unit;
    let shape = unit.d.shape(load.a);
    if shape == Shape::Vector {
        return None;
    }
    let first = unit.d.get(load.a, 0).wrapping_add(load.imm);
    let object = m.first_copy(first).filter(|object| is_plain(m, *object))?;
    if shape == Shape::Uniform {
        return one(m, object, first, places);
    }
    let by = load.imm.wrapping_sub(object.base);
    found(m, object, unit.d.stride(load.a), by, InRegister(load.a), places)
}

/// What a load reads from an element.
#[inline(always)]
fn by_element<const SIGNED: bool>(
    m: &Machine<'_>,
    load: &Inst,
    places: &mut Places,
) -> Option<Source> {
    let (size, pair) = (u64::from(load.target), [load.b, load.c]);
    let (base, index) = (m.unit.d.shape(load.b), m.unit.w.shape(load.c));
    if base == Shape::Vector || index == Shape::Vector {
        return None;
    }
    let object = object_at::<SIGNED>(m, pair, size, load.imm, Word::SIZE, false)?;
    let by = load.imm.wrapping_sub(object.base);
    if let Some(index) = m.unit.w.uniform(load.c) {
        let by = by.wrapping_add(extend::<SIGNED>(index).wrapping_mul(size));
        if let Some(base) = m.unit.d.uniform(load.b) {
            let address = base.wrapping_add(by).wrapping_add(object.base);
            return one(m, object, address, places);
        }
        return found(m, object, m.unit.d.stride(load.b), by, InRegister(load.b), places);
    }
    let stride = extended_stride::<SIGNED>(m, load.c)?;
    let stride = stride.wrapping_mul(size).wrapping_add(m.unit.d.stride(load.b));
    let bases = Elements::<SIGNED> { base: load.b, index: load.c, size };
    found(m, object, stride, by, bases, places)
}

/// Whether an object can be read where it lies, and nobody wants to know.
#[inline(always)]
fn is_plain(m: &Machine<'_>, object: Object) -> bool {
    !matches!(object.place, Place::Local(_)) && !parallel::is_tracked(m, object, false)
}

/// One word for all chunks.
#[inline(always)]
fn one(m: &Machine<'_>, object: Object, address: u64, places: &mut Places) -> Option<Source> {
    let bytes = bytes_to_read(m.memory, &m.shared, &m.parameters, object);
    let at = usize::try_from(address.wrapping_sub(object.base)).ok()?;
    let word = bytes.get(at..at.checked_add(4)?)?;
    places[..m.unit.chunks].fill(0);
    Some(Source { start: Start::Memory(word.as_ptr()), is_spread: true, is_one: true })
}

/// Places that begin `by` behind what `bases` gives, if they are neighbours or one a chunk, and all
/// inside the object.
#[inline(always)]
fn found(
    m: &Machine<'_>,
    object: Object,
    stride: u64,
    by: u64,
    bases: impl Bases,
    places: &mut Places,
) -> Option<Source> {
    let span = match stride {
        4 => 4 * CHUNK as u64,
        0 => 4,
        _ => return None,
    };
    let limit = object.size.checked_sub(span)?;
    if !all_within(m, by, limit, true, object, places, bases) {
        return None;
    }
    let bytes = bytes_to_read(m.memory, &m.shared, &m.parameters, all_copies(m, object));
    // All places are at most the limit, in some block's copy.
    let last = m.unit.chunks.checked_sub(1)?;
    let jump = match is_apart(m, object) {
        true => *m.group.jump.as_flattened().get(last)?,
        false => 0,
    };
    if object.size.checked_add(jump)? > bytes.len() as u64 {
        return None;
    }
    Some(Source { start: Start::Memory(bytes.as_ptr()), is_spread: stride == 0, is_one: false })
}
