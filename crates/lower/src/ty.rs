//! Concrete C++ types: what is left of a type as written once every template argument is known.
//!
//! A [`Type`] is a small copyable value: an interned [`Kind`] with the qualifiers of its outermost
//! level. It knows neither layouts (see [`crate::layout`]) nor address spaces: in C++ a pointer
//! does not say what memory it points into, so spaces are found when the IR is made.

use std::collections::HashMap;
use std::rc::Rc;

use port_hir::Builtin;
use port_ir::{Fragment, Scalar};
use port_syntax::Symbol;

use crate::context::{ClassId, EnumerationId};

/// An interned [`Kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(u32);

/// A type with the qualifiers of its outermost level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Type {
    pub(crate) id: TypeId,
    pub(crate) constant: bool,
    pub(crate) volatile: bool,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Builtin(Builtin),
    /// `__half`, `__nv_bfloat16`, `__nv_fp8_e4m3`, `__nv_fp8_e5m2`.
    Narrow(Scalar),
    /// A CUDA vector of 1 to 4 components, or `dim3` (which differs from `uint3` by its
    /// constructors).
    Vector {
        element: TypeId,
        count: u8,
        dim3: bool,
    },
    Pointer(Type),
    LValueReference(Type),
    RValueReference(Type),
    Array(Type, Option<u64>),
    Function(Rc<FunctionType>),
    MemberPointer(ClassId, Type),
    Class(ClassId),
    Enum(EnumerationId),
    /// A matrix fragment of `nvcuda::wmma`.
    Fragment(Fragment),
    /// A library's type that has no model here: host code may handle it, a kernel may not.
    Opaque(Symbol),
    /// `auto` that is not deduced yet.
    Auto,
    /// A parameter of a template made up to compare two templates (partial ordering).
    Placeholder(u32),
    /// A set of functions that is not called.
    Overload,
    /// The type of what could not be understood; already reported.
    Unknown,
}

/// A function's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FunctionType {
    pub(crate) parameters: Vec<Type>,
    pub(crate) result: Type,
    pub(crate) variadic: bool,
}

const BUILTINS: [Builtin; 23] = [
    Builtin::Void,
    Builtin::Bool,
    Builtin::Char,
    Builtin::SignedChar,
    Builtin::UnsignedChar,
    Builtin::WideChar,
    Builtin::Char8,
    Builtin::Char16,
    Builtin::Char32,
    Builtin::Short,
    Builtin::UnsignedShort,
    Builtin::Int,
    Builtin::UnsignedInt,
    Builtin::Long,
    Builtin::UnsignedLong,
    Builtin::LongLong,
    Builtin::UnsignedLongLong,
    Builtin::Int128,
    Builtin::UnsignedInt128,
    Builtin::Float,
    Builtin::Double,
    Builtin::LongDouble,
    Builtin::NullPointer,
];
const NARROW: [Scalar; 4] = [Scalar::F16, Scalar::Bf16, Scalar::F8E4M3, Scalar::F8E5M2];

impl TypeId {
    const fn plain(self) -> Type {
        Type { id: self, constant: false, volatile: false }
    }
}

impl Type {
    pub(crate) const VOID: Type = Type::builtin(Builtin::Void);
    pub(crate) const BOOL: Type = Type::builtin(Builtin::Bool);
    pub(crate) const CHAR: Type = Type::builtin(Builtin::Char);
    pub(crate) const INT: Type = Type::builtin(Builtin::Int);
    pub(crate) const UINT: Type = Type::builtin(Builtin::UnsignedInt);
    pub(crate) const LONG: Type = Type::builtin(Builtin::Long);
    pub(crate) const ULONG: Type = Type::builtin(Builtin::UnsignedLong);
    pub(crate) const FLOAT: Type = Type::builtin(Builtin::Float);
    pub(crate) const DOUBLE: Type = Type::builtin(Builtin::Double);
    pub(crate) const NULLPTR: Type = Type::builtin(Builtin::NullPointer);
    pub(crate) const HALF: Type = TypeId(BUILTINS.len() as u32).plain();
    pub(crate) const BFLOAT16: Type = TypeId(BUILTINS.len() as u32 + 1).plain();
    pub(crate) const FP8_E4M3: Type = TypeId(BUILTINS.len() as u32 + 2).plain();
    pub(crate) const FP8_E5M2: Type = TypeId(BUILTINS.len() as u32 + 3).plain();
    pub(crate) const UNKNOWN: Type = TypeId(BUILTINS.len() as u32 + 4).plain();
    pub(crate) const AUTO: Type = TypeId(BUILTINS.len() as u32 + 5).plain();
    pub(crate) const OVERLOAD: Type = TypeId(BUILTINS.len() as u32 + 6).plain();

    /// A fundamental type. Relies on [`Types::default`] interning them first, in order.
    pub(crate) const fn builtin(builtin: Builtin) -> Type {
        TypeId(builtin as u32).plain()
    }

    /// The narrow float of this format.
    pub(crate) fn narrow(scalar: Scalar) -> Type {
        match scalar {
            Scalar::Bf16 => Type::BFLOAT16,
            Scalar::F8E4M3 => Type::FP8_E4M3,
            Scalar::F8E5M2 => Type::FP8_E5M2,
            _ => Type::HALF,
        }
    }

    /// The type without `const` and `volatile`.
    pub(crate) fn unqualified(self) -> Type {
        self.id.plain()
    }

    pub(crate) fn with_const(self) -> Type {
        Type { constant: true, ..self }
    }

    /// With the qualifiers of both.
    pub(crate) fn qualified_as(self, other: Type) -> Type {
        Type {
            id: self.id,
            constant: self.constant || other.constant,
            volatile: self.volatile || other.volatile,
        }
    }

    pub(crate) fn is_unknown(self) -> bool {
        self.id == Type::UNKNOWN.id
    }

    /// Whether both are the same type, qualifiers aside.
    pub(crate) fn same(self, other: Type) -> bool {
        self.id == other.id
    }

    /// Whether this has at least the qualifiers of `other`.
    pub(crate) fn at_least_as_qualified(self, other: Type) -> bool {
        (self.constant || !other.constant) && (self.volatile || !other.volatile)
    }
}

/// All types of one lowering.
pub(crate) struct Types {
    kinds: Vec<Kind>,
    ids: HashMap<Kind, TypeId>,
}

impl Default for Types {
    fn default() -> Self {
        let mut types = Types { kinds: Vec::new(), ids: HashMap::new() };
        for builtin in BUILTINS {
            types.intern(Kind::Builtin(builtin));
        }
        for scalar in NARROW {
            types.intern(Kind::Narrow(scalar));
        }
        types.intern(Kind::Unknown);
        types.intern(Kind::Auto);
        types.intern(Kind::Overload);
        types
    }
}

impl Types {
    /// The unqualified type of a kind.
    pub(crate) fn intern(&mut self, kind: Kind) -> Type {
        if let Some(id) = self.ids.get(&kind) {
            return id.plain();
        }
        let id = TypeId(self.kinds.len() as u32);
        self.kinds.push(kind.clone());
        self.ids.insert(kind, id);
        id.plain()
    }

    pub(crate) fn kind(&self, ty: Type) -> &Kind {
        self.kinds.get(ty.id.0 as usize).unwrap_or(&Kind::Unknown)
    }

    pub(crate) fn pointer(&mut self, pointee: Type) -> Type {
        self.intern(Kind::Pointer(pointee))
    }

    /// `T &`; a reference to a reference collapses.
    pub(crate) fn lvalue_reference(&mut self, referee: Type) -> Type {
        match *self.kind(referee) {
            Kind::LValueReference(_) => referee.unqualified(),
            Kind::RValueReference(inner) => self.intern(Kind::LValueReference(inner)),
            _ => self.intern(Kind::LValueReference(referee)),
        }
    }

    /// `T &&`; a reference to a reference collapses.
    pub(crate) fn rvalue_reference(&mut self, referee: Type) -> Type {
        match *self.kind(referee) {
            Kind::LValueReference(_) | Kind::RValueReference(_) => referee.unqualified(),
            _ => self.intern(Kind::RValueReference(referee)),
        }
    }

    pub(crate) fn array(&mut self, element: Type, extent: Option<u64>) -> Type {
        self.intern(Kind::Array(element, extent))
    }

    pub(crate) fn vector(&mut self, element: Type, count: u8) -> Type {
        self.intern(Kind::Vector { element: element.id, count, dim3: false })
    }

    pub(crate) fn dim3(&mut self) -> Type {
        self.intern(Kind::Vector { element: Type::UINT.id, count: 3, dim3: true })
    }

    /// Adds qualifiers; those of an array go to its elements, a reference or function has none.
    pub(crate) fn qualify(&mut self, ty: Type, constant: bool, volatile: bool) -> Type {
        if !constant && !volatile {
            return ty;
        }
        match *self.kind(ty) {
            Kind::Array(element, extent) => {
                let element = self.qualify(element, constant, volatile);
                self.array(element, extent)
            }
            Kind::LValueReference(_) | Kind::RValueReference(_) | Kind::Function(_) => ty,
            _ => Type {
                id: ty.id,
                constant: ty.constant || constant,
                volatile: ty.volatile || volatile,
            },
        }
    }

    /// What a reference refers to; other types stay.
    pub(crate) fn strip_reference(&self, ty: Type) -> Type {
        match *self.kind(ty) {
            Kind::LValueReference(inner) | Kind::RValueReference(inner) => inner,
            _ => ty,
        }
    }

    pub(crate) fn is_reference(&self, ty: Type) -> bool {
        matches!(self.kind(ty), Kind::LValueReference(_) | Kind::RValueReference(_))
    }

    pub(crate) fn pointee(&self, ty: Type) -> Option<Type> {
        match *self.kind(ty) {
            Kind::Pointer(pointee) => Some(pointee),
            _ => None,
        }
    }

    pub(crate) fn class(&self, ty: Type) -> Option<ClassId> {
        match *self.kind(ty) {
            Kind::Class(class) => Some(class),
            _ => None,
        }
    }

    pub(crate) fn builtin(&self, ty: Type) -> Option<Builtin> {
        match *self.kind(ty) {
            Kind::Builtin(builtin) => Some(builtin),
            _ => None,
        }
    }

    /// The component type and number of components of a CUDA vector.
    pub(crate) fn vector_parts(&self, ty: Type) -> Option<(Type, u8)> {
        match *self.kind(ty) {
            Kind::Vector { element, count, .. } => Some((element.plain(), count)),
            _ => None,
        }
    }

    /// Whether a value of the type is one of IEEE's or AI's floats.
    pub(crate) fn is_floating(&self, ty: Type) -> bool {
        matches!(
            self.kind(ty),
            Kind::Narrow(_) | Kind::Builtin(Builtin::Float | Builtin::Double | Builtin::LongDouble)
        )
    }

    /// Whether it is an integer type in C++'s sense: `bool` and characters included, enumerations
    /// not.
    pub(crate) fn is_integral(&self, ty: Type) -> bool {
        matches!(self.kind(ty), Kind::Builtin(builtin) if builtin.is_integer())
    }

    /// Arithmetic in C++'s sense: half and the like are classes there, and are not.
    pub(crate) fn is_arithmetic(&self, ty: Type) -> bool {
        matches!(self.kind(ty), Kind::Builtin(builtin)
            if !matches!(builtin, Builtin::Void | Builtin::NullPointer))
    }

    pub(crate) fn is_narrow(&self, ty: Type) -> bool {
        matches!(self.kind(ty), Kind::Narrow(_))
    }

    pub(crate) fn is_pointer(&self, ty: Type) -> bool {
        matches!(self.kind(ty), Kind::Pointer(_))
    }

    pub(crate) fn is_void(&self, ty: Type) -> bool {
        ty.same(Type::VOID)
    }

    /// Whether `auto` occurs in the type.
    pub(crate) fn mentions_auto(&self, ty: Type) -> bool {
        match *self.kind(ty) {
            Kind::Auto => true,
            Kind::Pointer(inner)
            | Kind::LValueReference(inner)
            | Kind::RValueReference(inner)
            | Kind::Array(inner, _) => self.mentions_auto(inner),
            _ => false,
        }
    }

    /// The type with `auto` replaced.
    pub(crate) fn replace_auto(&mut self, ty: Type, by: Type) -> Type {
        let replaced = match *self.kind(ty) {
            Kind::Auto => return self.qualify(by, ty.constant, ty.volatile),
            Kind::Pointer(inner) => {
                let inner = self.replace_auto(inner, by);
                self.pointer(inner)
            }
            Kind::LValueReference(inner) => {
                let inner = self.replace_auto(inner, by);
                self.lvalue_reference(inner)
            }
            Kind::RValueReference(inner) => {
                let inner = self.replace_auto(inner, by);
                self.rvalue_reference(inner)
            }
            Kind::Array(inner, extent) => {
                let inner = self.replace_auto(inner, by);
                self.array(inner, extent)
            }
            _ => return ty,
        };
        replaced.qualified_as(ty)
    }

    /// The IR's scalar for a fundamental or narrow float type. `None` for void, 128-bit integers,
    /// `long double` (which is `double` in device code, but 16 bytes in a host's struct) and what
    /// is no scalar. Enumerations and pointers are the caller's to see to.
    pub(crate) fn scalar(&self, ty: Type) -> Option<Scalar> {
        let builtin = match *self.kind(ty) {
            Kind::Narrow(scalar) => return Some(scalar),
            Kind::Builtin(builtin) => builtin,
            _ => return None,
        };
        Some(match builtin {
            Builtin::Bool => Scalar::Bool,
            Builtin::Char | Builtin::SignedChar => Scalar::I8,
            Builtin::UnsignedChar | Builtin::Char8 => Scalar::U8,
            Builtin::Short => Scalar::I16,
            Builtin::UnsignedShort | Builtin::Char16 => Scalar::U16,
            Builtin::Int | Builtin::WideChar => Scalar::I32,
            Builtin::UnsignedInt | Builtin::Char32 => Scalar::U32,
            Builtin::Long | Builtin::LongLong => Scalar::I64,
            Builtin::UnsignedLong | Builtin::UnsignedLongLong => Scalar::U64,
            Builtin::Float => Scalar::F32,
            Builtin::Double => Scalar::F64,
            Builtin::Void
            | Builtin::Int128
            | Builtin::UnsignedInt128
            | Builtin::LongDouble
            | Builtin::NullPointer => return None,
        })
    }
}

/// The usual type of an IR scalar.
pub(crate) fn type_of_scalar(scalar: Scalar) -> Type {
    match scalar {
        Scalar::Bool => Type::BOOL,
        Scalar::I8 => Type::builtin(Builtin::SignedChar),
        Scalar::I16 => Type::builtin(Builtin::Short),
        Scalar::I32 => Type::INT,
        Scalar::I64 => Type::LONG,
        Scalar::U8 => Type::builtin(Builtin::UnsignedChar),
        Scalar::U16 => Type::builtin(Builtin::UnsignedShort),
        Scalar::U32 => Type::UINT,
        Scalar::U64 => Type::ULONG,
        Scalar::F32 => Type::FLOAT,
        Scalar::F64 => Type::DOUBLE,
        narrow => Type::narrow(narrow),
    }
}

/// C++'s integer conversion rank, for promotions and the usual arithmetic conversions.
pub(crate) fn integer_rank(builtin: Builtin) -> u8 {
    match builtin {
        Builtin::Bool => 0,
        Builtin::Char | Builtin::SignedChar | Builtin::UnsignedChar | Builtin::Char8 => 1,
        Builtin::Short | Builtin::UnsignedShort | Builtin::Char16 => 2,
        Builtin::Int | Builtin::UnsignedInt | Builtin::WideChar | Builtin::Char32 => 3,
        Builtin::Long | Builtin::UnsignedLong => 4,
        Builtin::LongLong | Builtin::UnsignedLongLong => 5,
        Builtin::Int128 | Builtin::UnsignedInt128 => 6,
        _ => 0,
    }
}

/// Whether an integer type is signed (`char` is, on x86).
pub(crate) fn is_signed(builtin: Builtin) -> bool {
    matches!(
        builtin,
        Builtin::Char
            | Builtin::SignedChar
            | Builtin::Short
            | Builtin::Int
            | Builtin::WideChar
            | Builtin::Long
            | Builtin::LongLong
            | Builtin::Int128
    )
}

/// Bytes of a fundamental type on 64-bit Linux.
pub(crate) fn builtin_size(builtin: Builtin) -> u64 {
    match builtin {
        Builtin::Void => 1,
        Builtin::Bool
        | Builtin::Char
        | Builtin::SignedChar
        | Builtin::UnsignedChar
        | Builtin::Char8 => 1,
        Builtin::Short | Builtin::UnsignedShort | Builtin::Char16 => 2,
        Builtin::Int
        | Builtin::UnsignedInt
        | Builtin::WideChar
        | Builtin::Char32
        | Builtin::Float => 4,
        Builtin::Int128 | Builtin::UnsignedInt128 | Builtin::LongDouble => 16,
        Builtin::Long
        | Builtin::UnsignedLong
        | Builtin::LongLong
        | Builtin::UnsignedLongLong
        | Builtin::Double
        | Builtin::NullPointer => 8,
    }
}

/// The unsigned type of the same size.
pub(crate) fn make_unsigned(builtin: Builtin) -> Builtin {
    match builtin {
        Builtin::Char | Builtin::SignedChar => Builtin::UnsignedChar,
        Builtin::Short => Builtin::UnsignedShort,
        Builtin::Int | Builtin::WideChar => Builtin::UnsignedInt,
        Builtin::Long => Builtin::UnsignedLong,
        Builtin::LongLong => Builtin::UnsignedLongLong,
        Builtin::Int128 => Builtin::UnsignedInt128,
        other => other,
    }
}

/// The signed type of the same size.
pub(crate) fn make_signed(builtin: Builtin) -> Builtin {
    match builtin {
        Builtin::Char | Builtin::UnsignedChar | Builtin::Char8 => Builtin::SignedChar,
        Builtin::UnsignedShort | Builtin::Char16 => Builtin::Short,
        Builtin::UnsignedInt | Builtin::Char32 => Builtin::Int,
        Builtin::UnsignedLong => Builtin::Long,
        Builtin::UnsignedLongLong => Builtin::LongLong,
        Builtin::UnsignedInt128 => Builtin::Int128,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fundamental_types_are_interned_in_order() {
        let mut types = Types::default();
        for builtin in BUILTINS {
            assert_eq!(types.intern(Kind::Builtin(builtin)), Type::builtin(builtin));
        }
        assert_eq!(types.kind(Type::BFLOAT16), &Kind::Narrow(Scalar::Bf16));
        assert_eq!(types.kind(Type::UNKNOWN), &Kind::Unknown);
        assert_eq!(types.kind(Type::OVERLOAD), &Kind::Overload);
    }

    #[test]
    fn references_collapse() {
        let mut types = Types::default();
        let left = types.lvalue_reference(Type::INT);
        let right = types.rvalue_reference(Type::INT);
        assert_eq!(types.rvalue_reference(left), left);
        assert_eq!(types.lvalue_reference(right), left);
        assert_eq!(types.rvalue_reference(right), right);
    }

    #[test]
    fn qualifiers_of_an_array_are_its_elements() {
        let mut types = Types::default();
        let array = types.array(Type::INT, Some(3));
        let constant = types.qualify(array, true, false);
        assert_eq!(types.kind(constant), &Kind::Array(Type::INT.with_const(), Some(3)));
        assert!(!constant.constant);
    }
}
