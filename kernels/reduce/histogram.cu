// Histograms, in the forms that different numbers of bins call for:
//
//   histogram_kernel             bins over [low, high], weighted or not; each block counts in shared
//                                memory where its bins fit, else straight in global memory
//   histogram_labels_kernel      few distinct labels: equal ones of a warp are counted together first
//   histogram_bytes_kernel       256 bins of bytes: one set of counters a warp, a row of them a block,
//   merge_histograms_kernel      added up bin by bin

#include <cuda_runtime.h>
#include <stdint.h>

#define HISTOGRAM_BYTE_BINS 256
#define WARP_SIZE 32
#define BYTES_WARPS 4
#define BYTES_THREADS (BYTES_WARPS * WARP_SIZE)
#define MERGE_THREADS 128

enum class HistogramMemory { kShared, kGlobal };

// atomicAdd, for 64-bit signed counters too.
template <typename T>
__device__ __forceinline__ void add_to_bin(T* bin, T value) {
  atomicAdd(bin, value);
}
template <>
__device__ __forceinline__ void add_to_bin<int64_t>(int64_t* bin, int64_t value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(bin), static_cast<unsigned long long>(value));
}

struct CountOne {
  __device__ __forceinline__ int operator()(int64_t) const { return 1; }
};

template <typename T>
struct WeightOf {
  const T* weights;
  __device__ __forceinline__ T operator()(int64_t i) const { return __ldg(weights + i); }
};

// The bin of a value within [low, high]; the last bin holds `high` itself.
__device__ __forceinline__ int bin_of(float value, float low, float high, int bins) {
  const int bin = static_cast<int>((value - low) * bins / (high - low));
  return bin < bins ? bin : bins - 1;
}

__device__ __forceinline__ int bin_of(int value, int low, int high, int bins) {
  const int64_t offset = static_cast<int64_t>(value) - low;
  const int bin = static_cast<int>(offset * bins / (static_cast<int64_t>(high) - low));
  return bin < bins ? bin : bins - 1;
}

// Dynamic shared memory in the shared form: `bins` counters.
template <typename output_t, typename input_t, HistogramMemory kMemory, typename Weight>
__global__ void histogram_kernel(output_t* __restrict__ counts, const input_t* __restrict__ input,
                                 const int64_t n, const int bins, const input_t low,
                                 const input_t high, const Weight weight) {
  extern __shared__ unsigned char shared_memory[];
  output_t* target;
  if constexpr (kMemory == HistogramMemory::kShared) {
    target = reinterpret_cast<output_t*>(shared_memory);
    for (int bin = threadIdx.x; bin < bins; bin += blockDim.x) target[bin] = output_t(0);
    __syncthreads();
  } else {
    target = counts;
  }

  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n;
       i += (int64_t)gridDim.x * blockDim.x) {
    const input_t value = input[i];
    // NaN fails both comparisons.
    if (value >= low && value <= high) {
      add_to_bin(&target[bin_of(value, low, high, bins)], static_cast<output_t>(weight(i)));
    }
  }

  if constexpr (kMemory == HistogramMemory::kShared) {
    __syncthreads();
    for (int bin = threadIdx.x; bin < bins; bin += blockDim.x) {
      if (target[bin] != output_t(0)) add_to_bin(&counts[bin], target[bin]);
    }
  }
}

// counts[label] for labels in [0, classes); others are ignored. All lanes of a warp stay in the loop
// until its last one is done, since they are asked about their neighbours' labels.
__global__ void histogram_labels_kernel(unsigned* __restrict__ counts,
                                        const int* __restrict__ labels, const int n,
                                        const int classes) {
  const unsigned lane = threadIdx.x & (WARP_SIZE - 1);
  const int stride = gridDim.x * blockDim.x;
  const int warp_first = blockIdx.x * blockDim.x + threadIdx.x - lane;
  for (int first = warp_first; first < n; first += stride) {
    const int i = first + lane;
    const int label = i < n ? labels[i] : -1;
    const bool counted = label >= 0 && label < classes;
    const unsigned takers = __ballot_sync(0xffffffff, counted);
    if (counted) {
      const unsigned peers = __match_any_sync(takers, label);
      const int leader = __ffs(peers) - 1;
      if (lane == leader) atomicAdd(&counts[label], (unsigned)__popc(peers));
    }
    __syncwarp();
  }
}

__device__ __forceinline__ void count_word(unsigned* warp_counts, unsigned word) {
  atomicAdd(warp_counts + (word & 0xff), 1u);
  atomicAdd(warp_counts + (word >> 8 & 0xff), 1u);
  atomicAdd(warp_counts + (word >> 16 & 0xff), 1u);
  atomicAdd(warp_counts + (word >> 24), 1u);
}

// `n` bytes, from an address that is a multiple of 16.
__global__ void __launch_bounds__(BYTES_THREADS)
histogram_bytes_kernel(unsigned* __restrict__ partial, const unsigned char* __restrict__ data,
                       const size_t n) {
  __shared__ unsigned s_counts[BYTES_WARPS * HISTOGRAM_BYTE_BINS];
  unsigned* const warp_counts = s_counts + (threadIdx.x / WARP_SIZE) * HISTOGRAM_BYTE_BINS;

#pragma unroll
  for (int i = 0; i < BYTES_WARPS * HISTOGRAM_BYTE_BINS / BYTES_THREADS; i++) {
    s_counts[threadIdx.x + i * BYTES_THREADS] = 0;
  }
  __syncthreads();

  const uint4* quads = reinterpret_cast<const uint4*>(data);
  const size_t quad_count = n / sizeof(uint4);
  for (size_t pos = blockIdx.x * BYTES_THREADS + threadIdx.x; pos < quad_count;
       pos += BYTES_THREADS * gridDim.x) {
    const uint4 quad = __ldg(&quads[pos]);
    count_word(warp_counts, quad.x);
    count_word(warp_counts, quad.y);
    count_word(warp_counts, quad.z);
    count_word(warp_counts, quad.w);
  }
  // The bytes past the last whole quad.
  const size_t tail = quad_count * sizeof(uint4) + threadIdx.x;
  if (blockIdx.x == 0 && tail < n) atomicAdd(&warp_counts[data[tail]], 1u);
  __syncthreads();

  for (int bin = threadIdx.x; bin < HISTOGRAM_BYTE_BINS; bin += BYTES_THREADS) {
    unsigned sum = 0;
#pragma unroll
    for (int warp = 0; warp < BYTES_WARPS; warp++) sum += s_counts[warp * HISTOGRAM_BYTE_BINS + bin];
    partial[blockIdx.x * HISTOGRAM_BYTE_BINS + bin] = sum;
  }
}

// One block a bin.
__global__ void merge_histograms_kernel(unsigned* __restrict__ counts,
                                        const unsigned* __restrict__ partial, const int rows) {
  const int bin = blockIdx.x;
  unsigned sum = 0;
  for (int row = threadIdx.x; row < rows; row += MERGE_THREADS) {
    sum += partial[bin + row * HISTOGRAM_BYTE_BINS];
  }

  volatile __shared__ unsigned s_sums[MERGE_THREADS];
  s_sums[threadIdx.x] = sum;
  for (unsigned stride = MERGE_THREADS / 2; stride > 0; stride >>= 1) {
    __syncthreads();
    if (threadIdx.x < stride) s_sums[threadIdx.x] += s_sums[threadIdx.x + stride];
  }
  if (threadIdx.x == 0) counts[bin] = s_sums[0];
}

namespace {

template <typename output_t, typename input_t, typename Weight>
cudaError_t launch_histogram(output_t* counts, const input_t* input, int64_t n, int bins,
                             input_t low, input_t high, const Weight& weight,
                             cudaStream_t stream) {
  if (!(low < high) || bins <= 0) return cudaErrorInvalidValue;
  cudaError_t status = cudaMemsetAsync(counts, 0, bins * sizeof(output_t), stream);
  if (status != cudaSuccess || n == 0) return status;

  const int threads = 256;
  const int64_t wanted = (n + threads - 1) / threads;
  const dim3 grid(static_cast<unsigned>(wanted < 1024 ? wanted : 1024));
  int limit = 0, device = 0;
  if ((status = cudaGetDevice(&device)) != cudaSuccess) return status;
  status = cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlock, device);
  if (status != cudaSuccess) return status;
  const size_t bytes = bins * sizeof(output_t);
  if (bytes <= static_cast<size_t>(limit)) {
    histogram_kernel<output_t, input_t, HistogramMemory::kShared, Weight>
        <<<grid, threads, bytes, stream>>>(counts, input, n, bins, low, high, weight);
  } else {
    histogram_kernel<output_t, input_t, HistogramMemory::kGlobal, Weight>
        <<<grid, threads, 0, stream>>>(counts, input, n, bins, low, high, weight);
  }
  return cudaGetLastError();
}

}  // namespace

cudaError_t histogram_f32(unsigned* counts, const float* input, int64_t n, int bins, float low,
                          float high, cudaStream_t stream) {
  return launch_histogram(counts, input, n, bins, low, high, CountOne{}, stream);
}

cudaError_t weighted_histogram_f32(float* sums, const float* input, const float* weights, int64_t n,
                                   int bins, float low, float high, cudaStream_t stream) {
  return launch_histogram(sums, input, n, bins, low, high, WeightOf<float>{weights}, stream);
}

cudaError_t weighted_histogram_i32(int64_t* sums, const int* input, const int* weights, int64_t n,
                                   int bins, int low, int high, cudaStream_t stream) {
  return launch_histogram(sums, input, n, bins, low, high, WeightOf<int>{weights}, stream);
}

cudaError_t histogram_labels(unsigned* counts, const int* labels, int n, int classes,
                             cudaStream_t stream) {
  cudaError_t status = cudaMemsetAsync(counts, 0, classes * sizeof(unsigned), stream);
  if (status != cudaSuccess || n == 0) return status;
  const int blocks = (n + 255) / 256;
  histogram_labels_kernel<<<blocks < 512 ? blocks : 512, 256, 0, stream>>>(counts, labels, n,
                                                                          classes);
  return cudaGetLastError();
}

// `partial` is scratch of 240 * 256 counters.
cudaError_t histogram_bytes(unsigned* counts, unsigned* partial, const unsigned char* data,
                            size_t n, cudaStream_t stream) {
  const int rows = 240;
  histogram_bytes_kernel<<<rows, BYTES_THREADS, 0, stream>>>(partial, data, n);
  merge_histograms_kernel<<<HISTOGRAM_BYTE_BINS, MERGE_THREADS, 0, stream>>>(counts, partial, rows);
  return cudaGetLastError();
}
