//! Runs a text's spec on the fiber oracle and prints what came out:
//! `cargo run -p port-check --example oracle -- cuda|hip TEXT SPEC [32|64] [name=value …]`

#![allow(clippy::disallowed_methods, reason = "a program for developers")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use port_check::oracle::{Language, Oracle, RunOptions, Source};
use port_check::toolchain::Toolchain;
use port_check::{ParameterSet, Spec};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [language, text_path, spec_path, rest @ ..] = &arguments[..] else {
        eprintln!("usage: oracle cuda|hip TEXT SPEC [32|64] [name=value …]");
        std::process::exit(2);
    };
    let language = if language == "hip" { Language::Hip } else { Language::Cuda };
    let mut options = RunOptions::default();
    let mut only = ParameterSet::default();
    for argument in rest {
        match argument.split_once('=') {
            Some((name, value)) => {
                only.values.push((name.to_string(), value.parse().expect("an integer")));
            }
            None => options.warp = argument.parse().expect("32 or 64"),
        }
    }
    let text = std::fs::read_to_string(text_path).expect("the text");
    let mut sources = port_diag::SourceMap::new();
    let spec = match Spec::load(Path::new(spec_path), &mut sources).expect("the spec") {
        Ok(spec) => spec,
        Err(diagnostics) => {
            diagnostics.iter().for_each(|d| eprintln!("{}: {}", d.code, d.message));
            std::process::exit(1);
        }
    };
    let folder = Path::new(text_path).parent().map(PathBuf::from).unwrap_or_default();
    let source = Source::new(language, text_path, &text).with_include_directory(folder);
    let oracle = Oracle::new(&Toolchain::discover()).expect("a compiler");
    let start = Instant::now();
    let executable = match oracle.build(&source, &spec) {
        Ok(executable) => executable,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    println!("compiled in {:.2?}", start.elapsed());
    for replacement in executable.replacements() {
        println!(
            "{}:{}: {} → {}",
            replacement.file, replacement.line, replacement.from, replacement.to
        );
    }
    let sets = if only.values.is_empty() { spec.parameter_sets() } else { vec![only] };
    for set in sets {
        let case = spec.case(&set).expect("a case");
        let start = Instant::now();
        match executable.run(&case, &options) {
            Ok(run) => {
                println!("{}: {:.2?}", set.label(), start.elapsed());
                for (name, tensor) in &run.outputs {
                    let head: Vec<f64> =
                        (0..tensor.len().min(6)).map(|i| tensor.get_f64(i)).collect();
                    println!("  {name} {:?} {head:?}", tensor.shape());
                }
                run.notes.iter().for_each(|note| println!("  {} × {}", note.count, note.message));
                print!("{}", run.stdout);
            }
            Err(error) => println!("{}: {error}", set.label()),
        }
    }
}
