//! Device-only text leaves: functions and methods, their declarations, shared memory, aliases of
//! device libraries. Functions for both sides stay, as the host's, unless only the device can run
//! them. Constants and device variables stay as the host's own copy of their first value.

use std::collections::BTreeSet;

use port_api::Side as ApiSide;
use port_diag::{Origin, Span};
use port_hir::{Body, FunctionId, Meaning, Parent, TokenRange};
use port_rewrite::{FileText, Reason};
use port_syntax::TokenKind;

use crate::port::Port;

/// Why text leaves.
const REASON: Reason = Reason::Row("__device__");

/// Namespaces that hold device code alone.
const LIBRARIES: &[&str] = &["cooperative_groups", "cub", "cuda"];

/// Finds what leaves.
pub(crate) fn find(port: &mut Port<'_>) {
    let mut gone: Vec<Span> = Vec::new();
    let named = named(port);
    let mut bodies: Vec<Span> = Vec::new();
    for id in functions(port) {
        match named.contains(&port.unit.module.function_name(id)) {
            true => bodies.extend(body(port, id)),
            false => gone.extend(declarations(port, id)),
        }
    }
    let module = port.unit.module;
    for (_, variable) in module.variables.iter() {
        let name = variable.origin;
        if variable.storage.shared && !matches!(variable.parent, Parent::Function(_)) {
            gone.extend(statement_around(port, name).and_then(|range| port.source_span(range)));
        }
    }
    for file in &port.files {
        gone.extend(library_names(file));
        gone.extend(unseen(port, file));
    }
    gone.sort_by_key(|span| (span.file, span.start, std::cmp::Reverse(span.end)));
    let mut outer: Vec<Span> = Vec::new();
    for span in gone {
        if !outer.last().is_some_and(|last| last.contains(span)) {
            outer.push(span);
        }
    }
    port.removed = outer.clone();
    port.gone = outer;
    for body in bodies {
        if !port.is_removed(body) {
            port.changes.replace(body, ";", REASON);
            port.removed.push(body);
        }
    }
}

/// The functions that template arguments of kernels name: host code names them too.
fn named(port: &Port<'_>) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let instances = port.unit.instances.iter();
    let words = instances.flat_map(|instance| instance.arguments.split(|c| !is_name(c)));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The body of a function, with the blanks before it.
fn body(port: &Port<'_>, id: FunctionId) -> Option<Span> {
    let Body::Block(body) = port.unit.module.functions[id].body else { return None };
    let span = port.source_span(port.unit.module.stmts[body].tokens)?;
    let text = &port.unit.sources.file(span.file).text;
    let before = text.get(..span.start as usize)?.trim_end().len();
    Some(Span::new(span.file, before as u32, span.end))
}

/// Takes the text out, with the comment and the blank line that belong to it.
pub(crate) fn apply(port: &mut Port<'_>) {
    for span in port.gone.clone() {
        // What stands in a kernel's body has left with it.
        let outer = |other: &&Span| **other != span && other.contains(span);
        if port.removed.iter().any(|other| outer(&other)) {
            continue;
        }
        let Some(file) = port.file(span.file) else { continue };
        let whole = with_surroundings(file, span);
        port.changes.remove_inside(whole);
        port.changes.replace(whole, "", REASON);
    }
}

/// The functions that leave.
fn functions(port: &Port<'_>) -> Vec<FunctionId> {
    let module = port.unit.module;
    let mut gone: BTreeSet<FunctionId> = BTreeSet::new();
    let mut both: Vec<FunctionId> = Vec::new();
    for (id, function) in module.functions.iter() {
        let qualifiers = &function.qualifiers;
        let is_text = !matches!(function.body, Body::Defaulted | Body::Deleted);
        if qualifiers.device && !qualifiers.global && is_text {
            if qualifiers.host {
                both.push(id)
            } else {
                let _ = gone.insert(id);
            }
        }
    }
    // What is for both sides and calls what only the device has is the device's.
    loop {
        let before = gone.len();
        both.retain(|id| {
            let leaves = names_device(port, *id, &gone);
            if leaves {
                gone.insert(*id);
            }
            !leaves
        });
        if gone.len() == before {
            return gone.into_iter().collect();
        }
    }
}

/// Whether a function for both sides names what only the device has, in text that is for both.
fn names_device(port: &Port<'_>, id: FunctionId, gone: &BTreeSet<FunctionId>) -> bool {
    let function = &port.unit.module.functions[id];
    let Some(tokens) = port.tokens().get(function.tokens.range()) else { return false };
    let of_device: Vec<Span> = port
        .unit
        .parsed
        .unit
        .conditionals
        .iter()
        .flat_map(|found| &found.branches)
        .filter(|branch| branch.names.iter().any(|(name, _)| *name == "__CUDA_ARCH__"))
        .map(|branch| branch.body)
        .collect();
    tokens.iter().filter(|token| token.kind == TokenKind::Identifier).any(|token| {
        let span = token.origin.span;
        if of_device.iter().any(|body| body.contains(span)) {
            return false;
        }
        match port.unit.module.meanings.get(span) {
            Some(Meaning::Api(name)) => port_api::find(name.as_str()).is_some_and(|row| {
                row.side == ApiSide::Device && row.family != "language/qualifier"
            }),
            Some(Meaning::User(port_hir::Entity::Function(callee))) => gone.contains(callee),
            _ => false,
        }
    })
}

/// The text of a function's declarations and its definition.
fn declarations(port: &Port<'_>, id: FunctionId) -> Vec<Span> {
    let function = &port.unit.module.functions[id];
    let mut found = Vec::new();
    if !matches!(function.body, Body::None) {
        found.extend(port.source_span(function.tokens));
    }
    for origin in &function.declarations {
        let is_definition = *origin == function.origin && !matches!(function.body, Body::None);
        if !is_definition {
            found.extend(statement_around(port, *origin).and_then(|range| port.source_span(range)));
        }
    }
    found
}

/// The tokens of the declaration that holds a name: from what ends the one before to its `;`.
pub(crate) fn statement_around(port: &Port<'_>, name: Origin) -> Option<TokenRange> {
    let tokens = port.tokens();
    let at = *port
        .program
        .tokens_of(name.span)
        .iter()
        .find(|index| tokens.get(**index).is_some_and(|token| token.origin == name))?;
    let ends = [TokenKind::Semicolon, TokenKind::LeftBrace, TokenKind::RightBrace];
    let access = |index: usize| {
        tokens[index].kind == TokenKind::Colon
            && index > 0
            && matches!(tokens[index - 1].text.as_str(), "public" | "private" | "protected")
    };
    let start = (0..at).rev().find(|index| ends.contains(&tokens[*index].kind) || access(*index));
    let mut end = at;
    while tokens.get(end)?.kind != TokenKind::Semicolon {
        match tokens[end].kind {
            kind if kind.is_open() => end = super::text::matching(tokens, end)? + 1,
            kind if kind.is_close() => return None,
            _ => end += 1,
        }
    }
    Some(TokenRange { start: start.map_or(0, |start| start + 1) as u32, end: end as u32 + 1 })
}

/// Device-only functions in text that the reference leaves out: the port may compile that branch.
fn unseen(port: &Port<'_>, file: &FileText<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < file.tokens.len() {
        let token = &file.tokens[at];
        let word = file.bytes(token);
        let branch = matches!(word, "__device__" | "__global__")
            .then(|| port.inactive.iter().find(|body| body.contains(file.span(token))))
            .flatten();
        let whole = branch
            .filter(|_| file.directive_of(at).is_none())
            .and_then(|branch| unseen_function(file, at, *branch));
        match whole {
            Some((span, end)) => {
                found.push(span);
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// The function around a qualifier, inside a branch and without directives, and the token after it.
fn unseen_function(file: &FileText<'_>, at: usize, branch: Span) -> Option<(Span, usize)> {
    let ends = [TokenKind::Semicolon, TokenKind::LeftBrace, TokenKind::RightBrace];
    let mut first = at;
    while let Some(before) = first.checked_sub(1) {
        let token = &file.tokens[before];
        let stops = ends.contains(&token.kind)
            || file.directive_of(before).is_some()
            || !branch.contains(file.span(token));
        if stops {
            break;
        }
        first = before;
    }
    let mut end = at;
    let last = loop {
        let token = file.tokens.get(end)?;
        match token.kind {
            TokenKind::Semicolon => break end,
            TokenKind::LeftBrace => break port_rewrite::launches::matching(file, end)?,
            TokenKind::LeftParen => end = port_rewrite::launches::matching(file, end)? + 1,
            TokenKind::RightBrace => return None,
            _ => end += 1,
        }
    };
    let words = || file.tokens[first..=end.min(last)].iter().map(|token| file.bytes(token));
    let whole = file.span(&file.tokens[first]).to(file.span(&file.tokens[last]));
    let is_plain = (first..=last).all(|index| file.directive_of(index).is_none());
    // A variable stays, as the host's; so does what is for both sides.
    let is_function = words().any(|word| word == "(");
    (branch.contains(whole) && is_plain && is_function && !words().any(|word| word == "__host__"))
        .then_some((whole, last + 1))
}

/// `namespace cg = cooperative_groups;`, `using namespace nvcuda;`, `using cub::BlockReduce;`
fn library_names(file: &FileText<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    let word = |index: usize| file.tokens.get(index).map_or("", |token| file.bytes(token));
    for at in 0..file.tokens.len() {
        let named = match (word(at), word(at + 1)) {
            ("using", "namespace") => word(at + 2),
            ("namespace", _) if word(at + 2) == "=" => word(at + 3),
            ("using", name) if word(at + 2) == "::" => name,
            ("using", _) if word(at + 2) == "=" => match word(at + 3) {
                "typename" => word(at + 4),
                name => name,
            },
            _ => continue,
        };
        if !LIBRARIES.contains(&named) || file.directive_of(at).is_some() {
            continue;
        }
        let end = (at..file.tokens.len()).find(|i| file.tokens[*i].kind == TokenKind::Semicolon);
        if let Some(end) = end {
            found.push(file.span(&file.tokens[at]).to(file.span(&file.tokens[end])));
        }
    }
    found
}

/// A span with the lines that it leaves empty, the comment above it and one blank line.
fn with_surroundings(file: &FileText<'_>, span: Span) -> Span {
    let text = file.text;
    let index = file.tokens.partition_point(|token| token.end <= span.start);
    if file.directive_of(index).is_some() {
        return span;
    }
    let (mut start, mut end) = (span.start as usize, span.end as usize);
    let before = text.get(..start).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let rest = text.get(end..).unwrap_or("");
    let line_rest = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
    let after = rest[..line_rest].trim();
    let own_line = text[line_start..start].trim().is_empty();
    if !own_line || !(after.is_empty() || after.starts_with("//") || after == ";") {
        return span;
    }
    start = line_start;
    end += line_rest;
    // The comment that stands right above; not what opens the file.
    let mut above = start;
    while let Some(line) = line_before(text, above) {
        let trimmed = text[line..above].trim();
        let is_block_end = trimmed.ends_with("*/");
        let from = if is_block_end {
            match text[..above].rfind("/*") {
                Some(open) => text[..open].rfind('\n').map_or(0, |newline| newline + 1),
                None => break,
            }
        } else if trimmed.starts_with("//") {
            line
        } else {
            break;
        };
        if !text[from..above].trim_start().starts_with(['/', '*']) {
            break;
        }
        above = from;
    }
    if above > 0 {
        start = above;
    }
    // One blank line of the two that would meet.
    let blank_above =
        line_before(text, start).is_some_and(|line| text[line..start].trim().is_empty());
    if blank_above || start == 0 {
        let rest = &text[end..];
        let line = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        if line > 0 && rest[..line].trim().is_empty() {
            end += line;
        }
    }
    Span::new(span.file, start as u32, end as u32)
}

/// The start of the line that ends where this one begins.
fn line_before(text: &str, line: usize) -> Option<usize> {
    let before = text.get(..line)?.strip_suffix('\n')?;
    Some(before.rfind('\n').map_or(0, |newline| newline + 1))
}
