//! Reads a module's text: structs, variables, launches, types and the token stream that the other
//! parser files share. Never panics; what is read is not validated.

use std::collections::HashMap;
use std::fmt;

use port_diag::{FileId, Origin, Span};

use super::lex::{Spanned, Token, lex};
use super::spelling::{
    FRAGMENT_ELEMENTS, FRAGMENT_USES, MATRIX_LAYOUTS, SPACES, scalar, value, vector,
};
use crate::arena::Handle;
use crate::function::{Function, FunctionKind};
use crate::module::{ArgumentFact, Extent, LaunchFacts, Module, Range, Variable};
use crate::types::{Fragment, FragmentElement, Member, Struct, Type};

/// Where and why a text is not the text form of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    pub(super) fn at(text: &str, position: usize, message: impl Into<String>) -> Self {
        let before = text.get(..position).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ParseError {
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            message: message.into(),
        }
    }
}

/// Reads a module. Everything in it gets the place in this text as its origin, in the file `file`.
pub fn parse(text: &str, file: FileId) -> Result<Module> {
    let tokens = lex(text)?;
    let mut parser = Parser {
        text,
        file,
        tokens,
        position: 0,
        module: Module::new(),
        structs: HashMap::new(),
        variables: HashMap::new(),
        functions: HashMap::new(),
    };
    parser.declare_functions()?;
    parser.module()?;
    Ok(parser.module)
}

/// A name with its number, as it is looked up.
pub(super) type Key = (String, Option<u32>);

pub(super) type Result<T> = std::result::Result<T, ParseError>;

pub(super) struct Parser<'a> {
    text: &'a str,
    file: FileId,
    tokens: Vec<Spanned<'a>>,
    position: usize,
    pub(super) module: Module,
    structs: HashMap<Key, Handle<Struct>>,
    pub(super) variables: HashMap<Key, Handle<Variable>>,
    pub(super) functions: HashMap<Key, Handle<Function>>,
}

impl<'a> Parser<'a> {
    // The token stream.

    pub(super) fn peek(&self) -> &Token<'a> {
        self.tokens.get(self.position).map_or(&Token::End, |spanned| &spanned.token)
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    /// The first byte of the next token.
    pub(super) fn start(&self) -> u32 {
        let last = self.tokens.last();
        self.tokens.get(self.position).or(last).map_or(0, |spanned| spanned.start)
    }

    /// From a byte to the end of the last token that was taken.
    pub(super) fn origin_from(&self, start: u32) -> Origin {
        let taken = self.position.checked_sub(1).and_then(|index| self.tokens.get(index));
        let end = taken.map_or(start, |spanned| spanned.end).max(start);
        Origin::plain(Span::new(self.file, start, end))
    }

    /// The end of the line that holds a byte.
    pub(super) fn first_line_end(&self, start: u32) -> u32 {
        let rest = self.text.get(start as usize..).unwrap_or("");
        start + rest.find('\n').unwrap_or(rest.len()) as u32
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        self.error_at(self.start(), message)
    }

    pub(super) fn error_at<T>(&self, position: u32, message: impl Into<String>) -> Result<T> {
        Err(ParseError::at(self.text, position as usize, message))
    }

    pub(super) fn take_symbol(&mut self, symbol: char) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        self.position += usize::from(found);
        found
    }

    pub(super) fn expect_symbol(&mut self, symbol: char) -> Result<()> {
        if self.take_symbol(symbol) { Ok(()) } else { self.error(format!("`{symbol}` expected")) }
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = *self.peek() == Token::Word(word);
        self.position += usize::from(found);
        found
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.take_word(word) { Ok(()) } else { self.error(format!("`{word}` expected")) }
    }

    pub(super) fn word(&mut self) -> Result<&'a str> {
        match *self.peek() {
            Token::Word(word) => {
                self.position += 1;
                Ok(word)
            }
            _ => self.error("a word was expected"),
        }
    }

    pub(super) fn expect_line(&mut self) -> Result<()> {
        match self.peek() {
            Token::Line => {
                self.position += 1;
                Ok(())
            }
            Token::End => Ok(()),
            _ => self.error("the line was expected to end here"),
        }
    }

    pub(super) fn string(&mut self) -> Result<String> {
        match self.peek().clone() {
            Token::Text(text) => {
                self.position += 1;
                Ok(text)
            }
            _ => self.error("a string was expected"),
        }
    }

    /// A name after a sigil.
    pub(super) fn name(&mut self, sigil: char) -> Result<Key> {
        match self.peek().clone() {
            Token::Name(found, name, number) if found == sigil => {
                self.position += 1;
                Ok((name, number))
            }
            _ => self.error(format!("a name with `{sigil}` was expected")),
        }
    }

    /// A number without a type.
    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        if let Token::Number(digits, "") = *self.peek()
            && let Ok(number) = digits.parse()
        {
            self.position += 1;
            return Ok(number);
        }
        self.error("a plain number (that fits) was expected")
    }

    // The module.

    /// Gives each function its handle, so that calls may precede definitions.
    fn declare_functions(&mut self) -> Result<()> {
        let mut line_begins = true;
        for index in 0..self.tokens.len() {
            let token = &self.tokens[index].token;
            if line_begins && matches!(token, Token::Word("kernel" | "function")) {
                let following = self.tokens.get(index + 1).map(|spanned| spanned.token.clone());
                if let Some(Token::Name('@', name, number)) = following {
                    let start = self.tokens[index].start;
                    let span = Span::new(self.file, start, self.tokens[index + 1].end);
                    let stand_in = Function::new(name.clone(), FunctionKind::Device);
                    let handle = self.module.functions.append(stand_in, Origin::plain(span));
                    let key = (name, number);
                    if self.functions.insert(key.clone(), handle).is_some() {
                        return self.error_at(start, format!("a second function `{}`", key.0));
                    }
                }
            }
            line_begins = *token == Token::Line;
        }
        Ok(())
    }

    fn module(&mut self) -> Result<()> {
        loop {
            let start = self.start();
            match self.peek() {
                Token::End => return Ok(()),
                Token::Line => {
                    self.position += 1;
                    continue;
                }
                _ => {}
            }
            match self.word()? {
                "struct" => self.structure(start)?,
                "variable" => self.variable(start)?,
                "kernel" => self.function(true)?,
                "function" => self.function(false)?,
                "launch" => self.launch(start)?,
                other => {
                    let message = format!(
                        "`struct`, `variable`, `kernel`, `function` or `launch` expected, not `{other}`"
                    );
                    return self.error_at(start, message);
                }
            }
        }
    }

    fn structure(&mut self, start: u32) -> Result<()> {
        let key = self.name('#')?;
        self.expect_word("size")?;
        let size = self.number()?;
        self.expect_word("align")?;
        let align = self.number()?;
        let origin = self.origin_from(start);
        self.expect_symbol('{')?;
        self.expect_line()?;
        let mut members = Vec::new();
        while !self.take_symbol('}') {
            let name = match self.next() {
                Token::Word(name) => name.to_string(),
                Token::Text(name) => name,
                _ => {
                    self.position -= 1;
                    return self.error("a member's name was expected");
                }
            };
            self.expect_symbol(':')?;
            let ty = self.ty()?;
            self.expect_word("at")?;
            let offset = self.number()?;
            self.expect_line()?;
            members.push(Member { name, ty, offset });
        }
        self.expect_line()?;
        let structure = Struct { name: key.0.clone(), members, size, align };
        let handle = self.module.types.add_struct(structure, origin);
        if self.structs.insert(key.clone(), handle).is_some() {
            return self.error_at(start, format!("a second struct `{}`", key.0));
        }
        Ok(())
    }

    fn variable(&mut self, start: u32) -> Result<()> {
        let key = self.name('@')?;
        self.expect_symbol(':')?;
        let word = self.word()?;
        let Some(space) = value(SPACES, word) else {
            return self.error(format!("`{word}` is not a space"));
        };
        let extent = if self.take_word("dynamic") { Extent::Dynamic } else { Extent::Fixed };
        let ty = self.ty()?;
        let align = if self.take_word("align") { Some(self.number()?) } else { None };
        let initial = if self.take_symbol('=') { Some(self.bytes()?) } else { None };
        let variable = Variable { name: key.0.clone(), space, ty, extent, align, initial };
        let handle = self.module.variables.append(variable, self.origin_from(start));
        self.expect_line()?;
        if self.variables.insert(key.clone(), handle).is_some() {
            return self.error_at(start, format!("a second variable `{}`", key.0));
        }
        Ok(())
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        let start = self.start();
        let digits = self.string()?;
        let pairs = digits.as_bytes().chunks(2).map(|pair| {
            let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2)?;
            u8::from_str_radix(text, 16).ok()
        });
        match pairs.collect() {
            Some(bytes) => Ok(bytes),
            None => self.error_at(start, "pairs of hexadecimal digits were expected"),
        }
    }

    fn launch(&mut self, start: u32) -> Result<()> {
        let key = self.name('@')?;
        let Some(kernel) = self.functions.get(&key).copied() else {
            return self.error_at(start, format!("there is no function `{}`", key.0));
        };
        self.expect_word("grid")?;
        let grid = self.ranges()?;
        self.expect_word("block")?;
        let block = self.ranges()?;
        let mut dynamic_shared = None;
        if self.take_word("shared") {
            self.expect_symbol('(')?;
            dynamic_shared = self.range()?;
            self.expect_symbol(')')?;
        }
        let location = self.origin_from(start).into();
        self.expect_symbol('{')?;
        self.expect_line()?;
        let mut arguments = Vec::new();
        while !self.take_symbol('}') {
            let word = self.word()?;
            let parameter = self.launch_parameter(kernel)?;
            arguments.push(match word {
                "range" => ArgumentFact::Range { parameter, range: self.interval()? },
                "extent" => ArgumentFact::Extent { parameter, bytes: self.interval()? },
                "aligned" => ArgumentFact::Aligned { parameter, align: self.number()? },
                "disjoint" => {
                    let second = self.launch_parameter(kernel)?;
                    ArgumentFact::Disjoint { first: parameter, second }
                }
                "same" => {
                    let second = self.launch_parameter(kernel)?;
                    ArgumentFact::Same { first: parameter, second }
                }
                other => return self.error(format!("`{other}` is not a fact")),
            });
            self.expect_line()?;
        }
        self.expect_line()?;
        self.module.launches.push(LaunchFacts {
            kernel,
            grid,
            block,
            dynamic_shared,
            arguments,
            location,
        });
        Ok(())
    }

    fn ranges(&mut self) -> Result<[Option<Range>; 3]> {
        self.expect_symbol('(')?;
        let x = self.range()?;
        self.expect_symbol(',')?;
        let y = self.range()?;
        self.expect_symbol(',')?;
        let z = self.range()?;
        self.expect_symbol(')')?;
        Ok([x, y, z])
    }

    /// `*`, `4` or `1 to 4`
    fn range(&mut self) -> Result<Option<Range>> {
        if self.take_symbol('*') {
            return Ok(None);
        }
        self.interval().map(Some)
    }

    /// `4` or `1 to 4`
    fn interval(&mut self) -> Result<Range> {
        let low = self.number()?;
        let high = if self.take_word("to") { self.number()? } else { low };
        Ok(Range { low, high })
    }

    /// A parameter of a kernel that has been read already.
    fn launch_parameter(&mut self, kernel: Handle<Function>) -> Result<u32> {
        let start = self.start();
        if self.take_word("arg") {
            self.expect_symbol('(')?;
            let index = self.number()?;
            self.expect_symbol(')')?;
            return Ok(index);
        }
        let (name, _) = self.name('%')?;
        let parameters = &self.module.functions[kernel].parameters;
        match parameters.iter().position(|parameter| parameter.name == name) {
            Some(index) => Ok(index as u32),
            None => self.error_at(start, format!("the kernel has no parameter `{name}`")),
        }
    }

    // Types.

    pub(super) fn ty(&mut self) -> Result<Type> {
        let start = self.start();
        let mut lengths: Vec<u64> = Vec::new();
        while self.take_symbol('[') {
            lengths.push(self.number()?);
            self.expect_word("x")?;
        }
        let mut ty = self.plain_type()?;
        for length in lengths.into_iter().rev() {
            self.expect_symbol(']')?;
            let origin = self.origin_from(start);
            ty = self.module.types.array(ty, length, origin);
        }
        Ok(ty)
    }

    fn plain_type(&mut self) -> Result<Type> {
        if matches!(self.peek(), Token::Name('#', ..)) {
            let start = self.start();
            return self.structure_name(start).map(Type::Struct);
        }
        let start = self.start();
        match self.word()? {
            "ptr" => {
                let start = self.start();
                let word = self.word()?;
                match value(SPACES, word) {
                    Some(space) => Ok(Type::Pointer(space)),
                    None => self.error_at(start, format!("`{word}` is not a space")),
                }
            }
            "fragment" => self.fragment().map(Type::Fragment),
            word => {
                let vector = vector(word).map(|(scalar, size)| Type::Vector(scalar, size));
                match vector.or_else(|| scalar(word).map(Type::Scalar)) {
                    Some(ty) => Ok(ty),
                    None => self.error_at(start, format!("`{word}` is not a type")),
                }
            }
        }
    }

    pub(super) fn structure_name(&mut self, start: u32) -> Result<Handle<Struct>> {
        let key = self.name('#')?;
        match self.structs.get(&key) {
            Some(handle) => Ok(*handle),
            None => self.error_at(start, format!("there is no struct `{}` above", key.0)),
        }
    }

    /// What follows the word `fragment`.
    pub(super) fn fragment(&mut self) -> Result<Fragment> {
        let start = self.start();
        let Some(operand) = value(FRAGMENT_USES, self.word()?) else {
            return self.error_at(start, "`a`, `b` or `accumulator` expected");
        };
        let (m, n, k) = (self.number()?, self.number()?, self.number()?);
        let start = self.start();
        let word = self.word()?;
        let element =
            value(FRAGMENT_ELEMENTS, word).or_else(|| scalar(word).map(FragmentElement::Scalar));
        let Some(element) = element else {
            return self.error_at(start, format!("`{word}` is not an element"));
        };
        let mut layout = None;
        if let Token::Word(word) = *self.peek()
            && let Some(found) = value(MATRIX_LAYOUTS, word)
        {
            self.position += 1;
            layout = Some(found);
        }
        Ok(Fragment { operand, m, n, k, element, layout })
    }
}
