//! Shared memory: `__shared__` is `static thread_local` by the header. What that cannot express is
//! edited: dynamic shared memory, a `static` that would stand twice, `alignas` in the middle.

use port_diag::Span;
use port_rewrite::launches::matching;
use port_rewrite::{FileText, Reason};
use port_syntax::TokenKind;

use crate::port::Port;

const REASON: Reason = Reason::Row("__shared__");

/// Edits every declaration with `__shared__`.
pub(crate) fn apply(port: &mut Port<'_>) {
    for index in 0..port.files.len() {
        let file = &port.files[index];
        let mut edits = Vec::new();
        for (at, token) in file.tokens.iter().enumerate() {
            let is_shared = token.kind == TokenKind::Identifier
                && file.bytes(token) == "__shared__"
                && !is_defined(file, at);
            if is_shared {
                edits.extend(declaration(file, at));
            }
        }
        for (span, text) in edits {
            port.changes.replace(span, text, REASON);
        }
    }
}

/// Whether the token is the name of a `#define`.
fn is_defined(file: &FileText<'_>, at: usize) -> bool {
    file.directive_of(at)
        .is_some_and(|found| found.keyword == "define" && at == found.tokens.start + 2)
}

/// The edits of one declaration.
fn declaration(file: &FileText<'_>, at: usize) -> Vec<(Span, String)> {
    let directive = file.directive_of(at).map(|found| found.tokens.clone());
    let limits = directive.clone().unwrap_or(0..file.tokens.len());
    let word = |index: usize| file.bytes(&file.tokens[index]);
    // Specifiers before.
    let mut first = at;
    while first > limits.start {
        let before = first - 1;
        let is_word = file.tokens[before].kind == TokenKind::Identifier;
        let outside = directive.is_none() && file.directive_of(before).is_some();
        if !is_word || outside || matches!(word(before), "else" | "do") {
            break;
        }
        first = before;
    }
    if directive.is_some() {
        // Not the name and parameters of the macro itself.
        first = first.max((limits.start + 3).min(at));
    }
    let Some(end) = (at..limits.end).find(|index| file.tokens[*index].kind == TokenKind::Semicolon)
    else {
        return Vec::new();
    };
    if let Some(dynamic) = dynamic(file, first, at, end) {
        return vec![dynamic];
    }
    let mut edits = Vec::new();
    for index in first..end {
        match word(index) {
            "static" => {
                let next = file.tokens[index + 1].start;
                edits.push((Span::new(file.id, file.tokens[index].start, next), String::new()));
            }
            "alignas" => edits.push((file.span(&file.tokens[index]), "__align__".to_owned())),
            _ if file.tokens[index].kind == TokenKind::Equal => break,
            _ => {}
        }
    }
    edits
}

/// `extern __shared__ T name[];`
fn dynamic(file: &FileText<'_>, first: usize, at: usize, end: usize) -> Option<(Span, String)> {
    let tokens = &file.tokens;
    let word = |index: usize| file.bytes(&tokens[index]);
    if !(first..end).any(|index| word(index) == "extern") {
        return None;
    }
    // The name: the last identifier before the first bracket, or before the end.
    let bracket = (at..end).find(|index| tokens[*index].kind == TokenKind::LeftBracket);
    let name = bracket.unwrap_or(end).checked_sub(1)?;
    if tokens[name].kind != TokenKind::Identifier {
        return None;
    }
    let mut element = String::new();
    let mut index = first;
    let mut previous_end = None;
    while index < name {
        match word(index) {
            "extern" | "__shared__" | "static" => index += 1,
            "__align__" | "__builtin_align__" | "alignas" | "__attribute__" | "__attribute" => {
                index = matching(file, index + 1)? + 1;
            }
            text => {
                let joined = previous_end == Some(tokens[index].start);
                if !element.is_empty() && !joined {
                    element.push(' ');
                }
                element.push_str(text);
                previous_end = Some(tokens[index].end);
                index += 1;
            }
        }
    }
    let spelled = word(name);
    let span = file.span(&tokens[first]).to(file.span(&tokens[end]));
    let is_local = is_local(file, first);
    let prefix = if is_local { "" } else { "static thread_local " };
    let text = match bracket {
        Some(open) => {
            let close = matching(file, open)?;
            let rest =
                |from: usize| file.text.get(tokens[from].end as usize..tokens[end].start as usize);
            if close == open + 1 {
                let extents = rest(close)?.trim();
                format!(
                    "{prefix}auto* const {spelled} = port_cpu::dynamic_shared<{element}{extents}>();"
                )
            } else {
                let extents =
                    file.text.get(tokens[open].start as usize..tokens[end].start as usize)?;
                format!(
                    "{prefix}auto& {spelled} = *port_cpu::dynamic_shared<{element}{extents}>();"
                )
            }
        }
        None => format!("{prefix}auto& {spelled} = *port_cpu::dynamic_shared<{element}>();"),
    };
    Some((span, text))
}

/// Whether the token stands in a function: in braces that follow a parenthesis, in a macro.
fn is_local(file: &FileText<'_>, at: usize) -> bool {
    if file.directive_of(at).is_some() {
        return true;
    }
    let mut depth = 0_usize;
    for index in (0..at).rev() {
        if file.directive_of(index).is_some() {
            continue;
        }
        let kind = file.tokens[index].kind;
        if kind.is_close() {
            depth += 1;
        } else if kind.is_open() {
            if depth > 0 {
                depth -= 1;
                continue;
            }
            // An open brace around: of a namespace, or of a function.
            let words: Vec<&str> =
                file.tokens[index.saturating_sub(3)..index].iter().map(|t| file.bytes(t)).collect();
            let is_namespace = words.contains(&"namespace")
                || words.last().is_some_and(|word| word.starts_with('"'));
            if !is_namespace {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use port_diag::FileId;

    fn edited(text: &str) -> String {
        let file = FileText::of_text(FileId(0), text);
        let at = file.tokens.iter().position(|token| file.bytes(token) == "__shared__").unwrap();
        let mut out = text.to_owned();
        let mut edits = declaration(&file, at);
        edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        for (span, replacement) in edits {
            out.replace_range(span.range(), &replacement);
        }
        out
    }

    #[test]
    fn dynamic_shared_memory_is_the_block_s() {
        for (text, expected) in [
            (
                "void k() { extern __shared__ float s[]; }",
                "void k() { auto* const s = port_cpu::dynamic_shared<float>(); }",
            ),
            (
                "extern volatile __shared__ __align__(16) unsigned char s[][4];",
                "static thread_local auto* const s = port_cpu::dynamic_shared<volatile unsigned char[4]>();",
            ),
            (
                "void k() { __shared__ extern std::array<T, 4> s[]; }",
                "void k() { auto* const s = port_cpu::dynamic_shared<std::array<T, 4>>(); }",
            ),
            (
                "void k() { extern __shared__ int s[32]; }",
                "void k() { auto& s = *port_cpu::dynamic_shared<int[32]>(); }",
            ),
        ] {
            assert_eq!(edited(text), expected);
        }
    }

    #[test]
    fn specifiers_stand_once() {
        assert_eq!(
            edited("void k() { static __shared__ alignas(8) float s[4]; }"),
            "void k() { __shared__ __align__(8) float s[4]; }"
        );
        assert_eq!(
            edited("void k() { __shared__ float s[4]; }"),
            "void k() { __shared__ float s[4]; }"
        );
    }
}
