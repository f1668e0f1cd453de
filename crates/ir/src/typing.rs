//! The type of an expression, from the types of its operands. Whether the operands fit is the
//! validator's affair: here a misfit only has to give some type.

use crate::arena::Handle;
use crate::expression::Expression;
use crate::function::Function;
use crate::module::Module;
use crate::operation::MathClass;
use crate::types::{Scalar, Space, Type};

/// The types of all expressions of a function, by handle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpressionTypes {
    types: Vec<Type>,
}

impl ExpressionTypes {
    /// Computes them, oldest expression first.
    pub fn of(module: &Module, function: &Function) -> Self {
        let mut types = ExpressionTypes::default();
        for (_, expression) in function.expressions.iter() {
            types.push(module, function, expression);
        }
        types
    }

    /// Computes the type of the next expression of the function.
    pub fn push(&mut self, module: &Module, function: &Function, expression: &Expression) -> Type {
        let ty = match expression {
            Expression::Variable(handle) => Type::Pointer(
                module.variables.get(*handle).map_or(Space::Generic, |variable| variable.space),
            ),
            Expression::Extract { value, index } => {
                let whole = self.get(*value);
                module.types.component(whole, *index).unwrap_or(whole)
            }
            other => self.infer(function, other),
        };
        self.push_known(ty);
        ty
    }

    /// Notes the type of the next expression of the function.
    pub(crate) fn push_known(&mut self, ty: Type) {
        self.types.push(ty);
    }

    /// The type of an expression; `bool` for a handle that has none.
    pub fn get(&self, handle: Handle<Expression>) -> Type {
        self.types.get(handle.index()).copied().unwrap_or(Type::BOOL)
    }

    /// The type of an expression that needs nothing of the module. The space of a variable and the
    /// parts of aggregates do: for them this gives a stand-in.
    pub(crate) fn infer(&self, function: &Function, expression: &Expression) -> Type {
        match expression {
            Expression::Constant(constant) => Type::Scalar(constant.scalar),
            Expression::Zero(ty)
            | Expression::Undefined(ty)
            | Expression::Result(ty)
            | Expression::Poison { ty, .. }
            | Expression::Splat { ty, .. }
            | Expression::Compose { ty, .. } => *ty,
            Expression::Argument(index) => function
                .parameters
                .get(*index as usize)
                .map_or(Type::BOOL, |parameter| parameter.ty),
            Expression::ArgumentAddress(_) => Type::Pointer(Space::Parameter),
            Expression::Local(_) => Type::Pointer(Space::Local),
            Expression::Variable(_) => Type::Pointer(Space::Generic),
            Expression::Builtin(_) => Type::U32,
            Expression::FragmentLength(_) => Type::I32,
            Expression::Unary { value, .. } => self.get(*value),
            Expression::Integer { left, .. } | Expression::Float { left, .. } => self.get(*left),
            Expression::FusedMultiplyAdd { a, .. } => self.get(*a),
            Expression::Compare { left, .. } => match self.get(*left) {
                vector @ Type::Vector(..) => vector.with_scalar(Scalar::Bool),
                _ => Type::BOOL,
            },
            Expression::Select { accept, .. } => self.get(*accept),
            Expression::Convert { to, .. } => *to,
            Expression::Math { function, arguments, .. } => {
                let argument = |index: usize| {
                    arguments.get(index).map_or(Type::BOOL, |argument| self.get(*argument))
                };
                match function.class() {
                    MathClass::Float
                    | MathClass::FloatWithI32
                    | MathClass::Integer
                    | MathClass::U32 => argument(0),
                    MathClass::FloatPredicate => argument(0).with_scalar(Scalar::Bool),
                    MathClass::FloatToI32 | MathClass::IntegerToI32 => {
                        argument(0).with_scalar(Scalar::I32)
                    }
                    MathClass::I32WithFloat => argument(1),
                    MathClass::Dot => argument(2),
                }
            }
            Expression::Extract { value, .. } | Expression::Insert { value, .. } => {
                self.get(*value)
            }
            Expression::Element { base, .. }
            | Expression::Member { base, .. }
            | Expression::FragmentElement { base, .. } => self.get(*base),
        }
    }
}
