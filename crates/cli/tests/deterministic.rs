//! Same input, same bytes: whatever the working directory, the number of threads and the seed of hash
//! maps, which differs from process to process.

#![allow(clippy::disallowed_methods, reason = "a test of the binary runs it over files")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{SCALE, port, put, status, text, tree};

/// Real operators, with headers that several of them share.
const FAMILIES: [&str; 3] = ["common", "norm", "rope"];

/// The others of their family have the same forms, and are each ported for every run.
const LEFT_OUT: [&str; 2] = ["fused_add_rms_norm", "layer_norm"];

fn kernels(root: &Path, families: &[&str]) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels");
    for family in families {
        for name in tree(&workspace.join(family)) {
            if LEFT_OUT.iter().any(|left_out| name.starts_with(left_out)) {
                continue;
            }
            let text = fs::read(workspace.join(family).join(&name)).expect("readable");
            put(root, &format!("kernels/{family}/{name}"), text);
        }
    }
    // Findings of several files, whose order could come from threads.
    for name in ["a", "b", "c", "d"] {
        let vote = SCALE.replace("x[i] *= a", "asm(\"bar.sync 0;\"); x[i] += __any_sync(-1, i)");
        put(root, &format!("kernels/{name}.cu"), vote);
    }
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| {
        let bytes = fs::read(folder.join(&name)).expect("readable");
        (name, bytes)
    };
    tree(folder).into_iter().map(read).collect()
}

fn targets() -> String {
    port::backends().iter().map(|backend| backend.name()).collect::<Vec<_>>().join(",")
}

#[test]
fn deterministic() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    kernels(root, &FAMILIES);
    let run = |from: &str, input: &str, jobs: &str| -> (BTreeMap<String, Vec<u8>>, String) {
        let out = root.join("out");
        let place = out.to_string_lossy().into_owned();
        let arguments = [input, "--target", &targets(), "-o", &place, "--jobs", jobs, "-v"];
        let output = port(&root.join(from), &arguments);
        assert_eq!(status(&output), 1, "{}", text(&output.stderr));
        let files = contents(&out);
        fs::remove_dir_all(&out).expect("removed");
        (files, text(&output.stderr))
    };
    let (files, said) = run("", "kernels", "1");
    assert!(files.len() > 10, "{:?}", files.keys());
    for jobs in ["1", "2", "8"] {
        let (again, said_again) = run("", "kernels", jobs);
        assert_eq!(again.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        assert!(again == files, "--jobs {jobs}");
        assert!(said_again == said, "--jobs {jobs}");
    }
    let absolute = root.join("kernels").to_string_lossy().into_owned();
    for (from, input) in [("kernels/norm", ".."), ("kernels", "."), ("kernels/rope", &absolute)] {
        let (again, _) = run(from, input, "2");
        assert_eq!(again.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        for (name, bytes) in &again {
            assert!(files[name] == *bytes, "{name} differs when ported from {from}");
        }
    }
}

#[test]
fn reports_are_deterministic() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    kernels(root, &[]);
    let targets = targets();
    let snapshots = root.join("kernels/port-snapshots");
    for arguments in [
        vec!["scan", "kernels", "--message-format", "json"],
        vec!["scan", "kernels"],
        vec![
            "kernels/a.cu",
            "kernels/b.cu",
            "--target",
            &targets,
            "--message-format",
            "json",
            "-o",
            "o",
        ],
        vec![
            "kernels/a.cu",
            "kernels/b.cu",
            "--target",
            &targets,
            "--message-format",
            "sarif",
            "-o",
            "o",
        ],
        vec!["snapshot", "kernels", "--target", &targets, "--accept"],
    ] {
        let run = |jobs: &str| {
            let output = port(root, &[&arguments[..], &["--jobs", jobs]].concat());
            let files = if snapshots.exists() { contents(&snapshots) } else { BTreeMap::new() };
            let _ = fs::remove_dir_all(&snapshots);
            (text(&output.stdout), files)
        };
        let first = run("1");
        assert!(!first.0.is_empty(), "{arguments:?}");
        for jobs in ["8", "2"] {
            assert!(run(jobs) == first, "{arguments:?} --jobs {jobs}");
        }
    }
}

/// The port of a file does not depend on where the file lies.
#[test]
fn a_port_does_not_know_where_it_was_made() {
    let ports: Vec<BTreeMap<String, Vec<u8>>> = ["one", "an other/place"]
        .into_iter()
        .map(|place| {
            let folder = tempfile::tempdir().expect("a folder");
            let here: PathBuf = folder.path().join(place);
            put(&here, "k.cu", SCALE.replace("x[i] *= a", "x[i] += __shfl_xor_sync(-1, a, 1)"));
            let output = port(&here, &["k.cu", "--target", &targets(), "-o", "out/"]);
            assert_eq!(status(&output), 0, "{}", text(&output.stderr));
            contents(&here.join("out"))
        })
        .collect();
    assert!(ports[0] == ports[1]);
}
