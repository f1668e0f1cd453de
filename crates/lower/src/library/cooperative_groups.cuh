// Cooperative groups, in terms of warp operations and barriers. Groups smaller than a block are
// held by their lanes as a mask of the warp.

namespace cooperative_groups {

struct thread_block {
  __device__ static void sync() { __syncthreads(); }
  __device__ static unsigned int thread_rank() {
    return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  }
  __device__ static unsigned int size() { return blockDim.x * blockDim.y * blockDim.z; }
  __device__ static unsigned int num_threads() { return blockDim.x * blockDim.y * blockDim.z; }
  __device__ static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  __device__ static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
  __device__ static dim3 group_dim() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  __device__ static dim3 dim_threads() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
};

struct grid_group {
  __device__ static void sync() { __port_grid_barrier(); }
  __device__ static bool is_valid() { return true; }
  __device__ static unsigned long long size() {
    return (unsigned long long)gridDim.x * gridDim.y * gridDim.z * thread_block::size();
  }
  __device__ static unsigned long long num_threads() { return size(); }
  __device__ static unsigned long long block_rank() {
    return ((unsigned long long)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  }
  __device__ static unsigned long long num_blocks() {
    return (unsigned long long)gridDim.x * gridDim.y * gridDim.z;
  }
  __device__ static unsigned long long thread_rank() {
    return block_rank() * thread_block::size() + thread_block::thread_rank();
  }
  __device__ static dim3 group_dim() { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  __device__ static dim3 dim_blocks() { return dim3(gridDim.x, gridDim.y, gridDim.z); }
};

struct cluster_group {
  __device__ static void sync() { __port_cluster_barrier(); }
  // What waits is the barrier; arriving alone lets nobody pass.
  __device__ static void barrier_arrive() {}
  __device__ static void barrier_wait() { __port_cluster_barrier(); }
  __device__ static unsigned int block_rank() { return __port_cluster_rank(); }
  __device__ static unsigned int num_blocks() { return __port_cluster_size(); }
  __device__ static unsigned int thread_rank() {
    return __port_cluster_rank() * thread_block::size() + thread_block::thread_rank();
  }
  __device__ static unsigned int num_threads() { return __port_cluster_size() * thread_block::size(); }
  __device__ static unsigned int size() { return num_threads(); }
  // Another block's shared memory has no address here.
  template <typename T> __device__ T *map_shared_rank(T *, int) const;
  template <typename T> __device__ unsigned int query_shared_rank(T *) const;
};
__device__ inline cluster_group this_cluster() { return cluster_group(); }

struct coalesced_group {
  unsigned int mask;
  __device__ void sync() const { __syncwarp(mask); }
  __device__ unsigned int size() const { return __popc(mask); }
  __device__ unsigned int num_threads() const { return __popc(mask); }
  __device__ unsigned int thread_rank() const { return __popc(mask & __port_lane_mask_lt()); }
  __device__ unsigned int meta_group_size() const { return 1; }
  __device__ unsigned int meta_group_rank() const { return 0; }
  template <typename T> __device__ T shfl(T v, int rank) const {
    return __port_shuffle(mask, v, __fns(mask, 0, rank + 1));
  }
  template <typename T> __device__ T shfl_down(T v, unsigned int delta) const {
    unsigned int lane = __fns(mask, __port_lane(), delta + 1);
    return __port_shuffle(mask, v, lane >= 32 ? __port_lane() : lane);
  }
  template <typename T> __device__ T shfl_up(T v, int delta) const {
    unsigned int lane = __fns(mask, __port_lane(), -(delta + 1));
    return __port_shuffle(mask, v, lane >= 32 ? __port_lane() : lane);
  }
  __device__ int any(int p) const { return __any_sync(mask, p); }
  __device__ int all(int p) const { return __all_sync(mask, p); }
  __device__ unsigned int ballot(int p) const { return __ballot_sync(mask, p); }
};

template <unsigned int Size, typename Parent = void>
struct thread_block_tile {
  __device__ thread_block_tile() {}
  // A tile forgets what it is a part of.
  template <typename Other> __device__ thread_block_tile(const thread_block_tile<Size, Other> &) {}
  __device__ static unsigned int __port_mask() {
    return Size == 32 ? 0xffffffffu
                      : ((1u << (Size & 31)) - 1u) << (__port_lane() & ~(Size - 1) & 31u);
  }
  __device__ static void sync() { __syncwarp(__port_mask()); }
  __device__ static constexpr unsigned int size() { return Size; }
  __device__ static constexpr unsigned int num_threads() { return Size; }
  __device__ static unsigned int thread_rank() { return thread_block::thread_rank() & (Size - 1); }
  __device__ static unsigned int meta_group_rank() { return thread_block::thread_rank() / Size; }
  __device__ static unsigned int meta_group_size() {
    return (thread_block::size() + Size - 1) / Size;
  }
  template <typename T> __device__ T shfl(T v, int rank) const {
    return __port_shuffle(__port_mask(), v, rank, Size);
  }
  template <typename T> __device__ T shfl_down(T v, unsigned int delta) const {
    return __port_shuffle_down(__port_mask(), v, delta, Size);
  }
  template <typename T> __device__ T shfl_up(T v, unsigned int delta) const {
    return __port_shuffle_up(__port_mask(), v, delta, Size);
  }
  template <typename T> __device__ T shfl_xor(T v, unsigned int mask) const {
    return __port_shuffle_xor(__port_mask(), v, mask, Size);
  }
  __device__ int any(int p) const { return __any_sync(__port_mask(), p); }
  __device__ int all(int p) const { return __all_sync(__port_mask(), p); }
  __device__ unsigned int ballot(int p) const {
    unsigned int lanes = __ballot_sync(__port_mask(), p);
    return Size == 32 ? lanes : (lanes >> (__port_lane() & ~(Size - 1) & 31u)) & ((1u << (Size & 31)) - 1u);
  }
  template <typename T> __device__ unsigned int match_any(T v) const {
    unsigned int lanes = __match_any_sync(__port_mask(), v);
    return Size == 32 ? lanes : (lanes >> (__port_lane() & ~(Size - 1) & 31u)) & ((1u << (Size & 31)) - 1u);
  }
};

// A group whose kind is only known when it is made: held by its size.
struct thread_group {
  unsigned int count;
  __device__ thread_group(thread_block) : count(0) {}
  __device__ thread_group(unsigned int n, int) : count(n) {}
  template <unsigned int Size, typename Parent>
  __device__ thread_group(thread_block_tile<Size, Parent>) : count(Size) {}
  __device__ unsigned int __port_mask() const {
    return count == 32 ? 0xffffffffu : ((1u << (count & 31)) - 1u) << (__port_lane() & ~(count - 1) & 31u);
  }
  __device__ void sync() const {
    if (count == 0) __syncthreads();
    else __syncwarp(__port_mask());
  }
  __device__ unsigned int size() const { return count == 0 ? thread_block::size() : count; }
  __device__ unsigned int num_threads() const { return size(); }
  __device__ unsigned int thread_rank() const {
    return count == 0 ? thread_block::thread_rank() : thread_block::thread_rank() & (count - 1);
  }
};

__device__ inline thread_block this_thread_block() { return thread_block(); }
__device__ inline grid_group this_grid() { return grid_group(); }
__device__ inline coalesced_group coalesced_threads() { return coalesced_group{__activemask()}; }

template <unsigned int Size, typename Group>
__device__ thread_block_tile<Size, Group> tiled_partition(const Group &) {
  return thread_block_tile<Size, Group>();
}
__device__ inline thread_group tiled_partition(const thread_block &, unsigned int size) {
  return thread_group(size, 0);
}
template <typename Group>
__device__ coalesced_group binary_partition(const Group &g, bool p) {
  unsigned int lanes = __ballot_sync(__activemask(), p);
  return coalesced_group{p ? lanes : __activemask() & ~lanes};
}
template <typename Group> __device__ void sync(const Group &g) { g.sync(); }
template <typename Group> __device__ unsigned int thread_rank(const Group &g) {
  return g.thread_rank();
}
template <typename Group> __device__ unsigned int group_size(const Group &g) { return g.size(); }

// A copy is done at once, by the threads of the group together; waiting is the group's barrier.
template <typename Group, typename T, typename Size>
__device__ void memcpy_async(const Group &group, T *to, const T *from, Size bytes) {
  unsigned long count = (unsigned long)bytes / sizeof(T);
  for (unsigned long i = group.thread_rank(); i < count; i += group.size()) to[i] = from[i];
  for (unsigned long i = count * sizeof(T) + group.thread_rank(); i < (unsigned long)bytes;
       i += group.size()) {
    ((char *)to)[i] = ((const char *)from)[i];
  }
}
template <typename Group, typename T, typename U>
__device__ void memcpy_async(const Group &group, T *to, unsigned long room, const U *from,
                             unsigned long count) {
  unsigned long least = room < count ? room : count;
  for (unsigned long i = group.thread_rank(); i < least; i += group.size()) to[i] = from[i];
}
template <typename Group> __device__ void wait(const Group &group) { group.sync(); }
template <unsigned int Stages, typename Group> __device__ void wait_prior(const Group &group) {
  group.sync();
}

template <typename T> struct plus {
  __device__ T operator()(T a, T b) const { return a + b; }
};
template <typename T> struct less {
  __device__ T operator()(T a, T b) const { return b < a ? b : a; }
};
template <typename T> struct greater {
  __device__ T operator()(T a, T b) const { return a < b ? b : a; }
};
template <typename T> struct bit_and {
  __device__ T operator()(T a, T b) const { return a & b; }
};
template <typename T> struct bit_or {
  __device__ T operator()(T a, T b) const { return a | b; }
};
template <typename T> struct bit_xor {
  __device__ T operator()(T a, T b) const { return a ^ b; }
};

template <unsigned int Size, typename Parent, typename T, typename Op>
__device__ T reduce(const thread_block_tile<Size, Parent> &group, T v, Op op) {
  for (unsigned int offset = Size / 2; offset > 0; offset /= 2) {
    v = op(v, group.shfl_xor(v, offset));
  }
  return v;
}
template <typename T, typename Op>
__device__ T reduce(const coalesced_group &group, T v, Op op) {
  T sum = group.shfl(v, 0);
  for (unsigned int rank = 1; rank < group.size(); ++rank) sum = op(sum, group.shfl(v, rank));
  return sum;
}
template <unsigned int Size, typename Parent, typename T, typename Op>
__device__ T inclusive_scan(const thread_block_tile<Size, Parent> &group, T v, Op op) {
  for (unsigned int offset = 1; offset < Size; offset *= 2) {
    T other = group.shfl_up(v, offset);
    if (group.thread_rank() >= offset) v = op(other, v);
  }
  return v;
}
template <unsigned int Size, typename Parent, typename T>
__device__ T inclusive_scan(const thread_block_tile<Size, Parent> &group, T v) {
  return inclusive_scan(group, v, plus<T>());
}
template <unsigned int Size, typename Parent, typename T, typename Op>
__device__ T exclusive_scan(const thread_block_tile<Size, Parent> &group, T v, Op op) {
  T sum = inclusive_scan(group, v, op);
  T before = group.shfl_up(sum, 1);
  return group.thread_rank() == 0 ? T() : before;
}
template <unsigned int Size, typename Parent, typename T>
__device__ T exclusive_scan(const thread_block_tile<Size, Parent> &group, T v) {
  return exclusive_scan(group, v, plus<T>());
}

}  // namespace cooperative_groups
