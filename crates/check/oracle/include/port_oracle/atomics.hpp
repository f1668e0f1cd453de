// Atomic functions, fences, cache-hinted loads, clocks and traps.
#pragma once

#include <ctime>
#include "atomic_operations.hpp"

#define PORT_ATOMIC(scope)                                                                         \
    inline int atomicAdd##scope(int* p, int v) { return port_oracle::atomic_add(p, v); }           \
    inline unsigned atomicAdd##scope(unsigned* p, unsigned v) {                                    \
        return port_oracle::atomic_add(p, v);                                                      \
    }                                                                                              \
    inline unsigned long atomicAdd##scope(unsigned long* p, unsigned long v) {                     \
        return port_oracle::atomic_add(p, v);                                                      \
    }                                                                                              \
    inline unsigned long long atomicAdd##scope(unsigned long long* p, unsigned long long v) {      \
        return port_oracle::atomic_add(p, v);                                                      \
    }                                                                                              \
    inline float atomicAdd##scope(float* p, float v) { return port_oracle::atomic_add(p, v); }     \
    inline double atomicAdd##scope(double* p, double v) { return port_oracle::atomic_add(p, v); }  \
    inline float2 atomicAdd##scope(float2* p, float2 v) {                                          \
        return make_float2(atomicAdd##scope(&p->x, v.x), atomicAdd##scope(&p->y, v.y));            \
    }                                                                                              \
    inline float4 atomicAdd##scope(float4* p, float4 v) {                                          \
        return make_float4(atomicAdd##scope(&p->x, v.x), atomicAdd##scope(&p->y, v.y),             \
                           atomicAdd##scope(&p->z, v.z), atomicAdd##scope(&p->w, v.w));            \
    }                                                                                              \
    inline int atomicSub##scope(int* p, int v) {                                                   \
        return port_oracle::atomic_add(p, int(0u - unsigned(v)));                                  \
    }                                                                                              \
    inline unsigned atomicSub##scope(unsigned* p, unsigned v) {                                    \
        return port_oracle::atomic_add(p, 0u - v);                                                 \
    }                                                                                              \
    inline unsigned atomicInc##scope(unsigned* p, unsigned limit) {                                \
        return port_oracle::atomic_update(p, [=](unsigned o) { return o >= limit ? 0 : o + 1; });  \
    }                                                                                              \
    inline unsigned atomicDec##scope(unsigned* p, unsigned limit) {                                \
        return port_oracle::atomic_update(                                                         \
            p, [=](unsigned o) { return o == 0 || o > limit ? limit : o - 1; });                   \
    }                                                                                              \
    inline float atomicExch##scope(float* p, float v) { return port_oracle::atomic_exchange(p, v); } \
    inline double atomicExch##scope(double* p, double v) {                                         \
        return port_oracle::atomic_exchange(p, v);                                                 \
    }                                                                                              \
    inline unsigned short atomicCAS##scope(unsigned short* p, unsigned short c, unsigned short v) { \
        return port_oracle::atomic_compare_exchange(p, c, v);                                      \
    }                                                                                              \
    PORT_ATOMIC_INTEGER(scope, int)                                                                \
    PORT_ATOMIC_INTEGER(scope, unsigned)                                                           \
    PORT_ATOMIC_INTEGER(scope, long long)                                                          \
    PORT_ATOMIC_INTEGER(scope, unsigned long)                                                      \
    PORT_ATOMIC_INTEGER(scope, unsigned long long)

#define PORT_ATOMIC_INTEGER(scope, T)                                                              \
    inline T atomicExch##scope(T* p, T v) { return port_oracle::atomic_exchange(p, v); }           \
    inline T atomicCAS##scope(T* p, T c, T v) {                                                    \
        return port_oracle::atomic_compare_exchange(p, c, v);                                      \
    }                                                                                              \
    inline T atomicMin##scope(T* p, T v) {                                                         \
        return port_oracle::atomic_update(p, [=](T o) { return v < o ? v : o; });                  \
    }                                                                                              \
    inline T atomicMax##scope(T* p, T v) {                                                         \
        return port_oracle::atomic_update(p, [=](T o) { return v > o ? v : o; });                  \
    }                                                                                              \
    inline T atomicAnd##scope(T* p, T v) {                                                         \
        return port_oracle::atomic_update(p, [=](T o) { return o & v; });                          \
    }                                                                                              \
    inline T atomicOr##scope(T* p, T v) {                                                          \
        if (v == 0) port_oracle::spin_hint();                                                      \
        return port_oracle::atomic_update(p, [=](T o) { return o | v; });                          \
    }                                                                                              \
    inline T atomicXor##scope(T* p, T v) {                                                         \
        return port_oracle::atomic_update(p, [=](T o) { return o ^ v; });                          \
    }

PORT_ATOMIC()
PORT_ATOMIC(_system)
#ifndef PORT_ORACLE_HIP
PORT_ATOMIC(_block)
#endif
#undef PORT_ATOMIC
#undef PORT_ATOMIC_INTEGER

inline void __threadfence() { port_oracle::spin_hint(); }
inline void __threadfence_block() { port_oracle::spin_hint(); }
inline void __threadfence_system() { port_oracle::spin_hint(); }

template <class T> inline T __ldg(const T* p) { return *p; }
#ifndef PORT_ORACLE_HIP
template <class T> inline T __ldca(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline T __ldlu(const T* p) { return *p; }
// These reach the memory that other blocks write, so a thread may poll with them.
template <class T> inline T __ldcg(const T* p) { port_oracle::spin_hint(); return *p; }
template <class T> inline T __ldcv(const T* p) { port_oracle::spin_hint(); return *p; }
template <class T> inline void __stwb(T* p, T value) { *p = value; }
template <class T> inline void __stcg(T* p, T value) { *p = value; }
template <class T> inline void __stcs(T* p, T value) { *p = value; }
template <class T> inline void __stwt(T* p, T value) { *p = value; }
inline void __nanosleep(unsigned) { port_oracle::yield(); }
#endif

inline long long clock64() { return port_oracle::tick(); }
inline long long wall_clock64() { return port_oracle::tick(); }

[[noreturn]] inline void __trap() { port_oracle::fail("trap", "the kernel calls __trap"); }
inline void __brkpt() {}
inline void __prof_trigger(int) {}

inline unsigned __isGlobal(const void* p) { return port_oracle::allocation_size(p, nullptr) != 0; }
inline unsigned __isShared(const void* p) { return !__isGlobal(p); }
inline std::size_t __cvta_generic_to_shared(const void* p) { return std::size_t(p); }
inline std::size_t __cvta_generic_to_global(const void* p) { return std::size_t(p); }
inline void* __cvta_shared_to_generic(std::size_t p) { return reinterpret_cast<void*>(p); }

inline void __syncthreads(port_oracle::Site site = port_oracle::Site::here()) {
    port_oracle::barrier(0, site);
}
inline int __syncthreads_count(int predicate, port_oracle::Site site = port_oracle::Site::here()) {
    return port_oracle::barrier(predicate, site).count;
}
inline int __syncthreads_and(int predicate, port_oracle::Site site = port_oracle::Site::here()) {
    return port_oracle::barrier(predicate, site).all;
}
inline int __syncthreads_or(int predicate, port_oracle::Site site = port_oracle::Site::here()) {
    return port_oracle::barrier(predicate, site).any;
}
