// Functions that clang and GCC have of their own, and those of AMD's device library that ports to HIP
// are made of. Ports are read back with them.

__device__ constexpr int __builtin_ctz(unsigned int a) { return __ffs((int)a) - 1; }
__device__ constexpr int __builtin_ctzl(unsigned long a) { return __ffsll((long long)a) - 1; }
__device__ constexpr int __builtin_ctzll(unsigned long long a) { return __ffsll((long long)a) - 1; }
__device__ constexpr int __builtin_clz(unsigned int a) { return __clz((int)a); }
__device__ constexpr int __builtin_clzl(unsigned long a) { return __clzll((long long)a); }
__device__ constexpr int __builtin_clzll(unsigned long long a) { return __clzll((long long)a); }
__device__ constexpr int __builtin_ffs(int a) { return __ffs(a); }
__device__ constexpr int __builtin_ffsl(long a) { return __ffsll(a); }
__device__ constexpr int __builtin_ffsll(long long a) { return __ffsll(a); }
__device__ constexpr int __builtin_popcountl(unsigned long a) { return __popcll(a); }
__device__ constexpr int __builtin_parity(unsigned int a) { return __popc(a) & 1; }
__device__ constexpr int __builtin_parityll(unsigned long long a) { return __popcll(a) & 1; }

__device__ constexpr unsigned short __builtin_bswap16(unsigned short a) {
  return (unsigned short)(a << 8 | a >> 8);
}
__device__ constexpr unsigned int __builtin_bswap32(unsigned int a) {
  return a << 24 | (a & 0xff00u) << 8 | (a >> 8 & 0xff00u) | a >> 24;
}
__device__ constexpr unsigned long long __builtin_bswap64(unsigned long long a) {
  return (unsigned long long)__builtin_bswap32((unsigned int)a) << 32 |
         __builtin_bswap32((unsigned int)(a >> 32));
}

// A double and a float form of a function of the same name without the prefix.
#define PORT_UNARY(name)                                                                \
  __device__ inline double __builtin_##name(double a) { return name(a); }               \
  __device__ inline float __builtin_##name##f(float a) { return name(a); }
PORT_UNARY(ceil)
PORT_UNARY(cos)
PORT_UNARY(exp)
PORT_UNARY(exp2)
PORT_UNARY(fabs)
PORT_UNARY(floor)
PORT_UNARY(log)
PORT_UNARY(log2)
PORT_UNARY(nearbyint)
PORT_UNARY(rint)
PORT_UNARY(round)
PORT_UNARY(sin)
PORT_UNARY(sqrt)
PORT_UNARY(trunc)
#define PORT_BINARY(name)                                                               \
  __device__ inline double __builtin_##name(double a, double b) { return name(a, b); }  \
  __device__ inline float __builtin_##name##f(float a, float b) { return name(a, b); }
PORT_BINARY(copysign)
PORT_BINARY(fmax)
PORT_BINARY(fmin)
PORT_BINARY(fmod)
PORT_BINARY(pow)

__device__ inline int __builtin_signbit(float a) { return __float_as_int(a) < 0; }
__device__ inline int __builtin_signbit(double a) { return __double_as_longlong(a) < 0; }
__device__ inline int __builtin_signbitf(float a) { return __float_as_int(a) < 0; }
__device__ inline int __builtin_isnan(float a) { return a != a; }
__device__ inline int __builtin_isnan(double a) { return a != a; }
__device__ inline int __builtin_isinf(float a) {
  return (__float_as_int(a) & 0x7fffffff) == 0x7f800000;
}
__device__ inline int __builtin_isinf(double a) {
  return (__double_as_longlong(a) & 0x7fffffffffffffffll) == 0x7ff0000000000000ll;
}
__device__ inline int __builtin_isfinite(float a) {
  return (__float_as_int(a) & 0x7fffffff) < 0x7f800000;
}
__device__ inline int __builtin_isfinite(double a) {
  return (__double_as_longlong(a) & 0x7fffffffffffffffll) < 0x7ff0000000000000ll;
}
__device__ inline float __builtin_inff() { return __int_as_float(0x7f800000); }
__device__ inline double __builtin_inf() { return __longlong_as_double(0x7ff0000000000000ll); }
__device__ inline float __builtin_huge_valf() { return __builtin_inff(); }
__device__ inline double __builtin_huge_val() { return __builtin_inf(); }
__device__ inline float __builtin_nanf(const char *) { return __int_as_float(0x7fc00000); }
__device__ inline double __builtin_nan(const char *) {
  return __longlong_as_double(0x7ff8000000000000ll);
}

// 0 is `__ATOMIC_RELAXED`; any other order of a load acquires, of a store releases.
template <typename T, typename U>
__device__ inline void __atomic_load(const T *place, U *value, int order) {
  *value = order == 0 ? __port_load_relaxed(place) : __port_load_acquire(place);
}
template <typename T, typename U>
__device__ inline void __atomic_store(T *place, U *value, int order) {
  if (order == 0)
    __port_store_relaxed(place, (T)*value);
  else
    __port_store_release(place, (T)*value);
}

// Scopes are names ("wavefront", "agent", ""); the lanes of a wave run in step, so what its fences
// order is what those of a block do.
__device__ inline void __builtin_amdgcn_fence(unsigned int, const char *) { __threadfence_block(); }
__device__ inline void __builtin_amdgcn_wave_barrier() { __syncwarp(); }
__device__ inline void __builtin_amdgcn_s_barrier() { __syncthreads(); }
__device__ inline void __builtin_amdgcn_s_sleep(int) {}
__device__ inline unsigned int __builtin_amdgcn_atomic_inc32(unsigned int *place, unsigned int limit,
                                                             unsigned int, const char *) {
  return atomicInc(place, limit);
}
__device__ inline unsigned int __builtin_amdgcn_atomic_dec32(unsigned int *place, unsigned int limit,
                                                             unsigned int, const char *) {
  return atomicDec(place, limit);
}
__device__ inline int __builtin_amdgcn_sdot4(int a, int b, int c, bool) { return __dp4a(a, b, c); }
__device__ inline void __ockl_grid_sync() { __port_grid_barrier(); }
__device__ inline int __ockl_grid_is_valid() { return 1; }
