//@ section dp4a
// The sum of the products of four bytes, added to c, modulo 2^32.
PORT_DEVICE int port_dp4a(int a, int b, int c) {
#if defined(PORT_ORACLE) || !defined(__HIP_DEVICE_COMPILE__)
  for (int i = 0; i < 32; i += 8)
    c = (int)((unsigned int)c + (unsigned int)((signed char)(a >> i) * (signed char)(b >> i)));
  return c;
#elif defined(__gfx906__) || defined(__gfx908__) || defined(__gfx90a__) || defined(__gfx940__) || \
    defined(__gfx941__) || defined(__gfx942__) || defined(__gfx950__) || defined(__gfx1011__) ||  \
    defined(__gfx1012__) || defined(__gfx1030__) || defined(__gfx1031__) ||                       \
    defined(__gfx1032__) || defined(__gfx1033__) || defined(__gfx1034__) ||                       \
    defined(__gfx1035__) || defined(__gfx1036__)
  return __builtin_amdgcn_sdot4(a, b, c, false);
#elif defined(__GFX11__) || defined(__GFX12__)
  return __builtin_amdgcn_sudot4(true, a, true, b, c, false);
#else
  for (int i = 0; i < 32; i += 8)
    c = (int)((unsigned int)c + (unsigned int)((signed char)(a >> i) * (signed char)(b >> i)));
  return c;
#endif
}
PORT_DEVICE unsigned int port_dp4a(unsigned int a, unsigned int b, unsigned int c) {
  for (int i = 0; i < 32; i += 8) c += ((a >> i) & 0xffu) * ((b >> i) & 0xffu);
  return c;
}
PORT_DEVICE int port_dp4a(char4 a, char4 b, int c) {
  int x, y;
  __builtin_memcpy(&x, &a, sizeof(x));
  __builtin_memcpy(&y, &b, sizeof(y));
  return port_dp4a(x, y, c);
}
PORT_DEVICE unsigned int port_dp4a(uchar4 a, uchar4 b, unsigned int c) {
  unsigned int x, y;
  __builtin_memcpy(&x, &a, sizeof(x));
  __builtin_memcpy(&y, &b, sizeof(y));
  return port_dp4a(x, y, c);
}

//@ section dp2a
// The products of two halfwords of a with two bytes of b, the low or the high ones, added to c.
template <int shift>
PORT_DEVICE int port_dp2a(int a, int b, int c) {
  return (int)((unsigned int)c + (unsigned int)((short)a * (signed char)(b >> shift)) +
               (unsigned int)((short)(a >> 16) * (signed char)(b >> (shift + 8))));
}
template <int shift>
PORT_DEVICE unsigned int port_dp2a(unsigned int a, unsigned int b, unsigned int c) {
  return c + (a & 0xffffu) * ((b >> shift) & 0xffu) + (a >> 16) * ((b >> (shift + 8)) & 0xffu);
}

//@ section dp2a-lo
PORT_DEVICE int port_dp2a_lo(int a, int b, int c) { return port_dp2a<0>(a, b, c); }
PORT_DEVICE unsigned int port_dp2a_lo(unsigned int a, unsigned int b, unsigned int c) {
  return port_dp2a<0>(a, b, c);
}
PORT_DEVICE int port_dp2a_lo(short2 a, char4 b, int c) {
  int x, y;
  __builtin_memcpy(&x, &a, sizeof(x));
  __builtin_memcpy(&y, &b, sizeof(y));
  return port_dp2a<0>(x, y, c);
}
PORT_DEVICE unsigned int port_dp2a_lo(ushort2 a, uchar4 b, unsigned int c) {
  unsigned int x, y;
  __builtin_memcpy(&x, &a, sizeof(x));
  __builtin_memcpy(&y, &b, sizeof(y));
  return port_dp2a<0>(x, y, c);
}

//@ section dp2a-hi
PORT_DEVICE int port_dp2a_hi(int a, int b, int c) { return port_dp2a<16>(a, b, c); }
PORT_DEVICE unsigned int port_dp2a_hi(unsigned int a, unsigned int b, unsigned int c) {
  return port_dp2a<16>(a, b, c);
}
PORT_DEVICE int port_dp2a_hi(short2 a, char4 b, int c) {
  int x, y;
  __builtin_memcpy(&x, &a, sizeof(x));
  __builtin_memcpy(&y, &b, sizeof(y));
  return port_dp2a<16>(x, y, c);
}
PORT_DEVICE unsigned int port_dp2a_hi(ushort2 a, uchar4 b, unsigned int c) {
  unsigned int x, y;
  __builtin_memcpy(&x, &a, sizeof(x));
  __builtin_memcpy(&y, &b, sizeof(y));
  return port_dp2a<16>(x, y, c);
}

//@ section hadd-integer
// The average of two ints, rounded down, without overflow.
PORT_DEVICE int port_hadd(int a, int b) { return (int)(((long long)a + b) >> 1); }

//@ section rhadd
PORT_DEVICE int port_rhadd(int a, int b) { return (int)(((long long)a + b + 1) >> 1); }

//@ section uhadd
PORT_DEVICE unsigned int port_uhadd(unsigned int a, unsigned int b) {
  return (unsigned int)(((unsigned long long)a + b) >> 1);
}

//@ section urhadd
PORT_DEVICE unsigned int port_urhadd(unsigned int a, unsigned int b) {
  return (unsigned int)(((unsigned long long)a + b + 1) >> 1);
}

//@ section sad
// c plus the absolute difference of a and b, modulo 2^32.
PORT_DEVICE unsigned int port_sad(int a, int b, unsigned int c) {
  const unsigned int x = (unsigned int)a, y = (unsigned int)b;
  return (a > b ? x - y : y - x) + c;
}

//@ section umin
PORT_HOST_DEVICE unsigned int port_umin(unsigned int a, unsigned int b) { return a < b ? a : b; }

//@ section umax
PORT_HOST_DEVICE unsigned int port_umax(unsigned int a, unsigned int b) { return a > b ? a : b; }

//@ section llmin
PORT_HOST_DEVICE long long port_llmin(long long a, long long b) { return a < b ? a : b; }

//@ section llmax
PORT_HOST_DEVICE long long port_llmax(long long a, long long b) { return a > b ? a : b; }

//@ section ullmin
PORT_HOST_DEVICE unsigned long long port_ullmin(unsigned long long a, unsigned long long b) {
  return a < b ? a : b;
}

//@ section ullmax
PORT_HOST_DEVICE unsigned long long port_ullmax(unsigned long long a, unsigned long long b) {
  return a > b ? a : b;
}

//@ section umul24
// The low 24 bits of each, multiplied, modulo 2^32.
PORT_DEVICE unsigned int port_umul24(unsigned int a, unsigned int b) {
  return (a & 0xffffffu) * (b & 0xffffffu);
}

//@ section byte-swap
PORT_HOST_DEVICE unsigned short port_nv_bswap16(unsigned short a) { return __builtin_bswap16(a); }
PORT_HOST_DEVICE unsigned int port_nv_bswap32(unsigned int a) { return __builtin_bswap32(a); }
PORT_HOST_DEVICE unsigned long long port_nv_bswap64(unsigned long long a) {
  return __builtin_bswap64(a);
}

//@ section bit-counts
// With the results of CUDA, which are int; HIP 5 has unsigned ones.
PORT_DEVICE int port_popc(unsigned int a) { return __builtin_popcount(a); }
PORT_DEVICE int port_popcll(unsigned long long a) { return __builtin_popcountll(a); }
PORT_DEVICE int port_ffs(int a) { return a == 0 ? 0 : __builtin_ctz((unsigned int)a) + 1; }
PORT_DEVICE int port_ffsll(long long a) {
  return a == 0 ? 0 : __builtin_ctzll((unsigned long long)a) + 1;
}

//@ section fns
// The place of the offset-th set bit, from bit `base` on upwards (downwards, where offset is
// negative; the base itself, where it is 0); all ones where there is none.
PORT_DEVICE unsigned int port_fns(unsigned int mask, unsigned int base, int offset) {
  if (offset == 0) return base < 32 && ((mask >> base) & 1u) ? base : 0xffffffffu;
  const int step = offset > 0 ? 1 : -1;
  int left = offset > 0 ? offset : -offset;
  for (int bit = (int)base; bit >= 0 && bit < 32; bit += step) {
    if (((mask >> bit) & 1u) && --left == 0) return (unsigned int)bit;
  }
  return 0xffffffffu;
}
