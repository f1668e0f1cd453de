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
use super::{CHUNK, Exec, Inst, MAX_CHUNKS, Machine, Object, Op, Place, parallel};
use crate::check::screen;
use crate::program::Code;

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
    /// The joined form and the one of a chain, and whether the operation has three operands.
    pub(crate) own: Exec,
    pub(crate) chain: Exec,
    pub(crate) third: bool,
    /// What finds out where the operands lie.
    resolve: Exec,
}

impl Joined {
    /// An operation without loads yet; `run` and `imm` are those of its own instruction.
    pub(crate) fn new(work: Work, flush: bool, canonical: bool, run: Exec, imm: u64) -> Self {
        let (own, chain) = joined(work, flush, canonical);
        let (third, resolve) = (work != Work::Add, select::<Resolve>());
        Joined { loads: [None, None, None], run, imm, own, chain, third, resolve }
    }
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

/// The joined form of an operation, and the one of a chain.
fn joined(work: Work, flush: bool, canonical: bool) -> (Exec, Exec) {
    macro_rules! both {
        ($operation:ty) => {
            (select::<Join<$operation>>(), select::<Chain<$operation>>())
        };
    }
    macro_rules! form {
        ($flush:literal, $canonical:literal) => {
            match work {
                Work::Add => both!(AddF32<$flush, $canonical>),
                Work::MultiplyAdd { first: true } => {
                    both!(MultiplyAddF32<$flush, $canonical, true>)
                }
                Work::MultiplyAdd { first: false } => {
                    both!(MultiplyAddF32<$flush, $canonical, false>)
                }
                Work::Fused => both!(FusedF32<$flush, $canonical>),
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
        if m.watch.is_some() || !at_once::<O>(m, i) {
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
    /// The last place in the object, and whether each block has a copy of that.
    room: Option<(u64, bool)>,
}

#[derive(Clone, Copy)]
enum Start {
    Memory(*const u8),
    /// A chunk of the file of registers.
    Register(usize),
}

type Places = [u64; MAX_CHUNKS];

/// The most operations of a chain.
pub(crate) const MOST_STEPS: usize = 8;

/// Where operands lie, as [`Resolve`] has found it.
pub(crate) struct Sources {
    found: [Option<Source>; 2 * MOST_STEPS + 1],
    places: [Places; 2 * MOST_STEPS + 1],
    /// The operands that are asked for, a bit for each, and where the first goes.
    wanted: u32,
    first: usize,
}

impl Default for Sources {
    fn default() -> Self {
        let none = [None; 2 * MOST_STEPS + 1];
        Sources { found: none, places: [[0; MAX_CHUNKS]; 2 * MOST_STEPS + 1], wanted: 0, first: 0 }
    }
}

/// Finds out where the operands of a joined instruction lie: one kernel for all operations.
struct Resolve;
impl Kernel for Resolve {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let (Some(joined), Some(mut sources)) = (code.joined.get(i.imm as usize), m.sources.take())
        else {
            return;
        };
        let mut at = sources.first;
        for number in 0..3 {
            if sources.wanted >> number & 1 == 0 || at >= sources.found.len() {
                continue;
            }
            let register = [i.a, i.b, i.c][number];
            let found = source(m, joined, number, register, &mut sources.places[at]);
            sources.found[at] = found;
            at += 1;
            if found.is_none() {
                break;
            }
        }
        m.sources = Some(sources);
    }
}

/// Asks where operands lie, and puts that from `first` on; whether it is known of all.
#[inline(always)]
fn resolve(m: &mut Machine<'_>, i: &Inst, joined: &Joined, wanted: u32, first: usize) -> bool {
    let Some(sources) = &mut m.sources else { return false };
    (sources.wanted, sources.first) = (wanted, first);
    let end = first + wanted.count_ones() as usize;
    if end > sources.found.len() {
        return false;
    }
    sources.found[first..end].fill(None);
    // SAFETY: it comes from `lanes::select`, which chooses a form whose processor features were
    // found to be there.
    #[allow(unsafe_code)]
    unsafe {
        (joined.resolve)(m, i);
    }
    m.sources.as_ref().is_some_and(|it| it.found[first..end].iter().all(Option::is_some))
}

/// Applies the operation, if all that is loaded can be read where it lies; else does nothing.
#[inline(always)]
fn at_once<O: Three>(m: &mut Machine<'_>, i: &Inst) -> bool {
    let code = m.code;
    let Some(joined) = code.joined.get(i.imm as usize) else { return true };
    if !resolve(m, i, joined, if O::THIRD { 7 } else { 3 }, 0) {
        return false;
    }
    let (chunks, file) = (m.unit.chunks, &mut m.unit.w);
    let Some(sources) = &m.sources else { return false };
    let (Some(a), Some(b), third) = (sources.found[0], sources.found[1], sources.found[2]) else {
        return false;
    };
    let c = match (third, O::THIRD) {
        (Some(third), true) => third,
        (None, true) => return false,
        _ => a,
    };
    if a.is_one && b.is_one && c.is_one {
        return false;
    }
    let target = file.set_vector(i.d);
    let registers: *mut [u32; CHUNK] = file.data.as_mut_ptr();
    // SAFETY: registers have so many chunks; what the places lead to was found to lie in objects and
    // registers, whose words nobody changes but this loop, a whole chunk after it was read.
    #[allow(unsafe_code)]
    unsafe {
        let [x, y, z] = [0, 1, 2].map(|number| &sources.places[number][..chunks]);
        let sources = [(a.start(registers), x), (b.start(registers), y), (c.start(registers), z)];
        let out = registers.add(target);
        match (a.is_spread, b.is_spread, O::THIRD && c.is_spread) {
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

impl Source {
    /// Where its places count from, among registers that begin here.
    ///
    /// # Safety
    /// The chunk that it names is one of the registers'.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn start(self, registers: *mut [u32; CHUNK]) -> *const u8 {
        match self.start {
            Start::Memory(start) => start,
            // SAFETY: as the caller says.
            Start::Register(chunk) => unsafe { registers.add(chunk).cast_const().cast() },
        }
    }
}

/// Several joined instructions, each of which adds to what the one before has given: that stays with the
/// processor, chunk by chunk. `imm` is the first of `target` instructions, `slot` of `a` steps; `b` says
/// whether some of them is a move that lanes which are not active do not make.
pub(crate) struct Chain<O>(PhantomData<O>);
impl<O: Three> Kernel for Chain<O> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let (first, own) = (i.imm as usize, i.slot as usize);
        let (Some(each), Some(steps)) = (
            code.chained.get(first..first + i.target as usize),
            code.steps.get(own..own + i.a as usize),
        ) else {
            return;
        };
        // A move of what only some lanes have keeps the others.
        let moves = i.b != 0 && !m.unit.is_full();
        if m.watch.is_some() || moves || !together::<O>(m, steps) {
            for step in each {
                // SAFETY: every `run` comes from `lanes::select`, which chooses a form whose processor
                // features were found to be there.
                #[allow(unsafe_code)]
                unsafe {
                    (step.run)(m, step);
                }
                if m.fault.is_some() {
                    return;
                }
            }
        }
    }
}

/// Applies the operations of a chain, if all that is loaded can be read where it lies; else does nothing.
#[inline(always)]
fn together<O: Three>(m: &mut Machine<'_>, steps: &[Inst]) -> bool {
    let code = m.code;
    let count = steps.len();
    if count > MOST_STEPS {
        return false;
    }
    // Of the first all operands, of the others those beside the sum; what is spread for one would be
    // overwritten for the next.
    let (all, own): (u32, u32) = if O::THIRD { (7, 3) } else { (3, 2) };
    let each = own.count_ones() as usize;
    let Some(first) = steps.first().and_then(|step| code.joined.get(step.imm as usize)) else {
        return false;
    };
    // How far what a step loads lies behind what the first one does, where that is known at once.
    let mut behind = [[None; 2]; MOST_STEPS];
    let mut reach = [None; 2];
    for (number, step) in steps.iter().enumerate() {
        let Some(joined) = code.joined.get(step.imm as usize) else { return false };
        let plain = |operand: usize, register: u32| {
            joined.loads[operand].is_some() || m.unit.w.shape(register) == Shape::Vector
        };
        if number == 0 {
            // The sum is the first operand of two, or the third.
            if !resolve(m, step, joined, all, 0) {
                return false;
            }
            if !m.screening {
                let base = if O::THIRD { 0 } else { 1 };
                for (operand, reach) in reach.iter_mut().enumerate().take(each) {
                    *reach = reach_of(m, base + operand);
                }
            }
            continue;
        }
        for operand in 0..each {
            let load = if O::THIRD { operand } else { 1 };
            behind[number][operand] =
                match (&first.loads[load], &joined.loads[load], reach[operand]) {
                    (Some(first), Some(next), Some(reach)) => distance(first, next, reach),
                    _ => None,
                };
        }
        if behind[number][..each].iter().all(Option::is_some) {
            continue;
        }
        behind[number] = [None; 2];
        let fits = if O::THIRD { plain(0, step.a) && plain(1, step.b) } else { plain(1, step.b) };
        if !fits || !resolve(m, step, joined, own, each * number + 1) {
            return false;
        }
    }
    let Some(sources) = &m.sources else { return false };
    let chunks = m.unit.chunks;
    // The first step's operands come with the sum: before them, or after.
    let (sum, begin) = if O::THIRD { (2, 0) } else { (0, 1) };
    let place = |number: usize, operand: usize| match (number, O::THIRD) {
        (0, _) => begin + operand,
        _ => each * number + 1 + operand,
    };
    let Some(Some(start)) = sources.found.get(sum).copied() else { return false };
    if start.is_spread {
        return false;
    }
    let none = Source { start: Start::Register(0), is_spread: false, is_one: false, room: None };
    let mut found = [[none; 2]; MOST_STEPS];
    let mut at = [[0; 2]; MOST_STEPS];
    for number in 0..count {
        for operand in 0..each {
            let like = if behind[number][operand].is_some() { 0 } else { number };
            let index = place(like, operand);
            let Some(Some(source)) = sources.found.get(index).copied() else { return false };
            found[number][operand] = source;
            at[number][operand] = index;
        }
    }
    let (found, at) = (&found[..count], &at[..count]);
    let spread = [found[0][0].is_spread, found[0][1].is_spread];
    if found.iter().any(|it| [it[0].is_spread, it[1].is_spread] != spread) {
        return false;
    }
    let mut targets = [None; MOST_STEPS];
    for (number, step) in steps.iter().enumerate() {
        let target = m.unit.w.set_vector(step.d);
        // What the next step overwrites nobody sees.
        let is_seen = steps.get(number + 1).is_none_or(|next| next.d != step.d);
        targets[number] = is_seen.then_some(target);
    }
    let registers: *mut [u32; CHUNK] = m.unit.w.data.as_mut_ptr();
    // SAFETY: as in `at_once`. A step reads of the others' results only the sum.
    #[allow(unsafe_code)]
    unsafe {
        let none = [(std::ptr::null(), &sources.places[0]); 2];
        let mut from = [(none, std::ptr::null_mut()); MOST_STEPS];
        for (number, found) in found.iter().enumerate() {
            from[number].1 = match targets[number] {
                Some(target) => registers.add(target),
                None => std::ptr::null_mut(),
            };
            for operand in 0..each {
                let places = &sources.places[at[number][operand]];
                // The places are those of the first step, moved: inside the object too.
                let by = behind[number][operand].unwrap_or(0);
                let start = found[operand].start(registers).wrapping_offset(by);
                from[number].0[operand] = (start, places);
            }
        }
        let from = &from[..count];
        let sum = (start.start(registers), &sources.places[sum]);
        // Where all steps have the places of the first, and nobody sees what lies between.
        let alike = behind[1..count].iter().all(|by| by[..each].iter().all(Option::is_some))
            && targets[..count - 1].iter().all(Option::is_none);
        if O::THIRD && alike && (spread[0], spread[1]) == (true, false) {
            apply_alike::<O, true, false>(sum, from, chunks);
            return true;
        }
        if O::THIRD && alike && (spread[0], spread[1]) == (false, true) {
            apply_alike::<O, false, true>(sum, from, chunks);
            return true;
        }
        match (spread[0], spread[1] && O::THIRD) {
            (false, false) => apply_chain::<O, false, false>(sum, from, chunks),
            (true, false) => apply_chain::<O, true, false>(sum, from, chunks),
            (false, true) => apply_chain::<O, false, true>(sum, from, chunks),
            (true, true) => apply_chain::<O, true, true>(sum, from, chunks),
        }
    }
    true
}

/// How far the places of an operand may be moved down and up without leaving the object.
fn reach_of(m: &Machine<'_>, index: usize) -> Option<(u64, u64)> {
    let sources = m.sources.as_ref()?;
    let (limit, apart) = (*sources.found.get(index)?)?.room?;
    let jump = m.group.jump.as_flattened();
    let (mut low, mut high) = (u64::MAX, 0);
    for (k, place) in sources.places.get(index)?[..m.unit.chunks].iter().enumerate() {
        let at = if apart { place.wrapping_sub(*jump.get(k)?) } else { *place };
        (low, high) = (low.min(at), high.max(at));
    }
    Some((low, limit.checked_sub(high)?))
}

/// How far the places of a load lie behind another's from the same registers, if that is within reach.
fn distance(
    (first, form): &(Inst, Form),
    (next, other): &(Inst, Form),
    (down, up): (u64, u64),
) -> Option<isize> {
    let same = form == other
        && match form {
            Form::Address => first.a == next.a,
            Form::Element { .. } => {
                (first.b, first.c, first.target) == (next.b, next.c, next.target)
            }
        };
    let by = next.imm.wrapping_sub(first.imm) as i64;
    let fits = if by < 0 { by.unsigned_abs() <= down } else { by as u64 <= up };
    (same && fits).then_some(by as isize)
}

/// Where a step's operands lie beside the sum, and where its result goes, if anywhere.
type Step<'s> = ([(*const u8, &'s Places); 2], *mut [u32; CHUNK]);

/// Applies the operations of a chain to all chunks.
///
/// # Safety
/// As for [`apply`], with places for so many chunks.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn apply_chain<O: Three, const A: bool, const B: bool>(
    sum: (*const u8, &Places),
    from: &[Step<'_>],
    chunks: usize,
) {
    let chunks = chunks.min(MAX_CHUNKS);
    let whole = chunks / 4 * 4;
    for k in (0..whole).step_by(4) {
        // SAFETY: as the caller says.
        unsafe { apply_four::<O, A, B>(sum, from, k) }
    }
    for k in whole..chunks {
        // SAFETY: as the caller says.
        unsafe { apply_one::<O, A, B>(sum, from, k) }
    }
}

/// As [`apply_chain`], to the chunk `k`.
///
/// # Safety
/// As there.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn apply_one<O: Three, const A: bool, const B: bool>(
    sum: (*const u8, &Places),
    from: &[Step<'_>],
    k: usize,
) {
    // SAFETY: as the caller says.
    unsafe {
        let mut r = chunk::<false>(sum.0.add(sum.1[k] as usize));
        for ([a, b], out) in from {
            let a = a.0.wrapping_add(a.1[k] as usize);
            let b = if O::THIRD { b.0.wrapping_add(b.1[k] as usize) } else { a };
            r = step::<O, A, B>(r, a, b);
            if !out.is_null() {
                out.add(k).write(r);
            }
        }
    }
}

/// As [`apply_one`], to four chunks from `k` on: written out, because a loop over them would be done with
/// vectors across chunks.
///
/// # Safety
/// As there.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn apply_four<O: Three, const A: bool, const B: bool>(
    sum: (*const u8, &Places),
    from: &[Step<'_>],
    k: usize,
) {
    // SAFETY: as the caller says.
    unsafe {
        let start = four(sum.1, k);
        let mut r0 = chunk::<false>(sum.0.add(start[0]));
        let mut r1 = chunk::<false>(sum.0.add(start[1]));
        let mut r2 = chunk::<false>(sum.0.add(start[2]));
        let mut r3 = chunk::<false>(sum.0.add(start[3]));
        for ([a, b], out) in from {
            let (a, first) = (a.0, four(a.1, k));
            let (b, second) = if O::THIRD { (b.0, four(b.1, k)) } else { (a, first) };
            r0 = step::<O, A, B>(r0, a.wrapping_add(first[0]), b.wrapping_add(second[0]));
            r1 = step::<O, A, B>(r1, a.wrapping_add(first[1]), b.wrapping_add(second[1]));
            r2 = step::<O, A, B>(r2, a.wrapping_add(first[2]), b.wrapping_add(second[2]));
            r3 = step::<O, A, B>(r3, a.wrapping_add(first[3]), b.wrapping_add(second[3]));
            if !out.is_null() {
                let out = out.add(k);
                out.write(r0);
                out.add(1).write(r1);
                out.add(2).write(r2);
                out.add(3).write(r3);
            }
        }
    }
}

/// Four places from `k` on.
#[inline(always)]
fn four(places: &Places, k: usize) -> [usize; 4] {
    let places = &places[k..k + 4];
    [places[0] as usize, places[1] as usize, places[2] as usize, places[3] as usize]
}

/// Applies an operation to the sum and what lies at two places; of an operation of two, at the first.
///
/// # Safety
/// A chunk of words can be read there, or one word if it is spread.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn step<O: Three, const A: bool, const B: bool>(
    mut r: [u32; CHUNK],
    a: *const u8,
    b: *const u8,
) -> [u32; CHUNK] {
    // SAFETY: as the caller says.
    unsafe {
        let x = chunk::<A>(a);
        if O::THIRD {
            let y = chunk::<B>(b);
            for l in 0..CHUNK {
                r[l] = O::apply(x[l], y[l], r[l]);
            }
        } else {
            for l in 0..CHUNK {
                r[l] = O::apply(r[l], x[l], 0);
            }
        }
    }
    r
}

/// As [`apply_chain`] for steps whose operands all lie at the places of the first: some chunks at a time.
///
/// # Safety
/// As there; the last step has a place for its result.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn apply_alike<O: Three, const A: bool, const B: bool>(
    sum: (*const u8, &Places),
    from: &[Step<'_>],
    chunks: usize,
) {
    let (Some(([a, b], _)), Some((_, out))) = (from.first(), from.last()) else { return };
    let chunks = chunks.min(MAX_CHUNKS);
    let whole = chunks / 4 * 4;
    for k in (0..whole).step_by(4) {
        // SAFETY: as the caller says.
        unsafe {
            let (start, a, b) = (four(sum.1, k), four(a.1, k), four(b.1, k));
            let mut r0 = chunk::<false>(sum.0.add(start[0]));
            let mut r1 = chunk::<false>(sum.0.add(start[1]));
            let mut r2 = chunk::<false>(sum.0.add(start[2]));
            let mut r3 = chunk::<false>(sum.0.add(start[3]));
            for ([x, y], _) in from {
                let (x, y) = (x.0, y.0);
                r0 = step::<O, A, B>(r0, x.wrapping_add(a[0]), y.wrapping_add(b[0]));
                r1 = step::<O, A, B>(r1, x.wrapping_add(a[1]), y.wrapping_add(b[1]));
                r2 = step::<O, A, B>(r2, x.wrapping_add(a[2]), y.wrapping_add(b[2]));
                r3 = step::<O, A, B>(r3, x.wrapping_add(a[3]), y.wrapping_add(b[3]));
            }
            let out = out.add(k);
            out.write(r0);
            out.add(1).write(r1);
            out.add(2).write(r2);
            out.add(3).write(r3);
        }
    }
    for k in whole..chunks {
        // SAFETY: as the caller says.
        unsafe {
            let mut r = chunk::<false>(sum.0.add(sum.1[k] as usize));
            for ([x, y], _) in from {
                let (x, y) = (x.0.wrapping_add(a.1[k] as usize), y.0.wrapping_add(b.1[k] as usize));
                r = step::<O, A, B>(r, x, y);
            }
            out.add(k).write(r);
        }
    }
}

/// Makes chains of joined instructions that follow each other, and closes the gaps.
pub(crate) fn chain(code: &mut Code) {
    let instructions = &code.instructions;
    let mut aimed = vec![false; instructions.len() + 1];
    let is_control = |op: Op| !matches!(op, Op::Exec | Op::Checked);
    for inst in instructions.iter().filter(|inst| is_control(inst.op)) {
        if let Some(aimed) = aimed.get_mut(inst.target as usize) {
            *aimed = true;
        }
    }
    let entry = |inst: &Inst| {
        let joined = code.joined.get(inst.imm as usize)?;
        (inst.op == Op::Checked && std::ptr::fn_addr_eq(inst.run, joined.own)).then_some(joined)
    };
    // Whether an instruction adds to what the one before has given.
    let follows = |chain: &[Inst], next: &Inst| {
        let Some(before) = chain.last() else { return false };
        let is_result = |register: u32| chain.iter().any(|step| step.d == register);
        let (Some(first), Some(second)) = (entry(before), entry(next)) else { return false };
        let (sum, others) = match second.third {
            true => (2, [next.a, next.b]),
            false => (0, [next.b; 2]),
        };
        let sum_register = if second.third { next.c } else { next.a };
        std::ptr::fn_addr_eq(first.own, second.own)
            && sum_register == before.d
            && second.loads[sum].is_none()
            && (0..2).all(|operand| {
                let number = if second.third { operand } else { 1 };
                second.loads[number].is_some() || !is_result(others[operand])
            })
            && second.loads.iter().flatten().all(|(load, form)| {
                // Addresses lie elsewhere, but an index may be a word.
                *form == Form::Address || !is_result(load.c)
            })
    };
    // A step with the move of its result, which nobody needs then where it was.
    let swap = select::<super::integer::Swap32>();
    let step = |at: usize| {
        let inst = instructions.get(at)?;
        entry(inst)?;
        let moved = instructions.get(at + 1).filter(|next| {
            !aimed[at + 1]
                && next.op == Op::Exec
                && next.a == inst.d
                && std::ptr::fn_addr_eq(next.run, swap)
        });
        Some(match moved {
            Some(next) => (Inst { d: next.d, ..*inst }, 2),
            None => (*inst, 1),
        })
    };
    let (mut result, mut chained) = (Vec::with_capacity(instructions.len()), Vec::new());
    let mut all_steps: Vec<Inst> = Vec::new();
    let mut places = Vec::with_capacity(instructions.len() + 1);
    let mut at = 0;
    while let Some(inst) = instructions.get(at) {
        let mut count = 1;
        let mut steps: Vec<Inst> = Vec::new();
        if let Some((first, length)) = step(at) {
            steps.push(first);
            let mut end = length;
            while steps.len() < MOST_STEPS
                && aimed.get(at + end) == Some(&false)
                && let Some((next, length)) = step(at + end)
                && follows(&steps, &next)
            {
                steps.push(next);
                end += length;
            }
            if steps.len() > 1 {
                count = end;
            }
        }
        places.extend(std::iter::repeat_n(result.len() as u32, count));
        match entry(inst) {
            Some(joined) if steps.len() > 1 => {
                let (imm, target) = (chained.len() as u64, count as u32);
                let (slot, a) = (all_steps.len() as u32, steps.len() as u32);
                chained.extend_from_slice(&instructions[at..at + count]);
                all_steps.append(&mut steps);
                let moves = |inst: &Inst| entry(inst).is_none() && inst.imm == 0;
                let b = u32::from(instructions[at..at + count].iter().any(moves));
                result.push(Inst { run: joined.chain, imm, target, slot, a, b, ..*inst });
            }
            _ => result.push(*inst),
        }
        at += count;
    }
    places.push(result.len() as u32);
    for inst in result.iter_mut().filter(|inst| is_control(inst.op)) {
        if let Some(place) = places.get(inst.target as usize) {
            inst.target = *place;
        }
    }
    (code.instructions, code.chained, code.steps) = (result, chained, all_steps);
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
            let x = chunk::<A>(a.0.wrapping_add(a.1[k] as usize));
            let y = chunk::<B>(b.0.wrapping_add(b.1[k] as usize));
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
        room: None,
    })
}

/// What a load reads whose address is in a register.
#[inline(always)]
fn by_address(m: &mut Machine<'_>, load: &Inst, places: &mut Places) -> Option<Source> {
    let unit = &m.unit;
    let shape = unit.d.shape(load.a);
    if shape == Shape::Vector {
        return None;
    }
    let lane = if unit.is_full() { 0 } else { unit.mask.lowest() };
    let first = unit.d.get(load.a, lane).wrapping_add(load.imm);
    let object = m.first_copy(first).filter(|object| is_plain(m, *object))?;
    if shape == Shape::Uniform {
        return one(m, load, object, first, places);
    }
    let by = load.imm.wrapping_sub(object.base);
    let stride = unit.d.stride(load.a);
    found(m, load, object, stride, by, InRegister(load.a), places)
}

/// What a load reads from an element.
#[inline(always)]
fn by_element<const SIGNED: bool>(
    m: &mut Machine<'_>,
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
            return one(m, load, object, address, places);
        }
        let stride = m.unit.d.stride(load.b);
        return found(m, load, object, stride, by, InRegister(load.b), places);
    }
    let stride = extended_stride::<SIGNED>(m, load.c)?;
    let stride = stride.wrapping_mul(size).wrapping_add(m.unit.d.stride(load.b));
    let bases = Elements::<SIGNED> { base: load.b, index: load.c, size };
    found(m, load, object, stride, by, bases, places)
}

/// Whether an object can be read where it lies, and nobody wants to know.
#[inline(always)]
fn is_plain(m: &Machine<'_>, object: Object) -> bool {
    !matches!(object.place, Place::Local(_)) && !parallel::is_tracked(m, object, false)
}

/// One word for all chunks.
#[inline(always)]
fn one(
    m: &Machine<'_>,
    load: &Inst,
    object: Object,
    address: u64,
    places: &mut Places,
) -> Option<Source> {
    if m.screening && !screen::is_plain(m, load, object, address, 4) {
        return None;
    }
    let bytes = bytes_to_read(m.memory, &m.shared, &m.parameters, object);
    let at = usize::try_from(address.wrapping_sub(object.base)).ok()?;
    let word = bytes.get(at..at.checked_add(4)?)?;
    places[..m.unit.chunks].fill(0);
    let start = Start::Memory(word.as_ptr());
    Some(Source { start, is_spread: true, is_one: true, room: None })
}

/// Places that begin `by` behind what `bases` gives, if they are neighbours or one a chunk, and all
/// inside the object.
#[inline(always)]
fn found(
    m: &mut Machine<'_>,
    load: &Inst,
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
    let full = m.unit.is_full();
    if !all_within(m, by, limit, full, object, places, bases) {
        return None;
    }
    let chunks = m.unit.chunks;
    if m.screening && !screen::passes(m, load, object, &places[..chunks], stride, 4, false) {
        return None;
    }
    if !full {
        // Chunks without active lanes may lie anywhere: they read what an active one does.
        let mask = &m.unit.mask;
        let any = *places.get(mask.lowest() / CHUNK)?;
        for (place, bits) in places[..chunks].iter_mut().zip(&mask.bits) {
            *place = if *bits == 0 { any } else { *place };
        }
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
    let room = Some((limit, is_apart(m, object)));
    let start = Start::Memory(bytes.as_ptr());
    Some(Source { start, is_spread: stride == 0, is_one: false, room })
}
