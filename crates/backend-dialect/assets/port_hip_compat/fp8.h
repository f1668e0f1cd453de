//@ section fp8-codes
//@ needs half
// The 8-bit floats of CUDA (those of the OCP standard), the same on every release and architecture:
// HIP 5 has none, and the hardware of gfx942 has other ones.
typedef unsigned char port_fp8_storage_t;
typedef unsigned short port_fp8x2_storage_t;
typedef unsigned int port_fp8x4_storage_t;
enum port_saturation_t { port_NOSAT, port_SATFINITE };
enum port_fp8_interpretation_t { port_E4M3, port_E5M2 };

// The code of a float, rounded to nearest even. What is too large becomes the largest value where it
// is to saturate, else infinity, or NaN where there is no infinity.
PORT_HOST_DEVICE port_fp8_storage_t port_nv_cvt_float_to_fp8(
    float value, port_saturation_t saturation, port_fp8_interpretation_t interpretation) {
  const bool e4m3 = interpretation == port_E4M3;
  const unsigned int bits = port_bits_to<unsigned int>(value);
  const unsigned int sign = (bits >> 24) & 0x80u;
  const unsigned int magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7f;
  // Above the middle between the largest value and the next step (464, and 61440 itself).
  if (magnitude > (e4m3 ? 0x43e80000u : 0x476fffffu)) {
    const unsigned int largest = e4m3 ? 0x7eu : 0x7bu;
    const unsigned int beyond = e4m3 ? 0x7fu : 0x7cu;
    return (port_fp8_storage_t)(sign | (saturation == port_SATFINITE ? largest : beyond));
  }
  // Below the normal values steps are equal: a sum with a power of two rounds to them.
  if (magnitude < (e4m3 ? 0x3c800000u : 0x38800000u)) {
    const float origin = e4m3 ? 0x1p14f : 0x1p7f;
    const float steps = port_bits_to<float>(magnitude) + origin;
    return (port_fp8_storage_t)(sign | (port_bits_to<unsigned int>(steps) -
                                        port_bits_to<unsigned int>(origin)));
  }
  const int dropped = e4m3 ? 20 : 21;
  const unsigned int half = (1u << (dropped - 1)) - 1 + ((magnitude >> dropped) & 1);
  const unsigned int exponent_change = e4m3 ? 120u << 3 : 112u << 2;
  return (port_fp8_storage_t)(sign | (((magnitude + half) >> dropped) - exponent_change));
}

// The value of a code, which a float holds exactly.
PORT_HOST_DEVICE float port_fp8_to_float(port_fp8_storage_t code,
                                         port_fp8_interpretation_t interpretation) {
  const bool e4m3 = interpretation == port_E4M3;
  const unsigned int magnitude = code & 0x7fu;
  const unsigned int sign = (unsigned int)(code & 0x80u) << 24;
  const int digits = e4m3 ? 3 : 2;
  if (magnitude > (e4m3 ? 0x7eu : 0x7cu)) return port_bits_to<float>(0x7fffffffu);
  if (!e4m3 && magnitude == 0x7c) return port_bits_to<float>(sign | 0x7f800000u);
  if ((magnitude >> digits) == 0) {
    const float steps = (float)magnitude * (e4m3 ? 0x1p-9f : 0x1p-16f);
    return sign != 0 ? -steps : steps;
  }
  const unsigned int exponent_change = e4m3 ? 120u << 23 : 112u << 23;
  return port_bits_to<float>(sign | ((magnitude << (23 - digits)) + exponent_change));
}

//@ section fp8-conversion
//@ needs half
PORT_HOST_DEVICE port_fp8_storage_t port_nv_cvt_double_to_fp8(
    double value, port_saturation_t saturation, port_fp8_interpretation_t interpretation) {
  return port_nv_cvt_float_to_fp8(port_odd_float(value), saturation, interpretation);
}
PORT_HOST_DEVICE port_fp8_storage_t port_nv_cvt_halfraw_to_fp8(
    __half_raw value, port_saturation_t saturation, port_fp8_interpretation_t interpretation) {
  return port_nv_cvt_float_to_fp8(__half2float(__half(value)), saturation, interpretation);
}
PORT_HOST_DEVICE port_fp8x2_storage_t port_nv_cvt_float2_to_fp8x2(
    float2 value, port_saturation_t saturation, port_fp8_interpretation_t interpretation) {
  const unsigned int low = port_nv_cvt_float_to_fp8(value.x, saturation, interpretation);
  const unsigned int high = port_nv_cvt_float_to_fp8(value.y, saturation, interpretation);
  return (port_fp8x2_storage_t)(low | (high << 8));
}
PORT_HOST_DEVICE port_fp8x2_storage_t port_nv_cvt_double2_to_fp8x2(
    double2 value, port_saturation_t saturation, port_fp8_interpretation_t interpretation) {
  const float2 odd = make_float2(port_odd_float(value.x), port_odd_float(value.y));
  return port_nv_cvt_float2_to_fp8x2(odd, saturation, interpretation);
}
PORT_HOST_DEVICE port_fp8x2_storage_t port_nv_cvt_halfraw2_to_fp8x2(
    __half2_raw value, port_saturation_t saturation, port_fp8_interpretation_t interpretation) {
  const __half2 pair = port_bits_to<__half2>(value);
  return port_nv_cvt_float2_to_fp8x2(
      make_float2(__half2float(port_half2_x(pair)), __half2float(port_half2_y(pair))), saturation,
      interpretation);
}
PORT_HOST_DEVICE __half_raw port_nv_cvt_fp8_to_halfraw(port_fp8_storage_t code,
                                                       port_fp8_interpretation_t interpretation) {
  return port_bits_to<__half_raw>(__float2half(port_fp8_to_float(code, interpretation)));
}
PORT_HOST_DEVICE __half2_raw
port_nv_cvt_fp8x2_to_halfraw2(port_fp8x2_storage_t code, port_fp8_interpretation_t interpretation) {
  __half pair[2] = {
      __float2half(port_fp8_to_float((port_fp8_storage_t)code, interpretation)),
      __float2half(port_fp8_to_float((port_fp8_storage_t)(code >> 8), interpretation))};
  __half2_raw result;
  __builtin_memcpy((void *)&result, (const void *)pair, sizeof(result));
  return result;
}

//@ section fp8-conversion-bfloat16
PORT_HOST_DEVICE port_fp8_storage_t
port_nv_cvt_bfloat16raw_to_fp8(port_bfloat16_raw value, port_saturation_t saturation,
                               port_fp8_interpretation_t interpretation) {
  return port_nv_cvt_float_to_fp8((float)port_bfloat16(value), saturation, interpretation);
}
PORT_HOST_DEVICE port_fp8x2_storage_t
port_nv_cvt_bfloat16raw2_to_fp8x2(port_bfloat162_raw value, port_saturation_t saturation,
                                  port_fp8_interpretation_t interpretation) {
  const port_bfloat162 pair(value);
  return port_nv_cvt_float2_to_fp8x2(make_float2((float)pair.x, (float)pair.y), saturation,
                                     interpretation);
}
PORT_HOST_DEVICE port_bfloat16_raw
port_nv_cvt_fp8_to_bf16raw(port_fp8_storage_t code, port_fp8_interpretation_t interpretation) {
  return port_bfloat16(port_fp8_to_float(code, interpretation));
}
PORT_HOST_DEVICE port_bfloat162_raw
port_nv_cvt_fp8x2_to_bf162raw(port_fp8x2_storage_t code, port_fp8_interpretation_t interpretation) {
  return port_bfloat162(
      port_bfloat16(port_fp8_to_float((port_fp8_storage_t)code, interpretation)),
      port_bfloat16(port_fp8_to_float((port_fp8_storage_t)(code >> 8), interpretation)));
}

//@ section fp8
// One value. Conversions saturate, and integers are reached toward zero.
template <port_fp8_interpretation_t interpretation>
struct port_fp8 {
  port_fp8_storage_t __x;

  port_fp8() = default;
  template <typename T>
  PORT_HOST_DEVICE explicit port_fp8(T value)
      : __x(port_nv_cvt_float_to_fp8((float)value, port_SATFINITE, interpretation)) {}
  PORT_HOST_DEVICE explicit port_fp8(double value)
      : __x(port_nv_cvt_double_to_fp8(value, port_SATFINITE, interpretation)) {}

  PORT_HOST_DEVICE explicit operator float() const {
    return port_fp8_to_float(__x, interpretation);
  }
  template <typename T>
  PORT_HOST_DEVICE explicit operator T() const {
    return (T)port_fp8_to_float(__x, interpretation);
  }
  PORT_HOST_DEVICE explicit operator bool() const { return (__x & 0x7f) != 0; }
  PORT_HOST_DEVICE explicit operator signed char() const { return whole<signed char>(); }
  PORT_HOST_DEVICE explicit operator unsigned char() const { return whole<unsigned char>(); }
  PORT_HOST_DEVICE explicit operator char() const { return (char)whole<signed char>(); }
  PORT_HOST_DEVICE explicit operator short() const { return whole<short>(); }
  PORT_HOST_DEVICE explicit operator unsigned short() const { return whole<unsigned short>(); }
  PORT_HOST_DEVICE explicit operator int() const { return whole<int>(); }
  PORT_HOST_DEVICE explicit operator unsigned int() const { return whole<unsigned int>(); }
  PORT_HOST_DEVICE explicit operator long() const { return whole<long>(); }
  PORT_HOST_DEVICE explicit operator unsigned long() const { return whole<unsigned long>(); }
  PORT_HOST_DEVICE explicit operator long long() const { return whole<long long>(); }
  PORT_HOST_DEVICE explicit operator unsigned long long() const {
    return whole<unsigned long long>();
  }

 private:
  template <typename Int>
  PORT_HOST_DEVICE Int whole() const {
    return port_to_integer<Int>(__builtin_truncf(port_fp8_to_float(__x, interpretation)));
  }
};
typedef port_fp8<port_E4M3> port_fp8_e4m3;
typedef port_fp8<port_E5M2> port_fp8_e5m2;

//@ section fp8x2
// Two values, the first in the low byte.
template <port_fp8_interpretation_t interpretation>
struct alignas(2) port_fp8x2 {
  port_fp8x2_storage_t __x;

  port_fp8x2() = default;
  template <typename Pair>
  PORT_HOST_DEVICE explicit port_fp8x2(Pair pair)
      : __x(join(port_fp8<interpretation>(pair.x), port_fp8<interpretation>(pair.y))) {}
  PORT_HOST_DEVICE explicit port_fp8x2(__half2 pair)
      : __x(join(port_fp8<interpretation>(port_half2_x(pair)),
                 port_fp8<interpretation>(port_half2_y(pair)))) {}

  PORT_HOST_DEVICE explicit operator float2() const { return make_float2(value(0), value(8)); }
  PORT_HOST_DEVICE explicit operator __half2() const {
    __half2 pair;
    port_half2_x(pair) = __float2half(value(0));
    port_half2_y(pair) = __float2half(value(8));
    return pair;
  }
  template <typename Pair>
  PORT_HOST_DEVICE explicit operator Pair() const {
    return Pair(value(0), value(8));
  }

 private:
  PORT_HOST_DEVICE static port_fp8x2_storage_t join(port_fp8<interpretation> low,
                                                    port_fp8<interpretation> high) {
    return (port_fp8x2_storage_t)(low.__x | (high.__x << 8));
  }
  PORT_HOST_DEVICE float value(int place) const {
    return port_fp8_to_float((port_fp8_storage_t)(__x >> place), interpretation);
  }
};
typedef port_fp8x2<port_E4M3> port_fp8x2_e4m3;
typedef port_fp8x2<port_E5M2> port_fp8x2_e5m2;

//@ section fp8x4
// Four values, the first in the lowest byte.
template <port_fp8_interpretation_t interpretation>
struct alignas(4) port_fp8x4 {
  port_fp8x4_storage_t __x;

  port_fp8x4() = default;
  template <typename Four>
  PORT_HOST_DEVICE explicit port_fp8x4(Four four)
      : __x(code(four.x) | (code(four.y) << 8) | (code(four.z) << 16) | (code(four.w) << 24)) {}
  template <typename Pair>
  PORT_HOST_DEVICE explicit port_fp8x4(Pair low, Pair high)
      : __x(port_fp8x2<interpretation>(low).__x |
            ((unsigned int)port_fp8x2<interpretation>(high).__x << 16)) {}

  PORT_HOST_DEVICE explicit operator float4() const {
    return make_float4(value(0), value(8), value(16), value(24));
  }

 private:
  template <typename T>
  PORT_HOST_DEVICE static unsigned int code(T value) {
    return port_fp8<interpretation>(value).__x;
  }
  PORT_HOST_DEVICE float value(int place) const {
    return port_fp8_to_float((port_fp8_storage_t)(__x >> place), interpretation);
  }
};
typedef port_fp8x4<port_E4M3> port_fp8x4_e4m3;
typedef port_fp8x4<port_E5M2> port_fp8x4_e5m2;
