//! Loads and stores with cache hints, copies, clocks, traps, matrix fragments.

use port_ir::{CacheHint, ClockKind};

use super::{Intrinsic, Table};

pub(super) const TABLE: Table = &[
    ("__ldg", Intrinsic::Load(CacheHint::ReadOnly)),
    ("__ldca", Intrinsic::Load(CacheHint::All)),
    ("__ldcg", Intrinsic::Load(CacheHint::DeviceLevel)),
    ("__ldcs", Intrinsic::Load(CacheHint::Streaming)),
    ("__ldlu", Intrinsic::Load(CacheHint::LastUse)),
    ("__ldcv", Intrinsic::Load(CacheHint::Through)),
    ("__stwb", Intrinsic::Store(CacheHint::All)),
    ("__stcg", Intrinsic::Store(CacheHint::DeviceLevel)),
    ("__stcs", Intrinsic::Store(CacheHint::Streaming)),
    ("__stwt", Intrinsic::Store(CacheHint::Through)),
    ("memcpy", Intrinsic::CopyBytes),
    ("memmove", Intrinsic::CopyBytes),
    ("memset", Intrinsic::FillBytes),
    ("__pipeline_memcpy_async", Intrinsic::AsyncCopy),
    ("__pipeline_commit", Intrinsic::AsyncCommit),
    ("__pipeline_wait_prior", Intrinsic::AsyncWait),
    ("clock", Intrinsic::Clock(ClockKind::Cycles32)),
    ("clock64", Intrinsic::Clock(ClockKind::Cycles64)),
    ("__nanosleep", Intrinsic::Sleep),
    ("__trap", Intrinsic::Trap),
    ("abort", Intrinsic::Trap),
    ("declval", Intrinsic::Declval),
    ("nvcuda::wmma::fill_fragment", Intrinsic::FragmentFill),
    ("nvcuda::wmma::load_matrix_sync", Intrinsic::FragmentLoad),
    ("nvcuda::wmma::store_matrix_sync", Intrinsic::FragmentStore),
    ("nvcuda::wmma::mma_sync", Intrinsic::FragmentMultiply),
];
