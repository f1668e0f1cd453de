// Atomics of 16-bit floats.
#pragma once

#define PORT_ORACLE_SIXTEEN(T, T2)                                                                 \
    inline T atomicAdd(T* p, T v) {                                                                \
        return port_oracle::atomic_update(p, [=](T old) { return __hadd(old, v); });               \
    }                                                                                              \
    inline T2 atomicAdd(T2* p, T2 v) {                                                             \
        return port_oracle::atomic_update(p, [=](T2 old) { return __hadd2(old, v); });             \
    }
