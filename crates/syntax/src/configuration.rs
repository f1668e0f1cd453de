//! Under which macros a file is read: the reference compiler's, or a target's.

/// The macros and folders that a preprocessor run starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// For people: `cuda`, `hip`.
    pub name: &'static str,
    /// Macros as `-D` gives them: name (with parameters, if it takes any) and replacement. A later
    /// one replaces an earlier one. They may be redefined and undefined by the text.
    pub defines: Vec<(String, String)>,
    /// Names that `-U` takes away, after `defines`.
    pub undefines: Vec<String>,
    /// Folders searched for `#include`, in order, as the source map spells them.
    pub include_dirs: Vec<String>,
    /// Which headers that are not in the source map `__has_include` finds.
    pub headers: HeaderSet,
}

/// The headers of the tool chain that a configuration stands for. They are modelled, never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderSet {
    /// C, C++ and the CUDA toolkit.
    Cuda,
    /// C, C++ and ROCm.
    Hip,
}

/// What GCC as host compiler defines on every platform that `port` models: 64-bit x86 Linux, C++17.
const GNU_HOST: &[(&str, &str)] = &[
    ("__cplusplus", "201703L"),
    ("__STDC__", "1"),
    ("__STDC_HOSTED__", "1"),
    ("__GNUC__", "12"),
    ("__GNUC_MINOR__", "2"),
    ("__GNUC_PATCHLEVEL__", "0"),
    ("__GNUG__", "12"),
    ("__linux__", "1"),
    ("__linux", "1"),
    ("linux", "1"),
    ("__unix__", "1"),
    ("__unix", "1"),
    ("unix", "1"),
    ("__gnu_linux__", "1"),
    ("__ELF__", "1"),
    ("__x86_64__", "1"),
    ("__x86_64", "1"),
    ("__amd64__", "1"),
    ("__LP64__", "1"),
    ("_LP64", "1"),
    ("_GNU_SOURCE", "1"),
    ("__CHAR_BIT__", "8"),
    ("__SIZEOF_SHORT__", "2"),
    ("__SIZEOF_INT__", "4"),
    ("__SIZEOF_LONG__", "8"),
    ("__SIZEOF_LONG_LONG__", "8"),
    ("__SIZEOF_FLOAT__", "4"),
    ("__SIZEOF_DOUBLE__", "8"),
    ("__SIZEOF_POINTER__", "8"),
    ("__SIZEOF_SIZE_T__", "8"),
    ("__SIZEOF_INT128__", "16"),
    ("__BYTE_ORDER__", "1234"),
    ("__ATOMIC_RELAXED", "0"),
    ("__ATOMIC_CONSUME", "1"),
    ("__ATOMIC_ACQUIRE", "2"),
    ("__ATOMIC_RELEASE", "3"),
    ("__ATOMIC_ACQ_REL", "4"),
    ("__ATOMIC_SEQ_CST", "5"),
    ("__ORDER_LITTLE_ENDIAN__", "1234"),
    ("__ORDER_BIG_ENDIAN__", "4321"),
    ("__SCHAR_MAX__", "0x7f"),
    ("__SHRT_MAX__", "0x7fff"),
    ("__INT_MAX__", "0x7fffffff"),
    ("__LONG_MAX__", "0x7fffffffffffffffL"),
    ("__LONG_LONG_MAX__", "0x7fffffffffffffffLL"),
    ("__EXCEPTIONS", "1"),
    ("__GXX_RTTI", "1"),
    ("__cpp_exceptions", "199711L"),
    ("__cpp_rtti", "199711L"),
    ("__cpp_constexpr", "201603L"),
    ("__cpp_if_constexpr", "201606L"),
    ("__cpp_lambdas", "200907L"),
    ("__cpp_fold_expressions", "201603L"),
    ("__cpp_inline_variables", "201606L"),
    ("__cpp_structured_bindings", "201606L"),
    ("__cpp_variadic_templates", "200704L"),
    ("__cpp_decltype", "200707L"),
];

/// The toolkit release whose version macros the CUDA configurations report. Other chips' runtimes
/// follow the interface of this release, not that of the newest one.
const CUDA_MAJOR: u32 = 11;
const CUDA_MINOR: u32 = 8;

impl Configuration {
    fn gnu(name: &'static str, headers: HeaderSet) -> Self {
        Configuration {
            name,
            defines: GNU_HOST.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            undefines: Vec::new(),
            include_dirs: Vec::new(),
            headers,
        }
    }

    /// nvcc compiling for the device: `arch` is the compute capability times ten, 80 for `sm_80`.
    /// Toolkit version macros, which the real compiler finds in `cuda.h`, are defined from the
    /// start.
    pub fn cuda(arch: u32) -> Self {
        Self::cuda_host().define("__CUDA_ARCH__", &(arch * 10).to_string())
    }

    /// nvcc's pass over host code: as [`cuda`](Self::cuda), without `__CUDA_ARCH__`.
    pub fn cuda_host() -> Self {
        let version = (CUDA_MAJOR * 1000 + CUDA_MINOR * 10).to_string();
        Self::gnu("cuda", HeaderSet::Cuda)
            .define("__NVCC__", "1")
            .define("__CUDACC__", "1")
            .define("__CUDACC_VER_MAJOR__", &CUDA_MAJOR.to_string())
            .define("__CUDACC_VER_MINOR__", &CUDA_MINOR.to_string())
            .define("__CUDACC_VER_BUILD__", "89")
            .define("__CUDACC_EXTENDED_LAMBDA__", "1")
            .define("__CUDACC_RELAXED_CONSTEXPR__", "1")
            .define("__CUDA_API_VER_MAJOR__", &CUDA_MAJOR.to_string())
            .define("__CUDA_API_VER_MINOR__", &CUDA_MINOR.to_string())
            // nvcc includes cuda_runtime.h before the text.
            .define("__CUDA_RUNTIME_H__", "")
            .define("__CUDA_RUNTIME_API_H__", "")
            .define("__DRIVER_TYPES_H__", "")
            .define("__VECTOR_TYPES_H__", "")
            .define("CUDA_VERSION", &version)
            .define("CUDART_VERSION", &version)
    }

    /// hipcc (clang) compiling for an AMD device. `__CUDACC__` and its kin are not defined; a
    /// project's own switches (`USE_ROCM` …) come from [`define`](Self::define).
    pub fn hip() -> Self {
        Self::hip_host().define("__HIP_DEVICE_COMPILE__", "1").define("__AMDGCN__", "1")
    }

    /// hipcc's pass over host code.
    pub fn hip_host() -> Self {
        Self::gnu("hip", HeaderSet::Hip)
            .define("__clang__", "1")
            .define("__clang_major__", "17")
            .define("__clang_minor__", "0")
            .define("__clang_patchlevel__", "0")
            .define("__GNUC__", "4")
            .define("__HIP__", "1")
            .define("__HIPCC__", "1")
            .define("__HIP_PLATFORM_AMD__", "1")
            .define("__HIP_PLATFORM_HCC__", "1")
            .define("HIP_VERSION_MAJOR", "6")
            .define("HIP_VERSION_MINOR", "0")
            .define("HIP_VERSION", "60000000")
    }

    /// Adds a macro, as `-D name=value`; a name with parameters (`F(x)`) takes arguments.
    pub fn define(mut self, name: &str, value: &str) -> Self {
        self.defines.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a macro away, as `-U name`.
    pub fn undefine(mut self, name: &str) -> Self {
        self.undefines.push(name.to_owned());
        self
    }

    /// Adds a folder to search for includes, as `-I folder`.
    pub fn include_dir(mut self, folder: &str) -> Self {
        self.include_dirs.push(folder.to_owned());
        self
    }
}
