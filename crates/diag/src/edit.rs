//! Edits of the user's text, and fixes made of them.

use crate::span::Span;

/// Replaces the bytes of `span` by `text`; an empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// What to replace.
    pub span: Span,
    /// The new bytes.
    pub text: String,
}

/// How far a fix may be applied without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// Keeps what the program computes.
    Safe,
    /// May change what the program computes; a person decides.
    Unsafe,
    /// Shown only.
    DisplayOnly,
}

/// A suggested change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// One sentence, imperative.
    pub title: String,
    /// The edits, disjoint and in order.
    pub edits: Vec<Edit>,
    /// Whether it may be applied unasked.
    pub applicability: Applicability,
}
