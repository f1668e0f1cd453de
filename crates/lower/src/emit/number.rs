//! Numbers: constants, arithmetic, comparisons and conversions.

use half::{bf16, f16};
use port_diag::Origin;
use port_ir::{
    CompareOp, Constant, Conversion, FloatFlags, FloatOp, IntegerOp, Rounding, Scalar, Space,
    Type as Ir, UnaryOp, Value as IrValue,
};

use super::function::Emitter;
use crate::typed::{Arithmetic, Sign};
use crate::value::Value;

/// The bits of a float in a format; a value that was rounded to it before.
pub(crate) fn float_bits(value: f64, scalar: Scalar) -> u64 {
    match scalar {
        Scalar::F64 => value.to_bits(),
        Scalar::F32 => u64::from((value as f32).to_bits()),
        Scalar::F16 => u64::from(f16::from_f64(value).to_bits()),
        Scalar::Bf16 => u64::from(bf16::from_f64(value).to_bits()),
        _ => 0,
    }
}

impl Emitter<'_, '_> {
    /// A constant of a type.
    pub(crate) fn constant(&mut self, value: &Value, ty: Ir, at: Origin) -> Option<IrValue> {
        let constant = match (value, ty) {
            (Value::Integer(number), Ir::Scalar(scalar)) if !scalar.is_float() => {
                Constant::from_bits(scalar, *number as u64)
            }
            (Value::Integer(number), Ir::Scalar(scalar)) => {
                Constant::from_bits(scalar, float_bits(*number as f64, scalar))
            }
            (Value::Float(number), Ir::Scalar(scalar)) if scalar.is_float() => {
                Constant::from_bits(scalar, float_bits(*number, scalar))
            }
            (Value::Null | Value::Integer(0), Ir::Pointer(_)) => {
                return Some(self.build.zero(ty, at));
            }
            (Value::Member(index), Ir::Scalar(scalar)) => {
                Constant::integer(scalar, i64::from(*index))
            }
            (Value::Aggregate(_) | Value::Undefined, _) => {
                return Some(self.build.undefined(ty, at));
            }
            _ => return None,
        };
        Some(self.build.constant(constant, at))
    }

    /// An integer constant.
    pub(crate) fn integer_constant(&mut self, scalar: Scalar, value: i64, at: Origin) -> IrValue {
        self.build.constant(Constant::integer(scalar, value), at)
    }

    pub(crate) fn scalar_of(&self, value: IrValue) -> Option<Scalar> {
        self.build.type_of(value).scalar()
    }

    fn is_float(&self, value: IrValue) -> bool {
        self.scalar_of(value).is_some_and(Scalar::is_float)
    }

    pub(crate) fn sign(&mut self, sign: Sign, value: IrValue, at: Origin) -> IrValue {
        let op = match sign {
            Sign::Negate => UnaryOp::Negate,
            Sign::Complement | Sign::Not => UnaryOp::Not,
        };
        self.build.unary(op, value, at)
    }

    pub(crate) fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: IrValue,
        right: IrValue,
        at: Origin,
    ) -> IrValue {
        if self.is_float(left) {
            let (op, flags) = match op {
                Arithmetic::Add => (FloatOp::Add, FloatFlags::SOURCE),
                Arithmetic::Subtract => (FloatOp::Subtract, FloatFlags::SOURCE),
                Arithmetic::Multiply => (FloatOp::Multiply, FloatFlags::SOURCE),
                _ => (FloatOp::Divide, FloatFlags::STRICT),
            };
            return self.build.float(op, left, right, flags, at);
        }
        let op = match op {
            Arithmetic::Add => IntegerOp::Add,
            Arithmetic::Subtract => IntegerOp::Subtract,
            Arithmetic::Multiply => IntegerOp::Multiply,
            Arithmetic::Divide => IntegerOp::Divide,
            Arithmetic::Remainder => IntegerOp::Remainder,
            Arithmetic::And => IntegerOp::And,
            Arithmetic::Or => IntegerOp::Or,
            Arithmetic::Xor => IntegerOp::Xor,
            Arithmetic::ShiftLeft => IntegerOp::ShiftLeft,
            Arithmetic::ShiftRight => IntegerOp::ShiftRight,
        };
        self.build.integer(op, left, right, at)
    }

    /// A comparison; of pairs whether it holds for both.
    pub(crate) fn compare(
        &mut self,
        op: CompareOp,
        left: IrValue,
        right: IrValue,
        at: Origin,
    ) -> IrValue {
        let (left, right) = self.same_space(left, right, at);
        let compared = self.build.compare(op, left, right, at);
        match self.build.type_of(compared) {
            Ir::Vector(_, size) => self.all_components(compared, size.count(), at),
            _ => compared,
        }
    }

    /// Whether all components of a vector of truth values hold.
    pub(crate) fn all_components(&mut self, vector: IrValue, count: u32, at: Origin) -> IrValue {
        let mut all = self.build.extract(&self.lower.module.types, vector, 0, at);
        for index in 1..count {
            let next = self.build.extract(&self.lower.module.types, vector, index, at);
            all = self.build.integer(IntegerOp::And, all, next, at);
        }
        all
    }

    /// Two pointers in one space; other values stay.
    pub(crate) fn same_space(
        &mut self,
        left: IrValue,
        right: IrValue,
        at: Origin,
    ) -> (IrValue, IrValue) {
        let (a, b) = (self.build.type_of(left), self.build.type_of(right));
        let (Ir::Pointer(x), Ir::Pointer(y)) = (a, b) else { return (left, right) };
        if x == y {
            return (left, right);
        }
        // The null pointer takes the other's space.
        let zero = |emitter: &Self, value| {
            matches!(emitter.build.expression(value), Some(port_ir::Expression::Zero(_)))
        };
        if zero(self, left) {
            return (self.build.zero(b, at), right);
        }
        if zero(self, right) {
            return (left, self.build.zero(a, at));
        }
        let generic = Ir::Pointer(Space::Generic);
        (self.as_type(left, generic, at), self.as_type(right, generic, at))
    }

    /// A number as one of another type: the value is kept where it fits.
    pub(crate) fn convert_number(&mut self, value: IrValue, to: Scalar, at: Origin) -> IrValue {
        self.convert_rounded(value, to, Rounding::NearestEven, Rounding::TowardZero, at)
    }

    /// As [`Emitter::convert_number`], with the rounding to use when the result is a float, and when
    /// it is an integer.
    pub(crate) fn convert_rounded(
        &mut self,
        value: IrValue,
        to: Scalar,
        to_float: Rounding,
        to_integer: Rounding,
        at: Origin,
    ) -> IrValue {
        let Some(from) = self.scalar_of(value) else { return value };
        if from == to {
            return value;
        }
        if let Some(constant) = self.build.as_constant(value)
            && let Some(number) = constant.as_integer()
            && !to.is_float()
        {
            let bits = if to == Scalar::Bool { u64::from(number != 0) } else { number as u64 };
            return self.build.constant(Constant::from_bits(to, bits), at);
        }
        let ty = self.build.type_of(value).with_scalar(to);
        if to == Scalar::Bool {
            // A truth value that became an integer on the way.
            if let Some(port_ir::Expression::Convert {
                kind: Conversion::ZeroExtend, value, ..
            }) = self.build.expression(value)
                && self.build.type_of(*value) == Ir::BOOL
            {
                return *value;
            }
            let zero = self.build.zero(self.build.type_of(value), at);
            return self.build.compare(CompareOp::NotEqual, value, zero, at);
        }
        let kind = match (from.is_float(), to.is_float()) {
            (true, true) => {
                let widens = widens(from, to);
                let rounding = if widens { Rounding::NearestEven } else { to_float };
                Conversion::FloatToFloat { rounding, saturate: false }
            }
            (false, true) => Conversion::IntegerToFloat(to_float),
            (true, false) => Conversion::FloatToInteger(to_integer),
            (false, false) => match from.bits().cmp(&to.bits()) {
                std::cmp::Ordering::Equal => Conversion::Bits,
                std::cmp::Ordering::Greater => Conversion::Truncate,
                std::cmp::Ordering::Less if from.is_signed() => Conversion::SignExtend,
                std::cmp::Ordering::Less => Conversion::ZeroExtend,
            },
        };
        self.build.convert(kind, value, ty, at)
    }

    /// The same bytes as another type of the same size.
    pub(crate) fn bits(&mut self, value: IrValue, to: Ir, at: Origin) -> IrValue {
        let from = self.build.type_of(value);
        if from == to {
            return value;
        }
        let plain = |ty| matches!(ty, Ir::Scalar(_) | Ir::Vector(..));
        let size = |emitter: &Self, ty| emitter.lower.module.types.layout(ty).map(|l| l.size);
        if plain(from) && plain(to) && size(self, from) == size(self, to) {
            let boolean = |ty: Ir| ty.scalar() == Some(Scalar::Bool);
            if !boolean(from) && !boolean(to) {
                return self.build.convert(Conversion::Bits, value, to, at);
            }
        }
        // By way of memory, aligned for both.
        let align = |emitter: &Self, ty| {
            emitter.lower.module.types.layout(ty).map_or(1, |layout| layout.align)
        };
        let wider = if align(self, to) > align(self, from) { to } else { from };
        let address = self.temporary("bits", wider, at);
        self.build.store(address, value, port_ir::Access::PLAIN, at);
        self.build.load(to, address, port_ir::Access::PLAIN, at)
    }

    /// Memory for a value that needs some.
    pub(crate) fn temporary(&mut self, name: &str, ty: Ir, at: Origin) -> IrValue {
        self.temporaries += 1;
        let local = self.build.add_local(name, ty, at);
        self.build.local(local, at)
    }
}

/// Whether every value of a format is one of the other.
fn widens(from: Scalar, to: Scalar) -> bool {
    let rank = |scalar| match scalar {
        Scalar::F8E4M3 | Scalar::F8E5M2 => 0,
        Scalar::F16 | Scalar::Bf16 => 1,
        Scalar::F32 => 2,
        _ => 3,
    };
    rank(to) > rank(from)
}
