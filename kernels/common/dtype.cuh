// Storage types of the operators: conversions to and from float, arithmetic that rounds once in the
// storage type, and the host-side dispatch from a runtime tag to a template argument.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

enum class DType { kFloat32, kFloat16, kBFloat16 };

// Returns the status of a CUDA call from the enclosing launcher unless it is cudaSuccess.
#define RETURN_IF_CUDA_ERROR(call)             \
  do {                                         \
    const cudaError_t status_ = (call);        \
    if (status_ != cudaSuccess) return status_; \
  } while (0)

// Runs the trailing statements once, with NAME naming the C++ type that DTYPE stands for.
#define DISPATCH_DTYPE(DTYPE, NAME, ...)       \
  switch (DTYPE) {                             \
    case DType::kFloat32: {                    \
      using NAME = float;                      \
      __VA_ARGS__;                             \
      break;                                   \
    }                                          \
    case DType::kFloat16: {                    \
      using NAME = half;                       \
      __VA_ARGS__;                             \
      break;                                   \
    }                                          \
    case DType::kBFloat16: {                   \
      using NAME = __nv_bfloat16;              \
      __VA_ARGS__;                             \
      break;                                   \
    }                                          \
    default:                                   \
      return cudaErrorInvalidValue;            \
  }

inline int ceil_div(int64_t n, int64_t d) { return static_cast<int>((n + d - 1) / d); }

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(half x) { return __half2float(x); }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T>
__device__ __forceinline__ T from_float(float x);

template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ half from_float<half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

// a + b and a * b, each rounded once to the storage type. Chips before sm_80 have no bfloat16
// arithmetic; a sum or product of two bfloat16 values rounded through float gives the same bits.
__device__ __forceinline__ float add_rounded(float a, float b) { return a + b; }
__device__ __forceinline__ half add_rounded(half a, half b) { return __hadd(a, b); }
__device__ __forceinline__ __nv_bfloat16 add_rounded(__nv_bfloat16 a, __nv_bfloat16 b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __hadd(a, b);
#else
  return __float2bfloat16_rn(__bfloat162float(a) + __bfloat162float(b));
#endif
}

__device__ __forceinline__ float multiply_rounded(float a, float b) { return a * b; }
__device__ __forceinline__ half multiply_rounded(half a, half b) { return __hmul(a, b); }
__device__ __forceinline__ __nv_bfloat16 multiply_rounded(__nv_bfloat16 a, __nv_bfloat16 b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __hmul(a, b);
#else
  return __float2bfloat16_rn(__bfloat162float(a) * __bfloat162float(b));
#endif
}
