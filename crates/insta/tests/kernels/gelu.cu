#include "activation.cuh"

// One thread an element; the grid need not be a multiple of the block.
__global__ void gelu_kernel(float* __restrict__ out, const float* __restrict__ in, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    out[i] = gelu(__ldg(&in[i]));
  }
}

cudaError_t gelu_forward(float* out, const float* in, int n, cudaStream_t stream) {
  gelu_kernel<<<(n + 255) / 256, 256, 0, stream>>>(out, in, n);
  return cudaGetLastError();
}
