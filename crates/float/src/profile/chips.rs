//! The profiles as data.

use super::{Contraction, Division, Functions, Nan, Parts, Side};
use crate::format::NanToInteger;
use crate::matrix::Unit;

const CUDA: Parts = Parts {
    side: Side::Cuda(80),
    contraction: Contraction::Nvcc,
    fuse_f16: true,
    fuse_bf16: true,
    flush: false,
    division: Division::Correct,
    square_root: Division::Correct,
    functions: Functions::Cuda,
    warp_width: 32,
    matrix: Unit::Ampere,
    nan: Nan::Canonical,
    nan_to_integer: NanToInteger::TopBitIfAny64,
};

const fn cuda(sm: u32, matrix: Unit) -> Parts {
    Parts { side: Side::Cuda(sm), matrix, fuse_bf16: sm >= 90, ..CUDA }
}

const fn hip(name: &'static str, packed: bool, warp_width: u32, matrix: Unit) -> Parts {
    Parts {
        side: Side::Hip(name),
        contraction: Contraction::Clang { packed },
        fuse_bf16: false,
        functions: Functions::Nearest,
        warp_width,
        matrix,
        nan: Nan::Processor,
        nan_to_integer: NanToInteger::Zero,
        ..CUDA
    }
}

const ASCEND: Parts = Parts {
    side: Side::Ascend("910b"),
    contraction: Contraction::Never,
    fuse_f16: false,
    fuse_bf16: false,
    functions: Functions::Nearest,
    matrix: Unit::Ascend,
    nan: Nan::Processor,
    nan_to_integer: NanToInteger::Zero,
    ..CUDA
};

/// Names and parts, in the order in which they are listed.
pub(super) const ALL: &[(&str, Parts)] = &[
    ("cuda:sm_70", cuda(70, Unit::Volta)),
    ("cuda:sm_75", cuda(75, Unit::Turing)),
    ("cuda:sm_80", cuda(80, Unit::Ampere)),
    ("cuda:sm_86", cuda(86, Unit::Ampere)),
    ("cuda:sm_89", cuda(89, Unit::Ada)),
    ("cuda:sm_90", cuda(90, Unit::Hopper)),
    ("cuda:sm_100", cuda(100, Unit::Blackwell)),
    ("hip:gfx906", hip("gfx906", false, 64, Unit::Ordered)),
    ("hip:gfx90a", hip("gfx90a", true, 64, Unit::Cdna2)),
    ("hip:gfx942", hip("gfx942", true, 64, Unit::Cdna3)),
    ("hip:gfx1030", hip("gfx1030", false, 32, Unit::Ordered)),
    ("hip:gfx1100", hip("gfx1100", false, 32, Unit::Ordered)),
    ("hip:gfx926", hip("gfx926", false, 64, Unit::Ordered)),
    ("hip:gfx928", hip("gfx928", false, 64, Unit::Ordered)),
    ("hip:gfx936", hip("gfx936", false, 64, Unit::Ordered)),
    ("ascend:910b", ASCEND),
    (
        "ascend:950",
        Parts {
            side: Side::Ascend("950"),
            division: Division::Flushed,
            square_root: Division::Flushed,
            functions: Functions::Ascend950,
            ..ASCEND
        },
    ),
    (
        "cpu",
        Parts {
            side: Side::Cpu,
            contraction: Contraction::Never,
            fuse_f16: false,
            fuse_bf16: false,
            functions: Functions::Library,
            matrix: Unit::Ordered,
            nan: Nan::Processor,
            nan_to_integer: NanToInteger::TopBitIf64,
            ..CUDA
        },
    ),
    (
        "exact",
        Parts {
            side: Side::Exact,
            contraction: Contraction::Never,
            fuse_f16: false,
            fuse_bf16: false,
            functions: Functions::Nearest,
            matrix: Unit::Exact,
            nan: Nan::Processor,
            nan_to_integer: NanToInteger::Zero,
            ..CUDA
        },
    ),
];

/// What `-use_fast_math` makes of it; `None` for a side that has no such flag here.
pub(super) fn fast_math(parts: Parts) -> Option<Parts> {
    match parts.side {
        Side::Cuda(_) => Some(Parts {
            flush: true,
            division: Division::Approximate,
            square_root: Division::Approximate,
            functions: Functions::CudaFast,
            ..parts
        }),
        _ => None,
    }
}
