// The conversions of port_hip_compat.h against exact integer arithmetic on the bits of the values.
// Exits 1 on the first difference.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port_hip_compat.h"

typedef unsigned long long u64;
typedef __int128 wide;

static u64 state = 0x2545f4914f6cdd1dull;
static u64 next() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}
static u64 random_integer() {
  u64 value = next();
  switch (next() % 6) {
    case 0:
      return value;
    case 1:
      return value >> (next() % 64);
    case 2:
      return ~(value >> (next() % 64));
    case 3:
      return (1ull << (next() % 64)) + (value % 5) - 2;
    case 4:
      return (u64)(long long)(int)value;
    default:
      return value & (~0ull << (next() % 64));
  }
}
template <typename T, typename Bits>
static T random_value(int fraction, int bias) {
  Bits bits = (Bits)next();
  if (next() % 4) {  // Near the range of the integers, with and without a fraction.
    const Bits sign = bits & ((Bits)1 << (8 * sizeof(T) - 1));
    bits =
        sign | ((Bits)(bias - 2 + next() % 68) << fraction) | (bits & (((Bits)1 << fraction) - 1));
    if (next() % 3 == 0) bits &= ~(((Bits)1 << (next() % fraction)) - 1);
  }
  T value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

enum mode { nearest, zero, up, down };

// The integer that a finite value below 2^70 rounds to.
static wide rounded(long double value, mode how) {
  const bool negative = value < 0;
  long double magnitude = negative ? -value : value;
  wide whole = (wide)magnitude;
  const long double rest = magnitude - (long double)whole;  // Exact: 64 digits hold both types.
  bool away = false;
  if (how == nearest) away = rest > 0.5L || (rest == 0.5L && (whole & 1));
  if (how == up) away = rest > 0 && !negative;
  if (how == down) away = rest > 0 && negative;
  if (away) ++whole;
  return negative ? -whole : whole;
}
template <typename Int>
static Int saturated(wide value) {
  const bool is_signed = (Int)-1 < 0;
  const wide low = is_signed ? -((wide)1 << (8 * sizeof(Int) - 1)) : 0;
  const wide high = ((wide)1 << (8 * sizeof(Int) - (is_signed ? 1 : 0))) - 1;
  return (Int)(value < low ? low : value > high ? high : value);
}
// The neighbours of an integer among the values of T, by bisection over their bits.
template <typename T, typename Int>
static T converted(Int value, mode how) {
  const wide exact = value;
  T best = (T)0;
  // Digits that T holds, below the highest bit of the magnitude.
  const int digits = sizeof(T) == 4 ? 24 : 53;
  wide magnitude = exact < 0 ? -exact : exact;
  int length = 0;
  while ((magnitude >> length) != 0) ++length;
  const int cut = length > digits ? length - digits : 0;
  wide kept = magnitude >> cut;
  const wide rest = magnitude - (kept << cut);
  bool away = false;
  if (how == nearest)
    away = cut > 0 && (rest * 2 > ((wide)1 << cut) || (rest * 2 == ((wide)1 << cut) && (kept & 1)));
  if (how == up) away = rest > 0 && exact > 0;
  if (how == down) away = rest > 0 && exact < 0;
  if (away) ++kept;
  best = (T)ldexp((double)kept, cut);  // kept has at most 53 digits and one carry.
  return exact < 0 ? -best : best;
}

#define FAIL(name, value, want, got)                                                           \
  {                                                                                            \
    printf("%s(%a): want %a, got %a\n", name, (double)(value), (double)(want), (double)(got)); \
    exit(1);                                                                                   \
  }

template <typename T, typename Int>
static void check_to(const char *name, T value, Int got, mode how) {
  Int want;
  if (value != value) {
    want = sizeof(T) == 8 || sizeof(Int) == 8 ? (Int)(1ull << (8 * sizeof(Int) - 1)) : 0;
  } else if (value > 1e21 || value < -1e21) {
    want = saturated<Int>(value > 0 ? (wide)1 << 100 : -((wide)1 << 100));
  } else {
    want = saturated<Int>(rounded(value, how));
  }
  if (want != got) FAIL(name, value, want, got)
}
template <typename T, typename Int>
static void check_from(const char *name, Int value, T got, mode how) {
  const T want = converted<T>(value, how);
  if (memcmp(&want, &got, sizeof(T)) != 0) FAIL(name, value, want, got)
}

#define TO(from, to, value)                                                      \
  check_to(#from "2" #to "_rn", value, port_##from##2##to##_rn(value), nearest); \
  check_to(#from "2" #to "_rz", value, port_##from##2##to##_rz(value), zero);    \
  check_to(#from "2" #to "_ru", value, port_##from##2##to##_ru(value), up);      \
  check_to(#from "2" #to "_rd", value, port_##from##2##to##_rd(value), down);
#define FROM(type, from, to, value)                                                          \
  check_from<to, type>(#from "2" #to "_rn", value, port_##from##2##to##_rn(value), nearest); \
  check_from<to, type>(#from "2" #to "_rz", value, port_##from##2##to##_rz(value), zero);    \
  check_from<to, type>(#from "2" #to "_ru", value, port_##from##2##to##_ru(value), up);      \
  check_from<to, type>(#from "2" #to "_rd", value, port_##from##2##to##_rd(value), down);

int main(int argc, char **argv) {
  const long count = argc > 1 ? atol(argv[1]) : 200000;
  for (long i = 0; i < count; ++i) {
    const float f = random_value<float, unsigned int>(23, 127);
    TO(float, int, f)
    TO(float, uint, f)
    TO(float, ll, f) TO(float, ull, f) const double d = random_value<double, u64>(52, 1023);
    TO(double, int, d)
    TO(double, uint, d) TO(double, ll, d) TO(double, ull, d) const u64 n = random_integer();
    FROM(int, int, float, (int)n)
    FROM(unsigned int, uint, float, (unsigned int)n)
    FROM(long long, ll, float, (long long)n) FROM(u64, ull, float, n)
        FROM(long long, ll, double, (long long)n)
            FROM(u64, ull, double,
                 n) if (port_uint2double_rn((unsigned int)n) != (double)(unsigned int)n) return 1;
  }
  return 0;
}
