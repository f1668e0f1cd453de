// What instructions of PTX do that takes more than an expression. Names: the opcode.
// Sections as the compatibility header of dialects takes them, each alone.

//@ section ptx-flush
__device__ inline float __ptx_flush(float x) {
  return fabsf(x) < 1.17549435e-38f ? copysignf(0.0f, x) : x;
}
//@ section ptx-relu
__device__ inline float __ptx_relu(float x) { return x != x ? x : (x > 0.0f ? x : 0.0f); }
//@ section ptx-minimum
__device__ inline float __ptx_fmin(float a, float b) { return fminf(a, b); }
__device__ inline float __ptx_fmax(float a, float b) { return fmaxf(a, b); }
__device__ inline float __ptx_fmin_nan(float a, float b) {
  return a != a ? a : b != b ? b : fminf(a, b);
}
__device__ inline float __ptx_fmax_nan(float a, float b) {
  return a != a ? a : b != b ? b : fmaxf(a, b);
}

//@ section ptx-exp2-half
//@ provides __ptx_ex2
//@ with __half half __half2 half2
__device__ inline __half __ptx_ex2(__half x) { return __float2half_rn(exp2f(__half2float(x))); }
__device__ inline __half2 __ptx_ex2(__half2 x) {
  return __floats2half2_rn(exp2f(__low2float(x)), exp2f(__high2float(x)));
}
//@ section ptx-exp2-bfloat16
//@ provides __ptx_ex2
//@ with port_bfloat16 port_bfloat162
__device__ inline __nv_bfloat16 __ptx_ex2(__nv_bfloat16 x) {
  return __float2bfloat16_rn(exp2f(__bfloat162float(x)));
}
__device__ inline __nv_bfloat162 __ptx_ex2(__nv_bfloat162 x) {
  return __floats2bfloat162_rn(exp2f(__low2float(x)), exp2f(__high2float(x)));
}
//@ section ptx-tanh-half
//@ provides __ptx_tanh
//@ with __half half __half2 half2
__device__ inline __half __ptx_tanh(__half x) { return __float2half_rn(tanhf(__half2float(x))); }
__device__ inline __half2 __ptx_tanh(__half2 x) {
  return __floats2half2_rn(tanhf(__low2float(x)), tanhf(__high2float(x)));
}
//@ section ptx-tanh-bfloat16
//@ provides __ptx_tanh
//@ with port_bfloat16 port_bfloat162
__device__ inline __nv_bfloat16 __ptx_tanh(__nv_bfloat16 x) {
  return __float2bfloat16_rn(tanhf(__bfloat162float(x)));
}
__device__ inline __nv_bfloat162 __ptx_tanh(__nv_bfloat162 x) {
  return __floats2bfloat162_rn(tanhf(__low2float(x)), tanhf(__high2float(x)));
}

//@ section ptx-saturate
__device__ inline long long __ptx_clamp(long long x, long long least, long long largest) {
  return x < least ? least : x > largest ? largest : x;
}
__device__ inline int __ptx_add_sat(int a, int b) {
  return (int)__ptx_clamp((long long)a + b, -2147483648ll, 2147483647ll);
}
__device__ inline int __ptx_sub_sat(int a, int b) {
  return (int)__ptx_clamp((long long)a - b, -2147483648ll, 2147483647ll);
}
//@ section ptx-mul-hi
__device__ inline int __ptx_mul_hi(int a, int b) { return __mulhi(a, b); }
__device__ inline unsigned __ptx_mul_hi(unsigned a, unsigned b) { return __umulhi(a, b); }
__device__ inline long long __ptx_mul_hi(long long a, long long b) { return __mul64hi(a, b); }
__device__ inline unsigned long long __ptx_mul_hi(unsigned long long a, unsigned long long b) {
  return __umul64hi(a, b);
}

//@ section ptx-bfe
// The field of c bits from position b; bits beyond the word are the sign (0 if unsigned).
__device__ inline unsigned __ptx_bfe(unsigned a, unsigned b, unsigned c) {
  unsigned position = b & 255u, length = c & 255u;
  if (length == 0u || position > 31u) return 0u;
  unsigned field = a >> position;
  return length > 31u ? field : field & ((1u << length) - 1u);
}
__device__ inline int __ptx_bfe(int a, unsigned b, unsigned c) {
  unsigned position = b & 255u, length = c & 255u;
  if (length == 0u) return 0;
  unsigned top = position + length - 1u;
  int sign = (a >> (top > 31u ? 31u : top)) & 1;
  int field = position > 31u ? -sign : a >> position;
  if (length > 31u) return field;
  unsigned low = (unsigned)field & ((1u << length) - 1u);
  return (int)(sign ? low | (~0u << length) : low);
}
__device__ inline unsigned long long __ptx_bfe(unsigned long long a, unsigned b, unsigned c) {
  unsigned position = b & 255u, length = c & 255u;
  if (length == 0u || position > 63u) return 0ull;
  unsigned long long field = a >> position;
  return length > 63u ? field : field & ((1ull << length) - 1ull);
}
__device__ inline long long __ptx_bfe(long long a, unsigned b, unsigned c) {
  unsigned position = b & 255u, length = c & 255u;
  if (length == 0u) return 0;
  unsigned top = position + length - 1u;
  long long sign = (a >> (top > 63u ? 63u : top)) & 1ll;
  long long field = position > 63u ? -sign : a >> position;
  if (length > 63u) return field;
  unsigned long long low = (unsigned long long)field & ((1ull << length) - 1ull);
  return (long long)(sign ? low | (~0ull << length) : low);
}
//@ section ptx-bfi
// The low d bits of a in b at position c.
__device__ inline unsigned __ptx_bfi(unsigned a, unsigned b, unsigned c, unsigned d) {
  unsigned position = c & 255u, length = d & 255u;
  if (length == 0u || position > 31u) return b;
  unsigned field = (length > 31u ? ~0u : (1u << length) - 1u) << position;
  return (b & ~field) | ((a << position) & field);
}
__device__ inline unsigned long long __ptx_bfi(unsigned long long a, unsigned long long b,
                                               unsigned c, unsigned d) {
  unsigned position = c & 255u, length = d & 255u;
  if (length == 0u || position > 63u) return b;
  unsigned long long field = (length > 63u ? ~0ull : (1ull << length) - 1ull) << position;
  return (b & ~field) | ((a << position) & field);
}
//@ section ptx-bmsk
// b ones from position a.
__device__ inline unsigned __ptx_bmsk(unsigned a, unsigned b) {
  unsigned ones = b > 31u ? ~0u : (1u << b) - 1u;
  return a > 31u ? 0u : ones << a;
}
//@ section ptx-bfind
// The position of the highest bit that is not the sign; all ones if there is none.
__device__ inline unsigned __ptx_bfind(unsigned a, bool amount) {
  return a == 0u ? ~0u : amount ? (unsigned)__clz(a) : 31u - __clz(a);
}
__device__ inline unsigned __ptx_bfind(int a, bool amount) {
  return __ptx_bfind((unsigned)(a < 0 ? ~a : a), amount);
}
__device__ inline unsigned __ptx_bfind(unsigned long long a, bool amount) {
  return a == 0ull ? ~0u : amount ? (unsigned)__clzll(a) : 63u - __clzll(a);
}
__device__ inline unsigned __ptx_bfind(long long a, bool amount) {
  return __ptx_bfind((unsigned long long)(a < 0 ? ~a : a), amount);
}
//@ section ptx-prmt
// Four bytes of the eight of (b, a); a selector's high bit copies the byte's sign over it.
__device__ inline unsigned __ptx_prmt(unsigned a, unsigned b, unsigned c) {
  unsigned signs = c & 0x8888u;
  unsigned word = __byte_perm(a, b, c & 0x7777u);
  if (signs == 0u) return word;
  unsigned result = 0u;
  for (int i = 0; i < 4; ++i) {
    unsigned byte = (word >> (8 * i)) & 255u;
    if ((signs >> (4 * i + 3)) & 1u) byte = (byte & 128u) ? 255u : 0u;
    result |= byte << (8 * i);
  }
  return result;
}
//@ section ptx-dp4a
__device__ inline int __ptx_dp4a(int a, int b, int c) { return __dp4a(a, b, c); }
__device__ inline unsigned __ptx_dp4a(unsigned a, unsigned b, unsigned c) { return __dp4a(a, b, c); }

//@ section ptx-in-range
__device__ inline bool __ptx_in_range_up(unsigned b, int width) {
  int lane = (int)__port_lane();
  return lane - (int)b >= (lane & ~(width - 1));
}
__device__ inline bool __ptx_in_range_down(unsigned b, int width) {
  int lane = (int)__port_lane();
  return lane + (int)b < (lane & ~(width - 1)) + width;
}
__device__ inline bool __ptx_in_range_bfly(unsigned b, int width) {
  int lane = (int)__port_lane();
  return (lane ^ (int)b) < (lane & ~(width - 1)) + width;
}
__device__ inline bool __ptx_in_range_idx(unsigned, int) { return true; }

//@ section ptx-tile-address
// Row r of matrix m begins at the address that lane 8m + r gives. Lane t gets the elements
// 2 (t mod 4) and the next of row t / 4; transposed, of column t / 4.
__device__ inline char *__ptx_at(unsigned address) {
  return (char *)__cvta_shared_to_generic(address);
}
__device__ inline char *__ptx_at(unsigned long long address) { return (char *)address; }
//@ section ptx-ldmatrix
template <typename A> __device__ inline unsigned __ptx_ldmatrix(A row, int matrix) {
  int lane = (int)__port_lane() & 31;
  A from = __shfl_sync(0xffffffffu, row, 8 * matrix + lane / 4);
  return *(const unsigned *)(__ptx_at(from) + 4 * (lane % 4));
}
template <typename A> __device__ inline unsigned __ptx_ldmatrix_trans(A row, int matrix) {
  int lane = (int)__port_lane() & 31;
  A first = __shfl_sync(0xffffffffu, row, 8 * matrix + 2 * (lane % 4));
  A second = __shfl_sync(0xffffffffu, row, 8 * matrix + 2 * (lane % 4) + 1);
  unsigned low = *(const unsigned short *)(__ptx_at(first) + 2 * (lane / 4));
  unsigned high = *(const unsigned short *)(__ptx_at(second) + 2 * (lane / 4));
  return low | (high << 16);
}
//@ section ptx-stmatrix
template <typename A> __device__ inline void __ptx_stmatrix(A row, int matrix, unsigned value) {
  int lane = (int)__port_lane() & 31;
  A to = __shfl_sync(0xffffffffu, row, 8 * matrix + lane / 4);
  *(unsigned *)(__ptx_at(to) + 4 * (lane % 4)) = value;
}
template <typename A>
__device__ inline void __ptx_stmatrix_trans(A row, int matrix, unsigned value) {
  int lane = (int)__port_lane() & 31;
  A first = __shfl_sync(0xffffffffu, row, 8 * matrix + 2 * (lane % 4));
  A second = __shfl_sync(0xffffffffu, row, 8 * matrix + 2 * (lane % 4) + 1);
  *(unsigned short *)(__ptx_at(first) + 2 * (lane / 4)) = (unsigned short)value;
  *(unsigned short *)(__ptx_at(second) + 2 * (lane / 4)) = (unsigned short)(value >> 16);
}

//@ section ptx-dot-f16
// One step of a product of 16 × k by k × 8: lane t holds rows t / 4 and t / 4 + 8 of a, and column
// t / 4 of b, at word t mod 4 of the step's k; and of the sum the columns 2 (t mod 4) and the next.
__device__ inline float __ptx_dot_f16(float sum, unsigned a, unsigned b) {
  __half2 x = __builtin_bit_cast(__half2, a), y = __builtin_bit_cast(__half2, b);
  sum = __fadd_rn(sum, __fmul_rn(__low2float(x), __low2float(y)));
  return __fadd_rn(sum, __fmul_rn(__high2float(x), __high2float(y)));
}
//@ section ptx-dot-bf16
__device__ inline float __ptx_dot_bf16(float sum, unsigned a, unsigned b) {
  sum = __fadd_rn(sum, __fmul_rn(__uint_as_float(a << 16), __uint_as_float(b << 16)));
  a &= 0xffff0000u;
  b &= 0xffff0000u;
  return __fadd_rn(sum, __fmul_rn(__uint_as_float(a), __uint_as_float(b)));
}
//@ section ptx-dot-tf32
__device__ inline float __ptx_dot_tf32(float sum, unsigned a, unsigned b) {
  // The low 13 bits are not looked at.
  a &= 0xffffe000u;
  b &= 0xffffe000u;
  return __fadd_rn(sum, __fmul_rn(__uint_as_float(a), __uint_as_float(b)));
}
//@ section ptx-dot-s8
__device__ inline int __ptx_dot_s8(int sum, unsigned a, unsigned b) {
  return __dp4a((int)a, (int)b, sum);
}
//@ section ptx-dot-u8
__device__ inline int __ptx_dot_u8(int sum, unsigned a, unsigned b) {
  return (int)__dp4a(a, b, (unsigned)sum);
}
//@ section ptx-mma
#define PORT_MMA(KIND, SUM)                                                                   \
  __device__ inline void __ptx_mma_##KIND(SUM &c0, SUM &c1, SUM &c2, SUM &c3, unsigned low,   \
                                          unsigned high, unsigned b) {                        \
    int lane = (int)__port_lane() & 31;                                                       \
    for (int word = 0; word < 4; ++word) {                                                    \
      unsigned a0 = __shfl_sync(0xffffffffu, low, (lane & 28) + word);                        \
      unsigned a1 = __shfl_sync(0xffffffffu, high, (lane & 28) + word);                       \
      unsigned b0 = __shfl_sync(0xffffffffu, b, 8 * (lane & 3) + word);                       \
      unsigned b1 = __shfl_sync(0xffffffffu, b, 8 * (lane & 3) + 4 + word);                   \
      c0 = __ptx_dot_##KIND(c0, a0, b0);                                                      \
      c1 = __ptx_dot_##KIND(c1, a0, b1);                                                      \
      c2 = __ptx_dot_##KIND(c2, a1, b0);                                                      \
      c3 = __ptx_dot_##KIND(c3, a1, b1);                                                      \
    }                                                                                         \
  }
//@ section ptx-mma-f16
//@ provides __ptx_mma_f16
//@ needs ptx-dot-f16
PORT_MMA(f16, float)
//@ section ptx-mma-bf16
//@ provides __ptx_mma_bf16
//@ needs ptx-dot-bf16
PORT_MMA(bf16, float)
//@ section ptx-mma-tf32
//@ provides __ptx_mma_tf32
//@ needs ptx-dot-tf32
PORT_MMA(tf32, float)
//@ section ptx-mma-s8
//@ provides __ptx_mma_s8
//@ needs ptx-dot-s8
PORT_MMA(s8, int)
//@ section ptx-mma-u8
//@ provides __ptx_mma_u8
//@ needs ptx-dot-u8
PORT_MMA(u8, int)

// Operations of the intermediate representation.
template <class T> __device__ T __port_load_acquire(const T *p);
template <class T> __device__ T __port_load_relaxed(const T *p);
template <class T> __device__ void __port_store_release(T *p, T value);
template <class T> __device__ void __port_store_relaxed(T *p, T value);
__device__ float __ptx_round_tf32(float x);
__device__ void __port_barrier_arrive(unsigned barrier, unsigned count);
__device__ unsigned __port_lane();
__device__ unsigned __port_warp();
__device__ unsigned __port_lane_mask_lt();
__device__ unsigned __port_lane_mask_le();
__device__ unsigned __port_lane_mask_gt();
__device__ unsigned __port_lane_mask_ge();
__device__ unsigned __port_lane_mask_eq();
__device__ unsigned __port_cluster_rank();
__device__ unsigned __port_cluster_size();
__device__ unsigned __port_dynamic_shared_size();
__device__ unsigned long long __port_nanoseconds();
__device__ void __port_cluster_barrier();
