//! Rows that lie in the threads' registers: each thread loads, reduces and stores elements of its own,
//! one after the other. Where all threads' elements together are one row, and each is treated alike,
//! that is a loop over the row.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::{CompareOp, Constant, FloatOp, IntegerOp, Location, MathFunction, Scalar};
use rustc_hash::FxHashMap;

use super::super::graph::{Base, Fold, Graph, Id, Op};
use super::super::phase::{Phase, Reduction, VectorStore, neutral};
use super::{Executor, Item, Lanes, Result};
use crate::code::refuse;

/// An element that one thread stores: its place in bytes, its value, when.
#[derive(Clone, Debug)]
pub(in crate::rows) struct Scattered {
    pub base: Base,
    pub ty: Scalar,
    pub offset: Id,
    pub value: Id,
    pub guard: Option<Id>,
    pub path: Vec<Id>,
    pub location: Location,
}

/// More elements are no rows of registers, nor do more threads share one: each is followed by itself.
const MAX_ELEMENTS: usize = 2048;
const MAX_THREADS: usize = 64;
/// Of one element's value.
const MAX_NODES: usize = 2048;

impl Executor<'_, '_> {
    /// Counts an element that a thread loads for itself.
    pub(super) fn load_own(&mut self) -> Result<()> {
        self.loaded += 1;
        if self.body.is_some() || self.loaded > MAX_ELEMENTS || self.threads() > MAX_THREADS {
            return Err(refuse("threads read elements of their own outside of a loop over a row"));
        }
        Ok(())
    }

    /// What threads have reduced of elements of their own, as shares of a reduction of the row; else
    /// the value as it is.
    pub(super) fn gathered(
        &mut self,
        lanes: &Lanes,
        mask: &[bool],
        location: Location,
    ) -> Result<Lanes> {
        let Some((reduction, length)) = self.row_of(lanes, mask) else { return Ok(lanes.clone()) };
        self.flush_scattered()?;
        let index = self.reductions.len() as u32;
        self.graph.folds.push((Some(reduction.fold), Scalar::F32));
        self.reductions.push(reduction);
        self.items.push(Item::Phase(Phase {
            length,
            stores: Vec::new(),
            reductions: vec![index],
            guards: self.path.clone(),
            conditions: Vec::new(),
            location,
        }));
        let shares = (0..self.threads()).map(|thread| self.graph.partial(index, thread)).collect();
        let shares = self.each(shares);
        // A thread's own share is what it goes on with, too.
        let locals = self.locals.values_mut().map(|(own, _)| own);
        let values = self.values.values_mut().chain(self.cache.values_mut());
        for own in locals.chain(values).filter(|own| *own == lanes) {
            *own = shares.clone();
        }
        Ok(shares)
    }

    /// The reduction of a row that threads have begun with elements of their own, and the row's length.
    fn row_of(&mut self, lanes: &Lanes, mask: &[bool]) -> Option<(Reduction, Id)> {
        let Lanes::Each(ids) = lanes else { return None };
        let is_whole = self.body.is_none()
            && !self.is_over
            && mask.iter().all(|active| *active)
            && !self.path.iter().any(|guard| *self.graph.op(*guard) == Op::Undefined);
        let first = *ids.first()?;
        let Op::Float(op) = *self.graph.op(first) else { return None };
        let fold = match op {
            FloatOp::Add => Fold::Sum,
            FloatOp::Maximum => Fold::Maximum,
            FloatOp::Minimum => Fold::Minimum,
            _ => return None,
        };
        let is_float = self.graph.node(first).ty == Scalar::F32;
        if !is_whole || !is_float || !self.graph.any(first, &|op| matches!(op, Op::Load(..))) {
            return None;
        }
        let nothing = neutral(&mut self.graph, fold);
        let mut leaves = Vec::new();
        let mut start = None;
        for id in ids.iter() {
            let mut open = vec![*id];
            while let Some(next) = open.pop() {
                if *self.graph.op(next) == Op::Float(op) {
                    open.extend(self.graph.node(next).args.iter().rev());
                } else if let Some(value) = self.graph.as_float(next) {
                    match fold {
                        Fold::Sum if value == 0.0 => {}
                        Fold::Sum => return None,
                        _ if next == nothing => {}
                        _ if *start.get_or_insert(next) == next => {}
                        _ => return None,
                    }
                } else {
                    leaves.push(next);
                }
                if leaves.len() + open.len() > MAX_ELEMENTS {
                    return None;
                }
            }
        }
        // What has been written since is not what was loaded.
        let written = self.written();
        if leaves.iter().any(|leaf| self.reads_any(*leaf, &written)) {
            return None;
        }
        let places = self.places_of(&leaves)?;
        let mut term = self.template(&leaves, &places)?;
        let mut length = self.graph.integer(leaves.len() as i64);
        // Behind the end of the row there is nothing that counts.
        while let Some(end) = self.outer_end(term)? {
            let outside = self.chosen(term, end, false);
            let inside = self.chosen(term, end, true);
            // Magnitudes are never below 0.
            let is_magnitude =
                matches!(self.graph.op(inside), Op::Unary(port_ir::UnaryOp::Absolute));
            let is_zero = self.graph.as_float(outside) == Some(0.0);
            if fold == Fold::Maximum && is_magnitude && is_zero && start.is_none() {
                start = Some(outside);
            } else if !self.is_nothing(outside, fold) {
                return None;
            }
            term = inside;
            length = self.graph.integer_op(IntegerOp::Minimum, Scalar::I64, end, length);
        }
        let is_fixed = |own: &Self, id: Id| {
            !own.graph.any(id, &|op| {
                matches!(op, Op::Carried(_) | Op::Partial(..) | Op::Scaled(..) | Op::Undefined)
            })
        };
        if !is_fixed(self, term) || !is_fixed(self, length) {
            return None;
        }
        let name = self.names.get(&first).cloned().unwrap_or_else(|| "total".to_owned());
        Some((Reduction { fold, term, init: start, after: None, name }, length))
    }

    /// The place of each value in the row, by what differs in where they are loaded from.
    fn places_of(&self, values: &[Id]) -> Option<Vec<i64>> {
        if values.len() < 2 {
            return None;
        }
        let (first, second) =
            (self.loads_under(*values.first()?)?, self.loads_under(*values.get(1)?)?);
        // The first load that is not the same for both.
        let at = first.iter().position(|load| !second.contains(load))?;
        let size = self.graph.node(*first.get(at)?).ty.size() as i64;
        let mut places = Vec::with_capacity(values.len());
        let base = self.graph.op(*first.get(at)?).clone();
        let key = self.graph.terms(*self.graph.node(*first.get(at)?).args.first()?).0;
        for value in values {
            let own = self.loads_under(*value)?.into_iter().filter(|load| {
                let node = self.graph.node(*load);
                let terms = node.args.first().map(|offset| self.graph.terms(*offset).0);
                node.op == base && terms.as_ref() == Some(&key)
            });
            let mut found = None;
            for load in own {
                let constant = self.graph.terms(*self.graph.node(load).args.first()?).1;
                if *found.get_or_insert(constant) != constant {
                    return None;
                }
            }
            places.push(found?);
        }
        let least = places.iter().copied().min()?;
        let mut seen = vec![false; places.len()];
        for place in &mut places {
            if (*place - least) % size != 0 {
                return None;
            }
            *place = (*place - least) / size;
            let entry = seen.get_mut(usize::try_from(*place).ok()?)?;
            if std::mem::replace(entry, true) {
                return None;
            }
        }
        Some(places)
    }

    /// Where the vectors begin that a value has of an array.
    fn vectors_of(&self, id: Id, base: Base) -> Vec<Id> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            let node = self.graph.node(next);
            match node.op {
                Op::Vector(own, _) if own == base => found.extend(node.args.first().copied()),
                _ => open.extend(&node.args),
            }
        }
        found
    }

    /// The elements of memory that a value is made of, if not too much else is.
    fn loads_under(&self, id: Id) -> Option<Vec<Id>> {
        self.loads_within(&[id], MAX_NODES)
    }

    /// The values in terms of [`Op::Element`], if all are one expression of their place.
    fn template(&mut self, values: &[Id], places: &[i64]) -> Option<Id> {
        let at = |wanted: i64| {
            let index = places.iter().position(|place| *place == wanted)?;
            values.get(index).copied()
        };
        let (first, second) = (at(0)?, at(1)?);
        let (mut shared, others) = (self.loads_under(first)?, self.loads_under(second)?);
        shared.retain(|load| others.contains(load));
        let mut memo = FxHashMap::default();
        let (x, y) = (self.placed_at(first, 0, &shared)?, self.placed_at(second, 1, &shared)?);
        let template = self.generalised(x, y, &mut memo, 0)?;
        let element = self.graph.leaf(Op::Element, Scalar::I64);
        for (value, place) in values.iter().zip(places) {
            let own = self.placed_at(*value, *place, &shared)?;
            let number = self.graph.integer(*place);
            let mut known = FxHashMap::from_iter([(element, number)]);
            if self.graph.replace(template, &mut known, &mut |_, _| None) != own {
                return None;
            }
        }
        Some(template)
    }

    /// A value whose loads are elements at a place of vectors.
    fn placed_at(&mut self, value: Id, place: i64, shared: &[Id]) -> Option<Id> {
        let mut known = FxHashMap::default();
        for load in self.loads_under(value)? {
            if shared.contains(&load) {
                continue;
            }
            let node = self.graph.node(load).clone();
            let Op::Load(base, version) = node.op else { continue };
            let (terms, constant) = self.graph.terms(*node.args.first()?);
            let start = self.graph.linear(terms, constant - place * node.ty.size() as i64);
            known.insert(load, self.graph.add(Op::Vector(base, version), vec![start], node.ty));
        }
        Some(self.graph.replace(value, &mut known, &mut |_, _| None))
    }

    /// What is `a` at place 0 and `b` at place 1.
    fn generalised(
        &mut self,
        a: Id,
        b: Id,
        memo: &mut FxHashMap<(Id, Id), Id>,
        depth: u32,
    ) -> Option<Id> {
        if a == b {
            return Some(a);
        }
        if let Some(known) = memo.get(&(a, b)) {
            return Some(*known);
        }
        let (x, y) = (self.graph.node(a).clone(), self.graph.node(b).clone());
        if depth > 100 || x.ty != y.ty {
            return None;
        }
        let ((left, from), (right, to)) = (self.graph.terms(a), self.graph.terms(b));
        let is_moved = x.ty == Scalar::I64 && left == right;
        let made = if is_moved {
            let element = self.graph.leaf(Op::Element, Scalar::I64);
            let base = self.graph.linear(left, from);
            self.graph.plus(base, element, to - from)
        } else {
            if x.op != y.op || x.args.len() != y.args.len() || x.args.is_empty() {
                return None;
            }
            let mut args = Vec::new();
            for (own, other) in x.args.iter().zip(&y.args) {
                args.push(self.generalised(*own, *other, memo, depth + 1)?);
            }
            self.graph.rebuild(a, &args)
        };
        memo.insert((a, b), made);
        Some(made)
    }

    /// Whether a value adds nothing.
    fn is_nothing(&mut self, id: Id, fold: Fold) -> bool {
        let nothing = neutral(&mut self.graph, fold);
        let is_low = |id: Id| self.graph.as_float(id) == Some(f64::NEG_INFINITY);
        let node = self.graph.node(id);
        match (fold, &node.op, node.args.first().map(|arg| self.graph.node(*arg))) {
            // exp(-inf - x) is 0.
            (Fold::Sum, Op::Math(MathFunction::Exp), Some(arg)) => match arg.op {
                Op::Float(FloatOp::Subtract) => arg.args.first().copied().is_some_and(is_low),
                Op::Float(FloatOp::Add) => arg.args.iter().copied().any(is_low),
                _ => false,
            },
            (Fold::Sum, ..) => self.graph.as_float(id) == Some(0.0),
            _ => id == nothing,
        }
    }

    /// What has been written so far.
    fn written(&self) -> BTreeSet<Base> {
        let mut found: BTreeSet<Base> = self.scattered.iter().map(|store| store.base).collect();
        for item in &self.items {
            match item {
                Item::Phase(phase) => found.extend(phase.stores.iter().map(|store| store.base)),
                Item::Store(store) => _ = found.insert(store.base),
            }
        }
        found
    }

    /// Whether a value may be made of what has been written since it was loaded.
    fn reads_any(&self, id: Id, written: &BTreeSet<Base>) -> bool {
        let Some(loads) = self.loads_under(id) else { return true };
        loads.into_iter().any(|load| match self.graph.op(load) {
            Op::Load(base, _) => written.contains(base),
            _ => false,
        })
    }

    /// The end of the row that a choice within a value knows, the outermost first; none where a
    /// choice by the place is of another kind.
    fn outer_end(&mut self, id: Id) -> Option<Option<Id>> {
        let mut seen = BTreeSet::new();
        let mut open = std::collections::VecDeque::from([id]);
        while let Some(next) = open.pop_front() {
            if !seen.insert(next) {
                continue;
            }
            let args = self.graph.node(next).args.clone();
            if let (Op::Select, Some(condition)) = (self.graph.op(next), args.first())
                && self.graph.any(*condition, &|op| *op == Op::Element)
            {
                return Some(Some(end_of(&mut self.graph, *condition)?));
            }
            open.extend(args.iter().copied());
        }
        Some(None)
    }

    /// A value before or behind the end of the row.
    fn chosen(&mut self, id: Id, end: Id, inside: bool) -> Id {
        let mut known = FxHashMap::default();
        self.graph.replace(id, &mut known, &mut |graph, id| {
            let [condition, accept, reject] = graph.node(id).args[..] else { return None };
            let is_it = *graph.op(id) == Op::Select && end_of(graph, condition) == Some(end);
            is_it.then_some(if inside { accept } else { reject })
        })
    }

    /// Remembers an element that a thread stores.
    pub(super) fn scatter(
        &mut self,
        pointer: &Lanes,
        value: &Lanes,
        scalar: Scalar,
        mask: &[bool],
        location: Location,
    ) -> Result<()> {
        self.goes_on()?;
        let path: Vec<Id> = self
            .path
            .iter()
            .copied()
            .filter(|guard| *self.graph.op(*guard) != Op::Undefined)
            .collect();
        let conditions = self.lane_conditions.clone();
        for (thread, _) in mask.iter().enumerate().filter(|(_, active)| **active) {
            let own = self.lane(pointer, thread)?;
            let (base, offset) = self.address(own)?;
            let mut guard = None;
            for (lanes, holds) in &conditions {
                let condition = self.lane(lanes, thread)?;
                let condition = if *holds { condition } else { self.graph.not(condition) };
                guard = Some(match guard {
                    None => condition,
                    Some(all) => {
                        self.graph.integer_op(IntegerOp::And, Scalar::Bool, all, condition)
                    }
                });
            }
            let value = self.lane(value, thread)?;
            let (value, ty) = (self.settle_one(value), scalar);
            let path = path.clone();
            self.scattered.push(Scattered { base, ty, offset, value, guard, path, location });
            *self.versions.entry(base).or_insert(0) += 1;
        }
        if self.scattered.len() > MAX_ELEMENTS {
            return Err(refuse("threads write too many elements of their own"));
        }
        Ok(())
    }

    /// What threads have stored of a row, as loops over it.
    pub(in crate::rows) fn flush_scattered(&mut self) -> Result<()> {
        let no = || refuse("threads write elements of their own outside of a loop over a row");
        let stores = std::mem::take(&mut self.scattered);
        let mut written = self.written();
        let mut rows: BTreeMap<(Base, Id), Vec<Scattered>> = BTreeMap::new();
        let mut order = Vec::new();
        for store in stores {
            let (terms, _) = self.graph.terms(store.offset);
            let key = (store.base, self.graph.linear(terms, 0));
            if !order.contains(&key) {
                order.push(key);
            }
            rows.entry(key).or_default().push(store);
        }
        for key in order {
            let Some(stores) = rows.remove(&key) else { continue };
            let Some(first) = stores.first().cloned() else { continue };
            let size = first.ty.size() as i64;
            let constant = |own: &Self, store: &Scattered| own.graph.terms(store.offset).1;
            let least = stores.iter().map(|store| constant(self, store)).min().unwrap_or(0);
            let mut values: Vec<Option<(Id, Option<Id>)>> = vec![None; stores.len()];
            for store in &stores {
                let apart = constant(self, store) - least;
                let is_alike =
                    store.ty == first.ty && store.path == first.path && apart % size == 0;
                let place = usize::try_from(apart / size).ok().filter(|_| is_alike);
                let place = place.and_then(|place| values.get_mut(place)).ok_or_else(no)?;
                if place.replace((store.value, store.guard)).is_some() {
                    return Err(no());
                }
            }
            let values: Vec<(Id, Option<Id>)> =
                values.into_iter().collect::<Option<_>>().ok_or_else(no)?;
            let places: Vec<i64> = (0..values.len() as i64).collect();
            let ids: Vec<Id> = values.iter().map(|(value, _)| *value).collect();
            let (terms, _) = self.graph.terms(first.offset);
            let offset = self.graph.linear(terms, least);
            if ids.iter().any(|id| self.reads_any(*id, &written)) {
                return Err(no());
            }
            written.insert(key.0);
            let mut value = self.template(&ids, &places).ok_or_else(no)?;
            let guards: Option<Vec<Id>> = values.iter().map(|(_, guard)| *guard).collect();
            let mut length = self.graph.integer(values.len() as i64);
            match guards {
                // A condition that holds for all of them is none.
                Some(guards) if guards.iter().all(|g| self.graph.as_truth(*g) == Some(true)) => {}
                Some(guards) => {
                    let guard = self.template(&guards, &places).ok_or_else(no)?;
                    let end = end_of(&mut self.graph, guard).ok_or_else(no)?;
                    value = self.chosen(value, end, true);
                    length = self.graph.integer_op(IntegerOp::Minimum, Scalar::I64, end, length);
                }
                None if values.iter().all(|(_, guard)| guard.is_none()) => {}
                None => return Err(no()),
            }
            // What is only loaded before the end of a row may not be there behind it. In place, an
            // element comes from where it goes to.
            let is_apart = self.vectors_of(value, key.0).iter().all(|start| *start == offset);
            if self.outer_end(value) != Some(None) || !is_apart {
                return Err(no());
            }
            let zero = self.graph.constant(Constant::integer(Scalar::I64, 0));
            for guard in &first.path {
                length = self.graph.select(*guard, length, zero);
            }
            let is_fixed = |id: Id| {
                !self.graph.any(id, &|op| {
                    matches!(op, Op::Carried(_) | Op::Partial(..) | Op::Scaled(..) | Op::Undefined)
                })
            };
            if !is_fixed(value) || !is_fixed(length) {
                return Err(no());
            }
            self.staged.retain(|(base, at), _| *base != key.0 || *at == offset);
            self.staged.insert((key.0, offset), (value, first.ty));
            self.items.push(Item::Phase(Phase {
                length,
                stores: vec![VectorStore { base: key.0, offset, ty: first.ty, value }],
                reductions: Vec::new(),
                guards: Vec::new(),
                conditions: first.path.clone(),
                location: first.location,
            }));
        }
        Ok(())
    }
}

/// `place < end` as the end.
fn end_of(graph: &mut Graph, condition: Id) -> Option<Id> {
    let Op::Compare(op) = *graph.op(condition) else { return None };
    let [left, right] = graph.node(condition).args[..] else { return None };
    let (low, high, plus) = match op {
        CompareOp::Less => (left, right, 0),
        CompareOp::LessEqual => (left, right, 1),
        CompareOp::Greater => (right, left, 0),
        CompareOp::GreaterEqual => (right, left, 1),
        _ => return None,
    };
    let element = graph.leaf(Op::Element, Scalar::I64);
    let difference = graph.plus(high, low, -1);
    let (mut terms, constant) = graph.terms(difference);
    if terms.remove(&element) != Some(-1) {
        return None;
    }
    let end = graph.linear(terms, constant + plus);
    (!graph.any(end, &|op| *op == Op::Element)).then_some(end)
}
