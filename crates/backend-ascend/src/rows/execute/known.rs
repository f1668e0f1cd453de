//! Loops over a row of known length, and conditions that matter to one thread only.

use port_ir::analysis::flow::Root;
use port_ir::{Axis, Block, Builtin, Location, Loop, LoopTest, Scalar, StatementKind};

use super::super::graph::{Id, Op};
use super::{Executor, Lanes, Result};

impl Executor<'_, '_> {
    /// The condition of those threads for which it is not known, where it is one, all others go the
    /// other way and there is nothing on it.
    pub(super) fn one_condition(
        &self,
        condition: &Lanes,
        mask: &[bool],
        reject: &Block,
    ) -> Result<Option<Id>> {
        let mut only = None;
        for (thread, _) in mask.iter().enumerate().filter(|(_, active)| **active) {
            let id = self.lane(condition, thread)?;
            match self.graph.as_truth(id) {
                Some(false) => {}
                Some(true) => return Ok(None),
                None if *only.get_or_insert(id) == id => {}
                None => return Ok(None),
            }
        }
        Ok(only.filter(|_| reject.statements.is_empty()))
    }

    /// A loop over a row of known length: one over memory of the grid that all threads take part in.
    pub(super) fn known_row(
        &mut self,
        looping: &Loop,
        mask: &[bool],
        location: Location,
    ) -> Option<Vec<bool>> {
        let is_tried = looping.when == LoopTest::Before
            && looping.test.is_some()
            && self.body.is_none()
            && !self.is_over
            && mask.iter().all(|active| *active)
            && self.goes_over_memory(looping);
        if !is_tried {
            return None;
        }
        let locals = self.locals.clone();
        let (shared, staged) = (self.shared.clone(), self.staged.clone());
        let (versions, names) = (self.versions.clone(), self.names.clone());
        let sizes = (self.items.len(), self.reductions.len(), self.jumps.len(), self.path.len());
        let (values, steps) = (self.values.clone(), self.steps);
        let states = self.states.len();
        self.cache.clear();
        let held = self.phase(looping, location).is_ok() && self.items.len() > sizes.0;
        self.cache.clear();
        if held {
            return Some(mask.to_vec());
        }
        (self.locals, self.shared, self.staged) = (locals, shared, staged);
        (self.versions, self.names, self.values) = (versions, names, values);
        self.steps = steps;
        self.items.truncate(sizes.0);
        self.reductions.truncate(sizes.1);
        self.graph.folds.truncate(sizes.1);
        if self.states.len() > states {
            self.states.truncate(states);
            self.settled.clear();
        }
        self.state_of.retain(|reduction, _| (*reduction as usize) < sizes.1);
        self.formulas.retain(|reduction, _| (*reduction as usize) < sizes.1);
        self.jumps.truncate(sizes.2);
        self.path.truncate(sizes.3);
        self.returned.fill(false);
        self.body = None;
        None
    }

    /// Whether a loop itself loads from what a parameter points at.
    fn goes_over_memory(&self, looping: &Loop) -> bool {
        let mut open: Vec<&Block> = vec![&looping.body];
        let mut found = false;
        while let Some(block) = open.pop() {
            for statement in &block.statements {
                match &statement.kind {
                    StatementKind::Barrier { .. }
                    | StatementKind::Shuffle { .. }
                    | StatementKind::WarpReduce { .. } => return false,
                    StatementKind::Load { pointer, .. } => {
                        let root = self.flow.root(*pointer);
                        found |= matches!(root, Root::Argument(_));
                    }
                    _ => {}
                }
                open.extend(statement.kind.blocks());
            }
        }
        found
    }

    /// Whether a loop that begins at the group's number goes on by the number of groups.
    pub(super) fn is_group(&mut self, entry: Id, step: Id) -> bool {
        let block = self.graph.leaf(Op::Builtin(Builtin::BlockIndex(Axis::X)), Scalar::I64);
        let grid = self.graph.leaf(Op::Builtin(Builtin::GridDim(Axis::X)), Scalar::I64);
        if self.shape.warps.is_none() {
            return entry == block && step == grid;
        }
        let warp = self.graph.leaf(Op::Warp, Scalar::I64);
        let warps = self.graph.leaf(Op::Warps, Scalar::I64);
        let first = self.graph.times(block, warps);
        let group = self.graph.plus(first, warp, 1);
        let groups = self.graph.times(grid, warps);
        entry == group && step == groups
    }
}
