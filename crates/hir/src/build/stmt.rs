//! Statements.

use port_syntax::{Keyword, TokenKind};

use super::cursor::{END, Failure, FailureKind};
use super::declaration::Declared;
use super::item::UsingKind;
use super::specifiers::Site;
use super::{Builder, Parse};
use crate::*;

/// One `if (…) then` of a chain of `else if`.
struct Branch {
    start: usize,
    constexpr: bool,
    init: Option<StmtId>,
    condition: Condition,
    then: StmtId,
}

impl Builder<'_> {
    pub(super) fn add_stmt(&mut self, kind: StmtKind, start: usize) -> StmtId {
        let tokens = self.range_from(start);
        let origin = self.origin_of(tokens);
        self.module.stmts.add(Stmt { kind, origin, tokens })
    }

    /// The block at the current `{`. Never fails: what can't be read in it is an error statement.
    pub(super) fn block(&mut self) -> StmtId {
        let start = self.position;
        let mark = self.scopes.mark();
        let in_angles = std::mem::replace(&mut self.in_angles, false);
        let close = self.closer(start);
        let reach = close.unwrap_or(self.end);
        let end = std::mem::replace(&mut self.end, reach);
        self.bump();
        let mut stmts = Vec::new();
        while !self.at_end() {
            // A missing `}`: the next kernel is no part of this function.
            if close.is_none() && self.at_keyword(Keyword::Global) {
                break;
            }
            self.statement_into(&mut stmts);
        }
        self.end = end;
        self.in_angles = in_angles;
        self.scopes.restore(mark);
        if !self.eat(TokenKind::RightBrace) {
            let kind = FailureKind::Expected("}");
            self.statement_failure(Failure { at: self.position, kind });
        }
        self.add_stmt(StmtKind::Block(stmts), start)
    }

    /// One statement; a declaration may make several. Always takes a token.
    pub(super) fn statement_into(&mut self, out: &mut Vec<StmtId>) {
        let start = self.position;
        let meanings = self.meanings.len();
        if let Err(failure) = self.nested(|this| this.statement(out)) {
            // The tokens may have been misread up to the failure.
            self.meanings.truncate(meanings);
            self.statement_failure(failure);
            self.position = self.failed_statement_end(start, failure.at);
            out.push(self.add_stmt(StmtKind::Error, start));
        }
        if self.position == start {
            self.bump();
        }
    }

    /// Where reading goes on after a statement that failed: past its `;` or its block.
    fn failed_statement_end(&self, start: usize, failed: usize) -> usize {
        let mut at = start;
        while at < self.end {
            match self.tokens[at].kind {
                TokenKind::Semicolon if at >= failed => return at + 1,
                TokenKind::LeftBrace => {
                    let after = self.past_group(at);
                    if after > failed {
                        return after;
                    }
                    at = after;
                }
                kind if kind.is_open() => {
                    let after = self.past_group(at);
                    at = if after >= self.end { at + 1 } else { after };
                }
                _ => at += 1,
            }
        }
        self.end
    }

    /// The statement of an `if` or loop: one node, whatever it is.
    fn sub_statement(&mut self) -> Parse<StmtId> {
        let start = self.position;
        let mark = self.scopes.mark();
        let mut stmts = Vec::with_capacity(1);
        let result = self.nested(|this| {
            loop {
                this.statement(&mut stmts)?;
                // A label stands before the statement that it labels.
                let label = stmts.last().is_some_and(|last| {
                    matches!(
                        this.module.stmts[*last].kind,
                        StmtKind::Label(_) | StmtKind::Case { .. } | StmtKind::Default
                    )
                });
                if !label || this.at_end() {
                    return Ok(());
                }
            }
        });
        self.scopes.restore(mark);
        result?;
        Ok(match stmts.as_slice() {
            [only] => *only,
            _ => self.add_stmt(StmtKind::Block(stmts), start),
        })
    }

    pub(super) fn statement(&mut self, out: &mut Vec<StmtId>) -> Parse<()> {
        let start = self.position;
        let kind = match self.kind() {
            TokenKind::LeftBrace => {
                out.push(self.block());
                return Ok(());
            }
            TokenKind::Semicolon => {
                self.bump();
                StmtKind::Empty
            }
            TokenKind::LeftBracket if self.kind_at(start + 1) == TokenKind::LeftBracket => {
                self.skip_attributes()?;
                if self.at(TokenKind::Semicolon) {
                    self.bump();
                    StmtKind::Empty
                } else {
                    return self.statement(out);
                }
            }
            TokenKind::Identifier => match self.keyword() {
                Some(keyword) => return self.keyword_statement(keyword, start, out),
                None => return self.name_statement(start, out),
            },
            _ => return self.expression_or_declaration(start, out),
        };
        out.push(self.add_stmt(kind, start));
        Ok(())
    }

    fn keyword_statement(
        &mut self,
        keyword: Keyword,
        start: usize,
        out: &mut Vec<StmtId>,
    ) -> Parse<()> {
        let kind = match keyword {
            Keyword::If => {
                out.push(self.if_statement()?);
                return Ok(());
            }
            Keyword::For => {
                out.push(self.for_statement()?);
                return Ok(());
            }
            Keyword::While => {
                let unroll = self.unroll_before(start);
                self.bump();
                let mark = self.scopes.mark();
                let result = self
                    .inside(TokenKind::LeftParen, TokenKind::RightParen, Self::condition)
                    .and_then(|condition| Ok((condition, self.sub_statement()?)));
                self.scopes.restore(mark);
                let (condition, body) = result?;
                StmtKind::While { condition, body, unroll }
            }
            Keyword::Do => {
                let unroll = self.unroll_before(start);
                self.bump();
                let body = self.sub_statement()?;
                if !self.eat_keyword(Keyword::While) {
                    return self.expected("while");
                }
                let condition =
                    self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::expression)?;
                self.semicolon()?;
                StmtKind::DoWhile { body, condition, unroll }
            }
            Keyword::Switch => {
                self.bump();
                let mark = self.scopes.mark();
                let result = self
                    .inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
                        let init = this.init_statement()?;
                        Ok((init, this.condition()?))
                    })
                    .and_then(|(init, condition)| Ok((init, condition, self.sub_statement()?)));
                self.scopes.restore(mark);
                let (init, condition, body) = result?;
                StmtKind::Switch { init, condition, body }
            }
            Keyword::Case => {
                self.bump();
                let value = self.constant_expression()?;
                let upper = if self.eat(TokenKind::Ellipsis) {
                    Some(self.constant_expression()?)
                } else {
                    None
                };
                self.expect(TokenKind::Colon)?;
                StmtKind::Case { value, upper }
            }
            Keyword::Default if self.kind_at(start + 1) == TokenKind::Colon => {
                self.position += 2;
                StmtKind::Default
            }
            Keyword::Break => {
                self.bump();
                self.semicolon()?;
                StmtKind::Break
            }
            Keyword::Continue => {
                self.bump();
                self.semicolon()?;
                StmtKind::Continue
            }
            Keyword::Return => {
                self.bump();
                let value = match self.kind() {
                    TokenKind::Semicolon => None,
                    TokenKind::LeftBrace => Some(self.init_list()?),
                    _ => Some(self.expression()?),
                };
                self.semicolon()?;
                StmtKind::Return(value)
            }
            Keyword::CoReturn => {
                self.bump();
                if !self.at(TokenKind::Semicolon) {
                    self.expression()?;
                }
                self.semicolon()?;
                StmtKind::Unsupported("coroutine")
            }
            Keyword::Goto => {
                self.bump();
                if self.at(TokenKind::Star) {
                    self.bump();
                    self.expression()?;
                    self.semicolon()?;
                    StmtKind::Unsupported("computed goto")
                } else {
                    let (label, at) = self.expect_name()?;
                    self.mean(at, Meaning::User(Entity::Label));
                    self.semicolon()?;
                    StmtKind::Goto(label)
                }
            }
            Keyword::Try => {
                self.bump();
                if !self.at(TokenKind::LeftBrace) {
                    return self.expected("{");
                }
                let body = self.block();
                let handlers = self.handlers();
                StmtKind::Try { body, handlers }
            }
            Keyword::Asm | Keyword::GnuAsm | Keyword::GnuAsmShort => {
                out.push(self.asm_statement()?);
                return Ok(());
            }
            Keyword::StaticAssert => {
                out.push(self.static_assert()?);
                return Ok(());
            }
            Keyword::Using => {
                let kind = match self.using(Site::Block)? {
                    UsingKind::Alias(alias) => StmtKind::Alias(alias),
                    UsingKind::Names(name) => StmtKind::Using(name),
                };
                out.push(self.add_stmt(kind, start));
                return Ok(());
            }
            Keyword::Namespace => {
                self.bump();
                StmtKind::Using(self.namespace_alias(Site::Block)?)
            }
            Keyword::GnuExtension => {
                self.bump();
                return self.statement(out);
            }
            Keyword::Else => return self.expected("statement"),
            _ => return self.expression_or_declaration(start, out),
        };
        out.push(self.add_stmt(kind, start));
        Ok(())
    }

    /// A statement that begins with a name: a label, an unknown macro, an expression, a declaration.
    fn name_statement(&mut self, start: usize, out: &mut Vec<StmtId>) -> Parse<()> {
        match self.kind_at(start + 1) {
            TokenKind::Colon => {
                let (label, at) = self.expect_name()?;
                self.mean(at, Meaning::User(Entity::Label));
                self.bump();
                out.push(self.add_stmt(StmtKind::Label(label), start));
                Ok(())
            }
            TokenKind::LeftBrace | TokenKind::LeftParen if self.is_block_macro(start) => {
                let stmt = self.macro_statement();
                self.eat(TokenKind::Semicolon);
                out.push(stmt);
                Ok(())
            }
            _ => self.expression_or_declaration(start, out),
        }
    }

    fn expression_or_declaration(&mut self, start: usize, out: &mut Vec<StmtId>) -> Parse<()> {
        if self.is_declaration(start) {
            if self.at_keyword(Keyword::Template) {
                return self.expected("statement");
            }
            let declared = self.declaration(Site::Block, start)?;
            self.push_declared(declared, start, out);
            return Ok(());
        }
        let value = self.expression()?;
        if !self.eat(TokenKind::Semicolon) && !self.is_macro_end(value) {
            return self.expected(";");
        }
        out.push(self.add_stmt(StmtKind::Expr(value), start));
        Ok(())
    }

    /// The statements of a declaration.
    fn push_declared(&mut self, declared: Declared, start: usize, out: &mut Vec<StmtId>) {
        match declared.defines {
            Some(NestedType::Record(id)) => out.push(self.add_stmt(StmtKind::Record(id), start)),
            Some(NestedType::Enum(id)) => out.push(self.add_stmt(StmtKind::Enum(id), start)),
            _ => {}
        }
        for alias in declared.aliases {
            out.push(self.add_stmt(StmtKind::Alias(alias), start));
        }
        for function in declared.functions {
            out.push(self.add_stmt(StmtKind::Function(function), start));
        }
        if let Some((whole, names)) = declared.bindings {
            out.push(self.add_stmt(StmtKind::Bindings { whole, names }, start));
        }
        if !declared.locals.is_empty() {
            out.push(self.add_stmt(StmtKind::Locals(declared.locals), start));
        }
    }

    pub(super) fn semicolon(&mut self) -> Parse<()> {
        self.expect(TokenKind::Semicolon)
    }

    /// `if`, with the `else if`s after it: a chain of any length is read without recursion.
    fn if_statement(&mut self) -> Parse<StmtId> {
        let mark = self.scopes.mark();
        let result = self.if_chain();
        self.scopes.restore(mark);
        result
    }

    fn if_chain(&mut self) -> Parse<StmtId> {
        let mut branches = Vec::with_capacity(1);
        let mut otherwise = None;
        loop {
            let start = self.bump();
            let constexpr = self.eat_keyword(Keyword::Constexpr);
            if !self.at(TokenKind::LeftParen) {
                return self.expected("(");
            }
            let (init, condition) =
                self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
                    let init = this.init_statement()?;
                    Ok((init, this.condition()?))
                })?;
            let then = self.sub_statement()?;
            branches.push(Branch { start, constexpr, init, condition, then });
            if branches.len() > super::MAX_CHAIN as usize {
                return Err(Failure { at: self.position, kind: FailureKind::TooDeep });
            }
            if !self.eat_keyword(Keyword::Else) {
                break;
            }
            if !self.at_keyword(Keyword::If) {
                otherwise = Some(self.sub_statement()?);
                break;
            }
        }
        let mut result = None;
        for branch in branches.into_iter().rev() {
            let Branch { start, constexpr, init, condition, then } = branch;
            let kind = StmtKind::If { constexpr, init, condition, then, otherwise };
            let stmt = self.add_stmt(kind, start);
            otherwise = Some(stmt);
            result = Some(stmt);
        }
        match result {
            Some(stmt) => Ok(stmt),
            None => self.expected("if"),
        }
    }

    /// `init;` in front of a condition.
    fn init_statement(&mut self) -> Parse<Option<StmtId>> {
        let open = self.position;
        let end = self.statement_end(open);
        if self.kind_at(end) != TokenKind::Semicolon {
            return Ok(None);
        }
        let mut stmts = Vec::with_capacity(1);
        self.statement(&mut stmts)?;
        Ok(stmts.pop())
    }

    fn condition(&mut self) -> Parse<Condition> {
        let start = self.position;
        if !self.is_declaration(start) {
            return Ok(Condition::Expr(self.expression()?));
        }
        let specifiers = self.specifiers(Site::Block)?;
        let Some(base) = specifiers.ty else { return self.expected("condition") };
        let declarator = self.declarator(base, super::declarator::Form::Named)?;
        let Some(name) = declarator.name else { return self.expected("name") };
        let storage = specifiers.storage;
        let kind = LocalKind::Variable;
        let id = self.add_local(name.name, name.at, kind, declarator.ty, storage, start);
        let initializer = self.initializer()?;
        let tokens = self.range_from(start);
        self.module.locals[id].initializer = initializer;
        self.module.locals[id].tokens = tokens;
        Ok(Condition::Local(id))
    }

    fn for_statement(&mut self) -> Parse<StmtId> {
        let mark = self.scopes.mark();
        let result = self.for_inner();
        self.scopes.restore(mark);
        result
    }

    fn for_inner(&mut self) -> Parse<StmtId> {
        let start = self.position;
        let unroll = self.unroll_before(start);
        self.bump();
        let header = self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::for_header)?;
        let body = self.sub_statement()?;
        let kind = match header {
            ForHeader::Range { init, variable, range } => {
                StmtKind::RangeFor { init, variable, range, body, unroll }
            }
            ForHeader::Steps { init, condition, step } => {
                StmtKind::For { init, condition, step, body, unroll }
            }
        };
        Ok(self.add_stmt(kind, start))
    }

    fn for_header(&mut self) -> Parse<ForHeader> {
        let mut init = self.for_init()?;
        if self.at(TokenKind::Colon) {
            return self.range_header(None, init);
        }
        // `for (init; T x : range)`
        let start = self.position;
        if self.is_declaration(start) {
            let end = self.statement_end(start);
            let ranges = (start..end).any(|at| self.kind_at(at) == TokenKind::Colon);
            if ranges && self.kind_at(end) != TokenKind::Semicolon {
                let variable = self.for_init()?;
                return self.range_header(init.take(), variable);
            }
        }
        let condition = if self.at(TokenKind::Semicolon) { None } else { Some(self.condition()?) };
        self.semicolon()?;
        let step = if self.at(TokenKind::RightParen) || self.at(END) {
            None
        } else {
            Some(self.expression()?)
        };
        Ok(ForHeader::Steps { init, condition, step })
    }

    /// The first part of a `for`, up to its `;` or to the `:` of a range.
    fn for_init(&mut self) -> Parse<Option<StmtId>> {
        let start = self.position;
        if self.at(TokenKind::Semicolon) {
            self.bump();
            return Ok(None);
        }
        if self.at_keyword(Keyword::Using) {
            let mut stmts = Vec::new();
            self.statement(&mut stmts)?;
            return Ok(stmts.pop());
        }
        self.skip_attributes()?;
        if self.is_declaration(self.position) {
            let declared = self.declaration(Site::Block, start)?;
            let mut stmts = Vec::with_capacity(1);
            self.push_declared(declared, start, &mut stmts);
            return Ok(stmts.pop());
        }
        let value = self.expression()?;
        let stmt = self.add_stmt(StmtKind::Expr(value), start);
        self.semicolon()?;
        Ok(Some(stmt))
    }

    fn range_header(&mut self, init: Option<StmtId>, variable: Option<StmtId>) -> Parse<ForHeader> {
        self.expect(TokenKind::Colon)?;
        let range = self.initializer_clause()?;
        match variable {
            Some(variable) => Ok(ForHeader::Range { init, variable, range }),
            None => self.expected("variable"),
        }
    }

    /// The `catch` clauses here.
    pub(super) fn handlers(&mut self) -> Vec<Handler> {
        let mut handlers = Vec::new();
        while self.at_keyword(Keyword::Catch) {
            self.bump();
            let mark = self.scopes.mark();
            let open = self.position;
            let exception = self.exception();
            self.position = self.past_group(open);
            if self.at(TokenKind::LeftBrace) {
                let body = self.block();
                handlers.push(Handler { exception, body });
            }
            self.scopes.restore(mark);
        }
        handlers
    }

    fn exception(&mut self) -> Option<LocalId> {
        let start = self.position + 1;
        self.bump();
        if self.at(TokenKind::Ellipsis) {
            return None;
        }
        let specifiers = self.specifiers(Site::Parameter).ok()?;
        let form = super::declarator::Form::Either;
        let declarator = self.declarator(specifiers.ty?, form).ok()?;
        let name = declarator.name?;
        let kind = LocalKind::Exception;
        let storage = Storage::default();
        Some(self.add_local(name.name, name.at, kind, declarator.ty, storage, start))
    }

    pub(super) fn static_assert(&mut self) -> Parse<StmtId> {
        let start = self.bump();
        let (condition, message) =
            self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
                let condition = this.assignment_expression()?;
                let message = if this.eat(TokenKind::Comma) {
                    Some(this.assignment_expression()?)
                } else {
                    None
                };
                Ok((condition, message))
            })?;
        self.semicolon()?;
        Ok(self.add_stmt(StmtKind::StaticAssert { condition, message }, start))
    }
}

/// What stands in the parentheses of a `for`.
enum ForHeader {
    Range { init: Option<StmtId>, variable: StmtId, range: ExprId },
    Steps { init: Option<StmtId>, condition: Option<Condition>, step: Option<ExprId> },
}
