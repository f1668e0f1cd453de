//! Warp operations, barriers and fences.

use port_ir::{BarrierReduction, Builtin, CompareOp, MemoryScope, ReduceOp, ShuffleMode, VoteKind};

use super::{Intrinsic, Table};

const fn shuffle(mode: ShuffleMode, sync: bool) -> Intrinsic {
    Intrinsic::Shuffle { mode, sync }
}

const fn vote(kind: VoteKind, sync: bool) -> Intrinsic {
    Intrinsic::Vote { kind, sync }
}

pub(super) const TABLE: Table = &[
    ("__shfl", shuffle(ShuffleMode::Index, false)),
    ("__shfl_up", shuffle(ShuffleMode::Up, false)),
    ("__shfl_down", shuffle(ShuffleMode::Down, false)),
    ("__shfl_xor", shuffle(ShuffleMode::Xor, false)),
    ("__shfl_sync", shuffle(ShuffleMode::Index, true)),
    ("__shfl_up_sync", shuffle(ShuffleMode::Up, true)),
    ("__shfl_down_sync", shuffle(ShuffleMode::Down, true)),
    ("__shfl_xor_sync", shuffle(ShuffleMode::Xor, true)),
    ("__all", vote(VoteKind::All, false)),
    ("__any", vote(VoteKind::Any, false)),
    ("__ballot", vote(VoteKind::Ballot, false)),
    ("__all_sync", vote(VoteKind::All, true)),
    ("__any_sync", vote(VoteKind::Any, true)),
    ("__uni_sync", vote(VoteKind::Uniform, true)),
    ("__ballot_sync", vote(VoteKind::Ballot, true)),
    ("__match_any_sync", Intrinsic::Match { all: false }),
    ("__match_all_sync", Intrinsic::Match { all: true }),
    ("__activemask", Intrinsic::ActiveMask),
    ("__reduce_add_sync", Intrinsic::WarpReduce(ReduceOp::Add)),
    ("__reduce_min_sync", Intrinsic::WarpReduce(ReduceOp::Minimum)),
    ("__reduce_max_sync", Intrinsic::WarpReduce(ReduceOp::Maximum)),
    ("__reduce_and_sync", Intrinsic::WarpReduce(ReduceOp::And)),
    ("__reduce_or_sync", Intrinsic::WarpReduce(ReduceOp::Or)),
    ("__reduce_xor_sync", Intrinsic::WarpReduce(ReduceOp::Xor)),
    ("__syncwarp", Intrinsic::SyncWarp),
    ("__fns", Intrinsic::FindNthSet),
    ("__port_lane", Intrinsic::Builtin(Builtin::LaneId)),
    ("__lane_id", Intrinsic::Builtin(Builtin::LaneId)),
    ("__port_warp", Intrinsic::Builtin(Builtin::WarpId)),
    ("__port_lane_mask_lt", Intrinsic::Builtin(Builtin::LaneMask(CompareOp::Less))),
    ("__port_lane_mask_le", Intrinsic::Builtin(Builtin::LaneMask(CompareOp::LessEqual))),
    ("__port_lane_mask_gt", Intrinsic::Builtin(Builtin::LaneMask(CompareOp::Greater))),
    ("__port_lane_mask_ge", Intrinsic::Builtin(Builtin::LaneMask(CompareOp::GreaterEqual))),
    ("__port_lane_mask_eq", Intrinsic::Builtin(Builtin::LaneMask(CompareOp::Equal))),
    ("__port_cluster_rank", Intrinsic::Builtin(Builtin::ClusterRank)),
    ("__port_cluster_size", Intrinsic::Builtin(Builtin::ClusterSize)),
    ("__port_dynamic_shared_size", Intrinsic::Builtin(Builtin::DynamicSharedSize)),
    ("__syncthreads", Intrinsic::BlockBarrier),
    ("__port_barrier_arrive", Intrinsic::NamedBarrierArrive),
    ("__barrier_sync", Intrinsic::NamedBarrier),
    ("__barrier_sync_count", Intrinsic::NamedBarrier),
    ("__syncthreads_and", Intrinsic::BlockBarrierReduce(BarrierReduction::And)),
    ("__syncthreads_or", Intrinsic::BlockBarrierReduce(BarrierReduction::Or)),
    ("__syncthreads_count", Intrinsic::BlockBarrierReduce(BarrierReduction::Count)),
    ("__port_grid_barrier", Intrinsic::GridBarrier),
    ("__port_cluster_barrier", Intrinsic::ClusterBarrier),
    ("__threadfence", Intrinsic::Fence(MemoryScope::Device)),
    ("__threadfence_block", Intrinsic::Fence(MemoryScope::Block)),
    ("__threadfence_system", Intrinsic::Fence(MemoryScope::System)),
];
