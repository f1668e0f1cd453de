// The CUDA runtime for execution on the processor. Names as in CUDA; the machine is port_oracle's.
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cassert>
#include <new>

#define __global__
#define __device__
#define __host__
// One block runs at a time on one OS thread, so the block's variables can be thread-local ones:
// static in functions, `extern` where declared so, found and poisoned as one segment.
#define __shared__ thread_local
#define __constant__
#define __managed__
#define __grid_constant__
#define __forceinline__
#define __noinline__
#define __restrict __restrict__
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __cluster_dims__(...)
#define __block_size__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define PORT_ORACLE_ALIGNAS(n) __attribute__((aligned(n)))
#define __device_builtin__
#define __nv_pure__
#define CUDARTAPI
#define CUDART_CB
#define CUDART_VERSION 12040
#define CUDA_VERSION 12040
#define __builtin_assume(condition) ((void)0)
#define __nv_is_extended_device_lambda_closure_type(T) false

#include <port_oracle/atomics.hpp>
#include <port_oracle/integers.hpp>
#include <port_oracle/maths.hpp>

extern int warpSize;
#include "port_cuda_warp.h"

#define PORT_API(name) cuda##name
#include <port_oracle/host.inc>
#undef PORT_API

typedef cudaError_t cudaError;
constexpr cudaError_t cudaErrorMemoryAllocation = cudaErrorOutOfMemory;
constexpr cudaError_t cudaErrorInitializationError = cudaErrorNotInitialized;
constexpr cudaStream_t cudaStreamLegacy = nullptr;
constexpr cudaStream_t cudaStreamPerThread = nullptr;
enum { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed };
enum { cudaOccupancyDefault = 0 };

enum cudaDeviceAttr {
#define PORT_ATTRIBUTE(cuda, hip, number, expression) cudaDevAttr##cuda = number,
#include <port_oracle/attributes.inc>
#undef PORT_ATTRIBUTE
};
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    cudaDeviceProp p;
    if (cudaError_t error = cudaGetDeviceProperties(&p, device)) return error;
    switch (attribute) {
#define PORT_ATTRIBUTE(cuda, hip, number, expression) \
        case cudaDevAttr##cuda: *value = int(expression); return cudaSuccess;
#include <port_oracle/attributes.inc>
#undef PORT_ATTRIBUTE
    }
    return cudaErrorInvalidValue;
}

#define make_cudaExtent(w, h, d) cudaExtent{w, h, d}
#define make_cudaPitchedPtr(p, pitch, x, y) cudaPitchedPtr{p, pitch, x, y}
inline cudaError_t cudaMalloc3D(cudaPitchedPtr* pointer, cudaExtent extent) {
    pointer->xsize = extent.width;
    pointer->ysize = extent.height;
    return cudaMallocPitch(&pointer->ptr, &pointer->pitch, extent.width,
                           extent.height * extent.depth);
}
typedef void (*cudaStreamCallback_t)(cudaStream_t, cudaError_t, void*);
inline cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback,
                                         void* data, unsigned) {
    callback(stream, cudaSuccess, data);
    return cudaSuccess;
}
// Launches with attributes, which the machine has no use for.
struct cudaLaunchAttributeValue {
    int cooperative;
    int programmaticStreamSerializationAllowed;
    struct { unsigned x, y, z; } clusterDim;
    int priority;
};
enum cudaLaunchAttributeID {
    cudaLaunchAttributeIgnore = 0,
    cudaLaunchAttributeCooperative = 2,
    cudaLaunchAttributeClusterDimension = 4,
    cudaLaunchAttributeProgrammaticStreamSerialization = 6,
    cudaLaunchAttributePriority = 8,
};
struct cudaLaunchAttribute {
    cudaLaunchAttributeID id;
    cudaLaunchAttributeValue val;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute* attrs;
    unsigned numAttrs;
};
template <class... Parameters, class... Arguments>
inline cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config,
                                      void (*kernel)(Parameters...), Arguments&&... arguments) {
    return cudaError_t(port_oracle::launch(
        port_oracle::LaunchConfig{config->gridDim, config->blockDim, config->dynamicSmemBytes,
                                  "a kernel pointer"},
        kernel, static_cast<Parameters>(arguments)...));
}
inline void cudaGridDependencySynchronize() {}
inline void cudaTriggerProgrammaticLaunchCompletion() {}

inline cudaError_t cudaThreadSynchronize() { return cudaSuccess; }
inline cudaError_t cudaThreadExit() { return cudaSuccess; }
inline cudaError_t cudaCtxResetPersistingL2Cache() { return cudaSuccess; }
