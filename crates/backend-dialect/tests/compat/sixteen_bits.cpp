// half and bfloat16 of port_hip_compat.h against exact arithmetic on wide integers.
// Exits 1 on the first difference.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port_hip_compat.h"

typedef unsigned long long u64;
static u64 state = 0x853c49e6748fea9bull;
static u64 next() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// An exact sum of terms m * 2^e as a two's complement integer of 2,304 bits, in units of 2^-1152:
// wide enough for a product of doubles, or of bfloat16 values, and their sums.
struct Exact {
  enum { limbs = 72, unit = 1152 };
  unsigned int limb[limbs];

  Exact() { memset(limb, 0, sizeof(limb)); }
  void add(long long m, int e) {
    const int shift = e + unit;
    unsigned int term[limbs] = {};
    const u64 magnitude = m < 0 ? 0ull - (u64)m : (u64)m;
    for (int i = 0; i < 64; ++i) {
      if ((magnitude >> i) & 1) term[(shift + i) / 32] |= 1u << ((shift + i) % 32);
    }
    u64 carry = m < 0 ? 1 : 0;
    for (int i = 0; i < limbs; ++i) {
      carry += (u64)limb[i] + (m < 0 ? ~term[i] : term[i]);
      limb[i] = (unsigned int)carry;
      carry >>= 32;
    }
  }
  bool negative() const { return limb[limbs - 1] >> 31; }
  void negate() {
    u64 carry = 1;
    for (int i = 0; i < limbs; ++i) {
      carry += (unsigned int)~limb[i];
      limb[i] = (unsigned int)carry;
      carry >>= 32;
    }
  }
  bool bit(int i) const { return i >= 0 && ((limb[i / 32] >> (i % 32)) & 1); }
  int length() const {
    for (int i = 32 * limbs - 1; i >= 0; --i) {
      if (bit(i)) return i + 1;
    }
    return 0;
  }
};

enum mode { nearest, zero, up, down };

// A format of 16 bits: digits with the hidden one, and the exponent of its smallest step.
struct Format {
  int digits;
  int smallest;
  unsigned short infinity;
};
static const Format half_format = {11, -24, 0x7c00};
static const Format bfloat16_format = {8, -133, 0x7f80};

// The bits of an exact value that is not zero, rounded.
static unsigned short rounded(Exact value, Format format, mode how) {
  const bool negative = value.negative();
  if (negative) value.negate();
  const int length = value.length();
  int step = length - Exact::unit - format.digits;  // The exponent of the last digit kept.
  if (step < format.smallest) step = format.smallest;
  u64 kept = 0;
  for (int i = 0; i < format.digits; ++i) {
    if (value.bit(step + Exact::unit + i)) kept |= 1ull << i;
  }
  const bool middle = value.bit(step + Exact::unit - 1);
  bool sticky = false;
  for (int i = 0; i < step + Exact::unit - 1; ++i) sticky = sticky || value.bit(i);
  bool away = false;
  if (how == nearest) away = middle && (sticky || (kept & 1));
  if (how == up) away = (middle || sticky) && !negative;
  if (how == down) away = (middle || sticky) && negative;
  if (away) ++kept;
  // Biased exponents count from the smallest step; a carry goes into them by itself.
  const int biased = step - format.smallest;
  u64 bits = kept + ((u64)biased << (format.digits - 1));
  if (bits >= format.infinity) {
    const bool to_infinity =
        how == nearest || (how == up && !negative) || (how == down && negative);
    bits = to_infinity ? format.infinity : format.infinity - 1u;
  }
  return (unsigned short)((negative ? 0x8000 : 0) | bits);
}

// The mantissa and exponent of a finite value of 16 bits.
static void parts(unsigned short bits, Format format, long long *m, int *e) {
  const int biased = (bits & 0x7fff) >> (format.digits - 1);
  const long long fraction = bits & ((1 << (format.digits - 1)) - 1);
  *m = biased != 0 ? fraction + (1 << (format.digits - 1)) : fraction;
  *e = format.smallest + (biased != 0 ? biased - 1 : 0);
  if (bits & 0x8000) *m = -*m;
}
static void parts(double value, long long *m, int *e) {
  const double fraction = frexp(value, e);
  *m = (long long)ldexp(fraction, 53);
  *e -= 53;
}

static unsigned short random_bits(Format format) {
  unsigned short bits = (unsigned short)next();
  if (next() % 4 == 0) bits &= 0x83ff;  // small
  if (next() % 4 == 0) bits = (unsigned short)((bits & 0x80ff) | (0x3f00 & ~(next() % 4 << 8)));
  if ((bits & 0x7fff) >= format.infinity) bits ^= format.infinity;  // finite
  return bits;
}
static double random_double(Format format) {
  u64 bits = next();
  const int bias =
      format.digits == 11 ? 1023 - 28 + (int)(next() % 48) : 1023 - 140 + (int)(next() % 272);
  bits = (bits & 0x800fffffffffffffull) | ((u64)bias << 52);
  // Often a middle of two values, or next to one.
  if (next() % 2) {
    bits &= ~0ull << (52 - format.digits - (int)(next() % 3) + 1);
    if (next() % 2) bits += next() % 3 - 1;
  }
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static void expect(const char *name, unsigned short want, unsigned short got, double a, double b,
                   double c) {
  if (want == got) return;
  printf("%s(%a, %a, %a): want %04x, got %04x\n", name, a, b, c, want, got);
  exit(1);
}

template <typename T>
static T of_bits(unsigned short bits) {
  return port_bits_to<T>(bits);
}
template <typename T>
static unsigned short bits_of(T value) {
  return port_bits_to<unsigned short>(value);
}

// The rounded sum of terms, or the bits that a computation without rounding gives for zero.
static unsigned short exact_or(const Exact &value, Format format, mode how,
                               unsigned short zero_bits) {
  return value.length() == 0 ? zero_bits : rounded(value, format, how);
}

int main(int argc, char **argv) {
  const long count = argc > 1 ? atol(argv[1]) : 50000;
  typedef port_bfloat16 B;
  for (long i = 0; i < count; ++i) {
    long long ma, mb, mc;
    int ea, eb, ec;
    {
      const Format f = bfloat16_format;
      unsigned short a = random_bits(f), b = random_bits(f), c = random_bits(f);
      const B x = of_bits<B>(a), y = of_bits<B>(b), z = of_bits<B>(c);
      parts(a, f, &ma, &ea), parts(b, f, &mb, &eb), parts(c, f, &mc, &ec);
      const float p = x, q = y, r = z;
      Exact sum, difference, product, fused;
      sum.add(ma, ea), sum.add(mb, eb);
      difference.add(ma, ea), difference.add(-mb, eb);
      product.add(ma * mb, ea + eb);
      fused.add(ma * mb, ea + eb), fused.add(mc, ec);
      // Signs of zero are those of the float operation.
      expect("+", exact_or(sum, f, nearest, bits_of(B(p + q))), bits_of(x + y), p, q, 0);
      expect("-", exact_or(difference, f, nearest, bits_of(B(p - q))), bits_of(x - y), p, q, 0);
      expect("*", exact_or(product, f, nearest, bits_of(B(p * q))), bits_of(x * y), p, q, 0);
      expect("hfma", exact_or(fused, f, nearest, bits_of(B(p * q + r))), bits_of(__hfma(x, y, z)),
             p, q, r);
      expect("hadd_rn", bits_of(x + y), bits_of(port_hadd_rn(x, y)), p, q, 0);
      if (mb != 0) {
        // a / b lies between quotient - half a step and quotient + half a step: compare a with the
        // product of b and those middles.
        const B quotient = x / y;
        const double d = (double)p / (double)q;  // Far from every middle, or exactly one.
        Exact value;
        parts(d, &mc, &ec);
        value.add(mc, ec);
        expect("/", exact_or(value, f, nearest, bits_of(B(p / q))), bits_of(quotient), p, q, 0);
      }
      const double d = random_double(f);
      parts(d, &mc, &ec);
      Exact value;
      value.add(mc, ec);
      expect("double2bfloat16", rounded(value, f, nearest), bits_of(port_double2bfloat16(d)), d, 0,
             0);
      const float g = (float)d;
      if (g != 0 && g - g == 0) {
        parts((double)g, &mc, &ec);
        Exact single;
        single.add(mc, ec);
        expect("float2bfloat16_rn", rounded(single, f, nearest), bits_of(port_float2bfloat16_rn(g)),
               g, 0, 0);
        expect("float2bfloat16_rz", rounded(single, f, zero), bits_of(port_float2bfloat16_rz(g)), g,
               0, 0);
        expect("float2bfloat16_ru", rounded(single, f, up), bits_of(port_float2bfloat16_ru(g)), g,
               0, 0);
        expect("float2bfloat16_rd", rounded(single, f, down), bits_of(port_float2bfloat16_rd(g)), g,
               0, 0);
      }
      long long n = (long long)(next() >> (1 + next() % 62));
      if (next() % 2) n &= ~0ull << (next() % 60);
      if (next() % 3 == 0) n += next() % 3 - 1;
      if (next() % 2) n = -n;
      if (n != 0) {
        Exact integer;
        integer.add(n, 0);
        expect("ll2bfloat16_rn", rounded(integer, f, nearest), bits_of(port_ll2bfloat16_rn(n)), n,
               0, 0);
        expect("ll2bfloat16_rz", rounded(integer, f, zero), bits_of(port_ll2bfloat16_rz(n)), n, 0,
               0);
        expect("ll2bfloat16_ru", rounded(integer, f, up), bits_of(port_ll2bfloat16_ru(n)), n, 0, 0);
        expect("ll2half_rd", rounded(integer, half_format, down), bits_of(port_ll2half_rd(n)), n, 0,
               0);
        expect("ll2half_rn", rounded(integer, half_format, nearest), bits_of(port_ll2half_rn(n)), n,
               0, 0);
      }
      if ((int)n != 0) {
        Exact integer;
        integer.add((int)n, 0);
        expect("int2bfloat16_rn", rounded(integer, f, nearest),
               bits_of(port_int2bfloat16_rn((int)n)), n, 0, 0);
        expect("int2bfloat16_rd", rounded(integer, f, down), bits_of(port_int2bfloat16_rd((int)n)),
               n, 0, 0);
      }
    }
    {
      const Format f = half_format;
      unsigned short a = random_bits(f), b = random_bits(f);
      const __half x = of_bits<__half>(a), y = of_bits<__half>(b);
      parts(a, f, &ma, &ea), parts(b, f, &mb, &eb);
      const float p = __half2float(x), q = __half2float(y);
      Exact sum, difference, product;
      sum.add(ma, ea), sum.add(mb, eb);
      difference.add(ma, ea), difference.add(-mb, eb);
      product.add(ma * mb, ea + eb);
      expect("half hadd_rn", exact_or(sum, f, nearest, bits_of(__float2half(p + q))),
             bits_of(port_hadd_rn(x, y)), p, q, 0);
      expect("half hsub_rn", exact_or(difference, f, nearest, bits_of(__float2half(p - q))),
             bits_of(port_hsub_rn(x, y)), p, q, 0);
      expect("half hmul_rn", exact_or(product, f, nearest, bits_of(__float2half(p * q))),
             bits_of(port_hmul_rn(x, y)), p, q, 0);
      const double d = random_double(f);
      Exact value;
      parts(d, &mc, &ec);
      value.add(mc, ec);
      expect("double2half", rounded(value, f, nearest), bits_of(port_double2half(d)), d, 0, 0);
      const float g = (float)d;
      parts((double)g, &mc, &ec);
      Exact single;
      single.add(mc, ec);
      expect("float2half_rz", rounded(single, f, zero), bits_of(port_float2half_rz(g)), g, 0, 0);
      expect("float2half_ru", rounded(single, f, up), bits_of(port_float2half_ru(g)), g, 0, 0);
      expect("float2half_rd", rounded(single, f, down), bits_of(port_float2half_rd(g)), g, 0, 0);
    }
  }

  // Minimum, maximum and comparisons, over values of every kind.
  const unsigned short kinds[] = {0,      0x8000, 1,      0x8001, 0x3c00, 0xbc00,
                                  0x7bff, 0x7c00, 0xfc00, 0x7e00, 0xfe01};
  for (unsigned short a : kinds) {
    for (unsigned short b : kinds) {
      const __half x = of_bits<__half>(a), y = of_bits<__half>(b);
      const float p = __half2float(x), q = __half2float(y);
      const bool nan_a = p != p, nan_b = q != q;
      unsigned short larger = p > q ? a : q > p ? b : a == 0 ? a : b;
      unsigned short smaller = p < q ? a : q < p ? b : a == 0x8000 ? a : b;
      if (nan_a || nan_b) larger = smaller = nan_a && nan_b ? 0x7fff : nan_a ? b : a;
      expect("hmax", larger, bits_of(port_hmax(x, y)), p, q, 0);
      expect("hmin", smaller, bits_of(port_hmin(x, y)), p, q, 0);
      expect("hmax_nan", nan_a || nan_b ? 0x7fff : larger, bits_of(port_hmax_nan(x, y)), p, q, 0);
      expect("hmin_nan", nan_a || nan_b ? 0x7fff : smaller, bits_of(port_hmin_nan(x, y)), p, q, 0);
      const bool unordered = nan_a || nan_b;
      expect("hequ", unordered || p == q, port_hequ(x, y), p, q, 0);
      expect("hltu", unordered || p < q, port_hltu(x, y), p, q, 0);
      expect("hleu", unordered || p <= q, port_hleu(x, y), p, q, 0);
      expect("hgtu", unordered || p > q, port_hgtu(x, y), p, q, 0);
      expect("hgeu", unordered || p >= q, port_hgeu(x, y), p, q, 0);
      expect("hne", !unordered && p != q, port_hne(x, y), p, q, 0);
      const __half2 u = __halves2half2(x, y), v = __halves2half2(y, y);
      const unsigned int mask = port_hgtu2_mask(u, v);
      expect("hgtu2_mask low", unordered || p > q ? 0xffff : 0, (unsigned short)mask, p, q, 0);
      expect("hgtu2_mask high", nan_b ? 0xffff : 0, (unsigned short)(mask >> 16), q, q, 0);
      expect("hbleu2", (unordered || p <= q), port_hbleu2(u, v), p, q, 0);
    }
  }
  return 0;
}
