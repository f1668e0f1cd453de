//! House rules that neither the compiler nor clippy checks: module documentation, file sizes, and
//! one fixture pair for each finding.

use std::fs;
use std::path::{Path, PathBuf};

/// The longest source file that a reader should have to hold in mind.
const LONGEST_FILE: usize = 1200;

/// Folders whose Rust files are checked.
const ROOTS: [&str; 3] = ["crates", "tests", "xtask"];

/// Runs every rule and reports all violations at once.
pub fn run() -> Result<(), String> {
    let root = workspace_root();
    let mut problems = Vec::new();
    for folder in ROOTS {
        for file in files(&root.join(folder), "rs") {
            let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            if name.contains("/generated") {
                continue;
            }
            let text = fs::read_to_string(&file).map_err(|e| format!("{name}: {e}"))?;
            if !text.starts_with("//!") && !text.starts_with("#!") {
                problems.push(format!("{name}: begins without a module comment (`//!`)"));
            }
            let lines = text.lines().count();
            if lines > LONGEST_FILE {
                problems.push(format!("{name}: {lines} lines, more than {LONGEST_FILE}"));
            }
        }
    }
    problems.extend(unpaired_fixtures(&root));
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{} problems\n{}", problems.len(), problems.join("\n")))
}

/// Every folder of `fixtures/diag` holds a `bad.cu` that raises the finding and an `ok.cu` that does
/// not; the workspace tests run both.
fn unpaired_fixtures(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join("fixtures/diag")) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut problems = Vec::new();
    for folder in folders {
        for file in ["bad.cu", "ok.cu"] {
            if !folder.join(file).is_file() {
                problems.push(format!("{}: lacks {file}", folder.display()));
            }
        }
    }
    problems
}

/// The folder of the workspace's own Cargo.toml.
pub fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// All files below a folder with this extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
