// Keywords and scalar types that the kernel compiler has built in: address spaces and function kinds are empty for a
// CPU, `half` and `bfloat16_t` are storage types that compute in float (one float operation and one rounding is the
// correctly rounded half operation).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#define __gm__
#define __ubuf__
#define __cbuf__
#define __ca__
#define __cb__
#define __cc__
#define __aicore__
#define __global__
#define __kfc_workspace__
#define __simd_vf__
#define __simd_callee__
#define __no_simd_vf_fusion__
#define __sync_noalias__
#define __inout_pipe__(...)
#define __in_pipe__(...)
#define __out_pipe__(...)
// The kind of core a kernel is for. A section of its own tells the launch, which gets only the function's address.
#define __vector__ __attribute__((section("port_ascend_vector")))
#define __cube__ __attribute__((section("port_ascend_cube")))
#define __mix__(cube, vector) __attribute__((section("port_ascend_mix_" #cube "_" #vector)))

typedef uint8_t* GM_ADDR;

#ifndef __NPU_ARCH__
#define __NPU_ARCH__ 2201
#endif
#ifndef __CCE_AICORE__
#define __CCE_AICORE__ 220
#endif
#ifndef __DAV_C220__
#define __DAV_C220__ 1
#endif

namespace port_ascend {

inline float float_of_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

inline uint32_t bits_of_float(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits;
}

// How a narrower result is chosen; the order of `AscendC::RoundMode`.
enum class Rounding : int { none, rint, floor, ceil, round, trunc, odd, hybrid };

inline float half_to_float(uint16_t h) {
    uint32_t sign = uint32_t(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent != 0) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float magnitude = float(fraction) * 5.9604644775390625e-8f;  // 2^-24
    return sign ? -magnitude : magnitude;
}

// The binary format of `exponent_bits` and `fraction_bits` (sign in front), rounded as `mode` says. Overflow gives
// infinity in the modes to nearest and away, the largest finite number where the mode rounds towards zero.
inline uint32_t narrow_float(float value, int exponent_bits, int fraction_bits, Rounding mode) {
    uint32_t bits = bits_of_float(value), negative = bits >> 31, magnitude = bits & 0x7fffffffu;
    uint32_t sign = negative << (exponent_bits + fraction_bits);
    uint32_t infinity = ((1u << exponent_bits) - 1) << fraction_bits;
    if (magnitude > 0x7f800000u) return sign | infinity | 1u << (fraction_bits - 1);
    if (magnitude == 0x7f800000u) return sign | infinity;
    if (magnitude == 0) return sign;
    int exponent = int(magnitude >> 23) - 127;
    uint64_t significand = magnitude & 0x7fffff;
    if (exponent == -127) exponent = -126;
    else significand |= 0x800000;
    int bias = (1 << (exponent_bits - 1)) - 1, minimum = 1 - bias;
    int shift = 23 - fraction_bits;
    if (exponent < minimum) shift += minimum - exponent;
    uint64_t kept, rest, half;
    if (shift >= 40) {
        kept = 0; rest = 1; half = 2;
    } else {
        kept = significand >> shift;
        rest = significand & ((uint64_t(1) << shift) - 1);
        half = shift ? uint64_t(1) << (shift - 1) : 0;
    }
    if (rest) {
        switch (mode) {
            case Rounding::floor: kept += negative; break;
            case Rounding::ceil: kept += !negative; break;
            case Rounding::trunc: break;
            case Rounding::odd: kept |= 1; break;
            case Rounding::round: kept += rest >= half; break;
            default: kept += rest > half || (rest == half && (kept & 1)); break;
        }
    }
    uint64_t result;
    if (exponent < minimum) result = kept;  // a carry into the first normal number comes out right
    else result = (uint64_t(exponent - minimum + 1) << fraction_bits) + (kept - (uint64_t(1) << fraction_bits));
    if (result >= infinity) {
        bool to_zero = mode == Rounding::trunc || mode == Rounding::odd || (mode == Rounding::floor && !negative) ||
                       (mode == Rounding::ceil && negative);
        result = to_zero ? infinity - 1 : infinity;
    }
    return sign | uint32_t(result);
}

inline uint16_t float_to_half(float value, Rounding mode = Rounding::rint) {
    return uint16_t(narrow_float(value, 5, 10, mode));
}
inline uint16_t float_to_bfloat16(float value, Rounding mode = Rounding::rint) {
    return uint16_t(narrow_float(value, 8, 7, mode));
}

}  // namespace port_ascend

struct half {
    uint16_t bits;
    half() = default;
    half(float value) : bits(port_ascend::float_to_half(value)) {}
    template <typename T, typename = std::enable_if_t<std::is_arithmetic<T>::value && !std::is_same<T, float>::value>>
    half(T value) : bits(port_ascend::float_to_half(float(value))) {}
    operator float() const { return port_ascend::half_to_float(bits); }
    static half from_bits(uint16_t bits) { half h; h.bits = bits; return h; }
    template <typename T> half& operator+=(T o) { return *this = half(float(*this) + float(o)); }
    template <typename T> half& operator-=(T o) { return *this = half(float(*this) - float(o)); }
    template <typename T> half& operator*=(T o) { return *this = half(float(*this) * float(o)); }
    template <typename T> half& operator/=(T o) { return *this = half(float(*this) / float(o)); }
};
typedef half float16_t;
typedef float float32_t;

struct bfloat16_t {
    uint16_t bits;
    bfloat16_t() = default;
    bfloat16_t(float value) : bits(port_ascend::float_to_bfloat16(value)) {}
    template <typename T, typename = std::enable_if_t<std::is_arithmetic<T>::value && !std::is_same<T, float>::value>>
    bfloat16_t(T value) : bits(port_ascend::float_to_bfloat16(float(value))) {}
    operator float() const { return port_ascend::float_of_bits(uint32_t(bits) << 16); }
    static bfloat16_t from_bits(uint16_t bits) { bfloat16_t h; h.bits = bits; return h; }
};

// Two values of four bits in a byte: sizes count them, memory holds half as many bytes.
struct int4b_t { uint8_t pair; };

namespace AscendC {
using ::bfloat16_t;
using ::half;
using ::int4b_t;
template <bool condition, typename T, typename F> using Conditional = std::conditional<condition, T, F>;
template <typename T, typename U> struct IsSameType { static constexpr bool value = std::is_same<T, U>::value; };
template <typename T, typename... Of> constexpr bool SupportType() { return std::disjunction<std::is_same<T, Of>...>::value; }
}  // namespace AscendC

namespace port_ascend {
template <typename T> struct same { typedef T type; };  // keeps a parameter out of deduction
template <typename T> using same_t = typename same<T>::type;
template <typename T> inline const char* type_name() { return "this type"; }
#define PORT_ASCEND_NAME(T) template <> inline const char* type_name<T>() { return #T; }
PORT_ASCEND_NAME(int8_t) PORT_ASCEND_NAME(uint8_t) PORT_ASCEND_NAME(int16_t) PORT_ASCEND_NAME(uint16_t)
PORT_ASCEND_NAME(int32_t) PORT_ASCEND_NAME(uint32_t) PORT_ASCEND_NAME(int64_t) PORT_ASCEND_NAME(uint64_t)
PORT_ASCEND_NAME(half) PORT_ASCEND_NAME(bfloat16_t) PORT_ASCEND_NAME(float) PORT_ASCEND_NAME(double)
PORT_ASCEND_NAME(int4b_t) PORT_ASCEND_NAME(bool) PORT_ASCEND_NAME(char)
#undef PORT_ASCEND_NAME
template <typename T, typename... Of> struct is_one_of : std::disjunction<std::is_same<T, Of>...> {};
}  // namespace port_ascend
