// Every way to launch a kernel, and every form of a kernel's head.
#include <cstdio>
#include <cuda_runtime.h>

__global__ void add(int* x, int n) { for (int i = threadIdx.x; i < n; i += blockDim.x) x[i] += 1; }
// An overload, by the type of a parameter; and a parameter without a name.
__global__ void add(float* x, int n, int) { if (threadIdx.x < n) x[threadIdx.x] += 0.5f; }

namespace ns {
namespace {
template <typename T, int step, typename = void>
__global__ void scale(T* __restrict__ x, const int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] *= step;
}
}  // namespace
}  // namespace ns

template <class... Values>
__global__ void sum(int* out, Values... values) {
    atomicAdd(out, (0 + ... + values));
}

#define DEFINE(name, operation)                                     \
    __global__ void name##_kernel(int* x, int value) {              \
        x[threadIdx.x] = x[threadIdx.x] operation value;            \
    }
DEFINE(plus, +)
DEFINE(times, *)
#define LAUNCH(name, threads, ...) name##_kernel<<<1, threads>>>(__VA_ARGS__)

struct Pair { int first, second; };
template <int unused>
__global__ void pair(int* x, Pair p) { x[0] = p.first; x[1] = p.second; }

static int launched = 0;
int* counted(int* x) {
    // A launch in an argument of a launch.
    add<<<1, 32>>>(x, 4);
    ++launched;
    return x;
}

int main() {
    int* x;
    float* f;
    cudaMallocManaged(&x, 4 * sizeof(int));
    cudaMallocManaged(&f, 4 * sizeof(float));
    for (int i = 0; i < 4; ++i) { x[i] = i; f[i] = i; }

    add<<<1, 2>>>(x, 4);                                    // 1 2 3 4
    add<<<dim3(1), dim3(4, 1), 0, nullptr>>>(f, 4, 7);      // 0.5 …
    ns::scale<int, 3><<<(4 + 1) / 2, 2>>>(x, 4);            // 3 6 9 12
    if (x[0] == 3) ns::scale<float, 2><<<2, 2>>>(f, 4); else ns::scale<float, 9><<<1, 4>>>(f, 4);
    sum<<<1, 1>>>(x, 1, 2, 3);                              // 9 6 9 12
    LAUNCH(plus, 4, x, 1);                                  // 10 7 10 13
    LAUNCH(times, 4, x, 2);                                 // 20 14 20 26
    add<<<1, 32>>>(counted(x), 4);                          // 22 16 22 28

    void (*table[2])(int*, int) = {plus_kernel, times_kernel};
    for (int k = 0; k < 2; ++k) table[k]<<<1, 4>>>(x, k + 2);   // 72 54 72 90
    int value = 1;
    void* arguments[] = {&x, &value};
    cudaLaunchKernel((const void*)times_kernel, dim3(1), dim3(4), arguments, 0, 0);
    const void* erased = reinterpret_cast<const void*>(&plus_kernel);
    cudaLaunchKernel(erased, dim3(1), dim3(4), arguments, 0, 0);    // 73 55 73 91
    bool good = x[0] == 73 && x[1] == 55 && x[2] == 73 && x[3] == 91;
    pair<0><<<1, 1>>>(x, Pair{5, 6});
    good = good && x[0] == 5 && x[1] == 6 && launched == 1;
    for (int i = 0; i < 4; ++i) good = good && f[i] == 2 * (i + 0.5f);

    // A configuration that a GPU refuses.
    add<<<1, 2000>>>(x, 4);
    good = good && cudaGetLastError() == cudaErrorInvalidConfiguration;
    good = good && cudaGetLastError() == cudaSuccess && x[0] == 5;
    printf("%s\n", good ? "PASS" : "FAIL");
    cudaFree(x);
    cudaFree(f);
    return good ? 0 : 1;
}
