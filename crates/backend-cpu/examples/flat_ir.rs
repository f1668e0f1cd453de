//! Prints the flattened IR of a CUDA file with the headers of the folders above it: what compiled
//! forms are made from. `flat_ir FILE [ROOT]`

#![allow(clippy::disallowed_methods, reason = "an example reads files")]

use std::path::{Path, PathBuf};

use port_diag::SourceMap;
use port_lower::{Options, lower};
use port_syntax::{Configuration, preprocess};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), root) = (arguments.next(), arguments.next()) else {
        eprintln!("flat_ir FILE [ROOT]");
        return;
    };
    let root = PathBuf::from(root.unwrap_or_else(|| "kernels".into()));
    let mut sources = SourceMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "cu" || e == "cuh" || e == "h") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                sources.add(&path.strip_prefix(&root).unwrap_or(&path).to_string_lossy(), &text);
            }
        }
    }
    let name = Path::new(&file).strip_prefix(&root).unwrap_or(Path::new(&file));
    let Some(id) = sources.find(&name.to_string_lossy()) else {
        eprintln!("{file} is not under {}", root.display());
        return;
    };
    let unit = preprocess(&sources, id, &Configuration::cuda(80));
    let lowered = lower(&port_hir::build(&unit), &Options::default());
    let info = port_ir::validate(&lowered.module).expect("valid IR");
    let flat = port_ir::passes::flatten(&lowered.module, &info);
    print!("{}", port_ir::print(&flat, &port_ir::PrintOptions::default()));
}
