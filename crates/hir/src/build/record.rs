//! Records and enumerations.

use port_syntax::{Keyword, Symbol, TokenKind};

use super::cursor::END;
use super::lookup::Place;
use super::scope::{Binding, Decl, Entry};
use super::specifiers::{Site, Specifiers};
use super::template::Header;
use super::{Builder, Parse};
use crate::*;

/// The name of a record where it is declared.
struct RecordName {
    segment: Segment,
    at: usize,
    /// The scope that a qualified name says.
    place: Option<Place>,
}

impl Builder<'_> {
    /// `struct S`, `struct S { … }`, `struct { … }`: the type, and the record if it is defined here.
    pub(super) fn record_specifier(&mut self, site: Site) -> Parse<(TyId, Option<RecordId>)> {
        let start = self.position;
        let kind = match self.keyword() {
            Some(Keyword::Class) => RecordKind::Class,
            Some(Keyword::Union) => RecordKind::Union,
            _ => RecordKind::Struct,
        };
        self.bump();
        let mut attributes = self.no_specifiers(start);
        self.attributes(&mut attributes)?;
        // `class EXPORT Name {`: a macro that is not in view.
        while self.is_name_at(self.position)
            && self.is_name_at(self.position + 1)
            && !self.ends_record_name(self.position + 1)
            && self.defines_record_after(self.position + 1)
        {
            self.mean(self.position, Meaning::Unresolved);
            self.bump();
            self.attributes(&mut attributes)?;
        }
        let name = if self.is_name_at(self.position) || self.at(TokenKind::ColonColon) {
            self.record_name()?
        } else {
            None
        };
        if self.keyword() == Some(Keyword::Final) {
            self.bump();
        }
        self.attributes(&mut attributes)?;
        if matches!(self.kind(), TokenKind::LeftBrace | TokenKind::Colon)
            && site != Site::Parameter
            && (self.at(TokenKind::LeftBrace) || site != Site::TypeOnly)
        {
            let id = self.define_record(kind, name.as_ref(), attributes, site, start)?;
            return Ok((self.record_type(id, name, start), Some(id)));
        }
        let Some(name) = name else { return self.expected("{") };
        // `struct S;` declares S in this scope, whatever is outside; so does a template header.
        let declares = self.at(TokenKind::Semicolon)
            && name.place.is_none()
            && matches!(site, Site::Namespace | Site::Member(_) | Site::Block);
        if declares {
            let id = self.declare_record(kind, Some(&name), site, start, false);
            self.mean(name.at, Meaning::User(Entity::Record(id)));
            return Ok((self.record_type(id, Some(name), start), None));
        }
        let place = name.place.unwrap_or(Place::Open);
        let found = self.look(place, name.segment.name);
        let (mut resolution, meaning) = self.resolve(found, name.place.is_some());
        if matches!(resolution, Res::Unresolved) && name.place.is_none() {
            // `struct S *p;` declares S in the namespace around.
            let site = Site::Namespace;
            let id = self.declare_record(kind, Some(&name), site, start, false);
            self.mean(name.at, Meaning::User(Entity::Record(id)));
            resolution = Res::Record(id);
        } else {
            self.mean(name.at, meaning);
        }
        let name =
            NameRef { global: false, typename: false, segments: vec![name.segment], resolution };
        Ok((self.add_type(TyKind::Named(name), start), None))
    }

    fn ends_record_name(&self, at: usize) -> bool {
        self.keyword_at(at) == Some(Keyword::Final)
            && matches!(self.kind_at(at + 1), TokenKind::LeftBrace | TokenKind::Colon)
    }

    /// Whether the name at `at` is followed by a body or a base list.
    fn defines_record_after(&self, at: usize) -> bool {
        let mut after = at + 1;
        if self.kind_at(after) == TokenKind::Less {
            match self.past_arguments(after) {
                Some(end) => after = end,
                None => return false,
            }
        }
        matches!(self.kind_at(after), TokenKind::LeftBrace | TokenKind::Colon)
            || self.ends_record_name(after)
            || self.is_name_at(after)
    }

    fn record_type(&mut self, id: RecordId, name: Option<RecordName>, start: usize) -> TyId {
        let segment = match name {
            // The arguments of a specialisation are the record's own.
            Some(name) => Segment { arguments: None, ..name.segment },
            None => {
                Segment { name: self.words.empty, arguments: None, origin: self.origin_at(start) }
            }
        };
        let name = NameRef {
            global: false,
            typename: false,
            segments: vec![segment],
            resolution: Res::Record(id),
        };
        // The type's tokens are the keyword and the name, not the body.
        let end = (start + 2).min(self.position);
        let position = std::mem::replace(&mut self.position, end);
        let ty = self.add_type(TyKind::Named(name), start);
        self.position = position;
        ty
    }

    /// `S`, `S<int>`, `a::S`
    fn record_name(&mut self) -> Parse<Option<RecordName>> {
        let mut place = self.at(TokenKind::ColonColon).then(|| {
            self.bump();
            Place::Namespace(self.module.global())
        });
        loop {
            let (name, at) = self.expect_name()?;
            let arguments =
                if self.at(TokenKind::Less) { Some(self.template_arguments()?) } else { None };
            let has_arguments = arguments.is_some();
            let segment = Segment { name, arguments, origin: self.origin_at(at) };
            if self.at(TokenKind::ColonColon) && self.is_name_at(self.position + 1) {
                let found = self.look(place.unwrap_or(Place::Open), name);
                let (_, meaning) = self.resolve(found, place.is_some());
                self.mean(at, meaning);
                place = Some(self.place_of(found, name, has_arguments));
                self.bump();
                continue;
            }
            return Ok(Some(RecordName { segment, at, place }));
        }
    }

    /// The scope in which a declaration at this site stands.
    pub(super) fn parent_of(&self, site: Site) -> Parent {
        match (site, self.context.function) {
            (Site::Member(record), _) => Parent::Record(record),
            (Site::Block, Some(function)) => Parent::Function(function),
            _ => Parent::Namespace(self.context.namespace),
        }
    }

    /// The record of this name: the one that was declared before, or a new one. Takes the template
    /// header.
    fn declare_record(
        &mut self,
        kind: RecordKind,
        name: Option<&RecordName>,
        site: Site,
        start: usize,
        defines: bool,
    ) -> RecordId {
        let header = self.header.take().unwrap_or_default();
        let parent = match name.and_then(|name| name.place) {
            Some(Place::Record { record, .. }) => Parent::Record(record),
            Some(Place::Namespace(id)) => Parent::Namespace(id),
            _ => self.parent_of(site),
        };
        let symbol = name.map_or(self.words.empty, |name| name.segment.name);
        let arguments = name.and_then(|name| name.segment.arguments.clone());
        let known = self.declared_record(parent, symbol);
        let mut primary = None;
        match (&arguments, known) {
            (None, Some(known)) => {
                let record = &self.module.records[known];
                if record.specialisation.is_none() && !(defines && record.defined) {
                    return self.redeclare_record(known, header, defines);
                }
            }
            (Some(arguments), Some(known)) => {
                let specialisations = self.module.records[known].specialisations.clone();
                for id in specialisations {
                    let same = self.module.records[id]
                        .specialisation
                        .as_ref()
                        .is_some_and(|other| self.same_arguments(&other.arguments, arguments));
                    if same && !(defines && self.module.records[id].defined) {
                        return self.redeclare_record(id, header, defines);
                    }
                }
                primary = Some(known);
            }
            _ => {}
        }
        let origin = match name {
            Some(name) => name.segment.origin,
            None => self.origin_at(start),
        };
        let tokens = self.range_from(start);
        let id = self.module.records.add(Record {
            name: symbol,
            kind,
            parent,
            template_depth: self.context.template_depth,
            template_parameters: header.lists.into_iter().next_back(),
            specialisation: arguments
                .map(|arguments| Specialisation { arguments, record_arguments: Vec::new() }),
            primary,
            specialisations: Vec::new(),
            bases: Vec::new(),
            fields: Vec::new(),
            methods: Vec::new(),
            variables: Vec::new(),
            types: Vec::new(),
            alignments: Vec::new(),
            packed: false,
            defined: false,
            origin,
            tokens,
            poison: None,
        });
        self.scopes.record_mut(id);
        match primary {
            Some(primary) => self.module.records[primary].specialisations.push(id),
            None => self.declare_scope(parent, symbol, Decl::Record(id)),
        }
        id
    }

    /// A record declared in exactly this scope.
    fn declared_record(&self, parent: Parent, name: Symbol) -> Option<RecordId> {
        let entry = match parent {
            Parent::Namespace(id) => *self.scopes.namespace(id).entries.get(&name)?,
            Parent::Record(id) => *self.scopes.record(id).names.get(&name)?,
            Parent::Function(_) => return None,
        };
        match self.scopes.entry(entry).scope {
            Some(Decl::Record(id)) => Some(id),
            _ => None,
        }
    }

    /// Joins a redeclaration: the names of the definition's template parameters count, defaults of
    /// either.
    fn redeclare_record(&mut self, id: RecordId, header: Header, defines: bool) -> RecordId {
        if let Some(mut list) = header.lists.into_iter().next_back() {
            let record = &mut self.module.records[id];
            match &mut record.template_parameters {
                Some(known) if defines => {
                    inherit_defaults(&mut list, known);
                    *known = list;
                }
                Some(known) => inherit_defaults(known, &list),
                None => record.template_parameters = Some(list),
            }
        }
        id
    }

    fn define_record(
        &mut self,
        kind: RecordKind,
        name: Option<&RecordName>,
        attributes: Specifiers,
        site: Site,
        start: usize,
    ) -> Parse<RecordId> {
        let id = self.declare_record(kind, name, site, start, true);
        if let Some(name) = name {
            self.mean(name.at, Meaning::User(Entity::Record(id)));
            self.module.records[id].origin = name.segment.origin;
        }
        let record = &mut self.module.records[id];
        record.kind = kind;
        record.defined = true;
        record.packed = attributes.packed;
        record.alignments = attributes.storage.alignments;
        let symbol = record.name;
        if symbol != self.words.empty {
            let entry = self.scopes.record_entry(id, symbol);
            let entry = self.scopes.entry_mut(entry);
            entry.scope = Some(Decl::Record(id));
            entry.record = None;
        }
        let header = self.header.take();
        let poison = self.poison.take();
        let abbreviation = self.abbreviation.take();
        let context = self.context;
        let mark = self.scopes.mark();
        self.context.function = None;
        self.open_records += 1;
        let result = self.nested(|this| {
            if this.eat(TokenKind::Colon) {
                this.bases(id)?;
            }
            this.scopes.open_record(id);
            this.record_body(id)
        });
        self.open_records -= 1;
        let tokens = self.range_from(start);
        let record = &mut self.module.records[id];
        record.tokens = tokens;
        record.poison = self.poison.take();
        if self.open_records == 0 {
            self.deferred_bodies();
        }
        self.scopes.restore(mark);
        self.context = context;
        self.header = header;
        self.poison = poison;
        self.abbreviation = abbreviation;
        result?;
        let mut trailing = self.no_specifiers(start);
        self.attributes(&mut trailing)?;
        let record = &mut self.module.records[id];
        record.packed |= trailing.packed;
        record.alignments.append(&mut trailing.storage.alignments);
        match self.module.records[id].parent {
            Parent::Record(outer) => {
                self.module.records[outer].types.push(NestedType::Record(id));
            }
            Parent::Namespace(_) | Parent::Function(_) => {}
        }
        Ok(id)
    }

    /// `public A<T>, virtual B`
    fn bases(&mut self, id: RecordId) -> Parse<()> {
        loop {
            let mut is_virtual = false;
            loop {
                match self.keyword() {
                    Some(Keyword::Public | Keyword::Protected | Keyword::Private) => {}
                    Some(Keyword::Virtual) => is_virtual = true,
                    _ => break,
                }
                self.bump();
            }
            let ty = self.type_specifiers_only()?;
            let pack = self.eat(TokenKind::Ellipsis);
            self.module.records[id].bases.push(Base { ty, is_virtual, pack });
            // Unqualified names are looked up in a base unless it depends on a parameter.
            match self.record_of_type(ty, 0) {
                Some((base, exact)) if exact || self.context.template_depth == 0 => {
                    if base != id {
                        self.scopes.record_mut(id).bases.push(base);
                    }
                }
                _ => self.scopes.record_mut(id).unknown_bases = true,
            }
            if !self.eat(TokenKind::Comma) {
                return Ok(());
            }
        }
    }

    fn record_body(&mut self, id: RecordId) -> Parse<()> {
        let open = self.position;
        if !self.at(TokenKind::LeftBrace) {
            return self.expected("{");
        }
        let close = self.closer(open).unwrap_or(self.end);
        self.bump();
        let in_angles = std::mem::replace(&mut self.in_angles, false);
        let end = std::mem::replace(&mut self.end, close);
        while !self.at_end() {
            let at = self.position;
            self.member_item(id);
            if self.position == at {
                self.bump();
            }
        }
        self.end = end;
        self.in_angles = in_angles;
        self.expect(TokenKind::RightBrace)
    }

    /// One item of a class body. What can't be read is skipped and poisons the record.
    fn member_item(&mut self, id: RecordId) {
        let start = self.position;
        match self.kind() {
            TokenKind::Semicolon => {
                self.bump();
                return;
            }
            TokenKind::Identifier => {
                if let Some(Keyword::Public | Keyword::Private | Keyword::Protected) =
                    self.keyword()
                {
                    self.bump();
                    // `public slots:` and the like
                    while !matches!(self.kind(), TokenKind::Colon | END)
                        && self.position < start + 3
                    {
                        self.bump();
                    }
                    self.eat(TokenKind::Colon);
                    return;
                }
            }
            _ => {}
        }
        let site = Site::Member(id);
        let result = match self.keyword() {
            Some(Keyword::Using) => self.using(site).map(|_| ()),
            Some(Keyword::StaticAssert) => self.static_assert_item(),
            Some(Keyword::Template) if self.at_template_header() => self.template_declaration(site),
            None if self.is_macro_item(start, Some(id)) => {
                self.skip_macro_item();
                Ok(())
            }
            _ => self.declaration(site, start).map(|_| ()),
        };
        if let Err(failure) = result {
            self.item_failure(start, failure);
        }
    }

    /// A data member.
    pub(super) fn add_field(&mut self, id: RecordId, at: Option<usize>, field: Field) {
        let name = field.name;
        let record = &mut self.module.records[id];
        let index = record.fields.len() as u32;
        let ty = field.ty;
        record.fields.push(field);
        if name != self.words.empty {
            if let Some(at) = at {
                self.mean(at, Meaning::User(Entity::Field(id, index)));
            }
            self.declare_value(Parent::Record(id), name, Decl::Field(id, index));
            return;
        }
        // Members of an anonymous union are names of the record around it.
        if let Some((inner, _)) = self.record_of_type(ty, 0)
            && self.module.records[inner].name == self.words.empty
        {
            let names: Vec<(Symbol, Decl)> = self
                .scopes
                .record(inner)
                .names
                .iter()
                .filter_map(|(name, entry)| {
                    let value = self.scopes.entry(*entry).value?;
                    matches!(value, Decl::Field(..)).then_some((*name, value))
                })
                .collect();
            for (name, decl) in names {
                self.declare_value(Parent::Record(id), name, decl);
            }
        }
    }

    /// Opens the scopes of a record and of the records around it. `parameters`: their template
    /// parameters too, for a body that waited; an out-of-class definition has its own.
    pub(super) fn enter_record_chain(&mut self, record: RecordId, parameters: bool) {
        let mut chain = vec![record];
        let mut parent = self.module.records[record].parent;
        while let Parent::Record(outer) = parent
            && chain.len() < 64
        {
            chain.push(outer);
            parent = self.module.records[outer].parent;
        }
        if let Parent::Namespace(namespace) = parent {
            self.context.namespace = namespace;
        }
        for id in chain.into_iter().rev() {
            if parameters && let Some(list) = self.module.records[id].template_parameters.clone() {
                self.bind_template_parameters(&list);
            }
            self.scopes.open_record(id);
        }
    }

    /// `enum E : int { A, B = 2 }`
    pub(super) fn enum_specifier(&mut self, site: Site) -> Parse<(TyId, Option<EnumId>)> {
        let start = self.bump();
        let scoped = self.eat_keyword(Keyword::Class) || self.eat_keyword(Keyword::Struct);
        self.skip_attributes()?;
        let name = if self.is_name_at(self.position) { self.record_name()? } else { None };
        let underlying = if self.at(TokenKind::Colon)
            && (self.is_name_at(self.position + 1) || self.keyword_at(self.position + 1).is_some())
        {
            self.bump();
            Some(self.type_specifiers_only()?)
        } else {
            None
        };
        let parent = match name.as_ref().and_then(|name| name.place) {
            Some(Place::Record { record, .. }) => Parent::Record(record),
            Some(Place::Namespace(id)) => Parent::Namespace(id),
            _ => self.parent_of(site),
        };
        let declares = self.at(TokenKind::LeftBrace)
            || (self.at(TokenKind::Semicolon) && (scoped || underlying.is_some()));
        let symbol = name.as_ref().map_or(self.words.empty, |name| name.segment.name);
        let known = match &name {
            Some(name) => {
                let found = self.look(name.place.unwrap_or(Place::Open), symbol);
                Some((self.resolve(found, false), name.at))
            }
            None => None,
        };
        if !declares {
            let Some(((resolution, meaning), at)) = known else { return self.expected("{") };
            self.mean(at, meaning);
            let segment = Segment { name: symbol, arguments: None, origin: self.origin_at(at) };
            let name =
                NameRef { global: false, typename: false, segments: vec![segment], resolution };
            return Ok((self.add_type(TyKind::Named(name), start), None));
        }
        // A definition completes an opaque declaration of the same scope.
        let opaque = match known {
            Some(((Res::Enum(id), _), _))
                if self.module.enums[id].parent == parent
                    && self.module.enums[id].constants.is_empty() =>
            {
                Some(id)
            }
            _ => None,
        };
        let origin = self.origin_at(name.as_ref().map_or(start, |name| name.at));
        let id = opaque.unwrap_or_else(|| {
            self.module.enums.add(Enum {
                name: symbol,
                parent,
                scoped,
                underlying,
                constants: Vec::new(),
                origin,
            })
        });
        self.module.enums[id].underlying = underlying;
        self.module.enums[id].origin = origin;
        if let Some(name) = &name {
            self.mean(name.at, Meaning::User(Entity::Enum(id)));
        }
        if opaque.is_none() {
            self.declare_scope(parent, symbol, Decl::Enum(id));
            if let Parent::Record(record) = parent {
                self.module.records[record].types.push(NestedType::Enum(id));
            }
        }
        let defined = self.at(TokenKind::LeftBrace);
        if defined {
            let mark = self.scopes.mark();
            let result = self.inside(TokenKind::LeftBrace, TokenKind::RightBrace, |this| {
                this.enumerators(id, parent, scoped)
            });
            if scoped {
                self.scopes.restore(mark);
            }
            result?;
        }
        let segment = Segment { name: symbol, arguments: None, origin };
        let resolution = Res::Enum(id);
        let name = NameRef { global: false, typename: false, segments: vec![segment], resolution };
        let ty = self.add_type(TyKind::Named(name), start);
        Ok((ty, defined.then_some(id)))
    }

    fn enumerators(&mut self, id: EnumId, parent: Parent, scoped: bool) -> Parse<()> {
        while !matches!(self.kind(), TokenKind::RightBrace | END) {
            let (name, at) = self.expect_name()?;
            self.skip_attributes()?;
            let value =
                if self.eat(TokenKind::Equal) { Some(self.constant_expression()?) } else { None };
            let index = self.module.enums[id].constants.len() as u32;
            let origin = self.origin_at(at);
            self.module.enums[id].constants.push(EnumConstant { name, value, origin });
            self.mean(at, Meaning::User(Entity::EnumConstant(id, index)));
            self.declare_name(name);
            let decl = Decl::EnumConstant(id, index);
            if scoped {
                // Later enumerators may use it.
                let entry = Entry { value: Some(decl), ..Entry::default() };
                let entry = self.scopes.new_entry(entry);
                self.scopes.bind(name, Binding::Entry(entry));
            } else {
                self.declare_value(parent, name, decl);
            }
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        Ok(())
    }
}

/// Takes over the default arguments that `to` lacks.
pub(super) fn inherit_defaults(to: &mut TemplateParameterList, from: &TemplateParameterList) {
    for (to, from) in to.parameters.iter_mut().zip(&from.parameters) {
        match (&mut to.kind, &from.kind) {
            (
                TemplateParameterKind::Type { default: to },
                TemplateParameterKind::Type { default: from },
            ) => *to = to.or(*from),
            (
                TemplateParameterKind::Value { default: to, .. },
                TemplateParameterKind::Value { default: from, .. },
            ) => *to = to.or(*from),
            (
                TemplateParameterKind::Template { default: to, .. },
                TemplateParameterKind::Template { default: from, .. },
            ) => *to = to.or(*from),
            _ => {}
        }
    }
}
