// Operations of a wave under HIP's names, for waves of 32 and 64 lanes.
#include <hip/hip_runtime.h>

// out[kind][argument][lane] for arguments 0..63.
__global__ void shuffles(float* out, const float* in, int width) {
  const int lane = threadIdx.x;
  const float value = in[lane];
  for (int i = 0; i < 64; ++i) {
    float* to = out + i * 64 + lane;
    to[0 * 64 * 64] = __shfl(value, i, width);
    to[1 * 64 * 64] = __shfl_up(value, i, width);
    to[2 * 64 * 64] = __shfl_down(value, i, width);
    to[3 * 64 * 64] = __shfl_xor(value, i, width);
  }
}

// The halves of a wave take different branches, and the lanes of each half meet again.
__global__ void branches(unsigned long long* out) {
  const int lane = threadIdx.x;
  unsigned long long mine;
  if (lane < 32) {
    mine = __ballot(lane % 2);
  } else {
    mine = __ballot(lane % 3 == 0);
  }
  out[lane] = mine;
  // Loops of different lengths: who is still in it, by round.
  unsigned long long rounds = 0;
  for (int i = 0; i < lane % 4; ++i) rounds += (unsigned long long)__popcll(__ballot(1)) << (16 * i);
  out[64 + lane] = rounds;
  out[128 + lane] = __ballot(1);
  out[192 + lane] = __any(lane == 40) * 10 + __all(lane < 50);
  if (lane % 5 == 1) return;
  out[256 + lane] = __ballot(1);
}

// Logical warps of 32 in any wave, as ports have them: each half reduces at its own pace.
__device__ inline int warp_sum(int value) {
  for (int offset = 16; offset > 0; offset /= 2) {
    const unsigned long long half = 0xffffffffull << (__lane_id() & 32);
    port_oracle_members(half);
    value += __shfl(value, (__lane_id() ^ offset) & 31, 32);
    port_oracle_members(0);
  }
  return value;
}

__global__ void logical(int* out) {
  const int warp = threadIdx.x / 32;
  int value = threadIdx.x;
  for (int i = 0; i <= warp; ++i) value = warp_sum(value) + i;
  if (warp % 2) value = warp_sum(1) + value;
  __syncthreads();
  out[threadIdx.x] = value;
}

__global__ void builtins(unsigned* out) {
  const unsigned lane = __lane_id();
  out[threadIdx.x] = __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0));
  out[64 + threadIdx.x] = __builtin_amdgcn_readfirstlane(lane + 5);
  out[128 + threadIdx.x] = __builtin_amdgcn_ds_bpermute(((lane + 3) % warpSize) << 2, lane * 2);
  out[192 + threadIdx.x] = warpSize;
  out[256 + threadIdx.x] = __builtin_amdgcn_wavefrontsize();
}

// Lanes 16 to 31 of the mask are elsewhere.
__global__ void members_missing(int* out) {
  if (threadIdx.x < 16) {
    port_oracle_members(0xffffffffull);
    out[threadIdx.x] = __popcll(__ballot(1));
    port_oracle_members(0);
  }
  __syncthreads();
}

// The same for shuffles: right as long as the lane that is read takes part.
__global__ void sources_missing(int* out) {
  if (threadIdx.x < 16) {
    port_oracle_members(0xffffffffull);
    out[threadIdx.x] = __shfl((int)threadIdx.x, 5, 32);
    out[threadIdx.x + 16] = __shfl((int)threadIdx.x, threadIdx.x + 8, 32);
    port_oracle_members(0);
  }
  __syncthreads();
}
