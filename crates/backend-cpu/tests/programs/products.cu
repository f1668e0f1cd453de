// cuBLAS and cuBLASLt beside loops written out. Small whole numbers: every sum is exact. And what else
// libraries hold: Thrust, CUB, libcu++, cuRAND, 8-bit floats, graphs that streams capture.

#include <cublasLt.h>
#include <cublas_v2.h>
#include <cub/cub.cuh>
#include <cuda/atomic>
#include <cuda/std/limits>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>
#include <curand.h>
#include <curand_kernel.h>
#include <thrust/copy.h>
#include <thrust/device_vector.h>
#include <thrust/execution_policy.h>
#include <thrust/host_vector.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/zip_iterator.h>
#include <thrust/reduce.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
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

struct Square {
  __host__ __device__ int operator()(int x) const { return x * x; }
};
struct Sum {
  template <class Tuple> __host__ __device__ void operator()(Tuple t) const {
    thrust::get<2>(t) = thrust::get<0>(t) + thrust::get<1>(t);
  }
};

static void algorithms() {
  const int n = 100;
  thrust::host_vector<int> host(n);
  for (int i = 0; i < n; ++i) host[i] = i * 37 % n;
  thrust::device_vector<int> x = host, y(n), z(n, 1);
  thrust::sequence(y.begin(), y.end());
  thrust::for_each(thrust::make_zip_iterator(thrust::make_tuple(x.begin(), y.begin(), z.begin())),
                   thrust::make_zip_iterator(thrust::make_tuple(x.end(), y.end(), z.end())), Sum());
  EXPECT(z[3] == 3 * 37 % n + 3);
  thrust::sort_by_key(x.begin(), x.end(), y.begin());
  for (int i = 0; i < n; ++i) EXPECT(x[i] == i && y[i] * 37 % n == i);
  EXPECT(thrust::reduce(x.begin(), x.end()) == n * (n - 1) / 2);
  EXPECT(thrust::transform_reduce(x.begin(), x.end(), Square(), 0, thrust::plus<int>()) == 328350);
  int *raw = thrust::raw_pointer_cast(x.data());
  thrust::sort(thrust::device, raw, raw + n, thrust::greater<int>());
  EXPECT(x[0] == n - 1 && *thrust::min_element(x.begin(), x.end()) == 0);
  using namespace thrust::placeholders;
  thrust::transform(x.begin(), x.end(), y.begin(), 2 * _1 + 1);
  EXPECT(y[0] == 2 * n - 1);
  thrust::exclusive_scan(z.begin(), z.end(), z.begin());
  auto end = thrust::copy_if(thrust::make_counting_iterator(0), thrust::make_counting_iterator(n), y.begin(), _1 % 3 == 0);
  EXPECT(end - y.begin() == 34 && y[33] == 99);
  y.erase(thrust::remove_if(y.begin(), end, _1 % 2 == 1), y.end());
  EXPECT(y.size() == 17 && y[16] == 96);
}

__global__ void block_wide(const int *in, int *keys, int *striped, int *before) {
  using Load = cub::BlockLoad<int, 32, 4, cub::BLOCK_LOAD_STRIPED>;
  using Sort = cub::BlockRadixSort<int, 32, 4>;
  __shared__ typename Load::TempStorage load;
  __shared__ typename Sort::TempStorage sort;
  __shared__ typename cub::WarpScan<int>::TempStorage scan;
  int items[4];
  Load(load).Load(in, items);
  for (int i = 0; i < 4; ++i) striped[threadIdx.x * 4 + i] = items[i];
  Sort(sort).SortDescending(items);
  for (int i = 0; i < 4; ++i) keys[threadIdx.x * 4 + i] = items[i];
  cub::WarpScan<int>(scan).ExclusiveSum(int(threadIdx.x), before[threadIdx.x]);
}

__global__ void counted(int *count) {
  cuda::atomic_ref<int, cuda::thread_scope_device> shared(*count);
  shared.fetch_add(2, cuda::memory_order_relaxed);
}

// Objects that lanes exchange, items that a thread has several of.
struct Extremes {
  int low, high;
  char tag;
};
struct Join {
  __host__ __device__ Extremes operator()(const Extremes &a, const Extremes &b) const {
    return {a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high, a.tag};
  }
};
// x -> a x + b: what is done first stands left, and the order matters.
struct After {
  __host__ __device__ uint2 operator()(const uint2 &f, const uint2 &g) const {
    return make_uint2(f.x * g.x, f.y * g.x + g.y);
  }
};
__global__ void block_objects(const int *in, Extremes *extremes, uint2 *maps, int *best) {
  using Reduce = cub::BlockReduce<Extremes, 96>;
  using Scan = cub::BlockScan<uint2, 96>;
  using Pair = cub::KeyValuePair<int, int>;
  __shared__ typename Reduce::TempStorage reduce;
  __shared__ typename Scan::TempStorage scan;
  __shared__ typename cub::BlockReduce<Pair, 96>::TempStorage arg;
  const int t = threadIdx.x;
  Extremes all = Reduce(reduce).Reduce(Extremes{in[t], in[t], 'x'}, Join());
  if (t == 0) *extremes = all;
  uint2 items[3];
  for (int i = 0; i < 3; ++i) items[i] = make_uint2(3 + t, 7 * i + t);
  Scan(scan).InclusiveScan(items, items, After());
  for (int i = 0; i < 3; ++i) maps[t * 3 + i] = items[i];
  Pair pair = cub::BlockReduce<Pair, 96>(arg).Reduce(Pair(t, in[t] / 2), cub::ArgMax());
  if (t == 0) *best = pair.key;
}
static void objects() {
  int *in, *best;
  Extremes *extremes;
  uint2 *maps;
  cudaMalloc(&in, 96 * sizeof(int));
  cudaMalloc(&best, sizeof(int));
  cudaMalloc(&extremes, sizeof(Extremes));
  cudaMalloc(&maps, 288 * sizeof(uint2));
  for (int i = 0; i < 96; ++i) in[i] = i * 29 % 97;
  block_objects<<<1, 96>>>(in, extremes, maps, best);
  EXPECT(extremes->low == 0 && extremes->high == 96 && extremes->tag == 'x');
  // Of the two whose half is 48, or the largest half, the first.
  int most = 0;
  for (int i = 1; i < 96; ++i) most = in[i] / 2 > in[most] / 2 ? i : most;
  EXPECT(*best == most);
  unsigned a = 1, b = 0;
  for (int i = 0; i < 288; ++i) {
    const unsigned x = 3 + i / 3, y = 7 * (i % 3) + i / 3;
    b = b * x + y;
    a *= x;
    EXPECT(maps[i].x == a && maps[i].y == b);
  }
  cudaFree(in);
  cudaFree(best);
  cudaFree(extremes);
  cudaFree(maps);
}

struct Odd {
  __host__ __device__ bool operator()(int x) const { return x % 2 != 0; }
};

static void device_wide() {
  const int n = 128;
  int *in, *out, *number;
  cudaMalloc(&in, n * sizeof(int));
  cudaMalloc(&out, n * sizeof(int));
  cudaMalloc(&number, n * sizeof(int));
  for (int i = 0; i < n; ++i) in[i] = i * 37 % n;
  void *room = nullptr;
  size_t bytes = 0;
  cub::DeviceSelect::If(room, bytes, in, out, number, n, Odd());
  cudaMalloc(&room, bytes);
  cub::DeviceSelect::If(room, bytes, in, out, number, n, Odd());
  EXPECT(*number == n / 2 && out[0] == 37);
  cub::KeyValuePair<int, int> *most;
  cudaMalloc(&most, sizeof *most);
  cub::DeviceReduce::ArgMax(room, bytes, in, most, n);
  EXPECT(most->value == n - 1 && most->key * 37 % n == n - 1);
  cub::DeviceHistogram::HistogramEven(room, bytes, in, number, 5, 0, 128, n);
  for (int i = 0; i < 4; ++i) EXPECT(number[i] == 32);
  int *before;
  cudaMalloc(&before, 32 * sizeof(int));
  block_wide<<<1, 32>>>(in, out, number, before);
  cudaDeviceSynchronize();
  for (int i = 0; i < n; ++i) EXPECT(out[i] == n - 1 - i);
  EXPECT(before[31] == 31 * 30 / 2 && number[4 * 31 + 1] == in[32 + 31]);
  *number = 0;
  counted<<<2, 32>>>(number);
  cudaDeviceSynchronize();
  EXPECT(*number == 128 && cuda::std::numeric_limits<int>::max() == 2147483647);
  for (int code = 0; code < 127; ++code) {
    __nv_fp8_e4m3 value;
    value.__x = (unsigned char)code;
    EXPECT(__nv_fp8_e4m3(float(value)).__x == code);
  }
  EXPECT(float(__nv_fp8_e4m3(1e6f)) == 448 && float(__nv_fp8_e5m2(-3.25f)) == -3);
}

__global__ void uniform(unsigned long long seed, float *x) {
  curandState state;
  curand_init(seed, threadIdx.x, 0, &state);
  x[threadIdx.x] = curand_uniform(&state);
}

// What the example of cuRAND's documentation prints for the seed 1234.
static void random_numbers() {
  const float published[] = {0.1455f, 0.8202f, 0.5504f, 0.2948f, 0.9147f, 0.8690f, 0.3219f, 0.7829f};
  float *own, *whole;
  cudaMalloc(&own, 8 * sizeof(float));
  cudaMalloc(&whole, 8 * sizeof(float));
  uniform<<<1, 8>>>(1234, own);
  cudaDeviceSynchronize();
  curandGenerator_t generator;
  curandCreateGenerator(&generator, CURAND_RNG_PSEUDO_DEFAULT);
  curandSetPseudoRandomGeneratorSeed(generator, 1234);
  curandGenerateUniform(generator, whole, 8);
  curandDestroyGenerator(generator);
  for (int i = 0; i < 8; ++i) EXPECT(fabsf(own[i] - published[i]) < 1e-4f && own[i] == whole[i]);
}

static void graphs() {
  float *x = numbers(64, 1), first = -100;
  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t launched;
  cudaStreamCreate(&stream);
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
  fill<<<1, 64, 0, stream>>>(x, 64, 3);
  cudaMemcpyAsync(&first, x, sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamEndCapture(stream, &graph);
  EXPECT(first == -100 && x[1] == -4);
  cudaGraphInstantiate(&launched, graph, NULL, NULL, 0);
  for (int i = 0; i < 2; ++i) {
    x[1] = first = 0;
    cudaGraphLaunch(launched, stream);
    cudaStreamSynchronize(stream);
    EXPECT(first == -5 && x[1] == -2);
  }
  cudaGraphExecDestroy(launched);
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
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
  algorithms();
  device_wide();
  objects();
  random_numbers();
  graphs();
  printf("%s\n", wrong == 0 ? "PASS" : "FAIL");
  return wrong == 0 ? 0 : 1;
}
