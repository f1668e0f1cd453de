//! The text form: what snapshots, tests and bug reports show. [`print()`] writes it, [`parse`] reads
//! it back, and printing what was read gives the same text, byte for byte.
//!
//! ```text
//! struct #"Welford<float>" size 8 align 4 {
//!   mean: f32 at 0
//!   m2: f32 at 4
//! }
//!
//! variable @partial: shared [32 x f32] align 16
//! variable @scratch: shared dynamic f32
//! variable @table: constant [4 x u8] = "00010203"
//!
//! kernel @scale(%x: ptr global of f32 restrict, %n: i32) max_threads 256 {
//!   local $sum: f32
//!
//!   %0 = bits thread.x to i32
//!   %1 = lt %0, %n
//!   if %1 {
//!     %2 = element f32 %x, %0
//!     %3.value: f32 = load.read_only %2 ; scale.cu:5
//!     %4 = fmul.contract %3.value, 2.0f32
//!     store %2, %4
//!   }
//! }
//!
//! launch @scale grid(1 to 65535, 1, *) block(256, 1, 1) shared(0) {
//!   range %n 0 to 1000000
//! }
//! ```
//!
//! A line is a definition, a statement or a bracket; `;` begins a comment.
//!
//! * `%4 = …` names a pure expression: a shorthand, without effect or place in time. The printer
//!   puts it before the first statement that needs it, in the innermost block that holds all its
//!   uses, and leaves out what nobody uses. `%4: f32 = …` is a statement with a result.
//! * Leaves are written where they are used: constants with their type (`1i32`, `0.5f16`, `true`,
//!   by bits `f32(0x7fc00000)`), `%name` for an argument (`arg(0)` if its name does not do), `&` of
//!   it for its address, `$name` for the address of a local variable, `@name` for the address of a
//!   module's variable, built-in values (`thread.x`, `lane`, `warp_size`), `zero(type)`,
//!   `undefined(type)`, `poison(type, "code")`, `fragment_length(fragment)`.
//! * `%12.row` is value 12, which the user calls `row`. Names that are not identifiers are quoted;
//!   names that are not unique carry a number: `$i.3`, `#"P<int>".1`.
//! * Words after the dots of an operation qualify it: `fdiv.approximate`, `load.volatile`,
//!   `atomic.add.relaxed.device`.

mod lex;
mod parse;
mod parse_expression;
mod parse_function;
mod parse_statement;
mod place;
mod print;
mod print_statement;
mod spelling;

pub use parse::{ParseError, parse};
pub use print::{Origins, PrintOptions, print, print_function};
pub(crate) use spelling::builtin_word;
