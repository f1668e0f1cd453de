//! Barriers and warp operations that only some of their threads may reach.
//!
//! A barrier of the block must be executed by all threads of the block or by none; a warp operation
//! with a full mask by all lanes of the warp. Where [`super::uniformity`] cannot prove that, this
//! lists the statement with the places where the threads part. It is a list of doubts: the analysis
//! knows nothing of ranges, so a branch that all threads take in fact is listed, too.

use super::flow::StatementId;
use super::program::Program;
use super::uniformity::{Cause, CauseKind, ModuleUniformity, Uniformity};
use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::statement::{BarrierScope, StatementKind, Value};

/// What needs its threads together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Needs {
    /// A barrier of the block, or of more.
    Barrier(BarrierScope),
    /// A shuffle, vote, match, reduction or warp barrier.
    Warp(MaskKind),
    /// A matrix operation.
    Matrix,
}

/// Who takes part in a warp operation, as far as the mask tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MaskKind {
    /// There is no mask: those that are active.
    Active,
    /// A constant.
    Constant(u64),
    /// Computed: the program has chosen its lanes.
    Computed,
}

/// A statement that some of its threads may not reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergent {
    /// What it needs.
    pub needs: Needs,
    /// Its function.
    pub function: Handle<Function>,
    /// The statement.
    pub statement: StatementId,
    /// Its place.
    pub location: Location,
    /// The threads that are sure to be there together.
    pub together: Uniformity,
    /// Where the others part, outermost first.
    pub causes: Vec<Cause>,
}

impl Divergent {
    /// Whether threads are missing only because they have returned: hardware that counts exited
    /// threads as arrived does not wait for them.
    pub fn only_returns(&self) -> bool {
        self.causes.iter().all(|cause| cause.kind == CauseKind::Return)
    }
}

/// All statements of a module that may miss some of their threads, by function and place.
pub fn find(program: &Program<'_>, uniformity: &ModuleUniformity) -> Vec<Divergent> {
    let mut found = Vec::new();
    for (handle, flow) in program.functions() {
        for (id, entry) in flow.statements() {
            let Some((needs, level)) = needs(flow.function, &entry.statement.kind) else {
                continue;
            };
            let together = uniformity.function(handle).together(id);
            if together.level > level {
                let causes =
                    together.causes.iter().filter(|cause| cause.level > level).copied().collect();
                found.push(Divergent {
                    needs,
                    function: handle,
                    statement: id,
                    location: entry.statement.location,
                    together: together.level,
                    causes,
                });
            }
        }
    }
    found
}

fn mask_kind(function: &Function, mask: Option<Value>) -> MaskKind {
    match mask.map(|mask| &function.expressions[mask]) {
        None => MaskKind::Active,
        Some(Expression::Constant(constant)) => MaskKind::Constant(constant.bits),
        Some(_) => MaskKind::Computed,
    }
}

/// What a statement needs, and which threads that are.
fn needs(function: &Function, kind: &StatementKind) -> Option<(Needs, Uniformity)> {
    use StatementKind as S;
    Some(match kind {
        S::Barrier { scope: BarrierScope::Warp, mask, .. } => {
            (Needs::Warp(mask_kind(function, *mask)), Uniformity::Warp)
        }
        // A named barrier waits for the threads that it says.
        S::Barrier { named: Some(named), .. } if named.threads.is_some() => return None,
        S::Barrier { scope, .. } => {
            let level = match scope {
                BarrierScope::Block | BarrierScope::Warp => Uniformity::Block,
                // Blocks are not told apart from clusters here.
                BarrierScope::Cluster | BarrierScope::Grid => Uniformity::Grid,
            };
            (Needs::Barrier(*scope), level)
        }
        S::Shuffle { mask, .. }
        | S::Vote { mask, .. }
        | S::Match { mask, .. }
        | S::WarpReduce { mask, .. }
        | S::Elect { mask, .. } => (Needs::Warp(mask_kind(function, *mask)), Uniformity::Warp),
        S::MatrixLoad { .. } | S::MatrixStore { .. } | S::MatrixMultiply { .. } => {
            (Needs::Matrix, Uniformity::Warp)
        }
        _ => return None,
    })
}
