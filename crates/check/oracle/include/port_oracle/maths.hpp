// Floating-point functions under CUDA's names. Both dialects use the same ones, computed by the C
// library: a comparison of an original with its port is one of the port, not of libraries.
// Approximate intrinsics (__expf, __sinf …) are the accurate functions, rounded to f32.
#pragma once

#include <math.h>
#include <stdlib.h>

#include <cmath>
#include <cstdlib>

#include "rounding.hpp"

// ---- functions that the C library lacks --------------------------------------------------------
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rcbrtf(float x) { return float(1.0 / cbrt(double(x))); }
inline double rcbrt(double x) { return 1.0 / cbrt(x); }
inline float fdividef(float a, float b) { return a / b; }
inline float rhypotf(float a, float b) { return float(1.0 / hypot(double(a), double(b))); }
inline double rhypot(double a, double b) { return 1.0 / hypot(a, b); }
inline double norm3d(double a, double b, double c) { return sqrt(a * a + b * b + c * c); }
inline double rnorm3d(double a, double b, double c) { return 1.0 / norm3d(a, b, c); }
inline double norm4d(double a, double b, double c, double d) {
    return sqrt(a * a + b * b + c * c + d * d);
}
inline double rnorm4d(double a, double b, double c, double d) { return 1.0 / norm4d(a, b, c, d); }
inline float norm3df(float a, float b, float c) { return float(norm3d(a, b, c)); }
inline float rnorm3df(float a, float b, float c) { return float(rnorm3d(a, b, c)); }
inline float norm4df(float a, float b, float c, float d) { return float(norm4d(a, b, c, d)); }
inline float rnorm4df(float a, float b, float c, float d) { return float(rnorm4d(a, b, c, d)); }
inline double norm(int count, const double* values) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += values[i] * values[i];
    return sqrt(sum);
}
inline float normf(int count, const float* values) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += double(values[i]) * values[i];
    return float(sqrt(sum));
}
inline double rnorm(int count, const double* values) { return 1.0 / norm(count, values); }
inline float rnormf(int count, const float* values) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += double(values[i]) * values[i];
    return float(1.0 / sqrt(sum));
}

// Exact at multiples of a half: the argument is reduced before it is multiplied by pi.
inline double sinpi(double x) {
    double r = fmod(x, 2.0);
    if (r == 0 || r == 1 || r == -1) return copysign(0.0, x);
    return sin(M_PI * r);
}
inline double cospi(double x) {
    double r = fabs(fmod(x, 2.0));
    if (r == 0.5 || r == 1.5) return 0.0;
    return cos(M_PI * r);
}
inline float sinpif(float x) { return float(sinpi(x)); }
inline float cospif(float x) { return float(cospi(x)); }
inline void sincospi(double x, double* s, double* c) { *s = sinpi(x); *c = cospi(x); }
inline void sincospif(float x, float* s, float* c) { *s = sinpif(x); *c = cospif(x); }

inline double normcdf(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
inline float normcdff(float x) { return float(normcdf(x)); }
// exp(x²)·erfc(x): directly where both factors are representable, else the asymptotic series.
inline double erfcx(double x) {
    if (x < 25) return exp(x * x) * erfc(x);
    double s = 1 / (x * x);
    return (1 / (x * sqrt(M_PI))) * (1 - s / 2 * (1 - 1.5 * s * (1 - 2.5 * s)));
}
inline float erfcxf(float x) { return float(erfcx(x)); }
// The inverse of erfc by Newton steps in the logarithm, which converge from any start; erfinv near
// zero by Newton steps on erf.
inline double erfcinv(double y) {
    if (!(y >= 0 && y <= 2)) return NAN;
    if (y == 0) return INFINITY;
    if (y == 2) return -INFINITY;
    if (y > 1) return -erfcinv(2 - y);
    double x = y > 0.5 ? 0.25 : sqrt(-log(y));
    for (int i = 0; i < 60; ++i) {
        double value = erfc(x);
        double slope = -2 / sqrt(M_PI) * exp(-x * x);
        double step = y > 0.5 ? (value - y) / slope : (log(value) - log(y)) * value / slope;
        x -= step;
        if (fabs(step) <= 1e-17 * fabs(x)) break;
    }
    return x;
}
inline double erfinv(double y) {
    if (!(fabs(y) <= 1)) return NAN;
    if (fabs(y) > 0.5) return y > 0 ? erfcinv(1 - y) : -erfcinv(1 + y);
    double x = y * 0.886226925452758;
    for (int i = 0; i < 40; ++i) {
        double step = (erf(x) - y) / (2 / sqrt(M_PI) * exp(-x * x));
        x -= step;
        if (fabs(step) <= 1e-17 * fabs(x)) break;
    }
    return x;
}
inline float erfinvf(float y) { return float(erfinv(y)); }
inline float erfcinvf(float y) { return float(erfcinv(y)); }
inline double normcdfinv(double y) { return -M_SQRT2 * erfcinv(2 * y); }
inline float normcdfinvf(float y) { return float(normcdfinv(y)); }
// Modified Bessel functions of order 0 and 1 by their power series; all terms are positive.
inline double cyl_bessel_i0(double x) {
    double term = 1, sum = 1, quarter = x * x / 4;
    for (int k = 1; k < 2000 && term > sum * 1e-18; ++k) sum += term *= quarter / (double(k) * k);
    return sum;
}
inline double cyl_bessel_i1(double x) {
    double term = x / 2, sum = term, quarter = x * x / 4;
    for (int k = 1; k < 2000 && fabs(term) > fabs(sum) * 1e-18; ++k) {
        sum += term *= quarter / (double(k) * (k + 1));
    }
    return sum;
}
inline float cyl_bessel_i0f(float x) { return float(cyl_bessel_i0(x)); }
inline float cyl_bessel_i1f(float x) { return float(cyl_bessel_i1(x)); }

// ---- approximations ----------------------------------------------------------------------------
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return exp10f(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __log10f(float x) { return log10f(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline float __tanhf(float x) { return tanhf(x); }
inline void __sincosf(float x, float* s, float* c) { *s = sinf(x); *c = cosf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x != x || x <= 0 ? 0.0f : x >= 1 ? 1.0f : x; }

// ---- operations with a stated rounding ---------------------------------------------------------
#define PORT_DIRECTIONS(name, T, parameters, function, ...)                                        \
    inline T name##_rn parameters {                                                                \
        return port_oracle::function(__VA_ARGS__, port_oracle::Rounding::nearest);                 \
    }                                                                                              \
    inline T name##_rz parameters {                                                                \
        return port_oracle::function(__VA_ARGS__, port_oracle::Rounding::zero);                    \
    }                                                                                              \
    inline T name##_ru parameters {                                                                \
        return port_oracle::function(__VA_ARGS__, port_oracle::Rounding::up);                      \
    }                                                                                              \
    inline T name##_rd parameters {                                                                \
        return port_oracle::function(__VA_ARGS__, port_oracle::Rounding::down);                    \
    }
#ifdef PORT_ORACLE_HIP
// HIP defines the nearest forms only, and its conversions from wider types round to nearest
// whatever direction their name asks for.
#define PORT_NEAREST(name, T, parameters, function, ...)                                           \
    inline T name##_rn parameters {                                                                \
        return port_oracle::function(__VA_ARGS__, port_oracle::Rounding::nearest);                 \
    }
#define PORT_CONVERSION(name, T, From)                                                             \
    inline T name##_rn(From a) { return static_cast<T>(a); }                                       \
    inline T name##_rz(From a) { return static_cast<T>(a); }                                       \
    inline T name##_ru(From a) { return static_cast<T>(a); }                                       \
    inline T name##_rd(From a) { return static_cast<T>(a); }
#else
#define PORT_NEAREST PORT_DIRECTIONS
#define PORT_CONVERSION(name, T, From)                                                             \
    PORT_DIRECTIONS(name, T, (From a), to_##T, port_oracle::widest(a))
#endif
namespace port_oracle {
inline double widest(double a) { return a; }
inline long long widest(int a) { return a; }
inline long long widest(unsigned a) { return a; }
inline long long widest(long long a) { return a; }
inline unsigned long long widest(unsigned long long a) { return a; }
}  // namespace port_oracle
PORT_NEAREST(__fadd, float, (float a, float b), add_directed, a, b)
PORT_NEAREST(__fsub, float, (float a, float b), add_directed, a, -b)
PORT_NEAREST(__fmul, float, (float a, float b), multiply_directed, a, b)
PORT_NEAREST(__fdiv, float, (float a, float b), divide_directed, a, b)
PORT_NEAREST(__frcp, float, (float a), divide_directed, 1.0f, a)
PORT_NEAREST(__fsqrt, float, (float a), square_root_directed, a)
PORT_NEAREST(__fmaf, float, (float a, float b, float c), fused_directed, a, b, c)
PORT_NEAREST(__fmaf_ieee, float, (float a, float b, float c), fused_directed, a, b, c)
PORT_NEAREST(__dadd, double, (double a, double b), add_directed, a, b)
PORT_NEAREST(__dsub, double, (double a, double b), add_directed, a, -b)
PORT_NEAREST(__dmul, double, (double a, double b), multiply_directed, a, b)
PORT_NEAREST(__ddiv, double, (double a, double b), divide_directed, a, b)
PORT_NEAREST(__drcp, double, (double a), divide_directed, 1.0, a)
PORT_NEAREST(__dsqrt, double, (double a), square_root_directed, a)
PORT_NEAREST(__fma, double, (double a, double b, double c), fused_directed, a, b, c)
PORT_CONVERSION(__double2float, float, double)
PORT_CONVERSION(__int2float, float, int)
PORT_CONVERSION(__uint2float, float, unsigned)
PORT_CONVERSION(__ll2float, float, long long)
PORT_CONVERSION(__ull2float, float, unsigned long long)
PORT_CONVERSION(__ll2double, double, long long)
PORT_CONVERSION(__ull2double, double, unsigned long long)
PORT_DIRECTIONS(__float2int, int, (float a), to_integer<int>, a)
PORT_DIRECTIONS(__float2uint, unsigned, (float a), to_integer<unsigned>, a)
PORT_DIRECTIONS(__float2ll, long long, (float a), to_integer<long long>, a)
PORT_DIRECTIONS(__float2ull, unsigned long long, (float a), to_integer<unsigned long long>, a)
PORT_DIRECTIONS(__double2int, int, (double a), to_integer<int>, a)
PORT_DIRECTIONS(__double2uint, unsigned, (double a), to_integer<unsigned>, a)
PORT_DIRECTIONS(__double2ll, long long, (double a), to_integer<long long>, a)
PORT_DIRECTIONS(__double2ull, unsigned long long, (double a), to_integer<unsigned long long>, a)
#undef PORT_NEAREST
#undef PORT_CONVERSION
#undef PORT_DIRECTIONS
// 1/√a with one rounding: the root is correct to 64 bits in long double, far from any middle.
inline float __frsqrt_rn(float a) { return float(1.0L / sqrtl((long double)a)); }
inline double __int2double_rn(int a) { return a; }
inline double __uint2double_rn(unsigned a) { return a; }

// ---- minima, maxima and absolute values --------------------------------------------------------
// CUDA's overloads for mixed signedness compare as unsigned.
#define PORT_MIN_MAX(T, A, B)                                                                      \
    inline T min(A a, B b) {                                                                       \
        const T x = static_cast<T>(a), y = static_cast<T>(b);                                      \
        return x < y ? x : y;                                                                      \
    }                                                                                              \
    inline T max(A a, B b) {                                                                       \
        const T x = static_cast<T>(a), y = static_cast<T>(b);                                      \
        return x > y ? x : y;                                                                      \
    }
PORT_MIN_MAX(int, int, int)
PORT_MIN_MAX(unsigned, unsigned, unsigned)
PORT_MIN_MAX(unsigned, int, unsigned)
PORT_MIN_MAX(unsigned, unsigned, int)
PORT_MIN_MAX(long, long, long)
PORT_MIN_MAX(unsigned long, unsigned long, unsigned long)
PORT_MIN_MAX(unsigned long, long, unsigned long)
PORT_MIN_MAX(unsigned long, unsigned long, long)
PORT_MIN_MAX(long long, long long, long long)
PORT_MIN_MAX(unsigned long long, unsigned long long, unsigned long long)
PORT_MIN_MAX(unsigned long long, long long, unsigned long long)
PORT_MIN_MAX(unsigned long long, unsigned long long, long long)
#undef PORT_MIN_MAX
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline double min(float a, double b) { return fmin(double(a), b); }
inline double max(float a, double b) { return fmax(double(a), b); }
inline double min(double a, float b) { return fmin(a, double(b)); }
inline double max(double a, float b) { return fmax(a, double(b)); }
inline unsigned umin(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned umax(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long llmin(long long a, long long b) { return a < b ? a : b; }
inline long long llmax(long long a, long long b) { return a > b ? a : b; }
inline unsigned long long ullmin(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
inline unsigned long long ullmax(unsigned long long a, unsigned long long b) { return a > b ? a : b; }

#define CUDART_INF_F __int_as_float(0x7f800000)
#define CUDART_NAN_F __int_as_float(0x7fffffff)
