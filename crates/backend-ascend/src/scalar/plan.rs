//! Which statements of a kernel are loops over its threads, and which values outlive them.
//!
//! Threads meet at barriers and warp operations. What holds such is *block level*: it is executed
//! for all threads together, with masks. What stands between is a *region*: one loop over the
//! threads. Locals and results that two regions share have an element for each thread.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{Expression, Handle, Local, Space, StatementKind, Value};

use crate::code::facts::{BlockId, END, Facts, Position};

/// A step of a block-level block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Statements of a loop over the threads.
    Region(Vec<StatementId>),
    /// An operation that threads do together.
    Together(StatementId),
    /// Control flow that holds steps.
    Control(StatementId),
}

/// The plan of a kernel.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The steps of block-level blocks, with the number of each.
    pub(super) steps: BTreeMap<BlockId, Vec<(usize, Step)>>,
    /// The step that the test of a loop belongs to, by the loop's condition block.
    pub(super) tests: BTreeMap<BlockId, usize>,
    of_statement: BTreeMap<StatementId, usize>,
    /// Locals of which each thread has an element.
    pub(super) locals: BTreeSet<Handle<Local>>,
    /// Results of which each thread has an element.
    pub(super) results: BTreeSet<Value>,
    /// Loads that must not happen where their value is read.
    pub(super) unfolded: BTreeSet<Value>,
    next: usize,
}

impl Plan {
    pub(super) fn of(facts: &Facts<'_, '_>) -> Self {
        let mut plan = Plan::default();
        let count = facts.block_of.len();
        let mut mixed = vec![false; count];
        for index in (0..count).rev() {
            let id = StatementId(index as u32);
            mixed[index] = is_together(facts, id)
                || facts.children[index].iter().any(|child| {
                    facts.blocks[*child].statements.iter().any(|inner| mixed[inner.index()])
                });
        }
        if !facts.blocks.is_empty() {
            plan.number(facts, &mixed, 0);
        }
        plan.find_results(facts);
        plan.find_locals(facts);
        plan
    }

    fn fresh(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn number(&mut self, facts: &Facts<'_, '_>, mixed: &[bool], block: BlockId) {
        let mut steps: Vec<(usize, Step)> = Vec::new();
        for id in &facts.blocks[block].statements {
            if mixed[id.index()] {
                let number = self.fresh();
                self.of_statement.insert(*id, number);
                let together = is_together(facts, *id);
                steps.push((
                    number,
                    if together { Step::Together(*id) } else { Step::Control(*id) },
                ));
                for child in facts.children[id.index()].clone() {
                    self.number(facts, mixed, child);
                }
                if let StatementKind::Loop(_) = facts.kind(*id)
                    && let Some(condition) = facts.children[id.index()].first()
                {
                    // The test is read with what computes it, if that needs no other thread.
                    let number = match self.steps.get(condition).and_then(|steps| steps.last()) {
                        Some((number, Step::Region(_))) => *number,
                        _ => self.fresh(),
                    };
                    self.tests.insert(*condition, number);
                }
                continue;
            }
            if !matches!(steps.last(), Some((_, Step::Region(_)))) {
                let number = self.fresh();
                steps.push((number, Step::Region(Vec::new())));
            }
            if let Some((number, Step::Region(list))) = steps.last_mut() {
                list.push(*id);
                self.of_statement.insert(*id, *number);
            }
        }
        self.steps.insert(block, steps);
    }

    /// Whether a block is executed for all threads together.
    pub(super) fn is_block_level(&self, block: BlockId) -> bool {
        self.steps.contains_key(&block)
    }

    /// The step that a position lies in.
    pub(super) fn step_at(&self, facts: &Facts<'_, '_>, position: Position) -> Option<usize> {
        let mut at = position;
        while !self.is_block_level(at.block) {
            at = facts.blocks[at.block].parent?;
        }
        if at.key == END {
            return self.tests.get(&at.block).copied();
        }
        self.of_statement.get(&StatementId(at.key)).copied()
    }

    fn find_results(&mut self, facts: &Facts<'_, '_>) {
        // Values with a name that other steps read are computed again there, from what they are
        // made of: then that must outlive its step.
        let mut forced = Vec::new();
        for (value, place) in &facts.named {
            let own = self.step_at(facts, *place);
            if facts.uses[value.index()].iter().any(|place| self.step_at(facts, *place) != own) {
                forced.push(*value);
            }
        }
        let mut seen = BTreeSet::new();
        while let Some(value) = forced.pop() {
            if !seen.insert(value) {
                continue;
            }
            match facts.expression(value) {
                Expression::Result(_) => {
                    self.results.insert(value);
                    self.unfolded.insert(value);
                }
                other => forced.extend(other.operands()),
            }
        }
        for (value, expression) in facts.function.expressions.iter() {
            if !matches!(expression, Expression::Result(_)) || facts.uses[value.index()].is_empty()
            {
                continue;
            }
            let Some(definer) = facts.flow.definer(value) else { continue };
            let own = self.step_at(facts, facts.position(definer));
            let together = is_together(facts, definer);
            let elsewhere =
                facts.uses[value.index()].iter().any(|place| self.step_at(facts, *place) != own);
            let is_variable = facts.folded[value.index()] && facts.folded_name(definer);
            if (together || elsewhere) && !is_variable {
                self.results.insert(value);
                self.unfolded.insert(value);
            }
        }
    }

    fn find_locals(&mut self, facts: &Facts<'_, '_>) {
        for (local, _) in facts.function.locals.iter() {
            let mut places: Vec<Position> =
                facts.accesses[local.index()].iter().map(|id| facts.position(*id)).collect();
            for access in &facts.accesses[local.index()] {
                if let StatementKind::Load { result, .. } = facts.kind(*access)
                    && facts.folded[result.index()]
                    && !self.unfolded.contains(result)
                {
                    places.extend(&facts.uses[result.index()]);
                }
            }
            let steps: BTreeSet<_> =
                places.iter().map(|place| self.step_at(facts, *place)).collect();
            if steps.is_empty() {
                continue;
            }
            if steps.len() > 1 || !self.starts_with_store(facts, local) {
                self.locals.insert(local);
            }
        }
    }

    /// Whether the first thing that a region does to a local is to set it, or the region is executed
    /// once: then the local need not outlive the region.
    fn starts_with_store(&self, facts: &Facts<'_, '_>, local: Handle<Local>) -> bool {
        let Some(first) = facts.accesses[local.index()].iter().min() else { return true };
        let position = facts.position(*first);
        let mut at = position;
        while !self.is_block_level(at.block) {
            let Some(parent) = facts.blocks[at.block].parent else { return true };
            at = parent;
        }
        let once = {
            let mut outer = at;
            loop {
                match facts.blocks[outer.block].parent {
                    None => break true,
                    Some(parent) => {
                        let looping = parent.key == END
                            || matches!(
                                facts.kind(StatementId(parent.key)),
                                StatementKind::Loop(_)
                            );
                        if looping {
                            break false;
                        }
                        outer = parent;
                    }
                }
            }
        };
        once || self.is_block_level(position.block)
            && matches!(facts.kind(*first), StatementKind::Store { pointer, .. }
                if facts.variable(*pointer) == Some(local))
    }
}

/// Whether a statement stands between regions: threads take part in it together, or it has to be
/// seen by the others before they go on.
fn is_together(facts: &Facts<'_, '_>, id: StatementId) -> bool {
    let shared = |pointer: Value| {
        !matches!(facts.flow.root(pointer), Root::Local(_))
            && facts.ty(pointer).space() != Some(Space::Local)
    };
    match facts.kind(id) {
        StatementKind::Load { pointer, access, .. }
        | StatementKind::Store { pointer, access, .. } => access.volatile && shared(*pointer),
        // Each lane reads and writes its own elements.
        StatementKind::MatrixLoad { .. } | StatementKind::MatrixStore { .. } => true,
        kind => kind.is_convergent(),
    }
}
