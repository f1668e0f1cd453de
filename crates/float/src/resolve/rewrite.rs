//! Writes a function anew, expression by expression, others in the place of some.

use port_ir::{Block, Expression, Function, Location, StatementKind, UnaryOp, Value};

/// A function that is being written, from an old one.
pub(super) struct Rewriter<'a> {
    /// The old one.
    source: &'a Function,
    target: Function,
    new: Vec<Value>,
    location: Location,
}

impl<'a> Rewriter<'a> {
    /// Writes every expression: `write` is given each old one, its operands already the new values,
    /// and appends what takes its place.
    pub fn run(
        source: &'a Function,
        mut write: impl FnMut(&mut Rewriter<'a>, Value, Expression) -> Value,
    ) -> Function {
        let first = source.expressions.handles().next();
        let Some(location) = first.and_then(|first| source.expressions.location(first)) else {
            return source.clone();
        };
        let target = Function { expressions: Default::default(), ..source.clone() };
        Rewriter { source, target, new: Vec::new(), location }.write_all(&mut write)
    }

    fn write_all(
        mut self,
        write: &mut impl FnMut(&mut Rewriter<'a>, Value, Expression) -> Value,
    ) -> Function {
        for (value, expression) in self.source.expressions.iter() {
            if let Some(location) = self.source.expressions.location(value) {
                self.location = location;
            }
            let mut expression = expression.clone();
            expression.for_each_operand_mut(|operand| *operand = self.of(*operand));
            let new = write(&mut self, value, expression);
            self.new.push(new);
        }
        self.target.names.clear();
        for (value, name) in &self.source.names {
            let new = self.of(*value);
            self.target.names.insert(new, name.clone());
        }
        if let Some(mut body) = self.target.body.take() {
            self.block(&mut body);
            self.target.body = Some(body);
        }
        self.target
    }

    /// What an old value is now.
    pub fn of(&self, value: Value) -> Value {
        self.new.get(value.index()).copied().unwrap_or(value)
    }

    /// What a new value says.
    pub fn expression(&self, value: Value) -> &Expression {
        &self.target.expressions[value]
    }

    /// Appends an expression, at the place of the old one that is being written.
    pub fn append(&mut self, expression: Expression) -> Value {
        self.target.expressions.append(expression, self.location)
    }

    /// The value or its negation.
    pub fn signed(&mut self, value: Value, negative: bool) -> Value {
        if negative { self.append(Expression::Unary { op: UnaryOp::Negate, value }) } else { value }
    }

    fn block(&self, block: &mut Block) {
        // Blocks nest to a bounded depth.
        for statement in &mut block.statements {
            self.statement(&mut statement.kind);
        }
    }

    fn statement(&self, kind: &mut StatementKind) {
        kind.for_each_value_mut(|value| *value = self.of(*value));
        for inner in kind.blocks_mut() {
            self.block(inner);
        }
    }
}
