//! Text of tokens: what stands between brackets, what a list is split into, words that are replaced.

use port_syntax::{Token, TokenKind};

/// The index of the bracket that closes the one at `open`.
pub(crate) fn matching(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.kind.is_open() {
            depth += 1;
        } else if token.kind.is_close() {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

/// The ranges between the commas outside brackets and template arguments.
pub(crate) fn split(tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let (mut depth, mut angles, mut start) = (0_i32, 0_i32, 0);
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth -= 1,
            TokenKind::Less if depth == 0 => angles += 1,
            TokenKind::Greater if depth == 0 => angles -= 1,
            TokenKind::Comma if depth == 0 && angles <= 0 => {
                parts.push(start..index);
                start = index + 1;
            }
            _ => {}
        }
    }
    if start < tokens.len() || !parts.is_empty() {
        parts.push(start..tokens.len());
    }
    parts
}

/// A text with its words replaced; words after `.`, `->` and `::` are members of something else.
pub(crate) fn replace_words(text: &str, replacement: &dyn Fn(&str) -> Option<String>) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, tail) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        if !word.is_empty() {
            let before = out.trim_end();
            let is_member =
                before.ends_with('.') || before.ends_with("->") || before.ends_with("::");
            let is_name = !word.starts_with(|c: char| c.is_ascii_digit());
            match replacement(word).filter(|_| is_name && !is_member) {
                Some(new) => out.push_str(&new),
                None => out.push_str(word),
            }
        }
        let (other, tail) = tail.split_at(tail.find(is_word).unwrap_or(tail.len()));
        out.push_str(other);
        rest = tail;
    }
    out
}

/// Whether a text holds a word.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word)
    })
}

/// Columns of a line of emitted text.
const COLUMNS: usize = 120;

/// `head`, `items` with commas and `tail` in one line, or in several where that is too long.
pub(crate) fn wrapped(head: &str, items: &[&str], tail: &str) -> String {
    let line = format!("{head}{}{tail}", items.join(", "));
    if line.len() <= COLUMNS {
        return line;
    }
    let indent = head.len() - head.trim_start().len() + 8;
    let mut out = head.to_owned();
    let mut column = out.len();
    for (index, item) in items.iter().enumerate() {
        let is_last = index + 1 == items.len();
        let end = if is_last { tail } else { "," };
        if index > 0 {
            if column + 1 + item.len() + end.len() > COLUMNS {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(item);
        out.push_str(end);
        column += item.len() + end.len();
    }
    out
}

/// `softmax_float_4` as `SoftmaxFloat4`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut out = String::new();
    for part in name.split('_') {
        let mut characters = part.chars();
        if let Some(first) = characters.next() {
            out.push(first.to_ascii_uppercase());
            out.push_str(characters.as_str());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_where_they_stand_alone() {
        let to = |word: &str| (word == "n").then(|| "tiling.n".to_owned());
        assert_eq!(replace_words("n * p.n + nn / (n)", &to), "tiling.n * p.n + nn / (tiling.n)");
        assert!(has_word("a+n", "n") && !has_word("nn", "n"));
    }

    #[test]
    fn names_of_types_are_in_camel_case() {
        assert_eq!(camel_case("ns_k_float_4"), "NsKFloat4");
    }
}
