//! Findings for people: source excerpts with labels, in the manner of rustc.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::printable;
use crate::finding::{Diagnostic, Severity};
use crate::source::SourceMap;
use crate::span::{FileId, Span};

/// How much is shown, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Colours (ANSI escapes).
    pub color: bool,
}

/// Lines longer than this many bytes are generated text; an excerpt of one helps nobody.
const LONGEST_EXCERPT: usize = 4096;

/// Renders one finding with its excerpts; ends with a newline.
pub fn render(sources: &SourceMap, diagnostic: &Diagnostic, options: Options) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group =
        Group::with_title(level.primary_title(printable(&diagnostic.message)).id(diagnostic.code));
    for excerpt in excerpts(sources, diagnostic) {
        group = group.element(excerpt);
    }
    if let Some(kernel) = &diagnostic.kernel {
        group = group.element(Level::NOTE.message(printable(&format!("in kernel `{kernel}`"))));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

struct Marked {
    span: Span,
    kind: AnnotationKind,
    label: String,
}

/// The excerpts of a finding: one a file, the primary label's first.
fn excerpts<'a>(
    sources: &'a SourceMap,
    diagnostic: &Diagnostic,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mut marked = Vec::new();
    if let Some(label) = &diagnostic.primary {
        let kind = AnnotationKind::Primary;
        marked.push(Marked { span: label.span, kind, label: printable(&label.message) });
    }
    for label in &diagnostic.secondary {
        let kind = AnnotationKind::Context;
        marked.push(Marked { span: label.span, kind, label: printable(&label.message) });
    }
    for frame in &diagnostic.frames {
        let label = format!("in this expansion of `{}`", frame.macro_name);
        marked.push(Marked { span: frame.call, kind: AnnotationKind::Context, label });
    }
    let mut files: Vec<FileId> = Vec::new();
    for mark in &marked {
        if !files.contains(&mark.span.file) {
            files.push(mark.span.file);
        }
    }
    files.into_iter().map(|file| excerpt(sources, file, &marked)).collect()
}

/// The lines of one file that its labels touch. The renderer gets no more text than that, so that
/// a finding costs the same in a file of 16 MB.
fn excerpt<'a>(
    sources: &'a SourceMap,
    file: FileId,
    marked: &[Marked],
) -> Snippet<'a, Annotation<'a>> {
    let source = sources.file(file);
    let marked: Vec<&Marked> = marked.iter().filter(|mark| mark.span.file == file).collect();
    let first = marked.iter().map(|mark| mark.span.start).min().unwrap_or(0);
    let last = marked.iter().map(|mark| mark.span.end).max().unwrap_or(0);
    let first_line = source.line_column(first).line;
    let window = source.line_window(first, last);
    let text = &source.text[window.clone()];
    let long = text.lines().any(|line| line.len() > LONGEST_EXCERPT);
    let mut snippet = Snippet::source(if long { "" } else { text })
        .line_start(first_line as usize)
        .path(source.path.as_ref());
    for mark in marked {
        let local = |byte: u32| source.char_floor(byte) - window.start;
        let range = if long { 0..0 } else { local(mark.span.start)..local(mark.span.end) };
        let mut annotation = mark.kind.span(range);
        if !mark.label.is_empty() {
            annotation = annotation.label(mark.label.clone());
        }
        snippet = snippet.annotation(annotation);
    }
    snippet
}
