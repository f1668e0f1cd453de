// Half for the host's arithmetic tests: conversions by scaling, rounded by nearbyint.
#pragma once
#include <math.h>
#include <string.h>

struct __half_raw {
  unsigned short x;
};
struct __half2_raw {
  unsigned short x;
  unsigned short y;
};
struct __half {
  unsigned short bits;
  __half() = default;
  constexpr explicit __half(unsigned short bits) : bits(bits) {}
  __half(const __half_raw &raw) : bits(raw.x) {}
};
struct __half2 {
  __half low;
  __half high;
};

inline float __half2float(__half value) {
  const int exponent = (value.bits >> 10) & 31;
  const int fraction = value.bits & 1023;
  float magnitude;
  if (exponent == 31) {
    magnitude = fraction != 0 ? NAN : INFINITY;
  } else {
    magnitude = ldexpf((float)(exponent != 0 ? fraction + 1024 : fraction),
                       (exponent != 0 ? exponent : 1) - 25);
  }
  return (value.bits & 0x8000) != 0 ? -magnitude : magnitude;
}

inline __half __half_of_double(double value) {
  const unsigned short sign = signbit(value) ? 0x8000 : 0;
  const double magnitude = fabs(value);
  if (value != value) return __half{0x7fff};
  if (magnitude >= 65520.0) return __half{(unsigned short)(sign | 0x7c00)};
  int exponent;
  frexp(magnitude, &exponent);
  if (exponent < -13) exponent = -13;  // Below the normal values the steps stay the same.
  const int steps = (int)nearbyint(ldexp(magnitude, 11 - exponent));
  return __half{(unsigned short)(sign | (steps + ((exponent + 13) << 10)))};
}
inline __half __float2half(float value) { return __half_of_double(value); }
inline __half __float2half_rn(float value) { return __half_of_double(value); }
inline __half __low2half(__half2 pair) { return pair.low; }
inline __half __high2half(__half2 pair) { return pair.high; }
inline __half2 __halves2half2(__half low, __half high) { return __half2{low, high}; }
inline __half __hneg(__half value) { return __half{(unsigned short)(value.bits ^ 0x8000)}; }
// The product is exact in 64 digits, and so is its sum with c.
inline __half __hfma(__half a, __half b, __half c) {
  const long double sum = (long double)__half2float(a) * __half2float(b) + __half2float(c);
  // To fewer digits by way of an odd last one, so that rounding twice does not matter.
  double once = (double)sum;
  if (once != sum && once == once && !isinf(once)) {
    unsigned long long bits;
    memcpy(&bits, &once, sizeof(bits));
    if (fabsl((long double)once) > fabsl(sum)) --bits;
    bits |= 1;
    memcpy(&once, &bits, sizeof(bits));
  }
  return __half_of_double(once);
}
