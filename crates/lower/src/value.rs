//! Values known while compiling, and template arguments. Knows no expression.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::context::{ClassId, FunctionInstanceId, GlobalId, Unit};
use crate::ty::Type;
use crate::typed::VariableId;

/// A value known while compiling. Its type is known beside it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// An integer, truth value, character or enumerator, in the range of its type.
    Integer(i128),
    /// A float; one of a narrower type than `double` is already rounded to it.
    Float(f64),
    /// The null pointer.
    Null,
    /// A function, or a pointer to it.
    Function(FunctionInstanceId),
    /// The parts of a class, array or vector, in order.
    Aggregate(Vec<Value>),
    /// An object, or a pointer to it.
    Address(Box<Place>),
    /// A pointer to a class's data member, by the member's position.
    Member(u32),
    /// The bytes of a string literal, with its final zero.
    String(Rc<[u8]>),
    /// Not set.
    Undefined,
    /// A template parameter made up for partial ordering.
    Placeholder(u32),
}

/// An object that constant evaluation can name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) root: Root,
    /// Positions of parts, from the outside. Of a pointer into an array the last is the element.
    pub(crate) path: Vec<i64>,
}

/// What a [`Place`] lies in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Root {
    /// A variable of an evaluation's frame, by the frame's number.
    Local(u32, VariableId),
    /// A variable outside functions.
    Global(GlobalId),
    /// A temporary of the evaluation.
    Temporary(u32),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Null, Value::Null) | (Value::Undefined, Value::Undefined) => true,
            (Value::Function(a), Value::Function(b)) => a == b,
            (Value::Aggregate(a), Value::Aggregate(b)) => a == b,
            (Value::Address(a), Value::Address(b)) => a == b,
            (Value::Member(a), Value::Member(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Placeholder(a), Value::Placeholder(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Integer(value) => value.hash(state),
            Value::Float(value) => value.to_bits().hash(state),
            Value::Null | Value::Undefined => {}
            Value::Function(function) => function.hash(state),
            Value::Aggregate(parts) => parts.hash(state),
            Value::Address(place) => place.hash(state),
            Value::Member(member) => member.hash(state),
            Value::String(bytes) => bytes.hash(state),
            Value::Placeholder(number) => number.hash(state),
        }
    }
}

impl Value {
    pub(crate) const FALSE: Value = Value::Integer(0);
    pub(crate) const TRUE: Value = Value::Integer(1);

    pub(crate) fn bool(value: bool) -> Value {
        if value { Value::TRUE } else { Value::FALSE }
    }

    pub(crate) fn as_integer(&self) -> Option<i128> {
        match self {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// As a condition.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Integer(value) => Some(*value != 0),
            Value::Float(value) => Some(*value != 0.0),
            Value::Null => Some(false),
            Value::Function(_) | Value::Address(_) | Value::String(_) | Value::Member(_) => {
                Some(true)
            }
            _ => None,
        }
    }
}

/// A template argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Argument {
    Type(Type),
    Value(Value, Type),
    Template(TemplateName),
    Pack(List),
}

/// The arguments of one template parameter list.
pub(crate) type List = Rc<[Argument]>;

/// A class or alias template that is named, not instantiated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TemplateName {
    pub(crate) which: TemplateKind,
    /// The environment that the template stands in.
    pub(crate) outer: Environment,
}

/// See [`TemplateName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TemplateKind {
    Record(port_hir::RecordId),
    Alias(port_hir::AliasId),
    /// A template of the library that is modelled as a type of its own (`wmma::fragment`).
    Library(port_syntax::Symbol),
    Placeholder(u32),
}

/// What template parameters stand for at a place: the unit that the place is in and the arguments
/// of each template parameter list around it, from the outside.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) unit: Unit,
    pub(crate) lists: Rc<[List]>,
    /// The class whose member the place is in. Follows from `unit` and `lists` for all names that
    /// lookup finds, so it takes no part in comparisons.
    pub(crate) class: Option<ClassId>,
}

impl PartialEq for Environment {
    fn eq(&self, other: &Self) -> bool {
        self.unit == other.unit && self.lists == other.lists
    }
}

impl Eq for Environment {}

impl Hash for Environment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.unit.hash(state);
        self.lists.hash(state);
    }
}

impl Environment {
    /// Outside all templates of a unit.
    pub(crate) fn top(unit: Unit) -> Self {
        Environment { unit, lists: Rc::from([]), class: None }
    }

    /// The outermost `depth` lists only.
    pub(crate) fn truncated(&self, depth: usize) -> Self {
        if depth >= self.lists.len() {
            return self.clone();
        }
        Environment {
            unit: self.unit,
            lists: self.lists.get(..depth).unwrap_or(&[]).into(),
            class: None,
        }
    }

    /// With one more list inside.
    pub(crate) fn with(&self, list: List) -> Self {
        let mut lists = self.lists.to_vec();
        lists.push(list);
        Environment { unit: self.unit, lists: lists.into(), class: self.class }
    }

    /// The argument of a template parameter.
    pub(crate) fn get(&self, parameter: port_hir::TemplateParameterRef) -> Option<&Argument> {
        self.lists.get(usize::from(parameter.depth))?.get(usize::from(parameter.index))
    }
}
