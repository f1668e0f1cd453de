//! Classes, arrays and vectors: put together as values, or made where they lie.

use port_diag::Origin;
use port_ir::{
    Access, Block, CompareOp, Constant, IntegerOp, Loop, LoopTest, Scalar, StatementKind,
    Type as Ir, Unroll, Value as IrValue,
};

use super::function::Emitter;
use crate::ty::{Kind, Type};
use crate::typed::{Expr, ExprKind};
use crate::value::Value;

/// Objects of more bytes are copied in memory rather than loaded whole.
const LARGE: u64 = 64;

impl Emitter<'_, '_> {
    /// The value of an aggregate.
    pub(crate) fn aggregate(
        &mut self,
        parts: &[Option<Expr>],
        whole: &Expr,
        at: Origin,
    ) -> IrValue {
        if !self.composes(whole) {
            return self.by_memory(whole, at);
        }
        let ty = self.type_of(whole.ty, at);
        if let Some((_, 1)) = self.lower.cx.types.vector_parts(whole.ty)
            && let [Some(only)] = parts
        {
            return self.value(only);
        }
        let mut values = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let Some(part) = part else { continue };
            let member = self.member_of_part(whole.ty, index, at);
            let value = self.value(part);
            if member.is_some() {
                let expected = self
                    .lower
                    .module
                    .types
                    .component(ty, values.len() as u32)
                    .unwrap_or_else(|| self.build.type_of(value));
                let value = self.as_type(value, expected, at);
                values.push(value);
            }
        }
        self.build.compose(ty, values, at)
    }

    /// A constant aggregate.
    pub(crate) fn constant_aggregate(&mut self, parts: &[Value], ty: Type, at: Origin) -> IrValue {
        let exprs: Vec<Option<Expr>> = match *self.lower.cx.types.kind(ty) {
            Kind::Array(element, _) => {
                parts.iter().map(|part| Some(constant_part(part, element, at))).collect()
            }
            Kind::Vector { .. } => {
                let element =
                    self.lower.cx.types.vector_parts(ty).map_or(Type::UNKNOWN, |(e, _)| e);
                parts.iter().map(|part| Some(constant_part(part, element, at))).collect()
            }
            Kind::Class(class) => {
                let entry = self.lower.cx.class(class);
                let bases: Vec<_> = entry.bases.iter().map(|base| base.class).collect();
                let mut types: Vec<Type> = bases
                    .into_iter()
                    .map(|base| self.lower.cx.types.intern(Kind::Class(base)))
                    .collect();
                types.extend(self.lower.cx.class(class).fields.iter().map(|field| field.ty));
                parts
                    .iter()
                    .zip(types)
                    .map(|(part, ty)| match part {
                        Value::Undefined => None,
                        part => Some(constant_part(part, ty, at)),
                    })
                    .collect()
            }
            _ => Vec::new(),
        };
        let whole = Expr::value(ExprKind::Aggregate(exprs), ty, at);
        self.value(&whole)
    }

    /// The IR member of a part; `None` for one without bytes. Of arrays and vectors its position.
    fn member_of_part(&mut self, ty: Type, index: usize, at: Origin) -> Option<u32> {
        let Some(class) = self.class_of(ty) else { return Some(index as u32) };
        let map = self.lower.struct_of(class, at).ok()?;
        match index.checked_sub(map.bases.len()) {
            None => map.bases[index],
            Some(field) => map.fields.get(field).copied().flatten(),
        }
    }

    /// Whether an aggregate is a value made of values.
    fn composes(&mut self, expr: &Expr) -> bool {
        if self.lower.overlaps(expr.ty) {
            return false;
        }
        match &expr.kind {
            ExprKind::Aggregate(parts) => {
                let fields_without_bytes = match self.class_of(expr.ty) {
                    Some(class) => self.lower.cx.class(class).fields.iter().any(|field| {
                        matches!(self.lower.cx.types.kind(field.ty), Kind::Array(_, Some(0)))
                    }),
                    None => false,
                };
                !fields_without_bytes
                    && parts.len() <= 16
                    && parts.iter().all(|part| match part {
                        Some(part) => self.composes(part),
                        None => false,
                    })
            }
            ExprKind::Construct { .. } | ExprKind::Repeat(_) | ExprKind::Undefined => false,
            _ => true,
        }
    }

    /// Makes an object at an address.
    pub(crate) fn initialise(&mut self, address: IrValue, value: &Expr) {
        let at = self.at(value.origin);
        match &value.kind {
            ExprKind::Undefined => {}
            ExprKind::Aggregate(parts) if !self.composes(value) => {
                self.initialise_parts(address, parts, value, at);
            }
            ExprKind::Construct { constructor, arguments } => {
                self.call_constructor(*constructor, address, arguments, at);
            }
            ExprKind::Repeat(element) => self.initialise_elements(address, element, value.ty, at),
            ExprKind::Load(source) if self.copies_bytes(value.ty, at) => {
                let source = self.place(source);
                self.copy(address, source, value.ty, at);
            }
            ExprKind::Conditional { condition, then, otherwise }
                if self.class_of(value.ty).is_some() =>
            {
                let condition = self.value(condition);
                let accept = self.inside(|emitter| emitter.initialise(address, then));
                let reject = self.inside(|emitter| emitter.initialise(address, otherwise));
                self.build.push_if(condition, accept, reject, at);
            }
            ExprKind::Comma(left, right) => {
                self.discard(left);
                self.initialise(address, right);
            }
            _ => {
                let ty = self.type_of(value.ty, at);
                let value = self.value(value);
                let value = match ty {
                    // Memory made for a pointer may have a space of its own.
                    Ir::Pointer(_) => self.pointer_for(address, value, at),
                    _ => value,
                };
                self.build.store(address, value, Access::PLAIN, at);
            }
        }
    }

    /// A pointer as the memory at an address holds it.
    fn pointer_for(&mut self, address: IrValue, value: IrValue, at: Origin) -> IrValue {
        let held = match self.build.expression(address) {
            Some(port_ir::Expression::Local(local)) => {
                self.build.function().locals.get(*local).map(|local| local.ty)
            }
            _ => None,
        };
        let ty =
            held.filter(|ty| ty.space().is_some()).unwrap_or(Ir::Pointer(port_ir::Space::Generic));
        self.as_type(value, ty, at)
    }

    fn initialise_parts(
        &mut self,
        address: IrValue,
        parts: &[Option<Expr>],
        whole: &Expr,
        at: Origin,
    ) {
        match *self.lower.cx.types.kind(whole.ty) {
            Kind::Class(class) => {
                let bases = self.lower.cx.class(class).bases.len();
                for (index, part) in parts.iter().enumerate() {
                    let Some(part) = part else { continue };
                    match index.checked_sub(bases) {
                        None => {
                            let base = self.base_address(address, class, index as u32, at);
                            self.initialise(base, part);
                        }
                        Some(field) => {
                            let bits = self.lower.cx.class(class).fields.get(field);
                            if bits.is_some_and(|field| field.bits.is_some()) {
                                self.initialise_bits(address, whole, field as u32, part, at);
                                continue;
                            }
                            let place = self.field_address(address, class, field as u32, at);
                            self.initialise(place, part);
                        }
                    }
                }
            }
            Kind::Array(element, _) => {
                let element = self.type_of(element, at);
                for (index, part) in parts.iter().enumerate() {
                    let Some(part) = part else { continue };
                    let index = self.integer_constant(Scalar::I32, index as i64, at);
                    let place = self.build.element(address, element, index, at);
                    self.initialise(place, part);
                }
            }
            _ => {
                let Some((element, count)) = self.lower.cx.types.vector_parts(whole.ty) else {
                    return;
                };
                let element = self.type_of(element, at);
                for (index, part) in parts.iter().enumerate().take(usize::from(count)) {
                    let Some(part) = part else { continue };
                    let index = self.integer_constant(Scalar::I32, index as i64, at);
                    let place = self.build.element(address, element, index, at);
                    self.initialise(place, part);
                }
            }
        }
    }

    fn initialise_bits(
        &mut self,
        address: IrValue,
        whole: &Expr,
        field: u32,
        part: &Expr,
        at: Origin,
    ) {
        let Some(class) = self.class_of(whole.ty) else { return };
        let Some(part_of) = self.lower.cx.class(class).fields.get(field as usize).cloned() else {
            return;
        };
        let Some(width) = part_of.bits else { return };
        let unit = self.field_address(address, class, field, at);
        let value = self.value(part);
        self.store_bits(unit, (part_of.shift, width), part_of.ty, value, at);
    }

    /// Makes all elements of an array in the same way.
    fn initialise_elements(&mut self, address: IrValue, element: &Expr, ty: Type, at: Origin) {
        let Kind::Array(element_type, Some(length)) = *self.lower.cx.types.kind(ty) else { return };
        let ir = self.type_of(element_type, at);
        let counter = self.temporary("index", Ir::I32, at);
        let zero = self.build.constant(Constant::i32(0), at);
        self.build.store(counter, zero, Access::PLAIN, at);
        self.build.open_block();
        let index = self.build.load(Ir::I32, counter, Access::PLAIN, at);
        let end = self.integer_constant(Scalar::I32, length as i64, at);
        let test = self.build.compare(CompareOp::Less, index, end, at);
        let condition = self.build.close_block();
        let body = self.inside(|emitter| {
            let place = emitter.build.element(address, ir, index, at);
            emitter.initialise(place, element);
        });
        let step = self.inside(|emitter| {
            let one = emitter.build.constant(Constant::i32(1), at);
            let next = emitter.build.integer(IntegerOp::Add, index, one, at);
            emitter.build.store(counter, next, Access::PLAIN, at);
        });
        let looping = Loop {
            when: LoopTest::Before,
            condition,
            test: Some(test),
            body,
            step,
            unroll: Unroll::None,
        };
        self.build.push_loop(looping, at);
    }

    /// Whether an object is copied as bytes: members overlap, or there are many.
    pub(crate) fn copies_bytes(&mut self, ty: Type, at: Origin) -> bool {
        if !matches!(self.lower.cx.types.kind(ty), Kind::Class(_) | Kind::Array(..)) {
            return false;
        }
        let ir = self.type_of(ty, at);
        let size = self.lower.module.types.layout(ir).map_or(0, |layout| layout.size);
        size > LARGE || self.lower.overlaps(ty)
    }

    /// Copies the bytes of an object.
    pub(crate) fn copy(&mut self, destination: IrValue, source: IrValue, ty: Type, at: Origin) {
        let ir = self.type_of(ty, at);
        let size = self.lower.module.types.layout(ir).map_or(0, |layout| layout.size);
        let bytes = self.integer_constant(Scalar::U64, size as i64, at);
        self.build.push(StatementKind::Copy { destination, source, bytes }, at);
    }

    /// The statements that `work` emits, as a block.
    pub(crate) fn inside(&mut self, work: impl FnOnce(&mut Self)) -> Block {
        let dead = std::mem::replace(&mut self.dead, false);
        self.build.open_block();
        work(self);
        self.dead = dead;
        self.build.close_block()
    }
}

fn constant_part(part: &Value, ty: Type, at: Origin) -> Expr {
    match part {
        Value::Undefined => Expr::value(ExprKind::Undefined, ty, at),
        part => Expr::value(ExprKind::Constant(part.clone()), ty, at),
    }
}
