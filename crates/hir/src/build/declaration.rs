//! Declarations of namespaces, records and blocks: specifiers, declarators, initialisers.

use port_syntax::{Symbol, TokenKind};

use super::declarator::{Declarator, DeclaratorName, Form};
use super::lookup::Place;
use super::scope::{Binding, Decl};
use super::specifiers::{Site, Specifiers};
use super::template::Header;
use super::{Builder, Parse};
use crate::*;

/// What a declaration declared.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// A record or enumeration that its specifiers define.
    pub defines: Option<NestedType>,
    pub locals: Vec<LocalId>,
    pub aliases: Vec<AliasId>,
    pub functions: Vec<FunctionId>,
    pub bindings: Option<(LocalId, Vec<LocalId>)>,
}

impl Builder<'_> {
    /// A declaration, up to its `;` or the `}` of a function's body.
    pub(super) fn declaration(&mut self, site: Site, start: usize) -> Parse<Declared> {
        let specifiers = self.specifiers(site)?;
        self.declaration_after(specifiers, site, start)
    }

    fn declaration_after(
        &mut self,
        specifiers: Specifiers,
        site: Site,
        start: usize,
    ) -> Parse<Declared> {
        let mut declared = Declared { defines: specifiers.defines, ..Declared::default() };
        if self.at(TokenKind::Semicolon) {
            self.bump();
            self.anonymous_member(&specifiers, site);
            return Ok(declared);
        }
        let mut first = true;
        loop {
            let mark = self.scopes.mark();
            let context = self.context;
            let result = self.init_declarator(&specifiers, site, start, first, &mut declared);
            // Names that a block declares stay bound; a qualified declarator's scope is left.
            if site != Site::Block {
                self.scopes.restore(mark);
            }
            self.context = context;
            if result? {
                return Ok(declared);
            }
            first = false;
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        if site == Site::Block && self.at(TokenKind::Colon) {
            // A range-for's variable: its reader goes on.
            return Ok(declared);
        }
        self.expect(TokenKind::Semicolon)?;
        Ok(declared)
    }

    /// `union { … };` as a member; `struct S;` and the like declare nothing more.
    fn anonymous_member(&mut self, specifiers: &Specifiers, site: Site) {
        let (Site::Member(record), Some(NestedType::Record(inner)), Some(ty)) =
            (site, specifiers.defines, specifiers.ty)
        else {
            return;
        };
        if self.module.records[inner].name != self.words.empty {
            return;
        }
        let field = Field {
            name: self.words.empty,
            ty,
            storage: specifiers.storage.clone(),
            width: None,
            initializer: None,
            origin: self.origin_at(specifiers.start),
        };
        self.add_field(record, None, field);
    }

    /// One declarator with its initialiser. `true` if a function's body ended the declaration.
    fn init_declarator(
        &mut self,
        specifiers: &Specifiers,
        site: Site,
        start: usize,
        first: bool,
        declared: &mut Declared,
    ) -> Parse<bool> {
        let base = match specifiers.ty {
            Some(ty) => ty,
            None => self.add_type(TyKind::None, self.position),
        };
        if site == Site::Block && self.binding_follows(base) {
            declared.bindings = Some(self.structured_binding(specifiers, base)?);
            return Ok(false);
        }
        // An unnamed bit-field.
        if let (Site::Member(record), TokenKind::Colon) = (site, self.kind()) {
            self.bump();
            let width = Some(self.constant_expression()?);
            let origin = self.origin_at(start);
            let storage = specifiers.storage.clone();
            let name = self.words.empty;
            let field = Field { name, ty: base, storage, width, initializer: None, origin };
            self.add_field(record, None, field);
            return Ok(false);
        }
        let at = self.position;
        let declarator = self.declarator(base, Form::Named)?;
        if specifiers.typedef {
            let Some(name) = declarator.name else { return self.expected("name") };
            declared.aliases.push(self.add_alias(name.name, name.at, declarator.ty, None, site));
            return Ok(false);
        }
        let is_function = matches!(self.module.types[declarator.ty].kind, TyKind::Function { .. })
            && declarator.function.is_some();
        if is_function {
            if first && site == Site::Block && specifiers.function.global {
                return self.expected("statement");
            }
            let (id, ended) = self.function(specifiers, declarator, site, start)?;
            declared.functions.push(id);
            return Ok(ended);
        }
        let Declarator { name: Some(name), ty, .. } = declarator else {
            return self.expected("name");
        };
        let from = if first { start } else { at };
        let late = std::mem::take(&mut self.late_alignments);
        let aligned;
        let specifiers = if late.is_empty() {
            specifiers
        } else {
            aligned = specifiers.with_alignments(late);
            &aligned
        };
        match site {
            Site::Block => {
                let id = self.local_variable(specifiers, name, ty, from)?;
                declared.locals.push(id);
            }
            Site::Member(record) if !specifiers.storage.is_static && name.qualifier.is_none() => {
                self.field(record, specifiers, name, ty)?;
            }
            _ => self.variable(specifiers, name, ty, site, from)?,
        }
        Ok(false)
    }

    /// `[a, b]` or `&[a, b]` after `auto`.
    fn binding_follows(&self, base: TyId) -> bool {
        if !matches!(self.module.types[base].kind, TyKind::Auto) {
            return false;
        }
        let at = match self.kind() {
            TokenKind::Ampersand | TokenKind::AmpersandAmpersand => self.position + 1,
            _ => self.position,
        };
        self.kind_at(at) == TokenKind::LeftBracket && self.is_binding(at)
    }

    fn structured_binding(
        &mut self,
        specifiers: &Specifiers,
        base: TyId,
    ) -> Parse<(LocalId, Vec<LocalId>)> {
        let start = self.position;
        let ty = self.pointer_operators(base)?;
        let list = self.position;
        let names = self.inside(TokenKind::LeftBracket, TokenKind::RightBracket, |this| {
            let mut names = Vec::new();
            loop {
                names.push(this.expect_name()?);
                if !this.eat(TokenKind::Comma) {
                    return Ok(names);
                }
            }
        })?;
        let initializer = self.initializer()?;
        let tokens = self.range_from(start);
        let whole = self.module.locals.add(Local {
            name: self.words.empty,
            kind: LocalKind::Variable,
            ty,
            storage: specifiers.storage.clone(),
            initializer,
            origin: self.origin_at(list),
            tokens,
        });
        let auto = self.add_type(TyKind::Auto, start);
        let mut locals = Vec::with_capacity(names.len());
        for (index, (name, at)) in names.into_iter().enumerate() {
            let kind = LocalKind::Binding(index.min(usize::from(u16::MAX)) as u16);
            let storage = Storage::default();
            locals.push(self.add_local(name, at, kind, auto, storage, at));
        }
        Ok((whole, locals))
    }

    /// A local that is visible from here on.
    pub(super) fn add_local(
        &mut self,
        name: Symbol,
        at: usize,
        kind: LocalKind,
        ty: TyId,
        storage: Storage,
        start: usize,
    ) -> LocalId {
        let tokens = self.range_from(start);
        let origin = self.origin_at(at);
        let id = self.module.locals.add(Local {
            name,
            kind,
            ty,
            storage,
            initializer: None,
            origin,
            tokens,
        });
        self.mean(at, Meaning::User(Entity::Local(id)));
        self.declare_name(name);
        self.scopes.bind(name, Binding::Local(id));
        id
    }

    fn local_variable(
        &mut self,
        specifiers: &Specifiers,
        name: DeclaratorName,
        ty: TyId,
        start: usize,
    ) -> Parse<LocalId> {
        if !matches!(name.kind, FunctionKind::Ordinary) {
            return self.expected("name");
        }
        let storage = specifiers.storage.clone();
        let id = self.add_local(name.name, name.at, LocalKind::Variable, ty, storage, start);
        let initializer = self.initializer()?;
        let tokens = self.range_from(start);
        let local = &mut self.module.locals[id];
        local.initializer = initializer;
        local.tokens = tokens;
        Ok(id)
    }

    fn field(
        &mut self,
        record: RecordId,
        specifiers: &Specifiers,
        name: DeclaratorName,
        ty: TyId,
    ) -> Parse<()> {
        let width =
            if self.eat(TokenKind::Colon) { Some(self.constant_expression()?) } else { None };
        self.skip_attributes()?;
        let initializer = self.initializer()?;
        let field = Field {
            name: name.name,
            ty,
            storage: specifiers.storage.clone(),
            width,
            initializer,
            origin: self.origin_at(name.at),
        };
        self.add_field(record, Some(name.at), field);
        Ok(())
    }

    /// A variable of namespace scope or a static data member.
    fn variable(
        &mut self,
        specifiers: &Specifiers,
        name: DeclaratorName,
        ty: TyId,
        site: Site,
        start: usize,
    ) -> Parse<()> {
        let header = self.header.take().unwrap_or_default();
        let id = self.declare_variable(specifiers, &name, ty, header, site, start);
        self.mean(name.at, Meaning::User(Entity::Variable(id)));
        let initializer = self.initializer()?;
        let tokens = self.range_from(start);
        let variable = &mut self.module.variables[id];
        if initializer.is_some() {
            variable.initializer = initializer;
        }
        variable.tokens = tokens;
        Ok(())
    }

    fn declare_variable(
        &mut self,
        specifiers: &Specifiers,
        name: &DeclaratorName,
        ty: TyId,
        header: Header,
        site: Site,
        start: usize,
    ) -> VariableId {
        let parent = match name.place {
            Place::Record { record, .. } => {
                Parent::Record(self.select_record(record, name.qualifier.as_ref()))
            }
            Place::Namespace(id) => Parent::Namespace(id),
            _ => self.parent_of(site),
        };
        let known = self.declared_variable(parent, name.name);
        let origin = self.origin_at(name.at);
        if let (Some(id), None) = (known, &name.arguments) {
            let variable = &mut self.module.variables[id];
            // The definition's type is the complete one; `extern` and qualifiers of either hold.
            if !specifiers.storage.is_extern {
                variable.ty = ty;
                variable.origin = origin;
                variable.storage.is_extern = false;
            }
            variable.storage.constant |= specifiers.storage.constant;
            variable.storage.device |= specifiers.storage.device;
            variable.storage.managed |= specifiers.storage.managed;
            variable.storage.constexpr |= specifiers.storage.constexpr;
            variable.storage.is_static |= specifiers.storage.is_static;
            return id;
        }
        let tokens = self.range_from(start);
        let outer_depth = match parent {
            Parent::Record(record) => self.module.records[record].template_depth,
            _ => 0,
        };
        let own = header.lists.into_iter().next_back().filter(|list| list.depth >= outer_depth);
        let id = self.module.variables.add(Variable {
            name: name.name,
            parent,
            template_parameters: own,
            template_depth: self.context.template_depth,
            specialisation: name
                .arguments
                .clone()
                .map(|arguments| Specialisation { arguments, record_arguments: Vec::new() }),
            specialisations: Vec::new(),
            ty,
            storage: specifiers.storage.clone(),
            initializer: None,
            origin,
            tokens,
        });
        if let Parent::Record(record) = parent {
            self.module.records[record].variables.push(id);
        }
        match (known, &name.arguments) {
            (Some(primary), Some(_)) => {
                self.module.variables[primary].specialisations.push(id);
            }
            _ => self.declare_value(parent, name.name, Decl::Variable(id)),
        }
        id
    }

    fn declared_variable(&self, parent: Parent, name: Symbol) -> Option<VariableId> {
        let entry = match parent {
            Parent::Namespace(id) => *self.scopes.namespace(id).entries.get(&name)?,
            Parent::Record(id) => *self.scopes.record(id).names.get(&name)?,
            Parent::Function(_) => return None,
        };
        match self.scopes.entry(entry).value {
            Some(Decl::Variable(id)) => Some(id),
            _ => None,
        }
    }
}
