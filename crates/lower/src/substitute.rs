//! Types as written, under known template arguments: concrete types.

use port_diag::Origin;
use port_hir::{NameRef, Res, TemplateArgument, TyId, TyKind};

use crate::check::Checker;
use crate::findings::{TemplateArguments, UnknownType, UnsupportedConstruct};
use crate::lookup::Entity;
use crate::ty::{FunctionType, Kind, Type};
use crate::typed::{Category, ExprKind};
use crate::value::{Argument, TemplateKind, TemplateName};

impl Checker<'_, '_> {
    /// The type; [`Type::UNKNOWN`] after a finding.
    pub(crate) fn ty(&mut self, id: TyId) -> Type {
        let ty = &self.hir().types[id];
        if self.enter(ty.origin).is_err() {
            return Type::UNKNOWN;
        }
        let found = self.unqualified_type(id);
        self.leave();
        self.cx.types.qualify(found, ty.qualifiers.constant, ty.qualifiers.volatile)
    }

    fn unqualified_type(&mut self, id: TyId) -> Type {
        let ty = &self.hir().types[id];
        let origin = ty.origin;
        match &ty.kind {
            TyKind::Builtin(builtin) => Type::builtin(*builtin),
            TyKind::Auto | TyKind::DecltypeAuto => Type::AUTO,
            TyKind::Decltype(expr) => self.decltype(*expr),
            TyKind::AbbreviatedParameter(parameter) => match self.parameter_argument(*parameter) {
                Some(Argument::Type(ty)) => ty,
                _ => self.unknown_type("auto", origin),
            },
            TyKind::Named(name) => self.named_type(name, origin),
            TyKind::Pointer(inner) => {
                let inner = self.ty(*inner);
                if inner.is_unknown() {
                    return inner;
                }
                let inner = self.cx.types.strip_reference(inner);
                self.cx.types.pointer(inner)
            }
            TyKind::LValueReference(inner) => {
                let inner = self.ty(*inner);
                if inner.is_unknown() { inner } else { self.cx.types.lvalue_reference(inner) }
            }
            TyKind::RValueReference(inner) => {
                let inner = self.ty(*inner);
                if inner.is_unknown() { inner } else { self.cx.types.rvalue_reference(inner) }
            }
            TyKind::MemberPointer { class, pointee } => {
                let class = self.named_type(class, origin);
                let pointee = self.ty(*pointee);
                match self.cx.types.class(class) {
                    Some(class) => self.cx.types.intern(Kind::MemberPointer(class, pointee)),
                    None => Type::UNKNOWN,
                }
            }
            TyKind::Array { element, extent } => {
                let element = self.ty(*element);
                if element.is_unknown() {
                    return element;
                }
                let extent = match extent {
                    None => None,
                    Some(extent) => match self.constant_integer(*extent, "the size of an array") {
                        Some(size) if size >= 0 => u64::try_from(size).ok(),
                        _ => return Type::UNKNOWN,
                    },
                };
                self.cx.types.array(element, extent)
            }
            TyKind::Function { parameters, variadic, result } => {
                let result = self.ty(*result);
                let parameters = self.types_expanded(parameters);
                let parameters = parameters.into_iter().map(|p| self.adjust_parameter(p)).collect();
                let function = FunctionType { parameters, result, variadic: *variadic };
                self.cx.types.intern(Kind::Function(function.into()))
            }
            TyKind::PackExpansion(inner) => {
                // Expanded by whoever holds the list; on its own it is one element.
                self.ty(*inner)
            }
            TyKind::None => Type::VOID,
            TyKind::Unsupported(what) => {
                self.fail(origin, UnsupportedConstruct::new(format!("the type {what}")));
                Type::UNKNOWN
            }
            TyKind::Error => {
                self.fail(origin, crate::findings::Unreadable { what: "this type".to_string() });
                Type::UNKNOWN
            }
        }
    }

    /// Types of a list, pack expansions expanded.
    pub(crate) fn types_expanded(&mut self, ids: &[TyId]) -> Vec<Type> {
        let mut types = Vec::new();
        for id in ids {
            match self.hir().types[*id].kind {
                TyKind::PackExpansion(pattern) => {
                    let count = self.pack_length_of_type(pattern).unwrap_or(0);
                    for index in 0..count {
                        let ty = self.with_pack(index, |checker| checker.ty(pattern));
                        types.push(ty);
                    }
                }
                _ => types.push(self.ty(*id)),
            }
        }
        types
    }

    /// A parameter's type as the function sees it: arrays and functions are pointers, top-level
    /// qualifiers are gone.
    pub(crate) fn adjust_parameter(&mut self, ty: Type) -> Type {
        match *self.cx.types.kind(ty) {
            Kind::Array(element, _) => self.cx.types.pointer(element),
            Kind::Function(_) => self.cx.types.pointer(ty),
            _ => ty.unqualified(),
        }
    }

    /// The type that an expression decays to when it is copied.
    pub(crate) fn decayed(&mut self, ty: Type) -> Type {
        let ty = self.cx.types.strip_reference(ty);
        self.adjust_parameter(ty)
    }

    pub(crate) fn unknown_type(&mut self, name: &str, origin: Origin) -> Type {
        self.fail(origin, UnknownType { name: name.to_string() });
        Type::UNKNOWN
    }

    /// The type that a name stands for.
    pub(crate) fn named_type(&mut self, name: &NameRef, origin: Origin) -> Type {
        match self.resolve(name, origin) {
            Entity::Type(ty) => ty,
            Entity::Template(template) => self.deduced_class(&template, name, origin),
            Entity::Poison(_) => Type::UNKNOWN,
            _ if matches!(name.resolution, Res::Library(_) | Res::Api(_)) => {
                // Host code passes such types around; a kernel that looks into one is reported
                // where it does.
                self.cx.types.intern(Kind::Opaque(port_syntax::Symbol::new(&name.path())))
            }
            _ => {
                if let Some(ty) = self.dispatched_type(name) {
                    return ty;
                }
                self.unknown_type(&name.path(), origin)
            }
        }
    }

    /// A class template without arguments, where a type is needed: its default arguments, or an
    /// unknown type (arguments deduced from an initialiser are seen to by the declaration).
    fn deduced_class(&mut self, template: &TemplateName, name: &NameRef, origin: Origin) -> Type {
        let instance = self.attempt(|checker| checker.instantiate_template(template, &[], origin));
        match instance {
            Some(ty) if !ty.is_unknown() => ty,
            _ => {
                let why = "they are missing".to_string();
                self.fail(origin, TemplateArguments { name: name.path(), why });
                Type::UNKNOWN
            }
        }
    }

    /// The class or alias that a template gives for these arguments.
    pub(crate) fn instantiate_template(
        &mut self,
        template: &TemplateName,
        arguments: &[Argument],
        origin: Origin,
    ) -> Type {
        match template.which {
            TemplateKind::Record(record) => {
                let outer = template.outer.clone();
                self.class_from_template(record, arguments.to_vec(), &outer, origin)
            }
            TemplateKind::Alias(alias) => {
                let outer = template.outer.clone();
                self.alias_from_template(alias, arguments.to_vec(), &outer, origin)
            }
            TemplateKind::Library(name) => self
                .library_template(name, arguments, origin)
                .unwrap_or_else(|| self.unknown_type(name.as_str(), origin)),
            TemplateKind::Placeholder(_) => Type::UNKNOWN,
        }
    }

    /// `decltype(e)`: of a name or member the declared type, else by value category.
    fn decltype(&mut self, expr: port_hir::ExprId) -> Type {
        let parenthesised = self.hir().exprs[expr].parenthesised;
        if !parenthesised && let Some(ty) = self.declared_type(expr) {
            return ty;
        }
        self.body.unevaluated += 1;
        let checked = self.expr(expr);
        self.body.unevaluated -= 1;
        if let ExprKind::Overload(_) = checked.kind {
            // The name of a function that is not overloaded.
            let value = self.rvalue(checked);
            return self.cx.types.pointee(value.ty).unwrap_or(value.ty);
        }
        match checked.category {
            Category::Value => checked.ty,
            Category::LValue => self.cx.types.lvalue_reference(checked.ty),
            Category::XValue => self.cx.types.rvalue_reference(checked.ty),
        }
    }

    /// Template arguments as written, evaluated; pack expansions are expanded.
    pub(crate) fn arguments(&mut self, arguments: &[TemplateArgument]) -> Vec<Argument> {
        let mut list = Vec::new();
        for argument in arguments {
            match argument {
                TemplateArgument::Type(id) => match self.hir().types[*id].kind {
                    TyKind::PackExpansion(pattern) => {
                        let count = self.pack_length_of_type(pattern).unwrap_or(0);
                        for index in 0..count {
                            let ty =
                                self.with_pack(index, |checker| checker.type_argument(pattern));
                            list.push(ty);
                        }
                    }
                    _ => list.push(self.type_argument(*id)),
                },
                TemplateArgument::Value(id) => match self.hir().exprs[*id].kind {
                    port_hir::ExprKind::PackExpansion(pattern) => {
                        let count = self.pack_length_of_expr(pattern).unwrap_or(0);
                        for index in 0..count {
                            let value =
                                self.with_pack(index, |checker| checker.value_argument(pattern));
                            list.push(value);
                        }
                    }
                    _ => list.push(self.value_argument(*id)),
                },
            }
        }
        list
    }

    /// A type, or the name of a template.
    fn type_argument(&mut self, id: TyId) -> Argument {
        let ty = &self.hir().types[id];
        if let TyKind::Named(name) = &ty.kind {
            match self.resolve(name, ty.origin) {
                Entity::Template(template) => return Argument::Template(template),
                Entity::Constant(value, ty) => return Argument::Value(value, ty),
                Entity::Type(found) => {
                    let found = self.cx.types.qualify(
                        found,
                        ty.qualifiers.constant,
                        ty.qualifiers.volatile,
                    );
                    return Argument::Type(found);
                }
                _ => {}
            }
        }
        Argument::Type(self.ty(id))
    }

    fn value_argument(&mut self, id: port_hir::ExprId) -> Argument {
        // What looks like an expression may be a type whose name only now is known to be one.
        if let port_hir::ExprKind::Name(name) = &self.hir().exprs[id].kind {
            let origin = self.hir().exprs[id].origin;
            match self.resolve(name, origin) {
                Entity::Type(ty) => return Argument::Type(ty),
                Entity::Template(template) => return Argument::Template(template),
                Entity::Constant(value, ty) => return Argument::Value(value, ty),
                _ => {}
            }
        }
        let checked = self.expr(id);
        let origin = checked.origin;
        if checked.poison_code().is_some() {
            return Argument::Value(Value::Undefined, Type::UNKNOWN);
        }
        if let ExprKind::Overload(_) = checked.kind {
            let value = self.rvalue(checked);
            return match value.kind {
                ExprKind::Function(function) => {
                    Argument::Value(Value::Function(function), value.ty)
                }
                _ => Argument::Value(Value::Undefined, Type::UNKNOWN),
            };
        }
        let value = self.rvalue(checked);
        let ty = value.ty;
        match self.evaluate(&value) {
            Some(known) => Argument::Value(known, ty),
            None => {
                let what = "a template argument".to_string();
                self.not_constant(&value, origin, what);
                Argument::Value(Value::Undefined, Type::UNKNOWN)
            }
        }
    }
}

use crate::value::Value;
