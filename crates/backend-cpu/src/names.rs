//! Names of CUDA that `port_cpu.hpp` does not give a meaning.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use port_api::{Kind, Row};
use port_diag::{SourceMap, Span};
use port_rewrite::{NameUse, uses};
use port_syntax::{Configuration, Preprocessed, TokenKind, preprocess};

use crate::findings::UnsupportedName;
use crate::header;
use crate::port::Port;

/// A use of a name without a form.
pub(crate) struct Unsupported {
    pub span: Span,
    pub finding: UnsupportedName,
    /// Whether it is a type that a declaration may name.
    pub is_type: bool,
}

/// Every such use in text that is compiled, in order.
pub(crate) fn unsupported(port: &Port<'_>) -> Vec<Unsupported> {
    let provided = provided();
    let mut found = Vec::new();
    for file in &port.files {
        let (all, _) = uses(file, port.unit.module);
        for name_use in all {
            let row = name_use.row;
            if name_use.overloaded || is_provided(row.name, provided) {
                continue;
            }
            // Words of everyday use, in text that the front end did not understand.
            if !name_use.resolved && matches!(row.name, "texture" | "surface") {
                continue;
            }
            let in_directive = file.directive_of(name_use.token);
            let is_condition = in_directive.is_some_and(|d| d.keyword != "define");
            if is_condition || !is_compiled(port, &name_use, in_directive.is_some()) {
                continue;
            }
            let (reason, way) = explain(row);
            let finding = UnsupportedName { name: row.name.into(), reason, way };
            let is_type =
                row.kind == Kind::Type && !row.name.contains("::") && row.name != "texture";
            found.push(Unsupported { span: name_use.span, finding, is_type });
        }
    }
    found
}

/// Whether some pass of the reference compiles the use.
fn is_compiled(port: &Port<'_>, name_use: &NameUse, in_macro: bool) -> bool {
    if name_use.resolved {
        return true;
    }
    !in_macro && !port.inactive.iter().any(|body| body.contains(name_use.span))
}

/// Whether the header, or the C and C++ libraries, have the name.
fn is_provided(name: &str, provided: &BTreeSet<String>) -> bool {
    let (namespace, last) = match name.rsplit_once("::") {
        Some((namespace, last)) => (namespace.split("::").next().unwrap_or(""), last),
        None => ("", name),
    };
    let of_cuda = !matches!(namespace, "" | "std")
        || ["cuda", "CU", "__", "nccl", "nv", "tex", "surf", "atomic", "make_"]
            .iter()
            .any(|prefix| last.starts_with(prefix))
        || (last.starts_with("cu") && last.chars().any(|c| c.is_ascii_uppercase()))
        || ["cublas", "cufft", "curand", "cusparse", "cusolver", "cudnn"]
            .iter()
            .any(|prefix| last.starts_with(prefix));
    // Members of a type are there when the type is: a wrong one does not compile.
    !of_cuda
        || name.starts_with("cuda::std::")
        || last == "__CUDA_ARCH__"
        || (provided.contains(last) && (namespace.is_empty() || provided.contains(namespace)))
}

/// Why, and the way forward.
fn explain(row: &Row) -> (String, String) {
    let name = row.name;
    let ways: &[(&str, &str, &str)] = &[
        ("cublas", "cuBLAS runs on NVIDIA's GPUs", "call a BLAS for CPUs (cblas_sgemm …)"),
        ("cufft", "cuFFT runs on NVIDIA's GPUs", "call an FFT for CPUs (FFTW)"),
        (
            "curand",
            "this part of cuRAND is not in port_cpu.hpp",
            "use <random>, or curandStatePhilox4_32_10_t in kernels",
        ),
        (
            "cusparse",
            "cuSPARSE runs on NVIDIA's GPUs",
            "call a sparse library for CPUs, or write the loop",
        ),
        ("cusolver", "cuSOLVER runs on NVIDIA's GPUs", "call LAPACK"),
        ("cudnn", "cuDNN runs on NVIDIA's GPUs", "call oneDNN, or write the loop"),
        (
            "thrust",
            "this part of Thrust is not in port_cpu.hpp",
            "use the standard algorithms over the same pointers",
        ),
        (
            "cub",
            "this part of CUB is not in port_cpu.hpp",
            "use the standard algorithms over the same pointers",
        ),
        ("nccl", "there is one device", "leave the call out: one process holds all data"),
        ("nvtx", "it marks ranges for NVIDIA's profilers", "leave the call out"),
        (
            "tex",
            "a CPU has no texture units",
            "read the array itself, with the address mode and filter written out",
        ),
        ("surf", "a CPU has no surfaces", "read and write the array itself"),
        (
            "cudaGraph",
            "of graphs only those that streams capture are in port_cpu.hpp",
            "capture the launches, or launch the kernels directly",
        ),
        (
            "cu",
            "it is not in port_cpu.hpp",
            "write it with the runtime's functions that are, or leave it out",
        ),
    ];
    let last = name.rsplit("::").next().unwrap_or(name);
    let matching =
        ways.iter().find(|(prefix, ..)| name.starts_with(prefix) || last.starts_with(prefix));
    let (reason, way) = matching
        .map_or(("it is not in port_cpu.hpp", "write it in C++"), |(_, reason, way)| {
            (*reason, *way)
        });
    (reason.to_owned(), way.to_owned())
}

/// The header with every section, its macros expanded.
fn header_text() -> &'static Preprocessed {
    static READ: OnceLock<Preprocessed> = OnceLock::new();
    READ.get_or_init(|| {
        let mut sources = SourceMap::new();
        let text = header::assemble(header::Needs::all());
        let root = sources.add(header::FILE_NAME, text.as_str());
        preprocess(&sources, root, &Configuration::cuda_host())
    })
}

/// The names that the header gives: the identifiers that are left when its macros are expanded, and
/// the macros.
fn provided() -> &'static BTreeSet<String> {
    static NAMES: OnceLock<BTreeSet<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let read = header_text();
        let identifiers = read.tokens.iter().filter(|token| token.kind == TokenKind::Identifier);
        let macros = read.macros.iter().map(|found| found.name.as_str().to_owned());
        identifiers.map(|token| token.text.as_str().to_owned()).chain(macros).collect()
    })
}

/// The names that the header calls or instantiates: a function of a port may hide none of them.
pub(crate) fn called() -> &'static BTreeSet<String> {
    static NAMES: OnceLock<BTreeSet<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let pairs = header_text().tokens.windows(2);
        let called = pairs.filter(|pair| {
            pair[0].kind == TokenKind::Identifier
                && !pair[1].spaced
                && matches!(pair[1].kind, TokenKind::LeftParen | TokenKind::Less)
        });
        called.map(|pair| pair[0].text.as_str().to_owned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_made_by_macros_are_known() {
        for name in
            ["make_float3", "__double2ll_rn", "cudaDevAttrWarpSize", "__shfl_sync", "std::abs"]
        {
            assert!(is_provided(name, provided()), "{name}");
        }
        for name in
            ["cusolverDnCreate", "thrust::set_symmetric_difference", "cudaGraphAddKernelNode"]
        {
            assert!(!is_provided(name, provided()), "{name}");
        }
    }
}
