// Keys and values of new tokens into a paged cache, and the two other things that happen to pages.
//
//   reshape_and_cache        pages [heads, head_size / x, block_size, x] of keys,
//                            [heads, head_size, block_size] of values
//   reshape_and_cache_flash  pages [block_size, heads, head_size] of both
//   gather_cache             the pages of several sequences back to contiguous rows
//   copy_blocks              whole pages, for sequences that fork
//
// A token's slot is page * block_size + offset in the page; padding tokens have slot -1. The cache
// may hold int8: then x is stored as round(x / scale).

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

namespace cache {

enum class KVCacheDataType {
  kAuto = 0,  // as the model computes
  kInt8 = 1,
};

template <typename scalar_t>
__device__ __forceinline__ float as_float(const scalar_t& x) {
  return static_cast<float>(x);
}

// One element on its way into the cache.
template <typename OutT, typename InT, KVCacheDataType kv_dt>
struct CopyWithScaleOp {
  float scale;

  __device__ __forceinline__ void operator()(OutT& dst, const InT src) const {
    if constexpr (kv_dt == KVCacheDataType::kAuto) {
      dst = static_cast<OutT>(src);
    } else {
      const int rounded = __float2int_rn(__fdiv_rn(as_float(src), scale));
      dst = static_cast<OutT>(max(-128, min(127, rounded)));
    }
  }
};

template <typename T, size_t vec_size>
struct __align__(vec_size * sizeof(T)) vec_n_t {
  T val[vec_size];
};

// Applies op(out[i], in[i]) to `len` elements, VEC_SIZE at a time where both sides allow it: a
// prefix up to the first boundary of the input, whole vectors, the rest. Threads take the elements
// `stride` apart.
template <int VEC_SIZE, typename InT, typename OutT, typename Op>
__device__ inline void vectorize_with_alignment(const InT* in, OutT* out, int len, int tid,
                                                int stride, Op&& op) {
  static_assert(VEC_SIZE > 0 && (VEC_SIZE & (VEC_SIZE - 1)) == 0, "VEC_SIZE is a power of two");
  constexpr uintptr_t in_width = VEC_SIZE * sizeof(InT);
  constexpr uintptr_t out_width = VEC_SIZE * sizeof(OutT);
  using vin_t = vec_n_t<InT, VEC_SIZE>;
  using vout_t = vec_n_t<OutT, VEC_SIZE>;

  const uintptr_t in_address = reinterpret_cast<uintptr_t>(in);
  const int misaligned = static_cast<int>(in_address & (in_width - 1)) / sizeof(InT);
  const int prefix = min(len, misaligned == 0 ? 0 : VEC_SIZE - misaligned);
  const bool out_agrees = (reinterpret_cast<uintptr_t>(out + prefix) & (out_width - 1)) == 0;
  if (!out_agrees) {
    for (int i = tid; i < len; i += stride) op(out[i], in[i]);
    return;
  }

  for (int i = tid; i < prefix; i += stride) op(out[i], in[i]);
  in += prefix;
  out += prefix;
  len -= prefix;

  const int num_vec = len / VEC_SIZE;
  auto* v_in = reinterpret_cast<const vin_t*>(in);
  auto* v_out = reinterpret_cast<vout_t*>(out);
  for (int i = tid; i < num_vec; i += stride) {
    vout_t result;
    const vin_t source = v_in[i];
#pragma unroll
    for (int j = 0; j < VEC_SIZE; ++j) op(result.val[j], source.val[j]);
    v_out[i] = result;
  }

  for (int i = tid + num_vec * VEC_SIZE; i < len; i += stride) op(out[i], in[i]);
}

// One block a token.
template <typename scalar_t, typename cache_t, KVCacheDataType kv_dt>
__global__ void reshape_and_cache_kernel(
    const scalar_t* __restrict__ key,           // [num_tokens, num_heads, head_size]
    const scalar_t* __restrict__ value,         // [num_tokens, num_heads, head_size]
    cache_t* __restrict__ key_cache,            // [num_blocks, num_heads, head_size/x, block_size, x]
    cache_t* __restrict__ value_cache,          // [num_blocks, num_heads, head_size, block_size]
    const int64_t* __restrict__ slot_mapping,   // [num_tokens]
    const int key_stride, const int value_stride, const int num_heads, const int head_size,
    const int block_size, const int x, const float* k_scale, const float* v_scale) {
  const int64_t token_idx = blockIdx.x;
  const int64_t slot_idx = slot_mapping[token_idx];
  if (slot_idx < 0) {
    return;
  }

  const int64_t block_idx = slot_idx / block_size;
  const int64_t block_offset = slot_idx % block_size;

  float k_scale_val = 0.f, v_scale_val = 0.f;
  if constexpr (kv_dt != KVCacheDataType::kAuto) {
    k_scale_val = *k_scale;
    v_scale_val = *v_scale;
  }
  const CopyWithScaleOp<cache_t, scalar_t, kv_dt> k_op{k_scale_val};
  const CopyWithScaleOp<cache_t, scalar_t, kv_dt> v_op{v_scale_val};

  const int n = num_heads * head_size;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    const int64_t src_key_idx = token_idx * key_stride + i;
    const int64_t src_value_idx = token_idx * value_stride + i;

    const int head_idx = i / head_size;
    const int head_offset = i % head_size;
    const int x_idx = head_offset / x;
    const int x_offset = head_offset % x;

    const int64_t tgt_key_idx = block_idx * num_heads * (head_size / x) * block_size * x +
                                head_idx * (head_size / x) * block_size * x +
                                x_idx * block_size * x + block_offset * x + x_offset;
    const int64_t tgt_value_idx = block_idx * num_heads * head_size * block_size +
                                  head_idx * head_size * block_size + head_offset * block_size +
                                  block_offset;
    k_op(key_cache[tgt_key_idx], key[src_key_idx]);
    v_op(value_cache[tgt_value_idx], value[src_value_idx]);
  }
}

// One block a token; a token's heads lie together on both sides.
template <typename scalar_t, typename cache_t, KVCacheDataType kv_dt>
__global__ void reshape_and_cache_flash_kernel(
    const scalar_t* __restrict__ key,          // [num_tokens, num_heads, head_size]
    const scalar_t* __restrict__ value,        // [num_tokens, num_heads, head_size]
    cache_t* __restrict__ key_cache,           // [num_blocks, block_size, num_heads, head_size]
    cache_t* __restrict__ value_cache,         // the same
    const int64_t* __restrict__ slot_mapping,  // [num_tokens]
    const int64_t block_stride, const int64_t page_stride, const int64_t key_stride,
    const int64_t value_stride, const int num_heads, const int head_size, const int block_size,
    const float* __restrict__ k_scale, const float* __restrict__ v_scale) {
  const int64_t token_idx = blockIdx.x;
  const int64_t slot_idx = slot_mapping[token_idx];
  // Padding.
  if (slot_idx < 0) return;

  const int64_t block_idx = slot_idx / block_size;
  const int64_t block_offset = slot_idx % block_size;
  const int64_t target = block_idx * block_stride + block_offset * page_stride;
  const int n_elems = num_heads * head_size;

  constexpr bool scaled = kv_dt != KVCacheDataType::kAuto;
  constexpr int VEC_SIZE = sizeof(scalar_t) == 2 ? 8 : 4;
  CopyWithScaleOp<cache_t, scalar_t, kv_dt> k_op{scaled ? *k_scale : 0.f};
  CopyWithScaleOp<cache_t, scalar_t, kv_dt> v_op{scaled ? *v_scale : 0.f};
  vectorize_with_alignment<VEC_SIZE>(key + token_idx * key_stride, key_cache + target, n_elems,
                                     threadIdx.x, blockDim.x, k_op);
  vectorize_with_alignment<VEC_SIZE>(value + token_idx * value_stride, value_cache + target,
                                     n_elems, threadIdx.x, blockDim.x, v_op);
}

// dst[t] = the cached entry of token t. Blocks along y share out the tokens; each token finds its
// sequence by bisection of cu_seq_lens.
template <typename scalar_t>
__global__ void gather_cache_kernel(
    const scalar_t* __restrict__ src_cache,     // [num_blocks, block_size, entry_size]
    scalar_t* __restrict__ dst,                 // [total_tokens, entry_size]
    const int32_t* __restrict__ block_table,    // [batch, block_table_stride]
    const int32_t* __restrict__ cu_seq_lens,    // [batch + 1]
    const int32_t batch_size, const int32_t block_size, const int32_t entry_size,
    const int64_t block_table_stride) {
  const int32_t total_tokens = cu_seq_lens[batch_size];
  for (int32_t token = blockIdx.y; token < total_tokens; token += gridDim.y) {
    int32_t low = 0, high = batch_size;
    while (high - low > 1) {
      const int32_t middle = (low + high) / 2;
      if (cu_seq_lens[middle] <= token) {
        low = middle;
      } else {
        high = middle;
      }
    }
    const int32_t position = token - cu_seq_lens[low];
    const int64_t page = block_table[low * block_table_stride + position / block_size];
    const scalar_t* from = src_cache + (page * block_size + position % block_size) * entry_size;
    scalar_t* to = dst + static_cast<int64_t>(token) * entry_size;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < entry_size;
         i += gridDim.x * blockDim.x) {
      to[i] = __ldg(from + i);
    }
  }
}

// Grid: (pairs of pages). `mapping` holds (source, destination).
template <typename scalar_t>
__global__ void copy_blocks_kernel(scalar_t* key_cache, scalar_t* value_cache,
                                   const longlong2* __restrict__ mapping, const int numel) {
  const longlong2 pair = mapping[blockIdx.x];
  const int64_t src = pair.x * numel;
  const int64_t dst = pair.y * numel;
  for (int i = threadIdx.x; i < numel; i += blockDim.x) key_cache[dst + i] = key_cache[src + i];
  for (int i = threadIdx.x; i < numel; i += blockDim.x) {
    value_cache[dst + i] = value_cache[src + i];
  }
}

}  // namespace cache

#define CALL_RESHAPE_AND_CACHE(KV_T, CACHE_T, KV_DTYPE)                                       \
  cache::reshape_and_cache_kernel<KV_T, CACHE_T, KV_DTYPE><<<grid, block, 0, stream>>>(       \
      reinterpret_cast<const KV_T*>(key), reinterpret_cast<const KV_T*>(value),               \
      reinterpret_cast<CACHE_T*>(key_cache), reinterpret_cast<CACHE_T*>(value_cache),         \
      slot_mapping, key_stride, value_stride, num_heads, head_size, block_size, x, k_scale,   \
      v_scale);

#define CALL_RESHAPE_AND_CACHE_FLASH(KV_T, CACHE_T, KV_DTYPE)                                 \
  cache::reshape_and_cache_flash_kernel<KV_T, CACHE_T, KV_DTYPE><<<grid, block, 0, stream>>>( \
      reinterpret_cast<const KV_T*>(key), reinterpret_cast<const KV_T*>(value),               \
      reinterpret_cast<CACHE_T*>(key_cache), reinterpret_cast<CACHE_T*>(value_cache),         \
      slot_mapping, block_stride, page_stride, key_stride, value_stride, num_heads,           \
      head_size, block_size, k_scale, v_scale);

// `int8` chooses between the model's type (float for the plain layout, half for the flash one) and
// a quantised cache.
void reshape_and_cache(const void* key, const void* value, void* key_cache, void* value_cache,
                       const int64_t* slot_mapping, int num_tokens, int key_stride,
                       int value_stride, int num_heads, int head_size, int block_size, int x,
                       bool int8, const float* k_scale, const float* v_scale,
                       cudaStream_t stream) {
  if (num_tokens == 0) return;
  const dim3 grid(num_tokens);
  const dim3 block(std::min(num_heads * head_size, 512));
  if (int8) {
    CALL_RESHAPE_AND_CACHE(float, int8_t, cache::KVCacheDataType::kInt8)
  } else {
    CALL_RESHAPE_AND_CACHE(float, float, cache::KVCacheDataType::kAuto)
  }
}

void reshape_and_cache_flash(const void* key, const void* value, void* key_cache,
                             void* value_cache, const int64_t* slot_mapping, int num_tokens,
                             int64_t block_stride, int64_t page_stride, int64_t key_stride,
                             int64_t value_stride, int num_heads, int head_size, int block_size,
                             bool int8, bool bfloat16, const float* k_scale, const float* v_scale,
                             cudaStream_t stream) {
  if (num_tokens == 0) return;
  const dim3 grid(num_tokens);
  const dim3 block(std::min(num_heads * head_size, 512));
  if (bfloat16) {
    CALL_RESHAPE_AND_CACHE_FLASH(__nv_bfloat16, __nv_bfloat16, cache::KVCacheDataType::kAuto)
  } else if (int8) {
    CALL_RESHAPE_AND_CACHE_FLASH(half, int8_t, cache::KVCacheDataType::kInt8)
  } else {
    CALL_RESHAPE_AND_CACHE_FLASH(half, half, cache::KVCacheDataType::kAuto)
  }
}

void gather_cache(const half* src_cache, half* dst, const int32_t* block_table,
                  const int32_t* cu_seq_lens, int batch_size, int block_size, int entry_size,
                  int64_t block_table_stride, cudaStream_t stream) {
  if (batch_size == 0) return;
  const dim3 block(std::min(entry_size, 256));
  const dim3 grid((entry_size + block.x - 1) / block.x, 128);
  cache::gather_cache_kernel<half><<<grid, block, 0, stream>>>(
      src_cache, dst, block_table, cu_seq_lens, batch_size, block_size, entry_size,
      block_table_stride);
}

void copy_blocks(float* key_cache, float* value_cache, const int64_t* mapping, int pairs,
                 int numel, cudaStream_t stream) {
  if (pairs == 0) return;
  cache::copy_blocks_kernel<float><<<pairs, std::min(1024, numel), 0, stream>>>(
      key_cache, value_cache, reinterpret_cast<const longlong2*>(mapping), numel);
}
