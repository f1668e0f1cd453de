//! Looking ahead: where a name, a type or a template argument list ends, and what sort it is. Nothing
//! is built and nothing is recorded here.
//!
//! Where every name is known the answers are those of the language. For unknown names they go by
//! what the tokens around can mean: `a * b;` with both unknown declares (its value would be unused),
//! `(T)x` with two operands side by side casts, `f<A>(x)` is a call with template arguments when what
//! stands between the angles could be arguments.

use port_syntax::{Keyword, Token, TokenKind};

use super::Builder;
use super::cursor::END;
use super::lookup::{Class, Found, Place};
use super::words::{is_fundamental, is_qualifier};

/// A name seen by looking ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScannedName {
    /// The token after it.
    pub end: usize,
    pub class: Class,
    /// Index of its last identifier.
    pub last: usize,
    /// Whether it is one identifier.
    pub simple: bool,
    /// Whether template arguments end it.
    pub arguments: bool,
    /// Whether it is a member of something that depends on a template parameter: without
    /// `typename` the language takes it for a value.
    pub dependent: bool,
}

/// A type seen by looking ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScannedType {
    /// The token after it.
    pub end: usize,
    /// Whether it can only be a type.
    pub certain: bool,
}

/// Looking for the `>` of a template argument list that may be none stops after so many tokens.
const LONGEST_ARGUMENTS: usize = 1024;

/// Function types inside each other that are looked through.
const DEEPEST_SCAN: u32 = 16;

impl Builder<'_> {
    /// A qualified or plain name at `position`; `None` if there is none.
    pub(super) fn scan_name(&mut self, position: usize) -> Option<ScannedName> {
        let mut at = position;
        let mut place = Place::Open;
        let mut simple = true;
        if self.kind_at(at) == TokenKind::ColonColon {
            place = Place::Namespace(self.module.global());
            simple = false;
            at += 1;
        }
        loop {
            let after_template = self.keyword_at(at) == Some(Keyword::Template);
            if after_template {
                at += 1;
            }
            let last = at;
            let name = self.name_at(at)?;
            at += 1;
            let mut found = self.look(place, name);
            if self.kind_at(at) == TokenKind::ColonColon {
                found = self.as_qualifier(found, name);
            }
            let mut class = self.class_of(found, false);
            let mut arguments = false;
            if self.kind_at(at) == TokenKind::Less
                && (after_template || self.opens_arguments(class, at))
                && let Some(end) = self.past_arguments(at)
            {
                arguments = true;
                at = end;
                class = self.class_of(found, true);
            }
            if self.kind_at(at) == TokenKind::ColonColon
                && (self.is_name_at(at + 1) || self.keyword_at(at + 1) == Some(Keyword::Template))
            {
                place = self.place_of(found, name, arguments);
                simple = false;
                at += 1;
                continue;
            }
            let dependent = !simple && matches!(found, Found::Dependent);
            return Some(ScannedName { end: at, class, last, simple, arguments, dependent });
        }
    }

    /// A name where a declaration begins.
    pub(super) fn scan_declared_name(&mut self, position: usize) -> Option<ScannedName> {
        let outer = std::mem::replace(&mut self.in_declaration, true);
        let name = self.scan_name(position);
        self.in_declaration = outer;
        name
    }

    /// Whether a `<` at `less`, after a name of this class, opens template arguments.
    pub(super) fn opens_arguments(&self, class: Class, less: usize) -> bool {
        match class {
            Class::Type | Class::TypeTemplate | Class::ValueTemplate => true,
            Class::Function { template: true } => true,
            Class::Value | Class::Namespace => false,
            // No declaration begins with a comparison.
            Class::Unknown if self.in_declaration => self.past_arguments(less).is_some(),
            Class::Function { template: false } | Class::Unknown => self.looks_like_arguments(less),
        }
    }

    /// The token after the `>` that closes the template arguments opened at `less`.
    pub(super) fn past_arguments(&self, less: usize) -> Option<usize> {
        let mut depth = 0u32;
        let mut at = less;
        while at < self.end && at < less + LONGEST_ARGUMENTS {
            match self.tokens[at].kind {
                // After a name it opens arguments; between values it compares, and stands in
                // parentheses or closes nothing.
                TokenKind::Less if at == less || self.closes_a_name(at) => depth += 1,
                TokenKind::Greater => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                kind if kind.is_open() => {
                    at = self.closer(at)?;
                }
                kind if kind.is_close() => return None,
                TokenKind::Semicolon | TokenKind::LaunchOpen | TokenKind::LaunchClose => {
                    return None;
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// Whether a `<` at `at` follows something that template arguments can follow.
    fn closes_a_name(&self, at: usize) -> bool {
        let before = at - 1;
        if let Some(
            Keyword::StaticCast
            | Keyword::ReinterpretCast
            | Keyword::ConstCast
            | Keyword::DynamicCast,
        ) = self.keyword_at(before)
        {
            return true;
        }
        self.name_at(before).is_some_and(|_| {
            !matches!(self.kind_at(at + 1), TokenKind::Number | TokenKind::Character)
                || self.past_number_closes(at + 1)
        })
    }

    /// `<3>` and `<3,` continue template arguments; `< 3 &&` compares.
    fn past_number_closes(&self, number: usize) -> bool {
        !matches!(
            self.kind_at(number + 1),
            TokenKind::AmpersandAmpersand | TokenKind::PipePipe | TokenKind::Question
        )
    }

    /// Whether what follows a `<` after an unknown name reads better as template arguments than as
    /// a comparison.
    fn looks_like_arguments(&self, less: usize) -> bool {
        let Some(end) = self.past_arguments(less) else { return false };
        let mut at = less + 1;
        while at + 1 < end {
            match self.tokens[at].kind {
                kind if kind.is_open() => at = self.closer(at).unwrap_or(at),
                TokenKind::AmpersandAmpersand => {
                    // `T &&` ends an argument; `a && b` combines comparisons.
                    let next = self.kind_at(at + 1);
                    if !matches!(next, TokenKind::Greater | TokenKind::Comma | TokenKind::Ellipsis)
                    {
                        return false;
                    }
                }
                TokenKind::PipePipe
                | TokenKind::Question
                | TokenKind::Equal
                | TokenKind::PlusEqual
                | TokenKind::MinusEqual
                | TokenKind::LessEqual
                | TokenKind::GreaterEqual
                | TokenKind::PlusPlus
                | TokenKind::MinusMinus => return false,
                TokenKind::String => return false,
                _ => {}
            }
            at += 1;
        }
        match self.kind_at(end) {
            TokenKind::LeftParen => {
                // `a < b > (c)`: arguments, unless a value stands where only a comparison has it.
                !self.is_value_name(less + 1, end - 1)
            }
            TokenKind::Identifier => {
                // `vector<int> v`; never `a < b > c`.
                !self.is_value_name(less + 1, end - 1)
            }
            TokenKind::Number | TokenKind::Character | TokenKind::String => false,
            _ => true,
        }
    }

    /// Whether the tokens are one identifier that is a local variable: no likely template argument
    /// of an unknown template.
    fn is_value_name(&self, start: usize, end: usize) -> bool {
        use super::scope::{Binding, Lexical};
        end == start + 1
            && self.name_at(start).is_some_and(|name| match self.scopes.lexical(name) {
                Some(Lexical::Binding(Binding::Local(id))) => {
                    !self.module.locals[id].storage.constexpr
                        && !self.is_constant(self.module.locals[id].ty)
                }
                _ => false,
            })
    }

    fn is_constant(&self, ty: crate::TyId) -> bool {
        self.module.types[ty].qualifiers.constant
    }

    /// A type with an abstract declarator at `position`: what can stand in a cast or as a template
    /// argument. `functions`: whether `R(A)` is one.
    pub(super) fn scan_type(&mut self, position: usize, functions: bool) -> Option<ScannedType> {
        if self.scan_depth >= DEEPEST_SCAN {
            return None;
        }
        self.scan_depth += 1;
        let scanned = self.scan_type_inner(position, functions);
        self.scan_depth -= 1;
        scanned
    }

    fn scan_type_inner(&mut self, position: usize, functions: bool) -> Option<ScannedType> {
        let mut at = position;
        let mut certain = false;
        let mut has_type = false;
        loop {
            match self.keyword_at(at) {
                Some(keyword) if is_fundamental(keyword) => {
                    certain = true;
                    has_type = true;
                    at += 1;
                }
                Some(keyword) if is_qualifier(keyword) => {
                    certain = true;
                    at += 1;
                }
                Some(Keyword::Struct | Keyword::Class | Keyword::Union | Keyword::Enum)
                    if !has_type =>
                {
                    at = self.scan_name(at + 1)?.end;
                    certain = true;
                    has_type = true;
                }
                Some(Keyword::Typename) if !has_type => {
                    at = self.scan_declared_name(at + 1)?.end;
                    certain = true;
                    has_type = true;
                }
                Some(Keyword::Decltype | Keyword::GnuTypeof) if !has_type => {
                    at = self.past_group(at + 1);
                    certain = true;
                    has_type = true;
                    while self.kind_at(at) == TokenKind::ColonColon && self.is_name_at(at + 1) {
                        at += 2;
                        if self.kind_at(at) == TokenKind::Less {
                            at = self.past_arguments(at)?;
                        }
                        certain = false;
                    }
                }
                _ if has_type => break,
                _ => {
                    let name = self.scan_name(at)?;
                    match name.class {
                        Class::Type | Class::TypeTemplate => certain = true,
                        Class::Unknown => {}
                        _ => return None,
                    }
                    has_type = true;
                    at = name.end;
                }
            }
        }
        self.scan_abstract_declarator(at, certain, functions, 0)
    }

    fn scan_abstract_declarator(
        &mut self,
        position: usize,
        mut certain: bool,
        functions: bool,
        depth: u32,
    ) -> Option<ScannedType> {
        let mut at = position;
        loop {
            match self.kind_at(at) {
                TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => {
                    at += 1;
                    // Nothing else can follow an operator directly.
                    if matches!(
                        self.kind_at(at),
                        TokenKind::RightParen
                            | TokenKind::Comma
                            | TokenKind::Greater
                            | TokenKind::RightBracket
                            | TokenKind::Semicolon
                    ) {
                        certain = true;
                    }
                }
                TokenKind::Identifier => match self.keyword_at(at) {
                    Some(keyword) if is_qualifier(keyword) => {
                        certain = true;
                        at += 1;
                    }
                    Some(_) => return Some(ScannedType { end: at, certain }),
                    None => {
                        // `C::*`
                        let Some(name) = self.scan_name(at) else { break };
                        if self.kind_at(name.end) == TokenKind::ColonColon
                            && self.kind_at(name.end + 1) == TokenKind::Star
                        {
                            certain = true;
                            at = name.end + 2;
                        } else {
                            return Some(ScannedType { end: at, certain });
                        }
                    }
                },
                TokenKind::LeftParen => {
                    let close = self.closer(at)?;
                    let first = self.kind_at(at + 1);
                    let is_inner = matches!(
                        first,
                        TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand
                    );
                    if is_inner && depth < 8 {
                        let inner =
                            self.scan_abstract_declarator(at + 1, certain, functions, depth + 1)?;
                        if inner.end != close {
                            // `T (&a)[4]`: the name of a declarator that is not abstract.
                            return Some(ScannedType { end: at, certain });
                        }
                        at = close + 1;
                        while self.kind_at(at).is_open() && self.kind_at(at) != TokenKind::LeftBrace
                        {
                            at = self.past_group(at);
                        }
                        return Some(ScannedType { end: at, certain: true });
                    }
                    if functions && self.scan_parameter_types(at + 1, close) {
                        at = close + 1;
                        while let Some(Keyword::Const | Keyword::Noexcept) = self.keyword_at(at) {
                            at += 1;
                        }
                        return Some(ScannedType { end: at, certain: true });
                    }
                    return Some(ScannedType { end: at, certain });
                }
                TokenKind::LeftBracket => {
                    let close = self.closer(at)?;
                    if close == at + 1 {
                        certain = true;
                    }
                    at = close + 1;
                }
                _ => break,
            }
        }
        Some(ScannedType { end: at, certain })
    }

    /// Whether the tokens are parameter types: `int, float *`, `Args...`, nothing, `void`.
    fn scan_parameter_types(&mut self, start: usize, close: usize) -> bool {
        let mut at = start;
        if at == close {
            return true;
        }
        loop {
            if self.kind_at(at) == TokenKind::Ellipsis {
                return at + 1 == close;
            }
            let Some(ty) = self.scan_type(at, true) else { return false };
            at = ty.end;
            if self.kind_at(at) == TokenKind::Ellipsis {
                at += 1;
            }
            if self.is_name_at(at) {
                at += 1;
            }
            if at == close {
                return true;
            }
            if self.kind_at(at) != TokenKind::Comma {
                return false;
            }
            at += 1;
        }
    }

    /// Whether the token at `index` can begin an operand.
    pub(super) fn begins_operand(&self, index: usize) -> bool {
        match self.kind_at(index) {
            TokenKind::Identifier => !matches!(
                self.keyword_at(index),
                Some(
                    Keyword::And
                        | Keyword::Or
                        | Keyword::Xor
                        | Keyword::Bitand
                        | Keyword::Bitor
                        | Keyword::NotEq
                        | Keyword::AndEq
                        | Keyword::OrEq
                        | Keyword::XorEq
                )
            ),
            TokenKind::Number
            | TokenKind::Character
            | TokenKind::String
            | TokenKind::LeftParen
            | TokenKind::LeftBrace
            | TokenKind::Tilde
            | TokenKind::Exclamation
            | TokenKind::PlusPlus
            | TokenKind::MinusMinus
            | TokenKind::Plus
            | TokenKind::Minus
            | TokenKind::Star
            | TokenKind::Ampersand
            | TokenKind::ColonColon => true,
            // A lambda, not an index.
            TokenKind::LeftBracket => true,
            _ => false,
        }
    }

    /// The `;` that ends the statement at `position`, or the bracket that ends its block.
    pub(super) fn statement_end(&self, position: usize) -> usize {
        let mut at = position;
        while at < self.end {
            match self.tokens[at].kind {
                TokenKind::Semicolon => return at,
                kind if kind.is_close() => return at,
                kind if kind.is_open() => match self.closer(at) {
                    Some(close) => at = close + 1,
                    None => at += 1,
                },
                _ => at += 1,
            }
        }
        self.end
    }

    /// Whether a `;` stands directly between the brackets, and not deeper.
    pub(super) fn has_semicolon(&self, open: usize, close: usize) -> bool {
        let mut at = open + 1;
        while at < close {
            match self.tokens[at].kind {
                TokenKind::Semicolon => return true,
                kind if kind.is_open() => match self.closer(at) {
                    Some(inner) => at = inner + 1,
                    None => at += 1,
                },
                _ => at += 1,
            }
        }
        false
    }

    pub(super) fn found_at(&mut self, index: usize) -> Found {
        match self.name_at(index) {
            Some(name) => self.look(Place::Open, name),
            None => Found::Nothing,
        }
    }

    pub(super) fn token(&self, index: usize) -> Option<&Token> {
        self.tokens.get(index).filter(|_| index < self.end)
    }

    pub(super) fn at_end(&self) -> bool {
        self.kind() == END
    }
}
