//! What back ends that write C++ from IR share: indented lines, identifiers, expressions with their
//! precedence, and what is known of a function before its text is made. Knows no target.

pub mod cpp;
pub mod facts;
pub mod names;
pub mod writer;
