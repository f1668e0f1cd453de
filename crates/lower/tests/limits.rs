//! Inputs that take forever, or all memory, where a bound is missing. Each must end soon, with a
//! finding if it is wrong.

#![allow(clippy::disallowed_methods, reason = "the tests measure time")]

mod common;

use std::time::{Duration, Instant};

use port_lower::Lowered;

/// Generous: a debug build on a loaded machine.
const SOON: Duration = Duration::from_secs(20);

fn lowered(text: &str) -> Lowered {
    let start = Instant::now();
    let lowered = common::lowered(text);
    let about = &text[..text.len().min(80)];
    let info = port_ir::validate(&lowered.module).expect("it was valid a moment ago");
    let flat = port_ir::passes::flatten(&lowered.module, &info);
    assert!(port_ir::validate(&flat).is_ok(), "{about}");
    assert!(start.elapsed() < SOON, "{:?}: {about}", start.elapsed());
    lowered
}

#[test]
fn many_kernels_take_linear_time() {
    let text: String =
        (0..20_000).map(|i| format!("__global__ void k{i}(float *x) {{ x[0] = 1; }}\n")).collect();
    let lowered = lowered(&text);
    assert_eq!(lowered.instances.len(), 20_000);
    assert!(lowered.instances.iter().all(|instance| instance.is_whole()));
}

#[test]
fn templates_that_never_end_are_reported() {
    let cases = [
        "template <int N> struct A { static constexpr int v = A<N + 1>::v; };
         __global__ void k(int *x) { x[0] = A<0>::v; }",
        "template <int N> __device__ int f() { return f<N + 1>() + f<N + 2>(); }
         __global__ void k(int *x) { x[0] = f<0>(); }",
        "template <class T> struct P {};
         template <class T> __device__ int f(T) { return f(P<T>()) + f(P<P<T>>()); }
         __global__ void k(int *x) { x[0] = f(0); }",
        "constexpr int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }
         __global__ void k(int *x) { constexpr int a = f(60); x[0] = a; }",
        "constexpr int f(int n) { int s = 0; for (int i = 0; i < 1000000000; i++) s += i; return s; }
         __global__ void k(int *x) { int a[f(1)]; a[0] = 1; x[0] = a[0]; }",
    ];
    for text in cases {
        let text = format!("{text}\n__global__ void clean(int *x) {{ x[0] = 1; }}");
        let lowered = lowered(&text);
        assert!(!lowered.diagnostics.is_empty(), "{text}");
        assert!(lowered.instances[1].is_whole(), "{text}");
        assert!(lowered.diagnostics.len() <= 2, "{text}");
        if text.contains("template") {
            let codes: Vec<&str> = lowered.diagnostics.iter().map(|d| d.code).collect();
            assert_eq!(codes, ["P0322"], "{text}");
        }
    }
}

/// What doubles at each step is described once, not once for each use.
#[test]
fn doubling_types_stay_small() {
    let lowered = lowered(
        "template <class A, class B> struct P {};
         template <int N> struct T { using t = P<typename T<N - 1>::t, typename T<N - 1>::t>; };
         template <> struct T<0> { using t = int; };
         template <class X> __global__ void k(X x, int *y) { y[0] = sizeof(x); }
         int main() { k<T<40>::t><<<1, 1>>>(T<40>::t(), 0); }",
    );
    assert_eq!(lowered.instances.len(), 1);
    assert!(lowered.instances[0].is_whole());
    assert!(lowered.instances[0].instance.name.len() < 10_000);
}

#[test]
fn launches_that_never_end_are_bounded() {
    let lowered = lowered(
        "template <int N> __global__ void k(int *x) { x[0] = N; }
         template <int N> void run() { k<N><<<1, 1>>>(0); run<N + 1>(); run<N + 2>(); }
         int main() { run<0>(); }",
    );
    assert!(lowered.instances.len() <= 128);
    let codes: Vec<&str> = lowered.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["P0322", "P0321"]);
}
