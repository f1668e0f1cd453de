//! What a port to Ascend makes of small pieces of CUDA text. The expected text is written by hand; each
//! case says why.

use port::{FileRole, Options, Project, SourceMap, Status, Target, Translation};

fn translate_as(text: &str, target: &str, options: &Options) -> Translation {
    let mut sources = SourceMap::new();
    let root = sources.add("ops/case.cu", text);
    let target: Target = target.parse().expect("the target");
    port::translate(&sources, root, &[target], options).pop().expect("a translation")
}

fn file(translation: &Translation, name: &str) -> Option<String> {
    let is_it = |role: FileRole| match role {
        FileRole::Root => name.is_empty(),
        FileRole::Generated(own) => own == name,
        FileRole::Header(_) => false,
    };
    translation.ported.files.iter().find(|file| is_it(file.role)).map(|file| file.text.clone())
}

/// The user's text: without the includes at its beginning and the section at its end.
fn ported(text: &str) -> String {
    let translation = translate_as(text, "ascend", &Options::default());
    let root = file(&translation, "").unwrap_or_default();
    let root = root.split("\n// ---- Kernels in Ascend C").next().unwrap_or("").to_owned();
    let head = "#include \"acl/acl.h\"\n#include \"kernel_operator.h\"\n";
    let (_, rest) = root.split_once("#include \"port_ascend.h\"\n").expect("the header");
    assert!(root.contains(head), "{root}");
    rest.to_owned()
}

#[test]
fn a_kernel_becomes_its_launcher() {
    // The template is only declared: another instance does not compile. Its types stay deducible.
    assert_eq!(
        ported(
            "template <class T> __global__ void __launch_bounds__(128) k(T* x, int n) {\n  if (threadIdx.x < n) x[threadIdx.x] = 0;\n}\n\
             void run(float* x, cudaStream_t s) { k<<<1, 32, 0, s>>>(x, 3); }\n"
        ),
        "template <class T> void launch_k(dim3 grid, dim3 block, size_t shared, aclrtStream stream, T* x, int n) PORT_INSTANCES_ONLY;\n\
         template <>\nvoid launch_k<float>(dim3 grid, dim3 block, size_t shared, aclrtStream stream, float* x, int n);\n\
         void run(float* x, aclrtStream s) { launch_k(1, 32, 0, s, x, 3); }\n"
    );
}

#[test]
fn an_instance_is_declared_where_its_types_are_known() {
    let text = ported(
        "namespace ns {\ntemplate <class F> __global__ void k(float* x, F f) { x[threadIdx.x] = f(x[threadIdx.x]); }\n}\n\
         struct Twice {\n  __device__ float operator()(float x) const { return x + x; }\n};\n\
         void run(float* x) { ns::k<<<1, 32>>>(x, Twice()); }\n",
    );
    let (before, after) =
        text.split_once("struct Twice {\n};\n").expect("the struct without its body");
    assert!(!before.contains("launch_k<Twice>"), "{text}");
    assert!(after.starts_with("namespace ns {\ntemplate <>\nvoid launch_k<Twice>("), "{text}");
    assert!(after.ends_with("{ ns::launch_k(1, 32, 0, nullptr, x, Twice()); }\n"), "{text}");
}

#[test]
fn device_code_leaves_and_code_for_both_stays() {
    assert_eq!(
        ported(
            "int a;\n\n// Doubles.\n__device__ inline float twice(float x) { return x + x; }\n\n\
             __host__ __device__ inline int up(int n) { return (n + 31) / 32; }\n\
             __host__ __device__ inline int lane() { return threadIdx.x % 32; }\n\
             struct S {\n  int n;\n  __device__ int get() const;\n  __host__ __device__ int both() const { return n; }\n};\n\
             __device__ int S::get() const { return n; }\nint b;\n"
        ),
        "int a;\n\ninline int up(int n) { return (n + 31) / 32; }\n\
         struct S {\n  int n;\n  int both() const { return n; }\n};\nint b;\n"
    );
}

#[test]
fn names_of_device_libraries_leave_once() {
    // One of them stands in a body that leaves as a whole.
    assert_eq!(
        ported(
            "namespace cg = cooperative_groups;\n__global__ void k(float* x) {\n  using Reduce = cub::BlockReduce<float, 32>;\n\
             \x20 x[threadIdx.x] = 1;\n}\n"
        ),
        "void launch_k(dim3 grid, dim3 block, size_t shared, aclrtStream stream, float* x);\n"
    );
}

#[test]
fn the_runtime_becomes_acl() {
    // A copy alone does not wait for kernels, as CUDA's does.
    assert_eq!(
        ported(
            "bool f(float* h, int n, cudaStream_t s) {\n  float* x;\n  cudaMalloc(&x, n * sizeof(float));\n\
             \x20 cudaMemcpy(x, h, n * sizeof(float), cudaMemcpyHostToDevice);\n\
             \x20 cudaMemsetAsync(x, 0, n, s);\n\
             \x20 cudaFuncSetAttribute(f, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 16);\n\
             \x20 if (cudaMemcpy(h, x, n, cudaMemcpyDeviceToHost) != cudaSuccess) return false;\n\
             \x20 cudaFree(x);\n  return cudaGetLastError() == cudaSuccess;\n}\n"
        ),
        "bool f(float* h, int n, aclrtStream s) {\n  float* x;\n  aclrtMalloc((void**)&x, n * sizeof(float), ACL_MEM_MALLOC_HUGE_FIRST);\n\
         \x20 aclrtSynchronizeDevice();\n\
         \x20 aclrtMemcpy(x, n * sizeof(float), h, n * sizeof(float), ACL_MEMCPY_HOST_TO_DEVICE);\n\
         \x20 aclrtMemsetAsync(x, n, 0, n, s);\n\
         \x20 if ((aclrtSynchronizeDevice(), aclrtMemcpy(h, n, x, n, ACL_MEMCPY_DEVICE_TO_HOST)) != ACL_SUCCESS) return false;\n\
         \x20 aclrtFree(x);\n  return aclrtGetLastError(ACL_RT_THREAD_LEVEL) == ACL_SUCCESS;\n}\n"
    );
}

#[test]
fn memory_is_freed_when_no_kernel_uses_it() {
    // cudaFree waits for kernels; here nothing else does.
    let text = ported(
        "__global__ void k(float* x) { x[threadIdx.x] = 1; }\n\
         void f(float* x) { k<<<1, 32>>>(x); cudaFree(x); }\n",
    );
    assert!(text.ends_with("{ launch_k(1, 32, 0, nullptr, x); port_acl::Free(x); }\n"), "{text}");
}

#[test]
fn symbols_are_the_program_s_variables() {
    let translation = translate_as(
        "__constant__ float taps[3] = {1, 2, 3};\n\
         __global__ void k(float* x, int n) { int i = threadIdx.x; if (i < n) x[i] *= taps[1]; }\n\
         void f(float* x, const float* h) {\n  cudaMemcpyToSymbol(taps, h, sizeof(taps));\n  k<<<1, 32>>>(x, 32);\n}\n",
        "ascend",
        &Options::default(),
    );
    let text = file(&translation, "").unwrap_or_default();
    assert!(text.contains("\nfloat taps[3] = {1, 2, 3};\n"), "{text}");
    assert!(text.contains("  port_acl::MemcpyToSymbol(taps, h, sizeof(taps));\n"), "{text}");
    let header = file(&translation, "port_ascend.h").unwrap_or_default();
    assert!(header.contains("aclError MemcpyToSymbol(") && !header.contains("MallocPitch"));
}

#[test]
fn pointers_to_kernels_have_the_launchers_type() {
    assert_eq!(
        ported(
            "using Step = void (*)(float*, int);\n__global__ void k(float* x, int n) { if (threadIdx.x < n) x[threadIdx.x] = 1; }\n\
             void f(float* x) { Step s = k; s<<<1, 2>>>(x, 1); }\n"
        ),
        "using Step = void (*)(dim3, dim3, size_t, aclrtStream, float*, int);\n\
         void launch_k(dim3 grid, dim3 block, size_t shared, aclrtStream stream, float* x, int n);\n\
         void f(float* x) { Step s = launch_k; s(1, 2, 0, nullptr, x, 1); }\n"
    );
}

#[test]
fn macros_are_edited_where_they_are_written() {
    assert_eq!(
        ported(
            "#define LAUNCH(T, n, ...) k<T><<<(n) / 32, 32>>>(__VA_ARGS__)\n\
             template <class T> __global__ void k(T* x) { x[threadIdx.x] = 1; }\nvoid f(float* x) { LAUNCH(float, 64, x); }\n"
        )
        .lines()
        .next(),
        Some("#define LAUNCH(T, n, ...) launch_k<T>((n) / 32, 32, 0, nullptr, __VA_ARGS__)")
    );
}

const SCALE: &str = "__global__ void scale(float* y, const float* x, float a, int n) {\n\
    \x20 int i = blockIdx.x * blockDim.x + threadIdx.x;\n  if (i < n) y[i] = a * x[i];\n}\n\
    void run(float* y, const float* x, float a, int n) { scale<<<(n + 255) / 256, 256>>>(y, x, a, n); }\n";

#[test]
fn a_port_is_a_folder_that_builds() {
    let translation = translate_as(SCALE, "ascend", &Options::default());
    assert_eq!(translation.ported.kernels[0].status, Status::Ported);
    let text = file(&translation, "").unwrap_or_default();
    assert!(
        text.contains("__global__ __vector__ void scale(GM_ADDR y, GM_ADDR x, ScaleTiling tiling)")
    );
    assert!(text.contains("ScaleTiling tiling = MakeScaleTiling("));
    let tiling = file(&translation, "case_tiling.h").expect("the tiling header");
    assert!(
        tiling.contains("struct ScaleTiling {")
            && tiling.contains("inline ScaleTiling MakeScaleTiling(")
    );
    let cmake = file(&translation, "CMakeLists.txt").expect("the build file");
    assert!(cmake.contains("LANGUAGES ASC CXX") && cmake.contains("\"dav-2201\""), "{cmake}");
    for name in ["README.md", "scripts/gen_data.py", "scripts/verify_result.py", "port_ascend.h"] {
        assert!(file(&translation, name).is_some(), "{name}");
    }
    let other = translate_as(SCALE, "ascend:950", &Options::default());
    let cmake = file(&other, "CMakeLists.txt").unwrap_or_default();
    assert!(cmake.contains("\"dav-3510\"") && cmake.contains("} --enable-simt>"), "{cmake}");
}

#[test]
fn the_older_release_has_its_own_form() {
    let options = Options { cann: port::Cann::V8, ..Options::default() };
    let translation = translate_as(SCALE, "ascend", &options);
    let text = file(&translation, "").unwrap_or_default();
    assert!(text.contains("#include \"aclrtlaunch_scale.h\""), "{text}");
    assert!(text.contains("ACLRT_LAUNCH_KERNEL(scale)("), "{text}");
    assert!(!text.contains("kernel_operator.h") && !text.contains("<<<"), "{text}");
    let device = file(&translation, "case_kernels.cpp").expect("the kernels");
    assert!(
        device.contains("extern \"C\" __global__ __aicore__ void scale(GM_ADDR y, GM_ADDR x, GM_ADDR tilingAddress)"),
        "{device}"
    );
    assert!(file(&translation, "CMakeLists.txt").unwrap_or_default().contains("ascendc_library("));
}

#[test]
fn operators_of_msopgen_and_pytorch() {
    let options = Options { project: Project::Msopgen, torch: true, ..Options::default() };
    let translation = translate_as(SCALE, "ascend", &options);
    let host = file(&translation, "op_host/scale.cpp").expect("the host's half");
    for part in
        ["TilingFunc(gert::TilingContext* context)", "class Scale : public OpDef", "OP_ADD(Scale);"]
    {
        assert!(host.contains(part), "{part}");
    }
    let description = file(&translation, "scale.json").expect("the description");
    assert!(description.contains("\"op\": \"Scale\"") && description.contains("\"grid_x\""));
    assert!(
        file(&translation, "op_kernel/scale.cpp").unwrap_or_default().contains("GET_TILING_DATA(")
    );
    let torch = file(&translation, "case_torch.cpp").expect("the binding");
    assert!(
        torch.contains("m.def(\"scale(Tensor(a!) y, Tensor x, float a, int n, int[] grid, int[] block, int shared) -> ()\");"),
        "{torch}"
    );
    assert!(
        torch.contains("TORCH_LIBRARY_FRAGMENT(case, m)")
            || torch.contains("TORCH_LIBRARY_FRAGMENT(case_")
    );
}

#[test]
fn data_is_made_as_the_specification_says() {
    let specification = "ints = [[\"rows\", \"4\"], [\"n\", \"rows * 8 / 2\"]]\n[buffers]\n\
        x = { dtype = \"bf16\", shape = [\"rows\", \"n\"], init = \"uniform(-1,1)\", seed = 7 }\n";
    let options = Options { specification: Some(specification.to_owned()), ..Options::default() };
    let translation = translate_as(SCALE, "ascend", &options);
    let script = file(&translation, "scripts/gen_data.py").unwrap_or_default();
    assert!(script.contains("n = rows * 8 // 2\n"), "{script}");
    assert!(
        script
            .contains("write(\"x\", np.random.default_rng(7).uniform(-1,1, (rows, n,)), \"bf16\")"),
        "{script}"
    );
}
