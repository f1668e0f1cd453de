// residual += input;  input = rms_norm(residual) * weight, both in place.
//
// The two-byte types take the packed kernel: eight elements a transaction, the sum and both products
// rounded to the storage type pair by pair, as a model trained in that type computes them. Float,
// odd sizes and misaligned rows take the generic kernel, which rounds once.

#include <cstdint>
#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace rmsnorm {

// What the packed kernel needs to know of a type. `exists` is false where there is no packed form.
template <typename torch_type>
struct TypeConvert {
  static constexpr bool exists = false;
};

template <>
struct TypeConvert<__half> {
  static constexpr bool exists = true;
  using scalar = __half;
  using packed = __half2;

  __device__ static inline float widen(scalar x) { return __half2float(x); }
  __device__ static inline scalar narrow(float x) { return __float2half_rn(x); }
  __device__ static inline float2 widen(packed x) { return __half22float2(x); }
  __device__ static inline packed narrow(float2 x) { return __float22half2_rn(x); }
  __device__ static inline packed add(packed a, packed b) { return __hadd2(a, b); }
  __device__ static inline packed mul(packed a, packed b) { return __hmul2(a, b); }
};

template <>
struct TypeConvert<__nv_bfloat16> {
  static constexpr bool exists = true;
  using scalar = __nv_bfloat16;
  using packed = __nv_bfloat162;

  __device__ static inline float widen(scalar x) { return __bfloat162float(x); }
  __device__ static inline scalar narrow(float x) { return __float2bfloat16_rn(x); }
  __device__ static inline float2 widen(packed x) { return __bfloat1622float2(x); }
  __device__ static inline packed narrow(float2 x) { return __float22bfloat162_rn(x); }
  // Through float, which gives the same bits and exists on every chip.
  __device__ static inline packed add(packed a, packed b) {
    const float2 x = widen(a), y = widen(b);
    return __floats2bfloat162_rn(x.x + y.x, x.y + y.y);
  }
  __device__ static inline packed mul(packed a, packed b) {
    const float2 x = widen(a), y = widen(b);
    return __floats2bfloat162_rn(x.x * y.x, x.y * y.y);
  }
};

// `width` elements as pairs, one transaction.
template <typename scalar_t, int width>
struct alignas(sizeof(scalar_t) * width) PackedVec {
  static_assert(width > 0 && width % 2 == 0, "pairs");
  using Convert = TypeConvert<scalar_t>;
  using packed = typename Convert::packed;
  static constexpr int pairs = width / 2;

  packed data[pairs];

  __device__ PackedVec& operator+=(const PackedVec& other) {
#pragma unroll
    for (int i = 0; i < pairs; ++i) data[i] = Convert::add(data[i], other.data[i]);
    return *this;
  }

  __device__ PackedVec& operator*=(const PackedVec& other) {
#pragma unroll
    for (int i = 0; i < pairs; ++i) data[i] = Convert::mul(data[i], other.data[i]);
    return *this;
  }

  __device__ PackedVec& operator*=(const float scale) {
#pragma unroll
    for (int i = 0; i < pairs; ++i) {
      float2 wide = Convert::widen(data[i]);
      wide.x *= scale;
      wide.y *= scale;
      data[i] = Convert::narrow(wide);
    }
    return *this;
  }

  __device__ float sum_squares() const {
    float result = 0.0f;
#pragma unroll
    for (int i = 0; i < pairs; ++i) {
      const float2 wide = Convert::widen(data[i]);
      result += wide.x * wide.x + wide.y * wide.y;
    }
    return result;
  }
};

static_assert(std::is_trivially_destructible<PackedVec<__half, 8>>::value, "plain data");
static_assert(sizeof(PackedVec<__half, 8>) == 16 && alignof(PackedVec<__half, 8>) == 16, "");

// A sum over a block of any number of threads, with the interface of a block-wide primitive: the
// caller owns the storage.
class BlockReduce {
 public:
  struct TempStorage {
    float warp_sums[32];
  };

  __device__ explicit BlockReduce(TempStorage& storage) : storage_(storage) {}

  // The result is valid in thread 0.
  __device__ float Sum(float value) {
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32;
    const int first_of_warp = warp * 32;
    const int left = static_cast<int>(blockDim.x) - first_of_warp;

    value = warp_sum(value, lane, left < 32 ? left : 32);
    if (lane == 0) storage_.warp_sums[warp] = value;
    __syncthreads();

    if (warp == 0) {
      const int warps = (blockDim.x + 31) / 32;
      const int lanes = blockDim.x < 32 ? static_cast<int>(blockDim.x) : 32;
      value = lane < warps ? storage_.warp_sums[lane] : 0.0f;
      value = warp_sum(value, lane, lanes);
    }
    return value;
  }

 private:
  // Lanes from `lanes` on do not exist: the last warp may be partial.
  __device__ static float warp_sum(float value, int lane, int lanes) {
    const unsigned mask = 0xffffffffu >> (32 - lanes);
    for (int offset = 16; offset > 0; offset >>= 1) {
      const bool has_other = lane + offset < lanes;
      const float other = __shfl_sync(mask, value, has_other ? lane + offset : lane);
      if (has_other) value += other;
    }
    return value;
  }

  TempStorage& storage_;
};

// Packed form: rows of the residual are contiguous, those of the input `input_stride` apart.
template <typename scalar_t, int width>
__global__ std::enable_if_t<(width > 0) && TypeConvert<scalar_t>::exists>
fused_add_rms_norm_kernel(scalar_t* __restrict__ input,  // [..., hidden_size]
                          const int64_t input_stride,
                          scalar_t* __restrict__ residual,      // [..., hidden_size]
                          const scalar_t* __restrict__ weight,  // [hidden_size]
                          const float epsilon, const int num_tokens, const int hidden_size) {
  using vec_t = PackedVec<scalar_t, width>;
  const int vec_hidden_size = hidden_size / width;
  const int64_t vec_input_stride = input_stride / width;
  __shared__ float s_variance;
  __shared__ BlockReduce::TempStorage reduce_storage;
  float variance = 0.0f;

  // The pointers may alias as far as the compiler knows; they do not.
  auto* __restrict__ input_v = reinterpret_cast<vec_t*>(input);
  auto* __restrict__ residual_v = reinterpret_cast<vec_t*>(residual);
  auto* __restrict__ weight_v = reinterpret_cast<const vec_t*>(weight);

  for (int idx = threadIdx.x; idx < vec_hidden_size; idx += blockDim.x) {
    const int64_t id = static_cast<int64_t>(blockIdx.x) * vec_hidden_size + idx;
    vec_t temp = input_v[blockIdx.x * vec_input_stride + idx];
    temp += residual_v[id];
    variance += temp.sum_squares();
    residual_v[id] = temp;
  }

  variance = BlockReduce(reduce_storage).Sum(variance);
  if (threadIdx.x == 0) s_variance = rsqrtf(variance / hidden_size + epsilon);
  __syncthreads();

  for (int idx = threadIdx.x; idx < vec_hidden_size; idx += blockDim.x) {
    const int64_t id = static_cast<int64_t>(blockIdx.x) * vec_hidden_size + idx;
    vec_t temp = residual_v[id];
    temp *= s_variance;
    temp *= weight_v[idx];
    input_v[blockIdx.x * vec_input_stride + idx] = temp;
  }
  (void)num_tokens;
}

// Generic form.
template <typename scalar_t, int width>
__global__ std::enable_if_t<(width == 0) || !TypeConvert<scalar_t>::exists>
fused_add_rms_norm_kernel(scalar_t* __restrict__ input, const int64_t input_stride,
                          scalar_t* __restrict__ residual, const scalar_t* __restrict__ weight,
                          const float epsilon, const int num_tokens, const int hidden_size) {
  __shared__ float s_variance;
  __shared__ BlockReduce::TempStorage reduce_storage;
  float variance = 0.0f;

  for (int idx = threadIdx.x; idx < hidden_size; idx += blockDim.x) {
    const int64_t id = static_cast<int64_t>(blockIdx.x) * hidden_size + idx;
    scalar_t z = input[blockIdx.x * input_stride + idx];
    z = static_cast<scalar_t>(static_cast<float>(z) + static_cast<float>(residual[id]));
    const float x = static_cast<float>(z);
    variance += x * x;
    residual[id] = z;
  }

  BlockReduce reduce(reduce_storage);
  variance = reduce.Sum(variance);
  if (threadIdx.x == 0) s_variance = rsqrtf(variance / hidden_size + epsilon);
  __syncthreads();

  for (int idx = threadIdx.x; idx < hidden_size; idx += blockDim.x) {
    const float x =
        static_cast<float>(residual[static_cast<int64_t>(blockIdx.x) * hidden_size + idx]);
    input[blockIdx.x * input_stride + idx] =
        static_cast<scalar_t>(x * s_variance * static_cast<float>(weight[idx]));
  }
  (void)num_tokens;
}

enum class ScalarType : int8_t { Float, Half, BFloat16 };

inline bool is_16byte_aligned(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0;
}

}  // namespace rmsnorm

#define DISPATCH_CASE(TYPE, SCALAR, ...) \
  case rmsnorm::ScalarType::TYPE: {      \
    using scalar_t = SCALAR;             \
    __VA_ARGS__();                       \
    break;                               \
  }

#define DISPATCH_FLOATING_TYPES(SCALAR_TYPE, ...)       \
  switch (SCALAR_TYPE) {                                \
    DISPATCH_CASE(Float, float, __VA_ARGS__)            \
    DISPATCH_CASE(Half, __half, __VA_ARGS__)            \
    DISPATCH_CASE(BFloat16, __nv_bfloat16, __VA_ARGS__) \
  }

#define LAUNCH_FUSED_ADD_RMS_NORM(width)                                               \
  DISPATCH_FLOATING_TYPES(type, [&] {                                                  \
    rmsnorm::fused_add_rms_norm_kernel<scalar_t, width><<<grid, block, 0, stream>>>(   \
        static_cast<scalar_t*>(input), input_stride, static_cast<scalar_t*>(residual), \
        static_cast<const scalar_t*>(weight), epsilon, num_tokens, hidden_size);       \
  });

void fused_add_rms_norm(void* input, int64_t input_stride, void* residual, const void* weight,
                        float epsilon, int num_tokens, int hidden_size, rmsnorm::ScalarType type,
                        cudaStream_t stream) {
  if (num_tokens == 0 || hidden_size == 0) return;
  const dim3 grid(num_tokens);
  // With few tokens a large block hides latency; with many, small blocks fill the chip better.
  const int max_block_size = (num_tokens < 256) ? 1024 : 256;
  const dim3 block(hidden_size < max_block_size ? hidden_size : max_block_size);

  const bool aligned = rmsnorm::is_16byte_aligned(input) && rmsnorm::is_16byte_aligned(residual) &&
                       rmsnorm::is_16byte_aligned(weight);
  if (aligned && hidden_size % 8 == 0 && input_stride % 8 == 0) {
    LAUNCH_FUSED_ADD_RMS_NORM(8);
  } else {
    LAUNCH_FUSED_ADD_RMS_NORM(0);
  }
}
