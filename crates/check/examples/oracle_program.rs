//! Compiles a whole program against the fiber oracle and runs it:
//! `cargo run -p port-check --example oracle_program -- cuda|hip|hip64 SECONDS TEXT [ARGUMENT …]`.
//! Headers beside the text belong to it.

#![allow(clippy::disallowed_methods, reason = "a program for developers")]

use std::path::Path;
use std::time::Duration;

use port_check::oracle::{Language, Oracle, RunOptions, Source};
use port_check::toolchain::Toolchain;

fn add_headers(source: &mut Source, root: &Path, folder: &Path) {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let extension = path.extension().map(|e| e.to_string_lossy().into_owned());
        if path.is_dir() {
            add_headers(source, root, &path);
        } else if matches!(extension.as_deref(), Some("h" | "cuh" | "hpp" | "inc" | "cu" | "hip")) {
            let name = path.strip_prefix(root).expect("inside").to_string_lossy().into_owned();
            if source.files[0].0 != name {
                source.files.extend(std::fs::read_to_string(&path).ok().map(|text| (name, text)));
            }
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [language, seconds, path, rest @ ..] = &arguments[..] else {
        eprintln!("usage: oracle_program cuda|hip|hip64 SECONDS TEXT [ARGUMENT …]");
        std::process::exit(2);
    };
    let warp = if language == "hip64" { 64 } else { 32 };
    let language = if language == "cuda" { Language::Cuda } else { Language::Hip };
    let path = Path::new(path);
    let root = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().expect("a file").to_string_lossy();
    let text = std::fs::read_to_string(path).expect("the text");
    let mut source = Source::new(language, &name, &text);
    add_headers(&mut source, root, root);
    let oracle = Oracle::new(&Toolchain::discover()).expect("a compiler");
    let program = match oracle.build_program(&source) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    let seconds: u64 = seconds.parse().expect("seconds");
    if seconds == 0 {
        println!("compiled");
        return;
    }
    let options = RunOptions {
        time_limit: Duration::from_secs(seconds),
        memory_limit: 12 << 30,
        warp,
        ..RunOptions::default()
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match program.run(&rest, &options) {
        Ok(run) => {
            print!("{}", run.stdout);
            eprint!("{}", run.stderr);
            run.notes.iter().for_each(|note| eprintln!("{} × {}", note.count, note.message));
            println!("exit {:?}", run.status);
        }
        Err(error) => {
            println!("{error}");
            std::process::exit(3);
        }
    }
}
