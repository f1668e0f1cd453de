//! Integers that grow by a constant from a thread to its neighbour.
//!
//! Compilers make vectors of loops over threads where they see that neighbours access neighbouring
//! memory, and that no thread is left out in the middle. So an index is split into what all threads
//! of a row share, which is computed before the loop, and the thread's own number; and a comparison
//! of such an integer becomes a bound of the loop.
//!
//! Integers are taken as if they did not wrap, as far as an address is computed from them: one that
//! does would lie gigabytes away from its object. What wraps on purpose is a negative number as an
//! unsigned one, as in `threadIdx.x + offset` where `offset` is -1: sums and products of such are
//! computed with their signs, and only where unsigned numbers are compared they are taken as large.
//! Of an unsigned number that is not known to be small, an argument or what was loaded, those less
//! than 65,536 below 2^32 are negative ones, and others are not: no sum with a thread's number wraps
//! then. What is left are bounds and objects that themselves end that near to 2^32.

use std::collections::BTreeMap;

use port_ir::{
    Axis, Builtin, CompareOp, Conversion, Expression, Handle, IntegerOp, Local, Scalar,
    StatementKind, Type, Value,
};

use super::NotCompiled;
use super::block::Emitter;
use super::expression::{Level, Text, relation};
use super::facts::Facts;
use super::schedule::Schedule;
use super::types::refuse;

/// What a polynomial is over, besides the thread's number in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// A value that all threads share.
    Shared(Value),
    /// The same, unsigned, whose sum with a thread's number may wrap.
    Near(Value),
    /// The thread's y.
    Y,
    /// The thread's z.
    Z,
    /// What a variable is for the first thread of a row, in a pass of its loop.
    Pass(Handle<Local>),
}

/// Where a value can be computed that several threads share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Before the loop over rows.
    Block,
    /// In a row.
    Row,
    /// In a pass of a loop that all threads of a row make together.
    Pass,
}

/// A loop whose passes the threads of a row make together: a variable starts at what is one more for
/// the next thread, or the same, and grows by the same for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strided {
    pub(super) variable: Handle<Local>,
    pub(super) first: Value,
    pub(super) stride: Value,
    pub(super) bound: Value,
    /// Whether the bound belongs to it.
    pub(super) inclusive: bool,
    /// Whether neighbours start at neighbouring numbers.
    pub(super) spread: bool,
    /// How many passes a thread makes at once before its neighbour makes them, and of how many.
    pub(super) at_once: Option<(i128, i128)>,
}

/// `x · tx + Σ coefficient · atoms`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Linear {
    pub(super) x: i128,
    terms: BTreeMap<Vec<Atom>, i128>,
    /// Whether it may be less than zero, as far as its text shows.
    negative: bool,
}

const MAX_TERMS: usize = 8;

/// The largest constant that a number in an index or a bound is multiplied by.
const MAX_FACTOR: i128 = 1 << 20;

/// Ends of intervals of one loop: more are not told apart at a glance.
const MAX_ENDS: usize = 12;

impl Linear {
    fn constant(value: i128) -> Self {
        let mut result = Linear { negative: value < 0, ..Linear::default() };
        if value != 0 {
            result.terms.insert(Vec::new(), value);
        }
        result
    }

    fn atom(atom: Atom, negative: bool) -> Self {
        Linear { x: 0, terms: BTreeMap::from([(vec![atom], 1)]), negative }
    }

    fn add(mut self, other: &Linear, sign: i128) -> Option<Self> {
        self.x += sign * other.x;
        self.negative |= sign < 0 || other.negative;
        for (atoms, coefficient) in &other.terms {
            let entry = self.terms.entry(atoms.clone()).or_insert(0);
            *entry = entry.checked_add(sign * coefficient)?;
        }
        self.terms.retain(|_, coefficient| *coefficient != 0);
        (self.terms.len() <= MAX_TERMS).then_some(self)
    }

    fn multiply(&self, other: &Linear) -> Option<Self> {
        let (left, right) = if self.x != 0 { (self, other) } else { (other, self) };
        // Only a constant stride from thread to thread.
        let negative = self.negative || other.negative;
        let mut result = Linear { negative, ..Linear::default() };
        if left.x != 0 {
            if right.x != 0 {
                return None;
            }
            result.x = match right.terms.len() {
                0 => 0,
                1 => left.x.checked_mul(*right.terms.get(&Vec::new())?)?,
                _ => return None,
            };
        }
        for (a, left) in &left.terms {
            for (b, right) in &right.terms {
                let mut atoms = a.clone();
                atoms.extend(b);
                atoms.sort_unstable();
                if atoms.len() > 3 {
                    return None;
                }
                let entry = result.terms.entry(atoms).or_insert(0);
                *entry = entry.checked_add(left.checked_mul(*right)?)?;
            }
        }
        result.terms.retain(|_, coefficient| *coefficient != 0);
        (result.terms.len() <= MAX_TERMS).then_some(result)
    }

    /// Where what all threads of a row share of it can be computed.
    fn reach(&self) -> Reach {
        let of = |atom: &Atom| match atom {
            Atom::Shared(_) | Atom::Near(_) => Reach::Block,
            Atom::Y | Atom::Z => Reach::Row,
            Atom::Pass(_) => Reach::Pass,
        };
        self.terms.keys().flatten().map(of).max().unwrap_or(Reach::Block)
    }

    /// What the threads of a row share of it.
    pub(super) fn shared(&self) -> Self {
        Linear { x: 0, ..self.clone() }
    }

    /// The variable of a loop in a pass.
    pub(super) fn of_pass(variable: Handle<Local>, spread: bool, negative: bool) -> Self {
        Linear { x: i128::from(spread), ..Linear::atom(Atom::Pass(variable), negative) }
    }

    /// Of what is multiplied by a constant.
    fn largest_factor(&self) -> i128 {
        let terms = self.terms.iter().filter(|(atoms, _)| !atoms.is_empty());
        let factors = terms.map(|(_, factor)| factor.abs());
        factors.chain([self.x.abs()]).max().unwrap_or(0)
    }

    /// Whether it may be less than zero: then it is not what an unsigned comparison sees.
    pub(super) fn may_be_negative(&self) -> bool {
        self.negative
    }

    pub(super) fn is_constant(&self) -> Option<i128> {
        match self.terms.len() {
            0 => Some(0),
            1 => self.terms.get(&Vec::new()).copied(),
            _ => None,
        }
    }
}

/// The bounds of a loop over a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Clip {
    pub(super) begin: Option<String>,
    pub(super) end: Option<String>,
    /// Conditions on the row.
    pub(super) rows: Vec<String>,
}

impl Clip {
    pub(super) fn is_none(&self) -> bool {
        self.begin.is_none() && self.end.is_none() && self.rows.is_empty()
    }
}

/// An end of an interval of the threads of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IntervalEnd {
    pub(super) name: String,
    pub(super) text: String,
    /// What it is for a row that lies in the interval as a whole.
    pub(super) whole: &'static str,
}

/// An integer as a polynomial, if it is one.
pub(super) fn linear(
    facts: &Facts<'_, '_>,
    schedule: &Schedule,
    inductions: &BTreeMap<Handle<Local>, Linear>,
    value: Value,
    depth: u32,
) -> Option<Linear> {
    let depth = depth.checked_sub(1)?;
    let again = |value: Value| linear(facts, schedule, inductions, value, depth);
    let Type::Scalar(Scalar::I32 | Scalar::U32 | Scalar::I64 | Scalar::U64) = facts.ty(value)
    else {
        return None;
    };
    if let Expression::Constant(constant) = facts.expression(value) {
        let number = constant.as_integer()?;
        let wrapped = match constant.scalar {
            Scalar::U32 if number > i128::from(i32::MAX) => number - (1 << 32),
            Scalar::U64 if number > i128::from(i64::MAX) => number - (1 << 64),
            _ => number,
        };
        return Some(Linear::constant(wrapped));
    }
    if schedule.is_scalar(facts, value) {
        let negative = !is_natural(facts, value, 24);
        if !negative || facts.ty(value) != Type::U32 {
            return Some(Linear::atom(Atom::Shared(value), negative));
        }
        // A signed number as an unsigned one is not computed with as a whole.
        if !is_made_of_signed(facts, value, 24) {
            return Some(Linear::atom(Atom::Near(value), true));
        }
    }
    match facts.expression(value) {
        Expression::Builtin(Builtin::ThreadIndex(Axis::X)) => {
            Some(Linear { x: 1, ..Linear::default() })
        }
        Expression::Builtin(Builtin::ThreadIndex(Axis::Y)) => Some(Linear::atom(Atom::Y, false)),
        Expression::Builtin(Builtin::ThreadIndex(Axis::Z)) => Some(Linear::atom(Atom::Z, false)),
        Expression::Convert {
            kind: Conversion::ZeroExtend | Conversion::SignExtend | Conversion::Bits,
            value: inner,
            ..
        } => again(*inner),
        Expression::Integer { op, left, right } => {
            let (l, r) = (again(*left), again(*right));
            let result = match op {
                IntegerOp::Add => l?.add(&r?, 1),
                IntegerOp::Subtract => l?.add(&r?, -1),
                IntegerOp::Multiply => l?.multiply(&r?),
                IntegerOp::ShiftLeft => {
                    let amount = r?.is_constant().filter(|amount| (0..32).contains(amount))?;
                    l?.multiply(&Linear::constant(1i128 << amount))
                }
                _ => None,
            };
            // A hash is to wrap.
            let is_hash = facts.ty(value) == Type::U32
                && result.as_ref().is_some_and(|linear| linear.largest_factor() > MAX_FACTOR);
            result.filter(|_| !is_hash)
        }
        Expression::Result(_) => {
            let definer = facts.flow.definer(value)?;
            let StatementKind::Load { pointer, .. } = facts.kind(definer) else { return None };
            let local = facts.variable(*pointer)?;
            if !facts.folded[value.index()] {
                return None;
            }
            inductions.get(&local).cloned()
        }
        _ => None,
    }
}

/// A side of a comparison: what all threads share counts as what it is, wrapped or not.
pub(super) fn compared(
    facts: &Facts<'_, '_>,
    schedule: &Schedule,
    inductions: &BTreeMap<Handle<Local>, Linear>,
    value: Value,
) -> Option<Linear> {
    if let (Expression::Constant(constant), Type::Scalar(scalar)) =
        (facts.expression(value), facts.ty(value))
        && scalar.is_unsigned()
    {
        return constant.as_integer().map(Linear::constant);
    }
    let word = matches!(facts.ty(value), Type::U32 | Type::I32);
    if word && schedule.is_scalar(facts, value) {
        let signed = facts.ty(value) == Type::I32;
        return Some(match linear(facts, schedule, inductions, value, 24) {
            Some(linear) if !linear.negative || signed => linear,
            _ => Linear::atom(Atom::Shared(value), false),
        });
    }
    linear(facts, schedule, inductions, value, 24)
}

/// Whether a sum or product is of signed numbers, as unsigned ones.
fn is_made_of_signed(facts: &Facts<'_, '_>, value: Value, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let again = |value: Value| is_made_of_signed(facts, value, depth);
    match facts.expression(value) {
        Expression::Convert { kind: Conversion::Bits, .. } => true,
        Expression::Integer {
            op: IntegerOp::Add | IntegerOp::Subtract | IntegerOp::Multiply,
            left,
            right,
        } => again(*left) || again(*right),
        _ => false,
    }
}

/// Whether a number is certainly not less than zero and, if it is an unsigned one of 32 bits, so far
/// below 2^32 that no sum with a thread's number wraps.
fn is_natural(facts: &Facts<'_, '_>, value: Value, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let again = |value: Value| is_natural(facts, value, depth);
    let constant = |value: Value| match facts.expression(value) {
        Expression::Constant(constant) => constant.as_integer(),
        _ => None,
    };
    let unsigned = facts.ty(value).scalar().is_some_and(Scalar::is_unsigned);
    match facts.expression(value) {
        Expression::Constant(constant) => {
            constant.as_integer().is_some_and(|number| (0..=i128::from(i32::MAX)).contains(&number))
        }
        Expression::Builtin(Builtin::LaneMask(_)) => false,
        Expression::Builtin(_) => true,
        Expression::Convert { kind: Conversion::ZeroExtend, .. } => true,
        Expression::Convert {
            kind: Conversion::SignExtend | Conversion::Bits,
            value: inner,
            ..
        } => again(*inner),
        Expression::Integer { op, left, right } => match op {
            IntegerOp::Add | IntegerOp::Multiply | IntegerOp::ShiftLeft => {
                let small = |side| constant(side).is_none_or(|number| number <= 1 << 16);
                again(*left) && again(*right) && small(*left) && small(*right)
            }
            IntegerOp::Divide if unsigned && constant(*right).is_some_and(|by| by > 1) => true,
            IntegerOp::ShiftRight if unsigned && constant(*right).is_some_and(|by| by > 0) => true,
            IntegerOp::Divide | IntegerOp::ShiftRight => again(*left) && again(*right),
            IntegerOp::Remainder if unsigned => again(*left) || again(*right),
            IntegerOp::Remainder => again(*left) && again(*right),
            IntegerOp::And => again(*left) || again(*right),
            IntegerOp::Minimum if unsigned => again(*left) || again(*right),
            IntegerOp::Minimum | IntegerOp::Or => again(*left) && again(*right),
            IntegerOp::Maximum => again(*left) && again(*right),
            _ => false,
        },
        Expression::Select { accept, reject, .. } => again(*accept) && again(*reject),
        _ => unsigned && facts.ty(value) != Type::U32,
    }
}

/// Whether a comparison of unsigned numbers sees what a side is: a thread's number that may be
/// negative is then a large one, which is not less than anything.
fn follows_unsigned(l: &Linear, r: &Linear, op: CompareOp) -> bool {
    let negative = |side: &Linear| side.negative;
    match (l.x, r.x) {
        (1, 0) => {
            !negative(r) && (!negative(l) || matches!(op, CompareOp::Less | CompareOp::LessEqual))
        }
        (0, 1) => {
            !negative(l)
                && (!negative(r) || matches!(op, CompareOp::Greater | CompareOp::GreaterEqual))
        }
        _ => !negative(l) && !negative(r),
    }
}

/// A comparison that holds where another does not.
fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Equal => CompareOp::NotEqual,
        CompareOp::NotEqual => CompareOp::Equal,
        CompareOp::Less => CompareOp::GreaterEqual,
        CompareOp::LessEqual => CompareOp::Greater,
        CompareOp::Greater => CompareOp::LessEqual,
        CompareOp::GreaterEqual => CompareOp::Less,
    }
}

/// Whether a condition can become bounds of loops over threads, as [`Emitter::clip`] makes them.
pub(super) fn bounds(
    facts: &Facts<'_, '_>,
    schedule: &Schedule,
    condition: Value,
    holds: bool,
) -> bool {
    let none = BTreeMap::new();
    match facts.expression(condition) {
        Expression::Unary { op: port_ir::UnaryOp::Not, value } => {
            bounds(facts, schedule, *value, !holds)
        }
        Expression::Integer { op, left, right } => {
            let both = match op {
                IntegerOp::And => holds,
                IntegerOp::Or => !holds,
                _ => false,
            };
            both && bounds(facts, schedule, *left, holds) && bounds(facts, schedule, *right, holds)
        }
        Expression::Compare { op, left, right } => {
            let Some(scalar) = facts.ty(*left).scalar().filter(|scalar| scalar.is_integer()) else {
                return false;
            };
            let (Some(l), Some(r)) =
                (compared(facts, schedule, &none, *left), compared(facts, schedule, &none, *right))
            else {
                return false;
            };
            let seen = if holds { *op } else { opposite(*op) };
            if scalar.is_unsigned() && !follows_unsigned(&l, &r, seen) {
                return false;
            }
            match (l.x, r.x) {
                (0, 0) => l.reach() == Reach::Row || r.reach() == Reach::Row,
                (1, 0) | (0, 1) => {
                    *op != if holds { CompareOp::NotEqual } else { CompareOp::Equal }
                }
                _ => false,
            }
        }
        _ => false,
    }
}

impl Emitter<'_, '_, '_> {
    /// An integer as a polynomial, if it is one.
    pub(super) fn linear(&self, value: Value, depth: u32) -> Option<Linear> {
        linear(self.facts, self.schedule, &self.inductions, value, depth)
    }

    /// What all threads of a row share of an integer, computed before the loop over the row.
    pub(super) fn start(&mut self, linear: &Linear, wish: &str) -> Result<Text, NotCompiled> {
        if let Some(constant) = linear.is_constant() {
            return Ok(Text::at(
                constant.to_string(),
                if constant < 0 { Level::Unary } else { Level::Primary },
            ));
        }
        if linear.terms.len() == 1
            && let Some((atoms, 1)) = linear.terms.iter().next().map(|(a, c)| (a.as_slice(), *c))
        {
            match atoms {
                [Atom::Y] => {
                    self.uses_y = true;
                    return Ok(Text::primary("ty"));
                }
                [Atom::Pass(variable)] => {
                    if let Some(name) = self.passes.get(variable) {
                        return Ok(Text::primary(name.clone()));
                    }
                }
                _ => {}
            }
        }
        let mut parts: Vec<String> = Vec::new();
        for (atoms, coefficient) in &linear.terms {
            let mut factors = Vec::new();
            if *coefficient != 1 || atoms.is_empty() {
                factors.push(if *coefficient < 0 {
                    format!("int64_t({coefficient})")
                } else {
                    coefficient.to_string()
                });
            }
            for atom in atoms {
                factors.push(match atom {
                    Atom::Shared(value) => {
                        let text = self.outside(|emitter| emitter.value(*value))?;
                        format!("int64_t({})", text.text)
                    }
                    Atom::Near(value) => {
                        let text = self.outside(|emitter| emitter.value(*value))?;
                        format!("near_zero({})", text.text)
                    }
                    Atom::Y => {
                        self.uses_y = true;
                        "int64_t(ty)".to_string()
                    }
                    Atom::Z => {
                        self.uses_z = true;
                        "int64_t(tz)".to_string()
                    }
                    Atom::Pass(variable) => match self.passes.get(variable) {
                        Some(name) => name.clone(),
                        None => {
                            return Err(refuse("it uses a loop's variable outside of the loop"));
                        }
                    },
                });
            }
            parts.push(factors.join(" * "));
        }
        // The constant last, as one writes it.
        if linear.terms.contains_key(&Vec::new()) && parts.len() > 1 {
            parts.rotate_left(1);
        }
        let text = parts.join(" + ");
        let reach = linear.reach();
        if let Some((_, name, _)) =
            self.starts.iter().find(|(known, _, rows)| *known == text && *rows == reach)
        {
            return Ok(Text::primary(name.clone()));
        }
        let name = self.names.fresh(&format!("{wish}_start"));
        self.starts.push((text, name.clone(), reach));
        Ok(Text::primary(name))
    }

    /// An index of memory.
    pub(super) fn index(&mut self, value: Value) -> Result<Text, NotCompiled> {
        if !self.kernel || !self.lane || !self.affine {
            return self.value(value);
        }
        let facts = self.facts;
        if self.schedule.is_scalar(facts, value) {
            return self.value(value);
        }
        let Some(linear) = self.linear(value, 24).filter(|linear| linear.x.abs() <= 64) else {
            return self.value(value);
        };
        let wish = self.wish(value);
        let start = self.start(
            &linear,
            if wish == "value" || wish == "sum" || wish == "product" { "index" } else { &wish },
        )?;
        if linear.x == 0 {
            return Ok(start);
        }
        self.uses_x = true;
        let own = match linear.x {
            1 => "tx".to_string(),
            x => format!("{x} * int64_t(tx)"),
        };
        let start = Text { text: wide(start.text), ..start };
        if start.text == "0" {
            return Ok(Text::at(own, Level::Product));
        }
        Ok(Text::at(format!("{} + {own}", start.in_level(Level::Sum)), Level::Sum))
    }

    /// A condition inside the loop over a row as the interval of the threads for which it holds, where
    /// it is one: the ends are computed before the loop, and rows that lie in all intervals as a whole
    /// have a loop of their own, in which nothing is compared.
    pub(super) fn interval(&mut self, condition: Value) -> Result<Option<Text>, NotCompiled> {
        if !self.bounding || !self.targets.is_empty() || self.intervals.len() > MAX_ENDS {
            return Ok(None);
        }
        let mut clip = Clip::default();
        let before = self.starts.len();
        let fits = self.clip(condition, true, &mut clip)?;
        if !fits || (clip.begin.is_none() && clip.end.is_none()) {
            self.starts.truncate(before);
            return Ok(None);
        }
        let mut tests = Vec::new();
        if let Some(begin) = clip.begin.filter(|begin| begin != "clip(0 - 0, width)") {
            let name = self.interval_end("first", begin, "0");
            tests.push(format!("tx >= {name}"));
        }
        let mut end = clip.end.unwrap_or_else(|| "width".to_string());
        if !clip.rows.is_empty() {
            end = format!("{} ? {end} : 0", clip.rows.join(" && "));
        }
        let name = self.interval_end("last", end, "width");
        tests.push(format!("tx < {name}"));
        let tests = tests.join(" && ");
        let text = if tests.contains("&&") {
            format!("whole || ({tests})")
        } else {
            format!("whole || {tests}")
        };
        Ok(Some(Text::at(text, Level::Or)))
    }

    /// Names an end of an interval; `whole` is what it is for a row that lies in it as a whole.
    fn interval_end(&mut self, wish: &str, text: String, whole: &'static str) -> String {
        let same = |end: &&IntervalEnd| end.text == text && end.whole == whole;
        if let Some(end) = self.intervals.iter().find(same) {
            return end.name.clone();
        }
        let name = self.names.fresh(wish);
        self.intervals.push(IntervalEnd { name: name.clone(), text, whole });
        name
    }

    /// Turns a condition into bounds of the loop over a row; whether it could, and then nothing of
    /// the condition is left.
    pub(super) fn clip(
        &mut self,
        condition: Value,
        holds: bool,
        clip: &mut Clip,
    ) -> Result<bool, NotCompiled> {
        let facts = self.facts;
        match facts.expression(condition) {
            Expression::Unary { op: port_ir::UnaryOp::Not, value } => {
                return self.clip(*value, !holds, clip);
            }
            Expression::Result(_) if holds && self.bounding => {
                let Some((first, second)) = facts.conjunction(condition) else { return Ok(false) };
                return Ok(self.clip(first, true, clip)? && self.clip(second, true, clip)?);
            }
            Expression::Integer { op, left, right } => {
                let both = match op {
                    IntegerOp::And => holds,
                    IntegerOp::Or => !holds,
                    _ => return Ok(false),
                };
                if !both {
                    return Ok(false);
                }
                let before = clip.clone();
                if self.clip(*left, holds, clip)? && self.clip(*right, holds, clip)? {
                    return Ok(true);
                }
                *clip = before;
                return Ok(false);
            }
            Expression::Compare { .. } => {}
            _ => return Ok(false),
        }
        let Expression::Compare { op, left, right } = facts.expression(condition) else {
            return Ok(false);
        };
        let Some(scalar) = facts.ty(*left).scalar().filter(|scalar| scalar.is_integer()) else {
            return Ok(false);
        };
        let op = if holds { *op } else { opposite(*op) };
        let side = |value| compared(facts, self.schedule, &self.inductions, value);
        let (Some(l), Some(r)) = (side(*left), side(*right)) else { return Ok(false) };
        let unsigned = scalar.is_unsigned();
        if unsigned && !follows_unsigned(&l, &r, op) {
            return Ok(false);
        }
        // The thread's own number on the left.
        let (own, bound, op) = match (l.x, r.x) {
            (0, 0) => {
                // The same for the row.
                let differs = l.reach() == Reach::Row || r.reach() == Reach::Row;
                if !(differs || self.bounding) {
                    return Ok(false);
                }
                let (l, r) = (self.start(&l, "first")?, self.start(&r, "bound")?);
                let (operator, _) = relation(op);
                clip.rows.push(format!("{} {operator} {}", wide(l.text), wide(r.text)));
                return Ok(true);
            }
            (1, 0) => (l, r, op),
            (0, 1) => {
                let turned = match op {
                    CompareOp::Less => CompareOp::Greater,
                    CompareOp::LessEqual => CompareOp::GreaterEqual,
                    CompareOp::Greater => CompareOp::Less,
                    CompareOp::GreaterEqual => CompareOp::LessEqual,
                    other => other,
                };
                (r, l, turned)
            }
            _ => return Ok(false),
        };
        if !matches!(
            op,
            CompareOp::Less
                | CompareOp::LessEqual
                | CompareOp::Greater
                | CompareOp::GreaterEqual
                | CompareOp::Equal
        ) {
            return Ok(false);
        }
        let first = wide(self.start(&own, "first")?.text);
        let bound = wide(self.start(&bound, "bound")?.text);
        let set = |slot: &mut Option<String>, text: String, join: &str| {
            *slot = Some(match slot.take() {
                Some(other) => format!("{join}({other}, {text})"),
                None => text,
            });
        };
        if unsigned && own.may_be_negative() {
            set(&mut clip.begin, format!("clip(0 - {}, width)", paren(&first)), "maximum");
        }
        match op {
            CompareOp::Less => set(
                &mut clip.end,
                format!(
                    "clip({bound} - {first}, width)",
                    bound = paren(&bound),
                    first = paren(&first)
                ),
                "minimum",
            ),
            CompareOp::LessEqual => set(
                &mut clip.end,
                format!("clip({} - {} + 1, width)", paren(&bound), paren(&first)),
                "minimum",
            ),
            CompareOp::GreaterEqual => set(
                &mut clip.begin,
                format!("clip({} - {}, width)", paren(&bound), paren(&first)),
                "maximum",
            ),
            CompareOp::Greater => set(
                &mut clip.begin,
                format!("clip({} - {} + 1, width)", paren(&bound), paren(&first)),
                "maximum",
            ),
            _ => {
                set(
                    &mut clip.begin,
                    format!("clip({} - {}, width)", paren(&bound), paren(&first)),
                    "maximum",
                );
                set(
                    &mut clip.end,
                    format!("clip({} - {} + 1, width)", paren(&bound), paren(&first)),
                    "minimum",
                );
            }
        }
        self.uses_x = true;
        Ok(true)
    }
}

/// A start as a signed number: that of the row is not.
fn wide(text: String) -> String {
    if text == "ty" { "int64_t(ty)".to_string() } else { text }
}

fn paren(text: &str) -> String {
    if text.chars().all(|c| c.is_alphanumeric() || c == '_') {
        text.to_string()
    } else {
        format!("({text})")
    }
}
