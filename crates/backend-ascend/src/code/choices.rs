//! Accesses through one of two pointers, as `a < b ? a : b` on references gives it: two accesses,
//! each for the threads that mean its pointer.
//!
//! Neither the lanes of a vector nor a pointer with an address space can choose between memories.

use port_ir::analysis::flow::{Flow, Root};
use port_ir::typing::ExpressionTypes;
use port_ir::{
    Access, Arena, Block, CompareOp, Conversion, Expression, Function, Handle, Local, Location,
    Module, Space, Statement, StatementKind, Type, Value,
};

/// Choices of choices: each round takes one away.
const ROUNDS: usize = 6;
/// Statements that may be added to a function: nested choices double.
const MOST_SPLITS: usize = 1024;

/// Which choices are taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All.
    Any,
    /// Those between different kinds of memory.
    OtherMemory,
}

/// The module with its choices taken apart.
pub(crate) fn split(mut module: Module, which: Which) -> Module {
    for handle in module.functions.handles().collect::<Vec<_>>() {
        if let Some(simpler) = ask_conditions(&module, &module.functions[handle]) {
            module.functions[handle] = simpler;
        }
        let mut added = 0;
        for _ in 0..ROUNDS {
            let Some(simpler) = round(&module, &module.functions[handle], which, &mut added) else {
                break;
            };
            module.functions[handle] = simpler;
        }
    }
    module
}

/// Whether a pointer is null.
fn is_null(function: &Function, mut pointer: Value) -> bool {
    // Operands are older than their users, so this ends.
    while let Some(Expression::Convert { kind: Conversion::Space, value, .. }) =
        function.expressions.get(pointer)
    {
        pointer = *value;
    }
    matches!(function.expressions.get(pointer), Some(Expression::Zero(Type::Pointer(_))))
}

/// The choice between a pointer and null that is compared with null, and the arm that is null.
fn compared_choice(function: &Function, left: Value, right: Value) -> Option<(Value, usize)> {
    let mut choice = match (is_null(function, left), is_null(function, right)) {
        (false, true) => left,
        (true, false) => right,
        _ => return None,
    };
    loop {
        match function.expressions.get(choice)? {
            Expression::Convert { kind: Conversion::Space, value, .. } => choice = *value,
            Expression::Select { accept, reject, .. } => {
                let null = [*accept, *reject].iter().position(|arm| is_null(function, *arm))?;
                return Some((choice, null));
            }
            _ => return None,
        }
    }
}

/// Asks the condition and the other pointer where a pointer that may be null by choice is compared with
/// null.
fn ask_conditions(module: &Module, function: &Function) -> Option<Function> {
    let asked = function.expressions.iter().any(|(_, expression)| {
        matches!(expression, Expression::Compare { left, right, .. }
            if compared_choice(function, *left, *right).is_some())
    });
    if !asked {
        return None;
    }
    let types = ExpressionTypes::of(module, function);
    let mut target = function.clone();
    target.expressions = Arena::new();
    let mut copies: Vec<Value> = Vec::with_capacity(function.expressions.len());
    for (value, expression) in function.expressions.iter() {
        let location = function.expressions.location(value)?;
        let mut copy = expression.clone();
        copy.for_each_operand_mut(|operand| {
            if let Some(to) = copies.get(operand.index()) {
                *operand = *to;
            }
        });
        if let Expression::Compare { op, left, right } = expression
            && let Some((choice, null)) = compared_choice(function, *left, *right)
            && let Expression::Select { condition, accept, reject } = &function.expressions[choice]
        {
            let (condition, arm) = (copies[condition.index()], [*accept, *reject][1 - null]);
            let ty = types.get(arm);
            let zero = target.expressions.append(Expression::Zero(ty), location);
            let compared = Expression::Compare { op: *op, left: copies[arm.index()], right: zero };
            let compared = target.expressions.append(compared, location);
            // What is asked of null itself.
            let itself = Expression::Compare { op: *op, left: zero, right: zero };
            let itself = match op {
                CompareOp::NotEqual => Expression::Zero(Type::BOOL),
                _ => itself,
            };
            let itself = target.expressions.append(itself, location);
            let [accept, reject] = if null == 0 { [itself, compared] } else { [compared, itself] };
            copy = Expression::Select { condition, accept, reject };
        }
        copies.push(target.expressions.append(copy, location));
    }
    let mut body = target.body.take()?;
    renumber(&mut body, &copies);
    target.body = Some(body);
    Some(target)
}

fn renumber(block: &mut Block, copies: &[Value]) {
    for statement in &mut block.statements {
        statement.kind.for_each_value_mut(|value| {
            if let Some(copy) = copies.get(value.index()) {
                *value = *copy;
            }
        });
        for block in statement.kind.blocks_mut() {
            renumber(block, copies);
        }
    }
}

fn round(
    module: &Module,
    function: &Function,
    which: Which,
    added: &mut usize,
) -> Option<Function> {
    let body = function.body.as_ref()?;
    let types = ExpressionTypes::of(module, function);
    let flow = Flow::of(&module.types, function, &types);
    let mut splitter = Splitter { module, flow: &flow, which, target: function.clone(), added };
    let before = *splitter.added;
    let body = splitter.block(body);
    if *splitter.added == before {
        return None;
    }
    splitter.target.body = Some(body);
    Some(splitter.target)
}

struct Splitter<'s, 'a> {
    module: &'s Module,
    flow: &'s Flow<'a>,
    which: Which,
    target: Function,
    added: &'s mut usize,
}

/// A pointer that is one of two.
struct Choice {
    condition: Value,
    arms: [Value; 2],
    /// The arm that an access means where the other is null.
    only: Option<Value>,
}

impl Splitter<'_, '_> {
    fn block(&mut self, block: &Block) -> Block {
        let mut copied = Block::new();
        for statement in &block.statements {
            self.statement(statement, &mut copied.statements);
        }
        copied
    }

    fn statement(&mut self, statement: &Statement, out: &mut Vec<Statement>) {
        let location = statement.location;
        let mut kind = statement.kind.clone();
        match &kind {
            StatementKind::Load { result, pointer, access } if *self.added < MOST_SPLITS => {
                let ty = self.flow.types.get(*result);
                let is_pointer = matches!(ty, Type::Pointer(_));
                if let (false, Some(choice)) = (is_pointer, self.choice(*pointer, location)) {
                    match choice.only {
                        Some(pointer) => {
                            *self.added += 1;
                            let (result, access) = (*result, *access);
                            let kind = StatementKind::Load { result, pointer, access };
                            out.push(Statement { kind, location });
                        }
                        None => self.load(*result, ty, *access, &choice, location, out),
                    }
                    return;
                }
            }
            StatementKind::Store { pointer, value, access } if *self.added < MOST_SPLITS => {
                if let Some(choice) = self.choice(*pointer, location) {
                    let made =
                        |pointer| StatementKind::Store { pointer, value: *value, access: *access };
                    out.push(self.either(&choice, made, location));
                    return;
                }
            }
            StatementKind::Atomic { result: None, op, pointer, value, ordering }
                if *self.added < MOST_SPLITS =>
            {
                if let Some(choice) = self.choice(*pointer, location) {
                    let made = |pointer| StatementKind::Atomic {
                        result: None,
                        op: *op,
                        pointer,
                        value: *value,
                        ordering: *ordering,
                    };
                    out.push(self.either(&choice, made, location));
                    return;
                }
            }
            _ => {}
        }
        for block in kind.blocks_mut() {
            *block = self.block(block);
        }
        out.push(Statement { kind, location });
    }

    fn load(
        &mut self,
        result: Value,
        ty: Type,
        access: Access,
        choice: &Choice,
        location: Location,
        out: &mut Vec<Statement>,
    ) {
        let local = Local { name: "chosen".to_owned(), ty, align: None };
        let local: Handle<Local> = self.target.locals.append(local, location);
        let place = self.target.expressions.append(Expression::Local(local), location);
        let arms = choice.arms.map(|pointer| {
            let value = self.target.expressions.append(Expression::Result(ty), location);
            vec![
                StatementKind::Load { result: value, pointer, access },
                StatementKind::Store { pointer: place, value, access: Access::PLAIN },
            ]
        });
        out.push(self.branch(choice.condition, arms, location));
        let kind = StatementKind::Load { result, pointer: place, access: Access::PLAIN };
        out.push(Statement { kind, location });
    }

    /// An access that gives nothing, through the pointer that is meant.
    fn either(
        &mut self,
        choice: &Choice,
        made: impl Fn(Value) -> StatementKind,
        location: Location,
    ) -> Statement {
        match choice.only {
            Some(pointer) => {
                *self.added += 1;
                Statement { kind: made(pointer), location }
            }
            None => {
                let arms = choice.arms.map(|pointer| vec![made(pointer)]);
                self.branch(choice.condition, arms, location)
            }
        }
    }

    fn branch(
        &mut self,
        condition: Value,
        arms: [Vec<StatementKind>; 2],
        location: Location,
    ) -> Statement {
        *self.added += 1;
        let [accept, reject] = arms.map(|kinds| Block {
            statements: kinds.into_iter().map(|kind| Statement { kind, location }).collect(),
        });
        Statement { kind: StatementKind::If { condition, accept, reject }, location }
    }

    /// The choice that a pointer is made from, with the steps from there made of both its arms.
    fn choice(&mut self, pointer: Value, location: Location) -> Option<Choice> {
        let mut steps = Vec::new();
        let mut at = pointer;
        // Operands are older than their users, so this ends.
        let (condition, arms) = loop {
            match self.flow.function.expressions.get(at)? {
                Expression::Select { condition, accept, reject } => {
                    break (*condition, [*accept, *reject]);
                }
                Expression::Element { base, .. }
                | Expression::Member { base, .. }
                | Expression::FragmentElement { base, .. } => {
                    steps.push(at);
                    at = *base;
                }
                Expression::Convert { kind: Conversion::Space, value, .. } => {
                    steps.push(at);
                    at = *value;
                }
                _ => return None,
            }
        };
        let memories = arms.map(|arm| self.memory(arm));
        if self.which == Which::OtherMemory && memories[0] == memories[1] {
            return None;
        }
        let null = arms.iter().position(|arm| is_null(self.flow.function, *arm));
        let arms = arms.map(|arm| {
            let mut pointer = arm;
            for step in steps.iter().rev() {
                let mut expression = self.flow.function.expressions[*step].clone();
                // The pointer is the first operand of each of them.
                let mut first = true;
                expression.for_each_operand_mut(|operand| {
                    if std::mem::take(&mut first) {
                        *operand = pointer;
                    }
                });
                pointer = self.target.expressions.append(expression, location);
            }
            pointer
        });
        let only = null.map(|null| arms[1 - null]);
        Some(Choice { condition, arms, only })
    }

    /// The memory that a pointer points into; `None` where that is not one.
    fn memory(&self, pointer: Value) -> Option<Space> {
        match self.flow.root(pointer) {
            Root::Local(_) => Some(Space::Local),
            Root::ArgumentAddress(_) => Some(Space::Parameter),
            Root::Variable(variable) => match self.module.variables[variable].space {
                Space::Shared => Some(Space::Shared),
                _ => Some(Space::Global),
            },
            Root::Argument(_) | Root::Value(_) => Some(Space::Global),
            Root::Unknown => None,
        }
    }
}
