//! Arguments of a case as the bytes that a kernel's parameters take, by C++'s conversions.

use half::{bf16, f16};
use port_ir::{Function, Member, Parameter, Scalar, Struct, Type, Types};
use port_simt::{BufferId, Memory};

use crate::spec::{Argument, Case};
use crate::tensor::DType;

/// Deepest nesting of structs; the spec's own limit is lower.
const DEPTH: u32 = 32;

/// What arguments are made from.
pub(crate) struct Binding<'a> {
    pub(crate) types: &'a Types,
    pub(crate) case: &'a Case,
    /// The machine's buffers, in the order of the case's.
    pub(crate) ids: &'a [BufferId],
    pub(crate) memory: &'a Memory,
}

/// The element type of a buffer of such scalars. Narrower floats than specs have are bytes.
pub fn dtype_of(scalar: Scalar) -> DType {
    match scalar {
        Scalar::Bool => DType::Bool,
        Scalar::I8 => DType::I8,
        Scalar::I16 => DType::I16,
        Scalar::I32 => DType::I32,
        Scalar::I64 => DType::I64,
        Scalar::U8 | Scalar::F8E4M3 | Scalar::F8E5M2 => DType::U8,
        Scalar::U16 => DType::U16,
        Scalar::U32 => DType::U32,
        Scalar::U64 => DType::U64,
        Scalar::F16 => DType::F16,
        Scalar::Bf16 => DType::BF16,
        Scalar::F32 => DType::F32,
        Scalar::F64 => DType::F64,
    }
}

/// A parameter's name, or its number where it has none.
pub(crate) fn parameter_name(parameter: &Parameter, index: usize) -> String {
    match parameter.name.as_str() {
        "" => format!("parameter {}", index + 1),
        name => name.to_owned(),
    }
}

/// The parameters of a kernel with their types: `x: const float*, n: int`.
pub fn signature(types: &Types, function: &Function) -> String {
    if function.parameters.is_empty() {
        return "nothing".into();
    }
    let of = |(index, parameter): (usize, &Parameter)| {
        format!("{}: {}", parameter_name(parameter, index), parameter_type(types, parameter))
    };
    function.parameters.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
}

/// The type of a parameter, as CUDA spells it.
pub fn parameter_type(types: &Types, parameter: &Parameter) -> String {
    match (parameter.ty, parameter.pointee) {
        (Type::Pointer(_), pointee) => {
            let constant = if parameter.attributes.read_only { "const " } else { "" };
            let pointee = pointee.map_or("void".into(), |ty| type_name(types, ty, 0));
            format!("{constant}{pointee}*")
        }
        (ty, _) => type_name(types, ty, 0),
    }
}

fn type_name(types: &Types, ty: Type, depth: u32) -> String {
    match ty {
        _ if depth > DEPTH => "…".into(),
        Type::Scalar(scalar) => scalar_name(scalar).into(),
        Type::Vector(scalar, size) => format!("{}{}", vector_name(scalar), size.count()),
        Type::Pointer(_) => "pointer".into(),
        Type::Array(handle) => match types.arrays().get(handle) {
            Some(array) => {
                format!("{}[{}]", type_name(types, array.element, depth + 1), array.length)
            }
            None => "array".into(),
        },
        Type::Struct(handle) => {
            types.structs().get(handle).map_or("struct".into(), |known| known.name.clone())
        }
        Type::Fragment(_) => "fragment".into(),
    }
}

fn scalar_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::I8 => "char",
        Scalar::I16 => "short",
        Scalar::I32 => "int",
        Scalar::I64 => "long",
        Scalar::U8 => "unsigned char",
        Scalar::U16 => "unsigned short",
        Scalar::U32 => "unsigned",
        Scalar::U64 => "unsigned long",
        Scalar::F16 => "half",
        Scalar::Bf16 => "bfloat16",
        Scalar::F8E4M3 => "fp8_e4m3",
        Scalar::F8E5M2 => "fp8_e5m2",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
    }
}

/// As the names of CUDA's vectors begin.
fn vector_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U8 => "uchar",
        Scalar::U16 => "ushort",
        Scalar::U32 => "uint",
        Scalar::U64 => "ulong",
        other => scalar_name(other),
    }
}

impl Binding<'_> {
    /// A parameter's argument. The error is one clause.
    pub(crate) fn argument(
        &self,
        parameter: &Parameter,
        argument: &Argument,
    ) -> Result<port_simt::Argument, String> {
        if let (Type::Pointer(_), Argument::Buffer { index, offset }) = (parameter.ty, argument) {
            let (id, offset) = self.buffer(*index, *offset)?;
            return Ok(port_simt::Argument::Buffer { id, offset });
        }
        let layout = self.types.layout(parameter.ty).ok_or("its type has no size")?;
        let mut bytes = vec![0; usize::try_from(layout.size).map_err(|_| "it is too large")?];
        self.fill(parameter.ty, argument, &mut bytes, 0)?;
        Ok(port_simt::Argument::Bytes(bytes))
    }

    /// A place in a buffer. What the pointer's type says of the elements is not asked: kernels read
    /// numbers through pointers to vectors, structs and bytes.
    fn buffer(&self, index: usize, offset: u64) -> Result<(BufferId, u64), String> {
        let buffer = self.case.buffers.get(index).ok_or("there is no such buffer")?;
        let id = *self.ids.get(index).ok_or("there is no such buffer")?;
        let dtype = buffer.tensor.dtype();
        let size = dtype.size() as u64;
        Ok((id, offset.saturating_mul(size)))
    }

    /// The offset and type of a member, of a base too.
    fn member(&self, of: &Struct, name: &str, depth: u32) -> Option<(u64, Type)> {
        if let Some(member) = of.members.iter().find(|member| member.name == name) {
            return Some((member.offset, member.ty));
        }
        of.members.iter().filter(|_| depth < DEPTH).find_map(|member| {
            let Type::Struct(handle) = member.ty else { return None };
            let inner = self.types.structs().get(handle)?;
            if !member.name.is_empty() && !is_base(member, inner) {
                return None;
            }
            let (offset, ty) = self.member(inner, name, depth + 1)?;
            Some((member.offset + offset, ty))
        })
    }

    fn fill(&self, ty: Type, argument: &Argument, to: &mut [u8], depth: u32) -> Result<(), String> {
        if depth > DEPTH {
            return Err("it is nested too deeply".into());
        }
        match ty {
            Type::Scalar(scalar) => {
                let bits = scalar_bits(scalar, argument)?;
                put(to, &bits.to_le_bytes()[..scalar.size() as usize])
            }
            Type::Pointer(_) => {
                let address = match argument {
                    Argument::Null | Argument::Integer(0) => 0,
                    Argument::Buffer { index, offset } => {
                        let (id, offset) = self.buffer(*index, *offset)?;
                        self.memory.address(id, offset)
                    }
                    _ => return Err("it is a pointer: give a buffer or `null`".into()),
                };
                put(to, &address.to_le_bytes())
            }
            Type::Vector(scalar, size) => {
                let Argument::Struct(fields) = argument else {
                    let name = type_name(self.types, ty, 0);
                    return Err(format!("it is a {name}: give {{x=…, y=…}}"));
                };
                let names = &["x", "y", "z", "w"][..size.count() as usize];
                for (name, field) in fields {
                    let index = names.iter().position(|known| known == name);
                    let index = index.ok_or_else(|| no_field(name, names))?;
                    let part = part(to, index as u64 * scalar.size(), scalar.size())?;
                    self.fill(Type::Scalar(scalar), field, part, depth + 1)?;
                }
                Ok(())
            }
            Type::Struct(handle) => {
                let known = self.types.structs().get(handle).ok_or("its type is not known")?;
                let Argument::Struct(fields) = argument else {
                    return Err(format!("it is a `{}`: give {{field=value, …}}", known.name));
                };
                for (name, field) in fields {
                    let Some((offset, member)) = self.member(known, name, 0) else {
                        let names: Vec<&str> =
                            known.members.iter().map(|member| member.name.as_str()).collect();
                        return Err(no_field(name, &names));
                    };
                    let layout = self.types.layout(member).ok_or("a field has no size")?;
                    let part = part(to, offset, layout.size)?;
                    self.fill(member, field, part, depth + 1)
                        .map_err(|problem| format!("`{name}`: {problem}"))?;
                }
                Ok(())
            }
            Type::Array(_) | Type::Fragment(_) => {
                Err("a value of this type cannot be given".into())
            }
        }
    }
}

/// Whether a member is a base class: its name is the last part of its type's, without arguments.
fn is_base(member: &Member, inner: &Struct) -> bool {
    let last = |name: &str| {
        let plain = name.split('<').next().unwrap_or(name);
        plain.rsplit("::").next().unwrap_or(plain).to_owned()
    };
    last(&member.name) == last(&inner.name)
}

fn no_field(name: &str, known: &[&str]) -> String {
    format!("it has no field `{name}`; the fields are: {}", known.join(", "))
}

fn part(bytes: &mut [u8], offset: u64, size: u64) -> Result<&mut [u8], String> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let end = start.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
    bytes.get_mut(start..end).ok_or_else(|| "a field lies outside its struct".into())
}

fn put(to: &mut [u8], bytes: &[u8]) -> Result<(), String> {
    let to = to.get_mut(..bytes.len()).ok_or("it does not fit its parameter")?;
    to.copy_from_slice(bytes);
    Ok(())
}

/// The bits of a number as C++ converts it to a parameter's type. Reals are truncated into integers.
fn scalar_bits(scalar: Scalar, argument: &Argument) -> Result<u64, String> {
    let name = scalar_name(scalar);
    Ok(match (argument, scalar) {
        (Argument::Integer(value), Scalar::Bool) => u64::from(*value != 0),
        (Argument::Real(value), Scalar::Bool) => u64::from(*value != 0.0),
        // One rounding each.
        (Argument::Integer(value), Scalar::F64) => (*value as f64).to_bits(),
        (Argument::Integer(value), Scalar::F32) => u64::from((*value as f32).to_bits()),
        (Argument::Real(value), Scalar::F64) => value.to_bits(),
        (Argument::Real(value), Scalar::F32) => u64::from((*value as f32).to_bits()),
        (_, Scalar::F16) => u64::from(f16::from_f64(real(argument, name)?).to_bits()),
        (_, Scalar::Bf16) => u64::from(bf16::from_f64(real(argument, name)?).to_bits()),
        (_, Scalar::F8E4M3 | Scalar::F8E5M2) => {
            return Err(format!("a {name} cannot be given by value"));
        }
        (Argument::Integer(value), _) => *value as u64,
        (Argument::Real(value), _) if scalar.is_signed() => (*value as i64) as u64,
        (Argument::Real(value), _) => *value as u64,
        _ => return Err(format!("it is a {name}: give a number")),
    })
}

fn real(argument: &Argument, name: &str) -> Result<f64, String> {
    match argument {
        Argument::Integer(value) => Ok(*value as f64),
        Argument::Real(value) => Ok(*value),
        _ => Err(format!("it is a {name}: give a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_convert_as_in_cpp() {
        let bits = |scalar, argument| scalar_bits(scalar, &argument).unwrap();
        assert_eq!(bits(Scalar::F32, Argument::Real(0.1)), u64::from(0.1f32.to_bits()));
        assert_eq!(bits(Scalar::F32, Argument::Integer(-3)), u64::from((-3f32).to_bits()));
        assert_eq!(bits(Scalar::I32, Argument::Real(-2.9)) as u32 as i32, -2);
        assert_eq!(bits(Scalar::U8, Argument::Integer(-1)) as u8, 255);
        assert_eq!(bits(Scalar::Bool, Argument::Real(0.25)), 1);
        assert_eq!(bits(Scalar::F16, Argument::Integer(1)), 0x3c00);
        assert_eq!(bits(Scalar::Bf16, Argument::Real(1.0)), 0x3f80);
        // 16777217 is between two floats; ties go to the even one.
        assert_eq!(bits(Scalar::F32, Argument::Integer(16_777_217)), 0x4b80_0000);
        assert!(scalar_bits(Scalar::I32, &Argument::Null).unwrap_err().contains("int"));
        let buffer = Argument::Buffer { index: 0, offset: 0 };
        assert!(scalar_bits(Scalar::F32, &buffer).unwrap_err().contains("float"));
    }
}
