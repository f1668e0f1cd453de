//! Every finding, on a minimal input that raises it and on its mended twin; and inputs that need no
//! change.
//!
//! `fixtures/diag/<code>/bad.cu` raises exactly that code, `ok.cu` does not. A first line
//! `// port: --warp native --cuda-arch 70 -D X=1` gives the options of the run.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use port::{FileRole, FloatMode, Options, Severity, Target, Translation, WarpMode};
use port_diag::render::human;
use port_diag::{Diagnostic, SourceMap};
use port_tests::kernels::{load, workspace};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for metadata in port::findings() {
        let code = metadata.code;
        trials.push(Trial::test(format!("{code}::bad"), move || bad(code)));
        trials.push(Trial::test(format!("{code}::ok"), move || ok(code)));
    }
    for file in cuda_files(&workspace().join("fixtures/identity")) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trials.push(Trial::test(format!("identity::{name}"), move || identity(&file)));
    }
    trials.push(Trial::test("oracle_is_independent", oracle_is_independent));
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

fn fixture(code: &str, file: &str) -> PathBuf {
    workspace().join("fixtures/diag").join(code).join(file)
}

fn cuda_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "cu"));
    files.sort();
    files
}

fn translate(path: &Path) -> Result<(SourceMap, Translation), Failed> {
    if !path.is_file() {
        return Err(format!("{} is missing", path.display()).into());
    }
    let (sources, root) = load(path);
    let (target, options) = options(&sources.file(root).text)?;
    let mut translations = port::translate(&sources, root, &[target], &options);
    let translation = translations.pop().ok_or("no translation")?;
    Ok((sources, translation))
}

/// The options that a fixture's first line asks for.
fn options(text: &str) -> Result<(Target, Options), Failed> {
    let mut options = Options::default();
    let mut target = "hip".to_owned();
    let first = text.lines().next().unwrap_or("");
    let mut words = first.strip_prefix("// port:").unwrap_or("").split_whitespace();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        match word {
            "--warp" if value == "native" => options.warp = WarpMode::Native,
            "--float" if value == "cuda" => options.float = FloatMode::Cuda,
            "--cuda-arch" => options.cuda_arch = value.parse()?,
            "--target" => target = value.to_owned(),
            "--instantiate" => options.instantiate.push(value.to_owned()),
            "-D" => {
                let (name, value) = value.split_once('=').unwrap_or((value, "1"));
                options.defines.push((name.to_owned(), value.to_owned()));
            }
            _ => return Err(format!("unknown option `{word} {value}`").into()),
        }
    }
    let target = target.parse().map_err(|error: port::TargetError| error.to_string())?;
    Ok((target, options))
}

/// What a fixture raises. Findings of lowering are not a target's: a dialect ports the text all the
/// same, so they are taken before any back end.
struct Raised {
    sources: SourceMap,
    findings: Vec<Diagnostic>,
    kernels: Vec<port::KernelReport>,
}

fn raise(code: &str, file: &str) -> Result<Raised, Failed> {
    let path = fixture(code, file);
    if !code.starts_with("P03") {
        let (sources, translation) = translate(&path)?;
        let port::Ported { diagnostics, kernels, .. } = translation.ported;
        return Ok(Raised { sources, findings: diagnostics, kernels });
    }
    if !path.is_file() {
        return Err(format!("{} is missing", path.display()).into());
    }
    let (sources, root) = load(&path);
    let (_, options) = options(&sources.file(root).text)?;
    let mut findings = port::Analysis::new(&sources, root, &options).findings();
    findings.retain(|finding| finding.code.starts_with("P03"));
    Ok(Raised { sources, findings, kernels: Vec::new() })
}

/// The codes of a run; the notes that nearly every port has are left out unless they are meant.
fn codes(findings: &[Diagnostic], meant: &str) -> Vec<&'static str> {
    let mut codes: Vec<&'static str> = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note || finding.code == meant)
        .map(|finding| finding.code)
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn bad(code: &str) -> Result<(), Failed> {
    let raised = raise(code, "bad.cu")?;
    let codes = codes(&raised.findings, code);
    if codes != [code] {
        return Err(format!("raises {codes:?}, not {code} alone").into());
    }
    let mut text = String::new();
    for finding in raised.findings.iter().filter(|finding| finding.code == code) {
        text += &human::render(&raised.sources, finding, human::Options::default());
    }
    for kernel in &raised.kernels {
        text += &format!("{} {}{}\n", kernel.status.as_str(), kernel.name, kernel.instance);
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/diag"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(code, text));
    Ok(())
}

fn ok(code: &str) -> Result<(), Failed> {
    let raised = raise(code, "ok.cu")?;
    let codes = codes(&raised.findings, code);
    if codes.is_empty() { Ok(()) } else { Err(format!("raises {codes:?}").into()) }
}

/// Nothing to change: the output is the input, and nothing is generated beside it.
fn identity(file: &Path) -> Result<(), Failed> {
    let (sources, root) = load(file);
    let (target, options) = options(&sources.file(root).text)?;
    let translations = port::translate(&sources, root, &[target], &options);
    for output in translations.iter().flat_map(|translation| &translation.ported.files) {
        let original = match output.role {
            FileRole::Root => root,
            FileRole::Header(id) => id,
            FileRole::Generated(name) => return Err(format!("{name} was generated").into()),
        };
        if *output.text != *sources.file(original).text {
            return Err(format!("{} changed", sources.file(original).path).into());
        }
    }
    Ok(())
}

/// The oracle must not share the front end's view of a text: its crate depends on none of it.
fn oracle_is_independent() -> Result<(), Failed> {
    let root = workspace().join("crates/check/src");
    let mut files = vec![root.join("cpu.rs"), root.join("toolchain.rs")];
    for folder in ["oracle", "spec"] {
        let entries = std::fs::read_dir(root.join(folder))?.flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    let front_end = ["port::", "port_syntax", "port_hir", "port_lower", "port_ir", "port_simt"];
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        if let Some(name) = front_end.iter().find(|name| text.contains(**name)) {
            return Err(format!("{} uses {name}", file.display()).into());
        }
    }
    Ok(())
}
