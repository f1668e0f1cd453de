//! `port snapshot`: ports kept under version control.

#![allow(clippy::disallowed_methods, reason = "a test of the binary runs it over files")]

mod common;

use std::fs;

use common::{REMOTE, SCALE, port, put, status, text, tree};
use serde_json::Value;

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "ops/scale.cu", SCALE);
    put(folder.path(), "ops/deep/remote.cu", REMOTE);
    folder
}

const ALL: [&str; 4] = ["snapshot", "ops", "--target", "hip"];

#[test]
fn accepted_ports_are_compared() {
    let folder = project();
    let root = folder.path();
    let run = |flag: &str| port(root, &[&ALL[..], &[flag]].concat());
    let first = run("--check");
    assert_eq!(status(&first), 1, "{}", text(&first.stderr));
    assert!(text(&first.stdout).contains("new: ops/port-snapshots/hip/scale.hip\n"));
    assert_eq!(tree(root).len(), 2, "nothing is written unasked");
    assert_eq!(status(&run("--accept")), 0);
    let kept = "ops/port-snapshots/hip";
    for file in ["scale.hip", "scale.report.txt", "deep/remote.hip", "deep/remote.report.txt"] {
        assert!(root.join(kept).join(file).is_file(), "{file}");
    }
    let report = fs::read_to_string(root.join(kept).join("deep/remote.report.txt")).expect("text");
    assert!(report.starts_with("deep/remote.cu for hip\nmanual           remote\n"), "{report}");
    assert!(
        report.contains("error[P0403]") && report.contains("--> deep/remote.cu:1:"),
        "{report}"
    );
    assert_eq!(status(&run("--check")), 0);
    // The same from another folder, and with another spelling of the path.
    let from = port(&root.join("ops/deep"), &["snapshot", "..", "--target", "hip", "--check"]);
    assert_eq!(status(&from), 0, "{}", text(&from.stdout));
    let absolute = root.join("ops").to_string_lossy().into_owned();
    let from = port(root, &["snapshot", &absolute, "--target", "hip", "--check"]);
    assert_eq!(status(&from), 0, "{}", text(&from.stdout));
}

#[test]
fn a_change_is_shown_as_a_diff() {
    let folder = project();
    let root = folder.path();
    assert_eq!(status(&port(root, &[&ALL[..], &["--accept"]].concat())), 0);
    put(root, "ops/scale.cu", SCALE.replace("x[i] *= a", "x[i] += a"));
    fs::remove_file(root.join("ops/deep/remote.cu")).expect("removed");
    let output = port(root, &ALL);
    assert_eq!(status(&output), 0, "without --check it only shows");
    let shown = text(&output.stdout);
    for line in [
        "--- ops/port-snapshots/hip/scale.hip (accepted)\n",
        "\n-  if (i < n) x[i] *= a;\n+  if (i < n) x[i] += a;\n",
        "gone: ops/port-snapshots/hip/deep/remote.hip\n",
        "; `--accept` writes them\n",
    ] {
        assert!(shown.contains(line), "{line:?} is not in\n{shown}");
    }
    assert!(!shown.contains('\x1b'), "no colour in a pipe");
    let colored = port(root, &[&ALL[..], &["--color", "always"]].concat());
    assert!(text(&colored.stdout).contains("\x1b[31m-  if (i < n) x[i] *= a;"));
    assert_eq!(status(&port(root, &[&ALL[..], &["--check"]].concat())), 1);
    let json = port(root, &[&ALL[..], &["--message-format", "json"]].concat());
    let document: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let states: Vec<&str> = document["files"]
        .as_array()
        .expect("files")
        .iter()
        .filter_map(|file| file["state"].as_str())
        .collect();
    assert!(states.contains(&"changed") && states.contains(&"gone"), "{states:?}");
    assert_eq!(status(&port(root, &[&ALL[..], &["--accept"]].concat())), 0);
    assert!(!root.join("ops/port-snapshots/hip/deep").exists());
    assert_eq!(status(&port(root, &[&ALL[..], &["--check"]].concat())), 0);
}

#[test]
fn one_file_alone_leaves_the_ports_of_others() {
    let folder = project();
    let root = folder.path();
    put(root, "ops/vote.cu", "__global__ void v(int *x) { *x = __any_sync(-1, *x); }\n");
    assert_eq!(status(&port(root, &[&ALL[..], &["--accept"]].concat())), 0);
    let before = tree(root);
    let one = ["snapshot", "ops/vote.cu", "--target", "hip", "--check"];
    let output = port(root, &one);
    assert_eq!(status(&output), 0, "{}", text(&output.stdout));
    assert_eq!(tree(root), before);
}

#[test]
fn what_cannot_be_read_keeps_its_port() {
    let folder = project();
    let root = folder.path();
    assert_eq!(status(&port(root, &[&ALL[..], &["--accept"]].concat())), 0);
    put(root, "ops/scale.cu", b"\0\0\0");
    let output = port(root, &[&ALL[..], &["--accept"]].concat());
    assert_eq!(status(&output), 2);
    assert!(root.join("ops/port-snapshots/hip/scale.hip").is_file());
}
