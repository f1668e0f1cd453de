//! Faults in kernels that are read back from a port.

use std::collections::BTreeSet;

use port::DeviceCode;
use port_diag::SourceMap;
use port_ir::{
    Arena, AtomicOp, BarrierScope, Block, CompareOp, Constant, Conversion, Expression,
    ExpressionTypes, FloatOp, Function, Handle, IntegerOp, Location, MathFunction, Module,
    Rounding, Scalar, ShuffleMode, Statement, StatementKind, Type, UnaryOp, Value, VoteKind,
};

use super::text::lines_around;
use super::{Edit, Kind, Mutant};

/// A change of one function.
#[derive(Clone, Debug)]
pub struct Change {
    /// The function.
    pub function: Handle<Function>,
    /// Where.
    pub site: Site,
    /// What.
    pub what: What,
}

/// The place of a change.
#[derive(Clone, Copy, Debug)]
pub enum Site {
    /// A value.
    Value(Value),
    /// A statement, by its number among all, outer ones before those inside.
    Statement(usize),
}

/// A change.
#[derive(Clone, Debug)]
pub enum What {
    /// The expression is another, of the same operands and type.
    Becomes(Expression),
    /// An operand, by its place, is zero.
    ZeroOperand(usize),
    /// An operand, by its place, which is an integer, is one more.
    OneMore(usize),
    /// Everybody who uses the value sees it rounded to this type.
    Narrowed(Scalar),
    /// The statement is gone.
    Removed,
    /// The statement is another, with these constants for values that are not there yet.
    Statement(StatementKind),
    /// A shuffle in segments of so many lanes.
    Width(i32),
    /// A vote of these lanes.
    Mask(u32),
}

/// The line that a place of the port stands at: in a file of the user's, or where that calls a header
/// of the port.
struct Places<'a> {
    code: &'a DeviceCode,
    sources: &'a SourceMap,
    generated: &'a BTreeSet<String>,
}

/// A file and line, and the lines of the statement there.
struct Place {
    path: String,
    line: u32,
    lines: std::ops::RangeInclusive<u32>,
}

impl Places<'_> {
    fn of(&self, function: &Function, location: Location) -> Option<Place> {
        let mut location = location;
        for _ in 0..64 {
            let span = self.code.expansions.outermost(location.origin);
            let file = self.sources.file(span.file);
            if !self.generated.contains(&*file.path) {
                return Some(Place {
                    path: file.path.to_string(),
                    line: file.line_column(span.start).line,
                    lines: lines_around(&file.text, span.start as usize..span.end as usize),
                });
            }
            location = function.inlined.get(location.inlined?)?.call;
        }
        None
    }
}

/// The lines of the port that its kernels execute, each with its file.
pub fn executed(code: &DeviceCode, sources: &SourceMap) -> BTreeSet<(String, u32)> {
    let mut found = BTreeSet::new();
    let mut add = |location: Option<Location>| {
        if let Some(location) = location {
            let span = code.expansions.outermost(location.origin);
            let file = sources.file(span.file);
            found.insert((file.path.to_string(), file.line_column(span.start).line));
        }
    };
    for (_, function) in code.module.functions.iter() {
        for value in live(function) {
            add(function.expressions.location(value));
        }
        for statement in statements(function) {
            add(Some(statement.location));
        }
    }
    found
}

/// The statements of a function, outer ones before those inside.
pub fn statements(function: &Function) -> Vec<&Statement> {
    fn walk<'f>(block: &'f Block, out: &mut Vec<&'f Statement>) {
        for statement in &block.statements {
            out.push(statement);
            statement.kind.blocks().into_iter().for_each(|block| walk(block, out));
        }
    }
    let mut out = Vec::new();
    if let Some(body) = &function.body {
        walk(body, &mut out);
    }
    out
}

/// The values that statements use.
fn live(function: &Function) -> BTreeSet<Value> {
    let mut pending: Vec<Value> = Vec::new();
    for statement in statements(function) {
        pending.extend(statement.kind.operands());
        if let StatementKind::Loop(looping) = &statement.kind {
            pending.extend(looping.test);
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(next) = pending.pop() {
        if seen.insert(next)
            && let Some(expression) = function.expressions.get(next)
        {
            pending.extend(expression.operands());
        }
    }
    seen
}

/// Every fault that can be planted into the kernels.
pub fn mutants(
    code: &DeviceCode,
    sources: &SourceMap,
    generated: &BTreeSet<String>,
) -> Vec<Mutant> {
    let places = Places { code, sources, generated };
    let mut found = Vec::new();
    for (handle, function) in code.module.functions.iter() {
        let types = ExpressionTypes::of(&code.module, function);
        let mut plant =
            |kind: Kind, location: Option<Location>, site: Site, what: What, name: &str| {
                let Some(place) = location.and_then(|location| places.of(function, location))
                else {
                    return;
                };
                found.push(Mutant {
                    kind,
                    description: name.to_owned(),
                    path: place.path,
                    lines: place.lines,
                    line: place.line,
                    edit: Edit::Code(Change { function: handle, site, what }),
                });
            };
        let loaded: BTreeSet<Value> = statements(function)
            .iter()
            .filter_map(|statement| match statement.kind {
                StatementKind::Load { result, .. } => Some(result),
                _ => None,
            })
            .collect();
        for value in live(function) {
            let Some(expression) = function.expressions.get(value) else { continue };
            let location = function.expressions.location(value);
            let scalar = types.get(value).scalar();
            let site = Site::Value(value);
            for (kind, what, name) in faults(expression, scalar, &types, &loaded) {
                plant(kind, location, site, what, name);
            }
        }
        for (number, statement) in statements(function).into_iter().enumerate() {
            for (kind, what, name) in statement_faults(&statement.kind, function) {
                plant(kind, Some(statement.location), Site::Statement(number), what, name);
            }
        }
    }
    found
}

type Fault = (Kind, What, &'static str);

fn faults(
    expression: &Expression,
    scalar: Option<Scalar>,
    types: &ExpressionTypes,
    loaded: &BTreeSet<Value>,
) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    let becomes = |expression: Expression| What::Becomes(expression);
    match expression.clone() {
        Expression::Float { op, left, right, flags } => {
            let float =
                |op, left, right, flags| becomes(Expression::Float { op, left, right, flags });
            if matches!(op, FloatOp::Subtract | FloatOp::Divide) && left != right {
                let what = float(op, right, left, flags);
                found.push((Kind::SwappedOperand, what, "operands of a difference or quotient"));
            }
            if matches!(op, FloatOp::Add | FloatOp::Subtract) {
                found.push((Kind::DroppedTerm, What::ZeroOperand(1), "second term"));
                let toward_zero = port_ir::FloatFlags {
                    rounding: Rounding::TowardZero,
                    contract: false,
                    ..flags
                };
                found.push((Kind::Rounding, float(op, left, right, toward_zero), "of a sum"));
                if flags.contract {
                    let strict = port_ir::FloatFlags { contract: false, ..flags };
                    found.push((Kind::Contraction, float(op, left, right, strict), "of a sum"));
                }
                if scalar == Some(Scalar::F32) {
                    let sum = loaded.contains(&left) || loaded.contains(&right);
                    let kind = if sum { Kind::NarrowedAccumulator } else { Kind::TruncatingCast };
                    found.push((kind, What::Narrowed(Scalar::F16), "a sum, to half"));
                }
            }
            if op == FloatOp::Multiply && scalar == Some(Scalar::F32) {
                found.push((
                    Kind::TruncatingCast,
                    What::Narrowed(Scalar::Bf16),
                    "a product, to bf16",
                ));
            }
            let other = match op {
                FloatOp::Minimum => Some(FloatOp::Maximum),
                FloatOp::Maximum => Some(FloatOp::Minimum),
                _ => None,
            };
            if let Some(other) = other {
                found.push((Kind::WrongFunction, float(other, left, right, flags), "min and max"));
            }
            if op == FloatOp::Divide && scalar == Some(Scalar::F32) && !flags.approximate {
                let fast = port_ir::FloatFlags { approximate: true, ..flags };
                found.push((Kind::Intrinsic, float(op, left, right, fast), "__fdividef"));
            }
        }
        Expression::Compare { op, left, right } => {
            let other = match op {
                CompareOp::Less => CompareOp::LessEqual,
                CompareOp::LessEqual => CompareOp::Less,
                CompareOp::Greater => CompareOp::GreaterEqual,
                CompareOp::GreaterEqual => CompareOp::Greater,
                _ => return found,
            };
            let what = becomes(Expression::Compare { op: other, left, right });
            found.push((Kind::OffByOne, what, "relation"));
            if types.get(right).scalar().is_some_and(Scalar::is_integer) {
                found.push((Kind::OffByOne, What::OneMore(1), "bound"));
            }
        }
        Expression::Integer { op, left, right } => {
            let integer = |op, left, right| becomes(Expression::Integer { op, left, right });
            if matches!(op, IntegerOp::Subtract | IntegerOp::Divide) && left != right {
                found.push((Kind::SwappedOperand, integer(op, right, left), "integers"));
            }
            let other = match op {
                IntegerOp::Minimum => Some(IntegerOp::Maximum),
                IntegerOp::Maximum => Some(IntegerOp::Minimum),
                _ => None,
            };
            if let Some(other) = other {
                found.push((Kind::WrongFunction, integer(other, left, right), "min and max"));
            }
        }
        Expression::Select { condition, accept, reject } if accept != reject => {
            let what = Expression::Select { condition, accept: reject, reject: accept };
            found.push((Kind::SwappedOperand, becomes(what), "values of a choice"));
        }
        Expression::Math { function, arguments, flags } => {
            use MathFunction as M;
            let fast = matches!(
                function,
                M::Exp | M::Log | M::Sin | M::Cos | M::Tanh | M::SquareRoot | M::Power | M::Log2
            );
            if fast && !flags.approximate && scalar == Some(Scalar::F32) {
                let flags = port_ir::FloatFlags { approximate: true, ..flags };
                let what = Expression::Math { function, arguments: arguments.clone(), flags };
                found.push((Kind::Intrinsic, becomes(what), function.name()));
            }
        }
        Expression::Constant(constant) => {
            let (kind, other) = match constant.scalar {
                scalar if scalar.is_float() => {
                    let Some(value) = value_of(constant) else { return found };
                    let other = if value == 0.0 { 0.125 } else { value * 1.0625 };
                    (Kind::ChangedConstant, Constant::float(scalar, other))
                }
                Scalar::Bool => return found,
                scalar => {
                    let Some(value) = constant.as_integer() else { return found };
                    (Kind::ChangedConstant, Some(Constant::integer(scalar, value as i64 + 1)))
                }
            };
            if let Some(other) = other.filter(|other| *other != constant) {
                found.push((kind, becomes(Expression::Constant(other)), "literal"));
            }
        }
        Expression::Convert { kind, value, to } => {
            let other = match kind {
                Conversion::FloatToFloat { rounding: Rounding::NearestEven, saturate } => Some((
                    Kind::Rounding,
                    Conversion::FloatToFloat { rounding: Rounding::TowardZero, saturate },
                )),
                Conversion::FloatToInteger(rounding) => {
                    let other = match rounding {
                        Rounding::TowardZero => Rounding::NearestEven,
                        _ => Rounding::TowardZero,
                    };
                    Some((Kind::Rounding, Conversion::FloatToInteger(other)))
                }
                Conversion::SignExtend => Some((Kind::TruncatingCast, Conversion::ZeroExtend)),
                _ => None,
            };
            if let Some((fault, kind)) = other {
                found.push((fault, becomes(Expression::Convert { kind, value, to }), "conversion"));
            }
        }
        Expression::Element { .. } => {
            found.push((Kind::OffByOne, What::OneMore(1), "index"));
        }
        Expression::Unary { op: UnaryOp::Negate, .. } if scalar.is_some_and(Scalar::is_float) => {
            found.push((Kind::DroppedTerm, What::ZeroOperand(0), "operand of a negation"));
        }
        Expression::FusedMultiplyAdd { .. } => {
            found.push((Kind::DroppedTerm, What::ZeroOperand(2), "what is added to a product"));
            if scalar == Some(Scalar::F32) {
                let what = What::Narrowed(Scalar::F16);
                found.push((Kind::NarrowedAccumulator, what, "a fused sum, to half"));
            }
        }
        _ => {}
    }
    found
}

fn value_of(constant: Constant) -> Option<f64> {
    match constant.scalar {
        Scalar::F32 => Some(f64::from(f32::from_bits(constant.bits as u32))),
        Scalar::F64 => Some(f64::from_bits(constant.bits)),
        _ => None,
    }
    .filter(|value| value.is_finite())
}

fn statement_faults(kind: &StatementKind, function: &Function) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    match kind {
        StatementKind::Barrier { scope: BarrierScope::Block, reduce: None, .. } => {
            found.push((Kind::RemovedBarrier, What::Removed, "barrier"));
        }
        StatementKind::Store { pointer, .. } => {
            // What the front end stores for its own ends has no line that is its own.
            let own =
                matches!(function.expressions.get(*pointer), Some(Expression::Element { .. }));
            if own {
                found.push((Kind::MissingStore, What::Removed, "store"));
            }
        }
        StatementKind::Atomic { result, op, pointer, value, ordering } => {
            let other = match op {
                AtomicOp::Add => AtomicOp::Exchange,
                AtomicOp::Minimum => AtomicOp::Maximum,
                AtomicOp::Maximum => AtomicOp::Minimum,
                AtomicOp::Or => AtomicOp::And,
                _ => return found,
            };
            let what = StatementKind::Atomic {
                result: *result,
                op: other,
                pointer: *pointer,
                value: *value,
                ordering: *ordering,
            };
            found.push((Kind::WrongFunction, What::Statement(what), "atomic"));
        }
        StatementKind::Shuffle { result, in_range, mode, mask, value, lane, width } => {
            found.push((Kind::ChangedMask, What::Width(16), "segment of a shuffle"));
            let other = match mode {
                ShuffleMode::Down => ShuffleMode::Up,
                ShuffleMode::Up => ShuffleMode::Down,
                ShuffleMode::Xor => ShuffleMode::Down,
                ShuffleMode::Index => return found,
            };
            let what = StatementKind::Shuffle {
                result: *result,
                in_range: *in_range,
                mode: other,
                mask: *mask,
                value: *value,
                lane: *lane,
                width: *width,
            };
            found.push((Kind::WrongFunction, What::Statement(what), "shuffle"));
        }
        StatementKind::Vote { result, kind, mask, predicate } => {
            found.push((Kind::ChangedMask, What::Mask(0xffff), "mask of a vote"));
            let other = match kind {
                VoteKind::Any => VoteKind::All,
                VoteKind::All => VoteKind::Any,
                _ => return found,
            };
            let what = StatementKind::Vote {
                result: *result,
                kind: other,
                mask: *mask,
                predicate: *predicate,
            };
            found.push((Kind::WrongFunction, What::Statement(what), "vote"));
        }
        _ => {}
    }
    found
}

/// The module with a change; `None` where it does not hold together.
pub fn apply(module: &Module, change: &Change) -> Option<Module> {
    let mut module = module.clone();
    let function = module.functions.get(change.function)?.clone();
    let types = ExpressionTypes::of(&module, &function);
    let mut function = function;
    match (&change.site, &change.what) {
        (Site::Value(at), What::Becomes(expression)) => {
            *function.expressions.get_mut(*at)? = expression.clone();
        }
        (Site::Value(at), What::ZeroOperand(place)) => {
            let operand = *function.expressions.get(*at)?.operands().get(*place)?;
            let zero = Expression::Zero(types.get(operand));
            function = with_operand(&function, *at, *place, |_, _| vec![zero.clone()]);
        }
        (Site::Value(at), What::OneMore(place)) => {
            let operand = *function.expressions.get(*at)?.operands().get(*place)?;
            let Type::Scalar(scalar) = types.get(operand) else { return None };
            let one = Expression::Constant(Constant::integer(scalar, 1));
            function = with_operand(&function, *at, *place, |operand, next| {
                let sum = Expression::Integer { op: IntegerOp::Add, left: operand, right: next };
                vec![one.clone(), sum]
            });
        }
        (Site::Value(at), What::Narrowed(scalar)) => {
            function = narrowed(&function, *at, types.get(*at), *scalar);
        }
        (Site::Statement(number), What::Removed) => {
            let mut left = *number;
            edit(function.body.as_mut()?, &mut left, &mut |_| None);
        }
        (Site::Statement(number), What::Statement(kind)) => {
            let mut left = *number;
            edit(function.body.as_mut()?, &mut left, &mut |_| Some(kind.clone()));
        }
        (Site::Statement(number), What::Width(lanes)) => {
            let location = statements(&function).get(*number)?.location;
            let constant = Expression::Constant(Constant::i32(*lanes));
            let constant = function.expressions.append(constant, location);
            let mut left = *number;
            edit(function.body.as_mut()?, &mut left, &mut |kind| {
                let mut kind = kind.clone();
                if let StatementKind::Shuffle { width, .. } = &mut kind {
                    *width = Some(constant);
                }
                Some(kind)
            });
        }
        (Site::Statement(number), What::Mask(lanes)) => {
            let location = statements(&function).get(*number)?.location;
            let constant = Expression::Constant(Constant::u32(*lanes));
            let constant = function.expressions.append(constant, location);
            let mut left = *number;
            edit(function.body.as_mut()?, &mut left, &mut |kind| {
                let mut kind = kind.clone();
                if let StatementKind::Vote { mask, .. } = &mut kind {
                    *mask = Some(constant);
                }
                Some(kind)
            });
        }
        _ => return None,
    }
    *module.functions.get_mut(change.function)? = function;
    port_ir::validate(&module).ok()?;
    Some(module)
}

/// Replaces, or without a replacement removes, the statement of a number.
fn edit(
    block: &mut Block,
    left: &mut usize,
    with: &mut dyn FnMut(&StatementKind) -> Option<StatementKind>,
) -> bool {
    for at in 0..block.statements.len() {
        if *left == 0 {
            match with(&block.statements[at].kind) {
                Some(kind) => block.statements[at].kind = kind,
                None => drop(block.statements.remove(at)),
            }
            return true;
        }
        *left -= 1;
        // The order of `blocks`, which is that of the text.
        for inner in block.statements[at].kind.blocks_mut() {
            if edit(inner, left, with) {
                return true;
            }
        }
    }
    false
}

/// The function with expressions put before `at`, of which the last takes the place of one of its
/// operands. `make` gets that operand and the handle that its first expression will have.
fn with_operand(
    function: &Function,
    at: Value,
    place: usize,
    make: impl Fn(Value, Value) -> Vec<Expression>,
) -> Function {
    rebuilt(function, |arena, old, mut expression, location| {
        if old == at {
            let operand = expression.operands().get(place).copied();
            let next = Handle::from_index(arena.len());
            let mut last = None;
            for new in make(operand.unwrap_or(next), next) {
                last = Some(arena.append(new, location));
            }
            let mut index = 0;
            expression.for_each_operand_mut(|operand| {
                if let Some(last) = last.filter(|_| index == place) {
                    *operand = last;
                }
                index += 1;
            });
        }
        arena.append(expression, location)
    })
}

/// The function with a value rounded to a narrower type before anybody uses it.
fn narrowed(function: &Function, at: Value, ty: Type, scalar: Scalar) -> Function {
    rebuilt(function, |arena, old, expression, location| {
        let value = arena.append(expression, location);
        if old != at {
            return value;
        }
        let kind = Conversion::FloatToFloat { rounding: Rounding::NearestEven, saturate: false };
        let narrow = Expression::Convert { kind, value, to: ty.with_scalar(scalar) };
        let narrow = arena.append(narrow, location);
        arena.append(Expression::Convert { kind, value: narrow, to: ty }, location)
    })
}

/// The function with its expressions put one by one into a new arena.
fn rebuilt(
    function: &Function,
    mut put: impl FnMut(&mut Arena<Expression>, Value, Expression, Location) -> Value,
) -> Function {
    let mut arena = Arena::new();
    let mut map: Vec<Value> = Vec::new();
    for (old, expression) in function.expressions.iter() {
        let mut expression = expression.clone();
        expression.for_each_operand_mut(|operand| *operand = map[operand.index()]);
        let Some(location) = function.expressions.location(old) else { continue };
        map.push(put(&mut arena, old, expression, location));
    }
    fn walk(block: &mut Block, map: &[Value]) {
        for statement in &mut block.statements {
            statement.kind.for_each_value_mut(|value| *value = map[value.index()]);
            statement.kind.blocks_mut().into_iter().for_each(|block| walk(block, map));
        }
    }
    let mut new = function.clone();
    if let Some(body) = &mut new.body {
        walk(body, &map);
    }
    new.names =
        function.names.iter().map(|(value, name)| (map[value.index()], name.clone())).collect();
    new.expressions = arena;
    new
}
