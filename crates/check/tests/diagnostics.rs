//! Every finding of this crate on the fixtures: `bad.toml` (with `bad.cu` where a text is run)
//! raises exactly that code, `ok.toml` raises nothing.

#![allow(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::path::{Path, PathBuf};

use port_check::oracle::{Language, Oracle, RunOptions, Source};
use port_check::toolchain::Toolchain;
use port_check::{ParameterSet, Spec};
use port_diag::SourceMap;

fn fixture(code: &str, file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fixtures/diag", code, file].iter().collect()
}

/// The codes that a fixture raises: of its spec, its case, its text and its run.
fn codes(code: &str, name: &str) -> Vec<&'static str> {
    let of = |diagnostics: Vec<port_diag::Diagnostic>| {
        let mut codes: Vec<_> = diagnostics.iter().map(|d| d.code).collect();
        codes.dedup();
        codes
    };
    let mut sources = SourceMap::new();
    let spec = Spec::load(&fixture(code, &format!("{name}.toml")), &mut sources)
        .unwrap_or_else(|error| panic!("{code}/{name}.toml: {error}"));
    let spec = match spec {
        Ok(spec) => spec,
        Err(diagnostics) => return of(diagnostics),
    };
    let case = match spec.case(&ParameterSet::default()) {
        Ok(case) => case,
        Err(diagnostics) => return of(diagnostics),
    };
    let path = fixture(code, &format!("{name}.cu"));
    let Ok(text) = std::fs::read_to_string(&path) else { return Vec::new() };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
    let oracle = Oracle::with_cache(&Toolchain::discover(), &cache).expect("a C++ compiler");
    let source = Source::new(Language::Cuda, &format!("{name}.cu"), &text);
    let result = oracle
        .build(&source, &spec)
        .and_then(|executable| executable.run(&case, &RunOptions::default()));
    match result {
        Ok(_) => Vec::new(),
        Err(error) => of(vec![error.finding()]),
    }
}

#[test]
fn each_finding_has_an_input_that_raises_it_and_a_mended_twin() {
    for metadata in port_check::FINDINGS {
        // A machine without a compiler is tested below.
        if metadata.code == "P0610" {
            continue;
        }
        assert_eq!(codes(metadata.code, "bad"), [metadata.code], "{}/bad", metadata.code);
        assert!(codes(metadata.code, "ok").is_empty(), "{}/ok", metadata.code);
    }
}

#[test]
fn a_machine_without_a_compiler_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let error = Oracle::with_cache(&Toolchain::default(), folder.path()).unwrap_err();
    assert_eq!(error.finding().code, "P0610");
    assert!(error.finding().help.is_some_and(|help| help.contains("CXX")));
}

#[test]
fn codes_are_unique_and_in_order() {
    let codes: Vec<_> = port_check::FINDINGS.iter().map(|metadata| metadata.code).collect();
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    assert!(codes.iter().all(|code| ("P0600".."P0700").contains(code)));
}
