//! The IR names no target: neither its code nor its text form knows what a kernel is ported to.

// The test reads the crate's own source; the crate itself reads no files.
#![allow(clippy::disallowed_methods)]

use std::path::Path;

/// Names of targets, their makers, their toolkits and their words for a warp.
const NAMES: &[&str] = &[
    "amd",
    "amdgpu",
    "ascend",
    "bang",
    "cambricon",
    "cann",
    "cdna",
    "dcu",
    "gcn",
    "gfx",
    "hip",
    "huawei",
    "hygon",
    "kunlunxin",
    "maca",
    "metax",
    "mlu",
    "moore",
    "musa",
    "opencl",
    "rdna",
    "rocm",
    "spirv",
    "sycl",
    "vulkan",
    "wave",
    "wavefront",
    "wave32",
    "wave64",
    "xpu",
];

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase())
}

fn check(folder: &Path) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            check(&path);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (index, line) in text.lines().enumerate() {
            for word in words(line) {
                let known = NAMES.contains(&word.as_str());
                assert!(!known, "{}:{}: `{word}`", path.display(), index + 1);
            }
        }
    }
}

#[test]
fn no_target_names() {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
}
