//! Constant evaluation: values of typed expressions that are known while compiling, calls of
//! functions included. Integers wrap, floats round once in their own type.

use half::{bf16, f16};
use port_hir::Builtin;
use port_ir::{CompareOp, MathFunction, Scalar};

use crate::check::Checker;
use crate::context::{Context, FunctionInstanceId, GlobalSpace, limits};
use crate::intrinsics::Intrinsic;
use crate::ty::{Kind, Type, builtin_size, is_signed};
use crate::typed::{Arithmetic, Expr, ExprKind, Sign, Stmt, StmtKind, VariableId};
use crate::value::{Place, Root, Value};

/// The number type that a constant of a type is computed in.
#[derive(Clone, Copy, PartialEq)]
enum Number {
    /// Bits, and whether it is signed.
    Integer(u32, bool),
    Bool,
    Float(Scalar),
}

fn number(cx: &Context<'_>, ty: Type) -> Option<Number> {
    Some(match *cx.types.kind(ty) {
        Kind::Builtin(Builtin::Bool) => Number::Bool,
        Kind::Builtin(Builtin::Float) => Number::Float(Scalar::F32),
        Kind::Builtin(Builtin::Double | Builtin::LongDouble) => Number::Float(Scalar::F64),
        Kind::Builtin(builtin) if builtin.is_integer() => {
            Number::Integer(builtin_size(builtin) as u32 * 8, is_signed(builtin))
        }
        Kind::Narrow(scalar) => Number::Float(scalar),
        Kind::Enum(id) => return number(cx, cx.enumeration(id).underlying),
        _ => return None,
    })
}

/// A float rounded to a type. `None` for the 8-bit formats, which are left to the machine.
pub(crate) fn round_float(value: f64, to: Scalar) -> Option<f64> {
    Some(match to {
        Scalar::F64 => value,
        Scalar::F32 => f64::from(value as f32),
        Scalar::F16 => f16::from_f64(value).to_f64(),
        Scalar::Bf16 => bf16::from_f64(value).to_f64(),
        _ => return None,
    })
}

fn wrap(value: i128, bits: u32, signed: bool) -> i128 {
    if bits >= 128 {
        return value;
    }
    let masked = value & ((1i128 << bits) - 1);
    if signed && masked >> (bits - 1) & 1 == 1 { masked - (1i128 << bits) } else { masked }
}

/// A value of one type as one of another.
pub(crate) fn convert(cx: &Context<'_>, value: Value, from: Type, to: Type) -> Option<Value> {
    if let Value::Placeholder(_) = value {
        return Some(value);
    }
    if from.same(to) {
        return Some(value);
    }
    match (&value, cx.types.kind(to)) {
        (Value::Null, Kind::Pointer(_) | Kind::MemberPointer(..)) => return Some(value),
        (Value::Integer(0), Kind::Pointer(_) | Kind::MemberPointer(..)) => {
            return Some(Value::Null);
        }
        (Value::Function(_) | Value::Address(_) | Value::String(_), Kind::Pointer(_)) => {
            return Some(value);
        }
        (Value::Member(_), Kind::MemberPointer(..)) => return Some(value),
        (Value::Aggregate(_), _) if cx.types.vector_parts(to).is_some() => return Some(value),
        _ => {}
    }
    let to = number(cx, to)?;
    Some(match (value, to) {
        (Value::Null, Number::Bool) => Value::FALSE,
        (Value::Function(_) | Value::Address(_), Number::Bool) => Value::TRUE,
        (Value::Integer(value), Number::Bool) => Value::bool(value != 0),
        (Value::Float(value), Number::Bool) => Value::bool(value != 0.0),
        (Value::Integer(value), Number::Integer(bits, signed)) => {
            Value::Integer(wrap(value, bits, signed))
        }
        (Value::Float(value), Number::Integer(bits, signed)) => {
            // Out of range is undefined in C++; the device saturates, and NaN gives 0.
            let (low, high) = if signed {
                (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
            } else {
                (0, (1i128 << bits.min(126)) - 1)
            };
            Value::Integer((value.trunc() as i128).clamp(low, high))
        }
        (Value::Integer(value), Number::Float(scalar)) => {
            let value = match scalar {
                // Directly: by way of double it could be rounded twice.
                Scalar::F32 => f64::from(value as f32),
                _ => value as f64,
            };
            Value::Float(round_float(value, scalar)?)
        }
        (Value::Float(value), Number::Float(scalar)) => Value::Float(round_float(value, scalar)?),
        _ => return None,
    })
}

impl Checker<'_, '_> {
    /// The value of an expression, if it is a constant.
    pub(crate) fn evaluate(&mut self, expr: &Expr) -> Option<Value> {
        // What most expressions are.
        if let ExprKind::Constant(value) = &expr.kind {
            return Some(value.clone());
        }
        let mut evaluator =
            Evaluator { checker: self, frames: Vec::new(), temporaries: Vec::new(), steps: 0 };
        evaluator.eval(expr)
    }
}

struct Evaluator<'e, 'c, 'h> {
    checker: &'e mut Checker<'c, 'h>,
    /// Of the calls that are open. Without any, names are those of the body that is checked.
    frames: Vec<Frame>,
    temporaries: Vec<Value>,
    steps: u64,
}

struct Frame {
    variables: Vec<Value>,
    arguments: Vec<Value>,
    body: std::rc::Rc<crate::typed::Body>,
}

/// How a statement ends.
enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

const CALLS: usize = 128;

impl Evaluator<'_, '_, '_> {
    fn step(&mut self) -> Option<()> {
        self.steps += 1;
        (self.steps <= limits::STEPS).then_some(())
    }

    fn frame(&self) -> u32 {
        self.frames.len() as u32
    }

    fn number(&self, ty: Type) -> Option<Number> {
        number(self.checker.cx, ty)
    }

    fn eval(&mut self, expr: &Expr) -> Option<Value> {
        self.step()?;
        match &expr.kind {
            ExprKind::Constant(value) => Some(value.clone()),
            ExprKind::Zero => self.zero(expr.ty),
            ExprKind::Undefined | ExprKind::Poison(_) => None,
            ExprKind::Function(function) => Some(Value::Function(*function)),
            ExprKind::Argument(index) => {
                let frame = self.frames.last()?;
                frame.arguments.get(*index as usize).cloned()
            }
            ExprKind::Load(place) => {
                let place = self.place(place)?;
                self.read(&place)
            }
            ExprKind::AddressOf(place) => {
                let place = self.place(place)?;
                Some(Value::Address(Box::new(place)))
            }
            ExprKind::Decay(array) => {
                if let ExprKind::String(bytes) = &array.kind {
                    return Some(Value::String(bytes.clone()));
                }
                let mut place = self.place(array)?;
                place.path.push(0);
                Some(Value::Address(Box::new(place)))
            }
            ExprKind::Sign(sign, operand) => {
                let value = self.eval(operand)?;
                self.sign(*sign, value, expr.ty)
            }
            ExprKind::Arithmetic(op, left, right) => {
                let (a, b) = (self.eval(left)?, self.eval(right)?);
                self.arithmetic(*op, a, b, expr.ty)
            }
            ExprKind::Compare(op, left, right) => {
                let (a, b) = (self.eval(left)?, self.eval(right)?);
                compare(*op, &a, &b)
            }
            ExprKind::Logical { and, left, right } => {
                let left = self.eval(left)?.as_bool()?;
                if left != *and {
                    return Some(Value::bool(left));
                }
                let right = self.eval(right)?.as_bool()?;
                Some(Value::bool(right))
            }
            ExprKind::Conditional { condition, then, otherwise } => {
                if self.eval(condition)?.as_bool()? {
                    self.eval(then)
                } else {
                    self.eval(otherwise)
                }
            }
            ExprKind::PointerAdd { pointer, index, negative } => {
                let pointer = self.eval(pointer)?;
                let index = self.eval(index)?.as_integer()?;
                self.advance(pointer, if *negative { -index } else { index })
            }
            ExprKind::PointerDifference(left, right) => {
                match (self.eval(left)?, self.eval(right)?) {
                    (Value::Address(a), Value::Address(b)) if a.root == b.root => {
                        let (last_a, rest_a) = a.path.split_last()?;
                        let (last_b, rest_b) = b.path.split_last()?;
                        (rest_a == rest_b).then(|| Value::Integer(i128::from(last_a - last_b)))
                    }
                    _ => None,
                }
            }
            ExprKind::Convert(operand) => {
                let value = self.eval(operand)?;
                convert(self.checker.cx, value, operand.ty, expr.ty)
            }
            ExprKind::PointerCast(operand) => {
                let value = self.eval(operand)?;
                // Other types than pointers would need addresses.
                let pointers = self.checker.cx.types.is_pointer(expr.ty)
                    && self.checker.cx.types.is_pointer(operand.ty);
                pointers.then_some(value)
            }
            ExprKind::PointerToBase(operand, base) => match self.eval(operand)? {
                Value::Address(mut place) => {
                    place.path.push(i64::from(*base));
                    Some(Value::Address(place))
                }
                Value::Null => Some(Value::Null),
                _ => None,
            },
            ExprKind::Bits(operand) => self.bits(operand, expr.ty),
            ExprKind::Assign { .. }
            | ExprKind::CompoundAssign { .. }
            | ExprKind::Variable(_)
            | ExprKind::Global(_)
            | ExprKind::String(_)
            | ExprKind::Deref(_)
            | ExprKind::Materialise(_) => {
                let place = self.place(expr)?;
                self.read(&place)
            }
            ExprKind::Increment { target, decrement, prefix } => {
                let place = self.place(target)?;
                let old = self.read(&place)?;
                let new = self.incremented(old.clone(), *decrement, target.ty)?;
                self.write(&place, new.clone())?;
                Some(if *prefix { new } else { old })
            }
            ExprKind::Initialise { target, value } => {
                let place = self.place(target)?;
                let value = self.eval(value)?;
                self.write(&place, value)?;
                Some(Value::Undefined)
            }
            ExprKind::Member { object, .. }
            | ExprKind::Base { object, .. }
            | ExprKind::Component { object, .. } => {
                let index = self.part_index(expr)?;
                if object.is_place() {
                    let place = self.place(expr)?;
                    return self.read(&place);
                }
                match self.eval(object)? {
                    Value::Aggregate(mut parts) => {
                        (index < parts.len()).then(|| parts.swap_remove(index))
                    }
                    _ => None,
                }
            }
            ExprKind::Aggregate(parts) => {
                let mut values = Vec::with_capacity(parts.len());
                for part in parts {
                    values.push(match part {
                        Some(Expr { kind: ExprKind::Undefined, ty, .. }) => self.undefined(*ty)?,
                        Some(part) => self.eval(part)?,
                        None => Value::Undefined,
                    });
                }
                Some(Value::Aggregate(values))
            }
            ExprKind::Repeat(element) => {
                let Kind::Array(_, Some(length)) = *self.checker.cx.types.kind(expr.ty) else {
                    return None;
                };
                if length > limits::ELEMENTS {
                    return None;
                }
                let mut values = Vec::new();
                for _ in 0..length {
                    values.push(self.eval(element)?);
                }
                Some(Value::Aggregate(values))
            }
            ExprKind::Construct { constructor, arguments } => {
                let object = self.undefined(expr.ty)?;
                let place = self.temporary(object);
                let mut values = vec![Value::Address(Box::new(place.clone()))];
                for argument in arguments {
                    values.push(self.eval(argument)?);
                }
                self.call(*constructor, values)?;
                self.read(&place)
            }
            ExprKind::Call { function, arguments } => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.eval(argument)?);
                }
                self.call(*function, values)
            }
            ExprKind::Intrinsic { intrinsic, arguments } => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.eval(argument)?);
                }
                let zeros = MathFunction::CountLeadingZeros;
                if let (Intrinsic::MathOfOperand(function, _), [argument]) =
                    (intrinsic, &arguments[..])
                    && *function == zeros
                    && let [Value::Integer(number)] = values[..]
                {
                    let bits = 8 * self.checker.cx.types.scalar(argument.ty)?.size() as u32;
                    let unused = i128::BITS - bits;
                    return Some(Value::Integer(
                        (number << unused).leading_zeros().min(bits).into(),
                    ));
                }
                crate::intrinsics::evaluate(self.checker.cx, intrinsic, &values, expr.ty)
            }
            ExprKind::Comma(left, right) => {
                if !matches!(left.kind, ExprKind::Zero) {
                    self.eval(left)?;
                }
                self.eval(right)
            }
            ExprKind::Statements(statements, value) => {
                match self.run(statements)? {
                    Flow::Next => {}
                    _ => return None,
                }
                match value {
                    Some(value) => self.eval(value),
                    None => Some(Value::Undefined),
                }
            }
            ExprKind::Overload(_) | ExprKind::FragmentElement { .. } => None,
        }
    }

    // Places.

    /// The position of the part that a member access names, among all parts of its object.
    fn part_index(&self, expr: &Expr) -> Option<usize> {
        match &expr.kind {
            ExprKind::Member { object, field } => {
                let class = self.checker.cx.types.class(object.ty)?;
                Some(self.checker.cx.class(class).bases.len() + *field as usize)
            }
            ExprKind::Base { base: index, .. } | ExprKind::Component { index, .. } => {
                Some(*index as usize)
            }
            _ => None,
        }
    }

    fn temporary(&mut self, value: Value) -> Place {
        self.temporaries.push(value);
        let root = Root::Temporary(self.temporaries.len() as u32 - 1);
        Place { root, path: Vec::new() }
    }

    fn place(&mut self, expr: &Expr) -> Option<Place> {
        self.step()?;
        match &expr.kind {
            ExprKind::Variable(id) => {
                Some(Place { root: Root::Local(self.frame(), *id), path: Vec::new() })
            }
            ExprKind::Global(id) => Some(Place { root: Root::Global(*id), path: Vec::new() }),
            ExprKind::Deref(pointer) => match self.eval(pointer)? {
                Value::Address(place) => Some(*place),
                _ => None,
            },
            ExprKind::Member { object, .. }
            | ExprKind::Base { object, .. }
            | ExprKind::Component { object, .. } => {
                let index = self.part_index(expr)?;
                let mut place = if object.is_place() {
                    self.place(object)?
                } else {
                    let value = self.eval(object)?;
                    self.temporary(value)
                };
                place.path.push(index as i64);
                Some(place)
            }
            ExprKind::Materialise(value) => {
                let value = self.eval(value)?;
                Some(self.temporary(value))
            }
            ExprKind::String(bytes) => {
                let parts =
                    bytes.iter().map(|byte| Value::Integer(i128::from(*byte as i8))).collect();
                Some(self.temporary(Value::Aggregate(parts)))
            }
            ExprKind::Conditional { condition, then, otherwise } => {
                if self.eval(condition)?.as_bool()? {
                    self.place(then)
                } else {
                    self.place(otherwise)
                }
            }
            ExprKind::Assign { target, value } => {
                let value = self.eval(value)?;
                let place = self.place(target)?;
                self.write(&place, value)?;
                Some(place)
            }
            ExprKind::CompoundAssign { op, target, value, compute } => {
                let value = self.eval(value)?;
                let place = self.place(target)?;
                let old = self.read(&place)?;
                let new = if self.checker.cx.types.is_pointer(target.ty) {
                    let index = value.as_integer()?;
                    self.advance(old, if *op == Arithmetic::Subtract { -index } else { index })?
                } else {
                    let old = convert(self.checker.cx, old, target.ty, *compute)?;
                    let new = self.arithmetic(*op, old, value, *compute)?;
                    convert(self.checker.cx, new, *compute, target.ty)?
                };
                self.write(&place, new)?;
                Some(place)
            }
            ExprKind::Increment { target, decrement, .. } => {
                let place = self.place(target)?;
                let old = self.read(&place)?;
                let new = self.incremented(old, *decrement, target.ty)?;
                self.write(&place, new)?;
                Some(place)
            }
            ExprKind::Comma(left, right) => {
                self.eval(left)?;
                self.place(right)
            }
            _ => None,
        }
    }

    fn read(&mut self, place: &Place) -> Option<Value> {
        let mut value = match &place.root {
            Root::Temporary(id) => self.temporaries.get(*id as usize)?,
            Root::Global(id) => {
                let global = self.checker.cx.global(*id);
                // Only what never changes has a value now.
                if !global.fixed || global.space == GlobalSpace::Shared {
                    return None;
                }
                global.value.as_ref()?
            }
            Root::Local(frame, id) => match frame.checked_sub(1) {
                Some(frame) => self.frames.get(frame as usize)?.variables.get(id.index())?,
                None => {
                    let variable = self.checker.body.variables.get(id.index())?;
                    variable.constant.as_ref()?
                }
            },
        };
        for index in &place.path {
            let index = usize::try_from(*index).ok()?;
            value = match value {
                Value::Aggregate(parts) => parts.get(index)?,
                Value::String(bytes) => {
                    return bytes.get(index).map(|byte| Value::Integer(i128::from(*byte as i8)));
                }
                // A pointer to an object that is no array points at its only element.
                other if index == 0 => other,
                _ => return None,
            };
        }
        match value {
            Value::Undefined => None,
            value => Some(value.clone()),
        }
    }

    fn write(&mut self, place: &Place, value: Value) -> Option<()> {
        let mut slot = match &place.root {
            Root::Temporary(id) => self.temporaries.get_mut(*id as usize)?,
            Root::Local(frame, id) => {
                let frame = frame.checked_sub(1)?;
                self.frames.get_mut(frame as usize)?.variables.get_mut(id.index())?
            }
            Root::Global(_) => return None,
        };
        for index in &place.path {
            let index = usize::try_from(*index).ok()?;
            slot = match slot {
                Value::Aggregate(parts) => parts.get_mut(index)?,
                other if index == 0 => other,
                _ => return None,
            };
        }
        *slot = value;
        Some(())
    }

    fn advance(&mut self, pointer: Value, by: i128) -> Option<Value> {
        match pointer {
            Value::Address(mut place) => {
                let by = i64::try_from(by).ok()?;
                match place.path.last_mut() {
                    Some(last) => *last = last.checked_add(by)?,
                    None if by == 0 => {}
                    None => place.path.push(by),
                }
                Some(Value::Address(place))
            }
            Value::Null if by == 0 => Some(Value::Null),
            Value::String(bytes) => {
                let parts =
                    bytes.iter().map(|byte| Value::Integer(i128::from(*byte as i8))).collect();
                let mut place = self.temporary(Value::Aggregate(parts));
                place.path.push(i64::try_from(by).ok()?);
                Some(Value::Address(Box::new(place)))
            }
            _ => None,
        }
    }

    // Numbers.

    fn zero(&mut self, ty: Type) -> Option<Value> {
        self.filled(ty, true, 0)
    }

    fn undefined(&mut self, ty: Type) -> Option<Value> {
        self.filled(ty, false, 0)
    }

    /// A value whose scalars are all zero, or all undefined.
    fn filled(&mut self, ty: Type, zero: bool, depth: u32) -> Option<Value> {
        self.step()?;
        if depth > 32 {
            return None;
        }
        Some(match *self.checker.cx.types.kind(ty) {
            Kind::Class(class) => {
                if !self.checker.complete(class) {
                    return None;
                }
                let entry = self.checker.cx.class(class);
                let bases: Vec<_> = entry.bases.iter().map(|base| base.class).collect();
                let fields: Vec<Type> = entry.fields.iter().map(|field| field.ty).collect();
                let mut parts = Vec::new();
                for base in bases {
                    let ty = self.checker.class_type(base);
                    parts.push(self.filled(ty, zero, depth + 1)?);
                }
                for field in fields {
                    parts.push(self.filled(field, zero, depth + 1)?);
                }
                Value::Aggregate(parts)
            }
            Kind::Array(element, Some(length)) => {
                if length > limits::ELEMENTS {
                    return None;
                }
                let element = self.filled(element, zero, depth + 1)?;
                Value::Aggregate(vec![element; length as usize])
            }
            Kind::Vector { count, .. } => {
                let (element, _) = self.checker.cx.types.vector_parts(ty)?;
                let element = self.filled(element, zero, depth + 1)?;
                Value::Aggregate(vec![element; usize::from(count)])
            }
            _ if !zero => Value::Undefined,
            Kind::Pointer(_) | Kind::Builtin(Builtin::NullPointer) => Value::Null,
            _ => match self.number(ty) {
                Some(Number::Float(_)) => Value::Float(0.0),
                Some(_) => Value::Integer(0),
                None => Value::Undefined,
            },
        })
    }

    fn sign(&mut self, sign: Sign, value: Value, ty: Type) -> Option<Value> {
        Some(match (sign, value, self.number(ty)?) {
            (Sign::Not, value, _) => Value::bool(!value.as_bool()?),
            (Sign::Negate, Value::Float(value), _) => Value::Float(-value),
            (Sign::Negate, Value::Integer(value), Number::Integer(bits, signed)) => {
                Value::Integer(wrap(value.checked_neg()?, bits, signed))
            }
            (Sign::Complement, Value::Integer(value), Number::Integer(bits, signed)) => {
                Value::Integer(wrap(!value, bits, signed))
            }
            _ => return None,
        })
    }

    fn incremented(&mut self, old: Value, decrement: bool, ty: Type) -> Option<Value> {
        if self.checker.cx.types.is_pointer(ty) {
            return self.advance(old, if decrement { -1 } else { 1 });
        }
        let one = match self.number(ty)? {
            Number::Float(_) => Value::Float(1.0),
            Number::Bool => return Some(Value::TRUE),
            Number::Integer(..) => Value::Integer(1),
        };
        let op = if decrement { Arithmetic::Subtract } else { Arithmetic::Add };
        self.arithmetic(op, old, one, ty)
    }

    fn arithmetic(&mut self, op: Arithmetic, a: Value, b: Value, ty: Type) -> Option<Value> {
        match (a, b) {
            (Value::Float(a), Value::Float(b)) => {
                let Number::Float(scalar) = self.number(ty)? else { return None };
                let exact = match op {
                    Arithmetic::Add => a + b,
                    Arithmetic::Subtract => a - b,
                    Arithmetic::Multiply => a * b,
                    Arithmetic::Divide => a / b,
                    _ => return None,
                };
                // Rounding the double result again is exact for narrower formats: a double has more
                // than twice their digits and two.
                Some(Value::Float(round_float(exact, scalar)?))
            }
            (Value::Integer(a), Value::Integer(b)) => {
                let (bits, signed) = match self.number(ty)? {
                    Number::Integer(bits, signed) => (bits, signed),
                    Number::Bool => (1, false),
                    Number::Float(_) => return None,
                };
                let value = match op {
                    Arithmetic::Add => a.checked_add(b)?,
                    Arithmetic::Subtract => a.checked_sub(b)?,
                    Arithmetic::Multiply => a.checked_mul(b)?,
                    Arithmetic::Divide => a.checked_div(b)?,
                    Arithmetic::Remainder => a.checked_rem(b)?,
                    Arithmetic::And => a & b,
                    Arithmetic::Or => a | b,
                    Arithmetic::Xor => a ^ b,
                    Arithmetic::ShiftLeft | Arithmetic::ShiftRight => {
                        let amount = u32::try_from(b).ok().filter(|amount| *amount < bits)?;
                        if op == Arithmetic::ShiftLeft {
                            a.checked_shl(amount)?
                        } else {
                            a >> amount
                        }
                    }
                };
                Some(Value::Integer(wrap(value, bits, signed)))
            }
            _ => None,
        }
    }

    fn bits(&mut self, operand: &Expr, to: Type) -> Option<Value> {
        let value = self.eval(operand)?;
        let bits: u64 = match (value, self.number(operand.ty)?) {
            (Value::Integer(value), Number::Integer(bits, _)) => wrap(value, bits, false) as u64,
            (Value::Float(value), Number::Float(Scalar::F32)) => {
                u64::from((value as f32).to_bits())
            }
            (Value::Float(value), Number::Float(Scalar::F64)) => value.to_bits(),
            (Value::Float(value), Number::Float(Scalar::F16)) => {
                u64::from(f16::from_f64(value).to_bits())
            }
            (Value::Float(value), Number::Float(Scalar::Bf16)) => {
                u64::from(bf16::from_f64(value).to_bits())
            }
            _ => return None,
        };
        Some(match self.number(to)? {
            Number::Integer(width, signed) => Value::Integer(wrap(i128::from(bits), width, signed)),
            Number::Float(Scalar::F32) => Value::Float(f64::from(f32::from_bits(bits as u32))),
            Number::Float(Scalar::F64) => Value::Float(f64::from_bits(bits)),
            Number::Float(Scalar::F16) => Value::Float(f16::from_bits(bits as u16).to_f64()),
            Number::Float(Scalar::Bf16) => Value::Float(bf16::from_bits(bits as u16).to_f64()),
            _ => return None,
        })
    }

    // Calls.

    fn call(&mut self, function: FunctionInstanceId, arguments: Vec<Value>) -> Option<Value> {
        if self.frames.len() >= CALLS {
            return None;
        }
        let body = self.checker.body_of(function)?;
        let mut variables: Vec<Value> = body
            .variables
            .iter()
            .map(|variable| variable.constant.clone().unwrap_or(Value::Undefined))
            .collect();
        for (parameter, argument) in body.parameters.iter().zip(&arguments) {
            if let Some(variable) = parameter.variable {
                *variables.get_mut(variable.index())? = argument.clone();
            }
        }
        self.frames.push(Frame { variables, arguments, body: body.clone() });
        let flow = self.run(&body.statements);
        self.frames.pop();
        match flow? {
            Flow::Return(value) => Some(value),
            Flow::Next => Some(Value::Undefined),
            Flow::Break | Flow::Continue => None,
        }
    }

    fn run(&mut self, statements: &[Stmt]) -> Option<Flow> {
        for statement in statements {
            match self.statement(statement)? {
                Flow::Next => {}
                other => return Some(other),
            }
        }
        Some(Flow::Next)
    }

    fn statement(&mut self, statement: &Stmt) -> Option<Flow> {
        self.step()?;
        match &statement.kind {
            StmtKind::Expr(expr) => {
                if !matches!(expr.kind, ExprKind::Zero) {
                    self.eval(expr)?;
                }
                Some(Flow::Next)
            }
            StmtKind::Declare { variable, initial } => {
                let value = match initial {
                    Some(initial) => self.eval(initial)?,
                    None => {
                        let ty = self.variable_type(*variable)?;
                        self.undefined(ty)?
                    }
                };
                let place = Place { root: Root::Local(self.frame(), *variable), path: Vec::new() };
                self.write(&place, value)?;
                Some(Flow::Next)
            }
            StmtKind::Block(body) => self.run(body),
            StmtKind::If { condition, then, otherwise } => {
                if self.eval(condition)?.as_bool()? {
                    self.run(then)
                } else {
                    self.run(otherwise)
                }
            }
            StmtKind::Loop { before, condition, step, body, .. } => {
                let mut first = true;
                loop {
                    self.step()?;
                    if let Some(condition) = condition
                        && (*before || !first)
                        && !self.eval(condition)?.as_bool()?
                    {
                        return Some(Flow::Next);
                    }
                    first = false;
                    match self.run(body)? {
                        Flow::Next | Flow::Continue => {}
                        Flow::Break => return Some(Flow::Next),
                        Flow::Return(value) => return Some(Flow::Return(value)),
                    }
                    if let Some(step) = step {
                        self.eval(step)?;
                    }
                }
            }
            StmtKind::Switch { selector, arms } => {
                let value = self.eval(selector)?.as_integer()?;
                let start = arms
                    .iter()
                    .position(|arm| arm.values.contains(&value))
                    .or_else(|| arms.iter().position(|arm| arm.default));
                for arm in start.and_then(|start| arms.get(start..)).unwrap_or(&[]) {
                    match self.run(&arm.body)? {
                        Flow::Next => {}
                        Flow::Break => return Some(Flow::Next),
                        other => return Some(other),
                    }
                }
                Some(Flow::Next)
            }
            StmtKind::Break => Some(Flow::Break),
            StmtKind::Continue => Some(Flow::Continue),
            StmtKind::Return(value) => Some(Flow::Return(match value {
                Some(value) => self.eval(value)?,
                None => Value::Undefined,
            })),
            StmtKind::Unsupported { .. } => None,
        }
    }

    /// The type of a variable of the innermost call.
    fn variable_type(&self, variable: VariableId) -> Option<Type> {
        let variables = match self.frames.last() {
            Some(frame) => &frame.body.variables,
            None => &self.checker.body.variables,
        };
        variables.get(variable.index()).map(|variable| variable.ty)
    }
}

fn compare(op: CompareOp, a: &Value, b: &Value) -> Option<Value> {
    use std::cmp::Ordering;
    let order = match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Address(a), Value::Address(b)) if a.root == b.root => Some(a.path.cmp(&b.path)),
        (a, b) => {
            let pointer = |value: &Value| {
                matches!(
                    value,
                    Value::Null | Value::Address(_) | Value::Function(_) | Value::Member(_)
                )
            };
            if !pointer(a) || !pointer(b) {
                return None;
            }
            return match op {
                CompareOp::Equal => Some(Value::bool(a == b)),
                CompareOp::NotEqual => Some(Value::bool(a != b)),
                _ => None,
            };
        }
    };
    let holds = match (op, order) {
        (CompareOp::NotEqual, None) => true,
        (_, None) => false,
        (CompareOp::Equal, Some(order)) => order == Ordering::Equal,
        (CompareOp::NotEqual, Some(order)) => order != Ordering::Equal,
        (CompareOp::Less, Some(order)) => order == Ordering::Less,
        (CompareOp::LessEqual, Some(order)) => order != Ordering::Greater,
        (CompareOp::Greater, Some(order)) => order == Ordering::Greater,
        (CompareOp::GreaterEqual, Some(order)) => order != Ordering::Less,
    };
    Some(Value::bool(holds))
}
