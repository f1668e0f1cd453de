//! Conversions, and arithmetic on addresses.

use port_float::format::{self, NanToInteger};
use port_ir::{Rounding, Scalar};

use super::lanes::{Kernel, cross1, map1, select};
use super::registers::Shape;
use super::{CHUNK, Exec, Inst, Machine};

macro_rules! within {
    ($($name:ident $file:ident |$a:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                type Raw = super::registers::raw_of!($file);
                #[inline(always)]
                fn apply($a: Raw) -> Raw {
                    $e
                }
                map1(&mut m.unit.$file, i.d, i.a, apply)
            }
        }
    )* };
}

macro_rules! widen {
    ($($name:ident |$a:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                #[inline(always)]
                fn apply($a: u32) -> u64 {
                    $e
                }
                cross1(&mut unit.w, &mut unit.d, i, apply)
            }
        }
    )* };
}

/// From double words to words.
macro_rules! narrow {
    ($($name:ident |$a:ident| $e:expr;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let unit = &mut m.unit;
                #[inline(always)]
                fn apply($a: u64) -> u32 {
                    $e
                }
                cross1(&mut unit.d, &mut unit.w, i, apply)
            }
        }
    )* };
}
pub(crate) use narrow;

within! {
    S32ToF32 w |a| (a as i32 as f32).to_bits();
    U32ToF32 w |a| (a as f32).to_bits();
    F32ToS32 w |a| (f32::from_bits(a) as i32) as u32;
    F32ToU32 w |a| f32::from_bits(a) as u32;
    F16ToF32 w |a| super::float::half(a).to_bits();
    Bf16ToF32 w |a| super::float::brain(a).to_bits();
    F32ToF16 w |a| u32::from(format::f32_to_f16(f32::from_bits(a)));
    F32ToBf16 w |a| u32::from(format::f32_to_bf16(f32::from_bits(a)));
    S64ToF64 d |a| (a as i64 as f64).to_bits();
    U64ToF64 d |a| (a as f64).to_bits();
}

widen! {
    S32ToF64 |a| f64::from(a as i32).to_bits();
    U32ToF64 |a| f64::from(a).to_bits();
    F32ToF64 |a| f64::from(f32::from_bits(a)).to_bits();
}

narrow! {
    F64ToF32 |a| (f64::from_bits(a) as f32).to_bits();
    S64ToF32 |a| (a as i64 as f32).to_bits();
    U64ToF32 |a| (a as f32).to_bits();
}

/// The low word of a double word: a progression stays one.
pub(crate) struct Low32;
impl Kernel for Low32 {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let unit = &mut m.unit;
        if unit.d.shape(i.a) == Shape::Affine {
            for k in 0..unit.chunks {
                let base = unit.d.base(i.a, k) as u32;
                unit.w.set_base(i.d, k, base);
            }
            let stride = unit.d.stride(i.a) as u32;
            return unit.w.set_affine(i.d, stride);
        }
        #[inline(always)]
        fn apply(a: u64) -> u32 {
            a as u32
        }
        cross1(&mut unit.d, &mut unit.w, i, apply)
    }
}

/// A word's value as 64 bits.
#[inline(always)]
pub(crate) fn extend<const SIGNED: bool>(word: u32) -> u64 {
    if SIGNED { word as i32 as u64 } else { u64::from(word) }
}

/// The stride, as 64 bits, of a progression of words none of whose chunks wraps.
#[inline(always)]
pub(crate) fn extended_stride<const SIGNED: bool>(m: &Machine<'_>, register: u32) -> Option<u64> {
    let file = &m.unit.w;
    // A stride is a difference: its sign counts, whatever the values are.
    let stride = file.stride(register) as i32;
    if stride == 0 {
        return Some(0);
    }
    let reach = stride.checked_mul(CHUNK as i32 - 1)?;
    // One loop for all chunks, without branches.
    let mut wraps = 0;
    for base in file.firsts(register) {
        let last = base.wrapping_add(reach as u32);
        let falls = match SIGNED {
            true => (last as i32) < *base as i32,
            false => last < *base,
        };
        wraps |= u32::from(falls) ^ u32::from(reach < 0);
    }
    (wraps == 0).then_some(i64::from(stride) as u64)
}

/// A word to a double word.
pub(crate) struct Extend<const SIGNED: bool>;
impl<const SIGNED: bool> Kernel for Extend<SIGNED> {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.unit.w.shape(i.a) == Shape::Affine
            && let Some(stride) = extended_stride::<SIGNED>(m, i.a)
        {
            let unit = &mut m.unit;
            for q in 0..unit.chunks.div_ceil(CHUNK) {
                let words = unit.w.bases(i.a, q);
                let mut bases = [0; CHUNK];
                for l in 0..CHUNK {
                    bases[l] = extend::<SIGNED>(words[l]);
                }
                unit.d.set_bases(i.d, q, bases);
            }
            return unit.d.set_affine(i.d, stride);
        }
        let unit = &mut m.unit;
        cross1(&mut unit.w, &mut unit.d, i, extend::<SIGNED>)
    }
}

/// `d = a + b * imm` with a word `b`: the address of an element.
pub(crate) struct Element<const SIGNED: bool>;
impl<const SIGNED: bool> Kernel for Element<SIGNED> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let size = i.imm;
        let unit = &mut m.unit;
        let (base, index) = (unit.d.shape(i.a), unit.w.shape(i.b));
        if let (Some(base), Some(index)) = (unit.d.uniform(i.a), unit.w.uniform(i.b)) {
            let address = base.wrapping_add(extend::<SIGNED>(index).wrapping_mul(size));
            return unit.d.set_uniform(i.d, address);
        }
        if base != Shape::Vector
            && index != Shape::Vector
            && let Some(stride) = extended_stride::<SIGNED>(m, i.b)
        {
            let unit = &mut m.unit;
            let stride = stride.wrapping_mul(size).wrapping_add(unit.d.stride(i.a));
            if let Some(index) = unit.w.uniform(i.b) {
                let by = extend::<SIGNED>(index).wrapping_mul(size);
                for q in 0..unit.chunks.div_ceil(CHUNK) {
                    let mut bases = unit.d.bases(i.a, q);
                    for base in &mut bases {
                        *base = base.wrapping_add(by);
                    }
                    unit.d.set_bases(i.d, q, bases);
                }
                return unit.d.set_affine(i.d, stride);
            }
            for q in 0..unit.chunks.div_ceil(CHUNK) {
                let (base, index) = (unit.d.bases(i.a, q), unit.w.bases(i.b, q));
                unit.d.set_bases(i.d, q, elements::<SIGNED>(base, index, size));
            }
            return unit.d.set_affine(i.d, stride);
        }
        let unit = &mut m.unit;
        let base = unit.d.operand(i.a, 0);
        if let Some(index) = unit.w.uniform(i.b) {
            let by = extend::<SIGNED>(index).wrapping_mul(size);
            let target = unit.d.set_vector(i.d);
            for k in 0..unit.chunks {
                let mut base = unit.d.data[base.start + if base.splat { 0 } else { k }];
                for base in &mut base {
                    *base = base.wrapping_add(by);
                }
                unit.d.data[target + k] = base;
            }
            return;
        }
        let index = unit.w.operand(i.b, 0);
        let target = unit.d.set_vector(i.d);
        for k in 0..unit.chunks {
            let index = unit.w.data[index.start + k];
            let base = unit.d.data[base.start + if base.splat { 0 } else { k }];
            unit.d.data[target + k] = elements::<SIGNED>(base, index, size);
        }
    }
}

/// The addresses of elements of so many bytes.
#[inline(always)]
pub(crate) fn elements<const SIGNED: bool>(
    base: [u64; CHUNK],
    index: [u32; CHUNK],
    size: u64,
) -> [u64; CHUNK] {
    let mut r = base;
    if size < 1 << 31 {
        // Factors of 32 bits are one instruction, those of 64 are several.
        for l in 0..CHUNK {
            let by = match SIGNED {
                true => (i64::from(index[l] as i32) * i64::from(size as i32)) as u64,
                false => u64::from(index[l]) * u64::from(size as u32),
            };
            r[l] = base[l].wrapping_add(by);
        }
    } else {
        for l in 0..CHUNK {
            r[l] = base[l].wrapping_add(extend::<SIGNED>(index[l]).wrapping_mul(size));
        }
    }
    r
}

/// Truth values as words 0 and 1.
pub(crate) struct BitsToWord;
impl Kernel for BitsToWord {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let unit = &mut m.unit;
        if let Some(value) = unit.b.uniform[i.a as usize] {
            return unit.w.set_uniform(i.d, value.into());
        }
        let target = unit.w.set_vector(i.d);
        for k in 0..unit.chunks {
            let bits = unit.b.chunk(i.a, k);
            let mut r = [0; CHUNK];
            for (l, r) in r.iter_mut().enumerate() {
                *r = u32::from(bits >> l & 1);
            }
            unit.w.data[target + k] = r;
        }
    }
}

/// Words as truth values: whether they are not 0.
pub(crate) struct WordToBits;
impl Kernel for WordToBits {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let unit = &mut m.unit;
        super::lanes::test1(&mut unit.w, &mut unit.b, &unit.mask, i, |a| a != 0)
    }
}

/// A pointer into shared memory as its offset in the block's, and back.
pub(crate) struct SharedOffset;
impl Kernel for SharedOffset {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let unit = &mut m.unit;
        cross1(&mut unit.d, &mut unit.w, i, |address: u64| code.shared_offset(address))
    }
}

pub(crate) struct SharedPointer;
impl Kernel for SharedPointer {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let unit = &mut m.unit;
        cross1(&mut unit.w, &mut unit.d, i, |offset: u32| code.shared_pointer(offset))
    }
}

/// What a conversion that is not compiled apart does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct General {
    pub(crate) from: Scalar,
    pub(crate) to: Scalar,
    pub(crate) rounding: Rounding,
    pub(crate) saturate: bool,
    pub(crate) nan: NanToInteger,
    pub(crate) canonical: bool,
}

impl General {
    fn convert(&self, bits: u64) -> u64 {
        let General { from, to, rounding, .. } = *self;
        if !from.is_float() {
            let value = match from.is_signed() {
                // Narrow values are kept extended to 32 bits.
                true if from.size() == 8 => i128::from(bits as i64),
                true => i128::from(bits as u32 as i32),
                false => i128::from(bits),
            };
            return format::integer_to_float(value, to, rounding).unwrap_or(0);
        }
        if !to.is_float() {
            let value = format::Format::of(from).map_or(0.0, |format| format.to_f64(bits));
            let bits = format::float_to_integer(value, from, to, rounding, self.nan);
            return match to {
                Scalar::I8 => bits as i8 as u32 as u64,
                Scalar::I16 => bits as i16 as u32 as u64,
                _ => bits,
            };
        }
        let bits = format::float_to_float(bits, from, to, rounding, self.saturate).unwrap_or(0);
        match to {
            Scalar::F32 if self.canonical && f32::from_bits(bits as u32).is_nan() => 0x7fff_ffff,
            Scalar::F16 if self.canonical && bits & 0x7fff > 0x7c00 => 0x7fff,
            Scalar::Bf16 if self.canonical && bits & 0x7fff > 0x7f80 => 0x7fff,
            _ => bits,
        }
    }
}

macro_rules! general {
    ($($name:ident $from:ident $to:ident $raw:ty, $result:ty;)*) => { $(
        pub(crate) struct $name;
        impl Kernel for $name {
            #[inline(always)]
            fn run(m: &mut Machine<'_>, i: &Inst) {
                let Some(general) = m.code.conversions.get(i.imm as usize) else { return };
                let unit = &mut m.unit;
                general!(@apply $from $to, unit, i, general, $raw, $result)
            }
        }
    )* };
    (@apply w w, $unit:ident, $i:ident, $general:ident, $raw:ty, $result:ty) => {
        map1(&mut $unit.w, $i.d, $i.a, |a| $general.convert(u64::from(a)) as u32)
    };
    (@apply d d, $unit:ident, $i:ident, $general:ident, $raw:ty, $result:ty) => {
        map1(&mut $unit.d, $i.d, $i.a, |a| $general.convert(a))
    };
    (@apply $from:ident $to:ident, $unit:ident, $i:ident, $general:ident, $raw:ty, $result:ty) => {
        cross1(&mut $unit.$from, &mut $unit.$to, $i, |a: $raw| $general.convert(u64::from(a)) as $result)
    };
}

general! {
    GeneralWW w w u32, u32;
    GeneralWD w d u32, u64;
    GeneralDW d w u64, u32;
    GeneralDD d d u64, u64;
}

/// The instruction of a conversion that is compiled apart.
pub(crate) fn known(general: &General) -> Option<Exec> {
    use Scalar as S;
    let General { from, to, rounding, saturate, nan, canonical } = *general;
    if to.is_float() && (rounding != Rounding::NearestEven || saturate) {
        return None;
    }
    if !to.is_float() && rounding != Rounding::TowardZero {
        return None;
    }
    let _ = nan;
    Some(match (from, to) {
        (S::I8 | S::I16 | S::I32, S::F32) => select::<S32ToF32>(),
        (S::U8 | S::U16 | S::U32, S::F32) => select::<U32ToF32>(),
        (S::I8 | S::I16 | S::I32, S::F64) => select::<S32ToF64>(),
        (S::U8 | S::U16 | S::U32, S::F64) => select::<U32ToF64>(),
        (S::I64, S::F32) => select::<S64ToF32>(),
        (S::U64, S::F32) => select::<U64ToF32>(),
        (S::I64, S::F64) => select::<S64ToF64>(),
        (S::U64, S::F64) => select::<U64ToF64>(),
        // NaN from f32 to 32 bits is 0 on every side.
        (S::F32, S::I32) => select::<F32ToS32>(),
        (S::F32, S::U32) => select::<F32ToU32>(),
        (S::F32, S::F64) => select::<F32ToF64>(),
        (S::F64, S::F32) if !canonical => select::<F64ToF32>(),
        (S::F16, S::F32) if !canonical => select::<F16ToF32>(),
        (S::Bf16, S::F32) if !canonical => select::<Bf16ToF32>(),
        (S::F32, S::F16) if !canonical => select::<F32ToF16>(),
        (S::F32, S::Bf16) if !canonical => select::<F32ToBf16>(),
        _ => return None,
    })
}
