//! Edits of the user's own text, as all targets need them: which tokens name the CUDA API
//! ([`names`]), which lines include what ([`file`]), what a call is given where only its tokens are
//! known ([`calls`]), launches ([`launches`]), template
//! arguments of instances ([`instances`]), and the set of changes with their reasons ([`edits`]). Knows no target: a back
//! end decides what a name becomes.

pub mod calls;
pub mod edits;
pub mod file;
pub mod instances;
pub mod launches;
pub mod names;
pub mod program;

pub use calls::call_arguments;
pub use edits::{Change, ChangeSet, Conflict, Reason, Side};
pub use file::{Directive, FileText, IncludeLine, relative};
pub use names::{Doubt, DoubtReason, NameUse, unknown, uses};
pub use program::Program;
