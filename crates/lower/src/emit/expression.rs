//! Values.

use port_diag::Origin;
use port_ir::{Access, Conversion, Scalar, Space, StatementKind, Type as Ir, Value as IrValue};

use super::function::{Emitter, Slot};
use crate::ty::{Kind, Type};
use crate::typed::{Arithmetic, Expr, ExprKind, Sign};
use crate::value::Value;

impl Emitter<'_, '_> {
    /// A value nobody can use.
    pub(crate) fn poison(&mut self, code: &'static str, ty: Ir, at: Origin) -> IrValue {
        if !self.report.codes.contains(&code) {
            self.report.codes.push(code);
        }
        self.build.poison(ty, code, at)
    }

    /// The IR type of an expression's value; `u64` where there is none, which was reported.
    pub(crate) fn type_of(&mut self, ty: Type, at: Origin) -> Ir {
        match self.lower.ir_type(ty, at) {
            Ok(ty) => ty,
            Err(code) => {
                if !self.report.codes.contains(&code) {
                    self.report.codes.push(code);
                }
                Ir::U64
            }
        }
    }

    /// The value of an expression.
    pub(crate) fn value(&mut self, expr: &Expr) -> IrValue {
        let at = self.at(expr.origin);
        match &expr.kind {
            ExprKind::Poison(code) => {
                let ty = self.type_of(expr.ty, at);
                self.poison(code, ty, at)
            }
            ExprKind::Constant(value) => self.constant_expr(value, expr.ty, at),
            ExprKind::Zero => {
                let ty = self.type_of(expr.ty, at);
                self.build.zero(ty, at)
            }
            ExprKind::Undefined => {
                let ty = self.type_of(expr.ty, at);
                self.build.undefined(ty, at)
            }
            ExprKind::Argument(index) => self.build.argument(*index, at),
            ExprKind::Function(_) | ExprKind::Overload(_) => {
                let what = "the address of a function".to_string();
                let finding = crate::findings::UnsupportedConstruct::new(what);
                let code = self.lower.cx.report(self.unit, expr.origin, finding);
                self.poison(code, Ir::Pointer(Space::Generic), at)
            }
            ExprKind::Load(place) => self.load(place, at),
            ExprKind::AddressOf(place) | ExprKind::Decay(place) => self.place(place),
            ExprKind::Sign(sign, operand) => {
                let value = self.value(operand);
                self.sign(*sign, value, at)
            }
            ExprKind::Arithmetic(op, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                self.arithmetic(*op, left, right, at)
            }
            ExprKind::Compare(op, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                self.compare(*op, left, right, at)
            }
            ExprKind::Logical { and, left, right } => self.logical(*and, left, right, at),
            ExprKind::Conditional { condition, then, otherwise } => {
                self.conditional(condition, then, otherwise, expr.ty, at)
            }
            ExprKind::PointerAdd { pointer, index, negative } => {
                let element = self.lower.cx.types.pointee(pointer.ty);
                let pointer = self.value(pointer);
                let index = self.value(index);
                self.pointer_add(pointer, element, index, *negative, at)
            }
            ExprKind::PointerDifference(left, right) => {
                let element = self.lower.cx.types.pointee(left.ty);
                let (left, right) = (self.value(left), self.value(right));
                self.pointer_difference(left, right, element, at)
            }
            ExprKind::Convert(operand) => {
                let value = self.value(operand);
                match self.type_of(expr.ty, at) {
                    Ir::Scalar(to) => self.convert_number(value, to, at),
                    _ => value,
                }
            }
            ExprKind::PointerCast(operand) => {
                let value = self.value(operand);
                self.pointer_cast(value, expr.ty, at)
            }
            ExprKind::Bits(operand) => {
                let value = self.value(operand);
                let to = self.type_of(expr.ty, at);
                self.bits(value, to, at)
            }
            ExprKind::PointerToBase(operand, base) => {
                let class = self
                    .lower
                    .cx
                    .types
                    .pointee(operand.ty)
                    .and_then(|pointee| self.lower.cx.types.class(pointee));
                let value = self.value(operand);
                match class {
                    Some(class) => self.base_address(value, class, *base, at),
                    None => value,
                }
            }
            ExprKind::Assign { .. } | ExprKind::CompoundAssign { .. } => {
                let address = self.place(expr);
                let ty = self.type_of(expr.ty, at);
                self.build.load(ty, address, Access::PLAIN, at)
            }
            ExprKind::Increment { target, decrement, prefix } => {
                let (old, new) = self.increment(target, *decrement, at);
                if *prefix { new } else { old }
            }
            ExprKind::Initialise { target, value } => {
                let address = self.place(target);
                self.initialise(address, value);
                self.build.zero(Ir::BOOL, at)
            }
            ExprKind::Call { function, arguments } => match self.call(*function, arguments, at) {
                Some(value) => value,
                None => self.build.zero(Ir::BOOL, at),
            },
            ExprKind::Intrinsic { intrinsic, arguments } => {
                self.intrinsic(*intrinsic, arguments, expr.ty, at)
            }
            ExprKind::Aggregate(parts) => self.aggregate(parts, expr, at),
            ExprKind::Construct { .. } | ExprKind::Repeat(_) => self.by_memory(expr, at),
            ExprKind::Comma(left, right) => {
                self.discard(left);
                self.value(right)
            }
            ExprKind::Statements(list, value) => {
                self.statements(list);
                match value {
                    Some(value) => self.value(value),
                    None => self.build.zero(Ir::BOOL, at),
                }
            }
            ExprKind::Member { object, .. }
            | ExprKind::Base { object, .. }
            | ExprKind::Component { object, .. } => {
                if object.is_place() {
                    return self.load(expr, at);
                }
                let whole = self.value(object);
                self.part_of_value(whole, expr, at)
            }
            ExprKind::Variable(_)
            | ExprKind::Global(_)
            | ExprKind::Deref(_)
            | ExprKind::String(_)
            | ExprKind::FragmentElement { .. }
            | ExprKind::Materialise(_) => self.load(expr, at),
        }
    }

    fn constant_expr(&mut self, value: &Value, ty: Type, at: Origin) -> IrValue {
        if let Value::Aggregate(parts) = value {
            return self.constant_aggregate(parts, ty, at);
        }
        let ir = self.type_of(ty, at);
        match self.constant(value, ir, at) {
            Some(value) => value,
            None => {
                let what = "this constant".to_string();
                let finding = crate::findings::UnsupportedConstruct::new(what);
                let code = self.lower.cx.report(self.unit, at, finding);
                self.poison(code, ir, at)
            }
        }
    }

    /// Evaluates an expression for its effects.
    pub(crate) fn discard(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Assign { .. }
            | ExprKind::CompoundAssign { .. }
            | ExprKind::Increment { prefix: true, .. } => {
                self.place(expr);
            }
            ExprKind::Load(place) if !place.ty.volatile => self.discard(place),
            ExprKind::Load(_) => {
                self.value(expr);
            }
            ExprKind::Initialise { target, value } => {
                let address = self.place(target);
                self.initialise(address, value);
            }
            ExprKind::Call { function, arguments } => {
                self.call(*function, arguments, self.at(expr.origin));
            }
            ExprKind::Construct { .. } => {
                self.by_memory(expr, self.at(expr.origin));
            }
            ExprKind::Comma(left, right) => {
                self.discard(left);
                self.discard(right);
            }
            ExprKind::Conditional { condition, then, otherwise } => {
                self.discard_conditional(condition, then, otherwise, self.at(expr.origin));
            }
            ExprKind::Logical { and, left, right } => {
                // Only the right side's effects are conditional.
                let at = self.at(expr.origin);
                let left = self.value(left);
                let right = self.inside(|emitter| emitter.discard(right));
                if !right.statements.is_empty() {
                    let (accept, reject) = if *and {
                        (right, port_ir::Block::new())
                    } else {
                        (port_ir::Block::new(), right)
                    };
                    self.build.push_if(left, accept, reject, at);
                }
            }
            ExprKind::Statements(list, value) => {
                self.statements(list);
                if let Some(value) = value {
                    self.discard(value);
                }
            }
            ExprKind::Intrinsic { intrinsic, arguments } => {
                let at = self.at(expr.origin);
                self.discard_intrinsic(*intrinsic, arguments, expr.ty, at);
            }
            ExprKind::Increment { .. } => {
                self.value(expr);
            }
            ExprKind::Poison(code) => {
                let at = self.at(expr.origin);
                self.unsupported(code, "an expression".to_string(), at);
            }
            ExprKind::Variable(_) | ExprKind::Global(_) | ExprKind::Constant(_) => {}
            _ => expr.for_each_part(&mut |part| self.discard(part)),
        }
    }

    // Reading.

    /// How memory of a type is accessed.
    pub(crate) fn access(&self, ty: Type) -> Access {
        Access { volatile: ty.volatile, ..Access::PLAIN }
    }

    /// The value at a place.
    fn load(&mut self, place: &Expr, at: Origin) -> IrValue {
        if let Some(value) = self.value_of_variable(place, at) {
            return value;
        }
        let address = self.place(place);
        if self.is_bit_field(place) {
            return self.extract_bits(address, place, at);
        }
        let ty = self.memory_type(place, at);
        let value = self.build.load(ty, address, self.access(place.ty), at);
        // A pointer inside a kernel's parameter was made by the host: it points at global memory.
        let kernel = self.build.function().is_kernel();
        if kernel
            && let Ir::Pointer(Space::Generic) = ty
            && self.build.type_of(address) == Ir::Pointer(Space::Parameter)
        {
            return self.as_type(value, Ir::Pointer(Space::Global), at);
        }
        value
    }

    /// The type of a place as memory: a local pointer variable may have a space of its own.
    pub(crate) fn memory_type(&mut self, place: &Expr, at: Origin) -> Ir {
        let ty = self.type_of(place.ty, at);
        match (&place.kind, ty) {
            (ExprKind::Variable(id), Ir::Pointer(_)) => Ir::Pointer(self.spaces.variable(*id)),
            _ => ty,
        }
    }

    /// The value of a variable that is a value, or of a part of it.
    fn value_of_variable(&mut self, place: &Expr, at: Origin) -> Option<IrValue> {
        match &place.kind {
            ExprKind::Variable(id) => match self.slots.get(id.index())? {
                Slot::Value(value) => Some(*value),
                Slot::Poison(code) => {
                    let code = *code;
                    let ty = self.type_of(place.ty, at);
                    Some(self.poison(code, ty, at))
                }
                _ => None,
            },
            ExprKind::Member { object, .. }
            | ExprKind::Base { object, .. }
            | ExprKind::Component { object, .. }
                if object.is_place() =>
            {
                let whole = self.value_of_variable(object, at)?;
                Some(self.part_of_value(whole, place, at))
            }
            _ => None,
        }
    }

    /// A member, base or component of a value.
    fn part_of_value(&mut self, whole: IrValue, expr: &Expr, at: Origin) -> IrValue {
        let index = match &expr.kind {
            ExprKind::Component { object, index } => {
                match self.lower.cx.types.vector_parts(object.ty) {
                    // A vector of one component is that component.
                    Some((_, 1)) => return whole,
                    _ => Some(*index),
                }
            }
            ExprKind::Member { object, field } => {
                let class = self.lower.cx.types.class(object.ty);
                let map = class.and_then(|class| self.lower.struct_of(class, at).ok());
                map.and_then(|map| map.fields.get(*field as usize).copied().flatten())
            }
            ExprKind::Base { object, base } => {
                let class = self.lower.cx.types.class(object.ty);
                let map = class.and_then(|class| self.lower.struct_of(class, at).ok());
                map.and_then(|map| map.bases.get(*base as usize).copied().flatten())
            }
            _ => None,
        };
        match index {
            Some(index) => {
                let part = self.build.extract(&self.lower.module.types, whole, index, at);
                self.global_if_parameter(whole, part, at)
            }
            None => {
                // An empty part has no bytes; a bit-field needs memory.
                if let ExprKind::Member { object, .. } = &expr.kind
                    && self.is_bit_field(expr)
                {
                    let ty = self.type_of(object.ty, at);
                    let address = self.temporary("object", ty, at);
                    self.build.store(address, whole, Access::PLAIN, at);
                    return self.read_bit_field(address, expr, at);
                }
                let ty = self.type_of(expr.ty, at);
                self.build.zero(ty, at)
            }
        }
    }

    /// A pointer that is part of a kernel's parameter points at global memory.
    fn global_if_parameter(&mut self, whole: IrValue, part: IrValue, at: Origin) -> IrValue {
        let mut root = whole;
        loop {
            match self.build.expression(root) {
                Some(port_ir::Expression::Extract { value, .. }) => root = *value,
                Some(port_ir::Expression::Argument(_)) if self.build.function().is_kernel() => {
                    break;
                }
                _ => return part,
            }
        }
        match self.build.type_of(part) {
            Ir::Pointer(Space::Generic) => self.as_type(part, Ir::Pointer(Space::Global), at),
            _ => part,
        }
    }

    // Pointers.

    pub(crate) fn pointer_add(
        &mut self,
        pointer: IrValue,
        element: Option<Type>,
        index: IrValue,
        negative: bool,
        at: Origin,
    ) -> IrValue {
        let element = match element {
            Some(element) if self.lower.cx.types.is_void(element) => Ir::Scalar(Scalar::U8),
            Some(element) => self.type_of(element, at),
            None => Ir::Scalar(Scalar::U8),
        };
        let index = if negative {
            // In 64 bits, so that an unsigned index does not wrap.
            let wide = self.convert_number(index, Scalar::I64, at);
            self.sign(Sign::Negate, wide, at)
        } else {
            index
        };
        self.build.element(pointer, element, index, at)
    }

    fn pointer_difference(
        &mut self,
        left: IrValue,
        right: IrValue,
        element: Option<Type>,
        at: Origin,
    ) -> IrValue {
        let (left, right) = self.same_space(left, right, at);
        let mut address = |value| {
            let integer = self.build.convert(Conversion::PointerToInteger, value, Ir::U64, at);
            self.convert_number(integer, Scalar::I64, at)
        };
        let (left, right) = (address(left), address(right));
        let bytes = self.arithmetic(Arithmetic::Subtract, left, right, at);
        let size = element
            .and_then(|element| self.lower.checker().layout_of(element))
            .map_or(1, |layout| layout.size);
        if size == 1 {
            return bytes;
        }
        let size = self.integer_constant(Scalar::I64, size as i64, at);
        self.arithmetic(Arithmetic::Divide, bytes, size, at)
    }

    fn pointer_cast(&mut self, value: IrValue, to: Type, at: Origin) -> IrValue {
        let from = self.build.type_of(value);
        let pointer = self.lower.cx.types.is_pointer(to);
        match (from, pointer) {
            (Ir::Pointer(_), true) => value,
            (Ir::Pointer(_), false) => {
                let address = self.build.convert(Conversion::PointerToInteger, value, Ir::U64, at);
                match self.type_of(to, at) {
                    Ir::Scalar(scalar) => self.convert_number(address, scalar, at),
                    _ => address,
                }
            }
            (_, true) => {
                let address = self.convert_number(value, Scalar::U64, at);
                let generic = Ir::Pointer(Space::Generic);
                self.build.convert(Conversion::IntegerToPointer, address, generic, at)
            }
            (_, false) => match self.type_of(to, at) {
                Ir::Scalar(scalar) => self.convert_number(value, scalar, at),
                _ => value,
            },
        }
    }

    // Changing.

    /// `++`, `--`: the value before and after.
    pub(crate) fn increment(
        &mut self,
        target: &Expr,
        decrement: bool,
        at: Origin,
    ) -> (IrValue, IrValue) {
        if self.is_bit_field(target) {
            let one = Expr::integer(1, target.ty, target.origin);
            let op = if decrement { Arithmetic::Subtract } else { Arithmetic::Add };
            return self.change_bit_field(target, op, &one, target.ty, at);
        }
        let address = self.place(target);
        let ty = self.memory_type(target, at);
        let access = self.access(target.ty);
        let old = self.build.load(ty, address, access, at);
        let new = match ty {
            Ir::Pointer(_) => {
                let element = self.lower.cx.types.pointee(target.ty);
                let one = self.integer_constant(Scalar::I32, if decrement { -1 } else { 1 }, at);
                self.pointer_add(old, element, one, false, at)
            }
            Ir::Scalar(Scalar::Bool) => {
                let yes = port_ir::Constant::bool(!decrement);
                self.build.constant(yes, at)
            }
            _ => self.stepped(old, decrement, ty, at),
        };
        self.build.store(address, new, access, at);
        (old, new)
    }

    fn stepped(&mut self, old: IrValue, decrement: bool, ty: Ir, at: Origin) -> IrValue {
        let Ir::Scalar(scalar) = ty else { return old };
        // Narrow integers are computed in int, as C++ promotes them.
        let narrow = scalar.is_integer() && scalar.bits() < 32;
        let wide = if narrow { Scalar::I32 } else { scalar };
        let value = self.convert_number(old, wide, at);
        let one = match self.constant(&Value::Integer(1), Ir::Scalar(wide), at) {
            Some(one) => one,
            None => return old,
        };
        let op = if decrement { Arithmetic::Subtract } else { Arithmetic::Add };
        let value = self.arithmetic(op, value, one, at);
        self.convert_number(value, scalar, at)
    }

    /// `target op= value`; gives the address.
    pub(crate) fn compound(
        &mut self,
        op: Arithmetic,
        target: &Expr,
        value: &Expr,
        compute: Type,
        at: Origin,
    ) -> IrValue {
        // The right operand comes first (C++17); the target is evaluated once.
        let value = self.value(value);
        let address = self.place(target);
        let ty = self.memory_type(target, at);
        let access = self.access(target.ty);
        let old = self.build.load(ty, address, access, at);
        let new = match ty {
            Ir::Pointer(_) => {
                let element = self.lower.cx.types.pointee(target.ty);
                self.pointer_add(old, element, value, op == Arithmetic::Subtract, at)
            }
            Ir::Scalar(scalar) => {
                let old = match self.type_of(compute, at) {
                    Ir::Scalar(compute) => self.convert_number(old, compute, at),
                    _ => old,
                };
                let new = self.arithmetic(op, old, value, at);
                self.convert_number(new, scalar, at)
            }
            _ => self.arithmetic(op, old, value, at),
        };
        self.build.store(address, new, access, at);
        address
    }

    /// What a function gives, as its callers expect it.
    pub(crate) fn return_value(&mut self, value: &Expr) {
        let at = self.at(value.origin);
        match self.result {
            Some(ty) => {
                let given = self.value(value);
                let given = self.as_type(given, ty, at);
                self.build.push(StatementKind::Return { value: Some(given) }, at);
            }
            None => {
                self.discard(value);
                self.build.push(StatementKind::Return { value: None }, at);
            }
        }
    }

    /// Whether a value is not zero.
    pub(crate) fn truth(&mut self, value: IrValue, at: Origin) -> IrValue {
        let ty = self.build.type_of(value);
        if ty == Ir::BOOL {
            return value;
        }
        self.convert_number(value, Scalar::Bool, at)
    }

    /// The class of a type, if any.
    pub(crate) fn class_of(&self, ty: Type) -> Option<crate::context::ClassId> {
        match *self.lower.cx.types.kind(ty) {
            Kind::Class(class) => Some(class),
            _ => None,
        }
    }
}
