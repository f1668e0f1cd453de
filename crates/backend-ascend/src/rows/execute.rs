//! The threads of a group, executed together on values of a graph.
//!
//! What a thread's number decides is decided: branches, shuffles and addresses of shared memory are
//! carried out for each thread of a block of a given shape, so that whatever way a reduction takes,
//! its end is seen for what it is: one value of all threads, or not. What stays a symbol is the
//! memory, the parameters and the row. Loops over the elements of a row become phases
//! ([`super::phase`]).

mod known;
mod memory;
mod registers;
mod together;

use std::collections::BTreeMap;
use std::rc::Rc;

use port_ir::analysis::flow::Flow;
use port_ir::{
    Axis, Block, Builtin, Constant, Conversion, Expression, Function, Location, Loop, LoopTest,
    Module, Scalar, Statement, StatementKind, Type, Value,
};
use rustc_hash::FxHashMap;

use super::graph::{Base, Fold, Graph, Id, Op};
use super::phase::{Body, Phase, Reduction};
use super::settle::Settled;
use super::state::{State, VariableKey};
use crate::code::{placed, refuse};
use crate::kernel::NotTranslated;

pub(super) type Result<T> = std::result::Result<T, NotTranslated>;

/// Which threads make a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Threads of the group in x, y and z.
    pub threads: [u32; 3],
    /// Whether it is one warp of several of a block, those along this axis.
    pub warps: Option<Axis>,
}

impl Shape {
    pub fn count(&self) -> usize {
        self.threads.iter().map(|n| *n as usize).product()
    }
}

/// A value of every thread.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lanes {
    Same(Id),
    Each(Rc<Vec<Id>>),
    /// The parts of a vector, array or struct.
    Parts(Vec<Lanes>),
}

/// What a group does, in order.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Phase(Phase),
    /// One element, by one thread.
    Store(Store),
}

#[derive(Clone, Debug)]
pub(super) struct Store {
    pub base: Base,
    /// In bytes.
    pub offset: Id,
    pub ty: Scalar,
    pub value: Id,
    pub guards: Vec<Id>,
    pub location: Location,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rows {
    /// Each group has one.
    Groups,
    /// The groups share so many.
    Loop(Id),
}

/// A key of shared memory: the variable, the symbolic part of the offset, the rest.
type Shared = (u32, Id, i64);

pub(super) struct Executor<'e, 'a> {
    pub module: &'e Module,
    pub function: &'e Function,
    pub flow: &'e Flow<'a>,
    pub shape: Shape,
    pub graph: Graph,
    values: FxHashMap<Value, Lanes>,
    cache: FxHashMap<Value, Lanes>,
    /// The threads that run, and what has been computed for them alone.
    active: Vec<bool>,
    narrow: Vec<Value>,
    pub locals: BTreeMap<VariableKey, (Lanes, Scalar)>,
    shared: BTreeMap<Shared, (Id, Scalar)>,
    /// Vectors that phases have stored: their value, and after how many stores to the base.
    pub staged: BTreeMap<(Base, Id), (Id, Scalar)>,
    pub versions: BTreeMap<Base, u32>,
    pub items: Vec<Item>,
    pub reductions: Vec<Reduction>,
    pub rows: Rows,
    /// What holds in all groups that do anything.
    pub guards: Vec<Id>,
    path: Vec<Id>,
    pub body: Option<Body>,
    /// The user's names of values.
    pub names: BTreeMap<Id, String>,
    pub carried: u32,
    /// Running values of several parts, and which reductions are theirs.
    pub states: Vec<State>,
    pub state_of: BTreeMap<u32, usize>,
    /// Reductions that are computed from others.
    pub formulas: BTreeMap<u32, Id>,
    /// What expressions of such values have been found to be, and what their kind is.
    pub settled: Settled,
    /// Elements that threads store one by one, and the conditions of lanes under which that happens.
    scattered: Vec<registers::Scattered>,
    lane_conditions: Vec<(Lanes, bool)>,
    /// Elements that threads have loaded one by one.
    loaded: usize,
    /// Whether the loop over rows has ended.
    is_over: bool,
    steps: u64,
    depth: u32,
    jumps: Vec<Jumps>,
    returned: Vec<bool>,
    in_rows: bool,
}

/// The threads that have left a loop or its pass.
struct Jumps {
    broken: Vec<bool>,
    continued: Vec<bool>,
}

const MAX_STEPS: u64 = 40_000;
const MAX_PASSES: u32 = 2048;
const MAX_PARTS: u64 = 256;
const MAX_DEPTH: u32 = 200;

impl<'e, 'a> Executor<'e, 'a> {
    pub fn new(
        module: &'e Module,
        function: &'e Function,
        flow: &'e Flow<'a>,
        shape: Shape,
    ) -> Self {
        let threads = shape.count();
        Executor {
            module,
            function,
            flow,
            shape,
            graph: Graph::new(threads),
            values: FxHashMap::default(),
            cache: FxHashMap::default(),
            active: vec![true; threads],
            narrow: Vec::new(),
            locals: BTreeMap::new(),
            shared: BTreeMap::new(),
            staged: BTreeMap::new(),
            versions: BTreeMap::new(),
            items: Vec::new(),
            reductions: Vec::new(),
            rows: Rows::Groups,
            guards: Vec::new(),
            path: Vec::new(),
            body: None,
            names: BTreeMap::new(),
            carried: 0,
            states: Vec::new(),
            state_of: BTreeMap::new(),
            formulas: BTreeMap::new(),
            settled: Settled::default(),
            scattered: Vec::new(),
            lane_conditions: Vec::new(),
            loaded: 0,
            is_over: false,
            steps: 0,
            depth: 0,
            jumps: Vec::new(),
            returned: vec![false; threads],
            in_rows: false,
        }
    }

    pub fn run(&mut self) -> Result<()> {
        let Some(body) = &self.function.body else { return Err(refuse("it is not defined here")) };
        let all = vec![true; self.threads()];
        self.block(body, all)?;
        self.flush_scattered()?;
        self.compute_formulas();
        Ok(())
    }

    pub fn threads(&self) -> usize {
        self.graph.threads
    }

    // Lanes.

    pub fn lane(&self, lanes: &Lanes, thread: usize) -> Result<Id> {
        match lanes {
            Lanes::Same(id) => Ok(*id),
            Lanes::Each(ids) => ids.get(thread).copied().ok_or_else(|| refuse("a lane is missing")),
            Lanes::Parts(_) => Err(refuse("a value of several parts is used as one")),
        }
    }

    pub fn each(&self, ids: Vec<Id>) -> Lanes {
        match ids.split_first() {
            Some((first, rest)) if rest.iter().all(|id| id == first) => Lanes::Same(*first),
            _ => Lanes::Each(Rc::new(ids)),
        }
    }

    /// A value of each thread from operands of each. Where nobody asks for all of them, threads that do not
    /// run have none, unless all that run have the same.
    fn map(
        &mut self,
        operands: &[Lanes],
        is_partial: bool,
        make: &mut dyn FnMut(&mut Self, &[Id]) -> Result<Id>,
    ) -> Result<Lanes> {
        if operands.iter().all(|o| matches!(o, Lanes::Same(_))) {
            let ids: Vec<Id> =
                operands.iter().map(|o| self.lane(o, 0)).collect::<Result<Vec<Id>>>()?;
            return Ok(Lanes::Same(make(self, &ids)?));
        }
        let undefined = self.graph.undefined();
        let mut result = vec![undefined; self.threads()];
        let is_narrow = is_partial && self.active.iter().any(|active| !active);
        let mut ids = Vec::new();
        let mut seen = None;
        let mut differ = false;
        for idle in [false, true] {
            for (thread, to) in result.iter_mut().enumerate() {
                let is_idle = is_narrow && self.active.get(thread) == Some(&false);
                if is_idle != idle || idle && differ {
                    continue;
                }
                ids.clear();
                for operand in operands {
                    ids.push(self.lane(operand, thread)?);
                }
                match make(self, &ids) {
                    Ok(made) => *to = made,
                    Err(_) if idle => {}
                    Err(why) => return Err(why),
                }
                differ |= *seen.get_or_insert(*to) != *to;
            }
        }
        if self.graph.is_full() {
            return Err(refuse("its threads compute too much to be followed"));
        }
        Ok(self.each(result))
    }

    /// `after` for the threads of the mask, `before` for the others.
    fn choose(&mut self, mask: &[bool], after: &Lanes, before: &Lanes) -> Result<Lanes> {
        if mask.iter().all(|taken| *taken) {
            return Ok(after.clone());
        }
        let mut ids = Vec::with_capacity(mask.len());
        for (thread, taken) in mask.iter().enumerate() {
            ids.push(self.lane(if *taken { after } else { before }, thread)?);
        }
        Ok(self.each(ids))
    }

    // Values.

    /// From now on these threads run.
    fn activate(&mut self, mask: &[bool]) {
        if self.active != mask {
            self.active.clear();
            self.active.extend(mask);
            for value in self.narrow.drain(..) {
                self.cache.remove(&value);
            }
        }
    }

    pub fn eval(&mut self, value: Value) -> Result<Lanes> {
        if let Some(known) = self.values.get(&value).or_else(|| self.cache.get(&value)) {
            return Ok(known.clone());
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(refuse("an expression is nested too deeply"));
        }
        let made = self.compute(value);
        self.depth -= 1;
        let made = made?;
        if self.active.iter().any(|active| !active) {
            self.narrow.push(value);
        }
        self.cache.insert(value, made.clone());
        Ok(made)
    }

    fn define(&mut self, value: Value, lanes: Lanes) {
        if self.values.insert(value, lanes.clone()).is_some() || !self.cache.is_empty() {
            // What was computed from the old value is out of date.
            self.cache.clear();
        }
        if let (Lanes::Same(id), Some(name)) = (&lanes, self.function.names.get(&value)) {
            self.names.entry(*id).or_insert_with(|| name.clone());
        }
    }

    fn zero(&mut self, ty: Type, depth: u32) -> Result<Lanes> {
        if depth > 8 {
            return Err(refuse("a type is nested too deeply"));
        }
        match ty {
            Type::Scalar(scalar) => {
                Ok(Lanes::Same(self.graph.constant(Constant::from_bits(scalar, 0))))
            }
            Type::Pointer(_) => Ok(Lanes::Same(self.graph.leaf(Op::Null, Scalar::U64))),
            _ => {
                let mut parts = Vec::new();
                for part in self.part_types(ty)? {
                    parts.push(self.zero(part, depth + 1)?);
                }
                Ok(Lanes::Parts(parts))
            }
        }
    }

    fn part_types(&self, ty: Type) -> Result<Vec<Type>> {
        let count = self.module.types.component_count(ty).filter(|c| *c <= MAX_PARTS);
        let Some(count) = count else { return Err(refuse("a value has too many parts")) };
        (0..count as u32)
            .map(|i| {
                self.module.types.component(ty, i).ok_or_else(|| refuse("a type is not known"))
            })
            .collect()
    }

    fn compute(&mut self, value: Value) -> Result<Lanes> {
        let expression = &self.function.expressions[value];
        let ty = self.flow.types.get(value);
        match expression {
            Expression::Constant(constant) => Ok(Lanes::Same(self.graph.constant(*constant))),
            Expression::Zero(ty) => self.zero(*ty, 0),
            Expression::Undefined(_) => Ok(Lanes::Same(self.graph.undefined())),
            Expression::Argument(index) => {
                let node = match ty {
                    Type::Pointer(_) => self.pointer(Base::Argument(*index)),
                    Type::Scalar(scalar) => {
                        let scalar = if scalar.is_integer() { Scalar::I64 } else { scalar };
                        self.graph.leaf(Op::Parameter(*index, Vec::new()), scalar)
                    }
                    _ => {
                        let mut path = Vec::new();
                        return self.parameter(*index, ty, &mut path);
                    }
                };
                Ok(Lanes::Same(node))
            }
            Expression::ArgumentAddress(index) => {
                Ok(Lanes::Same(self.pointer(Base::Parameter(*index))))
            }
            Expression::Local(local) => {
                Ok(Lanes::Same(self.pointer(Base::Local(local.index() as u32))))
            }
            Expression::Variable(variable) => {
                Ok(Lanes::Same(self.pointer(Base::Variable(*variable))))
            }
            Expression::Builtin(builtin) => self.builtin(*builtin),
            Expression::Result(_) => Err(refuse("a value is used before it is there")),
            Expression::Poison { .. } => Err(refuse("a part of it could not be translated")),
            Expression::Splat { ty, value } => {
                let part = self.eval(*value)?;
                let count = self.part_types(*ty)?.len();
                Ok(Lanes::Parts(vec![part; count]))
            }
            Expression::Compose { parts, .. } => {
                Ok(Lanes::Parts(parts.iter().map(|p| self.eval(*p)).collect::<Result<_>>()?))
            }
            Expression::Extract { value, index } => match self.eval(*value)? {
                Lanes::Parts(parts) => parts
                    .get(*index as usize)
                    .cloned()
                    .ok_or_else(|| refuse("a part of a value is missing")),
                _ => Err(refuse("a part of a number is asked for")),
            },
            Expression::Insert { value, index, part } => {
                let (Lanes::Parts(mut parts), part) = (self.eval(*value)?, self.eval(*part)?)
                else {
                    return Err(refuse("a part of a number is replaced"));
                };
                match parts.get_mut(*index as usize) {
                    Some(place) => *place = part,
                    None => return Err(refuse("a part of a value is missing")),
                }
                Ok(Lanes::Parts(parts))
            }
            Expression::Element { base, element, index } => {
                let size = self.module.types.layout(*element).map(|l| l.size as i64);
                let Some(size) = size else { return Err(refuse("a type has no layout")) };
                let operands = [self.eval(*base)?, self.eval(*index)?];
                self.map(&operands, true, &mut |own, ids| own.moved(ids[0], ids[1], size))
            }
            Expression::Member { base, structure, index } => {
                let offset = self
                    .module
                    .types
                    .structs()
                    .get(*structure)
                    .and_then(|s| s.members.get(*index as usize))
                    .map(|m| m.offset as i64);
                let Some(offset) = offset else { return Err(refuse("a member is not known")) };
                let operands = [self.eval(*base)?];
                self.map(&operands, true, &mut |own, ids| {
                    let by = own.graph.integer(offset);
                    own.moved(ids[0], by, 1)
                })
            }
            Expression::FragmentLength(_) | Expression::FragmentElement { .. } => {
                Err(refuse("it multiplies matrices"))
            }
            _ => {
                let mut operands = Vec::new();
                for operand in expression.operands() {
                    operands.push(self.eval(operand)?);
                }
                self.operation(expression, ty, &operands)
            }
        }
    }

    fn parameter(&mut self, index: u32, ty: Type, path: &mut Vec<u32>) -> Result<Lanes> {
        if path.len() > 8 {
            return Err(refuse("a type is nested too deeply"));
        }
        if let Type::Scalar(scalar) = ty {
            let scalar = if scalar.is_integer() { Scalar::I64 } else { scalar };
            return Ok(Lanes::Same(self.graph.leaf(Op::Parameter(index, path.clone()), scalar)));
        }
        let mut parts = Vec::new();
        for (part, inner) in self.part_types(ty)?.into_iter().enumerate() {
            path.push(part as u32);
            parts.push(self.parameter(index, inner, path)?);
            path.pop();
        }
        Ok(Lanes::Parts(parts))
    }

    pub fn pointer(&mut self, base: Base) -> Id {
        let zero = self.graph.integer(0);
        self.graph.add(Op::Pointer(base), [zero], Scalar::U64)
    }

    fn moved(&mut self, pointer: Id, by: Id, size: i64) -> Result<Id> {
        let Op::Pointer(base) = *self.graph.op(pointer) else {
            return Err(refuse("an address is not understood"));
        };
        let offset = self.graph.node(pointer).args[0];
        let moved = self.graph.plus(offset, by, size);
        Ok(self.graph.add(Op::Pointer(base), [moved], Scalar::U64))
    }

    fn builtin(&mut self, builtin: Builtin) -> Result<Lanes> {
        let [x, y, _] = self.shape.threads.map(|n| n as usize);
        let warps = self.shape.warps;
        let count = self.threads();
        let axis_index = |axis: Axis| match axis {
            Axis::X => 0,
            Axis::Y => 1,
            Axis::Z => 2,
        };
        let coordinate = |thread: usize, axis: Axis| match axis {
            Axis::X => thread % x,
            Axis::Y => thread / x % y,
            Axis::Z => thread / x / y,
        };
        Ok(match builtin {
            Builtin::ThreadIndex(axis) => {
                let mut ids = Vec::with_capacity(count);
                let warp = self.graph.leaf(Op::Warp, Scalar::I64);
                for thread in 0..count {
                    let own = self.graph.integer(coordinate(thread, axis) as i64);
                    ids.push(if warps == Some(axis) {
                        let factor = if axis == Axis::X { 32 } else { 1 };
                        self.graph.plus(own, warp, factor)
                    } else {
                        own
                    });
                }
                self.each(ids)
            }
            Builtin::BlockDim(axis) if warps == Some(axis) => {
                let warps = self.graph.leaf(Op::Warps, Scalar::I64);
                let zero = self.graph.integer(0);
                let factor = if axis == Axis::X { 32 } else { 1 };
                Lanes::Same(self.graph.plus(zero, warps, factor))
            }
            Builtin::BlockDim(axis) => {
                Lanes::Same(self.graph.integer(i64::from(self.shape.threads[axis_index(axis)])))
            }
            Builtin::LaneId => {
                let ids = (0..count).map(|t| self.graph.integer(t as i64 % 32)).collect();
                self.each(ids)
            }
            Builtin::WarpId => match warps {
                Some(_) => Lanes::Same(self.graph.leaf(Op::Warp, Scalar::I64)),
                None => {
                    let ids = (0..count).map(|t| self.graph.integer(t as i64 / 32)).collect();
                    self.each(ids)
                }
            },
            Builtin::WarpSize => Lanes::Same(self.graph.integer(32)),
            Builtin::BlockIndex(_) | Builtin::GridDim(_) => {
                Lanes::Same(self.graph.leaf(Op::Builtin(builtin), Scalar::I64))
            }
            _ => return Err(refuse("a thread asks for its place in another way")),
        })
    }

    fn operation(
        &mut self,
        expression: &Expression,
        ty: Type,
        operands: &[Lanes],
    ) -> Result<Lanes> {
        if operands.iter().any(|o| matches!(o, Lanes::Parts(_))) {
            let kinds = self.part_types(ty)?;
            if matches!(expression, Expression::Convert { kind: Conversion::Bits, .. }) {
                return Err(refuse("the bits of a vector are read as another type"));
            }
            let mut parts = Vec::new();
            for (index, kind) in kinds.into_iter().enumerate() {
                let mut own = Vec::new();
                for operand in operands {
                    own.push(match operand {
                        Lanes::Parts(parts) => parts
                            .get(index)
                            .cloned()
                            .ok_or_else(|| refuse("a part of a value is missing"))?,
                        other => other.clone(),
                    });
                }
                parts.push(self.operation(expression, kind, &own)?);
            }
            return Ok(Lanes::Parts(parts));
        }
        let scalar = match ty {
            Type::Scalar(scalar) => scalar,
            Type::Pointer(_) => Scalar::U64,
            _ => return Err(refuse("a value is no number")),
        };
        let left = expression.operands().first().map(|v| self.flow.types.get(*v).scalar());
        let from = left.flatten().unwrap_or(scalar);
        self.map(operands, true, &mut |own, ids| own.apply(expression, scalar, from, ids))
    }

    fn apply(
        &mut self,
        expression: &Expression,
        scalar: Scalar,
        from: Scalar,
        ids: &[Id],
    ) -> Result<Id> {
        let graph = &mut self.graph;
        if ids.iter().any(|id| *graph.op(*id) == Op::Undefined)
            && !matches!(expression, Expression::Select { .. })
        {
            return Ok(graph.undefined());
        }
        let node_type = if scalar.is_integer() { Scalar::I64 } else { scalar };
        Ok(match (expression, ids) {
            (Expression::Integer { op, .. }, [a, b]) => graph.integer_op(*op, from, *a, *b),
            (Expression::Float { op, .. }, [a, b]) => graph.float_op(*op, scalar, *a, *b),
            (Expression::Compare { op, .. }, [a, b]) => graph.compare(*op, *a, *b),
            (Expression::Select { .. }, [c, a, b]) => graph.select(*c, *a, *b),
            (Expression::Unary { op: port_ir::UnaryOp::Not, .. }, [a])
                if scalar == Scalar::Bool =>
            {
                graph.not(*a)
            }
            (Expression::Unary { op, .. }, [a]) if scalar.is_integer() => {
                match (op, graph.as_integer(*a)) {
                    (port_ir::UnaryOp::Negate, _) => {
                        let zero = graph.integer(0);
                        graph.plus(zero, *a, -1)
                    }
                    (port_ir::UnaryOp::Not, Some(v)) => {
                        graph.constant(Constant::integer(scalar, !v))
                    }
                    (op, _) => graph.add(Op::Unary(*op), [*a], node_type),
                }
            }
            (Expression::Unary { op, .. }, [a]) => match (op, graph.as_float(*a)) {
                (port_ir::UnaryOp::Negate, Some(v)) if !v.is_nan() => {
                    match Constant::float(scalar, -v) {
                        Some(constant) => graph.constant(constant),
                        None => graph.add(Op::Unary(*op), [*a], node_type),
                    }
                }
                _ => graph.add(Op::Unary(*op), [*a], node_type),
            },
            (Expression::FusedMultiplyAdd { .. }, [a, b, c]) => {
                let product = graph.float_op(port_ir::FloatOp::Multiply, scalar, *a, *b);
                graph.float_op(port_ir::FloatOp::Add, scalar, product, *c)
            }
            (Expression::Math { function, .. }, ids) => {
                graph.add(Op::Math(*function), ids, node_type)
            }
            (Expression::Convert { kind, .. }, [a]) => {
                return self.convert(*kind, from, scalar, *a);
            }
            _ => return Err(refuse("an expression has no form over rows")),
        })
    }

    fn convert(&mut self, kind: Conversion, from: Scalar, to: Scalar, a: Id) -> Result<Id> {
        let graph = &mut self.graph;
        let both_integers = from.is_integer() && to.is_integer();
        if matches!(graph.op(a), Op::Pointer(_)) {
            return match kind {
                Conversion::Space => Ok(a),
                _ => Err(refuse("an address is used as a number")),
            };
        }
        if let (true, Some(value)) = (both_integers, graph.as_integer(a)) {
            // A constant is what its bits are in the new type.
            return Ok(graph.constant(Constant::integer(
                to,
                match kind {
                    Conversion::ZeroExtend => Constant::integer(from, value).bits as i64,
                    _ => value,
                },
            )));
        }
        Ok(match kind {
            Conversion::ZeroExtend | Conversion::SignExtend if both_integers => a,
            Conversion::ZeroExtend | Conversion::SignExtend if from == Scalar::Bool => {
                let (one, zero) = (graph.integer(1), graph.integer(0));
                graph.select(a, one, zero)
            }
            // A type of the same size: no value is beyond both.
            Conversion::Bits if both_integers => a,
            Conversion::Truncate if to.bits() >= 32 => a,
            Conversion::Truncate | Conversion::Bits => {
                if to.is_integer() && to.bits() < 32 && kind == Conversion::Truncate {
                    graph.add(Op::Convert(kind), [a], to)
                } else {
                    return Err(refuse("the bits of a value are read as another type"));
                }
            }
            Conversion::IntegerToFloat(_) => match graph.as_integer(a) {
                Some(value) => match Constant::float(to, value as f64) {
                    Some(constant) => graph.constant(constant),
                    None => graph.add(Op::Convert(kind), [a], to),
                },
                None => graph.add(Op::Convert(kind), [a], to),
            },
            Conversion::FloatToInteger(_) => {
                // What does not fit becomes the nearest that does.
                let bounds = match to {
                    Scalar::I8 => Some((-128, 127)),
                    Scalar::U8 => Some((0, 255)),
                    Scalar::I16 => Some((-32768, 32767)),
                    _ => None,
                };
                let is_wide = bounds.is_none() && to != Scalar::I32;
                let ty = if is_wide { Scalar::U64 } else { Scalar::I64 };
                let whole = graph.add(Op::Convert(kind), [a], ty);
                let Some((low, high)) = bounds else { return Ok(whole) };
                let (low, high) = (graph.integer(low), graph.integer(high));
                let above = graph.integer_op(port_ir::IntegerOp::Maximum, Scalar::I64, whole, low);
                graph.integer_op(port_ir::IntegerOp::Minimum, Scalar::I64, above, high)
            }
            Conversion::FloatToFloat { .. } => {
                if from == to {
                    return Ok(a);
                }
                match graph.as_float(a).and_then(|v| Constant::float(to, v)) {
                    Some(constant) => graph.constant(constant),
                    None => graph.add(Op::Convert(kind), [a], to),
                }
            }
            _ => return Err(refuse("an address is used as a number")),
        })
    }

    // Statements.

    fn block(&mut self, block: &Block, mut mask: Vec<bool>) -> Result<Vec<bool>> {
        for statement in &block.statements {
            if !mask.iter().any(|active| *active) {
                break;
            }
            mask = self
                .statement(statement, mask)
                .map_err(|why| placed(why, statement.location.origin))?;
        }
        Ok(mask)
    }

    fn statement(&mut self, statement: &Statement, mask: Vec<bool>) -> Result<Vec<bool>> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(refuse("its threads take too many steps to be followed"));
        }
        let location = statement.location;
        self.activate(&mask);
        match &statement.kind {
            StatementKind::Load { result, pointer, access } => {
                if access.atomic.is_some() {
                    return Err(refuse("it loads atomically"));
                }
                let pointer = self.eval(*pointer)?;
                let loaded = self.load(&pointer, self.flow.types.get(*result), &mask, 0)?;
                self.define(*result, loaded);
                Ok(mask)
            }
            StatementKind::Store { pointer, value, access } => {
                if access.atomic.is_some() {
                    return Err(refuse("it stores atomically"));
                }
                let ty = self.flow.types.get(*value);
                let (pointer, value) = (self.eval(*pointer)?, self.eval(*value)?);
                self.store(&pointer, &value, ty, &mask, location, 0)?;
                self.cache.clear();
                Ok(mask)
            }
            StatementKind::Fence { .. } | StatementKind::Prefetch { .. } => Ok(mask),
            StatementKind::Assert { .. } => Ok(mask),
            StatementKind::Barrier { scope, named, reduce, .. } => {
                if named.is_some() || reduce.is_some() {
                    return Err(refuse("a barrier also counts or is named"));
                }
                match scope {
                    port_ir::BarrierScope::Warp => Ok(mask),
                    port_ir::BarrierScope::Block if self.shape.warps.is_none() => Ok(mask),
                    _ => Err(refuse("threads beyond the row's own wait for each other")),
                }
            }
            StatementKind::Shuffle { result, in_range, mode, value, lane, width, .. } => {
                if in_range.is_some() {
                    return Err(refuse("a shuffle says whether its lane was in reach"));
                }
                let shuffled = self.shuffle(*mode, *value, *lane, *width, &mask, location)?;
                self.define(*result, shuffled);
                Ok(mask)
            }
            StatementKind::WarpReduce { result, op, value, .. } => {
                let reduced = self.warp_reduce(*op, *value, &mask, location)?;
                self.define(*result, reduced);
                Ok(mask)
            }
            StatementKind::Block(block) => self.block(block, mask),
            StatementKind::If { condition, accept, reject } => {
                self.branch(*condition, accept, reject, mask)
            }
            StatementKind::Loop(looping) => self.looping(looping, mask, location),
            StatementKind::Break => {
                let Some(jumps) = self.jumps.last_mut() else {
                    return Err(refuse("it leaves nothing"));
                };
                jumps.broken.iter_mut().zip(&mask).for_each(|(to, m)| *to |= *m);
                Ok(vec![false; mask.len()])
            }
            StatementKind::Continue => {
                let Some(jumps) = self.jumps.last_mut() else {
                    return Err(refuse("it continues nothing"));
                };
                jumps.continued.iter_mut().zip(&mask).for_each(|(to, m)| *to |= *m);
                Ok(vec![false; mask.len()])
            }
            StatementKind::Return { .. } => {
                self.returned.iter_mut().zip(&mask).for_each(|(to, m)| *to |= *m);
                Ok(vec![false; mask.len()])
            }
            _ => Err(refuse("a statement has no form over rows")),
        }
    }

    // Control.

    fn branch(
        &mut self,
        condition: Value,
        accept: &Block,
        reject: &Block,
        mask: Vec<bool>,
    ) -> Result<Vec<bool>> {
        let condition = self.eval(condition)?;
        let mut taken = vec![false; mask.len()];
        let mut other = vec![false; mask.len()];
        let mut is_known = true;
        for (thread, active) in mask.iter().enumerate() {
            if !active {
                continue;
            }
            let id = self.lane(&condition, thread)?;
            match self.graph.as_truth(id) {
                Some(true) => taken[thread] = true,
                Some(false) => other[thread] = true,
                None => {
                    is_known = false;
                    taken[thread] = true;
                    other[thread] = true;
                }
            }
        }
        if is_known {
            let mut falls = self.block(accept, taken)?;
            let rest = self.block(reject, other)?;
            falls.iter_mut().zip(rest).for_each(|(a, b)| *a |= b);
            return Ok(falls);
        }
        let before = (self.locals.clone(), self.shared.clone());
        let items = self.items.len();
        let path = self.path.len();
        let all = mask.iter().all(|active| *active);
        let uniform = match &condition {
            Lanes::Same(id) => Some(*id),
            _ => self.one_condition(&condition, &mask, reject)?,
        };
        // Without one condition for all there is nothing to store under.
        let guard = match uniform {
            Some(id) => id,
            None => self.graph.undefined(),
        };
        let jumps = |own: &Self| {
            own.jumps.last().map_or((0, 0), |j| {
                let count = |m: &[bool]| m.iter().filter(|x| **x).count();
                (count(&j.broken), count(&j.continued))
            })
        };
        let jumped = jumps(self);
        self.path.push(guard);
        let of_lanes = self.lane_conditions.len();
        if uniform.is_none() {
            self.lane_conditions.push((condition.clone(), true));
        }
        let accept_falls = self.block(accept, taken.clone())?;
        self.lane_conditions.truncate(of_lanes);
        self.path.truncate(path);
        let accepted = std::mem::replace(&mut self.locals, before.0.clone());
        let accepted_shared = std::mem::replace(&mut self.shared, before.1);
        let not = self.graph.not(guard);
        let leaves = accept_falls != taken;
        if leaves {
            // The threads that go on are those that did not come here, if all that did have left.
            let is_row_exit = jumps(self) == jumped || self.in_rows && self.jumps.len() == 1;
            if accept_falls.iter().any(|falls| *falls)
                || uniform.is_none()
                || !all
                || self.body.is_some()
                || !is_row_exit
            {
                return Err(refuse("threads leave where that is not known beforehand"));
            }
            self.returned.fill(false);
            if let Some(jumps) = self.jumps.last_mut() {
                jumps.continued.fill(false);
            }
            let is_first = items == 0 && self.items.is_empty() && self.scattered.is_empty();
            if is_first && self.path.is_empty() {
                self.guards.push(not);
            } else {
                self.path.push(not);
            }
            return self.block(reject, other);
        }
        self.path.push(not);
        if uniform.is_none() {
            self.lane_conditions.push((condition.clone(), false));
        }
        let reject_falls = self.block(reject, other.clone())?;
        self.lane_conditions.truncate(of_lanes);
        self.path.truncate(path);
        if reject_falls != other {
            return Err(refuse("threads leave where that is not known beforehand"));
        }
        let rejected = std::mem::take(&mut self.locals);
        let rejected_shared = std::mem::take(&mut self.shared);
        for (key, (left, ty)) in &accepted {
            let merged = match rejected.get(key) {
                Some((right, other)) if other == ty => {
                    let operands = [condition.clone(), left.clone(), right.clone()];
                    if left == right {
                        left.clone()
                    } else {
                        let chosen = self.map(&operands, false, &mut |own, ids| {
                            Ok(own.graph.select(ids[0], ids[1], ids[2]))
                        })?;
                        self.settle(&chosen, &mask)
                    }
                }
                _ => left.clone(),
            };
            self.locals.insert(*key, (merged, *ty));
        }
        for (key, value) in rejected {
            self.locals.entry(key).or_insert(value);
        }
        for (key, (left, ty)) in &accepted_shared {
            let merged = match (rejected_shared.get(key), uniform) {
                (Some((right, other)), _) if other == ty && left == right => *left,
                (Some((right, other)), Some(condition)) if other == ty => {
                    self.graph.select(condition, *left, *right)
                }
                (None, _) => *left,
                _ => self.graph.undefined(),
            };
            self.shared.insert(*key, (merged, *ty));
        }
        for (key, value) in rejected_shared {
            self.shared.entry(key).or_insert(value);
        }
        self.cache.clear();
        Ok(mask)
    }

    fn looping(
        &mut self,
        looping: &Loop,
        mask: Vec<bool>,
        location: Location,
    ) -> Result<Vec<bool>> {
        if let Some(after) = self.known_row(looping, &mask, location) {
            return Ok(after);
        }
        let threads = mask.len();
        let mut active = mask.clone();
        let outer = self.in_rows;
        self.jumps.push(Jumps { broken: vec![false; threads], continued: vec![false; threads] });
        for pass in 0..MAX_PASSES {
            let first_of_after = looping.when == LoopTest::After && pass == 0;
            if !first_of_after {
                if pass > 0 {
                    self.cache.clear();
                }
                let going = self.block(&looping.condition, active.clone())?;
                if let Some(test) = looping.test {
                    self.activate(&active);
                    let test = self.eval(test)?;
                    for (thread, own) in active.iter_mut().enumerate() {
                        if !*own {
                            continue;
                        }
                        let id = self.lane(&test, thread)?;
                        match self.graph.as_truth(id) {
                            Some(goes) => *own = goes,
                            None if pass == 0 && looping.when == LoopTest::Before => {
                                self.jumps.pop();
                                return self.symbolic(looping, mask, location);
                            }
                            None => return Err(refuse("a loop's passes are not known")),
                        }
                    }
                }
                let _ = going;
            }
            if !active.iter().any(|a| *a) {
                break;
            }
            self.in_rows = false;
            active = self.block(&looping.body, active)?;
            self.in_rows = outer;
            if let Some(jumps) = self.jumps.last_mut() {
                for (own, continued) in active.iter_mut().zip(&mut jumps.continued) {
                    *own |= std::mem::take(continued);
                }
            }
            if active.iter().any(|a| *a) {
                active = self.block(&looping.step, active)?;
            } else {
                break;
            }
            if pass + 1 == MAX_PASSES {
                return Err(refuse("a loop takes too many passes to be followed"));
            }
        }
        self.jumps.pop();
        let left =
            mask.iter().zip(&self.returned).map(|(was, returned)| *was && !returned).collect();
        Ok(left)
    }

    /// A loop whose passes depend on what only the launch knows: over rows, or over a row.
    fn symbolic(
        &mut self,
        looping: &Loop,
        mask: Vec<bool>,
        location: Location,
    ) -> Result<Vec<bool>> {
        if self.body.is_some() {
            return Err(refuse("a loop over a row has another in it"));
        }
        if mask.iter().any(|active| !active) {
            return Err(refuse("some of the threads go over a row"));
        }
        self.goes_on()?;
        if let Some(rows) = self.row_loop(looping)? {
            let is_first = self.items.is_empty() && self.scattered.is_empty();
            if !is_first || !self.path.is_empty() || self.rows != Rows::Groups {
                return Err(refuse("its loop over rows is not its outermost"));
            }
            self.rows = Rows::Loop(rows);
            let threads = mask.len();
            self.jumps
                .push(Jumps { broken: vec![false; threads], continued: vec![false; threads] });
            self.in_rows = true;
            self.block(&looping.body, mask.clone())?;
            self.flush_scattered()?;
            self.in_rows = false;
            let jumps = self.jumps.pop();
            if jumps.is_some_and(|j| j.broken.iter().any(|b| *b)) {
                return Err(refuse("it leaves its loop over rows"));
            }
            self.path.clear();
            self.is_over = true;
            return Ok(mask);
        }
        self.phase(looping, location)?;
        Ok(mask)
    }

    /// All threads run a block in a loop over a row; gives the test.
    pub fn pass(&mut self, looping: &Loop) -> Result<Option<Id>> {
        let all = vec![true; self.threads()];
        self.cache.clear();
        let threads = all.len();
        self.jumps.push(Jumps { broken: vec![false; threads], continued: vec![false; threads] });
        self.block(&looping.condition, all.clone())?;
        self.activate(&all);
        let test = match looping.test {
            Some(test) => match self.eval(test)? {
                Lanes::Same(id) => Some(id),
                _ => None,
            },
            None => None,
        };
        let falls = self.block(&looping.body, all.clone())?;
        if falls != all {
            return Err(refuse("threads leave a loop over a row"));
        }
        self.block(&looping.step, all)?;
        self.jumps.pop();
        Ok(test)
    }

    /// Refuses what comes after the loop over rows, which is the kernel's last.
    fn goes_on(&self) -> Result<()> {
        match self.is_over {
            true => Err(refuse("it goes on after its loop over rows")),
            false => Ok(()),
        }
    }

    pub fn path(&self) -> &[Id] {
        &self.path
    }

    pub fn forget(&mut self) {
        self.cache.clear();
    }

    pub fn fold_of(&self, reduction: u32) -> Option<Fold> {
        self.graph.folds.get(reduction as usize).and_then(|(fold, _)| *fold)
    }
}

pub(super) fn node_type(scalar: Scalar) -> Scalar {
    if scalar.is_integer() { Scalar::I64 } else { scalar }
}
