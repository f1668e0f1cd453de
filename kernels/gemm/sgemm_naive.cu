// The textbook products of single-precision matrices: one thread, one element of C.
//
//   sgemm_naive       row-major, threads of a warp walk down a column of C
//   sgemm_coalesced   row-major, threads of a warp walk along a row of C
//   sgemm_batched     column-major, either operand transposed, a matrix for each blockIdx.z

#include <cuda_runtime.h>

#include <stddef.h>

#define CEIL_DIV(M, N) (((M) + (N)-1) / (N))
#define IDX2C(row, col, ld) ((size_t)(col) * (ld) + (row))

__global__ void sgemm_naive(int M, int N, int K, float alpha, const float *A, const float *B,
                            float beta, float *C) {
  const unsigned int x = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned int y = blockIdx.y * blockDim.y + threadIdx.y;

  // Tile quantisation: M and N need not be multiples of the block.
  if (x < M && y < N) {
    float tmp = 0.0f;
    for (int i = 0; i < K; ++i) {
      tmp += A[x * K + i] * B[i * N + y];
    }
    C[x * N + y] = alpha * tmp + beta * C[x * N + y];
  }
}

template <const unsigned int BLOCKSIZE>
__global__ void sgemm_coalesced(int M, int N, int K, float alpha, const float *A, const float *B,
                                float beta, float *C) {
  const int cRow = blockIdx.x * BLOCKSIZE + (threadIdx.x / BLOCKSIZE);
  const int cCol = blockIdx.y * BLOCKSIZE + (threadIdx.x % BLOCKSIZE);

  if (cRow < M && cCol < N) {
    const float *a = A + cRow * K;
    const float *b = B + cCol;
    float tmp = 0.0;
    int i = K;
    while (i-- > 0) {
      tmp += *a++ * *b;
      b += N;
    }
    C[cRow * N + cCol] = alpha * tmp + beta * C[cRow * N + cCol];
  }
}

enum Operation { OP_N = 0, OP_T = 1 };

struct Strides {
  int lda, ldb, ldc;
  long long batch_a, batch_b, batch_c;
};

// As the reference BLAS does it, C is not read where beta is zero, nor A and B where alpha is.
__global__ void sgemm_batched(Operation opA, Operation opB, int m, int n, int k, float alpha,
                              const float *__restrict__ A, const float *__restrict__ B, float beta,
                              float *__restrict__ C, Strides s) {
  const int row = threadIdx.x + blockDim.x * blockIdx.x;
  const int col = threadIdx.y + blockDim.y * blockIdx.y;
  if (row >= m || col >= n) return;

  A += blockIdx.z * s.batch_a;
  B += blockIdx.z * s.batch_b;
  C += blockIdx.z * s.batch_c;

  float acc = 0;
  if (alpha != 0) {
    for (int l = 0; l < k; l++) {
      const float a = opA == OP_T ? A[IDX2C(l, row, s.lda)] : A[IDX2C(row, l, s.lda)];
      const float b = opB == OP_T ? B[IDX2C(col, l, s.ldb)] : B[IDX2C(l, col, s.ldb)];
      acc += a * b;
    }
  }
  float *c = &C[IDX2C(row, col, s.ldc)];
  *c = beta == 0 ? alpha * acc : alpha * acc + beta * *c;
}

void run_sgemm_naive(int M, int N, int K, float alpha, float *A, float *B, float beta, float *C) {
  dim3 gridDim(CEIL_DIV(M, 32), CEIL_DIV(N, 32));
  dim3 blockDim(32, 32);
  sgemm_naive<<<gridDim, blockDim>>>(M, N, K, alpha, A, B, beta, C);
}

void run_sgemm_coalesced(int M, int N, int K, float alpha, float *A, float *B, float beta,
                         float *C) {
  dim3 gridDim(CEIL_DIV(M, 32), CEIL_DIV(N, 32));
  dim3 blockDim(32 * 32);
  sgemm_coalesced<32><<<gridDim, blockDim>>>(M, N, K, alpha, A, B, beta, C);
}

int run_sgemm_batched(char transa, char transb, int m, int n, int k, float alpha, const float *A,
                      const float *B, float beta, float *C, Strides strides, int batches,
                      cudaStream_t stream) {
  if (m == 0 || n == 0 || batches == 0) return 0;
  const Operation opA = transa == 'T' || transa == 't' ? OP_T : OP_N;
  const Operation opB = transb == 'T' || transb == 't' ? OP_T : OP_N;
  dim3 block(16, 16, 1);
  dim3 grid(CEIL_DIV(m, block.x), CEIL_DIV(n, block.y), batches);
  sgemm_batched<<<grid, block, 0, stream>>>(opA, opB, m, n, k, alpha, A, B, beta, C, strides);
  return cudaGetLastError() == cudaSuccess ? 0 : -1;
}
