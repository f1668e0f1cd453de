//! `cargo xtask verify-api`: every name that the tables claim for HIP occurs in the HIP headers that
//! `setup` installs, from the release that the row says on.
//!
//! It compares words, comments and strings aside: a name that is there may still have other
//! parameters. Names of libraries (hipBLAS and the like) are passed over, their headers are not
//! installed. The tables are read as they are, not as generated.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::codegen_api::{NativeName, native_names};
use crate::compilers::{HipHeaders, Tools};

/// Names that the compiler itself knows; no header has them.
const COMPILER_NAMES: [&str; 14] = [
    "__global__",
    "__host__",
    "__device__",
    "__shared__",
    "__constant__",
    "__restrict__",
    "__noinline__",
    "__HIPCC__",
    "__HIPCC_RTC__",
    "assert",
    "alloca",
    "memcpy",
    "memset",
    "std",
];

/// Checks every native name against every installed release.
///
/// # Errors
/// The names that are missing, or that no header set is installed.
pub fn run() -> Result<(), String> {
    verify_api_against_headers(&Tools::locate())
}

fn verify_api_against_headers(tools: &Tools) -> Result<(), String> {
    let names = native_names()?;
    let compiler = compiler_headers();
    let mut faults = Vec::new();
    let mut checked = 0;
    for headers in HipHeaders::ALL {
        let folders = tools.include_folders(headers);
        if folders.iter().any(|folder| !folder.is_dir()) {
            println!("{headers}: not installed, not checked");
            continue;
        }
        let mut words = BTreeSet::new();
        for folder in folders.iter().map(|folder| folder.join("hip")).chain(compiler.clone()) {
            collect_words(&folder, &mut words)?;
        }
        let release = match headers {
            HipHeaders::V5_2 => "5.2",
            HipHeaders::V6_4 => "6.4",
            HipHeaders::V7_1 => "7.1",
        };
        for name in &names {
            if name.since.as_str() <= release && !is_present(name, &words) {
                faults.push(format!("{}: {} is not in {headers}", name.cuda, name.hip));
            }
            checked += 1;
        }
    }
    if checked == 0 {
        return Err("no header set is installed; run `cargo xtask setup`".into());
    }
    println!("{checked} names looked up");
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn is_present(name: &NativeName, words: &BTreeSet<String>) -> bool {
    // A qualified name is declared in its namespace: only its last part is a word of the text.
    let last = name.hip.rsplit("::").next().unwrap_or(&name.hip);
    // The constructors of vectors are pasted: `make_##type`.
    let pasted =
        last.strip_prefix("make_").is_some_and(|of| words.contains("make_") && words.contains(of));
    COMPILER_NAMES.contains(&last)
        || name.cuda.starts_with("std::")
        || words.contains(last)
        || pasted
}

/// The headers that clang puts in front of every HIP file: device maths is declared there.
fn compiler_headers() -> Option<PathBuf> {
    let output = Command::new("clang++-19").arg("-print-resource-dir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(folder.trim()).join("include")).filter(|folder| folder.is_dir())
}

/// Adds the identifiers of every header below a folder; of clang's own, only those for HIP.
fn collect_words(folder: &Path, words: &mut BTreeSet<String>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name.ends_with("_detail") {
                collect_words(&path, words)?;
            }
            continue;
        }
        let relevant = !name.starts_with("__clang")
            || name.starts_with("__clang_hip")
            || name.starts_with("__clang_cuda_");
        let header = name.ends_with(".h") || name.ends_with(".hpp");
        let of_compiler = name.contains("intrin") || name.starts_with("arm_");
        if !header || !relevant || of_compiler {
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        add_words(&String::from_utf8_lossy(&bytes), words);
    }
    Ok(())
}

/// The identifiers of a text that stand in no comment.
fn add_words(text: &str, words: &mut BTreeSet<String>) {
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if next.is_ascii_alphabetic() || next == '_' {
            let end =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            words.insert(rest[..end].to_string());
            rest = &rest[end..];
        } else {
            rest = &rest[next.len_utf8()..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_do_not_count() {
        let mut words = BTreeSet::new();
        add_words("int a_1; // b\n/* c */ #define d(x) x##_e /* open", &mut words);
        let expected = ["int", "a_1", "define", "d", "x", "_e"].map(String::from);
        assert_eq!(words, BTreeSet::from(expected));
    }
}
