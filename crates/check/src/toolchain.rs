//! Where compilers, headers and libraries are. The one place that knows the layout of
//! `.port-tools/`; it runs no compiler except to ask for its version.
//!
//! ```text
//! .port-tools/hip71/include        HIP 7.1 headers        } put before
//! .port-tools/hip64/include        HIP 6.4 headers        } the system's
//! .port-tools/amdgcn/bitcode       device libraries of gfx942 and newer
//! .port-tools/cuda/                a Python environment with nvidia-cuda-nvcc
//! ```
//!
//! `PORT_TOOLS` names another folder of the same layout.

#![allow(clippy::disallowed_methods, reason = "finding programs is what this module is for")]

use std::path::{Path, PathBuf};

/// What was found; a `None` is not on this machine.
#[derive(Clone, Debug, Default)]
pub struct Toolchain {
    /// A C++17 compiler: `CXX`, else g++, clang++.
    pub cxx: Option<PathBuf>,
    /// A clang++ that can compile HIP: clang++-19 or newer.
    pub clang: Option<PathBuf>,
    /// Device libraries (`*.bc`), first found first used.
    pub device_libraries: Vec<PathBuf>,
    /// Sets of HIP headers.
    pub hip_headers: Vec<HipHeaders>,
    /// nvcc.
    pub nvcc: Option<PathBuf>,
}

/// A set of HIP headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HipHeaders {
    /// `5.2`, `6.4` or `7.1`.
    pub version: &'static str,
    /// To be given as `-isystem`, in order; empty when the compiler finds them by itself.
    pub include: Vec<PathBuf>,
}

impl Toolchain {
    /// Looks in `PORT_TOOLS`, else in `.port-tools` of the workspace (the nearest folder upwards
    /// from the current one that has it), then in the system's places.
    pub fn discover() -> Toolchain {
        let tools = std::env::var_os("PORT_TOOLS").map(PathBuf::from).or_else(|| {
            let mut folder = std::env::current_dir().ok()?;
            loop {
                let tools = folder.join(".port-tools");
                if tools.is_dir() {
                    return Some(tools);
                }
                if !folder.pop() {
                    return None;
                }
            }
        });
        Toolchain::with_tools(tools.as_deref())
    }

    /// The same, with the tools' folder given.
    pub fn with_tools(tools: Option<&Path>) -> Toolchain {
        let cxx = std::env::var_os("CXX")
            .filter(|name| !name.is_empty())
            .and_then(|name| find_program(&name.to_string_lossy()))
            .or_else(|| {
                ["g++", "c++", "clang++", "clang++-19"].iter().find_map(|n| find_program(n))
            });
        let clang = ["clang++-21", "clang++-20", "clang++-19"].iter().find_map(|n| find_program(n));

        let in_tools =
            |path: &str| tools.map(|tools| tools.join(path)).filter(|path| path.is_dir());
        let mut device_libraries: Vec<PathBuf> = in_tools("amdgcn/bitcode").into_iter().collect();
        device_libraries.extend(
            [
                "/usr/lib/x86_64-linux-gnu/amdgcn/bitcode",
                "/usr/lib/aarch64-linux-gnu/amdgcn/bitcode",
                "/opt/rocm/amdgcn/bitcode",
            ]
            .map(PathBuf::from)
            .into_iter()
            .filter(|path| path.is_dir()),
        );

        let mut hip_headers = Vec::new();
        if Path::new("/usr/include/hip/hip_runtime.h").is_file() {
            hip_headers.push(HipHeaders { version: "5.2", include: Vec::new() });
        }
        let (hip64, hip71) = (in_tools("hip64/include"), in_tools("hip71/include"));
        if let Some(hip64) = &hip64 {
            hip_headers.push(HipHeaders { version: "6.4", include: vec![hip64.clone()] });
        }
        if let Some(hip71) = hip71 {
            // The 7.1 set holds the core headers only; fp16, bf16 and cooperative groups are 6.4's.
            let include = std::iter::once(hip71).chain(hip64).collect();
            hip_headers.push(HipHeaders { version: "7.1", include });
        }

        let nvcc = tools
            .and_then(|tools| nvcc_in_environment(&tools.join("cuda")))
            .or_else(|| find_program("nvcc"))
            .or_else(|| Some(PathBuf::from("/usr/local/cuda/bin/nvcc")).filter(|p| p.is_file()));
        Toolchain { cxx, clang, device_libraries, hip_headers, nvcc }
    }

    /// The headers of a HIP version.
    pub fn hip(&self, version: &str) -> Option<&HipHeaders> {
        self.hip_headers.iter().find(|headers| headers.version == version)
    }

    /// The folder of device libraries that has the ones of `arch` (`gfx942`).
    pub fn device_library(&self, arch: &str) -> Option<&Path> {
        let file = format!("oclc_isa_version_{}.bc", arch.trim_start_matches("gfx"));
        self.device_libraries.iter().find(|path| path.join(&file).is_file()).map(PathBuf::as_path)
    }
}

/// nvcc of the wheel `nvidia-cuda-nvcc` in a Python environment. It cannot find its headers through
/// a symbolic link, so the real path is returned.
fn nvcc_in_environment(environment: &Path) -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir(environment.join("lib"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    versions.sort();
    versions
        .iter()
        .map(|version| version.join("site-packages/nvidia/cu13/bin/nvcc"))
        .find_map(|path| path.canonicalize().ok())
}

fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_gives_the_system_only() {
        let folder = tempfile::tempdir().unwrap();
        let toolchain = Toolchain::with_tools(Some(folder.path()));
        assert!(toolchain.hip("7.1").is_none());
        assert!(toolchain.hip("6.4").is_none());
    }

    #[test]
    fn the_layout_of_the_tools_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let nvcc = folder.path().join("cuda/lib/python3.11/site-packages/nvidia/cu13/bin/nvcc");
        for path in ["hip71/include", "hip64/include", "amdgcn/bitcode"] {
            std::fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        std::fs::create_dir_all(nvcc.parent().unwrap()).unwrap();
        std::fs::write(&nvcc, "").unwrap();
        std::fs::write(folder.path().join("amdgcn/bitcode/oclc_isa_version_942.bc"), "").unwrap();
        let toolchain = Toolchain::with_tools(Some(folder.path()));
        assert_eq!(toolchain.nvcc, Some(nvcc.canonicalize().unwrap()));
        let include = &toolchain.hip("7.1").unwrap().include;
        assert_eq!(include.len(), 2);
        assert!(include[0].ends_with("hip71/include") && include[1].ends_with("hip64/include"));
        assert!(toolchain.device_library("gfx942").unwrap().ends_with("amdgcn/bitcode"));
    }
}
