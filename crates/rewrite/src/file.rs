//! One file as a rewrite sees it: its significant tokens and its directives, in every branch of
//! every conditional. Nothing is expanded and nothing has a meaning here.

use std::ops::Range;

use port_diag::{FileId, SourceMap, Span};
use port_syntax::lexer;
use port_syntax::token::{RawToken, TokenKind};

/// A file's tokens without blanks and comments, directives marked.
#[derive(Debug)]
pub struct FileText<'a> {
    /// Which file.
    pub id: FileId,
    /// Its text.
    pub text: &'a str,
    /// The tokens, trivia left out.
    pub tokens: Vec<RawToken>,
    /// The directives, in order.
    pub directives: Vec<Directive>,
}

/// A preprocessor directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its tokens: `#`, the keyword and the rest of the line.
    pub tokens: Range<usize>,
    /// The keyword (`include`, `define`, `if` …); empty for a lone `#`.
    pub keyword: String,
    /// The bytes of its line or lines, the line ending included.
    pub line: Range<u32>,
}

/// An `#include` with a literal header name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludeLine {
    /// The name between the delimiters.
    pub name: String,
    /// Whether the delimiters are `<>`.
    pub angled: bool,
    /// The delimiters and the name.
    pub header: Span,
    /// The whole line, its ending included.
    pub line: Span,
}

impl<'a> FileText<'a> {
    /// Lexes a file of the map.
    pub fn new(sources: &'a SourceMap, id: FileId) -> Self {
        let text = &*sources.file(id).text;
        Self::of_text(id, text)
    }

    /// Lexes text that stands for the file `id`.
    pub fn of_text(id: FileId, text: &'a str) -> Self {
        let mut tokens: Vec<RawToken> = Vec::new();
        let mut directives: Vec<Directive> = Vec::new();
        let mut open: Option<(usize, u32)> = None;
        let mut line_start = true;
        let mut line_first = 0;
        for token in lexer::lex(text) {
            match token.kind {
                TokenKind::Newline => {
                    if let Some((first, start)) = open.take() {
                        directives.push(directive(text, &tokens, first, start..token.end));
                    }
                    line_start = true;
                    line_first = token.end;
                }
                kind if kind.is_trivia() => {}
                kind => {
                    if line_start && kind == TokenKind::Hash {
                        open = Some((tokens.len(), line_first));
                    }
                    line_start = false;
                    tokens.push(token);
                }
            }
        }
        if let Some((first, start)) = open {
            directives.push(directive(text, &tokens, first, start..text.len() as u32));
        }
        FileText { id, text, tokens, directives }
    }

    /// The bytes of a token.
    pub fn bytes(&self, token: &RawToken) -> &'a str {
        token.bytes(self.text)
    }

    /// The span of a token.
    pub fn span(&self, token: &RawToken) -> Span {
        Span::new(self.id, token.start, token.end)
    }

    /// The directive that holds the token of this index.
    pub fn directive_of(&self, token: usize) -> Option<&Directive> {
        let index = self.directives.partition_point(|d| d.tokens.end <= token);
        self.directives.get(index).filter(|d| d.tokens.contains(&token))
    }

    /// Where an include goes that must come first: after `#pragma once`, an include guard and leading
    /// comments.
    pub fn first_include_or_code(&self) -> u32 {
        let first = self.directives.first();
        let guard = first.is_some_and(|d| d.keyword == "ifndef")
            && self.directives.get(1).is_some_and(|d| d.keyword == "define");
        let opener = match first {
            Some(_) if guard => self.directives.get(1),
            Some(once) if self.is_pragma_once(once) => Some(once),
            _ => None,
        };
        if let Some(opener) = opener {
            return opener.line.end;
        }
        let start = self.tokens.first().map_or(0, |token| token.start);
        let before = self.text.get(..start as usize).unwrap_or("");
        before.rfind('\n').map_or(0, |newline| newline as u32 + 1)
    }

    fn is_pragma_once(&self, directive: &Directive) -> bool {
        let word = self.tokens.get(directive.tokens.clone()).and_then(|tokens| tokens.get(2));
        directive.keyword == "pragma"
            && word.is_some_and(|t| t.kind == TokenKind::Identifier && self.bytes(t) == "once")
    }

    /// The `#include` lines with a literal header name, in order.
    pub fn includes(&self) -> Vec<IncludeLine> {
        let of = |directive: &Directive| {
            if !matches!(directive.keyword.as_str(), "include" | "include_next") {
                return None;
            }
            let header = self.tokens.get(directive.tokens.clone())?.get(2)?;
            let spelled = self.bytes(header);
            let name = spelled.get(1..spelled.len().checked_sub(1)?)?;
            let angled = match spelled.as_bytes() {
                [b'<', .., b'>'] => true,
                [b'"', .., b'"'] => false,
                _ => return None,
            };
            Some(IncludeLine {
                name: name.to_owned(),
                angled,
                header: self.span(header),
                line: Span::new(self.id, directive.line.start, directive.line.end),
            })
        };
        self.directives.iter().filter_map(of).collect()
    }
}

/// The way from one folder to another, ending in `/` unless they are the same.
pub fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut way = "../".repeat(from.len() - common);
    for part in &to[common..] {
        way.push_str(part);
        way.push('/');
    }
    way
}

fn directive(text: &str, tokens: &[RawToken], first: usize, line: Range<u32>) -> Directive {
    let keyword = tokens
        .get(first + 1)
        .filter(|token| token.kind == TokenKind::Identifier)
        .map_or(String::new(), |token| token.spelling(text).into_owned());
    Directive { tokens: first..tokens.len(), keyword, line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_and_includes_are_found_in_every_branch() {
        let text = "#include <a.h>\nint x;\n#if 0\n#  include \"b/c.cuh\" // why\n#endif\n// #include <no.h>\n";
        let file = FileText::of_text(FileId(0), text);
        let names: Vec<_> = file.includes().into_iter().map(|i| (i.name, i.angled)).collect();
        assert_eq!(names, [("a.h".to_owned(), true), ("b/c.cuh".to_owned(), false)]);
        let keywords: Vec<_> = file.directives.iter().map(|d| d.keyword.as_str()).collect();
        assert_eq!(keywords, ["include", "if", "include", "endif"]);
        assert_eq!(
            file.text.get(0..file.directives[0].line.end as usize),
            Some("#include <a.h>\n")
        );
    }

    #[test]
    fn an_include_at_the_end_without_newline_counts() {
        let file = FileText::of_text(FileId(0), "\t#include\"x.h\"");
        assert_eq!(file.includes()[0].name, "x.h");
        assert_eq!(file.includes()[0].line.end, 14);
    }
}
