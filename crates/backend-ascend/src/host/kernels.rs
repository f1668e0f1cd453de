//! A kernel becomes the declaration of its launcher, where the kernel was: its own template head and
//! parameters behind the configuration of the launch. Its instances are declared where all that their
//! arguments name is known, and defined in the section at the end of the file.

use std::collections::{BTreeMap, BTreeSet};

use port_diag::{Origin, Span};
use port_hir::{Body, Entity, Function, FunctionId, Meaning, Parent};
use port_rewrite::launches::matching as matching_raw;
use port_rewrite::{Reason, Side};
use port_syntax::{Token, TokenKind};

use super::text;
use crate::findings::UnreadableText;
use crate::port::Port;
use crate::section::Section;

pub(crate) const REASON: Reason = Reason::Row("__global__");

/// What stands before a kernel's own name in its launcher's.
pub(crate) const PREFIX: &str = "launch_";

/// What a launcher is given before the kernel's parameters.
pub(crate) const FRAME: [(&str, &str); 4] =
    [("dim3", "grid"), ("dim3", "block"), ("size_t", "shared"), ("aclrtStream", "stream")];

/// A kernel of the unit.
pub(crate) struct Kernel {
    pub id: FunctionId,
    /// Its instances in view: their indices, in the order of their arguments.
    pub instances: Vec<usize>,
    /// Its parameters, macros expanded.
    pub parameters: Vec<KernelParameter>,
}

/// A parameter of a kernel in the user's words.
pub(crate) struct KernelParameter {
    /// What stands before the name and after it.
    pub before: String,
    pub after: String,
    /// The user's name; empty without one.
    pub name: String,
}

/// The kernels of a unit, in order.
pub(crate) fn find(port: &mut Port<'_>) -> Vec<Kernel> {
    let module = port.unit.module;
    let mut instances: BTreeMap<FunctionId, Vec<usize>> = BTreeMap::new();
    for (index, instance) in port.unit.instances.iter().enumerate() {
        instances.entry(instance.kernel).or_default().push(index);
    }
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    for (id, kernel) in module.kernels() {
        let mut own = instances.remove(&id).unwrap_or_default();
        own.sort_by_key(|index| &port.unit.instances[*index].arguments);
        match parameters(port, kernel) {
            Ok(parameters) => found.push(Kernel { id, instances: own, parameters }),
            Err(reason) => unreadable.push((id, reason)),
        }
    }
    for (id, reason) in unreadable {
        let name = module.function_name(id);
        let what = format!("the definition of kernel `{name}`");
        let finding = UnreadableText { what, reason };
        let origin = module.functions[id].origin;
        let place = module.expansions.outermost(origin);
        use port_diag::Finding;
        let code = UnreadableText::METADATA.code;
        port.stops.push((place, code, finding.message()));
        port.findings.push(finding.at(origin, &module.expansions).in_kernel(name));
        found.push(Kernel { id, instances: Vec::new(), parameters: Vec::new() });
    }
    found.sort_by_key(|kernel| kernel.id);
    found
}

/// The parameters of a kernel, from its tokens.
fn parameters(port: &Port<'_>, kernel: &Function) -> Result<Vec<KernelParameter>, String> {
    if !matches!(kernel.parent, Parent::Namespace(_)) {
        return Err("it is a member of a class".to_owned());
    }
    let tokens = port.tokens();
    let name =
        kernel.tokens.range().find(|at| tokens.get(*at).is_some_and(|t| t.origin == kernel.origin));
    let name = name.ok_or("its name is not in view")?;
    let open = parameter_list(tokens, name).ok_or("its parameters are not in view")?;
    let close = text::matching(tokens, open).ok_or("its parameters have no end")?;
    let inside = tokens.get(open + 1..close).unwrap_or(&[]);
    let mut found = Vec::new();
    for range in text::split(inside) {
        let part = &inside[range];
        if let [only] = part
            && only.text == "void"
        {
            continue;
        }
        found.push(parameter(port, kernel, found.len(), part)?);
    }
    Ok(found)
}

/// The `(` of the parameters after a function's name: template arguments may stand between.
fn parameter_list(tokens: &[Token], name: usize) -> Option<usize> {
    let mut at = name + 1;
    let mut angles = 0_i32;
    loop {
        match tokens.get(at)?.kind {
            TokenKind::Less => angles += 1,
            TokenKind::Greater => angles -= 1,
            TokenKind::LeftParen if angles == 0 => return Some(at),
            TokenKind::LeftParen => at = text::matching(tokens, at)?,
            TokenKind::Semicolon | TokenKind::LeftBrace => return None,
            _ => {}
        }
        at += 1;
    }
}

fn parameter(
    port: &Port<'_>,
    kernel: &Function,
    index: usize,
    part: &[Token],
) -> Result<KernelParameter, String> {
    let mut kept: Vec<Token> = Vec::new();
    let mut depth = 0_i32;
    for token in part {
        match token.kind {
            TokenKind::Equal if depth == 0 => break,
            TokenKind::Ellipsis => return Err("it has a parameter pack".to_owned()),
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth -= 1,
            _ => {}
        }
        if token.text != "__grid_constant__" {
            kept.push(*token);
        }
    }
    let module = port.unit.module;
    let local = kernel.parameters.get(index).map(|local| &module.locals[*local]);
    let name = local.map_or("", |local| local.name.as_str());
    let place = match name {
        "" => None,
        name => kept.iter().rposition(|token| token.text == name),
    };
    let words = |tokens: &[Token]| types_spelled(port, tokens);
    match place {
        Some(at) => Ok(KernelParameter {
            before: words(&kept[..at]),
            after: words(&kept[at + 1..]),
            name: name.to_owned(),
        }),
        None if kept.iter().any(|t| t.kind.is_open()) => {
            Err(format!("its parameter {} has no name", index + 1))
        }
        None => {
            Ok(KernelParameter { before: words(&kept), after: String::new(), name: String::new() })
        }
    }
}

/// Tokens as the port spells them: names of CUDA's types in Ascend's.
fn types_spelled(port: &Port<'_>, tokens: &[Token]) -> String {
    let mut out = String::new();
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 && token.spaced {
            out.push(' ');
        }
        let is_user =
            matches!(port.unit.module.meanings.get(token.origin.span), Some(Meaning::User(_)));
        let renamed = (!is_user).then(|| super::api::type_name(token.text.as_str())).flatten();
        out.push_str(renamed.unwrap_or(token.text.as_str()));
    }
    out
}

/// Edits the declarations of the kernels, and declares the instances.
pub(crate) fn declare(port: &mut Port<'_>, kernels: &[Kernel], section: &Section) {
    for kernel in kernels {
        let function = &port.unit.module.functions[kernel.id];
        let first = function.declarations.first().copied().unwrap_or(function.origin);
        for origin in declared(function) {
            if let Err(reason) = declaration(port, kernel, origin, origin == first, section) {
                let name = port.unit.module.function_name(kernel.id);
                let what = format!("the definition of kernel `{name}`");
                let finding = UnreadableText { what, reason };
                use port_diag::Finding;
                let place = port.unit.module.expansions.outermost(origin);
                port.stops.push((place, UnreadableText::METADATA.code, finding.message()));
                port.report_at(&finding, origin.span);
            }
        }
        instances(port, kernel, section);
    }
    explicit_instantiations(port);
    rename(port, kernels);
}

fn declared(function: &Function) -> Vec<Origin> {
    let mut all = function.declarations.clone();
    if !all.contains(&function.origin) {
        all.push(function.origin);
    }
    all
}

/// One declaration: the frame's parameters, and no body.
fn declaration(
    port: &mut Port<'_>,
    kernel: &Kernel,
    origin: Origin,
    is_first: bool,
    section: &Section,
) -> Result<(), String> {
    let function = &port.unit.module.functions[kernel.id];
    let (file, name) = port.raw_at(origin.span).ok_or("its name is not in view")?;
    let file = &port.files[file];
    let mut open = name + 1;
    // A name that is pasted together, or a specialisation's arguments.
    let mut angles = 0_i32;
    loop {
        match file.tokens.get(open).map(|token| token.kind).ok_or("it has no parameters")? {
            TokenKind::Less => angles += 1,
            TokenKind::Greater => angles -= 1,
            TokenKind::LeftParen if angles == 0 => break,
            TokenKind::Semicolon | TokenKind::LeftBrace => {
                return Err("it has no parameters".into());
            }
            _ => {}
        }
        open += 1;
    }
    let close = matching_raw(file, open).ok_or("its parameters have no end")?;
    let named: BTreeSet<&str> = kernel.parameters.iter().map(|p| p.name.as_str()).collect();
    let mut frame: Vec<String> = FRAME
        .iter()
        .map(|(ty, name)| match named.contains(name) {
            true => (*ty).to_owned(),
            false => format!("{ty} {name}"),
        })
        .collect();
    let is_void = close == open + 2 && file.bytes(&file.tokens[open + 1]) == "void";
    let has_more = close > open + 1 && !is_void;
    if has_more {
        frame.push(String::new());
    }
    let at = file.tokens[open].end;
    let id = file.id;
    let void = is_void.then(|| file.span(&file.tokens[open + 1]));
    let text = frame.join(", ");
    let text = text.trim_end_matches(|c| c == ' ' && !has_more).to_owned();
    port.changes.insert(id, at, Side::Before, text, REASON);
    if let Some(void) = void {
        port.changes.replace(void, "", REASON);
    }
    let is_template = function.template_parameters.is_some() && function.specialisation.is_none();
    let is_general = section.general.contains(&kernel.id);
    let is_definition = origin == function.origin;
    let deleted = if is_template && is_first && !is_general { " PORT_INSTANCES_ONLY" } else { "" };
    match function.body {
        Body::Block(body) if is_definition => {
            let range = port.unit.module.stmts[body].tokens;
            let span = port.source_span(range).ok_or("its body is in several places")?;
            let file = port.file(span.file).ok_or("its body is not in view")?;
            let brace = file.tokens.partition_point(|token| token.start < span.start);
            let before = brace.checked_sub(1).map(|before| file.tokens[before].end);
            let from = before.filter(|from| *from <= span.start).unwrap_or(span.start);
            let whole = Span::new(span.file, from, span.end);
            port.changes.remove_inside(whole);
            let text = match is_general && is_template {
                true => {
                    let name = port.unit.module.function_name(kernel.id);
                    format!(" {{ port_acl::Untranslated({}); }}", crate::section::literal(&name))
                }
                false => format!("{deleted};"),
            };
            port.changes.replace(whole, text, REASON);
            // What is inside is no one's to edit.
            port.removed.push(span);
        }
        _ if !deleted.is_empty() => {
            let file = port.file(id).ok_or("it is not in view")?;
            let at = file.tokens[close].end;
            port.changes.insert(id, at, Side::Before, deleted, REASON);
        }
        _ => {}
    }
    Ok(())
}

/// Declares the instances of a template, each where all that its arguments name is known.
fn instances(port: &mut Port<'_>, kernel: &Kernel, section: &Section) {
    let function = &port.unit.module.functions[kernel.id];
    if function.template_parameters.is_none() || function.specialisation.is_some() {
        return;
    }
    let mut at_places: BTreeMap<(Span, Vec<String>), Vec<String>> = BTreeMap::new();
    for index in &kernel.instances {
        let Some(launcher) = section.launchers.get(index) else { continue };
        let Some((place, path)) = place_of(port, kernel.id, &launcher.records) else { continue };
        let known = at_places.entry((place, path)).or_default();
        known.extend(launcher.declarations.iter().cloned());
    }
    for ((place, path), mut declarations) in at_places {
        declarations.sort();
        declarations.dedup();
        let Some(file) = port.file(place.file) else { continue };
        let newline = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
        // After the line, so that comments keep to what they are about.
        let rest = file.text.get(place.end as usize..).unwrap_or("");
        let line = rest.find('\n').unwrap_or(rest.len());
        let comment = rest[..line].trim_start();
        let on = if comment.is_empty() || comment.starts_with("//") { line as u32 } else { 0 };
        let mut text = String::new();
        for name in &path {
            text.push_str(newline);
            text.push_str("namespace ");
            text.push_str(name);
            text.push_str(if name.is_empty() { "{" } else { " {" });
        }
        for declaration in declarations {
            text.push_str(newline);
            text.push_str(&declaration);
            text.push(';');
        }
        for _ in &path {
            text.push_str(newline);
            text.push('}');
        }
        let end = place.end + on;
        port.changes.insert(place.file, end, Side::Before, text, REASON);
    }
}

/// Where an instance can be declared: the end of what comes last of the kernel's declaration and
/// the records that its arguments name; and the namespaces to reopen there.
fn place_of(
    port: &Port<'_>,
    kernel: FunctionId,
    records: &[port_hir::RecordId],
) -> Option<(Span, Vec<String>)> {
    let module = port.unit.module;
    let function = &module.functions[kernel];
    let first = function.declarations.first().copied().unwrap_or(function.origin);
    let own_range = if first == function.origin {
        function.tokens
    } else {
        super::device::statement_around(port, first)?
    };
    let own = outermost_span(port, own_range)?;
    let own_path = port.namespaces(kernel)?;
    let mut last = (own_range.start, own, Vec::new());
    for record in records {
        let record = &module.records[*record];
        let Parent::Namespace(mut namespace) = record.parent else { continue };
        if record.tokens.start <= last.0 {
            continue;
        }
        let mut path = Vec::new();
        while let Some(parent) = module.namespaces[namespace].parent {
            path.push(module.namespaces[namespace].name.as_str());
            namespace = parent;
        }
        path.reverse();
        // Only from around the kernel can it be declared; else its own place has to do.
        let rest = own_path.strip_prefix(&path[..])?;
        let span = outermost_span(port, record.tokens)?;
        let span = with_semicolon(port, span);
        let rest = rest.iter().map(|name| (*name).to_owned()).collect();
        last = (record.tokens.start, span, rest);
    }
    Some((last.1, last.2))
}

/// The bytes of tokens, with the whole uses of macros that they come from.
fn outermost_span(port: &Port<'_>, range: port_hir::TokenRange) -> Option<Span> {
    let tokens = port.tokens().get(range.range())?;
    let expansions = &port.unit.module.expansions;
    let (first, last) = (tokens.first()?, tokens.last()?);
    let (from, to) = (expansions.outermost(first.origin), expansions.outermost(last.origin));
    (from.file == to.file && from.start < to.end).then(|| with_semicolon(port, from.to(to)))
}

/// A span with the `;` that follows it.
fn with_semicolon(port: &Port<'_>, span: Span) -> Span {
    let Some(file) = port.file(span.file) else { return span };
    let next = file.tokens.partition_point(|token| token.start < span.end);
    match file.tokens.get(next) {
        Some(token) if token.kind == TokenKind::Semicolon => span.to(file.span(token)),
        _ => span,
    }
}

/// `template __global__ void k<float>(float*);` leaves: the instance is defined at the end.
fn explicit_instantiations(port: &mut Port<'_>) {
    let module = port.unit.module;
    for item in &module.instantiations {
        let is_kernel = item.name.last().is_some_and(|last| {
            module.functions_named(last.name).iter().any(|id| module.functions[*id].is_kernel())
        });
        if is_kernel
            && item.parameters.is_some()
            && let Some(span) = port.source_span(item.tokens)
        {
            port.removed.push(span);
            port.gone.push(span);
        }
    }
}

/// Gives every use of a kernel's name its launcher's.
fn rename(port: &mut Port<'_>, kernels: &[Kernel]) {
    let module = port.unit.module;
    let names: BTreeSet<&str> =
        kernels.iter().map(|kernel| module.functions[kernel.id].name.as_str()).collect();
    let declarations: BTreeSet<Span> = kernels
        .iter()
        .flat_map(|kernel| declared(&module.functions[kernel.id]))
        .map(|origin| origin.span)
        .collect();
    let mut edits = Vec::new();
    for file in &port.files {
        let callees: BTreeSet<usize> = port_rewrite::launches::launches(file)
            .iter()
            .filter_map(|launch| last_name(file, launch))
            .collect();
        for (at, token) in file.tokens.iter().enumerate() {
            let span = file.span(token);
            if token.kind != TokenKind::Identifier || port.is_removed(span) {
                continue;
            }
            let is_kernel = match module.meanings.get(span) {
                Some(Meaning::User(Entity::Function(id))) => {
                    let named = &module.functions[*id];
                    named.is_kernel()
                        || names.contains(file.bytes(token))
                            && module
                                .functions_named(named.name)
                                .iter()
                                .any(|other| module.functions[*other].is_kernel())
                            && callees.contains(&at)
                }
                Some(Meaning::User(_) | Meaning::Macro(_)) => false,
                _ => names.contains(file.bytes(token)) && callees.contains(&at),
            };
            let pasted = file.tokens.get(at + 1).is_some_and(|t| t.kind == TokenKind::HashHash)
                && at.checked_sub(1).is_none_or(|b| file.tokens[b].kind != TokenKind::HashHash);
            let first_of_pasted = pasted
                && (callees.contains(&last_pasted(file, at)) || declarations.contains(&span));
            if first_of_pasted {
                edits.push((span, format!("{PREFIX}##")));
            } else if is_kernel || declarations.contains(&span) {
                edits.push((span, PREFIX.to_owned()));
            }
        }
    }
    for (span, text) in edits {
        port.changes.insert(span.file, span.start, Side::After, text, REASON);
    }
}

/// The last of the tokens that are pasted together from here on.
fn last_pasted(file: &port_rewrite::FileText<'_>, mut at: usize) -> usize {
    while file.tokens.get(at + 1).is_some_and(|t| t.kind == TokenKind::HashHash)
        && file.tokens.get(at + 2).is_some()
    {
        at += 2;
    }
    at
}

/// The identifier that names what is launched: the last before its template arguments.
fn last_name(
    file: &port_rewrite::FileText<'_>,
    launch: &port_rewrite::launches::Launch,
) -> Option<usize> {
    let start = file.tokens.partition_point(|token| token.start < launch.callee);
    let mut at = start;
    let mut last = None;
    loop {
        let token = file.tokens.get(at).filter(|token| token.start < launch.brackets.end)?;
        match token.kind {
            TokenKind::Identifier => last = Some(at),
            TokenKind::ColonColon | TokenKind::HashHash => {}
            TokenKind::Dot | TokenKind::Arrow | TokenKind::LeftBracket | TokenKind::LeftParen => {
                return None;
            }
            TokenKind::Less => {
                // Arguments of a qualifier, if a `::` follows.
                let mut depth = 0_i32;
                loop {
                    let kind = file.tokens.get(at)?.kind;
                    match kind {
                        TokenKind::Less => depth += 1,
                        TokenKind::Greater => depth -= 1,
                        TokenKind::LaunchOpen => return last,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                    at += 1;
                }
            }
            TokenKind::LaunchOpen => return last,
            _ => return last,
        }
        at += 1;
    }
}
