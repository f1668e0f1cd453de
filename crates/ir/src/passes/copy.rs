//! Copies expressions and statements from one function into another, with other values in the place
//! of some.

use std::collections::HashMap;

use crate::arena::{Handle, InlineFrame, Location};
use crate::expression::Expression;
use crate::function::{Function, Local};
use crate::statement::{StatementKind, Value};

/// Copies from `source`; each item at most once.
pub(super) struct Copier<'a> {
    source: &'a Function,
    values: Vec<Option<Value>>,
    locals: Vec<Option<Handle<Local>>>,
    frames: Vec<Option<Handle<InlineFrame>>>,
    /// What stands for the parameters; `None` keeps them.
    arguments: Option<Vec<Value>>,
    /// The call that is being replaced.
    call: Option<Handle<InlineFrame>>,
    /// Values of the source that others of the source replace.
    replaced: HashMap<Value, Value>,
    /// More values than can wait to be copied, unless they need each other in a circle.
    most_waiting: usize,
}

impl<'a> Copier<'a> {
    /// Copies a function to itself, values replaced by others of it.
    pub(super) fn new(source: &'a Function, replaced: HashMap<Value, Value>) -> Self {
        let operands: usize =
            source.expressions.iter().map(|(_, expression)| expression.operands().len()).sum();
        Copier {
            source,
            most_waiting: operands + source.expressions.len() + 1,
            values: vec![None; source.expressions.len()],
            locals: vec![None; source.locals.len()],
            frames: vec![None; source.inlined.len()],
            arguments: None,
            call: None,
            replaced,
        }
    }

    /// Copies a callee into its caller, in the place of a call.
    pub(super) fn inlining(
        source: &'a Function,
        arguments: Vec<Value>,
        call: Handle<InlineFrame>,
    ) -> Self {
        let mut copier = Copier::new(source, HashMap::new());
        copier.arguments = Some(arguments);
        copier.call = Some(call);
        copier
    }

    /// The place of an item, with the call that it is inlined through.
    pub(super) fn location(&mut self, target: &mut Function, location: Location) -> Location {
        // Frames point at older frames, so the chain ends; it is copied outermost first.
        let mut chain = Vec::new();
        let mut next = location.inlined;
        let mut inlined = self.call;
        while let Some(frame) = next {
            if let Some(known) = self.frames.get(frame.index()).copied().flatten() {
                inlined = Some(known);
                break;
            }
            let Some(old) = self.source.inlined.get(frame) else { break };
            chain.push((frame, old.clone()));
            next = old.call.inlined;
        }
        for (frame, old) in chain.into_iter().rev() {
            let call = Location { origin: old.call.origin, inlined };
            let copy = target.inlined.append(InlineFrame { callee: old.callee, call }, call);
            if let Some(slot) = self.frames.get_mut(frame.index()) {
                *slot = Some(copy);
            }
            inlined = Some(copy);
        }
        Location { origin: location.origin, inlined }
    }

    fn local(&mut self, target: &mut Function, local: Handle<Local>) -> Handle<Local> {
        if let Some(known) = self.locals[local.index()] {
            return known;
        }
        let location = self.source.locals.location(local);
        let copy = match location {
            Some(location) => {
                let location = self.location(target, location);
                target.locals.append(self.source.locals[local].clone(), location)
            }
            None => local,
        };
        self.locals[local.index()] = Some(copy);
        copy
    }

    /// What replaces a value of the source, in the end.
    fn resolve(&self, value: Value) -> Value {
        let mut value = value;
        // A chain longer than the values there are would be a circle.
        for _ in 0..=self.values.len() {
            match self.replaced.get(&value) {
                Some(next) => value = *next,
                None => break,
            }
        }
        value
    }

    /// The copy of a value, with all that it needs.
    pub(super) fn value(&mut self, target: &mut Function, value: Value) -> Value {
        let wanted = self.resolve(value);
        // Operands first; an explicit stack, because expressions can be deep.
        let mut stack = vec![wanted];
        while let Some(value) = stack.last().copied() {
            if self.values[value.index()].is_some() {
                stack.pop();
                continue;
            }
            let expression = &self.source.expressions[value];
            let before = stack.len();
            // The first operand is copied first, so it comes to lie on top.
            for operand in expression.operands().into_iter().rev() {
                let operand = self.resolve(operand);
                if self.values[operand.index()].is_none() {
                    stack.push(operand);
                }
            }
            // A circle of replacements would never end; it does not come from valid modules.
            if stack.len() > before && stack.len() <= self.most_waiting {
                continue;
            }
            stack.truncate(before - 1);
            let copy = self.append(target, value);
            self.values[value.index()] = Some(copy);
        }
        self.values[wanted.index()].unwrap_or(wanted)
    }

    fn append(&mut self, target: &mut Function, value: Value) -> Value {
        let mut expression = self.source.expressions[value].clone();
        if let (Expression::Argument(index), Some(arguments)) = (&expression, &self.arguments)
            && let Some(argument) = arguments.get(*index as usize)
        {
            return *argument;
        }
        if let Expression::Local(local) = &mut expression {
            *local = self.local(target, *local);
        }
        let mut operands = Vec::new();
        expression.for_each_operand(|operand| operands.push(self.resolve(operand)));
        let mut copies = operands
            .into_iter()
            .map(|operand| self.values[operand.index()].unwrap_or(operand))
            .collect::<Vec<_>>()
            .into_iter();
        expression.for_each_operand_mut(|operand| {
            if let Some(copy) = copies.next() {
                *operand = copy;
            }
        });
        let copy = match self.source.expressions.location(value) {
            Some(location) => {
                let location = self.location(target, location);
                target.expressions.append(expression, location)
            }
            None => return value,
        };
        if let Some(name) = self.source.names.get(&value) {
            target.names.insert(copy, name.clone());
        }
        copy
    }

    /// Replaces the values that a statement names itself by their copies.
    pub(super) fn statement(&mut self, target: &mut Function, kind: &mut StatementKind) {
        kind.for_each_value_mut(|value| *value = self.value(target, *value));
    }
}
