//! What follows from the calls of a valid module: who is recursive, which convergent statements,
//! variables and poison a function reaches.

use std::collections::VecDeque;

use super::FunctionInfo;
use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::module::{Extent, Module, Variable};
use crate::statement::{BarrierScope, Block, StatementKind};
use crate::types::Space;

/// Which kinds of convergent statement a function executes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConvergentUse {
    /// Barriers of the block, cluster or grid.
    pub block_barriers: bool,
    /// Warp barriers, shuffles, votes, matches, reductions.
    pub warp_operations: bool,
    /// Loads, stores and products of fragments.
    pub matrices: bool,
}

impl ConvergentUse {
    /// Whether there is any.
    pub fn any(self) -> bool {
        self.block_barriers || self.warp_operations || self.matrices
    }

    fn join(&mut self, other: Self) {
        self.block_barriers |= other.block_barriers;
        self.warp_operations |= other.warp_operations;
        self.matrices |= other.matrices;
    }
}

/// Something that could not be translated, and how a function gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoisonUse {
    /// The code of the finding that says why.
    pub code: String,
    /// The untranslated node.
    pub location: Location,
    /// The calls from this function to the one that holds it, outermost first; empty if it is in
    /// this function.
    pub chain: Vec<Handle<Function>>,
}

/// More poison of one function is not listed: the first places say what is wrong, and each comes with
/// a chain of calls.
pub(crate) const MAX_POISON: usize = 64;

/// Visits every statement of a block and of the blocks inside.
fn for_each_statement(block: &Block, visit: &mut impl FnMut(&StatementKind, Location)) {
    for statement in &block.statements {
        visit(&statement.kind, statement.location);
        for inner in statement.kind.blocks() {
            for_each_statement(inner, visit);
        }
    }
}

/// Fills in what depends on bodies and callees.
pub(super) fn complete(module: &Module, functions: &mut [FunctionInfo]) {
    for ((_, function), info) in module.functions.iter().zip(functions.iter_mut()) {
        own(function, info);
    }
    let own: Vec<FunctionInfo> = functions.to_vec();
    let mut search = Search { callers: vec![None; own.len()], seen: vec![usize::MAX; own.len()] };
    for (index, info) in functions.iter_mut().enumerate() {
        search.reach(Handle::from_index(index), &own, info);
        info.static_shared = static_shared(module, &info.variables);
    }
}

/// What a function holds itself.
fn own(function: &Function, info: &mut FunctionInfo) {
    info.callees.sort_unstable();
    let Some(body) = &function.body else { return };
    // Statements have been counted. Users are younger than what they use.
    for (handle, expression) in function.expressions.iter().rev() {
        if info.uses[handle.index()] > 0 {
            expression.for_each_operand(|operand| info.uses[operand.index()] += 1);
        }
    }
    for_each_statement(body, &mut |kind, location| {
        match kind {
            StatementKind::Barrier { scope: BarrierScope::Warp, .. } => {
                info.convergent.warp_operations = true;
            }
            StatementKind::Barrier { .. } => info.convergent.block_barriers = true,
            StatementKind::MatrixLoad { .. }
            | StatementKind::MatrixStore { .. }
            | StatementKind::MatrixMultiply { .. } => info.convergent.matrices = true,
            kind if kind.is_convergent() => info.convergent.warp_operations = true,
            _ => {}
        }
        if let StatementKind::Unsupported { code, .. } = kind
            && info.poison.len() < MAX_POISON
        {
            info.poison.push(PoisonUse { code: code.clone(), location, chain: Vec::new() });
        }
    });
    for (handle, expression) in function.expressions.iter() {
        // What nobody uses does not count.
        if info.uses.get(handle.index()).is_none_or(|uses| *uses == 0) {
            continue;
        }
        match expression {
            Expression::Variable(variable) => info.variables.push(*variable),
            Expression::Poison { code, .. } if info.poison.len() < MAX_POISON => {
                if let Some(location) = function.expressions.location(handle) {
                    let code = code.clone();
                    info.poison.push(PoisonUse { code, location, chain: Vec::new() });
                }
            }
            _ => {}
        }
    }
    info.variables.sort_unstable();
    info.variables.dedup();
}

/// Searches that share their memory: there is one for each function.
struct Search {
    /// Who led to a function first.
    callers: Vec<Option<Handle<Function>>>,
    /// The search that last came to a function.
    seen: Vec<usize>,
}

impl Search {
    /// Adds what the callees hold, breadth first, so that chains are shortest.
    fn reach(&mut self, start: Handle<Function>, own: &[FunctionInfo], info: &mut FunctionInfo) {
        let mut reached = Vec::new();
        let mut queue = VecDeque::from([start]);
        while let Some(function) = queue.pop_front() {
            let Some(known) = own.get(function.index()) else { continue };
            for callee in &known.callees {
                info.recursive |= *callee == start;
                let Some(seen) = self.seen.get_mut(callee.index()) else { continue };
                if *callee != start && *seen != start.index() {
                    *seen = start.index();
                    self.callers[callee.index()] = Some(function);
                    reached.push(*callee);
                    queue.push_back(*callee);
                }
            }
        }
        reached.sort_unstable();
        for callee in reached {
            let Some(known) = own.get(callee.index()) else { continue };
            info.convergent.join(known.convergent);
            info.variables.extend(&known.variables);
            let room = MAX_POISON.saturating_sub(info.poison.len());
            if known.poison.is_empty() || room == 0 {
                continue;
            }
            let chain = self.chain(start, callee);
            let poison = known.poison.iter().take(room);
            info.poison
                .extend(poison.map(|poison| PoisonUse { chain: chain.clone(), ..poison.clone() }));
        }
        info.variables.sort_unstable();
        info.variables.dedup();
    }

    /// The calls from the start of the last search to a function, outermost first.
    fn chain(&self, start: Handle<Function>, to: Handle<Function>) -> Vec<Handle<Function>> {
        let mut chain = vec![to];
        let mut at = to;
        // Each step is nearer to the start.
        while let Some(Some(caller)) = self.callers.get(at.index())
            && *caller != start
            && chain.len() <= self.callers.len()
        {
            chain.push(*caller);
            at = *caller;
        }
        chain.reverse();
        chain
    }
}

fn static_shared(module: &Module, variables: &[Handle<Variable>]) -> u64 {
    let mut bytes = 0u64;
    for variable in variables.iter().filter_map(|handle| module.variables.get(*handle)) {
        if variable.space != Space::Shared || variable.extent != Extent::Fixed {
            continue;
        }
        let Some(layout) = module.types.layout(variable.ty) else { continue };
        let align = variable.align.unwrap_or(layout.align).max(1);
        let start = bytes.checked_next_multiple_of(align);
        bytes = start.and_then(|start| start.checked_add(layout.size)).unwrap_or(u64::MAX);
    }
    bytes
}
