//! The values that expressions and statements name, in one place: to read them, and to put others in
//! their stead.

use crate::expression::Expression;
use crate::statement::{AtomicOp, Block, LoopTest, StatementKind, Value};

impl StatementKind {
    /// The results that it defines.
    pub fn results(&self) -> Vec<Value> {
        let mut results = Vec::new();
        match self {
            StatementKind::Load { result, .. }
            | StatementKind::Vote { result, .. }
            | StatementKind::ActiveMask { result }
            | StatementKind::WarpReduce { result, .. }
            | StatementKind::Elect { result, .. }
            | StatementKind::MatrixLoad { result, .. }
            | StatementKind::MatrixMultiply { result, .. }
            | StatementKind::Clock { result, .. } => results.push(*result),
            StatementKind::Atomic { result, .. }
            | StatementKind::Call { result, .. }
            | StatementKind::Print { result, .. } => results.extend(*result),
            StatementKind::Barrier { reduce, .. } => {
                results.extend(reduce.as_ref().map(|reduce| reduce.result));
            }
            StatementKind::Shuffle { result, in_range, .. } => {
                results.push(*result);
                results.extend(*in_range);
            }
            StatementKind::Match { result, same, .. } => {
                results.push(*result);
                results.extend(*same);
            }
            _ => {}
        }
        results
    }

    /// The values that it reads itself, in order; those that its inner blocks read, and a loop's
    /// test, are not among them.
    pub fn operands(&self) -> Vec<Value> {
        use StatementKind as S;
        let mut values: Vec<Value> = Vec::new();
        match self {
            S::Load { pointer, .. } | S::Prefetch { pointer } => values.push(*pointer),
            S::Store { pointer, value, .. } => values.extend([*pointer, *value]),
            S::Copy { destination, source, bytes } => {
                values.extend([*destination, *source, *bytes]);
            }
            S::Fill { destination, byte, bytes } => values.extend([*destination, *byte, *bytes]),
            S::Atomic { op, pointer, value, .. } => {
                values.push(*pointer);
                if let AtomicOp::CompareExchange { expected } = op {
                    values.push(*expected);
                }
                values.push(*value);
            }
            S::AsyncCopy(copy) => {
                values.extend([copy.destination, copy.source]);
                values.extend(copy.source_bytes);
            }
            S::Call { arguments, .. } | S::Print { arguments, .. } => values.extend(arguments),
            S::Barrier { mask, named, reduce, .. } => {
                values.extend(*mask);
                if let Some(named) = named {
                    values.push(named.index);
                    values.extend(named.threads);
                }
                values.extend(reduce.as_ref().map(|reduce| reduce.predicate));
            }
            S::Shuffle { mask, value, lane, width, .. } => {
                values.extend(*mask);
                values.extend([*value, *lane]);
                values.extend(*width);
            }
            S::Vote { mask, predicate, .. } => {
                values.extend(*mask);
                values.push(*predicate);
            }
            S::Match { mask, value, .. } | S::WarpReduce { mask, value, .. } => {
                values.extend(*mask);
                values.push(*value);
            }
            S::Elect { mask, .. } => values.extend(*mask),
            S::MatrixLoad { pointer, stride, .. } => values.extend([*pointer, *stride]),
            S::MatrixStore { pointer, value, stride, .. } => {
                values.extend([*pointer, *value, *stride]);
            }
            S::MatrixMultiply { a, b, c, .. } => values.extend([*a, *b, *c]),
            S::Assert { condition, .. } | S::If { condition, .. } => values.push(*condition),
            S::Sleep { nanoseconds } => values.push(*nanoseconds),
            S::Switch { selector, .. } => values.push(*selector),
            S::Return { value } => values.extend(*value),
            S::Fence { .. }
            | S::AsyncCommit
            | S::AsyncWait { .. }
            | S::ActiveMask { .. }
            | S::Trap
            | S::Clock { .. }
            | S::Block(_)
            | S::Loop(_)
            | S::Break
            | S::Continue
            | S::Unsupported { .. } => {}
        }
        values
    }

    /// The blocks inside, to change them, in the order of [`StatementKind::blocks`].
    pub fn blocks_mut(&mut self) -> Vec<&mut Block> {
        match self {
            StatementKind::Block(block) => vec![block],
            StatementKind::If { accept, reject, .. } => vec![accept, reject],
            StatementKind::Switch { cases, .. } => {
                cases.iter_mut().map(|case| &mut case.body).collect()
            }
            StatementKind::Loop(looping) => {
                let looping = &mut **looping;
                match looping.when {
                    LoopTest::Before => {
                        vec![&mut looping.condition, &mut looping.body, &mut looping.step]
                    }
                    LoopTest::After => {
                        vec![&mut looping.body, &mut looping.step, &mut looping.condition]
                    }
                }
            }
            _ => Vec::new(),
        }
    }

    /// Calls `visit` with each value that it names itself: operands, results, and a loop's test.
    pub fn for_each_value_mut(&mut self, mut visit: impl FnMut(&mut Value)) {
        use StatementKind as S;
        match self {
            S::Load { result, pointer, .. } => {
                visit(pointer);
                visit(result);
            }
            S::Store { pointer, value, .. } => {
                visit(pointer);
                visit(value);
            }
            S::Copy { destination, source, bytes } => {
                visit(destination);
                visit(source);
                visit(bytes);
            }
            S::Fill { destination, byte, bytes } => {
                visit(destination);
                visit(byte);
                visit(bytes);
            }
            S::Atomic { result, op, pointer, value, .. } => {
                visit(pointer);
                if let AtomicOp::CompareExchange { expected } = op {
                    visit(expected);
                }
                visit(value);
                result.iter_mut().for_each(visit);
            }
            S::AsyncCopy(copy) => {
                visit(&mut copy.destination);
                visit(&mut copy.source);
                copy.source_bytes.iter_mut().for_each(visit);
            }
            S::Call { result, arguments, .. } | S::Print { result, arguments, .. } => {
                arguments.iter_mut().for_each(&mut visit);
                result.iter_mut().for_each(visit);
            }
            S::Barrier { mask, named, reduce, .. } => {
                mask.iter_mut().for_each(&mut visit);
                if let Some(named) = named {
                    visit(&mut named.index);
                    named.threads.iter_mut().for_each(&mut visit);
                }
                if let Some(reduce) = reduce {
                    visit(&mut reduce.predicate);
                    visit(&mut reduce.result);
                }
            }
            S::Shuffle { result, in_range, mask, value, lane, width, .. } => {
                mask.iter_mut().for_each(&mut visit);
                visit(value);
                visit(lane);
                width.iter_mut().for_each(&mut visit);
                visit(result);
                in_range.iter_mut().for_each(visit);
            }
            S::Vote { result, mask, predicate, .. } => {
                mask.iter_mut().for_each(&mut visit);
                visit(predicate);
                visit(result);
            }
            S::Match { result, same, mask, value, .. } => {
                mask.iter_mut().for_each(&mut visit);
                visit(value);
                visit(result);
                same.iter_mut().for_each(visit);
            }
            S::WarpReduce { result, mask, value, .. } => {
                mask.iter_mut().for_each(&mut visit);
                visit(value);
                visit(result);
            }
            S::Elect { result, mask } => {
                mask.iter_mut().for_each(&mut visit);
                visit(result);
            }
            S::MatrixLoad { result, pointer, stride, .. } => {
                visit(pointer);
                visit(stride);
                visit(result);
            }
            S::MatrixStore { pointer, value, stride, .. } => {
                visit(pointer);
                visit(value);
                visit(stride);
            }
            S::MatrixMultiply { result, a, b, c, .. } => {
                visit(a);
                visit(b);
                visit(c);
                visit(result);
            }
            S::Assert { condition, .. } | S::If { condition, .. } => visit(condition),
            S::Sleep { nanoseconds } => visit(nanoseconds),
            S::Switch { selector, .. } => visit(selector),
            S::Return { value } => value.iter_mut().for_each(visit),
            S::Loop(looping) => looping.test.iter_mut().for_each(visit),
            S::ActiveMask { result } | S::Clock { result, .. } => visit(result),
            S::Prefetch { pointer } => visit(pointer),
            S::Fence { .. }
            | S::AsyncCommit
            | S::AsyncWait { .. }
            | S::Trap
            | S::Block(_)
            | S::Break
            | S::Continue
            | S::Unsupported { .. } => {}
        }
    }
}

impl Expression {
    /// Calls `visit` with each operand, to replace it, in the order of
    /// [`Expression::for_each_operand`].
    pub fn for_each_operand_mut(&mut self, mut visit: impl FnMut(&mut Value)) {
        match self {
            Expression::Constant(_)
            | Expression::Zero(_)
            | Expression::Undefined(_)
            | Expression::Argument(_)
            | Expression::ArgumentAddress(_)
            | Expression::Local(_)
            | Expression::Variable(_)
            | Expression::Builtin(_)
            | Expression::FragmentLength(_)
            | Expression::Result(_)
            | Expression::Poison { .. } => {}
            Expression::Unary { value, .. }
            | Expression::Convert { value, .. }
            | Expression::Splat { value, .. }
            | Expression::Extract { value, .. } => visit(value),
            Expression::Integer { left, right, .. }
            | Expression::Float { left, right, .. }
            | Expression::Compare { left, right, .. } => {
                visit(left);
                visit(right);
            }
            Expression::FusedMultiplyAdd { a, b, c, .. } => {
                visit(a);
                visit(b);
                visit(c);
            }
            Expression::Select { condition, accept, reject } => {
                visit(condition);
                visit(accept);
                visit(reject);
            }
            Expression::Math { arguments: list, .. } | Expression::Compose { parts: list, .. } => {
                list.iter_mut().for_each(visit);
            }
            Expression::Insert { value, part, .. } => {
                visit(value);
                visit(part);
            }
            Expression::Element { base, index, .. }
            | Expression::FragmentElement { base, index, .. } => {
                visit(base);
                visit(index);
            }
            Expression::Member { base, .. } => visit(base),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use port_diag::FileId;

    fn check(block: &mut Block) {
        for statement in &mut block.statements {
            let kind = &mut statement.kind;
            let mut read = kind.operands();
            read.extend(kind.results());
            let test = match kind {
                StatementKind::Loop(looping) => looping.test,
                _ => None,
            };
            read.extend(test);
            let mut visited = Vec::new();
            kind.for_each_value_mut(|value| visited.push(*value));
            assert_eq!(read, visited, "{kind:?}");
            assert_eq!(kind.blocks().len(), kind.clone().blocks_mut().len());
            kind.blocks_mut().into_iter().for_each(check);
        }
    }

    #[test]
    fn reading_and_replacing_visit_the_same_values() {
        let text = include_str!("../tests/text/everything.ir");
        let mut module = crate::parse(text, FileId(0)).unwrap();
        for handle in module.functions.handles() {
            let function = &mut module.functions[handle];
            for (_, expression) in function.expressions.iter() {
                let mut visited = Vec::new();
                expression.clone().for_each_operand_mut(|operand| visited.push(*operand));
                assert_eq!(expression.operands(), visited);
            }
            if let Some(body) = &mut function.body {
                check(body);
            }
        }
    }
}
