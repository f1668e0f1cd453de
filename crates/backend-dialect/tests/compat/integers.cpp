// SIMD, dot product and other integer intrinsics of port_hip_compat.h against their definitions,
// field by field. Exits 1 on the first difference.
#include <stdio.h>
#include <stdlib.h>

#include "port_hip_compat.h"

static unsigned long long state = 0x6a09e667f3bcc909ull;
static unsigned int next() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned int)state;
}
static unsigned int random_word() {
  unsigned int word = next();
  switch (next() % 4) {
    case 0:
      return word;
    case 1:
      return word & 0x81818181u;
    case 2:
      return word | 0x7f7f7f7fu;
    default:
      return (word & 0x80008000u) | 0x7fff0001u;
  }
}

static long field(unsigned int word, int bits, int place, bool is_signed) {
  const long value = (word >> (bits * place)) & ((1l << bits) - 1);
  return is_signed && (value >> (bits - 1)) ? value - (1l << bits) : value;
}
static long clamp(long value, long low, long high) {
  return value < low ? low : value > high ? high : value;
}

static void expect(const char *name, unsigned int a, unsigned int b, unsigned int want,
                   unsigned int got) {
  if (want == got) return;
  printf("%s(%08x, %08x): want %08x, got %08x\n", name, a, b, want, got);
  exit(1);
}

// The result of an expression of x, y, low and high on each field.
#define FIELDS(name, bits, is_signed, expression)                                            \
  {                                                                                          \
    unsigned int want = 0;                                                                   \
    for (int place = 0; place < 32 / bits; ++place) {                                        \
      const long x = field(a, bits, place, is_signed), y = field(b, bits, place, is_signed); \
      const long high = is_signed ? (1l << (bits - 1)) - 1 : (1l << bits) - 1;               \
      const long low = is_signed ? -(1l << (bits - 1)) : 0;                                  \
      (void)x, (void)y, (void)high, (void)low;                                               \
      want |= (unsigned int)((expression) & ((1l << bits) - 1)) << (bits * place);           \
    }                                                                                        \
    expect(#name, a, b, want, CALL(name));                                                   \
  }
#define BOTH(name, is_signed, expression) \
  FIELDS(port_##name##2, 16, is_signed, expression) FIELDS(port_##name##4, 8, is_signed, expression)

int main(int argc, char **argv) {
  const long count = argc > 1 ? atol(argv[1]) : 20000;
  for (long i = 0; i < count; ++i) {
    const unsigned int a = random_word(), b = next() % 5 == 0 ? a : random_word();
#define CALL(name) name(a)
    BOTH(vabs, true, x < 0 ? -x : x)
    BOTH(vabsss, true, clamp(x < 0 ? -x : x, low, high))
    BOTH(vneg, true, -x)
    BOTH(vnegss, true, clamp(-x, low, high))
#undef CALL
#define CALL(name) name(a, b)
    BOTH(vadd, false, x + y)
    BOTH(vsub, false, x - y)
    BOTH(vaddss, true, clamp(x + y, low, high))
    BOTH(vaddus, false, clamp(x + y, low, high))
    BOTH(vsubss, true, clamp(x - y, low, high))
    BOTH(vsubus, false, clamp(x - y, low, high))
    // PTX vavrg: halves are rounded away from zero.
    BOTH(vavgs, true, (x + y < 0 ? -((1 - x - y) / 2) : (x + y + 1) / 2))
    BOTH(vavgu, false, (x + y + 1) / 2)
    BOTH(vhaddu, false, (x + y) / 2)
    BOTH(vabsdiffs, true, labs(x - y))
    BOTH(vabsdiffu, false, labs(x - y))
    BOTH(vmaxs, true, x > y ? x : y)
    BOTH(vmaxu, false, x > y ? x : y)
    BOTH(vmins, true, x < y ? x : y)
    BOTH(vminu, false, x < y ? x : y)
    BOTH(vcmpeq, false, x == y ? -1 : 0)
    BOTH(vcmpne, false, x != y ? -1 : 0)
    BOTH(vcmpges, true, x >= y ? -1 : 0)
    BOTH(vcmpgeu, false, x >= y ? -1 : 0)
    BOTH(vcmpgts, true, x > y ? -1 : 0)
    BOTH(vcmpgtu, false, x > y ? -1 : 0)
    BOTH(vcmples, true, x <= y ? -1 : 0)
    BOTH(vcmpleu, false, x <= y ? -1 : 0)
    BOTH(vcmplts, true, x < y ? -1 : 0)
    BOTH(vcmpltu, false, x < y ? -1 : 0)
    BOTH(vseteq, false, x == y)
    BOTH(vsetne, false, x != y)
    BOTH(vsetges, true, x >= y)
    BOTH(vsetltu, false, x < y)
#undef CALL
    long sad2 = 0, sad4 = 0, dot4 = 0, dot4u = 0;
    for (int place = 0; place < 4; ++place) {
      if (place < 2) sad2 += labs(field(a, 16, place, true) - field(b, 16, place, true)) & 0xffff;
      sad4 += labs(field(a, 8, place, false) - field(b, 8, place, false));
      dot4 += field(a, 8, place, true) * field(b, 8, place, true);
      dot4u += field(a, 8, place, false) * field(b, 8, place, false);
    }
    expect("vsads2", a, b, (unsigned int)sad2, port_vsads2(a, b));
    expect("vsadu4", a, b, (unsigned int)sad4, port_vsadu4(a, b));
    const unsigned int c = next();
    expect("dp4a", a, b, (unsigned int)dot4 + c, (unsigned int)port_dp4a((int)a, (int)b, (int)c));
    expect("dp4a unsigned", a, b, (unsigned int)dot4u + c, port_dp4a(a, b, c));
    const long low2 =
        field(a, 16, 0, true) * field(b, 8, 0, true) + field(a, 16, 1, true) * field(b, 8, 1, true);
    const long high2 = field(a, 16, 0, false) * field(b, 8, 2, false) +
                       field(a, 16, 1, false) * field(b, 8, 3, false);
    expect("dp2a_lo", a, b, (unsigned int)low2 + c,
           (unsigned int)port_dp2a_lo((int)a, (int)b, (int)c));
    expect("dp2a_hi", a, b, (unsigned int)high2 + c, port_dp2a_hi(a, b, c));

    const long x = (int)a, y = (int)b, u = a, v = b;
    expect("hadd", a, b, (unsigned int)((x + y) >> 1), (unsigned int)port_hadd((int)a, (int)b));
    expect("rhadd", a, b, (unsigned int)((x + y + 1) >> 1),
           (unsigned int)port_rhadd((int)a, (int)b));
    expect("uhadd", a, b, (unsigned int)((u + v) >> 1), port_uhadd(a, b));
    expect("urhadd", a, b, (unsigned int)((u + v + 1) >> 1), port_urhadd(a, b));
    expect("sad", a, b, (unsigned int)labs(x - y) + c, port_sad((int)a, (int)b, c));
    expect("umul24", a, b, (unsigned int)((u & 0xffffff) * (v & 0xffffff)), port_umul24(a, b));

    // The relu and three-way forms, by fields and by words.
    expect("vimax3_s32_relu", a, b,
           (unsigned int)clamp(x > y ? x : y, (int)c > 0 ? (int)c : 0, 1l << 40),
           (unsigned int)port_vimax3_s32_relu((int)a, (int)b, (int)c));
    expect("viaddmin_u32", a, b, a + b < c ? a + b : c, port_viaddmin_u32(a, b, c));
    bool first, first_high, first_low;
    expect("vibmax_s32", a, b, (unsigned int)(x > y ? x : y),
           (unsigned int)port_vibmax_s32((int)a, (int)b, &first));
    expect("vibmax_s32 first", a, b, x >= y, first);
    port_vibmin_u16x2(a, b, &first_high, &first_low);
    expect("vibmin_u16x2 first", a, b,
           ((a >> 16) <= (b >> 16)) * 2 + ((a & 0xffff) <= (b & 0xffff)),
           first_high * 2 + first_low);
    for (int place = 0; place < 2; ++place) {
      const long sum = (short)(field(a, 16, place, true) + field(b, 16, place, true));
      const long other = field(c, 16, place, true);
      const long want = clamp(sum > other ? sum : other, 0, 1l << 20);
      expect("viaddmax_s16x2_relu", a, b, (unsigned int)want & 0xffff,
             (port_viaddmax_s16x2_relu(a, b, c) >> (16 * place)) & 0xffff);
    }

    // The n-th set bit, by counting.
    const unsigned int base = next() % 32;
    const int offset = (int)(next() % 9) - 4;
    unsigned int found = 0xffffffffu;
    if (offset == 0) {
      if ((a >> base) & 1) found = base;
    } else {
      int seen = 0;
      for (int bit = (int)base; bit >= 0 && bit < 32 && found == 0xffffffffu;
           bit += offset > 0 ? 1 : -1) {
        seen += (a >> bit) & 1;
        if (((a >> bit) & 1) && seen == abs(offset)) found = (unsigned int)bit;
      }
    }
    expect("fns", a, base, found, port_fns(a, base, offset));
  }
  return 0;
}
