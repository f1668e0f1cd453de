//! Names as expressions.

use port_diag::Origin;
use port_hir::{ExprId, LocalId, NameRef, Res, VariableId};

use crate::check::{Binding, Checker};
use crate::context::{Global, GlobalId, GlobalSource, GlobalSpace};
use crate::findings::{NotConstant, UnknownName, UnsupportedConstruct};
use crate::lookup::{Entity, VariableName};
use crate::ty::{Kind, Type};
use crate::typed::{Category, Expr, ExprKind};
use crate::value::{Environment, Value};

impl Checker<'_, '_> {
    /// A name as an expression.
    pub(crate) fn name(&mut self, name: &NameRef, origin: Origin) -> Expr {
        if let Some(own) = name.unqualified()
            && matches!(own.name.as_str(), "__FUNCTION__" | "__func__" | "__PRETTY_FUNCTION__")
        {
            let short = self.body.name.rsplit("::").next().unwrap_or("");
            let short = short.split('<').next().unwrap_or(short);
            let mut bytes = short.as_bytes().to_vec();
            bytes.push(0);
            let element = Type::CHAR.with_const();
            let ty = self.cx.types.array(element, Some(bytes.len() as u64));
            return Expr::place(ExprKind::String(bytes.into()), ty, origin);
        }
        let entity = self.resolve(name, origin);
        self.entity(entity, name, origin)
    }

    pub(crate) fn entity(&mut self, entity: Entity, name: &NameRef, origin: Origin) -> Expr {
        match entity {
            Entity::Local(local) => self.local(local, origin),
            Entity::Functions(set) => {
                if self.cx.recorder.is_some() {
                    self.record_name(&set);
                }
                Expr::place(ExprKind::Overload(set.into()), Type::OVERLOAD, origin)
            }
            Entity::Field(class, index) => self.implicit_member(class, index, origin),
            Entity::Variable(variable) => self.variable(&variable, origin),
            Entity::Constant(Value::Function(function), ty) => {
                Expr::value(ExprKind::Function(function), ty, origin)
            }
            Entity::Constant(Value::Undefined, _) => {
                Expr::poison(crate::findings::NOT_CONSTANT, origin)
            }
            Entity::Constant(value, ty) => Expr::value(ExprKind::Constant(value), ty, origin),
            Entity::Builtin(key) => self.builtin_variable(key, origin),
            Entity::Pack => {
                let what = format!("the pack `{}` outside an expansion", name.path());
                self.fail(origin, UnsupportedConstruct::new(what))
            }
            Entity::Poison(code) => Expr::poison(code, origin),
            Entity::Type(_) | Entity::Template(_) | Entity::Namespace | Entity::Nothing => {
                match &name.resolution {
                    Res::Api(key) | Res::Library(key) => {
                        let name = key.as_str().to_string();
                        self.fail(origin, crate::findings::UnsupportedFunction::new(name))
                    }
                    _ => self.fail(origin, UnknownName { name: name.path() }),
                }
            }
        }
    }

    /// A local name.
    pub(crate) fn local(&mut self, local: LocalId, origin: Origin) -> Expr {
        match self.body.bindings.get(&local).cloned() {
            Some(binding) => self.binding(&binding, local, origin),
            None => {
                if self.body.unevaluated > 0
                    && let Some(ty) = self.type_in_declaration(local)
                {
                    return Expr::place(ExprKind::Undefined, ty, origin);
                }
                let name = self.hir().locals[local].name;
                self.fail(origin, UnknownName { name: name.as_str().to_string() })
            }
        }
    }

    /// The type of a variable whose own initialiser names it: `T *p = (decltype(p))q`.
    fn type_in_declaration(&mut self, local: LocalId) -> Option<Type> {
        let ty = self.ty(self.hir().locals[local].ty);
        (!ty.is_unknown() && !self.cx.types.mentions_auto(ty)).then_some(ty)
    }

    fn binding(&mut self, binding: &Binding, local: LocalId, origin: Origin) -> Expr {
        match binding {
            Binding::Variable(id) => self.variable_place(*id, origin),
            Binding::Place(place) => Expr { origin, ..(**place).clone() },
            Binding::Constant(value, ty) => {
                // A constant may be used as a place, too: it is put in memory where that is asked.
                Expr::value(ExprKind::Constant(value.clone()), *ty, origin)
            }
            Binding::Global(global) => self.global_place(*global, origin),
            Binding::Pack(elements) => match self.pack.and_then(|index| elements.get(index)) {
                Some(element) => self.binding(element, local, origin),
                None => {
                    let name = self.hir().locals[local].name;
                    let what = format!("the pack `{name}` outside an expansion");
                    self.fail(origin, UnsupportedConstruct::new(what))
                }
            },
            Binding::TypeOnly(ty) => Expr::place(ExprKind::Undefined, *ty, origin),
            Binding::Poison(code) => Expr::poison(code, origin),
        }
    }

    pub(crate) fn global_place(&mut self, id: GlobalId, origin: Origin) -> Expr {
        let ty = self.cx.global(id).ty;
        Expr::place(ExprKind::Global(id), ty, origin)
    }

    /// A variable outside functions, as a place or as its constant value.
    pub(crate) fn variable(&mut self, name: &VariableName, origin: Origin) -> Expr {
        let Some((id, environment)) = self.variable_instance(name, origin) else {
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        };
        match self.global_variable(id, environment, origin) {
            Ok(global) => {
                let entry = self.cx.global(global);
                if entry.ty.is_unknown() {
                    return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
                }
                if self.cx.types.is_reference(entry.ty) {
                    return self.unsupported_here(origin, "a reference outside functions");
                }
                self.global_place(global, origin)
            }
            Err(code) => Expr::poison(code, origin),
        }
    }

    /// Of a variable template the specialisation that is meant, and the environment of its parts.
    fn variable_instance(
        &mut self,
        name: &VariableName,
        origin: Origin,
    ) -> Option<(VariableId, Environment)> {
        let hir = self.cx.hir(name.outer.unit);
        let variable = &hir.variables[name.id];
        let Some(parameters) = &variable.template_parameters else {
            return Some((name.id, name.outer.clone()));
        };
        let given = name.arguments.clone().unwrap_or_default();
        let list = match self.complete_arguments(parameters, given, &name.outer) {
            Ok(list) => list,
            Err(why) => {
                let name = variable.name.as_str().to_string();
                self.fail(origin, crate::findings::TemplateArguments { name, why });
                return None;
            }
        };
        for id in &variable.specialisations {
            let Some(specialisation) = &hir.variables[*id].specialisation else { continue };
            match &hir.variables[*id].template_parameters {
                None => {
                    let outer = name.outer.clone();
                    let given = self.attempt(|c| c.at(outer).arguments(&specialisation.arguments));
                    let agrees = given.is_some_and(|given| {
                        given.len() == list.len()
                            && given
                                .iter()
                                .zip(list.iter())
                                .all(|(a, b)| crate::deduce::agrees(a, b))
                    });
                    if agrees {
                        return Some((*id, name.outer.clone()));
                    }
                }
                Some(own) => {
                    let arguments = &specialisation.arguments;
                    let found = self.deduce_specialisation(own, arguments, &list, &name.outer);
                    if let Some(found) = found {
                        return Some((*id, name.outer.with(found)));
                    }
                }
            }
        }
        Some((name.id, name.outer.with(list)))
    }

    /// The global that a variable is, its constant value evaluated.
    fn global_variable(
        &mut self,
        id: VariableId,
        environment: Environment,
        origin: Origin,
    ) -> Result<GlobalId, &'static str> {
        let source = GlobalSource::Variable(id, environment.clone());
        if let Some(global) = self.cx.global_ids.get(&source) {
            return Ok(*global);
        }
        if !self.cx.evaluating.insert(source.clone()) {
            let what = "a variable that is defined by itself".to_string();
            return Err(self.cx.report(self.env.unit, origin, NotConstant { what }));
        }
        let made = self.at(environment.clone()).make_global(id);
        self.cx.evaluating.remove(&source);
        let mut global = made?;
        // Member names have the class's arguments.
        if let Some(class) = environment.class {
            let name = self.hir_name_of_variable(id, &environment);
            global.name = format!("{}::{name}", self.cx.class(class).name);
        } else if let Some(list) = environment.lists.last() {
            global.name = format!("{}<{}>", global.name, self.cx.arguments_text(list));
        }
        let known = GlobalId(self.cx.globals.len() as u32);
        self.cx.globals.push(global);
        self.cx.global_ids.insert(source, known);
        Ok(known)
    }

    fn hir_name_of_variable(&self, id: VariableId, environment: &Environment) -> String {
        self.cx.hir(environment.unit).variables[id].name.as_str().to_string()
    }

    fn make_global(&mut self, id: VariableId) -> Result<Global, &'static str> {
        let variable = &self.hir().variables[id];
        let storage = &variable.storage;
        let (ty, value) = self.declared_value(
            variable.ty,
            variable.initializer.as_ref(),
            storage.constexpr,
            variable.origin,
        );
        let ty = if storage.constexpr { self.cx.types.qualify(ty, true, false) } else { ty };
        let space = if storage.shared {
            GlobalSpace::Shared
        } else if storage.constant {
            GlobalSpace::Constant
        } else if storage.device || storage.managed {
            GlobalSpace::Global
        } else {
            GlobalSpace::Host
        };
        let constant = self.is_constant_type(ty);
        let fixed = constant && value.is_some() && space == GlobalSpace::Host
            || storage.constexpr && value.is_some();
        let dynamic = storage.shared && storage.is_extern;
        let align = self.alignment(&storage.alignments)?;
        Ok(Global {
            name: self.hir().qualified_name(variable.parent, variable.name.as_str()),
            ty: if dynamic { self.element_of_dynamic(ty) } else { ty },
            space,
            dynamic,
            align: (align > 1).then_some(align),
            value,
            fixed,
            origin: variable.origin,
        })
    }

    /// `extern __shared__ T x[]`: an array whose size the launch says.
    pub(crate) fn element_of_dynamic(&mut self, ty: Type) -> Type {
        match *self.cx.types.kind(ty) {
            Kind::Array(element, None) => self.cx.types.array(element, None),
            _ => ty,
        }
    }

    /// Whether an object of the type never changes.
    pub(crate) fn is_constant_type(&self, ty: Type) -> bool {
        match *self.cx.types.kind(ty) {
            Kind::Array(element, _) => self.is_constant_type(element),
            _ => ty.constant,
        }
    }

    /// A member of the object that the member function was called for.
    fn implicit_member(
        &mut self,
        class: crate::context::ClassId,
        index: u32,
        origin: Origin,
    ) -> Expr {
        let Some((this, this_class)) = self.body.this.clone() else {
            // `&C::m`, `sizeof(C::m)`: only the type is known.
            let ty = self.cx.class(class).fields.get(index as usize).map(|field| field.ty);
            return Expr::place(ExprKind::Undefined, ty.unwrap_or(Type::UNKNOWN), origin);
        };
        let object = Expr {
            kind: ExprKind::Deref(Box::new(Expr { origin, ..this })),
            ty: this_class,
            category: Category::LValue,
            origin,
        };
        let owner = self.class_type(class);
        let name = self.cx.class(class).fields.get(index as usize).map(|field| field.name);
        // The field may be one of a base, or inside an anonymous member.
        let steps = match (name, self.cx.types.class(this_class)) {
            (Some(name), Some(from)) if from != class => match self.find_member(from, name) {
                Some(crate::lookup::Member::Field(steps, found, _)) if found == class => steps,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let object = self.follow(object, &steps, origin);
        let object = if object.ty.same(owner) { object } else { self.base_part(object, owner) };
        self.field(object, class, index, origin)
    }

    /// The type of a name or member access as declared, for `decltype`.
    pub(crate) fn declared_type(&mut self, id: ExprId) -> Option<Type> {
        match &self.hir().exprs[id].kind {
            port_hir::ExprKind::Name(name) => match &name.resolution {
                Res::Local(local) => match self.body.bindings.get(local).cloned() {
                    None => self.type_in_declaration(*local),
                    Some(binding) => match binding {
                        Binding::Variable(variable) => {
                            self.body.variables.get(variable.index()).map(|v| v.ty)
                        }
                        Binding::Constant(_, ty) | Binding::TypeOnly(ty) => Some(ty),
                        Binding::Global(global) => Some(self.cx.global(global).ty),
                        Binding::Place(place) => Some(place.ty),
                        Binding::Pack(elements) => match elements.get(self.pack?)? {
                            Binding::Variable(variable) => {
                                self.body.variables.get(variable.index()).map(|v| v.ty)
                            }
                            Binding::Constant(_, ty) | Binding::TypeOnly(ty) => Some(*ty),
                            _ => None,
                        },
                        Binding::Poison(_) => None,
                    },
                },
                _ => {
                    let expr = self.expr(id);
                    match expr.kind {
                        ExprKind::Overload(_) => None,
                        _ => Some(expr.ty),
                    }
                }
            },
            port_hir::ExprKind::Member { .. } => {
                let expr = self.expr(id);
                match expr.kind {
                    ExprKind::Overload(_) => None,
                    _ => Some(expr.ty),
                }
            }
            _ => None,
        }
    }
}

/// Whether a local variable of this space outlives its function.
pub(crate) fn local_space(storage: &port_hir::Storage) -> Option<GlobalSpace> {
    if storage.shared {
        Some(GlobalSpace::Shared)
    } else if storage.constant {
        Some(GlobalSpace::Constant)
    } else if storage.is_static || storage.device || storage.managed {
        Some(GlobalSpace::Global)
    } else {
        None
    }
}
