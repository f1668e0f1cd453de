//! The in-memory file system that every pure stage reads. Only the command line (or a test) fills
//! it; a stage that asks for a file which is not here reports a missing include.

use std::collections::HashMap;
use std::sync::Arc;

use crate::span::{FileId, Span};

/// One file's text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as the user would write it, with `/` between parts.
    pub path: Arc<str>,
    /// The text, exactly as read.
    pub text: Arc<str>,
    line_starts: Arc<[u32]>,
}

/// A place for people: both count from 1; columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl SourceFile {
    fn new(path: &str, text: &str) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(
            text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1),
        );
        SourceFile { path: path.into(), text: text.into(), line_starts: line_starts.into() }
    }

    /// The byte, moved back to the start of its character and inside the text.
    pub(crate) fn char_floor(&self, byte: u32) -> usize {
        let mut byte = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }

    /// The byte range of the whole lines from the one that holds `first` to the one that holds
    /// `last`.
    pub(crate) fn line_window(&self, first: u32, last: u32) -> std::ops::Range<usize> {
        let start = self.line_starts[self.line_column(first).line as usize - 1] as usize;
        let after = self.line_starts.get(self.line_column(last).line as usize);
        start..after.map_or(self.text.len(), |byte| *byte as usize)
    }

    /// Line and column of a byte; a byte past the end is the end, one inside a character its start.
    pub fn line_column(&self, byte: u32) -> LineColumn {
        let byte = self.char_floor(byte);
        let line = self.line_starts.partition_point(|start| *start as usize <= byte) - 1;
        let column = self.text[self.line_starts[line] as usize..byte].chars().count();
        LineColumn { line: line as u32 + 1, column: column as u32 + 1 }
    }

    /// The text of a line (from 1) without its line ending; empty past the end.
    pub fn line_text(&self, line: u32) -> &str {
        let Some(start) = self.line_starts.get(line as usize - 1) else { return "" };
        let end = self.line_starts.get(line as usize).map_or(self.text.len(), |end| *end as usize);
        self.text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// Number of lines; a final newline does not begin another.
    pub fn line_count(&self) -> u32 {
        let lines = self.line_starts.len() as u32;
        if self.text.ends_with('\n') { lines - 1 } else { lines }
    }
}

/// All files that a run may read.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    by_path: HashMap<Arc<str>, FileId>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or returns the one already held under this (normalised) path.
    pub fn add(&mut self, path: &str, text: &str) -> FileId {
        let path = normalise(path);
        if let Some(id) = self.by_path.get(path.as_str()) {
            return *id;
        }
        let id = FileId(self.files.len() as u32);
        let file = SourceFile::new(&path, text);
        self.by_path.insert(file.path.clone(), id);
        self.files.push(file);
        id
    }

    /// The file of an id made by this map.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The file under a path; the path is normalised (`a/./b/../c` is `a/c`).
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.by_path.get(normalise(path).as_str()).copied()
    }

    /// All ids, in the order in which the files were added.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len() as u32).map(FileId)
    }

    /// The bytes of a span.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.range()).unwrap_or("")
    }
}

/// Folds `.` and `..` and turns `\` into `/`, without asking a file system.
pub fn normalise(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if path.starts_with('/') { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let mut map = SourceMap::new();
        let id = map.add("a.cu", "é = 1;\r\nint x;\n");
        let file = map.file(id);
        assert_eq!(file.line_column(0), LineColumn { line: 1, column: 1 });
        assert_eq!(file.line_column(3), LineColumn { line: 1, column: 3 });
        assert_eq!(file.line_column(9), LineColumn { line: 2, column: 1 });
        assert_eq!(file.line_text(1), "é = 1;");
        assert_eq!(file.line_count(), 2);
        assert_eq!(file.line_column(999).line, 3);
    }

    #[test]
    fn paths_are_folded() {
        assert_eq!(normalise("a/./b/../c.cuh"), "a/c.cuh");
        assert_eq!(normalise("../x//y"), "../x/y");
        assert_eq!(normalise("/../x"), "/x");
    }
}
