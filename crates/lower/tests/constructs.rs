//! Constructs that other machines lack: each is reported once, at its place, with a way forward, and
//! the kernel beside it is whole. And those that are translated after all.

mod common;

use common::lowered;

/// A construct in a kernel `k`, the codes of the findings, and where the first begins.
const REPORTED: &[(&str, &[&str], &str)] = &[
    (
        "__global__ void child(int *x) { x[0] = 1; }
      __global__ void k(int *x) { child<<<1, 1>>>(x); }",
        &["P0309"],
        "child<<<",
    ),
    (
        "__global__ void other(int *x) { x[0] = 1; }
      __global__ void k(int *x) { other(x); }",
        &["P0309"],
        "other(x);",
    ),
    (
        "__global__ void k(float *x) { switch (x[0]) { case 1: x[1] = 2; } }",
        &["P0309"],
        "switch (x[0])",
    ),
    (
        "__global__ void k(int *x) { switch (x[0]) { case 1: x[1] = 2; case 2 - 1: x[2] = 3; } }",
        &["P0309"],
        "case 2 - 1",
    ),
    (
        "__global__ void k(int *x) { switch (x[0]) { default: x[1] = 2; case 1: default: x[2] = 3; } }",
        &["P0309"],
        "default: x[2]",
    ),
    ("__global__ void k(int *x) { switch (x[0]) { case 1.5: x[1] = 2; } }", &["P0309"], "1.5"),
    (
        "#include <mma.h>
      using namespace nvcuda::wmma;
      __global__ void k(half *x) {
        fragment<matrix_a, 16, 16, 16, half, row_major> a;
        fragment<accumulator, 16, 16, 16, float> c;
        load_matrix_sync(a, x, 16);
        mma_sync(c, a, a, c);
      }",
        &["P0302"],
        "mma_sync(c",
    ),
    (
        "#include <mma.h>
      using namespace nvcuda::wmma;
      __global__ void k(half *x) { fragment<matrix_a, 0, 16, 16, half, row_major> a; }",
        &["P0304"],
        "a; }",
    ),
    (
        "__global__ void k(int *x) { int sum = 0; atomicAdd(&sum, x[0]); x[1] = sum; }",
        &["P0309"],
        "atomicAdd",
    ),
    (
        "__constant__ float factor;
      __global__ void k(float *x) { factor = x[0]; }",
        &["P0309"],
        "factor = x",
    ),
    (
        "__global__ void k(cudaTextureObject_t t, float *x) { x[0] = tex2D<float>(t, 0.5f, 0.5f); }",
        &["P0302"],
        "tex2D<float>",
    ),
    (
        "texture<float, 2> image;
      __global__ void k(float *x) { x[0] = tex2D(image, 0.5f, 0.5f); }",
        &["P0302"],
        "tex2D(image",
    ),
    (
        "__global__ void k(cudaSurfaceObject_t s) { surf2Dwrite(1.0f, s, 0, 0); }",
        &["P0302"],
        "surf2Dwrite",
    ),
    (
        "__global__ void k(float *x) { __shared__ float a[1024 / warpSize]; a[0] = 1; x[0] = a[0]; }",
        &["P0323"],
        "1024 / warpSize",
    ),
    (
        "template <int N> __device__ float scale(float x) { return N * x; }
      __global__ void k(float *x) { x[0] = scale<warpSize>(x[1]); }",
        &["P0323"],
        "warpSize",
    ),
    (
        "__global__ void k(int *x) { int *p = (int *)malloc(16); x[0] = p[0]; }",
        &["P0302"],
        "malloc",
    ),
    (
        "struct Node { int v; };
      __global__ void k(int *x) { Node *n = new Node; x[0] = n->v; }",
        &["P0309"],
        "new Node",
    ),
    ("__global__ void k(int *x) { delete x; }", &["P0309"], "delete x"),
    ("__global__ void k(float *x, float (*f)(float)) { x[0] = f(x[1]); }", &["P0309"], "f(x[1])"),
    (
        "struct Base { __device__ virtual float f(float x) const { return x; } };
      struct Derived : Base { __device__ float f(float x) const override { return 2 * x; } };
      __global__ void k(float *x) { Derived d; Base *b = &d; x[0] = b->f(x[1]); }",
        &["P0309"],
        "Base { __device__ virtual",
    ),
    (
        "__global__ void k(int *x, int n) { again: x[0]++; if (n-- > 0) goto again; }",
        &["P0309"],
        "goto again",
    ),
    (
        "__global__ void k(float *x) {
        __shared__ float s[4];
        float *other = cooperative_groups::this_cluster().map_shared_rank(s, 1);
        x[0] = other[0]; }",
        &["P0302"],
        "cooperative_groups::this_cluster().map",
    ),
    (
        "__global__ void k(float *x) { asm volatile(\"cp.async.bulk.commit_group;\"); x[0] = 1; }",
        &["P0301"],
        "asm volatile",
    ),
    (
        "__device__ float elsewhere(float x);
      __global__ void k(float *x) { x[0] = elsewhere(x[1]); }",
        &["P0316"],
        "elsewhere(x[1])",
    ),
    ("__global__ void k(float *x) { x[0] = missing(x[1]); }", &["P0303"], "missing(x[1])"),
    ("__global__ void k(float *x) { break; }", &["P0309"], "break"),
    ("__global__ void k(int *x) { switch (x[0]) { case 1: continue; } }", &["P0309"], "continue"),
    ("__global__ void k(float *x) { try { x[0] = 1; } catch (...) {} }", &["P0309"], "try"),
];

#[test]
fn each_is_reported_once_and_the_rest_is_whole() {
    for (text, codes, place) in REPORTED {
        let text = format!("{text}\n__global__ void clean(float *x) {{ x[threadIdx.x] = 1; }}\n");
        let lowered = lowered(&text);
        let found: Vec<&str> = lowered.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(found, *codes, "{text}");
        let first = &lowered.diagnostics[0];
        let start = first.primary.as_ref().map(|label| label.span.start as usize);
        let expected = text.rfind(place);
        assert_eq!(start, expected, "{text}");
        assert!(first.help.as_ref().is_some_and(|help| help.len() > 20), "{text}");
        for instance in &lowered.instances {
            assert_eq!(instance.is_whole(), instance.instance.name != "k", "{text}");
        }
    }
}

#[test]
fn these_are_translated() {
    let cases = [
        "__device__ int f(int n) { return n < 2 ? 1 : n * f(n - 1); }
         __global__ void k(int *x) { x[0] = f(x[1]); }",
        "__device__ float a(float x) { return x; } __device__ float b(float x) { return -x; }
         typedef float (*Function)(float);
         __global__ void k(float *x, int i) {
           Function f = a, g = i > 0 ? a : b;
           x[0] = f(x[1]) + g(x[2]) + (i < 3 ? b : a)(x[3]);
         }",
        "typedef float (*Function)(float, float);
         __device__ float sum(float a, float b) { return a + b; }
         __device__ float larger(float a, float b) { return a > b ? a : b; }
         __device__ float twice(Function f, float a) { return f(a, a); }
         __device__ float thrice(Function f, float a) { return f(twice(f, a), a); }
         template <typename Op> __device__ float apply(float a, Op op) { return op(a, a); }
         __global__ void k(float *x) {
           auto warp = cooperative_groups::tiled_partition<32>(cooperative_groups::this_thread_block());
           x[0] = thrice(sum, x[1]) + thrice(larger, x[2]) + apply(x[3], sum) + apply(x[4], larger)
                + cooperative_groups::reduce(warp, x[5], larger);
         }",
        "struct Pair { float a; int b; double c; };
         __global__ void k(Pair *x, float *y) {
           auto warp = cooperative_groups::tiled_partition<32>(cooperative_groups::this_thread_block());
           x[0] = warp.shfl_xor(x[1], 1);
           y[0] = warp.shfl_down(y[1], 2);
         }",
        // The compiler's warning 20054: such an initialiser does nothing.
        "struct Counter { int v; __device__ Counter() : v(4) {} };
         __global__ void k(int *x) { __shared__ Counter c; c.v = x[1]; x[0] = c.v; }",
        "struct S { float a; };
         template <bool b> __device__ int flag() { return b; }
         __global__ void k(int *x) {
           x[0] = std::is_class<S>::value + std::is_arithmetic_v<S> + flag<__is_same(int, int)>();
         }",
        "enum E { A, B };
         __global__ void k(float *x, E e) { x[0] = A + B + e; }",
        "__global__ void k(float *x) { cooperative_groups::this_grid().sync(); x[0] = 1; }",
        "__global__ void __cluster_dims__(2, 1, 1) k(unsigned *x) {
           auto c = cooperative_groups::this_cluster(); c.sync(); x[0] = c.block_rank(); }",
        "__global__ void k(float *x, const float *y) {
           __shared__ float s[64];
           auto pipe = cuda::make_pipeline();
           pipe.producer_acquire();
           cuda::memcpy_async(&s[threadIdx.x], &y[threadIdx.x], cuda::aligned_size_t<4>(4), pipe);
           pipe.producer_commit();
           pipe.consumer_wait();
           __syncthreads();
           x[threadIdx.x] = s[63 - threadIdx.x];
           pipe.consumer_release(); }",
        "__global__ void k(int *x) {
           __shared__ cuda::barrier<cuda::thread_scope_block> b;
           if (threadIdx.x == 0) init(&b, blockDim.x);
           __syncthreads();
           b.arrive_and_wait();
           cuda::atomic_ref<int, cuda::thread_scope_device> sum(x[0]);
           sum.fetch_add(3, cuda::memory_order_relaxed); }",
        "__global__ void k(float *x, const float *y) {
           __shared__ float s[64];
           auto block = cooperative_groups::this_thread_block();
           cooperative_groups::memcpy_async(block, s, y, sizeof(float) * 64);
           cooperative_groups::wait(block);
           x[threadIdx.x] = s[63 - threadIdx.x]; }",
    ];
    for text in cases {
        let lowered = lowered(text);
        let messages: Vec<&str> = lowered.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert!(messages.is_empty(), "{text}: {messages:?}");
        assert!(lowered.instances.iter().all(|instance| instance.is_whole()), "{text}");
    }
}

/// What a lambda captures decides how its closure lies in memory, and the host's compiler makes it:
/// integer constants and `constexpr` variables are used without a capture, other constants are held.
#[test]
fn closures_hold_what_the_host_s_compiler_captures() {
    let lowered = lowered(
        "template <typename F> __global__ void k(F f) { f(0); }
         void host(float *y) {
           const float a = 2.0f;
           const int n = 3;
           constexpr double d = 0.5;
           k<<<1, 1>>>([=] __device__ (int i) { y[i] = a * n + d; });
         }",
    );
    let types = &lowered.module.types;
    let closures: Vec<(u64, usize)> =
        types.structs().iter().map(|(_, made)| (made.size, made.members.len())).collect();
    assert_eq!(closures, [(16, 2)], "a pointer and a float");
}

/// Templates of the host are deduced from what it keeps its data in, with `using namespace` too, and
/// from functions that are only declared.
#[test]
fn launches_behind_containers() {
    let text = "
        #include <memory>
        #include <vector>
        #include <thrust/device_vector.h>
        using namespace std;
        template <typename T, int N> __global__ void k(T *x) { x[threadIdx.x] = N; }
        struct Free { void operator()(void *p) const { cudaFree(p); } };
        template <typename T> using Held = unique_ptr<T[], Free>;
        template <typename T> Held<T> allocate(size_t n);
        double *outside(int n);
        template <typename T> void run(const std::vector<T> &x) {
          auto held = allocate<T>(x.size());
          k<T, 0><<<1, 32>>>(held.get());
        }
        template <typename V> V shifted(const V &x) {
          typename V::value_type *p = nullptr;
          k<typename V::value_type, 1><<<1, 32>>>(p);
          return x;
        }
        template <int N, typename T> void raw(T *p) { k<T, N><<<1, 32>>>(p); }
        template <typename F> void timed(F &&f) { f(); }
        int main() {
          vector<float> reals(7);
          run(reals);
          timed([&] { reals = shifted(vector<int>{1, 2}); });
          raw<2>(outside(3));
          auto shared = make_shared<short>(1);
          raw<3>(shared.get());
          thrust::device_vector<char> text(9);
          raw<4>(thrust::raw_pointer_cast(text.data()));
          raw<5>(thrust::raw_pointer_cast(&text[0]));
        }";
    let mut names = common::instances(text, &port_lower::Options::default());
    names.sort();
    let expected = ["char, 4", "char, 5", "double, 2", "float, 0", "int, 1", "short, 3"]
        .map(|list| format!("k<{list}>"));
    assert_eq!(names, expected);
}

/// Nothing is known of the library's containers; what their loops launch is found all the same.
#[test]
fn launches_wherever_the_host_stands() {
    let text = "
        #include <map>
        #include <vector>
        template <int N> __global__ void k(int *x) { x[threadIdx.x] = N; }
        struct Sizes { std::vector<int> all; };
        void launch(int *x, std::vector<int> sizes, std::map<int, int> pairs, Sizes s) {
          for (auto n : sizes) { k<0><<<1, n>>>(x); }
          for (const auto &[a, b] : pairs) k<1><<<a, b>>>(x);
          for (int n : s.all) if (n) k<2><<<1, n>>>(x);
          for (int n : {32, 64}) { switch (n) { case 32: k<3><<<1, n>>>(x); } }
          try { k<4><<<1, 32>>>(x); } catch (const std::exception &e) { k<5><<<1, 32>>>(x); } catch (...) {
            for (auto &p : pairs) k<6><<<1, p.first>>>(x);
          }
        }";
    let mut names = common::instances(text, &port_lower::Options::default());
    names.sort();
    let expected: Vec<String> = (0..7).map(|n| format!("k<{n}>")).collect();
    assert_eq!(names, expected);
}

/// `{a, b}` as a range is an array of its elements.
#[test]
fn a_braced_range() {
    common::ir("__global__ void k(int *x) { for (int n : {1, 2, 4}) x[n] = n; }");
}
