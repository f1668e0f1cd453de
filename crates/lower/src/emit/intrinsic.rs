//! CUDA's functions that are operations of the IR.

use port_diag::Origin;
use port_ir::{
    Access, AsyncCopy, AtomicOp, BarrierReduce, BarrierReduction, BarrierScope, CacheHint,
    CompareOp, Constant, Conversion, FloatFlags, FloatOp, FragmentUse, IntegerOp, MathClass,
    MathFunction, MatrixLayout, MemoryOrder, MemoryScope, NamedBarrier, Ordering, Scalar, Space,
    StatementKind, Type as Ir, UnaryOp, Value as IrValue, VoteKind,
};

use super::function::Emitter;
use crate::intrinsics::{AtomicKind, Clamp, Comparison, Intrinsic};
use crate::ty::{Kind, Type};
use crate::typed::{Arithmetic, Expr, ExprKind};
use crate::value::Value;

impl Emitter<'_, '_> {
    /// The value of a call; of one without a result any value.
    pub(crate) fn intrinsic(
        &mut self,
        intrinsic: Intrinsic,
        arguments: &[Expr],
        result: Type,
        at: Origin,
    ) -> IrValue {
        let ty =
            if self.lower.cx.types.is_void(result) { Ir::BOOL } else { self.type_of(result, at) };
        // What needs more than the values of its operands.
        match intrinsic {
            Intrinsic::Print => return self.print(arguments, true, at),
            Intrinsic::AsyncCopy => return self.async_copy(arguments, at),
            Intrinsic::AsyncWait => return self.async_wait(arguments, at),
            Intrinsic::Store(hint) => return self.store_hinted(hint, arguments, at),
            Intrinsic::Assert => {
                if let [condition] = arguments {
                    let value = self.value(condition);
                    let message = String::new();
                    self.build.push(StatementKind::Assert { condition: value, message }, at);
                }
                return self.build.zero(Ir::BOOL, at);
            }
            _ => {}
        }
        let values: Vec<IrValue> = arguments.iter().map(|argument| self.value(argument)).collect();
        let made = match &values[..] {
            [] => self.without_operands(intrinsic, at),
            operands => self
                .number(intrinsic, operands, ty, at)
                .or_else(|| self.warp(intrinsic, operands, ty, at))
                .or_else(|| self.memory(intrinsic, operands, arguments, ty, at)),
        };
        match made {
            Some(value) => {
                let from = self.build.type_of(value);
                if from == ty || self.lower.cx.types.is_void(result) {
                    return value;
                }
                // The declared result and what the operation gives may differ in kind:
                // `int __any_sync`.
                match ty {
                    Ir::Scalar(scalar) if from.scalar().is_some() => {
                        self.convert_number(value, scalar, at)
                    }
                    Ir::Pointer(_) => self.as_type(value, ty, at),
                    _ => value,
                }
            }
            None => {
                let name = crate::intrinsics::name_of(intrinsic).to_string();
                let finding = crate::findings::UnsupportedFunction::new(name);
                let code = self.lower.cx.report(self.unit, at, finding);
                self.poison(code, ty, at)
            }
        }
    }

    /// A call whose result nobody asks for.
    pub(crate) fn discard_intrinsic(
        &mut self,
        intrinsic: Intrinsic,
        arguments: &[Expr],
        result: Type,
        at: Origin,
    ) {
        if let Intrinsic::Atomic { op, scope } = intrinsic {
            let values: Vec<IrValue> = arguments.iter().map(|a| self.value(a)).collect();
            if self.atomic(op, scope, &values, false, at).is_some() {
                return;
            }
        }
        if intrinsic == Intrinsic::Print {
            self.print(arguments, false, at);
            return;
        }
        self.intrinsic(intrinsic, arguments, result, at);
    }

    fn without_operands(&mut self, intrinsic: Intrinsic, at: Origin) -> Option<IrValue> {
        let done = |emitter: &mut Self| Some(emitter.build.zero(Ir::BOOL, at));
        match intrinsic {
            Intrinsic::Builtin(builtin) => Some(self.build.builtin(builtin, at)),
            Intrinsic::FragmentLength(fragment) => {
                Some(self.build.append(port_ir::Expression::FragmentLength(fragment), at))
            }
            Intrinsic::ActiveMask => {
                let make = |result| StatementKind::ActiveMask { result };
                Some(self.build.push_with_result(Ir::U32, make, at))
            }
            Intrinsic::BlockBarrier => {
                self.barrier(BarrierScope::Block, None, at);
                done(self)
            }
            Intrinsic::GridBarrier => {
                self.barrier(BarrierScope::Grid, None, at);
                done(self)
            }
            Intrinsic::ClusterBarrier => {
                self.barrier(BarrierScope::Cluster, None, at);
                done(self)
            }
            Intrinsic::SyncWarp => {
                self.barrier(BarrierScope::Warp, None, at);
                done(self)
            }
            Intrinsic::Fence(scope) => {
                let order = MemoryOrder::SequentiallyConsistent;
                let ordering = Ordering { order, scope };
                self.build.push(StatementKind::Fence { ordering }, at);
                done(self)
            }
            Intrinsic::Clock(kind) => {
                let ty = match kind {
                    port_ir::ClockKind::Cycles32 => Ir::I32,
                    port_ir::ClockKind::Cycles64 => Ir::I64,
                    port_ir::ClockKind::Nanoseconds => Ir::U64,
                };
                let make = |result| StatementKind::Clock { result, kind };
                Some(self.build.push_with_result(ty, make, at))
            }
            Intrinsic::Trap => {
                self.build.push(StatementKind::Trap, at);
                self.dead = true;
                done(self)
            }
            Intrinsic::AsyncCommit => {
                self.build.push(StatementKind::AsyncCommit, at);
                done(self)
            }
            _ => None,
        }
    }

    fn barrier(&mut self, scope: BarrierScope, mask: Option<IrValue>, at: Origin) {
        let kind = StatementKind::Barrier { scope, mask, named: None, reduce: None };
        self.build.push(kind, at);
    }

    // Numbers.

    fn number(
        &mut self,
        intrinsic: Intrinsic,
        operands: &[IrValue],
        ty: Ir,
        at: Origin,
    ) -> Option<IrValue> {
        Some(match (intrinsic, operands) {
            (Intrinsic::Math(function, flags), _) => {
                self.math(function, flags, operands, ty, at)?
            }
            (Intrinsic::MathOfOperand(function, flags), _) => {
                self.math_of_operands(function, flags, operands, at)?
            }
            (Intrinsic::Float(op, flags, clamp), [a, b]) => {
                let (a, b) = (self.as_number(*a, ty, at), self.as_number(*b, ty, at));
                let value = self.build.float(op, a, b, flags, at);
                self.clamped(value, clamp, at)
            }
            (Intrinsic::Fma(flags, clamp), [a, b, c]) => {
                let parts = [*a, *b, *c].map(|value| self.as_number(value, ty, at));
                let value = self.build.fused_multiply_add(parts, flags, at);
                self.clamped(value, clamp, at)
            }
            (Intrinsic::Integer(op), [a, b]) => {
                let (a, b) = (self.as_number(*a, ty, at), self.as_number(*b, ty, at));
                self.build.integer(op, a, b, at)
            }
            (Intrinsic::Minimum | Intrinsic::Maximum, [a, b]) => {
                let minimum = intrinsic == Intrinsic::Minimum;
                let (a, b) = (self.as_number(*a, ty, at), self.as_number(*b, ty, at));
                self.extreme(minimum, a, b, at)
            }
            (Intrinsic::StdMinimum, [a, b]) => self.std_extreme(true, *a, *b, at),
            (Intrinsic::StdMaximum, [a, b]) => self.std_extreme(false, *a, *b, at),
            (Intrinsic::Negate, [a]) => self.build.unary(UnaryOp::Negate, *a, at),
            (Intrinsic::Absolute, [a]) => {
                let a = self.as_number(*a, ty, at);
                self.build.unary(UnaryOp::Absolute, a, at)
            }
            (Intrinsic::RoundToInteger(function), [a]) => {
                let rounded = self.build.math(function, vec![*a], FloatFlags::STRICT, at);
                self.as_number(rounded, ty, at)
            }
            (Intrinsic::IsNormal, [a]) => self.is_normal(*a, at)?,
            (Intrinsic::SinCos { pi, approximate }, [x, sin, cos]) => {
                let flags = if approximate { FloatFlags::APPROXIMATE } else { FloatFlags::STRICT };
                let functions = if pi {
                    (MathFunction::SinPi, MathFunction::CosPi)
                } else {
                    (MathFunction::Sin, MathFunction::Cos)
                };
                let s = self.build.math(functions.0, vec![*x], flags, at);
                self.build.store(*sin, s, Access::PLAIN, at);
                let c = self.build.math(functions.1, vec![*x], flags, at);
                self.build.store(*cos, c, Access::PLAIN, at);
                c
            }
            (Intrinsic::Frexp, [x, exponent]) => {
                let strict = FloatFlags::STRICT;
                let e = self.build.math(MathFunction::FrexpExponent, vec![*x], strict, at);
                self.build.store(*exponent, e, Access::PLAIN, at);
                self.build.math(MathFunction::FrexpFraction, vec![*x], strict, at)
            }
            (Intrinsic::Modf, [x, whole]) => {
                let strict = FloatFlags::STRICT;
                let integer = self.build.math(MathFunction::Trunc, vec![*x], strict, at);
                self.build.store(*whole, integer, Access::PLAIN, at);
                // Infinity has no fraction; the sign stays.
                let rest = self.build.float(FloatOp::Subtract, *x, integer, strict, at);
                let infinite = self.build.math(MathFunction::IsInfinite, vec![*x], strict, at);
                let zero = self.build.zero(self.build.type_of(*x), at);
                let rest = self.build.select(infinite, zero, rest, at);
                self.build.math(MathFunction::CopySign, vec![rest, *x], strict, at)
            }
            (Intrinsic::Compare { op, unordered, gives }, [a, b]) => {
                self.compare_narrow(op, unordered, gives, *a, *b, ty, at)
            }
            (Intrinsic::HalfIsInfinite, [a]) => {
                let strict = FloatFlags::STRICT;
                let infinite = self.build.math(MathFunction::IsInfinite, vec![*a], strict, at);
                let negative = self.build.math(MathFunction::SignBit, vec![*a], strict, at);
                let minus = self.build.constant(Constant::i32(-1), at);
                let plus = self.build.constant(Constant::i32(1), at);
                let zero = self.build.constant(Constant::i32(0), at);
                let sign = self.build.select(negative, minus, plus, at);
                self.build.select(infinite, sign, zero, at)
            }
            (Intrinsic::Convert(rounding), [a]) => match ty {
                Ir::Scalar(to) => self.convert_rounded(*a, to, rounding, rounding, at),
                _ => return None,
            },
            (Intrinsic::Bits, [a]) => self.bits(*a, ty, at),
            (Intrinsic::DoubleHalf { high }, [a]) => {
                let bits = self.bits(*a, Ir::U64, at);
                let bits = if high {
                    let amount = self.build.constant(Constant::u32(32), at);
                    self.build.integer(IntegerOp::ShiftRight, bits, amount, at)
                } else {
                    bits
                };
                self.convert_number(bits, Scalar::I32, at)
            }
            (Intrinsic::DoubleFromHalves, [high, low]) => {
                let high = self.convert_number(*high, Scalar::I64, at);
                let low = self.bits(*low, Ir::U32, at);
                let low = self.convert_number(low, Scalar::I64, at);
                let amount = self.build.constant(Constant::u32(32), at);
                let high = self.build.integer(IntegerOp::ShiftLeft, high, amount, at);
                let bits = self.build.integer(IntegerOp::Or, high, low, at);
                self.bits(bits, ty, at)
            }
            (Intrinsic::Compose, parts) => {
                let scalar = ty.scalar()?;
                let parts: Vec<IrValue> =
                    parts.iter().map(|part| self.convert_number(*part, scalar, at)).collect();
                match ty {
                    Ir::Vector(..) => self.build.compose(ty, parts, at),
                    _ => *parts.first()?,
                }
            }
            (Intrinsic::Splat, [a]) => {
                let part = self.convert_number(*a, ty.scalar()?, at);
                self.build.splat(ty, part, at)
            }
            (Intrinsic::Component(index), [a]) => {
                let part = self.build.extract(&self.lower.module.types, *a, index, at);
                self.convert_number(part, ty.scalar()?, at)
            }
            (Intrinsic::Shuffle2(places), _) => {
                let mut parts = Vec::new();
                for (operand, index) in places {
                    let vector = *operands.get(usize::from(operand))?;
                    let types = &self.lower.module.types;
                    parts.push(self.build.extract(types, vector, u32::from(index), at));
                }
                self.build.compose(ty, parts, at)
            }
            (Intrinsic::ConvertComponents, [a]) => self.convert_number(*a, ty.scalar()?, at),
            (Intrinsic::ByteSwap, [a]) => self.byte_swap(*a, at)?,
            _ => return None,
        })
    }

    /// A number as the scalar of a type.
    fn as_number(&mut self, value: IrValue, ty: Ir, at: Origin) -> IrValue {
        match ty.scalar() {
            Some(scalar) => self.convert_number(value, scalar, at),
            None => value,
        }
    }

    fn math(
        &mut self,
        function: MathFunction,
        flags: FloatFlags,
        operands: &[IrValue],
        ty: Ir,
        at: Origin,
    ) -> Option<IrValue> {
        if operands.len() != function.arity() {
            return None;
        }
        let scalar = ty.scalar()?;
        let mut converted = Vec::new();
        for (index, operand) in operands.iter().enumerate() {
            let to = match (function.class(), index) {
                (MathClass::FloatWithI32, 1) | (MathClass::I32WithFloat, 0) => Scalar::I32,
                _ => scalar,
            };
            converted.push(self.convert_number(*operand, to, at));
        }
        Some(self.build.math(function, converted, flags, at))
    }

    fn math_of_operands(
        &mut self,
        function: MathFunction,
        flags: FloatFlags,
        operands: &[IrValue],
        at: Origin,
    ) -> Option<IrValue> {
        if operands.len() != function.arity() {
            return None;
        }
        let mut operands = operands.to_vec();
        // A predicate of an integer is one of a double.
        let predicate =
            matches!(function.class(), MathClass::FloatPredicate | MathClass::FloatToI32);
        if predicate && self.scalar_of(operands[0]).is_some_and(|scalar| !scalar.is_float()) {
            operands[0] = self.convert_number(operands[0], Scalar::F64, at);
        }
        Some(self.build.math(function, operands, flags, at))
    }

    fn clamped(&mut self, value: IrValue, clamp: Clamp, at: Origin) -> IrValue {
        match clamp {
            Clamp::None => value,
            Clamp::Unit => {
                self.build.math(MathFunction::Saturate, vec![value], FloatFlags::STRICT, at)
            }
            Clamp::Positive => {
                let zero = self.build.zero(self.build.type_of(value), at);
                self.build.float(FloatOp::MaximumNan, value, zero, FloatFlags::STRICT, at)
            }
        }
    }

    fn extreme(&mut self, minimum: bool, a: IrValue, b: IrValue, at: Origin) -> IrValue {
        if self.scalar_of(a).is_some_and(Scalar::is_float) {
            let op = if minimum { FloatOp::Minimum } else { FloatOp::Maximum };
            return self.build.float(op, a, b, FloatFlags::STRICT, at);
        }
        let op = if minimum { IntegerOp::Minimum } else { IntegerOp::Maximum };
        self.build.integer(op, a, b, at)
    }

    /// As the standard library defines them: with a comparison.
    fn std_extreme(&mut self, minimum: bool, a: IrValue, b: IrValue, at: Origin) -> IrValue {
        match self.build.type_of(a) {
            Ir::Scalar(scalar) if scalar.is_integer() => self.extreme(minimum, a, b, at),
            Ir::Scalar(Scalar::Bool) => {
                let op = if minimum { IntegerOp::And } else { IntegerOp::Or };
                self.build.integer(op, a, b, at)
            }
            _ => {
                let (x, y) = if minimum { (b, a) } else { (a, b) };
                let less = self.build.compare(CompareOp::Less, x, y, at);
                self.build.select(less, b, a, at)
            }
        }
    }

    fn is_normal(&mut self, value: IrValue, at: Origin) -> Option<IrValue> {
        let scalar = self.scalar_of(value)?;
        let smallest = match scalar {
            Scalar::F32 => f64::from(f32::MIN_POSITIVE),
            Scalar::F64 => f64::MIN_POSITIVE,
            _ => return None,
        };
        let finite = self.build.math(MathFunction::IsFinite, vec![value], FloatFlags::STRICT, at);
        let size = self.build.unary(UnaryOp::Absolute, value, at);
        let smallest = self.constant(&Value::Float(smallest), Ir::Scalar(scalar), at)?;
        let large = self.build.compare(CompareOp::GreaterEqual, size, smallest, at);
        Some(self.build.integer(IntegerOp::And, finite, large, at))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the operation")]
    fn compare_narrow(
        &mut self,
        op: CompareOp,
        unordered: bool,
        gives: Comparison,
        a: IrValue,
        b: IrValue,
        ty: Ir,
        at: Origin,
    ) -> IrValue {
        let shape = self.build.type_of(a);
        let holds = match (op, unordered) {
            // The IR's `!=` holds with a NaN; all others do not.
            (CompareOp::NotEqual, true) => self.build.compare(op, a, b, at),
            (CompareOp::NotEqual, false) => {
                let less = self.build.compare(CompareOp::Less, a, b, at);
                let greater = self.build.compare(CompareOp::Greater, a, b, at);
                self.build.integer(IntegerOp::Or, less, greater, at)
            }
            (_, false) => self.build.compare(op, a, b, at),
            (CompareOp::Equal, true) => {
                let less = self.build.compare(CompareOp::Less, a, b, at);
                let greater = self.build.compare(CompareOp::Greater, a, b, at);
                let differs = self.build.integer(IntegerOp::Or, less, greater, at);
                self.build.unary(UnaryOp::Not, differs, at)
            }
            (_, true) => {
                let opposite = match op {
                    CompareOp::Less => CompareOp::GreaterEqual,
                    CompareOp::LessEqual => CompareOp::Greater,
                    CompareOp::Greater => CompareOp::LessEqual,
                    _ => CompareOp::Less,
                };
                let fails = self.build.compare(opposite, a, b, at);
                self.build.unary(UnaryOp::Not, fails, at)
            }
        };
        match gives {
            Comparison::Bool => holds,
            Comparison::All => self.all_components(holds, 2, at),
            Comparison::Number => {
                let scalar = shape.scalar().unwrap_or(Scalar::F16);
                let one = self.constant(&Value::Float(1.0), Ir::Scalar(scalar), at);
                let zero = self.build.zero(shape, at);
                match one {
                    Some(one) => {
                        let one = self.build.splat(shape, one, at);
                        self.build.select(holds, one, zero, at)
                    }
                    None => zero,
                }
            }
            Comparison::Mask => {
                let mut mask = self.build.zero(ty, at);
                for (index, bits) in [(0, 0x0000_ffffu32), (1, 0xffff_0000u32)] {
                    let part = self.build.extract(&self.lower.module.types, holds, index, at);
                    let bits = self.build.constant(Constant::u32(bits), at);
                    let none = self.build.constant(Constant::u32(0), at);
                    let bits = self.build.select(part, bits, none, at);
                    mask = self.build.integer(IntegerOp::Or, mask, bits, at);
                }
                mask
            }
        }
    }

    fn byte_swap(&mut self, value: IrValue, at: Origin) -> Option<IrValue> {
        let scalar = self.scalar_of(value)?;
        let bytes = scalar.size() as u32;
        let wide = self.convert_number(value, Scalar::U64, at);
        let mut result = self.build.zero(Ir::U64, at);
        let byte = self.integer_constant(Scalar::U64, 0xff, at);
        for index in 0..bytes {
            let down = self.build.constant(Constant::u32(8 * index), at);
            let up = self.build.constant(Constant::u32(8 * (bytes - 1 - index)), at);
            let part = self.build.integer(IntegerOp::ShiftRight, wide, down, at);
            let part = self.build.integer(IntegerOp::And, part, byte, at);
            let part = self.build.integer(IntegerOp::ShiftLeft, part, up, at);
            result = self.build.integer(IntegerOp::Or, result, part, at);
        }
        Some(self.convert_number(result, scalar, at))
    }

    // Warps and blocks.

    fn warp(
        &mut self,
        intrinsic: Intrinsic,
        operands: &[IrValue],
        ty: Ir,
        at: Origin,
    ) -> Option<IrValue> {
        Some(match (intrinsic, operands) {
            (Intrinsic::Shuffle { mode, sync }, _) => {
                let (mask, rest) = if sync {
                    let (mask, rest) = operands.split_first()?;
                    (Some(*mask), rest)
                } else {
                    (None, operands)
                };
                let [value, lane, width @ ..] = rest else { return None };
                let (value, lane) = (*value, *lane);
                // The default width is the warp's.
                let width = width
                    .first()
                    .copied()
                    .filter(|width| !matches!(self.warp_size_of(*width), Some(())));
                let make = |result| StatementKind::Shuffle {
                    result,
                    in_range: None,
                    mode,
                    mask,
                    value,
                    lane,
                    width,
                };
                let ty = self.build.type_of(value);
                self.build.push_with_result(ty, make, at)
            }
            (Intrinsic::Vote { kind, sync }, _) => {
                let (mask, predicate) = match (sync, operands) {
                    (true, [mask, predicate]) => (Some(*mask), *predicate),
                    (false, [predicate]) => (None, *predicate),
                    _ => return None,
                };
                let predicate = self.truth(predicate, at);
                let ty = if kind == VoteKind::Ballot { Ir::U32 } else { Ir::BOOL };
                let make = |result| StatementKind::Vote { result, kind, mask, predicate };
                self.build.push_with_result(ty, make, at)
            }
            (Intrinsic::Match { all: false }, [mask, value]) => {
                let (mask, value) = (Some(*mask), *value);
                let make =
                    |result| StatementKind::Match { result, same: None, all: false, mask, value };
                self.build.push_with_result(Ir::U32, make, at)
            }
            (Intrinsic::Match { all: true }, [mask, value, predicate]) => {
                let (mask, value) = (Some(*mask), *value);
                let result = self.build.result(Ir::U32, at);
                let same = self.build.result(Ir::BOOL, at);
                let kind =
                    StatementKind::Match { result, same: Some(same), all: true, mask, value };
                self.build.push(kind, at);
                let flag = self.convert_number(same, Scalar::I32, at);
                self.build.store(*predicate, flag, Access::PLAIN, at);
                result
            }
            (Intrinsic::WarpReduce(op), [mask, value]) => {
                let (mask, value) = (Some(*mask), *value);
                let make = |result| StatementKind::WarpReduce { result, op, mask, value };
                let ty = self.build.type_of(value);
                self.build.push_with_result(ty, make, at)
            }
            (Intrinsic::SyncWarp, [mask]) => {
                self.barrier(BarrierScope::Warp, Some(*mask), at);
                self.build.zero(Ir::BOOL, at)
            }
            (Intrinsic::BlockBarrierReduce(op), [predicate]) => {
                let predicate = self.truth(*predicate, at);
                let ty = if op == BarrierReduction::Count { Ir::I32 } else { Ir::BOOL };
                let make = |result| StatementKind::Barrier {
                    scope: BarrierScope::Block,
                    mask: None,
                    named: None,
                    reduce: Some(BarrierReduce { op, predicate, result }),
                };
                self.build.push_with_result(ty, make, at)
            }
            (Intrinsic::NamedBarrier | Intrinsic::NamedBarrierArrive, [index, threads @ ..]) => {
                let named = NamedBarrier {
                    index: *index,
                    threads: threads.first().copied(),
                    arrive_only: intrinsic == Intrinsic::NamedBarrierArrive,
                };
                let kind = StatementKind::Barrier {
                    scope: BarrierScope::Block,
                    mask: None,
                    named: Some(named),
                    reduce: None,
                };
                self.build.push(kind, at);
                self.build.zero(Ir::BOOL, at)
            }
            (Intrinsic::FindNthSet, [mask, base, offset]) => {
                self.find_nth_set(*mask, *base, *offset, at)
            }
            (Intrinsic::Sleep, [time]) => {
                let nanoseconds = self.convert_number(*time, Scalar::U32, at);
                self.build.push(StatementKind::Sleep { nanoseconds }, at);
                self.build.zero(ty, at)
            }
            _ => return None,
        })
    }

    /// Whether a value is the number of lanes of a warp.
    fn warp_size_of(&self, value: IrValue) -> Option<()> {
        let mut value = value;
        loop {
            match self.build.expression(value)? {
                port_ir::Expression::Builtin(port_ir::Builtin::WarpSize) => return Some(()),
                port_ir::Expression::Convert { value: inner, .. } => value = *inner,
                _ => return None,
            }
        }
    }

    /// The position of the n-th set bit of a mask, counted from a position upward (n > 0) or
    /// downward (n < 0); all ones if there is none.
    fn find_nth_set(
        &mut self,
        mask: IrValue,
        base: IrValue,
        offset: IrValue,
        at: Origin,
    ) -> IrValue {
        // Bit by bit: found when the count of set bits on the way reaches n.
        let found = self.temporary("found", Ir::U32, at);
        let position = self.temporary("position", Ir::I32, at);
        let left = self.temporary("left", Ir::I32, at);
        let none = self.build.constant(Constant::u32(u32::MAX), at);
        self.build.store(found, none, Access::PLAIN, at);
        let start = self.convert_number(base, Scalar::I32, at);
        self.build.store(position, start, Access::PLAIN, at);
        let offset = self.convert_number(offset, Scalar::I32, at);
        let size = self.build.unary(UnaryOp::Absolute, offset, at);
        let zero = self.build.constant(Constant::i32(0), at);
        let one = self.build.constant(Constant::i32(1), at);
        let minus = self.build.constant(Constant::i32(-1), at);
        // An offset of 0 asks about the base's own bit.
        let is_zero = self.build.compare(CompareOp::Equal, offset, zero, at);
        let count = self.build.select(is_zero, one, size, at);
        self.build.store(left, count, Access::PLAIN, at);
        let negative = self.build.compare(CompareOp::Less, offset, zero, at);
        let direction = self.build.select(negative, minus, one, at);
        self.build.open_block();
        let here = self.build.load(Ir::I32, position, Access::PLAIN, at);
        let wanted = self.build.load(Ir::I32, left, Access::PLAIN, at);
        let low = self.build.compare(CompareOp::GreaterEqual, here, zero, at);
        let width = self.build.constant(Constant::i32(32), at);
        let high = self.build.compare(CompareOp::Less, here, width, at);
        let inside = self.build.integer(IntegerOp::And, low, high, at);
        let open = self.build.compare(CompareOp::Greater, wanted, zero, at);
        let test = self.build.integer(IntegerOp::And, inside, open, at);
        let condition = self.build.close_block();
        let body = self.inside(|emitter| {
            let shifted = emitter.build.integer(IntegerOp::ShiftRight, mask, here, at);
            let bit = emitter.build.constant(Constant::u32(1), at);
            let bit = emitter.build.integer(IntegerOp::And, shifted, bit, at);
            let set = emitter.truth(bit, at);
            let taken = emitter.inside(|emitter| {
                let rest = emitter.arithmetic(Arithmetic::Subtract, wanted, one, at);
                emitter.build.store(left, rest, Access::PLAIN, at);
                let done = emitter.build.compare(CompareOp::Equal, rest, zero, at);
                let store = emitter.inside(|emitter| {
                    let here = emitter.convert_number(here, Scalar::U32, at);
                    emitter.build.store(found, here, Access::PLAIN, at);
                });
                emitter.build.push_if(done, store, port_ir::Block::new(), at);
            });
            emitter.build.push_if(set, taken, port_ir::Block::new(), at);
            // With an offset of 0 only the base's bit counts.
            let stop = emitter.inside(|emitter| {
                emitter.build.push(StatementKind::Break, at);
            });
            emitter.build.push_if(is_zero, stop, port_ir::Block::new(), at);
            let next = emitter.arithmetic(Arithmetic::Add, here, direction, at);
            emitter.build.store(position, next, Access::PLAIN, at);
        });
        let looping = port_ir::Loop {
            when: port_ir::LoopTest::Before,
            condition,
            test: Some(test),
            body,
            step: port_ir::Block::new(),
            unroll: port_ir::Unroll::None,
        };
        self.build.push_loop(looping, at);
        self.build.load(Ir::U32, found, Access::PLAIN, at)
    }

    // Memory.

    fn memory(
        &mut self,
        intrinsic: Intrinsic,
        operands: &[IrValue],
        arguments: &[Expr],
        ty: Ir,
        at: Origin,
    ) -> Option<IrValue> {
        Some(match (intrinsic, operands) {
            (Intrinsic::Atomic { op, scope }, _) => self.atomic(op, scope, operands, true, at)?,
            (Intrinsic::Load(cache), [pointer]) => {
                let access = Access { cache, ..Access::PLAIN };
                self.build.load(ty, *pointer, access, at)
            }
            (Intrinsic::LoadOrdered(order), [pointer]) => {
                let ordering = Ordering { order, scope: MemoryScope::Device };
                let access = Access { atomic: Some(ordering), ..Access::PLAIN };
                self.build.load(ty, *pointer, access, at)
            }
            (Intrinsic::StoreOrdered(order), [pointer, value]) => {
                let ordering = Ordering { order, scope: MemoryScope::Device };
                let access = Access { atomic: Some(ordering), ..Access::PLAIN };
                self.build.store(*pointer, *value, access, at);
                *value
            }
            (Intrinsic::PointerAddress, [pointer]) => {
                self.build.convert(Conversion::PointerToInteger, *pointer, Ir::U64, at)
            }
            (Intrinsic::AddressPointer, [address]) => {
                let address = self.convert_number(*address, Scalar::U64, at);
                self.build.convert(Conversion::IntegerToPointer, address, ty, at)
            }
            (Intrinsic::SharedOffset, [pointer]) => {
                let pointer = self.as_type(*pointer, Ir::Pointer(Space::Shared), at);
                self.build.convert(Conversion::SharedOffset, pointer, Ir::U32, at)
            }
            (Intrinsic::SharedPointer, [offset]) => {
                let offset = self.convert_number(*offset, Scalar::U32, at);
                let shared = Ir::Pointer(Space::Shared);
                self.build.convert(Conversion::SharedPointer, offset, shared, at)
            }
            (Intrinsic::CopyBytes, [destination, source, bytes]) => {
                let kind = StatementKind::Copy {
                    destination: *destination,
                    source: *source,
                    bytes: *bytes,
                };
                self.build.push(kind, at);
                *destination
            }
            (Intrinsic::FillBytes, [destination, byte, bytes]) => {
                let kind =
                    StatementKind::Fill { destination: *destination, byte: *byte, bytes: *bytes };
                self.build.push(kind, at);
                *destination
            }
            (Intrinsic::FragmentFill, [fragment, value]) => {
                let shape = self.fragment_of(arguments.first()?)?;
                let scalar = shape.element.storage();
                let part = self.convert_number(*value, scalar, at);
                let whole = self.build.splat(Ir::Fragment(shape), part, at);
                self.build.store(*fragment, whole, Access::PLAIN, at);
                whole
            }
            (Intrinsic::FragmentLoad, [fragment, pointer, stride, layout @ ..]) => {
                let shape = self.fragment_of(arguments.first()?)?;
                let layout = match layout.first() {
                    Some(layout) => self.matrix_layout(*layout)?,
                    None => shape.layout?,
                };
                let own = match shape.operand {
                    FragmentUse::Accumulator => shape.layout.unwrap_or(layout),
                    FragmentUse::A | FragmentUse::B => shape.layout?,
                };
                if own != layout {
                    return None;
                }
                let (pointer, stride) = (*pointer, *stride);
                let make = |result| StatementKind::MatrixLoad { result, pointer, stride, layout };
                let whole = self.build.push_with_result(Ir::Fragment(shape), make, at);
                self.build.store(*fragment, whole, Access::PLAIN, at);
                whole
            }
            (Intrinsic::FragmentStore, [pointer, fragment, stride, layout]) => {
                let shape = self.fragment_of(arguments.get(1)?)?;
                if shape.operand != FragmentUse::Accumulator {
                    return None;
                }
                let layout = self.matrix_layout(*layout)?;
                let value = self.build.load(Ir::Fragment(shape), *fragment, Access::PLAIN, at);
                let (pointer, stride) = (*pointer, *stride);
                let kind = StatementKind::MatrixStore { pointer, value, stride, layout };
                self.build.push(kind, at);
                value
            }
            (Intrinsic::FragmentMultiply, [d, a, b, c, saturate @ ..]) => {
                let shape = self.fragment_of(arguments.first()?)?;
                if shape.operand != FragmentUse::Accumulator {
                    return None;
                }
                let mut values = Vec::new();
                let operands =
                    [(*a, FragmentUse::A), (*b, FragmentUse::B), (*c, FragmentUse::Accumulator)];
                for (argument, (address, operand)) in arguments.get(1..)?.iter().zip(operands) {
                    let other = self.fragment_of(argument)?;
                    let sizes = |of: &port_ir::Fragment| (of.m, of.n, of.k);
                    if other.operand != operand || sizes(&other) != sizes(&shape) {
                        return None;
                    }
                    values.push(self.build.load(Ir::Fragment(other), address, Access::PLAIN, at));
                }
                let saturate = saturate.first().is_some_and(|saturate| {
                    self.build.as_constant(*saturate).is_some_and(|constant| constant.bits != 0)
                });
                let [a, b, c] = values[..] else { return None };
                let make = |result| StatementKind::MatrixMultiply { result, a, b, c, saturate };
                let whole = self.build.push_with_result(Ir::Fragment(shape), make, at);
                self.build.store(*d, whole, Access::PLAIN, at);
                whole
            }
            _ => return None,
        })
    }

    /// The fragment that an argument points at.
    fn fragment_of(&self, argument: &Expr) -> Option<port_ir::Fragment> {
        let ty = self.lower.cx.types.pointee(argument.ty).unwrap_or(argument.ty);
        match *self.lower.cx.types.kind(ty) {
            Kind::Fragment(fragment) => Some(fragment),
            _ => None,
        }
    }

    fn matrix_layout(&self, layout: IrValue) -> Option<MatrixLayout> {
        match self.build.as_constant(layout)?.as_integer()? {
            0 => Some(MatrixLayout::RowMajor),
            1 => Some(MatrixLayout::ColumnMajor),
            _ => None,
        }
    }

    fn atomic(
        &mut self,
        kind: AtomicKind,
        scope: MemoryScope,
        operands: &[IrValue],
        wanted: bool,
        at: Origin,
    ) -> Option<IrValue> {
        let (pointer, rest) = operands.split_first()?;
        let pointer = *pointer;
        let (op, value) = match (kind, rest) {
            (AtomicKind::CompareExchange, [expected, value]) => {
                (AtomicOp::CompareExchange { expected: *expected }, *value)
            }
            (_, [value]) => {
                let op = match kind {
                    AtomicKind::Add => AtomicOp::Add,
                    AtomicKind::Subtract => AtomicOp::Subtract,
                    AtomicKind::Minimum => AtomicOp::Minimum,
                    AtomicKind::Maximum => AtomicOp::Maximum,
                    AtomicKind::And => AtomicOp::And,
                    AtomicKind::Or => AtomicOp::Or,
                    AtomicKind::Xor => AtomicOp::Xor,
                    AtomicKind::Increment => AtomicOp::IncrementWrap,
                    AtomicKind::Decrement => AtomicOp::DecrementWrap,
                    AtomicKind::Exchange | AtomicKind::CompareExchange => AtomicOp::Exchange,
                };
                (op, *value)
            }
            _ => return None,
        };
        let ty = self.build.type_of(value);
        if let Some(space) = self.build.type_of(pointer).space()
            && !matches!(space, Space::Global | Space::Shared | Space::Generic)
        {
            let what = format!("an atomic operation on `{}` memory", space.name());
            let finding = crate::findings::UnsupportedConstruct::new(what.clone());
            let code = self.lower.cx.report(self.unit, at, finding);
            self.unsupported(code, what, at);
            return Some(self.poison(code, ty, at));
        }
        let ordering = Ordering { order: MemoryOrder::Relaxed, scope };
        let result = wanted.then(|| self.build.result(ty, at));
        self.build.push(StatementKind::Atomic { result, op, pointer, value, ordering }, at);
        Some(result.unwrap_or(value))
    }

    fn store_hinted(&mut self, cache: CacheHint, arguments: &[Expr], at: Origin) -> IrValue {
        if let [pointer, value] = arguments {
            let pointee = self.lower.cx.types.pointee(pointer.ty).unwrap_or(value.ty);
            let target = self.value(pointer);
            let given = self.value(value);
            let ty = self.type_of(pointee, at);
            let given = match ty {
                Ir::Scalar(scalar) => self.convert_number(given, scalar, at),
                _ => given,
            };
            let access = Access { cache, ..Access::PLAIN };
            self.build.store(target, given, access, at);
        }
        self.build.zero(Ir::BOOL, at)
    }

    fn async_copy(&mut self, arguments: &[Expr], at: Origin) -> IrValue {
        let [destination, source, bytes, zero_fill @ ..] = arguments else {
            return self.build.zero(Ir::BOOL, at);
        };
        let destination = self.value(destination);
        let source = self.value(source);
        let bytes_value = self.value(bytes);
        let constant =
            self.build.as_constant(bytes_value).and_then(|constant| constant.as_integer());
        let size = constant.and_then(|bytes| u32::try_from(bytes).ok());
        let Some(bytes) = size.filter(|bytes| matches!(bytes, 4 | 8 | 16)) else {
            let what = match constant {
                Some(bytes) => format!("an asynchronous copy of {bytes} bytes, not 4, 8 or 16"),
                None => "an asynchronous copy of a size that is not constant".to_owned(),
            };
            let finding = crate::findings::UnsupportedConstruct::new(what.clone());
            let code = self.lower.cx.report(self.unit, at, finding);
            self.unsupported(code, what, at);
            return self.build.zero(Ir::BOOL, at);
        };
        let source_bytes = zero_fill.first().map(|zero_fill| {
            let zero_fill = self.value(zero_fill);
            let zero_fill = self.convert_number(zero_fill, Scalar::U64, at);
            self.build.integer(IntegerOp::Subtract, bytes_value, zero_fill, at)
        });
        let copy = AsyncCopy { destination, source, bytes, source_bytes, cache: CacheHint::None };
        self.build.push(StatementKind::AsyncCopy(copy), at);
        self.build.zero(Ir::BOOL, at)
    }

    fn async_wait(&mut self, arguments: &[Expr], at: Origin) -> IrValue {
        let pending = arguments.first().and_then(|pending| {
            let value = self.value(pending);
            let constant = self.build.as_constant(value)?.as_integer()?;
            u32::try_from(constant).ok()
        });
        self.build.push(StatementKind::AsyncWait { pending }, at);
        self.build.zero(Ir::BOOL, at)
    }

    fn print(&mut self, arguments: &[Expr], wanted: bool, at: Origin) -> IrValue {
        let Some((format, rest)) = arguments.split_first() else {
            return self.build.zero(Ir::I32, at);
        };
        let text = match &format.kind {
            ExprKind::String(bytes) => {
                let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
                String::from_utf8_lossy(bytes).into_owned()
            }
            _ => String::new(),
        };
        let mut values = Vec::new();
        for argument in rest {
            let value = self.value(argument);
            values.push(match self.build.type_of(value) {
                Ir::Pointer(space) if space != Space::Generic => {
                    self.as_type(value, Ir::Pointer(Space::Generic), at)
                }
                _ => value,
            });
        }
        let result = wanted.then(|| self.build.result(Ir::I32, at));
        let kind = StatementKind::Print { result, format: text, arguments: values };
        self.build.push(kind, at);
        match result {
            Some(result) => result,
            None => self.build.zero(Ir::I32, at),
        }
    }
}
