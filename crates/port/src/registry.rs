//! Every kind of finding that the pipeline can report.

use port_diag::Metadata;

/// All kinds, sorted by code.
pub fn findings() -> Vec<&'static Metadata> {
    let lists = [
        port_syntax::findings::FINDINGS,
        port_hir::findings::FINDINGS,
        port_lower::findings::FINDINGS,
        port_backend::findings::FINDINGS,
        port_backend_dialect::findings::FINDINGS,
        port_backend_cpu::findings::FINDINGS,
        port_backend_ascend::findings::FINDINGS,
    ];
    let mut all: Vec<&'static Metadata> = lists.into_iter().flatten().copied().collect();
    all.sort_by_key(|metadata| metadata.code);
    all
}

/// The kind of a code, in any case.
pub fn explain(code: &str) -> Option<&'static Metadata> {
    findings().into_iter().find(|metadata| metadata.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let codes: Vec<&str> = findings().iter().map(|metadata| metadata.code).collect();
        let mut unique = codes.clone();
        unique.dedup();
        assert_eq!(codes, unique);
    }
}
