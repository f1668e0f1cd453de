//! Counts over many mutants, by kind.

use std::fmt::Write;

use super::bench::Fate;
use super::{Kind, Mutant};

/// What became of the mutants of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Planted.
    pub planted: usize,
    /// No program any more.
    pub unreadable: usize,
    /// No parameter set shows them.
    pub unchanged: usize,
    /// They change some output.
    pub changed: usize,
    /// Of these, named with the right class.
    pub right_class: usize,
    /// Of these, named with a line of the right statement.
    pub right_line: usize,
    /// Of these, named with the very line.
    pub same_line: usize,
}

impl Row {
    fn add(&mut self, fate: &Fate) {
        self.planted += 1;
        match fate {
            Fate::Unreadable(_) => self.unreadable += 1,
            Fate::Unchanged => self.unchanged += 1,
            Fate::Tested(tested) => {
                self.changed += 1;
                self.right_class += usize::from(tested.right_class);
                self.right_line += usize::from(tested.right_line);
                self.same_line += usize::from(tested.same_line);
            }
        }
    }
}

/// The row of each kind, and the sum.
pub fn rows<'a>(results: impl Iterator<Item = (&'a Mutant, &'a Fate)>) -> (Vec<(Kind, Row)>, Row) {
    let mut rows: Vec<(Kind, Row)> = Kind::ALL.iter().map(|kind| (*kind, Row::default())).collect();
    let mut sum = Row::default();
    for (mutant, fate) in results {
        sum.add(fate);
        if let Some((_, row)) = rows.iter_mut().find(|(kind, _)| *kind == mutant.kind) {
            row.add(fate);
        }
    }
    (rows, sum)
}

/// The table as text.
pub fn text(rows: &[(Kind, Row)], sum: &Row) -> String {
    let mut out = String::new();
    let header = ["planted", "no program", "no change", "changed", "class", "line", "same line"];
    let _ = write!(out, "{:<22}", "fault");
    for name in header {
        let _ = write!(out, "{name:>11}");
    }
    out.push('\n');
    let all = rows.iter().map(|(kind, row)| (kind.name(), row)).chain([("all", sum)]);
    for (name, row) in all {
        let _ = write!(out, "{name:<22}");
        for count in [
            row.planted,
            row.unreadable,
            row.unchanged,
            row.changed,
            row.right_class,
            row.right_line,
            row.same_line,
        ] {
            let _ = write!(out, "{count:>11}");
        }
        out.push('\n');
    }
    out
}

/// A fault that was not found as it should, in a line or two.
pub fn miss(kernel: &str, mutant: &Mutant, fate: &Fate) -> Option<String> {
    let Fate::Tested(tested) = fate else { return None };
    if tested.right_class && tested.right_line {
        return None;
    }
    let what = match (tested.right_class, tested.right_line) {
        (false, false) => "class and line",
        (false, true) => "class",
        _ => "line",
    };
    let named = if tested.named.is_empty() { "nothing".into() } else { tested.named.join(", ") };
    Some(format!(
        "{kernel}: {what}: {} ({}) at {} [{}]: {}, names {named}",
        mutant.kind.name(),
        mutant.description,
        tested.expected,
        tested.label,
        tested.verdict.as_str(),
    ))
}
