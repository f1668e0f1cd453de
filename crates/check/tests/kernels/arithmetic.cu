// Conversions, rounding and integer intrinsics over arrays of operands.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define FOR_EACH(i, n) \
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += gridDim.x * blockDim.x)

__global__ void widen(float* from_half, float* from_bfloat16, int n) {
  FOR_EACH(i, n) {
    from_half[i] = __half2float(__ushort_as_half((unsigned short)i));
    from_bfloat16[i] = __bfloat162float(__ushort_as_bfloat16((unsigned short)i));
  }
}

// out[format][direction][i]
__global__ void narrow(unsigned short* out, const float* in, int n) {
  FOR_EACH(i, n) {
    const float x = in[i];
    out[0 * n + i] = __half_as_ushort(__float2half_rn(x));
    out[1 * n + i] = __half_as_ushort(__float2half_rz(x));
    out[2 * n + i] = __half_as_ushort(__float2half_ru(x));
    out[3 * n + i] = __half_as_ushort(__float2half_rd(x));
    out[4 * n + i] = __bfloat16_as_ushort(__float2bfloat16_rn(x));
    out[5 * n + i] = __bfloat16_as_ushort(__float2bfloat16_rz(x));
    out[6 * n + i] = __bfloat16_as_ushort(__float2bfloat16_ru(x));
    out[7 * n + i] = __bfloat16_as_ushort(__float2bfloat16_rd(x));
  }
}

template <typename T>
__device__ void operate(unsigned short* out, T a, T b, T c, int i, int n) {
  T results[8] = {__hadd(a, b), __hsub(a, b), __hmul(a, b), __hdiv(a, b),
                  __hfma(a, b, c), hsqrt(a), __hmax(a, b), __hmin(a, b)};
  for (int k = 0; k < 8; ++k) out[k * n + i] = reinterpret_cast<unsigned short&>(results[k]);
}
__global__ void half_operations(unsigned short* out, const __half* a, const __half* b,
                                const __half* c, int n) {
  FOR_EACH(i, n) operate(out, a[i], b[i], c[i], i, n);
}
__global__ void bfloat16_operations(unsigned short* out, const __nv_bfloat16* a,
                                    const __nv_bfloat16* b, const __nv_bfloat16* c, int n) {
  FOR_EACH(i, n) operate(out, a[i], b[i], c[i], i, n);
}

// Operators, implicit conversions and pairs must agree with the named functions.
__global__ void operators(int* failures, const __half* a, const __half* b, int n) {
  FOR_EACH(i, n) {
    const __half x = a[i], y = b[i];
    if (__hisnan(x) || __hisnan(y) || __hisnan(__hdiv(x, y)) || __hisnan(__hsub(x, y))) continue;
    bool good = (x + y == __hadd(x, y)) && (x - y == __hsub(x, y)) && (x * y == __hmul(x, y)) &&
                (x / y == __hdiv(x, y)) && (-x == __hneg(x));
    good &= (x < y) == ((float)x < (float)y) && (x >= y) == (__half2float(x) >= __half2float(y));
    __half sum = x;
    sum += y;
    good &= sum == __hadd(x, y);
    const half2 p = __halves2half2(x, y), q = __half2half2(y);
    const half2 r = __hfma2(p, q, p);
    good &= __half_as_ushort(r.x) == __half_as_ushort(__hfma(x, y, x)) ||
            (__hisnan(r.x) && __hisnan(__hfma(x, y, x)));
    const float2 f = __half22float2(p);
    good &= f.x == __low2float(p) && f.y == __high2float(p);
    good &= __hbeq2(__floats2half2_rn(f.x, f.y), p);
    __half assigned;
    assigned = 0.5f;
    good &= assigned == __float2half(0.5f) && (float)__half(3) == 3.0f && double(assigned) == 0.5;
    if (!good) atomicAdd(failures, 1);
  }
}

// out[operation][direction][i]; directions are rn, rz, ru, rd.
#define DIRECTIONS(k, name, ...)            \
  out[(4 * k + 0) * n + i] = name##_rn(__VA_ARGS__); \
  out[(4 * k + 1) * n + i] = name##_rz(__VA_ARGS__); \
  out[(4 * k + 2) * n + i] = name##_ru(__VA_ARGS__); \
  out[(4 * k + 3) * n + i] = name##_rd(__VA_ARGS__);
__global__ void directed(float* out, const float* a, const float* b, const float* c, int n) {
  FOR_EACH(i, n) {
    DIRECTIONS(0, __fadd, a[i], b[i])
    DIRECTIONS(1, __fsub, a[i], b[i])
    DIRECTIONS(2, __fmul, a[i], b[i])
    DIRECTIONS(3, __fdiv, a[i], b[i])
    DIRECTIONS(4, __fsqrt, fabsf(a[i]))
    DIRECTIONS(5, __frcp, a[i])
    DIRECTIONS(6, __fmaf, a[i], b[i], c[i])
    DIRECTIONS(7, __double2float, (double)a[i] * b[i])
    DIRECTIONS(8, __ull2float, (unsigned long long)__float_as_uint(a[i]) * __float_as_uint(b[i]))
    DIRECTIONS(9, __int2float, __float_as_int(a[i]))
  }
}
__global__ void directed_double(double* out, const long long* a, const long long* b, int n) {
  FOR_EACH(i, n) {
    const double x = (double)a[i], y = (double)b[i];
    DIRECTIONS(0, __dadd, x, y)
    DIRECTIONS(1, __dmul, x, y)
    DIRECTIONS(2, __fma, x, y, -x)
    DIRECTIONS(3, __ull2double, (unsigned long long)a[i] * 4095)
  }
}

__global__ void to_integers(long long* out, const float* in, int n) {
  FOR_EACH(i, n) {
    DIRECTIONS(0, __float2int, in[i])
    DIRECTIONS(1, __float2uint, in[i])
    DIRECTIONS(2, __float2ll, in[i])
    DIRECTIONS(3, __float2ull, in[i])
  }
}

// out[operation][i]
__global__ void integers(unsigned* out, const unsigned* a, const unsigned* b, int n) {
  FOR_EACH(i, n) {
    const unsigned x = a[i], y = b[i];
    const unsigned long long wide = (unsigned long long)x << 32 | y;
    const unsigned results[] = {
        (unsigned)__clz((int)x), (unsigned)__ffs((int)x), (unsigned)__popc(x), __brev(x),
        (unsigned)__clzll((long long)wide), (unsigned)__popcll(wide), __byte_perm(x, y, 0x6142),
        (unsigned)__mulhi((int)x, (int)y), __umulhi(x, y), (unsigned)__mul24((int)x, (int)y),
        __funnelshift_l(x, y, y), __funnelshift_r(x, y, x), __funnelshift_lc(x, y, y % 40),
        (unsigned)__dp4a((int)x, (int)y, -7), __dp4a(x, y, 9u), __vsub4(x, y), __vaddss2(x, y),
        __vcmpgtu4(x, y), __vsads4(x, y), __usad(x, y, 5), (unsigned)__hadd((int)x, (int)y),
        __vmaxs2(x, y), __vavgu4(x, y), (unsigned)(__umul64hi(wide, wide) >> 7),
        (unsigned)min((int)x, (int)y), max(x, y)};
    for (int k = 0; k < 26; ++k) out[k * n + i] = results[k];
  }
}
