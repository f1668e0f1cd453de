//! Declaration specifiers: storage, CUDA qualifiers, attributes, and the type that they name.

use port_syntax::{Keyword, TokenKind};

use super::cursor::END;
use super::lookup::Class;
use super::words::{is_declaration_keyword, is_fundamental, is_qualifier};
use super::{Builder, Parse};
use crate::*;

/// What stands before a declarator.
#[derive(Clone, Debug)]
pub(super) struct Specifiers {
    /// Index of the first token.
    pub start: usize,
    /// The type; `None` for constructors, destructors and conversions.
    pub ty: Option<TyId>,
    pub storage: Storage,
    pub function: FunctionQualifiers,
    pub typedef: bool,
    pub friend: bool,
    pub packed: bool,
    /// A record or enumeration that the specifiers define.
    pub defines: Option<NestedType>,
    /// A record that they only name, as in `struct S;`.
    pub elaborates: bool,
}

impl Specifiers {
    /// The same with more alignments.
    pub fn with_alignments(&self, mut more: Vec<Alignment>) -> Specifiers {
        let mut result = self.clone();
        result.storage.alignments.append(&mut more);
        result
    }
}

/// Where the specifiers stand: what an identifier may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// Namespace scope.
    Namespace,
    /// A function's body.
    Block,
    /// The body of this record: its name may begin a constructor.
    Member(RecordId),
    Parameter,
    /// A type alone: no storage, no declarator's name follows.
    TypeOnly,
}

/// Counts of the words of a fundamental type.
#[derive(Clone, Copy, Default)]
struct Fundamental {
    any: bool,
    signed: bool,
    unsigned: bool,
    short: bool,
    long: u8,
    int: bool,
    base: Option<Builtin>,
}

impl Fundamental {
    fn add(&mut self, keyword: Keyword) {
        self.any = true;
        match keyword {
            Keyword::Signed | Keyword::GnuSigned => self.signed = true,
            Keyword::Unsigned => self.unsigned = true,
            Keyword::Short => self.short = true,
            Keyword::Long => self.long += 1,
            Keyword::Int => self.int = true,
            Keyword::Void => self.base = Some(Builtin::Void),
            Keyword::Bool => self.base = Some(Builtin::Bool),
            Keyword::Char => self.base = Some(Builtin::Char),
            Keyword::Char8 => self.base = Some(Builtin::Char8),
            Keyword::Char16 => self.base = Some(Builtin::Char16),
            Keyword::Char32 => self.base = Some(Builtin::Char32),
            Keyword::Wchar => self.base = Some(Builtin::WideChar),
            Keyword::Float => self.base = Some(Builtin::Float),
            Keyword::Double => self.base = Some(Builtin::Double),
            Keyword::Int128 => self.base = Some(Builtin::Int128),
            _ => {}
        }
    }

    fn builtin(self) -> Builtin {
        match (self.base, self.unsigned) {
            (Some(Builtin::Char), true) => Builtin::UnsignedChar,
            (Some(Builtin::Char), false) if self.signed => Builtin::SignedChar,
            (Some(Builtin::Int128), true) => Builtin::UnsignedInt128,
            (Some(Builtin::Double), _) if self.long > 0 => Builtin::LongDouble,
            (Some(base), _) => base,
            (None, unsigned) => match (self.short, self.long, unsigned) {
                (true, _, false) => Builtin::Short,
                (true, _, true) => Builtin::UnsignedShort,
                (_, 0, false) => Builtin::Int,
                (_, 0, true) => Builtin::UnsignedInt,
                (_, 1, false) => Builtin::Long,
                (_, 1, true) => Builtin::UnsignedLong,
                (_, _, false) => Builtin::LongLong,
                (_, _, true) => Builtin::UnsignedLongLong,
            },
        }
    }
}

impl Builder<'_> {
    /// Specifiers that say nothing yet.
    pub(super) fn no_specifiers(&self, start: usize) -> Specifiers {
        Specifiers {
            start,
            ty: None,
            storage: Storage::default(),
            function: FunctionQualifiers::default(),
            typedef: false,
            friend: false,
            packed: false,
            defines: None,
            elaborates: false,
        }
    }

    pub(super) fn add_type(&mut self, kind: TyKind, start: usize) -> TyId {
        let tokens = self.range_from(start);
        let origin = self.origin_of(tokens);
        self.module.types.add(Ty { kind, qualifiers: Qualifiers::NONE, origin, tokens })
    }

    /// The same type with more qualifiers.
    pub(super) fn qualify(&mut self, ty: TyId, qualifiers: Qualifiers) -> TyId {
        if qualifiers == Qualifiers::NONE {
            return ty;
        }
        let mut qualified = self.module.types[ty].clone();
        qualified.qualifiers = qualified.qualifiers.union(qualifiers);
        self.module.types.add(qualified)
    }

    /// A type with its abstract declarator: in casts, template arguments, `sizeof`.
    pub(super) fn type_id(&mut self) -> Parse<TyId> {
        self.nested(|this| {
            let ty = this.type_specifiers_only()?;
            this.abstract_declarator(ty)
        })
    }

    /// A type without a declarator.
    pub(super) fn type_specifiers_only(&mut self) -> Parse<TyId> {
        let specifiers = self.specifiers(Site::TypeOnly)?;
        match specifiers.ty {
            Some(ty) => Ok(ty),
            None => self.expected("type"),
        }
    }

    /// `decltype(e)`, `decltype(auto)`, `typeof(e)`, `typeof(T)`
    pub(super) fn decltype_type(&mut self) -> Parse<TyId> {
        let start = self.bump();
        let kind = self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
            if this.at_keyword(Keyword::Auto)
                && this.kind_at(this.position + 1) == TokenKind::RightParen
            {
                this.bump();
                return Ok(TyKind::DecltypeAuto);
            }
            if let Some(scanned) = this.scan_type(this.position, true)
                && scanned.certain
                && this.kind_at(scanned.end) == TokenKind::RightParen
            {
                let ty = this.type_id()?;
                return Ok(this.module.types[ty].kind.clone());
            }
            Ok(TyKind::Decltype(this.expression()?))
        })?;
        Ok(self.add_type(kind, start))
    }

    /// The specifiers at the current token.
    pub(super) fn specifiers(&mut self, site: Site) -> Parse<Specifiers> {
        let start = self.position;
        let mut result = self.no_specifiers(start);
        let mut fundamental = Fundamental::default();
        let mut qualifiers = Qualifiers::NONE;
        let mut type_start = None;
        loop {
            let at = self.position;
            let Some(keyword) = self.keyword() else {
                if self.kind() == TokenKind::LeftBracket
                    && self.kind_at(at + 1) == TokenKind::LeftBracket
                    && self
                        .closer(at + 1)
                        .is_some_and(|close| self.kind_at(close + 1) == TokenKind::RightBracket)
                {
                    self.attributes(&mut result)?;
                    continue;
                }
                let has_type = fundamental.any || result.ty.is_some();
                if !matches!(self.kind(), TokenKind::Identifier | TokenKind::ColonColon) {
                    break;
                }
                if has_type {
                    if site != Site::TypeOnly && self.is_macro_after_type(at) {
                        self.skip_macro();
                        continue;
                    }
                    break;
                }
                if site != Site::TypeOnly {
                    if self.is_unnamed_member(at, site) {
                        break;
                    }
                    if site != Site::Parameter && self.is_specifier_macro(at) {
                        self.skip_macro();
                        continue;
                    }
                }
                type_start = Some(at);
                let outer = std::mem::replace(&mut self.in_declaration, site != Site::TypeOnly);
                let ty = self.named_type();
                self.in_declaration = outer;
                result.ty = Some(ty?);
                continue;
            };
            if is_qualifier(keyword) {
                qualifiers = qualifiers.union(self.qualifiers());
                continue;
            }
            if keyword == Keyword::Auto && !fundamental.any && result.ty.is_none() {
                type_start = Some(at);
                self.bump();
                let kind = match self.abbreviated_parameter(at) {
                    Some(parameter) => TyKind::AbbreviatedParameter(parameter),
                    None => TyKind::Auto,
                };
                result.ty = Some(self.add_type(kind, at));
                continue;
            }
            if is_fundamental(keyword) {
                if result.ty.is_some() {
                    break;
                }
                type_start = type_start.or(Some(at));
                fundamental.add(keyword);
                self.bump();
                continue;
            }
            let has_type = fundamental.any || result.ty.is_some();
            match keyword {
                Keyword::Struct | Keyword::Class | Keyword::Union if !has_type => {
                    type_start = Some(at);
                    let (ty, defined) = self.record_specifier(site)?;
                    result.ty = Some(ty);
                    result.elaborates = defined.is_none();
                    result.defines = defined.map(NestedType::Record);
                }
                Keyword::Enum if !has_type => {
                    type_start = Some(at);
                    let (ty, defined) = self.enum_specifier(site)?;
                    result.ty = Some(ty);
                    result.elaborates = defined.is_none();
                    result.defines = defined.map(NestedType::Enum);
                }
                Keyword::Typename if !has_type => {
                    type_start = Some(at);
                    result.ty = Some(self.named_type()?);
                }
                Keyword::Decltype | Keyword::GnuTypeof if !has_type => {
                    type_start = Some(at);
                    let after = self.past_group(at + 1);
                    result.ty = Some(if self.kind_at(after) == TokenKind::ColonColon {
                        self.named_type()?
                    } else {
                        self.decltype_type()?
                    });
                }
                _ if site == Site::TypeOnly => break,
                _ => {
                    if !self.plain_specifier(keyword, &mut result)? {
                        break;
                    }
                }
            }
        }
        if fundamental.any {
            let kind = TyKind::Builtin(fundamental.builtin());
            result.ty = Some(self.add_type(kind, type_start.unwrap_or(start)));
        }
        if let Some(ty) = result.ty {
            result.ty = Some(self.qualify(ty, qualifiers));
        }
        Ok(result)
    }

    /// A type by its name.
    fn named_type(&mut self) -> Parse<TyId> {
        let start = self.position;
        let read = self.nested(|this| this.name())?;
        let kind = match read.builtin {
            Some(builtin) => TyKind::Builtin(builtin),
            None => TyKind::Named(read.name),
        };
        Ok(self.add_type(kind, start))
    }

    /// A specifier that is no part of the type. `false` if the keyword is none.
    fn plain_specifier(&mut self, keyword: Keyword, result: &mut Specifiers) -> Parse<bool> {
        let storage = &mut result.storage;
        let function = &mut result.function;
        match keyword {
            Keyword::Static => {
                storage.is_static = true;
                function.is_static = true;
            }
            Keyword::Extern => {
                storage.is_extern = true;
                function.is_extern = true;
            }
            Keyword::Inline | Keyword::GnuInline | Keyword::GnuInlineShort => {
                storage.inline = true;
                function.inline = true;
            }
            Keyword::Constexpr | Keyword::Constinit | Keyword::Consteval => {
                storage.constexpr = keyword != Keyword::Constinit;
                function.constexpr = true;
            }
            Keyword::ThreadLocal | Keyword::GnuThread => storage.thread_local = true,
            Keyword::Register => storage.register = true,
            Keyword::Mutable => storage.mutable = true,
            Keyword::Typedef => result.typedef = true,
            Keyword::Friend => {
                result.friend = true;
                function.friend = true;
            }
            Keyword::Virtual => function.is_virtual = true,
            Keyword::Explicit => {
                function.explicit = true;
                self.bump();
                self.skip_parentheses();
                return Ok(true);
            }
            Keyword::Global => function.global = true,
            Keyword::Device => {
                storage.device = true;
                function.device = true;
            }
            Keyword::Host => function.host = true,
            Keyword::Shared => storage.shared = true,
            Keyword::Constant => storage.constant = true,
            Keyword::Managed => storage.managed = true,
            Keyword::GridConstant => storage.grid_constant = true,
            Keyword::ForceInline => {
                storage.inline = true;
                function.inline = true;
                function.force_inline = true;
            }
            Keyword::NoInline => {
                function.no_inline = true;
                self.bump();
                // `__noinline__()` is how one header family writes it.
                if self.at(TokenKind::LeftParen) && self.past_group(self.position) > self.position {
                    let next = self.past_group(self.position);
                    if next == self.position + 2 {
                        self.position = next;
                    }
                }
                return Ok(true);
            }
            Keyword::InlineHint
            | Keyword::NvPure
            | Keyword::DeviceBuiltin
            | Keyword::CudartBuiltin
            | Keyword::GnuExtension
            | Keyword::Export => {}
            Keyword::LaunchBounds => {
                self.bump();
                result.function.launch_bounds = self.parenthesised_list()?;
                return Ok(true);
            }
            Keyword::ClusterDims | Keyword::BlockSize => {
                self.bump();
                let list = self.parenthesised_list()?;
                if keyword == Keyword::ClusterDims {
                    result.function.cluster_dims = list;
                }
                return Ok(true);
            }
            Keyword::MaxRegisters => {
                self.bump();
                result.function.max_registers = self.parenthesised_list()?.first().copied();
                return Ok(true);
            }
            Keyword::Align
            | Keyword::BuiltinAlign
            | Keyword::Alignas
            | Keyword::GnuAttribute
            | Keyword::GnuAttributeShort
            | Keyword::Declspec => {
                self.attributes(result)?;
                return Ok(true);
            }
            _ => return Ok(false),
        }
        self.bump();
        Ok(true)
    }

    /// Attributes at the current token, if any: `[[…]]`, `alignas`, `__align__`, `__attribute__`.
    pub(super) fn attributes(&mut self, result: &mut Specifiers) -> Parse<()> {
        loop {
            let at = self.position;
            match self.keyword() {
                Some(Keyword::Align | Keyword::BuiltinAlign | Keyword::Alignas) => {
                    self.bump();
                    let alignment = self.inside(
                        TokenKind::LeftParen,
                        TokenKind::RightParen,
                        Self::alignment_argument,
                    )?;
                    result.storage.alignments.push(alignment);
                }
                Some(Keyword::GnuAttribute | Keyword::GnuAttributeShort) => {
                    self.bump();
                    self.gnu_attributes(result)?;
                }
                Some(Keyword::Declspec) => {
                    self.bump();
                    self.position = self.past_group(self.position);
                }
                _ if self.at(TokenKind::LeftBracket)
                    && self.kind_at(at + 1) == TokenKind::LeftBracket =>
                {
                    let end = self.past_group(at);
                    for index in at..end {
                        if self.name_at(index).is_some_and(|name| name == "noreturn") {
                            result.function.noreturn = true;
                        }
                    }
                    self.position = end;
                }
                _ => return Ok(()),
            }
            if self.position == at {
                return self.expected("attribute");
            }
        }
    }

    /// Attributes where nobody asks for what they say.
    pub(super) fn skip_attributes(&mut self) -> Parse<()> {
        let mut ignored = self.no_specifiers(self.position);
        self.attributes(&mut ignored)
    }

    fn alignment_argument(&mut self) -> Parse<Alignment> {
        if let Some(scanned) = self.scan_type(self.position, true)
            && scanned.certain
            && self.kind_at(scanned.end) == TokenKind::RightParen
        {
            return Ok(Alignment::Type(self.type_id()?));
        }
        Ok(Alignment::Value(self.constant_expression()?))
    }

    /// `((aligned(16), packed))`
    fn gnu_attributes(&mut self, result: &mut Specifiers) -> Parse<()> {
        let end = self.past_group(self.position);
        if end == self.position || !self.at(TokenKind::LeftParen) {
            return self.expected("(");
        }
        let mut at = self.position + 1;
        if self.kind_at(at) == TokenKind::LeftParen {
            at += 1;
        }
        while at + 1 < end {
            let Some(token) = self.token(at) else { break };
            let word = token.text.as_str().trim_matches('_');
            let open = at + 1;
            match word {
                "aligned" if self.kind_at(open) == TokenKind::LeftParen => {
                    self.position = open;
                    let alignment = self.inside(
                        TokenKind::LeftParen,
                        TokenKind::RightParen,
                        Self::alignment_argument,
                    )?;
                    result.storage.alignments.push(alignment);
                }
                "packed" => result.packed = true,
                "noinline" => result.function.no_inline = true,
                "always_inline" => result.function.force_inline = true,
                "noreturn" => result.function.noreturn = true,
                "global" => result.function.global = true,
                "device" => {
                    result.function.device = true;
                    result.storage.device = true;
                }
                "host" => result.function.host = true,
                "shared" => result.storage.shared = true,
                "constant" => result.storage.constant = true,
                _ => {}
            }
            at = self.past_group(open);
            while at < end && self.kind_at(at) != TokenKind::Identifier {
                at += 1;
            }
        }
        self.position = end;
        Ok(())
    }

    /// Whether a declarator without a type begins here: a constructor, destructor or conversion.
    fn is_unnamed_member(&mut self, at: usize, site: Site) -> bool {
        if let Site::Member(record) = site
            && self.kind_at(at + 1) == TokenKind::LeftParen
            && self.name_at(at) == Some(self.module.records[record].name)
        {
            return true;
        }
        if !matches!(
            self.kind_at(at + 1),
            TokenKind::ColonColon | TokenKind::Less | TokenKind::LeftParen | TokenKind::Identifier
        ) {
            return false;
        }
        // `A<T>::A(`, `A::~A(`, `A::operator T(`; a deduction guide `A(T) ->`.
        let mut index = at;
        if self.kind_at(index) == TokenKind::ColonColon {
            index += 1;
        }
        let mut previous = None;
        loop {
            let Some(name) = self.name_at(index) else { return false };
            index += 1;
            if self.kind_at(index) == TokenKind::LeftParen {
                if previous == Some(name) {
                    return true;
                }
                let after = self.past_group(index);
                return previous.is_none()
                    && self.kind_at(after) == TokenKind::Arrow
                    && self.name_at(after + 1) == Some(name);
            }
            if self.kind_at(index) == TokenKind::Less {
                match self.past_arguments(index) {
                    Some(end) => index = end,
                    None => return false,
                }
            }
            if self.kind_at(index) != TokenKind::ColonColon {
                return false;
            }
            index += 1;
            if self.kind_at(index) == TokenKind::Tilde
                || self.keyword_at(index) == Some(Keyword::Operator)
            {
                return true;
            }
            previous = Some(name);
        }
    }

    /// Whether an unknown name before a type is a macro: `EXPORT int f()`, `BOUNDS(256) void f()`.
    fn is_specifier_macro(&mut self, at: usize) -> bool {
        let Some(scanned) = self.scan_declared_name(at) else { return false };
        if scanned.class != Class::Unknown || !scanned.simple || scanned.arguments {
            return false;
        }
        let after = if self.kind_at(scanned.end) == TokenKind::LeftParen {
            self.past_group(scanned.end)
        } else {
            scanned.end
        };
        match self.keyword_at(after) {
            Some(keyword) if is_qualifier(keyword) => {}
            Some(Keyword::Operator) | None => {}
            Some(keyword) => return is_declaration_keyword(keyword),
        }
        // Otherwise a whole type and then a declarator's name have to follow.
        match self.scan_type(after, false) {
            Some(ty) => {
                self.is_name_at(ty.end) || self.keyword_at(ty.end) == Some(Keyword::Operator)
            }
            None => false,
        }
    }

    /// Whether a name after the type is a macro: `void BOUNDS f(…)`, `void BOUNDS(256) f(…)`.
    fn is_macro_after_type(&mut self, at: usize) -> bool {
        if !self.is_name_at(at) {
            return false;
        }
        if self.is_name_at(at + 1) {
            return !matches!(self.keyword_at(at + 1), Some(Keyword::Override | Keyword::Final))
                && matches!(
                    self.kind_at(at + 2),
                    TokenKind::LeftParen | TokenKind::ColonColon | TokenKind::Identifier
                );
        }
        match self.keyword_at(at + 1) {
            Some(keyword) => {
                return is_declaration_keyword(keyword) && keyword != Keyword::GnuAttribute;
            }
            None if self.kind_at(at + 1) != TokenKind::LeftParen => return false,
            None => {}
        }
        let after = self.past_group(at + 1);
        self.is_name_at(after)
            && self.kind_at(after + 1) == TokenKind::LeftParen
            && !self.is_parameter_list(at + 1)
    }

    /// Skips a macro's name and its arguments.
    fn skip_macro(&mut self) {
        self.mean(self.position, Meaning::Unresolved);
        self.bump();
        self.skip_parentheses();
    }

    pub(super) fn parenthesised_list(&mut self) -> Parse<Vec<ExprId>> {
        self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
            let mut list = Vec::new();
            while !matches!(this.kind(), TokenKind::RightParen | END) {
                list.push(this.constant_expression()?);
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok(list)
        })
    }
}
