//! Register files: values of 32 and 64 bits and truth values, with the shape of each register.

use super::{CHUNK, MAX_CHUNKS};

/// A word of a register file.
pub(crate) trait Raw: Copy + Default + PartialEq + 'static {
    fn from_u64(bits: u64) -> Self;
    fn to_u64(self) -> u64;
    fn wrapping_add(self, other: Self) -> Self;
    fn wrapping_mul(self, other: Self) -> Self;
}

macro_rules! raw {
    ($($ty:ident),*) => { $(
        impl Raw for $ty {
            #[inline(always)]
            fn from_u64(bits: u64) -> Self {
                bits as $ty
            }
            #[inline(always)]
            fn to_u64(self) -> u64 {
                u64::from(self)
            }
            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                $ty::wrapping_add(self, other)
            }
            #[inline(always)]
            fn wrapping_mul(self, other: Self) -> Self {
                $ty::wrapping_mul(self, other)
            }
        }
    )* };
}
raw!(u32, u64);

/// The words of a file.
macro_rules! raw_of {
    (w) => {
        u32
    };
    (d) => {
        u64
    };
}
pub(crate) use raw_of;

/// What is known of a register's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All lanes hold `scalar`.
    #[default]
    Uniform,
    /// Lane `l` of chunk `k` holds `base[k] + l * scalar`; the bases lie where a vector would begin.
    Affine,
    /// Any values.
    Vector,
}

/// A register's shape and where its values lie.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meta {
    pub(crate) shape: Shape,
    pub(crate) slot: u32,
    pub(crate) scalar: u64,
}

/// Registers that operands are spread into.
pub(crate) const SCRATCH: usize = 4;

/// A chunk that begins with a line of the cache, so that none is read as two halves.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
struct Line<R>([R; CHUNK]);

/// Chunks in lines of the cache.
#[derive(Default)]
pub(crate) struct Chunks<R> {
    lines: Vec<Line<R>>,
}

impl<R: Copy + Default> Chunks<R> {
    /// So many chunks of zeros.
    pub(crate) fn zeros(count: usize) -> Self {
        const { assert!(size_of::<Line<R>>() == size_of::<[R; CHUNK]>()) };
        Chunks { lines: vec![Line::default(); count] }
    }
}

impl<R: Copy + Default> std::ops::Deref for Chunks<R> {
    type Target = [[R; CHUNK]];
    #[inline(always)]
    fn deref(&self) -> &[[R; CHUNK]] {
        // SAFETY: a line is a chunk that is aligned more strictly; their sizes are equal.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len())
        }
    }
}

impl<R: Copy + Default> std::ops::DerefMut for Chunks<R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [[R; CHUNK]] {
        // SAFETY: as above; every chunk is a valid line.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len())
        }
    }
}

/// Registers of one width.
#[derive(Default)]
pub(crate) struct File<R> {
    pub(crate) data: Chunks<R>,
    pub(crate) meta: Vec<Meta>,
    pub(crate) chunks: usize,
}

/// Where an operand's chunks lie.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    pub(crate) start: usize,
    /// Whether all chunks are the first.
    pub(crate) splat: bool,
}

impl<R: Raw> File<R> {
    /// `registers` that may hold vectors, and then `constants` that are always uniform.
    pub(crate) fn new(registers: usize, constants: &[u64], chunks: usize) -> Self {
        let meta = |index: usize| Meta {
            shape: Shape::Uniform,
            slot: (index + SCRATCH) as u32,
            scalar: 0,
        };
        let mut metas: Vec<Meta> = (0..registers).map(meta).collect();
        metas.extend(constants.iter().map(|bits| Meta {
            shape: Shape::Uniform,
            slot: 0,
            scalar: *bits,
        }));
        let data = Chunks::zeros((registers + SCRATCH) * chunks);
        File { data, meta: metas, chunks }
    }

    #[inline(always)]
    pub(crate) fn start(&self, register: u32) -> usize {
        self.meta[register as usize].slot as usize * self.chunks
    }

    #[inline(always)]
    pub(crate) fn shape(&self, register: u32) -> Shape {
        self.meta[register as usize].shape
    }

    /// The value of all lanes, if there is one.
    #[inline(always)]
    pub(crate) fn uniform(&self, register: u32) -> Option<R> {
        let meta = &self.meta[register as usize];
        (meta.shape == Shape::Uniform).then(|| R::from_u64(meta.scalar))
    }

    #[inline(always)]
    pub(crate) fn set_uniform(&mut self, register: u32, value: R) {
        let meta = &mut self.meta[register as usize];
        meta.shape = Shape::Uniform;
        meta.scalar = value.to_u64();
    }

    #[inline(always)]
    pub(crate) fn set_vector(&mut self, register: u32) -> usize {
        let meta = &mut self.meta[register as usize];
        meta.shape = Shape::Vector;
        meta.slot as usize * self.chunks
    }

    #[inline(always)]
    pub(crate) fn set_affine(&mut self, register: u32, stride: R) {
        let meta = &mut self.meta[register as usize];
        meta.shape = Shape::Affine;
        meta.scalar = stride.to_u64();
    }

    /// The stride of a uniform or affine register.
    #[inline(always)]
    pub(crate) fn stride(&self, register: u32) -> R {
        let meta = &self.meta[register as usize];
        match meta.shape {
            Shape::Uniform => R::default(),
            _ => R::from_u64(meta.scalar),
        }
    }

    /// The value of lane 0 of chunk `k` of a uniform or affine register.
    #[inline(always)]
    pub(crate) fn base(&self, register: u32, k: usize) -> R {
        let meta = &self.meta[register as usize];
        match meta.shape {
            Shape::Uniform => R::from_u64(meta.scalar),
            _ => self.data[meta.slot as usize * self.chunks + k / CHUNK][k % CHUNK],
        }
    }

    /// The values of lane 0 of chunks `q * CHUNK` and on, of a uniform or affine register.
    #[inline(always)]
    pub(crate) fn bases(&self, register: u32, q: usize) -> [R; CHUNK] {
        let meta = &self.meta[register as usize];
        match meta.shape {
            Shape::Uniform => [R::from_u64(meta.scalar); CHUNK],
            _ => self.data[meta.slot as usize * self.chunks + q],
        }
    }

    /// The value of lane 0 of each chunk of an affine register.
    #[inline(always)]
    pub(crate) fn firsts(&self, register: u32) -> &[R] {
        let start = self.start(register);
        &self.data[start..start + self.chunks.div_ceil(CHUNK)].as_flattened()[..self.chunks]
    }

    /// As [`File::firsts`], to write them.
    #[inline(always)]
    pub(crate) fn firsts_mut(&mut self, register: u32) -> &mut [R] {
        let (start, chunks) = (self.start(register), self.chunks);
        let rows = &mut self.data[start..start + chunks.div_ceil(CHUNK)];
        &mut rows.as_flattened_mut()[..chunks]
    }

    /// Writes what [`File::bases`] reads.
    #[inline(always)]
    pub(crate) fn set_bases(&mut self, register: u32, q: usize, bases: [R; CHUNK]) {
        let start = self.start(register);
        self.data[start + q] = bases;
    }

    #[inline(always)]
    pub(crate) fn set_base(&mut self, register: u32, k: usize, base: R) {
        let start = self.start(register);
        self.data[start + k / CHUNK][k % CHUNK] = base;
    }

    /// The value of a lane.
    #[inline(always)]
    pub(crate) fn get(&self, register: u32, lane: usize) -> R {
        let meta = &self.meta[register as usize];
        let start = meta.slot as usize * self.chunks;
        match meta.shape {
            Shape::Uniform => R::from_u64(meta.scalar),
            Shape::Affine => {
                let k = lane / CHUNK;
                let step = R::from_u64((lane % CHUNK) as u64);
                let base = self.data[start + k / CHUNK][k % CHUNK];
                base.wrapping_add(step.wrapping_mul(R::from_u64(meta.scalar)))
            }
            Shape::Vector => self.data[start + lane / CHUNK][lane % CHUNK],
        }
    }

    /// A chunk's values.
    #[inline(always)]
    pub(crate) fn chunk(&self, register: u32, k: usize) -> [R; CHUNK] {
        let meta = &self.meta[register as usize];
        match meta.shape {
            Shape::Uniform => [R::from_u64(meta.scalar); CHUNK],
            Shape::Affine => progression(self.base(register, k), R::from_u64(meta.scalar)),
            Shape::Vector => self.data[meta.slot as usize * self.chunks + k],
        }
    }

    /// Finds an operand's chunks; what is not a vector is spread into a scratch register.
    #[inline(always)]
    pub(crate) fn operand(&mut self, register: u32, scratch: usize) -> Operand {
        let meta = self.meta[register as usize];
        match meta.shape {
            Shape::Vector => Operand { start: meta.slot as usize * self.chunks, splat: false },
            Shape::Uniform => {
                let start = scratch * self.chunks;
                self.data[start] = [R::from_u64(meta.scalar); CHUNK];
                Operand { start, splat: true }
            }
            Shape::Affine => {
                let start = scratch * self.chunks;
                self.spread(register, start);
                Operand { start, splat: false }
            }
        }
    }

    fn spread(&mut self, register: u32, start: usize) {
        for k in 0..self.chunks {
            self.data[start + k] = self.chunk(register, k);
        }
    }

    /// Makes a register a vector, whatever it was.
    pub(crate) fn make_vector(&mut self, register: u32) -> usize {
        let meta = self.meta[register as usize];
        let start = meta.slot as usize * self.chunks;
        match meta.shape {
            Shape::Vector => {}
            Shape::Uniform => {
                let value = [R::from_u64(meta.scalar); CHUNK];
                self.data[start..start + self.chunks].fill(value);
            }
            Shape::Affine => {
                self.spread(register, 0);
                self.data.copy_within(0..self.chunks, start);
            }
        }
        self.set_vector(register);
        start
    }

    /// Copies a register, shape and all.
    #[inline(always)]
    pub(crate) fn copy(&mut self, to: u32, from: u32) {
        if to == from {
            return;
        }
        let source = self.meta[from as usize];
        let start = self.start(to);
        let chunks = match source.shape {
            Shape::Uniform => 0,
            Shape::Affine => self.chunks.div_ceil(CHUNK),
            Shape::Vector => self.chunks,
        };
        let from = source.slot as usize * self.chunks;
        self.data.copy_within(from..from + chunks, start);
        let meta = &mut self.meta[to as usize];
        meta.shape = source.shape;
        meta.scalar = source.scalar;
    }

    /// Copies the active lanes of a register.
    pub(crate) fn blend(&mut self, to: u32, from: u32, mask: &Mask) {
        if let (Some(old), Some(new)) = (self.uniform(to), self.uniform(from))
            && old == new
        {
            return;
        }
        let source = self.operand(from, 1);
        let target = self.make_vector(to);
        for k in 0..self.chunks {
            let bits = mask.bits[k];
            let new = self.data[source.start + if source.splat { 0 } else { k }];
            let old = &mut self.data[target + k];
            match bits {
                0 => {}
                u16::MAX => *old = new,
                _ => {
                    for (lane, (old, new)) in old.iter_mut().zip(new).enumerate() {
                        *old = if bits >> lane & 1 == 1 { new } else { *old };
                    }
                }
            }
        }
    }
}

/// `base + lane * stride`
#[inline(always)]
pub(crate) fn progression<R: Raw>(base: R, stride: R) -> [R; CHUNK] {
    let mut values = [base; CHUNK];
    for (lane, value) in values.iter_mut().enumerate() {
        *value = base.wrapping_add(R::from_u64(lane as u64).wrapping_mul(stride));
    }
    values
}

/// Lanes of a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask {
    pub(crate) bits: [u16; MAX_CHUNKS],
    pub(crate) count: u32,
}

impl Default for Mask {
    fn default() -> Self {
        Mask { bits: [0; MAX_CHUNKS], count: 0 }
    }
}

impl Mask {
    /// The first so many lanes.
    pub(crate) fn first(lanes: usize) -> Self {
        let mut mask = Mask::default();
        for (k, bits) in mask.bits.iter_mut().enumerate() {
            let there = lanes.saturating_sub(k * CHUNK).min(CHUNK);
            *bits = ((1u32 << there) - 1) as u16;
        }
        mask.count = lanes.min(MAX_CHUNKS * CHUNK) as u32;
        mask
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline(always)]
    pub(crate) fn recount(&mut self, chunks: usize) {
        // Four chunks at a time.
        let words = self.bits[..chunks.next_multiple_of(4)].chunks_exact(4).map(|bits| {
            bits.iter().rev().fold(0, |word, bits| word << CHUNK | u64::from(*bits)).count_ones()
        });
        self.count = words.sum();
    }

    #[inline(always)]
    pub(crate) fn contains(&self, lane: usize) -> bool {
        self.bits[lane / CHUNK] >> (lane % CHUNK) & 1 == 1
    }

    /// Adds the lanes of another mask that shares none.
    #[inline(always)]
    pub(crate) fn add(&mut self, other: &Mask, chunks: usize) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        for (bits, other) in self.bits[..chunks].iter_mut().zip(&other.bits) {
            debug_assert_eq!(*bits & other, 0);
            *bits |= other;
        }
        self.count += other.count;
    }

    /// Takes lanes away, all of which it has.
    pub(crate) fn remove(&mut self, other: &Mask, chunks: usize) {
        for (bits, other) in self.bits[..chunks].iter_mut().zip(&other.bits) {
            debug_assert_eq!(!*bits & other, 0);
            *bits &= !other;
        }
        self.count -= other.count;
    }

    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        if self.count != 0 {
            *self = Mask::default();
        }
    }

    /// The first lane; 0 if there is none.
    pub(crate) fn lowest(&self) -> usize {
        let found = self.bits.iter().position(|bits| *bits != 0);
        found.map_or(0, |k| k * CHUNK + self.bits[k].trailing_zeros() as usize)
    }

    /// All lanes, lowest first.
    pub(crate) fn lanes(&self, chunks: usize) -> impl Iterator<Item = usize> + '_ {
        self.bits[..chunks].iter().enumerate().flat_map(|(k, bits)| {
            let bits = *bits;
            (0..CHUNK).filter(move |lane| bits >> lane & 1 == 1).map(move |lane| k * CHUNK + lane)
        })
    }
}

/// Registers of truth values: a bit for each lane.
#[derive(Default)]
pub(crate) struct Bits {
    pub(crate) data: Vec<u16>,
    /// The value of all lanes, if it is known to be one.
    pub(crate) uniform: Vec<Option<bool>>,
    pub(crate) chunks: usize,
}

impl Bits {
    /// `registers` that may vary, and then constants.
    pub(crate) fn new(registers: usize, constants: &[u64], chunks: usize) -> Self {
        let mut uniform = vec![Some(false); registers];
        uniform.extend(constants.iter().map(|bits| Some(*bits != 0)));
        Bits { data: vec![0; registers * chunks], uniform, chunks }
    }

    #[inline(always)]
    pub(crate) fn chunk(&self, register: u32, k: usize) -> u16 {
        match self.uniform[register as usize] {
            Some(true) => u16::MAX,
            Some(false) => 0,
            None => self.data[register as usize * self.chunks + k],
        }
    }

    /// Where a register's bits begin; of one that holds one value in all lanes, that in each bit.
    #[inline(always)]
    pub(crate) fn operand(&self, register: u32) -> Result<usize, u16> {
        match self.uniform[register as usize] {
            Some(true) => Err(u16::MAX),
            Some(false) => Err(0),
            None => Ok(register as usize * self.chunks),
        }
    }

    #[inline(always)]
    pub(crate) fn get(&self, register: u32, lane: usize) -> bool {
        self.chunk(register, lane / CHUNK) >> (lane % CHUNK) & 1 == 1
    }

    #[inline(always)]
    pub(crate) fn set_uniform(&mut self, register: u32, value: bool) {
        self.uniform[register as usize] = Some(value);
    }

    #[inline(always)]
    pub(crate) fn set_chunk(&mut self, register: u32, k: usize, bits: u16) {
        self.data[register as usize * self.chunks + k] = bits;
    }

    /// Notes that a register varies, or that it holds one value in all active lanes after all.
    #[inline(always)]
    pub(crate) fn finish(&mut self, register: u32, mask: &Mask) {
        let start = register as usize * self.chunks;
        let bits = &self.data[start..start + self.chunks];
        let (mut any, mut missing) = (0, 0);
        for (bits, mask) in bits.iter().zip(&mask.bits) {
            any |= bits & mask;
            missing |= !bits & mask;
        }
        self.uniform[register as usize] = match (any, missing) {
            (_, 0) => Some(true),
            (0, _) => Some(false),
            _ => None,
        };
    }

    pub(crate) fn copy(&mut self, to: u32, from: u32) {
        for k in 0..self.chunks {
            let bits = self.chunk(from, k);
            self.set_chunk(to, k, bits);
        }
        self.uniform[to as usize] = self.uniform[from as usize];
    }

    pub(crate) fn blend(&mut self, to: u32, from: u32, mask: &Mask) {
        for k in 0..self.chunks {
            let bits = self.chunk(from, k) & mask.bits[k] | self.chunk(to, k) & !mask.bits[k];
            self.set_chunk(to, k, bits);
        }
        self.uniform[to as usize] = None;
    }
}
