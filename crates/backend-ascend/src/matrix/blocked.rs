//! Products of matrices that the threads of a block make together, whatever way the tiles take.
//!
//! The block is carried out on symbols ([`super::threads`]). A product it is where its stores fill a
//! rectangle of the result, each element once and under the limits of its row and column, and where each
//! pass adds to each element (i, j) the products A(i, k) · B(k, j) of the pass's own k, each once. All of
//! this is checked as equations of polynomials; what does not fit is refused.

use std::collections::BTreeMap;
use std::rc::Rc;

use port_ir::analysis::affine::Symbol;
use port_ir::{Axis, Builtin, CompareOp, Expression, Scalar, Value};
use rustc_hash::FxHashMap;

use super::polynomial::Poly;
use super::recognise::{Bias, Depth, Extent, Operand, Product};
use super::threads::graph::{Atom, Cond, CondNode, Num, NumNode, ZERO, follows};
use super::threads::{Found, Stored, Threads};
use crate::code::facts::Facts;
use crate::code::refuse;

fn no<T>(reason: &str) -> Found<T> {
    Err(refuse(reason))
}

/// An element of the result, as something of its row and column.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    Sum,
    /// What lay there before, of this parameter's matrix.
    Old(u32),
    /// An element for each column.
    Column(u32, Scalar),
    Parameter(u32),
    Add(Box<Term>, Box<Term>),
    Multiply(Box<Term>, Box<Term>),
    Choice(Value, bool, Box<Term>, Box<Term>),
}

/// One of the two indices of the result: the block's number times a tile's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    axis: Axis,
    tile: i128,
}

/// A factor of a product.
#[derive(Clone, Debug)]
struct Factor {
    /// Whether its lines are the rows of the result.
    of_rows: bool,
    /// Row or column of the tile, and the place along the pass.
    line: i128,
    k: i128,
    /// Conditions under which it is not zero; ends of the sum: what is below them.
    conditions: Vec<Atom>,
    ends: Vec<End>,
}

/// An end of the sum: factors from here on are zero.
#[derive(Clone, Debug)]
struct End {
    at: Poly,
    /// Whether no pass comes there.
    is_beyond: bool,
}

/// Where a matrix lies.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    argument: u32,
    scalar: Scalar,
    along_line: Poly,
    along_k: Poly,
}

struct Check<'k, 'c, 'a> {
    facts: &'k Facts<'c, 'a>,
    threads: Threads<'k, 'a>,
    passes: Symbol,
    tile: i128,
    rows: Side,
    columns: Side,
    factors: FxHashMap<Num, Option<Rc<Factor>>>,
    places: [Option<Place>; 2],
}

/// Recognises a kernel whose blocks have this shape.
pub(super) fn recognise(facts: &Facts<'_, '_>, shape: [u32; 3]) -> Found<Product> {
    let mut threads = Threads::new(facts.module, facts.function, facts.flow, shape);
    threads.run()?;
    let Some((passes, condition)) = threads.passes else {
        return no("no loop makes a sum");
    };
    // The loop goes on while step * pass is below a limit.
    let CondNode::All(atoms) = threads.graph.cond_node(condition).clone() else {
        return no("the loop of its sum does not count up to a limit");
    };
    let [Atom::Below(sym, at)] = atoms[..] else {
        return no("the loop of its sum does not count up to a limit");
    };
    let unknown = || refuse("the loop of its sum does not count up to a limit");
    let poly = threads.graph.poly(sym, at).ok_or_else(unknown)?;
    let step = poly.factor_of(passes).ok_or_else(unknown)?;
    let step_count = step.constant().filter(|count| *count > 0).ok_or_else(unknown)?;
    let counted = step.times(&Poly::symbol(passes)).ok_or_else(unknown)?;
    let limit = counted.minus(&poly).ok_or_else(unknown)?;
    if !limit.is_fixed() {
        return Err(unknown());
    }
    let stored = std::mem::take(&mut threads.stored);
    let (stride, sides) = sides(&threads, &stored)?;
    let tile = sums(&threads, &stored)?;
    let [rows, columns] = sides;
    let mut check = Check {
        facts,
        threads,
        passes,
        tile,
        rows,
        columns,
        factors: FxHashMap::default(),
        places: [None, None],
    };
    check.product(&stored, &stride, (limit, step_count))
}

/// How many products a pass adds to an element.
fn sums(threads: &Threads<'_, '_>, _stored: &[Stored]) -> Found<i128> {
    let mut lengths = threads.sums.iter().map(|sum| sum.products.len());
    let Some(first) = lengths.next() else { return no("its result is not a sum") };
    if lengths.any(|length| length != first) {
        return no("its sums are of different lengths");
    }
    Ok(first as i128)
}

fn elements(threads: &Threads<'_, '_>, place: (u32, i64), scalar: Scalar) -> Option<Poly> {
    threads.graph.poly(place.0, place.1)?.divided(i128::from(scalar.size()))
}

/// The stride of the result, and how its rows and columns are numbered.
fn sides(threads: &Threads<'_, '_>, stored: &[Stored]) -> Found<(Symbol, [Side; 2])> {
    let Some(first) = stored.first() else { return no("it stores no result") };
    let same = |other: &Stored| (other.argument, other.scalar) == (first.argument, first.scalar);
    if !stored.iter().all(same) {
        return no("it has several results");
    }
    let unknown = || refuse("the place of its result is no row and column");
    let place = elements(threads, first.place, first.scalar).ok_or_else(unknown)?;
    let mut strides: Vec<Symbol> =
        place.symbols().filter(|symbol| matches!(symbol, Symbol::Value(_))).collect();
    strides.sort_unstable();
    strides.dedup();
    let [stride] = strides[..] else { return Err(unknown()) };
    let rows = place.factor_of(stride).ok_or_else(unknown)?;
    let lines = rows.times(&Poly::symbol(stride)).ok_or_else(unknown)?;
    let columns = place.minus(&lines).ok_or_else(unknown)?;
    let side = |poly: &Poly| -> Found<Side> {
        let mut found = None;
        for (factors, count) in &poly.0 {
            match factors[..] {
                [] => {}
                [Symbol::Builtin(Builtin::BlockIndex(axis))] if *count > 0 && found.is_none() => {
                    found = Some(Side { axis, tile: *count });
                }
                _ => return Err(unknown()),
            }
        }
        found.ok_or_else(unknown)
    };
    let sides = [side(&rows)?, side(&columns)?];
    if sides[0].axis == sides[1].axis {
        return no("its rows and columns are numbered by the same blocks");
    }
    Ok((stride, sides))
}

impl Side {
    fn symbol(self) -> Symbol {
        Symbol::Builtin(Builtin::BlockIndex(self.axis))
    }

    /// The place in the tile of an index of the result.
    fn offset(self, index: &Poly) -> Option<i128> {
        let base = Poly::symbol(self.symbol()).times(&Poly::number(self.tile))?;
        index.minus(&base)?.constant()
    }
}

/// The limit of an index and how many lines share a guard.
#[derive(Default)]
struct Guards {
    /// By the place in the tile: the limit that an exact guard would have.
    limits: BTreeMap<i128, Option<Poly>>,
}

impl Guards {
    fn add(&mut self, line: i128, limit: Option<Poly>) -> Found<()> {
        match self.limits.get(&line) {
            Some(known) if *known != limit => no("an index has two limits"),
            Some(_) => Ok(()),
            None => {
                self.limits.insert(line, limit);
                Ok(())
            }
        }
    }

    /// The limit, and of how many lines the first decides for all.
    fn limit(&self, tile: i128) -> Found<(Option<Poly>, i128)> {
        if self.limits.len() as i128 != tile || self.limits.keys().next_back() != Some(&(tile - 1))
        {
            return no("its blocks do not fill their part of the result");
        }
        let Some(Some(limit)) = self.limits.get(&0) else {
            return match self.limits.values().all(Option::is_none) {
                true => Ok((None, 1)),
                false => no("only some of its result is guarded"),
            };
        };
        let mut offsets = Vec::new();
        for own in self.limits.values() {
            let own = own.as_ref().and_then(|own| own.minus(limit)?.constant());
            offsets.push(own.ok_or_else(|| refuse("its result is guarded in different ways"))?);
        }
        let granule =
            offsets.iter().skip(1).position(|o| *o == 0).map_or(tile, |at| at as i128 + 1);
        let fits = offsets.iter().enumerate().all(|(line, o)| *o == line as i128 % granule);
        match fits {
            true => Ok((Some(limit.clone()), granule)),
            false => no("its result is guarded in different ways"),
        }
    }
}

impl Check<'_, '_, '_> {
    fn product(
        &mut self,
        stored: &[Stored],
        stride: &Symbol,
        (limit, step): (Poly, i128),
    ) -> Found<Product> {
        let unknown = || refuse("the place of its result is no row and column");
        let mut seen = std::collections::BTreeSet::new();
        let mut guards = [Guards::default(), Guards::default()];
        let mut term: Option<Term> = None;
        let mut ends: Option<Option<Poly>> = None;
        let (mut argument, mut scalar) = (0, Scalar::F32);
        for stored in stored {
            (argument, scalar) = (stored.argument, stored.scalar);
            let place = elements(&self.threads, stored.place, scalar).ok_or_else(unknown)?;
            let row = place.factor_of(*stride).ok_or_else(unknown)?;
            let lines = row.times(&Poly::symbol(*stride)).ok_or_else(unknown)?;
            let column = place.minus(&lines).ok_or_else(unknown)?;
            let r = self.rows.offset(&row).ok_or_else(unknown)?;
            let c = self.columns.offset(&column).ok_or_else(unknown)?;
            let inside = (0..self.rows.tile).contains(&r) && (0..self.columns.tile).contains(&c);
            if !inside || !seen.insert((r, c)) {
                return no("its blocks do not fill their part of the result");
            }
            let mut path = Vec::new();
            for cond in &stored.path {
                match self.threads.graph.cond_node(*cond) {
                    CondNode::All(atoms) => path.extend(atoms.iter().copied()),
                    _ => return no("its result depends on another condition"),
                }
            }
            let (own_rows, own_columns) = self.limits(&path, &row, &column)?;
            guards[0].add(r, own_rows)?;
            guards[1].add(c, own_columns)?;
            let mut sum = None;
            let here = Here { place: &place, column: &column, path: &stored.path };
            let own = self.term(stored.num, &here, &mut sum, 0)?;
            if *term.get_or_insert_with(|| own.clone()) != own {
                return no("its elements are computed differently");
            }
            let Some(sum) = sum else { return no("its result is not a sum") };
            let end = self.adds(sum, (r, c), &path)?;
            if *ends.get_or_insert_with(|| end.clone()) != end {
                return no("the length of its sums is not known");
            }
        }
        if seen.len() as i128 != self.rows.tile * self.columns.tile {
            return no("its blocks do not fill their part of the result");
        }
        let (Some(term), Some(end)) = (term, ends) else { return no("it stores no result") };
        let [Some(a), Some(b)] = self.places.clone() else {
            return no("its operands are not indexed as those of a product");
        };
        if a.scalar != b.scalar
            || !matches!(a.scalar, Scalar::F32 | Scalar::F16 | Scalar::Bf16)
            || !matches!(scalar, Scalar::F32 | Scalar::F16 | Scalar::Bf16)
        {
            return no("its matrices are of types that the cube does not multiply");
        }
        if [a.argument, b.argument].contains(&argument) {
            return no("its result is one of its operands");
        }
        let operand = |place: &Place, of_rows: bool| -> Found<Operand> {
            let along = (&place.along_line, &place.along_k);
            let operand = Operand::of(place.argument, place.scalar, along, of_rows)?;
            match operand.stride.is_fixed() {
                true => Ok(operand),
                false => no("an operand's stride is not known"),
            }
        };
        let [rows, columns] = [(&self.rows, &guards[0]), (&self.columns, &guards[1])].map(
            |(side, guards)| -> Found<Extent> {
                let (limit, granule) = guards.limit(side.tile)?;
                Ok(Extent {
                    block: Some(side.axis),
                    thread: side.axis,
                    step: None,
                    limit,
                    tile: Some((side.tile, granule)),
                })
            },
        );
        let ending = self.ending(&term)?;
        Ok(Product {
            c: Operand {
                argument,
                element: scalar,
                stride: Poly::symbol(*stride),
                transposed: false,
            },
            a: operand(&a, true)?,
            b: operand(&b, false)?,
            rows: rows?,
            columns: columns?,
            depth: Depth { limit, step, tile: self.tile, end },
            alpha: ending.alpha,
            beta: ending.beta,
            beta_may_skip: ending.beta_may_skip,
            old: ending.old.unwrap_or(argument),
            bias: ending.bias,
        })
    }

    /// What the guards of an element say of its row and its column.
    fn limits(
        &self,
        path: &[Atom],
        row: &Poly,
        column: &Poly,
    ) -> Found<(Option<Poly>, Option<Poly>)> {
        let (mut of_row, mut of_column) = (None, None);
        for atom in path {
            let Atom::Below(sym, at) = *atom else {
                return no("its result depends on another condition");
            };
            let poly = self.threads.graph.poly(sym, at);
            let poly = poly.ok_or_else(|| refuse("a limit is not followed"))?;
            let of = |index: &Poly| index.minus(&poly).filter(Poly::is_fixed);
            let (slot, limit) = match (of(row), of(column)) {
                (Some(limit), None) => (&mut of_row, limit),
                (None, Some(limit)) => (&mut of_column, limit),
                _ => return no("its result depends on another condition"),
            };
            // The stricter of two limits that differ by a number.
            match slot {
                None => *slot = Some(limit),
                Some(known) => {
                    let more = limit.minus(known).and_then(|d| d.constant());
                    match more {
                        Some(more) if more < 0 => *slot = Some(limit),
                        Some(_) => {}
                        None => return no("an index has two limits"),
                    }
                }
            }
        }
        Ok((of_row, of_column))
    }

    /// What an element is made of.
    fn term(
        &mut self,
        num: Num,
        here: &Here<'_>,
        sum: &mut Option<u32>,
        depth: u32,
    ) -> Found<Term> {
        if depth > 12 {
            return no("its result is not one of a product");
        }
        let mut own = |this: &mut Self, num| this.term(num, here, sum, depth + 1).map(Box::new);
        match self.threads.graph.num_node(num) {
            NumNode::Total(id) => {
                if *sum.get_or_insert(id) != id {
                    return no("its result is made of several sums");
                }
                Ok(Term::Sum)
            }
            NumNode::Parameter(index) => Ok(Term::Parameter(index)),
            NumNode::Add(a, b) => Ok(Term::Add(own(self, a)?, own(self, b)?)),
            NumNode::Multiply(a, b) => Ok(Term::Multiply(own(self, a)?, own(self, b)?)),
            NumNode::MultiplyAdd(a, b, c) => {
                let product = Term::Multiply(own(self, a)?, own(self, b)?);
                Ok(Term::Add(Box::new(product), own(self, c)?))
            }
            // Float is at least as exact; the result is rounded once.
            NumNode::Rounded(_, inner) => self.term(inner, here, sum, depth + 1),
            NumNode::Choice(cond, yes, no_value) => {
                if let Some(decided) = self.threads.graph.decided(cond, here.path) {
                    let taken = if decided { yes } else { no_value };
                    return self.term(taken, here, sum, depth + 1);
                }
                let CondNode::All(atoms) = self.threads.graph.cond_node(cond).clone() else {
                    return no("its result depends on another condition");
                };
                let [Atom::Launch(value, holds)] = atoms[..] else {
                    return no("its result depends on another condition");
                };
                Ok(Term::Choice(value, holds, own(self, yes)?, own(self, no_value)?))
            }
            NumNode::Load { argument, scalar, sym, at } => {
                match elements(&self.threads, (sym, at), scalar) {
                    Some(place) if place == *here.place => Ok(Term::Old(argument)),
                    Some(place) if place == *here.column => Ok(Term::Column(argument, scalar)),
                    _ => no("something else than a multiple of the result's old value is added"),
                }
            }
            NumNode::Constant(_) | NumNode::Carried(_) => no("its result is not one of a product"),
        }
    }

    /// A pass adds to the element each product of its row, its column and a k of the pass once. Gives the
    /// end of the sum before that of the loop.
    fn adds(&mut self, sum: u32, (r, c): (i128, i128), path: &[Atom]) -> Found<Option<Poly>> {
        let sums = std::mem::take(&mut self.threads.sums);
        let made = match sums.get(sum as usize) {
            Some(sum) => self.all_added(&sum.products, (r, c), path),
            None => no("its result is not a sum"),
        };
        self.threads.sums = sums;
        made
    }

    fn all_added(
        &mut self,
        products: &[(Num, Num, Vec<Cond>)],
        (r, c): (i128, i128),
        path: &[Atom],
    ) -> Found<Option<Poly>> {
        let strange = || refuse("its operands are not indexed as those of a product");
        let mut added = vec![false; products.len()];
        let mut end: Option<Option<Poly>> = None;
        let (mut is_one, mut comes_there) = (true, false);
        for (x, y, conds) in products {
            let (x, y) =
                (self.factor(*x).ok_or_else(strange)?, self.factor(*y).ok_or_else(strange)?);
            let (a, b) = if x.of_rows { (x, y) } else { (y, x) };
            if !a.of_rows || b.of_rows || a.line != r || b.line != c || a.k != b.k {
                return Err(strange());
            }
            let k = usize::try_from(a.k).ok().and_then(|k| added.get_mut(k)).ok_or_else(strange)?;
            if std::mem::replace(k, true) {
                return Err(strange());
            }
            let mut others = Vec::new();
            let mut conditions: Vec<Atom> =
                a.conditions.iter().chain(&b.conditions).copied().collect();
            for cond in conds {
                if !self.sorted(*cond, a.k, &mut conditions, &mut others) {
                    return Err(strange());
                }
            }
            if !conditions.iter().all(|atom| follows(*atom, path)) {
                return no("its loads and its result have different limits");
            }
            // The strictest end; others are beyond it by a number.
            let mut own: Option<&Poly> = None;
            for End { at, is_beyond } in a.ends.iter().chain(&b.ends).chain(&others) {
                comes_there |= !is_beyond;
                own = match own {
                    Some(known) if known != at => {
                        let more = at.minus(known).and_then(|d| d.constant());
                        let more = more.ok_or_else(|| refuse("a sum has two ends"))?;
                        Some(if more < 0 { at } else { known })
                    }
                    _ => Some(at),
                };
            }
            is_one &= end.get_or_insert_with(|| own.cloned()).as_ref() == own;
        }
        match end {
            // All passes are whole.
            _ if !comes_there => Ok(None),
            Some(end) if is_one => Ok(end),
            _ => no("the length of its sums is not known"),
        }
    }

    /// The atoms of a condition on a product: ends of the sum, and what has to follow from the result's
    /// guards. What holds in every pass is neither.
    fn sorted(
        &mut self,
        cond: Cond,
        k: i128,
        conditions: &mut Vec<Atom>,
        ends: &mut Vec<End>,
    ) -> bool {
        let CondNode::All(atoms) = self.threads.graph.cond_node(cond).clone() else {
            return false;
        };
        let Some((_, pass)) = self.threads.passes else { return false };
        let pass = match self.threads.graph.cond_node(pass) {
            CondNode::All(atoms) => atoms.clone(),
            _ => Vec::new(),
        };
        for atom in atoms {
            let Atom::Below(sym, at) = atom else { return false };
            let Some(poly) = self.threads.graph.poly(sym, at) else { return false };
            if !poly.symbols().any(|symbol| symbol == self.passes) {
                conditions.push(atom);
                continue;
            }
            let index = Poly::symbol(self.passes).times(&Poly::number(self.tile));
            let end = index
                .and_then(|index| index.minus(&poly))
                .and_then(|rest| rest.minus(&Poly::number(-k)))
                .filter(Poly::is_fixed);
            match end {
                Some(at) => ends.push(End { at, is_beyond: follows(atom, &pass) }),
                None => return false,
            }
        }
        true
    }

    /// What a factor of a product is an element of.
    fn factor(&mut self, num: Num) -> Option<Rc<Factor>> {
        if let Some(known) = self.factors.get(&num) {
            return known.clone();
        }
        let made = self.new_factor(num).map(Rc::new);
        self.factors.insert(num, made.clone());
        made
    }

    fn new_factor(&mut self, num: Num) -> Option<Factor> {
        let mut at = num;
        let mut conds = Vec::new();
        let (argument, scalar, place) = loop {
            match self.threads.graph.num_node(at) {
                NumNode::Choice(cond, yes, ZERO) => {
                    conds.push(cond);
                    at = yes;
                }
                NumNode::Choice(cond, ZERO, other) => {
                    conds.push(self.threads.graph.not(cond));
                    at = other;
                }
                NumNode::Load { argument, scalar, sym, at } => break (argument, scalar, (sym, at)),
                _ => return None,
            }
            if conds.len() > 8 {
                return None;
            }
        };
        let place = elements(&self.threads, place, scalar)?;
        let by_pass = place.factor_of(self.passes)?;
        let along_k = by_pass.divided(self.tile)?;
        let by_row = place.factor_of(self.rows.symbol())?;
        let by_column = place.factor_of(self.columns.symbol())?;
        let (of_rows, side, by_line) = match (by_row.is_zero(), by_column.is_zero()) {
            (false, true) => (true, self.rows, by_row),
            (true, false) => (false, self.columns, by_column),
            _ => return None,
        };
        let along_line = by_line.divided(side.tile)?;
        if !along_k.is_fixed() || !along_line.is_fixed() || along_k.is_zero() {
            return None;
        }
        let rest = place
            .minus(&by_pass.times(&Poly::symbol(self.passes))?)?
            .minus(&by_line.times(&Poly::symbol(side.symbol()))?)?;
        // line * along_line + k * along_k, of which one is one element.
        let (line, k) = if along_k.is_one() {
            let line = along_line.count_in(&rest)?;
            (line, rest.minus(&along_line.times(&Poly::number(line))?)?.constant()?)
        } else if along_line.is_one() {
            let k = along_k.count_in(&rest)?;
            (rest.minus(&along_k.times(&Poly::number(k))?)?.constant()?, k)
        } else {
            return None;
        };
        if !(0..side.tile).contains(&line) || !(0..self.tile).contains(&k) {
            return None;
        }
        let own = Place { argument, scalar, along_line, along_k };
        let known = &mut self.places[usize::from(!of_rows)];
        if *known.get_or_insert_with(|| own.clone()) != own {
            return None;
        }
        let (mut conditions, mut ends) = (Vec::new(), Vec::new());
        for cond in conds {
            if !self.sorted(cond, k, &mut conditions, &mut ends) {
                return None;
            }
        }
        Some(Factor { of_rows, line, k, conditions, ends })
    }

    /// What is done to a sum before it is stored.
    fn ending(&self, term: &Term) -> Found<Ending> {
        let strange = || refuse("its result is not one of a product");
        match term {
            Term::Sum => Ok(Ending::default()),
            Term::Multiply(x, y) => match (&**x, &**y) {
                (Term::Parameter(alpha), Term::Sum) | (Term::Sum, Term::Parameter(alpha)) => {
                    Ok(Ending { alpha: Some(*alpha), ..Ending::default() })
                }
                _ => Err(strange()),
            },
            Term::Add(x, y) => {
                for (rest, added) in [(x, y), (y, x)] {
                    let own = match &**added {
                        Term::Column(argument, scalar) => Added::Bias(*argument, *scalar),
                        Term::Multiply(u, v) => match (&**u, &**v) {
                            (Term::Parameter(beta), Term::Old(old))
                            | (Term::Old(old), Term::Parameter(beta)) => Added::Old(*beta, *old),
                            _ => continue,
                        },
                        _ => continue,
                    };
                    let mut ending = self.ending(rest)?;
                    match own {
                        Added::Bias(argument, element) if ending.bias.is_none() => {
                            ending.bias = Some(Bias { argument, element, may_lack: false });
                        }
                        Added::Old(beta, old) if ending.beta.is_none() => {
                            (ending.beta, ending.old) = (Some(beta), Some(old));
                        }
                        _ => return Err(strange()),
                    }
                    return Ok(ending);
                }
                Err(strange())
            }
            Term::Choice(value, holds, yes, no_value) => {
                let Expression::Compare { op, left, right } = self.facts.expression(*value) else {
                    return Err(strange());
                };
                // Whether the condition says "is zero".
                let is_zero = match op {
                    CompareOp::Equal => *holds,
                    CompareOp::NotEqual => !*holds,
                    _ => return Err(strange()),
                };
                let argument =
                    |value: Value| match self.facts.expression(self.facts.flow.plain(value)) {
                        Expression::Argument(index) => Some(*index),
                        _ => None,
                    };
                let zero = |value: Value| super::recognise::is_zero(self.facts, value);
                let of = match (argument(*left), argument(*right)) {
                    (Some(of), _) if zero(*right) => of,
                    (_, Some(of)) if zero(*left) => of,
                    _ => return Err(strange()),
                };
                let (without, with) = if is_zero { (yes, no_value) } else { (no_value, yes) };
                let (without, mut with) = (self.ending(without)?, self.ending(with)?);
                let mut less = with.clone();
                if with.beta == Some(of) && !with.beta_may_skip {
                    (less.beta, less.old, with.beta_may_skip) = (None, None, true);
                } else if let Some(bias) = with.bias.as_mut().filter(|bias| bias.argument == of) {
                    (less.bias, bias.may_lack) = (None, true);
                }
                if less != without {
                    return Err(strange());
                }
                Ok(with)
            }
            _ => Err(strange()),
        }
    }
}

/// Where an element is.
struct Here<'h> {
    place: &'h Poly,
    column: &'h Poly,
    path: &'h [Cond],
}

enum Added {
    Bias(u32, Scalar),
    Old(u32, u32),
}

/// What is done to a sum before it is stored.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ending {
    alpha: Option<u32>,
    beta: Option<u32>,
    old: Option<u32>,
    beta_may_skip: bool,
    bias: Option<Bias>,
}
