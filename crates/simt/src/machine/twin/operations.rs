//! Instructions that make twins in registers. Each comes after the instruction that makes the value,
//! except moves, which come before.

use std::marker::PhantomData;

use port_float::F64Function;
use port_ir::MathFunction;

use super::dd::{self, Dd, LN_2, LN_10};
use super::{EXTRA, Kind, State, Twins, kind_of};
use crate::machine::lanes::Kernel;
use crate::machine::{CHUNK, Inst, Machine, Unit};

type Lanes = [f64; CHUNK];

/// A number for each lane. Not a function of a closure, which might be compiled without the features of
/// the processor that are known where it is used.
macro_rules! lanes {
    ($($x:ident),+ => $value:expr) => {{
        let (mut hi, mut lo) = ([0.0; CHUNK], [0.0; CHUNK]);
        for l in 0..CHUNK {
            $(let $x = Dd::new($x.0[l], $x.1[l]);)+
            let result: Dd = $value;
            (hi[l], lo[l]) = (result.hi, result.lo);
        }
        (hi, lo)
    }};
}

/// Whether something holds in all lanes.
macro_rules! all {
    ($x:ident => $holds:expr) => {{
        let mut holds = true;
        for l in 0..CHUNK {
            let $x = Dd::new($x.0[l], $x.1[l]);
            holds &= $holds;
        }
        holds
    }};
}

/// What is done with one twin.
pub(crate) trait One: 'static {
    fn apply(a: Dd) -> Dd;
}

pub(crate) struct Negate;
impl One for Negate {
    #[inline(always)]
    fn apply(a: Dd) -> Dd {
        a.negate()
    }
}
pub(crate) struct Absolute;
impl One for Absolute {
    #[inline(always)]
    fn apply(a: Dd) -> Dd {
        a.absolute()
    }
}

/// `d = f(a)`, which is exact: where the operand is its own twin, so is the result.
pub(crate) struct Unary<O>(PhantomData<O>);
impl<O: One> Kernel for Unary<O> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let unit = &mut m.unit;
        match unit.twin_state(i, 0, i.a, kind) {
            State::Same => unit.twins(kind.is_wide()).set(i.d, State::Same),
            State::Uniform(a) => {
                unit.twins(kind.is_wide()).set(i.d, State::Uniform(O::apply(a)));
            }
            State::Vector => {
                let start = unit.twins(kind.is_wide()).set_vector(i.d);
                for k in 0..unit.chunks {
                    let a = unit.twin_chunk(i.a, State::Vector, kind, k);
                    let (hi, lo) = lanes!(a => O::apply(a));
                    unit.twins(kind.is_wide()).write(start + k, hi, lo);
                }
            }
        }
    }
}

/// What is done with two twins.
pub(crate) trait Two: 'static {
    fn apply(a: Dd, b: Dd) -> Dd;
    /// Where the second is a float of at most 24 bits; and where both are.
    fn with_single(a: Dd, b: f64) -> Dd;
    fn of_singles(a: f64, b: f64) -> Dd;
    /// Where the first is.
    fn of_single(a: f64, b: Dd) -> Dd;
}

macro_rules! two {
    ($($name:ident $apply:expr, $with_single:expr, $of_single:expr, $of_singles:expr;)*) => { $(
        pub(crate) struct $name;
        impl Two for $name {
            #[inline(always)]
            fn apply(a: Dd, b: Dd) -> Dd {
                $apply(a, b)
            }
            #[inline(always)]
            fn with_single(a: Dd, b: f64) -> Dd {
                $with_single(a, b)
            }
            #[inline(always)]
            fn of_single(a: f64, b: Dd) -> Dd {
                $of_single(a, b)
            }
            #[inline(always)]
            fn of_singles(a: f64, b: f64) -> Dd {
                $of_singles(a, b)
            }
        }
    )* };
}

#[inline(always)]
fn single(a: f64) -> Dd {
    Dd::new(a, 0.0)
}
#[inline(always)]
fn added_to(a: f64, b: Dd) -> Dd {
    b.add_one(a)
}
#[inline(always)]
fn sum(a: f64, b: f64) -> Dd {
    single(a).add_one(b)
}
#[inline(always)]
fn less(a: Dd, b: f64) -> Dd {
    a.add_one(-b)
}
#[inline(always)]
fn taken_from(a: f64, b: Dd) -> Dd {
    b.negate().add_one(a)
}
#[inline(always)]
fn difference(a: f64, b: f64) -> Dd {
    single(a).add_one(-b)
}
#[inline(always)]
fn times(a: f64, b: Dd) -> Dd {
    b.multiply_one(a)
}
/// It has at most 48 bits.
#[inline(always)]
fn product(a: f64, b: f64) -> Dd {
    single(a * b)
}
#[inline(always)]
fn divided(a: Dd, b: f64) -> Dd {
    a.divide(single(b))
}
#[inline(always)]
fn divider(a: f64, b: Dd) -> Dd {
    single(a).divide(b)
}
#[inline(always)]
fn quotient(a: f64, b: f64) -> Dd {
    single(a).divide(single(b))
}

two! {
    Add Dd::add, Dd::add_one, added_to, sum;
    Subtract Dd::subtract, less, taken_from, difference;
    Multiply Dd::multiply, Dd::multiply_one, times, product;
    Divide Dd::divide, divided, divider, quotient;
}

/// Where an operand's chunks lie: in its file of twins, or, of f32 that are their own twins, in the
/// file of words.
#[derive(Clone, Copy)]
struct Row {
    is_single: bool,
    start: usize,
    step: usize,
}

/// Finds an operand's chunks; what lies in none is put into a register for that.
#[inline(always)]
fn row(unit: &mut Unit, register: u32, state: State, kind: Kind, scratch: usize) -> Row {
    let chunks = unit.chunks;
    match (state, kind) {
        (State::Vector, _) => {
            let start = unit.twins(kind.is_wide()).start[register as usize];
            Row { is_single: false, start, step: 1 }
        }
        (State::Uniform(value), _) => {
            let twins = unit.twins(kind.is_wide());
            let start = twins.scratch(scratch, chunks);
            twins.write(start, [value.hi; CHUNK], [value.lo; CHUNK]);
            Row { is_single: false, start, step: 0 }
        }
        (State::Same, Kind::F32) => {
            let operand = unit.w.operand(register, scratch);
            Row { is_single: true, start: operand.start, step: usize::from(!operand.splat) }
        }
        (State::Same, _) => {
            let start = unit.twins(kind.is_wide()).scratch(scratch, chunks);
            for k in 0..chunks {
                let (hi, lo) = unit.twin_chunk(register, state, kind, k);
                unit.twins(kind.is_wide()).write(start + k, hi, lo);
            }
            Row { is_single: false, start, step: 1 }
        }
    }
}

/// As [`row`], in the file of twins in any case.
#[inline(always)]
fn twin_row(unit: &mut Unit, register: u32, state: State, kind: Kind, scratch: usize) -> Row {
    if (state, kind) != (State::Same, Kind::F32) {
        return row(unit, register, state, kind, scratch);
    }
    let start = unit.word_twins.scratch(scratch, unit.chunks);
    let source = row(unit, register, state, kind, scratch);
    let count = if source.step == 0 { 1 } else { unit.chunks };
    for k in 0..count {
        let values = singles(&unit.w.data[source.start + k]);
        unit.word_twins.write(start + k, values, [0.0; CHUNK]);
    }
    Row { is_single: false, start, step: source.step }
}

#[inline(always)]
fn singles(words: &[u32; CHUNK]) -> Lanes {
    let mut values = [0.0; CHUNK];
    for l in 0..CHUNK {
        values[l] = f64::from(f32::from_bits(words[l]));
    }
    values
}

/// What is done with up to three twins; of those that are singles, only the first part counts.
trait Form {
    const THIRD: bool;
    fn apply<const X: bool, const Y: bool, const Z: bool>(x: Dd, y: Dd, z: Dd) -> Dd;
}

impl<O: Two> Form for Binary<O> {
    const THIRD: bool = false;
    #[inline(always)]
    fn apply<const X: bool, const Y: bool, const Z: bool>(x: Dd, y: Dd, _: Dd) -> Dd {
        match (X, Y) {
            (true, true) => O::of_singles(x.hi, y.hi),
            (true, false) => O::of_single(x.hi, y),
            (false, true) => O::with_single(x, y.hi),
            (false, false) => O::apply(x, y),
        }
    }
}

impl Form for Fused {
    const THIRD: bool = true;
    #[inline(always)]
    fn apply<const X: bool, const Y: bool, const Z: bool>(x: Dd, y: Dd, z: Dd) -> Dd {
        match (X, Y, Z) {
            (true, true, true) => sum(x.hi * y.hi, z.hi),
            // A product of singles is exact.
            (true, true, false) => z.add_one(x.hi * y.hi),
            (true, false, _) => y.fused_one(x.hi, z),
            (false, true, _) => x.fused_one(y.hi, z),
            (false, false, _) => x.fused(y, z),
        }
    }
}

static ZEROS: Lanes = [0.0; CHUNK];

/// A chunk of an operand.
#[inline(always)]
fn part<'c, const SINGLE: bool>(
    hi: &'c [Lanes],
    lo: &'c [Lanes],
    words: &[[u32; CHUNK]],
    row: Row,
    k: usize,
    space: &'c mut Lanes,
) -> (&'c Lanes, &'c Lanes) {
    let at = row.start + row.step * k;
    if SINGLE {
        let words = &words[at];
        for l in 0..CHUNK {
            space[l] = f64::from(f32::from_bits(words[l]));
        }
        return (space, &ZEROS);
    }
    (&hi[at], &lo[at])
}

/// Makes the twins of a register, chunk by chunk: each is written after all that is read for it.
#[inline(always)]
fn apply<F: Form, const X: bool, const Y: bool, const Z: bool>(
    twins: &mut Twins,
    words: &[[u32; CHUNK]],
    [x, y, z]: [Row; 3],
    target: usize,
    chunks: usize,
) {
    for k in 0..chunks {
        let (mut sx, mut sy, mut sz) = ([0.0; CHUNK], [0.0; CHUNK], [0.0; CHUNK]);
        let (mut out_hi, mut out_lo) = ([0.0; CHUNK], [0.0; CHUNK]);
        {
            let (hi, lo): (&[Lanes], &[Lanes]) = (&twins.hi, &twins.lo);
            let x = part::<X>(hi, lo, words, x, k, &mut sx);
            let y = part::<Y>(hi, lo, words, y, k, &mut sy);
            let z = if F::THIRD { part::<Z>(hi, lo, words, z, k, &mut sz) } else { x };
            for l in 0..CHUNK {
                let result = F::apply::<X, Y, Z>(
                    Dd::new(x.0[l], x.1[l]),
                    Dd::new(y.0[l], y.1[l]),
                    Dd::new(z.0[l], z.1[l]),
                );
                (out_hi[l], out_lo[l]) = (result.hi, result.lo);
            }
        }
        twins.write(target + k, out_hi, out_lo);
    }
}

/// `d = f(a, b)`
pub(crate) struct Binary<O>(PhantomData<O>);
impl<O: Two> Kernel for Binary<O> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let unit = &mut m.unit;
        let (a, b) = (unit.twin_state(i, 0, i.a, kind), unit.twin_state(i, 1, i.b, kind));
        let uniform = (unit.uniform_twin(i.a, a, kind), unit.uniform_twin(i.b, b, kind));
        if let (Some(x), Some(y)) = uniform {
            unit.twins(kind.is_wide()).set(i.d, State::Uniform(O::apply(x, y)));
        } else {
            let (x, y) = (row(unit, i.a, a, kind, 0), row(unit, i.b, b, kind, 1));
            let (target, chunks) = (unit.twins(kind.is_wide()).set_vector(i.d), unit.chunks);
            let words: &[[u32; CHUNK]] = &unit.w.data;
            let rows = [x, y, x];
            match (kind.is_wide(), x.is_single, y.is_single) {
                (true, ..) => apply::<Self, false, false, false>(
                    &mut unit.double_twins,
                    words,
                    rows,
                    target,
                    chunks,
                ),
                (false, single, other) => {
                    let twins = &mut unit.word_twins;
                    match (single, other) {
                        (false, false) => {
                            apply::<Self, false, false, false>(twins, words, rows, target, chunks);
                        }
                        (false, true) => {
                            apply::<Self, false, true, false>(twins, words, rows, target, chunks);
                        }
                        (true, false) => {
                            apply::<Self, true, false, false>(twins, words, rows, target, chunks);
                        }
                        (true, true) => {
                            apply::<Self, true, true, false>(twins, words, rows, target, chunks);
                        }
                    }
                }
            }
        }
        if m.errors.is_some() {
            super::lanes::note_error(m, i, |m, lane| {
                let x = kind.value(m.unit.bits_of(i.a, kind, lane));
                O::apply(x, kind.value(m.unit.bits_of(i.b, kind, lane)))
            });
        }
    }
}

/// `d = a * b + c`
pub(crate) struct Fused;
impl Kernel for Fused {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let unit = &mut m.unit;
        let a = unit.twin_state(i, 0, i.a, kind);
        let b = unit.twin_state(i, 1, i.b, kind);
        let c = unit.twin_state(i, 2, i.c, kind);
        let uniform = (
            unit.uniform_twin(i.a, a, kind),
            unit.uniform_twin(i.b, b, kind),
            unit.uniform_twin(i.c, c, kind),
        );
        if let (Some(x), Some(y), Some(z)) = uniform {
            unit.twins(kind.is_wide()).set(i.d, State::Uniform(x.fused(y, z)));
        } else {
            let (mut x, mut y) = (row(unit, i.a, a, kind, 0), row(unit, i.b, b, kind, 1));
            let both = x.is_single && y.is_single;
            let z = match both {
                true => row(unit, i.c, c, kind, 2),
                false => twin_row(unit, i.c, c, kind, 2),
            };
            if x.is_single && !both {
                std::mem::swap(&mut x, &mut y);
            }
            let (target, chunks) = (unit.twins(kind.is_wide()).set_vector(i.d), unit.chunks);
            let words: &[[u32; CHUNK]] = &unit.w.data;
            let rows = [x, y, z];
            let twins = match kind.is_wide() {
                true => &mut unit.double_twins,
                false => &mut unit.word_twins,
            };
            match (both, y.is_single, z.is_single) {
                (true, _, true) => {
                    apply::<Self, true, true, true>(twins, words, rows, target, chunks);
                }
                (true, _, false) => {
                    apply::<Self, true, true, false>(twins, words, rows, target, chunks);
                }
                (false, true, _) => {
                    apply::<Self, false, true, false>(twins, words, rows, target, chunks);
                }
                (false, false, _) => {
                    apply::<Self, false, false, false>(twins, words, rows, target, chunks);
                }
            }
        }
        if m.errors.is_some() {
            super::lanes::note_error(m, i, |m, lane| {
                let [x, y, z] = [i.a, i.b, i.c]
                    .map(|register| kind.value(m.unit.bits_of(register, kind, lane)));
                x.fused(y, z)
            });
        }
    }
}

/// The twin of the operand whose value the result is: of the smaller or larger of two.
pub(crate) struct Choose;
impl Kernel for Choose {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let unit = &mut m.unit;
        let (a, b) = (unit.twin_state(i, 0, i.a, kind), unit.twin_state(i, 1, i.b, kind));
        if a == State::Same && b == State::Same {
            return unit.twins(kind.is_wide()).set(i.d, State::Same);
        }
        let start = unit.twins(kind.is_wide()).start[i.d as usize];
        for k in 0..unit.chunks {
            let (x, y) = (unit.twin_chunk(i.a, a, kind, k), unit.twin_chunk(i.b, b, kind, k));
            let (first, second) = match kind.is_wide() {
                true => {
                    let (d, a) = (unit.d.chunk(i.d, k), unit.d.chunk(i.a, k));
                    let b = unit.d.chunk(i.b, k);
                    (std::array::from_fn(|l| d[l] == a[l]), std::array::from_fn(|l| d[l] == b[l]))
                }
                false => {
                    let (d, a) = (unit.w.chunk(i.d, k), unit.w.chunk(i.a, k));
                    let b = unit.w.chunk(i.b, k);
                    (std::array::from_fn(|l| d[l] == a[l]), std::array::from_fn(|l| d[l] == b[l]))
                }
            };
            let (mut hi, mut lo) = (y.0, y.1);
            let (first, second): ([bool; CHUNK], [bool; CHUNK]) = (first, second);
            for l in 0..CHUNK {
                if first[l] {
                    (hi[l], lo[l]) = (x.0[l], x.1[l]);
                } else if !second[l] {
                    // A zero of another sign, a NaN: what the value is.
                    let value = kind.value(unit.bits_of(i.d, kind, k * CHUNK + l));
                    (hi[l], lo[l]) = (value.hi, value.lo);
                }
            }
            unit.twins(kind.is_wide()).write(start + k, hi, lo);
        }
        unit.twins(kind.is_wide()).set_vector(i.d);
    }
}

/// `d = c ? a : b`
pub(crate) struct Select;
impl Kernel for Select {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let unit = &mut m.unit;
        let (a, b) = (unit.twin_state(i, 0, i.a, kind), unit.twin_state(i, 1, i.b, kind));
        let (register, state) = match unit.b.uniform[i.c as usize] {
            Some(true) => (i.a, a),
            Some(false) => (i.b, b),
            None if a == State::Same && b == State::Same => (i.a, State::Same),
            None => {
                let start = unit.twins(kind.is_wide()).start[i.d as usize];
                for k in 0..unit.chunks {
                    let (x, y) =
                        (unit.twin_chunk(i.a, a, kind, k), unit.twin_chunk(i.b, b, kind, k));
                    let bits = u32::from(unit.b.chunk(i.c, k));
                    let (mut hi, mut lo) = y;
                    for l in 0..CHUNK {
                        let first = bits & (1 << l) != 0;
                        hi[l] = if first { x.0[l] } else { hi[l] };
                        lo[l] = if first { x.1[l] } else { lo[l] };
                    }
                    unit.twins(kind.is_wide()).write(start + k, hi, lo);
                }
                unit.twins(kind.is_wide()).set_vector(i.d);
                return;
            }
        };
        copy(unit, i.d, register, state, kind);
    }
}

/// Copies a twin in all lanes.
#[inline(always)]
fn copy(unit: &mut Unit, to: u32, from: u32, state: State, kind: Kind) {
    let chunks = unit.chunks;
    let twins = unit.twins(kind.is_wide());
    if state == State::Vector {
        let (source, target) = (twins.start[from as usize], twins.start[to as usize]);
        twins.hi.copy_within(source..source + chunks, target);
        twins.lo.copy_within(source..source + chunks, target);
    }
    twins.set(to, state);
}

/// To the lanes of a local variable that are active; all, if bit 0 of what is extra is set. `d` still
/// holds its old value.
#[inline(always)]
fn moved(unit: &mut Unit, i: &Inst, may_swap: bool) {
    let kind = kind_of(i);
    let state = unit.twin_state(i, 0, i.a, kind);
    if i.imm >> EXTRA & 1 == 1 || unit.is_full() {
        if may_swap && state == State::Vector {
            let twins = unit.twins(kind.is_wide());
            twins.start.swap(i.a as usize, i.d as usize);
            return twins.set(i.d, State::Vector);
        }
        return copy(unit, i.d, i.a, state, kind);
    }
    let old = unit.twins(kind.is_wide()).state(i.d);
    if old == State::Same && state == State::Same {
        return;
    }
    let start = unit.twins(kind.is_wide()).start[i.d as usize];
    for k in 0..unit.chunks {
        let mask = u32::from(unit.mask.bits[k]);
        if mask == 0 && old == State::Vector {
            continue;
        }
        let (mut hi, mut lo) = unit.twin_chunk(i.d, old, kind, k);
        let (new_hi, new_lo) = unit.twin_chunk(i.a, state, kind, k);
        for l in 0..CHUNK {
            let active = mask & (1 << l) != 0;
            hi[l] = if active { new_hi[l] } else { hi[l] };
            lo[l] = if active { new_lo[l] } else { lo[l] };
        }
        unit.twins(kind.is_wide()).write(start + k, hi, lo);
    }
    unit.twins(kind.is_wide()).set_vector(i.d);
}

/// A value goes to a local variable.
pub(crate) struct Move;
impl Kernel for Move {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        moved(&mut m.unit, i, false);
    }
}

/// The same of a value that nobody needs any more.
pub(crate) struct Swap;
impl Kernel for Swap {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        moved(&mut m.unit, i, true);
    }
}

/// `d` is `a` in another format: bits 0 to 2 of what is extra are its kind, bit 3 says that every
/// value has one there.
pub(crate) struct Convert;
impl Kernel for Convert {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let extra = i.imm >> EXTRA;
        let to = super::KINDS[(extra & 7) as usize];
        let unit = &mut m.unit;
        let state = unit.twin_state(i, 0, i.a, kind);
        match state {
            State::Same if extra & 8 != 0 => unit.twins(to.is_wide()).set(i.d, State::Same),
            _ if let Some(value) = unit.uniform_twin(i.a, state, kind) => {
                unit.twins(to.is_wide()).set(i.d, State::Uniform(value));
            }
            _ => {
                let start = unit.twins(to.is_wide()).start[i.d as usize];
                for k in 0..unit.chunks {
                    let (hi, lo) = unit.twin_chunk(i.a, state, kind, k);
                    unit.twins(to.is_wide()).write(start + k, hi, lo);
                }
                unit.twins(to.is_wide()).set_vector(i.d);
            }
        }
        if m.errors.is_some() && extra & 8 == 0 {
            super::lanes::note_error_as(m, i, to, |m, lane| {
                kind.value(m.unit.bits_of(i.a, kind, lane))
            });
        }
    }
}

/// A function and the f64 form of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwinFunction {
    pub(crate) function: MathFunction,
    pub(crate) value: F64Function,
    pub(crate) operands: usize,
    /// Which operand is an integer, if one is.
    pub(crate) integer: Option<usize>,
}

impl TwinFunction {
    fn value(&self, x: [f64; 4]) -> f64 {
        match self.value {
            F64Function::Unary(f) => f(x[0]),
            F64Function::Binary(f) => f(x[0], x[1]),
            F64Function::Ternary(f) => f(x[0], x[1], x[2]),
            F64Function::Quaternary(f) => f(x[0], x[1], x[2], x[3]),
            F64Function::WithI32(f) => f(x[0], x[1] as i32),
            F64Function::I32With(f) => f(x[0] as i32, x[1]),
            _ => f64::NAN,
        }
    }

    fn apply(&self, x: &[Dd; 4]) -> Option<Dd> {
        dd::function(self.function, x, |x| self.value(x))
    }
}

/// e^a of a chunk whose lanes are all ordinary: step by step for all lanes, so that they go together.
#[inline(always)]
fn exp_together(a: (Lanes, Lanes)) -> (Lanes, Lanes) {
    let mut shifted = [0.0; CHUNK];
    for (shifted, hi) in shifted.iter_mut().zip(a.0) {
        *shifted = dd::shifted(hi);
    }
    let mut r = ([0.0; CHUNK], [0.0; CHUNK]);
    for (l, shifted) in shifted.into_iter().enumerate() {
        let reduced = dd::reduced(Dd::new(a.0[l], a.1[l]), shifted);
        (r.0[l], r.1[l]) = (reduced.hi, reduced.lo);
    }
    let (mut coarse, mut fine) = (([0.0; CHUNK], [0.0; CHUNK]), ([0.0; CHUNK], [0.0; CHUNK]));
    dd::gather(&shifted, [&mut coarse.0, &mut coarse.1], [&mut fine.0, &mut fine.1]);
    let mut e = lanes!(r, coarse, fine => dd::power(r, coarse, fine));
    for (l, shifted) in shifted.into_iter().enumerate() {
        let value = dd::scaled(Dd::new(e.0[l], e.1[l]), shifted);
        (e.0[l], e.1[l]) = (value.hi, value.lo);
    }
    e
}

/// Functions of a chunk whose lanes can go together; `None` for others.
#[inline(always)]
fn together(function: MathFunction, a: (Lanes, Lanes)) -> Option<(Lanes, Lanes)> {
    use MathFunction as M;
    let one = Dd::new(1.0, 0.0);
    match function {
        M::Exp | M::Exp2 | M::Exp10 => {
            let a = match function {
                M::Exp => a,
                M::Exp2 => lanes!(a => a.multiply(LN_2)),
                _ => lanes!(a => a.multiply(LN_10)),
            };
            if all!(a => a.is_ordinary()) { Some(exp_together(a)) } else { None }
        }
        M::Log | M::Log2 | M::Log10 if all!(a => a.hi > 1e-300 && a.hi < 1e300) => {
            let (mut y, mut minus) = (([0.0; CHUNK], [0.0; CHUNK]), ([0.0; CHUNK], [0.0; CHUNK]));
            for l in 0..CHUNK {
                y.0[l] = a.0[l].ln();
                minus.0[l] = -y.0[l];
            }
            let e = exp_together(minus);
            let rest = lanes!(a, e => a.fused(e, Dd::new(-1.0, 0.0)));
            let ln = lanes!(y, rest => y.add(rest));
            Some(match function {
                M::Log => ln,
                M::Log2 => lanes!(ln => ln.divide(LN_2)),
                _ => lanes!(ln => ln.divide(LN_10)),
            })
        }
        M::Tanh if all!(a => a.hi.abs() > 1.0 / 512.0 && a.hi.abs() < 40.0) => {
            let a = lanes!(a => a.scale(2.0));
            let e = exp_together(a);
            Some(lanes!(e => e.subtract(one).divide(e.add(one))))
        }
        M::SquareRoot | M::ReciprocalSquareRoot if all!(a => a.hi > 1e-290 && a.hi < 1e290) => {
            let root = lanes!(a => a.sqrt_ordinary());
            Some(match function {
                M::SquareRoot => root,
                _ => lanes!(root => one.divide(root)),
            })
        }
        M::Reciprocal if all!(a => a.hi.abs() > 1e-290 && a.hi.abs() < 1e290) => {
            Some(lanes!(a => one.divide(a)))
        }
        _ => None,
    }
}

/// `d = f(a, b, c, slot)`; what is extra is the function's number.
pub(crate) struct Function;
impl Kernel for Function {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let Some(function) = code.twin_functions.get((i.imm >> EXTRA) as usize) else { return };
        let kind = kind_of(i);
        let unit = &mut m.unit;
        let registers = [i.a, i.b, i.c, i.slot];
        let kinds: [Kind; 4] = std::array::from_fn(|n| match function.integer {
            Some(integer) if integer == n => Kind::I32,
            _ => kind,
        });
        let states: [State; 4] = std::array::from_fn(|n| match n < function.operands {
            true => unit.twin_state(i, n as u32, registers[n], kinds[n]),
            false => State::Uniform(Dd::default()),
        });
        let uniform: [Option<Dd>; 4] =
            std::array::from_fn(|n| unit.uniform_twin(registers[n], states[n], kinds[n]));
        if let [Some(a), Some(b), Some(c), Some(d)] = uniform {
            let state = function.apply(&[a, b, c, d]).map_or(State::Same, State::Uniform);
            unit.twins(kind.is_wide()).set(i.d, state);
        } else {
            let start = unit.twins(kind.is_wide()).start[i.d as usize];
            for k in 0..unit.chunks {
                let first = unit.twin_chunk(registers[0], states[0], kinds[0], k);
                // Lanes that are not active hold anything.
                let mut active = first;
                for l in 0..CHUNK {
                    if u32::from(unit.mask.bits[k]) & (1 << l) == 0 {
                        (active.0[l], active.1[l]) = (1.0, 0.0);
                    }
                }
                if let Some((hi, lo)) = together(function.function, active) {
                    unit.twins(kind.is_wide()).write(start + k, hi, lo);
                    continue;
                }
                let mut x = [first; 4];
                for n in 1..function.operands {
                    x[n] = unit.twin_chunk(registers[n], states[n], kinds[n], k);
                }
                let (mut hi, mut lo) = ([0.0; CHUNK], [0.0; CHUNK]);
                let mask = unit.mask.bits[k];
                for l in 0..CHUNK {
                    if mask >> l & 1 == 0 {
                        continue;
                    }
                    let operands = x.map(|(hi, lo)| Dd::new(hi[l], lo[l]));
                    let value = function.apply(&operands);
                    // What is a matter of the value is the value.
                    let value =
                        value.unwrap_or_else(|| kind.value(unit.bits_of(i.d, kind, k * CHUNK + l)));
                    (hi[l], lo[l]) = (value.hi, value.lo);
                }
                unit.twins(kind.is_wide()).write(start + k, hi, lo);
            }
            unit.twins(kind.is_wide()).set_vector(i.d);
        }
        if m.errors.is_some() {
            super::lanes::note_error(m, i, |m, lane| {
                let operands: [Dd; 4] = std::array::from_fn(|n| match n < function.operands {
                    true => kinds[n].value(m.unit.bits_of(registers[n], kinds[n], lane)),
                    false => Dd::default(),
                });
                let here = kind.value(m.unit.bits_of(i.d, kind, lane));
                function.apply(&operands).unwrap_or(here)
            });
        }
    }
}
