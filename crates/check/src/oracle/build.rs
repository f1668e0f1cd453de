//! Compiling: text and driver to an executable, once per content.
//!
//! The runtime is compiled once for a compiler; a text compiles to an object, whose undefined
//! thread-local symbols (its `extern __shared__` arrays) are then all defined at the address of the
//! dynamic shared memory, and linked. Executables are kept in a cache folder under the hash of
//! everything that went into them.

#![allow(clippy::disallowed_methods, reason = "compiling is what this module is for")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::scan::{self, Launches, Replacement};
use super::{Language, OracleError, Source, assets, driver, elf};
use crate::spec::Spec;
use crate::toolchain::Toolchain;

/// Bytes that `extern __shared__` arrays may have: what the largest GPUs give a block, and a margin
/// in which writes past the end are seen.
const SHARED_CAPACITY: usize = 228 * 1024;

/// Most executables that are kept.
const CACHE_ENTRIES: usize = 600;

/// The files of the runtime that every program is linked with.
const RUNTIME_PARTS: &[&str] = &["runtime", "memory", "process", "shared"];

/// Flags of every compilation: no contraction, no assumption that the text's casts break, frame
/// pointers and no duplicated or merged code, because calls are told apart by return addresses.
const FLAGS: &[&str] = &[
    "-std=gnu++17",
    "-O1",
    "-ffp-contract=off",
    "-fno-strict-aliasing",
    "-fwrapv",
    "-fno-omit-frame-pointer",
    "-fno-optimize-sibling-calls",
    "-ftrivial-auto-var-init=pattern",
];

/// Flags that g++ alone knows.
const GNU_FLAGS: &[&str] =
    &["-fno-extern-tls-init", "-fno-reorder-blocks", "-fno-thread-jumps", "-fno-crossjumping"];

/// Flags that clang alone knows, to the same end.
const CLANG_FLAGS: &[&str] = &[
    "-fno-unroll-loops",
    "-mllvm",
    "-simplifycfg-sink-common=false",
    "-mllvm",
    "-simplifycfg-hoist-common=false",
    "-mllvm",
    "-enable-tail-merge=false",
];

/// Macros that nvcc and hipcc define.
const CUDA_DEFINES: &[&str] = &[
    "__CUDACC__=1",
    "__NVCC__=1",
    "__CUDACC_VER_MAJOR__=12",
    "__CUDACC_VER_MINOR__=4",
    "__CUDACC_EXTENDED_LAMBDA__=1",
    "__CUDACC_RELAXED_CONSTEXPR__=1",
];
const HIP_DEFINES: &[&str] = &[
    "__HIP__=1",
    "__HIPCC__=1",
    "__HIP_PLATFORM_AMD__=1",
    "__HIP_PLATFORM_HCC__=1",
    "__HIP_DEVICE_COMPILE__=1",
    "__AMDGCN__=1",
    "USE_ROCM=1",
];

/// A compiler with the compiled runtime.
#[derive(Clone, Debug)]
pub struct Oracle {
    compiler: PathBuf,
    is_clang: bool,
    cache: PathBuf,
    runtime: PathBuf,
}

/// A compiled text with a driver for a spec.
#[derive(Clone, Debug)]
pub struct Executable {
    pub(crate) path: PathBuf,
    /// For waves of 64, when the text needs the width as a constant.
    pub(crate) wide: Option<PathBuf>,
    pub(crate) replacements: Vec<Replacement>,
    pub(crate) environment: Environment,
}

/// Variables of the environment in which an executable runs, beyond the runner's own.
pub(crate) type Environment = &'static [(&'static str, &'static str)];

/// A compiled program with a `main` of its own.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) path: PathBuf,
    pub(crate) replacements: Vec<Replacement>,
    pub(crate) environment: Environment,
}

impl Executable {
    /// What was replaced in the text.
    pub fn replacements(&self) -> &[Replacement] {
        &self.replacements
    }
}

impl Program {
    /// What was replaced in the text.
    pub fn replacements(&self) -> &[Replacement] {
        &self.replacements
    }
}

/// 128 bits of FNV-1a over parts, each ended by its length.
pub(crate) struct Digest(u128);

impl Digest {
    pub(crate) fn new() -> Digest {
        Digest(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    pub(crate) fn add(&mut self, part: &[u8]) {
        for byte in part.iter().chain(&(part.len() as u64).to_le_bytes()) {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{:032x}", self.0)
    }
}

/// Where executables are kept.
pub(crate) fn cache_folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    variable("PORT_ORACLE_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("port/oracle")))
        .or_else(|| variable("HOME").map(|folder| folder.join(".cache/port/oracle")))
        .unwrap_or_else(|| std::env::temp_dir().join("port-oracle"))
}

impl Oracle {
    /// Compiles the runtime with the toolchain's C++ compiler, into the user's cache folder
    /// (`PORT_ORACLE_CACHE`, else `port/oracle` in `XDG_CACHE_HOME` or `~/.cache`).
    pub fn new(toolchain: &Toolchain) -> Result<Oracle, OracleError> {
        Oracle::with_cache(toolchain, &cache_folder())
    }

    /// The same, with the cache folder given.
    pub fn with_cache(toolchain: &Toolchain, cache: &Path) -> Result<Oracle, OracleError> {
        let Some(compiler) = toolchain.cxx.clone() else {
            return Err(OracleError::NoCompiler { tried: "CXX, g++, c++, clang++".into() });
        };
        // Programs run in folders of their own.
        fs::create_dir_all(cache)?;
        let cache = &fs::canonicalize(cache)?;
        let version = Command::new(&compiler).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let mut digest = Digest::new();
        digest.add(compiler.to_string_lossy().as_bytes());
        digest.add(version.as_bytes());
        digest.add(
            format!("{FLAGS:?} {GNU_FLAGS:?} {CLANG_FLAGS:?} {CUDA_DEFINES:?} {HIP_DEFINES:?}")
                .as_bytes(),
        );
        digest.add(&SHARED_CAPACITY.to_le_bytes());
        for (path, text) in assets::FILES {
            digest.add(path.as_bytes());
            digest.add(text.as_bytes());
        }
        let runtime = cache.join(format!("runtime-{}", digest.name()));
        let oracle = Oracle {
            is_clang: version.contains("clang"),
            compiler,
            cache: cache.to_path_buf(),
            runtime,
        };
        making(&oracle.runtime, || match oracle.runtime.is_dir() {
            true => Ok(()),
            false => oracle.compile_runtime(),
        })?;
        oracle.prune();
        Ok(oracle)
    }

    /// Writes and compiles the runtime in a folder of its own, then moves it into place: other
    /// processes see all of it or nothing.
    fn compile_runtime(&self) -> Result<(), OracleError> {
        let folder = tempfile::Builder::new().prefix("runtime-").tempdir_in(&self.cache)?;
        for (path, text) in assets::FILES {
            write(&folder.path().join(path), text.as_bytes())?;
        }
        let part = |name: &&str| {
            let mut command = self.command();
            command
                .arg("-O2")
                .arg("-I")
                .arg(folder.path().join("include"))
                .arg("-c")
                .arg(folder.path().join(format!("src/{name}.cpp")))
                .arg("-o")
                .arg(folder.path().join(format!("{name}.o")));
            command
        };
        let parts = RUNTIME_PARTS.iter().chain(&["driver"]).map(part).collect();
        run_compilers(parts, Language::Cuda)?;
        let folder = folder.keep();
        if fs::rename(&folder, &self.runtime).is_err() {
            // Another process was faster.
            let _ = fs::remove_dir_all(&folder);
        }
        Ok(())
    }

    /// Removes the oldest executables when there are many.
    fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.cache) else { return };
        let mut found: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .filter(|(_, path)| *path != self.runtime)
            .collect();
        if found.len() <= CACHE_ENTRIES {
            return;
        }
        found.sort();
        for (_, path) in &found[..found.len() - CACHE_ENTRIES / 2] {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.compiler);
        command.args(self.flags()).stdin(Stdio::null());
        command
    }

    /// Compiles a text with a driver for the launches of a spec.
    pub fn build(&self, source: &Source, spec: &Spec) -> Result<Executable, OracleError> {
        let (rewritten, replacements) = rewrite(source);
        let unit = driver::translation_unit(source, Some(spec), &driver::ORACLE);
        match self.compile(source, &rewritten, &unit, true, None) {
            Ok(path) => Ok(Executable { path, wide: None, replacements, environment: &[] }),
            // ROCm 5 and 6 have the wave's width as a constant; a text that needs that is compiled
            // once for each width.
            Err(error) if source.language == Language::Hip => {
                let widths = [32, 64].map(|width| {
                    self.compile(source, &rewritten, &unit, true, Some(width)).map_err(|_| ())
                });
                let [Ok(path), Ok(wide)] = widths else { return Err(error) };
                Ok(Executable { path, wide: Some(wide), replacements, environment: &[] })
            }
            Err(error) => Err(error),
        }
    }

    /// Compiles a program that has its own `main`.
    pub fn build_program(&self, source: &Source) -> Result<Program, OracleError> {
        let (rewritten, replacements) = rewrite(source);
        let unit = driver::translation_unit(source, None, &driver::ORACLE);
        let path = self.compile(source, &rewritten, &unit, false, None)?;
        Ok(Program { path, replacements, environment: &[] })
    }

    fn compile(
        &self,
        source: &Source,
        files: &[(String, String)],
        unit: &str,
        with_driver: bool,
        width: Option<u32>,
    ) -> Result<PathBuf, OracleError> {
        let mut digest = Digest::new();
        digest.add(self.runtime.to_string_lossy().as_bytes());
        digest.add(format!("{source:?} {width:?} {with_driver}").as_bytes());
        digest.add(unit.as_bytes());
        let executable = self.cache.join(digest.name());
        // A header outside the given files may have changed since: such texts are not cached.
        if executable.is_file() && source.include_directories.is_empty() {
            return Ok(executable);
        }

        let folder = tempfile::Builder::new().prefix("build-").tempdir_in(&self.cache)?;
        let root = folder.path();
        for (path, text) in files {
            write(&root.join("text").join(inside(path)), text.as_bytes())?;
        }
        write(&root.join("text/port_oracle_unit.cpp"), unit.as_bytes())?;

        let mut command = self.command();
        // Paths in messages are then the user's.
        command.current_dir(root.join("text")).args(["-w", "-Wno-narrowing", "-iquote", "."]);
        let (dialect, defines) = match source.language {
            Language::Cuda => ("cuda", CUDA_DEFINES),
            Language::Hip => ("rocm", HIP_DEFINES),
            Language::Cpu | Language::Ascend => {
                let what = "ports without CUDA's names are compiled by modules of their own";
                return Err(OracleError::Io(what.into()));
            }
        };
        for define in defines {
            command.arg(format!("-D{define}"));
        }
        if source.language == Language::Cuda
            && !source.defines.iter().any(|(name, _)| name == "__CUDA_ARCH__")
        {
            command.arg("-D__CUDA_ARCH__=800");
        }
        for (name, value) in &source.defines {
            command.arg(format!("-D{name}={value}"));
        }
        if let Some(width) = width {
            command.arg(format!("-DPORT_ORACLE_WARP={width}"));
        }
        for directory in &source.include_directories {
            let absolute = fs::canonicalize(directory).unwrap_or_else(|_| directory.clone());
            command.arg("-I").arg(absolute);
        }
        let include = self.include();
        command.arg("-I").arg(".").arg("-isystem").arg(include.join(dialect));
        command.arg("-isystem").arg(&include);
        if source.language == Language::Cuda {
            command.args(["-include", "cuda_runtime.h"]);
        }
        command.args(["-c", "port_oracle_unit.cpp", "-o"]).arg(root.join("text.o"));
        run_compiler(command, source.language)?;

        let driver = with_driver.then(|| self.runtime.join("driver.o"));
        self.link(root, driver.as_slice(), source.language)?;
        fs::rename(root.join("program"), &executable)?;
        Ok(executable)
    }

    /// The folder of the runtime's headers.
    pub(crate) fn include(&self) -> PathBuf {
        self.runtime.join("include")
    }

    /// Flags for texts whose threads the runtime runs.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static str> {
        let own = if self.is_clang { CLANG_FLAGS } else { GNU_FLAGS };
        FLAGS.iter().chain(own).copied()
    }

    /// Links `text.o` of a folder with further objects and the runtime to `program` in that folder.
    pub(crate) fn link(
        &self,
        root: &Path,
        objects: &[PathBuf],
        language: Language,
    ) -> Result<(), OracleError> {
        let object = fs::read(root.join("text.o"))?;
        let arrays = elf::undefined_thread_locals(&object)
            .ok_or_else(|| OracleError::Io("the compiler's object file is not ELF".into()))?;
        write(&root.join("shared.s"), shared_assembly(&arrays).as_bytes())?;
        let mut link = Command::new(&self.compiler);
        link.stdin(Stdio::null()).arg(root.join("text.o")).arg(root.join("shared.s"));
        link.args(objects);
        for part in RUNTIME_PARTS {
            link.arg(self.runtime.join(format!("{part}.o")));
        }
        link.args(["-lm", "-lpthread", "-o"]).arg(root.join("program"));
        run_compiler(link, language)
    }
}

/// The path of a file below the build folder: absolute and parent parts are dropped.
pub(crate) fn inside(path: &str) -> PathBuf {
    Path::new(path)
        .components()
        .filter(|part| matches!(part, std::path::Component::Normal(_)))
        .collect()
}

fn rewrite(source: &Source) -> (Vec<(String, String)>, Vec<Replacement>) {
    let mut replacements = Vec::new();
    let files = source
        .files
        .iter()
        .map(|(path, text)| {
            let (text, found) = scan::rewrite(path, text, Launches::Fibers);
            replacements.extend(found);
            (path.clone(), text)
        })
        .collect();
    (files, replacements)
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

pub(crate) fn run_compiler(mut command: Command, language: Language) -> Result<(), OracleError> {
    let result = command.env("LC_ALL", "C").output()?;
    if result.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&result.stderr).into_owned();
    Err(OracleError::Compile { language, output })
}

/// Makes what many builds need at `place`: other threads that need it wait, those that make something
/// else do not.
pub(crate) fn making<T>(place: &Path, make: impl FnOnce() -> T) -> T {
    static PLACES: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());
    let place = {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        places.entry(place.to_owned()).or_default().clone()
    };
    let _making = place.lock().unwrap_or_else(PoisonError::into_inner);
    make()
}

/// Runs compilers, as many at once as the machine has processors; the first failure in their order.
pub(crate) fn run_compilers(commands: Vec<Command>, language: Language) -> Result<(), OracleError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(commands.len());
    let waiting = Mutex::new(commands.into_iter().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let failures = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, command)) = next() {
                    if let Err(error) = run_compiler(command, language) {
                        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                        failures.insert(index, error);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.into_values().next().map_or(Ok(()), Err)
}

/// Defines every `extern __shared__` array, and the runtime's name, at the same address.
fn shared_assembly(arrays: &[String]) -> String {
    let mut text = String::from(".section .tbss,\"awT\",%nobits\n.balign 1024\n");
    let own = ["port_oracle_dynamic_shared".to_string()];
    for name in own.iter().chain(arrays) {
        // The standard library has thread-local variables of its own.
        let library = name.starts_with("_ZSt") || name.starts_with("_ZNSt");
        let plain =
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '$');
        if !library && plain {
            text.push_str(&format!(".globl {name}\n.type {name}, %object\n{name}:\n"));
        }
    }
    text.push_str(&format!(
        ".zero {SHARED_CAPACITY}\n.section .rodata\n.balign 8\n\
         .globl port_oracle_dynamic_shared_capacity\n\
         port_oracle_dynamic_shared_capacity: .quad {SHARED_CAPACITY}\n\
         .section .note.GNU-stack,\"\",%progbits\n"
    ));
    text
}
