// The SIMT API of the Ascend 950 on a CPU: threads of a block are the fibers of the oracle's machine,
// warps have 32 lanes. Written from the documented names and their meaning.
//
// What the machine reports: barriers that some threads of a block miss or that differ and shared memory
// beyond its bounds end the run; shuffles that read a lane that takes no part, blocks of more threads
// than the kernel's bound and launches beyond the chip's limits are broken rules of the report. `sqrtf`
// and `expf` flush subnormals, `rsqrtf` takes them for 0. What it does not model: the flushed subnormals
// of `/`, registers; that there are no 64-bit atomics in the unified buffer is checked by type only.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <type_traits>

#include <port_ascend/core.h>
#include <port_ascend/types.h>
#include <port_oracle/atomic_operations.hpp>
#include <port_oracle/core.hpp>
#include <port_oracle/integers.hpp>
#include <port_oracle/maths.hpp>
#include <port_oracle/warp.hpp>

// The most threads of a block, kept where a launch finds it: as many empty instructions before the
// function. clang takes no such count that depends on a template's parameter.
#ifndef __launch_bounds__
#ifdef __clang__
#define __launch_bounds__(...)
#else
#define PORT_ASCEND_BOUND(threads, ...) \
    __attribute__((patchable_function_entry((threads), (threads))))
#define __launch_bounds__(...) PORT_ASCEND_BOUND(__VA_ARGS__, 0)
#endif
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
constexpr uint32_t default_threads = 1024;  // of a kernel without a bound
constexpr std::size_t max_shared = 216 * 1024;

// The types that lanes exchange.
template <class T>
constexpr bool is_exchanged = is_one_of<T, int32_t, uint32_t, int64_t, uint64_t, long long,
                                        unsigned long long, float, half, bfloat16_t>::value;

inline void complete_exchange(const port_oracle::Meeting& meeting) {
    for (unsigned lane = 0; lane < meeting.width; ++lane) {
        auto* mine = static_cast<port_oracle::ShuffleRecord*>(meeting.records[lane]);
        if (!mine || (mine->source < meeting.width && meeting.records[mine->source])) continue;
        report("inactive-lane", meeting.what, Site{meeting.site.file, meeting.site.line},
               "lane %u reads lane %u, which takes no part: what it gets is undefined; let all lanes of the warp shuffle, or select a lane that does",
               lane, mine->source);
    }
    port_oracle::complete_shuffle(meeting);
}

template <class T>
T exchange(port_oracle::Shuffle kind, T value, unsigned lane, int32_t width, const char* what,
           port_oracle::Site site) {
    static_assert(is_exchanged<T>, "lanes exchange 32- and 64-bit integers and floats");
    unsigned segment = port_oracle::check_width(width, what, site);
    unsigned source = port_oracle::shuffle_source(kind, port_oracle::lane_index,
                                                  lane & (warp_lanes - 1), segment);
    alignas(T) unsigned char result[sizeof(T)];
    port_oracle::ShuffleRecord record{&value, result, sizeof(T), source};
    port_oracle::meet_converged(port_oracle::Need::some, &record, complete_exchange, what, site);
    T copy;
    std::memcpy(static_cast<void*>(&copy), result, sizeof(T));
    return copy;
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

// ---- functions ----------------------------------------------------------------------------------
namespace port_ascend {
namespace simt {

// Subnormals are zeros of their sign, in threads: the host computes as it always does.
inline float flush(float value) {
    return thread_kernel && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}
inline float flushed_sqrt(float value) { return sqrtf(flush(value)); }
inline float flushed_exp(float value) { return flush(expf(flush(value))); }
inline float flushed_rsqrt(float value) { return rsqrtf(flush(value)); }

}  // namespace simt
}  // namespace port_ascend
namespace std {
namespace port_ascend = ::port_ascend;  // `std::sqrtf(x)`
}
#define sqrtf(...) port_ascend::simt::flushed_sqrt(__VA_ARGS__)
#define expf(...) port_ascend::simt::flushed_exp(__VA_ARGS__)
#define rsqrtf(...) port_ascend::simt::flushed_rsqrt(__VA_ARGS__)

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
        uint32_t bound = thread_bound(reinterpret_cast<const void*>(kernel));
        Site at{site.file, site.line};
        thread_kernel = name;
        if (blocks > simt::max_blocks) {
            report("block-count", "<<<>>>", at, "%llu blocks, and %llu are possible: let each block work on several parts",
                   (unsigned long long)blocks, (unsigned long long)simt::max_blocks);
        } else if (threads > (bound ? bound : simt::default_threads)) {
            report("thread-count", "<<<>>>", at, bound ? "blocks of %llu threads, and the kernel's __launch_bounds__ say %u"
                   : "blocks of %llu threads, and a kernel without __launch_bounds__ takes %u",
                   (unsigned long long)threads, bound ? bound : simt::default_threads);
        } else if (threads > simt::max_threads) {
            report("thread-count", "<<<>>>", at, "blocks of %llu threads, and %u are possible", (unsigned long long)threads,
                   simt::max_threads);
        } else if (shared > simt::max_shared) {
            report("local-memory-full", "<<<>>>", at, "%zu bytes of shared memory, and %zu are possible", shared, simt::max_shared);
        } else {
            count_thread_launch(name, uint32_t(blocks));
            run(arguments...);
        }
        thread_kernel = nullptr;
    }

private:
    void run(Parameters... arguments) const {
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
