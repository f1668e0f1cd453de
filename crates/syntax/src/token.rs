//! Tokens: those of one file as written ([`RawToken`], trivia included) and those of a translation
//! unit after preprocessing ([`Token`]). Knows no grammar.

use std::borrow::Cow;

use port_diag::Origin;

use crate::keyword::Keyword;
use crate::symbol::Symbol;

/// What a token is, as far as its spelling tells.
///
/// A `>` is always a token of its own: `>>` is two joined [`Greater`](Self::Greater), `>>=` a
/// `Greater` joined with a [`GreaterEqual`](Self::GreaterEqual). So a parser closes template
/// arguments without splitting tokens; [`Token::joins`] says whether two make a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenKind {
    /// Spaces, tabs, form feeds, line splices between tokens, a byte order mark. Raw tokens only.
    Whitespace,
    /// A line ending that no splice hides. Raw tokens only.
    Newline,
    /// `// …` without its line ending. Raw tokens only.
    LineComment,
    /// `/* … */`. Raw tokens only.
    BlockComment,
    /// A name or keyword.
    Identifier,
    /// A preprocessing number: digits, separators, exponent, suffix.
    Number,
    /// `'c'` with prefix and user-defined suffix.
    Character,
    /// `"…"` or a raw string, with prefix and user-defined suffix.
    String,
    /// `<…>` or `"…"` after `#include`.
    HeaderName,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// `[` or `<:`
    LeftBracket,
    /// `]` or `:>`
    RightBracket,
    /// `{` or `<%`
    LeftBrace,
    /// `}` or `%>`
    RightBrace,
    /// `;`
    Semicolon,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `::`
    ColonColon,
    /// `?`
    Question,
    /// `.`
    Dot,
    /// `.*`
    DotStar,
    /// `...`
    Ellipsis,
    /// `->`
    Arrow,
    /// `->*`
    ArrowStar,
    /// `+`
    Plus,
    /// `++`
    PlusPlus,
    /// `+=`
    PlusEqual,
    /// `-`
    Minus,
    /// `--`
    MinusMinus,
    /// `-=`
    MinusEqual,
    /// `*`
    Star,
    /// `*=`
    StarEqual,
    /// `/`
    Slash,
    /// `/=`
    SlashEqual,
    /// `%`
    Percent,
    /// `%=`
    PercentEqual,
    /// `^`
    Caret,
    /// `^=`
    CaretEqual,
    /// `&`
    Ampersand,
    /// `&&`
    AmpersandAmpersand,
    /// `&=`
    AmpersandEqual,
    /// `|`
    Pipe,
    /// `||`
    PipePipe,
    /// `|=`
    PipeEqual,
    /// `~`
    Tilde,
    /// `!`
    Exclamation,
    /// `!=`
    ExclamationEqual,
    /// `=`
    Equal,
    /// `==`
    EqualEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `<=>`
    Spaceship,
    /// `<<`
    LessLess,
    /// `<<=`
    LessLessEqual,
    /// `>`; see the type's documentation for `>>`.
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<<<` of a kernel launch.
    LaunchOpen,
    /// `>>>` of a kernel launch.
    LaunchClose,
    /// `#` or `%:`
    Hash,
    /// `##` or `%:%:`
    HashHash,
    /// A character that begins no token: `@`, a backquote, a stray backslash.
    Unknown,
}

impl TokenKind {
    /// Whether it is space or a comment, with no meaning of its own.
    pub fn is_trivia(self) -> bool {
        matches!(
            self,
            TokenKind::Whitespace
                | TokenKind::Newline
                | TokenKind::LineComment
                | TokenKind::BlockComment
        )
    }

    /// Whether it opens `(`, `[` or `{`.
    pub fn is_open(self) -> bool {
        matches!(self, TokenKind::LeftParen | TokenKind::LeftBracket | TokenKind::LeftBrace)
    }

    /// Whether it closes `)`, `]` or `}`.
    pub fn is_close(self) -> bool {
        matches!(self, TokenKind::RightParen | TokenKind::RightBracket | TokenKind::RightBrace)
    }

    /// The usual spelling of a punctuator; `None` for the other kinds.
    pub fn punctuator(self) -> Option<&'static str> {
        use TokenKind::*;
        Some(match self {
            LeftParen => "(",
            RightParen => ")",
            LeftBracket => "[",
            RightBracket => "]",
            LeftBrace => "{",
            RightBrace => "}",
            Semicolon => ";",
            Comma => ",",
            Colon => ":",
            ColonColon => "::",
            Question => "?",
            Dot => ".",
            DotStar => ".*",
            Ellipsis => "...",
            Arrow => "->",
            ArrowStar => "->*",
            Plus => "+",
            PlusPlus => "++",
            PlusEqual => "+=",
            Minus => "-",
            MinusMinus => "--",
            MinusEqual => "-=",
            Star => "*",
            StarEqual => "*=",
            Slash => "/",
            SlashEqual => "/=",
            Percent => "%",
            PercentEqual => "%=",
            Caret => "^",
            CaretEqual => "^=",
            Ampersand => "&",
            AmpersandAmpersand => "&&",
            AmpersandEqual => "&=",
            Pipe => "|",
            PipePipe => "||",
            PipeEqual => "|=",
            Tilde => "~",
            Exclamation => "!",
            ExclamationEqual => "!=",
            Equal => "=",
            EqualEqual => "==",
            Less => "<",
            LessEqual => "<=",
            Spaceship => "<=>",
            LessLess => "<<",
            LessLessEqual => "<<=",
            Greater => ">",
            GreaterEqual => ">=",
            LaunchOpen => "<<<",
            LaunchClose => ">>>",
            Hash => "#",
            HashHash => "##",
            Whitespace | Newline | LineComment | BlockComment | Identifier | Number | Character
            | String | HeaderName | Unknown => return None,
        })
    }
}

/// A token of one file: its kind and its bytes. The tokens of a file, trivia included, cover it
/// without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawToken {
    /// What it is.
    pub kind: TokenKind,
    /// A line splice (`\` at the end of a line) lies inside, so the bytes are not the spelling.
    pub spliced: bool,
    /// A comment, string or character constant whose end is missing.
    pub unterminated: bool,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl RawToken {
    /// The bytes in the text it was lexed from; empty if it is another text.
    pub fn bytes<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }

    /// The spelling: the bytes without line splices.
    pub fn spelling<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let bytes = self.bytes(text);
        if self.spliced { Cow::Owned(crate::lexer::unsplice(bytes)) } else { Cow::Borrowed(bytes) }
    }
}

/// A token of a translation unit after preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is; never trivia.
    pub kind: TokenKind,
    /// Its spelling, without line splices.
    pub text: Symbol,
    /// The bytes that spell it and the expansion that put it here.
    pub origin: Origin,
    /// Space or a line ending stands before it.
    pub spaced: bool,
    /// It is the first of its line.
    pub line_start: bool,
}

impl Token {
    /// Whether `next`, the token that follows, is written directly after this one: two joined `>`
    /// are a shift.
    pub fn joins(&self, next: &Token) -> bool {
        !next.spaced
            && !next.line_start
            && self.origin.expansion == next.origin.expansion
            && self.origin.span.file == next.origin.span.file
            && self.origin.span.end == next.origin.span.start
    }

    /// The keyword that it is; identifiers only.
    pub fn keyword(&self) -> Option<Keyword> {
        if self.kind == TokenKind::Identifier { self.text.keyword() } else { None }
    }

    /// Whether it is this keyword.
    pub fn is(&self, keyword: Keyword) -> bool {
        self.keyword() == Some(keyword)
    }
}
