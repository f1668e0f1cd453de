//! Statements and local declarations, as written.

use port_diag::Origin;

use crate::{
    AliasId, EnumId, ExprId, FunctionId, Initializer, LocalId, Name, NameRef, RecordId, StmtId,
    TokenRange, TyId,
};

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where; as for [`crate::Expr::origin`].
    pub origin: Origin,
    /// Its tokens, the final `;` included.
    pub tokens: TokenRange,
}

/// What a statement is.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// `;`
    Empty,
    /// `{ … }`: a scope.
    Block(Vec<StmtId>),
    /// `e;`
    Expr(ExprId),
    /// `T a = 1, *b, c[3];`: the locals in order.
    Locals(Vec<LocalId>),
    /// `auto [a, b] = e;`
    Bindings {
        /// The hidden variable that holds the value; its initialiser is on it, its name is empty.
        whole: LocalId,
        /// The names, in order: locals of kind [`LocalKind::Binding`].
        names: Vec<LocalId>,
    },
    /// A record defined in the function (also by `struct S {…} s;`, before its
    /// [`StmtKind::Locals`]).
    Record(RecordId),
    /// An enumeration defined in the function.
    Enum(EnumId),
    /// `using X = T;`, `typedef T X;`
    Alias(AliasId),
    /// A function declared in the function.
    Function(FunctionId),
    /// `using namespace n;`, `using n::x;`, `namespace a = b;`: names are already resolved.
    Using(NameRef),
    /// `if`
    If {
        /// `if constexpr`: lowering drops the branch not taken before it looks at its meaning.
        constexpr: bool,
        /// `if (init; …)`
        init: Option<StmtId>,
        /// The condition.
        condition: Condition,
        /// Taken when true.
        then: StmtId,
        /// Taken when false.
        otherwise: Option<StmtId>,
    },
    /// `for (init; condition; step) body`
    For {
        /// A [`StmtKind::Locals`], [`StmtKind::Expr`], … or none.
        init: Option<StmtId>,
        /// Absent: true.
        condition: Option<Condition>,
        /// After each pass.
        step: Option<ExprId>,
        /// The body.
        body: StmtId,
        /// A pragma in front of the loop.
        unroll: Option<Unroll>,
    },
    /// `for (T x : range) body`
    RangeFor {
        /// `for (init; …`
        init: Option<StmtId>,
        /// A [`StmtKind::Locals`] of one local without initialiser, or a [`StmtKind::Bindings`].
        variable: StmtId,
        /// The range; a braced list is an [`crate::ExprKind::InitList`].
        range: ExprId,
        /// The body.
        body: StmtId,
        /// A pragma in front of the loop.
        unroll: Option<Unroll>,
    },
    /// `while (condition) body`
    While {
        /// The condition.
        condition: Condition,
        /// The body.
        body: StmtId,
        /// A pragma in front of the loop.
        unroll: Option<Unroll>,
    },
    /// `do body while (condition);`
    DoWhile {
        /// The body.
        body: StmtId,
        /// The condition.
        condition: ExprId,
        /// A pragma in front of the loop.
        unroll: Option<Unroll>,
    },
    /// `switch (condition) body`; the labels are [`StmtKind::Case`] and [`StmtKind::Default`]
    /// statements inside `body`, each a sibling that the next statements follow.
    Switch {
        /// `switch (init; …)`
        init: Option<StmtId>,
        /// The value.
        condition: Condition,
        /// Usually a block.
        body: StmtId,
    },
    /// `case a:`, `case a ... b:`. Only the label: what it labels is the next statement of the
    /// block.
    Case {
        /// The value.
        value: ExprId,
        /// The upper bound of a GNU range.
        upper: Option<ExprId>,
    },
    /// `default:`
    Default,
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `return e;`; a braced value is an [`crate::ExprKind::InitList`].
    Return(Option<ExprId>),
    /// `goto l;`
    Goto(Name),
    /// `l:`; what it labels is the next statement.
    Label(Name),
    /// `asm volatile("…" : … : … : …);`
    Asm(Box<InlineAssembly>),
    /// `static_assert(e, "…");`
    StaticAssert {
        /// The condition.
        condition: ExprId,
        /// The message, a literal.
        message: Option<ExprId>,
    },
    /// `try block catch (…) block`
    Try {
        /// The block tried.
        body: StmtId,
        /// The handlers.
        handlers: Vec<Handler>,
    },
    /// A call of an unknown macro whose arguments are no expressions (statements, types): the
    /// identifiers in it still have meanings, and launches in it are recorded. Host code only;
    /// in device code it is an [`StmtKind::Error`].
    MacroCall {
        /// The macro's name.
        name: Name,
        /// What could be read of the arguments, in order.
        parts: Vec<StmtId>,
    },
    /// Read, not modelled.
    Unsupported(&'static str),
    /// Not readable; reported. The function is poisoned.
    Error,
}

/// The condition of `if`, `while`, `for`, `switch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// An expression.
    Expr(ExprId),
    /// `T x = e`: its value is the condition.
    Local(LocalId),
}

/// `#pragma unroll` in front of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unroll {
    /// `#pragma unroll n`, `#pragma unroll (n)`; a template parameter is allowed. `None`: fully.
    pub count: Option<ExprId>,
    /// The pragma.
    pub origin: Origin,
}

/// A `catch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The exception; `None` for `catch (...)`.
    pub exception: Option<LocalId>,
    /// The block.
    pub body: StmtId,
}

/// `asm`
#[derive(Clone, Debug, PartialEq)]
pub struct InlineAssembly {
    /// `volatile`
    pub volatile: bool,
    /// The template, adjacent strings joined: an [`crate::ExprKind::Literal`].
    pub template: ExprId,
    /// The outputs.
    pub outputs: Vec<AsmOperand>,
    /// The inputs; operand numbers continue after the outputs.
    pub inputs: Vec<AsmOperand>,
    /// The clobbers.
    pub clobbers: Vec<Name>,
}

/// `[name] "constraint"(expression)`
#[derive(Clone, Debug, PartialEq)]
pub struct AsmOperand {
    /// The symbolic name.
    pub name: Option<Name>,
    /// The constraint, unquoted: `=r`, `+f`, `l`.
    pub constraint: Name,
    /// The operand.
    pub value: ExprId,
    /// Where.
    pub origin: Origin,
}

/// A variable of a function: parameter, local, structured binding, init-capture, exception.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// Its name; empty for an unnamed parameter.
    pub name: Name,
    /// What kind.
    pub kind: LocalKind,
    /// Its type; [`crate::TyKind::Auto`] for a binding.
    pub ty: TyId,
    /// Storage and the like.
    pub storage: Storage,
    /// How it is initialised; a parameter's default argument is a copy.
    pub initializer: Option<Initializer>,
    /// The name, or the type of an unnamed parameter.
    pub origin: Origin,
    /// The declarator's tokens with the initialiser.
    pub tokens: TokenRange,
}

/// What a [`Local`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LocalKind {
    /// A variable.
    Variable,
    /// A parameter of the function or of a lambda; by position in the list. A pack is one.
    Parameter(u16),
    /// A name of a structured binding; by position.
    Binding(u16),
    /// `[x = e]`
    InitCapture,
    /// `catch (E x)`
    Exception,
}

/// Specifiers of a variable, local or of namespace or record scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// `static`
    pub is_static: bool,
    /// `extern`
    pub is_extern: bool,
    /// `constexpr`, `constinit`
    pub constexpr: bool,
    /// `inline`
    pub inline: bool,
    /// `thread_local`
    pub thread_local: bool,
    /// `register`
    pub register: bool,
    /// `mutable` (fields)
    pub mutable: bool,
    /// `__shared__`
    pub shared: bool,
    /// `__constant__`
    pub constant: bool,
    /// `__device__`
    pub device: bool,
    /// `__managed__`
    pub managed: bool,
    /// `__grid_constant__` (kernel parameters)
    pub grid_constant: bool,
    /// `alignas(n)`, `__align__(n)`, `__attribute__((aligned(n)))`, in order: the largest holds.
    pub alignments: Vec<crate::Alignment>,
}
