//! What the oracle must report, and what it must not.

use std::time::Duration;

use port_check::oracle::{Language, RunOptions, Source};

use crate::common::{Suite, kernel_text, oracle, parse};

const SPEC: &str = r#"
[buffers]
out = { dtype = "i32", shape = [64], init = "zeros", out = true }
in = { dtype = "i32", shape = [70], init = "iota" }
[[launch]]
kernel = "divergent_barrier"
grid = [1]
block = [32]
args = ["out"]
[[launch]]
kernel = "caller_not_in_mask"
grid = [1]
block = [32]
args = ["out"]
[[launch]]
kernel = "lanes_never_come"
grid = [1]
block = [32]
args = ["out"]
[[launch]]
kernel = "different_masks"
grid = [1]
block = [32]
args = ["out"]
[[launch]]
kernel = "reads_past_the_end"
grid = [1]
block = [1]
args = ["out", "in"]
[[launch]]
kernel = "writes_past_the_end"
grid = [1]
block = [1]
args = ["out"]
[[launch]]
kernel = "(writes_past_the_end)"
grid = [1]
block = [1]
args = ["&in[10]"]
[[launch]]
kernel = "shared_overflow"
grid = [1]
block = [33]
shared = 128
args = ["out"]
[[launch]]
kernel = "never_ends"
grid = [1]
block = [1]
args = ["out"]
[[launch]]
kernel = "traps"
grid = [1]
block = [1]
args = []
[[launch]]
kernel = "asserts"
grid = [1]
block = [1]
args = [2]
[[launch]]
kernel = "deep_stack"
grid = [1]
block = [1]
args = ["out"]
[[launch]]
kernel = "null_pointer"
grid = [1]
block = [1]
args = ["null"]
[[launch]]
kernel = "divides"
grid = [1]
block = [1]
args = ["out", 0]
[[launch]]
kernel = "bad_width"
grid = [1]
block = [32]
args = ["out"]
[[launch]]
kernel = "undefined_shuffle"
grid = [1]
block = [32]
args = ["out"]
[[launch]]
kernel = "waits"
grid = [1]
block = [32]
args = ["out"]
"#;

#[test]
fn every_error_is_named_and_placed() {
    let suite = Suite::new("errors.cu", SPEC);
    for (kernel, kind, words) in [
        ("divergent_barrier", "divergent-barrier", &["errors.cu:7", "errors.cu:10"][..]),
        ("caller_not_in_mask", "mask-violation", &["lane 16", "0xffff", "errors.cu:15"]),
        ("lanes_never_come", "mask-violation", &["lanes 0-15", "lanes 16-31", "errors.cu:22"]),
        ("different_masks", "mask-violation", &["0xffffffff", "0xffff0001"]),
        ("reads_past_the_end", "illegal-address", &["thread (0,0,0)", "`in`"]),
        ("writes_past_the_end", "illegal-address", &["`out`", "0 bytes past the end"]),
        ("(writes_past_the_end)", "illegal-address", &["`in`", "byte 296"]),
        ("shared_overflow", "shared-overflow", &["byte 128", "128 bytes"]),
        ("traps", "trap", &["__trap"]),
        ("asserts", "abort", &["`n == 1'", "errors.cu:"]),
        ("deep_stack", "stack-overflow", &["deep_stack"]),
        ("null_pointer", "illegal-address", &["null"]),
        ("divides", "arithmetic", &["division"]),
        ("bad_width", "shuffle-width", &["12"]),
    ] {
        let (found, message) = suite.error(kernel, &RunOptions::default());
        assert_eq!(found, kind, "{kernel}: {message}");
        for word in words {
            assert!(message.contains(word), "{kernel}: `{word}` is not in: {message}");
        }
    }
}

#[test]
fn a_kernel_that_never_ends_is_stopped() {
    let suite = Suite::new("errors.cu", SPEC);
    let options = RunOptions { time_limit: Duration::from_millis(300), ..RunOptions::default() };
    let (kind, message) = suite.error("never_ends", &options);
    assert_eq!(kind, "time-limit", "{message}");
    assert!(message.contains("in never_ends"), "{message}");
}

#[test]
fn memory_has_a_limit() {
    let suite = Suite::new("errors.cu", SPEC);
    let options = RunOptions { memory_limit: 100 << 20, ..RunOptions::default() };
    let mut case = suite.only("waits");
    assert!(suite.run_case(&case, &options).is_ok());
    let launch = case.launches.iter_mut().find(|l| l.kernel == "waits").unwrap();
    // 1024 stacks of 256 KiB.
    launch.block = [32, 32, 1];
    let error = suite.run_case(&case, &options).unwrap_err();
    assert_eq!(error.kind(), "memory-limit", "{error}");
}

#[test]
fn an_undefined_shuffle_whose_value_is_dropped_is_a_note() {
    let suite = Suite::new("errors.cu", SPEC);
    let run = suite.run("undefined_shuffle");
    assert_eq!(run.output("out").unwrap().get_i64(0), (0..16).sum::<i64>());
    let note = run.notes.iter().find(|note| note.kind == "undefined-shuffle").unwrap();
    // Lanes 8 to 15 read 16 to 23, then 12 to 15 read 16 to 19, then two, then one.
    assert_eq!(note.count, 8 + 4 + 2 + 1, "{}", note.message);
    assert!(note.message.contains("errors.cu:"), "{}", note.message);
}

#[test]
fn a_text_that_does_not_compile_is_shown_by_its_own_lines() {
    let spec = parse(
        "[buffers]\nx = { dtype = \"f32\", shape = [1], init = \"zeros\" }\n[[launch]]\n\
         kernel = \"k\"\ngrid = [1]\nblock = [1]\nargs = [\"x\"]",
    );
    let build = |text: &str| oracle().build(&Source::new(Language::Cuda, "dir/k.cu", text), &spec);
    let error = build("\n__global__ void k(float* x) { nothing_like_this(x); }").unwrap_err();
    assert_eq!(error.kind(), "compile");
    assert!(error.to_string().contains("dir/k.cu:2"), "{error}");
    assert!(error.finding().message.contains("nothing_like_this"));
    let error = build("__global__ void k(float* x, int n) {}").unwrap_err();
    assert!(error.to_string().contains("one entry for each parameter"), "{error}");
    let error = build("__global__ void other(float* x) {}").unwrap_err();
    assert!(error.to_string().contains("<launch 1 of the spec>"), "{error}");
}

#[test]
fn names_that_hip_lacks_do_not_compile() {
    let spec = parse(
        "[buffers]\nx = { dtype = \"f32\", shape = [32], init = \"zeros\" }\n[[launch]]\n\
         kernel = \"k\"\ngrid = [1]\nblock = [1]\nargs = [\"x\"]",
    );
    let build = |body: &str| {
        let text =
            format!("#include <hip/hip_runtime.h>\n__global__ void k(float* x) {{ {body} }}");
        oracle().build(&Source::new(Language::Hip, "k.hip", &text), &spec)
    };
    assert!(build("x[0] = __shfl(x[0], 1);").is_ok());
    for body in [
        "x[0] = __shfl_sync(0xffffffffu, x[0], 1);",
        "x[0] = __fadd_rz(x[0], 1);",
        "__syncwarp();",
        "x[0] = __dp4a(1, 2, 3);",
    ] {
        assert_eq!(build(body).unwrap_err().kind(), "compile", "{body}");
    }
    assert!(kernel_text("errors.cu").contains("__shfl_down_sync"));
}
