// Matrix fragments of every shape and type. Two warps a block work on tiles of their own, and the
// elements are small integers where the order of sums must not matter, reals where it must.
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <mma.h>

using namespace nvcuda;

// C = 2 (A B + C), each warp on a tile of its own. Rows and columns are 32 elements apart.
template <int m, int n, int k, typename T, typename Sum, typename LayoutA, typename LayoutB,
          typename Memory>
__device__ void multiply(const Memory *a, const Memory *b, Sum *c, wmma::layout_t layout) {
  const int warp = threadIdx.x / 32;
  a += warp * 1024;
  b += warp * 1024;
  c += warp * m * n;
  wmma::fragment<wmma::matrix_a, m, n, k, T, LayoutA> fa;
  wmma::fragment<wmma::matrix_b, m, n, k, T, LayoutB> fb;
  wmma::fragment<wmma::accumulator, m, n, k, Sum> fc;
  wmma::load_matrix_sync(fc, c, layout == wmma::mem_row_major ? n : m, layout);
  wmma::load_matrix_sync(fa, a, 32);
  wmma::load_matrix_sync(fb, b, 32);
  wmma::mma_sync(fc, fa, fb, fc);
  for (int i = 0; i < fc.num_elements; ++i) fc.x[i] = fc.x[i] + fc.x[i];
  wmma::store_matrix_sync(c, fc, layout == wmma::mem_row_major ? n : m, layout);
}

extern "C" __global__ void halves(const __half *a, const __half *b, float *c) {
  multiply<16, 16, 16, __half, float, wmma::row_major, wmma::col_major>(a, b, c,
                                                                        wmma::mem_row_major);
  multiply<32, 8, 16, __half, float, wmma::row_major, wmma::row_major>(a, b, c + 512,
                                                                       wmma::mem_col_major);
  multiply<8, 32, 16, __half, float, wmma::row_major, wmma::row_major>(a, b, c + 1024,
                                                                       wmma::mem_row_major);
}

extern "C" __global__ void halves_to_half(const __half *a, const __half *b, __half *c) {
  multiply<16, 16, 16, __half, __half, wmma::col_major, wmma::row_major>(a, b, c,
                                                                         wmma::mem_row_major);
}

extern "C" __global__ void bfloats(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c) {
  multiply<16, 16, 16, __nv_bfloat16, float, wmma::row_major, wmma::row_major>(a, b, c,
                                                                               wmma::mem_row_major);
}

extern "C" __global__ void bytes(const signed char *a, const signed char *b, int *c) {
  multiply<16, 16, 16, signed char, int, wmma::row_major, wmma::col_major>(a, b, c,
                                                                           wmma::mem_row_major);
}

extern "C" __global__ void unsigned_bytes(const unsigned char *a, const unsigned char *b, int *c) {
  multiply<32, 8, 16, unsigned char, int, wmma::row_major, wmma::col_major>(a, b, c,
                                                                            wmma::mem_row_major);
}

extern "C" __global__ void small_floats(const float *a, const float *b, float *c) {
  multiply<16, 16, 8, wmma::precision::tf32, float, wmma::row_major, wmma::row_major>(
      a, b, c, wmma::mem_row_major);
}

extern "C" __global__ void doubles(const double *a, const double *b, double *c) {
  multiply<8, 8, 4, double, double, wmma::row_major, wmma::col_major>(a, b, c, wmma::mem_row_major);
}

// Only one of the warps of a wave works.
extern "C" __global__ void one_warp(const __half *a, const __half *b, float *c) {
  if (threadIdx.x / 32 == 1) {
    multiply<16, 16, 16, __half, float, wmma::row_major, wmma::row_major>(a, b, c,
                                                                          wmma::mem_row_major);
  }
}
