//! What has no compiled form: said here, before any text is made.

use std::collections::BTreeSet;

use port_diag::Origin;
use port_ir::analysis::divergence::{Divergent, Needs};
use port_ir::analysis::program::Program;
use port_ir::analysis::progress::{self, SpinWait, WaitKind};
use port_ir::analysis::uniformity::{CauseKind, Uniformity};
use port_ir::{BarrierScope, Builtin, Expression, Function, Handle, StatementKind, Value};

use super::NotCompiled;

/// The functions that a kernel calls, directly or not, after inlining.
pub(super) fn callees(
    program: &Program<'_>,
    kernel: Handle<Function>,
) -> BTreeSet<Handle<Function>> {
    let mut found = BTreeSet::new();
    let mut work = vec![kernel];
    while let Some(function) = work.pop() {
        for callee in &program.info(function).callees {
            if found.insert(*callee) {
                work.push(*callee);
            }
        }
    }
    found
}

/// Kernels of more statements, device functions included, are not compiled: the text would be of
/// tens of thousands of lines, which no compiler reads gladly.
const MAX_STATEMENTS: usize = 10_000;

/// Whether a kernel can be compiled; gives the functions that it calls.
pub(super) fn admit(
    program: &Program<'_>,
    doubts: &[Divergent],
    waits: &[SpinWait],
    kernel: Handle<Function>,
) -> Result<BTreeSet<Handle<Function>>, NotCompiled> {
    let info = program.info(kernel);
    let refuse = |reason: String, origin: Origin| Err(NotCompiled { reason, origin });
    let mut statements = program.flow(kernel).statements();
    if let Some((_, entry)) = statements.nth(MAX_STATEMENTS) {
        let reason = format!("it has more than {MAX_STATEMENTS} statements");
        return refuse(reason, entry.statement.location.origin);
    }
    if let Some(poison) = info.poison.first() {
        let reason = format!("it uses what could not be translated ({})", poison.code);
        return refuse(reason, poison.location.origin);
    }
    let callees = callees(program, kernel);
    for callee in &callees {
        let called = &program.module.functions[*callee];
        let place = program
            .flow(kernel)
            .statements()
            .map(|(_, entry)| entry.statement.location.origin)
            .next();
        if called.body.is_none() {
            let reason = format!("it calls `{}`, which is not defined here", called.name);
            return match place {
                Some(origin) => refuse(reason, origin),
                None => Err(super::types::refuse(reason)),
            };
        }
        if program.info(*callee).convergent.any() {
            let reason = format!(
                "it calls `{}`, which synchronises threads and could not be inlined",
                called.name
            );
            return match place {
                Some(origin) => refuse(reason, origin),
                None => Err(super::types::refuse(reason)),
            };
        }
    }
    for function in std::iter::once(kernel).chain(callees.iter().copied()) {
        for (_, entry) in program.flow(function).statements() {
            let origin = entry.statement.location.origin;
            match &entry.statement.kind {
                StatementKind::Barrier { scope: BarrierScope::Grid, .. } => {
                    return refuse("it waits for all blocks of the grid".into(), origin);
                }
                StatementKind::Barrier { scope: BarrierScope::Cluster, .. } => {
                    return refuse("it waits for the blocks of a cluster".into(), origin);
                }
                StatementKind::Barrier { named: Some(_), .. } => {
                    return refuse("it uses one of several barriers of a block".into(), origin);
                }
                StatementKind::Unsupported { what, .. } => {
                    return refuse(format!("it uses what could not be translated: {what}"), origin);
                }
                _ => {}
            }
        }
    }
    for wait in waits {
        if wait.function != kernel && !callees.contains(&wait.function) {
            continue;
        }
        // A lock that is released where it was taken lets one thread after the other through.
        let in_turn = wait.kind == WaitKind::Lock
            && wait.needs != progress::Needs::Lanes
            && !holds_convergent(program, wait);
        if !in_turn {
            return refuse(
                "a loop waits for what another thread writes".into(),
                wait.location.origin,
            );
        }
    }
    for doubt in doubts {
        if doubt.function != kernel || !matches!(doubt.needs, Needs::Barrier(_)) {
            continue;
        }
        for cause in &doubt.causes {
            let parts = matches!(cause.kind, CauseKind::Branch | CauseKind::Loop);
            if !parts || cause.level <= Uniformity::Block {
                continue;
            }
            let entry = program.flow(kernel).entry(cause.statement);
            let condition = match &entry.statement.kind {
                StatementKind::If { condition, .. } => *condition,
                StatementKind::Switch { selector, .. } => *selector,
                StatementKind::Loop(looping) => match looping.test {
                    Some(test) => test,
                    None => continue,
                },
                _ => continue,
            };
            if depends_on_thread_alone(program, kernel, condition) {
                return refuse(
                    "a barrier stands where only some threads of the block come".into(),
                    doubt.location.origin,
                );
            }
        }
    }
    Ok(callees)
}

fn holds_convergent(program: &Program<'_>, wait: &SpinWait) -> bool {
    program
        .flow(wait.function)
        .inside(wait.statement)
        .any(|(_, entry)| entry.statement.kind.is_convergent())
}

/// Whether a condition compares thread numbers with what all threads share: then threads part.
fn depends_on_thread_alone(program: &Program<'_>, kernel: Handle<Function>, value: Value) -> bool {
    let function = &program.module.functions[kernel];
    let flow = program.flow(kernel);
    let mut work = vec![value];
    let mut seen = BTreeSet::new();
    let mut thread = false;
    while let Some(value) = work.pop() {
        let value = flow.plain(value);
        if !seen.insert(value) {
            continue;
        }
        match &function.expressions[value] {
            Expression::Builtin(
                Builtin::ThreadIndex(_) | Builtin::LaneId | Builtin::WarpId | Builtin::LaneMask(_),
            ) => thread = true,
            Expression::Result(_) => match flow.definitions(value) {
                Some(definitions) => {
                    for definition in definitions {
                        match definition {
                            port_ir::analysis::flow::Definition::Whole(_, stored)
                            | port_ir::analysis::flow::Definition::Part(_, stored) => {
                                work.push(*stored);
                            }
                            _ => return false,
                        }
                    }
                }
                // What memory holds may be the same for all.
                None => return false,
            },
            other => work.extend(other.operands()),
        }
    }
    thread
}
