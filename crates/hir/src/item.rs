//! Items: functions, records, variables, aliases, enumerations, namespaces, launches, explicit
//! instantiations.

use port_diag::Origin;

use crate::{
    Builtin, ExprId, FunctionId, Initializer, LocalId, Name, NameRef, NamespaceId, RecordId,
    StmtId, Storage, TemplateArgument, TokenRange, TyId, VariableId,
};

/// The scope that declares an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Parent {
    /// A namespace; the global one is [`crate::Module::global`].
    Namespace(NamespaceId),
    /// A record.
    Record(RecordId),
    /// The body of a function (local records, aliases, functions).
    Function(FunctionId),
}

/// A function, function template, method, constructor …: one per entity. A declaration and its
/// definition are one function; the definition's parameters and specifiers are added to the
/// declaration's, default arguments of either are on the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// The unqualified name.
    pub name: Name,
    /// What kind.
    pub kind: FunctionKind,
    /// Where it is declared; for an out-of-class definition, the record.
    pub parent: Parent,
    /// Of a friend that a class declares first: the class, whose template parameters it may name.
    pub friend_of: Option<RecordId>,
    /// `None`: not a template itself (its record may be one). An explicit specialisation has none.
    pub template_parameters: Option<TemplateParameterList>,
    /// `requires` clause or other constraint, kept as text: never checked.
    pub constrained: bool,
    /// Template parameter lists around it (its records' and its own): the depth of its own list is
    /// one less when it has one.
    pub template_depth: u16,
    /// `template <> void f<int>(…)`: the arguments. A specialisation takes no part in overload
    /// resolution: it is in no overload set, only in its template's `specialisations`.
    pub specialisation: Option<Specialisation>,
    /// Of a template: the explicit specialisations of the templates of its name with as many
    /// parameters, in order. Which of the overloads each belongs to is for deduction to see.
    pub specialisations: Vec<FunctionId>,
    /// Parameters, in order.
    pub parameters: Vec<LocalId>,
    /// Whether the parameters end in `...` of C.
    pub variadic: bool,
    /// The return type, a trailing one included; [`crate::TyKind::None`] for constructors and the
    /// like.
    pub return_type: TyId,
    /// Specifiers.
    pub qualifiers: FunctionQualifiers,
    /// `: a(1), b{2}` of a constructor.
    pub initializers: Vec<MemberInitializer>,
    /// The definition.
    pub body: Body,
    /// The name in the definition if there is one, else in the first declaration.
    pub origin: Origin,
    /// The whole definition (or first declaration), template header and specifiers included.
    pub tokens: TokenRange,
    /// All declarations in view, the definition included, in order: the name of each.
    pub declarations: Vec<Origin>,
    /// Why the function cannot be used, if so.
    pub poison: Option<Poison>,
}

impl Function {
    /// Whether it is a `__global__` function.
    pub fn is_kernel(&self) -> bool {
        self.qualifiers.global
    }

    /// Whether device code may call it: `__device__`, `__global__`, `constexpr` (by
    /// `--expt-relaxed-constexpr`), or defaulted.
    pub fn is_device(&self) -> bool {
        self.qualifiers.device
            || self.qualifiers.global
            || self.qualifiers.constexpr
            || matches!(self.body, Body::Defaulted)
    }
}

/// What kind of function.
#[derive(Clone, Debug, PartialEq)]
pub enum FunctionKind {
    /// A function of a namespace, a friend, or a static or plain member function.
    Ordinary,
    /// `operator+` and the like: the text after `operator`, without blanks.
    Operator(Name),
    /// `operator T()`
    Conversion(TyId),
    /// A constructor.
    Constructor,
    /// A destructor.
    Destructor,
    /// `A(int) -> A<int>`
    DeductionGuide,
    /// `operator""_x`
    Literal(Name),
}

/// What follows a function's declarator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Only declared.
    None,
    /// Defined by a block. A `try` block of the whole function is a block that holds one `try`.
    Block(StmtId),
    /// `= default`
    Defaulted,
    /// `= delete`
    Deleted,
    /// `= 0`
    Pure,
}

/// Specifiers of a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionQualifiers {
    /// `__global__`
    pub global: bool,
    /// `__device__`
    pub device: bool,
    /// `__host__`
    pub host: bool,
    /// `static`
    pub is_static: bool,
    /// `extern`, `extern "C"`
    pub is_extern: bool,
    /// Declared under `extern "C"`.
    pub c_linkage: bool,
    /// `inline`
    pub inline: bool,
    /// `__forceinline__` and its spellings
    pub force_inline: bool,
    /// `__noinline__` and its spellings
    pub no_inline: bool,
    /// `constexpr`, `consteval`
    pub constexpr: bool,
    /// `explicit`
    pub explicit: bool,
    /// `virtual`
    pub is_virtual: bool,
    /// `friend`: declared in a record, a member of the namespace around it.
    pub friend: bool,
    /// `const` after the parameters
    pub const_this: bool,
    /// `volatile` after the parameters
    pub volatile_this: bool,
    /// `&` or `&&` after the parameters
    pub reference: Option<ReferenceQualifier>,
    /// `noexcept`, `noexcept(e)`, `throw()`; the condition is not kept.
    pub noexcept: bool,
    /// `override`
    pub is_override: bool,
    /// `final`
    pub is_final: bool,
    /// `[[noreturn]]`
    pub noreturn: bool,
    /// `__launch_bounds__(max threads, min blocks, max cluster)`
    pub launch_bounds: Vec<ExprId>,
    /// `__cluster_dims__(x, y, z)`
    pub cluster_dims: Vec<ExprId>,
    /// `__maxnreg__(n)`
    pub max_registers: Option<ExprId>,
}

/// `f() &`, `f() &&`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum ReferenceQualifier {
    LValue,
    RValue,
}

/// One entry of a constructor's initialiser list.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberInitializer {
    /// What is initialised.
    pub target: InitializerTarget,
    /// With what: never [`Initializer::Copy`].
    pub value: Initializer,
    /// Whether `...` follows (bases of a pack).
    pub pack: bool,
    /// The name.
    pub origin: Origin,
}

/// What a [`MemberInitializer`] initialises.
#[derive(Clone, Debug, PartialEq)]
pub enum InitializerTarget {
    /// A field of the record, by position in [`Record::fields`].
    Field(u32),
    /// A base, or the record itself (a delegating constructor).
    Type(TyId),
    /// A name that is neither.
    Unresolved(Name),
}

/// `template <…>`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateParameterList {
    /// The depth that [`crate::TemplateParameterRef`]s to it have.
    pub depth: u16,
    /// The parameters; abbreviated ones (`auto x`) at the end.
    pub parameters: Vec<TemplateParameter>,
}

/// A template parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateParameter {
    /// Its name; empty when unnamed.
    pub name: Name,
    /// What it takes.
    pub kind: TemplateParameterKind,
    /// `...`
    pub pack: bool,
    /// Where.
    pub origin: Origin,
}

/// What a template parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateParameterKind {
    /// `typename T = int`; also a concept's name instead of `typename`.
    Type {
        /// The default.
        default: Option<TyId>,
    },
    /// `int N = 3`, `auto V`
    Value {
        /// The type; [`crate::TyKind::Auto`] for `auto`.
        ty: TyId,
        /// The default.
        default: Option<ExprId>,
    },
    /// `template <typename> class C = D`
    Template {
        /// Its own parameters, at the next depth.
        parameters: TemplateParameterList,
        /// The default: a template's name.
        default: Option<TyId>,
    },
    /// `auto x` of a parameter.
    Abbreviated,
}

/// Arguments of an explicit or partial specialisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Specialisation {
    /// The arguments; fewer than the parameters when the rest is deduced or defaulted.
    pub arguments: Vec<TemplateArgument>,
    /// For a member of a class template, specialised outside it
    /// (`template <> int A<float>::f()`): the arguments of the class.
    pub record_arguments: Vec<TemplateArgument>,
}

/// A struct, class or union.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name; empty when anonymous.
    pub name: Name,
    /// `struct`, `class` or `union`.
    pub kind: RecordKind,
    /// Where it is declared.
    pub parent: Parent,
    /// Of a class template or partial specialisation.
    pub template_parameters: Option<TemplateParameterList>,
    /// As for [`Function::template_depth`].
    pub template_depth: u16,
    /// Of an explicit or partial specialisation.
    pub specialisation: Option<Specialisation>,
    /// The template that this one specialises.
    pub primary: Option<RecordId>,
    /// The specialisations of this template, in order of declaration.
    pub specialisations: Vec<RecordId>,
    /// Base classes, in order.
    pub bases: Vec<Base>,
    /// Data members that are not static, in order.
    pub fields: Vec<Field>,
    /// Constructors, destructor, methods, operators, conversions, in order; static ones included.
    pub methods: Vec<FunctionId>,
    /// Static data members.
    pub variables: Vec<VariableId>,
    /// Nested types, in order.
    pub types: Vec<NestedType>,
    /// `alignas`, `__align__`, `__attribute__((aligned))`: the largest holds.
    pub alignments: Vec<Alignment>,
    /// `__attribute__((packed))` or `#pragma pack`
    pub packed: bool,
    /// Whether the definition is in view.
    pub defined: bool,
    /// The name in the definition, else in the first declaration; the keyword when anonymous.
    pub origin: Origin,
    /// The definition.
    pub tokens: TokenRange,
    /// Why the record cannot be used, if so.
    pub poison: Option<Poison>,
}

/// `struct`, `class`, `union`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum RecordKind {
    Struct,
    Class,
    Union,
}

/// A base class.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// The type.
    pub ty: TyId,
    /// `virtual`
    pub is_virtual: bool,
    /// `Bases...`
    pub pack: bool,
}

/// A data member.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name. Empty for an unnamed bit-field, and for an anonymous struct or union, whose
    /// members are found through it.
    pub name: Name,
    /// Its type.
    pub ty: TyId,
    /// Specifiers.
    pub storage: Storage,
    /// The width of a bit-field.
    pub width: Option<ExprId>,
    /// `= e` or `{e}`
    pub initializer: Option<Initializer>,
    /// The name.
    pub origin: Origin,
}

/// A type declared in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum NestedType {
    Record(RecordId),
    Enum(crate::EnumId),
    Alias(crate::AliasId),
}

/// An alignment: of a number of bytes or of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// Bytes.
    Value(ExprId),
    /// As the type.
    Type(TyId),
}

/// A variable of namespace scope, a static data member or a variable template.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub parent: Parent,
    /// Of a variable template.
    pub template_parameters: Option<TemplateParameterList>,
    /// As for [`Function::template_depth`].
    pub template_depth: u16,
    /// Of a specialisation of a variable template.
    pub specialisation: Option<Specialisation>,
    /// The specialisations of this variable template.
    pub specialisations: Vec<VariableId>,
    /// Its type.
    pub ty: TyId,
    /// `__constant__`, `__device__`, `__shared__`, `__managed__`, `static`, `constexpr` …
    pub storage: Storage,
    /// How it is initialised.
    pub initializer: Option<Initializer>,
    /// The name.
    pub origin: Origin,
    /// The declarator with its initialiser.
    pub tokens: TokenRange,
}

/// `using X = T;`, `typedef T X;`, alias templates, and `using Base::x` of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub parent: Parent,
    /// Of an alias template.
    pub template_parameters: Option<TemplateParameterList>,
    /// As for [`Function::template_depth`].
    pub template_depth: u16,
    /// What it stands for.
    pub ty: TyId,
    /// The name.
    pub origin: Origin,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq)]
pub struct Enum {
    /// Its name; empty when anonymous.
    pub name: Name,
    /// Where it is declared.
    pub parent: Parent,
    /// `enum class`
    pub scoped: bool,
    /// `: T`
    pub underlying: Option<TyId>,
    /// The enumerators, in order.
    pub constants: Vec<EnumConstant>,
    /// The name, or the keyword.
    pub origin: Origin,
}

/// An enumerator.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumConstant {
    /// Its name.
    pub name: Name,
    /// `= e`; else one more than the one before, or 0.
    pub value: Option<ExprId>,
    /// The name.
    pub origin: Origin,
}

/// A namespace. All its parts in view are one.
#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {
    /// Its name; empty for the global and for anonymous ones.
    pub name: Name,
    /// The one around it; `None` for the global one.
    pub parent: Option<NamespaceId>,
    /// Anonymous or `inline`: its names are visible in the parent.
    pub transparent: bool,
}

/// `k<<<grid, block, shared, stream>>>(arguments)`
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The kernel: a name with its template arguments, or a pointer to one.
    pub callee: ExprId,
    /// The first value of the configuration.
    pub grid: Option<ExprId>,
    /// The second.
    pub block: Option<ExprId>,
    /// The third: dynamic shared memory in bytes.
    pub shared: Option<ExprId>,
    /// The fourth.
    pub stream: Option<ExprId>,
    /// The arguments of the kernel.
    pub arguments: Vec<ExprId>,
    /// The tokens between `<<<` and `>>>`, which are left out.
    pub configuration: TokenRange,
    /// The whole launch.
    pub tokens: TokenRange,
    /// Where.
    pub origin: Origin,
    /// The function that launches; `None` at namespace scope (an unknown macro's argument).
    pub function: Option<FunctionId>,
}

/// A kernel named without being launched by `<<<>>>`: its address in `cudaLaunchKernel(…)`,
/// `cudaFuncSetAttribute(k<float>, …)`, `auto k = &kernel<T>;`.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelUse {
    /// The name: its resolution is an overload set that holds a kernel.
    pub name: ExprId,
    /// The API call that it is an argument of, if so.
    pub call: Option<Name>,
    /// The function that holds the use.
    pub function: Option<FunctionId>,
}

/// `template void k<float>(…);`, `template class C<int>;`, `extern template …`
#[derive(Clone, Debug, PartialEq)]
pub struct ExplicitInstantiation {
    /// What is instantiated: the name with its arguments and resolution.
    pub name: NameRef,
    /// The types of the parameters, for a function.
    pub parameters: Option<Vec<TyId>>,
    /// `extern template`
    pub is_extern: bool,
    /// Where.
    pub origin: Origin,
    /// The whole item.
    pub tokens: TokenRange,
}

/// A namespace-scope item that is none of the others: `static_assert`, `asm`, an unknown macro's
/// call. Kept so that its identifiers have meanings.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherItem {
    /// A statement that holds it.
    pub stmt: StmtId,
    /// Where it stands.
    pub parent: Parent,
}

/// Why an item cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poison {
    /// The code of the finding that says why, `P02xx`. In device code the finding is among the
    /// module's; in host code there is none: whoever needs the item reports it.
    pub code: &'static str,
    /// The place.
    pub origin: Origin,
}

impl Builtin {
    /// Whether the type is an integer, `bool` and characters included.
    pub fn is_integer(self) -> bool {
        !matches!(
            self,
            Builtin::Void
                | Builtin::Float
                | Builtin::Double
                | Builtin::LongDouble
                | Builtin::NullPointer
        )
    }
}
