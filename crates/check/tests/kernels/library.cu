// The modelled parts of libraries: block primitives of CUB, Philox, complex numbers.
#include <cuComplex.h>
#include <cub/cub.cuh>
#include <curand_kernel.h>

template <int kThreads>
__global__ void block_primitives(float* reduced, int* scanned, const float* x, int valid) {
  using Reduce = cub::BlockReduce<float, kThreads>;
  using Scan = cub::BlockScan<int, kThreads>;
  __shared__ typename Reduce::TempStorage reduce_storage;
  __shared__ typename Scan::TempStorage scan_storage;
  const int i = threadIdx.x;
  const float sum = Reduce(reduce_storage).Sum(x[i]);
  __syncthreads();
  const float largest = Reduce(reduce_storage).Reduce(x[i], cub::Max(), valid);
  if (i == 0) {
    reduced[0] = sum;
    reduced[1] = largest;
  }
  int inclusive, exclusive, total;
  Scan(scan_storage).InclusiveSum(i + 1, inclusive);
  __syncthreads();
  Scan(scan_storage).ExclusiveSum(i + 1, exclusive, total);
  __syncthreads();
  int items[2] = {i, 2 * i}, sums[2];
  Scan(scan_storage).ExclusiveSum(items, sums);
  int* to = scanned + i * 5;
  to[0] = inclusive;
  to[1] = exclusive;
  to[2] = total;
  to[3] = sums[0];
  to[4] = sums[1];
}

__global__ void random(unsigned* words, float* uniform) {
  const uint4 a = port_oracle::philox(make_uint4(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u),
                                      make_uint2(0xa4093822u, 0x299f31d0u));
  curandStatePhilox4_32_10_t state, later;
  curand_init(0, 0, 0, &state);
  const uint4 b = curand4(&state);
  words[0] = a.x;
  words[1] = a.y;
  words[2] = a.z;
  words[3] = a.w;
  words[4] = b.x;
  words[5] = b.y;
  words[6] = b.z;
  words[7] = b.w;
  curand_init(0, 0, 6, &later);
  for (int i = 0; i < 2; ++i) curand(&state);
  words[8] = curand(&state) == curand(&later);
  for (int i = 0; i < 1000; ++i) uniform[i] = curand_uniform(&state);
}

__global__ void complex_numbers(float* out) {
  const cuFloatComplex a = make_cuFloatComplex(3, 4), b = make_cuComplex(1, -2);
  const cuFloatComplex product = cuCmulf(a, b), quotient = cuCdivf(product, b);
  out[0] = cuCabsf(a);
  out[1] = cuCrealf(product);
  out[2] = cuCimagf(product);
  out[3] = cuCrealf(quotient);
  out[4] = cuCimagf(cuConjf(a));
}
