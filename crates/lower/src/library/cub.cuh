// The block and warp primitives of CUB that kernels use most. A reduction's order of operations is
// that of CUB's default algorithm: within a warp by shuffles down, then over the warps in order.

namespace cub {

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

template <typename T, int BlockX, int Algorithm = 0, int BlockY = 1, int BlockZ = 1>
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

}  // namespace cub
