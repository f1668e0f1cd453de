//! Rules about expressions: operands, types, conversions, parts.

use super::module::type_problem;
use super::{Errors, FunctionInfo, Rule};
use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::module::Module;
use crate::operation::{
    CompareOp, Constant, Conversion, FloatFlags, FloatOp, IntegerOp, MathClass, MathFunction,
    Rounding, UnaryOp,
};
use crate::statement::Value;
use crate::types::{Scalar, Space, Struct, Type};

/// Checks all expressions of a function.
pub(super) fn check(
    module: &Module,
    function: &Function,
    info: &FunctionInfo,
    errors: &mut Errors,
) {
    for (handle, expression) in function.expressions.iter() {
        let location = function.expressions.location(handle);
        let mut in_order = true;
        expression.for_each_operand(|operand| in_order &= operand < handle);
        if !in_order {
            errors.report(Rule::OperandOrder, location, "an operand is not older than its user");
            continue;
        }
        Checker { module, function, info, errors, location }.expression(expression);
    }
}

struct Checker<'a> {
    module: &'a Module,
    function: &'a Function,
    info: &'a FunctionInfo,
    errors: &'a mut Errors,
    location: Option<Location>,
}

impl Checker<'_> {
    fn ty(&self, value: Value) -> Type {
        self.info.types.get(value)
    }

    fn scalar(&self, value: Value) -> Option<Scalar> {
        self.ty(value).scalar()
    }

    fn report(&mut self, rule: Rule, message: impl Into<String>) {
        self.errors.report(rule, self.location, message);
    }

    fn require(&mut self, holds: bool, rule: Rule, message: &str) {
        if !holds {
            self.report(rule, message);
        }
    }

    /// All of one type.
    fn same(&mut self, values: &[Value]) {
        let mut types = values.iter().map(|value| self.ty(*value));
        let first = types.next();
        let same = types.all(|ty| Some(ty) == first);
        self.require(same, Rule::OperandType, "the operands differ in type");
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Constant(constant) => {
                let canonical = Constant::from_bits(constant.scalar, constant.bits) == *constant;
                self.require(canonical, Rule::ConstantBits, "a constant has bits above its width");
            }
            Expression::Zero(ty) | Expression::Undefined(ty) | Expression::Result(ty) => {
                self.type_exists(*ty);
            }
            Expression::Poison { ty, .. } => self.type_exists(*ty),
            Expression::Argument(index) => self.parameter(*index),
            Expression::ArgumentAddress(index) => {
                self.parameter(*index);
                let kernel = self.function.is_kernel();
                let message = "the address of a parameter is taken outside a kernel";
                self.require(kernel, Rule::ArgumentAddress, message);
            }
            Expression::Local(local) => {
                let known = self.function.locals.contains(*local);
                self.require(known, Rule::Handle, "there is no such local");
            }
            Expression::Variable(variable) => {
                let known = self.module.variables.contains(*variable);
                self.require(known, Rule::Handle, "there is no such variable");
            }
            Expression::Builtin(_) => {}
            Expression::FragmentLength(fragment) => self.type_exists(Type::Fragment(*fragment)),
            Expression::Unary { op, value } => {
                let fits = self.scalar(*value).is_some_and(|scalar| match op {
                    UnaryOp::Negate | UnaryOp::Absolute => scalar != Scalar::Bool,
                    UnaryOp::Not => !scalar.is_float(),
                });
                self.require(fits, Rule::OperandType, "the operation does not take this type");
            }
            Expression::Integer { op, left, right } => self.integer(*op, *left, *right),
            Expression::Float { op, left, right, flags } => {
                self.same(&[*left, *right]);
                self.floats(&[*left]);
                let contract = matches!(op, FloatOp::Add | FloatOp::Subtract | FloatOp::Multiply);
                let inexact = contract || *op == FloatOp::Divide;
                self.flags(*flags, contract, inexact, inexact);
            }
            Expression::FusedMultiplyAdd { a, b, c, flags } => {
                self.same(&[*a, *b, *c]);
                self.floats(&[*a]);
                self.flags(*flags, true, true, true);
            }
            Expression::Compare { op, left, right } => self.compare(*op, *left, *right),
            Expression::Select { condition, accept, reject } => {
                self.same(&[*accept, *reject]);
                let condition = self.ty(*condition);
                let by_part = matches!(self.ty(*accept), Type::Vector(_, size)
                    if condition == Type::Vector(Scalar::Bool, size));
                let message = "the condition is no truth value";
                self.require(condition == Type::BOOL || by_part, Rule::OperandType, message);
            }
            Expression::Convert { kind, value, to } => self.convert(*kind, *value, *to),
            Expression::Math { function, arguments, flags } => {
                self.math(*function, arguments, *flags);
            }
            Expression::Splat { ty, value } => {
                self.type_exists(*ty);
                let part = match *ty {
                    Type::Vector(scalar, _) => Some(Type::Scalar(scalar)),
                    Type::Array(array) => {
                        self.module.types.arrays().get(array).map(|array| array.element)
                    }
                    Type::Fragment(fragment) => Some(Type::Scalar(fragment.element.storage())),
                    _ => None,
                };
                let fits = part == Some(self.ty(*value));
                self.require(fits, Rule::Parts, "the value is no part of the type");
            }
            Expression::Compose { ty, parts } => self.compose(*ty, parts),
            Expression::Extract { value, index } => {
                let part = self.module.types.component(self.ty(*value), *index);
                self.require(part.is_some(), Rule::Parts, "the value has no such part");
            }
            Expression::Insert { value, index, part } => {
                let expected = self.module.types.component(self.ty(*value), *index);
                self.require(expected.is_some(), Rule::Parts, "the value has no such part");
                if expected.is_some() {
                    let fits = expected == Some(self.ty(*part));
                    self.require(fits, Rule::Parts, "the part is of another type");
                }
            }
            Expression::Element { base, element, index } => {
                self.pointer(*base);
                self.type_exists(*element);
                self.integer_scalar(*index);
                let sized = self.module.types.layout(*element).is_some()
                    || matches!(self.ty(*base).space(), Some(Space::Local | Space::Generic));
                let message = "an element without layout lies outside local memory";
                self.require(sized, Rule::TypeLayout, message);
            }
            Expression::Member { base, structure, index } => {
                self.pointer(*base);
                self.member(*structure, *index);
            }
            Expression::FragmentElement { base, fragment, index } => {
                self.pointer(*base);
                self.type_exists(Type::Fragment(*fragment));
                self.integer_scalar(*index);
                let local = matches!(self.ty(*base).space(), Some(Space::Local | Space::Generic));
                self.require(local, Rule::PointerSpace, "a fragment lies outside local memory");
            }
        }
    }

    fn type_exists(&mut self, ty: Type) {
        if let Some((rule, message)) = type_problem(self.module, ty) {
            self.report(rule, message);
        }
    }

    fn parameter(&mut self, index: u32) {
        let known = (index as usize) < self.function.parameters.len();
        self.require(known, Rule::Handle, "there is no such parameter");
    }

    fn member(&mut self, structure: Handle<Struct>, index: u32) {
        match self.module.types.structs().get(structure) {
            None => self.report(Rule::Handle, "there is no such struct type"),
            Some(structure) => {
                let known = (index as usize) < structure.members.len();
                self.require(known, Rule::Parts, "the struct has no such member");
            }
        }
    }

    fn pointer(&mut self, value: Value) {
        let is_pointer = self.ty(value).space().is_some();
        self.require(is_pointer, Rule::OperandType, "the base is no pointer");
    }

    fn integer_scalar(&mut self, value: Value) {
        let fits = matches!(self.ty(value), Type::Scalar(scalar) if scalar.is_integer());
        self.require(fits, Rule::OperandType, "the index is no integer");
    }

    fn floats(&mut self, values: &[Value]) {
        let fits =
            values.iter().all(|value| self.scalar(*value).is_some_and(|scalar| scalar.is_float()));
        self.require(fits, Rule::OperandType, "the operands are not floats");
    }

    fn flags(&mut self, flags: FloatFlags, contract: bool, approximate: bool, rounding: bool) {
        let fits = (contract || !flags.contract)
            && (approximate || !flags.approximate)
            && (rounding || flags.rounding == Rounding::NearestEven)
            && flags.rounding != Rounding::NearestAway;
        self.require(fits, Rule::Flags, "a flag or rounding means nothing for this operation");
    }

    fn integer(&mut self, op: IntegerOp, left: Value, right: Value) {
        let bitwise = matches!(op, IntegerOp::And | IntegerOp::Or | IntegerOp::Xor);
        let fits = self
            .scalar(left)
            .is_some_and(|scalar| scalar.is_integer() || bitwise && scalar == Scalar::Bool);
        self.require(fits, Rule::OperandType, "the operands are not integers");
        if matches!(op, IntegerOp::ShiftLeft | IntegerOp::ShiftRight) {
            let (left, right) = (self.ty(left), self.ty(right));
            let same_shape = left.with_scalar(Scalar::U32) == right.with_scalar(Scalar::U32);
            let fits = same_shape && right.scalar().is_some_and(Scalar::is_integer);
            self.require(fits, Rule::OperandType, "the amount is no integer of the same shape");
        } else {
            self.same(&[left, right]);
        }
    }

    fn compare(&mut self, op: CompareOp, left: Value, right: Value) {
        self.same(&[left, right]);
        let ordered = !matches!(op, CompareOp::Equal | CompareOp::NotEqual);
        let fits = match self.ty(left) {
            Type::Scalar(scalar) | Type::Vector(scalar, _) => !(ordered && scalar == Scalar::Bool),
            Type::Pointer(_) => true,
            _ => false,
        };
        self.require(fits, Rule::OperandType, "values of this type do not compare like this");
    }

    fn math(&mut self, function: MathFunction, arguments: &[Value], flags: FloatFlags) {
        if arguments.len() != function.arity() {
            let message = format!("`{}` takes {} operands", function.name(), function.arity());
            return self.report(Rule::OperandType, message);
        }
        let scalars: Vec<Option<Scalar>> =
            arguments.iter().map(|argument| self.scalar(*argument)).collect();
        let at = |index: usize| scalars.get(index).copied().flatten();
        let is = |index: usize, accept: fn(Scalar) -> bool| at(index).is_some_and(accept);
        let word = |index: usize| matches!(at(index), Some(Scalar::I32 | Scalar::U32));
        let (fits, same): (bool, &[Value]) = match function.class() {
            MathClass::Float => (is(0, Scalar::is_float), arguments),
            MathClass::FloatPredicate | MathClass::FloatToI32 => {
                (is(0, Scalar::is_float), arguments)
            }
            MathClass::FloatWithI32 => (is(0, Scalar::is_float) && at(1) == Some(Scalar::I32), &[]),
            MathClass::I32WithFloat => (is(1, Scalar::is_float) && at(0) == Some(Scalar::I32), &[]),
            MathClass::Integer if function == MathFunction::SumOfAbsoluteDifference => {
                (word(0) && at(0) == at(1) && at(2) == Some(Scalar::U32), &[])
            }
            MathClass::Integer | MathClass::IntegerToI32 => (is(0, Scalar::is_integer), arguments),
            MathClass::U32 => (at(0) == Some(Scalar::U32), arguments),
            MathClass::Dot => (word(0) && word(1) && word(2), &[]),
        };
        let message = format!("`{}` does not take these types", function.name());
        self.require(fits, Rule::OperandType, &message);
        self.same(same);
        let float = matches!(
            function.class(),
            MathClass::Float
                | MathClass::FloatPredicate
                | MathClass::FloatToI32
                | MathClass::FloatWithI32
                | MathClass::I32WithFloat
        );
        if float {
            let rounded = matches!(
                function,
                MathFunction::SquareRoot
                    | MathFunction::Reciprocal
                    | MathFunction::ReciprocalSquareRoot
            );
            self.flags(flags, false, true, rounded);
        } else {
            let strict = flags == FloatFlags::STRICT;
            self.require(strict, Rule::Flags, "an integer function has float flags");
        }
    }

    fn compose(&mut self, ty: Type, parts: &[Value]) {
        self.type_exists(ty);
        if self.module.types.component_count(ty) != Some(parts.len() as u64) {
            return self.report(Rule::Parts, "the type has another number of parts");
        }
        let fits = parts.iter().enumerate().all(|(index, part)| {
            self.module.types.component(ty, index as u32) == Some(self.ty(*part))
        });
        self.require(fits, Rule::Parts, "a part is of another type");
        if let Type::Struct(handle) = ty
            && let Some(structure) = self.module.types.structs().get(handle)
        {
            let mut spans: Vec<(u64, u64)> = structure
                .members
                .iter()
                .filter_map(|member| {
                    let size = self.module.types.layout(member.ty)?.size;
                    Some((member.offset, member.offset.saturating_add(size)))
                })
                .filter(|(start, end)| start < end)
                .collect();
            spans.sort_unstable();
            let overlap = spans.windows(2).any(|pair| pair[0].1 > pair[1].0);
            self.require(!overlap, Rule::Parts, "members that overlap cannot be composed");
        }
    }

    fn convert(&mut self, kind: Conversion, value: Value, to: Type) {
        self.type_exists(to);
        let from = self.ty(value);
        let same_shape = from.with_scalar(Scalar::U8) == to.with_scalar(Scalar::U8);
        let scalars = from.scalar().zip(to.scalar()).filter(|_| same_shape);
        let fits = match kind {
            Conversion::ZeroExtend => scalars.is_some_and(|(from, to)| {
                !from.is_float() && to.is_integer() && from.bits() < to.bits()
            }),
            Conversion::SignExtend => scalars.is_some_and(|(from, to)| {
                from.is_integer() && to.is_integer() && from.bits() < to.bits()
            }),
            Conversion::Truncate => scalars.is_some_and(|(from, to)| {
                from.is_integer() && to.is_integer() && from.bits() > to.bits()
            }),
            Conversion::Bits => {
                let sized = |ty: Type| {
                    let of_numbers = ty.scalar().is_some_and(|scalar| scalar != Scalar::Bool);
                    of_numbers.then(|| self.module.types.layout(ty)).flatten()
                };
                sized(from).zip(sized(to)).is_some_and(|(from, to)| from.size == to.size)
            }
            Conversion::IntegerToFloat(_) => {
                scalars.is_some_and(|(from, to)| !from.is_float() && to.is_float())
            }
            Conversion::FloatToInteger(_) => {
                scalars.is_some_and(|(from, to)| from.is_float() && to.is_integer())
            }
            Conversion::FloatToFloat { .. } => {
                scalars.is_some_and(|(from, to)| from.is_float() && to.is_float() && from != to)
            }
            Conversion::Space => from.space().zip(to.space()).is_some_and(|(from, to)| {
                from != to && (from == Space::Generic || to == Space::Generic)
            }),
            Conversion::PointerToInteger => from.space().is_some() && to == Type::U64,
            Conversion::IntegerToPointer => from == Type::U64 && to.space().is_some(),
            Conversion::SharedOffset => from == Type::Pointer(Space::Shared) && to == Type::U32,
            Conversion::SharedPointer => from == Type::U32 && to == Type::Pointer(Space::Shared),
        };
        self.require(fits, Rule::Conversion, "no such conversion goes between these types");
    }
}
