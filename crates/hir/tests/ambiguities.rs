//! Where C++ reads the same tokens in two ways, and only names tell.

mod common;

use common::{body, only};

const NAMES: &str = "
    struct T { int m; T(); T(int); };
    typedef float F;
    template <typename U> struct Box { typedef U type; U value; template <typename V> V get(); };
    template <typename U> __device__ U f(U);
    __device__ int g(int);
    __device__ int a, b, c, d, x, y, n;
    __device__ int *p;
";

#[test]
fn parenthesised_type_before_parentheses_casts() {
    assert_eq!(only(NAMES, "a = (T)(x);"), "(var a = cast<T>(var x))");
    assert_eq!(only(NAMES, "a = (g)(x);"), "(var a = call(fn g; var x))");
    assert_eq!(only(NAMES, "a = (int)(x) + 1;"), "(var a = (cast<int>(var x) + 1))");
}

#[test]
fn parenthesised_type_before_an_operator_casts() {
    assert_eq!(only(NAMES, "a = (F)-x;"), "(var a = cast<F>((- var x)))");
    assert_eq!(only(NAMES, "a = (b)-x;"), "(var a = (var b - var x))");
    assert_eq!(only(NAMES, "a = (F)*p;"), "(var a = cast<F>((* var p)))");
    assert_eq!(only(NAMES, "a = (b)*x;"), "(var a = (var b * var x))");
    assert_eq!(only(NAMES, "p = (int *)&x;"), "(var p = cast<ptr(int)>((& var x)))");
    assert_eq!(only(NAMES, "a = (b)&x;"), "(var a = (var b & var x))");
    assert_eq!(only(NAMES, "a = (unsigned)~x;"), "(var a = cast<unsigned int>((~ var x)))");
    assert_eq!(only(NAMES, "a = (const F *)p == 0;"), "(var a = (cast<ptr(const F)>(var p) == 0))");
}

#[test]
fn casts_bind_tighter_than_binary_operators() {
    assert_eq!(only(NAMES, "a = (F)x * y;"), "(var a = (cast<F>(var x) * var y))");
    assert_eq!(only(NAMES, "a = F(x) * y;"), "(var a = (make<F>(var x) * var y))");
    assert_eq!(only(NAMES, "a = (F)x++;"), "(var a = cast<F>((var x ++)))");
    assert_eq!(only(NAMES, "a = (F)p[x];"), "(var a = cast<F>(var p[var x]))");
    assert_eq!(only(NAMES, "a = (F)(x)[p];"), "(var a = cast<F>(var x[var p]))");
}

#[test]
fn a_type_and_a_name_in_a_block_declare() {
    assert_eq!(only(NAMES, "T v(x);"), "let v: T (var x)");
    assert_eq!(only(NAMES, "T v(g(x), y);"), "let v: T (call(fn g; var x), var y)");
    assert_eq!(only(NAMES, "T v(F);"), "declare v");
    assert_eq!(only(NAMES, "T v();"), "declare v");
    assert_eq!(only(NAMES, "T v((F)x);"), "let v: T (cast<F>(var x))");
    assert_eq!(only(NAMES, "T v(F(x));"), "let v: T (make<F>(var x))");
    assert_eq!(only(NAMES, "T v{x};"), "let v: T {var x}");
    assert_eq!(only(NAMES, "T * v;"), "let v: ptr(T)");
    assert_eq!(only(NAMES, "a * b;"), "(var a * var b)");
    assert_eq!(only(NAMES, "T & v = *(T *)p;"), "let v: ref(T) = (* cast<ptr(T)>(var p))");
    assert_eq!(only(NAMES, "a & b;"), "(var a & var b)");
}

#[test]
fn a_type_and_parentheses_in_a_block() {
    assert_eq!(only(NAMES, "T(x);"), "make<T>(var x)");
    assert_eq!(only(NAMES, "T(v);"), "let v: T");
    assert_eq!(only(NAMES, "T(x).m = 1;"), "(make<T>(var x).m = 1)");
    assert_eq!(only(NAMES, "int(x) + 1;"), "(make<int>(var x) + 1)");
    assert_eq!(only(NAMES, "F (*q)[3];"), "let q: ptr(array(F, [3]))");
    assert_eq!(only(NAMES, "F (*q)(int, F);"), "let q: ptr(fn(int, F) -> F)");
    assert_eq!(
        only(NAMES, "F (*q[2])(int) = {0, 0};"),
        "let q: array(ptr(fn(int) -> F), [2]) = {0, 0}"
    );
    assert_eq!(body(NAMES, "F *q[3], r;"), ["let q: array(ptr(F), [3])", "let r: F"]);
}

#[test]
fn comparisons_are_no_template_arguments() {
    assert_eq!(
        only(NAMES, "n = a < b && c > (d);"),
        "(var n = ((var a < var b) && (var c > var d)))"
    );
    assert_eq!(only(NAMES, "n = a < b, c > (d);"), "((var n = (var a < var b)) , (var c > var d))");
    assert_eq!(only(NAMES, "n = g(x) < b && c > (d);").matches("call").count(), 1);
    assert_eq!(
        body(NAMES, "for (int i = 0; i < n; ++i) n = i < (n > 3);"),
        [
            "for",
            "  let i: int = 0",
            "  while (local i < var n)",
            "  step (++ local i)",
            "  do",
            "    (var n = (local i < (var n > 3)))",
        ]
    );
}

#[test]
fn templates_take_arguments() {
    assert_eq!(only(NAMES, "a = f<int>(x);"), "(var a = call(fn f<int>; var x))");
    assert_eq!(only(NAMES, "a = f<F *>(x) > 1;"), "(var a = (call(fn f<ptr(F)>; var x) > 1))");
    assert_eq!(only(NAMES, "a = f < 3 > (x);"), "(var a = call(fn f<3>; var x))");
    assert_eq!(only(NAMES, "Box<Box<Box<int>>> v;"), "let v: Box<Box<Box<int>>>");
    assert_eq!(only(NAMES, "Box<int> v;"), "let v: Box<int>");
    assert_eq!(
        only(NAMES, "a = sizeof(Box<Box<int>>) >> 1;"),
        "(var a = (sizeof<Box<Box<int>>> >> 1))"
    );
    assert_eq!(
        only(NAMES, "a = f<(3 > 2)>(x) >> 2;"),
        "(var a = (call(fn f<(3 > 2)>; var x) >> 2))"
    );
}

#[test]
fn members_take_template_arguments_by_their_shape() {
    let names = format!("{NAMES} struct S {{ int u, v; }}; __device__ S s;");
    assert_eq!(
        only(&names, "a = s.template get<float>(x);"),
        "(var a = call(var s.get<float>; var x))"
    );
    assert_eq!(only(&names, "a = s.get<float>();"), "(var a = call(var s.get<float>; ))");
    assert_eq!(
        only(&names, "n = s.u < a || s.v > (b);"),
        "(var n = ((var s.u < var a) || (var s.v > var b)))"
    );
    assert_eq!(
        only(&names, "n = s.u < a && s.v >= (b);"),
        "(var n = ((var s.u < var a) && (var s.v >= var b)))"
    );
}

#[test]
fn dependent_types() {
    let text = "
        template <typename T> struct Traits { typedef T type; static const int N = 3; };
        template <typename T, int N> __device__ void k(T x) {
          auto v = typename T::type{};
          auto w = typename Traits<T>::type(x);
          typename T::type *q;
          T::type * N;
          int m = T::count < 3;
          int r = Traits<T>::N * N;
          x.template run<N>(N);
        }";
    let dump = common::dump(text);
    for expected in [
        "let v: auto = construct<member(param0.0/1) T::type>{}",
        "let w: auto = make<member(type/1) Traits<param0.0 T>::type>(local x)",
        "let q: ptr(member(param0.0/1) T::type)",
        "(member(param0.0/1) T::type * param0.1 N)",
        "let m: int = (member(param0.0/1) T::count < 3)",
        "let r: int = (member(type/1) Traits<param0.0 T>::N * param0.1 N)",
        "call(local x.run<param0.1 N>; param0.1 N)",
    ] {
        assert!(dump.contains(expected), "no `{expected}` in:\n{dump}");
    }
}

#[test]
fn sizeof_of_a_type_ends_at_its_parentheses() {
    assert_eq!(only(NAMES, "a = sizeof(T)*n;"), "(var a = (sizeof<T> * var n))");
    assert_eq!(only(NAMES, "a = sizeof(x)*n;"), "(var a = (sizeof(var x) * var n))");
    assert_eq!(only(NAMES, "a = sizeof x * n;"), "(var a = (sizeof(var x) * var n))");
    assert_eq!(only(NAMES, "a = sizeof(int) - 1;"), "(var a = (sizeof<int> - 1))");
    assert_eq!(only(NAMES, "a = sizeof(float[4]);"), "(var a = sizeof<array(float, [4])>)");
    assert_eq!(only(NAMES, "a = sizeof *p;"), "(var a = sizeof((* var p)))");
    assert_eq!(only(NAMES, "a = alignof(T) + 1;"), "(var a = (alignof<T> + 1))");
}

#[test]
fn unknown_types_declare_and_unknown_functions_are_called() {
    assert_eq!(only(NAMES, "U v;"), "let v: unknown U");
    assert_eq!(only(NAMES, "U *v = 0;"), "let v: ptr(unknown U) = 0");
    assert_eq!(only(NAMES, "U * v;"), "let v: ptr(unknown U)");
    assert_eq!(only(NAMES, "U<int> v(x);"), "let v: unknown U<int> (var x)");
    assert_eq!(only(NAMES, "const U v = x;"), "let v: const unknown U = var x");
    assert_eq!(only(NAMES, "u(x);"), "call(unknown u; var x)");
    assert_eq!(only(NAMES, "u<int>(x);"), "call(unknown u<int>; var x)");
    assert_eq!(only(NAMES, "a = u < b;"), "(var a = (unknown u < var b))");
    assert_eq!(only(NAMES, "a = (U)x;"), "(var a = cast<unknown U>(var x))");
    assert_eq!(only(NAMES, "a = (U *)p;"), "(var a = cast<ptr(unknown U)>(var p))");
    assert_eq!(only(NAMES, "a = (LIMIT)-x;"), "(var a = (unknown LIMIT - var x))");
    assert_eq!(only(NAMES, "a = (uchar_t)-x;"), "(var a = cast<unknown uchar_t>((- var x)))");
    assert_eq!(only(NAMES, "a = g(LIMIT);"), "(var a = call(fn g; unknown LIMIT))");
    assert_eq!(only(NAMES, "std::vector<int> v(x);"), "let v: lib std::vector<int> (var x)");
}

#[test]
fn shared_memory() {
    assert_eq!(
        only(NAMES, "extern __shared__ float s[];"),
        "let extern shared s: array(float, [])"
    );
    assert_eq!(
        only(NAMES, "__shared__ F tile[32][32+1];"),
        "let shared tile: array(array(F, [(32 + 1)]), [32])"
    );
    assert_eq!(
        only(NAMES, "extern __shared__ __align__(16) unsigned char raw[];"),
        "let extern shared align(16) raw: array(unsigned char, [])"
    );
    assert_eq!(only(NAMES, "__shared__ alignas(16) T t;"), "let shared align(16) t: T");
}

#[test]
fn macros_declare() {
    let names =
        format!("{NAMES}\n#define DECLARE(type, name, n) type name[n]\n#define INDEX int i = x\n");
    assert_eq!(only(&names, "DECLARE(F, buffer, 8);"), "let buffer: array(F, [8])");
    assert_eq!(body(&names, "INDEX; g(i);"), ["let i: int = var x", "call(fn g; local i)"]);
}

#[test]
fn shifts_and_closers() {
    assert_eq!(only(NAMES, "a = x >> 2;"), "(var a = (var x >> 2))");
    assert_eq!(only(NAMES, "a >>= 2;"), "(var a >>= 2)");
    assert_eq!(only(NAMES, "a = x > y;"), "(var a = (var x > var y))");
}

#[test]
fn local_names_hide_outer_ones() {
    assert_eq!(
        body(NAMES, "int T = 1; a = (T)-x;"),
        ["let T: int = 1", "(var a = (local T - var x))"]
    );
    assert_eq!(body(NAMES, "{ typedef int a; } a = 1;")[2], "(var a = 1)");
    assert_eq!(
        body(NAMES, "int f = 3; n = f < x;"),
        ["let f: int = 3", "(var n = (local f < var x))"]
    );
}

#[test]
fn initialisers_with_conditionals_and_lambdas() {
    assert_eq!(
        only(NAMES, "auto h = [=](int i) { return i + x; };"),
        "let h: auto = lambda[=](i: int) { return (local i + var x) }"
    );
    assert_eq!(only(NAMES, "int v = a ? b : c;"), "let v: int = (var a ? var b : var c)");
    assert_eq!(
        only(NAMES, "auto h = [&, k = x](auto i, auto &&... r) mutable -> int { return g(k); };"),
        "let h: auto = lambda[&, k: auto = var x]template@0<auto, auto> \
         (i: auto0.0, r: rref(auto0.1)...) mutable -> int { return call(fn g; local k) }"
    );
}

/// `__is_class(T)` in template arguments is a value, not the type of a function.
#[test]
fn predicates_of_the_compiler_are_values() {
    let module = common::module(
        "template <bool b> struct B {};
         template <typename T> struct A : B<__is_class(T)> {};
         B<__is_same(int, float)> f();",
    );
    let traits = module
        .exprs
        .iter()
        .filter(|(_, expr)| matches!(expr.kind, port_hir::ExprKind::BuiltinTrait { .. }))
        .count();
    assert_eq!(traits, 2);
}
