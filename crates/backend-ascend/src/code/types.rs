//! Types of the IR as types of the device's C++, with the same layout.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::text::names::Names;
use port_ir::{Fragment, FragmentUse, Handle, Module, Scalar, Space, Struct, Type, VectorSize};

use super::refuse;
use super::writer::Writer;
use crate::kernel::{Declarations, NotTranslated};
use crate::support::Library;

/// Words of the emitted text and of the API, which no name may be.
pub(crate) const TAKEN: &[&str] = &[
    "blockX",
    "blockY",
    "blockZ",
    "gridDimX",
    "gridDimY",
    "gridDimZ",
    "blockDimX",
    "blockDimY",
    "blockDimZ",
    "threadX",
    "threadY",
    "threadZ",
    "dynamicBytes",
    "scratch",
    "ub",
    "ubNext",
    "kept",
    "keptNext",
    "syncCount",
    "threadIdx",
    "blockIdx",
    "blockDim",
    "gridDim",
    "warpSize",
    "tiling",
    "workspace",
    "half",
    "bfloat16_t",
    "half2",
    "float2",
    "float3",
    "float4",
    "int2",
    "int3",
    "int4",
    "uint2",
    "uint3",
    "uint4",
    "dim3",
    "printf",
    "assert",
    "min",
    "max",
    "abs",
    "expf",
    "exp",
    "log",
    "pow",
    "sin",
    "cos",
    "tan",
    "floor",
    "ceil",
    "round",
    "trunc",
    "sqrt",
    "fma",
    "fmaf",
    "fmin",
    "fmax",
    "erf",
    "gamma",
    "y0",
    "y1",
    "yn",
    "j0",
    "j1",
    "jn",
    "index",
    "signbit",
    "isnan",
    "isinf",
    "isfinite",
    "main",
    "errno",
    "stdin",
    "stdout",
    "stderr",
    "NULL",
    "EOF",
    "NAN",
    "INFINITY",
    "unix",
    "linux",
    "std",
    "AscendC",
    "port_device",
    "block",
    "t",
    "next",
    "active",
    "threads",
    "pipe",
    "core",
    "Array",
    "Fragment",
    "GM_ADDR",
];

/// The names of vector types, without their lengths.
const VECTORS: [&str; 13] = [
    "Bool", "Char", "Uchar", "Short", "Ushort", "Int", "Uint", "Long", "Ulong", "Half", "Bfloat",
    "Float", "Double",
];

/// No names yet, for text beside the user's macros.
pub(crate) fn names(reserved: &BTreeSet<String>) -> Names {
    let mut names = Names::new(reserved, TAKEN);
    for helper in super::helpers::names() {
        names.take(helper);
    }
    names
}

/// How a struct is declared.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// The names of the members; `None` if C++ would lay them out otherwise: then it is bytes.
    pub(crate) members: Option<Vec<String>>,
}

/// The types and helper functions that a kernel uses, and their declarations. Two kernels of a
/// module give a type the same name and text.
pub(crate) struct Spelling<'a> {
    module: &'a Module,
    struct_names: Vec<String>,
    structs: BTreeMap<Handle<Struct>, Declared>,
    vectors: BTreeMap<(Scalar, u32), String>,
    helpers: BTreeSet<&'static str>,
    /// Declarations of types, in order: key and text.
    types: Vec<(String, String)>,
}

impl<'a> Spelling<'a> {
    pub(crate) fn new(module: &'a Module, reserved: &BTreeSet<String>) -> Self {
        let mut names = names(reserved);
        for base in VECTORS {
            for count in 2..=4 {
                names.take(&format!("{base}{count}"));
            }
        }
        let struct_names =
            module.types.structs().iter().map(|(_, known)| names.fresh(&known.name)).collect();
        Spelling {
            module,
            struct_names,
            structs: BTreeMap::new(),
            vectors: BTreeMap::new(),
            helpers: BTreeSet::new(),
            types: Vec::new(),
        }
    }

    /// Declares all that was spelled.
    pub(crate) fn declare(&self, declarations: &mut Declarations) {
        for (name, text) in super::helpers::texts(&self.helpers) {
            declarations.add_support(Library::Device, name, text);
        }
        let space = super::NAMESPACE;
        for (key, text) in &self.types {
            let text = format!("namespace {space} {{\n\n{text}\n}}  // namespace {space}\n");
            declarations.add(&format!("{space}::{key}"), &text);
        }
    }

    /// A text of the kernel, which stands outside of the namespace of what is declared here.
    pub(crate) fn qualified(&self, text: &str) -> String {
        let known = |word: &str| {
            super::helpers::names().any(|name| name == word)
                || self.vectors.values().any(|name| name == word)
                || self.structs.values().any(|declared| declared.name == word)
        };
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let inside = |c: char| c.is_alphanumeric() || c == '_';
            let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            if known(word) && !out.ends_with("::") && !out.ends_with('.') {
                out.push_str(&format!("{}::", super::NAMESPACE));
            }
            out.push_str(word);
            let mut letters = tail.chars();
            out.extend(letters.next());
            rest = letters.as_str();
        }
        out
    }

    /// Notes that a helper function is used; gives its name.
    pub(crate) fn helper(&mut self, name: &'static str) -> &'static str {
        self.helpers.insert(name);
        name
    }

    /// The type of a value.
    pub(crate) fn value(&mut self, ty: Type) -> Result<String, NotTranslated> {
        Ok(match ty {
            Type::Scalar(scalar) => self.scalar(scalar)?.to_string(),
            Type::Vector(scalar, size) => self.vector(scalar, size)?,
            // Where it points is known where it is used.
            Type::Pointer(Space::Generic | Space::Local) => "uint64_t".to_owned(),
            Type::Pointer(space) => format!("{}uint8_t*", space_name(space)),
            Type::Array(handle) => {
                let array = self.module.types.arrays()[handle];
                if array.length == 0 {
                    return Err(refuse("it uses an array of no elements"));
                }
                self.helper("Array");
                format!("Array<{}, {}>", self.value(array.element)?, array.length)
            }
            Type::Struct(handle) => self.structure(handle)?.name,
            Type::Fragment(fragment) => {
                self.helper("Fragment");
                let scalar = scalar_name(fragment.element.storage())?;
                format!("Fragment<{scalar}, {}>", fragment_length(fragment)?)
            }
        })
    }

    /// The type of a number; declares it where C++ does not have it.
    pub(crate) fn scalar(&mut self, scalar: Scalar) -> Result<&'static str, NotTranslated> {
        if scalar == Scalar::F64 {
            self.helper("Float64");
        }
        scalar_name(scalar)
    }

    /// The type of a pointer to `ty` in a space.
    pub(crate) fn pointer(
        &mut self,
        space: Space,
        pointee: Option<Type>,
    ) -> Result<String, NotTranslated> {
        let inner = match pointee {
            Some(ty) => self.value(ty)?,
            None => "uint8_t".to_string(),
        };
        Ok(format!("{}{inner}*", space_name(space)))
    }

    fn vector(&mut self, scalar: Scalar, size: VectorSize) -> Result<String, NotTranslated> {
        if let Some(known) = self.vectors.get(&(scalar, size.count())) {
            return Ok(known.clone());
        }
        let element = self.scalar(scalar)?;
        let base = match scalar {
            Scalar::Bool => VECTORS[0],
            Scalar::I8 => VECTORS[1],
            Scalar::U8 => VECTORS[2],
            Scalar::I16 => VECTORS[3],
            Scalar::U16 => VECTORS[4],
            Scalar::I32 => VECTORS[5],
            Scalar::U32 => VECTORS[6],
            Scalar::I64 => VECTORS[7],
            Scalar::U64 => VECTORS[8],
            Scalar::F16 => VECTORS[9],
            Scalar::Bf16 => VECTORS[10],
            Scalar::F64 => VECTORS[12],
            _ => VECTORS[11],
        };
        let name = format!("{base}{}", size.count());
        let layout = self.module.types.layout(Type::Vector(scalar, size));
        let align = layout.map_or(scalar.size(), |layout| layout.align);
        let members = &["x", "y", "z", "w"][..size.count() as usize];
        let text = format!(
            "struct alignas({align}) {name} {{\n    {element} {};\n}};\n",
            members.join(", ")
        );
        self.types.push((name.clone(), text));
        self.vectors.insert((scalar, size.count()), name.clone());
        Ok(name)
    }

    /// How a struct is declared; declares it.
    pub(crate) fn structure(&mut self, handle: Handle<Struct>) -> Result<Declared, NotTranslated> {
        if let Some(known) = self.structs.get(&handle) {
            return Ok(known.clone());
        }
        let structure = &self.module.types.structs()[handle];
        let mut members = Vec::new();
        for member in &structure.members {
            members.push(self.value(member.ty)?);
        }
        let name = self.struct_names[handle.index()].clone();
        let mut text = Writer::default();
        let natural = self.is_natural(structure) && !structure.members.is_empty();
        text.open(format!("struct alignas({}) {name} {{", structure.align));
        let mut own = names(&BTreeSet::new());
        for known in &self.struct_names {
            own.take(known);
        }
        let mut declared = Vec::new();
        if natural {
            for (member, ty) in structure.members.iter().zip(&members) {
                let member_name = own.fresh(&member.name);
                text.line(format!("{ty} {member_name};"));
                declared.push(member_name);
            }
        } else {
            text.line(format!("uint8_t bytes[{}];", structure.size.max(1)));
        }
        text.close("};");
        text.line(format!(
            "static_assert(sizeof({name}) == {}, \"laid out as on the host\");",
            structure.size.max(1).div_ceil(structure.align) * structure.align,
        ));
        self.types.push((name.clone(), text.finish()));
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

/// What stands before the type that a pointer of a space points at. A generic pointer that is kept
/// in memory came from the host: it is one to global memory.
pub(crate) fn space_name(space: Space) -> &'static str {
    match space {
        Space::Global | Space::Constant | Space::Generic => "__gm__ ",
        Space::Shared => "__ubuf__ ",
        Space::Local | Space::Parameter => "",
    }
}

/// The C++ type of a scalar.
pub(crate) fn scalar_name(scalar: Scalar) -> Result<&'static str, NotTranslated> {
    Ok(match scalar {
        Scalar::Bool => "bool",
        Scalar::I8 => "int8_t",
        Scalar::I16 => "int16_t",
        Scalar::I32 => "int32_t",
        Scalar::I64 => "int64_t",
        Scalar::U8 => "uint8_t",
        Scalar::U16 => "uint16_t",
        Scalar::U32 => "uint32_t",
        Scalar::U64 => "uint64_t",
        Scalar::F16 => "half",
        Scalar::Bf16 => "bfloat16_t",
        Scalar::F32 => "float",
        Scalar::F64 => "Float64",
        Scalar::F8E4M3 | Scalar::F8E5M2 => {
            return Err(refuse("it computes with 8-bit floats"));
        }
    })
}

/// Rows and columns of a fragment's matrix.
pub(crate) fn fragment_shape(fragment: Fragment) -> (u64, u64) {
    let (m, n, k) = (u64::from(fragment.m), u64::from(fragment.n), u64::from(fragment.k));
    match fragment.operand {
        FragmentUse::A => (m, k),
        FragmentUse::B => (k, n),
        FragmentUse::Accumulator => (m, n),
    }
}

/// Elements of a fragment that each of 32 lanes holds.
pub(crate) fn fragment_length(fragment: Fragment) -> Result<u64, NotTranslated> {
    let (rows, columns) = fragment_shape(fragment);
    let elements = rows * columns;
    let whole = matches!(fragment.element, port_ir::FragmentElement::Scalar(_));
    if !whole || elements == 0 || elements % 32 != 0 {
        return Err(refuse("it uses a matrix fragment of packed or tf32 elements"));
    }
    Ok(elements / 32)
}
