//! Types of the IR as types of C++, with the same layout.
//!
//! A type has two spellings: that of a value, and that of what a pointer points at, which may alias
//! anything, because device code reads bytes as whatever it likes.

use port_backend::text::cpp::one_line;
use std::collections::{BTreeMap, BTreeSet};

use port_diag::Origin;
use port_ir::{Fragment, FragmentUse, Handle, Module, Scalar, Struct, Type};

use super::NotCompiled;
use super::names::{Names, names};
use super::writer::Writer;

/// How a struct is declared.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    /// The names of the members; `None` if C++ would lay them out otherwise: then it is bytes.
    pub(super) members: Option<Vec<String>>,
}

/// The types that are used, and their declarations.
pub(super) struct Spelling<'a> {
    module: &'a Module,
    names: Names,
    structs: BTreeMap<Handle<Struct>, Declared>,
    text: Writer,
}

impl<'a> Spelling<'a> {
    pub(super) fn new(module: &'a Module, reserved: &BTreeSet<String>) -> Self {
        Spelling {
            module,
            names: names(reserved),
            structs: BTreeMap::new(),
            text: Writer::default(),
        }
    }

    /// The declarations of all types that were spelled.
    pub(super) fn declarations(&self) -> String {
        self.text.clone().finish()
    }

    /// The type of a value.
    pub(super) fn value(&mut self, ty: Type) -> Result<String, NotCompiled> {
        Ok(match ty {
            Type::Scalar(scalar) => scalar_name(scalar).to_string(),
            Type::Vector(scalar, size) => format!("vec{}<{}>", size.count(), scalar_name(scalar)),
            Type::Pointer(_) => "void*".to_string(),
            Type::Array(handle) => {
                let array = self.module.types.arrays()[handle];
                if array.length == 0 {
                    return Err(refuse("it uses an array of no elements"));
                }
                format!("array<{}, {}>", self.value(array.element)?, array.length)
            }
            Type::Struct(handle) => self.structure(handle)?.name,
            Type::Fragment(fragment) => {
                let scalar = scalar_name(fragment.element.storage());
                format!("fragment<{scalar}, {}>", fragment_length(fragment)?)
            }
        })
    }

    /// The type that a pointer points at.
    pub(super) fn pointee(&mut self, ty: Type) -> Result<String, NotCompiled> {
        Ok(match ty {
            Type::Scalar(scalar) => memory_name(scalar).to_string(),
            Type::Pointer(_) => "pointer".to_string(),
            other => self.value(other)?,
        })
    }

    /// How a struct is declared; declares it.
    pub(super) fn structure(&mut self, handle: Handle<Struct>) -> Result<Declared, NotCompiled> {
        if let Some(known) = self.structs.get(&handle) {
            return Ok(known.clone());
        }
        let structure = &self.module.types.structs()[handle];
        let mut members = Vec::new();
        for member in &structure.members {
            members.push(self.value(member.ty)?);
        }
        let name = self.names.fresh(&structure.name);
        let natural = self.is_natural(structure) && !structure.members.is_empty();
        self.text.line(format!("// {}", one_line(&structure.name)));
        self.text.open(format!("struct PORT_CPU_ALIGNED({}) {name} {{", structure.align));
        let mut own = names(&BTreeSet::new());
        own.take(&name);
        for known in self.structs.values() {
            own.take(&known.name);
        }
        let mut declared = Vec::new();
        if natural {
            for (member, ty) in structure.members.iter().zip(&members) {
                let member_name = own.fresh(&member.name);
                self.text.line(format!("{ty} {member_name};"));
                declared.push(member_name);
            }
        } else {
            self.text.line(format!("unsigned char bytes[{}];", structure.size.max(1)));
        }
        self.text.close("};");
        self.text.line(format!(
            "static_assert(sizeof({name}) == {} && alignof({name}) == {}, \"laid out as on the device\");",
            structure.size.max(1),
            structure.align
        ));
        for (member, member_name) in structure.members.iter().zip(&declared) {
            self.text.line(format!(
                "static_assert(offsetof({name}, {member_name}) == {}, \"laid out as on the device\");",
                member.offset
            ));
        }
        self.text.line("");
        let declared = Declared { name, members: natural.then_some(declared) };
        self.structs.insert(handle, declared.clone());
        Ok(declared)
    }

    /// Whether C++ lays the members out where the IR has them.
    fn is_natural(&self, structure: &Struct) -> bool {
        let mut end = 0u64;
        for member in &structure.members {
            let Some(layout) = self.module.types.layout(member.ty) else { return false };
            if layout.size == 0 || layout.align > structure.align {
                return false;
            }
            let place = end.div_ceil(layout.align) * layout.align;
            if place != member.offset {
                return false;
            }
            end = place + layout.size;
        }
        end.div_ceil(structure.align) * structure.align == structure.size
    }
}

/// The start of the declaration of a constant.
pub(super) fn constant_of(spelled: &str, name: &str) -> String {
    if spelled.ends_with('*') {
        format!("{spelled} const {name}")
    } else {
        format!("const {spelled} {name}")
    }
}

/// A refusal whose place the caller knows.
pub(super) fn refuse(reason: impl Into<String>) -> NotCompiled {
    let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
    NotCompiled { reason: reason.into(), origin: nowhere }
}

/// The C++ type of a scalar's value.
pub(super) fn scalar_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::I8 => "int8_t",
        Scalar::I16 => "int16_t",
        Scalar::I32 => "int32_t",
        Scalar::I64 => "int64_t",
        Scalar::U8 => "uint8_t",
        Scalar::U16 => "uint16_t",
        Scalar::U32 => "uint32_t",
        Scalar::U64 => "uint64_t",
        Scalar::F16 => "f16",
        Scalar::Bf16 => "bf16",
        Scalar::F8E4M3 => "f8e4m3",
        Scalar::F8E5M2 => "f8e5m2",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
    }
}

/// The C++ type of a scalar in memory.
pub(super) fn memory_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "b8",
        Scalar::I8 => "i8",
        Scalar::I16 => "i16",
        Scalar::I32 => "i32",
        Scalar::I64 => "i64",
        Scalar::U8 => "u8",
        Scalar::U16 => "u16",
        Scalar::U32 => "u32",
        Scalar::U64 => "u64",
        Scalar::F32 => "f32",
        Scalar::F64 => "f64",
        narrow => scalar_name(narrow),
    }
}

/// Rows and columns of a fragment's matrix.
pub(super) fn fragment_shape(fragment: Fragment) -> (u64, u64) {
    let (m, n, k) = (u64::from(fragment.m), u64::from(fragment.n), u64::from(fragment.k));
    match fragment.operand {
        FragmentUse::A => (m, k),
        FragmentUse::B => (k, n),
        FragmentUse::Accumulator => (m, n),
    }
}

/// Elements of a fragment that each of 32 lanes holds.
pub(super) fn fragment_length(fragment: Fragment) -> Result<u64, NotCompiled> {
    let (rows, columns) = fragment_shape(fragment);
    let elements = rows * columns;
    let whole = matches!(
        fragment.element,
        port_ir::FragmentElement::Scalar(_) | port_ir::FragmentElement::Tf32
    );
    if !whole || elements == 0 || elements % 32 != 0 {
        return Err(refuse("it uses a matrix fragment of packed elements"));
    }
    Ok(elements / 32)
}
