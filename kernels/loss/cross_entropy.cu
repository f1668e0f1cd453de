/*
Cross entropy of logits against class indices, forward and backward.

    loss[r] = (1 - s) * (lse(x[r]) - x[r][target]) + s * (lse(x[r]) - mean(x[r]))
    dx[r]   = (softmax(x[r]) - (1 - s) * onehot(target) - s / V) * dloss

with label smoothing s. Rows whose target is `ignore_index` have neither loss nor gradient. Rows hold
V real classes and are padded to Vp; padding takes no part and gets gradient zero.

The fused form never stores a probability: it computes the loss and writes the gradient over the
logits, which saves the largest tensor of a language model.
*/

#include <assert.h>
#include <float.h>
#include <stdint.h>

#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace cg = cooperative_groups;

#define WARP_SIZE 32U

// ----------------------------------------------------------------------------
// 16-byte pieces

template <class ElementType>
struct alignas(16) Packed128 {
  Packed128() = default;
  __device__ explicit Packed128(int4 bits) {
    static_assert(sizeof(bits) == sizeof(payload), "Size mismatch.");
    memcpy(&payload, &bits, sizeof(bits));
  }

  __device__ static Packed128 constant(ElementType value) {
    Packed128 result;
    for (int k = 0; k < size; ++k) {
      result.payload[k] = value;
    }
    return result;
  }
  __device__ ElementType& operator[](int index) { return payload[index]; }
  __device__ const ElementType& operator[](int index) const { return payload[index]; }
  __device__ int4 get_bits() const {
    int4 bits;
    memcpy(&bits, &payload, sizeof(bits));
    return bits;
  }
  static constexpr const size_t size = sizeof(int4) / sizeof(ElementType);
  ElementType payload[size];
};

// Streaming loads and stores: this data is not used again soon.
template <class ElementType>
__device__ Packed128<ElementType> load128cs(const ElementType* address) {
  return Packed128<ElementType>{__ldcs(reinterpret_cast<const int4*>(address))};
}
template <class ElementType>
__device__ void store128cs(ElementType* target, Packed128<ElementType> value) {
  __stcs(reinterpret_cast<int4*>(target), value.get_bits());
}

// ----------------------------------------------------------------------------
// Reduction of a row

struct RowStatistics {
  float maximum;
  float sum;     // of exp(x - maximum)
  float linear;  // of x, for label smoothing
};

// All threads of the block get the statistics of x[0, V). One pass: each thread keeps a running
// maximum and rescales its sum when that grows.
template <typename floatX>
__device__ RowStatistics row_statistics_blockwide(const floatX* x, int V) {
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<WARP_SIZE> warp = cg::tiled_partition<WARP_SIZE>(block);
  __shared__ float shared_maxval[WARP_SIZE];
  __shared__ float shared_sumval[WARP_SIZE];
  __shared__ float shared_linear[WARP_SIZE];
  const int num_warps = warp.meta_group_size();
  const int warp_id = warp.meta_group_rank();
  const int lane_id = warp.thread_rank();

  float thread_maxval = -FLT_MAX;
  float thread_sumval = 0.0f;
  float thread_linear = 0.0f;
  for (int i = block.thread_rank(); i < V; i += block.size()) {
    const float v = (float)x[i];
    const float old_maxval = thread_maxval;
    thread_maxval = fmaxf(thread_maxval, v);
    thread_sumval *= expf(old_maxval - thread_maxval);
    thread_sumval += expf(v - thread_maxval);
    thread_linear += v;
  }

  // First in the warps, then every warp over the warps' results.
  const float warp_maxval = cg::reduce(warp, thread_maxval, cg::greater<float>{});
  thread_sumval *= expf(thread_maxval - warp_maxval);
  const float warp_sumval = cg::reduce(warp, thread_sumval, cg::plus<float>{});
  const float warp_linear = cg::reduce(warp, thread_linear, cg::plus<float>{});
  if (lane_id == 0) {
    shared_maxval[warp_id] = warp_maxval;
    shared_sumval[warp_id] = warp_sumval;
    shared_linear[warp_id] = warp_linear;
  }
  block.sync();

  const bool exists = lane_id < num_warps;
  const float lane_maxval = exists ? shared_maxval[lane_id] : -FLT_MAX;
  RowStatistics result;
  result.maximum = cg::reduce(warp, lane_maxval, cg::greater<float>{});
  const float lane_sumval =
      exists ? shared_sumval[lane_id] * expf(lane_maxval - result.maximum) : 0.0f;
  result.sum = cg::reduce(warp, lane_sumval, cg::plus<float>{});
  result.linear = cg::reduce(warp, exists ? shared_linear[lane_id] : 0.0f, cg::plus<float>{});
  return result;
}

__device__ __forceinline__ float row_loss(const RowStatistics& row, float target_logit, int V,
                                          float smoothing) {
  const float lse = row.maximum + logf(row.sum);
  const float nll = lse - target_logit;
  return smoothing > 0.0f ? (1.0f - smoothing) * nll + smoothing * (lse - row.linear / V) : nll;
}

// ----------------------------------------------------------------------------
// Kernels

// One block a row; blockDim.x is a multiple of WARP_SIZE.
template <typename floatX>
__global__ void cross_entropy_forward_kernel(float* losses, float* lse, const floatX* logits,
                                             const int64_t* targets, int V, int Vp, float smoothing,
                                             int64_t ignore_index) {
  const int row = blockIdx.x;
  const floatX* x = logits + (int64_t)row * Vp;
  const int64_t target = targets[row];

  const RowStatistics statistics = row_statistics_blockwide(x, V);
  if (threadIdx.x == 0) {
    lse[row] = statistics.maximum + logf(statistics.sum);
    losses[row] = 0.0f;
    if (target != ignore_index) {
      assert(0 <= target && target < V);
      losses[row] = row_loss(statistics, (float)x[target], V, smoothing);
    }
  }
}

// result[0] = mean loss, result[1] = 1 / number of rows that count (0 where none does). One block.
__global__ void mean_loss_kernel(float* result, const float* losses, const int64_t* targets,
                                 int rows, int64_t ignore_index) {
  __shared__ float shared_sum[WARP_SIZE];
  float sum = 0.0f;
  int counted = 0;
  for (int base = 0; base < rows; base += blockDim.x) {
    const int row = base + threadIdx.x;
    const bool counts = row < rows && targets[row] != ignore_index;
    if (counts) sum += losses[row];
    counted += __syncthreads_count(counts);
  }

  cg::thread_block_tile<32> warp = cg::tiled_partition<32>(cg::this_thread_block());
  for (int delta = warp.size() / 2; delta > 0; delta /= 2) sum += warp.shfl_down(sum, delta);
  if (warp.thread_rank() == 0) shared_sum[warp.meta_group_rank()] = sum;
  __syncthreads();
  if (warp.meta_group_rank() == 0) {
    sum = threadIdx.x < warp.meta_group_size() ? shared_sum[threadIdx.x] : 0.0f;
    for (int delta = warp.size() / 2; delta > 0; delta /= 2) sum += warp.shfl_down(sum, delta);
    if (warp.thread_rank() == 0) {
      const float inverse = counted > 0 ? 1.0f / counted : 0.0f;
      result[0] = sum * inverse;
      result[1] = inverse;
    }
  }
}

// dlogits from the saved log-sum-exp, 16 bytes at a time: Vp is a multiple of Packed128::size. The
// loss is a mean, so its gradient `dmean` is shared by the rows that count.
template <typename floatX>
__global__ void __launch_bounds__(256)
cross_entropy_backward_kernel(floatX* dlogits, const floatX* logits, const float* lse,
                              const int64_t* targets, const float* __restrict__ mean_and_inverse,
                              const float dmean, const int V, const int Vp, const float smoothing,
                              const int64_t ignore_index) {
  using x128 = Packed128<floatX>;
  const int64_t row = blockIdx.y;
  const int64_t target = targets[row];
  const int start = (blockIdx.x * blockDim.x + threadIdx.x) * x128::size;
  if (start >= Vp) return;

  floatX* out = dlogits + row * Vp + start;
  if (target == ignore_index) {
    store128cs(out, x128::constant((floatX)0.f));
    return;
  }
  const float dloss = dmean * mean_and_inverse[1];
  const float row_lse = lse[row];
  const float spread = smoothing / V;
  const x128 packed_logits = load128cs(logits + row * Vp + start);
  x128 packed_out;
  for (int k = 0; k < x128::size; ++k) {
    const int element = start + k;
    float gradient = expf((float)packed_logits[k] - row_lse) - spread;
    if (element == target) gradient -= 1.0f - smoothing;
    packed_out[k] = (floatX)(element < V ? gradient * dloss : 0.0f);
  }
  store128cs(out, packed_out);
}

// Loss and, over the logits, their gradient. `dlosses` holds the gradient of each row's loss.
template <typename floatX, bool WriteDLogits = true>
__global__ void __launch_bounds__(1024)
fused_classifier_kernel(floatX* logits, float* losses, const float* dlosses,
                        const int64_t* targets, int V, int Vp) {
  // Backwards: the last rows are what the product before this kernel left in the cache.
  const int64_t row = gridDim.x - (blockIdx.x + 1);
  const int64_t ix = targets[row];
  floatX* x = logits + row * Vp;

  const RowStatistics statistics = row_statistics_blockwide(x, V);
  const float scale = 1.0f / statistics.sum;
  if (threadIdx.x == 0) losses[row] -= logf(expf((float)x[ix] - statistics.maximum) * scale);

  if constexpr (WriteDLogits) {
    const float dloss = dlosses[row];
    // Every thread has to be done with x[ix] before anyone overwrites it.
    __syncthreads();
    for (int i = threadIdx.x; i < V; i += blockDim.x) {
      const float prob = expf((float)x[i] - statistics.maximum) * scale;
      const float indicator = i == ix ? 1.0f : 0.0f;
      x[i] = (floatX)((prob - indicator) * dloss);
    }
    for (int i = V + threadIdx.x; i < Vp; i += blockDim.x) x[i] = (floatX)0.0f;
  }
}

// ----------------------------------------------------------------------------
// Launchers

#define CEIL_DIV(M, N) (((M) + (N)-1) / (N))

// `losses` and `lse` have one float a row, `result` two floats in all.
template <typename floatX>
void cross_entropy_forward(float* result, float* losses, float* lse, const floatX* logits,
                           const int64_t* targets, int rows, int V, int Vp, float smoothing,
                           int64_t ignore_index, cudaStream_t stream) {
  if (rows > 0) {
    cross_entropy_forward_kernel<<<rows, 256, 0, stream>>>(losses, lse, logits, targets, V, Vp,
                                                           smoothing, ignore_index);
  }
  mean_loss_kernel<<<1, 512, 0, stream>>>(result, losses, targets, rows, ignore_index);
}

template <typename floatX>
void cross_entropy_backward(floatX* dlogits, const floatX* logits, const float* lse,
                            const int64_t* targets, const float* result, float dmean, int rows,
                            int V, int Vp, float smoothing, int64_t ignore_index,
                            cudaStream_t stream) {
  assert(Vp % Packed128<floatX>::size == 0);
  if (rows == 0) return;
  const int block_size = 256;
  const dim3 grid(CEIL_DIV(CEIL_DIV(Vp, (int)Packed128<floatX>::size), block_size), rows);
  cross_entropy_backward_kernel<<<grid, block_size, 0, stream>>>(
      dlogits, logits, lse, targets, result, dmean, V, Vp, smoothing, ignore_index);
}

template <typename floatX>
void fused_classifier(floatX* logits, float* losses, const float* dlosses, const int64_t* targets,
                      int rows, int V, int Vp, bool training, cudaStream_t stream) {
  if (rows == 0) return;
  if (training) {
    fused_classifier_kernel<floatX>
        <<<rows, 1024, 0, stream>>>(logits, losses, dlosses, targets, V, Vp);
  } else {
    fused_classifier_kernel<floatX, false>
        <<<rows, 1024, 0, stream>>>(logits, losses, dlosses, targets, V, Vp);
  }
}

#define INSTANTIATE(floatX)                                                                       \
  template void cross_entropy_forward(float*, float*, float*, const floatX*, const int64_t*, int, \
                                      int, int, float, int64_t, cudaStream_t);                    \
  template void cross_entropy_backward(floatX*, const floatX*, const float*, const int64_t*,      \
                                       const float*, float, int, int, int, float, int64_t,        \
                                       cudaStream_t);
INSTANTIATE(float)
INSTANTIATE(half)
#undef INSTANTIATE
template void fused_classifier(__nv_bfloat16*, float*, const float*, const int64_t*, int, int, int,
                               bool, cudaStream_t);
