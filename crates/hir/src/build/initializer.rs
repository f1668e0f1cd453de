//! Initialisers and braced lists.

use port_syntax::{Keyword, TokenKind};

use super::cursor::END;
use super::{Builder, Parse};
use crate::*;

impl Builder<'_> {
    /// `= e`, `(a, b)`, `{a}` or nothing.
    pub(super) fn initializer(&mut self) -> Parse<Option<Initializer>> {
        Ok(Some(match self.kind() {
            TokenKind::Equal => {
                self.bump();
                Initializer::Copy(self.initializer_clause()?)
            }
            TokenKind::LeftParen => Initializer::Direct(self.arguments()?),
            TokenKind::LeftBrace => Initializer::Brace(self.init_list()?),
            _ => return Ok(None),
        }))
    }

    /// An expression or a braced list.
    pub(super) fn initializer_clause(&mut self) -> Parse<ExprId> {
        if self.at(TokenKind::LeftBrace) { self.init_list() } else { self.assignment_expression() }
    }

    /// `{a, .b = c, [2] = d, e...}`
    pub(super) fn init_list(&mut self) -> Parse<ExprId> {
        let start = self.position;
        let items = self.inside(TokenKind::LeftBrace, TokenKind::RightBrace, |this| {
            let mut items = Vec::new();
            while !matches!(this.kind(), TokenKind::RightBrace | END) {
                items.push(this.init_item()?);
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok(items)
        })?;
        Ok(self.add_expr(ExprKind::InitList(items), start))
    }

    fn init_item(&mut self) -> Parse<InitItem> {
        let start = self.position;
        let mut designators = Vec::new();
        loop {
            match self.kind() {
                TokenKind::Dot if self.is_name_at(self.position + 1) => {
                    self.bump();
                    let (name, at) = self.expect_name()?;
                    self.mean(at, Meaning::Member);
                    designators.push(Designator::Field(name, self.origin_at(at)));
                }
                TokenKind::LeftBracket if self.is_index_designator() => {
                    let index = self.inside(
                        TokenKind::LeftBracket,
                        TokenKind::RightBracket,
                        Self::constant_expression,
                    )?;
                    designators.push(Designator::Index(index));
                }
                // GNU `x: value`
                TokenKind::Identifier
                    if designators.is_empty()
                        && self.is_name_at(self.position)
                        && self.kind_at(self.position + 1) == TokenKind::Colon
                        && self.keyword() != Some(Keyword::Default) =>
                {
                    let (name, at) = self.expect_name()?;
                    self.mean(at, Meaning::Member);
                    self.bump();
                    designators.push(Designator::Field(name, self.origin_at(at)));
                    break;
                }
                _ => break,
            }
        }
        if !designators.is_empty() {
            self.eat(TokenKind::Equal);
        }
        let mut value = self.initializer_clause()?;
        if self.eat(TokenKind::Ellipsis) {
            value = self.add_expr(ExprKind::PackExpansion(value), start);
        }
        Ok(InitItem { designators, value })
    }

    /// `[2] =` rather than a lambda.
    fn is_index_designator(&self) -> bool {
        self.closer(self.position).is_some_and(|close| {
            matches!(
                self.kind_at(close + 1),
                TokenKind::Equal | TokenKind::Dot | TokenKind::LeftBracket
            ) && close > self.position + 1
        })
    }

    /// `(a, b)`
    pub(super) fn arguments(&mut self) -> Parse<Vec<ExprId>> {
        self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
            let mut arguments = Vec::new();
            while !matches!(this.kind(), TokenKind::RightParen | END) {
                arguments.push(this.argument()?);
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok(arguments)
        })
    }

    /// An argument: an expression, a braced list, a pack expansion, or what only a macro takes: a
    /// type, a block, nothing.
    pub(super) fn argument(&mut self) -> Parse<ExprId> {
        let start = self.position;
        let mut value = match self.kind() {
            TokenKind::LeftBrace => {
                let close = self.closer(start);
                if close.is_some_and(|close| self.has_semicolon(start, close)) {
                    let block = self.nested(|this| Ok(this.block()))?;
                    self.add_expr(ExprKind::StatementExpression(block), start)
                } else {
                    self.init_list()?
                }
            }
            _ => match self.type_argument(start)? {
                Some(ty) => self.add_expr(ExprKind::TypeArgument(ty), start),
                None => self.assignment_expression()?,
            },
        };
        if self.eat(TokenKind::Ellipsis) {
            value = self.add_expr(ExprKind::PackExpansion(value), start);
        }
        Ok(value)
    }

    /// A type where an argument is expected: `MACRO(float, x)`, `va_arg(p, char *)`.
    fn type_argument(&mut self, start: usize) -> Parse<Option<TyId>> {
        let Some(scanned) = self.scan_type(start, false) else { return Ok(None) };
        if !scanned.certain
            || !matches!(self.kind_at(scanned.end), TokenKind::Comma | TokenKind::RightParen)
        {
            return Ok(None);
        }
        self.type_id().map(Some)
    }
}
