//! Operations that several threads execute together.

use port_ir::analysis::flow::StatementId;
use port_ir::{
    BarrierReduction, BarrierScope, Expression, FragmentElement, MatrixLayout, ReduceOp,
    ShuffleMode, StatementKind, Type, Value, VoteKind,
};

use super::NotCompiled;
use super::block::Emitter;
use super::types::{fragment_shape, refuse, scalar_name};

impl Emitter<'_, '_, '_> {
    /// An operation between regions.
    pub(super) fn convergent(&mut self, id: StatementId, number: usize) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let active = match self.masks.last() {
            Some((_, mask)) => mask.clone(),
            None => "everyone".to_string(),
        };
        match facts.kind(id) {
            // A volatile access that other threads see, by all threads before they go on.
            StatementKind::Load { .. } | StatementKind::Store { .. } => {
                self.lanes(false, |emitter| {
                    emitter.step = Some(number);
                    emitter.lane_statement(id)
                })
            }
            StatementKind::Barrier { scope, reduce, .. } => {
                match reduce {
                    Some(reduce) if *scope == BarrierScope::Block => {
                        let predicate = self.each(reduce.predicate)?;
                        let name = match reduce.op {
                            BarrierReduction::Count => "count_threads",
                            BarrierReduction::And => "all_threads",
                            BarrierReduction::Or => "any_threads",
                        };
                        let ty = self.spelling.value(facts.ty(reduce.result))?;
                        let wish = self.wish(reduce.result);
                        let result = self.names.fresh(&wish);
                        self.out.line(format!(
                            "const {ty} {result} = {name}(threads, {active}, {predicate});"
                        ));
                        self.bind(reduce.result, result);
                    }
                    _ => {
                        let what = if *scope == BarrierScope::Block { "block" } else { "warp" };
                        self.barrier(id, what, &active)?;
                    }
                }
                Ok(())
            }
            StatementKind::Shuffle { result, in_range, mode, value, lane, width, .. } => {
                let name = match mode {
                    ShuffleMode::Index => "shuffle_index",
                    ShuffleMode::Up => "shuffle_up",
                    ShuffleMode::Down => "shuffle_down",
                    ShuffleMode::Xor => "shuffle_xor",
                };
                let value = self.each(*value)?;
                let lane = self.each(*lane)?;
                let width = match width {
                    Some(width) => self.each(*width)?,
                    None => "each(32)".to_string(),
                };
                if let Some(in_range) = in_range
                    && let Some(array) = self.arrays.get(in_range).cloned()
                {
                    self.out.line(format!("{name}_in_range(threads, {array}, {lane}, {width});"));
                }
                if let Some(array) = self.arrays.get(result).cloned() {
                    self.out.line(format!(
                        "{name}(threads, {active}, {array}, {value}, {lane}, {width});"
                    ));
                }
                Ok(())
            }
            StatementKind::Vote { result, kind, mask, predicate } => {
                let name = match kind {
                    VoteKind::Any => "vote_any",
                    VoteKind::All => "vote_all",
                    VoteKind::Uniform => "vote_uniform",
                    VoteKind::Ballot => "vote_ballot",
                };
                let mask = self.mask_of(*mask)?;
                let predicate = self.each(*predicate)?;
                self.put_into_array(*result, name, &format!("{mask}, {predicate}"), &active);
                Ok(())
            }
            StatementKind::Match { result, same, all, mask, value } => {
                let mask = self.mask_of(*mask)?;
                let value = self.each(*value)?;
                if *all {
                    if let Some(same) = same {
                        let list = format!("{mask}, {value}");
                        self.put_into_array(*same, "match_all_same", &list, &active);
                    }
                    self.put_into_array(*result, "match_all", &format!("{mask}, {value}"), &active);
                } else {
                    self.put_into_array(*result, "match_any", &format!("{mask}, {value}"), &active);
                }
                Ok(())
            }
            StatementKind::ActiveMask { result } => {
                self.put_into_array(*result, "active_mask", "", &active);
                Ok(())
            }
            StatementKind::WarpReduce { result, op, mask, value } => {
                let name = match op {
                    ReduceOp::Add => "reduce_add",
                    ReduceOp::Minimum => "reduce_minimum",
                    ReduceOp::Maximum => "reduce_maximum",
                    ReduceOp::And => "reduce_and",
                    ReduceOp::Or => "reduce_or",
                    ReduceOp::Xor => "reduce_xor",
                };
                let mask = self.mask_of(*mask)?;
                let value = self.each(*value)?;
                self.put_into_array(*result, name, &format!("{mask}, {value}"), &active);
                Ok(())
            }
            StatementKind::Elect { result, mask } => {
                let mask = self.mask_of(*mask)?;
                self.put_into_array(*result, "elect", &mask, &active);
                Ok(())
            }
            StatementKind::MatrixLoad { result, pointer, stride, layout } => {
                self.matrix_load(*result, *pointer, *stride, *layout)
            }
            StatementKind::MatrixStore { pointer, value, stride, layout } => {
                self.matrix_store(*pointer, *value, *stride, *layout)
            }
            StatementKind::MatrixMultiply { result, a, b, c, saturate } => {
                self.matrix_multiply(*result, [*a, *b, *c], *saturate, &active)
            }
            _ => Err(refuse("it uses an operation of several threads that has no form here")),
        }
    }

    fn barrier(&mut self, id: StatementId, what: &str, active: &str) -> Result<(), NotCompiled> {
        let facts = self.facts;
        self.out.line(format!("// {what} barrier"));
        if what == "block"
            && self.masks.iter().any(|(frame, _)| *frame != super::block::Frame::Kernel)
        {
            self.place = facts.statement(id).location.origin;
            let place = self.place_text();
            let alive = match self.masks.first() {
                Some((super::block::Frame::Kernel, alive)) => alive.clone(),
                _ => "everyone".to_string(),
            };
            self.out.line(format!("all_together(threads, {alive}, {active}, {place});"));
        }
        Ok(())
    }

    /// An operand as something that is indexed by thread.
    fn each(&mut self, value: Value) -> Result<String, NotCompiled> {
        if let Some(array) = self.arrays.get(&value) {
            return Ok(array.clone());
        }
        let facts = self.facts;
        if self.schedule.is_scalar(facts, value) {
            let text = self.value(value)?;
            return Ok(format!("each({})", text.text));
        }
        // A load of a variable that is an array.
        if let Expression::Result(_) = facts.expression(value)
            && let Some(definer) = facts.flow.definer(value)
            && let StatementKind::Load { pointer, .. } = facts.kind(definer)
            && let Some(local) = facts.variable(*pointer)
            && facts.folded[value.index()]
            && let Some(name) = &self.locals[local.index()]
        {
            return Ok(name.clone());
        }
        Err(refuse("it uses an operand of several threads in a way that is not followed"))
    }

    fn mask_of(&mut self, mask: Option<Value>) -> Result<String, NotCompiled> {
        match mask {
            Some(mask) => self.each(mask),
            None => Ok("each(~0u)".to_string()),
        }
    }

    fn put_into_array(&mut self, result: Value, name: &str, operands: &str, active: &str) {
        if let Some(array) = self.arrays.get(&result).cloned() {
            let comma = if operands.is_empty() { "" } else { ", " };
            self.out.line(format!("{name}(threads, {active}, {array}{comma}{operands});"));
        }
    }

    // Matrices.

    fn matrix_load(
        &mut self,
        result: Value,
        pointer: Value,
        stride: Value,
        layout: MatrixLayout,
    ) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let Type::Fragment(fragment) = facts.ty(result) else { return Ok(()) };
        let (rows, columns) = fragment_shape(fragment);
        let Some(array) = self.arrays.get(&result).cloned() else { return Ok(()) };
        let element = Type::Scalar(fragment.element.storage());
        let order = order(layout);
        self.lanes(false, |emitter| {
            let pointer = emitter.typed(pointer, element)?;
            let stride = emitter.value(stride)?;
            emitter.uses_t = true;
            emitter.out.line(format!(
                "load_fragment<{rows}, {columns}, {order}>({array}[t], {}, size_t({}), t % 32u);",
                pointer.text, stride.text
            ));
            Ok(())
        })
    }

    fn matrix_store(
        &mut self,
        pointer: Value,
        value: Value,
        stride: Value,
        layout: MatrixLayout,
    ) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let Type::Fragment(fragment) = facts.ty(value) else { return Ok(()) };
        let (rows, columns) = fragment_shape(fragment);
        let element = Type::Scalar(fragment.element.storage());
        let order = order(layout);
        self.lanes(false, |emitter| {
            let text = emitter.value(value)?;
            let pointer = emitter.typed(pointer, element)?;
            let stride = emitter.value(stride)?;
            emitter.uses_t = true;
            emitter.out.line(format!(
                "store_fragment<{rows}, {columns}, {order}>({}, {}, size_t({}), t % 32u);",
                text.text, pointer.text, stride.text
            ));
            Ok(())
        })
    }

    fn matrix_multiply(
        &mut self,
        result: Value,
        operands: [Value; 3],
        saturate: bool,
        active: &str,
    ) -> Result<(), NotCompiled> {
        let facts = self.facts;
        if saturate {
            return Err(refuse("it multiplies matrices with saturation"));
        }
        let Type::Fragment(fragment) = facts.ty(operands[0]) else { return Ok(()) };
        let tf32 = fragment.element == FragmentElement::Tf32;
        let Some(array) = self.arrays.get(&result).cloned() else { return Ok(()) };
        let mut texts = Vec::new();
        for operand in operands {
            texts.push(self.each(operand)?);
        }
        let Type::Fragment(out) = facts.ty(result) else { return Ok(()) };
        let sum = scalar_name(out.element.storage());
        let _ = sum;
        self.out.line(format!(
            "multiply_fragments<{}, {}, {}, {tf32}>(threads, {active}, {array}, {});",
            fragment.m,
            fragment.n,
            fragment.k,
            texts.join(", ")
        ));
        Ok(())
    }
}

fn order(layout: MatrixLayout) -> &'static str {
    match layout {
        MatrixLayout::RowMajor => "MatrixOrder::rows",
        MatrixLayout::ColumnMajor => "MatrixOrder::columns",
    }
}
