// Blocks: barriers, shared memory, atomics, symbols, arguments, printf and the grid's barrier.
#include <cooperative_groups.h>
#include <cstdio>

// Threads past n leave before the barriers.
__global__ void early_return(int* out, int n) {
  extern __shared__ int values[];
  if (threadIdx.x >= n) return;
  values[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = values[n - 1 - threadIdx.x];
}

// A tree reduction with a barrier in each round; the block's size need not be a power of two.
__global__ void tree_sum(int* out, const int* in) {
  extern __shared__ int values[];
  const int i = threadIdx.x;
  values[i] = in[blockIdx.x * blockDim.x + i];
  __syncthreads();
  for (int n = blockDim.x; n > 1;) {
    const int half = (n + 1) / 2;
    if (i + half < n) values[i] += values[i + half];
    __syncthreads();
    n = half;
  }
  if (i == 0) out[blockIdx.x] = values[0];
}

__global__ void predicates(int* out) {
  const int a = __syncthreads_count(threadIdx.x % 3 == 0);
  const int b = __syncthreads_and(threadIdx.x < 1000);
  const int c = __syncthreads_or(threadIdx.x == 70);
  const int d = __syncthreads_or(0);
  if (threadIdx.x == 5) {
    out[0] = a;
    out[1] = b != 0;
    out[2] = c != 0;
    out[3] = d != 0;
  }
}

// Dynamic shared memory under two names and types: one memory.
namespace inner {
__global__ void two_views(unsigned* out) {
  extern __shared__ __align__(16) unsigned char bytes[];
  extern __shared__ float floats[];
  if (threadIdx.x == 0) floats[1] = 1.5f;
  __syncthreads();
  out[threadIdx.x] = bytes[threadIdx.x];
}
}  // namespace inner

namespace {
template <typename T, int kSize>
__device__ T rotated(T value) {
  __shared__ alignas(16) T ring[kSize];
  ring[threadIdx.x] = value;
  __syncthreads();
  const T result = ring[(threadIdx.x + 1) % kSize];
  __syncthreads();
  return result;
}
}  // namespace

__global__ void static_shared(double* out) {
  __shared__ float untouched[4];
  out[threadIdx.x] = rotated<int, 8>(threadIdx.x) + rotated<double, 8>(threadIdx.x * 0.5);
  if (threadIdx.x == 0) {
    out[8] = isnan(untouched[2]);
    untouched[2] = 0;
  }
}

__constant__ float taps[3];
__device__ int calls;
__device__ const int kTable[4] = {1, 10, 100, 1000};

struct Scale {
  float factor;
  int shift;
  const float* data;
  struct Inner {
    bool negate;
    double bias;
  } inner;
};
enum class Mode { kPlain, kSquared };

__global__ void arguments(float* out, const float* in, Scale scale, Mode mode, const int* none,
                          unsigned char small, double wide, bool flag) {
  atomicAdd(&calls, 1);
  const int i = threadIdx.x;
  float v = in[i] * scale.factor + scale.shift + scale.data[i] + (float)scale.inner.bias;
  if (scale.inner.negate) v = -v;
  if (mode == Mode::kSquared) v *= v;
  out[i] = v + taps[i % 3] + kTable[i % 4] + (none == nullptr) + small + (float)wide + flag;
}

__global__ void atomics(int* out, unsigned* wrapped, unsigned long long* wide, float* sum) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  atomicAdd(&out[0], i);
  atomicSub(&out[1], i);
  atomicMin(&out[2], 50 - i);
  atomicMax(&out[3], i * i % 101);
  atomicAnd(&out[4], ~(1 << (i % 20)));
  atomicOr(&out[5], 1 << (i % 7));
  atomicXor(&out[6], i);
  atomicExch(&out[7], 9);
  atomicCAS(&out[8], 0, i + 1);
  atomicInc(&wrapped[0], 10);
  atomicDec(&wrapped[1], 10);
  atomicAdd(wide, 1ull << 32);
  atomicMax(wide + 1, (unsigned long long)i << 33);
  atomicAdd(sum, 0.5f);
}

__global__ void prints() {
  if (threadIdx.x == 0) printf("block %d: %s %.2f\n", (int)blockIdx.x, "text", 1.25);
}

// Each block needs what all blocks wrote before the barrier.
__global__ void whole_grid(int* out, int* scratch) {
  __shared__ int kept;
  if (threadIdx.x == 0) kept = blockIdx.x * 7;
  scratch[blockIdx.x * blockDim.x + threadIdx.x] = threadIdx.x + blockIdx.x;
  cooperative_groups::this_grid().sync();
  int sum = 0;
  for (int i = 0; i < gridDim.x * blockDim.x; ++i) sum += scratch[i];
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum * 100 + kept;
}

// A chain of blocks, each waiting for the flag of the one before it.
__global__ void chained(int* out, int* flags) {
  if (threadIdx.x == 0) {
    if (blockIdx.x > 0) {
      while (atomicAdd(&flags[blockIdx.x - 1], 0) == 0) {
      }
    }
    out[blockIdx.x] = (blockIdx.x > 0 ? out[blockIdx.x - 1] : 0) + blockIdx.x;
    __threadfence();
    atomicExch(&flags[blockIdx.x], 1);
  }
}

// Where a thread is.
__global__ void indices(int* out) {
  const int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const int threads = blockDim.x * blockDim.y * blockDim.z;
  out[block * threads + thread] = threadIdx.x + 10 * threadIdx.y + 100 * threadIdx.z +
                                  1000 * blockIdx.x + 10000 * blockIdx.y + 100000 * blockIdx.z;
}

// The order in which threads take tickets shows the order in which they run.
__global__ void tickets(int* out, int* next) {
  out[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(next, 1);
}
