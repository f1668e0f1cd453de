//! Whole programs, ported and run: as compiled forms, and thread by thread with the generated section
//! taken out; by g++ and clang, optimised, with OpenMP and with sanitizers.

#![allow(clippy::disallowed_methods, reason = "the tests read programs and run compilers")]

use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use port::{FileRole, Options, SourceMap, Status, Target, Translation};
use port_backend_cpu::header::{Needs, assemble};
use port_check::cpu::{Compiler, Flavour};
use port_check::oracle::{Language, RunOptions, Source};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    // What takes longest begins first, so that no processor waits for it at the end.
    for name in ["products", "launches", "blocks", "branches", "intervals"] {
        let translation = Arc::new(port(name));
        for flavour in Flavour::ALL {
            for loops in [true, false] {
                if !is_built(name, flavour, loops) {
                    continue;
                }
                let shared = translation.clone();
                let how = if loops { "loops" } else { "fibers" };
                let title = format!("{name}::{how}::{}", flavour.name());
                let trial = Trial::test(title, move || run(name, &shared, flavour, loops));
                trials.push(match Compiler::new(flavour) {
                    Ok(_) => trial,
                    Err(_) => trial.with_ignored_flag(true).with_kind("needs its compiler"),
                });
            }
        }
        let shared = translation.clone();
        trials.push(Trial::test(format!("{name}::statuses"), move || statuses(&shared)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Building is what these tests cost. Every program runs in both forms with every access checked, and
/// its compiled forms optimised, on OpenMP's threads or on one; those that launch in every way and share
/// what a block has try both, and the fibers too, which are the same for every program. `g++ -O2` on
/// one thread is how `port exec` builds the programs of its tests.
fn is_built(name: &str, flavour: Flavour, loops: bool) -> bool {
    // It is about libraries, whose functions run on the host and have one form.
    let has_fibers = name != "products";
    let tries_all = matches!(name, "launches" | "blocks" | "branches");
    match flavour {
        Flavour::Gnu => false,
        Flavour::GnuNative => tries_all || name == "intervals" && loops,
        Flavour::Clang => tries_all || name == "products" && loops,
        Flavour::Sanitized => loops || has_fibers,
    }
}

fn port(name: &str) -> Translation {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let text = std::fs::read_to_string(folder.join(format!("{name}.cu"))).expect("a program");
    let mut sources = SourceMap::new();
    let root = sources.add(&format!("{name}.cu"), text.as_str());
    let target: Target = "cpu".parse().expect("the target");
    port::translate(&sources, root, &[target], &Options::default()).pop().expect("a translation")
}

/// Nothing is left to a person.
fn statuses(translation: &Translation) -> Result<(), Failed> {
    match translation.ported.kernels.iter().find(|kernel| kernel.status == Status::Manual) {
        Some(kernel) => Err(format!("{} is manual", kernel.name).into()),
        None => Ok(()),
    }
}

fn run(name: &str, translation: &Translation, flavour: Flavour, loops: bool) -> Result<(), Failed> {
    const SECTION: &str = "\n// ---- Compiled kernels";
    let mut files = Vec::new();
    for file in &translation.ported.files {
        let mut text = file.text.clone();
        let path = match file.role {
            FileRole::Root => format!("{name}.cpp"),
            FileRole::Header(_) => continue,
            FileRole::Generated(name) => name.to_owned(),
        };
        if file.role == FileRole::Root && !loops {
            // A kernel whose text is left out would have no other form.
            assert!(!text.contains("PORT_CPU_COMPILED"), "{name} leaves a kernel's text out");
            text.truncate(text.find(SECTION).unwrap_or(text.len()));
        }
        files.push((path, text));
    }
    let source = Source { files, ..Source::new(Language::Cpu, "", "") };
    let compiler = Compiler::new(flavour).map_err(|error| error.to_string())?;
    // One header for all, compiled once.
    let compiler = compiler.with_header(&assemble(Needs::all().without_libraries()));
    let program = compiler.build_program(&source).map_err(|error| error.to_string())?;
    let result = program.run(&[], &RunOptions::default()).map_err(|error| error.to_string())?;
    if result.status == Some(0) && result.stdout.trim_end() == "PASS" {
        return Ok(());
    }
    Err(format!("{:?}: {}{}", result.status, result.stdout, result.stderr).into())
}
