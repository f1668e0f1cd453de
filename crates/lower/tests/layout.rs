//! Layouts of classes against those of g++, whose ABI nvcc has on Linux.

mod common;

use common::{lowered, run_cpp};

/// What the CUDA headers declare, for g++.
const VECTORS: &str = "
struct alignas(8) float2 { float x, y; };
struct float3 { float x, y, z; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(2) uchar2 { unsigned char x, y; };
struct alignas(4) uchar4 { unsigned char x, y, z, w; };
struct alignas(16) longlong4 { long long x, y, z, w; };
struct alignas(16) double4 { double x, y, z, w; };
";

const CLASSES: &str = "
struct A0 { char c; double d; short s; };
struct A1 { char c[3]; int i; char t; };
struct alignas(32) A2 { float f; };
struct A3 : A0 { char more; };
struct Empty {};
struct A4 : Empty { int i; };
struct A5 { Empty e; int i; };
struct A6 { float4 v; char c; float3 w; uchar2 u; };
struct A7 { union { int i; double d; char c[9]; }; char t; };
struct A8 { int a : 3; int b : 7; unsigned c : 25; char d; };
struct A9 { char c; int a : 5; short s; long long l : 33; };
struct __attribute__((packed)) A10 { char c; int i; double d; };
struct A11 { alignas(16) char c; bool b; void *p; };
template <typename T, int n> struct alignas(sizeof(T) * n) Vec { T lane[n]; };
struct A12 { char c; Vec<float, 4> v; Vec<short, 2> s; };
struct A13 { longlong4 l; double4 d; uchar4 u; float2 f; };
struct A14 : A5, A0 { bool last; };
enum class Small : unsigned char { x };
struct A15 { Small s; long l; Small t[3]; };
struct A16 { int a : 3; int : 0; int b : 4; int : 2; unsigned char c : 6; };
";

const COUNT: usize = 17;

#[test]
fn sizes_and_alignments_are_those_of_gcc() {
    let mut program = format!("#include <cstdio>\n{VECTORS}{CLASSES}int main() {{\n");
    let mut kernel = format!("{CLASSES}__global__ void k(int *out) {{\n");
    for class in 0..COUNT {
        program
            .push_str(&format!("printf(\"%zu %zu\\n\", sizeof(A{class}), alignof(A{class}));\n"));
        kernel.push_str(&format!("A{class} a{class}; out[{class}] = *(int *)&a{class};\n"));
    }
    program.push('}');
    kernel.push('}');
    let Some(expected) = run_cpp("class_layouts", &(program + "\n")) else { return };
    let lowered = lowered(&kernel);
    assert!(lowered.diagnostics.is_empty(), "{:?}", lowered.diagnostics);
    for (class, expected) in expected.lines().enumerate() {
        let name = format!("A{class}");
        let found = lowered
            .module
            .types
            .structs()
            .iter()
            .find(|(_, structure)| structure.name == name)
            .map(|(_, structure)| format!("{} {}", structure.size, structure.align));
        assert_eq!(found.as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn offsets_are_those_of_gcc() {
    let places = [
        ("A0", "d"),
        ("A0", "s"),
        ("A1", "i"),
        ("A1", "t"),
        ("A5", "i"),
        ("A6", "c"),
        ("A6", "w"),
        ("A6", "u"),
        ("A7", "t"),
        ("A8", "d"),
        ("A9", "s"),
        ("A10", "d"),
        ("A11", "b"),
        ("A11", "p"),
        ("A12", "v"),
        ("A12", "s"),
        ("A13", "u"),
        ("A13", "f"),
        ("A15", "l"),
        ("A15", "t"),
    ];
    let mut program =
        format!("#include <cstdio>\n#include <cstddef>\n{VECTORS}{CLASSES}int main() {{\n");
    let mut kernel = format!("{CLASSES}__global__ void k(unsigned long *out) {{\n");
    for (index, (class, field)) in places.iter().enumerate() {
        program.push_str(&format!("printf(\"%zu\\n\", offsetof({class}, {field}));\n"));
        kernel.push_str(&format!("out[{index}] = offsetof({class}, {field});\n"));
    }
    let Some(expected) = run_cpp("class_offsets", &(program + "}\n")) else { return };
    let text = common::ir(&(kernel + "}\n"));
    let stored: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("store ")?.rsplit_once(", ")?.1.strip_suffix("u64")
        })
        .collect();
    let expected: Vec<&str> = expected.lines().collect();
    assert_eq!(stored, expected);
}
