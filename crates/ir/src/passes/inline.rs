//! Replaces calls by the bodies that they call.
//!
//! A callee whose returns stand at the ends of its paths is inlined: the statements after an `if`
//! that returns move into its other arm. Where that is not enough, a callee in which threads meet
//! notes in a local that it has returned, and skips what follows; any other stays a call, as do those
//! that call themselves or are not defined here. What nobody calls any more loses its body.

use super::copy::Copier;
use crate::arena::{Handle, InlineFrame, Location};
use crate::expression::Expression;
use crate::function::{Function, Local};
use crate::module::Module;
use crate::operation::Constant;
use crate::statement::{Access, Block, Statement, StatementKind, SwitchCase, Value};
use crate::validate::ModuleInfo;
use crate::{MAX_BLOCK_DEPTH, Type};

/// How much may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Expressions of one function.
    pub function: usize,
    /// Expressions of the module.
    pub module: usize,
    /// Whether a callee that returns from its middle is inlined although no threads meet in it.
    pub early_returns: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { function: 50_000, module: 300_000, early_returns: false }
    }
}

/// A callee in the form in which it is copied into callers.
struct Body {
    /// It does not return: what it would return is stored to a local of its own.
    function: Function,
    /// The address of that local.
    result: Option<Value>,
    depth: usize,
}

/// Inlines the calls of a valid module.
pub fn inline(module: &Module, info: &ModuleInfo, limits: Limits) -> Module {
    let mut result = module.clone();
    let mut bodies: Vec<Option<Body>> = module.functions.iter().map(|_| None).collect();
    let mut budget = limits.module;
    for handle in callees_first(module, info) {
        let source = &module.functions[handle];
        let mut inliner = Inliner { bodies: &bodies, limit: limits.function.min(budget) };
        let function = inliner.function(source);
        budget = budget.saturating_sub(function.expressions.len());
        let known = info.function(handle);
        // What is poisoned is not translated: nobody looks closer at its callers.
        if !function.is_kernel() && !known.recursive && known.poison.is_empty() {
            bodies[handle.index()] =
                body(&function, limits.early_returns || known.convergent.any());
        }
        result.functions[handle] = function;
    }
    drop_uncalled(module, &mut result);
    result
}

/// All functions, each after those that it calls, but for recursion.
fn callees_first(module: &Module, info: &ModuleInfo) -> Vec<Handle<Function>> {
    let mut order = Vec::new();
    let mut seen = vec![false; module.functions.len()];
    for root in module.functions.handles() {
        // An explicit stack: call chains can be long.
        let mut stack = vec![(root, false)];
        while let Some((function, done)) = stack.pop() {
            if done {
                order.push(function);
            } else if !std::mem::replace(&mut seen[function.index()], true) {
                stack.push((function, true));
                let callees = info.function(function).callees.iter().rev();
                stack.extend(callees.map(|callee| (*callee, false)));
            }
        }
    }
    order
}

/// Takes the bodies of functions whose calls are all gone.
fn drop_uncalled(before: &Module, after: &mut Module) {
    let called = |module: &Module| {
        let mut called = vec![false; module.functions.len()];
        for (_, function) in module.functions.iter() {
            if let Some(body) = &function.body {
                mark_calls(body, &mut called);
            }
        }
        called
    };
    let originally = called(before);
    // Dropping a body can take the last call of another function.
    loop {
        let now = called(after);
        let mut changed = false;
        for handle in before.functions.handles() {
            let function = &mut after.functions[handle];
            let gone = originally[handle.index()] && !now[handle.index()];
            if gone && !function.is_kernel() && function.body.is_some() {
                function.body = None;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

fn mark_calls(block: &Block, called: &mut [bool]) {
    for statement in &block.statements {
        if let StatementKind::Call { function, .. } = &statement.kind
            && let Some(flag) = called.get_mut(function.index())
        {
            *flag = true;
        }
        for inner in statement.kind.blocks() {
            mark_calls(inner, called);
        }
    }
}

fn depth(block: &Block) -> usize {
    let inner = block.statements.iter().flat_map(|statement| statement.kind.blocks());
    1 + inner.map(depth).max().unwrap_or(0)
}

// Copying.

struct Inliner<'b> {
    bodies: &'b [Option<Body>],
    limit: usize,
}

impl Inliner<'_> {
    fn function(&mut self, source: &Function) -> Function {
        let mut target = Function {
            locals: Default::default(),
            expressions: Default::default(),
            names: Default::default(),
            inlined: Default::default(),
            body: None,
            ..source.clone()
        };
        if let Some(body) = &source.body {
            let mut copier = Copier::new(source, Default::default());
            target.body = Some(self.block(&mut target, &mut copier, body, 1));
        }
        target
    }

    fn block(
        &mut self,
        target: &mut Function,
        copier: &mut Copier<'_>,
        block: &Block,
        nesting: usize,
    ) -> Block {
        let mut result = Block::new();
        for statement in &block.statements {
            let location = copier.location(target, statement.location);
            if let StatementKind::Call { function, arguments, result: returned } = &statement.kind
                && let Some(body) = self.bodies.get(function.index()).and_then(Option::as_ref)
                && nesting + body.depth < MAX_BLOCK_DEPTH
                && target.expressions.len() + body.function.expressions.len() < self.limit
            {
                let arguments =
                    arguments.iter().map(|value| copier.value(target, *value)).collect();
                let returned = returned.map(|value| copier.value(target, value));
                let copied = inlined(target, body, arguments, returned, location);
                result.statements.extend(copied);
                continue;
            }
            // Blocks are copied one by one, so they need not be cloned with the statement.
            let mut kind = without_blocks(&statement.kind);
            let when_last = matches!(&kind, StatementKind::Loop(_));
            if !when_last {
                copier.statement(target, &mut kind);
            }
            let inner: Vec<Block> = statement
                .kind
                .blocks()
                .into_iter()
                .map(|inner| self.block(target, copier, inner, nesting + 1))
                .collect();
            for (place, block) in kind.blocks_mut().into_iter().zip(inner) {
                *place = block;
            }
            // A loop's test uses what its condition computes.
            if when_last {
                copier.statement(target, &mut kind);
            }
            result.statements.push(Statement { kind, location });
        }
        result
    }
}

/// A statement with empty blocks in the place of its own.
pub(super) fn without_blocks(kind: &StatementKind) -> StatementKind {
    match kind {
        StatementKind::Block(_) => StatementKind::Block(Block::new()),
        StatementKind::If { condition, .. } => {
            StatementKind::If { condition: *condition, accept: Block::new(), reject: Block::new() }
        }
        StatementKind::Switch { selector, cases } => {
            let empty = |case: &SwitchCase| SwitchCase {
                values: case.values.clone(),
                default: case.default,
                body: Block::new(),
                fallthrough: case.fallthrough,
            };
            StatementKind::Switch { selector: *selector, cases: cases.iter().map(empty).collect() }
        }
        StatementKind::Loop(looping) => StatementKind::Loop(Box::new(crate::Loop {
            when: looping.when,
            condition: Block::new(),
            test: looping.test,
            body: Block::new(),
            step: Block::new(),
            unroll: looping.unroll,
        })),
        simple => simple.clone(),
    }
}

/// The statements that stand for a call.
fn inlined(
    target: &mut Function,
    body: &Body,
    arguments: Vec<Value>,
    returned: Option<Value>,
    call: Location,
) -> Vec<Statement> {
    let callee = body.function.name.clone();
    let frame = target.inlined.append(InlineFrame { callee, call }, call);
    let mut copier = Copier::inlining(&body.function, arguments, frame);
    let mut copied = Block::new();
    if let Some(source) = &body.function.body {
        let mut plain = Inliner { bodies: &[], limit: usize::MAX };
        copied = plain.block(target, &mut copier, source, 1);
    }
    // Nothing may follow a jump in its block.
    let jumps = copied.statements.last().is_some_and(|last| last.kind.is_jump());
    let mut statements = if jumps {
        vec![Statement { kind: StatementKind::Block(copied), location: call }]
    } else {
        copied.statements
    };
    if let (Some(result), Some(address)) = (returned, body.result) {
        let pointer = copier.value(target, address);
        let kind = StatementKind::Load { result, pointer, access: Access::PLAIN };
        statements.push(Statement { kind, location: call });
    }
    statements
}

// Returns.

/// How control leaves statements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// At their end, or by a jump that is no return.
    Falls,
    /// By returning.
    Returns,
    /// Either.
    Mixed,
}

/// The form of a function in which it can be inlined, if it has one. `noted` allows that returns are
/// noted in a local.
fn body(function: &Function, noted: bool) -> Option<Body> {
    with_returns(function, false).or_else(|| noted.then(|| with_returns(function, true)).flatten())
}

fn with_returns(source: &Function, noted: bool) -> Option<Body> {
    let block = source.body.as_ref()?;
    let location = first_location(block);
    let mut function = source.clone();
    let mut local = |name: &str, ty: Type, location: Location| {
        let name = name.to_string();
        let local = function.locals.append(Local { name, ty, align: None }, location);
        function.expressions.append(Expression::Local(local), location)
    };
    let result = match function.result {
        Some(ty) => Some(local("returned", ty, location?)),
        None => None,
    };
    let note = match noted {
        true => Some(local("has_returned", Type::BOOL, location?)),
        false => None,
    };
    let statements = function.body.take()?.statements;
    let mut rewriter = Returns { function: &mut function, result, note };
    let (mut statements, _) = rewriter.rewrite(statements, Within::Function)?;
    if let Some(location) = location.filter(|_| noted) {
        let start = rewriter.set_note(false, location);
        statements.splice(0..0, start);
    }
    let body = Block { statements };
    let depth = depth(&body);
    function.body = Some(body);
    Some(Body { function, result, depth })
}

fn first_location(block: &Block) -> Option<Location> {
    block.statements.first().map(|statement| statement.location)
}

fn contains_return(block: &Block) -> bool {
    block.statements.iter().any(|statement| {
        matches!(statement.kind, StatementKind::Return { .. })
            || statement.kind.blocks().into_iter().any(contains_return)
    })
}

/// Whether a switch's arm leaves it by `break`.
fn contains_break(block: &Block) -> bool {
    block.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Break => true,
        StatementKind::Loop(_) | StatementKind::Switch { .. } => false,
        other => other.blocks().into_iter().any(contains_break),
    })
}

/// What a jump in the place of a return would leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Nothing.
    Function,
    /// A loop.
    Loop,
    /// A switch in a loop.
    Switch,
}

struct Returns<'f> {
    function: &'f mut Function,
    /// Where the result goes.
    result: Option<Value>,
    /// Where it is noted that the function has returned, if it is.
    note: Option<Value>,
}

impl Returns<'_> {
    /// The statements without returns; `None` if they would need more than moving statements, and
    /// returns are not noted.
    fn rewrite(
        &mut self,
        statements: Vec<Statement>,
        within: Within,
    ) -> Option<(Vec<Statement>, Ending)> {
        let mut done: Vec<Statement> = Vec::new();
        let mut rest = statements.into_iter();
        while let Some(statement) = rest.next() {
            let location = statement.location;
            let inside = statement.kind.blocks().into_iter().any(contains_return);
            match statement.kind {
                StatementKind::Return { value } => {
                    if let (Some(pointer), Some(value)) = (self.result, value) {
                        let access = Access::PLAIN;
                        let kind = StatementKind::Store { pointer, value, access };
                        done.push(Statement { kind, location });
                    }
                    done.extend(self.set_note(true, location));
                    if within != Within::Function {
                        done.push(Statement { kind: StatementKind::Break, location });
                    }
                    return Some((done, Ending::Returns));
                }
                kind if !inside => done.push(Statement { kind, location }),
                StatementKind::If { condition, accept, reject } => {
                    let (mut accept, accepted) = self.rewrite(accept.statements, within)?;
                    let (mut reject, rejected) = self.rewrite(reject.statements, within)?;
                    if within != Within::Function {
                        // Returns have become jumps.
                        let (accept, reject) =
                            (Block { statements: accept }, Block { statements: reject });
                        let kind = StatementKind::If { condition, accept, reject };
                        done.push(Statement { kind, location });
                        if accepted == Ending::Returns && rejected == Ending::Returns {
                            return Some((done, Ending::Returns));
                        }
                        continue;
                    }
                    let rest: Vec<Statement> = rest.collect();
                    let mut after = Vec::new();
                    let ending = match (accepted, rejected) {
                        (Ending::Returns, Ending::Returns) => Ending::Returns,
                        _ if rest.is_empty() => Ending::Mixed,
                        (Ending::Returns, Ending::Falls) => self.follow(&mut reject, rest)?,
                        (Ending::Falls, Ending::Returns) => self.follow(&mut accept, rest)?,
                        _ => self.unless_returned(&mut after, rest, location)?,
                    };
                    let accept = Block { statements: accept };
                    let reject = Block { statements: reject };
                    let kind = StatementKind::If { condition, accept, reject };
                    done.push(Statement { kind, location });
                    done.extend(after);
                    return Some((done, ending));
                }
                StatementKind::Block(block) => {
                    let (statements, ending) = self.rewrite(block.statements, within)?;
                    let kind = StatementKind::Block(Block { statements });
                    done.push(Statement { kind, location });
                    if ending == Ending::Returns {
                        return Some((done, ending));
                    }
                    if within != Within::Function {
                        continue;
                    }
                    let rest: Vec<Statement> = rest.collect();
                    let ending = match rest.is_empty() {
                        true => ending,
                        false => self.unless_returned(&mut done, rest, location)?,
                    };
                    return Some((done, ending));
                }
                StatementKind::Switch { selector, cases } if within == Within::Function => {
                    let (cases, ending) = self.arms(cases)?;
                    let kind = StatementKind::Switch { selector, cases };
                    done.push(Statement { kind, location });
                    let rest: Vec<Statement> = rest.collect();
                    let ending = match ending == Ending::Returns || rest.is_empty() {
                        true => ending,
                        false => self.unless_returned(&mut done, rest, location)?,
                    };
                    return Some((done, ending));
                }
                StatementKind::Switch { selector, mut cases } => {
                    for case in &mut cases {
                        let body = std::mem::take(&mut case.body.statements);
                        case.body.statements = self.rewrite(body, Within::Switch)?.0;
                        let jumps = case.body.statements.last();
                        case.fallthrough &= !jumps.is_some_and(|last| last.kind.is_jump());
                    }
                    let kind = StatementKind::Switch { selector, cases };
                    done.push(Statement { kind, location });
                    done.push(self.leave_if_returned(location)?);
                }
                StatementKind::Loop(mut looping) => {
                    // Only a note tells why the loop has ended.
                    self.note?;
                    let heads = [&looping.condition, &looping.step];
                    if heads.into_iter().any(contains_return) {
                        return None;
                    }
                    let body = std::mem::take(&mut looping.body.statements);
                    looping.body.statements = self.rewrite(body, Within::Loop)?.0;
                    done.push(Statement { kind: StatementKind::Loop(looping), location });
                    if within != Within::Function {
                        done.push(self.leave_if_returned(location)?);
                        continue;
                    }
                    let rest: Vec<Statement> = rest.collect();
                    let ending = match rest.is_empty() {
                        true => Ending::Mixed,
                        false => self.unless_returned(&mut done, rest, location)?,
                    };
                    return Some((done, ending));
                }
                _ => return None,
            }
        }
        Some((done, Ending::Falls))
    }

    /// The arms of a switch that stands in no loop.
    fn arms(&mut self, cases: Vec<SwitchCase>) -> Option<(Vec<SwitchCase>, Ending)> {
        let mut all_return = cases.iter().any(|case| case.default);
        let mut arms = Vec::new();
        for mut case in cases {
            let breaks = contains_break(&case.body);
            let returns = contains_return(&case.body);
            let (statements, ending) = self.rewrite(case.body.statements, Within::Function)?;
            if case.fallthrough && returns {
                if ending != Ending::Returns || breaks {
                    return None;
                }
                case.fallthrough = false;
            }
            all_return &= case.fallthrough || ending == Ending::Returns && !breaks;
            case.body = Block { statements };
            arms.push(case);
        }
        Some((arms, if all_return { Ending::Returns } else { Ending::Mixed }))
    }

    /// Puts the statements after an `if` into the arm that reaches them.
    fn follow(&mut self, arm: &mut Vec<Statement>, rest: Vec<Statement>) -> Option<Ending> {
        if arm.last().is_some_and(|last| last.kind.is_jump()) {
            // The arm does not reach them after all.
            return Some(Ending::Mixed);
        }
        let (rest, ending) = self.rewrite(rest, Within::Function)?;
        arm.extend(rest);
        Some(if ending == Ending::Returns { Ending::Returns } else { Ending::Mixed })
    }

    /// Adds statements for the threads that have not returned.
    fn unless_returned(
        &mut self,
        done: &mut Vec<Statement>,
        rest: Vec<Statement>,
        location: Location,
    ) -> Option<Ending> {
        let (load, condition) = self.read_note(location)?;
        let (statements, ending) = self.rewrite(rest, Within::Function)?;
        let (accept, reject) = (Block::new(), Block { statements });
        done.push(load);
        let kind = StatementKind::If { condition, accept, reject };
        done.push(Statement { kind, location });
        Some(if ending == Ending::Returns { Ending::Returns } else { Ending::Mixed })
    }

    /// Leaves the loop around once the function has returned.
    fn leave_if_returned(&mut self, location: Location) -> Option<Statement> {
        let (load, condition) = self.read_note(location)?;
        let leave = Statement { kind: StatementKind::Break, location };
        let (accept, reject) = (Block { statements: vec![leave] }, Block::new());
        let kind = StatementKind::If { condition, accept, reject };
        let statements = vec![load, Statement { kind, location }];
        Some(Statement { kind: StatementKind::Block(Block { statements }), location })
    }

    fn read_note(&mut self, location: Location) -> Option<(Statement, Value)> {
        let pointer = self.note?;
        let result = self.function.expressions.append(Expression::Result(Type::BOOL), location);
        let kind = StatementKind::Load { result, pointer, access: Access::PLAIN };
        Some((Statement { kind, location }, result))
    }

    fn set_note(&mut self, value: bool, location: Location) -> Option<Statement> {
        let pointer = self.note?;
        let constant = Expression::Constant(Constant::bool(value));
        let value = self.function.expressions.append(constant, location);
        let kind = StatementKind::Store { pointer, value, access: Access::PLAIN };
        Some(Statement { kind, location })
    }
}
