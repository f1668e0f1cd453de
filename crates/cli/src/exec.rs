//! `port exec`: ports a whole program, compiles it with the system's C++ compiler and runs it; a port to
//! Ascend on a model of the chip.
//!
//! The program's input, output and exit status are passed on; what goes wrong on our side is 125.

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use port::{FileRole, Severity, Status, Target, Translation};
use port_check::ascend;
use port_check::oracle::{Language, OracleError, Source};
use port_check::toolchain::Toolchain;
use port_diag::render::human;
use serde_json::{Value, json};

use crate::arguments::{CommonArguments, ExecArguments, MessageFormat};
use crate::layout::{Destination, Placing};
use crate::load::{self, Input, Unit};
use crate::pipeline::Ported;
use crate::report::{self, Reported};
use crate::{layout, pipeline, print, print_error, text};

/// The exit status when the program did not run: as `env` and `timeout` do, so that it can be told
/// from most programs' own.
const FAILED: u8 = 125;

/// What every compilation is given. CUDA code reads memory through other types than it was written
/// with, and its integers wrap; its compiler takes neither for a mistake. Warnings are about the
/// user's code, which nvcc has seen.
const FLAGS: [&str; 5] = ["-std=c++17", "-O2", "-fno-strict-aliasing", "-fwrapv", "-w"];

/// The compilers looked for where `CXX` is not set.
const COMPILERS: [&str; 3] = ["g++", "clang++", "c++"];

/// Runs the command; the exit status.
pub fn run(arguments: &ExecArguments, common: &CommonArguments) -> Result<u8, String> {
    let mut said = Vec::new();
    let outcome = attempt(arguments, common, &mut said);
    if common.message_format == MessageFormat::Json {
        let mut document = report::document(&said, &[]);
        match &outcome {
            Ok(Run { status, output: Some(output) }) => {
                document["program"] = json!({
                    "status": status,
                    "stdout": String::from_utf8_lossy(&output.stdout),
                    "stderr": String::from_utf8_lossy(&output.stderr),
                });
            }
            Ok(_) => {}
            Err(message) => document["error"] = Value::from(message.as_str()),
        }
        print(&report::pretty(&document)?)?;
    }
    match outcome {
        Ok(Run { status, .. }) => Ok(status),
        Err(message) => {
            print_error(&format!("port: {message}\n"));
            Ok(FAILED)
        }
    }
}

/// A program that has ended.
struct Run {
    status: u8,
    /// What it printed, where it was not passed on.
    output: Option<Output>,
}

/// `said` takes what is to be reported in JSON.
fn attempt(
    arguments: &ExecArguments,
    common: &CommonArguments,
    said: &mut Vec<Reported>,
) -> Result<Run, String> {
    if !matches!(common.message_format, MessageFormat::Human | MessageFormat::Json) {
        return Err("`exec` reports as `human` or `json`".to_owned());
    }
    let name = arguments.target.backend.name();
    if !["cpu", "ascend"].contains(&name) {
        return Err(format!(
            "`exec` runs on this machine's processor (`cpu`) or a model (`ascend`); `{name}` is neither"
        ));
    }
    let kept = arguments.keep.as_deref().map(empty_folder).transpose()?;
    let input = Input { path: arguments.input.clone(), folder: None };
    let unit = load::load(&input, &arguments.reading.include).map_err(|error| error.to_string())?;
    let options = pipeline::options(&arguments.reading, None);
    let targets = [arguments.target];
    let translations = pipeline::translate(&unit, &targets, &options);
    let ported = Ported { unit, translations };
    let [translation] = &ported.translations[..] else {
        return Err("the port has no result; this is a defect of port".to_owned());
    };
    if common.message_format == MessageFormat::Human {
        show_findings(&ported.unit, translation, common);
    }
    let program = emitted(&ported.unit, translation, &targets, arguments)?;
    let manual = manual_kernels(translation);
    let has_errors = ported.has_errors();
    said.push(Reported { name: input.name(), result: Ok(ported), outputs: vec![Vec::new()] });
    if !manual.is_empty() && !arguments.allow_manual {
        return Err(format!(
            "not run: {} cannot be ported ({}). `--allow-manual` runs the rest; calling such a kernel then ends the program",
            if manual.len() == 1 { "a kernel" } else { "some kernels" },
            manual.join(", ")
        ));
    }

    let temporary = tempfile::Builder::new()
        .prefix("port-exec-")
        .tempdir()
        .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let folder = kept.unwrap_or_else(|| temporary.path().to_owned());
    for (path, bytes) in &program.files {
        write(&folder.join(path), bytes)?;
    }
    let on_model = name == "ascend";
    let compiled = match on_model {
        true => compile_for_model(&program, arguments),
        false => Compiler::find()?.compile(&folder, &program, arguments),
    };
    let executable = match compiled {
        Ok(path) => path,
        Err(Failure::Start(message)) => return Err(message),
        Err(Failure::Rejected(output)) => {
            print_error(&output);
            let folder = if arguments.keep.is_some() { folder } else { temporary.keep() };
            let reason = if has_errors {
                "it has the errors that port reports above"
            } else if ["No such file", "file not found"].iter().any(|words| output.contains(words))
            {
                "a header is not found; `-I` says where to look"
            } else {
                "if nvcc takes the program with the same `-I` and `-D`, this is a defect of port: please report it with the program"
            };
            return Err(format!(
                "the C++ compiler rejects the port, which is in {}: {reason}",
                folder.display()
            ));
        }
    };
    let report = temporary.path().join("ascend-report.json");
    let mut command = Command::new(&executable);
    command.args(&arguments.arguments);
    if on_model {
        command.env(ascend::REPORT_VARIABLE, &report);
    }
    let started = |error: std::io::Error| format!("cannot run the program: {error}");
    if common.message_format == MessageFormat::Json {
        let output = command.stdin(Stdio::inherit()).output().map_err(started)?;
        let status = status(output.status);
        return if_rules_hold(&report, Run { status, output: Some(output) });
    }
    let ended = command.status().map_err(started)?;
    if_rules_hold(&report, Run { status: status(ended), output: None })
}

/// A run in which the chip's rules were kept. What breaks them is a defect of the port, whatever the
/// program made of its results; the model said so on standard error.
fn if_rules_hold(report: &Path, run: Run) -> Result<Run, String> {
    let cost = ascend::read_report(report).map_err(|error| error.to_string())?;
    match cost.violations.first() {
        None => Ok(run),
        Some(first) => Err(format!(
            "the port breaks a rule of the chip: {first}; this is a defect of port: please report it with the program"
        )),
    }
}

/// Compiles a port to Ascend against the model.
fn compile_for_model(program: &Emitted, arguments: &ExecArguments) -> Result<PathBuf, Failure> {
    let start = |error: &dyn std::fmt::Display| Failure::Start(error.to_string());
    let text = |(path, bytes): &(PathBuf, Vec<u8>)| {
        (path.to_string_lossy().into_owned(), String::from_utf8_lossy(bytes).into_owned())
    };
    let mut files: Vec<(String, String)> = program.files.iter().map(text).collect();
    let root = program.root.to_string_lossy();
    files.sort_by_key(|(path, _)| *path != root);
    let mut source = Source::new(Language::Ascend, "", "");
    source.files = files;
    source.include_directories = program.include.clone();
    for define in &arguments.reading.define {
        let (name, value) = define.split_once('=').unwrap_or((define, "1"));
        source = source.with_define(name, value);
    }
    if arguments.allow_manual {
        source = source.with_define("PORT_ALLOW_MANUAL", "1");
    }
    let model = ascend::Model::new(&Toolchain::discover()).map_err(|error| start(&error))?;
    match model.build_program(&source) {
        Ok(program) => Ok(program.path().to_owned()),
        Err(OracleError::Compile { output, .. }) => Err(Failure::Rejected(output)),
        Err(error) => Err(start(&error)),
    }
}

/// A folder to keep the port in: nothing in it is overwritten.
fn empty_folder(path: &Path) -> Result<PathBuf, String> {
    let failed = |reason: String| format!("--keep {}: {reason}", path.display());
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return Err(failed("the folder is not empty; nothing was written".to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error.to_string())),
    }
    fs::create_dir_all(path).map_err(|error| failed(error.to_string()))?;
    // The compiler runs in this folder, the program where the user is.
    fs::canonicalize(path).map_err(|error| failed(error.to_string()))
}

fn show_findings(unit: &Unit, translation: &Translation, common: &CommonArguments) {
    let lowest = match (common.quiet, common.verbose) {
        (true, _) => Severity::Error,
        (_, true) => Severity::Note,
        _ => Severity::Warning,
    };
    let color = report::colored(common, std::io::stderr().is_terminal());
    let mut out = String::new();
    let shown = translation.ported.diagnostics.iter().filter(|d| d.severity >= lowest);
    for diagnostic in shown {
        out.push_str(&human::render(&unit.sources, diagnostic, human::Options { color }));
        out.push('\n');
    }
    if common.verbose {
        for kernel in &translation.ported.kernels {
            out.push_str(&format!(
                "{:<16} {}{}\n",
                kernel.status.as_str(),
                kernel.name,
                kernel.instance
            ));
        }
    }
    print_error(&text::shown(&out));
}

/// The kernels that have no form on the target, each once.
fn manual_kernels(translation: &Translation) -> Vec<String> {
    let all = translation.ported.kernels.iter().filter(|kernel| kernel.status == Status::Manual);
    let mut names: Vec<String> = all.map(|kernel| format!("`{}`", kernel.name)).collect();
    names.dedup();
    names
}

/// The text of a program.
struct Emitted {
    /// Paths below the folder of the program.
    files: Vec<(PathBuf, Vec<u8>)>,
    root: PathBuf,
    /// Folders to look for headers in: those of the port, below its folder, before the user's own.
    include: Vec<PathBuf>,
}

/// Every file of the unit below one folder: ports in the places of what they are ports of, headers
/// that stay as they are beside them.
fn emitted(
    unit: &Unit,
    translation: &Translation,
    targets: &[Target],
    arguments: &ExecArguments,
) -> Result<Emitted, String> {
    let current = std::env::current_dir()
        .map(|folder| load::slashed(&folder))
        .map_err(|error| format!("cannot tell the current folder: {error}"))?;
    let spelled = |file| layout::absolute(&unit.sources.file(file).path, &current);
    let folders: Vec<String> = arguments
        .reading
        .include
        .iter()
        .map(|folder| layout::absolute(&load::slashed(folder), &current))
        .collect();
    // The folders given by `-I` keep their places too.
    let members = folders.iter().map(|folder| format!("{folder}/"));
    let paths: Vec<String> = unit.sources.ids().map(spelled).chain(members).collect();
    let base = layout::common_folder(paths.iter().map(String::as_str));

    let here = PathBuf::new();
    let placing = Placing {
        destination: &Destination::Folder(here.clone()),
        targets,
        shared: false,
        base: &base,
        current: &current,
        taken: &|_, _| false,
    };
    let name = |file| unit.sources.file(file).path.to_string();
    let real = |file| unit.real_path(file);
    let placed = placing.place(translation, unit.root, &name, &real)?;
    let mut files: Vec<(PathBuf, Vec<u8>)> = placed
        .into_iter()
        .map(|placed| (placed.path, text::encode(placed.text, unit.raw)))
        .collect();
    let root = files.first().map(|(path, _)| path.clone()).ok_or("the port has no root")?;
    let ported = |file| {
        let role = FileRole::Header(file);
        file == unit.root || translation.ported.files.iter().any(|output| output.role == role)
    };
    for file in unit.sources.ids().filter(|file| !ported(*file)) {
        let path = layout::mirrored(&spelled(file), &unit.real_path(file), &base, &here);
        files.push((path, text::encode(&unit.sources.file(file).text, unit.raw)));
    }
    let inside = folders.iter().filter_map(|folder| folder.strip_prefix(&base));
    let mut include: Vec<PathBuf> =
        inside.map(|rest| Path::new(".").join(rest.trim_start_matches('/'))).collect();
    include.extend(folders.iter().map(PathBuf::from));
    Ok(Emitted { files, root, include })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// The system's C++ compiler: a program and the flags that `CXX` and `CXXFLAGS` give it.
struct Compiler {
    program: OsString,
    flags: Vec<String>,
}

/// Why there is no executable.
enum Failure {
    /// The compiler did not start.
    Start(String),
    /// The compiler rejects the text: what it said.
    Rejected(String),
}

impl Compiler {
    fn find() -> Result<Compiler, String> {
        let words = |name: &str| -> Vec<String> {
            let value = std::env::var(name).unwrap_or_default();
            value.split_whitespace().map(str::to_owned).collect()
        };
        let more = words("CXXFLAGS");
        // `CXX="ccache g++"` is a program with an argument.
        if let Some((program, flags)) = words("CXX").split_first() {
            let flags = flags.iter().cloned().chain(more).collect();
            return Ok(Compiler { program: OsString::from(program), flags });
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let found = COMPILERS
            .iter()
            .find(|name| folders.iter().any(|folder| folder.join(name).is_file()))
            .ok_or_else(|| {
                format!(
                    "no C++ compiler: none of {} is on the path; install g++ or clang, or set CXX",
                    COMPILERS.join(", ")
                )
            })?;
        Ok(Compiler { program: OsString::from(found), flags: more })
    }

    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// Compiles the program in its folder, with OpenMP where the compiler has it.
    fn compile(
        &self,
        folder: &Path,
        program: &Emitted,
        arguments: &ExecArguments,
    ) -> Result<PathBuf, Failure> {
        let executable = folder.join("port-program");
        let attempt = |parallel: &str| {
            let mut command = Command::new(&self.program);
            command.current_dir(folder).stdin(Stdio::null()).args(FLAGS).arg(parallel);
            command.args(["-I", "."]);
            for folder in &program.include {
                command.arg("-I").arg(folder);
            }
            for define in &arguments.reading.define {
                command.arg(format!("-D{define}"));
            }
            if arguments.allow_manual {
                command.arg("-DPORT_ALLOW_MANUAL");
            }
            command.args(&self.flags).arg(&program.root).arg("-o").arg(&executable);
            command.output().map_err(|error| {
                Failure::Start(format!("cannot run the compiler {}: {error}", self.name()))
            })
        };
        let first = attempt("-fopenmp")?;
        if first.status.success() {
            return Ok(executable);
        }
        let said = said(&first);
        // Without OpenMP's library or header there is one thread.
        if ["omp", "OpenMP"].iter().any(|word| said.contains(word)) {
            let second = attempt("-pthread")?;
            if second.status.success() {
                return Ok(executable);
            }
            return Err(Failure::Rejected(self::said(&second)));
        }
        Err(Failure::Rejected(said))
    }
}

/// What a compiler printed.
fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The exit status as shells give it: 128 and the signal's number for a program that a signal ended.
fn status(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(signal) = status.signal() {
            print_error(&format!("port: the program was ended by signal {signal}\n"));
            return u8::try_from(128 + signal).unwrap_or(FAILED);
        }
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)
}
