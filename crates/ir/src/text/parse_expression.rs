//! Reads operands and the pure expressions of definitions.

use super::lex::Token;
use super::parse::{Parser, Result};
use super::parse_function::Scope;
use super::spelling::{
    COMPARE, FLOAT, INTEGER, ROUNDING, UNARY, builtin, constant, flags, scalar, value,
};
use crate::expression::Expression;
use crate::operation::{Constant, Conversion, FloatFlags, MathFunction, Rounding};
use crate::statement::Value;
use crate::types::Scalar;

impl Parser<'_> {
    /// A value: one with a number, or a leaf.
    pub(super) fn operand(&mut self, scope: &mut Scope) -> Result<Value> {
        let start = self.start();
        if let Token::Value(number, _) = *self.peek() {
            self.next();
            return match scope.values.get(&number) {
                Some(value) => Ok(*value),
                None => self.error_at(start, format!("`%{number}` is not defined above")),
            };
        }
        match self.leaf(scope)? {
            Some(expression) => {
                let origin = self.origin_from(start);
                Ok(scope.function.expressions.append(expression, origin))
            }
            None => self.error_at(start, "a value was expected"),
        }
    }

    /// Whether a value could begin here.
    pub(super) fn at_operand(&self) -> bool {
        !matches!(self.peek(), Token::Line | Token::End | Token::Symbol('{' | '}' | ')' | ','))
    }

    /// A leaf; `None`, and nothing taken, if none begins here.
    pub(super) fn leaf(&mut self, scope: &Scope) -> Result<Option<Expression>> {
        let start = self.start();
        let expression = match self.peek().clone() {
            Token::Number(digits, suffix) => {
                self.next();
                let constant = scalar(suffix).and_then(|scalar| constant(digits, scalar));
                match constant {
                    Some(constant) => Expression::Constant(constant),
                    None => {
                        let message = "a number of a type, and that fits it, was expected";
                        return self.error_at(start, message);
                    }
                }
            }
            Token::Name('%', ..) => Expression::Argument(self.argument(scope)?),
            Token::Symbol('&') => {
                self.next();
                Expression::ArgumentAddress(self.argument(scope)?)
            }
            Token::Name('$', name, number) => {
                self.next();
                match scope.locals.get(&(name.clone(), number)) {
                    Some(local) => Expression::Local(*local),
                    None => return self.error_at(start, format!("there is no local `{name}`")),
                }
            }
            Token::Name('@', name, number) => {
                self.next();
                match self.variables.get(&(name.clone(), number)) {
                    Some(variable) => Expression::Variable(*variable),
                    None => return self.error_at(start, format!("there is no variable `{name}`")),
                }
            }
            Token::Word(word) => match self.word_leaf(word, scope)? {
                Some(expression) => expression,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(expression))
    }

    /// `%name` or `arg(0)`
    fn argument(&mut self, scope: &Scope) -> Result<u32> {
        let start = self.start();
        if self.take_word("arg") {
            return self.parenthesised(|parser| parser.number());
        }
        let (name, _) = self.name('%')?;
        let parameters = &scope.function.parameters;
        match parameters.iter().position(|parameter| parameter.name == name) {
            Some(index) => Ok(index as u32),
            None => self.error_at(start, format!("there is no parameter `{name}`")),
        }
    }

    fn word_leaf(&mut self, word: &str, scope: &Scope) -> Result<Option<Expression>> {
        let expression = match word {
            "true" | "false" => {
                self.next();
                Expression::Constant(Constant::bool(word == "true"))
            }
            "arg" => Expression::Argument(self.argument(scope)?),
            "zero" => {
                self.next();
                Expression::Zero(self.parenthesised(Self::ty)?)
            }
            "undefined" => {
                self.next();
                Expression::Undefined(self.parenthesised(Self::ty)?)
            }
            "poison" => {
                self.next();
                self.expect_symbol('(')?;
                let ty = self.ty()?;
                self.expect_symbol(',')?;
                let code = self.string()?;
                self.expect_symbol(')')?;
                Expression::Poison { ty, code }
            }
            "fragment_length" => {
                self.next();
                self.expect_symbol('(')?;
                self.expect_word("fragment")?;
                let fragment = self.fragment()?;
                self.expect_symbol(')')?;
                Expression::FragmentLength(fragment)
            }
            word => {
                if let Some(builtin) = builtin(word) {
                    self.next();
                    Expression::Builtin(builtin)
                } else if let Some(scalar) = scalar(word) {
                    self.next();
                    Expression::Constant(self.constant_bits(scalar)?)
                } else {
                    return Ok(None);
                }
            }
        };
        Ok(Some(expression))
    }

    /// `(0x7fc00000)`
    fn constant_bits(&mut self, scalar: Scalar) -> Result<Constant> {
        self.expect_symbol('(')?;
        let start = self.start();
        let bits = match self.next() {
            Token::Number(digits, "") => match digits.strip_prefix("0x") {
                Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok(),
                None => digits.parse().ok(),
            },
            _ => None,
        };
        let constant = bits
            .map(|bits| Constant::from_bits(scalar, bits))
            .filter(|constant| Some(constant.bits) == bits);
        let Some(constant) = constant else {
            return self.error_at(start, "bits that fit the type were expected");
        };
        self.expect_symbol(')')?;
        Ok(constant)
    }

    fn parenthesised<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect_symbol('(')?;
        let inner = read(self)?;
        self.expect_symbol(')')?;
        Ok(inner)
    }

    /// Operands with commas between them, up to the end of the line or a bracket.
    pub(super) fn operands(&mut self, scope: &mut Scope) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        if self.at_operand() {
            values.push(self.operand(scope)?);
            while self.take_symbol(',') {
                values.push(self.operand(scope)?);
            }
        }
        Ok(values)
    }

    /// Exactly `N` operands.
    pub(super) fn exactly<const N: usize>(&mut self, scope: &mut Scope) -> Result<[Value; N]> {
        let start = self.start();
        let values = self.operands(scope)?;
        let count = values.len();
        match values.try_into() {
            Ok(values) => Ok(values),
            Err(_) => self.error_at(start, format!("{N} operands were expected, not {count}")),
        }
    }

    /// What stands after the `=` of a definition.
    pub(super) fn expression(&mut self, scope: &mut Scope) -> Result<Expression> {
        let start = self.start();
        let word = self.word()?;
        let mut parts = word.split('.');
        let name = parts.next().unwrap_or("");
        let suffixes: Vec<&str> = parts.collect();
        if let Some(kind) = self.conversion(name, &suffixes, start)? {
            let value = self.operand(scope)?;
            self.expect_word("to")?;
            return Ok(Expression::Convert { kind, value, to: self.ty()? });
        }
        let math = MathFunction::ALL.iter().copied().find(|function| function.name() == name);
        let float = value(FLOAT, name);
        let mut float_flags = FloatFlags::STRICT;
        if math.is_some() || float.is_some() || name == "fma" {
            float_flags = match flags(&suffixes) {
                Ok(flags) => flags,
                Err(suffix) => return self.error_at(start, format!("`{suffix}` is not a flag")),
            };
        } else if !suffixes.is_empty() {
            return self.error_at(start, format!("`{word}` is not an operation"));
        }
        if let Some(op) = float {
            let [left, right] = self.exactly(scope)?;
            return Ok(Expression::Float { op, left, right, flags: float_flags });
        }
        if let Some(function) = math {
            let arguments = self.operands(scope)?;
            return Ok(Expression::Math { function, arguments, flags: float_flags });
        }
        if let Some(op) = value(UNARY, name) {
            let [value] = self.exactly(scope)?;
            return Ok(Expression::Unary { op, value });
        }
        if let Some(op) = value(INTEGER, name) {
            let [left, right] = self.exactly(scope)?;
            return Ok(Expression::Integer { op, left, right });
        }
        if let Some(op) = value(COMPARE, name) {
            let [left, right] = self.exactly(scope)?;
            return Ok(Expression::Compare { op, left, right });
        }
        match name {
            "value" => match self.leaf(scope)? {
                Some(expression) => Ok(expression),
                None => self.error("a leaf was expected"),
            },
            "fma" => {
                let [a, b, c] = self.exactly(scope)?;
                Ok(Expression::FusedMultiplyAdd { a, b, c, flags: float_flags })
            }
            "select" => {
                let [condition, accept, reject] = self.exactly(scope)?;
                Ok(Expression::Select { condition, accept, reject })
            }
            "splat" => {
                let ty = self.ty()?;
                Ok(Expression::Splat { ty, value: self.operand(scope)? })
            }
            "compose" => {
                let ty = self.ty()?;
                let parts = self.parenthesised(|parser| parser.operands(scope))?;
                Ok(Expression::Compose { ty, parts })
            }
            "extract" => {
                let (value, index) = self.indexed(scope)?;
                Ok(Expression::Extract { value, index })
            }
            "insert" => {
                let (value, index) = self.indexed(scope)?;
                self.expect_symbol(',')?;
                Ok(Expression::Insert { value, index, part: self.operand(scope)? })
            }
            "element" => {
                let element = self.ty()?;
                let [base, index] = self.exactly(scope)?;
                Ok(Expression::Element { base, element, index })
            }
            "member" => {
                let start = self.start();
                let structure = self.structure_name(start)?;
                self.expect_symbol('[')?;
                let index = self.number()?;
                self.expect_symbol(']')?;
                Ok(Expression::Member { base: self.operand(scope)?, structure, index })
            }
            "fragment_element" => {
                self.expect_word("fragment")?;
                let fragment = self.fragment()?;
                let [base, index] = self.exactly(scope)?;
                Ok(Expression::FragmentElement { base, fragment, index })
            }
            _ => self.error_at(start, format!("`{word}` is not an operation")),
        }
    }

    /// `%3[2]`
    fn indexed(&mut self, scope: &mut Scope) -> Result<(Value, u32)> {
        let value = self.operand(scope)?;
        self.expect_symbol('[')?;
        let index = self.number()?;
        self.expect_symbol(']')?;
        Ok((value, index))
    }

    fn conversion(&self, name: &str, suffixes: &[&str], start: u32) -> Result<Option<Conversion>> {
        let (saturate, suffixes) = match suffixes {
            ["saturate", rest @ ..] if name == "ftof" => (true, rest),
            rest => (false, rest),
        };
        let rounding = match suffixes {
            [] => None,
            [suffix] if matches!(name, "itof" | "ftoi" | "ftof") => match value(ROUNDING, suffix) {
                Some(rounding) => Some(rounding),
                None => return self.error_at(start, format!("`{suffix}` is not a rounding")),
            },
            _ => return Ok(None),
        };
        let nearest = rounding.unwrap_or(Rounding::NearestEven);
        Ok(Some(match name {
            "zext" => Conversion::ZeroExtend,
            "sext" => Conversion::SignExtend,
            "truncate" => Conversion::Truncate,
            "bits" => Conversion::Bits,
            "itof" => Conversion::IntegerToFloat(nearest),
            "ftoi" => Conversion::FloatToInteger(rounding.unwrap_or(Rounding::TowardZero)),
            "ftof" => Conversion::FloatToFloat { rounding: nearest, saturate },
            "space" => Conversion::Space,
            "ptrtoint" => Conversion::PointerToInteger,
            "inttoptr" => Conversion::IntegerToPointer,
            "sharedoffset" => Conversion::SharedOffset,
            "sharedptr" => Conversion::SharedPointer,
            _ => return Ok(None),
        }))
    }
}
