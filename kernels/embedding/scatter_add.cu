// out[index[i]] += source[i] for rows of `width` elements: the gradient of an embedding lookup.
// Rows that share an index race, so the updates are atomic and their order is not fixed.

#include "../common/dtype.cuh"

// atomicAdd for every storage type, on chips that lack it natively too.
__device__ __forceinline__ void atomic_add(float* address, float value) {
  atomicAdd(address, value);
}

__device__ __forceinline__ void atomic_add(half* address, half value) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 700
  atomicAdd(address, value);
#else
  // The half is one side of an aligned 32-bit word: replace that side until no one came between.
  const size_t at = reinterpret_cast<size_t>(address);
  unsigned int* word = reinterpret_cast<unsigned int*>(at & ~size_t(3));
  const bool upper = at & 2;
  unsigned int old = *word;
  unsigned int assumed;
  do {
    assumed = old;
    const unsigned short bits = upper ? assumed >> 16 : assumed & 0xffffu;
    const half sum = __float2half_rn(__half2float(__ushort_as_half(bits)) + __half2float(value));
    const unsigned int side = __half_as_ushort(sum);
    const unsigned int desired =
        upper ? (assumed & 0x0000ffffu) | (side << 16) : (assumed & 0xffff0000u) | side;
    old = atomicCAS(word, assumed, desired);
  } while (assumed != old);
#endif
}

// Maximum through integer atomics: floats without the sign bit order like signed integers, those
// with it in reverse like unsigned ones.
__device__ __forceinline__ void atomic_max(float* address, float value) {
  const int bits = __float_as_int(value);
  if (bits >= 0) {
    atomicMax(reinterpret_cast<int*>(address), bits);
  } else {
    atomicMin(reinterpret_cast<unsigned int*>(address), static_cast<unsigned int>(bits));
  }
}

// One element a thread over the flattened source. Rows with an index outside [0, out_rows) are
// skipped: padding tokens carry -1.
template <typename T, typename index_t>
__global__ void scatter_add_kernel(T* __restrict__ out, const T* __restrict__ source,
                                   const index_t* __restrict__ index, const int rows,
                                   const int width, const index_t out_rows) {
  const int64_t total = static_cast<int64_t>(rows) * width;
  const int64_t stride = static_cast<int64_t>(blockDim.x) * gridDim.x;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < total;
       i += stride) {
    const index_t target = index[i / width];
    if (target < 0 || target >= out_rows) continue;
    atomic_add(out + static_cast<int64_t>(target) * width + i % width, source[i]);
  }
}

// Two halves an atomic: `pairs` is width / 2, rows start on 4 bytes.
__global__ void scatter_add_half2_kernel(half2* __restrict__ out, const half2* __restrict__ source,
                                         const int* __restrict__ index, const int rows,
                                         const int pairs, const int out_rows) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  const int pair = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows || pair >= pairs) return;
  const int target = __ldg(index + row);
  if (target < 0 || target >= out_rows) return;
  atomicAdd(out + static_cast<size_t>(target) * pairs + pair,
            source[static_cast<size_t>(row) * pairs + pair]);
}

// out[index[i]] = max(out[index[i]], source[i]) and the number of rows that each index received.
__global__ void scatter_max_kernel(float* __restrict__ out, int* __restrict__ counts,
                                   const float* __restrict__ source, const int* __restrict__ index,
                                   const int rows, const int width, const int out_rows) {
  const int row = blockIdx.x;
  const int target = index[row];
  if (target < 0 || target >= out_rows) return;
  if (threadIdx.x == 0) atomicAdd(&counts[target], 1);
  for (int c = threadIdx.x; c < width; c += blockDim.x) {
    atomic_max(&out[(size_t)target * width + c], source[(size_t)row * width + c]);
  }
}

namespace {

inline int grid_for(int64_t total, int threads) {
  const int blocks = ceil_div(total, threads);
  return blocks < 65535 ? blocks : 65535;
}

template <typename T>
cudaError_t launch_scatter_add(T* out, const T* source, const int64_t* index, int rows, int width,
                               int64_t out_rows, cudaStream_t stream) {
  constexpr int threads = 256;
  const int64_t total = static_cast<int64_t>(rows) * width;
  scatter_add_kernel<<<grid_for(total, threads), threads, 0, stream>>>(out, source, index, rows,
                                                                       width, out_rows);
  return cudaGetLastError();
}

}  // namespace

cudaError_t scatter_add(void* out, const void* source, const int64_t* index, int rows, int width,
                        int64_t out_rows, DType dtype, cudaStream_t stream) {
  if (rows == 0 || width == 0) return cudaSuccess;
  switch (dtype) {
    case DType::kFloat32:
      return launch_scatter_add(static_cast<float*>(out), static_cast<const float*>(source), index,
                                rows, width, out_rows, stream);
    case DType::kFloat16:
      return launch_scatter_add(static_cast<half*>(out), static_cast<const half*>(source), index,
                                rows, width, out_rows, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

cudaError_t scatter_add_half2(half2* out, const half2* source, const int* index, int rows,
                              int pairs, int out_rows, cudaStream_t stream) {
  if (rows == 0 || pairs == 0) return cudaSuccess;
  const dim3 block(32, 8);
  const dim3 grid(ceil_div(pairs, block.x), ceil_div(rows, block.y));
  scatter_add_half2_kernel<<<grid, block, 0, stream>>>(out, source, index, rows, pairs, out_rows);
  return cudaGetLastError();
}

cudaError_t scatter_max(float* out, int* counts, const float* source, const int* index, int rows,
                        int width, int out_rows, cudaStream_t stream) {
  if (rows == 0) return cudaSuccess;
  RETURN_IF_CUDA_ERROR(cudaMemsetAsync(counts, 0, out_rows * sizeof(int), stream));
  scatter_max_kernel<<<rows, 128, 0, stream>>>(out, counts, source, index, rows, width, out_rows);
  return cudaGetLastError();
}
