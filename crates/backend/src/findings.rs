//! What every back end may have to say about the user's text. One struct a finding; its documentation
//! is what `port explain` prints.

#![expect(missing_docs, reason = "the fields are the words that the messages show")]

use port_diag::{Finding, Metadata};
use port_macros::Diagnostic;

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[&TemplateKeyword::METADATA];

/// The keyword `template` is written where C++ asks for it.
///
/// ## What it means
/// What stands before `::` depends on a template's parameters, so C++ takes the name behind it for no
/// template unless `template` says so. nvcc guesses, g++ sometimes does; clang
/// does not compile it.
///
/// ## What to do
/// Nothing.
///
/// ## Example
/// ```cuda
/// template <typename T> __device__ float first(const T *x) { return Convert<T>::to<float>(x[0]); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0420",
    severity = note,
    message = "`{name}` is a template of a type that depends on template parameters: `template` is written before it"
)]
pub struct TemplateKeyword {
    pub name: String,
}
