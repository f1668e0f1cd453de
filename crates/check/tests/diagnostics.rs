//! Every finding of this crate on the fixtures: `bad.toml` (with `bad.cu` where a text is run)
//! raises exactly that code, `ok.toml` raises nothing. From P0620 the text runs on the machine, with
//! all checks; from P0650 it is compared with its port, which is `bad.port.cu` where there is one, under
//! the profile and rule of the first line.

#![allow(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::path::{Path, PathBuf};

use port_check::judge::Comparison;
use port_check::machine::{Checks, Machine, Options, Schedule};
use port_check::oracle::{Language, Oracle, RunOptions, Source};
use port_check::rules::Rule;
use port_check::toolchain::Toolchain;
use port_check::{Case, ParameterSet, Spec};
use port_diag::SourceMap;
use port_float::Profile;

fn fixture(code: &str, file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fixtures/diag", code, file].iter().collect()
}

/// The codes that a fixture raises: of its spec, its case, its text and its run.
fn codes(code: &str, name: &str) -> Vec<&'static str> {
    let of = |diagnostics: Vec<port_diag::Diagnostic>| {
        let mut codes: Vec<_> = diagnostics.iter().map(|d| d.code).collect();
        codes.dedup();
        codes
    };
    let mut sources = SourceMap::new();
    let spec = Spec::load(&fixture(code, &format!("{name}.toml")), &mut sources)
        .unwrap_or_else(|error| panic!("{code}/{name}.toml: {error}"));
    let spec = match spec {
        Ok(spec) => spec,
        Err(diagnostics) => return of(diagnostics),
    };
    let case = match spec.case(&ParameterSet::default()) {
        Ok(case) => case,
        Err(diagnostics) => return of(diagnostics),
    };
    if code >= "P0620" {
        return machine_codes(code, name, &spec, &case);
    }
    let path = fixture(code, &format!("{name}.cu"));
    let Ok(text) = std::fs::read_to_string(&path) else { return Vec::new() };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
    let oracle = Oracle::with_cache(&Toolchain::discover(), &cache).expect("a C++ compiler");
    let source = Source::new(Language::Cuda, &format!("{name}.cu"), &text);
    let result = oracle
        .build(&source, &spec)
        .and_then(|executable| executable.run(&case, &RunOptions::default()));
    match result {
        Ok(_) => Vec::new(),
        Err(error) => of(vec![error.finding()]),
    }
}

/// The kernels of a fixture's text.
fn device_code(code: &str, name: &str, spec: &Spec) -> (String, port::DeviceCode) {
    let path = fixture(code, name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{code}/{name}: {e}"));
    let mut sources = SourceMap::new();
    let root = sources.add(name, &text);
    let kernels: Vec<String> = spec.launches.iter().map(|l| l.kernel.clone()).collect();
    let options = port::Options::default();
    (text, port::device_code(&sources, root, &options, port::Dialect::Cuda, &kernels))
}

/// The codes that a fixture raises on the machine, and where it is compared with its port.
fn machine_codes(code: &str, name: &str, spec: &Spec, case: &Case) -> Vec<&'static str> {
    let (text, reference) = device_code(code, &format!("{name}.cu"), spec);
    let profile = |name: &str| Profile::named(name).unwrap_or_else(|error| panic!("{error}"));
    let options = Options { checks: Checks::ALL, fuel: 1_000_000, ..Options::default() };
    let findings = if code < "P0650" {
        Machine::new(&reference, &profile("cuda:sm_80")).run(case, &options).findings
    } else {
        let port = fixture(code, &format!("{name}.port.cu")).is_file();
        let port = if port { format!("{name}.port.cu") } else { format!("{name}.cu") };
        let (_, port) = device_code(code, &port, spec);
        let words: Vec<&str> =
            text.lines().next().unwrap_or("").split_whitespace().skip(2).collect();
        let [target, rule] = words[..] else {
            panic!("{code}/{name}.cu: no `// check: profile rule`")
        };
        let comparison = Comparison {
            reference: &reference,
            port: Some(&port),
            case,
            reference_profile: profile("cuda:sm_80"),
            target_profile: profile(target),
            rule: Rule::named(rule).unwrap(),
            options,
            schedules: vec![Schedule::Reversed],
            causes: true,
        };
        let report = comparison.judge(&comparison.run(), &[], &[]);
        let verdicts = report.verdict_findings(&reference, &comparison.rule);
        report.findings.into_iter().chain(verdicts).collect()
    };
    let mut codes: Vec<_> = findings.iter().map(|d| d.code).collect();
    // Why a kernel was not translated is said by lowering's own findings too.
    codes.retain(|code| *code >= "P0600");
    codes.dedup();
    codes
}

#[test]
fn each_finding_has_an_input_that_raises_it_and_a_mended_twin() {
    let mut wrong = Vec::new();
    for metadata in port_check::FINDINGS {
        // A machine without a compiler is tested below.
        if metadata.code == "P0610" {
            continue;
        }
        let (bad, ok) = (codes(metadata.code, "bad"), codes(metadata.code, "ok"));
        if bad != [metadata.code] || !ok.is_empty() {
            wrong.push(format!("{}: bad raises {bad:?}, ok {ok:?}", metadata.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_machine_without_a_compiler_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let error = Oracle::with_cache(&Toolchain::default(), folder.path()).unwrap_err();
    assert_eq!(error.finding().code, "P0610");
    assert!(error.finding().help.is_some_and(|help| help.contains("CXX")));
}

#[test]
fn codes_are_unique_and_in_order() {
    let codes: Vec<_> = port_check::FINDINGS.iter().map(|metadata| metadata.code).collect();
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    assert!(codes.iter().all(|code| ("P0600".."P0700").contains(code)));
}
