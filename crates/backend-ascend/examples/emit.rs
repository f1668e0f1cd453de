//! Prints what the kernels of a CUDA file become on the 910B: `emit FILE [ROOT] [--text] [--ir]`.

#![allow(clippy::disallowed_methods, reason = "an example reads files")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use port_backend_ascend::kernel::{Chip, Forms, Options, Request, emit};
use port_diag::SourceMap;
use port_syntax::{Configuration, preprocess};

fn main() {
    let text = std::env::args().any(|a| a == "--text");
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let (Some(file), root) = (arguments.next(), arguments.next()) else {
        eprintln!("emit FILE [ROOT] [--text] [--ir]");
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
    let lowered = port_lower::lower(&port_hir::build(&unit), &port_lower::Options::default());
    let requests: Vec<Request> = lowered
        .module
        .kernels()
        .map(|(function, kernel)| Request {
            function,
            name: port_backend::text::names::identifier(&kernel.name).to_lowercase(),
        })
        .collect();
    let reserved = BTreeSet::new();
    let options =
        Options { sources: &sources, reserved: &reserved, chip: Chip::A910b, forms: Forms::All };
    if std::env::args().any(|a| a == "--ir")
        && let Ok(info) = port_ir::validate(&lowered.module)
    {
        let flat = port_ir::passes::flatten(&lowered.module, &info);
        println!("{}", port_ir::print(&flat, &port_ir::PrintOptions::default()));
    }
    let emitted = emit(&lowered.module, &requests, &options);
    if text {
        for header in &emitted.headers {
            println!("// {}\n{}", header.name, header.text);
        }
        println!("{}", emitted.declarations);
    }
    for (request, kernel) in requests.iter().zip(&emitted.kernels) {
        match kernel {
            Ok(kernel) => {
                println!(
                    "// {}: {} {:?} {}",
                    request.name,
                    kernel.lowering,
                    kernel.status,
                    kernel.reason.as_ref().map_or("", |r| r.0.as_str())
                );
                if text {
                    for field in &kernel.tiling {
                        println!("//   {} {} = {}", field.ty, field.name, field.value);
                    }
                    println!(
                        "// blocks: {}\n{}\n{}",
                        kernel.blocks, kernel.definitions, kernel.entry
                    );
                }
            }
            Err(why) => println!("// {}: NOT: {}", request.name, why.reason),
        }
    }
}
