//! Functions with known template arguments: which specialisation is meant, their types, and when
//! their bodies are looked at.

use std::rc::Rc;

use port_hir::{FunctionId, FunctionKind, Parent, TemplateArgument, TyKind};

use crate::check::Checker;
use crate::context::{
    BodyState, ClassId, FunctionInstance, FunctionInstanceId, FunctionSource, Signature, limits,
};
use crate::overload::Candidate;
use crate::ty::{FunctionType, Kind, Type};
use crate::typed::Body;
use crate::value::{Environment, List, Value};

impl Checker<'_, '_> {
    /// The instance of a function for the arguments of its own template parameters. `None`, after
    /// findings, if its type is invalid for them.
    pub(crate) fn function_instance(
        &mut self,
        candidate: &Candidate,
        list: Option<List>,
    ) -> Option<FunctionInstanceId> {
        let hir = self.cx.hir(candidate.environment.unit);
        let template = &hir.functions[candidate.function];
        if self.too_deep(template.origin) {
            return None;
        }
        let (id, environment) = match self.explicit_specialisation(candidate, list.as_ref()) {
            Some(found) => found,
            None => {
                let environment = match &list {
                    Some(list) => candidate.environment.with(list.clone()),
                    None => candidate.environment.clone(),
                };
                (candidate.function, environment)
            }
        };
        let key = (FunctionSource::Function(id), environment.clone());
        if let Some(known) = self.cx.function_ids.get(&key) {
            return Some(*known);
        }
        self.cx.depth += 1;
        let failures = self.cx.failures;
        let mut signature = self.at(environment.clone()).signature(id, candidate.class);
        // A specialisation outside the class does not repeat `static`.
        if template.qualifiers.is_static {
            signature.this = None;
        }
        let failed = self.cx.failures != failures;
        self.cx.depth -= 1;
        if failed && self.cx.quiet > 0 {
            return None;
        }
        let name = self.instance_name(id, candidate, list.as_ref());
        let instance = FunctionInstance {
            source: FunctionSource::Function(id),
            environment,
            class: candidate.class,
            signature: Rc::new(signature),
            body: BodyState::Unchecked,
            name,
            known: Rc::from([]),
        };
        Some(self.add_instance(key, instance))
    }

    /// The instance of a function for calls that pass known functions, and the arguments without
    /// them.
    pub(crate) fn specialised(
        &mut self,
        function: FunctionInstanceId,
        arguments: &mut [crate::typed::Expr],
    ) -> FunctionInstanceId {
        let instance = self.cx.function(function);
        let FunctionSource::Function(id) = instance.source else { return function };
        let locals = &self.cx.hir(instance.environment.unit).functions[id].parameters;
        // With packs, positions are not those of the parameters as written.
        if locals.len() != instance.signature.parameters.len() {
            return function;
        }
        let mut known = Vec::new();
        for (index, argument) in arguments.iter_mut().enumerate() {
            let ty = self.cx.function(function).signature.parameters.get(index).copied();
            if !ty.is_some_and(|ty| self.is_function_pointer(ty))
                || locals.get(index).is_none_or(|local| self.changes(function, *local))
            {
                continue;
            }
            if let Some(Value::Function(target)) = self.evaluate(argument) {
                known.push((index, target));
                let null = crate::typed::ExprKind::Constant(Value::Null);
                *argument = crate::typed::Expr::value(null, argument.ty, argument.origin);
            }
        }
        let full = self.cx.functions.len() >= limits::INSTANCES;
        if known.is_empty() || full {
            return function;
        }
        let known: crate::context::KnownFunctions = known.into();
        let key = (function, known.clone());
        if let Some(made) = self.cx.specialised.get(&key) {
            return *made;
        }
        let names: Vec<&str> =
            known.iter().map(|(_, target)| self.cx.function(*target).name.as_str()).collect();
        let mut instance = self.cx.function(function).clone();
        instance.name = format!("{}({})", instance.name, names.join(", "));
        instance.body = BodyState::Unchecked;
        instance.known = known;
        let id = FunctionInstanceId(self.cx.functions.len() as u32);
        self.cx.functions.push(instance);
        self.cx.specialised.insert(key, id);
        id
    }

    pub(crate) fn add_instance(
        &mut self,
        key: (FunctionSource, Environment),
        instance: FunctionInstance,
    ) -> FunctionInstanceId {
        let id = FunctionInstanceId(self.cx.functions.len() as u32);
        self.cx.functions.push(instance);
        self.cx.function_ids.insert(key, id);
        id
    }

    fn instance_name(&self, id: FunctionId, candidate: &Candidate, list: Option<&List>) -> String {
        let hir = self.cx.hir(candidate.environment.unit);
        let function = &hir.functions[id];
        let mut name = match candidate.class {
            Some(class) => format!("{}::{}", self.cx.class(class).name, function.name),
            None => hir.qualified_name(function.parent, function.name.as_str()),
        };
        if let Some(list) = list {
            name.push('<');
            name.push_str(&self.cx.arguments_text(list));
            name.push('>');
        }
        name
    }

    /// The explicit specialisation that these arguments mean.
    fn explicit_specialisation(
        &mut self,
        candidate: &Candidate,
        list: Option<&List>,
    ) -> Option<(FunctionId, Environment)> {
        let hir = self.cx.hir(candidate.environment.unit);
        let template = &hir.functions[candidate.function];
        for id in &template.specialisations {
            let function = &hir.functions[*id];
            let Some(specialisation) = &function.specialisation else { continue };
            if !specialisation.record_arguments.is_empty() {
                let Some(class) = candidate.class else { continue };
                if !self.class_has_arguments(class, &specialisation.record_arguments) {
                    continue;
                }
                if list.is_none() {
                    let depth = candidate.environment.lists.len().saturating_sub(1);
                    let mut outer = candidate.environment.truncated(depth);
                    outer.class = candidate.class;
                    return Some((*id, outer));
                }
            }
            let Some(list) = list else { continue };
            let outer = candidate.environment.clone();
            let given = self
                .attempt(|checker| checker.at(outer.clone()).arguments(&specialisation.arguments));
            let Some(given) = given else { continue };
            let given = crate::deduce::flat(&given);
            let known = crate::deduce::flat(list);
            let agrees = given.len() <= known.len()
                && given.iter().zip(&known).all(|(a, b)| crate::deduce::agrees(a, b));
            if !agrees {
                continue;
            }
            // Arguments that are not written follow from the parameters' types, and overloads of
            // the name share a list of specialisations: the types decide.
            let own = self.attempt(|c| c.at(outer.clone()).signature(*id, candidate.class));
            let primary = outer.with(list.clone());
            let of_template =
                self.attempt(|c| c.at(primary).signature(candidate.function, candidate.class));
            if let (Some(own), Some(of_template)) = (own, of_template)
                && own.parameters == of_template.parameters
                && (own.result == of_template.result
                    || self.cx.types.mentions_auto(of_template.result))
            {
                return Some((*id, outer));
            }
        }
        None
    }

    fn class_has_arguments(&mut self, class: ClassId, arguments: &[TemplateArgument]) -> bool {
        let entry = self.cx.class(class);
        let list = entry.arguments.clone();
        let depth = entry.environment.lists.len().saturating_sub(1);
        let outer = entry.environment.truncated(depth);
        let given = self.attempt(|checker| checker.at(outer).arguments(arguments));
        let Some(given) = given else { return false };
        let (given, known) = (crate::deduce::flat(&given), crate::deduce::flat(&list));
        given.len() == known.len()
            && given.iter().zip(&known).all(|(a, b)| crate::deduce::agrees(a, b))
    }

    /// The type of a function under the environment of this checker.
    fn signature(&mut self, id: FunctionId, class: Option<ClassId>) -> Signature {
        let hir = self.hir();
        let function = &hir.functions[id];
        let types: Vec<_> = function.parameters.iter().map(|p| hir.locals[*p].ty).collect();
        let parameters =
            self.types_expanded(&types).into_iter().map(|ty| self.adjust_parameter(ty)).collect();
        let result = match &function.kind {
            FunctionKind::Conversion(ty) => self.ty(*ty),
            FunctionKind::Constructor | FunctionKind::Destructor => Type::VOID,
            // A trailing type may speak of the parameters.
            _ => self.result_type(id),
        };
        let member = matches!(function.parent, Parent::Record(_)) && !function.qualifiers.friend;
        let this = match class {
            Some(class) if member && !function.qualifiers.is_static => {
                let ty = self.class_type(class);
                let qualifiers = &function.qualifiers;
                Some(self.cx.types.qualify(ty, qualifiers.const_this, qualifiers.volatile_this))
            }
            _ => None,
        };
        Signature { this, parameters, result, variadic: function.variadic }
    }

    fn result_type(&mut self, id: FunctionId) -> Type {
        let hir = self.hir();
        let function = &hir.functions[id];
        let ty = function.return_type;
        if mentions_parameters(hir, ty) {
            self.bind_parameter_types(&function.parameters);
        }
        self.ty(ty)
    }

    /// The C++ type of an instance; its result deduced if need be.
    pub(crate) fn function_type(&mut self, id: FunctionInstanceId) -> Type {
        let result = self.result_of(id);
        let signature = self.cx.function(id).signature.clone();
        let parameters = signature.parameters.clone();
        let function = FunctionType { parameters, result, variadic: signature.variadic };
        self.cx.types.intern(Kind::Function(Rc::new(function)))
    }

    /// The result type of an instance; looks at the body if it says `auto`.
    pub(crate) fn result_of(&mut self, id: FunctionInstanceId) -> Type {
        let result = self.cx.function(id).signature.result;
        if !self.cx.types.mentions_auto(result) {
            return result;
        }
        match self.body_of(id) {
            Some(body) => {
                let mut signature = (*self.cx.function(id).signature).clone();
                signature.result = body.result;
                self.cx.functions[id.index()].signature = Rc::new(signature);
                body.result
            }
            None => Type::UNKNOWN,
        }
    }

    /// The checked body of an instance; `None` if there is none, or it is being checked.
    pub(crate) fn body_of(&mut self, id: FunctionInstanceId) -> Option<Rc<Body>> {
        match &self.cx.function(id).body {
            BodyState::Checked(body) => return Some(body.clone()),
            BodyState::Checking | BodyState::Absent => return None,
            BodyState::Unchecked => {}
        }
        let origin = self.origin_of(id);
        if self.too_deep(origin) {
            return None;
        }
        self.cx.functions[id.index()].body = BodyState::Checking;
        self.cx.depth += 1;
        // A body is no part of the substitution that asks for its type.
        let quiet = std::mem::take(&mut self.cx.quiet);
        let failures = self.cx.failures;
        let environment = self.cx.function(id).environment.clone();
        let body = self.at(environment).check_body(id);
        let failed = self.cx.failures != failures;
        self.cx.quiet = quiet;
        self.cx.depth -= 1;
        let body = body.map(Rc::new);
        self.cx.functions[id.index()].body = match &body {
            // While host code is looked at nothing is reported; what failed is looked at again.
            Some(_) if failed && self.cx.host => BodyState::Unchecked,
            Some(body) => BodyState::Checked(body.clone()),
            None => BodyState::Absent,
        };
        body
    }

    /// Where a function is named.
    pub(crate) fn origin_of(&self, id: FunctionInstanceId) -> port_diag::Origin {
        let instance = self.cx.function(id);
        let hir = self.cx.hir(instance.environment.unit);
        match instance.source {
            FunctionSource::Function(id) => hir.functions[id].origin,
            FunctionSource::Lambda(class) => match self.cx.class(class).source {
                crate::context::ClassSource::Closure(lambda) => hir.lambdas[lambda].origin,
                crate::context::ClassSource::Record(record) => hir.records[record].origin,
            },
        }
    }
}

/// Whether a type holds an expression, which may name parameters.
fn mentions_parameters(hir: &port_hir::Module, ty: port_hir::TyId) -> bool {
    let mut found = false;
    let mut visit = |node: crate::walk::Node<'_>| {
        if let crate::walk::Node::Ty(id) = node
            && matches!(hir.types[id].kind, TyKind::Decltype(_))
        {
            found = true;
        }
        !found
    };
    crate::walk::Walk::new(hir, &mut visit).ty(ty);
    found
}
