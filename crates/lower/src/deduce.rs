//! Template arguments: defaults filled in, deduced from a call's arguments, matched against
//! specialisations, and the order of templates by how special they are.

use std::rc::Rc;

use port_hir::{
    ExprId, ExprKind, LocalId, NameRef, RecordId, Res, Segment, TemplateArgument,
    TemplateParameter, TemplateParameterKind, TemplateParameterList, TemplateParameterRef, TyId,
    TyKind,
};

use crate::check::Checker;
use crate::context::{ClassId, ClassSource};
use crate::overload::{CallArgument, Candidate};
use crate::ty::{Kind, Type};
use crate::typed::Category;
use crate::value::{Argument, Environment, List, TemplateKind, TemplateName, Value};

/// What is known so far of the parameters of one list.
pub(crate) struct Deduction<'h> {
    parameters: &'h TemplateParameterList,
    slots: Vec<Slot>,
    /// How many parameters, from the first, have explicit arguments: nothing is deduced for them.
    explicit: usize,
    /// Which element of the packs is being deduced.
    element: Option<usize>,
    /// The template of an alias whose pattern is being matched is not among the parameters.
    depth: u16,
}

#[derive(Clone, Debug)]
enum Slot {
    Empty,
    One(Argument),
    Pack(Vec<Option<Argument>>),
}

/// The arguments of an alias template that a pattern names, for its own parameters.
struct AliasFrame<'f, 'h> {
    depth: u16,
    arguments: &'h [TemplateArgument],
    outer: Option<&'f AliasFrame<'f, 'h>>,
}

impl<'h> Deduction<'h> {
    fn new(parameters: &'h TemplateParameterList) -> Self {
        let slots = parameters
            .parameters
            .iter()
            .map(|parameter| if parameter.pack { Slot::Pack(Vec::new()) } else { Slot::Empty })
            .collect();
        Deduction { parameters, slots, explicit: 0, element: None, depth: parameters.depth }
    }

    /// Takes the explicit arguments.
    fn take(&mut self, given: &[Argument]) -> bool {
        let mut index = 0;
        for argument in given {
            match self.slots.get_mut(index) {
                Some(Slot::Pack(elements)) => match argument {
                    // A pack passed whole to a pack.
                    Argument::Pack(list) => elements.extend(list.iter().cloned().map(Some)),
                    other => elements.push(Some(other.clone())),
                },
                Some(slot) => {
                    *slot = Slot::One(argument.clone());
                    index += 1;
                }
                None => return false,
            }
        }
        self.explicit = index;
        true
    }

    /// Records an argument; `false` if it contradicts an earlier one.
    fn bind(&mut self, index: u16, argument: Argument) -> bool {
        if usize::from(index) < self.explicit {
            return true;
        }
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return true };
        match (slot, self.element) {
            (Slot::Pack(elements), Some(element)) => {
                if elements.len() <= element {
                    elements.resize(element + 1, None);
                }
                match &elements[element] {
                    Some(known) => agrees(known, &argument),
                    None => {
                        elements[element] = Some(argument);
                        true
                    }
                }
            }
            (Slot::Pack(elements), None) => match argument {
                Argument::Pack(list) => {
                    *elements = list.iter().cloned().map(Some).collect();
                    true
                }
                _ => false,
            },
            (Slot::One(known), _) => agrees(known, &argument),
            (slot @ Slot::Empty, _) => {
                *slot = Slot::One(argument);
                true
            }
        }
    }

    /// Whether nothing is known of a parameter.
    fn is_empty(&self, index: u16) -> bool {
        matches!(self.slots.get(usize::from(index)), Some(Slot::Empty))
    }
}

pub(crate) fn agrees(known: &Argument, new: &Argument) -> bool {
    match (known, new) {
        // The type of a deduced value is the parameter's, whatever it was deduced from.
        (Argument::Value(a, _), Argument::Value(b, _)) => a == b,
        (a, b) => a == b,
    }
}

impl<'h> Checker<'_, 'h> {
    /// All arguments of a list, from those that are given: values converted to their parameters'
    /// types, defaults evaluated.
    pub(crate) fn complete_arguments(
        &mut self,
        parameters: &'h TemplateParameterList,
        given: Vec<Argument>,
        outer: &Environment,
    ) -> Result<List, String> {
        let mut deduction = Deduction::new(parameters);
        if !deduction.take(&given) {
            return Err(format!("{} given, {} taken", given.len(), parameters.parameters.len()));
        }
        self.finish(deduction, outer)
    }

    /// Defaults for what is not known, conversions for what is.
    fn finish(&mut self, deduction: Deduction<'h>, outer: &Environment) -> Result<List, String> {
        let mut list: Vec<Argument> = Vec::new();
        for (parameter, slot) in deduction.parameters.parameters.iter().zip(deduction.slots) {
            let argument = match slot {
                Slot::One(argument) => self.fit(parameter, argument, &list, outer)?,
                Slot::Pack(elements) => {
                    let mut pack = Vec::new();
                    for element in elements {
                        let Some(element) = element else {
                            return Err(format!("a part of `{}` is not known", parameter.name));
                        };
                        pack.push(self.fit(parameter, element, &list, outer)?);
                    }
                    Argument::Pack(pack.into())
                }
                Slot::Empty => self.default_argument(parameter, &list, outer)?,
            };
            list.push(argument);
        }
        Ok(list.into())
    }

    fn default_argument(
        &mut self,
        parameter: &'h TemplateParameter,
        before: &[Argument],
        outer: &Environment,
    ) -> Result<Argument, String> {
        let missing = || format!("`{}` is not known", parameter.name);
        let env = outer.with(Rc::from(before));
        let failures = self.cx.failures;
        let argument = match &parameter.kind {
            TemplateParameterKind::Type { default: Some(default) } => {
                let ty = self.at(env).ty(*default);
                Argument::Type(ty)
            }
            TemplateParameterKind::Value { default: Some(default), .. } => {
                let list = [TemplateArgument::Value(*default)];
                match self.at(env).arguments(&list).pop() {
                    Some(argument) => self.fit(parameter, argument, before, outer)?,
                    None => return Err(missing()),
                }
            }
            TemplateParameterKind::Template { default: Some(default), .. } => {
                let list = [TemplateArgument::Type(*default)];
                self.at(env).arguments(&list).pop().ok_or_else(missing)?
            }
            _ => return Err(missing()),
        };
        if self.cx.failures != failures {
            return Err(format!("the default of `{}` is invalid", parameter.name));
        }
        Ok(argument)
    }

    /// An argument as the parameter takes it.
    fn fit(
        &mut self,
        parameter: &'h TemplateParameter,
        argument: Argument,
        before: &[Argument],
        outer: &Environment,
    ) -> Result<Argument, String> {
        match (&parameter.kind, argument) {
            (TemplateParameterKind::Value { ty, .. }, Argument::Value(value, from)) => {
                let ty = self.at(outer.with(Rc::from(before))).ty(*ty);
                if ty.is_unknown() || self.cx.types.mentions_auto(ty) {
                    return Ok(Argument::Value(value, from));
                }
                match self.convert_constant(value, from, ty) {
                    Some(value) => Ok(Argument::Value(value, ty.unqualified())),
                    None => Err(format!("the value for `{}` does not convert", parameter.name)),
                }
            }
            (TemplateParameterKind::Value { .. }, _) => {
                Err(format!("`{}` takes a value", parameter.name))
            }
            (
                TemplateParameterKind::Type { .. } | TemplateParameterKind::Abbreviated,
                argument @ Argument::Type(_),
            ) => Ok(argument),
            (TemplateParameterKind::Type { .. } | TemplateParameterKind::Abbreviated, _) => {
                Err(format!("`{}` takes a type", parameter.name))
            }
            (TemplateParameterKind::Template { .. }, argument @ Argument::Template(_)) => {
                Ok(argument)
            }
            (TemplateParameterKind::Template { .. }, _) => {
                Err(format!("`{}` takes a template", parameter.name))
            }
        }
    }

    // Calls.

    /// The arguments of a function template, from explicit ones and from a call.
    pub(crate) fn deduce_call(
        &mut self,
        candidate: &Candidate,
        explicit: &[Argument],
        arguments: &[CallArgument],
    ) -> Option<List> {
        let hir = self.cx.hir(candidate.environment.unit);
        let function = &hir.functions[candidate.function];
        let parameters = function.template_parameters.as_ref()?;
        let mut deduction = Deduction::new(parameters);
        if !deduction.take(explicit) {
            return None;
        }
        let outer = candidate.environment.clone();
        let mut there = self.at(outer.clone());
        if !there.deduce_parameters(&function.parameters, arguments, &mut deduction) {
            return None;
        }
        self.attempt(|checker| checker.finish(deduction, &outer))?.ok()
    }

    /// The arguments of a generic lambda's parameters.
    pub(crate) fn deduce_lambda(
        &mut self,
        parameters: &'h TemplateParameterList,
        locals: &'h [LocalId],
        arguments: &[CallArgument],
        outer: &Environment,
    ) -> Option<List> {
        let mut deduction = Deduction::new(parameters);
        let mut there = self.at(outer.clone());
        if !there.deduce_parameters(locals, arguments, &mut deduction) {
            return None;
        }
        self.attempt(|checker| checker.finish(deduction, outer))?.ok()
    }

    /// The arguments of a conversion function template that converts to a type.
    pub(crate) fn deduce_conversion(&mut self, candidate: &Candidate, to: Type) -> Option<List> {
        let hir = self.cx.hir(candidate.environment.unit);
        let function = &hir.functions[candidate.function];
        let parameters = function.template_parameters.as_ref()?;
        let port_hir::FunctionKind::Conversion(pattern) = function.kind else { return None };
        let mut deduction = Deduction::new(parameters);
        let outer = candidate.environment.clone();
        if !self.at(outer.clone()).match_type(pattern, to, &mut deduction, None) {
            return None;
        }
        self.attempt(|checker| checker.finish(deduction, &outer))?.ok()
    }

    /// Learns from a call's arguments. `false`: the function cannot be called so.
    fn deduce_parameters(
        &mut self,
        parameters: &'h [LocalId],
        arguments: &[CallArgument],
        deduction: &mut Deduction<'h>,
    ) -> bool {
        let hir = self.hir();
        let mut next = 0;
        for parameter in parameters {
            let ty = hir.locals[*parameter].ty;
            if let TyKind::PackExpansion(pattern) = hir.types[ty].kind {
                let rest = arguments.get(next..).unwrap_or(&[]);
                for (element, argument) in rest.iter().enumerate() {
                    deduction.element = Some(element);
                    if !self.deduce_parameter(pattern, argument, deduction) {
                        return false;
                    }
                }
                deduction.element = None;
                next = arguments.len();
                continue;
            }
            let Some(argument) = arguments.get(next) else { break };
            next += 1;
            if !self.deduce_parameter(ty, argument, deduction) {
                return false;
            }
        }
        true
    }

    fn deduce_parameter(
        &mut self,
        parameter: TyId,
        argument: &CallArgument,
        deduction: &mut Deduction<'h>,
    ) -> bool {
        let CallArgument::Expr(argument) = argument else { return true };
        // A parameter without template parameters, or with explicit arguments for all of them, takes
        // what converts to it: `nullptr`, say.
        if argument.ty.is_unknown() || !self.mentions_open_parameters(parameter, deduction) {
            return true;
        }
        let hir = self.hir();
        let (pattern, reference) = match hir.types[parameter].kind {
            TyKind::LValueReference(inner) => (inner, Some(false)),
            TyKind::RValueReference(inner) => (inner, Some(true)),
            _ => (parameter, None),
        };
        if let crate::typed::ExprKind::Overload(set) = &argument.kind {
            // One function without overloads decides; more are left to the conversion.
            let set = set.clone();
            return match self.attempt(|checker| checker.only_function(&set)).flatten() {
                Some(function) => {
                    let ty = self.function_type(function);
                    let ty = if reference.is_some() { ty } else { self.cx.types.pointer(ty) };
                    self.match_type(pattern, ty, deduction, None)
                }
                None => true,
            };
        }
        let forwarding = reference == Some(true)
            && hir.types[pattern].qualifiers == port_hir::Qualifiers::NONE
            && self.own_parameter(pattern, deduction).is_some();
        let actual = match reference {
            Some(true) if forwarding && argument.category == Category::LValue => {
                self.cx.types.lvalue_reference(argument.ty)
            }
            Some(_) => argument.ty,
            None => self.decayed(argument.ty),
        };
        self.match_type(pattern, actual, deduction, None)
    }

    /// Whether a type as written names a parameter of the list that has no explicit argument.
    fn mentions_open_parameters(&self, ty: TyId, deduction: &Deduction<'_>) -> bool {
        let hir = self.hir();
        let open = |p: &port_hir::TemplateParameterRef| {
            p.depth == deduction.depth && usize::from(p.index) >= deduction.explicit
        };
        let mut found = false;
        let mut visit = |node: crate::walk::Node<'_>| {
            match node {
                crate::walk::Node::Name(name) => {
                    let mut res = &name.resolution;
                    while let Res::Member { prefix, .. } = res {
                        res = prefix;
                    }
                    found |= matches!(res, Res::TemplateParameter(p) if open(p));
                }
                crate::walk::Node::Ty(id) => {
                    found |= matches!(&hir.types[id].kind,
                        TyKind::AbbreviatedParameter(p) if open(p));
                }
                _ => {}
            }
            !found
        };
        crate::walk::Walk::new(hir, &mut visit).ty(ty);
        found
    }

    /// The parameter of the list that a type is, if it is nothing else.
    fn own_parameter(&self, ty: TyId, deduction: &Deduction<'_>) -> Option<u16> {
        match &self.hir().types[ty].kind {
            TyKind::Named(NameRef { resolution: Res::TemplateParameter(parameter), .. })
            | TyKind::AbbreviatedParameter(parameter)
                if parameter.depth == deduction.depth =>
            {
                Some(parameter.index)
            }
            _ => None,
        }
    }

    /// Matches a type with holes against a concrete one. `false`: they cannot agree. Parts that
    /// nothing can be learnt from match anything: whoever asked substitutes and compares.
    fn match_type(
        &mut self,
        pattern: TyId,
        actual: Type,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        let ty = &self.hir().types[pattern];
        if self.enter(ty.origin).is_err() {
            return false;
        }
        // What the pattern's own qualifiers cover is not part of the parameter.
        let stripped = Type {
            id: actual.id,
            constant: actual.constant && !ty.qualifiers.constant,
            volatile: actual.volatile && !ty.qualifiers.volatile,
        };
        let matched = match &ty.kind {
            TyKind::AbbreviatedParameter(parameter) => {
                self.match_parameter(*parameter, Argument::Type(stripped), deduction, frame)
            }
            TyKind::Named(name) => self.match_named(name, stripped, deduction, frame),
            TyKind::Pointer(inner) => match *self.cx.types.kind(actual) {
                Kind::Pointer(pointee) => self.match_type(*inner, pointee, deduction, frame),
                _ => false,
            },
            TyKind::LValueReference(inner) => match *self.cx.types.kind(actual) {
                Kind::LValueReference(referee) => {
                    self.match_type(*inner, referee, deduction, frame)
                }
                _ => false,
            },
            TyKind::RValueReference(inner) => match *self.cx.types.kind(actual) {
                Kind::RValueReference(referee) => {
                    self.match_type(*inner, referee, deduction, frame)
                }
                _ => false,
            },
            TyKind::Array { element, extent } => match *self.cx.types.kind(actual) {
                Kind::Array(inner, size) => {
                    let matched = match (extent, size) {
                        (Some(extent), Some(size)) => {
                            let value = Value::Integer(i128::from(size));
                            self.match_value(*extent, value, Type::ULONG, deduction, frame)
                        }
                        _ => true,
                    };
                    matched && self.match_type(*element, inner, deduction, frame)
                }
                _ => false,
            },
            TyKind::Function { parameters, result, .. } => {
                match self.cx.types.kind(actual).clone() {
                    Kind::Function(function) => {
                        self.match_type(*result, function.result, deduction, frame)
                            && self.match_types(parameters, &function.parameters, deduction, frame)
                    }
                    _ => false,
                }
            }
            TyKind::MemberPointer { pointee, .. } => match *self.cx.types.kind(actual) {
                Kind::MemberPointer(_, found) => self.match_type(*pointee, found, deduction, frame),
                _ => false,
            },
            _ => true,
        };
        self.leave();
        matched
    }

    fn match_types(
        &mut self,
        patterns: &'h [TyId],
        actual: &[Type],
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        let mut next = 0;
        for pattern in patterns {
            if let TyKind::PackExpansion(inner) = self.hir().types[*pattern].kind {
                let outer = deduction.element;
                for (element, ty) in actual.get(next..).unwrap_or(&[]).iter().enumerate() {
                    deduction.element = Some(element);
                    if !self.match_type(inner, *ty, deduction, frame) {
                        return false;
                    }
                }
                deduction.element = outer;
                return true;
            }
            let Some(ty) = actual.get(next) else { return false };
            next += 1;
            if !self.match_type(*pattern, *ty, deduction, frame) {
                return false;
            }
        }
        next == actual.len()
    }

    fn match_parameter(
        &mut self,
        parameter: TemplateParameterRef,
        argument: Argument,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        if let Some(frame) = frame {
            if parameter.depth != frame.depth {
                return true;
            }
            return match (frame.arguments.get(usize::from(parameter.index)), argument) {
                (Some(TemplateArgument::Type(ty)), Argument::Type(actual)) => {
                    self.match_type(*ty, actual, deduction, frame.outer)
                }
                (Some(TemplateArgument::Value(expr)), Argument::Value(value, ty)) => {
                    self.match_value(*expr, value, ty, deduction, frame.outer)
                }
                _ => true,
            };
        }
        if parameter.depth != deduction.depth {
            return true;
        }
        deduction.bind(parameter.index, argument)
    }

    fn match_named(
        &mut self,
        name: &'h NameRef,
        actual: Type,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        let Some(last) = name.last() else { return true };
        match &name.resolution {
            Res::TemplateParameter(parameter) => match &last.arguments {
                None => self.match_parameter(*parameter, Argument::Type(actual), deduction, frame),
                Some(patterns) => {
                    self.match_template_parameter(*parameter, patterns, actual, deduction, frame)
                }
            },
            Res::Record(record) => {
                let Some(patterns) = &last.arguments else { return true };
                self.match_class(*record, patterns, actual, deduction, frame)
            }
            Res::Alias(alias) => {
                let hir = self.hir();
                let definition = &hir.aliases[*alias];
                let (Some(parameters), Some(arguments)) =
                    (&definition.template_parameters, &last.arguments)
                else {
                    return true;
                };
                let inner = AliasFrame { depth: parameters.depth, arguments, outer: frame };
                let qualifiers = hir.types[definition.ty].qualifiers;
                let stripped = Type {
                    id: actual.id,
                    constant: actual.constant && !qualifiers.constant,
                    volatile: actual.volatile && !qualifiers.volatile,
                };
                self.match_type(definition.ty, stripped, deduction, Some(&inner))
            }
            Res::Api(key) | Res::Library(key) => {
                let Some(patterns) = &last.arguments else { return true };
                self.match_library(*key, patterns, actual, deduction, frame)
            }
            _ => true,
        }
    }

    /// `C<patterns…>` against a class that is, or derives from, an instance of `C`.
    fn match_class(
        &mut self,
        record: RecordId,
        patterns: &'h [TemplateArgument],
        actual: Type,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        let Some(class) = self.cx.types.class(actual) else { return false };
        let hir = self.hir();
        let primary = hir.records[record].primary.unwrap_or(record);
        let Some(class) = self.instance_of(class, primary, 0) else { return false };
        let list = self.cx.class(class).arguments.clone();
        self.match_arguments(patterns, &flat(&list), deduction, frame)
    }

    fn instance_of(&mut self, class: ClassId, primary: RecordId, depth: u32) -> Option<ClassId> {
        let entry = self.cx.class(class);
        if entry.environment.unit == self.env.unit && entry.primary == Some(primary) {
            return Some(class);
        }
        if depth > 32 {
            return None;
        }
        self.complete(class);
        let bases: Vec<_> = self.cx.class(class).bases.iter().map(|base| base.class).collect();
        bases.into_iter().find_map(|base| self.instance_of(base, primary, depth + 1))
    }

    fn match_template_parameter(
        &mut self,
        parameter: TemplateParameterRef,
        patterns: &'h [TemplateArgument],
        actual: Type,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        let Some(class) = self.cx.types.class(actual) else { return false };
        let entry = self.cx.class(class);
        let (Some(primary), ClassSource::Record(_)) = (entry.primary, entry.source) else {
            return false;
        };
        let list = entry.arguments.clone();
        let depth = entry.environment.lists.len().saturating_sub(1);
        let outer = entry.environment.truncated(depth);
        let which = TemplateKind::Record(primary);
        let template = Argument::Template(TemplateName { which, outer });
        self.match_parameter(parameter, template, deduction, frame)
            && self.match_arguments(patterns, &flat(&list), deduction, frame)
    }

    fn match_library(
        &mut self,
        key: port_hir::Name,
        patterns: &'h [TemplateArgument],
        actual: Type,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        if let Some(list) = self.library_arguments(key, actual) {
            return self.match_arguments(patterns, &list, deduction, frame);
        }
        // A class of the modelled library: match its own record.
        let Some(class) = self.cx.types.class(actual) else { return true };
        let entry = self.cx.class(class);
        let hir = self.cx.hir(entry.environment.unit);
        let Some(primary) = entry.primary else { return true };
        let record = &hir.records[primary];
        if hir.qualified_name(record.parent, record.name.as_str()) != key.as_str() {
            return false;
        }
        let list = entry.arguments.clone();
        self.match_arguments(patterns, &flat(&list), deduction, frame)
    }

    fn match_arguments(
        &mut self,
        patterns: &'h [TemplateArgument],
        actual: &[Argument],
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        for (next, pattern) in patterns.iter().enumerate() {
            let expansion = match pattern {
                TemplateArgument::Type(ty) => match self.hir().types[*ty].kind {
                    TyKind::PackExpansion(inner) => Some(TemplateArgument::Type(inner)),
                    _ => None,
                },
                TemplateArgument::Value(expr) => match self.hir().exprs[*expr].kind {
                    ExprKind::PackExpansion(inner) => Some(TemplateArgument::Value(inner)),
                    _ => None,
                },
            };
            if let Some(inner) = expansion {
                let outer = deduction.element;
                for (element, argument) in actual.get(next..).unwrap_or(&[]).iter().enumerate() {
                    deduction.element = Some(element);
                    if !self.match_argument(inner, argument, deduction, frame) {
                        return false;
                    }
                }
                deduction.element = outer;
                return true;
            }
            let Some(argument) = actual.get(next) else { return true };
            if !self.match_argument(*pattern, argument, deduction, frame) {
                return false;
            }
        }
        true
    }

    fn match_argument(
        &mut self,
        pattern: TemplateArgument,
        actual: &Argument,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        match (pattern, actual) {
            (TemplateArgument::Type(ty), Argument::Type(actual)) => {
                self.match_type(ty, *actual, deduction, frame)
            }
            (TemplateArgument::Type(ty), Argument::Value(value, value_type)) => {
                // The name of a value parameter that was read as a type.
                match &self.hir().types[ty].kind {
                    TyKind::Named(NameRef { resolution: Res::TemplateParameter(p), .. }) => {
                        let argument = Argument::Value(value.clone(), *value_type);
                        self.match_parameter(*p, argument, deduction, frame)
                    }
                    _ => false,
                }
            }
            (TemplateArgument::Type(ty), Argument::Template(template)) => {
                match &self.hir().types[ty].kind {
                    TyKind::Named(NameRef { resolution: Res::TemplateParameter(p), .. }) => {
                        let argument = Argument::Template(template.clone());
                        self.match_parameter(*p, argument, deduction, frame)
                    }
                    _ => true,
                }
            }
            (TemplateArgument::Value(expr), Argument::Value(value, ty)) => {
                self.match_value(expr, value.clone(), *ty, deduction, frame)
            }
            (TemplateArgument::Value(expr), Argument::Type(ty)) => {
                // The name of a type parameter that was read as a value.
                match &self.hir().exprs[expr].kind {
                    ExprKind::Name(NameRef { resolution: Res::TemplateParameter(p), .. }) => {
                        self.match_parameter(*p, Argument::Type(*ty), deduction, frame)
                    }
                    _ => false,
                }
            }
            _ => true,
        }
    }

    fn match_value(
        &mut self,
        pattern: ExprId,
        value: Value,
        ty: Type,
        deduction: &mut Deduction<'h>,
        frame: Option<&AliasFrame<'_, 'h>>,
    ) -> bool {
        match &self.hir().exprs[pattern].kind {
            ExprKind::Name(NameRef { resolution: Res::TemplateParameter(parameter), .. }) => {
                self.match_parameter(*parameter, Argument::Value(value, ty), deduction, frame)
            }
            _ => true,
        }
    }

    /// The arguments of a class template from the values that initialise an object of it: by a
    /// constructor's parameters, or an aggregate's fields.
    pub(crate) fn deduce_class(
        &mut self,
        record: RecordId,
        outer: &Environment,
        arguments: &[CallArgument],
    ) -> Option<List> {
        let hir = self.cx.hir(outer.unit);
        let definition = &hir.records[record];
        let parameters = definition.template_parameters.as_ref()?;
        let mut patterns: Vec<Vec<TyId>> = Vec::new();
        for id in &definition.methods {
            let function = &hir.functions[*id];
            if matches!(function.kind, port_hir::FunctionKind::Constructor)
                && function.template_parameters.is_none()
                && arguments.len() <= function.parameters.len()
            {
                patterns.push(function.parameters.iter().map(|p| hir.locals[*p].ty).collect());
            }
        }
        if patterns.is_empty() {
            patterns.push(definition.fields.iter().map(|field| field.ty).collect());
        }
        for pattern in patterns {
            let mut deduction = Deduction::new(parameters);
            let mut there = self.at(outer.clone());
            let matched = arguments.iter().zip(&pattern).all(|(argument, parameter)| {
                there.deduce_parameter(*parameter, argument, &mut deduction)
            });
            if !matched {
                continue;
            }
            if let Some(Ok(list)) = self.attempt(|checker| checker.finish(deduction, outer)) {
                return Some(list);
            }
        }
        None
    }

    // Specialisations and their order.

    /// The arguments of a partial specialisation's own parameters for which it is the list.
    pub(crate) fn deduce_specialisation(
        &mut self,
        parameters: &'h TemplateParameterList,
        patterns: &'h [TemplateArgument],
        list: &List,
        outer: &Environment,
    ) -> Option<List> {
        let mut deduction = Deduction::new(parameters);
        let flat = flat(list);
        if !self.at(outer.clone()).match_arguments(patterns, &flat, &mut deduction, None) {
            return None;
        }
        let own = self.attempt(|checker| checker.finish(deduction, outer))?.ok()?;
        // What could not be learnt from must come out the same.
        let env = outer.with(own.clone());
        let again = self.attempt(|checker| checker.at(env).arguments(patterns))?;
        let same = again.len() <= flat.len()
            && again.iter().zip(&flat).all(|(again, actual)| agrees(again, actual));
        same.then_some(own)
    }

    /// Made-up arguments, each unlike any other.
    fn placeholders(&mut self, parameters: &'h TemplateParameterList, outer: &Environment) -> List {
        let mut list: Vec<Argument> = Vec::new();
        for parameter in &parameters.parameters {
            let number = self.cx.fresh();
            let argument = match &parameter.kind {
                TemplateParameterKind::Type { .. } | TemplateParameterKind::Abbreviated => {
                    Argument::Type(self.cx.types.intern(Kind::Placeholder(number)))
                }
                TemplateParameterKind::Value { ty, .. } => {
                    let env = outer.with(Rc::from(&list[..]));
                    let ty = self.attempt(|checker| checker.at(env).ty(*ty)).unwrap_or(Type::INT);
                    Argument::Value(Value::Placeholder(number), ty)
                }
                TemplateParameterKind::Template { .. } => Argument::Template(TemplateName {
                    which: TemplateKind::Placeholder(number),
                    outer: outer.clone(),
                }),
            };
            list.push(if parameter.pack { Argument::Pack(Rc::from([argument])) } else { argument });
        }
        list.into()
    }

    /// Whether whatever matches the first specialisation also matches the second.
    pub(crate) fn specialisation_at_least(
        &mut self,
        first: RecordId,
        second: RecordId,
        outer: &Environment,
    ) -> bool {
        let hir = self.cx.hir(outer.unit);
        let (first, second) = (&hir.records[first], &hir.records[second]);
        let (Some(first_list), Some(second_list)) =
            (&first.template_parameters, &second.template_parameters)
        else {
            return false;
        };
        let (Some(first), Some(second)) = (&first.specialisation, &second.specialisation) else {
            return false;
        };
        let list = self.placeholders(first_list, outer);
        let env = outer.with(list);
        let arguments = self.attempt(|checker| checker.at(env).arguments(&first.arguments));
        let Some(arguments) = arguments else { return false };
        let arguments: List = arguments.into();
        self.deduce_specialisation(second_list, &second.arguments, &arguments, outer).is_some()
    }

    /// Whether the first function template takes no argument that the second does not take.
    pub(crate) fn function_at_least(&mut self, first: &Candidate, second: &Candidate) -> bool {
        let hir = self.cx.hir(first.environment.unit);
        let function = &hir.functions[first.function];
        let Some(parameters) = &function.template_parameters else { return true };
        let list = self.placeholders(parameters, &first.environment);
        let env = first.environment.with(list);
        let types: Vec<TyId> = function.parameters.iter().map(|p| hir.locals[*p].ty).collect();
        let Some(actual) = self.attempt(|checker| checker.at(env).types_expanded(&types)) else {
            return false;
        };
        let other_hir = self.cx.hir(second.environment.unit);
        let other = &other_hir.functions[second.function];
        let Some(other_parameters) = &other.template_parameters else { return false };
        let mut deduction = Deduction::new(other_parameters);
        let mut there = self.at(second.environment.clone());
        for (index, actual) in actual.iter().enumerate() {
            let actual = there.cx.types.strip_reference(*actual).unqualified();
            let Some(parameter) = other.parameters.get(index) else { return true };
            let mut pattern = other_hir.locals[*parameter].ty;
            if let TyKind::PackExpansion(inner) = other_hir.types[pattern].kind {
                pattern = inner;
                deduction.element = Some(0);
            }
            if let TyKind::LValueReference(inner) | TyKind::RValueReference(inner) =
                other_hir.types[pattern].kind
            {
                pattern = inner;
            }
            if !there.match_type(pattern, actual, &mut deduction, None) {
                return false;
            }
            deduction.element = None;
        }
        // A part that is no template parameter must agree exactly.
        let unknown =
            (0..other_parameters.parameters.len()).any(|index| deduction.is_empty(index as u16));
        if unknown {
            return true;
        }
        let Some(Ok(own)) = there.attempt(|checker| checker.finish(deduction, &second.environment))
        else {
            return false;
        };
        let env = second.environment.with(own);
        let types: Vec<TyId> = other.parameters.iter().map(|p| other_hir.locals[*p].ty).collect();
        let Some(again) = self.attempt(|checker| checker.at(env).types_expanded(&types)) else {
            return false;
        };
        again.iter().zip(&actual).all(|(again, actual)| {
            let again = self.cx.types.strip_reference(*again);
            let actual = self.cx.types.strip_reference(*actual);
            again.same(actual)
        })
    }

    /// Segments of a name that carry explicit arguments; for a launch's kernel.
    pub(crate) fn explicit_arguments(&mut self, segment: &Segment) -> Option<Vec<Argument>> {
        segment.arguments.as_ref().map(|arguments| self.arguments(arguments))
    }
}

/// Packs opened up.
pub(crate) fn flat(list: &[Argument]) -> Vec<Argument> {
    let mut flat = Vec::new();
    for argument in list {
        match argument {
            Argument::Pack(inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    flat
}
