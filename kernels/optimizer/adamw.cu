// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019), one kernel for
// the whole update, with the clipping of gradients by their global norm that goes before it.
//
//   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
//   p = p - lr * (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * p)
//
// Parameters may be bfloat16, with or without a float master copy; without one they are rounded
// stochastically, so that updates smaller than half a step are not lost on average.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#define CUDA_CHECK(call)                                                              \
  do {                                                                                \
    cudaError_t err = (call);                                                         \
    if (err != cudaSuccess) {                                                         \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cudaGetErrorString(err));    \
      exit(EXIT_FAILURE);                                                             \
    }                                                                                 \
  } while (0)

struct AdamWConfig {
  float learning_rate;
  float beta1;
  float beta2;
  float beta1_correction;  // 1 - beta1^t
  float beta2_correction;  // 1 - beta2^t
  float eps;
  float weight_decay;
};

// ---------------------------------------------------------------------------------------------
// Rounding

// A well mixed word for each pair of position and seed.
__device__ static inline uint32_t position_noise(uint32_t position, uint32_t seed) {
  uint32_t x = position * 0x9E3779B1u + seed;
  x ^= x >> 15;
  x *= 0x85EBCA77u;
  x ^= x >> 13;
  x *= 0xC2B2AE3Du;
  x ^= x >> 16;
  return x;
}

__device__ static inline void store_rounded(float value, float* out, uint32_t, uint32_t) {
  *out = value;
}

// Up with the probability that the dropped bits stand for.
__device__ static inline void store_rounded(float value, __nv_bfloat16* out, uint32_t position,
                                            uint32_t seed) {
  const uint32_t threshold = position_noise(position, seed) & 0xFFFFu;
  uint32_t bits = __float_as_uint(value);
  bits += threshold;
  bits &= 0xFFFF0000u;
  *out = __float2bfloat16_rn(__uint_as_float(bits));
}

// start + weight * (end - start) in two fused operations.
__device__ static inline float lerp(float start, float end, float weight) {
  return fmaf(weight, end, fmaf(-weight, start, start));
}

// ---------------------------------------------------------------------------------------------
// The update of one element; `p` in, the new value out.

__device__ static inline float adamw_element(float p, float grad, float& m, float& v,
                                             const AdamWConfig& config) {
  m = lerp(grad, m, config.beta1);
  v = lerp(grad * grad, v, config.beta2);
  const float m_hat = m / config.beta1_correction;
  const float v_hat = v / config.beta2_correction;
  return p - config.learning_rate * (m_hat / (sqrtf(v_hat) + config.eps) + config.weight_decay * p);
}

// gridDim.y counts tensors' slices that lie `w_stride` (parameters), `g_stride` (gradients) and
// `s_stride` (states) elements apart. `master` may be null.
template <typename Tp, typename Tg>
__global__ void adamw_kernel(Tp* params_memory, float* master_params_memory,
                             const Tg* grads_memory, float* m_memory, float* v_memory,
                             size_t num_parameters, ptrdiff_t w_stride, ptrdiff_t g_stride,
                             ptrdiff_t s_stride, const float* __restrict__ grad_scale,
                             AdamWConfig config, unsigned int seed) {
  const size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
  if (i >= num_parameters) return;

  Tp* params = params_memory + blockIdx.y * w_stride;
  float* master = NULL;
  if (master_params_memory != NULL) master = master_params_memory + blockIdx.y * s_stride;
  const float grad = *grad_scale * (float)grads_memory[blockIdx.y * g_stride + i];
  float* m = m_memory + blockIdx.y * s_stride;
  float* v = v_memory + blockIdx.y * s_stride;

  const float old_param = (master != NULL) ? master[i] : (float)params[i];
  float m_i = m[i];
  float v_i = v[i];
  const float param = adamw_element(old_param, grad, m_i, v_i, config);
  m[i] = m_i;
  v[i] = v_i;

  if (master != NULL) {
    // With a master copy nothing is lost: round to nearest.
    params[i] = (Tp)param;
    master[i] = param;
  } else {
    store_rounded(param, &params[i], (uint32_t)(i + blockIdx.y * num_parameters), seed);
  }
}

// Four neighbouring float parameters a thread; everything is 16-byte aligned and n % 4 == 0.
__global__ void adamw_float4_kernel(float4* __restrict__ params, const float4* __restrict__ grads,
                                    float4* __restrict__ m, float4* __restrict__ v, int n4,
                                    const float* __restrict__ grad_scale,
                                    const __grid_constant__ AdamWConfig config) {
  const float scale = __ldg(grad_scale);
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n4; i += gridDim.x * blockDim.x) {
    const float4 g = grads[i];
    float4 p = params[i], m4 = m[i], v4 = v[i];
#define UPDATE(component)                                                               \
  p.component = adamw_element(p.component, scale * g.component, m4.component, v4.component, config)
    UPDATE(x);
    UPDATE(y);
    UPDATE(z);
    UPDATE(w);
#undef UPDATE
    params[i] = p;
    m[i] = m4;
    v[i] = v4;
  }
}

// ---------------------------------------------------------------------------------------------
// Global norm

// partial[block] = sum of the squares that this block has seen.
template <typename T>
__global__ void grad_norm_squared_kernel(float* partial, const T* grads, size_t count) {
  __shared__ float warp_sums[32];
  size_t index = blockIdx.x * blockDim.x + threadIdx.x;
  const size_t grid_width = blockDim.x * gridDim.x;

  float accumulator = 0.f;
  for (; index < count; index += grid_width) {
    accumulator += (float)grads[index] * (float)grads[index];
  }

  for (int offset = 16; offset > 0; offset /= 2) {
    accumulator += __shfl_xor_sync(0xFFFFFFFF, accumulator, offset);
  }
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = accumulator;
  __syncthreads();
  if (threadIdx.x == 0) {
    float sum = 0.f;
    for (int w = 0; w < blockDim.x / 32; w++) sum += warp_sums[w];
    partial[blockIdx.x] = sum;
  }
}

// One warp: scale = min(1, max_norm / norm) from at most 32 k partial sums.
__global__ void clip_scale_kernel(float* scale, const float* partial, int blocks, float max_norm) {
  double sum = 0.0;
  for (int i = threadIdx.x; i < blocks; i += 32) sum += partial[i];
#pragma unroll
  for (int offset = 1; offset < 32; offset *= 2) sum += __shfl_xor_sync(~0, sum, offset);
  if (threadIdx.x == 0) {
    const float norm = (float)sqrt(sum);
    *scale = norm > max_norm ? max_norm / norm : 1.0f;
  }
}

// ---------------------------------------------------------------------------------------------
// Launchers

template <typename Tp, typename Tg>
void adamw_update(Tp* params, float* master_params, const Tg* grads, float* m, float* v,
                  size_t num_parameters, ptrdiff_t w_stride, ptrdiff_t g_stride,
                  ptrdiff_t s_stride, int num_slices, const float* grad_scale,
                  const AdamWConfig& config, unsigned int seed, cudaStream_t stream) {
  const int block_size = 512;
  const int num_blocks = (int)((num_parameters + block_size - 1) / block_size);
  if (num_blocks == 0 || num_slices == 0) return;
  adamw_kernel<<<dim3(num_blocks, num_slices), block_size, 0, stream>>>(
      params, master_params, grads, m, v, num_parameters, w_stride, g_stride, s_stride, grad_scale,
      config, seed);
  CUDA_CHECK(cudaGetLastError());
}

template void adamw_update<float, float>(float*, float*, const float*, float*, float*, size_t,
                                         ptrdiff_t, ptrdiff_t, ptrdiff_t, int, const float*,
                                         const AdamWConfig&, unsigned int, cudaStream_t);
template void adamw_update<__nv_bfloat16, __nv_bfloat16>(__nv_bfloat16*, float*,
                                                         const __nv_bfloat16*, float*, float*,
                                                         size_t, ptrdiff_t, ptrdiff_t, ptrdiff_t,
                                                         int, const float*, const AdamWConfig&,
                                                         unsigned int, cudaStream_t);

void adamw_update_aligned(float* params, const float* grads, float* m, float* v, int n,
                          const float* grad_scale, const AdamWConfig& config,
                          cudaStream_t stream) {
  const int n4 = n / 4;
  if (n4 == 0) return;
  int blocks = (n4 + 255) / 256;
  if (blocks > 1024) blocks = 1024;
  adamw_float4_kernel<<<blocks, 256, 0, stream>>>((float4*)params, (const float4*)grads,
                                                  (float4*)m, (float4*)v, n4, grad_scale, config);
  CUDA_CHECK(cudaGetLastError());
}

template <typename T>
void gradient_clip_scale(float* scale, float* partial, const T* grads, size_t count, int blocks,
                         float max_norm, cudaStream_t stream) {
  const int block_size = 128;
  grad_norm_squared_kernel<T><<<blocks, block_size, 0, stream>>>(partial, grads, count);
  CUDA_CHECK(cudaGetLastError());
  clip_scale_kernel<<<1, 32, 0, stream>>>(scale, partial, blocks, max_norm);
  CUDA_CHECK(cudaGetLastError());
}

template void gradient_clip_scale(float*, float*, const float*, size_t, int, float, cudaStream_t);
template void gradient_clip_scale(float*, float*, const __nv_bfloat16*, size_t, int, float,
                                  cudaStream_t);
