//! Loops over the threads of a block, and control flow in which threads part.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::flow::StatementId;
use port_ir::{Constant, Conversion, Expression, LoopTest, Scalar, StatementKind, Type, Value};

use super::NotCompiled;
use super::affine::{Clip, IntervalEnd, Linear, Reach, compared};
use super::block::{Emitter, Frame, Kept, Passes, has_word};
use super::expression::Level;
use super::facts::{BlockId, END, Position};
use super::schedule::{Home, Item};
use super::writer::Writer;

impl Emitter<'_, '_, '_> {
    /// A loop over the threads.
    pub(super) fn region(&mut self, items: &[Item], number: usize) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let simd = self.is_simd(items);
        let guard = self.guard(items);
        if let [Item::Statement(id)] = items
            && self.schedule.guards.contains(id)
            && let StatementKind::If { condition, .. } = facts.kind(*id)
        {
            // From here on every loop is bounded by it.
            self.guards.push((*condition, false));
            return Ok(());
        }
        self.lanes(simd, |emitter| {
            emitter.step = Some(number);
            emitter.bounding = simd && emitter.masks.is_empty();
            for (condition, holds) in emitter.guards.clone() {
                let mut clip = std::mem::take(&mut emitter.clipped);
                let fits = emitter.clip(condition, holds, &mut clip)?;
                emitter.clipped = clip;
                if !fits {
                    return Err(super::types::refuse("a condition is not followed"));
                }
            }
            for (index, item) in items.iter().enumerate() {
                match item {
                    Item::Statement(id) if guard == Some((index, *id)) => {
                        if !emitter.clipped_if(*id)? {
                            emitter.lane_statement(*id)?;
                        }
                    }
                    Item::Statement(id) => emitter.lane_statement(*id)?,
                    Item::Value(value) => {
                        let text = emitter.computed(*value)?;
                        emitter.assign(*value, &text);
                    }
                    Item::Operand(value) => {
                        let text = emitter.value(*value)?;
                        emitter.assign(*value, &text.text);
                    }
                }
            }
            let _ = facts;
            Ok(())
        })
    }

    /// The `if` of a region whose condition may bound the loop over its threads: it is all that the
    /// region does, or it ends the threads for which the rest is not.
    fn guard(&self, items: &[Item]) -> Option<(usize, StatementId)> {
        let facts = self.facts;
        let quiet = |item: &Item| match item {
            Item::Statement(id) => match facts.kind(*id) {
                StatementKind::Load { result, pointer, .. } => {
                    facts.folded[result.index()] && facts.variable(*pointer).is_some()
                }
                _ => false,
            },
            _ => false,
        };
        let first = items.iter().position(|item| !quiet(item))?;
        let Item::Statement(id) = items[first] else { return None };
        let StatementKind::If { .. } = facts.kind(id) else { return None };
        let [accept, reject] = facts.children[id.index()][..] else { return None };
        let is_empty = |block: BlockId| facts.blocks[block].statements.is_empty();
        if !is_empty(reject) {
            return None;
        }
        let leaves = match &facts.blocks[accept].statements[..] {
            [only] => matches!(facts.kind(*only), StatementKind::Return { .. }),
            _ => false,
        };
        let alone = items[first + 1..].iter().all(quiet);
        ((leaves && self.masks.is_empty()) || (alone && !leaves)).then_some((first, id))
    }

    /// Writes what a guard holds, with its condition as bounds of the loop.
    fn clipped_if(&mut self, id: StatementId) -> Result<bool, NotCompiled> {
        let facts = self.facts;
        let StatementKind::If { condition, .. } = facts.kind(id) else { return Ok(false) };
        let [accept, _] = facts.children[id.index()][..] else { return Ok(false) };
        let leaves = match &facts.blocks[accept].statements[..] {
            [only] => matches!(facts.kind(*only), StatementKind::Return { .. }),
            _ => false,
        };
        let mut clip = self.clipped.clone();
        let starts = self.starts.clone();
        if !self.clip(*condition, !leaves, &mut clip)? {
            self.starts = starts;
            return Ok(false);
        }
        self.clipped = clip;
        self.comment(id);
        if !leaves {
            self.lane_block(accept)?;
        }
        Ok(true)
    }

    fn computed(&mut self, value: Value) -> Result<String, NotCompiled> {
        // The array would be read before it is written.
        let array = self.arrays.remove(&value);
        let text = self.declare(value);
        if let Some(array) = array {
            self.arrays.insert(value, array);
        }
        Ok(text?.text)
    }

    fn assign(&mut self, value: Value, text: &str) {
        if let Some(array) = self.arrays.get(&value).cloned() {
            self.uses_t = true;
            self.out.line(format!("{array}[t] = {text};"));
        }
    }

    /// Makes text for the place around the loop over threads.
    pub(super) fn outside<R>(
        &mut self,
        make: impl FnOnce(&mut Self) -> Result<R, NotCompiled>,
    ) -> Result<R, NotCompiled> {
        let Some((mut outer, seen)) = self.around.take() else { return make(self) };
        let hidden = self.scopes.split_off(seen);
        std::mem::swap(&mut self.out, &mut outer);
        self.lane = false;
        let result = make(self);
        self.lane = true;
        std::mem::swap(&mut self.out, &mut outer);
        self.scopes.extend(hidden);
        self.around = Some((outer, seen));
        result
    }

    /// A loop over the threads that take part, around what `inside` writes.
    pub(super) fn lanes(
        &mut self,
        simd: bool,
        inside: impl FnOnce(&mut Self) -> Result<(), NotCompiled>,
    ) -> Result<(), NotCompiled> {
        let depth = self.out.depth();
        let mut outer = std::mem::replace(&mut self.out, Writer::at_depth(depth + 1));
        self.out.adopt_comment(&mut outer);
        self.around = Some((outer, self.scopes.len()));
        self.push_scope();
        self.lane = true;
        (self.uses_t, self.uses_x, self.uses_y, self.uses_z) = (false, false, false, false);
        self.starts.clear();
        self.clipped = Clip::default();
        let targets = std::mem::take(&mut self.targets);
        let label = self.next_label.take();
        let result = inside(self);
        self.targets = targets;
        let next = std::mem::replace(&mut self.next_label, label);
        self.lane = false;
        self.pop_scope();
        let outer = self.around.take().map(|(outer, _)| outer).unwrap_or_default();
        let body = std::mem::replace(&mut self.out, outer).finish();
        self.bounding = false;
        let intervals = std::mem::take(&mut self.intervals);
        result?;
        let body = prune(body, &std::mem::take(&mut self.pure));
        let used = |end: &IntervalEnd| has_word(&body, &end.name);
        let intervals: Vec<IntervalEnd> = intervals.into_iter().filter(used).collect();
        let whole = |end: &IntervalEnd| format!("{} == {}", end.name, end.whole);
        let whole: Vec<String> = intervals.iter().map(whole).collect();
        let mut clip = std::mem::take(&mut self.clipped);
        let starts = std::mem::take(&mut self.starts);
        let pass = self.pass.take();
        let mut kept = Vec::new();
        for (local, own) in std::mem::take(&mut self.own) {
            // Where nothing reads or writes it, it stays where it is.
            if has_word(&body, &own.name) {
                let ty = self.local_type(local)?;
                kept.push((own, ty));
            }
        }
        let inner = pass.as_ref().and_then(|pass| pass.inner.clone());
        if inner.is_some() && !kept.is_empty() {
            self.uses_t = true;
        }
        if body.is_empty() {
            return Ok(());
        }
        let mask = self.masks.last().map(|(_, mask)| mask.clone());
        let by_row = self.uses_x || self.uses_y || self.uses_z || !clip.is_none() || pass.is_some();
        for (text, name, reach) in &starts {
            if *reach == Reach::Block {
                self.out.line(format!("const int64_t {name} = {text};"));
            }
        }
        if by_row {
            if self.uses_y {
                self.out.open(
                    "for (uint32_t row = 0, ty = 0; row < threads; row += width, ty = next(ty, height)) {",
                );
            } else {
                self.out.open("for (uint32_t row = 0; row < threads; row += width) {");
            }
            if self.uses_z {
                self.out.line("const uint32_t tz = row / width / height;");
            }
            for (text, name, reach) in &starts {
                if *reach == Reach::Row {
                    self.out.line(format!("const int64_t {name} = {text};"));
                }
            }
            for condition in &clip.rows {
                self.out.line(format!("if (!({condition})) continue;"));
            }
            for (Kept { name, array, .. }, ty) in kept.iter().filter(|(own, _)| own.in_row) {
                self.out.line(format!("{ty} {name}[PORT_CPU_ROW];"));
                self.out.line(format!(
                    "for (uint32_t tx = 0; tx < width; ++tx) {name}[tx] = {array}[size_t(row) + tx];"
                ));
            }
            if let Some(pass) = &pass {
                if let Some(head) = &pass.outer {
                    self.out.open(head);
                }
                if pass.inner.is_none() {
                    self.pass_starts(&starts);
                }
                if let Some(end) = &pass.end {
                    let text = match clip.end.take() {
                        Some(other) => format!("minimum({other}, {end})"),
                        None => end.clone(),
                    };
                    clip.end = Some(text);
                }
            }
            let begin = match &clip.begin {
                Some(text) => {
                    let name = self.names.fresh("begin");
                    self.out.line(format!("const uint32_t {name} = {text};"));
                    name
                }
                None => "0".to_string(),
            };
            let end = match &clip.end {
                Some(text) => {
                    let name = self.names.fresh("end");
                    self.out.line(format!("const uint32_t {name} = {text};"));
                    name
                }
                None => "width".to_string(),
            };
            for IntervalEnd { name, text, .. } in &intervals {
                self.out.line(format!("const uint32_t {name} = {text};"));
            }
            if !whole.is_empty() {
                self.out.open(format!("by_case({}, [&](auto whole) {{", whole.join(" && ")));
            }
            if simd {
                self.out.line("PORT_CPU_SIMD");
            }
            self.out.open(format!("for (uint32_t tx = {begin}; tx < {end}; ++tx) {{"));
            if self.uses_t || mask.is_some() {
                self.out.line("const size_t t = size_t(row) + tx;");
            }
        } else {
            if simd {
                self.out.line("PORT_CPU_SIMD");
            }
            self.out.open("for (uint32_t t = 0; t < threads; ++t) {");
        }
        if let Some(mask) = mask {
            self.out.line(format!("if (!{mask}[t]) continue;"));
        }
        let outer = pass.as_ref().is_some_and(|pass| pass.outer.is_some());
        let deeper = [by_row, outer, inner.is_some(), !whole.is_empty()];
        let deeper = deeper.into_iter().filter(|deeper| *deeper).count();
        if let Some(head) = &inner {
            for (Kept { name, array, .. }, ty) in &kept {
                self.out.line(format!("{ty} {name} = {array}[t];"));
            }
            self.out.line("PORT_CPU_UNROLL");
            self.out.open(head);
            self.pass_starts(&starts);
        }
        if let Some(label) = &next {
            // What the jumps pass over stands in a block of its own.
            self.out.open("{");
            self.out.push_indented(&body, deeper + 1);
            self.out.close("}");
            self.out.line(format!("{label}:;"));
        } else {
            self.out.push_indented(&body, deeper);
        }
        if inner.is_some() {
            self.out.close("}");
            for (Kept { name, array, .. }, _) in &kept {
                self.out.line(format!("{array}[t] = {name};"));
            }
        }
        self.out.close("}");
        if !whole.is_empty() {
            self.out.close("});");
        }
        if outer {
            self.out.close("}");
        }
        for (Kept { name, array, .. }, _) in kept.iter().filter(|(own, _)| own.in_row) {
            self.out.line(format!(
                "for (uint32_t tx = 0; tx < width; ++tx) {array}[size_t(row) + tx] = {name}[tx];"
            ));
        }
        if by_row {
            self.out.close("}");
        }
        Ok(())
    }

    /// Declares what indices start at in a pass.
    fn pass_starts(&mut self, starts: &[(String, String, Reach)]) {
        for (text, name, reach) in starts {
            if *reach == Reach::Pass {
                self.out.line(format!("const int64_t {name} = {text};"));
            }
        }
    }

    /// A loop whose passes the threads of a row make together.
    pub(super) fn strided(&mut self, id: StatementId, number: usize) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let Some(strided) = self.schedule.strided.get(&id).cloned() else { return Ok(()) };
        let [_, body, _] = facts.children[id.index()][..] else { return Ok(()) };
        let local = strided.variable;
        self.comment(id);
        self.lanes(true, |emitter| {
            emitter.step = Some(number);
            let Some(first) = emitter.linear(strided.first, 24) else {
                return Err(super::types::refuse("a loop starts at what is not followed"));
            };
            let own = first.shared();
            let start = emitter.start(&own, "first")?.text;
            let side = compared(facts, emitter.schedule, &emitter.inductions, strided.bound);
            let Some(bound) = side else {
                return Err(super::types::refuse("a loop ends at what is not followed"));
            };
            let bound = emitter.start(&bound, "bound")?.text;
            let stride = emitter.outside(|emitter| emitter.value(strided.stride))?.text;
            let stride = match facts.expression(strided.stride) {
                Expression::Constant(constant) => {
                    constant.as_integer().map_or(stride, |number| number.to_string())
                }
                _ => format!("int64_t({stride})"),
            };
            let wish = facts.function.locals[local].name.clone();
            let many = strided.at_once.is_none_or(|(at_once, passes)| at_once < passes);
            let first_pass = many.then(|| emitter.names.fresh(&format!("{wish}_first")));
            let pass = match (&first_pass, strided.at_once) {
                (Some(first), None) => first.clone(),
                _ => emitter.names.fresh(&format!("{wish}_pass")),
            };
            let name = emitter.names.fresh(&wish);
            emitter.passes.insert(local, pass.clone());
            let pass_variable = Linear::of_pass(local, strided.spread, first.may_be_negative());
            emitter.inductions.insert(local, pass_variable);
            emitter.locals[local.index()] = Some(name.clone());
            let relation = if strided.inclusive { "<=" } else { "<" };
            let head = |name: &str, start: &str, bound: &str, stride: &str| {
                format!(
                    "for (int64_t {name} = {start}; {name} {relation} {bound}; {name} += {stride}) {{"
                )
            };
            let passes = match (&first_pass, strided.at_once) {
                (Some(first), Some((at_once, _))) => {
                    let times = if stride == "1" { String::new() } else { format!(" * {stride}") };
                    let end = format!("{first} + {at_once}{times}");
                    Passes {
                        outer: Some(head(first, &start, &bound, &format!("{at_once}{times}"))),
                        inner: Some(head(&pass, first, &end, &stride).replace(" <= ", " < ")),
                        end: None,
                    }
                }
                (None, _) => Passes {
                    inner: Some(head(&pass, &start, &bound, &stride)),
                    ..Passes::default()
                },
                (Some(first), None) => Passes {
                    outer: Some(head(first, &start, &bound, &stride)),
                    ..Passes::default()
                },
            };
            let spelled = emitter.local_type(local)?;
            let end = strided.spread.then(|| {
                let more = if strided.inclusive { " + 1" } else { "" };
                format!("clip({bound} - {pass}{more}, width)")
            });
            if strided.spread {
                emitter.uses_x = true;
            }
            let own = if strided.spread { format!("{pass} + tx") } else { pass.clone() };
            emitter.out.line(format!("const {spelled} {name} = {spelled}({own});"));
            emitter.pure.push(name);
            if !strided.spread {
                emitter.keep(id, passes.inner.is_none());
            }
            for (guard, holds) in emitter.guards.clone() {
                let mut clip = std::mem::take(&mut emitter.clipped);
                let fits = emitter.clip(guard, holds, &mut clip)?;
                emitter.clipped = clip;
                if !fits {
                    return Err(super::types::refuse("a condition is not followed"));
                }
            }
            emitter.lane_block(body)?;
            emitter.pass = Some(Passes { end, ..passes });
            Ok(())
        })?;
        self.inductions.remove(&local);
        self.passes.remove(&local);
        Ok(())
    }

    /// Gives the variables that a loop's passes change a variable of the thread, or an array for the
    /// row: nothing else reaches them, so that compilers keep them in registers.
    fn keep(&mut self, id: StatementId, in_row: bool) {
        let facts = self.facts;
        for (local, data) in facts.function.locals.iter() {
            let stored =
                facts.stores[local.index()].iter().any(|store| facts.flow.is_inside(*store, id));
            let scalar = matches!(data.ty, Type::Scalar(_));
            if !stored || !scalar || self.schedule.home(local) != Home::Array {
                continue;
            }
            let Some(array) = self.locals[local.index()].clone() else { continue };
            let suffix = if in_row { "row" } else { "own" };
            let name = self.names.fresh(&format!("{}_{suffix}", data.name));
            self.own.insert(local, Kept { name, array, in_row });
        }
    }

    /// Whether threads may run in lock step, as vectors do: nothing in it has an order, and
    /// neighbours access neighbouring memory, or all of them read the same.
    fn is_simd(&self, items: &[Item]) -> bool {
        let facts = self.facts;
        let fits = |id: StatementId| match facts.kind(id) {
            StatementKind::Load { pointer, access, .. } => {
                !access.volatile
                    && access.atomic.is_none()
                    && (facts.variable(*pointer).is_some()
                        || self.stride(*pointer).is_some_and(|x| x == 0 || x == 1))
            }
            StatementKind::Store { pointer, access, .. } => {
                !access.volatile
                    && access.atomic.is_none()
                    && (facts.variable(*pointer).is_some() || self.stride(*pointer) == Some(1))
            }
            StatementKind::If { .. } | StatementKind::Block(_) => true,
            _ => false,
        };
        items.iter().all(|item| match item {
            Item::Statement(id) => (id.0..facts.end(*id)).all(|inner| fits(StatementId(inner))),
            _ => true,
        })
    }

    /// By how many elements a pointer moves from a thread to its neighbour.
    fn stride(&self, pointer: Value) -> Option<i128> {
        let facts = self.facts;
        let mut at = pointer;
        let mut stride = 0;
        loop {
            if self.schedule.is_scalar(facts, at) {
                return Some(stride);
            }
            match facts.expression(at) {
                Expression::Element { base, index, .. } => {
                    let place = self.linear(*index, 24)?;
                    if place.x != 0 && (stride != 0 || at != pointer) {
                        return None;
                    }
                    stride = if at == pointer { place.x } else { stride };
                    at = *base;
                }
                Expression::Convert { kind: Conversion::Space, value, .. } => at = *value,
                _ => return None,
            }
        }
    }

    /// Leaves the region: the thread takes no part in what it jumps over.
    pub(super) fn leave(&mut self, target: Option<StatementId>, continues: bool) {
        for mask in self.cleared(target, continues) {
            self.uses_t = true;
            self.out.line(format!("{mask}[t] = 0;"));
        }
        let in_loop = self
            .targets
            .iter()
            .any(|(id, _)| matches!(self.facts.kind(*id), StatementKind::Loop(_)));
        if !in_loop {
            self.out.line("continue;");
            return;
        }
        let label = match &self.next_label {
            Some(label) => label.clone(),
            None => {
                let label = self.names.fresh("next");
                self.next_label = Some(label.clone());
                label
            }
        };
        self.out.line(format!("goto {label};"));
    }

    fn mask_array(&mut self, wish: &str) -> String {
        self.lane_array("uint8_t", 1, 1, wish)
    }

    /// Sets a mask for every thread: `text` where it takes part, else 0.
    fn set_mask(
        &mut self,
        mask: &str,
        inside: impl FnOnce(&mut Self) -> Result<String, NotCompiled>,
    ) -> Result<(), NotCompiled> {
        if let Some((_, current)) = self.masks.last() {
            let _ = current;
            self.out.line(format!("fill({mask}, 0, threads);"));
        }
        let mask = mask.to_string();
        self.lanes(false, |emitter| {
            let text = inside(emitter)?;
            emitter.uses_t = true;
            emitter.out.line(format!("{mask}[t] = {text};"));
            Ok(())
        })
    }

    pub(super) fn masked_if(
        &mut self,
        id: StatementId,
        condition: Value,
    ) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let [accept, reject] = facts.children[id.index()][..] else { return Ok(()) };
        let step = self.step;
        let empty = |block: BlockId| facts.blocks[block].statements.is_empty();
        let position = facts.position(id);
        let yes = self.mask_array("taken");
        self.set_mask(&yes, |emitter| {
            emitter.declare_at(position, step)?;
            Ok(emitter.value(condition)?.text)
        })?;
        let no = if empty(reject) {
            None
        } else {
            let no = self.mask_array("passed");
            let first = yes.clone();
            self.set_mask(&no, |_| Ok(format!("!{first}[t]")))?;
            Some(no)
        };
        if !empty(accept) {
            self.arm(yes, accept)?;
        }
        if let Some(no) = no {
            self.arm(no, reject)?;
        }
        Ok(())
    }

    fn arm(&mut self, mask: String, block: BlockId) -> Result<(), NotCompiled> {
        self.out.open(format!("if (any({mask}, threads)) {{"));
        self.push_scope();
        self.masks.push((Frame::Arm, mask));
        self.block_steps(block)?;
        self.masks.pop();
        self.pop_scope();
        self.out.close("}");
        Ok(())
    }

    pub(super) fn masked_switch(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let StatementKind::Switch { selector, cases } = facts.kind(id) else { return Ok(()) };
        let scalar = facts.ty(*selector).scalar().unwrap_or(Scalar::I32);
        let position = facts.position(id);
        let step = self.step;
        let chosen = self.lane_array("int32_t", 4, 4, "chosen");
        let array = chosen.clone();
        self.out.line(format!("fill({chosen}, -1, threads);"));
        self.lanes(false, |emitter| {
            emitter.declare_at(position, step)?;
            let selector = emitter.value(*selector)?;
            emitter.uses_t = true;
            emitter.out.open(format!("switch ({}) {{", selector.condition()));
            for (index, case) in cases.iter().enumerate() {
                if case.values.is_empty() && !case.default {
                    continue;
                }
                for bits in &case.values {
                    let value = super::expression::constant(Constant::from_bits(scalar, *bits));
                    emitter.out.line(format!("case {}:", value.text));
                }
                if case.default {
                    emitter.out.line("default:");
                }
                emitter.out.line(format!("    {array}[t] = {index};"));
                emitter.out.line("    break;");
            }
            emitter.out.close("}");
            Ok(())
        })?;
        let mut falling: Option<String> = None;
        for (index, (case, block)) in
            cases.iter().zip(facts.children[id.index()].clone()).enumerate()
        {
            let mask = self.mask_array("arm");
            let (chosen, fallen) = (chosen.clone(), falling.take());
            self.set_mask(&mask, |_| {
                Ok(match fallen {
                    Some(fallen) => format!("{chosen}[t] == {index} || {fallen}[t]"),
                    None => format!("{chosen}[t] == {index}"),
                })
            })?;
            self.out.open(format!("if (any({mask}, threads)) {{"));
            self.push_scope();
            self.masks.push((Frame::Switch(id), mask.clone()));
            self.block_steps(block)?;
            self.masks.pop();
            self.pop_scope();
            self.out.close("}");
            if case.fallthrough {
                falling = Some(mask);
            }
        }
        Ok(())
    }

    pub(super) fn masked_loop(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let StatementKind::Loop(looping) = facts.kind(id) else { return Ok(()) };
        let [condition, body, step] = facts.children[id.index()][..] else { return Ok(()) };
        let before = looping.when == LoopTest::Before;
        let mask = self.mask_array("looping");
        self.set_mask(&mask, |_| Ok("1".to_string()))?;
        let continues = facts.flow.inside(id).any(|(inner, entry)| {
            matches!(entry.statement.kind, StatementKind::Continue)
                && facts.jump_target(inner) == Some(id)
        });
        let leaves_early = facts.flow.inside(id).any(|(inner, entry)| match entry.statement.kind {
            StatementKind::Return { .. } => true,
            StatementKind::Break | StatementKind::Continue => {
                facts.jump_target(inner).is_some_and(|target| target <= id)
            }
            _ => false,
        });
        self.out.open("for (;;) {");
        self.push_scope();
        self.masks.push((Frame::Loop(id), mask.clone()));
        if before {
            self.block_steps(condition)?;
            self.masked_test(condition, looping.test, &mask)?;
        }
        let pass = continues.then(|| self.mask_array("in_pass"));
        if let Some(pass) = &pass {
            self.set_mask(pass, |_| Ok("1".to_string()))?;
            self.masks.push((Frame::Pass(id), pass.clone()));
        }
        self.out.open("{");
        self.push_scope();
        self.block_steps(body)?;
        self.pop_scope();
        self.out.close("}");
        if pass.is_some() {
            self.masks.pop();
        }
        if leaves_early {
            self.out.line(format!("if (!any({mask}, threads)) break;"));
        }
        self.push_scope();
        self.block_steps(step)?;
        self.pop_scope();
        if !before {
            self.block_steps(condition)?;
            self.masked_test(condition, looping.test, &mask)?;
        }
        self.masks.pop();
        self.pop_scope();
        self.out.close("}");
        Ok(())
    }

    fn masked_test(
        &mut self,
        condition: BlockId,
        test: Option<Value>,
        mask: &str,
    ) -> Result<(), NotCompiled> {
        let Some(test) = test else { return Ok(()) };
        let mask_name = mask.to_string();
        self.lanes(false, |emitter| {
            emitter.declare_at(Position { block: condition, key: END }, None)?;
            let test = emitter.value(test)?;
            emitter.uses_t = true;
            emitter.out.line(format!("{mask_name}[t] = {};", test.in_level(Level::Conditional)));
            Ok(())
        })?;
        self.out.line(format!("if (!any({mask}, threads)) break;"));
        Ok(())
    }
}

/// Takes out the declarations of values that nothing reads: where an index was split they are left.
fn prune(body: String, pure: &[String]) -> String {
    let mut body = body;
    loop {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for word in body.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            *counts.entry(word).or_insert(0) += 1;
        }
        let dead: BTreeSet<String> =
            pure.iter().filter(|name| counts.get(name.as_str()) == Some(&1)).cloned().collect();
        if dead.is_empty() {
            return body;
        }
        let mut rest = String::with_capacity(body.len());
        for line in body.lines() {
            let declared = line.trim_start().split(" = ").next().and_then(|head| {
                let name = head.rsplit(' ').next()?;
                head.contains("const ").then_some(name)
            });
            if !declared.is_some_and(|name| dead.contains(name)) {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        if rest.len() == body.len() {
            return body;
        }
        body = rest;
    }
}
