//! The built binary, as a user runs it: outputs, streams, exit status, refusals.

#![allow(clippy::disallowed_methods, reason = "a test of the binary runs it over files")]

mod common;

use std::fs;
use std::process::Command;

use common::{REMOTE, SCALE, folder, port, put, status, text, tree};
use serde_json::Value;

#[test]
fn a_port_is_written_beside_its_input() {
    let folder = folder();
    let output = port(folder.path(), &["scale.cu", "--target", "hip"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let ported = fs::read_to_string(folder.path().join("scale.hip")).expect("the port");
    let expected = SCALE
        .replace("cuda_runtime.h", "hip/hip_runtime.h")
        .replace("cudaError_t", "hipError_t")
        .replace("cudaStream_t", "hipStream_t")
        .replace("cudaGetLastError", "hipGetLastError");
    assert_eq!(ported, expected);
    assert!(text(&output.stderr).contains("scale.hip"), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    let files = fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(files, 2, "no temporary file and no header is left");
}

#[test]
fn a_port_to_ascend_is_a_folder_of_its_own() {
    let folder = folder();
    let arguments = ["scale.cu", "--target", "ascend", "--torch", "--project", "msopgen"];
    let output = port(folder.path(), &arguments);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let root = folder.path().join("scale_ascend");
    for name in
        ["scale.asc", "CMakeLists.txt", "README.md", "scripts/gen_data.py", "scale_torch.cpp"]
    {
        assert!(root.join(name).is_file(), "{name}");
    }
    let asc = fs::read_to_string(root.join("scale.asc")).expect("the port");
    assert!(asc.contains("#include \"acl/acl.h\"") && !asc.contains("cuda"), "{asc}");
    let operators = fs::read_dir(root.join("op_host")).expect("the operators").count();
    assert!(operators > 0);
    // What was edited by hand stays.
    fs::write(root.join("scale.asc"), "mine").expect("a file");
    assert_eq!(status(&port(folder.path(), &["scale.cu", "--target", "ascend"])), 2);
    assert_eq!(fs::read_to_string(root.join("scale.asc")).expect("still there"), "mine");
    let output = port(folder.path(), &["scale.cu", "--target", "ascend", "-o", "out"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(folder.path().join("out/scale_ascend/scale.asc").is_file());
}

#[test]
fn a_file_that_differs_is_not_overwritten_unasked() {
    let folder = folder();
    let existing = folder.path().join("scale.hip");
    fs::write(&existing, "mine").expect("a file");
    let output = port(folder.path(), &["scale.cu", "--target", "hip"]);
    assert_eq!(status(&output), 2);
    assert!(text(&output.stderr).contains("--force"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&existing).expect("still there"), "mine");
    assert_eq!(status(&port(folder.path(), &["scale.cu", "--target", "hip", "--force"])), 0);
    // A second run has nothing to write.
    assert_eq!(status(&port(folder.path(), &["scale.cu", "--target", "hip"])), 0);
}

#[test]
fn standard_output_holds_the_port_alone() {
    let folder = folder();
    let output = port(folder.path(), &["scale.cu", "--target", "hip", "-o", "-"]);
    assert_eq!(status(&output), 0);
    assert!(text(&output.stdout).starts_with("#include <hip/hip_runtime.h>\n"));
    assert!(!folder.path().join("scale.hip").exists());
    let json = port(
        folder.path(),
        &["scale.cu", "--target", "hip", "-o", "-", "--message-format", "json"],
    );
    assert_eq!(status(&json), 2);
}

#[test]
fn json_is_one_document_with_the_documented_shape() {
    let folder = folder();
    let output =
        port(folder.path(), &["scale.cu", "--target", "hip:gfx90a", "--message-format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["schema"], 1);
    let target = &document["inputs"][0]["targets"][0];
    assert_eq!(document["inputs"][0]["path"], "scale.cu");
    assert_eq!(target["target"], "hip");
    assert_eq!(target["arch"], "gfx90a");
    assert_eq!(target["outputs"][0], "scale.hip");
    assert_eq!(target["kernels"][0]["name"], "scale");
    assert_eq!(target["kernels"][0]["status"], "ported");
    assert_eq!(target["kernels"][0]["line"], 3);
    assert!(target["diagnostics"].is_array());
}

#[test]
fn findings_that_need_a_person_give_status_one() {
    let folder = folder();
    fs::write(folder.path().join("bad.cu"), REMOTE).expect("a file");
    let output = port(folder.path(), &["bad.cu", "--target", "hip"]);
    assert_eq!(status(&output), 1, "{}", text(&output.stderr));
    let errors = text(&output.stderr);
    assert!(errors.contains("error[P0403]") && errors.contains("bad.cu:1:"), "{errors}");
    let ported = fs::read_to_string(folder.path().join("bad.hip")).expect("the port");
    assert!(ported.contains("#error \"port: P0403"), "{ported}");
    let sarif = port(folder.path(), &["bad.cu", "--target", "hip", "--message-format", "sarif"]);
    let log: Value = serde_json::from_slice(&sarif.stdout).expect("SARIF is JSON");
    assert_eq!(log["version"], "2.1.0");
    assert!(text(&sarif.stdout).contains("P0403"));
    let github = port(folder.path(), &["bad.cu", "--target", "hip", "--message-format", "github"]);
    assert!(text(&github.stdout).contains("::error title=port P0403,file=bad.cu,line=1"));
}

#[test]
fn wrong_usage_gives_status_two_and_says_what_to_do() {
    let folder = folder();
    for (arguments, words) in [
        (&["scale.cu"][..], "--target"),
        (&["scale.cu", "--target", "cuda"], "hip"),
        (&["scale.cu", "--target", "hip:gfx1"], "gfx90a"),
        (&["missing.cu", "--target", "hip"], "missing.cu"),
        (&["explain", "P9999"], "port explain"),
    ] {
        let output = port(folder.path(), arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(words), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn bytes_that_are_no_utf8_are_named_and_kept() {
    let folder = folder();
    let latin = [b"// caf\xe9\n".as_slice(), SCALE.as_bytes(), b"// \xff\n"].concat();
    fs::write(folder.path().join("latin.cu"), &latin).expect("a file");
    let output = port(folder.path(), &["latin.cu", "--target", "hip"]);
    assert_eq!(status(&output), 1);
    let errors = text(&output.stderr);
    assert!(errors.contains("byte 0xE9 on line 1") && errors.contains("latin.cu:1:7"), "{errors}");
    let ported = fs::read(folder.path().join("latin.hip")).expect("the port");
    assert!(ported.starts_with(b"// caf\xe9\n#include <hip/"), "{}", text(&ported));
    assert!(ported.ends_with(b"// \xff\n"));
    let json = port(folder.path(), &["latin.cu", "--target", "hip", "--message-format", "json"]);
    assert!(text(&json.stdout).contains("P0001"), "{}", text(&json.stdout));
}

#[test]
fn a_folder_is_mirrored_with_its_headers() {
    let folder = folder();
    let root = folder.path();
    fs::create_dir_all(root.join("csrc/ops")).expect("a folder");
    fs::write(
        root.join("csrc/util.cuh"),
        "#pragma once\ninline cudaError_t ok() { return cudaSuccess; }\n",
    )
    .expect("a file");
    fs::write(root.join("csrc/plain.h"), "#pragma once\nint plain();\n").expect("a file");
    let op = "#include \"../util.cuh\"\n#include \"../plain.h\"\n__global__ void k() {}\ncudaError_t f() { return ok(); }\n";
    fs::write(root.join("csrc/ops/a.cu"), op).expect("a file");
    fs::write(root.join("csrc/b.cu"), "#include \"util.cuh\"\n__global__ void k2() {}\n")
        .expect("a file");
    let output = port(root, &["csrc", "--target", "hip", "-o", "out"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    for file in ["out/ops/a.hip", "out/b.hip", "out/util.cuh", "out/plain.h"] {
        assert!(root.join(file).is_file(), "{file}");
    }
    let header = fs::read_to_string(root.join("out/util.cuh")).expect("the header");
    assert!(header.contains("hipError_t ok() { return hipSuccess; }"), "{header}");
    let ported = fs::read_to_string(root.join("out/ops/a.hip")).expect("the port");
    assert!(ported.contains("#include \"../util.cuh\""), "{ported}");
}

#[test]
fn a_later_port_extends_the_compatibility_header_of_an_earlier_one() {
    let folder = folder();
    let root = folder.path();
    let kernel = |call: &str| format!("__global__ void k(int *x) {{ *x = {call}; }}\n");
    fs::write(root.join("a.cu"), kernel("__shfl_sync(0xffffffffu, *x, 0)")).expect("a file");
    fs::write(root.join("b.cu"), kernel("__ballot_sync(0xffffffffu, *x)")).expect("a file");
    assert_eq!(status(&port(root, &["a.cu", "--target", "hip"])), 0);
    assert_eq!(status(&port(root, &["b.cu", "--target", "hip"])), 0);
    let header = fs::read_to_string(root.join("port_hip_compat.h")).expect("the header");
    assert!(header.contains("port_shfl_sync") && header.contains("port_ballot_sync"));
    fs::write(root.join("port_hip_compat.h"), "// mine\n").expect("a file");
    assert_eq!(status(&port(root, &["a.cu", "--target", "hip"])), 2, "an edited header is kept");
}

#[test]
fn explanations_targets_and_completions() {
    let folder = folder();
    let one = port(folder.path(), &["explain", "p0403"]);
    assert!(text(&one.stdout).contains("## What to do"));
    let all = port(folder.path(), &["explain"]);
    assert!(text(&all.stdout).lines().count() > 10);
    assert!(text(&port(folder.path(), &["targets"]).stdout).contains("hip:gfx90a"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&port(folder.path(), &["completions", shell]).stdout);
        assert!(script.contains("snapshot") && script.contains("--message-format"), "{shell}");
    }
}

#[test]
fn standard_input_is_an_input() {
    use std::io::Write;
    use std::process::Stdio;
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_port"))
        .args(["-", "--target", "hip", "-o", "-"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("a pipe").write_all(SCALE.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(text(&output.stdout).contains("hipGetLastError"));
}

#[test]
fn files_are_ported_in_place_and_folders_to_the_default_folder() {
    let folder = folder();
    let root = folder.path();
    fs::create_dir_all(root.join("more/deep")).expect("a folder");
    fs::write(root.join("more/b.cu"), SCALE).expect("a file");
    fs::write(root.join("more/deep/c.cu"), SCALE).expect("a file");
    let output = port(root, &["scale.cu", "more/b.cu", "--target", "hip"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(root.join("scale.hip").is_file() && root.join("more/b.hip").is_file());
    let output = port(root, &["more", "--target", "hip"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(root.join("port-out/hip/b.hip").is_file());
    assert!(root.join("port-out/hip/deep/c.hip").is_file());
    // Our own outputs are no inputs.
    fs::write(root.join("port-out/hip/x.cu"), "broken(").expect("a file");
    let output = port(root, &[".", "--target", "hip", "-o", "all"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(root.join("all/more/deep/c.hip").is_file());
}

#[test]
fn a_file_whose_header_changes_goes_with_it_to_the_default_folder() {
    let folder = folder();
    let root = folder.path();
    let header =
        "#pragma once\n__device__ inline int lane(int m) { return __shfl_sync(m, 1, 0); }\n";
    fs::create_dir_all(root.join("ops")).expect("a folder");
    fs::write(root.join("lane.cuh"), header).expect("a file");
    let kernel = "#include \"../lane.cuh\"\n__global__ void k(int *x) { *x = lane(-1); }\n";
    fs::write(root.join("ops/a.cu"), kernel).expect("a file");
    fs::write(root.join("ops/b.cu"), kernel).expect("a file");
    let output = port(root, &["ops/a.cu", "ops/b.cu", "--target", "hip"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    for file in ["ops/a.hip", "ops/b.hip", "lane.cuh", "port_hip_compat.h"] {
        assert!(root.join("port-out/hip").join(file).is_file(), "{file}");
    }
    // The header finds what is generated from where it stands.
    let ported = fs::read_to_string(root.join("port-out/hip/lane.cuh")).expect("the header");
    assert!(ported.contains("#include \"port_hip_compat.h\""), "{ported}");
    assert_eq!(fs::read_to_string(root.join("lane.cuh")).expect("the input"), header);
    // A file of the user's is never an output, whatever is asked.
    let output = port(root, &["ops/a.cu", "--target", "hip", "-o", ".", "--force"]);
    assert_eq!(status(&output), 2);
    assert!(text(&output.stderr).contains("is an input"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(root.join("lane.cuh")).expect("the input"), header);
}

/// A header whose port depends on who includes it cannot be shared.
#[test]
fn inputs_that_disagree_on_a_header_have_folders_of_their_own() {
    let folder = folder();
    let root = folder.path();
    // Each input's macros decide what the name in the header means.
    put(
        root,
        "src/h.cuh",
        "#pragma once\n#ifdef OWN\nstruct dim { int x; };\ninline int cudaFree(dim) { return 0; }\n#endif\n\
         inline int release(ARG p) { return (int)cudaFree(p); }\n",
    );
    put(root, "src/a.cu", "#define ARG void *\n#include \"h.cuh\"\n__global__ void a() {}\n");
    put(
        root,
        "src/b.cu",
        "#define OWN\n#define ARG dim\n#include \"h.cuh\"\n__global__ void b() {}\n",
    );
    let output = port(root, &["src", "--target", "hip", "-o", "out"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let files = tree(&root.join("out"));
    assert_eq!(files, ["a.hip", "b.unit/b.hip", "b.unit/h.cuh", "h.cuh"]);
    let header = |name: &str| fs::read_to_string(root.join("out").join(name)).expect("a header");
    assert!(header("h.cuh").contains("return (int)hipFree(p)"), "{}", header("h.cuh"));
    assert_ne!(header("h.cuh"), header("b.unit/h.cuh"));
}

#[test]
fn several_targets_have_a_folder_each() {
    let folder = folder();
    let root = folder.path();
    let arguments = ["scale.cu", "--target", "hip:gfx90a,hip:gfx942,hip:gfx90a", "-o", "out"];
    let output = port(root, &arguments);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let ported = fs::read_to_string(root.join("out/hip-gfx90a/scale.hip")).expect("the port");
    assert!(ported.contains("hipGetLastError"));
    assert!(root.join("out/hip-gfx942/scale.hip").is_file());
    assert_eq!(fs::read_dir(root.join("out")).expect("a folder").count(), 2);
}

/// `x.cpp` may be the host half of the user's own program: it is left alone.
#[test]
fn a_name_that_is_taken_is_not_taken_over() {
    let folder = folder();
    let root = folder.path();
    let run = || port(root, &["scale.cu", "--target", "cpu"]);
    assert_eq!(status(&run()), 0);
    assert!(root.join("scale.cpp").is_file() && root.join("port_cpu.hpp").is_file());
    // A second run knows its own output.
    assert_eq!(status(&run()), 0);
    assert!(!root.join("scale.port.cpp").exists());
    fs::write(root.join("scale.cpp"), "int main() {}\n").expect("a file");
    let output = run();
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(root.join("scale.port.cpp").is_file());
    assert_eq!(fs::read_to_string(root.join("scale.cpp")).expect("mine"), "int main() {}\n");
}

#[test]
fn a_file_is_ported_to_several_targets_beside_it() {
    let folder = folder();
    let root = folder.path();
    let output = port(root, &["scale.cu", "--target", "hip,cpu"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(root.join("scale.hip").is_file() && root.join("scale.cpp").is_file());
}

#[test]
fn a_file_that_cannot_be_read_does_not_keep_the_others_from_being_ported() {
    let folder = folder();
    let root = folder.path();
    fs::write(root.join("binary.cu"), b"\x7fELF\0\0\0").expect("a file");
    let arguments =
        ["scale.cu", "gone.cu", "binary.cu", "--target", "hip", "--message-format", "json"];
    let output = port(root, &arguments);
    assert_eq!(status(&output), 2);
    let errors = text(&output.stderr);
    assert!(
        errors.contains("port: gone.cu: ") && errors.contains("binary.cu: is not text"),
        "{errors}"
    );
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["inputs"][0]["targets"][0]["outputs"][0], "scale.hip");
    assert!(document["inputs"][1]["error"].is_string());
    assert!(root.join("scale.hip").is_file());
}

#[test]
fn a_kernel_that_is_not_there_is_a_mistake() {
    let folder = folder();
    let output = port(folder.path(), &["scale.cu", "--target", "hip", "--kernel", "scales"]);
    assert_eq!(status(&output), 2);
    assert!(text(&output.stderr).contains("there are: scale"), "{}", text(&output.stderr));
    assert!(!folder.path().join("scale.hip").exists());
    let found = ["scale.cu", "--target", "hip", "--kernel", "scale"];
    assert_eq!(status(&port(folder.path(), &found)), 0);
}

/// Every flag has a help with an example, and `-h` shows it.
#[test]
fn help_shows_examples() {
    let folder = folder();
    for command in [&[][..], &["scan"], &["snapshot"], &["exec"]] {
        let output = port(folder.path(), &[command, &["-h"]].concat());
        assert_eq!(status(&output), 0);
        let help = text(&output.stdout);
        assert!(help.contains("Examples:\n"), "{help}");
        let options = help.split("Options:\n").nth(1).expect("options");
        let mut flags: Vec<String> = Vec::new();
        for line in options.split("\nExamples:").next().unwrap_or("").lines() {
            let words = line.trim_start();
            if words.starts_with('-') && line.len() - words.len() < 8 {
                flags.push(words.to_owned());
            } else if let Some(flag) = flags.last_mut() {
                flag.push(' ');
                flag.push_str(words);
            }
        }
        assert!(flags.len() > 5, "{help}");
        for flag in flags {
            let own = flag.contains("--help") || flag.contains("--version");
            assert!(own || flag.contains("Example: "), "no example in {flag}");
        }
    }
}
