// Fixed-width vectors for wide, aligned memory transactions.
#pragma once

#include <cuda_runtime.h>

template <typename T, int kWidth>
struct alignas(sizeof(T) * kWidth) Vec {
  static constexpr int width = kWidth;

  T lane[kWidth];

  __device__ __forceinline__ T& operator[](int i) { return lane[i]; }
  __device__ __forceinline__ const T& operator[](int i) const { return lane[i]; }

  __device__ __forceinline__ static Vec load(const T* address) {
    return *reinterpret_cast<const Vec*>(address);
  }
  __device__ __forceinline__ void store(T* address) const {
    *reinterpret_cast<Vec*>(address) = *this;
  }
};

// The widest vector of T that one 16-byte transaction moves.
template <typename T>
constexpr int kMaxVecWidth = 16 / static_cast<int>(sizeof(T));

// Whether rows of `count` elements that start at `pointer` can be read as Vec<T, width>.
template <typename T>
inline bool can_vectorize(const T* pointer, int64_t count, int width) {
  return reinterpret_cast<size_t>(pointer) % (sizeof(T) * width) == 0 && count % width == 0;
}
