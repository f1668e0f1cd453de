//! Inputs that break tools: each gives a clear message and exit status 0, 1 or 2, in little time and
//! less than 1 GB of memory, and costs the user nothing that was there before.

#![allow(clippy::disallowed_methods, reason = "a test of the binary runs it over files")]
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::{REMOTE, SCALE, port, put, status, text, tree};

/// Two seconds for the binary that users run; code without optimisation is some ten times slower,
/// and tests share the machine.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 40 } else { 2 });

/// Runs the binary with at most 1 GB of address space.
fn limited(folder: &Path, prelude: &str, arguments: &[&str]) -> Output {
    let script = format!("{prelude} ulimit -v 1048576; exec \"$@\"");
    let start = Instant::now();
    let output = Command::new("bash")
        .args(["-c", &script, "bash", env!("CARGO_BIN_EXE_port")])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("bash runs");
    assert!(start.elapsed() < LIMIT, "{:?}: {arguments:?}", start.elapsed());
    output
}

/// Ports a text; the exit status and what was said. The input is never touched, and the port is whole
/// or absent.
fn ported(bytes: impl AsRef<[u8]>, target: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "k.cu", bytes.as_ref());
    put(root, "out/theirs.h", "theirs");
    let output = limited(root, "", &["k.cu", "--target", target, "-o", "out/"]);
    assert_eq!(fs::read(root.join("k.cu")).expect("the input"), bytes.as_ref());
    assert_eq!(fs::read_to_string(root.join("out/theirs.h")).expect("a file"), "theirs");
    let hidden = |name: &String| name.contains("/.port-");
    assert!(!tree(root).iter().any(hidden), "a temporary file is left: {:?}", tree(root));
    (status(&output), text(&output.stderr))
}

/// Ports a text to every target, expects the status and some words.
fn expect(bytes: impl AsRef<[u8]>, wanted: i32, words: &str) {
    for backend in port::backends() {
        let (status, said) = ported(bytes.as_ref(), backend.name());
        assert_eq!(status, wanted, "{}: {said:.2000}", backend.name());
        assert!(said.contains(words), "{}: {said:.2000}", backend.name());
    }
}

/// The same for a text that may be ported with warnings or be refused; nothing else.
fn expect_end(bytes: impl AsRef<[u8]>) {
    for backend in port::backends() {
        let (status, said) = ported(bytes.as_ref(), backend.name());
        assert!((0..=2).contains(&status), "{}: {status} {said:.2000}", backend.name());
        assert!(!said.contains("internal error") && !said.contains("panicked"), "{said:.2000}");
    }
}

fn kernel(body: &str) -> String {
    format!("__global__ void k(int *x) {{ {body} }}\n")
}

#[test]
fn empty() {
    expect("", 0, "k.cu");
    expect("\n", 0, "k.cu");
}

#[test]
fn binary() {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    expect(bytes, 2, "k.cu: is not text");
}

#[test]
fn latin_1() {
    let text = [b"// caf\xe9\n".as_slice(), kernel("x[0] = 1;").as_bytes()].concat();
    expect(text, 1, "is not UTF-8 text: byte 0xE9 on line 1");
}

#[test]
fn utf_16() {
    let encoded = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(SCALE.encode_utf16());
        units.flat_map(|u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    expect(encoded(false), 2, "UTF-16");
    expect(encoded(true), 2, "UTF-16");
    expect(&encoded(false)[2..], 2, "UTF-16");
}

#[test]
fn carriage_returns_and_byte_order_marks_survive() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("\u{feff}{}", SCALE.replace('\n', "\r\n"));
    put(folder.path(), "k.cu", &text);
    let output = limited(folder.path(), "", &["k.cu", "--target", "hip"]);
    assert_eq!(status(&output), 0, "{}", common::text(&output.stderr));
    let ported = fs::read_to_string(folder.path().join("k.hip")).expect("the port");
    let expected = text.replace("cuda_runtime.h", "hip/hip_runtime.h").replace("cuda", "hip");
    assert_eq!(ported, expected);
    expect(SCALE.replace('\n', "\r\n"), 0, "k.cu");
    expect(format!("\u{feff}{SCALE}"), 0, "k.cu");
}

#[test]
fn deep_nesting() {
    let deep = |open: &str, inside: &str, close: &str| {
        format!("x[0] = {}{inside}{};", open.repeat(20_000), close.repeat(20_000))
    };
    expect(kernel(&deep("(", "1", ")")), 1, "nested too deeply");
    expect(kernel(&deep("(", "", "")), 1, "nested too deeply");
    expect(
        kernel(&format!("{}{}", "{".repeat(20_000), "}".repeat(20_000))),
        1,
        "nested too deeply",
    );
    expect(kernel(&"{".repeat(20_000)), 1, "error");
    expect_end(kernel(&deep("-", "1", "")));
    expect_end(kernel(&deep("x[", "1", "]")));
    expect_end(kernel(&deep("A<", "int", ">")));
}

#[test]
fn macros_that_expand_themselves() {
    let text = "#define A A A\n#define f(x) f(f(x))\n#define B(x) C(x) x\n#define C(x) B(x) x\n";
    expect_end(format!("{text}{}", kernel("A; f(f(1)); B(B(C(1)));")));
}

#[test]
fn macros_that_grow_exponentially() {
    let objects: String = (1..40).map(|i| format!("#define A{i} A{0} A{0}\n", i - 1)).collect();
    expect(format!("{objects}{}", kernel("A39;")), 1, "P0114");
    let functions: String = (1..40).map(|i| format!("#define F{i}(a) F{}(a a)\n", i - 1)).collect();
    expect(format!("{functions}{}", kernel("F39(x);")), 1, "P0114");
}

#[test]
fn an_include_cycle() {
    expect("#include \"k.cu\"\n__global__ void f() {}\n", 1, "P0111");
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "k.cu", "#include \"a.h\"\n#include \"a.h\"\n__global__ void f() {}\n");
    put(root, "a.h", "#include \"b.h\"\n#include \"b.h\"\n");
    put(root, "b.h", "#include \"a.h\"\n#include \"a.h\"\n");
    let output = limited(root, "", &["k.cu", "--target", "hip"]);
    assert_eq!(status(&output), 1, "{}", text(&output.stderr));
}

#[test]
fn unbalanced() {
    expect("#if 1\n".repeat(1000) + REMOTE, 1, "has no `#endif`");
    expect("#else\n#endif\n".repeat(500) + REMOTE, 1, "belongs to no `#if`");
    expect("}".repeat(20_000) + &kernel("x[0] = 1;"), 1, "closes nothing");
    expect(kernel("x[0] = 1; }"), 1, "closes nothing");
    expect("__global__ void k(int *x) { if (x) {\n".repeat(300), 1, "error");
}

#[test]
fn endless_templates() {
    let recursion = "template <int N> __device__ int f() { return f<N + 1>(); }\n";
    expect(format!("{recursion}{}", kernel("x[0] = f<0>();")), 1, "the recursion has no end");
    let wide = "template <typename T, int N> __device__ T f(T t) {\n\
        return f<T, N - 1>(t) + f<T, N - 2>(t) + f<T *, N - 3>(&t)[0];\n}\n";
    expect_end(format!("{wide}{}", kernel("x[0] = f<int, 1000>(3);")));
    let types = "template <typename T> struct S { typedef typename S<S<T>>::type type; };\n";
    expect_end(format!("{types}{}", kernel("S<int>::type y; x[0] = y;")));
    let numbers =
        "template <int N> struct S { static constexpr int v = S<N - 1>::v + S<N - 2>::v; };\n";
    expect_end(format!("{numbers}{}", kernel("x[0] = S<60>::v;")));
    let constexpr = "constexpr int f(int n) { return n < 2 ? 1 : f(n - 1) + f(n - 2); }\n";
    expect_end(format!("{constexpr}{}", kernel("__shared__ int a[f(60)]; x[0] = a[0];")));
}

#[test]
fn seven_hundred_thousand_kernels() {
    // Just below the limit of a file's size.
    expect("__global__ void k(){}\n".repeat(700_000), 1, "P0114");
}

#[test]
fn a_file_of_more_than_16_megabytes() {
    let many: String =
        (0..700_000).map(|i| format!("__global__ void kernel_{i}() {{}}\n")).collect();
    expect(many, 2, "is too large");
    let folder = tempfile::tempdir().expect("a folder");
    let sparse = fs::File::create(folder.path().join("k.cu")).expect("a file");
    sparse.set_len(8 << 30).expect("a hole");
    let output = limited(folder.path(), "", &["k.cu", "--target", "hip"]);
    assert_eq!(status(&output), 2, "{}", text(&output.stderr));
    let output = limited(folder.path(), "", &["/dev/zero", "--target", "hip", "-o", "-"]);
    assert_eq!(status(&output), 2, "{}", text(&output.stderr));
}

#[test]
fn a_header_that_cannot_be_taken_is_left_out_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "k.cu", format!("#include \"weights.h\"\n#include \"blob.h\"\n{SCALE}"));
    let weights = fs::File::create(root.join("weights.h")).expect("a file");
    weights.set_len(80 << 20).expect("a hole");
    put(root, "blob.h", b"\x7fELF\0\0\0");
    let output = limited(root, "", &["k.cu", "--target", "hip"]);
    let said = text(&output.stderr);
    assert!(said.contains("warning[P0002]: weights.h is too large"), "{said}");
    assert!(said.contains("warning[P0002]: blob.h is not text"), "{said}");
    assert!(root.join("k.hip").is_file(), "{said}");
}

#[test]
fn links_that_lead_nowhere_or_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "src/scale.cu", SCALE);
    symlink("..", root.join("src/up")).expect("a link");
    symlink("self.cu", root.join("self.cu")).expect("a link");
    let output = limited(root, "", &["src", "--target", "hip"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(root.join("port-out/hip/scale.hip").is_file());
    let output = limited(root, "", &["self.cu", "--target", "hip"]);
    assert_eq!(status(&output), 2);
    // A file that is listed and gone when it is read: the others are ported.
    symlink("gone", root.join("src/gone.cu")).expect("a link");
    let output = limited(root, "", &["src", "--target", "hip", "-o", "again"]);
    assert_eq!(status(&output), 2);
    assert!(text(&output.stderr).contains("src/gone.cu: "), "{}", text(&output.stderr));
    assert!(root.join("again/scale.hip").is_file());
}

#[test]
fn files_that_vanish_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for number in 0..200 {
        put(root, &format!("src/k{number:03}.cu"), SCALE);
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_port"))
        .args(["src", "--target", "hip", "-q"])
        .current_dir(root)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    for number in (0..200).rev() {
        let _ = fs::remove_file(root.join(format!("src/k{number:03}.cu")));
    }
    let output = child.wait().map(|_| child.wait_with_output());
    let output = output.expect("it ends").expect("it ends");
    // Where the last was gone before the folder was listed, that is wrong usage too.
    assert!([0, 2].contains(&status(&output)), "{}", text(&output.stderr));
}

#[test]
fn a_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "locked/scale.cu", SCALE);
    let locked = root.join("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).expect("read-only");
    // Permissions do not hold for root; /proc takes no file from anybody.
    let is_root = fs::write(locked.join("probe"), "").is_ok();
    let output = match is_root {
        true => limited(root, "", &["locked/scale.cu", "--target", "hip", "-o", "/proc/scale.hip"]),
        false => limited(root, "", &["locked/scale.cu", "--target", "hip"]),
    };
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).expect("as before");
    assert_eq!(status(&output), 2);
    let said = text(&output.stderr);
    assert!(said.contains("cannot write") && said.contains("nothing was written"), "{said}");
    let left: Vec<String> =
        tree(root).into_iter().filter(|name| !name.ends_with("probe")).collect();
    assert_eq!(left, ["locked/scale.cu"]);
}

#[test]
fn a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "k.cu", format!("{SCALE}{}", "// filling\n".repeat(1000)));
    put(root, "k.hip", "theirs");
    // No file may grow past 1 KB: writing fails half-way, as on a full disk.
    let limit = "trap '' XFSZ; ulimit -f 1;";
    for arguments in [
        &["k.cu", "--target", "hip", "--force"][..],
        &["k.cu", "--target", "hip", "-o", "new/deep/k.hip"],
        &["k.cu", "--target", "hip", "-o", "/dev/full", "--force"],
    ] {
        let output = limited(root, limit, arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains("cannot write") && said.contains("nothing was written"), "{said}");
        assert_eq!(tree(root), ["k.cu", "k.hip"], "{arguments:?}");
        assert_eq!(fs::read_to_string(root.join("k.hip")).expect("theirs"), "theirs");
    }
    let full = |redirect: &str, arguments: &str| {
        let script = format!("exec \"$0\" {arguments} {redirect}");
        let mut command = Command::new("bash");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_port")]).current_dir(root);
        command.output().expect("bash runs")
    };
    let output = full(">/dev/full", "k.cu --target hip -o -");
    assert_eq!(status(&output), 2, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("cannot write to standard output"));
    // Nobody can be told, but the port is there.
    assert_eq!(status(&full("2>/dev/full", "k.cu --target hip --force")), 0);
    assert!(fs::read_to_string(root.join("k.hip")).expect("the port").contains("hipGetLastError"));
}

#[test]
fn paths_that_are_no_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join(OsStr::from_bytes(b"d\xff"));
    fs::create_dir(&inner).expect("a folder");
    let name = OsStr::from_bytes(b"k\xfe.cu");
    fs::write(inner.join("h.cuh"), "#pragma once\n__device__ int one() { return 1; }\n")
        .expect("a file");
    let kernel = "#include \"h.cuh\"\n__global__ void k(int *x) { *x = one(); }\n";
    fs::write(inner.join(name), kernel).expect("a file");
    let run = |arguments: &[&OsStr]| {
        Command::new(env!("CARGO_BIN_EXE_port"))
            .args(arguments)
            .args(["--target", "hip"])
            .current_dir(folder.path())
            .output()
            .expect("the binary runs")
    };
    let path = Path::new(OsStr::from_bytes(b"d\xff")).join(name);
    let output = run(&[path.as_os_str()]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let output = run(&[OsStr::new("."), OsStr::new("-o"), OsStr::new("out")]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let ported = OsStr::from_bytes(b"k\xfe.hip");
    let found = |folder: &Path| {
        fs::read_dir(folder).expect("readable").flatten().any(|e| e.file_name() == ported)
    };
    assert!(found(&inner), "beside its input");
    let mirrored = folder.path().join("out");
    assert!(found(&mirrored) || found(&mirrored.join(OsStr::from_bytes(b"d\xff"))), "mirrored");
}

#[test]
fn nothing_is_overwritten_by_any_way_of_asking() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "k.cu", SCALE);
    for (output, existing) in [("k.hip", "k.hip"), ("out/", "out/k.hip"), ("x.txt", "x.txt")] {
        put(root, existing, "theirs");
        let result = port(root, &["k.cu", "--target", "hip", "-o", output]);
        assert_eq!(status(&result), 2, "{output}");
        assert!(text(&result.stderr).contains("--force"), "{}", text(&result.stderr));
        assert_eq!(fs::read_to_string(root.join(existing)).expect("theirs"), "theirs");
    }
    fs::create_dir(root.join("folder.hip")).expect("a folder");
    put(root, "folder.cu", SCALE);
    assert_eq!(status(&port(root, &["folder.cu", "--target", "hip", "--force"])), 2);
}
