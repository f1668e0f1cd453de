//! Small loops of a known number of passes: their passes are compiled one after the other, with the
//! counter as a constant. What is left of its arithmetic are offsets of accesses.

use std::collections::HashMap;

use port_ir::{
    Block, Constant, Conversion, Expression, ExpressionTypes, Function, Handle, IntegerOp, Local,
    Loop, LoopTest, Scalar, Statement, StatementKind, Type, Unroll, Value,
};

use super::MOST_INSTRUCTIONS;
use super::locals;
use super::prelude::*;

/// Passes that are compiled at most, and statements in all of them.
const MOST_PASSES: usize = 64;
const MOST_STATEMENTS: usize = 512;

/// A loop whose counter is known in each pass.
pub(super) struct Counted {
    local: Handle<Local>,
    values: Vec<Constant>,
    /// The counter behind the loop.
    last: Constant,
}

/// What is known of loaded values.
type Known = HashMap<Value, Constant>;

/// An operation on words.
pub(super) fn apply(op: IntegerOp, a: Constant, b: Constant) -> Option<Constant> {
    let scalar = a.scalar;
    if !matches!(scalar, Scalar::I32 | Scalar::U32) {
        return None;
    }
    let (x, y) = (a.bits as u32, b.bits as u32);
    let bits = match op {
        IntegerOp::Add => x.wrapping_add(y),
        IntegerOp::Subtract => x.wrapping_sub(y),
        IntegerOp::Multiply => x.wrapping_mul(y),
        IntegerOp::And => x & y,
        IntegerOp::Or => x | y,
        IntegerOp::Xor => x ^ y,
        IntegerOp::ShiftLeft if y < 32 => x << y,
        IntegerOp::ShiftRight if y < 32 && scalar == Scalar::I32 => (x as i32 >> y) as u32,
        IntegerOp::ShiftRight if y < 32 => x >> y,
        _ => return None,
    };
    Some(Constant::from_bits(scalar, bits.into()))
}

/// The constant that a value is, if words that were loaded are.
fn constant(function: &Function, value: Value, known: &Known, depth: usize) -> Option<Constant> {
    if let Some(constant) = known.get(&value) {
        return Some(*constant);
    }
    if let Some(constant) = locals::constant(function, value) {
        return Some(constant);
    }
    let depth = depth.checked_sub(1)?;
    match function.expressions.get(value)? {
        Expression::Integer { op, left, right } => {
            let left = constant(function, *left, known, depth)?;
            apply(*op, left, constant(function, *right, known, depth)?)
        }
        Expression::Convert { kind: Conversion::Bits, value, to: Type::Scalar(to) } => {
            let from = constant(function, *value, known, depth)?;
            let words = [Scalar::I32, Scalar::U32];
            (words.contains(to) && words.contains(&from.scalar))
                .then(|| Constant::from_bits(*to, from.bits))
        }
        _ => None,
    }
}

/// Whether a loop goes on.
fn test(function: &Function, value: Value, known: &Known) -> Option<bool> {
    let Expression::Compare { op, left, right } = function.expressions.get(value)? else {
        return None;
    };
    let left = constant(function, *left, known, 16)?;
    let right = constant(function, *right, known, 16)?;
    if left.scalar != right.scalar || !matches!(left.scalar, Scalar::I32 | Scalar::U32) {
        return None;
    }
    let (a, b) = (left.as_integer()?, right.as_integer()?);
    Some(op.holds(a, b))
}

/// The local that a pointer is.
fn local(function: &Function, pointer: Value) -> Option<Handle<Local>> {
    let mut pointer = pointer;
    loop {
        match function.expressions.get(pointer)? {
            Expression::Local(local) => return Some(*local),
            Expression::Convert { kind: Conversion::Space, value, .. } => pointer = *value,
            _ => return None,
        }
    }
}

/// The local that a pointer leads into.
fn root(function: &Function, pointer: Value) -> Option<Handle<Local>> {
    let mut pointer = pointer;
    loop {
        match function.expressions.get(pointer)? {
            Expression::Local(local) => return Some(*local),
            Expression::Element { base, .. }
            | Expression::Member { base, .. }
            | Expression::FragmentElement { base, .. }
            | Expression::Convert { kind: Conversion::Space, value: base, .. } => pointer = *base,
            _ => return None,
        }
    }
}

/// The constant that a local was set to by the statements before a loop.
fn initial(function: &Function, before: &[Statement], wanted: Handle<Local>) -> Option<Constant> {
    for statement in before.iter().rev() {
        match &statement.kind {
            StatementKind::Store { pointer, value, .. }
                if root(function, *pointer) == Some(wanted) =>
            {
                local(function, *pointer)?;
                return locals::constant(function, *value);
            }
            kind if !kind.blocks().is_empty() => return None,
            _ => {}
        }
    }
    None
}

/// Statements of a block, unless some of them leave it or are not known.
fn count(block: &Block) -> Option<usize> {
    let mut all = 0;
    let mut blocks = vec![block];
    while let Some(block) = blocks.pop() {
        for statement in &block.statements {
            match &statement.kind {
                StatementKind::Break
                | StatementKind::Continue
                | StatementKind::Return { .. }
                | StatementKind::Unsupported { .. } => return None,
                kind => blocks.extend(kind.blocks()),
            }
            all += 1;
        }
    }
    Some(all)
}

/// Whether a block stores to a local.
fn stores(function: &Function, block: &Block, wanted: Handle<Local>) -> bool {
    let mut blocks = vec![block];
    while let Some(block) = blocks.pop() {
        for statement in &block.statements {
            if let StatementKind::Store { pointer, .. } = &statement.kind
                && root(function, *pointer) == Some(wanted)
            {
                return true;
            }
            blocks.extend(statement.kind.blocks());
        }
    }
    false
}

/// A pass of a condition or step: loads and stores of the counter alone. Gives what it is stored to.
fn passed(
    function: &Function,
    types: &ExpressionTypes,
    block: &Block,
    counter: Handle<Local>,
    value: Constant,
    known: &mut Known,
) -> Option<Constant> {
    let mut now = value;
    for statement in &block.statements {
        match &statement.kind {
            StatementKind::Load { result, pointer, .. }
                if local(function, *pointer)? == counter =>
            {
                // Read as another type, it is another number.
                (types.get(*result) == Type::Scalar(now.scalar)).then_some(())?;
                known.insert(*result, now);
            }
            StatementKind::Store { pointer, value, .. }
                if local(function, *pointer)? == counter =>
            {
                let new = constant(function, *value, known, 16)?;
                (new.scalar == now.scalar).then_some(())?;
                now = new;
            }
            _ => return None,
        }
    }
    Some(now)
}

/// Whether a loop behind some statements has a counter that is known in each pass, and is small.
pub(super) fn counted(
    function: &Function,
    types: &ExpressionTypes,
    promoted: &[Option<std::collections::BTreeMap<u64, super::layout::Part>>],
    before: &[Statement],
    looping: &Loop,
) -> Option<Counted> {
    let wanted = looping.when == LoopTest::Before && looping.unroll != Unroll::Times(1);
    let first = looping.condition.statements.first().filter(|_| wanted)?;
    let StatementKind::Load { pointer, .. } = &first.kind else { return None };
    let counter = local(function, *pointer)?;
    let parts = promoted.get(counter.index())?.as_ref()?;
    let [part] = parts.values().collect::<Vec<_>>()[..] else { return None };
    let mut value = initial(function, before, counter)?;
    if part.offset != 0 || part.scalar != value.scalar || stores(function, &looping.body, counter) {
        return None;
    }
    let size = count(&looping.body)?.max(1);
    let most = (MOST_STATEMENTS / size).min(MOST_PASSES);
    let mut values = Vec::new();
    loop {
        let mut known = Known::new();
        if passed(function, types, &looping.condition, counter, value, &mut known)? != value {
            return None;
        }
        if !test(function, looping.test?, &known)? {
            return (!values.is_empty()).then_some(Counted { local: counter, values, last: value });
        }
        if values.len() >= most {
            return None;
        }
        values.push(value);
        value = passed(function, types, &looping.step, counter, value, &mut Known::new())?;
    }
}

impl<'m> Compiler<'m> {
    /// Compiles a loop pass by pass.
    pub(super) fn unrolled(&mut self, looping: &'m Loop, counted: &Counted) -> Result<()> {
        self.frame.position += 1;
        self.hoist(&[&looping.body], None)?;
        let (site, location) = (self.site, self.location);
        let condition = looping.condition.statements.len() as u32 + 1;
        let first = self.frame.position + condition;
        let mut end = None;
        for value in &counted.values {
            self.frame.position = first;
            self.frame.counters.push((counted.local, *value));
            // What is computed alike in the next pass is known there.
            self.frame.scopes.push(Vec::new());
            // What the condition loads is seen by the body.
            let register = self.constant(Class::W, Self::bits_of(*value));
            for statement in &looping.condition.statements {
                if let StatementKind::Load { result, .. } = &statement.kind {
                    self.know_one(*result, register);
                }
            }
            let done = self.block(&looping.body);
            self.forget();
            self.frame.counters.pop();
            done?;
            end = Some(self.frame.position);
            if self.drafts.len() > MOST_INSTRUCTIONS {
                return self.unsupported("a kernel of so many instructions");
            }
        }
        // There is a pass, so that positions go on where they are counted.
        let end = end.unwrap_or(first);
        self.frame.position = end + looping.step.statements.len() as u32 + 1;
        (self.site, self.location) = (site, location);
        let bits = Self::bits_of(counted.last);
        let value = self.constant(Class::W, bits);
        let register = self.frame.locals[counted.local.index()].get(&0).copied();
        if let Some(register) = register {
            let all = self.frame.prepass.unmasked[counted.local.index()];
            self.emit_move(register, value, all);
        }
        Ok(())
    }

    /// The constant that a local is in the pass that is being compiled.
    pub(super) fn counter(&self, local: Handle<Local>) -> Option<Constant> {
        let found = self.frame.counters.iter().rev().find(|(counter, _)| *counter == local);
        found.map(|(_, value)| *value)
    }

    /// The integer of a register that is a constant of a type.
    pub(super) fn known_integer(&self, register: V, scalar: Scalar) -> Option<Constant> {
        let bits = self.constant_bits.get(&register)?;
        matches!(scalar, Scalar::I32 | Scalar::U32).then(|| Constant::from_bits(scalar, *bits))
    }
}
