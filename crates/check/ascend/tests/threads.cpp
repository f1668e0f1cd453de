// A kernel for each rule of the 950's threads that breaks it, and its mended twin, as rules.cpp has them
// for the 910B.

#include "acl/acl.h"
#include "simt_api/asc_simt.h"

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

bool bad;  // which twin runs

constexpr int kThreads = 64;

__global__ __launch_bounds__(kThreads) void few(int* y) { y[blockIdx.x * blockDim.x + threadIdx.x] = 1; }
__global__ void usual(int* y) { y[threadIdx.x] = 1; }
__global__ __launch_bounds__(2048) void many(int* y) { y[threadIdx.x] = 1; }
template <int kBound> __global__ __launch_bounds__(kBound) void bounded(int* y) { y[threadIdx.x] = 1; }
__global__ void sum(int* y, int active) {
    int value = int(threadIdx.x);
    if (int(threadIdx.x) < active) value += asc_shfl_down(value, 16);  //! inactive-lane
    y[threadIdx.x] = value;
}

__global__ void functions(float* y, float tiny) {
    y[0] = sqrtf(tiny);
    y[1] = std::expf(-100.0f);
    y[2] = ::rsqrtf(tiny);
    y[3] = sqrtf(4.0f) + expf(0.0f) + rsqrtf(4.0f);
}

struct Part { int values[4]; };
__global__ void sum_of_parts(int* y, int count) {
    Part part = {};
    for (int i = 0; i < count; ++i) part.values[i] = i;  //! array-bounds
    y[0] = part.values[0] + part.values[3];
}

void bound_of_a_kernel(int* y) {
    few<<<1, bad ? 65 : 64, 0, nullptr>>>(y);  //! thread-count
}
void bound_of_an_instance(int* y) {
    bounded<128><<<1, bad ? 129 : 128, 0, nullptr>>>(y);  //! thread-count
}
void bound_without_one(int* y) {
    usual<<<1, bad ? 1025 : 1024, 0, nullptr>>>(y);  //! thread-count
}
void most_threads(int* y) {
    many<<<1, dim3(bad ? 1025 : 1024, 2), 0, nullptr>>>(y);  //! thread-count
}
void block_count(int* y) {
    few<<<dim3(bad ? 256 : 255, 256), 1, 0, nullptr>>>(y);  //! block-count
}
void shared_memory(int* y) {
    few<<<1, 1, 216 * 1024 + (bad ? 1 : 0), nullptr>>>(y);  //! local-memory-full
}
void inactive_lane(int* y) {
    sum<<<1, 32, 0, nullptr>>>(y, bad ? 31 : 32);
}
void array_bounds(int* y) {
    sum_of_parts<<<1, 1, 0, nullptr>>>(y, bad ? 5 : 4);
}

// What the compiler calls in texts whose accesses are watched.
extern "C" void __tsan_read4(void*);
extern "C" void __tsan_write4(void*);

// The other warp's part of shared memory.
__global__ void exchanged(int* y, bool ordered) {
    __ubuf__ int part[64];
    int own = int(threadIdx.x);
    __tsan_write4(&part[own]);
    part[own] = own;
    if (ordered) asc_syncthreads();
    __tsan_read4(&part[63 - own]);
    y[own] = part[63 - own];
}
// A counter of all threads, which one of them reads.
__global__ void counted(int* y, bool ordered) {
    __ubuf__ int count[1];
    if (threadIdx.x == 0) {
        __tsan_write4(count);
        count[0] = 0;
    }
    asc_syncthreads();
    port_oracle::atomic_access = true;
    __tsan_read4(count);
    __tsan_write4(count);
    port_oracle::atomic_access = false;
    asc_atomic_add(count, 1);
    if (ordered) asc_syncthreads();
    if (threadIdx.x != 0) return;
    __tsan_read4(count);
    y[0] = count[0];
}

// A word for each warp, which each thread of it or one of them writes: the value is the same.
__global__ void repeated(int* y, bool all) {
    __ubuf__ int sums[2];
    const int warp = int(threadIdx.x) / 32;
    if (all || threadIdx.x % 32 == 0) {
        __tsan_write4(&sums[warp]);
        sums[warp] = warp + 7;
        __tsan_write4(&y[warp]);
        y[warp] = warp + 7;
    }
    asc_syncthreads();
    __tsan_read4(&sums[1 - warp]);
    __tsan_write4(&y[2 + threadIdx.x]);
    y[2 + threadIdx.x] = sums[1 - warp];
}
// A word that all threads write: the last one decides.
__global__ void decided(int* y, bool all) {
    if (!all && threadIdx.x != 63) return;
    __tsan_write4(y);
    y[0] = int(threadIdx.x);
}
// A word beside a buffer: of memory that is the buffer's own, or of whoever asked for it. Then one that the end divides.
__global__ void beside(char* words, char* whole, bool ordered) {
    __tsan_read4(words + 512);
    __tsan_write4(words + 512);
    __tsan_read4(whole + (ordered ? 4 : 8));
}
__global__ void across(char* words, bool ordered) { __tsan_write4(words + (ordered ? 4 : 6)); }

struct Case { const char* name; void (*launch)(int*); };
#define CASE(name) {#name, name}
const Case cases[] = {CASE(bound_of_a_kernel), CASE(bound_of_an_instance), CASE(bound_without_one), CASE(most_threads),
                      CASE(block_count), CASE(shared_memory), CASE(inactive_lane), CASE(array_bounds)};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && !std::strcmp(argv[1], "list")) {
        for (const Case& each : cases) std::puts(each.name);
        return 0;
    }
    if (argc == 2 && !std::strcmp(argv[1], "functions")) {
        void* y = nullptr;
        aclrtMalloc(&y, 4 * sizeof(float), ACL_MEM_MALLOC_HUGE_FIRST);
        functions<<<1, 1, 0, nullptr>>>(static_cast<float*>(y), 0x1p-130f);
        float values[4];
        aclrtMemcpy(values, sizeof values, y, sizeof values, ACL_MEMCPY_DEVICE_TO_HOST);
        std::printf("%g %g %g %g, host %g\n", values[0], values[1], values[2], values[3], sqrtf(0x1p-130f));
        aclrtFree(y);
        return 0;
    }
    if (argc != 3) return 2;
    bad = !std::strcmp(argv[2], "bad");
    void* y = nullptr;
    aclrtMalloc(&y, 65536 * sizeof(int), ACL_MEM_MALLOC_HUGE_FIRST);
    if (!std::strcmp(argv[1], "exchanged")) exchanged<<<1, 64, 0, nullptr>>>(static_cast<int*>(y), !bad);
    if (!std::strcmp(argv[1], "counted")) counted<<<1, 64, 0, nullptr>>>(static_cast<int*>(y), !bad);
    if (!std::strcmp(argv[1], "repeated")) repeated<<<1, 64, 0, nullptr>>>(static_cast<int*>(y), bad);
    if (!std::strcmp(argv[1], "decided")) decided<<<1, 64, 0, nullptr>>>(static_cast<int*>(y), bad);
    void* small = nullptr;
    aclrtMalloc(&small, 8, ACL_MEM_MALLOC_HUGE_FIRST);
    std::vector<char> words(1024);
    port_ascend::register_gm(words.data(), 512);
    if (!std::strcmp(argv[1], "beside")) beside<<<1, 1, 0, nullptr>>>(words.data(), static_cast<char*>(small), !bad);
    if (!std::strcmp(argv[1], "across")) across<<<1, 1, 0, nullptr>>>(static_cast<char*>(small), !bad);
    port_ascend::unregister_gm(words.data());
    aclrtFree(small);
    for (const Case& each : cases) {
        if (!std::strcmp(each.name, argv[1])) each.launch(static_cast<int*>(y));
    }
    aclrtFree(y);
    return 0;
}
