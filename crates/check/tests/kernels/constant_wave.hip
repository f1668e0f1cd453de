// The wave's width as a constant, as ROCm 5 and 6 allow.
#include <hip/hip_runtime.h>

__global__ void lanes(int* out) {
  __shared__ int values[warpSize];
  const int warps = 128 / warpSize;
  constexpr int width = __AMDGCN_WAVEFRONT_SIZE;
  values[threadIdx.x % warpSize] = width;
  __syncthreads();
  if (threadIdx.x == 0) {
    out[0] = warps;
    out[1] = values[warpSize - 1];
    out[2] = sizeof(values) / sizeof(int);
  }
}
