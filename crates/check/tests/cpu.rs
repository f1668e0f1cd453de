//! The runner of ports for the processor, on a text that looks like one.

use std::time::Duration;

use port_check::cpu::{Compiler, Flavour};
use port_check::oracle::{Language, RunOptions, Source};
use port_check::{ParameterSet, Spec};
use port_diag::SourceMap;

/// As much of `port_cpu.hpp` as a driver uses.
const HEADER: &str = "
#pragma once
#include <cstddef>
#include <cstdint>
struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
inline dim3 grid, block;
inline int last_error = 0;
namespace port_cpu {
inline void configure(dim3 g, dim3 b, std::size_t = 0) { grid = g; block = b; }
}
inline int cudaGetLastError() { int error = last_error; last_error = 0; return error; }
";

const PORT: &str = "
#include \"port_cpu.hpp\"
struct Range { float low, high; };
float offset = 0;
template <class T> void scale(T* y, const T* x, int n, T factor, Range range) {
    for (unsigned i = 0; i < grid.x * block.x; ++i) {
        if (int(i) < n) y[i] = x[i] * factor + offset + range.low - range.high;
    }
}
void past_the_end(float* y, int n) { y[n] = 1; }
void forever(volatile float* y) { while (y[0] == 0) {} }
void refused(float*) { last_error = 9; }
int main() { return 1; }
";

const SPEC: &str = r#"
ints = [["n", "5"]]
[buffers]
x = { dtype = "f32", shape = ["n"], init = "iota" }
y = { dtype = "f32", shape = ["n"], init = "zeros", out = true }
[symbols]
offset = { dtype = "f32", values = [0.5] }
"#;

fn spec(launch: &str) -> Spec {
    let mut sources = SourceMap::new();
    let text = format!("{SPEC}\n[[launch]]\ngrid = [2]\nblock = [4]\n{launch}\n");
    let file = sources.add("spec.toml", &text);
    Spec::parse(&sources, file).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn source() -> Source {
    Source::new(Language::Cpu, "folder/port.cpp", PORT).with_file("folder/port_cpu.hpp", HEADER)
}

fn run(flavour: Flavour, launch: &str) -> Result<Vec<f64>, String> {
    let spec = spec(launch);
    let case = spec.case(&ParameterSet::default()).expect("a case");
    let compiler = Compiler::new(flavour).map_err(|error| error.to_string())?;
    let program = compiler.build(&source(), &spec).map_err(|error| error.to_string())?;
    let mut options = RunOptions::default();
    // Short for what never ends; a sanitizer's report alone may take a second of processor time.
    if flavour != Flavour::Sanitized {
        options.time_limit = Duration::from_secs(1);
    }
    let result = program.run(&case, &options).map_err(|error| error.to_string())?;
    Ok(result.output("y").expect("an output").to_f64())
}

#[test]
fn kernels_are_called_with_their_arguments() {
    let launch = r#"kernel = "scale<float>"
args = ["y", "x", "n", 2.0, { low = 3, high = 1 }]"#;
    assert_eq!(run(Flavour::Gnu, launch).unwrap(), [2.5, 4.5, 6.5, 8.5, 10.5]);
    assert_eq!(run(Flavour::Sanitized, launch).unwrap(), [2.5, 4.5, 6.5, 8.5, 10.5]);
}

#[test]
fn what_goes_wrong_is_reported() {
    let past = "kernel = \"past_the_end\"\nargs = [\"y\", \"n\"]";
    let message = run(Flavour::Sanitized, past).unwrap_err();
    assert!(message.contains("heap-buffer-overflow"), "{message}");
    let message = run(Flavour::Gnu, "kernel = \"forever\"\nargs = [\"y\"]").unwrap_err();
    assert!(message.starts_with("time-limit"), "{message}");
    let message = run(Flavour::Gnu, "kernel = \"refused\"\nargs = [\"y\"]").unwrap_err();
    assert!(message.starts_with("invalid-launch"), "{message}");
    let message = run(Flavour::Gnu, "kernel = \"unknown\"\nargs = [\"y\"]").unwrap_err();
    assert!(message.contains("C++ text does not compile"), "{message}");
}

#[test]
fn programs_have_their_own_main() {
    let program = Compiler::new(Flavour::Gnu).unwrap().build_program(&source()).unwrap();
    let result = program.run(&[], &RunOptions::default()).unwrap();
    assert_eq!(result.status, Some(1));
}
