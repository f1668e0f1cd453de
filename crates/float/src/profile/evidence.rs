//! How well each part of a profile is known, and how far a chip may be from it.

use port_ir::MathFunction;

use super::{Contraction, Division, Functions, Nan, Profile, Side};
use crate::format::NanToInteger;
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

/// A bound on the distance of a chip's results from the exact ones, where a profile computes a
/// stand-in for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope {
    /// Units in the last place, at most; infinite where nobody promises a bound.
    pub ulp: f64,
    /// On which side the chip errs, if it is known: −1 toward zero, +1 away from it, 0 either.
    pub direction: i8,
}

impl Envelope {
    const fn within(ulp: f64) -> Envelope {
        Envelope { ulp, direction: 0 }
    }
}

/// Maximum errors in ulp: HIP in f32, HIP in f64, CUDA in f64.
///
/// HIP: the larger of what ROCm's `math_api.rst` documents over narrow ranges and what the LLVM
/// libc's GPU conformance tests measured over all of f32 (RX 6950 XT). CUDA: the programming guide's
/// table of double-precision functions.
const BOUNDS: &[(MathFunction, [f64; 3])] = {
    use MathFunction as M;
    const UNKNOWN: f64 = f64::INFINITY;
    &[
        (M::SquareRoot, [0.0, 0.0, 0.0]),
        (M::ReciprocalSquareRoot, [1.0, 1.0, 1.0]),
        (M::Reciprocal, [0.0, 0.0, 0.0]),
        (M::CubeRoot, [2.0, 1.0, 1.0]),
        (M::ReciprocalCubeRoot, [1.0, 1.0, 1.0]),
        (M::Exp, [1.0, 1.0, 1.0]),
        (M::Exp2, [1.0, 1.0, 1.0]),
        (M::Exp10, [1.0, 1.0, 1.0]),
        (M::ExpMinusOne, [1.0, 1.0, 1.0]),
        (M::Log, [2.0, 1.0, 1.0]),
        (M::Log2, [1.0, 1.0, 1.0]),
        (M::Log10, [2.0, 1.0, 1.0]),
        (M::LogOnePlus, [1.0, 1.0, 1.0]),
        (M::Sin, [2.0, 1.0, 2.0]),
        (M::Cos, [2.0, 1.0, 2.0]),
        (M::Tan, [2.0, 1.0, 2.0]),
        (M::SinPi, [2.0, 2.0, 2.0]),
        (M::CosPi, [1.0, 2.0, 2.0]),
        (M::Asin, [3.0, 1.0, 2.0]),
        (M::Acos, [1.0, 1.0, 2.0]),
        (M::Atan, [2.0, 1.0, 2.0]),
        (M::Atan2, [3.0, 1.0, 2.0]),
        (M::Sinh, [1.0, 1.0, 2.0]),
        (M::Cosh, [1.0, 1.0, 1.0]),
        (M::Tanh, [2.0, 1.0, 1.0]),
        (M::Asinh, [1.0, 1.0, 3.0]),
        (M::Acosh, [1.0, 1.0, 3.0]),
        (M::Atanh, [1.0, 1.0, 2.0]),
        (M::Power, [1.0, 1.0, 2.0]),
        (M::PowerInteger, [1.0, 1.0, 2.0]),
        (M::Erf, [4.0, 4.0, 2.0]),
        (M::Erfc, [2.0, 2.0, 5.0]),
        (M::ErfcScaled, [5.0, 5.0, 4.0]),
        (M::ErfInverse, [UNKNOWN, UNKNOWN, 5.0]),
        (M::ErfcInverse, [UNKNOWN, UNKNOWN, 6.0]),
        (M::NormalCdf, [UNKNOWN, UNKNOWN, 5.0]),
        (M::NormalCdfInverse, [UNKNOWN, UNKNOWN, 7.0]),
        (M::Gamma, [6.0, 6.0, 10.0]),
        (M::LogGamma, [4.0, 2.0, 4.0]),
        (M::BesselJ0, [UNKNOWN, UNKNOWN, 7.0]),
        (M::BesselJ1, [UNKNOWN, UNKNOWN, 7.0]),
        (M::BesselJn, [UNKNOWN, UNKNOWN, UNKNOWN]),
        (M::BesselY0, [UNKNOWN, UNKNOWN, 7.0]),
        (M::BesselY1, [UNKNOWN, UNKNOWN, 7.0]),
        (M::BesselYn, [UNKNOWN, UNKNOWN, UNKNOWN]),
        (M::BesselI0, [UNKNOWN, UNKNOWN, 6.0]),
        (M::BesselI1, [UNKNOWN, UNKNOWN, 6.0]),
        (M::Hypot, [2.0, 1.0, 2.0]),
        (M::ReciprocalHypot, [1.0, 1.0, 1.0]),
        (M::Norm3, [1.0, 1.0, 2.0]),
        (M::ReciprocalNorm3, [1.0, 1.0, 1.0]),
        (M::Norm4, [2.0, 2.0, 2.0]),
        (M::ReciprocalNorm4, [1.0, 1.0, 1.0]),
    ]
};

/// Functions of f32 whose bits the CUDA profiles do not claim.
const CUDA_STAND_INS: [MathFunction; 5] = [
    MathFunction::BesselJ1,
    MathFunction::BesselY1,
    MathFunction::BesselJn,
    MathFunction::BesselYn,
    MathFunction::PowerInteger,
];

fn bound(function: MathFunction, column: usize) -> Option<f64> {
    let (_, bounds) = BOUNDS.iter().find(|(known, _)| *known == function)?;
    bounds.get(column).copied().filter(|bound| *bound > 0.0)
}

/// Of a function on f32, or on f64 if `double`.
pub(super) fn envelope(
    side: Side,
    functions: Functions,
    function: MathFunction,
    double: bool,
) -> Option<Envelope> {
    match (functions, side) {
        (Functions::Library, _) | (_, Side::Exact) => None,
        (Functions::Cuda | Functions::CudaFast, _) if double => {
            bound(function, 2).map(Envelope::within)
        }
        (Functions::Cuda | Functions::CudaFast, _) => {
            let ulp = if function == MathFunction::PowerInteger { 4.0 } else { f64::INFINITY };
            CUDA_STAND_INS.contains(&function).then_some(Envelope::within(ulp))
        }
        (Functions::Nearest | Functions::Ascend950, Side::Ascend(chip)) => {
            // Of functions in f32 that are listed for SIMT code one ulp is promised; tile code on
            // 910B and what is not listed has no promise.
            let (simt, _) = (chip == "950", bound(function, 0)?);
            let listed = simt && !double && LISTED_950.contains(&function);
            Some(Envelope::within(if listed { 1.0 } else { f64::INFINITY }))
        }
        (Functions::Nearest | Functions::Ascend950, _) => {
            bound(function, usize::from(double)).map(Envelope::within)
        }
    }
}

/// Functions for which the documentation of 950's SIMT interface promises one ulp.
const LISTED_950: &[MathFunction] = {
    use MathFunction as M;
    &[
        M::Exp,
        M::ExpMinusOne,
        M::Log,
        M::Log2,
        M::Log10,
        M::LogOnePlus,
        M::Cos,
        M::Atan,
        M::Atan2,
        M::Tanh,
        M::Acosh,
        M::Atanh,
        M::CubeRoot,
        M::ReciprocalCubeRoot,
        M::Hypot,
        M::ReciprocalHypot,
        M::SquareRoot,
        M::ReciprocalSquareRoot,
    ]
};

/// Of a matrix unit, in ulp of the largest term of a sum.
pub(super) fn matrix_envelope(unit: Unit) -> Option<Envelope> {
    // Each of the additions of a block of 16 may be off by one.
    (unit == Unit::Ascend).then_some(Envelope::within(16.0))
}

const PTX: &str = "PTX ISA";
const NVCC: &str = "SASS of nvcc 12.9 and 13, crates/float/tests/contraction.rs";
const CLANG: &str = "GCN of clang 19, crates/float/tests/contraction.rs";
const GUIDE: &str = "CUDA C++ Programming Guide, appendix on mathematical functions";
const ROCM: &str = "ROCm HIP math_api.rst; LLVM libc GPU conformance tests (RX 6950 XT)";
const ASCEND: &str = "asc-devkit documentation of the SIMT interface";
const UNITS: &str = "MATLAB-tensor-core model_validation: all 240,000 published results";
const MMA_SIM: &str = "MMA-Sim";
const IEEE: &str = "IEEE 754-2019";
const OWN: &str = "this project's definition";

/// All parts of a profile.
pub(super) fn parts(profile: &Profile) -> Vec<Part> {
    use Evidence::{Documented, Measured, Modelled};
    let data = profile.data.parts;
    let mut parts: Vec<Part> = Vec::new();
    let mut part = |what, value: &str, evidence, source, envelope| {
        parts.push(Part { what, value: value.to_owned(), evidence, source, envelope });
    };
    let ours = matches!(data.side, Side::Cpu | Side::Exact);
    let hygon = matches!(data.side, Side::Hip("gfx926" | "gfx928" | "gfx936"));

    if data.side == Side::Exact {
        let value = "f32 is computed in f64, and rounded where others see it";
        part("precision", value, Documented, OWN, None);
    }
    let (value, evidence, source) = match data.contraction {
        Contraction::Never if ours => ("none", Documented, OWN),
        Contraction::Never => ("none: the source's own multiply-adds only", Modelled, ASCEND),
        Contraction::Nvcc => ("as nvcc and ptxas fuse", Measured, NVCC),
        Contraction::Clang { .. } if hygon => {
            ("as clang fuses for gfx906, which stands in", Modelled, CLANG)
        }
        Contraction::Clang { packed: false } => ("as clang fuses", Measured, CLANG),
        Contraction::Clang { packed: true } => {
            ("as clang fuses, packed additions apart", Measured, CLANG)
        }
    };
    part("contraction", value, evidence, source, None);

    let (value, source) = match (data.side, data.fuse_f16, data.fuse_bf16) {
        (Side::Cuda(_), true, true) => ("f16 and bf16 are fused", NVCC),
        (Side::Cuda(_), ..) => ("f16 is fused, bf16 rounded twice", NVCC),
        (Side::Hip(_), ..) => ("f16 is fused, bf16 computed in f32", CLANG),
        (Side::Ascend(_), ..) => ("none", ASCEND),
        _ => ("none", OWN),
    };
    let evidence = match data.side {
        Side::Ascend(_) => Modelled,
        _ if hygon => Modelled,
        _ if ours => Documented,
        _ => Measured,
    };
    part("f16 contraction", value, evidence, source, None);

    let (value, evidence, source) = match (data.side, data.flush) {
        (Side::Cuda(_), true) => ("flushed in f32 (-ftz=true)", Documented, GUIDE),
        (Side::Cuda(_), false) => ("kept", Documented, GUIDE),
        (Side::Hip(_), _) => ("kept", if hygon { Modelled } else { Documented }, ROCM),
        (Side::Ascend("950"), _) => (
            "kept in sums and products, flushed in quotients, roots, exp and log",
            Documented,
            ASCEND,
        ),
        (Side::Ascend(_), _) => ("kept", Documented, ASCEND),
        _ => ("kept", Documented, IEEE),
    };
    part("subnormals", value, evidence, source, None);

    for (what, division) in [("division", data.division), ("square root", data.square_root)] {
        let (value, evidence, source) = match (division, data.side) {
            (Division::Approximate, _) => ("by the hardware's approximations", Measured, NVCC),
            (Division::Flushed, _) => ("rounded correctly, subnormals flushed", Modelled, ASCEND),
            (Division::Correct, Side::Cuda(_)) => ("rounded correctly", Documented, GUIDE),
            (Division::Correct, Side::Hip(_)) => {
                ("rounded correctly", if hygon { Modelled } else { Documented }, ROCM)
            }
            (Division::Correct, Side::Ascend(_)) => ("rounded correctly", Modelled, ASCEND),
            (Division::Correct, _) => ("rounded correctly", Documented, IEEE),
        };
        let envelope = match (division, data.side) {
            (Division::Flushed, _) => Some(Envelope::within(1.0)),
            (Division::Correct, Side::Ascend(_)) => Some(Envelope::within(1.0)),
            _ => None,
        };
        part(what, value, evidence, source, envelope);
    }

    match data.functions {
        Functions::Library => {
            let value = "the C library's of this machine";
            part("functions", value, Documented, OWN, None);
        }
        Functions::Cuda | Functions::CudaFast => {
            let value = match data.functions {
                Functions::CudaFast => "f32: intrinsics, as -use_fast_math has them",
                _ => "f32: CUDA's own sequences of operations",
            };
            part("functions", value, Measured, "PTX of nvcc 13, interpreted", None);
            part(
                "hardware approximations",
                "ex2, lg2, rcp, rsq, sqrt, sin, cos, tanh: correctly rounded but for a model's error",
                Modelled,
                "bounds of the PTX ISA; LLNL Varity's published results",
                Some(Envelope::within(2.0)),
            );
            part(
                "functions of f64",
                "the C library's, within CUDA's bounds",
                Documented,
                GUIDE,
                Some(Envelope::within(2.0)),
            );
        }
        Functions::Nearest if data.side == Side::Exact => {
            part("functions", "the nearest number", Documented, OWN, None);
        }
        Functions::Nearest => {
            let source = if matches!(data.side, Side::Hip(_)) { ROCM } else { ASCEND };
            let value = "the nearest number, within documented bounds";
            let ulp = if matches!(data.side, Side::Hip(_)) { 6.0 } else { f64::INFINITY };
            part("functions", value, Modelled, source, Some(Envelope::within(ulp)));
        }
        Functions::Ascend950 => {
            let value = "the formulas of the chip's headers, over nearest numbers";
            let envelope = Some(Envelope::within(1.0));
            part("functions", value, Modelled, ASCEND, envelope);
        }
    }

    let (value, evidence, source) = match data.nan {
        Nan::Canonical => ("f32 gives 0x7fffffff, f16 and bf16 0x7fff", Documented, PTX),
        Nan::Processor if ours => ("this processor's", Documented, OWN),
        Nan::Processor => ("this processor's: compare canonically", Modelled, OWN),
    };
    part("bits of NaN", value, evidence, source, None);

    let (value, evidence, source) = match data.nan_to_integer {
        NanToInteger::Zero if data.side == Side::Exact => ("0", Documented, OWN),
        NanToInteger::Zero => ("0", Modelled, CLANG),
        NanToInteger::TopBitIf64 => ("0, of 64 bits the top one", Documented, OWN),
        NanToInteger::TopBitIfAny64 => ("0; the top bit if either has 64 bits", Documented, PTX),
    };
    part("NaN to integer", value, evidence, source, None);

    let (evidence, source) = match data.side {
        Side::Cuda(_) => (Documented, GUIDE),
        Side::Hip(_) => (Documented, "AMD ISA documentation; for Hygon, DTK's compiler options"),
        Side::Ascend(_) => (Documented, ASCEND),
        _ => (Documented, OWN),
    };
    part("warp width", &format!("{} lanes", data.warp_width), evidence, source, None);

    let (value, evidence, source) = match data.matrix {
        Unit::Ordered if ours => ("in order of k, each step rounded", Documented, OWN),
        Unit::Ordered => ("none: in order of k, each step rounded", Modelled, OWN),
        Unit::Exact => ("the exact sum, rounded once", Documented, OWN),
        Unit::Volta => ("V100: 4 products and C in a step, 23 bits kept", Measured, UNITS),
        Unit::Turing => ("T4: 8 products and C in a step, 24 bits kept", Modelled, MMA_SIM),
        Unit::Ampere => ("A100: 8 products and C in a step, 24 bits kept", Measured, UNITS),
        Unit::Ada => ("L40S: as A100; 13 bits of 8-bit inputs", Measured, UNITS),
        Unit::Hopper => ("H100: 16 products and C in a step, 25 bits kept", Measured, UNITS),
        Unit::Blackwell => ("B200: 16 products and C in a step, 25 bits kept", Measured, UNITS),
        Unit::Cdna2 => ("MI200: pairs in f32, subnormals flushed", Modelled, MMA_SIM),
        Unit::Cdna3 => ("MI300: 8 products aligned, C joined rounding down", Modelled, MMA_SIM),
        Unit::Ascend => {
            ("in order of k, each step rounded, for want of the bits", Modelled, ASCEND)
        }
    };
    part("matrix unit", value, evidence, source, matrix_envelope(data.matrix));
    parts
}
