//! Shared by the tests: from a source text to the IR.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run a compiler")]

use std::path::{Path, PathBuf};
use std::process::Command;

use port_diag::SourceMap;
use port_lower::{Lowered, Options, lower};
use port_syntax::{Configuration, preprocess};

/// Lowers a text; what comes out must be valid IR.
pub fn lowered_with(text: &str, options: &Options) -> Lowered {
    let mut sources = SourceMap::new();
    let root = sources.add("test.cu", text);
    let unit = preprocess(&sources, root, &Configuration::cuda(80));
    let hir = port_hir::build(&unit);
    let lowered = lower(&hir, options);
    if let Err(errors) = port_ir::validate(&lowered.module) {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}\nin\n{}", errors.join("\n"), print(&lowered));
    }
    lowered
}

/// Lowers a text for the instances in view.
pub fn lowered(text: &str) -> Lowered {
    lowered_with(text, &Options::default())
}

/// The text form of the IR.
pub fn print(lowered: &Lowered) -> String {
    port_ir::print(&lowered.module, &port_ir::PrintOptions::default())
}

/// The IR of a text that has nothing to report.
pub fn ir(text: &str) -> String {
    let lowered = lowered(text);
    let messages: Vec<&str> =
        lowered.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert!(messages.is_empty(), "{messages:?}");
    print(&lowered)
}

/// The names of the instances of a text.
pub fn instances(text: &str, options: &Options) -> Vec<String> {
    let lowered = lowered_with(text, options);
    lowered.instances.into_iter().map(|report| report.instance.name).collect()
}

/// The output of a C++ program compiled by the system's compiler; `None`, said aloud, where there is
/// none and the environment does not require one.
pub fn run_cpp(name: &str, text: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (folder.join(format!("{name}.cpp")), folder.join(name));
    std::fs::write(&source, text).expect("the folder for temporary files is writable");
    let compiled = Command::new("g++")
        .args(["-std=c++17", "-w", "-O0", "-fwrapv", "-fpermissive", "-o"])
        .arg(&program)
        .arg(&source)
        .output();
    match compiled {
        Ok(output) => {
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{message}");
        }
        Err(_) if std::env::var_os("PORT_REQUIRE_TOOLS").is_none() => {
            eprintln!("not run, missing: g++");
            return None;
        }
        Err(error) => panic!("g++: {error}"),
    }
    let output = Command::new(&program).output().expect("the program that was compiled runs");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A file of the repository with the headers beside it, and its lowering.
pub fn kernel(path: &Path) -> Lowered {
    let mut sources = SourceMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let source = path.extension().is_some_and(|e| e == "cu" || e == "cuh");
            if path.is_dir() {
                folders.push(path);
            } else if source {
                let text = std::fs::read_to_string(&path).expect("kernels are text");
                sources.add(&path.strip_prefix(&root).unwrap_or(&path).to_string_lossy(), &text);
            }
        }
    }
    let id = sources.find(&path.to_string_lossy()).expect("the kernel is there");
    let unit = preprocess(&sources, id, &Configuration::cuda(80));
    lower(&port_hir::build(&unit), &Options::default())
}
