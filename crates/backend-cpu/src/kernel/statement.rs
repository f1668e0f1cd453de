//! Statements of one thread: the inside of regions, and functions that kernels call.

use std::collections::BTreeSet;

use port_ir::analysis::flow::StatementId;
use port_ir::{
    Access, AtomicOp, Expression, Function, Handle, Local, LoopTest, MemoryOrder, Scalar, Space,
    StatementKind, Type, Unroll, Value,
};

use super::block::Emitter;
use super::expression::{Level, Text};
use super::facts::{BlockId, END, Position};
use super::schedule::{Home, starts_with_store};
use super::types::{Spelling, refuse};
use super::{Context, NotCompiled};
use port_backend::text::cpp::{is_operand, quote};

/// The functions that kernels call, declared first.
pub(super) fn functions<'a>(
    context: &Context<'_, 'a>,
    spelling: &mut Spelling<'a>,
    functions: &BTreeSet<Handle<Function>>,
) -> Result<String, NotCompiled> {
    let mut declarations = String::new();
    let mut definitions = String::new();
    for function in functions {
        let (head, text) = super::block::device_function(context, spelling, *function)?;
        declarations.push_str(&format!("{head};\n"));
        definitions.push_str(&text);
        definitions.push('\n');
    }
    if !declarations.is_empty() {
        declarations.push('\n');
    }
    Ok(declarations + &definitions)
}

impl Emitter<'_, '_, '_> {
    /// The statements of a lane-level block.
    pub(super) fn lane_block(&mut self, block: BlockId) -> Result<(), NotCompiled> {
        self.push_scope();
        let facts = self.facts;
        for id in &facts.blocks[block].statements {
            self.lane_statement(*id)?;
        }
        self.pop_scope();
        Ok(())
    }

    /// A statement of one thread, with what is declared before it.
    pub(super) fn lane_statement(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        self.declare_locals(id)?;
        let position = facts.position(id);
        let step = self.step;
        self.comment(id);
        self.declare_at(position, step)?;
        self.place = facts.statement(id).location.origin;
        match facts.kind(id) {
            StatementKind::Block(_) => {
                self.out.open("{");
                self.lane_block(facts.children[id.index()][0])?;
                self.out.close("}");
            }
            StatementKind::If { .. } if self.only_bounds(id)? => {}
            StatementKind::If { condition, .. } => {
                let condition = match self.interval(*condition)? {
                    Some(interval) => interval,
                    None => self.value(*condition)?,
                };
                if !self.choice(id, &condition)? {
                    for local in self.declared_before.get(&id).cloned().unwrap_or_default() {
                        if self.locals[local.index()].is_none() {
                            self.declare_local(local)?;
                        }
                    }
                    self.lane_if(id, condition)?;
                }
            }
            StatementKind::Switch { .. } => self.lane_switch(id)?,
            StatementKind::Loop(_) => self.lane_loop(id)?,
            StatementKind::Break | StatementKind::Continue | StatementKind::Return { .. } => {
                self.lane_jump(id)?;
            }
            _ => self.simple(id)?,
        }
        Ok(())
    }

    fn lane_if(&mut self, id: StatementId, condition: Text) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let [accept, reject] = facts.children[id.index()][..] else { return Ok(()) };
        let empty = |block: BlockId| facts.blocks[block].statements.is_empty();
        if empty(accept) && !empty(reject) {
            self.out.open(format!("if (!{}) {{", condition.in_level(Level::Unary)));
            self.lane_block(reject)?;
        } else {
            self.out.open(format!("if ({}) {{", condition.condition()));
            self.lane_block(accept)?;
            if !empty(reject) {
                self.out.turn("} else {");
                self.lane_block(reject)?;
            }
        }
        self.out.close("}");
        Ok(())
    }

    /// An `if` that only chooses what a variable is set to, as an expression.
    fn choice(&mut self, id: StatementId, condition: &Text) -> Result<bool, NotCompiled> {
        let facts = self.facts;
        let mut stores = Vec::new();
        for child in &facts.children[id.index()] {
            let mut store = None;
            for inner in &facts.blocks[*child].statements {
                match facts.kind(*inner) {
                    StatementKind::Load { result, .. }
                        if self.folds(*result)
                            || (facts.folded[result.index()] && facts.folded_name(*inner)) => {}
                    StatementKind::Store { pointer, value, .. } if store.is_none() => {
                        store = facts.variable(*pointer).map(|local| (local, *value));
                        if store.is_none() {
                            return Ok(false);
                        }
                    }
                    _ => return Ok(false),
                }
                if facts.named_at.contains_key(&facts.position(*inner)) {
                    return Ok(false);
                }
            }
            stores.extend(store);
        }
        let [(local, yes), (other, no)] = stores[..] else { return Ok(false) };
        if local != other || (self.kernel && self.schedule.is_induction(local)) {
            return Ok(false);
        }
        let ty = facts.function.locals[local].ty;
        if !matches!(ty, Type::Scalar(_)) {
            return Ok(false);
        }
        let mark = self.out.mark();
        let state = (self.names.clone(), self.scopes.clone(), self.pure.len());
        let starts = self.starts.len();
        let (yes, no) = (self.value(yes)?, self.value(no)?);
        if self.out.changed(mark) || yes.text.len() + no.text.len() > 160 {
            self.out.rewind(mark);
            self.names = state.0;
            self.scopes = state.1;
            self.pure.truncate(state.2);
            self.starts.truncate(starts);
            return Ok(false);
        }
        let text = if ty == Type::BOOL && no.text == "false" {
            format!("{} && {}", condition.in_level(Level::Equality), yes.in_level(Level::Equality))
        } else if ty == Type::BOOL && yes.text == "true" {
            format!("{} || {}", condition.in_level(Level::Equality), no.in_level(Level::Equality))
        } else {
            format!(
                "{} ? {} : {}",
                condition.in_level(Level::Or),
                yes.in_level(Level::Or),
                no.in_level(Level::Or)
            )
        };
        if self.locals[local.index()].is_none() {
            let name = self.name_local(local);
            let spelled = self.local_type(local)?;
            if facts.stores[local.index()].len() == 2 {
                self.out.line(format!("const {spelled} {name} = {text};"));
                self.pure.push(name);
            } else {
                self.out.line(format!("{spelled} {name} = {text};"));
            }
        } else {
            let name = self.local_name(local)?;
            self.out.line(format!("{name} = {text};"));
        }
        Ok(true)
    }

    /// Whether a statement is an `if` that sets a variable to `a && b` for conditions alone, all of
    /// which are intervals here: then nothing reads the variable.
    fn only_bounds(&mut self, id: StatementId) -> Result<bool, NotCompiled> {
        let facts = self.facts;
        if !self.bounding || !self.targets.is_empty() {
            return Ok(false);
        }
        let accesses = facts.children[id.index()]
            .iter()
            .flat_map(|arm| &facts.blocks[*arm].statements)
            .find_map(|inner| match facts.kind(*inner) {
                StatementKind::Store { pointer, .. } => facts.variable(*pointer),
                _ => None,
            })
            .filter(|local| self.only_chooses(id, *local))
            .map(|local| facts.accesses[local.index()].clone());
        let mut readers = BTreeSet::new();
        for access in accesses.unwrap_or_default() {
            let StatementKind::Load { result, .. } = facts.kind(access) else { continue };
            for place in &facts.uses[result.index()] {
                let mut named = facts.named_at.get(place).into_iter().flatten();
                if place.key == END
                    || place.block != facts.block_of[id.index()]
                    || named.any(|named| facts.reads(*named, *result))
                {
                    return Ok(false);
                }
                readers.insert(StatementId(place.key));
            }
        }
        if readers.is_empty() {
            return Ok(false);
        }
        let before = (self.intervals.len(), self.starts.len(), self.names.clone());
        let mut all = true;
        for reader in readers {
            all = all
                && match facts.kind(reader) {
                    StatementKind::If { condition, .. } => self.interval(*condition)?.is_some(),
                    _ => false,
                };
        }
        self.intervals.truncate(before.0);
        self.starts.truncate(before.1);
        self.names = before.2;
        Ok(all)
    }

    /// Whether a statement is an `if` both of whose arms do nothing but set a variable.
    fn only_chooses(&self, id: StatementId, local: Handle<Local>) -> bool {
        let facts = self.facts;
        let StatementKind::If { .. } = facts.kind(id) else { return false };
        facts.children[id.index()].iter().all(|child| {
            let mut stores = 0;
            let fits =
                facts.blocks[*child].statements.iter().all(|inner| match facts.kind(*inner) {
                    StatementKind::Load { .. } => true,
                    StatementKind::Store { pointer, .. } => {
                        stores += 1;
                        facts.variable(*pointer) == Some(local)
                    }
                    _ => false,
                });
            fits && stores == 1
        })
    }

    fn lane_switch(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let StatementKind::Switch { selector, cases } = facts.kind(id) else { return Ok(()) };
        let ty = facts.ty(*selector).scalar().unwrap_or(Scalar::I32);
        let selector = self.value(*selector)?;
        self.out.open(format!("switch ({}) {{", selector.condition()));
        self.targets.push((id, None));
        for (case, block) in cases.iter().zip(facts.children[id.index()].clone()) {
            for bits in &case.values {
                let value = super::expression::constant(port_ir::Constant::from_bits(ty, *bits));
                self.out.line(format!("case {}:", value.text));
            }
            if case.default {
                self.out.line("default:");
            }
            self.out.open("{");
            self.lane_block(block)?;
            let last = facts.blocks[block].statements.last();
            let jumps = last.is_some_and(|last| facts.kind(*last).is_jump());
            if case.fallthrough {
                self.out.close("}");
                self.out.line("PORT_CPU_FALLTHROUGH;");
            } else {
                if !jumps {
                    self.out.line("break;");
                }
                self.out.close("}");
            }
        }
        self.targets.pop();
        self.out.close("}");
        Ok(())
    }

    fn lane_loop(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let StatementKind::Loop(looping) = facts.kind(id) else { return Ok(()) };
        let [condition, body, step] = facts.children[id.index()][..] else { return Ok(()) };
        if looping.when == LoopTest::Before
            && let Some(head) = self.loop_head(id)?
        {
            let counts = looping.test.is_some_and(|test| match facts.expression(test) {
                Expression::Compare { right, .. } => {
                    matches!(facts.expression(*right), Expression::Constant(_))
                }
                _ => false,
            });
            if let (Unroll::Full | Unroll::Times(2..), true) = (looping.unroll, counts) {
                self.out.line("PORT_CPU_UNROLL");
            }
            self.out.open(head);
            self.targets.push((id, None));
            self.push_scope();
            // Loads of the condition that name variables are seen by the body.
            self.lane_block(body)?;
            self.pop_scope();
            self.targets.pop();
            self.out.close("}");
            return Ok(());
        }
        self.out.open("for (;;) {");
        self.push_scope();
        let before = looping.when == LoopTest::Before;
        if before {
            self.loop_condition(condition, looping.test)?;
        }
        let step_follows = !facts.blocks[step].statements.is_empty() || !before;
        let continues = step_follows
            && facts.flow.inside(id).any(|(inner, entry)| {
                matches!(entry.statement.kind, StatementKind::Continue)
                    && facts.jump_target(inner) == Some(id)
            });
        let label = continues.then(|| self.names.fresh("step"));
        self.targets.push((id, label.clone()));
        if label.is_some() || !before {
            self.out.open("{");
            self.lane_block(body)?;
            self.out.close("}");
        } else {
            self.lane_block(body)?;
        }
        self.targets.pop();
        if let Some(label) = label {
            self.out.line(format!("{label}:;"));
        }
        self.push_scope();
        for id in &facts.blocks[step].statements {
            self.lane_statement(*id)?;
        }
        self.pop_scope();
        if !before {
            self.loop_condition(condition, looping.test)?;
        }
        self.pop_scope();
        self.out.close("}");
        Ok(())
    }

    fn loop_condition(&mut self, block: BlockId, test: Option<Value>) -> Result<(), NotCompiled> {
        let facts = self.facts;
        for id in &facts.blocks[block].statements {
            self.lane_statement(*id)?;
        }
        let step = self.step;
        self.declare_at(Position { block, key: END }, step)?;
        if let Some(test) = test {
            let test = self.value(test)?;
            self.out.line(format!("if (!{}) break;", test.in_level(Level::Unary)));
        }
        Ok(())
    }

    /// `for (; test; step) {` or `while (test) {`, if condition and step are expressions.
    pub(super) fn loop_head(&mut self, id: StatementId) -> Result<Option<String>, NotCompiled> {
        let facts = self.facts;
        let StatementKind::Loop(looping) = facts.kind(id) else { return Ok(None) };
        let [condition, _, step] = facts.children[id.index()][..] else { return Ok(None) };
        let Some(test) = looping.test else { return Ok(None) };
        let names = |id: &StatementId| match facts.kind(*id) {
            StatementKind::Load { result, pointer, .. } => {
                facts.variable(*pointer).is_some() && facts.folded[result.index()]
            }
            _ => false,
        };
        if !facts.blocks[condition].statements.iter().all(names) {
            return Ok(None);
        }
        if facts.named_at.contains_key(&Position { block: condition, key: END }) {
            return Ok(None);
        }
        let mark = self.out.mark();
        let names_before = self.names.clone();
        let scopes = self.scopes.clone();
        let starts = self.starts.len();
        let test = self.value(test)?;
        let mut steps = Vec::new();
        let mut simple = !self.out.changed(mark);
        for id in &facts.blocks[step].statements {
            if !simple {
                break;
            }
            match facts.kind(*id) {
                StatementKind::Store { pointer, value, .. } => {
                    let Some(local) = facts.variable(*pointer) else {
                        simple = false;
                        break;
                    };
                    if facts.named_at.contains_key(&facts.position(*id)) {
                        simple = false;
                        break;
                    }
                    let text = self.assignment(local, *value)?;
                    steps.push(text);
                }
                _ if names(id) => {}
                _ => simple = false,
            }
            simple &= !self.out.changed(mark);
        }
        if !simple {
            self.out.rewind(mark);
            self.names = names_before;
            self.scopes = scopes;
            self.starts.truncate(starts);
            return Ok(None);
        }
        if steps.is_empty() {
            return Ok(Some(format!("while ({}) {{", test.condition())));
        }
        Ok(Some(format!("for (; {}; {}) {{", test.condition(), steps.join(", "))))
    }

    /// `name = value`, or `name += value` where that is the same.
    pub(super) fn assignment(
        &mut self,
        local: Handle<Local>,
        value: Value,
    ) -> Result<String, NotCompiled> {
        let name = self.local_name(local)?;
        let ty = self.facts.function.locals[local].ty;
        let text = self.value(value)?;
        let plain =
            matches!(ty, Type::Scalar(Scalar::U32 | Scalar::U64 | Scalar::F32 | Scalar::F64));
        if plain {
            for operator in ["+", "-", "*"] {
                if let Some(rest) = text.text.strip_prefix(&format!("{name} {operator} "))
                    && (text.level == Level::Sum && operator != "*"
                        || text.level == Level::Product && operator == "*")
                    && is_operand(rest)
                {
                    return Ok(format!("{name} {operator}= {rest}"));
                }
            }
        }
        let text = self.as_stored(value, text);
        Ok(format!("{name} = {text}"))
    }

    /// A value as it is stored: pointers lose their type.
    fn as_stored(&self, value: Value, text: Text) -> String {
        let _ = value;
        text.text
    }

    fn lane_jump(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        match facts.kind(id) {
            StatementKind::Return { value } => {
                if !self.kernel {
                    match value {
                        Some(value) => {
                            let text = self.value(*value)?;
                            self.out.line(format!("return {};", text.text));
                        }
                        None => self.out.line("return;"),
                    }
                    return Ok(());
                }
                self.leave(None, false);
            }
            kind => {
                let continues = matches!(kind, StatementKind::Continue);
                let Some(target) = facts.jump_target(id) else { return Ok(()) };
                match self.targets.iter().rposition(|(known, _)| *known == target) {
                    Some(index) => {
                        let (_, label) = &self.targets[index];
                        // A break inside a switch, or a step that is not in the head.
                        match label {
                            Some(label) if continues => {
                                let line = format!("goto {label};");
                                self.out.line(line);
                            }
                            _ => self.out.line(if continues { "continue;" } else { "break;" }),
                        }
                    }
                    None => self.leave(Some(target), continues),
                }
            }
        }
        Ok(())
    }

    /// Declares the locals whose first access this statement is, where they can be declared here.
    fn declare_locals(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let Some(locals) = self.declared_before.get(&id).cloned() else { return Ok(()) };
        for local in locals {
            if self.locals[local.index()].is_some() {
                continue;
            }
            // `T x = value;` where the statement is the first store.
            if let StatementKind::Store { pointer, .. } = self.facts.kind(id)
                && self.facts.variable(*pointer) == Some(local)
            {
                continue;
            }
            if self.only_chooses(id, local) {
                continue;
            }
            self.declare_local(local)?;
        }
        Ok(())
    }

    fn declare_local(&mut self, local: Handle<Local>) -> Result<(), NotCompiled> {
        let name = self.name_local(local);
        let data = &self.facts.function.locals[local];
        let ty = data.ty;
        let spelled = self.local_type(local)?;
        let align = match (data.align, self.facts.module.types.layout(ty)) {
            (Some(align), Some(layout)) if align > layout.align => format!("alignas({align}) "),
            _ => String::new(),
        };
        let start = match ty {
            Type::Scalar(_) | Type::Vector(..) | Type::Pointer(_) => "{}",
            _ => "",
        };
        self.out.line(format!("{align}{spelled} {name}{start};"));
        Ok(())
    }

    /// Gives a local its name.
    pub(super) fn name_local(&mut self, local: Handle<Local>) -> String {
        let wish = self.facts.function.locals[local].name.clone();
        let name = self.names.fresh(&wish);
        self.locals[local.index()] = Some(name.clone());
        name
    }

    /// The C++ type of a local.
    pub(super) fn local_type(&mut self, local: Handle<Local>) -> Result<String, NotCompiled> {
        self.spelling.value(self.facts.function.locals[local].ty)
    }

    /// Finds before which statements the locals of one thread are declared.
    pub(super) fn plan_locals(&mut self) {
        let facts = self.facts;
        for (local, _) in facts.function.locals.iter() {
            if self.kernel
                && (self.schedule.home(local) != Home::Lane || self.schedule.is_induction(local))
            {
                continue;
            }
            let accesses = &facts.accesses[local.index()];
            let mut places: Vec<Position> =
                accesses.iter().map(|access| facts.position(*access)).collect();
            for access in accesses {
                if let StatementKind::Load { result, .. } = facts.kind(*access)
                    && facts.folded[result.index()]
                {
                    places.extend(&facts.uses[result.index()]);
                }
            }
            let Some(mut place) = self.facts.common_position(&places) else { continue };
            // What a pass of a loop leaves, the next one finds; and an address that is kept may be
            // used anywhere.
            if facts.flow.escapes(local) || !starts_with_store(facts, local, place.block) {
                place = self.outside_loops(place);
            }
            if place.key == END {
                // The test of a loop, or its body and step: before the loop.
                if let Some(parent) = facts.blocks[place.block].parent {
                    place = parent;
                }
            }
            self.declared_before.entry(StatementId(place.key)).or_default().push(local);
        }
    }

    /// The position around all loops of the region, or function, that a position lies in.
    fn outside_loops(&self, place: Position) -> Position {
        let facts = self.facts;
        let mut at = place;
        let mut result = place;
        loop {
            let lane = !self.kernel || !self.schedule.is_block_level(at.block);
            if !lane {
                return result;
            }
            let Some(parent) = facts.blocks[at.block].parent else { return result };
            if self.kernel && self.schedule.is_block_level(at.block) {
                return result;
            }
            let is_loop = parent.key == END
                || matches!(facts.kind(StatementId(parent.key)), StatementKind::Loop(_));
            if is_loop && parent.key != END {
                result = parent;
            }
            at = parent;
        }
    }

    // Simple statements.

    /// A statement without blocks that needs no other thread.
    pub(super) fn simple(&mut self, id: StatementId) -> Result<(), NotCompiled> {
        let facts = self.facts;
        match facts.kind(id) {
            StatementKind::Load { result, pointer, access } => {
                self.load(*result, *pointer, *access)?;
            }
            StatementKind::Store { pointer, value, access } => {
                self.store(*pointer, *value, *access)?;
            }
            StatementKind::Copy { destination, source, bytes } => {
                let texts = [self.value(*destination)?, self.value(*source)?, self.value(*bytes)?];
                self.out.line(format!(
                    "copy_bytes({}, {}, size_t({}));",
                    texts[0].text, texts[1].text, texts[2].text
                ));
            }
            StatementKind::Fill { destination, byte, bytes } => {
                let texts = [self.value(*destination)?, self.value(*byte)?, self.value(*bytes)?];
                self.out.line(format!(
                    "fill_bytes({}, int({}), size_t({}));",
                    texts[0].text, texts[1].text, texts[2].text
                ));
            }
            StatementKind::Atomic { result, op, pointer, value, ordering } => {
                self.atomic(*result, *op, *pointer, *value, ordering.order)?;
            }
            StatementKind::Fence { .. } => self.out.line("fence();"),
            StatementKind::Prefetch { .. }
            | StatementKind::AsyncCommit
            | StatementKind::AsyncWait { .. }
            | StatementKind::Sleep { .. } => {}
            StatementKind::AsyncCopy(copy) => {
                let (to, from) = (self.value(copy.destination)?, self.value(copy.source)?);
                match copy.source_bytes {
                    None => self
                        .out
                        .line(format!("copy_bytes({}, {}, {});", to.text, from.text, copy.bytes)),
                    Some(read) => {
                        let read = self.value(read)?;
                        self.out.line(format!(
                            "copy_or_zero({}, {}, {}, size_t({}));",
                            to.text, from.text, copy.bytes, read.text
                        ));
                    }
                }
            }
            StatementKind::Call { result, function, arguments } => {
                self.call(*result, *function, arguments)?;
            }
            StatementKind::Print { result, format, arguments } => {
                self.print(*result, format, arguments)?;
            }
            StatementKind::Assert { condition, message } => {
                let condition = self.value(*condition)?;
                let place = self.place_text();
                let message = if message.is_empty() { &condition.text } else { message };
                let message = quote(message);
                self.out.line(format!(
                    "if (!{}) assertion_failed({message}, {place});",
                    condition.in_level(Level::Unary)
                ));
            }
            StatementKind::Trap => {
                let place = self.place_text();
                self.out.line(format!("trap({place});"));
            }
            StatementKind::Clock { result, .. } => {
                let ty = self.facts.ty(*result);
                let spelled = self.spelling.value(ty)?;
                self.define(*result, Text::primary(format!("{spelled}(clock_ticks())")))?;
            }
            StatementKind::Barrier { .. } => {}
            StatementKind::Unsupported { what, .. } => {
                return Err(refuse(format!("it uses what could not be translated: {what}")));
            }
            _ => return Err(refuse("it uses a statement that has no form here")),
        }
        Ok(())
    }

    /// Gives the result of a statement its place: a name, or the thread's element of an array.
    pub(super) fn define(&mut self, result: Value, text: Text) -> Result<(), NotCompiled> {
        let ty = self.facts.ty(result);
        if let Some(array) = self.arrays.get(&result).cloned() {
            self.uses_t = true;
            self.out.line(format!("{array}[t] = {};", text.text));
            return Ok(());
        }
        let wish = self.wish(result);
        let name = self.names.fresh(&wish);
        let spelled = self.spelling.value(ty)?;
        let head = super::types::constant_of(&spelled, &name);
        self.out.line(format!("{head} = {};", text.text));
        self.bind(result, name);
        Ok(())
    }

    fn load(&mut self, result: Value, pointer: Value, access: Access) -> Result<(), NotCompiled> {
        let facts = self.facts;
        if facts.folded[result.index()] && facts.variable(pointer).is_some() {
            return Ok(());
        }
        if facts.uses[result.index()].is_empty() && !access.volatile && access.atomic.is_none() {
            return Ok(());
        }
        if self.folds(result) {
            return Ok(());
        }
        let ty = facts.ty(result);
        let text = if let Some(ordering) = access.atomic {
            let place = self.typed(pointer, ty)?;
            let spelled = self.spelling.value(ty)?;
            Text::primary(format!(
                "atomic_load<{spelled}>({}, {})",
                place.text,
                memory_order(ordering.order)
            ))
        } else if access.volatile
            && !matches!(facts.flow.root(pointer), port_ir::analysis::flow::Root::Local(_))
        {
            let place = self.typed(pointer, ty)?;
            let spelled = self.spelling.value(ty)?;
            Text::primary(format!("volatile_load<{spelled}>({})", place.text))
        } else {
            self.lvalue(pointer, ty)?
        };
        self.define(result, text)
    }

    /// Whether a load of memory happens where its reader stands, here too.
    pub(super) fn folds(&self, result: Value) -> bool {
        let facts = self.facts;
        if !facts.folded_memory[result.index()] || self.arrays.contains_key(&result) {
            return false;
        }
        let Some(definer) = facts.flow.definer(result) else { return false };
        let block = facts.block_of[definer.index()];
        if !self.kernel || !self.schedule.is_block_level(block) {
            return true;
        }
        let own = self.schedule.step_at(facts, facts.position(definer));
        facts.uses[result.index()].iter().all(|place| self.schedule.step_at(facts, *place) == own)
            && !self.schedule.scalars.contains(&result)
    }

    fn store(&mut self, pointer: Value, value: Value, access: Access) -> Result<(), NotCompiled> {
        let facts = self.facts;
        if let Some(local) = facts.variable(pointer) {
            if self.kernel && self.schedule.is_induction(local) {
                // Its loop sets it.
                return Ok(());
            }
            if self.locals[local.index()].is_none() {
                // The first store declares it.
                let text = self.value(value)?;
                let name = self.name_local(local);
                let spelled = self.local_type(local)?;
                self.out.line(format!("{spelled} {name} = {};", text.text));
                return Ok(());
            }
            let text = self.assignment(local, value)?;
            self.out.line(format!("{text};"));
            return Ok(());
        }
        let ty = facts.ty(value);
        if let Some(ordering) = access.atomic {
            let place = self.typed(pointer, ty)?;
            let text = self.value(value)?;
            let spelled = self.spelling.value(ty)?;
            self.out.line(format!(
                "atomic_store<{spelled}>({}, {}, {});",
                place.text,
                text.text,
                memory_order(ordering.order)
            ));
            return Ok(());
        }
        if access.volatile
            && !matches!(facts.flow.root(pointer), port_ir::analysis::flow::Root::Local(_))
        {
            let place = self.typed(pointer, ty)?;
            let text = self.value(value)?;
            let spelled = self.spelling.value(ty)?;
            self.out.line(format!("volatile_store<{spelled}>({}, {});", place.text, text.text));
            return Ok(());
        }
        let text = self.value(value)?;
        let place = self.lvalue(pointer, ty)?;
        self.out.line(format!("{} = {};", place.text, text.text));
        Ok(())
    }

    fn atomic(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        pointer: Value,
        value: Value,
        order: MemoryOrder,
    ) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let ty = facts.ty(value);
        let result = result.filter(|result| !facts.uses[result.index()].is_empty());
        let spelled = self.spelling.value(ty)?;
        let place = self.typed(pointer, ty)?;
        let operand = self.value(value)?;
        // One OS thread runs a block, so nobody else sees its shared memory.
        let own = self.is_own_memory(pointer);
        let (name, extra) = match op {
            AtomicOp::Add => ("add", None),
            AtomicOp::Subtract => ("subtract", None),
            AtomicOp::Minimum => ("minimum", None),
            AtomicOp::Maximum => ("maximum", None),
            AtomicOp::And => ("and", None),
            AtomicOp::Or => ("or", None),
            AtomicOp::Xor => ("xor", None),
            AtomicOp::Exchange => ("exchange", None),
            AtomicOp::CompareExchange { expected } => ("compare_exchange", Some(expected)),
            AtomicOp::IncrementWrap => ("increment", None),
            AtomicOp::DecrementWrap => ("decrement", None),
        };
        let mut arguments = place.text.clone();
        if let Some(expected) = extra {
            let expected = self.value(expected)?;
            arguments = format!("{arguments}, {}", expected.text);
        }
        arguments = format!("{arguments}, {}", operand.text);
        let prefix = if own { "shared" } else { "atomic" };
        let _ = order;
        let text = format!("{prefix}_{name}<{spelled}>({arguments})");
        match result {
            Some(result) => self.define(result, Text::primary(text)),
            None => {
                self.out.line(format!("{text};"));
                Ok(())
            }
        }
    }

    /// Whether a pointer certainly reaches the block's shared memory, or a thread's own.
    fn is_own_memory(&self, pointer: Value) -> bool {
        let facts = self.facts;
        let mut at = pointer;
        loop {
            if let Some(Space::Shared | Space::Local) = facts.ty(at).space() {
                return true;
            }
            match facts.expression(at) {
                Expression::Element { base, .. } | Expression::Member { base, .. } => at = *base,
                Expression::Convert { kind: port_ir::Conversion::Space, value, .. } => at = *value,
                _ => return false,
            }
        }
    }

    fn call(
        &mut self,
        result: Option<Value>,
        function: Handle<Function>,
        arguments: &[Value],
    ) -> Result<(), NotCompiled> {
        let name = self.function_name(function);
        let mut texts = vec![self.thread_argument()?];
        let parameters = &self.facts.module.functions[function].parameters;
        for (argument, parameter) in arguments.iter().zip(parameters) {
            let pointee = parameter.pointee.and_then(|ty| self.usable(ty));
            texts.push(match pointee {
                Some(pointee) => self.typed(*argument, pointee)?.text,
                None => self.value(*argument)?.text,
            });
        }
        let text = format!("{name}({})", texts.join(", "));
        match result.filter(|result| !self.facts.uses[result.index()].is_empty()) {
            Some(result) => self.define(result, Text::primary(text)),
            None => {
                self.out.line(format!("{text};"));
                Ok(())
            }
        }
    }

    fn print(
        &mut self,
        result: Option<Value>,
        format: &str,
        arguments: &[Value],
    ) -> Result<(), NotCompiled> {
        let mut texts = vec![quote(format)];
        for argument in arguments {
            let text = self.value(*argument)?;
            texts.push(match self.facts.ty(*argument) {
                Type::Scalar(Scalar::I64) => format!("static_cast<long long>({})", text.text),
                Type::Scalar(Scalar::U64) => {
                    format!("static_cast<unsigned long long>({})", text.text)
                }
                Type::Scalar(Scalar::F32) => format!("double({})", text.text),
                Type::Scalar(Scalar::F16 | Scalar::Bf16) => format!("double(widen({}))", text.text),
                Type::Scalar(_) => text.text,
                Type::Pointer(_) => format!("static_cast<const void*>({})", text.text),
                _ => return Err(refuse("it prints a value that is no number")),
            });
        }
        let text = format!("print({})", texts.join(", "));
        match result.filter(|result| !self.facts.uses[result.index()].is_empty()) {
            Some(result) => self.define(result, Text::primary(text)),
            None => {
                self.out.line(format!("{text};"));
                Ok(())
            }
        }
    }
}

fn memory_order(order: MemoryOrder) -> &'static str {
    match order {
        MemoryOrder::Relaxed => "__ATOMIC_RELAXED",
        MemoryOrder::Acquire => "__ATOMIC_ACQUIRE",
        MemoryOrder::Release => "__ATOMIC_RELEASE",
        MemoryOrder::AcquireRelease => "__ATOMIC_ACQ_REL",
        MemoryOrder::SequentiallyConsistent => "__ATOMIC_SEQ_CST",
    }
}
