//! Atomic functions. The plain forms have device scope.

use port_ir::MemoryScope::{self, Block, Device, System};

use super::AtomicKind as A;
use super::{AtomicKind, Intrinsic, Table};

const fn atomic(op: AtomicKind, scope: MemoryScope) -> Intrinsic {
    Intrinsic::Atomic { op, scope }
}

pub(super) const TABLE: Table = &[
    ("atomicAdd", atomic(A::Add, Device)),
    ("atomicAdd_block", atomic(A::Add, Block)),
    ("atomicAdd_system", atomic(A::Add, System)),
    ("atomicSub", atomic(A::Subtract, Device)),
    ("atomicSub_block", atomic(A::Subtract, Block)),
    ("atomicSub_system", atomic(A::Subtract, System)),
    ("atomicMin", atomic(A::Minimum, Device)),
    ("atomicMin_block", atomic(A::Minimum, Block)),
    ("atomicMin_system", atomic(A::Minimum, System)),
    ("atomicMax", atomic(A::Maximum, Device)),
    ("atomicMax_block", atomic(A::Maximum, Block)),
    ("atomicMax_system", atomic(A::Maximum, System)),
    ("atomicAnd", atomic(A::And, Device)),
    ("atomicAnd_block", atomic(A::And, Block)),
    ("atomicAnd_system", atomic(A::And, System)),
    ("atomicOr", atomic(A::Or, Device)),
    ("atomicOr_block", atomic(A::Or, Block)),
    ("atomicOr_system", atomic(A::Or, System)),
    ("atomicXor", atomic(A::Xor, Device)),
    ("atomicXor_block", atomic(A::Xor, Block)),
    ("atomicXor_system", atomic(A::Xor, System)),
    ("atomicExch", atomic(A::Exchange, Device)),
    ("atomicExch_block", atomic(A::Exchange, Block)),
    ("atomicExch_system", atomic(A::Exchange, System)),
    ("atomicCAS", atomic(A::CompareExchange, Device)),
    ("atomicCAS_block", atomic(A::CompareExchange, Block)),
    ("atomicCAS_system", atomic(A::CompareExchange, System)),
    ("atomicInc", atomic(A::Increment, Device)),
    ("atomicInc_block", atomic(A::Increment, Block)),
    ("atomicInc_system", atomic(A::Increment, System)),
    ("atomicDec", atomic(A::Decrement, Device)),
    ("atomicDec_block", atomic(A::Decrement, Block)),
    ("atomicDec_system", atomic(A::Decrement, System)),
];
