//! Casts.

use port_diag::Origin;
use port_hir::{Builtin, CastKind, ExprId, ExprKind as Hir, TyId};

use crate::check::Checker;
use crate::overload::CallArgument;
use crate::ty::{Kind, Type};
use crate::typed::{Category, Expr, ExprKind};
use crate::value::Value;

impl<'h> Checker<'_, 'h> {
    pub(crate) fn cast(
        &mut self,
        kind: CastKind,
        ty: TyId,
        operand: ExprId,
        origin: Origin,
    ) -> Expr {
        let target = self.ty(ty);
        if target.is_unknown() {
            self.expr(operand);
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        }
        if let Hir::InitList(_) = self.hir().exprs[operand].kind {
            let made = self.initialise_from_list(operand, target);
            return Expr { origin, ..made };
        }
        let operand = self.expr(operand);
        if let Some(code) = operand.poison_code() {
            return Expr::poison(code, origin);
        }
        if self.cx.types.mentions_auto(target) {
            return self.unsupported_here(origin, "a cast to `auto`");
        }
        let made = match kind {
            CastKind::Static => self.static_cast(operand, target),
            CastKind::Reinterpret => self.reinterpret_cast(operand, target, origin),
            CastKind::Const => self.const_cast(operand, target, origin),
            CastKind::C | CastKind::Functional => self.c_cast(operand, target, origin),
            CastKind::Bit => self.bit_cast(operand, target, origin),
            CastKind::Dynamic => return self.unsupported_here(origin, "`dynamic_cast`"),
        };
        Expr { origin, ..made }
    }

    /// `static_cast<T>(x)` and direct initialisation.
    pub(crate) fn static_cast(&mut self, operand: Expr, target: Type) -> Expr {
        match self.try_static_cast(operand.clone(), target) {
            Some(made) => made,
            None => {
                let from = operand.ty;
                self.no_conversion(from, target, operand.origin)
            }
        }
    }

    fn try_static_cast(&mut self, operand: Expr, target: Type) -> Option<Expr> {
        let origin = operand.origin;
        if self.cx.types.is_void(target) {
            let kind = ExprKind::Comma(
                Box::new(operand),
                Box::new(Expr::value(ExprKind::Zero, Type::VOID, origin)),
            );
            return Some(Expr::value(kind, Type::VOID, origin));
        }
        match *self.cx.types.kind(target) {
            Kind::LValueReference(referee) | Kind::RValueReference(referee) => {
                return self.cast_to_reference(operand, target, referee);
            }
            Kind::Class(_) => {
                if self.conversion(&operand, target.unqualified()).is_some() {
                    return Some(self.convert(operand, target.unqualified()));
                }
                let arguments = vec![CallArgument::Expr(operand)];
                let made = self.attempt(|checker| {
                    checker.construct_from(target.unqualified(), arguments.clone(), origin)
                })?;
                return Some(made);
            }
            _ => {}
        }
        let to = target.unqualified();
        if self.conversion(&operand, to).is_some() {
            return Some(self.convert(operand, to));
        }
        if self.cx.types.class(operand.ty).is_some() {
            // An explicit conversion function.
            return self.explicit_conversion(operand, to);
        }
        let value = self.rvalue(operand);
        let types = &self.cx.types;
        let from_number =
            types.is_arithmetic(value.ty) || matches!(types.kind(value.ty), Kind::Enum(_));
        match (types.kind(value.ty).clone(), types.kind(to).clone()) {
            (_, Kind::Enum(_)) if from_number => Some(self.convert_standard(value, to)),
            (Kind::Enum(_), Kind::Builtin(b))
                if !matches!(b, Builtin::Void | Builtin::NullPointer) =>
            {
                Some(self.convert_standard(value, to))
            }
            (Kind::Enum(_), Kind::Narrow(_)) => Some(self.convert_standard(value, to)),
            (Kind::Pointer(from), Kind::Pointer(pointee)) => {
                // `void *` back, or a base down to what derives from it.
                if types.is_void(from) {
                    return Some(Expr::value(ExprKind::PointerCast(Box::new(value)), to, origin));
                }
                let distance = self.base_distance(pointee, from)?;
                self.downcast(value, pointee, to, distance, origin)
            }
            _ => None,
        }
    }

    fn cast_to_reference(&mut self, operand: Expr, target: Type, referee: Type) -> Option<Expr> {
        let origin = operand.origin;
        let rvalue = matches!(self.cx.types.kind(target), Kind::RValueReference(_));
        let category = if rvalue { Category::XValue } else { Category::LValue };
        if operand.ty.same(referee) && operand.is_place() {
            return Some(Expr { ty: referee.qualified_as(operand.ty), category, ..operand });
        }
        if self.conversion(&operand, target).is_some() {
            let pointer = self.convert(operand, target);
            let place = ExprKind::Deref(Box::new(pointer));
            return Some(Expr { kind: place, ty: referee, category, origin });
        }
        // A base down to what derives from it.
        let distance = self.base_distance(referee, operand.ty)?;
        let from = self.cx.types.pointer(operand.ty);
        let to = self.cx.types.pointer(referee);
        let address = self.address_of(operand, from);
        let pointer = self.downcast(address, referee, to, distance, origin)?;
        Some(Expr { kind: ExprKind::Deref(Box::new(pointer)), ty: referee, category, origin })
    }

    /// A pointer to a base class's part as one to the whole object.
    fn downcast(
        &mut self,
        value: Expr,
        derived: Type,
        to: Type,
        distance: u32,
        origin: Origin,
    ) -> Option<Expr> {
        let base = self.cx.types.pointee(value.ty)?;
        let mut offset = 0;
        let target = self.cx.types.class(base)?;
        let mut class = self.cx.types.class(derived)?;
        for _ in 0..distance {
            let bases = self.cx.class(class).bases.clone();
            let ty = self.class_type(target);
            let step = bases.into_iter().find(|step| {
                let from = self.class_type(step.class);
                self.base_distance(from, ty).is_some()
            })?;
            offset += step.offset;
            class = step.class;
        }
        if offset != 0 {
            let bytes = self.cx.types.pointer(Type::CHAR);
            let value = Expr::value(ExprKind::PointerCast(Box::new(value)), bytes, origin);
            let index = Expr::integer(i128::from(offset), Type::LONG, origin);
            let kind =
                ExprKind::PointerAdd { pointer: value.into(), index: index.into(), negative: true };
            let moved = Expr::value(kind, bytes, origin);
            return Some(Expr::value(ExprKind::PointerCast(Box::new(moved)), to, origin));
        }
        Some(Expr::value(ExprKind::PointerCast(Box::new(value)), to, origin))
    }

    fn explicit_conversion(&mut self, operand: Expr, to: Type) -> Option<Expr> {
        let class = self.cx.types.class(operand.ty)?;
        let origin = operand.origin;
        let mut best: Option<(crate::context::FunctionInstanceId, crate::conversion::Conversion)> =
            None;
        for candidate in self.conversion_functions(class, 0) {
            let hir = self.cx.hir(candidate.environment.unit);
            let function = &hir.functions[candidate.function];
            let list = if function.template_parameters.is_some() {
                match self.deduce_conversion(&candidate, to) {
                    Some(list) => Some(list),
                    None => continue,
                }
            } else {
                None
            };
            let instance =
                self.attempt(|checker| checker.function_instance(&candidate, list)).flatten();
            let Some(instance) = instance else { continue };
            let result = self.cx.function(instance).signature.result;
            let found = self.cx.types.strip_reference(result);
            let value = Expr::value(ExprKind::Undefined, found, origin);
            let Some(conversion) = self.conversion(&value, to) else { continue };
            let better = best
                .as_ref()
                .is_none_or(|(_, known)| conversion.compare(known) == std::cmp::Ordering::Less);
            if better {
                best = Some((instance, conversion));
            }
        }
        let (instance, _) = best?;
        let place = if operand.is_place() { operand } else { self.materialised(operand) };
        let result = self.call_instance(instance, Some(place), Vec::new(), origin);
        Some(self.convert(result, to))
    }

    fn reinterpret_cast(&mut self, operand: Expr, target: Type, origin: Origin) -> Expr {
        if let Kind::LValueReference(referee) | Kind::RValueReference(referee) =
            *self.cx.types.kind(target)
        {
            if !operand.is_place() {
                return self.no_conversion(operand.ty, target, origin);
            }
            let from = self.cx.types.pointer(operand.ty);
            let to = self.cx.types.pointer(referee);
            let address = self.address_of(operand, from);
            let pointer = Expr::value(ExprKind::PointerCast(Box::new(address)), to, origin);
            return Expr::place(ExprKind::Deref(Box::new(pointer)), referee, origin);
        }
        let to = target.unqualified();
        let value = self.rvalue(operand);
        let types = &self.cx.types;
        let kind = match (types.kind(value.ty).clone(), types.kind(to).clone()) {
            (Kind::Pointer(_), Kind::Pointer(_)) => ExprKind::PointerCast(Box::new(value)),
            (Kind::Pointer(_), Kind::Builtin(builtin)) if builtin.is_integer() => {
                let address =
                    Expr::value(ExprKind::PointerCast(Box::new(value)), Type::ULONG, origin);
                return self.convert_standard(address, to);
            }
            (Kind::Builtin(builtin), Kind::Pointer(_)) if builtin.is_integer() => {
                if let ExprKind::Constant(Value::Integer(0)) = value.kind {
                    return Expr::value(ExprKind::Constant(Value::Null), to, origin);
                }
                let address = self.convert_standard(value, Type::ULONG);
                ExprKind::PointerCast(Box::new(address))
            }
            (Kind::Builtin(Builtin::NullPointer), Kind::Pointer(_)) => {
                ExprKind::Constant(Value::Null)
            }
            _ if value.ty.same(to) => return value,
            // An integer or enumeration to itself, spelled otherwise.
            (Kind::Opaque(_), _) | (_, Kind::Opaque(_)) => ExprKind::PointerCast(Box::new(value)),
            _ => return self.no_conversion(value.ty, to, origin),
        };
        Expr::value(kind, to, origin)
    }

    fn const_cast(&mut self, operand: Expr, target: Type, origin: Origin) -> Expr {
        match *self.cx.types.kind(target) {
            Kind::LValueReference(referee) | Kind::RValueReference(referee) => {
                if operand.is_place() && operand.ty.same(referee) {
                    return Expr { ty: referee, ..operand };
                }
                self.no_conversion(operand.ty, target, origin)
            }
            _ => {
                let value = self.rvalue(operand);
                if self.cx.types.is_pointer(value.ty) {
                    return Expr::value(ExprKind::PointerCast(value.into()), target, origin);
                }
                value
            }
        }
    }

    /// `(T)x` and `T(x)`: the first of const, static and reinterpret casts that is possible.
    fn c_cast(&mut self, operand: Expr, target: Type, origin: Origin) -> Expr {
        let types = &self.cx.types;
        if let (Kind::Pointer(from), Kind::Pointer(to)) =
            (types.kind(operand.ty).clone(), types.kind(target).clone())
            && from.same(to)
        {
            let value = self.rvalue(operand);
            return Expr::value(ExprKind::PointerCast(Box::new(value)), target, origin);
        }
        // Qualifiers are no obstacle here.
        let relaxed = match *self.cx.types.kind(target) {
            Kind::Pointer(to) => {
                let constant = self.cx.types.pointee(operand.ty).is_some_and(|p| p.constant);
                let volatile = self.cx.types.pointee(operand.ty).is_some_and(|p| p.volatile);
                let to = self.cx.types.qualify(to, constant, volatile);
                self.cx.types.pointer(to)
            }
            _ => target,
        };
        if let Some(made) = self.try_static_cast(operand.clone(), relaxed) {
            if relaxed != target && !made.ty.same(target) {
                return Expr::value(ExprKind::PointerCast(Box::new(made)), target, origin);
            }
            return made;
        }
        self.reinterpret_cast(operand, target, origin)
    }

    fn bit_cast(&mut self, operand: Expr, target: Type, origin: Origin) -> Expr {
        let value = self.rvalue(operand);
        let same = match (self.layout_of(value.ty), self.layout_of(target)) {
            (Some(a), Some(b)) => a.size == b.size,
            _ => false,
        };
        if !same {
            return self.no_conversion(value.ty, target, origin);
        }
        Expr::value(ExprKind::Bits(Box::new(value)), target, origin)
    }

    /// `T()`, `T(a, b)`, `T{…}`
    pub(crate) fn construct(
        &mut self,
        ty: TyId,
        arguments: &'h [ExprId],
        braced: bool,
        origin: Origin,
    ) -> Expr {
        // The arguments of a class template may be left to the values.
        let initializer = match (braced, arguments) {
            (true, [list]) => port_hir::Initializer::Brace(*list),
            _ => port_hir::Initializer::Direct(arguments.to_vec()),
        };
        let qualifies = self.deduces_class(ty);
        if let Some(template) = qualifies {
            let given = match &initializer {
                port_hir::Initializer::Brace(list) => match &self.hir().exprs[*list].kind {
                    Hir::InitList(items) => items.iter().map(|item| item.value).collect(),
                    _ => vec![*list],
                },
                _ => arguments.to_vec(),
            };
            let given = self.call_arguments(&given);
            let class = match template.which {
                crate::value::TemplateKind::Record(record) => {
                    self.deduce_class(record, &template.outer, &given).map(|list| (record, list))
                }
                _ => None,
            };
            let class = match class {
                Some((record, list)) => {
                    let outer = template.outer.clone();
                    self.class_from_template(record, list.to_vec(), &outer, origin)
                }
                None => self.instantiate_template(&template, &[], origin),
            };
            return self.construct_from(class, given, origin);
        }
        let target = self.ty(ty);
        if target.is_unknown() {
            for argument in arguments {
                if !matches!(self.hir().exprs[*argument].kind, Hir::InitList(_)) {
                    self.expr(*argument);
                }
            }
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        }
        let made = match (braced, arguments) {
            (true, [list]) => self.initialise_from_list(*list, target),
            _ => {
                let arguments = self.call_arguments(arguments);
                self.construct_from(target, arguments, origin)
            }
        };
        let made = if made.category == Category::Value || self.cx.types.is_reference(target) {
            made
        } else {
            self.rvalue(made)
        };
        Expr { origin, ..made }
    }
}
