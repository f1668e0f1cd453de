//! Types as written, names resolved. Nothing is substituted and no layout is known here.

use port_diag::Origin;

use crate::{ExprId, NameRef, TemplateParameterRef, TokenRange, TyId};

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub struct Ty {
    /// What it is.
    pub kind: TyKind,
    /// `const`, `volatile`, `__restrict__` of this level: of the pointer for a
    /// [`TyKind::Pointer`], of the pointee for its element.
    pub qualifiers: Qualifiers,
    /// Where it is written; for a type made by a declarator (`int *a[3]`) the declarator's part.
    pub origin: Origin,
    /// The tokens, as far as they are contiguous.
    pub tokens: TokenRange,
}

/// Qualifiers of a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Qualifiers {
    /// `const`
    pub constant: bool,
    /// `volatile`
    pub volatile: bool,
    /// `__restrict__` and its spellings
    pub restrict: bool,
}

impl Qualifiers {
    /// No qualifier.
    pub const NONE: Qualifiers = Qualifiers { constant: false, volatile: false, restrict: false };

    /// Both sets together.
    pub fn union(self, other: Qualifiers) -> Qualifiers {
        Qualifiers {
            constant: self.constant || other.constant,
            volatile: self.volatile || other.volatile,
            restrict: self.restrict || other.restrict,
        }
    }
}

/// What a type is.
#[derive(Clone, Debug, PartialEq)]
pub enum TyKind {
    /// A fundamental type. The fixed-width and size names of the C library (`uint32_t`, `size_t`,
    /// `int64_t` …, with or without `std::`) are resolved to what they are on 64-bit Linux, where
    /// nvcc runs; the spelling is in the tokens.
    Builtin(Builtin),
    /// `auto`, to be deduced from an initialiser or from the body.
    Auto,
    /// `decltype(auto)`
    DecltypeAuto,
    /// `decltype(e)`; also `typeof(e)`.
    Decltype(ExprId),
    /// `auto` of a parameter: an unnamed template parameter.
    AbbreviatedParameter(TemplateParameterRef),
    /// A named type: record, enumeration, alias, template parameter, API type (`float4`, `half`,
    /// `cudaStream_t`), library or unknown type. A class template without arguments is deduced from
    /// an initialiser, or passed to a template template parameter.
    Named(NameRef),
    /// `T *`
    Pointer(TyId),
    /// `T &`
    LValueReference(TyId),
    /// `T &&`; whether it is a forwarding reference is for deduction to see.
    RValueReference(TyId),
    /// `T C::*`
    MemberPointer {
        /// `C`
        class: Box<NameRef>,
        /// `T`
        pointee: TyId,
    },
    /// `T [n]`, `T []`
    Array {
        /// `T`
        element: TyId,
        /// `n`; `None` for `[]`.
        extent: Option<ExprId>,
    },
    /// A function type: the pointee of a function pointer, or `R(A, B)` as a template argument.
    Function {
        /// Types of the parameters.
        parameters: Vec<TyId>,
        /// Whether it ends in `...`.
        variadic: bool,
        /// The return type.
        result: TyId,
    },
    /// `T...`
    PackExpansion(TyId),
    /// No type where one is optional: a constructor's, destructor's or conversion's return type.
    None,
    /// A type that is read but not modelled (`_Complex`, `__underlying_type`).
    Unsupported(&'static str),
    /// Not readable; reported.
    Error,
}

/// A fundamental type of C++ as nvcc has it on 64-bit Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Builtin {
    Void,
    Bool,
    Char,
    SignedChar,
    UnsignedChar,
    WideChar,
    Char8,
    Char16,
    Char32,
    Short,
    UnsignedShort,
    Int,
    UnsignedInt,
    Long,
    UnsignedLong,
    LongLong,
    UnsignedLongLong,
    Int128,
    UnsignedInt128,
    Float,
    Double,
    LongDouble,
    /// `std::nullptr_t`
    NullPointer,
}

impl Builtin {
    /// The C++ spelling.
    pub fn spelling(self) -> &'static str {
        match self {
            Builtin::Void => "void",
            Builtin::Bool => "bool",
            Builtin::Char => "char",
            Builtin::SignedChar => "signed char",
            Builtin::UnsignedChar => "unsigned char",
            Builtin::WideChar => "wchar_t",
            Builtin::Char8 => "char8_t",
            Builtin::Char16 => "char16_t",
            Builtin::Char32 => "char32_t",
            Builtin::Short => "short",
            Builtin::UnsignedShort => "unsigned short",
            Builtin::Int => "int",
            Builtin::UnsignedInt => "unsigned int",
            Builtin::Long => "long",
            Builtin::UnsignedLong => "unsigned long",
            Builtin::LongLong => "long long",
            Builtin::UnsignedLongLong => "unsigned long long",
            Builtin::Int128 => "__int128",
            Builtin::UnsignedInt128 => "unsigned __int128",
            Builtin::Float => "float",
            Builtin::Double => "double",
            Builtin::LongDouble => "long double",
            Builtin::NullPointer => "std::nullptr_t",
        }
    }
}
