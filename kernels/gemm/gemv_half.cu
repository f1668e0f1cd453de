// Matrix times vector in half precision, the product that generates tokens one at a time.
//
//   gemv_rows:   y = alpha * A x + beta * y   A is [rows, cols], row-major
//   gemv_split:  y += A^T x                   A is [rows, cols], rows split over gridDim.y
//
// Bound by memory: the whole point is to move A in 16-byte pieces.

#include <cstdint>

#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace gemv {

constexpr int kWarpSize = 32;

// Eight halves, moved as one transaction and used as four pairs.
struct Pack8 {
  uint4 bits;

  __device__ __forceinline__ const half2& operator[](int i) const {
    return reinterpret_cast<const half2*>(&bits)[i];
  }
};

__device__ __forceinline__ Pack8 load_pack(const half* address) {
  Pack8 pack;
  pack.bits = __ldg(reinterpret_cast<const uint4*>(address));
  return pack;
}

template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int lanes = kWarpSize >> 1; lanes != 0; lanes >>= 1) {
    value += __shfl_down_sync(~0u, value, lanes);
  }
  return value;
}

// Products of eight pairs. The accurate form converts to float first; the fast form multiplies and
// adds four deep in half precision and only then adds to the float.
struct FloatDot {
  static __device__ __forceinline__ void accumulate(float& sum, const Pack8& a, const Pack8& x) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float2 u = __half22float2(a[i]);
      const float2 v = __half22float2(x[i]);
      sum = fmaf(u.x, v.x, sum);
      sum = fmaf(u.y, v.y, sum);
    }
  }
};

struct HalfDot {
  static __device__ __forceinline__ void accumulate(float& sum, const Pack8& a, const Pack8& x) {
    half2 partial = __hmul2(a[0], x[0]);
#pragma unroll
    for (int i = 1; i < 4; ++i) partial = __hfma2(a[i], x[i], partial);
    sum += __low2float(partial) + __high2float(partial);
  }
};

// A warp computes kRowsPerWarp neighbouring rows, so that each piece of x is used that often.
// Rows are `stride` elements apart, a multiple of eight; x is padded to whole packs or `cols` is a
// multiple of eight.
template <class Dot, int kRowsPerWarp>
__global__ void gemv_rows_kernel(const half* __restrict__ a, const half* __restrict__ x,
                                 half* __restrict__ y, int rows, int cols, int stride, float alpha,
                                 float beta) {
  const int lane = threadIdx.x;
  const int first_row = (blockIdx.x * blockDim.y + threadIdx.y) * kRowsPerWarp;
  if (first_row >= rows) return;

  float sums[kRowsPerWarp];
#pragma unroll
  for (float& sum : sums) sum = 0.0f;

  for (int col = lane * 8; col < cols; col += kWarpSize * 8) {
    const Pack8 vector = load_pack(x + col);
#pragma unroll
    for (int r = 0; r < kRowsPerWarp; ++r) {
      // The last warp computes its last row more than once rather than branch.
      const int row = min(first_row + r, rows - 1);
      Dot::accumulate(sums[r], load_pack(a + static_cast<size_t>(row) * stride + col), vector);
    }
  }

#pragma unroll
  for (int r = 0; r < kRowsPerWarp; ++r) {
    const float sum = warp_sum(sums[r]);
    const int row = first_row + r;
    if (lane == 0 && row < rows) {
      float result = alpha * sum;
      if (beta != 0.0f) result += beta * __half2float(y[row]);
      y[row] = __float2half_rn(result);
    }
  }
}

// Any size and alignment: a block a row, one element at a time.
template <int kThreads>
__global__ void __launch_bounds__(kThreads)
gemv_row_scalar_kernel(const half* __restrict__ a, const half* __restrict__ x,
                       half* __restrict__ y, int cols, int stride, float alpha, float beta) {
  __shared__ float warp_sums[kThreads / kWarpSize];
  const half* row = a + static_cast<size_t>(blockIdx.x) * stride;

  float sum = 0.0f;
#pragma unroll 4
  for (int col = threadIdx.x; col < cols; col += kThreads) {
    sum += __half2float(row[col]) * __half2float(x[col]);
  }

  sum = warp_sum(sum);
  if ((threadIdx.x & (kWarpSize - 1)) == 0) warp_sums[threadIdx.x / kWarpSize] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    sum = warp_sums[0];
    for (int w = 1; w < kThreads / kWarpSize; ++w) sum += warp_sums[w];
    const float kept = beta == 0.0f ? 0.0f : beta * __half2float(y[blockIdx.x]);
    y[blockIdx.x] = __float2half_rn(alpha * sum + kept);
  }
}

// Transposed: a thread owns two neighbouring columns, blockDim.y rows go down in step, and blocks
// along y share the rows. `y` is float and is added to; `cols` is even.
template <int kRows>
__global__ void gemv_split_kernel(const half2* __restrict__ a, const half* __restrict__ x,
                                  float* __restrict__ y, const int rows, const int pairs) {
  extern __shared__ float2 partial[];  // [kRows][blockDim.x]
  const int pair = blockIdx.x * blockDim.x + threadIdx.x;
  const int rows_per_split = (rows + gridDim.y - 1) / gridDim.y;
  const int begin = blockIdx.y * rows_per_split;
  const int end = min(begin + rows_per_split, rows);

  float2 sum = {0.0f, 0.0f};
  if (pair < pairs) {
    for (int row = begin + static_cast<int>(threadIdx.y); row < end; row += kRows) {
      const float2 value = __half22float2(__ldg(&a[static_cast<int64_t>(row) * pairs + pair]));
      const float factor = __half2float(x[row]);
      sum.x += value.x * factor;
      sum.y += value.y * factor;
    }
  }
  partial[threadIdx.y * blockDim.x + threadIdx.x] = sum;

#pragma unroll
  for (int half_rows = kRows / 2; half_rows > 0; half_rows /= 2) {
    __syncthreads();
    if (threadIdx.y < half_rows) {
      const float2 other = partial[(threadIdx.y + half_rows) * blockDim.x + threadIdx.x];
      sum.x += other.x;
      sum.y += other.y;
      partial[threadIdx.y * blockDim.x + threadIdx.x] = sum;
    }
  }

  if (threadIdx.y == 0 && pair < pairs) {
    atomicAdd(y + 2 * pair, sum.x);
    atomicAdd(y + 2 * pair + 1, sum.y);
  }
}

}  // namespace gemv

// Half accumulation is only for checkpoints whose activations are known to stay small.
cudaError_t gemv_half(const half* a, const half* x, half* y, int rows, int cols, int stride,
                      float alpha, float beta, bool half_accumulation, cudaStream_t stream) {
  using namespace gemv;
  if (rows <= 0) return cudaSuccess;

  const bool aligned = cols % 8 == 0 && stride % 8 == 0 &&
                       reinterpret_cast<uintptr_t>(a) % 16 == 0 &&
                       reinterpret_cast<uintptr_t>(x) % 16 == 0;
  if (!aligned) {
    constexpr int kThreads = 128;
    gemv_row_scalar_kernel<kThreads>
        <<<rows, kThreads, 0, stream>>>(a, x, y, cols, stride, alpha, beta);
    return cudaPeekAtLastError();
  }

  const dim3 block(kWarpSize, 4);
  auto grid_for = [rows, &block](int rows_per_warp) {
    const unsigned rows_per_block = block.y * rows_per_warp;
    return dim3((rows + rows_per_block - 1) / rows_per_block);
  };
  if (half_accumulation) {
    gemv_rows_kernel<HalfDot, 2>
        <<<grid_for(2), block, 0, stream>>>(a, x, y, rows, cols, stride, alpha, beta);
  } else if (rows < 1024) {
    gemv_rows_kernel<FloatDot, 1>
        <<<grid_for(1), block, 0, stream>>>(a, x, y, rows, cols, stride, alpha, beta);
  } else {
    gemv_rows_kernel<FloatDot, 4>
        <<<grid_for(4), block, 0, stream>>>(a, x, y, rows, cols, stride, alpha, beta);
  }
  return cudaPeekAtLastError();
}

cudaError_t gemv_half_transposed(const half* a, const half* x, float* y, int rows, int cols,
                                 int splits, cudaStream_t stream) {
  if (rows <= 0 || cols <= 0) return cudaSuccess;
  if (cols % 2 != 0) return cudaErrorInvalidValue;
  constexpr int kRows = 8;
  const dim3 block(32, kRows);
  const dim3 grid((cols / 2 + block.x - 1) / block.x, splits);
  gemv::gemv_split_kernel<kRows><<<grid, block, block.x * kRows * sizeof(float2), stream>>>(
      reinterpret_cast<const half2*>(a), x, y, rows, cols / 2);
  return cudaPeekAtLastError();
}
