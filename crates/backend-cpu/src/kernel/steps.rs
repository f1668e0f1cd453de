//! The steps that all threads of a block take together, and the control flow around them.

use std::collections::BTreeSet;

use port_ir::analysis::flow::StatementId;
use port_ir::{LoopTest, StatementKind, Value};

use super::NotCompiled;
use super::block::{Emitter, Frame};
use super::expression::Level;
use super::facts::{BlockId, END, Position};
use super::schedule::{Step, StepKind};

/// From which cost on, in additions, what threads share is computed before their loop.
const COSTLY: u32 = 8;

impl Emitter<'_, '_, '_> {
    /// The steps of a block-level block.
    pub(super) fn block_steps(&mut self, block: BlockId) -> Result<(), NotCompiled> {
        let schedule = self.schedule;
        let Some(steps) = schedule.steps.get(&block) else { return Ok(()) };
        let mut wrapped = 0;
        for (index, step) in steps.iter().enumerate() {
            self.one_step(step)?;
            let follows = index + 1 < steps.len();
            if follows && self.may_leave_none(step) {
                match self.masks.last() {
                    Some((Frame::Kernel, alive)) => {
                        let line = format!("if (!any({alive}, threads)) return;");
                        self.out.line(line);
                    }
                    Some((_, mask)) => {
                        let line = format!("if (any({mask}, threads)) {{");
                        self.out.open(line);
                        self.push_scope();
                        wrapped += 1;
                    }
                    None => {}
                }
            }
        }
        for _ in 0..wrapped {
            self.pop_scope();
            self.out.close("}");
        }
        Ok(())
    }

    /// Whether after a step no thread may be left where it stands.
    fn may_leave_none(&self, step: &Step) -> bool {
        let facts = self.facts;
        let leaves = |id: StatementId| {
            (id.0..facts.end(id)).map(StatementId).any(|inner| match facts.kind(inner) {
                StatementKind::Return { .. } => true,
                StatementKind::Break | StatementKind::Continue => facts
                    .jump_target(inner)
                    .is_some_and(|target| !(target == id || facts.flow.is_inside(target, id))),
                _ => false,
            })
        };
        match &step.kind {
            StepKind::Region(items) => items.iter().any(|item| match item {
                super::schedule::Item::Statement(id) => leaves(*id),
                _ => false,
            }),
            StepKind::Control(id) => leaves(*id),
            _ => false,
        }
    }

    fn one_step(&mut self, step: &Step) -> Result<(), NotCompiled> {
        let facts = self.facts;
        self.step = Some(step.number);
        match &step.kind {
            StepKind::Region(items) => {
                for item in items {
                    if let super::schedule::Item::Statement(id) = item {
                        self.place = facts.statement(*id).location.origin;
                        self.scalar_values(facts.position(*id))?;
                        self.shared_values(*id)?;
                    }
                }
                self.region(items, step.number)
            }
            StepKind::Scalar(id) => {
                self.comment(*id);
                self.place = facts.statement(*id).location.origin;
                self.scalar_values(facts.position(*id))?;
                self.scalar(*id)
            }
            StepKind::Convergent(id) => {
                self.comment(*id);
                self.place = facts.statement(*id).location.origin;
                self.scalar_values(facts.position(*id))?;
                self.convergent(*id, step.number)
            }
            StepKind::Control(id) => {
                self.comment(*id);
                self.place = facts.statement(*id).location.origin;
                self.scalar_values(facts.position(*id))?;
                self.control(*id)
            }
            StepKind::Jump(id) => {
                self.comment(*id);
                self.jump(*id)
            }
            StepKind::Strided(id) => {
                self.place = facts.statement(*id).location.origin;
                self.scalar_values(facts.position(*id))?;
                self.shared_values(*id)?;
                self.strided(*id, step.number)
            }
        }
    }

    /// Declares the values of a position that all threads share, and those that inner positions of
    /// its step read.
    fn scalar_values(&mut self, position: Position) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let Some(values) = facts.named_at.get(&position) else { return Ok(()) };
        for value in values {
            if self.known(*value).is_none() && self.schedule.is_scalar(facts, *value) {
                self.declare(*value)?;
            }
        }
        Ok(())
    }

    /// Declares, before a loop over the threads, what a statement in it reads that all threads share
    /// and that takes long to compute: not every compiler moves a division or a root out of a loop.
    fn shared_values(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let mut work = Vec::new();
        for inner in (id.0..facts.end(id)).map(StatementId) {
            work.extend(facts.kind(inner).operands());
            if let StatementKind::Loop(looping) = facts.kind(inner) {
                work.extend(looping.test);
            }
        }
        work.reverse();
        let mut seen = BTreeSet::new();
        while let Some(value) = work.pop() {
            if !seen.insert(value) || facts.expression(value).is_leaf() {
                continue;
            }
            if facts.cost(value, 12) < COSTLY {
                continue;
            }
            if !self.schedule.is_scalar(facts, value) {
                work.extend(facts.expression(value).operands().into_iter().rev());
            } else if self.known(value).is_none() && !facts.may_trap(value) {
                self.declare(value)?;
            }
        }
        Ok(())
    }

    fn scalar(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        match facts.kind(id) {
            StatementKind::Load { result, pointer, .. } => {
                if facts.uses[result.index()].is_empty()
                    || (facts.folded[result.index()] && facts.variable(*pointer).is_some())
                {
                    return Ok(());
                }
                let ty = facts.ty(*result);
                let text = self.lvalue(*pointer, ty)?;
                let wish = self.wish(*result);
                let name = self.names.fresh(&wish);
                let spelled = self.spelling.value(ty)?;
                let head = super::types::constant_of(&spelled, &name);
                self.out.line(format!("{head} = {};", text.text));
                self.bind(*result, name);
                Ok(())
            }
            _ => self.simple(id),
        }
    }

    fn control(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let masked = self.schedule.masked.contains(&id);
        let children = &facts.children[id.index()];
        match facts.kind(id) {
            StatementKind::Block(_) => {
                self.out.open("{");
                self.push_scope();
                self.block_steps(children[0])?;
                self.pop_scope();
                self.out.close("}");
                Ok(())
            }
            StatementKind::If { condition, .. } if !masked => {
                let [accept, reject] = children[..] else { return Ok(()) };
                let condition = self.value(*condition)?;
                let empty = |block: BlockId| facts.blocks[block].statements.is_empty();
                let (first, second, head) = if empty(accept) {
                    (reject, accept, format!("if (!{}) {{", condition.in_level(Level::Unary)))
                } else {
                    (accept, reject, format!("if ({}) {{", condition.condition()))
                };
                self.out.open(head);
                self.scoped_steps(first)?;
                if !empty(second) {
                    self.out.turn("} else {");
                    self.scoped_steps(second)?;
                }
                self.out.close("}");
                Ok(())
            }
            StatementKind::If { condition, .. } => self.masked_if(id, *condition),
            StatementKind::Switch { .. } if masked => self.masked_switch(id),
            StatementKind::Switch { .. } => self.plain_switch(id),
            StatementKind::Loop(_) if masked => self.masked_loop(id),
            StatementKind::Loop(_) => self.plain_loop(id),
            _ => Ok(()),
        }
    }

    fn scoped_steps(&mut self, block: BlockId) -> Result<(), NotCompiled> {
        self.push_scope();
        self.block_steps(block)?;
        self.pop_scope();
        Ok(())
    }

    fn plain_switch(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let StatementKind::Switch { selector, cases } = facts.kind(id) else { return Ok(()) };
        let scalar = facts.ty(*selector).scalar().unwrap_or(port_ir::Scalar::I32);
        let selector = self.value(*selector)?;
        self.out.open(format!("switch ({}) {{", selector.condition()));
        self.block_targets.push((id, None));
        for (case, block) in cases.iter().zip(facts.children[id.index()].clone()) {
            for bits in &case.values {
                let value =
                    super::expression::constant(port_ir::Constant::from_bits(scalar, *bits));
                self.out.line(format!("case {}:", value.text));
            }
            if case.default {
                self.out.line("default:");
            }
            self.out.open("{");
            self.scoped_steps(block)?;
            if !case.fallthrough {
                let last = facts.blocks[block].statements.last();
                if !last.is_some_and(|last| facts.kind(*last).is_jump()) {
                    self.out.line("break;");
                }
            }
            self.out.close("}");
            if case.fallthrough {
                self.out.line("PORT_CPU_FALLTHROUGH;");
            }
        }
        self.block_targets.pop();
        self.out.close("}");
        Ok(())
    }

    fn plain_loop(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let schedule = self.schedule;
        let StatementKind::Loop(looping) = facts.kind(id) else { return Ok(()) };
        let [condition, body, step] = facts.children[id.index()][..] else { return Ok(()) };
        let before = looping.when == LoopTest::Before;
        let plain_condition = schedule.steps.get(&condition).is_some_and(Vec::is_empty);
        let plain_step = schedule
            .steps
            .get(&step)
            .is_some_and(|steps| steps.iter().all(|step| matches!(step.kind, StepKind::Scalar(_))));
        if before
            && plain_condition
            && plain_step
            && let Some(head) = self.loop_head(id)?
        {
            self.out.open(head);
            self.block_targets.push((id, None));
            self.scoped_steps(body)?;
            self.block_targets.pop();
            self.out.close("}");
            return Ok(());
        }
        self.out.open("for (;;) {");
        self.push_scope();
        if before {
            self.block_steps(condition)?;
            self.plain_test(condition, looping.test)?;
        }
        let continues = facts.flow.inside(id).any(|(inner, entry)| {
            matches!(entry.statement.kind, StatementKind::Continue)
                && facts.jump_target(inner) == Some(id)
        });
        let label = continues.then(|| self.names.fresh("step"));
        self.block_targets.push((id, label.clone()));
        if label.is_some() || !before {
            self.out.open("{");
        }
        self.scoped_steps(body)?;
        if label.is_some() || !before {
            self.out.close("}");
        }
        self.block_targets.pop();
        if let Some(label) = label {
            self.out.line(format!("{label}:;"));
        }
        self.scoped_steps(step)?;
        if !before {
            self.block_steps(condition)?;
            self.plain_test(condition, looping.test)?;
        }
        self.pop_scope();
        self.out.close("}");
        Ok(())
    }

    fn plain_test(&mut self, condition: BlockId, test: Option<Value>) -> Result<(), NotCompiled> {
        self.scalar_values(Position { block: condition, key: END })?;
        if let Some(test) = test {
            let test = self.value(test)?;
            self.out.line(format!("if (!{}) break;", test.in_level(Level::Unary)));
        }
        Ok(())
    }

    /// A jump of all threads that come here.
    fn jump(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let inner_mask = self.masks.iter().any(|(frame, _)| *frame != Frame::Kernel);
        let returns = matches!(facts.kind(id), StatementKind::Return { .. });
        let continues = matches!(facts.kind(id), StatementKind::Continue);
        let target = if returns { None } else { facts.jump_target(id) };
        if returns && !inner_mask {
            self.out.line("return;");
            return Ok(());
        }
        if let Some(target) = target
            && !self.schedule.masked.contains(&target)
        {
            let label = self
                .block_targets
                .iter()
                .rev()
                .find(|(known, _)| *known == target)
                .and_then(|(_, label)| label.clone());
            match label {
                Some(label) if continues => self.out.line(format!("goto {label};")),
                _ => self.out.line(if continues { "continue;" } else { "break;" }),
            }
            return Ok(());
        }
        let Some((_, current)) = self.masks.last().cloned() else { return Ok(()) };
        let cleared = self.cleared(target, continues);
        let list: Vec<String> = cleared.iter().map(|mask| format!("{mask}[t] = 0;")).collect();
        self.out.line(format!(
            "for (uint32_t t = 0; t < threads; ++t) if ({current}[t]) {{ {} }}",
            list.join(" ")
        ));
        Ok(())
    }

    /// The masks that a thread leaves by a jump, outermost first; `None` is a return.
    pub(super) fn cleared(&self, target: Option<StatementId>, continues: bool) -> Vec<String> {
        let first = match target {
            None => 0,
            Some(target) => {
                let frame = if continues { Frame::Pass(target) } else { Frame::Loop(target) };
                self.masks
                    .iter()
                    .position(|(known, _)| *known == frame || *known == Frame::Switch(target))
                    .unwrap_or(self.masks.len())
            }
        };
        self.masks[first..].iter().map(|(_, mask)| mask.clone()).collect()
    }
}
