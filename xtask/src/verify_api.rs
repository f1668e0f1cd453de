//! `cargo xtask verify-api`: every name that the tables claim for HIP occurs in the HIP headers that
//! `setup` installs, from the release that the row says on, and every device function can be called
//! there with the types of its signatures.
//!
//! The first compares words: a name that is there may still have other parameters. The second asks
//! the compiler. Neither tells whether a function means the same. Names of libraries (hipBLAS and the
//! like) are passed over, their headers are not installed. The tables are read as they are, not as
//! generated.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::codegen_api::{NativeName, native_names};
use port_compilers::{HipHeaders, HipJob, HipStage, Tools};

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
/// The names that are missing or cannot be called, or that no header set is installed.
pub fn run() -> Result<(), String> {
    let tools = Tools::locate();
    let names = native_names()?;
    verify_api_against_headers(&tools, &names)?;
    verify_calls(&tools, &names)
}

fn verify_api_against_headers(tools: &Tools, names: &[NativeName]) -> Result<(), String> {
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
        let release = release(headers);
        for name in names {
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

/// The release of a header set as rows name it.
fn release(headers: HipHeaders) -> &'static str {
    match headers {
        HipHeaders::V5_2 => "5.2",
        HipHeaders::V6_4 => "6.4",
        HipHeaders::V7_1 => "7.1",
    }
}

/// The architecture that calls are compiled for: one that has textures.
const ARCHITECTURE: &str = "gfx90a";

/// Calls each native device function in a function of its own, one a line, and reports the lines
/// that the compiler rejects.
fn verify_calls(tools: &Tools, names: &[NativeName]) -> Result<(), String> {
    let source = std::env::temp_dir().join(format!("port-verify-api-{}.hip", std::process::id()));
    let mut faults = Vec::new();
    for headers in HipHeaders::ALL {
        if !tools.missing_for_hip(headers).is_empty() {
            continue;
        }
        let mut lines = vec![
            "#include <hip/hip_runtime.h>".to_string(),
            "#include <hip/hip_fp16.h>".to_string(),
            "#include <hip/hip_complex.h>".to_string(),
        ];
        let preamble = lines.len();
        let mut claims = Vec::new();
        for name in names.iter().filter(|name| name.since.as_str() <= release(headers)) {
            for signature in &name.signatures {
                if let Some(call) = call_of(name, signature, claims.len()) {
                    lines.push(call);
                    claims.push(format!("{} by `{signature}` in {headers}", name.cuda));
                }
            }
        }
        fs::write(&source, lines.join("\n") + "\n")
            .map_err(|error| format!("{}: {error}", source.display()))?;
        let outcome = tools.compile_hip(&HipJob {
            source: &source,
            architecture: ARCHITECTURE,
            headers,
            stage: HipStage::Check,
            include_folders: &[],
            extra: &["--cuda-device-only", "-ferror-limit=0", "-w", "-fno-caret-diagnostics"],
            output: None,
            precompiled: None,
        });
        println!("{headers}: {} calls compiled", claims.len());
        let Err(failure) = outcome else { continue };
        let rejected = failure.output.lines().filter_map(|line| {
            let (_, place) = line.split_once(".hip:")?;
            let (number, rest) = place.split_once(':')?;
            let claim = claims.get(number.parse::<usize>().ok()?.checked_sub(preamble + 1)?)?;
            let (_, message) = rest.split_once("error: ")?;
            Some(format!("{claim}: {message}"))
        });
        let before = faults.len();
        faults.extend(rejected);
        if faults.len() == before {
            faults.push(failure.output);
        }
    }
    let _ = fs::remove_file(&source);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// A device function that calls this overload; `None` for signatures that a call cannot be made of
/// without more context: templates, and types whose header clashes with others (bf16, FP8).
fn call_of(name: &NativeName, signature: &str, number: usize) -> Option<String> {
    let foreign = ["template", "__nv_", "cuda", "texture<", "...", "cooperative", "(*"];
    let member = name.cuda.contains("::");
    if !name.device || member || foreign.iter().any(|part| signature.contains(part)) {
        return None;
    }
    let signature = signature.replace("cuFloatComplex", "hipFloatComplex");
    let signature = signature.replace("cuDoubleComplex", "hipDoubleComplex");
    let signature = signature.replace("cuComplex", "hipComplex");
    let inside = signature.strip_suffix(')')?;
    let (result, parameters) = inside.split_once(&format!("{}(", name.cuda))?;
    let types: Vec<String> = parameters
        .split(',')
        .filter(|parameter| !parameter.trim().is_empty())
        .map(parameter_type)
        .collect();
    let declared: Vec<String> =
        types.iter().enumerate().map(|(index, of)| format!("{of} a{index}")).collect();
    let arguments: Vec<String> = (0..types.len()).map(|index| format!("a{index}")).collect();
    let call = format!("{}({})", name.hip, arguments.join(", "));
    let body = match result.trim() {
        "void" => format!("{call};"),
        of => format!("{of} r = {call}; (void)r;"),
    };
    Some(format!("__device__ void f{number}({}) {{ {body} }}", declared.join(", ")))
}

/// The type of a parameter: without a default and, if there is one, without its name.
fn parameter_type(parameter: &str) -> String {
    let declaration = parameter.split('=').next().unwrap_or(parameter).trim();
    let name_at =
        declaration.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    let (of, name) = declaration.split_at(name_at);
    let keyword = ["int", "char", "short", "long", "float", "double", "unsigned", "bool"];
    let qualifier_only = matches!(of.trim(), "" | "const" | "unsigned" | "signed");
    if qualifier_only || keyword.contains(&name) {
        return declaration.to_string();
    }
    of.trim().to_string()
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
    fn parameter_types_lose_names_and_defaults() {
        let cases = [
            ("int width = warpSize", "int"),
            ("const float *ptr", "const float *"),
            ("unsigned int", "unsigned int"),
            ("const __half2", "const __half2"),
            ("unsigned long long val", "unsigned long long"),
            ("__half a", "__half"),
            ("float", "float"),
        ];
        for (parameter, expected) in cases {
            assert_eq!(parameter_type(parameter), expected);
        }
    }

    #[test]
    fn a_call_has_the_types_of_the_signature() {
        let name = NativeName {
            cuda: "cuCabs".into(),
            hip: "hipCabs".into(),
            since: "5.2".into(),
            device: true,
            signatures: Vec::new(),
        };
        assert_eq!(
            call_of(&name, "double cuCabs(cuDoubleComplex x)", 7).unwrap(),
            "__device__ void f7(hipDoubleComplex a0) { double r = hipCabs(a0); (void)r; }"
        );
        assert_eq!(call_of(&name, "template <typename T> T cuCabs(T x)", 7), None);
    }

    #[test]
    fn words_in_comments_do_not_count() {
        let mut words = BTreeSet::new();
        add_words("int a_1; // b\n/* c */ #define d(x) x##_e /* open", &mut words);
        let expected = ["int", "a_1", "define", "d", "x", "_e"].map(String::from);
        assert_eq!(words, BTreeSet::from(expected));
    }
}
