//! Words of CUDA in declarations that stay: qualifiers leave, the others have a form in C++.

use port_diag::Span;
use port_rewrite::launches::matching;
use port_rewrite::{FileText, Reason};
use port_syntax::TokenKind;

use crate::port::Port;

/// Qualifiers that leave.
const GONE: &[&str] = &[
    "__global__",
    "__device__",
    "__host__",
    "__constant__",
    "__shared__",
    "__managed__",
    "__noinline__",
    "__grid_constant__",
];

/// Qualifiers with arguments that leave with them.
const GONE_WITH_ARGUMENTS: &[&str] =
    &["__launch_bounds__", "__cluster_dims__", "__maxnreg__", "__block_size__"];

/// Macros that tell nvcc, and what tells that a port is compiled.
const COMPILERS: &[&str] = &["__CUDACC__", "__NVCC__"];

/// The macro that `port_ascend.h` defines.
pub(crate) const PORTED: &str = "PORT_ASCEND";

/// Edits every such word, in every branch and macro.
pub(crate) fn apply(port: &mut Port<'_>) {
    let mut edits: Vec<(Span, &'static str, &'static str)> = Vec::new();
    for file in &port.files {
        let mut at = 0;
        while at < file.tokens.len() {
            let token = &file.tokens[at];
            let span = file.span(token);
            let directive = file.directive_of(at);
            let is_named =
                directive.is_some_and(|d| d.keyword == "define" && at == d.tokens.start + 2);
            if token.kind != TokenKind::Identifier || is_named || port.is_removed(span) {
                at += 1;
                continue;
            }
            let word = file.bytes(token);
            if directive.is_none_or(|d| d.keyword == "define")
                && let Some((name, mut end)) = gone(file, at)
            {
                // Words that stand together leave together.
                while let Some((_, next)) = gone(file, end).filter(|_| {
                    let together = file.directive_of(end).map(|d| d.tokens.start);
                    together == directive.map(|d| d.tokens.start)
                }) {
                    end = next;
                }
                let whole = span.to(file.span(&file.tokens[end - 1]));
                edits.push((with_blank(file, whole), "", name));
                at = end;
                continue;
            }
            match word {
                "__forceinline__" => {
                    let near = [at.checked_sub(1), Some(at + 1)];
                    let doubled = near.iter().flatten().any(|near| {
                        file.tokens.get(*near).is_some_and(|t| file.bytes(t) == "inline")
                    });
                    let blank = if doubled { with_blank(file, span) } else { span };
                    edits.push((blank, if doubled { "" } else { "inline" }, "__forceinline__"));
                }
                "__align__" => edits.push((span, "alignas", "__align__")),
                _ if COMPILERS.contains(&word) && directive.is_some() => {
                    edits.push((span, PORTED, "__CUDACC__"));
                }
                _ => {}
            }
            at += 1;
        }
    }
    for (span, text, name) in edits {
        let reason = Reason::Row(port_api::find(name).map_or("__device__", |row| row.name));
        port.changes.replace(span, text, reason);
    }
}

/// The qualifier at a token, and the token after it and its arguments.
fn gone(file: &FileText<'_>, at: usize) -> Option<(&'static str, usize)> {
    let word = file.tokens.get(at).map(|token| file.bytes(token))?;
    if let Some(name) = GONE.iter().find(|known| **known == word) {
        return Some((name, at + 1));
    }
    let name = GONE_WITH_ARGUMENTS.iter().find(|known| **known == word)?;
    let open = file.tokens.get(at + 1).filter(|t| t.kind == TokenKind::LeftParen);
    let close = open.and_then(|_| matching(file, at + 1))?;
    Some((name, close + 1))
}

/// Words with the blanks that belong to them.
fn with_blank(file: &FileText<'_>, span: Span) -> Span {
    let rest = file.text.get(span.end as usize..).unwrap_or("");
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let before = file.text.get(..span.start as usize).unwrap_or("");
    let kept = before.trim_end_matches([' ', '\t']).len();
    let begins_line = kept == 0 || before[..kept].ends_with('\n');
    match rest[blanks..].chars().next() {
        // Alone on its line: what stands below takes its place.
        Some('\n' | '\r') if begins_line => {
            let next = rest.len() - rest.trim_start().len();
            Span::new(span.file, span.start, span.end + next as u32)
        }
        None | Some('\n' | '\r' | '\\') => Span::new(span.file, kept as u32, span.end),
        _ => Span::new(span.file, span.start, span.end + blanks as u32),
    }
}
