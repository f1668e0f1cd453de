//! Which line of a reference a line of its port stands for. A port that is text is edits of the
//! reference's text: lines of the one are lines of the other where they are equal, and belong together
//! by their place between equal ones where they are not.

use std::collections::BTreeMap;

use port_diag::{FileId, SourceMap};

/// Which line of the reference a line of the port stands for.
pub(crate) struct Lines {
    /// By the port's file: the reference's file, and for each line of the port its line.
    files: BTreeMap<FileId, (FileId, Vec<u32>)>,
}

impl Lines {
    pub(crate) fn new(reference: &SourceMap, port: &SourceMap) -> Lines {
        let stem = |path: &str| match path.rsplit_once('.') {
            Some((stem, "cu" | "hip" | "cpp")) => stem.to_owned(),
            _ => path.to_owned(),
        };
        let mut files = BTreeMap::new();
        for id in port.ids() {
            let own = port.file(id);
            let found =
                reference.ids().find(|other| stem(&reference.file(*other).path) == stem(&own.path));
            if let Some(other) = found {
                let lines = matched_lines(&reference.file(other).text, &own.text);
                files.insert(id, (other, lines));
            }
        }
        Lines { files }
    }

    pub(crate) fn reference(&self, file: FileId, line: u32) -> Option<(FileId, u32)> {
        let (other, lines) = self.files.get(&file)?;
        Some((*other, *lines.get(line as usize - 1)?))
    }
}

/// For each line of `port` the line of `reference`, from 1, that it is, or stands in the place of.
fn matched_lines(reference: &str, port: &str) -> Vec<u32> {
    let a: Vec<&str> = reference.lines().collect();
    let b: Vec<&str> = port.lines().collect();
    let mut matches: Vec<(usize, usize)> = Vec::new();
    common_lines(&a, &b, 0, 0, &mut matches, 0);
    matches.push((a.len(), b.len()));
    let mut lines = vec![1u32; b.len()];
    let (mut i, mut j) = (0, 0);
    for (x, y) in matches {
        // A replaced stretch: line by line, the rest at its last.
        for (offset, line) in lines[j..y].iter_mut().enumerate() {
            let last = if x > i { x - 1 } else { x.min(a.len().saturating_sub(1)) };
            *line = ((i + offset).min(last.max(i))) as u32 + 1;
        }
        if y < b.len() {
            lines[y] = x as u32 + 1;
        }
        (i, j) = (x + 1, y + 1);
    }
    lines
}

/// The lines of a text, from 1, that are not those of an earlier one; where lines were only taken out, the
/// one that stands there now.
pub fn changed(before: &str, after: &str) -> Vec<u32> {
    let a: Vec<&str> = before.lines().collect();
    let b: Vec<&str> = after.lines().collect();
    let mut matches: Vec<(usize, usize)> = Vec::new();
    common_lines(&a, &b, 0, 0, &mut matches, 0);
    matches.push((a.len(), b.len()));
    let mut lines = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (x, y) in matches {
        match (x > i, y > j) {
            (_, true) => lines.extend(j as u32 + 1..=y as u32),
            (true, false) => lines.push((y as u32 + 1).min(b.len() as u32)),
            (false, false) => {}
        }
        (i, j) = (x + 1, y + 1);
    }
    lines
}

/// Equal lines of two texts, in order: common ends, then lines that both have once, then between them.
fn common_lines(
    a: &[&str],
    b: &[&str],
    first: usize,
    second: usize,
    matches: &mut Vec<(usize, usize)>,
    depth: usize,
) {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    matches.extend((0..head).map(|at| (first + at, second + at)));
    let (a, b) = (&a[head..], &b[head..]);
    let (first, second) = (first + head, second + head);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (inner_a, inner_b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    if !inner_a.is_empty() && !inner_b.is_empty() && depth < 64 {
        let mut at = (0, 0);
        let mut places: BTreeMap<&str, [(usize, usize); 2]> = BTreeMap::new();
        for (side, lines) in [inner_a, inner_b].into_iter().enumerate() {
            for (index, line) in lines.iter().enumerate() {
                let entry = &mut places.entry(line).or_default()[side];
                *entry = (entry.0 + 1, index);
            }
        }
        let mut anchors: Vec<(usize, usize)> = places
            .values()
            .filter(|[x, y]| x.0 == 1 && y.0 == 1)
            .map(|[x, y]| (x.1, y.1))
            .collect();
        anchors.sort_unstable();
        let anchors = increasing(&anchors);
        for (x, y) in anchors {
            let (from, to) = (&inner_a[at.0..x], &inner_b[at.1..y]);
            common_lines(from, to, first + at.0, second + at.1, matches, depth + 1);
            matches.push((first + x, second + y));
            at = (x + 1, y + 1);
        }
        if at != (0, 0) {
            let (from, to) = (&inner_a[at.0..], &inner_b[at.1..]);
            common_lines(from, to, first + at.0, second + at.1, matches, depth + 1);
        }
    }
    let (x, y) = (first + a.len() - tail, second + b.len() - tail);
    matches.extend((0..tail).map(|at| (x + at, y + at)));
}

/// The longest part of the pairs, which are in order of the first, that is in order of the second too.
fn increasing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the pair that the best sequence of that length ends with, and for each pair the
    // one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
    for (index, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < pair.1);
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut found = Vec::new();
    let mut next = ends.last().copied();
    while let Some(index) = next {
        found.push(pairs[index]);
        next = before[index];
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_edited_text_are_those_of_the_original() {
        let reference = "a\nb\n{\nc\n}\n{\nd\n}\ne";
        let port = "new\na\nB\n{\nc\n}\nnew\n{\nd\nnew\n}\ne";
        let lines = matched_lines(reference, port);
        assert_eq!(lines, [1, 1, 2, 3, 4, 5, 6, 6, 7, 8, 8, 9]);
    }

    #[test]
    fn changed_lines_are_those_that_stand_there_now() {
        assert_eq!(changed("a\nb\nc\nd", "a\nB\nc\nd\ne"), [2, 5]);
        assert_eq!(changed("a\nb\nc\nd", "a\nc\nd"), [2]);
        assert_eq!(changed("a\nb", "a\nb"), [0u32; 0]);
        assert_eq!(changed("a\nb", "a"), [1]);
    }

    #[test]
    fn a_removed_line_moves_no_other() {
        let lines = matched_lines("a\nb\nc\nb\nd", "a\nc\nb\nd");
        assert_eq!(lines, [1, 3, 4, 5]);
        assert_eq!(matched_lines("", "x"), [1]);
        assert_eq!(matched_lines("x", ""), [0u32; 0]);
    }

    #[test]
    fn the_longest_run_in_order_is_found() {
        assert_eq!(increasing(&[(0, 5), (1, 1), (2, 2), (3, 0), (4, 3)]), [(1, 1), (2, 2), (4, 3)]);
        assert_eq!(increasing(&[]), []);
    }
}
