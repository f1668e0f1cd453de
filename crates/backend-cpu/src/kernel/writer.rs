//! Indented lines of C++.

use std::fmt::Write;

/// Text under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    out: String,
    depth: usize,
    /// A comment that stands before the next line, if there is one.
    pending: Option<String>,
}

/// A state of a [`Writer`] to return to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize, usize);

impl Writer {
    pub(super) fn at_depth(depth: usize) -> Self {
        Writer { out: String::new(), depth, pending: None }
    }

    /// A comment before the next line.
    pub(super) fn comment(&mut self, text: String) {
        self.pending = Some(text);
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn line(&mut self, text: impl AsRef<str>) {
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

    pub(super) fn open(&mut self, text: impl AsRef<str>) {
        self.line(text);
        self.depth += 1;
    }

    pub(super) fn close(&mut self, text: &str) {
        self.depth = self.depth.saturating_sub(1);
        let pending = self.pending.take();
        self.line(text);
        self.pending = pending;
    }

    /// `} else {` and the like.
    pub(super) fn turn(&mut self, text: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(text);
        self.depth += 1;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.out.len(), self.depth)
    }

    pub(super) fn changed(&self, mark: Mark) -> bool {
        self.out.len() != mark.0
    }

    pub(super) fn rewind(&mut self, mark: Mark) {
        self.out.truncate(mark.0);
        self.depth = mark.1;
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

impl Writer {
    /// Takes over the comment that another text has not used yet.
    pub(super) fn adopt_comment(&mut self, other: &mut Writer) {
        self.pending = other.pending.take();
    }

    /// Lines that were made at another depth.
    pub(super) fn push_indented(&mut self, text: &str, deeper: usize) {
        for line in text.lines() {
            if line.is_empty() {
                self.out.push('\n');
            } else {
                let _ = writeln!(self.out, "{:1$}{line}", "", deeper * 4);
            }
        }
    }
}
