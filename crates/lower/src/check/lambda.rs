//! Lambdas: their closures, what they capture, and calls of them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use port_diag::Origin;
use port_hir::{Capture, CaptureDefault, ExprKind as Hir, LambdaId, LocalId, Res};

use crate::check::{Binding, Checker};
use crate::context::{
    BodyState, CaptureField, Class, ClassId, ClassSource, Completion, FieldPart, FunctionInstance,
    FunctionInstanceId, FunctionSource, Signature,
};
use crate::overload::CallArgument;
use crate::ty::Type;
use crate::typed::{Expr, ExprKind};
use crate::value::List;
use crate::walk::{Node, Walk};

/// A variable to capture, with its value or address.
struct Captured {
    field: CaptureField,
    value: Expr,
    ty: Type,
}

impl<'h> Checker<'_, 'h> {
    /// The closure that a lambda expression makes.
    pub(crate) fn lambda(&mut self, id: LambdaId, origin: Origin) -> Expr {
        let lambda = &self.hir().lambdas[id];
        let uses = self.outer_uses(id);
        let mut captured = Vec::new();
        let mut done = HashSet::new();
        for capture in &lambda.captures {
            match capture {
                Capture::Copy(local) => {
                    done.insert(*local);
                    self.capture_local(*local, false, origin, &mut captured);
                }
                Capture::Reference(local) => {
                    done.insert(*local);
                    self.capture_local(*local, true, origin, &mut captured);
                }
                Capture::Init { local, reference } => {
                    done.insert(*local);
                    self.capture_init(*local, *reference, origin, &mut captured);
                }
                Capture::This | Capture::StarThis => {
                    let copy = matches!(capture, Capture::StarThis);
                    self.capture_this(copy, origin, &mut captured);
                }
                Capture::Unresolved(name, place) => {
                    self.unknown_name(name.as_str(), *place);
                }
            }
        }
        if let Some(default) = lambda.default_capture {
            let reference = default == CaptureDefault::Reference;
            for local in &uses.locals {
                if done.insert(*local) && self.needs_capture(*local) {
                    self.capture_local(*local, reference, origin, &mut captured);
                }
            }
            let has_this = captured.iter().any(|capture| capture.field.local.is_none());
            if uses.this && !has_this && self.body.this.is_some() {
                self.capture_this(false, origin, &mut captured);
            }
        }
        let visible = self.visible_without_capture(&uses.locals, &captured);
        self.make_closure(id, captured, visible, origin)
    }

    /// The locals of the functions around that a lambda's body names, in order, and whether it uses
    /// the object.
    fn outer_uses(&self, id: LambdaId) -> Uses {
        let hir = self.hir();
        let mut uses = Uses { locals: Vec::new(), this: false };
        let mut seen = HashSet::new();
        let mut visit = |node: Node<'h>| {
            match node {
                Node::Name(name) => {
                    let mut res = &name.resolution;
                    while let Res::Member { prefix, .. } = res {
                        res = prefix;
                    }
                    match res {
                        Res::Local(local)
                            if self.body.bindings.contains_key(local) && seen.insert(*local) =>
                        {
                            uses.locals.push(*local);
                        }
                        Res::Field { .. } | Res::Methods { .. } | Res::Dependent => {
                            uses.this = true
                        }
                        _ => {}
                    }
                }
                Node::Expr(expr) => {
                    if matches!(hir.exprs[expr].kind, Hir::This) {
                        uses.this = true;
                    }
                    if let Hir::Lambda(inner) = hir.exprs[expr].kind {
                        for capture in &hir.lambdas[inner].captures {
                            if let Capture::Copy(local) | Capture::Reference(local) = capture
                                && self.body.bindings.contains_key(local)
                                && seen.insert(*local)
                            {
                                uses.locals.push(*local);
                            }
                        }
                    }
                }
                _ => {}
            }
            true
        };
        let lambda = &hir.lambdas[id];
        let mut walk = Walk::new(hir, &mut visit);
        lambda.parameters.iter().for_each(|parameter| walk.local(*parameter));
        lambda.return_type.iter().for_each(|ty| walk.ty(*ty));
        walk.stmt(lambda.body);
        uses
    }

    /// Whether a name needs a capture to be used: constants and statics do not.
    fn needs_capture(&self, local: LocalId) -> bool {
        match self.body.bindings.get(&local) {
            Some(Binding::Constant(..) | Binding::Global(_)) => false,
            Some(Binding::Variable(id)) => {
                // The value of an integer constant, and of what is `constexpr`, is used without
                // capturing it, unless it is an array or class.
                let variable = self.body.variables.get(id.index());
                let constexpr = self.hir().locals[local].storage.constexpr;
                let usable = |ty: Type| {
                    let scalar = self.cx.types.scalar(ty);
                    constexpr && self.is_scalar(ty)
                        || scalar.is_some_and(|scalar| !scalar.is_float()) && ty.constant
                };
                !variable.is_some_and(|v| v.constant.is_some() && usable(v.ty))
            }
            Some(Binding::Poison(_) | Binding::TypeOnly(_)) | None => false,
            Some(_) => true,
        }
    }

    fn capture_local(
        &mut self,
        local: LocalId,
        reference: bool,
        origin: Origin,
        captured: &mut Vec<Captured>,
    ) {
        match self.body.bindings.get(&local).cloned() {
            Some(Binding::Pack(elements)) => {
                for element in 0..elements.len() {
                    let place = self.with_pack(element, |checker| checker.local(local, origin));
                    self.capture_place(place, local, Some(element), reference, captured);
                }
            }
            Some(Binding::Global(_)) | None => {}
            Some(_) => {
                let place = self.local(local, origin);
                self.capture_place(place, local, None, reference, captured);
            }
        }
    }

    fn capture_place(
        &mut self,
        place: Expr,
        local: LocalId,
        element: Option<usize>,
        reference: bool,
        captured: &mut Vec<Captured>,
    ) {
        let field = CaptureField { local: Some(local), element, reference };
        let (value, ty) = if reference && place.is_place() {
            let ty = self.cx.types.pointer(place.ty);
            (self.address_of(place, ty), ty)
        } else {
            // A copy keeps the type, arrays included; it is constant unless `mutable`.
            let ty = place.ty.unqualified();
            let array = matches!(self.cx.types.kind(ty), crate::ty::Kind::Array(..));
            let value = if array {
                let origin = place.origin;
                Expr::value(ExprKind::Load(Box::new(place)), ty, origin)
            } else {
                self.convert(place, ty)
            };
            (value, ty)
        };
        let reference = reference && self.cx.types.is_pointer(ty);
        let field = CaptureField { reference, ..field };
        captured.push(Captured { field, value, ty });
    }

    fn capture_init(
        &mut self,
        local: LocalId,
        reference: bool,
        origin: Origin,
        captured: &mut Vec<Captured>,
    ) {
        let definition = &self.hir().locals[local];
        let initializer = definition.initializer.as_ref();
        let pattern =
            if reference { self.cx.types.lvalue_reference(Type::AUTO) } else { Type::AUTO };
        let value = match initializer {
            Some(port_hir::Initializer::Copy(expr) | port_hir::Initializer::Brace(expr)) => {
                self.expr(*expr)
            }
            Some(port_hir::Initializer::Direct(exprs)) => match exprs.first() {
                Some(expr) => self.expr(*expr),
                None => return,
            },
            None => return,
        };
        let Some(ty) = self.deduce_auto(pattern, &value) else { return };
        let referee = self.cx.types.strip_reference(ty);
        let ty = if reference { self.cx.types.pointer(referee) } else { ty };
        let target = if reference { self.cx.types.lvalue_reference(referee) } else { ty };
        let value = self.convert(value, target);
        let field = CaptureField { local: Some(local), element: None, reference };
        captured.push(Captured { field, value: Expr { origin, ..value }, ty });
    }

    fn capture_this(&mut self, copy: bool, origin: Origin, captured: &mut Vec<Captured>) {
        let Some((this, class)) = self.body.this.clone() else { return };
        let field = CaptureField { local: None, element: None, reference: !copy };
        if copy {
            let place = Expr::place(ExprKind::Deref(Box::new(this)), class, origin);
            let value = self.rvalue(place);
            captured.push(Captured { field, value, ty: class.unqualified() });
        } else {
            let ty = this.ty;
            captured.push(Captured { field, value: this, ty });
        }
    }

    /// What the body may use of the names that are not captured.
    fn visible_without_capture(
        &mut self,
        locals: &[LocalId],
        captured: &[Captured],
    ) -> HashMap<LocalId, Binding> {
        let mut visible = HashMap::new();
        for local in locals {
            if captured.iter().any(|capture| capture.field.local == Some(*local)) {
                continue;
            }
            if let Some(binding) = self.body.bindings.get(local) {
                visible.insert(*local, self.without_storage(binding));
            }
        }
        visible
    }

    fn without_storage(&self, binding: &Binding) -> Binding {
        match binding {
            Binding::Variable(id) => match self.body.variables.get(id.index()) {
                Some(variable) => match &variable.constant {
                    Some(value) => Binding::Constant(value.clone(), variable.ty),
                    None => {
                        let ty = self.cx.types.strip_reference(variable.ty);
                        Binding::TypeOnly(ty)
                    }
                },
                None => Binding::Poison(crate::findings::UNKNOWN_TYPE),
            },
            Binding::Place(place) => Binding::TypeOnly(place.ty),
            Binding::Pack(elements) => Binding::Pack(
                elements.iter().map(|element| self.without_storage(element)).collect(),
            ),
            other => other.clone(),
        }
    }

    fn make_closure(
        &mut self,
        id: LambdaId,
        captured: Vec<Captured>,
        visible: HashMap<LocalId, Binding>,
        origin: Origin,
    ) -> Expr {
        let list: List = Rc::from([]);
        let key = (self.env.unit, ClassSource::Closure(id), list.clone(), self.env.clone());
        let class = match self.cx.class_ids.get(&key) {
            // The same lambda of the same instance: evaluated twice (a deduction, then the call).
            Some(class) => *class,
            None => {
                let class = ClassId(self.cx.classes.len() as u32);
                let fields: Vec<FieldPart> = Vec::new();
                self.cx.classes.push(Class {
                    source: ClassSource::Closure(id),
                    primary: None,
                    arguments: list,
                    environment: self.env.clone(),
                    outer: self.env.class,
                    name: self.closure_name(id),
                    completion: Completion::Complete,
                    union: false,
                    bases: Vec::new(),
                    fields,
                    size: 1,
                    align: 1,
                    captures: Vec::new(),
                    visible: Rc::new(HashMap::new()),
                });
                self.cx.class_ids.insert(key, class);
                class
            }
        };
        let poison = captured.iter().find_map(|capture| capture.value.poison_code());
        if let Some(code) = poison {
            return Expr::poison(code, origin);
        }
        let mut size: u64 = 0;
        let mut align: u64 = 1;
        let mut fields = Vec::new();
        for (index, capture) in captured.iter().enumerate() {
            let Some(layout) = self.layout_of(capture.ty) else {
                let name = self.cx.type_name(capture.ty);
                return self.fail(origin, crate::findings::UnknownType { name });
            };
            let offset = size.next_multiple_of(layout.align.max(1));
            size = offset + layout.size;
            align = align.max(layout.align);
            let name = match capture.field.local {
                Some(local) => self.hir().locals[local].name,
                None => port_hir::Name::new("this"),
            };
            fields.push(FieldPart {
                name,
                ty: capture.ty,
                offset,
                source: index as u32,
                bits: None,
                shift: 0,
            });
        }
        let entry = self.cx.class_mut(class);
        entry.fields = fields;
        entry.size = size.max(1).next_multiple_of(align);
        entry.align = align;
        entry.captures = captured.iter().map(|capture| capture.field.clone()).collect();
        entry.visible = Rc::new(visible);
        self.record_closure(class);
        let ty = self.class_type(class);
        let parts = captured.into_iter().map(|capture| Some(capture.value)).collect();
        Expr::value(ExprKind::Aggregate(parts), ty, origin)
    }

    fn closure_name(&self, id: LambdaId) -> String {
        let number = id.index();
        if self.body.name.is_empty() {
            format!("lambda#{number}")
        } else {
            format!("{}::lambda#{number}", self.body.name)
        }
    }

    /// A call of a closure.
    pub(crate) fn call_closure(
        &mut self,
        callee: Expr,
        ty: Type,
        arguments: Vec<CallArgument>,
        origin: Origin,
    ) -> Expr {
        let class = self.cx.types.class(ty);
        let Some(class) =
            class.filter(|class| matches!(self.cx.class(*class).source, ClassSource::Closure(_)))
        else {
            let name = self.cx.type_name(ty);
            let arguments = self.argument_types(&arguments);
            return self.fail(origin, crate::findings::NoOverload { name, arguments });
        };
        let function = match self.closure_instance(class, &arguments, origin) {
            Ok(function) => function,
            Err(code) => return Expr::poison(code, origin),
        };
        let signature = &self.cx.function(function).signature;
        if arguments.len() > signature.parameters.len() {
            if signature.variadic {
                return self.unsupported_here(origin, "a lambda with variable arguments");
            }
            let name = "a lambda".to_string();
            let arguments = self.argument_types(&arguments);
            return self.fail(origin, crate::findings::NoOverload { name, arguments });
        }
        self.call_chosen(function, Some(callee), arguments, origin)
    }

    /// The call operator of a closure, for these arguments if it is a template.
    pub(crate) fn closure_instance(
        &mut self,
        class: ClassId,
        arguments: &[CallArgument],
        origin: Origin,
    ) -> Result<FunctionInstanceId, &'static str> {
        let ClassSource::Closure(id) = self.cx.class(class).source else {
            return Err(crate::findings::UNKNOWN_TYPE);
        };
        let environment = self.cx.class(class).environment.clone();
        let hir = self.cx.hir(environment.unit);
        let lambda = &hir.lambdas[id];
        let environment = match &lambda.template_parameters {
            None => environment,
            Some(parameters) => {
                let list =
                    self.deduce_lambda(parameters, &lambda.parameters, arguments, &environment);
                match list {
                    Some(list) => environment.with(list),
                    None => {
                        let name = "a generic lambda".to_string();
                        let arguments = self.argument_types(arguments);
                        let finding = crate::findings::NoOverload { name, arguments };
                        return Err(self.cx.report(self.env.unit, origin, finding));
                    }
                }
            }
        };
        let key = (FunctionSource::Lambda(class), environment.clone());
        if let Some(known) = self.cx.function_ids.get(&key) {
            return Ok(*known);
        }
        let types: Vec<_> = lambda.parameters.iter().map(|p| hir.locals[*p].ty).collect();
        let visible = self.cx.class(class).visible.clone();
        let mut there = self.at(environment.clone());
        // Types in the header may speak of the variables around the lambda.
        there.body.bindings.extend(visible.iter().map(|(local, b)| (*local, b.clone())));
        let parameters: Vec<Type> = there.types_expanded(&types);
        let parameters =
            parameters.into_iter().map(|ty| there.adjust_parameter(ty)).collect::<Vec<_>>();
        let result = match lambda.return_type {
            Some(ty) => {
                there.bind_parameter_types(&lambda.parameters);
                there.ty(ty)
            }
            None => Type::AUTO,
        };
        let this = self.class_type(class);
        let this = if lambda.mutable { this } else { this.with_const() };
        let name = self.cx.class(class).name.clone();
        let signature =
            Signature { this: Some(this), parameters, result, variadic: lambda.variadic };
        let instance = FunctionInstance {
            source: FunctionSource::Lambda(class),
            environment,
            class: Some(class),
            signature: Rc::new(signature),
            body: BodyState::Unchecked,
            name,
            known: Rc::from([]),
        };
        Ok(self.add_instance(key, instance))
    }
}

struct Uses {
    locals: Vec<LocalId>,
    this: bool,
}
