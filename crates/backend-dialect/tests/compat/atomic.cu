// Atomics whose results do not depend on the order of threads.
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>

extern "C" __global__ void counters(unsigned int *c) {
  atomicInc(&c[0], 1000);
  atomicInc(&c[1], 6);
  atomicDec(&c[2], 1000);
  atomicDec(&c[3], 10);
  atomicInc_block(&c[4], 30);
  atomicDec_block(&c[5], 30);
  atomicInc_system(&c[6], 70);
  atomicDec_system(&c[7], 70);
  atomicAdd_block(&c[8], 3u);
  atomicSub_block(&c[9], 3u);
  atomicMax_block(&c[10], threadIdx.x);
  atomicMin_block(&c[11], threadIdx.x);
  atomicOr_block(&c[12], 1u << (threadIdx.x & 31));
  atomicAnd_block(&c[13], ~(1u << (threadIdx.x & 15)));
  atomicXor_block(&c[14], threadIdx.x * 77u);
  if (threadIdx.x == 0) {
    atomicExch_block(&c[15], 5u);
    atomicCAS_block(&c[15], 5u, 6u);
  }
}

extern "C" __global__ void wide(long long *c) {
  atomicMax(&c[0], (long long)threadIdx.x * 10000000000ll);
  atomicMin(&c[1], -(long long)threadIdx.x * 10000000000ll);
  atomicOr(&c[2], 1ll << (threadIdx.x & 63));
  atomicAnd(&c[3], ~(1ll << (threadIdx.x & 63)));
  atomicXor(&c[4], (long long)threadIdx.x << 33);
}

// Sums of small integers, exact in every order.
extern "C" __global__ void sums(__half *h, __half2 *h2, __nv_bfloat16 *b, __nv_bfloat162 *b2) {
  atomicAdd(&h[threadIdx.x % 3], __float2half(1.0f));
  atomicAdd(&h2[threadIdx.x % 2], __floats2half2_rn(1.0f, 2.0f));
  atomicAdd(&b[threadIdx.x % 5], __float2bfloat16(1.0f));
  atomicAdd(&b2[threadIdx.x % 3], __floats2bfloat162_rn(1.0f, -1.0f));
}

extern "C" __global__ void halfwords(unsigned short *c) {
  for (int i = 0; i < 4; ++i) {
    unsigned short seen = c[i], before;
    do {
      before = seen;
      seen = atomicCAS(&c[i], before, (unsigned short)(before + 1 + i));
    } while (seen != before);
  }
}
