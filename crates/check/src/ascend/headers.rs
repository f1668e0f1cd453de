//! An Ascend port, read with CANN's own headers where a user has them: a second opinion on the names and
//! types that a port uses, which shares nothing with the model. The headers are the user's; none is
//! kept or copied.
//!
//! The system's C++ compiler checks the syntax only. What the device compiler alone reads is replaced as
//! for the model, and its qualifiers are empty where the headers do not define them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::rewrite;
use crate::oracle::{Language, OracleError, Source, build};
use crate::toolchain::Toolchain;

/// Where CANN's releases keep headers, below the folder that `ASCEND_HOME_PATH` names.
const FOLDERS: [&str; 12] = [
    "",
    "include",
    "acllib/include",
    "include/ascendc/basic_api",
    "include/ascendc/highlevel_api",
    "asc/include",
    "compiler/asc/include",
    "compiler/ascendc/include/basic_api",
    "compiler/ascendc/include/highlevel_api",
    "compiler/tikcpp",
    "compiler/tikcpp/tikcfw",
    "compiler/tikcpp/tikcfw/interface",
];

/// Stands before the text: what the device compiler knows without a header, and a launch as a call that
/// checks the arguments' types.
const PREFIX: &str = "\
#pragma once
#define __global__
#define __aicore__
#define __gm__
#define __ubuf__
#define __vector__
#define __cube__
#define __mix__(...)
#define __launch_bounds__(...)
#define __simt_callee__
#define __simt_vf__
namespace port_ascend {
template <class Kernel, class... Configuration>
constexpr Kernel launch(const char*, Kernel kernel, Configuration&&...) { return kernel; }
}
";

/// A folder of headers with a compiler that reads them.
#[derive(Clone, Debug)]
pub struct Headers {
    compiler: PathBuf,
    home: PathBuf,
}

/// What the headers do not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderError {
    /// The file, as the port names it, or a header.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The compiler's message.
    pub message: String,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HeaderError { file, line, column, message } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

impl Headers {
    /// The headers below a folder; without one, below that of `ASCEND_HOME_PATH`. The error is for the
    /// user.
    pub fn new(folder: Option<&Path>, toolchain: &Toolchain) -> Result<Headers, String> {
        let home = match folder {
            Some(folder) => folder.to_owned(),
            None => match std::env::var_os("ASCEND_HOME_PATH").filter(|path| !path.is_empty()) {
                Some(path) => PathBuf::from(path),
                None => return Err("no folder is given, and ASCEND_HOME_PATH is not set".into()),
            },
        };
        let home =
            fs::canonicalize(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        if !home.is_dir() {
            return Err(format!("{} is no folder", home.display()));
        }
        let has = |name: &str| FOLDERS.iter().any(|folder| home.join(folder).join(name).is_file());
        if let Some(name) = ["acl/acl.h", "kernel_operator.h"].into_iter().find(|name| !has(name)) {
            let path = home.display();
            return Err(format!("{path} holds no `{name}`: name the folder of a CANN release"));
        }
        let compiler =
            toolchain.cxx.clone().ok_or("there is no C++ compiler (CXX, g++, clang++)")?;
        Ok(Headers { compiler, home })
    }

    /// The folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Checks the syntax of a port, its root first; what is wrong with it in the compiler's order.
    pub fn check(&self, source: &Source) -> Result<Vec<HeaderError>, OracleError> {
        let (files, _) = rewrite(source);
        let folder = tempfile::Builder::new().prefix("headers-").tempdir()?;
        let text = folder.path().join("text");
        for (path, content) in &files {
            build::write(&text.join(build::inside(path)), content.as_bytes())?;
        }
        let prefix = folder.path().join("port_check_headers.hpp");
        build::write(&prefix, PREFIX.as_bytes())?;
        let root = files.first().map(|(path, _)| build::inside(path)).unwrap_or_default();
        let mut command = Command::new(&self.compiler);
        command.stdin(Stdio::null()).current_dir(&text).env("LC_ALL", "C");
        command.args(["-std=c++17", "-fsyntax-only", "-w", "-I", "."]).arg("-include").arg(prefix);
        for (name, value) in &source.defines {
            command.arg(format!("-D{name}={value}"));
        }
        for directory in &source.include_directories {
            let absolute = fs::canonicalize(directory).unwrap_or_else(|_| directory.clone());
            command.arg("-I").arg(absolute);
        }
        for folder in FOLDERS.iter().map(|folder| self.home.join(folder)).filter(|f| f.is_dir()) {
            command.arg("-isystem").arg(folder);
        }
        command.args(["-x", "c++"]).arg(root);
        match build::run_compiler(command, Language::Ascend) {
            Ok(()) => Ok(Vec::new()),
            Err(OracleError::Compile { language, output }) => {
                let found: Vec<HeaderError> = output.lines().filter_map(error_of_line).collect();
                match found.is_empty() {
                    true => Err(OracleError::Compile { language, output }),
                    false => Ok(found),
                }
            }
            Err(error) => Err(error),
        }
    }
}

/// `k.asc:3:5: error: no matching function`.
fn error_of_line(line: &str) -> Option<HeaderError> {
    let marks = [": error: ", ": fatal error: "];
    let (place, message) = marks.iter().find_map(|mark| line.split_once(mark))?;
    let mut words = place.rsplitn(3, ':');
    let column = words.next()?.parse().ok()?;
    let line = words.next()?.parse().ok()?;
    let file = words.next()?.trim_start_matches("./").to_owned();
    Some(HeaderError { file, line, column, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few declarations in the place of a release.
    fn release(add: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |path: &str, text: &str| {
            build::write(&folder.path().join(path), text.as_bytes()).expect("a header");
        };
        put("include/acl/acl.h", "#pragma once\ntypedef void* aclrtStream;\n");
        let operators = format!(
            "#pragma once\nnamespace AscendC {{\ntemplate <class T> struct LocalTensor {{}};\n\
             template <class T> void Add({add});\n}}\n"
        );
        put("compiler/tikcpp/tikcfw/kernel_operator.h", &operators);
        folder
    }

    const TENSORS: &str =
        "const LocalTensor<T>& d, const LocalTensor<T>& a, const LocalTensor<T>& b";

    const PORT: &str = "#include \"acl/acl.h\"\n#include \"kernel_operator.h\"\n\
        __global__ __aicore__ void k(__gm__ float* x)\n{\n    AscendC::LocalTensor<float> a;\n    \
        Add(a, a, a, 8);\n}\nvoid run(float* x, aclrtStream s) { k<<<4, nullptr, s>>>(x); }\n";

    #[test]
    fn a_port_is_read_with_the_headers_of_a_release() {
        let toolchain = Toolchain::discover();
        if toolchain.cxx.is_none() {
            return;
        }
        let source = Source::new(Language::Ascend, "k.asc", PORT);
        let right = release(&format!("{TENSORS}, int count"));
        let headers = Headers::new(Some(right.path()), &toolchain).expect("a release");
        assert_eq!(headers.check(&source).expect("it is read"), []);
        // A release whose function takes other arguments.
        let other = release(TENSORS);
        let headers = Headers::new(Some(other.path()), &toolchain).expect("a release");
        let errors = headers.check(&source).expect("it is read");
        let first = errors.first().expect("an error");
        assert_eq!((first.file.as_str(), first.line), ("k.asc", 6), "{first}");
        assert!(first.message.contains("Add"), "{first}");
        // A launch with an argument of another type.
        let wrong = PORT.replace("(x); }", "(\"x\"); }");
        let source = Source::new(Language::Ascend, "k.asc", &wrong);
        let headers = Headers::new(Some(right.path()), &toolchain).expect("a release");
        let errors = headers.check(&source).expect("it is read");
        assert_eq!(errors.first().map(|error| error.line), Some(8), "{errors:?}");
    }

    #[test]
    fn what_is_no_release_is_said() {
        let toolchain = Toolchain::discover();
        let missing = Headers::new(Some(Path::new("/nowhere/cann")), &toolchain);
        assert!(missing.is_err_and(|why| why.starts_with("/nowhere/cann: ")));
        let empty = tempfile::tempdir().expect("a folder");
        let why = Headers::new(Some(empty.path()), &toolchain).expect_err("no headers");
        assert!(why.contains("holds no `acl/acl.h`"), "{why}");
    }
}
