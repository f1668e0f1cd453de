// The block and warp primitives of CUB that kernels use most. A reduction's order of operations is
// that of CUB's default algorithm: within a warp by shuffles down, then over the warps in order.

namespace cub {

enum BlockReduceAlgorithm {
  BLOCK_REDUCE_RAKING_COMMUTATIVE_ONLY,
  BLOCK_REDUCE_RAKING,
  BLOCK_REDUCE_WARP_REDUCTIONS
};
enum BlockScanAlgorithm { BLOCK_SCAN_RAKING, BLOCK_SCAN_RAKING_MEMOIZE, BLOCK_SCAN_WARP_SCANS };

struct Sum {
  template <typename T>
  __host__ __device__ T operator()(const T &a, const T &b) const { return a + b; }
};
struct Max {
  template <typename T>
  __host__ __device__ T operator()(const T &a, const T &b) const { return (b > a) ? b : a; }
};
struct Min {
  template <typename T>
  __host__ __device__ T operator()(const T &a, const T &b) const { return (b < a) ? b : a; }
};

template <typename T, int Threads = 32>
struct WarpReduce {
  struct TempStorage { unsigned char unused; };
  __device__ WarpReduce(TempStorage &) {}
  template <typename Op> __device__ T Reduce(T v, Op op, int valid = Threads) {
    unsigned int lane = __port_lane() & (Threads - 1);
    for (int offset = 1; offset < Threads; offset *= 2) {
      T other = __shfl_down_sync(0xffffffffu, v, offset, Threads);
      if (lane + offset < (unsigned int)valid) v = op(v, other);
    }
    return v;
  }
  __device__ T Sum(T v) { return Reduce(v, cub::Sum()); }
  __device__ T Sum(T v, int valid) { return Reduce(v, cub::Sum(), valid); }
};

template <typename T, int BlockX, BlockReduceAlgorithm Algorithm = BLOCK_REDUCE_WARP_REDUCTIONS,
          int BlockY = 1, int BlockZ = 1>
struct BlockReduce {
  static constexpr int threads = BlockX * BlockY * BlockZ;
  static constexpr int warps = (threads + 31) / 32;
  struct TempStorage { T partial[warps]; };
  TempStorage *storage;
  __device__ BlockReduce(TempStorage &s) : storage(&s) {}
  __device__ static unsigned int rank() {
    return (threadIdx.z * BlockY + threadIdx.y) * BlockX + threadIdx.x;
  }
  template <typename Op> __device__ T Reduce(T v, Op op) { return Reduce(v, op, threads); }
  template <typename Op> __device__ T Reduce(T v, Op op, int valid) {
    unsigned int lane = rank() & 31u;
    unsigned int warp = rank() / 32u;
    int in_warp = valid - (int)(warp * 32u);
    for (int offset = 1; offset < 32; offset *= 2) {
      T other = __shfl_down_sync(0xffffffffu, v, offset);
      if ((int)lane + offset < in_warp && rank() + offset < (unsigned int)threads) v = op(v, other);
    }
    if (lane == 0) storage->partial[warp] = v;
    __syncthreads();
    if (rank() == 0) {
      for (int w = 1; w < warps; ++w) {
        if (w * 32 < valid) v = op(v, storage->partial[w]);
      }
    }
    return v;
  }
  __device__ T Sum(T v) { return Reduce(v, cub::Sum(), threads); }
  __device__ T Sum(T v, int valid) { return Reduce(v, cub::Sum(), valid); }
};

template <typename T, int Threads = 32>
struct WarpScan {
  struct TempStorage { unsigned char unused; };
  __device__ WarpScan(TempStorage &) {}
  template <typename Op> __device__ void InclusiveScan(T in, T &out, Op op) {
    unsigned int lane = __port_lane() & (Threads - 1);
    for (int offset = 1; offset < Threads; offset *= 2) {
      T other = __shfl_up_sync(0xffffffffu, in, offset, Threads);
      if (lane >= (unsigned int)offset) in = op(other, in);
    }
    out = in;
  }
  __device__ void InclusiveSum(T in, T &out) { InclusiveScan(in, out, cub::Sum()); }
  __device__ void InclusiveSum(T in, T &out, T &total) {
    InclusiveScan(in, out, cub::Sum());
    total = __shfl_sync(0xffffffffu, out, Threads - 1, Threads);
  }
  template <typename Op> __device__ void ExclusiveScan(T in, T &out, T first, Op op) {
    T inclusive;
    InclusiveScan(in, inclusive, op);
    T before = __shfl_up_sync(0xffffffffu, inclusive, 1, Threads);
    out = (__port_lane() & (Threads - 1)) == 0 ? first : op(first, before);
  }
  __device__ void ExclusiveSum(T in, T &out) {
    T inclusive;
    InclusiveScan(in, inclusive, cub::Sum());
    T before = __shfl_up_sync(0xffffffffu, inclusive, 1, Threads);
    out = (__port_lane() & (Threads - 1)) == 0 ? T() : before;
  }
};

template <typename T, int BlockX, BlockScanAlgorithm Algorithm = BLOCK_SCAN_RAKING, int BlockY = 1,
          int BlockZ = 1>
struct BlockScan {
  static constexpr int threads = BlockX * BlockY * BlockZ;
  static constexpr int warps = (threads + 31) / 32;
  struct TempStorage { T partial[warps]; };
  TempStorage *storage;
  __device__ BlockScan(TempStorage &s) : storage(&s) {}
  __device__ static unsigned int rank() {
    return (threadIdx.z * BlockY + threadIdx.y) * BlockX + threadIdx.x;
  }
  // The scan within the warp; `before` is the reduction of the warps in front, if there are any.
  template <typename Op> __device__ T __port_scan(T v, Op op, T &before, T &total) {
    unsigned int lane = rank() & 31u;
    unsigned int warp = rank() / 32u;
    for (int offset = 1; offset < 32; offset *= 2) {
      T other = __shfl_up_sync(0xffffffffu, v, offset);
      if (lane >= (unsigned int)offset) v = op(other, v);
    }
    if (lane == 31u || rank() == (unsigned int)threads - 1u) storage->partial[warp] = v;
    __syncthreads();
    T sum = storage->partial[0];
    before = sum;
    for (int w = 1; w < warps; ++w) {
      if ((unsigned int)w == warp) before = sum;
      sum = op(sum, storage->partial[w]);
    }
    total = sum;
    return v;
  }
  template <typename Op> __device__ void InclusiveScan(T in, T &out, Op op, T &total) {
    T before;
    T own = __port_scan(in, op, before, total);
    out = rank() < 32u ? own : op(before, own);
  }
  template <typename Op> __device__ void InclusiveScan(T in, T &out, Op op) {
    T total;
    InclusiveScan(in, out, op, total);
  }
  __device__ void InclusiveSum(T in, T &out) { InclusiveScan(in, out, cub::Sum()); }
  __device__ void InclusiveSum(T in, T &out, T &total) { InclusiveScan(in, out, cub::Sum(), total); }
  template <typename Op> __device__ void ExclusiveScan(T in, T &out, T first, Op op, T &total) {
    T before;
    T own = __port_scan(in, op, before, total);
    T left = __shfl_up_sync(0xffffffffu, own, 1);
    bool leads = (rank() & 31u) == 0;
    if (rank() < 32u) out = leads ? first : op(first, left);
    else out = leads ? op(first, before) : op(first, op(before, left));
  }
  template <typename Op> __device__ void ExclusiveScan(T in, T &out, T first, Op op) {
    T total;
    ExclusiveScan(in, out, first, op, total);
  }
  __device__ void ExclusiveSum(T in, T &out) { ExclusiveScan(in, out, T(), cub::Sum()); }
  __device__ void ExclusiveSum(T in, T &out, T &total) {
    ExclusiveScan(in, out, T(), cub::Sum(), total);
  }
};

}  // namespace cub
