//! Findings as SARIF 2.1.0 (OASIS), which code-scanning services read.

use serde_json::{Value, json};

use super::{place, shown_span};
use crate::finding::{Diagnostic, Metadata, Severity};
use crate::source::SourceMap;
use crate::span::Span;

/// A whole SARIF log with one run. `rules` are the kinds of finding that exist; only those that
/// occur are listed. `version` is the tool's.
pub fn log(findings: &[(&SourceMap, &Diagnostic)], rules: &[&Metadata], version: &str) -> Value {
    let mut used: Vec<&Metadata> = rules
        .iter()
        .copied()
        .filter(|rule| findings.iter().any(|(_, d)| d.code == rule.code))
        .collect();
    used.sort_by_key(|rule| rule.code);
    let rules: Vec<Value> = used
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "name": rule.name,
                "shortDescription": { "text": rule.summary },
                "fullDescription": { "text": rule.explanation },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|(sources, diagnostic)| {
            let mut text = diagnostic.message.clone();
            if let Some(help) = &diagnostic.help {
                text.push_str(". ");
                text.push_str(help);
            }
            let mut result = json!({
                "ruleId": diagnostic.code,
                "level": level(diagnostic.severity),
                "message": { "text": text },
            });
            if let Some(index) = used.iter().position(|rule| rule.code == diagnostic.code) {
                result["ruleIndex"] = index.into();
            }
            if let Some(span) = shown_span(diagnostic) {
                result["locations"] = json!([location(sources, span, None)]);
            }
            if !diagnostic.secondary.is_empty() {
                result["relatedLocations"] = diagnostic
                    .secondary
                    .iter()
                    .map(|label| location(sources, label.span, Some(&label.message)))
                    .collect();
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "port", "version": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn location(sources: &SourceMap, span: Span, message: Option<&str>) -> Value {
    let place = place(sources, span);
    let mut value = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(place.path) },
            "region": {
                "startLine": place.start.line,
                "startColumn": place.start.column,
                "endLine": place.end.line,
                "endColumn": place.end.column,
            },
        },
    });
    if let Some(message) = message.filter(|m| !m.is_empty()) {
        value["message"] = json!({ "text": message });
    }
    value
}

/// Percent-encodes what a URI reference cannot hold.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
