// out = residual + dropout(input + bias), with the kept positions recorded for the backward pass.
//
// Random bits come from Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
// 3", SC'11), written out here so that a run is reproducible on every device: element i of a call
// uses word i % 4 of the block with counter offset + i / 4 under the key `seed`.

#include "../common/dtype.cuh"
#include "../common/vec.cuh"

#define WARP_SIZE 32

struct DropoutParams {
  unsigned long long seed;
  unsigned long long offset;
  float keep_probability;
  float scale;  // 1 / keep_probability
};

class Philox4x32 {
 public:
  __device__ __forceinline__ explicit Philox4x32(unsigned long long seed)
      : key_(make_uint2(static_cast<unsigned>(seed), static_cast<unsigned>(seed >> 32))) {}

  __device__ __forceinline__ uint4 operator()(unsigned long long counter) const {
    uint4 c = make_uint4(static_cast<unsigned>(counter),
                         static_cast<unsigned>(counter >> 32), 0u, 0u);
    uint2 key = key_;
#pragma unroll
    for (int i = 0; i < kRounds - 1; ++i) {
      c = round(c, key);
      key.x += kWeyl0;
      key.y += kWeyl1;
    }
    return round(c, key);
  }

 private:
  static constexpr int kRounds = 10;
  static constexpr unsigned kMultiplier0 = 0xD2511F53u;
  static constexpr unsigned kMultiplier1 = 0xCD9E8D57u;
  static constexpr unsigned kWeyl0 = 0x9E3779B9u;
  static constexpr unsigned kWeyl1 = 0xBB67AE85u;

  __device__ __forceinline__ static uint4 round(const uint4& c, const uint2& key) {
    const unsigned high0 = __umulhi(kMultiplier0, c.x);
    const unsigned low0 = kMultiplier0 * c.x;
    const unsigned high1 = __umulhi(kMultiplier1, c.z);
    const unsigned low1 = kMultiplier1 * c.z;
    return make_uint4(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
  }

  const uint2 key_;
};

// Uniform in [0, 1): the upper 24 bits, so that the result is exact in float and never 1.
__device__ __forceinline__ float uniform(unsigned bits) { return (bits >> 8) * 0x1p-24f; }

__device__ __forceinline__ unsigned word(const uint4& block, int i) {
  switch (i) {
    case 0: return block.x;
    case 1: return block.y;
    case 2: return block.z;
    default: return block.w;
  }
}

// Four elements a thread: `cols` is a multiple of four, the mask holds a byte an element.
template <typename T>
__global__ void __launch_bounds__(256)
bias_dropout_residual_vec4_kernel(T* __restrict__ out, unsigned char* __restrict__ mask,
                                  const T* __restrict__ input, const T* __restrict__ bias,
                                  const T* __restrict__ residual, const int64_t total,
                                  const int cols, const DropoutParams params) {
  const Philox4x32 philox(params.seed);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x * 4;

  for (int64_t base = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
       base < total; base += stride) {
    const auto x = Vec<T, 4>::load(input + base);
    const auto r = Vec<T, 4>::load(residual + base);
    const auto b = Vec<T, 4>::load(bias + base % cols);
    const uint4 random = philox(params.offset + base / 4);
    const float4 u = make_float4(uniform(random.x), uniform(random.y), uniform(random.z),
                                 uniform(random.w));
    const uchar4 keep =
        make_uchar4(u.x < params.keep_probability, u.y < params.keep_probability,
                    u.z < params.keep_probability, u.w < params.keep_probability);

    auto apply = [&](T input_value, T bias_value, T residual_value, unsigned char keep_value) {
      const float sum = to_float(input_value) + to_float(bias_value);
      const float dropped = keep_value ? sum * params.scale : 0.0f;
      return from_float<T>(to_float(residual_value) + dropped);
    };
    Vec<T, 4> y;
    y[0] = apply(x[0], b[0], r[0], keep.x);
    y[1] = apply(x[1], b[1], r[1], keep.y);
    y[2] = apply(x[2], b[2], r[2], keep.z);
    y[3] = apply(x[3], b[3], r[3], keep.w);
    y.store(out + base);
    *reinterpret_cast<uchar4*>(mask + base) = keep;
  }
}

// One element a thread, any size: the mask is packed, 32 elements of a warp in one word, and the
// number of kept elements is counted. blockDim.x is a multiple of WARP_SIZE.
template <typename T>
__global__ void bias_dropout_residual_bitmask_kernel(
    T* __restrict__ out, unsigned* __restrict__ mask_words, unsigned long long* __restrict__ kept,
    const T* __restrict__ input, const T* __restrict__ bias, const T* __restrict__ residual,
    const int64_t total, const int cols, const DropoutParams params) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const bool in_range = i < total;

  bool keep = false;
  if (in_range) {
    const uint4 random = Philox4x32(params.seed)(params.offset + i / 4);
    keep = uniform(word(random, static_cast<int>(i % 4))) < params.keep_probability;
  }
  const unsigned word_of_warp = __ballot_sync(0xffffffff, keep);

  const int lane = threadIdx.x % WARP_SIZE;
  if (lane == 0 && in_range) {
    mask_words[i / WARP_SIZE] = word_of_warp;
    atomicAdd(kept, static_cast<unsigned long long>(__popc(word_of_warp)));
  }
  if (!in_range) return;

  float value = 0.0f;
  if (keep) value = (to_float(input[i]) + to_float(bias[i % cols])) * params.scale;
  out[i] = from_float<T>(to_float(residual[i]) + value);
}

// grad_input = grad * mask * scale, from the packed mask.
template <typename T>
__global__ void dropout_backward_bitmask_kernel(T* __restrict__ grad_input,
                                                const T* __restrict__ grad,
                                                const unsigned* __restrict__ mask_words,
                                                const int64_t total, const float scale) {
  for (int64_t i = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; i < total;
       i += int64_t(blockDim.x) * gridDim.x) {
    const unsigned bit = (mask_words[i / WARP_SIZE] >> (i % WARP_SIZE)) & 1u;
    grad_input[i] = bit ? from_float<T>(to_float(grad[i]) * scale) : from_float<T>(0.0f);
  }
}

namespace {
constexpr int kThreads = 256;

DropoutParams make_params(float probability, unsigned long long seed, unsigned long long offset) {
  const float keep = 1.0f - probability;
  return {seed, offset, keep, keep > 0.0f ? 1.0f / keep : 0.0f};
}
}  // namespace

cudaError_t bias_dropout_residual(void* out, unsigned char* mask, const void* input,
                                  const void* bias, const void* residual, int rows, int cols,
                                  float probability, unsigned long long seed,
                                  unsigned long long offset, DType dtype, cudaStream_t stream) {
  const int64_t total = int64_t(rows) * cols;
  if (total == 0) return cudaSuccess;
  if (cols % 4 != 0) return cudaErrorInvalidValue;
  const DropoutParams params = make_params(probability, seed, offset);
  const int blocks = ceil_div(total, kThreads * 4);
  DISPATCH_DTYPE(dtype, T, {
    bias_dropout_residual_vec4_kernel<T><<<blocks < 4096 ? blocks : 4096, kThreads, 0, stream>>>(
        static_cast<T*>(out), mask, static_cast<const T*>(input), static_cast<const T*>(bias),
        static_cast<const T*>(residual), total, cols, params);
  });
  return cudaGetLastError();
}

// `mask_words` holds ceil(rows * cols / 32) words; `kept` one counter, which is set to zero first.
cudaError_t bias_dropout_residual_bitmask(void* out, unsigned* mask_words,
                                          unsigned long long* kept, const void* input,
                                          const void* bias, const void* residual, int rows,
                                          int cols, float probability, unsigned long long seed,
                                          unsigned long long offset, DType dtype,
                                          cudaStream_t stream) {
  RETURN_IF_CUDA_ERROR(cudaMemsetAsync(kept, 0, sizeof(*kept), stream));
  const int64_t total = int64_t(rows) * cols;
  if (total == 0) return cudaSuccess;
  const DropoutParams params = make_params(probability, seed, offset);
  DISPATCH_DTYPE(dtype, T, {
    bias_dropout_residual_bitmask_kernel<T><<<ceil_div(total, kThreads), kThreads, 0, stream>>>(
        static_cast<T*>(out), mask_words, kept, static_cast<const T*>(input),
        static_cast<const T*>(bias), static_cast<const T*>(residual), total, cols, params);
  });
  return cudaGetLastError();
}

cudaError_t dropout_backward_bitmask(void* grad_input, const void* grad, const unsigned* mask_words,
                                     int64_t total, float probability, DType dtype,
                                     cudaStream_t stream) {
  if (total == 0) return cudaSuccess;
  const float scale = make_params(probability, 0, 0).scale;
  const int blocks = ceil_div(total, kThreads);
  DISPATCH_DTYPE(dtype, T, {
    dropout_backward_bitmask_kernel<T><<<blocks < 1024 ? blocks : 1024, kThreads, 0, stream>>>(
        static_cast<T*>(grad_input), static_cast<const T*>(grad), mask_words, total, scale);
  });
  return cudaGetLastError();
}
