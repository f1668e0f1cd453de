//@ section bfloat16-low2float
//@ provides __low2float __high2float
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE float __low2float(port_bfloat162 a) { return (float)a.x; }
PORT_HOST_DEVICE float __high2float(port_bfloat162 a) { return (float)a.y; }

//@ section bfloat16-lowhigh
//@ provides __lowhigh2highlow
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 __lowhigh2highlow(port_bfloat162 a) {
  return port_bfloat162(a.y, a.x);
}

//@ section bfloat16-hadd
//@ provides __hadd
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 __hadd(port_bfloat16 a, port_bfloat16 b) { return a + b; }

//@ section bfloat16-hadd2
//@ provides __hadd2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 __hadd2(port_bfloat162 a, port_bfloat162 b) { return a + b; }

//@ section bfloat16-hsub
//@ provides __hsub
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 __hsub(port_bfloat16 a, port_bfloat16 b) { return a - b; }

//@ section bfloat16-hsub2
//@ provides __hsub2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 __hsub2(port_bfloat162 a, port_bfloat162 b) { return a - b; }

//@ section bfloat16-hmul
//@ provides __hmul
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 __hmul(port_bfloat16 a, port_bfloat16 b) { return a * b; }

//@ section bfloat16-hmul2
//@ provides __hmul2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 __hmul2(port_bfloat162 a, port_bfloat162 b) { return a * b; }

//@ section bfloat16-hdiv
//@ provides __hdiv
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 __hdiv(port_bfloat16 a, port_bfloat16 b) { return a / b; }

//@ section bfloat16-h2div
//@ provides __h2div
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 __h2div(port_bfloat162 a, port_bfloat162 b) { return a / b; }

//@ section bfloat16-saturate
// To the range from 0 to 1, a NaN to 0.
PORT_HOST_DEVICE port_bfloat16 port_bfloat16_saturate(port_bfloat16 a) {
  const float value = (float)a;
  return port_bfloat16(value > 0.0f ? (value < 1.0f ? value : 1.0f) : 0.0f);
}

//@ section bfloat16-hadd_sat
//@ provides port_hadd_sat
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 port_hadd_sat(port_bfloat16 a, port_bfloat16 b) {
  return port_bfloat16_saturate(a + b);
}

//@ section bfloat16-hadd2_sat
//@ provides port_hadd2_sat
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hadd2_sat(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(port_bfloat16_saturate(a.x + b.x), port_bfloat16_saturate(a.y + b.y));
}

//@ section bfloat16-hsub_sat
//@ provides port_hsub_sat
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 port_hsub_sat(port_bfloat16 a, port_bfloat16 b) {
  return port_bfloat16_saturate(a - b);
}

//@ section bfloat16-hsub2_sat
//@ provides port_hsub2_sat
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hsub2_sat(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(port_bfloat16_saturate(a.x - b.x), port_bfloat16_saturate(a.y - b.y));
}

//@ section bfloat16-hmul_sat
//@ provides port_hmul_sat
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 port_hmul_sat(port_bfloat16 a, port_bfloat16 b) {
  return port_bfloat16_saturate(a * b);
}

//@ section bfloat16-hmul2_sat
//@ provides port_hmul2_sat
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hmul2_sat(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(port_bfloat16_saturate(a.x * b.x), port_bfloat16_saturate(a.y * b.y));
}

//@ section bfloat16-fma
// a times b plus c, rounded once: the sum in float decides, unless it lies halfway between two
// bfloat16 values; there the part that it lost does.
PORT_HOST_DEVICE port_bfloat16 port_bfloat16_fma(port_bfloat16 a, port_bfloat16 b,
                                                 port_bfloat16 c) {
  PORT_NO_CONTRACTION
  float sum = __builtin_fmaf((float)a, (float)b, (float)c);
  const unsigned int bits = port_bits_to<unsigned int>(sum);
  if ((bits & 0xffff) == 0x8000) {
    // Exact in two parts (Knuth), as the product is exact in double.
    const double product = (double)(float)a * (double)(float)b;
    const double addend = (double)(float)c;
    const double total = product + addend;
    const double part = total - product;
    const double rest = (product - (total - part)) + (addend - part);
    const double error = total != sum ? total - sum : rest;
    if (error != 0) sum = port_bits_to<float>((error > 0) == (sum > 0) ? bits + 1 : bits - 1);
  }
  return port_bfloat16(sum);
}

//@ section bfloat16-hfma
//@ provides __hfma
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 __hfma(port_bfloat16 a, port_bfloat16 b, port_bfloat16 c) {
  return port_bfloat16_fma(a, b, c);
}

//@ section bfloat16-hfma2
//@ provides __hfma2
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 __hfma2(port_bfloat162 a, port_bfloat162 b, port_bfloat162 c) {
  return port_bfloat162(port_bfloat16_fma(a.x, b.x, c.x), port_bfloat16_fma(a.y, b.y, c.y));
}

//@ section bfloat16-hfma_sat
//@ provides port_hfma_sat
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 port_hfma_sat(port_bfloat16 a, port_bfloat16 b, port_bfloat16 c) {
  return port_bfloat16_saturate(port_bfloat16_fma(a, b, c));
}

//@ section bfloat16-hfma2_sat
//@ provides port_hfma2_sat
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hfma2_sat(port_bfloat162 a, port_bfloat162 b,
                                               port_bfloat162 c) {
  return port_bfloat162(port_bfloat16_saturate(port_bfloat16_fma(a.x, b.x, c.x)),
                        port_bfloat16_saturate(port_bfloat16_fma(a.y, b.y, c.y)));
}

//@ section bfloat16-habs
//@ provides __habs
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 __habs(port_bfloat16 a) {
  return port_bits_to<port_bfloat16>((unsigned short)(port_bits_to<unsigned short>(a) & 0x7fff));
}

//@ section bfloat16-habs2
//@ provides __habs2
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 __habs2(port_bfloat162 a) {
  return port_bits_to<port_bfloat162>(port_bits_to<unsigned int>(a) & 0x7fff7fffu);
}

//@ section bfloat16-hneg
//@ provides __hneg
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 __hneg(port_bfloat16 a) { return -a; }

//@ section bfloat16-hneg2
//@ provides __hneg2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 __hneg2(port_bfloat162 a) { return -a; }

//@ section bfloat16-hisnan
//@ provides __hisnan
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool __hisnan(port_bfloat16 a) { return (float)a != (float)a; }

//@ section bfloat16-hisnan2
//@ provides __hisnan2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 __hisnan2(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(a.x != a.x ? 1.0f : 0.0f),
                        port_bfloat16(a.y != a.y ? 1.0f : 0.0f));
}

//@ section bfloat16-hisinf
//@ provides __hisinf port_hisinf
//@ with port_bfloat16 port_bfloat162
// 1 for positive infinity, -1 for negative, else 0.
PORT_HOST_DEVICE int __hisinf(port_bfloat16 a) {
  const unsigned short bits = port_bits_to<unsigned short>(a);
  return bits == 0x7f80 ? 1 : bits == 0xff80 ? -1 : 0;
}
PORT_HOST_DEVICE int port_hisinf(port_bfloat16 a) { return __hisinf(a); }

//@ section bfloat162-mask
// For each half of a pair whether a comparison holds: all of its bits set, or none.
template <typename Comparison>
PORT_HOST_DEVICE unsigned int port_bfloat162_mask(port_bfloat162 a, port_bfloat162 b,
                                                  Comparison holds) {
  return (holds((float)a.x, (float)b.x) ? 0xffffu : 0u) |
         (holds((float)a.y, (float)b.y) ? 0xffff0000u : 0u);
}

//@ section bfloat16-heq
//@ provides __heq
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool __heq(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return x == y;
}

//@ section bfloat16-heq2
//@ provides __heq2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 __heq2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return x == y; }) & 0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbeq2
//@ provides __hbeq2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool __hbeq2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x == y; }) == 0xffffffffu;
}

//@ section bfloat16-heq2_mask
//@ provides port_heq2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_heq2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x == y; });
}

//@ section bfloat16-hle
//@ provides __hle
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool __hle(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return x <= y;
}

//@ section bfloat16-hle2
//@ provides __hle2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 __hle2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return x <= y; }) & 0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hble2
//@ provides __hble2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool __hble2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x <= y; }) == 0xffffffffu;
}

//@ section bfloat16-hle2_mask
//@ provides port_hle2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hle2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x <= y; });
}

//@ section bfloat16-hge
//@ provides __hge
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool __hge(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return x >= y;
}

//@ section bfloat16-hge2
//@ provides __hge2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 __hge2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return x >= y; }) & 0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbge2
//@ provides __hbge2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool __hbge2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x >= y; }) == 0xffffffffu;
}

//@ section bfloat16-hge2_mask
//@ provides port_hge2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hge2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x >= y; });
}

//@ section bfloat16-hlt
//@ provides __hlt
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool __hlt(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return x < y;
}

//@ section bfloat16-hlt2
//@ provides __hlt2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 __hlt2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return x < y; }) & 0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hblt2
//@ provides __hblt2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool __hblt2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x < y; }) == 0xffffffffu;
}

//@ section bfloat16-hlt2_mask
//@ provides port_hlt2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hlt2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x < y; });
}

//@ section bfloat16-hgt
//@ provides __hgt
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool __hgt(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return x > y;
}

//@ section bfloat16-hgt2
//@ provides __hgt2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 __hgt2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return x > y; }) & 0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbgt2
//@ provides __hbgt2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool __hbgt2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x > y; }) == 0xffffffffu;
}

//@ section bfloat16-hgt2_mask
//@ provides port_hgt2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hgt2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x > y; });
}

//@ section bfloat16-hne
//@ provides port_hne
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool port_hne(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return x < y || x > y;
}

//@ section bfloat16-hne2
//@ provides port_hne2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_hne2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return x < y || x > y; }) &
      0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbne2
//@ provides port_hbne2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool port_hbne2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x < y || x > y; }) == 0xffffffffu;
}

//@ section bfloat16-hne2_mask
//@ provides port_hne2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hne2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x < y || x > y; });
}

//@ section bfloat16-hequ
//@ provides port_hequ
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool port_hequ(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return !(x < y || x > y);
}

//@ section bfloat16-hequ2
//@ provides port_hequ2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_hequ2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return !(x < y || x > y); }) &
      0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbequ2
//@ provides port_hbequ2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool port_hbequ2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x < y || x > y); }) ==
         0xffffffffu;
}

//@ section bfloat16-hequ2_mask
//@ provides port_hequ2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hequ2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x < y || x > y); });
}

//@ section bfloat16-hneu
//@ provides __hneu
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool __hneu(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return x != y;
}

//@ section bfloat16-hneu2
//@ provides __hneu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 __hneu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return x != y; }) & 0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbneu2
//@ provides __hbneu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool __hbneu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x != y; }) == 0xffffffffu;
}

//@ section bfloat16-hneu2_mask
//@ provides port_hneu2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hneu2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return x != y; });
}

//@ section bfloat16-hleu
//@ provides port_hleu
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool port_hleu(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return !(x > y);
}

//@ section bfloat16-hleu2
//@ provides port_hleu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_hleu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return !(x > y); }) &
      0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbleu2
//@ provides port_hbleu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool port_hbleu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x > y); }) == 0xffffffffu;
}

//@ section bfloat16-hleu2_mask
//@ provides port_hleu2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hleu2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x > y); });
}

//@ section bfloat16-hgeu
//@ provides port_hgeu
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool port_hgeu(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return !(x < y);
}

//@ section bfloat16-hgeu2
//@ provides port_hgeu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_hgeu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return !(x < y); }) &
      0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbgeu2
//@ provides port_hbgeu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool port_hbgeu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x < y); }) == 0xffffffffu;
}

//@ section bfloat16-hgeu2_mask
//@ provides port_hgeu2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hgeu2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x < y); });
}

//@ section bfloat16-hltu
//@ provides port_hltu
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool port_hltu(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return !(x >= y);
}

//@ section bfloat16-hltu2
//@ provides port_hltu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_hltu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return !(x >= y); }) &
      0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbltu2
//@ provides port_hbltu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool port_hbltu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x >= y); }) == 0xffffffffu;
}

//@ section bfloat16-hltu2_mask
//@ provides port_hltu2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hltu2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x >= y); });
}

//@ section bfloat16-hgtu
//@ provides port_hgtu
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE bool port_hgtu(port_bfloat16 a, port_bfloat16 b) {
  const float x = (float)a, y = (float)b;
  return !(x <= y);
}

//@ section bfloat16-hgtu2
//@ provides port_hgtu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_hgtu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bits_to<port_bfloat162>(
      port_bfloat162_mask(a, b, [](float x, float y) { return !(x <= y); }) &
      0x3f803f80u);  // 1 or 0
}

//@ section bfloat16-hbgtu2
//@ provides port_hbgtu2
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE bool port_hbgtu2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x <= y); }) == 0xffffffffu;
}

//@ section bfloat16-hgtu2_mask
//@ provides port_hgtu2_mask
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE unsigned int port_hgtu2_mask(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162_mask(a, b, [](float x, float y) { return !(x <= y); });
}

//@ section bfloat16-hmax
//@ provides port_hmax
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 port_hmax(port_bfloat16 a, port_bfloat16 b) {
  return port_max_16(a, b, (float)a, (float)b, false);
}

//@ section bfloat16-hmax2
//@ provides port_hmax2
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hmax2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(port_max_16(a.x, b.x, (float)a.x, (float)b.x, false),
                        port_max_16(a.y, b.y, (float)a.y, (float)b.y, false));
}

//@ section bfloat16-hmin
//@ provides port_hmin
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 port_hmin(port_bfloat16 a, port_bfloat16 b) {
  return port_min_16(a, b, (float)a, (float)b, false);
}

//@ section bfloat16-hmin2
//@ provides port_hmin2
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hmin2(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(port_min_16(a.x, b.x, (float)a.x, (float)b.x, false),
                        port_min_16(a.y, b.y, (float)a.y, (float)b.y, false));
}

//@ section bfloat16-hmax_nan
//@ provides port_hmax_nan
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 port_hmax_nan(port_bfloat16 a, port_bfloat16 b) {
  return port_max_16(a, b, (float)a, (float)b, true);
}

//@ section bfloat16-hmax2_nan
//@ provides port_hmax2_nan
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hmax2_nan(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(port_max_16(a.x, b.x, (float)a.x, (float)b.x, true),
                        port_max_16(a.y, b.y, (float)a.y, (float)b.y, true));
}

//@ section bfloat16-hmin_nan
//@ provides port_hmin_nan
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 port_hmin_nan(port_bfloat16 a, port_bfloat16 b) {
  return port_min_16(a, b, (float)a, (float)b, true);
}

//@ section bfloat16-hmin2_nan
//@ provides port_hmin2_nan
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hmin2_nan(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(port_min_16(a.x, b.x, (float)a.x, (float)b.x, true),
                        port_min_16(a.y, b.y, (float)a.y, (float)b.y, true));
}

//@ section bfloat16-hadd_rn
//@ provides port_hadd_rn
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 port_hadd_rn(port_bfloat16 a, port_bfloat16 b) { return a + b; }

//@ section bfloat16-hadd2_rn
//@ provides port_hadd2_rn
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hadd2_rn(port_bfloat162 a, port_bfloat162 b) { return a + b; }

//@ section bfloat16-hsub_rn
//@ provides port_hsub_rn
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 port_hsub_rn(port_bfloat16 a, port_bfloat16 b) { return a - b; }

//@ section bfloat16-hsub2_rn
//@ provides port_hsub2_rn
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hsub2_rn(port_bfloat162 a, port_bfloat162 b) { return a - b; }

//@ section bfloat16-hmul_rn
//@ provides port_hmul_rn
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_HOST_DEVICE port_bfloat16 port_hmul_rn(port_bfloat16 a, port_bfloat16 b) { return a * b; }

//@ section bfloat16-hmul2_rn
//@ provides port_hmul2_rn
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hmul2_rn(port_bfloat162 a, port_bfloat162 b) { return a * b; }

//@ section bfloat16-hfma_relu
//@ provides port_hfma_relu
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat16 port_hfma_relu(port_bfloat16 a, port_bfloat16 b, port_bfloat16 c) {
  const port_bfloat16 result = port_bfloat16_fma(a, b, c);
  return (float)result < 0.0f ? port_bfloat16(0.0f)
                              : port_max_16(result, port_bfloat16(0.0f), (float)result, 0.0f, true);
}

//@ section bfloat16-hfma2_relu
//@ provides port_hfma2_relu
//@ with port_bfloat16 port_bfloat162
PORT_HOST_DEVICE port_bfloat162 port_hfma2_relu(port_bfloat162 a, port_bfloat162 b,
                                                port_bfloat162 c) {
  return port_bfloat162(port_hfma_relu(a.x, b.x, c.x), port_hfma_relu(a.y, b.y, c.y));
}

//@ section bfloat16-hcmadd
//@ provides port_hcmadd
//@ with port_bfloat16 port_bfloat162
// Complex a times b plus c, real part first, each step fused.
PORT_HOST_DEVICE port_bfloat162 port_hcmadd(port_bfloat162 a, port_bfloat162 b, port_bfloat162 c) {
  const port_bfloat16 real = port_bfloat16_fma(a.x, b.x, c.x);
  const port_bfloat16 imaginary = port_bfloat16_fma(a.x, b.y, c.y);
  return port_bfloat162(port_bfloat16_fma(-a.y, b.y, real), port_bfloat16_fma(a.y, b.x, imaginary));
}

//@ section bfloat16-hsqrt
//@ provides hsqrt
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hsqrt(port_bfloat16 a) { return port_bfloat16(sqrtf((float)a)); }

//@ section bfloat16-h2sqrt
//@ provides h2sqrt
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2sqrt(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(sqrtf((float)a.x)), port_bfloat16(sqrtf((float)a.y)));
}

//@ section bfloat16-hrsqrt
//@ provides hrsqrt
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hrsqrt(port_bfloat16 a) { return port_bfloat16(1.0f / sqrtf((float)a)); }

//@ section bfloat16-h2rsqrt
//@ provides h2rsqrt
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2rsqrt(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(1.0f / sqrtf((float)a.x)),
                        port_bfloat16(1.0f / sqrtf((float)a.y)));
}

//@ section bfloat16-hrcp
//@ provides hrcp
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hrcp(port_bfloat16 a) { return port_bfloat16(1.0f / (float)a); }

//@ section bfloat16-h2rcp
//@ provides h2rcp
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2rcp(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(1.0f / (float)a.x), port_bfloat16(1.0f / (float)a.y));
}

//@ section bfloat16-hlog
//@ provides hlog
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hlog(port_bfloat16 a) { return port_bfloat16(logf((float)a)); }

//@ section bfloat16-h2log
//@ provides h2log
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2log(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(logf((float)a.x)), port_bfloat16(logf((float)a.y)));
}

//@ section bfloat16-hlog2
//@ provides hlog2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hlog2(port_bfloat16 a) { return port_bfloat16(log2f((float)a)); }

//@ section bfloat16-h2log2
//@ provides h2log2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2log2(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(log2f((float)a.x)), port_bfloat16(log2f((float)a.y)));
}

//@ section bfloat16-hlog10
//@ provides hlog10
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hlog10(port_bfloat16 a) { return port_bfloat16(log10f((float)a)); }

//@ section bfloat16-h2log10
//@ provides h2log10
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2log10(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(log10f((float)a.x)), port_bfloat16(log10f((float)a.y)));
}

//@ section bfloat16-hexp
//@ provides hexp
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hexp(port_bfloat16 a) { return port_bfloat16(expf((float)a)); }

//@ section bfloat16-h2exp
//@ provides h2exp
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2exp(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(expf((float)a.x)), port_bfloat16(expf((float)a.y)));
}

//@ section bfloat16-hexp2
//@ provides hexp2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hexp2(port_bfloat16 a) { return port_bfloat16(exp2f((float)a)); }

//@ section bfloat16-h2exp2
//@ provides h2exp2
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2exp2(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(exp2f((float)a.x)), port_bfloat16(exp2f((float)a.y)));
}

//@ section bfloat16-hexp10
//@ provides hexp10
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hexp10(port_bfloat16 a) { return port_bfloat16(exp10f((float)a)); }

//@ section bfloat16-h2exp10
//@ provides h2exp10
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2exp10(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(exp10f((float)a.x)), port_bfloat16(exp10f((float)a.y)));
}

//@ section bfloat16-hcos
//@ provides hcos
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hcos(port_bfloat16 a) { return port_bfloat16(cosf((float)a)); }

//@ section bfloat16-h2cos
//@ provides h2cos
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2cos(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(cosf((float)a.x)), port_bfloat16(cosf((float)a.y)));
}

//@ section bfloat16-hsin
//@ provides hsin
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hsin(port_bfloat16 a) { return port_bfloat16(sinf((float)a)); }

//@ section bfloat16-h2sin
//@ provides h2sin
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2sin(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(sinf((float)a.x)), port_bfloat16(sinf((float)a.y)));
}

//@ section bfloat16-htrunc
//@ provides htrunc
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 htrunc(port_bfloat16 a) { return port_bfloat16(truncf((float)a)); }

//@ section bfloat16-h2trunc
//@ provides h2trunc
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2trunc(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(truncf((float)a.x)), port_bfloat16(truncf((float)a.y)));
}

//@ section bfloat16-hceil
//@ provides hceil
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hceil(port_bfloat16 a) { return port_bfloat16(ceilf((float)a)); }

//@ section bfloat16-h2ceil
//@ provides h2ceil
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2ceil(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(ceilf((float)a.x)), port_bfloat16(ceilf((float)a.y)));
}

//@ section bfloat16-hfloor
//@ provides hfloor
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hfloor(port_bfloat16 a) { return port_bfloat16(floorf((float)a)); }

//@ section bfloat16-h2floor
//@ provides h2floor
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2floor(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(floorf((float)a.x)), port_bfloat16(floorf((float)a.y)));
}

//@ section bfloat16-hrint
//@ provides hrint
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat16
PORT_DEVICE port_bfloat16 hrint(port_bfloat16 a) { return port_bfloat16(rintf((float)a)); }

//@ section bfloat16-h2rint
//@ provides h2rint
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat162 h2rint(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(rintf((float)a.x)), port_bfloat16(rintf((float)a.y)));
}

//@ section bfloat16-htanh
//@ provides port_htanh
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat16 port_htanh(port_bfloat16 a) { return port_bfloat16(tanhf((float)a)); }

//@ section bfloat16-h2tanh
//@ provides port_h2tanh
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_h2tanh(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(tanhf((float)a.x)), port_bfloat16(tanhf((float)a.y)));
}

//@ section bfloat16-htanh_approx
//@ provides port_htanh_approx
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat16 port_htanh_approx(port_bfloat16 a) {
  return port_bfloat16(tanhf((float)a));
}

//@ section bfloat16-h2tanh_approx
//@ provides port_h2tanh_approx
//@ with port_bfloat16 port_bfloat162
PORT_DEVICE port_bfloat162 port_h2tanh_approx(port_bfloat162 a) {
  return port_bfloat162(port_bfloat16(tanhf((float)a.x)), port_bfloat16(tanhf((float)a.y)));
}

//@ section bfloat16-ldg
//@ provides __ldg
//@ with port_bfloat16 port_bfloat162
//@ needs bfloat162
PORT_DEVICE port_bfloat16 __ldg(const port_bfloat16 *pointer) { return *pointer; }
PORT_DEVICE port_bfloat162 __ldg(const port_bfloat162 *pointer) { return *pointer; }
