//! The preprocessor: one translation unit as a flat list of tokens, each with the bytes that spell
//! it and the macro expansions that it went through.
//!
//! It works on tokens, never on text. Files come from the [`SourceMap`]; a header that is not there
//! is recorded and skipped. It knows no C++ beyond the conditions of `#if`.

mod condition;
mod directive;
mod expand;
mod headers;
mod lexeme;
mod library;
mod macros;
mod substitute;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use port_diag::{Diagnostic, Expansions, FileId, Finding, SourceMap, Span};

use crate::configuration::Configuration;
use crate::findings::LimitReached;
use crate::launch;
use crate::symbol::{Symbol, SymbolMap};
use crate::token::{Token, TokenKind};
use directive::OpenFile;
use expand::Pending;
use lexeme::LexedFile;
use macros::{Builtin, Macro, MacroId, Replacement};

/// A translation unit after preprocessing, and what was seen on the way.
#[derive(Clone, Debug, Default)]
pub struct Preprocessed {
    /// The tokens that reach the compiler.
    pub tokens: Vec<Token>,
    /// The pragmas that a later stage may want, in order. They are not in `tokens`.
    pub pragmas: Vec<Pragma>,
    /// The macro expansions that the origins of tokens point into.
    pub expansions: Expansions,
    /// Every `#if` group that was read, in the order of their first lines. A header that is
    /// included twice gives its groups twice.
    pub conditionals: Vec<Conditional>,
    /// Every `#include` that was read, those of inactive regions too.
    pub includes: Vec<Include>,
    /// Every `#define` that took effect, in order. Not those of the configuration.
    pub macros: Vec<MacroDefinition>,
    /// The files that were read, in the order of first reading; the root is the first.
    pub files: Vec<FileId>,
    /// Whether macro expansion passed its limit, so that the tokens are not the program.
    pub cut_off: bool,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// A `#pragma` or `_Pragma` that does not concern the preprocessor itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pragma {
    /// The token of [`Preprocessed::tokens`] that it stands before.
    pub before: usize,
    /// The whole directive, or the `_Pragma` operator.
    pub span: Span,
    /// What follows `pragma`, with macros expanded: `unroll`, `(`, `4`, `)`.
    pub tokens: Vec<Token>,
}

/// A group `#if … #elif … #else … #endif`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditional {
    /// Its branches in order; at least one.
    pub branches: Vec<Branch>,
    /// The `#endif` line; `None` if the file ends first.
    pub end: Option<Span>,
    /// Whether the group itself stands in text that was compiled. If not, no branch is active.
    pub reached: bool,
}

/// One branch of a [`Conditional`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Which directive opened it.
    pub kind: BranchKind,
    /// The whole directive, from `#` to the end of its line.
    pub directive: Span,
    /// The condition; `None` for `#else`.
    pub condition: Option<Span>,
    /// The text between this directive and the next one of the group.
    pub body: Span,
    /// Whether the text was compiled.
    pub active: bool,
    /// The identifiers that the condition tests, as written, in order; `defined` and `__has_include`
    /// left out.
    pub names: Vec<(Symbol, Span)>,
}

/// The directive that opens a [`Branch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BranchKind {
    /// `#if`
    If,
    /// `#ifdef`
    Ifdef,
    /// `#ifndef`
    Ifndef,
    /// `#elif`
    Elif,
    /// `#elifdef`
    Elifdef,
    /// `#elifndef`
    Elifndef,
    /// `#else`
    Else,
}

/// An `#include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The whole directive, from `#` to the end of its line.
    pub directive: Span,
    /// The name with its `<…>` or `"…"`; what spells it, if a macro does.
    pub name_span: Span,
    /// The name without its brackets or quotes.
    pub name: Arc<str>,
    /// Written `<…>`.
    pub angled: bool,
    /// The file of the source map that it names.
    pub file: Option<FileId>,
    /// Whether it stands in text that was compiled.
    pub active: bool,
}

/// A `#define`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroDefinition {
    /// Its name.
    pub name: Symbol,
    /// The name in the `#define`.
    pub name_span: Span,
    /// The whole directive, from `#` to the end of its (last) line.
    pub directive: Span,
    /// Parameters of a function-like macro, `...` left out; `None` for an object-like one.
    pub parameters: Option<Vec<Symbol>>,
    /// Takes `...`.
    pub variadic: bool,
    /// The replacement list.
    pub body: Vec<BodyToken>,
    /// How often it was expanded.
    pub uses: u32,
    /// Whether an `#undef` or another `#define` ended it.
    pub ended: bool,
}

/// A token of a macro's replacement list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyToken {
    /// What it is.
    pub kind: TokenKind,
    /// Its spelling.
    pub text: Symbol,
    /// Its bytes.
    pub span: Span,
    /// Space stands before it.
    pub spaced: bool,
}

/// What the preprocessor reads at most. Each is far above what code of the field needs; together
/// they bound time and memory on any input.
mod limits {
    /// Tokens of all files together, a file counted each time it is included, inactive branches
    /// counted too.
    pub const READ_TOKENS: usize = 4_000_000;
    /// Tokens that reach the compiler. The stages that follow take about a kilobyte for each.
    pub const TOKENS: usize = 650_000;
    /// Tokens that macro expansion makes, intermediate ones included.
    pub const EXPANDED_TOKENS: usize = 1_000_000;
    /// Expansion frames: past it, frames of arguments are simplified.
    pub const FRAMES: usize = 1_000_000;
    /// Findings about unbalanced conditionals of one unit; the others follow from these.
    pub const UNBALANCED: usize = 8;
    /// Frames of one argument token that are kept when it is passed on.
    pub const MOVED_FRAMES: usize = 32;
    /// Macro calls inside arguments of macro calls; each level is a level of recursion.
    pub const CALL_DEPTH: usize = 200;
    /// Macro calls without a closing parenthesis, each of which reads to the end of the file.
    pub const OPEN_CALLS: usize = 12;
    /// Files that include each other; GCC's limit.
    pub const INCLUDE_DEPTH: usize = 200;
}

/// Bytes of the longest file that is read. A longer one is reported and skipped; whoever reads files
/// can refuse it before it is in memory.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// Preprocesses a translation unit. `root` and everything that it includes come from `sources`.
///
/// Never fails: what is wrong is in [`Preprocessed::diagnostics`], and the tokens are the best that
/// can be made of the text.
pub fn preprocess(
    sources: &SourceMap,
    root: FileId,
    configuration: &Configuration,
) -> Preprocessed {
    let mut preprocessor = Preprocessor::new(sources, configuration);
    preprocessor.configure(root);
    preprocessor.enter(root, None);
    preprocessor.run();
    preprocessor.mark_launches();
    preprocessor.out
}

/// The state of one run.
struct Preprocessor<'a> {
    sources: &'a SourceMap,
    configuration: &'a Configuration,
    out: Preprocessed,
    /// The files being read, the innermost last.
    stack: Vec<OpenFile>,
    lexed: HashMap<FileId, Arc<LexedFile>>,
    /// Files that are not entered again.
    once: HashSet<FileId>,
    /// Every definition so far.
    macros: Vec<Macro>,
    /// The definitions that hold now.
    names: SymbolMap<MacroId>,
    /// `#pragma push_macro`.
    saved: SymbolMap<Vec<Option<MacroId>>>,
    /// Tokens to read before the file's.
    pending: Vec<Pending>,
    pragma_pool: Vec<Pragma>,
    pragma_operator: Symbol,
    /// Macro calls whose arguments are being read.
    collecting: usize,
    /// Macro calls that had no end.
    open_calls: usize,
    /// Tokens made by expansion.
    expanded: usize,
    /// Tokens read from files.
    read: usize,
    /// Nothing is expanded any more: a limit was reached.
    /// The libraries whose macros are defined.
    modelled: [bool; library::LIBRARIES.len()],
    /// Findings about unbalanced conditionals.
    unbalanced: usize,
    /// Limits that were reported.
    limits_said: HashSet<String>,
    /// `__COUNTER__`
    counter: u32,
}

impl<'a> Preprocessor<'a> {
    fn new(sources: &'a SourceMap, configuration: &'a Configuration) -> Self {
        Preprocessor {
            sources,
            configuration,
            out: Preprocessed::default(),
            stack: Vec::new(),
            lexed: HashMap::new(),
            once: HashSet::new(),
            macros: Vec::new(),
            names: SymbolMap::default(),
            saved: SymbolMap::default(),
            pending: Vec::new(),
            pragma_pool: Vec::new(),
            pragma_operator: Symbol::new("_Pragma"),
            collecting: 0,
            open_calls: 0,
            expanded: 0,
            read: 0,
            modelled: [false; library::LIBRARIES.len()],
            unbalanced: 0,
            limits_said: HashSet::new(),
            counter: 0,
        }
    }

    /// Finds the ends of launches that macros put together; the lexer marked the others.
    fn mark_launches(&mut self) {
        let merged = launch::mark(&mut self.out.tokens);
        for pragma in &mut self.out.pragmas {
            // Each launch end before the pragma took the place of three tokens.
            pragma.before -= 2 * merged.partition_point(|first| first + 2 < pragma.before);
        }
    }

    /// Defines the macros that hold from the start.
    fn configure(&mut self, root: FileId) {
        for (name, builtin) in [
            ("__LINE__", Builtin::Line),
            ("__FILE__", Builtin::File),
            ("__COUNTER__", Builtin::Counter),
        ] {
            self.name_macro(Symbol::new(name), None, Replacement::Builtin(builtin), None);
        }
        // Dates would make the output depend on when it was made.
        for (name, value) in [("__DATE__", "\"Jan  1 1970\""), ("__TIME__", "\"00:00:00\"")] {
            self.define_configured(name, value, root);
        }
        for (name, value) in library::ALWAYS {
            self.define_configured(name, value, root);
        }
        for (name, value) in &self.configuration.defines {
            self.define_configured(name, value, root);
        }
        for name in &self.configuration.undefines {
            self.remove_macro(Symbol::new(name));
        }
    }

    fn define_configured(&mut self, name: &str, value: &str, root: FileId) {
        if let Some(definition) = macros::parse_configured(name, value, root) {
            self.add_macro(definition, None);
        }
    }

    /// Defines the macros of a library whose header is included and not in view.
    fn model_library(&mut self, header: &str, from: FileId) {
        let Some(index) = library::of_header(header) else { return };
        if std::mem::replace(&mut self.modelled[index], true) {
            return;
        }
        for (name, value) in library::LIBRARIES[index].macros {
            let plain = name.split('(').next().unwrap_or(name);
            if !self.names.contains_key(&Symbol::new(plain)) {
                self.define_configured(name, value, from);
            }
        }
    }

    /// Says that the unit has more tokens than the compiler is given, and gives it none: half a unit
    /// would be translated as if it were whole.
    fn too_many_tokens(&mut self) {
        let what = format!("the file and its headers have more than {} tokens", limits::TOKENS);
        let place = match (self.out.tokens.last(), self.out.files.first()) {
            (Some(token), _) => self.out.expansions.outermost(token.origin),
            (None, Some(file)) => Span::new(*file, 0, 0),
            (None, None) => return,
        };
        self.limit(what, place);
        self.out.tokens = Vec::new();
        self.out.pragmas = Vec::new();
        self.out.expansions = Expansions::default();
    }

    /// Says, once per message, that a limit was reached.
    fn limit(&mut self, what: String, place: Span) {
        if self.limits_said.insert(what.clone()) {
            self.out.diagnostics.push(LimitReached { what }.at_span(place));
        }
    }
}
