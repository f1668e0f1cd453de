//! Loops over a row of known length and over rows, and conditions that matter to one thread only.

use port_ir::analysis::flow::Root;
use port_ir::{Axis, Block, Builtin, CompareOp, Location, Loop, LoopTest, Scalar, StatementKind};

use super::super::graph::{Id, Op};
use super::{Executor, Lanes, Result, node_type};
use crate::code::refuse;

impl Executor<'_, '_> {
    /// The condition of those threads for which it is not known, where it is one, and no thread goes another
    /// way, or there is nothing on it.
    pub(super) fn one_condition(
        &self,
        condition: &Lanes,
        mask: &[bool],
        reject: &Block,
    ) -> Result<Option<Id>> {
        let mut only = None;
        let mut all = true;
        for (thread, _) in mask.iter().enumerate().filter(|(_, active)| **active) {
            let id = self.lane(condition, thread)?;
            match self.graph.as_truth(id) {
                Some(false) => all = false,
                Some(true) => return Ok(None),
                None if *only.get_or_insert(id) == id => {}
                None => return Ok(None),
            }
        }
        Ok(only.filter(|_| all || reject.statements.is_empty()))
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
        let (in_rows, conditions) = (self.in_rows, self.lane_conditions.len());
        let scattered = self.scattered.clone();
        self.cache.clear();
        let flushed = self.flush_scattered().map(|()| self.items.len());
        let held = flushed
            .is_ok_and(|items| self.phase(looping, location).is_ok() && self.items.len() > items);
        self.cache.clear();
        if held {
            return Some(mask.to_vec());
        }
        (self.locals, self.shared, self.staged) = (locals, shared, staged);
        (self.versions, self.names, self.values) = (versions, names, values);
        self.steps = steps;
        self.in_rows = in_rows;
        self.scattered = scattered;
        self.lane_conditions.truncate(conditions);
        self.items.truncate(sizes.0);
        if self.reductions.len() > sizes.1 {
            // The numbers of reductions will be those of others.
            self.settled.clear();
        }
        self.reductions.truncate(sizes.1);
        self.graph.folds.truncate(sizes.1);
        self.states.truncate(states);
        self.state_of.retain(|reduction, _| (*reduction as usize) < sizes.1);
        self.formulas.retain(|reduction, _| (*reduction as usize) < sizes.1);
        self.jumps.truncate(sizes.2);
        self.path.truncate(sizes.3);
        self.returned.fill(false);
        self.body = None;
        None
    }

    /// Locals that a loop stores to.
    pub(in crate::rows) fn stored_in(&self, looping: &Loop) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open: Vec<&Block> = vec![&looping.condition, &looping.body, &looping.step];
        while let Some(block) = open.pop() {
            for statement in &block.statements {
                if let StatementKind::Store { pointer, .. } = &statement.kind
                    && let Root::Local(local) = self.flow.root(*pointer)
                {
                    found.push(local.index() as u32);
                }
                open.extend(statement.kind.blocks());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
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

    /// The number of rows, if the groups of the grid share the passes of this loop.
    pub(super) fn row_loop(&mut self, looping: &Loop) -> Result<Option<Id>> {
        let saved = self.locals.clone();
        let stored = self.stored_in(looping);
        let mut carried = Vec::new();
        for (key, (lanes, ty)) in saved.iter().filter(|(key, _)| stored.contains(&key.0)) {
            let id = self.graph.leaf(Op::Carried(self.carried), node_type(*ty));
            self.carried += 1;
            carried.push((*key, lanes.clone(), id));
            self.locals.insert(*key, (Lanes::Same(id), *ty));
        }
        let all = vec![true; self.threads()];
        self.cache.clear();
        self.block(&looping.step, all.clone())?;
        let mut row = None;
        for (key, entry, id) in &carried {
            let Some((Lanes::Same(next), _)) = self.locals.get(key).cloned() else { continue };
            let step = self.graph.plus(next, *id, -1);
            let Lanes::Same(entry) = entry else { continue };
            if next != *id && self.is_group(*entry, step) {
                row = Some((*key, *id));
            }
        }
        self.locals = saved;
        let Some((key, id)) = row else { return Ok(None) };
        for (key, _, id) in &carried {
            if let Some((lanes, _)) = self.locals.get_mut(key) {
                *lanes = Lanes::Same(*id);
            }
        }
        let own = self.graph.leaf(Op::Row, Scalar::I64);
        if let Some((lanes, _)) = self.locals.get_mut(&key) {
            *lanes = Lanes::Same(own);
        }
        let _ = id;
        self.cache.clear();
        self.block(&looping.condition, all.clone())?;
        self.activate(&all);
        let Some(test) = looping.test else { return Ok(None) };
        let Lanes::Same(test) = self.eval(test)? else { return Ok(None) };
        let Op::Compare(op) = *self.graph.op(test) else { return Ok(None) };
        let args = self.graph.node(test).args.clone();
        let bound = match op {
            CompareOp::Less if args[0] == own => args[1],
            CompareOp::Greater if args[1] == own => args[0],
            _ => return Err(refuse("the end of its loop over rows is not understood")),
        };
        if self.graph.any(bound, &|op| matches!(op, Op::Row | Op::Carried(_))) {
            return Err(refuse("the end of its loop over rows moves"));
        }
        Ok(Some(bound))
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
