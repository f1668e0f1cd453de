// Rotary position embedding of queries and keys, in place.
//
// Pair i of a head turns by the angle position * inverse_frequency[i]:
//   x' = x cos - y sin,   y' = y cos + x sin
// Two layouts of a pair are in use: NeoX pairs element i with element i + rotary_dim / 2, GPT-J
// pairs neighbours 2i and 2i + 1. Elements past rotary_dim are left alone.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace rope {

constexpr int kMaxPairs = 128;

// Inverse frequencies, one for each pair, after whatever context extension the model applies.
__constant__ float c_inverse_frequency[kMaxPairs];

template <typename scalar_t>
struct Convert;

template <>
struct Convert<float> {
  static __device__ __forceinline__ float load(const float* p) { return __ldg(p); }
  static __device__ __forceinline__ float to_float(float x) { return x; }
  static __device__ __forceinline__ float from_float(float x) { return x; }
};

template <>
struct Convert<half> {
  static __device__ __forceinline__ float load(const half* p) { return __half2float(__ldg(p)); }
  static __device__ __forceinline__ float to_float(half x) { return __half2float(x); }
  static __device__ __forceinline__ half from_float(float x) { return __float2half_rn(x); }
};

template <>
struct Convert<__nv_bfloat16> {
  static __device__ __forceinline__ float load(const __nv_bfloat16* p) {
    return __bfloat162float(__ldg(p));
  }
  static __device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }
  static __device__ __forceinline__ __nv_bfloat16 from_float(float x) {
    return __float2bfloat16_rn(x);
  }
};

// cache[position] = { cos of each pair, sin of each pair }.
template <typename scalar_t>
__global__ void build_cos_sin_cache_kernel(scalar_t* __restrict__ cache,  // [positions, rotary_dim]
                                           int positions, int rotary_dim) {
  const int pairs = rotary_dim / 2;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const int position = blockIdx.y * blockDim.y + threadIdx.y;
  if (i >= pairs || position >= positions) return;

  float sine, cosine;
  sincosf(position * c_inverse_frequency[i], &sine, &cosine);
  scalar_t* row = cache + static_cast<int64_t>(position) * rotary_dim;
  row[i] = Convert<scalar_t>::from_float(cosine);
  row[pairs + i] = Convert<scalar_t>::from_float(sine);
}

template <typename scalar_t, bool kIsNeox>
inline __device__ void rotate_pair(scalar_t* __restrict__ head,
                                   const scalar_t* __restrict__ cos_row,
                                   const scalar_t* __restrict__ sin_row, int pair, int pairs) {
  using C = Convert<scalar_t>;
  int x_index, y_index;
  if constexpr (kIsNeox) {
    x_index = pair;
    y_index = pairs + pair;
  } else {
    x_index = 2 * pair;
    y_index = 2 * pair + 1;
  }
  const float c = C::load(cos_row + pair);
  const float s = C::load(sin_row + pair);
  const float x = C::to_float(head[x_index]);
  const float y = C::to_float(head[y_index]);
  head[x_index] = C::from_float(x * c - y * s);
  head[y_index] = C::from_float(y * c + x * s);
}

template <typename scalar_t, bool kIsNeox>
inline __device__ void rotate_heads(scalar_t* __restrict__ token_heads, int heads, int head_size,
                                    const scalar_t* cos_row, const scalar_t* sin_row, int pairs) {
  const int work = heads * pairs;
  for (int i = threadIdx.x; i < work; i += blockDim.x) {
    const int head = i / pairs;
    const int pair = i % pairs;
    rotate_pair<scalar_t, kIsNeox>(token_heads + head * head_size, cos_row, sin_row, pair, pairs);
  }
}

// One block a token. `key` may be null (queries alone, as in cross attention).
template <typename scalar_t, bool kIsNeox>
__global__ void rotary_embedding_kernel(
    const int64_t* __restrict__ positions,  // [tokens]
    scalar_t* __restrict__ query,           // [tokens, heads, head_size], rows query_stride apart
    scalar_t* __restrict__ key,             // [tokens, kv_heads, head_size], rows key_stride apart
    const scalar_t* __restrict__ cache,     // [positions, rotary_dim]: cosines, then sines
    const int rotary_dim, const int64_t query_stride, const int64_t key_stride, const int heads,
    const int kv_heads, const int head_size) {
  const int token = blockIdx.x;
  const int pairs = rotary_dim / 2;
  const scalar_t* cos_row = cache + positions[token] * rotary_dim;
  const scalar_t* sin_row = cos_row + pairs;

  rotate_heads<scalar_t, kIsNeox>(query + token * query_stride, heads, head_size, cos_row, sin_row,
                                  pairs);
  if (key == nullptr) return;
  rotate_heads<scalar_t, kIsNeox>(key + token * key_stride, kv_heads, head_size, cos_row, sin_row,
                                  pairs);
}

// GPT-J layout in half precision: a pair is one half2, and the rotation is done in half arithmetic.
__global__ void rotary_embedding_gptj_half2_kernel(const int64_t* __restrict__ positions,
                                                   half2* __restrict__ states,
                                                   const half* __restrict__ cache,
                                                   const int rotary_dim, const int heads,
                                                   const int head_size) {
  const int token = blockIdx.x;
  const int pairs = rotary_dim >> 1;
  const int head_pairs = head_size >> 1;
  const half* cos_row = cache + positions[token] * rotary_dim;
  const half* sin_row = cos_row + pairs;
  half2* heads_of_token = states + static_cast<int64_t>(token) * heads * head_pairs;

  for (int head = threadIdx.y; head < heads; head += blockDim.y) {
#pragma unroll 2
    for (int pair = threadIdx.x; pair < pairs; pair += blockDim.x) {
      const half2 c = __half2half2(cos_row[pair]);
      const half s = sin_row[pair];
      const half2 signed_sine = __halves2half2(__hneg(s), s);
      half2* at = heads_of_token + head * head_pairs + pair;
      const half2 xy = *at;
      *at = __hfma2(__lowhigh2highlow(xy), signed_sine, __hmul2(xy, c));
    }
  }
}

template <typename scalar_t>
void launch_rotary_embedding(const int64_t* positions, void* query, void* key, const void* cache,
                             int tokens, int rotary_dim, int64_t query_stride, int64_t key_stride,
                             int heads, int kv_heads, int head_size, bool is_neox,
                             cudaStream_t stream) {
  const dim3 grid(tokens);
  const int work = heads * rotary_dim / 2;
  const dim3 block(work < 512 ? work : 512);
  if (is_neox) {
    rotary_embedding_kernel<scalar_t, true><<<grid, block, 0, stream>>>(
        positions, reinterpret_cast<scalar_t*>(query), reinterpret_cast<scalar_t*>(key),
        reinterpret_cast<const scalar_t*>(cache), rotary_dim, query_stride, key_stride, heads,
        kv_heads, head_size);
  } else {
    rotary_embedding_kernel<scalar_t, false><<<grid, block, 0, stream>>>(
        positions, reinterpret_cast<scalar_t*>(query), reinterpret_cast<scalar_t*>(key),
        reinterpret_cast<const scalar_t*>(cache), rotary_dim, query_stride, key_stride, heads,
        kv_heads, head_size);
  }
}

}  // namespace rope

enum RopeType { ROPE_F32 = 0, ROPE_F16 = 1, ROPE_BF16 = 2 };

cudaError_t rotary_embedding(const int64_t* positions, void* query, void* key, const void* cache,
                             int tokens, int rotary_dim, int64_t query_stride, int64_t key_stride,
                             int heads, int kv_heads, int head_size, bool is_neox, RopeType type,
                             cudaStream_t stream) {
  if (tokens == 0 || heads == 0 || rotary_dim == 0) return cudaSuccess;
  switch (type) {
    case ROPE_F32:
      rope::launch_rotary_embedding<float>(positions, query, key, cache, tokens, rotary_dim,
                                           query_stride, key_stride, heads, kv_heads, head_size,
                                           is_neox, stream);
      break;
    case ROPE_F16:
      if (!is_neox && key == nullptr && query_stride == int64_t(heads) * head_size &&
          head_size % 2 == 0) {
        const dim3 block(32, 8);
        rope::rotary_embedding_gptj_half2_kernel<<<tokens, block, 0, stream>>>(
            positions, static_cast<half2*>(query), static_cast<const half*>(cache), rotary_dim,
            heads, head_size);
        break;
      }
      rope::launch_rotary_embedding<half>(positions, query, key, cache, tokens, rotary_dim,
                                          query_stride, key_stride, heads, kv_heads, head_size,
                                          is_neox, stream);
      break;
    case ROPE_BF16:
      rope::launch_rotary_embedding<__nv_bfloat16>(positions, query, key, cache, tokens, rotary_dim,
                                                   query_stride, key_stride, heads, kv_heads,
                                                   head_size, is_neox, stream);
      break;
    default:
      return cudaErrorInvalidValue;
  }
  return cudaGetLastError();
}

// `inverse_frequency` is a host array of rotary_dim / 2 values.
cudaError_t build_cos_sin_cache(void* cache, const float* inverse_frequency, int positions,
                                int rotary_dim, RopeType type, cudaStream_t stream) {
  const int pairs = rotary_dim / 2;
  if (positions == 0 || pairs == 0) return cudaSuccess;
  if (pairs > rope::kMaxPairs) return cudaErrorInvalidValue;
  cudaError_t status = cudaMemcpyToSymbolAsync(rope::c_inverse_frequency, inverse_frequency,
                                               pairs * sizeof(float), 0, cudaMemcpyHostToDevice,
                                               stream);
  if (status != cudaSuccess) return status;

  const dim3 block(32, 4);
  const dim3 grid((pairs + block.x - 1) / block.x, (positions + block.y - 1) / block.y);
  if (type == ROPE_F32) {
    rope::build_cos_sin_cache_kernel<<<grid, block, 0, stream>>>(static_cast<float*>(cache),
                                                                 positions, rotary_dim);
  } else if (type == ROPE_F16) {
    rope::build_cos_sin_cache_kernel<<<grid, block, 0, stream>>>(static_cast<half*>(cache),
                                                                 positions, rotary_dim);
  } else {
    rope::build_cos_sin_cache_kernel<<<grid, block, 0, stream>>>(
        static_cast<__nv_bfloat16*>(cache), positions, rotary_dim);
  }
  return cudaGetLastError();
}
