//! `Convert<T>::to<float>(x)` without the keyword that C++ asks for: nvcc takes the name for the template
//! that it is, g++ mostly does, clang does not.

use std::collections::BTreeMap;

use port_diag::Span;
use port_hir::{Entity, ExprId, ExprKind, Meaning, NameRef, Res, TokenRange};

use crate::Unit;

/// The places of the names of templates in types that depend on template parameters, and the names.
pub fn unmarked_templates(unit: &Unit<'_>) -> BTreeMap<Span, String> {
    let calls = unit.module.exprs.iter().filter_map(|(_, expr)| match &expr.kind {
        ExprKind::Call { callee, .. } => unmarked_template(unit, *callee),
        _ => None,
    });
    calls.collect()
}

/// The last name of a callee, if it is a template's, in a dependent type, without the keyword.
fn unmarked_template(unit: &Unit<'_>, callee: ExprId) -> Option<(Span, String)> {
    let module = unit.module;
    let expr = &module.exprs[callee];
    let ExprKind::Name(name) = &expr.kind else { return None };
    let last = name.last().filter(|last| last.arguments.is_some())?;
    let Res::Member { .. } = name.resolution else { return None };
    let tokens = unit.parsed.tokens();
    let range = expr.tokens.range();
    let at = range.clone().find(|at| {
        tokens.get(*at).is_some_and(|token| {
            token.origin == last.origin && token.text.as_str() == last.name.as_str()
        })
    })?;
    let before = tokens.get(at.checked_sub(1)?)?;
    let qualifier = range.start..at;
    let is_unmarked = before.text.as_str() == "::";
    let depends = is_unmarked && (parameters_in(unit, qualifier) || is_dependent_alias(unit, name));
    depends.then(|| (last.origin.span, last.name.as_str().to_owned()))
}

/// Whether a template parameter is named among tokens.
fn parameters_in(unit: &Unit<'_>, range: std::ops::Range<usize>) -> bool {
    let tokens = unit.parsed.tokens().get(range).unwrap_or_default();
    tokens.iter().any(|token| {
        let meaning = unit.module.meanings.get(token.origin.span);
        matches!(meaning, Some(Meaning::User(Entity::TemplateParameter(_))))
    })
}

/// Whether the type before `::` is another name for one that depends on template parameters.
fn is_dependent_alias(unit: &Unit<'_>, name: &NameRef) -> bool {
    let Res::Member { prefix, .. } = &name.resolution else { return false };
    let Res::Alias(alias) = **prefix else { return false };
    let module = unit.module;
    let range: TokenRange = module.types[module.aliases[alias].ty].tokens;
    parameters_in(unit, range.range())
}
