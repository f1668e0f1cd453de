//! Loops and ifs of one thread that are better done for a row of threads at once.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{
    CompareOp, Conversion, Expression, Handle, IntegerOp, Local, LoopTest, Scalar, StatementKind,
    Value,
};

use super::affine::{Linear, Strided, bounds, compared, linear};
use super::facts::BlockId;
use super::schedule::{Pass, Together};

impl Pass<'_, '_, '_> {
    /// Whether a statement is for threads that a condition on their numbers picks, and shares nothing
    /// of a thread with what stands around it: then a loop over just those threads does it.
    pub(super) fn stands_alone(&self, id: StatementId) -> bool {
        let facts = self.facts;
        let StatementKind::If { condition, .. } = facts.kind(id) else { return false };
        let [_, reject] = facts.children[id.index()][..] else { return false };
        if !facts.blocks[reject].statements.is_empty()
            || !self.escaping(id).is_empty()
            || self.loses_threads(id)
            || !bounds(facts, self.schedule, *condition, true)
        {
            return false;
        }
        let mut seen = BTreeSet::new();
        for inner in id.0..facts.end(id) {
            let inner = StatementId(inner);
            let mut work = facts.kind(inner).operands();
            if let StatementKind::Loop(looping) = facts.kind(inner) {
                work.extend(looping.test);
            }
            while let Some(value) = work.pop() {
                if !seen.insert(value) {
                    continue;
                }
                match facts.expression(value) {
                    Expression::Result(_) => {
                        let own = facts
                            .flow
                            .definer(value)
                            .is_some_and(|definer| facts.flow.is_inside(definer, id));
                        if !own && !self.schedule.is_scalar(facts, value) {
                            return false;
                        }
                    }
                    Expression::Local(local) => {
                        let own = facts.accesses[local.index()]
                            .iter()
                            .all(|access| facts.flow.is_inside(*access, id));
                        if !own {
                            return false;
                        }
                    }
                    other => work.extend(other.operands()),
                }
            }
        }
        true
    }

    /// Whether a statement ends the threads for which a condition on their numbers holds, in a
    /// kernel in which threads need not meet: then the condition bounds what follows.
    pub(super) fn is_guard(&self, id: StatementId) -> bool {
        let facts = self.facts;
        let StatementKind::If { condition, .. } = facts.kind(id) else { return false };
        let [accept, reject] = facts.children[id.index()][..] else { return false };
        let [only] = facts.blocks[accept].statements[..] else { return false };
        !self.schedule.meets
            && facts.blocks[reject].statements.is_empty()
            && matches!(facts.kind(only), StatementKind::Return { .. })
            && bounds(facts, self.schedule, *condition, false)
    }

    /// Whether threads may have returned, other than by guards, before a statement.
    fn loses_threads(&self, id: StatementId) -> bool {
        let facts = self.facts;
        (0..id.0).map(StatementId).any(|before| {
            matches!(facts.kind(before), StatementKind::Return { .. })
                && !facts
                    .flow
                    .parents(before)
                    .any(|(parent, _)| self.schedule.guards.contains(&parent))
                && !self.schedule.is_block_level(facts.block_of[before.index()])
        })
    }

    /// A loop whose passes the threads of a row can make together, where that lets neighbours access
    /// neighbouring memory at the same time.
    pub(super) fn strided(&self, id: StatementId, together: Together) -> Option<Strided> {
        let facts = self.facts;
        if together != Together::All || self.loses_threads(id) {
            return None;
        }
        let StatementKind::Loop(looping) = facts.kind(id) else { return None };
        let [condition, body, step] = facts.children[id.index()][..] else { return None };
        if looping.when != LoopTest::Before {
            return None;
        }
        let names = |id: &StatementId| match facts.kind(*id) {
            StatementKind::Load { result, pointer, .. } => {
                facts.variable(*pointer).is_some() && facts.folded[result.index()]
            }
            _ => false,
        };
        if !facts.blocks[condition].statements.iter().all(names) {
            return None;
        }
        let loaded = |value: Value| {
            let mut value = value;
            while let Expression::Convert {
                kind: Conversion::Bits | Conversion::ZeroExtend | Conversion::SignExtend,
                value: inner,
                ..
            } = facts.expression(value)
            {
                value = *inner;
            }
            let definer = facts.flow.definer(value)?;
            match facts.kind(definer) {
                StatementKind::Load { pointer, .. } => facts.variable(*pointer),
                _ => None,
            }
        };
        let Expression::Compare { op, left, right } = facts.expression(looping.test?) else {
            return None;
        };
        let (own, bound, op) = match op {
            CompareOp::Less | CompareOp::LessEqual => (*left, *right, *op),
            CompareOp::Greater => (*right, *left, CompareOp::Less),
            CompareOp::GreaterEqual => (*right, *left, CompareOp::LessEqual),
            _ => return None,
        };
        let variable = loaded(own)?;
        // Set once before, changed once in the step, and not looked at afterwards.
        let [first, last] = facts.stores[variable.index()][..] else { return None };
        if facts.block_of[first.index()] != facts.block_of[id.index()]
            || first > id
            || facts.block_of[last.index()] != step
            || facts.accesses[variable.index()]
                .iter()
                .any(|access| *access != first && !facts.flow.is_inside(*access, id))
        {
            return None;
        }
        let only = facts.blocks[step].statements.iter().all(|inner| *inner == last || names(inner));
        let (StatementKind::Store { value: start, .. }, StatementKind::Store { value: next, .. }) =
            (facts.kind(first), facts.kind(last))
        else {
            return None;
        };
        let mut next = *next;
        while let Expression::Convert { kind: Conversion::Bits, value, .. } = facts.expression(next)
        {
            next = *value;
        }
        let Expression::Integer { op: IntegerOp::Add, left, right } = facts.expression(next) else {
            return None;
        };
        let stride = match (loaded(*left), loaded(*right)) {
            (Some(local), _) if local == variable => *right,
            (_, Some(local)) if local == variable => *left,
            _ => return None,
        };
        let positive = match facts.expression(stride) {
            Expression::Constant(constant) => constant.as_integer().is_some_and(|by| by > 0),
            _ => facts.ty(stride).scalar().is_some_and(Scalar::is_unsigned),
        };
        if !only || !positive || !self.schedule.is_scalar(facts, stride) {
            return None;
        }
        let mut inductions = BTreeMap::new();
        let first = linear(facts, self.schedule, &inductions, *start, 24)?;
        let end = compared(facts, self.schedule, &inductions, bound)?;
        if end.x != 0 || !(first.x == 0 || first.x == 1) {
            return None;
        }
        let unsigned = facts.ty(own).scalar().is_some_and(Scalar::is_unsigned);
        if unsigned && (first.may_be_negative() || end.may_be_negative()) {
            return None;
        }
        let spread = first.x == 1;
        inductions.insert(variable, Linear::of_pass(variable, spread, first.may_be_negative()));
        let inclusive = op == CompareOp::LessEqual;
        let at_once = match (first.is_constant(), end.is_constant(), facts.expression(stride)) {
            (Some(first), Some(end), Expression::Constant(stride)) if !spread => {
                let end = end + i128::from(inclusive);
                stride.as_integer().and_then(|stride| self.at_once(id, end - first, stride))
            }
            _ => None,
        };
        self.gains(id, body, &inductions).then_some(Strided {
            variable,
            first: *start,
            stride,
            bound,
            inclusive,
            spread,
            at_once,
        })
    }

    /// How many passes of a loop a thread makes at once, and of how many: what it sums up then stays
    /// in registers. The number of all is known, and that at once divides it.
    fn at_once(&self, id: StatementId, distance: i128, stride: i128) -> Option<(i128, i128)> {
        const MAX_PASSES: i128 = 16;
        const MAX_ACCESSES: i128 = 64;
        let facts = self.facts;
        let passes = if distance > 0 { (distance + stride - 1) / stride } else { 0 };
        let mut accesses = 0;
        for inner in (id.0 + 1..facts.end(id)).map(StatementId) {
            match facts.kind(inner) {
                StatementKind::Load { pointer, .. } | StatementKind::Store { pointer, .. } => {
                    accesses += i128::from(facts.variable(*pointer).is_none());
                }
                StatementKind::Block(_) => {}
                _ => return None,
            }
        }
        let fits = |at_once: &i128| {
            passes % at_once == 0
                && at_once * accesses <= MAX_ACCESSES
                && (*at_once >= 4 || *at_once == passes)
        };
        let at_once = (2..=MAX_PASSES).rev().find(fits)?;
        Some((at_once, passes))
    }

    /// Whether the body of a loop is simple, and all its accesses are to the same place for all
    /// threads of a row or to neighbouring places, some of them to the latter.
    fn gains(
        &self,
        id: StatementId,
        body: BlockId,
        inductions: &BTreeMap<Handle<Local>, Linear>,
    ) -> bool {
        let facts = self.facts;
        let mut neighbours = false;
        for inner in id.0 + 1..facts.end(id) {
            let inner = StatementId(inner);
            let pointer = match facts.kind(inner) {
                StatementKind::Load { pointer, access, .. }
                | StatementKind::Store { pointer, access, .. } => {
                    if access.volatile || access.atomic.is_some() {
                        return false;
                    }
                    *pointer
                }
                StatementKind::If { .. } | StatementKind::Block(_) => continue,
                _ => return false,
            };
            if facts.variable(pointer).is_some() {
                continue;
            }
            if matches!(facts.flow.root(pointer), Root::Local(_)) {
                return false;
            }
            let Expression::Element { base, index, .. } = facts.expression(pointer) else {
                if !self.schedule.is_scalar(facts, pointer) {
                    return false;
                }
                continue;
            };
            let place = linear(facts, self.schedule, inductions, *index, 24);
            let row =
                self.schedule.is_scalar(facts, *base) || self.base_is_by_row(*base, inductions);
            match place {
                Some(place) if row && place.x == 1 => neighbours = true,
                Some(place) if row && place.x == 0 => {}
                _ => return false,
            }
        }
        let _ = body;
        neighbours
    }

    /// Whether a pointer is the same for all threads of a row.
    fn base_is_by_row(&self, pointer: Value, inductions: &BTreeMap<Handle<Local>, Linear>) -> bool {
        let facts = self.facts;
        let mut at = pointer;
        loop {
            if self.schedule.is_scalar(facts, at) {
                return true;
            }
            match facts.expression(at) {
                Expression::Element { base, index, .. } => {
                    match linear(facts, self.schedule, inductions, *index, 24) {
                        Some(place) if place.x == 0 => at = *base,
                        _ => return false,
                    }
                }
                Expression::Member { base, .. } => at = *base,
                Expression::Convert { kind: Conversion::Space, value, .. } => at = *value,
                _ => return false,
            }
        }
    }
}
