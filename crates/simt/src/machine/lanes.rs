//! Applies an operation to all lanes: one value for uniform operands, chunk by chunk otherwise.
//!
//! Each operation is compiled twice, for any processor and for one with wide registers and fused
//! multiplication, those that inner loops are made of a third time, for registers of a whole chunk of
//! words; [`select`] takes what the processor has. Results are the same.
//!
//! What is applied to a lane is a function that is always inlined: a closure may end up in another unit
//! of compilation, without those features, and is then called for each lane.

use std::cell::Cell;

use super::registers::{File, Mask, Operand, Raw};
use super::{CHUNK, Exec, Inst, Machine};

/// What an instruction does.
pub(crate) trait Kernel: 'static {
    /// Whether inner loops are made of it, so that a form for the widest registers pays.
    const HOT: bool = false;

    fn run(m: &mut Machine<'_>, i: &Inst);
}

fn plain<K: Kernel>(m: &mut Machine<'_>, i: &Inst) {
    K::run(m, i);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
fn wide<K: Kernel>(m: &mut Machine<'_>, i: &Inst) {
    K::run(m, i);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(
    enable = "avx512f,avx512vl,avx512bw,avx512dq,avx512cd,avx2,fma,bmi1,bmi2,popcnt,lzcnt"
)]
fn widest<K: Kernel>(m: &mut Machine<'_>, i: &Inst) {
    K::run(m, i);
}

/// Whether the processor has what [`widest`] needs beside what [`wide`] does.
#[cfg(target_arch = "x86_64")]
fn is_widest() -> bool {
    is_wide()
        && std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512vl")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512dq")
        && std::is_x86_feature_detected!("avx512cd")
}

/// Whether the processor has what [`wide`] needs.
fn is_wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("fma")
            && std::is_x86_feature_detected!("bmi1")
            && std::is_x86_feature_detected!("bmi2")
            && std::is_x86_feature_detected!("popcnt")
            && std::is_x86_feature_detected!("lzcnt")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// How wide a processor's registers are, for code that is no kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// As [`plain`] needs.
    Plain,
    /// As [`wide`] does.
    Wide,
    /// As [`widest`] does.
    Widest,
}

/// What this processor has.
pub(crate) fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        if is_widest() {
            return Level::Widest;
        }
        if is_wide() {
            return Level::Wide;
        }
    }
    Level::Plain
}

/// The form of a kernel for this processor.
pub(crate) fn select<K: Kernel>() -> Exec {
    #[cfg(target_arch = "x86_64")]
    {
        // As a constant, so that it is compiled for those alone that have it.
        if let Some(widest) = const { if K::HOT { Some(widest::<K> as Exec) } else { None } }
            && is_widest()
        {
            return widest;
        }
        if is_wide() {
            return wide::<K>;
        }
    }
    let _ = is_wide;
    plain::<K>
}

#[inline(always)]
fn cells<R: Raw>(data: &mut [[R; CHUNK]]) -> &[Cell<[R; CHUNK]>] {
    Cell::from_mut(data).as_slice_of_cells()
}

#[inline(always)]
fn part<R>(cells: &[Cell<[R; CHUNK]>], operand: Operand, chunks: usize) -> &[Cell<[R; CHUNK]>] {
    &cells[operand.start..operand.start + if operand.splat { 1 } else { chunks }]
}

#[inline(always)]
fn lanes1<A: Copy, R: Copy + Default>(a: [A; CHUNK], f: impl Copy + Fn(A) -> R) -> [R; CHUNK] {
    let mut r = [R::default(); CHUNK];
    for l in 0..CHUNK {
        r[l] = f(a[l]);
    }
    r
}

#[inline(always)]
fn lanes2<A: Copy, B: Copy, R: Copy + Default>(
    a: [A; CHUNK],
    b: [B; CHUNK],
    f: impl Copy + Fn(A, B) -> R,
) -> [R; CHUNK] {
    let mut r = [R::default(); CHUNK];
    for l in 0..CHUNK {
        r[l] = f(a[l], b[l]);
    }
    r
}

#[inline(always)]
fn lanes3<A: Copy, R: Copy + Default>(
    a: [A; CHUNK],
    b: [A; CHUNK],
    c: [A; CHUNK],
    f: impl Copy + Fn(A, A, A) -> R,
) -> [R; CHUNK] {
    let mut r = [R::default(); CHUNK];
    for l in 0..CHUNK {
        r[l] = f(a[l], b[l], c[l]);
    }
    r
}

/// `d = f(a)` in one file.
#[inline(always)]
pub(crate) fn map1<R: Raw>(file: &mut File<R>, d: u32, a: u32, f: impl Copy + Fn(R) -> R) {
    if let Some(a) = file.uniform(a) {
        return file.set_uniform(d, f(a));
    }
    let a = file.operand(a, 0);
    let target = file.set_vector(d);
    let chunks = file.chunks;
    let cells = cells(&mut file.data);
    let (d, a) = (&cells[target..target + chunks], &part(cells, a, chunks)[..chunks]);
    for k in 0..chunks {
        d[k].set(lanes1(a[k].get(), f));
    }
}

/// `d = f(a, b)` in one file.
#[inline(always)]
pub(crate) fn map2<R: Raw>(
    file: &mut File<R>,
    d: u32,
    a: u32,
    b: u32,
    f: impl Copy + Fn(R, R) -> R,
) {
    if let (Some(a), Some(b)) = (file.uniform(a), file.uniform(b)) {
        return file.set_uniform(d, f(a, b));
    }
    let (a, b) = (file.operand(a, 0), file.operand(b, 1));
    let target = file.set_vector(d);
    let chunks = file.chunks;
    let cells = cells(&mut file.data);
    let d = &cells[target..target + chunks];
    let (x, y) = (part(cells, a, chunks), part(cells, b, chunks));
    // Counted loops: what iterators are made of is not always inlined here.
    if a.splat {
        let (x, y) = (x[0].get(), &y[..chunks]);
        for k in 0..chunks {
            d[k].set(lanes2(x, y[k].get(), f));
        }
    } else if b.splat {
        let (x, y) = (&x[..chunks], y[0].get());
        for k in 0..chunks {
            d[k].set(lanes2(x[k].get(), y, f));
        }
    } else {
        let (x, y) = (&x[..chunks], &y[..chunks]);
        for k in 0..chunks {
            d[k].set(lanes2(x[k].get(), y[k].get(), f));
        }
    }
}

/// `d = f(a, b, c)` in one file.
#[inline(always)]
pub(crate) fn map3<R: Raw>(file: &mut File<R>, i: &Inst, f: impl Copy + Fn(R, R, R) -> R) {
    let uniform = (file.uniform(i.a), file.uniform(i.b), file.uniform(i.c));
    if let (Some(a), Some(b), Some(c)) = uniform {
        return file.set_uniform(i.d, f(a, b, c));
    }
    let (a, b, c) = (file.operand(i.a, 0), file.operand(i.b, 1), file.operand(i.c, 2));
    let target = file.set_vector(i.d);
    let chunks = file.chunks;
    let cells = cells(&mut file.data);
    let d = &cells[target..target + chunks];
    let (x, y, z) = (part(cells, a, chunks), part(cells, b, chunks), part(cells, c, chunks));
    match (a.splat, b.splat, c.splat) {
        (false, false, false) => {
            let (x, y, z) = (&x[..chunks], &y[..chunks], &z[..chunks]);
            for k in 0..chunks {
                d[k].set(lanes3(x[k].get(), y[k].get(), z[k].get(), f));
            }
        }
        (true, false, false) => {
            let (x, y, z) = (x[0].get(), &y[..chunks], &z[..chunks]);
            for k in 0..chunks {
                d[k].set(lanes3(x, y[k].get(), z[k].get(), f));
            }
        }
        (false, true, false) => {
            let (x, y, z) = (&x[..chunks], y[0].get(), &z[..chunks]);
            for k in 0..chunks {
                d[k].set(lanes3(x[k].get(), y, z[k].get(), f));
            }
        }
        _ => {
            let at = |cells: &[Cell<[R; CHUNK]>], splat: bool, k: usize| {
                cells[if splat { 0 } else { k }].get()
            };
            for (k, d) in d.iter().enumerate() {
                let (x, y, z) = (at(x, a.splat, k), at(y, b.splat, k), at(z, c.splat, k));
                d.set(lanes3(x, y, z, f));
            }
        }
    }
}

/// `d = f(a)` from one file to another.
#[inline(always)]
pub(crate) fn cross1<A: Raw, R: Raw>(
    from: &mut File<A>,
    to: &mut File<R>,
    i: &Inst,
    f: impl Copy + Fn(A) -> R,
) {
    if let Some(a) = from.uniform(i.a) {
        return to.set_uniform(i.d, f(a));
    }
    let a = from.operand(i.a, 0);
    let target = to.set_vector(i.d);
    let chunks = to.chunks;
    let (source, out) =
        (&from.data[a.start..a.start + chunks], &mut to.data[target..target + chunks]);
    for k in 0..chunks {
        out[k] = lanes1(source[k], f);
    }
}

/// The lanes where `f(a, b)` holds.
#[inline(always)]
pub(crate) fn bits2<R: Raw>(a: [R; CHUNK], b: [R; CHUNK], f: impl Copy + Fn(R, R) -> bool) -> u16 {
    let mut bits = 0u16;
    for l in 0..CHUNK {
        bits |= u16::from(f(a[l], b[l])) << l;
    }
    bits
}

/// Truth values `d = f(a, b)`.
#[inline(always)]
pub(crate) fn compare<R: Raw>(
    file: &mut File<R>,
    to: &mut super::registers::Bits,
    mask: &Mask,
    i: &Inst,
    f: impl Copy + Fn(R, R) -> bool,
) {
    if let (Some(a), Some(b)) = (file.uniform(i.a), file.uniform(i.b)) {
        return to.set_uniform(i.d, f(a, b));
    }
    let (a, b) = (file.operand(i.a, 0), file.operand(i.b, 1));
    let chunks = file.chunks;
    let x = &file.data[a.start..a.start + if a.splat { 1 } else { chunks }];
    let y = &file.data[b.start..b.start + if b.splat { 1 } else { chunks }];
    let target = i.d as usize * chunks;
    let d = &mut to.data[target..target + chunks];
    if a.splat {
        let (x, y) = (x[0], &y[..chunks]);
        for k in 0..chunks {
            d[k] = bits2(x, y[k], f);
        }
    } else if b.splat {
        let (x, y) = (&x[..chunks], y[0]);
        for k in 0..chunks {
            d[k] = bits2(x[k], y, f);
        }
    } else {
        let (x, y) = (&x[..chunks], &y[..chunks]);
        for k in 0..chunks {
            d[k] = bits2(x[k], y[k], f);
        }
    }
    to.finish(i.d, mask);
}

/// Truth values `d = f(a)`.
#[inline(always)]
pub(crate) fn test1<R: Raw>(
    file: &mut File<R>,
    to: &mut super::registers::Bits,
    mask: &Mask,
    i: &Inst,
    f: impl Copy + Fn(R) -> bool,
) {
    if let Some(a) = file.uniform(i.a) {
        return to.set_uniform(i.d, f(a));
    }
    let a = file.operand(i.a, 0);
    let chunks = file.chunks;
    for k in 0..chunks {
        let x = file.data[a.start + k];
        let bits = bits2(x, x, |x, _| f(x));
        to.set_chunk(i.d, k, bits);
    }
    to.finish(i.d, mask);
}

/// `d = c ? a : b`
#[inline(always)]
pub(crate) fn choose<R: Raw>(file: &mut File<R>, bits: &super::registers::Bits, i: &Inst) {
    match bits.uniform[i.c as usize] {
        Some(true) => return file.copy(i.d, i.a),
        Some(false) => return file.copy(i.d, i.b),
        None => {}
    }
    let (a, b) = (file.operand(i.a, 0), file.operand(i.b, 1));
    let target = file.set_vector(i.d);
    let chunks = file.chunks;
    for k in 0..chunks {
        let x = file.data[a.start + if a.splat { 0 } else { k }];
        let y = file.data[b.start + if b.splat { 0 } else { k }];
        let condition = bits.data[i.c as usize * chunks + k];
        let mut r = y;
        for l in 0..CHUNK {
            r[l] = if u32::from(condition) & (1 << l) != 0 { x[l] } else { y[l] };
        }
        file.data[target + k] = r;
    }
}
