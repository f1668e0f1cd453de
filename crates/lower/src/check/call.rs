//! Calls: of functions, members, objects with `operator()`, and of the operations that CUDA's
//! headers declare as functions.

use port_diag::Origin;
use port_hir::{ExprId, ExprKind as Hir, LaunchId, Res, StmtId};

use crate::check::Checker;
use crate::context::{FunctionInstanceId, FunctionSource};
use crate::findings::{NoDefinition, UnknownName, Unreadable, UnsupportedFunction};
use crate::overload::{CallArgument, OverloadSet};
use crate::ty::{Kind, Type};
use crate::typed::{Category, Expr, ExprKind};
use crate::value::{Argument, Value};

impl<'h> Checker<'_, 'h> {
    pub(crate) fn call(&mut self, callee: ExprId, arguments: &'h [ExprId], origin: Origin) -> Expr {
        if let Some(done) = self.special_call(callee, arguments, origin) {
            return done;
        }
        let callee_kind = &self.hir().exprs[callee].kind;
        // `f(x)` where `f` is a local or member is a call of an object; else of a set of functions.
        let callee_expr = match callee_kind {
            Hir::Name(name) => {
                let place = self.hir().exprs[callee].origin;
                let entity = self.resolve(name, place);
                match entity {
                    crate::lookup::Entity::Nothing if name.unqualified().is_some() => {
                        // Unknown here; the arguments' namespaces may know it.
                        let segment = name.unqualified();
                        let arguments =
                            segment.and_then(|segment| self.explicit_arguments(segment));
                        let set = OverloadSet {
                            name: name.segments[0].name,
                            candidates: Vec::new(),
                            arguments,
                            adl: true,
                            object: None,
                        };
                        Expr::place(ExprKind::Overload(set.into()), Type::OVERLOAD, place)
                    }
                    crate::lookup::Entity::Type(ty) => {
                        let arguments = self.call_arguments(arguments);
                        return self.construct_from(ty, arguments, origin);
                    }
                    entity => self.entity(entity, name, place),
                }
            }
            _ => self.expr(callee),
        };
        let arguments = self.call_arguments(arguments);
        self.call_of(callee_expr, arguments, origin)
    }

    /// A call of what an expression stands for.
    pub(crate) fn call_of(
        &mut self,
        callee: Expr,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Expr {
        if let ExprKind::Overload(set) = &callee.kind {
            let mut set = (**set).clone();
            self.supply_object(&mut set, origin);
            return self.call_set(&set, arguments, origin);
        }
        if let Some(code) = callee.poison_code() {
            return Expr::poison(code, origin);
        }
        if self.cx.types.class(callee.ty).is_some() {
            let ty = callee.ty;
            return match self.call_operator("operator()", callee.clone(), arguments.clone(), origin)
            {
                Some(result) => result,
                None => self.call_closure(callee, ty, arguments, origin),
            };
        }
        self.call_pointer(callee, arguments, origin)
    }

    /// A call through a pointer: the function must be known.
    fn call_pointer(&mut self, callee: Expr, arguments: Vec<CallArgument>, origin: Origin) -> Expr {
        let value = match callee.kind {
            ExprKind::Deref(inner)
                if matches!(self.cx.types.kind(callee.ty), Kind::Function(_)) =>
            {
                *inner
            }
            _ => self.rvalue(callee),
        };
        // One of two functions: the call moves into the choice.
        if let ExprKind::Conditional { condition, then, otherwise } = value.kind {
            let then = self.call_pointer(*then, arguments.clone(), origin);
            let otherwise = self.call_pointer(*otherwise, arguments, origin);
            if let Some(code) = then.poison_code().or_else(|| otherwise.poison_code()) {
                return Expr::poison(code, origin);
            }
            let ty = then.ty;
            let (then, otherwise) = (Box::new(then), Box::new(otherwise));
            let kind = ExprKind::Conditional { condition, then, otherwise };
            return Expr::value(kind, ty, origin);
        }
        let function = match &value.kind {
            ExprKind::Function(function) => Some(*function),
            _ => match self.evaluate(&value) {
                Some(crate::value::Value::Function(function)) => Some(function),
                _ => None,
            },
        };
        match function {
            Some(function) => self.call_chosen(function, None, arguments, origin),
            None => {
                let ty = self.cx.type_name(value.ty);
                let what = format!("a call through a pointer that is not constant (`{ty}`)");
                self.fail(origin, crate::findings::UnsupportedConstruct::new(what))
            }
        }
    }

    /// The object of a member function that was named without one: `this`.
    fn supply_object(&mut self, set: &mut OverloadSet, origin: Origin) {
        if set.object.is_some() || set.candidates.iter().all(|candidate| candidate.class.is_none())
        {
            return;
        }
        if let Some((this, class)) = self.body.this.clone() {
            let kind = ExprKind::Deref(Box::new(Expr { origin, ..this }));
            set.object = Some(Box::new(Expr::place(kind, class, origin)));
        }
    }

    /// The arguments of a call, pack expansions expanded.
    pub(crate) fn call_arguments(&mut self, arguments: &[ExprId]) -> Vec<CallArgument> {
        let mut list = Vec::new();
        for argument in arguments {
            match self.hir().exprs[*argument].kind {
                Hir::InitList(_) => list.push(CallArgument::Braced(*argument)),
                Hir::PackExpansion(pattern) => {
                    let Some(count) = self.pack_length_of_expr(pattern) else {
                        let origin = self.hir().exprs[*argument].origin;
                        let poison = self.unsupported_here(origin, "an expansion of no known pack");
                        list.push(CallArgument::Expr(poison));
                        continue;
                    };
                    for index in 0..count {
                        let element = self.with_pack(index, |checker| checker.expr(pattern));
                        list.push(CallArgument::Expr(element));
                    }
                }
                _ => {
                    let expr = self.expr(*argument);
                    list.push(CallArgument::Expr(expr));
                }
            }
        }
        list
    }

    /// A call of the best function of a set.
    pub(crate) fn call_set(
        &mut self,
        set: &OverloadSet,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Expr {
        if let Some(code) = poison_of(&arguments) {
            // Host code is full of what is not in view; its calls still lead to launches.
            if self.cx.recorder.is_some()
                && let Ok(function) = self.choose(set, &arguments, origin)
                && let Some(recorder) = &mut self.cx.recorder
            {
                recorder.called(function);
            }
            return Expr::poison(code, origin);
        }
        if let Some(object) = &set.object
            && let Some(code) = object.poison_code()
        {
            return Expr::poison(code, origin);
        }
        // A template argument that is not known was reported where it stands.
        if let Some(given) = &set.arguments
            && self.cx.recorder.is_none()
            && let Some(code) = given.iter().find_map(unknown_argument)
        {
            return Expr::poison(code, origin);
        }
        match self.choose(set, &arguments, origin) {
            Ok(function) => {
                let object = set.object.as_deref().cloned();
                self.call_chosen(function, object, arguments, origin)
            }
            Err(code) => Expr::poison(code, origin),
        }
    }

    /// A call of a known function, arguments not converted yet.
    pub(crate) fn call_chosen(
        &mut self,
        function: FunctionInstanceId,
        object: Option<Expr>,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Expr {
        // A function of a library without translation is what is wrong, not its arguments.
        let instance = self.cx.function(function);
        if let FunctionSource::Function(id) = instance.source
            && !instance.environment.unit.is_user()
            && matches!(
                self.cx.hir(instance.environment.unit).functions[id].body,
                port_hir::Body::None
            )
            && self.cx.recorder.is_none()
            && self.intrinsic_of(function).is_none()
            && let Err(code) = self.check_callable(function, origin)
        {
            return Expr::poison(code, origin);
        }
        let arguments = self.convert_arguments(function, arguments, origin);
        self.call_instance(function, object, arguments, origin)
    }

    /// Arguments as the parameters take them; defaults filled in.
    pub(crate) fn convert_arguments(
        &mut self,
        function: FunctionInstanceId,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Vec<Expr> {
        let signature = self.cx.function(function).signature.clone();
        let given = arguments.len();
        let mut converted = Vec::new();
        for (index, argument) in arguments.into_iter().enumerate() {
            let parameter = signature.parameters.get(index).copied();
            converted.push(match (argument, parameter) {
                (CallArgument::Expr(expr), Some(parameter)) => self.convert(expr, parameter),
                (CallArgument::Braced(list), Some(parameter)) => {
                    self.initialise_from_list(list, parameter)
                }
                (CallArgument::Expr(expr), None) => self.variadic_argument(expr),
                (CallArgument::Braced(_), None) => {
                    self.unsupported_here(origin, "a braced list as a variable argument")
                }
            });
        }
        for index in given..signature.parameters.len() {
            let parameter = signature.parameters[index];
            converted.push(self.default_of_parameter(function, index, parameter, origin));
        }
        converted
    }

    /// The promotions of C's variable arguments.
    fn variadic_argument(&mut self, expr: Expr) -> Expr {
        let value = self.rvalue(expr);
        let ty = if self.cx.types.is_floating(value.ty) {
            Type::DOUBLE
        } else {
            self.promoted(value.ty)
        };
        if ty.same(value.ty) { value } else { self.convert_standard(value, ty) }
    }

    fn default_of_parameter(
        &mut self,
        function: FunctionInstanceId,
        index: usize,
        ty: Type,
        origin: Origin,
    ) -> Expr {
        let instance = self.cx.function(function);
        let environment = instance.environment.clone();
        let FunctionSource::Function(id) = instance.source else {
            return self.unsupported_here(origin, "a default argument of a lambda");
        };
        let hir = self.cx.hir(environment.unit);
        let initializer = hir.functions[id]
            .parameters
            .get(index)
            .and_then(|parameter| hir.locals[*parameter].initializer.as_ref());
        match initializer {
            Some(initializer) => {
                // It is evaluated anew at each call, and belongs to the call's place.
                let made = self.at(environment).initialised(ty, Some(initializer), origin);
                match made {
                    Some(made) => relocated(made, origin),
                    None => self.unsupported_here(origin, "this default argument"),
                }
            }
            None => self.unsupported_here(origin, "a missing argument"),
        }
    }

    /// A call with converted arguments; `object` is a place.
    pub(crate) fn call_instance(
        &mut self,
        function: FunctionInstanceId,
        object: Option<Expr>,
        arguments: Vec<Expr>,
        origin: Origin,
    ) -> Expr {
        let poisoned = arguments.iter().find_map(Expr::poison_code);
        if let Some(code) = poisoned {
            return Expr::poison(code, origin);
        }
        if let Some(intrinsic) = self.intrinsic_of(function) {
            return self.intrinsic(intrinsic, function, object, arguments, origin);
        }
        if let Err(code) = self.check_callable(function, origin) {
            return Expr::poison(code, origin);
        }
        if let Some(recorder) = &mut self.cx.recorder {
            recorder.called(function);
        }
        let mut arguments = arguments;
        let mut function = function;
        if self.cx.recorder.is_none() {
            function = self.specialised(function, &mut arguments);
        }
        let signature = self.cx.function(function).signature.clone();
        let mut all = Vec::new();
        if let Some(this) = signature.this {
            let Some(object) = object else {
                return self.unsupported_here(origin, "a member function without an object");
            };
            let object = self.base_part(object, this);
            let object = if object.is_place() { object } else { self.materialised(object) };
            let pointer = self.cx.types.pointer(this);
            all.push(self.address_of(object, pointer));
        }
        all.extend(arguments);
        let result = self.result_of(function);
        if result.is_unknown() {
            return Expr::poison(self.failure_of(function), origin);
        }
        let kind = ExprKind::Call { function, arguments: all };
        self.returned(kind, result, origin)
    }

    /// The code for which a function's body is useless.
    fn failure_of(&self, _function: FunctionInstanceId) -> &'static str {
        crate::findings::UNKNOWN_TYPE
    }

    /// What a call gives: a reference is followed.
    pub(crate) fn returned(&mut self, kind: ExprKind, result: Type, origin: Origin) -> Expr {
        match *self.cx.types.kind(result) {
            Kind::LValueReference(referee) => {
                let pointer = self.cx.types.pointer(referee);
                let value = Expr::value(kind, pointer, origin);
                Expr::place(ExprKind::Deref(Box::new(value)), referee, origin)
            }
            Kind::RValueReference(referee) => {
                let pointer = self.cx.types.pointer(referee);
                let value = Expr::value(kind, pointer, origin);
                let kind = ExprKind::Deref(Box::new(value));
                Expr { kind, ty: referee, category: Category::XValue, origin }
            }
            _ => Expr::value(kind, result, origin),
        }
    }

    /// Whether there is a body to call, or a finding.
    fn check_callable(
        &mut self,
        function: FunctionInstanceId,
        origin: Origin,
    ) -> Result<(), &'static str> {
        let instance = self.cx.function(function);
        let FunctionSource::Function(id) = instance.source else { return Ok(()) };
        let unit = instance.environment.unit;
        let definition = &self.cx.hir(unit).functions[id];
        if let Some(poison) = &definition.poison {
            let what = format!("the function `{}`", definition.name);
            return Err(self.cx.report(unit, poison.origin, Unreadable { what }));
        }
        if definition.is_kernel() && self.cx.recorder.is_none() {
            let what = format!("a call of the kernel `{}`", definition.name);
            return Err(self.unsupported(origin, what));
        }
        match definition.body {
            port_hir::Body::Block(_) => Ok(()),
            port_hir::Body::Defaulted => Ok(()),
            // Of what host code calls, the type is enough.
            port_hir::Body::None | port_hir::Body::Pure if self.cx.recorder.is_some() => Ok(()),
            port_hir::Body::Deleted => {
                let name = instance.name.clone();
                let what = format!("a call of the deleted function `{name}`");
                Err(self.unsupported(origin, what))
            }
            port_hir::Body::Pure => {
                Err(self.unsupported(origin, "a call of a virtual function".to_string()))
            }
            port_hir::Body::None => {
                let name = instance.name.clone();
                Err(if unit.is_user() {
                    self.cx.report(self.env.unit, origin, NoDefinition { name })
                } else {
                    let name = library_name(self.cx.hir(unit), id);
                    self.cx.report(self.env.unit, origin, UnsupportedFunction::new(name))
                })
            }
        }
    }

    /// A launch: only host code may hold one.
    pub(crate) fn launch(&mut self, id: LaunchId, origin: Origin) -> Expr {
        if self.cx.recorder.is_some() {
            return self.record_launch(id, origin);
        }
        self.unsupported_here(origin, "a kernel that launches kernels")
    }

    /// `({ …; e; })`
    pub(crate) fn statement_expression(&mut self, body: StmtId, origin: Origin) -> Expr {
        let port_hir::StmtKind::Block(statements) = &self.hir().stmts[body].kind else {
            return self.unsupported_here(origin, "this statement expression");
        };
        let Some((last, rest)) = statements.split_last() else {
            return Expr::value(ExprKind::Zero, Type::VOID, origin);
        };
        let mut list = Vec::new();
        for statement in rest {
            self.statement(*statement, &mut list);
        }
        if let port_hir::StmtKind::Expr(value) = &self.hir().stmts[*last].kind {
            let value = self.expr_value(*value);
            let ty = value.ty;
            return Expr::value(ExprKind::Statements(list, Some(Box::new(value))), ty, origin);
        }
        self.statement(*last, &mut list);
        Expr::value(ExprKind::Statements(list, None), Type::VOID, origin)
    }

    /// Calls whose meaning is not that of a function: `printf`, `assert`, `std::move` and the like.
    fn special_call(
        &mut self,
        callee: ExprId,
        arguments: &'h [ExprId],
        origin: Origin,
    ) -> Option<Expr> {
        let Hir::Name(name) = &self.hir().exprs[callee].kind else { return None };
        let (Res::Api(key) | Res::Library(key)) = &name.resolution else {
            let unresolved = matches!(name.resolution, Res::Unresolved | Res::Dependent);
            if !unresolved || name.unqualified().is_none() {
                return None;
            }
            let key = name.segments[0].name;
            return self.special(key.as_str(), name, arguments, origin);
        };
        self.special(key.as_str(), name, arguments, origin)
    }

    fn special(
        &mut self,
        key: &str,
        name: &'h port_hir::NameRef,
        arguments: &'h [ExprId],
        origin: Origin,
    ) -> Option<Expr> {
        let key = key.strip_prefix("::").unwrap_or(key);
        match (key, arguments) {
            ("std::move" | "cuda::std::move" | "thrust::move", [only]) => {
                let value = self.expr(*only);
                if !value.is_place() {
                    return Some(value);
                }
                Some(Expr { category: Category::XValue, origin, ..value })
            }
            ("std::forward" | "cuda::std::forward", [only]) => {
                let explicit = name.last().and_then(|last| self.explicit_arguments(last));
                let value = self.expr(*only);
                let Some([crate::value::Argument::Type(ty)]) = explicit.as_deref() else {
                    return Some(value);
                };
                let category = match self.cx.types.kind(*ty) {
                    Kind::LValueReference(_) => Category::LValue,
                    _ => Category::XValue,
                };
                if !value.is_place() {
                    return Some(value);
                }
                Some(Expr { category, origin, ..value })
            }
            (
                "assert"
                | "CUDA_KERNEL_ASSERT"
                | "__builtin_expect"
                | "std::addressof"
                | "__builtin_assume"
                | "__builtin_assume_aligned"
                | "printf"
                | "::printf"
                | "std::printf"
                | "static_assert"
                | "__builtin_unreachable"
                | "__builtin_trap"
                | "std::assert",
                _,
            ) => self.special_builtin(key, arguments, origin),
            ("std::declval" | "cuda::std::declval", []) => {
                let explicit = name.last().and_then(|last| self.explicit_arguments(last));
                let Some([crate::value::Argument::Type(ty)]) = explicit.as_deref() else {
                    return None;
                };
                let referee = self.cx.types.strip_reference(*ty);
                let lvalue = matches!(self.cx.types.kind(*ty), Kind::LValueReference(_));
                let category = if lvalue { Category::LValue } else { Category::XValue };
                Some(Expr { kind: ExprKind::Undefined, ty: referee, category, origin })
            }
            _ => None,
        }
    }

    fn special_builtin(
        &mut self,
        key: &str,
        arguments: &'h [ExprId],
        origin: Origin,
    ) -> Option<Expr> {
        use crate::intrinsics::Intrinsic;
        match (key, arguments) {
            ("__builtin_expect", [value, _]) => Some(self.expr(*value)),
            ("__builtin_assume_aligned", [pointer, ..]) => {
                let value = self.expr_value(*pointer);
                let constant = self.cx.types.pointee(value.ty).is_some_and(|p| p.constant);
                let void = if constant { Type::VOID.with_const() } else { Type::VOID };
                let ty = self.cx.types.pointer(void);
                Some(self.convert(value, ty))
            }
            ("std::addressof", [only]) => {
                let place = self.expr(*only);
                let ty = self.cx.types.pointer(place.ty);
                Some(self.address_of(place, ty))
            }
            ("__builtin_assume" | "static_assert", _) => {
                Some(Expr::value(ExprKind::Zero, Type::VOID, origin))
            }
            ("__builtin_unreachable" | "__builtin_trap", []) => {
                let kind =
                    ExprKind::Intrinsic { intrinsic: Intrinsic::Trap, arguments: Vec::new() };
                Some(Expr::value(kind, Type::VOID, origin))
            }
            ("assert" | "CUDA_KERNEL_ASSERT" | "std::assert", [condition]) => {
                let condition = self.expr(*condition);
                let condition = self.condition(condition);
                if condition.poison_code().is_some() {
                    return Some(condition);
                }
                let kind = ExprKind::Intrinsic {
                    intrinsic: Intrinsic::Assert,
                    arguments: vec![condition],
                };
                Some(Expr::value(kind, Type::VOID, origin))
            }
            ("printf" | "::printf" | "std::printf", [format, rest @ ..]) => {
                let format = self.expr(*format);
                let mut all = vec![format];
                for argument in self.call_arguments(rest) {
                    match argument {
                        CallArgument::Expr(expr) => all.push(self.variadic_argument(expr)),
                        CallArgument::Braced(_) => {
                            return Some(self.unsupported_here(origin, "a braced list to printf"));
                        }
                    }
                }
                if let Some(code) = all.iter().find_map(Expr::poison_code) {
                    return Some(Expr::poison(code, origin));
                }
                if !matches!(all[0].kind, ExprKind::String(_)) {
                    return Some(
                        self.unsupported_here(origin, "printf with a format that is no literal"),
                    );
                }
                let kind = ExprKind::Intrinsic { intrinsic: Intrinsic::Print, arguments: all };
                Some(Expr::value(kind, Type::INT, origin))
            }
            _ => None,
        }
    }

    /// A name that nothing declares, called.
    pub(crate) fn unknown_name(&mut self, name: &str, origin: Origin) -> Expr {
        self.fail(origin, UnknownName { name: name.to_string() })
    }
}

fn unknown_argument(argument: &Argument) -> Option<&'static str> {
    match argument {
        Argument::Value(Value::Undefined, _) => Some(crate::findings::NOT_CONSTANT),
        _ => None,
    }
}

fn poison_of(arguments: &[CallArgument]) -> Option<&'static str> {
    arguments.iter().find_map(|argument| match argument {
        CallArgument::Expr(expr) => expr.poison_code(),
        CallArgument::Braced(_) => None,
    })
}

/// The same expression, all of it at another place.
fn relocated(mut expr: Expr, origin: Origin) -> Expr {
    expr.origin = origin;
    expr
}

fn library_name(hir: &port_hir::Module, id: port_hir::FunctionId) -> String {
    hir.function_name(id)
}
