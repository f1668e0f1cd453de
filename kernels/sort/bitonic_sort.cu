// Bitonic sort of keys, alone or with values, for any number of elements.
//
// The network is the one whose comparisons all point the same way: a stage first mirrors (element i
// of a group against element i from its end), then halves the distance step by step. Elements that a
// power of two would need past the end count as last, and never move.
//
//   sort_tiles           all stages within a tile, in shared memory
//   mirror_global        the first step of a stage wider than a tile
//   step_global          its steps while they are wider than a tile
//   step_tiles           its remaining steps, in shared memory

#include <cuda_runtime.h>

typedef unsigned int uint;

#ifndef TILE
#define TILE 128
#endif
#define TILE_THREADS (TILE / 2)
#define GLOBAL_THREADS 256

template <typename Key>
struct Ascending {
  __device__ __forceinline__ bool operator()(Key a, Key b) const { return a < b; }
};

template <typename Key>
struct Descending {
  __device__ __forceinline__ bool operator()(Key a, Key b) const { return a > b; }
};

template <typename T>
__device__ __forceinline__ void swap(T& a, T& b) {
  T c(a);
  a = b;
  b = c;
}

// Keys with values; equal keys go by their values.
template <typename Key, typename Value>
struct Records {
  Key* keys;
  Value* values;

  static constexpr int kBytes = sizeof(Key) + sizeof(Value);

  __device__ Records(Key* k, Value* v) : keys(k), values(v) {}

  // A tile in shared memory: all keys, then all values.
  __device__ static Records carve(unsigned char* memory) {
    return Records(reinterpret_cast<Key*>(memory),
                   reinterpret_cast<Value*>(memory + TILE * sizeof(Key)));
  }

  __device__ __forceinline__ void copy(uint to, const Records& other, uint from) const {
    keys[to] = other.keys[from];
    values[to] = other.values[from];
  }

  template <typename Before>
  __device__ __forceinline__ void compare(uint i, uint j, Before before) const {
    const bool equal = !before(keys[i], keys[j]) && !before(keys[j], keys[i]);
    if (before(keys[j], keys[i]) || (equal && values[j] < values[i])) {
      swap(keys[i], keys[j]);
      swap(values[i], values[j]);
    }
  }
};

// Keys alone.
template <typename Key>
struct Records<Key, void> {
  Key* keys;

  static constexpr int kBytes = sizeof(Key);

  __device__ Records(Key* k, void*) : keys(k) {}

  __device__ static Records carve(unsigned char* memory) {
    return Records(reinterpret_cast<Key*>(memory), nullptr);
  }

  __device__ __forceinline__ void copy(uint to, const Records& other, uint from) const {
    keys[to] = other.keys[from];
  }

  template <typename Before>
  __device__ __forceinline__ void compare(uint i, uint j, Before before) const {
    if (before(keys[j], keys[i])) swap(keys[i], keys[j]);
  }
};

// The pair that thread t compares when groups of `size` are mirrored.
__device__ __forceinline__ void mirrored_pair(uint t, uint size, uint& i, uint& j) {
  const uint half_size = size / 2;
  const uint first = (t & ~(half_size - 1)) * 2;
  i = first + (t & (half_size - 1));
  j = first + size - 1 - (t & (half_size - 1));
}

// The pair that thread t compares at a distance, a power of two.
__device__ __forceinline__ void distant_pair(uint t, uint distance, uint& i, uint& j) {
  i = 2 * t - (t & (distance - 1));
  j = i + distance;
}

extern __shared__ unsigned char tile_memory[];

template <typename Key, typename Value, typename Before>
__global__ void __launch_bounds__(TILE_THREADS)
sort_tiles(Key* d_keys, Value* d_values, const uint n) {
  const Records<Key, Value> all(d_keys, d_values);
  const Records<Key, Value> tile = Records<Key, Value>::carve(tile_memory);
  const Before before{};
  const uint base = blockIdx.x * TILE;
  const uint count = min(n - base, (uint)TILE);

  for (uint i = threadIdx.x; i < count; i += TILE_THREADS) tile.copy(i, all, base + i);

  for (uint size = 2; size <= TILE; size <<= 1) {
    __syncthreads();
    uint i, j;
    mirrored_pair(threadIdx.x, size, i, j);
    if (j < count) tile.compare(i, j, before);
    for (uint distance = size / 4; distance > 0; distance >>= 1) {
      __syncthreads();
      distant_pair(threadIdx.x, distance, i, j);
      if (j < count) tile.compare(i, j, before);
    }
  }

  __syncthreads();
  for (uint i = threadIdx.x; i < count; i += TILE_THREADS) all.copy(base + i, tile, i);
}

template <typename Key, typename Value, typename Before>
__global__ void mirror_global(Key* d_keys, Value* d_values, const uint n, const uint size) {
  uint i, j;
  mirrored_pair(blockIdx.x * blockDim.x + threadIdx.x, size, i, j);
  if (j >= n) return;
  Records<Key, Value>(d_keys, d_values).compare(i, j, Before());
}

template <typename Key, typename Value, typename Before>
__global__ void step_global(Key* d_keys, Value* d_values, const uint n, const uint distance) {
  uint i, j;
  distant_pair(blockIdx.x * blockDim.x + threadIdx.x, distance, i, j);
  if (j >= n) return;
  Records<Key, Value>(d_keys, d_values).compare(i, j, Before());
}

template <typename Key, typename Value, typename Before>
__global__ void __launch_bounds__(TILE_THREADS)
step_tiles(Key* d_keys, Value* d_values, const uint n) {
  const Records<Key, Value> all(d_keys, d_values);
  const Records<Key, Value> tile = Records<Key, Value>::carve(tile_memory);
  const uint base = blockIdx.x * TILE;
  const uint count = min(n - base, (uint)TILE);

  for (uint i = threadIdx.x; i < count; i += TILE_THREADS) tile.copy(i, all, base + i);

#pragma unroll
  for (uint distance = TILE / 2; distance > 0; distance /= 2) {
    __syncthreads();
    uint i, j;
    distant_pair(threadIdx.x, distance, i, j);
    if (j < count) tile.compare(i, j, Before());
  }

  __syncthreads();
  for (uint i = threadIdx.x; i < count; i += TILE_THREADS) all.copy(base + i, tile, i);
}

template <typename Key, typename Value, template <typename> class Order>
static cudaError_t bitonic_sort(Key* d_keys, Value* d_values, uint n, cudaStream_t stream) {
  if (n < 2) return cudaSuccess;
  if (n > 1u << 30) return cudaErrorInvalidValue;
  using Before = Order<Key>;
  const uint tiles = (n + TILE - 1) / TILE;
  const size_t shared = TILE * Records<Key, Value>::kBytes;

  sort_tiles<Key, Value, Before><<<tiles, TILE_THREADS, shared, stream>>>(d_keys, d_values, n);
  for (uint size = 2 * TILE; size / 2 < n; size *= 2) {
    // A comparison for each two of the elements, the missing ones of the last group included.
    const uint pairs = (n + size - 1) / size * (size / 2);
    const uint blocks = (pairs + GLOBAL_THREADS - 1) / GLOBAL_THREADS;
    mirror_global<Key, Value, Before>
        <<<blocks, GLOBAL_THREADS, 0, stream>>>(d_keys, d_values, n, size);
    for (uint distance = size / 4; distance >= TILE; distance /= 2) {
      step_global<Key, Value, Before>
          <<<blocks, GLOBAL_THREADS, 0, stream>>>(d_keys, d_values, n, distance);
    }
    step_tiles<Key, Value, Before><<<tiles, TILE_THREADS, shared, stream>>>(d_keys, d_values, n);
  }
  return cudaGetLastError();
}

cudaError_t sort_ascending(float* d_keys, uint n, cudaStream_t stream) {
  return bitonic_sort<float, void, Ascending>(d_keys, nullptr, n, stream);
}

cudaError_t sort_pairs_descending(uint* d_keys, int* d_values, uint n, cudaStream_t stream) {
  return bitonic_sort<uint, int, Descending>(d_keys, d_values, n, stream);
}
