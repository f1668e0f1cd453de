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
    printf("%s\n", good ? "PASS" : "FAIL");
    cudaFree(x);
    cudaFree(sum);
    return good ? 0 : 1;
}
