//! Function bodies with every type known: overloads chosen, conversions explicit, templates
//! instantiated. Between the tree as written (`port_hir`) and the IR; constants are evaluated here.
//!
//! An expression's type is never a reference: what a reference refers to is an lvalue. Operands of
//! arithmetic are values of one type, already converted.

use std::rc::Rc;

use port_diag::Origin;
use port_ir::CompareOp;

use crate::context::{ClassId, FunctionInstanceId, GlobalId};
use crate::intrinsics::Intrinsic;
use crate::ty::Type;
use crate::value::Value;

/// A variable of a [`Body`], by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct VariableId(pub(crate) u32);

/// A value or a place.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    /// Never a reference.
    pub(crate) ty: Type,
    pub(crate) category: Category,
    pub(crate) origin: Origin,
}

/// C++'s value categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// A value.
    Value,
    /// A place with a name.
    LValue,
    /// A place that may be moved from.
    XValue,
}

/// Integer, float and vector arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

/// One operand, result of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Negate,
    /// `~x`
    Complement,
    /// `!x` of a truth value
    Not,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Constant(Value),
    /// The value-initialised value of the type.
    Zero,
    /// A value that nobody sets.
    Undefined,
    /// A string literal: an array of characters, with its final zero. A place.
    String(Rc<[u8]>),
    /// A variable of the body. A place, of the variable's own type; reference variables are read
    /// as [`ExprKind::Deref`] of [`ExprKind::Load`] of this.
    Variable(VariableId),
    /// A variable outside functions, or a static one. A place.
    Global(GlobalId),
    /// A parameter of a kernel or function, by position: its value.
    Argument(u32),
    /// A function, as an operand that is not called.
    Function(FunctionInstanceId),
    /// A set of functions whose choice awaits a target type.
    Overload(Rc<crate::overload::OverloadSet>),
    /// What a pointer points at. A place.
    Deref(Box<Expr>),
    /// A data member, by position in the class's fields. A place if the object is one.
    Member {
        object: Box<Expr>,
        field: u32,
    },
    /// A base class's part of an object, by position in the class's bases. A place if the object
    /// is one.
    Base {
        object: Box<Expr>,
        base: u32,
    },
    /// A component of a vector. A place if the object is one.
    Component {
        object: Box<Expr>,
        index: u32,
    },
    /// The element of a fragment's `x`. A place.
    FragmentElement {
        fragment: Box<Expr>,
        index: Box<Expr>,
    },
    /// A value put in memory. A place.
    Materialise(Box<Expr>),
    /// The value at a place.
    Load(Box<Expr>),
    AddressOf(Box<Expr>),
    /// An array place as a pointer to its first element.
    Decay(Box<Expr>),
    Sign(Sign, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `&&` (`and`) or `||` of truth values.
    Logical {
        and: bool,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// Both sides are values, or both places.
    Conditional {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `pointer + index`, or `pointer - index`.
    PointerAdd {
        pointer: Box<Expr>,
        index: Box<Expr>,
        negative: bool,
    },
    /// The number of elements between two pointers.
    PointerDifference(Box<Expr>, Box<Expr>),
    /// A number as another number type (enumerations count as integers).
    Convert(Box<Expr>),
    /// A pointer as another pointer or as an integer, an integer as a pointer: no bits change.
    PointerCast(Box<Expr>),
    /// The same bytes as a value of another type of the same size.
    Bits(Box<Expr>),
    /// A derived class's pointer as one to its base, by position in the bases.
    PointerToBase(Box<Expr>, u32),
    /// Stores a value; the place is the result.
    Assign {
        target: Box<Expr>,
        value: Box<Expr>,
    },
    /// Makes the object at a place that holds none yet. No result.
    Initialise {
        target: Box<Expr>,
        value: Box<Expr>,
    },
    /// Loads, computes in `compute`, converts back and stores; the place is the result. For
    /// pointers `value` is the index.
    CompoundAssign {
        op: Arithmetic,
        target: Box<Expr>,
        value: Box<Expr>,
        compute: Type,
    },
    /// `++` and `--`. A place if prefix, the old value if not.
    Increment {
        target: Box<Expr>,
        decrement: bool,
        prefix: bool,
    },
    /// A call; a reference that is returned is a pointer here. The object of a method comes first,
    /// as a pointer.
    Call {
        function: FunctionInstanceId,
        arguments: Vec<Expr>,
    },
    /// A CUDA or C function that is an operation of the IR.
    Intrinsic {
        intrinsic: Intrinsic,
        arguments: Vec<Expr>,
    },
    /// A class, array or vector from values for its parts, in order: for a class its bases, then
    /// its fields. Of a union exactly one part is given, the others are `None`.
    Aggregate(Vec<Option<Expr>>),
    /// An object made by a constructor.
    Construct {
        constructor: FunctionInstanceId,
        arguments: Vec<Expr>,
    },
    /// An array whose elements are all made in the same way.
    Repeat(Box<Expr>),
    Comma(Box<Expr>, Box<Expr>),
    /// Statements, then a value: GNU's `({ … })`.
    Statements(Vec<Stmt>, Option<Box<Expr>>),
    /// Already reported under this code.
    Poison(&'static str),
}

impl Expr {
    pub(crate) fn value(kind: ExprKind, ty: Type, origin: Origin) -> Expr {
        Expr { kind, ty: ty.unqualified(), category: Category::Value, origin }
    }

    pub(crate) fn place(kind: ExprKind, ty: Type, origin: Origin) -> Expr {
        Expr { kind, ty, category: Category::LValue, origin }
    }

    pub(crate) fn poison(code: &'static str, origin: Origin) -> Expr {
        Expr::value(ExprKind::Poison(code), Type::UNKNOWN, origin)
    }

    pub(crate) fn integer(value: i128, ty: Type, origin: Origin) -> Expr {
        Expr::value(ExprKind::Constant(Value::Integer(value)), ty, origin)
    }

    pub(crate) fn bool(value: bool, origin: Origin) -> Expr {
        Expr::value(ExprKind::Constant(Value::bool(value)), Type::BOOL, origin)
    }

    /// Whether it is a place and not a value.
    pub(crate) fn is_place(&self) -> bool {
        self.category != Category::Value
    }

    /// The code of the finding that makes it useless, if it or a part of it is poisoned.
    pub(crate) fn poison_code(&self) -> Option<&'static str> {
        if let ExprKind::Poison(code) = self.kind {
            return Some(code);
        }
        let mut found = None;
        self.for_each_part(&mut |part| {
            if found.is_none() {
                found = part.poison_code();
            }
        });
        if let (None, ExprKind::Statements(statements, _)) = (found, &self.kind) {
            found = statements.iter().find_map(Stmt::poison_code);
        }
        found
    }

    /// Calls `visit` with each expression directly inside.
    pub(crate) fn for_each_part<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Constant(_)
            | ExprKind::Zero
            | ExprKind::Undefined
            | ExprKind::String(_)
            | ExprKind::Variable(_)
            | ExprKind::Global(_)
            | ExprKind::Argument(_)
            | ExprKind::Function(_)
            | ExprKind::Overload(_)
            | ExprKind::Poison(_) => {}
            ExprKind::Deref(inner)
            | ExprKind::Member { object: inner, .. }
            | ExprKind::Base { object: inner, .. }
            | ExprKind::Component { object: inner, .. }
            | ExprKind::Materialise(inner)
            | ExprKind::Load(inner)
            | ExprKind::AddressOf(inner)
            | ExprKind::Decay(inner)
            | ExprKind::Sign(_, inner)
            | ExprKind::Convert(inner)
            | ExprKind::PointerCast(inner)
            | ExprKind::Bits(inner)
            | ExprKind::PointerToBase(inner, _)
            | ExprKind::Repeat(inner)
            | ExprKind::Increment { target: inner, .. } => visit(inner),
            ExprKind::FragmentElement { fragment: left, index: right }
            | ExprKind::Arithmetic(_, left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::Logical { left, right, .. }
            | ExprKind::PointerAdd { pointer: left, index: right, .. }
            | ExprKind::PointerDifference(left, right)
            | ExprKind::Assign { target: left, value: right }
            | ExprKind::Initialise { target: left, value: right }
            | ExprKind::CompoundAssign { target: left, value: right, .. }
            | ExprKind::Comma(left, right) => {
                visit(left);
                visit(right);
            }
            ExprKind::Conditional { condition, then, otherwise } => {
                visit(condition);
                visit(then);
                visit(otherwise);
            }
            ExprKind::Call { arguments, .. }
            | ExprKind::Intrinsic { arguments, .. }
            | ExprKind::Construct { arguments, .. } => arguments.iter().for_each(visit),
            ExprKind::Aggregate(parts) => parts.iter().flatten().for_each(visit),
            ExprKind::Statements(_, value) => {
                if let Some(value) = value {
                    visit(value);
                }
            }
        }
    }
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) struct Stmt {
    pub(crate) kind: StmtKind,
    pub(crate) origin: Origin,
}

/// What a statement is.
#[derive(Clone, Debug)]
pub(crate) enum StmtKind {
    Expr(Expr),
    /// A variable comes into being. Of a reference, the initial value is a pointer.
    Declare {
        variable: VariableId,
        initial: Option<Expr>,
    },
    Block(Vec<Stmt>),
    If {
        condition: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    Loop {
        /// Whether the condition is tested before the first pass.
        before: bool,
        /// `None`: true.
        condition: Option<Expr>,
        step: Option<Expr>,
        body: Vec<Stmt>,
        unroll: port_ir::Unroll,
    },
    Switch {
        selector: Expr,
        /// Statements before the first label are dropped.
        arms: Vec<Arm>,
    },
    Break,
    Continue,
    /// A reference that is returned is a pointer here.
    Return(Option<Expr>),
    /// Already reported under this code.
    Unsupported {
        code: &'static str,
        what: String,
    },
}

/// The statements after one or several labels of a switch, up to the next label.
#[derive(Clone, Debug)]
pub(crate) struct Arm {
    /// In the type of the selector.
    pub(crate) values: Vec<i128>,
    pub(crate) default: bool,
    pub(crate) body: Vec<Stmt>,
}

impl Stmt {
    pub(crate) fn new(kind: StmtKind, origin: Origin) -> Stmt {
        Stmt { kind, origin }
    }

    /// The code of a finding that makes the statement itself useless; statements inside are for
    /// themselves.
    pub(crate) fn poison_code(&self) -> Option<&'static str> {
        match &self.kind {
            StmtKind::Expr(expr) | StmtKind::Return(Some(expr)) => expr.poison_code(),
            StmtKind::Declare { initial, .. } => initial.as_ref().and_then(Expr::poison_code),
            StmtKind::If { condition, .. } => condition.poison_code(),
            StmtKind::Loop { condition, step, .. } => condition
                .as_ref()
                .and_then(Expr::poison_code)
                .or_else(|| step.as_ref().and_then(Expr::poison_code)),
            StmtKind::Switch { selector, .. } => selector.poison_code(),
            StmtKind::Unsupported { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Calls `visit` with each statement list inside.
    pub(crate) fn for_each_block<'s>(&'s self, visit: &mut dyn FnMut(&'s [Stmt])) {
        match &self.kind {
            StmtKind::Block(body) | StmtKind::Loop { body, .. } => visit(body),
            StmtKind::If { then, otherwise, .. } => {
                visit(then);
                visit(otherwise);
            }
            StmtKind::Switch { arms, .. } => arms.iter().for_each(|arm| visit(&arm.body)),
            _ => {}
        }
    }

    /// Calls `visit` with each expression directly inside.
    pub(crate) fn for_each_expr<'s>(&'s self, visit: &mut dyn FnMut(&'s Expr)) {
        match &self.kind {
            StmtKind::Expr(expr) | StmtKind::Return(Some(expr)) => visit(expr),
            StmtKind::Declare { initial, .. } => initial.iter().for_each(visit),
            StmtKind::If { condition, .. } => visit(condition),
            StmtKind::Loop { condition, step, .. } => {
                condition.iter().for_each(&mut *visit);
                step.iter().for_each(&mut *visit);
            }
            StmtKind::Switch { selector, .. } => visit(selector),
            _ => {}
        }
    }
}

/// A variable of a body: a parameter, a local, a temporary made for a range or a binding.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// The user's name; may be empty.
    pub(crate) name: String,
    /// Its declared type; may be a reference.
    pub(crate) ty: Type,
    /// Its value if it is a constant that a constant expression may use.
    pub(crate) constant: Option<Value>,
    /// Extra alignment in bytes.
    pub(crate) align: Option<u64>,
    #[expect(dead_code, reason = "tells variables apart when a body is printed for debugging")]
    pub(crate) origin: Origin,
}

/// A parameter of a [`Body`].
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// The type as declared: may be a reference.
    pub(crate) ty: Type,
    /// The variable that holds it; for the object of a method none.
    pub(crate) variable: Option<VariableId>,
    pub(crate) restrict: bool,
    pub(crate) grid_constant: bool,
    pub(crate) origin: Origin,
}

/// A function's body.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// The class that `this` points at is the first.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) variables: Vec<Variable>,
    /// May be a reference.
    pub(crate) result: Type,
    pub(crate) statements: Vec<Stmt>,
    /// The closure or class that it is a member of.
    #[expect(dead_code, reason = "tells bodies apart when they are printed for debugging")]
    pub(crate) class: Option<ClassId>,
}
