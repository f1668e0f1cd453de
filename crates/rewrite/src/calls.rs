//! Arguments of a call by its tokens alone: for calls that the front end did not read as such, in
//! macros' bodies and inactive branches.

use port_diag::Span;
use port_syntax::token::{RawToken, TokenKind};

use crate::file::FileText;

/// The arguments of the call whose callee's name is this token; `None` when no argument list
/// follows, or it cannot be told apart from template arguments. `most` is the largest number of
/// arguments that the callee takes: where plain commas give more, `f<a, b>` is taken as one name.
pub fn call_arguments(file: &FileText<'_>, callee: usize, most: usize) -> Option<Vec<Span>> {
    let open = callee + 1;
    if file.tokens.get(open)?.kind != TokenKind::LeftParen {
        return None;
    }
    // A call in a directive ends there.
    let end = file.directive_of(callee).map_or(file.tokens.len(), |found| found.tokens.end);
    let inside = arguments_list(&file.tokens, open, end)?;
    if inside.is_empty() {
        return Some(Vec::new());
    }
    let span = |range: &std::ops::Range<usize>| {
        let tokens = file.tokens.get(range.clone())?;
        Some(file.span(tokens.first()?).to(file.span(tokens.last()?)))
    };
    let split = [false, true].map(|angles| split(&file.tokens, inside.clone(), angles));
    let parts = split.iter().find(|parts| parts.len() <= most)?;
    parts.iter().map(span).collect()
}

/// The tokens between a parenthesis and its match.
fn arguments_list(tokens: &[RawToken], open: usize, end: usize) -> Option<std::ops::Range<usize>> {
    let mut depth = 0_usize;
    for (index, token) in tokens.get(..end)?.iter().enumerate().skip(open) {
        if token.kind.is_open() {
            depth += 1;
        } else if token.kind.is_close() {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(open + 1..index);
            }
        }
    }
    None
}

/// Splits at the commas outside brackets; with `angles`, `<` and `>` are brackets as well.
fn split(
    tokens: &[RawToken],
    range: std::ops::Range<usize>,
    angles: bool,
) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let (mut depth, mut angle_depth) = (0_usize, 0_usize);
    let mut start = range.start;
    for index in range.clone() {
        let kind = tokens[index].kind;
        match kind {
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth = depth.saturating_sub(1),
            TokenKind::Less if angles && depth == 0 => angle_depth += 1,
            TokenKind::Greater if angles && depth == 0 => {
                angle_depth = angle_depth.saturating_sub(1);
            }
            TokenKind::Comma if depth == 0 && angle_depth == 0 => {
                parts.push(start..index);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(start..range.end);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use port_diag::FileId;

    fn arguments(text: &str, most: usize) -> Option<Vec<String>> {
        let file = FileText::of_text(FileId(0), text);
        let callee = file.tokens.iter().position(|token| file.bytes(token) == "f")?;
        let spans = call_arguments(&file, callee, most)?;
        Some(spans.into_iter().map(|span| text[span.range()].to_owned()).collect())
    }

    #[test]
    fn commas_in_brackets_belong_to_an_argument() {
        assert_eq!(
            arguments("f(a, g(b, c), {d, e}[1])", 3).unwrap(),
            ["a", "g(b, c)", "{d, e}[1]"]
        );
        assert_eq!(arguments("f()", 3).unwrap(), [""; 0]);
    }

    #[test]
    fn template_arguments_are_recognised_by_too_many_commas() {
        assert_eq!(arguments("f(k<A, B<2>>, n, 3)", 3).unwrap(), ["k<A, B<2>>", "n", "3"]);
        assert_eq!(arguments("f(a < b, c > d)", 2).unwrap(), ["a < b", "c > d"]);
    }

    #[test]
    fn no_call_has_no_arguments() {
        assert_eq!(arguments("x = f;", 3), None);
        assert_eq!(arguments("f(a, b", 3), None);
        assert_eq!(arguments("#define M f(a,\nb)", 3), None);
        assert_eq!(arguments("#define M f(a, \\\n b)", 3).unwrap(), ["a", "b"]);
    }
}
