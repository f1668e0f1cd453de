//! The threads of a block, carried out together on symbols, so that what a block makes of a product of
//! matrices is seen whatever way its tiles take: through shared memory, registers or the tiles of warps.
//!
//! A thread's number, and with it every loop of a fixed length, is known; the block's number, the sizes
//! and the elements of global memory are symbols. The one loop whose length the launch decides is carried
//! out for a pass of any number: what its variables hold then is guessed from the first pass and held to
//! what a pass makes of it. Statements are executed for all threads in order, one of the orders that a
//! kernel without data races allows.

pub(super) mod graph;
mod memory;
mod passes;

use std::collections::BTreeMap;
use std::rc::Rc;

use port_ir::analysis::affine::Symbol;
use port_ir::analysis::flow::Flow;
use port_ir::{
    Axis, BarrierScope, Block, Builtin, CompareOp, Constant, Conversion, Expression, FloatOp,
    Fragment, FragmentUse, Function, IntegerOp, Loop, LoopTest, Module, Scalar, Statement,
    StatementKind, Type, UnaryOp, Value,
};
use rustc_hash::FxHashMap;

use crate::code::refuse;
use crate::kernel::NotTranslated;
use graph::{Base, Cond, FALSE, Graph, Num, NumNode, TRUE, UNKNOWN, Val, ZERO};

pub(super) use passes::Sum;

pub(super) type Found<T> = Result<T, NotTranslated>;

/// A value of every thread.
#[derive(Clone, Debug, PartialEq)]
enum Lanes {
    Same(Val),
    Each(Rc<Vec<Val>>),
    Parts(Vec<Lanes>),
}

/// What a thread stores to global memory.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub argument: u32,
    pub scalar: Scalar,
    /// In bytes.
    pub place: (graph::Sym, i64),
    pub num: Num,
    pub path: Vec<Cond>,
}

/// Variables of all threads: a local and the bytes in it, its type, its values.
type Locals = BTreeMap<(u32, i64), (u64, Rc<Vec<Val>>)>;
/// Elements of shared memory: what they are, and how many bytes.
type Shared = FxHashMap<(u32, i64), (Val, u64)>;

/// The threads of a block.
pub(super) struct Threads<'e, 'a> {
    module: &'e Module,
    function: &'e Function,
    flow: &'e Flow<'a>,
    shape: [u32; 3],
    pub graph: Graph,
    values: FxHashMap<Value, Lanes>,
    cache: FxHashMap<Value, Lanes>,
    locals: Locals,
    shared: Shared,
    /// What is stored to global memory, in order.
    pub stored: Vec<Stored>,
    /// Under which conditions each thread is here, beyond those that hold for good.
    paths: Vec<Vec<Cond>>,
    /// Where threads have returned, the conditions under which they have not.
    stays: Vec<Vec<Cond>>,
    jumps: Vec<Jumps>,
    /// The sums that the loop makes.
    pub sums: Vec<Sum>,
    /// The loop of passes: its symbol, and the condition of a pass.
    pub passes: Option<(Symbol, Cond)>,
    in_passes: bool,
    steps: u64,
    depth: u32,
}

/// The threads that have left a loop or its pass.
struct Jumps {
    broken: Vec<bool>,
    continued: Vec<bool>,
    /// Threads that have left it under a condition, and that have left a pass so.
    partly: Vec<bool>,
    skipping: Vec<bool>,
    /// How many conditions each thread was under when the loop began.
    entry: Vec<usize>,
}

impl Jumps {
    fn of(paths: &[Vec<Cond>]) -> Self {
        let none = || vec![false; paths.len()];
        Jumps {
            broken: none(),
            continued: none(),
            partly: none(),
            skipping: none(),
            entry: paths.iter().map(Vec::len).collect(),
        }
    }
}

const WARP: usize = 32;
/// Statements times threads, and operations on lanes, at most.
const MAX_STEPS: u64 = 12_000_000;
const MAX_LOOP: u32 = 4096;
const MAX_PARTS: u64 = 1024;
const MAX_DEPTH: u32 = 200;

impl<'e, 'a> Threads<'e, 'a> {
    pub fn new(
        module: &'e Module,
        function: &'e Function,
        flow: &'e Flow<'a>,
        shape: [u32; 3],
    ) -> Self {
        let threads = shape.iter().map(|n| *n as usize).product();
        Threads {
            module,
            function,
            flow,
            shape,
            graph: Graph::new(),
            values: FxHashMap::default(),
            cache: FxHashMap::default(),
            locals: BTreeMap::new(),
            shared: FxHashMap::default(),
            stored: Vec::new(),
            paths: vec![Vec::new(); threads],
            stays: vec![Vec::new(); threads],
            jumps: Vec::new(),
            sums: Vec::new(),
            passes: None,
            in_passes: false,
            steps: 0,
            depth: 0,
        }
    }

    pub fn run(&mut self) -> Found<()> {
        let Some(body) = &self.function.body else { return Err(refuse("it is not defined here")) };
        let all = vec![true; self.threads()];
        self.block(body, all).map(|_| ())
    }

    fn threads(&self) -> usize {
        self.paths.len()
    }

    fn work(&mut self, amount: usize) -> Found<()> {
        self.steps += amount as u64;
        if self.steps > MAX_STEPS || self.graph.is_full() {
            return Err(refuse("its threads compute too much to be followed"));
        }
        Ok(())
    }

    // Lanes.

    fn lane(&self, lanes: &Lanes, thread: usize) -> Val {
        match lanes {
            Lanes::Same(val) => *val,
            Lanes::Each(vals) => vals.get(thread).copied().unwrap_or(Val::Unknown),
            Lanes::Parts(_) => Val::Unknown,
        }
    }

    fn each(vals: Vec<Val>) -> Lanes {
        match vals.split_first() {
            Some((first, rest)) if rest.iter().all(|val| val == first) => Lanes::Same(*first),
            _ => Lanes::Each(Rc::new(vals)),
        }
    }

    fn map(
        &mut self,
        operands: &[Lanes],
        make: &mut dyn FnMut(&mut Self, &[Val]) -> Val,
    ) -> Found<Lanes> {
        if operands.iter().any(|o| matches!(o, Lanes::Parts(_))) {
            return Err(refuse("a value of several parts is used as one"));
        }
        let threads =
            if operands.iter().all(|o| matches!(o, Lanes::Same(_))) { 1 } else { self.threads() };
        self.work(threads)?;
        let mut vals = Vec::with_capacity(operands.len());
        let mut result = Vec::with_capacity(threads);
        for thread in 0..threads {
            vals.clear();
            vals.extend(operands.iter().map(|operand| self.lane(operand, thread)));
            result.push(make(self, &vals));
        }
        Ok(Self::each(result))
    }

    // Values.

    fn eval(&mut self, value: Value) -> Found<Lanes> {
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
        self.cache.insert(value, made.clone());
        Ok(made)
    }

    fn define(&mut self, value: Value, lanes: Lanes) {
        self.values.insert(value, lanes);
        self.cache.clear();
    }

    fn part_types(&self, ty: Type) -> Found<Vec<Type>> {
        let count = self.module.types.component_count(ty).filter(|c| *c <= MAX_PARTS);
        let Some(count) = count else { return Err(refuse("a value has too many parts")) };
        (0..count as u32)
            .map(|i| {
                self.module.types.component(ty, i).ok_or_else(|| refuse("a type is not known"))
            })
            .collect()
    }

    /// All parts of a value the same.
    fn filled(&mut self, ty: Type, val: Val, depth: u32) -> Found<Lanes> {
        if depth > 8 {
            return Err(refuse("a type is nested too deeply"));
        }
        match ty {
            // Zero bits are zero of each type.
            Type::Scalar(scalar) if val == Val::Integer(0, 0) && scalar.is_float() => {
                Ok(Lanes::Same(Val::Number(ZERO)))
            }
            Type::Scalar(Scalar::Bool) if val == Val::Integer(0, 0) => {
                Ok(Lanes::Same(Val::Truth(FALSE)))
            }
            Type::Scalar(_) | Type::Pointer(_) => Ok(Lanes::Same(val)),
            Type::Fragment(fragment) => {
                let num = self.graph.as_num(val).ok_or_else(|| refuse("a tile is no number"))?;
                let (rows, columns) = extents(fragment);
                Ok(Lanes::Same(self.graph.fragment(vec![num; rows * columns])))
            }
            _ => {
                let mut parts = Vec::new();
                for part in self.part_types(ty)? {
                    parts.push(self.filled(part, val, depth + 1)?);
                }
                Ok(Lanes::Parts(parts))
            }
        }
    }

    fn constant(&mut self, constant: Constant) -> Val {
        if constant.scalar == Scalar::Bool {
            return Val::Truth(Graph::known(constant.bits & 1 == 1));
        }
        match (constant.as_integer(), constant.as_float()) {
            (Some(value), _) if constant.scalar.is_integer() => {
                i64::try_from(value).map_or(Val::Unknown, |value| Val::Integer(0, value))
            }
            (_, Some(value)) => Val::Number(self.graph.constant(value)),
            _ => Val::Unknown,
        }
    }

    fn compute(&mut self, value: Value) -> Found<Lanes> {
        let expression = &self.function.expressions[value];
        let ty = self.flow.types.get(value);
        match expression {
            Expression::Constant(constant) => Ok(Lanes::Same(self.constant(*constant))),
            Expression::Zero(ty) => {
                let zero = match ty {
                    Type::Pointer(_) => Val::Unknown,
                    _ => Val::Integer(0, 0),
                };
                self.filled(*ty, zero, 0)
            }
            Expression::Undefined(ty) => match ty {
                Type::Fragment(_) => Ok(Lanes::Same(Val::Unknown)),
                _ => self.filled(*ty, Val::Unknown, 0),
            },
            Expression::Argument(index) => Ok(Lanes::Same(match ty {
                Type::Pointer(_) => Val::Pointer(Base::Argument(*index), 0, 0),
                Type::Scalar(scalar) if scalar.is_integer() => self.opaque(value),
                Type::Scalar(scalar) if scalar.is_float() => {
                    Val::Number(self.graph.num(NumNode::Parameter(*index)))
                }
                Type::Scalar(Scalar::Bool) => Val::Truth(self.graph.launch(value)),
                _ => return Err(refuse("a parameter is no number")),
            })),
            Expression::Local(local) => {
                Ok(Lanes::Same(Val::Pointer(Base::Local(local.index() as u32), 0, 0)))
            }
            Expression::Variable(variable) => {
                Ok(Lanes::Same(Val::Pointer(Base::Variable(*variable), 0, 0)))
            }
            Expression::Builtin(builtin) => self.builtin(*builtin),
            Expression::FragmentLength(fragment) => {
                let (rows, columns) = extents(*fragment);
                Ok(Lanes::Same(Val::Integer(0, (rows * columns / WARP) as i64)))
            }
            Expression::Result(_) => Err(refuse("a value is used before it is there")),
            Expression::Splat { ty, value } => match self.eval(*value)? {
                Lanes::Same(val) => self.filled(*ty, val, 0),
                part => match ty {
                    Type::Fragment(_) => Err(refuse("lanes fill a tile differently")),
                    _ => Ok(Lanes::Parts(vec![part; self.part_types(*ty)?.len()])),
                },
            },
            Expression::Compose { parts, .. } => {
                Ok(Lanes::Parts(parts.iter().map(|p| self.eval(*p)).collect::<Found<_>>()?))
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
                let size = self.size(*element, 0)?;
                let operands = [self.eval(*base)?, self.eval(*index)?];
                self.map(&operands, &mut |own, vals| own.moved(vals[0], vals[1], size))
            }
            Expression::Member { base, structure, index } => {
                let members = self.module.types.structs().get(*structure);
                let member = members.and_then(|s| s.members.get(*index as usize));
                let Some(offset) = member.map(|m| m.offset as i64) else {
                    return Err(refuse("a member is not known"));
                };
                let operands = [self.eval(*base)?];
                self.map(&operands, &mut |own, vals| own.moved(vals[0], Val::Integer(0, offset), 1))
            }
            Expression::FragmentElement { base, index, .. } => {
                let operands = [self.eval(*base)?, self.eval(*index)?];
                self.map(&operands, &mut |_, vals| match (vals[0], vals[1]) {
                    (Val::Pointer(Base::Local(local), 0, at), Val::Integer(0, index)) => {
                        u32::try_from(index).map_or(Val::Unknown, |i| Val::Part(local, at, i))
                    }
                    _ => Val::Unknown,
                })
            }
            Expression::ArgumentAddress(_) | Expression::Poison { .. } => {
                Err(refuse("a parameter is no number"))
            }
            _ => {
                let mut operands = Vec::new();
                for operand in expression.operands() {
                    operands.push(self.eval(operand)?);
                }
                self.operation(value, expression, ty, &operands)
            }
        }
    }

    /// Bytes of a type; a tile takes so many that its elements have room.
    fn size(&self, ty: Type, depth: u32) -> Found<i64> {
        if let Some(layout) = self.module.types.layout(ty) {
            return i64::try_from(layout.size).map_err(|_| refuse("a type is too large"));
        }
        let size = match ty {
            Type::Fragment(_) => Some(4096),
            Type::Array(array) if depth < 8 => {
                let array = self.module.types.arrays().get(array);
                let array = array.ok_or_else(|| refuse("a type is not known"))?;
                let element = self.size(array.element, depth + 1)?;
                i64::try_from(array.length).ok().and_then(|length| element.checked_mul(length))
            }
            _ => None,
        };
        size.ok_or_else(|| refuse("a type has no layout"))
    }

    fn moved(&mut self, pointer: Val, by: Val, size: i64) -> Val {
        let (Val::Pointer(base, sym, at), Val::Integer(other, more)) = (pointer, by) else {
            return Val::Unknown;
        };
        match self.graph.plus((sym, at), (other, more), size) {
            Some((sym, at)) => Val::Pointer(base, sym, at),
            None => Val::Unknown,
        }
    }

    /// An integer of the launch that is a symbol.
    fn opaque(&mut self, value: Value) -> Val {
        let mut plain = self.flow.plain(value);
        // One name for each parameter.
        if let Expression::Argument(index) = self.function.expressions[plain] {
            let same = |(_, e): &(Value, &Expression)| **e == Expression::Argument(index);
            if let Some((first, _)) = self.function.expressions.iter().find(same) {
                plain = first;
            }
        }
        Val::Integer(self.graph.symbol(Symbol::Value(plain)), 0)
    }

    fn builtin(&mut self, builtin: Builtin) -> Found<Lanes> {
        let [x, y, _] = self.shape.map(|n| n as usize);
        let coordinate = |thread: usize, axis: Axis| match axis {
            Axis::X => thread % x,
            Axis::Y => thread / x % y,
            Axis::Z => thread / x / y,
        };
        let numbers = |make: &dyn Fn(usize) -> usize| {
            Self::each((0..self.threads()).map(|t| Val::Integer(0, make(t) as i64)).collect())
        };
        Ok(match builtin {
            Builtin::ThreadIndex(axis) => numbers(&|thread| coordinate(thread, axis)),
            Builtin::LaneId => numbers(&|thread| thread % WARP),
            Builtin::WarpId => numbers(&|thread| thread / WARP),
            Builtin::WarpSize => Lanes::Same(Val::Integer(0, WARP as i64)),
            Builtin::BlockDim(axis) => {
                let index = match axis {
                    Axis::X => 0,
                    Axis::Y => 1,
                    Axis::Z => 2,
                };
                Lanes::Same(Val::Integer(0, i64::from(self.shape[index])))
            }
            Builtin::BlockIndex(_) | Builtin::GridDim(_) => {
                Lanes::Same(Val::Integer(self.graph.symbol(Symbol::Builtin(builtin)), 0))
            }
            _ => return Err(refuse("a thread asks for its place in another way")),
        })
    }

    fn operation(
        &mut self,
        value: Value,
        expression: &Expression,
        ty: Type,
        operands: &[Lanes],
    ) -> Found<Lanes> {
        if operands.iter().any(|o| matches!(o, Lanes::Parts(_))) {
            let kinds = self.part_types(ty)?;
            if matches!(expression, Expression::Convert { kind: Conversion::Bits, .. }) {
                let same =
                    |o: &Lanes| matches!(o, Lanes::Parts(parts) if parts.len() == kinds.len());
                if !operands.iter().all(same) {
                    return Err(refuse("the bits of a vector are read as another type"));
                }
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
                parts.push(self.operation(value, expression, kind, &own)?);
            }
            return Ok(Lanes::Parts(parts));
        }
        let from = expression.operands().first().and_then(|v| self.flow.types.get(*v).scalar());
        let to = ty.scalar();
        let fixed = match expression {
            Expression::Integer { .. } | Expression::Compare { .. } => self.is_fixed(value, 0),
            _ => false,
        };
        self.map(operands, &mut |own, vals| own.apply(value, expression, (from, to), vals, fixed))
    }

    /// Whether all of a launch agree on a value, and the host can compute it.
    fn is_fixed(&self, value: Value, depth: u32) -> bool {
        let value = self.flow.plain(value);
        match &self.function.expressions[value] {
            Expression::Constant(_)
            | Expression::Zero(_)
            | Expression::Argument(_)
            | Expression::Builtin(Builtin::BlockDim(_) | Builtin::GridDim(_)) => true,
            Expression::Integer { .. }
            | Expression::Compare { .. }
            | Expression::Convert { .. } => {
                let operands = self.function.expressions[value].operands();
                depth < 16 && operands.into_iter().all(|v| self.is_fixed(v, depth + 1))
            }
            _ => false,
        }
    }

    fn apply(
        &mut self,
        value: Value,
        expression: &Expression,
        (from, to): (Option<Scalar>, Option<Scalar>),
        vals: &[Val],
        fixed: bool,
    ) -> Val {
        let made = match (expression, vals) {
            (Expression::Integer { op, .. }, [a, b]) => self.integer(*op, *a, *b),
            (Expression::Compare { op, .. }, [a, b]) => self.compare(*op, *a, *b),
            (Expression::Select { .. }, [Val::Truth(cond), a, b]) => match *cond {
                UNKNOWN => Val::Unknown,
                cond => self.graph.choose(cond, *a, *b),
            },
            (Expression::Unary { op: UnaryOp::Not, .. }, [Val::Truth(cond)]) => {
                Val::Truth(self.graph.not(*cond))
            }
            (Expression::Unary { op: UnaryOp::Negate, .. }, [Val::Integer(sym, at)]) => {
                let negated = self.graph.plus((0, 0), (*sym, *at), -1);
                negated.map_or(Val::Unknown, |(sym, at)| Val::Integer(sym, at))
            }
            (Expression::Float { op, .. }, [a, b]) => {
                match (self.graph.as_num(*a), self.graph.as_num(*b)) {
                    (Some(a), Some(b)) => self.float(*op, to, a, b),
                    _ => Val::Unknown,
                }
            }
            (Expression::FusedMultiplyAdd { .. }, [a, b, c]) => {
                let nums = (self.graph.as_num(*a), self.graph.as_num(*b), self.graph.as_num(*c));
                match nums {
                    (Some(a), Some(b), Some(c)) => {
                        let sum = self.graph.num(NumNode::MultiplyAdd(a, b, c));
                        self.rounded(to, sum)
                    }
                    _ => Val::Unknown,
                }
            }
            (Expression::Math { function, .. }, [a])
                if *function == port_ir::MathFunction::RoundToTf32 =>
            {
                // The cube multiplies floats as they are.
                *a
            }
            (Expression::Convert { kind, .. }, [a]) => self.convert(*kind, from, to, *a),
            _ => Val::Unknown,
        };
        match (made, to) {
            (Val::Unknown | Val::Truth(UNKNOWN), Some(Scalar::Bool)) if fixed => {
                Val::Truth(self.graph.launch(self.flow.plain(value)))
            }
            (Val::Unknown, Some(scalar)) if fixed && scalar.is_integer() => self.opaque(value),
            (made, _) => made,
        }
    }

    fn rounded(&mut self, to: Option<Scalar>, num: Num) -> Val {
        match to {
            Some(Scalar::F32) => Val::Number(num),
            Some(scalar @ (Scalar::F16 | Scalar::Bf16)) => {
                Val::Number(match self.graph.num_node(num) {
                    NumNode::Load { scalar: own, .. } if own == scalar => num,
                    NumNode::Rounded(own, _) if own == scalar => num,
                    _ if num == ZERO => ZERO,
                    NumNode::Choice(cond, yes, ZERO) => {
                        match (self.rounded(to, yes), self.rounded(to, ZERO)) {
                            (Val::Number(yes), Val::Number(no)) => {
                                self.graph.num(NumNode::Choice(cond, yes, no))
                            }
                            _ => return Val::Unknown,
                        }
                    }
                    _ => self.graph.num(NumNode::Rounded(scalar, num)),
                })
            }
            _ => Val::Unknown,
        }
    }

    fn float(&mut self, op: FloatOp, to: Option<Scalar>, a: Num, b: Num) -> Val {
        let node = match op {
            FloatOp::Add => NumNode::Add(a, b),
            FloatOp::Multiply => NumNode::Multiply(a, b),
            _ => return Val::Unknown,
        };
        let num = self.graph.num(node);
        self.rounded(to, num)
    }

    fn integer(&mut self, op: IntegerOp, a: Val, b: Val) -> Val {
        if let (Val::Truth(a), Val::Truth(b)) = (a, b) {
            return match op {
                IntegerOp::And => Val::Truth(self.graph.and(a, b)),
                IntegerOp::Or => Val::Truth(self.graph.or(a, b)),
                _ => Val::Unknown,
            };
        }
        let (Val::Integer(s, x), Val::Integer(t, y)) = (a, b) else { return Val::Unknown };
        let power = |bits: i64| u32::try_from(bits).ok().and_then(|bits| 1i64.checked_shl(bits));
        let known = s == 0 && t == 0;
        let made = match op {
            IntegerOp::Add => self.graph.plus((s, x), (t, y), 1),
            IntegerOp::Subtract => self.graph.plus((s, x), (t, y), -1),
            IntegerOp::Multiply => self.graph.times((s, x), (t, y)),
            IntegerOp::Divide if t == 0 => self.graph.divided((s, x), y).map(|(by, _)| by),
            IntegerOp::Remainder if t == 0 => {
                self.graph.divided((s, x), y).map(|(_, rest)| (0, rest))
            }
            IntegerOp::Minimum if known => Some((0, x.min(y))),
            IntegerOp::Maximum if known => Some((0, x.max(y))),
            IntegerOp::And if known => Some((0, x & y)),
            IntegerOp::Or if known => Some((0, x | y)),
            IntegerOp::Xor if known => Some((0, x ^ y)),
            // The low bits of what is a multiple of more than they hold.
            IntegerOp::And if t == 0 && y >= 0 && (y & (y + 1)) == 0 => {
                self.graph.divided((s, x), y + 1).map(|(_, rest)| (0, rest))
            }
            IntegerOp::ShiftLeft if t == 0 && (0..31).contains(&y) => {
                power(y).and_then(|by| self.graph.times((s, x), (0, by)))
            }
            IntegerOp::ShiftRight if t == 0 && (0..31).contains(&y) => {
                power(y).and_then(|by| self.graph.divided((s, x), by)).map(|(by, _)| by)
            }
            _ => None,
        };
        made.map_or(Val::Unknown, |(sym, at)| Val::Integer(sym, at))
    }

    fn compare(&mut self, op: CompareOp, a: Val, b: Val) -> Val {
        let (Val::Integer(s, x), Val::Integer(t, y)) = (a, b) else { return Val::Unknown };
        let difference = |own: &mut Self, left, right, more: i64| {
            let (sym, at) = own.graph.plus(left, right, -1)?;
            Some(own.graph.below((sym, at.checked_add(more)?)))
        };
        let (left, right) = ((s, x), (t, y));
        let cond = match op {
            CompareOp::Less => difference(self, left, right, 0),
            CompareOp::LessEqual => difference(self, left, right, -1),
            CompareOp::Greater => difference(self, right, left, 0),
            CompareOp::GreaterEqual => difference(self, right, left, -1),
            CompareOp::Equal if s == t => Some(Graph::known(x == y)),
            CompareOp::NotEqual if s == t => Some(Graph::known(x != y)),
            _ => None,
        };
        cond.map_or(Val::Unknown, Val::Truth)
    }

    fn convert(
        &mut self,
        kind: Conversion,
        from: Option<Scalar>,
        to: Option<Scalar>,
        a: Val,
    ) -> Val {
        match (kind, a) {
            (Conversion::Space, a @ Val::Pointer(..)) => a,
            (Conversion::ZeroExtend, Val::Truth(TRUE)) => Val::Integer(0, 1),
            (Conversion::ZeroExtend, Val::Truth(FALSE)) => Val::Integer(0, 0),
            (Conversion::ZeroExtend, Val::Integer(0, x)) if x < 0 => match from {
                Some(from) if from.bits() < 64 => Val::Integer(0, x & ((1 << from.bits()) - 1)),
                _ => Val::Unknown,
            },
            (Conversion::Truncate, Val::Integer(0, x)) => match to {
                Some(to) => Constant::integer(to, x)
                    .as_integer()
                    .and_then(|x| i64::try_from(x).ok())
                    .map_or(Val::Unknown, |x| Val::Integer(0, x)),
                None => Val::Unknown,
            },
            // No size is beyond 31 bits, and a kernel whose numbers wrap is none.
            (Conversion::ZeroExtend | Conversion::SignExtend, a @ Val::Integer(..)) => a,
            (Conversion::Truncate, a @ Val::Integer(..)) if to.is_some_and(|s| s.bits() >= 32) => a,
            (Conversion::Bits, a) => match (from, to) {
                (Some(from), Some(to)) if from.is_integer() == to.is_integer() => a,
                // What is only moved.
                (Some(from), Some(to)) if from.size() == to.size() => match a {
                    Val::Number(_) => a,
                    Val::Integer(0, 0) => a,
                    _ => Val::Unknown,
                },
                _ => Val::Unknown,
            },
            (Conversion::IntegerToFloat(_), Val::Integer(0, x)) if x.abs() < 1 << 24 => {
                Val::Number(self.graph.constant(x as f64))
            }
            (Conversion::FloatToFloat { .. }, a) => match self.graph.as_num(a) {
                Some(num) => self.rounded(to, num),
                None => Val::Unknown,
            },
            _ => Val::Unknown,
        }
    }

    // Statements.

    fn block(&mut self, block: &Block, mut mask: Vec<bool>) -> Found<Vec<bool>> {
        for statement in &block.statements {
            if !mask.iter().any(|active| *active) {
                break;
            }
            mask = self.statement(statement, mask)?;
        }
        Ok(mask)
    }

    fn statement(&mut self, statement: &Statement, mask: Vec<bool>) -> Found<Vec<bool>> {
        self.work(1)?;
        match &statement.kind {
            StatementKind::Load { result, pointer, access } => {
                if access.atomic.is_some() || access.volatile {
                    return Err(refuse("it loads atomically"));
                }
                let pointer = self.eval(*pointer)?;
                let loaded = self.load(&pointer, self.flow.types.get(*result), &mask, 0)?;
                self.define(*result, loaded);
                Ok(mask)
            }
            StatementKind::Store { pointer, value, access } => {
                if access.atomic.is_some() || access.volatile {
                    return Err(refuse("it stores atomically"));
                }
                let ty = self.flow.types.get(*value);
                let (pointer, value) = (self.eval(*pointer)?, self.eval(*value)?);
                self.store(&pointer, &value, ty, &mask, 0)?;
                Ok(mask)
            }
            StatementKind::Barrier {
                scope: BarrierScope::Block | BarrierScope::Warp,
                named: None,
                reduce: None,
                ..
            } => Ok(mask),
            StatementKind::MatrixLoad { result, pointer, stride, layout } => {
                let Type::Fragment(fragment) = self.flow.types.get(*result) else {
                    return Err(refuse("a tile has no type"));
                };
                let (pointer, stride) = (self.eval(*pointer)?, self.eval(*stride)?);
                let loaded = self.load_tile(fragment, &pointer, &stride, *layout, &mask)?;
                self.define(*result, loaded);
                Ok(mask)
            }
            StatementKind::MatrixStore { pointer, value, stride, layout } => {
                let Type::Fragment(fragment) = self.flow.types.get(*value) else {
                    return Err(refuse("a tile has no type"));
                };
                let (pointer, stride) = (self.eval(*pointer)?, self.eval(*stride)?);
                let value = self.eval(*value)?;
                self.store_tile(fragment, &pointer, &stride, &value, *layout, &mask)?;
                Ok(mask)
            }
            StatementKind::MatrixMultiply { result, a, b, c, .. } => {
                let Type::Fragment(fragment) = self.flow.types.get(*a) else {
                    return Err(refuse("a tile has no type"));
                };
                let tiles = [self.eval(*a)?, self.eval(*b)?, self.eval(*c)?];
                let product = self.multiply(fragment, &tiles, &mask)?;
                self.define(*result, product);
                Ok(mask)
            }
            StatementKind::Block(block) => self.block(block, mask),
            StatementKind::If { condition, accept, reject } => {
                self.branch(*condition, accept, reject, mask)
            }
            StatementKind::Loop(looping) => self.looping(looping, mask),
            StatementKind::Break | StatementKind::Continue => {
                let is_break = statement.kind == StatementKind::Break;
                if self.jumps.is_empty() {
                    return Err(refuse("it leaves nothing"));
                }
                for (thread, active) in mask.iter().enumerate() {
                    if !active {
                        continue;
                    }
                    let certain = self.is_certain(thread);
                    let Some(jumps) = self.jumps.last_mut() else { continue };
                    match (certain, is_break) {
                        (false, true) => jumps.partly[thread] = true,
                        (false, false) => jumps.skipping[thread] = true,
                        (true, true) => jumps.broken[thread] = true,
                        (true, false) => jumps.continued[thread] = true,
                    }
                }
                Ok(vec![false; mask.len()])
            }
            StatementKind::Return { .. } => {
                for (thread, active) in mask.iter().enumerate() {
                    if *active {
                        self.leave(thread)?;
                    }
                }
                Ok(vec![false; mask.len()])
            }
            _ => Err(refuse("it does more than a product of matrices")),
        }
    }

    /// The multiplication of the tiles of each warp.
    fn multiply(&mut self, a: Fragment, tiles: &[Lanes; 3], mask: &[bool]) -> Found<Lanes> {
        let (m, n, k) = (usize::from(a.m), usize::from(a.n), usize::from(a.k));
        let mut result = vec![Val::Unknown; mask.len()];
        for start in (0..mask.len()).step_by(WARP) {
            let end = (start + WARP).min(mask.len());
            let Some(first) = (start..end).find(|t| mask[*t]) else { continue };
            let mut own = Vec::new();
            for tile in tiles {
                let path = self.paths[first].clone();
                let val = self.lane(tile, first);
                let Val::Fragment(id) = self.graph.stripped(val, &path) else {
                    return Err(refuse("a tile is not known"));
                };
                if (start..end).any(|t| mask[t] && self.lane(tile, t) != val) {
                    return Err(refuse("the lanes of a warp have different tiles"));
                }
                own.push(self.graph.fragments.get(id).cloned().unwrap_or_default());
            }
            let [x, y, z] = &own[..] else { return Err(refuse("a tile is not known")) };
            if x.len() != m * k || y.len() != k * n || z.len() != m * n {
                return Err(refuse("a tile is not known"));
            }
            self.work(m * n * k)?;
            let mut product = Vec::with_capacity(m * n);
            for i in 0..m {
                for j in 0..n {
                    let mut sum = z[i * n + j];
                    for l in 0..k {
                        let node = NumNode::MultiplyAdd(x[i * k + l], y[l * n + j], sum);
                        sum = self.graph.num(node);
                    }
                    product.push(sum);
                }
            }
            let product = self.graph.fragment(product);
            result[start..end].fill(product);
        }
        Ok(Self::each(result))
    }

    // Control.

    /// Whether a thread is in the innermost loop's pass whatever the launch.
    fn is_certain(&self, thread: usize) -> bool {
        let entry = self.jumps.last().map_or(0, |jumps| jumps.entry[thread]);
        let path = self.paths[thread].iter().skip(entry);
        path.into_iter().all(|cond| self.stays[thread].contains(cond))
    }

    /// A thread returns where it is.
    fn leave(&mut self, thread: usize) -> Found<()> {
        let relative: Vec<Cond> = self.paths[thread]
            .iter()
            .copied()
            .filter(|cond| !self.stays[thread].contains(cond))
            .collect();
        let mut all = TRUE;
        for cond in relative {
            all = self.graph.and(all, cond);
        }
        let stays = self.graph.not(all);
        if stays == UNKNOWN {
            return Err(refuse("threads leave where that is not known beforehand"));
        }
        self.stays[thread].push(stays);
        Ok(())
    }

    fn branch(
        &mut self,
        condition: Value,
        accept: &Block,
        reject: &Block,
        mask: Vec<bool>,
    ) -> Found<Vec<bool>> {
        let condition = self.eval(condition)?;
        let threads = mask.len();
        self.work(threads)?;
        let (mut taken, mut other) = (vec![false; threads], vec![false; threads]);
        let mut conds = vec![TRUE; threads];
        for thread in (0..threads).filter(|thread| mask[*thread]) {
            let path = self.paths[thread].clone();
            let val = self.lane(&condition, thread);
            let Val::Truth(cond) = self.graph.stripped(val, &path) else {
                return Err(refuse("a condition is not followed"));
            };
            match self.graph.decided(cond, &path) {
                Some(true) => taken[thread] = true,
                Some(false) => other[thread] = true,
                None if cond == UNKNOWN => return Err(refuse("a condition is not followed")),
                None => {
                    (taken[thread], other[thread]) = (true, true);
                    conds[thread] = cond;
                }
            }
        }
        let before: Vec<usize> = self.paths.iter().map(Vec::len).collect();
        let open = |thread: usize| taken[thread] && other[thread];
        for thread in (0..threads).filter(|thread| open(*thread)) {
            self.paths[thread].push(conds[thread]);
        }
        let mut falls = self.block(accept, taken.clone())?;
        for thread in (0..threads).filter(|thread| open(*thread)) {
            self.paths[thread].truncate(before[thread]);
            let opposite = self.graph.not(conds[thread]);
            self.paths[thread].push(opposite);
        }
        self.cache.clear();
        let rest = if reject.statements.is_empty() {
            other.clone()
        } else {
            self.block(reject, other.clone())?
        };
        self.cache.clear();
        for thread in 0..threads {
            if open(thread) {
                self.paths[thread].truncate(before[thread]);
                let opposite = self.graph.not(conds[thread]);
                // Who is still here is here under the condition of the arm that goes on.
                match (falls[thread], rest[thread]) {
                    (true, false) => self.paths[thread].push(conds[thread]),
                    (false, true) => self.paths[thread].push(opposite),
                    _ => {}
                }
            }
            falls[thread] |= rest[thread];
        }
        Ok(falls)
    }

    fn looping(&mut self, looping: &Loop, mask: Vec<bool>) -> Found<Vec<bool>> {
        let entry: Vec<usize> = self.paths.iter().map(Vec::len).collect();
        let mut active = mask.clone();
        self.jumps.push(Jumps::of(&self.paths));
        for pass in 0..MAX_LOOP {
            if !(looping.when == LoopTest::After && pass == 0) {
                self.cache.clear();
                active = self.block(&looping.condition, active)?;
                if let Some(test) = looping.test {
                    let test = self.eval(test)?;
                    for (thread, own) in active.iter_mut().enumerate() {
                        if !*own {
                            continue;
                        }
                        let path = self.paths[thread].clone();
                        let val = self.lane(&test, thread);
                        let Val::Truth(cond) = self.graph.stripped(val, &path) else {
                            return Err(refuse("a loop's test is not followed"));
                        };
                        match self.graph.decided(cond, &path) {
                            Some(goes) => *own = goes,
                            None if pass == 0 && looping.when == LoopTest::Before => {
                                self.jumps.pop();
                                return self.any_pass(looping, mask);
                            }
                            None => return Err(refuse("a loop's test is not followed")),
                        }
                    }
                }
            }
            if !active.iter().any(|a| *a) {
                break;
            }
            let length: Vec<usize> = self.paths.iter().map(Vec::len).collect();
            active = self.block(&looping.body, active)?;
            if let Some(jumps) = self.jumps.last_mut() {
                for (own, continued) in active.iter_mut().zip(&mut jumps.continued) {
                    *own |= std::mem::take(continued);
                }
                // Who is gone has broken out under every condition.
                let skips = |(own, skipping): (&bool, &bool)| !own && *skipping;
                if active.iter().zip(&jumps.skipping).any(skips) {
                    return Err(refuse("threads leave a pass in different ways"));
                }
                jumps.skipping.fill(false);
            }
            // Who has left the pass under a condition is back.
            for (thread, length) in length.into_iter().enumerate() {
                let partly = self.jumps.last().is_some_and(|jumps| jumps.partly[thread]);
                if !partly {
                    self.shorten(thread, length);
                }
            }
            self.cache.clear();
            if !active.iter().any(|a| *a) {
                break;
            }
            active = self.block(&looping.step, active)?;
            if pass + 1 == MAX_LOOP {
                return Err(refuse("a loop takes too many passes to be followed"));
            }
        }
        self.jumps.pop();
        self.cache.clear();
        let mut left = mask;
        for (thread, own) in left.iter_mut().enumerate() {
            self.shorten(thread, entry[thread]);
            // A thread that has returned for good does not come back.
            *own &= !self.stays[thread].contains(&FALSE);
        }
        Ok(left)
    }

    /// A path as it was, less where the thread has returned.
    fn shorten(&mut self, thread: usize, length: usize) {
        self.paths[thread].truncate(length);
        for index in 0..self.stays[thread].len() {
            let cond = self.stays[thread][index];
            if !self.paths[thread].contains(&cond) {
                self.paths[thread].push(cond);
            }
        }
    }
}

/// Rows and columns of a tile.
fn extents(fragment: Fragment) -> (usize, usize) {
    let (m, n, k) = (usize::from(fragment.m), usize::from(fragment.n), usize::from(fragment.k));
    match fragment.operand {
        FragmentUse::A => (m, k),
        FragmentUse::B => (k, n),
        FragmentUse::Accumulator => (m, n),
    }
}
