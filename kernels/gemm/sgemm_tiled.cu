// Single-precision matrix multiplication on the CUDA cores, row-major:
//
//   C[M, N] = alpha * op(A) * B + beta * C,   op(A)[M, K] = A[M, K] or the transpose of A[K, M]
//
//   gemm_tile_kernel       one element of C a thread, square tiles in shared memory
//   sgemm_blocked_kernel   a kThreadM x kThreadN block of C a thread, tiles streamed via registers

#include <cuda_runtime.h>

#define CEIL_DIV(n, d) (((n) + (d) - 1) / (d))
#define OFFSET(row, col, ld) (static_cast<size_t>(row) * (ld) + (col))

// `T` is float or double. The tile of A is padded: its transposed form is read down a column.
template <typename T, int kTile, bool kTransposeA>
__global__ void gemm_tile_kernel(int M, int N, int K, T alpha, const T* __restrict__ A, int lda,
                                 const T* __restrict__ B, int ldb, T beta, T* __restrict__ C,
                                 int ldc) {
  __shared__ T tile_a[kTile][kTile + 1];
  __shared__ T tile_b[kTile][kTile];

  const int tx = threadIdx.x, ty = threadIdx.y;
  const int row = blockIdx.y * kTile + ty;
  const int col = blockIdx.x * kTile + tx;

  T sum = T(0);
  for (int k0 = 0; k0 < K; k0 += kTile) {
    if constexpr (kTransposeA) {
      const int a_row = k0 + ty, a_col = blockIdx.y * kTile + tx;
      tile_a[tx][ty] = a_row < K && a_col < M ? A[OFFSET(a_row, a_col, lda)] : T(0);
    } else {
      const int a_col = k0 + tx;
      tile_a[ty][tx] = row < M && a_col < K ? A[OFFSET(row, a_col, lda)] : T(0);
    }
    const int b_row = k0 + ty;
    tile_b[ty][tx] = b_row < K && col < N ? B[OFFSET(b_row, col, ldb)] : T(0);
    __syncthreads();

#pragma unroll
    for (int k = 0; k < kTile; ++k) sum += tile_a[ty][k] * tile_b[k][tx];
    __syncthreads();
  }

  if (row >= M || col >= N) return;
  T* c = C + OFFSET(row, col, ldc);
  // With beta == 0, C is write-only: it may hold NaN.
  *c = beta == T(0) ? alpha * sum : alpha * sum + beta * *c;
}

// Loads four neighbours of a row, zero past the edge. kAligned promises that rows start on 16 bytes
// and that `limit` is a multiple of four.
template <bool kAligned>
__device__ __forceinline__ float4 load_row4(const float* __restrict__ matrix, int row, int rows,
                                            int col, int limit, int ld) {
  float4 v = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  if (row >= rows) return v;
  if constexpr (kAligned) {
    if (col < limit) v = *reinterpret_cast<const float4*>(&matrix[OFFSET(row, col, ld)]);
  } else {
    const float* p = matrix + OFFSET(row, col, ld);
    if (col + 0 < limit) v.x = __ldg(p + 0);
    if (col + 1 < limit) v.y = __ldg(p + 1);
    if (col + 2 < limit) v.z = __ldg(p + 2);
    if (col + 3 < limit) v.w = __ldg(p + 3);
  }
  return v;
}

// Block tile kBlockM x kBlockN, steps of kBlockK. While one tile is multiplied out of shared
// memory, the next one is on its way in registers.
template <int kBlockM, int kBlockN, int kBlockK, int kThreadM, int kThreadN, bool kAligned>
__global__ void __launch_bounds__((kBlockM / kThreadM) * (kBlockN / kThreadN))
sgemm_blocked_kernel(const int M, const int N, const int K, const float alpha,
                     const float* __restrict__ A, const int lda, const float* __restrict__ B,
                     const int ldb, const float beta, float* __restrict__ C, const int ldc) {
  constexpr int kThreads = (kBlockM / kThreadM) * (kBlockN / kThreadN);
  constexpr int kLoadsA = kBlockM * kBlockK / 4 / kThreads;
  constexpr int kLoadsB = kBlockK * kBlockN / 4 / kThreads;
  static_assert(kLoadsA >= 1 && kLoadsB >= 1, "each thread loads a float4 of both tiles");
  static_assert(kThreadM % 4 == 0 && kThreadN % 4 == 0, "fragments are read as float4");

  // A is kept transposed, so that a thread's fragment is contiguous.
  __shared__ __align__(16) float As[kBlockK][kBlockM + 4];
  __shared__ __align__(16) float Bs[kBlockK][kBlockN];

  const int tid = threadIdx.x;
  const int block_row = blockIdx.y * kBlockM;
  const int block_col = blockIdx.x * kBlockN;
  const int thread_row = tid / (kBlockN / kThreadN) * kThreadM;
  const int thread_col = tid % (kBlockN / kThreadN) * kThreadN;

  float4 next_a[kLoadsA];
  float4 next_b[kLoadsB];
  auto fetch = [&](int k0) {
#pragma unroll
    for (int i = 0; i < kLoadsA; ++i) {
      const int at = (tid + i * kThreads) * 4;
      next_a[i] = load_row4<kAligned>(A, block_row + at / kBlockK, M, k0 + at % kBlockK, K, lda);
    }
#pragma unroll
    for (int i = 0; i < kLoadsB; ++i) {
      const int at = (tid + i * kThreads) * 4;
      next_b[i] = load_row4<kAligned>(B, k0 + at / kBlockN, K, block_col + at % kBlockN, N, ldb);
    }
  };
  auto commit = [&] {
#pragma unroll
    for (int i = 0; i < kLoadsA; ++i) {
      const int at = (tid + i * kThreads) * 4;
      const int row = at / kBlockK, k = at % kBlockK;
      As[k + 0][row] = next_a[i].x;
      As[k + 1][row] = next_a[i].y;
      As[k + 2][row] = next_a[i].z;
      As[k + 3][row] = next_a[i].w;
    }
#pragma unroll
    for (int i = 0; i < kLoadsB; ++i) {
      const int at = (tid + i * kThreads) * 4;
      *reinterpret_cast<float4*>(&Bs[at / kBlockN][at % kBlockN]) = next_b[i];
    }
  };

  float accumulator[kThreadM][kThreadN] = {};
  float fragment_a[kThreadM];
  float fragment_b[kThreadN];

  fetch(0);
  for (int k0 = 0; k0 < K; k0 += kBlockK) {
    commit();
    __syncthreads();
    if (k0 + kBlockK < K) fetch(k0 + kBlockK);

#pragma unroll
    for (int k = 0; k < kBlockK; ++k) {
#pragma unroll
      for (int m = 0; m < kThreadM; m += 4) {
        *reinterpret_cast<float4*>(&fragment_a[m]) =
            *reinterpret_cast<const float4*>(&As[k][thread_row + m]);
      }
#pragma unroll
      for (int n = 0; n < kThreadN; n += 4) {
        *reinterpret_cast<float4*>(&fragment_b[n]) =
            *reinterpret_cast<const float4*>(&Bs[k][thread_col + n]);
      }
#pragma unroll
      for (int m = 0; m < kThreadM; ++m) {
#pragma unroll
        for (int n = 0; n < kThreadN; ++n) {
          accumulator[m][n] = fmaf(fragment_a[m], fragment_b[n], accumulator[m][n]);
        }
      }
    }
    __syncthreads();
  }

#pragma unroll
  for (int m = 0; m < kThreadM; ++m) {
    const int row = block_row + thread_row + m;
    if (row >= M) continue;
#pragma unroll
    for (int n = 0; n < kThreadN; ++n) {
      const int col = block_col + thread_col + n;
      if (col >= N) break;
      float& c = C[OFFSET(row, col, ldc)];
      const float product = alpha * accumulator[m][n];
      c = beta == 0.0f ? product : fmaf(beta, c, product);
    }
  }
}

cudaError_t sgemm(bool transpose_a, int M, int N, int K, float alpha, const float* A, int lda,
                  const float* B, int ldb, float beta, float* C, int ldc, cudaStream_t stream) {
  if (M == 0 || N == 0) return cudaSuccess;
  if (transpose_a || M < 64 || N < 64) {
    constexpr int kTile = 16;
    const dim3 block(kTile, kTile);
    const dim3 grid(CEIL_DIV(N, kTile), CEIL_DIV(M, kTile));
    if (transpose_a) {
      gemm_tile_kernel<float, kTile, true>
          <<<grid, block, 0, stream>>>(M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
    } else {
      gemm_tile_kernel<float, kTile, false>
          <<<grid, block, 0, stream>>>(M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
    }
    return cudaGetLastError();
  }

  const auto aligned16 = [](const float* p, int ld) {
    return reinterpret_cast<size_t>(p) % 16 == 0 && ld % 4 == 0;
  };
  const dim3 grid(CEIL_DIV(N, 64), CEIL_DIV(M, 64));
  if (K % 4 == 0 && N % 4 == 0 && aligned16(A, lda) && aligned16(B, ldb)) {
    sgemm_blocked_kernel<64, 64, 16, 4, 4, true>
        <<<grid, 256, 0, stream>>>(M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
  } else {
    sgemm_blocked_kernel<64, 64, 16, 4, 4, false>
        <<<grid, 256, 0, stream>>>(M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
  }
  return cudaGetLastError();
}
