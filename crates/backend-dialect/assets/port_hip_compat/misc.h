//@ section trap
PORT_DEVICE void port_trap() { __builtin_trap(); }

//@ section brkpt
PORT_DEVICE void port_brkpt() {
#ifdef __clang__
  __builtin_debugtrap();
#else
  __builtin_trap();
#endif
}

//@ section nanosleep
// At most twice the time: an instruction that sleeps for 64 cycles at about 1.5 GHz.
PORT_DEVICE void port_nanosleep(unsigned int nanoseconds) {
#ifdef PORT_ORACLE
  (void)nanoseconds;
#else
  for (unsigned int slept = 0; slept < nanoseconds; slept += 43) __builtin_amdgcn_s_sleep(1);
#endif
}

//@ section saturatef
// To the range from 0 to 1, a NaN to 0.
PORT_DEVICE float port_saturatef(float a) { return a > 0.0f ? (a < 1.0f ? a : 1.0f) : 0.0f; }

//@ section tanhf
PORT_DEVICE float port_tanhf(float a) { return tanhf(a); }

//@ section sin2pif
PORT_DEVICE float port_sin2pif(float a) { return sinpif(2.0f * a); }

//@ section cos2pif
PORT_DEVICE float port_cos2pif(float a) { return cospif(2.0f * a); }

//@ section sincos2pif
PORT_DEVICE void port_sincos2pif(float a, float *sine, float *cosine) {
  *sine = port_sin2pif(a);
  *cosine = port_cos2pif(a);
}

//@ section fadd2-rn
PORT_DEVICE float2 port_fadd2_rn(float2 a, float2 b) {
  return make_float2(port_fadd_rn(a.x, b.x), port_fadd_rn(a.y, b.y));
}

//@ section fmul2-rn
PORT_DEVICE float2 port_fmul2_rn(float2 a, float2 b) {
  return make_float2(port_fmul_rn(a.x, b.x), port_fmul_rn(a.y, b.y));
}

//@ section ffma2-rn
PORT_DEVICE float2 port_ffma2_rn(float2 a, float2 b, float2 c) {
  return make_float2(port_fmaf_rn(a.x, b.x, c.x), port_fmaf_rn(a.y, b.y, c.y));
}

//@ section fadd2-rz
PORT_DEVICE float2 port_fadd2_rz(float2 a, float2 b) {
  return make_float2(port_fadd_rz(a.x, b.x), port_fadd_rz(a.y, b.y));
}

//@ section fmul2-rz
PORT_DEVICE float2 port_fmul2_rz(float2 a, float2 b) {
  return make_float2(port_fmul_rz(a.x, b.x), port_fmul_rz(a.y, b.y));
}

//@ section ffma2-rz
PORT_DEVICE float2 port_ffma2_rz(float2 a, float2 b, float2 c) {
  return make_float2(port_fmaf_rz(a.x, b.x, c.x), port_fmaf_rz(a.y, b.y, c.y));
}

//@ section fadd2-ru
PORT_DEVICE float2 port_fadd2_ru(float2 a, float2 b) {
  return make_float2(port_fadd_ru(a.x, b.x), port_fadd_ru(a.y, b.y));
}

//@ section fmul2-ru
PORT_DEVICE float2 port_fmul2_ru(float2 a, float2 b) {
  return make_float2(port_fmul_ru(a.x, b.x), port_fmul_ru(a.y, b.y));
}

//@ section ffma2-ru
PORT_DEVICE float2 port_ffma2_ru(float2 a, float2 b, float2 c) {
  return make_float2(port_fmaf_ru(a.x, b.x, c.x), port_fmaf_ru(a.y, b.y, c.y));
}

//@ section fadd2-rd
PORT_DEVICE float2 port_fadd2_rd(float2 a, float2 b) {
  return make_float2(port_fadd_rd(a.x, b.x), port_fadd_rd(a.y, b.y));
}

//@ section fmul2-rd
PORT_DEVICE float2 port_fmul2_rd(float2 a, float2 b) {
  return make_float2(port_fmul_rd(a.x, b.x), port_fmul_rd(a.y, b.y));
}

//@ section ffma2-rd
PORT_DEVICE float2 port_ffma2_rd(float2 a, float2 b, float2 c) {
  return make_float2(port_fmaf_rd(a.x, b.x, c.x), port_fmaf_rd(a.y, b.y, c.y));
}

//@ section shfl
// The forms without a mask: every lane that executes them takes part.
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl(T value, int source,
                                                       int width = port_warpSize) {
  return port_shfl_sync(PORT_FULL_MASK, value, source, width);
}

//@ section shfl-up
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl_up(T value, unsigned int delta,
                                                          int width = port_warpSize) {
  return port_shfl_up_sync(PORT_FULL_MASK, value, delta, width);
}

//@ section shfl-down
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl_down(T value, unsigned int delta,
                                                            int width = port_warpSize) {
  return port_shfl_down_sync(PORT_FULL_MASK, value, delta, width);
}

//@ section shfl-xor
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl_xor(T value, int bits,
                                                           int width = port_warpSize) {
  return port_shfl_xor_sync(PORT_FULL_MASK, value, bits, width);
}

//@ section ballot
PORT_DEVICE port_lane_mask port_ballot(int predicate) { return port_warp_ballot(predicate != 0); }

//@ section any
PORT_DEVICE int port_any(int predicate) { return port_warp_ballot(predicate != 0) != 0; }

//@ section all
PORT_DEVICE int port_all(int predicate) { return port_warp_ballot(predicate == 0) == 0; }

//@ section qualifiers
// Hints that AMD's compiler has no form of.
#define port_grid_constant
#define port_inline_hint
#define port_maxnreg(registers)
#define port_local_maxnreg(registers)
#define port_nv_pure __attribute__((pure))

//@ section toolkit-version
// The release of the CUDA toolkit that the original was read as.
#define PORT_CUDACC_VER_MAJOR 11
#define PORT_CUDACC_VER_MINOR 8
#define PORT_CUDACC_VER_BUILD 89
#define PORT_CUDART_VERSION 11080
#define PORT_CUDA_VERSION 11080

//@ section calling-convention
#define PORT_CUDARTAPI
#define PORT_CUDART_CB
