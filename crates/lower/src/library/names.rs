//! Names of CUDA, C and C++ that lowering knows without declarations: types, constants, built-in
//! variables, and families of mathematical overloads.

use port_hir::Builtin;

use crate::ty::Type;
use crate::value::Value;

/// A type by name.
pub(super) enum TypeName {
    Scalar(Type),
    Vector(Type, u8),
    Dim3,
}

/// The type of a name, if it is built in.
pub(super) fn type_of(name: &str) -> Option<TypeName> {
    let scalar = |ty| Some(TypeName::Scalar(ty));
    match name {
        "half" | "__half" | "nv_half" | "half_t" | "c10::Half" | "at::Half" | "torch::Half"
        | "cutlass::half_t" | "_Float16" | "__half_raw" => return scalar(Type::HALF),
        "nv_bfloat16"
        | "__nv_bfloat16"
        | "c10::BFloat16"
        | "at::BFloat16"
        | "torch::BFloat16"
        | "cutlass::bfloat16_t"
        | "__bf16"
        | "__nv_bfloat16_raw" => return scalar(Type::BFLOAT16),
        "__nv_fp8_e4m3" | "c10::Float8_e4m3fn" | "at::Float8_e4m3fn" => {
            return scalar(Type::FP8_E4M3);
        }
        "__nv_fp8_e5m2" | "c10::Float8_e5m2" | "at::Float8_e5m2" => return scalar(Type::FP8_E5M2),
        "half2" | "__half2" | "nv_half2" | "__half2_raw" => {
            return Some(TypeName::Vector(Type::HALF, 2));
        }
        "nv_bfloat162" | "__nv_bfloat162" | "__nv_bfloat162_raw" => {
            return Some(TypeName::Vector(Type::BFLOAT16, 2));
        }
        "dim3" => return Some(TypeName::Dim3),
        "__nv_fp8_storage_t" | "uchar" | "u_char" => {
            return scalar(Type::builtin(Builtin::UnsignedChar));
        }
        "__nv_fp8x2_storage_t" | "ushort" => return scalar(Type::builtin(Builtin::UnsignedShort)),
        "__nv_fp8x4_storage_t" | "uint" | "u_int" => return scalar(Type::UINT),
        "ulong" | "u_long" => return scalar(Type::ULONG),
        "clock_t" | "time_t" | "std::clock_t" | "ssize_t" => return scalar(Type::LONG),
        "std::byte" => return scalar(Type::builtin(Builtin::UnsignedChar)),
        "std::nullptr_t" => return scalar(Type::NULLPTR),
        _ => {}
    }
    let (element, count) = name.split_at_checked(name.len().checked_sub(1)?)?;
    let count = match count {
        "1" => 1,
        "2" => 2,
        "3" => 3,
        "4" => 4,
        _ => return None,
    };
    let element = match element {
        "char" => Type::builtin(Builtin::SignedChar),
        "uchar" => Type::builtin(Builtin::UnsignedChar),
        "short" => Type::builtin(Builtin::Short),
        "ushort" => Type::builtin(Builtin::UnsignedShort),
        "int" => Type::INT,
        "uint" => Type::UINT,
        "long" => Type::LONG,
        "ulong" => Type::ULONG,
        "longlong" => Type::builtin(Builtin::LongLong),
        "ulonglong" => Type::builtin(Builtin::UnsignedLongLong),
        "float" => Type::FLOAT,
        "double" => Type::DOUBLE,
        _ => return None,
    };
    Some(TypeName::Vector(element, count))
}

/// The C++ type of a framework's scalar type tag.
pub(super) fn scalar_type(tag: &str) -> Option<Type> {
    Some(match tag {
        "Byte" => Type::builtin(Builtin::UnsignedChar),
        "Char" => Type::builtin(Builtin::SignedChar),
        "Short" => Type::builtin(Builtin::Short),
        "Int" => Type::INT,
        "Long" => Type::LONG,
        "Half" => Type::HALF,
        "Float" => Type::FLOAT,
        "Double" => Type::DOUBLE,
        "Bool" => Type::BOOL,
        "BFloat16" => Type::BFLOAT16,
        "Float8_e4m3fn" => Type::FP8_E4M3,
        "Float8_e5m2" => Type::FP8_E5M2,
        _ => return None,
    })
}

/// Tags of `nvcuda::wmma`: types that only select.
pub(super) fn tag(name: &str) -> Option<&'static str> {
    let short = name.strip_prefix("nvcuda::wmma::")?;
    let tags = ["matrix_a", "matrix_b", "accumulator", "row_major", "col_major"];
    if let Some(tag) = tags.iter().find(|tag| **tag == short) {
        return Some(tag);
    }
    match short {
        "precision::tf32" => Some("tf32"),
        "experimental::precision::s4" => Some("s4"),
        "experimental::precision::u4" => Some("u4"),
        "experimental::precision::b1" => Some("b1"),
        _ => None,
    }
}

/// The layout that an enumerator of `nvcuda::wmma::layout_t` names.
pub(crate) const MEMORY_ROW_MAJOR: i128 = 0;
/// See [`MEMORY_ROW_MAJOR`].
pub(crate) const MEMORY_COLUMN_MAJOR: i128 = 1;

/// The value and type of a constant that a macro or enumerator of the headers defines.
pub(super) fn constant(name: &str) -> Option<(Value, Type)> {
    let float = |value: f32| Some((Value::Float(f64::from(value)), Type::FLOAT));
    let double = |value: f64| Some((Value::Float(value), Type::DOUBLE));
    let int = |value: i128| Some((Value::Integer(value), Type::INT));
    let typed = |value: i128, ty| Some((Value::Integer(value), ty));
    match name {
        "INFINITY" | "HUGE_VALF" => float(f32::INFINITY),
        "NAN" => float(f32::NAN),
        "HUGE_VAL" => double(f64::INFINITY),
        "FLT_MAX" => float(f32::MAX),
        "FLT_MIN" => float(f32::MIN_POSITIVE),
        "FLT_EPSILON" => float(f32::EPSILON),
        "FLT_TRUE_MIN" => float(f32::from_bits(1)),
        "DBL_MAX" => double(f64::MAX),
        "DBL_MIN" => double(f64::MIN_POSITIVE),
        "DBL_EPSILON" => double(f64::EPSILON),
        "FLT_MANT_DIG" => int(24),
        "DBL_MANT_DIG" => int(53),
        "FLT_DIG" => int(6),
        "DBL_DIG" => int(15),
        "CHAR_BIT" => int(8),
        "SCHAR_MIN" | "INT8_MIN" | "CHAR_MIN" => int(i128::from(i8::MIN)),
        "SCHAR_MAX" | "INT8_MAX" | "CHAR_MAX" => int(i128::from(i8::MAX)),
        "UCHAR_MAX" | "UINT8_MAX" => int(i128::from(u8::MAX)),
        "SHRT_MIN" | "INT16_MIN" => int(i128::from(i16::MIN)),
        "SHRT_MAX" | "INT16_MAX" => int(i128::from(i16::MAX)),
        "USHRT_MAX" | "UINT16_MAX" => int(i128::from(u16::MAX)),
        "INT_MIN" | "INT32_MIN" => int(i128::from(i32::MIN)),
        "INT_MAX" | "INT32_MAX" => int(i128::from(i32::MAX)),
        "UINT_MAX" | "UINT32_MAX" => typed(i128::from(u32::MAX), Type::UINT),
        "LONG_MIN" | "INT64_MIN" => typed(i128::from(i64::MIN), Type::LONG),
        "LONG_MAX" | "INT64_MAX" | "PTRDIFF_MAX" => typed(i128::from(i64::MAX), Type::LONG),
        "ULONG_MAX" | "UINT64_MAX" | "SIZE_MAX" => typed(i128::from(u64::MAX), Type::ULONG),
        "LLONG_MIN" => typed(i128::from(i64::MIN), Type::builtin(Builtin::LongLong)),
        "LLONG_MAX" => typed(i128::from(i64::MAX), Type::builtin(Builtin::LongLong)),
        "ULLONG_MAX" => typed(i128::from(u64::MAX), Type::builtin(Builtin::UnsignedLongLong)),
        "RAND_MAX" => int(i128::from(i32::MAX)),
        "NULL" => Some((Value::Integer(0), Type::LONG)),
        "M_PI" => double(std::f64::consts::PI),
        "M_PI_2" => double(std::f64::consts::FRAC_PI_2),
        "M_PI_4" => double(std::f64::consts::FRAC_PI_4),
        "M_1_PI" => double(std::f64::consts::FRAC_1_PI),
        "M_2_PI" => double(std::f64::consts::FRAC_2_PI),
        "M_2_SQRTPI" => double(std::f64::consts::FRAC_2_SQRT_PI),
        "M_SQRT2" => double(std::f64::consts::SQRT_2),
        "M_SQRT1_2" => double(std::f64::consts::FRAC_1_SQRT_2),
        "M_E" => double(std::f64::consts::E),
        "M_LOG2E" => double(std::f64::consts::LOG2_E),
        "M_LOG10E" => double(std::f64::consts::LOG10_E),
        "M_LN2" => double(std::f64::consts::LN_2),
        "M_LN10" => double(std::f64::consts::LN_10),
        "CUDART_INF_FP16" => half(f32::INFINITY),
        "CUDART_MAX_NORMAL_FP16" => half(65504.0),
        "CUDART_ZERO_FP16" => half(0.0),
        "CUDART_ONE_FP16" => half(1.0),
        "CUDART_NEG_ZERO_FP16" => half(-0.0),
        "CUDART_INF_BF16" => brain(f32::INFINITY),
        "CUDART_ZERO_BF16" => brain(0.0),
        "CUDART_ONE_BF16" => brain(1.0),
        "CUDART_NEG_ZERO_BF16" => brain(-0.0),
        "nvcuda::wmma::mem_row_major" | "nvcuda::wmma::layout_t::mem_row_major" => {
            int(MEMORY_ROW_MAJOR)
        }
        "nvcuda::wmma::mem_col_major" | "nvcuda::wmma::layout_t::mem_col_major" => {
            int(MEMORY_COLUMN_MAJOR)
        }
        _ => None,
    }
}

fn half(value: f32) -> Option<(Value, Type)> {
    Some((Value::Float(f64::from(value)), Type::HALF))
}

fn brain(value: f32) -> Option<(Value, Type)> {
    Some((Value::Float(f64::from(value)), Type::BFLOAT16))
}

/// Whether a name is a variable that the machine gives each thread.
pub(super) fn is_builtin_variable(name: &str) -> bool {
    matches!(name, "threadIdx" | "blockIdx" | "blockDim" | "gridDim" | "warpSize")
}

/// Functions of one number that exist for `float`, `double`, and (as `double`) for integers.
const UNARY: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cospi",
    "cyl_bessel_i0",
    "cyl_bessel_i1",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "exp",
    "exp10",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "j0",
    "j1",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "logb",
    "nearbyint",
    "normcdf",
    "normcdfinv",
    "rcbrt",
    "rint",
    "round",
    "rsqrt",
    "sin",
    "sinh",
    "sinpi",
    "sqrt",
    "tan",
    "tanh",
    "tgamma",
    "trunc",
    "y0",
    "y1",
];

/// Functions of two numbers of the same kind.
const BINARY: &[&str] = &[
    "atan2",
    "copysign",
    "fdim",
    "fmax",
    "fmin",
    "fmod",
    "hypot",
    "nextafter",
    "pow",
    "remainder",
    "rhypot",
];

/// Functions of three numbers of the same kind.
const TERNARY: &[&str] = &["fma"];

/// Functions of one number whose result is an integer or truth value.
const CLASSIFY: &[(&str, &str)] = &[
    ("ilogb", "int"),
    ("lrint", "long"),
    ("lround", "long"),
    ("llrint", "long long"),
    ("llround", "long long"),
    ("isnan", "bool"),
    ("isinf", "bool"),
    ("isfinite", "bool"),
    ("signbit", "bool"),
    ("isnormal", "bool"),
];

/// Loads and stores that only differ in what caches should do. The headers list each type.
const CACHED_LOADS: &[&str] = &["__ldg", "__ldca", "__ldcg", "__ldcs", "__ldlu", "__ldcv"];
const CACHED_STORES: &[&str] = &["__stwb", "__stcg", "__stcs", "__stwt"];

const INTEGERS: &[&str] =
    &["int", "unsigned int", "long", "unsigned long", "long long", "unsigned long long"];

/// The declarations of a family of overloads, as nvcc has them with a recent GCC: float and double,
/// integers as double, and mixed operands in the wider type.
pub(super) fn generated(name: &str) -> Option<String> {
    let name = name.strip_prefix("std::").unwrap_or(name);
    if UNARY.contains(&name) {
        let mut text = format!("float {name}(float);\ndouble {name}(double);\n");
        for integer in INTEGERS {
            text.push_str(&format!("double {name}({integer});\n"));
        }
        return Some(text);
    }
    if BINARY.contains(&name) {
        return Some(format!(
            "float {name}(float, float);\ndouble {name}(double, double);\n\
             template <typename T, typename U> double {name}(T, U);\n"
        ));
    }
    if TERNARY.contains(&name) {
        return Some(format!(
            "float {name}(float, float, float);\ndouble {name}(double, double, double);\n\
             template <typename T, typename U, typename V> double {name}(T, U, V);\n"
        ));
    }
    if let Some((_, result)) = CLASSIFY.iter().find(|(known, _)| *known == name) {
        let mut text = format!("{result} {name}(float);\n{result} {name}(double);\n");
        for integer in INTEGERS {
            text.push_str(&format!("{result} {name}({integer});\n"));
        }
        return Some(text);
    }
    if CACHED_LOADS.contains(&name) {
        return Some(format!("template <typename T> T {name}(const T *p);\n"));
    }
    if CACHED_STORES.contains(&name) {
        return Some(format!("template <typename T, typename U> void {name}(T *p, U v);\n"));
    }
    Some(match name {
        "abs" => "int abs(int);\nlong abs(long);\nlong long abs(long long);\nfloat abs(float);\n\
                  double abs(double);\n"
            .to_string(),
        "ldexp" | "scalbn" => format!("float {name}(float, int);\ndouble {name}(double, int);\n"),
        "scalbln" => "float scalbln(float, long);\ndouble scalbln(double, long);\n".to_string(),
        "frexp" => "float frexp(float, int *);\ndouble frexp(double, int *);\n".to_string(),
        "modf" => "float modf(float, float *);\ndouble modf(double, double *);\n".to_string(),
        "jn" | "yn" => format!("float {name}(int, float);\ndouble {name}(int, double);\n"),
        "sincos" | "sincospi" => format!(
            "void {name}(float, float *, float *);\nvoid {name}(double, double *, double *);\n"
        ),
        "norm3d" | "rnorm3d" => format!("double {name}(double, double, double);\n"),
        "memcpy" | "memmove" | "__builtin_memcpy" => {
            format!("void *{name}(void *, const void *, unsigned long);\n")
        }
        "memset" => "void *memset(void *, int, unsigned long);\n".to_string(),
        "nvcuda::wmma::fill_fragment" => {
            wmma("template <typename F, typename V> void fill_fragment(F &, V);")
        }
        "nvcuda::wmma::load_matrix_sync" => wmma(
            "template <typename F, typename T> void load_matrix_sync(F &, const T *, unsigned int);\n\
             template <typename F, typename T> void load_matrix_sync(F &, const T *, unsigned int, int);",
        ),
        "nvcuda::wmma::store_matrix_sync" => wmma(
            "template <typename F, typename T> void store_matrix_sync(T *, const F &, unsigned int, int);",
        ),
        "nvcuda::wmma::mma_sync" => wmma(
            "template <typename D, typename A, typename B, typename C>\n\
             void mma_sync(D &, const A &, const B &, const C &, bool = false);",
        ),
        // What ports to HIP are made of: names of clang and of its device library.
        "__builtin_fmaf" => "float __builtin_fmaf(float, float, float);\n".to_string(),
        "__builtin_fma" => "double __builtin_fma(double, double, double);\n".to_string(),
        "__builtin_popcount" => "int __builtin_popcount(unsigned int);\n".to_string(),
        "__builtin_popcountll" => "int __builtin_popcountll(unsigned long long);\n".to_string(),
        "__lane_id" | "__port_lane" | "__port_lane_mask_lt" | "__port_warp" => {
            format!("unsigned int {name}();\n")
        }
        "__port_grid_barrier" => "void __port_grid_barrier();\n".to_string(),
        "__port_cluster_barrier" => "void __port_cluster_barrier();\n".to_string(),
        _ => return None,
    })
}

fn wmma(declarations: &str) -> String {
    format!("namespace nvcuda {{ namespace wmma {{\n{declarations}\n}} }}\n")
}
