// The 8-bit floats of port_hip_compat.h against a search over all their values. Exits 1 on the first
// difference.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port_hip_compat.h"

typedef unsigned long long u64;
static u64 state = 0xbf58476d1ce4e5b9ull;
static u64 next() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// The value of a code without its sign, by the definition of the format.
static double value_of(int code, bool e4m3) {
  const int digits = e4m3 ? 3 : 2, bias = e4m3 ? 7 : 15;
  const int exponent = code >> digits, fraction = code & ((1 << digits) - 1);
  if (e4m3 ? code == 0x7f : code > 0x7c) return NAN;
  if (!e4m3 && code == 0x7c) return INFINITY;
  return exponent == 0 ? ldexp(fraction, 1 - bias - digits)
                       : ldexp(fraction + (1 << digits), exponent - bias - digits);
}

// The nearest code, the even one of two, by trying each; past the last value the next step decides.
static int nearest_code(double value, bool e4m3, bool saturate) {
  const int sign = signbit(value) ? 0x80 : 0;
  const double magnitude = fabs(value);
  if (value != value) return 0x7f;
  const int largest = e4m3 ? 0x7e : 0x7b;
  const double beyond = e4m3 ? 480 : 65536;
  int best = 0;
  for (int code = 0; code <= largest; ++code) {
    // Differences of doubles that share their digits with the value are exact where they decide.
    const long double mine = fabsl((long double)value_of(code, e4m3) - magnitude);
    const long double other = fabsl((long double)value_of(best, e4m3) - magnitude);
    if (mine < other || (mine == other && (code & 1) == 0)) best = code;
  }
  const long double over = fabsl((long double)beyond - magnitude),
                    last = fabsl((long double)value_of(largest, e4m3) - magnitude);
  if (magnitude >= beyond || over < last || (over == last && (largest & 1) != 0))
    best = saturate ? largest : e4m3 ? 0x7f : 0x7c;
  return sign | best;
}

static void expect(const char *name, double value, unsigned int want, unsigned int got) {
  if (want == got) return;
  printf("%s(%a): want %02x, got %02x\n", name, value, want, got);
  exit(1);
}

int main(int argc, char **argv) {
  const long count = argc > 1 ? atol(argv[1]) : 20000;
  for (int which = 0; which < 2; ++which) {
    const bool e4m3 = which == 0;
    const port_fp8_interpretation_t format = e4m3 ? port_E4M3 : port_E5M2;
    for (int code = 0; code < 256; ++code) {
      const double magnitude = value_of(code & 0x7f, e4m3);
      const float want = (float)(code & 0x80 ? -magnitude : magnitude);
      const float got = port_fp8_to_float((port_fp8_storage_t)code, format);
      if (want != want ? got == got : memcmp(&want, &got, sizeof(want)) != 0) {
        printf("code %02x: want %a, got %a\n", code, want, got);
        return 1;
      }
    }
    for (long i = 0; i < count; ++i) {
      u64 bits = next();
      const int bias = 1023 - 20 + (int)(next() % 40);
      bits = (bits & 0x800fffffffffffffull) | ((u64)bias << 52);
      if (next() % 2) {
        bits &= ~0ull << (52 - 4 + (int)(next() % 3));
        if (next() % 2) bits += next() % 3 - 1;
      }
      if (next() % 50 == 0) bits = next();
      double d;
      memcpy(&d, &bits, sizeof(d));
      const float f = (float)d;
      expect("float saturated", f, nearest_code(f, e4m3, true),
             port_nv_cvt_float_to_fp8(f, port_SATFINITE, format));
      expect("float", f, nearest_code(f, e4m3, false),
             port_nv_cvt_float_to_fp8(f, port_NOSAT, format));
      expect("double", d, nearest_code(d, e4m3, true),
             port_nv_cvt_double_to_fp8(d, port_SATFINITE, format));
    }
  }
  // Conversions to integers go toward zero and saturate.
  expect("int", 0, 448, (unsigned int)(int)port_fp8_e4m3(500.0f));
  expect("signed char", 0, (unsigned char)-128, (unsigned char)(signed char)port_fp8_e4m3(-300.0f));
  expect("unsigned char", 0, 0, (unsigned char)port_fp8_e5m2(-3.0f));
  expect("truncated", 0, 2, (unsigned int)(int)port_fp8_e4m3(2.75f));
  return 0;
}
