//! Positions: a file and bytes ([`Span`]), and the chain of macro expansions that put a token where
//! it is ([`Origin`], [`Expansions`]).

use std::sync::Arc;

/// A file of the [`SourceMap`](crate::SourceMap).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open byte range of one file: `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file whose bytes are counted.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span `start..end` of `file`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        debug_assert!(start <= end);
        Span { file, start, end }
    }

    /// Number of bytes.
    pub fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies inside this span (same file).
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that holds both; `self` when the files differ.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The bytes as a range for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// An entry of [`Expansions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExpansionId(pub u32);

/// Where a token, node or instruction comes from: the bytes that spell it and, when a macro put it
/// there, the expansion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The bytes that spell it: in a macro's body for a token of the body, at the use for an
    /// argument.
    pub span: Span,
    /// The innermost expansion that the token went through; `None` for plain text.
    pub expansion: Option<ExpansionId>,
}

impl Origin {
    /// An origin in plain text, outside every macro.
    pub fn plain(span: Span) -> Self {
        Origin { span, expansion: None }
    }
}

/// What kind of step an expansion frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpansionKind {
    /// A token of the macro's replacement list.
    Body,
    /// A token that the use passed as an argument; its spelling is at the use.
    Argument,
    /// A token made by `#` or `##`, or by a built-in such as `__LINE__`; its span is the operator's.
    Made,
}

/// One step of macro expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The macro's name.
    pub name: Arc<str>,
    /// How the token came through this macro.
    pub kind: ExpansionKind,
    /// The macro's name at its use (arguments included), itself perhaps inside another expansion.
    pub call: Origin,
    /// The name in the `#define`; `None` for macros given by `-D` or built in.
    pub definition: Option<Span>,
}

/// The expansion frames of one translation unit; append only.
#[derive(Clone, Debug, Default)]
pub struct Expansions {
    frames: Vec<Frame>,
}

impl Expansions {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a frame.
    pub fn push(&mut self, frame: Frame) -> ExpansionId {
        self.frames.push(frame);
        ExpansionId(self.frames.len() as u32 - 1)
    }

    /// The frame of an id made by this table.
    pub fn get(&self, id: ExpansionId) -> &Frame {
        &self.frames[id.0 as usize]
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether no macro was expanded.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frames of an origin, innermost first.
    pub fn chain(&self, origin: Origin) -> impl Iterator<Item = &Frame> {
        let mut next = origin.expansion;
        std::iter::from_fn(move || {
            let frame = self.get(next?);
            next = frame.call.expansion;
            Some(frame)
        })
    }

    /// The bytes of the file at which a reader sees the token: the outermost macro use, or the
    /// token itself in plain text.
    pub fn outermost(&self, origin: Origin) -> Span {
        self.chain(origin).last().map_or(origin.span, |frame| frame.call.span)
    }
}
