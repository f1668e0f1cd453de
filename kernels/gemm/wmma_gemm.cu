// Half-precision matrix multiplication on the tensor cores, accumulated in float:
//
//   C[M, N] = alpha * A[M, K] * B[K, N] + bias[N]
//
// A and C are row-major; B is row-major [K, N], or column-major, which is how linear layers keep
// their weights [N, K]. Matrices of any size: tiles are staged through shared memory, zero past the
// edges, and leave through shared memory, so that no fragment touches memory it does not own.

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mma.h>

using namespace nvcuda;

namespace {

constexpr int kWarpSize = 32;
constexpr int kFragment = 16;                   // wmma 16x16x16
constexpr int kWarpsM = 2, kWarpsN = 2;         // warps of a block
constexpr int kFragmentsM = 2, kFragmentsN = 2;  // fragments of a warp
constexpr int kBlockM = kWarpsM * kFragmentsM * kFragment;
constexpr int kBlockN = kWarpsN * kFragmentsN * kFragment;
constexpr int kBlockK = 32;
constexpr int kThreads = kWarpsM * kWarpsN * kWarpSize;

// Rows are padded by 16 bytes: consecutive rows then start in different banks, and the leading
// dimension stays a multiple of 16 bytes, as load_matrix_sync requires.
constexpr int kPadHalf = 8;
constexpr int kPadFloat = 4;

// Copies the kRows x kCols corner at (row0, col0) of a rows x cols matrix to shared memory.
template <int kRows, int kCols, int kLd>
__device__ __forceinline__ void stage_tile(half* __restrict__ tile, const half* __restrict__ matrix,
                                           int row0, int col0, int rows, int cols) {
  for (int i = threadIdx.x; i < kRows * kCols; i += kThreads) {
    const int r = i / kCols;
    const int c = i % kCols;
    const bool inside = row0 + r < rows && col0 + c < cols;
    tile[r * kLd + c] =
        inside ? matrix[static_cast<size_t>(row0 + r) * cols + col0 + c] : __float2half(0.0f);
  }
}

__device__ __forceinline__ void store_element(float* p, float v) { *p = v; }
__device__ __forceinline__ void store_element(half* p, float v) { *p = __float2half(v); }

}  // namespace

// How a tile of B lies in shared memory, for either layout of B in global memory.
template <typename Layout>
struct TileB;

template <>
struct TileB<wmma::row_major> {  // [K, N]
  static constexpr int rows = kBlockK, cols = kBlockN, ld = kBlockN + kPadHalf;
  __device__ static void stage(half* tile, const half* B, int k0, int n0, int K, int N) {
    stage_tile<rows, cols, ld>(tile, B, k0, n0, K, N);
  }
  __device__ static const half* fragment(const half* tile, int k, int n) {
    return tile + k * ld + n;
  }
};

template <>
struct TileB<wmma::col_major> {  // [N, K]
  static constexpr int rows = kBlockN, cols = kBlockK, ld = kBlockK + kPadHalf;
  __device__ static void stage(half* tile, const half* B, int k0, int n0, int K, int N) {
    stage_tile<rows, cols, ld>(tile, B, n0, k0, N, K);
  }
  __device__ static const half* fragment(const half* tile, int k, int n) {
    return tile + n * ld + k;
  }
};

// LayoutB is wmma::row_major or wmma::col_major. `bias` may be null.
template <typename OutT, typename LayoutB>
__global__ void __launch_bounds__(kThreads)
wmma_gemm_kernel(const half* __restrict__ A, const half* __restrict__ B,
                 const float* __restrict__ bias, OutT* __restrict__ C, int M, int N, int K,
                 float alpha) {
  using Tile = TileB<LayoutB>;
  constexpr int kLdA = kBlockK + kPadHalf;
  constexpr int kLdC = kBlockN + kPadFloat;
  __shared__ __align__(32) half tile_a[kBlockM * kLdA];
  __shared__ __align__(32) half tile_b[Tile::rows * Tile::ld];
  __shared__ __align__(32) float tile_c[kBlockM * kLdC];

  const int block_row = blockIdx.y * kBlockM;
  const int block_col = blockIdx.x * kBlockN;
  const int warp = threadIdx.x / kWarpSize;
  const int warp_row = warp / kWarpsN * kFragmentsM * kFragment;
  const int warp_col = warp % kWarpsN * kFragmentsN * kFragment;

  wmma::fragment<wmma::accumulator, kFragment, kFragment, kFragment, float>
      accumulator[kFragmentsM][kFragmentsN];
#pragma unroll
  for (int m = 0; m < kFragmentsM; ++m) {
#pragma unroll
    for (int n = 0; n < kFragmentsN; ++n) wmma::fill_fragment(accumulator[m][n], 0.0f);
  }

  for (int k0 = 0; k0 < K; k0 += kBlockK) {
    stage_tile<kBlockM, kBlockK, kLdA>(tile_a, A, block_row, k0, M, K);
    Tile::stage(tile_b, B, k0, block_col, K, N);
    __syncthreads();

#pragma unroll
    for (int k = 0; k < kBlockK; k += kFragment) {
      wmma::fragment<wmma::matrix_a, kFragment, kFragment, kFragment, half, wmma::row_major>
          a[kFragmentsM];
      wmma::fragment<wmma::matrix_b, kFragment, kFragment, kFragment, half, LayoutB> b;
#pragma unroll
      for (int m = 0; m < kFragmentsM; ++m) {
        wmma::load_matrix_sync(a[m], tile_a + (warp_row + m * kFragment) * kLdA + k, kLdA);
      }
#pragma unroll
      for (int n = 0; n < kFragmentsN; ++n) {
        wmma::load_matrix_sync(b, Tile::fragment(tile_b, k, warp_col + n * kFragment), Tile::ld);
#pragma unroll
        for (int m = 0; m < kFragmentsM; ++m) {
          wmma::mma_sync(accumulator[m][n], a[m], b, accumulator[m][n]);
        }
      }
    }
    __syncthreads();
  }

#pragma unroll
  for (int m = 0; m < kFragmentsM; ++m) {
#pragma unroll
    for (int n = 0; n < kFragmentsN; ++n) {
      for (int i = 0; i < accumulator[m][n].num_elements; ++i) accumulator[m][n].x[i] *= alpha;
      float* corner =
          tile_c + (warp_row + m * kFragment) * kLdC + warp_col + n * kFragment;
      wmma::store_matrix_sync(corner, accumulator[m][n], kLdC, wmma::mem_row_major);
    }
  }
  __syncthreads();

  for (int i = threadIdx.x; i < kBlockM * kBlockN; i += kThreads) {
    const int row = block_row + i / kBlockN;
    const int col = block_col + i % kBlockN;
    if (row >= M || col >= N) continue;
    float value = tile_c[i / kBlockN * kLdC + i % kBlockN];
    if (bias != nullptr) value += __ldg(bias + col);
    store_element(C + static_cast<size_t>(row) * N + col, value);
  }
}

template <typename OutT>
cudaError_t wmma_gemm(const half* A, const half* B, const float* bias, OutT* C, int M, int N, int K,
                      float alpha, bool b_is_column_major, cudaStream_t stream) {
  if (M == 0 || N == 0) return cudaSuccess;
  const dim3 grid((N + kBlockN - 1) / kBlockN, (M + kBlockM - 1) / kBlockM);
  if (b_is_column_major) {
    wmma_gemm_kernel<OutT, wmma::col_major>
        <<<grid, kThreads, 0, stream>>>(A, B, bias, C, M, N, K, alpha);
  } else {
    wmma_gemm_kernel<OutT, wmma::row_major>
        <<<grid, kThreads, 0, stream>>>(A, B, bias, C, M, N, K, alpha);
  }
  return cudaGetLastError();
}

template cudaError_t wmma_gemm<float>(const half*, const half*, const float*, float*, int, int, int,
                                      float, bool, cudaStream_t);
template cudaError_t wmma_gemm<half>(const half*, const half*, const float*, half*, int, int, int,
                                     float, bool, cudaStream_t);
