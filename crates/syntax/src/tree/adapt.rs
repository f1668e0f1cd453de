//! Forms that tree-sitter-cpp cannot read, made readable: some tokens are hidden, some statements
//! get the `;` that a macro of an unseen header would have brought, some types in operand position
//! are shown as a name. Decides by the shape of the tokens alone; the tokens themselves stay as they
//! are, so that later stages read what the user wrote.

use super::hide::HiddenKind;
use crate::keyword::Keyword;
use crate::token::{Token, TokenKind};

/// What to do at a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adaptation {
    /// Hide the tokens up to this index.
    Hide(HiddenKind, usize),
    /// Show a `;` after the token before this index.
    Semicolon(usize),
    /// Show a type's name before this token.
    TypeBefore,
    /// Hide these tokens, which come later. Of a type operand the first is shown as a name.
    HideLater(HiddenKind, usize, usize),
}

/// The forms looked for end within this many tokens.
const REACH: usize = 4096;

/// For each token that opens a bracket, the index of the one that closes it; 0 if none does, and for
/// all other tokens. Brackets are counted whatever their kind.
pub(super) fn match_brackets(tokens: &[Token]) -> Vec<u32> {
    let mut closing = vec![0; tokens.len()];
    let mut opens = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind.is_open() {
            opens.push(index);
        } else if token.kind.is_close()
            && let Some(open) = opens.pop()
        {
            closing[open] = index as u32;
        }
    }
    closing
}

/// What to do at token `at`. `closing`: see [`match_brackets`]. `previous`: the index of the visible
/// token before it.
pub(super) fn at(
    tokens: &[Token],
    closing: &[u32],
    at: usize,
    previous: Option<usize>,
) -> Option<Adaptation> {
    let token = tokens.get(at)?;
    let reader = Reader { tokens, closing };
    if token.kind == TokenKind::LeftBrace {
        return reader.default_argument(at, previous).then_some(Adaptation::TypeBefore);
    }
    match token.text.keyword() {
        Some(Keyword::Template | Keyword::Extern) => reader.explicit_instantiation(at, previous),
        Some(Keyword::Typename) => reader.typename_in_expression(at),
        Some(Keyword::New) => reader.new_array_of_pointers(at),
        Some(Keyword::Const) if previous.is_some_and(|p| tokens[p].is(Keyword::New)) => {
            Some(Adaptation::Hide(HiddenKind::NewPointer, at + 1))
        }
        Some(Keyword::Typeid) => reader.type_operand(at, at + 2),
        Some(_) => None,
        None if token.text.is_upper_case() => reader.unknown_macro(at, previous),
        None if token.text == "va_arg" => reader.variable_argument(at),
        None => None,
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    closing: &'a [u32],
}

/// Words that begin or go on a declaration and can follow no type's name.
fn begins_declaration(keyword: Keyword) -> bool {
    use Keyword::*;
    is_fundamental(keyword)
        || is_qualifier(keyword)
        || matches!(keyword, Class | Struct | Union | Enum | Template | Typename | Friend)
        || matches!(keyword, Typedef | Using | Namespace)
}

/// The types with names of their own.
fn is_fundamental(keyword: Keyword) -> bool {
    use Keyword::*;
    matches!(
        keyword,
        Void | Bool
            | Char
            | Char8
            | Char16
            | Char32
            | Wchar
            | Short
            | Int
            | Long
            | Float
            | Double
            | Signed
            | Unsigned
            | Auto
            | Int128
    )
}

/// Specifiers that stand before a declaration's type.
fn is_qualifier(keyword: Keyword) -> bool {
    use Keyword::*;
    matches!(
        keyword,
        Static
            | Inline
            | Extern
            | Constexpr
            | Virtual
            | Explicit
            | GnuInline
            | GnuInlineShort
            | Global
            | Device
            | Host
            | Shared
            | Constant
            | Managed
            | ForceInline
            | NoInline
    )
}

impl Reader<'_> {
    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn keyword(&self, at: usize) -> Option<Keyword> {
        self.tokens.get(at).and_then(Token::keyword)
    }

    /// Whether the token is a name, not a keyword.
    fn is_name(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Identifier) && self.keyword(at).is_none()
    }

    /// The index after the bracket that closes the one at `open`.
    fn after_group(&self, open: usize) -> Option<usize> {
        let close = *self.closing.get(open)?;
        (close > 0).then_some(close as usize + 1)
    }

    /// The index after the `>` that closes the `<` at `open`; arguments with a `;` or `{` are none.
    fn after_angles(&self, open: usize) -> Option<usize> {
        let (mut angles, mut at) = (0_usize, open);
        while at < open + REACH {
            match self.kind(at)? {
                TokenKind::Less => angles += 1,
                TokenKind::Greater => {
                    angles -= 1;
                    if angles == 0 {
                        return Some(at + 1);
                    }
                }
                TokenKind::LeftParen | TokenKind::LeftBracket => {
                    at = self.after_group(at)?;
                    continue;
                }
                TokenKind::Semicolon | TokenKind::LeftBrace | TokenKind::RightBrace => return None,
                TokenKind::RightParen | TokenKind::RightBracket => return None,
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// The index after a name such as `::A::B<int>::C`, and whether it has `::` inside.
    fn after_qualified_name(&self, mut at: usize) -> Option<(usize, bool)> {
        let mut qualified = false;
        if self.kind(at) == Some(TokenKind::ColonColon) {
            at += 1;
        }
        loop {
            if self.keyword(at) == Some(Keyword::Template) {
                at += 1;
            }
            if !self.is_name(at) {
                return None;
            }
            at += 1;
            if self.kind(at) == Some(TokenKind::Less) {
                match self.after_angles(at) {
                    Some(after) => at = after,
                    None => return Some((at, qualified)),
                }
            }
            if self.kind(at) != Some(TokenKind::ColonColon) {
                return Some((at, qualified));
            }
            qualified = true;
            at += 1;
        }
    }

    /// `template class X<float>;`, `template void f<3>(int);`, `extern template …;`: read by later
    /// stages from the tokens, because the grammar knows only some of them.
    fn explicit_instantiation(&self, at: usize, previous: Option<usize>) -> Option<Adaptation> {
        let begin = if self.keyword(at) == Some(Keyword::Extern) { at + 1 } else { at };
        if self.keyword(begin) != Some(Keyword::Template)
            || self.kind(begin + 1) == Some(TokenKind::Less)
        {
            return None;
        }
        // `x.template f<3>()`
        if let Some(TokenKind::Dot | TokenKind::Arrow | TokenKind::ColonColon) =
            previous.and_then(|previous| self.kind(previous))
        {
            return None;
        }
        let mut index = begin + 1;
        while index < begin + REACH {
            match self.kind(index)? {
                TokenKind::Semicolon => {
                    return Some(Adaptation::Hide(HiddenKind::ExplicitInstantiation, index + 1));
                }
                TokenKind::LeftParen => index = self.after_group(index)?,
                TokenKind::LeftBrace | TokenKind::RightBrace => return None,
                _ => index += 1,
            }
        }
        None
    }

    /// `typename T::X{}` and `typename T::X(…)`: the grammar wants no `typename` in an expression.
    fn typename_in_expression(&self, at: usize) -> Option<Adaptation> {
        let (after, qualified) = self.after_qualified_name(at + 1)?;
        let called = matches!(self.kind(after), Some(TokenKind::LeftBrace | TokenKind::LeftParen));
        (qualified && called).then_some(Adaptation::Hide(HiddenKind::Typename, at + 1))
    }

    /// `new T *[n]`: the grammar knows no pointers before the bracket.
    fn new_array_of_pointers(&self, at: usize) -> Option<Adaptation> {
        let mut index = at + 1;
        while self.keyword(index).is_some_and(|keyword| {
            is_fundamental(keyword) || matches!(keyword, Keyword::Const | Keyword::Struct)
        }) {
            index += 1;
        }
        if let Some((after, _)) = self.after_qualified_name(index) {
            index = after;
        }
        let stars = index;
        while self.kind(index) == Some(TokenKind::Star) {
            index += 1;
        }
        (stars > at + 1 && index > stars && self.kind(index) == Some(TokenKind::LeftBracket))
            .then_some(Adaptation::HideLater(HiddenKind::NewPointer, stars, index))
    }

    /// `f(T x = {})`: the grammar wants an expression, so the braces become those of `T{}`.
    fn default_argument(&self, at: usize, previous: Option<usize>) -> bool {
        let equal = previous.is_some_and(|previous| self.kind(previous) == Some(TokenKind::Equal));
        equal
            && self.after_group(at).is_some_and(|after| {
                matches!(self.kind(after), Some(TokenKind::Comma | TokenKind::RightParen))
            })
    }

    /// `typeid(int)`: a fundamental type from `start` to the closing parenthesis.
    fn type_operand(&self, at: usize, start: usize) -> Option<Adaptation> {
        if self.kind(at + 1) != Some(TokenKind::LeftParen)
            || !self.keyword(start).is_some_and(is_fundamental)
        {
            return None;
        }
        let end = self.after_group(at + 1)? - 1;
        Some(Adaptation::HideLater(HiddenKind::TypeOperand, start, end))
    }

    /// `va_arg(list, type)`
    fn variable_argument(&self, at: usize) -> Option<Adaptation> {
        if self.kind(at + 1) != Some(TokenKind::LeftParen) {
            return None;
        }
        let end = self.after_group(at + 1)? - 1;
        let comma = (at + 2..end).find(|index| self.kind(*index) == Some(TokenKind::Comma))?;
        Some(Adaptation::HideLater(HiddenKind::TypeOperand, comma + 1, end))
    }

    /// A name spelled like a macro where no C++ name can stand: what it stands for is in a header
    /// that is not in view.
    fn unknown_macro(&self, at: usize, previous: Option<usize>) -> Option<Adaptation> {
        if self.kind(at + 1) == Some(TokenKind::LeftParen) {
            let after = self.after_group(at + 1)?;
            return self.qualifier_call(at, previous, after).or_else(|| {
                self.statement_call(previous, after).then_some(Adaptation::Semicolon(after))
            });
        }
        let hide = Adaptation::Hide(HiddenKind::UnknownMacro, at + 1);
        self.is_unknown_qualifier(at, previous).then_some(hide)
    }

    /// `API void f(`, `API T f(`, `void API f(`, `T API f(`, `explicit API X(`, `class API X {`.
    fn is_unknown_qualifier(&self, at: usize, previous: Option<usize>) -> bool {
        let before = previous.and_then(|previous| self.kind(previous));
        let before_keyword = previous.and_then(|previous| self.keyword(previous));
        match before_keyword {
            Some(Keyword::Class | Keyword::Struct | Keyword::Union) => {
                return self.is_name(at + 1)
                    && (matches!(
                        self.kind(at + 2),
                        Some(TokenKind::LeftBrace | TokenKind::Colon | TokenKind::Less)
                    ) || self.keyword(at + 2) == Some(Keyword::Final));
            }
            Some(Keyword::Explicit) => return self.is_name(at + 1),
            Some(keyword) if is_fundamental(keyword) && keyword != Keyword::Auto => {
                return self.is_name(at + 1)
                    && matches!(
                        self.kind(at + 2),
                        Some(TokenKind::LeftParen | TokenKind::ColonColon | TokenKind::Less)
                    );
            }
            Some(keyword) if !is_qualifier(keyword) => return false,
            Some(_) => {}
            None => match before {
                None
                | Some(
                    TokenKind::Semicolon
                    | TokenKind::LeftBrace
                    | TokenKind::RightBrace
                    | TokenKind::Greater
                    | TokenKind::Colon,
                ) => {}
                // `T API f(`; a cast or a list has no second name after it.
                Some(TokenKind::Identifier) => {
                    return self.is_name(at + 1) && self.kind(at + 2) == Some(TokenKind::LeftParen);
                }
                Some(_) => return false,
            },
        }
        let next = at + 1;
        if let Some(keyword) = self.keyword(next) {
            return begins_declaration(keyword)
                // `API const T& f(`, but `T const x`.
                || (keyword == Keyword::Const
                    && self.is_name(next + 1)
                    && (self.is_name(next + 2)
                        || matches!(
                            self.kind(next + 2),
                            Some(TokenKind::Star | TokenKind::Ampersand)
                        )));
        }
        // `API T f`: two names follow, with or without `*` between them.
        let Some((mut after, _)) = self.after_qualified_name(next) else { return false };
        while let Some(TokenKind::Star | TokenKind::Ampersand) = self.kind(after) {
            after += 1;
        }
        self.is_name(after) || self.keyword(after) == Some(Keyword::Operator)
    }

    /// `template <…> BOUNDS(256) void f(`, `static __global__ BOUNDS(256) void f(`,
    /// `void BOUNDS(256) f(`.
    fn qualifier_call(
        &self,
        at: usize,
        previous: Option<usize>,
        after: usize,
    ) -> Option<Adaptation> {
        let previous = previous?;
        let in_declaration = match self.keyword(previous) {
            Some(keyword) => is_qualifier(keyword) || is_fundamental(keyword),
            None => self.kind(previous) == Some(TokenKind::Greater),
        } || (at > 0 && self.keyword(at - 1).is_some_and(is_qualifier));
        let goes_on = self.is_name(after) || self.keyword(after).is_some_and(begins_declaration);
        (in_declaration && goes_on).then_some(Adaptation::Hide(HiddenKind::UnknownMacro, after))
    }

    /// `CHECK(x)` on a line of its own, without `;`, between statements or declarations.
    fn statement_call(&self, previous: Option<usize>, after: usize) -> bool {
        let begins = match previous {
            None => true,
            Some(previous) => match self.kind(previous) {
                Some(
                    TokenKind::Semicolon
                    | TokenKind::RightBrace
                    | TokenKind::RightParen
                    | TokenKind::Colon,
                ) => true,
                Some(TokenKind::LeftBrace) => self.opens_body(previous, after),
                _ => self.keyword(previous) == Some(Keyword::Else),
            },
        };
        if !begins {
            return false;
        }
        let Some(next) = self.tokens.get(after) else { return true };
        let statement = match next.kind {
            TokenKind::RightBrace => true,
            TokenKind::Identifier => !matches!(
                next.text.keyword(),
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
                        | Keyword::Const
                        | Keyword::Volatile
                        | Keyword::Noexcept
                        | Keyword::Override
                        | Keyword::Final
                        | Keyword::Try
                        | Keyword::Requires
                )
            ),
            _ => false,
        };
        // In an expansion there are no lines. On one line `VECTOR(float) v;` may be a declaration.
        let separate = next.line_start
            || next.kind == TokenKind::RightBrace
            || (next.origin.expansion.is_some() && next.keyword().is_some());
        statement && separate
    }

    /// Whether the `{` opens statements or declarations, and no list of values. `after`: the token
    /// after the call that stands first in it.
    fn opens_body(&self, brace: usize, after: usize) -> bool {
        let Some(before) = brace.checked_sub(1) else { return true };
        match self.kind(before) {
            Some(TokenKind::RightParen | TokenKind::RightBracket) => true,
            // `class X {`, but not `X{ SIZE(y) }`.
            Some(TokenKind::Identifier) => match self.keyword(before) {
                Some(Keyword::Return) => false,
                Some(_) => true,
                None => self.kind(after) != Some(TokenKind::RightBrace),
            },
            _ => false,
        }
    }
}
