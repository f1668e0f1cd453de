//@ section lanes-signed
// An operation on each field of `bits` bits, as signed numbers.
template <int bits, typename Operation>
PORT_DEVICE unsigned int port_fields_signed(unsigned int a, unsigned int b, Operation operation) {
  unsigned int result = 0;
#pragma unroll
  for (int low = 0; low < 32; low += bits) {
    const int x = (int)(a << (32 - bits - low)) >> (32 - bits);
    const int y = (int)(b << (32 - bits - low)) >> (32 - bits);
    result |= ((unsigned int)operation(x, y) & (0xffffffffu >> (32 - bits))) << low;
  }
  return result;
}

//@ section lanes-unsigned
// An operation on each field of `bits` bits, as unsigned numbers.
template <int bits, typename Operation>
PORT_DEVICE unsigned int port_fields_unsigned(unsigned int a, unsigned int b, Operation operation) {
  const unsigned int mask = 0xffffffffu >> (32 - bits);
  unsigned int result = 0;
#pragma unroll
  for (int low = 0; low < 32; low += bits) {
    const int x = (int)((a >> low) & mask);
    const int y = (int)((b >> low) & mask);
    result |= ((unsigned int)operation(x, y) & mask) << low;
  }
  return result;
}

//@ section clamp-signed
// The nearest signed number of `bits` bits.
template <int bits>
PORT_DEVICE int port_clamp_signed(int value) {
  const int high = (1 << (bits - 1)) - 1;
  return value > high ? high : value < -high - 1 ? -high - 1 : value;
}

//@ section clamp-unsigned
// The nearest unsigned number of `bits` bits.
template <int bits>
PORT_DEVICE int port_clamp_unsigned(int value) {
  const int high = (1 << bits) - 1;
  return value > high ? high : value < 0 ? 0 : value;
}

//@ section vabs2
PORT_DEVICE unsigned int port_vabs2(unsigned int a) {
  return port_fields_signed<16>(a, a, [](int x, int) { return x < 0 ? -x : x; });
}

//@ section vabs4
PORT_DEVICE unsigned int port_vabs4(unsigned int a) {
  return port_fields_signed<8>(a, a, [](int x, int) { return x < 0 ? -x : x; });
}

//@ section vabsss2
PORT_DEVICE unsigned int port_vabsss2(unsigned int a) {
  return port_fields_signed<16>(a, a,
                                [](int x, int) { return port_clamp_signed<16>(x < 0 ? -x : x); });
}

//@ section vabsss4
PORT_DEVICE unsigned int port_vabsss4(unsigned int a) {
  return port_fields_signed<8>(a, a,
                               [](int x, int) { return port_clamp_signed<8>(x < 0 ? -x : x); });
}

//@ section vneg2
PORT_DEVICE unsigned int port_vneg2(unsigned int a) {
  return port_fields_signed<16>(a, a, [](int x, int) { return -x; });
}

//@ section vneg4
PORT_DEVICE unsigned int port_vneg4(unsigned int a) {
  return port_fields_signed<8>(a, a, [](int x, int) { return -x; });
}

//@ section vnegss2
PORT_DEVICE unsigned int port_vnegss2(unsigned int a) {
  return port_fields_signed<16>(a, a, [](int x, int) { return port_clamp_signed<16>(-x); });
}

//@ section vnegss4
PORT_DEVICE unsigned int port_vnegss4(unsigned int a) {
  return port_fields_signed<8>(a, a, [](int x, int) { return port_clamp_signed<8>(-x); });
}

//@ section vadd2
PORT_DEVICE unsigned int port_vadd2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x + y; });
}

//@ section vadd4
PORT_DEVICE unsigned int port_vadd4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x + y; });
}

//@ section vaddss2
PORT_DEVICE unsigned int port_vaddss2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return port_clamp_signed<16>(x + y); });
}

//@ section vaddss4
PORT_DEVICE unsigned int port_vaddss4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return port_clamp_signed<8>(x + y); });
}

//@ section vaddus2
PORT_DEVICE unsigned int port_vaddus2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b,
                                  [](int x, int y) { return port_clamp_unsigned<16>(x + y); });
}

//@ section vaddus4
PORT_DEVICE unsigned int port_vaddus4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return port_clamp_unsigned<8>(x + y); });
}

//@ section vsub2
PORT_DEVICE unsigned int port_vsub2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x - y; });
}

//@ section vsub4
PORT_DEVICE unsigned int port_vsub4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x - y; });
}

//@ section vsubss2
PORT_DEVICE unsigned int port_vsubss2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return port_clamp_signed<16>(x - y); });
}

//@ section vsubss4
PORT_DEVICE unsigned int port_vsubss4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return port_clamp_signed<8>(x - y); });
}

//@ section vsubus2
PORT_DEVICE unsigned int port_vsubus2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b,
                                  [](int x, int y) { return port_clamp_unsigned<16>(x - y); });
}

//@ section vsubus4
PORT_DEVICE unsigned int port_vsubus4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return port_clamp_unsigned<8>(x - y); });
}

//@ section vavgs2
PORT_DEVICE unsigned int port_vavgs2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return (x + y + (x + y >= 0)) >> 1; });
}

//@ section vavgs4
PORT_DEVICE unsigned int port_vavgs4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return (x + y + (x + y >= 0)) >> 1; });
}

//@ section vavgu2
PORT_DEVICE unsigned int port_vavgu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return (x + y + 1) >> 1; });
}

//@ section vavgu4
PORT_DEVICE unsigned int port_vavgu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return (x + y + 1) >> 1; });
}

//@ section vhaddu2
PORT_DEVICE unsigned int port_vhaddu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return (x + y) >> 1; });
}

//@ section vhaddu4
PORT_DEVICE unsigned int port_vhaddu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return (x + y) >> 1; });
}

//@ section vabsdiffs2
PORT_DEVICE unsigned int port_vabsdiffs2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x > y ? x - y : y - x; });
}

//@ section vabsdiffs4
PORT_DEVICE unsigned int port_vabsdiffs4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x > y ? x - y : y - x; });
}

//@ section vabsdiffu2
PORT_DEVICE unsigned int port_vabsdiffu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x > y ? x - y : y - x; });
}

//@ section vabsdiffu4
PORT_DEVICE unsigned int port_vabsdiffu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x > y ? x - y : y - x; });
}

//@ section vmaxs2
PORT_DEVICE unsigned int port_vmaxs2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x > y ? x : y; });
}

//@ section vmaxs4
PORT_DEVICE unsigned int port_vmaxs4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x > y ? x : y; });
}

//@ section vmaxu2
PORT_DEVICE unsigned int port_vmaxu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x > y ? x : y; });
}

//@ section vmaxu4
PORT_DEVICE unsigned int port_vmaxu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x > y ? x : y; });
}

//@ section vmins2
PORT_DEVICE unsigned int port_vmins2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x < y ? x : y; });
}

//@ section vmins4
PORT_DEVICE unsigned int port_vmins4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x < y ? x : y; });
}

//@ section vminu2
PORT_DEVICE unsigned int port_vminu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x < y ? x : y; });
}

//@ section vminu4
PORT_DEVICE unsigned int port_vminu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x < y ? x : y; });
}

//@ section vcmpeq2
PORT_DEVICE unsigned int port_vcmpeq2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x == y ? -1 : 0; });
}

//@ section vcmpeq4
PORT_DEVICE unsigned int port_vcmpeq4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x == y ? -1 : 0; });
}

//@ section vseteq2
PORT_DEVICE unsigned int port_vseteq2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x == y ? 1 : 0; });
}

//@ section vseteq4
PORT_DEVICE unsigned int port_vseteq4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x == y ? 1 : 0; });
}

//@ section vcmpne2
PORT_DEVICE unsigned int port_vcmpne2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x != y ? -1 : 0; });
}

//@ section vcmpne4
PORT_DEVICE unsigned int port_vcmpne4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x != y ? -1 : 0; });
}

//@ section vsetne2
PORT_DEVICE unsigned int port_vsetne2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x != y ? 1 : 0; });
}

//@ section vsetne4
PORT_DEVICE unsigned int port_vsetne4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x != y ? 1 : 0; });
}

//@ section vcmpges2
PORT_DEVICE unsigned int port_vcmpges2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x >= y ? -1 : 0; });
}

//@ section vcmpges4
PORT_DEVICE unsigned int port_vcmpges4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x >= y ? -1 : 0; });
}

//@ section vsetges2
PORT_DEVICE unsigned int port_vsetges2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x >= y ? 1 : 0; });
}

//@ section vsetges4
PORT_DEVICE unsigned int port_vsetges4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x >= y ? 1 : 0; });
}

//@ section vcmpgeu2
PORT_DEVICE unsigned int port_vcmpgeu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x >= y ? -1 : 0; });
}

//@ section vcmpgeu4
PORT_DEVICE unsigned int port_vcmpgeu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x >= y ? -1 : 0; });
}

//@ section vsetgeu2
PORT_DEVICE unsigned int port_vsetgeu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x >= y ? 1 : 0; });
}

//@ section vsetgeu4
PORT_DEVICE unsigned int port_vsetgeu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x >= y ? 1 : 0; });
}

//@ section vcmpgts2
PORT_DEVICE unsigned int port_vcmpgts2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x > y ? -1 : 0; });
}

//@ section vcmpgts4
PORT_DEVICE unsigned int port_vcmpgts4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x > y ? -1 : 0; });
}

//@ section vsetgts2
PORT_DEVICE unsigned int port_vsetgts2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x > y ? 1 : 0; });
}

//@ section vsetgts4
PORT_DEVICE unsigned int port_vsetgts4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x > y ? 1 : 0; });
}

//@ section vcmpgtu2
PORT_DEVICE unsigned int port_vcmpgtu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x > y ? -1 : 0; });
}

//@ section vcmpgtu4
PORT_DEVICE unsigned int port_vcmpgtu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x > y ? -1 : 0; });
}

//@ section vsetgtu2
PORT_DEVICE unsigned int port_vsetgtu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x > y ? 1 : 0; });
}

//@ section vsetgtu4
PORT_DEVICE unsigned int port_vsetgtu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x > y ? 1 : 0; });
}

//@ section vcmples2
PORT_DEVICE unsigned int port_vcmples2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x <= y ? -1 : 0; });
}

//@ section vcmples4
PORT_DEVICE unsigned int port_vcmples4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x <= y ? -1 : 0; });
}

//@ section vsetles2
PORT_DEVICE unsigned int port_vsetles2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x <= y ? 1 : 0; });
}

//@ section vsetles4
PORT_DEVICE unsigned int port_vsetles4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x <= y ? 1 : 0; });
}

//@ section vcmpleu2
PORT_DEVICE unsigned int port_vcmpleu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x <= y ? -1 : 0; });
}

//@ section vcmpleu4
PORT_DEVICE unsigned int port_vcmpleu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x <= y ? -1 : 0; });
}

//@ section vsetleu2
PORT_DEVICE unsigned int port_vsetleu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x <= y ? 1 : 0; });
}

//@ section vsetleu4
PORT_DEVICE unsigned int port_vsetleu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x <= y ? 1 : 0; });
}

//@ section vcmplts2
PORT_DEVICE unsigned int port_vcmplts2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x < y ? -1 : 0; });
}

//@ section vcmplts4
PORT_DEVICE unsigned int port_vcmplts4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x < y ? -1 : 0; });
}

//@ section vsetlts2
PORT_DEVICE unsigned int port_vsetlts2(unsigned int a, unsigned int b) {
  return port_fields_signed<16>(a, b, [](int x, int y) { return x < y ? 1 : 0; });
}

//@ section vsetlts4
PORT_DEVICE unsigned int port_vsetlts4(unsigned int a, unsigned int b) {
  return port_fields_signed<8>(a, b, [](int x, int y) { return x < y ? 1 : 0; });
}

//@ section vcmpltu2
PORT_DEVICE unsigned int port_vcmpltu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x < y ? -1 : 0; });
}

//@ section vcmpltu4
PORT_DEVICE unsigned int port_vcmpltu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x < y ? -1 : 0; });
}

//@ section vsetltu2
PORT_DEVICE unsigned int port_vsetltu2(unsigned int a, unsigned int b) {
  return port_fields_unsigned<16>(a, b, [](int x, int y) { return x < y ? 1 : 0; });
}

//@ section vsetltu4
PORT_DEVICE unsigned int port_vsetltu4(unsigned int a, unsigned int b) {
  return port_fields_unsigned<8>(a, b, [](int x, int y) { return x < y ? 1 : 0; });
}

//@ section vsads2
PORT_DEVICE unsigned int port_vsads2(unsigned int a, unsigned int b) {
  const unsigned int d = port_vabsdiffs2(a, b);
  return (d & 0xffff) + (d >> 16);
}

//@ section vsads4
PORT_DEVICE unsigned int port_vsads4(unsigned int a, unsigned int b) {
  const unsigned int d = port_vabsdiffs4(a, b);
  return (d & 0xff) + ((d >> 8) & 0xff) + ((d >> 16) & 0xff) + (d >> 24);
}

//@ section vsadu2
PORT_DEVICE unsigned int port_vsadu2(unsigned int a, unsigned int b) {
  const unsigned int d = port_vabsdiffu2(a, b);
  return (d & 0xffff) + (d >> 16);
}

//@ section vsadu4
PORT_DEVICE unsigned int port_vsadu4(unsigned int a, unsigned int b) {
  const unsigned int d = port_vabsdiffu4(a, b);
  return (d & 0xff) + ((d >> 8) & 0xff) + ((d >> 16) & 0xff) + (d >> 24);
}

//@ section vimax-s32
// The larger of two, the helper of the fused forms.
PORT_DEVICE int port_vimax_s32(int a, int b) { return a > b ? a : b; }

//@ section vimax3-s32
PORT_DEVICE int port_vimax3_s32(int a, int b, int c) {
  return port_vimax_s32(port_vimax_s32(a, b), c);
}

//@ section viaddmax-s32
PORT_DEVICE int port_viaddmax_s32(int a, int b, int c) {
  return port_vimax_s32((int)((unsigned int)a + (unsigned int)b), c);
}

//@ section vibmax-s32
PORT_DEVICE int port_vibmax_s32(int a, int b, bool *first) {
  *first = a >= b;
  return *first ? a : b;
}

//@ section vimax-s32-relu
PORT_DEVICE int port_vimax_s32_relu(int a, int b) {
  return port_vimax_s32(port_vimax_s32(a, b), 0);
}

//@ section vimax3-s32-relu
PORT_DEVICE int port_vimax3_s32_relu(int a, int b, int c) {
  return port_vimax_s32(port_vimax3_s32(a, b, c), 0);
}

//@ section viaddmax-s32-relu
PORT_DEVICE int port_viaddmax_s32_relu(int a, int b, int c) {
  return port_vimax_s32(port_viaddmax_s32(a, b, c), 0);
}

//@ section vimin-s32
// The smaller of two, the helper of the fused forms.
PORT_DEVICE int port_vimin_s32(int a, int b) { return a < b ? a : b; }

//@ section vimin3-s32
PORT_DEVICE int port_vimin3_s32(int a, int b, int c) {
  return port_vimin_s32(port_vimin_s32(a, b), c);
}

//@ section viaddmin-s32
PORT_DEVICE int port_viaddmin_s32(int a, int b, int c) {
  return port_vimin_s32((int)((unsigned int)a + (unsigned int)b), c);
}

//@ section vibmin-s32
PORT_DEVICE int port_vibmin_s32(int a, int b, bool *first) {
  *first = a <= b;
  return *first ? a : b;
}

//@ section vimin-s32-relu
PORT_DEVICE int port_vimin_s32_relu(int a, int b) {
  return port_vimax_s32(port_vimin_s32(a, b), 0);
}

//@ section vimin3-s32-relu
PORT_DEVICE int port_vimin3_s32_relu(int a, int b, int c) {
  return port_vimax_s32(port_vimin3_s32(a, b, c), 0);
}

//@ section viaddmin-s32-relu
PORT_DEVICE int port_viaddmin_s32_relu(int a, int b, int c) {
  return port_vimax_s32(port_viaddmin_s32(a, b, c), 0);
}

//@ section vimax-u32
// The larger of two, the helper of the fused forms.
PORT_DEVICE unsigned int port_vimax_u32(unsigned int a, unsigned int b) { return a > b ? a : b; }

//@ section vimax3-u32
PORT_DEVICE unsigned int port_vimax3_u32(unsigned int a, unsigned int b, unsigned int c) {
  return port_vimax_u32(port_vimax_u32(a, b), c);
}

//@ section viaddmax-u32
PORT_DEVICE unsigned int port_viaddmax_u32(unsigned int a, unsigned int b, unsigned int c) {
  return port_vimax_u32((unsigned int)((unsigned int)a + (unsigned int)b), c);
}

//@ section vibmax-u32
PORT_DEVICE unsigned int port_vibmax_u32(unsigned int a, unsigned int b, bool *first) {
  *first = a >= b;
  return *first ? a : b;
}

//@ section vimin-u32
// The smaller of two, the helper of the fused forms.
PORT_DEVICE unsigned int port_vimin_u32(unsigned int a, unsigned int b) { return a < b ? a : b; }

//@ section vimin3-u32
PORT_DEVICE unsigned int port_vimin3_u32(unsigned int a, unsigned int b, unsigned int c) {
  return port_vimin_u32(port_vimin_u32(a, b), c);
}

//@ section viaddmin-u32
PORT_DEVICE unsigned int port_viaddmin_u32(unsigned int a, unsigned int b, unsigned int c) {
  return port_vimin_u32((unsigned int)((unsigned int)a + (unsigned int)b), c);
}

//@ section vibmin-u32
PORT_DEVICE unsigned int port_vibmin_u32(unsigned int a, unsigned int b, bool *first) {
  *first = a <= b;
  return *first ? a : b;
}

//@ section vimax3-s16x2
PORT_DEVICE unsigned int port_vimax3_s16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxs2(port_vmaxs2(a, b), c);
}

//@ section viaddmax-s16x2
PORT_DEVICE unsigned int port_viaddmax_s16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxs2(port_vadd2(a, b), c);
}

//@ section vibmax-s16x2
PORT_DEVICE unsigned int port_vibmax_s16x2(unsigned int a, unsigned int b, bool *first_high,
                                           bool *first_low) {
  const unsigned int first = port_vcmpges2(a, b);
  *first_high = (first >> 16) != 0;
  *first_low = (first & 0xffff) != 0;
  return port_vmaxs2(a, b);
}

//@ section vimax-s16x2-relu
PORT_DEVICE unsigned int port_vimax_s16x2_relu(unsigned int a, unsigned int b) {
  return port_vmaxs2(port_vmaxs2(a, b), 0);
}

//@ section vimax3-s16x2-relu
PORT_DEVICE unsigned int port_vimax3_s16x2_relu(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxs2(port_vimax3_s16x2(a, b, c), 0);
}

//@ section viaddmax-s16x2-relu
PORT_DEVICE unsigned int port_viaddmax_s16x2_relu(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxs2(port_viaddmax_s16x2(a, b, c), 0);
}

//@ section vimin3-s16x2
PORT_DEVICE unsigned int port_vimin3_s16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmins2(port_vmins2(a, b), c);
}

//@ section viaddmin-s16x2
PORT_DEVICE unsigned int port_viaddmin_s16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmins2(port_vadd2(a, b), c);
}

//@ section vibmin-s16x2
PORT_DEVICE unsigned int port_vibmin_s16x2(unsigned int a, unsigned int b, bool *first_high,
                                           bool *first_low) {
  const unsigned int first = port_vcmples2(a, b);
  *first_high = (first >> 16) != 0;
  *first_low = (first & 0xffff) != 0;
  return port_vmins2(a, b);
}

//@ section vimin-s16x2-relu
PORT_DEVICE unsigned int port_vimin_s16x2_relu(unsigned int a, unsigned int b) {
  return port_vmaxs2(port_vmins2(a, b), 0);
}

//@ section vimin3-s16x2-relu
PORT_DEVICE unsigned int port_vimin3_s16x2_relu(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxs2(port_vimin3_s16x2(a, b, c), 0);
}

//@ section viaddmin-s16x2-relu
PORT_DEVICE unsigned int port_viaddmin_s16x2_relu(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxs2(port_viaddmin_s16x2(a, b, c), 0);
}

//@ section vimax3-u16x2
PORT_DEVICE unsigned int port_vimax3_u16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxu2(port_vmaxu2(a, b), c);
}

//@ section viaddmax-u16x2
PORT_DEVICE unsigned int port_viaddmax_u16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vmaxu2(port_vadd2(a, b), c);
}

//@ section vibmax-u16x2
PORT_DEVICE unsigned int port_vibmax_u16x2(unsigned int a, unsigned int b, bool *first_high,
                                           bool *first_low) {
  const unsigned int first = port_vcmpgeu2(a, b);
  *first_high = (first >> 16) != 0;
  *first_low = (first & 0xffff) != 0;
  return port_vmaxu2(a, b);
}

//@ section vimin3-u16x2
PORT_DEVICE unsigned int port_vimin3_u16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vminu2(port_vminu2(a, b), c);
}

//@ section viaddmin-u16x2
PORT_DEVICE unsigned int port_viaddmin_u16x2(unsigned int a, unsigned int b, unsigned int c) {
  return port_vminu2(port_vadd2(a, b), c);
}

//@ section vibmin-u16x2
PORT_DEVICE unsigned int port_vibmin_u16x2(unsigned int a, unsigned int b, bool *first_high,
                                           bool *first_low) {
  const unsigned int first = port_vcmpleu2(a, b);
  *first_high = (first >> 16) != 0;
  *first_low = (first & 0xffff) != 0;
  return port_vminu2(a, b);
}
