//! Float operations. f32 and f64 are registers of their bits; f16 and bf16 are kept as bits in words.
//!
//! Rounding to nearest without or with flushing is compiled for each operation; other roundings go
//! through a form that reads the flags.

use port_float::arithmetic;
use port_float::{F32Function, F64Function};
use port_ir::{FloatFlags, FloatOp, Rounding};

use super::lanes::{Kernel, compare, cross1, map1, map2, map3, select, test1};
use super::registers::Raw;
use super::{CHUNK, Exec, Inst, Machine};

/// The flags of operations that are compiled apart.
#[inline(always)]
const fn flags(flush: bool) -> FloatFlags {
    FloatFlags { flush, ..FloatFlags::STRICT }
}

#[inline(always)]
fn single(bits: u32) -> f32 {
    f32::from_bits(bits)
}
#[inline(always)]
fn double(bits: u64) -> f64 {
    f64::from_bits(bits)
}

#[inline(always)]
fn done<const CANONICAL: bool>(x: f32) -> u32 {
    if CANONICAL { arithmetic::canonical_f32(x).to_bits() } else { x.to_bits() }
}

macro_rules! f32_binary {
    ($($name:ident |$a:ident, $b:ident| $e:expr, |$fa:ident, $fb:ident, $flags:ident| $f:expr;)*) => { $(
        pub(crate) struct $name<const FLUSH: bool, const CANONICAL: bool>;
        impl<const FLUSH: bool, const CANONICAL: bool> Kernel for $name<FLUSH, CANONICAL> {
            const HOT: bool = true;
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                map2(&mut m.unit.w, i.d, i.a, i.b, Self::apply)
            }
        }
        impl<const FLUSH: bool, const CANONICAL: bool> $name<FLUSH, CANONICAL> {
            #[inline(always)]
            pub(super) fn apply(a: u32, b: u32) -> u32 {
                let (a, b) = (single(a), single(b));
                done::<CANONICAL>(if FLUSH {
                    let ($fa, $fb, $flags) = (a, b, flags(true));
                    $f
                } else {
                    let ($a, $b) = (a, b);
                    $e
                })
            }
        }
    )* };
}

f32_binary! {
    AddF32 |a, b| a + b, |a, b, f| arithmetic::f32::add(a, b, f);
    SubtractF32 |a, b| a - b, |a, b, f| arithmetic::f32::sub(a, b, f);
    MultiplyF32 |a, b| a * b, |a, b, f| arithmetic::f32::mul(a, b, f);
    DivideF32 |a, b| a / b, |a, b, f| arithmetic::f32::div(a, b, f);
    MinF32 |a, b| arithmetic::f32::min(a, b, FloatFlags::STRICT), |a, b, f| arithmetic::f32::min(a, b, f);
    MaxF32 |a, b| arithmetic::f32::max(a, b, FloatFlags::STRICT), |a, b, f| arithmetic::f32::max(a, b, f);
    MinNanF32 |a, b| arithmetic::f32::min_nan(a, b, FloatFlags::STRICT), |a, b, f| arithmetic::f32::min_nan(a, b, f);
    MaxNanF32 |a, b| arithmetic::f32::max_nan(a, b, FloatFlags::STRICT), |a, b, f| arithmetic::f32::max_nan(a, b, f);
}

/// `a * b + c`, or `c + a * b` if the product is not `FIRST`: rounded after each.
pub(crate) struct MultiplyAddF32<const FLUSH: bool, const CANONICAL: bool, const FIRST: bool>;
impl<const FLUSH: bool, const CANONICAL: bool, const FIRST: bool> Kernel
    for MultiplyAddF32<FLUSH, CANONICAL, FIRST>
{
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        map3(&mut m.unit.w, i, multiplied_added::<FLUSH, CANONICAL, FIRST>)
    }
}

#[inline(always)]
pub(super) fn multiplied_added<const FLUSH: bool, const CANONICAL: bool, const FIRST: bool>(
    a: u32,
    b: u32,
    c: u32,
) -> u32 {
    let (a, b, c) = (single(a), single(b), single(c));
    let product = if FLUSH { arithmetic::f32::mul(a, b, flags(true)) } else { a * b };
    let product = single(done::<CANONICAL>(product));
    let (a, b) = if FIRST { (product, c) } else { (c, product) };
    done::<CANONICAL>(if FLUSH { arithmetic::f32::add(a, b, flags(true)) } else { a + b })
}

/// The form of a product that is added to.
pub(crate) fn multiply_add(flush: bool, canonical: bool, first: bool) -> Exec {
    macro_rules! form {
        ($flush:literal, $canonical:literal) => {
            match first {
                true => select::<MultiplyAddF32<$flush, $canonical, true>>(),
                false => select::<MultiplyAddF32<$flush, $canonical, false>>(),
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

/// `a * b + c`, rounded once.
pub(crate) struct FusedF32<const FLUSH: bool, const CANONICAL: bool>;
impl<const FLUSH: bool, const CANONICAL: bool> Kernel for FusedF32<FLUSH, CANONICAL> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        map3(&mut m.unit.w, i, fused_once::<FLUSH, CANONICAL>)
    }
}

#[inline(always)]
pub(super) fn fused_once<const FLUSH: bool, const CANONICAL: bool>(a: u32, b: u32, c: u32) -> u32 {
    let (a, b, c) = (single(a), single(b), single(c));
    done::<CANONICAL>(if FLUSH {
        fused_flushed(arithmetic::flush_f32(a), arithmetic::flush_f32(b), arithmetic::flush_f32(c))
    } else {
        a.mul_add(b, c)
    })
}

/// The exact result is rounded, then flushed: the processor's own rounding sees the subnormal.
#[inline(always)]
fn fused_flushed(a: f32, b: f32, c: f32) -> f32 {
    arithmetic::flush_f32(a.mul_add(b, c))
}

macro_rules! f64_binary {
    ($($name:ident |$a:ident, $b:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                #[inline(always)]
                fn apply(a: u64, b: u64) -> u64 {
                    let ($a, $b) = (double(a), double(b));
                    let r: f64 = $e;
                    r.to_bits()
                }
                map2(&mut m.unit.d, i.d, i.a, i.b, apply)
            }
        }
    )* };
}

f64_binary! {
    AddF64 |a, b| a + b;
    SubtractF64 |a, b| a - b;
    MultiplyF64 |a, b| a * b;
    DivideF64 |a, b| a / b;
    MinF64 |a, b| arithmetic::f64::min(a, b, FloatFlags::STRICT);
    MaxF64 |a, b| arithmetic::f64::max(a, b, FloatFlags::STRICT);
    MinNanF64 |a, b| arithmetic::f64::min_nan(a, b, FloatFlags::STRICT);
    MaxNanF64 |a, b| arithmetic::f64::max_nan(a, b, FloatFlags::STRICT);
}

f64_binary! {
    MinSecondF64 |a, b| arithmetic::f64::min_second(a, b);
    MaxSecondF64 |a, b| arithmetic::f64::max_second(a, b);
}
f32_binary! {
    MinSecondF32 |a, b| arithmetic::f32::min_second(a, b), |a, b, _f| arithmetic::f32::min_second(a, b);
    MaxSecondF32 |a, b| arithmetic::f32::max_second(a, b), |a, b, _f| arithmetic::f32::max_second(a, b);
}

/// The smaller or larger as a C library has it: of equal numbers the second.
pub(crate) fn as_in_c(scalar: port_ir::Scalar, op: FloatOp) -> Option<Exec> {
    use port_ir::Scalar as S;
    Some(match (scalar, op) {
        (S::F32, FloatOp::Minimum) => select::<MinSecondF32<false, false>>(),
        (S::F32, FloatOp::Maximum) => select::<MaxSecondF32<false, false>>(),
        (S::F64, FloatOp::Minimum) => select::<MinSecondF64>(),
        (S::F64, FloatOp::Maximum) => select::<MaxSecondF64>(),
        _ => return None,
    })
}

/// `a * b + c`, rounded once.
pub(crate) struct FusedF64;
impl Kernel for FusedF64 {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        #[inline(always)]
        fn apply(a: u64, b: u64, c: u64) -> u64 {
            double(a).mul_add(double(b), double(c)).to_bits()
        }
        map3(&mut m.unit.d, i, apply)
    }
}

/// The number of a float operation in [`encode`]; fused multiply-add is the one after.
fn number(op: FloatOp) -> u64 {
    match op {
        FloatOp::Add => 0,
        FloatOp::Subtract => 1,
        FloatOp::Multiply => 2,
        FloatOp::Divide => 3,
        FloatOp::Minimum => 4,
        FloatOp::Maximum => 5,
        FloatOp::MinimumNan => 6,
        FloatOp::MaximumNan => 7,
    }
}

/// What an instruction that reads its flags needs to know.
pub(crate) fn encode(op: Option<FloatOp>, flags: FloatFlags, canonical: bool) -> u64 {
    let rounding = match flags.rounding {
        Rounding::NearestEven => 0,
        Rounding::TowardZero => 1,
        Rounding::Up => 2,
        Rounding::Down => 3,
        Rounding::NearestAway => 4,
    };
    op.map_or(8, number)
        | rounding << 8
        | u64::from(flags.flush) << 16
        | u64::from(canonical) << 17
        | u64::from(flags.approximate) << 18
}

pub(crate) fn rounding(imm: u64) -> Rounding {
    match imm >> 8 & 15 {
        0 => Rounding::NearestEven,
        1 => Rounding::TowardZero,
        2 => Rounding::Up,
        3 => Rounding::Down,
        _ => Rounding::NearestAway,
    }
}

fn decode(imm: u64) -> (u64, FloatFlags, bool) {
    let flags = FloatFlags {
        contract: false,
        approximate: imm >> 18 & 1 == 1,
        flush: imm >> 16 & 1 == 1,
        rounding: rounding(imm),
    };
    (imm & 15, flags, imm >> 17 & 1 == 1)
}

macro_rules! by_flags {
    ($binary:ident, $fused:ident, $file:ident, $raw:ty, $module:ident, $load:expr, $store:expr) => {
        /// An operation of two floats with any flags.
        pub(crate) struct $binary;
        impl Kernel for $binary {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                use arithmetic::$module as f;
                let (op, flags, canonical) = decode(i.imm);
                map2(&mut m.unit.$file, i.d, i.a, i.b, |a: $raw, b: $raw| {
                    let (a, b) = ($load(a), $load(b));
                    let r = match op {
                        0 => f::add(a, b, flags),
                        1 => f::sub(a, b, flags),
                        2 => f::mul(a, b, flags),
                        3 => f::div(a, b, flags),
                        4 => f::min(a, b, flags),
                        5 => f::max(a, b, flags),
                        6 => f::min_nan(a, b, flags),
                        _ => f::max_nan(a, b, flags),
                    };
                    $store(r, canonical)
                })
            }
        }

        /// `a * b + c` with any flags.
        pub(crate) struct $fused;
        impl Kernel for $fused {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                use arithmetic::$module as f;
                let (_, flags, canonical) = decode(i.imm);
                map3(&mut m.unit.$file, i, |a: $raw, b: $raw, c: $raw| {
                    $store(f::fma($load(a), $load(b), $load(c), flags), canonical)
                })
            }
        }
    };
}

by_flags!(BinaryF32, FusedAnyF32, w, u32, f32, single, |x: f32, canonical: bool| {
    if canonical { arithmetic::canonical_f32(x) } else { x }.to_bits()
});
by_flags!(BinaryF64, FusedAnyF64, d, u64, f64, double, |x: f64, _: bool| x.to_bits());
by_flags!(BinaryF16, FusedAnyF16, w, u32, f16, |x: u32| x as u16, |x: u16, canonical: bool| {
    u32::from(if canonical { arithmetic::canonical_narrow(x, 0x7c00) } else { x })
});
by_flags!(BinaryBf16, FusedAnyBf16, w, u32, bf16, |x: u32| x as u16, |x: u16, canonical: bool| {
    u32::from(if canonical { arithmetic::canonical_narrow(x, 0x7f80) } else { x })
});

macro_rules! f32_compare {
    ($($name:ident $double:ident $half:ident $brain:ident |$a:ident, $b:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            const HOT: bool = true;
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                #[inline(always)]
                fn holds(a: u32, b: u32) -> bool {
                    let ($a, $b) = (single(a), single(b));
                    $e
                }
                compare(&mut unit.w, &mut unit.b, &unit.mask, i, holds)
            }
        }
        pub(crate) struct $double;
        impl Kernel for $double {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                #[inline(always)]
                fn holds(a: u64, b: u64) -> bool {
                    let ($a, $b) = (double(a), double(b));
                    $e
                }
                compare(&mut unit.d, &mut unit.b, &unit.mask, i, holds)
            }
        }
        pub(crate) struct $half;
        impl Kernel for $half {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                #[inline(always)]
                fn holds(a: u32, b: u32) -> bool {
                    let ($a, $b) = (half(a), half(b));
                    $e
                }
                compare(&mut unit.w, &mut unit.b, &unit.mask, i, holds)
            }
        }
        pub(crate) struct $brain;
        impl Kernel for $brain {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                #[inline(always)]
                fn holds(a: u32, b: u32) -> bool {
                    let ($a, $b) = (brain(a), brain(b));
                    $e
                }
                compare(&mut unit.w, &mut unit.b, &unit.mask, i, holds)
            }
        }
    )* };
}

#[inline(always)]
pub(crate) fn half(bits: u32) -> f32 {
    port_float::format::f16_to_f32(bits as u16)
}
#[inline(always)]
pub(crate) fn brain(bits: u32) -> f32 {
    port_float::format::bf16_to_f32(bits as u16)
}

f32_compare! {
    EqualF32 EqualF64 EqualF16 EqualBf16 |a, b| a == b;
    NotEqualF32 NotEqualF64 NotEqualF16 NotEqualBf16 |a, b| a != b;
    LessF32 LessF64 LessF16 LessBf16 |a, b| a < b;
    LessEqualF32 LessEqualF64 LessEqualF16 LessEqualBf16 |a, b| a <= b;
}

super::integer::unary! {
    NegateF32 w |a| a ^ 0x8000_0000;
    AbsoluteF32 w |a| a & 0x7fff_ffff;
    NegateF16 w |a| a ^ 0x8000;
    AbsoluteF16 w |a| a & 0x7fff;
    NegateF8 w |a| a ^ 0x80;
    AbsoluteF8 w |a| a & 0x7f;
    NegateF64 d |a| a ^ (1 << 63);
    AbsoluteF64 d |a| a & !(1 << 63);
}

/// How the operands of a function on f32 lie in words, and what becomes of its result.
pub(crate) trait Format: 'static {
    fn load(bits: u32) -> f32;
    fn store(value: f32, canonical: bool) -> u32;
}

pub(crate) struct Single;
impl Format for Single {
    #[inline(always)]
    fn load(bits: u32) -> f32 {
        f32::from_bits(bits)
    }
    #[inline(always)]
    fn store(value: f32, canonical: bool) -> u32 {
        if canonical { arithmetic::canonical_f32(value) } else { value }.to_bits()
    }
}

pub(crate) struct Half;
impl Format for Half {
    #[inline(always)]
    fn load(bits: u32) -> f32 {
        half(bits)
    }
    #[inline(always)]
    fn store(value: f32, canonical: bool) -> u32 {
        let bits = port_float::format::f32_to_f16(value);
        u32::from(if canonical { arithmetic::canonical_narrow(bits, 0x7c00) } else { bits })
    }
}

pub(crate) struct Brain;
impl Format for Brain {
    #[inline(always)]
    fn load(bits: u32) -> f32 {
        brain(bits)
    }
    #[inline(always)]
    fn store(value: f32, canonical: bool) -> u32 {
        let bits = port_float::format::f32_to_bf16(value);
        u32::from(if canonical { arithmetic::canonical_narrow(bits, 0x7f80) } else { bits })
    }
}

/// Whether results of NaN are to be canonical: above the function's number.
pub(crate) const CANONICAL: u64 = 1 << 32;

/// Calls a function on f32.
pub(crate) struct CallF32<F>(std::marker::PhantomData<F>);
impl<F: Format> Kernel for CallF32<F> {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let Some(function) = code.functions32.get(i.imm as u32 as usize) else { return };
        let canonical = i.imm & CANONICAL != 0;
        let store = |value| F::store(value, canonical);
        let unit = &mut m.unit;
        match *function {
            F32Function::Unary(f) => map1(&mut unit.w, i.d, i.a, |a| store(f(F::load(a)))),
            F32Function::Binary(f) => {
                map2(&mut unit.w, i.d, i.a, i.b, |a, b| store(f(F::load(a), F::load(b))))
            }
            F32Function::Ternary(f) => {
                map3(&mut unit.w, i, |a, b, c| store(f(F::load(a), F::load(b), F::load(c))))
            }
            F32Function::Quaternary(f) => {
                // The fourth operand is a register whose number stands in `slot`.
                let target = unit.w.set_vector_after(i.d, &[i.a, i.b, i.c, i.slot]);
                for k in 0..unit.chunks {
                    let [a, b, c, e] = [i.a, i.b, i.c, i.slot].map(|r| unit.w.chunk(r, k));
                    let mut r = [0; CHUNK];
                    for l in 0..CHUNK {
                        r[l] = store(f(F::load(a[l]), F::load(b[l]), F::load(c[l]), F::load(e[l])));
                    }
                    unit.w.data[target + k] = r;
                }
            }
            F32Function::WithI32(f) => {
                map2(&mut unit.w, i.d, i.a, i.b, |a, b| store(f(F::load(a), b as i32)))
            }
            F32Function::I32With(f) => {
                map2(&mut unit.w, i.d, i.a, i.b, |a, b| store(f(a as i32, F::load(b))))
            }
            F32Function::ToI32(f) => map1(&mut unit.w, i.d, i.a, |a| f(F::load(a)) as u32),
            F32Function::Predicate(f) => {
                test1(&mut unit.w, &mut unit.b, &unit.mask, i, |a| f(F::load(a)))
            }
        }
    }
}

/// One over the square root, each operation rounded once.
pub(crate) struct ReciprocalSquareRootF32;
impl Kernel for ReciprocalSquareRootF32 {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        map1(&mut m.unit.w, i.d, i.a, reciprocal_square_root);
    }
}

#[inline(always)]
fn reciprocal_square_root(bits: u32) -> u32 {
    (1.0 / single(bits).sqrt()).to_bits()
}

/// The exponential function as the C library has it; `imm` is the library's.
pub(crate) struct ExpF32<const FUSED: bool>;
impl<const FUSED: bool> Kernel for ExpF32<FUSED> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let library = code.functions32.get(i.imm as u32 as usize);
        let Some(F32Function::Unary(library)) = library else { return };
        let unit = &mut m.unit;
        if let Some(a) = unit.w.uniform(i.a) {
            return unit.w.set_uniform(i.d, library(single(a)).to_bits());
        }
        let a = unit.w.operand(i.a, 0);
        let target = unit.w.set_vector(i.d);
        for k in 0..unit.chunks {
            let words = unit.w.data[a.start + k];
            let mut x = [0.0; CHUNK];
            for l in 0..CHUNK {
                x[l] = single(words[l]);
            }
            let (values, mut doubt) = port_float::chunk::exp::<CHUNK, FUSED>(&x);
            let mut out = [0; CHUNK];
            for l in 0..CHUNK {
                out[l] = values[l].to_bits();
            }
            unit.w.data[target + k] = out;
            doubt &= u32::from(unit.mask.bits[k]);
            while doubt != 0 {
                let l = doubt.trailing_zeros() as usize % CHUNK;
                doubt &= doubt - 1;
                unit.w.data[target + k][l] = library(single(words[l])).to_bits();
            }
        }
    }
}

/// The form of [`ExpF32`] for this processor: both give the same bits.
pub(crate) fn exp() -> Exec {
    match super::lanes::level() {
        super::lanes::Level::Plain => select::<ExpF32<false>>(),
        _ => select::<ExpF32<true>>(),
    }
}

/// Calls a function on f64.
pub(crate) struct CallF64;
impl Kernel for CallF64 {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let Some(function) = code.functions64.get(i.imm as u32 as usize) else { return };
        let unit = &mut m.unit;
        match *function {
            F64Function::Unary(f) => map1(&mut unit.d, i.d, i.a, |a| f(double(a)).to_bits()),
            F64Function::Binary(f) => {
                map2(&mut unit.d, i.d, i.a, i.b, |a, b| f(double(a), double(b)).to_bits())
            }
            F64Function::Ternary(f) => {
                map3(&mut unit.d, i, |a, b, c| f(double(a), double(b), double(c)).to_bits())
            }
            F64Function::Quaternary(f) => {
                let target = unit.d.set_vector_after(i.d, &[i.a, i.b, i.c, i.slot]);
                for k in 0..unit.chunks {
                    let [a, b, c, e] =
                        [i.a, i.b, i.c, i.slot].map(|r| unit.d.chunk(r, k).map(double));
                    let mut r = [0; CHUNK];
                    for l in 0..CHUNK {
                        r[l] = f(a[l], b[l], c[l], e[l]).to_bits();
                    }
                    unit.d.data[target + k] = r;
                }
            }
            F64Function::WithI32(f) => {
                let target = unit.d.set_vector_after(i.d, &[i.a]);
                for k in 0..unit.chunks {
                    let (a, b) = (unit.d.chunk(i.a, k), unit.w.chunk(i.b, k));
                    let mut r = [0; CHUNK];
                    for l in 0..CHUNK {
                        r[l] = f(double(a[l]), b[l] as i32).to_bits();
                    }
                    unit.d.data[target + k] = r;
                }
            }
            F64Function::I32With(f) => {
                let target = unit.d.set_vector_after(i.d, &[i.b]);
                for k in 0..unit.chunks {
                    let (a, b) = (unit.w.chunk(i.a, k), unit.d.chunk(i.b, k));
                    let mut r = [0; CHUNK];
                    for l in 0..CHUNK {
                        r[l] = f(a[l] as i32, double(b[l])).to_bits();
                    }
                    unit.d.data[target + k] = r;
                }
            }
            F64Function::ToI32(f) => {
                cross1(&mut unit.d, &mut unit.w, i, |a: u64| f(double(a)) as u32)
            }
            F64Function::Predicate(f) => {
                test1(&mut unit.d, &mut unit.b, &unit.mask, i, |a| f(double(a)))
            }
        }
    }
}

/// The instruction for an operation on two floats, with what it reads in `imm`.
pub(crate) fn binary(
    scalar: port_ir::Scalar,
    op: FloatOp,
    flags: FloatFlags,
    canonical: bool,
) -> Option<(Exec, u64)> {
    use port_ir::Scalar as S;
    let imm = encode(Some(op), flags, canonical);
    let nearest = flags.rounding == Rounding::NearestEven;
    macro_rules! form {
        ($name:ident) => {
            match (flags.flush, canonical) {
                (false, false) => select::<$name<false, false>>(),
                (false, true) => select::<$name<false, true>>(),
                (true, false) => select::<$name<true, false>>(),
                (true, true) => select::<$name<true, true>>(),
            }
        };
    }
    let exec = match scalar {
        S::F32 if nearest => match op {
            FloatOp::Add => form!(AddF32),
            FloatOp::Subtract => form!(SubtractF32),
            FloatOp::Multiply => form!(MultiplyF32),
            FloatOp::Divide => form!(DivideF32),
            FloatOp::Minimum => form!(MinF32),
            FloatOp::Maximum => form!(MaxF32),
            FloatOp::MinimumNan => form!(MinNanF32),
            FloatOp::MaximumNan => form!(MaxNanF32),
        },
        S::F32 => select::<BinaryF32>(),
        S::F64 if nearest && !flags.flush => match op {
            FloatOp::Add => select::<AddF64>(),
            FloatOp::Subtract => select::<SubtractF64>(),
            FloatOp::Multiply => select::<MultiplyF64>(),
            FloatOp::Divide => select::<DivideF64>(),
            FloatOp::Minimum => select::<MinF64>(),
            FloatOp::Maximum => select::<MaxF64>(),
            FloatOp::MinimumNan => select::<MinNanF64>(),
            FloatOp::MaximumNan => select::<MaxNanF64>(),
        },
        S::F64 => select::<BinaryF64>(),
        S::F16 => select::<BinaryF16>(),
        S::Bf16 => select::<BinaryBf16>(),
        _ => return None,
    };
    Some((exec, imm))
}

/// The instruction for fused multiply-add.
pub(crate) fn fused(
    scalar: port_ir::Scalar,
    flags: FloatFlags,
    canonical: bool,
) -> Option<(Exec, u64)> {
    use port_ir::Scalar as S;
    let imm = encode(None, flags, canonical);
    let nearest = flags.rounding == Rounding::NearestEven;
    let exec = match scalar {
        S::F32 if nearest => match (flags.flush, canonical) {
            (false, false) => select::<FusedF32<false, false>>(),
            (false, true) => select::<FusedF32<false, true>>(),
            (true, false) => select::<FusedF32<true, false>>(),
            (true, true) => select::<FusedF32<true, true>>(),
        },
        S::F32 => select::<FusedAnyF32>(),
        S::F64 if nearest && !flags.flush => select::<FusedF64>(),
        S::F64 => select::<FusedAnyF64>(),
        S::F16 => select::<FusedAnyF16>(),
        S::Bf16 => select::<FusedAnyBf16>(),
        _ => return None,
    };
    Some((exec, imm))
}

/// A function of two f32s that stands for an operation, such as a chip's division.
pub(crate) fn function(code: &mut Vec<F32Function>, function: F32Function) -> u64 {
    code.push(function);
    code.len() as u64 - 1
}

impl<R: Raw> super::registers::File<R> {
    /// Makes `register` a vector, and where it is one of the operands that are still to be read,
    /// spreads its values first.
    #[inline(always)]
    pub(crate) fn set_vector_after(&mut self, register: u32, operands: &[u32]) -> usize {
        if operands.contains(&register) {
            self.make_vector(register)
        } else {
            self.set_vector(register)
        }
    }
}

super::integer::unary! {
    SqrtF32 w |a| f32::from_bits(a).sqrt().to_bits();
    FloorF32 w |a| f32::from_bits(a).floor().to_bits();
    CeilF32 w |a| f32::from_bits(a).ceil().to_bits();
    TruncF32 w |a| f32::from_bits(a).trunc().to_bits();
    RoundEvenF32 w |a| f32::from_bits(a).round_ties_even().to_bits();
}
