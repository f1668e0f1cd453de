//! `Convert<T>::to<float>(x)` without the keyword that C++ asks for: nvcc and g++ take the name for the
//! template that it is, clang does not.

use std::collections::BTreeMap;

use port_diag::{Finding, Span};
use port_hir::{Entity, ExprId, ExprKind, Meaning, NameRef, Res, TokenRange};
use port_rewrite::{Reason, Side};

use super::port::Port;
use crate::findings::TemplateKeyword;

/// Writes `template` before the names of templates in types that depend on template parameters.
pub(super) fn apply(port: &mut Port<'_>) {
    let module = port.unit.module;
    let mut found: BTreeMap<Span, String> = BTreeMap::new();
    for (_, expr) in module.exprs.iter() {
        let ExprKind::Call { callee, .. } = &expr.kind else { continue };
        if let Some((span, name)) = unmarked_template(port, *callee) {
            found.insert(span, name);
        }
    }
    for (span, name) in found {
        port.report_at(&TemplateKeyword { name }, span);
        let reason = Reason::Finding(TemplateKeyword::METADATA.code);
        port.changes.insert(span.file, span.start, Side::After, "template ", reason);
    }
}

/// The last name of a callee, if it is a template's, in a dependent type, without the keyword.
fn unmarked_template(port: &Port<'_>, callee: ExprId) -> Option<(Span, String)> {
    let module = port.unit.module;
    let expr = &module.exprs[callee];
    let ExprKind::Name(name) = &expr.kind else { return None };
    let last = name.last().filter(|last| last.arguments.is_some())?;
    let Res::Member { .. } = name.resolution else { return None };
    let tokens = port.unit.parsed.tokens();
    let range = expr.tokens.range();
    let at = range.clone().find(|at| {
        tokens.get(*at).is_some_and(|token| {
            token.origin == last.origin && token.text.as_str() == last.name.as_str()
        })
    })?;
    let before = tokens.get(at.checked_sub(1)?)?;
    let qualifier = range.start..at;
    let is_unmarked = before.text.as_str() == "::";
    let depends = is_unmarked && (parameters_in(port, qualifier) || is_dependent_alias(port, name));
    depends.then(|| (last.origin.span, last.name.as_str().to_owned()))
}

/// Whether a template parameter is named among tokens.
fn parameters_in(port: &Port<'_>, range: std::ops::Range<usize>) -> bool {
    let tokens = port.unit.parsed.tokens().get(range).unwrap_or_default();
    tokens.iter().any(|token| {
        let meaning = port.unit.module.meanings.get(token.origin.span);
        matches!(meaning, Some(Meaning::User(Entity::TemplateParameter(_))))
    })
}

/// Whether the type before `::` is another name for one that depends on template parameters.
fn is_dependent_alias(port: &Port<'_>, name: &NameRef) -> bool {
    let Res::Member { prefix, .. } = &name.resolution else { return false };
    let Res::Alias(alias) = **prefix else { return false };
    let module = port.unit.module;
    let range: TokenRange = module.types[module.aliases[alias].ty].tokens;
    parameters_in(port, range.range())
}
