// CUDA's names on a CPU: what a port by `port` needs beside it. Plain C++17, g++ or clang; with
// -fopenmp blocks run in parallel. Generated: edits are lost when the port is made again.
//
// Device 0 is this machine. Memory of the device is memory of the process, and what is asynchronous
// happens at once, in order. A kernel runs as a compiled form (loops, in the port's last section)
// where there is one, else its own text runs once for each thread, each on a stack of its own.
//
// Host code is compiled as nvcc's host pass compiles it: __CUDACC__ is defined, __CUDA_ARCH__ is not.
#pragma once

#ifdef __FAST_MATH__
#error "port_cpu.hpp: -ffast-math changes results; compile without it"
#endif
// Every operation rounds once: a*b + c is not fused unless the text says fma. As with nvcc, memory may
// be read through pointers of another type, and signed integers wrap around. For the latter two clang
// has options alone: -fno-strict-aliasing -fwrapv. The last option is about speed alone: g++ -O2 makes
// vectors of loops over the threads as g++ -O3 does.
#if defined(__clang__)
#pragma clang fp contract(off)
// Not every loop over threads becomes one of vectors.
#pragma clang diagnostic ignored "-Wpass-failed"
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-strict-aliasing", "wrapv", "vect-cost-model=dynamic")
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#else
#error "port_cpu.hpp: g++ or clang is needed"
#endif

// Functions that are called once for a launch, a block or a meeting, so that a build of many ports may
// compile them once.
#ifndef PORT_CPU_ONCE
#define PORT_CPU_ONCE inline
#endif

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>
#ifdef __linux__
#include <link.h>
#endif

#define __CUDACC__ 1
#define __NVCC__ 1
#define __CUDACC_VER_MAJOR__ 11
#define __CUDACC_VER_MINOR__ 8
#define __CUDACC_VER_BUILD__ 89
#define __CUDACC_EXTENDED_LAMBDA__ 1
#define __CUDACC_RELAXED_CONSTEXPR__ 1
#define __CUDA_API_VER_MAJOR__ 11
#define __CUDA_API_VER_MINOR__ 8
// Headers ask these whether the runtime's are included.
#define __CUDA_RUNTIME_H__
#define __CUDA_RUNTIME_API_H__
#define __DRIVER_TYPES_H__
#define __VECTOR_TYPES_H__
#define CUDART_VERSION 11080
#define CUDA_VERSION 11080

#define __global__
#define __device__
#define __host__
// One block runs at a time on a thread of the machine, so its variables are that thread's.
#define __shared__ static thread_local
#define __constant__
#define __managed__
#define __grid_constant__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#ifndef __restrict
#define __restrict __restrict__
#endif
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __cluster_dims__(...)
#define __block_size__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define __device_builtin__
#define __inline__ inline
#ifndef __clang__
#define __builtin_assume(condition) ((void)0)
#endif
#define __nv_pure__
#define __cudart_builtin__
#define CUDARTAPI
#define CUDART_CB
#define __nv_is_extended_device_lambda_closure_type(T) false
#define __nv_is_extended_host_device_lambda_closure_type(T) false
