//! Launches `k<T><<<g, b, s, st>>>(x)` by their tokens alone: where the callee begins, what is between
//! the brackets, where the arguments end.

use port_diag::Span;
use port_syntax::TokenKind;

use crate::file::FileText;

/// The places of a launch in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Where the callee begins.
    pub callee: u32,
    /// From `<<<` to `>>>`, with the blanks before.
    pub brackets: Span,
    /// Between them.
    pub configuration: Span,
    /// After the arguments; `None` when they are not in view.
    pub end: Option<u32>,
}

/// Every launch in a file, in code, macro bodies and inactive branches alike.
pub fn launches(file: &FileText<'_>) -> Vec<Launch> {
    let opens = file.tokens.iter().enumerate().filter(|(_, t)| t.kind == TokenKind::LaunchOpen);
    opens.filter_map(|(open, _)| launch(file, open)).collect()
}

fn launch(file: &FileText<'_>, open: usize) -> Option<Launch> {
    let close = close_of(file, open)?;
    let callee = callee_start(file, open)?;
    let tokens = &file.tokens;
    let last = close.checked_sub(1).filter(|last| *last > open)?;
    let end = (tokens.get(close + 1)?.kind == TokenKind::LeftParen)
        .then(|| matching(file, close + 1))
        .flatten()
        .filter(|end| same_directive(file, open, *end))
        .map(|end| tokens[end].end);
    Some(Launch {
        callee: tokens[callee].start,
        brackets: Span::new(file.id, tokens[open - 1].end, tokens[close].end),
        configuration: file.span(&tokens[open + 1]).to(file.span(&tokens[last])),
        end,
    })
}

fn same_directive(file: &FileText<'_>, a: usize, b: usize) -> bool {
    let of = |index| file.directive_of(index).map(|directive| directive.tokens.start);
    of(a) == of(b)
}

/// The `>>>` that ends a `<<<`.
fn close_of(file: &FileText<'_>, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in file.tokens.iter().enumerate().skip(open + 1) {
        match token.kind {
            TokenKind::LaunchClose if depth == 0 => {
                return same_directive(file, open, index).then_some(index);
            }
            TokenKind::LaunchOpen | TokenKind::Semicolon if depth == 0 => return None,
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// The bracket that closes the one at this index.
pub fn matching(file: &FileText<'_>, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in file.tokens.iter().enumerate().skip(open) {
        if token.kind.is_open() {
            depth += 1;
        } else if token.kind.is_close() {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

/// The bracket that opens the one closed at this index.
fn matching_back(file: &FileText<'_>, close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in (0..=close).rev() {
        let kind = file.tokens[index].kind;
        if kind.is_close() {
            depth += 1;
        } else if kind.is_open() {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

/// The first token of the postfix expression that ends before `open`: a name with its qualifiers and
/// template arguments, a member, an element of an array, a call, an expression in parentheses.
fn callee_start(file: &FileText<'_>, open: usize) -> Option<usize> {
    let kind = |index: usize| file.tokens.get(index).map(|token| token.kind);
    let mut at = open.checked_sub(1)?;
    loop {
        // One primary expression, from its end to its start.
        let start = match kind(at)? {
            TokenKind::Greater => {
                let less = template_open(file, at)?;
                at = less.checked_sub(1)?;
                (kind(at)? == TokenKind::Identifier).then_some(at)?
            }
            TokenKind::RightParen | TokenKind::RightBracket => {
                let start = matching_back(file, at)?;
                let before = start.checked_sub(1);
                match before.and_then(kind) {
                    // `f(x)`, `a[i]`, `a[i][j]`: the postfix goes on; `return (k)` ends here.
                    Some(TokenKind::Identifier) if !is_statement_word(file, start - 1) => {
                        at = start - 1;
                        continue;
                    }
                    Some(TokenKind::RightParen | TokenKind::RightBracket | TokenKind::Greater)
                        if kind(start) == Some(TokenKind::LeftBracket) =>
                    {
                        at = start - 1;
                        continue;
                    }
                    _ => start,
                }
            }
            TokenKind::Identifier => at,
            _ => return None,
        };
        // What qualifies it.
        let before = start.checked_sub(1);
        match before.and_then(kind) {
            Some(TokenKind::ColonColon) => {
                let qualifier = start.checked_sub(2);
                match qualifier.and_then(kind) {
                    Some(TokenKind::Identifier) if !is_statement_word(file, start - 2) => {
                        at = start - 2;
                    }
                    Some(TokenKind::Greater) => at = start - 2,
                    _ => return Some(start - 1),
                }
            }
            Some(TokenKind::Dot | TokenKind::Arrow | TokenKind::HashHash) => {
                at = start.checked_sub(2)?;
            }
            Some(TokenKind::Identifier) if file.bytes(&file.tokens[start - 1]) == "template" => {
                at = start.checked_sub(3)?;
            }
            _ => return Some(start),
        }
    }
}

/// Whether an identifier is a keyword that an expression may follow.
fn is_statement_word(file: &FileText<'_>, index: usize) -> bool {
    let words = ["return", "else", "do", "case", "co_return", "if", "while", "for", "switch"];
    file.tokens.get(index).is_some_and(|token| words.contains(&file.bytes(token)))
}

/// The `<` of the template arguments that end with the `>` at this index.
fn template_open(file: &FileText<'_>, close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut index = close;
    loop {
        match file.tokens.get(index)?.kind {
            TokenKind::Greater => depth += 1,
            TokenKind::Less => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            kind if kind.is_close() => index = matching_back(file, index)?,
            TokenKind::Semicolon => return None,
            kind if kind.is_open() => return None,
            _ => {}
        }
        index = index.checked_sub(1)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use port_diag::FileId;

    fn callee(text: &str) -> String {
        let file = FileText::of_text(FileId(0), text);
        let found = launches(&file);
        let launch = &found[0];
        text[launch.callee as usize..launch.brackets.start as usize].to_owned()
    }

    #[test]
    fn the_callee_is_the_whole_postfix_expression() {
        for (text, expected) in [
            ("k<<<1, 2>>>(x);", "k"),
            ("return ns::k<<<1, 2>>>(x);", "ns::k"),
            ("a = 1; ::ns::k<float, (3 > 2)> <<<1, 2>>>(x);", "::ns::k<float, (3 > 2)>"),
            ("else k<A<B<int>>><<<1, 2>>>(x);", "k<A<B<int>>>"),
            ("if (x) kernels[i][j]<<<1, 2>>>(x);", "kernels[i][j]"),
            ("if (x) (*p)<<<1, 2>>>(x);", "(*p)"),
            ("pick(a)<<<1, 2>>>(x);", "pick(a)"),
            ("t->table.k<<<1, 2>>>(x);", "t->table.k"),
            ("#define L(n) n##_k<<<1, 2>>>(x)\n", "n##_k"),
            ("S<T>::template k<N><<<1, 2>>>(x);", "S<T>::template k<N>"),
        ] {
            assert_eq!(callee(text), expected, "{text}");
        }
    }
}
