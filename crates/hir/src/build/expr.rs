//! Expressions: operators by precedence, prefix and postfix forms. Operands are in `primary`.

use port_syntax::{Keyword, TokenKind};

use super::cursor::{END, Failure, FailureKind};
use super::{Builder, MAX_CHAIN, Parse};
use crate::*;

/// Binding strengths, from loose to tight.
const LOGICAL_OR: u8 = 4;
const MEMBER_POINTER: u8 = 15;

/// A binary operator at the current token.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOperator),
    MemberPointer { arrow: bool },
}

impl Builder<'_> {
    pub(super) fn add_expr(&mut self, kind: ExprKind, start: usize) -> ExprId {
        let tokens = self.range_from(start);
        let origin = self.origin_of(tokens);
        self.module.exprs.add(Expr { kind, origin, tokens, parenthesised: false })
    }

    /// An expression, with commas.
    pub(super) fn expression(&mut self) -> Parse<ExprId> {
        let start = self.position;
        let mut left = self.assignment_expression()?;
        let mut chain = 0;
        while self.at(TokenKind::Comma) && self.kind_at(self.position + 1) != TokenKind::Ellipsis {
            self.bump();
            let right = self.assignment_expression()?;
            let operator = BinaryOperator::Comma;
            left = self.add_expr(ExprKind::Binary { operator, left, right }, start);
            self.lengthen(&mut chain)?;
        }
        Ok(left)
    }

    /// An expression without commas.
    pub(super) fn assignment_expression(&mut self) -> Parse<ExprId> {
        let start = self.position;
        if self.at_keyword(Keyword::Throw) {
            self.bump();
            let value = match self.kind() {
                TokenKind::Semicolon
                | TokenKind::RightParen
                | TokenKind::Comma
                | TokenKind::Colon
                | END => None,
                _ => Some(self.nested(Self::assignment_expression)?),
            };
            return Ok(self.add_expr(ExprKind::Throw(value), start));
        }
        let target = self.conditional_expression()?;
        let Some((operator, length)) = self.assignment_operator() else { return Ok(target) };
        if self.kind_at(self.position + length) == TokenKind::Ellipsis {
            return Ok(target);
        }
        self.position += length;
        let value = self.nested(Self::initializer_clause)?;
        Ok(self.add_expr(ExprKind::Assign { operator, target, value }, start))
    }

    fn assignment_operator(&self) -> Option<(Option<BinaryOperator>, usize)> {
        let operator = match self.kind() {
            TokenKind::Equal => None,
            TokenKind::PlusEqual => Some(BinaryOperator::Add),
            TokenKind::MinusEqual => Some(BinaryOperator::Subtract),
            TokenKind::StarEqual => Some(BinaryOperator::Multiply),
            TokenKind::SlashEqual => Some(BinaryOperator::Divide),
            TokenKind::PercentEqual => Some(BinaryOperator::Remainder),
            TokenKind::AmpersandEqual => Some(BinaryOperator::BitAnd),
            TokenKind::PipeEqual => Some(BinaryOperator::BitOr),
            TokenKind::CaretEqual => Some(BinaryOperator::BitXor),
            TokenKind::LessLessEqual => Some(BinaryOperator::ShiftLeft),
            TokenKind::Greater
                if !self.in_angles
                    && self.kind_at(self.position + 1) == TokenKind::GreaterEqual
                    && self.tokens[self.position].joins(&self.tokens[self.position + 1]) =>
            {
                return Some((Some(BinaryOperator::ShiftRight), 2));
            }
            TokenKind::Identifier => match self.keyword()? {
                Keyword::AndEq => Some(BinaryOperator::BitAnd),
                Keyword::OrEq => Some(BinaryOperator::BitOr),
                Keyword::XorEq => Some(BinaryOperator::BitXor),
                _ => return None,
            },
            _ => return None,
        };
        Some((operator, 1))
    }

    /// A constant: no comma, no assignment.
    pub(super) fn constant_expression(&mut self) -> Parse<ExprId> {
        self.nested(Self::conditional_expression)
    }

    /// `a || b`: a constraint.
    pub(super) fn logical_or_expression(&mut self) -> Parse<ExprId> {
        self.nested(|this| this.binary(LOGICAL_OR))
    }

    fn conditional_expression(&mut self) -> Parse<ExprId> {
        let start = self.position;
        let condition = self.binary(LOGICAL_OR)?;
        if !self.eat(TokenKind::Question) {
            return Ok(condition);
        }
        let then = if self.at(TokenKind::Colon) {
            None
        } else {
            // Between `?` and `:` a `>` still closes template arguments.
            Some(self.nested(Self::expression)?)
        };
        self.expect(TokenKind::Colon)?;
        let otherwise = self.nested(|this| {
            if this.at(TokenKind::LeftBrace) {
                this.init_list()
            } else {
                this.assignment_expression()
            }
        })?;
        Ok(self.add_expr(ExprKind::Conditional { condition, then, otherwise }, start))
    }

    fn lengthen(&self, chain: &mut u32) -> Parse<()> {
        *chain += 1;
        if *chain > MAX_CHAIN {
            return Err(Failure { at: self.position, kind: FailureKind::TooDeep });
        }
        Ok(())
    }

    /// Operators of at least this strength.
    fn binary(&mut self, strength: u8) -> Parse<ExprId> {
        let start = self.position;
        let mut left = self.unary()?;
        let mut chain = 0;
        while let Some((infix, found, length)) = self.infix() {
            // `e + ...` is a fold: its reader takes the operator.
            if found < strength || self.kind_at(self.position + length) == TokenKind::Ellipsis {
                break;
            }
            self.position += length;
            let right = self.binary(found + 1)?;
            let kind = match infix {
                Infix::Binary(operator) => ExprKind::Binary { operator, left, right },
                Infix::MemberPointer { arrow } => {
                    ExprKind::MemberPointer { object: left, arrow, pointer: right }
                }
            };
            left = self.add_expr(kind, start);
            self.lengthen(&mut chain)?;
        }
        Ok(left)
    }

    /// The binary operator here, its strength and its number of tokens.
    fn infix(&self) -> Option<(Infix, u8, usize)> {
        use BinaryOperator::*;
        let (operator, strength) = match self.kind() {
            TokenKind::Star => (Multiply, 14),
            TokenKind::Slash => (Divide, 14),
            TokenKind::Percent => (Remainder, 14),
            TokenKind::Plus => (Add, 13),
            TokenKind::Minus => (Subtract, 13),
            TokenKind::LessLess => (ShiftLeft, 12),
            TokenKind::Spaceship => (ThreeWay, 11),
            TokenKind::Less => (Less, 10),
            TokenKind::Greater if self.in_angles => return None,
            TokenKind::Greater => {
                let next = self.position + 1;
                if self.is_shift_right_at(self.position) {
                    return Some((Infix::Binary(ShiftRight), 12, 2));
                }
                // `>>=` assigns.
                if self.kind_at(next) == TokenKind::GreaterEqual
                    && self.tokens[self.position].joins(&self.tokens[next])
                {
                    return None;
                }
                (Greater, 10)
            }
            TokenKind::LessEqual => (LessEqual, 10),
            TokenKind::GreaterEqual => (GreaterEqual, 10),
            TokenKind::EqualEqual => (Equal, 9),
            TokenKind::ExclamationEqual => (NotEqual, 9),
            TokenKind::Ampersand => (BitAnd, 8),
            TokenKind::Caret => (BitXor, 7),
            TokenKind::Pipe => (BitOr, 6),
            TokenKind::AmpersandAmpersand => (LogicalAnd, 5),
            TokenKind::PipePipe => (LogicalOr, LOGICAL_OR),
            TokenKind::DotStar => {
                return Some((Infix::MemberPointer { arrow: false }, MEMBER_POINTER, 1));
            }
            TokenKind::ArrowStar => {
                return Some((Infix::MemberPointer { arrow: true }, MEMBER_POINTER, 1));
            }
            TokenKind::Identifier => match self.keyword()? {
                Keyword::And => (LogicalAnd, 5),
                Keyword::Or => (LogicalOr, LOGICAL_OR),
                Keyword::Bitand => (BitAnd, 8),
                Keyword::Bitor => (BitOr, 6),
                Keyword::Xor => (BitXor, 7),
                Keyword::NotEq => (NotEqual, 9),
                _ => return None,
            },
            _ => return None,
        };
        Some((Infix::Binary(operator), strength, 1))
    }

    /// The operator of a fold, which `...` follows or precedes: operator, whether it assigns, length.
    pub(super) fn fold_operator(&self) -> Option<(BinaryOperator, bool, usize)> {
        if self.at(TokenKind::Comma) {
            return Some((BinaryOperator::Comma, false, 1));
        }
        if let Some((Infix::Binary(operator), _, length)) = self.infix() {
            return Some((operator, false, length));
        }
        match self.assignment_operator() {
            Some((Some(operator), length)) => Some((operator, true, length)),
            _ => None,
        }
    }

    /// Prefix operators and casts.
    pub(super) fn unary(&mut self) -> Parse<ExprId> {
        let start = self.position;
        let operator = match self.kind() {
            TokenKind::Plus => UnaryOperator::Plus,
            TokenKind::Minus => UnaryOperator::Minus,
            TokenKind::Exclamation => UnaryOperator::Not,
            TokenKind::Tilde => UnaryOperator::Complement,
            TokenKind::Star => UnaryOperator::Dereference,
            TokenKind::Ampersand => UnaryOperator::AddressOf,
            TokenKind::PlusPlus => UnaryOperator::Increment,
            TokenKind::MinusMinus => UnaryOperator::Decrement,
            TokenKind::LeftParen if self.cast_follows(start) => {
                return self.nested(|this| this.c_cast(start));
            }
            TokenKind::Identifier => match self.keyword() {
                Some(Keyword::Not) => UnaryOperator::Not,
                Some(Keyword::Compl) => UnaryOperator::Complement,
                Some(Keyword::Bitand) => UnaryOperator::AddressOf,
                Some(Keyword::GnuExtension) => UnaryOperator::Extension,
                Some(keyword) => match self.keyword_operand(keyword)? {
                    Some(operand) => return self.postfix(operand, start),
                    None => {
                        let operand = self.primary()?;
                        return self.postfix(operand, start);
                    }
                },
                None => {
                    let operand = self.primary()?;
                    return self.postfix(operand, start);
                }
            },
            TokenKind::ColonColon
                if matches!(self.keyword_at(start + 1), Some(Keyword::New | Keyword::Delete)) =>
            {
                self.bump();
                return self.unary();
            }
            _ => {
                let operand = self.primary()?;
                return self.postfix(operand, start);
            }
        };
        self.bump();
        let operand = self.nested(Self::unary)?;
        Ok(self.add_expr(ExprKind::Unary { operator, operand }, start))
    }

    /// Whether the parentheses at `open` hold the type of a cast.
    fn cast_follows(&mut self, open: usize) -> bool {
        let Some(close) = self.closer(open) else { return false };
        let Some(scanned) = self.scan_type(open + 1, false) else { return false };
        if scanned.end != close || !self.begins_operand(close + 1) {
            return false;
        }
        if scanned.certain {
            return true;
        }
        // An unknown name in parentheses, and something after it.
        match self.kind_at(close + 1) {
            TokenKind::Identifier
            | TokenKind::Number
            | TokenKind::Character
            | TokenKind::String
            | TokenKind::Tilde
            | TokenKind::Exclamation
            | TokenKind::ColonColon => true,
            TokenKind::LeftParen | TokenKind::LeftBrace => !self.is_upper_case(close - 1),
            _ => self.name_at(close - 1).is_some_and(|name| name.as_str().ends_with("_t")),
        }
    }

    /// `(T)x`, `(T){a, b}`
    fn c_cast(&mut self, start: usize) -> Parse<ExprId> {
        let ty = self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::type_id)?;
        if self.at(TokenKind::LeftBrace) {
            let list = self.init_list()?;
            let kind = ExprKind::Construct { ty, arguments: vec![list], braced: true };
            let value = self.add_expr(kind, start);
            return self.postfix(value, start);
        }
        let operand = self.unary()?;
        Ok(self.add_expr(ExprKind::Cast { kind: CastKind::C, ty, operand }, start))
    }

    /// Operators that words spell: `sizeof`, `new`, `delete` …
    fn keyword_operand(&mut self, keyword: Keyword) -> Parse<Option<ExprId>> {
        let start = self.position;
        let kind = match keyword {
            Keyword::Sizeof => self.trait_operand(TypeTraitKind::Sizeof)?,
            Keyword::Alignof | Keyword::GnuAlignof => self.trait_operand(TypeTraitKind::Alignof)?,
            Keyword::New => self.new_expression()?,
            Keyword::Delete => {
                self.bump();
                let array = self.at(TokenKind::LeftBracket)
                    && self.kind_at(self.position + 1) == TokenKind::RightBracket;
                if array {
                    self.position += 2;
                }
                ExprKind::Delete { array, operand: self.nested(Self::unary)? }
            }
            Keyword::Noexcept => {
                self.bump();
                ExprKind::Noexcept(self.inside(
                    TokenKind::LeftParen,
                    TokenKind::RightParen,
                    Self::expression,
                )?)
            }
            Keyword::Requires => {
                self.bump();
                self.skip_parentheses();
                if !self.at(TokenKind::LeftBrace) {
                    return self.expected("{");
                }
                self.position = self.past_group(self.position);
                ExprKind::Unsupported("requires")
            }
            Keyword::CoAwait | Keyword::CoYield => {
                self.bump();
                self.nested(Self::assignment_expression)?;
                ExprKind::Unsupported("coroutine")
            }
            _ => return Ok(None),
        };
        Ok(Some(self.add_expr(kind, start)))
    }

    /// `sizeof(T)`, `sizeof x`, `sizeof...(pack)`
    fn trait_operand(&mut self, kind: TypeTraitKind) -> Parse<ExprKind> {
        self.bump();
        if self.eat(TokenKind::Ellipsis) {
            let name = self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
                Ok(this.name()?.name)
            })?;
            return Ok(ExprKind::SizeofPack(name));
        }
        if self.at(TokenKind::LeftParen)
            && let Some(close) = self.closer(self.position)
            && let Some(scanned) = self.scan_type(self.position + 1, true)
            && scanned.end == close
            && (scanned.certain || !self.is_likely_value(self.position + 1, close))
        {
            let ty = self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::type_id)?;
            return Ok(ExprKind::TypeTrait { kind, ty });
        }
        let operand = self.nested(Self::unary)?;
        Ok(ExprKind::ExprTrait { kind, operand })
    }

    /// Of an unknown name in `sizeof`: a qualified one without a type's ending is a type too.
    fn is_likely_value(&self, start: usize, end: usize) -> bool {
        end == start + 1
            && self.name_at(start).is_some_and(|name| {
                let text = name.as_str();
                !text.ends_with("_t") && !text.starts_with(|c: char| c.is_ascii_uppercase())
            })
    }

    /// `new (place) T(a)`, `new T[n]{}`
    fn new_expression(&mut self) -> Parse<ExprKind> {
        self.bump();
        let mut placement = Vec::new();
        if self.at(TokenKind::LeftParen) {
            let is_type =
                match (self.closer(self.position), self.scan_type(self.position + 1, false)) {
                    (Some(close), Some(scanned)) => scanned.certain && scanned.end == close,
                    _ => false,
                };
            if is_type {
                let ty = self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::type_id)?;
                let initializer = self.initializer()?;
                return Ok(ExprKind::New { placement, ty, initializer });
            }
            placement = self.arguments()?;
        }
        let start = self.position;
        let ty = self.type_specifiers_only()?;
        let mut ty = self.pointer_operators(ty)?;
        let mut extents = Vec::new();
        while self.at(TokenKind::LeftBracket) {
            extents.push(self.inside(TokenKind::LeftBracket, TokenKind::RightBracket, |this| {
                if this.at(TokenKind::RightBracket) {
                    return Ok(None);
                }
                this.expression().map(Some)
            })?);
        }
        for extent in extents.into_iter().rev() {
            ty = self.add_type(TyKind::Array { element: ty, extent }, start);
        }
        let initializer = match self.kind() {
            TokenKind::LeftParen | TokenKind::LeftBrace => self.initializer()?,
            _ => None,
        };
        Ok(ExprKind::New { placement, ty, initializer })
    }

    /// Calls, members, indices, launches, `++`, `--`.
    fn postfix(&mut self, mut value: ExprId, start: usize) -> Parse<ExprId> {
        let mut chain = 0;
        loop {
            let kind = match self.kind() {
                TokenKind::LeftParen => {
                    let arguments = self.call_arguments(value)?;
                    ExprKind::Call { callee: value, arguments }
                }
                TokenKind::LeftBracket => {
                    let indices =
                        self.inside(TokenKind::LeftBracket, TokenKind::RightBracket, |this| {
                            let mut indices = Vec::with_capacity(1);
                            while !matches!(this.kind(), TokenKind::RightBracket | END) {
                                indices.push(this.initializer_clause()?);
                                if !this.eat(TokenKind::Comma) {
                                    break;
                                }
                            }
                            Ok(indices)
                        })?;
                    ExprKind::Index { object: value, indices }
                }
                TokenKind::Dot | TokenKind::Arrow => {
                    let arrow = self.at(TokenKind::Arrow);
                    self.bump();
                    let mut member = self.member_name()?;
                    if let Some(name) = member.unqualified().map(|only| only.name)
                        && let Some(key) = self.library_member(value, name)
                    {
                        member.resolution = Res::Api(key);
                        self.correct_meaning(&member, Meaning::Api(key));
                    }
                    ExprKind::Member { object: value, arrow, member }
                }
                TokenKind::PlusPlus => {
                    self.bump();
                    ExprKind::Postfix { operator: PostfixOperator::Increment, operand: value }
                }
                TokenKind::MinusMinus => {
                    self.bump();
                    ExprKind::Postfix { operator: PostfixOperator::Decrement, operand: value }
                }
                TokenKind::LaunchOpen => {
                    let launch = self.launch(value, start)?;
                    ExprKind::Launch(launch)
                }
                _ => return Ok(value),
            };
            value = self.add_expr(kind, start);
            if let ExprKind::Call { callee, .. } = &self.module.exprs[value].kind {
                let callee = *callee;
                self.claim_kernel_names(callee, value);
            }
            self.lengthen(&mut chain)?;
        }
    }

    /// Replaces the meaning that was noted for a member's name.
    fn correct_meaning(&mut self, member: &NameRef, meaning: Meaning) {
        let Some(only) = member.unqualified() else { return };
        let noted = self.meanings.iter_mut().rev().find(|(span, _)| *span == only.origin.span);
        if let Some((_, noted)) = noted {
            *noted = meaning;
        }
    }

    /// `<<<grid, block, shared, stream>>>(a, b)`
    fn launch(&mut self, callee: ExprId, start: usize) -> Parse<LaunchId> {
        self.bump();
        let first = self.position;
        let in_angles = std::mem::replace(&mut self.in_angles, false);
        let values = self.nested(|this| {
            let mut values = Vec::with_capacity(4);
            while !matches!(this.kind(), TokenKind::LaunchClose | END) {
                values.push(this.initializer_clause()?);
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok(values)
        });
        self.in_angles = in_angles;
        let values = values?;
        let configuration = self.range_from(first);
        self.expect(TokenKind::LaunchClose)?;
        let arguments = if self.at(TokenKind::LeftParen) { self.arguments()? } else { Vec::new() };
        let tokens = self.range_from(start);
        let origin = self.origin_of(tokens);
        let mut values = values.into_iter();
        // The kernel is launched, not named.
        let callee_start = self.module.exprs[callee].tokens.start;
        self.kernel_names.retain(|(at, _)| *at != callee_start);
        Ok(self.module.launches.add(Launch {
            callee,
            grid: values.next(),
            block: values.next(),
            shared: values.next(),
            stream: values.next(),
            arguments,
            configuration,
            tokens,
            origin,
            function: self.context.function,
        }))
    }

    /// Notes for the kernels named among a call's arguments which call it is.
    fn claim_kernel_names(&mut self, callee: ExprId, call: ExprId) {
        if self.kernel_names.is_empty() {
            return;
        }
        let callee = &self.module.exprs[callee];
        let name = match &callee.kind {
            ExprKind::Name(name) => Name::new(&name.path()),
            ExprKind::Member { member, .. } => Name::new(&member.path()),
            _ => return,
        };
        let from = callee.tokens.end;
        let end = self.module.exprs[call].tokens.end;
        for (at, kernel) in self.kernel_names.iter_mut().rev() {
            if *at < from {
                break;
            }
            if *at < end && kernel.call.is_none() {
                kernel.call = Some(name);
            }
        }
    }
}
