//! The project's own kernels: everything in them is read, and every name is found.

#![allow(clippy::disallowed_methods, reason = "tests read their fixtures")]

mod common;

use std::path::{Path, PathBuf};

use port_diag::SourceMap;
use port_hir::{ExprKind, Module, Res, StmtKind, TyKind, build, dump};
use port_syntax::{Configuration, preprocess};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels")
}

/// All files under a folder with their paths relative to it, sorted.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if path.is_dir() {
                waiting.push(path);
            } else if matches!(extension, "cu" | "cuh")
                && let (Ok(name), Ok(text)) =
                    (path.strip_prefix(folder), std::fs::read_to_string(&path))
            {
                found.push((name.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    found
}

fn modules() -> Vec<(String, Module)> {
    let mut sources = SourceMap::new();
    let files = files(&folder());
    let roots: Vec<_> =
        files.iter().map(|(name, text)| (name.clone(), sources.add(name, text))).collect();
    let configuration = Configuration::cuda(80).include_dir(".");
    roots
        .into_iter()
        .filter(|(name, _)| name.ends_with(".cu"))
        .map(|(name, root)| (name, build(&preprocess(&sources, root, &configuration))))
        .collect()
}

/// Names of the C library: their headers are not in view, and lowering knows them by name.
const C_LIBRARY: [&str; 13] = [
    "INFINITY",
    "FLT_MAX",
    "INT_MAX",
    "M_LOG2E",
    "NULL",
    "EXIT_FAILURE",
    "exit",
    "stderr",
    "stdout",
    "fprintf",
    "printf",
    "malloc",
    "free",
];

/// What in a module was not understood.
fn problems(module: &Module) -> Vec<String> {
    let mut problems: Vec<String> =
        module.diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
    for (id, expr) in module.exprs.iter() {
        match &expr.kind {
            ExprKind::Error | ExprKind::Unsupported(_) | ExprKind::TypeArgument(_) => {
                problems.push(dump::expression(module, id));
            }
            ExprKind::Name(name)
                if matches!(name.resolution, Res::Unresolved)
                    && !C_LIBRARY.contains(&name.path().as_str()) =>
            {
                problems.push(name.path());
            }
            _ => {}
        }
    }
    for (_, stmt) in module.stmts.iter() {
        if matches!(stmt.kind, StmtKind::Error | StmtKind::MacroCall { .. }) {
            problems.push(format!("{:?}", stmt.kind));
        }
    }
    for (id, ty) in module.types.iter() {
        if let TyKind::Named(name) = &ty.kind
            && matches!(name.resolution, Res::Unresolved)
        {
            problems.push(dump::ty(module, id));
        }
    }
    problems
}

#[test]
fn every_kernel_is_understood() {
    let modules = modules();
    assert!(modules.len() >= 12, "{}", modules.len());
    for (name, module) in &modules {
        assert_eq!(problems(module), [""; 0], "{name}");
        assert!(module.kernels().count() > 0, "{name}");
        assert!(module.functions.iter().all(|(_, function)| function.poison.is_none()), "{name}");
    }
}

#[test]
fn the_text_form_of_a_kernel() {
    let modules = modules();
    for (name, module) in &modules {
        if name == "norm/layer_norm.cu" {
            insta::assert_snapshot!("layer_norm", dump::dump(module));
        }
    }
}
