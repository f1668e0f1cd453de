// Matrix fragments: loads, products, element-wise operations and stores in both layouts.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

using namespace nvcuda;

// d = 2·(a·b + c), a row-major, b column-major, c and d row-major, leading dimensions padded by 8.
template <typename T, typename Sum, int M, int N, int K>
__global__ void multiply(Sum* d, const T* a, const T* b, const Sum* c) {
  wmma::fragment<wmma::matrix_a, M, N, K, T, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, M, N, K, T, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, M, N, K, Sum> fc, fd;
  wmma::load_matrix_sync(fa, a, K + 8);
  wmma::load_matrix_sync(fb, b, K + 8);
  wmma::load_matrix_sync(fc, c, N + 8, wmma::mem_row_major);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::fill_fragment(fd, (Sum)2);
  for (int i = 0; i < fd.num_elements; ++i) fd.x[i] = fd.x[i] * fc.x[i];
  wmma::store_matrix_sync(d, fd, N + 8, wmma::mem_row_major);
}

// The other layouts, and a store of the transposed result.
__global__ void transposed(float* d, const half* a, const half* b) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::col_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
  wmma::fill_fragment(fc, 0.0f);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, b, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(d, fc, 16, wmma::mem_col_major);
}

// Not all lanes of the warp call it.
__global__ void half_a_warp(float* d) {
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> f;
  if (threadIdx.x < 16) wmma::store_matrix_sync(d, f, 16, wmma::mem_row_major);
  __syncthreads();
}
