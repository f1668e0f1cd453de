// Single operations in a given direction, by the processor's rounding mode. Opaque values keep
// each operation between the two changes of the mode, whatever the compiler assumes of it.
#pragma once

#include <cfenv>
#include <cmath>

#include "core.hpp"

namespace port_oracle {

enum class Rounding { nearest, zero, up, down };

class Mode {
public:
    explicit Mode(Rounding rounding) : saved(std::fegetround()) {
        switch (rounding) {
            case Rounding::nearest: std::fesetround(FE_TONEAREST); break;
            case Rounding::zero: std::fesetround(FE_TOWARDZERO); break;
            case Rounding::up: std::fesetround(FE_UPWARD); break;
            case Rounding::down: std::fesetround(FE_DOWNWARD); break;
        }
    }
    ~Mode() { std::fesetround(saved); }
    Mode(const Mode&) = delete;
    Mode& operator=(const Mode&) = delete;

private:
    int saved;
};

// A value that the compiler knows nothing of, and that is where it is before what follows.
template <class T>
inline T opaque(T value) {
    asm volatile("" : "+m"(value) : : "memory");
    return value;
}

#define PORT_ORACLE_DIRECTED(T)                                                                    \
    inline T add_directed(T a, T b, Rounding rounding) {                                           \
        Mode mode(rounding);                                                                       \
        const T result = opaque(opaque(a) + opaque(b));                                            \
        return result;                                                                             \
    }                                                                                              \
    inline T multiply_directed(T a, T b, Rounding rounding) {                                      \
        Mode mode(rounding);                                                                       \
        const T result = opaque(opaque(a) * opaque(b));                                            \
        return result;                                                                             \
    }                                                                                              \
    inline T divide_directed(T a, T b, Rounding rounding) {                                        \
        Mode mode(rounding);                                                                       \
        const T result = opaque(opaque(a) / opaque(b));                                            \
        return result;                                                                             \
    }                                                                                              \
    inline T fused_directed(T a, T b, T c, Rounding rounding) {                                    \
        Mode mode(rounding);                                                                       \
        const T result = opaque(std::fma(opaque(a), opaque(b), opaque(c)));                        \
        return result;                                                                             \
    }                                                                                              \
    inline T square_root_directed(T a, Rounding rounding) {                                        \
        Mode mode(rounding);                                                                       \
        const T result = opaque(std::sqrt(opaque(a)));                                             \
        return result;                                                                             \
    }
PORT_ORACLE_DIRECTED(float)
PORT_ORACLE_DIRECTED(double)
#undef PORT_ORACLE_DIRECTED

#define PORT_ORACLE_CONVERT(name, To, From)                                                        \
    inline To name(From from, Rounding rounding) {                                                 \
        Mode mode(rounding);                                                                       \
        const To result = opaque(static_cast<To>(opaque(from)));                                   \
        return result;                                                                             \
    }
PORT_ORACLE_CONVERT(to_float, float, double)
PORT_ORACLE_CONVERT(to_float, float, long long)
PORT_ORACLE_CONVERT(to_double, double, long long)
#undef PORT_ORACLE_CONVERT

// x86-64 has no instruction for unsigned 64-bit integers; compilers' replacements round twice. The
// upper and lower halves are exact, so one addition does the only rounding. Into f32 the f64 sum is
// exact below 2^53, else its last bits are made sticky first.
inline double to_double(unsigned long long value, Rounding rounding) {
    double high = double(unsigned(value >> 32)) * 4294967296.0, low = double(unsigned(value));
    return add_directed(high, low, rounding);
}

inline float to_float(unsigned long long value, Rounding rounding) {
    if (value >> 53) value = value >> 11 << 11 | (std::uint64_t((value & 0x7ff) != 0) << 11);
    return to_float(to_double(value, Rounding::nearest), rounding);
}

inline double to_integral(double value, Rounding rounding) {
    switch (rounding) {
        case Rounding::nearest: return std::nearbyint(value);
        case Rounding::zero: return std::trunc(value);
        case Rounding::up: return std::ceil(value);
        case Rounding::down: return std::floor(value);
    }
    return value;
}

}  // namespace port_oracle
