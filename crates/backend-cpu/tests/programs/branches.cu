// Host code takes the host's branches, kernels take the device's.
#include <cstdio>
#include <cuda_runtime.h>

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 700
#define FAST 1
#endif

// As programs for old chips have it: CUDA's own is there on the others.
#if __CUDA_ARCH__ < 600
__device__ double atomicAdd(double* p, double value) { return *p += 100 * value; }
#endif

__device__ int of_device() {
#ifdef FAST
    return 10;
#else
    return 20;
#endif
}

inline int of_host() {
#ifdef __CUDA_ARCH__
    return 1;
#else
    return 2;
#endif
}

// A struct that only a typedef names, constants that are no variables of a namespace.
typedef struct {
    int low, high;
} Pair;
template <typename T>
struct Factors {
    static constexpr int of[2] = {3, 5};
};
template <typename T>
constexpr T offset = T(7);
template <typename T>
__device__ int taken(const T& x) {
    return x;
}
template <typename P>
__global__ void pairs(P* x) {
    P own = x[threadIdx.x];
    const int* factors = Factors<P>::of;
    own.low = own.low * factors[threadIdx.x % 2] + taken(offset<int>);
    x[threadIdx.x] = own;
}

template <int unused>
__global__ void k(int* x, double* sum) {
#if __CUDA_ARCH__ >= 800
    x[0] = of_device() + __CUDA_ARCH__;
#else
    x[0] = -1;
#endif
    atomicAdd(sum, 0.5);
}

int main() {
    int* x;
    double* sum;
    cudaMallocManaged(&x, sizeof *x);
    cudaMallocManaged(&sum, sizeof *sum);
    *sum = 0;
    k<0><<<2, 32>>>(x, sum);
    bool good = *x == 810 && *sum == 32 && of_host() == 2;
    Pair* p;
    cudaMallocManaged(&p, 4 * sizeof *p);
    for (int i = 0; i < 4; ++i) p[i] = Pair{i, -i};
    pairs<Pair><<<1, 4>>>(p);
    for (int i = 0; i < 4; ++i) {
        good = good && p[i].low == i * (i % 2 ? 5 : 3) + 7 && p[i].high == -i;
    }
    cudaFree(p);
    printf("%s\n", good ? "PASS" : "FAIL");
    cudaFree(x);
    cudaFree(sum);
    return good ? 0 : 1;
}
