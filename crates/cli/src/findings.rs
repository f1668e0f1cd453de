//! The findings of this crate, `P00xx`: what is to be said about files rather than about code.

use port_diag::Metadata;
use port_macros::Diagnostic;

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] =
    &[&<NotUtf8 as port_diag::Finding>::METADATA, &<HeaderLeftOut as port_diag::Finding>::METADATA];

/// A file with bytes that are no UTF-8.
///
/// ## What it means
/// The file holds bytes of another encoding (Latin-1, GBK, Shift-JIS …), mostly in a comment. It is
/// ported all the same, and the port has the very same bytes in the same places. But which characters
/// they are is not written anywhere: in a comment that is harmless; in a string literal the program
/// prints what its compiler and its terminal make of them.
///
/// ## What to do
/// Convert the file to UTF-8, for example `iconv -f LATIN1 -t UTF-8 k.cu -o k.utf8.cu`, or look at
/// the place and leave it.
///
/// ## Example
/// ```text
/// // Gauß's method, written in Latin-1: the byte 0xDF alone is no UTF-8
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0001",
    severity = error,
    message = "the file is not UTF-8 text: byte {byte} on line {line}; the port keeps such bytes as they are",
    help = "convert the file, for example with `iconv -f LATIN1 -t UTF-8`"
)]
pub struct NotUtf8 {
    /// The first such byte, in hexadecimal.
    pub byte: String,
    /// Its line.
    pub line: u32,
}

/// A header that exists and is not read.
///
/// ## What it means
/// An `#include` finds a file that cannot be taken: it is no text, it is larger than 16 MB, it may
/// not be read, or the unit has too many headers. Where it is included it counts as missing, so names
/// that it declares are unknown.
///
/// ## What to do
/// The message says why. Generated tables of that size hold no code to port: include a stub under
/// the same name instead, in a folder given with `-I` before the other.
///
/// ## Example
/// ```cuda
/// #include "weights.h"   // 80 MB of numbers
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0002", severity = warning, message = "{path} {reason}")]
pub struct HeaderLeftOut {
    /// The header.
    pub path: String,
    /// Why.
    pub reason: String,
}
