//! Findings as workflow commands of GitHub Actions, which become annotations of a pull request.

use super::{place, shown_span};
use crate::finding::{Diagnostic, Severity};
use crate::source::SourceMap;

/// One line, with its newline.
pub fn line(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = vec![format!("title={}", property(&format!("port {}", diagnostic.code)))];
    if let Some(span) = shown_span(diagnostic) {
        let place = place(sources, span);
        properties.push(format!("file={}", property(place.path)));
        properties.push(format!("line={}", place.start.line));
        properties.push(format!("endLine={}", place.end.line));
        // A column range is only understood within one line.
        if place.start.line == place.end.line {
            properties.push(format!("col={}", place.start.column));
            properties.push(format!("endColumn={}", place.end.column));
        }
    }
    let mut message = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        message.push('\n');
        message.push_str(help);
    }
    format!("::{command} {}::{}\n", properties.join(","), escape(&message))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}
