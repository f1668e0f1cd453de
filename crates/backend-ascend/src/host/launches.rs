//! Launches: `k<T><<<g, b>>>(x)` becomes `launch_k<T>(g, b, 0, nullptr, x)`, in code, macro bodies and
//! inactive branches alike. The callee keeps its template arguments, or has them deduced as before.

use std::collections::BTreeMap;

use port_diag::{Finding, Span};
use port_rewrite::launches::{Launch, launches};
use port_rewrite::{FileText, Reason, Side};
use port_syntax::TokenKind;
use port_syntax::token::RawToken;

use crate::findings::UnreadableText;
use crate::port::Port;

const REASON: Reason = Reason::Row("__global__");

/// What a launch leaves out: dynamic shared memory, the stream.
const DEFAULTS: [&str; 2] = ["0", "nullptr"];

/// Rewrites every launch.
pub(crate) fn apply(port: &mut Port<'_>) {
    let mut unreadable = Vec::new();
    let counts = counts(port);
    for index in 0..port.files.len() {
        for launch in launches(&port.files[index]) {
            if port.is_removed(launch.brackets) {
                continue;
            }
            let file = &port.files[index];
            match edits(file, &launch, counts.get(&launch.configuration).copied()) {
                Some(edits) => {
                    for (span, text) in edits {
                        if span.is_empty() {
                            port.changes.insert(span.file, span.start, Side::Before, text, REASON);
                        } else {
                            port.changes.replace(span, text, REASON);
                        }
                    }
                }
                None => unreadable.push(launch.brackets),
            }
        }
    }
    for span in unreadable {
        let what = "a launch".to_owned();
        let reason = "its arguments stand elsewhere".to_owned();
        let finding = UnreadableText { what, reason };
        if !port.inactive.iter().any(|body| body.contains(span)) {
            port.stops.push((span, UnreadableText::METADATA.code, finding.message()));
            port.report_at(&finding, span);
        }
    }
}

/// How many values each configuration has, as the front end read it.
fn counts(port: &Port<'_>) -> BTreeMap<Span, usize> {
    let launches = port.unit.module.launches.iter();
    launches
        .filter_map(|(_, launch)| {
            let span = port.source_span(launch.configuration)?;
            let values = [launch.grid, launch.block, launch.shared, launch.stream];
            Some((span, values.iter().flatten().count()))
        })
        .collect()
}

fn edits(
    file: &FileText<'_>,
    launch: &Launch,
    known: Option<usize>,
) -> Option<Vec<(Span, String)>> {
    launch.end?;
    let tokens = &file.tokens;
    let at = |byte: u32| tokens.partition_point(|token| token.start < byte);
    let first = at(launch.configuration.start);
    let open = first.checked_sub(1)?;
    let close = at(launch.configuration.end);
    let paren = close + 1;
    if tokens.get(open)?.kind != TokenKind::LaunchOpen
        || tokens.get(paren)?.kind != TokenKind::LeftParen
    {
        return None;
    }
    // `a < b, c` is two values, `f<a, b>(c)` one: what the front end did not read is taken plainly
    // where that gives a configuration.
    let inside = tokens.get(first..close)?;
    let fits = |count: &usize| (2..=4).contains(count);
    let plain = values(inside, false);
    let count =
        known.filter(fits).or_else(|| Some(values(inside, true)).filter(fits)).unwrap_or(plain);
    let is_macro = file.directive_of(open).is_some() && count == 1;
    if !(2..=4).contains(&count) && !is_macro {
        return None;
    }
    // Spaces after `<<<` go with it, a line break stays.
    let (opened, configuration) = (tokens[open].end, tokens.get(first)?.start);
    let spaces = file.text.get(opened as usize..configuration as usize)?;
    let entered = if spaces.contains('\n') { opened } else { configuration };
    let mut edits = vec![(Span::new(file.id, tokens[open - 1].end, entered), "(".to_owned())];
    let missing: String = DEFAULTS
        .iter()
        .skip(usize::saturating_sub(count, 2))
        .map(|value| format!(", {value}"))
        .collect();
    let is_empty = tokens.get(paren + 1)?.kind == TokenKind::RightParen;
    let joined = if is_empty { missing } else { format!("{missing}, ") };
    let end = if is_empty { tokens[paren].end } else { tokens[paren + 1].start };
    let from = tokens[close - 1].end;
    // A line break before the arguments stays.
    let between = file.text.get(tokens[paren].end as usize..end as usize).unwrap_or("");
    let joined = match between.contains('\n') {
        true => format!("{}{between}", joined.trim_end()),
        false => joined,
    };
    edits.push((Span::new(file.id, from, end), joined));
    Some(edits)
}

/// The values between commas outside brackets; with `angles`, `<` and `>` are brackets as well.
fn values(tokens: &[RawToken], angles: bool) -> usize {
    let (mut count, mut depth, mut inside) = (1, 0_i32, 0_i32);
    for token in tokens {
        match token.kind {
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth -= 1,
            TokenKind::Less if angles && depth == 0 => inside += 1,
            TokenKind::Greater if angles && depth == 0 => inside -= 1,
            TokenKind::Comma if depth == 0 && inside <= 0 => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use port_diag::FileId;

    fn edited(text: &str) -> String {
        let file = FileText::of_text(FileId(0), text);
        let launch = launches(&file)[0];
        let mut all = edits(&file, &launch, None).unwrap();
        all.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut out = text.to_owned();
        for (span, replacement) in all {
            out.replace_range(span.range(), &replacement);
        }
        out
    }

    #[test]
    fn a_launch_is_a_call() {
        for (text, expected) in [
            ("k<<<1, 2>>>(x, y);", "k(1, 2, 0, nullptr, x, y);"),
            ("k<float> <<< g, b, n * 4, s >>> ();", "k<float>(g, b, n * 4, s);"),
            ("k<<<dim3(1, 2), f(a, b), 16>>>(x);", "k(dim3(1, 2), f(a, b), 16, nullptr, x);"),
            ("k<<<n < 9 ? n : 9, b>>>(x);", "k(n < 9 ? n : 9, b, 0, nullptr, x);"),
            ("k<<<g, b>>>(\n    x);", "k(g, b, 0, nullptr,\n    x);"),
        ] {
            assert_eq!(edited(text), expected);
        }
    }
}
