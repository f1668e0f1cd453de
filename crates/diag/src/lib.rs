//! Where things are in the user's text, and what there is to say about them.
//!
//! This crate holds spans and origins ([`span`]), the in-memory file system that every pure stage
//! reads ([`source`]), findings with stable codes ([`finding`]) and text edits ([`edit`]), and the
//! renderers of findings ([`render`]). It knows nothing of CUDA, of C++ or of any target, and does
//! no IO.

pub mod edit;
pub mod finding;
pub mod render;
pub mod source;
pub mod span;

pub use edit::{Applicability, Edit, Fix};
pub use finding::{Diagnostic, Finding, FrameNote, Label, Metadata, Severity};
pub use source::{LineColumn, SourceFile, SourceMap};
pub use span::{ExpansionId, ExpansionKind, Expansions, FileId, Frame, Origin, Span};
