//! Tests from files: a module in text form whose comments say what is expected.
//!
//! A comment `;~ words` expects an answer with these words at the line above it; several expect
//! several. What an answer is, the test says. Answers that nobody expects fail the test, too.

// Tests read their cases from files; the crate itself reads none.
#![allow(clippy::disallowed_methods, dead_code)]

use std::path::Path;

use port_diag::{FileId, SourceMap};
use port_ir::{Location, Module};

/// A module from a file, and what the file expects.
pub struct Case {
    /// The file's name.
    pub name: String,
    /// The module, not validated.
    pub module: Module,
    /// Line (from 1) and words.
    pub expected: Vec<(u32, String)>,
    files: SourceMap,
    file: FileId,
}

/// All cases of a folder under `tests/`, in the order of their names.
pub fn cases(folder: &str) -> Vec<Case> {
    let paths = paths(folder);
    assert!(!paths.is_empty(), "no cases in {folder}");
    paths.iter().map(|path| case(path)).collect()
}

fn paths(folder: &str) -> Vec<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<_> =
        std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn case(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut files = SourceMap::new();
    let file = files.add(&name, &text);
    let module = port_ir::parse(&text, file).unwrap_or_else(|error| panic!("{name}:{error}"));
    let mut expected = Vec::new();
    let mut last = 0;
    for (index, line) in text.lines().enumerate() {
        match line.trim().strip_prefix(";~") {
            Some(words) => expected.push((last, words.trim().to_string())),
            None => last = index as u32 + 1,
        }
    }
    Case { name, module, expected, files, file }
}

impl Case {
    /// The line of a place of this file; 0 for no place.
    pub fn line(&self, location: Option<Location>) -> u32 {
        location.map_or(0, |location| {
            self.files.file(self.file).line_column(location.origin.span.start).line
        })
    }

    /// What the comment at the end of the line of a place calls it: `; [name]`. A line without
    /// such a comment is called by its number.
    pub fn label(&self, location: Location) -> String {
        let line = self.line(Some(location));
        let text = self.files.file(self.file).line_text(line);
        match text.split_once("; [").and_then(|(_, rest)| rest.split_once(']')) {
            Some((name, _)) => format!("[{name}]"),
            None => line.to_string(),
        }
    }

    /// Fails unless the answers, lines and words, are those that the file expects, in any order.
    pub fn check(&self, mut answers: Vec<(u32, String)>) {
        let mut expected = self.expected.clone();
        expected.sort();
        answers.sort();
        let missing: Vec<_> = difference(&expected, &answers);
        let surplus: Vec<_> = difference(&answers, &expected);
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{}:\n  expected but not given: {missing:#?}\n  given but not expected: {surplus:#?}",
            self.name
        );
    }
}

/// What is in `left` more often than in `right`.
fn difference(left: &[(u32, String)], right: &[(u32, String)]) -> Vec<(u32, String)> {
    let mut rest = right.to_vec();
    left.iter()
        .filter(|item| match rest.iter().position(|other| other == *item) {
            Some(position) => {
                rest.remove(position);
                false
            }
            None => true,
        })
        .cloned()
        .collect()
}
