//! Kernels: the first statement of each, which runs the grid when the host calls, and what becomes
//! of each instance.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::{FloatMode, KernelInstance, KernelReport, Status};
use port_diag::{Diagnostic, ExpansionKind, Finding, Span};
use port_hir::{Body, Function, FunctionId, LocalId};
use port_rewrite::launches::matching;
use port_rewrite::{FileText, Reason, Side};
use port_syntax::TokenKind;

use crate::findings::{NotFused, RunsOnFibers, UnreadableKernel};
use crate::guard::{self, Trouble};
use crate::lists;
use crate::port::Port;
use crate::section::{Refusal, Section};

const REASON: Reason = Reason::Row("__global__");

/// A kernel that is defined in view.
pub(crate) struct Kernel {
    pub id: FunctionId,
    /// Its instances in view: their indices.
    pub instances: Vec<usize>,
    /// Whether each instance in view is compiled, and there is one.
    pub all_compiled: bool,
    /// Between the braces of a body that is taken out, as its one instance is compiled.
    pub removed: Option<Span>,
}

/// The kernels of a unit, in order.
pub(crate) fn find(port: &Port<'_>, section: &Section) -> Vec<Kernel> {
    let module = port.unit.module;
    let defined = module.kernels().filter(|(_, k)| matches!(k.body, Body::Block(_)));
    let mut instances: BTreeMap<FunctionId, Vec<usize>> = BTreeMap::new();
    for (index, instance) in port.unit.instances.iter().enumerate() {
        instances.entry(instance.kernel).or_default().push(index);
    }
    defined
        .map(|(id, kernel)| {
            let mut own = instances.remove(&id).unwrap_or_default();
            own.sort_by_key(|index| &port.unit.instances[*index].arguments);
            let all_compiled = !own.is_empty() && own.iter().all(|i| section.is_compiled(*i));
            let is_plain = kernel.template_parameters.is_none()
                && kernel.specialisation.is_none()
                && !section.listed.contains(&id);
            let removed = (all_compiled && is_plain && own.len() == 1)
                .then(|| removable_body(port, kernel))
                .flatten();
            Kernel { id, instances: own, all_compiled, removed }
        })
        .collect()
}

/// Between the braces of a body that may go: in the root, in no macro, with whole conditionals.
fn removable_body(port: &Port<'_>, kernel: &Function) -> Option<Span> {
    let Body::Block(body) = kernel.body else { return None };
    let tokens = port.unit.module.stmts[body].tokens;
    let first = port.unit.parsed.tokens().get(tokens.range().start)?;
    let span = port.source_span(tokens)?;
    let text = port.unit.sources.text(span);
    let is_block = text.starts_with('{') && text.ends_with('}');
    if first.origin.expansion.is_some() || span.file != port.unit.root || !is_block {
        return None;
    }
    let inside = Span::new(span.file, span.start + 1, span.end - 1);
    let file = port.file(span.file)?;
    let within = |line: &std::ops::Range<u32>| inside.start <= line.start && line.end <= inside.end;
    let mut depth = 0_i32;
    for directive in file.directives.iter().filter(|directive| within(&directive.line)) {
        match directive.keyword.as_str() {
            "if" | "ifdef" | "ifndef" => depth += 1,
            "endif" => depth -= 1,
            // What is defined here may be used below.
            "define" | "undef" | "include" => return None,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    (depth == 0).then_some(inside)
}

/// Puts the first statement into each kernel.
pub(crate) fn enter_all(
    port: &mut Port<'_>,
    kernels: &[Kernel],
    section: &Section,
    guards: &BTreeMap<FunctionId, String>,
) {
    for kernel in kernels {
        let function = &port.unit.module.functions[kernel.id];
        let guard = guards.get(&kernel.id).map_or("", String::as_str);
        let list = section.listed.contains(&kernel.id).then(|| {
            let (id, list) = (lists::id(port, kernel.id), lists::parameters(port, kernel.id));
            format!("PORT_CPU_NAMED_KERNEL({id}, ({list}), ")
        });
        let entered = enter(port, function, kernel.removed, list, guard);
        if let Err(reason) = entered {
            let name = port.unit.module.function_name(kernel.id);
            let finding = UnreadableKernel { kernel: name.clone(), reason };
            let origin = function.origin;
            let found = finding.at(origin, &port.unit.module.expansions).in_kernel(name);
            port.findings.push(found);
            // Called by the host, its text must not run as if it were host code.
            let (code, message) = (UnreadableKernel::METADATA.code, finding.message());
            if let Some(open) = body_open(port, function) {
                let span = port.unit.parsed.tokens()[open].origin.span;
                let text = crate::device::literal(&format!("{code}: {message}"));
                let text = format!(" port_cpu::untranslated({text});");
                let reason = Reason::Finding(code);
                port.changes.insert(span.file, span.end, Side::Before, text, reason);
            }
            let span = port.unit.module.expansions.outermost(origin);
            let trouble = Trouble { span, code, message, matters: true, replaced: true };
            guard::stop(port, &trouble);
        }
    }
}

/// Definitions of kernels that the front end did not see as such: called by the host, their text would
/// run as if it were host code.
pub(crate) fn report_unseen(port: &mut Port<'_>) {
    let module = port.unit.module;
    let seen: BTreeSet<Span> = module
        .kernels()
        .filter_map(|(_, kernel)| body_open(port, kernel))
        .map(|open| port.unit.parsed.tokens()[open].origin.span)
        .collect();
    let mut unseen = Vec::new();
    for file in &port.files {
        for (at, token) in file.tokens.iter().enumerate() {
            let is_definition = token.kind == TokenKind::Identifier
                && file.bytes(token) == "__global__"
                && file.directive_of(at).is_none()
                && !port.inactive.iter().any(|body| body.contains(file.span(token)));
            if !is_definition {
                continue;
            }
            let Some(open) = raw_body(file, at) else { continue };
            let brace = file.span(&file.tokens[open]);
            if !seen.contains(&brace) {
                unseen.push((file.span(token), brace));
            }
        }
    }
    for (span, brace) in unseen {
        let reason = "it could not be parsed".to_owned();
        let finding = UnreadableKernel { kernel: "__global__".to_owned(), reason };
        let (code, message) = (UnreadableKernel::METADATA.code, finding.message());
        port.report_at(&finding, span);
        let text = crate::device::literal(&format!("{code}: {message}"));
        let text = format!(" port_cpu::untranslated({text});");
        port.changes.insert(brace.file, brace.end, Side::Before, text, Reason::Finding(code));
        guard::stop(port, &Trouble { span, code, message, matters: true, replaced: true });
    }
}

/// The `{` of the definition that a specifier begins; `None` for a declaration.
fn raw_body(file: &FileText<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match file.tokens.get(at)?.kind {
            TokenKind::LeftBrace => return Some(at),
            TokenKind::Semicolon | TokenKind::RightBrace | TokenKind::LaunchOpen => return None,
            TokenKind::LeftParen | TokenKind::LeftBracket => at = matching(file, at)? + 1,
            _ => at += 1,
        }
    }
}

/// Puts the first statement into a kernel, or says why it cannot.
fn enter(
    port: &mut Port<'_>,
    kernel: &Function,
    removed: Option<Span>,
    list: Option<String>,
    guard: &str,
) -> Result<(), String> {
    let open = body_open(port, kernel).ok_or("its body is not in view")?;
    let origin = port.unit.parsed.tokens()[open].origin;
    let in_macro = origin
        .expansion
        .is_some_and(|id| port.unit.module.expansions.get(id).kind != ExpansionKind::Argument);
    let (arguments, own) =
        if in_macro { head_in_macro(port, origin.span)? } else { head(port, kernel)? };
    let file_text = &port.unit.sources.file(origin.span.file).text;
    let separator = separator(file_text, origin.span.end);
    let plain = if removed.is_some() { "PORT_CPU_COMPILED(" } else { "PORT_CPU_KERNEL(" };
    let opening = list.unwrap_or_else(|| plain.to_owned());
    let call = format!("{separator}{opening}({}), {own});{guard}", arguments.join(", "));
    match removed {
        Some(inside) => {
            port.changes.remove_inside(inside);
            let close = if port.unit.sources.text(inside).contains('\n') { "\n" } else { " " };
            port.changes.replace(inside, format!("{call}{close}"), REASON);
        }
        None => {
            let span = origin.span;
            port.changes.insert(span.file, span.end, Side::Before, call, REASON);
        }
    }
    Ok(())
}

/// The names of a kernel's parameters, and the kernel with its own template arguments. What has no
/// name gets one.
fn head(port: &mut Port<'_>, kernel: &Function) -> Result<(Vec<String>, String), String> {
    let module = port.unit.module;
    let mut arguments = Vec::new();
    for (index, local) in kernel.parameters.iter().enumerate() {
        let name = module.locals[*local].name.as_str();
        let mut argument =
            if name.is_empty() { name_parameter(port, *local, index)? } else { name.to_owned() };
        if is_pack(port, *local) {
            argument.push_str("...");
        }
        arguments.push(argument);
    }
    let mut own = kernel.name.as_str().to_owned();
    // A parameter may hide the kernel.
    if arguments.iter().any(|argument| argument.trim_end_matches('.') == own) {
        own = format!("::{}", module.qualified_name(kernel.parent, &own));
    }
    if let Some(list) = &kernel.template_parameters {
        let mut names = Vec::new();
        for (index, parameter) in list.parameters.iter().enumerate() {
            let mut name = parameter.name.as_str().to_owned();
            if name.is_empty() {
                name = format!("PortArgument{index}");
                let span = parameter.origin.span;
                if parameter.origin.expansion.is_some() {
                    return Err("a template parameter in a macro has no name".to_owned());
                }
                let at = template_parameter_end(port, span).ok_or("a template parameter")?;
                port.changes.insert(span.file, at, Side::Before, format!(" {name}"), REASON);
            }
            let dots = if parameter.pack { "..." } else { "" };
            names.push(format!("{name}{dots}"));
        }
        own = format!("{own}<{}>", names.join(", "));
    }
    Ok((arguments, own))
}

/// Whether a parameter is a pack.
fn is_pack(port: &Port<'_>, local: LocalId) -> bool {
    let module = port.unit.module;
    matches!(module.types[module.locals[local].ty].kind, port_hir::TyKind::PackExpansion(_))
}

/// Gives an unnamed parameter a name, after its type.
fn name_parameter(port: &mut Port<'_>, local: LocalId, index: usize) -> Result<String, String> {
    let local = &port.unit.module.locals[local];
    let refuse = || format!("its parameter {} has no name", index + 1);
    let span = local.origin.span;
    if local.origin.expansion.is_some() {
        return Err(refuse());
    }
    let file = port.file(span.file).ok_or_else(refuse)?;
    // From the type on, up to what ends the parameter.
    let mut at = file.tokens.iter().position(|t| t.start >= span.start).ok_or_else(refuse)?;
    let mut angles = 0_i32;
    let mut last = at;
    while let Some(token) = file.tokens.get(at) {
        match token.kind {
            TokenKind::Comma | TokenKind::RightParen | TokenKind::Equal if angles <= 0 => break,
            TokenKind::Less => angles += 1,
            TokenKind::Greater => angles -= 1,
            TokenKind::LeftParen | TokenKind::LeftBracket => return Err(refuse()),
            _ => {}
        }
        last = at;
        at += 1;
    }
    let end = file.tokens.get(last).ok_or_else(refuse)?.end;
    let name = format!("port_argument_{index}");
    let text = format!(" {name}");
    port.changes.insert(span.file, end, Side::Before, text, REASON);
    Ok(name)
}

/// Where the name of an unnamed template parameter goes: before its default, a comma or the `>`.
fn template_parameter_end(port: &Port<'_>, span: Span) -> Option<u32> {
    let file = port.file(span.file)?;
    let mut at = file.tokens.iter().position(|t| t.start >= span.start)?;
    let (mut angles, mut end) = (0_i32, None);
    while let Some(token) = file.tokens.get(at) {
        match token.kind {
            TokenKind::LeftParen => {
                at = matching(file, at)?;
                end = Some(file.tokens.get(at)?.end);
                at += 1;
                continue;
            }
            TokenKind::Comma | TokenKind::Equal if angles == 0 => break,
            TokenKind::Less => angles += 1,
            TokenKind::Greater if angles == 0 => break,
            TokenKind::Greater => angles -= 1,
            _ => {}
        }
        end = Some(token.end);
        at += 1;
    }
    end
}

/// The same, where a macro's body holds the definition: by its tokens alone.
fn head_in_macro(port: &Port<'_>, brace: Span) -> Result<(Vec<String>, String), String> {
    let refuse = || "its head in the macro cannot be read".to_owned();
    let file = port.file(brace.file).ok_or_else(refuse)?;
    let tokens = &file.tokens;
    let open = tokens.iter().position(|t| t.start == brace.start).ok_or_else(refuse)?;
    let directive = file.directive_of(open).map(|d| d.tokens.clone());
    let limits = directive.ok_or_else(refuse)?;
    let word = |index: usize| file.bytes(&tokens[index]);
    let close = open.checked_sub(1).filter(|i| tokens[*i].kind == TokenKind::RightParen);
    let close = close.ok_or_else(refuse)?;
    let mut depth = 0_usize;
    let start = (limits.start..=close).rev().find(|index| {
        let kind = tokens[*index].kind;
        depth += usize::from(kind.is_close());
        depth -= usize::from(kind.is_open()).min(depth);
        depth == 0
    });
    let start = start.ok_or_else(refuse)?;
    let text = |from: usize, to: usize| {
        file.text.get(tokens[from].start as usize..tokens[to].end as usize).unwrap_or("").to_owned()
    };
    // The name, perhaps pasted together.
    let mut name = start.checked_sub(1).ok_or_else(refuse)?;
    while name >= 2 && tokens[name - 1].kind == TokenKind::HashHash {
        name -= 2;
    }
    let mut own = text(name, start - 1);
    let mut arguments = Vec::new();
    for (from, to) in parts(file, start + 1, close) {
        let end = (from..to)
            .find(|i| matches!(tokens[*i].kind, TokenKind::Equal | TokenKind::LeftBracket));
        let mut last = end.unwrap_or(to).checked_sub(1).ok_or_else(refuse)?;
        if tokens[last].kind != TokenKind::Identifier || last == from {
            return Err("a parameter in the macro has no name".to_owned());
        }
        let end = last;
        while last >= from + 2 && tokens[last - 1].kind == TokenKind::HashHash {
            last -= 2;
        }
        arguments.push(text(last, end));
    }
    // Its own template parameters.
    let global = (limits.start..name).rev().find(|index| word(*index) == "__global__");
    let template = global
        .and_then(|global| (limits.start..global).rev().find(|index| word(*index) == "template"));
    if let Some(template) = template {
        let less = template + 1;
        let mut depth = 0_i32;
        let greater = (less..name).find(|index| {
            match tokens[*index].kind {
                TokenKind::Less => depth += 1,
                TokenKind::Greater => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let greater = greater.ok_or_else(refuse)?;
        let mut names = Vec::new();
        for (from, to) in parts(file, less + 1, greater) {
            let end = (from..to).find(|i| tokens[*i].kind == TokenKind::Equal).unwrap_or(to);
            let last = end.checked_sub(1).filter(|last| *last > from).ok_or_else(refuse)?;
            let dots = (from..end).any(|i| word(i) == "...");
            names.push(format!("{}{}", word(last), if dots { "..." } else { "" }));
        }
        own = format!("{own}<{}>", names.join(", "));
    }
    Ok((arguments, own))
}

/// The token ranges between commas outside brackets and template arguments.
fn parts(file: &FileText<'_>, from: usize, to: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut depth, mut angles, mut start) = (0_i32, 0_i32, from);
    for index in from..to {
        match file.tokens[index].kind {
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth -= 1,
            TokenKind::Less => angles += 1,
            TokenKind::Greater => angles -= 1,
            TokenKind::Comma if depth == 0 && angles <= 0 => {
                found.push((start, index));
                start = index + 1;
            }
            _ => {}
        }
    }
    if start < to {
        found.push((start, to));
    }
    found
}

/// What goes between the `{` of a body and its first statement: a line of its own where the body's
/// text begins on the next line.
fn separator(text: &str, at: u32) -> String {
    let rest = text.get(at as usize..).unwrap_or("");
    let Some((line, below)) = rest.split_once('\n') else { return " ".to_owned() };
    if !line.trim().is_empty() || line.ends_with('\\') {
        return " ".to_owned();
    }
    let next = below.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let indent: String = next.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let is_end = next.trim_start().starts_with('}');
    let indent = if is_end || indent.is_empty() { format!("{indent}    ") } else { indent };
    let newline = if line.ends_with('\r') { "\r\n" } else { "\n" };
    format!("{newline}{indent}")
}

/// The token of the `{` of a function's body.
pub(crate) fn body_open(port: &Port<'_>, function: &Function) -> Option<usize> {
    let Body::Block(body) = function.body else { return None };
    let range = port.unit.module.stmts[body].tokens.range();
    let tokens = port.unit.parsed.tokens();
    range
        .into_iter()
        .find(|index| tokens.get(*index).is_some_and(|token| token.kind == TokenKind::LeftBrace))
}

/// One report an instance; a kernel without an instance in view has one too.
pub(crate) fn reports(
    port: &mut Port<'_>,
    kernels: &[Kernel],
    section: &Section,
    troubled: &BTreeSet<FunctionId>,
) -> Vec<KernelReport> {
    let mut reports = Vec::new();
    let unreadable: BTreeSet<String> = port
        .findings
        .iter()
        .filter(|finding| finding.code == UnreadableKernel::METADATA.code)
        .filter_map(|finding| finding.kernel.clone())
        .collect();
    for kernel in kernels {
        let name = port.unit.module.function_name(kernel.id);
        let manual = troubled.contains(&kernel.id) || unreadable.contains(&name);
        let none: [Option<usize>; 1] = [None];
        let own: Vec<Option<usize>> = if kernel.instances.is_empty() {
            none.to_vec()
        } else {
            kernel.instances.iter().map(|index| Some(*index)).collect()
        };
        for index in own {
            let compiled = index.is_some_and(|index| section.is_compiled(index));
            let status = match (compiled, manual) {
                _ if unreadable.contains(&name) => Status::Manual,
                (true, _) => Status::Ported,
                (false, true) => Status::Manual,
                (false, false) => Status::PortedSlow,
            };
            let instance = index.and_then(|index| port.unit.instances.get(index));
            let arguments = instance.map_or("", |instance| &instance.arguments).to_owned();
            if status == Status::PortedSlow {
                let refusal = match index {
                    Some(index) => section.refused.get(index).cloned().flatten(),
                    None => Some(Refusal::of("no instance of it is in view")),
                };
                report_slow(port, kernel.id, instance, refusal);
            }
            reports.push((kernel.id, name.clone(), arguments, status));
        }
    }
    let codes = codes_by_kernel(port, kernels);
    let report = |(id, name, instance, status): (FunctionId, String, String, Status)| {
        let span = port.unit.module.expansions.outermost(port.unit.module.functions[id].origin);
        let full = format!("{name}{instance}");
        let own = codes.get(&full).into_iter().chain(codes.get(&name)).flatten();
        let codes: BTreeSet<&'static str> = own.copied().collect();
        KernelReport {
            name,
            instance,
            file: span.file,
            line: port.unit.sources.file(span.file).line_column(span.start).line,
            status,
            lowering: match status {
                Status::Ported => "loops",
                Status::Manual => "none",
                _ => "fibers",
            },
            codes: codes.into_iter().collect(),
        }
    };
    reports.into_iter().map(report).collect()
}

/// The note on an instance that has no compiled form.
fn report_slow(
    port: &mut Port<'_>,
    kernel: FunctionId,
    instance: Option<&KernelInstance>,
    refusal: Option<Refusal>,
) {
    let module = port.unit.module;
    let arguments = instance.map_or("", |instance| &instance.arguments);
    let name = format!("{}{arguments}", module.function_name(kernel));
    let refusal = refusal.unwrap_or_else(|| Refusal::of("it has no compiled form"));
    let finding = RunsOnFibers { kernel: name.clone(), reason: refusal.reason };
    let mut found = finding.at(module.functions[kernel].origin, &module.expansions);
    let label = refusal.origin.map(|origin| module.expansions.outermost(origin));
    let place = found.primary.as_ref().map(|label| label.span);
    if let Some(span) = label.filter(|span| !span.is_empty() && Some(*span) != place) {
        found = found.with_label(span, "here");
    }
    port.findings.push(found.in_kernel(&name));
    if port.options.float == FloatMode::Cuda {
        let not_fused = NotFused { kernel: name.clone() };
        let found = not_fused.at(module.functions[kernel].origin, &module.expansions);
        port.findings.push(found.in_kernel(name));
    }
}

/// The codes of the findings that concern each kernel or instance, by name.
fn codes_by_kernel(
    port: &Port<'_>,
    kernels: &[Kernel],
) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut codes: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    let removed = |span: Span| kernels.iter().filter_map(|k| k.removed).any(|r| r.contains(span));
    for finding in &port.findings {
        let place = finding.primary.as_ref().map(|label| label.span);
        let is_gone = |d: &Diagnostic| d.kernel.is_none() && place.is_some_and(removed);
        if is_gone(finding) {
            continue;
        }
        if let Some(kernel) = &finding.kernel {
            codes.entry(kernel.clone()).or_default().insert(finding.code);
        }
        // A note on one instance is about no other.
        let of_instances = [RunsOnFibers::METADATA.code, NotFused::METADATA.code];
        let about_instance = of_instances.contains(&finding.code);
        let Some(span) = place.filter(|_| !about_instance) else { continue };
        for id in port.program.kernels_at(&port.program.tokens_of(span)) {
            let name = port.unit.module.function_name(id);
            codes.entry(name).or_default().insert(finding.code);
        }
    }
    codes
}
