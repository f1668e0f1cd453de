// Where the largest (or smallest) element is: along rows, along columns, and over a whole tensor.
// Among equals the first wins, and NaN, wherever it is, beats every number, as frameworks define it.

#include <cooperative_groups.h>

#include "../common/dtype.cuh"
#include "../common/vec.cuh"

namespace cg = cooperative_groups;

namespace reduce {

template <typename index_t>
struct Candidate {
  float value;
  index_t index;
};

// kSign is +1 for the maximum, -1 for the minimum.
template <int kSign>
struct Extremum {
  static __device__ __forceinline__ float identity() { return kSign > 0 ? -INFINITY : INFINITY; }

  static __device__ __forceinline__ bool better(float a, float b) {
    return kSign > 0 ? a > b : a < b;
  }

  // The earlier index breaks ties, so the order in which candidates meet does not matter.
  template <typename index_t>
  __device__ __forceinline__ Candidate<index_t> operator()(const Candidate<index_t>& a,
                                                           const Candidate<index_t>& b) const {
    const bool a_nan = a.value != a.value;
    const bool b_nan = b.value != b.value;
    if (a_nan || b_nan) {
      if (a_nan && b_nan) return a.index < b.index ? a : b;
      return a_nan ? a : b;
    }
    if (a.value == b.value) return a.index < b.index ? a : b;
    return better(a.value, b.value) ? a : b;
  }
};

using ArgMax = Extremum<1>;
using ArgMin = Extremum<-1>;

template <typename Op, typename index_t, typename Tile>
__device__ Candidate<index_t> tile_reduce(const Tile& tile, Candidate<index_t> mine, const Op& op) {
  for (int delta = tile.size() / 2; delta > 0; delta /= 2) {
    Candidate<index_t> other;
    other.value = tile.shfl_down(mine.value, delta);
    other.index = tile.shfl_down(mine.index, delta);
    mine = op(mine, other);
  }
  return mine;
}

// One block a row. Rows of the wide instances are a multiple of kWidth.
template <typename T, int kWidth, typename Op>
__global__ void __launch_bounds__(512)
arg_rows_kernel(int64_t* __restrict__ indices, T* __restrict__ values, const T* __restrict__ input,
                const int cols, const Op op) {
  const cg::thread_block block = cg::this_thread_block();
  const cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
  __shared__ Candidate<int> winners[32];

  const T* row = input + static_cast<int64_t>(blockIdx.x) * cols;
  Candidate<int> best = {Op::identity(), cols};
  for (int i = block.thread_rank() * kWidth; i < cols; i += block.size() * kWidth) {
    const Vec<T, kWidth> v = Vec<T, kWidth>::load(row + i);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      best = op(best, Candidate<int>{to_float(v[k]), i + k});
    }
  }

  best = tile_reduce(warp, best, op);
  if (warp.thread_rank() == 0) winners[warp.meta_group_rank()] = best;
  block.sync();
  if (warp.meta_group_rank() == 0) {
    best = Candidate<int>{Op::identity(), cols};
    if (warp.thread_rank() < warp.meta_group_size()) best = winners[warp.thread_rank()];
    best = tile_reduce(warp, best, op);
    if (warp.thread_rank() == 0) {
      indices[blockIdx.x] = best.index;
      if (values != nullptr) values[blockIdx.x] = row[best.index];
    }
  }
}

// Along the first dimension: threads of a block share kColumns columns, then meet in shared memory.
template <typename T, int kColumns, int kRows, typename Op>
__global__ void arg_columns_kernel(int64_t* __restrict__ indices, const T* __restrict__ input,
                                   const int rows, const int cols, Op op) {
  __shared__ Candidate<int> partial[kRows][kColumns];
  const int col = blockIdx.x * kColumns + threadIdx.x;

  Candidate<int> best{Op::identity(), rows};
  if (col < cols) {
    for (int row = threadIdx.y; row < rows; row += kRows) {
      best = op(best, Candidate<int>{to_float(input[(size_t)row * cols + col]), row});
    }
  }
  partial[threadIdx.y][threadIdx.x] = best;

  for (int half_rows = kRows / 2; half_rows > 0; half_rows >>= 1) {
    __syncthreads();
    if (threadIdx.y < half_rows) {
      partial[threadIdx.y][threadIdx.x] =
          op(partial[threadIdx.y][threadIdx.x], partial[threadIdx.y + half_rows][threadIdx.x]);
    }
  }
  if (threadIdx.y == 0 && col < cols) indices[col] = partial[0][threadIdx.x].index;
}

// A key whose unsigned order is that of the floats, NaN above all, and of equals the first on top.
__device__ __forceinline__ unsigned long long pack_key(float value, unsigned index) {
  unsigned bits = __float_as_uint(value + 0.0f);  // -0 becomes +0
  bits = value != value ? 0xffffffffu : (bits & 0x80000000u ? ~bits : bits | 0x80000000u);
  return static_cast<unsigned long long>(bits) << 32 | (0xffffffffu - index);
}

// `key` starts at zero, below every packed key.
__global__ void arg_max_atomic_kernel(unsigned long long* __restrict__ key,
                                      const float* __restrict__ input, const unsigned n) {
  unsigned long long best = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    best = max(best, pack_key(__ldg(input + i), i));
  }

  // Lanes past the end of the data carry zero; all of them take part.
#pragma unroll
  for (int mask = 16; mask >= 1; mask /= 2) {
    best = max(best, __shfl_xor_sync(0xffffffffu, best, mask));
  }
  if ((threadIdx.x & 31) == 0 && best != 0) atomicMax(key, best);
}

__global__ void unpack_index_kernel(int64_t* index, const unsigned long long* key) {
  *index = *key == 0 ? -1 : static_cast<int64_t>(0xffffffffu - static_cast<unsigned>(*key));
}

}  // namespace reduce

template <typename Op>
static cudaError_t arg_rows(int64_t* indices, void* values, const void* input, int rows, int cols,
                            DType dtype, cudaStream_t stream) {
  if (rows == 0) return cudaSuccess;
  if (cols == 0) return cudaErrorInvalidValue;
  DISPATCH_DTYPE(dtype, T, {
    const T* data = static_cast<const T*>(input);
    constexpr int kWidth = kMaxVecWidth<T>;
    if (can_vectorize(data, cols, kWidth)) {
      const int threads = cols / kWidth >= 512 ? 512 : ceil_div(cols / kWidth, 32) * 32;
      reduce::arg_rows_kernel<T, kWidth, Op>
          <<<rows, threads, 0, stream>>>(indices, static_cast<T*>(values), data, cols, Op());
    } else {
      const int threads = cols >= 512 ? 512 : ceil_div(cols, 32) * 32;
      reduce::arg_rows_kernel<T, 1, Op>
          <<<rows, threads, 0, stream>>>(indices, static_cast<T*>(values), data, cols, Op());
    }
  });
  return cudaGetLastError();
}

cudaError_t argmax_rows(int64_t* indices, void* values, const void* input, int rows, int cols,
                        DType dtype, cudaStream_t stream) {
  return arg_rows<reduce::ArgMax>(indices, values, input, rows, cols, dtype, stream);
}

cudaError_t argmin_columns(int64_t* indices, const float* input, int rows, int cols,
                           cudaStream_t stream) {
  if (cols == 0) return cudaSuccess;
  reduce::arg_columns_kernel<float, 32, 8, reduce::ArgMin>
      <<<ceil_div(cols, 32), dim3(32, 8), 0, stream>>>(indices, input, rows, cols,
                                                       reduce::ArgMin());
  return cudaGetLastError();
}

cudaError_t argmax_all(int64_t* index, unsigned long long* key, const float* input, unsigned n,
                       cudaStream_t stream) {
  RETURN_IF_CUDA_ERROR(cudaMemsetAsync(key, 0, sizeof(*key), stream));
  const unsigned blocks = n / 1024 < 1 ? 1 : (n / 1024 > 256 ? 256 : n / 1024);
  reduce::arg_max_atomic_kernel<<<blocks, 256, 0, stream>>>(key, input, n);
  reduce::unpack_index_kernel<<<1, 1, 0, stream>>>(index, key);
  return cudaGetLastError();
}
