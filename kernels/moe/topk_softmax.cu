// Gating of a mixture of experts: for each token the softmax over its experts' logits, and the k
// largest probabilities with their experts, largest first. Of equal logits the lower expert wins.
//
//   topk_gating_softmax_kernel   a power of two of experts: a group of lanes holds a token's row in
//                                registers
//   topk_softmax_block_kernel    any number of experts: a block a token, the row in shared memory
//
// Selection compares logits, not probabilities: rounding cannot swap two experts then.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <stdint.h>

#define WARP_SIZE 32
#define FULL_MASK 0xffffffffu
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define DIVIDE_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

namespace moe {

// kCount neighbours, moved by one transaction of at most 16 bytes.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) AlignedArray {
  T data[kCount];
};

__device__ __forceinline__ float toFloat(float x) { return x; }
__device__ __forceinline__ float toFloat(const __half& x) { return __half2float(x); }
__device__ __forceinline__ float toFloat(const __nv_bfloat16& x) { return __bfloat162float(x); }

// How a row of kExperts logits is spread over lanes.
template <typename T, int kExperts>
struct GatingTraits {
  static constexpr int kElementsPerLoad = MIN(16 / static_cast<int>(sizeof(T)), kExperts);
  static constexpr int kLoadsPerLane = MAX(1, kExperts / (kElementsPerLoad * WARP_SIZE));
  static constexpr int kValuesPerLane = kLoadsPerLane * kElementsPerLoad;
  static constexpr int kLanesPerRow = kExperts / kValuesPerLane;
  static constexpr int kRowsPerWarp = WARP_SIZE / kLanesPerRow;

  static_assert((kExperts & (kExperts - 1)) == 0, "a power of two of experts");
  static_assert(kLanesPerRow * kValuesPerLane == kExperts, "lanes share a row evenly");
};

template <typename T, int kExperts, int kWarpsPerBlock, typename index_t>
__launch_bounds__(kWarpsPerBlock * WARP_SIZE) __global__
void topk_gating_softmax_kernel(const T* __restrict__ gating_logits,  // [tokens, kExperts]
                                const bool* __restrict__ finished,    // [tokens] or null
                                float* __restrict__ weights,          // [tokens, k]
                                index_t* __restrict__ experts,        // [tokens, k]
                                int* __restrict__ source_rows,        // [tokens, k]
                                const int tokens, const int k, const bool renormalize) {
  using Traits = GatingTraits<T, kExperts>;
  using Access = AlignedArray<T, Traits::kElementsPerLoad>;
  constexpr int kValues = Traits::kValuesPerLane;
  constexpr int kLanes = Traits::kLanesPerRow;

  const int warp_row =
      (blockIdx.x * kWarpsPerBlock + threadIdx.y) * Traits::kRowsPerWarp;
  const int row = warp_row + threadIdx.x / kLanes;
  // A warp whose rows are all past the end leaves as a whole. In the last one with work, spare
  // groups of lanes redo its final row, since the shuffles below name every lane.
  if (warp_row >= tokens) return;
  const bool spare = row >= tokens;
  const int lane = threadIdx.x % kLanes;
  const T* row_logits = gating_logits + static_cast<int64_t>(spare ? tokens - 1 : row) * kExperts;

  // Neighbouring lanes read neighbouring packs.
  float logits[kValues];
#pragma unroll
  for (int load = 0; load < Traits::kLoadsPerLane; ++load) {
    const Access pack = *reinterpret_cast<const Access*>(
        row_logits + (load * kLanes + lane) * Traits::kElementsPerLoad);
#pragma unroll
    for (int i = 0; i < Traits::kElementsPerLoad; ++i) {
      logits[load * Traits::kElementsPerLoad + i] = toFloat(pack.data[i]);
    }
  }

  float row_max = logits[0];
#pragma unroll
  for (int i = 1; i < kValues; ++i) row_max = fmaxf(row_max, logits[i]);
#pragma unroll
  for (int mask = kLanes / 2; mask > 0; mask /= 2) {
    row_max = fmaxf(row_max, __shfl_xor_sync(FULL_MASK, row_max, mask, kLanes));
  }

  float row_sum = 0.f;
#pragma unroll
  for (int i = 0; i < kValues; ++i) row_sum += expf(logits[i] - row_max);
#pragma unroll
  for (int mask = kLanes / 2; mask > 0; mask /= 2) {
    row_sum += __shfl_xor_sync(FULL_MASK, row_sum, mask, kLanes);
  }
  const float reciprocal_sum = 1.f / row_sum;

  const bool row_is_active = finished == nullptr || !finished[spare ? tokens - 1 : row];
  float selected_sum = 0.f;
  for (int rank = 0; rank < k; ++rank) {
    float best = -INFINITY;
    int best_expert = kExperts;
#pragma unroll
    for (int i = 0; i < kValues; ++i) {
      const int load = i / Traits::kElementsPerLoad;
      const int expert = (load * kLanes + lane) * Traits::kElementsPerLoad +
                         i % Traits::kElementsPerLoad;
      // A lane's experts rise, so the first of equals stays.
      if (logits[i] > best) {
        best = logits[i];
        best_expert = expert;
      }
    }
#pragma unroll
    for (int mask = kLanes / 2; mask > 0; mask /= 2) {
      const float other = __shfl_xor_sync(FULL_MASK, best, mask, kLanes);
      const int other_expert = __shfl_xor_sync(FULL_MASK, best_expert, mask, kLanes);
      if (other > best || (other == best && other_expert < best_expert)) {
        best = other;
        best_expert = other_expert;
      }
    }

    const float weight = expf(best - row_max) * reciprocal_sum;
    selected_sum += weight;
    if (lane == 0 && !spare) {
      const int64_t at = static_cast<int64_t>(row) * k + rank;
      weights[at] = weight;
      experts[at] = row_is_active ? best_expert : kExperts;
      source_rows[at] = rank * tokens + row;
    }

    // The lane that holds the winner takes it out of the next round.
    const int pack = best_expert / Traits::kElementsPerLoad;
    if (pack % kLanes == lane) {
      const int slot =
          pack / kLanes * Traits::kElementsPerLoad + best_expert % Traits::kElementsPerLoad;
#pragma unroll
      for (int i = 0; i < kValues; ++i) {
        if (i == slot) logits[i] = -INFINITY;
      }
    }
  }

  if (renormalize && lane == 0 && !spare) {
    float* row_weights = weights + static_cast<int64_t>(row) * k;
    for (int rank = 0; rank < k; ++rank) row_weights[rank] /= selected_sum;
  }
}

struct Ranked {
  float logit;
  int expert;
};

__device__ __forceinline__ Ranked better(const Ranked& a, const Ranked& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.expert < b.expert) ? a : b;
}

// Reduces over a block of kThreads; every thread gets the result.
template <int kThreads>
__device__ Ranked block_best(Ranked mine, Ranked* scratch) {
#pragma unroll
  for (int offset = WARP_SIZE / 2; offset > 0; offset >>= 1) {
    Ranked other;
    other.logit = __shfl_down_sync(FULL_MASK, mine.logit, offset);
    other.expert = __shfl_down_sync(FULL_MASK, mine.expert, offset);
    mine = better(mine, other);
  }
  if (threadIdx.x % WARP_SIZE == 0) scratch[threadIdx.x / WARP_SIZE] = mine;
  __syncthreads();
  Ranked best = scratch[0];
#pragma unroll
  for (int w = 1; w < kThreads / WARP_SIZE; ++w) best = better(best, scratch[w]);
  __syncthreads();
  return best;
}

// Dynamic shared memory: the token's logits.
template <typename T, int kThreads, typename index_t>
__global__ void topk_softmax_block_kernel(const T* __restrict__ gating_logits,
                                          const bool* __restrict__ finished,
                                          float* __restrict__ weights,
                                          index_t* __restrict__ experts,
                                          int* __restrict__ source_rows, const int num_experts,
                                          const int k, const bool renormalize) {
  extern __shared__ float s_logits[];
  __shared__ Ranked s_ranked[kThreads / WARP_SIZE];
  __shared__ float s_sums[kThreads / WARP_SIZE];
  const int token = blockIdx.x;
  const int tokens = gridDim.x;
  const T* row = gating_logits + (int64_t)token * num_experts;

  Ranked best = {-INFINITY, num_experts};
  for (int e = threadIdx.x; e < num_experts; e += kThreads) {
    const float logit = toFloat(row[e]);
    s_logits[e] = logit;
    best = better(best, {logit, e});
  }
  best = block_best<kThreads>(best, s_ranked);
  const float row_max = best.logit;

  float sum = 0.f;
  for (int e = threadIdx.x; e < num_experts; e += kThreads) sum += expf(s_logits[e] - row_max);
#pragma unroll
  for (int offset = WARP_SIZE / 2; offset > 0; offset >>= 1) {
    sum += __shfl_down_sync(FULL_MASK, sum, offset);
  }
  if (threadIdx.x % WARP_SIZE == 0) s_sums[threadIdx.x / WARP_SIZE] = sum;
  __syncthreads();
  sum = 0.f;
  for (int w = 0; w < kThreads / WARP_SIZE; ++w) sum += s_sums[w];

  const bool active = finished ? !finished[token] : true;
  float selected_sum = 0.f;
  for (int rank = 0; rank < k; ++rank) {
    if (rank > 0) {
      // The previous winner is out.
      if (threadIdx.x == 0) s_logits[best.expert] = -INFINITY;
      __syncthreads();
      best = Ranked{-INFINITY, num_experts};
      for (int e = threadIdx.x; e < num_experts; e += kThreads) {
        best = better(best, Ranked{s_logits[e], e});
      }
      best = block_best<kThreads>(best, s_ranked);
    }
    const float weight = expf(best.logit - row_max) / sum;
    selected_sum += weight;
    if (threadIdx.x == 0) {
      const int at = token * k + rank;
      weights[at] = weight;
      experts[at] = static_cast<index_t>(active ? best.expert : num_experts);
      source_rows[at] = rank * tokens + token;
    }
  }

  if (renormalize && threadIdx.x == 0) {
    for (int rank = 0; rank < k; ++rank) weights[token * k + rank] /= selected_sum;
  }
}

#define LAUNCH_GATING(EXPERTS)                                                                   \
  case EXPERTS: {                                                                                \
    constexpr int kRowsPerBlock = kWarps * GatingTraits<T, EXPERTS>::kRowsPerWarp;               \
    topk_gating_softmax_kernel<T, EXPERTS, kWarps, index_t>                                      \
        <<<DIVIDE_ROUND_UP(tokens, kRowsPerBlock), dim3(WARP_SIZE, kWarps), 0, stream>>>(        \
            logits, finished, weights, experts, source_rows, tokens, k, renormalize);            \
    break;                                                                                       \
  }

template <typename T, typename index_t>
cudaError_t topk_softmax(const T* logits, const bool* finished, float* weights, index_t* experts,
                         int* source_rows, int tokens, int num_experts, int k, bool renormalize,
                         cudaStream_t stream) {
  if (k < 1 || k > num_experts) return cudaErrorInvalidValue;
  if (tokens == 0) return cudaSuccess;
  constexpr int kWarps = 4;
  switch (num_experts) {
    LAUNCH_GATING(8)
    LAUNCH_GATING(128)
    default: {
      constexpr int kThreads = 64;
      topk_softmax_block_kernel<T, kThreads>
          <<<tokens, kThreads, num_experts * sizeof(float), stream>>>(
              logits, finished, weights, experts, source_rows, num_experts, k, renormalize);
    }
  }
  return cudaGetLastError();
}

#undef LAUNCH_GATING

template cudaError_t topk_softmax(const float*, const bool*, float*, int*, int*, int, int, int, bool,
                                  cudaStream_t);
template cudaError_t topk_softmax(const __nv_bfloat16*, const bool*, float*, int64_t*, int*, int,
                                  int, int, bool, cudaStream_t);

}  // namespace moe
