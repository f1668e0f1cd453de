//! Bodies of functions and lambdas.

use port_diag::Origin;
use port_hir::{
    Body as HirBody, FunctionId, FunctionKind, InitializerTarget, LocalId, StmtId, TyKind,
};

use crate::check::{Binding, Checker, ResultType};
use crate::context::{ClassId, ClassSource, FunctionInstanceId, FunctionSource};
use crate::findings::Unreadable;
use crate::ty::Type;
use crate::typed::{Body, Expr, ExprKind, Parameter, Stmt, StmtKind};
use crate::value::Value;

impl<'h> Checker<'_, 'h> {
    /// The body of an instance; the checker's environment is the instance's.
    pub(crate) fn check_body(&mut self, id: FunctionInstanceId) -> Option<Body> {
        let instance = self.cx.function(id);
        let class = instance.class;
        self.body.function = Some(id);
        self.body.name = instance.name.clone();
        if let Some(class) = class {
            self.complete(class);
        }
        let instance = self.cx.function(id);
        match instance.source {
            FunctionSource::Function(function) => self.function_body(id, function, class),
            FunctionSource::Lambda(class) => self.lambda_body(id, class),
        }
    }

    fn function_body(
        &mut self,
        id: FunctionInstanceId,
        function: FunctionId,
        class: Option<ClassId>,
    ) -> Option<Body> {
        let definition = &self.hir().functions[function];
        let HirBody::Block(block) = definition.body else {
            return self.defaulted_body(id, function, class);
        };
        if let Some(poison) = &definition.poison {
            let what = format!("the function `{}`", definition.name);
            let code =
                self.cx.report(self.env.unit, poison.origin, Unreadable { what: what.clone() });
            let signature = self.cx.function(id).signature.clone();
            let statement = Stmt::new(StmtKind::Unsupported { code, what }, definition.origin);
            // Its calls pass what its declaration says.
            let parameters = self.parameters(id, &definition.parameters, definition.origin);
            return Some(Body {
                parameters,
                variables: std::mem::take(&mut self.body.variables),
                result: if self.cx.types.mentions_auto(signature.result) {
                    Type::UNKNOWN
                } else {
                    signature.result
                },
                statements: vec![statement],
                class,
            });
        }
        let parameters = self.parameters(id, &definition.parameters, definition.origin);
        let mut statements = Vec::new();
        if matches!(definition.kind, FunctionKind::Constructor)
            && let Some(class) = class
        {
            self.initialise_members(function, class, &mut statements);
        }
        Some(self.finish_body(block, parameters, statements, class))
    }

    /// Defaulted functions that are called: only constructors have anything to do.
    fn defaulted_body(
        &mut self,
        id: FunctionInstanceId,
        function: FunctionId,
        class: Option<ClassId>,
    ) -> Option<Body> {
        let definition = &self.hir().functions[function];
        if !matches!(definition.body, HirBody::Defaulted) {
            return None;
        }
        let parameters = self.parameters(id, &definition.parameters, definition.origin);
        let mut statements = Vec::new();
        let constructor = matches!(definition.kind, FunctionKind::Constructor);
        let destructor = matches!(definition.kind, FunctionKind::Destructor);
        if constructor && definition.parameters.is_empty() {
            self.initialise_members(function, class?, &mut statements);
        } else if !destructor {
            // A copy: calls of these are copies of the object instead.
            let what = "a call of a defaulted function";
            let code = self.unsupported(definition.origin, what.to_string());
            let what = what.to_string();
            statements.push(Stmt::new(StmtKind::Unsupported { code, what }, definition.origin));
        }
        let variables = std::mem::take(&mut self.body.variables);
        Some(Body { parameters, variables, result: Type::VOID, statements, class })
    }

    /// Binds the parameters of an instance to variables.
    fn parameters(
        &mut self,
        id: FunctionInstanceId,
        locals: &[LocalId],
        origin: Origin,
    ) -> Vec<Parameter> {
        let signature = self.cx.function(id).signature.clone();
        let mut parameters = Vec::new();
        if let Some(this) = signature.this {
            let ty = self.cx.types.pointer(this);
            let pointer = Expr::value(ExprKind::Argument(0), ty, origin);
            self.body.this = Some((pointer, this));
            parameters.push(Parameter {
                name: "this".to_string(),
                ty,
                variable: None,
                restrict: false,
                grid_constant: false,
                origin,
            });
        }
        let known = self.cx.function(id).known.clone();
        for (index, local) in locals.iter().enumerate() {
            self.bind_parameter(*local, &mut parameters);
            let target = known.iter().find(|(position, _)| *position == index);
            if let Some((_, target)) = target
                && let Some(ty) = signature.parameters.get(index)
            {
                let binding = Binding::Constant(Value::Function(*target), ty.unqualified());
                self.body.bindings.insert(*local, binding);
            }
        }
        self.body.result = match signature.result {
            result if self.cx.types.mentions_auto(result) => {
                ResultType::Deduced { pattern: result, found: None }
            }
            result => ResultType::Fixed(result),
        };
        parameters
    }

    fn bind_parameter(&mut self, local: LocalId, parameters: &mut Vec<Parameter>) {
        let definition = &self.hir().locals[local];
        let binding = match self.hir().types[definition.ty].kind {
            TyKind::PackExpansion(pattern) => {
                let count = self.pack_length_of_type(pattern).unwrap_or(0);
                let elements = (0..count)
                    .map(|index| {
                        let ty = self.with_pack(index, |checker| checker.ty(pattern));
                        let name = format!("{}{index}", definition.name);
                        self.parameter_variable(local, &name, ty, parameters)
                    })
                    .collect();
                Binding::Pack(elements)
            }
            _ => {
                let ty = self.ty(definition.ty);
                self.parameter_variable(local, definition.name.as_str(), ty, parameters)
            }
        };
        self.body.bindings.insert(local, binding);
    }

    fn parameter_variable(
        &mut self,
        local: LocalId,
        name: &str,
        ty: Type,
        parameters: &mut Vec<Parameter>,
    ) -> Binding {
        let definition = &self.hir().locals[local];
        let constant = ty.constant;
        let adjusted = self.adjust_parameter(ty);
        let adjusted = if constant && adjusted.same(ty) { ty } else { adjusted };
        let variable = self.add_variable(name, adjusted, definition.origin);
        let restrict = self.is_restrict(definition.ty);
        parameters.push(Parameter {
            name: name.to_string(),
            ty: adjusted,
            variable: Some(variable),
            restrict,
            grid_constant: definition.storage.grid_constant,
            origin: definition.origin,
        });
        if adjusted.is_unknown() {
            return Binding::Poison(crate::findings::UNKNOWN_TYPE);
        }
        Binding::Variable(variable)
    }

    /// Whether a pointer's or reference's type says `__restrict__`.
    fn is_restrict(&self, ty: port_hir::TyId) -> bool {
        self.hir().types[ty].qualifiers.restrict
    }

    /// The types of parameters, for a result type that speaks of them.
    pub(crate) fn bind_parameter_types(&mut self, locals: &[LocalId]) {
        for local in locals {
            let definition = &self.hir().locals[*local];
            let binding = match self.hir().types[definition.ty].kind {
                TyKind::PackExpansion(pattern) => {
                    let count = self.pack_length_of_type(pattern).unwrap_or(0);
                    let elements = (0..count)
                        .map(|index| {
                            let ty = self.with_pack(index, |checker| checker.ty(pattern));
                            self.type_only(ty)
                        })
                        .collect();
                    Binding::Pack(elements)
                }
                _ => {
                    let ty = self.ty(definition.ty);
                    self.type_only(ty)
                }
            };
            self.body.bindings.insert(*local, binding);
        }
    }

    fn type_only(&mut self, ty: Type) -> Binding {
        let ty = self.cx.types.strip_reference(ty);
        Binding::TypeOnly(ty)
    }

    fn finish_body(
        &mut self,
        block: StmtId,
        parameters: Vec<Parameter>,
        mut statements: Vec<Stmt>,
        class: Option<ClassId>,
    ) -> Body {
        self.statement_list(block, &mut statements);
        let result = match self.body.result {
            ResultType::Fixed(result) => result,
            ResultType::Deduced { found: Some(found), .. } => found,
            ResultType::Deduced { found: None, .. } => Type::VOID,
        };
        let variables = std::mem::take(&mut self.body.variables);
        Body { parameters, variables, result, statements, class }
    }

    /// Bases and members of an object that a constructor makes, in the order of declaration.
    fn initialise_members(
        &mut self,
        function: FunctionId,
        class: ClassId,
        statements: &mut Vec<Stmt>,
    ) {
        let definition = &self.hir().functions[function];
        let origin = definition.origin;
        let Some((this, this_type)) = self.body.this.clone() else { return };
        let object = Expr::place(ExprKind::Deref(Box::new(this)), this_type, origin);
        // A delegating constructor leaves the members to the other.
        for initializer in &definition.initializers {
            if let InitializerTarget::Type(ty) = initializer.target {
                let ty = self.ty(ty);
                if self.cx.types.class(ty) == Some(class) {
                    let value = self.initialised(ty, Some(&initializer.value), initializer.origin);
                    if let Some(value) = value {
                        push_initialise(statements, object, value, initializer.origin);
                    }
                    return;
                }
            }
        }
        let bases = self.cx.class(class).bases.clone();
        for (index, base) in bases.iter().enumerate() {
            let ty = self.class_type(base.class);
            let mut found = None;
            for initializer in &definition.initializers {
                if let InitializerTarget::Type(target) = initializer.target
                    && self.ty(target).same(ty)
                {
                    found = Some(initializer);
                }
            }
            let place = found.map_or(origin, |initializer| initializer.origin);
            let value = self.initialised(ty, found.map(|initializer| &initializer.value), place);
            if let Some(value) = value {
                let kind = ExprKind::Base { object: Box::new(object.clone()), base: index as u32 };
                let target = Expr::place(kind, ty, place);
                push_initialise(statements, target, value, place);
            }
        }
        let union = self.cx.class(class).union;
        for index in 0..self.cx.class(class).fields.len() {
            let field = &self.cx.class(class).fields[index];
            let (source, ty) = (field.source, field.ty);
            let found = definition.initializers.iter().find(|initializer| {
                matches!(initializer.target, InitializerTarget::Field(field) if field == source)
            });
            let place = found.map_or(origin, |initializer| initializer.origin);
            let value = match found {
                Some(initializer) => self.initialised(ty, Some(&initializer.value), place),
                None => match self.field_default(class, index) {
                    Some(value) => Some(value),
                    None if union => None,
                    None => self.default_value(ty, place),
                },
            };
            if let Some(value) = value {
                let kind =
                    ExprKind::Member { object: Box::new(object.clone()), field: index as u32 };
                let stored = if self.cx.types.is_reference(ty) {
                    let referee = self.cx.types.strip_reference(ty);
                    self.cx.types.pointer(referee)
                } else {
                    ty.unqualified()
                };
                let target = Expr::place(kind, stored, place);
                push_initialise(statements, target, value, place);
            }
        }
        for initializer in &definition.initializers {
            if let InitializerTarget::Unresolved(name) = &initializer.target {
                self.unknown_name(name.as_str(), initializer.origin);
            }
        }
    }

    // Lambdas.

    fn lambda_body(&mut self, id: FunctionInstanceId, class: ClassId) -> Option<Body> {
        let ClassSource::Closure(lambda) = self.cx.class(class).source else { return None };
        let lambda = &self.hir().lambdas[lambda];
        let visible = self.cx.class(class).visible.clone();
        self.body.bindings.extend(visible.iter().map(|(local, b)| (*local, b.clone())));
        let parameters = self.parameters(id, &lambda.parameters, lambda.origin);
        self.bind_captures(class, lambda.origin);
        Some(self.finish_body(lambda.body, parameters, Vec::new(), Some(class)))
    }

    /// What a closure captured is what the names mean in its body.
    fn bind_captures(&mut self, class: ClassId, origin: Origin) {
        let Some((this, this_type)) = self.body.this.take() else { return };
        let captures = self.cx.class(class).captures.clone();
        let fields = self.cx.class(class).fields.clone();
        for (index, (capture, field)) in captures.iter().zip(&fields).enumerate() {
            let kind = ExprKind::Deref(Box::new(this.clone()));
            let object = Expr::place(kind, this_type, origin);
            let kind = ExprKind::Member { object: Box::new(object), field: index as u32 };
            let ty = self.cx.types.qualify(field.ty, this_type.constant, false);
            let member = Expr::place(kind, ty, origin);
            let Some(local) = capture.local else {
                self.body.this = match self.cx.types.pointee(field.ty) {
                    Some(outer) if capture.reference => {
                        let value = self.rvalue(member);
                        Some((value, outer))
                    }
                    _ => {
                        let pointer = self.cx.types.pointer(ty);
                        Some((self.address_of(member, pointer), ty))
                    }
                };
                continue;
            };
            let place = if capture.reference {
                let value = self.rvalue(member);
                self.dereference(value, origin)
            } else {
                member
            };
            let place = Binding::Place(std::rc::Rc::new(place));
            match capture.element {
                None => {
                    self.body.bindings.insert(local, place);
                }
                Some(_) => match self.body.bindings.get_mut(&local) {
                    Some(Binding::Pack(elements)) => elements.push(place),
                    _ => {
                        self.body.bindings.insert(local, Binding::Pack(vec![place]));
                    }
                },
            }
        }
    }
}

fn push_initialise(statements: &mut Vec<Stmt>, target: Expr, value: Expr, origin: Origin) {
    let kind = ExprKind::Initialise { target: Box::new(target), value: Box::new(value) };
    statements.push(Stmt::new(StmtKind::Expr(Expr::value(kind, Type::VOID, origin)), origin));
}
