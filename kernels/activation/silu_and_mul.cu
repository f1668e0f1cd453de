// Gated activations: out[t, i] = act(in[t, i]) * in[t, width + i] for input rows of 2 * width.
// SiLU (SwiGLU), GELU and its tanh approximation (GeGLU), and a clamped SiLU in packed half2 form.

#include "../common/dtype.cuh"
#include "../common/vec.cuh"

#define VEC_BYTES 16

__device__ __forceinline__ float silu(const float& x) { return __fdividef(x, 1.0f + __expf(-x)); }

__device__ __forceinline__ float gelu(const float& x) {
  constexpr float kInverseSqrt2 = 0.70710678118654752440f;
  return x * 0.5f * (1.0f + erff(x * kInverseSqrt2));
}

__device__ __forceinline__ float gelu_tanh(const float& x) {
  constexpr float kSqrt2OverPi = 0.79788456080286535588f;
  constexpr float kCubic = 0.044715f;
  const float inner = kSqrt2OverPi * (x + kCubic * x * x * x);
  return 0.5f * x * (1.0f + tanhf(inner));
}

// A number that a generic lambda can take as a constant.
template <int kValue>
struct Constant {
  static constexpr int value = kValue;
};

// Calls `body(column, Constant<kWidth>)` for every vector of kWidth columns that this thread owns,
// then `body(column, Constant<1>)` for the columns of the tail.
template <int kWidth, typename Body>
__device__ __forceinline__ void for_each_vector(int columns, Body&& body) {
  const int vectors = columns / kWidth;
  for (int i = threadIdx.x; i < vectors; i += blockDim.x) {
    body(i * kWidth, Constant<kWidth>());
  }
  for (int i = vectors * kWidth + threadIdx.x; i < columns; i += blockDim.x) {
    body(i, Constant<1>());
  }
}

// One block a token. The vector part needs rows that start on VEC_BYTES; with an odd width the
// launcher picks kWidth = 1.
template <typename scalar_t, int kWidth, float (*ACT_FN)(const float&)>
__global__ void act_and_mul_kernel(scalar_t* __restrict__ out,          // [..., width]
                                   const scalar_t* __restrict__ input,  // [..., 2, width]
                                   const int width) {
  const int64_t token = blockIdx.x;
  const scalar_t* gate = input + token * 2 * width;
  const scalar_t* up = gate + width;
  scalar_t* result = out + token * width;

  for_each_vector<kWidth>(width, [&](int column, auto count) {
    constexpr int kCount = decltype(count)::value;
    using VecT = Vec<scalar_t, kCount>;
    const VecT g = VecT::load(gate + column);
    const VecT u = VecT::load(up + column);
    VecT r;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      r[i] = multiply_rounded(from_float<scalar_t>(ACT_FN(to_float(g[i]))), u[i]);
    }
    r.store(result + column);
  });
}

// gate' * sigmoid(alpha * gate') * (up' + 1) with gate' = min(gate, limit) and up' = up clamped to
// [-limit, limit]: two elements at a time, in half arithmetic but for the sigmoid. The grid strides
// over all pairs.
__global__ void __launch_bounds__(256)
clamped_silu_and_mul_half2_kernel(half2* __restrict__ out, const half2* __restrict__ input,
                                  const int tokens, const int pairs, const float alpha,
                                  const float limit) {
  const half2 high = __float2half2_rn(limit);
  const half2 low = __hneg2(high);
  const half2 one = __float2half2_rn(1.0f);
  const int64_t total = static_cast<int64_t>(tokens) * pairs;

  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < total;
       i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t token = i / pairs;
    const int pair = static_cast<int>(i % pairs);
    const half2 gate = __hmin2(__ldg(input + token * 2 * pairs + pair), high);
    const half2 up = __hmax2(__hmin2(__ldg(input + (token * 2 + 1) * pairs + pair), high), low);

    float2 g = __half22float2(gate);
    g.x = __fdividef(g.x, 1.0f + __expf(-alpha * g.x));
    g.y = __fdividef(g.y, 1.0f + __expf(-alpha * g.y));
    out[i] = __hmul2(__float22half2_rn(g), __hadd2(up, one));
  }
}

#define LAUNCH_ACT_AND_MUL(ACT_FN)                                                            \
  DISPATCH_DTYPE(dtype, scalar_t, {                                                           \
    constexpr int kWide = VEC_BYTES / sizeof(scalar_t);                                       \
    const auto* in = static_cast<const scalar_t*>(input);                                     \
    const bool wide = can_vectorize(in, width, kWide) &&                                      \
                      can_vectorize(static_cast<scalar_t*>(out), width, kWide);               \
    const int vectors = wide ? width / kWide : width;                                         \
    const dim3 block(vectors < 1024 ? vectors : 1024);                                        \
    if (wide) {                                                                               \
      act_and_mul_kernel<scalar_t, kWide, ACT_FN>                                             \
          <<<tokens, block, 0, stream>>>(static_cast<scalar_t*>(out), in, width);             \
    } else {                                                                                  \
      act_and_mul_kernel<scalar_t, 1, ACT_FN>                                                 \
          <<<tokens, block, 0, stream>>>(static_cast<scalar_t*>(out), in, width);             \
    }                                                                                         \
  });                                                                                         \
  return cudaGetLastError()

cudaError_t silu_and_mul(void* out, const void* input, int tokens, int width, DType dtype,
                         cudaStream_t stream) {
  if (tokens == 0 || width == 0) return cudaSuccess;
  LAUNCH_ACT_AND_MUL(silu);
}

cudaError_t gelu_and_mul(void* out, const void* input, int tokens, int width, DType dtype,
                         cudaStream_t stream) {
  if (tokens == 0 || width == 0) return cudaSuccess;
  LAUNCH_ACT_AND_MUL(gelu);
}

cudaError_t gelu_tanh_and_mul(void* out, const void* input, int tokens, int width, DType dtype,
                              cudaStream_t stream) {
  if (tokens == 0 || width == 0) return cudaSuccess;
  LAUNCH_ACT_AND_MUL(gelu_tanh);
}

// `width` is even.
cudaError_t clamped_silu_and_mul(half* out, const half* input, int tokens, int width, float alpha,
                                 float limit, cudaStream_t stream) {
  if (tokens == 0 || width == 0) return cudaSuccess;
  if (width % 2 != 0) return cudaErrorInvalidValue;
  int device = 0;
  int processors = 0;
  RETURN_IF_CUDA_ERROR(cudaGetDevice(&device));
  RETURN_IF_CUDA_ERROR(
      cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  const int pairs = width / 2;
  const int blocks = ceil_div(static_cast<int64_t>(tokens) * pairs, 256);
  clamped_silu_and_mul_half2_kernel<<<blocks < 8 * processors ? blocks : 8 * processors, 256, 0,
                                      stream>>>(reinterpret_cast<half2*>(out),
                                                reinterpret_cast<const half2*>(input), tokens,
                                                pairs, alpha, limit);
  return cudaGetLastError();
}
