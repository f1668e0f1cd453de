//! What is known about each CUDA name: what it is, its signatures, and its form on each target.
//!
//! The facts are data in `tables/*.toml`, one file a family. `cargo xtask codegen` turns them into
//! the committed Rust of `src/generated/` and the pages of `docs/support/`; nothing here reads a
//! file when it runs. A name has one row whatever the release of CUDA that has it.
//!
//! ```
//! let row = port_api::find("cudaMalloc").unwrap();
//! assert_eq!(row.hip_name(), Some("hipMalloc"));
//! assert!(port_api::find("my_own_function").is_none());
//! ```
//!
//! This crate must not know how text is edited or how a kernel is lowered: it says that
//! `__shfl_sync` has a compatibility form, not when to use it.

#[rustfmt::skip]
mod generated;
mod lookup;
pub mod ptx;
mod row;

pub use generated::rules::RULES;
pub use row::{Header, HeaderStatus, HipRelease, Kind, Mapping, Row, Rule, Side, Status};

/// The row of a CUDA name, qualified where the name lives in a namespace or a type.
///
/// Constant time; the table behind it is built on first use. Namespace aliases
/// (`namespace cg = cooperative_groups`) are the caller's to resolve.
pub fn find(name: &str) -> Option<&'static Row> {
    lookup::find(name)
}

/// The facts of a CUDA header, named as an include directive names it (`cuda_runtime.h`).
pub fn header(name: &str) -> Option<&'static Header> {
    let headers = generated::headers::HEADERS;
    let position = headers.binary_search_by(|header| header.name.cmp(name)).ok()?;
    headers.get(position)
}

/// The rewrite rule of this name, which [`Status::Semantic`] rows refer to.
pub fn rule(id: &str) -> Option<&'static Rule> {
    let position = RULES.binary_search_by(|rule| rule.id.cmp(id)).ok()?;
    RULES.get(position)
}

/// Every row, sorted by name.
pub fn rows() -> impl ExactSizeIterator<Item = &'static Row> {
    generated::index::ROWS.iter().copied()
}

/// Every known header, sorted by name.
pub fn headers() -> impl ExactSizeIterator<Item = &'static Header> {
    generated::headers::HEADERS.iter()
}
