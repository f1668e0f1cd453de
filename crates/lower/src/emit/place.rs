//! Places: addresses of objects, parts of objects, and bit-fields, which have none.

use port_diag::Origin;
use port_ir::{Access, IntegerOp, Scalar, Space, Type as Ir, Value as IrValue};

use super::function::{Emitter, Slot};
use crate::context::ClassId;
use crate::ty::Type;
use crate::typed::{Arithmetic, Expr, ExprKind};

impl Emitter<'_, '_> {
    /// The address of a place.
    pub(crate) fn place(&mut self, expr: &Expr) -> IrValue {
        let at = self.at(expr.origin);
        match &expr.kind {
            ExprKind::Variable(id) => {
                let slot = self.slots.get(id.index()).copied().unwrap_or(Slot::Unset);
                match slot {
                    Slot::Memory(address) => address,
                    Slot::Value(value) => {
                        let ty = self.build.type_of(value);
                        let address = self.temporary("value", ty, at);
                        self.build.store(address, value, Access::PLAIN, at);
                        address
                    }
                    Slot::Poison(code) => self.poison(code, Ir::Pointer(Space::Local), at),
                    Slot::Unset => {
                        // Declared where nothing was emitted (after a jump): never reached.
                        let ty = self.memory_type(expr, at);
                        self.temporary("unreached", ty, at)
                    }
                }
            }
            ExprKind::Global(id) => match self.lower.global(*id, at) {
                Ok(variable) => self.build.variable(&self.lower.module, variable, at),
                Err(code) => self.poison(code, Ir::Pointer(Space::Generic), at),
            },
            ExprKind::String(bytes) => {
                let variable = self.lower.string(bytes, at);
                self.build.variable(&self.lower.module, variable, at)
            }
            ExprKind::Deref(pointer) => self.value(pointer),
            ExprKind::Member { object, field } => {
                let address = self.object_address(object);
                match self.class_of(object.ty) {
                    Some(class) => self.field_address(address, class, *field, at),
                    None => address,
                }
            }
            ExprKind::Base { object, base } => {
                let address = self.object_address(object);
                match self.class_of(object.ty) {
                    Some(class) => self.base_address(address, class, *base, at),
                    None => address,
                }
            }
            ExprKind::Component { object, index } => {
                let address = self.object_address(object);
                match self.lower.cx.types.vector_parts(object.ty) {
                    Some((_, 1)) | None => address,
                    Some((element, _)) => {
                        let element = self.type_of(element, at);
                        let index = self.integer_constant(Scalar::I32, i64::from(*index), at);
                        self.build.element(address, element, index, at)
                    }
                }
            }
            ExprKind::FragmentElement { fragment, index } => {
                let base = self.object_address(fragment);
                let index = self.value(index);
                match *self.lower.cx.types.kind(fragment.ty) {
                    crate::ty::Kind::Fragment(fragment) => {
                        self.build.fragment_element(base, fragment, index, at)
                    }
                    _ => base,
                }
            }
            ExprKind::Assign { target, value } => self.assign(target, value, at),
            ExprKind::CompoundAssign { op, target, value, compute } => {
                if self.is_bit_field(target) {
                    self.change_bit_field(target, *op, value, *compute, at);
                    return self.temporary("bits", Ir::U32, at);
                }
                self.compound(*op, target, value, *compute, at)
            }
            ExprKind::Increment { target, decrement, prefix: true } => {
                // The address first: it must not be computed twice.
                if let ExprKind::Variable(_) | ExprKind::Global(_) = target.kind {
                    self.increment(target, *decrement, at);
                    return self.place(target);
                }
                if self.is_bit_field(target) {
                    self.increment(target, *decrement, at);
                    return self.temporary("bits", Ir::U32, at);
                }
                let op = if *decrement { Arithmetic::Subtract } else { Arithmetic::Add };
                let compute = self.step_type(target.ty);
                let step =
                    if self.lower.cx.types.is_pointer(compute) { Type::INT } else { compute };
                let one = Expr::integer(1, Type::INT, target.origin);
                let one = self.lower.checker().convert_standard(one, step);
                self.compound(op, target, &one, compute, at)
            }
            ExprKind::Comma(left, right) => {
                self.discard(left);
                self.place(right)
            }
            ExprKind::Conditional { condition, then, otherwise } if expr.is_place() => {
                self.conditional_place(condition, then, otherwise, at)
            }
            ExprKind::Materialise(value) => self.in_memory(value, at),
            _ => self.in_memory(expr, at),
        }
    }

    /// The type in which `++` computes.
    fn step_type(&self, ty: Type) -> Type {
        if self.lower.cx.types.is_pointer(ty) {
            return ty.unqualified();
        }
        match self.lower.cx.types.scalar(ty) {
            Some(scalar) if scalar.is_integer() && scalar.bits() < 32 => Type::INT,
            _ => ty.unqualified(),
        }
    }

    /// The address of an object, which is put in memory if it is a value.
    fn object_address(&mut self, object: &Expr) -> IrValue {
        if object.is_place() {
            return self.place(object);
        }
        let at = self.at(object.origin);
        self.in_memory(object, at)
    }

    /// A value in memory of its own.
    pub(crate) fn in_memory(&mut self, value: &Expr, at: Origin) -> IrValue {
        let ty = self.type_of(value.ty, at);
        let address = self.temporary("temporary", ty, at);
        self.initialise(address, value);
        address
    }

    /// The value of an expression that is made in memory.
    pub(crate) fn by_memory(&mut self, value: &Expr, at: Origin) -> IrValue {
        let ty = self.type_of(value.ty, at);
        let address = self.in_memory(value, at);
        self.build.load(ty, address, Access::PLAIN, at)
    }

    /// `target = value`; gives the address.
    fn assign(&mut self, target: &Expr, value: &Expr, at: Origin) -> IrValue {
        if self.is_bit_field(target) {
            let value = self.value(value);
            self.write_bit_field(target, value, at);
            return self.temporary("bits", Ir::U32, at);
        }
        // A large object is copied where it lies; the source may be the target itself.
        if let crate::typed::ExprKind::Load(source) = &value.kind
            && self.copies_bytes(target.ty, at)
        {
            let source = self.place(source);
            let destination = self.place(target);
            self.copy(destination, source, target.ty, at);
            return destination;
        }
        // C++17: the right operand first.
        let value = self.value(value);
        let address = self.place(target);
        let ty = self.memory_type(target, at);
        let value = self.as_type(value, ty, at);
        self.build.store(address, value, self.access(target.ty), at);
        address
    }

    /// The address of a field.
    pub(crate) fn field_address(
        &mut self,
        address: IrValue,
        class: ClassId,
        field: u32,
        at: Origin,
    ) -> IrValue {
        let map = match self.lower.struct_of(class, at) {
            Ok(map) => map,
            Err(code) => return self.poison(code, Ir::Pointer(Space::Generic), at),
        };
        match map.fields.get(field as usize).copied().flatten() {
            Some(member) => self.build.member(address, map.handle, member, at),
            None => {
                // A flexible array, or the unit of a bit-field: by its offset.
                let offset =
                    self.lower.cx.class(class).fields.get(field as usize).map_or(0, |f| f.offset);
                self.byte_offset(address, offset, at)
            }
        }
    }

    fn byte_offset(&mut self, address: IrValue, offset: u64, at: Origin) -> IrValue {
        if offset == 0 {
            return address;
        }
        let offset = self.integer_constant(Scalar::I64, offset as i64, at);
        self.build.element(address, Ir::Scalar(Scalar::U8), offset, at)
    }

    /// The address of a base class's part.
    pub(crate) fn base_address(
        &mut self,
        address: IrValue,
        class: ClassId,
        base: u32,
        at: Origin,
    ) -> IrValue {
        match self.lower.struct_of(class, at) {
            Ok(map) => match map.bases.get(base as usize).copied().flatten() {
                Some(member) => self.build.member(address, map.handle, member, at),
                // An empty base has no bytes; any address will do.
                None => address,
            },
            Err(code) => self.poison(code, Ir::Pointer(Space::Generic), at),
        }
    }

    // Bit-fields.

    /// Whether a place is a bit-field.
    pub(crate) fn is_bit_field(&self, place: &Expr) -> bool {
        self.bit_field(place).is_some()
    }

    /// Bits from the start of the unit, width, and the field's position.
    fn bit_field(&self, place: &Expr) -> Option<(u32, u32)> {
        let ExprKind::Member { object, field } = &place.kind else { return None };
        let class = self.class_of(object.ty)?;
        let part = self.lower.cx.class(class).fields.get(*field as usize)?;
        part.bits.map(|width| (part.shift, width))
    }

    /// The value of a bit-field of the object at an address.
    pub(crate) fn read_bit_field(&mut self, object: IrValue, place: &Expr, at: Origin) -> IrValue {
        let ExprKind::Member { object: whole, field } = &place.kind else { return object };
        let Some(class) = self.class_of(whole.ty) else { return object };
        let unit = self.field_address(object, class, *field, at);
        self.extract_bits(unit, place, at)
    }

    pub(crate) fn extract_bits(&mut self, unit: IrValue, place: &Expr, at: Origin) -> IrValue {
        let Some((shift, width)) = self.bit_field(place) else { return unit };
        let ty = self.type_of(place.ty, at);
        let Ir::Scalar(scalar) = ty else { return unit };
        let stored = if scalar == Scalar::Bool { Scalar::U8 } else { scalar };
        let value = self.build.load(Ir::Scalar(stored), unit, self.access(place.ty), at);
        // Up to the top, then down: the sign, or zeros, follow.
        let bits = stored.bits();
        let up = bits.saturating_sub(shift + width);
        let down = bits.saturating_sub(width);
        let wide = if bits < 32 {
            let to = if stored.is_signed() { Scalar::I32 } else { Scalar::U32 };
            self.convert_number(value, to, at)
        } else {
            value
        };
        let extra = 32u32.saturating_sub(bits);
        let up = self.integer_constant(Scalar::U32, i64::from(up + extra), at);
        let down = self.integer_constant(Scalar::U32, i64::from(down + extra), at);
        let value = self.build.integer(IntegerOp::ShiftLeft, wide, up, at);
        let value = self.build.integer(IntegerOp::ShiftRight, value, down, at);
        self.convert_number(value, scalar, at)
    }

    fn write_bit_field(&mut self, place: &Expr, value: IrValue, at: Origin) {
        let Some(bits) = self.bit_field(place) else { return };
        let unit = self.place(place);
        self.store_bits(unit, bits, place.ty, value, at);
    }

    /// Stores into some bits of the unit at an address: first bit and width.
    pub(crate) fn store_bits(
        &mut self,
        unit: IrValue,
        (shift, width): (u32, u32),
        ty: Type,
        value: IrValue,
        at: Origin,
    ) {
        let Ir::Scalar(scalar) = self.type_of(ty, at) else { return };
        let stored = match scalar {
            Scalar::Bool | Scalar::I8 => Scalar::U8,
            Scalar::I16 => Scalar::U16,
            Scalar::I32 => Scalar::U32,
            Scalar::I64 => Scalar::U64,
            other => other,
        };
        let access = self.access(ty);
        let old = self.build.load(Ir::Scalar(stored), unit, access, at);
        let mask: u64 = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
        let keep = self.integer_constant(stored, !(mask << shift) as i64, at);
        let mask = self.integer_constant(stored, mask as i64, at);
        let amount = self.integer_constant(Scalar::U32, i64::from(shift), at);
        let value = self.convert_number(value, stored, at);
        let value = self.build.integer(IntegerOp::And, value, mask, at);
        let value = self.build.integer(IntegerOp::ShiftLeft, value, amount, at);
        let kept = self.build.integer(IntegerOp::And, old, keep, at);
        let new = self.build.integer(IntegerOp::Or, kept, value, at);
        self.build.store(unit, new, access, at);
    }

    /// `field op= value`: the value before and after.
    pub(crate) fn change_bit_field(
        &mut self,
        place: &Expr,
        op: Arithmetic,
        value: &Expr,
        compute: Type,
        at: Origin,
    ) -> (IrValue, IrValue) {
        let value = self.value(value);
        let unit = self.place(place);
        let old = self.extract_bits(unit, place, at);
        let (Ir::Scalar(compute), Ir::Scalar(scalar)) =
            (self.type_of(compute, at), self.type_of(place.ty, at))
        else {
            return (old, old);
        };
        let left = self.convert_number(old, compute, at);
        let value = match op {
            Arithmetic::ShiftLeft | Arithmetic::ShiftRight => value,
            _ => self.convert_number(value, compute, at),
        };
        let new = self.arithmetic(op, left, value, at);
        let new = self.convert_number(new, scalar, at);
        self.write_bit_field(place, new, at);
        (old, new)
    }
}
