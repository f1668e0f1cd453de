//@ section bfloat16
//@ needs half
// bfloat16 as CUDA has it, the same on every release of ROCm: HIP 5 has no such type that CUDA code
// could use, and those of HIP 6 and 7 differ in their names, conversions and operators.
struct alignas(2) port_bfloat16_raw {
  unsigned short x;
};

// The bits of a float rounded to nearest even, a NaN as the canonical one.
PORT_HOST_DEVICE unsigned short port_bfloat16_bits(float value) {
  const unsigned int bits = port_bits_to<unsigned int>(value);
  if (value != value) return 0x7fff;
  return (unsigned short)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

struct alignas(2) port_bfloat16 {
 protected:
  unsigned short bits;

 public:
  port_bfloat16() = default;
  PORT_HOST_DEVICE constexpr port_bfloat16(const port_bfloat16_raw &raw) : bits(raw.x) {}
  PORT_HOST_DEVICE port_bfloat16(float value) : bits(port_bfloat16_bits(value)) {}
  PORT_HOST_DEVICE port_bfloat16(double value) : bits(port_bfloat16_bits(port_odd_float(value))) {}
  PORT_HOST_DEVICE explicit port_bfloat16(__half value) : port_bfloat16(__half2float(value)) {}
  PORT_HOST_DEVICE port_bfloat16(short value) : port_bfloat16((float)value) {}
  PORT_HOST_DEVICE port_bfloat16(unsigned short value) : port_bfloat16((float)value) {}
  PORT_HOST_DEVICE port_bfloat16(int value) : port_bfloat16((double)value) {}
  PORT_HOST_DEVICE port_bfloat16(unsigned int value) : port_bfloat16((double)value) {}
  PORT_HOST_DEVICE port_bfloat16(long value) : port_bfloat16((long long)value) {}
  PORT_HOST_DEVICE port_bfloat16(unsigned long value) : port_bfloat16((unsigned long long)value) {}
  PORT_HOST_DEVICE port_bfloat16(long long value) : port_bfloat16(port_odd_double(value)) {}
  PORT_HOST_DEVICE port_bfloat16(unsigned long long value)
      : port_bfloat16(port_odd_double(value)) {}

  PORT_HOST_DEVICE port_bfloat16 &operator=(const port_bfloat16_raw &raw) {
    bits = raw.x;
    return *this;
  }
  PORT_HOST_DEVICE volatile port_bfloat16 &operator=(const port_bfloat16_raw &raw) volatile {
    bits = raw.x;
    return *this;
  }
  PORT_HOST_DEVICE volatile port_bfloat16 &operator=(
      const volatile port_bfloat16_raw &raw) volatile {
    bits = raw.x;
    return *this;
  }

  PORT_HOST_DEVICE operator port_bfloat16_raw() const { return port_bfloat16_raw{bits}; }
  PORT_HOST_DEVICE operator port_bfloat16_raw() const volatile { return port_bfloat16_raw{bits}; }
  PORT_HOST_DEVICE operator float() const { return port_bits_to<float>((unsigned int)bits << 16); }
  PORT_HOST_DEVICE operator bool() const { return (bits & 0x7fff) != 0; }
  PORT_HOST_DEVICE operator signed char() const { return (signed char)(float)*this; }
  PORT_HOST_DEVICE operator unsigned char() const { return (unsigned char)(float)*this; }
  PORT_HOST_DEVICE operator char() const { return (char)(float)*this; }
  PORT_HOST_DEVICE operator short() const { return (short)(float)*this; }
  PORT_HOST_DEVICE operator unsigned short() const { return (unsigned short)(float)*this; }
  PORT_HOST_DEVICE operator int() const { return (int)(float)*this; }
  PORT_HOST_DEVICE operator unsigned int() const { return (unsigned int)(float)*this; }
  PORT_HOST_DEVICE operator long() const { return (long)(float)*this; }
  PORT_HOST_DEVICE operator unsigned long() const { return (unsigned long)(float)*this; }
  PORT_HOST_DEVICE operator long long() const { return (long long)(float)*this; }
  PORT_HOST_DEVICE operator unsigned long long() const { return (unsigned long long)(float)*this; }
};

// The value as float, whatever conversions the type offers.
PORT_HOST_DEVICE float port_bfloat162float(port_bfloat16 value) { return (float)value; }

// The value of a float, rounded to nearest even.
PORT_HOST_DEVICE port_bfloat16 port_float2bfloat16(float value) { return port_bfloat16(value); }
PORT_HOST_DEVICE port_bfloat16 port_float2bfloat16_rn(float value) { return port_bfloat16(value); }
PORT_HOST_DEVICE port_bfloat16 port_double2bfloat16(double value) { return port_bfloat16(value); }

// Each operation is rounded once. Through float, which has digits to spare.
PORT_HOST_DEVICE port_bfloat16 operator+(const port_bfloat16 &a, const port_bfloat16 &b) {
  PORT_NO_CONTRACTION
  return port_bfloat16((float)a + (float)b);
}
PORT_HOST_DEVICE port_bfloat16 operator-(const port_bfloat16 &a, const port_bfloat16 &b) {
  PORT_NO_CONTRACTION
  return port_bfloat16((float)a - (float)b);
}
PORT_HOST_DEVICE port_bfloat16 operator*(const port_bfloat16 &a, const port_bfloat16 &b) {
  PORT_NO_CONTRACTION
  return port_bfloat16((float)a * (float)b);
}
PORT_HOST_DEVICE port_bfloat16 operator/(const port_bfloat16 &a, const port_bfloat16 &b) {
  return port_bfloat16((float)a / (float)b);
}
PORT_HOST_DEVICE port_bfloat16 operator+(const port_bfloat16 &a) { return a; }
PORT_HOST_DEVICE port_bfloat16 operator-(const port_bfloat16 &a) {
  return port_bits_to<port_bfloat16>((unsigned short)(port_bits_to<unsigned short>(a) ^ 0x8000));
}
PORT_HOST_DEVICE port_bfloat16 &operator+=(port_bfloat16 &a, const port_bfloat16 &b) {
  return a = a + b;
}
PORT_HOST_DEVICE port_bfloat16 &operator-=(port_bfloat16 &a, const port_bfloat16 &b) {
  return a = a - b;
}
PORT_HOST_DEVICE port_bfloat16 &operator*=(port_bfloat16 &a, const port_bfloat16 &b) {
  return a = a * b;
}
PORT_HOST_DEVICE port_bfloat16 &operator/=(port_bfloat16 &a, const port_bfloat16 &b) {
  return a = a / b;
}
PORT_HOST_DEVICE port_bfloat16 &operator++(port_bfloat16 &a) { return a = a + port_bfloat16(1.0f); }
PORT_HOST_DEVICE port_bfloat16 operator++(port_bfloat16 &a, int) {
  const port_bfloat16 before = a;
  ++a;
  return before;
}
PORT_HOST_DEVICE port_bfloat16 &operator--(port_bfloat16 &a) { return a = a - port_bfloat16(1.0f); }
PORT_HOST_DEVICE port_bfloat16 operator--(port_bfloat16 &a, int) {
  const port_bfloat16 before = a;
  --a;
  return before;
}
PORT_HOST_DEVICE bool operator==(const port_bfloat16 &a, const port_bfloat16 &b) {
  return (float)a == (float)b;
}
PORT_HOST_DEVICE bool operator!=(const port_bfloat16 &a, const port_bfloat16 &b) {
  return (float)a != (float)b;
}
PORT_HOST_DEVICE bool operator<(const port_bfloat16 &a, const port_bfloat16 &b) {
  return (float)a < (float)b;
}
PORT_HOST_DEVICE bool operator>(const port_bfloat16 &a, const port_bfloat16 &b) {
  return (float)a > (float)b;
}
PORT_HOST_DEVICE bool operator<=(const port_bfloat16 &a, const port_bfloat16 &b) {
  return (float)a <= (float)b;
}
PORT_HOST_DEVICE bool operator>=(const port_bfloat16 &a, const port_bfloat16 &b) {
  return (float)a >= (float)b;
}

//@ section bfloat162
struct alignas(4) port_bfloat162_raw {
  unsigned short x;
  unsigned short y;
};

struct alignas(4) port_bfloat162 {
  port_bfloat16 x;
  port_bfloat16 y;

  port_bfloat162() = default;
  PORT_HOST_DEVICE constexpr port_bfloat162(const port_bfloat16 &low, const port_bfloat16 &high)
      : x(low), y(high) {}
  PORT_HOST_DEVICE port_bfloat162(const port_bfloat162_raw &raw)
      : x(port_bfloat16_raw{raw.x}), y(port_bfloat16_raw{raw.y}) {}
  PORT_HOST_DEVICE operator port_bfloat162_raw() const {
    return port_bfloat162_raw{((port_bfloat16_raw)x).x, ((port_bfloat16_raw)y).x};
  }
};

PORT_HOST_DEVICE port_bfloat162 port_halves2bfloat162(port_bfloat16 low, port_bfloat16 high) {
  return port_bfloat162(low, high);
}
PORT_HOST_DEVICE port_bfloat162 port_make_bfloat162(port_bfloat16 low, port_bfloat16 high) {
  return port_bfloat162(low, high);
}
PORT_HOST_DEVICE port_bfloat16 port_low2bfloat16(port_bfloat162 a) { return a.x; }
PORT_HOST_DEVICE port_bfloat16 port_high2bfloat16(port_bfloat162 a) { return a.y; }

PORT_HOST_DEVICE port_bfloat162 operator+(const port_bfloat162 &a, const port_bfloat162 &b) {
  return port_bfloat162(a.x + b.x, a.y + b.y);
}
PORT_HOST_DEVICE port_bfloat162 &operator+=(port_bfloat162 &a, const port_bfloat162 &b) {
  return a = a + b;
}
PORT_HOST_DEVICE port_bfloat162 operator-(const port_bfloat162 &a, const port_bfloat162 &b) {
  return port_bfloat162(a.x - b.x, a.y - b.y);
}
PORT_HOST_DEVICE port_bfloat162 &operator-=(port_bfloat162 &a, const port_bfloat162 &b) {
  return a = a - b;
}
PORT_HOST_DEVICE port_bfloat162 operator*(const port_bfloat162 &a, const port_bfloat162 &b) {
  return port_bfloat162(a.x * b.x, a.y * b.y);
}
PORT_HOST_DEVICE port_bfloat162 &operator*=(port_bfloat162 &a, const port_bfloat162 &b) {
  return a = a * b;
}
PORT_HOST_DEVICE port_bfloat162 operator/(const port_bfloat162 &a, const port_bfloat162 &b) {
  return port_bfloat162(a.x / b.x, a.y / b.y);
}
PORT_HOST_DEVICE port_bfloat162 &operator/=(port_bfloat162 &a, const port_bfloat162 &b) {
  return a = a / b;
}
PORT_HOST_DEVICE port_bfloat162 operator+(const port_bfloat162 &a) { return a; }
PORT_HOST_DEVICE port_bfloat162 operator-(const port_bfloat162 &a) {
  return port_bfloat162(-a.x, -a.y);
}
PORT_HOST_DEVICE port_bfloat162 &operator++(port_bfloat162 &a) {
  ++a.x;
  ++a.y;
  return a;
}
PORT_HOST_DEVICE port_bfloat162 operator++(port_bfloat162 &a, int) {
  const port_bfloat162 before = a;
  ++a;
  return before;
}
PORT_HOST_DEVICE port_bfloat162 &operator--(port_bfloat162 &a) {
  --a.x;
  --a.y;
  return a;
}
PORT_HOST_DEVICE port_bfloat162 operator--(port_bfloat162 &a, int) {
  const port_bfloat162 before = a;
  --a;
  return before;
}
PORT_HOST_DEVICE bool operator==(const port_bfloat162 &a, const port_bfloat162 &b) {
  return a.x == b.x && a.y == b.y;
}
PORT_HOST_DEVICE bool operator!=(const port_bfloat162 &a, const port_bfloat162 &b) {
  return a.x != b.x && a.y != b.y;
}
PORT_HOST_DEVICE bool operator<(const port_bfloat162 &a, const port_bfloat162 &b) {
  return a.x < b.x && a.y < b.y;
}
PORT_HOST_DEVICE bool operator>(const port_bfloat162 &a, const port_bfloat162 &b) {
  return a.x > b.x && a.y > b.y;
}
PORT_HOST_DEVICE bool operator<=(const port_bfloat162 &a, const port_bfloat162 &b) {
  return a.x <= b.x && a.y <= b.y;
}
PORT_HOST_DEVICE bool operator>=(const port_bfloat162 &a, const port_bfloat162 &b) {
  return a.x >= b.x && a.y >= b.y;
}

//@ section bfloat16-bits
PORT_HOST_DEVICE short port_bfloat16_as_short(port_bfloat16 a) { return port_bits_to<short>(a); }
PORT_HOST_DEVICE unsigned short port_bfloat16_as_ushort(port_bfloat16 a) {
  return port_bits_to<unsigned short>(a);
}
PORT_HOST_DEVICE port_bfloat16 port_short_as_bfloat16(short a) {
  return port_bits_to<port_bfloat16>(a);
}
PORT_HOST_DEVICE port_bfloat16 port_ushort_as_bfloat16(unsigned short a) {
  return port_bits_to<port_bfloat16>(a);
}

//@ section bfloat162-conversion
PORT_HOST_DEVICE port_bfloat162 port_float2bfloat162_rn(float a) {
  return port_bfloat162(port_bfloat16(a), port_bfloat16(a));
}
PORT_HOST_DEVICE port_bfloat162 port_floats2bfloat162_rn(float a, float b) {
  return port_bfloat162(port_bfloat16(a), port_bfloat16(b));
}
PORT_HOST_DEVICE port_bfloat162 port_float22bfloat162_rn(float2 a) {
  return port_bfloat162(port_bfloat16(a.x), port_bfloat16(a.y));
}
PORT_HOST_DEVICE float2 port_bfloat1622float2(port_bfloat162 a) {
  return make_float2((float)a.x, (float)a.y);
}

//@ section bfloat162-arrangement
PORT_HOST_DEVICE port_bfloat162 port_bfloat162bfloat162(port_bfloat16 a) {
  return port_bfloat162(a, a);
}
PORT_HOST_DEVICE port_bfloat162 port_lows2bfloat162(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(a.x, b.x);
}
PORT_HOST_DEVICE port_bfloat162 port_highs2bfloat162(port_bfloat162 a, port_bfloat162 b) {
  return port_bfloat162(a.y, b.y);
}
PORT_HOST_DEVICE port_bfloat162 port_low2bfloat162(port_bfloat162 a) {
  return port_bfloat162(a.x, a.x);
}
PORT_HOST_DEVICE port_bfloat162 port_high2bfloat162(port_bfloat162 a) {
  return port_bfloat162(a.y, a.y);
}

//@ section float2bfloat16-directed
template <port_rounding direction>
PORT_HOST_DEVICE port_bfloat16 port_float2bfloat16_directed(float value) {
  const port_bfloat16 nearest(value);
  const float back = (float)nearest;
  const int error = (value > back) - (value < back);
  return port_bits_to<port_bfloat16>(
      port_round_16<direction>(port_bits_to<unsigned short>(nearest), error));
}
PORT_HOST_DEVICE port_bfloat16 port_float2bfloat16_rz(float a) {
  return port_float2bfloat16_directed<port_toward_zero>(a);
}
PORT_HOST_DEVICE port_bfloat16 port_float2bfloat16_ru(float a) {
  return port_float2bfloat16_directed<port_upward>(a);
}
PORT_HOST_DEVICE port_bfloat16 port_float2bfloat16_rd(float a) {
  return port_float2bfloat16_directed<port_downward>(a);
}

//@ section bfloat162int
PORT_DEVICE int port_bfloat162int_rn(port_bfloat16 a) {
  return port_to_integer<int>(rintf((float)a));
}
PORT_DEVICE int port_bfloat162int_rz(port_bfloat16 a) {
  return port_to_integer<int>(truncf((float)a));
}
PORT_DEVICE int port_bfloat162int_ru(port_bfloat16 a) {
  return port_to_integer<int>(ceilf((float)a));
}
PORT_DEVICE int port_bfloat162int_rd(port_bfloat16 a) {
  return port_to_integer<int>(floorf((float)a));
}

//@ section bfloat162uint
PORT_DEVICE unsigned int port_bfloat162uint_rn(port_bfloat16 a) {
  return port_to_integer<unsigned int>(rintf((float)a));
}
PORT_DEVICE unsigned int port_bfloat162uint_rz(port_bfloat16 a) {
  return port_to_integer<unsigned int>(truncf((float)a));
}
PORT_DEVICE unsigned int port_bfloat162uint_ru(port_bfloat16 a) {
  return port_to_integer<unsigned int>(ceilf((float)a));
}
PORT_DEVICE unsigned int port_bfloat162uint_rd(port_bfloat16 a) {
  return port_to_integer<unsigned int>(floorf((float)a));
}

//@ section bfloat162short
PORT_DEVICE short port_bfloat162short_rn(port_bfloat16 a) {
  return port_to_integer<short>(rintf((float)a));
}
PORT_DEVICE short port_bfloat162short_rz(port_bfloat16 a) {
  return port_to_integer<short>(truncf((float)a));
}
PORT_DEVICE short port_bfloat162short_ru(port_bfloat16 a) {
  return port_to_integer<short>(ceilf((float)a));
}
PORT_DEVICE short port_bfloat162short_rd(port_bfloat16 a) {
  return port_to_integer<short>(floorf((float)a));
}

//@ section bfloat162ushort
PORT_DEVICE unsigned short port_bfloat162ushort_rn(port_bfloat16 a) {
  return port_to_integer<unsigned short>(rintf((float)a));
}
PORT_DEVICE unsigned short port_bfloat162ushort_rz(port_bfloat16 a) {
  return port_to_integer<unsigned short>(truncf((float)a));
}
PORT_DEVICE unsigned short port_bfloat162ushort_ru(port_bfloat16 a) {
  return port_to_integer<unsigned short>(ceilf((float)a));
}
PORT_DEVICE unsigned short port_bfloat162ushort_rd(port_bfloat16 a) {
  return port_to_integer<unsigned short>(floorf((float)a));
}

//@ section bfloat162ll
PORT_DEVICE long long port_bfloat162ll_rn(port_bfloat16 a) {
  return port_to_integer<long long>(rintf((float)a));
}
PORT_DEVICE long long port_bfloat162ll_rz(port_bfloat16 a) {
  return port_to_integer<long long>(truncf((float)a));
}
PORT_DEVICE long long port_bfloat162ll_ru(port_bfloat16 a) {
  return port_to_integer<long long>(ceilf((float)a));
}
PORT_DEVICE long long port_bfloat162ll_rd(port_bfloat16 a) {
  return port_to_integer<long long>(floorf((float)a));
}

//@ section bfloat162ull
PORT_DEVICE unsigned long long port_bfloat162ull_rn(port_bfloat16 a) {
  return port_to_integer<unsigned long long>(rintf((float)a));
}
PORT_DEVICE unsigned long long port_bfloat162ull_rz(port_bfloat16 a) {
  return port_to_integer<unsigned long long>(truncf((float)a));
}
PORT_DEVICE unsigned long long port_bfloat162ull_ru(port_bfloat16 a) {
  return port_to_integer<unsigned long long>(ceilf((float)a));
}
PORT_DEVICE unsigned long long port_bfloat162ull_rd(port_bfloat16 a) {
  return port_to_integer<unsigned long long>(floorf((float)a));
}

//@ section bfloat162char
PORT_DEVICE signed char port_bfloat162char_rz(port_bfloat16 a) {
  return port_to_integer<signed char>(truncf((float)a));
}

//@ section bfloat162uchar
PORT_DEVICE unsigned char port_bfloat162uchar_rz(port_bfloat16 a) {
  return port_to_integer<unsigned char>(truncf((float)a));
}

//@ section int2bfloat16
PORT_HOST_DEVICE port_bfloat16 port_int2bfloat16_rn(int a) { return port_bfloat16(a); }
PORT_DEVICE port_bfloat16 port_int2bfloat16_rz(int a) {
  return port_float2bfloat16_rz(port_from_integer<port_toward_zero, float>((int)a));
}
PORT_DEVICE port_bfloat16 port_int2bfloat16_ru(int a) {
  return port_float2bfloat16_ru(port_from_integer<port_upward, float>((int)a));
}
PORT_DEVICE port_bfloat16 port_int2bfloat16_rd(int a) {
  return port_float2bfloat16_rd(port_from_integer<port_downward, float>((int)a));
}

//@ section uint2bfloat16
PORT_HOST_DEVICE port_bfloat16 port_uint2bfloat16_rn(unsigned int a) { return port_bfloat16(a); }
PORT_DEVICE port_bfloat16 port_uint2bfloat16_rz(unsigned int a) {
  return port_float2bfloat16_rz(port_from_integer<port_toward_zero, float>((unsigned int)a));
}
PORT_DEVICE port_bfloat16 port_uint2bfloat16_ru(unsigned int a) {
  return port_float2bfloat16_ru(port_from_integer<port_upward, float>((unsigned int)a));
}
PORT_DEVICE port_bfloat16 port_uint2bfloat16_rd(unsigned int a) {
  return port_float2bfloat16_rd(port_from_integer<port_downward, float>((unsigned int)a));
}

//@ section short2bfloat16
PORT_HOST_DEVICE port_bfloat16 port_short2bfloat16_rn(short a) { return port_bfloat16(a); }
PORT_DEVICE port_bfloat16 port_short2bfloat16_rz(short a) {
  return port_float2bfloat16_rz(port_from_integer<port_toward_zero, float>((int)a));
}
PORT_DEVICE port_bfloat16 port_short2bfloat16_ru(short a) {
  return port_float2bfloat16_ru(port_from_integer<port_upward, float>((int)a));
}
PORT_DEVICE port_bfloat16 port_short2bfloat16_rd(short a) {
  return port_float2bfloat16_rd(port_from_integer<port_downward, float>((int)a));
}

//@ section ushort2bfloat16
PORT_HOST_DEVICE port_bfloat16 port_ushort2bfloat16_rn(unsigned short a) {
  return port_bfloat16(a);
}
PORT_DEVICE port_bfloat16 port_ushort2bfloat16_rz(unsigned short a) {
  return port_float2bfloat16_rz(port_from_integer<port_toward_zero, float>((int)a));
}
PORT_DEVICE port_bfloat16 port_ushort2bfloat16_ru(unsigned short a) {
  return port_float2bfloat16_ru(port_from_integer<port_upward, float>((int)a));
}
PORT_DEVICE port_bfloat16 port_ushort2bfloat16_rd(unsigned short a) {
  return port_float2bfloat16_rd(port_from_integer<port_downward, float>((int)a));
}

//@ section ll2bfloat16
PORT_HOST_DEVICE port_bfloat16 port_ll2bfloat16_rn(long long a) { return port_bfloat16(a); }
PORT_DEVICE port_bfloat16 port_ll2bfloat16_rz(long long a) {
  return port_float2bfloat16_rz(port_from_integer<port_toward_zero, float>((long long)a));
}
PORT_DEVICE port_bfloat16 port_ll2bfloat16_ru(long long a) {
  return port_float2bfloat16_ru(port_from_integer<port_upward, float>((long long)a));
}
PORT_DEVICE port_bfloat16 port_ll2bfloat16_rd(long long a) {
  return port_float2bfloat16_rd(port_from_integer<port_downward, float>((long long)a));
}

//@ section ull2bfloat16
PORT_HOST_DEVICE port_bfloat16 port_ull2bfloat16_rn(unsigned long long a) {
  return port_bfloat16(a);
}
PORT_DEVICE port_bfloat16 port_ull2bfloat16_rz(unsigned long long a) {
  return port_float2bfloat16_rz(port_from_integer<port_toward_zero, float>((unsigned long long)a));
}
PORT_DEVICE port_bfloat16 port_ull2bfloat16_ru(unsigned long long a) {
  return port_float2bfloat16_ru(port_from_integer<port_upward, float>((unsigned long long)a));
}
PORT_DEVICE port_bfloat16 port_ull2bfloat16_rd(unsigned long long a) {
  return port_float2bfloat16_rd(port_from_integer<port_downward, float>((unsigned long long)a));
}
