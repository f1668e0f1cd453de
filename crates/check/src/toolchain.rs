//! Where the machine's C++ compiler is. The compilers and headers that ports are validated with are
//! the business of `port-compilers`.

#![allow(clippy::disallowed_methods, reason = "finding programs is what this module is for")]

use std::path::PathBuf;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Toolchain {
    /// A C++17 compiler; `None` where there is none.
    pub cxx: Option<PathBuf>,
}

impl Toolchain {
    /// The compiler that crate `cc` would build with (`CXX` and its variants for the platform, else
    /// the platform's own), else the first of g++, c++, clang++ and clang++-19 on the path.
    pub fn discover() -> Toolchain {
        let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let mut build = cc::Build::new();
        build.cpp(true).cargo_metadata(false).cargo_warnings(false).opt_level(2);
        build.target(&platform).host(&platform);
        let usual = build.try_get_compiler().ok();
        let usual = usual.map(|compiler| compiler.path().to_string_lossy().into_owned());
        let names = usual.as_deref().into_iter().chain(["g++", "c++", "clang++", "clang++-19"]);
        Toolchain { cxx: names.filter_map(find_program).next() }
    }
}

pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
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
    fn programs_are_found_by_name_and_by_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some-compiler");
        std::fs::write(&path, "").unwrap();
        assert_eq!(find_program(&path.to_string_lossy()), Some(path));
        assert_eq!(find_program("no-compiler-is-called-so"), None);
        assert!(find_program("sh").is_some());
    }
}
