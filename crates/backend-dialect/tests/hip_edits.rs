//! What a port to HIP makes of small pieces of CUDA text. The expected text is written by hand, from
//! what the HIP headers declare; each case says why.

use port_backend::{Backend, FileRole, Options, Ported, Unit};
use port_backend_dialect::Hip;
use port_diag::{Severity, SourceMap};
use port_syntax::Configuration;

/// Ports one file under `nvcc -arch=sm_80`, without instances.
fn port(text: &str) -> Ported {
    let mut sources = SourceMap::new();
    let root = sources.add("case.cu", text);
    let configuration = Configuration::cuda(80);
    let parsed = port_syntax::parse(port_syntax::preprocess(&sources, root, &configuration));
    let module = port_hir::build(&parsed.unit);
    let ir = port_ir::Module::default();
    let unit = Unit {
        sources: &sources,
        root,
        configuration: &configuration,
        parsed: &parsed,
        module: &module,
        instances: &[],
        ir: &ir,
        findings: &[],
    };
    Hip.port(&unit, &Options { cuda_arch: 80, ..Options::default() })
}

/// The ported text, without the include lines at its top.
fn ported(text: &str) -> String {
    let ported = port(&format!("#include <cuda_runtime.h>\n{text}"));
    let root = ported.files.into_iter().find(|file| file.role == FileRole::Root);
    let text = root.map_or(String::new(), |file| file.text);
    let is_header =
        |line: &&str| line.contains("hip_runtime.h") || line.contains("port_hip_compat");
    text.split_inclusive('\n').skip_while(is_header).collect()
}

/// The codes of the findings above notes, sorted.
fn findings(text: &str) -> Vec<&'static str> {
    let mut codes: Vec<&'static str> = port(text)
        .diagnostics
        .iter()
        .filter(|finding| finding.severity > Severity::Note && finding.code != "P0505")
        .map(|finding| finding.code)
        .collect();
    codes.sort_unstable();
    codes
}

#[track_caller]
fn becomes(cuda: &str, hip: &str) {
    assert_eq!(ported(cuda), hip);
}

#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

// HIP's `min(int, unsigned)` is a template that computes in double: an index made of it does not
// compile, and a division by it is no integer division.
#[test]
fn minimum_of_two_types_is_that_of_cuda() {
    becomes(
        "__global__ void k(int *x, int n) { x[min(n, blockDim.x)] = max(threadIdx.x, 3); }\n",
        "__global__ void k(int *x, int n) { x[port_min(n, blockDim.x)] = port_max(threadIdx.x, 3); }\n",
    );
    // `long` and `size_t`; `unsigned char` meets `int`.
    becomes(
        "__device__ long f(long a, size_t b, unsigned char c) { return min(a, b) + max(c, 1); }\n",
        "__device__ long f(long a, size_t b, unsigned char c) { return port_min(a, b) + port_max(c, 1); }\n",
    );
}

#[test]
fn minimum_of_one_type_stays() {
    stays("__global__ void k(int *x, int n) { x[min(n, 3)] = max(n - 1, n * 2); }\n");
    stays(
        "__global__ void k(float *x, unsigned n) { x[min(n, blockDim.x / 2)] = max(x[0], 0.f); }\n",
    );
    stays("template <typename T> __device__ T f(T a, const T *b) { return max(a, b[0]); }\n");
    stays("struct S { int n; };\n__device__ int f(const S &s, int4 v) { return min(s.n, v.x); }\n");
    stays(
        "template <int N> __device__ int f(int n) { constexpr int half = N / 2; return min(half, n); }\n",
    );
    stays("#include <algorithm>\nint f(int a, int b) { return std::min(a, b); }\n");
}

// On the host HIP declares `min(int, int)` alone.
#[test]
fn minimum_on_the_host_is_of_int_or_of_the_compatibility_header() {
    stays("int f(int a, int b) { return min(a, b); }\n");
    becomes(
        "size_t f(size_t a, size_t b) { return min(a, b); }\n",
        "size_t f(size_t a, size_t b) { return port_min(a, b); }\n",
    );
}

// A macro's uses may differ in type.
#[test]
fn minimum_in_a_macro_is_that_of_cuda() {
    becomes(
        "#define CLAMP(x, n) max(0, min(x, n))\n",
        "#define CLAMP(x, n) port_max(0, port_min(x, n))\n",
    );
}

// HIP has no overload of these calls for function pointers. In a macro's body, and where nothing was
// compiled, the tokens tell the arguments.
#[test]
fn kernels_are_passed_as_addresses() {
    becomes(
        "#define GROW(kernel, n) CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, n))\n",
        "#define GROW(kernel, n) CHECK(hipFuncSetAttribute(reinterpret_cast<const void*>(kernel), hipFuncAttributeMaxDynamicSharedMemorySize, n))\n",
    );
    becomes(
        "#if 0\nvoid f() { cudaFuncSetAttribute(k<float, 4>, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 16); }\n#endif\n",
        "#if 0\nvoid f() { hipFuncSetAttribute(reinterpret_cast<const void*>(k<float, 4>), hipFuncAttributeMaxDynamicSharedMemorySize, 1 << 16); }\n#endif\n",
    );
    assert_eq!(
        findings(
            "#define GROW(k) cudaFuncSetAttribute(k, cudaFuncAttributeMaxDynamicSharedMemorySize, 9)\n"
        ),
        [""; 0]
    );
}

/// The include lines and what stands around them.
fn top(text: &str) -> String {
    let root = port(text).files.into_iter().find(|file| file.role == FileRole::Root);
    root.map_or(String::new(), |file| file.text)
}

// nvcc's runtime header brings C++'s math.h; without it HIP's host code has no `isfinite` and takes
// `exp(float)` for `exp(double)`.
#[test]
fn headers_that_nvcc_includes_by_itself_are_included() {
    assert_eq!(
        top("#include <cuda_runtime.h>\nint f(float x) { return isfinite(x); }\n"),
        "#include <hip/hip_runtime.h>\n#include <math.h>\nint f(float x) { return isfinite(x); }\n"
    );
    assert_eq!(
        top("#include <cuda_runtime.h>\nfloat f(float x) { return exp(x); }\n"),
        "#include <hip/hip_runtime.h>\n#include <math.h>\nfloat f(float x) { return exp(x); }\n"
    );
    assert_eq!(
        top("#include <cuda_runtime.h>\nvoid f(char *p) { memset(p, 0, 4); }\n"),
        "#include <hip/hip_runtime.h>\n#include <string.h>\nvoid f(char *p) { memset(p, 0, 4); }\n"
    );
}

// Device code has its own; a double needs no overload; a header that is there is not added.
#[test]
fn headers_that_nothing_needs_are_not_included() {
    stays("__global__ void k(float *x) { if (isfinite(x[0])) x[1] = exp(x[0]); }\n");
    stays("double f(double x) { return exp(x); }\n");
    stays("float f(float x) { return std::exp(x); }\n");
    let with_math = "#include <math.h>\nfloat f(float x) { return exp(x); }\n";
    assert!(
        top(&format!("#include <cuda_runtime.h>\n{with_math}"))
            .ends_with(&format!("hip_runtime.h>\n{with_math}"))
    );
}

// The `#error` goes away with PORT_ALLOW_MANUAL, and the include, which no ROCm has, with it.
#[test]
fn a_header_without_a_form_is_left_out_with_its_error() {
    let text = top("#include <cuda_runtime.h>\n#include <cudnn.h>\nint x;\n");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "#ifndef PORT_ALLOW_MANUAL");
    assert!(
        lines[2].starts_with("#error \"port: P0409: `cudnn.h` has no form on HIP"),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3..], ["#include <cudnn.h>", "#endif", "int x;"]);
}

// A header that is asked for first is absent on HIP without anyone's help; one that HIP has is asked
// for under its own name.
#[test]
fn questions_for_headers_are_ported() {
    let text =
        "#include <cuda_runtime.h>\n#if __has_include(<nvml.h>)\n#include <nvml.h>\n#endif\n";
    assert_eq!(top(text), text.replace("cuda_runtime", "hip/hip_runtime"));
    assert!(!findings(text).contains(&"P0409"));
    becomes(
        "#if __has_include(<cuda_fp16.h>)\n#include <cuda_fp16.h>\n#endif\n",
        "#if __has_include(<hip/hip_fp16.h>)\n#include <hip/hip_fp16.h>\n#endif\n",
    );
}

// hipBLAS has the interface of cuBLAS (`hipDataType`, `__half`) from ROCm 6 on, behind two macros. A
// build may define them too.
#[test]
fn hipblas_is_asked_for_the_interface_of_cublas() {
    assert_eq!(
        top("#include <cuda_runtime.h>\n#include <cublas_v2.h>\n#include <cublasLt.h>\nint x;\n"),
        "#include <hip/hip_runtime.h>\n#ifndef HIPBLAS_V2\n#define HIPBLAS_V2\n#endif\n\
         #ifndef HIPBLAS_USE_HIP_HALF\n#define HIPBLAS_USE_HIP_HALF\n#endif\n\
         #include <hipblas/hipblas.h>\n#include <hipblaslt/hipblaslt.h>\nint x;\n"
    );
}

// rocBLAS refuses reduced precision when it runs: a permission to use it becomes full precision.
#[test]
fn permissions_of_less_precision_are_not_taken() {
    becomes(
        "auto c = CUBLAS_COMPUTE_32F_FAST_TF32, m = CUBLAS_TF32_TENSOR_OP_MATH;\n",
        "auto c = HIPBLAS_COMPUTE_32F, m = HIPBLAS_DEFAULT_MATH;\n",
    );
}

// CUDA declares `__shfl_down_sync` at global scope: the user's own is one more overload of it, and
// must stay one under the name that the port gives the others.
#[test]
fn overloads_of_the_users_go_with_those_of_cuda() {
    becomes(
        "struct C { float re; };\n__device__ C __shfl_down_sync(unsigned m, C v, int d) { return C{__shfl_down_sync(m, v.re, d)}; }\n",
        "struct C { float re; };\n__device__ C port_shfl_down_sync(unsigned m, C v, int d) { return C{port_shfl_down_sync(m, v.re, d)}; }\n",
    );
    // In a namespace it is no overload but another function.
    stays(
        "namespace own { __device__ float __ldcs(const float *p) { return *p; } }\n__device__ float f(const float *p) { return own::__ldcs(p); }\n",
    );
}

// Text that CUDA never compiles may declare what HIP lacks: what it declares keeps its name, or there
// would be two of it. What it uses is ported.
#[test]
fn declarations_in_text_that_was_never_compiled_stay() {
    stays(
        "#ifdef USE_ROCM\n#define LDG(p) *(p)\ntypedef __hip_bfloat16 __nv_bfloat16;\nusing cudaStream_t = hipStream_t;\n#define cudaError_t hipError_t\n#endif\n",
    );
    becomes(
        "#if 0\nstatic __device__ unsigned __hgt2_mask(half2 a, half2 b) { return __hmax2(a, b); }\n#endif\n",
        "#if 0\nstatic __device__ unsigned __hgt2_mask(half2 a, half2 b) { return port_hmax2(a, b); }\n#endif\n",
    );
}

// A variable is no function, wherever it is declared.
#[test]
fn words_of_everyday_use_are_functions_only_where_they_are_called() {
    stays(
        "__device__ int f(int n) { int j0 = n; return j0; }\n#if 0\nfor (int j0 = 0; j0 < n; j0 += 4) x[j0] = j0;\n#endif\n",
    );
    assert_eq!(
        findings("__device__ int f(int j0) { return j0; }\n#if 0\nx[j0] = j0;\n#endif\n"),
        [""; 0]
    );
    becomes(
        "__device__ int f(int j0) { return j0; }\n#if 0\ny = j0(x);\n#endif\n",
        "__device__ int f(int j0) { return j0; }\n#if 0\ny = port_j0(x);\n#endif\n",
    );
}

// No token of the text is the name: what is written of it in the macro changes, if that serves all
// names that the macro makes.
#[test]
fn names_that_are_pasted_change_with_their_written_part() {
    becomes(
        "#define CALL(fn, ...) cuda##fn(__VA_ARGS__)\nvoid f(void *p) { CALL(Free, p); CALL(Malloc, &p, 4); }\n",
        "#define CALL(fn, ...) hip##fn(__VA_ARGS__)\nvoid f(void *p) { CALL(Free, p); CALL(Malloc, &p, 4); }\n",
    );
    assert_eq!(
        findings("#define JOIN(a, b) a##b\nvoid f(void *p) { JOIN(cuda, Free)(p); }\n"),
        ["P0417"]
    );
}

// HIP has `atomicMax` of `float`: the user's would be the second definition of one function.
#[test]
fn overloads_that_hip_has_too_get_a_name_of_their_own() {
    becomes(
        "__device__ float atomicMax(float *a, float v) { return v; }\n__global__ void k(float *x, int *i) { atomicMax(x, 1.0f); atomicMax(i, 1); }\n",
        "__device__ float port_atomicMax(float *a, float v) { return v; }\n__global__ void k(float *x, int *i) { port_atomicMax(x, 1.0f); port_atomicMax(i, 1); }\n",
    );
}

// CUDA declares these with default arguments that some release of ROCm lacks.
#[test]
fn default_arguments_are_written_out() {
    becomes(
        "void f(cudaStream_t s, cudaEvent_t e, cudaGraph_t g) { cudaStreamWaitEvent(s, e); cudaStreamWaitEvent(s, e, 0); cudaGraphCreate(&g); }\n",
        "void f(hipStream_t s, hipEvent_t e, hipGraph_t g) { hipStreamWaitEvent(s, e, 0); hipStreamWaitEvent(s, e, 0); hipGraphCreate(&g, 0); }\n",
    );
    becomes(
        "void f(cudaEvent_t e) { cudaEventCreate(&e); cudaEventCreate(&e, cudaEventDisableTiming); }\n",
        "void f(hipEvent_t e) { hipEventCreate(&e); hipEventCreateWithFlags(&e, hipEventDisableTiming); }\n",
    );
}

// A macro stands for the qualifiers; a compound assignment is written by the binary operator.
#[test]
fn operators_that_hip_has_are_left_out_however_they_are_written() {
    becomes(
        "#define HD __host__ __device__ inline\n\
         HD float3 operator+(float3 a, float3 b) { return make_float3(a.x + b.x, a.y + b.y, a.z + b.z); }\n\
         HD float3 &operator+=(float3 &a, const float3 &b) {\n  a = a + b;\n  return a;\n}\n",
        "#define HD __host__ __device__ inline\n\
         HD float3 operator+(float3 a, float3 b) { return make_float3(a.x + b.x, a.y + b.y, a.z + b.z); }\n\
         #if 0  // HIP's vector types have this operator (P0415)\n\
         HD float3 &operator+=(float3 &a, const float3 &b) {\n  a = a + b;\n  return a;\n}\n#endif\n",
    );
    assert_eq!(
        findings(
            "__device__ float2 operator+(float2 a, float2 b) { return make_float2(a.x - b.x, a.y); }\n\
             __device__ void operator+=(float2 &a, float2 b) { a = a + b; }\n"
        ),
        ["P0416"]
    );
}
