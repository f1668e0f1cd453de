//! Statements as a person would write them: the parts of the translation write each line for itself, and
//! these passes see them together. None of them changes what is computed.

mod expression;
mod passes;
mod scopes;

use std::collections::{BTreeMap, BTreeSet};

use expression::{Expression, Type, Types};

use super::ir::{Node, Tile};
use crate::host::text::has_word;
pub(super) use passes::unrepeated;
pub(super) use scopes::short_names;

/// Columns of a line.
const COLUMNS: usize = 118;

/// A line as far as it is understood.
#[derive(Clone, Debug, PartialEq)]
enum Statement {
    /// `const ty name = value;`
    Constant(String, String, Expression),
    /// `ty name = value;`
    Variable(String, String, Expression),
    /// `name = value;`
    Assign(Expression, Expression),
    /// `value;`
    Plain(Expression),
    /// `if (value) rest`
    When(Expression, String),
    /// Anything else.
    Text(String),
}

/// The words that begin a statement of their own kind.
const STARTS: &[&str] = &["return", "break", "continue", "case", "default", "while", "do", "else"];

fn parse(line: &str) -> Statement {
    let text = || Statement::Text(line.to_owned());
    if line.starts_with("//") || line.contains("[&]") {
        return text();
    }
    if let Some(rest) = line.strip_prefix("if (") {
        let Some(end) = closing(rest) else { return text() };
        let (condition, after) = (rest.get(..end), rest.get(end + 1..));
        return match (condition.and_then(expression::read), after) {
            (Some(condition), Some(after)) => Statement::When(condition, after.trim().to_owned()),
            _ => text(),
        };
    }
    let Some(body) = line.strip_suffix(';') else { return text() };
    let first = body.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
    if STARTS.contains(&first) {
        return text();
    }
    let (constant, rest) = match body.strip_prefix("const ") {
        Some(rest) => (true, rest),
        None => (false, body),
    };
    let Some((head, value)) = rest.split_once(" = ") else {
        return match expression::read(body) {
            Some(value) if !constant => Statement::Plain(value),
            _ => text(),
        };
    };
    let Some(value) = expression::read(value) else { return text() };
    match head.rsplit_once(' ') {
        Some((ty, name)) if is_name(name) && ty.chars().all(|c| is_word(c) || c == ':') => {
            let (ty, name) = (ty.to_owned(), name.to_owned());
            match constant {
                true => Statement::Constant(ty, name, value),
                false => Statement::Variable(ty, name, value),
            }
        }
        _ => match expression::read(head) {
            Some(place) if !constant => Statement::Assign(place, value),
            _ => text(),
        },
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_word)
}

/// Where the bracket closes that stands before a text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_u32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

impl Statement {
    fn text(&self) -> String {
        match self {
            Statement::Constant(ty, name, value) => format!("const {ty} {name} = {value};"),
            Statement::Variable(ty, name, value) => format!("{ty} {name} = {value};"),
            Statement::Assign(place, value) => match value {
                Expression::Binary(plus, left, right)
                    if plus == "+"
                        && **left == *place
                        && right.is_number_of(Some(Type::I32))
                        && right.to_string() == "1" =>
                {
                    format!("++{place};")
                }
                _ => format!("{place} = {value};"),
            },
            Statement::Plain(value) => format!("{value};"),
            Statement::When(condition, rest) => format!("if ({condition}) {rest}"),
            Statement::Text(text) => text.clone(),
        }
    }

    fn simple(self, types: &Types) -> Statement {
        match self {
            Statement::Constant(ty, name, value) => {
                let value = converted(value.simple(types), &ty, types);
                Statement::Constant(ty, name, value)
            }
            Statement::Variable(ty, name, value) => {
                let value = converted(value.simple(types), &ty, types);
                Statement::Variable(ty, name, value)
            }
            Statement::Assign(place, value) => {
                Statement::Assign(place.simple(types), value.simple(types))
            }
            Statement::Plain(value) => Statement::Plain(value.simple(types)),
            Statement::When(condition, rest) => Statement::When(condition.simple(types), rest),
            Statement::Text(text) => Statement::Text(text),
        }
    }
}

/// A value that becomes the type of what it is stored in: without saying so twice.
fn converted(value: Expression, ty: &str, types: &Types) -> Expression {
    match value {
        Expression::Cast(kind, to, inner)
            if kind == "static_cast"
                && to == ty
                && inner.ty(types).is_some_and(|from| {
                    matches!(
                        (Type::read(ty), from),
                        (Some(Type::I64), Type::I32 | Type::U32) | (Some(Type::U64), Type::U32)
                    )
                }) =>
        {
            *inner
        }
        other => other,
    }
}

/// What names mean where the statements stand.
pub(super) struct Known {
    /// Types of the names that are there from the start: `tiling_.n`, `blockX`.
    types: Types,
    /// The names among them; they do not change.
    fixed: BTreeSet<String>,
}

impl Known {
    /// The names that every kernel has, the fields of the tiling and the members that hold addresses;
    /// `variables` may change.
    pub(super) fn new<'f>(
        fields: impl Iterator<Item = (&'f str, &'f str)>,
        members: impl Iterator<Item = (&'f str, &'f str)>,
        variables: impl Iterator<Item = (&'f str, &'f str)>,
    ) -> Self {
        let mut types = Types::new();
        let frame = [
            ("tileStart", "int64_t"),
            ("blockX", "uint32_t"),
            ("blockY", "uint32_t"),
            ("blockZ", "uint32_t"),
            ("threadY", "uint32_t"),
            ("threadZ", "uint32_t"),
            ("tiling_.blockDimX", "uint32_t"),
            ("tiling_.blockDimY", "uint32_t"),
            ("tiling_.blockDimZ", "uint32_t"),
            ("tiling_.gridDimX", "uint32_t"),
            ("tiling_.gridDimY", "uint32_t"),
            ("tiling_.gridDimZ", "uint32_t"),
            ("lanes.padded", "uint32_t"),
            ("lanes.count", "uint32_t"),
        ];
        let fields: Vec<(String, &str)> =
            fields.map(|(name, ty)| (format!("tiling_.{name}"), ty)).collect();
        let members = members.map(|(name, ty)| (name.to_owned(), ty));
        let all = frame.iter().map(|(name, ty)| ((*name).to_owned(), *ty));
        let all = all.chain(fields).chain(members);
        let mut fixed = BTreeSet::new();
        for (name, ty) in all {
            if let Some(ty) = Type::read(ty) {
                types.insert(name.clone(), ty);
            }
            fixed.insert(name);
        }
        for (name, ty) in variables {
            types.extend(Type::read(ty).map(|ty| (name.to_owned(), ty)));
        }
        Known { types, fixed }
    }
}

/// The statements of a kernel, tidied. `one_core`: whether what a block does follows what others have
/// stored.
pub(super) fn tidy(tile: &Tile, nodes: Vec<Node>, known: &Known, one_core: bool) -> Vec<Node> {
    let mut nodes = nodes;
    let mut types = known.types.clone();
    nodes = simplified(nodes, &mut types);
    nodes = passes::shared(nodes, known, &BTreeMap::new(), &mut BTreeMap::new());
    nodes = passes::inlined(nodes, known, &types);
    // What was put together may be simpler as a whole.
    nodes = simplified(nodes, &mut types);
    nodes = passes::flat(nodes);
    nodes = passes::conditions(nodes, &types);
    nodes = passes::moved(tile, nodes);
    nodes = passes::read_by_nobody(tile, nodes);
    nodes = passes::waiting_once(nodes, one_core);
    passes::commented(nodes)
}

/// Each line for itself.
fn simplified(nodes: Vec<Node>, types: &mut Types) -> Vec<Node> {
    nodes
        .into_iter()
        .map(|node| match node {
            Node::Line(line) => {
                let statement = parse(&line).simple(types);
                if let Statement::Constant(ty, name, _) | Statement::Variable(ty, name, _) =
                    &statement
                    && let Some(ty) = Type::read(ty)
                {
                    types.insert(name.clone(), ty);
                }
                Node::Line(statement.text())
            }
            Node::Nest { head, body, repeats } => {
                let head = head_of(&head, &|value| value.simple(types));
                Node::Nest { head, body: simplified(body, types), repeats }
            }
        })
        .collect()
}

/// The head of a nest with its condition changed.
fn head_of(head: &str, change: &dyn Fn(Expression) -> Expression) -> String {
    let Some((word, rest)) = head.split_once(" (") else { return head.to_owned() };
    let condition = rest.strip_suffix(')').filter(|_| closing(rest) == Some(rest.len() - 1));
    match condition.and_then(expression::read) {
        Some(condition) if matches!(word, "if" | "while" | "switch") => {
            format!("{word} ({})", change(condition))
        }
        _ => head.to_owned(),
    }
}

/// How often each word stands in statements.
fn counts(nodes: &[Node]) -> BTreeMap<String, u32> {
    fn add(nodes: &[Node], counts: &mut BTreeMap<String, u32>) {
        for node in nodes {
            let line = match node {
                Node::Line(line) if line.starts_with("//") => continue,
                Node::Line(line) => line,
                Node::Nest { head, body, .. } => {
                    add(body, counts);
                    head
                }
            };
            for word in line.split(|c| !is_word(c)).filter(|word| !word.is_empty()) {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
    let mut all = BTreeMap::new();
    add(nodes, &mut all);
    all
}

/// The names in an expression, with the objects that they are members of.
fn names(value: &Expression) -> BTreeSet<String> {
    let text = value.to_string();
    let mut found = BTreeSet::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let tail = &rest[start..];
        let length = tail.find(|c| !is_word(c) && c != '.' && c != ':').unwrap_or(tail.len());
        // Digits before belong to a number: `0x1f`, `5u`.
        let is_number = rest[..start].ends_with(|c: char| c.is_ascii_digit() || c == '.');
        if !is_number {
            found.insert(tail[..length].to_owned());
        }
        rest = &tail[length..];
    }
    found
}

/// Whether a line has a name.
fn mentions(node: &Node, name: &str) -> bool {
    match node {
        Node::Line(line) => !line.starts_with("//") && has_word(line, name),
        Node::Nest { head, body, .. } => {
            has_word(head, name) || body.iter().any(|inner| mentions(inner, name))
        }
    }
}

#[cfg(test)]
mod tests;
