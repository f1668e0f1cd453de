//! How well each part of a profile is known, and how far a chip may be from it.

use port_ir::MathFunction;

use super::{Functions, Profile, Side};
use crate::matrix::Unit;

/// How a fact is known, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// Deduced: nobody published a measurement or a promise.
    Modelled,
    /// The vendor says so.
    Documented,
    /// Seen in the output of the vendor's compiler, or in published results of the chip.
    Measured,
}

impl Evidence {
    /// `modelled`, `documented` or `measured`.
    pub fn name(self) -> &'static str {
        match self {
            Evidence::Modelled => "modelled",
            Evidence::Documented => "documented",
            Evidence::Measured => "measured",
        }
    }
}

/// A part of a profile, for reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is about: `contraction`, `division` …
    pub what: &'static str,
    /// What the profile does there, in a few words.
    pub value: String,
    /// How that is known.
    pub evidence: Evidence,
    /// The public source.
    pub source: &'static str,
    /// How far the chip may be from it; `None` where the bits are claimed.
    pub envelope: Option<Envelope>,
}

/// A bound on the distance of a chip's results from a profile's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope {
    /// Units in the last place, at most.
    pub ulp: f64,
    /// On which side the chip errs, if it is known: −1 below, +1 above, 0 either.
    pub direction: i8,
}

/// Of a function.
pub(super) fn envelope(
    side: Side,
    functions: Functions,
    function: MathFunction,
) -> Option<Envelope> {
    let _ = (side, functions, function);
    None
}

/// Of a matrix unit.
pub(super) fn matrix_envelope(unit: Unit) -> Option<Envelope> {
    let _ = unit;
    None
}

/// All parts of a profile.
pub(super) fn parts(profile: &Profile) -> Vec<Part> {
    let _ = profile;
    Vec::new()
}
