//! Looking ahead: is this a type, a template argument list, a declaration? Nothing is built and
//! nothing is recorded here.
//!
//! Where every name is known the answers are those of the language. For unknown names they go by
//! what the tokens around can mean: `a * b;` with both unknown declares (its value would be unused),
//! `(T)x` with two operands side by side casts, `f<A>(x)` is a call with template arguments when what
//! stands between the angles could be arguments.

use port_syntax::{Keyword, Token, TokenKind};

use super::Builder;
use super::cursor::END;
use super::lookup::{Class, Found, Place};

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
            let found = self.look(place, name);
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

    /// Whether the group that opens at `open`, after a declared name, is a parameter list rather
    /// than an initialiser.
    pub(super) fn is_parameter_list(&mut self, open: usize) -> bool {
        let Some(close) = self.closer(open) else { return false };
        let first = open + 1;
        if first == close || self.kind_at(first) == TokenKind::Ellipsis {
            return true;
        }
        if self.kind_at(first) == TokenKind::LeftBracket
            && self.kind_at(first + 1) == TokenKind::LeftBracket
        {
            return true;
        }
        match self.keyword_at(first) {
            Some(Keyword::Auto | Keyword::Register) => return true,
            Some(keyword) if is_qualifier(keyword) || is_parameter_qualifier(keyword) => {
                return true;
            }
            Some(Keyword::Void) if first + 1 == close => return true,
            _ => {}
        }
        let Some(ty) = self.scan_type(first, false) else { return false };
        let in_block = self.context.function.is_some();
        match self.kind_at(ty.end) {
            // `T x(int())` and casts are values; `int (*f)(int)` and `int (&a)[3]` are parameters.
            TokenKind::LeftParen => {
                ty.certain
                    && matches!(
                        self.kind_at(ty.end + 1),
                        TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand
                    )
            }
            TokenKind::LeftBrace => false,
            TokenKind::Identifier => match self.keyword_at(ty.end) {
                Some(keyword) if is_qualifier(keyword) => true,
                Some(_) => false,
                None => self.declares_after_unknown(ty, ty.end, in_block),
            },
            TokenKind::Ellipsis => true,
            TokenKind::Comma | TokenKind::RightParen | TokenKind::Equal => {
                ty.certain
                    || (!in_block && self.closer(open) != Some(ty.end))
                    || (!in_block && !self.is_upper_case(first))
            }
            _ => false,
        }
    }

    /// Whether `T * x` with an unknown `T` declares `x`: not if `x` is a variable in view.
    fn declares_after_unknown(&mut self, ty: ScannedType, name: usize, in_block: bool) -> bool {
        if ty.certain {
            return true;
        }
        let operator = matches!(
            self.kind_at(name - 1),
            TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand
        );
        if !operator {
            return true;
        }
        !(in_block && self.is_known_value(name))
    }

    /// Whether the identifier is a variable, function or constant in view.
    pub(super) fn is_known_value(&mut self, index: usize) -> bool {
        let Some(name) = self.name_at(index) else { return false };
        let found = self.look(Place::Open, name);
        matches!(
            self.class_of(found, false),
            Class::Value | Class::ValueTemplate | Class::Function { .. }
        )
    }

    /// Whether an identifier is written like a constant macro: `BLOCK_SIZE`.
    pub(super) fn is_upper_case(&self, index: usize) -> bool {
        self.name_at(index).is_some_and(|name| {
            let text = name.as_str();
            text.len() > 1
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
    }

    /// Whether a statement that begins at `position` is a declaration.
    pub(super) fn is_declaration(&mut self, position: usize) -> bool {
        match self.keyword_at(position) {
            Some(Keyword::Typename) => {
                let Some(name) = self.scan_declared_name(position + 1) else { return true };
                return !matches!(
                    self.kind_at(name.end),
                    TokenKind::LeftParen | TokenKind::LeftBrace
                ) || self.is_pointer_declarator(name.end);
            }
            Some(Keyword::Decltype | Keyword::GnuTypeof) => {
                let end = self.past_group(position + 1);
                return !matches!(
                    self.kind_at(end),
                    TokenKind::LeftParen | TokenKind::LeftBrace | TokenKind::ColonColon
                );
            }
            Some(keyword) if is_fundamental(keyword) => {
                let mut end = position + 1;
                while self.keyword_at(end).is_some_and(is_fundamental) {
                    end += 1;
                }
                return match self.kind_at(end) {
                    TokenKind::LeftParen => self.is_pointer_declarator(end),
                    TokenKind::LeftBrace => false,
                    _ => true,
                };
            }
            Some(keyword) if is_declaration_keyword(keyword) => return true,
            Some(_) => return false,
            None => {}
        }
        let Some(name) = self.scan_declared_name(position) else { return false };
        let next = self.kind_at(name.end);
        match name.class {
            Class::Type | Class::TypeTemplate => match next {
                TokenKind::Identifier => match self.keyword_at(name.end) {
                    None => true,
                    Some(keyword) => {
                        is_declaration_keyword(keyword) || keyword == Keyword::Operator
                    }
                },
                TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => true,
                TokenKind::LeftParen => self.is_pointer_declarator(name.end),
                TokenKind::LeftBracket => self.is_binding(name.end),
                TokenKind::Semicolon => true,
                TokenKind::ColonColon => self.kind_at(name.end + 1) == TokenKind::Star,
                _ => false,
            },
            Class::Unknown => match next {
                TokenKind::Identifier => match self.keyword_at(name.end) {
                    None => !self.is_macro_before_statement(name),
                    Some(keyword) => is_declaration_keyword(keyword),
                },
                TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => {
                    self.is_unknown_pointer_declaration(name)
                }
                _ => false,
            },
            Class::Value | Class::ValueTemplate | Class::Function { .. } | Class::Namespace => {
                false
            }
        }
    }

    /// `MACRO` on a line of its own before a statement is no type.
    fn is_macro_before_statement(&self, name: ScannedName) -> bool {
        name.simple && !name.arguments && self.tokens[name.end].line_start && {
            // `T` `x;` over two lines is rare; `MACRO` `f(x);` is not.
            let after = self.kind_at(name.end + 1);
            !matches!(after, TokenKind::Equal | TokenKind::Semicolon | TokenKind::Comma)
        }
    }

    /// `A * b` of an unknown `A`, by what follows.
    fn is_unknown_pointer_declaration(&mut self, name: ScannedName) -> bool {
        if name.dependent {
            return false;
        }
        let by_and = self.kind_at(name.end) == TokenKind::AmpersandAmpersand;
        let mut at = name.end;
        loop {
            match self.kind_at(at) {
                TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => at += 1,
                TokenKind::Identifier if self.keyword_at(at).is_some_and(is_qualifier) => {
                    return true;
                }
                _ => break,
            }
        }
        if !self.is_name_at(at) {
            return false;
        }
        match self.kind_at(at + 1) {
            TokenKind::Equal => true,
            TokenKind::Semicolon | TokenKind::Comma | TokenKind::LeftBracket | TokenKind::Colon => {
                let product = self.is_known_value(at) && self.is_upper_case(name.last);
                !by_and && !product
            }
            _ => false,
        }
    }

    /// `(*f)(…)`, `(*p)[3]`, `(&a)[n]`, `(x);`, `(x) = 1` after a type: a declarator in parentheses.
    fn is_pointer_declarator(&mut self, open: usize) -> bool {
        let Some(close) = self.closer(open) else { return false };
        let after = self.kind_at(close + 1);
        match self.kind_at(open + 1) {
            TokenKind::Star | TokenKind::Ampersand | TokenKind::AmpersandAmpersand => {
                let mut at = open + 2;
                while self.kind_at(at) == TokenKind::Star
                    || self.keyword_at(at).is_some_and(is_qualifier)
                {
                    at += 1;
                }
                self.is_name_at(at)
                    && match self.kind_at(at + 1) {
                        TokenKind::RightParen => matches!(
                            after,
                            TokenKind::LeftParen
                                | TokenKind::LeftBracket
                                | TokenKind::Equal
                                | TokenKind::Semicolon
                        ),
                        TokenKind::LeftBracket => {
                            self.past_group(at + 1) == close && after == TokenKind::LeftParen
                        }
                        _ => false,
                    }
            }
            TokenKind::Identifier => {
                self.is_name_at(open + 1)
                    && open + 2 == close
                    && matches!(after, TokenKind::Semicolon | TokenKind::Equal)
                    && !self.is_known_value(open + 1)
            }
            _ => false,
        }
    }

    /// `auto [a, b] =` after its `auto`.
    pub(super) fn is_binding(&self, open: usize) -> bool {
        self.closer(open).is_some_and(|close| {
            close > open + 1
                && matches!(
                    self.kind_at(close + 1),
                    TokenKind::Equal | TokenKind::Colon | TokenKind::LeftBrace
                )
                && self.is_name_at(open + 1)
                && matches!(self.kind_at(open + 2), TokenKind::Comma | TokenKind::RightBracket)
        })
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

/// Keywords that spell a fundamental type.
pub(super) fn is_fundamental(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Void
            | Keyword::Bool
            | Keyword::Char
            | Keyword::Char8
            | Keyword::Char16
            | Keyword::Char32
            | Keyword::Wchar
            | Keyword::Short
            | Keyword::Int
            | Keyword::Long
            | Keyword::Signed
            | Keyword::Unsigned
            | Keyword::Float
            | Keyword::Double
            | Keyword::Int128
            | Keyword::GnuSigned
            | Keyword::Auto
    )
}

/// `const`, `volatile`, `__restrict__`.
pub(super) fn is_qualifier(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Const
            | Keyword::GnuConst
            | Keyword::GnuConstLong
            | Keyword::Volatile
            | Keyword::GnuVolatile
            | Keyword::GnuVolatileShort
            | Keyword::GnuRestrict
            | Keyword::GnuRestrictShort
    )
}

fn is_parameter_qualifier(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::GridConstant | Keyword::GnuAttribute | Keyword::GnuAttributeShort)
}

/// Keywords that only a declaration begins with, or has after its type.
pub(super) fn is_declaration_keyword(keyword: Keyword) -> bool {
    is_qualifier(keyword)
        || is_fundamental(keyword)
        || matches!(
            keyword,
            Keyword::Static
                | Keyword::Extern
                | Keyword::Register
                | Keyword::Mutable
                | Keyword::ThreadLocal
                | Keyword::GnuThread
                | Keyword::Inline
                | Keyword::GnuInline
                | Keyword::GnuInlineShort
                | Keyword::Constexpr
                | Keyword::Constinit
                | Keyword::Consteval
                | Keyword::Typedef
                | Keyword::Virtual
                | Keyword::Explicit
                | Keyword::Friend
                | Keyword::Alignas
                | Keyword::Struct
                | Keyword::Class
                | Keyword::Union
                | Keyword::Enum
                | Keyword::Typename
                | Keyword::Shared
                | Keyword::Constant
                | Keyword::Device
                | Keyword::Host
                | Keyword::Global
                | Keyword::Managed
                | Keyword::GridConstant
                | Keyword::ForceInline
                | Keyword::NoInline
                | Keyword::InlineHint
                | Keyword::LaunchBounds
                | Keyword::MaxRegisters
                | Keyword::ClusterDims
                | Keyword::BlockSize
                | Keyword::Align
                | Keyword::BuiltinAlign
                | Keyword::NvPure
                | Keyword::GnuAttribute
                | Keyword::GnuAttributeShort
                | Keyword::Declspec
                | Keyword::DeviceBuiltin
                | Keyword::CudartBuiltin
        )
}
