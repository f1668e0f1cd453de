//! Faults planted into ports, each of a known kind at a known line: off-by-one, a removed barrier, a
//! changed mask, a narrowed accumulator. What a check should say of a fault follows from its kind,
//! before anything is run.
//!
//! [`text`] plants into the ported text, [`code`] into the kernels that are read back from it, where
//! the text has no place for the fault (a rounding mode, one use of a function). [`bench`] runs
//! reference and mutant, and says whether the check found the fault.
//!
//! The right line of a fault is any line of the statement that holds it.

pub mod ascend;
pub mod bench;
pub mod code;
pub mod table;
pub mod text;

use std::ops::RangeInclusive;

/// What a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `+ 1` for `+ 2`, `<` for `<=`, the element beside the right one.
    OffByOne,
    /// `__syncthreads()` is gone.
    RemovedBarrier,
    /// Other lanes take part, or another segment of a warp; another `& 31`.
    ChangedMask,
    /// The port runs with the hardware's warps, of 64 lanes.
    NativeWarps,
    /// A value goes through a narrower type.
    TruncatingCast,
    /// `b - a` for `a - b`.
    SwappedOperand,
    /// `__expf` for `expf`.
    Intrinsic,
    /// `a` for `a + b`: a compensation, a bias.
    DroppedTerm,
    /// A sum is kept in half precision.
    NarrowedAccumulator,
    /// Another number.
    ChangedConstant,
    /// Rounded toward zero.
    Rounding,
    /// A product and a sum are not fused where the reference's are.
    Contraction,
    /// The smaller for the larger, a sum for an exchange.
    WrongFunction,
    /// A store is gone.
    MissingStore,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 14] = [
        Kind::OffByOne,
        Kind::RemovedBarrier,
        Kind::ChangedMask,
        Kind::NativeWarps,
        Kind::TruncatingCast,
        Kind::SwappedOperand,
        Kind::Intrinsic,
        Kind::DroppedTerm,
        Kind::NarrowedAccumulator,
        Kind::ChangedConstant,
        Kind::Rounding,
        Kind::Contraction,
        Kind::WrongFunction,
        Kind::MissingStore,
    ];

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::OffByOne => "off by one",
            Kind::RemovedBarrier => "removed barrier",
            Kind::ChangedMask => "changed mask",
            Kind::NativeWarps => "native warps",
            Kind::TruncatingCast => "truncating cast",
            Kind::SwappedOperand => "swapped operand",
            Kind::Intrinsic => "intrinsic",
            Kind::DroppedTerm => "dropped term",
            Kind::NarrowedAccumulator => "narrowed accumulator",
            Kind::ChangedConstant => "changed constant",
            Kind::Rounding => "rounding",
            Kind::Contraction => "contraction",
            Kind::WrongFunction => "wrong function",
            Kind::MissingStore => "missing store",
        }
    }

    /// What a check must say: threads that nothing orders are a race, all else computes something
    /// else under the same arithmetic.
    pub fn class(self) -> Class {
        match self {
            Kind::RemovedBarrier => Class::Race,
            _ => Class::PortBug,
        }
    }
}

/// What a check says of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Unequal under the same arithmetic.
    PortBug,
    /// Accesses that nothing orders.
    Race,
}

/// A fault and where it is.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What it is.
    pub kind: Kind,
    /// What was done, for people.
    pub description: String,
    /// The port's file.
    pub path: String,
    /// Lines of the statement that holds it, from 1.
    pub lines: RangeInclusive<u32>,
    /// The line of the fault itself.
    pub line: u32,
    /// How it is made.
    pub edit: Edit,
}

/// How a fault is made.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Bytes of a file of the port are replaced.
    Text {
        /// The file.
        path: String,
        /// Its bytes.
        range: std::ops::Range<usize>,
        /// What stands there instead; as many lines.
        replacement: String,
    },
    /// The kernels as they are read back are changed.
    Code(code::Change),
    /// The unit is ported with the hardware's warps.
    NativeWarps,
}

/// A generator of numbers that the seed decides (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end.max(1) as u64) as usize
    }
}

/// A choice of `count` mutants: the kinds in turn, each one's in an order that the seed decides.
pub fn sample(mutants: Vec<Mutant>, count: usize, seed: u64) -> Vec<Mutant> {
    let mut random = Random::new(seed);
    let mut by_kind: Vec<Vec<Mutant>> = Kind::ALL.iter().map(|_| Vec::new()).collect();
    for mutant in mutants {
        if let Some(place) = Kind::ALL.iter().position(|kind| *kind == mutant.kind) {
            by_kind[place].push(mutant);
        }
    }
    let turn = random.below(by_kind.len());
    by_kind.rotate_left(turn);
    let mut chosen = Vec::new();
    while chosen.len() < count && by_kind.iter().any(|list| !list.is_empty()) {
        for list in by_kind.iter_mut().filter(|list| !list.is_empty()) {
            let at = random.below(list.len());
            chosen.push(list.swap_remove(at));
            if chosen.len() == count {
                break;
            }
        }
    }
    chosen
}
