//! The stack of files and the directives in them.

use std::sync::Arc;

use port_diag::source::normalise;
use port_diag::{FileId, Finding, Origin, Span};

use super::condition::{self, Environment};
use super::expand::Item;
use super::lexeme::{DirectiveLine, LexedFile, Lexeme};
use super::macros::{Definition, Macro, MacroId, Parameters, Replacement};
use super::{
    Branch, BranchKind, Conditional, Include, MAX_FILE_BYTES, MacroDefinition, Preprocessor,
    headers, limits, macros,
};
use crate::findings::{
    ErrorDirective, IncludeDepth, InvalidCondition, MacroRedefined, MalformedDirective,
    MissingInclude, UnknownConditionCall, UnknownDirective, UnmatchedConditional,
    UnterminatedComment, UnterminatedConditional, UnterminatedLiteral,
};
use crate::symbol::Symbol;
use crate::token::{Token, TokenKind};

/// A file being read.
pub(super) struct OpenFile {
    pub file: FileId,
    lexed: Arc<LexedFile>,
    /// The next lexeme.
    at: usize,
    /// The next directive line.
    directive: usize,
    groups: Vec<OpenGroup>,
    /// The `-I` folder that it was found in; `#include_next` goes on behind it.
    found_in: Option<usize>,
}

impl OpenFile {
    /// Whether the text at the current place is skipped.
    fn skipping(&self) -> bool {
        self.groups.last().is_some_and(|group| !group.active)
    }

    /// The lexeme at which plain text ends: the next directive, or the end of the file.
    fn text_end(&self) -> usize {
        self.lexed.directives.get(self.directive).map_or(self.lexed.lexemes.len(), |d| d.first)
    }
}

/// A conditional group being read.
struct OpenGroup {
    /// Its entry in the output.
    index: usize,
    /// The current branch is compiled.
    active: bool,
    /// No further branch can be: one was taken, or the whole group is skipped.
    settled: bool,
    /// `#else` was read.
    last: bool,
}

/// What [`Preprocessor::position`] finds.
enum Position {
    Text,
    Directive,
    End,
}

impl Preprocessor<'_> {
    /// Opens a file.
    pub(super) fn enter(&mut self, file: FileId, found_in: Option<usize>) {
        let text = &self.sources.file(file).text;
        if text.len() > MAX_FILE_BYTES {
            let what = format!(
                "`{}` is longer than {} MiB",
                self.sources.file(file).path,
                MAX_FILE_BYTES >> 20
            );
            self.limit(what, Span::new(file, 0, 0));
            return;
        }
        let lexed = match self.lexed.get(&file) {
            Some(lexed) => lexed.clone(),
            None => {
                let lexed = Arc::new(LexedFile::new(text));
                self.lexed.insert(file, lexed.clone());
                self.out.files.push(file);
                if let Some((start, end)) = lexed.open_comment {
                    let finding =
                        UnterminatedComment.at_span(Span::new(file, start, end.min(start + 2)));
                    self.out.diagnostics.push(finding);
                }
                lexed
            }
        };
        if self.once.contains(&file) || lexed.guard.is_some_and(|guard| self.is_defined(guard)) {
            return;
        }
        self.read += lexed.lexemes.len() + 1;
        if self.read > limits::READ_TOKENS {
            let what = format!("the files together have more than {} tokens", limits::READ_TOKENS);
            self.limit(what, Span::new(file, 0, 0));
            return;
        }
        self.stack.push(OpenFile {
            file,
            lexed,
            at: 0,
            directive: 0,
            groups: Vec::new(),
            found_in,
        });
    }

    /// Closes the innermost file; false if it was the last.
    fn leave(&mut self) -> bool {
        let Some(file) = self.stack.pop() else { return false };
        let end = Span::new(file.file, file.lexed.length, file.lexed.length);
        for group in file.groups.iter().rev() {
            self.end_branch(group.index, end.start);
            let Some(branch) = self.out.conditionals[group.index].branches.first() else {
                continue;
            };
            let directive = match branch.kind {
                BranchKind::Ifdef => "ifdef",
                BranchKind::Ifndef => "ifndef",
                _ => "if",
            };
            let finding = UnterminatedConditional { directive: directive.to_owned() };
            self.unbalanced += 1;
            if self.unbalanced <= limits::UNBALANCED {
                self.out.diagnostics.push(finding.at_span(branch.directive));
            }
        }
        !self.stack.is_empty()
    }

    fn position(&mut self) -> Position {
        let Some(file) = self.stack.last_mut() else { return Position::End };
        let end = file.text_end();
        if file.skipping() {
            file.at = end;
        }
        if file.at < end {
            Position::Text
        } else if file.directive < file.lexed.directives.len() {
            Position::Directive
        } else {
            Position::End
        }
    }

    /// Copies text that no macro touches to the output. Returns false at the end of the unit, true
    /// at a name that may be a macro.
    pub(super) fn copy_plain_text(&mut self) -> bool {
        loop {
            match self.position() {
                Position::Text => {}
                Position::Directive => {
                    if let Some(item) = self.directive() {
                        self.emit(item);
                    }
                    continue;
                }
                Position::End if self.leave() => continue,
                Position::End => return false,
            }
            let Some(file) = self.stack.last_mut() else { return false };
            let end = file.text_end();
            let lexed = file.lexed.clone();
            if self.out.tokens.len() + (end - file.at.min(end)) > 2 * limits::TOKENS {
                // More than the caller takes anyway: it is not copied first.
                file.at = end;
                let rest = lexed.lexemes.get(..=limits::TOKENS).unwrap_or_default();
                self.out.tokens.extend(rest.iter().map(|lexeme| lexeme.token(file.file)));
                return true;
            }
            while file.at < end {
                let lexeme = &lexed.lexemes[file.at];
                if lexeme.kind == TokenKind::Identifier
                    && (self.names.contains_key(&lexeme.text)
                        || lexeme.text == self.pragma_operator)
                {
                    return true;
                }
                file.at += 1;
                let token = lexeme.token(file.file);
                if lexeme.unterminated {
                    self.out.diagnostics.push(unterminated(&token));
                }
                self.out.tokens.push(token);
            }
        }
    }

    /// The next token of the files. At the end of a file, while macro arguments are read, nothing:
    /// arguments end with their file.
    pub(super) fn next_of_file(&mut self) -> Option<Item> {
        loop {
            match self.position() {
                Position::Text => {
                    let file = self.stack.last_mut()?;
                    let lexeme = *file.lexed.lexemes.get(file.at)?;
                    file.at += 1;
                    let token = lexeme.token(file.file);
                    if lexeme.unterminated {
                        self.out.diagnostics.push(unterminated(&token));
                    }
                    return Some(Item::new(token));
                }
                Position::Directive => {
                    if let Some(item) = self.directive() {
                        return Some(item);
                    }
                }
                Position::End if self.collecting > 0 => return None,
                Position::End => {
                    if !self.leave() {
                        return None;
                    }
                }
            }
        }
    }

    /// The kind of the next token of the file, if no directive comes first.
    pub(super) fn peek_file(&self) -> Option<TokenKind> {
        let file = self.stack.last()?;
        (file.at < file.text_end()).then(|| file.lexed.lexemes[file.at].kind)
    }

    /// Reads one directive. A pragma comes back as an item.
    fn directive(&mut self) -> Option<Item> {
        let file = self.stack.last_mut()?;
        let id = file.file;
        let lexed = file.lexed.clone();
        let line = *lexed.directives.get(file.directive)?;
        file.directive += 1;
        file.at = line.last;
        let skipping = file.skipping();
        let start = lexed.lexemes.get(line.first)?.start;
        let span = Span::new(id, start, line.end);
        let words = lexed.lexemes.get(line.first + 1..line.last)?;
        let (name, words) = words.split_first()?;
        let context = Line { lexed: &lexed, line, span, name: *name, words };
        match name.text.as_str() {
            "if" => self.open_group(&context, BranchKind::If),
            "ifdef" => self.open_group(&context, BranchKind::Ifdef),
            "ifndef" => self.open_group(&context, BranchKind::Ifndef),
            "elif" => self.next_branch(&context, BranchKind::Elif),
            "elifdef" => self.next_branch(&context, BranchKind::Elifdef),
            "elifndef" => self.next_branch(&context, BranchKind::Elifndef),
            "else" => self.next_branch(&context, BranchKind::Else),
            "endif" => self.close_group(&context),
            "include" | "include_next" | "import" => self.include(&context, !skipping),
            _ if skipping => {}
            "define" => self.define(&context),
            "undef" => self.undefine(&context),
            "pragma" => return self.pragma(&context),
            "error" => {
                let text = self.sources.text(Span::new(id, name.end, line.end)).trim().to_owned();
                let finding = ErrorDirective { text };
                self.out.diagnostics.push(finding.at_span(span));
            }
            "warning" | "line" | "ident" | "sccs" | "assert" | "unassert" => {}
            // `# 12 "file"`: a line marker of a file that was preprocessed before.
            _ if name.kind == TokenKind::Number => {}
            directive => {
                let finding = UnknownDirective { directive: directive.to_owned() };
                self.out.diagnostics.push(finding.at_span(name.span(id)));
            }
        }
        None
    }

    fn malformed(&mut self, line: &Line<'_>, problem: &str, place: Option<Lexeme>) {
        let file = line.span.file;
        let finding = MalformedDirective {
            directive: line.name.text.to_string(),
            problem: problem.to_owned(),
        };
        let span = place.map_or(line.span, |lexeme| lexeme.span(file));
        self.out.diagnostics.push(finding.at_span(span));
    }

    fn open_group(&mut self, line: &Line<'_>, kind: BranchKind) {
        let reached = self.stack.last().is_some_and(|file| !file.skipping());
        let index = self.out.conditionals.len();
        self.out.conditionals.push(Conditional { branches: Vec::new(), end: None, reached });
        let active = reached && self.condition_holds(line, kind);
        self.out.conditionals[index].branches.push(line.branch(kind, active));
        if let Some(file) = self.stack.last_mut() {
            file.groups.push(OpenGroup { index, active, settled: active || !reached, last: false });
        }
    }

    fn next_branch(&mut self, line: &Line<'_>, kind: BranchKind) {
        let problem = match self.stack.last().and_then(|file| file.groups.last()) {
            None => "belongs to no `#if`",
            Some(group) if group.last => "stands after the `#else` of its group",
            Some(group) => {
                let (index, settled) = (group.index, group.settled);
                self.end_branch(index, line.span.start);
                let active =
                    !settled && (kind == BranchKind::Else || self.condition_holds(line, kind));
                self.out.conditionals[index].branches.push(line.branch(kind, active));
                let group = self.stack.last_mut().and_then(|file| file.groups.last_mut());
                if let Some(group) = group {
                    group.active = active;
                    group.settled |= active;
                    group.last = kind == BranchKind::Else;
                }
                return;
            }
        };
        self.unmatched(line, problem);
    }

    fn close_group(&mut self, line: &Line<'_>) {
        match self.stack.last_mut().and_then(|file| file.groups.pop()) {
            Some(group) => {
                self.end_branch(group.index, line.span.start);
                self.out.conditionals[group.index].end = Some(line.span);
            }
            None => self.unmatched(line, "belongs to no `#if`"),
        }
    }

    fn unmatched(&mut self, line: &Line<'_>, problem: &'static str) {
        let directive = line.name.text.to_string();
        let finding = UnmatchedConditional { directive, problem };
        self.unbalanced += 1;
        if self.unbalanced <= limits::UNBALANCED {
            self.out.diagnostics.push(finding.at_span(line.span));
        }
    }

    /// Sets the end of the last branch of a group.
    fn end_branch(&mut self, index: usize, end: u32) {
        let group = self.out.conditionals.get_mut(index);
        if let Some(branch) = group.and_then(|group| group.branches.last_mut()) {
            branch.body.end = end.max(branch.body.start);
        }
    }

    fn condition_holds(&mut self, line: &Line<'_>, kind: BranchKind) -> bool {
        match kind {
            BranchKind::Ifdef | BranchKind::Elifdef => self.tested_name(line).unwrap_or(false),
            BranchKind::Ifndef | BranchKind::Elifndef => !self.tested_name(line).unwrap_or(true),
            BranchKind::Else => true,
            BranchKind::If | BranchKind::Elif => {
                let items: Vec<Item> =
                    line.words.iter().map(|word| Item::new(word.token(line.span.file))).collect();
                let tokens: Vec<Token> =
                    self.expand_list(&items, 0, true).iter().map(|item| item.token).collect();
                let outcome = condition::evaluate(&tokens, self);
                outcome.unwrap_or_else(|error| {
                    let finding = InvalidCondition { problem: error.problem };
                    let finding = match error.place {
                        Some(origin) => finding.at(origin, &self.out.expansions),
                        None => finding.at_span(line.span),
                    };
                    self.out.diagnostics.push(finding);
                    false
                })
            }
        }
    }

    /// Whether the name after `#ifdef` is defined.
    fn tested_name(&mut self, line: &Line<'_>) -> Option<bool> {
        match line.words.first() {
            Some(word) if word.kind == TokenKind::Identifier => Some(self.is_defined(word.text)),
            word => {
                self.malformed(line, "a macro's name belongs here", word.copied());
                None
            }
        }
    }

    fn define(&mut self, line: &Line<'_>) {
        let file = line.span.file;
        let definition = match macros::parse_definition(line.words, file) {
            Ok(definition) => definition,
            Err((problem, place)) => return self.malformed(line, problem, place),
        };
        let name = definition.name;
        if let Some(MacroId(id)) = self.names.get(&name.text).copied()
            && let Some(record) = self.macros[id as usize].record
        {
            let same = {
                let old = &self.out.macros[record];
                self.macros[id as usize].parameters == definition.parameters
                    && old.body.len() == definition.body.len()
                    && old
                        .body
                        .iter()
                        .zip(&definition.body)
                        .enumerate()
                        .all(|(i, (a, b))| a.text == b.text && (i == 0 || a.spaced == b.spaced))
            };
            self.out.macros[record].ended = true;
            if !same {
                let earlier = self.out.macros[record].name_span;
                let finding = MacroRedefined { name: name.text.to_string() };
                let finding = finding.at_span(name.span(file));
                self.out.diagnostics.push(finding.with_label(earlier, "defined here before"));
            }
        }
        let record = self.out.macros.len();
        let (parameters, variadic) = match &definition.parameters {
            None => (None, false),
            Some(parameters) => {
                let mut names = parameters.names.clone();
                if names.last().is_some_and(|name| *name == "__VA_ARGS__") {
                    names.pop();
                }
                (Some(names), parameters.variadic)
            }
        };
        self.out.macros.push(MacroDefinition {
            name: name.text,
            name_span: name.span(file),
            directive: line.span,
            parameters,
            variadic,
            body: definition.body.clone(),
            uses: 0,
            ended: false,
        });
        self.add_macro(definition, Some((name.span(file), record)));
    }

    /// Makes a definition hold. `place`: the name in the text and the record, if it has one.
    pub(super) fn add_macro(&mut self, definition: Definition, place: Option<(Span, usize)>) {
        let parts = macros::parse_parts(&definition.body, definition.parameters.as_ref());
        let replacement = Replacement::Parts(parts);
        self.name_macro(definition.name.text, definition.parameters, replacement, place);
    }

    /// Makes a name a macro.
    pub(super) fn name_macro(
        &mut self,
        name: Symbol,
        parameters: Option<Parameters>,
        replacement: Replacement,
        place: Option<(Span, usize)>,
    ) {
        let id = MacroId(self.macros.len() as u32);
        self.macros.push(Macro {
            name,
            frame_name: name.as_str().into(),
            definition: place.map(|(span, _)| span),
            record: place.map(|(_, record)| record),
            parameters,
            replacement,
            disabled: false,
        });
        self.names.insert(name, id);
    }

    fn undefine(&mut self, line: &Line<'_>) {
        match line.words.first() {
            Some(word) if word.kind == TokenKind::Identifier => self.remove_macro(word.text),
            word => self.malformed(line, "a macro's name belongs here", word.copied()),
        }
    }

    pub(super) fn remove_macro(&mut self, name: Symbol) {
        if let Some(MacroId(id)) = self.names.remove(&name)
            && let Some(record) = self.macros[id as usize].record
        {
            self.out.macros[record].ended = true;
        }
    }

    fn pragma(&mut self, line: &Line<'_>) -> Option<Item> {
        let file = line.span.file;
        let word = line.words.first()?;
        match word.text.as_str() {
            "once" => {
                self.once.insert(file);
                return None;
            }
            "push_macro" | "pop_macro" => {
                let literal = line.words.get(2).filter(|word| word.kind == TokenKind::String)?;
                let name = Symbol::new(literal.text.as_str().trim_matches('"'));
                if word.text == "push_macro" {
                    let current = self.names.get(&name).copied();
                    self.saved.entry(name).or_default().push(current);
                } else if let Some(saved) = self.saved.get_mut(&name).and_then(Vec::pop) {
                    match saved {
                        Some(id) => self.names.insert(name, id),
                        None => self.names.remove(&name),
                    };
                }
                return None;
            }
            _ => {}
        }
        let tokens = line.words.iter().map(|word| word.token(file)).collect();
        self.make_pragma(line.name.token(file), line.span, tokens, 0)
    }

    fn include(&mut self, line: &Line<'_>, active: bool) {
        let file = line.span.file;
        let Some(first) = line.words.first() else {
            if active {
                self.malformed(line, "a file name belongs here", None);
            }
            return;
        };
        let last = line.words.last().unwrap_or(first);
        let (text, name_span) = match first.kind {
            TokenKind::HeaderName | TokenKind::String => {
                (first.text.as_str().to_owned(), first.span(file))
            }
            _ if !active => return,
            _ => {
                let items: Vec<Item> =
                    line.words.iter().map(|word| Item::new(word.token(file))).collect();
                let text: String = self
                    .expand_list(&items, 0, false)
                    .iter()
                    .map(|item| item.token.text.as_str())
                    .collect();
                (text, Span::new(file, first.start, last.end))
            }
        };
        let Some((name, angled)) = header_name(&text) else {
            if active {
                self.malformed(line, "a file name in quotes or `<…>` belongs here", Some(*first));
            }
            return;
        };
        let next = line.name.text == "include_next";
        let found = self.find_header(name, angled, file, next);
        self.out.includes.push(Include {
            directive: line.span,
            name_span,
            name: name.into(),
            angled,
            file: found.map(|(file, _)| file),
            active,
        });
        if !active {
            return;
        }
        match found {
            Some((found, _)) if self.stack.len() >= limits::INCLUDE_DEPTH => {
                // Said once per file, and the file is not entered again: a cycle that includes
                // itself twice would otherwise double at each level.
                if self.once.insert(found) {
                    let finding =
                        IncludeDepth { name: name.to_owned(), depth: limits::INCLUDE_DEPTH };
                    self.out.diagnostics.push(finding.at_span(name_span));
                }
            }
            Some((found, folder)) => self.enter(found, folder),
            None if angled || headers::is_library(name) => self.model_library(name, file),
            None => {
                let finding = MissingInclude { name: name.to_owned() };
                self.out.diagnostics.push(finding.at_span(name_span));
            }
        }
    }

    /// The file that a header name means, and the `-I` folder that it was found in.
    fn find_header(
        &self,
        name: &str,
        angled: bool,
        from: FileId,
        next: bool,
    ) -> Option<(FileId, Option<usize>)> {
        if name.starts_with('/') {
            return Some((self.sources.find(name)?, None));
        }
        if !angled && !next {
            let path: &str = &self.sources.file(from).path;
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            // A file at the root of an absolute path: `/a.cu`.
            let folder = if folder.is_empty() && path.starts_with('/') { "/" } else { folder };
            if let Some(file) = self.find_in(folder, name) {
                return Some((file, None));
            }
        }
        let first = match (next, self.stack.last()) {
            (true, Some(file)) => file.found_in.map_or(0, |folder| folder + 1),
            _ => 0,
        };
        let folders = self.configuration.include_dirs.iter().enumerate().skip(first);
        folders
            .filter_map(|(index, folder)| Some((self.find_in(folder, name)?, Some(index))))
            .find(|(file, _)| !next || *file != from)
    }

    fn find_in(&self, folder: &str, name: &str) -> Option<FileId> {
        if folder.is_empty() || folder == "." {
            self.sources.find(name)
        } else {
            self.sources.find(&normalise(&format!("{folder}/{name}")))
        }
    }

    pub(super) fn is_defined(&self, name: Symbol) -> bool {
        self.names.contains_key(&name)
            || matches!(
                name.as_str(),
                "__has_include"
                    | "__has_include_next"
                    | "__has_cpp_attribute"
                    | "__has_attribute"
                    | "__has_builtin"
            )
    }
}

impl Environment for Preprocessor<'_> {
    fn is_defined(&self, name: Symbol) -> bool {
        Preprocessor::is_defined(self, name)
    }

    fn has_include(&self, header: &str, place: Origin) -> bool {
        let Some((name, angled)) = header_name(header) else { return false };
        let from = self.stack.last().map_or(place.span.file, |file| file.file);
        self.find_header(name, angled, from, false).is_some()
            || headers::is_installed(name, self.configuration.headers)
    }

    fn unknown_call(&mut self, name: &Token) {
        let finding = UnknownConditionCall { name: name.text.to_string() };
        self.out.diagnostics.push(finding.at(name.origin, &self.out.expansions));
    }
}

/// A directive line, taken apart.
struct Line<'a> {
    lexed: &'a LexedFile,
    line: DirectiveLine,
    /// From `#` to the end of the line.
    span: Span,
    name: Lexeme,
    /// What follows the name.
    words: &'a [Lexeme],
}

impl Line<'_> {
    /// The branch that this line opens; its body ends with the line until the next directive of the
    /// group is read.
    fn branch(&self, kind: BranchKind, active: bool) -> Branch {
        let file = self.span.file;
        let condition = match (self.words.first(), self.words.last()) {
            (Some(first), Some(last)) if kind != BranchKind::Else => {
                Some(Span::new(file, first.start, last.end))
            }
            _ => None,
        };
        let names = match kind {
            BranchKind::Else => Vec::new(),
            _ => self
                .words
                .iter()
                .filter(|word| word.kind == TokenKind::Identifier)
                .filter(|word| word.text != "defined" && !word.text.as_str().starts_with("__has_"))
                .map(|word| (word.text, word.span(file)))
                .collect(),
        };
        debug_assert!(self.line.last <= self.lexed.lexemes.len());
        Branch {
            kind,
            directive: self.span,
            condition,
            body: Span::new(file, self.span.end, self.span.end),
            active,
            names,
        }
    }
}

/// The name in `<name>` or `"name"`, and whether it is angled.
fn header_name(text: &str) -> Option<(&str, bool)> {
    let text = text.trim();
    let (name, angled) = match text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        Some(name) => (name, true),
        None => (text.strip_prefix('"')?.strip_suffix('"')?, false),
    };
    let name = name.trim();
    (!name.is_empty()).then_some((name, angled))
}

fn unterminated(token: &Token) -> port_diag::Diagnostic {
    let what = if token.kind == TokenKind::Character { "character constant" } else { "string" };
    UnterminatedLiteral { what }.at_span(token.origin.span)
}
