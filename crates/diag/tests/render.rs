//! The renderers, on a finding inside a macro, one across two files and one without a place.

use port_diag::render::{github, human, json, sarif, sort};
use port_diag::{
    Diagnostic, ExpansionKind, Expansions, Finding, Frame, Origin, Severity, SourceMap, Span,
};
use port_macros::Diagnostic as DeriveDiagnostic;

/// A lane reads another wave's lane.
///
/// ## What it means
/// Text.
#[derive(DeriveDiagnostic)]
#[diagnostic(
    code = "P9901",
    severity = warning,
    message = "`{name}` reads lane {lane}",
    help = "keep {name} within the wave"
)]
struct LaneRead {
    name: String,
    lane: u32,
}

/// Something broke.
///
/// ## What it means
/// Text.
#[derive(DeriveDiagnostic)]
#[diagnostic(code = "P9902", severity = error, message = "it broke: 50%, a: b")]
struct Broke;

fn sample() -> (SourceMap, Vec<Diagnostic>) {
    let mut sources = SourceMap::new();
    let kernel = sources.add("src/k 1.cu", "#define SHFL(v) shfl(v, 1)\nint é = SHFL(x);\n");
    let header = sources.add("src/h.cuh", "int shfl(int, int);\n");
    let mut expansions = Expansions::new();
    let call = Origin::plain(Span::new(kernel, 36, 43));
    let frame = Frame {
        name: "SHFL".into(),
        kind: ExpansionKind::Body,
        call,
        definition: Some(Span::new(kernel, 8, 12)),
    };
    let id = expansions.push(frame);
    let origin = Origin { span: Span::new(kernel, 16, 20), expansion: Some(id) };
    let in_macro = LaneRead { name: "shfl".into(), lane: 1 }
        .at(origin, &expansions)
        .with_label(Span::new(header, 4, 8), "declared here")
        .in_kernel("k<float>");
    let nowhere = Broke.nowhere();
    (sources, vec![in_macro, nowhere])
}

#[test]
fn metadata_comes_from_the_doc_comment() {
    assert_eq!(LaneRead::METADATA.name, "lane-read");
    assert_eq!(LaneRead::METADATA.summary, "A lane reads another wave's lane.");
    assert_eq!(LaneRead::METADATA.explanation, "## What it means\nText.");
    assert_eq!(LaneRead::METADATA.severity, Severity::Warning);
}

#[test]
fn human_shows_the_macro_body_its_use_and_the_other_file() {
    let (sources, findings) = sample();
    let text: String =
        findings.iter().map(|d| human::render(&sources, d, human::Options::default())).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn json_gives_the_outermost_use() {
    let (sources, findings) = sample();
    let value: Vec<_> = findings.iter().map(|d| json::value(&sources, d)).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn github_escapes_and_points() {
    let (sources, findings) = sample();
    let text: String = findings.iter().map(|d| github::line(&sources, d)).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn sarif_lists_the_rules_that_occur() {
    let (sources, findings) = sample();
    let findings: Vec<_> = findings.iter().map(|d| (&sources, d)).collect();
    let log = sarif::log(&findings, &[&Broke::METADATA, &LaneRead::METADATA], "1.0.0");
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][0]["id"], "P9901");
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleIndex"], 0);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "src/k%201.cu");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(log["runs"][0]["results"][1].get("locations"), None);
}

#[test]
fn sorting_puts_placeless_findings_first_and_merges_twins() {
    let (sources, mut findings) = sample();
    findings.push(findings[0].clone());
    sort(&sources, &mut findings);
    let codes: Vec<_> = findings.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["P9902", "P9901"]);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let mut sources = SourceMap::new();
    let file = sources.add("a.cu", "\u{1b}[2Jx\n");
    let finding = LaneRead { name: "\u{1b}]0;t\u{7}".into(), lane: 0 };
    let diagnostic = finding.at_span(Span::new(file, 0, 1));
    let text = human::render(&sources, &diagnostic, human::Options::default());
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
}
