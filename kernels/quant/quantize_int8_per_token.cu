// Dynamic int8 quantisation, one scale for each token.
//
//   symmetric:   scale = max|x| / 127,          q = clamp(round(x * (127 / max|x|)), -127, 127)
//   asymmetric:  scale = (max - min) / 255,     q = clamp(round(x / scale) + zero_point, -128, 127)
//
// Rounding is to nearest even. The products use the _rn intrinsics: a contracted multiply-add would
// move values that sit on a rounding boundary, and the stored integers would differ between builds.

#include "../common/dtype.cuh"
#include "../common/reduce.cuh"
#include "../common/vec.cuh"

constexpr float kInt8Max = 127.0f;
constexpr float kSmallestScale = 1.1920929e-07f;

__device__ __forceinline__ int clamp_int8(int value, int low, int high) {
  return min(max(value, low), high);
}

// kWidth elements a transaction; rows of `hidden` elements start on such a boundary.
template <typename T, int kWidth, int kThreads>
__global__ void __launch_bounds__(kThreads)
quantize_int8_symmetric_kernel(const T* __restrict__ input, int8_t* __restrict__ output,
                               float* __restrict__ scales, const int hidden) {
  static_assert(kThreads % kWarpSize == 0, "whole warps");
  __shared__ float s_warp_max[kThreads / kWarpSize];

  const int tid = threadIdx.x;
  const int64_t token = blockIdx.x;
  const T* __restrict__ row = input + token * hidden;
  int8_t* __restrict__ quantized = output + token * hidden;
  const int vectors = hidden / kWidth;

  float largest = 0.0f;
  for (int i = tid; i < vectors; i += kThreads) {
    const Vec<T, kWidth> x = Vec<T, kWidth>::load(row + i * kWidth);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) largest = fmaxf(largest, fabsf(to_float(x[j])));
  }
  largest = warp_reduce(largest, Max());
  if (tid % kWarpSize == 0) s_warp_max[tid / kWarpSize] = largest;
  __syncthreads();
#pragma unroll
  for (int w = 0; w < kThreads / kWarpSize; ++w) largest = fmaxf(largest, s_warp_max[w]);

  if (tid == 0) scales[token] = __fdiv_rn(largest, kInt8Max);
  const float inverse = largest == 0.0f ? 0.0f : __fdiv_rn(kInt8Max, largest);

  for (int i = tid; i < vectors; i += kThreads) {
    const auto x = Vec<T, kWidth>::load(row + i * kWidth);
    Vec<int8_t, kWidth> q;
#pragma unroll
    for (int j = 0; j < kWidth; ++j) {
      const int rounded = __float2int_rn(__fmul_rn(to_float(x[j]), inverse));
      q[j] = static_cast<int8_t>(clamp_int8(rounded, -127, 127));
    }
    q.store(quantized + i * kWidth);
  }
}

struct Range {
  float low;
  float high;

  __device__ __forceinline__ void include(float x) {
    low = fminf(low, x);
    high = fmaxf(high, x);
  }
};

// One warp a token, four tokens a block: blockDim is (32, 4). Zero is kept representable, so the
// range always holds it. Four results leave as one 32-bit word when the row allows it.
template <typename T>
__global__ void quantize_int8_asymmetric_kernel(const T* __restrict__ input,
                                                int8_t* __restrict__ output,
                                                float* __restrict__ scales,
                                                int* __restrict__ zero_points, const int tokens,
                                                const int hidden) {
  const int token = blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= tokens) return;

  const int lane = threadIdx.x;
  const T* row = input + static_cast<size_t>(token) * hidden;
  int8_t* quantized = output + static_cast<size_t>(token) * hidden;

  Range range = {0.0f, 0.0f};
  for (int i = lane; i < hidden; i += kWarpSize) range.include(to_float(row[i]));
  range.low = warp_reduce(range.low, Min());
  range.high = warp_reduce(range.high, Max());

  const float scale =
      fmaxf(__fdiv_rn(__fsub_rn(range.high, range.low), 255.0f), kSmallestScale);
  const int zero_point = clamp_int8(-128 - __float2int_rn(__fdiv_rn(range.low, scale)), -128, 127);
  if (lane == 0) {
    scales[token] = scale;
    zero_points[token] = zero_point;
  }

  auto quantize = [scale, zero_point](float x) {
    return clamp_int8(__float2int_rn(__fdiv_rn(x, scale)) + zero_point, -128, 127);
  };
  if (hidden % 4 == 0) {
    char4* words = reinterpret_cast<char4*>(quantized);
    for (int i = lane; i < hidden / 4; i += kWarpSize) {
      char4 word;
      word.x = static_cast<signed char>(quantize(to_float(row[4 * i + 0])));
      word.y = static_cast<signed char>(quantize(to_float(row[4 * i + 1])));
      word.z = static_cast<signed char>(quantize(to_float(row[4 * i + 2])));
      word.w = static_cast<signed char>(quantize(to_float(row[4 * i + 3])));
      words[i] = word;
    }
  } else {
    for (int i = lane; i < hidden; i += kWarpSize) {
      quantized[i] = static_cast<int8_t>(quantize(to_float(row[i])));
    }
  }
}

// x = (q - zero_point) * scale; `zero_points` is null for symmetric data.
template <typename T>
__global__ void dequantize_int8_kernel(const int8_t* __restrict__ quantized,
                                       const float* __restrict__ scales,
                                       const int* __restrict__ zero_points, T* __restrict__ output,
                                       const int hidden) {
  const int64_t token = blockIdx.y;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= hidden) return;
  const int zero_point = zero_points ? __ldg(&zero_points[token]) : 0;
  const int centred = static_cast<int>(__ldg(&quantized[token * hidden + i])) - zero_point;
  output[token * hidden + i] = from_float<T>(__int2float_rn(centred) * __ldg(&scales[token]));
}

cudaError_t quantize_int8_per_token(const void* input, int8_t* output, float* scales,
                                    int* zero_points, int tokens, int hidden, DType dtype,
                                    cudaStream_t stream) {
  if (tokens == 0 || hidden == 0) return cudaSuccess;
  if (zero_points != nullptr) {
    const dim3 block(kWarpSize, 4);
    DISPATCH_DTYPE(dtype, T,
                   quantize_int8_asymmetric_kernel<<<ceil_div(tokens, block.y), block, 0, stream>>>(
                       static_cast<const T*>(input), output, scales, zero_points, tokens, hidden));
    return cudaGetLastError();
  }

  constexpr int kThreads = 256;
  DISPATCH_DTYPE(dtype, T, {
    constexpr int kWide = kMaxVecWidth<T>;
    const T* x = static_cast<const T*>(input);
    if (can_vectorize(x, hidden, kWide) && can_vectorize(output, hidden, kWide)) {
      quantize_int8_symmetric_kernel<T, kWide, kThreads>
          <<<tokens, kThreads, 0, stream>>>(x, output, scales, hidden);
    } else {
      quantize_int8_symmetric_kernel<T, 1, kThreads>
          <<<tokens, kThreads, 0, stream>>>(x, output, scales, hidden);
    }
  });
  return cudaGetLastError();
}

cudaError_t dequantize_int8_per_token(const int8_t* quantized, const float* scales,
                                      const int* zero_points, void* output, int tokens, int hidden,
                                      DType dtype, cudaStream_t stream) {
  if (tokens == 0 || hidden == 0) return cudaSuccess;
  const dim3 grid(ceil_div(hidden, 256), tokens);
  DISPATCH_DTYPE(dtype, T, {
    dequantize_int8_kernel<T><<<grid, 256, 0, stream>>>(quantized, scales, zero_points,
                                                        static_cast<T*>(output), hidden);
  });
  return cudaGetLastError();
}
