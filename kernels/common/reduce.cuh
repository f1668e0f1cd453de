// Reductions over a warp and over a block, for any associative functor.
#pragma once

#include <cuda_runtime.h>

constexpr int kWarpSize = 32;
constexpr unsigned kFullMask = 0xffffffffu;

struct Sum {
  template <typename T>
  __device__ __forceinline__ T operator()(const T& a, const T& b) const {
    return a + b;
  }
};

struct Max {
  __device__ __forceinline__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

struct Min {
  __device__ __forceinline__ float operator()(float a, float b) const { return fminf(a, b); }
};

// Every lane of each group of kWidth lanes gets the reduction over its group.
template <int kWidth = kWarpSize, typename T, typename Op>
__device__ __forceinline__ T warp_reduce(T value, Op op) {
  static_assert((kWidth & (kWidth - 1)) == 0 && kWidth <= kWarpSize, "a power of two of lanes");
#pragma unroll
  for (int offset = kWidth / 2; offset > 0; offset /= 2) {
    value = op(value, __shfl_xor_sync(kFullMask, value, offset, kWidth));
  }
  return value;
}

// Every thread gets the reduction over a one-dimensional block whose size is a multiple of a warp.
// `scratch` holds kWarpSize elements of shared memory and can be reused after the call.
template <typename T, typename Op>
__device__ __forceinline__ T block_reduce(T value, Op op, T identity, T* scratch) {
  const int lane = threadIdx.x % kWarpSize;
  const int warp = threadIdx.x / kWarpSize;
  const int warps = blockDim.x / kWarpSize;

  value = warp_reduce(value, op);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();
  value = lane < warps ? scratch[lane] : identity;
  value = warp_reduce(value, op);
  __syncthreads();
  return value;
}
