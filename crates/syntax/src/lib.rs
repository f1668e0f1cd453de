//! Text to tokens to tree: lexer, preprocessor, tree-sitter-cpp and the typed syntax tree.
//!
//! This crate knows how CUDA C++ is spelled. It knows no names, no types and no API: what a token
//! means is `port-hir`'s business. Every token keeps the bytes of the user's text that spell it and
//! the chain of macro expansions that it went through, so that later stages can edit that text.

pub mod ast;
pub mod configuration;
pub mod findings;
pub mod keyword;
mod launch;
pub mod lexer;
pub mod preprocess;
pub mod symbol;
pub mod token;
pub mod tree;

pub use configuration::{Configuration, HeaderSet};
pub use keyword::Keyword;
pub use lexer::lex;
pub use preprocess::{
    BodyToken, Branch, BranchKind, Conditional, Include, MAX_FILE_BYTES, MacroDefinition, Pragma,
    Preprocessed, preprocess,
};
pub use symbol::{Symbol, SymbolMap};
pub use token::{RawToken, Token, TokenKind};
pub use tree::{ErrorKind, ErrorRegion, Hidden, HiddenKind, Launch, Parsed, parse, read};
