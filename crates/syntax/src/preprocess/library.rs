//! Macros of well-known headers, for when the headers are not in view. A name is here because code
//! of the field cannot be parsed, or is read wrongly, without it; the replacement says what the real
//! macro means, in as few words. A definition of the text's own replaces one of these silently.

/// Macros that come with a library.
pub(super) struct Library {
    /// How names of its headers begin.
    pub folders: &'static [&'static str],
    /// Name with parameters, and replacement.
    pub macros: &'static [(&'static str, &'static str)],
}

/// Names that hold in every unit: the C library's format macros for 64-bit Linux (C17 7.8.1), which
/// stand between string literals, and the toolkit's calling conventions, which are empty there.
pub(super) const ALWAYS: &[(&str, &str)] = &[
    ("PRId8", "\"d\""),
    ("PRId16", "\"d\""),
    ("PRId32", "\"d\""),
    ("PRId64", "\"ld\""),
    ("PRIdPTR", "\"ld\""),
    ("PRIdMAX", "\"ld\""),
    ("PRIi8", "\"i\""),
    ("PRIi16", "\"i\""),
    ("PRIi32", "\"i\""),
    ("PRIi64", "\"li\""),
    ("PRIu8", "\"u\""),
    ("PRIu16", "\"u\""),
    ("PRIu32", "\"u\""),
    ("PRIu64", "\"lu\""),
    ("PRIuPTR", "\"lu\""),
    ("PRIuMAX", "\"lu\""),
    ("PRIx8", "\"x\""),
    ("PRIx16", "\"x\""),
    ("PRIx32", "\"x\""),
    ("PRIx64", "\"lx\""),
    ("PRIxPTR", "\"lx\""),
    ("PRIX8", "\"X\""),
    ("PRIX16", "\"X\""),
    ("PRIX32", "\"X\""),
    ("PRIX64", "\"lX\""),
    ("PRIo32", "\"o\""),
    ("PRIo64", "\"lo\""),
    ("SCNd32", "\"d\""),
    ("SCNd64", "\"ld\""),
    ("SCNu32", "\"u\""),
    ("SCNu64", "\"lu\""),
    ("SCNx64", "\"lx\""),
    // The C library's macros for constants of its integer types (C17 7.20.4).
    ("INT8_C(c)", "c"),
    ("UINT8_C(c)", "c"),
    ("INT16_C(c)", "c"),
    ("UINT16_C(c)", "c"),
    ("INT32_C(c)", "c"),
    ("UINT32_C(c)", "c ## U"),
    ("INT64_C(c)", "c ## L"),
    ("UINT64_C(c)", "c ## UL"),
    ("INTMAX_C(c)", "c ## L"),
    ("UINTMAX_C(c)", "c ## UL"),
    ("CUDART_CB", ""),
    ("CUDARTAPI", ""),
    ("CUDAAPI", ""),
    ("CUDA_CB", ""),
];

/// The libraries whose macros are modelled.
pub(super) const LIBRARIES: &[Library] = &[
    Library { folders: &["torch/", "ATen/", "c10/"], macros: TORCH },
    Library { folders: &["cutlass/", "cute/"], macros: CUTLASS },
    Library { folders: &["cub/", "thrust/"], macros: CUB },
    // Texts ask by these names which headers of the toolkit were included.
    Library { folders: &["cuda_fp16.h"], macros: &[("__CUDA_FP16_H__", "")] },
    Library { folders: &["cuda_bf16.h"], macros: &[("__CUDA_BF16_H__", "")] },
    Library { folders: &["cuda_fp8.h"], macros: &[("__CUDA_FP8_H__", "")] },
    Library { folders: &["cuComplex.h"], macros: &[("CU_COMPLEX_H_", "")] },
    Library { folders: &["cooperative_groups.h"], macros: &[("_COOPERATIVE_GROUPS_H_", "")] },
    Library {
        folders: &["cublas"],
        macros: &[("CUBLAS_API_H_", ""), ("CUBLAS_V2_H_", ""), ("CUBLASWINAPI", "")],
    },
    Library { folders: &["cufft"], macros: &[("_CUFFT_H_", ""), ("CUFFTAPI", "")] },
    Library { folders: &["curand"], macros: &[("CURAND_H_", ""), ("CURANDAPI", "")] },
    Library { folders: &["cusparse"], macros: &[("CUSPARSE_H_", ""), ("CUSPARSEAPI", "")] },
    Library { folders: &["cusolver"], macros: &[("CUSOLVER_COMMON_H_", "")] },
    Library { folders: &["nvjpeg"], macros: &[("NVJPEGAPI", "")] },
    Library { folders: &["npp"], macros: &[("NV_NPPIDEFS_H", "")] },
];

/// Which [`LIBRARIES`] a header belongs to.
pub(super) fn of_header(name: &str) -> Option<usize> {
    LIBRARIES
        .iter()
        .position(|library| library.folders.iter().any(|folder| name.starts_with(folder)))
}

/// PyTorch: qualifiers, loops, and the dispatch over element types, which in PyTorch too is a
/// `switch` inside a lambda whose cases name the C++ type `scalar_t` (or `index_t`).
const TORCH: &[(&str, &str)] = &[
    ("C10_HOST_DEVICE", "__host__ __device__"),
    ("C10_DEVICE", "__device__"),
    ("C10_HOST", "__host__"),
    ("C10_LAUNCH_BOUNDS_0", "__launch_bounds__(256, 4)"),
    ("C10_LAUNCH_BOUNDS_1(threads)", "__launch_bounds__(threads)"),
    ("C10_LAUNCH_BOUNDS_2(threads, blocks)", "__launch_bounds__(threads, blocks)"),
    ("C10_ALWAYS_INLINE", "inline"),
    ("C10_NOINLINE", "__noinline__"),
    ("C10_RESTRICT", "__restrict__"),
    ("C10_UNUSED", ""),
    ("C10_NODISCARD", ""),
    ("C10_API", ""),
    ("C10_EXPORT", ""),
    ("C10_CUDA_API", ""),
    ("TORCH_API", ""),
    ("TORCH_CUDA_API", ""),
    ("TORCH_CUDA_CPP_API", ""),
    ("TORCH_CUDA_CU_API", ""),
    ("C10_LIKELY(x)", "(x)"),
    ("C10_UNLIKELY(x)", "(x)"),
    ("C10_WARP_SIZE", "32"),
    (
        "CUDA_KERNEL_LOOP_TYPE(i, n, type)",
        "for (type i = type(blockIdx.x) * blockDim.x + threadIdx.x; i < (n); \
         i += type(blockDim.x) * gridDim.x)",
    ),
    (
        "CUDA_KERNEL_LOOP(i, n)",
        "for (int i = int(blockIdx.x * blockDim.x + threadIdx.x); i < (n); \
         i += int(blockDim.x * gridDim.x))",
    ),
    (
        "AT_DISPATCH_SWITCH(value, name, ...)",
        "[&] { switch (value) { __VA_ARGS__ default: break; } }()",
    ),
    ("AT_DISPATCH_CASE(type, ...)", DISPATCH_CASE),
    ("AT_PRIVATE_CASE_TYPE_USING_HINT(type, hint, ...)", DISPATCH_CASE_HINT),
    (
        "AT_DISPATCH_INDEX_TYPES(value, name, ...)",
        "[&] { switch (value) { \
         case at::ScalarType::Int: { using index_t = int; return __VA_ARGS__(); } \
         case at::ScalarType::Long: { using index_t = int64_t; return __VA_ARGS__(); } \
         default: break; } }()",
    ),
    ("AT_DISPATCH_CASE_FLOATING_TYPES(...)", FLOATING),
    ("AT_DISPATCH_CASE_FLOATING_TYPES_AND_HALF(...)", FLOATING_AND_HALF),
    ("AT_DISPATCH_CASE_REDUCED_FLOATING_TYPES(...)", REDUCED_FLOATING),
    ("AT_DISPATCH_CASE_INTEGRAL_TYPES(...)", INTEGRAL),
    ("AT_DISPATCH_CASE_ALL_TYPES(...)", ALL),
    (
        "AT_DISPATCH_FLOATING_TYPES(value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_FLOATING_TYPES(__VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_FLOATING_TYPES_AND_HALF(value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_FLOATING_TYPES_AND_HALF(__VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_FLOATING_TYPES_AND(a, value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_FLOATING_TYPES(__VA_ARGS__) \
         AT_DISPATCH_CASE(a, __VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_FLOATING_TYPES_AND2(a, b, value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_FLOATING_TYPES(__VA_ARGS__) \
         AT_DISPATCH_CASE(a, __VA_ARGS__) AT_DISPATCH_CASE(b, __VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_FLOATING_TYPES_AND3(a, b, c, value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_FLOATING_TYPES(__VA_ARGS__) \
         AT_DISPATCH_CASE(a, __VA_ARGS__) AT_DISPATCH_CASE(b, __VA_ARGS__) \
         AT_DISPATCH_CASE(c, __VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_REDUCED_FLOATING_TYPES(value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_REDUCED_FLOATING_TYPES(__VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_INTEGRAL_TYPES(value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_INTEGRAL_TYPES(__VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_ALL_TYPES(value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_ALL_TYPES(__VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_ALL_TYPES_AND(a, value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_ALL_TYPES(__VA_ARGS__) \
         AT_DISPATCH_CASE(a, __VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_ALL_TYPES_AND2(a, b, value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_ALL_TYPES(__VA_ARGS__) \
         AT_DISPATCH_CASE(a, __VA_ARGS__) AT_DISPATCH_CASE(b, __VA_ARGS__))",
    ),
    (
        "AT_DISPATCH_ALL_TYPES_AND3(a, b, c, value, name, ...)",
        "AT_DISPATCH_SWITCH(value, name, AT_DISPATCH_CASE_ALL_TYPES(__VA_ARGS__) \
         AT_DISPATCH_CASE(a, __VA_ARGS__) AT_DISPATCH_CASE(b, __VA_ARGS__) \
         AT_DISPATCH_CASE(c, __VA_ARGS__))",
    ),
];

const DISPATCH_CASE: &str =
    "case type: { using scalar_t = c10::impl::ScalarTypeToCPPTypeT<type>; return __VA_ARGS__(); }";

const DISPATCH_CASE_HINT: &str =
    "case type: { using hint = c10::impl::ScalarTypeToCPPTypeT<type>; return __VA_ARGS__(); }";

const FLOATING: &str = "AT_DISPATCH_CASE(at::ScalarType::Double, __VA_ARGS__) \
    AT_DISPATCH_CASE(at::ScalarType::Float, __VA_ARGS__)";

const FLOATING_AND_HALF: &str = "AT_DISPATCH_CASE_FLOATING_TYPES(__VA_ARGS__) \
    AT_DISPATCH_CASE(at::ScalarType::Half, __VA_ARGS__)";

const REDUCED_FLOATING: &str = "AT_DISPATCH_CASE(at::ScalarType::Half, __VA_ARGS__) \
    AT_DISPATCH_CASE(at::ScalarType::BFloat16, __VA_ARGS__)";

const INTEGRAL: &str = "AT_DISPATCH_CASE(at::ScalarType::Byte, __VA_ARGS__) \
    AT_DISPATCH_CASE(at::ScalarType::Char, __VA_ARGS__) \
    AT_DISPATCH_CASE(at::ScalarType::Int, __VA_ARGS__) \
    AT_DISPATCH_CASE(at::ScalarType::Long, __VA_ARGS__) \
    AT_DISPATCH_CASE(at::ScalarType::Short, __VA_ARGS__)";

const ALL: &str = "AT_DISPATCH_CASE_INTEGRAL_TYPES(__VA_ARGS__) \
    AT_DISPATCH_CASE_FLOATING_TYPES(__VA_ARGS__)";

/// CUTLASS and CuTe.
const CUTLASS: &[(&str, &str)] = &[
    ("CUTLASS_HOST_DEVICE", "__forceinline__ __host__ __device__"),
    ("CUTLASS_DEVICE", "__forceinline__ __device__"),
    ("CUTLASS_HOST", "__host__"),
    ("CUTLASS_GLOBAL", "__global__ static"),
    ("CUTLASS_GRID_CONSTANT", "__grid_constant__"),
    ("CUTLASS_PRAGMA_UNROLL", "_Pragma(\"unroll\")"),
    ("CUTLASS_PRAGMA_NO_UNROLL", "_Pragma(\"unroll 1\")"),
    ("CUTLASS_GEMM_LOOP", "_Pragma(\"unroll 1\")"),
    ("CUTLASS_CONSTEXPR_IF_CXX17", "constexpr"),
    ("CUTLASS_UNUSED(x)", "((void)(x))"),
    ("CUTE_HOST_DEVICE", "__forceinline__ __host__ __device__"),
    ("CUTE_DEVICE", "__forceinline__ __device__"),
    ("CUTE_HOST", "__forceinline__ __host__"),
    ("CUTE_GRID_CONSTANT", "__grid_constant__"),
    ("CUTE_UNROLL", "_Pragma(\"unroll\")"),
    ("CUTE_NO_UNROLL", "_Pragma(\"unroll 1\")"),
    ("CUTE_INLINE_CONSTANT", "inline constexpr"),
    ("CUTE_STATIC_ASSERT(...)", "static_assert(__VA_ARGS__)"),
    ("CUTE_STATIC_ASSERT_V(x, ...)", "static_assert(decltype(x)::value, ##__VA_ARGS__)"),
];

/// CUB and Thrust.
const CUB: &[(&str, &str)] = &[
    ("CUB_RUNTIME_FUNCTION", "__host__ __device__"),
    ("CUB_NAMESPACE_BEGIN", "namespace cub {"),
    ("CUB_NAMESPACE_END", "}"),
    ("THRUST_NAMESPACE_BEGIN", "namespace thrust {"),
    ("THRUST_NAMESPACE_END", "}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::macros::parse_configured;

    #[test]
    fn every_macro_is_well_formed_and_named_once() {
        let mut names = std::collections::BTreeSet::new();
        let all = LIBRARIES.iter().flat_map(|library| library.macros).chain(ALWAYS);
        for (name, value) in all {
            let definition = parse_configured(name, value, port_diag::FileId(0));
            let definition = definition.unwrap_or_else(|| panic!("{name}"));
            assert!(names.insert(definition.name.text), "{name} is here twice");
        }
    }
}
