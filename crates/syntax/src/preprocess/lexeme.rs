//! A file as the preprocessor reads it: tokens without trivia, interned, with its directives found.
//! Made once per file and run. Knows no macros and no conditions.

use port_diag::{FileId, Origin, Span};

use crate::lexer;
use crate::symbol::{Interner, Symbol};
use crate::token::{Token, TokenKind};

/// A token of a file, trivia folded into flags.
#[derive(Clone, Copy)]
pub(super) struct Lexeme {
    pub kind: TokenKind,
    pub spaced: bool,
    pub line_start: bool,
    pub unterminated: bool,
    pub start: u32,
    pub end: u32,
    pub text: Symbol,
}

impl Lexeme {
    pub fn span(&self, file: FileId) -> Span {
        Span::new(file, self.start, self.end)
    }

    pub fn token(&self, file: FileId) -> Token {
        Token {
            kind: self.kind,
            text: self.text,
            origin: Origin::plain(self.span(file)),
            spaced: self.spaced,
            line_start: self.line_start,
        }
    }
}

/// A line that begins with `#`.
#[derive(Clone, Copy)]
pub(super) struct DirectiveLine {
    /// Its first lexeme, the `#`.
    pub first: usize,
    /// One past its last lexeme.
    pub last: usize,
    /// The byte at which the line ends, before the line ending.
    pub end: u32,
}

/// A whole file.
pub(super) struct LexedFile {
    pub lexemes: Vec<Lexeme>,
    pub directives: Vec<DirectiveLine>,
    /// The comment that no `*/` ends.
    pub open_comment: Option<(u32, u32)>,
    /// The macro whose definition makes the whole file empty: `#ifndef X … #endif` around it all.
    pub guard: Option<Symbol>,
    /// Length of the text in bytes.
    pub length: u32,
}

impl LexedFile {
    pub fn new(text: &str) -> Self {
        let raw = lexer::lex(text);
        let mut lexemes = Vec::with_capacity(raw.len() / 2 + 1);
        let mut directives: Vec<DirectiveLine> = Vec::new();
        let mut open_comment = None;
        let (mut spaced, mut line_start, mut in_directive) = (false, true, false);
        let mut interner = Interner::lock();
        for token in &raw {
            match token.kind {
                TokenKind::Newline => {
                    if in_directive && let Some(line) = directives.last_mut() {
                        (line.last, line.end) = (lexemes.len(), token.start);
                    }
                    (spaced, line_start, in_directive) = (true, true, false);
                    continue;
                }
                kind if kind.is_trivia() => {
                    spaced = true;
                    if token.unterminated {
                        open_comment = Some((token.start, token.end));
                    }
                    continue;
                }
                TokenKind::Hash if line_start => {
                    in_directive = true;
                    directives.push(DirectiveLine {
                        first: lexemes.len(),
                        last: lexemes.len() + 1,
                        end: token.end,
                    });
                }
                _ => {}
            }
            let symbol = if token.unterminated {
                interner.intern(&closed(&token.spelling(text)))
            } else if token.spliced {
                interner.intern(&token.spelling(text))
            } else {
                interner.intern(token.bytes(text))
            };
            lexemes.push(Lexeme {
                kind: token.kind,
                spaced,
                line_start,
                unterminated: token.unterminated,
                start: token.start,
                end: token.end,
                text: symbol,
            });
            (spaced, line_start) = (false, false);
        }
        drop(interner);
        let length = text.len() as u32;
        if in_directive && let Some(line) = directives.last_mut() {
            (line.last, line.end) = (lexemes.len(), length);
        }
        let guard = find_guard(&lexemes, &directives);
        LexedFile { lexemes, directives, open_comment, guard, length }
    }
}

/// A literal without its end, and the end that it lacks.
fn closed(literal: &str) -> String {
    let Some(quote) = literal.find(['"', '\'']) else { return literal.to_owned() };
    let raw = literal[..quote].ends_with('R');
    let delimiter = literal[quote..].find('(').filter(|_| raw);
    match delimiter {
        Some(length) => format!("{literal}){}\"", &literal[quote + 1..quote + length]),
        // A backslash at the end would hide the quote.
        None => format!("{}{}", literal.trim_end_matches('\\'), &literal[quote..=quote]),
    }
}

/// The name of the directive at `line`, and its first operand.
pub(super) fn directive_words(
    lexemes: &[Lexeme],
    line: DirectiveLine,
) -> (Option<&Lexeme>, Option<&Lexeme>) {
    let words = lexemes.get(line.first + 1..line.last).unwrap_or(&[]);
    (words.first(), words.get(1))
}

/// The include guard: the file's first line is `#ifndef X`, its `#endif` is the last line, and the
/// group has no other branch.
fn find_guard(lexemes: &[Lexeme], directives: &[DirectiveLine]) -> Option<Symbol> {
    let (first, last) = (directives.first()?, directives.last()?);
    if first.first != 0 || last.last != lexemes.len() || directives.len() < 2 {
        return None;
    }
    let (name, operand) = directive_words(lexemes, *first);
    if name?.text != "ifndef" || first.last != 3 {
        return None;
    }
    let mut depth = 0_usize;
    for (index, line) in directives.iter().enumerate() {
        let Some(word) = directive_words(lexemes, *line).0 else { continue };
        match word.text.as_str() {
            "if" | "ifdef" | "ifndef" => depth += 1,
            "elif" | "elifdef" | "elifndef" | "else" if depth <= 1 => return None,
            "endif" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && index + 1 != directives.len() {
                    return None;
                }
            }
            _ => {}
        }
    }
    (depth == 0).then_some(operand?.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_found_only_around_everything() {
        let guard = |text| LexedFile::new(text).guard.map(Symbol::as_str);
        assert_eq!(
            guard("// c\n#ifndef A_H\n#define A_H\n#if X\n#else\n#endif\n#endif\n"),
            Some("A_H")
        );
        assert_eq!(guard("#ifndef A_H\n#define A_H\n#endif\nint x;"), None);
        assert_eq!(guard("int x;\n#ifndef A_H\n#define A_H\n#endif\n"), None);
        assert_eq!(guard("#ifndef A_H\n#else\n#endif\n"), None);
        assert_eq!(guard("#ifndef A_H\n#endif\n#ifndef B\n#endif\n"), None);
        assert_eq!(guard("#ifdef A_H\n#endif\n"), None);
    }

    #[test]
    fn a_directive_line_goes_on_past_splices_and_comments() {
        let text = "#define A 1 \\\n 2 /* x\n y */ 3\nint z;";
        let file = LexedFile::new(text);
        let line = file.directives[0];
        assert_eq!(line.last - line.first, 6);
        assert_eq!(&text[..line.end as usize], "#define A 1 \\\n 2 /* x\n y */ 3");
    }
}
