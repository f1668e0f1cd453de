// Integer and bit intrinsics, reinterpretations of bits, and SIMD-in-a-word intrinsics.
// Semantics: CUDA Math API, "Integer Intrinsics", "Type Casting Intrinsics", "SIMD Intrinsics".
#pragma once

#include "core.hpp"

inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline unsigned __brev(unsigned x) {
    unsigned result = 0;
    for (int i = 0; i < 32; ++i) result |= (x >> i & 1u) << (31 - i);
    return result;
}
inline unsigned long long __brevll(unsigned long long x) {
    return (unsigned long long)__brev(unsigned(x)) << 32 | __brev(unsigned(x >> 32));
}
// The n-th set bit counted from `base`: the CUDA Math API's __fns.
inline unsigned __fns(unsigned mask, unsigned base, int offset) {
    if (base > 31) return 0xffffffffu;
    if (offset == 0) return mask >> base & 1u ? base : 0xffffffffu;
    int left = offset < 0 ? -offset : offset;
    for (int i = int(base); i >= 0 && i < 32; i += offset < 0 ? -1 : 1) {
        if ((mask >> i & 1u) && --left == 0) return unsigned(i);
    }
    return 0xffffffffu;
}
// Each selector nibble picks a byte of y:x; its top bit replicates that byte's sign.
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
    const unsigned long long bytes = (unsigned long long)y << 32 | x;
    unsigned result = 0;
    for (int i = 0; i < 4; ++i) {
        unsigned pick = selector >> (4 * i);
        unsigned byte = unsigned(bytes >> (8 * (pick & 7))) & 0xffu;
        if (pick & 8) byte = byte & 0x80u ? 0xffu : 0u;
        result |= byte << (8 * i);
    }
    return result;
}
inline int __mulhi(int a, int b) { return int((long long)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
inline long long __mul64hi(long long a, long long b) { return (long long)((__int128)a * b >> 64); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __mul24(int a, int b) {
    return int(unsigned(int(unsigned(a) << 8) >> 8) * unsigned(int(unsigned(b) << 8) >> 8));
}
inline unsigned __umul24(unsigned a, unsigned b) { return (a & 0xffffffu) * (b & 0xffffffu); }
inline unsigned __usad(unsigned a, unsigned b, unsigned c) { return (a > b ? a - b : b - a) + c; }
inline unsigned __sad(int a, int b, unsigned c) {
    return unsigned(a > b ? (long long)a - b : (long long)b - a) + c;
}
inline int __hadd(int a, int b) { return int(((long long)a + b) >> 1); }
inline int __rhadd(int a, int b) { return int(((long long)a + b + 1) >> 1); }
inline unsigned __uhadd(unsigned a, unsigned b) { return unsigned(((unsigned long long)a + b) >> 1); }
inline unsigned __urhadd(unsigned a, unsigned b) {
    return unsigned(((unsigned long long)a + b + 1) >> 1);
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
    return unsigned((((unsigned long long)high << 32 | low) << (shift & 31)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    return unsigned(((unsigned long long)high << 32 | low) >> (shift & 31));
}
inline unsigned __funnelshift_lc(unsigned low, unsigned high, unsigned shift) {
    return unsigned((((unsigned long long)high << 32 | low) << (shift < 32 ? shift : 32)) >> 32);
}
inline unsigned __funnelshift_rc(unsigned low, unsigned high, unsigned shift) {
    return unsigned(((unsigned long long)high << 32 | low) >> (shift < 32 ? shift : 32));
}

inline float __int_as_float(int x) { return port_oracle::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return port_oracle::bit_cast<float>(x); }
inline int __float_as_int(float x) { return port_oracle::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return port_oracle::bit_cast<unsigned>(x); }
inline double __longlong_as_double(long long x) { return port_oracle::bit_cast<double>(x); }
inline long long __double_as_longlong(double x) { return port_oracle::bit_cast<long long>(x); }
inline double __hiloint2double(int high, int low) {
    return port_oracle::bit_cast<double>((unsigned long long)(unsigned)high << 32 | unsigned(low));
}
inline int __double2hiint(double x) {
    return int(port_oracle::bit_cast<unsigned long long>(x) >> 32);
}
inline int __double2loint(double x) { return int(port_oracle::bit_cast<unsigned long long>(x)); }

#ifndef PORT_ORACLE_HIP   // HIP has no dot products and no SIMD intrinsics
namespace port_oracle {
inline int byte_of(int word, int i) { return (signed char)(word >> (8 * i)); }
inline int byte_of(unsigned word, int i) { return int(word >> (8 * i) & 0xffu); }
inline int half_of(int word, int i) { return short(word >> (16 * i)); }
inline int half_of(unsigned word, int i) { return int(word >> (16 * i) & 0xffffu); }
template <class A, class B, class C> C dot4(A a, B b, C c) {
    for (int i = 0; i < 4; ++i) c = C(unsigned(c) + unsigned(byte_of(a, i) * byte_of(b, i)));
    return c;
}
template <class A, class B, class C> C dot2(A a, B b, C c, int first) {
    for (int i = 0; i < 2; ++i) {
        c = C(unsigned(c) + unsigned(half_of(a, i)) * unsigned(byte_of(b, first + i)));
    }
    return c;
}
}  // namespace port_oracle

inline int __dp4a(int a, int b, int c) { return port_oracle::dot4(a, b, c); }
inline unsigned __dp4a(unsigned a, unsigned b, unsigned c) { return port_oracle::dot4(a, b, c); }
inline int __dp4a(char4 a, char4 b, int c) {
    return port_oracle::dot4(port_oracle::bit_cast<int>(a), port_oracle::bit_cast<int>(b), c);
}
inline unsigned __dp4a(uchar4 a, uchar4 b, unsigned c) {
    return port_oracle::dot4(port_oracle::bit_cast<unsigned>(a), port_oracle::bit_cast<unsigned>(b), c);
}
inline int __dp2a_lo(int a, int b, int c) { return port_oracle::dot2(a, b, c, 0); }
inline int __dp2a_hi(int a, int b, int c) { return port_oracle::dot2(a, b, c, 2); }
inline unsigned __dp2a_lo(unsigned a, unsigned b, unsigned c) { return port_oracle::dot2(a, b, c, 0); }
inline unsigned __dp2a_hi(unsigned a, unsigned b, unsigned c) { return port_oracle::dot2(a, b, c, 2); }

// ---- words as vectors of two halves or four bytes ----------------------------------------------
namespace port_oracle {

// Applies `operation` to the parts of a and b, which are `bits` wide, sign-extended or not.
template <int bits, bool is_signed, class Operation>
inline unsigned for_parts(unsigned a, unsigned b, Operation operation) {
    unsigned result = 0;
    constexpr unsigned mask = (1u << bits) - 1;
    for (int at = 0; at < 32; at += bits) {
        int x = int(a >> at & mask), y = int(b >> at & mask);
        if (is_signed) {
            x = int(unsigned(x) << (32 - bits)) >> (32 - bits);
            y = int(unsigned(y) << (32 - bits)) >> (32 - bits);
        }
        result |= (unsigned(operation(x, y)) & mask) << at;
    }
    return result;
}
template <int bits, bool is_signed> inline int saturate(int x) {
    constexpr int high = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    constexpr int low = is_signed ? -high - 1 : 0;
    return x > high ? high : x < low ? low : x;
}

}  // namespace port_oracle

#define PORT_SIMD1(name, bits, is_signed, expression)                                              \
    inline unsigned name(unsigned a) {                                                             \
        return port_oracle::for_parts<bits, is_signed>(a, 0, [](int x, int) { return expression; }); \
    }
#define PORT_SIMD2(name, bits, is_signed, expression)                                              \
    inline unsigned name(unsigned a, unsigned b) {                                                 \
        return port_oracle::for_parts<bits, is_signed>(                                            \
            a, b, [](int x, int y) { return expression; });                                        \
    }
#define PORT_SIMD(n, bits)                                                                         \
    PORT_SIMD1(__vabs##n, bits, true, x < 0 ? -x : x)                                              \
    PORT_SIMD1(__vabsss##n, bits, true, (port_oracle::saturate<bits, true>(x < 0 ? -x : x)))       \
    PORT_SIMD1(__vneg##n, bits, true, -x)                                                          \
    PORT_SIMD1(__vnegss##n, bits, true, (port_oracle::saturate<bits, true>(-x)))                   \
    PORT_SIMD2(__vadd##n, bits, false, x + y)                                                      \
    PORT_SIMD2(__vaddss##n, bits, true, (port_oracle::saturate<bits, true>(x + y)))                \
    PORT_SIMD2(__vaddus##n, bits, false, (port_oracle::saturate<bits, false>(x + y)))              \
    PORT_SIMD2(__vsub##n, bits, false, x - y)                                                      \
    PORT_SIMD2(__vsubss##n, bits, true, (port_oracle::saturate<bits, true>(x - y)))                \
    PORT_SIMD2(__vsubus##n, bits, false, (port_oracle::saturate<bits, false>(x - y)))              \
    PORT_SIMD2(__vabsdiffs##n, bits, true, x > y ? x - y : y - x)                                  \
    PORT_SIMD2(__vabsdiffu##n, bits, false, x > y ? x - y : y - x)                                 \
    PORT_SIMD2(__vavgs##n, bits, true, (x + y + (x + y >= 0)) >> 1)                                \
    PORT_SIMD2(__vavgu##n, bits, false, (x + y + 1) >> 1)                                          \
    PORT_SIMD2(__vhaddu##n, bits, false, (x + y) >> 1)                                             \
    PORT_SIMD2(__vmaxs##n, bits, true, x > y ? x : y)                                              \
    PORT_SIMD2(__vmaxu##n, bits, false, x > y ? x : y)                                             \
    PORT_SIMD2(__vmins##n, bits, true, x < y ? x : y)                                              \
    PORT_SIMD2(__vminu##n, bits, false, x < y ? x : y)                                             \
    PORT_SIMD2(__vcmpeq##n, bits, false, x == y ? -1 : 0)                                          \
    PORT_SIMD2(__vcmpne##n, bits, false, x != y ? -1 : 0)                                          \
    PORT_SIMD2(__vcmpges##n, bits, true, x >= y ? -1 : 0)                                          \
    PORT_SIMD2(__vcmpgeu##n, bits, false, x >= y ? -1 : 0)                                         \
    PORT_SIMD2(__vcmpgts##n, bits, true, x > y ? -1 : 0)                                           \
    PORT_SIMD2(__vcmpgtu##n, bits, false, x > y ? -1 : 0)                                          \
    PORT_SIMD2(__vcmples##n, bits, true, x <= y ? -1 : 0)                                          \
    PORT_SIMD2(__vcmpleu##n, bits, false, x <= y ? -1 : 0)                                         \
    PORT_SIMD2(__vcmplts##n, bits, true, x < y ? -1 : 0)                                           \
    PORT_SIMD2(__vcmpltu##n, bits, false, x < y ? -1 : 0)                                          \
    PORT_SIMD2(__vseteq##n, bits, false, x == y)                                                   \
    PORT_SIMD2(__vsetne##n, bits, false, x != y)                                                   \
    PORT_SIMD2(__vsetges##n, bits, true, x >= y)                                                   \
    PORT_SIMD2(__vsetgeu##n, bits, false, x >= y)                                                  \
    PORT_SIMD2(__vsetgts##n, bits, true, x > y)                                                    \
    PORT_SIMD2(__vsetgtu##n, bits, false, x > y)                                                   \
    PORT_SIMD2(__vsetles##n, bits, true, x <= y)                                                   \
    PORT_SIMD2(__vsetleu##n, bits, false, x <= y)                                                  \
    PORT_SIMD2(__vsetlts##n, bits, true, x < y)                                                    \
    PORT_SIMD2(__vsetltu##n, bits, false, x < y)
PORT_SIMD(2, 16)
PORT_SIMD(4, 8)
#undef PORT_SIMD
#undef PORT_SIMD1
#undef PORT_SIMD2

#define PORT_SIMD_SUM(name, bits, is_signed)                                                       \
    inline unsigned name(unsigned a, unsigned b) {                                                 \
        unsigned sum = 0;                                                                          \
        port_oracle::for_parts<bits, is_signed>(a, b, [&](int x, int y) {                          \
            sum += unsigned(x > y ? x - y : y - x);                                                \
            return 0;                                                                              \
        });                                                                                        \
        return sum;                                                                                \
    }
PORT_SIMD_SUM(__vsads2, 16, true)
PORT_SIMD_SUM(__vsadu2, 16, false)
PORT_SIMD_SUM(__vsads4, 8, true)
PORT_SIMD_SUM(__vsadu4, 8, false)
#undef PORT_SIMD_SUM
#endif   // PORT_ORACLE_HIP
