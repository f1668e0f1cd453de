//! Twins: what each float would be if nothing were rounded.
//!
//! A program that is compiled with twins has, behind each instruction that makes a float, another that
//! makes its twin from the operands' twins, in a second file of registers with the same numbers.
//! Memory has them in tables beside the bytes ([`memory`]). Control flow, addresses, and whatever is a
//! matter of comparing (a minimum, `floor`) follow the values, so that twins say what the same
//! computation gives exactly. Integers have none: a float made from one, or from constants or bytes
//! that the host gave, is its own twin.

pub(crate) mod dd;
pub(crate) mod lanes;
pub(crate) mod memory;
pub(crate) mod operations;

use dd::Dd;
use port_ir::Scalar;

use super::registers::Chunks;
use super::{CHUNK, Inst, Unit};

/// What a register holds, for one whose twin is its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    F32,
    F64,
    F16,
    Bf16,
    /// Words and double words; narrow integers are kept extended.
    I32,
    U32,
    I64,
    U64,
}

const KINDS: [Kind; 8] =
    [Kind::F32, Kind::F64, Kind::F16, Kind::Bf16, Kind::I32, Kind::U32, Kind::I64, Kind::U64];

impl Kind {
    /// The kind of a scalar that a twin instruction can read.
    pub(crate) fn of(scalar: Scalar) -> Option<Kind> {
        Some(match scalar {
            Scalar::F32 => Kind::F32,
            Scalar::F64 => Kind::F64,
            Scalar::F16 => Kind::F16,
            Scalar::Bf16 => Kind::Bf16,
            Scalar::I64 => Kind::I64,
            Scalar::U64 => Kind::U64,
            Scalar::I8 | Scalar::I16 | Scalar::I32 => Kind::I32,
            Scalar::U8 | Scalar::U16 | Scalar::U32 => Kind::U32,
            _ => return None,
        })
    }

    /// The kind of float whose bits a scalar may be: what is loaded, exchanged and cast as an integer
    /// keeps its twin.
    pub(crate) fn carried(scalar: Scalar) -> Option<Kind> {
        match scalar {
            Scalar::I32 | Scalar::U32 => Some(Kind::F32),
            Scalar::I64 | Scalar::U64 => Some(Kind::F64),
            scalar if scalar.is_float() => Kind::of(scalar),
            _ => None,
        }
    }

    /// Whether it lies in double words.
    #[inline(always)]
    pub(crate) fn is_wide(self) -> bool {
        matches!(self, Kind::F64 | Kind::I64 | Kind::U64)
    }

    /// Bytes in memory of a float.
    pub(crate) fn size(self) -> u64 {
        match self {
            Kind::F16 | Kind::Bf16 => 2,
            Kind::F64 | Kind::I64 | Kind::U64 => 8,
            _ => 4,
        }
    }

    /// The number that bits stand for.
    #[inline(always)]
    pub(crate) fn value(self, bits: u64) -> Dd {
        match self {
            Kind::F32 => f64::from(f32::from_bits(bits as u32)).into(),
            Kind::F64 => f64::from_bits(bits).into(),
            Kind::F16 => f64::from(super::float::half(bits as u32)).into(),
            Kind::Bf16 => f64::from(super::float::brain(bits as u32)).into(),
            Kind::I32 => f64::from(bits as i32).into(),
            Kind::U32 => f64::from(bits as u32).into(),
            Kind::I64 => {
                let hi = bits as i64 as f64;
                Dd::new(hi, (i128::from(bits as i64) - hi as i128) as f64)
            }
            Kind::U64 => {
                let hi = bits as f64;
                Dd::new(hi, (i128::from(bits) - hi as i128) as f64)
            }
        }
    }
}

/// What `imm` of a twin instruction holds: the kind of its operands, which of them have no twin, and
/// from [`EXTRA`] on something more.
pub(crate) fn encode(kind: Kind, plain: [bool; 4], extra: u64) -> u64 {
    let plain = plain.iter().enumerate().fold(0, |sum, (n, plain)| sum | u64::from(*plain) << n);
    kind as u64 | plain << 4 | extra << EXTRA
}

/// Where what is particular to an instruction begins.
pub(crate) const EXTRA: u32 = 8;

/// Words as double words.
#[inline(always)]
fn widened(words: [u32; CHUNK]) -> [u64; CHUNK] {
    let mut wide = [0; CHUNK];
    for l in 0..CHUNK {
        wide[l] = words[l].into();
    }
    wide
}

#[inline(always)]
fn kind_of(i: &Inst) -> Kind {
    kind_in(i.imm)
}

/// The kind that [`encode`] has put there, and whether an operand has no twin.
#[inline(always)]
pub(crate) fn kind_in(imm: u64) -> Kind {
    KINDS[(imm & 7) as usize]
}

#[inline(always)]
pub(crate) fn plain_in(imm: u64, operand: u32) -> bool {
    imm >> (4 + operand) & 1 == 1
}

#[inline(always)]
fn is_plain(i: &Inst, operand: u32) -> bool {
    i.imm >> (4 + operand) & 1 == 1
}

/// What is known of a register's twin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    /// It is the value.
    Same,
    Uniform(Dd),
    Vector,
}

/// Registers that operands are put into.
const SCRATCH: usize = 3;

/// The twins of a file of registers.
#[derive(Default)]
pub(crate) struct Twins {
    pub(crate) hi: Chunks<f64>,
    pub(crate) lo: Chunks<f64>,
    pub(crate) state: Vec<State>,
    /// Where each register's chunks begin.
    pub(crate) start: Vec<usize>,
}

impl Twins {
    pub(crate) fn new(registers: usize, chunks: usize) -> Self {
        Twins {
            hi: Chunks::zeros((registers + SCRATCH) * chunks),
            lo: Chunks::zeros((registers + SCRATCH) * chunks),
            state: vec![State::Same; registers],
            start: (0..registers).map(|register| register * chunks).collect(),
        }
    }

    /// Where the chunks of a register for operands begin.
    #[inline(always)]
    pub(crate) fn scratch(&self, number: usize, chunks: usize) -> usize {
        (self.start.len() + number) * chunks
    }

    #[inline(always)]
    pub(crate) fn state(&self, register: u32) -> State {
        self.state.get(register as usize).copied().unwrap_or(State::Same)
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, register: u32, state: State) {
        if let Some(place) = self.state.get_mut(register as usize) {
            *place = state;
        }
    }

    /// Makes a register a vector, all of whose lanes will be written; where its chunks begin.
    #[inline(always)]
    pub(crate) fn set_vector(&mut self, register: u32) -> usize {
        self.set(register, State::Vector);
        self.start[register as usize]
    }

    #[inline(always)]
    pub(crate) fn write(&mut self, at: usize, hi: [f64; CHUNK], lo: [f64; CHUNK]) {
        self.hi[at] = hi;
        self.lo[at] = lo;
    }
}

impl Unit {
    #[inline(always)]
    pub(crate) fn twins(&mut self, wide: bool) -> &mut Twins {
        if wide { &mut self.double_twins } else { &mut self.word_twins }
    }

    /// The state of an operand; one without twin is its value.
    #[inline(always)]
    fn twin_state(&self, i: &Inst, operand: u32, register: u32, kind: Kind) -> State {
        match (is_plain(i, operand), kind.is_wide()) {
            (true, _) => State::Same,
            (false, true) => self.double_twins.state(register),
            (false, false) => self.word_twins.state(register),
        }
    }

    /// The one number that an operand is, if it is one for all lanes.
    #[inline(always)]
    fn uniform_twin(&self, register: u32, state: State, kind: Kind) -> Option<Dd> {
        match state {
            State::Same if kind.is_wide() => self.d.uniform(register).map(|bits| kind.value(bits)),
            State::Same => self.w.uniform(register).map(|bits| kind.value(bits.into())),
            State::Uniform(value) => Some(value),
            State::Vector => None,
        }
    }

    /// A chunk of an operand.
    #[inline(always)]
    fn twin_chunk(
        &self,
        register: u32,
        state: State,
        kind: Kind,
        k: usize,
    ) -> ([f64; CHUNK], [f64; CHUNK]) {
        match (state, kind) {
            (State::Vector, _) => {
                let twins = if kind.is_wide() { &self.double_twins } else { &self.word_twins };
                let at = twins.start[register as usize] + k;
                (twins.hi[at], twins.lo[at])
            }
            (State::Uniform(value), _) => ([value.hi; CHUNK], [value.lo; CHUNK]),
            (State::Same, Kind::F32) => {
                let bits = self.w.chunk(register, k);
                let mut values = [0.0; CHUNK];
                for l in 0..CHUNK {
                    values[l] = f64::from(f32::from_bits(bits[l]));
                }
                (values, [0.0; CHUNK])
            }
            (State::Same, Kind::F64) => {
                let bits = self.d.chunk(register, k);
                let mut values = [0.0; CHUNK];
                for l in 0..CHUNK {
                    values[l] = f64::from_bits(bits[l]);
                }
                (values, [0.0; CHUNK])
            }
            (State::Same, _) => self.decoded(register, kind, k),
        }
    }

    #[inline(never)]
    fn decoded(&self, register: u32, kind: Kind, k: usize) -> ([f64; CHUNK], [f64; CHUNK]) {
        let values = match kind.is_wide() {
            true => self.d.chunk(register, k).map(|bits| kind.value(bits)),
            false => self.w.chunk(register, k).map(|bits| kind.value(bits.into())),
        };
        (values.map(|value| value.hi), values.map(|value| value.lo))
    }

    /// The twin of one lane.
    fn twin_lane(&self, register: u32, state: State, kind: Kind, lane: usize) -> Dd {
        let (k, l) = (lane / CHUNK, lane % CHUNK);
        match state {
            State::Vector => {
                let twins = if kind.is_wide() { &self.double_twins } else { &self.word_twins };
                let at = twins.start[register as usize] + k;
                Dd::new(twins.hi[at][l], twins.lo[at][l])
            }
            State::Uniform(value) => value,
            State::Same if kind.is_wide() => kind.value(self.d.get(register, lane)),
            State::Same => kind.value(self.w.get(register, lane).into()),
        }
    }

    /// The bits of a lane's value.
    fn bits_of(&self, register: u32, kind: Kind, lane: usize) -> u64 {
        match kind.is_wide() {
            true => self.d.get(register, lane),
            false => self.w.get(register, lane).into(),
        }
    }
}
