//! Pure expressions: values that depend on nothing but other values.

use crate::arena::Handle;
use crate::function::Local;
use crate::module::Variable;
use crate::operation::{
    Builtin, CompareOp, Constant, Conversion, FloatFlags, FloatOp, IntegerOp, MathFunction, UnaryOp,
};
use crate::types::{Fragment, Struct, Type};

/// A value of a function. Operands are older than the expression that uses them.
///
/// An expression has no effect and no place in the order of execution: whoever evaluates it, and
/// how often, gets the same value, as long as the statement results under it exist. See the crate
/// documentation for scopes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expression {
    // Leaves.
    /// A number or truth value.
    Constant(Constant),
    /// The value of a type whose bytes are all zero: also the null pointer and empty aggregates.
    Zero(Type),
    /// A value nobody has set. Each use may see other bits.
    Undefined(Type),
    /// The value of a parameter of this function, by position.
    Argument(u32),
    /// The address, in the parameter space, of a kernel's parameter.
    ArgumentAddress(u32),
    /// The address, in the local space, of a local variable.
    Local(Handle<Local>),
    /// The address of a module's variable, in that variable's space.
    Variable(Handle<Variable>),
    /// What the machine gives each thread.
    Builtin(Builtin),
    /// Number of elements of a fragment that each lane holds: an `i32` that depends on the target.
    FragmentLength(Fragment),
    /// The result of the one statement that names this expression.
    Result(Type),
    /// A value that could not be translated. Whatever uses it is not translated either.
    Poison {
        /// Its type.
        ty: Type,
        /// The code of the finding that says why.
        code: String,
    },

    // Operations.
    /// One operand, result of its type.
    Unary {
        /// What to do.
        op: UnaryOp,
        /// The operand.
        value: Handle<Expression>,
    },
    /// Two integers, or truth values, of one type. A shift's right operand may be of another
    /// integer type.
    Integer {
        /// What to do.
        op: IntegerOp,
        /// Left operand; gives the type.
        left: Handle<Expression>,
        /// Right operand.
        right: Handle<Expression>,
    },
    /// Two floats of one type.
    Float {
        /// What to do.
        op: FloatOp,
        /// Left operand; gives the type.
        left: Handle<Expression>,
        /// Right operand.
        right: Handle<Expression>,
        /// How.
        flags: FloatFlags,
    },
    /// `a * b + c` in floats, rounded once.
    FusedMultiplyAdd {
        /// First factor; gives the type.
        a: Handle<Expression>,
        /// Second factor.
        b: Handle<Expression>,
        /// What is added.
        c: Handle<Expression>,
        /// How. `contract` has no meaning here.
        flags: FloatFlags,
    },
    /// A truth value, or a vector of them.
    Compare {
        /// The relation.
        op: CompareOp,
        /// Left operand.
        left: Handle<Expression>,
        /// Right operand, of the same type.
        right: Handle<Expression>,
    },
    /// `condition ? accept : reject`. Both are values already: nothing is skipped. A vector of
    /// truth values chooses by component.
    Select {
        /// The truth value.
        condition: Handle<Expression>,
        /// Taken if it is true; gives the type.
        accept: Handle<Expression>,
        /// Taken if it is false.
        reject: Handle<Expression>,
    },
    /// A value as another type.
    Convert {
        /// How.
        kind: Conversion,
        /// The value.
        value: Handle<Expression>,
        /// The type of the result.
        to: Type,
    },
    /// A named function.
    Math {
        /// Which.
        function: MathFunction,
        /// As many as [`MathFunction::arity`] says.
        arguments: Vec<Handle<Expression>>,
        /// How; [`FloatFlags::STRICT`] for integer functions.
        flags: FloatFlags,
    },
    /// A vector, array or fragment with one value in every place.
    Splat {
        /// The type of the result.
        ty: Type,
        /// The component.
        value: Handle<Expression>,
    },
    /// A vector, array or struct from its parts.
    Compose {
        /// The type of the result.
        ty: Type,
        /// One for each part, in order.
        parts: Vec<Handle<Expression>>,
    },
    /// A part of a vector, array or struct. An index that varies needs memory and
    /// [`Expression::Element`].
    Extract {
        /// The whole.
        value: Handle<Expression>,
        /// Position of the part.
        index: u32,
    },
    /// The same vector, array or struct with one part replaced.
    Insert {
        /// The whole.
        value: Handle<Expression>,
        /// Position of the part.
        index: u32,
        /// Its new value.
        part: Handle<Expression>,
    },

    // Addresses. Integers that are added to pointers are extended as their type is signed.
    /// `base + index * size of element` in bytes, in the base's space.
    Element {
        /// The pointer.
        base: Handle<Expression>,
        /// What the index counts.
        element: Type,
        /// Any integer.
        index: Handle<Expression>,
    },
    /// The address of a member of the struct at `base`.
    Member {
        /// The pointer.
        base: Handle<Expression>,
        /// The struct that lies there.
        structure: Handle<Struct>,
        /// Position of the member.
        index: u32,
    },
    /// The address of an element of the fragment at `base`, a local or generic pointer. Which
    /// element of the matrix that is depends on the target; elements of equal index of two
    /// fragments of one type belong together.
    FragmentElement {
        /// The pointer.
        base: Handle<Expression>,
        /// The fragment that lies there.
        fragment: Fragment,
        /// From 0, below [`Expression::FragmentLength`].
        index: Handle<Expression>,
    },
}

impl Expression {
    /// Calls `visit` with each operand, in order.
    pub fn for_each_operand(&self, mut visit: impl FnMut(Handle<Expression>)) {
        match self {
            Expression::Constant(_)
            | Expression::Zero(_)
            | Expression::Undefined(_)
            | Expression::Argument(_)
            | Expression::ArgumentAddress(_)
            | Expression::Local(_)
            | Expression::Variable(_)
            | Expression::Builtin(_)
            | Expression::FragmentLength(_)
            | Expression::Result(_)
            | Expression::Poison { .. } => {}
            Expression::Unary { value, .. }
            | Expression::Convert { value, .. }
            | Expression::Splat { value, .. }
            | Expression::Extract { value, .. } => visit(*value),
            Expression::Integer { left, right, .. }
            | Expression::Float { left, right, .. }
            | Expression::Compare { left, right, .. } => {
                visit(*left);
                visit(*right);
            }
            Expression::FusedMultiplyAdd { a, b, c, .. } => {
                visit(*a);
                visit(*b);
                visit(*c);
            }
            Expression::Select { condition, accept, reject } => {
                visit(*condition);
                visit(*accept);
                visit(*reject);
            }
            Expression::Math { arguments, .. } => arguments.iter().copied().for_each(visit),
            Expression::Compose { parts, .. } => parts.iter().copied().for_each(visit),
            Expression::Insert { value, part, .. } => {
                visit(*value);
                visit(*part);
            }
            Expression::Element { base, index, .. }
            | Expression::FragmentElement { base, index, .. } => {
                visit(*base);
                visit(*index);
            }
            Expression::Member { base, .. } => visit(*base),
        }
    }

    /// The operands, in order.
    pub fn operands(&self) -> Vec<Handle<Expression>> {
        let mut operands = Vec::new();
        self.for_each_operand(|operand| operands.push(operand));
        operands
    }

    /// Whether it has no operands and is not a statement's result.
    pub fn is_leaf(&self) -> bool {
        let mut has_operand = false;
        self.for_each_operand(|_| has_operand = true);
        !has_operand && !matches!(self, Expression::Result(_))
    }
}
