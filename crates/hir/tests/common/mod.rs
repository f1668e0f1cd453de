//! Shared by the tests: from a source text to a module.

#![allow(dead_code, reason = "each test file uses a part")]

use port_diag::SourceMap;
use port_hir::{Module, build};
use port_syntax::{Configuration, preprocess};

/// The module of one file.
pub fn module(text: &str) -> Module {
    let mut sources = SourceMap::new();
    let root = sources.add("test.cu", text);
    build(&preprocess(&sources, root, &Configuration::cuda(80)))
}

/// The text form of one file.
pub fn dump(text: &str) -> String {
    port_hir::dump::dump(&module(text))
}

/// The statements of a device function with this body, one a line, after these declarations.
pub fn body(declarations: &str, body: &str) -> Vec<String> {
    let text = format!("{declarations}\n__device__ void probe() {{\n{body}\n}}\n");
    let module = module(&text);
    assert!(module.diagnostics.is_empty(), "{:?}", module.diagnostics);
    let dump = port_hir::dump::dump(&module);
    dump.lines()
        .skip_while(|line| !line.starts_with("device fn probe("))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .map(|line| line[2..].to_string())
        .collect()
}

/// The only statement of such a body.
pub fn only(declarations: &str, text: &str) -> String {
    let lines = body(declarations, text);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_iter().next().unwrap_or_default()
}
