//! The kernels of `kernels/`, as the tests find them.

use std::path::{Path, PathBuf};

use port_diag::{FileId, SourceMap};

/// One operator: a `.cu` file with its spec.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// `norm/rms_norm`.
    pub name: String,
    /// The CUDA file.
    pub path: PathBuf,
    /// The spec beside it.
    pub spec_path: PathBuf,
}

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// All operators, sorted by name. Panics where the folder cannot be read: then no test could run.
pub fn all() -> Vec<Kernel> {
    let root = workspace().join("kernels");
    let mut found = Vec::new();
    for family in std::fs::read_dir(&root).expect("kernels/ is readable").flatten() {
        if !family.path().is_dir() {
            continue;
        }
        for file in std::fs::read_dir(family.path()).expect("a folder of kernels").flatten() {
            let path = file.path();
            if path.extension().is_some_and(|extension| extension == "cu") {
                let relative = path.strip_prefix(&root).unwrap_or(&path).with_extension("");
                let name = relative.to_string_lossy().replace('\\', "/");
                let spec_path = path.with_extension("toml");
                found.push(Kernel { name, path, spec_path });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "kernels/ holds no kernel");
    found
}

impl Kernel {
    /// The kernel with the headers that it includes, under paths relative to the workspace. Panics
    /// where a file cannot be read.
    pub fn load(&self) -> (SourceMap, FileId) {
        load(&self.path)
    }
}

/// A file of the workspace with the headers that it includes, under paths relative to the workspace.
/// Panics where the file cannot be read.
pub fn load(path: &Path) -> (SourceMap, FileId) {
    let root = workspace();
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned();
    let mut read = |path: &str| Ok(std::fs::read_to_string(root.join(path)).ok());
    let loaded = port::load(&name, &text, &[], &mut read);
    (loaded.sources, loaded.root)
}
