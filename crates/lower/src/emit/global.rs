//! Variables outside functions, and string literals.

use port_diag::Origin;
use port_ir::{Extent, Handle, Scalar, Space, Variable};

use super::Lowerer;
use super::space::space_of_global;
use crate::context::{GlobalId, GlobalSpace, Unit};
use crate::findings::HostVariable;
use crate::ty::{Kind, Type};
use crate::value::Value;

impl Lowerer<'_> {
    /// The IR variable of a global; the code of a finding if device code cannot reach it.
    pub(crate) fn global(
        &mut self,
        id: GlobalId,
        origin: Origin,
    ) -> Result<Handle<Variable>, &'static str> {
        if let Some(handle) = self.globals.get(&id) {
            return Ok(*handle);
        }
        let global = self.cx.global(id).clone();
        if global.space == GlobalSpace::Host && !global.fixed {
            let name = global.name;
            return Err(self.cx.report(Unit::USER, origin, HostVariable { name }));
        }
        let (ty, extent) = match (global.dynamic, self.cx.types.kind(global.ty).clone()) {
            (true, Kind::Array(element, None)) => (element, Extent::Dynamic),
            _ => (global.ty, Extent::Fixed),
        };
        let ir = self.ir_type(ty, global.origin)?;
        let space = space_of_global(global.space);
        let initial = match &global.value {
            Some(value) if space != Space::Shared => {
                let size = self.module.types.layout(ir).map_or(0, |layout| layout.size);
                let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
                self.write_bytes(value, ty, &mut bytes).then_some(bytes)
            }
            _ => None,
        };
        let initial = initial.map(trim_zeros).filter(|bytes| !bytes.is_empty());
        let natural = self.module.types.layout(ir).map_or(1, |layout| layout.align);
        let name = self.unique_name(&global.name);
        let variable = Variable {
            name,
            space,
            ty: ir,
            extent,
            align: global.align.filter(|align| *align > natural),
            initial,
        };
        let handle = self.module.variables.append(variable, global.origin);
        self.globals.insert(id, handle);
        Ok(handle)
    }

    /// The constant that holds a string literal.
    pub(crate) fn string(&mut self, bytes: &[u8], origin: Origin) -> Handle<Variable> {
        if let Some(handle) = self.strings.get(bytes) {
            return *handle;
        }
        let element = port_ir::Type::Scalar(Scalar::I8);
        let ty = self.module.types.array(element, bytes.len() as u64, origin);
        let name = self.unique_name("string");
        let initial = Some(trim_zeros(bytes.to_vec())).filter(|bytes| !bytes.is_empty());
        let space = Space::Constant;
        let variable = Variable { name, space, ty, extent: Extent::Fixed, align: None, initial };
        let handle = self.module.variables.append(variable, origin);
        self.strings.insert(bytes.to_vec(), handle);
        handle
    }

    /// Writes a value as it lies in memory. `false` for a value without bytes (an address).
    fn write_bytes(&mut self, value: &Value, ty: Type, bytes: &mut [u8]) -> bool {
        match (value, self.cx.types.kind(ty).clone()) {
            (Value::Undefined | Value::Null, _) => true,
            (Value::Integer(number), _) => {
                for (index, byte) in bytes.iter_mut().enumerate() {
                    *byte = if index < 16 { (*number >> (8 * index)) as u8 } else { 0 };
                }
                true
            }
            (Value::Float(number), _) => match self.cx.types.scalar(ty) {
                Some(scalar) => {
                    let bits = super::number::float_bits(*number, scalar);
                    for (index, byte) in bytes.iter_mut().enumerate().take(8) {
                        *byte = (bits >> (8 * index)) as u8;
                    }
                    true
                }
                None => false,
            },
            (Value::String(text), Kind::Array(..)) => {
                for (byte, value) in bytes.iter_mut().zip(text.iter()) {
                    *byte = *value;
                }
                true
            }
            (Value::Aggregate(parts), Kind::Array(element, _)) => {
                let Some(layout) = self.checker().layout_of(element) else { return false };
                let size = layout.size.max(1) as usize;
                parts
                    .iter()
                    .zip(bytes.chunks_mut(size))
                    .all(|(part, bytes)| self.write_bytes(part, element, bytes))
            }
            (Value::Aggregate(parts), Kind::Vector { .. }) => {
                let Some((element, _)) = self.cx.types.vector_parts(ty) else { return false };
                let Some(layout) = self.checker().layout_of(element) else { return false };
                parts
                    .iter()
                    .zip(bytes.chunks_mut(layout.size.max(1) as usize))
                    .all(|(part, bytes)| self.write_bytes(part, element, bytes))
            }
            (Value::Aggregate(parts), Kind::Class(class)) => {
                let entry = self.cx.class(class);
                if entry.fields.iter().any(|field| field.bits.is_some()) {
                    return false;
                }
                let mut places: Vec<(Type, u64)> = Vec::new();
                let bases: Vec<_> = entry.bases.clone();
                let fields: Vec<(Type, u64)> =
                    entry.fields.iter().map(|field| (field.ty, field.offset)).collect();
                for base in bases {
                    let ty = self.cx.types.intern(Kind::Class(base.class));
                    places.push((ty, base.offset));
                }
                places.extend(fields);
                parts.iter().zip(places).all(|(part, (ty, offset))| {
                    let Some(layout) = self.checker().layout_of(ty) else { return false };
                    let range = offset as usize..(offset + layout.size) as usize;
                    match bytes.get_mut(range) {
                        Some(bytes) => self.write_bytes(part, ty, bytes),
                        None => false,
                    }
                })
            }
            _ => false,
        }
    }
}

/// Bytes that are not given are zero.
fn trim_zeros(mut bytes: Vec<u8>) -> Vec<u8> {
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
