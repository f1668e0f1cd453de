// Sorts the (token, expert) pairs of a routed batch by expert, each expert's share padded to whole
// blocks, as a grouped matrix product wants its rows:
//
//   sorted_token_ids    pair numbers, expert after expert, in rising order within one; padding holds
//                       `numel`, which is no pair
//   expert_ids          the expert of each block; -1 past the last one
//   num_tokens_post_pad how many entries of sorted_token_ids are in use
//
// With an expert map (expert parallelism), ids are global and the map gives the local one or -1:
// blocks of experts that live elsewhere are marked -1, and the product skips them.
//
// A batch that fits one block's patience takes one kernel; larger ones take three. Either way the
// order is the same on every run.

#include <cuda_runtime.h>
#include <stdint.h>

#define CEILDIV(x, y) (((x) + (y) - 1) / (y))
#define WARP_SIZE 32

namespace moe {

__device__ __forceinline__ int32_t index2d(int32_t columns, int32_t row, int32_t column) {
  return row * columns + column;
}

__device__ __forceinline__ int32_t local_expert(const int32_t* __restrict__ expert_map,
                                                int32_t expert) {
  return expert_map != nullptr ? expert_map[expert] : expert;
}

// One block. Each thread counts a run of consecutive pairs for itself; prefix sums over the threads,
// then over the experts, give every thread its places. Dynamic shared memory: (blockDim.x + 1) rows of
// `num_experts` counters, then num_experts + 1 offsets.
template <typename scalar_t>
__global__ void moe_align_block_size_small_kernel(const scalar_t* __restrict__ topk_ids,
                                                  int32_t* __restrict__ sorted_token_ids,
                                                  int32_t* __restrict__ expert_ids,
                                                  int32_t* __restrict__ num_tokens_post_pad,
                                                  const int32_t* __restrict__ expert_map,
                                                  int32_t num_experts, int32_t block_size,
                                                  size_t numel, int32_t max_blocks) {
  extern __shared__ int32_t shared_mem[];
  int32_t* counts = shared_mem;
  int32_t* cumsum = shared_mem + (blockDim.x + 1) * num_experts;

  const size_t per_thread = CEILDIV(numel, blockDim.x);
  const size_t start = threadIdx.x * per_thread;
  const size_t end = min(start + per_thread, numel);

  for (int e = 0; e < num_experts; ++e) counts[index2d(num_experts, threadIdx.x + 1, e)] = 0;
  for (size_t i = start; i < end; ++i) {
    ++counts[index2d(num_experts, threadIdx.x + 1, static_cast<int32_t>(topk_ids[i]))];
  }
  __syncthreads();

  // A column of counters a thread: row t becomes what the threads before t hold.
  for (int e = threadIdx.x; e < num_experts; e += blockDim.x) {
    counts[e] = 0;
    for (unsigned t = 1; t <= blockDim.x; ++t) {
      counts[index2d(num_experts, t, e)] += counts[index2d(num_experts, t - 1, e)];
    }
  }
  __syncthreads();

  if (threadIdx.x == 0) {
    cumsum[0] = 0;
    for (int e = 1; e <= num_experts; ++e) {
      const int32_t total = counts[index2d(num_experts, blockDim.x, e - 1)];
      cumsum[e] = cumsum[e - 1] + CEILDIV(total, block_size) * block_size;
    }
    *num_tokens_post_pad = cumsum[num_experts];
  }
  __syncthreads();

  for (int e = threadIdx.x; e < num_experts; e += blockDim.x) {
    for (int at = cumsum[e]; at < cumsum[e + 1]; at += block_size) {
      expert_ids[at / block_size] = local_expert(expert_map, e);
    }
  }
  for (int b = cumsum[num_experts] / block_size + threadIdx.x; b < max_blocks; b += blockDim.x) {
    expert_ids[b] = -1;
  }

  for (size_t i = threadIdx.x; i < static_cast<size_t>(max_blocks) * block_size; i += blockDim.x) {
    sorted_token_ids[i] = numel;
  }
  __syncthreads();
  for (size_t i = start; i < end; ++i) {
    const int32_t expert = topk_ids[i];
    const int32_t rank = counts[index2d(num_experts, threadIdx.x, expert)]++;
    sorted_token_ids[cumsum[expert] + rank] = i;
  }
}

// Large batches, first step: how many pairs each expert has. `expert_counts` starts at zero.
template <typename scalar_t>
__global__ void count_expert_tokens_kernel(const scalar_t* __restrict__ topk_ids,
                                           int32_t* __restrict__ expert_counts,
                                           const int32_t num_experts, const size_t numel) {
  extern __shared__ int32_t shared_counts[];
  for (int e = threadIdx.x; e < num_experts; e += blockDim.x) shared_counts[e] = 0;
  __syncthreads();

  const size_t stride = static_cast<size_t>(blockDim.x) * gridDim.x;
  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < numel;
       i += stride) {
    atomicAdd(&shared_counts[topk_ids[i]], 1);
  }
  __syncthreads();
  for (int e = threadIdx.x; e < num_experts; e += blockDim.x) {
    if (const int32_t count = shared_counts[e]) atomicAdd(expert_counts + e, count);
  }
}

// Second step, one block of at least `num_experts` threads: padded offsets by a scan, and the experts
// of the blocks.
__global__ void __launch_bounds__(1024)
expert_offsets_kernel(const int32_t* __restrict__ expert_counts, int32_t* __restrict__ cumsum,
                      int32_t* __restrict__ expert_ids, int32_t* __restrict__ num_tokens_post_pad,
                      const int32_t* __restrict__ expert_map, const int32_t num_experts,
                      const int32_t block_size, const int32_t max_blocks) {
  __shared__ int32_t warp_totals[WARP_SIZE];
  const int expert = threadIdx.x;
  const int lane = threadIdx.x % WARP_SIZE;
  const int warp = threadIdx.x / WARP_SIZE;

  const int32_t padded =
      expert < num_experts ? CEILDIV(expert_counts[expert], block_size) * block_size : 0;
  int32_t inclusive = padded;
  for (int offset = 1; offset < WARP_SIZE; offset <<= 1) {
    const int32_t before = __shfl_up_sync(0xffffffff, inclusive, offset);
    if (lane >= offset) inclusive += before;
  }
  if (lane == WARP_SIZE - 1) warp_totals[warp] = inclusive;
  __syncthreads();

  int32_t exclusive = inclusive - padded;
  for (int w = 0; w < warp; ++w) exclusive += warp_totals[w];
  int32_t total = 0;
  for (unsigned w = 0; w < blockDim.x / WARP_SIZE; ++w) total += warp_totals[w];

  if (expert < num_experts) {
    cumsum[expert] = exclusive;
    for (int at = exclusive; at < exclusive + padded; at += block_size) {
      expert_ids[at / block_size] = local_expert(expert_map, expert);
    }
  }
  for (int b = total / block_size + threadIdx.x; b < max_blocks; b += blockDim.x) {
    expert_ids[b] = -1;
  }
  if (threadIdx.x == 0) {
    cumsum[num_experts] = total;
    *num_tokens_post_pad = total;
  }
}

// Third step, a block an expert: its pairs, in order. Each round every thread looks at one pair; its
// place is the number of matches before it in its warp, in the warps before, and in past rounds.
template <typename scalar_t, int kThreads>
__global__ void gather_expert_tokens_kernel(const scalar_t* __restrict__ topk_ids,
                                            int32_t* __restrict__ sorted_token_ids,
                                            const int32_t* __restrict__ cumsum,
                                            const size_t numel) {
  constexpr int kWarps = kThreads / WARP_SIZE;
  __shared__ int32_t matches_of_warp[2][kWarps];
  const int32_t expert = blockIdx.x;
  const unsigned lane = threadIdx.x % WARP_SIZE;
  const unsigned warp = threadIdx.x / WARP_SIZE;
  const unsigned lanes_before = (1u << lane) - 1;

  int32_t place = cumsum[expert];
  int side = 0;
  for (size_t first = 0; first < numel; first += kThreads, side ^= 1) {
    const size_t i = first + threadIdx.x;
    const bool match = i < numel && static_cast<int32_t>(topk_ids[i]) == expert;
    const unsigned votes = __ballot_sync(0xffffffffu, match);
    if (lane == 0) matches_of_warp[side][warp] = __popc(votes);
    // The other side is written in the next round, so one barrier a round is enough.
    __syncthreads();

    int32_t mine = place + __popc(votes & lanes_before);
#pragma unroll
    for (unsigned w = 0; w < kWarps; ++w) {
      const int32_t matches = matches_of_warp[side][w];
      mine += w < warp ? matches : 0;
      place += matches;
    }
    if (match) sorted_token_ids[mine] = static_cast<int32_t>(i);
  }

  const int32_t end = cumsum[expert + 1];
  for (int32_t at = place + threadIdx.x; at < end; at += kThreads) {
    sorted_token_ids[at] = static_cast<int32_t>(numel);
  }
}

template <typename scalar_t>
cudaError_t moe_align_block_size(const scalar_t* topk_ids, int32_t num_experts, int32_t block_size,
                                 size_t numel, const int32_t* expert_map,
                                 int32_t* sorted_token_ids, int32_t* expert_ids,
                                 int32_t* num_tokens_post_pad, int32_t* workspace,
                                 cudaStream_t stream) {
  if (num_experts > 1024) return cudaErrorInvalidValue;
  const int32_t max_blocks =
      static_cast<int32_t>(CEILDIV(numel + static_cast<size_t>(num_experts) * (block_size - 1),
                                   static_cast<size_t>(block_size)));
  if (numel < 1024 && num_experts <= 64) {
    const int threads = num_experts > WARP_SIZE ? num_experts : WARP_SIZE;
    const size_t shared = ((threads + 1) * num_experts + num_experts + 1) * sizeof(int32_t);
    moe_align_block_size_small_kernel<scalar_t><<<1, threads, shared, stream>>>(
        topk_ids, sorted_token_ids, expert_ids, num_tokens_post_pad, expert_map, num_experts,
        block_size, numel, max_blocks);
    return cudaGetLastError();
  }

  // The workspace holds the counts, then num_experts + 1 offsets.
  int32_t* counts = workspace;
  int32_t* cumsum = workspace + num_experts;
  cudaError_t status = cudaMemsetAsync(counts, 0, num_experts * sizeof(int32_t), stream);
  if (status != cudaSuccess) return status;
  const size_t count_blocks = CEILDIV(numel, (size_t)256);
  count_expert_tokens_kernel<scalar_t>
      <<<count_blocks < 128 ? count_blocks : 128, 256, num_experts * sizeof(int32_t), stream>>>(
          topk_ids, counts, num_experts, numel);
  expert_offsets_kernel<<<1, CEILDIV(num_experts, WARP_SIZE) * WARP_SIZE, 0, stream>>>(
      counts, cumsum, expert_ids, num_tokens_post_pad, expert_map, num_experts, block_size,
      max_blocks);
  constexpr int kThreads = 128;
  gather_expert_tokens_kernel<scalar_t, kThreads>
      <<<num_experts, kThreads, 0, stream>>>(topk_ids, sorted_token_ids, cumsum, numel);
  return cudaGetLastError();
}

}  // namespace moe

enum class IndexType { kInt32, kInt64 };

#define DISPATCH_INDEX(TYPE, NAME, ...)   \
  [&]() -> cudaError_t {                  \
    switch (TYPE) {                       \
      case IndexType::kInt32: {           \
        using NAME = int32_t;             \
        return __VA_ARGS__();             \
      }                                   \
      case IndexType::kInt64: {           \
        using NAME = int64_t;             \
        return __VA_ARGS__();             \
      }                                   \
      default:                            \
        return cudaErrorInvalidValue;     \
    }                                     \
  }()

cudaError_t moe_align_block_size(const void* topk_ids, IndexType type, int32_t num_experts,
                                 int32_t block_size, size_t numel, const int32_t* expert_map,
                                 int32_t* sorted_token_ids, int32_t* expert_ids,
                                 int32_t* num_tokens_post_pad, int32_t* workspace,
                                 cudaStream_t stream) {
  return DISPATCH_INDEX(type, scalar_t, [&] {
    return moe::moe_align_block_size(static_cast<const scalar_t*>(topk_ids), num_experts,
                                     block_size, numel, expert_map, sorted_token_ids, expert_ids,
                                     num_tokens_post_pad, workspace, stream);
  });
}
