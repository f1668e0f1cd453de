// Softmax and log-softmax over the last dimension, in three forms:
//
//   softmax_warp_kernel    short rows: one row for each group of lanes, elements in registers
//   softmax_block_kernel   one row a block, the row staged in dynamic shared memory
//   softmax_online_kernel  rows too long for shared memory: running maximum and sum in one pass
//
// Logits are multiplied by `scale` first. With `causal`, row r of each [query_length, cols] matrix
// keeps its first r % query_length + 1 columns; the others get probability zero.

#include "../common/dtype.cuh"
#include "../common/reduce.cuh"
#include "../common/vec.cuh"

#define MAX_BLOCK_THREADS 256

struct SoftmaxParams {
  float scale;
  int query_length;
  bool causal;

  __host__ __device__ int visible_columns(int row, int cols) const {
    if (!causal) return cols;
    const int limit = row % query_length + 1;
    return limit < cols ? limit : cols;
  }
};

// What is written for a logit, given the row's maximum and its sum of exponentials.
struct Probability {
  __device__ __forceinline__ static float masked() { return 0.0f; }
  __device__ __forceinline__ explicit Probability(float maximum, float sum)
      : maximum_(maximum), inverse_sum_(1.0f / sum) {}
  __device__ __forceinline__ float operator()(float logit) const {
    return expf(logit - maximum_) * inverse_sum_;
  }

 private:
  const float maximum_;
  const float inverse_sum_;
};

struct LogProbability {
  __device__ __forceinline__ static float masked() { return -INFINITY; }
  __device__ __forceinline__ explicit LogProbability(float maximum, float sum)
      : offset_(maximum + logf(sum)) {}
  __device__ __forceinline__ float operator()(float logit) const { return logit - offset_; }

 private:
  const float offset_;
};

// The shape of the warp form for rows of at most 2^kLog2Columns elements.
template <int kLog2Columns>
struct WarpTile {
  static constexpr int columns = 1 << kLog2Columns;
  static constexpr int lanes = columns < kWarpSize ? columns : kWarpSize;
  static constexpr int per_lane = columns / lanes;
  static constexpr int rows = columns <= 128 ? 2 : 1;
};

// blockDim is (lanes of a row, groups). Lanes past the last row keep running: the shuffles below
// name the full warp, which several groups share.
template <typename T, typename Epilogue, int kLog2Columns>
__global__ void softmax_warp_kernel(T* __restrict__ output, const T* __restrict__ input, int rows,
                                    int cols, SoftmaxParams params) {
  using Tile = WarpTile<kLog2Columns>;
  const int group = blockIdx.x * blockDim.y + threadIdx.y;
  const int first_row = group * Tile::rows;
  const int lane = threadIdx.x;

  float logits[Tile::rows][Tile::per_lane];
  float maximum[Tile::rows];
  float sum[Tile::rows];

#pragma unroll
  for (int r = 0; r < Tile::rows; ++r) {
    const int row = first_row + r;
    const int visible = row < rows ? params.visible_columns(row, cols) : 0;
    maximum[r] = -INFINITY;
#pragma unroll
    for (int i = 0; i < Tile::per_lane; ++i) {
      const int col = lane + i * Tile::lanes;
      logits[r][i] = col < visible
                         ? to_float(input[static_cast<int64_t>(row) * cols + col]) * params.scale
                         : -INFINITY;
      maximum[r] = fmaxf(maximum[r], logits[r][i]);
    }
    maximum[r] = warp_reduce<Tile::lanes>(maximum[r], Max());
  }

#pragma unroll
  for (int r = 0; r < Tile::rows; ++r) {
    sum[r] = 0.0f;
#pragma unroll
    for (int i = 0; i < Tile::per_lane; ++i) {
      if (lane + i * Tile::lanes < cols) sum[r] += expf(logits[r][i] - maximum[r]);
    }
    sum[r] = warp_reduce<Tile::lanes>(sum[r], Sum());
  }

#pragma unroll
  for (int r = 0; r < Tile::rows; ++r) {
    const int row = first_row + r;
    if (row >= rows) break;
    const Epilogue epilogue(maximum[r], sum[r]);
    const int visible = params.visible_columns(row, cols);
#pragma unroll
    for (int i = 0; i < Tile::per_lane; ++i) {
      const int col = lane + i * Tile::lanes;
      if (col >= cols) break;
      output[static_cast<int64_t>(row) * cols + col] =
          from_float<T>(col < visible ? epilogue(logits[r][i]) : Epilogue::masked());
    }
  }
}

// Dynamic shared memory: `cols` floats for the row, then kWarpSize for the reductions.
template <typename T, typename Epilogue, int kWidth>
__global__ void __launch_bounds__(MAX_BLOCK_THREADS)
softmax_block_kernel(T* __restrict__ output, const T* __restrict__ input, int cols,
                     SoftmaxParams params) {
  extern __shared__ __align__(16) unsigned char shared_bytes[];
  float* row_logits = reinterpret_cast<float*>(shared_bytes);
  float* scratch = row_logits + cols;

  const int row = blockIdx.x;
  const T* __restrict__ x = input + static_cast<size_t>(row) * cols;
  T* __restrict__ y = output + static_cast<size_t>(row) * cols;
  const int visible = params.visible_columns(row, cols);

  float maximum = -INFINITY;
  for (int col = threadIdx.x * kWidth; col < cols; col += blockDim.x * kWidth) {
    const auto values = Vec<T, kWidth>::load(x + col);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float logit = to_float(values[i]) * params.scale;
      row_logits[col + i] = logit;
      if (col + i < visible) maximum = fmaxf(maximum, logit);
    }
  }
  maximum = block_reduce(maximum, Max(), -INFINITY, scratch);

  float sum = 0.0f;
  for (int col = threadIdx.x; col < visible; col += blockDim.x) {
    sum += expf(row_logits[col] - maximum);
  }
  sum = block_reduce(sum, Sum(), 0.0f, scratch);

  const Epilogue epilogue(maximum, sum);
  for (int col = threadIdx.x * kWidth; col < cols; col += blockDim.x * kWidth) {
    Vec<T, kWidth> values;
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const bool keep = col + i < visible;
      values[i] = from_float<T>(keep ? epilogue(row_logits[col + i]) : Epilogue::masked());
    }
    values.store(y + col);
  }
}

// Running maximum m and sum of exp(x - m).
struct MaxAndSum {
  float maximum;
  float sum;

  __device__ __forceinline__ MaxAndSum operator+(const MaxAndSum& other) const {
    const bool larger = maximum > other.maximum;
    const MaxAndSum& high = larger ? *this : other;
    const MaxAndSum& low = larger ? other : *this;
    if (low.maximum == -INFINITY) return high;
    return {high.maximum, high.sum + low.sum * __expf(low.maximum - high.maximum)};
  }
};

__device__ __forceinline__ MaxAndSum shuffle_xor(const MaxAndSum& state, int lane_mask) {
  MaxAndSum other;
  other.maximum = __shfl_xor_sync(kFullMask, state.maximum, lane_mask);
  other.sum = __shfl_xor_sync(kFullMask, state.sum, lane_mask);
  return other;
}

// One warp a row, blockDim.x / 32 rows a block.
template <typename T, typename Epilogue>
__global__ void softmax_online_kernel(T* __restrict__ output, const T* __restrict__ input, int rows,
                                      int cols, SoftmaxParams params) {
  const int lane = threadIdx.x & 31;
  const int row = blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
  if (row >= rows) return;  // the whole warp

  const T* x = input + static_cast<int64_t>(row) * cols;
  T* y = output + static_cast<int64_t>(row) * cols;
  const int visible = params.visible_columns(row, cols);

  MaxAndSum state{-INFINITY, 0.0f};
  for (int col = lane; col < visible; col += kWarpSize) {
    state = state + MaxAndSum{to_float(x[col]) * params.scale, 1.0f};
  }
#pragma unroll
  for (int mask = 16; mask >= 1; mask >>= 1) state = state + shuffle_xor(state, mask);

  const Epilogue epilogue(state.maximum, state.sum);
  for (int col = lane; col < visible; col += kWarpSize) {
    y[col] = from_float<T>(epilogue(to_float(x[col]) * params.scale));
  }
  for (int col = visible + lane; col < cols; col += kWarpSize) {
    y[col] = from_float<T>(Epilogue::masked());
  }
}

namespace {

template <typename T, typename Epilogue, int kLog2Columns>
void launch_warp(T* output, const T* input, int rows, int cols, const SoftmaxParams& params,
                 cudaStream_t stream) {
  using Tile = WarpTile<kLog2Columns>;
  const dim3 block(Tile::lanes, 128 / Tile::lanes);
  const int grid = ceil_div(rows, block.y * Tile::rows);
  softmax_warp_kernel<T, Epilogue, kLog2Columns>
      <<<grid, block, 0, stream>>>(output, input, rows, cols, params);
}

template <typename T, typename Epilogue, int kWidth>
cudaError_t launch_block(T* output, const T* input, int rows, int cols,
                         const SoftmaxParams& params, cudaStream_t stream) {
  const size_t shared = (static_cast<size_t>(cols) + kWarpSize) * sizeof(float);
  auto kernel = softmax_block_kernel<T, Epilogue, kWidth>;
  if (shared > 48 * 1024) {
    RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                              static_cast<int>(shared)));
  }
  kernel<<<rows, MAX_BLOCK_THREADS, shared, stream>>>(output, input, cols, params);
  return cudaGetLastError();
}

template <typename T, typename Epilogue>
cudaError_t launch(T* output, const T* input, int rows, int cols, const SoftmaxParams& params,
                   cudaStream_t stream) {
  if (cols <= 1024) {
#define LAUNCH_WARP_FORM(LOG2)                                                     \
  if (cols <= 1 << LOG2) {                                                         \
    launch_warp<T, Epilogue, LOG2>(output, input, rows, cols, params, stream);     \
    return cudaGetLastError();                                                     \
  }

    // Every other size: a row fills at least a quarter of its tile, and there are half as many
    // instances to compile.
    LAUNCH_WARP_FORM(3)
    LAUNCH_WARP_FORM(5)
    LAUNCH_WARP_FORM(7)
    LAUNCH_WARP_FORM(9)
    LAUNCH_WARP_FORM(10)
#undef LAUNCH_WARP_FORM
  }

  int device = 0;
  int shared_limit = 0;
  RETURN_IF_CUDA_ERROR(cudaGetDevice(&device));
  RETURN_IF_CUDA_ERROR(
      cudaDeviceGetAttribute(&shared_limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  if ((static_cast<size_t>(cols) + kWarpSize) * sizeof(float) <=
      static_cast<size_t>(shared_limit)) {
    constexpr int kWide = kMaxVecWidth<T>;
    return can_vectorize(input, cols, kWide) && can_vectorize(output, cols, kWide)
               ? launch_block<T, Epilogue, kWide>(output, input, rows, cols, params, stream)
               : launch_block<T, Epilogue, 1>(output, input, rows, cols, params, stream);
  }
  constexpr int threads = 128;
  softmax_online_kernel<T, Epilogue>
      <<<ceil_div(rows, threads / kWarpSize), threads, 0, stream>>>(output, input, rows, cols,
                                                                    params);
  return cudaGetLastError();
}

}  // namespace

cudaError_t softmax(void* output, const void* input, int rows, int cols, SoftmaxParams params,
                    DType dtype, bool log_output, cudaStream_t stream) {
  if (rows == 0 || cols == 0) return cudaSuccess;
  DISPATCH_DTYPE(dtype, T, {
    T* y = static_cast<T*>(output);
    const T* x = static_cast<const T*>(input);
    return log_output ? launch<T, LogProbability>(y, x, rows, cols, params, stream)
                      : launch<T, Probability>(y, x, rows, cols, params, stream);
  });
  return cudaSuccess;
}
