// The directed roundings of port_hip_compat.h against the rounding modes of this machine's FPU.
// Prints one line for each operation and exits 1 on the first difference in bits.
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port_hip_compat.h"

typedef unsigned long long u64;
static u64 state = 0x9e3779b97f4a7c15ull;
static u64 next() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// Values that meet: random bits, small exponents, neighbours of powers of two, zeros, infinities.
static float random_float() {
  unsigned int bits = (unsigned int)next();
  switch (next() % 8) {
    case 0:
      break;
    case 1:
      bits = (bits & 0x80000000u) | (bits & 0x00ffffffu);
      break;  // subnormal
    case 2:
      bits = (bits & 0x80000000u) | 0x7f000000u | (bits & 0x007fffffu);
      break;  // huge
    case 3:
      bits = (bits & 0xff800000u) | ((next() & 1) ? 0x007fffffu : next() & 3);
      break;
    case 4:
      bits = (bits & 0x80000000u) | (0x3f000000u + (bits & 0x00ffffffu));
      break;  // about one
    case 5:
      bits = (bits & 0x80000000u) | ((next() & 1) ? 0 : 0x7f800000u);
      break;
    case 6:
      bits &= 0xfffff000u;
      break;  // few digits
    case 7:
      bits = (bits & 0x80000000u) | (0x33000000u + (bits & 0x1fffffffu));
      break;
  }
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}
static double random_double() {
  u64 bits = next();
  const u64 sign = bits & (1ull << 63), fraction = bits & 0x000fffffffffffffull;
  switch (next() % 9) {
    case 0:
      break;
    case 1:
      bits = sign | fraction | ((next() % 3) << 52);
      break;
    case 2:
      bits = sign | fraction | (0x7fdull << 52);
      break;
    case 3:
      bits = (bits & 0xfff0000000000000ull) | ((next() & 1) ? 0x000fffffffffffffull : next() & 3);
      break;
    case 4:
      bits = sign | fraction | ((0x3feull + next() % 4) << 52);
      break;
    case 5:
      bits = sign | ((next() & 1) ? 0 : 0x7ff0000000000000ull);
      break;
    case 6:
      bits &= 0xfffffffffc000000ull;
      break;
    case 7:
      bits = sign | fraction | ((0x3ffull - 60 + next() % 120) << 52);
      break;
    case 8:
      bits = sign | fraction | ((0x3ffull - 540 + next() % 1080) << 52);
      break;
  }
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static void fail(const char *name, double a, double b, double c, double want, double got) {
  printf("%s(%a, %a, %a): want %a, got %a\n", name, a, b, c, want, got);
  exit(1);
}
// Equal in bits, or both NaN.
template <typename T>
static bool same(T a, T b) {
  return (a != a && b != b) || memcmp(&a, &b, sizeof(T)) == 0;
}

static long count = 0;

// `expression` uses a, b, c; volatile operands keep the compiler from computing it in another mode.
#define CHECK(T, random, name, mode, expression)                       \
  for (long i = 0; i < count; ++i) {                                   \
    volatile T a = random(), b = random(), c = random();               \
    if (i % 7 == 0) b = -a;                                            \
    if (i % 11 == 0) c = (T)(-((T)a * (T)b));                          \
    if (i % 13 == 0) b = (T)(((T)a) * (T)1.0000001);                   \
    fesetround(mode);                                                  \
    volatile T want = (expression);                                    \
    fesetround(FE_TONEAREST);                                          \
    const T got = CALL(name);                                          \
    if (!same<T>(want, got)) fail(#name, (T)a, (T)b, (T)c, want, got); \
  }
#define THREE(T, random, name, expression)               \
  CHECK(T, random, name##_rz, FE_TOWARDZERO, expression) \
  CHECK(T, random, name##_ru, FE_UPWARD, expression)     \
  CHECK(T, random, name##_rd, FE_DOWNWARD, expression)   \
  printf("%s_{rz,ru,rd}\n", #name);
#define FOUR(T, random, name, expression)               \
  CHECK(T, random, name##_rn, FE_TONEAREST, expression) \
  THREE(T, random, name, expression)

int main(int argc, char **argv) {
  count = argc > 1 ? atol(argv[1]) : 200000;
#define CALL(name) name(a, b)
  FOUR(float, random_float, port_fadd, a + b)
  FOUR(float, random_float, port_fsub, a - b)
  FOUR(float, random_float, port_fmul, a *b)
  FOUR(float, random_float, port_fdiv, a / b)
  FOUR(double, random_double, port_dadd, a + b)
  FOUR(double, random_double, port_dsub, a - b)
  FOUR(double, random_double, port_dmul, a *b)
  FOUR(double, random_double, port_ddiv, a / b)
#undef CALL
#define CALL(name) name(a)
  FOUR(float, random_float, port_frcp, 1.0f / a)
  FOUR(float, random_float, port_fsqrt, sqrtf(a))
  FOUR(double, random_double, port_drcp, 1.0 / a)
  FOUR(double, random_double, port_dsqrt, sqrt(a))
#undef CALL
#define CALL(name) name(a, b, c)
  FOUR(float, random_float, port_fmaf, __builtin_fmaf(a, b, c))
  FOUR(double, random_double, port_fma, __builtin_fma(a, b, c))

  // Two binades hold every case of a reciprocal square root; the wider type is exact enough for them.
  for (unsigned int bits = 0x3f800000u; bits < 0x40800000u; ++bits) {
    float a;
    memcpy(&a, &bits, sizeof(a));
    const float want = (float)(1.0L / sqrtl((long double)a));
    if (!same<float>(want, port_frsqrt_rn(a)))
      fail("port_frsqrt_rn", a, 0, 0, want, port_frsqrt_rn(a));
  }
  printf("port_frsqrt_rn\n");
  return 0;
}
