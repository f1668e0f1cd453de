//! Kernels whose address loses its type: `(void*)k<T>` becomes `port_cpu::kernel_pointer(k<T>)`, which
//! remembers how to launch it.

use port_diag::Span;
use port_rewrite::{FileText, Reason, Side};
use port_syntax::TokenKind;

use crate::port::Port;

const REASON: Reason = Reason::Row("cudaLaunchKernel");

/// Edits every such cast.
pub(crate) fn apply(port: &mut Port<'_>) {
    let mut edits: Vec<(Span, &'static str, Option<u32>)> = Vec::new();
    for kernel_use in &port.unit.module.kernel_uses {
        let tokens = port.unit.module.exprs[kernel_use.name].tokens;
        let Some(span) = port.source_span(tokens) else { continue };
        let Some(file) = port.file(span.file) else { continue };
        edits.extend(cast_before(file, span));
    }
    edits.sort_by_key(|(span, ..)| *span);
    edits.dedup();
    for (cast, text, end) in edits {
        port.changes.replace(cast, text, REASON);
        if let Some(end) = end {
            port.changes.insert(cast.file, end, Side::Before, ")", REASON);
        }
    }
}

/// The cast to `void*` that a name stands in, what replaces it, and where a parenthesis is to be
/// closed.
fn cast_before(file: &FileText<'_>, name: Span) -> Option<(Span, &'static str, Option<u32>)> {
    let tokens = &file.tokens;
    let word = |index: usize| file.bytes(&tokens[index]);
    let mut at = tokens.partition_point(|token| token.start < name.start).checked_sub(1)?;
    if tokens[at].kind == TokenKind::Ampersand {
        at = at.checked_sub(1)?;
    }
    let is_void_pointer = |from: usize, to: usize| {
        let words: Vec<&str> = (from..to).map(word).collect();
        words.contains(&"void")
            && words.last() == Some(&"*")
            && words.iter().all(|w| matches!(*w, "void" | "const" | "volatile" | "*"))
            && words.iter().filter(|w| **w == "*").count() == 1
    };
    match tokens[at].kind {
        // (const void*)k
        TokenKind::RightParen => {
            let open = (at.saturating_sub(5)..at)
                .rev()
                .find(|index| tokens[*index].kind == TokenKind::LeftParen)?;
            is_void_pointer(open + 1, at).then(|| {
                let span = file.span(&tokens[open]).to(file.span(&tokens[at]));
                (span, "port_cpu::kernel_pointer(", Some(name.end))
            })
        }
        // reinterpret_cast<const void*>(k)
        TokenKind::LeftParen => {
            let greater = at.checked_sub(1)?;
            let less = (greater.saturating_sub(5)..greater)
                .rev()
                .find(|index| tokens[*index].kind == TokenKind::Less)?;
            let cast = less.checked_sub(1)?;
            let is_cast = matches!(word(cast), "reinterpret_cast" | "static_cast");
            (is_cast
                && tokens[greater].kind == TokenKind::Greater
                && is_void_pointer(less + 1, greater))
            .then(|| {
                let span = file.span(&tokens[cast]).to(file.span(&tokens[greater]));
                (span, "port_cpu::kernel_pointer", None)
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use port_diag::FileId;

    #[test]
    fn casts_to_void_pointers_are_found() {
        for (text, expected) in [
            ("f((void*)k<int>, g);", "f(port_cpu::kernel_pointer(k<int>), g);"),
            ("f((const void *)&k<int>, g);", "f(port_cpu::kernel_pointer(&k<int>), g);"),
            ("f(reinterpret_cast<void*>(&k<int>));", "f(port_cpu::kernel_pointer(&k<int>));"),
            ("f((void**)k<int>);", "f((void**)k<int>);"),
            ("f(k<int>);", "f(k<int>);"),
        ] {
            let file = FileText::of_text(FileId(0), text);
            let start = text.find("k<").unwrap() as u32;
            let name = Span::new(FileId(0), start, start + 6);
            let mut out = text.to_owned();
            if let Some((cast, replacement, end)) = cast_before(&file, name) {
                if let Some(end) = end {
                    out.insert(end as usize, ')');
                }
                out.replace_range(cast.range(), replacement);
            }
            assert_eq!(out, expected);
        }
    }
}
