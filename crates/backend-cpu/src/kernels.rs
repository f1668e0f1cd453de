//! Kernels: the first statement of each, which runs the grid when the host calls, and what becomes
//! of each instance.

use std::collections::BTreeMap;

use port_backend::{KernelInstance, KernelReport, Status};
use port_hir::{Body, Function, FunctionId, TemplateParameterKind};
use port_rewrite::{Reason, Side};
use port_syntax::TokenKind;

use crate::port::Port;

/// What the kernels of a unit became.
pub(crate) struct Kernels {
    /// The generated section of the root.
    pub section: String,
    pub reports: Vec<KernelReport>,
}

/// Edits the definitions and reports the instances.
pub(crate) fn apply(port: &mut Port<'_>) -> Kernels {
    let defined: Vec<(FunctionId, &Function)> = port
        .unit
        .module
        .kernels()
        .filter(|(_, kernel)| matches!(kernel.body, Body::Block(_)))
        .collect();
    let instances = instances_by_kernel(port.unit.instances);
    let mut reports = Vec::new();
    for (id, kernel) in defined {
        enter(port, kernel);
        let span = port.unit.module.expansions.outermost(kernel.origin);
        let report = |arguments: &str| KernelReport {
            name: port.unit.module.function_name(id),
            instance: arguments.to_owned(),
            file: span.file,
            line: port.unit.sources.file(span.file).line_column(span.start).line,
            status: Status::PortedSlow,
            lowering: "fibers",
            codes: Vec::new(),
        };
        match instances.get(&id) {
            None => reports.push(report("")),
            Some(found) => reports.extend(found.iter().map(|one| report(&one.arguments))),
        }
    }
    Kernels { section: String::new(), reports }
}

fn instances_by_kernel(all: &[KernelInstance]) -> BTreeMap<FunctionId, Vec<&KernelInstance>> {
    let mut by_kernel: BTreeMap<FunctionId, Vec<&KernelInstance>> = BTreeMap::new();
    for instance in all {
        by_kernel.entry(instance.kernel).or_default().push(instance);
    }
    for instances in by_kernel.values_mut() {
        instances.sort_by(|a, b| a.arguments.cmp(&b.arguments));
    }
    by_kernel
}

/// Puts the first statement into a kernel.
fn enter(port: &mut Port<'_>, kernel: &Function) {
    let module = port.unit.module;
    let mut arguments = Vec::new();
    for local in &kernel.parameters {
        let local = &module.locals[*local];
        arguments.push(local.name.as_str().to_owned());
    }
    let mut own = kernel.name.as_str().to_owned();
    if let Some(list) = &kernel.template_parameters {
        let names: Vec<String> = list
            .parameters
            .iter()
            .map(|parameter| {
                let dots = if parameter.pack { "..." } else { "" };
                format!("{}{dots}", parameter.name.as_str())
            })
            .collect();
        own = format!("{own}<{}>", names.join(", "));
        let _ = TemplateParameterKind::Type { default: None };
    }
    let tokens = port.unit.parsed.tokens();
    let Some(open) = body_open(port, kernel) else { return };
    let origin = tokens[open].origin;
    let span = origin.span;
    let call = format!("PORT_CPU_KERNEL(({}), {own});", arguments.join(", "));
    let text = format!("{}{call}", separator(&port.unit.sources.file(span.file).text, span.end));
    port.changes.insert(span.file, span.end, Side::Before, text, Reason::Row("__global__"));
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
    let indent = if next.trim_start().starts_with('}') { format!("{indent}    ") } else { indent };
    let newline = if line.ends_with('\r') { "\r\n" } else { "\n" };
    format!("{newline}{indent}")
}

/// The token of the `{` of a function's body.
fn body_open(port: &Port<'_>, function: &Function) -> Option<usize> {
    let Body::Block(body) = function.body else { return None };
    let range = port.unit.module.stmts[body].tokens.range();
    let tokens = port.unit.parsed.tokens();
    range.clone().find(|index| tokens[*index].kind == TokenKind::LeftBrace)
}
