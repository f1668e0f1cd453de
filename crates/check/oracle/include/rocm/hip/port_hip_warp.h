// Warp functions of HIP 5.2: without masks, over the lanes that execute the same call; and the
// compiler's builtins that device code uses.
#pragma once

#include <port_oracle/warp.hpp>

#define PORT_ORACLE_SITE port_oracle::Site site = port_oracle::Site::here()

inline unsigned __lane_id() { return port_oracle::lane_index; }

// What a port says about the operations that follow: the lanes that its mask names. They are
// checked: each of them that has not exited must execute the same operation. 0 ends that.
inline void port_oracle_members(unsigned long long lanes) { port_oracle::expect_lanes(lanes); }
inline void port_oracle_syncwarp(unsigned long long lanes, PORT_ORACLE_SITE) {
    port_oracle::expect_lanes(lanes);
    port_oracle::active_lanes("__syncwarp", site);
    port_oracle::expect_lanes(0);
}

namespace port_oracle {

// HIP does not wrap the lane into its segment: an index outside reads what hardware reads, the lane
// modulo the wave.
inline unsigned hip_source(Shuffle kind, unsigned argument, unsigned width) {
    const unsigned lane = lane_index;
    if (kind == Shuffle::index) return (argument + (lane & ~(width - 1))) & (warp_width - 1);
    return shuffle_source(kind, lane, argument, width);
}

}  // namespace port_oracle

#define PORT_ORACLE_SHUFFLE(name, kind, argument, T)                                               \
    inline T name(T value, argument lane, int width = warpSize, PORT_ORACLE_SITE) {                \
        unsigned segment = port_oracle::check_width(width, #name, site);                           \
        return port_oracle::shuffle_converged(                                                     \
            value,                                                                                 \
            port_oracle::hip_source(port_oracle::Shuffle::kind, static_cast<unsigned>(lane),       \
                                    segment),                                                      \
            #name, site);                                                                          \
    }
#define PORT_ORACLE_SHUFFLES(T)                                                                    \
    PORT_ORACLE_SHUFFLE(__shfl, index, int, T)                                                     \
    PORT_ORACLE_SHUFFLE(__shfl_up, up, unsigned, T)                                                \
    PORT_ORACLE_SHUFFLE(__shfl_down, down, unsigned, T)                                            \
    PORT_ORACLE_SHUFFLE(__shfl_xor, exclusive, int, T)
PORT_ORACLE_SHUFFLES(int)
PORT_ORACLE_SHUFFLES(unsigned)
PORT_ORACLE_SHUFFLES(long)
PORT_ORACLE_SHUFFLES(unsigned long)
PORT_ORACLE_SHUFFLES(long long)
PORT_ORACLE_SHUFFLES(unsigned long long)
PORT_ORACLE_SHUFFLES(float)
PORT_ORACLE_SHUFFLES(double)
#undef PORT_ORACLE_SHUFFLES
#undef PORT_ORACLE_SHUFFLE

inline unsigned long long __ballot(int predicate, PORT_ORACLE_SITE) {
    return port_oracle::vote_converged(predicate != 0, "__ballot", site).ballot;
}
inline unsigned long long __ballot64(int predicate, PORT_ORACLE_SITE) {
    return port_oracle::vote_converged(predicate != 0, "__ballot64", site).ballot;
}
inline int __any(int predicate, PORT_ORACLE_SITE) {
    return port_oracle::vote_converged(predicate != 0, "__any", site).ballot != 0;
}
inline int __all(int predicate, PORT_ORACLE_SITE) {
    auto vote = port_oracle::vote_converged(predicate != 0, "__all", site);
    return vote.ballot == vote.lanes;
}
inline unsigned long long __activemask(PORT_ORACLE_SITE) {
    return port_oracle::active_lanes("__activemask", site);
}

// ---- builtins ----------------------------------------------------------------------------------
// Lanes run one at a time between meetings, so what keeps a wave in step must be a meeting.
inline void __builtin_amdgcn_wave_barrier(PORT_ORACLE_SITE) {
    port_oracle::active_lanes("the wave's barrier", site);
}
inline void __builtin_amdgcn_s_barrier(PORT_ORACLE_SITE) { port_oracle::barrier(0, site); }
inline void __builtin_amdgcn_fence(int, const char*) {}
inline void __builtin_amdgcn_s_sleep(int) { port_oracle::yield(); }
inline void __builtin_amdgcn_s_waitcnt(int) {}
inline unsigned __builtin_amdgcn_wavefrontsize() { return port_oracle::warp_width; }
inline unsigned __builtin_amdgcn_mbcnt_lo(unsigned mask, unsigned count) {
    unsigned lane = port_oracle::lane_index;
    return count + __popc(lane >= 32 ? mask : mask & ((1u << lane) - 1));
}
inline unsigned __builtin_amdgcn_mbcnt_hi(unsigned mask, unsigned count) {
    unsigned lane = port_oracle::lane_index;
    return count + (lane < 32 ? 0 : __popc(mask & ((1u << (lane - 32)) - 1)));
}
inline unsigned __mbcnt_lo(unsigned x, unsigned y) { return __builtin_amdgcn_mbcnt_lo(x, y); }
inline unsigned __mbcnt_hi(unsigned x, unsigned y) { return __builtin_amdgcn_mbcnt_hi(x, y); }
inline int __builtin_amdgcn_ds_bpermute(int address, int value, PORT_ORACLE_SITE) {
    return port_oracle::shuffle_converged(
        value, unsigned(address) >> 2 & (port_oracle::warp_width - 1), "ds_bpermute", site);
}
inline int __builtin_amdgcn_readlane(int value, int lane, PORT_ORACLE_SITE) {
    return port_oracle::shuffle_converged(value, unsigned(lane) & (port_oracle::warp_width - 1),
                                          "readlane", site);
}
inline int __builtin_amdgcn_readfirstlane(int value, PORT_ORACLE_SITE) {
    unsigned first = unsigned(
        __builtin_ctzll(port_oracle::active_lanes("readfirstlane", site)));
    return port_oracle::shuffle_converged(value, first, "readfirstlane", site);
}
inline unsigned long long __builtin_amdgcn_read_exec(PORT_ORACLE_SITE) {
    return port_oracle::active_lanes("read_exec", site);
}
inline unsigned long long __builtin_amdgcn_ballot_w64(bool predicate, PORT_ORACLE_SITE) {
    return port_oracle::vote_converged(predicate, "ballot_w64", site).ballot;
}
inline unsigned __builtin_amdgcn_ballot_w32(bool predicate, PORT_ORACLE_SITE) {
    return unsigned(port_oracle::vote_converged(predicate, "ballot_w32", site).ballot);
}
inline unsigned __builtin_amdgcn_workitem_id_x() { return threadIdx.x; }
inline unsigned __builtin_amdgcn_workitem_id_y() { return threadIdx.y; }
inline unsigned __builtin_amdgcn_workitem_id_z() { return threadIdx.z; }
inline unsigned __builtin_amdgcn_workgroup_id_x() { return blockIdx.x; }
inline unsigned __builtin_amdgcn_workgroup_id_y() { return blockIdx.y; }
inline unsigned __builtin_amdgcn_workgroup_id_z() { return blockIdx.z; }
inline unsigned long long __builtin_amdgcn_s_memtime() {
    return (unsigned long long)port_oracle::tick();
}
#ifndef __clang__   // which has this builtin, and the atomic ones, on every machine
inline unsigned long long __builtin_readcyclecounter() {
    return (unsigned long long)port_oracle::tick();
}
#endif
inline int __builtin_amdgcn_sdot4(int a, int b, int c, bool saturate) {
    long long sum = c;
    for (int i = 0; i < 32; i += 8) sum += (signed char)(a >> i) * (signed char)(b >> i);
    if (!saturate) return int(sum);
    return sum > 2147483647 ? 2147483647 : sum < -2147483647 - 1 ? -2147483647 - 1 : int(sum);
}
inline unsigned __builtin_amdgcn_udot4(unsigned a, unsigned b, unsigned c, bool saturate) {
    unsigned long long sum = c;
    for (int i = 0; i < 32; i += 8) sum += (a >> i & 0xff) * (b >> i & 0xff);
    return saturate && sum > 0xffffffffu ? 0xffffffffu : unsigned(sum);
}
inline unsigned __builtin_amdgcn_perm(unsigned high, unsigned low, unsigned selector) {
    const unsigned long long bytes = (unsigned long long)high << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; ++i) {
        unsigned pick = selector >> (8 * i) & 0xff;
        unsigned byte = pick < 8 ? unsigned(bytes >> (8 * pick)) & 0xff
                      : pick < 12 ? (bytes >> (16 * (pick - 8) + 15) & 1 ? 0xff : 0)
                      : pick == 12 ? 0 : 0xff;
        result |= byte << (8 * i);
    }
    return result;
}
inline float __builtin_amdgcn_rcpf(float x) { return 1.0f / x; }
inline float __builtin_amdgcn_rsqf(float x) { return 1.0f / sqrtf(x); }
inline float __builtin_amdgcn_sqrtf(float x) { return sqrtf(x); }
inline float __builtin_amdgcn_exp2f(float x) { return exp2f(x); }
inline float __builtin_amdgcn_logf(float x) { return log2f(x); }
inline float __builtin_amdgcn_fmed3f(float a, float b, float c) {
    return fmaxf(fminf(a, b), fminf(fmaxf(a, b), c));
}

// ---- atomics with orders and scopes ------------------------------------------------------------
#ifndef __clang__
enum {
    __HIP_MEMORY_SCOPE_SINGLETHREAD = 1,
    __HIP_MEMORY_SCOPE_WAVEFRONT = 2,
    __HIP_MEMORY_SCOPE_WORKGROUP = 3,
    __HIP_MEMORY_SCOPE_AGENT = 4,
    __HIP_MEMORY_SCOPE_SYSTEM = 5,
};
template <class T> inline T __hip_atomic_load(const T* p, int, int) {
    port_oracle::spin_hint();
    return *p;
}
template <class T, class V> inline void __hip_atomic_store(T* p, V value, int, int) { *p = T(value); }
template <class T, class V> inline T __hip_atomic_exchange(T* p, V value, int, int) {
    return port_oracle::atomic_exchange(p, T(value));
}
template <class T, class V> inline T __hip_atomic_fetch_add(T* p, V value, int, int) {
    return port_oracle::atomic_add(p, T(value));
}
template <class T, class V> inline T __hip_atomic_fetch_and(T* p, V value, int, int) {
    return port_oracle::atomic_update(p, [=](T old) { return T(old & T(value)); });
}
template <class T, class V> inline T __hip_atomic_fetch_or(T* p, V value, int, int) {
    return port_oracle::atomic_update(p, [=](T old) { return T(old | T(value)); });
}
template <class T, class V> inline T __hip_atomic_fetch_xor(T* p, V value, int, int) {
    return port_oracle::atomic_update(p, [=](T old) { return T(old ^ T(value)); });
}
template <class T, class V> inline T __hip_atomic_fetch_min(T* p, V value, int, int) {
    return port_oracle::atomic_update(p, [=](T old) { return T(value) < old ? T(value) : old; });
}
template <class T, class V> inline T __hip_atomic_fetch_max(T* p, V value, int, int) {
    return port_oracle::atomic_update(p, [=](T old) { return T(value) > old ? T(value) : old; });
}
template <class T, class V>
inline bool __hip_atomic_compare_exchange_strong(T* p, T* expected, V desired, int, int, int) {
    T old = port_oracle::atomic_compare_exchange(p, *expected, T(desired));
    bool equal = memcmp(&old, expected, sizeof(T)) == 0;
    *expected = old;
    return equal;
}
template <class T, class V>
inline bool __hip_atomic_compare_exchange_weak(T* p, T* expected, V desired, int a, int b, int c) {
    return __hip_atomic_compare_exchange_strong(p, expected, desired, a, b, c);
}
#endif
inline float atomicCAS(float* p, float c, float v) {
    return port_oracle::atomic_compare_exchange(p, c, v);
}
inline double atomicCAS(double* p, double c, double v) {
    return port_oracle::atomic_compare_exchange(p, c, v);
}
inline float atomicSub(float* p, float v) { return port_oracle::atomic_add(p, -v); }
inline double atomicSub(double* p, double v) { return port_oracle::atomic_add(p, -v); }
inline float atomicMin(float* p, float v) {
    return port_oracle::atomic_update(p, [=](float old) { return fminf(old, v); });
}
inline float atomicMax(float* p, float v) {
    return port_oracle::atomic_update(p, [=](float old) { return fmaxf(old, v); });
}
inline double atomicMin(double* p, double v) {
    return port_oracle::atomic_update(p, [=](double old) { return fmin(old, v); });
}
inline double atomicMax(double* p, double v) {
    return port_oracle::atomic_update(p, [=](double old) { return fmax(old, v); });
}
inline float unsafeAtomicAdd(float* p, float v) { return port_oracle::atomic_add(p, v); }
inline double unsafeAtomicAdd(double* p, double v) { return port_oracle::atomic_add(p, v); }
inline void atomicAddNoRet(float* p, float v) { port_oracle::atomic_add(p, v); }
