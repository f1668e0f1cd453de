//@ section sixteen-bits
// Shared by half and bfloat16: values of 16 bits, with the sign in the highest.
// The larger of two values, with their values as float. CUDA: the one that is a number, and +0
// before -0; where a NaN results, it is the canonical one.
template <typename T>
PORT_HOST_DEVICE T port_max_16(T a, T b, float x, float y, bool keep_nan) {
  if (x != x || y != y) {
    if (keep_nan || (x != x && y != y)) return port_bits_to<T>((unsigned short)0x7fff);
    return x != x ? b : a;
  }
  if (x != y) return x > y ? a : b;
  return port_bits_to<T>(
      (unsigned short)(port_bits_to<unsigned short>(a) & port_bits_to<unsigned short>(b)));
}
template <typename T>
PORT_HOST_DEVICE T port_min_16(T a, T b, float x, float y, bool keep_nan) {
  if (x != x || y != y) return port_max_16(a, b, x, y, keep_nan);
  if (x != y) return x < y ? a : b;
  return port_bits_to<T>(
      (unsigned short)(port_bits_to<unsigned short>(a) | port_bits_to<unsigned short>(b)));
}

//@ section round-sixteen-bits
// Directed rounding as port_round_to does it, on the bits of a value of 16 bits.
template <port_rounding direction>
PORT_HOST_DEVICE unsigned short port_round_16(unsigned short neighbour, int error) {
  const bool zero = (neighbour & 0x7fff) == 0;
  const bool negative = (neighbour & 0x8000) != 0;
  const bool up = direction == port_upward || (direction == port_toward_zero && !zero && negative);
  const bool down =
      direction == port_downward || (direction == port_toward_zero && !zero && !negative);
  if (up && error > 0) return (unsigned short)(zero ? 1 : negative ? neighbour - 1 : neighbour + 1);
  if (down && error < 0)
    return (unsigned short)(zero ? 0x8001 : negative ? neighbour + 1 : neighbour - 1);
  return neighbour;
}

//@ section half
//@ provides port_half
#include <hip/hip_fp16.h>

//@ section half2-members
//@ needs half
// The halves of a pair as values that may be assigned; before HIP 6 its members are plain integers.
PORT_HOST_DEVICE __half &port_half2_x(__half2 &pair) {
  return reinterpret_cast<__half *>(&pair)[0];
}
PORT_HOST_DEVICE __half &port_half2_y(__half2 &pair) {
  return reinterpret_cast<__half *>(&pair)[1];
}
PORT_HOST_DEVICE const __half &port_half2_x(const __half2 &pair) {
  return reinterpret_cast<const __half *>(&pair)[0];
}
PORT_HOST_DEVICE const __half &port_half2_y(const __half2 &pair) {
  return reinterpret_cast<const __half *>(&pair)[1];
}
PORT_HOST_DEVICE __half port_half2_x(__half2 &&pair) {
  return reinterpret_cast<__half *>(&pair)[0];
}
PORT_HOST_DEVICE __half port_half2_y(__half2 &&pair) {
  return reinterpret_cast<__half *>(&pair)[1];
}

//@ section half2-each
//@ needs half
// An operation on the low halves and on the high halves.
template <typename Operation>
PORT_DEVICE __half2 port_half2_each(__half2 a, __half2 b, Operation operation) {
  return __halves2half2(operation(__low2half(a), __low2half(b)),
                        operation(__high2half(a), __high2half(b)));
}

//@ section hmax
//@ needs half
PORT_DEVICE __half port_hmax(__half a, __half b) {
  return port_max_16(a, b, __half2float(a), __half2float(b), false);
}

//@ section hmax2
PORT_DEVICE __half2 port_hmax2(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hmax(x, y); });
}

//@ section hmin
//@ needs half
PORT_DEVICE __half port_hmin(__half a, __half b) {
  return port_min_16(a, b, __half2float(a), __half2float(b), false);
}

//@ section hmin2
PORT_DEVICE __half2 port_hmin2(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hmin(x, y); });
}

//@ section hmax_nan
//@ needs half
PORT_DEVICE __half port_hmax_nan(__half a, __half b) {
  return port_max_16(a, b, __half2float(a), __half2float(b), true);
}

//@ section hmax2_nan
PORT_DEVICE __half2 port_hmax2_nan(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hmax_nan(x, y); });
}

//@ section hmin_nan
//@ needs half
PORT_DEVICE __half port_hmin_nan(__half a, __half b) {
  return port_min_16(a, b, __half2float(a), __half2float(b), true);
}

//@ section hmin2_nan
PORT_DEVICE __half2 port_hmin2_nan(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hmin_nan(x, y); });
}

//@ section half-nearest
//@ needs half
// Through float: with so many digits to spare, rounding twice changes nothing.
PORT_DEVICE __half port_hadd_rn(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return __float2half(port_sum_rn(x, y));
}
PORT_DEVICE __half port_hsub_rn(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return __float2half(port_sum_rn(x, -y));
}
PORT_DEVICE __half port_hmul_rn(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return __float2half(port_product_rn(x, y));
}

//@ section half2-nearest
PORT_DEVICE __half2 port_hadd2_rn(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hadd_rn(x, y); });
}
PORT_DEVICE __half2 port_hsub2_rn(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hsub_rn(x, y); });
}
PORT_DEVICE __half2 port_hmul2_rn(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hmul_rn(x, y); });
}

//@ section half-saturate
//@ needs half
// To the range from 0 to 1, a NaN to 0.
PORT_DEVICE __half port_half_saturate(__half a) {
  const float value = __half2float(a);
  return __float2half(value > 0.0f ? (value < 1.0f ? value : 1.0f) : 0.0f);
}

//@ section hadd-sat
//@ needs half
PORT_DEVICE __half port_hadd_sat(__half a, __half b) {
  return port_half_saturate(port_hadd_rn(a, b));
}

//@ section hadd2-sat
//@ needs half
PORT_DEVICE __half2 port_hadd2_sat(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hadd_sat(x, y); });
}

//@ section hsub-sat
//@ needs half
PORT_DEVICE __half port_hsub_sat(__half a, __half b) {
  return port_half_saturate(port_hsub_rn(a, b));
}

//@ section hsub2-sat
//@ needs half
PORT_DEVICE __half2 port_hsub2_sat(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hsub_sat(x, y); });
}

//@ section hmul-sat
//@ needs half
PORT_DEVICE __half port_hmul_sat(__half a, __half b) {
  return port_half_saturate(port_hmul_rn(a, b));
}

//@ section hmul2-sat
//@ needs half
PORT_DEVICE __half2 port_hmul2_sat(__half2 a, __half2 b) {
  return port_half2_each(a, b, [](__half x, __half y) { return port_hmul_sat(x, y); });
}

//@ section hfma-sat
//@ needs half
PORT_DEVICE __half port_hfma_sat(__half a, __half b, __half c) {
  return port_half_saturate(__hfma(a, b, c));
}

//@ section hfma2-sat
//@ needs half
PORT_DEVICE __half2 port_hfma2_sat(__half2 a, __half2 b, __half2 c) {
  return __halves2half2(port_hfma_sat(__low2half(a), __low2half(b), __low2half(c)),
                        port_hfma_sat(__high2half(a), __high2half(b), __high2half(c)));
}

//@ section hfma-relu
//@ needs half
// Negative results become 0, a NaN the canonical one.
PORT_DEVICE __half port_hfma_relu(__half a, __half b, __half c) {
  const __half result = __hfma(a, b, c);
  const __half zero = port_bits_to<__half>((unsigned short)0);
  return port_max_16(result, zero, __half2float(result), 0.0f, true);
}

//@ section hfma2-relu
PORT_DEVICE __half2 port_hfma2_relu(__half2 a, __half2 b, __half2 c) {
  return __halves2half2(port_hfma_relu(__low2half(a), __low2half(b), __low2half(c)),
                        port_hfma_relu(__high2half(a), __high2half(b), __high2half(c)));
}

//@ section hcmadd
//@ needs half
// Complex a times b plus c, real part first, each step fused.
PORT_DEVICE __half2 port_hcmadd(__half2 a, __half2 b, __half2 c) {
  const __half real = __hfma(__low2half(a), __low2half(b), __low2half(c));
  const __half imaginary = __hfma(__low2half(a), __high2half(b), __high2half(c));
  return __halves2half2(__hfma(__hneg(__high2half(a)), __high2half(b), real),
                        __hfma(__high2half(a), __low2half(b), imaginary));
}

//@ section half-unordered
//@ needs half
// Comparisons that hold where a value is a NaN. HIP 5.2 has ordered ones under these names.
PORT_DEVICE bool port_hequ(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return !(x < y || x > y);
}
PORT_DEVICE bool port_hleu(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return !(x > y);
}
PORT_DEVICE bool port_hgeu(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return !(x < y);
}
PORT_DEVICE bool port_hltu(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return !(x >= y);
}
PORT_DEVICE bool port_hgtu(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return !(x <= y);
}

//@ section hisinf
//@ needs half
// 1 for positive infinity, -1 for negative, else 0.
PORT_DEVICE int port_hisinf(__half a) {
  const unsigned short bits = port_bits_to<unsigned short>(a);
  return bits == 0x7c00 ? 1 : bits == 0xfc00 ? -1 : 0;
}

//@ section half-ne
//@ needs half
// Not equal, and both numbers.
PORT_DEVICE bool port_hne(__half a, __half b) {
  const float x = __half2float(a), y = __half2float(b);
  return x < y || x > y;
}

//@ section half2-masks
//@ needs half
// For each half of a pair whether a comparison holds: all of its bits set, or none.
template <typename Comparison>
PORT_DEVICE unsigned int port_half2_mask(__half2 a, __half2 b, Comparison holds) {
  const bool low = holds(__half2float(__low2half(a)), __half2float(__low2half(b)));
  const bool high = holds(__half2float(__high2half(a)), __half2float(__high2half(b)));
  return (low ? 0xffffu : 0u) | (high ? 0xffff0000u : 0u);
}
PORT_DEVICE unsigned int port_heq2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return x == y; });
}
PORT_DEVICE unsigned int port_hne2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return x < y || x > y; });
}
PORT_DEVICE unsigned int port_hle2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return x <= y; });
}
PORT_DEVICE unsigned int port_hge2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return x >= y; });
}
PORT_DEVICE unsigned int port_hlt2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return x < y; });
}
PORT_DEVICE unsigned int port_hgt2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return x > y; });
}
PORT_DEVICE unsigned int port_hequ2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return !(x < y || x > y); });
}
PORT_DEVICE unsigned int port_hneu2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return x != y; });
}
PORT_DEVICE unsigned int port_hleu2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return !(x > y); });
}
PORT_DEVICE unsigned int port_hgeu2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return !(x < y); });
}
PORT_DEVICE unsigned int port_hltu2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return !(x >= y); });
}
PORT_DEVICE unsigned int port_hgtu2_mask(__half2 a, __half2 b) {
  return port_half2_mask(a, b, [](float x, float y) { return !(x <= y); });
}

//@ section hequ2
PORT_DEVICE __half2 port_hequ2(__half2 a, __half2 b) {
  return port_bits_to<__half2>(port_hequ2_mask(a, b) & 0x3c003c00u);  // 1 or 0
}

//@ section hbequ2
PORT_DEVICE bool port_hbequ2(__half2 a, __half2 b) { return port_hequ2_mask(a, b) == 0xffffffffu; }

//@ section hleu2
PORT_DEVICE __half2 port_hleu2(__half2 a, __half2 b) {
  return port_bits_to<__half2>(port_hleu2_mask(a, b) & 0x3c003c00u);  // 1 or 0
}

//@ section hbleu2
PORT_DEVICE bool port_hbleu2(__half2 a, __half2 b) { return port_hleu2_mask(a, b) == 0xffffffffu; }

//@ section hgeu2
PORT_DEVICE __half2 port_hgeu2(__half2 a, __half2 b) {
  return port_bits_to<__half2>(port_hgeu2_mask(a, b) & 0x3c003c00u);  // 1 or 0
}

//@ section hbgeu2
PORT_DEVICE bool port_hbgeu2(__half2 a, __half2 b) { return port_hgeu2_mask(a, b) == 0xffffffffu; }

//@ section hltu2
PORT_DEVICE __half2 port_hltu2(__half2 a, __half2 b) {
  return port_bits_to<__half2>(port_hltu2_mask(a, b) & 0x3c003c00u);  // 1 or 0
}

//@ section hbltu2
PORT_DEVICE bool port_hbltu2(__half2 a, __half2 b) { return port_hltu2_mask(a, b) == 0xffffffffu; }

//@ section hgtu2
PORT_DEVICE __half2 port_hgtu2(__half2 a, __half2 b) {
  return port_bits_to<__half2>(port_hgtu2_mask(a, b) & 0x3c003c00u);  // 1 or 0
}

//@ section hbgtu2
PORT_DEVICE bool port_hbgtu2(__half2 a, __half2 b) { return port_hgtu2_mask(a, b) == 0xffffffffu; }

//@ section hne2
PORT_DEVICE __half2 port_hne2(__half2 a, __half2 b) {
  return port_bits_to<__half2>(port_hne2_mask(a, b) & 0x3c003c00u);  // 1 or 0
}

//@ section hbne2
PORT_DEVICE bool port_hbne2(__half2 a, __half2 b) { return port_hne2_mask(a, b) == 0xffffffffu; }

//@ section htanh
//@ needs half
PORT_DEVICE __half port_htanh(__half a) { return __float2half(tanhf(__half2float(a))); }
PORT_DEVICE __half port_htanh_approx(__half a) { return __float2half(tanhf(__half2float(a))); }

//@ section h2tanh
//@ needs half
PORT_DEVICE __half2 port_h2tanh(__half2 a) {
  return __halves2half2(port_htanh(__low2half(a)), port_htanh(__high2half(a)));
}
PORT_DEVICE __half2 port_h2tanh_approx(__half2 a) { return port_h2tanh(a); }

//@ section odd-float
// A double as the float below it in magnitude, with the last bit set where that is not exact: what
// is rounded from it to fewer digits is as if it were rounded from the double.
PORT_HOST_DEVICE float port_odd_float(double value) {
  float result = (float)value;
  if (result != value && result == result) {
    unsigned int bits = port_bits_to<unsigned int>(result);
    // Back from a neighbour that is larger, infinity included.
    if ((value < 0 ? -result : result) > (value < 0 ? -value : value)) --bits;
    result = port_bits_to<float>(bits | 1u);
  }
  return result;
}

//@ section odd-double
// A 64-bit integer as a double in the same manner.
template <typename Int>
PORT_HOST_DEVICE double port_odd_double(Int value) {
  const bool negative = value < (Int)0;
  unsigned long long magnitude =
      negative ? 0ull - (unsigned long long)value : (unsigned long long)value;
  // Twelve bits are enough to leave 53, and their loss is kept in the lowest that stays.
  if (magnitude >> 53)
    magnitude = (magnitude & ~0xfffull) | ((magnitude & 0xfff) != 0 ? 0x1000ull : 0ull);
  return negative ? -(double)magnitude : (double)magnitude;
}

//@ section double2half
//@ needs half
PORT_HOST_DEVICE __half port_double2half(double a) { return __float2half(port_odd_float(a)); }

//@ section float2half-directed
//@ needs half
template <port_rounding direction>
PORT_DEVICE __half port_float2half_directed(float value) {
  const __half nearest = __float2half(value);
  const float back = __half2float(nearest);
  const int error = (value > back) - (value < back);
  return port_bits_to<__half>(
      port_round_16<direction>(port_bits_to<unsigned short>(nearest), error));
}
PORT_DEVICE __half port_float2half_rz(float a) {
  return port_float2half_directed<port_toward_zero>(a);
}
PORT_DEVICE __half port_float2half_ru(float a) { return port_float2half_directed<port_upward>(a); }
PORT_DEVICE __half port_float2half_rd(float a) {
  return port_float2half_directed<port_downward>(a);
}

//@ section half2int
//@ needs half
PORT_DEVICE int port_half2int_rn(__half a) { return port_to_integer<int>(rintf(__half2float(a))); }
PORT_DEVICE int port_half2int_rz(__half a) { return port_to_integer<int>(truncf(__half2float(a))); }
PORT_DEVICE int port_half2int_ru(__half a) { return port_to_integer<int>(ceilf(__half2float(a))); }
PORT_DEVICE int port_half2int_rd(__half a) { return port_to_integer<int>(floorf(__half2float(a))); }

//@ section half2uint
//@ needs half
PORT_DEVICE unsigned int port_half2uint_rn(__half a) {
  return port_to_integer<unsigned int>(rintf(__half2float(a)));
}
PORT_DEVICE unsigned int port_half2uint_rz(__half a) {
  return port_to_integer<unsigned int>(truncf(__half2float(a)));
}
PORT_DEVICE unsigned int port_half2uint_ru(__half a) {
  return port_to_integer<unsigned int>(ceilf(__half2float(a)));
}
PORT_DEVICE unsigned int port_half2uint_rd(__half a) {
  return port_to_integer<unsigned int>(floorf(__half2float(a)));
}

//@ section half2short
//@ needs half
PORT_DEVICE short port_half2short_rn(__half a) {
  return port_to_integer<short>(rintf(__half2float(a)));
}
PORT_DEVICE short port_half2short_rz(__half a) {
  return port_to_integer<short>(truncf(__half2float(a)));
}
PORT_DEVICE short port_half2short_ru(__half a) {
  return port_to_integer<short>(ceilf(__half2float(a)));
}
PORT_DEVICE short port_half2short_rd(__half a) {
  return port_to_integer<short>(floorf(__half2float(a)));
}

//@ section half2ushort
//@ needs half
PORT_DEVICE unsigned short port_half2ushort_rn(__half a) {
  return port_to_integer<unsigned short>(rintf(__half2float(a)));
}
PORT_DEVICE unsigned short port_half2ushort_rz(__half a) {
  return port_to_integer<unsigned short>(truncf(__half2float(a)));
}
PORT_DEVICE unsigned short port_half2ushort_ru(__half a) {
  return port_to_integer<unsigned short>(ceilf(__half2float(a)));
}
PORT_DEVICE unsigned short port_half2ushort_rd(__half a) {
  return port_to_integer<unsigned short>(floorf(__half2float(a)));
}

//@ section half2ll
//@ needs half
PORT_DEVICE long long port_half2ll_rn(__half a) {
  return port_to_integer<long long>(rintf(__half2float(a)));
}
PORT_DEVICE long long port_half2ll_rz(__half a) {
  return port_to_integer<long long>(truncf(__half2float(a)));
}
PORT_DEVICE long long port_half2ll_ru(__half a) {
  return port_to_integer<long long>(ceilf(__half2float(a)));
}
PORT_DEVICE long long port_half2ll_rd(__half a) {
  return port_to_integer<long long>(floorf(__half2float(a)));
}

//@ section half2ull
//@ needs half
PORT_DEVICE unsigned long long port_half2ull_rn(__half a) {
  return port_to_integer<unsigned long long>(rintf(__half2float(a)));
}
PORT_DEVICE unsigned long long port_half2ull_rz(__half a) {
  return port_to_integer<unsigned long long>(truncf(__half2float(a)));
}
PORT_DEVICE unsigned long long port_half2ull_ru(__half a) {
  return port_to_integer<unsigned long long>(ceilf(__half2float(a)));
}
PORT_DEVICE unsigned long long port_half2ull_rd(__half a) {
  return port_to_integer<unsigned long long>(floorf(__half2float(a)));
}

//@ section half2char
//@ needs half
PORT_DEVICE signed char port_half2char_rz(__half a) {
  return port_to_integer<signed char>(truncf(__half2float(a)));
}

//@ section half2uchar
//@ needs half
PORT_DEVICE unsigned char port_half2uchar_rz(__half a) {
  return port_to_integer<unsigned char>(truncf(__half2float(a)));
}

//@ section int2half
//@ needs half
// Integers that a float cannot hold are above the range of half.
PORT_DEVICE __half port_int2half_rn(int a) { return __float2half((float)a); }
PORT_DEVICE __half port_int2half_rz(int a) {
  return port_float2half_rz(port_from_integer<port_toward_zero, float>((int)a));
}
PORT_DEVICE __half port_int2half_ru(int a) {
  return port_float2half_ru(port_from_integer<port_upward, float>((int)a));
}
PORT_DEVICE __half port_int2half_rd(int a) {
  return port_float2half_rd(port_from_integer<port_downward, float>((int)a));
}

//@ section uint2half
//@ needs half
PORT_DEVICE __half port_uint2half_rn(unsigned int a) { return __float2half((float)a); }
PORT_DEVICE __half port_uint2half_rz(unsigned int a) {
  return port_float2half_rz(port_from_integer<port_toward_zero, float>((unsigned int)a));
}
PORT_DEVICE __half port_uint2half_ru(unsigned int a) {
  return port_float2half_ru(port_from_integer<port_upward, float>((unsigned int)a));
}
PORT_DEVICE __half port_uint2half_rd(unsigned int a) {
  return port_float2half_rd(port_from_integer<port_downward, float>((unsigned int)a));
}

//@ section short2half
//@ needs half
PORT_DEVICE __half port_short2half_rn(short a) { return __float2half((float)a); }
PORT_DEVICE __half port_short2half_rz(short a) {
  return port_float2half_rz(port_from_integer<port_toward_zero, float>((int)a));
}
PORT_DEVICE __half port_short2half_ru(short a) {
  return port_float2half_ru(port_from_integer<port_upward, float>((int)a));
}
PORT_DEVICE __half port_short2half_rd(short a) {
  return port_float2half_rd(port_from_integer<port_downward, float>((int)a));
}

//@ section ushort2half
//@ needs half
PORT_DEVICE __half port_ushort2half_rn(unsigned short a) { return __float2half((float)a); }
PORT_DEVICE __half port_ushort2half_rz(unsigned short a) {
  return port_float2half_rz(port_from_integer<port_toward_zero, float>((int)a));
}
PORT_DEVICE __half port_ushort2half_ru(unsigned short a) {
  return port_float2half_ru(port_from_integer<port_upward, float>((int)a));
}
PORT_DEVICE __half port_ushort2half_rd(unsigned short a) {
  return port_float2half_rd(port_from_integer<port_downward, float>((int)a));
}

//@ section ll2half
//@ needs half
PORT_DEVICE __half port_ll2half_rn(long long a) { return __float2half((float)a); }
PORT_DEVICE __half port_ll2half_rz(long long a) {
  return port_float2half_rz(port_from_integer<port_toward_zero, float>((long long)a));
}
PORT_DEVICE __half port_ll2half_ru(long long a) {
  return port_float2half_ru(port_from_integer<port_upward, float>((long long)a));
}
PORT_DEVICE __half port_ll2half_rd(long long a) {
  return port_float2half_rd(port_from_integer<port_downward, float>((long long)a));
}

//@ section ull2half
//@ needs half
PORT_DEVICE __half port_ull2half_rn(unsigned long long a) { return __float2half((float)a); }
PORT_DEVICE __half port_ull2half_rz(unsigned long long a) {
  return port_float2half_rz(port_from_integer<port_toward_zero, float>((unsigned long long)a));
}
PORT_DEVICE __half port_ull2half_ru(unsigned long long a) {
  return port_float2half_ru(port_from_integer<port_upward, float>((unsigned long long)a));
}
PORT_DEVICE __half port_ull2half_rd(unsigned long long a) {
  return port_float2half_rd(port_from_integer<port_downward, float>((unsigned long long)a));
}
