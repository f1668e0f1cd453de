// Embedding lookup: out[t] = table[ids[t]], with the two variants that models need: a vocabulary
// split over devices (rows outside this shard are zero), and token plus position embedding.

#include <cuda_fp16.h>
#include <cuda_runtime.h>

// 16 bytes of float, or of half held as four pairs.
template <typename T>
struct Packed16;

template <>
struct Packed16<float> {
  static constexpr int size = 4;
  float4 raw;
  __device__ static Packed16 add(const Packed16& a, const Packed16& b) {
    return {make_float4(a.raw.x + b.raw.x, a.raw.y + b.raw.y, a.raw.z + b.raw.z,
                        a.raw.w + b.raw.w)};
  }
};

template <>
struct Packed16<half> {
  static constexpr int size = 8;
  uint4 raw;
  __device__ static Packed16 add(const Packed16& a, const Packed16& b) {
    Packed16 sum;
    const half2* pa = reinterpret_cast<const half2*>(&a.raw);
    const half2* pb = reinterpret_cast<const half2*>(&b.raw);
    half2* ps = reinterpret_cast<half2*>(&sum.raw);
#pragma unroll
    for (int i = 0; i < 4; ++i) ps[i] = __hadd2(pa[i], pb[i]);
    return sum;
  }
};

// Rows [first, last) of the vocabulary live in `table`. One warp a token, blockDim.y a block. A row
// of `row_bytes` is copied in 16-byte words, then the rest in bytes; the launcher passes
// words_aligned = false where rows do not start on 16 bytes.
template <typename index_t>
__global__ void gather_rows_kernel(char* __restrict__ out, const char* __restrict__ table,
                                   const index_t* __restrict__ ids, const int tokens,
                                   const index_t first, const index_t last,
                                   const long long row_bytes, const bool words_aligned) {
  const int token = blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= tokens) return;

  const index_t id = ids[token];
  const bool here = id >= first && id < last;
  const char* source = table + (here ? id - first : 0) * row_bytes;
  char* target = out + token * row_bytes;

  const long long words = words_aligned ? row_bytes / sizeof(uint4) : 0;
  for (long long i = threadIdx.x; i < words; i += blockDim.x) {
    uint4 word = make_uint4(0u, 0u, 0u, 0u);
    if (here) word = __ldg(reinterpret_cast<const uint4*>(source) + i);
    reinterpret_cast<uint4*>(target)[i] = word;
  }
  for (long long i = words * sizeof(uint4) + threadIdx.x; i < row_bytes; i += blockDim.x) {
    target[i] = here ? source[i] : 0;
  }
}

// out[b, t] = token_table[ids[b, t]] + position_table[t], 16 bytes a thread.
template <typename T>
__global__ void token_position_embedding_kernel(T* __restrict__ out, const int* __restrict__ ids,
                                                const T* __restrict__ token_table,
                                                const T* __restrict__ position_table, int batch,
                                                int sequence, int channels) {
  using P = Packed16<T>;
  const long long i = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) * P::size;
  const long long total = static_cast<long long>(batch) * sequence * channels;
  if (i >= total) return;

  const long long bt = i / channels;
  const int t = bt % sequence;
  const int c = i % channels;
  const P token = *(const P*)(token_table + (long long)ids[bt] * channels + c);
  const P position = *(const P*)(position_table + (long long)t * channels + c);
  *(P*)(out + i) = P::add(token, position);
}

template <typename index_t>
cudaError_t embedding_gather(void* out, const void* table, const index_t* ids, int tokens,
                             index_t first, index_t last, long long row_bytes,
                             cudaStream_t stream) {
  if (tokens == 0 || row_bytes == 0) return cudaSuccess;
  const bool aligned = row_bytes % 16 == 0 && ((size_t)out | (size_t)table) % 16 == 0;
  const dim3 block(32, 4);
  gather_rows_kernel<index_t><<<(tokens + block.y - 1) / block.y, block, 0, stream>>>(
      static_cast<char*>(out), static_cast<const char*>(table), ids, tokens, first, last, row_bytes,
      aligned);
  return cudaGetLastError();
}

template cudaError_t embedding_gather<int>(void*, const void*, const int*, int, int, int, long long,
                                           cudaStream_t);
template cudaError_t embedding_gather<long long>(void*, const void*, const long long*, int,
                                                 long long, long long, long long, cudaStream_t);

// `channels` is a multiple of the pack: 4 for float, 8 for half.
template <typename T>
cudaError_t token_position_embedding(T* out, const int* ids, const T* token_table,
                                     const T* position_table, int batch, int sequence, int channels,
                                     cudaStream_t stream) {
  const long long packs =
      static_cast<long long>(batch) * sequence * channels / Packed16<T>::size;
  if (packs == 0) return cudaSuccess;
  const int block_size = 256;
  const int grid_size = (int)((packs + block_size - 1) / block_size);
  token_position_embedding_kernel<<<grid_size, block_size, 0, stream>>>(
      out, ids, token_table, position_table, batch, sequence, channels);
  return cudaGetLastError();
}

template cudaError_t token_position_embedding<float>(float*, const int*, const float*, const float*,
                                                     int, int, int, cudaStream_t);
template cudaError_t token_position_embedding<half>(half*, const int*, const half*, const half*,
                                                    int, int, int, cudaStream_t);
