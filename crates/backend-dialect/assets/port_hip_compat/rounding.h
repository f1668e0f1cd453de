//@ section contraction
// At the start of a block: each operation in it is rounded on its own. clang's default for HIP
// fuses a product and a sum across function calls, which CUDA's intrinsics with a rounding in their
// name never do.
#ifdef __clang__
#define PORT_NO_CONTRACTION _Pragma("clang fp contract(off)")
#else
#define PORT_NO_CONTRACTION
#endif
// Under -ffast-math the pragma is not heeded; what the compiler cannot see through, it cannot fuse.
#if defined(__FAST_MATH__) && defined(__HIP_DEVICE_COMPILE__) && __HIP_DEVICE_COMPILE__
#define PORT_OPAQUE(value) asm("" : "+v"(value))
#else
#define PORT_OPAQUE(value) ((void)0)
#endif

//@ section nearest-sum
//@ needs base
// A sum and a product that are rounded to nearest and never fused with another operation.
template <typename T>
PORT_DEVICE T port_sum_rn(T a, T b) {
  PORT_NO_CONTRACTION
  PORT_OPAQUE(a);
  PORT_OPAQUE(b);
  T sum = a + b;
  PORT_OPAQUE(sum);
  return sum;
}

template <typename T>
PORT_DEVICE T port_product_rn(T a, T b) {
  PORT_NO_CONTRACTION
  T product = a * b;
  PORT_OPAQUE(product);
  return product;
}

//@ section fadd-rn
PORT_DEVICE float port_fadd_rn(float a, float b) { return port_sum_rn(a, b); }

//@ section fsub-rn
PORT_DEVICE float port_fsub_rn(float a, float b) { return port_sum_rn(a, -b); }

//@ section fmul-rn
PORT_DEVICE float port_fmul_rn(float a, float b) { return port_product_rn(a, b); }

//@ section fmaf-rn
PORT_DEVICE float port_fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
PORT_DEVICE float port_fmaf_ieee_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

//@ section dadd-rn
PORT_DEVICE double port_dadd_rn(double a, double b) { return port_sum_rn(a, b); }

//@ section dsub-rn
PORT_DEVICE double port_dsub_rn(double a, double b) { return port_sum_rn(a, -b); }

//@ section dmul-rn
PORT_DEVICE double port_dmul_rn(double a, double b) { return port_product_rn(a, b); }

//@ section fma-rn
PORT_DEVICE double port_fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }

//@ section fdiv-rn
// Through double: right also under -fno-hip-fp32-correctly-rounded-divide-sqrt. A quotient of
// floats is never so near the middle of two floats that rounding it twice matters.
PORT_DEVICE float port_fdiv_rn(float a, float b) { return (float)((double)a / (double)b); }

//@ section frcp-rn
PORT_DEVICE float port_frcp_rn(float a) { return (float)(1.0 / (double)a); }

//@ section fsqrt-rn
PORT_DEVICE float port_fsqrt_rn(float a) { return (float)sqrt((double)a); }

//@ section frsqrt-rn
// Rounded three times, as root, reciprocal and float, and still the nearest for every float.
PORT_DEVICE float port_frsqrt_rn(float a) { return (float)(1.0 / sqrt((double)a)); }

//@ section ddiv-rn
PORT_DEVICE double port_ddiv_rn(double a, double b) { return a / b; }

//@ section drcp-rn
PORT_DEVICE double port_drcp_rn(double a) { return 1.0 / a; }

//@ section dsqrt-rn
PORT_DEVICE double port_dsqrt_rn(double a) { return sqrt(a); }

//@ section rounding
// Directed rounding in plain arithmetic: the result to nearest, and the sign of what its rounding
// took away, give the neighbour to return.
enum port_rounding { port_toward_zero, port_upward, port_downward };

PORT_DEVICE unsigned int port_float_bits(float value) {
  unsigned int bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  return bits;
}
PORT_DEVICE unsigned long long port_float_bits(double value) {
  unsigned long long bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// -1, 0 or 1; 0 for a NaN.
template <typename T>
PORT_DEVICE int port_sign_of(T value) {
  return (value > 0) - (value < 0);
}

template <typename T>
PORT_DEVICE bool port_is_infinite(T value) {
  return value - value != 0 && value == value;
}

// The next value above one that is not a NaN nor positive infinity.
template <typename T>
PORT_DEVICE T port_next_up(T value) {
  auto bits = port_float_bits(value);
  if (value == 0) {
    bits = 1;
  } else if (value > 0) {
    ++bits;
  } else {
    --bits;
  }
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}

// The rounded form of an exact value, from either of its two neighbours (or itself) and the sign of
// exact minus neighbour. The neighbour of what overflows is infinity.
template <port_rounding direction, typename T>
PORT_DEVICE T port_round_to(T neighbour, int error) {
  const bool up = direction == port_upward || (direction == port_toward_zero && neighbour < 0);
  const bool down = direction == port_downward || (direction == port_toward_zero && neighbour > 0);
  if (up && error > 0) return port_next_up(neighbour);
  if (down && error < 0) return -port_next_up(-neighbour);
  return neighbour;
}

// A sum or fused product that is exactly zero, of parts with different signs, is -0 when rounded
// down and +0 otherwise.
template <port_rounding direction, typename T>
PORT_DEVICE T port_zero_sum(bool same_signs, T zero) {
  return direction == port_downward && !same_signs ? -(T)0 : zero;
}

//@ section directed-sum
template <port_rounding direction, typename T>
PORT_DEVICE T port_directed_sum(T a, T b) {
  PORT_NO_CONTRACTION
  const T sum = a + b;
  if (sum == 0) return port_zero_sum<direction>(__builtin_signbit(a) == __builtin_signbit(b), sum);
  if (port_is_infinite(sum)) {
    const bool overflow = !port_is_infinite(a) && !port_is_infinite(b);
    return port_round_to<direction>(sum, overflow ? -port_sign_of(sum) : 0);
  }
  // Dekker: with the larger part first, the difference is exactly what the sum lost.
  const bool ordered = (a < 0 ? -a : a) >= (b < 0 ? -b : b);
  const T large = ordered ? a : b;
  const T small = ordered ? b : a;
  const T error = small - (sum - large);
  return port_round_to<direction>(sum, port_sign_of(error));
}

//@ section fadd-directed
PORT_DEVICE float port_fadd_rz(float a, float b) {
  return port_directed_sum<port_toward_zero>(a, b);
}
PORT_DEVICE float port_fadd_ru(float a, float b) { return port_directed_sum<port_upward>(a, b); }
PORT_DEVICE float port_fadd_rd(float a, float b) { return port_directed_sum<port_downward>(a, b); }

//@ section fsub-directed
PORT_DEVICE float port_fsub_rz(float a, float b) {
  return port_directed_sum<port_toward_zero>(a, -b);
}
PORT_DEVICE float port_fsub_ru(float a, float b) { return port_directed_sum<port_upward>(a, -b); }
PORT_DEVICE float port_fsub_rd(float a, float b) { return port_directed_sum<port_downward>(a, -b); }

//@ section dadd-directed
PORT_DEVICE double port_dadd_rz(double a, double b) {
  return port_directed_sum<port_toward_zero>(a, b);
}
PORT_DEVICE double port_dadd_ru(double a, double b) { return port_directed_sum<port_upward>(a, b); }
PORT_DEVICE double port_dadd_rd(double a, double b) {
  return port_directed_sum<port_downward>(a, b);
}

//@ section dsub-directed
PORT_DEVICE double port_dsub_rz(double a, double b) {
  return port_directed_sum<port_toward_zero>(a, -b);
}
PORT_DEVICE double port_dsub_ru(double a, double b) {
  return port_directed_sum<port_upward>(a, -b);
}
PORT_DEVICE double port_dsub_rd(double a, double b) {
  return port_directed_sum<port_downward>(a, -b);
}

//@ section double2float-directed
template <port_rounding direction>
PORT_DEVICE float port_double2float_directed(double value) {
  const float nearest = (float)value;
  return port_round_to<direction>(nearest, (value > nearest) - (value < nearest));
}
PORT_DEVICE float port_double2float_rz(double a) {
  return port_double2float_directed<port_toward_zero>(a);
}
PORT_DEVICE float port_double2float_ru(double a) {
  return port_double2float_directed<port_upward>(a);
}
PORT_DEVICE float port_double2float_rd(double a) {
  return port_double2float_directed<port_downward>(a);
}

//@ section fmul-directed
// A product of floats is exact in double.
PORT_DEVICE float port_fmul_rz(float a, float b) { return port_double2float_rz((double)a * b); }
PORT_DEVICE float port_fmul_ru(float a, float b) { return port_double2float_ru((double)a * b); }
PORT_DEVICE float port_fmul_rd(float a, float b) { return port_double2float_rd((double)a * b); }

//@ section fmaf-directed
template <port_rounding direction>
PORT_DEVICE float port_fmaf_directed(float a, float b, float c) {
  PORT_NO_CONTRACTION
  const float nearest = __builtin_fmaf(a, b, c);
  // The product is exact in double, and so is the sum, in two parts (Knuth).
  const double product = (double)a * (double)b;
  const double addend = c;
  const double sum = product + addend;
  const double part = sum - product;
  const double rest = (product - (sum - part)) + (addend - part);
  if (sum == 0) {
    const bool same_signs = __builtin_signbit(product) == __builtin_signbit(addend);
    return port_zero_sum<direction>(same_signs, nearest);
  }
  const int error = (sum > nearest) - (sum < nearest);
  return port_round_to<direction>(nearest, error != 0 ? error : port_sign_of(rest));
}
PORT_DEVICE float port_fmaf_rz(float a, float b, float c) {
  return port_fmaf_directed<port_toward_zero>(a, b, c);
}
PORT_DEVICE float port_fmaf_ru(float a, float b, float c) {
  return port_fmaf_directed<port_upward>(a, b, c);
}
PORT_DEVICE float port_fmaf_rd(float a, float b, float c) {
  return port_fmaf_directed<port_downward>(a, b, c);
}
PORT_DEVICE float port_fmaf_ieee_rz(float a, float b, float c) { return port_fmaf_rz(a, b, c); }
PORT_DEVICE float port_fmaf_ieee_ru(float a, float b, float c) { return port_fmaf_ru(a, b, c); }
PORT_DEVICE float port_fmaf_ieee_rd(float a, float b, float c) { return port_fmaf_rd(a, b, c); }

//@ section fdiv-directed
template <port_rounding direction>
PORT_DEVICE float port_fdiv_directed(float a, float b) {
  const float nearest = (float)((double)a / (double)b);
  // What is left of a after nearest times b, which is exact in double.
  const double rest = __builtin_fma(-(double)nearest, (double)b, (double)a);
  return port_round_to<direction>(nearest, b < 0 ? -port_sign_of(rest) : port_sign_of(rest));
}
PORT_DEVICE float port_fdiv_rz(float a, float b) {
  return port_fdiv_directed<port_toward_zero>(a, b);
}
PORT_DEVICE float port_fdiv_ru(float a, float b) { return port_fdiv_directed<port_upward>(a, b); }
PORT_DEVICE float port_fdiv_rd(float a, float b) { return port_fdiv_directed<port_downward>(a, b); }

//@ section frcp-directed
PORT_DEVICE float port_frcp_rz(float a) { return port_fdiv_rz(1.0f, a); }
PORT_DEVICE float port_frcp_ru(float a) { return port_fdiv_ru(1.0f, a); }
PORT_DEVICE float port_frcp_rd(float a) { return port_fdiv_rd(1.0f, a); }

//@ section fsqrt-directed
template <port_rounding direction>
PORT_DEVICE float port_fsqrt_directed(float a) {
  const float nearest = (float)sqrt((double)a);
  const double rest = __builtin_fma(-(double)nearest, (double)nearest, (double)a);
  return port_round_to<direction>(nearest, port_sign_of(rest));
}
PORT_DEVICE float port_fsqrt_rz(float a) { return port_fsqrt_directed<port_toward_zero>(a); }
PORT_DEVICE float port_fsqrt_ru(float a) { return port_fsqrt_directed<port_upward>(a); }
PORT_DEVICE float port_fsqrt_rd(float a) { return port_fsqrt_directed<port_downward>(a); }

//@ section dmul-directed
// The sign of a times b minus `rounded`, its nearest double, for finite values.
PORT_DEVICE int port_product_error(double a, double b, double rounded) {
  if (port_is_infinite(rounded)) return -port_sign_of(rounded);
  if (rounded == 0) return port_sign_of(a) * port_sign_of(b);
  // Where the error would be below the smallest double, scale the smaller factor up.
  if (__builtin_fabs(rounded) < 0x1p-960) {
    const bool ordered = __builtin_fabs(a) < __builtin_fabs(b);
    const double small = (ordered ? a : b) * 0x1p600;
    return port_sign_of(__builtin_fma(small, ordered ? b : a, -rounded * 0x1p600));
  }
  return port_sign_of(__builtin_fma(a, b, -rounded));
}

template <port_rounding direction>
PORT_DEVICE double port_dmul_directed(double a, double b) {
  PORT_NO_CONTRACTION
  const double nearest = a * b;
  const bool finite = a - a == 0 && b - b == 0;
  return port_round_to<direction>(nearest, finite ? port_product_error(a, b, nearest) : 0);
}
PORT_DEVICE double port_dmul_rz(double a, double b) {
  return port_dmul_directed<port_toward_zero>(a, b);
}
PORT_DEVICE double port_dmul_ru(double a, double b) {
  return port_dmul_directed<port_upward>(a, b);
}
PORT_DEVICE double port_dmul_rd(double a, double b) {
  return port_dmul_directed<port_downward>(a, b);
}

//@ section fma-directed
// The rounded sum, with what it lost in `rest` (Knuth).
PORT_DEVICE double port_two_sum(double a, double b, double *rest) {
  PORT_NO_CONTRACTION
  const double sum = a + b;
  const double part = sum - a;
  *rest = (a - (sum - part)) + (b - part);
  return sum;
}

// The sign of a times b plus c minus `rounded`, its nearest double, for finite values.
PORT_DEVICE int port_fma_error(double a, double b, double c, double rounded) {
  PORT_NO_CONTRACTION
  if (port_is_infinite(rounded)) return -port_sign_of(rounded);
  if (a == 0 || b == 0) return 0;
  if (c == 0) return port_product_error(a, b, rounded);
  int exponent_a, exponent_b, exponent_c;
  const double x = frexp(a, &exponent_a);
  const double y = frexp(b, &exponent_b);
  frexp(c, &exponent_c);
  const int scale = -(exponent_a + exponent_b);
  // Far apart, the smaller part decides only where the larger is rounded to itself.
  if (exponent_c + scale > 200) return port_sign_of(a) * port_sign_of(b);
  if (exponent_c + scale < -300) {
    const int error = port_sign_of(__builtin_fma(x, y, -ldexp(rounded, scale)));
    return error != 0 ? error : port_sign_of(c);
  }
  // Scaled to about one, all parts are exact: product + c - rounded as a sum of parts that do not
  // overlap (Shewchuk), whose sign is that of the largest.
  const double product = x * y;
  const double product_rest = __builtin_fma(x, y, -product);
  double low, middle, high, lowest;
  high = port_two_sum(ldexp(c, scale), product_rest, &low);
  high = port_two_sum(high, product, &middle);
  double sum = port_two_sum(-ldexp(rounded, scale), low, &lowest);
  sum = port_two_sum(sum, middle, &low);
  sum = port_two_sum(sum, high, &middle);
  if (sum != 0) return port_sign_of(sum);
  if (middle != 0) return port_sign_of(middle);
  if (low != 0) return port_sign_of(low);
  return port_sign_of(lowest);
}

template <port_rounding direction>
PORT_DEVICE double port_fma_directed(double a, double b, double c) {
  const double nearest = __builtin_fma(a, b, c);
  const bool finite = a - a == 0 && b - b == 0 && c - c == 0;
  const int error = finite ? port_fma_error(a, b, c, nearest) : 0;
  if (nearest == 0 && error == 0) {
    const bool negative = __builtin_signbit(a) != __builtin_signbit(b);
    return port_zero_sum<direction>(negative == (bool)__builtin_signbit(c), nearest);
  }
  return port_round_to<direction>(nearest, error);
}
PORT_DEVICE double port_fma_rz(double a, double b, double c) {
  return port_fma_directed<port_toward_zero>(a, b, c);
}
PORT_DEVICE double port_fma_ru(double a, double b, double c) {
  return port_fma_directed<port_upward>(a, b, c);
}
PORT_DEVICE double port_fma_rd(double a, double b, double c) {
  return port_fma_directed<port_downward>(a, b, c);
}

//@ section ddiv-directed
template <port_rounding direction>
PORT_DEVICE double port_ddiv_directed(double a, double b) {
  const double nearest = a / b;
  const bool finite = a - a == 0 && b - b == 0 && b != 0;
  int error = 0;
  if (finite && port_is_infinite(nearest)) {
    error = -port_sign_of(nearest);
  } else if (finite) {
    // The rest of the division, with both operands scaled to about one.
    int exponent_a, exponent_b;
    const double x = frexp(a, &exponent_a);
    const double y = frexp(b, &exponent_b);
    const double quotient = ldexp(nearest, exponent_b - exponent_a);
    error = port_sign_of(__builtin_fma(-quotient, y, x)) * port_sign_of(b);
  }
  return port_round_to<direction>(nearest, error);
}
PORT_DEVICE double port_ddiv_rz(double a, double b) {
  return port_ddiv_directed<port_toward_zero>(a, b);
}
PORT_DEVICE double port_ddiv_ru(double a, double b) {
  return port_ddiv_directed<port_upward>(a, b);
}
PORT_DEVICE double port_ddiv_rd(double a, double b) {
  return port_ddiv_directed<port_downward>(a, b);
}

//@ section drcp-directed
PORT_DEVICE double port_drcp_rz(double a) { return port_ddiv_rz(1.0, a); }
PORT_DEVICE double port_drcp_ru(double a) { return port_ddiv_ru(1.0, a); }
PORT_DEVICE double port_drcp_rd(double a) { return port_ddiv_rd(1.0, a); }

//@ section dsqrt-directed
template <port_rounding direction>
PORT_DEVICE double port_dsqrt_directed(double a) {
  const double nearest = sqrt(a);
  if (!(a > 0) || port_is_infinite(a)) return nearest;
  // The rest of the root, scaled by an even power so that it is not below the smallest double.
  int exponent;
  frexp(a, &exponent);
  exponent &= ~1;
  const double x = ldexp(a, -exponent);
  const double root = ldexp(nearest, -(exponent / 2));
  return port_round_to<direction>(nearest, port_sign_of(__builtin_fma(-root, root, x)));
}
PORT_DEVICE double port_dsqrt_rz(double a) { return port_dsqrt_directed<port_toward_zero>(a); }
PORT_DEVICE double port_dsqrt_ru(double a) { return port_dsqrt_directed<port_upward>(a); }
PORT_DEVICE double port_dsqrt_rd(double a) { return port_dsqrt_directed<port_downward>(a); }
