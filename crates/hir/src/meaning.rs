//! What each identifier of the user's text means: the table by which a rename is decided.

use port_diag::Span;

use crate::{
    AliasId, EnumId, FunctionId, LocalId, Name, NamespaceId, RecordId, TemplateParameterRef,
    VariableId,
};

/// What an identifier token means where it is spelled.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// A name of a library that the API tables know, by the key of its row.
    Api(Name),
    /// Something that the user's files declare: at its declaration and at its uses.
    User(Entity),
    /// The name of a macro of the user: in its `#define`, at its uses, in `#if`.
    Macro(Name),
    /// A member after `.`, `->` or a designator, or after a qualifier that is no known record.
    Member,
    /// A name of an external library without a row.
    Library(Name),
    /// Nothing in view declares it, or it depends on template arguments.
    Unresolved,
    /// A macro's body token that means different things in different expansions.
    Conflicting,
}

/// A declaration of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Entity {
    /// A function; of an overload set the first.
    Function(FunctionId),
    Record(RecordId),
    Variable(VariableId),
    Local(LocalId),
    Alias(AliasId),
    Enum(EnumId),
    EnumConstant(EnumId, u32),
    Field(RecordId, u32),
    Namespace(NamespaceId),
    TemplateParameter(TemplateParameterRef),
    /// A namespace alias for a library's namespace: `cg` of `namespace cg = cooperative_groups;`.
    LibraryAlias,
    /// A label.
    Label,
    /// A parameter of a function that is only declared, a parameter of a macro.
    Parameter,
}

/// The meanings of the identifier tokens of one module, by the bytes that spell them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meanings {
    /// Sorted by span.
    entries: Vec<(Span, Meaning)>,
}

impl Meanings {
    /// A table from entries in any order; several of one span must agree, else the span is
    /// [`Meaning::Conflicting`].
    pub fn new(mut entries: Vec<(Span, Meaning)>) -> Self {
        entries.sort_by_key(|(span, _)| *span);
        let mut merged: Vec<(Span, Meaning)> = Vec::with_capacity(entries.len());
        for (span, meaning) in entries {
            match merged.last_mut() {
                Some((last, known)) if *last == span => {
                    if !known.agrees(&meaning) {
                        *known = Meaning::Conflicting;
                    }
                }
                _ => merged.push((span, meaning)),
            }
        }
        Meanings { entries: merged }
    }

    /// The meaning of the token spelled by these bytes; `None` when it was never seen (an inactive
    /// branch, an unexpanded macro's body, a keyword).
    pub fn get(&self, span: Span) -> Option<&Meaning> {
        let index = self.entries.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        self.entries.get(index).map(|(_, meaning)| meaning)
    }

    /// All tokens, in the order of files and bytes.
    pub fn iter(&self) -> impl Iterator<Item = &(Span, Meaning)> {
        self.entries.iter()
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no token has a meaning.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Meaning {
    /// Whether two meanings of one spelling ask for the same treatment. Two declarations of the
    /// user agree even when they differ (a macro body's `i` is another local in each expansion).
    fn agrees(&self, other: &Meaning) -> bool {
        match (self, other) {
            (Meaning::User(_) | Meaning::Member, Meaning::User(_) | Meaning::Member) => true,
            (a, b) => a == b,
        }
    }
}
