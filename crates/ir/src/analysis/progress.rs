//! Loops that wait for another thread: locks and polling.
//!
//! Where the lanes of a warp advance together, a lane that spins until its neighbour has done
//! something keeps that neighbour from doing it. This finds the loops whose way out depends on
//! memory that only another thread will change, and says whether lanes of one warp may wait for each
//! other.
//!
//! A loop waits if one of its exits depends on an atomic operation, a volatile or an atomic load, at
//! an address that stays the same, unless
//!
//! * the loop makes progress whatever others do: a compare-and-exchange whose expected value was
//!   read in the loop is tried again only because another thread has succeeded;
//! * it polls what the loop itself writes;
//! * an exit depends on what the thread itself counts: `i < *n` ends when `i` has grown, whoever
//!   writes `*n`.
//!
//! A plain load counts only in a loop that does nothing but look: whatever the compiler makes of it,
//! such a loop was meant to wait.

use std::collections::HashSet;

use super::flow::{Arm, Definition, Root, StatementId};
use super::program::{Node, Program};
use super::uniformity::{ModuleUniformity, Uniformity};
use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::operation::{Axis, Builtin, CompareOp, IntegerOp};
use crate::statement::{AtomicOp, StatementKind, Value};
use crate::types::Space;

/// How many operations of a condition are looked through.
const DEPTH: u32 = 16;

/// How a loop waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitKind {
    /// It tries to change memory from a fixed value: a lock.
    Lock,
    /// It reads memory until it has changed.
    Poll,
}

/// Who must advance while the loop waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Needs {
    /// Other warps or blocks: one lane of a warp waits, or all its lanes for the same thing.
    Warps,
    /// Other lanes of the same warp, perhaps; but the lock is released in the branch that took it,
    /// so lanes that advance together get through, one after the other.
    LanesInTurn,
    /// Other lanes of the same warp, perhaps.
    Lanes,
}

/// A loop that waits for another thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpinWait {
    /// How.
    pub kind: WaitKind,
    /// For whom.
    pub needs: Needs,
    /// The function.
    pub function: Handle<Function>,
    /// The loop.
    pub statement: StatementId,
    /// The loop's place.
    pub location: Location,
    /// The access that it waits on.
    pub access: Location,
}

/// All loops of a program that wait for other threads, by function and place. `width` is the number
/// of lanes in the source's warps.
pub fn find(program: &Program<'_>, uniformity: &ModuleUniformity, width: u32) -> Vec<SpinWait> {
    let mut finder = Finder { program, uniformity, width: i128::from(width), single: Vec::new() };
    finder.find_single();
    let mut found = Vec::new();
    for (handle, flow) in program.functions() {
        for (id, entry) in flow.statements() {
            if matches!(entry.statement.kind, StatementKind::Loop(_)) {
                found.extend(finder.waits(handle, id));
            }
        }
    }
    found
}

/// An access to memory that other threads share.
#[derive(Clone, Copy)]
struct Wait {
    kind: WaitKind,
    function: Handle<Function>,
    statement: StatementId,
    pointer: Value,
    result: Value,
}

struct Finder<'p, 'a> {
    program: &'p Program<'a>,
    uniformity: &'p ModuleUniformity,
    width: i128,
    /// For each function, whether at most one lane of a warp executes it at a time.
    single: Vec<bool>,
}

impl Finder<'_, '_> {
    // Who executes.

    /// A function runs in one lane if all its calls do. Assumed of all that are called, then
    /// withdrawn until nothing changes.
    fn find_single(&mut self) {
        let program = self.program;
        self.single =
            program.functions().map(|(handle, _)| !program.callers(handle).is_empty()).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for (handle, _) in program.functions() {
                let holds = program.callers(handle).iter().all(|site| {
                    self.single[site.caller.index()]
                        || self.in_one_lane(site.caller, site.statement)
                });
                if self.single[handle.index()] && !holds {
                    self.single[handle.index()] = false;
                    changed = true;
                }
            }
        }
    }

    /// Whether conditions around a statement, or returns before it, leave at most one lane of a
    /// warp.
    fn in_one_lane(&self, function: Handle<Function>, id: StatementId) -> bool {
        let flow = self.program.flow(function);
        let around = flow.parents(id).any(|(parent, arm)| {
            matches!(&flow.entry(parent).statement.kind, StatementKind::If { condition, .. }
                if self.selects_one(function, *condition, arm == Arm::Accept, DEPTH))
        });
        if around {
            return true;
        }
        // Returns of the others, in the blocks around.
        let mut inner = Some(id);
        while let Some(here) = inner {
            let parent = flow.entry(here).parent;
            let left = flow.statements().take_while(|(other, _)| *other < here).any(|(_, entry)| {
                entry.parent == parent
                    && matches!(&entry.statement.kind, StatementKind::If { condition, accept, .. }
                        if accept.statements.last().is_some_and(|last|
                            matches!(last.kind, StatementKind::Return { .. }))
                            && self.selects_one(function, *condition, false, DEPTH))
            });
            if left {
                return true;
            }
            inner = parent.map(|(parent, _)| parent);
        }
        false
    }

    /// Whether a condition that is true (or, not `holds`, false) leaves one lane of a warp.
    fn selects_one(
        &self,
        function: Handle<Function>,
        condition: Value,
        holds: bool,
        depth: u32,
    ) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let flow = self.program.flow(function);
        let condition = flow.plain(condition);
        match self.program.expression((function, condition)) {
            Expression::Integer { op, left, right } => {
                let both = matches!((op, holds), (IntegerOp::And, true) | (IntegerOp::Or, false));
                both && (self.selects_one(function, *left, holds, depth)
                    || self.selects_one(function, *right, holds, depth))
            }
            Expression::Unary { op: crate::UnaryOp::Not, value } => {
                self.selects_one(function, *value, !holds, depth)
            }
            Expression::Compare { op, left, right } => {
                let equal = if holds { CompareOp::Equal } else { CompareOp::NotEqual };
                let number = |side: Value, other: Value| {
                    self.numbers_lanes(function, side, DEPTH)
                        && self.uniformity.function(function).value(other) <= Uniformity::Warp
                };
                *op == equal && (number(*left, *right) || number(*right, *left))
            }
            Expression::Result(_) => {
                let definer = self.program.definer((function, condition));
                holds && matches!(definer, Some((_, StatementKind::Elect { .. })))
            }
            _ => false,
        }
    }

    /// Whether a value is another for each lane of a warp.
    fn numbers_lanes(&self, function: Handle<Function>, value: Value, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let flow = self.program.flow(function);
        let value = flow.plain(value);
        let constant = |value: Value| {
            let plain = flow.plain(value);
            match self.program.expression((function, plain)) {
                Expression::Constant(constant) => constant.as_integer(),
                Expression::Builtin(Builtin::WarpSize) => Some(self.width),
                _ => None,
            }
        };
        match self.program.expression((function, value)) {
            Expression::Builtin(Builtin::LaneId | Builtin::ThreadIndex(Axis::X)) => true,
            Expression::Integer { op, left, right } => {
                let modulus = match op {
                    IntegerOp::Remainder => constant(*right),
                    IntegerOp::And => constant(*right).map(|mask| mask + 1),
                    IntegerOp::Add => {
                        // A number that is the same for the warp may be added.
                        let uniform = |value: Value| {
                            self.uniformity.function(function).value(value) <= Uniformity::Warp
                        };
                        return self.numbers_lanes(function, *left, depth) && uniform(*right)
                            || self.numbers_lanes(function, *right, depth) && uniform(*left);
                    }
                    _ => None,
                };
                modulus.is_some_and(|modulus| {
                    self.width > 0 && modulus >= self.width && modulus % self.width == 0
                }) && self.numbers_lanes(function, *left, depth)
            }
            _ => false,
        }
    }

    // Loops.

    fn waits(&self, function: Handle<Function>, id: StatementId) -> Option<SpinWait> {
        let flow = self.program.flow(function);
        let StatementKind::Loop(looping) = &flow.entry(id).statement.kind else { return None };
        let mut exits: Vec<Value> = Vec::new();
        if let Some(test) = looping.test {
            self.conjuncts(function, test, &mut exits);
        }
        for (inner, entry) in flow.inside(id) {
            let leaves = match entry.statement.kind {
                StatementKind::Return { .. } => true,
                StatementKind::Break => self.breaks(function, inner) == Some(id),
                _ => false,
            };
            if !leaves {
                continue;
            }
            for (parent, _) in flow.parents(inner).take_while(|(parent, _)| *parent != id) {
                match &flow.entry(parent).statement.kind {
                    StatementKind::If { condition, .. } => exits.push(*condition),
                    StatementKind::Switch { selector, .. } => exits.push(*selector),
                    _ => {}
                }
            }
        }
        let mut first: Option<Wait> = None;
        for exit in exits {
            let slice = self.slice(function, id, exit);
            if slice.iter().any(|node| self.counts(function, id, *node)) {
                return None;
            }
            let wait = self.access(function, id, &slice);
            match wait {
                Some(wait) => first = first.or(Some(wait)),
                // An exit that waits for nothing, but does not stay as it is either.
                None if self.varies(function, id, exit) => return None,
                None => {}
            }
        }
        let wait = first?;
        Some(SpinWait {
            kind: wait.kind,
            needs: self.needs(function, id, &wait),
            function,
            statement: id,
            location: flow.entry(id).statement.location,
            access: self.program.flow(wait.function).entry(wait.statement).statement.location,
        })
    }

    /// The parts of a condition, each of which lets the loop end.
    fn conjuncts(&self, function: Handle<Function>, condition: Value, into: &mut Vec<Value>) {
        let mut work = vec![condition];
        let mut seen = HashSet::new();
        while let Some(condition) = work.pop() {
            if !seen.insert((function, condition)) {
                continue;
            }
            match self.program.expression((function, condition)) {
                Expression::Integer { op: IntegerOp::And, left, right } => {
                    work.extend([*right, *left]);
                }
                _ => into.push(condition),
            }
        }
    }

    /// The loop or switch that a break leaves.
    fn breaks(&self, function: Handle<Function>, id: StatementId) -> Option<StatementId> {
        let flow = self.program.flow(function);
        flow.parents(id)
            .find(|(parent, _)| {
                let kind = &flow.entry(*parent).statement.kind;
                matches!(kind, StatementKind::Loop(_) | StatementKind::Switch { .. })
            })
            .map(|(parent, _)| parent)
    }

    /// What an exit is computed from in each pass: values of statements in the loop, conditions
    /// under which locals are stored in it, and what functions return that it calls.
    fn slice(&self, function: Handle<Function>, id: StatementId, exit: Value) -> Vec<Node> {
        let flow = self.program.flow(function);
        let mut seen = HashSet::new();
        let mut slice = Vec::new();
        let mut work: Vec<Node> = vec![(function, exit)];
        while let Some(node) = work.pop() {
            let (own, value) = node;
            if !seen.insert(node) {
                continue;
            }
            if let Some(definer) = self.program.flow(own).definer(value)
                && own == function
                && !flow.is_inside(definer, id)
            {
                continue;
            }
            slice.push(node);
            if matches!(self.program.expression(node), Expression::Argument(_)) {
                continue;
            }
            let stores = self.program.flow(own).definitions(value);
            for definition in stores.unwrap_or_default() {
                let Some(store) = definition.statement() else { continue };
                if own != function || !flow.is_inside(store, id) {
                    continue;
                }
                let around = flow.parents(store).take_while(|(parent, _)| *parent != id);
                for (parent, _) in around {
                    if let StatementKind::If { condition, .. } = &flow.entry(parent).statement.kind
                    {
                        work.push((function, *condition));
                    }
                }
            }
            work.extend(self.program.dependencies(node));
        }
        slice
    }

    /// Whether a value is read from a local that the loop sets to something computed from itself:
    /// the thread counts, and gets further by that.
    fn counts(&self, function: Handle<Function>, id: StatementId, (own, value): Node) -> bool {
        let flow = self.program.flow(own);
        let Some(definitions) = flow.definitions(value).filter(|_| own == function) else {
            return false;
        };
        definitions.iter().any(|definition| {
            let (Definition::Whole(store, stored) | Definition::Part(store, stored)) = definition
            else {
                return false;
            };
            flow.is_inside(*store, id) && self.is_computed_from(own, id, *stored, definition)
        })
    }

    /// Whether arithmetic in a loop leads from what a store has left back to what it stores. What
    /// an atomic operation gives leads nowhere: it is another thread's doing.
    fn is_computed_from(
        &self,
        function: Handle<Function>,
        id: StatementId,
        stored: Value,
        definition: &Definition,
    ) -> bool {
        let flow = self.program.flow(function);
        let mut seen: HashSet<Value> = HashSet::new();
        let mut work = vec![stored];
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            if let Some(definer) = flow.definer(value) {
                if !flow.is_inside(definer, id) {
                    continue;
                }
                let definitions = flow.definitions(value).unwrap_or_default();
                if definitions.contains(definition) {
                    return true;
                }
                work.extend(definitions.iter().filter_map(|other| match other {
                    Definition::Whole(_, value) | Definition::Part(_, value) => Some(*value),
                    _ => None,
                }));
                continue;
            }
            self.program.expression((function, value)).for_each_operand(|o| work.push(o));
        }
        false
    }

    /// The first access of a slice that waits for another thread.
    fn access(&self, function: Handle<Function>, id: StatementId, slice: &[Node]) -> Option<Wait> {
        let mut waits: Vec<Wait> = Vec::new();
        for node in slice {
            let (own, result) = *node;
            let Some((statement, kind)) = self.program.definer(*node) else { continue };
            let varies = |value: Value| own == function && self.varies(function, id, value);
            let (kind, pointer) = match kind {
                StatementKind::Atomic { op, pointer, value, .. } => {
                    let kind = match op {
                        AtomicOp::CompareExchange { expected } => {
                            if varies(*expected) || own != function && self.reads(own, *expected) {
                                continue;
                            }
                            WaitKind::Lock
                        }
                        AtomicOp::Exchange => WaitKind::Lock,
                        AtomicOp::Add
                        | AtomicOp::Subtract
                        | AtomicOp::Or
                        | AtomicOp::Xor
                        | AtomicOp::Maximum
                            if self.is_zero((own, *value)) =>
                        {
                            WaitKind::Poll
                        }
                        _ => continue,
                    };
                    (kind, *pointer)
                }
                StatementKind::Load { pointer, access, .. } => {
                    let asks = access.volatile || access.atomic.is_some();
                    if !asks && !self.only_reads(function, id) || self.is_private(own, *pointer) {
                        continue;
                    }
                    (WaitKind::Poll, *pointer)
                }
                _ => continue,
            };
            let own_doing = kind == WaitKind::Poll && self.writes(function, id, own, pointer);
            if !varies(pointer) && !own_doing {
                waits.push(Wait { kind, function: own, statement, pointer, result });
            }
        }
        waits.into_iter().min_by_key(|wait| (wait.kind, wait.function, wait.statement))
    }

    /// Whether a loop, or a function that it calls, writes into what a pointer points into.
    fn writes(
        &self,
        function: Handle<Function>,
        id: StatementId,
        own: Handle<Function>,
        pointer: Value,
    ) -> bool {
        let root = self.program.flow(own).root(pointer);
        let mut called: Vec<Handle<Function>> = Vec::new();
        let mut writes = |here: Handle<Function>, kind: &StatementKind| match kind {
            StatementKind::Store { pointer, .. } => {
                // A parameter means the same place only in its own function.
                let comparable = here == own || matches!(root, Root::Variable(_));
                comparable && self.program.flow(here).root(*pointer) == root
            }
            StatementKind::Call { function, .. } => {
                if !called.contains(function) {
                    called.push(*function);
                }
                false
            }
            _ => false,
        };
        let flow = self.program.flow(function);
        if flow.inside(id).any(|(_, entry)| writes(function, &entry.statement.kind)) {
            return true;
        }
        let reached = self.reached(called);
        reached.into_iter().any(|callee| {
            let comparable = callee == own || matches!(root, Root::Variable(_));
            let flow = self.program.flow(callee);
            comparable
                && flow.statements().any(|(_, entry)| {
                    matches!(&entry.statement.kind, StatementKind::Store { pointer, .. }
                        if flow.root(*pointer) == root)
                })
        })
    }

    /// Functions with all that they call.
    fn reached(&self, mut functions: Vec<Handle<Function>>) -> Vec<Handle<Function>> {
        let mut next = 0;
        while let Some(function) = functions.get(next).copied() {
            next += 1;
            for callee in &self.program.info(function).callees {
                if !functions.contains(callee) {
                    functions.push(*callee);
                }
            }
        }
        functions
    }

    fn is_zero(&self, (function, value): Node) -> bool {
        let plain = self.program.flow(function).plain(value);
        match self.program.expression((function, plain)) {
            Expression::Constant(constant) => constant.bits == 0,
            Expression::Zero(_) => true,
            _ => false,
        }
    }

    /// Whether no other thread writes where a pointer points while the kernel runs.
    fn is_private(&self, function: Handle<Function>, pointer: Value) -> bool {
        let space = self.program.info(function).types.get(pointer).space();
        !matches!(space, Some(Space::Global | Space::Shared | Space::Generic))
            || matches!(self.program.flow(function).root(pointer), Root::Local(_))
    }

    /// Whether a loop does nothing but read, count nothing, and wait at no barrier.
    fn only_reads(&self, function: Handle<Function>, id: StatementId) -> bool {
        let flow = self.program.flow(function);
        flow.inside(id).all(|(_, entry)| match &entry.statement.kind {
            StatementKind::Load { result, .. } => !self.counts(function, id, (function, *result)),
            StatementKind::Store { pointer, .. } => {
                matches!(flow.root(*pointer), Root::Local(_))
            }
            StatementKind::Atomic { .. }
            | StatementKind::Call { .. }
            | StatementKind::Copy { .. }
            | StatementKind::Fill { .. }
            | StatementKind::AsyncCopy(_)
            | StatementKind::AsyncWait { .. }
            | StatementKind::MatrixStore { .. }
            | StatementKind::Unsupported { .. } => false,
            kind => !kind.is_convergent(),
        })
    }

    /// Whether a value may be another in the next pass of a loop: it is read in the loop from
    /// memory, from another thread, or from a local that the loop stores to.
    fn varies(&self, function: Handle<Function>, id: StatementId, value: Value) -> bool {
        let flow = self.program.flow(function);
        let mut seen = HashSet::new();
        let mut work = vec![value];
        while let Some(value) = work.pop() {
            if !seen.insert((function, value)) {
                continue;
            }
            if let Some(definer) = flow.definer(value) {
                if !flow.is_inside(definer, id) {
                    continue;
                }
                let Some(definitions) = flow.definitions(value) else { return true };
                let stored = definitions.iter().filter_map(|definition| definition.statement());
                if stored.into_iter().any(|store| flow.is_inside(store, id)) {
                    return true;
                }
                if let StatementKind::Load { pointer, .. } = &flow.entry(definer).statement.kind {
                    work.push(*pointer);
                }
                continue;
            }
            self.program.expression((function, value)).for_each_operand(|o| work.push(o));
        }
        false
    }

    /// Whether a value of a called function is read from memory there.
    fn reads(&self, function: Handle<Function>, value: Value) -> bool {
        let mut slice: HashSet<Node> = HashSet::new();
        let mut work = vec![(function, value)];
        while let Some(node) = work.pop() {
            if slice.insert(node) {
                work.extend(self.program.dependencies(node));
            }
        }
        let flow = self.program.flow(function);
        flow.statements().any(|(_, entry)| {
            entry.statement.kind.results().iter().any(|result| {
                slice.contains(&(function, *result)) && flow.definitions(*result).is_none()
            })
        })
    }

    // For whom.

    fn needs(&self, function: Handle<Function>, id: StatementId, wait: &Wait) -> Needs {
        let alone = self.single[function.index()]
            || self.in_one_lane(function, id)
            || wait.function == function && self.in_one_lane(function, wait.statement);
        if alone {
            return Needs::Warps;
        }
        match wait.kind {
            WaitKind::Poll => {
                let address = self.uniformity.function(wait.function).value(wait.pointer);
                if address <= Uniformity::Warp { Needs::Warps } else { Needs::Lanes }
            }
            WaitKind::Lock if self.releases_inside(function, id, wait) => Needs::LanesInTurn,
            WaitKind::Lock => Needs::Lanes,
        }
    }

    /// Whether the loop writes where its lock lies, under a condition that depends on having got it.
    fn releases_inside(&self, function: Handle<Function>, id: StatementId, wait: &Wait) -> bool {
        if wait.function != function {
            return false;
        }
        let flow = self.program.flow(function);
        let root = flow.root(wait.pointer);
        flow.inside(id).any(|(inner, entry)| {
            let pointer = match &entry.statement.kind {
                StatementKind::Store { pointer, .. } => *pointer,
                StatementKind::Atomic { pointer, .. } if inner != wait.statement => *pointer,
                _ => return false,
            };
            if root == Root::Unknown || flow.root(pointer) != root {
                return false;
            }
            flow.parents(inner).take_while(|(parent, _)| *parent != id).any(|(parent, _)| {
                matches!(&flow.entry(parent).statement.kind, StatementKind::If { condition, .. }
                    if self.slice(function, id, *condition).contains(&(function, wait.result)))
            })
        })
    }
}
