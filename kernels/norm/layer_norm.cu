// Layer normalisation over the last dimension, and the gradients of its affine parameters.
//
//   y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
//
// Mean and variance come from one pass by Welford's method: each lane keeps a running state, lanes
// merge by shuffles, warps merge through shared memory. Blocks are (32, warps): threadIdx.x is the
// lane, threadIdx.y the warp. The number of warps is a power of two.

#include "../common/dtype.cuh"
#include "../common/reduce.cuh"
#include "../common/vec.cuh"

namespace layernorm {

constexpr int kMaxWarps = 16;
constexpr int kTile = 32;

// Mean and sum of squared deviations of `count` values.
template <typename Acc>
struct Welford {
  Acc mean;
  Acc m2;
  Acc count;

  __device__ __forceinline__ void push(Acc x) {
    count += Acc(1);
    const Acc delta = x - mean;
    mean += delta / count;
    m2 += delta * (x - mean);
  }

  // Chan's pairwise update.
  __device__ __forceinline__ void merge(const Welford& other) {
    const Acc total = count + other.count;
    if (total == Acc(0)) return;
    const Acc delta = other.mean - mean;
    const Acc share = other.count / total;
    mean += delta * share;
    m2 += other.m2 + delta * delta * count * share;
    count = total;
  }

  __device__ __forceinline__ Welford shuffle_down(int offset) const {
    return {__shfl_down_sync(kFullMask, mean, offset), __shfl_down_sync(kFullMask, m2, offset),
            __shfl_down_sync(kFullMask, count, offset)};
  }
};

// The state of the whole block, in every thread.
template <typename Acc>
__device__ Welford<Acc> block_merge(Welford<Acc> state) {
  __shared__ Welford<Acc> s_state[kMaxWarps];

#pragma unroll
  for (int offset = kWarpSize >> 1; offset > 0; offset >>= 1) {
    state.merge(state.shuffle_down(offset));
  }
  for (int half_warps = blockDim.y / 2; half_warps > 0; half_warps /= 2) {
    if (threadIdx.x == 0 && threadIdx.y >= half_warps && threadIdx.y < 2 * half_warps) {
      s_state[threadIdx.y - half_warps] = state;
    }
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y < half_warps) state.merge(s_state[threadIdx.y]);
    __syncthreads();
  }
  if (threadIdx.x == 0 && threadIdx.y == 0) s_state[0] = state;
  __syncthreads();
  state = s_state[0];
  __syncthreads();  // the next row writes it again
  return state;
}

template <typename T, int kWidth, bool kAffine>
__global__ void layer_norm_forward_kernel(T* __restrict__ output, float* __restrict__ mean_out,
                                          float* __restrict__ rstd_out,
                                          const T* __restrict__ input,
                                          const float* __restrict__ gamma,
                                          const float* __restrict__ beta, int rows, int cols,
                                          float epsilon) {
  using VecT = Vec<T, kWidth>;
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  const int threads = blockDim.x * blockDim.y;

  for (int row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* x = input + static_cast<int64_t>(row) * cols;
    T* y = output + static_cast<int64_t>(row) * cols;

    Welford<float> state{0.0f, 0.0f, 0.0f};
    for (int col = thread * kWidth; col < cols; col += threads * kWidth) {
      const VecT values = VecT::load(x + col);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) state.push(to_float(values[i]));
    }
    state = block_merge(state);

    const float mean = state.mean;
    const float rstd = rsqrtf(state.m2 / cols + epsilon);
    for (int col = thread * kWidth; col < cols; col += threads * kWidth) {
      const VecT values = VecT::load(x + col);
      VecT result;
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        float normalized = (to_float(values[i]) - mean) * rstd;
        if constexpr (kAffine) {
          normalized = fmaf(normalized, __ldg(gamma + col + i), __ldg(beta + col + i));
        }
        result[i] = from_float<T>(normalized);
      }
      result.store(y + col);
    }
    if (thread == 0) {
      mean_out[row] = mean;
      rstd_out[row] = rstd;
    }
  }
}

// grad_gamma[c] = sum over rows of grad[r, c] * (x[r, c] - mean[r]) * rstd[r]
// grad_beta[c]  = sum over rows of grad[r, c]
// A block of (kTile, kTile) threads owns kTile columns. Each thread sums a strided share of the
// rows; the partial sums cross the tile transposed, so that one warp reduces one column.
template <typename T>
__global__ void __launch_bounds__(kTile* kTile)
layer_norm_backward_parameters_kernel(float* __restrict__ grad_gamma, float* __restrict__ grad_beta,
                                      const T* __restrict__ grad, const T* __restrict__ input,
                                      const float* __restrict__ mean,
                                      const float* __restrict__ rstd, int rows, int cols) {
  __shared__ float s_gamma[kTile][kTile + 1];
  __shared__ float s_beta[kTile][kTile + 1];

  const int col = blockIdx.x * kTile + threadIdx.x;
  float gamma_sum = 0.0f;
  float beta_sum = 0.0f;
  if (col < cols) {
    for (int row = threadIdx.y; row < rows; row += kTile) {
      const int64_t at = static_cast<int64_t>(row) * cols + col;
      const float g = to_float(grad[at]);
      gamma_sum += g * (to_float(input[at]) - mean[row]) * rstd[row];
      beta_sum += g;
    }
  }
  s_gamma[threadIdx.y][threadIdx.x] = gamma_sum;
  s_beta[threadIdx.y][threadIdx.x] = beta_sum;
  __syncthreads();

  gamma_sum = warp_reduce(s_gamma[threadIdx.x][threadIdx.y], Sum());
  beta_sum = warp_reduce(s_beta[threadIdx.x][threadIdx.y], Sum());

  const int out_col = blockIdx.x * kTile + threadIdx.y;
  if (threadIdx.x == 0 && out_col < cols) {
    grad_gamma[out_col] = gamma_sum;
    grad_beta[out_col] = beta_sum;
  }
}

template <typename T>
void launch_forward(T* output, float* mean, float* rstd, const T* input, const float* gamma,
                    const float* beta, int rows, int cols, float epsilon, cudaStream_t stream) {
  constexpr int kWide = kMaxVecWidth<T>;
  const bool wide = can_vectorize(input, cols, kWide) && can_vectorize(output, cols, kWide);
  const int work = wide ? cols / kWide : cols;
  int warps = 1;
  while (warps < kMaxWarps && warps * kWarpSize < work) warps *= 2;

  const dim3 block(kWarpSize, warps);
  const dim3 grid(rows < 65535 ? rows : 65535);
  const bool affine = gamma != nullptr && beta != nullptr;
  auto kernel = wide ? (affine ? layer_norm_forward_kernel<T, kWide, true>
                               : layer_norm_forward_kernel<T, kWide, false>)
                     : (affine ? layer_norm_forward_kernel<T, 1, true>
                               : layer_norm_forward_kernel<T, 1, false>);
  kernel<<<grid, block, 0, stream>>>(output, mean, rstd, input, gamma, beta, rows, cols, epsilon);
}

cudaError_t layer_norm_forward(void* output, float* mean, float* rstd, const void* input,
                               const float* gamma, const float* beta, int rows, int cols,
                               float epsilon, DType dtype, cudaStream_t stream) {
  if (rows == 0 || cols == 0) return cudaSuccess;
  DISPATCH_DTYPE(dtype, T,
                 launch_forward(static_cast<T*>(output), mean, rstd, static_cast<const T*>(input),
                                gamma, beta, rows, cols, epsilon, stream));
  return cudaGetLastError();
}

cudaError_t layer_norm_backward_parameters(float* grad_gamma, float* grad_beta, const void* grad,
                                           const void* input, const float* mean, const float* rstd,
                                           int rows, int cols, DType dtype, cudaStream_t stream) {
  if (cols == 0) return cudaSuccess;
  const dim3 block(kTile, kTile);
  DISPATCH_DTYPE(dtype, T, {
    layer_norm_backward_parameters_kernel<T><<<ceil_div(cols, kTile), block, 0, stream>>>(
        grad_gamma, grad_beta, static_cast<const T*>(grad), static_cast<const T*>(input), mean,
        rstd, rows, cols);
  });
  return cudaGetLastError();
}

}  // namespace layernorm
