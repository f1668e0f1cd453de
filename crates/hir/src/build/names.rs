//! Reading names: qualified, with template arguments, of operators, after `.` and `->`.

use port_syntax::{Keyword, Symbol, TokenKind};

use super::cursor::{END, Failure, FailureKind};
use super::lookup::{Class, Found, Place};
use super::words::is_qualifier;
use super::{Builder, Parse};
use crate::*;

/// A name that was read.
pub(super) struct ReadName {
    pub name: NameRef,
    pub class: Class,
    /// The fundamental type that the name is an alias of in the C library.
    pub builtin: Option<Builtin>,
}

/// What is known of the segments read so far.
struct Path {
    segments: Vec<Segment>,
    place: Place,
    /// The longest prefix that is known without substitution, if something comes after it.
    anchor: Option<(Res, u32)>,
}

impl Builder<'_> {
    /// A name in an expression or type: `a::B<int>::c`, `::f`, `operator+`, `A::~A`.
    pub(super) fn name(&mut self) -> Parse<ReadName> {
        let typename = self.eat_keyword(Keyword::Typename);
        let global = self.eat(TokenKind::ColonColon);
        let place = if global { Place::Namespace(self.module.global()) } else { Place::Open };
        let mut path = Path { segments: Vec::with_capacity(1), place, anchor: None };
        if matches!(self.keyword(), Some(Keyword::Decltype | Keyword::GnuTypeof)) {
            self.decltype_segment(&mut path)?;
        }
        // After `typename` no `<` compares.
        let outer = self.in_declaration;
        self.in_declaration |= typename;
        let result = self.segments(path, global, typename);
        self.in_declaration = outer;
        result
    }

    /// The name after `.` or `->`. Only lowering knows where to look it up.
    pub(super) fn member_name(&mut self) -> Parse<NameRef> {
        // `x.Base::f()`: a known class as qualifier is looked up as any name.
        if let Some(scanned) = self.scan_name(self.position)
            && !scanned.simple
        {
            return Ok(self.name()?.name);
        }
        let path = Path { segments: Vec::with_capacity(1), place: Place::Opaque, anchor: None };
        let mut read = self.segments(path, false, false)?;
        read.name.resolution = Res::Dependent;
        Ok(read.name)
    }

    /// `decltype(e)` before `::`, kept as a segment of that name with the type as its argument.
    fn decltype_segment(&mut self, path: &mut Path) -> Parse<()> {
        let start = self.position;
        let ty = self.decltype_type()?;
        path.segments.push(Segment {
            name: Symbol::new("decltype"),
            arguments: Some(vec![TemplateArgument::Type(ty)]),
            origin: self.origin_at(start),
        });
        self.expect(TokenKind::ColonColon)?;
        path.place = Place::Opaque;
        path.anchor = Some((Res::Unresolved, 1));
        Ok(())
    }

    fn segments(&mut self, mut path: Path, global: bool, typename: bool) -> Parse<ReadName> {
        loop {
            let after_template = self.eat_keyword(Keyword::Template);
            let at = self.position;
            let name = match self.name_at(at) {
                Some(name) => {
                    self.bump();
                    name
                }
                None if self.at_keyword(Keyword::Operator) => self.operator_name()?.0,
                None if self.at(TokenKind::Tilde) && !path.segments.is_empty()
                    || self.at(TokenKind::Tilde) && matches!(path.place, Place::Opaque) =>
                {
                    self.bump();
                    let (name, _) = self.expect_name()?;
                    Symbol::new(&format!("~{name}"))
                }
                None => return self.expected("name"),
            };
            let mut found = self.look(path.place, name);
            if self.at(TokenKind::ColonColon) && self.continues_name(self.position + 1) {
                found = self.as_qualifier(found, name);
            }
            let class = self.class_of(found, false);
            let qualified = global || !path.segments.is_empty();
            let (resolution, meaning) = match (found, path.place) {
                (Found::Dependent, Place::Opaque) => (Res::Dependent, Meaning::Member),
                _ => self.resolve(found, qualified),
            };
            if self.tokens[at].kind == TokenKind::Identifier && self.name_at(at) == Some(name) {
                self.mean(at, as_spelled(meaning, name));
            }
            let arguments = if self.at(TokenKind::Less)
                && (after_template || self.opens_arguments(class, self.position))
            {
                Some(self.template_arguments()?)
            } else {
                None
            };
            let has_arguments = arguments.is_some();
            path.segments.push(Segment { name, arguments, origin: self.origin_at(at) });
            if self.at(TokenKind::ColonColon) && self.continues_name(self.position + 1) {
                let place = self.place_of(found, name, has_arguments);
                self.anchor(&mut path, found, &resolution, place);
                path.place = place;
                self.bump();
                if path.segments.len() > 64 {
                    return Err(Failure { at, kind: FailureKind::TooDeep });
                }
                continue;
            }
            let class = if typename { Class::Type } else { self.class_of(found, has_arguments) };
            let resolution = match path.anchor {
                // A row of the whole name says more than a row of its beginning.
                Some((prefix, resolved)) if !matches!(found, Found::Api(_)) => {
                    Res::Member { prefix: Box::new(prefix), resolved }
                }
                _ => resolution,
            };
            let builtin = match found {
                Found::Builtin(builtin) => Some(builtin),
                _ => None,
            };
            return Ok(ReadName {
                name: NameRef { global, typename, segments: path.segments, resolution },
                class,
                builtin,
            });
        }
    }

    /// Remembers what the segments so far mean when the next is a member of something that only
    /// lowering can look into.
    fn anchor(&self, path: &mut Path, found: Found, resolution: &Res, place: Place) {
        if path.anchor.is_some() {
            return;
        }
        let looks_into = match place {
            Place::Record { exact, .. } => !exact,
            Place::Opaque => true,
            Place::External(_) => {
                matches!(found, Found::Api(row) if row.kind == port_api::Kind::Type)
                    || matches!(resolution, Res::Alias(_))
            }
            Place::Open | Place::Namespace(_) | Place::Enum(_) => false,
        };
        if looks_into {
            path.anchor = Some((resolution.clone(), path.segments.len() as u32));
        }
    }

    fn continues_name(&self, at: usize) -> bool {
        self.is_name_at(at)
            || matches!(self.keyword_at(at), Some(Keyword::Template | Keyword::Operator))
            || (self.kind_at(at) == TokenKind::Tilde && self.is_name_at(at + 1))
    }

    /// `<int, 3>`
    pub(super) fn template_arguments(&mut self) -> Parse<Vec<TemplateArgument>> {
        self.expect(TokenKind::Less)?;
        let in_angles = std::mem::replace(&mut self.in_angles, true);
        // `auto` in an argument declares no template parameter.
        let abbreviation = self.abbreviation.take();
        let in_declaration = std::mem::replace(&mut self.in_declaration, false);
        let result = self.nested(|this| this.template_argument_list());
        self.in_declaration = in_declaration;
        self.in_angles = in_angles;
        self.abbreviation = abbreviation;
        let arguments = result?;
        if !self.eat(TokenKind::Greater) {
            return self.expected(">");
        }
        Ok(arguments)
    }

    fn template_argument_list(&mut self) -> Parse<Vec<TemplateArgument>> {
        let mut arguments = Vec::new();
        while !matches!(self.kind(), TokenKind::Greater | END) {
            arguments.push(self.template_argument()?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        Ok(arguments)
    }

    fn template_argument(&mut self) -> Parse<TemplateArgument> {
        let start = self.position;
        // `__is_same(T, U)` looks like the type of a function.
        if !self.is_compiler_trait(start)
            && let Some(scanned) = self.scan_type(start, true)
            && matches!(
                self.kind_at(scanned.end),
                TokenKind::Comma | TokenKind::Greater | TokenKind::Ellipsis
            )
            && (scanned.certain || !self.is_likely_constant(start, scanned.end))
        {
            let mut ty = self.type_id()?;
            if self.eat(TokenKind::Ellipsis) {
                ty = self.add_type(TyKind::PackExpansion(ty), start);
            }
            return Ok(TemplateArgument::Type(ty));
        }
        let mut value = self.constant_expression()?;
        if self.eat(TokenKind::Ellipsis) {
            value = self.add_expr(ExprKind::PackExpansion(value), start);
        }
        Ok(TemplateArgument::Value(value))
    }

    /// Whether an unknown name that could be a type or a value is more likely a constant: it is
    /// written like a macro, or it is a member without `typename`.
    fn is_likely_constant(&self, start: usize, end: usize) -> bool {
        if end == start + 1 {
            return self.is_upper_case(start);
        }
        // `T::value`, `A<T>::N`: a type would need `typename` if it depends on a parameter, and
        // library types have lower-case names that end in `type` or `_t`.
        match self.name_at(end - 1) {
            Some(name) => {
                let text = name.as_str();
                self.kind_at(end.wrapping_sub(2)) == TokenKind::ColonColon
                    && (text == "value"
                        || text.starts_with('k')
                            && text.as_bytes().get(1).is_some_and(u8::is_ascii_uppercase)
                        || self.is_upper_case(end - 1))
            }
            // `std::is_integral_v<T>`: the library's variable templates, and those of others like them.
            None => self.name_before_arguments(start, end).is_some_and(|name| {
                self.name_at(name).is_some_and(|name| name.as_str().ends_with("_v"))
            }),
        }
    }

    /// The name that template arguments which end at `end` belong to.
    fn name_before_arguments(&self, start: usize, end: usize) -> Option<usize> {
        let mut depth = 0usize;
        for at in (start..end).rev() {
            match self.kind_at(at) {
                TokenKind::Greater | TokenKind::RightParen => depth += 1,
                TokenKind::Less | TokenKind::LeftParen => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return at.checked_sub(1).filter(|name| *name >= start);
                    }
                }
                _ if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// `operator+`, `operator()`, `operator float`, `operator""_x`: the name and what kind it is.
    pub(super) fn operator_name(&mut self) -> Parse<(Symbol, FunctionKind)> {
        let start = self.position;
        if !self.eat_keyword(Keyword::Operator) {
            return self.expected("operator");
        }
        let text: &str = match self.kind() {
            TokenKind::LeftParen if self.kind_at(self.position + 1) == TokenKind::RightParen => {
                self.position += 2;
                "()"
            }
            TokenKind::LeftBracket
                if self.kind_at(self.position + 1) == TokenKind::RightBracket =>
            {
                self.position += 2;
                "[]"
            }
            TokenKind::String => {
                let literal = self.tokens[self.bump()].text;
                let suffix = match literal.as_str().strip_prefix("\"\"") {
                    Some("") | None => self.expect_name()?.0,
                    Some(suffix) => Symbol::new(suffix),
                };
                let name = Symbol::new(&format!("operator\"\"{suffix}"));
                return Ok((name, FunctionKind::Literal(suffix)));
            }
            TokenKind::Greater if self.is_shift_right_at(self.position) => {
                self.position += 2;
                ">>"
            }
            TokenKind::Greater
                if self.kind_at(self.position + 1) == TokenKind::GreaterEqual
                    && self.tokens[self.position].joins(&self.tokens[self.position + 1]) =>
            {
                self.position += 2;
                ">>="
            }
            TokenKind::Identifier => match self.keyword() {
                Some(keyword @ (Keyword::New | Keyword::Delete)) => {
                    self.bump();
                    let array = self.at(TokenKind::LeftBracket);
                    if array {
                        self.bump();
                        self.expect(TokenKind::RightBracket)?;
                    }
                    match (keyword, array) {
                        (Keyword::New, false) => " new",
                        (Keyword::New, true) => " new[]",
                        (_, false) => " delete",
                        (_, true) => " delete[]",
                    }
                }
                _ => return self.conversion_name(start),
            },
            TokenKind::ColonColon => return self.conversion_name(start),
            kind => match kind.punctuator() {
                Some(text) if is_overloadable(kind) => {
                    self.bump();
                    text
                }
                _ => return self.expected("operator"),
            },
        };
        let name = Symbol::new(&format!("operator{text}"));
        Ok((name, FunctionKind::Operator(Symbol::new(text.trim_start()))))
    }

    /// The type of `operator T()`.
    fn conversion_name(&mut self, start: usize) -> Parse<(Symbol, FunctionKind)> {
        let ty = self.type_specifiers_only()?;
        let ty = self.pointer_operators(ty)?;
        let mut text = String::from("operator ");
        for (index, token) in self.tokens[start + 1..self.position].iter().enumerate() {
            if index > 0 && token.spaced {
                text.push(' ');
            }
            text.push_str(token.text.as_str());
        }
        Ok((Symbol::new(&text), FunctionKind::Conversion(ty)))
    }

    /// Reads `const`, `volatile`, `__restrict__` and attributes.
    pub(super) fn qualifiers(&mut self) -> Qualifiers {
        let mut qualifiers = Qualifiers::NONE;
        loop {
            match self.keyword() {
                Some(Keyword::Const | Keyword::GnuConst | Keyword::GnuConstLong) => {
                    qualifiers.constant = true;
                }
                Some(Keyword::Volatile | Keyword::GnuVolatile | Keyword::GnuVolatileShort) => {
                    qualifiers.volatile = true;
                }
                Some(keyword) if is_qualifier(keyword) => qualifiers.restrict = true,
                _ => return qualifiers,
            }
            self.bump();
        }
    }
}

/// The meaning of a token that spells `name`: a namespace alias stands for a library's namespace,
/// and yet the token is the user's.
pub(super) fn as_spelled(meaning: Meaning, name: Symbol) -> Meaning {
    match meaning {
        Meaning::Api(key) | Meaning::Library(key)
            if key.as_str().rsplit("::").next() != Some(name.as_str()) =>
        {
            Meaning::User(Entity::LibraryAlias)
        }
        meaning => meaning,
    }
}

fn is_overloadable(kind: TokenKind) -> bool {
    use TokenKind::*;
    matches!(
        kind,
        Plus | Minus
            | Star
            | Slash
            | Percent
            | Caret
            | Ampersand
            | Pipe
            | Tilde
            | Exclamation
            | Equal
            | Less
            | Greater
            | PlusEqual
            | MinusEqual
            | StarEqual
            | SlashEqual
            | PercentEqual
            | CaretEqual
            | AmpersandEqual
            | PipeEqual
            | LessLess
            | LessLessEqual
            | EqualEqual
            | ExclamationEqual
            | LessEqual
            | GreaterEqual
            | Spaceship
            | AmpersandAmpersand
            | PipePipe
            | PlusPlus
            | MinusMinus
            | Comma
            | ArrowStar
            | Arrow
    )
}
