//! Cuts the text form into tokens. Ends of lines are tokens; spaces and comments are not.

use super::parse::ParseError;

/// A token; positions are kept beside it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A word, with the words after its dots: `load.volatile`.
    Word(&'a str),
    /// `%12`, `%12.row`
    Value(u32, Option<String>),
    /// `%x`, `$i.3`, `@"k<int>"`, `#P`: sigil, name, number.
    Name(char, String, Option<u32>),
    /// Digits (with sign, point, exponent or `0x`) and the word right after them.
    Number(&'a str, &'a str),
    /// A string's contents.
    Text(String),
    /// `( ) { } [ ] , : = & *`
    Symbol(char),
    /// `->`
    Arrow,
    /// The end of a line that holds something.
    Line,
    /// The end of the text.
    End,
}

/// A token and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Spanned<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The tokens of a text. The last one is [`Token::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Spanned<'_>>, ParseError> {
    if u32::try_from(text.len()).is_err() {
        return Err(ParseError::at(text, 0, "the text is longer than 4 GiB"));
    }
    let mut lexer = Lexer { text, position: 0, tokens: Vec::new() };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    tokens: Vec<Spanned<'a>>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Result<(), ParseError> {
        loop {
            let start = self.position;
            let Some(byte) = self.peek() else {
                self.push_line(start);
                self.push(Token::End, start);
                return Ok(());
            };
            match byte {
                b' ' | b'\t' | b'\r' => self.position += 1,
                b'\n' => {
                    self.position += 1;
                    self.push_line(start);
                }
                b';' => self.skip_while(|byte| byte != b'\n'),
                b'"' => {
                    let text = self.string()?;
                    self.push(Token::Text(text), start);
                }
                b'%' | b'$' | b'@' | b'#' => {
                    self.position += 1;
                    let token = self.name(byte)?;
                    self.push(token, start);
                }
                b'-' if self.byte_at(1) == Some(b'>') => {
                    self.position += 2;
                    self.push(Token::Arrow, start);
                }
                b'-' | b'0'..=b'9' => {
                    let token = self.number()?;
                    self.push(token, start);
                }
                b'(' | b')' | b'{' | b'}' | b'[' | b']' | b',' | b':' | b'=' | b'&' | b'*' => {
                    self.position += 1;
                    self.push(Token::Symbol(byte as char), start);
                }
                byte if is_word_start(byte) => {
                    self.skip_while(is_word);
                    while self.peek() == Some(b'.') && self.byte_at(1).is_some_and(is_word) {
                        self.position += 1;
                        self.skip_while(is_word);
                    }
                    self.push(Token::Word(&self.text[start..self.position]), start);
                }
                _ => return Err(self.error(start, "this character begins nothing")),
            }
        }
    }

    fn error(&self, position: usize, message: &str) -> ParseError {
        ParseError::at(self.text, position, message)
    }

    fn peek(&self) -> Option<u8> {
        self.byte_at(0)
    }

    fn byte_at(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.position + ahead).copied()
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&accept) {
            self.position += 1;
        }
    }

    fn push(&mut self, token: Token<'a>, start: usize) {
        self.tokens.push(Spanned { token, start: start as u32, end: self.position as u32 });
    }

    /// Ends a line, unless it is empty.
    fn push_line(&mut self, start: usize) {
        if self.tokens.last().is_some_and(|last| last.token != Token::Line) {
            self.push(Token::Line, start);
        }
    }

    /// What follows a sigil.
    fn name(&mut self, sigil: u8) -> Result<Token<'a>, ParseError> {
        let start = self.position;
        if sigil == b'%' && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            let number = self.decimal()?;
            let mut name = None;
            if self.peek() == Some(b'.') {
                self.position += 1;
                name = Some(self.plain_name()?);
            }
            return Ok(Token::Value(number, name));
        }
        let name = self.plain_name()?;
        let mut number = None;
        if self.peek() == Some(b'.') && self.byte_at(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
            number = Some(self.decimal()?);
        }
        if self.position == start {
            return Err(self.error(start, "a name was expected after the sigil"));
        }
        Ok(Token::Name(sigil as char, name, number))
    }

    fn plain_name(&mut self) -> Result<String, ParseError> {
        let start = self.position;
        if self.peek() == Some(b'"') {
            return self.string();
        }
        if !self.peek().is_some_and(is_word_start) {
            return Err(self.error(start, "a name was expected"));
        }
        self.skip_while(is_word);
        Ok(self.text[start..self.position].to_string())
    }

    fn decimal(&mut self) -> Result<u32, ParseError> {
        let start = self.position;
        self.skip_while(|byte| byte.is_ascii_digit());
        let digits = &self.text[start..self.position];
        digits.parse().map_err(|_| self.error(start, "this number is too large"))
    }

    fn number(&mut self) -> Result<Token<'a>, ParseError> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.error(start, "a number was expected after the sign"));
        }
        if self.peek() == Some(b'0') && self.byte_at(1) == Some(b'x') {
            self.position += 2;
            self.skip_while(|byte| byte.is_ascii_hexdigit());
        } else {
            self.skip_while(|byte| byte.is_ascii_digit());
            if self.peek() == Some(b'.') && self.byte_at(1).is_some_and(|b| b.is_ascii_digit()) {
                self.position += 1;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
            if self.peek() == Some(b'e') {
                let sign = usize::from(matches!(self.byte_at(1), Some(b'+' | b'-')));
                if self.byte_at(1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
                    self.position += 1 + sign;
                    self.skip_while(|byte| byte.is_ascii_digit());
                }
            }
        }
        let digits = &self.text[start..self.position];
        let suffix = self.position;
        self.skip_while(is_word);
        Ok(Token::Number(digits, &self.text[suffix..self.position]))
    }

    fn string(&mut self) -> Result<String, ParseError> {
        let start = self.position;
        let mut contents = String::new();
        let mut characters = self.text[start..].char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.position = start + offset + 1;
                    return Ok(contents);
                }
                '\n' => break,
                '\\' => match characters.next().map(|(_, escaped)| escaped) {
                    Some('n') => contents.push('\n'),
                    Some('t') => contents.push('\t'),
                    Some('"') => contents.push('"'),
                    Some('\\') => contents.push('\\'),
                    Some('u') => {
                        let rest = self.text[start + offset..].strip_prefix("\\u{");
                        let code = rest.and_then(|rest| rest.split_once('}')).map(|(code, _)| code);
                        let character = code
                            .filter(|code| code.len() <= 6)
                            .and_then(|code| u32::from_str_radix(code, 16).ok())
                            .and_then(char::from_u32);
                        let (Some(code), Some(character)) = (code, character) else {
                            return Err(self.error(start + offset, "this is no escape"));
                        };
                        contents.push(character);
                        // The brackets and the digits between them.
                        for _ in 0..code.len() + 2 {
                            characters.next();
                        }
                    }
                    _ => return Err(self.error(start + offset, "this is no escape")),
                },
                other => contents.push(other),
            }
        }
        Err(self.error(start, "this string does not end on its line"))
    }
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit()
}
