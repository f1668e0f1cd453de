//! Lossless lexing of one file: every byte belongs to exactly one [`RawToken`], and no input fails.
//! Knows preprocessing tokens, line splices and where a header name may stand; knows no macros.
//!
//! Kernel launches: `<<<` is one token unless it follows `operator`, and the `>>>` that closes it
//! is one token; elsewhere `>` is always single, so `A<B<C<int>>>` needs no
//! splitting.

use crate::launch;
use crate::token::{RawToken, TokenKind};

/// Lexes a file. The tokens cover `text` without gaps. Texts over 4 GiB are not supported: the
/// preprocessor refuses files long before that.
pub fn lex(text: &str) -> Vec<RawToken> {
    let mut lexer = Lexer::new(text);
    while lexer.position < lexer.bytes.len() {
        let token = lexer.next_token();
        lexer.observe(&token);
        lexer.tokens.push(token);
    }
    launch::mark(&mut lexer.tokens);
    lexer.tokens
}

/// Removes the line splices of a token's bytes.
pub(crate) fn unsplice(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut position) = (0, 0);
    while position < bytes.len() {
        match splice_length(bytes, position) {
            Some(length) => {
                out.push_str(text.get(copied..position).unwrap_or(""));
                position += length;
                copied = position;
            }
            None => position += 1,
        }
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    out
}

/// The length of the line splice at `position`: a backslash, blanks (as GCC and Clang allow), a
/// line ending.
fn splice_length(bytes: &[u8], position: usize) -> Option<usize> {
    if bytes.get(position) != Some(&b'\\') {
        return None;
    }
    let mut end = position + 1;
    while matches!(bytes.get(end), Some(b' ' | b'\t' | b'\x0b' | b'\x0c')) {
        end += 1;
    }
    if bytes.get(end) == Some(&b'\r') {
        end += 1;
    }
    (bytes.get(end) == Some(&b'\n')).then(|| end + 1 - position)
}

/// Where the line stands with respect to a directive that takes a header name.
#[derive(Clone, Copy, PartialEq)]
enum Line {
    /// Nothing but trivia so far.
    Start,
    /// `#` opened the line.
    Directive,
    /// `#include` was read: a header name may follow.
    Header,
    /// Anything else.
    Other,
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    position: usize,
    line: Line,
    /// The last token that is not trivia was `operator`: `operator<<<T>` is no launch.
    after_operator: bool,
    /// The token being read holds a line splice.
    spliced: bool,
    tokens: Vec<RawToken>,
}

fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn is_identifier_continue(byte: u8) -> bool {
    is_identifier_start(byte) || byte.is_ascii_digit()
}

impl<'t> Lexer<'t> {
    fn new(text: &'t str) -> Self {
        Lexer {
            text,
            bytes: text.as_bytes(),
            position: 0,
            line: Line::Start,
            after_operator: false,
            spliced: false,
            tokens: Vec::with_capacity(text.len() / 3 + 1),
        }
    }

    /// Keeps the little state that the next token depends on.
    fn observe(&mut self, token: &RawToken) {
        match token.kind {
            TokenKind::Newline => self.line = Line::Start,
            kind if kind.is_trivia() => {}
            kind => {
                self.after_operator =
                    kind == TokenKind::Identifier && token.spelling(self.text) == "operator";
                self.line = match (self.line, kind) {
                    (Line::Start, TokenKind::Hash) => Line::Directive,
                    (Line::Directive, TokenKind::Identifier) => match &*token.spelling(self.text) {
                        "include" | "include_next" | "import" => Line::Header,
                        _ => Line::Other,
                    },
                    _ => Line::Other,
                };
            }
        }
    }

    fn byte(&self, position: usize) -> Option<u8> {
        self.bytes.get(position).copied()
    }

    /// The byte that the token sees at `position`, past splices, and the position after it.
    fn seen(&self, mut position: usize) -> (Option<u8>, usize) {
        while self.byte(position) == Some(b'\\') {
            match splice_length(self.bytes, position) {
                Some(length) => position += length,
                None => break,
            }
        }
        (self.byte(position), position + 1)
    }

    /// Consumes `byte` if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        let (found, next) = self.seen(self.position);
        if found != Some(byte) {
            return false;
        }
        self.spliced |= next != self.position + 1;
        self.position = next;
        true
    }

    /// Whether `expected` comes next; consumes nothing.
    fn sees(&self, expected: &[u8]) -> bool {
        let mut position = self.position;
        expected.iter().all(|byte| {
            let (found, next) = self.seen(position);
            position = next;
            found == Some(*byte)
        })
    }

    fn next_token(&mut self) -> RawToken {
        let start = self.position;
        self.spliced = false;
        let mut unterminated = false;
        let kind = match self.bytes[start] {
            b' ' | b'\t' | b'\x0b' | b'\x0c' | b'\r' | b'\\' if self.blank(start).is_some() => {
                while let Some(length) = self.blank(self.position) {
                    self.position += length;
                }
                TokenKind::Whitespace
            }
            b'\n' => {
                self.position += 1;
                TokenKind::Newline
            }
            b'\r' => {
                self.position += 2;
                TokenKind::Newline
            }
            0xef if start == 0 && self.text.starts_with('\u{feff}') => {
                self.position += 3;
                TokenKind::Whitespace
            }
            b'/' if self.comment_follows(b'/') => self.line_comment(),
            b'/' if self.comment_follows(b'*') => {
                unterminated = !self.block_comment();
                TokenKind::BlockComment
            }
            b'<' | b'"' if self.header_name_length().is_some() => {
                self.position += self.header_name_length().unwrap_or(1);
                TokenKind::HeaderName
            }
            byte if is_identifier_start(byte) => {
                self.identifier();
                let (kind, whole) = self.prefixed_literal(start);
                unterminated = !whole;
                kind
            }
            byte if byte.is_ascii_digit() => self.number(),
            b'.' if self.seen(start + 1).0.is_some_and(|b| b.is_ascii_digit()) => self.number(),
            quote @ (b'"' | b'\'') => {
                unterminated = !self.quoted(quote);
                if quote == b'"' { TokenKind::String } else { TokenKind::Character }
            }
            byte => self.punctuator(byte),
        };
        RawToken {
            kind,
            spliced: self.spliced && kind != TokenKind::Whitespace,
            unterminated,
            start: start as u32,
            end: self.position as u32,
        }
    }

    /// The length of the blank or line splice at `position`. A carriage return counts as blank
    /// unless it belongs to a line ending.
    fn blank(&self, position: usize) -> Option<usize> {
        match self.byte(position)? {
            b' ' | b'\t' | b'\x0b' | b'\x0c' => Some(1),
            b'\r' if self.byte(position + 1) != Some(b'\n') => Some(1),
            b'\\' => splice_length(self.bytes, position),
            _ => None,
        }
    }

    fn comment_follows(&self, second: u8) -> bool {
        self.seen(self.position + 1).0 == Some(second)
    }

    fn line_comment(&mut self) -> TokenKind {
        loop {
            match self.byte(self.position) {
                None | Some(b'\n') => break,
                Some(b'\r') if self.byte(self.position + 1) == Some(b'\n') => break,
                Some(b'\\') => {
                    self.position += splice_length(self.bytes, self.position).unwrap_or(1);
                }
                Some(_) => self.position += 1,
            }
        }
        TokenKind::LineComment
    }

    /// Whether the comment has an end.
    fn block_comment(&mut self) -> bool {
        self.position = self.seen(self.position + 1).1;
        while let Some(byte) = self.byte(self.position) {
            self.position += 1;
            if byte == b'*' {
                let (next, after) = self.seen(self.position);
                if next == Some(b'/') {
                    self.position = after;
                    return true;
                }
            }
        }
        false
    }

    /// The length of the header name here, if one may stand here and ends on this line.
    fn header_name_length(&self) -> Option<usize> {
        if self.line != Line::Header {
            return None;
        }
        let close = if self.bytes[self.position] == b'<' { b'>' } else { b'"' };
        let rest = &self.bytes[self.position + 1..];
        let end = rest.iter().position(|byte| *byte == b'\n' || *byte == close)?;
        (rest[end] == close).then_some(end + 2)
    }

    fn identifier(&mut self) {
        loop {
            while self.byte(self.position).is_some_and(is_identifier_continue) {
                self.position += 1;
            }
            // A universal character name, or a splice inside the name.
            let (Some(byte), next) = self.seen(self.position) else { return };
            if byte == b'\\' {
                let digits = match self.byte(next) {
                    Some(b'u') => 4,
                    Some(b'U') => 8,
                    _ => return,
                };
                let hex = self.bytes.get(next + 1..next + 1 + digits);
                if !hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
                    return;
                }
                self.spliced |= next != self.position + 1;
                self.position = next + 1 + digits;
            } else if next != self.position + 1 && is_identifier_continue(byte) {
                self.spliced = true;
                self.position = next;
            } else {
                return;
            }
        }
    }

    /// After the identifier that began at `start`: if it is an encoding prefix and a quote follows,
    /// reads the literal. Returns the kind and whether the literal has an end.
    fn prefixed_literal(&mut self, start: usize) -> (TokenKind, bool) {
        let quote = match self.byte(self.position) {
            Some(quote @ (b'"' | b'\'')) if self.position - start <= 3 => quote,
            _ => return (TokenKind::Identifier, true),
        };
        match (&self.bytes[start..self.position], quote) {
            (b"R" | b"u8R" | b"uR" | b"UR" | b"LR", b'"') => {
                let whole = self.raw_string();
                (TokenKind::String, whole)
            }
            (b"u8" | b"u" | b"U" | b"L", b'"') => {
                let whole = self.quoted(quote);
                (TokenKind::String, whole)
            }
            (b"u8" | b"u" | b"U" | b"L", b'\'') => {
                let whole = self.quoted(quote);
                (TokenKind::Character, whole)
            }
            _ => (TokenKind::Identifier, true),
        }
    }

    fn number(&mut self) -> TokenKind {
        self.position += 1;
        let mut last = 0;
        while let (Some(byte), next) = self.seen(self.position) {
            let belongs = match byte {
                b'+' | b'-' => matches!(last, b'e' | b'E' | b'p' | b'P'),
                b'.' => true,
                b'\'' => self
                    .seen(next)
                    .0
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
                byte => is_identifier_continue(byte),
            };
            if !belongs {
                break;
            }
            self.spliced |= next != self.position + 1;
            self.position = next;
            last = byte;
        }
        TokenKind::Number
    }

    /// Reads from the opening quote to its end, the end of the line, or the end of the text, and a
    /// user-defined suffix. Returns whether the closing quote was there.
    fn quoted(&mut self, quote: u8) -> bool {
        self.position += 1;
        loop {
            match self.byte(self.position) {
                None | Some(b'\n') => return false,
                Some(b'\r') if self.byte(self.position + 1) == Some(b'\n') => return false,
                Some(b'\\') => match splice_length(self.bytes, self.position) {
                    Some(length) => {
                        self.spliced = true;
                        self.position += length;
                    }
                    None => {
                        self.position += 1;
                        // The escaped byte, which may itself stand after a splice.
                        let (escaped, next) = self.seen(self.position);
                        if matches!(escaped, Some(byte) if byte != b'\n' && byte != b'\r') {
                            self.spliced |= next != self.position + 1;
                            self.position = next;
                        }
                    }
                },
                Some(byte) => {
                    self.position += 1;
                    if byte == quote {
                        self.literal_suffix();
                        return true;
                    }
                }
            }
        }
    }

    /// Returns whether the string has its end. Splices inside are text, not splices.
    fn raw_string(&mut self) -> bool {
        let open = self.position;
        let limit = (open + 18).min(self.bytes.len());
        let delimiter = self.bytes[open + 1..limit]
            .iter()
            .position(|byte| matches!(byte, b'(' | b')' | b'\\' | b'"') || *byte <= b' ');
        let Some(length) = delimiter.filter(|length| self.bytes[open + 1 + length] == b'(') else {
            return self.quoted(b'"');
        };
        let body = open + 2 + length;
        let end = format!("){}\"", &self.text[open + 1..open + 1 + length]);
        match self.text.get(body..).and_then(|rest| rest.find(&end)) {
            Some(offset) => {
                self.position = body + offset + end.len();
                self.literal_suffix();
                true
            }
            None => {
                self.position = self.bytes.len();
                false
            }
        }
    }

    /// A suffix of the user's begins with `_`; other names directly after a literal are tokens of
    /// their own (`"%"PRIu64`), but for the suffixes of the standard library.
    fn literal_suffix(&mut self) {
        let start = self.position;
        let mut end = start;
        while self.byte(end).is_some_and(is_identifier_continue) {
            end += 1;
        }
        let standard =
            matches!(&self.bytes[start..end], b"s" | b"sv" | b"h" | b"min" | b"ms" | b"us" | b"ns");
        if standard || self.byte(start) == Some(b'_') {
            self.position = end;
        }
    }

    fn punctuator(&mut self, first: u8) -> TokenKind {
        use TokenKind::*;
        if first >= 0x80 || first == b'\\' {
            // Only a backslash comes here: other bytes begin identifiers.
            self.position += 1;
            return Unknown;
        }
        self.position += 1;
        match first {
            b'(' => LeftParen,
            b')' => RightParen,
            b'[' => LeftBracket,
            b']' => RightBracket,
            b'{' => LeftBrace,
            b'}' => RightBrace,
            b';' => Semicolon,
            b',' => Comma,
            b'?' => Question,
            b'~' => Tilde,
            b':' if self.eat(b':') => ColonColon,
            b':' if self.eat(b'>') => RightBracket,
            b':' => Colon,
            b'.' if self.sees(b"..") => {
                self.eat(b'.');
                self.eat(b'.');
                Ellipsis
            }
            b'.' if self.eat(b'*') => DotStar,
            b'.' => Dot,
            b'+' if self.eat(b'+') => PlusPlus,
            b'+' if self.eat(b'=') => PlusEqual,
            b'+' => Plus,
            b'-' if self.eat(b'-') => MinusMinus,
            b'-' if self.eat(b'=') => MinusEqual,
            b'-' if self.eat(b'>') => {
                if self.eat(b'*') {
                    ArrowStar
                } else {
                    Arrow
                }
            }
            b'-' => Minus,
            b'*' if self.eat(b'=') => StarEqual,
            b'*' => Star,
            b'/' if self.eat(b'=') => SlashEqual,
            b'/' => Slash,
            b'%' if self.eat(b'=') => PercentEqual,
            b'%' if self.eat(b'>') => RightBrace,
            b'%' if self.eat(b':') => {
                if self.sees(b"%:") {
                    self.eat(b'%');
                    self.eat(b':');
                    HashHash
                } else {
                    Hash
                }
            }
            b'%' => Percent,
            b'^' if self.eat(b'=') => CaretEqual,
            b'^' => Caret,
            b'&' if self.eat(b'&') => AmpersandAmpersand,
            b'&' if self.eat(b'=') => AmpersandEqual,
            b'&' => Ampersand,
            b'|' if self.eat(b'|') => PipePipe,
            b'|' if self.eat(b'=') => PipeEqual,
            b'|' => Pipe,
            b'!' if self.eat(b'=') => ExclamationEqual,
            b'!' => Exclamation,
            b'=' if self.eat(b'=') => EqualEqual,
            b'=' => Equal,
            b'<' => self.less(),
            b'>' if self.eat(b'=') => GreaterEqual,
            b'>' => Greater,
            b'#' if self.eat(b'#') => HashHash,
            b'#' => Hash,
            _ => Unknown,
        }
    }

    /// After a `<`.
    fn less(&mut self) -> TokenKind {
        use TokenKind::*;
        if self.sees(b"<<") && !self.after_operator {
            self.eat(b'<');
            self.eat(b'<');
            return LaunchOpen;
        }
        if self.eat(b'<') {
            return if self.eat(b'=') { LessLessEqual } else { LessLess };
        }
        if self.sees(b"=>") {
            self.eat(b'=');
            self.eat(b'>');
            return Spaceship;
        }
        if self.eat(b'=') {
            return LessEqual;
        }
        if self.eat(b'%') {
            return LeftBrace;
        }
        // `<::` is `<` `::` unless `<:::` or `<::>` (lex.pptoken).
        if self.sees(b":") && (!self.sees(b"::") || self.sees(b":::") || self.sees(b"::>")) {
            self.eat(b':');
            return LeftBracket;
        }
        Less
    }
}
