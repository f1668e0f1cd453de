//! The value of an `#if` condition: integer constant expressions over macro-expanded tokens
//! ([cpp.cond]), in 64-bit arithmetic. Knows nothing of files; what is defined and which headers
//! exist it asks of [`Environment`].

use port_diag::Origin;

use crate::keyword::Keyword;
use crate::token::{Token, TokenKind};

/// What a condition may ask about.
pub(super) trait Environment {
    /// `defined name`
    fn is_defined(&self, name: crate::Symbol) -> bool;
    /// `__has_include(header)`, with its quotes or brackets.
    fn has_include(&self, header: &str, place: Origin) -> bool;
    /// A name that is no macro is called: `NAME(…)`.
    fn unknown_call(&mut self, name: &Token);
}

/// Why a condition has no value.
#[derive(Debug)]
pub(super) struct ConditionError {
    pub problem: String,
    /// Where; the end of the condition if `None`.
    pub place: Option<Origin>,
}

/// Whether the condition holds.
pub(super) fn evaluate(
    tokens: &[Token],
    environment: &mut dyn Environment,
) -> Result<bool, ConditionError> {
    let mut evaluator = Evaluator { tokens, at: 0, depth: 0, dead: 0, environment };
    if tokens.is_empty() {
        return Err(evaluator.error("it is empty"));
    }
    let value = evaluator.conditional()?;
    match evaluator.peek() {
        None => Ok(value.bits != 0),
        Some(token) => {
            let problem = format!("`{}` does not belong here", token.text);
            Err(evaluator.error(&problem))
        }
    }
}

/// `intmax_t` or `uintmax_t`.
#[derive(Clone, Copy)]
struct Value {
    bits: i64,
    unsigned: bool,
}

const ZERO: Value = Value { bits: 0, unsigned: false };

impl Value {
    fn of(truth: bool) -> Self {
        Value { bits: i64::from(truth), unsigned: false }
    }
}

/// Parentheses and operators may nest this deep.
const DEPTH: usize = 200;

struct Evaluator<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// In how many operands that are not evaluated: `0 && 1/0` is no error.
    dead: usize,
    environment: &'a mut dyn Environment,
}

type Outcome = Result<Value, ConditionError>;

impl<'a> Evaluator<'a> {
    fn error(&self, problem: &str) -> ConditionError {
        let place = self.tokens.get(self.at).map(|token| token.origin);
        ConditionError { problem: problem.to_owned(), place }
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == kind);
        self.at += usize::from(found);
        found
    }

    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        if self.depth >= DEPTH {
            return Err(self.error("it nests too deep"));
        }
        self.depth += 1;
        let value = parse(self);
        self.depth -= 1;
        value
    }

    fn unevaluated(&mut self, dead: bool, parse: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        self.dead += usize::from(dead);
        let value = parse(self);
        self.dead -= usize::from(dead);
        value
    }

    /// `a ? b : c`
    fn conditional(&mut self) -> Outcome {
        let condition = self.binary(0)?;
        if !self.eat(TokenKind::Question) {
            return Ok(condition);
        }
        let taken = condition.bits != 0;
        let then = self.unevaluated(!taken, |this| this.deeper(Self::conditional))?;
        if !self.eat(TokenKind::Colon) {
            return Err(self.error("`:` belongs here"));
        }
        let other = self.unevaluated(taken, |this| this.deeper(Self::conditional))?;
        let bits = if taken { then.bits } else { other.bits };
        Ok(Value { bits, unsigned: then.unsigned || other.unsigned })
    }

    /// The binary operator that comes next: itself (`>` `>` as one), its precedence, its length.
    fn operator(&self) -> Option<(Operator, u8, usize)> {
        use Operator::*;
        let token = self.peek()?;
        let next = self.tokens.get(self.at + 1);
        let joined = |kind| next.is_some_and(|next| next.kind == kind && !next.spaced);
        Some(match token.kind {
            TokenKind::PipePipe => (LogicalOr, 1, 1),
            TokenKind::AmpersandAmpersand => (LogicalAnd, 2, 1),
            TokenKind::Pipe => (Or, 3, 1),
            TokenKind::Caret => (Xor, 4, 1),
            TokenKind::Ampersand => (And, 5, 1),
            TokenKind::EqualEqual => (Equal, 6, 1),
            TokenKind::ExclamationEqual => (NotEqual, 6, 1),
            TokenKind::Less => (Less, 7, 1),
            TokenKind::LessEqual => (LessEqual, 7, 1),
            TokenKind::Greater if joined(TokenKind::Greater) => (ShiftRight, 8, 2),
            TokenKind::Greater => (Greater, 7, 1),
            TokenKind::GreaterEqual => (GreaterEqual, 7, 1),
            TokenKind::LessLess => (ShiftLeft, 8, 1),
            TokenKind::Plus => (Add, 9, 1),
            TokenKind::Minus => (Subtract, 9, 1),
            TokenKind::Star => (Multiply, 10, 1),
            TokenKind::Slash => (Divide, 10, 1),
            TokenKind::Percent => (Remainder, 10, 1),
            TokenKind::Identifier => match token.keyword()? {
                Keyword::Or => (LogicalOr, 1, 1),
                Keyword::And => (LogicalAnd, 2, 1),
                Keyword::Bitor => (Or, 3, 1),
                Keyword::Xor => (Xor, 4, 1),
                Keyword::Bitand => (And, 5, 1),
                Keyword::NotEq => (NotEqual, 6, 1),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Operators of at least this precedence.
    fn binary(&mut self, least: u8) -> Outcome {
        let mut left = self.unary()?;
        while let Some((operator, precedence, length)) = self.operator() {
            if precedence < least.max(1) {
                break;
            }
            let place = self.at;
            self.at += length;
            let dead = match operator {
                Operator::LogicalOr => left.bits != 0,
                Operator::LogicalAnd => left.bits == 0,
                _ => false,
            };
            let right =
                self.unevaluated(dead, |this| this.deeper(|this| this.binary(precedence + 1)))?;
            left = match apply(operator, left, right) {
                Some(value) => value,
                None if self.dead > 0 => ZERO,
                None => {
                    self.at = place;
                    return Err(self.error("it divides by zero"));
                }
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Outcome {
        let Some(token) = self.peek() else { return Err(self.error("an operand is missing")) };
        match token.kind {
            TokenKind::Exclamation => self.prefix(|v| Value::of(v.bits == 0)),
            TokenKind::Minus => self.prefix(|v| Value { bits: v.bits.wrapping_neg(), ..v }),
            TokenKind::Plus => self.prefix(|v| v),
            TokenKind::Tilde => self.prefix(|v| Value { bits: !v.bits, ..v }),
            TokenKind::LeftParen => {
                self.at += 1;
                let value = self.deeper(Self::conditional)?;
                if !self.eat(TokenKind::RightParen) {
                    return Err(self.error("`)` is missing"));
                }
                Ok(value)
            }
            TokenKind::Number => {
                let value = number(token.text.as_str());
                let value = value.ok_or_else(|| {
                    self.error(&format!("`{}` is not an integer that fits", token.text))
                })?;
                self.at += 1;
                Ok(value)
            }
            TokenKind::Character => {
                let value = character(token.text.as_str())
                    .ok_or_else(|| self.error("this character constant is not understood"))?;
                self.at += 1;
                Ok(Value { bits: value, unsigned: false })
            }
            TokenKind::Identifier => self.name(token),
            _ => Err(self.error(&format!("`{}` is not an operand", token.text))),
        }
    }

    fn prefix(&mut self, apply: impl FnOnce(Value) -> Value) -> Outcome {
        self.at += 1;
        self.deeper(Self::unary).map(apply)
    }

    fn name(&mut self, token: &'a Token) -> Outcome {
        match token.keyword() {
            Some(Keyword::True) => {
                self.at += 1;
                return Ok(Value::of(true));
            }
            Some(Keyword::Not) => return self.prefix(|v| Value::of(v.bits == 0)),
            Some(Keyword::Compl) => return self.prefix(|v| Value { bits: !v.bits, ..v }),
            _ => {}
        }
        self.at += 1;
        match token.text.as_str() {
            "defined" => self.defined(),
            "__has_include" | "__has_include_next" => {
                let header: String = self
                    .group()?
                    .iter()
                    .enumerate()
                    .map(|(i, t)| format!("{}{}", if i > 0 && t.spaced { " " } else { "" }, t.text))
                    .collect();
                Ok(Value::of(self.environment.has_include(&header, token.origin)))
            }
            "__has_cpp_attribute"
            | "__has_attribute"
            | "__has_builtin"
            | "__has_feature"
            | "__has_extension"
            | "__has_declspec_attribute"
            | "__has_constexpr_builtin" => {
                self.group()?;
                Ok(ZERO)
            }
            _ if self.peek().is_some_and(|next| next.kind == TokenKind::LeftParen) => {
                self.group()?;
                if self.dead == 0 {
                    self.environment.unknown_call(token);
                }
                Ok(ZERO)
            }
            _ => Ok(ZERO),
        }
    }

    fn defined(&mut self) -> Outcome {
        let parenthesised = self.eat(TokenKind::LeftParen);
        let Some(name) = self.peek().filter(|token| token.kind == TokenKind::Identifier) else {
            return Err(self.error("`defined` needs a name"));
        };
        self.at += 1;
        if parenthesised && !self.eat(TokenKind::RightParen) {
            return Err(self.error("`)` is missing after `defined`"));
        }
        Ok(Value::of(self.environment.is_defined(name.text)))
    }

    /// The tokens inside `( … )`.
    fn group(&mut self) -> Result<&'a [Token], ConditionError> {
        if !self.eat(TokenKind::LeftParen) {
            return Err(self.error("`(` belongs here"));
        }
        let (start, mut depth) = (self.at, 1_usize);
        while let Some(token) = self.peek() {
            self.at += 1;
            match token.kind {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(&self.tokens[start..self.at - 1]);
            }
        }
        Err(self.error("`)` is missing"))
    }
}

#[derive(Clone, Copy)]
enum Operator {
    LogicalOr,
    LogicalAnd,
    Or,
    Xor,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// `None` for a division by zero.
fn apply(operator: Operator, left: Value, right: Value) -> Option<Value> {
    use Operator::*;
    let unsigned = left.unsigned || right.unsigned;
    let (a, b) = (left.bits, right.bits);
    let (ua, ub) = (a as u64, b as u64);
    let order = if unsigned { ua.cmp(&ub) } else { a.cmp(&b) };
    let bits = match operator {
        LogicalOr => return Some(Value::of(a != 0 || b != 0)),
        LogicalAnd => return Some(Value::of(a != 0 && b != 0)),
        Equal => return Some(Value::of(a == b)),
        NotEqual => return Some(Value::of(a != b)),
        Less => return Some(Value::of(order.is_lt())),
        LessEqual => return Some(Value::of(order.is_le())),
        Greater => return Some(Value::of(order.is_gt())),
        GreaterEqual => return Some(Value::of(order.is_ge())),
        ShiftLeft => return Some(Value { bits: shift(left, right, true), ..left }),
        ShiftRight => return Some(Value { bits: shift(left, right, false), ..left }),
        Or => a | b,
        Xor => a ^ b,
        And => a & b,
        Add => a.wrapping_add(b),
        Subtract => a.wrapping_sub(b),
        Multiply => a.wrapping_mul(b),
        Divide if unsigned => ua.checked_div(ub)? as i64,
        Remainder if unsigned => ua.checked_rem(ub)? as i64,
        Divide if b == 0 => return None,
        Remainder if b == 0 => return None,
        Divide => a.wrapping_div(b),
        Remainder => a.wrapping_rem(b),
    };
    Some(Value { bits, unsigned })
}

/// Shifts as GCC does in conditions: a negative count goes the other way, a large one empties.
fn shift(value: Value, count: Value, left: bool) -> i64 {
    let negative = count.bits < 0 && !count.unsigned;
    let left = left != negative;
    let count = if negative { count.bits.unsigned_abs() } else { count.bits as u64 };
    match (left, count) {
        (true, 0..=63) => value.bits << count,
        (true, _) => 0,
        (false, 0..=63) if value.unsigned => (value.bits as u64 >> count) as i64,
        (false, _) if value.unsigned => 0,
        (false, _) => value.bits >> count.min(63),
    }
}

/// An integer constant with its suffix; `None` for anything else, or if it does not fit.
fn number(text: &str) -> Option<Value> {
    let digits: String = text.chars().filter(|c| *c != '\'').collect();
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    let end = body.find(|c: char| !c.is_digit(radix)).unwrap_or(body.len());
    let (body, suffix) = body.split_at(end);
    // `0` followed by a suffix alone is octal zero.
    let value =
        if body.is_empty() && radix == 8 { 0 } else { u64::from_str_radix(body, radix).ok()? };
    let unsigned = match suffix {
        "" | "l" | "ll" | "z" => false,
        "u" | "ul" | "lu" | "ull" | "llu" | "uz" | "zu" => true,
        _ => return None,
    };
    Some(Value { bits: value as i64, unsigned: unsigned || value > i64::MAX as u64 })
}

/// A character constant: the value of the last character for plain ASCII ones, several combined
/// byte by byte as GCC does.
fn character(text: &str) -> Option<i64> {
    let open = text.find('\'')?;
    let body = text[open + 1..].strip_suffix('\'')?;
    let mut value: i64 = 0;
    let mut characters = body.chars().peekable();
    let mut count = 0;
    while let Some(c) = characters.next() {
        let unit = if c == '\\' {
            match characters.next()? {
                'n' => 10,
                't' => 9,
                'r' => 13,
                'a' => 7,
                'b' => 8,
                'f' => 12,
                'v' => 11,
                'x' => {
                    let mut code = 0_i64;
                    while let Some(digit) = characters.peek().and_then(|c| c.to_digit(16)) {
                        code = (code << 4 | i64::from(digit)) & 0xffff_ffff;
                        characters.next();
                    }
                    code
                }
                first @ '0'..='7' => {
                    let mut code = i64::from(first.to_digit(8)?);
                    for _ in 0..2 {
                        let Some(digit) = characters.peek().and_then(|c| c.to_digit(8)) else {
                            break;
                        };
                        code = code * 8 + i64::from(digit);
                        characters.next();
                    }
                    code
                }
                other => i64::from(u32::from(other)),
            }
        } else {
            i64::from(u32::from(c))
        };
        value = if count == 0 { unit } else { (value << 8 | unit & 0xff) & 0xffff_ffff };
        count += 1;
    }
    (count > 0).then_some(value)
}
