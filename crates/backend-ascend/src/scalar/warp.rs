//! Operations that threads do together, on arrays of all threads.

use port_ir::analysis::flow::StatementId;
use port_ir::{
    AtomicOp, BarrierReduction, BarrierScope, Constant, Expression, MatrixLayout, ReduceOp, Scalar,
    ShuffleMode, StatementKind, Type, Value, VoteKind,
};

use super::block::{Block, Done};
use crate::code::cpp::{Level, Text};
use crate::code::refuse;
use crate::code::types::{fragment_length, fragment_shape};

impl Block<'_, '_, '_, '_> {
    pub(super) fn together(&mut self, id: StatementId) -> Done {
        let facts = self.printer.facts;
        self.printer.place = facts.statement(id).location.origin;
        let here = self.here();
        let step = self.plan.step_at(facts, facts.position(id));
        match facts.kind(id) {
            // A volatile access that other threads see, by all threads before they go on.
            StatementKind::Load { .. } | StatementKind::Store { .. } => {
                self.lanes(step, &mut |block| block.printer.statement(id))
            }
            StatementKind::Barrier { scope, reduce, .. } => {
                self.printer.comment(id);
                let Some(reduce) = reduce.filter(|_| *scope == BarrierScope::Block) else {
                    // One thread after the other has come here.
                    self.printer.out.line("// all threads have come here");
                    return Ok(());
                };
                let counted = self.printer.names.fresh("counted");
                self.printer.out.line(format!("uint32_t {counted} = 0;"));
                self.lanes(step, &mut |block| {
                    let predicate = block.printer.value(reduce.predicate)?;
                    let predicate = predicate.in_level(Level::Unary);
                    let counts = match reduce.op {
                        BarrierReduction::And => format!("!{predicate}"),
                        _ => predicate,
                    };
                    block.printer.out.line(format!("{counted} += {counts} ? 1u : 0u;"));
                    Ok(())
                })?;
                let text = match reduce.op {
                    BarrierReduction::Count => format!("int32_t({counted})"),
                    BarrierReduction::And => format!("{counted} == 0"),
                    BarrierReduction::Or => format!("{counted} != 0"),
                };
                self.give(reduce.result, &text)
            }
            StatementKind::Shuffle { result, in_range, mode, value, lane, width, .. } => {
                let ty = facts.ty(*value);
                let offered = self.scratch(ty, "offered")?;
                let source = self.scratch(Type::U32, "source")?;
                let name = match mode {
                    ShuffleMode::Index => "ShuffleIndex",
                    ShuffleMode::Up => "ShuffleUp",
                    ShuffleMode::Down => "ShuffleDown",
                    ShuffleMode::Xor => "ShuffleXor",
                };
                let name = self.printer.spelling.helper(name);
                self.lanes(step, &mut |block| {
                    let printer = &mut *block.printer;
                    let text = printer.kept_value(*value)?;
                    let line = printer.stored_element(&offered, ty, &text);
                    printer.out.line(format!("{line};"));
                    let lane = printer.value(*lane)?.text;
                    let width = match width {
                        Some(width) => format!("uint32_t({})", printer.value(*width)?.text),
                        None => "32u".to_owned(),
                    };
                    printer
                        .out
                        .line(format!("{source}[t] = {name}(t, uint32_t({lane}), {width});"));
                    if let Some(in_range) = in_range.filter(|r| !facts.uses[r.index()].is_empty()) {
                        let by = format!("uint32_t({lane})");
                        let text = match mode {
                            ShuffleMode::Index => "true".to_owned(),
                            ShuffleMode::Up => format!("t % {width} >= {by}"),
                            ShuffleMode::Down => format!("t % {width} + {by} < {width}"),
                            ShuffleMode::Xor => format!("(t ^ {by}) / {width} <= t / {width}"),
                        };
                        printer.define(in_range, &Text::at(text, Level::Relation))?;
                    }
                    Ok(())
                })?;
                if facts.uses[result.index()].is_empty() {
                    return Ok(());
                }
                self.lanes_of(None, &[], &here, &mut |block| {
                    let printer = &mut *block.printer;
                    let from = printer.names.fresh("from");
                    // A lane that is not there: a thread gets its own value.
                    printer.out.line(format!(
                        "const uint32_t {from} = {source}[t] < threads ? {source}[t] : t;"
                    ));
                    let text = printer.loaded_element(&format!("{offered}[{from}]"), ty);
                    printer.define(*result, &text)
                })
            }
            StatementKind::Vote { result, kind, mask, predicate } => {
                let votes = self.scratch(Type::Scalar(Scalar::U8), "vote")?;
                let masks = self.mask_operand(*mask)?;
                self.lanes(step, &mut |block| {
                    let predicate = block.printer.value(*predicate)?;
                    let predicate = predicate.in_level(Level::Or);
                    block.printer.out.line(format!("{votes}[t] = {predicate} ? 1 : 0;"));
                    block.put_mask(*mask, masks.as_deref())
                })?;
                let ballot = self.printer.spelling.helper("WarpBallot");
                let spelled = self.printer.spelling.value(facts.ty(*result))?;
                let among = masks.map_or("0xffffffffu".to_owned(), |masks| format!("{masks}[t]"));
                self.lanes_of(None, &[], &here, &mut |block| {
                    let found = format!("({ballot}({here}, {votes}, t, threads) & {among})");
                    let all = format!("({ballot}({here}, {here}, t, threads) & {among})");
                    let text = match kind {
                        VoteKind::Any => format!("{found} != 0"),
                        VoteKind::All => format!("{found} == {all}"),
                        VoteKind::Uniform => format!("{found} == 0 || {found} == {all}"),
                        VoteKind::Ballot => format!("{spelled}({found})"),
                    };
                    block.printer.define(*result, &Text::at(text, Level::Or))
                })
            }
            StatementKind::ActiveMask { result } => {
                let ballot = self.printer.spelling.helper("WarpBallot");
                let spelled = self.printer.spelling.value(facts.ty(*result))?;
                self.lanes(step, &mut |block| {
                    let text = format!("{spelled}({ballot}({here}, {here}, t, threads))");
                    block.printer.define(*result, &Text::primary(text))
                })
            }
            StatementKind::Elect { result, mask } => {
                let ballot = self.printer.spelling.helper("WarpBallot");
                self.lanes(step, &mut |block| {
                    let among = match mask {
                        Some(mask) => format!(" & {}", block.printer.value(*mask)?.in_level(Level::Unary)),
                        None => String::new(),
                    };
                    let text = format!(
                        "({ballot}({here}, {here}, t, threads){among} & ((1u << (t % 32u)) - 1u)) == 0"
                    );
                    block.printer.define(*result, &Text::at(text, Level::Equality))
                })
            }
            StatementKind::Match { result, same, all, mask, value } => {
                let ty = facts.ty(*value);
                let offered = self.scratch(ty, "offered")?;
                let masks = self.mask_operand(*mask)?;
                self.lanes(step, &mut |block| {
                    let text = block.printer.value(*value)?;
                    let line = block.printer.stored_element(&offered, ty, &text);
                    block.printer.out.line(format!("{line};"));
                    block.put_mask(*mask, masks.as_deref())
                })?;
                let among = masks.map_or("0xffffffffu".to_owned(), |masks| format!("{masks}[t]"));
                let found = self.printer.spelling.helper("WarpMatch");
                let ballot = self.printer.spelling.helper("WarpBallot");
                let spelled = self.printer.spelling.value(facts.ty(*result))?;
                self.lanes_of(None, &[], &here, &mut |block| {
                    let printer = &mut *block.printer;
                    let equal = printer.names.fresh("equalLanes");
                    printer.out.line(format!(
                        "const uint32_t {equal} = {found}({here}, {offered}, {among}, t, threads);"
                    ));
                    if !*all {
                        return printer.define(*result, &Text::primary(format!("{spelled}({equal})")));
                    }
                    let together = printer.names.fresh("allEqual");
                    printer.out.line(format!(
                        "const bool {together} = {equal} == ({ballot}({here}, {here}, t, threads) & {among});"
                    ));
                    let text = format!("{spelled}({together} ? {equal} : 0u)");
                    printer.define(*result, &Text::primary(text))?;
                    match same {
                        Some(same) => printer.define(*same, &Text::primary(together)),
                        None => Ok(()),
                    }
                })
            }
            StatementKind::WarpReduce { result, op, mask, value } => {
                let ty = facts.ty(*value);
                let Type::Scalar(scalar) = ty else {
                    return Err(refuse("it reduces several words over a warp"));
                };
                let offered = self.scratch(ty, "offered")?;
                let masks = self.mask_operand(*mask)?;
                self.lanes(step, &mut |block| {
                    let text = block.printer.value(*value)?;
                    block.printer.out.line(format!("{offered}[t] = {};", text.text));
                    block.put_mask(*mask, masks.as_deref())
                })?;
                let among = masks.map_or("0xffffffffu".to_owned(), |masks| format!("{masks}[t]"));
                let op = match op {
                    ReduceOp::Add => AtomicOp::Add,
                    ReduceOp::Minimum => AtomicOp::Minimum,
                    ReduceOp::Maximum => AtomicOp::Maximum,
                    ReduceOp::And => AtomicOp::And,
                    ReduceOp::Or => AtomicOp::Or,
                    ReduceOp::Xor => AtomicOp::Xor,
                };
                let (a, b) = (Text::primary("a"), Text::primary("b"));
                let combined = self.printer.updated(op, scalar, &a, &b)?;
                let spelled = self.printer.spelling.value(ty)?;
                let name = self.printer.spelling.helper("WarpReduce");
                self.lanes_of(None, &[], &here, &mut |block| {
                    let text = format!(
                        "{name}<{spelled}>({here}, {offered}, {among}, t, threads, \
                         []({spelled} a, {spelled} b) {{ return {}; }})",
                        combined.text
                    );
                    block.printer.define(*result, &Text::primary(text))
                })
            }
            StatementKind::MatrixLoad { result, pointer, stride, layout } => {
                let Type::Fragment(fragment) = facts.ty(*result) else { return Ok(()) };
                let (_, columns) = fragment_shape(fragment);
                let element = Type::Scalar(fragment.element.storage());
                let length = fragment_length(fragment)?;
                let name = self.printer.spelling.helper("LoadFragment");
                self.lanes(step, &mut |block| {
                    let printer = &mut *block.printer;
                    let spelled = printer.spelling.value(element)?;
                    let from = printer.typed(*pointer, element)?;
                    let stride = printer.value(*stride)?;
                    let text = format!(
                        "{name}<{columns}, {}, {spelled}, {length}>({}, uint32_t({}), t % 32u)",
                        *layout == MatrixLayout::RowMajor,
                        from.text,
                        stride.text
                    );
                    printer.define(*result, &Text::primary(text))
                })
            }
            StatementKind::MatrixStore { pointer, value, stride, layout } => {
                let Type::Fragment(fragment) = facts.ty(*value) else { return Ok(()) };
                let (_, columns) = fragment_shape(fragment);
                let name = self.printer.spelling.helper("StoreFragment");
                self.lanes(step, &mut |block| {
                    let printer = &mut *block.printer;
                    let element = Type::Scalar(fragment.element.storage());
                    let to = printer.typed(*pointer, element)?;
                    let text = printer.value(*value)?;
                    let stride = printer.value(*stride)?;
                    printer.out.line(format!(
                        "{name}<{columns}, {}>({}, {}, uint32_t({}), t % 32u);",
                        *layout == MatrixLayout::RowMajor,
                        to.text,
                        text.text,
                        stride.text
                    ));
                    Ok(())
                })
            }
            StatementKind::MatrixMultiply { result, a, b, c, saturate } => {
                if *saturate {
                    return Err(refuse("it multiplies matrices with saturation"));
                }
                let Type::Fragment(fragment) = facts.ty(*a) else { return Ok(()) };
                let left = self.scratch(facts.ty(*a), "left")?;
                let right = self.scratch(facts.ty(*b), "right")?;
                let name = self.printer.spelling.helper("MultiplyTiles");
                self.lanes(step, &mut |block| {
                    for (array, value) in [(&left, *a), (&right, *b)] {
                        let text = block.printer.value(value)?;
                        let ty = facts.ty(value);
                        let line = block.printer.stored_element(array, ty, &text);
                        block.printer.out.line(format!("{line};"));
                    }
                    Ok(())
                })?;
                self.lanes_of(step, &[], &here, &mut |block| {
                    let c = block.printer.value(*c)?;
                    let text = format!(
                        "{name}<{}, {}, {}>({left}, {right}, {}, t)",
                        fragment.m, fragment.n, fragment.k, c.text
                    );
                    block.printer.define(*result, &Text::primary(text))
                })
            }
            _ => Err(refuse("it uses an operation of several threads that has no form here")),
        }
    }

    /// The same value for all threads that are here.
    fn give(&mut self, result: Value, text: &str) -> Done {
        if self.printer.facts.uses[result.index()].is_empty() {
            return Ok(());
        }
        let text = Text::at(text, Level::Or);
        self.lanes(None, &mut |block| block.printer.define(result, &text))
    }

    /// The array of the lanes that each thread asks for; `None` if it is all.
    fn mask_operand(
        &mut self,
        mask: Option<Value>,
    ) -> Result<Option<String>, crate::kernel::NotTranslated> {
        let Some(mask) = mask else { return Ok(None) };
        if let Expression::Constant(Constant { bits, .. }) = self.printer.facts.expression(mask)
            && *bits as u32 == u32::MAX
        {
            return Ok(None);
        }
        Ok(Some(self.scratch(Type::U32, "among")?))
    }

    fn put_mask(&mut self, mask: Option<Value>, array: Option<&str>) -> Done {
        if let (Some(mask), Some(array)) = (mask, array) {
            let text = self.printer.value(mask)?;
            self.printer.out.line(format!("{array}[t] = uint32_t({});", text.text));
        }
        Ok(())
    }
}
