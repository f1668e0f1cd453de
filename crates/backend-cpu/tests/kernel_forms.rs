//! Compiled forms against the fiber oracle: small kernels, each with one thing that makes loops over
//! threads hard, run by both; all outputs must be equal bit for bit.

#![allow(clippy::disallowed_methods, reason = "the tests run a compiler")]

use std::collections::BTreeSet;
use std::path::Path;

use port_backend_cpu::kernel::{Options, Request, emit};
use port_check::oracle::{Language, Oracle, RunOptions, Source};
use port_check::toolchain::Toolchain;
use port_check::{Spec, metrics};
use port_diag::SourceMap;
use port_syntax::{Configuration, preprocess};

const WRAPPER: &str = "
template <auto kernel, void (*compiled)(const port_cpu::Launch&, void* const*)> struct Compiled;
template <class... A, void (*kernel)(A...), void (*compiled)(const port_cpu::Launch&, void* const*)>
struct Compiled<kernel, compiled> {
    static void run(A... a) {
        if (threadIdx.x || threadIdx.y || threadIdx.z || blockIdx.x || blockIdx.y || blockIdx.z) return;
        port_cpu::Launch launch{{gridDim.x, gridDim.y, gridDim.z},
                                {blockDim.x, blockDim.y, blockDim.z},
                                unsigned(port_oracle::dynamic_shared_size())};
        void* arguments[] = {(void*)&a..., nullptr};
        compiled(launch, arguments);
    }
};
";

/// The compiled forms of a text's kernels, or why one has none.
fn forms(text: &str) -> (port_lower::Lowered, Vec<Result<String, String>>, String) {
    let mut sources = SourceMap::new();
    let root = sources.add("test.cu", text);
    let unit = preprocess(&sources, root, &Configuration::cuda(80));
    let lowered = port_lower::lower(&port_hir::build(&unit), &port_lower::Options::default());
    let requests: Vec<Request> = lowered
        .instances
        .iter()
        .enumerate()
        .filter_map(|(index, report)| {
            Some(Request { function: report.function?, name: format!("form_{index}") })
        })
        .collect();
    let reserved = BTreeSet::new();
    let module = &lowered.module;
    // String literals have no name in the text.
    let address = |variable| {
        let name = &module.variables[variable].name;
        (!name.starts_with("string")).then(|| format!("&::{name}"))
    };
    let options =
        Options { sources: &sources, reserved: &reserved, address: &address, fusing: None };
    let emitted = emit(module, &requests, &options);
    let texts = emitted
        .kernels
        .into_iter()
        .map(|kernel| kernel.map(|form| form.text).map_err(|refused| refused.reason))
        .collect();
    (lowered.clone(), texts, emitted.declarations)
}

/// Runs a kernel `k` by the oracle and by its compiled form.
fn agrees(name: &str, text: &str, spec_text: &str) {
    agrees_with(name, text, text, spec_text);
}

/// Runs a kernel `k` by the oracle, and the compiled form of another text of it.
fn agrees_with(name: &str, text: &str, compiled: &str, spec_text: &str) {
    let (_, texts, declarations) = forms(compiled);
    let mut more =
        String::from("\n#include \"lanes.hpp\"\nnamespace port_cpu { namespace compiled {\n");
    more.push_str(&declarations);
    for form in &texts {
        more.push_str(form.as_ref().expect("the kernel has a compiled form"));
    }
    more.push_str("} }\n");
    more.push_str(WRAPPER);
    let mut sources = SourceMap::new();
    let file = sources.add("test.toml", spec_text);
    let spec = match Spec::parse(&sources, file) {
        Ok(spec) => spec,
        Err(errors) => panic!("{:?}", errors.iter().map(|e| &e.message).collect::<Vec<_>>()),
    };
    let mut compiled = spec.clone();
    for launch in &mut compiled.launches {
        launch.kernel = format!("Compiled<{}, port_cpu::compiled::form_0>::run", launch.kernel);
    }
    let oracle = match Oracle::new(&Toolchain::discover()) {
        Ok(oracle) => oracle,
        Err(error) if std::env::var_os("PORT_REQUIRE_TOOLS").is_none() => {
            eprintln!("not run: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/port_cpu");
    let path = format!("{name}.cu");
    let original = Source::new(Language::Cuda, &path, text);
    let ported = Source::new(Language::Cuda, &path, &format!("{text}{more}"));
    // As the assembled header has it.
    let mut ported = ported.with_define("PORT_CPU_ONCE", "inline");
    for header in ["launch.hpp", "arithmetic.hpp", "lanes.hpp"] {
        let text = std::fs::read_to_string(assets.join(header)).expect("an asset");
        ported = ported.with_file(header, &text);
    }
    // What the assembled header has instead are the oracle's own parts.
    for header in ["half.hpp", "bfloat16.hpp"] {
        ported = ported.with_file(header, "#pragma once\n");
    }
    let maths = "#pragma once\n#include <port_oracle/bfloat16.hpp>\n#include <port_oracle/maths.hpp>\n\
                 namespace port_fibers = port_oracle;\n";
    ported = ported.with_file("maths.hpp", maths);
    let build = |source: &Source, spec: &Spec| match oracle.build(source, spec) {
        Ok(program) => program,
        Err(error) => panic!("{name}: {error}\n{more}"),
    };
    let (a, b) = (build(&original, &spec), build(&ported, &compiled));
    for set in spec.parameter_sets() {
        let run = |program: &port_check::oracle::Executable, spec: &Spec| {
            let case = spec.case(&set).expect("a case");
            match program.run(&case, &RunOptions::default()) {
                Ok(run) => run,
                Err(error) => panic!("{name}: {error}\n{more}"),
            }
        };
        let (expected, actual) = (run(&a, &spec), run(&b, &compiled));
        for (output, tensor) in &expected.outputs {
            let own = actual.output(output).expect("the same outputs");
            let compared = metrics::compare(own, tensor).expect("the same shapes");
            assert!(
                compared.is_equal(),
                "{name} {}: {output}: {:?}\n{more}",
                set.label(),
                compared.first_mismatch
            );
        }
        assert_eq!(expected.stdout, actual.stdout, "{name} {}", set.label());
    }
}

/// A spec with an input and an output of integers, run with several blocks that no warp divides.
fn integers(block: &str) -> String {
    format!(
        "ints = [[\"n\", \"200\"], [\"threads\", \"96\"]]\n\
         sweep = [{{ n = 0 }}, {{ n = 1 }}, {{ n = 97, threads = 64 }}, {{ n = 500, threads = 128 }}]\n\
         [buffers]\n\
         x = {{ dtype = \"i32\", shape = [\"n + 1\"], init = \"ints(0, 1000)\", seed = 1 }}\n\
         y = {{ dtype = \"i32\", shape = [\"n + 1024\"], init = \"zeros\", out = true }}\n\
         [[launch]]\nkernel = \"k\"\ngrid = [\"ceil_div(n, threads) + 1\"]\nblock = [{block}]\n\
         shared = 4096\nargs = [\"y\", \"x\", \"n\"]\n"
    )
}

#[test]
fn returns_before_barriers() {
    agrees(
        "returns",
        "__global__ void k(int* y, const int* x, int n) {
             __shared__ int s[256];
             int i = blockIdx.x * blockDim.x + threadIdx.x;
             s[threadIdx.x] = 0;
             __syncthreads();
             if (i >= n) return;
             s[threadIdx.x] = x[i];
             __syncthreads();
             y[i] = s[threadIdx.x] + s[threadIdx.x ^ 1];
         }",
        &integers("\"threads\""),
    );
}

#[test]
fn device_functions_that_synchronise_and_return_early() {
    // The returns are those of whole blocks or warps, out of ifs, loops and switches.
    agrees(
        "early",
        "__device__ int block_sum(int* s, int v, int n, int* rounds) {
             if (n == 0) return -1;
             if (n > 3) {
                 s[threadIdx.x] = v;
                 __syncthreads();
                 if (n < 98) {
                     int first = s[0];
                     __syncthreads();
                     return first + 1;
                 }
                 s[threadIdx.x] += 1;
             }
             __syncthreads();
             for (int k = blockDim.x / 2; k > 0; k /= 2) {
                 int other = s[(threadIdx.x + k) % blockDim.x];
                 __syncthreads();
                 s[threadIdx.x] += other;
                 __syncthreads();
                 *rounds += 1;
                 for (int j = 0; j < 2; ++j) {
                     if (s[0] > 30000 + 500 * j) return s[threadIdx.x ^ 1];
                     __syncthreads();
                 }
                 switch (s[0] % 8) {
                     case 1: return 1000 + k;
                     case 2: *rounds += 10; break;
                     case 3: if (k == 1) return 7;
                     case 4: *rounds += 100;
                     default: ;
                 }
                 *rounds += 1000;
             }
             *rounds += 10000;
             return s[threadIdx.x];
         }
         __device__ int first_of_warp(int v, int n) {
             while (n > 0) {
                 int other = __shfl_xor_sync(~0u, v, n);
                 if (__any_sync(~0u, other > 900)) return other;
                 n /= 2;
                 v += __shfl_sync(~0u, v, 0);
             }
             return -v;
         }
         __global__ void k(int* y, const int* x, int n) {
             __shared__ int s[256];
             s[threadIdx.x] = 0;
             __syncthreads();
             int i = blockIdx.x * blockDim.x + threadIdx.x;
             int rounds = 0;
             int v = i < n ? x[i] : 5;
             int sum = block_sum(s, v, n, &rounds);
             y[i] = sum + 3 * rounds + first_of_warp(v, 16);
         }",
        &integers("\"threads\""),
    );
}

#[test]
fn loops_whose_threads_part_around_shuffles() {
    agrees(
        "parting",
        "__global__ void k(int* y, const int* x, int n) {
             int i = blockIdx.x * blockDim.x + threadIdx.x;
             int v = i < n ? x[i] : i, sum = 0;
             for (int pass = 0; pass < 40; ++pass) {
                 unsigned active = __ballot_sync(0xffffffff, v > 0);
                 if (v > 700) { v -= 300; continue; }
                 if (pass % 7 == 6) break;
                 sum += __popc(active) + (v & 3);
                 v = v / 2 - 1;
             }
             y[i] = sum;
         }",
        // All lanes name all: so they must stay together for the oracle; whole warps leave at once.
        &integers("\"threads\"").replace("ints(0, 1000)", "ints(0, 1)"),
    );
}

#[test]
fn groups_of_lanes() {
    agrees(
        "groups",
        "__global__ void k(int* y, const int* x, int n) {
             int i = blockIdx.x * blockDim.x + threadIdx.x;
             int v = i < n ? x[i] : 7 * i;
             unsigned same = __match_any_sync(0xffffffff, v % 5);
             int lowest = __ffs(same) - 1;
             int from = __shfl_sync(0xffffffff, v, lowest);
             int up = __shfl_up_sync(0xffffffff, v, 3, 16);
             int down = __shfl_down_sync(0xffffffff, v, 5, 8);
             int exclusive = __shfl_xor_sync(0xffffffff, v, threadIdx.x & 7);
             int sum = __reduce_add_sync(0xffffffff, v), most = __reduce_max_sync(0xffffffff, v);
             int all = __all_sync(0xffffffff, v > 3), any = __any_sync(0xffffffff, v > 900);
             if (threadIdx.x % 32 < 16) sum += __shfl_xor_sync(0x0000ffff, sum + v, 1);
             else sum -= __shfl_xor_sync(0xffff0000, sum - v, 2);
             y[i] = from + 3 * up + 5 * down + 7 * exclusive + sum + most * 11 + all * 13 + any * 17;
         }",
        &integers("\"threads\""),
    );
}

#[test]
fn barriers_that_count() {
    agrees(
        "counting",
        "__global__ void k(int* y, const int* x, int n) {
             extern __shared__ int s[];
             int i = blockIdx.x * blockDim.x + threadIdx.x;
             s[threadIdx.x] = i < n ? x[i] : 0;
             int count = __syncthreads_count(s[threadIdx.x] > 500);
             int rounds = 0;
             while (__syncthreads_or(s[threadIdx.x] > 100)) {
                 int next = s[(threadIdx.x + 1) % blockDim.x];
                 __syncthreads();
                 s[threadIdx.x] = (s[threadIdx.x] + next) / 3;
                 ++rounds;
             }
             y[i] = count * 1000 + rounds * 10 + __syncthreads_and(s[threadIdx.x] >= 0) + s[threadIdx.x];
         }",
        &integers("\"threads\""),
    );
}

#[test]
fn branches_of_two_dimensions() {
    agrees(
        "plane",
        "__global__ void k(int* y, const int* x, int n) {
             __shared__ int tile[8][17];
             int column = blockIdx.x * 16 + threadIdx.x, row = threadIdx.y;
             tile[row][threadIdx.x] = column < n ? x[column] * (row + 1) : -1;
             if (threadIdx.x == 0) tile[row][16] = row;
             if (row == 7) tile[0][threadIdx.x] += 5;
             __syncthreads();
             int sum = 0;
             for (int j = 0; j < 8; ++j) sum += tile[j][threadIdx.x] * tile[row][j];
             switch (sum & 3) {
                 case 0: sum += 1;
                 case 1: sum *= 3; break;
                 default: sum ^= tile[row][16];
             }
             if (row == 0 && column < n) y[column] = sum;
         }",
        &integers("16, 8").replace("ceil_div(n, threads) + 1", "ceil_div(n, 16) + 1"),
    );
}

#[test]
fn warps_that_count_on_lockstep() {
    agrees(
        "volatile",
        "__global__ void k(int* y, const int* x, int n) {
             __shared__ int s[64];
             int i = blockIdx.x * 64 + threadIdx.x;
             s[threadIdx.x] = i < n ? x[i] : 0;
             __syncthreads();
             if (threadIdx.x < 32) {
                 volatile int* v = s;
                 int t = threadIdx.x;
                 int sum = v[t] + v[t + 32]; __syncwarp(); v[t] = sum; __syncwarp();
                 if (t < 16) { sum = v[t] + v[t + 16]; __syncwarp(0xffff); v[t] = sum; }
             }
             __syncthreads();
             y[i] = s[threadIdx.x];
         }",
        &integers("64").replace("ceil_div(n, threads) + 1", "ceil_div(n, 64) + 1"),
    );
}

#[test]
fn warps_that_exchange_without_barriers() {
    // Before Volta the lanes of a warp took every statement together: the oracle is told so.
    let text = "__global__ void k(int* y, const int* x, int n) {
             __shared__ int s[8 * 33];
             int i = blockIdx.x * 64 + threadIdx.x;
             if (i >= n) return;
             int lane = threadIdx.x % 32, first = threadIdx.x - lane, row = lane % 8;
             int* own = &s[first * 4 + lane];
             int* mirror = &s[first * 4 + 31 - lane];
             int kept[3];
             for (int j = 0; j < 3; ++j) own[j * 33] = i + 64 * j;
             WAIT
             for (int j = 0; j < 3; ++j) kept[j] = mirror[j * 33];
             WAIT
             if (row != 0) own[0] = kept[0] * 3 + kept[1];
             WAIT
             y[i] = s[first * 4 + (lane ^ 1)] + kept[2];
         }";
    let spec = integers("64").replace("ceil_div(n, threads) + 1", "ceil_div(n, 64) + 1");
    // Whole warps only: a lane that has left has stored nothing.
    let spec = spec
        .replace("{ n = 1 }, { n = 97, threads = 64 }, { n = 500, threads = 128 }", "{ n = 64 }");
    let spec = spec.replace("\"200\"", "\"192\"");
    agrees_with(
        "exchange",
        &text.replace("WAIT", "__syncwarp();"),
        &text.replace("WAIT", ""),
        &spec,
    );
}

#[test]
fn calls_locals_and_atomics() {
    agrees(
        "calls",
        "__device__ int position(const int* x, int n, int wanted) {
             int low = 0, high = n;
             while (low < high) {
                 int middle = (low + high) / 2;
                 if (x[middle] == wanted) return middle;
                 if (x[middle] < wanted) low = middle + 1; else high = middle;
             }
             return -1;
         }
         __global__ void k(int* y, const int* x, int n) {
             __shared__ int counts[8];
             if (threadIdx.x < 8) counts[threadIdx.x] = 0;
             __syncthreads();
             int own[4] = {1, 2, 3, 4};
             int i = blockIdx.x * blockDim.x + threadIdx.x;
             int* p = own + (i & 3);
             *p += position(x, n, i);
             atomicAdd(&counts[i & 7], own[1]);
             atomicMax(&y[n + 8], i);
             __syncthreads();
             int old = atomicCAS(&y[n + 9], 0, 42);
             if (i < n) y[i] = own[0] + own[2] * 3 + counts[i & 7] + (old & 0);
         }",
        &integers("\"threads\""),
    );
}

#[test]
fn integers_wrap_and_saturate() {
    agrees(
        "numbers",
        "__global__ void k(int* y, const int* x, int n) {
             int i = blockIdx.x * blockDim.x + threadIdx.x;
             if (i >= n) return;
             int v = x[i] * 0x12345 - 0x7fff0000;
             unsigned u = unsigned(v) * 2654435761u;
             float f = __int_as_float(int(u)), g = float(v) * 1e9f;
             long long wide = (long long)v * v;
             y[i] = int(u >> 7) ^ __mulhi(v, v) ^ __float2int_rn(g) ^ int(wide >> 20) ^ __clz(v)
                  ^ int(__brev(u)) ^ __float2int_rd(f - f == 0 ? f : 0.0f) ^ __byte_perm(v, u, 0x5140);
         }",
        &integers("\"threads\""),
    );
}

#[test]
fn what_threads_print_comes_in_their_order() {
    agrees(
        "printing",
        "#include <cstdio>
         __global__ void k(int* y, const int* x, int n) {
             if (threadIdx.x < 3 && blockIdx.x < 2) printf(\"%d %d %s %.2f\\n\", blockIdx.x, threadIdx.x, \"text\", 0.5f * n);
             y[threadIdx.x] = n;
         }",
        &integers("\"threads\""),
    );
}

/// Why the kernel of a text has no compiled form.
fn refusal(text: &str) -> String {
    let (_, texts, _) = forms(text);
    texts.into_iter().next().expect("a kernel").expect_err("it has no compiled form")
}

#[test]
fn what_loops_cannot_do_is_refused() {
    let waits =
        refusal("__global__ void k(volatile int* flag) { while (*flag == 0) {} flag[1] = 1; }");
    assert_eq!(waits, "a loop waits for what another thread writes");
    let barrier = refusal(
        "__global__ void k(int* x) { if (threadIdx.x < 5) { x[0] = 1; __syncthreads(); x[1] = 2; } }",
    );
    assert_eq!(barrier, "a barrier stands where only some threads of the block come");
}
