// A whole program: host code, the runtime API and the ways in which kernels are launched.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#define CHECK(call)                                                        \
  do {                                                                     \
    cudaError_t status = (call);                                           \
    if (status != cudaSuccess) {                                           \
      std::printf("%s: %s\n", #call, cudaGetErrorString(status));          \
      std::exit(3);                                                        \
    }                                                                      \
  } while (0)
#define LAUNCH(kernel, n, ...) kernel<<<((n) + 63) / 64, \
                                        64>>>(__VA_ARGS__)

__constant__ float factor;
__device__ int total;

template <typename T, int kStep = 1>
__global__ void scale(T* x, int n, const T* add) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x * kStep) {
    x[i] = x[i] * T(factor) + (add ? add[i] : T(0));
    atomicAdd(&total, 1);
  }
}

__global__ void fill(int2 value, int* out) { out[threadIdx.x] = value.x + value.y * (int)threadIdx.x; }

struct Runner {
  int n;
  float* data;
  void run(cudaStream_t stream) { scale<float><<<dim3(2, 1), 32, 0, stream>>>(data, this->n, NULL); }
};

int main(int argc, char** argv) {
  const int n = argc > 1 ? std::atoi(argv[1]) : 100;
  std::vector<float> host(n);
  for (int i = 0; i < n; ++i) host[i] = i;
  float* device = nullptr;
  CHECK(cudaMalloc(&device, n * sizeof(float)));
  CHECK(cudaMemcpy(device, host.data(), n * sizeof(float), cudaMemcpyHostToDevice));
  const float two = 2;
  CHECK(cudaMemcpyToSymbol(factor, &two, sizeof two));
  cudaStream_t stream;
  cudaEvent_t start, stop;
  CHECK(cudaStreamCreate(&stream));
  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&stop));
  CHECK(cudaEventRecord(start, stream));

  LAUNCH(scale<float>, n, device, n, device);
  Runner{n, device}.run(stream);
  auto pointer = &scale<float, 1>;
  pointer<<<1, 32>>>(device, n, nullptr);
  void* arguments[] = {&device, (void*)&n, new float*(nullptr)};
  CHECK(cudaLaunchKernel(scale<float>, dim3(1), dim3(32), arguments, 0, stream));
  CHECK(cudaLaunchCooperativeKernel((void*)scale<float>, 1, 32, arguments));
  cudaLaunchConfig_t configuration = {};
  configuration.gridDim = dim3(2);
  configuration.blockDim = dim3(16);
  CHECK(cudaLaunchKernelEx(&configuration, scale<float>, device, n, nullptr));
  CHECK(cudaGetLastError());

  CHECK(cudaEventRecord(stop, stream));
  CHECK(cudaEventSynchronize(stop));
  float elapsed = -1;
  CHECK(cudaEventElapsedTime(&elapsed, start, stop));
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaMemcpy(host.data(), device, n * sizeof(float), cudaMemcpyDeviceToHost));
  int count = 0;
  CHECK(cudaMemcpyFromSymbol(&count, total, sizeof count));
  double sum = 0;
  for (float v : host) sum += v;
  std::printf("%.0f %d %d\n", sum, count, elapsed >= 0);

  int* ints;
  CHECK(cudaMallocManaged(&ints, 8 * sizeof(int)));
  fill<<<1, 8>>>({3, 4}, ints);
  std::printf("%d %d\n", ints[0], ints[7]);

  scale<float><<<0, 32>>>(device, n, nullptr);
  const int refused = cudaGetLastError();
  std::printf("%d %d\n", refused, (int)cudaGetLastError());
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  std::printf("%d\n", properties.warpSize);
  CHECK(cudaFree(ints));
  CHECK(cudaFree(device));
  return 7;
}
