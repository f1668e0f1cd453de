// The 8-bit floats of the OCP standard: one rounding from the exact value, to nearest even.
#pragma once
#include "cuda_runtime.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "cuda_fp16.h"
#include "cuda_bf16.h"

typedef unsigned char __nv_fp8_storage_t;
typedef unsigned short __nv_fp8x2_storage_t;
typedef unsigned int __nv_fp8x4_storage_t;
enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE };
enum __nv_fp8_interpretation_t { __NV_E4M3, __NV_E5M2 };

namespace port_oracle {
inline unsigned char fp8_code(double value, bool saturate, bool e4m3) {
    const int digits = e4m3 ? 3 : 2, bias = e4m3 ? 7 : 15, least = 1 - bias;
    const double largest = e4m3 ? 448.0 : 57344.0;
    if (value != value) return 0x7f;
    const unsigned sign = std::signbit(value) ? 0x80u : 0u;
    double magnitude = std::fabs(value);
    if (magnitude < 1e30 && magnitude != 0) {
        const int exponent = std::ilogb(magnitude) < least ? least : std::ilogb(magnitude);
        const double unit = std::ldexp(1.0, exponent - digits);
        magnitude = std::nearbyint(magnitude / unit) * unit;
    }
    if (magnitude > largest) {
        const unsigned beyond = e4m3 ? 0x7fu : 0x7cu, last = e4m3 ? 0x7eu : 0x7bu;
        return static_cast<unsigned char>(sign | (saturate ? last : beyond));
    }
    const double smallest = std::ldexp(1.0, least);
    if (magnitude < smallest) {
        return static_cast<unsigned char>(sign | unsigned(std::ldexp(magnitude, digits - least)));
    }
    const int exponent = std::ilogb(magnitude);
    const unsigned fraction = unsigned(std::ldexp(magnitude, digits - exponent)) - (1u << digits);
    return static_cast<unsigned char>(sign | unsigned(exponent + bias) << digits | fraction);
}
inline float fp8_value(unsigned code, bool e4m3) {
    const int digits = e4m3 ? 3 : 2, bias = e4m3 ? 7 : 15;
    const unsigned exponent = (code & 0x7f) >> digits, fraction = code & ((1u << digits) - 1);
    double value = 0;
    if (e4m3 ? (code & 0x7f) == 0x7f : exponent == 31 && fraction != 0) {
        value = std::nan("");
    } else if (!e4m3 && exponent == 31) {
        value = HUGE_VAL;
    } else if (exponent == 0) {
        value = std::ldexp(double(fraction), 1 - bias - digits);
    } else {
        value = std::ldexp(double(fraction + (1u << digits)), int(exponent) - bias - digits);
    }
    return float(code & 0x80 ? -value : value);
}
}  // namespace port_oracle

inline __nv_fp8_storage_t __nv_cvt_double_to_fp8(double x, __nv_saturation_t s,
                                                 __nv_fp8_interpretation_t i) {
    return port_oracle::fp8_code(x, s == __NV_SATFINITE, i == __NV_E4M3);
}
inline __nv_fp8_storage_t __nv_cvt_float_to_fp8(float x, __nv_saturation_t s,
                                                __nv_fp8_interpretation_t i) {
    return __nv_cvt_double_to_fp8(x, s, i);
}
inline __nv_fp8_storage_t __nv_cvt_halfraw_to_fp8(__half_raw x, __nv_saturation_t s,
                                                  __nv_fp8_interpretation_t i) {
    return __nv_cvt_float_to_fp8(__half2float(__half(x)), s, i);
}
inline __nv_fp8_storage_t __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw x, __nv_saturation_t s,
                                                      __nv_fp8_interpretation_t i) {
    return __nv_cvt_float_to_fp8(__bfloat162float(__nv_bfloat16(x)), s, i);
}
inline __nv_fp8x2_storage_t __nv_cvt_double2_to_fp8x2(double2 x, __nv_saturation_t s,
                                                      __nv_fp8_interpretation_t i) {
    return __nv_fp8x2_storage_t(__nv_cvt_double_to_fp8(x.x, s, i) |
                                __nv_cvt_double_to_fp8(x.y, s, i) << 8);
}
inline __nv_fp8x2_storage_t __nv_cvt_float2_to_fp8x2(float2 x, __nv_saturation_t s,
                                                     __nv_fp8_interpretation_t i) {
    return __nv_cvt_double2_to_fp8x2(make_double2(x.x, x.y), s, i);
}
inline __nv_fp8x2_storage_t __nv_cvt_halfraw2_to_fp8x2(__half2_raw x, __nv_saturation_t s,
                                                       __nv_fp8_interpretation_t i) {
    __half_raw low, high;
    low.x = x.x;
    high.x = x.y;
    return __nv_fp8x2_storage_t(__nv_cvt_halfraw_to_fp8(low, s, i) |
                                __nv_cvt_halfraw_to_fp8(high, s, i) << 8);
}
inline __nv_fp8x2_storage_t __nv_cvt_bfloat16raw2_to_fp8x2(__nv_bfloat162_raw x,
                                                           __nv_saturation_t s,
                                                           __nv_fp8_interpretation_t i) {
    __nv_bfloat16_raw low, high;
    low.x = x.x;
    high.x = x.y;
    return __nv_fp8x2_storage_t(__nv_cvt_bfloat16raw_to_fp8(low, s, i) |
                                __nv_cvt_bfloat16raw_to_fp8(high, s, i) << 8);
}
inline __half_raw __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t x, __nv_fp8_interpretation_t i) {
    return __float2half(port_oracle::fp8_value(x, i == __NV_E4M3));
}
inline __half2_raw __nv_cvt_fp8x2_to_halfraw2(__nv_fp8x2_storage_t x, __nv_fp8_interpretation_t i) {
    __half2_raw pair;
    pair.x = __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t(x), i).x;
    pair.y = __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t(x >> 8), i).x;
    return pair;
}
inline __nv_bfloat16_raw __nv_cvt_fp8_to_bf16raw(__nv_fp8_storage_t x, __nv_fp8_interpretation_t i) {
    return __float2bfloat16(port_oracle::fp8_value(x, i == __NV_E4M3));
}
inline __nv_bfloat162_raw __nv_cvt_fp8x2_to_bf162raw(__nv_fp8x2_storage_t x,
                                                     __nv_fp8_interpretation_t i) {
    __nv_bfloat162_raw pair;
    pair.x = __nv_cvt_fp8_to_bf16raw(__nv_fp8_storage_t(x), i).x;
    pair.y = __nv_cvt_fp8_to_bf16raw(__nv_fp8_storage_t(x >> 8), i).x;
    return pair;
}

// One value. Conversions to it saturate; those to integers truncate and stay in range.
#define PORT_FP8(name, interpretation)                                                             \
    struct PORT_ORACLE_ANY_TYPE name {                                                             \
        __nv_fp8_storage_t __x;                                                                    \
        name() = default;                                                                          \
        explicit name(double v) : __x(__nv_cvt_double_to_fp8(v, __NV_SATFINITE, interpretation)) {} \
        template <class T, class = std::enable_if_t<!std::is_same<T, name>::value>>                \
        explicit name(T v) : name(double(float(v))) {}                                             \
        explicit name(int v) : name(double(v)) {}                                                  \
        explicit name(unsigned v) : name(double(v)) {}                                             \
        explicit name(float v) : name(double(v)) {}                                                \
        explicit operator float() const {                                                          \
            return port_oracle::fp8_value(__x, interpretation == __NV_E4M3);                       \
        }                                                                                          \
        explicit operator double() const { return float(*this); }                                  \
        explicit operator __half() const { return __float2half(float(*this)); }                    \
        explicit operator __nv_bfloat16() const { return __float2bfloat16(float(*this)); }         \
        explicit operator bool() const { return (__x & 0x7f) != 0; }                               \
        template <class I, class = std::enable_if_t<std::is_integral<I>::value>>                   \
        explicit operator I() const {                                                              \
            const float v = float(*this);                                                          \
            const double low = double(std::numeric_limits<I>::min());                              \
            const double high = double(std::numeric_limits<I>::max());                             \
            if (v != v) return I(0);                                                               \
            if (v <= low) return std::numeric_limits<I>::min();                                    \
            return v >= high ? std::numeric_limits<I>::max() : I(v);                               \
        }                                                                                          \
    };
PORT_FP8(__nv_fp8_e4m3, __NV_E4M3)
PORT_FP8(__nv_fp8_e5m2, __NV_E5M2)
#undef PORT_FP8

// Two and four values, the first in the lowest byte.
#define PORT_FP8_VECTORS(one, two, four)                                                           \
    struct PORT_ORACLE_ANY_TYPE alignas(2) two {                                                   \
        __nv_fp8x2_storage_t __x;                                                                  \
        two() = default;                                                                           \
        template <class Pair> explicit two(Pair p)                                                 \
            : __x(__nv_fp8x2_storage_t(one(p.x).__x | one(p.y).__x << 8)) {}                       \
        float at(int byte) const {                                                                 \
            one value;                                                                             \
            value.__x = __nv_fp8_storage_t(__x >> 8 * byte);                                       \
            return float(value);                                                                   \
        }                                                                                          \
        explicit operator float2() const { return make_float2(at(0), at(1)); }                     \
        explicit operator __half2() const { return __floats2half2_rn(at(0), at(1)); }              \
        explicit operator __nv_bfloat162() const { return __floats2bfloat162_rn(at(0), at(1)); }   \
    };                                                                                             \
    struct PORT_ORACLE_ANY_TYPE alignas(4) four {                                                  \
        __nv_fp8x4_storage_t __x;                                                                  \
        four() = default;                                                                          \
        template <class Four> explicit four(Four p)                                                \
            : __x(one(p.x).__x | unsigned(one(p.y).__x) << 8 | unsigned(one(p.z).__x) << 16 |      \
                  unsigned(one(p.w).__x) << 24) {}                                                 \
        template <class Pair> explicit four(Pair low, Pair high)                                   \
            : __x(two(low).__x | unsigned(two(high).__x) << 16) {}                                 \
        float at(int byte) const {                                                                 \
            one value;                                                                             \
            value.__x = __nv_fp8_storage_t(__x >> 8 * byte);                                       \
            return float(value);                                                                   \
        }                                                                                          \
        explicit operator float4() const { return make_float4(at(0), at(1), at(2), at(3)); }       \
    };
PORT_FP8_VECTORS(__nv_fp8_e4m3, __nv_fp8x2_e4m3, __nv_fp8x4_e4m3)
PORT_FP8_VECTORS(__nv_fp8_e5m2, __nv_fp8x2_e5m2, __nv_fp8x4_e5m2)
#undef PORT_FP8_VECTORS
