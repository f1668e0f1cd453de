//! Running Ascend C on the processor: the text as it is, compiled with the system's C++ compiler
//! against the model of the Ascend C API in `ascend/`, and run in a child process with limits.
//!
//! The model shares nothing with the back end: it is written from the API's documentation, takes any
//! Ascend C, and enforces the chip's rules ([`Violation`]). What g++ cannot read is a launch,
//! `k<<<blocks, nullptr, stream>>>(x)`, and shared memory of the 950's threads; these are replaced
//! lexically ([`scan`]), and each replacement is reported. The threads are the fiber runtime's.
//!
//! A port's launchers (`launch_k<float>(grid, block, shared, stream, …)`) are called by a driver for a
//! spec, as [`crate::cpu`] does it.

#![allow(clippy::disallowed_methods, reason = "compiling and running is what this module is for")]

mod assets;
mod headers;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::oracle::build::{self, Digest};
use crate::oracle::scan::{self, Launches, Replacement};
use crate::oracle::{
    Language, Oracle, OracleError, ProgramResult, RunOptions, RunResult, Source, driver, execute,
};
use crate::spec::{Case, Spec};
use crate::toolchain::Toolchain;

pub use headers::{HeaderError, Headers};
pub use report::{KernelLaunch, Violation, read as read_report};

/// The driver's own code, shared with the driver of CPU ports.
const DRIVER_CODE: &str = include_str!("../../cpu/driver.cpp");

/// The driver's headers.
const DRIVER: [(&str, &str); 4] = [
    ("port_check_ascend_call.hpp", include_str!("../../cpu/ascend_call.hpp")),
    ("port_check_driver.hpp", include_str!("../../cpu/driver.hpp")),
    ("port_check_arguments.inc", include_str!("../../oracle/include/port_oracle/arguments.inc")),
    ("port_check_plan.inc", include_str!("../../oracle/include/port_oracle/plan.inc")),
];

/// Flags of every build. The chip's scalar unit and vector instructions round each operation once.
const FLAGS: [&str; 7] =
    ["-std=c++17", "-ffp-contract=off", "-fno-strict-aliasing", "-fwrapv", "-w", "-I", "."];

/// Of texts: compiling takes far longer than running, and half as long without optimisation. Indices
/// beyond an array are rules of the model.
const TEXT_FLAGS: &str = "-O0";
const BOUNDS_FLAG: &str = "-fsanitize=bounds-strict";
const CLANG_BOUNDS_FLAG: &str = "-fsanitize=bounds";

/// Of texts that call the model before each access.
const WATCH_FLAG: &str = "-fsanitize=thread";

/// The header of the 950's threads.
const THREADS_HEADER: &str = "simt_api/asc_simt.h";

/// The part of the runtime that is compiled last.
const LAST_MADE: &str = "driver/driver.o";

/// The exit status of a program that broke a rule of the chip.
const VIOLATED: i32 = 87;

/// The variable of the environment that names the file of a run's report.
pub const REPORT_VARIABLE: &str = "PORT_ASCEND_REPORT";

/// The variable that says how many AI cores the chip has.
const CORES_VARIABLE: &str = "PORT_ASCEND_CORES";

/// Where the model writes its report, in the folder of a run.
const REPORT: &str = "ascend-report.json";

/// The file that stands before every text, and its compiled form, where g++ looks for it.
const PREFIX: &str = "port_check_ascend.hpp";
const PRECOMPILED: &str = "port_check_ascend.hpp.gch";

/// What that file holds for texts of tiles, and for texts of threads.
const TILES_PREFIX: &str = "#include \"acl/acl.h\"\n#include \"kernel_operator.h\"\n";
const THREADS_PREFIX: &str = "#include \"acl/acl.h\"\n#include \"simt_api/asc_simt.h\"\n";

/// A compiler with the model.
#[derive(Clone, Debug)]
pub struct Model {
    compiler: PathBuf,
    is_clang: bool,
    cache: PathBuf,
    /// The folder of the model's headers and objects.
    runtime: PathBuf,
    /// Whether texts call the model before each access of memory.
    watches: bool,
    /// What runs the threads of the 950, for the first text that has some.
    fibers: OnceLock<Oracle>,
}

/// A text with a driver for a spec, compiled.
#[derive(Clone, Debug)]
pub struct Executable {
    inner: crate::oracle::Executable,
}

/// A program with a `main` of its own, compiled.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    replacements: Vec<Replacement>,
}

/// What a run gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AscendResult<T> {
    /// The results.
    pub result: T,
    /// Rules of the chip that the run broke, in the order of their first occurrence.
    pub violations: Vec<Violation>,
    /// Each launch of a kernel with what it cost.
    pub launches: Vec<KernelLaunch>,
    /// Of all instructions with where they read and write and what they read, without mere reads of the
    /// scalar unit: two runs with the same did the same to memory.
    pub digest: String,
}

impl Model {
    /// The system's C++ compiler, with the model compiled into the user's cache folder.
    pub fn new(toolchain: &Toolchain) -> Result<Model, OracleError> {
        let Some(compiler) = toolchain.cxx.clone() else {
            return Err(OracleError::NoCompiler { tried: "CXX, g++, c++, clang++".into() });
        };
        let cache = build::cache_folder();
        fs::create_dir_all(&cache)?;
        let cache = fs::canonicalize(cache)?;
        let version = Command::new(&compiler).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let mut digest = Digest::new();
        digest.add(compiler.to_string_lossy().as_bytes());
        digest.add(
            format!("{version} {FLAGS:?} {TEXT_FLAGS} {BOUNDS_FLAG} {DRIVER:?} {DRIVER_CODE}")
                .as_bytes(),
        );
        for (path, text) in assets::FILES {
            digest.add(path.as_bytes());
            digest.add(text.as_bytes());
        }
        let runtime = cache.join(format!("ascend-{}", digest.name()));
        let is_clang = version.contains("clang");
        let fibers = OnceLock::new();
        let model = Model { compiler, is_clang, cache, runtime, watches: false, fibers };
        build::making(&model.runtime, || match model.is_made() {
            true => Ok(()),
            false => model.make_runtime(),
        })?;
        Ok(model)
    }

    /// Whether all of the runtime is there: who empties the cache while a build runs may leave a part.
    fn is_made(&self) -> bool {
        self.runtime.join(LAST_MADE).is_file() && self.include().join("acl/acl.h").is_file()
    }

    /// The folder of the model's headers.
    pub fn include(&self) -> PathBuf {
        self.runtime.join("include")
    }

    fn make_runtime(&self) -> Result<(), OracleError> {
        let folder = tempfile::Builder::new().prefix("ascend-").tempdir_in(&self.cache)?;
        for (path, text) in assets::FILES {
            build::write(&folder.path().join(path), text.as_bytes())?;
        }
        for (name, text) in DRIVER.iter().chain(&[("driver.cpp", DRIVER_CODE)]) {
            build::write(&folder.path().join("driver").join(name), text.as_bytes())?;
        }
        let mut sources: Vec<PathBuf> = assets::FILES
            .iter()
            .filter(|(path, _)| path.starts_with("src/") && path.ends_with(".cpp"))
            .map(|(path, _)| folder.path().join(path))
            .collect();
        sources.push(folder.path().join("driver/driver.cpp"));
        let part = |source: PathBuf| {
            let mut command = self.command();
            command.arg("-O2").arg("-I").arg(folder.path().join("include"));
            command.arg("-I").arg(folder.path().join("driver"));
            command.arg("-c").arg(&source).arg("-o").arg(source.with_extension("o"));
            command
        };
        build::run_compilers(sources.into_iter().map(part).collect(), Language::Ascend)?;
        let folder = folder.keep();
        if fs::rename(&folder, &self.runtime).is_err() {
            if !self.is_made() {
                // What is left of an earlier one.
                let _ = fs::remove_dir_all(&self.runtime);
                let _ = fs::rename(&folder, &self.runtime);
            }
            // Another process was faster.
            let _ = fs::remove_dir_all(&folder);
        }
        Ok(())
    }

    fn fibers(&self) -> Result<&Oracle, OracleError> {
        if let Some(known) = self.fibers.get() {
            return Ok(known);
        }
        let made = Oracle::new(&Toolchain { cxx: Some(self.compiler.clone()) })?;
        Ok(self.fibers.get_or_init(|| made))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.compiler);
        command.stdin(Stdio::null()).args(FLAGS);
        command
    }

    /// Compiles a port (its root first) with a driver for a spec. Kernels of the spec are named as in
    /// the CUDA text.
    pub fn build(&self, source: &Source, spec: &Spec) -> Result<Executable, OracleError> {
        let mut spec = spec.clone();
        for launch in &mut spec.launches {
            launch.kernel = launcher(&launch.kernel);
        }
        let (files, replacements) = rewrite(source);
        let unit = driver::translation_unit(source, Some(&spec), &driver::ASCEND);
        let path = self.compile(source, &files, Some(&unit))?;
        let environment = &[(REPORT_VARIABLE, REPORT)];
        let inner = crate::oracle::Executable { path, wide: None, replacements, environment };
        Ok(Executable { inner })
    }

    /// The assembly of a port with a driver, optimised: two texts of the same do the same.
    pub fn optimised(&self, source: &Source, spec: &Spec) -> Result<Vec<u8>, OracleError> {
        let mut spec = spec.clone();
        for launch in &mut spec.launches {
            launch.kernel = launcher(&launch.kernel);
        }
        let (files, _) = rewrite(source);
        let unit = driver::translation_unit(source, Some(&spec), &driver::ASCEND);
        let folder = tempfile::Builder::new().prefix("build-").tempdir_in(&self.cache)?;
        let (mut command, _) = self.text(source, &files, Some(&unit), folder.path())?;
        command.args(["-O2", "-S", "-o"]).arg(folder.path().join("text.s"));
        build::run_compiler(command, Language::Ascend)?;
        Ok(fs::read(folder.path().join("text.s"))?)
    }

    /// As [`Model::build`]; accesses through raw pointers to global memory are part of a run's digest.
    pub fn build_watched(&self, source: &Source, spec: &Spec) -> Result<Executable, OracleError> {
        let model = Model { watches: true, ..self.clone() };
        model.build(source, spec)
    }

    /// As [`Model::build`]; the accesses of a text of threads are watched, so that threads that meet in
    /// shared memory without a barrier between them break a rule.
    pub fn build_watching_threads(
        &self,
        source: &Source,
        spec: &Spec,
    ) -> Result<Executable, OracleError> {
        match has_threads(&source.files) {
            true => self.build_watched(source, spec),
            false => self.build(source, spec),
        }
    }

    /// Compiles a program.
    pub fn build_program(&self, source: &Source) -> Result<Program, OracleError> {
        let (files, replacements) = rewrite(source);
        let path = self.compile(source, &files, None)?;
        Ok(Program { path, replacements })
    }

    /// Without a unit, the root itself is compiled.
    fn compile(
        &self,
        source: &Source,
        files: &[(String, String)],
        unit: Option<&str>,
    ) -> Result<PathBuf, OracleError> {
        let mut digest = Digest::new();
        digest.add(self.runtime.to_string_lossy().as_bytes());
        digest.add(unit.unwrap_or("").as_bytes());
        digest.add(&[u8::from(self.watches)]);
        digest.add(format!("{source:?} {files:?}").as_bytes());
        let executable = self.cache.join(digest.name());
        if executable.is_file() && source.include_directories.is_empty() {
            return Ok(executable);
        }
        let folder = tempfile::Builder::new().prefix("build-").tempdir_in(&self.cache)?;
        let (mut command, fibers) = self.text(source, files, unit, folder.path())?;
        let objects = self.objects(unit.is_some());
        let object = folder.path().join("text.o");
        if self.watches {
            command.arg(WATCH_FLAG);
        }
        command.arg("-c").arg("-o").arg(&object);
        build::run_compiler(command, Language::Ascend)?;
        match fibers {
            Some(fibers) => fibers.link(folder.path(), &objects, Language::Ascend)?,
            None => {
                let mut command = self.command();
                command.arg(object).args(objects).args(["-lm", "-lpthread", "-o"]);
                command.arg(folder.path().join("program"));
                build::run_compiler(command, Language::Ascend)?;
            }
        }
        fs::rename(folder.path().join("program"), &executable)?;
        Ok(executable)
    }

    /// Writes the files of a text into a folder; the command that compiles it, and what runs its threads
    /// where it has some.
    fn text(
        &self,
        source: &Source,
        files: &[(String, String)],
        unit: Option<&str>,
        folder: &Path,
    ) -> Result<(Command, Option<&Oracle>), OracleError> {
        let text = folder.join("text");
        for (path, content) in files {
            build::write(&text.join(build::inside(path)), content.as_bytes())?;
        }
        let root = files.first().map(|(path, _)| build::inside(path)).unwrap_or_default();
        let main = match unit {
            None => root,
            Some(unit) => {
                let name = PathBuf::from("port_check_unit.cpp");
                build::write(&text.join(&name), unit.as_bytes())?;
                name
            }
        };
        // Threads of the 950 are run by the fiber runtime.
        let fibers = has_threads(files).then(|| self.fibers()).transpose()?;
        // What is precompiled has no such calls.
        let prefix = if self.watches { None } else { self.prefix(fibers)? };
        let mut command = self.text_command(fibers);
        command.current_dir(&text).arg("-Wno-narrowing");
        if let Some(prefix) = prefix {
            command.arg("-include").arg(prefix);
        }
        for (name, value) in &source.defines {
            command.arg(format!("-D{name}={value}"));
        }
        for directory in &source.include_directories {
            let absolute = fs::canonicalize(directory).unwrap_or_else(|_| directory.clone());
            command.arg("-I").arg(absolute);
        }
        command.arg("-I").arg(self.runtime.join("driver"));
        command.args(["-x", "c++"]).arg(main);
        Ok((command, fibers))
    }

    fn objects(&self, with_driver: bool) -> Vec<PathBuf> {
        let own = assets::FILES.iter().map(|(path, _)| Path::new(*path));
        let own =
            own.filter(|path| path.starts_with("src") && path.extension() == Some("cpp".as_ref()));
        let mut objects: Vec<PathBuf> =
            own.map(|path| self.runtime.join(path.with_extension("o"))).collect();
        if with_driver {
            objects.push(self.runtime.join("driver/driver.o"));
        }
        objects
    }

    /// The command of a text, of threads where they have a runtime.
    fn text_command(&self, fibers: Option<&Oracle>) -> Command {
        let mut command = self.command();
        if let Some(fibers) = fibers {
            command.args(fibers.flags()).arg("-isystem").arg(fibers.include());
        }
        let bounds = if self.is_clang { CLANG_BOUNDS_FLAG } else { BOUNDS_FLAG };
        command.arg(TEXT_FLAGS).arg(bounds).arg("-isystem").arg(self.include());
        command
    }

    /// A file that holds the model's headers, precompiled: parsing them takes most of a build.
    fn prefix(&self, fibers: Option<&Oracle>) -> Result<Option<PathBuf>, OracleError> {
        if self.is_clang {
            return Ok(None);
        }
        let (name, text) = match fibers {
            Some(_) => ("prefix-threads", THREADS_PREFIX),
            None => ("prefix", TILES_PREFIX),
        };
        let folder = self.runtime.join(name);
        build::making(&folder, || match folder.join(PRECOMPILED).is_file() {
            true => Ok(()),
            false => self.precompile(&folder, text, fibers),
        })?;
        Ok(Some(folder.join(PREFIX)))
    }

    fn precompile(
        &self,
        folder: &Path,
        text: &str,
        fibers: Option<&Oracle>,
    ) -> Result<(), OracleError> {
        fs::create_dir_all(folder)?;
        let own = tempfile::Builder::new().prefix("making-").tempdir_in(folder)?;
        fs::write(own.path().join(PREFIX), text)?;
        // Compilers note where headers are and when they were written.
        match fs::hard_link(own.path().join(PREFIX), folder.join(PREFIX)) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error.into());
            }
            _ => {}
        }
        let mut command = self.text_command(fibers);
        command.current_dir(folder).args(["-x", "c++-header"]).arg(folder.join(PREFIX));
        command.arg("-o").arg(own.path().join(PRECOMPILED));
        build::run_compiler(command, Language::Ascend)?;
        fs::rename(own.path().join(PRECOMPILED), folder.join(PRECOMPILED))?;
        Ok(())
    }
}

impl Executable {
    /// The same for a chip of one AI core: each of its vector cores has many parts of the work, and
    /// finds in its memory what the part before has left.
    pub fn on_one_core(&self) -> Executable {
        let mut inner = self.inner.clone();
        inner.environment = &[(REPORT_VARIABLE, REPORT), (CORES_VARIABLE, "1")];
        Executable { inner }
    }

    /// Runs the launches of a case.
    pub fn run(
        &self,
        case: &Case,
        options: &RunOptions,
    ) -> Result<AscendResult<RunResult>, OracleError> {
        let folder = tempfile::tempdir()?;
        let finished = self.inner.start(folder.path(), case, options)?;
        let AscendResult { result: (), violations, launches, digest } =
            read_report(&folder.path().join(REPORT))?;
        let result = if finished.status() == Some(VIOLATED) {
            // What the rules are about may have stopped it before it wrote results.
            self.inner.results(folder.path(), case, finished).unwrap_or_default()
        } else {
            finished.check(options)?;
            self.inner.results(folder.path(), case, finished)?
        };
        Ok(AscendResult { result, violations, launches, digest })
    }

    /// What was replaced in the text.
    pub fn replacements(&self) -> &[Replacement] {
        self.inner.replacements()
    }
}

impl Program {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was replaced in the text.
    pub fn replacements(&self) -> &[Replacement] {
        &self.replacements
    }

    /// Runs the program.
    pub fn run(
        &self,
        arguments: &[&str],
        options: &RunOptions,
    ) -> Result<AscendResult<ProgramResult>, OracleError> {
        let folder = tempfile::tempdir()?;
        let report = folder.path().join(REPORT);
        let variable = [(REPORT_VARIABLE, report.to_string_lossy().into_owned())];
        let result =
            execute::run_program(&self.path, arguments, folder.path(), &variable, options)?;
        let AscendResult { result: (), violations, launches, digest } = read_report(&report)?;
        Ok(AscendResult { result, violations, launches, digest })
    }
}

/// Whether a text has threads of the 950, which the fiber runtime runs.
fn has_threads(files: &[(String, String)]) -> bool {
    files.iter().any(|(_, text)| text.contains(THREADS_HEADER))
}

/// Replaces launches in every file.
fn rewrite(source: &Source) -> (Vec<(String, String)>, Vec<Replacement>) {
    let mut replacements = Vec::new();
    let rewritten = source.files.iter().map(|(path, text)| {
        let (text, found) = scan::rewrite(path, text, Launches::Ascend);
        replacements.extend(found);
        (path.clone(), text)
    });
    (rewritten.collect(), replacements)
}

/// The launcher of a kernel: `ns::launch_k<float>` for `ns::k<float>`.
pub fn launcher(kernel: &str) -> String {
    let name = &kernel[..kernel.find('<').unwrap_or(kernel.len())];
    let start = name.rfind("::").map_or(0, |at| at + 2);
    format!("{}launch_{}", &kernel[..start], &kernel[start..])
}

#[cfg(test)]
mod tests {
    use super::launcher;

    #[test]
    fn launchers_have_the_names_that_ports_give_them() {
        assert_eq!(launcher("k"), "launch_k");
        assert_eq!(launcher("ns::k<a::b<float>, 4>"), "ns::launch_k<a::b<float>, 4>");
        assert_eq!(launcher("::k<float>"), "::launch_k<float>");
    }
}
