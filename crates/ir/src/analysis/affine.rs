//! Addresses as polynomials over thread and block numbers, passes of loops and other values.
//!
//! `x[blockIdx.x * blockDim.x + threadIdx.x]` reads 4 bytes at `4·block.x·block_dim.x + 4·thread.x`
//! from where `x` points. From such a form one sees whether neighbouring threads access neighbouring
//! bytes, whether two accesses can meet, and by how much an address moves in a pass of a loop.
//!
//! Integers are taken as if they did not wrap, as C++ takes signed ones; conversions that extend or
//! reinterpret an integer are looked through, those that cut it are not.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::flow::{Arm, Definition, Flow, Root, StatementId};
use crate::expression::Expression;
use crate::function::Function;
use crate::operation::{Builtin, Conversion, IntegerOp, UnaryOp};
use crate::statement::{StatementKind, Value};
use crate::types::{Type, Types};

/// What a polynomial is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// A built-in value.
    Builtin(Builtin),
    /// The passes of this loop that have been completed since it was entered.
    Passes(StatementId),
    /// Any other integer.
    Value(Value),
}

/// Factors, smallest first; none for a constant.
pub type Monomial = Vec<Symbol>;

/// A sum of products of symbols with integer coefficients, none of which is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polynomial {
    terms: BTreeMap<Monomial, i128>,
}

/// Products of more symbols, and sums of more terms, are not followed.
const MAX_DEGREE: usize = 3;
const MAX_TERMS: usize = 16;
/// How many operations and locals are looked through.
const DEPTH: u32 = 64;

impl Polynomial {
    /// A constant.
    pub fn constant(value: i128) -> Self {
        let mut result = Polynomial::default();
        if value != 0 {
            result.terms.insert(Vec::new(), value);
        }
        result
    }

    /// A symbol.
    pub fn symbol(symbol: Symbol) -> Self {
        Polynomial { terms: BTreeMap::from([(vec![symbol], 1)]) }
    }

    /// The terms: factors with their coefficient.
    pub fn terms(&self) -> impl Iterator<Item = (&[Symbol], i128)> {
        self.terms.iter().map(|(factors, coefficient)| (factors.as_slice(), *coefficient))
    }

    /// The coefficient of a product of symbols; of no symbols, the constant term.
    pub fn coefficient(&self, factors: &[Symbol]) -> i128 {
        let mut key = factors.to_vec();
        key.sort_unstable();
        self.terms.get(&key).copied().unwrap_or(0)
    }

    /// The constant that this is, if it is one.
    pub fn as_constant(&self) -> Option<i128> {
        match self.terms.len() {
            0 => Some(0),
            1 => self.terms.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    /// By how much this grows when a symbol grows by 1; `None` if that depends on the symbol.
    pub fn stride(&self, symbol: Symbol) -> Option<Polynomial> {
        let mut result = Polynomial::default();
        for (factors, coefficient) in &self.terms {
            match factors.iter().filter(|factor| **factor == symbol).count() {
                0 => {}
                1 => {
                    let rest = factors.iter().filter(|factor| **factor != symbol);
                    result.terms.insert(rest.copied().collect(), *coefficient);
                }
                _ => return None,
            }
        }
        Some(result)
    }

    /// Whether a symbol occurs for which `is` holds.
    pub fn any_symbol(&self, is: impl Fn(Symbol) -> bool) -> bool {
        self.terms.keys().flatten().any(|symbol| is(*symbol))
    }

    fn add(&self, other: &Polynomial) -> Option<Polynomial> {
        let mut result = self.clone();
        for (factors, coefficient) in &other.terms {
            let sum = result.terms.get(factors).copied().unwrap_or(0).checked_add(*coefficient)?;
            if sum == 0 {
                result.terms.remove(factors);
            } else {
                result.terms.insert(factors.clone(), sum);
            }
        }
        (result.terms.len() <= MAX_TERMS).then_some(result)
    }

    fn multiply(&self, other: &Polynomial) -> Option<Polynomial> {
        let mut result = Polynomial::default();
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                let mut factors = left.clone();
                factors.extend(right);
                factors.sort_unstable();
                if factors.len() > MAX_DEGREE {
                    return None;
                }
                let coefficient = a.checked_mul(*b)?;
                let term = Polynomial { terms: BTreeMap::from([(factors, coefficient)]) };
                result = result.add(&term)?;
            }
        }
        Some(result)
    }

    fn times(&self, factor: i128) -> Option<Polynomial> {
        self.multiply(&Polynomial::constant(factor))
    }

    /// The polynomial as text, the user's names for arguments and values: `4*thread.x + 16`.
    pub fn text(&self, function: &Function) -> String {
        if self.terms.is_empty() {
            return "0".to_string();
        }
        let mut texts: Vec<String> = Vec::new();
        // The constant last, as one writes it.
        let constant = self.terms.get_key_value(&Vec::new());
        let others = self.terms.iter().filter(|(factors, _)| !factors.is_empty());
        for (factors, coefficient) in others.chain(constant) {
            let mut parts: Vec<String> =
                factors.iter().map(|symbol| symbol_text(*symbol, function)).collect();
            if *coefficient != 1 || parts.is_empty() {
                parts.insert(0, coefficient.to_string());
            }
            texts.push(parts.join("*"));
        }
        texts.join(" + ")
    }
}

fn symbol_text(symbol: Symbol, function: &Function) -> String {
    match symbol {
        Symbol::Builtin(builtin) => crate::text::builtin_word(builtin),
        Symbol::Passes(statement) => format!("pass{}", statement.0),
        Symbol::Value(value) => {
            let name = match function.expressions.get(value) {
                Some(Expression::Argument(index)) => {
                    function.parameters.get(*index as usize).map(|parameter| &parameter.name)
                }
                _ => function.names.get(&value),
            };
            name.map_or_else(|| format!("%[{}]", value.index()), |name| format!("%{name}"))
        }
    }
}

/// Where an access goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What the pointer points into.
    pub root: Root,
    /// Bytes from there.
    pub offset: Polynomial,
}

/// How memory is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessKind {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An atomic operation.
    Atomic,
}

/// An access of a function to memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryAccess {
    /// The statement.
    pub statement: StatementId,
    /// How.
    pub kind: AccessKind,
    /// Where.
    pub address: Address,
    /// How many bytes; `None` for a fragment.
    pub bytes: Option<u64>,
}

/// Polynomials of the values of a function.
pub struct Affine<'f, 'a> {
    flow: &'f Flow<'a>,
    types: &'f Types,
    known: HashMap<Value, Option<Polynomial>>,
    /// Conversions to fewer bits that are taken to keep the number.
    exact: HashSet<Value>,
}

impl<'f, 'a> Affine<'f, 'a> {
    /// For the values of a function.
    pub fn new(flow: &'f Flow<'a>, types: &'f Types) -> Self {
        Affine { flow, types, known: HashMap::new(), exact: HashSet::new() }
    }

    /// The same, where conversions to fewer bits keep the number: who asks has a reason to take them so.
    pub fn with_exact(mut self, conversions: impl IntoIterator<Item = Value>) -> Self {
        self.exact.extend(conversions);
        self
    }

    /// An integer as a polynomial; if nothing is known of it, as a symbol of its own.
    pub fn integer(&mut self, value: Value) -> Polynomial {
        self.integer_at(value, DEPTH)
    }

    fn integer_at(&mut self, value: Value, depth: u32) -> Polynomial {
        let opaque = || Polynomial::symbol(Symbol::Value(value));
        match self.known.get(&value) {
            Some(Some(known)) => return known.clone(),
            // It is being computed: a local that holds what is computed from it.
            Some(None) => return opaque(),
            None => {}
        }
        let Some(depth) = depth.checked_sub(1) else { return opaque() };
        self.known.insert(value, None);
        let found = self.compute(value, depth).unwrap_or_else(opaque);
        self.known.insert(value, Some(found.clone()));
        found
    }

    fn compute(&mut self, value: Value, depth: u32) -> Option<Polynomial> {
        match &self.flow.function.expressions[value] {
            Expression::Constant(constant) => constant.as_integer().map(Polynomial::constant),
            Expression::Zero(Type::Scalar(scalar)) if scalar.is_integer() => {
                Some(Polynomial::constant(0))
            }
            Expression::Builtin(builtin) => Some(Polynomial::symbol(Symbol::Builtin(*builtin))),
            Expression::Unary { op: UnaryOp::Negate, value } if self.is_integer(*value) => {
                self.integer_at(*value, depth).times(-1)
            }
            Expression::Convert {
                kind: Conversion::ZeroExtend | Conversion::SignExtend | Conversion::Bits,
                value: inner,
                ..
            } if self.is_integer(*inner) && self.is_integer(value) => {
                Some(self.integer_at(*inner, depth))
            }
            Expression::Convert { kind: Conversion::Truncate, value: inner, .. }
                if self.exact.contains(&value) && self.is_integer(*inner) =>
            {
                Some(self.integer_at(*inner, depth))
            }
            Expression::Integer { op, left, right } => {
                let (op, left, right) = (*op, *left, *right);
                match op {
                    IntegerOp::Add => {
                        self.integer_at(left, depth).add(&self.integer_at(right, depth))
                    }
                    IntegerOp::Subtract => {
                        self.integer_at(left, depth).add(&self.integer_at(right, depth).times(-1)?)
                    }
                    IntegerOp::Multiply => {
                        self.integer_at(left, depth).multiply(&self.integer_at(right, depth))
                    }
                    IntegerOp::ShiftLeft => {
                        let amount = self.integer_at(right, depth).as_constant()?;
                        let factor = (0..63).contains(&amount).then(|| 1i128 << amount)?;
                        self.integer_at(left, depth).times(factor)
                    }
                    _ => None,
                }
            }
            Expression::Result(_) => self.loaded(value, depth),
            _ => None,
        }
    }

    fn is_integer(&self, value: Value) -> bool {
        matches!(self.flow.types.get(value), Type::Scalar(scalar) if scalar.is_integer())
    }

    /// A load of a local: what was stored, or the variable of a loop.
    fn loaded(&mut self, value: Value, depth: u32) -> Option<Polynomial> {
        let load = self.flow.definer(value)?;
        match *self.flow.definitions(value)? {
            [Definition::Whole(store, stored)] => {
                // The block of the store holds the load, so both see the same pass of every loop.
                self.flow.holds(store, load).then(|| self.integer_at(stored, depth))
            }
            [Definition::Whole(a, first), Definition::Whole(b, second)] => self
                .induction(load, (a, first), (b, second), depth)
                .or_else(|| self.induction(load, (b, second), (a, first), depth)),
            _ => None,
        }
    }

    /// A variable that is `first` before a loop and grows by the same in each pass.
    fn induction(
        &mut self,
        load: StatementId,
        (before, first): (StatementId, Value),
        (step, next): (StatementId, Value),
        depth: u32,
    ) -> Option<Polynomial> {
        let (around, arm) = self.flow.entry(step).parent?;
        let StatementKind::Loop(_) = self.flow.entry(around).statement.kind else { return None };
        let every_pass = match arm {
            Arm::Step => true,
            Arm::Body => !self
                .flow
                .inside(around)
                .any(|(_, entry)| matches!(entry.statement.kind, StatementKind::Continue)),
            _ => false,
        };
        // The loop is entered after the first store, and the load is before the second in a pass. The
        // first is executed anew whenever the loop is entered.
        let in_place = every_pass
            && self.flow.loop_around(before) == self.flow.loop_around(around)
            && self.flow.holds(before, around)
            && self.flow.is_inside(load, around)
            && !self.flow.is_inside(before, around)
            && load < step;
        if !in_place {
            return None;
        }
        let next = self.flow.plain(next);
        let Expression::Integer { op, left, right } = self.flow.function.expressions[next] else {
            return None;
        };
        let own = |value: Value| {
            matches!(self.flow.definitions(self.flow.plain(value)), Some([Definition::Whole(a, _), Definition::Whole(b, _)])
                if (*a, *b) == (before, step) || (*a, *b) == (step, before))
        };
        let growth = match op {
            IntegerOp::Add if own(left) => right,
            IntegerOp::Add if own(right) => left,
            IntegerOp::Subtract if own(left) => right,
            _ => return None,
        };
        let mut growth = self.integer_at(growth, depth);
        if op == IntegerOp::Subtract {
            growth = growth.times(-1)?;
        }
        let changes = growth.any_symbol(|symbol| match symbol {
            Symbol::Builtin(_) => false,
            Symbol::Passes(passes) => passes == around || self.flow.is_inside(passes, around),
            Symbol::Value(value) => {
                self.flow.definer(value).is_some_and(|definer| self.flow.is_inside(definer, around))
            }
        });
        if changes {
            return None;
        }
        let passes = Polynomial::symbol(Symbol::Passes(around));
        self.integer_at(first, depth).add(&growth.multiply(&passes)?)
    }

    /// Where a pointer points; `None` if the offset has no form.
    pub fn address(&mut self, pointer: Value) -> Option<Address> {
        let mut offset = Polynomial::default();
        let mut pointer = pointer;
        loop {
            match &self.flow.function.expressions[pointer] {
                Expression::Element { base, element, index } => {
                    let size = self.types.layout(*element)?.size;
                    let moved = self.integer(*index).times(i128::from(size))?;
                    offset = offset.add(&moved)?;
                    pointer = *base;
                }
                Expression::Member { base, structure, index } => {
                    let member =
                        self.types.structs().get(*structure)?.members.get(*index as usize)?;
                    offset = offset.add(&Polynomial::constant(i128::from(member.offset)))?;
                    pointer = *base;
                }
                Expression::Convert { kind: Conversion::Space, value, .. } => pointer = *value,
                Expression::Result(_) => {
                    // A pointer that a local holds: `float* row = x + i * n;`
                    match self.flow.definitions(pointer) {
                        Some([Definition::Whole(store, stored)])
                            if self
                                .flow
                                .definer(pointer)
                                .is_some_and(|load| self.flow.holds(*store, load)) =>
                        {
                            pointer = *stored;
                        }
                        _ => return Some(Address { root: Root::Value(pointer), offset }),
                    }
                }
                _ => return Some(Address { root: self.flow.root(pointer), offset }),
            }
        }
    }

    /// The loads, stores and atomic operations of the function whose addresses have a form.
    pub fn accesses(&mut self) -> Vec<MemoryAccess> {
        let flow = self.flow;
        let mut accesses = Vec::new();
        for (statement, entry) in flow.statements() {
            let (kind, pointer, value) = match &entry.statement.kind {
                StatementKind::Load { result, pointer, .. } => {
                    (AccessKind::Read, *pointer, *result)
                }
                StatementKind::Store { pointer, value, .. } => {
                    (AccessKind::Write, *pointer, *value)
                }
                StatementKind::Atomic { pointer, value, .. } => {
                    (AccessKind::Atomic, *pointer, *value)
                }
                _ => continue,
            };
            let Some(address) = self.address(pointer) else { continue };
            let bytes = self.types.layout(flow.types.get(value)).map(|layout| layout.size);
            accesses.push(MemoryAccess { statement, kind, address, bytes });
        }
        accesses
    }
}
