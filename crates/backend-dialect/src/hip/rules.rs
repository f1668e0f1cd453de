//! Uses that need more than a new name. A rule is one function; the API tables say which names it
//! is for.

use std::collections::HashMap;

use port_api::Status;
use port_diag::Span;
use port_hir::{Builtin, ExprId, ExprKind, TokenRange};
use port_rewrite::{NameUse, Reason, Side, call_arguments};

use super::port::Port;
use crate::arithmetic::{Arithmetic, Typing};
use crate::findings::{LaunchBounds, UnappliedRule};

/// A rule edits one use; `false` when the use is not of a form that it can edit.
type Apply = fn(&mut Port<'_>, &Use) -> bool;

/// The rules, by the name that rows give them.
pub(super) const RULES: &[(&str, Apply)] = &[
    ("argument-types", argument_types),
    ("default-arguments", default_arguments),
    ("event-flags", event_flags),
    ("hip-symbol", symbol_argument),
    ("kernel-pointer-cast", kernel_pointer),
    ("launch-bounds", launch_bounds),
];

/// A use with its call, if it is the callee of one.
pub(super) struct Use {
    name: NameUse,
    /// The arguments, as spans of the user's text; `None` where an argument has no text of its own.
    arguments: Option<Vec<Option<Span>>>,
    /// The arguments as the front end read them; in a macro's body, those of its first use.
    call: Option<Vec<ExprId>>,
}

/// Applies the rule of each noted use.
pub(super) fn apply(port: &mut Port<'_>) {
    if port.rule_uses.is_empty() {
        return;
    }
    let calls = calls(port);
    for (file, name) in std::mem::take(&mut port.rule_uses) {
        let Status::Semantic { rule, .. } = name.row.hip.status else { continue };
        let call = calls.get(&name.span).cloned();
        let arguments = arguments(port, file, &name, call.as_deref());
        let apply = RULES.iter().find(|(id, _)| *id == rule).map(|(_, apply)| *apply);
        let done = apply.is_some_and(|apply| apply(port, &Use { name, arguments, call }));
        if !done {
            let summary = port_api::rule(rule).map_or(rule, |rule| rule.summary);
            let finding = UnappliedRule { name: name.row.name.into(), rule: summary.into() };
            port.report_at(&finding, name.span);
        }
    }
}

/// For each call of a named function: the arguments, by the span of the callee's last name.
fn calls(port: &Port<'_>) -> HashMap<Span, Vec<ExprId>> {
    let mut calls = HashMap::new();
    for (_, expr) in port.unit.module.exprs.iter() {
        let ExprKind::Call { callee, arguments } = &expr.kind else { continue };
        let ExprKind::Name(name) = &port.unit.module.exprs[*callee].kind else { continue };
        if let Some(last) = name.last() {
            calls.entry(last.origin.span).or_insert_with(|| arguments.clone());
        }
    }
    calls
}

/// The arguments of a use as text. In a macro's body they are those that the body writes, whatever
/// its uses give; where no call was read, in an inactive branch, the tokens decide.
fn arguments(
    port: &Port<'_>,
    file: usize,
    name: &NameUse,
    call: Option<&[ExprId]>,
) -> Option<Vec<Option<Span>>> {
    let text = &port.files[file];
    match call {
        Some(call) if text.directive_of(name.token).is_none() => {
            let span =
                |argument: &ExprId| source_span(port, port.unit.module.exprs[*argument].tokens);
            Some(call.iter().map(span).collect())
        }
        _ => {
            let parameters = |signature: &&str| signature.matches(',').count() + 1;
            let most = name.row.signatures.iter().map(parameters).max().unwrap_or(usize::MAX);
            let found = call_arguments(text, name.token, most)?;
            Some(found.into_iter().map(Some).collect())
        }
    }
}

/// The bytes that spell a range of tokens, if they are in one place of one file.
pub(super) fn source_span(port: &Port<'_>, range: TokenRange) -> Option<Span> {
    let tokens = port.unit.parsed.tokens().get(range.range())?;
    let (first, last) = (tokens.first()?.origin, tokens.last()?.origin);
    let same = first.span.file == last.span.file && first.expansion == last.expansion;
    let ordered = first.span.start < last.span.end;
    (same && ordered).then(|| first.span.to(last.span))
}

fn wrap(port: &mut Port<'_>, span: Span, before: &str, after: &str, row: &'static str) {
    port.changes.insert(span.file, span.start, Side::After, before, Reason::Row(row));
    port.changes.insert(span.file, span.end, Side::Before, after, Reason::Row(row));
}

/// Whether a rule itself renames, when it must: else the name is changed wherever it stands.
pub(super) fn decides_the_name(rule: &str) -> bool {
    matches!(rule, "argument-types" | "event-flags")
}

/// `min` and `max` of two types. HIP has them for two arguments of one type; of two types it computes
/// in `double`, and has nothing at all for host code but `int`. CUDA's overloads take what the usual
/// conversions give, so a use that is not surely of one type gets them from the compatibility header.
fn argument_types(port: &mut Port<'_>, name_use: &Use) -> bool {
    let Status::Semantic { name: Some(form), .. } = name_use.name.row.hip.status else {
        return false;
    };
    let in_macro = port
        .files
        .iter()
        .find(|file| file.id == name_use.name.span.file)
        .is_some_and(|file| file.directive_of(name_use.name.token).is_some());
    let typing = Typing::new(port.unit.module, &port.program);
    let agree = match name_use.call.as_deref() {
        Some([left, right]) if !in_macro => {
            let holder = port
                .program
                .function_at(port.unit.module.exprs[*left].tokens.start as usize)
                .map(|function| port.unit.module.functions[function].qualifiers.clone());
            let device_only = holder.is_some_and(|is| is.global || is.device && !is.host);
            match (typing.of(*left), typing.of(*right)) {
                (Some(left), Some(right)) if left == right => {
                    device_only || left == Arithmetic::Known(Builtin::Int)
                }
                // The other must be floating as well: CUDA has no overload for one of each.
                (Some(known), _) | (_, Some(known)) => device_only && known.is_floating(),
                _ => false,
            }
        }
        _ => false,
    };
    if !agree {
        port.rename(name_use.name.span, form, name_use.name.row);
    }
    true
}

/// `HIP_SYMBOL(symbol)`: on HIP a symbol is passed by its address.
fn symbol_argument(port: &mut Port<'_>, name_use: &Use) -> bool {
    // The symbol is the first argument of the copies to it, the second of those that ask for
    // something of it.
    let position = match name_use.name.row.name {
        name if name.starts_with("cudaMemcpyToSymbol") => 0,
        _ => 1,
    };
    wrap_argument(port, name_use, position, "HIP_SYMBOL(", ")")
}

/// Arguments with a default in CUDA that the call leaves out, written out.
fn default_arguments(port: &mut Port<'_>, name_use: &Use) -> bool {
    let row = name_use.name.row;
    // A use that is no call passes nothing.
    let Some(arguments) = &name_use.arguments else { return true };
    let Some(signature) = row.signatures.first() else { return false };
    let defaults: Vec<Option<&str>> = parameters(signature)
        .into_iter()
        .map(|parameter| parameter.split_once('=').map(|(_, value)| value.trim()))
        .collect();
    let Some(left_out) = defaults.get(arguments.len()..).filter(|rest| !rest.is_empty()) else {
        return true;
    };
    let Some(Some(last)) = arguments.last() else { return false };
    let mut text = String::new();
    for value in left_out {
        let Some(value) = value else { return false };
        let form = port_api::find(value).and_then(|row| row.hip_name()).unwrap_or(value);
        text += &format!(", {form}");
    }
    port.changes.insert(last.file, last.end, Side::After, &text, Reason::Row(row.name));
    true
}

/// The parameters of a signature, as written.
fn parameters(signature: &str) -> Vec<&str> {
    let inside = signature.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
    inside.map_or(Vec::new(), |(list, _)| list.split(',').collect())
}

/// `cudaEventCreate(event, flags)` is another function on HIP.
fn event_flags(port: &mut Port<'_>, name_use: &Use) -> bool {
    let flags = name_use.arguments.as_ref().is_some_and(|arguments| arguments.len() == 2);
    let form = if flags { "hipEventCreateWithFlags" } else { "hipEventCreate" };
    port.rename(name_use.name.span, form, name_use.name.row);
    true
}

/// A kernel passed to the runtime is passed as `const void *`.
fn kernel_pointer(port: &mut Port<'_>, name_use: &Use) -> bool {
    let position = match name_use.name.row.name {
        "cudaFuncSetAttribute"
        | "cudaFuncSetCacheConfig"
        | "cudaFuncSetSharedMemConfig"
        | "cudaLaunchKernel"
        | "cudaLaunchCooperativeKernel" => 0,
        _ => 1,
    };
    wrap_argument(port, name_use, position, "reinterpret_cast<const void*>(", ")")
}

fn wrap_argument(
    port: &mut Port<'_>,
    name_use: &Use,
    position: usize,
    before: &str,
    after: &str,
) -> bool {
    let Some(arguments) = &name_use.arguments else { return false };
    let Some(Some(span)) = arguments.get(position) else { return false };
    let text = port.unit.sources.text(*span);
    // A user who casts to an untyped pointer, or who ported this call before, has done it.
    const DONE: [&str; 8] = [
        "HIP_SYMBOL",
        "reinterpret_cast<void",
        "reinterpret_cast<const void",
        "static_cast<const void",
        "(const void*)",
        "(const void *)",
        "(void*)",
        "(void *)",
    ];
    if !DONE.iter().any(|form| text.starts_with(form)) {
        wrap(port, *span, before, after, name_use.name.row.name);
    }
    true
}

/// The second argument counts something else; it is a hint, so it stays.
fn launch_bounds(port: &mut Port<'_>, name_use: &Use) -> bool {
    let Some(function) = port
        .program
        .tokens_of(name_use.name.span)
        .first()
        .and_then(|token| port.program.function_at(*token))
    else {
        return true;
    };
    if port.unit.module.functions[function].qualifiers.launch_bounds.len() > 1 {
        let finding = LaunchBounds { target: port.target() };
        port.report_at(&finding, name_use.name.span);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_tables_is_here_and_no_other() {
        let mut here: Vec<&str> = RULES.iter().map(|(id, _)| *id).collect();
        here.push(crate::hip::members::WARP_WIDTH_RULE);
        here.sort_unstable();
        let tables: Vec<&str> = port_api::RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(here, tables);
    }
}
