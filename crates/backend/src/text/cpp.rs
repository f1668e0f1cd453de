//! Expressions of C++ as text, with how tightly their outermost operator binds.

use port_diag::{Origin, SourceMap};
use port_ir::CompareOp;

/// How tightly an operator binds; larger is tighter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `a ? b : c`
    Conditional,
    /// `||`
    Or,
    /// `&&`
    And,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `==`
    Equality,
    /// `<`
    Relation,
    /// `<<`
    Shift,
    /// `+`
    Sum,
    /// `*`
    Product,
    /// `-a`
    Unary,
    /// A name, a call.
    Primary,
}

/// A comparison's operator, and how tightly it binds.
pub fn relation(op: CompareOp) -> (&'static str, Level) {
    match op {
        CompareOp::Equal => ("==", Level::Equality),
        CompareOp::NotEqual => ("!=", Level::Equality),
        CompareOp::Less => ("<", Level::Relation),
        CompareOp::LessEqual => ("<=", Level::Relation),
        CompareOp::Greater => (">", Level::Relation),
        CompareOp::GreaterEqual => (">=", Level::Relation),
    }
}

/// An expression of C++.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// How tightly its outermost operator binds.
    pub level: Level,
}

impl Text {
    /// A name, a call, or what else needs no parentheses.
    pub fn primary(text: impl Into<String>) -> Self {
        Text { text: text.into(), level: Level::Primary }
    }

    /// An expression whose outermost operator is of this level.
    pub fn at(text: impl Into<String>, level: Level) -> Self {
        Text { text: text.into(), level }
    }

    /// As an operand of an operator of this level.
    pub fn in_level(&self, level: Level) -> String {
        if self.level >= level { self.text.clone() } else { format!("({})", self.text) }
    }

    /// As the condition of a statement: what begins like `int32_t(x(…))` would be a declaration there.
    pub fn condition(&self) -> String {
        let word = self.text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let declares = word.is_some_and(|end| {
            let (word, rest) = self.text.split_at(end);
            let is_type = word.ends_with("_t") || matches!(word, "bool" | "float" | "double");
            is_type && rest.starts_with('(')
        });
        if declares { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// `name(a, b)`
pub fn call(name: &str, arguments: &[Text]) -> Text {
    let list: Vec<&str> = arguments.iter().map(|argument| argument.text.as_str()).collect();
    Text::primary(format!("{name}({})", list.join(", ")))
}

/// `a + b`, the operator left-associative.
pub fn binary(level: Level, operator: &str, left: &Text, right: &Text) -> Text {
    // Operators that people mix up are set in parentheses.
    let confusing = matches!(
        level,
        Level::Or | Level::And | Level::BitOr | Level::BitXor | Level::BitAnd | Level::Shift
    );
    let left_level = if confusing && left.level != level { Level::Unary } else { level };
    let right_level = if confusing { Level::Unary } else { next(level) };
    let text = format!("{} {operator} {}", left.in_level(left_level), right.in_level(right_level));
    Text::at(text, level)
}

fn next(level: Level) -> Level {
    match level {
        Level::Conditional => Level::Or,
        Level::Or => Level::And,
        Level::And => Level::BitOr,
        Level::BitOr => Level::BitXor,
        Level::BitXor => Level::BitAnd,
        Level::BitAnd => Level::Equality,
        Level::Equality => Level::Relation,
        Level::Relation => Level::Shift,
        Level::Shift => Level::Sum,
        Level::Sum => Level::Product,
        Level::Product => Level::Unary,
        Level::Unary | Level::Primary => Level::Primary,
    }
}

/// `x`, `y`, `z` or `w`.
pub fn component(index: u32) -> &'static str {
    match index {
        0 => "x",
        1 => "y",
        2 => "z",
        _ => "w",
    }
}

/// Whether a text is one operand: `a += b + c` would add in another order than `a + b + c`.
pub fn is_operand(text: &str) -> bool {
    let mut depth = 0i32;
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ' ' if depth == 0 => return false,
            ',' | '?' | '<' | '>' if depth == 0 && previous != '-' => return false,
            _ => {}
        }
        previous = c;
    }
    true
}

/// The user's text as a part of a comment.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '\\' { ' ' } else { c }).collect()
}

/// The file, the line and `file.cu:12` of a place in the user's text.
pub fn line_at(sources: &SourceMap, origin: Origin) -> Option<(u32, u32, String)> {
    let span = origin.span;
    if !sources.ids().any(|id| id == span.file) {
        return None;
    }
    let file = sources.file(span.file);
    let line = file.line_column(span.start).line;
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    Some((span.file.0, line, format!("{}:{line}", one_line(name))))
}

/// A text as a string literal.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            b'?' => quoted.push_str("\\?"),
            0x20..=0x7e => quoted.push(char::from(byte)),
            other => quoted.push_str(&format!("\\{other:03o}")),
        }
    }
    quoted.push('"');
    quoted
}
