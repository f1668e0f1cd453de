//! Expressions as written: names resolved, ambiguities settled, no types.
//!
//! An expression is evaluated where the statement that holds it is, with C++'s order; parentheses
//! are not nodes (the tree holds the grouping), except that `(x)` keeps [`Expr::parenthesised`]
//! because `decltype((x))` and a fold need it.

use std::sync::Arc;

use port_diag::Origin;

use crate::{
    ExprId, LambdaId, LaunchId, LocalId, Name, NameRef, StmtId, TemplateArgument,
    TemplateParameterList, TokenRange, TyId,
};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where: the whole expression when it is in one file and one expansion, else the innermost
    /// place that holds all of it (the use of the macro that its ends have in common).
    pub origin: Origin,
    /// The tokens of the expression, without enclosing parentheses.
    pub tokens: TokenRange,
    /// Whether it was in parentheses of its own.
    pub parenthesised: bool,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A name, with explicit template arguments if any: `x`, `f<T>`, `A<T>::value`, `&C::m`'s
    /// `C::m`.
    Name(NameRef),
    /// `this`
    This,
    /// A prefix operator.
    Unary {
        /// Which.
        operator: UnaryOperator,
        /// Of what.
        operand: ExprId,
    },
    /// `x++`, `x--`
    Postfix {
        /// Which.
        operator: PostfixOperator,
        /// Of what.
        operand: ExprId,
    },
    /// A binary operator that is no assignment; `,` included.
    Binary {
        /// Which.
        operator: BinaryOperator,
        /// Left side.
        left: ExprId,
        /// Right side.
        right: ExprId,
    },
    /// `x = y` (`operator` is `None`), `x += y`
    Assign {
        /// The operator of a compound assignment.
        operator: Option<BinaryOperator>,
        /// The place.
        target: ExprId,
        /// The value; an [`ExprKind::InitList`] for `x = {…}`.
        value: ExprId,
    },
    /// `c ? a : b`; `c ?: b` (GNU) has no `then`.
    Conditional {
        /// `c`
        condition: ExprId,
        /// `a`
        then: Option<ExprId>,
        /// `b`
        otherwise: ExprId,
    },
    /// `f(a, b)`, where `f` is a function, an overload set, an object with `operator()`, a member
    /// ([`ExprKind::Member`]) or unknown. A call of a type is [`ExprKind::Cast`] or
    /// [`ExprKind::Construct`].
    Call {
        /// What is called.
        callee: ExprId,
        /// Arguments; a braced one is an [`ExprKind::InitList`].
        arguments: Vec<ExprId>,
    },
    /// `k<<<grid, block, shared, stream>>>(a, b)`; see [`crate::Launch`].
    Launch(LaunchId),
    /// `x.m`, `p->m`, `x.template f<T>`, `x.Base::m`
    Member {
        /// `x` or `p`
        object: ExprId,
        /// Whether by `->`.
        arrow: bool,
        /// `m`, unresolved: only lowering knows the object's type. `~T` for a destructor call.
        member: NameRef,
    },
    /// `x.*p`, `x->*p`
    MemberPointer {
        /// `x`
        object: ExprId,
        /// Whether by `->*`.
        arrow: bool,
        /// `p`
        pointer: ExprId,
    },
    /// `x[i]`; more than one index only in C++23.
    Index {
        /// `x`
        object: ExprId,
        /// `i`
        indices: Vec<ExprId>,
    },
    /// A cast of one operand: `(T)x`, `static_cast<T>(x)`, `T(x)`.
    Cast {
        /// How it is written.
        kind: CastKind,
        /// To what.
        ty: TyId,
        /// Of what.
        operand: ExprId,
    },
    /// An object made from none, several or braced values: `T()`, `T(a, b)`, `T{a}`.
    Construct {
        /// The type; a class template without arguments is deduced.
        ty: TyId,
        /// The values; for braces a single [`ExprKind::InitList`].
        arguments: Vec<ExprId>,
        /// Whether with braces.
        braced: bool,
    },
    /// `{a, b}`, `{.x = a, .y = b}`, `{[0] = a}`
    InitList(Vec<InitItem>),
    /// `sizeof(T)`, `alignof(T)`
    TypeTrait {
        /// Which.
        kind: TypeTraitKind,
        /// Of what.
        ty: TyId,
    },
    /// `sizeof x`, `alignof(x)`
    ExprTrait {
        /// Which.
        kind: TypeTraitKind,
        /// Of what; not evaluated.
        operand: ExprId,
    },
    /// `sizeof...(pack)`
    SizeofPack(NameRef),
    /// A compiler's own predicate: `__is_same(T, U)`, `__builtin_types_compatible_p`.
    BuiltinTrait {
        /// Its name.
        name: Name,
        /// Its arguments.
        arguments: Vec<TemplateArgument>,
    },
    /// `[=](int i) { … }`
    Lambda(LambdaId),
    /// A fold: `(… + e)`, `(e + …)`, `(i + … + e)`, `(e + … + i)`
    Fold {
        /// The operator.
        operator: BinaryOperator,
        /// Whether it is the compound assignment of `operator`: `(x += … )`.
        assign: bool,
        /// The pattern that holds the pack.
        pattern: ExprId,
        /// The initial value of a binary fold.
        initial: Option<ExprId>,
        /// Whether `…` stands left of the pattern (a left fold).
        left: bool,
    },
    /// `e...`
    PackExpansion(ExprId),
    /// `new T(…)`, `new T[n]`
    New {
        /// Placement arguments.
        placement: Vec<ExprId>,
        /// The type, an array type for `new T[n]`.
        ty: TyId,
        /// How the object is initialised.
        initializer: Option<Initializer>,
    },
    /// `delete p`, `delete[] p`
    Delete {
        /// Whether `delete[]`.
        array: bool,
        /// `p`
        operand: ExprId,
    },
    /// `throw`, `throw e`
    Throw(Option<ExprId>),
    /// `typeid(T)` or `typeid(e)`
    Typeid(TemplateArgument),
    /// `noexcept(e)`
    Noexcept(ExprId),
    /// `va_arg(list, T)`
    VaArg {
        /// The list.
        list: ExprId,
        /// The type read.
        ty: TyId,
    },
    /// `__builtin_offsetof(T, m)` and `offsetof(T, m)`
    Offsetof {
        /// The record.
        ty: TyId,
        /// The member, with indices if any.
        member: ExprId,
    },
    /// GNU `({ …; e; })`
    StatementExpression(StmtId),
    /// An argument that is a type although the callee is no known template or trait: what an
    /// unknown macro was given, `MACRO(float, x)`. Kept for the meanings of its tokens.
    TypeArgument(TyId),
    /// Read, not modelled (`requires`, `co_await`).
    Unsupported(&'static str),
    /// Not readable; reported. Whatever holds it is poisoned.
    Error,
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// Its value.
    pub value: LiteralValue,
    /// Exactly as written, suffix and separators included; adjacent strings are joined by a blank.
    pub spelling: Name,
}

/// The value of a [`Literal`].
#[derive(Clone, Debug, PartialEq)]
pub enum LiteralValue {
    /// An integer. Its type follows from value, base and suffix by the rules of C++.
    Integer {
        /// The value; too large a literal is [`ExprKind::Error`].
        value: u64,
        /// The base: 2, 8, 10 or 16. A decimal literal without `u` is never unsigned.
        base: u8,
        /// The suffix.
        suffix: IntegerSuffix,
    },
    /// A floating literal. The value is the decimal (or hexadecimal) number rounded to nearest in
    /// `double`; round again from the spelling for `f`.
    Float {
        /// The value in `double`.
        value: f64,
        /// The value rounded to `float` directly from the spelling (no double rounding).
        single: f32,
        /// The suffix.
        suffix: FloatSuffix,
    },
    /// `true`, `false`
    Bool(bool),
    /// `'c'`; several characters have GCC's value.
    Char {
        /// The value.
        value: u32,
        /// The prefix.
        encoding: Encoding,
    },
    /// `"…"`, adjacent ones joined, without the final zero.
    String {
        /// The bytes (UTF-8 for every encoding).
        value: Arc<[u8]>,
        /// The prefix.
        encoding: Encoding,
    },
    /// `nullptr`
    NullPointer,
    /// A user-defined literal, `10_km`: not evaluated.
    User,
}

/// The suffix of an integer literal, in any order and case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntegerSuffix {
    /// `u`
    pub unsigned: bool,
    /// Number of `l`: 0, 1 or 2. `z` counts as one.
    pub long: u8,
}

/// The suffix of a floating literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatSuffix {
    /// None: `double`.
    None,
    /// `f`
    Float,
    /// `l`
    Long,
}

/// The prefix of a character or string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Encoding {
    Ordinary,
    Wide,
    Utf8,
    Utf16,
    Utf32,
}

/// A prefix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `+x`
    Plus,
    /// `-x`
    Minus,
    /// `!x`
    Not,
    /// `~x`
    Complement,
    /// `*p`
    Dereference,
    /// `&x`
    AddressOf,
    /// `++x`
    Increment,
    /// `--x`
    Decrement,
    /// GNU `__extension__`, dropped by meaning; `__real__`, `__imag__` are unsupported.
    Extension,
}

/// A postfix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostfixOperator {
    /// `x++`
    Increment,
    /// `x--`
    Decrement,
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum BinaryOperator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    ThreeWay,
    Equal,
    NotEqual,
    BitAnd,
    BitXor,
    BitOr,
    LogicalAnd,
    LogicalOr,
    Comma,
}

impl BinaryOperator {
    /// The C++ spelling.
    pub fn spelling(self) -> &'static str {
        match self {
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Remainder => "%",
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::ShiftLeft => "<<",
            BinaryOperator::ShiftRight => ">>",
            BinaryOperator::Less => "<",
            BinaryOperator::Greater => ">",
            BinaryOperator::LessEqual => "<=",
            BinaryOperator::GreaterEqual => ">=",
            BinaryOperator::ThreeWay => "<=>",
            BinaryOperator::Equal => "==",
            BinaryOperator::NotEqual => "!=",
            BinaryOperator::BitAnd => "&",
            BinaryOperator::BitXor => "^",
            BinaryOperator::BitOr => "|",
            BinaryOperator::LogicalAnd => "&&",
            BinaryOperator::LogicalOr => "||",
            BinaryOperator::Comma => ",",
        }
    }
}

impl UnaryOperator {
    /// The C++ spelling.
    pub fn spelling(self) -> &'static str {
        match self {
            UnaryOperator::Plus => "+",
            UnaryOperator::Minus => "-",
            UnaryOperator::Not => "!",
            UnaryOperator::Complement => "~",
            UnaryOperator::Dereference => "*",
            UnaryOperator::AddressOf => "&",
            UnaryOperator::Increment => "++",
            UnaryOperator::Decrement => "--",
            UnaryOperator::Extension => "__extension__",
        }
    }
}

/// How a cast is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CastKind {
    /// `(T)x`
    C,
    /// `T(x)`
    Functional,
    /// `static_cast<T>(x)`
    Static,
    /// `reinterpret_cast<T>(x)`
    Reinterpret,
    /// `const_cast<T>(x)`
    Const,
    /// `dynamic_cast<T>(x)`
    Dynamic,
    /// `__builtin_bit_cast(T, x)`
    Bit,
}

/// A trait of a type or an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeTraitKind {
    /// `sizeof`
    Sizeof,
    /// `alignof`, `__alignof__`
    Alignof,
}

/// An item of a braced list.
#[derive(Clone, Debug, PartialEq)]
pub struct InitItem {
    /// `.x`, `[0]`, in order; empty for a plain value.
    pub designators: Vec<Designator>,
    /// The value; itself an [`ExprKind::InitList`] when braced.
    pub value: ExprId,
}

/// Which member or element an [`InitItem`] is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Designator {
    /// `.x`
    Field(Name, Origin),
    /// `[i]`
    Index(ExprId),
}

/// How a variable, member or object made by `new` is initialised.
#[derive(Clone, Debug, PartialEq)]
pub enum Initializer {
    /// `= e`; `= {…}` has an [`ExprKind::InitList`].
    Copy(ExprId),
    /// `(a, b)`
    Direct(Vec<ExprId>),
    /// `{a, b}`: an [`ExprKind::InitList`].
    Brace(ExprId),
}

/// A lambda. Its body's locals are in the same arena as those of the function around it, and names
/// in it resolve to the outer locals directly: what is copied is for lowering to work out from
/// `captures`, `default_capture` and the uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambda {
    /// `[=` or `[&`.
    pub default_capture: Option<CaptureDefault>,
    /// The explicit captures.
    pub captures: Vec<Capture>,
    /// `<typename T>` and abbreviated parameters (`auto x`): a generic lambda.
    pub template_parameters: Option<TemplateParameterList>,
    /// Parameters, in order.
    pub parameters: Vec<LocalId>,
    /// Whether the parameters end in `...` of C.
    pub variadic: bool,
    /// The trailing return type.
    pub return_type: Option<TyId>,
    /// `mutable`
    pub mutable: bool,
    /// `constexpr`
    pub constexpr: bool,
    /// `__host__` / `__device__` of the lambda (nvcc's extended lambdas).
    pub host: bool,
    /// See `host`.
    pub device: bool,
    /// The body, an [`crate::StmtKind::Block`].
    pub body: StmtId,
    /// Where.
    pub origin: Origin,
}

/// The default of a capture list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureDefault {
    /// `=`
    Copy,
    /// `&`
    Reference,
}

/// An explicit capture.
#[derive(Clone, Debug, PartialEq)]
pub enum Capture {
    /// `x`, `x...`
    Copy(LocalId),
    /// `&x`, `&x...`
    Reference(LocalId),
    /// `x = e`, `&x = e`: a new local.
    Init {
        /// The new local; its initialiser is on the local.
        local: LocalId,
        /// Whether `&x = e`.
        reference: bool,
    },
    /// `this`
    This,
    /// `*this`
    StarThis,
    /// A name that is no local in view (reported where it matters).
    Unresolved(Name, Origin),
}
