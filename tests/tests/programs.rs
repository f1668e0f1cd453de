//! Every whole program of `fixtures/programs`: accepted by NVIDIA's compiler as its author wrote it,
//! run on the fiber oracle, and its ports compiled and run. A program says itself whether it is right:
//! it compares with a plain computation on the host, prints `PASS` and returns 0.
//!
//! A test reads `program::property`. `port exec` over every other program is tested with the binary.

#![allow(clippy::disallowed_methods, reason = "the tests read the programs and run compilers")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use port::{FileRole, Options, Severity, Status, Target, Translation};
use port_check::cpu::Flavour;
use port_check::oracle::{Language, ProgramResult, RunOptions, Source};
use port_diag::render::human;
use port_diag::{FileId, SourceMap};
use port_tests::all_flavours;
use port_tests::compilers::{HipHeaders, HipJob, HipStage, Tools};
use port_tests::cpu::compiler;
use port_tests::kernels::{load, workspace};
use port_tests::originals;

const HEADERS: [HipHeaders; 2] = [HipHeaders::V5_2, HipHeaders::V7_1];

fn main() {
    let arguments = Arguments::from_args();
    let tools = Arc::new(Tools::locate());
    let mut trials = Vec::new();
    for (index, path) in programs().into_iter().enumerate() {
        let program = Arc::new(path);
        let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut add = |property: &str, missing: Vec<String>, test: Test| {
            let trial = Trial::test(format!("{name}::{property}"), test);
            trials.push(match missing.is_empty() {
                true => trial,
                false => {
                    trial.with_ignored_flag(true).with_kind(format!("needs {}", missing.join(", ")))
                }
            });
        };
        let (file, found) = (program.clone(), tools.clone());
        let nvcc = if tools.nvcc().is_some() { Vec::new() } else { vec!["nvcc".to_owned()] };
        // That a program is C++ is shown by what executes it; that it is CUDA too, by turns.
        if index % 2 == 1 || all_flavours() {
            add("nvcc", nvcc, Box::new(move || accepted_by_nvcc(&file, &found)));
        }
        let file = program.clone();
        if !ports_alone(&program) {
            add("original", Vec::new(), Box::new(move || original(&file)));
        }
        let file = program.clone();
        add("hip::executed", Vec::new(), Box::new(move || executed_as_hip(&file)));
        // The programs take turns: what differs between header sets is what a port calls, and every
        // name of CUDA that is known is compiled with each set, in the tests of the compatibility
        // header; and every kernel of `kernels/` is.
        let headers = HEADERS[index % HEADERS.len()];
        let (file, found) = (program.clone(), tools.clone());
        add(
            &format!("hip::compiled::{}", headers.name()),
            tools.missing_for_hip(headers),
            Box::new(move || compiled_as_hip(&file, &found, headers)),
        );
        // `port exec` runs the others, as users build them.
        if index % 2 == 0 || all_flavours() {
            let file = program.clone();
            add("cpu::sanitized", Vec::new(), Box::new(move || sanitized(&file)));
        }
    }
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

type Test = Box<dyn FnOnce() -> Result<(), Failed> + Send>;

fn programs() -> Vec<PathBuf> {
    let folder = workspace().join("fixtures/programs");
    let entries = std::fs::read_dir(&folder).expect("fixtures/programs is readable").flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cu"))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "fixtures/programs holds no program");
    found
}

/// A program with inline PTX says that no host compiler assembles it: `// oracle: ports alone`.
fn ports_alone(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line.starts_with("// oracle: ports alone"))
}

/// A program says what nvcc needs beyond the usual in a line `// nvcc: --extended-lambda`.
fn accepted_by_nvcc(path: &Path, tools: &Tools) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let own = text.lines().find_map(|line| line.strip_prefix("// nvcc: ")).unwrap_or("");
    let mut extra: Vec<&str> = own.split_whitespace().collect();
    extra.extend(["-Werror", "all-warnings", "-Xcompiler", "-Wall,-Wextra"]);
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("program.ptx");
    tools
        .compile_cuda(path, "sm_80", &[], &extra, &output)
        .map_err(|failure| Failed::from(failure.output))
}

/// A program that passed says so in its output and by its status.
fn passed(result: &ProgramResult) -> Result<(), Failed> {
    if result.status == Some(0) && result.stdout.lines().any(|line| line.starts_with("PASS")) {
        return Ok(());
    }
    let ProgramResult { status, stdout, stderr, .. } = result;
    Err(format!("status {status:?}\n{stdout}{stderr}").into())
}

fn options(warp: u32) -> RunOptions {
    RunOptions { warp, time_limit: Duration::from_secs(20), ..RunOptions::default() }
}

fn original(path: &Path) -> Result<(), Failed> {
    let (sources, root) = load(path);
    let source = originals::source(&sources, root);
    let program = originals::oracle()?.build_program(&source).map_err(|error| error.to_string())?;
    let result = program.run(&[], &options(32)).map_err(|error| error.to_string())?;
    if let Some(note) = result.notes.first() {
        return Err(format!("{note:?}").into());
    }
    passed(&result)
}

struct Port {
    sources: SourceMap,
    root: FileId,
    translation: Translation,
}

/// The port of a program, in which no kernel is left to a person and nothing is wrong.
fn port(path: &Path, target: &str) -> Result<Port, Failed> {
    let (sources, root) = load(path);
    let target: Target = target.parse().map_err(|error| format!("{error:?}"))?;
    let mut translations = port::translate(&sources, root, &[target], &Options::default());
    let translation = translations.pop().ok_or("no translation")?;
    let ported = &translation.ported;
    if let Some(error) = ported.diagnostics.iter().find(|d| d.severity == Severity::Error) {
        return Err(human::render(&sources, error, human::Options::default()).into());
    }
    if let Some(kernel) = ported.kernels.iter().find(|kernel| kernel.status == Status::Manual) {
        return Err(format!("{} is manual", kernel.name).into());
    }
    if ported.kernels.is_empty() {
        return Err("the port has no kernel".into());
    }
    Ok(Port { sources, root, translation })
}

impl Port {
    /// The outputs with their paths in a folder that mirrors the workspace; the root's first.
    fn files(&self) -> Vec<(PathBuf, &str)> {
        let extension = self.translation.target.backend.extension();
        let root = PathBuf::from(&*self.sources.file(self.root).path).with_extension(extension);
        let place = |role| match role {
            FileRole::Root => root.clone(),
            FileRole::Header(id) => PathBuf::from(&*self.sources.file(id).path),
            FileRole::Generated(name) => root.with_file_name(name),
        };
        let files = self.translation.ported.files.iter();
        files.map(|file| (place(file.role), &*file.text)).collect()
    }

    fn source(&self, language: Language) -> Result<Source, Failed> {
        let mut files = self.files().into_iter();
        let (root, text) = files.next().ok_or("the port has no root")?;
        let source = Source::new(language, &root.to_string_lossy(), text);
        Ok(files
            .fold(source, |source, (path, text)| source.with_file(&path.to_string_lossy(), text)))
    }
}

/// On the oracle, on waves of 64 lanes.
fn executed_as_hip(path: &Path) -> Result<(), Failed> {
    let source = port(path, "hip")?.source(Language::Hip)?;
    let program = originals::oracle()?.build_program(&source).map_err(|error| error.to_string())?;
    passed(&program.run(&[], &options(64)).map_err(|error| error.to_string())?)
}

/// By the real compiler, for the host and for a chip.
fn compiled_as_hip(path: &Path, tools: &Tools, headers: HipHeaders) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let port = port(path, "hip")?;
    let files = port.files();
    for (path, text) in &files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        std::fs::write(path, text)?;
    }
    let root = files.first().ok_or("the port has no root")?;
    let job = HipJob {
        source: &folder.path().join(&root.0),
        architecture: "gfx90a",
        headers,
        stage: HipStage::Check,
        include_folders: &[],
        extra: &["-Werror=return-type"],
        output: None,
        precompiled: None,
    };
    tools.compile_hip(&job).map_err(|failure| Failed::from(failure.output))?;
    Ok(())
}

/// On the processor, with every access and every operation checked.
fn sanitized(path: &Path) -> Result<(), Failed> {
    let source = port(path, "cpu")?.source(Language::Cpu)?;
    let compiler = compiler(Flavour::Sanitized).map_err(|error| error.to_string())?;
    let program = compiler.build_program(&source).map_err(|error| error.to_string())?;
    passed(&program.run(&[], &options(32)).map_err(|error| error.to_string())?)
}
