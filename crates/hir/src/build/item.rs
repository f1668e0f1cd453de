//! Items of namespace scope: namespaces, using, linkage, and what an unknown macro leaves.

use port_syntax::{Keyword, Symbol, TokenKind};

use super::cursor::END;
use super::lookup::{Class, Place};
use super::scope::{Binding, Decl, Entry, Used};
use super::specifiers::Site;
use super::{Builder, Parse};
use crate::*;

/// What a `using` or namespace alias was, for a block.
pub(super) enum UsingKind {
    Alias(AliasId),
    Names(NameRef),
}

impl Builder<'_> {
    pub(super) fn translation_unit(&mut self) {
        self.items();
    }

    /// Items up to the end that is in reach.
    fn items(&mut self) {
        while !self.at_end() {
            let at = self.position;
            self.item();
            if self.position == at {
                self.bump();
            }
        }
    }

    fn item(&mut self) {
        let start = self.position;
        let result = match self.kind() {
            TokenKind::Semicolon | TokenKind::RightBrace => {
                self.bump();
                Ok(())
            }
            TokenKind::Identifier => self.keyword_item(start),
            _ => self.declaration(Site::Namespace, start).map(|_| ()),
        };
        if let Err(failure) = result {
            self.item_failure(start, failure);
        }
    }

    fn keyword_item(&mut self, start: usize) -> Parse<()> {
        match self.keyword() {
            Some(Keyword::Namespace) => self.namespace(),
            Some(Keyword::Inline) if self.keyword_at(start + 1) == Some(Keyword::Namespace) => {
                self.namespace()
            }
            Some(Keyword::Using) => self.using(Site::Namespace).map(|_| ()),
            Some(Keyword::StaticAssert) => self.static_assert_item(),
            Some(Keyword::Asm | Keyword::GnuAsm | Keyword::GnuAsmShort) => {
                let stmt = self.asm_statement()?;
                self.add_other(stmt);
                Ok(())
            }
            Some(Keyword::Template) if self.at_template_header() => {
                self.template_declaration(Site::Namespace)
            }
            Some(Keyword::Template) => self.explicit_instantiation(),
            Some(Keyword::Extern) => match self.kind_at(start + 1) {
                TokenKind::String => self.linkage(),
                _ if self.keyword_at(start + 1) == Some(Keyword::Template) => {
                    self.explicit_instantiation()
                }
                _ => self.declaration(Site::Namespace, start).map(|_| ()),
            },
            None if self.is_macro_item(start, None) => {
                self.skip_macro_item();
                Ok(())
            }
            _ => self.declaration(Site::Namespace, start).map(|_| ()),
        }
    }

    pub(super) fn static_assert_item(&mut self) -> Parse<()> {
        let stmt = self.static_assert()?;
        self.add_other(stmt);
        Ok(())
    }

    fn add_other(&mut self, stmt: StmtId) {
        let parent = match self.scopes.innermost_record() {
            Some(record) => Parent::Record(record),
            None => Parent::Namespace(self.context.namespace),
        };
        self.module.others.push(OtherItem { stmt, parent });
    }

    /// `namespace a::b { … }`, `namespace { … }`, `inline namespace v1 { … }`, `namespace a = b;`
    fn namespace(&mut self) -> Parse<()> {
        let inline = self.eat_keyword(Keyword::Inline);
        self.bump();
        self.skip_attributes()?;
        if self.is_name_at(self.position) && self.kind_at(self.position + 1) == TokenKind::Equal {
            return self.namespace_alias(Site::Namespace).map(|_| ());
        }
        let outer = self.context;
        if self.at(TokenKind::LeftBrace) {
            let name = self.words.empty;
            self.context.namespace = self.sub_namespace(name, true, None);
        }
        while self.is_name_at(self.position) || self.at_keyword(Keyword::Inline) {
            let inline = self.eat_keyword(Keyword::Inline) || inline;
            let (name, at) = self.expect_name()?;
            self.skip_attributes()?;
            self.context.namespace = self.sub_namespace(name, inline, Some(at));
            // `namespace EXPORT a {` of a macro that is not in view reads as `a` inside `EXPORT`.
            if !self.eat(TokenKind::ColonColon) && !self.is_name_at(self.position) {
                break;
            }
        }
        let open = self.position;
        if !self.eat(TokenKind::LeftBrace) {
            self.context = outer;
            return self.expected("{");
        }
        let close = self.closer(open).unwrap_or(self.end);
        let end = std::mem::replace(&mut self.end, close);
        let result = self.nested(|this| {
            this.items();
            Ok(())
        });
        if result.is_err() {
            self.position = self.end;
        }
        self.end = end;
        self.context = outer;
        result?;
        self.eat(TokenKind::RightBrace);
        Ok(())
    }

    fn sub_namespace(&mut self, name: Symbol, transparent: bool, at: Option<usize>) -> NamespaceId {
        let outer = self.context.namespace;
        let known = self.scopes.namespace(outer).entries.get(&name).copied();
        let known = known.and_then(|entry| match self.scopes.entry(entry).scope {
            Some(Decl::Namespace(id)) => Some(id),
            _ => None,
        });
        let id = known.unwrap_or_else(|| {
            let id =
                self.module.namespaces.add(Namespace { name, parent: Some(outer), transparent });
            self.scopes.namespace_mut(id);
            // An anonymous namespace is found again under its empty name.
            let entry = self.scopes.namespace_entry(outer, name);
            self.scopes.entry_mut(entry).scope = Some(Decl::Namespace(id));
            id
        });
        if let Some(at) = at {
            self.declare_name(name);
            self.mean(at, Meaning::User(Entity::Namespace(id)));
        }
        id
    }

    /// `namespace a = b::c;` after `namespace`.
    pub(super) fn namespace_alias(&mut self, site: Site) -> Parse<NameRef> {
        let (name, at) = self.expect_name()?;
        self.expect(TokenKind::Equal)?;
        let target = self.name()?.name;
        let decl = self.namespace_decl(&target);
        let meaning = match decl {
            Decl::Namespace(id) => Meaning::User(Entity::Namespace(id)),
            _ => Meaning::User(Entity::LibraryAlias),
        };
        self.mean(at, meaning);
        self.declare_scope(self.parent_of(site), name, decl);
        self.expect(TokenKind::Semicolon)?;
        Ok(target)
    }

    /// The namespace that a name names: the user's, or a library's by its path.
    fn namespace_decl(&self, name: &NameRef) -> Decl {
        match &name.resolution {
            Res::Namespace(id) => Decl::Namespace(*id),
            Res::Api(path) | Res::Library(path) => Decl::External(*path),
            _ => Decl::External(Symbol::new(name.path().trim_start_matches("::"))),
        }
    }

    /// `using namespace a;`, `using a::b;`, `using T = U;`, `using enum E;`
    pub(super) fn using(&mut self, site: Site) -> Parse<UsingKind> {
        self.bump();
        if self.eat_keyword(Keyword::Namespace) {
            let mut name = self.name()?.name;
            let decl = self.namespace_decl(&name);
            let used = match decl {
                Decl::Namespace(id) => Used::Namespace(id),
                Decl::External(path) => {
                    if matches!(name.resolution, Res::Unresolved) {
                        name.resolution = Res::Library(path);
                    }
                    Used::External(path)
                }
                _ => return self.expected("namespace"),
            };
            self.use_namespace(used, site);
            self.expect(TokenKind::Semicolon)?;
            return Ok(UsingKind::Names(name));
        }
        if self.is_name_at(self.position) {
            let after = self.position + 1;
            let attributes = self.kind_at(after) == TokenKind::LeftBracket
                || self.keyword_at(after) == Some(Keyword::GnuAttribute);
            if self.kind_at(after) == TokenKind::Equal || attributes {
                return self.alias(site).map(UsingKind::Alias);
            }
        }
        let is_enum = self.eat_keyword(Keyword::Enum);
        let mut first = None;
        loop {
            self.eat_keyword(Keyword::Typename);
            let name = self.name()?.name;
            if is_enum {
                self.use_enum(&name, site);
            } else {
                self.use_name(&name, site);
            }
            self.eat(TokenKind::Ellipsis);
            first.get_or_insert(name);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        self.expect(TokenKind::Semicolon)?;
        match first {
            Some(name) => Ok(UsingKind::Names(name)),
            None => self.expected("name"),
        }
    }

    fn use_namespace(&mut self, used: Used, site: Site) {
        if site == Site::Block {
            self.scopes.open_use(used);
            return;
        }
        let mut next = Some(self.context.namespace);
        while let Some(id) = next {
            let names = self.scopes.namespace_mut(id);
            match used {
                Used::Namespace(used) if used != id && !names.used.contains(&used) => {
                    names.used.push(used);
                }
                Used::External(path) if !names.used_external.contains(&path) => {
                    names.used_external.push(path);
                }
                _ => {}
            }
            let namespace = &self.module.namespaces[id];
            next = if namespace.transparent { namespace.parent } else { None };
        }
    }

    fn use_enum(&mut self, name: &NameRef, site: Site) {
        if let Res::Enum(id) = name.resolution {
            let parent = self.parent_of(site);
            let names: Vec<Symbol> =
                self.module.enums[id].constants.iter().map(|constant| constant.name).collect();
            for (index, name) in names.into_iter().enumerate() {
                self.declare_value(parent, name, Decl::EnumConstant(id, index as u32));
            }
        }
    }

    /// Makes the name of a using declaration stand for what it names.
    fn use_name(&mut self, name: &NameRef, site: Site) {
        let Some(last) = name.last() else { return };
        let symbol = last.name;
        let parent = self.parent_of(site);
        match &name.resolution {
            // `using Base::Base;` inherits constructors; lowering looks into the bases.
            Res::Functions(functions) | Res::Methods { functions, .. } => {
                if let Parent::Function(_) = parent {
                    let template = functions
                        .iter()
                        .any(|id| self.module.functions[*id].template_parameters.is_some());
                    let functions = functions.clone();
                    let entry = Entry { functions, template, ..Entry::default() };
                    let entry = self.scopes.new_entry(entry);
                    self.scopes.bind(symbol, Binding::Entry(entry));
                } else {
                    for id in functions {
                        self.declare_overload(parent, symbol, *id);
                    }
                }
            }
            Res::Variable(id) => self.declare_value(parent, symbol, Decl::Variable(*id)),
            Res::EnumConstant { enumeration, index } => {
                self.declare_value(parent, symbol, Decl::EnumConstant(*enumeration, *index));
            }
            Res::Field { record, index } => {
                self.declare_value(parent, symbol, Decl::Field(*record, *index));
            }
            Res::Record(id) => self.declare_scope(parent, symbol, Decl::Record(*id)),
            Res::Enum(id) => self.declare_scope(parent, symbol, Decl::Enum(*id)),
            Res::Alias(id) => self.declare_scope(parent, symbol, Decl::Alias(*id)),
            Res::Namespace(id) => self.declare_scope(parent, symbol, Decl::Namespace(*id)),
            Res::Api(path) | Res::Library(path) => self.use_library(parent, symbol, *path),
            // A member of a dependent base: nothing is known of it.
            _ => {}
        }
    }

    /// A library's name under its own unqualified name. The user did not declare it: a rename still
    /// has to change it.
    fn use_library(&mut self, parent: Parent, name: Symbol, path: Symbol) {
        let decl = Decl::External(path);
        match parent {
            Parent::Namespace(id) => {
                let entry = self.scopes.namespace_entry(id, name);
                let entry = self.scopes.entry_mut(entry);
                // The user's overloads of the name stay.
                if entry.functions.is_empty() {
                    entry.value = Some(decl);
                }
            }
            Parent::Record(id) => {
                let entry = self.scopes.record_entry(id, name);
                self.scopes.entry_mut(entry).value = Some(decl);
            }
            Parent::Function(_) => {
                let entry = self.scopes.new_entry(Entry { value: Some(decl), ..Entry::default() });
                self.scopes.bind(name, Binding::Entry(entry));
            }
        }
    }

    /// `using X = T;` after `using`.
    fn alias(&mut self, site: Site) -> Parse<AliasId> {
        let header = self.header.take().unwrap_or_default();
        let (name, at) = self.expect_name()?;
        self.skip_attributes()?;
        self.expect(TokenKind::Equal)?;
        let ty = self.alias_target(site)?;
        let id = self.add_alias(name, at, ty, header.lists.into_iter().next_back(), site);
        self.expect(TokenKind::Semicolon)?;
        Ok(id)
    }

    /// The type of an alias may define a record: `using T = struct { … };`
    fn alias_target(&mut self, site: Site) -> Parse<TyId> {
        if matches!(self.keyword(), Some(Keyword::Struct | Keyword::Union | Keyword::Enum)) {
            let specifiers = self.specifiers(site)?;
            let Some(ty) = specifiers.ty else { return self.expected("type") };
            return self.abstract_declarator(ty);
        }
        self.type_id()
    }

    pub(super) fn add_alias(
        &mut self,
        name: Symbol,
        at: usize,
        ty: TyId,
        template_parameters: Option<TemplateParameterList>,
        site: Site,
    ) -> AliasId {
        let parent = self.parent_of(site);
        let id = self.module.aliases.add(Alias {
            name,
            parent,
            template_parameters,
            template_depth: self.context.template_depth,
            ty,
            origin: self.origin_at(at),
        });
        self.mean(at, Meaning::User(Entity::Alias(id)));
        if let Parent::Record(record) = parent {
            self.module.records[record].types.push(NestedType::Alias(id));
        }
        // `typedef struct S { … } S;` adds nothing to S.
        let same = self.record_of_type(ty, 0).is_some_and(|(record, _)| {
            self.module.records[record].name == name && self.module.records[record].parent == parent
        });
        if !same {
            self.declare_scope(parent, name, Decl::Alias(id));
        }
        id
    }

    /// `extern "C" { … }`, `extern "C" void f();`
    fn linkage(&mut self) -> Parse<()> {
        let start = self.position;
        let is_c = self.tokens[start + 1].text == "\"C\"";
        let outer = self.context.c_linkage;
        self.context.c_linkage = is_c;
        let result = if self.kind_at(start + 2) == TokenKind::LeftBrace {
            self.position = start + 2;
            let close = self.closer(self.position).unwrap_or(self.end);
            self.bump();
            let end = std::mem::replace(&mut self.end, close);
            let result = self.nested(|this| {
                this.items();
                Ok(())
            });
            self.position = self.end;
            self.end = end;
            self.eat(TokenKind::RightBrace);
            result
        } else {
            self.position = start + 2;
            self.declaration(Site::Namespace, start).map(|declared| {
                for function in declared.functions {
                    self.module.functions[function].qualifiers.is_extern = true;
                }
            })
        };
        self.context.c_linkage = outer;
        result
    }

    /// Whether an unknown macro stands here as an item of its own: `INSTANTIATE(float)`,
    /// `TEST(a, b) { … }`, `DISABLE_COPY`.
    pub(super) fn is_macro_item(&mut self, at: usize, record: Option<RecordId>) -> bool {
        let Some(name) = self.name_at(at) else { return false };
        if record.is_some_and(|record| self.module.records[record].name == name) {
            return false;
        }
        let call = self.kind_at(at + 1) == TokenKind::LeftParen;
        if !call && !matches!(self.kind_at(at + 1), TokenKind::Identifier | END | TokenKind::Tilde)
        {
            return false;
        }
        let found = self.look(Place::Open, name);
        if !matches!(self.class_of(found, false), Class::Unknown | Class::Value) {
            return false;
        }
        let after = self.past_group(at + 1);
        if !call {
            // One word on its own line, in capitals.
            return self.is_upper_case(at)
                && (after >= self.end || self.tokens[after].line_start)
                && !self.is_name_at(after);
        }
        match self.kind_at(after) {
            TokenKind::Semicolon | TokenKind::LeftBrace | END => true,
            TokenKind::Arrow | TokenKind::Colon | TokenKind::Equal => false,
            _ => self.tokens[after].line_start,
        }
    }

    /// Reads what it can of an unknown macro's arguments and of the block after it.
    pub(super) fn skip_macro_item(&mut self) {
        let stmt = self.macro_statement();
        self.eat(TokenKind::Semicolon);
        self.add_other(stmt);
    }
}
