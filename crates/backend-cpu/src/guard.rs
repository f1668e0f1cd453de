//! What keeps an unfinished port from being built by accident: an `#error` that only
//! `PORT_ALLOW_MANUAL` takes away, and a body that ends the program in place of one that cannot
//! compile.

use std::collections::{BTreeMap, BTreeSet};

use port_diag::{FileId, Finding, Span};
use port_hir::{Body, FunctionId};
use port_rewrite::{Reason, Side};

use crate::device::literal;
use crate::findings::UnsupportedName;
use crate::port::Port;

/// What the text holds that cannot compile.
pub(crate) struct Trouble {
    pub span: Span,
    pub code: &'static str,
    pub message: String,
    /// Whether the build has to stop for it: something that is not compiled apart may run into it.
    pub matters: bool,
    /// Whether the place itself ends the program already, so that it compiles.
    pub replaced: bool,
}

/// Guards functions and declarations. Returns what goes into the first line of a kernel's body,
/// which is for [`crate::kernels`] to write.
pub(crate) fn apply(port: &mut Port<'_>, troubles: &[Trouble]) -> BTreeMap<FunctionId, String> {
    let mut functions: BTreeMap<FunctionId, &Trouble> = BTreeMap::new();
    let mut declarations: BTreeMap<(FileId, u32), &Trouble> = BTreeMap::new();
    for trouble in troubles {
        if trouble.replaced {
            if trouble.matters {
                declarations.entry(declaration_start(port, trouble.span)).or_insert(trouble);
            }
            continue;
        }
        let holder = port.program.tokens_of(trouble.span).first().and_then(|token| {
            let function = port.program.function_at(*token)?;
            let span = body_span(port, function)?;
            span.contains(trouble.span).then_some(function)
        });
        match holder {
            Some(function) => {
                let first = functions.entry(function).or_insert(trouble);
                if trouble.matters && !first.matters {
                    *first = trouble;
                }
            }
            None => {
                declarations.entry(declaration_start(port, trouble.span)).or_insert(trouble);
            }
        }
    }
    let mut of_kernels = BTreeMap::new();
    for (function, trouble) in functions {
        let Some(span) = body_span(port, function) else { continue };
        let newline = newline(port, span.file);
        let reason = Reason::Finding(trouble.code);
        let (open, close) = (lines_open(trouble, newline), lines_close(trouble, newline));
        port.changes.insert(span.file, span.end - 1, Side::Before, close, reason.clone());
        if port.unit.module.functions[function].is_kernel() {
            of_kernels.insert(function, open);
        } else {
            port.changes.insert(span.file, span.start + 1, Side::Before, open, reason);
        }
    }
    for ((file, at), trouble) in declarations {
        let newline = newline(port, file);
        let reason = Reason::Finding(trouble.code);
        // What is no function goes as a whole: only what is reported too can use it.
        let whole = variable_end(port, trouble.span).filter(|end| end.0 == file && end.1 > at);
        let end = if whole.is_some() { "" } else { "#endif" };
        let mut lines = vec!["#ifndef PORT_ALLOW_MANUAL".to_owned(), error_line(trouble)];
        lines.extend([end.to_owned(), String::new()].into_iter().skip(usize::from(end.is_empty())));
        let text = lines.join(newline);
        port.changes.insert(file, at, Side::After, text, reason.clone());
        if let Some((file, end)) = whole {
            let text = format!("{newline}#endif");
            port.changes.insert(file, end, Side::Before, text, reason);
        }
    }
    of_kernels
}

/// Stops the build before the declaration that holds a place.
pub(crate) fn stop(port: &mut Port<'_>, trouble: &Trouble) {
    let (file, at) = declaration_start(port, trouble.span);
    let lines = ["#ifndef PORT_ALLOW_MANUAL", &error_line(trouble), "#endif", ""];
    let text = lines.join(newline(port, file));
    port.changes.insert(file, at, Side::After, text, Reason::Finding(trouble.code));
}

fn newline(port: &Port<'_>, file: FileId) -> &'static str {
    if port.unit.sources.file(file).text.contains("\r\n") { "\r\n" } else { "\n" }
}

pub(crate) fn error_line(trouble: &Trouble) -> String {
    let message = trouble.message.replace(['"', '\\'], "'").replace(['\n', '\r'], " ");
    format!("#error \"port: {}: {message}\"", trouble.code)
}

fn lines_open(trouble: &Trouble, newline: &str) -> String {
    if trouble.matters {
        format!("{newline}#ifndef PORT_ALLOW_MANUAL{newline}{}{newline}", error_line(trouble))
    } else {
        format!("{newline}#if 0 // {}: not reached{newline}", trouble.code)
    }
}

fn lines_close(trouble: &Trouble, newline: &str) -> String {
    let message = literal(&format!("{}: {}", trouble.code, trouble.message));
    format!("{newline}#else{newline}    port_cpu::untranslated({message});{newline}#endif{newline}")
}

/// The braces of a function's body, in one file and no macro.
fn body_span(port: &Port<'_>, function: FunctionId) -> Option<Span> {
    let Body::Block(body) = port.unit.module.functions[function].body else { return None };
    let tokens = port.unit.module.stmts[body].tokens;
    let first = port.unit.parsed.tokens().get(tokens.range().start)?;
    let span = port.source_span(tokens)?;
    let text = port.unit.sources.text(span);
    let is_block = text.starts_with('{') && text.ends_with('}');
    (first.origin.expansion.is_none() && is_block).then_some(span)
}

/// The start of the line of the declaration, or of the directive, that holds a span.
fn declaration_start(port: &Port<'_>, span: Span) -> (FileId, u32) {
    let Some(file) = port.file(span.file) else { return (span.file, 0) };
    let line_start = |byte: u32| {
        let before = file.text.get(..byte as usize).unwrap_or("");
        before.rfind('\n').map_or(0, |newline| newline as u32 + 1)
    };
    let index = file.tokens.partition_point(|token| token.end <= span.start);
    if let Some(directive) = file.directive_of(index) {
        return (span.file, directive.line.start);
    }
    let around = port.program.tokens_of(span).first().and_then(|token| {
        let function = port.program.function_at(*token);
        let tokens = function.map(|id| port.unit.module.functions[id].tokens.range());
        tokens.or_else(|| port.unit.parsed.declaration_around(*token))
    });
    let first = around.and_then(|tokens| port.unit.parsed.tokens().get(tokens.start));
    let origin = first.map(|first| port.unit.module.expansions.outermost(first.origin));
    let at = origin.filter(|origin| origin.file == span.file).unwrap_or(span);
    (span.file, line_start(at.start))
}

/// Where the declaration of a variable at namespace scope ends that holds a span: the end of its line.
fn variable_end(port: &Port<'_>, span: Span) -> Option<(FileId, u32)> {
    let token = *port.program.tokens_of(span).first()?;
    if port.program.function_at(token).is_some() {
        return None;
    }
    let tokens = port.unit.parsed.declaration_around(token)?;
    let (first, last) = (tokens.start, tokens.end.checked_sub(1)?);
    let all = port.unit.parsed.tokens();
    let (first, last) = (all.get(first)?, all.get(last)?);
    if first.origin.expansion.is_some() || last.origin.expansion.is_some() {
        return None;
    }
    let file = port.file(span.file)?;
    let end = last.origin.span.end;
    // Nothing else may stand on its last line.
    let rest = file.text.get(end as usize..)?.lines().next().unwrap_or("").trim();
    let semicolon = u32::from(rest == ";");
    let is_alone = rest.is_empty() || rest == ";" || rest.starts_with("//");
    let is_whole = last.text.as_str() == ";" || semicolon == 1;
    (is_alone && is_whole && !rest.starts_with("//")).then_some((span.file, end + semicolon))
}

/// The kernels that a trouble keeps from running: those that reach it.
pub(crate) fn troubled(port: &Port<'_>, troubles: &[Trouble]) -> BTreeSet<FunctionId> {
    let matters = troubles.iter().filter(|trouble| trouble.matters);
    matters.flat_map(|t| port.program.kernels_at(&port.program.tokens_of(t.span))).collect()
}

/// The code of names without a form.
pub(crate) fn name_code() -> &'static str {
    UnsupportedName::METADATA.code
}
