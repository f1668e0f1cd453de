//! `port run`, as a user runs it: values from flags, results, findings at lines, limits.

#![allow(clippy::disallowed_methods, reason = "a test of the binary runs it over files")]

mod common;

use std::fs;
use std::path::Path;

use common::{folder, port, put, status, text};
use serde_json::Value;

const SAXPY: &str = "\
#include <cuda_runtime.h>
#include <cstdio>

__global__ void saxpy(int n, float a, const float *x, float *y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}

template <typename T, int N>
__global__ void fill(T *x) {
  x[threadIdx.x] = T(N);
}

int main() {
  float *x, *y;
  cudaMalloc(&x, 400);
  cudaMalloc(&y, 400);
  saxpy<<<1, 128>>>(100, 2.0f, x, y);
  fill<float, 3><<<1, 32>>>(x);
  fill<double, 3><<<1, 32>>>(nullptr);
  return 0;
}
";

/// In the manner of generated tests of compilers: scalars in, one number printed.
const COMPUTE: &str = "\
#include <stdio.h>
#include <stdlib.h>
#include <math.h>

__global__ void compute(float comp, int var_1, float var_2, float* var_3) {
  for (int i = 0; i < var_1; ++i) {
    comp += var_2;
    if (comp > 100.0f) comp = -var_2;
  }
  printf(\"%.17g\\n\", comp);
}

float* initPointer(float v) {
  float *ret = (float*) malloc(sizeof(float) * 10);
  for (int i = 0; i < 10; ++i) ret[i] = v;
  return ret;
}

int main(int argc, char** argv) {
  compute<<<1,1>>>(atof(argv[1]), atoi(argv[2]), atof(argv[3]), initPointer(1.0f));
  cudaDeviceSynchronize();
  return 0;
}
";

const LAUNCH: [&str; 7] =
    ["run", "saxpy.cu", "--kernel", "saxpy", "--grid=2", "--block=64", "--arg"];

/// Runs `saxpy` with further arguments.
fn saxpy(folder: &Path, arguments: &[&str]) -> std::process::Output {
    put(folder, "saxpy.cu", SAXPY);
    port(folder, &[&LAUNCH[..6], arguments].concat())
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))
}

const DATA: [&str; 8] =
    ["--arg", "n=100", "--arg", "a=2", "--arg", "x=iota:f32[n]", "--arg", "y=ones[n]"];

#[test]
fn a_launch_from_flags_computes_what_the_kernel_says() {
    let folder = folder();
    let output = saxpy(folder.path(), &[&DATA[..], &["--message-format", "json"]].concat());
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let document = json(&output);
    let y = &document["outputs"][0];
    assert_eq!((y["name"].as_str(), y["dtype"].as_str()), (Some("y"), Some("f32")));
    assert_eq!(y["shape"][0], 100);
    for (index, value) in y["values"].as_array().expect("values").iter().enumerate() {
        assert_eq!(value.as_f64(), Some(2.0 * index as f64 + 1.0));
    }
    // What a kernel only reads is no output.
    assert_eq!(document["outputs"].as_array().map(Vec::len), Some(1));
    let human = saxpy(folder.path(), &DATA);
    assert!(human.stdout.is_empty(), "the kernel prints nothing");
    assert!(text(&human.stderr).contains("y: f32[100]  1.0 3.0 5.0"), "{}", text(&human.stderr));
}

#[test]
fn a_whole_program_runs_its_kernel_alone_and_prints() {
    let folder = folder();
    put(folder.path(), "test.cu", COMPUTE);
    let run = |values: &[&str]| {
        let start = ["run", "test.cu", "--kernel", "compute", "--grid", "1", "--block", "1"];
        let profile = ["--profile", "cuda:sm_70", "--arg", "var_3=zeros[10]"];
        port(folder.path(), &[&start[..], &profile, values].concat())
    };
    let output = run(&["--arg", "comp=-1.5f", "--arg", "var_1=5", "--arg", "var_2=+0.5E0f"]);
    assert_eq!((status(&output), text(&output.stdout).as_str()), (0, "1\n"));
    // The smallest subnormal, once doubled by adding it; `%.17g` shows every bit.
    let tiny = run(&["--arg", "comp=0x1p-149f", "--arg", "var_1=1", "--arg", "var_2=1.4E-45f"]);
    assert_eq!(text(&tiny.stdout), format!("{}\n", "2.8025969286496341e-45"));
    let none = run(&["--arg", "comp=nan", "--arg", "var_1=1", "--arg", "var_2=-inf"]);
    assert!(text(&none.stdout).to_lowercase().contains("nan"), "{}", text(&none.stdout));
}

#[test]
fn what_is_missing_or_misspelt_is_listed() {
    let folder = folder();
    let output = saxpy(folder.path(), &["--arg", "n=100"]);
    let said = text(&output.stderr);
    assert_eq!(status(&output), 1, "{said}");
    assert!(said.contains("P0623") && said.contains("`a`, `x`, `y` are missing"), "{said}");
    assert!(said.contains("n: int, a: float, x: const float*, y: float*"), "{said}");

    let kernel = |name: &str| {
        let all = ["run", "saxpy.cu", "--kernel", name, "--grid", "1", "--block", "1"];
        let output = port(folder.path(), &all);
        (status(&output), text(&output.stderr))
    };
    let (code, said) = kernel("saxpi");
    assert!(code == 1 && said.contains("P0620") && said.contains("saxpy, fill"), "{said}");
    let (code, said) = kernel("fill");
    assert!(code == 1 && said.contains("P0621") && said.contains("fill<double, 3>"), "{said}");
    let (code, said) = kernel("fill<float>");
    assert!(code == 1 && said.contains("fill<float>"), "{said}");

    for (arguments, expected) in [
        (vec!["--arg", "n"], "NAME=VALUE"),
        (vec!["--profile", "cuda:sm_1"], "cuda:sm_80"),
        (vec!["--spec", "none.toml"], "a spec has launches of its own"),
        (vec!["--schedule", "backwards"], "reversed"),
    ] {
        let output = saxpy(folder.path(), &arguments);
        let said = text(&output.stderr);
        assert_eq!(status(&output), 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let absent = port(folder.path(), &["run", "saxpy.cu", "--spec", "none.toml"]);
    assert_eq!(status(&absent), 2);
    assert!(text(&absent.stderr).contains("none.toml"), "{}", text(&absent.stderr));
    let nothing = port(folder.path(), &["run", "saxpy.cu"]);
    assert_eq!(status(&nothing), 2);
    assert!(text(&nothing.stderr).contains("--grid"), "{}", text(&nothing.stderr));
}

#[test]
fn values_of_the_wrong_kind_and_size_are_refused() {
    let folder = folder();
    let with = |given: &str| {
        let name = given.split('=').next().unwrap_or_default();
        let mut arguments: Vec<&str> = Vec::new();
        for value in DATA.iter().filter(|text| **text != "--arg") {
            arguments.push("--arg");
            arguments.push(if value.starts_with(&format!("{name}=")) { given } else { value });
        }
        let output = saxpy(folder.path(), &arguments);
        (status(&output), text(&output.stderr))
    };
    for (given, expected) in [
        ("x=3", "pointer"),
        ("x=iota:f64[n]", "points to f32"),
        ("n=zeros:f32[4]", "no pointer"),
        ("a={v=1}", "float"),
        ("x=zeros:f32[n * 1000000000]", "P0606"),
        ("x=zeros:f32[99999999999999999999]", "P0604"),
        ("y=zeros:f32[-1]", "P0606"),
        ("y=noise[n]", "uniform(a, b)"),
        ("y=file \"none.npy\":f32[n]", "none.npy"),
    ] {
        let (code, said) = with(given);
        assert_eq!(code, 1, "{given}: {said}");
        assert!(said.contains(expected), "{given}: {said}");
    }
    let output = saxpy(folder.path(), &[&DATA[..], &["--block", "4096"]].concat());
    assert_ne!(status(&output), 0);
}

#[test]
fn faults_are_findings_at_their_line() {
    let folder = folder();
    put(
        folder.path(),
        "bad.cu",
        "__global__ void past(float *x, int n) {\n  int i = threadIdx.x;\n  x[i + n] = 1;\n}\n\
         __global__ void forever(volatile int *x) {\n  while (x[0] == 0) {\n  }\n}\n\
         __global__ void race(float *x) {\n  __shared__ float s[64];\n  s[threadIdx.x] = x[threadIdx.x];\n  x[threadIdx.x] = s[63 - threadIdx.x];\n}\n",
    );
    let run = |arguments: &[&str]| {
        let start = ["run", "bad.cu", "--grid", "1", "--block", "64", "--message-format", "json"];
        let output = port(folder.path(), &[&start[..], arguments].concat());
        (status(&output), json(&output))
    };
    for sanitize in [&[][..], &["--sanitize"]] {
        let past = ["--kernel", "past", "--arg", "x=zeros[100]", "--arg", "n=60"];
        let (code, document) = run(&[&past[..], sanitize].concat());
        let finding = &document["diagnostics"][0];
        assert_eq!((code, finding["code"].as_str()), (1, Some("P0630")), "{document}");
        assert_eq!((finding["line"].as_u64(), finding["kernel"].as_str()), (Some(3), Some("past")));
        let message = finding["message"].as_str().unwrap_or_default();
        assert!(message.contains("`x`") && message.contains("400"), "{message}");
        assert_eq!(document["outputs"][0]["complete"], sanitize.len() == 1);
    }
    let endless = ["--kernel", "forever", "--arg", "x=zeros[1]", "--fuel", "100000"];
    let (code, document) = run(&endless);
    let finding = &document["diagnostics"][0];
    assert_eq!((code, finding["code"].as_str()), (1, Some("P0640")), "{document}");
    assert_eq!(finding["line"], 6);
    let race = ["--kernel", "race", "--arg", "x=zeros[64]", "--sanitize"];
    let (code, document) = run(&race);
    let finding = &document["diagnostics"][0];
    assert_eq!((code, finding["code"].as_str()), (1, Some("P0633")), "{document}");
    assert_eq!(finding["line"], 12);
    assert_eq!(finding["labels"][0]["line"], 11, "{finding}");
}

#[test]
fn the_document_has_the_documented_fields_and_is_always_the_same() {
    let folder = folder();
    let run = |jobs: &str| {
        let more = ["--message-format", "json", "--jobs", jobs];
        saxpy(folder.path(), &[&DATA[..], &more].concat())
    };
    let first = run("1");
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let document = json(&first);
    assert_eq!(
        keys(&document),
        ["schema", "profile", "launches", "stdout", "outputs", "instructions", "diagnostics"]
    );
    assert_eq!(
        (document["schema"].as_u64(), document["profile"].as_str()),
        (Some(1), Some("cuda:sm_80"))
    );
    assert_eq!(
        keys(&document["outputs"][0]),
        ["name", "dtype", "shape", "complete", "values", "bits", "truncated", "digest", "file"]
    );
    assert_eq!(keys(&document["launches"][0]), ["kernel", "grid", "block"]);
    for jobs in ["1", "4"] {
        assert_eq!(run(jobs).stdout, first.stdout);
    }
}

#[test]
fn outputs_are_dumped_as_numpy_files_and_never_over_others() {
    let folder = folder();
    let run = |more: &[&str]| saxpy(folder.path(), &[&DATA[..], &["--dump", "out"], more].concat());
    assert_eq!(status(&run(&[])), 0);
    let file = folder.path().join("out/y.npy");
    let bytes = fs::read(&file).expect("a file");
    assert!(bytes.starts_with(b"\x93NUMPY"));
    assert_eq!(bytes[bytes.len() - 4..], 199f32.to_le_bytes());
    fs::write(&file, "mine").expect("a file");
    let refused = run(&[]);
    assert_eq!(status(&refused), 2);
    assert_eq!(fs::read(&file).expect("a file"), b"mine");
    assert_eq!(status(&run(&["--force"])), 0);
    assert_eq!(fs::read(&file).expect("a file"), bytes);
}

#[test]
fn a_spec_beside_the_input_is_taken() {
    let folder = folder();
    put(folder.path(), "saxpy.cu", SAXPY);
    put(
        folder.path(),
        "saxpy.toml",
        "ints = [[\"n\", \"8\"]]\n[buffers]\n\
         x = { dtype = \"f64\", shape = [32], init = \"zeros\", out = true }\n\
         [[launch]]\nkernel = \"fill<double, 7>\"\ngrid = [1]\nblock = [\"n\"]\nargs = [\"x\"]\n",
    );
    let run = |more: &[&str]| {
        let output =
            port(folder.path(), &[&["run", "saxpy.cu", "--message-format", "json"], more].concat());
        (status(&output), json(&output))
    };
    let sum = |document: &Value| -> f64 {
        let values = document["outputs"][0]["values"].as_array().expect("values");
        values.iter().filter_map(Value::as_f64).sum()
    };
    let (code, document) = run(&[]);
    assert_eq!((code, sum(&document)), (0, 56.0), "{document}");
    let (code, document) = run(&["--set", "n=3"]);
    assert_eq!((code, sum(&document)), (0, 21.0), "{document}");
    let other = port(folder.path(), &["run", "saxpy.cu", "--kernel", "saxpy"]);
    assert_eq!(status(&other), 2);
    assert!(text(&other.stderr).contains("fill<double, 7>"), "{}", text(&other.stderr));
}

#[test]
fn a_line_is_traced_value_by_value() {
    let folder = folder();
    let trace = ["--trace", "6", "--trace-thread", "1:3", "--message-format", "json"];
    let output = saxpy(folder.path(), &[&DATA[..], &trace].concat());
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let document = json(&output);
    let values = document["trace"].as_array().expect("a trace");
    // Thread 3 of block 1 is element 67: a = 2, x = 67, y = 1.
    let said: Vec<&str> = values.iter().filter_map(|value| value["value"].as_str()).collect();
    assert!(said.contains(&"67.0") && said.contains(&"135.0"), "{said:?}");
    let fused = values.iter().find(|value| value["value"] == "135.0").expect("a result");
    assert_eq!((fused["dtype"].as_str(), fused["threads"].as_u64()), (Some("f32"), Some(36)));
    let human = saxpy(folder.path(), &[&DATA[..], &["--trace", "6"]].concat());
    assert!(text(&human.stderr).contains("line 6, thread 0 of block 0"));
    let wrong =
        saxpy(folder.path(), &[&DATA[..], &["--trace", "6", "--trace-thread", "x"]].concat());
    assert_eq!(status(&wrong), 2);
}

#[test]
fn standard_input_is_an_input() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_port"))
        .args([
            "run",
            "-",
            "--kernel",
            "k",
            "--grid",
            "1",
            "--block",
            "2",
            "--arg",
            "x=zeros:i32[2]",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let source = b"__global__ void k(int *x) { x[threadIdx.x] = threadIdx.x + 40; }\n";
    child.stdin.take().expect("a pipe").write_all(source).expect("written");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("x: i32[2]  40 41"), "{}", text(&output.stderr));
}
