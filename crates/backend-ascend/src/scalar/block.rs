//! The steps of a block: loops over its threads, and control flow around them, by masks.

use std::collections::BTreeMap;

use port_ir::analysis::flow::StatementId;
use port_ir::{Handle, Local, LoopTest, Space, StatementKind, Type, Value};

use super::ARRAY_BYTES;
use super::plan::{Plan, Step};
use crate::code::facts::{BlockId, END, Position};
use crate::code::writer::Writer;
use crate::code::{Printer, has_word, placed, refuse};
use crate::kernel::NotTranslated;

/// What a mask is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The threads that have not returned.
    Kernel,
    /// Those in an arm of an if or a switch.
    Arm,
    /// Those that have not left a switch.
    Switch(StatementId),
    /// Those that have not left a loop.
    Loop(StatementId),
    /// Those that have not gone to the loop's next pass.
    Pass(StatementId),
}

/// An array with an element for each thread.
#[derive(Clone, Debug)]
pub(super) struct LaneArray {
    pub(super) name: String,
    /// The C++ type of an element.
    pub(super) ty: String,
    pub(super) bytes: u64,
    /// The unified buffer or the workspace.
    pub(super) space: Space,
}

pub(super) type Done = Result<(), NotTranslated>;

/// Writes the steps of a kernel.
pub(super) struct Block<'b, 'e, 'c, 'a> {
    pub(super) printer: &'b mut Printer<'e, 'c, 'a>,
    pub(super) plan: &'b Plan,
    pub(super) masks: Vec<(Frame, String)>,
    pub(super) arrays: Vec<LaneArray>,
    /// Arrays that operations use for a moment, by the type of their elements.
    scratch: BTreeMap<String, String>,
    /// The mask of the threads that have not returned.
    pub(super) alive: String,
    /// The mask of all threads, where none returns early.
    everyone: String,
    /// Threads of a block, at most.
    pub(super) bound: u64,
    /// Bytes of the unified buffer that are taken.
    pub(super) used_bytes: u64,
}

impl<'b, 'e, 'c, 'a> Block<'b, 'e, 'c, 'a> {
    pub(super) fn new(printer: &'b mut Printer<'e, 'c, 'a>, plan: &'b Plan) -> Self {
        Block {
            printer,
            plan,
            masks: Vec::new(),
            arrays: Vec::new(),
            scratch: BTreeMap::new(),
            alive: String::new(),
            everyone: String::new(),
            bound: 1024,
            used_bytes: 0,
        }
    }

    /// The body of the function that executes a block.
    pub(super) fn write(&mut self) -> Done {
        let facts = self.printer.facts;
        for local in &self.plan.locals {
            self.keep_local(*local)?;
        }
        for result in &self.plan.results {
            let ty = facts.ty(*result);
            let wish = self.printer.wish(*result);
            let name = self.lane_array(ty, &wish)?;
            self.printer.kept.insert(*result, name);
        }
        self.printer.unfolded = self.plan.unfolded.clone();
        let plan = self.plan;
        self.printer.plan_locals(&|block| plan.is_block_level(block));
        let alive = self.mask("alive")?;
        let returns = facts
            .flow
            .statements()
            .any(|(_, entry)| matches!(entry.statement.kind, StatementKind::Return { .. }));
        if !returns {
            self.everyone = alive.clone();
        }
        self.masks.push((Frame::Kernel, alive.clone()));
        self.alive = alive;
        self.steps(0)
    }

    fn keep_local(&mut self, local: Handle<Local>) -> Done {
        let facts = self.printer.facts;
        let ty = facts.function.locals[local].ty;
        let wish = facts.function.locals[local].name.clone();
        let name = self.lane_array(ty, &wish)?;
        self.printer.keep_local(local, name);
        Ok(())
    }

    /// An array with an element of a type for each thread.
    pub(super) fn lane_array(&mut self, ty: Type, wish: &str) -> Result<String, NotTranslated> {
        let Some(bytes) = self.size_of(ty) else {
            return Err(refuse("it keeps a value of unknown size across a barrier"));
        };
        // Masks and what goes from lane to lane shall find room too.
        let room = if bytes > 4 { ARRAY_BYTES - 32 * 1024 } else { ARRAY_BYTES };
        let all = bytes * self.bound + 32;
        let space = if self.used_bytes + all <= room { Space::Shared } else { Space::Global };
        if space == Space::Shared {
            self.used_bytes += all;
        }
        if crate::scalar::is_copied(ty) {
            let names =
                if space == Space::Shared { ["LoadUb", "StoreUb"] } else { ["LoadGm", "StoreGm"] };
            for name in names {
                self.printer.spelling.helper(name);
            }
        }
        let spelled = match ty {
            Type::Pointer(_) => "uint64_t".to_owned(),
            ty => self.printer.spelling.value(ty)?,
        };
        let name = self.printer.names.fresh(wish);
        self.printer.array_spaces.insert(name.clone(), space);
        self.arrays.push(LaneArray { name: name.clone(), ty: spelled, bytes, space });
        Ok(name)
    }

    /// Bytes of a value as C++ has it: of a fragment, what one lane holds.
    fn size_of(&self, ty: Type) -> Option<u64> {
        let types = &self.printer.facts.module.types;
        if let Some(layout) = types.layout(ty) {
            return Some(layout.size);
        }
        match ty {
            Type::Fragment(fragment) => {
                let length = crate::code::types::fragment_length(fragment).ok()?;
                Some(length * fragment.element.storage().size())
            }
            Type::Array(array) => {
                let array = types.arrays()[array];
                self.size_of(array.element)?.checked_mul(array.length)
            }
            // Each member may be aligned to 8 bytes.
            Type::Struct(handle) => types.structs()[handle]
                .members
                .iter()
                .try_fold(0u64, |sum, member| Some(sum + self.size_of(member.ty)?.div_ceil(8) * 8)),
            _ => None,
        }
    }

    pub(super) fn mask(&mut self, wish: &str) -> Result<String, NotTranslated> {
        self.lane_array(Type::Scalar(port_ir::Scalar::U8), wish)
    }

    /// An array for a moment.
    pub(super) fn scratch(&mut self, ty: Type, wish: &str) -> Result<String, NotTranslated> {
        let key = format!("{wish} {}", self.printer.spelling.value(ty)?);
        if let Some(name) = self.scratch.get(&key) {
            return Ok(name.clone());
        }
        let name = self.lane_array(ty, wish)?;
        self.scratch.insert(key, name.clone());
        Ok(name)
    }

    /// The mask of the threads that are here.
    pub(super) fn here(&self) -> String {
        self.masks.last().map_or(String::new(), |(_, mask)| mask.clone())
    }

    /// The steps of a block-level block.
    fn steps(&mut self, block: BlockId) -> Done {
        let Some(steps) = self.plan.steps.get(&block) else { return Ok(()) };
        self.printer.push_scope();
        for (number, step) in steps {
            // The last region of a loop's condition is written with its test.
            if self.plan.tests.get(&block) == Some(number) {
                continue;
            }
            match step {
                Step::Region(statements) => {
                    self.lanes(Some(*number), &mut |block| {
                        for id in statements {
                            block.printer.statement(*id)?;
                        }
                        Ok(())
                    })?;
                }
                Step::Together(id) => self.together(*id)?,
                Step::Control(id) => self.control(*id)?,
            }
        }
        self.printer.pop_scope();
        Ok(())
    }

    /// A loop over the threads that are here.
    pub(super) fn lanes(
        &mut self,
        step: Option<usize>,
        write: &mut dyn FnMut(&mut Self) -> Done,
    ) -> Done {
        let here = self.here();
        self.lanes_of(step, &[], &here, write)
    }

    /// A loop over the threads of a mask; `first` are statements for all threads.
    pub(super) fn lanes_of(
        &mut self,
        step: Option<usize>,
        first: &[String],
        mask: &str,
        write: &mut dyn FnMut(&mut Self) -> Done,
    ) -> Done {
        let facts = self.printer.facts;
        let depth = self.printer.out.depth();
        let outer = std::mem::replace(&mut self.printer.out, Writer::at_depth(depth + 1));
        self.printer.push_scope();
        let label = self.printer.names.fresh("next");
        self.printer.next_label = Some((label.clone(), false));
        self.printer.leaves = self.leaves();
        // What the step reads of the values with a name.
        let plan = self.plan;
        if let Some(step) = step {
            let wanted = facts
                .named
                .keys()
                .filter(|value| {
                    facts.uses[value.index()]
                        .iter()
                        .any(|place| plan.step_at(facts, *place) == Some(step))
                })
                .copied()
                .collect();
            self.printer.wanted = Some(wanted);
        }
        let written = write(self);
        let place = self.printer.place;
        self.printer.wanted = None;
        self.printer.pop_scope();
        let used = self.printer.next_label.take().is_some_and(|(_, used)| used);
        let body = std::mem::replace(&mut self.printer.out, outer).finish();
        written.map_err(|refused| placed(refused, place))?;
        let out = &mut self.printer.out;
        out.open("for (uint32_t t = 0; t < threads; ++t) {");
        for line in first {
            out.line(line);
        }
        if mask != self.everyone {
            out.open(format!("if ({mask}[t] == 0) {{"));
            out.line("continue;");
            out.close("}");
        }
        for (name, value) in [
            ("threadX", "t % blockDimX"),
            ("threadY", "t / blockDimX % blockDimY"),
            ("threadZ", "t / blockDimX / blockDimY"),
        ] {
            if has_word(&body, name) {
                out.line(format!("const uint32_t {name} = {value};"));
            }
        }
        if used {
            out.open("{");
            let text: String = body.lines().map(|line| format!("    {line}\n")).collect();
            out.push_text(&text);
            out.close("}");
            out.line(format!("{label}:;"));
        } else {
            out.push_text(&body);
        }
        out.close("}");
        Ok(())
    }

    /// What jumps out of a region do: they clear masks.
    fn leaves(&self) -> BTreeMap<(Option<StatementId>, bool), Vec<String>> {
        let mut leaves = BTreeMap::new();
        let mut lines = Vec::new();
        for (frame, mask) in self.masks.iter().rev() {
            lines.push(format!("{mask}[t] = 0;"));
            let key = match frame {
                Frame::Kernel => (None, false),
                Frame::Arm => continue,
                Frame::Switch(id) | Frame::Loop(id) => (Some(*id), false),
                Frame::Pass(id) => (Some(*id), true),
            };
            leaves.insert(key, lines.clone());
        }
        leaves
    }

    fn control(&mut self, id: StatementId) -> Done {
        let facts = self.printer.facts;
        self.printer.place = facts.statement(id).location.origin;
        let children = facts.children[id.index()].clone();
        let step = self.plan.step_at(facts, facts.position(id));
        match facts.kind(id) {
            StatementKind::Block(_) => match children.first() {
                Some(child) => self.steps(*child),
                None => Ok(()),
            },
            StatementKind::If { condition, .. } => {
                let [accept, reject] = children[..] else { return Ok(()) };
                let has_reject = !facts.blocks[reject].statements.is_empty();
                let accepts = self.mask("accepts")?;
                let rejects = if has_reject { Some(self.mask("rejects")?) } else { None };
                let mut first = vec![format!("{accepts}[t] = 0;")];
                if let Some(rejects) = &rejects {
                    first.push(format!("{rejects}[t] = 0;"));
                }
                let here = self.here();
                let condition = *condition;
                self.lanes_of(step, &first, &here, &mut |block| {
                    let text = block.printer.value(condition)?;
                    let text = text.in_level(crate::code::cpp::Level::Or);
                    block.printer.out.line(format!("{accepts}[t] = {text} ? 1 : 0;"));
                    if let Some(rejects) = &rejects {
                        block.printer.out.line(format!("{rejects}[t] = 1 - {accepts}[t];"));
                    }
                    Ok(())
                })?;
                self.arm(&accepts, accept)?;
                if let Some(rejects) = &rejects {
                    self.arm(rejects, reject)?;
                }
                Ok(())
            }
            StatementKind::Loop(looping) => self.looping(id, looping.when, looping.test, &children),
            StatementKind::Switch { selector, cases } => {
                let here = self.here();
                let inside = self.mask("inside")?;
                let arms: Vec<String> =
                    cases.iter().map(|_| self.mask("arm")).collect::<Result<_, _>>()?;
                let first: Vec<String> = std::iter::once(&inside)
                    .chain(&arms)
                    .map(|mask| format!("{mask}[t] = 0;"))
                    .collect();
                let ty = facts.ty(*selector).scalar().unwrap_or(port_ir::Scalar::I32);
                self.lanes_of(step, &first, &here, &mut |block| {
                    block.printer.out.line(format!("{inside}[t] = 1;"));
                    let text = block.printer.value(*selector)?;
                    block.printer.out.open(format!("switch ({}) {{", text.condition()));
                    for (case, arm) in cases.iter().zip(&arms) {
                        for bits in &case.values {
                            let value =
                                block.printer.constant(port_ir::Constant::from_bits(ty, *bits))?;
                            block.printer.out.line(format!("case {}:", value.text));
                        }
                        if case.default {
                            block.printer.out.line("default:");
                        }
                        if case.default || !case.values.is_empty() {
                            block.printer.out.line(format!("    {arm}[t] = 1;"));
                            block.printer.out.line("    break;");
                        }
                    }
                    block.printer.out.close("}");
                    Ok(())
                })?;
                self.masks.push((Frame::Switch(id), inside));
                for (index, (case, block)) in cases.iter().zip(&children).enumerate() {
                    self.arm(&arms[index], *block)?;
                    if case.fallthrough
                        && let Some(next) = arms.get(index + 1)
                    {
                        let arm = arms[index].clone();
                        let next = next.clone();
                        self.lanes_of(None, &[], &arm, &mut |block| {
                            block.printer.out.line(format!("{next}[t] = 1;"));
                            Ok(())
                        })?;
                    }
                }
                self.masks.pop();
                Ok(())
            }
            _ => Err(refuse("it uses a statement that has no form here")),
        }
    }

    /// A block for the threads of a mask, if there are any.
    fn arm(&mut self, mask: &str, block: BlockId) -> Done {
        let any = self.printer.spelling.helper("AnyThread");
        self.printer.out.open(format!("if ({any}({mask}, threads)) {{"));
        self.masks.push((Frame::Arm, mask.to_owned()));
        self.steps(block)?;
        self.masks.pop();
        self.printer.out.close("}");
        Ok(())
    }

    fn looping(
        &mut self,
        id: StatementId,
        when: LoopTest,
        test: Option<Value>,
        children: &[BlockId],
    ) -> Done {
        let [condition, body, step] = *children else { return Ok(()) };
        let facts = self.printer.facts;
        let live = self.mask("live")?;
        let here = self.here();
        self.printer.out.open("for (uint32_t t = 0; t < threads; ++t) {");
        self.printer.out.line(format!("{live}[t] = {here}[t];"));
        self.printer.out.close("}");
        self.masks.push((Frame::Loop(id), live.clone()));
        self.printer.out.open("while (true) {");
        self.printer.push_scope();
        let any = self.printer.spelling.helper("AnyThread");
        if when == LoopTest::Before {
            self.test(condition, test, &live)?;
        }
        self.printer.out.open(format!("if (!{any}({live}, threads)) {{"));
        self.printer.out.line("break;");
        self.printer.out.close("}");
        let continues = facts.flow.inside(id).any(|(inner, entry)| {
            matches!(entry.statement.kind, StatementKind::Continue)
                && facts.jump_target(inner) == Some(id)
        });
        if continues {
            let pass = self.mask("pass")?;
            self.printer.out.open("for (uint32_t t = 0; t < threads; ++t) {");
            self.printer.out.line(format!("{pass}[t] = {live}[t];"));
            self.printer.out.close("}");
            self.masks.push((Frame::Pass(id), pass));
            self.steps(body)?;
            self.masks.pop();
        } else {
            self.steps(body)?;
        }
        self.steps(step)?;
        if when == LoopTest::After {
            self.test(condition, test, &live)?;
        }
        self.printer.pop_scope();
        self.printer.out.close("}");
        self.masks.pop();
        Ok(())
    }

    /// The condition of a loop and its test: threads for which it fails leave.
    fn test(&mut self, condition: BlockId, test: Option<Value>, live: &str) -> Done {
        self.steps(condition)?;
        let Some(number) = self.plan.tests.get(&condition).copied() else { return Ok(()) };
        let region = self.plan.steps.get(&condition).and_then(|steps| {
            steps.iter().find_map(|(own, step)| match step {
                Step::Region(list) if *own == number => Some(list.clone()),
                _ => None,
            })
        });
        if region.is_none() && test.is_none() {
            return Ok(());
        }
        self.lanes(Some(number), &mut |block| {
            for id in region.iter().flatten() {
                block.printer.statement(*id)?;
            }
            block.printer.declare_at(Position { block: condition, key: END }, &|_| true)?;
            if let Some(test) = test {
                let text = block.printer.value(test)?;
                let text = text.in_level(crate::code::cpp::Level::Or);
                block.printer.out.line(format!("{live}[t] = {text} ? 1 : 0;"));
            }
            Ok(())
        })
    }
}
