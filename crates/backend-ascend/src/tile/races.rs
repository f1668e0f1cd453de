//! Whether blocks may read what others write, as a search over a graph does that marks what it has
//! seen. The GPU gives such a reader the old or the new value; cores of the 910B that meet in global
//! memory need an order, so that one core takes all blocks.

use std::collections::BTreeSet;

use port_diag::Origin;
use port_ir::analysis::affine::{Affine, Polynomial};
use port_ir::analysis::flow::{Flow, Root};
use port_ir::{Expression, Module, Space, StatementKind, Value};

use super::shape::Shape;

/// An access of global memory.
struct Reach {
    root: Root,
    offset: Option<Polynomial>,
    /// Whether memory says where it goes, for each lane anew.
    loaded: bool,
    writes: bool,
    origin: Origin,
}

/// The place of a load that may meet what another block stores.
pub(super) fn met(
    module: &Module,
    flow: &Flow<'_>,
    affine: &mut Affine<'_, '_>,
    shape: &Shape,
) -> Option<Origin> {
    let mut reaches: Vec<Reach> = Vec::new();
    for (_, entry) in flow.statements() {
        let (pointer, writes) = match &entry.statement.kind {
            StatementKind::Load { pointer, .. } => (*pointer, false),
            StatementKind::Store { pointer, .. } | StatementKind::Atomic { pointer, .. } => {
                (*pointer, true)
            }
            _ => continue,
        };
        let root = flow.root(pointer);
        let is_global = match root {
            Root::Argument(_) => true,
            Root::Variable(variable) => module.variables[variable].space == Space::Global,
            _ => false,
        };
        if is_global {
            reaches.push(Reach {
                root,
                offset: affine.address(pointer).map(|address| address.offset),
                loaded: shape.varies(pointer) && is_loaded(flow, shape, pointer),
                writes,
                origin: entry.statement.location.origin,
            });
        }
    }
    let meets = |load: &&Reach| {
        !load.writes
            && reaches.iter().any(|store| {
                store.writes
                    && store.root == load.root
                    && (store.loaded || load.loaded)
                    && (store.offset.is_none() || store.offset != load.offset)
            })
    };
    reaches.iter().find(meets).map(|load| load.origin)
}

/// Whether a value comes from memory, other for other lanes.
fn is_loaded(flow: &Flow<'_>, shape: &Shape, value: Value) -> bool {
    let mut seen = BTreeSet::new();
    let mut work = vec![value];
    while let Some(value) = work.pop() {
        if !seen.insert(value) || !shape.varies(value) {
            continue;
        }
        let expression = &flow.function.expressions[value];
        expression.for_each_operand(|operand| work.push(operand));
        if !matches!(expression, Expression::Result(_)) {
            continue;
        }
        let Some(definer) = flow.definer(value) else { continue };
        let StatementKind::Load { pointer, .. } = &flow.entry(definer).statement.kind else {
            continue;
        };
        match flow.root(*pointer) {
            Root::Local(local) => {
                for (_, entry) in flow.statements() {
                    if let StatementKind::Store { pointer, value, .. } = &entry.statement.kind
                        && flow.root(*pointer) == Root::Local(local)
                    {
                        work.push(*value);
                    }
                }
            }
            Root::ArgumentAddress(_) => {}
            _ => return true,
        }
    }
    false
}
