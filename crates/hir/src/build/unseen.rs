//! Macros whose definition is not in view, read by the shape of what they stand in: a call, the
//! head of a block, a statement without `;`, arguments that are statements or types.

use port_syntax::TokenKind;

use super::cursor::END;
use super::lookup::Class;
use super::{Builder, Parse};
use crate::findings::UnknownMacroBlock;
use crate::*;

impl Builder<'_> {
    /// An unknown macro with its arguments and the statement that it heads. Never fails.
    pub(super) fn macro_statement(&mut self) -> StmtId {
        let start = self.position;
        let name = self.name_at(start).unwrap_or(self.words.empty);
        self.mean(start, Meaning::Unresolved);
        self.bump();
        let mut parts = Vec::new();
        if self.at(TokenKind::LeftParen)
            && let Some(close) = self.closer(self.position)
        {
            let open = self.position;
            parts.push(self.macro_region(open, close));
        }
        let heads = self.at(TokenKind::LeftBrace)
            || (self.kind() == TokenKind::Identifier
                && self.context.function.is_some()
                && !self.tokens[self.position].line_start);
        if heads {
            let finding = UnknownMacroBlock { name: name.as_str().to_string() };
            self.report(&finding, start);
            if self.at(TokenKind::LeftBrace) {
                parts.push(self.block());
            } else {
                self.statement_into(&mut parts);
            }
        }
        self.add_stmt(StmtKind::MacroCall { name, parts }, start)
    }

    /// What can be read between the parentheses of an unknown macro: statements, expressions,
    /// types. Failures are not reported: the macro decides what its arguments are. The position is
    /// then past the parentheses.
    pub(super) fn macro_region(&mut self, open: usize, close: usize) -> StmtId {
        let mark = self.scopes.mark();
        let end = std::mem::replace(&mut self.end, close);
        let device = std::mem::replace(&mut self.context.device, false);
        let poison = self.poison.take();
        self.position = open + 1;
        let mut parts = Vec::new();
        while !self.at_end() {
            let at = self.position;
            let meanings = self.meanings.len();
            let read = self.nested(|this| this.macro_part(&mut parts));
            let ended = matches!(
                self.kind(),
                TokenKind::Comma | TokenKind::Semicolon | TokenKind::RightBrace | END
            ) || self.position > at
                && matches!(
                    self.tokens[self.position - 1].kind,
                    TokenKind::Semicolon | TokenKind::RightBrace
                );
            if read.is_err() || !ended {
                if read.is_err() {
                    self.meanings.truncate(meanings);
                }
                self.position = self.position.max(at);
                while !matches!(self.kind(), TokenKind::Comma | TokenKind::Semicolon | END) {
                    let after = self.past_group(self.position);
                    self.position = after.max(self.position + 1);
                }
            }
            if matches!(self.kind(), TokenKind::Comma | TokenKind::Semicolon) {
                self.bump();
            }
            if self.position == at {
                self.bump();
            }
        }
        self.end = end;
        self.position = close + 1;
        self.context.device = device;
        self.poison = poison;
        self.scopes.restore(mark);
        self.add_stmt(StmtKind::Block(parts), open)
    }

    pub(super) fn macro_part(&mut self, parts: &mut Vec<StmtId>) -> Parse<()> {
        let start = self.position;
        let end = self.statement_end(start);
        if self.kind_at(end) == TokenKind::Semicolon
            && self.context.function.is_some()
            && !(start..end).any(|at| self.kind_at(at) == TokenKind::Comma)
            || self.at(TokenKind::LeftBrace)
        {
            return self.statement(parts);
        }
        if self.context.function.is_some() && self.kind_at(end) == TokenKind::Semicolon {
            // `a, b; c;`: commas of the statement or of the macro. A declaration tells.
            let read = self.is_declaration(start);
            if read {
                return self.statement(parts);
            }
        }
        let value = self.argument()?;
        parts.push(self.add_stmt(StmtKind::Expr(value), start));
        Ok(())
    }

    /// `LOOP(i, n) {`, `FOREVER {`, `LOOP(i, n) x[i] = 0;`: a macro that is not in view and heads a
    /// statement.
    pub(super) fn is_block_macro(&mut self, at: usize) -> bool {
        let call = self.kind_at(at + 1) == TokenKind::LeftParen;
        let after = self.past_group(at + 1);
        let after = if call { after } else { at + 1 };
        let heads = match self.kind_at(after) {
            TokenKind::LeftBrace => true,
            TokenKind::Identifier => call && !self.tokens[after].line_start,
            _ => false,
        };
        if !heads {
            return false;
        }
        let found = self.found_at(at);
        if self.class_of(found, false) != Class::Unknown {
            return false;
        }
        // `T{…};` of an unknown type is an expression.
        call || {
            let end = self.past_group(after);
            !matches!(
                self.kind_at(end),
                TokenKind::Semicolon | TokenKind::Dot | TokenKind::LeftParen | TokenKind::Comma
            )
        }
    }

    /// Whether an expression without `;` can be a macro's use that needs none.
    pub(super) fn is_macro_end(&self, value: ExprId) -> bool {
        let callee = match &self.module.exprs[value].kind {
            ExprKind::Call { callee, .. } => *callee,
            ExprKind::Name(_) => value,
            _ => return false,
        };
        let unknown = matches!(
            &self.module.exprs[callee].kind,
            ExprKind::Name(NameRef { resolution: Res::Unresolved, .. })
        );
        unknown
            && (self.at_end()
                || self.tokens[self.position].line_start
                || self.at(TokenKind::RightBrace))
    }
}
