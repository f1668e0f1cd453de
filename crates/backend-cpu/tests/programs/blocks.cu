// What the threads of a block share and do together. Kernels are templates, so that their text stays
// and can run thread by thread too.
#include <cooperative_groups.h>
#include <cstdio>
#include <cuda_runtime.h>

namespace cg = cooperative_groups;

extern __shared__ int everywhere[];

__device__ int* window() {
    extern __shared__ __align__(16) unsigned char bytes[];
    return reinterpret_cast<int*>(bytes);
}

template <int unused>
__global__ void reversed(int* x) {
    window()[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = everywhere[blockDim.x - 1 - threadIdx.x];
}

__device__ int total;
__constant__ int weights[4];

template <int unused>
__global__ void weighted(const int* x, int n) {
    static __shared__ int sum;
    if (threadIdx.x == 0) sum = 0;
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int value = i < n ? x[i] * weights[i % 4] : 0;
    for (int d = 16; d > 0; d /= 2) value += __shfl_down_sync(0xffffffffu, value, d);
    if (threadIdx.x % 32 == 0) atomicAdd(&sum, value);
    int odd = __syncthreads_count(i < n && x[i] % 2);
    if (threadIdx.x == 0) atomicAdd(&total, sum + 1000000 * (odd > 0));
}

template <int unused>
__global__ void neighbours(int* x, int* y, int rounds) {
    cg::grid_group grid = cg::this_grid();
    __shared__ int kept[64];
    unsigned i = grid.thread_rank(), n = grid.size();
    kept[threadIdx.x] = i;
    for (int r = 0; r < rounds; ++r) {
        y[i] = x[(i + 1) % n];
        grid.sync();
        x[i] = y[i];
        grid.sync();
    }
    // Shared memory of a block that waited for others is its own.
    if (kept[threadIdx.x] != int(i)) x[i] = -1;
}

template <int unused>
__global__ void ticket(int* order, unsigned* next) {
    // Blocks that wait for the block before them.
    if (threadIdx.x == 0) {
        while (atomicAdd(next, 0u) != blockIdx.x) {}
        order[blockIdx.x] = blockIdx.x;
        __threadfence();
        atomicAdd(next, 1u);
    }
}

int main() {
    bool good = true;
    int *x, *y;
    const int n = 256;
    cudaMallocManaged(&x, n * sizeof(int));
    cudaMallocManaged(&y, n * sizeof(int));
    for (int i = 0; i < n; ++i) x[i] = i;
    reversed<0><<<1, n, n * sizeof(int)>>>(x);
    for (int i = 0; i < n; ++i) good = good && x[i] == n - 1 - i;

    int host_weights[4] = {1, 2, 3, 4}, zero = 0, sum = 0, expected = 0;
    cudaMemcpyToSymbol(weights, host_weights, sizeof host_weights);
    cudaMemcpyToSymbol(total, &zero, sizeof zero);
    weighted<0><<<3, 96>>>(x, n);
    cudaMemcpyFromSymbol(&sum, total, sizeof sum);
    for (int i = 0; i < n; ++i) expected += x[i] * host_weights[i % 4];
    good = good && sum == expected + 3 * 1000000;

    for (int i = 0; i < n; ++i) x[i] = i;
    int rounds = 3;
    void* arguments[] = {&x, &y, &rounds};
    cudaLaunchCooperativeKernel((void*)neighbours<0>, dim3(4), dim3(64), arguments);
    for (int i = 0; i < n; ++i) good = good && x[i] == (i + 3) % n;

    unsigned* next;
    cudaMallocManaged(&next, sizeof *next);
    *next = 0;
    ticket<0><<<50, 32>>>(y, next);
    for (int i = 0; i < 50; ++i) good = good && y[i] == i;
    printf("%s\n", good ? "PASS" : "FAIL");
    cudaFree(x);
    cudaFree(y);
    cudaFree(next);
    return good ? 0 : 1;
}
