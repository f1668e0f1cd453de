//! Kernels whose instances cannot be named at the end of the file: one of several functions of a name,
//! or an instance for a closure. Their forms are found by the definition and the list of the template
//! arguments, in which a closure is a number that the text gives it.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::KernelInstance;
use port_hir::{
    Body, CaptureDefault, Expr, ExprId, ExprKind, FunctionId, Res, TemplateParameter,
    TemplateParameterKind, TyKind,
};
use port_rewrite::instances::split_arguments;
use port_rewrite::{Reason, Side};
use port_syntax::TokenKind;

use crate::port::Port;
use crate::section::unnameable;

/// Names of `nvcuda::wmma` that template arguments are.
pub(crate) const WMMA: &[&str] = &["row_major", "col_major", "matrix_a", "matrix_b", "accumulator"];

/// Whether other functions of its namespace have the kernel's name.
pub(crate) fn has_rivals(port: &Port<'_>, kernel: FunctionId) -> bool {
    let module = port.unit.module;
    let own = &module.functions[kernel];
    let rivals = module.functions_named(own.name);
    rivals.iter().filter(|id| module.functions[**id].parent == own.parent).count() > 1
}

/// The kernels of the root that are found by lists: each whose template parameters a list can hold
/// and that needs it.
pub(crate) fn kernels(port: &Port<'_>, types: &BTreeSet<String>) -> BTreeSet<FunctionId> {
    let module = port.unit.module;
    let mut needed = BTreeSet::new();
    for instance in port.unit.instances {
        let closure = instance.arguments.contains("lambda#");
        if closure && arguments(port, instance, types).is_ok() || has_rivals(port, instance.kernel)
        {
            needed.insert(instance.kernel);
        }
    }
    needed.retain(|id| {
        let kernel = &module.functions[*id];
        let place = module.expansions.outermost(kernel.origin);
        let open = crate::kernels::body_open(port, kernel);
        let plain = open.is_some_and(|at| {
            port.unit.parsed.tokens().get(at).is_some_and(|token| token.origin.expansion.is_none())
        });
        let list = kernel.template_parameters.iter().flat_map(|list| &list.parameters);
        let is_last = |index: usize, count: usize| index + 1 == count;
        let parameters: Vec<&TemplateParameter> = list.collect();
        let fits = parameters.iter().enumerate().all(|(index, parameter)| {
            is_listable(port, parameter) && (!parameter.pack || is_last(index, parameters.len()))
        });
        // A header's text may not depend on who includes it.
        place.file == port.unit.root
            && plain
            && fits
            && kernel.specialisation.is_none()
            && kernel.specialisations.is_empty()
            && matches!(kernel.body, Body::Block(_))
    });
    needed
}

/// Whether a list can hold an argument of this parameter: a type, or an integer or enumerator.
fn is_listable(port: &Port<'_>, parameter: &TemplateParameter) -> bool {
    match &parameter.kind {
        TemplateParameterKind::Type { .. } => true,
        TemplateParameterKind::Value { ty, .. } => {
            matches!(port.unit.module.types[*ty].kind, TyKind::Builtin(_))
        }
        _ => false,
    }
}

/// What a kernel's definition is called in lists: `"case.cu:12 ns::k"`.
pub(crate) fn id(port: &Port<'_>, kernel: FunctionId) -> String {
    let module = port.unit.module;
    let span = module.expansions.outermost(module.functions[kernel].origin);
    let file = port.unit.sources.file(span.file);
    let name = file.path.rsplit('/').next().unwrap_or("");
    let line = file.line_column(span.start).line;
    crate::device::literal(&format!("{name}:{line} {}", module.function_name(kernel)))
}

/// The list in the kernel's own text: its parameters.
pub(crate) fn parameters(port: &Port<'_>, kernel: FunctionId) -> String {
    let kernel = &port.unit.module.functions[kernel];
    let list = kernel.template_parameters.iter().flat_map(|list| &list.parameters);
    let parts: Vec<String> = list
        .enumerate()
        .map(|(index, parameter)| {
            let name = match parameter.name.as_str() {
                "" => format!("PortArgument{index}"),
                name => name.to_owned(),
            };
            let dots = if parameter.pack { "..." } else { "" };
            match parameter.kind {
                TemplateParameterKind::Value { .. } => {
                    format!("port_cpu::Value<(long long)({name})>{dots}")
                }
                _ => format!("{name}{dots}"),
            }
        })
        .collect();
    parts.join(", ")
}

/// The list of an instance, and the closures in it; else the argument that no list can hold.
pub(crate) fn arguments(
    port: &Port<'_>,
    instance: &KernelInstance,
    types: &BTreeSet<String>,
) -> Result<(String, Vec<usize>), String> {
    let kernel = &port.unit.module.functions[instance.kernel];
    let parameters: Vec<&TemplateParameter> =
        kernel.template_parameters.iter().flat_map(|list| &list.parameters).collect();
    let mut closures = Vec::new();
    let mut parts = Vec::new();
    for (index, argument) in split_arguments(&instance.arguments).into_iter().enumerate() {
        let parameter = parameters.get(index).or(parameters.last()).ok_or(argument.clone())?;
        if let Some((holder, number)) = argument.rsplit_once("lambda#") {
            let number: usize = number.parse().map_err(|_| argument.clone())?;
            // A closure of a template is another type in each instance.
            let known = !holder.contains('<') && lambda_span(port, number).is_some();
            if !known || !has_known_layout(port, number, &argument) {
                return Err(argument);
            }
            closures.push(number);
            parts.push(format!("port_cpu::ClosureTag<{number}>"));
            continue;
        }
        if let Some(unnamed) = unnameable(&argument, types) {
            return Err(unnamed);
        }
        let argument = spelled(&argument);
        parts.push(match parameter.kind {
            TemplateParameterKind::Value { .. } => {
                format!("port_cpu::Value<(long long)({argument})>")
            }
            _ => argument,
        });
    }
    Ok((parts.join(", "), closures))
}

/// Arguments with the names of `nvcuda::wmma` in full.
pub(crate) fn spelled(arguments: &str) -> String {
    let mut out = arguments.to_owned();
    for name in WMMA {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let mut from = 0;
        while let Some(at) = out.get(from..).and_then(|rest| rest.find(name)).map(|at| from + at) {
            let before = out[..at].chars().next_back().is_some_and(is_word);
            let after = out[at + name.len()..].chars().next().is_some_and(is_word);
            let full = format!("::nvcuda::wmma::{name}");
            from = at + name.len();
            if !before && !after {
                out.replace_range(at..from, &full);
                from = at + full.len();
            }
        }
    }
    out
}

/// The bytes of each lambda expression that stands in the root, outside macros' bodies.
fn lambda_span(port: &Port<'_>, number: usize) -> Option<port_diag::Span> {
    let module = port.unit.module;
    let (_, expr) = module
        .exprs
        .iter()
        .find(|(_, expr)| matches!(expr.kind, ExprKind::Lambda(id) if id.index() == number))?;
    let first = port.unit.parsed.tokens().get(expr.tokens.range().start)?;
    let span = port.source_span(expr.tokens)?;
    (first.origin.expansion.is_none() && span.file == port.unit.root).then_some(span)
}

/// Whether the compiler's layout of a closure is surely the IR's: all that it names of the function
/// around it are its captures, in the order in which compilers lay them out, that of the list or else
/// of the first uses.
fn has_known_layout(port: &Port<'_>, number: usize, name: &str) -> bool {
    let module = port.unit.module;
    let Some((_, lambda)) = module.lambdas.iter().find(|(id, _)| id.index() == number) else {
        return false;
    };
    let is_this = |(_, expr): &(ExprId, &Expr)| matches!(expr.kind, ExprKind::Lambda(id) if id.index() == number);
    let Some((_, whole)) = module.exprs.iter().find(is_this) else { return false };
    let whole = whole.tokens.range();
    let mut used: Vec<(usize, &str)> = Vec::new();
    for (_, expr) in module.exprs.iter() {
        let at = expr.tokens.range().start;
        if !whole.contains(&at) {
            continue;
        }
        match &expr.kind {
            // What an inner closure captures, the outer one captures too: in an order of its own.
            ExprKind::Lambda(id) if id.index() != number => return false,
            ExprKind::Name(name) => {
                let Res::Local(id) = name.resolution else { continue };
                let local = &module.locals[id];
                let inside = whole.contains(&local.tokens.range().start);
                let fixed = local.storage.is_static || local.storage.constexpr;
                if !inside && !fixed {
                    used.push((at, local.name.as_str()));
                }
            }
            _ => {}
        }
    }
    used.sort_unstable();
    let mut order: Vec<&str> = Vec::new();
    if !lambda.captures.is_empty() {
        if lambda.default_capture.is_some() {
            return false;
        }
        // The words between the brackets; what is initialised there has a type of its own.
        let words = port.unit.parsed.tokens().get(whole).unwrap_or(&[]);
        for token in words.iter().take_while(|token| token.kind != TokenKind::RightBracket) {
            match token.kind {
                TokenKind::Identifier => order.push(token.text.as_str()),
                TokenKind::LeftBracket | TokenKind::Comma => {}
                _ => return false,
            }
        }
    }
    for (_, name) in used {
        if !order.contains(&name) {
            if lambda.default_capture != Some(CaptureDefault::Copy) {
                return false;
            }
            order.push(name);
        }
    }
    let mut structs = port.unit.ir.types.structs().iter();
    match structs.find(|(_, found)| found.name == name) {
        Some((_, found)) => found.members.iter().map(|member| member.name.as_str()).eq(order),
        None => false,
    }
}

/// Gives the closures their numbers.
pub(crate) fn number_closures(port: &mut Port<'_>, closures: &BTreeSet<usize>) {
    let spans: BTreeMap<usize, port_diag::Span> =
        closures.iter().filter_map(|number| Some((*number, lambda_span(port, *number)?))).collect();
    for (number, span) in spans {
        let reason = Reason::Row("__device__");
        let open = format!("port_cpu::closure<{number}>(");
        port.changes.insert(span.file, span.start, Side::After, open, reason.clone());
        port.changes.insert(span.file, span.end, Side::Before, ")", reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_matrices_are_written_in_full() {
        assert_eq!(
            spelled("<half, row_major, my_row_major>"),
            "<half, ::nvcuda::wmma::row_major, my_row_major>"
        );
    }
}
