//! `port exec`: programs of `fixtures/programs` pass on the processor, and the command passes arguments,
//! streams and exit status on.
//!
//! A program passes here as users build it, or with sanitizers in the tests of the workspace, by turns;
//! `PORT_TEST_ALL_FLAVOURS=1` asks for both.

#![allow(clippy::disallowed_methods, reason = "the tests run the binary")]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{REMOTE, put, status, text, tree};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = programs()
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Trial::test(format!("program::{name}"), move || passes(&path))
        })
        .collect();
    let own: [(&str, fn()); 9] = [
        ("arguments_streams_and_status_are_the_programs", arguments_streams_and_status),
        ("json_holds_what_the_program_printed", json_holds_what_the_program_printed),
        ("headers_and_macros_are_honoured", headers_and_macros),
        ("the_port_is_kept_in_an_empty_folder", kept_in_an_empty_folder),
        ("without_a_compiler", without_a_compiler),
        ("a_rejected_port_is_a_defect", a_rejected_port_is_a_defect),
        ("manual_kernels_are_refused", manual_kernels),
        ("a_signal_is_128_and_its_number", a_signal),
        ("wrong_usage_is_125", wrong_usage),
    ];
    trials.extend(own.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/programs");
    let entries = fs::read_dir(folder).expect("fixtures/programs is readable").flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cu"))
        .collect();
    found.sort();
    let all = std::env::var_os("PORT_TEST_ALL_FLAVOURS").is_some_and(|value| value == "1");
    let turns = found.into_iter().enumerate().filter(|(index, _)| all || index % 2 == 1);
    let chosen: Vec<PathBuf> = turns.map(|(_, path)| path).collect();
    assert!(chosen.len() >= 12, "{} programs of fixtures/programs take their turn", chosen.len());
    chosen
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_port"));
    command.arg("exec").args(arguments).current_dir(folder);
    for variable in ["CXX", "CXXFLAGS"] {
        command.env_remove(variable);
    }
    // The tests share the processors with other tests.
    command.env("OMP_NUM_THREADS", "2").env("OMP_WAIT_POLICY", "passive");
    command
}

fn exec(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the binary runs")
}

fn passes(path: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let output = exec(folder.path(), &[&path.to_string_lossy(), "--target", "cpu"]);
    let passed = text(&output.stdout).lines().any(|line| line.starts_with("PASS"));
    if !passed || output.status.code() != Some(0) {
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        return Err(format!("{}\n{out}{error}", output.status).into());
    }
    match tree(folder.path()).is_empty() {
        true => Ok(()),
        false => Err("files were left in the current folder".into()),
    }
}

/// Copies its input and its arguments to its output, and returns what the device computes.
const ECHO: &str = "\
#include <cstdio>
#include <cuda_runtime.h>
__global__ void add(int *x, int n) { atomicAdd(x, n); }
int main(int argc, char **argv) {
  int *x, sum = 0;
  cudaMalloc(&x, sizeof(int));
  cudaMemset(x, 0, sizeof(int));
  add<<<1, 7>>>(x, argc);
  cudaMemcpy(&sum, x, sizeof(int), cudaMemcpyDeviceToHost);
  for (int i = 1; i < argc; ++i) printf(\"%s\\n\", argv[i]);
  for (int c; (c = getchar()) != EOF;) putchar(c);
  fputs(\"to standard error\\n\", stderr);
  return sum;
}
";

fn echo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "echo.cu", ECHO);
    folder
}

fn arguments_streams_and_status() {
    let folder = echo();
    let arguments = ["echo.cu", "--target", "cpu", "--", "--target", "-o", "a b"];
    let mut child = command(folder.path(), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"from standard input\n").expect("is read");
    drop(input);
    let output = child.wait_with_output().expect("ends");
    assert_eq!(text(&output.stdout), "--target\n-o\na b\nfrom standard input\n");
    assert_eq!(text(&output.stderr), "to standard error\n");
    assert_eq!(status(&output), 28);
}

fn json_holds_what_the_program_printed() {
    let folder = echo();
    let arguments = ["echo.cu", "--target", "cpu", "--message-format", "json", "--", "word"];
    let output =
        command(folder.path(), &arguments).stdin(Stdio::null()).output().expect("the binary runs");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["program"]["stdout"], "word\n");
    assert_eq!(document["program"]["stderr"], "to standard error\n");
    assert_eq!(document["program"]["status"], 14);
    assert_eq!(document["inputs"][0]["targets"][0]["kernels"][0]["name"], "add");
    assert_eq!(status(&output), 14);

    let arguments = ["none.cu", "--target", "cpu", "--message-format", "json"];
    let output = exec(folder.path(), &arguments);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(document["error"].as_str().is_some_and(|error| error.contains("none.cu")));
    assert_eq!(status(&output), 125);
}

fn headers_and_macros() {
    let folder = tempfile::tempdir().expect("a folder");
    put(
        folder.path(),
        "app/src/main.cu",
        "#include \"step.cuh\"\n#include \"../common/plain.h\"\n#include <lib/wide.cuh>\n\
         __global__ void k(int *x) { *x = step(wide(PLAIN)) + VALUE; }\n\
         int main() {\n  int *x, y;\n  cudaMalloc(&x, 4);\n  k<<<1, 1>>>(x);\n\
         \x20 cudaMemcpy(&y, x, 4, cudaMemcpyDeviceToHost);\n  return y;\n}\n",
    );
    put(
        folder.path(),
        "app/src/step.cuh",
        "#pragma once\n#include <cuda_runtime.h>\n\
         static __device__ __forceinline__ int step(int x) { return x + __popc(7); }\n",
    );
    put(folder.path(), "app/common/plain.h", "#define PLAIN 5\n");
    put(
        folder.path(),
        "include/lib/wide.cuh",
        "__host__ __device__ inline int wide(int x) { return __CUDACC_VER_MAJOR__ > 0 ? 2 * x : 0; }\n",
    );
    let arguments = ["app/src/main.cu", "--target", "cpu", "-I", "include", "-D", "VALUE=20"];
    let output = exec(folder.path(), &arguments);
    assert_eq!(status(&output), 33, "{}", text(&output.stderr));
}

fn kept_in_an_empty_folder() {
    let folder = echo();
    let arguments = ["echo.cu", "--target", "cpu", "--keep", "out/kept"];
    let run = || command(folder.path(), &arguments).stdin(Stdio::null()).output().expect("runs");
    assert_eq!(status(&run()), 7);
    let kept = tree(&folder.path().join("out/kept"));
    assert_eq!(kept, ["echo.cpp", "port-program", "port_cpu.hpp"]);
    let again = run();
    assert_eq!(status(&again), 125);
    assert!(text(&again.stderr).contains("the folder is not empty"));
}

fn without_a_compiler() {
    let folder = echo();
    let arguments = ["echo.cu", "--target", "cpu"];
    let output = command(folder.path(), &arguments).env("PATH", "").output().expect("runs");
    assert_eq!(status(&output), 125);
    let error = text(&output.stderr);
    assert!(error.contains("no C++ compiler") && error.contains("set CXX"), "{error}");
    let mut named = command(folder.path(), &arguments);
    let output = named.env("CXX", "no-such-compiler").output().expect("runs");
    assert_eq!(status(&output), 125);
    assert!(text(&output.stderr).contains("cannot run the compiler no-such-compiler"));
}

fn a_rejected_port_is_a_defect() {
    let folder = echo();
    let mut command = command(folder.path(), &["echo.cu", "--target", "cpu"]);
    // A compiler that takes nothing.
    let program = folder.path().join("missing.cu");
    fs::write(program, "#include \"nowhere.h\"\nint main() {}\n").expect("a file");
    let output = exec(folder.path(), &["missing.cu", "--target", "cpu", "--keep", "kept"]);
    assert_eq!(status(&output), 125);
    let error = text(&output.stderr);
    assert!(error.contains("`-I` says where to look"), "{error}");

    let output = command.env("CXX", "false").env("TMPDIR", folder.path()).output().expect("runs");
    assert_eq!(status(&output), 125);
    let error = text(&output.stderr);
    assert!(error.contains("this is a defect of port"), "{error}");
    let kept = tree(folder.path());
    assert!(kept.iter().any(|path| path.ends_with("/echo.cpp")), "{kept:?}");
}

fn manual_kernels() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = format!("{REMOTE}int main(int argc, char **) {{ return argc + 2; }}\n");
    put(folder.path(), "remote.cu", program);
    let output = exec(folder.path(), &["remote.cu", "--target", "cpu"]);
    assert_eq!(status(&output), 125);
    let error = text(&output.stderr);
    assert!(error.contains("`remote`") && error.contains("--allow-manual"), "{error}");
    let output = exec(folder.path(), &["remote.cu", "--target", "cpu", "--allow-manual"]);
    assert_eq!(status(&output), 3, "{}", text(&output.stderr));
}

fn a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = "#include <cstdlib>\n__global__ void k() {}\nint main() { abort(); }\n";
    put(folder.path(), "abort.cu", program);
    let output = exec(folder.path(), &["abort.cu", "--target", "cpu"]);
    assert_eq!(status(&output), 128 + 6);
    assert!(text(&output.stderr).contains("ended by signal 6"));
}

fn wrong_usage() {
    let folder = echo();
    for arguments in [
        &["echo.cu", "--target", "hip"][..],
        &["none.cu", "--target", "cpu"],
        &["echo.cu", "--target", "cpu", "--message-format", "sarif"],
    ] {
        let output = exec(folder.path(), arguments);
        assert_eq!(status(&output), 125, "{arguments:?}");
        assert!(text(&output.stderr).starts_with("port: "), "{arguments:?}");
    }
}
