//! Findings as text: for people ([`human`]), for programs ([`json`]), for code-scanning services
//! ([`sarif`]) and for annotations in continuous integration ([`github`]). Pure: a renderer returns a
//! string or a value and prints nothing.

pub mod github;
pub mod human;
pub mod json;
pub mod sarif;

use crate::finding::Diagnostic;
use crate::source::{LineColumn, SourceMap};
use crate::span::Span;

/// A span's file and its first and last place, as people count.
pub(crate) struct Place<'a> {
    pub path: &'a str,
    pub start: LineColumn,
    pub end: LineColumn,
}

pub(crate) fn place(sources: &SourceMap, span: Span) -> Place<'_> {
    let file = sources.file(span.file);
    Place { path: &file.path, start: file.line_column(span.start), end: file.line_column(span.end) }
}

/// The span at which a reader should look: where the outermost macro is used, or the primary label.
pub fn shown_span(diagnostic: &Diagnostic) -> Option<Span> {
    let outermost = diagnostic.frames.last().map(|frame| frame.call);
    outermost.or(diagnostic.primary.as_ref().map(|label| label.span))
}

/// Sorts findings as a reader goes through a file: by path, place, severity (errors first), code;
/// findings without a place come first. Equal findings (same code, place and message) are merged.
pub fn sort(sources: &SourceMap, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_cached_key(|d| {
        let span = shown_span(d);
        (
            span.map(|s| (sources.file(s.file).path.to_string(), s.start, s.end)),
            std::cmp::Reverse(d.severity),
            d.code,
            d.primary.as_ref().map(|label| label.span),
            d.message.clone(),
            d.kernel.clone(),
        )
    });
    diagnostics.dedup();
}

/// Replaces control characters, so that text from a user's file cannot drive a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
