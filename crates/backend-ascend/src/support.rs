//! Headers of device code that stand beside a port: what its kernels call and did not come from the
//! user's text. Each is written only where some kernel calls it, and read once for all ports.

use crate::host::text::has_word;

/// The namespace of all that these headers define.
const SPACE: &str = "port_ascend";

/// A header of device code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Library {
    /// Vectors with one element for each thread.
    Lanes,
    /// Rows and what is reduced from them.
    Rows,
    /// Functions of one thread.
    Device,
}

impl Library {
    /// What the header says about itself.
    fn introduction(self) -> &'static str {
        match self {
            Library::Lanes => include_str!("tile/assets/lanes_head.h"),
            Library::Rows => include_str!("rows/assets/rows_head.h"),
            Library::Device => {
                "// What a thread of CUDA calls and device code of Ascend C has no function for, or one that rounds,\n\
                 // saturates or wraps otherwise. Made by port; only what the kernels beside it call is here.\n"
            }
        }
    }

    fn file_name(self) -> &'static str {
        match self {
            Library::Lanes => "port_ascend_lanes.h",
            Library::Rows => "port_ascend_rows.h",
            Library::Device => "port_ascend_device.h",
        }
    }
}

/// A header of device code with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
    library: Library,
}

impl Header {
    /// The header with these pieces; `runtime` is the header of the chip's own functions.
    pub(crate) fn new(library: Library, pieces: &[&str], runtime: &str) -> Self {
        let introduction = library.introduction();
        let pieces = pieces.iter().map(|piece| piece.trim()).collect::<Vec<_>>().join("\n\n");
        let text = format!(
            "{introduction}#pragma once\n\n#include \"{runtime}\"\n\nnamespace {SPACE} {{\n\n{pieces}\n\n}}  // namespace {SPACE}\n"
        );
        Header { name: library.file_name(), text, library }
    }

    /// The names that a text uses.
    fn used<'h>(&'h self, text: &str) -> Vec<&'h str> {
        let mut names: Vec<&str> = match self.library {
            Library::Lanes => vec!["lanes"],
            Library::Rows => vec!["rows"],
            Library::Device => defined(&self.text),
        };
        names.sort_unstable();
        names.dedup();
        names.retain(|name| has_word(text, name));
        names
    }

    /// Whether a text calls what the header has.
    pub fn serves(&self, text: &str) -> bool {
        !self.used(text).is_empty()
    }

    /// What gives a text the header's names as they stand in it.
    fn names_for(&self, text: &str) -> String {
        let used = self.used(text);
        match self.library {
            _ if used.is_empty() => String::new(),
            Library::Lanes => format!("namespace lanes = ::{SPACE}::lanes;\n\n"),
            Library::Rows => format!("namespace rows = ::{SPACE}::rows;\n\n"),
            Library::Device => {
                let lines: String =
                    used.iter().map(|name| format!("using ::{SPACE}::{name};\n")).collect();
                let space = crate::code::NAMESPACE;
                format!("namespace {space} {{\n\n{lines}\n}}  // namespace {space}\n\n")
            }
        }
    }
}

/// What stands before a text so that it finds the names of headers.
pub fn prelude(headers: &[Header], text: &str) -> String {
    headers.iter().map(|header| header.names_for(text)).collect()
}

/// Neighbours in one namespace as one text.
pub(crate) fn joined(text: &str) -> String {
    let space = crate::code::NAMESPACE;
    text.replace(&format!("}}  // namespace {space}\n\nnamespace {space} {{\n\n"), "")
}

/// The functions, types and constants that a text defines at the beginning of a line.
fn defined(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.lines()
        .filter_map(|line| {
            let before = match line.strip_prefix("__aicore__ inline ") {
                Some(rest) => rest.split_once('(')?.0,
                None => match line.strip_prefix("constexpr ") {
                    Some(rest) => rest.split_once(" =")?.0,
                    None => line.strip_prefix("struct ")?.split_once(" {")?.0,
                },
            };
            let name = before.rsplit(|c| !is_word(c)).next()?;
            // Operators are found by their operands, specialisations by their templates.
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name != "operator";
            is_name.then_some(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: [&str; 2] = [
        "template <typename T>\nstruct Part {\n    T a;\n};\ntemplate <>\nstruct Part<int> {\n};\n",
        "__aicore__ inline bool operator<(Float64 a, Float64 b)\n{\n}\n__aicore__ inline float Half(float x)\n{\n}\n",
    ];

    #[test]
    fn a_text_gets_the_names_that_it_uses() {
        let header = Header::new(Library::Device, &PIECES, "kernel_operator.h");
        assert_eq!(defined(&header.text), ["Part", "Half"]);
        let prelude = prelude(std::slice::from_ref(&header), "x = Half(y);");
        assert!(prelude.contains("using ::port_ascend::Half;") && !prelude.contains("Part"));
        assert!(!header.serves("Halfway(y)"));
    }
}
