// Vector types of CUDA and HIP with their sizes and alignments, and their make_ functions.
// Sizes and alignments: CUDA C++ Programming Guide, table "Alignment Requirements".
#pragma once

// Kernels read memory through these whatever its type is. g++ is told so for a whole text.
#ifdef __clang__
#define PORT_ORACLE_ANY_TYPE __attribute__((may_alias))
#else
#define PORT_ORACLE_ANY_TYPE
#endif

#define PORT_ORACLE_VECTORS(base, type, align2, align4)                                            \
    struct PORT_ORACLE_ANY_TYPE base##1 { type x; };                                               \
    struct PORT_ORACLE_ANY_TYPE alignas(align2) base##2 { type x, y; };                            \
    struct PORT_ORACLE_ANY_TYPE base##3 { type x, y, z; };                                         \
    struct PORT_ORACLE_ANY_TYPE alignas(align4) base##4 { type x, y, z, w; };                      \
    inline base##1 make_##base##1(type x) { return base##1{x}; }                                   \
    inline base##2 make_##base##2(type x, type y) { return base##2{x, y}; }                        \
    inline base##3 make_##base##3(type x, type y, type z) { return base##3{x, y, z}; }             \
    inline base##4 make_##base##4(type x, type y, type z, type w) { return base##4{x, y, z, w}; }

PORT_ORACLE_VECTORS(char, signed char, 2, 4)
PORT_ORACLE_VECTORS(uchar, unsigned char, 2, 4)
PORT_ORACLE_VECTORS(short, short, 4, 8)
PORT_ORACLE_VECTORS(ushort, unsigned short, 4, 8)
PORT_ORACLE_VECTORS(int, int, 8, 16)
PORT_ORACLE_VECTORS(uint, unsigned int, 8, 16)
PORT_ORACLE_VECTORS(long, long, 16, 16)
PORT_ORACLE_VECTORS(ulong, unsigned long, 16, 16)
PORT_ORACLE_VECTORS(longlong, long long, 16, 16)
PORT_ORACLE_VECTORS(ulonglong, unsigned long long, 16, 16)
PORT_ORACLE_VECTORS(float, float, 8, 16)
PORT_ORACLE_VECTORS(double, double, 16, 16)

#undef PORT_ORACLE_VECTORS

// Another header of the text may have it, with the same members.
#ifndef PORT_DIM3
#define PORT_DIM3
struct dim3 {
    unsigned int x, y, z;
    constexpr dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : x(x), y(y), z(z) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
    operator uint3() const { return uint3{x, y, z}; }
};
#endif
