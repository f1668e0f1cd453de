//@ section rsqrt
// HIP has these for double alone under their plain names: a float would be computed, and returned,
// as a double.
PORT_DEVICE float port_rsqrt(float a) { return rsqrtf(a); }
PORT_DEVICE double port_rsqrt(double a) { return rsqrt(a); }

//@ section rcbrt
PORT_DEVICE float port_rcbrt(float a) { return rcbrtf(a); }
PORT_DEVICE double port_rcbrt(double a) { return rcbrt(a); }

//@ section exp10
PORT_DEVICE float port_exp10(float a) { return exp10f(a); }
PORT_DEVICE double port_exp10(double a) { return exp10(a); }

//@ section sinpi
PORT_DEVICE float port_sinpi(float a) { return sinpif(a); }
PORT_DEVICE double port_sinpi(double a) { return sinpi(a); }

//@ section cospi
PORT_DEVICE float port_cospi(float a) { return cospif(a); }
PORT_DEVICE double port_cospi(double a) { return cospi(a); }

//@ section j0
PORT_DEVICE float port_j0(float a) { return j0f(a); }
PORT_DEVICE double port_j0(double a) { return j0(a); }

//@ section j1
PORT_DEVICE float port_j1(float a) { return j1f(a); }
PORT_DEVICE double port_j1(double a) { return j1(a); }

//@ section y0
PORT_DEVICE float port_y0(float a) { return y0f(a); }
PORT_DEVICE double port_y0(double a) { return y0(a); }

//@ section y1
PORT_DEVICE float port_y1(float a) { return y1f(a); }
PORT_DEVICE double port_y1(double a) { return y1(a); }

//@ section cyl_bessel_i0
PORT_DEVICE float port_cyl_bessel_i0(float a) { return cyl_bessel_i0f(a); }
PORT_DEVICE double port_cyl_bessel_i0(double a) { return cyl_bessel_i0(a); }

//@ section cyl_bessel_i1
PORT_DEVICE float port_cyl_bessel_i1(float a) { return cyl_bessel_i1f(a); }
PORT_DEVICE double port_cyl_bessel_i1(double a) { return cyl_bessel_i1(a); }

//@ section erfinv
PORT_DEVICE float port_erfinv(float a) { return erfinvf(a); }
PORT_DEVICE double port_erfinv(double a) { return erfinv(a); }

//@ section erfcinv
PORT_DEVICE float port_erfcinv(float a) { return erfcinvf(a); }
PORT_DEVICE double port_erfcinv(double a) { return erfcinv(a); }

//@ section normcdfinv
PORT_DEVICE float port_normcdfinv(float a) { return normcdfinvf(a); }
PORT_DEVICE double port_normcdfinv(double a) { return normcdfinv(a); }

//@ section normcdf
PORT_DEVICE float port_normcdf(float a) { return normcdff(a); }
PORT_DEVICE double port_normcdf(double a) { return normcdf(a); }

//@ section erfcx
PORT_DEVICE float port_erfcx(float a) { return erfcxf(a); }
PORT_DEVICE double port_erfcx(double a) { return erfcx(a); }

//@ section jn
PORT_DEVICE float port_jn(int order, float a) { return jnf(order, a); }
PORT_DEVICE double port_jn(int order, double a) { return jn(order, a); }

//@ section yn
PORT_DEVICE float port_yn(int order, float a) { return ynf(order, a); }
PORT_DEVICE double port_yn(int order, double a) { return yn(order, a); }

//@ section min
// With the overloads of CUDA, where an int meets an unsigned one as unsigned; HIP computes two types
// in double, and host code has those of int alone.
PORT_HOST_DEVICE int port_min(int a, int b) { return b < a ? b : a; }
PORT_HOST_DEVICE unsigned int port_min(unsigned int a, unsigned int b) { return b < a ? b : a; }
PORT_HOST_DEVICE unsigned int port_min(int a, unsigned int b) { return port_min((unsigned int)a, b); }
PORT_HOST_DEVICE unsigned int port_min(unsigned int a, int b) { return port_min(a, (unsigned int)b); }
PORT_HOST_DEVICE long port_min(long a, long b) { return b < a ? b : a; }
PORT_HOST_DEVICE unsigned long port_min(unsigned long a, unsigned long b) { return b < a ? b : a; }
PORT_HOST_DEVICE unsigned long port_min(long a, unsigned long b) {
  return port_min((unsigned long)a, b);
}
PORT_HOST_DEVICE unsigned long port_min(unsigned long a, long b) {
  return port_min(a, (unsigned long)b);
}
PORT_HOST_DEVICE long long port_min(long long a, long long b) { return b < a ? b : a; }
PORT_HOST_DEVICE unsigned long long port_min(unsigned long long a, unsigned long long b) {
  return b < a ? b : a;
}
PORT_HOST_DEVICE unsigned long long port_min(long long a, unsigned long long b) {
  return port_min((unsigned long long)a, b);
}
PORT_HOST_DEVICE unsigned long long port_min(unsigned long long a, long long b) {
  return port_min(a, (unsigned long long)b);
}
PORT_HOST_DEVICE float port_min(float a, float b) { return fminf(a, b); }
PORT_HOST_DEVICE double port_min(double a, double b) { return fmin(a, b); }
PORT_HOST_DEVICE double port_min(float a, double b) { return fmin((double)a, b); }
PORT_HOST_DEVICE double port_min(double a, float b) { return fmin(a, (double)b); }

//@ section max
// As port_min.
PORT_HOST_DEVICE int port_max(int a, int b) { return b > a ? b : a; }
PORT_HOST_DEVICE unsigned int port_max(unsigned int a, unsigned int b) { return b > a ? b : a; }
PORT_HOST_DEVICE unsigned int port_max(int a, unsigned int b) { return port_max((unsigned int)a, b); }
PORT_HOST_DEVICE unsigned int port_max(unsigned int a, int b) { return port_max(a, (unsigned int)b); }
PORT_HOST_DEVICE long port_max(long a, long b) { return b > a ? b : a; }
PORT_HOST_DEVICE unsigned long port_max(unsigned long a, unsigned long b) { return b > a ? b : a; }
PORT_HOST_DEVICE unsigned long port_max(long a, unsigned long b) {
  return port_max((unsigned long)a, b);
}
PORT_HOST_DEVICE unsigned long port_max(unsigned long a, long b) {
  return port_max(a, (unsigned long)b);
}
PORT_HOST_DEVICE long long port_max(long long a, long long b) { return b > a ? b : a; }
PORT_HOST_DEVICE unsigned long long port_max(unsigned long long a, unsigned long long b) {
  return b > a ? b : a;
}
PORT_HOST_DEVICE unsigned long long port_max(long long a, unsigned long long b) {
  return port_max((unsigned long long)a, b);
}
PORT_HOST_DEVICE unsigned long long port_max(unsigned long long a, long long b) {
  return port_max(a, (unsigned long long)b);
}
PORT_HOST_DEVICE float port_max(float a, float b) { return fmaxf(a, b); }
PORT_HOST_DEVICE double port_max(double a, double b) { return fmax(a, b); }
PORT_HOST_DEVICE double port_max(float a, double b) { return fmax((double)a, b); }
PORT_HOST_DEVICE double port_max(double a, float b) { return fmax(a, (double)b); }
