// What must be reported, a kernel each; and what must not.
#include <cassert>

__global__ void divergent_barrier(int* out) {
  if (threadIdx.x < 16) {
    out[0] = 1;
    __syncthreads();
  } else {
    out[1] = 2;
    __syncthreads();
  }
}

__global__ void caller_not_in_mask(int* out) {
  out[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 0);
}

__global__ void lanes_never_come(int* out) {
  if (threadIdx.x < 16) {
    out[threadIdx.x] = __shfl_down_sync(0xffffffffu, 1, 8);
  }
  __syncthreads();
}

__global__ void different_masks(int* out) {
  const unsigned mask = threadIdx.x < 16 ? 0xffffffffu : 0xffff0001u;
  out[threadIdx.x] = __any_sync(mask | 1u << threadIdx.x, 1);
}

__global__ void reads_past_the_end(int* out, const int* in) {
  out[0] = in[128 + threadIdx.x];
}

__global__ void writes_past_the_end(int* out) { out[64] = 1; }

__global__ void shared_overflow(int* out) {
  extern __shared__ int values[];
  values[threadIdx.x] = 1;
  out[0] = values[0];
}

__global__ void never_ends(int* out) {
  while (*(volatile int*)out == 0) {
  }
}

__global__ void traps() { __trap(); }

__global__ void asserts(int n) { assert(n == 1); }

__device__ int recurse(int n) {
  volatile char room[4096];
  room[n % 4096] = n;
  return n == 0 ? room[0] : recurse(n - 1) + room[n % 4096];
}
__global__ void deep_stack(int* out) { out[0] = recurse(1000); }

__global__ void null_pointer(int* none) { none[3] = 1; }

__global__ void divides(int* out, int zero) { out[0] = 7 / zero; }

__global__ void bad_width(int* out) { out[0] = __shfl_sync(0xffffffffu, 1, 0, 12); }

// Not an error: the lanes that read nothing drop what they read.
__global__ void undefined_shuffle(int* out) {
  const int lane = threadIdx.x;
  if (lane < 16) {
    int value = lane;
    for (int offset = 8; offset > 0; offset /= 2) {
      value += __shfl_down_sync(0xffffu, value, offset);
    }
    if (lane == 0) out[0] = value;
  }
}

// Not an error either, and needs a stack for each thread.
__global__ void waits(int* out) {
  __syncthreads();
  out[0] = 1;
}
