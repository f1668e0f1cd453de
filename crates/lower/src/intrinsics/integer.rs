//! Integer functions and bit operations.

use port_ir::{FloatFlags, IntegerOp, MathFunction as M};

use super::{Intrinsic, Table};

const fn bits(function: M) -> Intrinsic {
    Intrinsic::MathOfOperand(function, FloatFlags::STRICT)
}

pub(super) const TABLE: Table = &[
    ("labs", Intrinsic::Absolute),
    ("llabs", Intrinsic::Absolute),
    ("umax", Intrinsic::Maximum),
    ("umin", Intrinsic::Minimum),
    ("llmax", Intrinsic::Maximum),
    ("llmin", Intrinsic::Minimum),
    ("ullmax", Intrinsic::Maximum),
    ("ullmin", Intrinsic::Minimum),
    ("__brev", bits(M::ReverseBits)),
    ("__brevll", bits(M::ReverseBits)),
    ("__byte_perm", bits(M::BytePermute)),
    ("__clz", bits(M::CountLeadingZeros)),
    ("__clzll", bits(M::CountLeadingZeros)),
    ("__dp2a_hi", bits(M::DotTwoHigh)),
    ("__dp2a_lo", bits(M::DotTwoLow)),
    ("__dp4a", bits(M::DotFourBytes)),
    ("__ffs", bits(M::FindFirstSet)),
    ("__ffsll", bits(M::FindFirstSet)),
    ("__funnelshift_l", bits(M::FunnelShiftLeft)),
    ("__funnelshift_lc", bits(M::FunnelShiftLeftClamp)),
    ("__funnelshift_r", bits(M::FunnelShiftRight)),
    ("__funnelshift_rc", bits(M::FunnelShiftRightClamp)),
    ("__mul24", bits(M::Multiply24)),
    ("__umul24", bits(M::Multiply24)),
    ("__mulhi", Intrinsic::Integer(IntegerOp::MultiplyHigh)),
    ("__umulhi", Intrinsic::Integer(IntegerOp::MultiplyHigh)),
    ("__mul64hi", Intrinsic::Integer(IntegerOp::MultiplyHigh)),
    ("__umul64hi", Intrinsic::Integer(IntegerOp::MultiplyHigh)),
    ("mulhi", Intrinsic::Integer(IntegerOp::MultiplyHigh)),
    ("__popc", bits(M::PopulationCount)),
    ("__builtin_popcount", bits(M::PopulationCount)),
    ("__builtin_popcountll", bits(M::PopulationCount)),
    ("__popcll", bits(M::PopulationCount)),
    ("__rhadd", bits(M::AverageUp)),
    ("__urhadd", bits(M::AverageUp)),
    ("__uhadd", bits(M::AverageDown)),
    ("__sad", bits(M::SumOfAbsoluteDifference)),
    ("__usad", bits(M::SumOfAbsoluteDifference)),
    ("__nv_bswap16", Intrinsic::ByteSwap),
    ("__nv_bswap32", Intrinsic::ByteSwap),
    ("__nv_bswap64", Intrinsic::ByteSwap),
];
