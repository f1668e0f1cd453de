//! The text of inline PTX as instructions and declarations. Knows the grammar, no opcode.

use std::collections::HashMap;

/// A statement of PTX.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Statement {
    /// `.reg .b32 a, b<4>;`: a type and names.
    Registers { ty: String, names: Vec<String> },
    /// `@p add.u32 d, a, b;`
    Instruction(Instruction),
}

/// An instruction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instruction {
    /// The predicate that guards it, and whether it is negated.
    pub(super) guard: Option<(bool, Operand)>,
    /// As written: `ld.global.nc.f32`.
    pub(super) opcode: String,
    pub(super) operands: Vec<Operand>,
}

/// An operand of an instruction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// An operand of the `asm` statement, by position.
    Placeholder(usize),
    /// A register that the text declares, or a special one, without its `%`.
    Name(String),
    /// A number, as written.
    Number(String),
    /// `{a, b}`
    Vector(Vec<Operand>),
    /// `[a + 8]`
    Address(Box<Operand>, i64),
    /// `d|p`
    Pair(Box<Operand>, Box<Operand>),
    /// `!p`, `-a`
    Negated(Box<Operand>),
    /// `_`
    Sink,
}

/// Longer texts are not read.
const LENGTH: usize = 20_000;

/// Reads the text; `names` are the symbolic names of the operands of the `asm` statement, and
/// `constants` the values of those that are constants. `None`: it is not understood.
pub(super) fn parse(text: &str, names: &HashMap<String, usize>) -> Option<Vec<Statement>> {
    if text.len() > LENGTH {
        return None;
    }
    let text = without_comments(text);
    let mut statements = Vec::new();
    let mut rest = text.trim_start();
    let mut depth = 0;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('{') {
            depth += 1;
            rest = after.trim_start();
            continue;
        }
        if let Some(after) = rest.strip_prefix('}') {
            depth -= 1;
            rest = after.trim_start();
            continue;
        }
        if let Some(after) = rest.strip_prefix(';') {
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(';').unwrap_or(rest.len());
        let statement = rest[..end].trim();
        rest = rest.get(end + 1..).unwrap_or("").trim_start();
        statements.push(read_statement(statement, names)?);
    }
    (depth == 0).then_some(statements)
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        if let Some(line) = after.strip_prefix("//") {
            rest = line.find('\n').map_or("", |end| &line[end..]);
        } else if let Some(block) = after.strip_prefix("/*") {
            out.push(' ');
            rest = block.find("*/").map_or("", |end| &block[end + 2..]);
        } else {
            out.push('/');
            rest = &after[1..];
        }
    }
    out.push_str(rest);
    out
}

fn read_statement(text: &str, names: &HashMap<String, usize>) -> Option<Statement> {
    if let Some(rest) = text.strip_prefix(".reg") {
        let rest = rest.trim_start();
        let (ty, list) = rest.split_once(char::is_whitespace)?;
        let mut registers = Vec::new();
        for name in list.split(',') {
            let name = name.trim().trim_start_matches('%');
            match name.split_once('<') {
                Some((stem, count)) => {
                    let count: usize = count.strip_suffix('>')?.trim().parse().ok()?;
                    if count > 256 {
                        return None;
                    }
                    registers.extend((0..count).map(|index| format!("{stem}{index}")));
                }
                None => registers.push(name.to_string()),
            }
        }
        let valid = |name: &String| is_name(name);
        return registers.iter().all(valid).then(|| Statement::Registers {
            ty: ty.trim_start_matches('.').to_string(),
            names: registers,
        });
    }
    let (guard, text) = match text.strip_prefix('@') {
        Some(rest) => {
            let (guard, rest) = rest.split_once(char::is_whitespace)?;
            let (negated, name) = match guard.strip_prefix('!') {
                Some(name) => (true, name),
                None => (false, guard),
            };
            (Some((negated, read_operand(name, names, 0)?)), rest.trim_start())
        }
        None => (None, text),
    };
    // Nothing need stand between an opcode and a bracket.
    let (opcode, operands) = match text.find([' ', '\t', '\n', '\r', '{', '[']) {
        Some(at) => (&text[..at], text[at..].trim()),
        None => (text, ""),
    };
    // A label, or a directive that declares something else.
    if opcode.contains(':') && !opcode.contains("::") || opcode.starts_with('.') {
        return None;
    }
    let mut list = Vec::new();
    for operand in split(operands)? {
        list.push(read_operand(operand, names, 0)?);
    }
    Some(Statement::Instruction(Instruction { guard, opcode: opcode.to_string(), operands: list }))
}

/// The parts between commas outside brackets.
fn split(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    (depth == 0 && parts.iter().all(|part| !part.is_empty())).then_some(parts)
}

/// Operands nest no deeper than a vector of pairs of names.
const DEPTH: u32 = 4;

fn read_operand(text: &str, names: &HashMap<String, usize>, depth: u32) -> Option<Operand> {
    let text = text.trim();
    if depth > DEPTH {
        return None;
    }
    let inner = |text: &str| read_operand(text, names, depth + 1);
    if let Some(list) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        let parts: Option<Vec<Operand>> = split(list)?.into_iter().map(inner).collect();
        let mut parts = parts?;
        // One part is no vector.
        return match parts.len() {
            1 => parts.pop(),
            _ => Some(Operand::Vector(parts)),
        };
    }
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let (base, offset) = match address.find(['+', '-']) {
            Some(at) => {
                let (base, offset) = address.split_at(at);
                let number = offset.trim_start_matches(['+', ' ']).replace(' ', "");
                (base, read_sum(&number)?)
            }
            None => (address, 0),
        };
        return Some(Operand::Address(Box::new(inner(base)?), offset));
    }
    if text == "_" {
        return Some(Operand::Sink);
    }
    if let Some((first, second)) = text.split_once('|') {
        return Some(Operand::Pair(Box::new(inner(first)?), Box::new(inner(second)?)));
    }
    if let Some(rest) = text.strip_prefix('!') {
        return Some(Operand::Negated(Box::new(inner(rest)?)));
    }
    if let Some(rest) = text.strip_prefix('-')
        && rest.starts_with('%')
    {
        return Some(Operand::Negated(Box::new(inner(rest)?)));
    }
    let plain = text.strip_prefix("%%").unwrap_or(text);
    if let Some(rest) = text.strip_prefix('%')
        && !text.starts_with("%%")
    {
        if let Some(name) = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return names.get(name).map(|index| Operand::Placeholder(*index));
        }
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            return rest.parse().ok().map(Operand::Placeholder);
        }
    }
    if plain.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        return plain.chars().all(valid).then(|| Operand::Number(plain.to_string()));
    }
    let name = plain.trim_start_matches('%');
    is_name(name).then(|| Operand::Name(name.to_string()))
}

/// `4`, `-16`, `4+8`
fn read_sum(text: &str) -> Option<i64> {
    let mut sum = 0i64;
    for part in text.replace('-', "+-").split('+').filter(|part| !part.is_empty()) {
        sum = sum.checked_add(integer(part)?)?;
    }
    Some(sum)
}

/// An integer as PTX writes it.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let digits = digits.trim_end_matches(['U', 'u', 'L', 'l']);
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => match digits.strip_prefix("0b") {
            Some(binary) => u64::from_str_radix(binary, 2).ok()?,
            None => digits.parse().ok()?,
        },
    };
    let value = value as i64;
    Some(if negative { value.wrapping_neg() } else { value })
}

fn is_name(text: &str) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'))
        && text.chars().all(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<Statement>> {
        parse(text, &HashMap::from([("addr".to_string(), 3)]))
    }

    #[test]
    fn scopes_guards_vectors_and_addresses_are_read() {
        let statements = read(
            "{ .reg .pred p<2>; // two\n setp.ne.b32 p1, %0, 0;\n\t@!p1 ld.global.nc.v2.f32 {%1,%2}, \
             [%[addr]+16]; }",
        )
        .unwrap();
        assert_eq!(statements.len(), 3);
        let Statement::Instruction(load) = &statements[2] else { panic!() };
        assert_eq!(load.guard, Some((true, Operand::Name("p1".to_string()))));
        assert_eq!(load.opcode, "ld.global.nc.v2.f32");
        assert_eq!(load.operands[1], Operand::Address(Box::new(Operand::Placeholder(3)), 16));
    }

    #[test]
    fn what_is_no_straight_line_is_refused() {
        assert_eq!(read("LOOP: bra LOOP;"), None);
        assert_eq!(read("{ add.u32 %0, %1, 1;"), None);
        assert_eq!(read(".shared .b32 x;"), None);
        assert_eq!(read("add.u32 %0,, 1;"), None);
    }

    #[test]
    fn numbers_have_their_bases() {
        assert_eq!(integer("0x1F"), Some(31));
        assert_eq!(integer("-12"), Some(-12));
        assert_eq!(integer("4294967295U"), Some(4_294_967_295));
        assert_eq!(integer("0f3f800000"), None);
    }
}
