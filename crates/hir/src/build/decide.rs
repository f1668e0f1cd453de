//! Declaration or expression, parameters or an initialiser: what a run of tokens is, decided by
//! looking ahead with [`scan`](super::scan).

use port_syntax::{Keyword, TokenKind};

use super::Builder;
use super::lookup::{Class, Place};
use super::scan::{ScannedName, ScannedType};
use super::words::{is_declaration_keyword, is_fundamental, is_parameter_qualifier, is_qualifier};

impl Builder<'_> {
    /// Whether the group that opens at `open`, after a declared name, is a parameter list rather
    /// than an initialiser.
    pub(super) fn is_parameter_list(&mut self, open: usize) -> bool {
        let Some(close) = self.closer(open) else { return false };
        let first = open + 1;
        if first == close || self.kind_at(first) == TokenKind::Ellipsis {
            return true;
        }
        if self.kind_at(first) == TokenKind::LeftBracket
            && self.kind_at(first + 1) == TokenKind::LeftBracket
        {
            return true;
        }
        match self.keyword_at(first) {
            Some(Keyword::Auto | Keyword::Register) => return true,
            Some(keyword) if is_qualifier(keyword) || is_parameter_qualifier(keyword) => {
                return true;
            }
            Some(Keyword::Void) if first + 1 == close => return true,
            _ => {}
        }
        let Some(ty) = self.scan_type(first, false) else { return false };
        let in_block = self.context.function.is_some();
        match self.kind_at(ty.end) {
            // `T x(int())` and casts are values; `int (*f)(int)` and `int (&a)[3]` are parameters.
            TokenKind::LeftParen => {
                ty.certain
                    && matches!(
                        self.kind_at(ty.end + 1),
                        TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand
                    )
            }
            TokenKind::LeftBrace => false,
            TokenKind::Identifier => match self.keyword_at(ty.end) {
                Some(keyword) if is_qualifier(keyword) => true,
                Some(_) => false,
                None => self.declares_after_unknown(ty, ty.end, in_block),
            },
            TokenKind::Ellipsis => true,
            TokenKind::Comma | TokenKind::RightParen | TokenKind::Equal => {
                ty.certain
                    || (!in_block && self.closer(open) != Some(ty.end))
                    || (!in_block && !self.is_upper_case(first))
            }
            _ => false,
        }
    }

    /// Whether `T * x` with an unknown `T` declares `x`: not if `x` is a variable in view.
    fn declares_after_unknown(&mut self, ty: ScannedType, name: usize, in_block: bool) -> bool {
        if ty.certain {
            return true;
        }
        let operator = matches!(
            self.kind_at(name - 1),
            TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand
        );
        if !operator {
            return true;
        }
        !(in_block && self.is_known_value(name))
    }

    /// Whether the identifier is a variable, function or constant in view.
    pub(super) fn is_known_value(&mut self, index: usize) -> bool {
        let Some(name) = self.name_at(index) else { return false };
        let found = self.look(Place::Open, name);
        matches!(
            self.class_of(found, false),
            Class::Value | Class::ValueTemplate | Class::Function { .. }
        )
    }

    /// Whether an identifier is written like a constant macro: `BLOCK_SIZE`.
    pub(super) fn is_upper_case(&self, index: usize) -> bool {
        self.name_at(index).is_some_and(|name| {
            let text = name.as_str();
            text.len() > 1
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
    }

    /// Whether a statement that begins at `position` is a declaration.
    pub(super) fn is_declaration(&mut self, position: usize) -> bool {
        match self.keyword_at(position) {
            Some(Keyword::Typename) => {
                let Some(name) = self.scan_declared_name(position + 1) else { return true };
                return !matches!(
                    self.kind_at(name.end),
                    TokenKind::LeftParen | TokenKind::LeftBrace
                ) || self.is_pointer_declarator(name.end);
            }
            Some(Keyword::Decltype | Keyword::GnuTypeof) => {
                let end = self.past_group(position + 1);
                return !matches!(
                    self.kind_at(end),
                    TokenKind::LeftParen | TokenKind::LeftBrace | TokenKind::ColonColon
                );
            }
            Some(keyword) if is_fundamental(keyword) => {
                let mut end = position + 1;
                while self.keyword_at(end).is_some_and(is_fundamental) {
                    end += 1;
                }
                return match self.kind_at(end) {
                    TokenKind::LeftParen => self.is_pointer_declarator(end),
                    TokenKind::LeftBrace => false,
                    _ => true,
                };
            }
            Some(keyword) if is_declaration_keyword(keyword) => return true,
            Some(_) => return false,
            None => {}
        }
        let Some(name) = self.scan_declared_name(position) else { return false };
        let next = self.kind_at(name.end);
        match name.class {
            Class::Type | Class::TypeTemplate => match next {
                TokenKind::Identifier => match self.keyword_at(name.end) {
                    None => true,
                    Some(keyword) => {
                        is_declaration_keyword(keyword) || keyword == Keyword::Operator
                    }
                },
                TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => true,
                TokenKind::LeftParen => self.is_pointer_declarator(name.end),
                TokenKind::LeftBracket => self.is_binding(name.end),
                TokenKind::Semicolon => true,
                TokenKind::ColonColon => self.kind_at(name.end + 1) == TokenKind::Star,
                _ => false,
            },
            Class::Unknown => match next {
                TokenKind::Identifier => match self.keyword_at(name.end) {
                    None => !self.is_macro_before_statement(name),
                    Some(keyword) => is_declaration_keyword(keyword),
                },
                TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => {
                    self.is_unknown_pointer_declaration(name)
                }
                _ => false,
            },
            // No expression has two names side by side: a type that goes by both, or that a table
            // takes for something else.
            Class::Value | Class::ValueTemplate | Class::Function { .. } | Class::Namespace => {
                name.simple && self.is_name_at(name.end) && !self.tokens[name.end].line_start
            }
        }
    }

    /// `MACRO` on a line of its own before a statement is no type.
    fn is_macro_before_statement(&self, name: ScannedName) -> bool {
        name.simple && !name.arguments && self.tokens[name.end].line_start && {
            // `T` `x;` over two lines is rare; `MACRO` `f(x);` is not.
            let after = self.kind_at(name.end + 1);
            !matches!(after, TokenKind::Equal | TokenKind::Semicolon | TokenKind::Comma)
        }
    }

    /// `A * b` of an unknown `A`, by what follows.
    fn is_unknown_pointer_declaration(&mut self, name: ScannedName) -> bool {
        if name.dependent {
            return false;
        }
        let by_and = self.kind_at(name.end) == TokenKind::AmpersandAmpersand;
        let mut at = name.end;
        loop {
            match self.kind_at(at) {
                TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => at += 1,
                TokenKind::Identifier if self.keyword_at(at).is_some_and(is_qualifier) => {
                    return true;
                }
                _ => break,
            }
        }
        if !self.is_name_at(at) {
            return false;
        }
        match self.kind_at(at + 1) {
            TokenKind::Equal => true,
            TokenKind::Semicolon | TokenKind::Comma | TokenKind::LeftBracket | TokenKind::Colon => {
                let product = self.is_known_value(at) && self.is_upper_case(name.last);
                !by_and && !product
            }
            _ => false,
        }
    }

    /// `(*f)(…)`, `(*p)[3]`, `(&a)[n]`, `(x);`, `(x) = 1` after a type: a declarator in parentheses.
    fn is_pointer_declarator(&mut self, open: usize) -> bool {
        let Some(close) = self.closer(open) else { return false };
        let after = self.kind_at(close + 1);
        match self.kind_at(open + 1) {
            TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => {
                let mut at = open + 2;
                while self.kind_at(at) == TokenKind::Star
                    || self.keyword_at(at).is_some_and(is_qualifier)
                {
                    at += 1;
                }
                self.is_name_at(at)
                    && match self.kind_at(at + 1) {
                        TokenKind::RightParen => matches!(
                            after,
                            TokenKind::LeftParen
                                | TokenKind::LeftBracket
                                | TokenKind::Equal
                                | TokenKind::Semicolon
                        ),
                        TokenKind::LeftBracket => {
                            self.past_group(at + 1) == close && after == TokenKind::LeftParen
                        }
                        _ => false,
                    }
            }
            TokenKind::Identifier => {
                self.is_name_at(open + 1)
                    && open + 2 == close
                    && matches!(after, TokenKind::Semicolon | TokenKind::Equal)
                    && !self.is_known_value(open + 1)
            }
            _ => false,
        }
    }

    /// `auto [a, b] =` after its `auto`.
    pub(super) fn is_binding(&self, open: usize) -> bool {
        self.closer(open).is_some_and(|close| {
            close > open + 1
                && matches!(
                    self.kind_at(close + 1),
                    TokenKind::Equal | TokenKind::Colon | TokenKind::LeftBrace
                )
                && self.is_name_at(open + 1)
                && matches!(self.kind_at(open + 2), TokenKind::Comma | TokenKind::RightBracket)
        })
    }
}
