// cuBLAS and cuBLASLt beside loops written out. Small whole numbers: every sum is exact.

#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <vector>

static int wrong = 0;
static void cublasCheck(cublasStatus_t status, const char *file, int line) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    printf("%s:%d: %s\n", file, line, cublasGetStatusString(status));
    exit(2);
  }
}
#define cublasCheck(status) cublasCheck((status), __FILE__, __LINE__)
#define EXPECT(what) \
  if (!(what) && wrong++ < 10) printf("line %d: %s\n", __LINE__, #what)

__global__ void fill(float *p, int n, int step) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] = (float)(i * step % 11 - 5);
}

static float *numbers(int n, int step) {
  float *p;
  cudaMalloc((void **)&p, n * sizeof(float));
  fill<<<(n + 63) / 64, 64>>>(p, n, step);
  return p;
}

static std::vector<float> fetched(const float *p, int n) {
  std::vector<float> host(n);
  cudaMemcpy(host.data(), p, n * sizeof(float), cudaMemcpyDeviceToHost);
  return host;
}

template <typename T>
static T *converted(const std::vector<float> &from) {
  std::vector<T> host(from.size());
  for (size_t i = 0; i < from.size(); ++i) host[i] = (T)from[i];
  T *p;
  cudaMalloc((void **)&p, host.size() * sizeof(T));
  cudaMemcpy(p, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice);
  return p;
}

int main() {
  const int m = 5, n = 7, k = 9, lda = 11, ldb = 10, ldc = 6;
  cublasHandle_t handle;
  cublasLtHandle_t lt;
  cublasCheck(cublasCreate(&handle));
  cublasCheck(cublasLtCreate(&lt));
  cublasCheck(cublasSetMathMode(handle, CUBLAS_TF32_TENSOR_OP_MATH));
  float *a = numbers(11 * 11, 3), *b = numbers(11 * 11, 7), *c = numbers(ldc * n, 5);
  const std::vector<float> ha = fetched(a, 121), hb = fetched(b, 121), hc = fetched(c, ldc * n);
  const float two = 2.0f, three = 3.0f, one = 1.0f, zero = 0.0f;

  // Every pair of turns.
  for (int turn = 0; turn < 4; ++turn) {
    const bool ta = turn & 1, tb = turn & 2;
    cudaMemcpy(c, hc.data(), ldc * n * sizeof(float), cudaMemcpyHostToDevice);
    cublasCheck(cublasSgemm(handle, ta ? CUBLAS_OP_T : CUBLAS_OP_N, tb ? CUBLAS_OP_T : CUBLAS_OP_N,
                            m, n, k, &two, a, lda, b, ldb, &three, c, ldc));
    const std::vector<float> got = fetched(c, ldc * n);
    for (int j = 0; j < n; ++j) {
      for (int i = 0; i < ldc; ++i) {
        float want = hc[i + j * ldc];
        if (i < m) {
          float sum = 0;
          for (int p = 0; p < k; ++p) {
            sum += (ta ? ha[p + i * lda] : ha[i + p * lda]) * (tb ? hb[j + p * ldb] : hb[p + j * ldb]);
          }
          want = 2 * sum + 3 * hc[i + j * ldc];
        }
        EXPECT(got[i + j * ldc] == want);
      }
    }
  }

  // beta = 0 does not read the result's old values.
  std::vector<float> nothing(ldc * n, NAN);
  cudaMemcpy(c, nothing.data(), ldc * n * sizeof(float), cudaMemcpyHostToDevice);
  cublasCheck(cublasSgemmStridedBatched(handle, CUBLAS_OP_N, CUBLAS_OP_T, 2, 3, 4, &one, a, 2, 8, b, 3,
                                        12, &zero, c, 2, 6, 3));
  std::vector<float> got = fetched(c, 18);
  for (int batch = 0; batch < 3; ++batch) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) {
        float sum = 0;
        for (int p = 0; p < 4; ++p) sum += ha[batch * 8 + i + p * 2] * hb[batch * 12 + j + p * 3];
        EXPECT(got[batch * 6 + i + j * 2] == sum);
      }
    }
  }

  // Types as arguments: halves in, binary32 out.
  __half *a16 = converted<__half>(ha), *b16 = converted<__half>(hb);
  cublasCheck(cublasGemmEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, m, n, k, &one, a16, CUDA_R_16F, lda, b16,
                           CUDA_R_16F, ldb, &zero, c, CUDA_R_32F, ldc, CUBLAS_COMPUTE_32F,
                           CUBLAS_GEMM_DEFAULT));
  got = fetched(c, ldc * n);
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      float sum = 0;
      for (int p = 0; p < k; ++p) sum += ha[p + i * lda] * hb[p + j * ldb];
      EXPECT(got[i + j * ldc] == sum);
    }
  }

  // cuBLASLt: bfloat16, a bias a row, relu.
  __nv_bfloat16 *al = converted<__nv_bfloat16>(ha), *bl = converted<__nv_bfloat16>(hb);
  __nv_bfloat16 *dl = converted<__nv_bfloat16>(std::vector<float>(m * n, NAN));
  __nv_bfloat16 *bias = converted<__nv_bfloat16>(hc);
  cublasLtMatmulDesc_t operation;
  cublasLtMatmulPreference_t preference;
  cublasLtMatrixLayout_t la, lb, ld;
  cublasLtMatmulHeuristicResult_t heuristic;
  int found = 0;
  cublasOperation_t turned = CUBLAS_OP_T, plain = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_RELU_BIAS;
  size_t workspace = 0;
  cublasCheck(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  cublasCheck(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &turned,
                                             sizeof turned));
  cublasCheck(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSB, &plain,
                                             sizeof plain));
  cublasCheck(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                             sizeof epilogue));
  cublasCheck(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                             sizeof bias));
  cublasCheck(cublasLtMatrixLayoutCreate(&la, CUDA_R_16BF, k, m, lda));
  cublasCheck(cublasLtMatrixLayoutCreate(&lb, CUDA_R_16BF, k, n, ldb));
  cublasCheck(cublasLtMatrixLayoutCreate(&ld, CUDA_R_16BF, m, n, m));
  cublasCheck(cublasLtMatmulPreferenceCreate(&preference));
  cublasCheck(cublasLtMatmulPreferenceSetAttribute(
      preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace));
  cublasCheck(cublasLtMatmulAlgoGetHeuristic(lt, operation, la, lb, ld, ld, preference, 1, &heuristic,
                                             &found));
  EXPECT(found == 1);
  cublasCheck(cublasLtMatmul(lt, operation, &one, al, la, bl, lb, &zero, dl, ld, dl, ld,
                             &heuristic.algo, nullptr, 0, 0));
  std::vector<__nv_bfloat16> d16(m * n);
  cudaMemcpy(d16.data(), dl, m * n * sizeof(__nv_bfloat16), cudaMemcpyDeviceToHost);
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      float sum = hc[i];
      for (int p = 0; p < k; ++p) sum += ha[p + i * lda] * hb[p + j * ldb];
      EXPECT((float)d16[i + j * m] == (float)(__nv_bfloat16)(sum > 0 ? sum : 0));
    }
  }
  cublasCheck(cublasLtMatmulPreferenceDestroy(preference));
  cublasCheck(cublasLtMatrixLayoutDestroy(la));
  cublasCheck(cublasLtMatrixLayoutDestroy(lb));
  cublasCheck(cublasLtMatrixLayoutDestroy(ld));
  cublasCheck(cublasLtMatmulDescDestroy(operation));

  // Vectors.
  float *x = numbers(20, 4), *y = numbers(20, 9), *result;
  const std::vector<float> hx = fetched(x, 20), hy = fetched(y, 20);
  cudaMalloc((void **)&result, sizeof(float));
  float dot = 0, norm = 0, sum = 0;
  int largest = 0;
  cublasCheck(cublasSdot(handle, 10, x, 2, y, 1, &dot));
  cublasCheck(cublasSnrm2(handle, 20, x, 1, &norm));
  cublasCheck(cublasSasum(handle, 20, x, 1, &sum));
  cublasCheck(cublasIsamax(handle, 20, x, 1, &largest));
  float want_dot = 0, want_sum = 0, squares = 0;
  int want_largest = 0;
  for (int i = 0; i < 20; ++i) {
    if (i < 10) want_dot += hx[2 * i] * hy[i];
    want_sum += fabsf(hx[i]);
    squares += hx[i] * hx[i];
    if (fabsf(hx[i]) > fabsf(hx[want_largest])) want_largest = i;
  }
  EXPECT(dot == want_dot);
  EXPECT(sum == want_sum);
  EXPECT(fabsf(norm - sqrtf(squares)) < 1e-4f * norm);
  EXPECT(largest == want_largest + 1);
  cublasCheck(cublasSaxpy(handle, 20, &two, x, 1, y, 1));
  cublasCheck(cublasSscal(handle, 20, &three, y, 1));
  got = fetched(y, 20);
  for (int i = 0; i < 20; ++i) EXPECT(got[i] == 3 * (hy[i] + 2 * hx[i]));
  cublasCheck(cublasSgemv(handle, CUBLAS_OP_T, 4, 3, &one, a, lda, x, 1, &zero, y, 2));
  got = fetched(y, 20);
  for (int i = 0; i < 3; ++i) {
    float want = 0;
    for (int j = 0; j < 4; ++j) want += ha[j + i * lda] * hx[j];
    EXPECT(got[2 * i] == want);
  }
  cublasCheck(cublasSgeam(handle, CUBLAS_OP_T, CUBLAS_OP_N, 4, 3, &two, a, lda, &one, b, ldb, c, 4));
  got = fetched(c, 12);
  for (int j = 0; j < 3; ++j) {
    for (int i = 0; i < 4; ++i) EXPECT(got[i + 4 * j] == 2 * ha[j + i * lda] + hb[i + j * ldb]);
  }

  // Triangles: what is solved is multiplied back. Ones on the diagonal keep it whole numbers.
  for (int form = 0; form < 8; ++form) {
    const bool left = form & 1, upper = form & 2, turn = form & 4;
    const int size = left ? 4 : 3;
    float *t = converted<float>(hb);
    cublasCheck(cublasStrsm(handle, left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT,
                            upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER,
                            turn ? CUBLAS_OP_T : CUBLAS_OP_N, CUBLAS_DIAG_UNIT, 4, 3, &two, a, lda, t,
                            ldb));
    const std::vector<float> solved = fetched(t, 121);
    auto entry = [&](int i, int j) {
      if (turn) {
        const int swap = i;
        i = j;
        j = swap;
      }
      if (i == j) return 1.0f;
      return (i < j) == upper ? ha[i + j * lda] : 0.0f;
    };
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 4; ++i) {
        float back = 0;
        for (int p = 0; p < size; ++p) {
          back += left ? entry(i, p) * solved[p + j * ldb] : solved[i + p * ldb] * entry(p, j);
        }
        EXPECT(back == 2 * hb[i + j * ldb]);
      }
    }
  }
  cublasCheck(cublasLtDestroy(lt));
  cublasCheck(cublasDestroy(handle));
  printf("%s\n", wrong == 0 ? "PASS" : "FAIL");
  return wrong == 0 ? 0 : 1;
}
