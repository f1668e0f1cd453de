//! Which statements of a kernel are loops over the threads, and where values live between them.
//!
//! A *block-level* block is executed by all threads of a block together; its statements form steps:
//! regions (loops over the threads), scalar statements (executed once for all), operations of
//! several threads, and control flow around such. Everything inside a region is *lane-level*: plain
//! C++ of one thread.
//!
//! What is scalar depends on what is scheduled as such, so the schedule starts by taking for granted
//! all that the analyses allow, and takes back what does not hold until nothing changes.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{Builtin, Expression, Handle, Local, LoopTest, StatementKind, Type, Value};

use super::affine::Strided;
use super::facts::{BlockId, END, Facts, Position};

/// A step of a block-level block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Unique in the function.
    pub(super) number: usize,
    pub(super) kind: StepKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    /// A loop over the threads.
    Region(Vec<Item>),
    /// A load or store that all threads share.
    Scalar(StatementId),
    /// An operation of several threads.
    Convergent(StatementId),
    /// Control flow that holds steps.
    Control(StatementId),
    /// A jump of all threads that come here.
    Jump(StatementId),
    /// A loop whose passes the threads of a row make together.
    Strided(StatementId),
}

/// A part of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Statement(StatementId),
    /// A value that later steps read is computed here.
    Value(Value),
    /// A value becomes an array because the operation that follows needs all threads' ones.
    Operand(Value),
}

/// Where a local lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// In a region, or in a function of one thread.
    Lane,
    /// One for all threads of the block.
    Scalar,
    /// One for each thread, in an array.
    Array,
}

/// The schedule of a kernel.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    pub(super) steps: BTreeMap<BlockId, Vec<Step>>,
    /// Loops, ifs and switches whose threads part.
    pub(super) masked: BTreeSet<StatementId>,
    pub(super) homes: Vec<Option<Home>>,
    /// Values that live in arrays between steps.
    pub(super) spilled: BTreeSet<Value>,
    /// The step of each statement of a block-level block.
    step_of: BTreeMap<StatementId, usize>,
    /// The step in which the test of a loop is read.
    test_of: BTreeMap<BlockId, usize>,
    /// Results that all threads share.
    pub(super) scalars: BTreeSet<Value>,
    /// Locals that cannot be scalar.
    demoted: BTreeSet<Handle<Local>>,
    /// Control flow that stays lane-level though its condition is uniform.
    lane_level: BTreeSet<StatementId>,
    /// Loops whose passes the threads of a row make together.
    pub(super) strided: BTreeMap<StatementId, Strided>,
    /// Ifs that end threads and bound the loops that follow.
    pub(super) guards: BTreeSet<StatementId>,
    /// Variables of such loops.
    inductions: BTreeSet<Handle<Local>>,
    /// Loads of what other lanes have stored, without a barrier.
    in_step: BTreeSet<StatementId>,
    /// Whether threads meet anywhere.
    pub(super) meets: bool,
    next: usize,
}

impl Schedule {
    pub(super) fn of(facts: &Facts<'_, '_>) -> Self {
        let in_step = super::lockstep::loads(facts.flow, facts.module);
        let meets = facts
            .flow
            .statements()
            .any(|(id, _)| in_step.contains(&id) || is_step_of_its_own(facts, id));
        let mut schedule = Schedule { meets, in_step, ..Schedule::default() };
        loop {
            let before =
                (schedule.masked.clone(), schedule.demoted.clone(), schedule.lane_level.clone());
            schedule.steps.clear();
            schedule.step_of.clear();
            schedule.test_of.clear();
            schedule.scalars.clear();
            schedule.strided.clear();
            schedule.inductions.clear();
            schedule.guards.clear();
            schedule.next = 0;
            let mut pass = Pass { facts, schedule: &mut schedule };
            pass.block(0, Together::All, &mut Vec::new());
            pass.check_stores();
            let after = (&schedule.masked, &schedule.demoted, &schedule.lane_level);
            if (&before.0, &before.1, &before.2) == after {
                break;
            }
        }
        let mut pass = Pass { facts, schedule: &mut schedule };
        pass.spill();
        pass.place_locals();
        pass.drop_copies();
        schedule
    }

    /// Whether a value is the same for all threads and can be computed outside of their loops.
    pub(super) fn is_scalar(&self, facts: &Facts<'_, '_>, value: Value) -> bool {
        let mut work = vec![value];
        let mut seen = BTreeSet::new();
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            match facts.expression(value) {
                Expression::Result(_) => {
                    if !self.scalars.contains(&value) && !self.names_shared(facts, value) {
                        return false;
                    }
                }
                Expression::Local(_) => return false,
                Expression::Builtin(
                    Builtin::ThreadIndex(_)
                    | Builtin::LaneId
                    | Builtin::WarpId
                    | Builtin::LaneMask(_),
                ) => return false,
                other => work.extend(other.operands()),
            }
        }
        true
    }

    /// Whether a result names a variable that all threads share.
    fn names_shared(&self, facts: &Facts<'_, '_>, value: Value) -> bool {
        if !facts.folded[value.index()] {
            return false;
        }
        let Some(definer) = facts.flow.definer(value) else { return false };
        let StatementKind::Load { pointer, .. } = facts.kind(definer) else { return false };
        facts.variable(*pointer).is_some_and(|local| {
            self.meets
                && !self.demoted.contains(&local)
                && !self.inductions.contains(&local)
                && !facts.stores[local.index()].is_empty()
                && !matches!(facts.function.locals[local].ty, Type::Fragment(_))
        })
    }

    pub(super) fn is_block_level(&self, block: BlockId) -> bool {
        self.steps.contains_key(&block)
    }

    pub(super) fn home(&self, local: Handle<Local>) -> Home {
        self.homes.get(local.index()).copied().flatten().unwrap_or(Home::Lane)
    }

    /// Whether a local is the variable of a loop whose passes threads make together.
    pub(super) fn is_induction(&self, local: Handle<Local>) -> bool {
        self.inductions.contains(&local)
    }

    /// The step that a position lies in.
    pub(super) fn step_at(&self, facts: &Facts<'_, '_>, position: Position) -> Option<usize> {
        let mut at = position;
        loop {
            if self.is_block_level(at.block) {
                return if at.key == END {
                    self.test_of.get(&at.block).copied()
                } else {
                    self.step_of.get(&StatementId(at.key)).copied()
                };
            }
            at = facts.blocks[at.block].parent?;
        }
    }
}

/// Which threads execute the statements of a block-level block together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Together {
    /// All that have not returned.
    All,
    /// Those that have entered this block.
    Arm(BlockId),
    /// Some: they part in a loop.
    No,
}

pub(super) struct Pass<'p, 'c, 'a> {
    pub(super) facts: &'p Facts<'c, 'a>,
    pub(super) schedule: &'p mut Schedule,
}

/// A region that is being filled.
#[derive(Default)]
struct Open {
    items: Vec<Item>,
    number: usize,
    /// Whether threads may leave it, or memory may be written in it.
    jumps: bool,
    writes: bool,
}

impl Pass<'_, '_, '_> {
    /// Whether a statement stands between regions.
    fn stands_between(&self, id: StatementId) -> bool {
        self.schedule.in_step.contains(&id) || is_step_of_its_own(self.facts, id)
    }

    fn number(&mut self) -> usize {
        self.schedule.next += 1;
        self.schedule.next
    }

    /// Schedules a block-level block. `targets` are the block-level loops and switches around.
    fn block(&mut self, block: BlockId, together: Together, targets: &mut Vec<StatementId>) {
        let facts = self.facts;
        self.schedule.steps.insert(block, Vec::new());
        let mut steps: Vec<Step> = Vec::new();
        let mut open: Option<Open> = None;
        fn close(open: &mut Option<Open>, steps: &mut Vec<Step>) {
            if let Some(region) = open.take() {
                steps.push(Step { number: region.number, kind: StepKind::Region(region.items) });
            }
        }
        for id in facts.blocks[block].statements.clone() {
            let kind = facts.kind(id);
            if kind.is_jump() && !matches!(kind, StatementKind::Trap) {
                close(&mut open, &mut steps);
                let number = self.number();
                self.schedule.step_of.insert(id, number);
                steps.push(Step { number, kind: StepKind::Jump(id) });
                continue;
            }
            if block == 0 && self.is_guard(id) {
                close(&mut open, &mut steps);
                let number = self.number();
                self.schedule.step_of.insert(id, number);
                self.schedule.guards.insert(id);
                steps.push(Step { number, kind: StepKind::Region(vec![Item::Statement(id)]) });
                continue;
            }
            let stepless = !facts.flow.inside(id).any(|(i, _)| self.schedule.in_step.contains(&i));
            if let Some(strided) = self.strided(id, together).filter(|_| stepless) {
                close(&mut open, &mut steps);
                let number = self.number();
                self.schedule.step_of.insert(id, number);
                self.schedule.inductions.insert(strided.variable);
                self.schedule.strided.insert(id, strided);
                steps.push(Step { number, kind: StepKind::Strided(id) });
                continue;
            }
            if self.is_control_step(id, targets) {
                close(&mut open, &mut steps);
                let number = self.number();
                self.schedule.step_of.insert(id, number);
                steps.push(Step { number, kind: StepKind::Control(id) });
                self.control(id, together, targets);
                continue;
            }
            if self.stands_between(id) {
                for operand in convergent_operands(facts, id) {
                    if self.schedule.is_scalar(facts, operand) || self.is_array(operand) {
                        continue;
                    }
                    let number = match &open {
                        Some(region) => region.number,
                        None => self.number(),
                    };
                    let region = open.get_or_insert_with(|| Open { number, ..Open::default() });
                    if !region.items.contains(&Item::Operand(operand)) {
                        region.items.push(Item::Operand(operand));
                    }
                }
                close(&mut open, &mut steps);
                let number = self.number();
                self.schedule.step_of.insert(id, number);
                if let StatementKind::Barrier { reduce: Some(reduce), .. } = kind {
                    self.schedule.scalars.insert(reduce.result);
                }
                steps.push(Step { number, kind: StepKind::Convergent(id) });
                continue;
            }
            if self.is_scalar_load(id) {
                if let StatementKind::Load { result, pointer, .. } = kind
                    && facts.folded[result.index()]
                    && facts.variable(*pointer).is_some()
                {
                    // Reading it is naming the variable.
                    self.schedule.scalars.insert(*result);
                    let number = open.as_ref().map_or(self.schedule.next, |region| region.number);
                    self.schedule.step_of.insert(id, number);
                    continue;
                }
                let moves = open.as_ref().is_none_or(|region| !region.jumps && !region.writes);
                // Where threads need not meet, a region is not torn for it.
                if moves || self.schedule.meets {
                    if !moves {
                        close(&mut open, &mut steps);
                    }
                    if let StatementKind::Load { result, .. } = kind {
                        self.schedule.scalars.insert(*result);
                    }
                    let number = self.number();
                    self.schedule.step_of.insert(id, number);
                    steps.push(Step { number, kind: StepKind::Scalar(id) });
                    continue;
                }
            }
            if self.schedule.meets && self.is_scalar_store(id, together) {
                close(&mut open, &mut steps);
                let number = self.number();
                self.schedule.step_of.insert(id, number);
                steps.push(Step { number, kind: StepKind::Scalar(id) });
                continue;
            }
            if together == Together::All && self.stands_alone(id) {
                close(&mut open, &mut steps);
                let number = self.number();
                self.schedule.step_of.insert(id, number);
                steps.push(Step { number, kind: StepKind::Region(vec![Item::Statement(id)]) });
                continue;
            }
            let number = match &open {
                Some(region) => region.number,
                None => self.number(),
            };
            let region = open.get_or_insert_with(|| Open { number, ..Open::default() });
            region.jumps |= self.facts_jump(id);
            region.writes |= writes_memory(facts, id);
            region.items.push(Item::Statement(id));
            self.schedule.step_of.insert(id, region.number);
        }
        close(&mut open, &mut steps);
        let number = self.number();
        self.schedule.test_of.insert(block, number);
        self.schedule.steps.insert(block, steps);
    }

    fn facts_jump(&self, id: StatementId) -> bool {
        !self.escaping(id).is_empty()
    }

    /// The jumps inside a statement that leave it: with the loop or switch they go to, or `None` for
    /// a return.
    pub(super) fn escaping(&self, id: StatementId) -> Vec<(StatementId, Option<StatementId>)> {
        let mut found = Vec::new();
        let facts = self.facts;
        for inner in id.0..facts.end(id) {
            let inner = StatementId(inner);
            match facts.kind(inner) {
                StatementKind::Return { .. } => found.push((inner, None)),
                StatementKind::Break | StatementKind::Continue => {
                    if let Some(target) = facts.jump_target(inner)
                        && !(target == id || facts.flow.is_inside(target, id))
                    {
                        found.push((inner, Some(target)));
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn is_control_step(&self, id: StatementId, _targets: &[StatementId]) -> bool {
        let facts = self.facts;
        if facts.children[id.index()].is_empty() {
            return false;
        }
        let holds = facts.flow.inside(id).any(|(inner, _)| self.stands_between(inner));
        if holds {
            return true;
        }
        if self.schedule.lane_level.contains(&id) {
            return false;
        }
        // All threads jump or none: plain C++ control flow around the loops over threads.
        let condition = match facts.kind(id) {
            StatementKind::If { condition, .. } => *condition,
            _ => return false,
        };
        facts.is_uniform(condition) && !self.escaping(id).is_empty()
    }

    fn control(&mut self, id: StatementId, together: Together, targets: &mut Vec<StatementId>) {
        let facts = self.facts;
        let children = facts.children[id.index()].clone();
        match facts.kind(id) {
            StatementKind::Block(_) => {
                for child in children {
                    self.block(child, together, targets);
                }
            }
            StatementKind::If { condition, .. } => {
                if !self.schedule.is_scalar(facts, *condition) {
                    let holds = facts.flow.inside(id).any(|(inner, _)| self.stands_between(inner));
                    if !holds {
                        self.schedule.lane_level.insert(id);
                    }
                    self.schedule.masked.insert(id);
                }
                let masked = self.schedule.masked.contains(&id);
                for child in children {
                    let inner = if masked { Together::Arm(child) } else { together };
                    self.block(child, inner, targets);
                }
            }
            StatementKind::Switch { selector, .. } => {
                if !self.schedule.is_scalar(facts, *selector) {
                    self.schedule.masked.insert(id);
                }
                let masked = self.schedule.masked.contains(&id);
                let inner = if masked { Together::No } else { together };
                targets.push(id);
                for child in children {
                    self.block(child, inner, targets);
                }
                targets.pop();
                if self.parts_by_jump(id) {
                    self.schedule.masked.insert(id);
                }
            }
            StatementKind::Loop(looping) => {
                let masked = self.schedule.masked.contains(&id);
                let inner = if masked { Together::No } else { together };
                targets.push(id);
                let [condition, body, step] = children[..] else { return };
                if looping.when == LoopTest::Before {
                    self.block(condition, inner, targets);
                    self.block(body, inner, targets);
                    self.block(step, inner, targets);
                } else {
                    self.block(body, inner, targets);
                    self.block(step, inner, targets);
                    self.block(condition, inner, targets);
                }
                targets.pop();
                let scalar = looping.test.is_none_or(|test| self.schedule.is_scalar(facts, test));
                if !scalar || self.parts_by_jump(id) {
                    self.schedule.masked.insert(id);
                }
            }
            _ => {}
        }
    }

    /// Whether only some of the threads in a loop or switch may jump to its end or next pass.
    fn parts_by_jump(&self, target: StatementId) -> bool {
        let facts = self.facts;
        facts.flow.inside(target).any(|(inner, entry)| {
            let jumps = match entry.statement.kind {
                StatementKind::Break | StatementKind::Continue => {
                    facts.jump_target(inner) == Some(target)
                }
                _ => false,
            };
            if !jumps {
                return false;
            }
            if !self.schedule.is_block_level(facts.block_of[inner.index()]) {
                return true;
            }
            facts
                .flow
                .parents(inner)
                .take_while(|(parent, _)| *parent != target)
                .any(|(parent, _)| self.schedule.masked.contains(&parent))
        })
    }

    /// Whether a statement loads what is the same for all threads.
    fn is_scalar_load(&self, id: StatementId) -> bool {
        let facts = self.facts;
        let StatementKind::Load { result, pointer, access } = facts.kind(id) else { return false };
        if access.volatile || access.atomic.is_some() {
            return false;
        }
        match facts.variable(*pointer) {
            // All that is stored to it is the same for all threads.
            Some(local) => self.may_be_scalar(local) && !facts.stores[local.index()].is_empty(),
            None => {
                facts.is_uniform(*result)
                    && !matches!(facts.flow.root(*pointer), Root::Local(_))
                    && self.schedule.is_scalar(facts, *pointer)
            }
        }
    }

    fn may_be_scalar(&self, local: Handle<Local>) -> bool {
        !self.schedule.demoted.contains(&local)
            && !matches!(self.facts.function.locals[local].ty, Type::Fragment(_))
    }

    fn is_scalar_store(&self, id: StatementId, together: Together) -> bool {
        let facts = self.facts;
        let StatementKind::Store { pointer, value, .. } = facts.kind(id) else { return false };
        let Some(local) = facts.variable(*pointer) else { return false };
        let here = match together {
            Together::All => true,
            // Threads outside of the arm see nothing of it,
            // and nothing is left from the threads that were there before.
            Together::Arm(arm) => {
                starts_with_store(facts, local, arm)
                    && facts.accesses[local.index()]
                        .iter()
                        .all(|access| facts.within(facts.position(*access), arm).is_some())
            }
            Together::No => false,
        };
        here && self.may_be_scalar(local)
            && self.stays_scalar(local)
            && self.schedule.is_scalar(facts, *value)
    }

    /// Whether all accesses to a local stand in block-level blocks, and it is worth it: otherwise a
    /// counter of a region's loop would be torn out of it.
    fn stays_scalar(&self, local: Handle<Local>) -> bool {
        !self.schedule.demoted.contains(&local)
    }

    /// Takes back that a local is scalar if some store to it is not.
    fn check_stores(&mut self) {
        let facts = self.facts;
        for (local, _) in facts.function.locals.iter() {
            if !facts.is_variable[local.index()] || self.schedule.demoted.contains(&local) {
                continue;
            }
            let scalar = |store: &StatementId| {
                let block = facts.block_of[store.index()];
                self.schedule.steps.get(&block).is_some_and(|steps| {
                    steps.iter().any(|step| step.kind == StepKind::Scalar(*store))
                })
            };
            let any_lane = facts.stores[local.index()].iter().any(|store| !scalar(store));
            if any_lane {
                self.schedule.demoted.insert(local);
            }
        }
    }

    /// Whether a value is in an array anyway, so that an operation can read it there.
    fn is_array(&self, value: Value) -> bool {
        let facts = self.facts;
        match facts.expression(value) {
            Expression::Result(_) => {
                let Some(definer) = facts.flow.definer(value) else { return false };
                let block = facts.block_of[definer.index()];
                match facts.kind(definer) {
                    StatementKind::Load { pointer, .. } => {
                        // The array of the variable that was loaded, if that keeps its value.
                        match facts.variable(*pointer) {
                            Some(local) if facts.folded[value.index()] => {
                                self.schedule.homes.get(local.index()).copied().flatten()
                                    == Some(Home::Array)
                            }
                            _ => false,
                        }
                    }
                    kind => {
                        self.schedule.is_block_level(block)
                            && (kind.is_convergent() && !self.schedule.scalars.contains(&value))
                    }
                }
            }
            _ => false,
        }
    }

    // Values between steps.

    fn spill(&mut self) {
        let facts = self.facts;
        let count = facts.function.expressions.len();
        // The steps that read each value, itself or to compute another from it.
        let mut readers: Vec<BTreeSet<Option<usize>>> = vec![BTreeSet::new(); count];
        let mut read = |value: Value, place: Position, schedule: &Schedule| {
            readers[value.index()].insert(schedule.step_at(facts, place));
        };
        for index in 0..facts.block_of.len() {
            let id = StatementId(index as u32);
            for operand in facts.kind(id).operands() {
                read(operand, facts.position(id), self.schedule);
            }
            if let StatementKind::Loop(looping) = facts.kind(id)
                && let (Some(test), Some(place)) = (looping.test, facts.test_position(id))
            {
                read(test, place, self.schedule);
            }
        }
        // Users are younger than what they use.
        for value in facts.function.expressions.handles().rev() {
            let mut steps = std::mem::take(&mut readers[value.index()]);
            if steps.is_empty() {
                continue;
            }
            let expression = facts.expression(value);
            if let Expression::Result(_) = expression {
                if self.result_is_spilled(value, &steps) {
                    self.schedule.spilled.insert(value);
                }
                continue;
            }
            if let Some(place) = facts.named.get(&value) {
                let own = self.schedule.step_at(facts, *place);
                let scalar = self.schedule.is_scalar(facts, value);
                if !scalar && self.value_is_spilled(value, *place, &steps) {
                    self.schedule.spilled.insert(value);
                    steps.clear();
                } else if scalar {
                    steps.clear();
                }
                steps.insert(own);
            }
            expression.for_each_operand(|operand| {
                readers[operand.index()].extend(&steps);
            });
        }
        // Loads that fold into a variable need an array only where the variable has none.
        let spilled: Vec<Value> = self.schedule.spilled.iter().copied().collect();
        for value in spilled {
            if facts.folded[value.index()] {
                self.schedule.spilled.remove(&value);
            }
        }
        self.place_spilled();
    }

    /// Whether the result of a statement has to outlive its step.
    fn result_is_spilled(&self, value: Value, readers: &BTreeSet<Option<usize>>) -> bool {
        let facts = self.facts;
        if self.schedule.scalars.contains(&value) {
            return false;
        }
        let Some(definer) = facts.flow.definer(value) else { return false };
        if !self.schedule.is_block_level(facts.block_of[definer.index()]) {
            return false;
        }
        if self.stands_between(definer) {
            return true;
        }
        let own = self.schedule.step_of.get(&definer).copied();
        readers.iter().any(|reader| *reader != own)
    }

    /// Whether a value that several steps read is kept: computing it again costs more, or needs
    /// what only its own step knows.
    fn value_is_spilled(
        &self,
        value: Value,
        place: Position,
        readers: &BTreeSet<Option<usize>>,
    ) -> bool {
        let facts = self.facts;
        if readers.len() < 2
            || !self.schedule.is_block_level(place.block)
            || matches!(facts.ty(value), Type::Pointer(_))
        {
            return false;
        }
        facts.cost(value, 12) >= 8 || self.reads_results(value)
    }

    /// Whether a value is computed from results that each thread has of its own.
    fn reads_results(&self, value: Value) -> bool {
        let facts = self.facts;
        let mut work = vec![value];
        let mut seen = BTreeSet::new();
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            match facts.expression(value) {
                Expression::Result(_) if !self.schedule.scalars.contains(&value) => return true,
                other => work.extend(other.operands()),
            }
        }
        false
    }

    /// Puts the computation of spilled pure values into the regions where they are read first.
    fn place_spilled(&mut self) {
        let facts = self.facts;
        let spilled: Vec<Value> = self.schedule.spilled.iter().copied().collect();
        for value in spilled {
            if matches!(facts.expression(value), Expression::Result(_)) {
                continue;
            }
            let Some(place) = facts.named.get(&value).copied() else { continue };
            let Some(steps) = self.schedule.steps.get_mut(&place.block) else { continue };
            let found = steps.iter().position(|step| match &step.kind {
                StepKind::Region(items) => items.contains(&Item::Statement(StatementId(place.key))),
                StepKind::Scalar(id)
                | StepKind::Convergent(id)
                | StepKind::Control(id)
                | StepKind::Strided(id)
                | StepKind::Jump(id) => id.0 == place.key,
            });
            let item = Item::Value(value);
            match found {
                Some(index) => {
                    if let StepKind::Region(items) = &mut steps[index].kind {
                        let at = items
                            .iter()
                            .position(|item| *item == Item::Statement(StatementId(place.key)))
                            .unwrap_or(0);
                        items.insert(at, item);
                    } else if index > 0
                        && let StepKind::Region(items) = &mut steps[index - 1].kind
                    {
                        // Before operands that are made for the operation itself.
                        let at = items
                            .iter()
                            .position(|item| matches!(item, Item::Operand(_)))
                            .unwrap_or(items.len());
                        items.insert(at, item);
                    } else {
                        self.schedule.next += 1;
                        let number = self.schedule.next;
                        steps.insert(index, Step { number, kind: StepKind::Region(vec![item]) });
                    }
                }
                None => {
                    // At the end of a condition.
                    self.schedule.next += 1;
                    let number = self.schedule.next;
                    steps.push(Step { number, kind: StepKind::Region(vec![item]) });
                }
            }
        }
    }

    /// Takes out the arrays for operands that are in arrays anyway.
    fn drop_copies(&mut self) {
        let mut steps = std::mem::take(&mut self.schedule.steps);
        for block in steps.values_mut() {
            for step in block.iter_mut() {
                if let StepKind::Region(items) = &mut step.kind {
                    items.retain(|item| match item {
                        Item::Operand(value) => {
                            !self.schedule.spilled.contains(value) && !self.is_array(*value)
                        }
                        _ => true,
                    });
                }
            }
            block.retain(|step| !matches!(&step.kind, StepKind::Region(items) if items.is_empty()));
        }
        self.schedule.steps = steps;
    }

    fn place_locals(&mut self) {
        let facts = self.facts;
        let mut homes = vec![None; facts.function.locals.len()];
        for (local, _) in facts.function.locals.iter() {
            let accesses = &facts.accesses[local.index()];
            if accesses.is_empty() {
                continue;
            }
            if self.schedule.inductions.contains(&local) {
                homes[local.index()] = Some(Home::Lane);
                continue;
            }
            let scalar = facts.is_variable[local.index()]
                && self.may_be_scalar(local)
                && !facts.stores[local.index()].is_empty();
            let strays = facts.flow.escapes(local) && self.schedule.next > 2;
            homes[local.index()] = Some(if scalar {
                Home::Scalar
            } else if !strays && self.lives_in_one_region(local) {
                Home::Lane
            } else {
                Home::Array
            });
        }
        self.schedule.homes = homes;
    }

    /// Whether a local is only accessed in one region, and each execution of that begins with
    /// setting it or happens once.
    fn lives_in_one_region(&self, local: Handle<Local>) -> bool {
        let facts = self.facts;
        let mut readers = BTreeSet::new();
        for access in &facts.accesses[local.index()] {
            readers.insert(self.schedule.step_at(facts, facts.position(*access)));
            // What a load gives may be read in other steps, from the variable.
            if let StatementKind::Load { result, .. } = facts.kind(*access)
                && facts.folded[result.index()]
            {
                for place in &facts.uses[result.index()] {
                    readers.insert(self.schedule.step_at(facts, *place));
                }
            }
        }
        let [Some(only)] = readers.iter().copied().collect::<Vec<_>>()[..] else { return false };
        let Some((block, step)) = self.schedule.steps.iter().find_map(|(block, steps)| {
            steps.iter().find(|step| step.number == only).map(|step| (*block, step))
        }) else {
            return false;
        };
        let strided = matches!(step.kind, StepKind::Strided(_));
        if !strided && !matches!(step.kind, StepKind::Region(_)) {
            return false;
        }
        let in_loop = strided || self.is_in_loop(block);
        !in_loop || starts_with_store(facts, local, block)
    }

    fn is_in_loop(&self, block: BlockId) -> bool {
        let facts = self.facts;
        let mut at = facts.blocks[block].parent;
        while let Some(position) = at {
            if position.key == END {
                return true;
            }
            if matches!(facts.kind(StatementId(position.key)), StatementKind::Loop(_)) {
                return true;
            }
            at = facts.blocks[position.block].parent;
        }
        false
    }
}

/// Whether a local is stored to, whole, before anything else happens to it in each execution of a
/// block.
pub(super) fn starts_with_store(
    facts: &Facts<'_, '_>,
    local: Handle<Local>,
    block: BlockId,
) -> bool {
    if !facts.is_variable[local.index()] {
        return false;
    }
    assigned(facts, local, block, Assigned::No) != Assigned::ReadFirst
}

/// What has happened to a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Assigned {
    No,
    Yes,
    /// It was read where it may not have been stored to.
    ReadFirst,
}

fn assigned(
    facts: &Facts<'_, '_>,
    local: Handle<Local>,
    block: BlockId,
    before: Assigned,
) -> Assigned {
    let mut state = before;
    for id in &facts.blocks[block].statements {
        if state != Assigned::No {
            return state;
        }
        let touches = facts.accesses[local.index()]
            .iter()
            .any(|access| *access == *id || facts.flow.is_inside(*access, *id));
        let kind = facts.kind(*id);
        if !touches {
            if matches!(
                kind,
                StatementKind::Break | StatementKind::Continue | StatementKind::Return { .. }
            ) {
                return Assigned::Yes;
            }
            continue;
        }
        let children = &facts.children[id.index()];
        state = match kind {
            StatementKind::Store { pointer, .. } if facts.variable(*pointer) == Some(local) => {
                Assigned::Yes
            }
            StatementKind::Block(_) => assigned(facts, local, children[0], state),
            StatementKind::If { .. } => {
                let arms: Vec<Assigned> =
                    children.iter().map(|child| assigned(facts, local, *child, state)).collect();
                if arms.contains(&Assigned::ReadFirst) {
                    Assigned::ReadFirst
                } else if arms.contains(&Assigned::No) {
                    Assigned::No
                } else {
                    Assigned::Yes
                }
            }
            StatementKind::Switch { .. } | StatementKind::Loop(_) => {
                let inside: Vec<Assigned> =
                    children.iter().map(|child| assigned(facts, local, *child, state)).collect();
                if inside.contains(&Assigned::ReadFirst) {
                    Assigned::ReadFirst
                } else {
                    Assigned::No
                }
            }
            _ => Assigned::ReadFirst,
        };
    }
    state
}

/// Whether a statement stands between regions: threads take part in it together, or it has to be
/// seen by the others before they go on.
pub(super) fn is_step_of_its_own(facts: &Facts<'_, '_>, id: StatementId) -> bool {
    let shared = |pointer: Value| {
        !matches!(facts.flow.root(pointer), Root::Local(_))
            && !matches!(facts.ty(pointer).space(), Some(port_ir::Space::Local))
    };
    match facts.kind(id) {
        StatementKind::Load { pointer, access, .. } => access.volatile && shared(*pointer),
        StatementKind::Store { pointer, access, .. } => access.volatile && shared(*pointer),
        kind => kind.is_convergent(),
    }
}

/// The values of which an operation needs an array.
pub(super) fn convergent_operands(facts: &Facts<'_, '_>, id: StatementId) -> Vec<Value> {
    match facts.kind(id) {
        StatementKind::Shuffle { value, lane, width, .. } => {
            let mut operands = vec![*value, *lane];
            operands.extend(*width);
            operands
        }
        StatementKind::Vote { mask, predicate, .. } => {
            let mut operands: Vec<Value> = mask.iter().copied().collect();
            operands.push(*predicate);
            operands
        }
        StatementKind::Match { mask, value, .. }
        | StatementKind::WarpReduce { mask, value, .. } => {
            let mut operands: Vec<Value> = mask.iter().copied().collect();
            operands.push(*value);
            operands
        }
        StatementKind::Elect { mask, .. } => mask.iter().copied().collect(),
        StatementKind::Barrier { reduce: Some(reduce), .. } => vec![reduce.predicate],
        StatementKind::MatrixMultiply { a, b, c, .. } => vec![*a, *b, *c],
        _ => Vec::new(),
    }
}

fn writes_memory(facts: &Facts<'_, '_>, id: StatementId) -> bool {
    let one = |id: StatementId| match facts.kind(id) {
        StatementKind::Store { pointer, .. } => {
            !matches!(facts.flow.root(*pointer), Root::Local(_))
        }
        StatementKind::Copy { .. }
        | StatementKind::Fill { .. }
        | StatementKind::Atomic { .. }
        | StatementKind::AsyncCopy(_)
        | StatementKind::Call { .. }
        | StatementKind::Fence { .. }
        | StatementKind::Clock { .. } => true,
        StatementKind::Load { access, .. } => access.volatile || access.atomic.is_some(),
        _ => false,
    };
    (id.0..facts.end(id)).any(|inner| one(StatementId(inner)))
}
