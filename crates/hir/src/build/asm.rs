//! Inline assembly.

use port_syntax::{Keyword, Symbol, TokenKind};

use super::cursor::END;
use super::{Builder, Parse};
use crate::*;

impl Builder<'_> {
    /// `asm volatile("…" : outputs : inputs : clobbers);`
    pub(super) fn asm_statement(&mut self) -> Parse<StmtId> {
        let start = self.bump();
        self.half_colon = false;
        let mut volatile = false;
        while let Some(keyword) = self.keyword() {
            match keyword {
                Keyword::Volatile | Keyword::GnuVolatile | Keyword::GnuVolatileShort => {
                    volatile = true;
                }
                Keyword::Goto | Keyword::Inline => {}
                _ => break,
            }
            self.bump();
        }
        let (template, outputs, inputs, clobbers) =
            self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
                let template = this.assignment_expression()?;
                let outputs = this.asm_operands()?;
                let inputs = this.asm_operands()?;
                let clobbers = this.clobbers()?;
                Ok((template, outputs, inputs, clobbers))
            })?;
        self.semicolon()?;
        let assembly = InlineAssembly { volatile, template, outputs, inputs, clobbers };
        Ok(self.add_stmt(StmtKind::Asm(Box::new(assembly)), start))
    }

    /// `: "=r"(x), [n] "+f"(y)`; nothing where no `:` stands. `::` begins an empty list and the next.
    fn asm_operands(&mut self) -> Parse<Vec<AsmOperand>> {
        let mut operands = Vec::new();
        if !self.asm_list() {
            return Ok(operands);
        }
        while !matches!(
            self.kind(),
            TokenKind::Colon | TokenKind::ColonColon | TokenKind::RightParen | END
        ) {
            let start = self.position;
            let name = if self.eat(TokenKind::LeftBracket) {
                let (name, _) = self.expect_name()?;
                self.expect(TokenKind::RightBracket)?;
                Some(name)
            } else {
                None
            };
            let constraint = self.plain_string()?;
            let value =
                self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::expression)?;
            let tokens = self.range_from(start);
            let origin = self.origin_of(tokens);
            operands.push(AsmOperand { name, constraint, value, origin });
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        Ok(operands)
    }

    /// Whether a list follows, after taking its `:`. A `::` is the `:` of an empty list and that of
    /// the next one.
    fn asm_list(&mut self) -> bool {
        if self.half_colon {
            self.half_colon = false;
            self.bump();
            return true;
        }
        if self.at(TokenKind::ColonColon) {
            self.half_colon = true;
            return false;
        }
        self.eat(TokenKind::Colon)
    }

    fn clobbers(&mut self) -> Parse<Vec<Symbol>> {
        let mut clobbers = Vec::new();
        if !self.asm_list() {
            return Ok(clobbers);
        }
        while self.at(TokenKind::String) {
            clobbers.push(self.plain_string()?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        Ok(clobbers)
    }

    /// A string's text without its quotes; adjacent ones joined.
    fn plain_string(&mut self) -> Parse<Symbol> {
        if !self.at(TokenKind::String) {
            return self.expected("string");
        }
        let expr = self.literal()?;
        match &self.module.exprs[expr].kind {
            ExprKind::Literal(Literal { value: LiteralValue::String { value, .. }, .. }) => {
                Ok(Symbol::new(&String::from_utf8_lossy(value)))
            }
            _ => self.expected("string"),
        }
    }
}
