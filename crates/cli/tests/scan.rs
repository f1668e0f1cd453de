//! `port scan`: statuses, causes, totals, baselines.

#![allow(clippy::disallowed_methods, reason = "a test of the binary runs it over files")]

mod common;

use std::fs;

use common::{REMOTE, folder, port, put, status, text, tree};
use serde_json::Value;

#[test]
fn kernels_causes_and_totals() {
    let folder = folder();
    let root = folder.path();
    put(root, "ops/remote.cuh", REMOTE);
    put(root, "ops/a.cu", "#include \"remote.cuh\"\n__global__ void a() {}\n");
    put(
        root,
        "ops/b.cu",
        format!("#include \"remote.cuh\"\n\n{}", REMOTE.replace("remote(", "other(")),
    );
    let before = tree(root);
    let output = port(root, &["scan", ".", "--target", "hip"]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let report = text(&output.stdout);
    // The header's kernel is one, though two units include it.
    assert!(report.ends_with("3 files\nhip: 4 kernels: 2 ported, 2 manual\n"), "{report}");
    assert!(report.contains("manual           remote (line 1)\n"), "{report}");
    assert!(report.contains("error[P0403]: inline PTX `…` has no form on HIP\n"), "{report}");
    assert!(report.contains("2 places in 2 kernels, first at ops/b.cu:3:"), "{report}");
    assert_eq!(tree(root), before, "a scan writes nothing");

    let json = port(root, &["scan", ".", "--target", "hip", "--message-format", "json"]);
    let document: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let target = &document["targets"][0];
    assert_eq!(document["files"], 3);
    assert_eq!(target["totals"]["manual"], 2);
    assert_eq!(target["kernels"].as_array().expect("kernels").len(), 4);
    assert_eq!(target["causes"][0]["code"], "P0403");
    assert_eq!(target["causes"][0]["count"], 2);
    assert_eq!(target["causes"][0]["first"]["line"], 3);
}

#[test]
fn a_page_for_others_to_read() {
    let folder = folder();
    let root = folder.path();
    put(root, "ops/remote.cu", format!("{REMOTE}template <int N> __global__ void fine() {{}}\n"));
    let arguments = ["scan", "ops", "--target", "hip", "-q", "--html", "scan.html"];
    let output = port(root, &arguments);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let page = fs::read_to_string(root.join("scan.html")).expect("the page");
    assert!(page.contains("<h2>hip: 2 kernels</h2>"), "{page}");
    assert!(page.contains("1 ported</span>, <span class=\"manual\">1 manual</span>"), "{page}");
    assert!(page.contains("error[P0403]: inline PTX `…` has no form on HIP"), "{page}");
    // No names of the user's become markup.
    assert!(!page.contains("<int"), "{page}");
    put(root, "scan.html", "notes");
    let again = port(root, &arguments);
    assert_eq!(status(&again), 2, "nothing is overwritten unasked");
    let forced = port(root, &[&arguments[..], &["--force"]].concat());
    assert_eq!(status(&forced), 0, "{}", text(&forced.stderr));
}

#[test]
fn all_targets_are_scanned_unless_some_are_named() {
    let folder = folder();
    let json = port(folder.path(), &["scan", "scale.cu", "--message-format", "json"]);
    assert_eq!(status(&json), 0, "{}", text(&json.stderr));
    let document: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let targets = document["targets"].as_array().expect("targets");
    assert_eq!(targets.len(), port::backends().len());
}

#[test]
fn what_cannot_be_read_is_counted_and_gives_status_two() {
    let folder = folder();
    put(folder.path(), "binary.cu", b"\x7fELF\0\0\0");
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.cu")).expect("a link");
    let output = port(folder.path(), &["scan", ".", "--target", "hip"]);
    assert_eq!(status(&output), 2);
    let report = text(&output.stdout);
    assert!(report.contains("1 file, 2 more could not be read\n"), "{report}");
    assert!(text(&output.stderr).contains("binary.cu: is not text"));
    assert!(text(&output.stderr).contains("dangling.cu: "));
}

#[test]
fn a_baseline_finds_what_ports_worse() {
    let folder = folder();
    let root = folder.path();
    let scan = ["scan", ".", "--target", "hip", "--message-format", "json"];
    put(root, "baseline.json", port(root, &scan).stdout);
    let with = ["scan", ".", "--target", "hip", "--baseline", "baseline.json"];
    assert_eq!(status(&port(root, &with)), 0);
    // A new kernel that does not port is no regression; one that did is.
    put(root, "new.cu", REMOTE);
    assert_eq!(status(&port(root, &with)), 0);
    put(root, "scale.cu", REMOTE.replace("remote(", "scale("));
    let output = port(root, &with);
    assert_eq!(status(&output), 1);
    let report = text(&output.stdout);
    assert!(report.contains("[hip] scale.cu: scale: ported, now manual"), "{report}");
    put(root, "baseline.json", "{}");
    let output = port(root, &with);
    assert_eq!(status(&output), 2);
    assert!(
        text(&output.stderr).contains("is no report of `port scan"),
        "{}",
        text(&output.stderr)
    );
}

/// As many kernels as a large repository has.
#[test]
fn five_hundred_kernels() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for file in 0..50 {
        let kernels: String = (0..10)
            .map(|k| {
                format!("__global__ void k{file}_{k}(float *x) {{ x[threadIdx.x] += {k}; }}\n")
            })
            .collect();
        put(root, &format!("f{}/k{file}.cu", file % 7), kernels);
    }
    let one = port(root, &["scan", ".", "--target", "hip", "--jobs", "1"]);
    let four = port(root, &["scan", ".", "--target", "hip", "--jobs", "4"]);
    assert_eq!(text(&one.stdout), text(&four.stdout));
    assert!(text(&one.stdout).ends_with("50 files\nhip: 500 kernels: 500 ported\n"));
    assert!(fs::read_dir(root).expect("readable").count() == 7);
}
