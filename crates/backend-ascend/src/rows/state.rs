//! Running values of several parts: how many elements, their mean and squared deviations; a maximum
//! and a sum of exponentials about it; an extremum and its place.
//!
//! Formulas for adding an element and for joining two threads' values differ from program to program,
//! so none is known here. What a value means is: the parts of what a set of elements has. An
//! expression is held to be such a part where it has its value for many sets of random numbers, with
//! and without elements, ties and numbers that are none.

use port_ir::{Conversion, FloatOp, IntegerOp, MathFunction, Scalar, UnaryOp};
use rustc_hash::FxHashMap;

use super::execute::{Executor, Item};
use super::graph::{Graph, Id, Op};

/// What a running value is of the elements that were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Count,
    Mean,
    /// The sum of squares of the distances from the mean.
    Deviations,
    /// The largest or smallest.
    Extreme,
    /// The sum of exponentials of the distances from the largest.
    Exponentials,
    /// Where the extremum is.
    Place,
}

/// Which parts belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Moments,
    Exponentials,
    Extremum {
        largest: bool,
        /// A NaN is more than every number.
        nan_wins: bool,
        /// What equals the value at the start is no element.
        beyond: bool,
    },
}

/// Running values that belong together.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub kind: Kind,
    /// The reduction of each part, and what it starts from.
    pub members: Vec<(u32, Part, Id)>,
}

/// A local variable's number, and the byte at which a member of it begins.
pub(super) type VariableKey = (u32, u64);

/// A variable that a loop over a row changes.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub key: VariableKey,
    pub ty: Scalar,
    /// Its value before a pass, and after it.
    pub node: Id,
    pub next: Id,
    /// Before the loop.
    pub entry: Id,
    /// Whether it is known as a fold or a counter of its own.
    pub is_known: bool,
}

/// What a group of variables is.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub kind: Kind,
    /// Indices of variables, with their parts.
    pub parts: Vec<(usize, Part)>,
    /// The element's value, and its place for an extremum, in terms of [`Op::Element`].
    pub term: Id,
    pub place: Option<Id>,
}

/// Elements: their values and places.
pub(super) type Sample = Vec<(f64, f64)>;

/// Larger expressions are no update.
const MAX_NODES: usize = 400;
pub(super) const TRIALS: u32 = 48;

/// Numbers that are the same in every run.
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// In (-2, 2).
    pub fn float(&mut self) -> f64 {
        self.next() as f64 / f64::from(1u32 << 31) * 4.0 - 2.0
    }

    /// A value of an element.
    pub fn value(&mut self, kind: Kind) -> f64 {
        let Kind::Extremum { largest, .. } = kind else { return self.float() };
        match self.next() % 9 {
            0 => f64::NAN,
            1 if largest => f64::NEG_INFINITY,
            1 => f64::INFINITY,
            // Ties are as likely as not.
            n => [-1.5, -1.0, 0.5, 1.0][n as usize % 4],
        }
    }
}

/// The value of a part for some elements; `about` are those whose maximum exponentials are about.
pub(super) fn value_of(
    kind: Kind,
    part: Part,
    own: &Sample,
    about: &Sample,
    start: &dyn Fn(Part) -> f64,
) -> f64 {
    let largest = !matches!(kind, Kind::Extremum { largest: false, .. });
    let nan_wins = matches!(kind, Kind::Extremum { nan_wins: true, .. });
    let extreme = |sample: &Sample| {
        let own = sample.iter().map(|(value, _)| *value);
        if nan_wins && own.clone().any(f64::is_nan) {
            return f64::NAN;
        }
        own.fold(start(Part::Extreme), |a, b| if largest { a.max(b) } else { a.min(b) })
    };
    let count = own.len() as f64;
    let mean = || match own.is_empty() {
        true => start(Part::Mean),
        false => own.iter().map(|(value, _)| value).sum::<f64>() / count,
    };
    match part {
        Part::Count => count,
        Part::Mean => mean(),
        Part::Deviations => {
            let mean = mean();
            own.iter().map(|(value, _)| (value - mean) * (value - mean)).sum()
        }
        Part::Extreme => extreme(own),
        Part::Exponentials => {
            let largest = extreme(about);
            own.iter().map(|(value, _)| (value - largest).exp()).sum()
        }
        Part::Place => {
            let best = extreme(own);
            let is_best = |value: f64| match kind {
                _ if best.is_nan() => value.is_nan(),
                Kind::Extremum { beyond: true, .. } => {
                    value == best && value != start(Part::Extreme)
                }
                _ => value == best,
            };
            let places = own.iter().filter(|(value, _)| is_best(*value)).map(|(_, place)| *place);
            places.reduce(f64::min).unwrap_or_else(|| start(Part::Place))
        }
    }
}

/// The number that an expression has, given numbers for some of its nodes.
pub(super) struct Numbers<'g> {
    pub graph: &'g Graph,
    pub known: FxHashMap<Id, f64>,
    pub trial: u32,
}

impl Numbers<'_> {
    pub fn of(&mut self, id: Id, depth: u32) -> Option<f64> {
        if let Some(known) = self.known.get(&id) {
            return Some(*known);
        }
        if depth > MAX_NODES as u32 {
            return None;
        }
        let graph = self.graph;
        let mut args = Vec::with_capacity(graph.node(id).args.len());
        for arg in &graph.node(id).args {
            args.push(self.of(*arg, depth + 1)?);
        }
        let value = number(graph, id, &args, self.trial)?;
        self.known.insert(id, value);
        Some(value)
    }
}

/// The number that an operation makes of numbers.
pub(super) fn number(graph: &Graph, id: Id, args: &[f64], trial: u32) -> Option<f64> {
    let node = graph.node(id);
    if node.ty.is_float() && node.ty != Scalar::F32 {
        return None;
    }
    let truth = |holds: bool| f64::from(u8::from(holds));
    let value = match (&node.op, args) {
        (Op::Constant(constant), _) if constant.scalar == Scalar::Bool => truth(constant.bits != 0),
        (Op::Constant(_), _) => match graph.as_integer(id) {
            Some(value) => value as f64,
            None => graph.as_float(id)?,
        },
        // Whatever it is, it is large: bounds lie behind the places of elements.
        (Op::Parameter(..) | Op::Builtin(_) | Op::Row | Op::Warp | Op::Warps, _) => {
            let mut random = Random(u64::from(id) * 977 + u64::from(trial));
            random.next();
            1e6 + (random.next() % 100_000) as f64
        }
        (Op::Linear(factors, constant), _) => {
            let terms = args.iter().zip(factors).map(|(arg, factor)| arg * *factor as f64);
            terms.sum::<f64>() + *constant as f64
        }
        (Op::Product, _) => args.iter().product(),
        (Op::Unary(op), [a]) => match op {
            UnaryOp::Negate => -a,
            UnaryOp::Absolute => a.abs(),
            UnaryOp::Not if node.ty == Scalar::Bool => truth(*a == 0.0),
            UnaryOp::Not => return None,
        },
        (Op::Float(op), [a, b]) => match op {
            FloatOp::Add => a + b,
            FloatOp::Subtract => a - b,
            FloatOp::Multiply => a * b,
            FloatOp::Divide => a / b,
            FloatOp::Maximum => a.max(*b),
            FloatOp::Minimum => a.min(*b),
            _ => return None,
        },
        (Op::Integer(op), [a, b]) => match op {
            IntegerOp::And if node.ty == Scalar::Bool => truth(*a != 0.0 && *b != 0.0),
            IntegerOp::Or if node.ty == Scalar::Bool => truth(*a != 0.0 || *b != 0.0),
            IntegerOp::Xor if node.ty == Scalar::Bool => truth(a != b),
            IntegerOp::Minimum => a.min(*b),
            IntegerOp::Maximum => a.max(*b),
            _ => return None,
        },
        (Op::Compare(op), [a, b]) => truth(op.holds(a, b)),
        (Op::Select, [c, a, b]) => {
            if *c != 0.0 {
                *a
            } else {
                *b
            }
        }
        (Op::Convert(Conversion::IntegerToFloat(_) | Conversion::FloatToFloat { .. }), [a]) => *a,
        (Op::Math(function), [a]) => match function {
            MathFunction::Exp => a.exp(),
            MathFunction::Exp2 => a.exp2(),
            MathFunction::Log => a.ln(),
            MathFunction::SquareRoot => a.sqrt(),
            MathFunction::ReciprocalSquareRoot => 1.0 / a.sqrt(),
            MathFunction::Reciprocal => 1.0 / a,
            _ => return None,
        },
        _ => return None,
    };
    Some(value)
}

pub(super) fn is_same(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

/// The parts that variables of these types may be, in every order.
fn arrangements(types: &[Scalar]) -> Vec<(Kind, Vec<Part>)> {
    let is_float: Vec<bool> = types.iter().map(|ty| *ty == Scalar::F32).collect();
    let mut kinds = vec![
        (Kind::Moments, vec![Part::Count, Part::Mean, Part::Deviations]),
        (Kind::Moments, vec![Part::Count, Part::Mean]),
        (Kind::Exponentials, vec![Part::Extreme, Part::Exponentials]),
    ];
    for bits in 0..8 {
        let (largest, nan_wins, beyond) = (bits & 4 == 0, bits & 1 != 0, bits & 2 != 0);
        let kind = Kind::Extremum { largest, nan_wins, beyond };
        kinds.push((kind, vec![Part::Extreme, Part::Place]));
    }
    let mut found = Vec::new();
    for (kind, parts) in kinds.into_iter().filter(|(_, parts)| parts.len() == types.len()) {
        let mut orders: Vec<Vec<Part>> = vec![Vec::new()];
        for float in &is_float {
            let mut longer = Vec::new();
            for order in &orders {
                for part in parts.iter().filter(|part| !order.contains(part)) {
                    let fits = match part {
                        Part::Count => true,
                        Part::Place => !float,
                        _ => *float,
                    };
                    if fits {
                        let mut next = order.clone();
                        next.push(*part);
                        longer.push(next);
                    }
                }
            }
            orders = longer;
        }
        found.extend(orders.into_iter().map(|order| (kind, order)));
    }
    found
}

impl Executor<'_, '_> {
    /// What the variables of a loop are that depend on one another.
    pub(super) fn states(&mut self, variables: &[Variable], width: i64) -> Vec<Found> {
        let uses = |graph: &Graph, of: &Variable, other: &Variable| {
            let Op::Carried(number) = *graph.op(other.node) else { return false };
            graph.any(of.next, &|op| *op == Op::Carried(number))
        };
        let mut taken = vec![false; variables.len()];
        let mut found = Vec::new();
        for (first, variable) in variables.iter().enumerate() {
            if variable.is_known || taken[first] {
                continue;
            }
            let mut group = vec![first];
            let mut at = 0;
            while at < group.len() && group.len() <= 4 {
                let own = &variables[group[at]];
                for (index, other) in variables.iter().enumerate() {
                    let belongs = uses(&self.graph, own, other)
                        || !other.is_known && uses(&self.graph, other, own);
                    if belongs && !group.contains(&index) {
                        group.push(index);
                    }
                }
                at += 1;
            }
            group.iter().for_each(|index| taken[*index] = true);
            if (2..=3).contains(&group.len())
                && let Some(state) = self.state(variables, &group, width)
            {
                found.push(state);
            }
        }
        found
    }

    fn state(&mut self, variables: &[Variable], group: &[usize], width: i64) -> Option<Found> {
        // What a pass adds: values and places that do not depend on the pass before.
        let mut data = Vec::new();
        let mut places = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut open: Vec<Id> = group.iter().map(|index| variables[*index].next).collect();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > MAX_NODES {
                return None;
            }
            if self.graph.any(id, &|op| matches!(op, Op::Carried(_))) {
                open.extend(&self.graph.node(id).args);
                continue;
            }
            let varies =
                self.graph.any(id, &|op| matches!(op, Op::Element | Op::Load(..) | Op::Vector(..)));
            match self.graph.node(id).ty {
                _ if !varies => {}
                Scalar::Bool => open.extend(&self.graph.node(id).args),
                Scalar::F32 => data.push(id),
                ty if ty.is_integer() => places.push(id),
                _ => return None,
            }
        }
        if data.len() as i64 != width {
            return None;
        }
        let mut parts = Vec::new();
        for id in &data {
            parts.push((self.part_of(*id, width).ok()??, *id));
        }
        parts.sort_unstable();
        if parts.iter().enumerate().any(|(index, (part, _))| index as i64 != *part) {
            return None;
        }
        let vector = |own: &mut Self, ids: &[Id]| {
            let mut made = None;
            for (part, id) in ids.iter().enumerate() {
                let value = own.as_vector(*id, width, Some(part as i64)).ok()?;
                if *made.get_or_insert(value) != value {
                    return None;
                }
            }
            made
        };
        let data: Vec<Id> = parts.into_iter().map(|(_, id)| id).collect();
        let term = vector(self, &data)?;
        places.sort_by_key(|id| self.graph.terms(*id).1);
        let place = match places.len() as i64 {
            0 => None,
            n if n == width => Some(vector(self, &places)?),
            _ => return None,
        };

        let types: Vec<Scalar> = group
            .iter()
            .map(|index| match variables[*index].ty {
                ty if ty.is_integer() => Scalar::I64,
                ty => ty,
            })
            .collect();
        for (kind, order) in arrangements(&types) {
            if order.contains(&Part::Place) != place.is_some() {
                continue;
            }
            let zeros = order.iter().zip(group).all(|(part, index)| {
                let entry = variables[*index].entry;
                let is_zero = self.graph.as_integer(entry) == Some(0)
                    || self.graph.as_float(entry) == Some(0.0);
                matches!(part, Part::Extreme | Part::Place) || is_zero
            });
            let held = zeros
                && (0..TRIALS).all(|trial| {
                    self.adds(variables, group, (kind, &order), (&data, &places, place), trial)
                });
            if held {
                let parts = group.iter().copied().zip(order).collect();
                return Some(Found { kind, parts, term, place });
            }
        }
        None
    }

    /// Whether a pass makes of the values of some elements those with its own elements too.
    fn adds(
        &self,
        variables: &[Variable],
        group: &[usize],
        (kind, order): (Kind, &[Part]),
        (data, places, place): (&[Id], &[Id], Option<Id>),
        trial: u32,
    ) -> bool {
        let mut random = Random(u64::from(trial) * 7919 + 1);
        let mut numbers = Numbers { graph: &self.graph, known: FxHashMap::default(), trial };
        let mut starts = Vec::new();
        for (part, index) in order.iter().zip(group) {
            let Some(start) = numbers.of(variables[*index].entry, 0) else { return false };
            starts.push((*part, start));
        }
        let start = |part: Part| {
            starts.iter().find(|(own, _)| *own == part).map_or(0.0, |(_, start)| *start)
        };
        // Places of elements that were seen before lie before those of the pass.
        let element = self.graph.find_leaf(&Op::Element);
        let place_at = |at: usize| {
            let Some(place) = place else { return Some(0.0) };
            let mut numbers = Numbers { graph: &self.graph, known: FxHashMap::default(), trial };
            numbers.known.insert(element?, at as f64);
            numbers.of(place, 0)
        };
        let before = [0, 1, 2, 3][trial as usize / 4 % 4];
        let mut sample = Sample::new();
        for at in 0..before {
            let Some(place) = place_at(at) else { return false };
            sample.push((random.value(kind), place));
        }
        let mut known = FxHashMap::default();
        for (part, index) in order.iter().zip(group) {
            let value = value_of(kind, *part, &sample, &sample, &start);
            known.insert(variables[*index].node, value);
        }
        for (at, id) in data.iter().enumerate() {
            let Some(place) = place_at(50 * data.len() + at) else { return false };
            // What is no number, the extreme itself and a tie come up for certain.
            let value = match (kind, trial % 4, sample.last()) {
                (Kind::Extremum { .. }, 0, _) if at == 0 => f64::NAN,
                (Kind::Extremum { largest: true, .. }, 1, _) if at == 0 => f64::NEG_INFINITY,
                (Kind::Extremum { .. }, 1, _) if at == 0 => f64::INFINITY,
                (Kind::Extremum { .. }, 2, Some((last, _))) if at == 0 => *last,
                _ => random.value(kind),
            };
            sample.push((value, place));
            known.insert(*id, value);
            if let Some(own) = places.get(at) {
                known.insert(*own, place);
            }
        }
        let mut numbers = Numbers { graph: &self.graph, known, trial };
        order.iter().zip(group).all(|(part, index)| {
            let Some(own) = numbers.of(variables[*index].next, 0) else { return false };
            is_same(own, value_of(kind, *part, &sample, &sample, &start))
        })
    }

    /// Results that are computed from others, where they are used.
    pub(super) fn compute_formulas(&mut self) {
        if self.formulas.is_empty() {
            return;
        }
        let mut known = FxHashMap::default();
        for (reduction, formula) in self.formulas.clone() {
            let total = self.graph.total(reduction);
            known.insert(total, formula);
        }
        let mut items = std::mem::take(&mut self.items);
        let graph = &mut self.graph;
        let mut replace = |id: &mut Id| *id = graph.replace(*id, &mut known, &mut |_, _| None);
        for item in &mut items {
            match item {
                Item::Phase(phase) => {
                    replace(&mut phase.length);
                    phase.guards.iter_mut().for_each(&mut replace);
                    for store in &mut phase.stores {
                        replace(&mut store.offset);
                        replace(&mut store.value);
                    }
                }
                Item::Store(store) => {
                    replace(&mut store.offset);
                    replace(&mut store.value);
                    store.guards.iter_mut().for_each(&mut replace);
                }
            }
        }
        for reduction in &mut self.reductions {
            replace(&mut reduction.term);
            reduction.init.iter_mut().for_each(&mut replace);
        }
        self.items = items;
    }
}
