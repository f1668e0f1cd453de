//! What ports to HIP are made of is read back: names of clang and of AMD's device library, and the
//! instances that a spec names.

mod common;

use common::lowered_with;
use port_diag::SourceMap;
use port_lower::{Options, lower};
use port_syntax::{Configuration, preprocess};

/// The messages and the IR of a text as hipcc reads it.
fn read_back(text: &str) -> (Vec<String>, String) {
    let mut sources = SourceMap::new();
    let root = sources.add("test.hip", text);
    let unit = preprocess(&sources, root, &Configuration::hip());
    let lowered = lower(&port_hir::build(&unit), &Options::default());
    let messages = lowered.diagnostics.iter().map(|found| found.message.clone()).collect();
    (messages, common::print(&lowered))
}

#[test]
fn names_of_clang_are_known() {
    let expressions = [
        "__builtin_ctz(u[0])",
        "__builtin_ctzll(u[0])",
        "__builtin_clz(u[0])",
        "__builtin_clzll(u[0])",
        "__builtin_popcount(u[0])",
        "__builtin_popcountll(u[0])",
        "__builtin_bswap32(u[0])",
        "__builtin_fmaf(f[0], f[1], f[2])",
        "__builtin_fma(f[0], f[1], f[2])",
        "__builtin_sqrtf(f[0])",
        "__builtin_floor(f[0])",
        "__builtin_ceilf(f[0])",
        "__builtin_truncf(f[0])",
        "__builtin_rint(f[0])",
        "__builtin_signbit(f[0])",
        "__builtin_inff()",
        "__builtin_amdgcn_atomic_inc32(u, 7u, __ATOMIC_RELAXED, \"agent\")",
        "__builtin_amdgcn_sdot4((int)u[0], (int)u[1], 0, false)",
        "__lane_id()",
        "__is_trivially_copyable(float)",
    ];
    for expression in expressions {
        let text = format!("__global__ void k(unsigned *u, float *f) {{ f[0] = {expression}; }}");
        assert_eq!(read_back(&text).0, Vec::<String>::new(), "{expression}");
    }
    let statements = [
        ("__builtin_trap();", "trap"),
        ("__builtin_amdgcn_fence(__ATOMIC_RELEASE, \"wavefront\");", "fence"),
        ("__builtin_amdgcn_wave_barrier();", "barrier"),
        ("__ockl_grid_sync();", "barrier"),
        ("unsigned v; __atomic_load(u, &v, __ATOMIC_ACQUIRE); f[0] = v;", "acquire"),
        ("unsigned v = 3; __atomic_store(u, &v, __ATOMIC_RELEASE);", "release"),
        ("__builtin_memcpy(f, u, 4);", "copy"),
    ];
    for (statement, word) in statements {
        let text = format!("__global__ void k(unsigned *u, float *f) {{ {statement} }}");
        let (messages, ir) = read_back(&text);
        assert_eq!(messages, Vec::<String>::new(), "{statement}");
        assert!(ir.to_lowercase().contains(word), "{statement}\n{ir}");
    }
}

#[test]
fn a_template_is_an_argument_of_an_instance() {
    let text = "namespace ops {
          template <typename T> struct Sum { __device__ T operator()(T a, T b) { return a + b; } };
          template <typename T> using Alias = Sum<T>;
        }
        template <typename T> struct First { __device__ T operator()(T a, T) { return a; } };
        template <typename T, template <typename> class Op, int N>
        __global__ void k(T *x) { x[0] = Op<T>()(x[N], x[0]); }";
    let asked = ["k<float, First, 3>", "k<int, ops::Sum, 2>", "k<int, ops::Alias, 1>"];
    let instantiate = asked.map(String::from).to_vec();
    let lowered = lowered_with(text, &Options { instantiate, ..Options::default() });
    let messages: Vec<_> = lowered.diagnostics.iter().map(|found| &found.message).collect();
    assert!(messages.is_empty(), "{messages:?}");
    let known: Vec<_> =
        lowered.instances.iter().flat_map(|report| &report.instance.asked_as).collect();
    assert_eq!(known.len(), asked.len(), "{known:?}");
    // A type is no template.
    let wrong = vec!["k<float, int, 3>".to_owned()];
    let lowered = lowered_with(text, &Options { instantiate: wrong, ..Options::default() });
    assert!(lowered.diagnostics.iter().any(|found| found.code == "P0315"));
}

/// The results are clang's and GCC's.
#[test]
fn bit_operations_of_constants_are_constants() {
    let text = "template <unsigned N> __global__ void k(float *x) {
          static_assert(__builtin_ctz(N) == 3 && __builtin_clz(N) == 26);
          static_assert(__builtin_ctzll(N) == 3 && __builtin_clzll(N) == 58);
          static_assert(__builtin_popcount(N) == 2 && __builtin_ffs(N) == 4 && __builtin_ffs(0) == 0);
          static_assert(__builtin_bswap32(0x01020304u) == 0x04030201u && __builtin_parity(7u) == 1);
          constexpr int log = 31 - __builtin_clz(N);
          __shared__ float part[log];
          part[0] = x[0];
          x[1] = part[0];
        }
        template __global__ void k<40>(float *);";
    let (messages, ir) = read_back(text);
    assert_eq!(messages, Vec::<String>::new());
    assert!(ir.contains("5 x") || ir.contains("[5]") || ir.contains("x 5"), "{ir}");
    let wrong = text.replace("== 26", "== 27");
    assert_ne!(read_back(&wrong).0, Vec::<String>::new());
}
