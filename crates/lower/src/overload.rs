//! Which function a call means: candidates, which of them can be called, and which is best.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::rc::Rc;

use port_diag::Origin;
use port_hir::{ExprId, FunctionId, FunctionKind, Name, Parent, TyKind};

use crate::check::Checker;
use crate::context::{ClassId, ClassSource, FunctionInstanceId, Unit};
use crate::conversion::Conversion;
use crate::findings::{AmbiguousCall, NoOverload};
use crate::ty::{Kind, Type};
use crate::typed::{Category, Expr, ExprKind};
use crate::value::{Argument, Environment};

/// A function or function template that a name may mean.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) function: FunctionId,
    /// Of the place where it is declared: its own template parameters are not in it.
    pub(crate) environment: Environment,
    /// The class it is a member of.
    pub(crate) class: Option<ClassId>,
}

/// The functions that a name may mean.
#[derive(Clone, Debug)]
pub(crate) struct OverloadSet {
    pub(crate) name: Name,
    pub(crate) candidates: Vec<Candidate>,
    /// Explicit template arguments.
    pub(crate) arguments: Option<Vec<Argument>>,
    /// Whether the arguments' namespaces may add candidates.
    pub(crate) adl: bool,
    /// The object of a member function: a place.
    pub(crate) object: Option<Box<Expr>>,
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub(crate) enum CallArgument {
    Expr(Expr),
    /// A braced list, for the parameter to give it a type.
    Braced(ExprId),
}

/// A candidate that can be called.
struct Viable {
    candidate: Candidate,
    instance: FunctionInstanceId,
    /// Of the object first, if there is one.
    conversions: Vec<Conversion>,
    template: bool,
}

/// Whether a function accesses a texture or surface: texture references have types of their own.
fn reads_texture(name: &str) -> bool {
    ["tex1D", "tex2D", "tex3D", "texCubemap", "surf1D", "surf2D", "surf3D", "surfCubemap"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

impl<'h> Checker<'_, 'h> {
    /// The best candidate for a call; reports if there is none.
    pub(crate) fn choose(
        &mut self,
        set: &OverloadSet,
        arguments: &[CallArgument],
        origin: Origin,
    ) -> Result<FunctionInstanceId, &'static str> {
        let mut candidates = set.candidates.clone();
        if set.adl {
            self.add_by_arguments(set.name, arguments, &mut candidates);
        }
        self.add_of_library(set, &mut candidates);
        let viable = self.viable(set, &candidates, arguments);
        match self.best(&viable) {
            Some(best) => Ok(viable[best].instance),
            None => {
                let name = set.name.as_str().to_string();
                let types = self.argument_types(arguments);
                let unit = self.env.unit;
                Err(if candidates.is_empty() {
                    let finding = crate::findings::UnknownName { name };
                    self.cx.report(unit, origin, finding)
                } else if viable.is_empty() && reads_texture(&name) {
                    self.cx.report(unit, origin, crate::findings::UnsupportedFunction::new(name))
                } else if viable.is_empty() {
                    self.cx.report(unit, origin, NoOverload { name, arguments: types })
                } else {
                    self.cx.report(unit, origin, AmbiguousCall { name, arguments: types })
                })
            }
        }
    }

    /// The best candidate, without a finding if there is none.
    pub(crate) fn choose_quietly(
        &mut self,
        candidates: &[Candidate],
        name: Name,
        object: Option<Expr>,
        arguments: &[CallArgument],
    ) -> Option<FunctionInstanceId> {
        let object = object.map(Box::new);
        let set = OverloadSet {
            name,
            candidates: candidates.to_vec(),
            arguments: None,
            adl: false,
            object,
        };
        let viable = self.viable(&set, candidates, arguments);
        self.best(&viable).map(|best| viable[best].instance)
    }

    pub(crate) fn argument_types(&self, arguments: &[CallArgument]) -> String {
        let types: Vec<String> = arguments
            .iter()
            .map(|argument| match argument {
                CallArgument::Expr(expr) => self.cx.type_name(expr.ty),
                CallArgument::Braced(_) => "{…}".to_string(),
            })
            .collect();
        types.join(", ")
    }

    fn viable(
        &mut self,
        set: &OverloadSet,
        candidates: &[Candidate],
        arguments: &[CallArgument],
    ) -> Vec<Viable> {
        let mut viable = Vec::new();
        for candidate in candidates {
            if let Some(found) = self.try_candidate(set, candidate, arguments)
                && !viable.iter().any(|known: &Viable| known.instance == found.instance)
            {
                viable.push(found);
            }
        }
        viable
    }

    fn try_candidate(
        &mut self,
        set: &OverloadSet,
        candidate: &Candidate,
        arguments: &[CallArgument],
    ) -> Option<Viable> {
        let hir = self.cx.hir(candidate.environment.unit);
        let function = &hir.functions[candidate.function];
        // How many arguments it takes.
        let packs = function
            .parameters
            .iter()
            .any(|p| matches!(hir.types[hir.locals[*p].ty].kind, TyKind::PackExpansion(_)));
        let required = function
            .parameters
            .iter()
            .take_while(|p| {
                let local = &hir.locals[**p];
                local.initializer.is_none()
                    && !matches!(hir.types[local.ty].kind, TyKind::PackExpansion(_))
            })
            .count();
        let most = function.parameters.len();
        if arguments.len() < required || (arguments.len() > most && !packs && !function.variadic) {
            return None;
        }
        let explicit = set.arguments.as_deref().unwrap_or(&[]);
        let template = function.template_parameters.is_some();
        if !template && set.arguments.is_some() {
            return None;
        }
        let list =
            if template { Some(self.deduce_call(candidate, explicit, arguments)?) } else { None };
        let instance =
            self.attempt(|checker| checker.function_instance(candidate, list)).flatten()?;
        let signature = self.cx.function(instance).signature.clone();
        let mut conversions = Vec::new();
        if let Some(object) = &set.object
            && let Some(this) = signature.this
        {
            // The object is bound as by a reference that also takes rvalues.
            let object = Expr { category: Category::LValue, ..(**object).clone() };
            let reference = self.cx.types.lvalue_reference(this);
            conversions.push(self.conversion(&object, reference)?);
        } else if let Some(class) = candidate.class
            && set.object.is_some()
        {
            // A static member function: any object will do.
            let ty = self.class_type(class);
            let value = Expr::value(ExprKind::Undefined, ty, function.origin);
            conversions.push(self.conversion(&value, ty)?);
        }
        for (index, argument) in arguments.iter().enumerate() {
            conversions.push(match signature.parameters.get(index) {
                Some(parameter) => self.argument_conversion(argument, *parameter)?,
                None if signature.variadic => Conversion::ELLIPSIS,
                None => return None,
            });
        }
        Some(Viable { candidate: candidate.clone(), instance, conversions, template })
    }

    /// The position of the candidate that is better than all others.
    fn best(&mut self, viable: &[Viable]) -> Option<usize> {
        if viable.len() <= 1 {
            return (!viable.is_empty()).then_some(0);
        }
        (0..viable.len()).find(|one| {
            (0..viable.len()).all(|other| {
                other == *one || self.better(&viable[*one], &viable[other]) == Ordering::Less
            })
        })
    }

    /// `Less` if the first is the better one.
    fn better(&mut self, first: &Viable, second: &Viable) -> Ordering {
        let mut order = Ordering::Equal;
        for (a, b) in first.conversions.iter().zip(&second.conversions) {
            match (order, a.compare(b)) {
                (_, Ordering::Equal) => {}
                (Ordering::Equal, found) => order = found,
                (known, found) if known != found => return Ordering::Equal,
                _ => {}
            }
        }
        if order != Ordering::Equal {
            return order;
        }
        match (first.template, second.template) {
            (false, true) => return Ordering::Less,
            (true, false) => return Ordering::Greater,
            (false, false) => return self.prefer_user(first, second),
            (true, true) => {}
        }
        let forward = self.function_at_least(&first.candidate, &second.candidate);
        let backward = self.function_at_least(&second.candidate, &first.candidate);
        match (forward, backward) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => self.fewer_packs(first, second),
            (false, false) => Ordering::Equal,
        }
        .then_with(|| self.prefer_user(first, second))
    }

    fn fewer_packs(&mut self, first: &Viable, second: &Viable) -> Ordering {
        let packs = |viable: &Viable| {
            let hir = self.cx.hir(viable.candidate.environment.unit);
            let function = &hir.functions[viable.candidate.function];
            function
                .parameters
                .iter()
                .filter(|p| matches!(hir.types[hir.locals[**p].ty].kind, TyKind::PackExpansion(_)))
                .count()
        };
        packs(first).cmp(&packs(second))
    }

    /// A function that the user's file declares hides the library's of the same type: headers
    /// guard theirs so that such a file compiles.
    fn prefer_user(&self, first: &Viable, second: &Viable) -> Ordering {
        let user = |viable: &Viable| viable.candidate.environment.unit.is_user();
        user(second).cmp(&user(first))
    }

    // Candidates.

    /// Functions of the name in the namespaces of the arguments' types.
    fn add_by_arguments(
        &mut self,
        name: Name,
        arguments: &[CallArgument],
        candidates: &mut Vec<Candidate>,
    ) {
        let mut units: Vec<(Unit, Vec<Parent>)> = Vec::new();
        let mut classes: Vec<ClassId> = Vec::new();
        for argument in arguments {
            if let CallArgument::Expr(expr) = argument {
                self.associated(expr.ty, &mut units, &mut classes, 0);
            }
        }
        // A place in a template sees, when it is instantiated, functions of its own namespace that
        // were declared after it, for arguments of class type; in the field also for others, where
        // nvcc finds them because they are declared before the instantiation.
        let own = self.env.unit;
        if !units.iter().any(|(unit, _)| *unit == own) {
            units.push((own, Vec::new()));
        }
        let known: HashSet<(Unit, FunctionId)> =
            candidates.iter().map(|known| (known.environment.unit, known.function)).collect();
        for (unit, parents) in units {
            let hir = self.cx.hir(unit);
            for id in hir.functions_named(name.as_str()) {
                let function = &hir.functions[*id];
                if function.specialisation.is_some() || known.contains(&(unit, *id)) {
                    continue;
                }
                let Parent::Namespace(namespace) = function.parent else { continue };
                let visible = parents.contains(&function.parent)
                    || (unit == own && namespace == hir.global() && candidates.is_empty());
                // A friend that names template parameters of its class has them from the arguments'.
                let own = function.template_parameters.as_ref();
                let around = own.map_or(function.template_depth, |list| list.depth);
                if let (Some(record), true) = (function.friend_of, around > 0) {
                    for class in &classes {
                        let entry = self.cx.class(*class);
                        let environment = entry.environment.clone();
                        let of_record = matches!(entry.source, ClassSource::Record(source)
                            if source == record);
                        if of_record && environment.unit == unit {
                            candidates.push(Candidate { function: *id, environment, class: None });
                        }
                    }
                } else if visible || (function.qualifiers.friend && !parents.is_empty()) {
                    candidates.push(Candidate {
                        function: *id,
                        environment: Environment::top(unit),
                        class: None,
                    });
                }
            }
        }
    }

    /// The namespaces that an argument's type brings with it.
    fn associated(
        &mut self,
        ty: Type,
        units: &mut Vec<(Unit, Vec<Parent>)>,
        classes: &mut Vec<ClassId>,
        depth: u32,
    ) {
        if depth > 8 {
            return;
        }
        match self.cx.types.kind(ty).clone() {
            Kind::Pointer(inner)
            | Kind::LValueReference(inner)
            | Kind::RValueReference(inner)
            | Kind::Array(inner, _) => self.associated(inner, units, classes, depth + 1),
            Kind::Class(class) => {
                if !classes.contains(&class) {
                    classes.push(class);
                }
                let entry = self.cx.class(class);
                let unit = entry.environment.unit;
                let bases: Vec<_> = entry.bases.iter().map(|base| base.class).collect();
                let arguments = entry.arguments.clone();
                if let ClassSource::Record(record) = entry.source {
                    let mut parent = self.cx.hir(unit).records[record].parent;
                    while let Parent::Record(outer) = parent {
                        parent = self.cx.hir(unit).records[outer].parent;
                    }
                    add_parent(units, unit, self.transparent(unit, parent));
                }
                for base in bases {
                    let ty = self.class_type(base);
                    self.associated(ty, units, classes, depth + 1);
                }
                for argument in arguments.iter() {
                    if let Argument::Type(ty) = argument {
                        self.associated(*ty, units, classes, depth + 1);
                    }
                }
            }
            Kind::Enum(id) => {
                let enumeration = self.cx.enumeration(id);
                let unit = enumeration.environment.unit;
                let mut parent = self.cx.hir(unit).enums[enumeration.id].parent;
                while let Parent::Record(outer) = parent {
                    parent = self.cx.hir(unit).records[outer].parent;
                }
                add_parent(units, unit, self.transparent(unit, parent));
            }
            // CUDA's types live in the global namespace, where users add functions for them.
            Kind::Narrow(_) | Kind::Vector { .. } => {
                let global = Parent::Namespace(self.cx.hir(Unit::USER).global());
                add_parent(units, Unit::USER, vec![global]);
            }
            _ => {}
        }
    }

    /// A namespace and the transparent ones around it.
    fn transparent(&self, unit: Unit, parent: Parent) -> Vec<Parent> {
        let hir = self.cx.hir(unit);
        let mut parents = vec![parent];
        let mut next = parent;
        while let Parent::Namespace(id) = next {
            let namespace = &hir.namespaces[id];
            match namespace.parent {
                Some(outer) if namespace.transparent => {
                    next = Parent::Namespace(outer);
                    parents.push(next);
                }
                _ => break,
            }
        }
        parents
    }

    /// The library's functions of the same name: a user's `max` in the global namespace is one more
    /// overload of CUDA's.
    fn add_of_library(&mut self, set: &OverloadSet, candidates: &mut Vec<Candidate>) {
        if set.object.is_some() || !self.env.unit.is_user() && !candidates.is_empty() {
            return;
        }
        let global = candidates.iter().all(|candidate| {
            let hir = self.cx.hir(candidate.environment.unit);
            let function = &hir.functions[candidate.function];
            candidate.environment.unit.is_user()
                && match function.parent {
                    Parent::Namespace(id) => id == hir.global() || hir.namespaces[id].transparent,
                    _ => false,
                }
        });
        if !global || candidates.iter().any(|c| !c.environment.unit.is_user()) {
            return;
        }
        if port_api::find(set.name.as_str()).is_some_and(|row| row.side == port_api::Side::Host) {
            return;
        }
        for found in self.library_functions(set.name) {
            candidates.push(found);
        }
    }

    // Sets that are not called.

    /// The function that a set means without being called: it holds one only, all of whose template
    /// arguments are given.
    pub(crate) fn only_function(&mut self, set: &OverloadSet) -> Option<FunctionInstanceId> {
        let mut found = None;
        let mut candidates = set.candidates.clone();
        if candidates.is_empty() {
            self.add_by_arguments(set.name, &[], &mut candidates);
        }
        for candidate in &candidates {
            let Some(instance) = self.named_instance(set, candidate) else { continue };
            if found.is_some_and(|known| known != instance) {
                return None;
            }
            found = Some(instance);
        }
        found
    }

    fn named_instance(
        &mut self,
        set: &OverloadSet,
        candidate: &Candidate,
    ) -> Option<FunctionInstanceId> {
        let hir = self.cx.hir(candidate.environment.unit);
        let function = &hir.functions[candidate.function];
        let list = match (&function.template_parameters, &set.arguments) {
            (None, None) => None,
            (None, Some(_)) => return None,
            (Some(_), arguments) => {
                let explicit = arguments.clone().unwrap_or_default();
                Some(self.deduce_call(candidate, &explicit, &[])?)
            }
        };
        self.attempt(|checker| checker.function_instance(candidate, list)).flatten()
    }

    /// The function of a set that has the type that a pointer or reference asks for.
    pub(crate) fn function_for(
        &mut self,
        set: &Rc<OverloadSet>,
        to: Type,
    ) -> Option<FunctionInstanceId> {
        let target = self.cx.types.pointee(to).unwrap_or(to);
        let Kind::Function(wanted) = self.cx.types.kind(target).clone() else {
            return None;
        };
        for candidate in &set.candidates {
            let hir = self.cx.hir(candidate.environment.unit);
            let function = &hir.functions[candidate.function];
            let list = if function.template_parameters.is_some() {
                let explicit = set.arguments.clone().unwrap_or_default();
                let arguments: Vec<CallArgument> = wanted
                    .parameters
                    .iter()
                    .map(|ty| {
                        let ty = self.cx.types.strip_reference(*ty);
                        let value = Expr::place(ExprKind::Undefined, ty, function.origin);
                        CallArgument::Expr(value)
                    })
                    .collect();
                match self.deduce_call(candidate, &explicit, &arguments) {
                    Some(list) => Some(list),
                    None => continue,
                }
            } else {
                None
            };
            let instance =
                self.attempt(|checker| checker.function_instance(candidate, list)).flatten();
            let Some(instance) = instance else { continue };
            let found = self.function_type(instance);
            if found.same(target) {
                return Some(instance);
            }
        }
        None
    }

    /// The constructors of a class, as candidates.
    pub(crate) fn constructors(&mut self, class: ClassId) -> Vec<Candidate> {
        self.complete(class);
        let entry = self.cx.class(class);
        let environment = entry.environment.clone();
        let ClassSource::Record(record) = entry.source else { return Vec::new() };
        let hir = self.cx.hir(environment.unit);
        let mut found = Vec::new();
        for id in &hir.records[record].methods {
            if matches!(hir.functions[*id].kind, FunctionKind::Constructor) {
                let environment = environment.clone();
                found.push(Candidate { function: *id, environment, class: Some(class) });
            }
        }
        found
    }

    /// The constructor that these arguments choose, if a user's one does; explicit ones only if
    /// allowed. Copies by a constructor that is not the user's are no calls.
    pub(crate) fn constructor(
        &mut self,
        class: ClassId,
        arguments: &[CallArgument],
        explicit: bool,
    ) -> Option<FunctionInstanceId> {
        let candidates: Vec<Candidate> = self
            .constructors(class)
            .into_iter()
            .filter(|candidate| {
                let hir = self.cx.hir(candidate.environment.unit);
                let function = &hir.functions[candidate.function];
                explicit || !function.qualifiers.explicit
            })
            .collect();
        let name = Name::new(&self.cx.class(class).name);
        self.choose_quietly(&candidates, name, None, arguments)
    }

    /// The user's constructor that copies (or moves) an object of the class; `None` if copying is
    /// copying bytes.
    pub(crate) fn copy_constructor(
        &mut self,
        class: ClassId,
        from: &Expr,
    ) -> Option<FunctionInstanceId> {
        let hir_unit = self.cx.class(class).environment.unit;
        let hir = self.cx.hir(hir_unit);
        let candidates: Vec<Candidate> = self
            .constructors(class)
            .into_iter()
            .filter(|candidate| {
                let function = &hir.functions[candidate.function];
                let body = matches!(function.body, port_hir::Body::Block(_) | port_hir::Body::None);
                body && function.template_parameters.is_none()
                    && function.parameters.first().is_some_and(|first| {
                        matches!(
                            hir.types[hir.locals[*first].ty].kind,
                            TyKind::LValueReference(_) | TyKind::RValueReference(_)
                        )
                    })
            })
            .collect();
        let own = self.class_type(class);
        let candidates: Vec<Candidate> = candidates
            .into_iter()
            .filter(|candidate| {
                let instance =
                    self.attempt(|checker| checker.function_instance(candidate, None)).flatten();
                instance.is_some_and(|instance| {
                    let first = self.cx.function(instance).signature.parameters.first().copied();
                    first.is_some_and(|first| self.cx.types.strip_reference(first).same(own))
                })
            })
            .collect();
        if candidates.is_empty() {
            return None;
        }
        let name = Name::new(&self.cx.class(class).name);
        self.choose_quietly(&candidates, name, None, &[CallArgument::Expr(from.clone())])
    }
}

fn add_parent(units: &mut Vec<(Unit, Vec<Parent>)>, unit: Unit, parents: Vec<Parent>) {
    match units.iter_mut().find(|(known, _)| *known == unit) {
        Some((_, known)) => known.extend(parents),
        None => units.push((unit, parents)),
    }
}
