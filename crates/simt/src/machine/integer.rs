//! Integer and bit operations. Values narrower than 32 bits are kept extended to 32 as their type
//! is signed; what can leave that range is followed by a conversion.

use super::convert::narrow;
use super::lanes::{Kernel, bits2, choose, compare, cross1, map1, map2, map3, select};
use super::registers::{File, Raw, Shape};
use super::{CHUNK, Exec, Inst, Machine};
use crate::outcome::FindingKind;

/// An operation of two words.
macro_rules! binary {
    ($($name:ident $file:ident |$a:ident, $b:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                type Raw = crate::machine::registers::raw_of!($file);
                #[inline(always)]
                fn apply($a: Raw, $b: Raw) -> Raw {
                    $e
                }
                map2(&mut m.unit.$file, i.d, i.a, i.b, apply)
            }
        }
    )* };
}

macro_rules! unary {
    ($($name:ident $file:ident |$a:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                type Raw = crate::machine::registers::raw_of!($file);
                #[inline(always)]
                fn apply($a: Raw) -> Raw {
                    $e
                }
                map1(&mut m.unit.$file, i.d, i.a, apply)
            }
        }
    )* };
}

macro_rules! comparison {
    ($($name:ident $file:ident |$a:ident, $b:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                type Raw = crate::machine::registers::raw_of!($file);
                #[inline(always)]
                fn holds($a: Raw, $b: Raw) -> bool {
                    $e
                }
                compare(&mut unit.$file, &mut unit.b, &unit.mask, i, holds)
            }
        }
    )* };
}
pub(crate) use unary;

#[inline(always)]
fn signed(x: u32) -> i32 {
    x as i32
}
#[inline(always)]
fn signed64(x: u64) -> i64 {
    x as i64
}

binary! {
    MultiplyHighS32 w |a, b| ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32;
    MultiplyHighU32 w |a, b| ((u64::from(a) * u64::from(b)) >> 32) as u32;
    MinS32 w |a, b| if signed(b) < signed(a) { b } else { a };
    MinU32 w |a, b| if b < a { b } else { a };
    MaxS32 w |a, b| if signed(b) > signed(a) { b } else { a };
    MaxU32 w |a, b| if b > a { b } else { a };
    Or32 w |a, b| a | b;
    Xor32 w |a, b| a ^ b;
    ShrS32 w |a, b| (signed(a) >> if b > 31 { 31 } else { b }) as u32;
    MultiplyHighS64 d |a, b| ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64;
    MultiplyHighU64 d |a, b| ((u128::from(a) * u128::from(b)) >> 64) as u64;
    MinS64 d |a, b| if signed64(b) < signed64(a) { b } else { a };
    MinU64 d |a, b| if b < a { b } else { a };
    MaxS64 d |a, b| if signed64(b) > signed64(a) { b } else { a };
    MaxU64 d |a, b| if b > a { b } else { a };
    And64 d |a, b| a & b;
    Or64 d |a, b| a | b;
    Xor64 d |a, b| a ^ b;
    Shl64 d |a, b| if b > 63 { 0 } else { a << b };
    ShrU64 d |a, b| if b > 63 { 0 } else { a >> b };
    ShrS64 d |a, b| (signed64(a) >> if b > 63 { 63 } else { b }) as u64;
}

unary! {
    Negate32 w |a| a.wrapping_neg();
    Not32 w |a| !a;
    Absolute32 w |a| signed(a).wrapping_abs() as u32;
    Popc32 w |a| a.count_ones();
    Clz32 w |a| a.leading_zeros();
    Ffs32 w |a| if a == 0 { 0 } else { a.trailing_zeros() + 1 };
    Brev32 w |a| a.reverse_bits();
    SignExtend8 w |a| a as i8 as u32;
    SignExtend16 w |a| a as i16 as u32;
    ZeroExtend8 w |a| a & 0xff;
    ZeroExtend16 w |a| a & 0xffff;
    Negate64 d |a| a.wrapping_neg();
    Not64 d |a| !a;
    Absolute64 d |a| signed64(a).wrapping_abs() as u64;
    Brev64 d |a| a.reverse_bits();
}

comparison! {
    Equal64 d |a, b| a == b;
    NotEqual64 d |a, b| a != b;
}

/// Whether words are equal; `NOT`, whether they are not.
pub(crate) struct Equality32<const NOT: bool>;
impl<const NOT: bool> Kernel for Equality32<NOT> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let unit = &mut m.unit;
        // Two progressions that come nearer by one with each lane meet in one lane, or none.
        let step = unit.w.stride(i.a).wrapping_sub(unit.w.stride(i.b));
        if !is_affine(&unit.w, i.a, i.b) || !matches!(step, 0 | 1 | u32::MAX) {
            return compare(&mut unit.w, &mut unit.b, &unit.mask, i, |a, b| (a == b) != NOT);
        }
        for q in 0..unit.chunks.div_ceil(CHUNK) {
            let (a, b) = (unit.w.bases(i.a, q), unit.w.bases(i.b, q));
            for l in 0..CHUNK.min(unit.chunks - q * CHUNK) {
                let apart = b[l].wrapping_sub(a[l]);
                let bits = match step {
                    0 => u32::from(apart == 0) * 0xffff,
                    1 => 1u32.checked_shl(apart).unwrap_or(0),
                    _ => 1u32.checked_shl(apart.wrapping_neg()).unwrap_or(0),
                } as u16;
                unit.b.set_chunk(i.d, q * CHUNK + l, if NOT { !bits } else { bits });
            }
        }
        unit.b.finish(i.d, &unit.mask);
    }
}

/// Whether words are equal.
pub(crate) type Equal32 = Equality32<false>;
/// Whether they are not.
pub(crate) type NotEqual32 = Equality32<true>;

/// Adds: progressions stay progressions.
pub(crate) struct Add<const W64: bool>;
/// Subtracts.
pub(crate) struct Subtract<const W64: bool>;
/// Multiplies: a progression by one value is a progression.
pub(crate) struct Multiply<const W64: bool>;

/// Applies `f` to bases and strides of two registers that are not vectors.
#[inline(always)]
fn affine2<R: Raw>(file: &mut File<R>, i: &Inst, stride: R, f: impl Copy + Fn(R, R) -> R) {
    for q in 0..file.chunks.div_ceil(CHUNK) {
        let (a, b) = (file.bases(i.a, q), file.bases(i.b, q));
        let mut r = a;
        for l in 0..CHUNK {
            r[l] = f(a[l], b[l]);
        }
        file.set_bases(i.d, q, r);
    }
    file.set_affine(i.d, stride);
}

/// Whether some operand is a progression and none a vector.
#[inline(always)]
fn is_affine<R: Raw>(file: &File<R>, a: u32, b: u32) -> bool {
    match (file.shape(a), file.shape(b)) {
        (Shape::Uniform, Shape::Uniform) => false,
        (a, b) => a != Shape::Vector && b != Shape::Vector,
    }
}

macro_rules! affine {
    ($name:ident, |$a:ident, $b:ident| $e:expr, |$file:ident, $i:ident| $stride:expr) => {
        impl Kernel for $name<false> {
            const HOT: bool = true;
            #[inline(always)]
            fn run(m: &mut Machine<'_>, $i: &Inst) {
                #[inline(always)]
                fn apply($a: u32, $b: u32) -> u32 {
                    $e
                }
                let $file = &mut m.unit.w;
                if is_affine($file, $i.a, $i.b)
                    && let Some(stride) = $stride
                {
                    return affine2($file, $i, stride, apply);
                }
                map2($file, $i.d, $i.a, $i.b, apply)
            }
        }
        impl Kernel for $name<true> {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, $i: &Inst) {
                #[inline(always)]
                fn apply($a: u64, $b: u64) -> u64 {
                    $e
                }
                let $file = &mut m.unit.d;
                if is_affine($file, $i.a, $i.b)
                    && let Some(stride) = $stride
                {
                    return affine2($file, $i, stride, apply);
                }
                map2($file, $i.d, $i.a, $i.b, apply)
            }
        }
    };
}

affine!(Add, |a, b| a.wrapping_add(b), |file, i| Some(
    file.stride(i.a).wrapping_add(file.stride(i.b))
));
affine!(Subtract, |a, b| a.wrapping_sub(b), |file, i| Some(
    file.stride(i.a).wrapping_sub(file.stride(i.b))
));
affine!(Multiply, |a, b| a.wrapping_mul(b), |file, i| {
    match (file.uniform(i.a), file.uniform(i.b)) {
        (Some(a), _) => Some(a.wrapping_mul(file.stride(i.b))),
        (_, Some(b)) => Some(file.stride(i.a).wrapping_mul(b)),
        _ => None,
    }
});

/// Shifts left: a multiplication by a power of two.
pub(crate) struct Shl32;
impl Kernel for Shl32 {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let file = &mut m.unit.w;
        #[inline(always)]
        fn shift(a: u32, b: u32) -> u32 {
            if b > 31 { 0 } else { a << b }
        }
        if file.shape(i.a) == Shape::Affine
            && let Some(b) = file.uniform(i.b)
        {
            let stride = shift(file.stride(i.a), b);
            return affine2(file, i, stride, shift);
        }
        map2(file, i.d, i.a, i.b, shift)
    }
}

/// How far the last lane of a chunk is from the first, if that is less than half of the range.
macro_rules! reach {
    ($file:expr, $register:expr, $signed:ident) => {
        ($file.stride($register) as $signed).checked_mul(CHUNK as $signed - 1)
    };
}

/// The last value of a chunk's progression, if it does not wrap below 2^31.
#[inline(always)]
fn last(base: u32, stride: u32) -> Option<u32> {
    let last = i64::from(base) + i64::from(stride as i32) * (CHUNK as i64 - 1);
    (base < 1 << 31 && (0..1 << 31).contains(&last)).then_some(last as u32)
}

/// Applies `f`, monotonic in `a` below 2^31, if each chunk of `a` comes out as one value.
#[inline(always)]
fn steps(file: &mut File<u32>, i: &Inst, b: u32, f: impl Fn(u32, u32) -> u32) -> bool {
    let Some(reach) = reach!(file, i.a, i32) else { return false };
    for q in 0..file.chunks.div_ceil(CHUNK) {
        let bases = file.bases(i.a, q);
        let there = file.chunks - q * CHUNK;
        let mut bad = 0;
        for (l, base) in bases.into_iter().enumerate() {
            let last = base.wrapping_add(reach as u32);
            let wrong = (base | last) >> 31 | u32::from(f(base, b) != f(last, b));
            bad |= if l < there { wrong } else { 0 };
        }
        if bad != 0 {
            return false;
        }
    }
    for q in 0..file.chunks.div_ceil(CHUNK) {
        let mut bases = file.bases(i.a, q);
        for base in &mut bases {
            *base = f(*base, b);
        }
        file.set_bases(i.d, q, bases);
    }
    file.set_affine(i.d, 0);
    true
}

/// Shifts right without sign.
pub(crate) struct ShrU32;
impl Kernel for ShrU32 {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let file = &mut m.unit.w;
        #[inline(always)]
        fn shift(a: u32, b: u32) -> u32 {
            if b > 31 { 0 } else { a >> b }
        }
        if file.shape(i.a) == Shape::Affine
            && let Some(b) = file.uniform(i.b)
            && steps(file, i, b, shift)
        {
            return;
        }
        map2(file, i.d, i.a, i.b, shift)
    }
}

/// Division and remainder; by zero gives all ones and the dividend.
macro_rules! divide {
    ($($name:ident $file:ident $ty:ident $raw:ident |$a:ident, $b:ident| $e:expr, $chunked:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                if m.checks.arithmetic {
                    zero_divisor(m, i, stringify!($file) == "d");
                }
                let f = |$a: $raw, $b: $raw| {
                    let ($a, $b) = ($a as $ty, $b as $ty);
                    let r: $ty = $e;
                    r as $raw
                };
                if $chunked(m, i) {
                    return;
                }
                map2(&mut m.unit.$file, i.d, i.a, i.b, f)
            }
        }
    )* };
}

divide! {
    DivideS32 w i32 u32 |a, b| if b == 0 { -1 } else { a.wrapping_div(b) }, affine_quotient;
    DivideU32 w u32 u32 |a, b| a.checked_div(b).unwrap_or(u32::MAX), affine_quotient;
    RemainderS32 w i32 u32 |a, b| if b == 0 { a } else { a.wrapping_rem(b) }, affine_remainder;
    RemainderU32 w u32 u32 |a, b| if b == 0 { a } else { a % b }, affine_remainder;
    DivideS64 d i64 u64 |a, b| if b == 0 { -1 } else { a.wrapping_div(b) }, never;
    DivideU64 d u64 u64 |a, b| a.checked_div(b).unwrap_or(u64::MAX), never;
    RemainderS64 d i64 u64 |a, b| if b == 0 { a } else { a.wrapping_rem(b) }, never;
    RemainderU64 d u64 u64 |a, b| if b == 0 { a } else { a % b }, never;
}

fn never(_: &mut Machine<'_>, _: &Inst) -> bool {
    false
}

/// The divisor of a progression, if it is one positive value.
#[inline(always)]
fn divisor(m: &Machine<'_>, i: &Inst) -> Option<u32> {
    let file = &m.unit.w;
    (file.shape(i.a) == Shape::Affine).then_some(())?;
    file.uniform(i.b).filter(|b| (1..1 << 31).contains(b))
}

#[inline(always)]
fn affine_quotient(m: &mut Machine<'_>, i: &Inst) -> bool {
    let Some(b) = divisor(m, i) else { return false };
    if b.is_power_of_two() {
        let by = b.trailing_zeros();
        return steps(&mut m.unit.w, i, by, |a, by| a >> (by & 31));
    }
    steps(&mut m.unit.w, i, b, |a, b| a / b)
}

/// Where each chunk has one quotient, its remainders are a progression too.
#[inline(always)]
fn affine_remainder(m: &mut Machine<'_>, i: &Inst) -> bool {
    let Some(b) = divisor(m, i) else { return false };
    let file = &mut m.unit.w;
    let stride = file.stride(i.a);
    if b.is_power_of_two() {
        let low = b - 1;
        let Some(reach) = reach!(file, i.a, i32) else { return false };
        for q in 0..file.chunks.div_ceil(CHUNK) {
            let there = file.chunks - q * CHUNK;
            let mut bad = 0;
            for (l, base) in file.bases(i.a, q).into_iter().enumerate() {
                let last = base.wrapping_add(reach as u32);
                let wrong = (base | last) >> 31 | (base ^ last) & !low;
                bad |= if l < there { wrong } else { 0 };
            }
            if bad != 0 {
                return false;
            }
        }
        for q in 0..file.chunks.div_ceil(CHUNK) {
            let mut bases = file.bases(i.a, q);
            for base in &mut bases {
                *base &= low;
            }
            file.set_bases(i.d, q, bases);
        }
        file.set_affine(i.d, stride);
        return true;
    }
    for k in 0..file.chunks {
        let base = file.base(i.a, k);
        match last(base, stride) {
            Some(last) if base / b == last / b => {}
            _ => return false,
        }
    }
    for k in 0..file.chunks {
        let base = file.base(i.a, k) % b;
        file.set_base(i.d, k, base);
    }
    file.set_affine(i.d, stride);
    true
}

#[cold]
fn zero_divisor(m: &mut Machine<'_>, i: &Inst, is_64: bool) {
    let unit = &m.unit;
    let is_zero = |lane: usize| match is_64 {
        true => unit.d.get(i.b, lane) == 0,
        false => unit.w.get(i.b, lane) == 0,
    };
    let lanes: Vec<usize> = unit.mask.lanes(unit.chunks).filter(|lane| is_zero(*lane)).collect();
    if let Some(first) = lanes.first() {
        m.find(FindingKind::DivisionByZero, i.site, *first, lanes.len() as u32, false, None);
    }
}

/// Masks the low bits of a progression that stays inside them.
pub(crate) struct AndLow32;
impl Kernel for AndLow32 {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let file = &mut m.unit.w;
        if file.shape(i.a) == Shape::Affine
            && let Some(b) = file.uniform(i.b)
            && b < 1 << 30
            && (b + 1).is_power_of_two()
        {
            let stride = file.stride(i.a);
            let fits = |k: usize| last(file.base(i.a, k) & b, stride).is_some_and(|last| last <= b);
            if (0..file.chunks).all(fits) {
                for k in 0..file.chunks {
                    let base = file.base(i.a, k) & b;
                    file.set_base(i.d, k, base);
                }
                return file.set_affine(i.d, stride);
            }
        }
        #[inline(always)]
        fn apply(a: u32, b: u32) -> u32 {
            a & b
        }
        map2(file, i.d, i.a, i.b, apply)
    }
}

/// An order of numbers that registers hold.
trait Order: 'static {
    type Raw: Raw;
    /// Whether `a` is before `b`.
    fn holds(a: Self::Raw, b: Self::Raw) -> bool;
    /// Whether a number comes out larger, or equal, after a step up, and smaller after one down.
    fn moves(from: Self::Raw, to: Self::Raw, up: bool) -> bool;
}

/// The one result of a comparison of progressions, if all lanes have it: none wraps, and the ends of
/// every chunk agree.
#[inline(always)]
fn settled<O: Order>(
    file: &File<O::Raw>,
    i: &Inst,
    reach: [O::Raw; 2],
    rises: [bool; 2],
) -> Option<bool> {
    let chunks = file.chunks;
    let mut found = Ends { reach, rises, any: 0, missing: 0, wraps: 0 };
    match (file.uniform(i.a), file.uniform(i.b)) {
        (Some(a), None) => {
            for b in file.firsts(i.b) {
                found.look::<O>(a, *b);
            }
        }
        (None, Some(b)) => {
            for a in file.firsts(i.a) {
                found.look::<O>(*a, b);
            }
        }
        (None, None) => {
            let (a, b) = (&file.firsts(i.a)[..chunks], &file.firsts(i.b)[..chunks]);
            for k in 0..chunks {
                found.look::<O>(a[k], b[k]);
            }
        }
        (Some(a), Some(b)) => found.look::<O>(a, b),
    }
    match (found.wraps, found.any, found.missing) {
        (0, _, 0) => Some(true),
        (0, 0, _) => Some(false),
        _ => None,
    }
}

/// What the ends of chunks say of a comparison.
struct Ends<R> {
    reach: [R; 2],
    rises: [bool; 2],
    any: u32,
    missing: u32,
    wraps: u32,
}

impl<R: Raw> Ends<R> {
    /// Looks at a chunk whose first lane compares two values.
    #[inline(always)]
    fn look<O: Order<Raw = R>>(&mut self, a: R, b: R) {
        let (x, y) = (a.wrapping_add(self.reach[0]), b.wrapping_add(self.reach[1]));
        let fine = O::moves(a, x, self.rises[0]) & O::moves(b, y, self.rises[1]);
        let (first, last) = (O::holds(a, b), O::holds(x, y));
        self.wraps |= u32::from(!fine);
        self.any |= u32::from(first | last);
        self.missing |= u32::from(!(first & last));
    }
}

/// Comparisons that decide a whole chunk by its ends where it is a progression.
macro_rules! ordered {
    ($($name:ident $file:ident $ty:ident $signed:ident |$a:ident, $b:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            const HOT: bool = true;
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                if is_affine(&unit.$file, i.a, i.b)
                    && let Some(x) = reach!(unit.$file, i.a, $signed)
                    && let Some(y) = reach!(unit.$file, i.b, $signed)
                {
                    let reach = [x as super::registers::raw_of!($file), y as _];
                    let rises = [x >= 0, y >= 0];
                    if let Some(all) = settled::<$name>(&unit.$file, i, reach, rises) {
                        return unit.b.set_uniform(i.d, all);
                    }
                    let mut undecided = 0;
                    for q in 0..unit.chunks.div_ceil(CHUNK) {
                        let (a, b) = (unit.$file.bases(i.a, q), unit.$file.bases(i.b, q));
                        let there = CHUNK.min(unit.chunks - q * CHUNK);
                        let mut bits = [0; CHUNK];
                        let (mut mixed, mut wraps) = (0, 0);
                        for l in 0..CHUNK {
                            let (x, y) = (a[l].wrapping_add(reach[0]), b[l].wrapping_add(reach[1]));
                            // A progression that wraps does not lie between its ends.
                            let fine = $name::moves(a[l], x, rises[0])
                                & $name::moves(b[l], y, rises[1]);
                            // The difference is linear, so the ends decide for all between them.
                            let (all, last) = ($name::holds(a[l], b[l]), $name::holds(x, y));
                            bits[l] = 0u16.wrapping_sub(u16::from(all & last));
                            mixed |= u32::from(all != last) << l;
                            wraps |= u32::from(!fine) << l;
                        }
                        let exist = (1 << there) - 1;
                        undecided |= wraps & exist;
                        mixed &= exist;
                        while mixed != 0 {
                            let l = mixed.trailing_zeros() as usize % CHUNK;
                            mixed &= mixed - 1;
                            let k = q * CHUNK + l;
                            let (x, y) = (unit.$file.chunk(i.a, k), unit.$file.chunk(i.b, k));
                            bits[l] = bits2(x, y, $name::holds);
                        }
                        let start = i.d as usize * unit.chunks + q * CHUNK;
                        unit.b.data[start..start + there].copy_from_slice(&bits[..there]);
                    }
                    if undecided == 0 {
                        return unit.b.finish(i.d, &unit.mask);
                    }
                }
                compare(&mut unit.$file, &mut unit.b, &unit.mask, i, $name::holds)
            }
        }
        impl Order for $name {
            type Raw = super::registers::raw_of!($file);
            #[inline(always)]
            fn holds($a: Self::Raw, $b: Self::Raw) -> bool {
                let ($a, $b) = ($a as $ty, $b as $ty);
                $e
            }
            #[inline(always)]
            fn moves(from: Self::Raw, to: Self::Raw, up: bool) -> bool {
                let (from, to) = (from as $ty, to as $ty);
                if up { to >= from } else { to < from }
            }
        }
    )* };
}

ordered! {
    LessS32 w i32 i32 |a, b| a < b;
    LessEqualS32 w i32 i32 |a, b| a <= b;
    LessU32 w u32 i32 |a, b| a < b;
    LessEqualU32 w u32 i32 |a, b| a <= b;
    LessS64 d i64 i64 |a, b| a < b;
    LessEqualS64 d i64 i64 |a, b| a <= b;
    LessU64 d u64 i64 |a, b| a < b;
    LessEqualU64 d u64 i64 |a, b| a <= b;
}

/// `d = c ? a : b` of words.
pub(crate) struct Select32;
impl Kernel for Select32 {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let unit = &mut m.unit;
        choose(&mut unit.w, &unit.b, i)
    }
}

/// `d = c ? a : b` of double words.
pub(crate) struct Select64;
impl Kernel for Select64 {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let unit = &mut m.unit;
        choose(&mut unit.d, &unit.b, i)
    }
}

/// Operations on truth values.
macro_rules! logic {
    ($($name:ident |$a:ident, $b:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            const HOT: bool = true;
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut *m.unit;
                if let (Some(a), Some(b)) =
                    (unit.b.uniform[i.a as usize], unit.b.uniform[i.b as usize])
                {
                    let ($a, $b) = (u16::from(a), u16::from(b));
                    return unit.b.set_uniform(i.d, ($e) & 1 == 1);
                }
                let (a, b) = (unit.b.operand(i.a), unit.b.operand(i.b));
                let chunks = unit.chunks;
                let cells = std::cell::Cell::from_mut(unit.b.data.as_mut_slice()).as_slice_of_cells();
                let start = i.d as usize * chunks;
                let out = &cells[start..start + chunks];
                match (a, b) {
                    (Ok(a), Ok(b)) => {
                        let (a, b) = (&cells[a..a + chunks], &cells[b..b + chunks]);
                        for k in 0..chunks {
                            let ($a, $b) = (a[k].get(), b[k].get());
                            out[k].set($e);
                        }
                    }
                    (Ok(a), Err($b)) => {
                        let a = &cells[a..a + chunks];
                        for k in 0..chunks {
                            let $a = a[k].get();
                            out[k].set($e);
                        }
                    }
                    (Err($a), Ok(b)) => {
                        let b = &cells[b..b + chunks];
                        for k in 0..chunks {
                            let $b = b[k].get();
                            out[k].set($e);
                        }
                    }
                    (Err($a), Err($b)) => out.iter().for_each(|out| out.set($e)),
                }
                unit.b.finish(i.d, &unit.mask)
            }
        }
    )* };
}

logic! {
    AndBits |a, b| a & b;
    OrBits |a, b| a | b;
    XorBits |a, b| a ^ b;
    EqualBits |a, b| !(a ^ b);
    NotBits |a, _b| !a;
}

/// `d = c ? a : b` of truth values.
pub(crate) struct SelectBits;
impl Kernel for SelectBits {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let unit = &mut m.unit;
        for k in 0..unit.chunks {
            let (a, b, c) = (unit.b.chunk(i.a, k), unit.b.chunk(i.b, k), unit.b.chunk(i.c, k));
            unit.b.set_chunk(i.d, k, a & c | b & !c);
        }
        unit.b.finish(i.d, &unit.mask)
    }
}

/// Operations of three words.
macro_rules! ternary {
    ($($name:ident |$a:ident, $b:ident, $c:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                map3(&mut m.unit.w, i, |$a: u32, $b: u32, $c: u32| $e)
            }
        }
    )* };
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn byte_permute(a: u32, b: u32, selector: u32) -> u32 {
    let bytes = pair(a, b).to_le_bytes();
    let pick = |place: u32| {
        let nibble = selector >> (4 * place) & 15;
        let byte = bytes[(nibble & 7) as usize];
        // The high bit asks for the byte's sign in every bit.
        let byte = if nibble & 8 == 0 { byte } else { ((byte as i8) >> 7) as u8 };
        u32::from(byte) << (8 * place)
    };
    pick(0) | pick(1) | pick(2) | pick(3)
}

fn dot_bytes(a: u32, b: u32, c: u32, signs: (bool, bool)) -> u32 {
    let value = |byte: u8, is_signed: bool| match is_signed {
        true => i32::from(byte as i8),
        false => i32::from(byte),
    };
    let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
    products.fold(c, |sum, (a, b)| sum.wrapping_add((value(a, signs.0) * value(b, signs.1)) as u32))
}

fn dot_halves(a: u32, b: u32, c: u32, signs: (bool, bool), high: bool) -> u32 {
    let half = |half: u32| match signs.0 {
        true => i32::from(half as i16),
        false => (half & 0xffff) as i32,
    };
    let byte = |byte: u32| match signs.1 {
        true => i32::from(byte as i8),
        false => (byte & 0xff) as i32,
    };
    let b = if high { b >> 16 } else { b };
    let first = half(a).wrapping_mul(byte(b));
    let second = half(a >> 16).wrapping_mul(byte(b >> 8));
    c.wrapping_add(first as u32).wrapping_add(second as u32)
}

ternary! {
    SadS32 |a, b, c| (a as i32).abs_diff(b as i32).wrapping_add(c);
    SadU32 |a, b, c| a.abs_diff(b).wrapping_add(c);
    BytePermute |a, b, c| byte_permute(a, b, c);
    FunnelLeft |a, b, c| ((pair(a, b) << (c & 31)) >> 32) as u32;
    FunnelRight |a, b, c| (pair(a, b) >> (c & 31)) as u32;
    FunnelLeftClamp |a, b, c| ((pair(a, b) << c.min(32)) >> 32) as u32;
    FunnelRightClamp |a, b, c| (pair(a, b) >> c.min(32)) as u32;
    DotBytesUU |a, b, c| dot_bytes(a, b, c, (false, false));
    DotBytesUS |a, b, c| dot_bytes(a, b, c, (false, true));
    DotBytesSU |a, b, c| dot_bytes(a, b, c, (true, false));
    DotBytesSS |a, b, c| dot_bytes(a, b, c, (true, true));
    DotLowUU |a, b, c| dot_halves(a, b, c, (false, false), false);
    DotLowUS |a, b, c| dot_halves(a, b, c, (false, true), false);
    DotLowSU |a, b, c| dot_halves(a, b, c, (true, false), false);
    DotLowSS |a, b, c| dot_halves(a, b, c, (true, true), false);
    DotHighUU |a, b, c| dot_halves(a, b, c, (false, false), true);
    DotHighUS |a, b, c| dot_halves(a, b, c, (false, true), true);
    DotHighSU |a, b, c| dot_halves(a, b, c, (true, false), true);
    DotHighSS |a, b, c| dot_halves(a, b, c, (true, true), true);
}

binary! {
    AddSaturateS32 w |a, b| (a as i32).saturating_add(b as i32) as u32;
    AddSaturateU32 w |a, b| a.saturating_add(b);
    SubtractSaturateS32 w |a, b| (a as i32).saturating_sub(b as i32) as u32;
    SubtractSaturateU32 w |a, b| a.saturating_sub(b);
    AverageDownS32 w |a, b| ((i64::from(a as i32) + i64::from(b as i32)) >> 1) as u32;
    AverageDownU32 w |a, b| ((u64::from(a) + u64::from(b)) >> 1) as u32;
    AverageUpS32 w |a, b| ((i64::from(a as i32) + i64::from(b as i32) + 1) >> 1) as u32;
    AverageUpU32 w |a, b| ((u64::from(a) + u64::from(b) + 1) >> 1) as u32;
    Multiply24S w |a, b| {
        let low = |x: u32| ((x << 8) as i32) >> 8;
        low(a).wrapping_mul(low(b)) as u32
    };
    Multiply24U w |a, b| (a & 0xff_ffff).wrapping_mul(b & 0xff_ffff);
    AddSaturateS64 d |a, b| (a as i64).saturating_add(b as i64) as u64;
    AddSaturateU64 d |a, b| a.saturating_add(b);
    SubtractSaturateS64 d |a, b| (a as i64).saturating_sub(b as i64) as u64;
    SubtractSaturateU64 d |a, b| a.saturating_sub(b);
    AverageDownS64 d |a, b| ((i128::from(a as i64) + i128::from(b as i64)) >> 1) as u64;
    AverageDownU64 d |a, b| ((u128::from(a) + u128::from(b)) >> 1) as u64;
    AverageUpS64 d |a, b| ((i128::from(a as i64) + i128::from(b as i64) + 1) >> 1) as u64;
    AverageUpU64 d |a, b| ((u128::from(a) + u128::from(b) + 1) >> 1) as u64;
}

// Counts in double words, as words.
narrow! {
    Popc64 |a| a.count_ones();
    Clz64 |a| a.leading_zeros();
    Ffs64 |a| if a == 0 { 0 } else { a.trailing_zeros() + 1 };
}

/// Copies words, double words or truth values to a local variable's register.
macro_rules! moves {
    ($($name:ident $file:ident;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                // `imm` says that lanes which are not active have no value to lose.
                if i.imm != 0 || unit.is_full() {
                    unit.$file.copy(i.d, i.a)
                } else {
                    unit.$file.blend(i.d, i.a, &unit.mask)
                }
            }
        }
    )* };
}

moves! {
    Move32 w;
    Move64 d;
    MoveBits b;
}

/// Moves from a register that nobody reads any more: where all lanes move, the two change places.
macro_rules! swaps {
    ($($name:ident $file:ident;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                if i.imm != 0 || unit.is_full() {
                    unit.$file.meta.swap(i.d as usize, i.a as usize)
                } else {
                    unit.$file.blend(i.d, i.a, &unit.mask)
                }
            }
        }
    )* };
}

swaps! {
    Swap32 w;
    Swap64 d;
}

/// The form of a move.
pub(crate) fn mover(class: crate::compile::Class) -> Exec {
    use crate::compile::Class;
    match class {
        Class::W => select::<Move32>(),
        Class::D => select::<Move64>(),
        Class::B => select::<MoveBits>(),
    }
}
