//! Running ports for the processor: the emitted files as they are, with a driver for a spec, compiled
//! as users compile them and run in a child process with limits.
//!
//! A driver includes the port's root and calls its kernels the way the port writes a launch. Buffers
//! are plain memory of exactly their size, so that a sanitizer sees what reads or writes past them.
//! The C++ side is `cpu/`.
//!
//! The driver's own code is compiled once for a flavour. Most of a build would be the header of a port:
//! half a second to parse it, and as much for the functions that run threads and launches. So all
//! flavours but one have it precompiled, and these functions compiled once.

#![allow(clippy::disallowed_methods, reason = "compiling is what this module is for")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::oracle::build::{self, Digest, Environment};
use crate::oracle::{Executable, Language, OracleError, Program, Source, driver};
use crate::spec::Spec;
use crate::toolchain::find_program;

/// The driver's own code.
const DRIVER_CODE: &str = include_str!("../cpu/driver.cpp");

/// The driver's headers, with what it shares with the oracle's.
const DRIVER: [(&str, &str); 4] = [
    ("port_check_call.hpp", include_str!("../cpu/call.hpp")),
    ("port_check_driver.hpp", include_str!("../cpu/driver.hpp")),
    ("port_check_arguments.inc", include_str!("../oracle/include/port_oracle/arguments.inc")),
    ("port_check_plan.inc", include_str!("../oracle/include/port_oracle/plan.inc")),
];

/// The header that a port includes.
const HEADER: &str = "port_cpu.hpp";

/// How a port is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flavour {
    /// `g++ -O2`, on one thread.
    Gnu,
    /// `g++ -O3 -march=native -fopenmp`.
    GnuNative,
    /// `clang++ -O2`, on one thread.
    Clang,
    /// AddressSanitizer and UndefinedBehaviorSanitizer, `-O0`: they see most there, and it compiles twice
    /// as fast as `-O1`. By clang where it has their libraries, which compiles them in half of g++'s time.
    Sanitized,
}

impl Flavour {
    /// Every flavour.
    pub const ALL: [Flavour; 4] =
        [Flavour::Gnu, Flavour::GnuNative, Flavour::Clang, Flavour::Sanitized];

    /// As tests and reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Flavour::Gnu => "gnu",
            Flavour::GnuNative => "gnu-native",
            Flavour::Clang => "clang",
            Flavour::Sanitized => "sanitized",
        }
    }

    fn compilers(self) -> &'static [&'static str] {
        match self {
            Flavour::Clang => &["clang++", "clang++-19"],
            Flavour::Sanitized => &["clang++", "clang++-19", "g++"],
            _ => &["g++"],
        }
    }

    /// Whether a compiler can build in this flavour: libraries of sanitizers are installed apart.
    fn is_served_by(self, compiler: &Path) -> bool {
        static SERVED: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());
        if self != Flavour::Sanitized {
            return true;
        }
        let try_it = || {
            let folder = tempfile::tempdir()?;
            fs::write(folder.path().join("empty.cpp"), "int main() {}\n")?;
            let mut command = Command::new(compiler);
            command.current_dir(folder.path()).args(self.flags()).args([
                "empty.cpp",
                "-o",
                "empty",
            ]);
            std::io::Result::Ok(command.stdin(Stdio::null()).output()?.status.success())
        };
        let mut served = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
        *served.entry(compiler.to_owned()).or_insert_with(|| try_it().unwrap_or(false))
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Flavour::Gnu | Flavour::Clang => &["-O2"],
            Flavour::GnuNative => &["-O3", "-march=native", "-fopenmp"],
            Flavour::Sanitized => &[
                "-O0",
                "-g1",
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=all",
                "-fno-omit-frame-pointer",
                "-DPORT_CHECK_SANITIZED",
            ],
        }
    }
}

/// Three threads on any machine; those that wait let others run.
const ENVIRONMENT: Environment = &[
    ("OMP_NUM_THREADS", "3"),
    ("OMP_WAIT_POLICY", "passive"),
    // A program may ask for more memory than there is, and look what it gets.
    ("ASAN_OPTIONS", "allocator_may_return_null=1"),
    ("UBSAN_OPTIONS", "print_stacktrace=1"),
];

/// A compiler of ports in one flavour.
#[derive(Clone, Debug)]
pub struct Compiler {
    flavour: Flavour,
    path: PathBuf,
    is_clang: bool,
    /// What it is: its version, and what `-march=native` means on this machine.
    identity: String,
    cache: PathBuf,
    /// What stands for the header of each port.
    header: Option<String>,
}

impl Compiler {
    /// Finds the flavour's compiler.
    pub fn new(flavour: Flavour) -> Result<Compiler, OracleError> {
        let names = flavour.compilers();
        let mut found = names.iter().filter_map(|name| find_program(name));
        let Some(path) = found.find(|path| flavour.is_served_by(path)) else {
            return Err(OracleError::NoCompiler { tried: names.join(", ") });
        };
        let version = Command::new(&path).arg("--version").output()?;
        let mut identity = String::from_utf8_lossy(&version.stdout).into_owned();
        let is_clang = identity.contains("clang");
        if flavour == Flavour::GnuNative {
            identity += &native_target(&path);
        }
        let cache = build::cache_folder();
        fs::create_dir_all(&cache)?;
        let cache = fs::canonicalize(cache)?;
        Ok(Compiler { flavour, path, is_clang, identity, cache, header: None })
    }

    /// For many ports: `header`, which is compiled once, stands for the own header of each port that has no
    /// line besides.
    pub fn with_header(self, header: &str) -> Compiler {
        Compiler { header: Some(header.to_owned()), ..self }
    }

    /// Compiles a port (its root first, then every other file) with a driver for a spec.
    pub fn build(&self, source: &Source, spec: &Spec) -> Result<Executable, OracleError> {
        let unit = driver::translation_unit(source, Some(spec), &driver::CPU);
        let path = self.compile(source, Some(&unit))?;
        Ok(Executable { path, wide: None, replacements: Vec::new(), environment: ENVIRONMENT })
    }

    /// Compiles a port that has its own `main`.
    pub fn build_program(&self, source: &Source) -> Result<Program, OracleError> {
        let path = self.compile(source, None)?;
        Ok(Program { path, replacements: Vec::new(), environment: ENVIRONMENT })
    }

    /// Without a unit, the root itself is compiled.
    fn compile(&self, source: &Source, unit: Option<&str>) -> Result<PathBuf, OracleError> {
        let mut digest = self.digest();
        digest.add(unit.unwrap_or("").as_bytes());
        digest.add(format!("{DRIVER:?} {DRIVER_CODE} {source:?} {:?}", self.header).as_bytes());
        let executable = self.cache.join(digest.name());
        if executable.is_file() && source.include_directories.is_empty() {
            return Ok(executable);
        }

        let folder = tempfile::Builder::new().prefix("build-").tempdir_in(&self.cache)?;
        let text = folder.path().join("text");
        let root = source.files.first().map(|(path, _)| build::inside(path)).unwrap_or_default();
        let header = root.with_file_name(HEADER);
        let prefix = self.prefix(source, &header, unit.is_some())?;
        for (path, content) in &source.files {
            let path = build::inside(path);
            // Files in other folders may name the header by way of the root's.
            let forward = prefix.as_ref().filter(|_| path == header);
            let forward = forward.map(|of| format!("#include \"{}/{HEADER}\"\n", of.display()));
            let content = forward.as_deref().unwrap_or(content);
            build::write(&text.join(path), content.as_bytes())?;
        }
        let main = match unit {
            None => root,
            Some(unit) => {
                for (name, content) in DRIVER.iter().filter(|_| prefix.is_none()) {
                    build::write(&text.join(name), content.as_bytes())?;
                }
                let name = "port_check_unit.cpp";
                build::write(&text.join(name), unit.as_bytes())?;
                PathBuf::from(name)
            }
        };
        let mut command = self.command();
        command.current_dir(&text);
        if let Some(prefix) = &prefix {
            command.arg("-I").arg(prefix);
            match self.is_clang {
                true => command.arg("-include-pch").arg(prefix.join(PRECOMPILED)),
                false => command.arg("-include").arg(prefix.join(PREFIX)),
            };
        }
        for (name, value) in &source.defines {
            command.arg(format!("-D{name}={value}"));
        }
        for directory in &source.include_directories {
            let absolute = fs::canonicalize(directory).unwrap_or_else(|_| directory.clone());
            command.arg("-I").arg(absolute);
        }
        command.arg(main);
        command.args(prefix.map(|prefix| prefix.join(FUNCTIONS).with_extension("o")));
        if unit.is_some() {
            command.arg(self.driver()?);
        }
        command.arg("-o").arg(folder.path().join("program"));
        build::run_compiler(command, Language::Cpu)?;
        fs::rename(folder.path().join("program"), &executable)?;
        Ok(executable)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.stdin(Stdio::null()).args(COMMON_FLAGS).args(self.flavour.flags());
        command
    }

    /// Of the compiler and its flags.
    fn digest(&self) -> Digest {
        let mut digest = Digest::new();
        digest.add(self.path.to_string_lossy().as_bytes());
        digest.add(self.identity.as_bytes());
        digest.add(format!("{COMMON_FLAGS:?} {:?}", self.flavour.flags()).as_bytes());
        digest
    }

    /// The driver's code as an object.
    fn driver(&self) -> Result<PathBuf, OracleError> {
        let mut digest = self.digest();
        digest.add(format!("{DRIVER:?} {DRIVER_CODE}").as_bytes());
        let object = self.cache.join(format!("driver-{}.o", digest.name()));
        build::making(&object, || {
            if object.is_file() {
                return Ok(());
            }
            let folder = tempfile::Builder::new().prefix("build-").tempdir_in(&self.cache)?;
            for (name, content) in DRIVER.iter().chain(&[("port_check_driver.cpp", DRIVER_CODE)]) {
                fs::write(folder.path().join(name), content)?;
            }
            let mut command = self.command();
            command.current_dir(folder.path());
            command.args(["-c", "port_check_driver.cpp", "-o", "driver.o"]);
            build::run_compiler(command, Language::Cpu)?;
            Ok::<_, OracleError>(fs::rename(folder.path().join("driver.o"), &object)?)
        })?;
        Ok(object)
    }

    /// A folder with the port's header, and the driver, precompiled, and with the object of the header's
    /// functions. `None` where the text is to be compiled as it is: in one flavour, unless a header for
    /// all ports was given, so that a port is proven to include what it needs, and where macros could
    /// change the header.
    fn prefix(
        &self,
        source: &Source,
        header: &Path,
        with_driver: bool,
    ) -> Result<Option<PathBuf>, OracleError> {
        let text = source.files.iter().find(|(path, _)| build::inside(path) == header);
        let Some((_, text)) = text else { return Ok(None) };
        let shared = self.header.as_deref().filter(|shared| has_lines(shared, text));
        let as_it_is = self.flavour == Flavour::Gnu && shared.is_none();
        if as_it_is || !source.defines.is_empty() {
            return Ok(None);
        }
        let text = shared.unwrap_or(text);
        let (declarations, functions) = (declarations(text), format!("#define {ONCE}\n{text}"));
        let mut files = vec![(HEADER, declarations.as_str()), (FUNCTIONS, &functions)];
        let mut prefix = format!("#include \"{HEADER}\"\n");
        // A header for all ports serves programs with their own `main` too.
        if with_driver || shared.is_some() {
            files.extend(DRIVER);
            prefix += &format!("#include \"{}\"\n", DRIVER[0].0);
        }
        files.push((PREFIX, &prefix));

        let mut digest = self.digest();
        digest.add(format!("{files:?}").as_bytes());
        let folder = self.cache.join(format!("prefix-{}", digest.name()));
        build::making(&folder, || match folder.join(PRECOMPILED).is_file() {
            true => Ok(()),
            false => self.precompile(&folder, &files),
        })?;
        Ok(Some(folder))
    }

    /// Makes the folder of `prefix`: what it holds, the object, and the precompiled header at last.
    fn precompile(&self, folder: &Path, files: &[(&str, &str)]) -> Result<(), OracleError> {
        // Compilers note where headers are and when they were written, so that these are written in
        // place and never again, whatever other processes do.
        fs::create_dir_all(folder)?;
        let own = tempfile::Builder::new().prefix("making-").tempdir_in(folder)?;
        for (name, content) in files {
            fs::write(own.path().join(name), content)?;
            match fs::hard_link(own.path().join(name), folder.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        let object = Path::new(FUNCTIONS).with_extension("o");
        let mut functions = self.command();
        functions.current_dir(folder).args(["-c", FUNCTIONS, "-o"]).arg(own.path().join(&object));
        let mut header = self.command();
        header.current_dir(folder).args(["-x", "c++-header"]);
        header.arg(folder.join(PREFIX)).arg("-o").arg(own.path().join(PRECOMPILED));
        build::run_compilers(vec![header, functions], Language::Cpu)?;
        fs::rename(own.path().join(&object), folder.join(&object))?;
        fs::rename(own.path().join(PRECOMPILED), folder.join(PRECOMPILED))?;
        Ok(())
    }
}

/// Whether a text has all lines of another, comments apart.
fn has_lines(text: &str, other: &str) -> bool {
    let lines: BTreeSet<&str> = text.lines().collect();
    other.lines().all(|line| line.starts_with("//") || lines.contains(line))
}

/// The header with no more than the declarations of the functions that it marks as compiled once. They
/// begin at a brace and end at one that stands alone in its line.
fn declarations(header: &str) -> String {
    const END: &str = "\n}\n";
    let mut text = String::with_capacity(header.len());
    let mut rest = header;
    while let Some(place) = rest.find(&format!("{ONCE} ")) {
        let (before, marked) = rest.split_at(place);
        text.push_str(before);
        let marked = &marked[ONCE.len() + 1..];
        let body = marked.find('{').zip(marked.find(END)).filter(|(start, end)| start < end);
        rest = match body.filter(|_| !before.ends_with("#define ")) {
            Some((start, end)) => {
                text.push_str(marked[..start].trim_end());
                text.push_str(";\n");
                &marked[end + END.len()..]
            }
            None => {
                text.push_str(ONCE);
                text.push(' ');
                marked
            }
        };
    }
    text.push_str(rest);
    text
}

/// What every build has.
const COMMON_FLAGS: [&str; 4] = ["-std=c++17", "-w", "-I", "."];

/// What a header calls the functions that are to be compiled once: `inline`, where nobody says else.
const ONCE: &str = "PORT_CPU_ONCE";

/// The file that defines them.
const FUNCTIONS: &str = "port_check_functions.cpp";

/// The file that stands before a port's text, and its compiled form, where g++ looks for it.
const PREFIX: &str = "port_check_prefix.hpp";
const PRECOMPILED: &str = "port_check_prefix.hpp.gch";

/// What `-march=native` means on this machine.
fn native_target(compiler: &Path) -> String {
    let asked = Command::new(compiler).args(["-march=native", "-Q", "--help=target"]).output();
    asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_marked_functions_are_left_out() {
        let header = "#define PORT_CPU_ONCE inline\n\
            inline int kept() {\n    return 1;\n}\n\
            [[noreturn]] PORT_CPU_ONCE void left_out(int x,\n                 int y = 2) {\n\
            \x20   if (x) {\n    }\n}\nint last;\n";
        let expected = "#define PORT_CPU_ONCE inline\n\
            inline int kept() {\n    return 1;\n}\n\
            [[noreturn]] void left_out(int x,\n                 int y = 2);\nint last;\n";
        assert_eq!(declarations(header), expected);
        // What is not as it should be stays as it is.
        for text in ["PORT_CPU_ONCE int x;\n", "PORT_CPU_ONCE ", "PORT_CPU_ONCE int f() {\n"] {
            assert_eq!(declarations(text), text);
        }
    }
}
