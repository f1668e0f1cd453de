//! Members of objects, elements of arrays and vectors.

use port_diag::Origin;
use port_hir::{ExprId, NameRef, Segment};

use crate::check::Checker;
use crate::context::ClassId;
use crate::findings::NoMember;
use crate::lookup::{Entity, Member, Step};
use crate::overload::{CallArgument, OverloadSet};
use crate::ty::{Kind, Type};
use crate::typed::{Category, Expr, ExprKind};
use crate::value::Value;

impl Checker<'_, '_> {
    /// `x.m`, `p->m`
    pub(crate) fn member(
        &mut self,
        object: ExprId,
        arrow: bool,
        member: &NameRef,
        origin: Origin,
    ) -> Expr {
        let object = self.expr(object);
        let object = self.object(object, arrow, origin);
        if let Some(code) = object.poison_code() {
            return Expr::poison(code, origin);
        }
        let Some(last) = member.last() else { return object };
        // `x.Base::m`: the object is seen as the base first.
        let object = match member.segments.len() {
            0 | 1 => object,
            _ => self.qualified_object(object, member, origin),
        };
        self.member_of(object, last, origin)
    }

    /// The object that `.` or `->` looks into, as a place where it is one.
    fn object(&mut self, object: Expr, arrow: bool, origin: Origin) -> Expr {
        if !arrow || object.ty.is_unknown() {
            return object;
        }
        let mut object = object;
        for _ in 0..16 {
            if self.cx.types.class(object.ty).is_none() {
                break;
            }
            match self.call_operator("operator->", object, Vec::new(), origin) {
                Some(result) => object = result,
                None => return self.unsupported_here(origin, "`->` of a class without operator->"),
            }
        }
        self.dereference(object, origin)
    }

    fn qualified_object(&mut self, object: Expr, member: &NameRef, origin: Origin) -> Expr {
        let mut qualifier = member.clone();
        qualifier.segments.pop();
        // The qualifier names a base; its own resolution is part of the member's.
        let name = qualifier.last().map(|segment| segment.name);
        if let (Some(class), Some(name)) = (self.cx.types.class(object.ty), name) {
            for base in self.all_bases(class, 0) {
                let entry = self.cx.class(base);
                let short = entry.name.rsplit("::").next().unwrap_or("");
                if short == name.as_str() || short.starts_with(&format!("{name}<")) {
                    let ty = self.class_type(base);
                    return self.base_part(object, ty);
                }
            }
        }
        let _ = origin;
        object
    }

    fn all_bases(&mut self, class: ClassId, depth: u32) -> Vec<ClassId> {
        self.complete(class);
        let bases: Vec<ClassId> =
            self.cx.class(class).bases.iter().map(|base| base.class).collect();
        let mut all = bases.clone();
        if depth < 16 {
            for base in bases {
                all.extend(self.all_bases(base, depth + 1));
            }
        }
        all
    }

    /// The member of an object.
    pub(crate) fn member_of(&mut self, object: Expr, member: &Segment, origin: Origin) -> Expr {
        let ty = object.ty;
        match self.cx.types.kind(ty).clone() {
            Kind::Unknown => {
                return Expr::poison(
                    object.poison_code().unwrap_or(crate::findings::UNKNOWN_TYPE),
                    origin,
                );
            }
            Kind::Vector { count, .. } => {
                let index = ["x", "y", "z", "w"]
                    .iter()
                    .position(|name| *name == member.name.as_str())
                    .filter(|index| *index < usize::from(count));
                if let Some(index) = index {
                    return self.component(object, index as u32, origin);
                }
            }
            Kind::Fragment(fragment) => match member.name.as_str() {
                "num_elements" => {
                    let intrinsic = crate::intrinsics::Intrinsic::FragmentLength(fragment);
                    let kind = ExprKind::Intrinsic { intrinsic, arguments: Vec::new() };
                    return Expr::value(kind, Type::INT, origin);
                }
                // The elements are seen to by the index that follows.
                "x" => return object,
                _ => {}
            },
            Kind::Class(class) => {
                if let Some(found) = self.class_member(object, class, member, origin) {
                    return found;
                }
            }
            Kind::Narrow(_) if member.name.as_str() == "__x" || member.name.as_str() == "x" => {
                let bits = port_hir::Builtin::UnsignedShort;
                let value = self.rvalue(object);
                let kind = ExprKind::Bits(Box::new(value));
                return Expr::value(kind, Type::builtin(bits), origin);
            }
            Kind::Opaque(name) => {
                let path = format!("{name}::{}", member.name);
                return self.fail(origin, crate::findings::UnsupportedFunction::new(path));
            }
            _ => {}
        }
        // A destructor call of what has none to speak of.
        if member.name.as_str().starts_with('~') {
            return self.unsupported_here(origin, "an explicit destructor call");
        }
        let ty = self.cx.type_name(ty.unqualified());
        self.fail(origin, NoMember { ty, member: member.name.as_str().to_string() })
    }

    /// A component of a vector.
    pub(crate) fn component(&mut self, object: Expr, index: u32, origin: Origin) -> Expr {
        // A part of a value made of parts is that part: `threadIdx.x`.
        if let ExprKind::Aggregate(parts) = &object.kind
            && let Some(Some(part)) = parts.get(index as usize)
            && matches!(part.kind, ExprKind::Intrinsic { .. } | ExprKind::Constant(_))
        {
            return Expr { origin, ..part.clone() };
        }
        let element = self.cx.types.vector_parts(object.ty).map_or(Type::UNKNOWN, |(e, _)| e);
        let category = object.category;
        let ty = if category == Category::Value {
            element
        } else {
            self.cx.types.qualify(element, object.ty.constant, object.ty.volatile)
        };
        Expr { kind: ExprKind::Component { object: Box::new(object), index }, ty, category, origin }
    }

    fn class_member(
        &mut self,
        object: Expr,
        class: ClassId,
        member: &Segment,
        origin: Origin,
    ) -> Option<Expr> {
        if !self.complete(class)
            && matches!(self.cx.class(class).completion, crate::context::Completion::Declared)
        {
            let name = self.cx.class(class).name.clone();
            return Some(self.fail(origin, crate::findings::UnknownType { name }));
        }
        if let crate::context::Completion::Failed(code) = self.cx.class(class).completion {
            return Some(Expr::poison(code, origin));
        }
        Some(match self.find_member(class, member.name)? {
            Member::Field(steps, owner, index) => {
                let object = self.follow(object, &steps, origin);
                self.field(object, owner, index, origin)
            }
            Member::Functions(candidates) => {
                let arguments = self.explicit_arguments(member);
                let place = if object.is_place() { object } else { self.materialised(object) };
                let set = OverloadSet {
                    name: member.name,
                    candidates,
                    arguments,
                    adl: false,
                    object: Some(Box::new(place)),
                };
                Expr::place(ExprKind::Overload(set.into()), Type::OVERLOAD, origin)
            }
            Member::Variable(mut variable) => {
                variable.arguments = self.explicit_arguments(member);
                self.variable(&variable, origin)
            }
            Member::Constant(value, ty) => Expr::value(ExprKind::Constant(value), ty, origin),
            Member::Type(_) | Member::Template(_) => return None,
        })
    }

    /// Walks from an object to a part of it.
    pub(crate) fn follow(&mut self, object: Expr, steps: &[Step], origin: Origin) -> Expr {
        let mut object = object;
        for step in steps {
            let Some(class) = self.cx.types.class(object.ty) else { return object };
            match step {
                Step::Base(base) => {
                    let Some(part) = self.cx.class(class).bases.get(*base as usize) else {
                        return object;
                    };
                    let ty = self.class_type(part.class).qualified_as(object.ty);
                    let (category, kind) =
                        (object.category, ExprKind::Base { object: Box::new(object), base: *base });
                    object = Expr { kind, ty, category, origin };
                }
                Step::Field(field) => object = self.field(object, class, *field, origin),
            }
        }
        object
    }

    /// A data member of an object of the class.
    pub(crate) fn field(
        &mut self,
        object: Expr,
        class: ClassId,
        index: u32,
        origin: Origin,
    ) -> Expr {
        let Some(field) = self.cx.class(class).fields.get(index as usize) else {
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        };
        let (field_type, source) = (field.ty, field.source);
        let category = object.category;
        let qualifiers = object.ty;
        // A value made of parts gives the part.
        let kind = ExprKind::Member { object: Box::new(object), field: index };
        let referee = self.cx.types.strip_reference(field_type);
        if referee != field_type {
            let pointer = self.cx.types.pointer(referee);
            let member = Expr { kind, ty: pointer, category, origin };
            let value = self.rvalue(member);
            return Expr::place(ExprKind::Deref(Box::new(value)), referee, origin);
        }
        let mutable = self.is_mutable(class, source);
        let ty = if category == Category::Value {
            field_type
        } else {
            let constant = qualifiers.constant && !mutable;
            self.cx.types.qualify(field_type, constant, qualifiers.volatile)
        };
        Expr { kind, ty, category, origin }
    }

    fn is_mutable(&self, class: ClassId, source: u32) -> bool {
        let entry = self.cx.class(class);
        match entry.source {
            crate::context::ClassSource::Record(record) => {
                let hir = self.cx.hir(entry.environment.unit);
                hir.records[record]
                    .fields
                    .get(source as usize)
                    .is_some_and(|field| field.storage.mutable)
            }
            crate::context::ClassSource::Closure(_) => false,
        }
    }

    /// `*p`
    pub(crate) fn dereference(&mut self, pointer: Expr, origin: Origin) -> Expr {
        if let Some(code) = pointer.poison_code() {
            return Expr::poison(code, origin);
        }
        let pointer = self.rvalue(pointer);
        match self.cx.types.pointee(pointer.ty) {
            Some(pointee) if pointee.is_unknown() => {
                Expr::poison(crate::findings::UNKNOWN_TYPE, origin)
            }
            Some(pointee) => match pointer.kind {
                // *&x is x.
                ExprKind::AddressOf(inner) if inner.ty.same(pointee) => {
                    Expr { origin, ty: pointee.qualified_as(inner.ty), ..*inner }
                }
                ExprKind::Function(_) => {
                    Expr::place(ExprKind::Deref(Box::new(pointer)), pointee, origin)
                }
                _ => Expr::place(ExprKind::Deref(Box::new(pointer)), pointee, origin),
            },
            None => {
                let finding = crate::findings::InvalidOperands {
                    operator: "*".to_string(),
                    operands: self.cx.type_name(pointer.ty),
                };
                self.fail(origin, finding)
            }
        }
    }

    /// `x[i]`
    pub(crate) fn index(&mut self, object: ExprId, indices: &[ExprId], origin: Origin) -> Expr {
        let [index] = indices else {
            return self.unsupported_here(origin, "an index of several values");
        };
        let object = self.expr(object);
        if self.cx.types.class(object.ty).is_some() {
            let arguments = self.call_arguments(&[*index]);
            let operands = self.cx.type_name(object.ty);
            return match self.call_operator("operator[]", object, arguments, origin) {
                Some(result) => result,
                None => self.fail(
                    origin,
                    crate::findings::InvalidOperands { operator: "[]".to_string(), operands },
                ),
            };
        }
        let index = self.expr_value(*index);
        self.subscript(object, index, origin)
    }

    /// `x[i]` of a pointer, array or fragment.
    pub(crate) fn subscript(&mut self, object: Expr, index: Expr, origin: Origin) -> Expr {
        if let Some(code) = object.poison_code().or_else(|| index.poison_code()) {
            return Expr::poison(code, origin);
        }
        if let Kind::Fragment(fragment) = *self.cx.types.kind(object.ty) {
            let index = self.convert(index, Type::INT);
            let element = crate::ty::type_of_scalar(fragment.element.storage());
            let kind = ExprKind::FragmentElement { fragment: object.into(), index: index.into() };
            return Expr::place(kind, element, origin);
        }
        let object = self.rvalue(object);
        // `i[p]` is `p[i]`.
        let (pointer, index) =
            if self.cx.types.is_pointer(index.ty) { (index, object) } else { (object, index) };
        let Some(sum) = self.pointer_add(pointer.clone(), index.clone(), false, origin) else {
            let finding = crate::findings::InvalidOperands {
                operator: "[]".to_string(),
                operands: format!(
                    "{}, {}",
                    self.cx.type_name(pointer.ty),
                    self.cx.type_name(index.ty)
                ),
            };
            return self.fail(origin, finding);
        };
        self.dereference(sum, origin)
    }

    /// `p + i`, `p - i`; `None` if the operands are not a pointer and an integer.
    pub(crate) fn pointer_add(
        &mut self,
        pointer: Expr,
        index: Expr,
        negative: bool,
        origin: Origin,
    ) -> Option<Expr> {
        let pointee = self.cx.types.pointee(pointer.ty)?;
        let index = self.integer_operand(index)?;
        if self.layout_of(pointee).is_none() && !self.is_fragment(pointee) {
            return Some(Expr::poison(self.incomplete_type(pointee, origin), origin));
        }
        let ty = pointer.ty;
        let kind =
            ExprKind::PointerAdd { pointer: Box::new(pointer), index: Box::new(index), negative };
        Some(Expr::value(kind, ty, origin))
    }

    /// Whether a type is a fragment or an array of them: it has no size, and elements all the same.
    fn is_fragment(&self, ty: Type) -> bool {
        match *self.cx.types.kind(ty) {
            Kind::Fragment(_) => true,
            Kind::Array(element, _) => self.is_fragment(element),
            _ => false,
        }
    }

    /// A value that counts something: an integer after promotion.
    pub(crate) fn integer_operand(&mut self, value: Expr) -> Option<Expr> {
        let value = match self.cx.types.kind(value.ty) {
            Kind::Class(_) => {
                let conversion = self.conversion(&value, Type::LONG)?;
                let _ = conversion;
                return Some(self.convert(value, Type::LONG));
            }
            _ => self.operand(value),
        };
        let promoted = self.promoted(value.ty);
        self.cx.types.is_integral(promoted).then(|| self.convert_standard(value, promoted))
    }

    /// `x.*p`, `p->*q`
    pub(crate) fn member_pointer(
        &mut self,
        object: ExprId,
        arrow: bool,
        pointer: ExprId,
        origin: Origin,
    ) -> Expr {
        let object = self.expr(object);
        let object = self.object(object, arrow, origin);
        let pointer = self.expr_value(pointer);
        if let Some(code) = object.poison_code().or_else(|| pointer.poison_code()) {
            return Expr::poison(code, origin);
        }
        let known = self.evaluate(&pointer);
        match (self.cx.types.kind(pointer.ty).clone(), known) {
            (Kind::MemberPointer(class, _), Some(Value::Member(index))) => {
                let owner = self.class_type(class);
                let object = self.base_part(object, owner);
                self.field(object, class, index, origin)
            }
            _ => self.unsupported_here(origin, "a pointer to a member that is not constant"),
        }
    }

    /// A call of an operator function that is a member of the object's class: `None` if there is
    /// none of the name.
    pub(crate) fn call_operator(
        &mut self,
        name: &str,
        object: Expr,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Option<Expr> {
        let class = self.cx.types.class(object.ty)?;
        let name = port_hir::Name::new(name);
        let Some(Member::Functions(candidates)) = self.find_member(class, name) else {
            return None;
        };
        let place = if object.is_place() { object } else { self.materialised(object) };
        let set = OverloadSet {
            name,
            candidates,
            arguments: None,
            adl: false,
            object: Some(Box::new(place)),
        };
        Some(self.call_set(&set, arguments, origin))
    }

    /// What a pointer to a member of a class stands for: `&C::m`.
    pub(crate) fn pointer_to_member(&mut self, name: &NameRef, origin: Origin) -> Option<Expr> {
        if name.segments.len() < 2 {
            return None;
        }
        let entity = self.attempt(|checker| checker.resolve(name, origin))?;
        let Entity::Field(class, index) = entity else { return None };
        let ty = self.cx.class(class).fields.get(index as usize)?.ty;
        let ty = self.cx.types.intern(Kind::MemberPointer(class, ty));
        Some(Expr::value(ExprKind::Constant(Value::Member(index)), ty, origin))
    }
}
