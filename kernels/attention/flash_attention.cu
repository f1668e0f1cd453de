// Attention without the matrix of scores: o = softmax(scale * q k^T) v, tile by tile, after Dao et
// al., "FlashAttention: fast and memory-efficient exact attention with IO-awareness" (2022).
//
// A block owns kBlockM queries of one head, four lanes a query, and walks over the keys in tiles of
// kBlockN that pass through shared memory. Each query keeps a running maximum and sum; what it has
// accumulated is rescaled when the maximum grows. Exponentials are taken to base two, which spares a
// product. The causal mask is aligned with the last key, so that a shorter query sees all the keys
// before it. Small heads only: everything else stays in registers.

#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

// Gives `CONST_NAME` as a compile-time constant to the callable that follows.
#define BOOL_SWITCH(COND, CONST_NAME, ...)      \
  [&] {                                         \
    if (COND) {                                 \
      constexpr static bool CONST_NAME = true;  \
      return __VA_ARGS__();                     \
    } else {                                    \
      constexpr static bool CONST_NAME = false; \
      return __VA_ARGS__();                     \
    }                                           \
  }()

#define HEADDIM_SWITCH(HEADDIM, ...)        \
  [&] {                                     \
    if (HEADDIM <= 32) {                    \
      constexpr static int kHeadDim = 32;   \
      return __VA_ARGS__();                 \
    } else {                                \
      constexpr static int kHeadDim = 64;   \
      return __VA_ARGS__();                 \
    }                                       \
  }()

namespace flash {

struct Qkv_params {
  using index_t = int64_t;
  // Tensors [batch, seqlen, heads, head_dim]; strides in elements.
  const void* __restrict__ q_ptr;
  const void* __restrict__ k_ptr;
  const void* __restrict__ v_ptr;

  index_t q_batch_stride, k_batch_stride, v_batch_stride;
  index_t q_row_stride, k_row_stride, v_row_stride;
  index_t q_head_stride, k_head_stride, v_head_stride;

  int h, h_k;  // heads of queries; of keys and values (each serves h / h_k queries' heads)
};

struct Flash_fwd_params : public Qkv_params {
  void* __restrict__ o_ptr;
  float* __restrict__ softmax_lse_ptr;  // [batch, heads, seqlen_q]
  index_t o_batch_stride, o_row_stride, o_head_stride;

  int seqlen_q, seqlen_k, d;
  float scale_softmax;
  float scale_softmax_log2;
};

template <typename Element_, int kHeadDim_, int kBlockM_, int kBlockN_>
struct Flash_fwd_kernel_traits {
  using Element = Element_;
  static constexpr int kHeadDim = kHeadDim_;
  static constexpr int kBlockM = kBlockM_;
  static constexpr int kBlockN = kBlockN_;
  static constexpr int kLanesPerRow = 4;
  static constexpr int kNThreads = kBlockM * kLanesPerRow;
  static constexpr int kPerLane = kHeadDim / kLanesPerRow;
  // 16 bytes, the size of an asynchronous copy.
  static constexpr int kVec = 16 / int(sizeof(Element));
  // Rows of a tile are padded by one copy against bank conflicts.
  static constexpr int kSmemStride = kHeadDim + kVec;
  static constexpr int kSmemSize = 2 * kBlockN * kSmemStride * int(sizeof(Element));
  static_assert(kHeadDim % kVec == 0 && kNThreads % 32 == 0, "whole copies, whole warps");
};

template <typename T>
__device__ __forceinline__ float convert_to_float(T x) {
  return float(x);
}

// The two halves of a query's four lanes, then its neighbours.
template <typename Operator>
__device__ __forceinline__ float quad_allreduce(float x, Operator& op) {
  x = op(x, __shfl_xor_sync(uint32_t(-1), x, 2));
  x = op(x, __shfl_xor_sync(uint32_t(-1), x, 1));
  return x;
}

struct SumOp {
  __device__ __forceinline__ float operator()(float const& x, float const& y) { return x + y; }
};

// Rows [first, first + kBlockN) of a matrix with `rows` rows and `d` columns into a tile; what lies
// outside is zero.
template <typename Traits>
__device__ __forceinline__ void copy_tile(typename Traits::Element* tile,
                                          const typename Traits::Element* matrix,
                                          const int64_t row_stride, const int first,
                                          const int rows, const int d) {
  constexpr int kVec = Traits::kVec;
  constexpr int kVecsPerRow = Traits::kHeadDim / kVec;
#pragma unroll
  for (int i = threadIdx.x; i < Traits::kBlockN * kVecsPerRow; i += Traits::kNThreads) {
    const int row = i / kVecsPerRow;
    const int col = i % kVecsPerRow * kVec;
    auto* target = tile + row * Traits::kSmemStride + col;
    if (first + row < rows && col < d) {
      __pipeline_memcpy_async(target, matrix + (first + row) * row_stride + col, 16);
    } else {
      *reinterpret_cast<uint4*>(target) = make_uint4(0u, 0u, 0u, 0u);
    }
  }
}

// Head dimensions are multiples of kVec; rows and heads are 16-byte aligned.
template <typename Kernel_traits, bool Is_causal>
__global__ void __launch_bounds__(Kernel_traits::kNThreads)
flash_fwd_kernel(const __grid_constant__ Flash_fwd_params params) {
  using Element = typename Kernel_traits::Element;
  using index_t = Flash_fwd_params::index_t;
  constexpr int kBlockM = Kernel_traits::kBlockM;
  constexpr int kBlockN = Kernel_traits::kBlockN;
  constexpr int kPerLane = Kernel_traits::kPerLane;
  constexpr int kLanes = Kernel_traits::kLanesPerRow;
  constexpr int kStride = Kernel_traits::kSmemStride;

  extern __shared__ __align__(16) char smem_[];
  Element* const sK = reinterpret_cast<Element*>(smem_);
  Element* const sV = sK + kBlockN * kStride;

  const int m_block = blockIdx.x;
  const int bidh = blockIdx.y;
  const int bidb = blockIdx.z;
  const int bidh_k = bidh / (params.h / params.h_k);

  const Element* gQ = static_cast<const Element*>(params.q_ptr) + bidb * params.q_batch_stride +
                      bidh * params.q_head_stride;
  const Element* gK = static_cast<const Element*>(params.k_ptr) + bidb * params.k_batch_stride +
                      bidh_k * params.k_head_stride;
  const Element* gV = static_cast<const Element*>(params.v_ptr) + bidb * params.v_batch_stride +
                      bidh_k * params.v_head_stride;

  const int row = m_block * kBlockM + threadIdx.x / kLanes;
  const int lane = threadIdx.x % kLanes;
  const bool live = row < params.seqlen_q;

  // Columns lane, lane + 4, ... of the query.
  float q[kPerLane];
  float acc_o[kPerLane];
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const int col = lane + i * kLanes;
    q[i] = live && col < params.d ? convert_to_float(gQ[row * params.q_row_stride + col]) : 0.f;
    acc_o[i] = 0.f;
  }
  float row_max = -INFINITY;
  float row_sum = 0.f;

  // How far this row, and the last one of the block, may look.
  const int shift = params.seqlen_k - params.seqlen_q;
  const int row_limit = Is_causal ? min(params.seqlen_k, row + 1 + shift) : params.seqlen_k;
  int n_block_max = (params.seqlen_k + kBlockN - 1) / kBlockN;
  if constexpr (Is_causal) {
    n_block_max = min(n_block_max, ((m_block + 1) * kBlockM + shift + kBlockN - 1) / kBlockN);
  }

  SumOp sum_op;
  for (int n_block = 0; n_block < n_block_max; ++n_block) {
    const int first = n_block * kBlockN;
    __syncthreads();
    copy_tile<Kernel_traits>(sK, gK, params.k_row_stride, first, params.seqlen_k, params.d);
    __pipeline_commit();
    copy_tile<Kernel_traits>(sV, gV, params.v_row_stride, first, params.seqlen_k, params.d);
    __pipeline_commit();

    // The scores need the keys alone.
    __pipeline_wait_prior(1);
    __syncthreads();
    float scores[kBlockN];
    float block_max = row_max;
#pragma unroll
    for (int n = 0; n < kBlockN; ++n) {
      float dot = 0.f;
#pragma unroll
      for (int i = 0; i < kPerLane; ++i) {
        dot += q[i] * convert_to_float(sK[n * kStride + lane + i * kLanes]);
      }
      dot = quad_allreduce(dot, sum_op);
      scores[n] = first + n < row_limit ? dot : -INFINITY;
      block_max = fmaxf(block_max, scores[n]);
    }

    // A row that has seen no key yet must not compute inf - inf.
    const float max_scaled =
        block_max == -INFINITY ? 0.f : block_max * params.scale_softmax_log2;
    const float correction = exp2f(row_max * params.scale_softmax_log2 - max_scaled);
    row_max = block_max;
    row_sum *= correction;
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) acc_o[i] *= correction;

    __pipeline_wait_prior(0);
    __syncthreads();
#pragma unroll
    for (int n = 0; n < kBlockN; ++n) {
      const float p = exp2f(scores[n] * params.scale_softmax_log2 - max_scaled);
      row_sum += p;
#pragma unroll
      for (int i = 0; i < kPerLane; ++i) {
        acc_o[i] += p * convert_to_float(sV[n * kStride + lane + i * kLanes]);
      }
    }
  }

  if (!live) return;
  const bool empty = row_sum == 0.f || row_sum != row_sum;
  const float inv_sum = empty ? 1.f : 1.f / row_sum;
  Element* gO = static_cast<Element*>(params.o_ptr) + bidb * params.o_batch_stride +
                row * params.o_row_stride + bidh * params.o_head_stride;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const int col = lane + i * kLanes;
    if (col < params.d) gO[col] = Element(acc_o[i] * inv_sum);
  }
  if (lane == 0) {
    const index_t at = (index_t(bidb) * params.h + bidh) * params.seqlen_q + row;
    params.softmax_lse_ptr[at] =
        empty ? INFINITY : row_max * params.scale_softmax + logf(row_sum);
  }
}

template <typename Kernel_traits>
void run_flash_fwd(Flash_fwd_params& params, int batch, bool is_causal, cudaStream_t stream) {
  constexpr size_t smem_size = Kernel_traits::kSmemSize;
  const int num_m_block = (params.seqlen_q + Kernel_traits::kBlockM - 1) / Kernel_traits::kBlockM;
  dim3 grid(num_m_block, params.h, batch);
  BOOL_SWITCH(is_causal, Is_causal, [&] {
    auto kernel = &flash_fwd_kernel<Kernel_traits, Is_causal>;
    if (smem_size >= 48 * 1024) {
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, smem_size);
    }
    kernel<<<grid, Kernel_traits::kNThreads, smem_size, stream>>>(params);
  });
}

}  // namespace flash

enum class AttentionDType { kFloat, kHalf };

cudaError_t flash_attention_forward(flash::Flash_fwd_params params, int batch,
                                    AttentionDType dtype, bool is_causal, cudaStream_t stream) {
  if (params.seqlen_q == 0 || batch == 0) return cudaSuccess;
  if (params.d > 64 || params.d % 8 != 0) return cudaErrorInvalidValue;
  params.scale_softmax_log2 = params.scale_softmax * float(M_LOG2E);
  HEADDIM_SWITCH(params.d, [&] {
    if (dtype == AttentionDType::kHalf) {
      flash::run_flash_fwd<flash::Flash_fwd_kernel_traits<half, kHeadDim, 32, 16>>(
          params, batch, is_causal, stream);
    } else {
      flash::run_flash_fwd<flash::Flash_fwd_kernel_traits<float, kHeadDim, 16, 16>>(
          params, batch, is_causal, stream);
    }
  });
  return cudaGetLastError();
}
