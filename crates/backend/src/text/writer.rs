//! Indented lines of C++.

use std::fmt::Write;

/// Text under construction.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: String,
    depth: usize,
    /// A comment that stands before the next line, if there is one.
    pending: Option<String>,
}

/// A state of a [`Writer`] to return to.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize, usize);

impl Writer {
    /// Text that begins so many levels deep.
    pub fn at_depth(depth: usize) -> Self {
        Writer { out: String::new(), depth, pending: None }
    }

    /// A comment before the next line.
    pub fn comment(&mut self, text: String) {
        self.pending = Some(text);
    }

    /// How many blocks are around it.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// A line; an empty one is not indented.
    pub fn line(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if text.is_empty() {
            self.out.push('\n');
            return;
        }
        if let Some(comment) = self.pending.take() {
            let _ = writeln!(self.out, "{:1$}// {comment}", "", self.depth * 4);
        }
        let _ = writeln!(self.out, "{:1$}{text}", "", self.depth * 4);
    }

    /// A line after which lines are a level deeper.
    pub fn open(&mut self, text: impl AsRef<str>) {
        self.line(text);
        self.depth += 1;
    }

    /// A line before which lines are a level less deep.
    pub fn close(&mut self, text: &str) {
        self.depth = self.depth.saturating_sub(1);
        let pending = self.pending.take();
        self.line(text);
        self.pending = pending;
    }

    /// `} else {` and the like.
    pub fn turn(&mut self, text: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(text);
        self.depth += 1;
    }

    /// The state to return to.
    pub fn mark(&self) -> Mark {
        Mark(self.out.len(), self.depth)
    }

    /// Whether anything was written since.
    pub fn changed(&self, mark: Mark) -> bool {
        self.out.len() != mark.0
    }

    /// Takes back what was written since.
    pub fn rewind(&mut self, mark: Mark) {
        self.out.truncate(mark.0);
        self.depth = mark.1;
    }

    /// Lines that are indented already.
    pub fn push_text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// The text.
    pub fn finish(self) -> String {
        self.out
    }
}

impl Writer {
    /// Takes over the comment that another text has not used yet.
    pub fn adopt_comment(&mut self, other: &mut Writer) {
        self.pending = other.pending.take();
    }

    /// Lines that were made at another depth.
    pub fn push_indented(&mut self, text: &str, deeper: usize) {
        for line in text.lines() {
            if line.is_empty() {
                self.out.push('\n');
            } else {
                let _ = writeln!(self.out, "{:1$}{line}", "", deeper * 4);
            }
        }
    }
}
