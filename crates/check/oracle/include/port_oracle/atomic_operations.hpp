// What the atomic functions and clocks of a dialect are made of. One OS thread runs everything, so
// atomics are plain operations; those that look like a failed attempt at a lock let others run.
#pragma once

#include <type_traits>

#include "core.hpp"

namespace port_oracle {

template <class T, class Operation>
inline T atomic_update(T* address, Operation operation) {
    atomic_access = true;
    T old = *address;
    *address = operation(old);
    atomic_access = false;
    return old;
}

template <class T>
inline T atomic_exchange(T* address, T value) {
    atomic_access = true;
    T old = *address;
    *address = value;
    atomic_access = false;
    // Taking a lock that is taken already: let its owner run.
    if (std::memcmp(&old, &value, sizeof(T)) == 0) spin_hint();
    return old;
}

template <class T>
inline T atomic_compare_exchange(T* address, T expected, T desired) {
    atomic_access = true;
    T old = *address;
    if (std::memcmp(&old, &expected, sizeof(T)) == 0) {
        *address = desired;
        atomic_access = false;
    } else {
        atomic_access = false;
        yield();
    }
    return old;
}

template <class T>
inline T atomic_add(T* address, T value) {
    atomic_access = true;
    T old = *address;
    if constexpr (std::is_integral<T>::value) {
        using Unsigned = typename std::make_unsigned<T>::type;
        *address = T(Unsigned(old) + Unsigned(value));
        atomic_access = false;
        if (value == 0) spin_hint();   // an atomic load
    } else {
        *address = old + value;
        atomic_access = false;
    }
    return old;
}

}  // namespace port_oracle

namespace port_oracle {
// Clocks count their own calls: deterministic, and increasing.
inline long long tick() {
    static long long now = 0;
    spin_hint();
    return now += 64;
}
}  // namespace port_oracle
