//! What a name means under known template arguments: lookup's answer ([`port_hir::Res`]) taken to
//! concrete entities, and lookup of members in concrete classes.

use port_diag::Origin;
use port_hir::{
    AliasId, FunctionId, LocalId, Name, NameRef, NestedType, Parent, RecordId, Res, Segment,
    TemplateArgument, TemplateParameterRef, VariableId,
};

use crate::check::Checker;
use crate::context::{ClassId, ClassSource, Unit};
use crate::findings::{NoMember, TemplateArguments, UnknownName};
use crate::overload::{Candidate, OverloadSet};
use crate::ty::{Kind, Type};
use crate::value::{Argument, Environment, TemplateKind, TemplateName, Value};

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Entity {
    Type(Type),
    /// A class or alias template without arguments.
    Template(TemplateName),
    Local(LocalId),
    Functions(OverloadSet),
    /// A data member, and the class it was found in.
    Field(ClassId, u32),
    Variable(VariableName),
    Constant(Value, Type),
    /// A built-in variable or function that lowering knows by name.
    Builtin(Name),
    /// A pack that is not expanded.
    Pack,
    Namespace,
    Nothing,
    /// Reported.
    Poison(&'static str),
}

/// A variable outside functions.
#[derive(Clone, Debug)]
pub(crate) struct VariableName {
    pub(crate) id: VariableId,
    /// Of the place where it is declared.
    pub(crate) outer: Environment,
    /// Of a variable template.
    pub(crate) arguments: Option<Vec<Argument>>,
}

/// What lookup in a class found.
pub(crate) enum Member {
    /// Positions from the outside: bases and anonymous members on the way, then the field.
    Field(Vec<Step>, ClassId, u32),
    Functions(Vec<Candidate>),
    Variable(VariableName),
    Type(Type),
    Template(TemplateName),
    Constant(Value, Type),
}

/// A step from an object to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Position in the class's bases.
    Base(u32),
    /// Position in the class's fields.
    Field(u32),
}

impl Checker<'_, '_> {
    /// What a name means here.
    pub(crate) fn resolve(&mut self, name: &NameRef, origin: Origin) -> Entity {
        let all = name.segments.len();
        self.resolve_part(name, &name.resolution, all, origin)
    }

    /// What the first `count` segments of a name mean, given what lookup made of them.
    fn resolve_part(&mut self, name: &NameRef, res: &Res, count: usize, origin: Origin) -> Entity {
        let Some(last) = count.checked_sub(1).and_then(|last| name.segments.get(last)) else {
            return Entity::Nothing;
        };
        let explicit = last.arguments.as_deref();
        if last.name.as_str() == "decltype"
            && let Some([TemplateArgument::Type(ty)]) = explicit
        {
            return Entity::Type(self.ty(*ty));
        }
        match res {
            Res::Local(local) => Entity::Local(*local),
            Res::TemplateParameter(parameter) => {
                self.parameter_entity(*parameter, explicit, origin)
            }
            Res::Functions(functions) => {
                let candidates = functions.iter().map(|id| self.candidate(*id)).collect();
                let adl = count == 1 && !name.global;
                self.overload_set(last.name, candidates, explicit, adl)
            }
            Res::Methods { record, functions } => {
                let class = self.class_of_record(*record);
                let candidates = functions
                    .iter()
                    .map(|id| match class {
                        Some(class) => self.method_candidate(*id, class),
                        None => self.candidate(*id),
                    })
                    .collect();
                self.overload_set(last.name, candidates, explicit, false)
            }
            Res::Field { record, index } => match self.class_of_record(*record) {
                Some(class) => self.field_of(class, *index),
                None => self.nothing(name, origin),
            },
            Res::Variable(id) => {
                let outer = self.environment_of_variable(*id);
                let arguments = explicit.map(|arguments| self.arguments(arguments));
                Entity::Variable(VariableName { id: *id, outer, arguments })
            }
            Res::EnumConstant { enumeration, index } => {
                let depth = usize::MAX;
                let env = self.environment_around(self.hir().enums[*enumeration].parent, depth);
                self.enumerator(*enumeration, *index, env)
            }
            Res::Record(id) => self.record_entity(*id, explicit, origin),
            Res::Enum(id) => {
                let env = self.environment_around(self.hir().enums[*id].parent, usize::MAX);
                Entity::Type(self.enumeration(*id, env))
            }
            Res::Alias(id) => self.alias_entity(*id, explicit, origin),
            Res::Namespace(_) => Entity::Namespace,
            Res::Api(key) | Res::Library(key) => {
                let segments = name.segments.get(..count).unwrap_or(&[]);
                self.library_path(*key, segments, origin)
            }
            Res::Member { prefix, resolved } => {
                let resolved = (*resolved as usize).min(count);
                let entity = self.resolve_part(name, prefix, resolved, origin);
                let rest = name.segments.get(resolved..count).unwrap_or(&[]);
                self.resolve_members(entity, rest, origin)
            }
            Res::Dependent => self.resolve_dependent(last, count == 1, origin),
            Res::Unresolved => {
                if count == 1
                    && let Some(entity) = self.resolve_in_classes(last, origin)
                {
                    return entity;
                }
                // A macro of a library header, most likely: `INFINITY`, `FLT_MAX`.
                let names: Vec<&str> =
                    name.segments.iter().take(count).map(|s| s.name.as_str()).collect();
                self.library_entity(Name::new(&names.join("::")), explicit, origin)
            }
        }
    }

    fn nothing(&mut self, name: &NameRef, origin: Origin) -> Entity {
        let finding = UnknownName { name: name.path() };
        Entity::Poison(self.cx.report(self.env.unit, origin, finding))
    }

    /// What a template parameter stands for here; an element of it inside a pack expansion.
    pub(crate) fn parameter_argument(&self, parameter: TemplateParameterRef) -> Option<Argument> {
        match self.env.get(parameter)? {
            Argument::Pack(list) => list.get(self.pack?).cloned(),
            argument => Some(argument.clone()),
        }
    }

    fn parameter_entity(
        &mut self,
        parameter: TemplateParameterRef,
        explicit: Option<&[TemplateArgument]>,
        origin: Origin,
    ) -> Entity {
        match self.parameter_argument(parameter) {
            Some(Argument::Type(ty)) => Entity::Type(ty),
            Some(Argument::Value(value, ty)) => Entity::Constant(value, ty),
            Some(Argument::Template(template)) => match explicit {
                None => Entity::Template(template),
                Some(explicit) => {
                    let arguments = self.arguments(explicit);
                    Entity::Type(self.instantiate_template(&template, &arguments, origin))
                }
            },
            Some(Argument::Pack(_)) | None => match self.env.get(parameter) {
                Some(_) => Entity::Pack,
                None => {
                    let name = "a template parameter without an argument".to_string();
                    Entity::Poison(self.cx.report(self.env.unit, origin, UnknownName { name }))
                }
            },
        }
    }

    fn overload_set(
        &mut self,
        name: Name,
        candidates: Vec<Candidate>,
        explicit: Option<&[TemplateArgument]>,
        adl: bool,
    ) -> Entity {
        let arguments = explicit.map(|arguments| self.arguments(arguments));
        Entity::Functions(OverloadSet { name, candidates, arguments, adl, object: None })
    }

    /// A function found by lexical lookup.
    pub(crate) fn candidate(&mut self, id: FunctionId) -> Candidate {
        let function = &self.hir().functions[id];
        let own = usize::from(function.template_parameters.is_some());
        let depth = usize::from(function.template_depth).saturating_sub(own);
        let parent = function.parent;
        let environment = self.environment_around(parent, depth);
        let class = match parent {
            Parent::Record(_) => environment.class,
            _ => None,
        };
        Candidate { function: id, environment, class }
    }

    /// A member function of a class.
    pub(crate) fn method_candidate(&mut self, id: FunctionId, class: ClassId) -> Candidate {
        let environment = self.cx.class(class).environment.clone();
        Candidate { function: id, environment, class: Some(class) }
    }

    /// The environment of a declaration in `parent`, seen from here: at most `depth` lists.
    pub(crate) fn environment_around(&mut self, parent: Parent, depth: usize) -> Environment {
        match parent {
            Parent::Record(record) => match self.class_of_record(record) {
                Some(class) => self.cx.class(class).environment.clone(),
                None => {
                    let own = usize::from(self.hir().records[record].template_depth);
                    self.env.truncated(own.min(depth))
                }
            },
            Parent::Namespace(_) => Environment::top(self.env.unit),
            Parent::Function(_) => {
                let mut env = self.env.truncated(depth);
                env.class = self.env.class;
                env
            }
        }
    }

    fn environment_of_variable(&mut self, id: VariableId) -> Environment {
        let variable = &self.hir().variables[id];
        let own = usize::from(variable.template_parameters.is_some());
        let depth = usize::from(variable.template_depth).saturating_sub(own);
        self.environment_around(variable.parent, depth)
    }

    /// The class that a record means here: the class around the place, a base of it, or a class
    /// further out; else the record's own class if it is no template.
    pub(crate) fn class_of_record(&mut self, record: RecordId) -> Option<ClassId> {
        let unit = self.env.unit;
        let mut around = self.env.class;
        let mut steps = 0;
        while let Some(class) = around {
            if let Some(found) = self.find_in_bases(class, unit, record, 0) {
                return Some(found);
            }
            steps += 1;
            if steps > 64 {
                break;
            }
            around = self.outer_class(class);
        }
        let hir = self.hir();
        let definition = &hir.records[record];
        if definition.template_parameters.is_some() {
            return None;
        }
        let depth = usize::from(definition.template_depth);
        let env = match definition.parent {
            Parent::Record(outer) => {
                let class = self.class_of_record(outer)?;
                self.cx.class(class).environment.clone()
            }
            _ => {
                let mut env = self.env.truncated(depth);
                if !matches!(definition.parent, Parent::Function(_)) {
                    env.class = None;
                }
                env
            }
        };
        self.plain_class(record, env)
    }

    fn outer_class(&self, class: ClassId) -> Option<ClassId> {
        // A class's own environment names the class; the one it was made in named the next.
        self.cx.class(class).outer
    }

    fn find_in_bases(
        &mut self,
        class: ClassId,
        unit: Unit,
        record: RecordId,
        depth: u32,
    ) -> Option<ClassId> {
        let found = self.cx.class(class);
        if found.environment.unit == unit
            && (found.primary == Some(record) || found.source == ClassSource::Record(record))
        {
            return Some(class);
        }
        if depth > 32 {
            return None;
        }
        let bases: Vec<ClassId> = found.bases.iter().map(|base| base.class).collect();
        bases.into_iter().find_map(|base| self.find_in_bases(base, unit, record, depth + 1))
    }

    fn field_of(&mut self, class: ClassId, index: u32) -> Entity {
        let position = self.cx.class(class).fields.iter().position(|field| field.source == index);
        match position {
            Some(position) => Entity::Field(class, position as u32),
            None => {
                self.complete(class);
                let fields = &self.cx.class(class).fields;
                match fields.iter().position(|field| field.source == index) {
                    Some(position) => Entity::Field(class, position as u32),
                    None => Entity::Nothing,
                }
            }
        }
    }

    fn record_entity(
        &mut self,
        record: RecordId,
        explicit: Option<&[TemplateArgument]>,
        origin: Origin,
    ) -> Entity {
        let definition = &self.hir().records[record];
        if let Some(explicit) = explicit {
            let primary = definition.primary.unwrap_or(record);
            let arguments = self.arguments(explicit);
            let own = usize::from(self.hir().records[primary].template_parameters.is_some());
            let depth = usize::from(self.hir().records[primary].template_depth).saturating_sub(own);
            let outer = self.environment_around(self.hir().records[primary].parent, depth);
            return Entity::Type(self.class_from_template(primary, arguments, &outer, origin));
        }
        // Without arguments: the class around the place (the injected class name), or a class that
        // is no template, or a template's name.
        if let Some(class) = self.class_of_record(record) {
            return Entity::Type(self.class_type(class));
        }
        let own = usize::from(definition.template_parameters.is_some());
        let depth = usize::from(definition.template_depth).saturating_sub(own);
        let outer = self.environment_around(definition.parent, depth);
        Entity::Template(TemplateName { which: TemplateKind::Record(record), outer })
    }

    fn alias_entity(
        &mut self,
        alias: AliasId,
        explicit: Option<&[TemplateArgument]>,
        origin: Origin,
    ) -> Entity {
        let definition = &self.hir().aliases[alias];
        let own = usize::from(definition.template_parameters.is_some());
        let depth = usize::from(definition.template_depth).saturating_sub(own);
        let outer = self.environment_around(definition.parent, depth);
        match (explicit, &definition.template_parameters) {
            (_, None) => Entity::Type(self.alias_type(alias, &outer)),
            (None, Some(_)) => {
                Entity::Template(TemplateName { which: TemplateKind::Alias(alias), outer })
            }
            (Some(explicit), Some(_)) => {
                let arguments = self.arguments(explicit);
                Entity::Type(self.alias_from_template(alias, arguments, &outer, origin))
            }
        }
    }

    /// What an alias that is no template stands for.
    fn alias_type(&mut self, alias: AliasId, outer: &Environment) -> Type {
        let definition = &self.hir().aliases[alias];
        if let Parent::Function(_) = definition.parent {
            // A local alias may speak of the function's own names.
            return self.ty(definition.ty);
        }
        self.at(outer.clone()).ty(definition.ty)
    }

    /// A name of a library: a declaration of its own, or a member of a class that is one.
    fn library_path(&mut self, key: Name, segments: &[Segment], origin: Origin) -> Entity {
        let explicit = segments.last().and_then(|last| last.arguments.as_deref());
        // `std::is_same<T, U>::value`: the first segment with arguments names the class.
        let class = segments.iter().rev().skip(1).rev().position(|s| s.arguments.is_some());
        if let Some(class) = class {
            let rest = segments.get(class + 1..).unwrap_or(&[]);
            let mut prefix = key.as_str();
            for _ in rest {
                prefix = prefix.rsplit_once("::").map_or(prefix, |(prefix, _)| prefix);
            }
            let arguments = segments.get(class).and_then(|segment| segment.arguments.as_deref());
            return match self.library_entity(Name::new(prefix), arguments, origin) {
                Entity::Type(ty) => self.resolve_members(Entity::Type(ty), rest, origin),
                _ => self.library_entity(key, explicit, origin),
            };
        }
        let entity = self.library_entity(key, explicit, origin);
        if let (Entity::Nothing, Some((prefix, _)), Some(last)) =
            (&entity, key.as_str().rsplit_once("::"), segments.last())
            && let Entity::Type(ty) = self.library_entity(Name::new(prefix), None, origin)
            && self.cx.types.class(ty).is_some()
        {
            return self.member_of_type(ty, last, origin);
        }
        entity
    }

    /// Segments after the resolved part of a name: members of members.
    fn resolve_members(&mut self, start: Entity, rest: &[Segment], origin: Origin) -> Entity {
        let mut entity = start;
        for segment in rest {
            let ty = match entity {
                Entity::Type(ty) => ty,
                Entity::Template(template) => {
                    // The template's own name, without arguments, inside itself.
                    self.instantiate_template(&template, &[], origin)
                }
                Entity::Poison(code) => return Entity::Poison(code),
                Entity::Builtin(name) => {
                    // A library's class without a model: its members have none either.
                    let path = format!("{name}::{}", segment.name);
                    return self.library_entity(
                        Name::new(&path),
                        segment.arguments.as_deref(),
                        origin,
                    );
                }
                _ => {
                    let finding = UnknownName { name: segment.name.as_str().to_string() };
                    return Entity::Poison(self.cx.report(self.env.unit, origin, finding));
                }
            };
            if ty.is_unknown() {
                return Entity::Poison(crate::findings::UNKNOWN_TYPE);
            }
            entity = self.member_of_type(ty, segment, origin);
        }
        entity
    }

    /// The member of a type that a qualified name names.
    pub(crate) fn member_of_type(&mut self, ty: Type, segment: &Segment, origin: Origin) -> Entity {
        if let Kind::Enum(id) = *self.cx.types.kind(ty) {
            let enumeration = self.cx.enumeration(id);
            let hir = self.cx.hir(enumeration.environment.unit);
            let constants = &hir.enums[enumeration.id].constants;
            if let Some(index) = constants.iter().position(|c| c.name == segment.name)
                && let Some(Some(value)) = enumeration.values.get(index)
            {
                return Entity::Constant(Value::Integer(*value), ty.unqualified());
            }
        }
        if let Some(class) = self.cx.types.class(ty) {
            let explicit = segment.arguments.as_deref();
            if let Some(entity) = self.member_entity(class, segment.name, explicit, origin) {
                return entity;
            }
        }
        if let Kind::Opaque(name) = *self.cx.types.kind(ty) {
            let path = format!("{name}::{}", segment.name);
            return self.library_entity(Name::new(&path), segment.arguments.as_deref(), origin);
        }
        let finding =
            NoMember { ty: self.cx.type_name(ty), member: segment.name.as_str().to_string() };
        Entity::Poison(self.cx.report(self.env.unit, origin, finding))
    }

    /// A member of a class by name, as an entity.
    pub(crate) fn member_entity(
        &mut self,
        class: ClassId,
        name: Name,
        explicit: Option<&[TemplateArgument]>,
        origin: Origin,
    ) -> Option<Entity> {
        Some(match self.find_member(class, name)? {
            Member::Field(_, class, index) => Entity::Field(class, index),
            Member::Functions(candidates) => self.overload_set(name, candidates, explicit, false),
            Member::Variable(mut variable) => {
                variable.arguments = explicit.map(|arguments| self.arguments(arguments));
                Entity::Variable(variable)
            }
            Member::Type(ty) => Entity::Type(ty),
            Member::Template(template) => match explicit {
                None => Entity::Template(template),
                Some(explicit) => {
                    let arguments = self.arguments(explicit);
                    Entity::Type(self.instantiate_template(&template, &arguments, origin))
                }
            },
            Member::Constant(value, ty) => Entity::Constant(value, ty),
        })
    }

    /// A name that depends on template arguments: a member of a base that only now is known, or a
    /// function for the arguments' namespaces to give.
    fn resolve_dependent(&mut self, segment: &Segment, alone: bool, origin: Origin) -> Entity {
        if alone && let Some(entity) = self.resolve_in_classes(segment, origin) {
            return entity;
        }
        self.overload_set(segment.name, Vec::new(), segment.arguments.as_deref(), true)
    }

    /// A name that the classes around the place (with their bases) declare.
    fn resolve_in_classes(&mut self, segment: &Segment, origin: Origin) -> Option<Entity> {
        let mut around = self.env.class;
        let mut steps = 0;
        while let Some(class) = around {
            let explicit = segment.arguments.as_deref();
            if let Some(entity) = self.member_entity(class, segment.name, explicit, origin) {
                return Some(entity);
            }
            steps += 1;
            if steps > 64 {
                return None;
            }
            around = self.outer_class(class);
        }
        None
    }

    /// Lookup of a name in a class and its bases.
    pub(crate) fn find_member(&mut self, class: ClassId, name: Name) -> Option<Member> {
        self.find_member_at(class, name, 0)
    }

    fn find_member_at(&mut self, class: ClassId, name: Name, depth: u32) -> Option<Member> {
        if depth > 32 {
            return None;
        }
        self.complete(class);
        let entry = self.cx.class(class);
        let environment = entry.environment.clone();
        let field_names: Vec<(Name, Type)> =
            entry.fields.iter().map(|field| (field.name, field.ty)).collect();
        // Names of anonymous members are found through them.
        for (index, (field, ty)) in field_names.iter().enumerate() {
            if *field == name {
                return Some(Member::Field(vec![], class, index as u32));
            }
            if field.as_str().is_empty()
                && let Some(inner) = self.cx.types.class(*ty)
                && let Some(Member::Field(mut steps, owner, position)) =
                    self.find_member_at(inner, name, depth + 1)
            {
                steps.insert(0, Step::Field(index as u32));
                return Some(Member::Field(steps, owner, position));
            }
        }
        if let ClassSource::Record(record) = self.cx.class(class).source {
            let hir = self.cx.hir(environment.unit);
            let definition = &hir.records[record];
            let functions: Vec<FunctionId> = definition
                .methods
                .iter()
                .copied()
                .filter(|id| hir.functions[*id].name == name)
                .collect();
            if !functions.is_empty() {
                let mut candidates: Vec<Candidate> = functions
                    .into_iter()
                    .map(|id| Candidate {
                        function: id,
                        environment: environment.clone(),
                        class: Some(class),
                    })
                    .collect();
                self.add_used_bases(class, name, definition, &mut candidates, depth);
                return Some(Member::Functions(candidates));
            }
            if let Some(id) =
                definition.variables.iter().copied().find(|id| hir.variables[*id].name == name)
            {
                let outer = environment;
                return Some(Member::Variable(VariableName { id, outer, arguments: None }));
            }
            for nested in &definition.types {
                if let Some(member) = self.nested_type(*nested, name, &environment) {
                    return Some(member);
                }
            }
            // The class's own name.
            let own = definition.name;
            if own == name && !own.as_str().is_empty() {
                return Some(Member::Type(self.class_type(class)));
            }
        }
        let bases: Vec<ClassId> =
            self.cx.class(class).bases.iter().map(|base| base.class).collect();
        for (index, base) in bases.into_iter().enumerate() {
            match self.find_member_at(base, name, depth + 1) {
                Some(Member::Field(mut steps, owner, position)) => {
                    steps.insert(0, Step::Base(index as u32));
                    return Some(Member::Field(steps, owner, position));
                }
                Some(member) => return Some(member),
                None => {}
            }
        }
        None
    }

    /// `using Base::f;` adds the base's functions to the class's own.
    fn add_used_bases(
        &mut self,
        class: ClassId,
        name: Name,
        definition: &port_hir::Record,
        candidates: &mut Vec<Candidate>,
        depth: u32,
    ) {
        let hir = self.cx.hir(self.cx.class(class).environment.unit);
        let uses = definition.types.iter().any(|nested| match nested {
            NestedType::Alias(id) => hir.aliases[*id].name == name,
            _ => false,
        });
        if !uses {
            return;
        }
        let bases: Vec<ClassId> =
            self.cx.class(class).bases.iter().map(|base| base.class).collect();
        for base in bases {
            if let Some(Member::Functions(more)) = self.find_member_at(base, name, depth + 1) {
                candidates.extend(more);
            }
        }
    }

    fn nested_type(
        &mut self,
        nested: NestedType,
        name: Name,
        environment: &Environment,
    ) -> Option<Member> {
        let hir = self.cx.hir(environment.unit);
        match nested {
            NestedType::Record(id) => {
                let record = &hir.records[id];
                if record.name != name || record.specialisation.is_some() {
                    return None;
                }
                if record.template_parameters.is_some() {
                    let outer = environment.clone();
                    let which = TemplateKind::Record(id);
                    return Some(Member::Template(TemplateName { which, outer }));
                }
                let class = self.at(environment.clone()).plain_class(id, environment.clone())?;
                Some(Member::Type(self.class_type(class)))
            }
            NestedType::Enum(id) => {
                let definition = &hir.enums[id];
                if definition.name == name {
                    let ty = self.at(environment.clone()).enumeration(id, environment.clone());
                    return Some(Member::Type(ty));
                }
                if definition.scoped {
                    return None;
                }
                let index = definition.constants.iter().position(|c| c.name == name)?;
                let mut there = self.at(environment.clone());
                match there.enumerator(id, index as u32, environment.clone()) {
                    Entity::Constant(value, ty) => Some(Member::Constant(value, ty)),
                    _ => None,
                }
            }
            NestedType::Alias(id) => {
                let alias = &hir.aliases[id];
                if alias.name != name {
                    return None;
                }
                if alias.template_parameters.is_some() {
                    let outer = environment.clone();
                    let which = TemplateKind::Alias(id);
                    return Some(Member::Template(TemplateName { which, outer }));
                }
                // `using Base::x` of something that is no type is found in the base itself.
                let mut there = self.at(environment.clone());
                if let port_hir::TyKind::Named(target) = &hir.types[alias.ty].kind
                    && target.segments.len() > 1
                    && target.last().is_some_and(|last| last.name == name)
                {
                    let found = there.attempt(|checker| checker.ty(alias.ty))?;
                    return (!found.is_unknown()).then_some(Member::Type(found));
                }
                Some(Member::Type(there.alias_target(id)))
            }
        }
    }

    /// What an alias stands for, its own template arguments and those around it in hand. Found once
    /// for all: aliases that name each other twice would take twice as long at each step.
    fn alias_target(&mut self, alias: AliasId) -> Type {
        let key = (alias, self.env.clone());
        if let Some(ty) = self.cx.alias_types.get(&key) {
            return *ty;
        }
        let failures = self.cx.failures;
        let ty = self.ty(self.hir().aliases[alias].ty);
        // What fails is said again at the next place, and a dispatched type is not for ever.
        if self.cx.failures == failures && !ty.is_unknown() && self.cx.dispatch.is_none() {
            self.cx.alias_types.insert(key, ty);
        }
        ty
    }

    /// The type of an alias template for these arguments.
    pub(crate) fn alias_from_template(
        &mut self,
        alias: AliasId,
        given: Vec<Argument>,
        outer: &Environment,
        origin: Origin,
    ) -> Type {
        let definition = &self.cx.hir(outer.unit).aliases[alias];
        let Some(parameters) = &definition.template_parameters else {
            return self.at(outer.clone()).ty(definition.ty);
        };
        if self.too_deep(origin) {
            return Type::UNKNOWN;
        }
        match self.complete_arguments(parameters, given, outer) {
            Ok(list) => {
                self.cx.depth += 1;
                let ty = self.at(outer.with(list)).alias_target(alias);
                self.cx.depth -= 1;
                ty
            }
            Err(why) => {
                let name = definition.name.as_str().to_string();
                self.fail(origin, TemplateArguments { name, why });
                Type::UNKNOWN
            }
        }
    }
}
