//! A loop over the elements of a row: each thread takes every so manieth, all together take each
//! element once. What it stores and what it adds up are values of the element's place.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::{CompareOp, FloatOp, Location, Loop, Scalar};
use rustc_hash::FxHashMap;

use super::execute::{Executor, Item, Lanes, Result, Store, node_type};
use super::graph::{Base, Fold, Graph, Id, Op};
use super::state::{Found, Kind, Part as StatePart, State, Variable, VariableKey};
use crate::code::refuse;

/// What a pass of such a loop does.
pub(super) struct Body {
    pub stores: Vec<Store>,
    /// How long the path was outside.
    pub path: usize,
}

/// A vector that is stored.
#[derive(Clone, Debug)]
pub(super) struct VectorStore {
    pub base: Base,
    /// Of the first element, in bytes.
    pub offset: Id,
    pub ty: Scalar,
    /// In terms of [`Op::Element`].
    pub value: Id,
}

/// A loop over a row.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    /// Elements.
    pub length: Id,
    pub stores: Vec<VectorStore>,
    pub reductions: Vec<u32>,
    pub guards: Vec<Id>,
    /// What holds where its length is not 0, of what is stored under a condition.
    pub conditions: Vec<Id>,
    pub location: Location,
}

/// A value of a row's elements.
#[derive(Clone, Debug)]
pub(super) struct Reduction {
    pub fold: Fold,
    /// In terms of [`Op::Element`].
    pub term: Id,
    /// What it starts from; nothing where that is the fold's neutral element.
    pub init: Option<Id>,
    /// The reduction that it goes on with.
    pub after: Option<u32>,
    /// The user's name.
    pub name: String,
}

/// What is added to a running value, and when.
struct Chain {
    fold: Option<Fold>,
    terms: Vec<(Option<Id>, Id)>,
}

/// A part of a place that is stored: its number, its value, its store.
type Part = (i64, Id, Store);

/// A variable that moves on with the passes.
struct Induction {
    node: Id,
    start: Id,
    stride: i64,
}

impl Executor<'_, '_> {
    pub(super) fn phase(&mut self, looping: &Loop, location: Location) -> Result<()> {
        self.flush_scattered()?;
        // What the loop changes is a symbol at the start of a pass.
        let stored = self.stored_in(looping);
        let mut carried = Vec::new();
        let keys: Vec<VariableKey> =
            self.locals.keys().filter(|key| stored.contains(&key.0)).copied().collect();
        for key in keys {
            let Some((lanes, ty)) = self.locals.get(&key).cloned() else { continue };
            let id = self.graph.leaf(Op::Carried(self.carried), node_type(ty));
            self.carried += 1;
            self.locals.insert(key, (Lanes::Same(id), ty));
            carried.push((key, lanes, ty, id));
        }
        self.body = Some(Body { stores: Vec::new(), path: self.path().len() });
        let test = self.pass(looping);
        let body = self.body.take();
        let (Some(test), Some(body)) = (test?, body) else {
            return Err(refuse("threads take different numbers of passes"));
        };
        self.forget();

        let mut inductions = Vec::new();
        let mut known = FxHashMap::default();
        let mut chains = Vec::new();
        let mut moved = BTreeSet::new();
        // Running values that may belong together.
        let mut variables: Vec<Variable> = Vec::new();
        for (key, entry, ty, id) in &carried {
            let next = match self.locals.get(key) {
                Some((Lanes::Same(next), own)) if own == ty => Some(*next),
                _ => None,
            };
            let Some(next) = next else { continue };
            if next == *id {
                if let Lanes::Same(entry) = entry {
                    known.insert(*id, *entry);
                }
                continue;
            }
            let step = self.graph.plus(next, *id, -1);
            if let (Some(step), Scalar::I64) = (self.graph.as_integer(step), node_type(*ty)) {
                moved.insert(*key);
                if let Some(induction) = self.induction(entry, step, *id)? {
                    inductions.push(induction);
                } else if let Lanes::Same(entry) = entry {
                    let (key, ty, node, entry) = (*key, *ty, *id, *entry);
                    variables.push(Variable { key, ty, node, next, entry, is_known: true });
                }
                continue;
            }
            let chain = self.chain(next, *id).filter(|chain| chain.fold.is_some());
            if let Lanes::Same(entry) = entry {
                let (key, ty, node, entry) = (*key, *ty, *id, *entry);
                let is_known = chain.is_some();
                variables.push(Variable { key, ty, node, next, entry, is_known });
            }
            if let Some(chain) = chain {
                chains.push((*key, entry.clone(), *id, chain));
            }
        }
        let element = self.graph.leaf(Op::Element, Scalar::I64);
        for induction in &inductions {
            let place = self.graph.plus(induction.start, element, induction.stride);
            known.insert(induction.node, place);
        }

        // How many places there are.
        let test = self.graph.replace(test, &mut known, &mut |_, _| None);
        let Op::Compare(op) = *self.graph.op(test) else {
            return Err(refuse("the end of a loop over a row is not understood"));
        };
        let args = self.graph.node(test).args.clone();
        let (low, high, plus) = match op {
            CompareOp::Less => (args[0], args[1], 0),
            CompareOp::LessEqual => (args[0], args[1], 1),
            CompareOp::Greater => (args[1], args[0], 0),
            CompareOp::GreaterEqual => (args[1], args[0], 1),
            _ => return Err(refuse("the end of a loop over a row is not understood")),
        };
        let difference = self.graph.plus(high, low, -1);
        let (mut terms, constant) = self.graph.terms(difference);
        let Some(unit) = terms.remove(&element).map(|factor| -factor).filter(|f| *f > 0) else {
            return Err(refuse("the end of a loop over a row is not understood"));
        };
        let bound = self.graph.linear(terms, constant + plus);
        let is_fixed = !self.graph.any(bound, &|op| {
            matches!(op, Op::Element | Op::Carried(_) | Op::Partial(..) | Op::Undefined)
        });
        if !is_fixed {
            return Err(refuse("the end of a loop over a row is not the same for all threads"));
        }

        // How many elements a place has.
        let mut roots: Vec<Id> = Vec::new();
        let mut stores = body.stores;
        for store in &mut stores {
            store.offset = self.graph.replace(store.offset, &mut known, &mut |_, _| None);
            store.value = self.graph.replace(store.value, &mut known, &mut |_, _| None);
            if store.guards.iter().any(|_| true) {
                return Err(refuse("elements of a row are stored under a condition"));
            }
            roots.push(store.value);
        }
        for (.., chain) in &mut chains {
            for (guard, term) in &mut chain.terms {
                *term = self.graph.replace(*term, &mut known, &mut |_, _| None);
                if let Some(guard) = guard {
                    *guard = self.graph.replace(*guard, &mut known, &mut |_, _| None);
                    roots.push(*guard);
                }
                roots.push(*term);
            }
        }
        for variable in &mut variables {
            variable.next = self.graph.replace(variable.next, &mut known, &mut |_, _| None);
            // What is added up may depend on another running value: then they belong together.
            if let Some((.., chain)) = chains.iter().find(|(key, ..)| *key == variable.key) {
                variable.is_known = chain.terms.iter().all(|(guard, term)| {
                    let ids = guard.iter().chain([term]);
                    !ids.into_iter()
                        .any(|id| self.graph.any(*id, &|op| matches!(op, Op::Carried(_))))
                });
            }
            if !variable.is_known {
                roots.push(variable.next);
            }
        }
        let mut widths = BTreeSet::new();
        for store in &stores {
            widths.insert(self.width(store.offset, store.ty)?);
        }
        for load in self.loads(&roots) {
            let offset = self.graph.node(load).args[0];
            let ty = self.graph.node(load).ty;
            let width = self.width(offset, ty)?;
            if width != 0 {
                widths.insert(width);
            }
        }
        let mut widths = widths.into_iter();
        let (width, None) = (widths.next().unwrap_or(1), widths.next()) else {
            return Err(refuse("the memories of a loop over a row have different strides"));
        };
        if width <= 0 || width > 64 {
            return Err(refuse("a loop over a row has gaps"));
        }
        let mut length = self.length(bound, unit, width);
        let mut guards = self.path().to_vec();
        let mut conditions = Vec::new();
        if !stores.is_empty() && !guards.is_empty() {
            // What is not stored at all is a row without elements.
            conditions = std::mem::take(&mut guards);
            let zero = self.graph.integer(0);
            for guard in &conditions {
                length = self.graph.select(*guard, length, zero);
            }
        }
        let found = self.states(&variables, width);
        let of_states: BTreeSet<VariableKey> = found
            .iter()
            .flat_map(|state| state.parts.iter().map(|(index, _)| variables[*index].key))
            .collect();

        // Every part of a place is treated alike.
        let mut phase = Phase {
            length,
            stores: Vec::new(),
            reductions: Vec::new(),
            guards,
            conditions,
            location,
        };
        let mut vectors: BTreeMap<(Base, Id), Vec<Part>> = BTreeMap::new();
        let mut order = Vec::new();
        let mut staged = Vec::new();
        for store in stores {
            let (start, part) = self.part(store.offset, store.ty, width)?;
            let value = self.as_vector(store.value, width, Some(part))?;
            let key = (store.base, start);
            if !order.contains(&key) {
                order.push(key);
            }
            vectors.entry(key).or_default().push((part, value, store));
        }
        for key in order {
            let Some(parts) = vectors.remove(&key) else { continue };
            let mut seen = BTreeMap::new();
            let mut last = None;
            for (part, value, store) in parts {
                seen.insert(part, value);
                last = Some(store);
            }
            let mut values = seen.values();
            let (Some(value), Some(store)) = (values.next().copied(), last) else { continue };
            if seen.len() as i64 != width || values.any(|other| *other != value) {
                return Err(refuse("the parts of a vector are treated differently"));
            }
            if self.is_in_shared(key.0) {
                staged.push((key, value, store.ty));
                continue;
            }
            phase.stores.push(VectorStore { base: key.0, offset: key.1, ty: store.ty, value });
        }
        let mut results = Vec::new();
        for (key, entry, id, chain) in chains {
            let Some(fold) = chain.fold else { continue };
            if of_states.contains(&key) {
                continue;
            }
            let term = self.term(fold, &chain, width)?;
            let (init, after) = self.start(fold, &entry)?;
            let name = self.local_name(key);
            let _ = id;
            let index = self.reduction(Reduction { fold, term, init, after, name }, Some(fold));
            phase.reductions.push(index);
            results.push((key, index, Scalar::F32));
        }
        let mut second = Phase { stores: Vec::new(), reductions: Vec::new(), ..phase.clone() };
        for state in &found {
            let made = self.add_state(state, &variables, (&mut phase, &mut second))?;
            results.extend(made);
        }
        self.check(&phase)?;
        self.check(&second)?;

        // What the locals hold afterwards.
        for (key, entry, ty, id) in carried {
            let unchanged =
                matches!(self.locals.get(&key), Some((Lanes::Same(next), _)) if *next == id);
            if unchanged {
                self.locals.insert(key, (entry, ty));
            } else {
                self.locals.remove(&key);
            }
        }
        self.locals.retain(|key, _| !moved.contains(key));
        let created: Vec<VariableKey> =
            self.locals.keys().filter(|key| stored.contains(&key.0)).copied().collect();
        for key in created {
            let is_of_pass = match self.locals.get(&key) {
                Some((Lanes::Same(id), _)) => {
                    self.graph.any(*id, &|op| matches!(op, Op::Carried(_)))
                }
                Some((Lanes::Each(ids), _)) => {
                    ids.iter().any(|id| self.graph.any(*id, &|op| matches!(op, Op::Carried(_))))
                }
                _ => true,
            };
            if is_of_pass {
                self.locals.remove(&key);
            }
        }
        for (key, index, ty) in results {
            let threads = self.threads();
            let ids = (0..threads).map(|t| self.graph.partial(index, t)).collect();
            self.locals.insert(key, (self.each(ids), ty));
        }
        for store in &phase.stores {
            *self.versions.entry(store.base).or_insert(0) += 1;
            self.staged.retain(|(base, offset), _| *base != store.base || *offset == store.offset);
            self.staged.insert((store.base, store.offset), (store.value, store.ty));
        }
        for ((base, offset), value, ty) in staged {
            let is_fixed = !self
                .graph
                .any(value, &|op| matches!(op, Op::Carried(_) | Op::Partial(..) | Op::Undefined));
            if !is_fixed {
                return Err(refuse("what a row leaves in shared memory is not understood"));
            }
            self.staged.retain(|(other, at), _| *other != base || *at == offset);
            self.staged.insert((base, offset), (value, ty));
        }
        if !(phase.stores.is_empty() && phase.reductions.is_empty()) {
            self.items.push(Item::Phase(phase));
        }
        if !second.reductions.is_empty() {
            self.items.push(Item::Phase(second));
        }
        Ok(())
    }

    fn local_name(&self, key: VariableKey) -> String {
        let local = self.function.locals.get(port_ir::Handle::from_index(key.0 as usize));
        local.map_or(String::new(), |l| l.name.clone())
    }

    /// A reduction and its number; `fold` is how two threads' values combine.
    fn reduction(&mut self, reduction: Reduction, fold: Option<Fold>) -> u32 {
        let index = self.reductions.len() as u32;
        let ty = if reduction.fold == Fold::First { Scalar::I64 } else { Scalar::F32 };
        self.reductions.push(reduction);
        self.graph.folds.push((fold, ty));
        index
    }

    /// A value that is computed from reductions, as one.
    fn formula(&mut self, formula: Id, ty: Scalar) -> u32 {
        let (term, name) = (formula, String::new());
        let reduction = Reduction { fold: Fold::Sum, term, init: None, after: None, name };
        let index = self.reduction(reduction, None);
        if let Some((_, own)) = self.graph.folds.get_mut(index as usize) {
            *own = node_type(ty);
        }
        self.formulas.insert(index, formula);
        index
    }

    /// The reductions of running values that belong together: those of a first loop over the row, and
    /// those of a second, which need their results.
    fn add_state(
        &mut self,
        found: &Found,
        variables: &[Variable],
        (first, second): (&mut Phase, &mut Phase),
    ) -> Result<Vec<(VariableKey, u32, Scalar)>> {
        let Some(of) = found
            .parts
            .iter()
            .map(|(index, part)| variables.get(*index).map(|variable| (*part, variable)))
            .collect::<Option<Vec<_>>>()
        else {
            return Err(refuse("a running value is missing"));
        };
        let term = found.term;
        let make = |fold: Fold, term: Id, init: Option<Id>, name: String| Reduction {
            fold,
            term,
            init,
            after: None,
            name,
        };
        // Members of one struct are told apart by what they are.
        let is_struct = of.windows(2).all(|pair| pair[0].1.key.0 == pair[1].1.key.0);
        let name = |own: &Self, wanted: StatePart| {
            let variable = of.iter().find(|(part, _)| *part == wanted);
            match (variable, wanted) {
                (Some((_, variable)), _) if !is_struct => own.local_name(variable.key),
                (_, StatePart::Mean) => "mean".to_owned(),
                (_, StatePart::Deviations) => "deviations".to_owned(),
                (_, StatePart::Extreme) => "extreme".to_owned(),
                (_, StatePart::Exponentials) => "exponentials".to_owned(),
                (_, StatePart::Count) => "count".to_owned(),
                (_, StatePart::Place) => "place".to_owned(),
            }
        };
        let entry = |wanted: StatePart| {
            of.iter().find(|(part, _)| *part == wanted).map(|(_, variable)| variable.entry)
        };
        let mut made: Vec<(StatePart, u32)> = Vec::new();
        match found.kind {
            Kind::Moments => {
                let sum = make(Fold::Sum, term, None, "sum".to_owned());
                let sum = self.reduction(sum, None);
                first.reductions.push(sum);
                let sum = self.graph.total(sum);
                let zero = self.graph.integer(0);
                let (op, ty) = (port_ir::IntegerOp::Maximum, Scalar::I64);
                let count = self.graph.integer_op(op, ty, first.length, zero);
                let kind = port_ir::Conversion::IntegerToFloat(port_ir::Rounding::NearestEven);
                let mut number = |length: Id| match self.graph.as_integer(length) {
                    Some(n) => self.graph.constant(port_ir::Constant::f32(n as f32)),
                    None => self.graph.add(Op::Convert(kind), [length], Scalar::F32),
                };
                let (divisor, number) = (number(first.length), number(count));
                let quotient = self.graph.float_op(FloatOp::Divide, Scalar::F32, sum, divisor);
                let none = self.graph.constant(port_ir::Constant::f32(0.0));
                let has_some = self.graph.compare(CompareOp::Less, zero, first.length);
                let mean = self.graph.select(has_some, quotient, none);
                self.names.insert(mean, name(self, StatePart::Mean));
                for (part, variable) in &of {
                    let index = match part {
                        StatePart::Count if variable.ty.is_integer() => {
                            self.formula(count, Scalar::I64)
                        }
                        StatePart::Count => self.formula(number, Scalar::F32),
                        StatePart::Mean => self.formula(mean, Scalar::F32),
                        _ => {
                            let (subtract, multiply) = (FloatOp::Subtract, FloatOp::Multiply);
                            let apart = self.graph.float_op(subtract, Scalar::F32, term, mean);
                            let square = self.graph.float_op(multiply, Scalar::F32, apart, apart);
                            let name = name(self, StatePart::Deviations);
                            let own = self.reduction(make(Fold::Sum, square, None, name), None);
                            second.reductions.push(own);
                            own
                        }
                    };
                    made.push((*part, index));
                }
            }
            Kind::Exponentials => {
                let start = entry(StatePart::Extreme).map(Lanes::Same);
                let start = start.ok_or_else(|| refuse("a running value is missing"))?;
                let (init, _) = self.start(Fold::Maximum, &start)?;
                let largest = make(Fold::Maximum, term, init, name(self, StatePart::Extreme));
                let largest = self.reduction(largest, Some(Fold::Maximum));
                first.reductions.push(largest);
                let total = self.graph.total(largest);
                let apart = self.graph.float_op(FloatOp::Subtract, Scalar::F32, term, total);
                let exp = Op::Math(port_ir::MathFunction::Exp);
                let power = self.graph.add(exp, [apart], Scalar::F32);
                let sum = make(Fold::Sum, power, None, name(self, StatePart::Exponentials));
                let sum = self.reduction(sum, None);
                second.reductions.push(sum);
                made.extend([(StatePart::Extreme, largest), (StatePart::Exponentials, sum)]);
            }
            Kind::Extremum { largest, nan_wins, beyond } => {
                let (Some(start), Some(nowhere), Some(place)) =
                    (entry(StatePart::Extreme), entry(StatePart::Place), found.place)
                else {
                    return Err(refuse("a running value is missing"));
                };
                let fold = if largest { Fold::Maximum } else { Fold::Minimum };
                let (init, _) = self.start(fold, &Lanes::Same(start))?;
                let best = make(fold, term, init, name(self, StatePart::Extreme));
                let best = self.reduction(best, None);
                first.reductions.push(best);
                let best = self.graph.total(best);
                let at = |own: &mut Self, phase: &mut Phase, holds: Id, name: &str| {
                    let first = make(Fold::First, holds, None, name.to_owned());
                    let first = own.reduction(first, None);
                    phase.reductions.push(first);
                    let first = own.graph.total(first);
                    let zero = own.graph.integer(0);
                    let is_there = own.graph.compare(CompareOp::GreaterEqual, first, zero);
                    let element = own.graph.leaf(Op::Element, Scalar::I64);
                    let mut known = FxHashMap::from_iter([(element, first)]);
                    let place = own.graph.replace(place, &mut known, &mut |_, _| None);
                    (is_there, place)
                };
                let mut equals = self.graph.compare(CompareOp::Equal, term, best);
                if beyond {
                    let is_more = self.graph.compare(CompareOp::NotEqual, term, start);
                    let and = port_ir::IntegerOp::And;
                    equals = self.graph.integer_op(and, Scalar::Bool, equals, is_more);
                }
                let (is_there, own) = at(self, second, equals, "place");
                let mut result = self.graph.select(is_there, own, nowhere);
                let mut value = best;
                if nan_wins {
                    let is_nan = self.graph.compare(CompareOp::NotEqual, term, term);
                    let (is_there, own) = at(self, first, is_nan, "nanPlace");
                    result = self.graph.select(is_there, own, result);
                    let nan = self.graph.constant(port_ir::Constant::f32(f32::NAN));
                    value = self.graph.select(is_there, nan, best);
                }
                let value = self.formula(value, Scalar::F32);
                let result = self.formula(result, Scalar::I64);
                made.extend([(StatePart::Extreme, value), (StatePart::Place, result)]);
            }
        }
        let number = self.states.len();
        let mut members = Vec::new();
        let mut results = Vec::new();
        for (part, index) in made {
            let variable = of.iter().find(|(own, _)| *own == part).map(|(_, variable)| variable);
            let Some(variable) = variable else { continue };
            members.push((index, part, variable.entry));
            self.state_of.insert(index, number);
            results.push((variable.key, index, variable.ty));
        }
        self.states.push(State { kind: found.kind, members });
        Ok(results)
    }

    /// A variable that starts at a thread's number and moves on by the number of threads, each
    /// times a stride.
    fn induction(&mut self, entry: &Lanes, step: i64, node: Id) -> Result<Option<Induction>> {
        let threads = self.threads() as i64;
        let start = self.lane(entry, 0)?;
        if step % threads != 0 {
            return Ok(None);
        }
        let stride = step / threads;
        for thread in 0..self.threads() {
            let own = self.lane(entry, thread)?;
            let apart = self.graph.plus(own, start, -1);
            if self.graph.as_integer(apart) != Some(thread as i64 * stride) {
                return Ok(None);
            }
        }
        Ok(Some(Induction { node, start, stride }))
    }

    /// What a pass makes of a running value.
    fn chain(&mut self, next: Id, carried: Id) -> Option<Chain> {
        let holds = |graph: &Graph, id: Id| {
            let own = match graph.op(carried) {
                Op::Carried(number) => *number,
                _ => return false,
            };
            graph.any(id, &|op| *op == Op::Carried(own))
        };
        if next == carried {
            return Some(Chain { fold: None, terms: Vec::new() });
        }
        let args = self.graph.node(next).args.clone();
        let with = |mut chain: Chain, fold: Fold, term: Id| {
            if chain.fold.is_some_and(|own| own != fold) {
                return None;
            }
            chain.fold = Some(fold);
            chain.terms.push((None, term));
            Some(chain)
        };
        match self.graph.op(next).clone() {
            Op::Float(op @ (FloatOp::Add | FloatOp::Maximum | FloatOp::Minimum)) => {
                let fold = match op {
                    FloatOp::Add => Fold::Sum,
                    FloatOp::Maximum => Fold::Maximum,
                    _ => Fold::Minimum,
                };
                let (inner, term) = match (holds(&self.graph, args[0]), holds(&self.graph, args[1]))
                {
                    (true, false) => (args[0], args[1]),
                    (false, true) => (args[1], args[0]),
                    _ => return None,
                };
                with(self.chain(inner, carried)?, fold, term)
            }
            Op::Select => {
                let [condition, accept, reject] = args[..] else { return None };
                // `if (x > m) m = x;`: what is no number is not larger.
                if let Op::Compare(op) = *self.graph.op(condition) {
                    let pair = self.graph.node(condition).args.clone();
                    let (larger, smaller) = match op {
                        CompareOp::Greater | CompareOp::GreaterEqual => (pair[0], pair[1]),
                        CompareOp::Less | CompareOp::LessEqual => (pair[1], pair[0]),
                        _ => (next, next),
                    };
                    let is_float = self.graph.node(accept).ty == Scalar::F32;
                    if is_float && holds(&self.graph, reject) && !holds(&self.graph, accept) {
                        if (larger, smaller) == (accept, reject) {
                            return with(self.chain(reject, carried)?, Fold::Maximum, accept);
                        }
                        if (smaller, larger) == (accept, reject) {
                            return with(self.chain(reject, carried)?, Fold::Minimum, accept);
                        }
                    }
                }
                if holds(&self.graph, condition) {
                    return None;
                }
                let (more, less) = (self.chain(accept, carried)?, self.chain(reject, carried)?);
                let (mut long, short, guard) = if more.terms.len() >= less.terms.len() {
                    (more, less, condition)
                } else {
                    let not = self.graph.not(condition);
                    (less, more, not)
                };
                if long.terms.get(..short.terms.len()) != Some(&short.terms[..]) {
                    return None;
                }
                for (own, _) in long.terms.iter_mut().skip(short.terms.len()) {
                    *own = Some(match *own {
                        None => guard,
                        Some(inner) => self.graph.integer_op(
                            port_ir::IntegerOp::And,
                            Scalar::Bool,
                            guard,
                            inner,
                        ),
                    });
                }
                Some(long)
            }
            _ => None,
        }
    }

    /// The one term of each element.
    fn term(&mut self, fold: Fold, chain: &Chain, width: i64) -> Result<Id> {
        let neutral = neutral(&mut self.graph, fold);
        let op = match fold {
            Fold::Sum => FloatOp::Add,
            Fold::Maximum => FloatOp::Maximum,
            Fold::Minimum => FloatOp::Minimum,
            Fold::First => return Err(refuse("places in a row are added up")),
        };
        let mut leaves = Vec::new();
        for (guard, term) in &chain.terms {
            let mut open = vec![*term];
            while let Some(id) = open.pop() {
                let is_split = width > 1 && *self.graph.op(id) == Op::Float(op);
                if is_split {
                    open.extend(self.graph.node(id).args.iter().rev());
                } else if self.graph.as_float(id) != Some(0.0) || fold != Fold::Sum {
                    leaves.push((*guard, id));
                }
            }
        }
        let mut parts: BTreeMap<i64, Id> = BTreeMap::new();
        let mut anywhere: Vec<Id> = Vec::new();
        for (guard, leaf) in leaves {
            let term = match guard {
                Some(guard) => self.graph.select(guard, leaf, neutral),
                None => leaf,
            };
            let Some(part) = self.part_of(term, width)? else {
                anywhere.push(self.as_vector(term, width, None)?);
                continue;
            };
            let value = self.as_vector(term, width, Some(part))?;
            let sum = match parts.get(&part) {
                Some(before) => self.graph.add(Op::Float(op), [*before, value], Scalar::F32),
                None => value,
            };
            parts.insert(part, sum);
        }
        let mut values = parts.values();
        match (values.next().copied(), anywhere.as_slice()) {
            (Some(value), []) => {
                if parts.len() as i64 != width || values.any(|other| *other != value) {
                    return Err(refuse("the parts of a vector are treated differently"));
                }
                Ok(value)
            }
            (None, [first, rest @ ..]) => {
                if anywhere.len() as i64 != width || rest.iter().any(|other| other != first) {
                    return Err(refuse("the parts of a vector are treated differently"));
                }
                Ok(*first)
            }
            _ => Err(refuse("the parts of a vector are treated differently")),
        }
    }

    /// What a running value begins with.
    fn start(&mut self, fold: Fold, entry: &Lanes) -> Result<(Option<Id>, Option<u32>)> {
        let neutral = neutral(&mut self.graph, fold);
        if let Lanes::Same(id) = entry {
            if *id == neutral || fold == Fold::Sum && self.graph.as_float(*id) == Some(0.0) {
                return Ok((None, None));
            }
            if fold != Fold::Sum && !matches!(self.graph.op(*id), Op::Undefined) {
                return Ok((Some(*id), None));
            }
            return Err(refuse("a sum does not begin with zero"));
        }
        let mut before = None;
        for thread in 0..self.threads() {
            let own = self.lane(entry, thread)?;
            let Op::Partial(reduction, _) = *self.graph.op(own) else {
                return Err(refuse("threads begin a sum with different values"));
            };
            if self.graph.partial(reduction, thread) != own
                || *before.get_or_insert(reduction) != reduction
                || self.fold_of(reduction) != Some(fold)
            {
                return Err(refuse("threads begin a sum with different values"));
            }
        }
        Ok((None, before))
    }

    /// Loads under values, each once.
    fn loads(&self, roots: &[Id]) -> Vec<Id> {
        self.loads_within(roots, usize::MAX).unwrap_or_default()
    }

    /// Loads under values, each once, if no more than so many nodes are.
    pub(super) fn loads_within(&self, roots: &[Id], most: usize) -> Option<Vec<Id>> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > most {
                return None;
            }
            if matches!(self.graph.op(id), Op::Load(..)) {
                found.push(id);
            }
            open.extend(&self.graph.node(id).args);
        }
        found.sort_unstable();
        Some(found)
    }

    /// Elements from a place to the next.
    fn width(&mut self, offset: Id, ty: Scalar) -> Result<i64> {
        let element = self.graph.leaf(Op::Element, Scalar::I64);
        let (mut terms, _) = self.graph.terms(offset);
        let factor = terms.remove(&element).unwrap_or(0);
        let rest = terms
            .keys()
            .any(|id| self.graph.any(*id, &|op| matches!(op, Op::Element | Op::Carried(_))));
        let size = ty.size() as i64;
        if rest || factor % size != 0 {
            return Err(refuse("an address in a loop over a row is not linear in the place"));
        }
        Ok(factor / size)
    }

    /// The start of a vector, and which part of its places an address is.
    fn part(&mut self, offset: Id, ty: Scalar, width: i64) -> Result<(Id, i64)> {
        let element = self.graph.leaf(Op::Element, Scalar::I64);
        let (mut terms, constant) = self.graph.terms(offset);
        terms.remove(&element);
        let size = ty.size() as i64;
        if constant % size != 0 {
            return Err(refuse("an address lies between elements"));
        }
        let part = (constant / size).rem_euclid(width);
        Ok((self.graph.linear(terms, constant - part * size), part))
    }

    /// Which part of a place all loads of a value read.
    pub(super) fn part_of(&mut self, value: Id, width: i64) -> Result<Option<i64>> {
        let mut found = None;
        for load in self.loads(&[value]) {
            let offset = self.graph.node(load).args[0];
            let ty = self.graph.node(load).ty;
            if self.width(offset, ty)? == 0 {
                continue;
            }
            let (_, part) = self.part(offset, ty, width)?;
            if *found.get_or_insert(part) != part {
                return Err(refuse("parts of a vector are mixed"));
            }
        }
        if found.is_none() && width == 1 {
            found = Some(0);
        }
        Ok(found)
    }

    /// A value in terms of the element instead of the place.
    pub(super) fn as_vector(&mut self, value: Id, width: i64, part: Option<i64>) -> Result<Id> {
        let element = self.graph.leaf(Op::Element, Scalar::I64);
        let mut known = FxHashMap::default();
        let mut trouble = None;
        for load in self.loads(&[value]) {
            let node = self.graph.node(load).clone();
            let Op::Load(base, version) = node.op else { continue };
            let offset = node.args[0];
            if self.width(offset, node.ty)? == 0 {
                continue;
            }
            let (start, own) = self.part(offset, node.ty, width)?;
            if part.is_some_and(|part| part != own) {
                return Err(refuse("parts of a vector are mixed"));
            }
            let made = if matches!(base, Base::Variable(_)) && self.is_in_shared(base) {
                // What the row left in shared memory is computed again where it is asked for.
                match self.staged.get(&(base, start)) {
                    Some((staged, ty)) if *ty == node.ty && self.is_current(*staged) => *staged,
                    _ => return Err(refuse("a row in shared memory is not what was stored there")),
                }
            } else {
                self.graph.add(Op::Vector(base, version), [start], node.ty)
            };
            known.insert(load, made);
        }
        let made = self.graph.replace(value, &mut known, &mut |graph, id| {
            let (mut terms, constant) = graph.terms(id);
            if width == 1 || !matches!(graph.op(id), Op::Element | Op::Linear(..)) {
                return None;
            }
            let factor = terms.remove(&element)?;
            // `width · place + part` is the element.
            match part {
                Some(part) if factor % width == 0 => {
                    let own = factor / width;
                    terms.insert(element, own);
                    Some(graph.linear(terms, constant - own * part))
                }
                _ if id == element => None,
                _ => {
                    trouble = Some("a place in a row is used in another way");
                    None
                }
            }
        });
        if let Some(trouble) = trouble {
            return Err(refuse(trouble));
        }
        Ok(made)
    }

    fn is_in_shared(&self, base: Base) -> bool {
        matches!(base, Base::Variable(v)
            if self.module.variables[v].space == port_ir::Space::Shared)
    }

    /// Whether nothing that a value reads has been written since.
    fn is_current(&self, value: Id) -> bool {
        let versions = &self.versions;
        !self.graph.any(value, &|op| match op {
            Op::Vector(base, version) | Op::Load(base, version) => {
                versions.get(base).copied().unwrap_or(0) != *version
            }
            _ => false,
        })
    }

    /// The number of elements: `ceil(bound / unit) · width`.
    fn length(&mut self, bound: Id, unit: i64, width: i64) -> Id {
        if unit == 1 {
            let width = self.graph.integer(width);
            return self.graph.times(bound, width);
        }
        let raised = {
            let more = self.graph.integer(unit - 1);
            self.graph.plus(bound, more, 1)
        };
        let by = self.graph.integer(unit);
        let places = self.graph.integer_op(port_ir::IntegerOp::Divide, Scalar::I64, raised, by);
        let width = self.graph.integer(width);
        self.graph.times(places, width)
    }

    /// Nothing in a phase depends on what one thread alone has.
    fn check(&mut self, phase: &Phase) -> Result<()> {
        let mut roots = vec![phase.length];
        for store in &phase.stores {
            roots.extend([store.offset, store.value]);
        }
        for reduction in &phase.reductions {
            if let Some(reduction) = self.reductions.get(*reduction as usize) {
                roots.push(reduction.term);
                roots.extend(reduction.init);
            }
        }
        for root in roots {
            if self.graph.any(root, &|op| {
                matches!(op, Op::Carried(_) | Op::Partial(..) | Op::Scaled(..) | Op::Undefined)
            }) {
                return Err(refuse("a pass of a loop over a row depends on the pass before"));
            }
        }
        Ok(())
    }
}

/// What changes nothing.
pub(super) fn neutral(graph: &mut Graph, fold: Fold) -> Id {
    let value = match fold {
        Fold::Sum => 0.0,
        Fold::Maximum => f32::NEG_INFINITY,
        Fold::Minimum => f32::INFINITY,
        Fold::First => return graph.integer(-1),
    };
    graph.constant(port_ir::Constant::f32(value))
}
