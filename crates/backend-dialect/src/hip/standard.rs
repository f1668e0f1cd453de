//! Headers of the C library that nvcc includes by itself, through the CUDA runtime, and HIP does not.
//!
//! Compiling `#include <hip/hip_runtime.h>` and one use each with HIP 5.2, 6.4 and 7.1 shows three
//! that matter. Without C++'s own `math.h` the host has neither `isfinite` nor `exp(float)` at global
//! scope: the first does not compile, the second computes in double. HIP 7.1 has neither `memcpy` and
//! its kin nor `assert` on the host.

use std::collections::BTreeSet;

use port_diag::Span;
use port_hir::{Builtin, ExprId, ExprKind, Meaning, Res};
use port_syntax::token::TokenKind;

use super::port::Port;
use crate::arithmetic::{Arithmetic, Typing};

/// A header, what includes it as well, and the names that ask for it.
struct Standard {
    header: &'static str,
    also: &'static [&'static str],
    names: &'static [&'static str],
    /// Whether device code needs it too: there `memcpy` and `isfinite` are HIP's own.
    on_device: bool,
}

const STRING: Standard = Standard {
    header: "string.h",
    also: &["string.h", "cstring", "memory.h"],
    names: &[
        "memchr", "memcmp", "memcpy", "memmove", "memset", "strcat", "strchr", "strcmp", "strcpy",
        "strdup", "strerror", "strlen", "strncat", "strncmp", "strncpy", "strrchr", "strstr",
        "strtok",
    ],
    on_device: false,
};

const ASSERT: Standard = Standard {
    header: "assert.h",
    also: &["assert.h", "cassert"],
    names: &["assert"],
    on_device: true,
};

const MATH: Standard = Standard {
    header: "math.h",
    also: &["math.h", "tgmath.h"],
    names: &["isfinite", "isinf", "isnan", "isnormal", "signbit", "fpclassify"],
    on_device: false,
};

/// Functions that C has for double, and C++ for every floating type.
const OVERLOADED: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "fdim",
    "floor",
    "fma",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "hypot",
    "ilogb",
    "ldexp",
    "lgamma",
    "llrint",
    "llround",
    "log",
    "log10",
    "log1p",
    "log2",
    "logb",
    "lrint",
    "lround",
    "modf",
    "nearbyint",
    "nextafter",
    "pow",
    "remainder",
    "rint",
    "round",
    "scalbn",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "tgamma",
    "trunc",
];

/// The headers that the unit relies on nvcc to include, in order.
pub(super) fn missing(port: &Port<'_>) -> Vec<&'static str> {
    let mut headers = Vec::new();
    for standard in [&ASSERT, &MATH, &STRING] {
        if !is_included(port, standard.also)
            && (is_named(port, standard)
                || standard.header == MATH.header && host_needs_overloads(port))
        {
            headers.push(standard.header);
        }
    }
    headers
}

fn is_included(port: &Port<'_>, names: &[&str]) -> bool {
    let includes = &port.unit.parsed.unit.includes;
    includes.iter().any(|include| include.active && names.contains(&&*include.name))
}

/// Whether compiled text calls one of the names at global scope.
fn is_named(port: &Port<'_>, standard: &Standard) -> bool {
    let wanted: BTreeSet<&str> = standard.names.iter().copied().collect();
    port.files.iter().any(|file| {
        file.tokens.windows(2).enumerate().any(|(index, pair)| {
            let qualified = index.checked_sub(1).and_then(|before| file.tokens.get(before));
            pair[0].kind == TokenKind::Identifier
                && pair[1].kind == TokenKind::LeftParen
                && wanted.contains(file.bytes(&pair[0]))
                && !qualified.is_some_and(|token| {
                    let kinds = [TokenKind::ColonColon, TokenKind::Dot, TokenKind::Arrow];
                    kinds.contains(&token.kind)
                })
                && !is_the_users(port, file.span(&pair[0]))
                && is_compiled(port, file.span(&pair[0]), standard.on_device)
        })
    })
}

fn is_the_users(port: &Port<'_>, span: Span) -> bool {
    let meaning = port.unit.module.meanings.get(span);
    matches!(meaning, Some(Meaning::User(_) | Meaning::Macro(_) | Meaning::Member))
}

/// Whether a place is compiled, and not only, unless `on_device`, for the device. A macro that is
/// never used is not.
fn is_compiled(port: &Port<'_>, span: Span, on_device: bool) -> bool {
    let tokens = port.program.tokens_of(span);
    tokens.iter().any(|token| {
        let holder = port.program.function_at(*token);
        on_device
            || holder.is_none_or(|function| {
                let is = &port.unit.module.functions[function].qualifiers;
                !(is.global || is.device && !is.host)
            })
    })
}

/// Whether host code calls a function of [`OVERLOADED`] with something that may be a float.
fn host_needs_overloads(port: &Port<'_>) -> bool {
    let module = port.unit.module;
    let typing = Typing::new(module, &port.program);
    let exact = |argument: &ExprId| match typing.of(*argument) {
        Some(Arithmetic::Known(Builtin::Float | Builtin::LongDouble)) => false,
        Some(Arithmetic::Known(_)) => true,
        _ => false,
    };
    module.exprs.iter().any(|(_, expr)| {
        let ExprKind::Call { callee, arguments } = &expr.kind else { return false };
        let ExprKind::Name(name) = &module.exprs[*callee].kind else { return false };
        let Some(part) = name.unqualified() else { return false };
        let foreign = matches!(name.resolution, Res::Api(_) | Res::Library(_));
        foreign
            && OVERLOADED.contains(&part.name.as_str())
            && !arguments.iter().all(exact)
            && is_compiled(port, part.origin.span, false)
    })
}
