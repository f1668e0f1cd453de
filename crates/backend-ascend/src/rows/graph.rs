//! Values of a row's computation as a graph: equal values are one node, so that "all threads hold
//! the same" is a comparison of numbers.
//!
//! Integers are mathematical ones, sums of products in a normal form: constants wrap as their type
//! does, symbolic ones are taken not to, as in [`port_ir::analysis::affine`].

use std::collections::BTreeMap;

use port_ir::{
    Builtin, CompareOp, Constant, Conversion, FloatOp, Handle, IntegerOp, MathFunction, Scalar,
    UnaryOp, Variable,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::intern::{Few, Set, Sets};
use crate::interned::Table;

/// A node.
pub(super) type Id = u32;

/// What an address starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Base {
    /// What a pointer parameter points at.
    Argument(u32),
    /// A variable of the module.
    Variable(Handle<Variable>),
    /// A local variable, by its index.
    Local(u32),
    /// A parameter itself.
    Parameter(u32),
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    /// A float or truth value, or an integer.
    Constant(Constant),
    /// Nobody has set it.
    Undefined,
    /// A scalar parameter, or the part of one at this path.
    Parameter(u32, Vec<u32>),
    /// The same for all threads of a group.
    Builtin(Builtin),
    /// The row of the loop over rows.
    Row,
    /// The group's number in its block, where warps are groups.
    Warp,
    /// How many groups a block has, where warps are groups.
    Warps,
    /// What a variable holds at the start of a loop's pass.
    Carried(u32),
    /// The place in the row.
    Element,
    /// `Σ factor · term + constant`; the terms are the operands.
    Linear(Few<i64>, i64),
    /// Two or more factors.
    Product,
    Unary(UnaryOp),
    Integer(IntegerOp),
    Float(FloatOp),
    Compare(CompareOp),
    Select,
    Convert(Conversion),
    Math(MathFunction),
    /// The null pointer.
    Null,
    /// Whether a pointer parameter is not null.
    Present(u32),
    /// An address: bytes from a base.
    Pointer(Base),
    /// An element of memory at a byte offset, if all conditions that follow hold; the number says after how
    /// many phases.
    Load(Base, u32),
    /// The element [`Op::Element`] of the vector that starts at a byte offset.
    Vector(Base, u32),
    /// What these threads have reduced so far.
    Partial(u32, Set),
    /// The exponentials of the elements of the first threads about the maximum of the others.
    Scaled(u32, Set, Set),
    /// A reduction's result.
    Total(u32),
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub op: Op,
    pub args: Few<Id>,
    pub ty: Scalar,
}

/// How a row's values become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Fold {
    Sum,
    Maximum,
    Minimum,
    /// The first place at which a truth value holds.
    First,
}

/// All nodes.
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// What the expressions hold: [`HAS_PART`], [`HAS_DATA`].
    holds: Vec<u8>,
    known: Table,
    /// The sets of threads that operations name.
    pub sets: Sets,
    /// For each reduction, how two of its values combine where that is an operation, and its type.
    pub folds: Vec<(Option<Fold>, Scalar)>,
    /// How many threads a group has.
    pub threads: usize,
}

/// A thread's share of a reduction.
const HAS_PART: u8 = 1;
/// What differs from element to element.
const HAS_DATA: u8 = 2;

/// More nodes are no row kernel.
const MAX_NODES: usize = 4_000_000;
/// Longer sums are not kept in the normal form.
const MAX_TERMS: usize = 12;

impl Graph {
    /// Of a group of so many threads.
    pub fn new(threads: usize) -> Self {
        Graph {
            nodes: Vec::new(),
            holds: Vec::new(),
            known: Table::default(),
            sets: Sets::new(threads),
            folds: Vec::new(),
            threads,
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    pub fn op(&self, id: Id) -> &Op {
        &self.node(id).op
    }

    /// Whether an expression is one of threads' shares of reductions, and of nothing that differs from
    /// element to element.
    pub fn is_of_parts(&self, id: Id) -> bool {
        self.holds[id as usize] == HAS_PART
    }

    /// Whether any thread's share of a reduction is in it.
    pub fn has_part(&self, id: Id) -> bool {
        self.holds[id as usize] & HAS_PART != 0
    }

    pub fn is_full(&self) -> bool {
        self.nodes.len() > MAX_NODES
    }

    pub fn add(&mut self, op: Op, args: impl AsRef<[Id]>, ty: Scalar) -> Id {
        self.node_of(op, args.as_ref(), ty)
    }

    fn node_of(&mut self, op: Op, args: &[Id], ty: Scalar) -> Id {
        let hash = Table::hash_of(&(&op, args, ty));
        let is = |id: Id| {
            let node = self.node(id);
            node.ty == ty && node.op == op && node.args.iter().eq(args)
        };
        if let Some(id) = self.known.find(hash, is) {
            return id;
        }
        let own = match &op {
            Op::Partial(..) | Op::Scaled(..) | Op::Total(_) => HAS_PART,
            Op::Load(..)
            | Op::Vector(..)
            | Op::Element
            | Op::Carried(_)
            | Op::Undefined
            | Op::Pointer(_) => HAS_DATA,
            _ => 0,
        };
        let holds = args.iter().fold(own, |holds, arg| holds | self.holds[*arg as usize]);
        self.holds.push(holds);
        self.nodes.push(Node { op, args: args.into(), ty });
        self.known.push(hash)
    }

    pub fn leaf(&mut self, op: Op, ty: Scalar) -> Id {
        self.node_of(op, &[], ty)
    }

    pub fn undefined(&mut self) -> Id {
        self.leaf(Op::Undefined, Scalar::I64)
    }

    pub fn constant(&mut self, constant: Constant) -> Id {
        if constant.scalar.is_integer() {
            return self.integer(constant.as_integer().unwrap_or(0) as i64);
        }
        self.leaf(Op::Constant(constant), constant.scalar)
    }

    pub fn truth(&mut self, value: bool) -> Id {
        self.constant(Constant::bool(value))
    }

    pub fn integer(&mut self, value: i64) -> Id {
        self.leaf(Op::Constant(Constant::integer(Scalar::I64, value)), Scalar::I64)
    }

    pub fn as_integer(&self, id: Id) -> Option<i64> {
        match self.op(id) {
            Op::Constant(c) if c.scalar == Scalar::I64 => Some(c.bits as i64),
            _ => None,
        }
    }

    pub fn as_truth(&self, id: Id) -> Option<bool> {
        match self.op(id) {
            Op::Constant(c) if c.scalar == Scalar::Bool => Some(c.bits != 0),
            _ => None,
        }
    }

    pub fn as_float(&self, id: Id) -> Option<f64> {
        match self.op(id) {
            Op::Constant(c) => c.as_float(),
            _ => None,
        }
    }

    /// An integer as terms with factors, and the rest.
    pub fn terms(&self, id: Id) -> (BTreeMap<Id, i64>, i64) {
        match self.op(id) {
            Op::Linear(factors, constant) => {
                let terms = self.node(id).args.iter().copied().zip(factors.iter().copied());
                (terms.collect(), *constant)
            }
            _ => match self.as_integer(id) {
                Some(value) => (BTreeMap::new(), value),
                None => (BTreeMap::from([(id, 1)]), 0),
            },
        }
    }

    pub fn linear(&mut self, terms: BTreeMap<Id, i64>, constant: i64) -> Id {
        let (args, factors): (Vec<Id>, Vec<i64>) =
            terms.into_iter().filter(|(_, factor)| *factor != 0).unzip();
        self.sum(&args, &factors, constant)
    }

    /// Of terms in their order, none of which is nothing.
    fn sum(&mut self, args: &[Id], factors: &[i64], constant: i64) -> Id {
        match (args, factors, constant) {
            ([], ..) => self.integer(constant),
            ([id], [1], 0) => *id,
            _ => self.node_of(Op::Linear(factors.into(), constant), args, Scalar::I64),
        }
    }

    /// An integer's terms, their factors and the rest.
    fn parts<'g>(&'g self, id: &'g Id) -> (&'g [Id], &'g [i64], i64) {
        match self.op(*id) {
            Op::Linear(factors, constant) => (&self.node(*id).args, factors, *constant),
            _ => match self.as_integer(*id) {
                Some(value) => (&[], &[], value),
                None => (std::slice::from_ref(id), &[1], 0),
            },
        }
    }

    /// What varies of an integer, and its constant.
    pub fn split(&mut self, id: Id) -> (Id, i64) {
        let (args, factors, constant) = self.parts(&id);
        if constant == 0 && !args.is_empty() {
            return (id, 0);
        }
        let (args, factors) = (args.to_vec(), factors.to_vec());
        (self.sum(&args, &factors, 0), constant)
    }

    /// `a + factor · b`.
    pub fn plus(&mut self, a: Id, b: Id, factor: i64) -> Id {
        let (mut args, mut factors) = (Vec::new(), Vec::new());
        let (left, left_factors, left_rest) = self.parts(&a);
        let (right, right_factors, right_rest) = self.parts(&b);
        let constant = left_rest.wrapping_add(right_rest.wrapping_mul(factor));
        let (mut i, mut j) = (0, 0);
        while i < left.len() || j < right.len() {
            let (own, other) = (left.get(i), right.get(j));
            let (mut id, mut sum) = (0, 0i64);
            // Both are in the order of their terms.
            if let Some(own) = own.filter(|own| other.is_none_or(|other| *own <= other)) {
                (id, sum) = (*own, left_factors[i]);
                i += 1;
            }
            if let Some(other) = other.filter(|other| own.is_none_or(|own| other <= &own)) {
                id = *other;
                sum = sum.wrapping_add(right_factors[j].wrapping_mul(factor));
                j += 1;
            }
            if sum != 0 {
                args.push(id);
                factors.push(sum);
            }
        }
        self.sum(&args, &factors, constant)
    }

    pub fn times(&mut self, a: Id, b: Id) -> Id {
        for (number, other) in [(a, b), (b, a)] {
            if let Some(factor) = self.as_integer(number) {
                let zero = self.integer(0);
                return self.plus(zero, other, factor);
            }
        }
        let ((left, left_rest), (right, right_rest)) = (self.terms(a), self.terms(b));
        if left.len() * right.len() > MAX_TERMS {
            let mut args = [a, b];
            args.sort_unstable();
            return self.add(Op::Product, args, Scalar::I64);
        }
        let mut sum = BTreeMap::new();
        let mut put = |id: Id, factor: i64| {
            let entry: &mut i64 = sum.entry(id).or_insert(0);
            *entry = entry.wrapping_add(factor);
        };
        for (x, f) in &left {
            put(*x, f.wrapping_mul(right_rest));
        }
        for (y, g) in &right {
            put(*y, g.wrapping_mul(left_rest));
        }
        let mut products = Vec::new();
        for (x, f) in &left {
            for (y, g) in &right {
                products.push((*x, *y, f.wrapping_mul(*g)));
            }
        }
        for (x, y, factor) in products {
            let factors = |graph: &Graph, id: Id| match graph.op(id) {
                Op::Product => graph.node(id).args.to_vec(),
                _ => vec![id],
            };
            let mut args = factors(self, x);
            args.extend(factors(self, y));
            args.sort_unstable();
            let id = self.add(Op::Product, args, Scalar::I64);
            let entry = sum.entry(id).or_insert(0);
            *entry = entry.wrapping_add(factor);
        }
        self.linear(sum, left_rest.wrapping_mul(right_rest))
    }

    /// An integer operation of operands of a type.
    pub fn integer_op(&mut self, op: IntegerOp, scalar: Scalar, a: Id, b: Id) -> Id {
        if scalar == Scalar::Bool {
            return self.logic(op, a, b);
        }
        if let (Some(x), Some(y)) = (self.as_integer(a), self.as_integer(b)) {
            return match fold(op, scalar, x, y) {
                Some(value) => self.constant(Constant::integer(scalar, value)),
                None => self.undefined(),
            };
        }
        match op {
            IntegerOp::Add => self.plus(a, b, 1),
            IntegerOp::Subtract => self.plus(a, b, -1),
            IntegerOp::Multiply => self.times(a, b),
            IntegerOp::ShiftLeft => match self.as_integer(b) {
                Some(by @ 0..=62) => {
                    let factor = self.integer(1 << by);
                    self.times(a, factor)
                }
                _ => self.add(Op::Integer(op), [a, b], scalar),
            },
            IntegerOp::ShiftRight => match self.as_integer(b) {
                Some(by @ 0..=30) => self.divide(a, 1 << by, op, b, scalar),
                _ => self.add(Op::Integer(op), [a, b], scalar),
            },
            IntegerOp::Divide => match self.as_integer(b) {
                Some(by) if by > 0 => self.divide(a, by, op, b, scalar),
                _ => self.add(Op::Integer(op), [a, b], scalar),
            },
            IntegerOp::Remainder => match self.as_integer(b) {
                Some(by) if by > 0 => self.remainder(a, by, op, b, scalar),
                _ => self.add(Op::Integer(op), [a, b], scalar),
            },
            IntegerOp::And => match (self.as_integer(a), self.as_integer(b)) {
                (_, Some(mask)) if mask > 0 && mask & (mask + 1) == 0 => {
                    self.remainder(a, mask + 1, op, b, scalar)
                }
                (Some(mask), _) if mask > 0 && mask & (mask + 1) == 0 => {
                    self.remainder(b, mask + 1, op, a, scalar)
                }
                _ => self.add(Op::Integer(op), [a, b], scalar),
            },
            IntegerOp::Minimum | IntegerOp::Maximum => {
                let args = if a <= b { [a, b] } else { [b, a] };
                self.add(Op::Integer(op), args, scalar)
            }
            _ => self.add(Op::Integer(op), [a, b], scalar),
        }
    }

    /// Whether all that it is made of are numbers of threads, warps and blocks: never negative.
    fn is_counted(&self, terms: &BTreeMap<Id, i64>) -> bool {
        let is_number =
            |id: &Id| matches!(self.op(*id), Op::Warp | Op::Warps | Op::Builtin(_) | Op::Row);
        terms.iter().all(|(id, factor)| {
            let is_product =
                matches!(self.op(*id), Op::Product) && self.node(*id).args.iter().all(is_number);
            *factor > 0 && (is_number(id) || is_product)
        })
    }

    /// `(32 · warp + lane) / 32` is the warp.
    fn divide(&mut self, a: Id, by: i64, op: IntegerOp, b: Id, scalar: Scalar) -> Id {
        let (mut terms, constant) = self.terms(a);
        let whole = terms.values().all(|factor| factor % by == 0);
        if whole && constant >= 0 && self.is_counted(&terms) {
            terms.values_mut().for_each(|factor| *factor /= by);
            return self.linear(terms, constant / by);
        }
        if by == 1 {
            return a;
        }
        self.add(Op::Integer(op), [a, b], scalar)
    }

    fn remainder(&mut self, a: Id, by: i64, op: IntegerOp, b: Id, scalar: Scalar) -> Id {
        let (terms, constant) = self.terms(a);
        let whole = terms.values().all(|factor| factor % by == 0);
        if whole && constant >= 0 && self.is_counted(&terms) {
            return self.integer(constant % by);
        }
        if by == 1 {
            return self.integer(0);
        }
        self.add(Op::Integer(op), [a, b], scalar)
    }

    fn logic(&mut self, op: IntegerOp, a: Id, b: Id) -> Id {
        match (op, self.as_truth(a), self.as_truth(b)) {
            (IntegerOp::And, Some(false), _) | (IntegerOp::And, _, Some(false)) => {
                self.truth(false)
            }
            (IntegerOp::And, Some(true), _) => b,
            (IntegerOp::And, _, Some(true)) => a,
            (IntegerOp::Or, Some(true), _) | (IntegerOp::Or, _, Some(true)) => self.truth(true),
            (IntegerOp::Or, Some(false), _) => b,
            (IntegerOp::Or, _, Some(false)) => a,
            (IntegerOp::Xor, Some(x), Some(y)) => self.truth(x != y),
            _ if a == b && op != IntegerOp::Xor => a,
            _ => self.add(Op::Integer(op), [a, b], Scalar::Bool),
        }
    }

    /// Whether it is an integer and no truth value.
    fn is_whole(&self, id: Id) -> bool {
        self.node(id).ty.is_integer() && self.node(id).ty != Scalar::Bool
    }

    pub fn not(&mut self, a: Id) -> Id {
        if let Some(value) = self.as_truth(a) {
            return self.truth(!value);
        }
        if let Op::Unary(UnaryOp::Not) = self.op(a) {
            return self.node(a).args[0];
        }
        // Integers have an order without exceptions.
        if let Op::Compare(op) = *self.op(a) {
            let args = self.node(a).args.clone();
            if self.is_whole(args[0]) {
                let other = match op {
                    CompareOp::Equal => CompareOp::NotEqual,
                    CompareOp::NotEqual => CompareOp::Equal,
                    CompareOp::Less => CompareOp::GreaterEqual,
                    CompareOp::LessEqual => CompareOp::Greater,
                    CompareOp::Greater => CompareOp::LessEqual,
                    CompareOp::GreaterEqual => CompareOp::Less,
                };
                return self.add(Op::Compare(other), args, Scalar::Bool);
            }
        }
        self.add(Op::Unary(UnaryOp::Not), [a], Scalar::Bool)
    }

    pub fn compare(&mut self, op: CompareOp, a: Id, b: Id) -> Id {
        let holds = |order: std::cmp::Ordering| match op {
            CompareOp::Equal => order.is_eq(),
            CompareOp::NotEqual => order.is_ne(),
            CompareOp::Less => order.is_lt(),
            CompareOp::LessEqual => order.is_le(),
            CompareOp::Greater => order.is_gt(),
            CompareOp::GreaterEqual => order.is_ge(),
        };
        if let (Op::Pointer(x), Op::Pointer(y)) = (self.op(a), self.op(b))
            && x == y
        {
            let (x, y) = (self.node(a).args[0], self.node(b).args[0]);
            return self.compare(op, x, y);
        }
        let (pointer, null) = if *self.op(a) == Op::Null { (b, a) } else { (a, b) };
        if let (Op::Pointer(Base::Argument(index)), Op::Null) =
            (self.op(pointer).clone(), self.op(null))
            && self.as_integer(self.node(pointer).args[0]) == Some(0)
        {
            let present = self.leaf(Op::Present(index), Scalar::Bool);
            match op {
                CompareOp::Equal => return self.not(present),
                CompareOp::NotEqual => return present,
                _ => {}
            }
        }
        let is_float = self.node(a).ty.is_float() || self.node(b).ty.is_float();
        if is_float {
            if let (Some(x), Some(y)) = (self.as_float(a), self.as_float(b)) {
                let value = match x.partial_cmp(&y) {
                    Some(order) => holds(order),
                    None => op == CompareOp::NotEqual,
                };
                return self.truth(value);
            }
        } else {
            if self.node(a).ty == Scalar::Bool {
                if let (Some(x), Some(y)) = (self.as_truth(a), self.as_truth(b)) {
                    return self.truth(holds(x.cmp(&y)));
                }
            } else {
                let difference = self.plus(a, b, -1);
                if let Some(value) = self.as_integer(difference) {
                    return self.truth(holds(value.cmp(&0)));
                }
            }
        }
        self.add(Op::Compare(op), [a, b], Scalar::Bool)
    }

    pub fn select(&mut self, condition: Id, accept: Id, reject: Id) -> Id {
        match self.as_truth(condition) {
            Some(true) => return accept,
            Some(false) => return reject,
            None if accept == reject => return accept,
            None => {}
        }
        // What is undefined may be anything.
        if matches!(self.op(accept), Op::Undefined) {
            return reject;
        }
        if matches!(self.op(reject), Op::Undefined) {
            return accept;
        }
        if let Op::Unary(UnaryOp::Not) = self.op(condition) {
            let inner = self.node(condition).args[0];
            return self.select(inner, reject, accept);
        }
        // The larger of two running values, neither of which is NaN.
        if let Op::Compare(op) = *self.op(condition)
            && self.is_partial(accept)
            && self.is_partial(reject)
        {
            let args = &self.node(condition).args;
            let pair = match op {
                CompareOp::Greater | CompareOp::GreaterEqual => Some((args[0], args[1])),
                CompareOp::Less | CompareOp::LessEqual => Some((args[1], args[0])),
                _ => None,
            };
            let ty = self.node(accept).ty;
            match pair {
                Some((high, low)) if (high, low) == (accept, reject) => {
                    return self.float_op(FloatOp::Maximum, ty, accept, reject);
                }
                Some((high, low)) if (high, low) == (reject, accept) => {
                    return self.float_op(FloatOp::Minimum, ty, accept, reject);
                }
                _ => {}
            }
        }
        // Integers have extremes without exceptions.
        if let Op::Compare(op) = *self.op(condition)
            && self.is_whole(accept)
            && self.is_whole(reject)
        {
            let (left, right) = (self.node(condition).args[0], self.node(condition).args[1]);
            let smaller = match op {
                CompareOp::Less | CompareOp::LessEqual => Some((left, right)),
                CompareOp::Greater | CompareOp::GreaterEqual => Some((right, left)),
                _ => None,
            };
            if let Some((low, high)) = smaller {
                let kind = match (accept, reject) {
                    (a, b) if (a, b) == (low, high) => Some(IntegerOp::Minimum),
                    (a, b) if (a, b) == (high, low) => Some(IntegerOp::Maximum),
                    _ => None,
                };
                if let Some(kind) = kind {
                    return self.integer_op(kind, Scalar::I64, low, high);
                }
                // Between two constants: the other bound is in the rest.
                let bound = |graph: &Graph, kind: IntegerOp, value: Id| {
                    let node = graph.node(reject);
                    let other = node.args.iter().copied().find(|arg| *arg != value)?;
                    let is_it = node.op == Op::Integer(kind) && node.args.contains(&value);
                    if is_it { graph.as_integer(other) } else { None }
                };
                if accept == high
                    && let (Some(least), Some(most)) =
                        (self.as_integer(accept), bound(self, IntegerOp::Minimum, low))
                    && least <= most
                {
                    return self.integer_op(IntegerOp::Maximum, Scalar::I64, reject, accept);
                }
                if accept == low
                    && let (Some(most), Some(least)) =
                        (self.as_integer(accept), bound(self, IntegerOp::Maximum, high))
                    && least <= most
                {
                    return self.integer_op(IntegerOp::Minimum, Scalar::I64, reject, accept);
                }
            }
        }
        let ty = self.node(accept).ty;
        self.add(Op::Select, [condition, accept, reject], ty)
    }

    /// Whether it is what threads have reduced, or a constant that stands for nothing.
    fn is_partial(&self, id: Id) -> bool {
        match self.op(id) {
            Op::Partial(r, _) | Op::Total(r) => {
                self.folds.get(*r as usize).is_some_and(|(fold, _)| fold.is_some())
            }
            Op::Constant(c) => c.as_float().is_some_and(|v| !v.is_nan()),
            Op::Float(FloatOp::Maximum | FloatOp::Minimum) => {
                self.node(id).args.iter().all(|arg| self.is_partial(*arg))
            }
            _ => false,
        }
    }

    pub fn partial(&mut self, reduction: u32, thread: usize) -> Id {
        let mut set = vec![0u64; self.sets.words()];
        if let Some(word) = set.get_mut(thread / 64) {
            *word |= 1 << (thread % 64);
        }
        self.of_threads(reduction, &set)
    }

    pub fn of_threads(&mut self, reduction: u32, set: &[u64]) -> Id {
        let count: u32 = set.iter().map(|word| word.count_ones()).sum();
        if count as usize == self.threads {
            return self.total(reduction);
        }
        let ty = self.type_of(reduction);
        let set = self.sets.of(set);
        self.leaf(Op::Partial(reduction, set), ty)
    }

    /// Exponentials of some threads' elements about the maximum of others'.
    pub fn scaled(&mut self, reduction: u32, own: &[u64], about: &[u64]) -> Id {
        let ty = self.type_of(reduction);
        let (own, about) = (self.sets.of(own), self.sets.of(about));
        self.leaf(Op::Scaled(reduction, own, about), ty)
    }

    pub fn total(&mut self, reduction: u32) -> Id {
        let ty = self.type_of(reduction);
        self.leaf(Op::Total(reduction), ty)
    }

    fn type_of(&self, reduction: u32) -> Scalar {
        self.folds.get(reduction as usize).map_or(Scalar::F32, |(_, ty)| *ty)
    }

    fn has_fold(&self, reduction: u32, fold: Fold) -> bool {
        self.folds.get(reduction as usize).is_some_and(|(own, _)| *own == Some(fold))
    }

    /// The node of an operation without operands, if there is one.
    pub fn find_leaf(&self, op: &Op) -> Option<Id> {
        let (args, ty): (&[Id], Scalar) = (&[], Scalar::I64);
        let is = |id: Id| self.op(id) == op && self.node(id).ty == ty;
        self.known.find(Table::hash_of(&(op, args, ty)), is)
    }

    /// Two running values of one reduction as one, if no thread counts twice where that matters.
    fn merge(&mut self, fold: Fold, a: Id, b: Id) -> Option<Id> {
        let merged = match (self.op(a), self.op(b)) {
            (Op::Partial(x, own), Op::Partial(y, other)) if x == y => {
                let (own, other) = (self.sets.bits(*own), self.sets.bits(*other));
                let is_apart = own.iter().zip(other).all(|(a, b)| a & b == 0);
                if !self.has_fold(*x, fold) || !is_apart && fold == Fold::Sum {
                    return None;
                }
                let set: Vec<u64> = own.iter().zip(other).map(|(a, b)| a | b).collect();
                Some((*x, set))
            }
            (Op::Total(x), Op::Partial(y, _) | Op::Total(y))
            | (Op::Partial(x, _), Op::Total(y))
                if x == y && fold != Fold::Sum =>
            {
                if !self.has_fold(*x, fold) {
                    return None;
                }
                return Some(self.total(*x));
            }
            _ => None,
        };
        merged.map(|(reduction, set)| self.of_threads(reduction, &set))
    }

    pub fn float_op(&mut self, op: FloatOp, ty: Scalar, a: Id, b: Id) -> Id {
        let zero = |graph: &Graph, id: Id| graph.as_float(id) == Some(0.0);
        match op {
            FloatOp::Add => {
                if let Some(id) = self.merge(Fold::Sum, a, b) {
                    return id;
                }
                // A sum that starts with 0 is never -0.
                let is_running = |graph: &Graph, id: Id| graph.is_running_from(id, Fold::Sum);
                if zero(self, a) && (zero(self, b) || is_running(self, b)) {
                    return b;
                }
                if zero(self, b) && is_running(self, a) {
                    return a;
                }
            }
            FloatOp::Maximum | FloatOp::Minimum => return self.extreme(op, ty, a, b),
            _ => {}
        }
        self.add(Op::Float(op), [a, b], ty)
    }

    /// A maximum of constants, running values and others: each once.
    fn extreme(&mut self, op: FloatOp, ty: Scalar, a: Id, b: Id) -> Id {
        if a == b {
            return a;
        }
        let fold = if op == FloatOp::Maximum { Fold::Maximum } else { Fold::Minimum };
        let mut found: Vec<Id> = Vec::new();
        let mut open = vec![b, a];
        while let Some(id) = open.pop() {
            if *self.op(id) == Op::Float(op) && self.is_partial(id) {
                open.extend(self.node(id).args.iter().rev());
                continue;
            }
            let mut own = id;
            let mut index = 0;
            while let Some(other) = found.get(index).copied() {
                let joined = if other == own {
                    Some(own)
                } else if let (Some(x), Some(y)) = (self.as_float(own), self.as_float(other)) {
                    let larger = (x >= y) == (op == FloatOp::Maximum);
                    (!x.is_nan() && !y.is_nan()).then_some(if larger { own } else { other })
                } else {
                    self.merge(fold, own, other)
                };
                match joined {
                    Some(joined) => {
                        found.remove(index);
                        own = joined;
                        index = 0;
                    }
                    None => index += 1,
                }
            }
            found.push(own);
        }
        // What the running value starts from is in it already.
        if found.iter().any(|id| self.is_running_from(*id, fold)) {
            let infinite = if fold == Fold::Maximum { f64::NEG_INFINITY } else { f64::INFINITY };
            found.retain(|id| self.as_float(*id) != Some(infinite));
        }
        if found.len() > 1 && found.iter().all(|id| self.is_partial(*id)) {
            found.sort_unstable();
        }
        let mut ids = found.into_iter();
        let Some(mut result) = ids.next() else { return a };
        for id in ids {
            result = self.add(Op::Float(op), [result, id], ty);
        }
        result
    }

    fn is_running_from(&self, id: Id, fold: Fold) -> bool {
        match self.op(id) {
            Op::Partial(r, _) | Op::Total(r) => self.has_fold(*r, fold),
            _ => false,
        }
    }

    /// The graph of `id` with leaves replaced.
    pub fn replace(
        &mut self,
        id: Id,
        known: &mut FxHashMap<Id, Id>,
        leaf: &mut dyn FnMut(&mut Graph, Id) -> Option<Id>,
    ) -> Id {
        if let Some(done) = known.get(&id) {
            return *done;
        }
        // Operands are older than their users, so this ends.
        let mut stack = vec![(id, false)];
        while let Some((next, ready)) = stack.pop() {
            if known.contains_key(&next) {
                continue;
            }
            if !ready {
                stack.push((next, true));
                stack.extend(self.node(next).args.iter().map(|arg| (*arg, false)));
                continue;
            }
            let args: Vec<Id> = self
                .node(next)
                .args
                .iter()
                .map(|arg| known.get(arg).copied().unwrap_or(*arg))
                .collect();
            let made = self.rebuild(next, &args);
            let made = leaf(self, made).unwrap_or(made);
            known.insert(next, made);
        }
        known.get(&id).copied().unwrap_or(id)
    }

    pub fn rebuild(&mut self, id: Id, args: &[Id]) -> Id {
        let node = self.node(id).clone();
        if *node.args == *args {
            return id;
        }
        match (&node.op, args) {
            (Op::Linear(factors, constant), _) => {
                let mut sum = self.integer(*constant);
                for (arg, factor) in args.iter().zip(factors) {
                    sum = self.plus(sum, *arg, *factor);
                }
                sum
            }
            (Op::Product, [first, rest @ ..]) => {
                let mut product = *first;
                for arg in rest {
                    product = self.times(product, *arg);
                }
                product
            }
            (Op::Integer(op), [a, b]) => self.integer_op(*op, node.ty, *a, *b),
            (Op::Compare(op), [a, b]) => self.compare(*op, *a, *b),
            (Op::Select, [c, a, b]) => self.select(*c, *a, *b),
            (Op::Float(op), [a, b]) => self.float_op(*op, node.ty, *a, *b),
            _ => self.node_of(node.op, args, node.ty),
        }
    }

    /// Whether any node under `id` is of a kind.
    pub fn any(&self, id: Id, is: &dyn Fn(&Op) -> bool) -> bool {
        let mut seen = FxHashSet::default();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            if is(self.op(next)) {
                return true;
            }
            open.extend(&self.node(next).args);
        }
        false
    }
}

/// Two constants; `None` where nothing is said about the result.
fn fold(op: IntegerOp, scalar: Scalar, x: i64, y: i64) -> Option<i64> {
    let (wide_x, wide_y) = (i128::from(x), i128::from(y));
    let bits = i64::from(scalar.bits());
    let value = match op {
        IntegerOp::Add => wide_x + wide_y,
        IntegerOp::Subtract => wide_x - wide_y,
        IntegerOp::Multiply => wide_x.checked_mul(wide_y)?,
        IntegerOp::MultiplyHigh => return None,
        IntegerOp::Divide => wide_x.checked_div(wide_y)?,
        IntegerOp::Remainder => wide_x.checked_rem(wide_y)?,
        IntegerOp::Minimum => wide_x.min(wide_y),
        IntegerOp::Maximum => wide_x.max(wide_y),
        IntegerOp::And => wide_x & wide_y,
        IntegerOp::Or => wide_x | wide_y,
        IntegerOp::Xor => wide_x ^ wide_y,
        IntegerOp::ShiftLeft if (0..bits).contains(&y) => wide_x << y,
        IntegerOp::ShiftRight if (0..bits).contains(&y) => wide_x >> y,
        IntegerOp::ShiftLeft | IntegerOp::ShiftRight => return None,
    };
    Some(value as i64)
}
