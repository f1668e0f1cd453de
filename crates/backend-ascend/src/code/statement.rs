//! Statements of one thread.

use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{
    Access, AtomicOp, Conversion, Expression, Handle, Local, LoopTest, Scalar, Space,
    StatementKind, Type, Unroll, Value,
};

use super::cpp::{Level, Text, is_operand, quote};
use super::facts::{BlockId, END, Position};
use super::printer::{Printer, is_literal};
use super::{Form, refuse};
use crate::kernel::NotTranslated;

type Done = Result<(), NotTranslated>;

impl Printer<'_, '_, '_> {
    /// The statements of a block.
    pub(crate) fn block(&mut self, block: BlockId) -> Done {
        self.push_scope();
        let facts = self.facts;
        for id in &facts.blocks[block].statements {
            self.statement(*id)?;
        }
        self.pop_scope();
        Ok(())
    }

    /// A statement, with what is declared before it.
    pub(crate) fn statement(&mut self, id: StatementId) -> Done {
        let facts = self.facts;
        self.place = facts.statement(id).location.origin;
        self.declare_locals(id)?;
        self.comment(id);
        self.declare_at(facts.position(id), &|_| true)?;
        match facts.kind(id) {
            StatementKind::Block(_) => {
                self.out.open("{");
                self.block(facts.children[id.index()][0])?;
                self.out.close("}");
            }
            StatementKind::If { condition, .. } => {
                let condition = self.value(*condition)?;
                if !self.choice(id, &condition)? {
                    self.declare_choice(id)?;
                    self.branch(id, &condition)?;
                }
            }
            StatementKind::Switch { .. } => self.switch(id)?,
            StatementKind::Loop(_) => self.looping(id)?,
            StatementKind::Break | StatementKind::Continue | StatementKind::Return { .. } => {
                self.jump(id)?;
            }
            kind if kind.is_convergent() && self.context.form == Form::Threads => {
                crate::simt::convergent(self, id)?;
            }
            _ => self.simple(id)?,
        }
        Ok(())
    }

    fn branch(&mut self, id: StatementId, condition: &Text) -> Done {
        let facts = self.facts;
        let [accept, reject] = facts.children[id.index()][..] else { return Ok(()) };
        let empty = |block: BlockId| facts.blocks[block].statements.is_empty();
        if empty(accept) && !empty(reject) {
            self.out.open(format!("if (!{}) {{", condition.in_level(Level::Unary)));
            self.block(reject)?;
        } else {
            self.out.open(format!("if ({}) {{", condition.condition()));
            self.block(accept)?;
            if !empty(reject) {
                self.out.turn("} else {");
                self.block(reject)?;
            }
        }
        self.out.close("}");
        Ok(())
    }

    /// The two stores of an `if` that only chooses what a variable is set to.
    fn chosen(&self, id: StatementId) -> Option<(Handle<Local>, Value, Value)> {
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
                        store = Some((facts.variable(*pointer)?, *value));
                    }
                    _ => return None,
                }
                if facts.named_at.contains_key(&facts.position(*inner)) {
                    return None;
                }
            }
            stores.extend(store);
        }
        let [(local, yes), (other, no)] = stores[..] else { return None };
        let scalar = matches!(facts.function.locals[local].ty, Type::Scalar(_));
        (local == other && scalar).then_some((local, yes, no))
    }

    /// An `if` that only chooses what a variable is set to, as an expression.
    fn choice(&mut self, id: StatementId, condition: &Text) -> Result<bool, NotTranslated> {
        let facts = self.facts;
        let Some((local, yes, no)) = self.chosen(id) else { return Ok(false) };
        let ty = facts.function.locals[local].ty;
        let mark = self.out.mark();
        let state = (self.names.clone(), self.scopes());
        let (yes, no) = (self.value(yes)?, self.value(no)?);
        if self.out.changed(mark) || yes.text.len() + no.text.len() > 100 {
            self.out.rewind(mark);
            self.names = state.0;
            self.restore_scopes(state.1);
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
            let spelled = self.spelling.value(ty)?;
            self.out.line(format!("{spelled} {name} = {text};"));
        } else {
            let name = self.local_name(local)?;
            self.out.line(format!("{name} = {text};"));
        }
        Ok(true)
    }

    fn switch(&mut self, id: StatementId) -> Done {
        let facts = self.facts;
        let StatementKind::Switch { selector, cases } = facts.kind(id) else { return Ok(()) };
        let ty = facts.ty(*selector).scalar().unwrap_or(Scalar::I32);
        let selector = self.value(*selector)?;
        self.out.open(format!("switch ({}) {{", selector.condition()));
        self.targets.push((id, None));
        for (case, block) in cases.iter().zip(facts.children[id.index()].clone()) {
            for bits in &case.values {
                let value = self.constant(port_ir::Constant::from_bits(ty, *bits))?;
                self.out.line(format!("case {}:", value.text));
            }
            if case.default {
                self.out.line("default:");
            }
            self.out.open("{");
            self.block(block)?;
            let last = facts.blocks[block].statements.last();
            let jumps = last.is_some_and(|last| facts.kind(*last).is_jump());
            if !case.fallthrough && !jumps {
                self.out.line("break;");
            }
            self.out.close("}");
            if case.fallthrough {
                self.out.line("// falls through");
            }
        }
        self.targets.pop();
        self.out.close("}");
        Ok(())
    }

    fn looping(&mut self, id: StatementId) -> Done {
        let facts = self.facts;
        let StatementKind::Loop(looping) = facts.kind(id) else { return Ok(()) };
        let [condition, body, step] = facts.children[id.index()][..] else { return Ok(()) };
        if looping.when == LoopTest::Before
            && let Some(head) = self.loop_head(id)?
        {
            match looping.unroll {
                Unroll::Full => self.out.line("#pragma unroll"),
                Unroll::Times(times) => self.out.line(format!("#pragma unroll {times}")),
                Unroll::None => {}
            }
            self.out.open(head);
            self.targets.push((id, None));
            self.block(body)?;
            self.targets.pop();
            self.out.close("}");
            return Ok(());
        }
        self.out.open("while (true) {");
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
            self.block(body)?;
            self.out.close("}");
        } else {
            self.block(body)?;
        }
        self.targets.pop();
        if let Some(label) = label {
            self.out.line(format!("{label}:;"));
        }
        self.push_scope();
        for id in &facts.blocks[step].statements {
            self.statement(*id)?;
        }
        self.pop_scope();
        if !before {
            self.loop_condition(condition, looping.test)?;
        }
        self.pop_scope();
        self.out.close("}");
        Ok(())
    }

    fn loop_condition(&mut self, block: BlockId, test: Option<Value>) -> Done {
        let facts = self.facts;
        for id in &facts.blocks[block].statements {
            self.statement(*id)?;
        }
        self.declare_at(Position { block, key: END }, &|_| true)?;
        if let Some(test) = test {
            let test = self.value(test)?;
            self.out.open(format!("if (!{}) {{", test.in_level(Level::Unary)));
            self.out.line("break;");
            self.out.close("}");
        }
        Ok(())
    }

    /// `for (; test; step) {` or `while (test) {`, if condition and step are expressions.
    fn loop_head(&mut self, id: StatementId) -> Result<Option<String>, NotTranslated> {
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
        if !facts.blocks[condition].statements.iter().all(names)
            || facts.named_at.contains_key(&Position { block: condition, key: END })
        {
            return Ok(None);
        }
        let mark = self.out.mark();
        let names_before = self.names.clone();
        let scopes = self.scopes();
        let test = self.value(test)?;
        let mut steps = Vec::new();
        let mut simple = !self.out.changed(mark);
        for id in &facts.blocks[step].statements {
            if !simple {
                break;
            }
            match facts.kind(*id) {
                StatementKind::Store { pointer, value, .. } => {
                    let local = facts
                        .variable(*pointer)
                        .filter(|_| !facts.named_at.contains_key(&facts.position(*id)));
                    match local {
                        Some(local) => steps.push(self.assignment(local, *value)?),
                        None => simple = false,
                    }
                }
                _ if names(id) => {}
                _ => simple = false,
            }
            simple &= !self.out.changed(mark);
        }
        if !simple {
            self.out.rewind(mark);
            self.names = names_before;
            self.restore_scopes(scopes);
            return Ok(None);
        }
        if steps.is_empty() {
            return Ok(Some(format!("while ({}) {{", test.condition())));
        }
        Ok(Some(format!("for (; {}; {}) {{", test.condition(), steps.join(", "))))
    }

    /// `name = value`, or `name += value` where that is the same.
    pub(crate) fn assignment(
        &mut self,
        local: Handle<Local>,
        value: Value,
    ) -> Result<String, NotTranslated> {
        let name = self.local_name(local)?;
        let ty = self.facts.function.locals[local].ty;
        let text = self.kept_value(value)?;
        if self.kept_locals.contains(&local)
            && !matches!(ty, Type::Scalar(_) | Type::Pointer(Space::Generic | Space::Local))
        {
            let array = name.trim_end_matches("[t]");
            return Ok(self.stored_element(array, ty, &text));
        }
        if let Type::Scalar(Scalar::U32 | Scalar::U64 | Scalar::I32 | Scalar::I64 | Scalar::F32) =
            ty
        {
            for operator in ["+", "-", "*"] {
                if let Some(rest) = text.text.strip_prefix(&format!("{name} {operator} "))
                    && (text.level == Level::Sum && operator != "*"
                        || text.level == Level::Product && operator == "*")
                    && is_operand(rest)
                {
                    return Ok(match (operator, rest) {
                        ("+" | "-", "1" | "1u") => format!("{operator}{operator}{name}"),
                        _ => format!("{name} {operator}= {rest}"),
                    });
                }
            }
        }
        Ok(format!("{name} = {}", text.text))
    }

    fn jump(&mut self, id: StatementId) -> Done {
        let facts = self.facts;
        let (target, continues) = match facts.kind(id) {
            StatementKind::Return { .. } if self.is_called() => return self.return_value(id),
            StatementKind::Return { .. } if self.context.form == Form::Threads => {
                self.out.line("return;");
                return Ok(());
            }
            StatementKind::Return { .. } => (None, false),
            kind => (facts.jump_target(id), matches!(kind, StatementKind::Continue)),
        };
        if let Some(target) = target
            && let Some((_, label)) = self.targets.iter().rev().find(|(known, _)| *known == target)
        {
            let line = match label {
                Some(label) if continues => format!("goto {label};"),
                _ if continues => "continue;".to_string(),
                _ => "break;".to_string(),
            };
            self.out.line(line);
            return Ok(());
        }
        let Some(lines) = self.leaves.get(&(target, continues)).cloned() else {
            return Err(refuse("it jumps in a way that is not followed"));
        };
        for line in lines {
            self.out.line(line);
        }
        match &mut self.next_label {
            Some(_) if self.targets.is_empty() => self.out.line("continue;"),
            Some((label, used)) => {
                *used = true;
                let line = format!("goto {label};");
                self.out.line(line);
            }
            None => return Err(refuse("it jumps in a way that is not followed")),
        }
        Ok(())
    }

    /// Declares the locals whose first access this statement is, where they can be declared here.
    fn declare_locals(&mut self, id: StatementId) -> Done {
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
            if matches!(self.facts.kind(id), StatementKind::If { .. })
                && self.chosen(id).is_some_and(|(chosen, ..)| chosen == local)
            {
                continue;
            }
            self.declare_local(local)?;
        }
        Ok(())
    }

    /// Declares a local that an `if` was to set, when it is not written as a choice.
    fn declare_choice(&mut self, id: StatementId) -> Done {
        for local in self.declared_before.get(&id).cloned().unwrap_or_default() {
            if self.locals[local.index()].is_none() {
                self.declare_local(local)?;
            }
        }
        Ok(())
    }

    fn declare_local(&mut self, local: Handle<Local>) -> Done {
        let name = self.name_local(local);
        let data = &self.facts.function.locals[local];
        let ty = data.ty;
        let spelled = self.spelling.value(ty)?;
        let align = match (data.align, self.facts.module.types.layout(ty)) {
            (Some(align), Some(layout)) if align > layout.align => format!("alignas({align}) "),
            _ => String::new(),
        };
        let start = match ty {
            Type::Scalar(_) | Type::Pointer(_) => "{}",
            _ => "",
        };
        self.out.line(format!("{align}{spelled} {name}{start};"));
        Ok(())
    }

    // Simple statements.

    /// A statement without blocks that needs no other thread.
    fn simple(&mut self, id: StatementId) -> Done {
        let facts = self.facts;
        let threads = self.context.form == Form::Threads;
        match facts.kind(id) {
            StatementKind::Load { result, pointer, access } => {
                self.load(*result, *pointer, *access)?;
            }
            StatementKind::Store { pointer, value, access } => {
                self.store(*pointer, *value, *access)?;
            }
            StatementKind::Copy { destination, source, bytes } => {
                let (to, from) = (self.bytes(*destination)?, self.bytes(*source)?);
                let bytes = self.value(*bytes)?;
                let name = self.spelling.helper("CopyBytes");
                self.out.line(format!("{name}({}, {}, {});", to.text, from.text, bytes.text));
            }
            StatementKind::Fill { destination, byte, bytes } => {
                let to = self.bytes(*destination)?;
                let (byte, bytes) = (self.value(*byte)?, self.value(*bytes)?);
                let name = self.spelling.helper("FillBytes");
                self.out
                    .line(format!("{name}({}, uint8_t({}), {});", to.text, byte.text, bytes.text));
            }
            StatementKind::Atomic { result, op, pointer, value, .. } => {
                let result = result.filter(|result| !facts.uses[result.index()].is_empty());
                if threads {
                    crate::simt::atomic(self, result, *op, *pointer, *value)?;
                } else {
                    self.update(result, *op, *pointer, *value)?;
                }
            }
            StatementKind::Fence { ordering } => {
                if threads {
                    let block = ordering.scope == port_ir::MemoryScope::Block;
                    self.out.line(if block {
                        "asc_threadfence_block();"
                    } else {
                        "asc_threadfence();"
                    });
                }
            }
            StatementKind::Prefetch { .. }
            | StatementKind::AsyncCommit
            | StatementKind::AsyncWait { .. }
            | StatementKind::Sleep { .. } => {}
            StatementKind::AsyncCopy(copy) => {
                let (to, from) = (self.bytes(copy.destination)?, self.bytes(copy.source)?);
                let name = self.spelling.helper("CopyBytes");
                let bytes = copy.bytes;
                match copy.source_bytes {
                    None => {
                        self.out.line(format!("{name}({}, {}, {bytes});", to.text, from.text));
                    }
                    Some(read) => {
                        let read = self.value(read)?;
                        let fill = self.spelling.helper("FillBytes");
                        let smaller = self.spelling.helper("Minimum");
                        self.out.line(format!("{fill}({}, uint8_t(0), {bytes});", to.text));
                        self.out.line(format!(
                            "{name}({}, {}, {smaller}<uint64_t>({}, {bytes}));",
                            to.text, from.text, read.text
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
            StatementKind::Assert { condition, .. } => {
                let condition = self.value(*condition)?;
                if threads {
                    self.includes.insert("cassert");
                    self.out.line(format!("assert({});", condition.text));
                } else {
                    self.out.open(format!("if (!{}) {{", condition.in_level(Level::Unary)));
                    self.out.line("AscendC::Trap();");
                    self.out.close("}");
                }
            }
            StatementKind::Trap => {
                if threads {
                    self.includes.insert("cassert");
                    self.out.line("assert(false);");
                } else {
                    self.out.line("AscendC::Trap();");
                }
            }
            StatementKind::Clock { .. } => return Err(refuse("it reads a clock")),
            StatementKind::Barrier { .. } => {}
            StatementKind::Unsupported { what, .. } => {
                return Err(refuse(format!("it uses what could not be translated: {what}")));
            }
            _ => return Err(refuse("it uses a statement that has no form here")),
        }
        Ok(())
    }

    /// Gives the result of a statement its place: a name, or the thread's element of an array.
    pub(crate) fn define(&mut self, result: Value, text: &Text) -> Done {
        let ty = self.facts.ty(result);
        if let Some(array) = self.kept.get(&result).cloned() {
            let line = self.stored_element(&array, ty, text);
            self.out.line(format!("{line};"));
            return Ok(());
        }
        let wish = self.wish(result);
        let name = self.names.fresh(&wish);
        let spelled = self.spelling.value(ty)?;
        let constant = if matches!(ty, Type::Pointer(_)) { "" } else { "const " };
        self.out.line(format!("{constant}{spelled} {name} = {};", text.text));
        self.bind(result, name);
        Ok(())
    }

    /// The place of a volatile or atomic access.
    fn exact_place(&mut self, pointer: Value, ty: Type) -> Result<Text, NotTranslated> {
        let place = self.typed(pointer, ty)?;
        let space = self.space(pointer);
        let spelled = self.spelling.pointer(space, Some(ty))?;
        let spelled = spelled.trim_end_matches('*');
        Ok(Text::at(
            format!("*reinterpret_cast<volatile {spelled}*>({})", place.text),
            Level::Unary,
        ))
    }

    fn is_exact(&self, pointer: Value, access: Access) -> bool {
        (access.volatile || access.atomic.is_some())
            && self.context.form == Form::Threads
            && !matches!(self.facts.flow.root(pointer), Root::Local(_))
    }

    fn load(&mut self, result: Value, pointer: Value, access: Access) -> Done {
        let facts = self.facts;
        let variable = facts.variable(pointer).is_some();
        if facts.folded[result.index()] && variable && !self.unfolded.contains(&result) {
            return Ok(());
        }
        if facts.uses[result.index()].is_empty() && !access.volatile && access.atomic.is_none() {
            return Ok(());
        }
        if self.folds(result) {
            return Ok(());
        }
        let ty = facts.ty(result);
        let text = if self.is_exact(pointer, access) && matches!(ty, Type::Scalar(_)) {
            self.exact_place(pointer, ty)?
        } else {
            match facts.variable(pointer) {
                Some(local) => self.local_value(local)?,
                None => self.loaded(pointer, ty)?,
            }
        };
        self.define(result, &text)
    }

    fn store(&mut self, pointer: Value, value: Value, access: Access) -> Done {
        let facts = self.facts;
        if let Some(local) = facts.variable(pointer) {
            if self.locals[local.index()].is_none() {
                // The first store declares it.
                let text = self.kept_value(value)?;
                let name = self.name_local(local);
                let spelled = self.spelling.value(facts.function.locals[local].ty)?;
                self.out.line(format!("{spelled} {name} = {};", text.text));
                return Ok(());
            }
            let text = self.assignment(local, value)?;
            self.out.line(format!("{text};"));
            return Ok(());
        }
        let ty = facts.ty(value);
        let text = self.kept_value(value)?;
        if self.is_exact(pointer, access) && matches!(ty, Type::Scalar(_)) {
            let place = self.exact_place(pointer, ty)?;
            self.out.line(format!("{} = {};", place.text, text.text));
            return Ok(());
        }
        let line = self.stored(pointer, ty, &text)?;
        self.out.line(line);
        Ok(())
    }

    /// An atomic operation where nobody else runs: read, change, write.
    fn update(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        pointer: Value,
        value: Value,
    ) -> Done {
        let ty = self.facts.ty(value);
        let scalar = match ty {
            Type::Scalar(scalar) => scalar,
            Type::Vector(scalar, size) if op == AtomicOp::Add => {
                return self.update_parts(result, pointer, value, scalar, size.count());
            }
            _ => return Err(refuse("it updates several words atomically")),
        };
        if scalar == Scalar::F64 {
            return self.update_double(result, op, pointer, value);
        }
        let place = self.typed(pointer, ty)?;
        let operand = self.value(value)?;
        let spelled = self.spelling.value(ty)?;
        let name = self.names.fresh("old");
        let at = self.names.fresh("target");
        self.out.line(format!("auto {at} = {};", place.text));
        self.out.line(format!("const {spelled} {name} = *{at};"));
        let old = Text::primary(name.clone());
        let new = self.updated(op, scalar, &old, &operand)?;
        match op {
            AtomicOp::CompareExchange { expected } => {
                let expected = self.value(expected)?;
                let equal = if scalar.is_float() {
                    let bits = if scalar.size() == 2 { "uint16_t" } else { "uint32_t" };
                    let cast = self.bit_cast(bits);
                    format!("{cast}({name}) == {cast}({})", expected.text)
                } else {
                    format!("{name} == {}", expected.in_level(Level::Shift))
                };
                self.out.open(format!("if ({equal}) {{"));
                self.out.line(format!("*{at} = {};", operand.text));
                self.out.close("}");
            }
            _ => self.out.line(format!("*{at} = {};", new.text)),
        }
        if let Some(result) = result {
            if self.kept.contains_key(&result) {
                self.define(result, &old)?;
            } else {
                self.bind(result, name);
            }
        }
        Ok(())
    }

    fn update_double(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        pointer: Value,
        value: Value,
    ) -> Done {
        if let AtomicOp::CompareExchange { .. } = op {
            return Err(refuse("it compares and swaps doubles"));
        }
        let old = self.loaded(pointer, Type::F64)?;
        let name = self.names.fresh("old");
        self.out.line(format!("const Float64 {name} = {};", old.text));
        let old = Text::primary(name);
        let operand = self.value(value)?;
        let new = self.updated(op, Scalar::F64, &old, &operand)?;
        let line = self.stored(pointer, Type::F64, &new)?;
        self.out.line(line);
        match result {
            Some(result) => self.define(result, &old),
            None => Ok(()),
        }
    }

    /// The parts of a vector are added one by one.
    fn update_parts(
        &mut self,
        result: Option<Value>,
        pointer: Value,
        value: Value,
        scalar: Scalar,
        count: u32,
    ) -> Done {
        let ty = self.facts.ty(value);
        let spelled = self.spelling.value(ty)?;
        let place = self.typed(pointer, Type::Scalar(scalar))?;
        let operand = self.value(value)?;
        let (at, held) = (self.names.fresh("target"), self.names.fresh("whole"));
        self.out.line(format!("auto {at} = {};", place.text));
        self.out.line(format!("const {spelled} {held} = {};", operand.text));
        let mut olds = Vec::new();
        for index in 0..count {
            let old = self.names.fresh("old");
            let part = super::cpp::component(index);
            self.out.line(format!("const auto {old} = {at}[{index}];"));
            let (left, right) =
                (Text::primary(old.clone()), Text::primary(format!("{held}.{part}")));
            let new = self.updated(AtomicOp::Add, scalar, &left, &right)?;
            self.out.line(format!("{at}[{index}] = {};", new.text));
            olds.push(old);
        }
        match result {
            Some(result) => {
                let text = Text::primary(format!("{spelled}{{{}}}", olds.join(", ")));
                self.define(result, &text)
            }
            None => Ok(()),
        }
    }

    /// What an atomic operation leaves.
    pub(crate) fn updated(
        &mut self,
        op: AtomicOp,
        scalar: Scalar,
        old: &Text,
        operand: &Text,
    ) -> Result<Text, NotTranslated> {
        use port_ir::{FloatFlags, FloatOp, IntegerOp};
        let float = |op| (Some(op), None);
        let (as_float, as_integer) = match op {
            AtomicOp::Add if scalar.is_float() => float(FloatOp::Add),
            AtomicOp::Subtract if scalar.is_float() => float(FloatOp::Subtract),
            AtomicOp::Minimum if scalar.is_float() => float(FloatOp::Minimum),
            AtomicOp::Maximum if scalar.is_float() => float(FloatOp::Maximum),
            AtomicOp::Add => (None, Some(IntegerOp::Add)),
            AtomicOp::Subtract => (None, Some(IntegerOp::Subtract)),
            AtomicOp::Minimum => (None, Some(IntegerOp::Minimum)),
            AtomicOp::Maximum => (None, Some(IntegerOp::Maximum)),
            AtomicOp::And => (None, Some(IntegerOp::And)),
            AtomicOp::Or => (None, Some(IntegerOp::Or)),
            AtomicOp::Xor => (None, Some(IntegerOp::Xor)),
            AtomicOp::Exchange | AtomicOp::CompareExchange { .. } => return Ok(operand.clone()),
            AtomicOp::IncrementWrap => {
                let by = operand.in_level(Level::Shift);
                return Ok(Text::at(
                    format!("{0} >= {by} ? 0 : {0} + 1", old.text),
                    Level::Conditional,
                ));
            }
            AtomicOp::DecrementWrap => {
                let by = operand.in_level(Level::Shift);
                return Ok(Text::at(
                    format!("{0} == 0 || {0} > {by} ? {by} : {0} - 1", old.text),
                    Level::Conditional,
                ));
            }
        };
        match (as_float, as_integer) {
            (Some(op), _) => self.float_text(op, scalar, old, operand, FloatFlags::STRICT),
            (_, Some(op)) => self.integer_text(op, scalar, old, operand),
            _ => Err(refuse("it updates memory in a way that has no form here")),
        }
    }

    fn print(&mut self, result: Option<Value>, format: &str, arguments: &[Value]) -> Done {
        if result.is_some_and(|result| !self.facts.uses[result.index()].is_empty()) {
            return Err(refuse("it uses what `printf` returns"));
        }
        let mut texts = vec![quote(format)];
        for argument in arguments {
            texts.push(match self.facts.ty(*argument) {
                Type::Scalar(Scalar::F64) => {
                    // Arguments of `printf` are doubles that were floats.
                    let inner = match self.facts.expression(*argument) {
                        Expression::Convert { value, .. } if self.facts.ty(*value) == Type::F32 => {
                            Some(*value)
                        }
                        _ => None,
                    };
                    match inner {
                        Some(inner) => self.value(inner)?.text,
                        None => {
                            let text = self.value(*argument)?.text;
                            format!("{}({text}, false)", self.spelling.helper("NarrowFloat64"))
                        }
                    }
                }
                Type::Scalar(scalar) => {
                    let text = self.value(*argument)?;
                    self.widened(scalar, &text).text
                }
                Type::Pointer(_) => match self.literal(*argument) {
                    Some(text) => quote(&text),
                    None => self.value(*argument)?.text,
                },
                _ => return Err(refuse("it prints a value that is no number")),
            });
        }
        let name = if self.context.form == Form::Threads { "printf" } else { "AscendC::PRINTF" };
        self.out.line(format!("{name}({});", texts.join(", ")));
        Ok(())
    }

    /// The characters of a string literal that a pointer points at.
    fn literal(&self, mut pointer: Value) -> Option<String> {
        // Operands are older than their users, so this ends.
        let variable = loop {
            match self.facts.expression(pointer) {
                Expression::Convert { kind: Conversion::Space, value, .. } => pointer = *value,
                Expression::Element { base, index, .. } => match self.facts.expression(*index) {
                    Expression::Constant(constant) if constant.bits == 0 => pointer = *base,
                    Expression::Zero(_) => pointer = *base,
                    _ => return None,
                },
                Expression::Variable(variable) => break *variable,
                _ => return None,
            }
        };
        let data = self.facts.module.variables.get(variable)?;
        if !is_literal(&data.name) || data.space != Space::Constant {
            return None;
        }
        let bytes = data.initial.as_deref()?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8(bytes[..end].to_vec()).ok()
    }

    /// Whether a pointer certainly reaches memory that only this block sees.
    pub(crate) fn is_shared(&self, pointer: Value) -> bool {
        self.space(pointer) == Space::Shared
    }
}
