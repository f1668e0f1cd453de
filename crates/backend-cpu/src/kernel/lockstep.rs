//! Kernels without any barrier whose lanes read what other lanes of their warp have stored.
//!
//! `tile[lane] = x; y = tile[31 - lane];` is right where the lanes of a warp take every statement
//! together, and code from before Volta counts on that. A loop over the threads keeps it if all threads
//! have stored before one of them loads, so such loads are steps of their own. A kernel with barriers
//! says itself where threads meet.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::affine::{AccessKind, Affine, MemoryAccess, Polynomial, Symbol};
use port_ir::analysis::flow::{Flow, Root, StatementId};
use port_ir::{Builtin, Module, Space, StatementKind};

/// The loads of a kernel that have to wait for the stores of other lanes.
pub(super) fn loads(flow: &Flow<'_>, module: &Module) -> BTreeSet<StatementId> {
    let mut found = BTreeSet::new();
    let is_shared = |access: &MemoryAccess| match access.address.root {
        Root::Variable(variable) => module.variables[variable].space == Space::Shared,
        _ => false,
    };
    let waits =
        |kind: &StatementKind| kind.is_convergent() || matches!(kind, StatementKind::Call { .. });
    if !flow.function.is_kernel()
        || flow.statements().any(|(_, entry)| waits(&entry.statement.kind))
        || !module.variables.iter().any(|(_, variable)| variable.space == Space::Shared)
    {
        return found;
    }
    let accesses: Vec<MemoryAccess> =
        Affine::new(flow, &module.types).accesses().into_iter().filter(is_shared).collect();
    let of_kind = |kind: AccessKind| accesses.iter().filter(move |access| access.kind == kind);
    for load in of_kind(AccessKind::Read) {
        let waits = of_kind(AccessKind::Write).any(|store| {
            store.address.root == load.address.root
                && may_follow(flow, store.statement, load.statement)
                && !is_own(&store.address.offset, &load.address.offset)
        });
        if waits {
            found.insert(load.statement);
        }
    }
    found
}

/// Whether a load may be executed after a store: it stands behind it, or in the same loop.
fn may_follow(flow: &Flow<'_>, store: StatementId, load: StatementId) -> bool {
    store < load
        || flow.parents(load).any(|(around, _)| {
            matches!(flow.entry(around).statement.kind, StatementKind::Loop(_))
                && flow.is_inside(store, around)
        })
}

/// Whether two addresses are within what one thread has for itself: they move alike with the thread and
/// with loops, and are nearer to each other than neighbouring threads are.
fn is_own(store: &Polynomial, load: &Polynomial) -> bool {
    let distance = load.coefficient(&[]).abs_diff(store.coefficient(&[]));
    let neighbour = store
        .terms()
        .filter(|(factors, _)| {
            matches!(factors, [Symbol::Builtin(Builtin::ThreadIndex(_) | Builtin::LaneId)])
        })
        .map(|(_, coefficient)| coefficient.unsigned_abs())
        .min();
    moving(store) == moving(load) && (distance == 0 || neighbour.is_some_and(|n| distance < n))
}

/// The terms that are no constants, whichever loop's passes they count.
fn moving(offset: &Polynomial) -> BTreeMap<Vec<Option<Symbol>>, i128> {
    let mut terms = BTreeMap::new();
    for (factors, coefficient) in offset.terms().filter(|(factors, _)| !factors.is_empty()) {
        let mut key: Vec<Option<Symbol>> = factors
            .iter()
            .map(|symbol| (!matches!(symbol, Symbol::Passes(_))).then_some(*symbol))
            .collect();
        key.sort_unstable();
        *terms.entry(key).or_insert(0) += coefficient;
    }
    terms
}
