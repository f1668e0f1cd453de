// Arithmetic as the device defines it where C++ leaves something open: integers wrap, shifts may be
// long, divisions by zero do not trap, conversions saturate, every float operation rounds once.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "launch.hpp"
#include "half.hpp"
#include "bfloat16.hpp"
#include "maths.hpp"

namespace port_cpu {

constexpr float infinity = std::numeric_limits<float>::infinity();

enum class Rounding { nearest, zero, up, down, away };

template <class To, class From> inline To bits(const From& from) {
    static_assert(sizeof(To) == sizeof(From), "sizes differ");
    To to;
    std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof to);
    return to;
}

// ---- types -------------------------------------------------------------------------------------
// Small floats, by their bits.
struct PORT_CPU_ALIAS f16 {
    std::uint16_t word;
};
struct PORT_CPU_ALIAS bf16 {
    std::uint16_t word;
};
struct PORT_CPU_ALIAS f8e4m3 {
    std::uint8_t word;
};
struct PORT_CPU_ALIAS f8e5m2 {
    std::uint8_t word;
};

namespace detail {
template <class T> struct memory {
    typedef T type;
};
#define PORT_CPU_MEMORY(T)                                                                         \
    template <> struct memory<T> {                                                                 \
        typedef T type PORT_CPU_ALIAS;                                                             \
    };
PORT_CPU_MEMORY(bool)
PORT_CPU_MEMORY(std::int8_t)
PORT_CPU_MEMORY(std::int16_t)
PORT_CPU_MEMORY(std::int32_t)
PORT_CPU_MEMORY(std::int64_t)
PORT_CPU_MEMORY(std::uint8_t)
PORT_CPU_MEMORY(std::uint16_t)
PORT_CPU_MEMORY(std::uint32_t)
PORT_CPU_MEMORY(std::uint64_t)
PORT_CPU_MEMORY(float)
PORT_CPU_MEMORY(double)
#undef PORT_CPU_MEMORY
constexpr std::size_t vector_align(std::size_t bytes) { return bytes < 16 ? bytes : 16; }
}  // namespace detail

template <class T, std::size_t length> struct PORT_CPU_ALIAS array {
    T values[length];
    typename detail::memory<T>::type* data() {
        return reinterpret_cast<typename detail::memory<T>::type*>(this);
    }
    template <class I> typename detail::memory<T>::type& operator[](I index) {
        return data()[index];
    }
};
template <class T> struct PORT_CPU_ALIAS __attribute__((__aligned__(detail::vector_align(2 * sizeof(T))))) vec2 {
    T x, y;
};
template <class T> struct PORT_CPU_ALIAS vec3 {
    T x, y, z;
};
template <class T> struct PORT_CPU_ALIAS __attribute__((__aligned__(detail::vector_align(4 * sizeof(T))))) vec4 {
    T x, y, z, w;
};

namespace detail {
template <class T> struct Splat;
template <class T> struct Splat<vec2<T>> {
    static vec2<T> of(T v) { return {v, v}; }
};
template <class T> struct Splat<vec3<T>> {
    static vec3<T> of(T v) { return {v, v, v}; }
};
template <class T> struct Splat<vec4<T>> {
    static vec4<T> of(T v) { return {v, v, v, v}; }
};
template <class W, class T> W splat_values(T v) {
    W whole;
    constexpr std::size_t count = sizeof(whole.values) / sizeof(whole.values[0]);
    for (std::size_t i = 0; i < count; ++i) whole.values[i] = v;
    return whole;
}
template <class W> struct SplatParts {
    template <class T> static W of(T v) { return splat_values<W>(v); }
};
template <class T, std::size_t n> struct Splat<array<T, n>> : SplatParts<array<T, n>> {};
}  // namespace detail
template <class T, int length> struct fragment;
namespace detail {
template <class T, int n> struct Splat<fragment<T, n>> : SplatParts<fragment<T, n>> {};
}
template <class W, class T> inline W splat(T value) { return detail::Splat<W>::of(value); }

// An operation on vectors, component by component.
template <class F, class A> inline auto map(F f, vec2<A> a) {
    return vec2<decltype(f(a.x))>{f(a.x), f(a.y)};
}
template <class F, class A> inline auto map(F f, vec3<A> a) {
    return vec3<decltype(f(a.x))>{f(a.x), f(a.y), f(a.z)};
}
template <class F, class A> inline auto map(F f, vec4<A> a) {
    return vec4<decltype(f(a.x))>{f(a.x), f(a.y), f(a.z), f(a.w)};
}
template <class F, class A, class B> inline auto map(F f, vec2<A> a, vec2<B> b) {
    return vec2<decltype(f(a.x, b.x))>{f(a.x, b.x), f(a.y, b.y)};
}
template <class F, class A, class B> inline auto map(F f, vec3<A> a, vec3<B> b) {
    return vec3<decltype(f(a.x, b.x))>{f(a.x, b.x), f(a.y, b.y), f(a.z, b.z)};
}
template <class F, class A, class B> inline auto map(F f, vec4<A> a, vec4<B> b) {
    return vec4<decltype(f(a.x, b.x))>{f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w)};
}
template <class F, class A, class B, class C>
inline auto map(F f, vec2<A> a, vec2<B> b, vec2<C> c) {
    return vec2<decltype(f(a.x, b.x, c.x))>{f(a.x, b.x, c.x), f(a.y, b.y, c.y)};
}
template <class F, class A, class B, class C>
inline auto map(F f, vec3<A> a, vec3<B> b, vec3<C> c) {
    return vec3<decltype(f(a.x, b.x, c.x))>{f(a.x, b.x, c.x), f(a.y, b.y, c.y), f(a.z, b.z, c.z)};
}
template <class F, class A, class B, class C>
inline auto map(F f, vec4<A> a, vec4<B> b, vec4<C> c) {
    return vec4<decltype(f(a.x, b.x, c.x))>{f(a.x, b.x, c.x), f(a.y, b.y, c.y), f(a.z, b.z, c.z),
                                            f(a.w, b.w, c.w)};
}
template <class Mask, class V> inline V select(Mask mask, V a, V b) {
    return map([](bool m, auto x, auto y) { return m ? x : y; }, mask, a, b);
}

// Parts of a value by their place in its bytes.
template <class T, class W> inline T part(const W& whole, std::size_t offset) {
    T result;
    std::memcpy(static_cast<void*>(&result), reinterpret_cast<const char*>(&whole) + offset,
                sizeof result);
    return result;
}
template <class T, class W> inline W with_part(W whole, std::size_t offset, T value) {
    std::memcpy(reinterpret_cast<char*>(&whole) + offset, static_cast<const void*>(&value),
                sizeof value);
    return whole;
}

// ---- memory ------------------------------------------------------------------------------------
inline void* byte_of(void* base, std::size_t offset) { return static_cast<char*>(base) + offset; }
inline std::uint64_t to_integer(const volatile void* p) {
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(p));
}
inline void* to_pointer(std::uint64_t address) {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
}
inline std::uint32_t shared_offset(const Block& block, const void* p) {
    return std::uint32_t(static_cast<const char*>(p) - block.shared);
}
inline void* shared_pointer(const Block& block, std::uint32_t offset) {
    return block.shared + offset;
}
inline void copy_bytes(void* to, const void* from, std::size_t bytes) {
    std::memmove(to, from, bytes);
}
inline void copy_or_zero(void* to, const void* from, std::size_t bytes, std::size_t read) {
    if (read > bytes) read = bytes;
    std::memmove(to, from, read);
    std::memset(static_cast<char*>(to) + read, 0, bytes - read);
}
inline void fill_bytes(void* to, int byte, std::size_t bytes) { std::memset(to, byte, bytes); }

template <class T> inline T volatile_load(const void* p) {
    if constexpr (std::is_scalar<T>::value) {
        typedef volatile T Place PORT_CPU_ALIAS;
        return *static_cast<const Place*>(p);
    } else {
        T value;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        std::memcpy(static_cast<void*>(&value), p, sizeof value);
        return value;
    }
}
template <class T> inline void volatile_store(void* p, T value) {
    if constexpr (std::is_scalar<T>::value) {
        typedef volatile T Place PORT_CPU_ALIAS;
        *static_cast<Place*>(p) = value;
    } else {
        std::memcpy(p, static_cast<const void*>(&value), sizeof value);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
}

// ---- integers ----------------------------------------------------------------------------------
// An operand in a type in which nothing overflows.
namespace detail {
template <class T> struct Wide {
    using type = typename std::make_unsigned<
        typename std::conditional<(sizeof(T) < 4), std::int32_t, T>::type>::type;
};
template <class T> using wide = typename Wide<T>::type;
template <class T> struct Same {
    using type = T;
};
template <class T> using same = typename Same<T>::type;
template <class T>
using if_integer = typename std::enable_if<std::is_integral<T>::value, T>::type;
template <class T>
using if_float = typename std::enable_if<std::is_floating_point<T>::value, T>::type;
}  // namespace detail

template <class T> inline detail::if_integer<T> add(T a, detail::same<T> b) {
    return T(detail::wide<T>(a) + detail::wide<T>(b));
}
template <class T> inline detail::if_integer<T> sub(T a, detail::same<T> b) {
    return T(detail::wide<T>(a) - detail::wide<T>(b));
}
template <class T> inline detail::if_integer<T> mul(T a, detail::same<T> b) {
    return T(detail::wide<T>(a) * detail::wide<T>(b));
}
template <class T> inline detail::if_integer<T> negate(T a) {
    return T(detail::wide<T>(0) - detail::wide<T>(a));
}
template <class T> inline detail::if_integer<T> absolute(T a) { return a < 0 ? negate(a) : a; }
template <class T> inline detail::if_integer<T> multiply_high(T a, detail::same<T> b) {
    if constexpr (sizeof(T) == 8) {
        using Long = typename std::conditional<std::is_signed<T>::value, __int128, unsigned __int128>::type;
        return T(Long(a) * Long(b) >> 64);
    } else {
        using Long = typename std::conditional<std::is_signed<T>::value, std::int64_t, std::uint64_t>::type;
        return T(Long(a) * Long(b) >> (8 * sizeof(T)));
    }
}
// By zero: all ones, and the dividend as the remainder.
template <class T> inline detail::if_integer<T> divide(T a, detail::same<T> b) {
    if (b == 0) return T(-1);
    if (std::is_signed<T>::value && b == T(-1)) return negate(a);
    return T(a / b);
}
template <class T> inline detail::if_integer<T> remainder(T a, detail::same<T> b) {
    if (b == 0) return a;
    if (std::is_signed<T>::value && b == T(-1)) return 0;
    return T(a % b);
}
template <class T> inline detail::if_integer<T> minimum(T a, detail::same<T> b) {
    return b < a ? b : a;
}
template <class T> inline detail::if_integer<T> maximum(T a, detail::same<T> b) {
    return a < b ? b : a;
}
template <class T, class N> inline T shift_left(T a, N amount) {
    const auto n = typename std::make_unsigned<N>::type(amount);
    return n < 8 * sizeof(T) ? T(detail::wide<T>(a) << n) : T(0);
}
template <class T, class N> inline T shift_right(T a, N amount) {
    const auto n = typename std::make_unsigned<N>::type(amount);
    return n < 8 * sizeof(T) ? T(a >> n) : a < 0 ? T(-1) : T(0);
}

template <class T> inline std::int32_t population_count(T a) {
    return std::int32_t(__builtin_popcountll(typename std::make_unsigned<T>::type(a)));
}
template <class T> inline std::int32_t leading_zeros(T a) {
    const auto word = typename std::make_unsigned<T>::type(a);
    constexpr int width = 8 * int(sizeof(T));
    return word ? std::int32_t(__builtin_clzll(word)) - (64 - width) : width;
}
template <class T> inline std::int32_t first_set(T a) {
    return std::int32_t(__builtin_ffsll(static_cast<long long>(typename std::make_unsigned<T>::type(a))));
}
template <class T> inline T reverse_bits(T a) {
    auto word = typename std::make_unsigned<T>::type(a);
    typename std::make_unsigned<T>::type result = 0;
    for (unsigned i = 0; i < 8 * sizeof(T); ++i) {
        result = decltype(result)(result << 1 | (word & 1));
        word = decltype(word)(word >> 1);
    }
    return T(result);
}
template <class T> inline T add_saturated(T a, detail::same<T> b) {
    T result;
    if (!__builtin_add_overflow(a, b, &result)) return result;
    return a < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}
template <class T> inline T sub_saturated(T a, detail::same<T> b) {
    T result;
    if (!__builtin_sub_overflow(a, b, &result)) return result;
    return a < b ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}
template <class T> inline T average_down(T a, detail::same<T> b) {
    return T((a & b) + ((a ^ b) >> 1));
}
template <class T> inline T average_up(T a, detail::same<T> b) {
    return T((a | b) - ((a ^ b) >> 1));
}
template <class T> inline T multiply_24(T a, detail::same<T> b) {
    if constexpr (std::is_signed<T>::value) {
        const auto low = [](T x) { return std::uint32_t(std::int32_t(std::uint32_t(x) << 8) >> 8); };
        return T(low(a) * low(b));
    } else {
        return (a & 0xffffffu) * (b & 0xffffffu);
    }
}
template <class T, class C> inline C absolute_difference_plus(T a, detail::same<T> b, C c) {
    const auto distance = a > b ? detail::wide<T>(a) - detail::wide<T>(b)
                                : detail::wide<T>(b) - detail::wide<T>(a);
    return C(detail::wide<C>(c) + detail::wide<C>(distance));
}
inline std::uint32_t byte_permute(std::uint32_t x, std::uint32_t y, std::uint32_t selector) {
    const std::uint64_t bytes = std::uint64_t(y) << 32 | x;
    std::uint32_t result = 0;
    for (unsigned i = 0; i < 4; ++i) {
        const std::uint32_t pick = selector >> (4 * i) & 15;
        std::uint32_t byte = std::uint32_t(bytes >> (8 * (pick & 7))) & 0xff;
        if (pick & 8) byte = byte & 0x80 ? 0xff : 0;
        result |= byte << (8 * i);
    }
    return result;
}
inline std::uint32_t funnel_left(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
    return std::uint32_t((std::uint64_t(high) << 32 | low) << (n & 31) >> 32);
}
inline std::uint32_t funnel_right(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
    return std::uint32_t((std::uint64_t(high) << 32 | low) >> (n & 31));
}
inline std::uint32_t funnel_left_clamped(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
    return std::uint32_t((std::uint64_t(high) << 32 | low) << (n < 32 ? n : 32) >> 32);
}
inline std::uint32_t funnel_right_clamped(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
    return std::uint32_t((std::uint64_t(high) << 32 | low) >> (n < 32 ? n : 32));
}
namespace detail {
template <class T> inline std::int32_t byte_at(T word, int i) {
    const auto byte = std::uint8_t(std::uint32_t(word) >> (8 * i));
    return std::is_signed<T>::value ? std::int32_t(std::int8_t(byte)) : std::int32_t(byte);
}
template <class T> inline std::int32_t short_at(T word, int i) {
    const auto half = std::uint16_t(std::uint32_t(word) >> (16 * i));
    return std::is_signed<T>::value ? std::int32_t(std::int16_t(half)) : std::int32_t(half);
}
template <class A, class B, class C> inline C dot_two(A a, B b, C c, int first) {
    auto sum = std::uint32_t(c);
    for (int i = 0; i < 2; ++i) {
        sum += std::uint32_t(short_at(a, i)) * std::uint32_t(byte_at(b, first + i));
    }
    return C(sum);
}
}  // namespace detail
template <class A, class B, class C> inline C dot_four_bytes(A a, B b, C c) {
    auto sum = std::uint32_t(c);
    for (int i = 0; i < 4; ++i) {
        sum += std::uint32_t(detail::byte_at(a, i) * detail::byte_at(b, i));
    }
    return C(sum);
}
template <class A, class B, class C> inline C dot_two_low(A a, B b, C c) {
    return detail::dot_two(a, b, c, 0);
}
template <class A, class B, class C> inline C dot_two_high(A a, B b, C c) {
    return detail::dot_two(a, b, c, 2);
}

// ---- small floats ------------------------------------------------------------------------------
// All are exact in f32.
inline float widen(f16 a) {
    // Moved to their place, the exponent is 112 too small, which a product repairs, of subnormal
    // numbers too; infinity and NaN have the largest exponent of either format.
    const std::uint32_t magnitude = std::uint32_t(a.word & 0x7fffu) << 13;
    std::uint32_t word = bits<std::uint32_t>(bits<float>(magnitude) * 0x1p112f);
    if (magnitude >= 0x0f800000u) word = magnitude | 0x7f800000u;
    return bits<float>(word | std::uint32_t(a.word & 0x8000u) << 16);
}
inline float widen(bf16 a) { return bits<float>(std::uint32_t(a.word) << 16); }
inline float widen(f8e5m2 a) { return widen(f16{std::uint16_t(a.word << 8)}); }
inline float widen(f8e4m3 a) {
    const std::uint32_t magnitude = a.word & 0x7fu;
    const float value = magnitude == 0x7f ? std::numeric_limits<float>::quiet_NaN()
                                          : bits<float>(magnitude << 20) * 0x1p120f;
    return bits<float>(bits<std::uint32_t>(value) | std::uint32_t(a.word & 0x80u) << 24);
}
inline float widen(float a) { return a; }
inline double widen(double a) { return a; }

namespace detail {
inline f16 nearest_f16(float value) {
    const std::uint32_t word = bits<std::uint32_t>(value);
    const std::uint32_t sign = word >> 16 & 0x8000u, magnitude = word & 0x7fffffffu;
    // Ties go to even: half a unit less one, and one more if the last bit that stays is set.
    const std::uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
    std::uint32_t result = (rounded - 0x38000000u) >> 13;
    if (rounded >= 0x47800000u) result = 0x7c00u;
    if (magnitude < 0x38800000u) {
        // Subnormal: at one half, a unit of f32 is the smallest f16.
        result = bits<std::uint32_t>(bits<float>(magnitude) + 0.5f) - 0x3f000000u;
    }
    result |= sign;
    if (magnitude > 0x7f800000u) result = 0x7fffu;
    return f16{std::uint16_t(result)};
}
inline bf16 nearest_bf16(float value) {
    const std::uint32_t word = bits<std::uint32_t>(value);
    std::uint32_t result = (word + 0x7fffu + (word >> 16 & 1u)) >> 16;
    if ((word & 0x7fffffffu) > 0x7f800000u) result = 0x7fffu;
    return bf16{std::uint16_t(result)};
}
// An f64 as the f32 beside it whose last bit is odd, unless it is exact: rounding that to a format
// of at most 22 bits is rounding the f64 once.
inline float to_odd(double value) {
    const float nearest = float(value);
    const double back = double(nearest);
    std::uint32_t word = bits<std::uint32_t>(nearest);
    if (back != value && back == back && (word & 1u) == 0) {
        const bool up = (value > back) == (value > 0);
        word = up ? word + 1 : word - 1;
    }
    return bits<float>(word);
}
template <class T> struct Format;
template <> struct Format<f16> {
    static constexpr int fraction = 10, exponent = 5;
};
template <> struct Format<bf16> {
    static constexpr int fraction = 7, exponent = 8;
};
template <> struct Format<f8e5m2> {
    static constexpr int fraction = 2, exponent = 5;
};
template <class T> constexpr bool is_small =
    std::is_same<T, f16>::value || std::is_same<T, bf16>::value ||
    std::is_same<T, f8e4m3>::value || std::is_same<T, f8e5m2>::value;
constexpr port_fibers::Rounding mode(Rounding how) {
    return how == Rounding::zero   ? port_fibers::Rounding::zero
           : how == Rounding::up   ? port_fibers::Rounding::up
           : how == Rounding::down ? port_fibers::Rounding::down
                                   : port_fibers::Rounding::nearest;
}
// E4M3 has no infinity, and its largest exponent holds numbers.
inline f8e4m3 to_e4m3(double value, bool saturate) {
    const std::uint8_t sign = std::signbit(value) ? 0x80 : 0;
    if (value != value) return f8e4m3{std::uint8_t(sign | 0x7f)};
    const double magnitude = std::fabs(value);
    int exponent = 0;
    std::frexp(magnitude, &exponent);
    const int least = exponent - 1 < -6 ? -6 : exponent - 1;
    const double units = std::nearbyint(std::ldexp(magnitude, 3 - least));
    const double rounded = std::ldexp(units, least - 3);
    if (rounded > 448) return f8e4m3{std::uint8_t(sign | (saturate ? 0x7e : 0x7f))};
    if (rounded < 0x1p-6) return f8e4m3{std::uint8_t(sign | int(units))};
    std::frexp(rounded, &exponent);
    const int fraction = int(std::ldexp(rounded, 4 - exponent)) & 7;
    return f8e4m3{std::uint8_t(sign | (exponent + 6) << 3 | fraction)};
}
inline double odd_double(double value) { return value; }
inline double odd_double(float value) { return double(value); }
inline double odd_double(bool value) { return value ? 1 : 0; }
template <class T> inline if_integer<T> unsigned_part(T value) { return value; }
template <class T, class = if_integer<T>> inline double odd_double(T value) {
    if constexpr (sizeof(T) < 8) {
        return double(value);
    } else if constexpr (std::is_signed<T>::value) {
        return port_fibers::odd_double(static_cast<long long>(value));
    } else {
        return port_fibers::odd_double(static_cast<unsigned long long>(value));
    }
}
inline double odd_double(f16 value) { return double(widen(value)); }
inline double odd_double(bf16 value) { return double(widen(value)); }
inline double odd_double(f8e4m3 value) { return double(widen(value)); }
inline double odd_double(f8e5m2 value) { return double(widen(value)); }

template <class To, Rounding how> inline To small_from(double value) {
    if constexpr (std::is_same<To, f8e4m3>::value) {
        return to_e4m3(value, false);
    } else {
        const unsigned word =
            port_fibers::round_to_bits<Format<To>::fraction, Format<To>::exponent>(value, mode(how));
        return To{decltype(To::word)(word)};
    }
}
}  // namespace detail

// ---- conversions -------------------------------------------------------------------------------
template <class To, Rounding how, class From> inline To convert(From value) {
    constexpr bool nearest = how == Rounding::nearest;
    if constexpr (detail::is_small<To>) {
        if constexpr (nearest && std::is_same<From, float>::value && std::is_same<To, f16>::value) {
            return detail::nearest_f16(value);
        } else if constexpr (nearest && std::is_same<From, float>::value &&
                             std::is_same<To, bf16>::value) {
            return detail::nearest_bf16(value);
        } else {
            return detail::small_from<To, how>(detail::odd_double(value));
        }
    } else if constexpr (std::is_floating_point<To>::value) {
        if constexpr (detail::is_small<From>) {
            return To(widen(value));
        } else if constexpr (nearest) {
            return To(value);
        } else if constexpr (std::is_same<From, float>::value || std::is_same<From, double>::value) {
            return To(port_fibers::to_float(double(value), detail::mode(how)));
        } else if constexpr (std::is_same<To, float>::value) {
            if constexpr (std::is_signed<From>::value) {
                return port_fibers::to_float(static_cast<long long>(value), detail::mode(how));
            } else {
                return port_fibers::to_float(static_cast<unsigned long long>(value), detail::mode(how));
            }
        } else if constexpr (std::is_signed<From>::value) {
            return port_fibers::to_double(static_cast<long long>(value), detail::mode(how));
        } else {
            return port_fibers::to_double(static_cast<unsigned long long>(value), detail::mode(how));
        }
    } else {
        // To an integer: NaN is 0 (of 64 bits: the top bit alone), the rest saturates.
        const auto wide = widen(value);
        using Float = std::remove_const_t<decltype(wide)>;
        constexpr bool is_signed = std::is_signed<To>::value;
        if constexpr (sizeof(To) == 8) {
            if (wide != wide) return To(std::uint64_t{1} << 63);
        }
        const Float whole = how == Rounding::nearest ? std::nearbyint(wide)
                            : how == Rounding::up    ? std::ceil(wide)
                            : how == Rounding::down  ? std::floor(wide)
                            : how == Rounding::away  ? std::round(wide)
                                                     : wide;
        constexpr Float span = Float(std::uint64_t{1} << (8 * sizeof(To) - 1));
        constexpr Float low = is_signed ? -span : Float(0), high = is_signed ? span : 2 * span;
        // Below the first number that does not fit, above the last one; NaN is in neither.
        const bool fits = whole > (sizeof(To) < 8 && sizeof(To) < sizeof(Float) ? low - 1 : low) && whole < high;
        const To inside = To(fits ? whole : Float(0));
        if (whole >= high) return std::numeric_limits<To>::max();
        if (whole <= low) return std::numeric_limits<To>::min();
        return inside;
    }
}
// What is too large becomes the largest number.
template <class To, Rounding how, class From> inline To convert_saturated(From value) {
    const double wide = detail::odd_double(value);
    if constexpr (std::is_same<To, f8e4m3>::value) {
        return detail::to_e4m3(wide, true);
    } else if constexpr (detail::is_small<To>) {
        const To result = detail::small_from<To, how>(wide);
        constexpr unsigned top = ((1u << detail::Format<To>::exponent) - 1)
                                 << detail::Format<To>::fraction;
        constexpr unsigned sign = 1u << (8 * sizeof(To) - 1);
        if ((result.word & ~sign) == top) return To{decltype(To::word)((result.word & sign) | (top - 1))};
        return result;
    } else {
        return convert<To, how>(value);
    }
}

// ---- float operations --------------------------------------------------------------------------
template <class T> inline detail::if_float<T> add(T a, T b) { return a + b; }
template <class T> inline detail::if_float<T> mul(T a, T b) { return a * b; }
// Sums, differences, products and quotients of such short numbers are not changed by being rounded
// to 24 (for bf16's products and quotients 53) bits first.
inline f16 add(f16 a, f16 b) { return detail::nearest_f16(widen(a) + widen(b)); }
inline f16 sub(f16 a, f16 b) { return detail::nearest_f16(widen(a) - widen(b)); }
inline f16 mul(f16 a, f16 b) { return detail::nearest_f16(widen(a) * widen(b)); }
inline f16 divide(f16 a, f16 b) {
    return detail::nearest_f16(detail::to_odd(double(widen(a)) / double(widen(b))));
}
inline bf16 add(bf16 a, bf16 b) { return detail::nearest_bf16(widen(a) + widen(b)); }
inline bf16 sub(bf16 a, bf16 b) { return detail::nearest_bf16(widen(a) - widen(b)); }
inline bf16 mul(bf16 a, bf16 b) {
    return detail::nearest_bf16(detail::to_odd(double(widen(a)) * double(widen(b))));
}
inline bf16 divide(bf16 a, bf16 b) {
    return detail::nearest_bf16(detail::to_odd(double(widen(a)) / double(widen(b))));
}
inline f16 negate(f16 a) { return f16{std::uint16_t(a.word ^ 0x8000u)}; }
inline bf16 negate(bf16 a) { return bf16{std::uint16_t(a.word ^ 0x8000u)}; }
inline f16 absolute(f16 a) { return f16{std::uint16_t(a.word & 0x7fffu)}; }
inline bf16 absolute(bf16 a) { return bf16{std::uint16_t(a.word & 0x7fffu)}; }
inline float absolute(float a) { return std::fabs(a); }
inline double absolute(double a) { return std::fabs(a); }
inline float fused(float a, float b, float c) { return std::fma(a, b, c); }
inline double fused(double a, double b, double c) { return std::fma(a, b, c); }
inline f16 fused(f16 a, f16 b, f16 c) {
    return detail::nearest_f16(
        detail::to_odd(port_fibers::fused_to_odd(widen(a), widen(b), widen(c))));
}
inline bf16 fused(bf16 a, bf16 b, bf16 c) {
    return detail::nearest_bf16(
        detail::to_odd(port_fibers::fused_to_odd(widen(a), widen(b), widen(c))));
}

#define PORT_CPU_DIRECTED(T)                                                                       \
    template <Rounding how> inline T add_to(T a, T b) {                                            \
        return port_fibers::add_directed(a, b, detail::mode(how));                                 \
    }                                                                                              \
    template <Rounding how> inline T sub_to(T a, T b) {                                            \
        return port_fibers::add_directed(a, -b, detail::mode(how));                                \
    }                                                                                              \
    template <Rounding how> inline T mul_to(T a, T b) {                                            \
        return port_fibers::multiply_directed(a, b, detail::mode(how));                            \
    }                                                                                              \
    template <Rounding how> inline T divide_to(T a, T b) {                                         \
        return port_fibers::divide_directed(a, b, detail::mode(how));                              \
    }                                                                                              \
    template <Rounding how> inline T fused_to(T a, T b, T c) {                                     \
        return port_fibers::fused_directed(a, b, c, detail::mode(how));                            \
    }                                                                                              \
    template <Rounding how> inline T square_root_to(T a) {                                         \
        return port_fibers::square_root_directed(a, detail::mode(how));                            \
    }                                                                                              \
    template <Rounding how> inline T reciprocal_to(T a) {                                          \
        return port_fibers::divide_directed(T(1), a, detail::mode(how));                           \
    }
PORT_CPU_DIRECTED(float)
PORT_CPU_DIRECTED(double)
#undef PORT_CPU_DIRECTED

// Of a number and a NaN the number; of equal ones the second, as the C library's fmaxf has it.
template <class T> inline detail::if_float<T> maximum(T a, T b) {
    return a > b || b != b ? a : b;
}
template <class T> inline detail::if_float<T> minimum(T a, T b) {
    return a < b || b != b ? a : b;
}
template <class T> inline detail::if_float<T> maximum_or_nan(T a, T b) {
    return a != a ? a : a > b || b != b ? (b != b ? b : a) : b;
}
template <class T> inline detail::if_float<T> minimum_or_nan(T a, T b) {
    return a != a ? a : a < b || b != b ? (b != b ? b : a) : b;
}
#define PORT_CPU_SMALL_EXTREMES(T)                                                                 \
    inline T maximum(T a, T b) {                                                                   \
        const float x = widen(a), y = widen(b);                                                    \
        if (x != x) return y != y ? T{0x7fff} : b;                                                 \
        if (y != y) return a;                                                                      \
        if (x == y) return a.word & 0x8000u ? b : a;                                               \
        return x > y ? a : b;                                                                      \
    }                                                                                              \
    inline T minimum(T a, T b) {                                                                   \
        const float x = widen(a), y = widen(b);                                                    \
        if (x != x) return y != y ? T{0x7fff} : b;                                                 \
        if (y != y) return a;                                                                      \
        if (x == y) return a.word & 0x8000u ? a : b;                                               \
        return x < y ? a : b;                                                                      \
    }                                                                                              \
    inline T maximum_or_nan(T a, T b) {                                                            \
        return widen(a) != widen(a) || widen(b) != widen(b) ? T{0x7fff} : maximum(a, b);           \
    }                                                                                              \
    inline T minimum_or_nan(T a, T b) {                                                            \
        return widen(a) != widen(a) || widen(b) != widen(b) ? T{0x7fff} : minimum(a, b);           \
    }
PORT_CPU_SMALL_EXTREMES(f16)
PORT_CPU_SMALL_EXTREMES(bf16)
#undef PORT_CPU_SMALL_EXTREMES

// ---- functions ---------------------------------------------------------------------------------
// The C library's; of small floats those of f32, rounded once more.
#define PORT_CPU_SMALL_1(name, expression)                                                         \
    inline f16 name(f16 a) {                                                                       \
        const float x = widen(a);                                                                  \
        return convert<f16, Rounding::nearest>(expression);                                        \
    }                                                                                              \
    inline bf16 name(bf16 a) {                                                                     \
        const float x = widen(a);                                                                  \
        return convert<bf16, Rounding::nearest>(expression);                                       \
    }
#define PORT_CPU_FUNCTION_1(name, single, twofold)                                                 \
    inline float name(float x) { return single; }                                                  \
    inline double name(double x) { return twofold; }
#define PORT_CPU_LIBRARY_1(name, function)                                                         \
    PORT_CPU_FUNCTION_1(name, ::function##f(x), ::function(x))                                     \
    PORT_CPU_SMALL_1(name, ::function##f(x))
PORT_CPU_FUNCTION_1(square_root, std::sqrt(x), std::sqrt(x))
PORT_CPU_SMALL_1(square_root, std::sqrt(double(x)))
PORT_CPU_FUNCTION_1(reciprocal_square_root, 1.0f / std::sqrt(x), 1.0 / std::sqrt(x))
PORT_CPU_SMALL_1(reciprocal_square_root, 1.0f / std::sqrt(x))
PORT_CPU_FUNCTION_1(reciprocal, 1.0f / x, 1.0 / x)
PORT_CPU_SMALL_1(reciprocal, 1.0 / double(x))
PORT_CPU_LIBRARY_1(cube_root, cbrt)
PORT_CPU_LIBRARY_1(reciprocal_cube_root, rcbrt)
PORT_CPU_LIBRARY_1(exponential, exp)
PORT_CPU_LIBRARY_1(exponential_2, exp2)
PORT_CPU_LIBRARY_1(exponential_10, exp10)
PORT_CPU_LIBRARY_1(exponential_minus_one, expm1)
PORT_CPU_LIBRARY_1(logarithm, log)
PORT_CPU_LIBRARY_1(logarithm_2, log2)
PORT_CPU_LIBRARY_1(logarithm_10, log10)
PORT_CPU_LIBRARY_1(logarithm_one_plus, log1p)
PORT_CPU_LIBRARY_1(logarithm_binary, logb)
PORT_CPU_LIBRARY_1(sine, sin)
PORT_CPU_LIBRARY_1(cosine, cos)
PORT_CPU_LIBRARY_1(tangent, tan)
PORT_CPU_LIBRARY_1(sine_pi, sinpi)
PORT_CPU_LIBRARY_1(cosine_pi, cospi)
PORT_CPU_LIBRARY_1(arc_sine, asin)
PORT_CPU_LIBRARY_1(arc_cosine, acos)
PORT_CPU_LIBRARY_1(arc_tangent, atan)
PORT_CPU_LIBRARY_1(hyperbolic_sine, sinh)
PORT_CPU_LIBRARY_1(hyperbolic_cosine, cosh)
PORT_CPU_LIBRARY_1(hyperbolic_tangent, tanh)
PORT_CPU_LIBRARY_1(inverse_hyperbolic_sine, asinh)
PORT_CPU_LIBRARY_1(inverse_hyperbolic_cosine, acosh)
PORT_CPU_LIBRARY_1(inverse_hyperbolic_tangent, atanh)
PORT_CPU_LIBRARY_1(error_function, erf)
PORT_CPU_LIBRARY_1(error_function_complement, erfc)
PORT_CPU_LIBRARY_1(error_function_scaled, erfcx)
PORT_CPU_LIBRARY_1(error_function_inverse, erfinv)
PORT_CPU_LIBRARY_1(error_function_complement_inverse, erfcinv)
PORT_CPU_LIBRARY_1(normal_distribution, normcdf)
PORT_CPU_LIBRARY_1(normal_distribution_inverse, normcdfinv)
PORT_CPU_LIBRARY_1(gamma_function, tgamma)
PORT_CPU_LIBRARY_1(log_gamma, lgamma)
PORT_CPU_LIBRARY_1(bessel_j0, j0)
PORT_CPU_LIBRARY_1(bessel_j1, j1)
PORT_CPU_LIBRARY_1(bessel_y0, y0)
PORT_CPU_LIBRARY_1(bessel_y1, y1)
PORT_CPU_LIBRARY_1(bessel_i0, cyl_bessel_i0)
PORT_CPU_LIBRARY_1(bessel_i1, cyl_bessel_i1)
PORT_CPU_LIBRARY_1(round_down, floor)
PORT_CPU_LIBRARY_1(round_up, ceil)
PORT_CPU_LIBRARY_1(round_to_zero, trunc)
PORT_CPU_LIBRARY_1(round_half_away, round)
PORT_CPU_LIBRARY_1(round_half_even, nearbyint)
#undef PORT_CPU_LIBRARY_1

#define PORT_CPU_LIBRARY_2(name, function)                                                         \
    inline float name(float a, float b) { return ::function##f(a, b); }                            \
    inline double name(double a, double b) { return ::function(a, b); }                            \
    inline f16 name(f16 a, f16 b) {                                                                \
        return convert<f16, Rounding::nearest>(::function##f(widen(a), widen(b)));                 \
    }                                                                                              \
    inline bf16 name(bf16 a, bf16 b) {                                                             \
        return convert<bf16, Rounding::nearest>(::function##f(widen(a), widen(b)));                \
    }
PORT_CPU_LIBRARY_2(arc_tangent_2, atan2)
PORT_CPU_LIBRARY_2(power, pow)
PORT_CPU_LIBRARY_2(modulo, fmod)
PORT_CPU_LIBRARY_2(float_remainder, remainder)
PORT_CPU_LIBRARY_2(hypotenuse, hypot)
PORT_CPU_LIBRARY_2(reciprocal_hypotenuse, rhypot)
PORT_CPU_LIBRARY_2(positive_difference, fdim)
PORT_CPU_LIBRARY_2(copy_sign, copysign)
PORT_CPU_LIBRARY_2(next_after, nextafter)
#undef PORT_CPU_LIBRARY_2
inline float norm_3(float a, float b, float c) { return ::norm3df(a, b, c); }
inline double norm_3(double a, double b, double c) { return ::norm3d(a, b, c); }
inline float reciprocal_norm_3(float a, float b, float c) { return ::rnorm3df(a, b, c); }
inline double reciprocal_norm_3(double a, double b, double c) { return ::rnorm3d(a, b, c); }
inline float norm_4(float a, float b, float c, float d) { return ::norm4df(a, b, c, d); }
inline double norm_4(double a, double b, double c, double d) { return ::norm4d(a, b, c, d); }
inline float reciprocal_norm_4(float a, float b, float c, float d) { return ::rnorm4df(a, b, c, d); }
inline double reciprocal_norm_4(double a, double b, double c, double d) {
    return ::rnorm4d(a, b, c, d);
}
inline float power_integer(float a, std::int32_t b) { return ::powf(a, float(b)); }
inline double power_integer(double a, std::int32_t b) { return ::pow(a, double(b)); }
inline float scale_binary(float a, std::int32_t b) { return ::ldexpf(a, b); }
inline double scale_binary(double a, std::int32_t b) { return ::ldexp(a, b); }
inline float fraction_of(float a) {
    int exponent;
    return ::frexpf(a, &exponent);
}
inline double fraction_of(double a) {
    int exponent;
    return ::frexp(a, &exponent);
}
inline std::int32_t exponent_of(float a) {
    int exponent = 0;
    (void)::frexpf(a, &exponent);
    return exponent;
}
inline std::int32_t exponent_of(double a) {
    int exponent = 0;
    (void)::frexp(a, &exponent);
    return exponent;
}
inline std::int32_t integer_log_binary(float a) { return ::ilogbf(a); }
inline std::int32_t integer_log_binary(double a) { return ::ilogb(a); }
inline float bessel_jn(std::int32_t n, float a) { return ::jnf(n, a); }
inline double bessel_jn(std::int32_t n, double a) { return ::jn(n, a); }
inline float bessel_yn(std::int32_t n, float a) { return ::ynf(n, a); }
inline double bessel_yn(std::int32_t n, double a) { return ::yn(n, a); }
template <class T> inline detail::if_float<T> saturate(T x) {
    return x != x || x <= 0 ? T(0) : x >= 1 ? T(1) : x;
}
#define PORT_CPU_SMALL_SATURATE(T, one)                                                            \
    inline T saturate(T a) {                                                                       \
        const float x = widen(a);                                                                  \
        return x != x || x <= 0 ? T{0} : x > 1 ? T{one} : a;                                       \
    }
PORT_CPU_SMALL_SATURATE(f16, 0x3c00)
PORT_CPU_SMALL_SATURATE(bf16, 0x3f80)
#undef PORT_CPU_SMALL_SATURATE
// To 10 fraction bits, ties away from zero.
inline float round_to_tf32(float x) {
    std::uint32_t word = bits<std::uint32_t>(x);
    if ((word & 0x7f800000u) != 0x7f800000u) word += 0x1000u;
    return bits<float>(word & 0xffffe000u);
}
template <class T> inline bool is_nan(T a) { return widen(a) != widen(a); }
template <class T> inline bool is_infinite(T a) {
    return std::fabs(widen(a)) == std::numeric_limits<decltype(widen(a))>::infinity();
}
template <class T> inline bool is_finite(T a) { return widen(a) - widen(a) == 0; }
template <class T> inline bool is_negative(T a) { return std::signbit(widen(a)); }
#undef PORT_CPU_FUNCTION_1
#undef PORT_CPU_SMALL_1

// ---- atomics -----------------------------------------------------------------------------------
// Of the block's own memory, which one thread of the machine reaches, as plain operations; of other
// memory as a loop around a compare-and-exchange of its bits, or the processor's own operation.
namespace detail {
template <std::size_t> struct Word;
template <> struct Word<1> {
    using type = std::uint8_t;
};
template <> struct Word<2> {
    using type = std::uint16_t;
};
template <> struct Word<4> {
    using type = std::uint32_t;
};
template <> struct Word<8> {
    using type = std::uint64_t;
};
template <class T, class F> inline T shared_update(void* p, F f) {
    T old;
    std::memcpy(static_cast<void*>(&old), p, sizeof old);
    const T next = f(old);
    std::memcpy(p, static_cast<const void*>(&next), sizeof next);
    return old;
}
template <class T, class F> inline T atomic_update(void* p, F f) {
    static_assert(sizeof(T) <= 8, "no atomic operation is wider");
    using W = typename Word<sizeof(T)>::type;
    typedef W Place PORT_CPU_ALIAS;
    auto* place = static_cast<Place*>(p);
    W old = __atomic_load_n(place, __ATOMIC_RELAXED);
    for (;;) {
        const T next = f(bits<T>(old));
        if (__atomic_compare_exchange_n(place, &old, bits<W>(next), false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            return bits<T>(old);
        }
    }
}
}  // namespace detail

template <class T> inline T atomic_load(const void* p, int order) {
    using W = typename detail::Word<sizeof(T)>::type;
    typedef W Place PORT_CPU_ALIAS;
    return bits<T>(__atomic_load_n(static_cast<const Place*>(p), order));
}
template <class T> inline void atomic_store(void* p, T value, int order) {
    using W = typename detail::Word<sizeof(T)>::type;
    typedef W Place PORT_CPU_ALIAS;
    __atomic_store_n(static_cast<Place*>(p), bits<W>(value), order);
}

#define PORT_CPU_ATOMIC(name, expression)                                                          \
    template <class T> inline T shared_##name(void* p, detail::same<T> value) {                    \
        return detail::shared_update<T>(p, [=](T old) -> T { (void)old; return expression; });     \
    }                                                                                              \
    template <class T> inline T atomic_##name(void* p, detail::same<T> value) {                    \
        return detail::atomic_update<T>(p, [=](T old) -> T { (void)old; return expression; });     \
    }
namespace detail {
template <class T> inline T sum(T a, T b) { return add(a, b); }
template <class T> inline vec2<T> sum(vec2<T> a, vec2<T> b) { return {add(a.x, b.x), add(a.y, b.y)}; }
template <class T> inline vec4<T> sum(vec4<T> a, vec4<T> b) {
    return {add(a.x, b.x), add(a.y, b.y), add(a.z, b.z), add(a.w, b.w)};
}
template <class T> inline T difference(T a, T b) {
    if constexpr (std::is_floating_point<T>::value) return a - b;
    else return sub(a, b);
}
}  // namespace detail
PORT_CPU_ATOMIC(subtract, detail::difference(old, value))
PORT_CPU_ATOMIC(minimum, value < old ? value : old)
PORT_CPU_ATOMIC(maximum, value > old ? value : old)
PORT_CPU_ATOMIC(and, T(old & value))
PORT_CPU_ATOMIC(or, T(old | value))
PORT_CPU_ATOMIC(xor, T(old ^ value))
PORT_CPU_ATOMIC(exchange, value)
PORT_CPU_ATOMIC(increment, old >= value ? T(0) : T(old + 1))
PORT_CPU_ATOMIC(decrement, old == 0 || old > value ? value : T(old - 1))
#undef PORT_CPU_ATOMIC
template <class T> inline T shared_add(void* p, detail::same<T> value) {
    return detail::shared_update<T>(p, [=](T old) { return detail::sum(old, value); });
}
template <class T> inline T atomic_add(void* p, detail::same<T> value) {
    if constexpr (std::is_integral<T>::value) {
        typedef T Place PORT_CPU_ALIAS;
        return __atomic_fetch_add(static_cast<Place*>(p), value, __ATOMIC_ACQ_REL);
    } else if constexpr (sizeof(T) > 8) {
        // As the device has it, each component for itself.
        using C = decltype(T::x);
        T old = value;
        constexpr std::size_t count = sizeof(T) / sizeof(C);
        for (std::size_t i = 0; i < count; ++i) {
            const C part_of = part<C>(value, i * sizeof(C));
            old = with_part(old, i * sizeof(C),
                            detail::atomic_update<C>(static_cast<char*>(p) + i * sizeof(C), [=](C was) {
                                return detail::sum(was, part_of);
                            }));
        }
        return old;
    } else {
        return detail::atomic_update<T>(p, [=](T old) { return detail::sum(old, value); });
    }
}
template <class T>
inline T shared_compare_exchange(void* p, detail::same<T> expected, detail::same<T> value) {
    return detail::shared_update<T>(p, [=](T old) {
        return std::memcmp(&old, &expected, sizeof old) == 0 ? value : old;
    });
}
template <class T>
inline T atomic_compare_exchange(void* p, detail::same<T> expected, detail::same<T> value) {
    using W = typename detail::Word<sizeof(T)>::type;
    typedef W Place PORT_CPU_ALIAS;
    W old = bits<W>(expected);
    __atomic_compare_exchange_n(static_cast<Place*>(p), &old, bits<W>(value), false,
                                __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return bits<T>(old);
}

}  // namespace port_cpu
