//! What the lexer, the preprocessor and the parser have to say about a text.

use port_diag::{Finding, Metadata};
use port_macros::Diagnostic;

/// A comment has no end.
///
/// ## What it means
/// A `/*` has no `*/` after it, so everything to the end of the file is a comment.
///
/// ## What to do
/// Close the comment.
///
/// ## Example
/// ```cuda
/// /* the kernel below is never seen
/// __global__ void k() {}
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0100",
    severity = error,
    message = "this comment has no `*/`",
    help = "close it: the rest of the file is part of the comment"
)]
pub struct UnterminatedComment;

/// A string or character constant has no end.
///
/// ## What it means
/// The closing quote is missing on the line (or, for a raw string, its closing delimiter in the
/// file). The text up to there is taken as the constant.
///
/// ## What to do
/// Add the closing quote.
///
/// ## Example
/// ```cuda
/// const char *name = "softmax;
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0101", severity = error, message = "this {what} has no closing quote")]
pub struct UnterminatedLiteral {
    /// `string` or `character constant`.
    pub what: &'static str,
}

/// A macro call has no closing parenthesis.
///
/// ## What it means
/// The arguments of a function-like macro run to the end of the file (or of the directive) without
/// a closing parenthesis. The macro is left unexpanded.
///
/// ## What to do
/// Close the parenthesis.
///
/// ## Example
/// ```cuda
/// #define DIV_UP(a, b) (((a) + (b) - 1) / (b))
/// int n = DIV_UP(x, 32;
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0102",
    severity = error,
    message = "the call of macro `{name}` has no closing parenthesis"
)]
pub struct UnterminatedMacroCall {
    /// The macro.
    pub name: String,
}

/// A macro is called with the wrong number of arguments.
///
/// ## What it means
/// The macro takes another number of arguments. Missing ones are taken as empty, further ones are
/// dropped, so what follows is a guess.
///
/// ## What to do
/// Pass what the `#define` asks for. Commas inside `<…>` or `{…}` separate macro arguments; put
/// parentheses around such an argument.
///
/// ## Example
/// ```cuda
/// #define MAX2(a, b) ((a) > (b) ? (a) : (b))
/// int m = MAX2(x);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0103",
    severity = error,
    message = "macro `{name}` takes {expected}, not {found}"
)]
pub struct MacroArgumentCount {
    /// The macro.
    pub name: String,
    /// What it takes, in words.
    pub expected: String,
    /// How many were given.
    pub found: usize,
}

/// `##` does not make a token.
///
/// ## What it means
/// The two sides of a `##` do not form one token when written together. They are kept as two.
///
/// ## What to do
/// Remove the `##`; tokens stand beside each other without it.
///
/// ## Example
/// ```cuda
/// #define CALL(f) x.##f()
/// int n = CALL(size);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0104",
    severity = error,
    message = "`{left}` and `{right}` pasted together are not one token"
)]
pub struct InvalidPaste {
    /// The left side.
    pub left: String,
    /// The right side.
    pub right: String,
}

/// A directive is malformed.
///
/// ## What it means
/// The line begins like a preprocessing directive but does not go on like one. It has no effect.
///
/// ## What to do
/// Correct the line as the message says.
///
/// ## Example
/// ```cuda
/// #define 32
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0105", severity = error, message = "`#{directive}`: {problem}")]
pub struct MalformedDirective {
    /// The directive's name.
    pub directive: String,
    /// What is wrong.
    pub problem: String,
}

/// A directive is not known.
///
/// ## What it means
/// The line begins with `#` and a word that no compiler of the field knows. It is skipped.
///
/// ## What to do
/// Correct the word.
///
/// ## Example
/// ```cuda
/// #inlude "reduce.cuh"
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0106", severity = warning, message = "unknown directive `#{directive}`")]
pub struct UnknownDirective {
    /// The directive's name.
    pub directive: String,
}

/// An `#else`, `#elif` or `#endif` belongs to no `#if`.
///
/// ## What it means
/// The file's conditionals do not balance: this line has no `#if` before it in the same file, or
/// follows the group's `#else`. It is ignored.
///
/// ## What to do
/// Remove the line, or add the `#if` that it belongs to.
///
/// ## Example
/// ```cuda
/// int x;
/// #endif
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0107", severity = error, message = "`#{directive}` {problem}")]
pub struct UnmatchedConditional {
    /// The directive's name.
    pub directive: String,
    /// Why it matches nothing.
    pub problem: &'static str,
}

/// An `#if` has no `#endif`.
///
/// ## What it means
/// The file ends inside a conditional group. If the group's condition does not hold, everything
/// after it was skipped.
///
/// ## What to do
/// Add the `#endif`.
///
/// ## Example
/// ```cuda
/// #ifdef __CUDA_ARCH__
/// __device__ int f() { return 1; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0108", severity = error, message = "this `#{directive}` has no `#endif`")]
pub struct UnterminatedConditional {
    /// The directive's name.
    pub directive: String,
}

/// The condition of an `#if` cannot be evaluated.
///
/// ## What it means
/// The condition is not an integer constant expression after macro expansion. It is taken as false.
///
/// ## What to do
/// Correct the condition as the message says.
///
/// ## Example
/// ```cuda
/// #if WARPS >
/// #endif
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0109", severity = error, message = "cannot evaluate this condition: {problem}")]
pub struct InvalidCondition {
    /// What is wrong.
    pub problem: String,
}

/// An included file was not found.
///
/// ## What it means
/// The file named in quotes is neither beside the including file nor in a folder given by `-I`, and
/// it is no header that belongs to a known library. Macros and types that it defines are unknown,
/// so code that uses them may be misread.
///
/// ## What to do
/// Pass the folder that holds it: `-I path/to/include`.
///
/// ## Example
/// ```cuda
/// #include "my_reduce.cuh"
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0110",
    severity = warning,
    message = "`{name}` was not found",
    help = "pass the folder that holds it with -I; what it defines is unknown until then"
)]
pub struct MissingInclude {
    /// As written, without quotes.
    pub name: String,
}

/// A file includes itself without end.
///
/// ## What it means
/// Files include each other more than 200 deep, which is almost always a cycle without an include
/// guard. The innermost `#include` is skipped.
///
/// ## What to do
/// Put `#pragma once` at the top of the header.
///
/// ## Example
/// ```cuda
/// // in reduce.cuh
/// #include "reduce.cuh"
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0111",
    severity = error,
    message = "`{name}` is included more than {depth} deep",
    help = "is there an include guard? `#pragma once` breaks the cycle"
)]
pub struct IncludeDepth {
    /// The file that is not entered again.
    pub name: String,
    /// The limit.
    pub depth: usize,
}

/// The configuration reaches an `#error`.
///
/// ## What it means
/// Under the macros of this configuration the text stops the compiler with its own message.
///
/// ## What to do
/// Pass the macros that the text asks for (`-D`), or another architecture.
///
/// ## Example
/// ```cuda
/// #ifndef HEAD_SIZE
/// #error "define HEAD_SIZE"
/// #endif
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0112",
    severity = error,
    message = "#error {text}",
    help = "the text refuses this configuration: define what it asks for with -D"
)]
pub struct ErrorDirective {
    /// What follows `#error`.
    pub text: String,
}

/// A macro is redefined differently.
///
/// ## What it means
/// The macro already has another replacement, given by the text itself. The new one holds from here.
///
/// ## What to do
/// `#undef` it first, or remove one of the definitions.
///
/// ## Example
/// ```cuda
/// #define BLOCK 128
/// #define BLOCK 256
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0113", severity = note, message = "macro `{name}` is redefined")]
pub struct MacroRedefined {
    /// The macro.
    pub name: String,
}

/// Reading stopped at a limit.
///
/// ## What it means
/// The text is, or expands to, more than the front end reads: macros that double at each step,
/// files that include each other without guard, a file of many megabytes, nesting without end. What
/// lies behind the limit was not looked at; a unit with too many tokens is not looked at at all. The
/// limits: 16 MiB a file, 4,000,000 tokens in all files that a unit includes, 650,000 tokens that
/// reach the compiler, 1,000,000 tokens made by macros, 200 nested includes.
///
/// ## What to do
/// Look at the macro or include that the message names; split a long file.
///
/// ## Example
/// ```cuda
/// #define A B B
/// #define B C C
/// // …and so on, thirty times
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0114",
    severity = error,
    message = "reading stopped: {what}",
    help = "split the file, or correct the macro or include that makes it grow"
)]
pub struct LimitReached {
    /// Which limit.
    pub what: String,
}

/// A condition calls a macro that is not defined.
///
/// ## What it means
/// A header that is not in view, or a macro of another compiler, would define it. The call counts as
/// 0, like every unknown name in a condition.
///
/// ## What to do
/// Pass the folder of the header with `-I`, or the macro with `-D`.
///
/// ## Example
/// ```cuda
/// #if TOOLKIT_AT_LEAST(12, 4)
/// #endif
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0115",
    severity = warning,
    message = "`{name}` is not defined as a macro; its call counts as 0 here"
)]
pub struct UnknownConditionCall {
    /// The name that is called.
    pub name: String,
}

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[
    &UnterminatedComment::METADATA,
    &UnterminatedLiteral::METADATA,
    &UnterminatedMacroCall::METADATA,
    &MacroArgumentCount::METADATA,
    &InvalidPaste::METADATA,
    &MalformedDirective::METADATA,
    &UnknownDirective::METADATA,
    &UnmatchedConditional::METADATA,
    &UnterminatedConditional::METADATA,
    &InvalidCondition::METADATA,
    &MissingInclude::METADATA,
    &IncludeDepth::METADATA,
    &ErrorDirective::METADATA,
    &MacroRedefined::METADATA,
    &LimitReached::METADATA,
    &UnknownConditionCall::METADATA,
];
