// Every warp operation, with full and partial masks, segments of every width, and blocks that do not
// fill their last warp. Each thread writes the bits of what it gets.
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>

template <typename T>
__device__ unsigned long long bits_of(T value) {
  unsigned long long bits = 0;
  memcpy(&bits, &value, sizeof(T));
  return bits;
}

__device__ unsigned int scramble(unsigned int value) {
  value ^= value >> 16;
  value *= 0x7feb352du;
  value ^= value >> 15;
  return value * 0x846ca68bu;
}

// Folds what a thread sees into one number, so that a difference anywhere shows.
struct digest {
  unsigned long long sum;
  __device__ void add(unsigned long long value) {
    sum = (sum ^ value) * 0x100000001b3ull + 0x9e3779b97f4a7c15ull;
  }
};

template <typename T>
__device__ void shuffles(T value, unsigned int mask, digest *d) {
  for (int width = 2; width <= 32; width *= 2) {
    for (int i = 0; i < 4; ++i) {
      const int by = (int)(scramble(width * 4 + i) % 32);
      {
        const T got = __shfl_sync(mask, value, by, width);
        d->add(bits_of(got));
      }
      {
        const T got = __shfl_up_sync(mask, value, by, width);
        d->add(bits_of(got));
      }
      {
        const T got = __shfl_down_sync(mask, value, by, width);
        d->add(bits_of(got));
      }
      {
        const T got = __shfl_xor_sync(mask, value, by, width);
        d->add(bits_of(got));
      }
    }
  }
  const T below = __shfl_down_sync(mask, value, 1);
  d->add(bits_of(below));
  const T across = __shfl_xor_sync(mask, value, 16);
  d->add(bits_of(across));
}

extern "C" __global__ void all_shuffles(unsigned long long *out) {
  const unsigned int id = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned int seed = scramble(id + 1);
  digest d = {id};
  shuffles((int)seed, 0xffffffffu, &d);
  shuffles(seed, 0xffffffffu, &d);
  shuffles((long long)seed * seed, 0xffffffffu, &d);
  shuffles((unsigned long long)seed << 20, 0xffffffffu, &d);
  shuffles((float)(int)seed, 0xffffffffu, &d);
  shuffles((double)seed / 3.0, 0xffffffffu, &d);
  shuffles((short)seed, 0xffffffffu, &d);
  shuffles((unsigned char)seed, 0xffffffffu, &d);
  shuffles(__float2half((float)(seed & 1023)), 0xffffffffu, &d);
  shuffles(__floats2half2_rn((float)(seed & 255), 0.5f), 0xffffffffu, &d);
  shuffles(__float2bfloat16((float)(seed & 127)), 0xffffffffu, &d);
  shuffles(__floats2bfloat162_rn((float)(seed & 127), -2.0f), 0xffffffffu, &d);
  out[id] = d.sum;
}

extern "C" __global__ void votes(unsigned long long *out) {
  const unsigned int id = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned int lane = threadIdx.x % warpSize;
  digest d = {id};
  for (int i = 0; i < 8; ++i) {
    const int predicate = (int)(scramble(id * 8 + i) % 3 == 0 ? scramble(id) | 2 : 0);
    d.add(__ballot_sync(0xffffffffu, predicate));
    d.add(__any_sync(0xffffffffu, predicate));
    d.add(__all_sync(0xffffffffu, predicate));
    d.add(__all_sync(0xffffffffu, predicate | 1));
    d.add(__uni_sync(0xffffffffu, predicate));
    d.add(__uni_sync(0xffffffffu, 0));
    const unsigned int key = scramble(id * 31 + i) % 4;
    int all;
    d.add(__match_any_sync(0xffffffffu, key));
    d.add(__match_any_sync(0xffffffffu, (double)key));
    d.add(__match_all_sync(0xffffffffu, key, &all));
    d.add(all);
    d.add(__match_all_sync(0xffffffffu, 7ull, &all));
    d.add(all);
  }
  // Two parts of a warp, each with its own mask.
  const unsigned int odd = 0xaaaaaaaau;
  const unsigned int mask = lane & 1 ? odd : ~odd;
  if (lane & 1) {
    d.add(__ballot_sync(mask, (int)(scramble(id) & 1)));
    d.add(__shfl_xor_sync(mask, (int)id, 2));
  } else {
    d.add(__any_sync(mask, (int)(scramble(id) & 1)));
    d.add(__shfl_xor_sync(mask, (int)id, 4));
  }
  __syncwarp();
  d.add(__reduce_add_sync(0xffffffffu, id));
  d.add(__reduce_add_sync(0xffffffffu, -(int)scramble(id)));
  d.add(__reduce_min_sync(0xffffffffu, (int)scramble(id)));
  d.add(__reduce_max_sync(0xffffffffu, (int)scramble(id)));
  d.add(__reduce_min_sync(0xffffffffu, scramble(id)));
  d.add(__reduce_max_sync(0xffffffffu, scramble(id)));
  d.add(__reduce_and_sync(0xffffffffu, scramble(id) | 0x10u));
  d.add(__reduce_or_sync(0xffffffffu, scramble(id) & 0xff00ffu));
  d.add(__reduce_xor_sync(0xffffffffu, scramble(id)));
  out[id] = d.sum;
}

// Warps of a block that go different ways: on a wave of 64 lanes two of them share one program
// counter.
extern "C" __global__ void apart(unsigned long long *out) {
  const unsigned int id = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned int warp = threadIdx.x / 32;
  digest d = {id};
  for (unsigned int i = 0; i < 2 + 3 * warp; ++i) {
    d.add(__shfl_xor_sync(0xffffffffu, id * (i + 1), 1));
    if (warp & 1) d.add(__ballot_sync(0xffffffffu, (int)(scramble(id + i) & 1)));
    d.add(__reduce_add_sync(0xffffffffu, id));
  }
  out[id] = d.sum;
}

// Lanes that have left do not count.
extern "C" __global__ void early_return(unsigned long long *out) {
  const unsigned int id = blockIdx.x * blockDim.x + threadIdx.x;
  out[id] = 1;
  if (scramble(id) % 3 == 0) return;
  digest d = {id};
  d.add(__ballot_sync(0xffffffffu, 1));
  d.add(__all_sync(0xffffffffu, 1));
  d.add(__activemask());
  d.add(__popc(__activemask()));
  out[id] = d.sum;
}

extern "C" __global__ void shared_exchange(unsigned long long *out) {
  __shared__ unsigned int values[96];
  const unsigned int id = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned int lane = threadIdx.x % 32, first = threadIdx.x - lane;
  digest d = {id};
  for (unsigned int i = 1; i < 5; ++i) {
    values[threadIdx.x] = scramble(id + i);
    __syncwarp();
    d.add(values[first + (lane + i) % 32]);
    __syncwarp();
  }
  out[id] = d.sum;
}
