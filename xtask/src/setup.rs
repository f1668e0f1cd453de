//! `cargo xtask setup`: the compilers, header sets and cargo tools that tests and checks use.
//!
//! Everything but the system's packages goes to `.port-tools/` of this workspace, in the layout that
//! [`port_compilers::Tools`] reads. Each download is pinned by version and verified by its
//! SHA-256. Running it again does only what is missing. It must not know what the tools are used
//! for.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use port_compilers::{CLANG, HipHeaders, Tools};

/// Options of `cargo xtask setup`.
#[derive(clap::Args, Debug, Default)]
pub struct Arguments {
    /// Leaves NVIDIA's compiler out (346 MB), for those who do not agree to its licence.
    #[arg(long)]
    without_cuda: bool,
    /// Leaves cargo-deny out; building it takes minutes.
    #[arg(long)]
    without_cargo_tools: bool,
}

/// A package of the system: its name, the version that the project was checked with, and a program or
/// an absolute path that is there when it is installed.
struct SystemPackage {
    name: &'static str,
    checked_version: &'static str,
    shown_by: &'static str,
}

impl SystemPackage {
    fn is_installed(&self) -> bool {
        match self.shown_by.starts_with('/') {
            true => Path::new(self.shown_by).exists(),
            false => is_program(self.shown_by),
        }
    }
}

/// clang compiles HIP, lld links its device code, and the libraries of clang's sanitizers are what ports
/// to the processor are checked with. HIP's headers and device libraries are not taken
/// from the system: a header set is a version, and a system has one.
const SYSTEM_PACKAGES: &[SystemPackage] = &[
    SystemPackage { name: "clang-19", checked_version: "1:19.1.7-3~deb12u1", shown_by: CLANG },
    SystemPackage { name: "lld-19", checked_version: "1:19.1.7-3~deb12u1", shown_by: "ld.lld-19" },
    SystemPackage {
        name: "libclang-rt-19-dev",
        checked_version: "1:19.1.7-3~deb12u1",
        shown_by: "/usr/lib/llvm-19/lib/clang/19/lib/linux",
    },
];

/// A Debian package that is unpacked, not installed.
struct Archive {
    /// Where it stands in Debian's pool.
    pool_path: &'static str,
    /// What Debian's snapshot archive knows it by, for when the pool has moved on.
    sha1: &'static str,
    sha256: &'static str,
    /// The folder of `.port-tools` that it fills.
    folder: &'static str,
    /// Folders and files of the package to keep, and their paths in `folder`.
    keep: &'static [(&'static str, &'static str)],
}

const ARCHIVES: &[Archive] = &[
    Archive {
        pool_path: "pool/main/r/rocm-hipamd/libamdhip64-dev_5.2.3-8_amd64.deb",
        sha1: "ac67e8947d924cd47c24f15f34631cc4fd3e99c1",
        sha256: "1f87b72e5aa86025c6cb96312c75ee7f549c42475f4bc51049ab7b67cc4e762e",
        folder: "hip52",
        keep: &[("usr/include", "include"), ("usr/share/hip", "share/hip")],
    },
    Archive {
        pool_path: "pool/main/r/rocm-hipamd/libamdhip64-dev_6.4.3-5_amd64.deb",
        sha1: "179144e35ea3f5e34014ac8f890e49b6bb2c208c",
        sha256: "f2a3a542d41883f87a45e2d0554c1c84ccf350c836b9e8b35473dadbc34ced5e",
        folder: "hip64",
        keep: &[("usr/include", "include"), ("usr/share/hip", "share/hip")],
    },
    Archive {
        // The one set of device libraries that has every architecture: Debian 12's own lacks gfx942
        // and gfx1100.
        pool_path: "pool/main/r/rocm-device-libs/rocm-device-libs-17_6.0+git20231212.5a852ed-2_amd64.deb",
        sha1: "a66d0e92a41545e348f280a721c11ba2e7bea8eb",
        sha256: "fa10f0f5be5269c715492e4e3d3816f956a4d8b9098443d54052d351cfda9213",
        folder: "amdgcn",
        keep: &[("usr/lib/llvm-17/lib/clang/17/amdgcn/bitcode", "bitcode")],
    },
];

/// Hosts that serve Debian's pool; the snapshot archive is asked by hash when none has the file.
const DEBIAN_POOLS: &[&str] = &["http://deb.debian.org/debian", "http://ftp.debian.org/debian"];

/// The wheel that carries the HIP 7.1 headers (286 MB; 1 MB of it is kept).
const HIP71_REQUIREMENT: &str = "triton==3.9.0 \
    --hash=sha256:1622118a038b0c6e16fa4a0305da62c8b3c15904ee1cc4d4e65846a25969e41e";

/// The platform of that one wheel, whatever Python runs here: only its headers are read.
const HIP71_PLATFORM: &[&str] = &[
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--platform=manylinux_2_27_x86_64",
    "--only-binary=:all:",
];

/// The folder of the wheel that holds the headers.
const HIP71_IN_WHEEL: &str = "triton/backends/amd/include";

/// The file by which clang's driver recognises a HIP of this version; the wheel leaves it out.
const HIP71_VERSION: &str = "HIP_VERSION_MAJOR=7\nHIP_VERSION_MINOR=1\nHIP_VERSION_PATCH=25424\n";

/// NVIDIA's compiler with the headers it needs. Its licence forbids passing it on.
const CUDA_REQUIREMENTS: &str = "\
nvidia-cuda-nvcc==13.5.37 --hash=sha256:f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7
nvidia-cuda-cccl==13.3.5.0.6 --hash=sha256:d5230098fa2df5021e1a00c0c4eee41797671a91119d31e892463e5ccf3ee326
nvidia-cuda-crt==13.5.37 --hash=sha256:e898b7f73d3035fa89915a3f7bf3b54a73e90249746111aed295822c4729bb29
nvidia-cuda-runtime==13.5.37 --hash=sha256:df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d
nvidia-nvvm==13.5.37 --hash=sha256:c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070
";

/// Cargo subcommands that `.ci/run` calls, with pinned versions.
const CARGO_TOOLS: &[(&str, &str)] = &[("cargo-deny", "0.20.2")];

/// Installs what is missing and says what it did.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let tools = Tools::locate();
    let root = tools.root().to_path_buf();
    create_folder(&root)?;

    system_packages()?;
    for archive in ARCHIVES {
        unpack_archive(archive, &root)?;
    }
    hip71_headers(&root)?;
    if arguments.without_cuda {
        report("cuda", "left out, as asked");
    } else {
        cuda_compiler(&tools)?;
    }
    if arguments.without_cargo_tools {
        report("cargo tools", "left out, as asked");
    } else {
        cargo_tools(&root)?;
    }

    for headers in HipHeaders::ALL {
        let missing = tools.missing_for_hip(headers);
        if !missing.is_empty() {
            return Err(format!("after setup, {headers} still lacks {}", missing.join(", ")));
        }
    }
    println!("tools are in {}", root.display());
    Ok(())
}

/// Installs the packages whose programs are missing, when this runs as root on Debian; else says
/// what to install.
fn system_packages() -> Result<(), String> {
    let missing: Vec<&SystemPackage> =
        SYSTEM_PACKAGES.iter().filter(|package| !package.is_installed()).collect();
    for package in SYSTEM_PACKAGES.iter().filter(|package| package.is_installed()) {
        report(package.name, &installed_version_note(package));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    install_with_apt(&names)?;
    for package in missing {
        report(package.name, &installed_version_note(package));
    }
    Ok(())
}

/// Installs packages by apt as root, without asking.
fn install_with_apt(names: &[&str]) -> Result<(), String> {
    let by_hand =
        format!("run as root: apt-get install -y --no-install-recommends {}", names.join(" "));
    if !is_program("apt-get") || !is_root() {
        return Err(format!("missing system packages; {by_hand}"));
    }
    println!("installing {}", names.join(" "));
    // The list of a fresh machine or container may be empty or stale.
    run_quietly(Command::new("apt-get").args(["-q", "update"]))?;
    let mut install = Command::new("apt-get");
    install.args(["-q", "install", "-y", "--no-install-recommends"]).args(names);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run_quietly(&mut install).map_err(|error| format!("{error}\n{by_hand}"))
}

/// The installed version, and a word where it is not the one the project was checked with.
fn installed_version_note(package: &SystemPackage) -> String {
    let query = Command::new("dpkg-query")
        .args(["-W", "-f=${Version}", package.name])
        .stderr(Stdio::null())
        .output();
    match query {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout).into_owned();
            if version == package.checked_version {
                format!("{version}, present")
            } else {
                format!("{version}, present (checked with {})", package.checked_version)
            }
        }
        _ => "present, not from a package".to_string(),
    }
}

/// Downloads, verifies and unpacks a Debian package, unless the folder has been filled from it.
fn unpack_archive(archive: &Archive, root: &Path) -> Result<(), String> {
    let folder = root.join(archive.folder);
    if is_filled(&folder, archive.sha256) {
        report(archive.folder, "present");
        return Ok(());
    }
    if !is_program("dpkg") {
        return Err(format!(
            "{} is a Debian package and there is no dpkg here; unpack it to {} by hand",
            archive.pool_path,
            folder.display()
        ));
    }
    let scratch = Scratch::new(root)?;
    let package = scratch.path().join("package.deb");
    let mut sources: Vec<String> =
        DEBIAN_POOLS.iter().map(|pool| format!("{pool}/{}", archive.pool_path)).collect();
    sources.push(format!("https://snapshot.debian.org/file/{}", archive.sha1));
    download(&sources, &package)?;
    verify(&package, archive.sha256)?;

    let unpacked = scratch.path().join("unpacked");
    create_folder(&unpacked)?;
    run_quietly(Command::new("dpkg").arg("-x").arg(&package).arg(&unpacked))?;
    refill(&folder)?;
    for (from, to) in archive.keep {
        let target = folder.join(to);
        if let Some(parent) = target.parent() {
            create_folder(parent)?;
        }
        move_path(&unpacked.join(from), &target)?;
    }
    mark_filled(&folder, archive.sha256)?;
    report(archive.folder, &format!("from {}", archive.pool_path));
    Ok(())
}

/// Takes the HIP 7.1 headers out of the wheel that carries them.
fn hip71_headers(root: &Path) -> Result<(), String> {
    let folder = root.join("hip71");
    if is_filled(&folder, HIP71_REQUIREMENT) {
        report("hip71", "present");
        return Ok(());
    }
    let scratch = Scratch::new(root)?;
    let python = python_environment(&scratch.path().join("python"))?;
    let requirements = scratch.path().join("requirements.txt");
    write_file(&requirements, HIP71_REQUIREMENT)?;
    let wheels = scratch.path().join("wheels");
    println!("downloading the wheel with the HIP 7.1 headers (286 MB)");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]);
    pip.args(HIP71_PLATFORM).arg("-r").arg(&requirements).arg("-d").arg(&wheels);
    run_quietly(&mut pip)?;

    // pip has verified the hash; the archive is read by Python, which is there anyway.
    const EXTRACT: &str = "\
import glob, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
prefix = sys.argv[3] + '/'
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(prefix)])
";
    let unpacked = scratch.path().join("unpacked");
    let mut extract = Command::new(&python);
    extract.args(["-c", EXTRACT]).arg(&wheels).arg(&unpacked).arg(HIP71_IN_WHEEL);
    run_quietly(&mut extract)?;
    refill(&folder)?;
    move_path(&unpacked.join(HIP71_IN_WHEEL), &folder.join("include"))?;
    create_folder(&folder.join("share/hip"))?;
    write_file(&folder.join("share/hip/version"), HIP71_VERSION)?;
    mark_filled(&folder, HIP71_REQUIREMENT)?;
    report("hip71", "from the triton 3.9.0 wheel");
    Ok(())
}

/// Installs NVIDIA's compiler into a virtual environment of its own.
fn cuda_compiler(tools: &Tools) -> Result<(), String> {
    let folder = tools.root().join("cuda");
    if is_filled(&folder, CUDA_REQUIREMENTS) && tools.nvcc().is_some() {
        report("cuda", "present");
        return Ok(());
    }
    refill(&folder)?;
    let python = python_environment(&folder)?;
    let scratch = Scratch::new(tools.root())?;
    let requirements = scratch.path().join("requirements.txt");
    write_file(&requirements, CUDA_REQUIREMENTS)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "-q", "--no-deps", "--require-hashes"]);
    pip.arg("-r").arg(&requirements);
    run_quietly(&mut pip)?;
    if tools.nvcc().is_none() {
        return Err(format!("no nvcc under {} after its installation", folder.display()));
    }
    mark_filled(&folder, CUDA_REQUIREMENTS)?;
    report("cuda", "nvcc 13.5.37 (NVIDIA's licence: not to be passed on)");
    Ok(())
}

/// Builds the cargo subcommands into `.port-tools/cargo`. Without optimisation: they run for
/// seconds, and an optimised build takes minutes longer.
fn cargo_tools(root: &Path) -> Result<(), String> {
    let folder = root.join("cargo");
    for (name, version) in CARGO_TOOLS {
        let wanted = format!("{name} {version}");
        let marker = folder.join(format!("{name}.version"));
        let present = folder.join("bin").join(name).is_file()
            && fs::read_to_string(&marker).is_ok_and(|text| text == wanted);
        if present {
            report(name, &format!("{version}, present"));
            continue;
        }
        println!("building {name} {version}");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["install", "--locked", "--debug", "--force", "-q", "--version", version, name]);
        cargo.arg("--root").arg(&folder);
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
        // A target folder of the caller's would fill up with these crates.
        cargo.env_remove("CARGO_TARGET_DIR");
        run_quietly(&mut cargo)?;
        write_file(&marker, &wanted)?;
        report(name, &format!("{version}, in {}", folder.join("bin").display()));
    }
    Ok(())
}

/// A virtual environment at `folder`, and the path of its Python.
fn python_environment(folder: &Path) -> Result<PathBuf, String> {
    let create = |folder: &Path| {
        run_quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))
    };
    if create(folder).is_err() {
        install_with_apt(&["python3", "python3-venv"])?;
        create(folder)?;
    }
    Ok(folder.join("bin/python"))
}

/// Fetches the first of `sources` that answers.
fn download(sources: &[String], target: &Path) -> Result<(), String> {
    let mut said = Vec::new();
    for source in sources {
        let attempt = if is_program("curl") {
            run_quietly(Command::new("curl").args(["-fsSL", "-o"]).arg(target).arg(source))
        } else if is_program("wget") {
            run_quietly(Command::new("wget").arg("-qO").arg(target).arg(source))
        } else {
            // Debian's own downloader is there wherever apt is.
            let mut helper = Command::new("/usr/lib/apt/apt-helper");
            run_quietly(helper.arg("download-file").arg(source).arg(target))
        };
        match attempt {
            Ok(()) => return Ok(()),
            Err(error) => said.push(error),
        }
    }
    Err(format!("no source has the file:\n{}", said.join("\n")))
}

/// Compares a file with the SHA-256 it must have.
fn verify(file: &Path, sha256: &str) -> Result<(), String> {
    let output = Command::new("sha256sum")
        .arg(file)
        .output()
        .map_err(|error| format!("sha256sum: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.split_whitespace().next().unwrap_or_default().trim_start_matches('\\');
    if found == sha256 {
        Ok(())
    } else {
        Err(format!("{} has the SHA-256 {found}, not {sha256}", file.display()))
    }
}

/// The name of the file that says what a folder was filled from.
const MARKER: &str = ".filled-from";

fn is_filled(folder: &Path, from: &str) -> bool {
    fs::read_to_string(folder.join(MARKER)).is_ok_and(|text| text == from)
}

fn mark_filled(folder: &Path, from: &str) -> Result<(), String> {
    write_file(&folder.join(MARKER), from)
}

/// Empties a folder that was filled from something else, or in part.
fn refill(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    create_folder(folder)
}

/// A folder under the tool root that goes away with the value. It is there, and not in the system's
/// temporary folder, so that moving out of it never crosses file systems.
struct Scratch(PathBuf);

impl Scratch {
    fn new(root: &Path) -> Result<Scratch, String> {
        let folder = root.join(format!(".scratch-{}", std::process::id()));
        refill(&folder)?;
        Ok(Scratch(folder))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind on failure costs space, nothing else.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn create_folder(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn write_file(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn move_path(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(|error| format!("{} → {}: {error}", from.display(), to.display()))
}

/// Whether a program of this name is on the path.
fn is_program(name: impl AsRef<OsStr>) -> bool {
    let name = name.as_ref();
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == "0")
}

/// Runs a command; its output shows only when it fails.
fn run_quietly(command: &mut Command) -> Result<(), String> {
    let text = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{text}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{text} failed ({}):\n{}", output.status, said.trim_end()))
}

fn report(what: &str, outcome: &str) {
    println!("{what}: {outcome}");
}
