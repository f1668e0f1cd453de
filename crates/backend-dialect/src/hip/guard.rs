//! What keeps an unfinished port from being built by accident: before each declaration that holds
//! something untranslated, an `#error` that only `PORT_ALLOW_MANUAL` takes away.

use std::collections::BTreeMap;

use port_diag::{Diagnostic, FileId, Severity, Span};
use port_rewrite::{FileText, Reason, Side};

use super::port::Port;

/// Adds the guards for the errors found so far.
pub(super) fn apply(port: &mut Port<'_>) {
    let mut guards: BTreeMap<(FileId, u32), (String, &'static str)> = BTreeMap::new();
    for finding in port.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let Some(label) = &finding.primary else { continue };
        let place = place(port, label.span);
        let text = format!("port: {}: {}", finding.code, one_line(finding));
        guards.entry(place).or_insert((text, finding.code));
    }
    for ((file, at), (text, code)) in guards {
        let newline =
            if port.unit.sources.file(file).text.contains("\r\n") { "\r\n" } else { "\n" };
        let lines = ["#ifndef PORT_ALLOW_MANUAL", &format!("#error \"{text}\""), "#endif", ""];
        port.changes.insert(file, at, Side::After, lines.join(newline), Reason::Finding(code));
    }
}

/// A message as the operand of `#error`: no quotes that could end it, no line ending.
fn one_line(finding: &Diagnostic) -> String {
    finding.message.replace(['"', '\\'], "'").replace(['\n', '\r'], " ")
}

/// The start of the line before which a directive may stand: that of the function that holds the
/// span, of the `#define` whose body it is in, or of the nearest line outside every declaration.
fn place(port: &Port<'_>, span: Span) -> (FileId, u32) {
    let Some(file) = port.files.iter().find(|file| file.id == span.file) else {
        return (span.file, 0);
    };
    let token = file.tokens.partition_point(|token| token.end <= span.start);
    if let Some(directive) = file.directive_of(token) {
        return (span.file, directive.line.start);
    }
    let around = port.program.tokens_of(span).first().and_then(|token| {
        let function = port.program.function_at(*token);
        let tokens = function.map(|id| port.unit.module.functions[id].tokens.range());
        tokens.or_else(|| port.unit.parsed.declaration_around(*token))
    });
    if let Some(first) = around.and_then(|tokens| port.unit.parsed.tokens().get(tokens.start)) {
        let first = port.unit.module.expansions.outermost(first.origin);
        if first.file == span.file {
            return (span.file, statement_line(file, first.start));
        }
    }
    (span.file, statement_line(file, span.start))
}

/// The start of the line of the first token of the declaration that holds a byte: going back from
/// it, after the last `;`, `}` or directive outside all braces and parentheses.
fn statement_line(file: &FileText<'_>, byte: u32) -> u32 {
    let at = file.tokens.partition_point(|token| token.start < byte);
    let mut depth = 0_i64;
    // The brackets that are open at the byte, and where the outermost declaration began.
    let mut declaration = 0;
    for (index, token) in file.tokens[..at].iter().enumerate() {
        if file.directive_of(index).is_some() {
            if depth == 0 {
                declaration = index + 1;
            }
            continue;
        }
        if token.kind.is_open() {
            depth += 1;
        } else if token.kind.is_close() {
            depth = (depth - 1).max(0);
        }
        let ends = matches!(
            token.kind,
            port_syntax::TokenKind::Semicolon | port_syntax::TokenKind::RightBrace
        );
        if ends && depth == 0 {
            declaration = index + 1;
        }
    }
    let start = file.tokens.get(declaration).map_or(byte, |token| token.start).min(byte);
    let before = file.text.get(..start as usize).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    // Something else may stand before the declaration on its line: then the guard goes between.
    if before[line..].trim().is_empty() { line as u32 } else { start }
}
