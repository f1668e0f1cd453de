// Root-mean-square normalisation of the last dimension, alone and fused with a residual addition:
//
//   rms_norm:            y = x / sqrt(mean(x * x) + epsilon) * weight
//   fused_add_rms_norm:  residual += x;  x = rms_norm(residual)
//
// One block per token. The mean square is accumulated in float for every storage type.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

constexpr int kWarpSize = 32;
constexpr int kMaxThreads = 1024;

enum class ScalarType { Float, Half, BFloat16 };

__device__ __forceinline__ float to_float(float v) { return v; }
__device__ __forceinline__ float to_float(half v) { return __half2float(v); }
__device__ __forceinline__ float to_float(__nv_bfloat16 v) { return __bfloat162float(v); }

template <typename scalar_t>
__device__ __forceinline__ scalar_t from_float(float v);
template <>
__device__ __forceinline__ float from_float<float>(float v) {
  return v;
}
template <>
__device__ __forceinline__ half from_float<half>(float v) {
  return __float2half(v);
}
template <>
__device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float v) {
  return __float2bfloat16(v);
}

__device__ __forceinline__ float add(float a, float b) { return a + b; }
__device__ __forceinline__ half add(half a, half b) { return __hadd(a, b); }
__device__ __forceinline__ __nv_bfloat16 add(__nv_bfloat16 a, __nv_bfloat16 b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __hadd(a, b);
#else
  return __float2bfloat16(__bfloat162float(a) + __bfloat162float(b));
#endif
}

// kWidth neighbouring elements, moved by one memory transaction.
template <typename scalar_t, int kWidth>
struct alignas(sizeof(scalar_t) * kWidth) Pack {
  scalar_t elements[kWidth];

  __device__ __forceinline__ float sum_of_squares() const {
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float v = to_float(elements[i]);
      sum += v * v;
    }
    return sum;
  }

  __device__ __forceinline__ Pack& operator+=(const Pack& other) {
#pragma unroll
    for (int i = 0; i < kWidth; ++i) elements[i] = add(elements[i], other.elements[i]);
    return *this;
  }

  __device__ __forceinline__ Pack scaled(float factor, const Pack& weight) const {
    Pack result;
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float normalized = to_float(elements[i]) * factor;
      result.elements[i] = from_float<scalar_t>(normalized * to_float(weight.elements[i]));
    }
    return result;
  }
};

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int mask = kWarpSize / 2; mask > 0; mask >>= 1) {
    value += __shfl_xor_sync(0xffffffff, value, mask);
  }
  return value;
}

// Sum over the block, valid in thread 0 only.
__device__ float block_sum(float value) {
  __shared__ float partial[kWarpSize];
  const int lane = threadIdx.x & (kWarpSize - 1);
  const int warp = threadIdx.x / kWarpSize;

  value = warp_sum(value);
  if (lane == 0) partial[warp] = value;
  __syncthreads();

  value = threadIdx.x < blockDim.x / kWarpSize ? partial[lane] : 0.0f;
  if (warp == 0) value = warp_sum(value);
  return value;
}

template <typename scalar_t, int kWidth>
__global__ void __launch_bounds__(kMaxThreads)
rms_norm_kernel(scalar_t* __restrict__ output,        // [tokens, hidden_size]
                const scalar_t* __restrict__ input,   // [tokens, hidden_size]
                const int64_t input_stride,           // elements between rows of the input
                const scalar_t* __restrict__ weight,  // [hidden_size]
                const float epsilon, const int hidden_size) {
  using pack_t = Pack<scalar_t, kWidth>;
  __shared__ float s_inverse_rms;

  const int packs = hidden_size / kWidth;
  const pack_t* in = reinterpret_cast<const pack_t*>(input + blockIdx.x * input_stride);
  pack_t* out =
      reinterpret_cast<pack_t*>(output + static_cast<int64_t>(blockIdx.x) * hidden_size);
  const pack_t* scale = reinterpret_cast<const pack_t*>(weight);

  float sum = 0.0f;
  for (int i = threadIdx.x; i < packs; i += blockDim.x) sum += in[i].sum_of_squares();
  sum = block_sum(sum);
  if (threadIdx.x == 0) s_inverse_rms = rsqrtf(sum / hidden_size + epsilon);
  __syncthreads();

  const float inverse_rms = s_inverse_rms;
  for (int i = threadIdx.x; i < packs; i += blockDim.x) {
    out[i] = in[i].scaled(inverse_rms, scale[i]);
  }
}

// `input` and `residual` are both updated in place.
template <typename scalar_t, int kWidth>
__global__ void __launch_bounds__(kMaxThreads)
fused_add_rms_norm_kernel(scalar_t* __restrict__ input,     // [tokens, hidden_size]
                          scalar_t* __restrict__ residual,  // [tokens, hidden_size]
                          const scalar_t* __restrict__ weight, const float epsilon,
                          const int hidden_size) {
  static_assert(sizeof(scalar_t) * kWidth <= 16, "at most one 16-byte transaction");
  using pack_t = Pack<scalar_t, kWidth>;
  __shared__ float s_inverse_rms;

  const int packs = hidden_size / kWidth;
  const int64_t offset = static_cast<int64_t>(blockIdx.x) * packs;
  pack_t* __restrict__ x = reinterpret_cast<pack_t*>(input) + offset;
  pack_t* __restrict__ r = reinterpret_cast<pack_t*>(residual) + offset;
  const pack_t* __restrict__ scale = reinterpret_cast<const pack_t*>(weight);

  float sum = 0.0f;
  for (int i = threadIdx.x; i < packs; i += blockDim.x) {
    pack_t value = x[i];
    value += r[i];
    sum += value.sum_of_squares();
    r[i] = value;
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) s_inverse_rms = rsqrtf(sum / hidden_size + epsilon);
  __syncthreads();

  for (int i = threadIdx.x; i < packs; i += blockDim.x) {
    x[i] = r[i].scaled(s_inverse_rms, scale[i]);
  }
}

namespace {

// The widest pack, in elements, that divides a row and suits every pointer's alignment.
template <typename scalar_t>
int pack_width(int hidden_size, int64_t stride, const void* a, const void* b, const void* c) {
  const size_t bits =
      reinterpret_cast<size_t>(a) | reinterpret_cast<size_t>(b) | reinterpret_cast<size_t>(c);
  constexpr int widest = 16 / sizeof(scalar_t);
  return bits % 16 == 0 && hidden_size % widest == 0 && stride % widest == 0 ? widest : 1;
}

template <typename scalar_t>
cudaError_t launch_rms_norm(void* output, const void* input, int64_t input_stride,
                            const void* weight, float epsilon, int tokens, int hidden_size,
                            cudaStream_t stream) {
  constexpr int widest = 16 / sizeof(scalar_t);
  const int width =
      pack_width<scalar_t>(hidden_size, input_stride, output, input, weight);
  const int threads = (hidden_size / width + kWarpSize - 1) / kWarpSize * kWarpSize;
  const dim3 grid(tokens);
  const dim3 block(threads < kMaxThreads ? threads : kMaxThreads);

#define LAUNCH_RMS_NORM(WIDTH)                                                        \
  rms_norm_kernel<scalar_t, WIDTH><<<grid, block, 0, stream>>>(                       \
      static_cast<scalar_t*>(output), static_cast<const scalar_t*>(input),            \
      input_stride, static_cast<const scalar_t*>(weight), epsilon, hidden_size)

  if (width == widest) {
    LAUNCH_RMS_NORM(widest);
  } else {
    LAUNCH_RMS_NORM(1);
  }
#undef LAUNCH_RMS_NORM
  return cudaGetLastError();
}

template <typename scalar_t>
cudaError_t launch_fused_add_rms_norm(void* input, void* residual, const void* weight,
                                      float epsilon, int tokens, int hidden_size,
                                      cudaStream_t stream) {
  constexpr int widest = 16 / sizeof(scalar_t);
  const dim3 grid(tokens);
  // Few tokens leave most of the chip idle: give each the largest block then.
  const int limit = tokens < 256 ? kMaxThreads : 256;
  const int threads = (hidden_size + kWarpSize - 1) / kWarpSize * kWarpSize;
  const dim3 block(threads < limit ? threads : limit);

#define LAUNCH_FUSED_ADD_RMS_NORM(WIDTH)                                             \
  fused_add_rms_norm_kernel<scalar_t, WIDTH><<<grid, block, 0, stream>>>(            \
      static_cast<scalar_t*>(input), static_cast<scalar_t*>(residual),               \
      static_cast<const scalar_t*>(weight), epsilon, hidden_size)

  if (pack_width<scalar_t>(hidden_size, hidden_size, input, residual, weight) == widest) {
    LAUNCH_FUSED_ADD_RMS_NORM(widest);
  } else {
    LAUNCH_FUSED_ADD_RMS_NORM(1);
  }
#undef LAUNCH_FUSED_ADD_RMS_NORM
  return cudaGetLastError();
}

}  // namespace

cudaError_t rms_norm(void* output, const void* input, int64_t input_stride, const void* weight,
                     float epsilon, int tokens, int hidden_size, ScalarType type,
                     cudaStream_t stream) {
  if (tokens == 0 || hidden_size == 0) return cudaSuccess;
  switch (type) {
    case ScalarType::Float:
      return launch_rms_norm<float>(output, input, input_stride, weight, epsilon, tokens,
                                    hidden_size, stream);
    case ScalarType::Half:
      return launch_rms_norm<half>(output, input, input_stride, weight, epsilon, tokens,
                                   hidden_size, stream);
    case ScalarType::BFloat16:
      return launch_rms_norm<__nv_bfloat16>(output, input, input_stride, weight, epsilon, tokens,
                                            hidden_size, stream);
  }
  return cudaErrorInvalidValue;
}

cudaError_t fused_add_rms_norm(void* input, void* residual, const void* weight, float epsilon,
                               int tokens, int hidden_size, ScalarType type, cudaStream_t stream) {
  if (tokens == 0 || hidden_size == 0) return cudaSuccess;
  switch (type) {
    case ScalarType::Float:
      return launch_fused_add_rms_norm<float>(input, residual, weight, epsilon, tokens,
                                              hidden_size, stream);
    case ScalarType::Half:
      return launch_fused_add_rms_norm<half>(input, residual, weight, epsilon, tokens, hidden_size,
                                             stream);
    case ScalarType::BFloat16:
      return launch_fused_add_rms_norm<__nv_bfloat16>(input, residual, weight, epsilon, tokens,
                                                      hidden_size, stream);
  }
  return cudaErrorInvalidValue;
}
