//! Functions: joining declarations, bodies, constructor initialisers.

use port_syntax::{Keyword, Symbol, TokenKind};

use super::cursor::END;
use super::declarator::{Declarator, DeclaratorName, FunctionSuffix};
use super::lookup::Place;
use super::record::inherit_defaults;
use super::scope::{Binding, Decl};
use super::specifiers::{Site, Specifiers};
use super::template::Header;
use super::{Builder, Context, Parse};
use crate::*;

/// The body of a member function, to be read when its class is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deferred {
    function: FunctionId,
    /// The class that it stands in: a friend sees it too.
    record: RecordId,
    /// The `{`, `:` or `try`.
    start: usize,
    end: usize,
    context: Context,
}

impl Builder<'_> {
    /// A function whose declarator has been read: the declaration and, if one follows, its body.
    /// Returns the function, and whether a body ended the declaration.
    pub(super) fn function(
        &mut self,
        specifiers: &Specifiers,
        declarator: Declarator,
        site: Site,
        start: usize,
    ) -> Parse<(FunctionId, bool)> {
        let header = self.header.take().unwrap_or_default();
        let (Some(name), Some(suffix)) = (declarator.name, declarator.function) else {
            return self.expected("function");
        };
        let definition = self.definition_follows();
        let id = self.declare_function(specifiers, name, suffix, header, site, start, definition);
        let tokens = self.range_from(start);
        if definition || matches!(self.module.functions[id].body, Body::None) {
            self.module.functions[id].tokens = tokens;
        }
        if self.at(TokenKind::Equal) {
            self.bump();
            let body = match self.keyword() {
                Some(Keyword::Default) => Body::Defaulted,
                Some(Keyword::Delete) => Body::Deleted,
                _ => Body::Pure,
            };
            self.bump();
            self.module.functions[id].body = body;
            return Ok((id, false));
        }
        if !definition {
            return Ok((id, false));
        }
        if let Site::Member(record) = site {
            let from = self.position;
            self.skip_body()?;
            let tokens = self.range_from(start);
            self.module.functions[id].tokens = tokens;
            let end = self.position;
            let context = self.context;
            self.deferred.push(Deferred { function: id, record, start: from, end, context });
            return Ok((id, true));
        }
        self.function_body(id);
        let tokens = self.range_from(start);
        self.module.functions[id].tokens = tokens;
        Ok((id, true))
    }

    fn definition_follows(&self) -> bool {
        match self.kind() {
            TokenKind::LeftBrace | TokenKind::Colon => true,
            _ => self.at_keyword(Keyword::Try),
        }
    }

    /// The function that a declaration declares: one that is known already, or a new one.
    #[expect(clippy::too_many_arguments, reason = "the parts of one declaration")]
    fn declare_function(
        &mut self,
        specifiers: &Specifiers,
        name: DeclaratorName,
        suffix: FunctionSuffix,
        header: Header,
        site: Site,
        start: usize,
        definition: bool,
    ) -> FunctionId {
        let record_arguments = self.record_arguments(&name, &header);
        let parent = match name.place {
            Place::Record { record, .. } => {
                Parent::Record(self.select_record(record, name.qualifier.as_ref()))
            }
            Place::Namespace(id) => Parent::Namespace(id),
            // A definition whose class is not in view is still a function.
            _ if name.qualifier.is_some() => Parent::Namespace(self.context.namespace),
            _ if specifiers.friend => Parent::Namespace(self.context.namespace),
            _ => self.parent_of(site),
        };
        let friend_of = match self.parent_of(site) {
            Parent::Record(record) if specifiers.friend => Some(record),
            _ => None,
        };
        let outer_depth = match parent {
            Parent::Record(record) => self.module.records[record].template_depth,
            _ if specifiers.friend => self.context.template_depth - header.lists.len() as u16,
            _ => 0,
        };
        let mut lists = header.lists;
        let mut own = match lists.last() {
            Some(list) if list.depth >= outer_depth => lists.pop(),
            _ => None,
        };
        if !suffix.abbreviated.is_empty() {
            let list = own.get_or_insert_with(|| TemplateParameterList {
                depth: self.context.template_depth,
                parameters: Vec::new(),
            });
            list.parameters.extend(suffix.abbreviated);
        }
        let template_depth = match &own {
            Some(list) => list.depth + 1,
            None => self.context.template_depth,
        };
        let mut qualifiers = specifiers.function.clone();
        add_qualifiers(&mut qualifiers, &suffix.qualifiers);
        qualifiers.c_linkage = self.context.c_linkage;
        let specialised = own.is_none() && (header.specialises || name.arguments.is_some());
        let kind = match (name.kind, parent) {
            (FunctionKind::Ordinary, Parent::Record(record))
                if specifiers.ty.is_none() && self.module.records[record].name == name.name =>
            {
                FunctionKind::Constructor
            }
            (FunctionKind::Ordinary, _) if specifiers.ty.is_none() => {
                if self.is_class_template(name.name) {
                    FunctionKind::DeductionGuide
                } else {
                    FunctionKind::Constructor
                }
            }
            (kind, _) => kind,
        };
        let return_type = match kind {
            FunctionKind::Conversion(ty) => ty,
            _ => suffix.return_type,
        };
        let origin = self.origin_at(name.at);
        let tokens = self.range_from(start);
        let function = Function {
            name: name.name,
            kind,
            parent,
            friend_of,
            template_parameters: own,
            constrained: header.constrained || suffix.constrained,
            template_depth,
            specialisation: specialised.then(|| Specialisation {
                arguments: name.arguments.unwrap_or_default(),
                record_arguments,
            }),
            specialisations: Vec::new(),
            parameters: suffix.parameters,
            variadic: suffix.variadic,
            return_type,
            qualifiers,
            initializers: Vec::new(),
            body: Body::None,
            origin,
            tokens,
            declarations: vec![origin],
            poison: None,
        };
        let id = self.join_function(function, definition, name.qualifier.is_some());
        self.mean(name.at, Meaning::User(Entity::Function(id)));
        id
    }

    fn is_class_template(&mut self, name: Symbol) -> bool {
        let found = self.look(Place::Open, name);
        matches!(
            self.class_of(found, false),
            super::lookup::Class::TypeTemplate | super::lookup::Class::Type
        )
    }

    /// The class arguments of `template <> int A<float>::f()`.
    fn record_arguments(&self, name: &DeclaratorName, header: &Header) -> Vec<TemplateArgument> {
        match &name.qualifier {
            Some(qualifier) if header.specialises => {
                qualifier.last().and_then(|last| last.arguments.clone()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// The specialisation that the arguments of a qualifier name: `A<float>::` may be
    /// `template <> struct A<float>`.
    pub(super) fn select_record(&self, primary: RecordId, qualifier: Option<&NameRef>) -> RecordId {
        let Some(arguments) =
            qualifier.and_then(NameRef::last).and_then(|last| last.arguments.as_ref())
        else {
            return primary;
        };
        self.module.records[primary]
            .specialisations
            .iter()
            .copied()
            .find(|id| {
                self.module.records[*id]
                    .specialisation
                    .as_ref()
                    .is_some_and(|other| self.same_arguments(&other.arguments, arguments))
            })
            .unwrap_or(primary)
    }

    /// Adds a declaration to the function that it redeclares, or a new function.
    fn join_function(
        &mut self,
        function: Function,
        definition: bool,
        qualified: bool,
    ) -> FunctionId {
        // A class's name in its own scope is the class, not its constructors.
        let name = match function.kind {
            FunctionKind::Constructor => self.words.constructor,
            // `operator T` may be spelled otherwise outside the class.
            FunctionKind::Conversion(_) => self.words.conversion,
            _ => function.name,
        };
        let parent = function.parent;
        let friend = function.qualifiers.friend && !matches!(parent, Parent::Record(_));
        let mut candidates = self.functions_in(parent, name);
        if self.has_friends {
            candidates.extend(self.functions_in(parent, hidden(name)));
        }
        if function.specialisation.is_some() {
            return self.add_specialisation(function, &candidates);
        }
        let mut joined = candidates.iter().copied().find(|id| {
            let known = &self.module.functions[*id];
            !(definition && matches!(known.body, Body::Block(_)))
                && self.same_signature(known, &function)
        });
        if joined.is_none() && qualified {
            // An out-of-class definition has been declared: if its types could not be compared,
            // the only function that it can be is the one.
            let mut fitting = candidates.iter().copied().filter(|id| {
                let known = &self.module.functions[*id];
                matches!(known.body, Body::None)
                    && known.parameters.len() == function.parameters.len()
                    && known.qualifiers.const_this == function.qualifiers.const_this
            });
            joined = fitting.next().filter(|_| fitting.next().is_none());
        }
        let id = match joined {
            Some(id) => {
                self.merge_function(id, function, definition);
                id
            }
            None => {
                let id = self.module.functions.add(function);
                if let Parent::Record(record) = parent {
                    self.module.records[record].methods.push(id);
                }
                id
            }
        };
        // A friend that only its class declares is found by its arguments alone.
        if !friend {
            self.declare_overload(parent, name, id);
        } else if joined.is_none() {
            self.has_friends = true;
            self.declare_name(name);
            self.declare_overload(parent, hidden(name), id);
        }
        id
    }

    /// Functions declared under a name in exactly this scope.
    fn functions_in(&self, parent: Parent, name: Symbol) -> Vec<FunctionId> {
        let entry = match parent {
            Parent::Namespace(id) => self.scopes.namespace(id).entries.get(&name),
            Parent::Record(id) => self.scopes.record(id).names.get(&name),
            Parent::Function(_) => None,
        };
        entry.map_or_else(Vec::new, |entry| self.scopes.entry(*entry).functions.clone())
    }

    fn add_specialisation(&mut self, function: Function, candidates: &[FunctionId]) -> FunctionId {
        let count = function.parameters.len();
        let parent = function.parent;
        let known: Vec<FunctionId> = candidates
            .iter()
            .copied()
            .filter(|id| self.module.functions[*id].parameters.len() == count)
            .collect();
        // A declaration of the specialisation may have come before.
        let earlier =
            known.iter().flat_map(|id| &self.module.functions[*id].specialisations).copied().find(
                |id| {
                    let other = &self.module.functions[*id];
                    matches!(other.body, Body::None)
                        && self.same_signature(other, &function)
                        && match (&other.specialisation, &function.specialisation) {
                            (Some(a), Some(b)) => {
                                self.same_arguments(&a.arguments, &b.arguments)
                                    && self.same_arguments(&a.record_arguments, &b.record_arguments)
                            }
                            _ => false,
                        }
                },
            );
        if let Some(id) = earlier {
            self.merge_function(id, function, true);
            return id;
        }
        let is_member = matches!(parent, Parent::Record(_));
        let id = self.module.functions.add(function);
        for candidate in known {
            let candidate = &mut self.module.functions[candidate];
            if candidate.template_parameters.is_some() || is_member {
                candidate.specialisations.push(id);
            }
        }
        id
    }

    fn same_signature(&self, a: &Function, b: &Function) -> bool {
        let same_kind = match (&a.kind, &b.kind) {
            (FunctionKind::Conversion(a), FunctionKind::Conversion(b)) => self.same_type(*a, *b),
            (a, b) => a == b,
        };
        same_kind
            && a.parameters.len() == b.parameters.len()
            && a.variadic == b.variadic
            && a.qualifiers.const_this == b.qualifiers.const_this
            && a.qualifiers.reference == b.qualifiers.reference
            && match (&a.template_parameters, &b.template_parameters) {
                (None, None) => true,
                (Some(x), Some(y)) => {
                    self.same_template_parameters(x, y)
                        && self.same_type(a.return_type, b.return_type)
                }
                _ => false,
            }
            && a.parameters.iter().zip(&b.parameters).all(|(a, b)| {
                self.same_parameter_type(self.module.locals[*a].ty, self.module.locals[*b].ty)
            })
    }

    fn same_template_parameters(
        &self,
        a: &TemplateParameterList,
        b: &TemplateParameterList,
    ) -> bool {
        a.parameters.len() == b.parameters.len()
            && a.parameters.iter().zip(&b.parameters).all(|(a, b)| {
                a.pack == b.pack
                    && match (&a.kind, &b.kind) {
                        (
                            TemplateParameterKind::Value { ty: a, .. },
                            TemplateParameterKind::Value { ty: b, .. },
                        ) => self.same_type(*a, *b),
                        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
                    }
            })
    }

    fn merge_function(&mut self, id: FunctionId, new: Function, definition: bool) {
        let old = &self.module.functions[id];
        let takes = definition || matches!(old.body, Body::None);
        let old_parameters = old.parameters.clone();
        // A default argument is given once, in either declaration.
        for (old, new) in old_parameters.iter().zip(&new.parameters) {
            let (from, to) = if takes { (*old, *new) } else { (*new, *old) };
            if self.module.locals[to].initializer.is_none() {
                self.module.locals[to].initializer = self.module.locals[from].initializer.clone();
            }
        }
        let function = &mut self.module.functions[id];
        function.declarations.push(new.origin);
        add_qualifiers(&mut function.qualifiers, &new.qualifiers);
        function.constrained |= new.constrained;
        match (&mut function.template_parameters, new.template_parameters) {
            (Some(known), Some(mut list)) if takes => {
                inherit_defaults(&mut list, known);
                *known = list;
            }
            (Some(known), Some(list)) => inherit_defaults(known, &list),
            _ => {}
        }
        if takes {
            function.parameters = new.parameters;
            function.return_type = new.return_type;
            function.origin = new.origin;
            function.template_depth = new.template_depth;
        }
    }

    /// Skips a body that waits: constructor initialisers and a block.
    fn skip_body(&mut self) -> Parse<()> {
        self.eat_keyword(Keyword::Try);
        if self.eat(TokenKind::Colon) {
            while !matches!(self.kind(), TokenKind::Semicolon | END) {
                match self.kind() {
                    TokenKind::LeftParen | TokenKind::LeftBrace => {
                        self.position = self.past_group(self.position);
                        self.eat(TokenKind::Ellipsis);
                        if !self.eat(TokenKind::Comma) {
                            break;
                        }
                    }
                    TokenKind::Less => {
                        self.position =
                            self.past_arguments(self.position).unwrap_or(self.position + 1);
                    }
                    _ => {
                        self.bump();
                    }
                }
            }
        }
        if !self.at(TokenKind::LeftBrace) || self.closer(self.position).is_none() {
            return self.expected("{");
        }
        self.position = self.past_group(self.position);
        while self.at_keyword(Keyword::Catch) {
            self.position = self.past_group(self.position + 1);
            self.position = self.past_group(self.position);
        }
        Ok(())
    }

    /// Reads the bodies that waited for the class that is complete now.
    pub(super) fn deferred_bodies(&mut self) {
        let position = self.position;
        let mut index = 0;
        // A local class of a body adds to the list and empties its part itself.
        let waiting = std::mem::take(&mut self.deferred);
        while let Some(deferred) = waiting.get(index).copied() {
            index += 1;
            let mark = self.scopes.mark();
            let context = self.context;
            let end = std::mem::replace(&mut self.end, deferred.end);
            self.context = deferred.context;
            self.enter_record_chain(deferred.record, true);
            if let Some(list) = self.module.functions[deferred.function].template_parameters.clone()
            {
                self.bind_template_parameters(&list);
            }
            self.position = deferred.start;
            self.function_body(deferred.function);
            self.end = end;
            self.context = context;
            self.scopes.restore(mark);
        }
        self.position = position;
    }

    /// The body at the current token: initialisers, block, handlers.
    pub(super) fn function_body(&mut self, id: FunctionId) {
        let mark = self.scopes.mark();
        let context = self.context;
        let poison = self.poison.take();
        let header = self.header.take();
        let abbreviation = self.abbreviation.take();
        let in_angles = std::mem::replace(&mut self.in_angles, false);
        let open_records = std::mem::replace(&mut self.open_records, 0);
        let function = &self.module.functions[id];
        self.context.function = Some(id);
        self.context.device |= function.qualifiers.global || function.qualifiers.device;
        self.context.template_depth = function.template_depth;
        for parameter in function.parameters.clone() {
            let name = self.module.locals[parameter].name;
            if name != self.words.empty {
                self.scopes.bind(name, Binding::Local(parameter));
            }
        }
        let is_try = self.eat_keyword(Keyword::Try);
        if self.at(TokenKind::Colon)
            && let Err(failure) = self.member_initializers(id)
        {
            self.statement_failure(failure);
            self.seek_body();
        }
        if self.at(TokenKind::LeftBrace) {
            let start = self.position;
            let mut block = self.block();
            if is_try {
                let handlers = self.handlers();
                let stmt = self.add_stmt(StmtKind::Try { body: block, handlers }, start);
                block = self.add_stmt(StmtKind::Block(vec![stmt]), start);
            }
            self.module.functions[id].body = Body::Block(block);
        }
        self.module.functions[id].poison = self.poison.take();
        self.open_records = open_records;
        self.in_angles = in_angles;
        self.abbreviation = abbreviation;
        self.header = header;
        self.poison = poison;
        self.context = context;
        self.scopes.restore(mark);
    }

    /// `: a(1), Base<T>{2}`
    fn member_initializers(&mut self, id: FunctionId) -> Parse<()> {
        self.expect(TokenKind::Colon)?;
        let record = match self.module.functions[id].parent {
            Parent::Record(record) => Some(record),
            _ => None,
        };
        loop {
            let start = self.position;
            let target = self.initializer_target(record)?;
            let value = match self.kind() {
                TokenKind::LeftParen => Initializer::Direct(self.arguments()?),
                TokenKind::LeftBrace => Initializer::Brace(self.init_list()?),
                _ => return self.expected("("),
            };
            let pack = self.eat(TokenKind::Ellipsis);
            let origin = self.origin_at(start);
            self.module.functions[id].initializers.push(MemberInitializer {
                target,
                value,
                pack,
                origin,
            });
            if !self.eat(TokenKind::Comma) {
                return Ok(());
            }
        }
    }

    fn initializer_target(&mut self, record: Option<RecordId>) -> Parse<InitializerTarget> {
        let at = self.position;
        let direct = matches!(self.kind_at(at + 1), TokenKind::LeftParen | TokenKind::LeftBrace);
        if let (Some(record), Some(name), true) = (record, self.name_at(at), direct)
            && let Some((entry, owner)) = self.scopes.member(record, name)
            && owner == record
            && let Some(Decl::Field(owner, index)) = self.scopes.entry(entry).value
        {
            self.bump();
            self.mean(at, Meaning::User(Entity::Field(owner, index)));
            if owner == record {
                return Ok(InitializerTarget::Field(index));
            }
            return Ok(InitializerTarget::Unresolved(name));
        }
        let read = self.name()?;
        if matches!(read.name.resolution, Res::Unresolved)
            && let (Some(only), Some(_)) = (read.name.unqualified(), record)
        {
            return Ok(InitializerTarget::Unresolved(only.name));
        }
        Ok(InitializerTarget::Type(self.add_type(TyKind::Named(read.name), at)))
    }

    /// Goes on to the block after initialisers that could not be read.
    fn seek_body(&mut self) {
        while !matches!(self.kind(), TokenKind::Semicolon | END) {
            if self.at(TokenKind::LeftBrace) {
                let after = self.past_group(self.position);
                if self.kind_at(after) != TokenKind::Comma
                    && self.kind_at(after) != TokenKind::LeftBrace
                {
                    return;
                }
                self.position = after;
            } else if self.kind().is_open() {
                self.position = self.past_group(self.position);
            } else {
                self.bump();
            }
        }
    }
}

/// The name under which a namespace has the friends that nothing but their classes declares.
fn hidden(name: Symbol) -> Symbol {
    Symbol::new(&format!("(friend) {name}"))
}

/// What either declaration says holds for the function.
fn add_qualifiers(to: &mut FunctionQualifiers, from: &FunctionQualifiers) {
    to.global |= from.global;
    to.device |= from.device;
    to.host |= from.host;
    to.is_static |= from.is_static;
    to.is_extern |= from.is_extern;
    to.c_linkage |= from.c_linkage;
    to.inline |= from.inline;
    to.force_inline |= from.force_inline;
    to.no_inline |= from.no_inline;
    to.constexpr |= from.constexpr;
    to.explicit |= from.explicit;
    to.is_virtual |= from.is_virtual;
    to.friend |= from.friend;
    to.const_this |= from.const_this;
    to.volatile_this |= from.volatile_this;
    to.reference = to.reference.or(from.reference);
    to.noexcept |= from.noexcept;
    to.is_override |= from.is_override;
    to.is_final |= from.is_final;
    to.noreturn |= from.noreturn;
    if to.launch_bounds.is_empty() {
        to.launch_bounds.clone_from(&from.launch_bounds);
    }
    if to.cluster_dims.is_empty() {
        to.cluster_dims.clone_from(&from.cluster_dims);
    }
    to.max_registers = to.max_registers.or(from.max_registers);
}
