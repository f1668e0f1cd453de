// Inclusive scan of a long vector: y[i] = x[0] op x[1] op … op x[i].
//
// Three kernels: each block scans its own segment and leaves the segment's total; one block scans
// the totals; every element takes the total of the segments before its own. The order of the
// operations is fixed by the shape of the launch, so float results repeat.

#include <cuda_runtime.h>

#define WARP_SIZE 32
#define FULL_MASK 0xffffffff

#define CUDA_TRY(expression)                          \
  do {                                                \
    cudaError_t error = (expression);                 \
    if (error != cudaSuccess) {                       \
      return error;                                   \
    }                                                 \
  } while (0)

template <typename T>
struct Add {
  static __device__ __forceinline__ T identity() { return T(0); }
  __device__ __forceinline__ T operator()(T a, T b) const { return a + b; }
};

template <typename T>
struct Maximum {
  static __device__ __forceinline__ T identity();
  __device__ __forceinline__ T operator()(T a, T b) const { return max(a, b); }
};
template <>
__device__ __forceinline__ float Maximum<float>::identity() {
  return -INFINITY;
}
template <>
__device__ __forceinline__ int Maximum<int>::identity() {
  return -2147483647 - 1;
}

// Dynamic shared memory is one untyped block: a template cannot declare it with the type of each
// instance under one name, so every element type names its own.
template <typename T>
struct SharedMemory;

template <>
struct SharedMemory<float> {
  __device__ __forceinline__ operator float*() const {
    extern __shared__ float shared_float[];
    return shared_float;
  }
};

template <>
struct SharedMemory<int> {
  __device__ __forceinline__ operator int*() const {
    extern __shared__ int shared_int[];
    return shared_int;
  }
};

template <>
struct SharedMemory<long long> {
  __device__ __forceinline__ operator long long*() const {
    extern __shared__ long long shared_long[];
    return shared_long;
  }
};

template <typename T, typename Op>
__device__ __forceinline__ T warp_inclusive_scan(T value, Op op) {
  const int lane = threadIdx.x % WARP_SIZE;
#pragma unroll
  for (int delta = 1; delta < WARP_SIZE; delta <<= 1) {
    const T other = __shfl_up_sync(FULL_MASK, value, delta);
    if (lane >= delta) value = op(other, value);
  }
  return value;
}

// Scans one value of each thread; `total` becomes the block's. `warp_totals` holds WARP_SIZE
// values.
template <typename T, typename Op>
__device__ T block_inclusive_scan(T value, Op op, T* warp_totals, T& total) {
  const int lane = threadIdx.x % WARP_SIZE;
  const int warp = threadIdx.x / WARP_SIZE;
  const int warps = blockDim.x / WARP_SIZE;

  value = warp_inclusive_scan(value, op);
  if (lane == WARP_SIZE - 1) warp_totals[warp] = value;
  __syncthreads();

  if (warp == 0) {
    T sum = lane < warps ? warp_totals[lane] : Op::identity();
    sum = warp_inclusive_scan(sum, op);
    warp_totals[lane] = sum;
  }
  __syncthreads();

  if (warp > 0) value = op(warp_totals[warp - 1], value);
  total = warp_totals[warps - 1];
  __syncthreads();
  return value;
}

// Segments of blockDim.x * kItems elements. Shared memory: WARP_SIZE values for the warps' totals,
// then the segment, which is loaded and stored in stripes so that global accesses are coalesced.
template <typename T, template <typename> class Op, int kItems>
__global__ void scan_segments_kernel(T* __restrict__ output, T* __restrict__ segment_totals,
                                     const T* __restrict__ input, const int64_t n) {
  T* warp_totals = SharedMemory<T>();
  T* segment = warp_totals + WARP_SIZE;
  const Op<T> op;

  const int items = blockDim.x * kItems;
  const int64_t base = static_cast<int64_t>(blockIdx.x) * items;
  for (int i = threadIdx.x; i < items; i += blockDim.x) {
    segment[i] = base + i < n ? input[base + i] : Op<T>::identity();
  }
  __syncthreads();

  T own[kItems];
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    own[i] = segment[threadIdx.x * kItems + i];
    if (i > 0) own[i] = op(own[i - 1], own[i]);
  }
  T total;
  const T through = block_inclusive_scan(own[kItems - 1], op, warp_totals, total);

  // What precedes this thread: the neighbour's result, handed over through its last slot.
  segment[threadIdx.x * kItems + kItems - 1] = through;
  __syncthreads();
  const T before = threadIdx.x > 0 ? segment[threadIdx.x * kItems - 1] : Op<T>::identity();
#pragma unroll
  for (int i = 0; i < kItems - 1; ++i) {
    segment[threadIdx.x * kItems + i] = op(before, own[i]);
  }
  __syncthreads();

  for (int i = threadIdx.x; i < items; i += blockDim.x) {
    if (base + i < n) output[base + i] = segment[i];
  }
  if (threadIdx.x == 0) segment_totals[blockIdx.x] = total;
}

// Scans the totals in place with one block, any count.
template <typename T, template <typename> class Op>
__global__ void scan_totals_kernel(T* __restrict__ totals, const int count) {
  T* warp_totals = SharedMemory<T>();
  const Op<T> op;
  T carry = Op<T>::identity();
  for (int base = 0; base < count; base += blockDim.x) {
    const int i = base + threadIdx.x;
    T total;
    T value = i < count ? totals[i] : Op<T>::identity();
    value = op(carry, block_inclusive_scan(value, op, warp_totals, total));
    if (i < count) totals[i] = value;
    carry = op(carry, total);
  }
}

template <typename T, template <typename> class Op>
__global__ void add_totals_kernel(T* __restrict__ output, const T* __restrict__ totals,
                                  const int64_t n, const int segment_items) {
  // The first segment is complete as it is.
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x + segment_items;
  if (i >= n) return;
  output[i] = Op<T>()(totals[i / segment_items - 1], output[i]);
}

namespace {
constexpr int kScanThreads = 256;
constexpr int kScanItems = 4;
}  // namespace

inline int64_t scan_segments(int64_t n) {
  constexpr int64_t items = kScanThreads * kScanItems;
  return (n + items - 1) / items;
}

// `totals` is scratch for scan_segments(n) elements.
template <typename T, template <typename> class Op>
cudaError_t inclusive_scan(T* output, const T* input, T* totals, int64_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  constexpr int items = kScanThreads * kScanItems;
  const int segments = static_cast<int>(scan_segments(n));
  const size_t shared = (WARP_SIZE + items) * sizeof(T);

  scan_segments_kernel<T, Op, kScanItems>
      <<<segments, kScanThreads, shared, stream>>>(output, totals, input, n);
  CUDA_TRY(cudaGetLastError());
  if (segments == 1) return cudaSuccess;

  scan_totals_kernel<T, Op>
      <<<1, kScanThreads, WARP_SIZE * sizeof(T), stream>>>(totals, segments);
  CUDA_TRY(cudaGetLastError());
  const int blocks = static_cast<int>((n - items + kScanThreads - 1) / kScanThreads);
  add_totals_kernel<T, Op><<<blocks, kScanThreads, 0, stream>>>(output, totals, n, items);
  return cudaGetLastError();
}

#define INSTANTIATE_SCAN(T, OP) \
  template cudaError_t inclusive_scan<T, OP>(T*, const T*, T*, int64_t, cudaStream_t);

INSTANTIATE_SCAN(float, Add)
INSTANTIATE_SCAN(int, Add)
INSTANTIATE_SCAN(long long, Add)
INSTANTIATE_SCAN(float, Maximum)
INSTANTIATE_SCAN(int, Maximum)
