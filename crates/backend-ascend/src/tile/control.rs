//! Statements: control that all lanes share stays control; where lanes part, masks say who goes on.

use std::collections::BTreeSet;

use port_ir::analysis::affine::Symbol;
use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{
    BarrierReduction, BarrierScope, Block, CompareOp, Expression, Location, Loop, LoopTest,
    Statement, StatementKind, SwitchCase, Type, Value,
};

use super::engine::{Active, Around, Engine, Result, Val};
use super::ir::Node;
use super::value::{Kind, kind};

/// The lanes that reach the end of a block; `None` for none.
type Falls = Option<Active>;

impl Engine<'_, '_> {
    /// The statements of a block.
    pub fn block(&mut self, block: &Block, active: &Active) -> Result<Falls> {
        let mut active = active.clone();
        for (index, statement) in block.statements.iter().enumerate() {
            let id = StatementId(self.state.next);
            self.state.next += 1;
            if self.state.done.remove(&id.0) {
                continue;
            }
            // A load or store may be one with those of its neighbours that follow it.
            let rest = &block.statements[index..];
            let is_taken = match statement.kind {
                StatementKind::Load { .. } => self.load_neighbours(rest, id, &active)?,
                StatementKind::Store { .. } => self.store_neighbours(rest, id, &active)?,
                _ => false,
            };
            if is_taken {
                continue;
            }
            match self.statement(id, statement, &active)? {
                Some(after) => active = after,
                None => {
                    // What follows is not reached, but has numbers.
                    for rest in &block.statements[index + 1..] {
                        self.skip(rest);
                    }
                    return Ok(None);
                }
            }
        }
        Ok(Some(active))
    }

    fn skip(&mut self, statement: &Statement) {
        self.state.next += 1;
        for block in statement.kind.blocks() {
            for inner in &block.statements {
                self.skip(inner);
            }
        }
    }

    fn statement(
        &mut self,
        id: StatementId,
        statement: &Statement,
        active: &Active,
    ) -> Result<Falls> {
        let location = statement.location;
        if !matches!(statement.kind, StatementKind::Block(_)) {
            self.source(location);
        }
        let same = Ok(Some(active.clone()));
        match &statement.kind {
            StatementKind::Load { result, pointer, access } => {
                if access.atomic.is_some()
                    || access.volatile
                        && !matches!(
                            self.flow.root(*pointer),
                            port_ir::analysis::flow::Root::Variable(_)
                        )
                {
                    self.state.one_core = true;
                }
                self.load(*result, *pointer, active, location)?;
                same
            }
            StatementKind::Store { pointer, value, .. } => {
                self.store(*pointer, *value, active, location)?;
                same
            }
            StatementKind::Atomic { result, op, pointer, value, .. } => {
                self.atomic(*result, *op, *pointer, *value, active, location)?;
                same
            }
            StatementKind::Fence { .. } | StatementKind::Prefetch { .. } => same,
            StatementKind::Barrier { scope, reduce, named, .. } => {
                if matches!(scope, BarrierScope::Grid | BarrierScope::Cluster) {
                    return self.refuse("blocks wait for each other", location);
                }
                if named.is_some() {
                    return self.refuse("barriers are named", location);
                }
                if self.lanes != super::shape::Lanes::Block {
                    return self.refuse("the threads of a block work together", location);
                }
                if let Some(reduce) = reduce {
                    let mask = self.taking_part(reduce.predicate, active)?;
                    let name = self.fresh("threads");
                    self.line(format!("const int32_t {name} = lanes.Count({mask});"));
                    let text = match reduce.op {
                        BarrierReduction::Count => name,
                        BarrierReduction::Or => format!("{name} != 0"),
                        BarrierReduction::And => {
                            let all = self.active_mask(active);
                            format!("{name} == lanes.Count({all})")
                        }
                    };
                    let ty = if reduce.op == BarrierReduction::Count { "int32_t" } else { "bool" };
                    let named = self.fresh("agreed");
                    self.line(format!("const {ty} {named} = {text};"));
                    // All lanes get it; whether the analysis knows is another matter.
                    let val = if !self.shape.varies(reduce.result) {
                        Val::Uniform(named)
                    } else if ty == "bool" {
                        Val::Mask(self.mask_of(Val::Uniform(named), reduce.result)?)
                    } else {
                        Val::Int(self.int_of(Val::Uniform(named), reduce.result)?)
                    };
                    self.remember(reduce.result, &val);
                }
                same
            }
            StatementKind::Shuffle { result, in_range, mode, value, lane, width, .. } => {
                if in_range.is_some() {
                    return self.refuse("a shuffle says whether its lane was in reach", location);
                }
                self.shuffle(*result, *mode, *value, *lane, *width, location)?;
                same
            }
            StatementKind::Vote { result, kind, predicate, mask } => {
                self.vote(*result, *kind, *mask, *predicate, active, location)?;
                same
            }
            StatementKind::ActiveMask { result } => {
                let mask = self.active_mask(active);
                let slot = self.int_slot("ballot");
                self.line(format!("lanes.Ballot({slot}, {mask});"));
                self.remember(*result, &Val::Int(slot));
                same
            }
            StatementKind::WarpReduce { result, op, value, mask } => {
                self.warp_reduce(*result, *op, *mask, *value, active, location)?;
                same
            }
            StatementKind::Block(block) => self.block(block, active),
            StatementKind::If { condition, accept, reject } => {
                self.branch(*condition, accept, reject, active, location)
            }
            StatementKind::Switch { selector, cases } => {
                self.switch(id, *selector, cases, active, location)
            }
            StatementKind::Loop(looping) => {
                let saved = (self.state.clone(), self.affine_mark());
                // First as if lanes left in ranges; if they do not, with a mask.
                match self.looping(id, looping, active, false, location) {
                    Err(why) if why.reason == NEEDS_MASK => {
                        self.state = saved.0;
                        self.looping(id, looping, active, true, location)
                    }
                    other => other,
                }
            }
            StatementKind::Break => self.jump_out(active, location),
            StatementKind::Continue => self.jump_on(active, location),
            StatementKind::Return { .. } => {
                if self.state.depth == 0 {
                    self.line("return;");
                    return Ok(None);
                }
                if self.state.loops.iter().any(|l| !l.is_switch) {
                    let Some(returned) = self.state.returned.clone() else {
                        return self.refuse("threads return from inside a loop", location);
                    };
                    let mask = self.active_mask(active);
                    self.line(format!("lanes.MaskOr({returned}, {returned}, {mask});"));
                }
                Ok(None)
            }
            StatementKind::Assert { .. } => same,
            StatementKind::AsyncCommit | StatementKind::AsyncWait { .. } => same,
            StatementKind::Call { .. } => {
                self.refuse("a function is called that could not be inlined", location)
            }
            StatementKind::Print { .. } => self.refuse("it prints", location),
            StatementKind::Trap => self.refuse("it stops itself", location),
            StatementKind::Copy { destination, source, bytes } => {
                self.copy(*destination, *source, *bytes, active, location)?;
                same
            }
            StatementKind::Fill { .. } => self.refuse("bytes are filled", location),
            StatementKind::AsyncCopy(copy) => {
                self.async_copy(copy, active, location)?;
                same
            }
            StatementKind::Match { result, same: agree, all, mask, value } => {
                self.matching(*result, *agree, *all, *mask, *value, active, location)?;
                same
            }
            StatementKind::Elect { .. } => self.refuse("one lane is elected", location),
            StatementKind::MatrixLoad { .. }
            | StatementKind::MatrixStore { .. }
            | StatementKind::MatrixMultiply { .. } => {
                self.refuse("it multiplies matrices", location)
            }
            StatementKind::Clock { .. } | StatementKind::Sleep { .. } => {
                self.refuse("it asks for the time", location)
            }
            StatementKind::Unsupported { .. } => {
                self.refuse("a part of it could not be translated", location)
            }
        }
    }

    fn affine_mark(&self) {}

    /// The lanes of a condition among the active ones.
    pub(super) fn taking_part(&mut self, predicate: Value, active: &Active) -> Result<String> {
        let holds = self.mask(predicate)?;
        let own = self.active_mask(active);
        let slot = self.mask_slot("holding");
        self.line(format!("lanes.MaskAnd({slot}, {holds}, {own});"));
        Ok(slot)
    }

    /// The active lanes where a condition holds.
    fn within(&mut self, active: &Active, condition: Val, value: Value) -> Result<Active> {
        match (active, condition) {
            (Active::Box(own), Val::Box(name, _)) => {
                let both = self.fresh("active");
                self.line(format!("const lanes::Box {both} = lanes::Intersect({own}, {name});"));
                Ok(Active::Box(both))
            }
            (active, condition) => {
                let own = self.active_mask(active);
                let holds = self.mask_of(condition, value)?;
                let slot = self.mask_slot("active");
                self.line(format!("lanes.MaskAnd({slot}, {own}, {holds});"));
                Ok(Active::Mask(slot))
            }
        }
    }

    fn none(active: &Active) -> String {
        match active {
            Active::Box(name) => format!("lanes::IsEmpty({name})"),
            Active::Mask(name) => format!("!lanes.Any({name})"),
        }
    }

    fn any(active: &Active) -> String {
        match active {
            Active::Box(name) => format!("!lanes::IsEmpty({name})"),
            Active::Mask(name) => format!("lanes.Any({name})"),
        }
    }

    /// Where no lane may be active, C++ that asks whether one is: what all lanes share is then read only if one does.
    pub(super) fn may_be_empty(&self, active: &Active) -> Option<String> {
        let is_present = self.state.present.iter().any(|(name, _)| name == active.name());
        (!is_present).then(|| Self::any(active))
    }

    fn branch(
        &mut self,
        condition: Value,
        accept: &Block,
        reject: &Block,
        active: &Active,
        location: Location,
    ) -> Result<Falls> {
        if !self.shape.varies(condition) {
            return self.uniform_branch(condition, accept, reject, active);
        }
        let val = self.eval(condition)?;
        let accepted = self.within(active, val.clone(), condition)?;
        let complement = match val {
            Val::Box(name, Some(other)) => Some(Val::Box(other, Some(name))),
            _ => None,
        };
        let has_reject = !reject.statements.is_empty();
        let jumps = falls_not(accept);
        let rejected = if has_reject || jumps {
            Some(match complement {
                Some(complement) => self.within(active, complement, condition)?,
                None => {
                    let own = self.active_mask(active);
                    let taken = self.active_mask(&accepted);
                    let slot = self.mask_slot("others");
                    self.line(format!("lanes.MaskAndNot({slot}, {own}, {taken});"));
                    Active::Mask(slot)
                }
            })
        } else {
            None
        };
        // `if (i >= n) return;`: nobody has anything to do.
        if jumps && !has_reject && self.is_bare_return(accept) && self.state.depth == 0 {
            self.state.next += count(accept);
            let rest = rejected.unwrap_or_else(|| active.clone());
            let none = Self::none(&rest);
            let outside_loops = !self.state.loops.iter().any(|l| !l.is_switch);
            if outside_loops {
                self.line(format!("if ({none}) return;"));
                self.some_are(&rest);
                return Ok(Some(rest));
            }
            self.state.next -= count(accept);
            return self.arms(active, accepted, Some(rest), accept, reject, location);
        }
        if let (Some(rejected), true) = (&rejected, self.store_in_both(accept, reject)) {
            let arms = [(accepted, accept), (rejected.clone(), reject)];
            return self.arms_with_one_store(active, arms);
        }
        self.arms(active, accepted, rejected, accept, reject, location)
    }

    /// Whether both arms end with a store to one place of global memory: what is stored is then chosen for
    /// each lane, and all of it goes out at once.
    fn store_in_both(&mut self, accept: &Block, reject: &Block) -> bool {
        if may_jump(accept) || may_jump(reject) {
            return false;
        }
        let last = |block: &Block| match block.statements.last().map(|last| &last.kind) {
            Some(StatementKind::Store { pointer, value, access })
                if !access.volatile && access.atomic.is_none() =>
            {
                Some((*pointer, *value))
            }
            _ => None,
        };
        let (Some((to, a)), Some((also, b))) = (last(accept), last(reject)) else { return false };
        let (Some(to), Some(also)) = (self.affine.address(to), self.affine.address(also)) else {
            return false;
        };
        let is_memory = match to.root {
            Root::Argument(_) => true,
            Root::Variable(variable) => {
                self.module.variables[variable].space != port_ir::Space::Shared
            }
            _ => false,
        };
        let is_chosen = match self.type_of(a) {
            Type::Scalar(scalar) | Type::Vector(scalar, _) => {
                matches!(kind(scalar), Some(Kind::Float | Kind::Int))
            }
            _ => false,
        };
        is_memory && is_chosen && to == also && self.type_of(a) == self.type_of(b)
    }

    fn arms_with_one_store(
        &mut self,
        active: &Active,
        arms: [(Active, &Block); 2],
    ) -> Result<Falls> {
        self.state.depth += 1;
        let accepted = self.active_mask(&arms[0].0);
        let mut stored = Vec::new();
        for (own, block) in arms {
            let Some((last, before)) = block.statements.split_last() else { continue };
            let StatementKind::Store { pointer, value, .. } = &last.kind else { continue };
            let before = Block { statements: before.to_vec() };
            self.open();
            self.some_are(&own);
            let made = self.block(&before, &own).and_then(|_| {
                self.state.next += 1;
                self.source(last.location);
                self.whole(*value)
            });
            let body = self.close();
            stored.push((*pointer, *value, made?, last.location));
            self.guard(&own, body);
        }
        self.state.depth -= 1;
        let [(pointer, value, a, location), (.., b, _)] = stored.as_slice() else {
            return Ok(Some(active.clone()));
        };
        self.store_chosen(*pointer, *value, &accepted, [a, b], active, *location)?;
        Ok(Some(active.clone()))
    }

    fn is_bare_return(&self, block: &Block) -> bool {
        matches!(block.statements.as_slice(), [only] if matches!(only.kind, StatementKind::Return { .. }))
    }

    fn arms(
        &mut self,
        active: &Active,
        accepted: Active,
        rejected: Option<Active>,
        accept: &Block,
        reject: &Block,
        location: Location,
    ) -> Result<Falls> {
        self.state.depth += 1;
        let merged = if may_jump(accept) || may_jump(reject) {
            Some(self.variable_mask("merged"))
        } else {
            None
        };
        if let Some(merged) = &merged {
            self.line(format!("lanes.MaskSet({merged}, false);"));
        }
        let accept_falls = self.arm(&accepted, accept, merged.as_deref())?;
        let reject_falls = match &rejected {
            Some(rejected) if !reject.statements.is_empty() => {
                self.arm(rejected, reject, merged.as_deref())?
            }
            Some(rejected) => {
                if let Some(merged) = &merged {
                    let mask = self.active_mask(rejected);
                    self.line(format!("lanes.MaskOr({merged}, {merged}, {mask});"));
                }
                Some(rejected.clone())
            }
            None => Some(active.clone()),
        };
        self.state.depth -= 1;
        let _ = location;
        Ok(match (merged, accept_falls, reject_falls) {
            (None, _, _) => Some(active.clone()),
            (Some(_), None, None) => None,
            // Nothing came back: the others, as they were.
            (Some(_), None, Some(rest)) if !may_jump(reject) => Some(rest),
            (Some(_), Some(rest), None) if !may_jump(accept) => Some(rest),
            (Some(merged), _, _) => Some(Active::Mask(merged)),
        })
    }

    fn variable_mask(&mut self, wish: &str) -> String {
        let name = self.mask_slot(wish);
        if let Some(slot) = self.state.tile.slots.get_mut(&name) {
            slot.variable = true;
        }
        name
    }

    fn arm(&mut self, active: &Active, block: &Block, merged: Option<&str>) -> Result<Falls> {
        if block.statements.is_empty() {
            if let Some(merged) = merged {
                let mask = self.active_mask(active);
                self.line(format!("lanes.MaskOr({merged}, {merged}, {mask});"));
            }
            return Ok(Some(active.clone()));
        }
        self.open();
        self.some_are(active);
        let falls = self.block(block, active);
        if let (Ok(Some(falls)), Some(merged)) = (&falls, merged) {
            let mask = self.active_mask(falls);
            self.line(format!("lanes.MaskOr({merged}, {merged}, {mask});"));
        }
        let body = self.close();
        let falls = falls?;
        self.guard(active, body);
        Ok(falls)
    }

    /// What some lanes do, if there are any.
    fn guard(&mut self, active: &Active, body: Vec<Node>) {
        // To ask whether a mask has lanes, the scalar unit waits for the vector unit: a few instructions whose
        // results are for these lanes only cost less.
        let asks = matches!(active, Active::Box(_)) || lines(&body).is_none_or(|all| all > 48);
        let head = if asks { format!("if ({})", Self::any(active)) } else { String::new() };
        self.nest(head, body, false);
    }

    fn uniform_branch(
        &mut self,
        condition: Value,
        accept: &Block,
        reject: &Block,
        active: &Active,
    ) -> Result<Falls> {
        let text = self.uniform(condition)?;
        let masks_change = may_part(accept, self, self.state.next)
            || may_part(reject, self, self.state.next + count(accept));
        let merged = if masks_change {
            let merged = self.variable_mask("merged");
            let own = self.active_mask(active);
            self.line(format!("lanes.MaskCopy({merged}, {own});"));
            Some(merged)
        } else {
            None
        };
        let mut falls = Vec::new();
        let mut emitted = false;
        // What an arm stores that does not come back is not waited for behind it.
        let before = self.state.stored.clone();
        let mut stored = BTreeSet::new();
        for (index, block) in [accept, reject].into_iter().enumerate() {
            self.open();
            self.state.stored.clone_from(&before);
            let end = self.block(block, active);
            if !matches!(end, Ok(None)) {
                stored.extend(self.state.stored.iter().copied());
            }
            match (&end, &merged) {
                (Ok(Some(end)), Some(merged)) if end != active => {
                    let mask = self.active_mask(end);
                    self.line(format!("lanes.MaskCopy({merged}, {mask});"));
                }
                (Ok(None), Some(merged)) => self.line(format!("lanes.MaskSet({merged}, false);")),
                _ => {}
            }
            let body = self.close();
            falls.push(end?);
            if body.is_empty() {
                continue;
            }
            let head = match (index, emitted) {
                (0, _) => format!("if ({text})"),
                (_, true) => "else".to_owned(),
                (_, false) => format!("if (!({text}))"),
            };
            emitted = true;
            self.nest(head, body, false);
        }
        self.state.stored = stored;
        if falls.iter().all(Option::is_none) {
            return Ok(None);
        }
        Ok(Some(match merged {
            Some(merged) => Active::Mask(merged),
            None => active.clone(),
        }))
    }

    fn switch(
        &mut self,
        id: StatementId,
        selector: Value,
        cases: &[SwitchCase],
        active: &Active,
        location: Location,
    ) -> Result<Falls> {
        if !self.shape.varies(selector) {
            let text = self.uniform(selector)?;
            let around = Around {
                active: active.clone(),
                depth: self.state.depth,
                continued: None,
                id,
                is_switch: true,
            };
            self.state.loops.push(around);
            let mut arms = Vec::new();
            for case in cases {
                self.open();
                let end = self.block(&case.body, active);
                let live = matches!(end, Ok(Some(_)));
                if live && !case.fallthrough {
                    self.line("break;");
                }
                let body = self.close();
                let end = end?;
                if end.as_ref().is_some_and(|end| end != active) {
                    return self.refuse("threads part in a switch", location);
                }
                let mut labels: Vec<String> =
                    case.values.iter().map(|v| format!("case {v}u:")).collect();
                if case.default {
                    labels.push("default:".to_owned());
                }
                arms.push((labels.join(" "), body));
            }
            self.state.loops.pop();
            let mut nodes = Vec::new();
            for (labels, body) in arms {
                nodes.push(Node::Nest { head: labels, body, repeats: false });
            }
            let width = self.scalar_of(selector)?;
            let cast = if width.bits() == 64 { "uint64_t" } else { "uint32_t" };
            self.nest(format!("switch (static_cast<{cast}>({text}))"), nodes, false);
            return Ok(Some(active.clone()));
        }
        // One arm after the other, each for its lanes.
        if cases.iter().any(|case| case.fallthrough && !case.body.statements.is_empty()) {
            return self.refuse("a switch that threads take differently falls through", location);
        }
        let scalar = self.scalar_of(selector)?;
        if kind(scalar) != Some(Kind::Int) {
            return self.refuse("a switch over this type has no vector form", location);
        }
        let selector_slot = self.int(selector)?;
        let left = self.variable_mask("left");
        let own = self.active_mask(active);
        self.line(format!("lanes.MaskCopy({left}, {own});"));
        self.state.depth += 1;
        let mut pending: Vec<u64> = Vec::new();
        let mut default: Option<(&SwitchCase, u32)> = None;
        for case in cases {
            pending.extend(&case.values);
            if case.fallthrough {
                self.state.next += count(&case.body);
                continue;
            }
            if case.default {
                default = Some((case, self.state.next));
                self.state.next += count(&case.body);
                // Values that share the default's arm are the default's.
                pending.clear();
                continue;
            }
            let taken = self.mask_slot("taken");
            self.line(format!("lanes.MaskSet({taken}, false);"));
            for value in pending.drain(..) {
                let (constant, equal) = (self.int_slot("case"), self.mask_slot("equal"));
                self.line(format!(
                    "Duplicate({constant}, static_cast<int32_t>({value}u), lanes.padded);"
                ));
                self.line(format!(
                    "Compare({equal}, {selector_slot}, {constant}, CMPMODE::EQ, lanes.padded);"
                ));
                self.line(format!("lanes.MaskOr({taken}, {taken}, {equal});"));
            }
            self.line(format!("lanes.MaskAnd({taken}, {taken}, {own});"));
            self.line(format!("lanes.MaskAndNot({left}, {left}, {taken});"));
            self.case_arm(&case.body, &Active::Mask(taken), location)?;
        }
        if let Some((case, first)) = default {
            let resume = std::mem::replace(&mut self.state.next, first);
            self.case_arm(&case.body, &Active::Mask(left), location)?;
            self.state.next = resume;
        }
        self.state.depth -= 1;
        Ok(Some(active.clone()))
    }

    fn case_arm(&mut self, body: &Block, active: &Active, location: Location) -> Result<()> {
        // A `break` at the end of an arm only ends it.
        let mut trimmed = body.clone();
        let ends = matches!(trimmed.statements.last(), Some(last) if matches!(last.kind, StatementKind::Break));
        if ends {
            trimmed.statements.pop();
        }
        if may_jump(&trimmed) {
            return self
                .refuse("a switch that threads take differently is left in its middle", location);
        }
        self.arm(active, &trimmed, None)?;
        if ends {
            self.state.next += 1;
        }
        Ok(())
    }

    fn looping(
        &mut self,
        id: StatementId,
        looping: &Loop,
        active: &Active,
        masked: bool,
        location: Location,
    ) -> Result<Falls> {
        if !self.shape.loop_parts(id) {
            return self.uniform_loop(id, looping, active, location);
        }
        if let Some(is_empty) = self.single.get(&id).copied() {
            return self.single_pass(id, looping, active, is_empty);
        }
        let current = if masked {
            let name = self.variable_mask("looping");
            let own = self.active_mask(active);
            self.line(format!("lanes.MaskCopy({name}, {own});"));
            Active::Mask(name)
        } else {
            let Active::Box(own) = active else { return self.refuse(NEEDS_MASK, location) };
            let own = own.clone();
            let name = self.fresh("looping");
            self.line(format!("lanes::Box {name} = {own};"));
            Active::Box(name)
        };
        let continues = contains(looping, &|kind| matches!(kind, StatementKind::Continue));
        let returns = contains(looping, &|kind| matches!(kind, StatementKind::Return { .. }));
        let breaks = contains(looping, &|kind| matches!(kind, StatementKind::Break));
        if (continues || returns || breaks) && !masked {
            return self.refuse(NEEDS_MASK, location);
        }
        let continued = if continues { Some(self.variable_mask("waiting")) } else { None };
        let outer_returned = self.state.returned.clone();
        if returns && outer_returned.is_none() {
            let name = self.variable_mask("returned");
            self.line(format!("lanes.MaskSet({name}, false);"));
            self.state.returned = Some(name);
        }
        self.state.depth += 1;
        self.open();
        self.enter_loop(id, &current, continued.clone());
        let is_entered = self.may_be_empty(active).is_none();
        let made = self.divergent_pass(looping, &current, continued.as_deref(), id, is_entered);
        self.state.loops.pop();
        let body = self.close();
        self.state.depth -= 1;
        made?;
        if self.state.counted.contains(&id.0) {
            self.line(format!("int64_t passes{} = 0;", id.0));
        }
        self.nest("while (true)", body, true);
        let after = match (&self.state.returned, returns) {
            (Some(returned), true) => {
                let returned = returned.clone();
                let own = self.active_mask(active);
                let slot = self.mask_slot("staying");
                self.line(format!("lanes.MaskAndNot({slot}, {own}, {returned});"));
                Some(Active::Mask(slot))
            }
            _ => Some(active.clone()),
        };
        if outer_returned.is_none() && self.state.loops.is_empty() {
            self.state.returned = None;
        }
        Ok(after)
    }

    /// A loop over elements, where each has a lane.
    fn single_pass(
        &mut self,
        id: StatementId,
        looping: &Loop,
        active: &Active,
        is_empty: bool,
    ) -> Result<Falls> {
        let Some(test) = looping.test.filter(|_| !is_empty) else {
            self.state.next +=
                count(&looping.condition) + count(&looping.body) + count(&looping.step);
            return Ok(Some(active.clone()));
        };
        self.block(&looping.condition, active)?;
        let val = self.eval(test)?;
        let taking = self.within(active, val, test)?;
        self.state.depth += 1;
        self.enter_loop(id, &taking, None);
        let made = self.arm(&taking, &looping.body, None);
        self.state.loops.pop();
        self.state.depth -= 1;
        made?;
        self.state.next += count(&looping.step);
        Ok(Some(active.clone()))
    }

    /// Whether a pass of a loop may follow.
    pub(super) fn may_repeat(&self) -> bool {
        self.state.loops.iter().any(|around| !self.single.contains_key(&around.id))
    }

    fn divergent_pass(
        &mut self,
        looping: &Loop,
        current: &Active,
        continued: Option<&str>,
        id: StatementId,
        is_entered: bool,
    ) -> Result<()> {
        let test = |engine: &mut Self| -> Result<()> {
            // Conditions have no jumps.
            engine.block(&looping.condition, current)?;
            if let Some(test) = looping.test {
                let val = engine.eval(test)?;
                match (current, val) {
                    (Active::Box(name), Val::Box(holds, _)) => {
                        engine.line(format!("{name} = lanes::Intersect({name}, {holds});"));
                    }
                    (Active::Box(name), Val::Uniform(holds)) => {
                        engine.line(format!("if (!({holds})) {name} = lanes.None();"));
                    }
                    (Active::Box(_), _) => {
                        return engine.refuse_value(NEEDS_MASK, test);
                    }
                    (Active::Mask(name), val) => {
                        let holds = engine.mask_of(val, test)?;
                        engine.line(format!("lanes.MaskAnd({name}, {name}, {holds});"));
                    }
                }
            }
            engine.line(format!("if ({}) break;", Self::none(current)));
            Ok(())
        };
        if looping.when == LoopTest::Before {
            test(self)?;
        }
        if let Some(continued) = continued {
            self.line(format!("lanes.MaskSet({continued}, false);"));
        }
        // The body's values end with it: what the step computes anew may differ.
        self.open();
        if looping.when == LoopTest::Before || is_entered {
            self.some_are(current);
        }
        let falls = self.block(&looping.body, current);
        let mut after = None;
        if let Ok(falls) = &falls {
            match (falls, current) {
                (Some(falls), current) if falls == current => {}
                (Some(falls), Active::Mask(name)) => {
                    let mask = self.active_mask(falls);
                    self.line(format!("lanes.MaskCopy({name}, {mask});"));
                }
                (None, Active::Mask(name)) => self.line(format!("lanes.MaskSet({name}, false);")),
                _ => after = Some(()),
            }
        }
        let body = self.close();
        falls?;
        if after.is_some() {
            let location = looping.body.statements.first().map(|s| s.location);
            return match location {
                Some(location) => self.refuse(NEEDS_MASK, location),
                None => Ok(()),
            };
        }
        self.nest("", body, false);
        if let (Some(continued), Active::Mask(name)) = (continued, current) {
            self.line(format!("lanes.MaskOr({name}, {name}, {continued});"));
        }
        self.open();
        self.block(&looping.step, current)?;
        let step = self.close();
        if !step.is_empty() {
            self.nest("", step, false);
        }
        if looping.when == LoopTest::After {
            test(self)?;
        }
        self.line(format!("PASSED({})", id.0));
        Ok(())
    }

    /// How many passes a loop makes, if its text says so and nothing leaves it.
    fn trips(&mut self, id: StatementId, looping: &Loop) -> Option<i128> {
        let leaves = |kind: &StatementKind| {
            matches!(
                kind,
                StatementKind::Break | StatementKind::Continue | StatementKind::Return { .. }
            )
        };
        if looping.when != LoopTest::Before || contains(looping, &leaves) {
            return None;
        }
        let Expression::Compare { op, left, right } = *self.expression(looping.test?) else {
            return None;
        };
        let counter = self.affine.integer(left);
        let end = self.affine.integer(right).as_constant()?;
        let plus = match op {
            CompareOp::Less => 0,
            CompareOp::LessEqual => 1,
            _ => return None,
        };
        let (mut first, mut step) = (0, 0);
        for (factors, c) in counter.terms() {
            match factors {
                [] => first = c,
                [Symbol::Passes(passes)] if *passes == id => step = c,
                _ => return None,
            }
        }
        let left = end.checked_add(plus)?.checked_sub(first)?;
        (step > 0).then(|| (left.max(0) + step - 1) / step)
    }

    /// A loop whose passes the text counts.
    fn counted_loop(
        &mut self,
        id: StatementId,
        looping: &Loop,
        active: &Active,
        trips: i128,
        location: Location,
    ) -> Result<Falls> {
        let all = count(&looping.condition) + count(&looping.body) + count(&looping.step);
        if trips == 0 {
            self.state.next += all;
            return Ok(Some(active.clone()));
        }
        if trips == 1 {
            self.single.insert(id, false);
        }
        self.open();
        self.enter_loop(id, active, None);
        let made = self.counted_pass(looping, active, location);
        self.state.loops.pop();
        let body = self.close();
        made?;
        let head = match trips {
            1 => String::new(),
            _ => {
                let passes = format!("passes{}", id.0);
                format!("for (int64_t {passes} = 0; {passes} < {trips}; ++{passes})")
            }
        };
        self.nest(head, body, trips > 1);
        Ok(Some(active.clone()))
    }

    /// What `break` and `continue` in a loop refer to from here on.
    fn enter_loop(&mut self, id: StatementId, active: &Active, continued: Option<String>) {
        let (active, depth) = (active.clone(), self.state.depth);
        self.state.loops.push(Around { active, depth, continued, id, is_switch: false });
    }

    fn counted_pass(&mut self, looping: &Loop, active: &Active, location: Location) -> Result<()> {
        self.block(&looping.condition, active)?;
        let falls = self.block(&looping.body, active)?;
        if falls.is_some_and(|falls| falls != *active) {
            return self.refuse("threads part in a loop that they leave together", location);
        }
        self.open();
        self.block(&looping.step, active)?;
        let step = self.close();
        if !step.is_empty() {
            self.nest("", step, false);
        }
        Ok(())
    }

    fn uniform_loop(
        &mut self,
        id: StatementId,
        looping: &Loop,
        active: &Active,
        location: Location,
    ) -> Result<Falls> {
        if let Some(trips) = self.trips(id, looping) {
            return self.counted_loop(id, looping, active, trips, location);
        }
        self.open();
        self.enter_loop(id, active, None);
        let made = self.uniform_pass(looping, active, id, location);
        self.state.loops.pop();
        let body = self.close();
        made?;
        if self.state.counted.contains(&id.0) {
            self.line(format!("int64_t passes{} = 0;", id.0));
        }
        self.nest("while (true)", body, true);
        // A loop without an end but `return` does not fall through.
        let endless = looping.test.is_none()
            && !contains(looping, &|kind| matches!(kind, StatementKind::Break));
        Ok(if endless { None } else { Some(active.clone()) })
    }

    fn uniform_pass(
        &mut self,
        looping: &Loop,
        active: &Active,
        id: StatementId,
        location: Location,
    ) -> Result<()> {
        let test = |engine: &mut Self| -> Result<()> {
            engine.block(&looping.condition, active)?;
            if let Some(test) = looping.test {
                let text = engine.uniform(test)?;
                engine.line(format!("if (!({text})) break;"));
            }
            Ok(())
        };
        if looping.when == LoopTest::Before {
            test(self)?;
        }
        // `continue` leaves this block; the step follows it.
        let continues = contains(looping, &|kind| matches!(kind, StatementKind::Continue));
        let breaks = contains(looping, &|kind| matches!(kind, StatementKind::Break));
        let leaving = if continues && breaks { Some(self.fresh("leaving")) } else { None };
        if let Some(leaving) = &leaving {
            self.line(format!("bool {leaving} = false;"));
        }
        if let Some(around) = self.state.loops.last_mut() {
            around.continued = match (&leaving, continues) {
                (Some(leaving), _) => Some(leaving.clone()),
                (None, true) => Some(String::new()),
                _ => None,
            };
        }
        self.open();
        let falls = self.block(&looping.body, active);
        let body = self.close();
        if falls?.is_some_and(|falls| falls != *active) {
            return self.refuse("threads part in a loop that they leave together", location);
        }
        if continues {
            // Executed once.
            self.nest("do", body, false);
            self.line("while (false);");
            if let Some(leaving) = &leaving {
                self.line(format!("if ({leaving}) break;"));
            }
        } else {
            self.nest("", body, false);
        }
        self.open();
        self.block(&looping.step, active)?;
        let step = self.close();
        if !step.is_empty() {
            self.nest("", step, false);
        }
        if looping.when == LoopTest::After {
            test(self)?;
        }
        self.line(format!("PASSED({})", id.0));
        Ok(())
    }

    /// `break`.
    fn jump_out(&mut self, active: &Active, location: Location) -> Result<Falls> {
        let Some(around) = self.state.loops.last().cloned() else {
            return self.refuse("a jump has no loop", location);
        };
        if self.state.depth == around.depth {
            match (&around.continued, around.is_switch) {
                (Some(leaving), false)
                    if self.shape.loop_parts(around.id) || leaving.is_empty() =>
                {
                    if self.shape.loop_parts(around.id) {
                        // All lanes of the pass leave.
                        if let Active::Mask(name) = &around.active {
                            let name = name.clone();
                            self.line(format!("lanes.MaskSet({name}, false);"));
                        }
                        return Ok(None);
                    }
                    self.line("break;");
                }
                (Some(leaving), false) => {
                    let leaving = leaving.clone();
                    self.line(format!("{leaving} = true;"));
                    self.line("break;");
                }
                _ => self.line("break;"),
            }
            return Ok(None);
        }
        if around.is_switch {
            return self.refuse("threads leave a switch differently", location);
        }
        // These lanes are not in the mask of what follows.
        let _ = active;
        Ok(None)
    }

    /// `continue`.
    fn jump_on(&mut self, active: &Active, location: Location) -> Result<Falls> {
        let Some(around) = self.state.loops.iter().rev().find(|l| !l.is_switch).cloned() else {
            return self.refuse("a jump has no loop", location);
        };
        if self.single.contains_key(&around.id) {
            return Ok(None);
        }
        if self.shape.loop_parts(around.id) {
            let Some(continued) = around.continued else {
                return self.refuse(NEEDS_MASK, location);
            };
            let mask = self.active_mask(active);
            self.line(format!("lanes.MaskOr({continued}, {continued}, {mask});"));
            return Ok(None);
        }
        if self.state.loops.last().is_some_and(|l| l.is_switch) {
            return self.refuse("a loop goes on from inside a switch", location);
        }
        self.line("break;");
        Ok(None)
    }
}

/// The reason with which the translation of a loop with ranges gives up.
pub(super) const NEEDS_MASK: &str = "lanes leave a loop in no order";

/// How many lines nodes are, if all that they do is to compute vectors from vectors.
fn lines(nodes: &[Node]) -> Option<usize> {
    let does_more = |line: &str| {
        const MORE: [&str; 18] = [
            "GetValue",
            "SetValue",
            "Wait<",
            "Load",
            "Store",
            "Accumulate",
            "Update",
            "Fold",
            "Any(",
            "Count(",
            "Long(",
            "View",
            "GlobalTensor",
            "return",
            "break",
            "continue",
            "PASSED",
            "Decompose",
        ];
        !line.starts_with("//") && MORE.iter().any(|word| line.contains(word))
    };
    nodes.iter().try_fold(0, |all, node| match node {
        Node::Line(line) => (!does_more(line)).then_some(all + 1),
        Node::Nest { head, body, .. }
            if head.is_empty() || head.starts_with("if (!lanes::IsEmpty(") =>
        {
            Some(all + lines(body)?)
        }
        Node::Nest { .. } => None,
    })
}

/// The number of statements in a block.
pub(super) fn count(block: &Block) -> u32 {
    block.statements.iter().map(|s| 1 + s.kind.blocks().iter().map(|b| count(b)).sum::<u32>()).sum()
}

fn falls_not(block: &Block) -> bool {
    block.statements.last().is_some_and(|s| s.kind.is_jump())
}

/// Whether control may leave a block otherwise than through its end. Jumps of loops inside do not.
fn may_jump(block: &Block) -> bool {
    fn jumps(block: &Block, in_loop: bool) -> bool {
        block.statements.iter().any(|s| match &s.kind {
            StatementKind::Break | StatementKind::Continue => !in_loop,
            StatementKind::Return { .. } => true,
            StatementKind::Loop(l) => jumps(&l.body, true),
            other => other.blocks().iter().any(|b| jumps(b, in_loop)),
        })
    }
    jumps(block, false)
}

/// Whether the active lanes at the end of a block may be fewer than at its start: some jump where
/// lanes are parted.
fn may_part(block: &Block, engine: &Engine<'_, '_>, first: u32) -> bool {
    let mut next = first;
    fn walk(block: &Block, engine: &Engine<'_, '_>, next: &mut u32, divergent: bool) -> bool {
        let mut found = false;
        for statement in &block.statements {
            let id = StatementId(*next);
            *next += 1;
            let inner = match &statement.kind {
                StatementKind::If { condition, .. } => divergent || engine.shape.varies(*condition),
                StatementKind::Loop(_) => divergent || engine.shape.loop_parts(id),
                StatementKind::Break | StatementKind::Continue | StatementKind::Return { .. } => {
                    found |= divergent;
                    divergent
                }
                _ => divergent,
            };
            // In a divergent construct around, any jump takes lanes away.
            if matches!(
                statement.kind,
                StatementKind::Break | StatementKind::Continue | StatementKind::Return { .. }
            ) && engine.state.depth > 0
            {
                found = true;
            }
            for block in statement.kind.blocks() {
                found |= walk(block, engine, next, inner);
            }
        }
        found
    }
    walk(block, engine, &mut next, false)
}

/// Whether a loop's own jumps hold one of a kind; `return` counts from inner loops too.
fn contains(looping: &Loop, is: &dyn Fn(&StatementKind) -> bool) -> bool {
    fn walk(block: &Block, is: &dyn Fn(&StatementKind) -> bool, own: bool) -> bool {
        block.statements.iter().any(|s| match &s.kind {
            StatementKind::Loop(l) => walk(&l.body, is, false),
            StatementKind::Switch { cases, .. } => {
                // `break` is the switch's.
                cases
                    .iter()
                    .any(|c| walk(&c.body, &|k| !matches!(k, StatementKind::Break) && is(k), own))
            }
            kind @ (StatementKind::Break | StatementKind::Continue) => own && is(kind),
            kind @ StatementKind::Return { .. } => is(kind),
            other => other.blocks().iter().any(|b| walk(b, is, own)),
        })
    }
    walk(&looping.body, is, true)
}
