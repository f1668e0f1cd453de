// HIP for execution on the processor: the names and meanings of ROCm 5.2, the oldest release that
// ports support, so that what it lacks (masked shuffles, directed rounding …) does not compile.
//
// The width of a wave is chosen at run time (`warpSize` is then a variable, as in ROCm 7), unless
// PORT_ORACLE_WARP fixes it as a constant, as ROCm 5 and 6 do.
#pragma once

#define PORT_ORACLE 1
#define PORT_ORACLE_HIP 1

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cassert>
#include <new>

#define __global__
#define __device__
#define __host__
#define __shared__ thread_local
#define __constant__
#define __managed__
#define __forceinline__
#define __noinline__
#define __restrict __restrict__
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define PORT_ORACLE_ALIGNAS(n) __attribute__((aligned(n)))

#define HIP_VERSION_MAJOR 5
#define HIP_VERSION_MINOR 2
#define HIP_VERSION_PATCH 21153
#define HIP_VERSION 50221153
#define __HIP_ARCH_HAS_WARP_SHUFFLE__ 1
#define __HIP_ARCH_HAS_WARP_BALLOT__ 1
#define __HIP_ARCH_HAS_WARP_VOTE__ 1

#include <port_oracle/atomics.hpp>
#include <port_oracle/integers.hpp>
#include <port_oracle/maths.hpp>
#include <port_oracle/warp.hpp>

#ifdef PORT_ORACLE_WARP
constexpr int warpSize = PORT_ORACLE_WARP;
#define __AMDGCN_WAVEFRONT_SIZE PORT_ORACLE_WARP
#define __AMDGCN_WAVEFRONT_SIZE__ PORT_ORACLE_WARP
#if PORT_ORACLE_WARP == 64
#define __GFX9__ 1
#define __gfx90a__ 1
#else
#define __GFX10__ 1
#define __gfx1030__ 1
#endif
#else
extern int warpSize;
#endif

#define PORT_API(name) hip##name
#include <port_oracle/host.inc>
#undef PORT_API

#include "port_hip_warp.h"

// ---- spellings that differ from CUDA's ---------------------------------------------------------
typedef hipDeviceProp hipDeviceProp_t;
typedef hipFuncCache hipFuncCache_t;
typedef hipLimit hipLimit_t;
typedef hipPointerAttributes hipPointerAttribute_t;
typedef hipUUID_t hipUUID;
constexpr hipError_t hipErrorMemoryAllocation = hipErrorOutOfMemory;
constexpr hipStream_t hipStreamPerThread = nullptr;
enum {
    hipHostMallocDefault = 0,
    hipHostMallocPortable = 1,
    hipHostMallocMapped = 2,
    hipHostMallocWriteCombined = 4,
    hipHostMallocCoherent = 0x40000000,
    hipDeviceScheduleMask = 7,
};
template <class T>
inline hipError_t hipHostMalloc(T** pointer, size_t bytes, unsigned = 0) {
    return hipMalloc(pointer, bytes);
}
inline hipError_t hipHostFree(void* pointer) { return hipFree(pointer); }
inline hipError_t hipInit(unsigned) { return hipSuccess; }
inline hipError_t hipMemcpyDtoH(void* to, void* from, size_t bytes) { return hipMemcpy(to, from, bytes); }
inline hipError_t hipMemcpyHtoD(void* to, void* from, size_t bytes) { return hipMemcpy(to, from, bytes); }
typedef void (*hipStreamCallback_t)(hipStream_t, hipError_t, void*);
inline hipError_t hipStreamAddCallback(hipStream_t stream, hipStreamCallback_t callback, void* data,
                                       unsigned) {
    callback(stream, hipSuccess, data);
    return hipSuccess;
}
#define make_hipExtent(w, h, d) hipExtent{w, h, d}

enum hipDeviceAttribute_t {
#define PORT_ATTRIBUTE(cuda, hip, number, expression) hipDeviceAttribute##hip,
#include <port_oracle/attributes.inc>
#undef PORT_ATTRIBUTE
};
inline hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute, int device) {
    hipDeviceProp p;
    if (hipError_t error = hipGetDeviceProperties(&p, device)) return error;
    switch (attribute) {
#define PORT_ATTRIBUTE(cuda, hip, number, expression) \
        case hipDeviceAttribute##hip: *value = int(expression); return hipSuccess;
#include <port_oracle/attributes.inc>
#undef PORT_ATTRIBUTE
    }
    return hipErrorInvalidValue;
}

// ---- launches and declarations -----------------------------------------------------------------
#define HIP_KERNEL_NAME(...) __VA_ARGS__
#define HIP_SYMBOL(symbol) symbol
#define HIP_DYNAMIC_SHARED(type, name) extern __shared__ type name[];
#define HIP_DYNAMIC_SHARED_ATTRIBUTE
#define hipLaunchKernelGGL(kernel, grid, block, shared, stream, ...)                               \
    port_oracle::launch(port_oracle::configure(#kernel, grid, block, shared, stream),              \
                        [&](auto... port_oracle_arguments) { kernel(port_oracle_arguments...); },  \
                        ##__VA_ARGS__)

#define hipThreadIdx_x (threadIdx.x)
#define hipThreadIdx_y (threadIdx.y)
#define hipThreadIdx_z (threadIdx.z)
#define hipBlockIdx_x (blockIdx.x)
#define hipBlockIdx_y (blockIdx.y)
#define hipBlockIdx_z (blockIdx.z)
#define hipBlockDim_x (blockDim.x)
#define hipBlockDim_y (blockDim.y)
#define hipBlockDim_z (blockDim.z)
#define hipGridDim_x (gridDim.x)
#define hipGridDim_y (gridDim.y)
#define hipGridDim_z (gridDim.z)
