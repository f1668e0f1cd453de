//! The order of a function's statements, and which stores a load of a local variable may see.
//!
//! Scalars of the source live in local variables, so nearly every analysis has to look through
//! them. [`Flow`] numbers the statements, follows pointers to what they point into, decides which
//! locals are only ever accessed directly, and computes for each load of one of those the stores
//! that reach it.

use std::rc::Rc;

use super::slots::{self, Cover, Reach, Slots, Touched};
use crate::arena::Handle;
use crate::expression::Expression;
use crate::function::{Function, Local};
use crate::module::Variable;
use crate::operation::{Constant, Conversion, IntegerOp, UnaryOp};
use crate::statement::{Block, LoopTest, Statement, StatementKind, Value};
use crate::types::Types;
use crate::typing::ExpressionTypes;

/// The number of a statement: statements count in the order of the text, outer before inner, a
/// loop's condition, body and step in the order in which they are executed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementId(pub u32);

impl StatementId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which of a statement's blocks a statement stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// The block of a plain block.
    Block,
    /// The first block of an if.
    Accept,
    /// The second block of an if.
    Reject,
    /// An arm of a switch.
    Case(usize),
    /// The condition of a loop.
    Condition,
    /// The body of a loop.
    Body,
    /// The step of a loop.
    Step,
}

/// A statement and its place.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// The statement around it, and in which of its blocks; `None` in the body itself.
    pub parent: Option<(StatementId, Arm)>,
    /// One past the last statement inside it.
    pub end: StatementId,
}

/// What a pointer points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A local variable.
    Local(Handle<Local>),
    /// A variable of the module.
    Variable(Handle<Variable>),
    /// What the pointer parameter at this position points at.
    Argument(u32),
    /// The parameter at this position itself.
    ArgumentAddress(u32),
    /// What this pointer points at: it was loaded, came back from a call, or lay in a struct.
    Value(Value),
    /// Something else: a pointer made from an integer, or one of several.
    Unknown,
}

/// A store that a load may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition {
    /// What this statement stores is what the load gives.
    Whole(StatementId, Value),
    /// What this statement stores holds a part of what the load gives, or the load gives a part of
    /// it.
    Part(StatementId, Value),
    /// What this statement writes, by copying or filling bytes.
    Bytes(StatementId),
    /// Nothing: the local may be undefined.
    Undefined,
}

impl Definition {
    /// The statement that writes; `None` for [`Definition::Undefined`].
    pub fn statement(&self) -> Option<StatementId> {
        match self {
            Definition::Whole(id, _) | Definition::Part(id, _) | Definition::Bytes(id) => Some(*id),
            Definition::Undefined => None,
        }
    }
}

/// How the pointer of an access reaches a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carry {
    None,
    One(Handle<Local>),
}

/// Statements by number, and the flow of values through locals.
pub struct Flow<'a> {
    /// The function.
    pub function: &'a Function,
    /// The types of its expressions.
    pub types: &'a ExpressionTypes,
    entries: Vec<Entry<'a>>,
    definers: Vec<Option<StatementId>>,
    escapes: Vec<bool>,
    slots: Slots,
    /// For each slot, what statements write to it.
    stores: Vec<Vec<Definition>>,
    /// For each statement that loads a tracked local, what it may see.
    reaching: Vec<Vec<Definition>>,
}

impl<'a> Flow<'a> {
    /// The flow of a valid function, with the types of its module and of its expressions.
    pub fn of(module: &Types, function: &'a Function, types: &'a ExpressionTypes) -> Self {
        let mut flow = Flow {
            function,
            types,
            entries: Vec::new(),
            definers: vec![None; function.expressions.len()],
            escapes: vec![false; function.locals.len()],
            slots: Slots::of(function, module, &[]),
            stores: Vec::new(),
            reaching: Vec::new(),
        };
        if let Some(body) = &function.body {
            flow.number(body, None);
            flow.find_escapes();
            flow.find_slots(module);
            flow.reaching = vec![Vec::new(); flow.entries.len()];
            let undefined = Rc::new(vec![Definition::Undefined]);
            let state = vec![undefined; flow.slots.len()];
            let touched = flow.touched(module);
            let mut pass = Pass { flow: &mut flow, touched, next: 0, exits: Vec::new() };
            pass.collect_stores();
            pass.block(body, Some(state));
        }
        flow
    }

    fn number(&mut self, block: &'a Block, parent: Option<(StatementId, Arm)>) {
        for statement in &block.statements {
            let id = StatementId(self.entries.len() as u32);
            self.entries.push(Entry { statement, parent, end: id });
            for result in statement.kind.results() {
                self.definers[result.index()] = Some(id);
            }
            for (arm, inner) in arms(&statement.kind) {
                self.number(inner, Some((id, arm)));
            }
            self.entries[id.index()].end = StatementId(self.entries.len() as u32);
        }
    }

    /// All statements with their numbers.
    pub fn statements(&self) -> impl Iterator<Item = (StatementId, &Entry<'a>)> {
        self.entries.iter().enumerate().map(|(index, entry)| (StatementId(index as u32), entry))
    }

    /// The statements inside a statement.
    pub fn inside(&self, id: StatementId) -> impl Iterator<Item = (StatementId, &Entry<'a>)> {
        let end = self.entries[id.index()].end;
        (id.0 + 1..end.0).map(|index| (StatementId(index), &self.entries[index as usize]))
    }

    /// A statement.
    pub fn entry(&self, id: StatementId) -> &Entry<'a> {
        &self.entries[id.index()]
    }

    /// Whether `inner` stands inside `outer`.
    pub fn is_inside(&self, inner: StatementId, outer: StatementId) -> bool {
        outer < inner && inner < self.entries[outer.index()].end
    }

    /// The statements around a statement with the blocks of them, innermost first.
    pub fn parents(&self, id: StatementId) -> impl Iterator<Item = (StatementId, Arm)> + '_ {
        let mut next = self.entries[id.index()].parent;
        std::iter::from_fn(move || {
            let found = next?;
            next = self.entries[found.0.index()].parent;
            Some(found)
        })
    }

    /// Whether `inner` stands after `outer` in its block or in a block inside that: where both are
    /// executed, they are in the same pass of every loop around `outer`.
    pub fn holds(&self, outer: StatementId, inner: StatementId) -> bool {
        let block = self.entry(outer).parent;
        outer < inner
            && (block.is_none() || self.parents(inner).any(|parent| Some(parent) == block))
    }

    /// The innermost loop around a statement.
    pub fn loop_around(&self, id: StatementId) -> Option<StatementId> {
        self.parents(id)
            .find(|(parent, _)| {
                matches!(self.entry(*parent).statement.kind, StatementKind::Loop(_))
            })
            .map(|(parent, _)| parent)
    }

    /// The statement that defines a result.
    pub fn definer(&self, value: Value) -> Option<StatementId> {
        self.definers.get(value.index()).copied().flatten()
    }

    /// Whether the address of a local goes elsewhere than into direct loads, stores, copies, fills
    /// and atomics.
    pub fn escapes(&self, local: Handle<Local>) -> bool {
        self.escapes.get(local.index()).copied().unwrap_or(true)
    }

    /// What the load that gives `value` may see; `None` if `value` is no load of a local whose
    /// address stays here.
    pub fn definitions(&self, value: Value) -> Option<&[Definition]> {
        let id = self.definer(value)?;
        let StatementKind::Load { pointer, .. } = &self.entry(id).statement.kind else {
            return None;
        };
        match self.root(*pointer) {
            Root::Local(local) if !self.escapes(local) => Some(&self.reaching[id.index()]),
            _ => None,
        }
    }

    /// What a pointer points into.
    pub fn root(&self, pointer: Value) -> Root {
        let mut pointer = pointer;
        // Operands are older than their users, so this ends.
        loop {
            match &self.function.expressions[pointer] {
                Expression::Element { base, .. }
                | Expression::Member { base, .. }
                | Expression::FragmentElement { base, .. } => pointer = *base,
                Expression::Convert { kind: Conversion::Space, value, .. } => pointer = *value,
                Expression::Local(local) => return Root::Local(*local),
                Expression::Variable(variable) => return Root::Variable(*variable),
                Expression::Argument(index) => return Root::Argument(*index),
                Expression::ArgumentAddress(index) => return Root::ArgumentAddress(*index),
                Expression::Result(_) | Expression::Extract { .. } => return Root::Value(pointer),
                _ => return Root::Unknown,
            }
        }
    }

    /// What a value is, seen through conversions between integers and through locals that hold
    /// only one value.
    pub fn plain(&self, value: Value) -> Value {
        let mut value = value;
        // A local can hold what was computed from itself, so the steps are counted.
        for _ in 0..64 {
            let next = match &self.function.expressions[value] {
                Expression::Convert {
                    kind:
                        Conversion::ZeroExtend
                        | Conversion::SignExtend
                        | Conversion::Truncate
                        | Conversion::Bits,
                    value: inner,
                    to,
                } => {
                    let scalar = |ty: crate::types::Type| matches!(ty, crate::types::Type::Scalar(s) if s.is_integer());
                    (scalar(*to) && scalar(self.types.get(*inner))).then_some(*inner)
                }
                Expression::Result(_) => match self.definitions(value) {
                    Some([Definition::Whole(_, stored)]) => Some(*stored),
                    _ => None,
                },
                _ => None,
            };
            match next {
                Some(next) => value = next,
                None => break,
            }
        }
        value
    }

    /// The integer that a value is, if it is computed from constants alone; adds the constants to
    /// `leaves`.
    pub fn constant(&self, value: Value, leaves: &mut Vec<Value>) -> Option<i128> {
        self.fold(value, leaves, 8)
    }

    fn fold(&self, value: Value, leaves: &mut Vec<Value>, depth: u32) -> Option<i128> {
        let depth = depth.checked_sub(1)?;
        let value = self.plain(value);
        match &self.function.expressions[value] {
            Expression::Constant(constant) => {
                leaves.push(value);
                constant.as_integer()
            }
            Expression::Zero(ty) if ty.scalar().is_some_and(|scalar| !scalar.is_float()) => Some(0),
            Expression::Unary { op, value: operand } => {
                let operand = self.fold(*operand, leaves, depth)?;
                match op {
                    UnaryOp::Negate => self.fit(value, operand.checked_neg()?),
                    UnaryOp::Not => self.fit(value, !operand),
                    UnaryOp::Absolute => self.fit(value, operand.checked_abs()?),
                }
            }
            Expression::Integer { op, left, right } => {
                let left = self.fold(*left, leaves, depth)?;
                let right = self.fold(*right, leaves, depth)?;
                let amount = u32::try_from(right).ok().filter(|amount| *amount < 64);
                let result = match op {
                    IntegerOp::Add => left.checked_add(right),
                    IntegerOp::Subtract => left.checked_sub(right),
                    IntegerOp::Multiply => left.checked_mul(right),
                    IntegerOp::Divide => left.checked_div(right),
                    IntegerOp::Remainder => left.checked_rem(right),
                    IntegerOp::Minimum => Some(left.min(right)),
                    IntegerOp::Maximum => Some(left.max(right)),
                    IntegerOp::And => Some(left & right),
                    IntegerOp::Or => Some(left | right),
                    IntegerOp::Xor => Some(left ^ right),
                    IntegerOp::ShiftLeft => left.checked_mul(1 << amount?),
                    IntegerOp::ShiftRight => Some(left >> amount?),
                    IntegerOp::MultiplyHigh => None,
                };
                self.fit(value, result?)
            }
            _ => None,
        }
    }

    /// An integer as a value of this type holds it: high bits dropped.
    fn fit(&self, value: Value, integer: i128) -> Option<i128> {
        let scalar = self.types.get(value).scalar()?;
        Constant::from_bits(scalar, integer as u64).as_integer()
    }

    /// Where a pointer into a local points: bytes from its start, `None` if that varies.
    pub fn offset(&self, module: &Types, pointer: Value) -> Option<u64> {
        slots::offset(self.function, module, pointer)
    }

    // Locals.

    /// Marks the locals whose addresses go where they are not followed.
    fn find_escapes(&mut self) {
        let mut carries: Vec<Carry> = Vec::with_capacity(self.function.expressions.len());
        let escapes = &mut self.escapes;
        let mut escape = |carry: Carry| {
            if let Carry::One(local) = carry {
                escapes[local.index()] = true;
            }
        };
        for (_, expression) in self.function.expressions.iter() {
            let carry = match expression {
                Expression::Local(local) => Carry::One(*local),
                Expression::Element { base, index, .. }
                | Expression::FragmentElement { base, index, .. } => {
                    escape(carries[index.index()]);
                    carries[base.index()]
                }
                Expression::Member { base, .. } => carries[base.index()],
                Expression::Convert { kind: Conversion::Space, value, .. } => {
                    carries[value.index()]
                }
                // Comparing an address gives nothing away.
                Expression::Compare { .. } => Carry::None,
                other => {
                    other.for_each_operand(|operand| escape(carries[operand.index()]));
                    Carry::None
                }
            };
            carries.push(carry);
        }
        for entry in &self.entries {
            let pointers: &[Value] = match &entry.statement.kind {
                StatementKind::Load { pointer, .. }
                | StatementKind::Store { pointer, .. }
                | StatementKind::Prefetch { pointer }
                | StatementKind::Atomic { pointer, .. } => &[*pointer],
                StatementKind::Copy { destination, source, .. } => &[*destination, *source],
                StatementKind::Fill { destination, .. } => &[*destination],
                _ => &[],
            };
            for operand in entry.statement.kind.operands() {
                if !pointers.contains(&operand) {
                    escape(carries[operand.index()]);
                }
            }
            // A pointer that is also stored gives the address away.
            if let StatementKind::Store { pointer, value, .. } = &entry.statement.kind
                && pointer == value
            {
                escape(carries[pointer.index()]);
            }
        }
    }

    /// The local that a statement loads from or stores to, with the value.
    fn access(&self, id: StatementId) -> Option<(Handle<Local>, Value, Value)> {
        let (pointer, value) = match &self.entry(id).statement.kind {
            StatementKind::Load { pointer, result, .. } => (*pointer, *result),
            StatementKind::Store { pointer, value, .. } => (*pointer, *value),
            _ => return None,
        };
        match self.root(pointer) {
            Root::Local(local) => Some((local, pointer, value)),
            _ => None,
        }
    }

    fn reach(&self, module: &Types, pointer: Value, value: Value) -> Reach {
        let ty = self.types.get(value);
        let Some(layout) = module.layout(ty) else {
            let direct = matches!(self.function.expressions[pointer], Expression::Local(_));
            return if direct { Reach::All(ty) } else { Reach::Some };
        };
        match slots::offset(self.function, module, pointer) {
            Some(start) => Reach::Bytes(start, start.saturating_add(layout.size), ty),
            None => Reach::Some,
        }
    }

    fn find_slots(&mut self, module: &Types) {
        let mut accesses = vec![Vec::new(); self.function.locals.len()];
        for index in 0..self.entries.len() {
            let id = StatementId(index as u32);
            if let Some((local, pointer, value)) = self.access(id) {
                accesses[local.index()].push(self.reach(module, pointer, value));
            }
        }
        self.slots = Slots::of(self.function, module, &accesses);
    }

    /// For each statement that loads from a local or writes one, the slots that it touches.
    fn touched(&self, module: &Types) -> Vec<Option<Touched>> {
        let of = |index: usize| {
            let id = StatementId(index as u32);
            if let Some((local, pointer, value)) = self.access(id) {
                return Some(self.slots.touched(local, self.reach(module, pointer, value)));
            }
            let pointer = match &self.entry(id).statement.kind {
                StatementKind::Copy { destination, .. } => *destination,
                StatementKind::Fill { destination, .. } => *destination,
                StatementKind::Atomic { pointer, .. } => *pointer,
                _ => return None,
            };
            match self.root(pointer) {
                Root::Local(local) => Some(self.slots.touched(local, Reach::Some)),
                _ => None,
            }
        };
        (0..self.entries.len()).map(of).collect()
    }
}

/// The blocks of a statement, in the order in which [`StatementId`]s count.
fn arms(kind: &StatementKind) -> Vec<(Arm, &Block)> {
    match kind {
        StatementKind::Block(block) => vec![(Arm::Block, block)],
        StatementKind::If { accept, reject, .. } => {
            vec![(Arm::Accept, accept), (Arm::Reject, reject)]
        }
        StatementKind::Switch { cases, .. } => {
            cases.iter().enumerate().map(|(index, case)| (Arm::Case(index), &case.body)).collect()
        }
        StatementKind::Loop(looping) => {
            let (condition, body, step) = (
                (Arm::Condition, &looping.condition),
                (Arm::Body, &looping.body),
                (Arm::Step, &looping.step),
            );
            match looping.when {
                LoopTest::Before => vec![condition, body, step],
                LoopTest::After => vec![body, step, condition],
            }
        }
        _ => Vec::new(),
    }
}

/// For each slot the stores that may have happened last; `None` where control never comes.
type State = Option<Vec<Rc<Vec<Definition>>>>;

fn join(into: &mut State, other: State) {
    let Some(other) = other else { return };
    let Some(into) = into else {
        *into = Some(other);
        return;
    };
    for (list, more) in into.iter_mut().zip(other) {
        if Rc::ptr_eq(list, &more) {
            continue;
        }
        for definition in more.iter() {
            if !list.contains(definition) {
                Rc::make_mut(list).push(*definition);
            }
        }
    }
}

/// What a load of these slots may see.
fn seen(slots: &[Rc<Vec<Definition>>], cover: Cover) -> Vec<Definition> {
    let mut seen: Vec<Definition> = Vec::new();
    for definition in slots.iter().flat_map(|list| list.iter()) {
        let definition = match definition {
            // Only a load of exactly the slot gives what was stored to it.
            Definition::Whole(id, value) if cover != Cover::Exact => Definition::Part(*id, *value),
            other => *other,
        };
        if !seen.contains(&definition) {
            seen.push(definition);
        }
    }
    seen
}

/// States with which control leaves a loop or switch.
#[derive(Default)]
struct Exits {
    is_loop: bool,
    breaks: State,
    continues: State,
}

struct Pass<'f, 'a> {
    flow: &'f mut Flow<'a>,
    /// For each statement, the slots that it loads from or writes to.
    touched: Vec<Option<Touched>>,
    next: u32,
    exits: Vec<Exits>,
}

impl<'a> Pass<'_, 'a> {
    /// What a statement makes of the slots that it touches; `None` for a load.
    fn definition(&self, id: StatementId, cover: Cover) -> Option<Definition> {
        Some(match &self.flow.entry(id).statement.kind {
            StatementKind::Store { value, .. } if cover == Cover::Exact => {
                Definition::Whole(id, *value)
            }
            StatementKind::Store { value, .. } => Definition::Part(id, *value),
            StatementKind::Load { .. } => return None,
            _ => Definition::Bytes(id),
        })
    }

    fn collect_stores(&mut self) {
        self.flow.stores = vec![Vec::new(); self.flow.slots.len()];
        for index in 0..self.touched.len() {
            let Some(touched) = self.touched[index] else { continue };
            let id = StatementId(index as u32);
            if let Some(definition) = self.definition(id, touched.cover) {
                for slot in touched.first..touched.end {
                    self.flow.stores[slot].push(definition);
                }
            }
        }
    }

    fn block(&mut self, block: &'a Block, mut state: State) -> State {
        for statement in &block.statements {
            state = self.statement(statement, state);
        }
        state
    }

    fn statement(&mut self, statement: &'a Statement, mut state: State) -> State {
        let id = StatementId(self.next);
        self.next += 1;
        match &statement.kind {
            StatementKind::Load { .. } => {
                if let (Some(touched), Some(state)) = (self.touched[id.index()], &state) {
                    self.flow.reaching[id.index()] =
                        seen(&state[touched.first..touched.end], touched.cover);
                }
                state
            }
            StatementKind::Block(block) => self.block(block, state),
            StatementKind::If { accept, reject, .. } => {
                let mut after = self.block(accept, state.clone());
                let rejected = self.block(reject, state);
                join(&mut after, rejected);
                after
            }
            StatementKind::Switch { cases, .. } => {
                self.exits.push(Exits::default());
                let mut after = None;
                let mut falling = None;
                for case in cases {
                    let mut entry = state.clone();
                    join(&mut entry, falling.take());
                    let end = self.block(&case.body, entry);
                    if case.fallthrough {
                        falling = end;
                    } else {
                        join(&mut after, end);
                    }
                }
                if !cases.iter().any(|case| case.default) {
                    join(&mut after, state);
                }
                let exits = self.exits.pop().unwrap_or_default();
                join(&mut after, exits.breaks);
                after
            }
            StatementKind::Loop(looping) => {
                // A pass may see whatever any pass has stored. That is a little more than what
                // reaches the end of the pass, and needs no iteration.
                if let Some(state) = &mut state {
                    let end = self.flow.entry(id).end;
                    for (list, stores) in state.iter_mut().zip(&self.flow.stores) {
                        for definition in stores {
                            let Some(store) = definition.statement() else { continue };
                            if id < store && store < end && !list.contains(definition) {
                                Rc::make_mut(list).push(*definition);
                            }
                        }
                    }
                }
                self.exits.push(Exits { is_loop: true, ..Exits::default() });
                let tested = looping.test.is_some();
                let mut after = None;
                if looping.when == LoopTest::Before {
                    state = self.block(&looping.condition, state);
                    if tested {
                        after = state.clone();
                    }
                }
                state = self.block(&looping.body, state);
                let continues =
                    self.exits.last_mut().map(|exits| exits.continues.take()).unwrap_or_default();
                join(&mut state, continues);
                state = self.block(&looping.step, state);
                if looping.when == LoopTest::After {
                    state = self.block(&looping.condition, state);
                    if tested {
                        after = state;
                    }
                }
                let exits = self.exits.pop().unwrap_or_default();
                join(&mut after, exits.breaks);
                after
            }
            StatementKind::Break => {
                if let Some(exits) = self.exits.last_mut() {
                    join(&mut exits.breaks, state);
                }
                None
            }
            StatementKind::Continue => {
                if let Some(exits) = self.exits.iter_mut().rev().find(|exits| exits.is_loop) {
                    join(&mut exits.continues, state);
                }
                None
            }
            StatementKind::Return { .. } | StatementKind::Trap => None,
            _ => {
                if let (Some(touched), Some(state)) = (self.touched[id.index()], &mut state)
                    && let Some(definition) = self.definition(id, touched.cover)
                {
                    let kills =
                        touched.cover != Cover::Part && !matches!(definition, Definition::Bytes(_));
                    for list in &mut state[touched.first..touched.end] {
                        let list = Rc::make_mut(list);
                        if kills {
                            list.clear();
                        }
                        if !list.contains(&definition) {
                            list.push(definition);
                        }
                    }
                }
                state
            }
        }
    }
}
