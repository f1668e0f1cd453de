//! Faults in the ported text.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use super::{Edit, Kind, Mutant};

/// Every fault that can be planted into the lines of a file that are executed.
pub fn mutants(path: &str, text: &str, executed: &BTreeSet<u32>) -> Vec<Mutant> {
    let plain = plain(text);
    let mut found = Vec::new();
    let mut plant = |kind: Kind, range: Range<usize>, replacement: String| {
        let line = line_of(text, range.start);
        let lines = statement_lines(&plain, range.clone());
        // What is removed leaves its lines.
        let breaks = text[range.clone()].matches('\n').count();
        if !executed.contains(&line) || breaks != replacement.matches('\n').count() {
            return;
        }
        let description =
            format!("`{}` becomes `{}`", text[range.clone()].trim(), replacement.trim());
        let edit = Edit::Text { path: path.to_owned(), range, replacement };
        found.push(Mutant { kind, description, path: path.to_owned(), lines, line, edit });
    };
    let mut each = |from: &str, kind: Kind, to: &str| {
        for (at, _) in plain.match_indices(from) {
            let range = at..at + from.len();
            if !inside_word(&plain, &range) {
                plant(kind, range, to.to_owned());
            }
        }
    };
    for (from, to) in [
        ("+ 1", "+ 2"),
        ("- 1", "- 2"),
        (" < ", " <= "),
        (" <= ", " < "),
        (" > ", " >= "),
        (" >= ", " > "),
    ] {
        each(from, Kind::OffByOne, to);
    }
    each("__syncthreads();", Kind::RemovedBarrier, "");
    for (from, to) in [("& 31", "& 15"), ("% 32", "% 16"), ("0xffffffff", "0x0000ffff")] {
        each(from, Kind::ChangedMask, to);
    }
    each("static_cast<float>(", Kind::TruncatingCast, "static_cast<int>(");
    for (from, to) in
        [("expf(", "__expf("), ("logf(", "__logf("), ("sinf(", "__sinf("), ("cosf(", "__cosf(")]
    {
        each(from, Kind::Intrinsic, to);
    }
    each(" += ", Kind::DroppedTerm, " = ");
    for (from, to) in [
        ("fmaxf(", "fminf("),
        ("fminf(", "fmaxf("),
        ("max(", "min("),
        ("min(", "max("),
        ("atomicAdd(", "atomicExch("),
        ("atomicMax(", "atomicMin("),
        (" && ", " || "),
    ] {
        each(from, Kind::WrongFunction, to);
    }
    for (from, to) in [("threadIdx.x", "threadIdx.y"), ("blockIdx.x", "blockIdx.y")] {
        each(from, Kind::SwappedOperand, to);
    }
    for range in float_literals(&plain) {
        let digits = plain[range.clone()].trim_end_matches(['f', 'F']);
        if let Ok(value) = digits.parse::<f64>() {
            let other = if value == 0.0 { 0.5 } else { value * 1.25 };
            let suffix = &plain[range.clone()][digits.len()..];
            plant(Kind::ChangedConstant, range.clone(), format!("{other:?}{suffix}"));
        }
    }
    found
}

/// The text with blanks for comments, strings and lines of the preprocessor, byte for byte.
pub(super) fn plain(text: &str) -> String {
    let mut out: Vec<u8> = text.bytes().collect();
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut line_start = true;
    let blank = |out: &mut Vec<u8>, range: Range<usize>| {
        for byte in &mut out[range] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    };
    while at < bytes.len() {
        let rest = &text.as_bytes()[at..];
        let end = |found: Option<usize>| found.map_or(bytes.len(), |end| at + end);
        let stop = if rest.starts_with(b"//") {
            Some(end(rest.iter().position(|byte| *byte == b'\n')))
        } else if rest.starts_with(b"/*") {
            Some(end(rest.windows(2).skip(2).position(|pair| pair == b"*/").map(|end| end + 4)))
        } else if line_start && rest[0] == b'#' {
            let mut stop = at;
            while stop < bytes.len() && !(bytes[stop] == b'\n' && bytes[stop - 1] != b'\\') {
                stop += 1;
            }
            Some(stop)
        } else if rest[0] == b'"' {
            let mut stop = at + 1;
            while stop < bytes.len() && bytes[stop] != b'"' && bytes[stop] != b'\n' {
                stop += if bytes[stop] == b'\\' { 2 } else { 1 };
            }
            Some((stop + 1).min(bytes.len()))
        } else {
            None
        };
        match stop {
            Some(stop) => {
                blank(&mut out, at..stop);
                at = stop.max(at + 1);
                line_start = false;
            }
            None => {
                line_start = bytes[at] == b'\n' || line_start && bytes[at].is_ascii_whitespace();
                at += 1;
            }
        }
    }
    // Only whole characters were blanked, byte by byte.
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a word goes on at an end of the range.
fn inside_word(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let word = |at: usize| bytes.get(at).copied().is_some_and(is_word);
    let before = range.start.checked_sub(1).is_some_and(word) && word(range.start);
    let after = word(range.end) && word(range.end - 1);
    // `1.5` and `->` go on too.
    before || after || matches!(bytes.get(range.end), Some(b'.')) && word(range.end - 1)
}

fn float_literals(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit()
            || at > 0 && (is_word(bytes[at - 1]) || bytes[at - 1] == b'.')
        {
            at += 1;
            continue;
        }
        let mut end = at;
        while end < bytes.len()
            && (is_word(bytes[end])
                || bytes[end] == b'.'
                || matches!(bytes[end], b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E'))
        {
            end += 1;
        }
        let literal = &text[at..end];
        if literal.contains('.') && !literal.starts_with("0x") {
            found.push(at..end);
        }
        at = end.max(at + 1);
    }
    found
}

/// The line of a byte, from 1.
pub fn line_of(text: &str, at: usize) -> u32 {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() as u32 + 1
}

/// The lines of the statement around bytes of a text without comments.
pub fn statement_lines(plain: &str, range: Range<usize>) -> RangeInclusive<u32> {
    let ends = |byte: &u8| matches!(byte, b';' | b'{' | b'}');
    let bytes = plain.as_bytes();
    let (start, stop) = (range.start.min(bytes.len()), range.end.min(bytes.len()));
    let begin = bytes[..start].iter().rposition(ends).map_or(0, |at| at + 1);
    let begin = begin + bytes[begin..start].iter().take_while(|b| b.is_ascii_whitespace()).count();
    // A statement that is itself the bytes ends with them.
    let last = stop.saturating_sub(1).max(start);
    let end = bytes[last..].iter().position(ends).map_or(bytes.len(), |at| last + at);
    line_of(plain, begin)..=line_of(plain, end)
}

/// The lines of the statement around bytes of a text.
pub fn lines_around(text: &str, range: Range<usize>) -> RangeInclusive<u32> {
    statement_lines(&plain(text), range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_planted_into_code_alone() {
        let text =
            "// a < b + 1\n#define K x + 1\nx = a + 1; s = \"+ 1\";\nif (x < 10.5f)\n  f(\n    y);";
        let executed = (1..=9).collect();
        let found = mutants("k", text, &executed);
        let texts: Vec<(Kind, u32, &str)> =
            found.iter().map(|m| (m.kind, m.line, m.description.as_str())).collect();
        assert_eq!(
            texts,
            [
                (Kind::OffByOne, 3, "`+ 1` becomes `+ 2`"),
                (Kind::OffByOne, 4, "`<` becomes `<=`"),
                (Kind::ChangedConstant, 4, "`10.5f` becomes `13.125f`"),
            ]
        );
        assert_eq!(found[1].lines, 4..=6);
    }

    #[test]
    fn a_statement_has_the_lines_from_its_first_word_to_its_end() {
        let text = "a;\n\nb = c\n  + d;\ne;";
        assert_eq!(lines_around(text, 14..15), 3..=4);
    }
}
