//! From the tokens of a translation unit to a [`Module`].
//!
//! One pass of recursive descent over the preprocessed tokens with the scopes in hand, as a C++
//! compiler does it: whether `a * b;` declares and whether `(T)(x)` casts is asked of the scope where
//! the answer is needed. Bodies of member functions wait until their class is complete. Where names
//! are unknown (a header that is not in view) the more likely reading is taken by the shape of the
//! tokens; see [`scan`].
//!
//! Recovery goes by brackets, which are matched once beforehand: what can't be read inside a
//! statement loses that statement, what can't be read at namespace scope loses the tokens up to the
//! next `;` or `}` at its own depth, and never a function definition that follows.

mod asm;
mod cursor;
mod decide;
mod declaration;
mod declarator;
mod expr;
mod function;
mod initializer;
mod item;
mod lambda;
mod literal;
mod lookup;
mod members;
mod names;
mod primary;
mod record;
mod recover;
mod same;
mod scan;
mod scope;
mod specifiers;
mod stmt;
mod template;
mod unroll;
mod unseen;
mod words;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use port_diag::{ExpansionKind, Finding, Span};
use port_syntax::symbol::MixHasher;
use port_syntax::{Preprocessed, Symbol, SymbolMap, Token};

use crate::findings::UnbalancedBrace;
use crate::*;
use cursor::Failure;
use lookup::Found;
use scope::Scopes;

/// Nested constructs (parentheses, blocks, template arguments, declarators) beyond this depth are
/// not read. Deeper than any written code; shallow enough for a thread's smallest usual stack.
const MAX_DEPTH: u32 = 128;

/// Longest chain of left-associative operators, calls or members in one expression: a chain is as
/// deep a tree as it is long.
const MAX_CHAIN: u32 = 512;

/// Reads a translation unit.
///
/// Never fails: what can't be read is an `Error` node with a finding where device code is concerned.
/// The findings of the preprocessor are not repeated.
pub fn build(unit: &Preprocessed) -> Module {
    let mut builder = Builder::new(unit);
    builder.translation_unit();
    builder.finish()
}

type Parse<T> = Result<T, Failure>;

struct Builder<'t> {
    unit: &'t Preprocessed,
    /// The tokens that are read: those of the unit, or those of a pragma.
    tokens: &'t [Token],
    /// For each opening bracket of `tokens` its closing one, or `u32::MAX`.
    closers: Vec<u32>,
    position: usize,
    /// Tokens from here on are out of reach.
    end: usize,
    depth: u32,
    /// Types inside each other that are being looked at ahead.
    scan_depth: u32,
    /// Whether a `>` closes template arguments rather than compares.
    in_angles: bool,
    /// Whether a name is read with which a declaration begins: a `<` after it never compares.
    in_declaration: bool,
    module: Module,
    scopes: Scopes,
    context: Context,
    meanings: Vec<(Span, Meaning)>,
    /// Member function bodies that wait for the end of the outermost class.
    deferred: Vec<function::Deferred>,
    /// Whether any class declares a friend function.
    has_friends: bool,
    /// How many class bodies are being read.
    open_records: u32,
    /// The template header of the declaration being read, until something takes it.
    header: Option<template::Header>,
    /// Where `auto` makes a template parameter: in a parameter list.
    abbreviation: Option<template::Abbreviation>,
    /// The first thing that went wrong in the function or record being read.
    poison: Option<Poison>,
    /// Names of kernels in expressions that no launch has claimed yet, with their first token.
    kernel_names: Vec<(u32, KernelUse)>,
    /// The first `:` of a `::` between the operands of inline assembly has been taken.
    half_colon: bool,
    /// Alignments that stood after a declarator.
    late_alignments: Vec<Alignment>,
    /// What libraries have under a name: the part before it (or nothing) and the name.
    library: HashMap<(Symbol, Symbol), Found, BuildHasherDefault<MixHasher>>,
    words: Words,
}

/// Where the reader stands.
#[derive(Clone, Copy, Debug)]
struct Context {
    namespace: NamespaceId,
    /// The innermost function body.
    function: Option<FunctionId>,
    /// Template parameter lists around.
    template_depth: u16,
    /// Inside device code: what can't be read is reported.
    device: bool,
    c_linkage: bool,
}

/// Identifiers that are no keywords and yet mean something to the reader.
struct Words {
    empty: Symbol,
    /// Under this name a record's constructors are found.
    constructor: Symbol,
    /// Under this one its conversions.
    conversion: Symbol,
    va_arg: Symbol,
    offsetof: Symbol,
    builtin_offsetof: Symbol,
    builtin_bit_cast: Symbol,
    bit_cast: Symbol,
}

impl<'t> Builder<'t> {
    fn new(unit: &'t Preprocessed) -> Self {
        let mut module = Module { expansions: unit.expansions.clone(), ..Module::default() };
        let empty = Symbol::new("");
        let global =
            module.namespaces.add(Namespace { name: empty, parent: None, transparent: false });
        let brackets = cursor::match_brackets(&unit.tokens);
        // Said in host code too: what follows a brace too many is read as something else.
        for (at, finding) in [
            (brackets.stray, UnbalancedBrace { brace: '}', problem: "closes nothing" }),
            (brackets.unclosed, UnbalancedBrace { brace: '{', problem: "is never closed" }),
        ] {
            if let Some(token) = at.and_then(|at| unit.tokens.get(at)) {
                module.diagnostics.push(finding.at(token.origin, &unit.expansions));
            }
        }
        // Sizes of typical code: they save copies while the arenas grow.
        Builder {
            unit,
            tokens: &unit.tokens,
            closers: brackets.closers,
            position: 0,
            end: unit.tokens.len(),
            depth: 0,
            scan_depth: 0,
            in_angles: false,
            in_declaration: false,
            module,
            scopes: Scopes::new(),
            context: Context {
                namespace: global,
                function: None,
                template_depth: 0,
                device: false,
                c_linkage: false,
            },
            meanings: Vec::with_capacity(unit.tokens.len() / 2),
            deferred: Vec::new(),
            has_friends: false,
            open_records: 0,
            header: None,
            abbreviation: None,
            poison: None,
            kernel_names: Vec::new(),
            half_colon: false,
            late_alignments: Vec::new(),
            library: HashMap::default(),
            words: Words {
                empty,
                constructor: Symbol::new("(constructor)"),
                conversion: Symbol::new("(conversion)"),
                va_arg: Symbol::new("va_arg"),
                offsetof: Symbol::new("offsetof"),
                builtin_offsetof: Symbol::new("__builtin_offsetof"),
                builtin_bit_cast: Symbol::new("__builtin_bit_cast"),
                bit_cast: Symbol::new("__bit_cast"),
            },
        }
    }

    fn finish(mut self) -> Module {
        for definition in &self.unit.macros {
            self.meanings.push((definition.name_span, Meaning::Macro(definition.name)));
        }
        self.macro_uses();
        self.module.kernel_uses = self.kernel_names.into_iter().map(|(_, kernel)| kernel).collect();
        let mut function_names: SymbolMap<Vec<FunctionId>> = SymbolMap::default();
        for (id, function) in self.module.functions.iter() {
            function_names.entry(function.name).or_default().push(id);
        }
        self.module.function_names = function_names;
        self.module.meanings = Meanings::new(self.meanings);
        self.module
    }

    /// Names of the user's macros where they are used and where `#if` tests them.
    fn macro_uses(&mut self) {
        let defined: SymbolMap<()> = self.unit.macros.iter().map(|m| (m.name, ())).collect();
        let expansions = &self.unit.expansions;
        for index in 0..expansions.len() {
            let frame = expansions.get(port_diag::ExpansionId(index as u32));
            if frame.definition.is_none() || made(expansions, frame.call.expansion) {
                continue;
            }
            let name = Symbol::new(&frame.name);
            let start = frame.call.span.start;
            let span = Span::new(frame.call.span.file, start, start + frame.name.len() as u32);
            self.meanings.push((span, Meaning::Macro(name)));
        }
        for conditional in &self.unit.conditionals {
            for (name, span) in conditional.branches.iter().flat_map(|branch| &branch.names) {
                if defined.contains_key(name) {
                    self.meanings.push((*span, Meaning::Macro(*name)));
                }
            }
        }
    }

    /// Says what the identifier at `index` means.
    fn mean(&mut self, index: usize, meaning: Meaning) {
        let origin = self.tokens[index].origin;
        if !made(&self.unit.expansions, origin.expansion) {
            self.meanings.push((origin.span, meaning));
        }
    }

    fn declare_name(&mut self, name: Name) {
        self.module.declared_names.insert(name, ());
    }

    /// Reports in device code, and poisons what is being read.
    fn report(&mut self, finding: &impl Finding, at: usize) {
        let origin = self.origin_at(at);
        // What lies inside too deep a nest is lost piece by piece: that is one finding.
        let lost = self.poison.as_ref().is_some_and(|poison| poison.code == TOO_DEEP);
        if self.context.device && !lost {
            let mut diagnostic = finding.at(origin, &self.module.expansions);
            diagnostic.kernel = self
                .context
                .function
                .filter(|id| self.module.functions[*id].is_kernel())
                .map(|id| self.module.function_name(id));
            self.module.diagnostics.push(diagnostic);
        }
        if self.poison.is_none() {
            self.poison = Some(Poison { code: finding_code(finding), origin });
        }
    }
}

const TOO_DEEP: &str = <crate::findings::NestedTooDeeply as Finding>::METADATA.code;

fn finding_code<F: Finding>(_: &F) -> &'static str {
    F::METADATA.code
}

/// Whether a token of this expansion was made by `#`, `##` or a built-in, so that its bytes spell
/// something else.
fn made(expansions: &port_diag::Expansions, expansion: Option<port_diag::ExpansionId>) -> bool {
    expansion.is_some_and(|id| expansions.get(id).kind == ExpansionKind::Made)
}
