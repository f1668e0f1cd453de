//! Running: executables as child processes with limits; results and the runtime's report read back.

#![allow(clippy::disallowed_methods, reason = "running is what this module is for")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::build::{Executable, Program};
use super::{OracleError, RunOptions, driver};
use crate::spec::Case;
use crate::tensor::Tensor;

/// Whether the system ended the process because its processor time was used up.
fn is_out_of_time(status: ExitStatus) -> bool {
    /// On Linux and BSD.
    const SIGXCPU: i32 = 24;
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    signal == Some(SIGXCPU)
}

/// What a run gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunResult {
    /// The final contents of the buffers and symbols marked `out`, in the order of the spec.
    pub outputs: Vec<(String, Tensor)>,
    /// What the kernels printed.
    pub stdout: String,
    /// What is no error but may matter.
    pub notes: Vec<Note>,
}

impl RunResult {
    /// The final contents of a buffer or symbol marked `out`.
    pub fn output(&self, name: &str) -> Option<&Tensor> {
        self.outputs.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor)
    }
}

/// Something that the runtime noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `undefined-shuffle` …
    pub kind: String,
    /// How often.
    pub count: u64,
    /// The first occurrence.
    pub message: String,
}

/// What a whole program gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramResult {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// What the runtime noticed.
    pub notes: Vec<Note>,
}

impl Executable {
    /// Runs the launches of a case.
    pub fn run(&self, case: &Case, options: &RunOptions) -> Result<RunResult, OracleError> {
        let folder = tempfile::tempdir()?;
        let finished = self.start(folder.path(), case, options)?;
        finished.check(options)?;
        self.results(folder.path(), case, finished)
    }

    /// Runs the launches in a folder.
    pub(crate) fn start(
        &self,
        folder: &Path,
        case: &Case,
        options: &RunOptions,
    ) -> Result<Finished, OracleError> {
        let (plan, data) = driver::plan(case);
        fs::write(folder.join("data"), data)?;
        fs::write(folder.join("plan"), plan)?;
        let path = match &self.wide {
            Some(wide) if options.warp == 64 => wide,
            _ => &self.path,
        };
        let started = Started {
            program: path,
            arguments: &["plan"],
            folder,
            directory: Some(folder),
            environment: self.environment.to_vec(),
        };
        run_process(&started, options)
    }

    /// What a run in a folder gave.
    pub(crate) fn results(
        &self,
        folder: &Path,
        case: &Case,
        finished: Finished,
    ) -> Result<RunResult, OracleError> {
        let bytes = fs::read(folder.join("results"))?;
        let mut rest = bytes.as_slice();
        let mut outputs = Vec::new();
        for buffer in driver::outputs(case) {
            let initial = &buffer.tensor;
            let tensor = rest
                .split_at_checked(initial.bytes().len())
                .and_then(|(own, tail)| {
                    rest = tail;
                    Tensor::from_bytes(initial.dtype(), initial.shape(), own.to_vec())
                })
                .ok_or_else(|| OracleError::Io("the results are too short".into()))?;
            outputs.push((buffer.name.clone(), tensor));
        }
        Ok(RunResult { outputs, stdout: finished.stdout, notes: finished.notes })
    }
}

impl Program {
    /// Runs the program. An error that the runtime reports is an error; the program's own status is
    /// not.
    pub fn run(
        &self,
        arguments: &[&str],
        options: &RunOptions,
    ) -> Result<ProgramResult, OracleError> {
        let folder = tempfile::tempdir()?;
        run_program(&self.path, arguments, folder.path(), self.environment, options)
    }
}

/// Runs a program whose output goes to a folder.
pub(crate) fn run_program<T: AsRef<str>>(
    program: &Path,
    arguments: &[&str],
    folder: &Path,
    environment: &[(&str, T)],
    options: &RunOptions,
) -> Result<ProgramResult, OracleError> {
    let environment = environment.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let started = Started { program, arguments, folder, directory: None, environment };
    let finished = run_process(&started, options)?;
    if let Some(error) = finished.error {
        return Err(error);
    }
    Ok(ProgramResult {
        status: finished.status.code(),
        stdout: finished.stdout,
        stderr: finished.stderr,
        notes: finished.notes,
    })
}

/// A process that has ended.
pub(crate) struct Finished {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    notes: Vec<Note>,
    error: Option<OracleError>,
}

impl Finished {
    /// The exit status; `None` when a signal ended it.
    pub(crate) fn status(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether it came to its end.
    pub(crate) fn check(&self, options: &RunOptions) -> Result<(), OracleError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if self.status.success() {
            return Ok(());
        }
        let memory = format!(" (memory limit: {} bytes)", options.memory_limit);
        Err(OracleError::Run {
            kind: "crash".into(),
            message: format!("the process ended with {}{memory}: {}", self.status, self.stderr),
        })
    }
}

/// What a process is started with.
struct Started<'a> {
    program: &'a Path,
    arguments: &'a [&'a str],
    /// Where its output goes.
    folder: &'a Path,
    /// Where it runs; the current folder without one.
    directory: Option<&'a Path>,
    environment: Vec<(&'a str, &'a str)>,
}

fn run_process(started: &Started<'_>, options: &RunOptions) -> Result<Finished, OracleError> {
    let Started { program, arguments, folder, directory, ref environment } = *started;
    let [stdout, stderr, report] = ["stdout", "stderr", "report"].map(|name| folder.join(name));
    // Processor time passes on every core at once.
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let seconds = (options.time_limit.as_secs() + 2).saturating_mul(cores);
    let mut command = Command::new(program);
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    let mut child = command
        .args(arguments)
        .envs(environment.iter().copied())
        .env("PORT_ORACLE_WARP", options.warp.to_string())
        .env("PORT_ORACLE_ORDER", options.order.setting())
        .env("PORT_ORACLE_BLOCKS", options.blocks.setting())
        .env("PORT_ORACLE_REPORT", &report)
        .env("PORT_ORACLE_MILLISECONDS", options.time_limit.as_millis().max(1).to_string())
        .env("PORT_ORACLE_SECONDS", seconds.to_string())
        .env("PORT_ORACLE_BYTES", options.memory_limit.to_string())
        .stdin(Stdio::null())
        .stdout(File::create(&stdout)?)
        .stderr(File::create(&stderr)?)
        .spawn()?;
    // The process ends itself at its limit and says where it was; this is for one that cannot.
    let deadline = Instant::now() + options.time_limit + Duration::from_secs(2);
    let mut pause = Duration::from_micros(200);
    let (status, timed_out) = loop {
        if let Some(status) = child.try_wait()? {
            break (status, false);
        }
        if Instant::now() >= deadline {
            child.kill()?;
            break (child.wait()?, true);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    };
    let read =
        |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let report = read(&report).unwrap_or_default();
    let (notes, mut error) = read_report(&report);
    if (timed_out || is_out_of_time(status)) && error.is_none() {
        let message = format!("no end after {} s", options.time_limit.as_secs_f64());
        error = Some(OracleError::Run { kind: "time-limit".into(), message });
    }
    let stderr = read(&stderr)?;
    if let Some(OracleError::Run { kind, message }) = &mut error {
        // `assert` says what failed on standard error.
        if let ("abort", Some(line)) = (kind.as_str(), stderr.lines().last()) {
            message.push_str(": ");
            message.push_str(line);
        }
    }
    Ok(Finished { status, stdout: read(&stdout)?, stderr, notes, error })
}

/// The runtime's report: lines of fields between tabs.
fn read_report(report: &str) -> (Vec<Note>, Option<OracleError>) {
    let (mut notes, mut error) = (Vec::new(), None);
    for line in report.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["note", kind, count, ref message @ ..] => notes.push(Note {
                kind: kind.into(),
                count: count.parse().unwrap_or(1),
                message: message.join(" "),
            }),
            ["error", kind, ref message @ ..] => {
                error.get_or_insert(OracleError::Run {
                    kind: kind.into(),
                    message: message.join(" "),
                });
            }
            _ => {}
        }
    }
    (notes, error)
}
