//! Small sources and the IR that they become: one construct each, snapshots read line by line.

mod common;

use common::ir;

macro_rules! snapshots {
    ($($(#[$doc:meta])* $name:ident: $text:expr;)*) => { $(
        $(#[$doc])*
        #[test]
        fn $name() {
            insta::assert_snapshot!(ir($text));
        }
    )* };
}

snapshots! {
    float_and_double_literals: "
        __global__ void k(float *x) { x[0] = x[1] * 0.5 + x[2] * 0.5f; }";

    narrow_compound_assignment: "
        __global__ void k(unsigned char *c, short *s, float f) {
          c[0] += 100; s[1] *= f; c[2]++; s[3] <<= c[4];
        }";

    signed_and_unsigned_comparison: "
        __global__ void k(bool *out, int i, unsigned u, long l, short s) {
          out[0] = i < u; out[1] = l < u; out[2] = s < i; out[3] = i == l;
        }";

    short_circuit_with_and_without_loads: "
        __global__ void k(float *x, int n, int m) {
          if (n > 0 && m > 0) x[0] = 1;
          if (n > 0 && x[n] > 0) x[1] = 1;
          x[2] = n > m ? x[n] : 0;
          x[3] = n > m ? n : m;
        }";

    loops_keep_their_parts: "
        __global__ void k(float *x, int n) {
        #pragma unroll 4
          for (int i = threadIdx.x; i < n; i += blockDim.x) {
            if (x[i] < 0) continue;
            x[i] = 0;
          }
          do { n /= 2; } while (n > 3);
          while (true) { if (x[n] == 0) break; ++n; }
        }";

    switch_falls_through: "
        __global__ void k(int *x, unsigned char c) {
          switch (c) {
            case 1: case 2: x[0] = 1;
            case 200: x[1] = 2; break;
            case 5 ... 7: return;
            default: x[2] = 3;
          }
        }";

    spaces_of_pointers: "
        __device__ float first(const float *p) { return *p; }
        __device__ float *later(float *p, int n) { return p + n; }
        __constant__ float table[4] = {1, 2};
        __global__ void k(float *x, int n) {
          __shared__ float s[32];
          float l[4];
          float *p = s;
          p += n;
          const float *q = n > 1 ? x : s;
          x[0] = first(x) + first(s) + first(l) + first(table) + first(p) + *q;
          *later(s, 1) = *later(x, 2);
        }";

    /// With brackets of any kind, a reference is bound and its object is not copied.
    references_are_bound: "
        struct Temp { float a[4]; };
        struct Sum {
          Temp &storage; int &count;
          __device__ explicit Sum(Temp &s, int &n) : storage(s), count{n} {}
          __device__ float get() { count++; return storage.a[0]; }
        };
        __global__ void k(float *x) {
          __shared__ Temp s;
          int n = 0;
          int &again(n);
          again++;
          x[0] = Sum(s, n).get() + n;
        }";

    references_and_methods: "
        struct Counter {
          int n = 3;
          __device__ Counter &add(const int &by) { n += by; return *this; }
          __device__ int get() const { return n; }
        };
        __device__ void swap(int &a, int &b) { int t = a; a = b; b = t; }
        __global__ void k(int *x) {
          Counter c;
          x[0] = c.add(2).add(x[1]).get();
          swap(x[2], x[3]);
        }";

    constructors_bases_and_conversions: "
        struct Base { float a; __device__ explicit Base(float f) : a(f * 2) {} };
        struct Derived : Base {
          int b;
          __device__ Derived(float f, int n) : Base(f), b{n} {}
          __device__ operator float() const { return a + b; }
        };
        __device__ float read(const Base &b) { return b.a; }
        __global__ void k(float *x) {
          Derived d(x[0], 3);
          x[1] = d;
          x[2] = read(d);
        }";

    lambdas_capture: "
        template <typename F> __device__ void each(int n, F f) { for (int i = 0; i < n; ++i) f(i); }
        __global__ void k(float *x, int n) {
          float sum = 0;
          const int step = 2;
          each(n, [&, step](int i) { sum += x[i * step]; });
          each(n, [=](auto i) mutable { x[i] = sum; });
        }";

    templates_packs_and_folds: "
        template <typename... T> __device__ float sum(T... v) { return (0.0f + ... + v); }
        template <int N> struct Power { static constexpr int value = 2 * Power<N - 1>::value; };
        template <> struct Power<0> { static constexpr int value = 1; };
        template <typename T> __device__ T pick(T a) { return a; }
        template <typename T> __device__ T pick(T *a) { return *a; }
        __device__ int pick(int a) { return a + 1; }
        __global__ void k(float *x) {
          x[0] = sum(1, 2.0f, x[3]);
          x[1] = Power<5>::value;
          x[2] = pick(x) + pick(x[4]) + pick(7);
        }";

    vectors_and_reinterpretation: "
        __global__ void k(float4 *v, float *x, half2 *h) {
          float4 a = *reinterpret_cast<float4 *>(x);
          a.x += a.w;
          v[threadIdx.x] = make_float4(a.y, 1, 2, a.x);
          unsigned bits = *reinterpret_cast<unsigned *>(&h[0]);
          h[1] = __hfma2(h[0], __float2half2_rn(2), *reinterpret_cast<half2 *>(&bits));
          dim3 d = blockIdx; x[4] = d.y;
        }";

    half_arithmetic: "
        __global__ void k(half *h, __nv_bfloat16 *b, float f) {
          h[0] = h[1] * h[2] + h[3];
          h[4] = __hmul_rn(h[5], h[6]);
          h[7] = f;
          b[0] = __float2bfloat16_rn(f * __bfloat162float(b[1]));
          if (h[8] > h[9]) h[8] = __hmax(h[8], hexp(h[9]));
        }";

    rounding_and_fast_forms: "
        __global__ void k(float *x, double *d, int *i) {
          x[0] = __fmul_rn(x[1], x[2]) + __fadd_rz(x[3], x[4]);
          x[5] = __expf(x[6]) / __fdividef(x[7], x[8]) + sqrtf(x[9]) + rsqrtf(x[10]);
          d[0] = fma(d[1], d[2], d[3]) + pow(d[4], 2);
          i[0] = __float2int_rd(x[11]) + (int)x[12] + max(i[1], 3u) + __popc(i[2]);
          x[13] = fminf(x[14], INFINITY) + abs(x[15]) + exp(x[16]) + floor(d[5]);
        }";

    warps_barriers_and_atomics: "
        __global__ void k(float *x, int *i, unsigned mask) {
          float v = x[threadIdx.x];
          v += __shfl_xor_sync(0xffffffff, v, 16);
          v += __shfl_down_sync(mask, v, 1, 8);
          if (__any_sync(mask, v > 0)) i[0] = __ballot_sync(mask, i[1]);
          __syncwarp();
          i[2] = __syncthreads_count(v > 1);
          __threadfence();
          atomicAdd(x, v);
          i[3] = atomicCAS(i + 4, 1, 2) + atomicMax(&i[5], 6);
          i[6] = __reduce_add_sync(mask, i[7]) + __activemask();
        }";

    tensor_cores: "
        using namespace nvcuda;
        __global__ void k(const half *a, const half *b, float *c) {
          wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
          wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
          wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
          wmma::fill_fragment(fc, 0.0f);
          wmma::load_matrix_sync(fa, a, 16);
          wmma::load_matrix_sync(fb, b, 16);
          wmma::mma_sync(fc, fa, fb, fc);
          for (int i = 0; i < fc.num_elements; ++i) fc.x[i] *= 2.0f;
          wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major);
        }";

    unions_and_bit_fields: "
        union Bits { float f; unsigned u; };
        struct Packed { unsigned low : 4; int high : 12; };
        __global__ void k(float *x, int *i, Packed p) {
          Bits b;
          b.f = x[0];
          b.u ^= 0x80000000u;
          x[1] = b.f;
          p.high = i[0];
          i[1] = p.low + p.high;
        }";

    structured_bindings_and_ranges: "
        struct Pair { int a; float b; };
        __device__ Pair make(int n) { return {n, 2.5f}; }
        __global__ void k(float *x) {
          auto [n, f] = make(3);
          float t[3] = {f, 1};
          for (float &e : t) e += n;
          x[0] = t[0] + t[2];
        }";

    dynamic_shared_memory_and_globals: "
        __device__ int counter;
        extern __shared__ __align__(16) unsigned char bytes[];
        template <typename T> __device__ T *scratch() { return reinterpret_cast<T *>(bytes); }
        __global__ void __launch_bounds__(256, 2) k(float *x) {
          scratch<float>()[threadIdx.x] = x[0];
          __syncthreads();
          if (atomicAdd(&counter, 1) == 0) printf(\"%d %f\\n\", counter, x[1]);
        }";

    cooperative_groups: "
        namespace cg = cooperative_groups;
        __global__ void k(float *x) {
          cg::thread_block block = cg::this_thread_block();
          cg::thread_block_tile<16> tile = cg::tiled_partition<16>(block);
          float v = x[block.thread_rank()];
          v = cg::reduce(tile, v, cg::plus<float>());
          block.sync();
          if (tile.thread_rank() == 0) x[0] = v;
        }";

    /// The bodies of functions for both sides are looked at while launches are searched.
    constructors_of_host_and_device: "
        struct Parts { int vdr; float scale;
          constexpr __host__ __device__ Parts(int vdr, float s) : vdr(vdr), scale(s) {} };
        template <int N> constexpr __host__ __device__ Parts parts() {
          switch (N) { case 3: return Parts(-1, 2.0f); default: return Parts(1, 1.0f); }
        }
        __global__ void k(int *x, float f) {
          static_assert(parts<3>().vdr == -1, \"a constant\");
          Parts p(x[1], f);
          x[0] = p.vdr + int(p.scale);
        }";

    launch_facts: "
        template <typename T, int N> __global__ void k(T *x) { x[N] = 0; }
        template <typename T> void go(T *x, int n) {
          const dim3 block(32, 4);
          if (n > 3) k<T, 3><<<n, block, 48 * sizeof(T)>>>(x); else k<T, 4><<<7, 64>>>(x);
        }
        void all(float *f, int *i) { go(f, 1); go(i, 2); }";
}
