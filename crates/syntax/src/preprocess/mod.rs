//! The preprocessor: one translation unit as a flat list of tokens, each with the bytes that spell
//! it and the macro expansions that it went through.
//!
//! It works on tokens, never on text. Files come from the [`SourceMap`]; a header that is not there
//! is recorded and skipped. It knows no C++ beyond the conditions of `#if`.

use std::sync::Arc;

use port_diag::{Diagnostic, Expansions, FileId, SourceMap, Span};

use crate::configuration::Configuration;
use crate::symbol::Symbol;
use crate::token::{Token, TokenKind};

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
