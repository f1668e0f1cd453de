// Complex numbers of CUDA (cuComplex) and HIP (hipComplex), by a prefix.
#pragma once

#include <cmath>

#include "vectors.hpp"

#define PORT_ORACLE_COMPLEX(prefix)                                                                \
    typedef float2 prefix##FloatComplex;                                                           \
    typedef double2 prefix##DoubleComplex;                                                         \
    typedef prefix##FloatComplex prefix##Complex;                                                  \
    inline prefix##Complex make_##prefix##Complex(float x, float y) { return make_float2(x, y); }  \
    PORT_ORACLE_COMPLEX_OF(prefix, prefix##FloatComplex, float, f, make_float2,                    \
                           make_##prefix##FloatComplex)                                            \
    PORT_ORACLE_COMPLEX_OF(prefix, prefix##DoubleComplex, double, , make_double2,                  \
                           make_##prefix##DoubleComplex)                                           \
    inline prefix##DoubleComplex prefix##ComplexFloatToDouble(prefix##FloatComplex a) {            \
        return make_double2(a.x, a.y);                                                             \
    }                                                                                              \
    inline prefix##FloatComplex prefix##ComplexDoubleToFloat(prefix##DoubleComplex a) {            \
        return make_float2(float(a.x), float(a.y));                                                \
    }

#define PORT_ORACLE_COMPLEX_OF(prefix, C, T, f, make, maker)                                       \
    inline C maker(T x, T y) { return make(x, y); }                                                \
    inline T prefix##Creal##f(C a) { return a.x; }                                                 \
    inline T prefix##Cimag##f(C a) { return a.y; }                                                 \
    inline C prefix##Conj##f(C a) { return make(a.x, -a.y); }                                      \
    inline C prefix##Cadd##f(C a, C b) { return make(a.x + b.x, a.y + b.y); }                      \
    inline C prefix##Csub##f(C a, C b) { return make(a.x - b.x, a.y - b.y); }                      \
    inline C prefix##Cmul##f(C a, C b) {                                                           \
        return make(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);                                 \
    }                                                                                              \
    inline C prefix##Cfma##f(C a, C b, C c) {                                                      \
        return make(a.x * b.x - a.y * b.y + c.x, a.x * b.y + a.y * b.x + c.y);                     \
    }                                                                                              \
    /* Both operands are scaled by the divisor's size, so that its square is representable. */     \
    inline C prefix##Cdiv##f(C a, C b) {                                                           \
        T s = std::fabs(b.x) + std::fabs(b.y), r = T(1) / s;                                       \
        T ax = a.x * r, ay = a.y * r, bx = b.x * r, by = b.y * r;                                  \
        T d = T(1) / (bx * bx + by * by);                                                          \
        return make((ax * bx + ay * by) * d, (ay * bx - ax * by) * d);                             \
    }                                                                                              \
    inline T prefix##Cabs##f(C a) { return std::hypot(a.x, a.y); }
