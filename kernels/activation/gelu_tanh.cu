// GELU in its tanh approximation, element by element, and its gradient.
//
//   gelu(x)  = x / 2 * (1 + tanh(u)),  u = sqrt(2 / pi) * (x + 0.044715 x^3)
//
// The forward pass goes through a generic element-wise kernel: every block owns a contiguous piece
// of the tensor, whole pieces are moved by vectors, the last one element by element. The gradient
// is a grid-stride loop that may write over the incoming gradient.

#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define GELU_SCALE 0.79788456080286535588f  // sqrt(2 / pi)
#define GELU_CUBIC 0.044715f

namespace elementwise {

constexpr int num_threads = 128;
constexpr int thread_work_size = 4;
constexpr int block_work_size = num_threads * thread_work_size;

template <typename scalar_t, int vec_size>
struct alignas(sizeof(scalar_t) * vec_size) aligned_vector {
  scalar_t val[vec_size];
};

// Loads and stores of a full piece of block_work_size elements.
template <int vec_size>
struct vectorized_policy {
  static_assert(thread_work_size % vec_size == 0, "a thread moves whole vectors");
  static constexpr int loop_size = thread_work_size / vec_size;

  template <typename scalar_t>
  __device__ inline void load(scalar_t (&values)[thread_work_size], const scalar_t* from) const {
    using vec_t = aligned_vector<scalar_t, vec_size>;
    const vec_t* source = reinterpret_cast<const vec_t*>(from);
#pragma unroll
    for (int i = 0; i < loop_size; i++) {
      const vec_t v = source[threadIdx.x + i * num_threads];
#pragma unroll
      for (int j = 0; j < vec_size; j++) values[vec_size * i + j] = v.val[j];
    }
  }

  template <typename scalar_t>
  __device__ inline void store(scalar_t* to, const scalar_t (&values)[thread_work_size]) const {
    using vec_t = aligned_vector<scalar_t, vec_size>;
    vec_t* target = reinterpret_cast<vec_t*>(to);
#pragma unroll
    for (int i = 0; i < loop_size; i++) {
      vec_t v;
#pragma unroll
      for (int j = 0; j < vec_size; j++) v.val[j] = values[vec_size * i + j];
      target[threadIdx.x + i * num_threads] = v;
    }
  }
};

// The same for the piece at the end, of which `remaining` elements exist.
struct tail_policy {
  int remaining;

  __device__ explicit tail_policy(int remaining) : remaining(remaining) {}

  template <typename scalar_t>
  __device__ inline void load(scalar_t (&values)[thread_work_size], const scalar_t* from) const {
    int index = threadIdx.x;
#pragma unroll
    for (int i = 0; i < thread_work_size; i++) {
      if (index >= remaining) return;
      values[i] = from[index];
      index += num_threads;
    }
  }

  template <typename scalar_t>
  __device__ inline void store(scalar_t* to, const scalar_t (&values)[thread_work_size]) const {
    int index = threadIdx.x;
#pragma unroll
    for (int i = 0; i < thread_work_size; i++) {
      if (index >= remaining) return;
      to[index] = values[i];
      index += num_threads;
    }
  }
};

template <typename func_t, typename scalar_t, typename policy_t>
__device__ inline void apply_piece(const func_t& f, scalar_t* out, const scalar_t* in,
                                   const policy_t policy) {
  scalar_t values[thread_work_size] = {};
  policy.load(values, in);
#pragma unroll
  for (int i = 0; i < thread_work_size; i++) values[i] = f(values[i]);
  policy.store(out, values);
}

template <int vec_size, typename func_t, typename scalar_t>
__global__ void __launch_bounds__(num_threads)
unary_kernel(int64_t n, func_t f, scalar_t* out, const scalar_t* in) {
  const int64_t first = static_cast<int64_t>(block_work_size) * blockIdx.x;
  const int64_t remaining = n - first;
  if (remaining >= block_work_size) {
    apply_piece(f, out + first, in + first, vectorized_policy<vec_size>());
  } else {
    apply_piece(f, out + first, in + first, tail_policy(static_cast<int>(remaining)));
  }
}

// The widest vector, in elements, that `pointer` is aligned for.
template <typename scalar_t>
int vector_size_for(const void* pointer) {
  const uint64_t address = reinterpret_cast<uint64_t>(pointer);
  if (address % alignof(aligned_vector<scalar_t, 4>) == 0) return 4;
  if (address % alignof(aligned_vector<scalar_t, 2>) == 0) return 2;
  return 1;
}

template <typename func_t, typename scalar_t>
cudaError_t launch_unary(int64_t n, const func_t& f, scalar_t* out, const scalar_t* in,
                         cudaStream_t stream) {
  const unsigned grid = static_cast<unsigned>((n + block_work_size - 1) / block_work_size);
  const int out_size = vector_size_for<scalar_t>(out);
  const int in_size = vector_size_for<scalar_t>(in);
  switch (out_size < in_size ? out_size : in_size) {
    case 4:
      unary_kernel<4, func_t, scalar_t><<<grid, num_threads, 0, stream>>>(n, f, out, in);
      break;
    case 2:
      unary_kernel<2, func_t, scalar_t><<<grid, num_threads, 0, stream>>>(n, f, out, in);
      break;
    case 1:
      unary_kernel<1, func_t, scalar_t><<<grid, num_threads, 0, stream>>>(n, f, out, in);
      break;
    default:
      return cudaErrorInvalidValue;
  }
  return cudaGetLastError();
}

}  // namespace elementwise

// Arithmetic is done in float whatever the storage type is.
template <typename scalar_t>
struct GeluTanh {
  __device__ __forceinline__ scalar_t operator()(scalar_t value) const {
    const float x = static_cast<float>(value);
    const float cube = GELU_CUBIC * x * x * x;
    return static_cast<scalar_t>(0.5f * x * (1.0f + tanhf(GELU_SCALE * (x + cube))));
  }
};

// tanh by one exponential and one division: 1 - 2 / (exp(2 u) + 1). The error near zero, absolute
// and about one float ulp of 1, is scaled by x.
template <typename scalar_t>
struct GeluTanhFast {
  float scale;
  float cubic;

  __device__ __forceinline__ scalar_t operator()(scalar_t value) const {
    const float x = static_cast<float>(value);
    const float u = scale * fmaf(cubic * x * x, x, x);
    const float tanh_u = 1.0f - __fdividef(2.0f, __expf(2.0f * u) + 1.0f);
    return static_cast<scalar_t>(0.5f * x * (1.0f + tanh_u));
  }
};

// grad_in = grad_out * gelu'(x). `grad_in` and `grad_out` may be the same buffer, so neither is
// __restrict__.
template <typename scalar_t>
__global__ void gelu_tanh_backward_kernel(scalar_t* grad_in, const scalar_t* __restrict__ x,
                                          const scalar_t* grad_out, const size_t n) {
  const size_t stride = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < n; i += stride) {
    const float v = static_cast<float>(x[i]);
    const float square = v * v;
    const float t = tanhf(GELU_SCALE * (v + GELU_CUBIC * square * v));
    const float slope = GELU_SCALE * (1.0f + 3.0f * GELU_CUBIC * square);
    const float derivative = 0.5f * (1.0f + t) + 0.5f * v * (1.0f - t * t) * slope;
    grad_in[i] = static_cast<scalar_t>(derivative * static_cast<float>(grad_out[i]));
  }
}

template <typename scalar_t>
cudaError_t gelu_tanh_backward(scalar_t* grad_in, const scalar_t* x, const scalar_t* grad_out,
                               size_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  constexpr int block = 256;
  const size_t wanted = (n + block - 1) / block;
  const int grid = static_cast<int>(wanted < 4096 ? wanted : 4096);
  gelu_tanh_backward_kernel<<<grid, block, 0, stream>>>(grad_in, x, grad_out, n);
  return cudaGetLastError();
}

cudaError_t gelu_tanh_f32(float* out, const float* in, int64_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  return elementwise::launch_unary(n, GeluTanh<float>(), out, in, stream);
}

cudaError_t gelu_tanh_f16(half* out, const half* in, int64_t n, bool fast, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  if (fast) {
    const GeluTanhFast<half> f = {GELU_SCALE, GELU_CUBIC};
    return elementwise::launch_unary(n, f, out, in, stream);
  }
  return elementwise::launch_unary(n, GeluTanh<half>(), out, in, stream);
}

template cudaError_t gelu_tanh_backward<float>(float*, const float*, const float*, size_t,
                                               cudaStream_t);
template cudaError_t gelu_tanh_backward<__nv_bfloat16>(__nv_bfloat16*, const __nv_bfloat16*,
                                                       const __nv_bfloat16*, size_t, cudaStream_t);
