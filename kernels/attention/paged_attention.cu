// Attention of one new query a sequence over keys and values in pages (Kwon et al., "Efficient
// memory management for large language model serving with PagedAttention", 2023).
//
//   v1   a block for each (head, sequence)
//   v2   a block for each (head, sequence, partition of PARTITION_SIZE tokens), then a reduction of
//        the partitions, for long sequences and small batches
//
// Keys lie as [pages, kv_heads, head_size / x, block_size, x] with x elements in 16 bytes, values as
// [pages, kv_heads, head_size, block_size]: both are read 16 bytes at a time along the tokens.

#include <cfloat>
#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define WARP_SIZE 32
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define DIVIDE_ROUND_UP(a, b) (((a) + (b) - 1) / (b))

namespace paged {

// ---------------------------------------------------------------------------------------------
// Vectors of N elements and their float forms.

template <typename T, int N>
struct __align__(sizeof(T) * N) Vec {
  T data[N];
};

template <typename T>
struct Float {
  static __device__ __forceinline__ float from(T x) { return static_cast<float>(x); }
  static __device__ __forceinline__ T to(float x) { return static_cast<T>(x); }
};

template <>
struct Float<half> {
  static __device__ __forceinline__ float from(half x) { return __half2float(x); }
  static __device__ __forceinline__ half to(float x) { return __float2half(x); }
};

template <>
struct Float<__nv_bfloat16> {
  static __device__ __forceinline__ float from(__nv_bfloat16 x) { return __bfloat162float(x); }
  static __device__ __forceinline__ __nv_bfloat16 to(float x) { return __float2bfloat16(x); }
};

template <typename T, int N>
__device__ __forceinline__ float multiply_accumulate(float sum, const Vec<T, N>& a,
                                                     const Vec<T, N>& b) {
#pragma unroll
  for (int i = 0; i < N; i++) sum = fmaf(Float<T>::from(a.data[i]), Float<T>::from(b.data[i]), sum);
  return sum;
}

template <typename T>
__device__ __forceinline__ void fill_zero(T& v) {
  constexpr int WORDS = sizeof(T) / 4;
  uint32_t* words = reinterpret_cast<uint32_t*>(&v);
#pragma unroll
  for (int i = 0; i < WORDS; ++i) words[i] = 0u;
}

// Sum over the block in every thread; `red_smem` holds a float for each warp.
template <int NUM_WARPS>
inline __device__ float block_sum(float* red_smem, float sum) {
  const int warp = threadIdx.x / WARP_SIZE;
  const int lane = threadIdx.x % WARP_SIZE;

#pragma unroll
  for (int mask = WARP_SIZE / 2; mask >= 1; mask /= 2) {
    sum += __shfl_xor_sync(uint32_t(-1), sum, mask);
  }
  if (lane == 0) red_smem[warp] = sum;
  __syncthreads();

  if (lane < NUM_WARPS) sum = red_smem[lane];
#pragma unroll
  for (int mask = NUM_WARPS / 2; mask >= 1; mask /= 2) {
    sum += __shfl_xor_sync(uint32_t(-1), sum, mask);
  }
  return __shfl_sync(uint32_t(-1), sum, 0);
}

// ---------------------------------------------------------------------------------------------
// The walk over a partition (PARTITION_SIZE == 0: over everything).

template <typename scalar_t, int HEAD_SIZE, int BLOCK_SIZE, int NUM_THREADS,
          int PARTITION_SIZE = 0>
__device__ void paged_attention_kernel(
    float* __restrict__ exp_sums,          // [num_seqs, num_heads, max_num_partitions]
    float* __restrict__ max_logits,        // the same
    scalar_t* __restrict__ out,            // [num_seqs, num_heads, max_num_partitions, head_size]
    const scalar_t* __restrict__ q,        // [num_seqs, num_heads, head_size]
    const scalar_t* __restrict__ k_cache,  // [num_blocks, num_kv_heads, head_size/x, block_size, x]
    const scalar_t* __restrict__ v_cache,  // [num_blocks, num_kv_heads, head_size, block_size]
    const int num_kv_heads, const float scale,
    const int* __restrict__ block_tables,  // [num_seqs, max_num_blocks_per_seq]
    const int* __restrict__ seq_lens,      // [num_seqs]
    const int max_num_blocks_per_seq,
    const float* __restrict__ alibi_slopes,  // [num_heads] or null
    const int q_stride, const int kv_block_stride, const int kv_head_stride) {
  const int seq_idx = blockIdx.y;
  const int partition_idx = blockIdx.z;
  const int max_num_partitions = gridDim.z;
  constexpr bool USE_PARTITIONING = PARTITION_SIZE > 0;
  const int seq_len = seq_lens[seq_idx];
  if (USE_PARTITIONING && partition_idx * PARTITION_SIZE >= seq_len) {
    return;  // nothing left for this block
  }

  const int num_seq_blocks = DIVIDE_ROUND_UP(seq_len, BLOCK_SIZE);
  const int num_blocks_per_partition =
      USE_PARTITIONING ? PARTITION_SIZE / BLOCK_SIZE : num_seq_blocks;
  const int start_block_idx = USE_PARTITIONING ? partition_idx * num_blocks_per_partition : 0;
  const int end_block_idx = MIN(start_block_idx + num_blocks_per_partition, num_seq_blocks);
  const int start_token_idx = start_block_idx * BLOCK_SIZE;
  const int end_token_idx = MIN(start_token_idx + num_blocks_per_partition * BLOCK_SIZE, seq_len);
  const int num_tokens = end_token_idx - start_token_idx;

  // A group of lanes computes the score of one token of a page, each lane a slice of the head.
  constexpr int THREAD_GROUP_SIZE = MAX(WARP_SIZE / BLOCK_SIZE, 1);
  constexpr int NUM_TOKENS_PER_THREAD_GROUP = DIVIDE_ROUND_UP(BLOCK_SIZE, WARP_SIZE);
  constexpr int NUM_WARPS = NUM_THREADS / WARP_SIZE;
  constexpr int x = 16 / sizeof(scalar_t);
  constexpr int VEC_SIZE = MAX(16 / (THREAD_GROUP_SIZE * int(sizeof(scalar_t))), 1);
  constexpr int NUM_VECS_PER_THREAD = HEAD_SIZE / THREAD_GROUP_SIZE / VEC_SIZE;
  static_assert(HEAD_SIZE % (THREAD_GROUP_SIZE * VEC_SIZE) == 0, "whole vectors");
  static_assert(NUM_THREADS % WARP_SIZE == 0 && (NUM_WARPS & (NUM_WARPS - 1)) == 0, "");

  const int thread_idx = threadIdx.x;
  const int warp_idx = thread_idx / WARP_SIZE;
  const int lane = thread_idx % WARP_SIZE;
  const int head_idx = blockIdx.x;
  const int num_heads = gridDim.x;
  const int kv_head_idx = head_idx / (num_heads / num_kv_heads);
  const float alibi_slope = alibi_slopes == nullptr ? 0.f : alibi_slopes[head_idx];

  using K_vec = Vec<scalar_t, VEC_SIZE>;
  const int thread_group_idx = thread_idx / THREAD_GROUP_SIZE;
  const int thread_group_offset = thread_idx % THREAD_GROUP_SIZE;

  // Vector j of the head belongs to lane j % THREAD_GROUP_SIZE of a group.
  const scalar_t* q_ptr = q + seq_idx * q_stride + head_idx * HEAD_SIZE;
  __shared__ K_vec q_vecs[THREAD_GROUP_SIZE][NUM_VECS_PER_THREAD];
  for (int i = thread_group_idx; i < NUM_VECS_PER_THREAD; i += NUM_THREADS / THREAD_GROUP_SIZE) {
    const int vec_idx = thread_group_offset + i * THREAD_GROUP_SIZE;
    q_vecs[thread_group_offset][i] = *reinterpret_cast<const K_vec*>(q_ptr + vec_idx * VEC_SIZE);
  }
  __syncthreads();

  // First the scores of all tokens, later the partial outputs of the warps.
  extern __shared__ char shared_mem[];
  float* logits = reinterpret_cast<float*>(shared_mem);
  __shared__ float red_smem[2 * NUM_WARPS];

  float qk_max = -FLT_MAX;
  const int* block_table = block_tables + seq_idx * max_num_blocks_per_seq;
  for (int block_idx = start_block_idx + warp_idx; block_idx < end_block_idx;
       block_idx += NUM_WARPS) {
    const int64_t physical_block_number = static_cast<int64_t>(block_table[block_idx]);
    for (int i = 0; i < NUM_TOKENS_PER_THREAD_GROUP; i++) {
      const int physical_block_offset =
          (thread_group_idx + i * WARP_SIZE) % BLOCK_SIZE;
      const int token_idx = block_idx * BLOCK_SIZE + physical_block_offset;

      const scalar_t* k_ptr = k_cache + physical_block_number * kv_block_stride +
                              kv_head_idx * kv_head_stride + physical_block_offset * x;
      float qk = 0.f;
#pragma unroll
      for (int j = 0; j < NUM_VECS_PER_THREAD; j++) {
        const int element = (thread_group_offset + j * THREAD_GROUP_SIZE) * VEC_SIZE;
        const scalar_t* address = k_ptr + element / x * BLOCK_SIZE * x + element % x;
        const K_vec k_vec = *reinterpret_cast<const K_vec*>(address);
        qk = multiply_accumulate(qk, q_vecs[thread_group_offset][j], k_vec);
      }
#pragma unroll
      for (int mask = THREAD_GROUP_SIZE / 2; mask >= 1; mask /= 2) {
        qk += __shfl_xor_sync(uint32_t(-1), qk, mask);
      }
      qk *= scale;
      qk += (alibi_slope != 0) ? alibi_slope * (token_idx - seq_len + 1) : 0;

      if (thread_group_offset == 0) {
        // Tokens past the end have garbage keys and must not move the maximum.
        const bool mask = token_idx >= seq_len;
        logits[token_idx - start_token_idx] = mask ? 0.f : qk;
        qk_max = mask ? qk_max : fmaxf(qk_max, qk);
      }
    }
  }

#pragma unroll
  for (int mask = WARP_SIZE / 2; mask >= THREAD_GROUP_SIZE; mask /= 2) {
    qk_max = fmaxf(qk_max, __shfl_xor_sync(uint32_t(-1), qk_max, mask));
  }
  if (lane == 0) red_smem[warp_idx] = qk_max;
  __syncthreads();
  qk_max = lane < NUM_WARPS ? red_smem[lane] : -FLT_MAX;
#pragma unroll
  for (int mask = NUM_WARPS / 2; mask >= 1; mask /= 2) {
    qk_max = fmaxf(qk_max, __shfl_xor_sync(uint32_t(-1), qk_max, mask));
  }
  qk_max = __shfl_sync(uint32_t(-1), qk_max, 0);

  float exp_sum = 0.f;
  for (int i = thread_idx; i < num_tokens; i += NUM_THREADS) {
    const float val = __expf(logits[i] - qk_max);
    logits[i] = val;
    exp_sum += val;
  }
  exp_sum = block_sum<NUM_WARPS>(&red_smem[NUM_WARPS], exp_sum);
  const float inv_sum = __fdividef(1.f, exp_sum + 1e-6f);
  for (int i = thread_idx; i < num_tokens; i += NUM_THREADS) logits[i] *= inv_sum;
  __syncthreads();

  if constexpr (USE_PARTITIONING) {
    if (thread_idx == 0) {
      const int at = (seq_idx * num_heads + head_idx) * max_num_partitions + partition_idx;
      max_logits[at] = qk_max;
      exp_sums[at] = exp_sum;
    }
  }

  // Values: a lane takes V_VEC_SIZE tokens of a row, a warp as many rows as it can.
  constexpr int V_VEC_SIZE = MIN(16 / int(sizeof(scalar_t)), BLOCK_SIZE);
  constexpr int NUM_V_VECS_PER_ROW = BLOCK_SIZE / V_VEC_SIZE;
  constexpr int NUM_ROWS_PER_ITER = WARP_SIZE / NUM_V_VECS_PER_ROW;
  constexpr int NUM_ROWS_PER_THREAD = DIVIDE_ROUND_UP(HEAD_SIZE, NUM_ROWS_PER_ITER);
  using V_vec = Vec<scalar_t, V_VEC_SIZE>;

  float accs[NUM_ROWS_PER_THREAD];
#pragma unroll
  for (int i = 0; i < NUM_ROWS_PER_THREAD; i++) accs[i] = 0.f;

  for (int block_idx = start_block_idx + warp_idx; block_idx < end_block_idx;
       block_idx += NUM_WARPS) {
    const int64_t physical_block_number = static_cast<int64_t>(block_table[block_idx]);
    const int physical_block_offset = (lane % NUM_V_VECS_PER_ROW) * V_VEC_SIZE;
    const int token_idx = block_idx * BLOCK_SIZE + physical_block_offset;
    const float* weights = logits + (token_idx - start_token_idx);
    const scalar_t* v_ptr =
        v_cache + physical_block_number * kv_block_stride + kv_head_idx * kv_head_stride;
#pragma unroll
    for (int i = 0; i < NUM_ROWS_PER_THREAD; i++) {
      const int row_idx = lane / NUM_V_VECS_PER_ROW + i * NUM_ROWS_PER_ITER;
      if (row_idx < HEAD_SIZE) {
        V_vec v_vec = *reinterpret_cast<const V_vec*>(v_ptr + row_idx * BLOCK_SIZE +
                                                      physical_block_offset);
        if (token_idx + V_VEC_SIZE > seq_len) {
          // The page's tail was never written: NaN times a weight of zero would be NaN.
          if (token_idx >= seq_len) fill_zero(v_vec);
#pragma unroll
          for (int j = 0; j < V_VEC_SIZE; j++) {
            if (token_idx + j >= seq_len) v_vec.data[j] = Float<scalar_t>::to(0.f);
          }
        }
#pragma unroll
        for (int j = 0; j < V_VEC_SIZE; j++) {
          accs[i] = fmaf(weights[j], Float<scalar_t>::from(v_vec.data[j]), accs[i]);
        }
      }
    }
  }

#pragma unroll
  for (int i = 0; i < NUM_ROWS_PER_THREAD; i++) {
    float acc = accs[i];
#pragma unroll
    for (int mask = NUM_V_VECS_PER_ROW / 2; mask >= 1; mask /= 2) {
      acc += __shfl_xor_sync(uint32_t(-1), acc, mask);
    }
    accs[i] = acc;
  }

  // All scores have been read: their memory takes the outputs. The upper half of the warps hands
  // its sums to the lower half, until one warp is left.
  __syncthreads();
  float* out_smem = reinterpret_cast<float*>(shared_mem);
#pragma unroll
  for (int i = NUM_WARPS; i > 1; i /= 2) {
    const int mid = i / 2;
    if (warp_idx >= mid && warp_idx < i) {
      float* dst = &out_smem[(warp_idx - mid) * HEAD_SIZE];
#pragma unroll
      for (int r = 0; r < NUM_ROWS_PER_THREAD; r++) {
        const int row_idx = lane / NUM_V_VECS_PER_ROW + r * NUM_ROWS_PER_ITER;
        if (row_idx < HEAD_SIZE && lane % NUM_V_VECS_PER_ROW == 0) dst[row_idx] = accs[r];
      }
    }
    __syncthreads();
    if (warp_idx < mid) {
      const float* src = &out_smem[warp_idx * HEAD_SIZE];
#pragma unroll
      for (int r = 0; r < NUM_ROWS_PER_THREAD; r++) {
        const int row_idx = lane / NUM_V_VECS_PER_ROW + r * NUM_ROWS_PER_ITER;
        if (row_idx < HEAD_SIZE && lane % NUM_V_VECS_PER_ROW == 0) accs[r] += src[row_idx];
      }
    }
    __syncthreads();
  }

  if (warp_idx == 0) {
    scalar_t* out_ptr = out + ((seq_idx * num_heads + head_idx) * int64_t(max_num_partitions) +
                               partition_idx) * HEAD_SIZE;
#pragma unroll
    for (int r = 0; r < NUM_ROWS_PER_THREAD; r++) {
      const int row_idx = lane / NUM_V_VECS_PER_ROW + r * NUM_ROWS_PER_ITER;
      if (row_idx < HEAD_SIZE && lane % NUM_V_VECS_PER_ROW == 0) {
        out_ptr[row_idx] = Float<scalar_t>::to(accs[r]);
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Kernels

// Grid: (num_heads, num_seqs, 1).
template <typename scalar_t, int HEAD_SIZE, int BLOCK_SIZE, int NUM_THREADS>
__global__ void paged_attention_v1_kernel(
    scalar_t* __restrict__ out, const scalar_t* __restrict__ q,
    const scalar_t* __restrict__ k_cache, const scalar_t* __restrict__ v_cache,
    const int num_kv_heads, const float scale, const int* __restrict__ block_tables,
    const int* __restrict__ seq_lens, const int max_num_blocks_per_seq,
    const float* __restrict__ alibi_slopes, const int q_stride, const int kv_block_stride,
    const int kv_head_stride) {
  paged_attention_kernel<scalar_t, HEAD_SIZE, BLOCK_SIZE, NUM_THREADS>(
      /*exp_sums=*/nullptr, /*max_logits=*/nullptr, out, q, k_cache, v_cache, num_kv_heads, scale,
      block_tables, seq_lens, max_num_blocks_per_seq, alibi_slopes, q_stride, kv_block_stride,
      kv_head_stride);
}

// Grid: (num_heads, num_seqs, max_num_partitions).
template <typename scalar_t, int HEAD_SIZE, int BLOCK_SIZE, int NUM_THREADS, int PARTITION_SIZE>
__global__ void paged_attention_v2_kernel(
    float* __restrict__ exp_sums, float* __restrict__ max_logits,
    scalar_t* __restrict__ tmp_out, const scalar_t* __restrict__ q,
    const scalar_t* __restrict__ k_cache, const scalar_t* __restrict__ v_cache,
    const int num_kv_heads, const float scale, const int* __restrict__ block_tables,
    const int* __restrict__ seq_lens, const int max_num_blocks_per_seq,
    const float* __restrict__ alibi_slopes, const int q_stride, const int kv_block_stride,
    const int kv_head_stride) {
  paged_attention_kernel<scalar_t, HEAD_SIZE, BLOCK_SIZE, NUM_THREADS, PARTITION_SIZE>(
      exp_sums, max_logits, tmp_out, q, k_cache, v_cache, num_kv_heads, scale, block_tables,
      seq_lens, max_num_blocks_per_seq, alibi_slopes, q_stride, kv_block_stride, kv_head_stride);
}

// Grid: (num_heads, num_seqs). Dynamic shared memory: two floats a partition.
template <typename scalar_t, int HEAD_SIZE, int NUM_THREADS, int PARTITION_SIZE>
__global__ void paged_attention_v2_reduce_kernel(
    scalar_t* __restrict__ out,            // [num_seqs, num_heads, head_size]
    const float* __restrict__ exp_sums,    // [num_seqs, num_heads, max_num_partitions]
    const float* __restrict__ max_logits,  // the same
    const scalar_t* __restrict__ tmp_out,  // [num_seqs, num_heads, max_num_partitions, head_size]
    const int* __restrict__ seq_lens, const int max_num_partitions) {
  const int num_heads = gridDim.x;
  const int head_idx = blockIdx.x;
  const int seq_idx = blockIdx.y;
  const int at = seq_idx * num_heads + head_idx;
  const int num_partitions = DIVIDE_ROUND_UP(seq_lens[seq_idx], PARTITION_SIZE);
  scalar_t* out_ptr = out + at * HEAD_SIZE;
  const scalar_t* tmp_out_ptr = tmp_out + at * int64_t(max_num_partitions) * HEAD_SIZE;

  if (num_partitions == 1) {
    for (int i = threadIdx.x; i < HEAD_SIZE; i += blockDim.x) out_ptr[i] = tmp_out_ptr[i];
    return;
  }

  constexpr int NUM_WARPS = NUM_THREADS / WARP_SIZE;
  const int warp_idx = threadIdx.x / WARP_SIZE;
  const int lane = threadIdx.x % WARP_SIZE;
  extern __shared__ char shared_mem[];
  __shared__ float red_smem[2 * NUM_WARPS];

  float* shared_max_logits = reinterpret_cast<float*>(shared_mem);
  float max_logit = -FLT_MAX;
  for (int i = threadIdx.x; i < num_partitions; i += blockDim.x) {
    const float l = max_logits[at * max_num_partitions + i];
    shared_max_logits[i] = l;
    max_logit = fmaxf(max_logit, l);
  }
#pragma unroll
  for (int mask = WARP_SIZE / 2; mask >= 1; mask /= 2) {
    max_logit = fmaxf(max_logit, __shfl_xor_sync(uint32_t(-1), max_logit, mask));
  }
  if (lane == 0) red_smem[warp_idx] = max_logit;
  __syncthreads();
  max_logit = lane < NUM_WARPS ? red_smem[lane] : -FLT_MAX;
#pragma unroll
  for (int mask = NUM_WARPS / 2; mask >= 1; mask /= 2) {
    max_logit = fmaxf(max_logit, __shfl_xor_sync(uint32_t(-1), max_logit, mask));
  }
  max_logit = __shfl_sync(uint32_t(-1), max_logit, 0);

  float* shared_exp_sums = reinterpret_cast<float*>(shared_mem + sizeof(float) * num_partitions);
  float global_exp_sum = 0.0f;
  for (int i = threadIdx.x; i < num_partitions; i += blockDim.x) {
    const float rescaled =
        exp_sums[at * max_num_partitions + i] * expf(shared_max_logits[i] - max_logit);
    global_exp_sum += rescaled;
    shared_exp_sums[i] = rescaled;
  }
  __syncthreads();
  global_exp_sum = block_sum<NUM_WARPS>(&red_smem[NUM_WARPS], global_exp_sum);
  const float inv_global_exp_sum = __fdividef(1.0f, global_exp_sum + 1e-6f);

#pragma unroll
  for (int i = threadIdx.x; i < HEAD_SIZE; i += NUM_THREADS) {
    float acc = 0.0f;
    for (int j = 0; j < num_partitions; ++j) {
      acc += Float<scalar_t>::from(tmp_out_ptr[j * HEAD_SIZE + i]) * shared_exp_sums[j] *
             inv_global_exp_sum;
    }
    out_ptr[i] = Float<scalar_t>::to(acc);
  }
}

// ---------------------------------------------------------------------------------------------
// Launchers

struct Cache {
  const void* k;
  const void* v;
  int num_kv_heads;
  int block_stride;  // elements of a page
  int head_stride;   // elements of a head in a page
  const int* block_tables;
  int max_num_blocks_per_seq;
};

template <typename T, int HEAD_SIZE, int BLOCK_SIZE, int NUM_THREADS = 128>
void paged_attention_v1_launcher(void* out, const void* query, const Cache& cache, int num_seqs,
                                 int num_heads, float scale, const int* seq_lens, int max_seq_len,
                                 const float* alibi_slopes, int q_stride, cudaStream_t stream) {
  constexpr int NUM_WARPS = NUM_THREADS / WARP_SIZE;
  const int padded_max_seq_len = DIVIDE_ROUND_UP(max_seq_len, BLOCK_SIZE) * BLOCK_SIZE;
  const int logits_size = padded_max_seq_len * sizeof(float);
  const int outputs_size = (NUM_WARPS / 2) * HEAD_SIZE * sizeof(float);
  const int shared_mem_size = logits_size > outputs_size ? logits_size : outputs_size;
  auto kernel = paged_attention_v1_kernel<T, HEAD_SIZE, BLOCK_SIZE, NUM_THREADS>;
  cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                       cudaFuncAttributeMaxDynamicSharedMemorySize, shared_mem_size);
  dim3 grid(num_heads, num_seqs, 1);
  dim3 block(NUM_THREADS);
  kernel<<<grid, block, shared_mem_size, stream>>>(
      reinterpret_cast<T*>(out), reinterpret_cast<const T*>(query),
      reinterpret_cast<const T*>(cache.k), reinterpret_cast<const T*>(cache.v),
      cache.num_kv_heads, scale, cache.block_tables, seq_lens, cache.max_num_blocks_per_seq,
      alibi_slopes, q_stride, cache.block_stride, cache.head_stride);
}

template <typename T, int HEAD_SIZE, int BLOCK_SIZE, int NUM_THREADS = 128,
          int PARTITION_SIZE = 128>
void paged_attention_v2_launcher(void* out, float* exp_sums, float* max_logits, void* tmp_out,
                                 const void* query, const Cache& cache, int num_seqs,
                                 int num_heads, float scale, const int* seq_lens, int max_seq_len,
                                 const float* alibi_slopes, int q_stride, cudaStream_t stream) {
  constexpr int NUM_WARPS = NUM_THREADS / WARP_SIZE;
  const int max_num_partitions = DIVIDE_ROUND_UP(max_seq_len, PARTITION_SIZE);
  const int logits_size = PARTITION_SIZE * sizeof(float);
  const int outputs_size = (NUM_WARPS / 2) * HEAD_SIZE * sizeof(float);

  dim3 grid(num_heads, num_seqs, max_num_partitions);
  const int shared_mem_size = MAX(logits_size, outputs_size);
  dim3 block(NUM_THREADS);
  paged_attention_v2_kernel<T, HEAD_SIZE, BLOCK_SIZE, NUM_THREADS, PARTITION_SIZE>
      <<<grid, block, shared_mem_size, stream>>>(
          exp_sums, max_logits, reinterpret_cast<T*>(tmp_out), reinterpret_cast<const T*>(query),
          reinterpret_cast<const T*>(cache.k), reinterpret_cast<const T*>(cache.v),
          cache.num_kv_heads, scale, cache.block_tables, seq_lens, cache.max_num_blocks_per_seq,
          alibi_slopes, q_stride, cache.block_stride, cache.head_stride);

  dim3 reduce_grid(num_heads, num_seqs);
  const int reduce_shared_mem_size = 2 * max_num_partitions * sizeof(float);
  paged_attention_v2_reduce_kernel<T, HEAD_SIZE, NUM_THREADS, PARTITION_SIZE>
      <<<reduce_grid, block, reduce_shared_mem_size, stream>>>(
          reinterpret_cast<T*>(out), exp_sums, max_logits, reinterpret_cast<const T*>(tmp_out),
          seq_lens, max_num_partitions);
}

}  // namespace paged

#define CALL_V1_LAUNCHER(T, HEAD_SIZE, BLOCK_SIZE)                                            \
  paged::paged_attention_v1_launcher<T, HEAD_SIZE, BLOCK_SIZE>(                               \
      out, query, cache, num_seqs, num_heads, scale, seq_lens, max_seq_len, alibi_slopes,     \
      q_stride, stream)

void paged_attention_v1_f16(half* out, const half* query, const paged::Cache& cache, int num_seqs,
                            int num_heads, int head_size, float scale, const int* seq_lens,
                            int max_seq_len, const float* alibi_slopes, int q_stride,
                            cudaStream_t stream) {
  switch (head_size) {
    case 64:
      CALL_V1_LAUNCHER(half, 64, 16);
      break;
    case 80:
      CALL_V1_LAUNCHER(half, 80, 16);
      break;
    default:
      break;
  }
}

void paged_attention_v1_f32(float* out, const float* query, const paged::Cache& cache,
                            int num_seqs, int num_heads, float scale, const int* seq_lens,
                            int max_seq_len, const float* alibi_slopes, int q_stride,
                            cudaStream_t stream) {
  CALL_V1_LAUNCHER(float, 32, 8);
}

void paged_attention_v2_bf16(__nv_bfloat16* out, float* exp_sums, float* max_logits,
                             __nv_bfloat16* tmp_out, const __nv_bfloat16* query,
                             const paged::Cache& cache, int num_seqs, int num_heads, float scale,
                             const int* seq_lens, int max_seq_len, const float* alibi_slopes,
                             int q_stride, cudaStream_t stream) {
  paged::paged_attention_v2_launcher<__nv_bfloat16, 64, 32>(
      out, exp_sums, max_logits, tmp_out, query, cache, num_seqs, num_heads, scale, seq_lens,
      max_seq_len, alibi_slopes, q_stride, stream);
}
