//! The scalar types of generated programs, with C++'s promotions and conversions.

use super::tree::Range;

/// A scalar type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Type {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    F16,
    BF16,
}

use Type::*;

impl Type {
    /// The integer types but `bool`.
    pub const INTEGERS: [Type; 8] = [I8, U8, I16, U16, I32, U32, I64, U64];

    /// The name in C++.
    pub const fn name(self) -> &'static str {
        match self {
            Bool => "bool",
            I8 => "signed char",
            U8 => "unsigned char",
            I16 => "short",
            U16 => "unsigned short",
            I32 => "int",
            U32 => "unsigned",
            I64 => "long long",
            U64 => "unsigned long long",
            F32 => "float",
            F64 => "double",
            F16 => "__half",
            BF16 => "__nv_bfloat16",
        }
    }

    /// The name in a spec.
    pub const fn dtype(self) -> &'static str {
        match self {
            Bool => "bool",
            I8 => "i8",
            U8 => "u8",
            I16 => "i16",
            U16 => "u16",
            I32 => "i32",
            U32 => "u32",
            I64 => "i64",
            U64 => "u64",
            F32 => "f32",
            F64 => "f64",
            F16 => "f16",
            BF16 => "bf16",
        }
    }

    /// Whether it is `bool` or an integer.
    pub const fn is_integer(self) -> bool {
        !matches!(self, F32 | F64 | F16 | BF16)
    }

    /// Whether it is `float` or `double`.
    pub const fn is_float(self) -> bool {
        matches!(self, F32 | F64)
    }

    /// Bits of an integer.
    pub const fn bits(self) -> u32 {
        match self {
            Bool => 1,
            I8 | U8 => 8,
            I16 | U16 | F16 | BF16 => 16,
            I32 | U32 | F32 => 32,
            _ => 64,
        }
    }

    /// Whether negative values exist.
    pub const fn is_signed(self) -> bool {
        matches!(self, I8 | I16 | I32 | I64)
    }

    /// The values of an integer type.
    pub const fn range(self) -> Range {
        let bits = self.bits();
        if self.is_signed() {
            (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        } else {
            (0, (1 << bits) - 1)
        }
    }

    /// After the integral promotions.
    pub const fn promoted(self) -> Type {
        match self {
            Bool | I8 | U8 | I16 | U16 => I32,
            other => other,
        }
    }

    /// After the usual arithmetic conversions.
    pub fn common(self, other: Type) -> Type {
        if self == F64 || other == F64 {
            return F64;
        }
        if self == F32 || other == F32 {
            return F32;
        }
        let (a, b) = (self.promoted(), other.promoted());
        if a.bits() != b.bits() {
            return if a.bits() > b.bits() { a } else { b };
        }
        if a.is_signed() { b } else { a }
    }

    /// The unsigned type of the same width.
    pub const fn unsigned(self) -> Type {
        match self {
            I8 => U8,
            I16 => U16,
            I32 => U32,
            I64 => U64,
            other => other,
        }
    }

    /// The values of `range` after conversion to this type.
    pub fn converted(self, range: Range) -> Range {
        if self == Bool {
            let zero = range.0 <= 0 && 0 <= range.1;
            return (if zero { 0 } else { 1 }, if range == (0, 0) { 0 } else { 1 });
        }
        let own = self.range();
        if own.0 <= range.0 && range.1 <= own.1 { range } else { own }
    }

    /// A small literal of exactly this type.
    pub fn literal(self, value: i128) -> String {
        match self {
            Bool => (if value == 0 { "false" } else { "true" }).to_owned(),
            I32 => format!("{value}"),
            U32 => format!("{value}u"),
            I64 => format!("{value}ll"),
            U64 => format!("{value}ull"),
            F32 => format!("{value}.0f"),
            F64 => format!("{value}.0"),
            F16 => format!("__float2half({value}.0f)"),
            BF16 => format!("__float2bfloat16({value}.0f)"),
            other => format!("({})({value})", other.name()),
        }
    }
}
