//! Arithmetic in specs: integers and reals over the spec's own names. Parses and evaluates; knows
//! nothing of TOML, buffers or launches.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = unary (("*" | "/" | "%") unary)*
//! unary   = "-" unary | atom
//! atom    = integer | real | name | name "(" sum ("," sum)* ")" | "(" sum ")"
//! ```
//!
//! Functions: `min(a, b, …)`, `max(a, b, …)`, `ceil_div(a, b)`. In an integer expression `/`
//! truncates toward zero as in C, and overflow is an error. An expression that holds a real literal
//! is a real expression: every operation is then done in f64.

use std::fmt;

/// Deepest nesting of parentheses and calls.
const DEPTH_LIMIT: u32 = 64;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    root: Node,
    real: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Integer(i64),
    Real(f64),
    Name(String),
    Negate(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    Min,
    Max,
    CeilDiv,
}

/// A value: real when the expression holds a real literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// From an integer expression.
    Integer(i64),
    /// From a real expression.
    Real(f64),
}

impl Value {
    /// The value as f64.
    pub fn to_f64(self) -> f64 {
        match self {
            Value::Integer(value) => value as f64,
            Value::Real(value) => value,
        }
    }
}

/// Why an expression could not be read or evaluated; the text is one clause without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError(pub String);

impl fmt::Display for ExpressionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ExpressionError {}

fn error<T>(message: impl Into<String>) -> Result<T, ExpressionError> {
    Err(ExpressionError(message.into()))
}

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        let mut parser = Parser { rest: text, depth: 0, real: false };
        let root = parser.sum()?;
        parser.skip_space();
        if !parser.rest.is_empty() {
            return error(format!("unexpected `{}`", parser.rest));
        }
        Ok(Expression { root, real: parser.real })
    }

    /// A literal integer.
    pub fn integer(value: i64) -> Expression {
        Expression { root: Node::Integer(value), real: false }
    }

    /// A literal real.
    pub fn real(value: f64) -> Expression {
        Expression { root: Node::Real(value), real: true }
    }

    /// The name, when the expression is nothing else.
    pub fn as_name(&self) -> Option<&str> {
        match &self.root {
            Node::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The value under the names that `lookup` knows.
    pub fn evaluate(&self, lookup: &dyn Fn(&str) -> Option<i64>) -> Result<Value, ExpressionError> {
        if self.real {
            real(&self.root, lookup).map(Value::Real)
        } else {
            integer(&self.root, lookup).map(Value::Integer)
        }
    }

    /// The value of an integer expression; a real one is an error.
    pub fn evaluate_integer(
        &self,
        lookup: &dyn Fn(&str) -> Option<i64>,
    ) -> Result<i64, ExpressionError> {
        match self.evaluate(lookup)? {
            Value::Integer(value) => Ok(value),
            Value::Real(value) => error(format!("{value} is not an integer expression")),
        }
    }
}

fn unknown<T>(name: &str) -> Result<T, ExpressionError> {
    error(format!("nothing is called `{name}` here"))
}

fn integer(node: &Node, lookup: &dyn Fn(&str) -> Option<i64>) -> Result<i64, ExpressionError> {
    let overflow = || ExpressionError("the value does not fit 64 bits".into());
    let divided = || ExpressionError("division by zero".into());
    match node {
        Node::Integer(value) => Ok(*value),
        Node::Real(value) => error(format!("{value} is not an integer")),
        Node::Name(name) => lookup(name).map_or_else(|| unknown(name), Ok),
        Node::Negate(operand) => integer(operand, lookup)?.checked_neg().ok_or_else(overflow),
        Node::Binary(operator, left, right) => {
            let (a, b) = (integer(left, lookup)?, integer(right, lookup)?);
            match operator {
                Operator::Add => a.checked_add(b).ok_or_else(overflow),
                Operator::Subtract => a.checked_sub(b).ok_or_else(overflow),
                Operator::Multiply => a.checked_mul(b).ok_or_else(overflow),
                Operator::Divide if b == 0 => Err(divided()),
                Operator::Divide => a.checked_div(b).ok_or_else(overflow),
                Operator::Remainder if b == 0 => Err(divided()),
                Operator::Remainder => a.checked_rem(b).ok_or_else(overflow),
            }
        }
        Node::Call(function, arguments) => {
            let values = arguments
                .iter()
                .map(|argument| integer(argument, lookup))
                .collect::<Result<Vec<_>, _>>()?;
            let first = values.first().copied().unwrap_or(0);
            Ok(match function {
                Function::Min => values.iter().copied().fold(first, i64::min),
                Function::Max => values.iter().copied().fold(first, i64::max),
                Function::CeilDiv => {
                    let divisor = values.get(1).copied().unwrap_or(0);
                    if divisor == 0 {
                        return Err(divided());
                    }
                    let quotient = first.checked_div(divisor).ok_or_else(overflow)?;
                    let inexact = first.checked_rem(divisor).ok_or_else(overflow)? != 0;
                    quotient + i64::from(inexact && ((first < 0) == (divisor < 0)))
                }
            })
        }
    }
}

fn real(node: &Node, lookup: &dyn Fn(&str) -> Option<i64>) -> Result<f64, ExpressionError> {
    Ok(match node {
        Node::Integer(value) => *value as f64,
        Node::Real(value) => *value,
        Node::Name(name) => lookup(name).map_or_else(|| unknown(name), Ok)? as f64,
        Node::Negate(operand) => -real(operand, lookup)?,
        Node::Binary(operator, left, right) => {
            let (a, b) = (real(left, lookup)?, real(right, lookup)?);
            match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide => a / b,
                Operator::Remainder => a % b,
            }
        }
        Node::Call(function, arguments) => {
            let values = arguments
                .iter()
                .map(|argument| real(argument, lookup))
                .collect::<Result<Vec<_>, _>>()?;
            let first = values.first().copied().unwrap_or(0.0);
            match function {
                Function::Min => values.iter().copied().fold(first, f64::min),
                Function::Max => values.iter().copied().fold(first, f64::max),
                Function::CeilDiv => (first / values.get(1).copied().unwrap_or(0.0)).ceil(),
            }
        }
    })
}

struct Parser<'text> {
    rest: &'text str,
    depth: u32,
    real: bool,
}

impl<'text> Parser<'text> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> &'text str {
        let end = self.rest.find(|c| !accepts(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn sum(&mut self) -> Result<Node, ExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return error("the expression is nested too deeply");
        }
        let mut left = self.product()?;
        loop {
            let operator = if self.eat('+') {
                Operator::Add
            } else if self.eat('-') {
                Operator::Subtract
            } else {
                break;
            };
            left = Node::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.unary()?;
        loop {
            let operator = if self.eat('*') {
                Operator::Multiply
            } else if self.eat('/') {
                Operator::Divide
            } else if self.eat('%') {
                Operator::Remainder
            } else {
                return Ok(left);
            };
            left = Node::Binary(operator, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Node, ExpressionError> {
        let mut negations = 0usize;
        while self.eat('-') {
            negations += 1;
        }
        let operand = self.atom()?;
        Ok(if negations % 2 == 1 { Node::Negate(Box::new(operand)) } else { operand })
    }

    fn atom(&mut self) -> Result<Node, ExpressionError> {
        self.skip_space();
        match self.rest.chars().next() {
            None => error("the expression ends too early"),
            Some('(') => {
                self.eat('(');
                let inner = self.sum()?;
                if self.eat(')') { Ok(inner) } else { error("`)` is missing") }
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
                if self.eat('(') { self.call(name) } else { Ok(Node::Name(name.to_string())) }
            }
            Some(c) => error(format!("unexpected `{c}`")),
        }
    }

    fn number(&mut self) -> Result<Node, ExpressionError> {
        let digits = self.take_while(|c| c.is_ascii_digit() || c == '_').replace('_', "");
        let begins_real =
            self.rest.starts_with('.') || self.rest.starts_with('e') || self.rest.starts_with('E');
        if !begins_real {
            return match digits.parse() {
                Ok(value) => Ok(Node::Integer(value)),
                Err(_) => error(format!("{digits} does not fit 64 bits")),
            };
        }
        let mut text = digits;
        if self.rest.starts_with('.') {
            text.push('.');
            self.rest = &self.rest[1..];
            text.push_str(self.take_while(|c| c.is_ascii_digit()));
        }
        if self.rest.starts_with('e') || self.rest.starts_with('E') {
            text.push('e');
            self.rest = &self.rest[1..];
            if self.rest.starts_with('-') || self.rest.starts_with('+') {
                text.push_str(&self.rest[..1]);
                self.rest = &self.rest[1..];
            }
            text.push_str(self.take_while(|c| c.is_ascii_digit()));
        }
        match text.parse() {
            Ok(value) => {
                self.real = true;
                Ok(Node::Real(value))
            }
            Err(_) => error(format!("`{text}` is not a number")),
        }
    }

    fn call(&mut self, name: &str) -> Result<Node, ExpressionError> {
        let function = match name {
            "min" => Function::Min,
            "max" => Function::Max,
            "ceil_div" => Function::CeilDiv,
            _ => return error(format!("there is no function `{name}`; use min, max or ceil_div")),
        };
        let mut arguments = vec![self.sum()?];
        while self.eat(',') {
            arguments.push(self.sum()?);
        }
        if !self.eat(')') {
            return error("`)` is missing");
        }
        if function == Function::CeilDiv && arguments.len() != 2 {
            return error("ceil_div takes two arguments");
        }
        Ok(Node::Call(function, arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Value, String> {
        let lookup = |name: &str| match name {
            "rows" => Some(7),
            "cols" => Some(100),
            _ => None,
        };
        Expression::parse(text).and_then(|e| e.evaluate(&lookup)).map_err(|e| e.0)
    }

    #[test]
    fn integers_follow_c() {
        assert_eq!(value("1 + 2 * 3 - 8 / 3"), Ok(Value::Integer(5)));
        assert_eq!(value("-7 / 2"), Ok(Value::Integer(-3)));
        assert_eq!(value("-7 % 4"), Ok(Value::Integer(-3)));
        assert_eq!(value("--3"), Ok(Value::Integer(3)));
        assert_eq!(value("(rows + 1) * cols"), Ok(Value::Integer(800)));
        assert_eq!(value("ceil_div(rows, 4)"), Ok(Value::Integer(2)));
        assert_eq!(value("ceil_div(-7, 4)"), Ok(Value::Integer(-1)));
        assert_eq!(value("ceil_div(0, 4)"), Ok(Value::Integer(0)));
        assert_eq!(value("max(1, min(rows, 5), 2)"), Ok(Value::Integer(5)));
        assert_eq!(value("1_024"), Ok(Value::Integer(1024)));
    }

    #[test]
    fn a_real_literal_makes_the_expression_real() {
        assert_eq!(value("1.0 / rows"), Ok(Value::Real(1.0 / 7.0)));
        assert_eq!(value("1e-5"), Ok(Value::Real(1e-5)));
        assert_eq!(value(".5"), Ok(Value::Real(0.5)));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        assert!(value("1 +").unwrap_err().contains("too early"));
        assert!(value("nope").unwrap_err().contains("`nope`"));
        assert!(value("1 / (rows - 7)").unwrap_err().contains("division by zero"));
        assert!(value("9223372036854775807 + 1").unwrap_err().contains("64 bits"));
        assert!(value("99999999999999999999").unwrap_err().contains("64 bits"));
        assert!(value("f(1)").unwrap_err().contains("no function `f`"));
        assert!(value("(1").unwrap_err().contains("missing"));
        assert!(value("1 2").unwrap_err().contains("unexpected"));
        assert!(value(&"(".repeat(100_000)).unwrap_err().contains("too deeply"));
        assert!(value(&"-".repeat(100_000)).unwrap_err().contains("too early"));
    }
}
