//! The reader's position in the tokens, and what a failed attempt says. Knows no grammar.

use port_diag::Origin;
use port_syntax::{Keyword, Symbol, Token, TokenKind};

use super::{Builder, MAX_DEPTH, Parse};
use crate::TokenRange;

/// What [`Builder::kind`] gives past the last token: a kind that no preprocessed token has.
pub(super) const END: TokenKind = TokenKind::Newline;

/// Why something could not be read. It ends at the statement or item around, which reports it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    /// The token at which reading stopped.
    pub at: usize,
    pub kind: FailureKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum FailureKind {
    /// Something else should stand here.
    Expected(&'static str),
    /// Nested too deeply, or too long a chain.
    TooDeep,
}

/// For each opening bracket the index of its closing one, `u32::MAX` where it has none. A closing
/// bracket of another kind ends the ones inside it, so that one missing `)` does not eat a file.
pub(super) fn match_brackets(tokens: &[Token]) -> Brackets {
    let mut stray = None;
    let mut closers = vec![u32::MAX; tokens.len()];
    let mut open: Vec<usize> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind.is_open() {
            open.push(index);
        } else if token.kind.is_close() {
            let wanted = match token.kind {
                TokenKind::RightParen => TokenKind::LeftParen,
                TokenKind::RightBracket => TokenKind::LeftBracket,
                _ => TokenKind::LeftBrace,
            };
            // A brace ends what is open inside it; a parenthesis never ends a brace. Few brackets
            // are looked at, so that a file of garbage costs no more than its length.
            let found = (open.len().saturating_sub(64)..open.len())
                .rev()
                .find(|&slot| {
                    let kind = tokens[open[slot]].kind;
                    kind == wanted || kind == TokenKind::LeftBrace
                })
                .filter(|&slot| tokens[open[slot]].kind == wanted);
            if let Some(slot) = found {
                closers[open[slot]] = index as u32;
                open.truncate(slot);
            } else if token.kind == TokenKind::RightBrace && stray.is_none() {
                stray = Some(index);
            }
        }
    }
    let unclosed = open.into_iter().find(|index| tokens[*index].kind == TokenKind::LeftBrace);
    Brackets { closers, stray, unclosed }
}

/// How the brackets of a text belong together.
pub(super) struct Brackets {
    /// For each opening bracket its closing one, or `u32::MAX`.
    pub(super) closers: Vec<u32>,
    /// The first `}` that closes nothing.
    pub(super) stray: Option<usize>,
    /// The first `{` that nothing closes.
    pub(super) unclosed: Option<usize>,
}

impl<'t> Builder<'t> {
    pub(super) fn kind(&self) -> TokenKind {
        self.kind_at(self.position)
    }

    pub(super) fn kind_at(&self, index: usize) -> TokenKind {
        if index < self.end { self.tokens[index].kind } else { END }
    }

    pub(super) fn at(&self, kind: TokenKind) -> bool {
        self.kind() == kind
    }

    pub(super) fn keyword(&self) -> Option<Keyword> {
        self.keyword_at(self.position)
    }

    pub(super) fn keyword_at(&self, index: usize) -> Option<Keyword> {
        if index < self.end { self.tokens[index].keyword() } else { None }
    }

    pub(super) fn at_keyword(&self, keyword: Keyword) -> bool {
        self.keyword() == Some(keyword)
    }

    /// The identifier at `index` that is no reserved word. `override`, `final` are names.
    pub(super) fn name_at(&self, index: usize) -> Option<Symbol> {
        if index >= self.end {
            return None;
        }
        let token = &self.tokens[index];
        if token.kind != TokenKind::Identifier {
            return None;
        }
        matches!(token.text.keyword(), None | Some(Keyword::Override | Keyword::Final))
            .then_some(token.text)
    }

    pub(super) fn is_name_at(&self, index: usize) -> bool {
        self.name_at(index).is_some()
    }

    pub(super) fn bump(&mut self) -> usize {
        let at = self.position;
        if at < self.end {
            self.position += 1;
        }
        at
    }

    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.position += 1;
        }
        found
    }

    pub(super) fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.position += 1;
        }
        found
    }

    pub(super) fn expect(&mut self, kind: TokenKind) -> Parse<()> {
        if self.eat(kind) {
            return Ok(());
        }
        self.expected(kind.punctuator().unwrap_or("token"))
    }

    pub(super) fn expected<T>(&self, what: &'static str) -> Parse<T> {
        Err(Failure { at: self.position, kind: FailureKind::Expected(what) })
    }

    pub(super) fn expect_name(&mut self) -> Parse<(Symbol, usize)> {
        match self.name_at(self.position) {
            Some(name) => Ok((name, self.bump())),
            None => self.expected("name"),
        }
    }

    /// The closing bracket of the opening one at `index`, if it is in reach.
    pub(super) fn closer(&self, index: usize) -> Option<usize> {
        let closer = *self.closers.get(index)? as usize;
        (closer < self.end).then_some(closer)
    }

    /// The token after the bracketed group that begins at `index`; `index` itself if none does.
    pub(super) fn past_group(&self, index: usize) -> usize {
        if index < self.end && self.tokens[index].kind.is_open() {
            self.closer(index).map_or(self.end, |closer| closer + 1)
        } else {
            index
        }
    }

    /// Skips a group in parentheses, if one is here.
    pub(super) fn skip_parentheses(&mut self) {
        if self.at(TokenKind::LeftParen) {
            self.position = self.past_group(self.position);
        }
    }

    /// Whether the tokens at `index` and after it are a `>>`.
    pub(super) fn is_shift_right_at(&self, index: usize) -> bool {
        self.kind_at(index) == TokenKind::Greater
            && self.kind_at(index + 1) == TokenKind::Greater
            && self.tokens[index].joins(&self.tokens[index + 1])
    }

    /// Runs `read` one level deeper.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Failure { at: self.position, kind: FailureKind::TooDeep });
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Runs `read` inside the brackets that open here: to their end, with `>` comparing again.
    pub(super) fn inside<T>(
        &mut self,
        open: TokenKind,
        close: TokenKind,
        read: impl FnOnce(&mut Self) -> Parse<T>,
    ) -> Parse<T> {
        self.expect(open)?;
        let in_angles = std::mem::replace(&mut self.in_angles, false);
        let in_declaration = std::mem::replace(&mut self.in_declaration, false);
        let result = self.nested(read);
        self.in_angles = in_angles;
        self.in_declaration = in_declaration;
        let value = result?;
        self.expect(close)?;
        Ok(value)
    }

    pub(super) fn origin_at(&self, index: usize) -> Origin {
        match self.tokens.get(index.min(self.end.saturating_sub(1))) {
            Some(token) => token.origin,
            None => Origin::plain(port_diag::Span::new(
                self.unit.files.first().copied().unwrap_or(port_diag::FileId(0)),
                0,
                0,
            )),
        }
    }

    /// The tokens from `start` to the last one read.
    pub(super) fn range_from(&self, start: usize) -> TokenRange {
        TokenRange { start: start as u32, end: self.position.max(start) as u32 }
    }

    /// Where a run of tokens is: see [`crate::Expr::origin`].
    pub(super) fn origin_of(&self, range: TokenRange) -> Origin {
        let first = self.origin_at(range.start as usize);
        if range.end <= range.start + 1 {
            return first;
        }
        let last = self.origin_at(range.end as usize - 1);
        if first.expansion == last.expansion && first.span.file == last.span.file {
            if first.span.start <= last.span.start {
                return Origin { span: first.span.to(last.span), ..first };
            }
            return first;
        }
        self.common_origin(first, last)
    }

    /// The innermost place that holds both: the ends are lifted out of their expansions until they
    /// stand in the same one.
    fn common_origin(&self, first: Origin, last: Origin) -> Origin {
        let lifts = |origin: Origin| {
            let mut next = Some(origin);
            std::iter::from_fn(move || {
                let origin = next?;
                next = origin.expansion.map(|id| self.unit.expansions.get(id).call);
                Some(origin)
            })
        };
        for lifted in lifts(first) {
            for other in lifts(last) {
                if lifted.expansion == other.expansion
                    && lifted.span.file == other.span.file
                    && lifted.span.start <= other.span.start
                {
                    return Origin { span: lifted.span.to(other.span), ..lifted };
                }
            }
        }
        first
    }
}
