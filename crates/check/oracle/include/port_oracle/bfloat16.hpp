// __nv_bfloat16 and __nv_bfloat162: the upper halves of binary32.
#pragma once

#include <cmath>

#include "half.hpp"

namespace port_oracle {
inline float bfloat16_bits_to_float(unsigned bits) { return bit_cast<float>(bits << 16); }
}

struct __nv_bfloat16_raw {
    unsigned short x;
};
struct __nv_bfloat162_raw {
    unsigned short x, y;
};

struct PORT_ORACLE_ANY_TYPE alignas(2) __nv_bfloat16 {
    __nv_bfloat16() = default;
    constexpr __nv_bfloat16(const __nv_bfloat16_raw& raw) : bits(raw.x) {}
    operator __nv_bfloat16_raw() const { return __nv_bfloat16_raw{bits}; }
#ifndef __CUDA_NO_BFLOAT16_CONVERSIONS__
    __nv_bfloat16(float value) : bits(round(value)) {}
    __nv_bfloat16(double value) : bits(round(value)) {}
    __nv_bfloat16(short value) : bits(round(value)) {}
    __nv_bfloat16(unsigned short value) : bits(round(value)) {}
    __nv_bfloat16(int value) : bits(round(value)) {}
    __nv_bfloat16(unsigned int value) : bits(round(value)) {}
    __nv_bfloat16(long value) : bits(round(port_oracle::odd_double(value))) {}
    __nv_bfloat16(unsigned long value) : bits(round(port_oracle::odd_double(value))) {}
    __nv_bfloat16(long long value) : bits(round(port_oracle::odd_double(value))) {}
    __nv_bfloat16(unsigned long long value) : bits(round(port_oracle::odd_double(value))) {}
    operator float() const { return port_oracle::bfloat16_bits_to_float(bits); }
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
    template <class T> __nv_bfloat16& operator=(const T& value) {
        return *this = __nv_bfloat16(value);
    }
    __nv_bfloat16& operator=(const __nv_bfloat16&) = default;
    __nv_bfloat16(const __nv_bfloat16&) = default;
    explicit __nv_bfloat16(const __half& value)
        : bits(round(port_oracle::value_of_half(value))) {}

private:
    static unsigned short round(double value) {
        return static_cast<unsigned short>(
            port_oracle::round_to_bits<7, 8>(value, port_oracle::Rounding::nearest));
    }
    template <class T> T to() const {
        return port_oracle::to_integer<T>(port_oracle::bfloat16_bits_to_float(bits),
                                          port_oracle::Rounding::zero);
    }
    unsigned short bits;
};

struct PORT_ORACLE_ANY_TYPE alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
    __nv_bfloat162() = default;
    __nv_bfloat162(const __nv_bfloat16& a, const __nv_bfloat16& b) : x(a), y(b) {}
    __nv_bfloat162(const __nv_bfloat162_raw& raw) { std::memcpy(this, &raw, sizeof raw); }
    operator __nv_bfloat162_raw() const {
        return port_oracle::bit_cast<__nv_bfloat162_raw>(*this);
    }
};

typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

namespace port_oracle {
inline float value_of_bfloat16(__nv_bfloat16 a) {
    return bfloat16_bits_to_float(bit_cast<unsigned short>(a));
}
}

inline __half::__half(const __nv_bfloat16& value)
    : bits(round(port_oracle::value_of_bfloat16(value))) {}

#define PORT_T __nv_bfloat16
#define PORT_T2 __nv_bfloat162
#define PORT_N bfloat16
#define PORT_MANTISSA 7
#define PORT_EXPONENT 8
#ifdef __CUDA_NO_BFLOAT16_OPERATORS__
#define PORT_NO_OPERATORS
#endif
#ifdef __CUDA_NO_BFLOAT162_OPERATORS__
#define PORT_NO_OPERATORS2
#endif
#include "sixteen.inc"
