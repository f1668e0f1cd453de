//! Findings: what a stage has to say about the user's text.
//!
//! Each kind of finding is a struct with `#[derive(Diagnostic)]` (crate `port-macros`), which
//! implements [`Finding`]: a stable code, a severity, a one-line summary and the long explanation
//! that `port explain` prints, taken from the struct's doc comment. A stage builds the struct and
//! calls [`Finding::at`]; everything downstream handles the plain [`Diagnostic`].

use crate::edit::Fix;
use crate::span::{Expansions, Origin, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing to do; explains a choice.
    Note,
    /// The output may differ from what the user expects; look at it.
    Warning,
    /// This part was not translated, or the input is broken.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What is the same for every finding of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Stable code, `P` and four digits.
    pub code: &'static str,
    /// Kebab-case name, from the struct's name.
    pub name: &'static str,
    /// The severity of every finding of this kind.
    pub severity: Severity,
    /// First line of the doc comment.
    pub summary: &'static str,
    /// The rest of the doc comment, Markdown.
    pub explanation: &'static str,
}

/// A kind of finding. Derived by `#[derive(Diagnostic)]`.
pub trait Finding {
    /// Code, severity, explanation.
    const METADATA: Metadata;

    /// The message for this place, one line, no final full stop.
    fn message(&self) -> String;

    /// What the user can do, if there is more to say than the message.
    fn help(&self) -> Option<String> {
        None
    }

    /// The finding as data, at a place of the user's text.
    fn at(&self, origin: Origin, expansions: &Expansions) -> Diagnostic {
        let metadata = Self::METADATA;
        Diagnostic {
            code: metadata.code,
            severity: metadata.severity,
            message: self.message(),
            primary: Some(Label { span: origin.span, message: String::new() }),
            secondary: Vec::new(),
            frames: expansions
                .chain(origin)
                .map(|frame| FrameNote {
                    macro_name: frame.name.to_string(),
                    call: frame.call.span,
                })
                .collect(),
            help: self.help(),
            fix: None,
            kernel: None,
        }
    }

    /// The finding as data, at plain text outside macros.
    fn at_span(&self, span: Span) -> Diagnostic {
        self.at(Origin::plain(span), &Expansions::new())
    }

    /// The finding without a place (a flag, a missing file).
    fn nowhere(&self) -> Diagnostic {
        let metadata = Self::METADATA;
        Diagnostic {
            code: metadata.code,
            severity: metadata.severity,
            message: self.message(),
            primary: None,
            secondary: Vec::new(),
            frames: Vec::new(),
            help: self.help(),
            fix: None,
            kernel: None,
        }
    }
}

/// A place with a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The bytes to underline.
    pub span: Span,
    /// Shown after the underline; may be empty.
    pub message: String,
}

/// "in this expansion of `NAME`".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameNote {
    /// The macro.
    pub macro_name: String,
    /// Where it is used.
    pub call: Span,
}

/// A finding as data. Made by [`Finding::at`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, `P` and four digits.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub message: String,
    /// The place; `None` when the finding is about a flag or a whole run.
    pub primary: Option<Label>,
    /// Other places that matter.
    pub secondary: Vec<Label>,
    /// The macro expansions that the place went through, innermost first.
    pub frames: Vec<FrameNote>,
    /// What to do.
    pub help: Option<String>,
    /// Edits that would do it.
    pub fix: Option<Fix>,
    /// The kernel concerned, when there is one: `name` or `name<args>`.
    pub kernel: Option<String>,
}

impl Diagnostic {
    /// Adds another place.
    pub fn with_label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.secondary.push(Label { span, message: message.into() });
        self
    }

    /// Names the kernel concerned.
    pub fn in_kernel(mut self, kernel: impl Into<String>) -> Self {
        self.kernel = Some(kernel.into());
        self
    }

    /// Adds a fix.
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}
