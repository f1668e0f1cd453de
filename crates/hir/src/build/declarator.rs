//! Declarators: pointers, references, arrays, functions and the name that they surround.

use port_syntax::{Keyword, Symbol, TokenKind};

use super::cursor::END;
use super::lookup::{Class, Place};
use super::names::as_spelled;
use super::scope::Binding;
use super::specifiers::Site;
use super::template::Abbreviation;
use super::{Builder, Parse};
use crate::*;

/// Whether a declarator has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Named,
    Abstract,
    /// A parameter: either.
    Either,
}

/// A declarator that was read.
#[derive(Debug)]
pub(super) struct Declarator {
    pub name: Option<DeclaratorName>,
    pub ty: TyId,
    /// What the parameter list that directly follows the name says; the type is then the function's.
    pub function: Option<FunctionSuffix>,
    /// `...` before the name.
    pub pack: bool,
}

/// The name that a declarator declares.
#[derive(Debug)]
pub(super) struct DeclaratorName {
    pub name: Symbol,
    /// Index of the name's token (of `operator`, of `~`).
    pub at: usize,
    pub kind: FunctionKind,
    /// `f<int>` of a specialisation.
    pub arguments: Option<Vec<TemplateArgument>>,
    /// `A<T>::` before it.
    pub qualifier: Option<NameRef>,
    /// What the qualifier stands for.
    pub place: Place,
}

/// A parameter list and what follows it.
#[derive(Debug)]
pub(super) struct FunctionSuffix {
    pub parameters: Vec<LocalId>,
    pub variadic: bool,
    pub qualifiers: FunctionQualifiers,
    pub return_type: TyId,
    /// Template parameters that `auto` made.
    pub abbreviated: Vec<TemplateParameter>,
    pub constrained: bool,
}

/// A suffix of a direct declarator, to be applied from the last to the first.
enum Suffix {
    Array(Option<ExprId>, usize, usize),
    Function(FunctionSuffix, usize, usize),
}

impl Builder<'_> {
    /// `*`, `&`, `&&`, `C::*` with qualifiers.
    pub(super) fn pointer_operators(&mut self, mut ty: TyId) -> Parse<TyId> {
        loop {
            let start = self.position;
            let kind = match self.kind() {
                TokenKind::Star => TyKind::Pointer(ty),
                TokenKind::Ampersand => TyKind::LValueReference(ty),
                TokenKind::AmpersandAmpersand => TyKind::RValueReference(ty),
                TokenKind::Identifier | TokenKind::ColonColon => {
                    match self.member_pointer_class()? {
                        Some(class) => {
                            TyKind::MemberPointer { class: Box::new(class), pointee: ty }
                        }
                        None => return Ok(ty),
                    }
                }
                _ => return Ok(ty),
            };
            self.bump();
            ty = self.add_type(kind, start);
            loop {
                let qualifiers = self.qualifiers();
                self.module.types[ty].qualifiers =
                    self.module.types[ty].qualifiers.union(qualifiers);
                match self.keyword() {
                    Some(
                        Keyword::GnuAttribute
                        | Keyword::GnuAttributeShort
                        | Keyword::Align
                        | Keyword::Alignas
                        | Keyword::Declspec,
                    ) => self.skip_attributes()?,
                    _ if self.is_qualifier_macro() => {
                        let restrict = self.tokens[self.position].text.as_str();
                        self.module.types[ty].qualifiers.restrict |=
                            restrict.to_ascii_lowercase().contains("restrict");
                        self.mean(self.position, Meaning::Unresolved);
                        self.bump();
                    }
                    _ => break,
                }
            }
        }
    }

    /// `float *RESTRICT p` of a macro that is not in view.
    fn is_qualifier_macro(&self) -> bool {
        self.is_name_at(self.position) && self.is_name_at(self.position + 1)
    }

    /// `C` of `C::*`, read up to its `*`.
    fn member_pointer_class(&mut self) -> Parse<Option<NameRef>> {
        if self.keyword().is_some()
            || !matches!(
                self.kind_at(self.position + 1),
                TokenKind::ColonColon | TokenKind::Less | TokenKind::Identifier
            )
        {
            return Ok(None);
        }
        let Some(scanned) = self.scan_name(self.position) else { return Ok(None) };
        if self.kind_at(scanned.end) != TokenKind::ColonColon
            || self.kind_at(scanned.end + 1) != TokenKind::Star
        {
            return Ok(None);
        }
        let class = self.name()?.name;
        self.expect(TokenKind::ColonColon)?;
        Ok(Some(class))
    }

    /// A declarator without a name.
    pub(super) fn abstract_declarator(&mut self, base: TyId) -> Parse<TyId> {
        Ok(self.declarator(base, Form::Abstract)?.ty)
    }

    /// A declarator. A qualified name enters the scope that it names: the caller leaves it.
    pub(super) fn declarator(&mut self, base: TyId, form: Form) -> Parse<Declarator> {
        self.nested(|this| this.declarator_inner(base, form))
    }

    fn declarator_inner(&mut self, base: TyId, form: Form) -> Parse<Declarator> {
        let ty = self.pointer_operators(base)?;
        let pack = form != Form::Abstract && self.eat(TokenKind::Ellipsis);
        if self.at(TokenKind::LeftParen) && self.opens_inner_declarator(form) {
            return self.parenthesised_declarator(ty, form, pack);
        }
        let name = match form {
            Form::Abstract => None,
            Form::Named => Some(self.declarator_name()?),
            Form::Either => match self.kind() {
                TokenKind::Identifier if self.is_name_at(self.position) => {
                    Some(self.declarator_name()?)
                }
                _ => None,
            },
        };
        self.skip_attributes()?;
        let suffixes = self.suffixes(form, ty, name.is_some())?;
        let (ty, function) = self.apply(ty, suffixes);
        if function.is_none() && form != Form::Abstract {
            self.trailing_attributes()?;
        }
        Ok(Declarator { name, ty, function, pack })
    }

    /// Whether a `(` begins a declarator in parentheses rather than parameters.
    fn opens_inner_declarator(&mut self, form: Form) -> bool {
        let next = self.position + 1;
        match self.kind_at(next) {
            TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => true,
            TokenKind::LeftParen => form == Form::Named,
            TokenKind::Identifier | TokenKind::ColonColon => {
                if self.keyword_at(next).is_some() {
                    return form == Form::Named;
                }
                let Some(scanned) = self.scan_name(next) else { return false };
                if self.kind_at(scanned.end) == TokenKind::ColonColon
                    && self.kind_at(scanned.end + 1) == TokenKind::Star
                {
                    return true;
                }
                match form {
                    Form::Named => true,
                    Form::Abstract => false,
                    Form::Either => {
                        !scanned.class.is_type()
                            && scanned.class != Class::Unknown
                            && self.kind_at(scanned.end) == TokenKind::RightParen
                    }
                }
            }
            _ => false,
        }
    }

    /// `(*f)(int)`: what follows the parentheses is nearer to the base than what is in them.
    fn parenthesised_declarator(
        &mut self,
        base: TyId,
        form: Form,
        pack: bool,
    ) -> Parse<Declarator> {
        let open = self.position;
        let Some(close) = self.closer(open) else { return self.expected(")") };
        self.position = close + 1;
        // `int (f)(int)`: parentheses around nothing but a name change nothing.
        let plain = self.is_name_at(open + 1) && close == open + 2;
        let suffixes = self.suffixes(form, base, plain)?;
        let (ty, function) = self.apply(base, suffixes);
        let after = self.position;
        self.position = open + 1;
        let end = std::mem::replace(&mut self.end, close);
        let inner = self.declarator(ty, form);
        let stopped = self.position;
        self.end = end;
        let mut inner = inner?;
        if stopped != close {
            return self.expected(")");
        }
        self.position = after;
        inner.pack |= pack;
        if plain && inner.function.is_none() {
            inner.function = function;
        }
        Ok(inner)
    }

    /// `x[4] __attribute__((aligned(16)))`: the alignment is kept for the declaration to take.
    fn trailing_attributes(&mut self) -> Parse<()> {
        if !matches!(
            self.keyword(),
            Some(
                Keyword::GnuAttribute
                    | Keyword::GnuAttributeShort
                    | Keyword::Align
                    | Keyword::Alignas
            )
        ) {
            return Ok(());
        }
        let mut attributes = self.no_specifiers(self.position);
        self.attributes(&mut attributes)?;
        self.late_alignments.append(&mut attributes.storage.alignments);
        Ok(())
    }

    fn apply(&mut self, mut ty: TyId, suffixes: Vec<Suffix>) -> (TyId, Option<FunctionSuffix>) {
        let mut function = None;
        for suffix in suffixes.into_iter().rev() {
            match suffix {
                Suffix::Array(extent, start, end) => {
                    let kind = TyKind::Array { element: ty, extent };
                    ty = self.add_type_over(kind, start, end);
                }
                Suffix::Function(mut suffix, start, end) => {
                    // The trailing return type replaces `auto`.
                    if matches!(self.module.types[suffix.return_type].kind, TyKind::None) {
                        suffix.return_type = ty;
                    }
                    let parameters =
                        suffix.parameters.iter().map(|id| self.module.locals[*id].ty).collect();
                    let kind = TyKind::Function {
                        parameters,
                        variadic: suffix.variadic,
                        result: suffix.return_type,
                    };
                    ty = self.add_type_over(kind, start, end);
                    function = Some(suffix);
                }
            }
        }
        (ty, function)
    }

    fn add_type_over(&mut self, kind: TyKind, start: usize, end: usize) -> TyId {
        let position = std::mem::replace(&mut self.position, end);
        let ty = self.add_type(kind, start);
        self.position = position;
        ty
    }

    fn suffixes(&mut self, form: Form, base: TyId, named: bool) -> Parse<Vec<Suffix>> {
        let mut suffixes = Vec::new();
        loop {
            let start = self.position;
            match self.kind() {
                TokenKind::LeftBracket if self.kind_at(start + 1) != TokenKind::LeftBracket => {
                    let extent =
                        self.inside(TokenKind::LeftBracket, TokenKind::RightBracket, |this| {
                            if this.at(TokenKind::RightBracket) {
                                return Ok(None);
                            }
                            Ok(Some(this.expression()?))
                        })?;
                    suffixes.push(Suffix::Array(extent, start, self.position));
                }
                TokenKind::LeftParen => {
                    let is_function = match form {
                        Form::Abstract => self.abstract_parameters(start),
                        Form::Named | Form::Either => {
                            matches!(self.module.types[base].kind, TyKind::None)
                                || self.is_parameter_list(start)
                                || (!named && form == Form::Either)
                        }
                    };
                    if !is_function {
                        return Ok(suffixes);
                    }
                    let suffix = self.function_suffix()?;
                    suffixes.push(Suffix::Function(suffix, start, self.position));
                    return Ok(suffixes);
                }
                _ => return Ok(suffixes),
            }
        }
    }

    /// Whether the parentheses after a type without a name are a parameter list: not those of a
    /// functional cast that goes on.
    fn abstract_parameters(&mut self, open: usize) -> bool {
        let Some(close) = self.closer(open) else { return false };
        if close == open + 1 || self.kind_at(open + 1) == TokenKind::Ellipsis {
            return true;
        }
        self.scan_type(open + 1, true).is_some_and(|ty| {
            matches!(
                self.kind_at(ty.end),
                TokenKind::Comma | TokenKind::Identifier | TokenKind::Ellipsis
            ) || ty.end == close
        })
    }

    /// `A<T>::f<int>`, `operator+`, `~A`
    fn declarator_name(&mut self) -> Parse<DeclaratorName> {
        let mut segments: Vec<Segment> = Vec::new();
        let global = self.at(TokenKind::ColonColon);
        let mut place = Place::Open;
        let mut anchor = Res::Unresolved;
        if global {
            self.bump();
            place = Place::Namespace(self.module.global());
        }
        loop {
            let at = self.position;
            self.eat_keyword(Keyword::Template);
            if self.at_keyword(Keyword::Operator) {
                let (name, kind) = self.operator_name()?;
                let arguments = self.specialisation_arguments()?;
                return Ok(
                    self.named_declarator(name, at, kind, arguments, segments, anchor, place)
                );
            }
            if self.eat(TokenKind::Tilde) {
                let (name, _) = self.expect_name()?;
                let name = Symbol::new(&format!("~{name}"));
                let kind = FunctionKind::Destructor;
                return Ok(self.named_declarator(name, at, kind, None, segments, anchor, place));
            }
            let (name, at) = self.expect_name()?;
            // Template arguments of a qualifier or of a specialisation; never a comparison.
            let has_arguments = self.at(TokenKind::Less);
            let qualifies = {
                let after = if has_arguments {
                    self.past_arguments(self.position).unwrap_or(self.position)
                } else {
                    self.position
                };
                self.kind_at(after) == TokenKind::ColonColon
                    && (self.is_name_at(after + 1)
                        || self.kind_at(after + 1) == TokenKind::Tilde
                        || self.keyword_at(after + 1).is_some())
            };
            if !qualifies {
                let arguments = self.specialisation_arguments()?;
                let kind = FunctionKind::Ordinary;
                return Ok(
                    self.named_declarator(name, at, kind, arguments, segments, anchor, place)
                );
            }
            let found = self.look(place, name);
            let (resolution, meaning) = self.resolve(found, !segments.is_empty());
            self.mean(at, as_spelled(meaning, name));
            let arguments = if has_arguments { Some(self.template_arguments()?) } else { None };
            place = self.place_of(found, name, arguments.is_some());
            anchor = resolution;
            segments.push(Segment { name, arguments, origin: self.origin_at(at) });
            self.expect(TokenKind::ColonColon)?;
        }
    }

    fn specialisation_arguments(&mut self) -> Parse<Option<Vec<TemplateArgument>>> {
        if self.at(TokenKind::Less) { Ok(Some(self.template_arguments()?)) } else { Ok(None) }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one name, assembled once")]
    fn named_declarator(
        &mut self,
        name: Symbol,
        at: usize,
        kind: FunctionKind,
        arguments: Option<Vec<TemplateArgument>>,
        segments: Vec<Segment>,
        resolution: Res,
        place: Place,
    ) -> DeclaratorName {
        let qualifier = (!segments.is_empty()).then_some(NameRef {
            global: false,
            typename: false,
            segments,
            resolution,
        });
        self.enter_place(place);
        DeclaratorName { name, at, kind, arguments, qualifier, place }
    }

    /// Enters the scope of a qualified declarator.
    fn enter_place(&mut self, place: Place) {
        match place {
            Place::Record { record, .. } => self.enter_record_chain(record, false),
            Place::Namespace(id) => self.context.namespace = id,
            _ => {}
        }
    }

    /// A parameter list, and what follows it up to the body or `;`.
    pub(super) fn function_suffix(&mut self) -> Parse<FunctionSuffix> {
        let mark = self.scopes.mark();
        let result = self.function_suffix_inner();
        self.scopes.restore(mark);
        result
    }

    fn function_suffix_inner(&mut self) -> Parse<FunctionSuffix> {
        let outer = self.abbreviation.take();
        self.abbreviation = Some(self.new_abbreviation());
        let parameters = self.parameters();
        let abbreviated =
            self.abbreviation.take().map_or_else(Vec::new, |made: Abbreviation| made.parameters);
        self.abbreviation = outer;
        let (parameters, variadic) = parameters?;
        let mut suffix = FunctionSuffix {
            parameters,
            variadic,
            qualifiers: FunctionQualifiers::default(),
            return_type: self.no_type(),
            abbreviated,
            constrained: false,
        };
        self.after_parameters(&mut suffix)?;
        Ok(suffix)
    }

    fn no_type(&mut self) -> TyId {
        let at = self.position;
        self.add_type(TyKind::None, at)
    }

    /// `(int a, float *b = nullptr, ...)`; the names are bound.
    pub(super) fn parameters(&mut self) -> Parse<(Vec<LocalId>, bool)> {
        let mut variadic = false;
        let parameters = self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
            let mut parameters = Vec::new();
            let only_void = this.at_keyword(Keyword::Void)
                && this.kind_at(this.position + 1) == TokenKind::RightParen;
            if only_void {
                this.bump();
            }
            while !matches!(this.kind(), TokenKind::RightParen | END) {
                if this.eat(TokenKind::Ellipsis) {
                    variadic = true;
                    break;
                }
                let index = parameters.len().min(usize::from(u16::MAX)) as u16;
                parameters.push(this.parameter(index)?);
                if this.at(TokenKind::Ellipsis) {
                    // `int a...`
                    this.bump();
                    variadic = true;
                }
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok(parameters)
        })?;
        Ok((parameters, variadic))
    }

    fn parameter(&mut self, index: u16) -> Parse<LocalId> {
        let start = self.position;
        let specifiers = self.specifiers(Site::Parameter)?;
        let Some(base) = specifiers.ty else { return self.expected("parameter") };
        let declarator = self.declarator(base, Form::Either)?;
        let mut ty = declarator.ty;
        if declarator.pack {
            ty = self.add_type(TyKind::PackExpansion(ty), start);
        }
        let (name, at) = match &declarator.name {
            Some(name) => (name.name, name.at),
            None => (self.words.empty, start),
        };
        let initializer = if self.eat(TokenKind::Equal) {
            Some(Initializer::Copy(self.initializer_clause()?))
        } else {
            None
        };
        let tokens = self.range_from(start);
        let origin =
            if name == self.words.empty { self.origin_of(tokens) } else { self.origin_at(at) };
        let id = self.module.locals.add(Local {
            name,
            kind: LocalKind::Parameter(index),
            ty,
            storage: specifiers.storage,
            initializer,
            origin,
            tokens,
        });
        if name != self.words.empty {
            self.mean(at, Meaning::User(Entity::Local(id)));
            self.declare_name(name);
            self.scopes.bind(name, Binding::Local(id));
        }
        Ok(id)
    }

    /// `const`, `&`, `noexcept(…)`, `-> T`, `override`, `requires …` and attributes.
    fn after_parameters(&mut self, suffix: &mut FunctionSuffix) -> Parse<()> {
        loop {
            let at = self.position;
            match self.kind() {
                TokenKind::Ampersand => {
                    self.bump();
                    suffix.qualifiers.reference = Some(ReferenceQualifier::LValue);
                }
                TokenKind::AmpersandAmpersand => {
                    self.bump();
                    suffix.qualifiers.reference = Some(ReferenceQualifier::RValue);
                }
                TokenKind::Arrow => {
                    self.bump();
                    suffix.return_type = self.type_id()?;
                }
                TokenKind::LeftBracket if self.kind_at(at + 1) == TokenKind::LeftBracket => {
                    self.skip_attributes()?;
                }
                TokenKind::Identifier => match self.keyword() {
                    Some(Keyword::Const | Keyword::GnuConst | Keyword::GnuConstLong) => {
                        self.bump();
                        suffix.qualifiers.const_this = true;
                    }
                    Some(Keyword::Volatile | Keyword::GnuVolatile | Keyword::GnuVolatileShort) => {
                        self.bump();
                        suffix.qualifiers.volatile_this = true;
                    }
                    Some(Keyword::Noexcept | Keyword::Throw) => {
                        self.bump();
                        self.skip_parentheses();
                        suffix.qualifiers.noexcept = true;
                    }
                    Some(Keyword::Override) => {
                        self.bump();
                        suffix.qualifiers.is_override = true;
                    }
                    Some(Keyword::Final) => {
                        self.bump();
                        suffix.qualifiers.is_final = true;
                    }
                    Some(Keyword::Requires) => {
                        self.bump();
                        self.constraint()?;
                        suffix.constrained = true;
                    }
                    Some(
                        Keyword::GnuAttribute
                        | Keyword::GnuAttributeShort
                        | Keyword::Align
                        | Keyword::Alignas,
                    ) => self.skip_attributes()?,
                    Some(Keyword::GnuAsm | Keyword::GnuAsmShort | Keyword::Asm) => {
                        self.bump();
                        self.skip_parentheses();
                    }
                    Some(
                        Keyword::Device | Keyword::Host | Keyword::ForceInline | Keyword::NoInline,
                    ) => {
                        self.bump();
                    }
                    Some(_) => return Ok(()),
                    // A macro that is not in view: `void f() NOEXCEPT;`
                    None => {
                        let after = self.past_group(at + 1);
                        if !matches!(
                            self.kind_at(after),
                            TokenKind::LeftBrace | TokenKind::Semicolon | TokenKind::Equal
                        ) || self.tokens[at].line_start
                            && self.kind_at(at + 1) != TokenKind::LeftBrace
                            && self.kind_at(at + 1) != TokenKind::Semicolon
                        {
                            return Ok(());
                        }
                        self.mean(at, Meaning::Unresolved);
                        self.position = after;
                    }
                },
                _ => return Ok(()),
            }
            if self.position == at {
                return Ok(());
            }
        }
    }
}
