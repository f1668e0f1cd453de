//! Macros as the expander wants them: the replacement list with parameters and operators found
//! once, when the `#define` is read.

use std::sync::Arc;

use port_diag::{FileId, Span};

use super::BodyToken;
use super::lexeme::{LexedFile, Lexeme};
use crate::symbol::Symbol;
use crate::token::TokenKind;

/// A definition: index into the preprocessor's list, which never shrinks, so that a macro may be
/// undefined while its expansion is still being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MacroId(pub u32);

/// A macro.
pub(super) struct Macro {
    pub name: Symbol,
    /// The name as frames hold it.
    pub frame_name: Arc<str>,
    /// The name in the `#define`; `None` if the text does not define it.
    pub definition: Option<Span>,
    /// Its entry in [`Preprocessed::macros`](super::Preprocessed::macros).
    pub record: Option<usize>,
    pub parameters: Option<Parameters>,
    pub replacement: Replacement,
    /// Its expansion is being read: its name is not expanded again.
    pub disabled: bool,
}

/// What takes the place of the name.
#[derive(Clone)]
pub(super) enum Replacement {
    Parts(Arc<[Part]>),
    Builtin(Builtin),
}

/// The macros that the text cannot spell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Builtin {
    Line,
    File,
    Counter,
}

/// The parameters of a function-like macro.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parameters {
    /// The named ones; the name of a variadic one (`__VA_ARGS__`, or `args` of `args...`) is last.
    pub names: Vec<Symbol>,
    pub variadic: bool,
}

impl Parameters {
    /// "2 arguments", "at least 1 argument".
    pub fn expected(&self) -> String {
        let count = self.names.len() - usize::from(self.variadic);
        let least = if self.variadic { "at least " } else { "" };
        format!("{least}{count} argument{}", if count == 1 { "" } else { "s" })
    }
}

/// A piece of a replacement list.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Token(BodyToken),
    /// A parameter; `token` is its name in the body.
    Parameter {
        index: usize,
        token: BodyToken,
    },
    /// `#` and a parameter; `token` is the `#`.
    Stringify {
        index: usize,
        token: BodyToken,
    },
    /// `##`
    Paste {
        span: Span,
    },
    /// `__VA_OPT__(…)`; `token` is the word.
    Optional {
        parts: Arc<[Part]>,
        token: BodyToken,
    },
}

/// What a `#define` line says, or why it says nothing.
pub(super) struct Definition {
    pub name: Lexeme,
    pub parameters: Option<Parameters>,
    pub body: Vec<BodyToken>,
}

/// Reads the words after `define`.
pub(super) fn parse_definition(
    words: &[Lexeme],
    file: FileId,
) -> Result<Definition, (&'static str, Option<Lexeme>)> {
    let Some((name, mut rest)) = words.split_first() else {
        return Err(("the macro's name is missing", None));
    };
    if name.kind != TokenKind::Identifier {
        return Err(("a macro's name is an identifier", Some(*name)));
    }
    if name.text == "defined" {
        return Err(("`defined` cannot be a macro's name", Some(*name)));
    }
    let mut parameters = None;
    if let Some((open, after)) = rest.split_first()
        && open.kind == TokenKind::LeftParen
        && !open.spaced
    {
        let (read, after) = parse_parameters(after)?;
        parameters = Some(read);
        rest = after;
    }
    let body = rest
        .iter()
        .map(|lexeme| BodyToken {
            kind: lexeme.kind,
            text: lexeme.text,
            span: lexeme.span(file),
            spaced: lexeme.spaced,
        })
        .collect();
    Ok(Definition { name: *name, parameters, body })
}

type ParameterError = (&'static str, Option<Lexeme>);

/// Reads from after `(` to after `)`.
fn parse_parameters(mut words: &[Lexeme]) -> Result<(Parameters, &[Lexeme]), ParameterError> {
    const UNCLOSED: ParameterError = ("the parameter list has no `)`", None);
    let mut parameters = Parameters { names: Vec::new(), variadic: false };
    let mut next = || {
        let (first, rest) = words.split_first()?;
        words = rest;
        Some(*first)
    };
    let mut word = next().ok_or(UNCLOSED)?;
    if word.kind == TokenKind::RightParen {
        return Ok((parameters, words));
    }
    loop {
        match word.kind {
            TokenKind::Ellipsis => {
                parameters.variadic = true;
                parameters.names.push(Symbol::new("__VA_ARGS__"));
                word = next().ok_or(UNCLOSED)?;
            }
            TokenKind::Identifier => {
                if parameters.names.contains(&word.text) {
                    return Err(("two parameters have this name", Some(word)));
                }
                parameters.names.push(word.text);
                word = next().ok_or(UNCLOSED)?;
                if word.kind == TokenKind::Ellipsis {
                    parameters.variadic = true;
                    word = next().ok_or(UNCLOSED)?;
                }
            }
            _ => return Err(("a parameter's name belongs here", Some(word))),
        }
        match word.kind {
            TokenKind::RightParen => return Ok((parameters, words)),
            TokenKind::Comma if !parameters.variadic => word = next().ok_or(UNCLOSED)?,
            _ => return Err(("`,` or `)` belongs here", Some(word))),
        }
    }
}

/// Finds parameters and operators in a replacement list.
pub(super) fn parse_parts(body: &[BodyToken], parameters: Option<&Parameters>) -> Arc<[Part]> {
    parts_of(body, parameters, true)
}

/// `optional`: whether `__VA_OPT__` may stand here; it does not nest.
fn parts_of(body: &[BodyToken], parameters: Option<&Parameters>, optional: bool) -> Arc<[Part]> {
    let index_of = |token: &BodyToken| {
        let names = &parameters?.names;
        names.iter().position(|name| token.kind == TokenKind::Identifier && *name == token.text)
    };
    let variadic = parameters.is_some_and(|parameters| parameters.variadic);
    let mut parts = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(token) = body.get(at) {
        let token = *token;
        at += 1;
        if let Some(index) = index_of(&token) {
            parts.push(Part::Parameter { index, token });
        } else if token.kind == TokenKind::HashHash && at > 1 && at < body.len() {
            parts.push(Part::Paste { span: token.span });
        } else if token.kind == TokenKind::Hash
            && let Some(index) = body.get(at).and_then(index_of)
        {
            parts.push(Part::Stringify { index, token });
            at += 1;
        } else if optional
            && variadic
            && token.text == "__VA_OPT__"
            && let Some(length) = group_length(&body[at..])
        {
            let inner = parts_of(&body[at + 1..at + length - 1], parameters, false);
            parts.push(Part::Optional { parts: inner, token });
            at += length;
        } else {
            parts.push(Part::Token(token));
        }
    }
    parts.into()
}

/// Number of tokens of the group `( … )` that `tokens` begins with.
fn group_length(tokens: &[BodyToken]) -> Option<usize> {
    if tokens.first()?.kind != TokenKind::LeftParen {
        return None;
    }
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => {
                depth -= 1;
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// A macro of the configuration: `name` may carry a parameter list. Its tokens have no place in any
/// file; `nowhere` stands in for it.
pub(super) fn parse_configured(name: &str, value: &str, nowhere: FileId) -> Option<Definition> {
    let lexed = LexedFile::new(&format!("{name} {value}"));
    parse_definition(&lexed.lexemes, nowhere).ok()
}
