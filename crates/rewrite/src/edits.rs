//! The changes of a port: each a replacement of bytes of the user's text with the reason that asked
//! for it. Collects them in any order, refuses contradictions, applies them in one pass.

use std::collections::{BTreeMap, BTreeSet};

use port_diag::{Edit, FileId, SourceMap, Span};

/// Why a change is made. Every change has one: a reviewer can look it up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A row of the API tables, by the CUDA name.
    Row(&'static str),
    /// A finding, by its code.
    Finding(&'static str),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Row(name) => write!(f, "row {name}"),
            Reason::Finding(code) => write!(f, "finding {code}"),
        }
    }
}

/// An edit with its reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The replacement.
    pub edit: Edit,
    /// Among insertions at one place: whether it closes or follows what stands before the place
    /// (these come first), or opens what stands after it.
    pub side: Side,
    /// Who asked for it.
    pub reason: Reason,
}

/// What an insertion belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The text before it.
    Before,
    /// The text after it.
    After,
}

/// Two changes that want different text for overlapping bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The change that was kept.
    pub kept: Change,
    /// The change that was refused.
    pub refused: Change,
}

/// The changes of one translation unit, over all its files.
#[derive(Clone, Debug, Default)]
pub struct ChangeSet {
    files: BTreeMap<FileId, BTreeSet<Change>>,
}

impl ChangeSet {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the bytes of `span`. The same change may be asked for twice, as when a macro body is
    /// expanded in two places.
    pub fn replace(&mut self, span: Span, text: impl Into<String>, reason: Reason) {
        self.add(span, text.into(), Side::Before, reason);
    }

    /// Inserts at a byte; `side` tells which neighbour the text belongs to.
    pub fn insert(
        &mut self,
        file: FileId,
        at: u32,
        side: Side,
        text: impl Into<String>,
        reason: Reason,
    ) {
        self.add(Span::new(file, at, at), text.into(), side, reason);
    }

    fn add(&mut self, span: Span, text: String, side: Side, reason: Reason) {
        let change = Change { edit: Edit { span, text }, side, reason };
        self.files.entry(span.file).or_default().insert(change);
    }

    /// Takes back the changes inside a span that is about to be replaced as a whole. What was
    /// inserted at its ends for its neighbours stays.
    pub fn remove_inside(&mut self, span: Span) {
        let inside = |change: &Change| {
            let at = change.edit.span;
            let neighbour = at.is_empty()
                && ((at.start == span.start && change.side == Side::Before)
                    || (at.start == span.end && change.side == Side::After));
            span.contains(at) && !neighbour
        };
        let Some(changes) = self.files.get_mut(&span.file) else { return };
        // Changes are in the order of their starts: a file of many kernels has many of them elsewhere.
        let first = Change {
            edit: Edit { span: Span::new(span.file, span.start, span.start), text: String::new() },
            side: Side::Before,
            reason: Reason::Row(""),
        };
        let near = changes.range(first..).take_while(|change| change.edit.span.start <= span.end);
        let gone: Vec<Change> = near.filter(|change| inside(change)).cloned().collect();
        for change in gone {
            changes.remove(&change);
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files that change, in order.
    pub fn files(&self) -> impl Iterator<Item = FileId> + '_ {
        self.files.keys().copied()
    }

    /// The changes of a file in the order of the text, contradictions taken out: of two changes that
    /// overlap, the one that begins first wins, then the longer.
    pub fn resolved(&self, file: FileId) -> (Vec<&Change>, Vec<Conflict>) {
        let mut changes: Vec<&Change> = self.files.get(&file).into_iter().flatten().collect();
        changes.sort_by(|a, b| {
            // Insertions go before the replacement of the byte that they stand at.
            let key = |c: &Change| {
                let Span { start, end, .. } = c.edit.span;
                (start, start != end, std::cmp::Reverse(end), c.side)
            };
            key(a).cmp(&key(b)).then_with(|| a.cmp(b))
        });
        let mut kept: Vec<&Change> = Vec::with_capacity(changes.len());
        let mut conflicts = Vec::new();
        for change in changes {
            match kept.last() {
                Some(last) if last.edit == change.edit && !change.edit.span.is_empty() => {}
                Some(last) if last.edit.span.end > change.edit.span.start => {
                    conflicts.push(Conflict { kept: (*last).clone(), refused: change.clone() });
                }
                _ => kept.push(change),
            }
        }
        (kept, conflicts)
    }

    /// The file's text with its changes.
    pub fn apply(&self, sources: &SourceMap, file: FileId) -> String {
        let text = &sources.file(file).text;
        let (changes, _) = self.resolved(file);
        let mut out = String::with_capacity(text.len() + 256);
        let mut done = 0;
        for change in changes {
            let range = change.edit.span.range();
            out.push_str(&text[done..range.start]);
            out.push_str(&change.edit.text);
            done = range.end;
        }
        out.push_str(&text[done..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> (SourceMap, FileId) {
        let mut sources = SourceMap::new();
        let file = sources.add("k.cu", text);
        (sources, file)
    }

    #[test]
    fn nothing_to_change_is_byte_identical() {
        let (sources, file) = sources("a\r\n\tb // é\n");
        assert_eq!(ChangeSet::new().apply(&sources, file), "a\r\n\tb // é\n");
    }

    #[test]
    fn changes_apply_in_text_order_whatever_the_order_of_asking() {
        let (sources, file) = sources("one two three");
        let mut set = ChangeSet::new();
        set.replace(Span::new(file, 8, 13), "3", Reason::Row("three"));
        set.insert(file, 0, Side::After, "<", Reason::Finding("P0001"));
        set.replace(Span::new(file, 0, 3), "1", Reason::Row("one"));
        set.replace(Span::new(file, 0, 3), "1", Reason::Row("one"));
        assert_eq!(set.apply(&sources, file), "<1 two 3");
        assert!(set.resolved(file).1.is_empty());
    }

    #[test]
    fn contradictions_are_told() {
        let (sources, file) = sources("abcdef");
        let mut set = ChangeSet::new();
        set.replace(Span::new(file, 0, 4), "X", Reason::Row("x"));
        set.replace(Span::new(file, 2, 6), "Y", Reason::Row("y"));
        let (kept, conflicts) = set.resolved(file);
        assert_eq!(kept.len(), 1);
        assert_eq!(conflicts[0].refused.edit.text, "Y");
        assert_eq!(set.apply(&sources, file), "Xef");
    }

    #[test]
    fn insertions_at_one_place_keep_to_their_neighbours() {
        let (sources, file) = sources("one two");
        let mut set = ChangeSet::new();
        set.insert(file, 4, Side::After, "(", Reason::Row("a"));
        set.insert(file, 4, Side::Before, ")", Reason::Row("b"));
        set.remove_inside(Span::new(file, 4, 7));
        set.insert(file, 4, Side::After, "[", Reason::Row("a"));
        assert_eq!(set.apply(&sources, file), "one )[two");
    }
}
