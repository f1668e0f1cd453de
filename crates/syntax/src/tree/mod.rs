//! The syntax tree of a translation unit: the visible tokens written into one buffer, parsed by
//! tree-sitter-cpp, and the way back from nodes to tokens.
//!
//! The buffer holds neither comments nor directives nor what is [hidden](Hidden), so a node's bytes
//! are bytes of the buffer and never of a file: everything goes through tokens. This module knows
//! the grammar's node kinds only where it reports errors.

mod adapt;
mod errors;
mod hide;
mod outline;

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use port_diag::{Expansions, Origin};
use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use crate::keyword::Keyword;
use crate::preprocess;
use crate::preprocess::{Pragma, Preprocessed};
use crate::token::{Token, TokenKind};

pub use errors::{ErrorKind, ErrorRegion};
use hide::View;
pub use hide::{Hidden, HiddenKind, Launch};

/// A parsed translation unit.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The preprocessor's output, launches marked.
    pub unit: Preprocessed,
    /// The text that the grammar is given.
    pub buffer: String,
    /// What the grammar did not see, in order and disjoint.
    pub hidden: Vec<Hidden>,
    /// The kernel launches, in the order of their `<<<`.
    pub launches: Vec<Launch>,
    /// What the grammar makes of the buffer, once somebody asks: most units never need it.
    grammar: OnceLock<Grammar>,
    /// For each token its first byte in the buffer; for a hidden one that of the next visible one.
    starts: Vec<u32>,
    /// The indices of the visible tokens.
    visible: Vec<u32>,
    /// For each visible token the byte after it.
    ends: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Grammar {
    tree: Tree,
    errors: Vec<ErrorRegion>,
}

/// Parses a preprocessed unit. Never fails; see [`Parsed::errors`].
pub fn parse(unit: Preprocessed) -> Parsed {
    let view = hide::find(&unit.tokens);
    let Written { buffer, starts, visible, ends } = write_buffer(&unit.tokens, &view);
    let View { hidden, launches, .. } = view;
    Parsed { unit, buffer, hidden, launches, grammar: OnceLock::new(), starts, visible, ends }
}

/// Preprocesses and parses a translation unit.
pub fn read(
    sources: &port_diag::SourceMap,
    root: port_diag::FileId,
    configuration: &crate::Configuration,
) -> Parsed {
    parse(preprocess::preprocess(sources, root, configuration))
}

struct Written {
    buffer: String,
    starts: Vec<u32>,
    visible: Vec<u32>,
    ends: Vec<u32>,
}

/// How the grammar wants a token spelled; the token's own text in most cases.
fn grammar_spelling(token: &Token) -> &'static str {
    match token.kind {
        TokenKind::Identifier => match token.text.keyword() {
            Some(Keyword::GnuVolatile | Keyword::GnuVolatileShort) => "volatile",
            Some(Keyword::GnuConst | Keyword::GnuConstLong) => "const",
            Some(Keyword::GnuSigned) => "signed",
            Some(Keyword::GnuTypeof) => "decltype",
            Some(Keyword::GnuAlignof) => "alignof",
            Some(Keyword::GnuInlineShort | Keyword::GnuInline) => "inline",
            _ => token.text.as_str(),
        },
        // Digraphs.
        TokenKind::LeftBracket
        | TokenKind::RightBracket
        | TokenKind::LeftBrace
        | TokenKind::RightBrace => token.kind.punctuator().unwrap_or(""),
        _ => token.text.as_str(),
    }
}

/// What the grammar sees in the place of a type that it does not expect: any name will do.
const TYPE_NAME: &str = "T";

fn write_buffer(tokens: &[Token], view: &View) -> Written {
    let mut written = Written {
        buffer: String::with_capacity(tokens.len() * 5),
        starts: Vec::with_capacity(tokens.len() + 1),
        visible: Vec::with_capacity(tokens.len()),
        ends: Vec::with_capacity(tokens.len()),
    };
    let mut hidden = view.hidden.iter().peekable();
    let mut semicolons = view.semicolons.iter().peekable();
    let mut names = view.names.iter().peekable();
    let mut types_before = view.types_before.iter().peekable();
    let mut previous: Option<&Token> = None;
    let mut line_start = false;
    for (index, token) in tokens.iter().enumerate() {
        line_start |= token.line_start;
        while hidden.peek().is_some_and(|hidden| hidden.tokens.end <= index) {
            hidden.next();
        }
        if hidden.peek().is_some_and(|hidden| hidden.tokens.start <= index) {
            // Right after the loop the starts of hidden tokens are set to the next visible one's.
            written.starts.push(u32::MAX);
            continue;
        }
        if let Some(previous) = previous {
            if line_start {
                written.buffer.push('\n');
            } else if !previous.joins(token) {
                written.buffer.push(' ');
            }
        }
        if types_before.next_if_eq(&&index).is_some() {
            written.buffer.push_str(TYPE_NAME);
        }
        written.starts.push(written.buffer.len() as u32);
        written.visible.push(index as u32);
        let name = names.next_if_eq(&&index).is_some();
        written.buffer.push_str(if name { TYPE_NAME } else { grammar_spelling(token) });
        written.ends.push(written.buffer.len() as u32);
        if semicolons.next_if_eq(&&index).is_some() {
            written.buffer.push(';');
        }
        previous = Some(token);
        line_start = false;
    }
    let mut next = written.buffer.len() as u32;
    for start in written.starts.iter_mut().rev() {
        if *start == u32::MAX {
            *start = next;
        }
        next = *start;
    }
    written
}

/// The parser reports every hundred steps. Code of the field needs at most one report for each 40
/// bytes; deep nesting and broken text up to one for each 6. The upper bound is for text that is
/// broken all through, which takes a second for some 20,000 reports; that of an expansion which was
/// cut off is mostly so.
fn most_reports(unit: &Preprocessed, buffer: &str) -> usize {
    let most = if unit.cut_off { 5_000 } else { 50_000 };
    (10_000 + buffer.len() / 4).min(most)
}

/// `None` if the parser makes more reports than that. Counts steps, not time, so that the outcome
/// does not depend on the machine.
fn parse_buffer(buffer: &str, most_reports: usize) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_cpp::LANGUAGE.into()).ok()?;
    let mut left = most_reports;
    let mut progress = |_: &ParseState| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = buffer.as_bytes();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

impl Parsed {
    fn grammar(&self) -> &Grammar {
        self.grammar.get_or_init(|| self.parse_within(most_reports(&self.unit, &self.buffer)))
    }

    fn parse_within(&self, most_reports: usize) -> Grammar {
        let parsed = parse_buffer(&self.buffer, most_reports);
        if let Some(tree) = parsed {
            let errors = errors::find(self, &tree);
            return Grammar { tree, errors };
        }
        let tree = parse_buffer("", 1).expect("the grammar that is linked in reads an empty text");
        let all = 0..self.unit.tokens.len();
        Grammar { tree, errors: vec![ErrorRegion { tokens: all, kind: ErrorKind::Unexpected }] }
    }

    /// The tree over [`buffer`](Self::buffer). Of a text on which the parser makes no progress, the
    /// tree of nothing.
    pub fn tree(&self) -> &Tree {
        &self.grammar().tree
    }

    /// Where the text is not C++ as far as the grammar can tell, in order and disjoint. No findings
    /// by themselves: the grammar knows no names, so the stage that does has the last word.
    pub fn errors(&self) -> &[ErrorRegion] {
        &self.grammar().errors
    }

    /// The tokens of the unit.
    pub fn tokens(&self) -> &[Token] {
        &self.unit.tokens
    }

    /// The expansions that origins point into.
    pub fn expansions(&self) -> &Expansions {
        &self.unit.expansions
    }

    /// The root node.
    pub fn root(&self) -> Node<'_> {
        self.tree().root_node()
    }

    /// The tokens of a node: from its first visible token to its last, hidden ones between them
    /// included. For a part of a token, that token. Empty, at the place where it would be, for a node
    /// without text.
    pub fn tokens_in(&self, node: Node<'_>) -> Range<usize> {
        self.tokens_in_bytes(node.byte_range())
    }

    /// As [`tokens_in`](Self::tokens_in), for bytes of the buffer.
    pub fn tokens_in_bytes(&self, bytes: Range<usize>) -> Range<usize> {
        let start_of = |index: &u32| self.starts.get(*index as usize).map_or(0, |s| *s as usize);
        let first = self.visible.partition_point(|index| start_of(index) < bytes.start);
        let after = self.visible.partition_point(|index| start_of(index) < bytes.end);
        let token = |at: usize| self.visible.get(at).map(|index| *index as usize);
        let start = token(first).unwrap_or(self.unit.tokens.len());
        match after.checked_sub(1).and_then(token) {
            Some(last) if after > first => return start..last + 1,
            _ => {}
        }
        // A part of a token: the content of a string, say.
        let holder = self.visible.partition_point(|index| start_of(index) <= bytes.start);
        match holder.checked_sub(1).filter(|at| self.ends.get(*at) >= Some(&(bytes.end as u32))) {
            Some(at) if bytes.start < bytes.end => token(at).map_or(start..start, |t| t..t + 1),
            _ => start..start,
        }
    }

    /// The visible token that holds a byte of the buffer, or the next one; the number of tokens past
    /// the end.
    pub fn token_at(&self, byte: usize) -> usize {
        let start_of = |index: &u32| self.starts.get(*index as usize).map_or(0, |s| *s as usize);
        let after = self.visible.partition_point(|index| start_of(index) <= byte);
        let token = |at: usize| self.visible.get(at).map(|index| *index as usize);
        let holder = after
            .checked_sub(1)
            .filter(|at| self.ends.get(*at).is_some_and(|end| byte < *end as usize));
        holder.and_then(token).or_else(|| token(after)).unwrap_or(self.unit.tokens.len())
    }

    /// The text of a node as the grammar saw it: hidden tokens are missing.
    pub fn node_text(&self, node: Node<'_>) -> &str {
        self.buffer.get(node.byte_range()).unwrap_or("")
    }

    /// Where a node comes from.
    pub fn origin(&self, node: Node<'_>) -> Origin {
        self.origin_of(self.tokens_in(node))
    }

    /// Where a run of tokens comes from: their bytes if they all come from one expansion and one
    /// file; else the place in the nearest common context that holds the first and the last, which is
    /// the outermost macro uses at worst. An empty run is the start of the token after it.
    pub fn origin_of(&self, tokens: Range<usize>) -> Origin {
        let all = &self.unit.tokens;
        let Some(first) = all.get(tokens.start).or(all.last()) else {
            let file = self.unit.files.first().copied().unwrap_or(port_diag::FileId(0));
            return Origin::plain(port_diag::Span::new(file, 0, 0));
        };
        let Some(last) = tokens.end.checked_sub(1).and_then(|at| all.get(at)) else {
            return first.origin;
        };
        if tokens.is_empty() {
            let mut origin = first.origin;
            origin.span.end = origin.span.start;
            return origin;
        }
        common_origin(first.origin, last.origin, &self.unit.expansions)
    }

    /// The hidden runs inside a range of tokens.
    pub fn hidden_in(&self, tokens: Range<usize>) -> &[Hidden] {
        let first = self.hidden.partition_point(|hidden| hidden.tokens.start < tokens.start);
        let after = self.hidden.partition_point(|hidden| hidden.tokens.start < tokens.end);
        self.hidden.get(first..after).unwrap_or(&[])
    }

    /// The hidden runs that stand directly before a token, one after the other: the qualifiers that
    /// open a declaration, say.
    pub fn hidden_before(&self, token: usize) -> &[Hidden] {
        let after = self.hidden.partition_point(|hidden| hidden.tokens.start < token);
        let mut first = after;
        let mut expected = token;
        while first > 0 && self.hidden[first - 1].tokens.end == expected {
            first -= 1;
            expected = self.hidden[first].tokens.start;
        }
        &self.hidden[first..after]
    }

    /// The hidden run that holds a token.
    pub fn hidden_at(&self, token: usize) -> Option<&Hidden> {
        let after = self.hidden.partition_point(|hidden| hidden.tokens.start <= token);
        let hidden = self.hidden.get(after.checked_sub(1)?)?;
        hidden.tokens.contains(&token).then_some(hidden)
    }

    /// The launch whose `<<<` is this token.
    pub fn launch_at(&self, open: usize) -> Option<Launch> {
        let at = self.launches.binary_search_by_key(&open, |launch| launch.open).ok()?;
        self.launches.get(at).copied()
    }

    /// The launches whose `<<<` lies in a range of tokens.
    pub fn launches_in(&self, tokens: Range<usize>) -> &[Launch] {
        let first = self.launches.partition_point(|launch| launch.open < tokens.start);
        let after = self.launches.partition_point(|launch| launch.open < tokens.end);
        self.launches.get(first..after).unwrap_or(&[])
    }

    /// The pragmas that stand directly before a token.
    pub fn pragmas_before(&self, token: usize) -> &[Pragma] {
        let pragmas = &self.unit.pragmas;
        let first = pragmas.partition_point(|pragma| pragma.before < token);
        let after = pragmas.partition_point(|pragma| pragma.before <= token);
        pragmas.get(first..after).unwrap_or(&[])
    }

    /// The regions that are not C++ and touch a range of tokens.
    pub fn errors_in(&self, tokens: Range<usize>) -> &[ErrorRegion] {
        let errors = self.errors();
        let first = errors.partition_point(|error| error.tokens.end <= tokens.start);
        let after = errors.partition_point(|error| error.tokens.start < tokens.end);
        errors.get(first..after.max(first)).unwrap_or(&[])
    }
}

/// The origin that spans two: both ends climb to the same expansion, then their bytes are joined.
fn common_origin(first: Origin, last: Origin, expansions: &Expansions) -> Origin {
    if first.expansion == last.expansion {
        return Origin { span: first.span.to(last.span), expansion: first.expansion };
    }
    // The contexts that the first token lies in, innermost first, with its place in each.
    let mut places = vec![first];
    places.extend(expansions.chain(first).map(|frame| frame.call));
    let mut ends = vec![last];
    ends.extend(expansions.chain(last).map(|frame| frame.call));
    // Frames of one call share it: an argument and a body token meet at the call.
    for end in &ends {
        let meeting = places.iter().find(|place| place.expansion == end.expansion);
        if let Some(place) = meeting {
            return Origin { span: place.span.to(end.span), expansion: place.expansion };
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Configuration, preprocess};

    #[test]
    fn a_parser_that_does_not_end_is_stopped() {
        let mut sources = port_diag::SourceMap::new();
        let text = "__global__ void k(int *x) { x[0] = 1; }\n".repeat(100);
        let root = sources.add("a.cu", &text);
        let unit = preprocess(&sources, root, &Configuration::cuda(80));
        let parsed = parse(unit);
        parsed.grammar.set(parsed.parse_within(1)).expect("nobody has asked yet");
        // Everything is one broken region, and asking for nodes and tokens is harmless.
        assert_eq!(parsed.errors().len(), 1);
        assert_eq!(parsed.errors_in(5..6).len(), 1);
        assert_eq!(parsed.tokens_in(parsed.root()).len(), 0);
        assert_eq!(parsed.hidden.len(), 100);
    }
}
