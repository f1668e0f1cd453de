//@ section to-integer
// A float to an integer as PTX converts it: what does not fit goes to the nearest end of the range.
// A NaN gives 0, or 2 to the power of (width - 1) where either type has 64 bits.
template <typename Int, typename T>
PORT_HOST_DEVICE Int port_to_integer(T whole) {
  const bool is_signed = (Int)-1 < (Int)0;
  const int digits = 8 * (int)sizeof(Int) - (is_signed ? 1 : 0);
  const Int low = is_signed ? (Int)((unsigned long long)1 << (8 * sizeof(Int) - 1)) : (Int)0;
  if (whole != whole) {
    const bool wide = sizeof(Int) == 8 || sizeof(T) == 8;
    return wide ? (Int)((unsigned long long)1 << (8 * sizeof(Int) - 1)) : (Int)0;
  }
  if (whole >= (T)2 * (T)((unsigned long long)1 << (digits - 1))) return (Int)~low;
  if (whole <= (T)low) return low;
  return (Int)whole;
}

//@ section float2int
PORT_DEVICE int port_float2int_rn(float a) { return port_to_integer<int>(rintf(a)); }
PORT_DEVICE int port_float2int_rz(float a) { return port_to_integer<int>(truncf(a)); }
PORT_DEVICE int port_float2int_ru(float a) { return port_to_integer<int>(ceilf(a)); }
PORT_DEVICE int port_float2int_rd(float a) { return port_to_integer<int>(floorf(a)); }

//@ section float2uint
PORT_DEVICE unsigned int port_float2uint_rn(float a) {
  return port_to_integer<unsigned int>(rintf(a));
}
PORT_DEVICE unsigned int port_float2uint_rz(float a) {
  return port_to_integer<unsigned int>(truncf(a));
}
PORT_DEVICE unsigned int port_float2uint_ru(float a) {
  return port_to_integer<unsigned int>(ceilf(a));
}
PORT_DEVICE unsigned int port_float2uint_rd(float a) {
  return port_to_integer<unsigned int>(floorf(a));
}

//@ section float2ll
PORT_DEVICE long long port_float2ll_rn(float a) { return port_to_integer<long long>(rintf(a)); }
PORT_DEVICE long long port_float2ll_rz(float a) { return port_to_integer<long long>(truncf(a)); }
PORT_DEVICE long long port_float2ll_ru(float a) { return port_to_integer<long long>(ceilf(a)); }
PORT_DEVICE long long port_float2ll_rd(float a) { return port_to_integer<long long>(floorf(a)); }

//@ section float2ull
PORT_DEVICE unsigned long long port_float2ull_rn(float a) {
  return port_to_integer<unsigned long long>(rintf(a));
}
PORT_DEVICE unsigned long long port_float2ull_rz(float a) {
  return port_to_integer<unsigned long long>(truncf(a));
}
PORT_DEVICE unsigned long long port_float2ull_ru(float a) {
  return port_to_integer<unsigned long long>(ceilf(a));
}
PORT_DEVICE unsigned long long port_float2ull_rd(float a) {
  return port_to_integer<unsigned long long>(floorf(a));
}

//@ section double2int
PORT_DEVICE int port_double2int_rn(double a) { return port_to_integer<int>(rint(a)); }
PORT_DEVICE int port_double2int_rz(double a) { return port_to_integer<int>(trunc(a)); }
PORT_DEVICE int port_double2int_ru(double a) { return port_to_integer<int>(ceil(a)); }
PORT_DEVICE int port_double2int_rd(double a) { return port_to_integer<int>(floor(a)); }

//@ section double2uint
PORT_DEVICE unsigned int port_double2uint_rn(double a) {
  return port_to_integer<unsigned int>(rint(a));
}
PORT_DEVICE unsigned int port_double2uint_rz(double a) {
  return port_to_integer<unsigned int>(trunc(a));
}
PORT_DEVICE unsigned int port_double2uint_ru(double a) {
  return port_to_integer<unsigned int>(ceil(a));
}
PORT_DEVICE unsigned int port_double2uint_rd(double a) {
  return port_to_integer<unsigned int>(floor(a));
}

//@ section double2ll
PORT_DEVICE long long port_double2ll_rn(double a) { return port_to_integer<long long>(rint(a)); }
PORT_DEVICE long long port_double2ll_rz(double a) { return port_to_integer<long long>(trunc(a)); }
PORT_DEVICE long long port_double2ll_ru(double a) { return port_to_integer<long long>(ceil(a)); }
PORT_DEVICE long long port_double2ll_rd(double a) { return port_to_integer<long long>(floor(a)); }

//@ section double2ull
PORT_DEVICE unsigned long long port_double2ull_rn(double a) {
  return port_to_integer<unsigned long long>(rint(a));
}
PORT_DEVICE unsigned long long port_double2ull_rz(double a) {
  return port_to_integer<unsigned long long>(trunc(a));
}
PORT_DEVICE unsigned long long port_double2ull_ru(double a) {
  return port_to_integer<unsigned long long>(ceil(a));
}
PORT_DEVICE unsigned long long port_double2ull_rd(double a) {
  return port_to_integer<unsigned long long>(floor(a));
}

//@ section from-integer
// The float that an integer rounds to in a direction.
template <port_rounding direction, typename T, typename Int>
PORT_DEVICE T port_from_integer(Int value) {
  const T nearest = (T)value;
  // The one nearest value that does not fit the integer type is the power of two above it.
  const T limit =
      (T)2 * (T)((unsigned long long)1 << (8 * sizeof(Int) - ((Int)-1 < (Int)0 ? 2 : 1)));
  if (nearest >= limit) return port_round_to<direction>(nearest, -1);
  const Int back = (Int)nearest;
  return port_round_to<direction>(nearest, (value > back) - (value < back));
}

//@ section int2float
PORT_DEVICE float port_int2float_rn(int a) { return (float)a; }
PORT_DEVICE float port_int2float_rz(int a) { return port_from_integer<port_toward_zero, float>(a); }
PORT_DEVICE float port_int2float_ru(int a) { return port_from_integer<port_upward, float>(a); }
PORT_DEVICE float port_int2float_rd(int a) { return port_from_integer<port_downward, float>(a); }

//@ section uint2float
PORT_DEVICE float port_uint2float_rn(unsigned int a) { return (float)a; }
PORT_DEVICE float port_uint2float_rz(unsigned int a) {
  return port_from_integer<port_toward_zero, float>(a);
}
PORT_DEVICE float port_uint2float_ru(unsigned int a) {
  return port_from_integer<port_upward, float>(a);
}
PORT_DEVICE float port_uint2float_rd(unsigned int a) {
  return port_from_integer<port_downward, float>(a);
}

//@ section ll2float
PORT_DEVICE float port_ll2float_rn(long long a) { return (float)a; }
PORT_DEVICE float port_ll2float_rz(long long a) {
  return port_from_integer<port_toward_zero, float>(a);
}
PORT_DEVICE float port_ll2float_ru(long long a) { return port_from_integer<port_upward, float>(a); }
PORT_DEVICE float port_ll2float_rd(long long a) {
  return port_from_integer<port_downward, float>(a);
}

//@ section ull2float
PORT_DEVICE float port_ull2float_rn(unsigned long long a) { return (float)a; }
PORT_DEVICE float port_ull2float_rz(unsigned long long a) {
  return port_from_integer<port_toward_zero, float>(a);
}
PORT_DEVICE float port_ull2float_ru(unsigned long long a) {
  return port_from_integer<port_upward, float>(a);
}
PORT_DEVICE float port_ull2float_rd(unsigned long long a) {
  return port_from_integer<port_downward, float>(a);
}

//@ section ll2double
PORT_DEVICE double port_ll2double_rn(long long a) { return (double)a; }
PORT_DEVICE double port_ll2double_rz(long long a) {
  return port_from_integer<port_toward_zero, double>(a);
}
PORT_DEVICE double port_ll2double_ru(long long a) {
  return port_from_integer<port_upward, double>(a);
}
PORT_DEVICE double port_ll2double_rd(long long a) {
  return port_from_integer<port_downward, double>(a);
}

//@ section ull2double
PORT_DEVICE double port_ull2double_rn(unsigned long long a) { return (double)a; }
PORT_DEVICE double port_ull2double_rz(unsigned long long a) {
  return port_from_integer<port_toward_zero, double>(a);
}
PORT_DEVICE double port_ull2double_ru(unsigned long long a) {
  return port_from_integer<port_upward, double>(a);
}
PORT_DEVICE double port_ull2double_rd(unsigned long long a) {
  return port_from_integer<port_downward, double>(a);
}

//@ section uint2double
// HIP 5's form takes an int.
PORT_DEVICE double port_uint2double_rn(unsigned int a) { return (double)a; }
