//! Members of API types, where the front end knows the object's type: `prop.warpSize`, `pair.x`.

use port_api::{Row, Status};
use port_diag::Span;
use port_hir::{ExprId, ExprKind, Meaning};
use port_rewrite::{Reason, Side};

use super::port::Port;
use super::rules::source_span;
use crate::findings::UnsupportedName;

/// The rule of members that stand for the width of a warp.
pub(super) const WARP_WIDTH_RULE: &str = "warp-width-member";

/// Edits the members whose rows ask for it.
pub(super) fn apply(port: &mut Port<'_>) {
    let module = port.unit.module;
    let mut found: Vec<(Span, ExprId, &'static Row)> = Vec::new();
    for (id, expr) in module.exprs.iter() {
        let ExprKind::Member { member, .. } = &expr.kind else { continue };
        let Some(span) = member.last().map(|last| last.origin.span) else { continue };
        let Some(Meaning::Api(key)) = module.meanings.get(span) else { continue };
        found.extend(port_api::find(key.as_str()).map(|row| (span, id, row)));
    }
    found.sort_by_key(|(span, id, _)| (*span, *id));
    found.dedup_by_key(|(span, ..)| *span);
    for (span, member, row) in found {
        apply_one(port, span, member, row);
    }
}

fn apply_one(port: &mut Port<'_>, span: Span, member: ExprId, row: &'static Row) {
    match row.hip.status {
        Status::Same => {}
        Status::Renamed(name) => {
            let last = name.rsplit("::").next().unwrap_or(name);
            if last != port.unit.sources.text(span) {
                port.rename(span, last, row);
            }
        }
        Status::Compat(function) => call_form(port, span, member, function, row),
        Status::Semantic { rule, name } => {
            let whole = source_span(port, port.unit.module.exprs[member].tokens);
            if rule == WARP_WIDTH_RULE
                && port.logical_warps()
                && let (Some(whole), Some(name)) = (whole, name)
            {
                port.changes.remove_inside(whole);
                port.rename(whole, name, row);
            }
        }
        Status::Unsupported(reason) => {
            let finding = UnsupportedName {
                name: row.name.into(),
                target: port.target(),
                reason: reason.into(),
            };
            port.report_at(&finding, span);
        }
    }
}

/// `object.member` becomes `function(object)`.
fn call_form(
    port: &mut Port<'_>,
    span: Span,
    member: ExprId,
    function: &'static str,
    row: &'static Row,
) {
    let ExprKind::Member { object, arrow, .. } = &port.unit.module.exprs[member].kind else {
        return;
    };
    let parenthesised = port.unit.module.exprs[*object].parenthesised;
    let Some(object) = source_span(port, port.unit.module.exprs[*object].tokens) else { return };
    if object.file != span.file || object.end > span.start {
        return;
    }
    // The tokens of an expression leave out its own parentheses; they stay around the object.
    let between = &port.unit.sources.file(span.file).text[object.end as usize..span.start as usize];
    let closing = if parenthesised { between.find(')').map_or(0, |at| at as u32 + 1) } else { 0 };
    let open = if parenthesised {
        let before = &port.unit.sources.file(span.file).text[..object.start as usize];
        before.rfind('(').map_or(object.start, |at| at as u32)
    } else {
        object.start
    };
    let dereference = if *arrow { "*" } else { "" };
    let opening = format!("{function}({dereference}");
    port.changes.insert(span.file, open, Side::After, opening, Reason::Row(row.name));
    port.rename(Span::new(span.file, object.end + closing, span.end), ")", row);
}
