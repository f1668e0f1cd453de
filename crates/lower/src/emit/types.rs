//! C++ types as IR types.

use port_diag::Origin;
use port_hir::Builtin;
use port_ir::{Member, Scalar, Space, Struct, Type as Ir, VectorSize};

use super::{Lowerer, StructMap};
use crate::context::ClassId;
use crate::findings::UnsupportedConstruct;
use crate::ty::{Kind, Type};

impl Lowerer<'_> {
    /// The IR type of values of a C++ type, as they lie in memory: a pointer is generic. The code of
    /// a finding for a type that has none; the finding is made the first time.
    pub(crate) fn ir_type(&mut self, ty: Type, origin: Origin) -> Result<Ir, &'static str> {
        if let Some(scalar) = self.cx.types.scalar(ty) {
            return Ok(Ir::Scalar(scalar));
        }
        if let Some(code) = self.refused.get(&ty.id) {
            return Err(code);
        }
        match *self.cx.types.kind(ty) {
            Kind::Pointer(_)
            | Kind::LValueReference(_)
            | Kind::RValueReference(_)
            | Kind::Builtin(Builtin::NullPointer) => Ok(Ir::Pointer(Space::Generic)),
            Kind::Enum(id) => {
                let underlying = self.cx.enumeration(id).underlying;
                self.ir_type(underlying, origin)
            }
            Kind::Vector { count, .. } => {
                let Some((element, _)) = self.cx.types.vector_parts(ty) else {
                    return self.refuse(ty, origin);
                };
                let Some(scalar) = self.cx.types.scalar(element) else {
                    return self.refuse(ty, origin);
                };
                Ok(match VectorSize::from_count(u32::from(count)) {
                    Some(size) => Ir::Vector(scalar, size),
                    // A vector of one component is that component.
                    None => Ir::Scalar(scalar),
                })
            }
            Kind::Array(element, Some(length)) => {
                let mut checker = self.checker();
                // Of fragments there is none; else the memory of no machine holds it.
                if checker.layout_of(element).is_some() && checker.layout_of(ty).is_none() {
                    return self.refuse(ty, origin);
                }
                let element = self.ir_type(element, origin)?;
                Ok(self.module.types.array(element, length, origin))
            }
            Kind::Class(class) => {
                let map = self.struct_of(class, origin)?;
                Ok(Ir::Struct(map.handle))
            }
            Kind::Fragment(fragment) => Ok(Ir::Fragment(fragment)),
            Kind::MemberPointer(..) => Ok(Ir::Scalar(Scalar::I64)),
            Kind::Opaque(_) => match self.checker().layout_of(ty) {
                Some(_) => Ok(Ir::Scalar(Scalar::U64)),
                None => self.refuse(ty, origin),
            },
            _ => self.refuse(ty, origin),
        }
    }

    fn refuse<T>(&mut self, ty: Type, origin: Origin) -> Result<T, &'static str> {
        let name = self.cx.type_name(ty.unqualified());
        let what = match self.cx.types.kind(ty) {
            Kind::Builtin(Builtin::Int128 | Builtin::UnsignedInt128) => "a 128-bit integer".into(),
            Kind::Builtin(Builtin::LongDouble) => "`long double`".into(),
            Kind::Function(_) => "a function as a value".into(),
            _ => format!("a value of type `{name}`"),
        };
        let unit = crate::context::Unit::USER;
        let code = match self.cx.types.kind(ty) {
            Kind::Unknown => crate::findings::UNKNOWN_TYPE,
            Kind::Opaque(_) => {
                let finding = crate::findings::UnknownType { name };
                self.cx.report(unit, origin, finding)
            }
            _ => self.cx.report(unit, origin, UnsupportedConstruct::new(what)),
        };
        self.refused.insert(ty.id, code);
        Err(code)
    }

    /// The IR struct of a class.
    pub(crate) fn struct_of(
        &mut self,
        class: ClassId,
        origin: Origin,
    ) -> Result<StructMap, &'static str> {
        if let Some(map) = self.structs.get(&class) {
            return Ok(map.clone());
        }
        if !self.checker().complete(class) {
            let entry = self.cx.class(class);
            if let crate::context::Completion::Failed(code) = entry.completion {
                return Err(code);
            }
            let name = entry.name.clone();
            let finding = crate::findings::UnknownType { name };
            return Err(self.cx.report(crate::context::Unit::USER, origin, finding));
        }
        let entry = self.cx.class(class).clone();
        let mut members = Vec::new();
        let mut bases = Vec::new();
        let mut fields = Vec::new();
        for base in &entry.bases {
            if self.cx.class(base.class).fields.is_empty()
                && self.checker().is_empty_class(base.class)
            {
                bases.push(None);
                continue;
            }
            let map = self.struct_of(base.class, origin)?;
            bases.push(Some(members.len() as u32));
            members.push(Member {
                name: self.cx.class(base.class).name.clone(),
                ty: Ir::Struct(map.handle),
                offset: base.offset,
            });
        }
        let mut overlaps = entry.union && entry.fields.len() > 1;
        let mut bit_units: Vec<u64> = Vec::new();
        for field in &entry.fields {
            let empty = matches!(self.cx.types.kind(field.ty), Kind::Array(_, Some(0)));
            if empty {
                fields.push(None);
                continue;
            }
            if field.bits.is_some() {
                // Bit-fields of one unit are one member, which holds their bytes.
                fields.push(None);
                overlaps = true;
                if bit_units.contains(&field.offset) {
                    continue;
                }
                bit_units.push(field.offset);
                let ty = self.ir_type(field.ty, origin)?;
                let size = self.module.types.layout(ty).map_or(0, |layout| layout.size);
                if field.offset + size <= entry.size {
                    members.push(Member { name: String::new(), ty, offset: field.offset });
                }
                continue;
            }
            let ty = self.ir_type(field.ty, origin)?;
            fields.push(Some(members.len() as u32));
            members.push(Member {
                name: field.name.as_str().to_string(),
                ty,
                offset: field.offset,
            });
        }
        let structure =
            Struct { name: entry.name.clone(), members, size: entry.size, align: entry.align };
        let origin = self.class_origin(class, origin);
        let handle = self.module.types.add_struct(structure, origin);
        let map = StructMap { handle, bases, fields, overlaps };
        self.structs.insert(class, map.clone());
        Ok(map)
    }

    /// Where a class is declared, or where it is needed if it is not the user's.
    fn class_origin(&self, class: ClassId, needed: Origin) -> Origin {
        let entry = self.cx.class(class);
        if !entry.environment.unit.is_user() {
            return needed;
        }
        let hir = self.cx.hir(entry.environment.unit);
        match entry.source {
            crate::context::ClassSource::Record(record) => hir.records[record].origin,
            crate::context::ClassSource::Closure(lambda) => hir.lambdas[lambda].origin,
        }
    }

    /// Whether values of the type cannot be put together from parts.
    pub(crate) fn overlaps(&mut self, ty: Type) -> bool {
        match *self.cx.types.kind(ty) {
            Kind::Class(class) => match self.structs.get(&class) {
                Some(map) if map.overlaps => true,
                _ => {
                    let entry = self.cx.class(class);
                    let parts: Vec<Type> = entry.fields.iter().map(|field| field.ty).collect();
                    let bases: Vec<ClassId> = entry.bases.iter().map(|base| base.class).collect();
                    entry.union && entry.fields.len() > 1
                        || entry.fields.iter().any(|field| field.bits.is_some())
                        || parts.into_iter().any(|part| self.overlaps(part))
                        || bases.into_iter().any(|base| {
                            let ty = self.cx.types.intern(Kind::Class(base));
                            self.overlaps(ty)
                        })
                }
            },
            Kind::Array(element, _) => self.overlaps(element),
            _ => false,
        }
    }
}
