//! Each finding of this crate is given for its bad fixture and for no good one; and whatever stands
//! around what can't be read is read.

#![allow(clippy::disallowed_methods, reason = "tests read their fixtures")]

mod common;

use std::path::{Path, PathBuf};

use port_hir::{Body, Module, findings::FINDINGS};

fn fixture(code: &str, name: &str) -> String {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../../fixtures/diag", code, name].iter().collect();
    read(&path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn codes(module: &Module) -> Vec<&str> {
    module.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn every_finding_has_its_fixtures() {
    for finding in FINDINGS {
        let bad = common::module(&fixture(finding.code, "bad.cu"));
        assert!(codes(&bad).contains(&finding.code), "{}: {:?}", finding.code, codes(&bad));
        let good = common::module(&fixture(finding.code, "ok.cu"));
        assert_eq!(codes(&good), [""; 0], "{}", finding.code);
        assert!(good.functions.iter().all(|(_, function)| function.poison.is_none()));
    }
}

#[test]
fn a_kernel_with_an_error_inside_is_poisoned_and_its_neighbours_are_not() {
    let module = common::module(
        "__global__ void bad(float *x) { x[0] = ; x[1] = 2.0f; }
         __global__ void good(float *x) { x[0] = 1.0f; }",
    );
    let poisoned: Vec<bool> = module.kernels().map(|(_, kernel)| kernel.poison.is_some()).collect();
    assert_eq!(poisoned, [true, false]);
    assert_eq!(codes(&module), ["P0201"]);
    let [diagnostic] = &*module.diagnostics else { unreachable!() };
    assert_eq!(diagnostic.message, "expected expression, found `;`");
    assert_eq!(diagnostic.kernel.as_deref(), Some("bad"));
    // The statement after the broken one is there.
    assert!(port_hir::dump::dump(&module).contains("(local x[1] = 2.0f)"));
}

#[test]
fn host_code_that_cannot_be_read_is_no_finding() {
    let module = common::module(
        "void host() { unreadable text here ( ; }
         QUERY SELECT * FROM t WHERE (a = b
         __global__ void k(float *x) { x[0] = 1.0f; }",
    );
    assert_eq!(codes(&module), [""; 0]);
    let bodies: Vec<bool> =
        module.kernels().map(|(_, kernel)| matches!(kernel.body, Body::Block(_))).collect();
    assert_eq!(bodies, [true]);
}

#[test]
fn kernels_survive_what_stands_around_them() {
    for junk in [
        "REGISTER_OP(float)",
        "REGISTER_OP(float) { body(); }",
        "PYBIND11_MODULE(name, m) { m.def(\"f\", &f, \"doc\"); }",
        "@interface Foo",
        "} } }",
        "((( [[",
        "{",
        "struct Unfinished { int a;",
        "void f( { int a; }",
        "template <typename T class U { };",
        "#pragma once\n;;;",
        "namespace x {",
        "class",
        "EXPORT_MACRO",
        "int a = \"unterminated;\n;",
    ] {
        let module = common::module(&format!(
            "{junk}\n__global__ void k(float *x, int n) {{ x[n] = 1.0f; }}\n"
        ));
        let kernels: Vec<_> =
            module.kernels().map(|(_, kernel)| kernel.name.as_str().to_string()).collect();
        assert_eq!(kernels, ["k"], "after {junk}: {}", port_hir::dump::dump(&module));
        assert!(
            module.kernels().all(|(_, kernel)| kernel.poison.is_none()
                && matches!(kernel.body, Body::Block(_))),
            "after {junk}: {}",
            port_hir::dump::dump(&module)
        );
    }
}

#[test]
fn nesting_is_bounded() {
    let wraps: [(&str, &str); 12] = [
        ("(", ")"),
        ("f(", ")"),
        ("x[", "]"),
        ("-", ""),
        ("A<", ">::v"),
        ("[=]{ return ", "; }()"),
        ("c ? ", " : 0"),
        ("{", "}"),
        ("sizeof(decltype(", "))"),
        ("sizeof(int(", "))"),
        ("(int(*)(", "))x"),
        ("A<int(", ")>::v"),
    ];
    for (open, close) in wraps {
        let depth = 5_000;
        let text = format!(
            "template <int> struct A; __device__ int f(int); __device__ int k(int *x, int c) {{ \
             int r[] = {}1{}; return 0; }}",
            open.repeat(depth),
            close.repeat(depth)
        );
        let module = common::module(&text);
        assert!(codes(&module).iter().all(|code| code.starts_with("P020")), "{open}");
        assert!(!module.diagnostics.is_empty(), "{open}");
    }
    let types = format!("__device__ {}int{} f;", "int(*)(".repeat(3_000), ")".repeat(3_000));
    common::module(&types);
    let blocks = format!("__device__ void k() {{ {} {} }}", "{".repeat(5_000), "}".repeat(5_000));
    assert_eq!(codes(&common::module(&blocks)).first(), Some(&"P0202"));
    let pointers = format!("__device__ int {}p{};", "(*".repeat(3_000), ")".repeat(3_000));
    assert!(!codes(&common::module(&pointers)).is_empty());
    let spaces = format!("{} {}", "namespace a {".repeat(3_000), "}".repeat(3_000));
    common::module(&spaces);
    let records = format!("{} {}", "struct A {".repeat(3_000), "};".repeat(3_000));
    common::module(&records);
}

#[test]
fn unbalanced_braces_are_said_once_in_host_code_too() {
    let stray = format!("int main() {{ return 0; }} {}", "}".repeat(1_000));
    assert_eq!(codes(&common::module(&stray)), ["P0205"]);
    let open = format!("int f() {{ {} return 0;", "if (1) {".repeat(50));
    assert_eq!(codes(&common::module(&open)), ["P0205"]);
    assert_eq!(codes(&common::module("int f() { if (1) { return 0; } }")), [""; 0]);
}

#[test]
fn long_chains_end_but_long_lists_do_not() {
    let sum = format!("__device__ int k(int x) {{ return x{}; }}", " + x".repeat(2_000));
    assert_eq!(codes(&common::module(&sum)), ["P0202"]);
    let sum = format!("__device__ int k(int x) {{ return x{}; }}", " + x".repeat(300));
    assert_eq!(codes(&common::module(&sum)), [""; 0]);
    let list = format!("__constant__ int t[] = {{ {} }};", "1, ".repeat(20_000));
    assert_eq!(codes(&common::module(&list)), [""; 0]);
    let chain = "else if (x == 1) x = 2; ".repeat(400);
    let chain = format!("__device__ void k(int x) {{ if (x) x = 1; {chain} }}");
    assert_eq!(codes(&common::module(&chain)), [""; 0]);
}

/// Every prefix of a text, and the text without any one token, is read without a panic.
#[test]
fn broken_texts_are_read() {
    let text = "
        template <typename T, int N = 4> struct V : B<T> { T d[N]; V() : d{} {} T operator[](int i) const { return d[i]; } };
        namespace n { enum class E : int { A = 1, B }; using X = V<float>; }
        #define SQ(x) ((x) * (x))
        template <typename T> __global__ void __launch_bounds__(256, 2) k(const T *__restrict__ p, n::X v, int m) {
          extern __shared__ __align__(16) unsigned char raw[];
          auto f = [&](auto i) -> T { return p[i] + static_cast<T>(SQ(i)); };
        #pragma unroll 4
          for (int i = threadIdx.x; i < m && i > (0); i += blockDim.x) { if constexpr (sizeof(T) > 2) v.d[i % 4] += f(i); else continue; }
          asm volatile(\"mov.u32 %0, %1;\" : \"=r\"(m) : \"r\"(1) : \"memory\");
          switch (m) { case 1: break; default: return; }
        }
        void h(float *x) { k<float><<<dim3(1), 256, 0, 0>>>(x, n::X{}, 3); auto [a, b] = g(x); }";
    let length = text.len();
    for end in (0..length).step_by(3) {
        if text.is_char_boundary(end) {
            common::module(&text[..end]);
        }
    }
    for start in (0..length).step_by(5) {
        for cut in [1, 2, 7] {
            let end = (start + cut).min(length);
            if text.is_char_boundary(start) && text.is_char_boundary(end) {
                common::module(&format!("{}{}", &text[..start], &text[end..]));
            }
        }
    }
    for open in ["(", "<", "{", "[", "<<<", "\"", "template", "operator", "~", "::", ">", ")"] {
        for start in (0..length).step_by(11) {
            if text.is_char_boundary(start) {
                common::module(&format!("{} {open} {}", &text[..start], &text[start..]));
            }
        }
    }
}
