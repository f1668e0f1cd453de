//! The real compilers and header sets that ports are validated with: where they are, and one call
//! for each way to use them.
//!
//! [`Tools::locate`] finds what `cargo xtask setup` installs. This crate uses the standard library
//! alone, so that `xtask` builds fast; it must not know what a port is or where kernels are kept.

#![allow(clippy::disallowed_methods, reason = "it runs compilers")]

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The clang driver whose HIP mode compiles ports. Debian 12 has it as `clang-19`.
pub const CLANG: &str = "clang++-19";

/// The AMD architectures that every port is compiled for: three with waves of 64 lanes (gfx906,
/// gfx90a, gfx942), two with waves of 32 (gfx1030, gfx1100).
pub const ARCHITECTURES: [&str; 5] = ["gfx906", "gfx90a", "gfx942", "gfx1030", "gfx1100"];

/// A set of HIP headers that a port must compile against without further definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HipHeaders {
    /// HIP 5.2.3, as in Debian 12.
    V5_2,
    /// HIP 6.4.3.
    V6_4,
    /// HIP 7.1, with the fp16, bf16 and cooperative-groups headers of 6.4.3 behind it.
    V7_1,
}

impl HipHeaders {
    /// Every header set, oldest first.
    pub const ALL: [HipHeaders; 3] = [HipHeaders::V5_2, HipHeaders::V6_4, HipHeaders::V7_1];

    /// The folder of this set under the tool root, which is also its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            HipHeaders::V5_2 => "hip52",
            HipHeaders::V6_4 => "hip64",
            HipHeaders::V7_1 => "hip71",
        }
    }

    /// The folders of this set in search order. HIP 7.1 is published without some of its headers,
    /// so the set before it stands behind it.
    const fn layers(self) -> &'static [&'static str] {
        match self {
            HipHeaders::V5_2 => &["hip52"],
            HipHeaders::V6_4 => &["hip64"],
            HipHeaders::V7_1 => &["hip71", "hip64"],
        }
    }
}

impl fmt::Display for HipHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How far a HIP file is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HipStage {
    /// Syntax and types of the host pass and of the device pass.
    Check,
    /// Syntax and types of the device pass alone.
    DeviceCheck,
    /// The device pass down to a linked code object for the architecture.
    Device,
    /// The device pass down to assembly text.
    Assembly,
}

/// A compiler run that did not succeed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The command line, to be run again by hand.
    pub command: String,
    /// What the compiler said, or why it could not be started.
    pub output: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\n{}", self.command, self.output.trim_end())
    }
}

/// The folder that `cargo xtask setup` fills.
#[derive(Clone, Debug)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// The tools of this folder, whether or not it is filled.
    pub fn at(root: impl Into<PathBuf>) -> Tools {
        Tools { root: root.into() }
    }

    /// The folder named by the variable `PORT_TOOLS`, else `.port-tools` of this workspace.
    pub fn locate() -> Tools {
        match std::env::var_os("PORT_TOOLS") {
            Some(root) => Tools::at(root),
            None => Tools::at(workspace().join(".port-tools")),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What HIP validation needs and is not there; empty where it can run.
    pub fn missing_for_hip(&self, headers: HipHeaders) -> Vec<String> {
        let mut missing = Vec::new();
        // Asked for each of hundreds of tests: the compiler is started once a process.
        static CLANG_RUNS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        let runs = || Command::new(CLANG).arg("--version").output().is_ok();
        if !*CLANG_RUNS.get_or_init(runs) {
            missing.push(format!("the compiler {CLANG}"));
        }
        for layer in headers.layers() {
            if !self.root.join(layer).join("include/hip/hip_runtime.h").is_file() {
                missing.push(format!("the headers {layer}"));
            }
        }
        if !self.bitcode().join("ocml.bc").is_file() {
            missing.push("the device libraries amdgcn/bitcode".to_string());
        }
        missing
    }

    /// The folder of the AMD device libraries.
    pub fn bitcode(&self) -> PathBuf {
        self.root.join("amdgcn/bitcode")
    }

    /// The include folders of a header set, in search order.
    pub fn include_folders(&self, headers: HipHeaders) -> Vec<PathBuf> {
        headers.layers().iter().map(|layer| self.root.join(layer).join("include")).collect()
    }

    /// NVIDIA's compiler. It finds its headers from its own path, so it is called where it lies.
    pub fn nvcc(&self) -> Option<PathBuf> {
        // The folder between `lib` and `site-packages` carries the version of Python.
        let mut candidates: Vec<PathBuf> = std::fs::read_dir(self.root.join("cuda/lib"))
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path().join("site-packages/nvidia")))
            .filter_map(|nvidia| std::fs::read_dir(nvidia).ok())
            .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
            .map(|toolkit| toolkit.join("bin/nvcc"))
            .filter(|nvcc| nvcc.is_file())
            .collect();
        candidates.sort();
        candidates.pop()
    }

    /// Compiles one HIP file for one architecture against one header set, with no definitions but
    /// the file's own. `output` is where the object or the assembly goes; the checks
    /// write nothing.
    pub fn compile_hip(&self, job: &HipJob<'_>) -> Result<(), Failure> {
        let mut command = self.hip(job.architecture, job.headers);
        for folder in job.include_folders {
            command.arg("-I").arg(folder);
        }
        command.args(job.extra);
        match job.stage {
            HipStage::Check => {
                command.args(["-nogpulib", "-fsyntax-only"]);
            }
            HipStage::DeviceCheck | HipStage::Device | HipStage::Assembly => {
                self.device_pass(&mut command);
                command.arg(match job.stage {
                    HipStage::Device => "-c",
                    HipStage::Assembly => "-S",
                    _ => "-fsyntax-only",
                });
                if job.stage != HipStage::DeviceCheck {
                    command.arg("-o").arg(job.output.unwrap_or(Path::new("/dev/null")));
                }
                if let Some(precompiled) = job.precompiled {
                    command.arg("-include-pch").arg(precompiled);
                }
            }
        }
        command.arg(job.source);
        finish(command)
    }

    /// Precompiles `hip/hip_runtime.h` for the device pass on one architecture with one header set,
    /// to a file in `folder` for [`HipJob::precompiled`].
    pub fn precompile_hip(
        &self,
        architecture: &str,
        headers: HipHeaders,
        folder: &Path,
    ) -> Result<PathBuf, Failure> {
        let name = format!("{architecture}-{headers}");
        let source = folder.join(&name).with_extension("hip");
        let output = folder.join(&name).with_extension("pch");
        let mut command = self.hip(architecture, headers);
        self.device_pass(&mut command);
        // With `-c` the driver would hand the result to the linker.
        command.args(["-S", "-Xclang", "-emit-pch", "-o"]).arg(&output).arg(&source);
        std::fs::write(&source, "#include <hip/hip_runtime.h>\n").map_err(|error| Failure {
            command: format!("{command:?}"),
            output: error.to_string(),
        })?;
        finish(command)?;
        Ok(output)
    }

    /// The compiler in HIP mode.
    fn hip(&self, architecture: &str, headers: HipHeaders) -> Command {
        let mut command = Command::new(CLANG);
        command.args(["-x", "hip", "-std=c++17"]);
        command.arg(format!("--offload-arch={architecture}"));
        // `-isystem`, because headers given by `--rocm-path` come after those of the system.
        for folder in self.include_folders(headers) {
            command.arg("-isystem").arg(folder);
        }
        // The driver includes its own wrapper headers only for a HIP whose version file it finds.
        command.arg({
            let mut argument = OsString::from("--rocm-path=");
            argument.push(self.root.join(headers.name()));
            argument
        });
        command
    }

    fn device_pass(&self, command: &mut Command) {
        let mut argument = OsString::from("--rocm-device-lib-path=");
        argument.push(self.bitcode());
        command.arg(argument);
        command.args(["--cuda-device-only", "--no-gpu-bundle-output", "-O2"]);
    }

    /// Compiles one CUDA file to device code with NVIDIA's compiler, to know that it is valid CUDA.
    /// `architecture` as nvcc names it, `sm_80`; `extra` are further arguments.
    pub fn compile_cuda(
        &self,
        source: &Path,
        architecture: &str,
        include_folders: &[PathBuf],
        extra: &[&str],
        output: &Path,
    ) -> Result<(), Failure> {
        let Some(nvcc) = self.nvcc() else {
            return Err(Failure {
                command: "nvcc".to_string(),
                output: "nvcc is not installed; run `cargo xtask setup`".to_string(),
            });
        };
        let mut command = Command::new(nvcc);
        command.args(["-std=c++17", "-ptx", "-arch", architecture]);
        for folder in include_folders {
            command.arg("-I").arg(folder);
        }
        command.args(extra).arg(source).arg("-o").arg(output);
        finish(command)
    }
}

/// One compilation of one HIP file.
#[derive(Clone, Copy, Debug)]
pub struct HipJob<'a> {
    /// The file.
    pub source: &'a Path,
    /// The architecture, one of [`ARCHITECTURES`] or another that clang knows.
    pub architecture: &'a str,
    /// The headers.
    pub headers: HipHeaders,
    /// How far to compile.
    pub stage: HipStage,
    /// Folders of the port's own headers.
    pub include_folders: &'a [PathBuf],
    /// Further arguments, `-O3` or `-ffast-math`.
    pub extra: &'a [&'a str],
    /// Where the output goes; nowhere when `None`.
    pub output: Option<&'a Path>,
    /// What [`Tools::precompile_hip`] made for this architecture and header set; for the device pass.
    pub precompiled: Option<&'a Path>,
}

/// Runs a compiler to its end, with its diagnostics as the failure's text. A warning is no failure.
fn finish(mut command: Command) -> Result<(), Failure> {
    let text = format!("{command:?}");
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
            said.push_str(&String::from_utf8_lossy(&output.stdout));
            Err(Failure { command: text, output: said })
        }
        Err(error) => Err(Failure { command: text, output: error.to_string() }),
    }
}

/// Does `work` on every item, on as many threads as the machine has cores; results in item order.
pub fn in_parallel<Item: Sync, Outcome: Send>(
    items: &[Item],
    work: impl Fn(&Item) -> Outcome + Sync,
) -> Vec<Outcome> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, item)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).map(|item| (index, item))
                } {
                    let outcome = work(item);
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push((index, outcome));
                    }
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    outcomes.sort_by_key(|&(index, _)| index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The root of this workspace: the nearest folder above the crate that holds `Cargo.lock`.
pub fn workspace() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file())
        .map_or_else(|| manifest.clone(), Path::to_path_buf)
}
