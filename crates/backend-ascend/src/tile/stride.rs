//! Loops over elements in steps of the block's or the grid's size, whatever that is.
//!
//! `for (i = threadIdx.x; i < n; i += blockDim.x)` and the like over the whole grid do the same for any number
//! of threads, if the number goes nowhere else. Then there is a lane for each element, and no loop: tiles
//! are as long as the vector unit likes, and their copies follow each other from row to row.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::affine::{Affine, Polynomial, Symbol};
use port_ir::analysis::flow::{Definition, Flow, Root, StatementId};
use port_ir::{
    Axis, Builtin, CompareOp, Conversion, Expression, Handle, IntegerOp, Local, LoopTest,
    StatementKind, Type, Types, Value,
};

use super::engine::Engine;
use super::shape::Lanes;

/// How deep the host's expressions are, at most.
const DEPTH: u32 = 12;

/// A sum: the factors of each term, and its coefficient.
type Terms = Vec<(Vec<Symbol>, i128)>;

/// A loop over elements: so many (of which not all may be there), `step` for each pass of each thread.
struct Elements {
    id: StatementId,
    count: Terms,
    step: i128,
}

/// An access of global memory in such a loop.
struct Access {
    root: Memory,
    is_store: bool,
    offset: Polynomial,
    bytes: u64,
    around: Option<StatementId>,
}

/// What is accessed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Memory {
    Argument(u32, Vec<u32>),
    Variable(usize),
}

impl Engine<'_, '_> {
    /// The threads that do everything in one pass, as the host computes them, where any number of threads will
    /// do; the loops in question are then [`Engine::single`].
    pub fn threads_of_elements(&mut self) -> Option<String> {
        if self.lanes == Lanes::Block {
            return None;
        }
        let loops = self.loops_over_elements()?;
        if loops.is_empty() || !self.is_any_number(&loops) {
            return None;
        }
        let mut most: Option<String> = None;
        for Elements { count, step, .. } in &loops {
            if is_empty(count) {
                continue;
            }
            let count = self.host_polynomial(count)?;
            let count = match step {
                1 => count,
                _ => format!("({count} + {}) / {step}", step - 1),
            };
            most = Some(match most {
                None => count,
                Some(other) => format!("({other} > {count} ? {other} : {count})"),
            });
        }
        self.single = loops.iter().map(|found| (found.id, is_empty(&found.count))).collect();
        Some(most.unwrap_or_else(|| "1".to_owned()))
    }

    /// The loops in which threads part, if all of them go over elements; loops inside these do not count.
    fn loops_over_elements(&mut self) -> Option<Vec<Elements>> {
        let flow = self.flow;
        let mut found: Vec<Elements> = Vec::new();
        for (id, entry) in flow.statements() {
            let StatementKind::Loop(looping) = &entry.statement.kind else { continue };
            if !self.shape.loop_parts(id) || found.iter().any(|outer| flow.is_inside(id, outer.id))
            {
                continue;
            }
            let is_plain =
                flow.parents(id).all(|(outer, _)| match &flow.entry(outer).statement.kind {
                    StatementKind::If { condition, .. } => !self.shape.varies(*condition),
                    StatementKind::Block(_) => true,
                    _ => false,
                });
            let leaves = flow.inside(id).any(|(inner, entry)| match entry.statement.kind {
                StatementKind::Return { .. } => true,
                StatementKind::Break => {
                    flow.parents(inner).find_map(|(outer, _)| {
                        match flow.entry(outer).statement.kind {
                            StatementKind::Loop(_) | StatementKind::Switch { .. } => {
                                Some(outer == id)
                            }
                            _ => None,
                        }
                    }) == Some(true)
                }
                _ => false,
            });
            if !is_plain || leaves || looping.when != LoopTest::Before {
                return None;
            }
            let Expression::Compare { op, left, right } = *self.expression(looping.test?) else {
                return None;
            };
            let (counter, end, plus) = match op {
                CompareOp::Less => (left, right, 0),
                CompareOp::LessEqual => (left, right, 1),
                CompareOp::Greater => (right, left, 0),
                CompareOp::GreaterEqual => (right, left, 1),
                _ => return None,
            };
            let (counter, end) = (self.affine.integer(counter), self.affine.integer(end));
            let (strides, first) = self.by_number(&counter, Some(id))?;
            let step = match strides.as_slice() {
                [(factors, step)] if factors.is_empty() && *step > 0 => *step,
                _ => return None,
            };
            let (none, end) = self.by_number(&end, None)?;
            if !none.is_empty() {
                return None;
            }
            let first = first.into_iter().map(|(factors, c)| (factors, -c));
            let count = sum(end.into_iter().chain(first).chain([(Vec::new(), plus)]));
            found.push(Elements { id, count, step });
        }
        Some(found)
    }

    /// A polynomial without what it has of the number of a thread's element in a loop, and what it is multiplied with;
    /// `None` if it asks for the thread, or for the number of threads, otherwise.
    fn by_number(
        &self,
        polynomial: &Polynomial,
        around: Option<StatementId>,
    ) -> Option<(Terms, Terms)> {
        let [thread, threads, block, blocks] = [
            Builtin::ThreadIndex(Axis::X),
            Builtin::BlockDim(Axis::X),
            Builtin::BlockIndex(Axis::X),
            Builtin::GridDim(Axis::X),
        ]
        .map(Symbol::Builtin);
        let passes = around.map(Symbol::Passes);
        let is_grid = self.lanes == Lanes::Grid;
        let asks = |symbol: &Symbol| {
            *symbol == thread
                || *symbol == threads
                || Some(*symbol) == passes
                || is_grid && (*symbol == block || *symbol == blocks)
                || matches!(
                    symbol,
                    Symbol::Builtin(Builtin::LaneId | Builtin::WarpId | Builtin::LaneMask(_))
                )
        };
        let mut rest: Terms =
            polynomial.terms().map(|(factors, c)| (factors.to_vec(), c)).collect();
        let mut strides = Vec::new();
        while let Some(at) = rest.iter().position(|(factors, _)| factors.contains(&thread)) {
            let (mut factors, c) = rest.remove(at);
            let own = factors.iter().position(|factor| *factor == thread)?;
            factors.remove(own);
            if factors.iter().any(asks) {
                return None;
            }
            let more: &[&[Symbol]] = match is_grid {
                false => &[&[threads, passes?]],
                true => &[&[block, threads], &[threads, blocks, passes?]],
            };
            for more in more {
                let mut wanted = factors.clone();
                wanted.extend_from_slice(more);
                wanted.sort_unstable();
                let partner = rest.iter().position(|(f, other)| *f == wanted && *other == c)?;
                rest.remove(partner);
            }
            strides.push((factors, c));
        }
        let is_left = rest.iter().any(|(factors, _)| factors.iter().any(asks));
        (!is_left).then_some((strides, rest))
    }

    /// Whether a value asks for nothing of the thread but the number of its element in a loop.
    fn is_of_element(
        &mut self,
        value: Value,
        around: Option<StatementId>,
        seen: &mut BTreeSet<(Value, Option<StatementId>)>,
    ) -> bool {
        let mut work = vec![value];
        while let Some(value) = work.pop() {
            if !seen.insert((value, around)) {
                continue;
            }
            let is_integer = matches!(self.type_of(value), Type::Scalar(s) if s.is_integer());
            if is_integer {
                let polynomial = self.affine.integer(value);
                if polynomial != Polynomial::symbol(Symbol::Value(value)) {
                    if self.by_number(&polynomial, around).is_none() {
                        return false;
                    }
                    for (factors, _) in polynomial.terms() {
                        work.extend(factors.iter().filter_map(|factor| match factor {
                            Symbol::Value(value) => Some(*value),
                            _ => None,
                        }));
                    }
                    continue;
                }
            }
            match self.expression(value) {
                Expression::Builtin(_) => return false,
                other => work.extend(other.operands()),
            }
        }
        true
    }

    /// Whether what the kernel does is the same for any number of threads.
    fn is_any_number(&mut self, loops: &[Elements]) -> bool {
        let flow = self.flow;
        let mut seen = BTreeSet::new();
        let mut accesses: Vec<Access> = Vec::new();
        let mut locals: BTreeSet<Handle<Local>> = BTreeSet::new();
        for (id, entry) in flow.statements() {
            let around = loops.iter().map(|l| l.id).find(|outer| flow.is_inside(id, *outer));
            let fits = match &entry.statement.kind {
                StatementKind::Load { access, .. } | StatementKind::Store { access, .. }
                    if access.volatile || access.atomic.is_some() =>
                {
                    false
                }
                StatementKind::Load { pointer, result, .. } => {
                    let loaded = self.type_of(*result);
                    self.is_element_access(
                        *pointer,
                        loaded,
                        false,
                        around,
                        &mut seen,
                        &mut accesses,
                    )
                }
                StatementKind::Store { pointer, value, .. } => match flow.root(*pointer) {
                    Root::Local(local) if self.is_forwarded(local) => true,
                    root => {
                        if let (Root::Local(local), Some(_)) = (root, around) {
                            locals.insert(local);
                        }
                        (around.is_some() || matches!(root, Root::Local(_)))
                            && self.is_element_access(
                                *pointer,
                                self.type_of(*value),
                                true,
                                around,
                                &mut seen,
                                &mut accesses,
                            )
                            && self.is_of_element(*value, around, &mut seen)
                    }
                },
                StatementKind::If { condition, .. } => {
                    (around.is_some() || !self.shape.varies(*condition))
                        && self.is_of_element(*condition, around, &mut seen)
                }
                StatementKind::Switch { selector, .. } => {
                    (around.is_some() || !self.shape.varies(*selector))
                        && self.is_of_element(*selector, around, &mut seen)
                }
                StatementKind::Loop(_) if loops.iter().any(|l| l.id == id) => true,
                StatementKind::Loop(looping) => {
                    looping.test.is_none_or(|test| self.is_of_element(test, around, &mut seen))
                }
                StatementKind::Block(_)
                | StatementKind::Break
                | StatementKind::Continue
                | StatementKind::Return { .. }
                | StatementKind::Assert { .. }
                | StatementKind::Prefetch { .. } => true,
                _ => false,
            };
            if !fits {
                return false;
            }
        }
        // A variable of one pass.
        for local in locals {
            let mut own = None;
            for (id, entry) in flow.statements() {
                let (StatementKind::Load { pointer, .. } | StatementKind::Store { pointer, .. }) =
                    &entry.statement.kind
                else {
                    continue;
                };
                if flow.root(*pointer) != Root::Local(local) {
                    continue;
                }
                let around = loops.iter().map(|l| l.id).find(|outer| flow.is_inside(id, *outer));
                if around.is_none() || own.is_some() && own != around {
                    return false;
                }
                own = around;
            }
            if !self.is_of_pass(local) {
                return false;
            }
        }
        // What is stored is loaded by the same element, if at all.
        let holds = accesses.iter().filter(|access| access.is_store).all(|store| {
            let mut same =
                accesses.iter().filter(|other| !other.is_store && other.root == store.root);
            same.all(|load| load.offset == store.offset)
        });
        self.apart = if holds { self.kept_apart(&accesses) } else { Vec::new() };
        holds
    }

    /// What the host asks of two pointers of which one is stored through, and of which nobody promises that they
    /// are different memory. A thread that hands an element on to a later pass of its own is none of lanes.
    fn kept_apart(&self, accesses: &[Access]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for store in accesses.iter().filter(|access| access.is_store) {
            for other in accesses.iter().filter(|other| other.root != store.root) {
                let own = self.asked_apart(store, other);
                found.extend(own.filter(|own| !found.contains(own)));
            }
        }
        found
    }

    fn asked_apart(&self, store: &Access, other: &Access) -> Option<(String, String)> {
        let pointer = |memory: &Memory| match memory {
            Memory::Argument(index, path) => {
                let parameter = self.function.parameters.get(*index as usize)?;
                let (host, ..) = self.host_path(*index, path)?;
                Some(host).filter(|_| !(path.is_empty() && parameter.attributes.restrict))
            }
            Memory::Variable(_) => None,
        };
        let (a, b) = (pointer(&store.root)?, pointer(&other.root)?);
        let (strides, first) = self.by_number(&store.offset, store.around)?;
        let (others, second) = self.by_number(&other.offset, other.around)?;
        // Elements that lie otherwise in both cannot be told apart by the host.
        let [(factors, stride)] = strides.as_slice() else { return None };
        if !factors.is_empty() || strides != others {
            return None;
        }
        let second = second.into_iter().map(|(factors, c)| (factors, -c));
        let further = match sum(first.into_iter().chain(second)).as_slice() {
            [] => 0,
            [(factors, c)] if factors.is_empty() => *c,
            _ => return None,
        };
        let (store, other) = (store.bytes, other.bytes);
        let condition =
            format!("ElementsApart({a}, {store}, {b}, {other}, {further}, {stride}, threads)");
        Some((condition, format!("{a} and {b} that overlap")))
    }

    /// Whether all that is loaded from a variable, which is accessed in one loop only, was stored in the same pass.
    fn is_of_pass(&mut self, local: Handle<Local>) -> bool {
        let flow = self.flow;
        let loads: Vec<(StatementId, Value, Value)> = flow
            .statements()
            .filter_map(|(id, entry)| match &entry.statement.kind {
                StatementKind::Load { result, pointer, .. }
                    if flow.root(*pointer) == Root::Local(local) =>
                {
                    Some((id, *result, *pointer))
                }
                _ => None,
            })
            .collect();
        let is_defined = loads.iter().all(|(id, result, pointer)| {
            // No path from the beginning of the kernel, and so of a pass, leads past all stores.
            let always = flow
                .definitions(*result)
                .is_some_and(|definitions| !definitions.contains(&Definition::Undefined));
            always || self.is_stored_before(*id, local, *pointer, *result)
        });
        let leaves = self.leaves(self.function.locals[local].ty);
        is_defined || leaves.is_some_and(|leaves| !self.is_carried(local, &leaves))
    }

    /// Whether each part of what a load gives is stored before it, in its block or one around.
    fn is_stored_before(
        &mut self,
        load: StatementId,
        local: Handle<Local>,
        pointer: Value,
        result: Value,
    ) -> bool {
        let flow = self.flow;
        let Some((from, to)) = self.range_of(pointer, result) else { return false };
        let mut stored: Vec<(i128, i128)> = Vec::new();
        for (id, entry) in flow.statements() {
            let StatementKind::Store { pointer, value, .. } = &entry.statement.kind else {
                continue;
            };
            if flow.root(*pointer) == Root::Local(local) && flow.holds(id, load) {
                stored.extend(self.range_of(*pointer, *value));
            }
        }
        stored.sort_unstable();
        let mut at = from;
        for (start, end) in stored {
            if start <= at {
                at = at.max(end);
            }
        }
        at >= to
    }

    /// The bytes of a variable that an access at a fixed place touches.
    fn range_of(&mut self, pointer: Value, value: Value) -> Option<(i128, i128)> {
        let from = self.affine.address(pointer)?.offset.as_constant()?;
        let size = self.module.types.layout(self.type_of(value))?.size;
        Some((from, from + i128::from(size)))
    }

    fn is_element_access(
        &mut self,
        pointer: Value,
        ty: Type,
        is_store: bool,
        around: Option<StatementId>,
        seen: &mut BTreeSet<(Value, Option<StatementId>)>,
        accesses: &mut Vec<Access>,
    ) -> bool {
        let Some(address) = self.affine.address(pointer) else { return false };
        if self.by_number(&address.offset, around).is_none() {
            return false;
        }
        for (factors, _) in address.offset.terms() {
            for factor in factors {
                let Symbol::Value(value) = factor else { continue };
                if !self.is_of_element(*value, around, seen) {
                    return false;
                }
            }
        }
        let root = match address.root {
            Root::Argument(index) => Memory::Argument(index, Vec::new()),
            Root::Variable(variable) => Memory::Variable(variable.index()),
            Root::Local(_) | Root::ArgumentAddress(_) => return true,
            Root::Value(value) => match self.argument_path(value) {
                Some((argument, path)) => Memory::Argument(argument, path),
                None => return false,
            },
            Root::Unknown => return false,
        };
        let bytes = self.module.types.layout(ty).map_or(0, |layout| layout.size);
        accesses.push(Access { root, is_store, offset: address.offset, bytes, around });
        true
    }

    /// Whether all that is loaded from a variable is known as what was stored.
    fn is_forwarded(&mut self, local: Handle<Local>) -> bool {
        let flow = self.flow;
        let ty = self.function.locals[local].ty;
        let is_pointer = matches!(ty, Type::Pointer(_));
        let is_integer = matches!(ty, Type::Scalar(s) if s.is_integer());
        if flow.escapes(local) || !(is_integer || is_pointer) {
            return false;
        }
        flow.statements().all(|(_, entry)| match &entry.statement.kind {
            StatementKind::Load { result, pointer, .. }
                if flow.root(*pointer) == Root::Local(local) =>
            {
                match is_pointer {
                    true => {
                        let address = self.affine.address(*result);
                        address.is_some_and(|address| address.root != Root::Value(*result))
                    }
                    false => {
                        self.affine.integer(*result) != Polynomial::symbol(Symbol::Value(*result))
                    }
                }
            }
            StatementKind::Copy { destination, source, .. } => {
                ![*destination, *source].iter().any(|p| flow.root(*p) == Root::Local(local))
            }
            _ => true,
        })
    }

    /// A polynomial as the host computes it.
    fn host_polynomial(&self, terms: &Terms) -> Option<String> {
        let mut text = String::new();
        let mut terms: Vec<_> = terms.iter().collect();
        // What is taken away comes last.
        terms.sort_by_key(|(factors, c)| (*c < 0, factors.is_empty()));
        let is_plain = terms.len() == 1;
        for (factors, c) in terms {
            let c = *c;
            let mut parts = Vec::new();
            for factor in factors {
                let part = match factor {
                    Symbol::Value(value) => self.host_integer(*value, DEPTH)?,
                    Symbol::Builtin(builtin) => host_builtin(*builtin)?,
                    Symbol::Passes(_) => return None,
                };
                parts.push(format!("static_cast<int64_t>({part})"));
            }
            if c.abs() != 1 || parts.is_empty() {
                parts.push(i64::try_from(c.abs()).ok()?.to_string());
            }
            let sign = match (c < 0, text.is_empty()) {
                (false, true) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (true, false) => " - ",
            };
            text.push_str(sign);
            text.push_str(&parts.join(" * "));
        }
        Some(if is_plain { text } else { format!("({text})") })
    }

    /// An integer that the launch knows, as the host computes it.
    fn host_integer(&self, value: Value, depth: u32) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let value = self.flow.plain(value);
        if !matches!(self.type_of(value), Type::Scalar(s) if s.is_integer()) {
            return None;
        }
        match self.expression(value) {
            Expression::Argument(_) | Expression::Extract { .. } => {
                let (argument, path) = self.argument_path(value)?;
                self.host_path(argument, &path).map(|(host, ..)| host)
            }
            Expression::Constant(constant) => {
                i64::try_from(constant.as_integer()?).ok().map(|number| number.to_string())
            }
            Expression::Builtin(builtin) => host_builtin(*builtin),
            Expression::Convert { value: inner, .. } => {
                let inner = self.host_integer(*inner, depth)?;
                Some(format!("static_cast<int64_t>({inner})"))
            }
            Expression::Integer { op, left, right } => {
                let a = self.host_integer(*left, depth)?;
                let b = self.host_integer(*right, depth)?;
                Some(match op {
                    IntegerOp::Add => format!("({a} + {b})"),
                    IntegerOp::Subtract => format!("({a} - {b})"),
                    IntegerOp::Multiply => format!("({a} * {b})"),
                    IntegerOp::Minimum => format!("({a} < {b} ? {a} : {b})"),
                    IntegerOp::Maximum => format!("({a} > {b} ? {a} : {b})"),
                    IntegerOp::Divide | IntegerOp::ShiftRight => {
                        let Expression::Constant(by) = self.expression(self.flow.plain(*right))
                        else {
                            return None;
                        };
                        let by = by.as_integer()?;
                        match op {
                            IntegerOp::Divide if by > 0 => format!("({a} / {by})"),
                            IntegerOp::ShiftRight if (0..31).contains(&by) => {
                                format!("({a} >> {by})")
                            }
                            _ => return None,
                        }
                    }
                    _ => return None,
                })
            }
            _ => None,
        }
    }
}

/// Conversions of a thread's element from 64 bits to 32, as `(blockIdx.x * blockDim.x + threadIdx.x) * sizeof(int)`
/// asks for them: made of numbers of 32 bits, what they keep is what arithmetic of 32 bits gives.
pub(super) fn exact_conversions(flow: &Flow<'_>, types: &Types) -> BTreeSet<Value> {
    let bits = |value: Value| match flow.types.get(value) {
        Type::Scalar(scalar) if scalar.is_integer() => Some(scalar.bits()),
        _ => None,
    };
    let mut exact = BTreeSet::new();
    // A second round sees what the first has found.
    for _ in 0..2 {
        let mut affine = Affine::new(flow, types).with_exact(exact.iter().copied());
        for (value, expression) in flow.function.expressions.iter() {
            let Expression::Convert { kind: Conversion::Truncate, value: inner, .. } = expression
            else {
                continue;
            };
            if bits(value) != Some(32) || bits(*inner) != Some(64) {
                continue;
            }
            let polynomial = affine.integer(*inner);
            let thread = Symbol::Builtin(Builtin::ThreadIndex(Axis::X));
            let is_wide = |symbol: Symbol| matches!(symbol, Symbol::Value(value) if bits(value).is_none_or(|bits| bits > 32));
            if polynomial.any_symbol(|symbol| symbol == thread) && !polynomial.any_symbol(is_wide) {
                exact.insert(value);
            }
        }
    }
    exact
}

/// Whether a sum is a constant that is not positive.
fn is_empty(terms: &Terms) -> bool {
    terms.iter().all(|(factors, c)| factors.is_empty() && *c <= 0)
}

/// Terms put together.
fn sum(terms: impl Iterator<Item = (Vec<Symbol>, i128)>) -> Terms {
    let mut all: BTreeMap<Vec<Symbol>, i128> = BTreeMap::new();
    for (factors, c) in terms {
        let own = all.entry(factors).or_default();
        *own = own.saturating_add(c);
    }
    all.into_iter().filter(|(_, c)| *c != 0).collect()
}

/// What the launch says of the grid; the number of threads in x is not asked for.
fn host_builtin(builtin: Builtin) -> Option<String> {
    Some(match builtin {
        Builtin::GridDim(axis) => format!("grid.{}", axis.name()),
        Builtin::BlockDim(axis @ (Axis::Y | Axis::Z)) => format!("block.{}", axis.name()),
        _ => return None,
    })
}
