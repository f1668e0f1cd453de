// __half and __half2: IEEE binary16.
#pragma once

#include <cmath>

#include "rounding.hpp"

namespace port_oracle {

// An integer as the double "rounded to odd" (rounding.hpp): exact up to 53 bits.
inline double odd_double(long long value) {
    auto magnitude = value < 0 ? -static_cast<unsigned long long>(value)
                               : static_cast<unsigned long long>(value);
    if (magnitude >> 53) {
        magnitude = magnitude >> 11 << 11 |
                    static_cast<unsigned long long>((magnitude & 0x7ff) != 0) << 11;
    }
    return value < 0 ? -double(magnitude) : double(magnitude);
}
inline double odd_double(unsigned long long value) {
    if (value >> 53) {
        value = value >> 11 << 11 | static_cast<unsigned long long>((value & 0x7ff) != 0) << 11;
    }
    return double(value);
}
inline double odd_double(int value) { return value; }
inline double odd_double(unsigned value) { return value; }
inline double odd_double(short value) { return value; }
inline double odd_double(unsigned short value) { return value; }
inline double odd_double(long value) { return odd_double(static_cast<long long>(value)); }
inline double odd_double(unsigned long value) {
    return odd_double(static_cast<unsigned long long>(value));
}

inline float half_bits_to_float(unsigned bits) {
    const unsigned sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 31) return bit_cast<float>(sign | 0x7f800000u | fraction << 13);
    if (exponent != 0) return bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    const float magnitude = float(fraction) * 5.9604644775390625e-8f;   // 2^-24
    return sign ? -magnitude : magnitude;
}

}  // namespace port_oracle

struct __nv_bfloat16;

struct __half_raw {
    union { unsigned short x; unsigned short data; };
};
struct __half2_raw {
    unsigned short x, y;
};

struct PORT_ORACLE_ANY_TYPE alignas(2) __half {
    __half() = default;
    constexpr __half(const __half_raw& raw) : bits(raw.x) {}
    operator __half_raw() const { __half_raw raw; raw.x = bits; return raw; }
#ifndef __CUDA_NO_HALF_CONVERSIONS__
    __half(float value) : bits(round(value)) {}
    __half(double value) : bits(round(value)) {}
    __half(short value) : bits(round(value)) {}
    __half(unsigned short value) : bits(round(value)) {}
    __half(int value) : bits(round(value)) {}
    __half(unsigned int value) : bits(round(value)) {}
    __half(long value) : bits(round(port_oracle::odd_double(value))) {}
    __half(unsigned long value) : bits(round(port_oracle::odd_double(value))) {}
    __half(long long value) : bits(round(port_oracle::odd_double(value))) {}
    __half(unsigned long long value) : bits(round(port_oracle::odd_double(value))) {}
    operator float() const { return port_oracle::half_bits_to_float(bits); }
    operator bool() const { return (bits & 0x7fff) != 0; }
    operator signed char() const { return to<signed char>(); }
    operator unsigned char() const { return to<unsigned char>(); }
    operator char() const { return char(to<signed char>()); }
    operator short() const { return to<short>(); }
    operator unsigned short() const { return to<unsigned short>(); }
    operator int() const { return to<int>(); }
    operator unsigned int() const { return to<unsigned int>(); }
    operator long() const { return to<long>(); }
    operator unsigned long() const { return to<unsigned long>(); }
    operator long long() const { return to<long long>(); }
    operator unsigned long long() const { return to<unsigned long long>(); }
#endif
    template <class T> __half& operator=(const T& value) { return *this = __half(value); }
    __half& operator=(const __half&) = default;
    __half(const __half&) = default;
    explicit __half(const __nv_bfloat16& value);

private:
    static unsigned short round(double value) {
        return static_cast<unsigned short>(
            port_oracle::round_to_bits<10, 5>(value, port_oracle::Rounding::nearest));
    }
    template <class T> T to() const {
        return port_oracle::to_integer<T>(port_oracle::half_bits_to_float(bits),
                                          port_oracle::Rounding::zero);
    }
    unsigned short bits;
};

struct PORT_ORACLE_ANY_TYPE alignas(4) __half2 {
    __half x, y;
    __half2() = default;
    __half2(const __half& a, const __half& b) : x(a), y(b) {}
    __half2(const __half2_raw& raw) { std::memcpy(this, &raw, sizeof raw); }
    operator __half2_raw() const { return port_oracle::bit_cast<__half2_raw>(*this); }
};

typedef __half half;
typedef __half2 half2;
typedef __half __nv_half;
typedef __half2 __nv_half2;

namespace port_oracle {
inline float value_of_half(__half a) { return half_bits_to_float(bit_cast<unsigned short>(a)); }
}

#define PORT_T __half
#define PORT_T2 __half2
#define PORT_N half
#define PORT_MANTISSA 10
#define PORT_EXPONENT 5
#ifdef __CUDA_NO_HALF_OPERATORS__
#define PORT_NO_OPERATORS
#endif
#ifdef __CUDA_NO_HALF2_OPERATORS__
#define PORT_NO_OPERATORS2
#endif
#include "sixteen.inc"
