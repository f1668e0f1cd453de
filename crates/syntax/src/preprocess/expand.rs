//! Macro expansion.
//!
//! Tokens still to be read lie on one stack, the next one on top; below an expansion's tokens lies
//! a marker that enables the macro's name again. A name met while its macro is disabled is painted
//! and never expanded, which is the rule of the standard ([cpp.rescan]) as GCC and Clang apply it.
//! Arguments are expanded by the same machine with a floor under the stack, so recursion goes only
//! as deep as calls nest inside arguments, which is limited.

use port_diag::{ExpansionKind, Finding, Origin, Span};

use super::macros::{Builtin, MacroId, Replacement};
use super::substitute::{Arguments, CallFrames, Substitution};
use super::{Pragma, Preprocessor, limits};
use crate::findings::UnterminatedMacroCall;
use crate::symbol::Symbol;
use crate::token::{Token, TokenKind};

/// A token on its way through the expander.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub token: Token,
    /// Its macro was disabled when it was met: it stays as it is.
    pub painted: bool,
    /// The token stands for a pragma: index into the pool, or [`NO_PRAGMA`].
    pub pragma: u32,
}

/// Most tokens are no pragma.
pub(super) const NO_PRAGMA: u32 = u32::MAX;

impl Item {
    pub fn new(token: Token) -> Self {
        Item { token, painted: false, pragma: NO_PRAGMA }
    }

    pub fn is(&self, kind: TokenKind) -> bool {
        self.token.kind == kind && self.pragma == NO_PRAGMA
    }
}

/// What lies on the stack.
pub(super) enum Pending {
    Item(Item),
    /// The end of a macro's expansion.
    End(MacroId),
}

/// Where tokens come from: the stack down to a floor, and then perhaps the file.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub floor: usize,
    pub file: bool,
    /// How many argument lists this one lies in.
    pub depth: usize,
}

impl Preprocessor<'_> {
    /// Reads the rest of the unit.
    pub(super) fn run(&mut self) {
        let level = Level { floor: 0, file: true, depth: 0 };
        loop {
            let more = !self.pending.is_empty() || self.copy_plain_text();
            if self.out.tokens.len() > limits::TOKENS {
                return self.too_many_tokens();
            }
            if !more {
                return;
            }
            let Some(item) = self.pull(level) else {
                // A file ended inside nothing: go on with the file that includes it.
                continue;
            };
            if let Some(item) = self.step(item, level) {
                self.emit(item);
            }
        }
    }

    /// A token that reaches the output.
    pub(super) fn emit(&mut self, item: Item) {
        if item.pragma == NO_PRAGMA {
            self.out.tokens.push(item.token);
        } else if let Some(pragma) = self.pragma_pool.get(item.pragma as usize) {
            let before = self.out.tokens.len();
            self.out.pragmas.push(Pragma { before, ..pragma.clone() });
        }
    }

    /// Expands a list of its own: an argument, a condition, the operand of a directive. In a
    /// condition, the operands of `defined` and its kin are not expanded.
    pub(super) fn expand_list(
        &mut self,
        items: &[Item],
        depth: usize,
        condition: bool,
    ) -> Vec<Item> {
        let level = Level { floor: self.pending.len(), file: false, depth };
        self.push_items(items);
        let mut out = Vec::with_capacity(items.len());
        while let Some(item) = self.pull(level) {
            if let Some(item) = self.step(item, level) {
                let operator = item.token.text;
                out.push(item);
                if condition && item.is(TokenKind::Identifier) {
                    self.keep_operand(operator, level, &mut out);
                }
            }
        }
        out
    }

    /// After `defined` and the like: moves the operand to `out` as it is.
    fn keep_operand(&mut self, operator: Symbol, level: Level, out: &mut Vec<Item>) {
        let takes_name = operator == "defined";
        if !takes_name && !operator.as_str().starts_with("__has_") {
            return;
        }
        let mut depth = 0_usize;
        while let Some(item) = self.pull(level) {
            match item.token.kind {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth = depth.saturating_sub(1),
                _ if depth == 0 && !takes_name => {
                    // `__has_include` without parentheses: not ours.
                    self.pending.push(Pending::Item(item));
                    return;
                }
                _ => {}
            }
            out.push(item);
            if depth == 0 {
                return;
            }
        }
    }

    fn push_items(&mut self, items: &[Item]) {
        self.pending.extend(items.iter().rev().map(|item| Pending::Item(*item)));
    }

    /// The next token, unexpanded.
    fn pull(&mut self, level: Level) -> Option<Item> {
        while self.pending.len() > level.floor {
            match self.pending.pop()? {
                Pending::Item(item) => return Some(item),
                Pending::End(id) => self.macros[id.0 as usize].disabled = false,
            }
        }
        if level.file { self.next_of_file() } else { None }
    }

    /// Whether the next token is `(`. If it is, the ends of expansions before it are passed.
    fn call_follows(&mut self, level: Level) -> bool {
        let mut index = self.pending.len();
        while index > level.floor {
            index -= 1;
            if let Pending::Item(item) = &self.pending[index] {
                return item.is(TokenKind::LeftParen);
            }
        }
        level.file && self.peek_file() == Some(TokenKind::LeftParen)
    }

    /// One token: returned if it stays, `None` if something took its place on the stack.
    fn step(&mut self, item: Item, level: Level) -> Option<Item> {
        if item.token.kind != TokenKind::Identifier || item.painted || item.pragma != NO_PRAGMA {
            return Some(item);
        }
        let Some(id) = self.names.get(&item.token.text).copied() else {
            if item.token.text == self.pragma_operator && self.call_follows(level) {
                return self.pragma_call(item, level);
            }
            return Some(item);
        };
        if self.out.cut_off {
            return Some(item);
        }
        let definition = &self.macros[id.0 as usize];
        if definition.disabled {
            return Some(Item { painted: true, ..item });
        }
        let arguments = match &definition.parameters {
            None => None,
            Some(_) => {
                if !self.call_follows(level) {
                    return Some(item);
                }
                match self.collect_arguments(&item, id, level) {
                    Some(arguments) => Some(arguments),
                    None => return Some(Item { painted: true, ..item }),
                }
            }
        };
        self.expand(item, id, arguments, level);
        None
    }

    /// Puts the expansion of a macro on the stack.
    fn expand(&mut self, name: Item, id: MacroId, arguments: Option<Arguments>, level: Level) {
        let definition = &self.macros[id.0 as usize];
        if let Some(record) = definition.record.and_then(|record| self.out.macros.get_mut(record)) {
            record.uses += 1;
        }
        let mut call = name.token.origin;
        if let Some(arguments) = &arguments
            && arguments.close.expansion == call.expansion
            && arguments.close.span.start >= call.span.start
        {
            call.span = call.span.to(arguments.close.span);
        }
        let mut frames = CallFrames::new(call);
        let replacement = definition.replacement.clone();
        let mut items = match replacement {
            Replacement::Builtin(builtin) => vec![self.builtin(builtin, id, &mut frames)],
            Replacement::Parts(parts) => {
                let mut substitution = Substitution::new(id, arguments, level.depth);
                substitution.move_origins(self, &mut frames);
                substitution.substitute(self, &parts, &mut frames)
            }
        };
        for item in &mut items {
            item.token.spaced |= item.token.line_start;
            item.token.line_start = false;
        }
        if let Some(first) = items.first_mut() {
            first.token.spaced = name.token.spaced;
            first.token.line_start = name.token.line_start;
        }
        if !self.spend(items.len() + 1, name.token.text, call) {
            return;
        }
        self.macros[id.0 as usize].disabled = true;
        self.pending.push(Pending::End(id));
        self.push_items(&items);
    }

    /// Counts work done by expansion. At the limit it says so, once, and expands nothing more.
    pub(super) fn spend(&mut self, tokens: usize, name: Symbol, origin: Origin) -> bool {
        self.expanded += tokens;
        if self.expanded <= limits::EXPANDED_TOKENS || self.out.cut_off {
            return !self.out.cut_off;
        }
        self.out.cut_off = true;
        let outer = self.out.expansions.chain(origin).last();
        let name = outer.map_or(name.as_str().into(), |frame| frame.name.to_string());
        let what = format!("the expansion of `{name}` passes {} tokens", limits::EXPANDED_TOKENS);
        self.limit(what, self.out.expansions.outermost(origin));
        // What the stack still holds would only be written out unexpanded.
        self.pending.retain(|entry| matches!(entry, Pending::End(_)));
        false
    }

    /// Reads `( … )`. On failure everything read is put back and a finding is made.
    fn collect_arguments(&mut self, name: &Item, id: MacroId, level: Level) -> Option<Arguments> {
        if level.depth >= limits::CALL_DEPTH {
            let what = format!(
                "calls of macro `{}` nest more than {} deep",
                name.token.text,
                limits::CALL_DEPTH
            );
            self.limit(what, self.out.expansions.outermost(name.token.origin));
            return None;
        }
        if self.open_calls >= limits::OPEN_CALLS {
            return None;
        }
        let variadic_at = match &self.macros[id.0 as usize].parameters {
            Some(parameters) if parameters.variadic => parameters.names.len() - 1,
            _ => usize::MAX,
        };
        let open = self.pull(level)?;
        let mut items = Vec::new();
        let mut ranges = Vec::new();
        let (mut depth, mut start) = (0_usize, 0);
        self.collecting += 1;
        let close = loop {
            let Some(mut item) = self.pull(level) else { break None };
            match item.token.kind {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen if depth == 0 => break Some(item.token.origin),
                TokenKind::RightParen => depth -= 1,
                TokenKind::Comma if depth == 0 && ranges.len() < variadic_at => {
                    ranges.push(start..items.len());
                    start = items.len() + 1;
                }
                // A name whose macro is disabled here stays painted wherever the argument goes.
                TokenKind::Identifier if !item.painted => {
                    let known = self.names.get(&item.token.text);
                    item.painted = known.is_some_and(|id| self.macros[id.0 as usize].disabled);
                }
                _ => {}
            }
            items.push(item);
        };
        self.collecting -= 1;
        let Some(close) = close else {
            self.open_calls += 1;
            let finding = UnterminatedMacroCall { name: name.token.text.to_string() };
            let finding = finding.at(name.token.origin, &self.out.expansions);
            self.out.diagnostics.push(finding);
            self.spend(items.len() + 1, name.token.text, name.token.origin);
            self.push_items(&items);
            self.push_items(&[open]);
            return None;
        };
        ranges.push(start..items.len());
        Some(Arguments { items, ranges, close })
    }

    /// `_Pragma("…")`, which becomes a pragma that travels like a token.
    fn pragma_call(&mut self, name: Item, level: Level) -> Option<Item> {
        let open = self.pull(level)?;
        let Some(text) = self.pull(level) else {
            self.push_items(&[open]);
            return Some(Item { painted: true, ..name });
        };
        let close = self.pull(level);
        if text.token.kind != TokenKind::String
            || !close.is_some_and(|c| c.is(TokenKind::RightParen))
        {
            let mut back = vec![open, text];
            back.extend(close);
            self.push_items(&back);
            return Some(Item { painted: true, ..name });
        }
        let content = destringify(text.token.text.as_str());
        let lexed = super::lexeme::LexedFile::new(&content);
        let tokens = lexed
            .lexemes
            .iter()
            .map(|lexeme| Token {
                kind: lexeme.kind,
                text: lexeme.text,
                origin: text.token.origin,
                spaced: lexeme.spaced,
                line_start: false,
            })
            .collect();
        let mut span = self.out.expansions.outermost(name.token.origin);
        if name.token.origin.expansion.is_none()
            && let Some(close) = close
        {
            span = span.to(close.token.origin.span);
        }
        let item = self.make_pragma(name.token, span, tokens, level.depth);
        if let Some(item) = item {
            self.pending.push(Pending::Item(item));
        }
        None
    }

    /// A pragma as an item; `None` if the preprocessor itself heeds it.
    pub(super) fn make_pragma(
        &mut self,
        place: Token,
        span: Span,
        mut tokens: Vec<Token>,
        depth: usize,
    ) -> Option<Item> {
        let word = tokens.first()?.text;
        match word.as_str() {
            "once" => return None,
            // The words after these are read by the compiler proper, macros expanded.
            "unroll" | "nounroll" | "omp" if depth < limits::CALL_DEPTH => {
                let rest: Vec<Item> = tokens[1..].iter().map(|token| Item::new(*token)).collect();
                let rest = self.expand_list(&rest, depth + 1, false);
                tokens.truncate(1);
                tokens.extend(rest.iter().map(|item| item.token));
            }
            _ => {}
        }
        let pragma = self.pragma_pool.len() as u32;
        self.pragma_pool.push(Pragma { before: 0, span, tokens });
        Some(Item { token: Token { text: word, ..place }, painted: true, pragma })
    }

    /// Where a reader sees the macro use that led to `origin`: outside macro bodies, but inside the
    /// arguments that hold it. This is the line that `__LINE__` means in GCC.
    fn written_at(&self, mut origin: Origin) -> Span {
        while let Some(frame) = origin.expansion.map(|id| self.out.expansions.get(id)) {
            if frame.kind == ExpansionKind::Argument {
                break;
            }
            origin = frame.call;
        }
        origin.span
    }

    fn builtin(&mut self, builtin: Builtin, id: MacroId, frames: &mut CallFrames) -> Item {
        let place = self.written_at(frames.call);
        let file = self.sources.file(place.file);
        let (kind, text) = match builtin {
            Builtin::Line => (TokenKind::Number, file.line_column(place.start).line.to_string()),
            Builtin::File => (TokenKind::String, quote(&file.path)),
            Builtin::Counter => {
                self.counter += 1;
                (TokenKind::Number, (self.counter - 1).to_string())
            }
        };
        let expansion = Some(frames.get(self, id, ExpansionKind::Made));
        Item::new(Token {
            kind,
            text: Symbol::new(&text),
            origin: Origin { span: frames.call.span, expansion },
            spaced: false,
            line_start: false,
        })
    }
}

/// A string literal that holds `text`.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

/// The inverse of stringification, for `_Pragma`.
fn destringify(literal: &str) -> String {
    let body = literal.trim_start_matches('L').trim_matches('"');
    body.replace("\\\"", "\"").replace("\\\\", "\\")
}
