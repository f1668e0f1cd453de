//@ section cooperative-groups
//@ needs base
// Groups of threads as CUDA has them, in the warps of this header: what HIP calls a tile or a
// coalesced group lacks votes and matches in some releases, and may hold 64 lanes.
namespace port_cooperative_groups {

PORT_DEVICE unsigned int port_thread_in_block() {
  return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
}
PORT_DEVICE unsigned int port_threads_of_block() { return blockDim.x * blockDim.y * blockDim.z; }

// Any group within a block: some lanes of a warp, or all threads of the block.
class thread_group {
 protected:
  port_lane_mask lanes;  // 0 for the block
  unsigned int rank_above;
  unsigned int groups_above;

  PORT_DEVICE thread_group(port_lane_mask lanes, unsigned int rank_above, unsigned int groups_above)
      : lanes(lanes), rank_above(rank_above), groups_above(groups_above) {}

 public:
  PORT_DEVICE port_lane_mask port_lanes() const { return lanes; }
  PORT_DEVICE unsigned long long size() const {
    return lanes == 0 ? port_threads_of_block() : (unsigned int)__builtin_popcountll(lanes);
  }
  PORT_DEVICE unsigned long long num_threads() const { return size(); }
  PORT_DEVICE unsigned long long thread_rank() const {
    return lanes == 0 ? port_thread_in_block()
                      : (unsigned int)__builtin_popcountll(lanes & port_lanemask_lt());
  }
  PORT_DEVICE void sync() const {
    if (lanes == 0) {
      __syncthreads();
    } else {
      port_syncwarp(lanes);
    }
  }
};

class thread_block : public thread_group {
 public:
  struct arrival_token {};

  PORT_DEVICE thread_block() : thread_group(0, 0, 1) {}
  PORT_DEVICE static unsigned int size() { return port_threads_of_block(); }
  PORT_DEVICE static unsigned int num_threads() { return port_threads_of_block(); }
  PORT_DEVICE static unsigned int thread_rank() { return port_thread_in_block(); }
  PORT_DEVICE static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  PORT_DEVICE static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
  PORT_DEVICE static dim3 group_dim() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  PORT_DEVICE static dim3 dim_threads() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  PORT_DEVICE static void sync() { __syncthreads(); }
  // Whoever waits has arrived, so the whole barrier may stand in the wait.
  PORT_DEVICE arrival_token barrier_arrive() const { return arrival_token(); }
  PORT_DEVICE void barrier_wait(arrival_token &&) const { __syncthreads(); }
};

PORT_DEVICE thread_block this_thread_block() { return thread_block(); }

// The lanes of a set, as bits in the order of their ranks.
PORT_DEVICE port_lane_mask port_pack_lanes(port_lane_mask set, port_lane_mask lanes) {
  port_lane_mask packed = 0;
  for (int rank = 0; lanes != 0; ++rank, lanes &= lanes - 1) {
    if (set & lanes & (~lanes + 1)) packed |= (port_lane_mask)1 << rank;
  }
  return packed;
}

// The lane of a rank; one past the last of a warp where there is none.
PORT_DEVICE int port_lane_of_rank(port_lane_mask lanes, int rank) {
  for (; rank > 0; --rank) lanes &= lanes - 1;
  return lanes == 0 || rank < 0 ? (int)(8 * sizeof(lanes)) : __builtin_ctzll(lanes);
}

// The lanes of a warp that were together when the group was made, or a part of them.
class coalesced_group : public thread_group {
  template <typename T>
  PORT_DEVICE T from_lane(T value, int lane) const {
    PORT_WARP_MEMBERS(port_wave_lanes(lanes));
    value = port_shfl_from(value, lane);
    PORT_WARP_MEMBERS(0);
    return value;
  }

 public:
  PORT_DEVICE coalesced_group(port_lane_mask lanes, unsigned int rank_above,
                              unsigned int groups_above)
      : thread_group(lanes, rank_above, groups_above) {}
  PORT_DEVICE unsigned int size() const { return (unsigned int)__builtin_popcountll(lanes); }
  PORT_DEVICE unsigned int num_threads() const { return size(); }
  PORT_DEVICE unsigned int thread_rank() const {
    return (unsigned int)__builtin_popcountll(lanes & port_lanemask_lt());
  }
  PORT_DEVICE unsigned int meta_group_rank() const { return rank_above; }
  PORT_DEVICE unsigned int meta_group_size() const { return groups_above; }
  PORT_DEVICE void sync() const { port_syncwarp(lanes); }

  template <typename T>
  PORT_DEVICE T shfl(T value, int rank) const {
    const int lane = port_lane_of_rank(lanes, rank);
    return from_lane(value, lane < (int)(8 * sizeof(lanes)) ? lane : (int)port_lane_id());
  }
  template <typename T>
  PORT_DEVICE T shfl_up(T value, unsigned int delta) const {
    const int rank = (int)thread_rank();
    return shfl(value, (int)delta > rank ? rank : rank - (int)delta);
  }
  template <typename T>
  PORT_DEVICE T shfl_down(T value, unsigned int delta) const {
    const unsigned int rank = thread_rank();
    return shfl(value, (int)(delta >= size() - rank ? rank : rank + delta));
  }
  PORT_DEVICE int any(int predicate) const { return port_any_sync(lanes, predicate); }
  PORT_DEVICE int all(int predicate) const { return port_all_sync(lanes, predicate); }
  PORT_DEVICE port_lane_mask ballot(int predicate) const {
    return port_pack_lanes(port_ballot_sync(lanes, predicate), lanes);
  }
  template <typename T>
  PORT_DEVICE port_lane_mask match_any(T value) const {
    return port_pack_lanes(port_match_any_sync(lanes, value), lanes);
  }
  template <typename T>
  PORT_DEVICE port_lane_mask match_all(T value, int &predicate) const {
    return port_pack_lanes(port_match_all_sync(lanes, value, &predicate), lanes);
  }
};

PORT_DEVICE coalesced_group coalesced_threads() { return coalesced_group(port_activemask(), 0, 1); }

template <unsigned int Size, typename Parent = void>
class thread_block_tile;

// `Size` neighbouring lanes of a warp, a power of two.
template <unsigned int Size>
class thread_block_tile<Size, void> : public thread_group {
  static_assert(Size != 0 && (Size & (Size - 1)) == 0, "the size of a tile is a power of two");
  static_assert(Size <= 8 * sizeof(port_lane_mask), "a tile larger than a warp has no form here");

 public:
  PORT_DEVICE thread_block_tile(unsigned int rank_above, unsigned int groups_above)
      : thread_group((((port_lane_mask)~0ull) >> (8 * sizeof(port_lane_mask) - Size))
                         << (port_lane_id() & ~(Size - 1)),
                     rank_above, groups_above) {}
  PORT_DEVICE static constexpr unsigned int size() { return Size; }
  PORT_DEVICE static constexpr unsigned int num_threads() { return Size; }
  PORT_DEVICE static unsigned int thread_rank() { return port_lane_id() & (Size - 1); }
  PORT_DEVICE unsigned int meta_group_rank() const { return rank_above; }
  PORT_DEVICE unsigned int meta_group_size() const { return groups_above; }
  PORT_DEVICE void sync() const { port_syncwarp(lanes); }

  template <typename T>
  PORT_DEVICE T shfl(T value, int rank) const {
    return (T)port_shfl_sync(lanes, value, rank, (int)Size);
  }
  template <typename T>
  PORT_DEVICE T shfl_up(T value, unsigned int delta) const {
    return (T)port_shfl_up_sync(lanes, value, delta, (int)Size);
  }
  template <typename T>
  PORT_DEVICE T shfl_down(T value, unsigned int delta) const {
    return (T)port_shfl_down_sync(lanes, value, delta, (int)Size);
  }
  template <typename T>
  PORT_DEVICE T shfl_xor(T value, unsigned int bits) const {
    return (T)port_shfl_xor_sync(lanes, value, (int)bits, (int)Size);
  }
  PORT_DEVICE int any(int predicate) const { return port_any_sync(lanes, predicate); }
  PORT_DEVICE int all(int predicate) const { return port_all_sync(lanes, predicate); }
  PORT_DEVICE port_lane_mask ballot(int predicate) const {
    return port_ballot_sync(lanes, predicate) >> (port_lane_id() & ~(Size - 1));
  }
  template <typename T>
  PORT_DEVICE port_lane_mask match_any(T value) const {
    return port_match_any_sync(lanes, value) >> (port_lane_id() & ~(Size - 1));
  }
  template <typename T>
  PORT_DEVICE port_lane_mask match_all(T value, int &predicate) const {
    return port_match_all_sync(lanes, value, &predicate) >> (port_lane_id() & ~(Size - 1));
  }
};

template <unsigned int Size, typename Parent>
class thread_block_tile : public thread_block_tile<Size, void> {
 public:
  PORT_DEVICE thread_block_tile(unsigned int rank_above, unsigned int groups_above)
      : thread_block_tile<Size, void>(rank_above, groups_above) {}
};

template <unsigned int Size>
PORT_DEVICE thread_block_tile<Size, thread_block> tiled_partition(const thread_block &) {
  return thread_block_tile<Size, thread_block>(port_thread_in_block() / Size,
                                               (port_threads_of_block() + Size - 1) / Size);
}
template <unsigned int Size, unsigned int ParentSize, typename Parent>
PORT_DEVICE thread_block_tile<Size, thread_block_tile<ParentSize, Parent>> tiled_partition(
    const thread_block_tile<ParentSize, Parent> &parent) {
  static_assert(Size <= ParentSize, "a tile is not larger than what it is a part of");
  return thread_block_tile<Size, thread_block_tile<ParentSize, Parent>>(parent.thread_rank() / Size,
                                                                        ParentSize / Size);
}

// Tiles whose size is known when the kernel runs.
PORT_DEVICE coalesced_group tiled_partition(const coalesced_group &parent, unsigned int size) {
  const unsigned int first = parent.thread_rank() / size * size;
  port_lane_mask left = parent.port_lanes();
  for (unsigned int rank = 0; rank < first; ++rank) left &= left - 1;
  port_lane_mask lanes = 0;
  for (unsigned int rank = 0; rank < size && left != 0; ++rank, left &= left - 1)
    lanes |= left & (~left + 1);
  return coalesced_group(lanes, parent.thread_rank() / size, (parent.size() + size - 1) / size);
}
PORT_DEVICE coalesced_group tiled_partition(const thread_group &parent, unsigned int size) {
  const unsigned int rank = (unsigned int)parent.thread_rank();
  const unsigned int threads = (unsigned int)parent.size();
  if (parent.port_lanes() != 0)
    return tiled_partition(coalesced_group(parent.port_lanes(), 0, 1), size);
  // Of a block: neighbouring lanes, the last tile cut where the block ends.
  const unsigned int left = threads - rank / size * size;
  const port_lane_mask all =
      (port_lane_mask)~0ull >> (8 * sizeof(port_lane_mask) - (left < size ? left : size));
  return coalesced_group(all << (port_lane_id() & ~(size - 1)), rank / size,
                         (threads + size - 1) / size);
}

PORT_DEVICE thread_block_tile<1, void> this_thread() { return thread_block_tile<1, void>(0, 1); }

template <typename Group>
PORT_DEVICE void sync(const Group &group) {
  group.sync();
}
template <typename Group>
PORT_DEVICE auto thread_rank(const Group &group) -> decltype(group.thread_rank()) {
  return group.thread_rank();
}
template <typename Group>
PORT_DEVICE auto group_size(const Group &group) -> decltype(group.size()) {
  return group.size();
}

}  // namespace port_cooperative_groups

namespace port_cg = port_cooperative_groups;

//@ section cooperative-grid
//@ provides this_grid grid_group
//@ with port_cooperative_groups port_cg
//@ needs cooperative-groups
namespace port_cooperative_groups {

// All threads of a cooperative launch.
class grid_group {
 public:
  PORT_DEVICE bool is_valid() const {
#ifdef PORT_ORACLE
    return true;
#else
    return __ockl_grid_is_valid() != 0;
#endif
  }
  PORT_DEVICE void sync() const {
#ifdef PORT_ORACLE
    port_oracle_grid_sync();
#else
    __ockl_grid_sync();
#endif
  }
  PORT_DEVICE unsigned long long num_blocks() const {
    return (unsigned long long)gridDim.x * gridDim.y * gridDim.z;
  }
  PORT_DEVICE unsigned long long block_rank() const {
    return ((unsigned long long)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  }
  PORT_DEVICE unsigned long long size() const { return num_blocks() * port_threads_of_block(); }
  PORT_DEVICE unsigned long long num_threads() const { return size(); }
  PORT_DEVICE unsigned long long thread_rank() const {
    return block_rank() * port_threads_of_block() + port_thread_in_block();
  }
  PORT_DEVICE dim3 block_index() const { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  PORT_DEVICE dim3 group_dim() const { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  PORT_DEVICE dim3 dim_blocks() const { return dim3(gridDim.x, gridDim.y, gridDim.z); }
};

PORT_DEVICE grid_group this_grid() { return grid_group(); }

}  // namespace port_cooperative_groups

//@ section cooperative-partition
//@ provides labeled_partition binary_partition
//@ with port_cooperative_groups port_cg
//@ needs cooperative-groups
namespace port_cooperative_groups {

// The threads of a group that give the same label, in the order of the first of each.
template <typename Group, typename Label>
PORT_DEVICE coalesced_group labeled_partition(const Group &group, Label label) {
  const port_lane_mask lanes = port_match_any_sync(group.port_lanes(), label);
  const port_lane_mask first = lanes & (~lanes + 1);
  const port_lane_mask leaders =
      port_ballot_sync(group.port_lanes(), (first & port_lanemask_eq()) != 0);
  return coalesced_group(lanes, (unsigned int)__builtin_popcountll(leaders & (first - 1)),
                         (unsigned int)__builtin_popcountll(leaders));
}

template <typename Group>
PORT_DEVICE coalesced_group binary_partition(const Group &group, bool predicate) {
  const port_lane_mask set = port_ballot_sync(group.port_lanes(), predicate);
  const port_lane_mask all = port_ballot_sync(group.port_lanes(), 1);
  if (set == all || set == 0) return coalesced_group(all, 0, 1);
  return coalesced_group(predicate ? set : all & ~set, predicate ? 1 : 0, 2);
}
template <typename Group>
PORT_DEVICE coalesced_group labeled_partition(const Group &group, bool label) {
  return binary_partition(group, label);
}

}  // namespace port_cooperative_groups

//@ section cooperative-operations
//@ provides plus less greater bit_and bit_or bit_xor
//@ with port_cooperative_groups port_cg
//@ needs cooperative-groups
namespace port_cooperative_groups {

template <typename T>
struct plus {
  PORT_DEVICE T operator()(const T &a, const T &b) const { return a + b; }
};
template <typename T>
struct less {
  PORT_DEVICE T operator()(const T &a, const T &b) const { return b < a ? b : a; }
};
template <typename T>
struct greater {
  PORT_DEVICE T operator()(const T &a, const T &b) const { return a < b ? b : a; }
};
template <typename T>
struct bit_and {
  PORT_DEVICE T operator()(const T &a, const T &b) const { return a & b; }
};
template <typename T>
struct bit_or {
  PORT_DEVICE T operator()(const T &a, const T &b) const { return a | b; }
};
template <typename T>
struct bit_xor {
  PORT_DEVICE T operator()(const T &a, const T &b) const { return a ^ b; }
};

}  // namespace port_cooperative_groups

//@ section cooperative-scan
//@ provides inclusive_scan exclusive_scan
//@ with port_cooperative_groups port_cg
//@ needs cooperative-operations
namespace port_cooperative_groups {

// In CUDA's order: in each step the value of the rank 1, 2, 4 … below is the second operand.
template <typename Group, typename T, typename Operation>
PORT_DEVICE T inclusive_scan(const Group &group, T value, Operation operation) {
  const unsigned int rank = (unsigned int)group.thread_rank();
  for (unsigned int step = 1; step < group.size(); step <<= 1) {
    const T below = group.shfl_up(value, step);
    if (step <= rank) value = operation(value, below);
  }
  return value;
}
template <typename Group, typename T>
PORT_DEVICE T inclusive_scan(const Group &group, T value) {
  return inclusive_scan(group, value, plus<T>());
}
template <typename Group, typename T, typename Operation>
PORT_DEVICE T exclusive_scan(const Group &group, T value, Operation operation) {
  const T below = group.shfl_up(inclusive_scan(group, value, operation), 1);
  return group.thread_rank() == 0 ? T() : below;
}
template <typename Group, typename T>
PORT_DEVICE T exclusive_scan(const Group &group, T value) {
  return exclusive_scan(group, value, plus<T>());
}

}  // namespace port_cooperative_groups

//@ section cooperative-reduce
//@ provides reduce
//@ with port_cooperative_groups port_cg
//@ needs cooperative-scan
namespace port_cooperative_groups {

// In CUDA's order: a tile adds what lies half its size away, then a quarter, and so on; other
// groups scan, and the last rank has the result.
template <unsigned int Size, typename Parent, typename T, typename Operation>
PORT_DEVICE T reduce(const thread_block_tile<Size, Parent> &group, T value, Operation operation) {
  for (unsigned int step = Size / 2; step > 0; step >>= 1) {
    value = operation(value, group.shfl_xor(value, step));
  }
  return value;
}
template <typename T, typename Operation>
PORT_DEVICE T reduce(const coalesced_group &group, T value, Operation operation) {
  if (group.size() == (unsigned int)port_warpSize) {
    for (int step = port_warpSize / 2; step > 0; step >>= 1) {
      value = operation(value, group.shfl(value, (int)group.thread_rank() ^ step));
    }
    return value;
  }
  return group.shfl(inclusive_scan(group, value, operation), (int)group.size() - 1);
}
template <typename Group, typename T, typename Operation>
PORT_DEVICE T reduce(const Group &group, T value, Operation operation) {
  return group.shfl(inclusive_scan(group, value, operation), (int)group.size() - 1);
}

}  // namespace port_cooperative_groups

//@ section cooperative-copy
//@ provides memcpy_async wait wait_prior
//@ with port_cooperative_groups port_cg
//@ needs cooperative-groups
namespace port_cooperative_groups {

// The threads of a group copy words, and bytes where the pointers are not aligned to words.
template <typename Group>
PORT_DEVICE void port_copy_bytes(const Group &group, void *target, const void *source,
                                 size_t bytes) {
  size_t done = 0;
  if ((((unsigned long long)target | (unsigned long long)source) & 3) == 0) {
    for (size_t i = group.thread_rank(); i < bytes / 4; i += group.size()) {
      int word;
      __builtin_memcpy(&word, (const int *)source + i, 4);
      __builtin_memcpy((int *)target + i, &word, 4);
    }
    done = bytes & ~(size_t)3;
  }
  for (size_t i = done + group.thread_rank(); i < bytes; i += group.size()) {
    ((unsigned char *)target)[i] = ((const unsigned char *)source)[i];
  }
}

// AMD hardware has no copy that runs beside the thread: it is done when the call returns, and the
// wait makes it visible to the group.
template <typename Group, typename T, typename U>
PORT_DEVICE void memcpy_async(const Group &group, T *target, const U *source, size_t bytes) {
  port_copy_bytes(group, target, source, bytes);
}
template <typename Group, typename T>
PORT_DEVICE void memcpy_async(const Group &group, T *target, size_t target_count, const T *source,
                              size_t source_count) {
  const size_t count = target_count < source_count ? target_count : source_count;
  port_copy_bytes(group, target, source, count * sizeof(T));
}
template <typename Group>
PORT_DEVICE void wait(const Group &group) {
  group.sync();
}
template <unsigned int Stage, typename Group>
PORT_DEVICE void wait_prior(const Group &group) {
  group.sync();
}

}  // namespace port_cooperative_groups

//@ section cooperative-invoke
//@ provides invoke_one invoke_one_broadcast
//@ with port_cooperative_groups port_cg
//@ needs cooperative-groups
namespace port_cooperative_groups {

template <typename Group, typename Function, typename... Arguments>
PORT_DEVICE void invoke_one(const Group &group, Function function, Arguments... arguments) {
  if (group.thread_rank() == 0) function(arguments...);
}
template <typename Group, typename Function, typename... Arguments>
PORT_DEVICE auto invoke_one_broadcast(const Group &group, Function function, Arguments... arguments)
    -> decltype(function(arguments...)) {
  decltype(function(arguments...)) value{};
  if (group.thread_rank() == 0) value = function(arguments...);
  return group.shfl(value, 0);
}

}  // namespace port_cooperative_groups
