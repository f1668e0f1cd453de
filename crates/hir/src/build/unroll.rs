//! `#pragma unroll` before loops.

use port_syntax::Symbol;

use super::Builder;
use super::cursor::match_brackets;
use crate::*;

impl<'t> Builder<'t> {
    /// The pragma that asks for unrolling of the loop at this token.
    pub(super) fn unroll_before(&mut self, index: usize) -> Option<Unroll> {
        // Inside a pragma there is no pragma.
        if !std::ptr::eq(self.tokens, self.unit.tokens.as_slice()) {
            return None;
        }
        let unit: &'t port_syntax::Preprocessed = self.unit;
        let first = unit.pragmas.partition_point(|pragma| pragma.before < index);
        let mut found = None;
        for pragma in unit.pragmas[first..].iter().take_while(|pragma| pragma.before == index) {
            let words = &pragma.tokens;
            let skip = usize::from(words.first().is_some_and(|word| word.text == "GCC"));
            let Some(word) = words.get(skip) else { continue };
            let origin = port_diag::Origin::plain(pragma.span);
            match word.text.as_str() {
                "unroll" => {
                    let count = self.read_pragma(&words[skip + 1..], index);
                    found = Some(Unroll { count, origin });
                }
                "nounroll" => {
                    let value = LiteralValue::Integer {
                        value: 1,
                        base: 10,
                        suffix: IntegerSuffix::default(),
                    };
                    let literal = Literal { value, spelling: Symbol::new("1") };
                    let count = Some(self.pragma_expr(ExprKind::Literal(literal), index));
                    found = Some(Unroll { count, origin });
                }
                _ => {}
            }
        }
        found
    }

    fn pragma_expr(&mut self, kind: ExprKind, index: usize) -> ExprId {
        let position = std::mem::replace(&mut self.position, index);
        let expr = self.add_expr(kind, index);
        self.position = position;
        expr
    }

    /// The expression in a pragma. Its nodes have an empty token range before the loop.
    fn read_pragma(&mut self, tokens: &'t [port_syntax::Token], index: usize) -> Option<ExprId> {
        if tokens.is_empty() {
            return None;
        }
        let first = self.module.exprs.len();
        let outer = (
            std::mem::replace(&mut self.tokens, tokens),
            std::mem::replace(&mut self.closers, match_brackets(tokens).closers),
            std::mem::replace(&mut self.position, 0),
            std::mem::replace(&mut self.end, tokens.len()),
        );
        let result = self.nested(|this| {
            let value = this.expression()?;
            if this.kind() != super::cursor::END {
                return this.expected("end of line");
            }
            Ok(value)
        });
        (self.tokens, self.closers, self.position, self.end) = outer;
        let empty = TokenRange { start: index as u32, end: index as u32 };
        for position in first..self.module.exprs.len() {
            self.module.exprs[ExprId::from_index(position)].tokens = empty;
        }
        result.ok()
    }
}
