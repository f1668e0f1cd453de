// The SIMT API of the Ascend 950 on a CPU: threads of a block are the fibers of the oracle's machine,
// warps have 32 lanes. Written from the documented names and their meaning.
//
// What the machine reports: barriers that some threads of a block miss or that differ, shuffles that
// read a lane that takes no part (their result is poison), shared memory beyond its bounds, and
// launches beyond the chip's limits. What it does not model: flushed subnormals of `/`, `sqrtf` and
// `expf`, registers, 64-bit atomics in the unified buffer being absent is checked by type only.
#pragma once

#include <cstdint>
#include <cstdio>
#include <type_traits>

#include <port_ascend/types.h>
#include <port_oracle/atomic_operations.hpp>
#include <port_oracle/core.hpp>
#include <port_oracle/integers.hpp>
#include <port_oracle/maths.hpp>
#include <port_oracle/warp.hpp>

#ifndef __launch_bounds__
#define __launch_bounds__(...)
#endif
#define __simt_callee__
#define __simt_vf__

// Two halves, as a type of the compiler.
struct alignas(4) half2 {
    half x, y;
};

#define PORT_ASCEND_SITE port_oracle::Site site = port_oracle::Site::here()

namespace port_ascend {
namespace simt {

constexpr uint32_t warp_lanes = 32;
constexpr uint64_t max_blocks = 65535;
constexpr uint32_t max_threads = 2048;
constexpr std::size_t max_shared = 216 * 1024;

// The types that lanes exchange.
template <class T>
constexpr bool is_exchanged = is_one_of<T, int32_t, uint32_t, int64_t, uint64_t, long long,
                                        unsigned long long, float, half, bfloat16_t>::value;

template <class T>
T exchange(port_oracle::Shuffle kind, T value, unsigned lane, int32_t width, const char* what,
           port_oracle::Site site) {
    static_assert(is_exchanged<T>, "lanes exchange 32- and 64-bit integers and floats");
    unsigned segment = port_oracle::check_width(width, what, site);
    unsigned source = port_oracle::shuffle_source(kind, port_oracle::lane_index,
                                                  lane & (warp_lanes - 1), segment);
    return port_oracle::shuffle_converged(value, source, what, site);
}

// The types of atomic operations.
template <class T>
constexpr bool is_atomic = is_one_of<T, int32_t, uint32_t, int64_t, uint64_t, long long,
                                     unsigned long long, float>::value;

}  // namespace simt
}  // namespace port_ascend

// ---- warps --------------------------------------------------------------------------------------
template <class T>
inline T asc_shfl(T value, int32_t lane, int32_t width = 32, PORT_ASCEND_SITE) {
    return port_ascend::simt::exchange(port_oracle::Shuffle::index, value, unsigned(lane), width,
                                       "asc_shfl", site);
}
template <class T>
inline T asc_shfl_up(T value, uint32_t delta, int32_t width = 32, PORT_ASCEND_SITE) {
    return port_ascend::simt::exchange(port_oracle::Shuffle::up, value, delta, width, "asc_shfl_up",
                                       site);
}
template <class T>
inline T asc_shfl_down(T value, uint32_t delta, int32_t width = 32, PORT_ASCEND_SITE) {
    return port_ascend::simt::exchange(port_oracle::Shuffle::down, value, delta, width,
                                       "asc_shfl_down", site);
}
template <class T>
inline T asc_shfl_xor(T value, int32_t mask, int32_t width = 32, PORT_ASCEND_SITE) {
    return port_ascend::simt::exchange(port_oracle::Shuffle::exclusive, value, unsigned(mask), width,
                                       "asc_shfl_xor", site);
}

inline uint32_t asc_ballot(int32_t predicate, PORT_ASCEND_SITE) {
    return uint32_t(port_oracle::vote_converged(predicate != 0, "asc_ballot", site).ballot);
}
inline int32_t asc_any(int32_t predicate, PORT_ASCEND_SITE) {
    return port_oracle::vote_converged(predicate != 0, "asc_any", site).ballot != 0;
}
inline int32_t asc_all(int32_t predicate, PORT_ASCEND_SITE) {
    auto vote = port_oracle::vote_converged(predicate != 0, "asc_all", site);
    return vote.ballot == vote.lanes;
}
inline uint32_t asc_activemask(PORT_ASCEND_SITE) {
    return uint32_t(port_oracle::active_lanes("asc_activemask", site));
}

#define PORT_ASCEND_REDUCE(name, expression)                                                       \
    template <class T>                                                                             \
    inline T name(T value, PORT_ASCEND_SITE) {                                                     \
        static_assert(port_ascend::is_one_of<T, int32_t, uint32_t, float>::value,                  \
                      "warps reduce 32-bit integers and floats");                                  \
        port_oracle::ReduceRecord<T> record{value, [](T a, T b) -> T { return expression; }};      \
        port_oracle::meet_converged(port_oracle::Need::all, &record,                               \
                                    port_oracle::complete_reduce<T>, #name, site);                 \
        return record.value;                                                                       \
    }
PORT_ASCEND_REDUCE(asc_reduce_add, T(a + b))
PORT_ASCEND_REDUCE(asc_reduce_min, a < b ? a : b)
PORT_ASCEND_REDUCE(asc_reduce_max, a > b ? a : b)
#undef PORT_ASCEND_REDUCE

// ---- blocks -------------------------------------------------------------------------------------
inline void asc_syncthreads(PORT_ASCEND_SITE) { port_oracle::barrier(0, site); }
// Lanes of a warp go in step: those that reach the fence together wait for each other there.
inline void asc_threadfence_block(PORT_ASCEND_SITE) {
    port_oracle::active_lanes("asc_threadfence_block", site);
    port_oracle::spin_hint();
}
inline void asc_threadfence() { port_oracle::spin_hint(); }

// ---- atomics ------------------------------------------------------------------------------------
#define PORT_ASCEND_ATOMIC(name, condition, operation)                                             \
    template <class T>                                                                             \
    inline T name(T* address, port_ascend::same_t<T> value) {                                      \
        static_assert(port_ascend::simt::is_atomic<T> && (condition), #name " of this type");      \
        return operation;                                                                          \
    }
PORT_ASCEND_ATOMIC(asc_atomic_add, true, port_oracle::atomic_add(address, value))
PORT_ASCEND_ATOMIC(asc_atomic_sub, std::is_integral<T>::value,
                   port_oracle::atomic_add(address, T(T(0) - value)))
PORT_ASCEND_ATOMIC(asc_atomic_exch, true, port_oracle::atomic_exchange(address, value))
PORT_ASCEND_ATOMIC(asc_atomic_min, true,
                   port_oracle::atomic_update(address, [=](T o) { return value < o ? value : o; }))
PORT_ASCEND_ATOMIC(asc_atomic_max, true,
                   port_oracle::atomic_update(address, [=](T o) { return value > o ? value : o; }))
PORT_ASCEND_ATOMIC(asc_atomic_and, std::is_integral<T>::value,
                   port_oracle::atomic_update(address, [=](T o) { return T(o & value); }))
PORT_ASCEND_ATOMIC(asc_atomic_or, std::is_integral<T>::value,
                   port_oracle::atomic_update(address, [=](T o) { return T(o | value); }))
PORT_ASCEND_ATOMIC(asc_atomic_xor, std::is_integral<T>::value,
                   port_oracle::atomic_update(address, [=](T o) { return T(o ^ value); }))
PORT_ASCEND_ATOMIC(asc_atomic_inc, std::is_unsigned<T>::value,
                   port_oracle::atomic_update(address, [=](T o) { return o >= value ? T(0) : T(o + 1); }))
PORT_ASCEND_ATOMIC(asc_atomic_dec, std::is_unsigned<T>::value,
                   port_oracle::atomic_update(address, [=](T o) {
                       return o == 0 || o > value ? value : T(o - 1);
                   }))
#undef PORT_ASCEND_ATOMIC
template <class T>
inline T asc_atomic_cas(T* address, port_ascend::same_t<T> compare, port_ascend::same_t<T> value) {
    static_assert(port_ascend::simt::is_atomic<T>, "asc_atomic_cas of this type");
    return port_oracle::atomic_compare_exchange(address, compare, value);
}

// ---- launches -----------------------------------------------------------------------------------
namespace port_ascend {

template <class... Parameters>
struct ThreadLaunch {
    const char* name;
    void (*kernel)(Parameters...);
    dim3 grid, block;
    std::size_t shared;
    port_oracle::Site site;

    void operator()(Parameters... arguments) const {
        uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
        uint64_t threads = uint64_t(block.x) * block.y * block.z;
        if (blocks > simt::max_blocks) {
            port_oracle::fail("launch", "%s is launched with %llu blocks, more than %llu (%s:%d)",
                              name, (unsigned long long)blocks,
                              (unsigned long long)simt::max_blocks, site.file, site.line);
        }
        if (threads > simt::max_threads) {
            port_oracle::fail("launch", "%s is launched with blocks of %llu threads, more than %u (%s:%d)",
                              name, (unsigned long long)threads, simt::max_threads, site.file,
                              site.line);
        }
        if (shared > simt::max_shared) {
            port_oracle::fail("launch", "%s is launched with %zu bytes of shared memory, more than %zu (%s:%d)",
                              name, shared, simt::max_shared, site.file, site.line);
        }
        port_oracle::launch(port_oracle::LaunchConfig{grid, block, shared, name, simt::max_threads},
                            kernel, arguments...);
    }
};

// `kernel<<<grid, block, shared, stream>>>(arguments…)`
template <class... Parameters, class Stream>
ThreadLaunch<Parameters...> launch(const char* name, void (*kernel)(Parameters...), dim3 grid,
                                   dim3 block, std::size_t shared, const Stream&, PORT_ASCEND_SITE) {
    return ThreadLaunch<Parameters...>{name, kernel, grid, block, shared, site};
}

}  // namespace port_ascend
