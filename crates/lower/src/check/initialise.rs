//! How objects come into being: declarations with their initialisers, braced lists, default and
//! value initialisation, constructors.

use port_diag::Origin;
use port_hir::{
    Designator, ExprId, ExprKind as Hir, InitItem, Initializer, LiteralValue, TyId, TyKind,
};

use crate::check::Checker;
use crate::context::{ClassId, ClassSource, limits};
use crate::findings::{LimitExceeded, NoConversion, NoMember};
use crate::lookup::{Entity, Member, Step};
use crate::overload::CallArgument;
use crate::ty::{Kind, Type};
use crate::typed::{Expr, ExprKind};
use crate::value::{TemplateKind, TemplateName, Value};

/// The items of a braced list, taken one after the other: a list may spread over nested aggregates.
struct ListCursor<'h> {
    items: &'h [InitItem],
    next: usize,
}

impl<'h> Checker<'_, 'h> {
    /// The type and initial value of a declaration: `auto` deduced, the extent of `[]` taken from
    /// the initialiser. `None` for the value leaves the object as it is.
    pub(crate) fn declared(
        &mut self,
        ty: TyId,
        initializer: Option<&'h Initializer>,
        origin: Origin,
    ) -> (Type, Option<Expr>) {
        if let Some(template) = self.deduces_class(ty) {
            return self.declared_by_deduction(ty, &template, initializer, origin);
        }
        let declared = self.ty(ty);
        if declared.is_unknown() {
            // The initialiser is looked at all the same: it may hold a launch.
            self.check_only(initializer);
            return (declared, Some(Expr::poison(crate::findings::UNKNOWN_TYPE, origin)));
        }
        let ty = if self.cx.types.mentions_auto(declared) {
            return self.declared_auto(declared, initializer, origin);
        } else {
            declared
        };
        let value = self.initialised(ty, initializer, origin);
        // An array without extent has that of its value.
        let ty = match (self.cx.types.kind(ty).clone(), &value) {
            (Kind::Array(_, None), Some(value)) => {
                let constant = self.is_constant_type(ty);
                self.cx.types.qualify(value.ty, constant, false)
            }
            _ => ty,
        };
        (ty, value)
    }

    fn check_only(&mut self, initializer: Option<&'h Initializer>) {
        match initializer {
            Some(Initializer::Copy(expr) | Initializer::Brace(expr)) => {
                self.expr_or_list(*expr);
            }
            Some(Initializer::Direct(exprs)) => {
                for expr in exprs {
                    self.expr_or_list(*expr);
                }
            }
            None => {}
        }
    }

    fn expr_or_list(&mut self, expr: ExprId) {
        if let Hir::InitList(items) = &self.hir().exprs[expr].kind {
            for item in items {
                self.expr_or_list(item.value);
            }
        } else {
            self.expr(expr);
        }
    }

    fn declared_auto(
        &mut self,
        pattern: Type,
        initializer: Option<&'h Initializer>,
        origin: Origin,
    ) -> (Type, Option<Expr>) {
        let only = match initializer {
            Some(Initializer::Copy(expr)) => Some(*expr),
            Some(Initializer::Direct(exprs)) => exprs.first().copied(),
            Some(Initializer::Brace(list)) => match &self.hir().exprs[*list].kind {
                Hir::InitList(items) => items.first().map(|item| item.value),
                _ => Some(*list),
            },
            None => None,
        };
        let Some(only) = only else {
            let what = "`auto` without an initial value";
            let poison = self.unsupported_here(origin, what);
            return (Type::UNKNOWN, Some(poison));
        };
        let value = self.expr(only);
        match self.deduce_auto(pattern, &value) {
            Some(ty) => {
                let value = self.convert(value, ty);
                (ty, Some(value))
            }
            None => {
                let code = value.poison_code();
                let poison = match code {
                    Some(code) => Expr::poison(code, origin),
                    None => {
                        let to = self.cx.type_name(pattern);
                        self.no_conversion_to(value.ty, &to, origin)
                    }
                };
                (Type::UNKNOWN, Some(poison))
            }
        }
    }

    fn no_conversion_to(&mut self, from: Type, to: &str, origin: Origin) -> Expr {
        let from = self.cx.type_name(from);
        self.fail(origin, NoConversion { from, to: to.to_string() })
    }

    /// The type that `auto` in a pattern makes of a value.
    pub(crate) fn deduce_auto(&mut self, pattern: Type, value: &Expr) -> Option<Type> {
        if value.ty.is_unknown() {
            return None;
        }
        let actual = if let ExprKind::Overload(set) = &value.kind {
            let set = set.clone();
            let function = self.only_function(&set)?;
            let ty = self.function_type(function);
            self.cx.types.pointer(ty)
        } else {
            value.ty
        };
        let deduced = match *self.cx.types.kind(pattern) {
            Kind::LValueReference(inner) => self.match_auto(inner, actual)?,
            Kind::RValueReference(inner) => {
                // A forwarding reference, unless it is qualified.
                let plain = inner == Type::AUTO;
                if plain && value.category == crate::typed::Category::LValue {
                    return Some(self.cx.types.lvalue_reference(actual));
                }
                self.match_auto(inner, actual)?
            }
            _ => {
                let actual = self.decayed(actual);
                self.match_auto(pattern, actual)?
            }
        };
        Some(self.cx.types.replace_auto(pattern, deduced))
    }

    fn match_auto(&mut self, pattern: Type, actual: Type) -> Option<Type> {
        match (self.cx.types.kind(pattern).clone(), self.cx.types.kind(actual).clone()) {
            (Kind::Auto, _) => Some(Type {
                id: actual.id,
                constant: actual.constant && !pattern.constant,
                volatile: actual.volatile && !pattern.volatile,
            }),
            (Kind::Pointer(inner), Kind::Pointer(pointee)) => self.match_auto(inner, pointee),
            _ => None,
        }
    }

    /// The class template of a declaration that leaves its arguments out.
    pub(crate) fn deduces_class(&mut self, ty: TyId) -> Option<TemplateName> {
        let TyKind::Named(name) = &self.hir().types[ty].kind else { return None };
        if name.last().is_some_and(|last| last.arguments.is_some()) {
            return None;
        }
        let origin = self.hir().types[ty].origin;
        match self.attempt(|checker| checker.resolve(name, origin)) {
            Some(Entity::Template(template)) => Some(template),
            _ => None,
        }
    }

    fn declared_by_deduction(
        &mut self,
        ty: TyId,
        template: &TemplateName,
        initializer: Option<&'h Initializer>,
        origin: Origin,
    ) -> (Type, Option<Expr>) {
        let arguments = self.initializer_arguments(initializer);
        let found = match template.which {
            TemplateKind::Record(record) => {
                let deduced = self.deduce_class(record, &template.outer, &arguments);
                deduced.map(|list| {
                    let outer = template.outer.clone();
                    self.class_from_template(record, list.to_vec(), &outer, origin)
                })
            }
            _ => None,
        };
        let class = match found {
            Some(class) => class,
            // All arguments have defaults, or there is a finding.
            None => self.instantiate_template(template, &[], origin),
        };
        let qualifiers = self.hir().types[ty].qualifiers;
        let class = self.cx.types.qualify(class, qualifiers.constant, qualifiers.volatile);
        let value = self.initialised(class, initializer, origin);
        (class, value)
    }

    /// The values of an initialiser, without a type to go by.
    fn initializer_arguments(&mut self, initializer: Option<&'h Initializer>) -> Vec<CallArgument> {
        let exprs: Vec<ExprId> = match initializer {
            None => Vec::new(),
            Some(Initializer::Direct(exprs)) => exprs.clone(),
            Some(Initializer::Copy(expr) | Initializer::Brace(expr)) => {
                match &self.hir().exprs[*expr].kind {
                    Hir::InitList(items) => items.iter().map(|item| item.value).collect(),
                    _ => vec![*expr],
                }
            }
        };
        self.call_arguments(&exprs)
    }

    /// The value with which an object of the type begins.
    pub(crate) fn initialised(
        &mut self,
        ty: Type,
        initializer: Option<&'h Initializer>,
        origin: Origin,
    ) -> Option<Expr> {
        match initializer {
            None => self.default_value(ty, origin),
            Some(Initializer::Copy(expr)) => Some(self.initialise_from(*expr, ty)),
            Some(Initializer::Brace(list)) => Some(self.initialise_from(*list, ty)),
            Some(Initializer::Direct(exprs)) => {
                let mut arguments = self.call_arguments(exprs);
                // A reference is bound to its object, whatever the brackets.
                if self.cx.types.is_reference(ty)
                    && let [CallArgument::Expr(_)] = arguments[..]
                    && let Some(CallArgument::Expr(object)) = arguments.pop()
                {
                    return Some(self.convert(object, ty));
                }
                Some(self.construct_from(ty, arguments, origin))
            }
        }
    }

    /// A value of the type from an expression or a braced list.
    pub(crate) fn initialise_from(&mut self, expr: ExprId, ty: Type) -> Expr {
        let hir = self.hir();
        match &hir.exprs[expr].kind {
            Hir::InitList(_) => self.initialise_from_list(expr, ty),
            Hir::Literal(literal)
                if matches!(literal.value, LiteralValue::String { .. })
                    && matches!(self.cx.types.kind(ty), Kind::Array(..)) =>
            {
                self.array_from_string(expr, ty)
            }
            _ => {
                let value = self.expr(expr);
                self.convert(value, ty)
            }
        }
    }

    fn array_from_string(&mut self, expr: ExprId, ty: Type) -> Expr {
        let literal = self.expr(expr);
        let ExprKind::String(bytes) = &literal.kind else { return literal };
        let Kind::Array(element, extent) = *self.cx.types.kind(ty) else { return literal };
        let length = extent.unwrap_or(bytes.len() as u64);
        let element = element.unqualified();
        let parts = (0..length.min(limits::ELEMENTS))
            .map(|index| {
                let byte = bytes.get(index as usize).copied().unwrap_or(0);
                Some(Expr::integer(i128::from(byte as i8), element, literal.origin))
            })
            .collect();
        let ty = self.cx.types.array(element, Some(length));
        Expr::value(ExprKind::Aggregate(parts), ty, literal.origin)
    }

    /// A value of the type from a braced list.
    pub(crate) fn initialise_from_list(&mut self, list: ExprId, ty: Type) -> Expr {
        let origin = self.hir().exprs[list].origin;
        let Hir::InitList(items) = &self.hir().exprs[list].kind else {
            return self.initialise_from(list, ty);
        };
        if let Err(code) = self.enter(origin) {
            return Expr::poison(code, origin);
        }
        let made = self.items_value(items, ty, origin);
        self.leave();
        made
    }

    fn items_value(&mut self, items: &'h [InitItem], ty: Type, origin: Origin) -> Expr {
        if ty.is_unknown() {
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        }
        if self.cx.types.is_reference(ty) {
            let referee = self.cx.types.strip_reference(ty);
            let value = match items {
                [only] if only.designators.is_empty() => self.expr(only.value),
                _ => self.items_value(items, referee.unqualified(), origin),
            };
            return self.convert(value, ty);
        }
        if items.is_empty() {
            return self.value_initialised(ty, origin);
        }
        // `T{x}` of an x that is a T already copies it.
        if let [only] = items
            && only.designators.is_empty()
            && !matches!(
                self.hir().exprs[only.value].kind,
                Hir::InitList(_) | Hir::PackExpansion(_)
            )
            && let Some(value) = self.attempt(|checker| checker.expr(only.value))
            && (value.ty.same(ty) || self.base_distance(value.ty, ty).is_some())
        {
            let value = self.expr(only.value);
            return self.convert(value, ty);
        }
        if let Some(class) = self.cx.types.class(ty)
            && self.has_constructors(class)
        {
            let exprs: Vec<ExprId> = items.iter().map(|item| item.value).collect();
            let arguments = self.call_arguments(&exprs);
            return self.construct_from(ty, arguments, origin);
        }
        match self.cx.types.kind(ty) {
            Kind::Class(_) | Kind::Array(..) | Kind::Vector { .. } => {
                let mut cursor = ListCursor { items, next: 0 };
                let made = self.aggregate(&mut cursor, ty, origin, true);
                if cursor.next < items.len() && made.poison_code().is_none() {
                    return self.unsupported_here(origin, "a braced list with too many values");
                }
                made
            }
            _ => match items {
                [only] => {
                    let only = only.value;
                    self.initialise_from(only, ty)
                }
                _ => {
                    let to = self.cx.type_name(ty);
                    self.no_conversion_to(ty, &to, origin)
                }
            },
        }
    }

    /// Whether the class declares constructors other than defaulted ones.
    pub(crate) fn has_constructors(&mut self, class: ClassId) -> bool {
        let candidates = self.constructors(class);
        candidates.iter().any(|candidate| {
            let hir = self.cx.hir(candidate.environment.unit);
            !matches!(
                hir.functions[candidate.function].body,
                port_hir::Body::Defaulted | port_hir::Body::Deleted
            )
        })
    }

    /// An aggregate from the next items of a list.
    fn aggregate(
        &mut self,
        cursor: &mut ListCursor<'h>,
        ty: Type,
        origin: Origin,
        whole: bool,
    ) -> Expr {
        match *self.cx.types.kind(ty) {
            Kind::Array(element, extent) => {
                self.array_aggregate(cursor, element, extent, origin, whole)
            }
            Kind::Vector { count, dim3, .. } => {
                let Some((element, _)) = self.cx.types.vector_parts(ty) else {
                    return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
                };
                let mut parts = Vec::new();
                for _ in 0..count {
                    parts.push(Some(match self.next_element(cursor, element, origin) {
                        Some(part) => part,
                        None if dim3 => Expr::integer(1, element, origin),
                        None => self.value_initialised(element, origin),
                    }));
                }
                Expr::value(ExprKind::Aggregate(parts), ty, origin)
            }
            Kind::Class(class) => self.class_aggregate(cursor, class, origin),
            _ => match self.next_element(cursor, ty, origin) {
                Some(value) => value,
                None => self.value_initialised(ty, origin),
            },
        }
    }

    fn array_aggregate(
        &mut self,
        cursor: &mut ListCursor<'h>,
        element: Type,
        extent: Option<u64>,
        origin: Origin,
        whole: bool,
    ) -> Expr {
        let element = element.unqualified();
        let mut parts: Vec<Option<Expr>> = Vec::new();
        loop {
            if extent.is_some_and(|extent| parts.len() as u64 >= extent)
                || parts.len() as u64 >= limits::ELEMENTS
            {
                break;
            }
            let Some(item) = cursor.items.get(cursor.next) else { break };
            match item.designators.first() {
                Some(Designator::Index(index)) => {
                    let Some(index) = self.constant_integer(*index, "the index of an element")
                    else {
                        return Expr::poison(crate::findings::NOT_CONSTANT, origin);
                    };
                    let index = usize::try_from(index).unwrap_or(usize::MAX);
                    if index as u64 >= extent.unwrap_or(limits::ELEMENTS) {
                        return self.unsupported_here(origin, "an element past the end");
                    }
                    while parts.len() < index {
                        parts.push(None);
                    }
                    cursor.next += 1;
                    let value = self.initialise_from(item.value, element);
                    if parts.len() == index {
                        parts.push(Some(value));
                    } else {
                        parts[index] = Some(value);
                    }
                    continue;
                }
                Some(Designator::Field(..)) if !whole => break,
                _ => {}
            }
            match self.next_element(cursor, element, origin) {
                Some(part) => parts.push(Some(part)),
                None => break,
            }
        }
        let length = extent.unwrap_or(parts.len() as u64);
        if length > limits::ELEMENTS {
            let what = "elements of an initialised array".to_string();
            return self.fail(origin, LimitExceeded { what, limit: limits::ELEMENTS });
        }
        let ty = self.cx.types.array(element, Some(length));
        let zero = parts.iter().flatten().all(is_zero) && self.is_scalar(element);
        if zero {
            return Expr::value(ExprKind::Zero, ty, origin);
        }
        for index in 0..length as usize {
            match parts.get_mut(index) {
                Some(Some(_)) => {}
                Some(empty) => *empty = Some(self.value_initialised(element, origin)),
                None => {
                    let value = self.value_initialised(element, origin);
                    parts.push(Some(value));
                }
            }
        }
        Expr::value(ExprKind::Aggregate(parts), ty, origin)
    }

    fn class_aggregate(
        &mut self,
        cursor: &mut ListCursor<'h>,
        class: ClassId,
        origin: Origin,
    ) -> Expr {
        let ty = self.class_type(class);
        if !self.complete(class) {
            return Expr::poison(self.incomplete_type(ty, origin), origin);
        }
        let entry = self.cx.class(class);
        let union = entry.union;
        let bases: Vec<ClassId> = entry.bases.iter().map(|base| base.class).collect();
        let fields: Vec<(port_hir::Name, Type)> =
            entry.fields.iter().map(|field| (field.name, field.ty)).collect();
        let mut parts: Vec<Option<Expr>> = Vec::new();
        for base in &bases {
            let base = self.class_type(*base);
            parts.push(Some(match self.next_element(cursor, base, origin) {
                Some(part) => part,
                None => self.value_initialised(base, origin),
            }));
        }
        parts.resize_with(bases.len() + fields.len(), || None);
        let mut field = 0;
        let mut any = false;
        while field < fields.len() {
            let Some(item) = cursor.items.get(cursor.next) else { break };
            if let Some(Designator::Field(name, _)) = item.designators.first() {
                let (name, value) = (*name, item.value);
                match self.designated(class, name, value, &fields, &mut parts, bases.len()) {
                    Some(position) => field = position + 1,
                    None => {
                        let finding = NoMember {
                            ty: self.cx.type_name(ty),
                            member: name.as_str().to_string(),
                        };
                        return self.fail(origin, finding);
                    }
                }
                cursor.next += 1;
                any = true;
                continue;
            }
            if union && any {
                break;
            }
            let Some(part) = self.next_element(cursor, fields[field].1, origin) else { break };
            parts[bases.len() + field] = Some(part);
            any = true;
            field += 1;
        }
        for index in 0..fields.len() {
            if parts[bases.len() + index].is_none() && !(union && (any || index > 0)) {
                parts[bases.len() + index] = Some(self.missing_field(class, index, origin));
            }
        }
        Expr::value(ExprKind::Aggregate(parts), ty, origin)
    }

    /// `.name = value`; gives the field's position.
    fn designated(
        &mut self,
        class: ClassId,
        name: port_hir::Name,
        value: ExprId,
        fields: &[(port_hir::Name, Type)],
        parts: &mut [Option<Expr>],
        bases: usize,
    ) -> Option<usize> {
        let Member::Field(steps, _, position) = self.find_member(class, name)? else {
            return None;
        };
        match steps.first() {
            None => {
                let position = position as usize;
                let (_, ty) = fields.get(position)?;
                *parts.get_mut(bases + position)? = Some(self.initialise_from(value, *ty));
                Some(position)
            }
            // A member of an anonymous struct or union: that one is made with this member.
            Some(Step::Field(anonymous)) if steps.len() == 1 => {
                let anonymous = *anonymous as usize;
                let (_, ty) = fields.get(anonymous)?;
                let inner = self.cx.types.class(*ty)?;
                let count = self.cx.class(inner).fields.len();
                let field_ty = self.cx.class(inner).fields.get(position as usize)?.ty;
                let made = self.initialise_from(value, field_ty);
                let origin = made.origin;
                let slot = parts.get_mut(bases + anonymous)?;
                let mut inner_parts = match slot.take() {
                    Some(Expr { kind: ExprKind::Aggregate(parts), .. }) => parts,
                    _ => {
                        let mut empty = Vec::new();
                        empty.resize_with(count, || None);
                        empty
                    }
                };
                *inner_parts.get_mut(position as usize)? = Some(made);
                *slot = Some(Expr::value(ExprKind::Aggregate(inner_parts), *ty, origin));
                Some(anonymous)
            }
            _ => None,
        }
    }

    /// The value of a field for which a list has none.
    fn missing_field(&mut self, class: ClassId, index: usize, origin: Origin) -> Expr {
        if let Some(value) = self.field_default(class, index) {
            return value;
        }
        let ty = self.cx.class(class).fields[index].ty;
        self.value_initialised(ty, origin)
    }

    /// The value that a field's own initialiser gives.
    pub(crate) fn field_default(&mut self, class: ClassId, index: usize) -> Option<Expr> {
        let entry = self.cx.class(class);
        let ClassSource::Record(record) = entry.source else { return None };
        let field = entry.fields.get(index)?;
        let (source, ty) = (field.source as usize, field.ty);
        let environment = entry.environment.clone();
        let unit = environment.unit;
        let definition = &self.cx.hir(unit).records[record].fields.get(source)?;
        let initializer = definition.initializer.as_ref()?;
        let origin = definition.origin;
        self.at(environment).initialised(ty, Some(initializer), origin)
    }

    /// The next item as a value of the type; an aggregate may take several.
    fn next_element(
        &mut self,
        cursor: &mut ListCursor<'h>,
        ty: Type,
        origin: Origin,
    ) -> Option<Expr> {
        let item = cursor.items.get(cursor.next)?;
        let value = item.value;
        let hir = self.hir();
        match &hir.exprs[value].kind {
            Hir::InitList(_) => {
                cursor.next += 1;
                return Some(self.initialise_from(value, ty));
            }
            Hir::PackExpansion(pattern) => {
                return self.expanded_element(cursor, *pattern, ty, origin);
            }
            _ => {}
        }
        let aggregate = match self.cx.types.kind(ty) {
            Kind::Array(..) => !matches!(&hir.exprs[value].kind, Hir::Literal(literal)
                    if matches!(literal.value, LiteralValue::String { .. })),
            Kind::Class(_) | Kind::Vector { .. } => {
                // Braces may be left out around a part, unless the item is such a part itself.
                let checked = self.attempt(|checker| checker.expr(value));
                checked.is_none_or(|checked| self.conversion(&checked, ty).is_none())
            }
            _ => false,
        };
        if aggregate
            && !matches!(self.cx.types.kind(ty), Kind::Class(class)
                if self.cx.class(*class).fields.is_empty())
        {
            return Some(self.aggregate(cursor, ty, origin, false));
        }
        cursor.next += 1;
        Some(self.initialise_from(value, ty))
    }

    /// A pack in a braced list, where it is one value for each element.
    fn expanded_element(
        &mut self,
        cursor: &mut ListCursor<'h>,
        pattern: ExprId,
        ty: Type,
        origin: Origin,
    ) -> Option<Expr> {
        let count = self.pack_length_of_expr(pattern).unwrap_or(0);
        let done = self.body.list_pack.get(&pattern).copied().unwrap_or(0);
        if done >= count {
            cursor.next += 1;
            self.body.list_pack.remove(&pattern);
            return self.next_element(cursor, ty, origin);
        }
        self.body.list_pack.insert(pattern, done + 1);
        if done + 1 == count {
            cursor.next += 1;
            self.body.list_pack.remove(&pattern);
        }
        Some(self.with_pack(done, |checker| checker.initialise_from(pattern, ty)))
    }

    // Without values.

    /// What `T{}` and `T()` make.
    pub(crate) fn value_initialised(&mut self, ty: Type, origin: Origin) -> Expr {
        if ty.is_unknown() {
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        }
        match *self.cx.types.kind(ty) {
            Kind::Class(class) => {
                if self.has_constructors(class) {
                    return self.construct_from(ty, Vec::new(), origin);
                }
                if !self.complete(class) {
                    return Expr::poison(self.incomplete_type(ty, origin), origin);
                }
                match self.default_value(ty, origin) {
                    None => Expr::value(ExprKind::Zero, ty, origin),
                    Some(_) => {
                        let mut cursor = ListCursor { items: &[], next: 0 };
                        self.class_aggregate(&mut cursor, class, origin)
                    }
                }
            }
            Kind::Array(element, Some(_)) => match self.default_value(element, origin) {
                None => Expr::value(ExprKind::Zero, ty, origin),
                Some(_) => {
                    let element = self.value_initialised(element, origin);
                    Expr::value(ExprKind::Repeat(Box::new(element)), ty, origin)
                }
            },
            Kind::Vector { dim3: true, .. } => {
                let one = || Some(Expr::integer(1, Type::UINT, origin));
                Expr::value(ExprKind::Aggregate(vec![one(), one(), one()]), ty, origin)
            }
            Kind::Pointer(_) | Kind::Builtin(port_hir::Builtin::NullPointer) => {
                Expr::value(ExprKind::Constant(Value::Null), ty, origin)
            }
            Kind::Builtin(builtin) if builtin.is_integer() => {
                Expr::integer(0, ty.unqualified(), origin)
            }
            Kind::Builtin(port_hir::Builtin::Void) => Expr::value(ExprKind::Zero, ty, origin),
            Kind::Enum(_) => Expr::integer(0, ty.unqualified(), origin),
            Kind::Builtin(_) | Kind::Narrow(_) => {
                Expr::value(ExprKind::Constant(Value::Float(0.0)), ty, origin)
            }
            _ => Expr::value(ExprKind::Zero, ty, origin),
        }
    }

    /// What a declaration without initialiser makes: `None` leaves the bytes as they are.
    pub(crate) fn default_value(&mut self, ty: Type, origin: Origin) -> Option<Expr> {
        match *self.cx.types.kind(ty) {
            Kind::Class(class) => {
                if !self.complete(class) {
                    return Some(Expr::poison(self.incomplete_type(ty, origin), origin));
                }
                let constructor = self.constructor(class, &[], true);
                if let Some(constructor) = constructor
                    && self.has_body(constructor)
                {
                    self.record_call(constructor);
                    let arguments = self.convert_arguments(constructor, Vec::new(), origin);
                    let kind = ExprKind::Construct { constructor, arguments };
                    return Some(Expr::value(kind, ty, origin));
                }
                if constructor.is_none() && self.has_constructors(class) {
                    let to = self.cx.type_name(ty);
                    return Some(self.no_conversion_to(Type::VOID, &to, origin));
                }
                self.default_parts(class, ty, origin)
            }
            Kind::Array(element, Some(_)) => {
                let element = self.default_value(element, origin)?;
                Some(Expr::value(ExprKind::Repeat(Box::new(element)), ty, origin))
            }
            Kind::Vector { dim3: true, .. } => Some(self.value_initialised(ty, origin)),
            Kind::LValueReference(_) | Kind::RValueReference(_) => {
                Some(self.unsupported_here(origin, "a reference without an initial value"))
            }
            _ => None,
        }
    }

    /// An object whose parts are default-initialised; `None` if none of them needs anything.
    fn default_parts(&mut self, class: ClassId, ty: Type, origin: Origin) -> Option<Expr> {
        let entry = self.cx.class(class);
        let union = entry.union;
        let bases: Vec<ClassId> = entry.bases.iter().map(|base| base.class).collect();
        let fields: Vec<Type> = entry.fields.iter().map(|field| field.ty).collect();
        let mut parts = Vec::new();
        let mut any = false;
        for base in bases {
            let base = self.class_type(base);
            let value = self.default_value(base, origin);
            any |= value.is_some();
            parts.push(Some(value.unwrap_or(Expr::value(ExprKind::Undefined, base, origin))));
        }
        for (index, field) in fields.into_iter().enumerate() {
            let value = match self.field_default(class, index) {
                Some(value) => Some(value),
                None if union => None,
                None => self.default_value(field, origin),
            };
            any |= value.is_some();
            parts.push(match value {
                Some(value) => Some(value),
                None if union => None,
                None => Some(Expr::value(ExprKind::Undefined, field, origin)),
            });
        }
        any.then(|| Expr::value(ExprKind::Aggregate(parts), ty, origin))
    }

    /// Whether a function is more than a defaulted one.
    pub(crate) fn has_body(&self, function: crate::context::FunctionInstanceId) -> bool {
        let instance = self.cx.function(function);
        match instance.source {
            crate::context::FunctionSource::Function(id) => !matches!(
                self.cx.hir(instance.environment.unit).functions[id].body,
                port_hir::Body::Defaulted
            ),
            crate::context::FunctionSource::Lambda(_) => true,
        }
    }

    /// `T(a, b)`
    pub(crate) fn construct_from(
        &mut self,
        ty: Type,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Expr {
        if ty.is_unknown() {
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        }
        if let Some(code) = arguments.iter().find_map(|argument| match argument {
            CallArgument::Expr(expr) => expr.poison_code(),
            CallArgument::Braced(_) => None,
        }) {
            return Expr::poison(code, origin);
        }
        match *self.cx.types.kind(ty) {
            Kind::Class(class) => self.construct_class(class, ty, arguments, origin),
            Kind::Vector { .. } => self.construct_vector(ty, arguments, origin),
            _ => {
                let mut arguments = arguments.into_iter();
                match (arguments.next(), arguments.next()) {
                    (None, _) => self.value_initialised(ty, origin),
                    (Some(CallArgument::Expr(expr)), None) => {
                        // Direct initialisation may use what a static cast may.
                        self.static_cast(expr, ty)
                    }
                    (Some(CallArgument::Braced(list)), None) => self.initialise_from_list(list, ty),
                    _ => {
                        let to = self.cx.type_name(ty);
                        self.no_conversion_to(Type::VOID, &to, origin)
                    }
                }
            }
        }
    }

    fn construct_class(
        &mut self,
        class: ClassId,
        ty: Type,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Expr {
        if !self.complete(class) {
            return Expr::poison(self.incomplete_type(ty, origin), origin);
        }
        if let [CallArgument::Expr(only)] = &arguments[..]
            && (only.ty.same(ty) || self.base_distance(only.ty, ty).is_some())
            && self.copy_constructor(class, only).is_none()
        {
            let only = only.clone();
            return self.convert(only, ty.unqualified());
        }
        if self.has_constructors(class) || !arguments.is_empty() {
            if let Some(constructor) = self.constructor(class, &arguments, true) {
                if !self.has_body(constructor) {
                    return self.value_of_parts(class, ty, origin);
                }
                self.record_call(constructor);
                let arguments = self.convert_arguments(constructor, arguments, origin);
                let kind = ExprKind::Construct { constructor, arguments };
                return Expr::value(kind, ty, origin);
            }
            if let [CallArgument::Expr(only)] = &arguments[..]
                && self.conversion(only, ty.unqualified()).is_some()
            {
                let only = only.clone();
                return self.convert(only, ty.unqualified());
            }
            if !self.has_constructors(class) && !arguments.is_empty() {
                // C++20: an aggregate from values in parentheses.
                return self.aggregate_of(class, ty, arguments, origin);
            }
            let set = crate::overload::OverloadSet {
                name: port_hir::Name::new(&self.cx.type_name(ty.unqualified())),
                candidates: self.constructors(class),
                arguments: None,
                adl: false,
                object: None,
            };
            return match self.choose(&set, &arguments, origin) {
                Err(code) => Expr::poison(code, origin),
                Ok(constructor) => {
                    self.record_call(constructor);
                    let arguments = self.convert_arguments(constructor, arguments, origin);
                    let kind = ExprKind::Construct { constructor, arguments };
                    Expr::value(kind, ty, origin)
                }
            };
        }
        self.value_of_parts(class, ty, origin)
    }

    fn value_of_parts(&mut self, class: ClassId, ty: Type, origin: Origin) -> Expr {
        match self.default_parts(class, ty, origin) {
            Some(_) => {
                let mut cursor = ListCursor { items: &[], next: 0 };
                self.class_aggregate(&mut cursor, class, origin)
            }
            None => Expr::value(ExprKind::Zero, ty, origin),
        }
    }

    fn aggregate_of(
        &mut self,
        class: ClassId,
        ty: Type,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Expr {
        let fields: Vec<Type> = self.cx.class(class).fields.iter().map(|field| field.ty).collect();
        if !self.cx.class(class).bases.is_empty() || arguments.len() > fields.len() {
            let name = self.cx.type_name(ty);
            let arguments = self.argument_types(&arguments);
            return self.fail(origin, crate::findings::NoOverload { name, arguments });
        }
        let mut arguments = arguments.into_iter();
        let mut parts = Vec::new();
        for (index, field) in fields.into_iter().enumerate() {
            parts.push(Some(match arguments.next() {
                Some(CallArgument::Expr(expr)) => self.convert(expr, field),
                Some(CallArgument::Braced(list)) => self.initialise_from_list(list, field),
                None => self.missing_field(class, index, origin),
            }));
        }
        Expr::value(ExprKind::Aggregate(parts), ty, origin)
    }

    fn construct_vector(&mut self, ty: Type, arguments: Vec<CallArgument>, origin: Origin) -> Expr {
        let Some((element, count)) = self.cx.types.vector_parts(ty) else {
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        };
        if let [CallArgument::Expr(only)] = &arguments[..]
            && (only.ty.same(ty) || self.cx.types.vector_parts(only.ty).is_some())
        {
            let only = only.clone();
            return self.convert(only, ty.unqualified());
        }
        if arguments.is_empty() {
            return self.value_initialised(ty, origin);
        }
        let dim3 = matches!(self.cx.types.kind(ty), Kind::Vector { dim3: true, .. });
        let pair = self.cx.types.is_narrow(element) && arguments.len() == usize::from(count);
        if !dim3 && !pair {
            let name = self.cx.type_name(ty);
            let arguments = self.argument_types(&arguments);
            return self.fail(origin, crate::findings::NoOverload { name, arguments });
        }
        let mut arguments = arguments.into_iter();
        let mut parts = Vec::new();
        for _ in 0..count {
            parts.push(Some(match arguments.next() {
                Some(CallArgument::Expr(expr)) => self.convert(expr, element),
                Some(CallArgument::Braced(list)) => self.initialise_from_list(list, element),
                None => Expr::integer(1, element, origin),
            }));
        }
        Expr::value(ExprKind::Aggregate(parts), ty, origin)
    }

    /// The type and constant value of a variable that outlives functions.
    pub(crate) fn declared_value(
        &mut self,
        ty: TyId,
        initializer: Option<&'h Initializer>,
        constexpr: bool,
        origin: Origin,
    ) -> (Type, Option<Value>) {
        let Some(_) = initializer else {
            // Without an initialiser the value does not matter, and a constructor of the host's is
            // no concern of a kernel.
            return (self.ty(ty), None);
        };
        let declared = if self.deduces_class(ty).is_some() { Type::AUTO } else { self.ty(ty) };
        let wanted = constexpr
            || self.is_constant_type(declared)
            || self.cx.types.mentions_auto(declared)
            || matches!(self.cx.types.kind(declared), Kind::Array(_, None));
        if declared.is_unknown() || !wanted {
            // A host's variable may begin with anything: look, but do not complain.
            let value = self
                .attempt(|checker| {
                    let (_, value) = checker.declared(ty, initializer, origin);
                    value.and_then(|value| checker.evaluate(&value))
                })
                .flatten();
            return (declared, value);
        }
        let (ty, value) = if constexpr {
            self.declared(ty, initializer, origin)
        } else {
            match self.attempt(|checker| checker.declared(ty, initializer, origin)) {
                Some(found) => found,
                None => (declared, None),
            }
        };
        let value = value.and_then(|value| self.evaluate(&value));
        (ty, value)
    }
}

fn is_zero(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Zero | ExprKind::Constant(Value::Integer(0) | Value::Null) => true,
        ExprKind::Constant(Value::Float(value)) => value.to_bits() == 0,
        _ => false,
    }
}
