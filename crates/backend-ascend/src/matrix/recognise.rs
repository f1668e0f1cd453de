//! Products of matrices by what they compute: C[i, j] = alpha · Σ A[i, k] · B[k, j] + beta · C[i, j].
//!
//! One thread computes one element. The sum is a local that starts at zero and to which a loop adds
//! products of two loads. Where these are of shared memory, the one store to it says which element
//! of global memory they are: that of the thread whose place in the tile is read. All indices are
//! polynomials, and what is recognised is checked as equations of polynomials; what does not fit is
//! refused.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::affine::{Affine, Symbol};
use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{
    Axis, BarrierScope, Builtin, CompareOp, Constant, Conversion, Expression, FloatOp, Handle,
    IntegerOp, Local, LoopTest, Scalar, StatementKind, Type, UnaryOp, Value,
};

use super::polynomial::Poly;
use crate::code::facts::Facts;
use crate::code::refuse;
use crate::kernel::NotTranslated;

type Found<T> = Result<T, NotTranslated>;

/// A matrix operand.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    /// The kernel's parameter.
    pub(super) argument: u32,
    pub(super) element: Scalar,
    /// Elements from a line to the next.
    pub(super) stride: Poly,
    /// Whether lines are those of the transposed matrix.
    pub(super) transposed: bool,
}

impl Operand {
    /// A matrix whose elements lie so far apart along its lines' index and along k, one of which is one
    /// element. A row of A goes along k, a row of B along the columns.
    pub(super) fn of(
        argument: u32,
        element: Scalar,
        (along_index, along_k): (&Poly, &Poly),
        of_rows: bool,
    ) -> Found<Self> {
        let (transposed, stride) = if along_k.is_one() {
            (!of_rows, along_index.clone())
        } else if along_index.is_one() {
            (of_rows, along_k.clone())
        } else {
            return no("an operand is strided in both directions");
        };
        Ok(Operand { argument, element, stride, transposed })
    }
}

/// An index of the result: what thread and block numbers make of it, and its end.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) block: Option<Axis>,
    pub(super) thread: Axis,
    /// `None`: the block's extent.
    pub(super) step: Option<i128>,
    /// The guard's limit.
    pub(super) limit: Option<Poly>,
    /// A block's side where threads do not number single elements, and how many lines share a guard.
    pub(super) tile: Option<(i128, i128)>,
}

/// What is added to each row of the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bias {
    /// The kernel's parameter.
    pub(super) argument: u32,
    pub(super) element: Scalar,
    /// Whether nothing is added where it is a null pointer.
    pub(super) may_lack: bool,
}

/// The length of the sums: what the loops pass through, and an end before that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Depth {
    /// The loop over tiles, or over all, goes to here …
    pub(super) limit: Poly,
    /// … by so much a pass …
    pub(super) step: i128,
    /// … of so many elements.
    pub(super) tile: i128,
    /// Tiles are zero from here on.
    pub(super) end: Option<Poly>,
}

/// A recognised product.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) a: Operand,
    pub(super) b: Operand,
    pub(super) c: Operand,
    pub(super) rows: Extent,
    pub(super) columns: Extent,
    /// The length of the sums.
    pub(super) depth: Depth,
    /// Factors by the kernel's parameter; `None`: one, or nothing is added.
    pub(super) alpha: Option<u32>,
    pub(super) beta: Option<u32>,
    /// Whether C is not read where beta is zero.
    pub(super) beta_may_skip: bool,
    /// The matrix whose multiple is added: the result's own or another that lies as it does.
    pub(super) old: u32,
    pub(super) bias: Option<Bias>,
}

struct Recogniser<'r, 'c, 'a> {
    facts: &'r Facts<'c, 'a>,
    affine: Affine<'r, 'a>,
}

fn no<T>(reason: &str) -> Found<T> {
    Err(refuse(reason))
}

/// Recognises a kernel.
pub(super) fn recognise(facts: &Facts<'_, '_>) -> Found<Product> {
    let affine = Affine::new(facts.flow, &facts.module.types);
    Recogniser { facts, affine }.product()
}

impl Recogniser<'_, '_, '_> {
    fn product(&mut self) -> Found<Product> {
        let facts = self.facts;
        let mut stores = Vec::new();
        let mut shared_stores = Vec::new();
        for (id, entry) in facts.flow.statements() {
            match &entry.statement.kind {
                StatementKind::Store { pointer, access, .. } => match facts.flow.root(*pointer) {
                    Root::Argument(_) if !access.volatile && access.atomic.is_none() => {
                        stores.push(id);
                    }
                    Root::Local(_) => {}
                    Root::Variable(_) if !access.volatile && access.atomic.is_none() => {
                        shared_stores.push(id);
                    }
                    _ => return no("it stores where it is not followed"),
                },
                StatementKind::Load { .. }
                | StatementKind::If { .. }
                | StatementKind::Loop(_)
                | StatementKind::Block(_)
                | StatementKind::Return { .. }
                | StatementKind::Barrier {
                    scope: BarrierScope::Block,
                    named: None,
                    reduce: None,
                    ..
                } => {}
                _ => return no("it does more than a product of matrices"),
            }
        }
        let [store] = stores[..] else { return no("it has not one store of a result") };
        let StatementKind::Store { pointer: c_pointer, value, .. } = facts.kind(store) else {
            return no("it has not one store of a result");
        };
        let Type::Scalar(c_element) = facts.ty(*value) else {
            return no("it stores several words at once");
        };
        // The sum, and the loop that makes it.
        let (alpha, beta, beta_may_skip, sum) = self.result(*value, *c_pointer)?;
        let (inner, x, y) = self.sum(sum)?;
        let guards = self.guards(store)?;
        // The place in C gives the indices.
        let c_place = self.place(*c_pointer, c_element)?;
        let (rows, columns, c_stride) = self.indices(&c_place.1)?;
        let left = self.operand(x, inner, &shared_stores)?;
        let right = self.operand(y, inner, &shared_stores)?;
        // Which of them goes with the rows?
        let (a, b) = match (self.line(&left, &rows.1), self.line(&right, &columns.1)) {
            (Some(a), Some(b)) => (a, b),
            _ => match (self.line(&right, &rows.1), self.line(&left, &columns.1)) {
                (Some(a), Some(b)) => (a, b),
                _ => return no("its operands are not indexed as those of a product"),
            },
        };
        let operand = |line: &Line, of_rows: bool| {
            let along = (&line.along_index, &line.along_k);
            Operand::of(line.argument, line.element, along, of_rows)
        };
        let (first, second) = (operand(&a, true)?, operand(&b, false)?);
        if first.element != second.element
            || !matches!(first.element, Scalar::F32 | Scalar::F16 | Scalar::Bf16)
            || !matches!(c_element, Scalar::F32 | Scalar::F16 | Scalar::Bf16)
        {
            return no("its matrices are of types that the cube does not multiply");
        }
        let mut depth = a.depth.clone();
        depth.end = depth.end.or(b.depth.end.clone());
        let same = |other: &Depth| {
            let ends = other.end.is_none() || other.end == depth.end;
            (&other.limit, other.step, other.tile) == (&depth.limit, depth.step, depth.tile) && ends
        };
        if !same(&a.depth) || !same(&b.depth) {
            return no("the length of its sums is not known");
        }
        let mut extents = [rows.0, columns.0];
        for (extent, index) in extents.iter_mut().zip([&rows.1, &columns.1]) {
            for (left, limit) in &guards {
                if left == index {
                    match &extent.limit {
                        Some(known) if known != limit => return no("an index has two limits"),
                        _ => extent.limit = Some(limit.clone()),
                    }
                }
            }
        }
        // Every condition of the store is one of these.
        if guards.iter().any(|(left, _)| *left != rows.1 && *left != columns.1) {
            return no("its result depends on another condition");
        }
        let [rows, columns] = extents;
        for (line, extent) in [(&a, &rows), (&b, &columns)] {
            if let (Some(own), Some(limit)) = (&line.limit, &extent.limit)
                && own != limit
            {
                return no("its loads and its result have different limits");
            }
            if line.limit.is_some() && extent.limit.is_none() {
                return no("its loads are guarded and its result is not");
            }
        }
        Ok(Product {
            c: Operand {
                argument: c_place.0,
                element: c_element,
                stride: c_stride,
                transposed: false,
            },
            a: first,
            b: second,
            rows,
            columns,
            depth,
            alpha,
            beta,
            beta_may_skip,
            old: c_place.0,
            bias: None,
        })
    }

    /// The argument and the elements from its start that a pointer points at.
    fn place(&mut self, pointer: Value, element: Scalar) -> Found<(u32, Poly)> {
        let Root::Argument(argument) = self.facts.flow.root(pointer) else {
            return no("it reads or writes memory that is not a parameter's");
        };
        let Some(address) = self.affine.address(pointer) else {
            return no("an address is not followed");
        };
        let bytes = Poly::of(&address.offset);
        match bytes.divided(i128::from(element.size())) {
            Some(elements) => Ok((argument, elements)),
            None => no("an address is not one of an element"),
        }
    }

    /// `i * ld + j`: the extents and polynomials of i and j, and ld.
    #[allow(clippy::type_complexity, reason = "two pairs and a stride")]
    fn indices(&self, place: &Poly) -> Found<((Extent, Poly), (Extent, Poly), Poly)> {
        let mut strides: BTreeSet<Symbol> = BTreeSet::new();
        for factors in place.0.keys() {
            let varies = factors.iter().any(|symbol| is_thread(*symbol));
            let values: Vec<_> =
                factors.iter().filter(|symbol| matches!(symbol, Symbol::Value(_))).collect();
            match values[..] {
                [] => {}
                [value] if varies => {
                    strides.insert(*value);
                }
                _ => return no("the place of its result is no row and column"),
            }
        }
        let Some(stride) = strides.first().copied().filter(|_| strides.len() == 1) else {
            return no("the place of its result is no row and column");
        };
        let stride = Poly::symbol(stride);
        let rows = place.factor_of(*strides.first().ok_or_else(|| refuse("no stride"))?);
        let Some(rows) = rows else { return no("the place of its result is no row and column") };
        let columns = rows.times(&stride).and_then(|lines| place.minus(&lines));
        let Some(columns) = columns else {
            return no("the place of its result is no row and column");
        };
        let (row, column) = (extent(&rows)?, extent(&columns)?);
        if row.thread == column.thread || (row.block.is_some() && row.block == column.block) {
            return no("its rows and columns are numbered by the same threads");
        }
        Ok(((row, rows), (column, columns), stride))
    }

    /// A value that is stored: alpha, beta, whether C is read only where beta is not zero, the sum.
    fn result(&mut self, value: Value, c: Value) -> Found<(Option<u32>, Option<u32>, bool, Value)> {
        let value = self.unconverted(value);
        // `beta == 0 ? alpha * sum : alpha * sum + beta * c`
        if let Some((condition, yes, no_value)) = self.choice(value) {
            let (first, second) = (self.scaled(yes, c)?, self.scaled(no_value, c)?);
            let Expression::Compare { op: CompareOp::Equal, left, right } =
                self.facts.expression(condition)
            else {
                return no("its result depends on another condition");
            };
            let zero = |value: Value| is_zero(self.facts, value);
            let beta = match (self.argument(*left), self.argument(*right)) {
                (Some(beta), _) if zero(*right) => beta,
                (_, Some(beta)) if zero(*left) => beta,
                _ => return no("its result depends on another condition"),
            };
            if first.1.is_some()
                || second.1 != Some(beta)
                || first.0 != second.0
                || self.local_of(first.2) != self.local_of(second.2)
            {
                return no("its result is not one of a product");
            }
            return Ok((second.0, second.1, true, second.2));
        }
        let (alpha, beta, sum) = self.scaled(value, c)?;
        Ok((alpha, beta, false, sum))
    }

    /// `alpha * sum + beta * c`, with any part left out.
    fn scaled(&mut self, value: Value, c: Value) -> Found<(Option<u32>, Option<u32>, Value)> {
        let value = self.unconverted(value);
        let (product, added) = match self.facts.expression(value) {
            Expression::Float { op: FloatOp::Add, left, right, .. } => {
                if let Some(beta) = self.times_c(*right, c) {
                    (*left, Some(beta))
                } else if let Some(beta) = self.times_c(*left, c) {
                    (*right, Some(beta))
                } else {
                    return no("something else than a multiple of the result's old value is added");
                }
            }
            Expression::FusedMultiplyAdd { a, b, c: added, .. } => {
                let Some(beta) = self.times_c(*added, c) else {
                    return no("something else than a multiple of the result's old value is added");
                };
                let (alpha, sum) = self.factor(*a, *b)?;
                return Ok((Some(alpha), Some(beta), sum));
            }
            _ => (value, None),
        };
        let product = self.unconverted(product);
        if let Expression::Float { op: FloatOp::Multiply, left, right, .. } =
            self.facts.expression(product)
        {
            let (alpha, sum) = self.factor(*left, *right)?;
            return Ok((Some(alpha), added, sum));
        }
        Ok((None, added, product))
    }

    fn factor(&self, left: Value, right: Value) -> Found<(u32, Value)> {
        match (self.argument(left), self.argument(right)) {
            (Some(alpha), None) => Ok((alpha, right)),
            (None, Some(alpha)) => Ok((alpha, left)),
            _ => no("its result is not scaled by a parameter"),
        }
    }

    /// `beta * C[i, j]`, of the element that is stored.
    fn times_c(&mut self, value: Value, c: Value) -> Option<u32> {
        let Expression::Float { op: FloatOp::Multiply, left, right, .. } =
            self.facts.expression(self.unconverted(value))
        else {
            return None;
        };
        for (factor, old) in [(*left, *right), (*right, *left)] {
            let (Some(beta), Some(pointer)) = (self.argument(factor), self.loaded(old)) else {
                continue;
            };
            if self.facts.flow.root(pointer) == self.facts.flow.root(c)
                && self.affine.address(pointer) == self.affine.address(c)
            {
                return Some(beta);
            }
        }
        None
    }

    /// The parameter that a value is.
    fn argument(&self, value: Value) -> Option<u32> {
        match self.facts.expression(self.facts.flow.plain(value)) {
            Expression::Argument(index) => Some(*index),
            _ => None,
        }
    }

    /// A value without its conversions between floats.
    fn unconverted(&self, value: Value) -> Value {
        let mut at = self.facts.flow.plain(value);
        for _ in 0..8 {
            match self.facts.expression(at) {
                Expression::Convert { kind: Conversion::FloatToFloat { .. }, value, .. } => {
                    at = self.facts.flow.plain(*value);
                }
                _ => break,
            }
        }
        at
    }

    /// The pointer that a value is loaded from.
    fn loaded(&self, value: Value) -> Option<Value> {
        let definer = self.facts.flow.definer(self.unconverted(value))?;
        match self.facts.kind(definer) {
            StatementKind::Load { pointer, access, .. }
                if !access.volatile && access.atomic.is_none() =>
            {
                Some(*pointer)
            }
            _ => None,
        }
    }

    fn local_of(&self, value: Value) -> Option<Handle<Local>> {
        self.facts.variable(self.loaded(value)?)
    }

    /// A value that an `if` chooses: condition, and what is stored in either arm.
    fn choice(&self, value: Value) -> Option<(Value, Value, Value)> {
        if let Expression::Select { condition, accept, reject } = self.facts.expression(value) {
            return Some((*condition, *accept, *reject));
        }
        let local = self.local_of(value)?;
        let [first, second] = self.facts.stores[local.index()][..] else { return None };
        let (one, first_arm) = self.facts.flow.parents(first).next()?;
        let (other, _) = self.facts.flow.parents(second).next()?;
        let StatementKind::If { condition, .. } = self.facts.kind(one) else { return None };
        let [accept, _] = self.facts.children[one.index()][..] else { return None };
        let _ = first_arm;
        let (yes, no) = if self.facts.block_of[first.index()] == accept {
            (first, second)
        } else {
            (second, first)
        };
        let stored = |id: StatementId| match self.facts.kind(id) {
            StatementKind::Store { value, .. } => Some(*value),
            _ => None,
        };
        (one == other).then_some((*condition, stored(yes)?, stored(no)?))
    }

    /// The loop that adds to the sum, and the factors of what it adds.
    fn sum(&mut self, sum: Value) -> Found<(StatementId, Value, Value)> {
        let Some(local) = self.local_of(sum) else { return no("its result is not a sum") };
        let facts = self.facts;
        if facts.function.locals[local].ty != Type::F32 {
            return no("its sums are not of type float");
        }
        let [first, second] = facts.stores[local.index()][..] else {
            return no("its sum is not made by one loop");
        };
        let (start, update) = (first, second);
        let stored = |id: StatementId| match facts.kind(id) {
            StatementKind::Store { value, .. } => *value,
            _ => sum,
        };
        let start_value = stored(start);
        if !is_zero(facts, start_value) {
            return no("its sum does not start at zero");
        }
        let is_sum = |value: Value| self.local_of(value) == Some(local);
        let (x, y) = match facts.expression(stored(update)) {
            Expression::FusedMultiplyAdd { a, b, c, .. } if is_sum(*c) => (*a, *b),
            Expression::Float { op: FloatOp::Add, left, right, .. } => {
                let added = if is_sum(*left) {
                    *right
                } else if is_sum(*right) {
                    *left
                } else {
                    return no("its sum is not one of products");
                };
                match facts.expression(added) {
                    Expression::Float { op: FloatOp::Multiply, left, right, .. } => (*left, *right),
                    _ => return no("its sum is not one of products"),
                }
            }
            _ => return no("its sum is not one of products"),
        };
        let Some((inner, _)) = facts.flow.parents(update).next() else {
            return no("its sum is not made by a loop");
        };
        if !matches!(facts.kind(inner), StatementKind::Loop(_)) {
            return no("it adds on a condition");
        }
        // The start is not inside of any loop that the update is in.
        for (parent, _) in facts.flow.parents(update) {
            let is_loop = matches!(facts.kind(parent), StatementKind::Loop(_));
            if is_loop && facts.flow.is_inside(start, parent) {
                return no("its sum starts again in a loop");
            }
            if !is_loop && !facts.flow.is_inside(start, parent) && self.varies(parent) {
                return no("it adds on a condition");
            }
        }
        // No way out of the loops but their tests.
        let jumps = facts.flow.statements().any(|(id, entry)| {
            matches!(entry.statement.kind, StatementKind::Break | StatementKind::Continue)
                || matches!(entry.statement.kind, StatementKind::Return { .. })
                    && facts
                        .flow
                        .parents(id)
                        .any(|(parent, _)| matches!(facts.kind(parent), StatementKind::Loop(_)))
        });
        if jumps {
            return no("it leaves a loop early");
        }
        Ok((inner, x, y))
    }

    /// Whether a statement is an `if` around the sum that is not one of the result's guards: those
    /// hold the start too.
    fn varies(&self, id: StatementId) -> bool {
        matches!(self.facts.kind(id), StatementKind::If { .. })
    }

    /// How far a loop counts from where it starts, and by how much a pass.
    fn limit(&mut self, id: StatementId) -> Option<(Poly, i128)> {
        let StatementKind::Loop(looping) = self.facts.kind(id) else { return None };
        let (LoopTest::Before, Some(test)) = (looping.when, looping.test) else { return None };
        let Expression::Compare { op, left, right } = self.facts.expression(test) else {
            return None;
        };
        let (left, right, more) = match op {
            CompareOp::Less => (*left, *right, 0),
            CompareOp::LessEqual => (*left, *right, 1),
            CompareOp::Greater => (*right, *left, 0),
            CompareOp::GreaterEqual => (*right, *left, 1),
            _ => return None,
        };
        let index = Poly::of(&self.affine.integer(left));
        let passes = Symbol::Passes(id);
        let step = index.factor_of(passes)?;
        let step = *step.0.get(&Vec::new()).filter(|_| step.0.len() == 1)?;
        let start = index.minus(&Poly(BTreeMap::from([(vec![passes], step)])))?;
        let end = Poly::of(&self.affine.integer(right));
        // Less by minus one is more by one.
        let limit = end.minus(&start)?.minus(&Poly::number(-more))?;
        (step > 0 && limit.is_fixed()).then_some((limit, step))
    }

    /// A factor of the products: where it lies in global memory, by the numbers of the thread that
    /// uses it.
    fn operand(&mut self, value: Value, inner: StatementId, stores: &[StatementId]) -> Found<Raw> {
        let facts = self.facts;
        let Some(pointer) = self.loaded(value) else { return no("a factor is not loaded") };
        let Type::Scalar(element) = self.type_of_load(value) else {
            return no("a factor is not a number");
        };
        let k = Symbol::Passes(inner);
        let Some((count, step)) = self.limit(inner) else {
            return no("the loop of its sum does not count up to a limit");
        };
        match facts.flow.root(pointer) {
            Root::Argument(_) => {
                let (argument, place) = self.place(pointer, element)?;
                let outer = facts
                    .flow
                    .parents(inner)
                    .find(|(parent, _)| matches!(facts.kind(*parent), StatementKind::Loop(_)));
                if outer.is_some() || step != 1 {
                    return no("its sum is made by several loops");
                }
                let depth = Depth { limit: count, step: 1, tile: 1, end: None };
                Ok(Raw { argument, element, place, k, guards: Vec::new(), depth })
            }
            Root::Variable(variable) => {
                let tile = count.0.get(&Vec::new()).copied().filter(|_| count.0.len() == 1);
                let Some(tile) = tile.filter(|_| step == 1) else {
                    return no("the loop over a tile does not have a fixed length");
                };
                let outer = facts
                    .flow
                    .parents(inner)
                    .find(|(parent, _)| matches!(facts.kind(*parent), StatementKind::Loop(_)));
                let Some((outer, _)) = outer else {
                    return no("its tiles are not made by a loop");
                };
                let more = facts
                    .flow
                    .parents(outer)
                    .any(|(parent, _)| matches!(facts.kind(parent), StatementKind::Loop(_)));
                let own = stores.iter().filter(|id| match facts.kind(**id) {
                    StatementKind::Store { pointer, .. } => {
                        facts.flow.root(*pointer) == Root::Variable(variable)
                    }
                    _ => false,
                });
                let own: Vec<StatementId> = own.copied().collect();
                if more || own.is_empty() || own.len() > 2 {
                    return no("a tile is not filled by one store");
                }
                self.through_tile(pointer, &own, (inner, tile), outer)
            }
            _ => no("a factor lies where it is not followed"),
        }
    }

    /// A factor that is read from a tile of shared memory.
    fn through_tile(
        &mut self,
        read: Value,
        stores: &[StatementId],
        (inner, tile): (StatementId, i128),
        outer: StatementId,
    ) -> Found<Raw> {
        let facts = self.facts;
        let filled = |id: StatementId| match facts.kind(id) {
            StatementKind::Store { pointer, value, .. } => Some((*pointer, *value)),
            _ => None,
        };
        let parent = |id: StatementId| facts.flow.parents(id).next().map(|(parent, _)| parent);
        // Filled by one store, or by an `if` that stores an element or zero.
        let (mut store, mut condition) = (stores[0], None);
        if let [first, second] = *stores {
            let (Some(one), Some(other)) = (parent(first), parent(second)) else {
                return no("a tile is not filled by one store");
            };
            let StatementKind::If { condition: chosen, .. } = facts.kind(one) else {
                return no("a tile is not filled by one store");
            };
            let accepted = facts.children[one.index()].first().copied();
            let in_accept = |id: StatementId| Some(facts.block_of[id.index()]) == accepted;
            let (yes, zero) = if in_accept(first) { (first, second) } else { (second, first) };
            let (Some((to, _)), Some((also, value))) = (filled(yes), filled(zero)) else {
                return no("a tile is not filled by one store");
            };
            let same = self
                .affine
                .address(to)
                .is_some_and(|address| self.affine.address(also).as_ref() == Some(&address));
            if one != other || !in_accept(yes) || in_accept(zero) || !is_zero(facts, value) || !same
            {
                return no("its tiles are not zero outside of the matrix");
            }
            condition = Some(*chosen);
            store = yes;
        }
        let Some((pointer, value)) = filled(store) else {
            return no("a tile is not filled by one store");
        };
        let around =
            if condition.is_some() { parent(store).and_then(parent) } else { parent(store) };
        if around != Some(outer) {
            return no("a tile is filled on a condition");
        }
        // Barriers between filling and reading, and between reading and filling again.
        let mut order = Vec::new();
        for (id, entry) in facts.flow.inside(outer) {
            let direct = facts.flow.parents(id).next().map(|(parent, _)| parent) == Some(outer);
            if direct && matches!(entry.statement.kind, StatementKind::Barrier { .. }) {
                order.push(id);
            }
        }
        let before = order.iter().filter(|id| **id > store && **id < inner).count();
        let after = order.iter().filter(|id| **id > inner || **id < store).count();
        if before == 0 || after == 0 || store > inner {
            return no("its tiles are not kept apart by barriers");
        }
        let (Some(written), Some(place)) =
            (self.affine.address(pointer), self.affine.address(read))
        else {
            return no("an address in shared memory is not followed");
        };
        let (written, place) = (Poly::of(&written.offset), Poly::of(&place.offset));
        // The thread that wrote what is read: each of its numbers is what has the same factor.
        let mut names = BTreeMap::new();
        if written.0.len() != place.0.len() {
            return no("its tiles are read otherwise than they are filled");
        }
        for (factors, count) in &written.0 {
            let [thread @ Symbol::Builtin(Builtin::ThreadIndex(_))] = factors[..] else {
                return no("its tiles are filled otherwise than by thread numbers");
            };
            let mut same = place.0.iter().filter(|(_, other)| **other == *count);
            let (Some((reader, _)), None) = (same.next(), same.next()) else {
                return no("its tiles are read otherwise than they are filled");
            };
            let [reader] = reader[..] else {
                return no("its tiles are read otherwise than they are filled");
            };
            let fits = matches!(reader, Symbol::Builtin(Builtin::ThreadIndex(_)))
                || reader == Symbol::Passes(inner);
            if !fits {
                return no("its tiles are read otherwise than they are filled");
            }
            names.insert(thread, reader);
        }
        // Two numbers that never meet in one address: the smaller stays below the larger's factor.
        let mut factors: Vec<i128> = written.0.values().copied().collect();
        factors.sort_unstable();
        let [small, large] = factors[..] else {
            return no("its tiles have not two dimensions");
        };
        if small <= 0 || large < small.saturating_mul(tile) {
            return no("the lines of its tiles overlap");
        }
        // What was stored: an element of global memory, zero outside of it.
        let mut guards = Vec::new();
        let mut source = self.unconverted(value);
        if let Some(condition) = condition {
            let Some(found) = self.conditions(condition) else {
                return no("the limits of a tile are not followed");
            };
            guards = found;
        } else if let Some((condition, yes, zero)) = self.choice(source) {
            if !is_zero(facts, zero) {
                return no("its tiles are not zero outside of the matrix");
            }
            let Some(found) = self.conditions(condition) else {
                return no("the limits of a tile are not followed");
            };
            guards = found;
            source = self.unconverted(yes);
        }
        let Some(pointer) = self.loaded(source) else {
            return no("its tiles do not come from global memory");
        };
        let Type::Scalar(from) = self.type_of_load(source) else {
            return no("its tiles do not come from global memory");
        };
        let (argument, place) = self.place(pointer, from)?;
        let renamed = |poly: &Poly| poly.renamed(&names);
        let Some(place) = renamed(&place) else { return no("an address is not followed") };
        let guards: Option<Vec<(Poly, Poly)>> =
            guards.iter().map(|(left, limit)| Some((renamed(left)?, limit.clone()))).collect();
        let Some(guards) = guards else { return no("the limits of a tile are not followed") };
        // k counts tiles and places in a tile: one number.
        let (k, passes) = (Symbol::Passes(inner), Symbol::Passes(outer));
        let along = |poly: &Poly| -> Option<Poly> {
            let (by_k, by_tile) = (poly.factor_of(k)?, poly.factor_of(passes)?);
            let wanted = by_k.times(&Poly(BTreeMap::from([(Vec::new(), tile)])))?;
            if by_tile != wanted {
                return None;
            }
            poly.minus(&by_tile.times(&Poly::symbol(passes))?)
        };
        let Some(place) = along(&place) else {
            return no("its tiles do not follow each other along the sum");
        };
        let mut depth = None;
        let mut rest = Vec::new();
        for (left, limit) in guards {
            let Some(left) = along(&left) else {
                return no("the limits of a tile are not followed");
            };
            if left == Poly::symbol(k) {
                depth = Some(limit);
            } else {
                rest.push((left, limit));
            }
        }
        let Some((limit, step)) = self.limit(outer) else {
            return no("the loop over its tiles does not count up to a limit");
        };
        if step != 1 && step != tile {
            return no("the loop over its tiles does not count tiles");
        }
        let depth = Depth { limit, step, tile, end: depth };
        Ok(Raw { argument, element: from, place, k, guards: rest, depth })
    }

    fn type_of_load(&self, value: Value) -> Type {
        self.facts.ty(self.unconverted(value))
    }

    /// An operand whose lines are numbered by an index of the result.
    fn line(&self, raw: &Raw, index: &Poly) -> Option<Line> {
        let along_k = raw.place.factor_of(raw.k)?;
        let rest = raw.place.minus(&along_k.times(&Poly::symbol(raw.k))?)?;
        let thread = index.0.iter().find_map(|(factors, count)| match factors[..] {
            [symbol @ Symbol::Builtin(Builtin::ThreadIndex(_))] if *count == 1 => Some(symbol),
            _ => None,
        })?;
        let along_index = rest.factor_of(thread)?;
        if !along_k.is_fixed() || !along_index.is_fixed() || along_k.is_zero() {
            return None;
        }
        if rest != index.times(&along_index)? {
            return None;
        }
        let mut limit = None;
        for (left, end) in &raw.guards {
            if left != index {
                return None;
            }
            limit = Some(end.clone());
        }
        Some(Line {
            argument: raw.argument,
            element: raw.element,
            along_k,
            along_index,
            depth: raw.depth.clone(),
            limit,
        })
    }

    /// Under which comparisons a store happens.
    fn guards(&mut self, store: StatementId) -> Found<Vec<(Poly, Poly)>> {
        let facts = self.facts;
        let mut guards = Vec::new();
        for (parent, _) in facts.flow.parents(store) {
            match facts.kind(parent) {
                StatementKind::If { condition, .. } => {
                    let accept = facts.children[parent.index()].first().copied();
                    let inside =
                        accept.and_then(|block| facts.within(facts.position(store), block));
                    let Some(found) = self.conditions(*condition).filter(|_| inside.is_some())
                    else {
                        return no("its result depends on another condition");
                    };
                    guards.extend(found);
                }
                StatementKind::Block(_) => {}
                _ => return no("its result is stored in a loop"),
            }
        }
        for (id, entry) in facts.flow.statements() {
            if !matches!(entry.statement.kind, StatementKind::Return { .. }) {
                continue;
            }
            let mut parents = facts.flow.parents(id);
            let Some((parent, _)) = parents.next() else {
                // The end of the kernel.
                continue;
            };
            let StatementKind::If { condition, reject, .. } = facts.kind(parent) else {
                return no("it returns early");
            };
            if parents.any(|(outer, _)| !matches!(facts.kind(outer), StatementKind::Block(_)))
                || !reject.statements.is_empty()
            {
                return no("it returns early");
            }
            let Some(found) = self.opposite(*condition) else {
                return no("its result depends on another condition");
            };
            guards.extend(found);
        }
        Ok(guards)
    }

    /// The comparisons `index < limit` of a conjunction.
    fn conditions(&mut self, condition: Value) -> Option<Vec<(Poly, Poly)>> {
        let mut found = Vec::new();
        let mut work = vec![condition];
        while let Some(value) = work.pop() {
            if let Some((left, right)) = self.facts.conjunction(value) {
                work.extend([left, right]);
                continue;
            }
            match self.facts.expression(self.facts.flow.plain(value)) {
                Expression::Integer { op: IntegerOp::And, left, right } => {
                    work.extend([*left, *right]);
                }
                Expression::Unary { op: UnaryOp::Not, value } => {
                    found.extend(self.opposite(*value)?);
                }
                Expression::Compare { op, left, right } => {
                    found.push(self.comparison(*op, *left, *right)?);
                }
                _ => return None,
            }
            if found.len() > 8 {
                return None;
            }
        }
        Some(found)
    }

    /// The comparisons that hold where a disjunction does not.
    fn opposite(&mut self, condition: Value) -> Option<Vec<(Poly, Poly)>> {
        let value = self.facts.flow.plain(condition);
        match self.facts.expression(value) {
            Expression::Integer { op: IntegerOp::Or, left, right } => {
                let mut found = self.opposite(*left)?;
                found.extend(self.opposite(*right)?);
                Some(found)
            }
            Expression::Compare { op, left, right } => {
                let op = match op {
                    CompareOp::GreaterEqual => CompareOp::Less,
                    CompareOp::LessEqual => CompareOp::Greater,
                    _ => return None,
                };
                Some(vec![self.comparison(op, *left, *right)?])
            }
            // `a || b` as a choice: true, or b.
            _ => {
                let (first, yes, second) = self.choice(value)?;
                let Expression::Constant(Constant { bits: 1, .. }) = self.facts.expression(yes)
                else {
                    return None;
                };
                let mut found = self.opposite(first)?;
                found.extend(self.opposite(second)?);
                Some(found)
            }
        }
    }

    fn comparison(&mut self, op: CompareOp, left: Value, right: Value) -> Option<(Poly, Poly)> {
        let (left, right) = match op {
            CompareOp::Less => (left, right),
            CompareOp::Greater => (right, left),
            _ => return None,
        };
        let index = Poly::of(&self.affine.integer(left));
        let limit = Poly::of(&self.affine.integer(right));
        limit.is_fixed().then_some((index, limit))
    }
}

/// An operand before it is known what numbers its lines.
struct Raw {
    argument: u32,
    element: Scalar,
    place: Poly,
    k: Symbol,
    guards: Vec<(Poly, Poly)>,
    depth: Depth,
}

struct Line {
    argument: u32,
    element: Scalar,
    along_k: Poly,
    along_index: Poly,
    depth: Depth,
    limit: Option<Poly>,
}

fn is_thread(symbol: Symbol) -> bool {
    matches!(symbol, Symbol::Builtin(Builtin::ThreadIndex(_) | Builtin::BlockIndex(_)))
}

/// `block * step + thread`, or `thread`.
fn extent(index: &Poly) -> Found<Extent> {
    let mut thread = None;
    let mut block = None;
    let mut step = None;
    for (factors, count) in &index.0 {
        match factors[..] {
            [Symbol::Builtin(Builtin::ThreadIndex(axis))] if *count == 1 && thread.is_none() => {
                thread = Some(axis);
            }
            [Symbol::Builtin(Builtin::BlockIndex(axis))] if *count > 0 && block.is_none() => {
                block = Some(axis);
                step = Some((None, *count));
            }
            [
                Symbol::Builtin(Builtin::BlockIndex(axis)),
                Symbol::Builtin(Builtin::BlockDim(of)),
            ] if *count == 1 && block.is_none() => {
                block = Some(axis);
                step = Some((Some(of), 1));
            }
            _ => return no("its rows and columns are not numbered by threads and blocks"),
        }
    }
    let Some(thread) = thread else {
        return no("its rows and columns are not numbered by threads and blocks");
    };
    let step = match step {
        Some((Some(of), _)) if of != thread => {
            return no("its rows and columns are not numbered by threads and blocks");
        }
        Some((None, count)) => Some(count),
        _ => None,
    };
    Ok(Extent { block, thread, step, limit: None, tile: None })
}

pub(super) fn is_zero(facts: &Facts<'_, '_>, value: Value) -> bool {
    match facts.expression(facts.flow.plain(value)) {
        Expression::Constant(constant) => {
            constant.bits == 0 || constant.as_float().is_some_and(|value| value == 0.0)
        }
        Expression::Zero(_) => true,
        _ => false,
    }
}
