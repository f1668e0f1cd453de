//! Instructions that make twins in registers. Each comes after the instruction that makes the value,
//! except moves, which come before.

use std::marker::PhantomData;

use port_float::F64Function;
use port_ir::MathFunction;

use super::dd::{self, Dd, LN_2, LN_10};
use super::{EXTRA, Kind, State, kind_of};
use crate::machine::lanes::Kernel;
use crate::machine::{CHUNK, Inst, Machine, Unit};

type Lanes = [f64; CHUNK];

#[inline(always)]
fn lanes1((ah, al): (Lanes, Lanes), f: impl Fn(Dd) -> Dd) -> (Lanes, Lanes) {
    let (mut hi, mut lo) = ([0.0; CHUNK], [0.0; CHUNK]);
    for l in 0..CHUNK {
        let r = f(Dd::new(ah[l], al[l]));
        (hi[l], lo[l]) = (r.hi, r.lo);
    }
    (hi, lo)
}

#[inline(always)]
fn lanes2(
    (ah, al): (Lanes, Lanes),
    (bh, bl): (Lanes, Lanes),
    f: impl Fn(Dd, Dd) -> Dd,
) -> (Lanes, Lanes) {
    let (mut hi, mut lo) = ([0.0; CHUNK], [0.0; CHUNK]);
    for l in 0..CHUNK {
        let r = f(Dd::new(ah[l], al[l]), Dd::new(bh[l], bl[l]));
        (hi[l], lo[l]) = (r.hi, r.lo);
    }
    (hi, lo)
}

#[inline(always)]
fn lanes3(
    (ah, al): (Lanes, Lanes),
    (bh, bl): (Lanes, Lanes),
    (ch, cl): (Lanes, Lanes),
    f: impl Fn(Dd, Dd, Dd) -> Dd,
) -> (Lanes, Lanes) {
    let (mut hi, mut lo) = ([0.0; CHUNK], [0.0; CHUNK]);
    for l in 0..CHUNK {
        let r = f(Dd::new(ah[l], al[l]), Dd::new(bh[l], bl[l]), Dd::new(ch[l], cl[l]));
        (hi[l], lo[l]) = (r.hi, r.lo);
    }
    (hi, lo)
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
                    let (hi, lo) = lanes1(a, O::apply);
                    unit.twins(kind.is_wide()).write(start + k, hi, lo);
                }
            }
        }
    }
}

/// What is done with two twins.
pub(crate) trait Two: 'static {
    fn apply(a: Dd, b: Dd) -> Dd;
}

macro_rules! two {
    ($($name:ident $method:ident;)*) => { $(
        pub(crate) struct $name;
        impl Two for $name {
            #[inline(always)]
            fn apply(a: Dd, b: Dd) -> Dd {
                a.$method(b)
            }
        }
    )* };
}

two! {
    Add add;
    Subtract subtract;
    Multiply multiply;
    Divide divide;
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
            let start = unit.twins(kind.is_wide()).start[i.d as usize];
            for k in 0..unit.chunks {
                let x = unit.twin_chunk(i.a, a, kind, k);
                let y = unit.twin_chunk(i.b, b, kind, k);
                let (hi, lo) = lanes2(x, y, O::apply);
                unit.twins(kind.is_wide()).write(start + k, hi, lo);
            }
            unit.twins(kind.is_wide()).set_vector(i.d);
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
            let start = unit.twins(kind.is_wide()).start[i.d as usize];
            // A product of values that are no f64 is exact.
            let exact = a == State::Same && b == State::Same && !kind.is_wide();
            for k in 0..unit.chunks {
                let x = unit.twin_chunk(i.a, a, kind, k);
                let y = unit.twin_chunk(i.b, b, kind, k);
                let z = unit.twin_chunk(i.c, c, kind, k);
                let (hi, lo) = if exact {
                    lanes3(x, y, z, |x, y, z| Dd::from(x.hi * y.hi).add(z))
                } else {
                    lanes3(x, y, z, Dd::fused)
                };
                unit.twins(kind.is_wide()).write(start + k, hi, lo);
            }
            unit.twins(kind.is_wide()).set_vector(i.d);
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
    let mut sum = ([1.0; CHUNK], [0.0; CHUNK]);
    for n in dd::TERMS {
        let inverse = dd::inverse(n);
        sum = lanes2(r, sum, |r, sum| r.multiply(inverse).fused(sum, Dd::new(1.0, 0.0)));
    }
    let mut e = lanes2(r, sum, Dd::multiply);
    for _ in 0..dd::SQUARES {
        e = lanes1(e, dd::squared);
    }
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
    let all = |a: (Lanes, Lanes), f: fn(Dd) -> bool| (0..CHUNK).all(|l| f(Dd::new(a.0[l], a.1[l])));
    match function {
        M::Exp | M::Exp2 | M::Exp10 => {
            let a = match function {
                M::Exp => a,
                M::Exp2 => lanes1(a, |a| a.multiply(LN_2)),
                _ => lanes1(a, |a| a.multiply(LN_10)),
            };
            // Not by `then`: a closure would not be compiled with this function's features.
            if all(a, Dd::is_ordinary) { Some(exp_together(a)) } else { None }
        }
        M::Log | M::Log2 | M::Log10 if all(a, |a| a.hi > 1e-300 && a.hi < 1e300) => {
            let y = a.0.map(f64::ln);
            let e = exp_together((y.map(|y| -y), [0.0; CHUNK]));
            let rest = lanes2(a, e, |a, e| a.fused(e, Dd::new(-1.0, 0.0)));
            let ln = lanes2((y, [0.0; CHUNK]), rest, Dd::add);
            Some(match function {
                M::Log => ln,
                M::Log2 => lanes1(ln, |ln| ln.divide(LN_2)),
                _ => lanes1(ln, |ln| ln.divide(LN_10)),
            })
        }
        M::Tanh if all(a, |a| a.hi.abs() > 1.0 / 512.0 && a.hi.abs() < 40.0) => {
            let e = exp_together(lanes1(a, |a| a.scale(2.0)));
            let one = Dd::new(1.0, 0.0);
            Some(lanes1(e, |e| e.subtract(one).divide(e.add(one))))
        }
        M::SquareRoot | M::ReciprocalSquareRoot if all(a, |a| a.hi > 1e-290 && a.hi < 1e290) => {
            let root = lanes1(a, Dd::sqrt_ordinary);
            Some(match function {
                M::SquareRoot => root,
                _ => lanes1(root, |root| Dd::new(1.0, 0.0).divide(root)),
            })
        }
        M::Reciprocal if all(a, |a| a.hi.abs() > 1e-290 && a.hi.abs() < 1e290) => {
            Some(lanes1(a, |a| Dd::new(1.0, 0.0).divide(a)))
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
