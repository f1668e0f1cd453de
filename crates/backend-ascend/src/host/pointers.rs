//! Pointers to kernels with a type that is written out: what is launched through one is a launcher, so
//! the type has the launcher's parameters.

use std::collections::BTreeSet;

use port_diag::Span;
use port_hir::{Entity, Meaning};
use port_rewrite::launches::{Launch, launches};
use port_rewrite::{FileText, Side};
use port_syntax::TokenKind;

use super::kernels::{FRAME, REASON};
use crate::port::Port;

/// Edits the types of what is launched and is no kernel.
pub(crate) fn apply(port: &mut Port<'_>) {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for file in &port.files {
        for launch in launches(file) {
            names.extend(variable(port, file, &launch));
        }
    }
    let mut aliases: BTreeSet<&str> = BTreeSet::new();
    let mut places: BTreeSet<(Span, bool)> = BTreeSet::new();
    for file in &port.files {
        for at in 0..file.tokens.len() {
            let name = word(file, at);
            if !names.contains(name) {
                continue;
            }
            places.extend(declarator(file, at));
            aliases.extend(alias_before(port, file, at));
        }
    }
    for file in &port.files {
        for at in 0..file.tokens.len() {
            if !aliases.contains(word(file, at)) {
                continue;
            }
            places.extend(declarator(file, at));
            if word(file, at.wrapping_sub(1)) == "using" && word(file, at + 1) == "=" {
                places.extend(unnamed(file, at + 2));
            }
        }
    }
    let types: Vec<&str> = FRAME.iter().map(|(ty, _)| *ty).collect();
    for (span, has_more) in places {
        if port.is_removed(span) {
            continue;
        }
        let more = if has_more { ", " } else { "" };
        let text = format!("{}{more}", types.join(", "));
        port.changes.insert(span.file, span.end, Side::Before, text, REASON);
    }
}

fn word<'f>(file: &FileText<'f>, at: usize) -> &'f str {
    file.tokens.get(at).map_or("", |token| file.bytes(token))
}

/// The variable, parameter or member that is launched.
fn variable<'f>(port: &Port<'_>, file: &FileText<'f>, launch: &Launch) -> Option<&'f str> {
    let end = file.tokens.partition_point(|token| token.start < launch.brackets.start);
    let token = file.tokens.get(end.checked_sub(1)?)?;
    let is_variable = match port.unit.module.meanings.get(file.span(token)) {
        Some(Meaning::User(entity)) => {
            matches!(entity, Entity::Local(_) | Entity::Field(..) | Entity::Variable(_))
        }
        Some(Meaning::Member) => true,
        _ => false,
    };
    (token.kind == TokenKind::Identifier && is_variable).then(|| file.bytes(token))
}

/// The `(` of the parameters in `(*name)(…)`, and whether there are any.
fn declarator(file: &FileText<'_>, name: usize) -> Option<(Span, bool)> {
    let before = name.checked_sub(2)?;
    let is_pointer = word(file, before) == "(" && word(file, name - 1) == "*";
    let brackets = (word(file, name + 1) == "[").then(|| name + 3);
    let close = brackets.unwrap_or(name + 1);
    (is_pointer && word(file, close) == ")").then(|| parameters(file, close + 1)).flatten()
}

/// The same in `void (*)(…)`.
fn unnamed(file: &FileText<'_>, from: usize) -> Option<(Span, bool)> {
    let end = (from..file.tokens.len()).find(|at| word(file, *at) == ";")?;
    let open = (from..end).find(|at| {
        word(file, *at) == "(" && word(file, at + 1) == "*" && word(file, at + 2) == ")"
    })?;
    parameters(file, open + 3)
}

fn parameters(file: &FileText<'_>, open: usize) -> Option<(Span, bool)> {
    let token = file.tokens.get(open).filter(|token| token.kind == TokenKind::LeftParen)?;
    Some((file.span(token), word(file, open + 1) != ")"))
}

/// The alias in `Alias<T> name`.
fn alias_before<'f>(port: &Port<'_>, file: &FileText<'f>, name: usize) -> Option<&'f str> {
    let ends = [";", ",", "=", ")", "{", "[", ":"];
    if !ends.contains(&word(file, name + 1)) {
        return None;
    }
    let mut at = name.checked_sub(1)?;
    while matches!(word(file, at), "*" | "&" | "const") {
        at = at.checked_sub(1)?;
    }
    if word(file, at) == ">" {
        let mut depth = 0_i32;
        loop {
            match word(file, at) {
                ">" => depth += 1,
                "<" => depth -= 1,
                ";" | "" => return None,
                _ => {}
            }
            at = at.checked_sub(1)?;
            if depth == 0 {
                break;
            }
        }
    }
    let token = file.tokens.get(at)?;
    let meaning = port.unit.module.meanings.get(file.span(token));
    matches!(meaning, Some(Meaning::User(Entity::Alias(_)))).then(|| file.bytes(token))
}
