//! Types and their layout in memory.
//!
//! A [`Type`] is a small copyable value; arrays and structs, which have parts, live in [`Types`]
//! and are named by handle. Pointers do not say what they point at: each access does.

use crate::arena::{Arena, Handle};
use port_diag::Origin;

/// A number, or a truth value. Integers are two's complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// `false` or `true`; one byte in memory, 0 or 1.
    Bool,
    /// Signed, 8 bits.
    I8,
    /// Signed, 16 bits.
    I16,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// IEEE 754 binary16.
    F16,
    /// bfloat16: the upper half of a binary32.
    Bf16,
    /// 8-bit float, 4 exponent bits, 3 fraction bits, no infinities (OCP E4M3).
    F8E4M3,
    /// 8-bit float, 5 exponent bits, 2 fraction bits (OCP E5M2).
    F8E5M2,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl Scalar {
    /// Every scalar, in declaration order.
    pub const ALL: [Scalar; 15] = [
        Scalar::Bool,
        Scalar::I8,
        Scalar::I16,
        Scalar::I32,
        Scalar::I64,
        Scalar::U8,
        Scalar::U16,
        Scalar::U32,
        Scalar::U64,
        Scalar::F16,
        Scalar::Bf16,
        Scalar::F8E4M3,
        Scalar::F8E5M2,
        Scalar::F32,
        Scalar::F64,
    ];

    /// Bytes in memory; also the alignment.
    pub fn size(self) -> u64 {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 | Scalar::F8E4M3 | Scalar::F8E5M2 => 1,
            Scalar::I16 | Scalar::U16 | Scalar::F16 | Scalar::Bf16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
        }
    }

    /// Bits of the value: 1 for `Bool`.
    pub fn bits(self) -> u32 {
        if self == Scalar::Bool { 1 } else { self.size() as u32 * 8 }
    }

    /// Whether it is a signed or unsigned integer (not `Bool`).
    pub fn is_integer(self) -> bool {
        self.is_signed() || self.is_unsigned()
    }

    /// Whether it is a signed integer.
    pub fn is_signed(self) -> bool {
        matches!(self, Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
    }

    /// Whether it is an unsigned integer (not `Bool`).
    pub fn is_unsigned(self) -> bool {
        matches!(self, Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64)
    }

    /// Whether it is a floating-point number.
    pub fn is_float(self) -> bool {
        !self.is_integer() && self != Scalar::Bool
    }

    /// The spelling in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "i8",
            Scalar::I16 => "i16",
            Scalar::I32 => "i32",
            Scalar::I64 => "i64",
            Scalar::U8 => "u8",
            Scalar::U16 => "u16",
            Scalar::U32 => "u32",
            Scalar::U64 => "u64",
            Scalar::F16 => "f16",
            Scalar::Bf16 => "bf16",
            Scalar::F8E4M3 => "f8e4m3",
            Scalar::F8E5M2 => "f8e5m2",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
        }
    }
}

/// The memory that a pointer points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Memory that all threads of all launches share.
    Global,
    /// Memory that the threads of one block share while the block runs.
    Shared,
    /// Read-only memory that the host writes before the launch.
    Constant,
    /// Memory of one thread.
    Local,
    /// The kernel's parameters: read-only, the same for all threads.
    Parameter,
    /// One of the others, known only when the code runs.
    Generic,
}

impl Space {
    /// Every space, in declaration order.
    pub const ALL: [Space; 6] = [
        Space::Global,
        Space::Shared,
        Space::Constant,
        Space::Local,
        Space::Parameter,
        Space::Generic,
    ];

    /// The spelling in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Space::Global => "global",
            Space::Shared => "shared",
            Space::Constant => "constant",
            Space::Local => "local",
            Space::Parameter => "parameter",
            Space::Generic => "generic",
        }
    }

    /// Whether a kernel may store through a pointer of this space.
    pub fn is_writable(self) -> bool {
        !matches!(self, Space::Constant | Space::Parameter)
    }
}

/// Number of components of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VectorSize {
    /// `x y`
    Two,
    /// `x y z`
    Three,
    /// `x y z w`
    Four,
}

impl VectorSize {
    /// 2, 3 or 4.
    pub fn count(self) -> u32 {
        match self {
            VectorSize::Two => 2,
            VectorSize::Three => 3,
            VectorSize::Four => 4,
        }
    }

    /// The size with this many components.
    pub fn from_count(count: u32) -> Option<Self> {
        match count {
            2 => Some(VectorSize::Two),
            3 => Some(VectorSize::Three),
            4 => Some(VectorSize::Four),
            _ => None,
        }
    }
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// One number or truth value.
    Scalar(Scalar),
    /// A short vector, laid out and aligned as CUDA's (`float4`, `half2`, …).
    Vector(Scalar, VectorSize),
    /// An address of 8 bytes.
    Pointer(Space),
    /// A fixed number of equal parts.
    Array(Handle<Array>),
    /// Named parts at byte offsets.
    Struct(Handle<Struct>),
    /// A matrix tile that the lanes of a warp hold together. It has no byte layout.
    Fragment(Fragment),
}

impl Type {
    /// `bool`
    pub const BOOL: Type = Type::Scalar(Scalar::Bool);
    /// `i32`
    pub const I32: Type = Type::Scalar(Scalar::I32);
    /// `i64`
    pub const I64: Type = Type::Scalar(Scalar::I64);
    /// `u32`
    pub const U32: Type = Type::Scalar(Scalar::U32);
    /// `u64`
    pub const U64: Type = Type::Scalar(Scalar::U64);
    /// `f32`
    pub const F32: Type = Type::Scalar(Scalar::F32);
    /// `f64`
    pub const F64: Type = Type::Scalar(Scalar::F64);

    /// The scalar of a scalar or of a vector's components.
    pub fn scalar(self) -> Option<Scalar> {
        match self {
            Type::Scalar(scalar) | Type::Vector(scalar, _) => Some(scalar),
            _ => None,
        }
    }

    /// The same shape (scalar or vector) with another scalar; other types stay.
    pub fn with_scalar(self, scalar: Scalar) -> Type {
        match self {
            Type::Scalar(_) => Type::Scalar(scalar),
            Type::Vector(_, size) => Type::Vector(scalar, size),
            other => other,
        }
    }

    /// The space of a pointer.
    pub fn space(self) -> Option<Space> {
        match self {
            Type::Pointer(space) => Some(space),
            _ => None,
        }
    }
}

/// `length` values of `element`, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Array {
    /// The type of each part.
    pub element: Type,
    /// How many.
    pub length: u64,
}

/// A struct, class or union. The offsets are given, so that a union is a struct whose members
/// overlap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Struct {
    /// The user's name, with its template arguments.
    pub name: String,
    /// In declaration order.
    pub members: Vec<Member>,
    /// Bytes, padding at the end included.
    pub size: u64,
    /// Bytes, a power of two.
    pub align: u64,
}

/// A part of a [`Struct`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// The user's name; empty for an anonymous member.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Bytes from the start of the struct.
    pub offset: u64,
}

/// Which operand of `D = A · B + C` a fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FragmentUse {
    /// m × k
    A,
    /// k × n
    B,
    /// m × n
    Accumulator,
}

/// What a fragment's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FragmentElement {
    /// A number.
    Scalar(Scalar),
    /// A 19-bit float (8 exponent, 10 fraction bits) in the bits of an `f32`.
    Tf32,
    /// Signed 4-bit integer.
    I4,
    /// Unsigned 4-bit integer.
    U4,
    /// One bit.
    B1,
}

impl FragmentElement {
    /// The scalar as which an element is read and written: packed 4-bit and 1-bit elements are
    /// read 8 and 32 at a time.
    pub fn storage(self) -> Scalar {
        match self {
            FragmentElement::Scalar(scalar) => scalar,
            FragmentElement::Tf32 => Scalar::F32,
            FragmentElement::I4 => Scalar::I32,
            FragmentElement::U4 | FragmentElement::B1 => Scalar::U32,
        }
    }
}

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatrixLayout {
    /// Element (i, j) at `i * stride + j`.
    RowMajor,
    /// Element (i, j) at `j * stride + i`.
    ColumnMajor,
}

/// The type of a matrix tile held by a warp. Which lane holds which element is the target's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fragment {
    /// Its operand position.
    pub operand: FragmentUse,
    /// Rows of the product.
    pub m: u16,
    /// Columns of the product.
    pub n: u16,
    /// Length of the sums.
    pub k: u16,
    /// What it holds.
    pub element: FragmentElement,
    /// The layout of its matrix; an accumulator has none until it is loaded or stored.
    pub layout: Option<MatrixLayout>,
}

/// Size and alignment in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bytes.
    pub size: u64,
    /// Bytes, a power of two.
    pub align: u64,
}

/// The arrays and structs of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Types {
    arrays: Arena<Array>,
    structs: Arena<Struct>,
}

impl Types {
    /// The array type; equal arrays share a handle.
    pub fn array(&mut self, element: Type, length: u64, origin: Origin) -> Type {
        let array = Array { element, length };
        let known =
            self.arrays.iter().find(|(_, known)| **known == array).map(|(handle, _)| handle);
        Type::Array(known.unwrap_or_else(|| self.arrays.append(array, origin)))
    }

    /// Adds a struct. Structs are told apart by handle: two with equal members are two types.
    pub fn add_struct(&mut self, structure: Struct, origin: Origin) -> Handle<Struct> {
        self.structs.append(structure, origin)
    }

    /// All arrays.
    pub fn arrays(&self) -> &Arena<Array> {
        &self.arrays
    }

    /// All structs.
    pub fn structs(&self) -> &Arena<Struct> {
        &self.structs
    }

    /// The type inside nested arrays, and how many of it they hold; `None` if that is over 2^64 or
    /// an array holds itself.
    pub(crate) fn peeled(&self, ty: Type) -> Option<(Type, u64)> {
        let mut ty = ty;
        let mut count = 1u64;
        // Each array only holds types that were there before it, so this ends.
        while let Type::Array(handle) = ty {
            let array = self.arrays.get(handle)?;
            if matches!(array.element, Type::Array(element) if element >= handle) {
                return None;
            }
            count = count.checked_mul(array.length)?;
            ty = array.element;
        }
        Some((ty, count))
    }

    /// Size and alignment; `None` for a fragment, for an aggregate that holds one, for a handle
    /// that is not of these types, and for a size over 2^63.
    ///
    /// Vectors are as CUDA's: three components are aligned as one, two and four as their whole
    /// size but at most 16 bytes.
    pub fn layout(&self, ty: Type) -> Option<Layout> {
        let (ty, count) = self.peeled(ty)?;
        let part = match ty {
            Type::Scalar(scalar) => Layout { size: scalar.size(), align: scalar.size() },
            Type::Vector(scalar, size) => {
                let bytes = scalar.size() * u64::from(size.count());
                let align = if size == VectorSize::Three { scalar.size() } else { bytes.min(16) };
                Layout { size: bytes, align }
            }
            Type::Pointer(_) => Layout { size: 8, align: 8 },
            Type::Struct(handle) => {
                let structure = self.structs.get(handle)?;
                Layout { size: structure.size, align: structure.align }
            }
            Type::Fragment(_) | Type::Array(_) => return None,
        };
        let size = part.size.checked_mul(count)?;
        (size < 1 << 63).then_some(Layout { size, align: part.align })
    }

    /// The type of a part of a vector, array or struct.
    pub fn component(&self, ty: Type, index: u32) -> Option<Type> {
        match ty {
            Type::Vector(scalar, size) => (index < size.count()).then_some(Type::Scalar(scalar)),
            Type::Array(handle) => {
                let array = self.arrays.get(handle)?;
                (u64::from(index) < array.length).then_some(array.element)
            }
            Type::Struct(handle) => {
                self.structs.get(handle)?.members.get(index as usize).map(|member| member.ty)
            }
            _ => None,
        }
    }

    /// Number of parts of a vector, array or struct; `None` for other types.
    pub fn component_count(&self, ty: Type) -> Option<u64> {
        match ty {
            Type::Vector(_, size) => Some(u64::from(size.count())),
            Type::Array(handle) => self.arrays.get(handle).map(|array| array.length),
            Type::Struct(handle) => self.structs.get(handle).map(|s| s.members.len() as u64),
            _ => None,
        }
    }
}
