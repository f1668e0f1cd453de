//! Items: what is one entity, what belongs to what, and which names are seen from where.

mod common;

use common::dump;

/// Asserts that the lines stand in the text form, each as a whole line without its indentation.
#[track_caller]
fn has(dump: &str, lines: &[&str]) {
    for line in lines {
        assert!(dump.lines().any(|found| found.trim() == *line), "no `{line}` in:\n{dump}");
    }
}

#[test]
fn a_prototype_and_its_definition_are_one_function() {
    let module = common::module(
        "template <typename T> __device__ T f(T x, int n = 3);
         template <typename U> __device__ U f(U y, int m) { return y; }
         __device__ int g(const int);
         __device__ int g(int a) { return a; }
         __device__ int g(float a) { return 0; }
         __global__ void k(float *p);
         __global__ void __launch_bounds__(128) k(float *q) { *q = g(1) + f(2); }",
    );
    let dump = port_hir::dump::dump(&module);
    assert_eq!(module.functions.len(), 4, "{dump}");
    has(
        &dump,
        &[
            "template@0<type U> device fn f(y: param0.0 U, m: int = 3) -> param0.0 U",
            "device fn g(a: int) -> int",
            "device fn g(a: float) -> int",
            "kernel launch_bounds(128) fn k(q: ptr(float)) -> void",
            "((* local q) = (call(fn/2 g; 1) + call(fn f; 2)))",
        ],
    );
    let kernel = module.kernels().next().map(|(_, function)| function.declarations.len());
    assert_eq!(kernel, Some(2));
}

#[test]
fn templates_that_differ_in_their_constraints_are_two() {
    let dump = dump(
        "template <typename T, int W> __global__ std::enable_if_t<(W > 0) && Has<T>::v> k(T *p) {}
         template <typename T, int W> __global__ std::enable_if_t<(W == 0) || !Has<T>::v> k(T *p) {}",
    );
    assert_eq!(dump.lines().filter(|line| line.contains("kernel fn k(")).count(), 2, "{dump}");
}

#[test]
fn members_are_joined_to_their_class() {
    let text = "
        template <typename T> struct Vec {
          T data[4];
          static const int width = 4;
          __device__ Vec(T v);
          __device__ T sum() const;
          template <typename U> __device__ void copy(U from);
          __device__ Vec &operator+=(const Vec &o);
          __device__ operator T() const;
          __device__ ~Vec();
        };
        template <typename S> __device__ Vec<S>::Vec(S v) : data{v} {}
        template <typename S> __device__ S Vec<S>::sum() const { return data[0] + width; }
        template <typename S> template <typename V> __device__ void Vec<S>::copy(V from) { data[1] = V(from); }
        template <typename S> __device__ Vec<S> &Vec<S>::operator+=(const Vec<S> &o) { return *this; }
        template <typename S> __device__ Vec<S>::operator S() const { return sum(); }
        template <typename S> __device__ Vec<S>::~Vec() {}
        template <typename S> const int Vec<S>::width;
        template <> __device__ int Vec<int>::sum() const { return data[2]; }
    ";
    let module = common::module(text);
    let dump = port_hir::dump::dump(&module);
    assert!(module.diagnostics.is_empty(), "{:?}", module.diagnostics);
    has(
        &dump,
        &[
            "template@0<type T> struct Vec",
            "device constructor Vec::Vec(v: param0.0 S)",
            "init field data {local v}",
            "device fn Vec::sum() const -> param0.0 S",
            "return (field data[0] + var width)",
            "template@1<type V> device fn Vec::copy(from: param1.0 V) -> void",
            "(field data[1] = make<param1.0 V>(local from))",
            "device fn Vec::operator+=(o: ref(const Vec<param0.0 S>)) -> ref(Vec<param0.0 S>)",
            "device conversion Vec::operator T() const -> param0.0 S",
            "return call(method sum; )",
            "device destructor Vec::~Vec()",
            "device fn Vec::sum for <> of <int>() const -> int",
        ],
    );
    // The seven members and the one specialisation; the variable once.
    assert_eq!(module.functions.len(), 7, "{dump}");
    assert_eq!(module.variables.len(), 1, "{dump}");
}

#[test]
fn bodies_of_members_see_later_members() {
    let dump = dump(
        "struct S {
           __device__ int first() { return second() + count + Later{}.x + kind; }
           struct Later { int x; };
           enum { kind = 3 };
           __device__ int second();
           int count;
         };",
    );
    has(
        &dump,
        &["return (((call(method second; ) + field count) + construct<Later>{}.x) + enum kind)"],
    );
}

#[test]
fn specialisations_belong_to_their_template() {
    let module = common::module(
        "template <typename T, int N> struct Shape { static const int kind = 0; };
         template <typename T> struct Shape<T *, 2> { static const int kind = 1; };
         template <> struct Shape<float, 3> { static const int kind = 2; __device__ int f(); };
         __device__ int Shape<float, 3>::f() { return kind; }
         template <typename T> struct Shared { __device__ T *get(); };
         template <> struct Shared<double> { __device__ double *get() { extern __shared__ double d[]; return d; } };
         template <typename T> __device__ T zero();
         template <> __device__ float zero<float>() { return 0.0f; }
         template <> __device__ double zero() { return 0.0; }",
    );
    let dump = port_hir::dump::dump(&module);
    has(
        &dump,
        &[
            "template@0<type T> struct Shape for <ptr(param0.0 T), 2>",
            "struct Shape for <float, 3>",
            "device fn Shape::f() -> int",
            "return var kind",
            "let extern shared d: array(double, [])",
            "device fn zero for <float>() -> float",
            "device fn zero for <>() -> double",
        ],
    );
    let primary = module.records.iter().find(|(_, record)| record.primary.is_none());
    assert_eq!(primary.map(|(_, record)| record.specialisations.len()), Some(2));
    let zero = module.functions_named("zero");
    assert_eq!(zero.len(), 3);
    assert_eq!(module.functions[zero[0]].specialisations, zero[1..]);
}

#[test]
fn namespaces_and_using() {
    let dump = dump(
        "namespace a { namespace b { __device__ int f(int); struct S { int x; }; } int v; }
         namespace a::b { __device__ float f(float); }
         namespace { __device__ int hidden(); }
         inline namespace one { __device__ int versioned(); }
         namespace short_name = a::b;
         namespace c { using namespace a::b; __device__ int g() { return f(1); } }
         __device__ int h() {
           using a::b::f;
           using namespace a;
           short_name::S s;
           return f(2) + hidden() + versioned() + v + ::a::v + a::b::f(1.0f);
         }",
    );
    has(
        &dump,
        &[
            "return call(fn/2 f; 1)",
            "let s: short_name::S",
            "return (((((call(fn/2 f; 2) + call(fn hidden; )) + call(fn versioned; )) + var v) \
             + var ::a::v) + call(fn/2 a::b::f; 1.0f))",
        ],
    );
}

#[test]
fn libraries_are_named_by_their_rows() {
    let dump = dump(
        "namespace cg = cooperative_groups;
         using namespace nvcuda;
         __device__ void f(int x) {
           cg::thread_block block = cg::this_thread_block();
           wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
           wmma::fill_fragment(c, 0.0f);
           int m = std::max(x, 3), n = max(x, 4);
           unsigned lane = threadIdx.x & 31;
         }",
    );
    has(
        &dump,
        &[
            "let block: api cg::thread_block = call(api cg::this_thread_block; )",
            "let c: api wmma::fragment<api wmma::accumulator, 16, 16, 16, float>",
            "call(api wmma::fill_fragment; local c, 0.0f)",
            "let n: int = call(api max; local x, 4)",
            "let lane: unsigned int = (api threadIdx.x & 31)",
        ],
    );
}

#[test]
fn a_users_own_names_hide_the_library() {
    let dump = dump(
        "__device__ int warpSize();
         __device__ float min(float, float);
         __device__ void f(int threadIdx) { int a = warpSize(); float b = min(1.0f, 2.0f); a = threadIdx; }",
    );
    has(
        &dump,
        &[
            "let a: int = call(fn warpSize; )",
            "let b: float = call(fn min; 1.0f, 2.0f)",
            "(local a = local threadIdx)",
        ],
    );
}

#[test]
fn launches_and_kernel_names() {
    let module = common::module(
        "template <typename T, int N> __global__ void k(T *x, int n) {}
         __global__ void plain(int n) {}
         template <typename F> void apply(F f);
         void host(float *x, int n, cudaStream_t s) {
           dim3 grid((n + 255) / 256), block(256);
           k<float, 4><<<grid, block, 1024, s>>>(x, n);
           plain<<<n, 32>>>(n);
           ::plain<<<dim3(1, 2), {1, 2, 3}>>>(n > 3 ? 1 : 2);
           cudaFuncSetAttribute(k<float, 8>, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 16);
           cudaLaunchKernel((void *)plain, grid, block, nullptr, 0, s);
           auto p = &k<double, 2>;
           p<<<1, 1>>>(nullptr, 0);
           apply([=] { plain<<<1, 1, n * sizeof(float)>>>(0); });
         }",
    );
    let dump = port_hir::dump::dump(&module);
    has(
        &dump,
        &[
            "let grid: api dim3 (((local n + 255) / 256))",
            "launch(fn k<float, 4>; local grid, local block, 1024, local s; local x, local n)",
            "launch(fn plain; local n, 32; local n)",
            "launch(fn ::plain; construct<api dim3>(1, 2), {1, 2, 3}; ((local n > 3) ? 1 : 2))",
            "launch(local p; 1, 1; nullptr, 0)",
            "kernel use fn k<float, 8> by cudaFuncSetAttribute",
            "kernel use fn plain by cudaLaunchKernel",
            "kernel use fn k<double, 2>",
        ],
    );
    assert_eq!(module.launches.len(), 5);
    assert_eq!(module.kernel_uses.len(), 3);
    let inside = module.launches.iter().filter(|(_, launch)| launch.function.is_some());
    assert_eq!(inside.count(), 5);
}

#[test]
fn explicit_instantiations() {
    let dump = dump(
        "template <typename T> __global__ void k(T *x) {}
         template <typename T> struct Box {};
         template __global__ void k<float>(float *);
         template void k(double *x);
         extern template class Box<int>;
         template struct Box<float>;",
    );
    has(
        &dump,
        &[
            "instantiate fn k<float>(ptr(float))",
            "instantiate fn k(ptr(double))",
            "extern instantiate type Box<int>",
            "instantiate type Box<float>",
        ],
    );
}

#[test]
fn records_and_their_fields() {
    let dump = dump(
        "struct __align__(16) P { float x = 0.5f, *p, m[2][3]; unsigned bits : 3, : 2, more : 5; };
         union U { int i; struct { short lo, hi; }; };
         __device__ int f(U u);
         struct D : public P, U { using P::x; mutable int c; D() = default; D(const D &) = delete;
           virtual void v() = 0; explicit D(int a) : P{}, c(a) {} friend bool operator==(const D &a, const D &b) { return a.c == b.c; } };
         enum Color { Red, Green = 4, Blue }; enum class Mode : unsigned char { A = Red, B = A + 1 };
         typedef struct { int a; } Anonymous; typedef float (*Op)(float, float);
         using Row = float[4]; template <typename T> using Ptr = T *;
         struct alignas(8) Pair { int a, b; } first, *second;",
    );
    has(
        &dump,
        &[
            "align(16) struct P",
            "field x: float = 0.5f",
            "field p: ptr(float)",
            "field m: array(array(float, [3]), [2])",
            "field bits: unsigned int : 3",
            "field : unsigned int : 2",
            "union U",
            "struct D: P, U",
            "mutable field c: int",
            "constructor D::D() = default",
            "constructor D::D(: ref(const D)) = delete",
            "virtual fn D::v() -> void = 0",
            "init P {}",
            "init field c (local a)",
            "friend fn operator==(a: ref(const D), b: ref(const D)) -> bool",
            "enum Color { Red, Green = 4, Blue }",
            "enum class Mode: unsigned char { A = enum Red, B = (enum A + 1) }",
            "alias Op = ptr(fn(float, float) -> float)",
            "alias Row = array(float, [4])",
            "template@0<type T> alias Ptr = ptr(param0.0 T)",
            "align(8) struct Pair",
            "var second: ptr(Pair)",
        ],
    );
}

#[test]
fn variables_of_every_space() {
    let dump = dump(
        "__constant__ float table[256];
         __device__ int counter = 0, *where;
         __managed__ double total;
         static __device__ const unsigned masks[] = {1u, 2u};
         extern __shared__ char raw[];
         constexpr int kWarp = 32; inline constexpr float kEps = 1e-5f;
         template <typename T> constexpr bool is_half = false;
         template <> constexpr bool is_half<half> = true;
         extern int late; int late = 3;",
    );
    has(
        &dump,
        &[
            "constant var table: array(float, [256])",
            "device var counter: int = 0",
            "device var where: ptr(int)",
            "managed var total: double",
            "static device var masks: array(const unsigned int, []) = {1u, 2u}",
            "extern shared var raw: array(char, [])",
            "constexpr var kWarp: int = 32",
            "constexpr inline var kEps: float = 1e-5f",
            "template@0<type T> constexpr var is_half: bool = false",
            "constexpr var is_half for <api half>: bool = true",
            "var late: int = 3",
        ],
    );
}

#[test]
fn names_in_dependent_bases_wait() {
    let dump = dump(
        "template <typename T> struct Base { T v; __device__ T get(); };
         template <typename T> struct Derived : Base<T> {
           using Base<T>::get;
           __device__ T f() { return this->v + unknown_name + Base<T>::v + get(); }
         };
         struct Fixed : Base<int> { __device__ int f() { return v + get(); } };",
    );
    has(
        &dump,
        &[
            "return (((this->v + dependent unknown_name) + member(type/1) Base<param0.0 T>::v) \
             + call(dependent get; ))",
            "return (field v + call(method get; ))",
        ],
    );
}

#[test]
fn member_templates_of_nested_records() {
    let dump = dump(
        "template <typename A> struct Outer {
           template <typename B> struct Inner { A a; B b; template <typename C> __device__ C f(C c) { return c + C(a) + C(b); } };
           static __device__ void use() { Inner<float> i; i.f(3); typename Outer<int>::template Inner<A> j; }
         };",
    );
    has(
        &dump,
        &[
            "template@1<type B> struct Outer::Inner",
            "field a: param0.0 A",
            "field b: param1.0 B",
            "template@2<type C> device fn Outer::Inner::f(c: param2.0 C) -> param2.0 C",
            "return ((local c + make<param2.0 C>(field a)) + make<param2.0 C>(field b))",
            "let i: Inner<float>",
            "let j: member(type/1) Outer<int>::Inner<param0.0 A>",
        ],
    );
}

#[test]
fn abbreviated_and_variadic_templates() {
    let dump = dump(
        "template <typename... Ts> __device__ int sum(Ts... xs) { return (0 + ... + xs) + (xs + ...) + sizeof...(Ts); }
         template <int... Is> __device__ void each(float (&v)[sizeof...(Is)]) { int t[] = {(v[Is] = 0, 0)...}; ((v[Is] += 1), ...); }
         __device__ auto twice(auto x) { return x + x; }
         template <template <typename> class C, typename T = C<int>> __device__ void take(C<T> c, T t = T{});
         template <typename T, typename std::enable_if<sizeof(T) == 4, int>::type = 0> __device__ T only4(T t);",
    );
    has(
        &dump,
        &[
            "template@0<type... Ts> device fn sum(xs: param0.0 Ts...) -> int",
            "return ((fold_left(+ local xs; 0) + fold_right(+ local xs)) + sizeof...(param0.0 Ts))",
            "template@0<int... Is> device fn each(v: ref(array(float, [sizeof...(param0.0 Is)]))) -> void",
            "let t: array(int, []) = {((local v[param0.0 Is] = 0) , 0)...}",
            "fold_right(, (local v[param0.0 Is] += 1))",
            "template@0<auto> device fn twice(x: auto0.0) -> auto",
            "template@0<template C, type T = param0.0 C<int>> device fn take(c: param0.0 C<param0.1 T>, \
             t: param0.1 T = construct<param0.1 T>{}) -> void;",
        ],
    );
    assert!(dump.contains("std::enable_if<(sizeof<param0.0 T> == 4), int>::type  = 0>"), "{dump}");
}

#[test]
fn friends_are_found_by_their_arguments_and_joined_to_their_definitions() {
    let module = common::module(
        "namespace n {
           struct V { int x; friend __device__ int dot(V a, V b); friend __device__ int self(V a) { return a.x; } };
           __device__ int dot(V a, V b) { return a.x * b.x; }
         }
         __device__ int f(n::V v) { return dot(v, v) + self(v) + n::dot(v, v); }",
    );
    let dump = port_hir::dump::dump(&module);
    has(
        &dump,
        &[
            "friend device fn n::dot(a: V, b: V) -> int",
            "friend device fn n::self(a: V) -> int",
            "return ((call(unknown dot; local v, local v) + call(unknown self; local v)) \
             + call(fn n::dot; local v, local v))",
        ],
    );
    assert_eq!(module.functions_named("dot").len(), 1, "{dump}");
    assert!(module.declares("self"));
}
