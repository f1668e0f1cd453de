//! The findings of this crate, `P02xx`: what could not be read, and where names can't be told apart.

use port_diag::Metadata;
use port_macros::Diagnostic;

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[
    &<UnreadableCode as port_diag::Finding>::METADATA,
    &<NestedTooDeeply as port_diag::Finding>::METADATA,
    &<UnknownMacroBlock as port_diag::Finding>::METADATA,
    &<UnreadableKernel as port_diag::Finding>::METADATA,
    &<UnbalancedBrace as port_diag::Finding>::METADATA,
];

/// Device code that is no C++ that `port` can read.
///
/// ## What it means
/// Inside a `__global__` or `__device__` function something stands that does not parse: a typing
/// error, a macro whose definition is not in view and that does not look like an expression, or a
/// construct that `port` does not read. The statement that holds it is left out and the function is
/// not translated. Edits of the text around it are still made.
///
/// ## What to do
/// If a macro is the cause, make its definition visible: pass the folder of its header with `-I`, or
/// define it with `-D`. If the compiler accepts the code as it is, simplify the statement.
///
/// ## Example
/// ```cuda
/// __global__ void k(float *x) {
///   x[0] = ;
/// }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0201",
    severity = error,
    message = "expected {expected}, found `{found}`",
    help = "if a macro is the cause, make its definition visible with -I or -D"
)]
pub struct UnreadableCode {
    /// What should stand here.
    pub expected: String,
    /// The token that does.
    pub found: String,
}

/// Code that is nested more deeply than `port` reads.
///
/// ## What it means
/// Parentheses, blocks, template arguments or declarators are nested in each other more than 128
/// times, or one expression chains more than 512 operators or calls. `port` stops there, so that no
/// input can exhaust its memory. The function is not translated.
///
/// ## What to do
/// Split the expression: name its parts. Such code usually comes from a generator or from macros that
/// expand themselves many times.
///
/// ## Example
/// ```cuda
/// __device__ int f(int x) { return ((((((((((x)))))))))); } // with 200 parentheses
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0202",
    severity = error,
    message = "nested too deeply to be read",
    help = "name parts of the expression, or split the function"
)]
pub struct NestedTooDeeply {}

/// A macro that is not in view stands where a loop or a block begins.
///
/// ## What it means
/// A name that nothing in view defines is followed by a block or a statement, as in
/// `KERNEL_LOOP(i, n) { … }`. It must be a macro that expands to a loop header or the like; without
/// its definition `port` cannot know what runs how often. The function is not translated.
///
/// ## What to do
/// Make the macro's definition visible: pass the folder of its header with `-I`, or define the macro
/// with `-D 'KERNEL_LOOP(i,n)=for (…)'`.
///
/// ## Example
/// ```cuda
/// __global__ void k(float *x, int n) {
///   KERNEL_LOOP(i, n) { x[i] = 0.0f; }
/// }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0203",
    severity = error,
    message = "`{name}` is followed by a block, but no macro of this name is in view",
    help = "make the macro's definition visible with -I or -D"
)]
pub struct UnknownMacroBlock {
    /// The name.
    pub name: String,
}

/// The declaration of a kernel or device function can't be read.
///
/// ## What it means
/// A declaration with `__global__` or `__device__` does not parse before its body: its template
/// header, its return type, its name or its parameters. The function is unknown to `port`: it is
/// not translated, and launches of it are not checked.
///
/// ## What to do
/// Look at the place that is named. A macro that is not in view is the usual cause: make its
/// definition visible with `-I` or `-D`.
///
/// ## Example
/// ```cuda
/// __global__ void k(float * const const *) y, int n) {}
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0204",
    severity = error,
    message = "this device function's declaration can't be read: expected {expected}, found `{found}`",
    help = "if a macro is the cause, make its definition visible with -I or -D"
)]
pub struct UnreadableKernel {
    /// What should stand here.
    pub expected: String,
    /// The token that does.
    pub found: String,
}

/// A brace without its partner.
///
/// ## What it means
/// A `}` closes nothing, or a `{` is never closed, so what belongs to which function is not known.
/// Where a macro that is not in view opens or closes a block, its definition is missing.
///
/// ## What to do
/// Correct the braces, or make the macro visible with `-I` or `-D`.
///
/// ## Example
/// ```cuda
/// __global__ void k(float *x) { x[0] = 1; }}
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0205",
    severity = error,
    message = "this `{brace}` {problem}",
    help = "correct the braces; if a macro opens or closes the block, make it visible with -I or -D"
)]
pub struct UnbalancedBrace {
    /// Which.
    pub brace: char,
    /// What is wrong with it.
    pub problem: &'static str,
}
