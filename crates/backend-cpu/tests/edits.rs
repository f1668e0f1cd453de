//! What a port to the CPU makes of small pieces of CUDA text. The expected text is written by hand;
//! each case says why.

use port::{FileRole, Options, SourceMap, Status, Target, Translation};

fn translate(files: &[(&str, &str)]) -> Translation {
    let mut sources = SourceMap::new();
    for (path, text) in files {
        sources.add(path, text);
    }
    let root = port::FileId(0);
    let target: Target = "cpu".parse().expect("the target");
    port::translate(&sources, root, &[target], &Options::default()).pop().expect("a translation")
}

/// The root's port up to the generated section.
fn ported(text: &str) -> String {
    let translation = translate(&[("case.cu", text)]);
    let root = translation.ported.files.into_iter().find(|file| file.role == FileRole::Root);
    let text = root.map_or(String::new(), |file| file.text);
    text.split("\n// ---- Compiled kernels").next().unwrap_or("").to_owned()
}

#[test]
fn the_header_comes_first_and_once() {
    // nvcc includes its own headers before the text; what a file includes before them sees them too.
    assert_eq!(
        ported(
            "// licence\n#include <cstdio>\n#include <cuda_runtime.h>\n#include <cuda_fp16.h>\nint x;\n"
        ),
        "// licence\n#include \"port_cpu.hpp\"\n#include <cstdio>\nint x;\n"
    );
    assert_eq!(
        ported("#include <cuda.h>\r\nint x;\r\n"),
        "#include \"port_cpu.hpp\"\r\nint x;\r\n"
    );
}

#[test]
fn a_compiled_kernel_keeps_its_head_alone() {
    assert_eq!(
        ported(
            "__global__ void k(int n, float* x)\n{\n  int i = threadIdx.x;\n  if (i < n) x[i] = 0;\n}\n\
             void run(float* x) { k<<<1, 32>>>(32, x); }\n"
        ),
        "#include \"port_cpu.hpp\"\n\
         __global__ void k(int n, float* x)\n{\n  PORT_CPU_COMPILED((n, x), k);\n}\n\
         void run(float* x) { (port_cpu::configure(1, 32), k(32, x)); }\n"
    );
}

#[test]
fn a_template_keeps_its_text() {
    // Another file may launch other instances.
    assert_eq!(
        ported(
            "template <class T, int> __global__ void k(T* x, int) { *x = 0; }\n\
             void run(float* x) { k<float, 3><<<1, 1>>>(x, 2); }\n"
        ),
        "#include \"port_cpu.hpp\"\n\
         template <class T, int PortArgument1> __global__ void k(T* x, int port_argument_1) \
         { PORT_CPU_KERNEL((x, port_argument_1), k<T, PortArgument1>); *x = 0; }\n\
         void run(float* x) { (port_cpu::configure(1, 1), k<float, 3>(x, 2)); }\n"
    );
}

#[test]
fn launches_in_macros_are_edited_there() {
    assert_eq!(
        ported(
            "#define RUN(k, n, ...) k<<<(n + 31) / 32, 32>>>(__VA_ARGS__)\n\
             #define HEAD(k) k<<<1, 32>>>\n\
             template <int> __global__ void f(int*);\n\
             void g(int* x) { RUN(f<1>, 5, x); HEAD(f<2>)(x); }\n"
        ),
        "#include \"port_cpu.hpp\"\n\
         #define RUN(k, n, ...) (port_cpu::configure((n + 31) / 32, 32), k(__VA_ARGS__))\n\
         #define HEAD(k) port_cpu::configure(1, 32), k\n\
         template <int> __global__ void f(int*);\n\
         void g(int* x) { RUN(f<1>, 5, x); HEAD(f<2>)(x); }\n"
    );
}

#[test]
fn what_has_no_form_ends_the_program_where_it_is_reached() {
    let text = "#include <cuda_runtime.h>\n\
                int f() {\n  cudaInitDevice(0, 0, 0);\n  return 1;\n}\n";
    let port = ported(text);
    let lines: Vec<&str> = port.lines().collect();
    assert_eq!(lines[1..3], ["int f() {", "#ifndef PORT_ALLOW_MANUAL"]);
    assert!(lines[3].starts_with("#error \"port: P0702: "), "{port}");
    assert!(port.contains("#else\n    port_cpu::untranslated(\"P0702: "), "{port}");
}

#[test]
fn kernels_of_headers_stay_whole() {
    // Another root may include the header and not compile the kernel.
    let translation = translate(&[
        ("a/case.cu", "#include \"k.cuh\"\nvoid run(int* x) { k<<<1, 1>>>(x); }\n"),
        (
            "a/k.cuh",
            "#pragma once\n#include <cuda_runtime.h>\n__global__ void k(int* x) { *x = 1; }\n",
        ),
    ]);
    let files = &translation.ported.files;
    let header = files.iter().find(|file| matches!(file.role, FileRole::Header(_))).unwrap();
    assert_eq!(
        header.text,
        "#pragma once\n#include \"port_cpu.hpp\"\n\
         __global__ void k(int* x) { PORT_CPU_KERNEL((x), k); *x = 1; }\n"
    );
    assert_eq!(translation.ported.kernels[0].status, Status::Ported);
    let root = files.iter().find(|file| file.role == FileRole::Root).unwrap();
    assert!(
        root.text.contains(
            "Register port_cpu_register_k(::k, port_cpu::compiled::k, port_cpu::Layout<8>());"
        ),
        "{}",
        root.text
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let text = "#include <cuda_fp16.h>\n\
                template <class T> __global__ void k(T* x) { *x = T(1); }\n\
                void f(half* h, int* i) { k<<<1, 1>>>(h); k<<<1, 1>>>(i); }\n";
    let first = translate(&[("case.cu", text)]).ported.files;
    assert_eq!(first, translate(&[("case.cu", text)]).ported.files);
}
