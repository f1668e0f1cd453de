//! Template headers, their parameters, and explicit instantiations.

use port_syntax::{Keyword, Symbol, TokenKind};

use super::cursor::END;
use super::declarator::Form;
use super::lookup::Class;
use super::scope::{Binding, Decl, Entry, ParameterSort};
use super::specifiers::Site;
use super::{Builder, Parse};
use crate::*;

/// The `template <…>` lines before a declaration.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    /// The lists that have parameters, from the outside.
    pub lists: Vec<TemplateParameterList>,
    /// Whether there is a `template <>`.
    pub specialises: bool,
    pub constrained: bool,
}

/// Template parameters that `auto` makes in a parameter list.
#[derive(Clone, Debug)]
pub(super) struct Abbreviation {
    depth: u16,
    /// Parameters that the list has before.
    named: u16,
    pub parameters: Vec<TemplateParameter>,
}

impl Builder<'_> {
    pub(super) fn new_abbreviation(&self) -> Abbreviation {
        match self.header.as_ref().and_then(|header| header.lists.last()) {
            Some(list) => Abbreviation {
                depth: list.depth,
                named: list.parameters.len() as u16,
                parameters: Vec::new(),
            },
            None => Abbreviation {
                depth: self.context.template_depth,
                named: 0,
                parameters: Vec::new(),
            },
        }
    }

    /// The same for a lambda with these template parameters of its own.
    pub(super) fn lambda_abbreviation(&self, own: Option<&TemplateParameterList>) -> Abbreviation {
        Abbreviation {
            depth: self.context.template_depth,
            named: own.map_or(0, |list| list.parameters.len() as u16),
            parameters: Vec::new(),
        }
    }

    /// The template parameter that an `auto` at `at` makes, if it stands in a parameter list.
    pub(super) fn abbreviated_parameter(&mut self, at: usize) -> Option<TemplateParameterRef> {
        let origin = self.origin_at(at);
        let name = self.words.empty;
        let made = self.abbreviation.as_mut()?;
        let index = made.named + made.parameters.len() as u16;
        made.parameters.push(TemplateParameter {
            name,
            kind: TemplateParameterKind::Abbreviated,
            pack: false,
            origin,
        });
        Some(TemplateParameterRef { depth: made.depth, index })
    }

    /// Whether `template <` begins here rather than an explicit instantiation.
    pub(super) fn at_template_header(&self) -> bool {
        self.at_keyword(Keyword::Template) && self.kind_at(self.position + 1) == TokenKind::Less
    }

    /// A declaration with its `template <…>` lines.
    pub(super) fn template_declaration(&mut self, site: Site) -> Parse<()> {
        let start = self.position;
        let mark = self.scopes.mark();
        let context = self.context;
        let outer = self.header.take();
        let result = self.nested(|this| {
            let header = this.template_header()?;
            this.header = Some(header);
            this.templated_declaration(site, start)
        });
        self.header = outer;
        self.scopes.restore(mark);
        self.context = context;
        result
    }

    fn templated_declaration(&mut self, site: Site, start: usize) -> Parse<()> {
        if self.at_keyword(Keyword::Using) {
            return self.using(site).map(|_| ());
        }
        if self.at_keyword(Keyword::Concept) {
            return self.concept();
        }
        self.declaration(site, start).map(|_| ())
    }

    /// The `template <…>` lines; their parameters are bound.
    pub(super) fn template_header(&mut self) -> Parse<Header> {
        let mut header = Header::default();
        while self.at_template_header() {
            self.bump();
            let list = self.template_parameter_list()?;
            if list.parameters.is_empty() {
                header.specialises = true;
            } else {
                self.context.template_depth += 1;
                header.lists.push(list);
            }
            if self.eat_keyword(Keyword::Requires) {
                self.constraint()?;
                header.constrained = true;
            }
        }
        Ok(header)
    }

    /// `<typename T, int N = 4>`; the names are bound at the current depth.
    pub(super) fn template_parameter_list(&mut self) -> Parse<TemplateParameterList> {
        let depth = self.context.template_depth;
        self.expect(TokenKind::Less)?;
        let in_angles = std::mem::replace(&mut self.in_angles, true);
        let abbreviation = self.abbreviation.take();
        let result = self.nested(|this| {
            let mut parameters = Vec::new();
            while !matches!(this.kind(), TokenKind::Greater | END) {
                let index = parameters.len() as u16;
                parameters.push(this.template_parameter(TemplateParameterRef { depth, index })?);
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok(parameters)
        });
        self.in_angles = in_angles;
        self.abbreviation = abbreviation;
        let parameters = result?;
        self.expect(TokenKind::Greater)?;
        Ok(TemplateParameterList { depth, parameters })
    }

    fn template_parameter(&mut self, place: TemplateParameterRef) -> Parse<TemplateParameter> {
        if self.at_keyword(Keyword::Template) {
            return self.template_template_parameter(place);
        }
        if self.is_type_parameter() {
            return self.type_parameter(place);
        }
        let start = self.position;
        let specifiers = self.specifiers(Site::Parameter)?;
        let Some(base) = specifiers.ty else { return self.expected("template parameter") };
        let declarator = self.declarator(base, Form::Either)?;
        let default =
            if self.eat(TokenKind::Equal) { Some(self.constant_expression()?) } else { None };
        let (name, at) = match &declarator.name {
            Some(name) => (name.name, name.at),
            None => (self.words.empty, start),
        };
        let kind = TemplateParameterKind::Value { ty: declarator.ty, default };
        Ok(self.finish_parameter(place, name, at, kind, ParameterSort::Value, declarator.pack))
    }

    /// Whether a type parameter begins here: `typename T`, `class = int`, `Concept T`.
    fn is_type_parameter(&mut self) -> bool {
        let at = self.position;
        match self.keyword() {
            Some(Keyword::Class) => true,
            // `typename T::type N` is a value.
            Some(Keyword::Typename) => {
                !(self.is_name_at(at + 1)
                    && matches!(self.kind_at(at + 2), TokenKind::ColonColon | TokenKind::Less))
                    && self.kind_at(at + 1) != TokenKind::ColonColon
            }
            Some(_) => false,
            None => {
                // A concept in place of `typename`.
                let Some(scanned) = self.scan_name(at) else { return false };
                let mut end = scanned.end;
                if self.kind_at(end) == TokenKind::Ellipsis {
                    end += 1;
                }
                if !self.is_name_at(end) {
                    return false;
                }
                match scanned.class {
                    Class::ValueTemplate => true,
                    Class::Value => scanned.arguments,
                    Class::Unknown => {
                        // `std::integral T`: library concepts are lower-case and no `_t`.
                        !scanned.simple
                            && self.name_at(at).is_some_and(|name| name == "std")
                            && self
                                .name_at(scanned.last)
                                .is_some_and(|name| !name.as_str().ends_with("_t"))
                    }
                    _ => false,
                }
            }
        }
    }

    fn type_parameter(&mut self, place: TemplateParameterRef) -> Parse<TemplateParameter> {
        let start = self.position;
        if self.keyword().is_some() {
            self.bump();
        } else {
            self.name()?;
        }
        let pack = self.eat(TokenKind::Ellipsis);
        let (name, at) = if self.is_name_at(self.position) {
            self.expect_name()?
        } else {
            (self.words.empty, start)
        };
        let default = if self.eat(TokenKind::Equal) { Some(self.type_id()?) } else { None };
        let kind = TemplateParameterKind::Type { default };
        Ok(self.finish_parameter(place, name, at, kind, ParameterSort::Type, pack))
    }

    fn template_template_parameter(
        &mut self,
        place: TemplateParameterRef,
    ) -> Parse<TemplateParameter> {
        let start = self.bump();
        let mark = self.scopes.mark();
        self.context.template_depth += 1;
        let parameters = self.template_parameter_list();
        self.context.template_depth -= 1;
        self.scopes.restore(mark);
        let parameters = parameters?;
        if !self.eat_keyword(Keyword::Class) && !self.eat_keyword(Keyword::Typename) {
            return self.expected("class");
        }
        let pack = self.eat(TokenKind::Ellipsis);
        let (name, at) = if self.is_name_at(self.position) {
            self.expect_name()?
        } else {
            (self.words.empty, start)
        };
        let default = if self.eat(TokenKind::Equal) { Some(self.type_id()?) } else { None };
        let kind = TemplateParameterKind::Template { parameters, default };
        Ok(self.finish_parameter(place, name, at, kind, ParameterSort::Template, pack))
    }

    fn finish_parameter(
        &mut self,
        place: TemplateParameterRef,
        name: Symbol,
        at: usize,
        kind: TemplateParameterKind,
        sort: ParameterSort,
        pack: bool,
    ) -> TemplateParameter {
        if name != self.words.empty {
            self.mean(at, Meaning::User(Entity::TemplateParameter(place)));
            self.declare_name(name);
            self.scopes.bind(name, Binding::TemplateParameter { parameter: place, sort, pack });
        }
        TemplateParameter { name, kind, pack, origin: self.origin_at(at) }
    }

    /// Binds the parameters of a list that was read before: to read a body that waited.
    pub(super) fn bind_template_parameters(&mut self, list: &TemplateParameterList) {
        for (index, parameter) in list.parameters.iter().enumerate() {
            let sort = match parameter.kind {
                TemplateParameterKind::Type { .. } => ParameterSort::Type,
                TemplateParameterKind::Value { .. } => ParameterSort::Value,
                TemplateParameterKind::Template { .. } => ParameterSort::Template,
                TemplateParameterKind::Abbreviated => continue,
            };
            if parameter.name != self.words.empty {
                let place = TemplateParameterRef { depth: list.depth, index: index as u16 };
                let pack = parameter.pack;
                self.scopes.bind(
                    parameter.name,
                    Binding::TemplateParameter { parameter: place, sort, pack },
                );
            }
        }
    }

    /// The condition after `requires`: read for the meanings of its names, not kept.
    pub(super) fn constraint(&mut self) -> Parse<()> {
        let in_angles = std::mem::replace(&mut self.in_angles, false);
        let result = self.logical_or_expression();
        self.in_angles = in_angles;
        result.map(|_| ())
    }

    /// `concept C = e;`, kept as a variable template.
    fn concept(&mut self) -> Parse<()> {
        let start = self.bump();
        let (name, at) = self.expect_name()?;
        self.expect(TokenKind::Equal)?;
        let value = self.expression()?;
        let ty = self.add_type(TyKind::Builtin(Builtin::Bool), start);
        let header = self.header.take().unwrap_or_default();
        let parent = Parent::Namespace(self.context.namespace);
        let tokens = self.range_from(start);
        let id = self.module.variables.add(Variable {
            name,
            parent,
            template_parameters: header.lists.into_iter().next_back(),
            template_depth: self.context.template_depth,
            specialisation: None,
            specialisations: Vec::new(),
            ty,
            storage: Storage { constexpr: true, ..Storage::default() },
            initializer: Some(Initializer::Copy(value)),
            origin: self.origin_at(at),
            tokens,
        });
        self.mean(at, Meaning::User(Entity::Variable(id)));
        self.declare_value(parent, name, Decl::Variable(id));
        self.expect(TokenKind::Semicolon)
    }

    /// `template class A<int>;`, `extern template void f<float>(float);`
    pub(super) fn explicit_instantiation(&mut self) -> Parse<()> {
        let start = self.position;
        let is_extern = self.eat_keyword(Keyword::Extern);
        self.bump();
        if matches!(self.keyword(), Some(Keyword::Class | Keyword::Struct | Keyword::Union)) {
            self.bump();
            self.skip_attributes()?;
            let at = self.position;
            let name = self.name()?.name;
            return self.finish_instantiation(start, at, name, None, is_extern);
        }
        let mark = self.scopes.mark();
        let context = self.context;
        let result = self.function_instantiation(start, is_extern);
        self.scopes.restore(mark);
        self.context = context;
        result
    }

    fn function_instantiation(&mut self, start: usize, is_extern: bool) -> Parse<()> {
        let specifiers = self.specifiers(Site::Namespace)?;
        let base = match specifiers.ty {
            Some(ty) => ty,
            None => self.add_type(TyKind::None, start),
        };
        let declarator = self.declarator(base, Form::Named)?;
        let Some(declared) = declarator.name else { return self.expected("name") };
        let found = self.look(declared.place, declared.name);
        let (resolution, meaning) = self.resolve(found, declared.qualifier.is_some());
        self.mean(declared.at, meaning);
        let mut segments = declared.qualifier.map_or_else(Vec::new, |name| name.segments);
        segments.push(Segment {
            name: declared.name,
            arguments: declared.arguments,
            origin: self.origin_at(declared.at),
        });
        let name = NameRef { global: false, typename: false, segments, resolution };
        let parameters = declarator.function.map(|function| {
            function.parameters.iter().map(|id| self.module.locals[*id].ty).collect()
        });
        self.finish_instantiation(start, declared.at, name, parameters, is_extern)
    }

    fn finish_instantiation(
        &mut self,
        start: usize,
        at: usize,
        name: NameRef,
        parameters: Option<Vec<TyId>>,
        is_extern: bool,
    ) -> Parse<()> {
        self.expect(TokenKind::Semicolon)?;
        let tokens = self.range_from(start);
        let origin = self.origin_at(at);
        self.module.instantiations.push(ExplicitInstantiation {
            name,
            parameters,
            is_extern,
            origin,
            tokens,
        });
        Ok(())
    }

    /// Puts a variable, field, enumerator or library name into a scope.
    pub(super) fn declare_value(&mut self, parent: Parent, name: Symbol, decl: Decl) {
        if name == self.words.empty {
            return;
        }
        self.declare_name(name);
        self.each_scope(parent, name, |entry| entry.value = Some(decl));
    }

    /// Puts a type or namespace into a scope.
    pub(super) fn declare_scope(&mut self, parent: Parent, name: Symbol, decl: Decl) {
        if name == self.words.empty {
            return;
        }
        self.declare_name(name);
        self.each_scope(parent, name, |entry| entry.scope = Some(decl));
    }

    /// Puts a function into a scope.
    pub(super) fn declare_overload(&mut self, parent: Parent, name: Symbol, id: FunctionId) {
        self.declare_name(name);
        let template = self.module.functions[id].template_parameters.is_some();
        self.each_scope(parent, name, |entry| {
            if !entry.functions.contains(&id) {
                entry.functions.push(id);
            }
            entry.template |= template;
        });
    }

    /// Changes the entry of a name in a scope, and in those that see through to it.
    fn each_scope(&mut self, parent: Parent, name: Symbol, mut change: impl FnMut(&mut Entry)) {
        match parent {
            Parent::Namespace(id) => {
                let mut next = Some(id);
                while let Some(id) = next {
                    let entry = self.scopes.namespace_entry(id, name);
                    change(self.scopes.entry_mut(entry));
                    let namespace = &self.module.namespaces[id];
                    next = if namespace.transparent { namespace.parent } else { None };
                }
            }
            Parent::Record(id) => {
                let entry = self.scopes.record_entry(id, name);
                change(self.scopes.entry_mut(entry));
            }
            Parent::Function(_) => {
                let mut entry = Entry::default();
                change(&mut entry);
                let entry = self.scopes.new_entry(entry);
                self.scopes.bind(name, Binding::Entry(entry));
            }
        }
    }
}
