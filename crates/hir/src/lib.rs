//! Names, scopes, declarations, types, statements and expressions of one translation unit, and what
//! each identifier of the user's text means.
//!
//! A [`Module`] is C++ with its ambiguities settled and its names looked up, and nothing more:
//!
//! * Host and device code are treated alike. What is unknown (a library's type, a macro of a header
//!   that is not in view) is [`Res::Unresolved`], never a finding in host code.
//! * Templates are not instantiated. A template parameter is a position
//!   ([`TemplateParameterRef`]); whatever must be looked up in a type that depends on one, or in an
//!   instance of a class template, is [`Res::Member`] or [`Res::Dependent`].
//! * No overload is chosen and nothing is converted: a function name is its overload set. Lowering
//!   types expressions, with concrete types per instance.
//! * An entity is one node, however often it is declared: redeclarations and out-of-class
//!   definitions are joined to their first declaration.
//! * Nodes live in the arenas of the module, under typed handles; a handle is only good for its own
//!   module. Every node has an [`Origin`](port_diag::Origin); expressions, statements and types
//!   also know their tokens.
//! * What could not be read is an `Error` node with a finding, and the function or record that
//!   holds it has a [`Poison`]. What was read and has no model is `Unsupported`.
//!
//! [`Meanings`] answers the question that a port by edits asks of each token: is this `min` the
//! library's, or the user's own?
//!
//! This crate knows no target, no layout and no value.

pub mod arena;
mod build;
pub mod dump;
mod expr;
pub mod findings;
mod item;
mod meaning;
mod module;
mod name;
mod stmt;
mod ty;

pub use arena::{Arena, Handle};
pub use build::build;
pub use expr::*;
pub use item::*;
pub use meaning::{Entity, Meaning, Meanings};
pub use module::{Module, TokenRange};
pub use name::{Name, NameRef, Res, Segment, TemplateArgument, TemplateParameterRef};
pub use stmt::*;
pub use ty::{Builtin, Qualifiers, Ty, TyKind};

/// Handle of a [`Function`].
pub type FunctionId = Handle<Function>;
/// Handle of a [`Record`].
pub type RecordId = Handle<Record>;
/// Handle of a [`Variable`].
pub type VariableId = Handle<Variable>;
/// Handle of an [`Alias`].
pub type AliasId = Handle<Alias>;
/// Handle of an [`Enum`].
pub type EnumId = Handle<Enum>;
/// Handle of a [`Namespace`].
pub type NamespaceId = Handle<Namespace>;
/// Handle of a [`Local`].
pub type LocalId = Handle<Local>;
/// Handle of a [`Lambda`].
pub type LambdaId = Handle<Lambda>;
/// Handle of a [`Launch`].
pub type LaunchId = Handle<Launch>;
/// Handle of a [`Ty`].
pub type TyId = Handle<Ty>;
/// Handle of an [`Expr`].
pub type ExprId = Handle<Expr>;
/// Handle of a [`Stmt`].
pub type StmtId = Handle<Stmt>;
