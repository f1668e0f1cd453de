//! Which `>>>` ends a kernel launch. A decision on tokens alone: it counts brackets and template
//! arguments after the `<<<`, and knows no names.
//!
//! In `k<<<f<A<B<int>>>(3), s>>>(x)` three template lists are open when the first `>>>` comes, so it
//! is not the end; in `k<<<g, A<int>>>>(x)` the last three of four are.

use crate::symbol::Symbol;
use crate::token::{RawToken, Token, TokenKind};

/// What [`mark`] needs of a token, raw or preprocessed.
pub(crate) trait LaunchToken: Copy {
    /// What it is.
    fn kind(&self) -> TokenKind;
    /// Whether `next` is written directly after it.
    fn touches(&self, next: &Self) -> bool;
    /// The `>>>` from this token to `last`.
    fn merge(&self, last: &Self) -> Self;
}

impl LaunchToken for RawToken {
    fn kind(&self) -> TokenKind {
        self.kind
    }

    fn touches(&self, next: &Self) -> bool {
        self.end == next.start
    }

    fn merge(&self, last: &Self) -> Self {
        RawToken { kind: TokenKind::LaunchClose, end: last.end, ..*self }
    }
}

impl LaunchToken for Token {
    fn kind(&self) -> TokenKind {
        self.kind
    }

    fn touches(&self, next: &Self) -> bool {
        self.joins(next)
    }

    fn merge(&self, last: &Self) -> Self {
        let mut merged = Token { kind: TokenKind::LaunchClose, text: Symbol::new(">>>"), ..*self };
        merged.origin.span = self.origin.span.to(last.origin.span);
        merged
    }
}

/// A `<<<` whose end is looked for.
struct Open {
    /// Brackets open around it.
    depth: usize,
    /// Template lists opened since, at this depth.
    angles: usize,
    /// A `>>>` that closed template lists by our count; taken if no better one comes.
    fallback: Option<usize>,
}

/// Turns the three `>` that end a launch into one [`TokenKind::LaunchClose`]. Linear. Returns where
/// the first of three stood each time, in order.
pub(crate) fn mark<T: LaunchToken>(tokens: &mut Vec<T>) -> Vec<usize> {
    if !tokens.iter().any(|token| token.kind() == TokenKind::LaunchOpen) {
        return Vec::new();
    }
    let mut closes = find_closes(tokens);
    if closes.is_empty() {
        return closes;
    }
    closes.sort_unstable();
    let mut out = Vec::with_capacity(tokens.len());
    let mut copied = 0;
    for &close in &closes {
        out.extend_from_slice(&tokens[copied..close]);
        out.push(tokens[close].merge(&tokens[close + 2]));
        copied = close + 3;
    }
    out.extend_from_slice(&tokens[copied..]);
    *tokens = out;
    closes
}

/// The indices of the first `>` of each launch end, in no order.
fn find_closes<T: LaunchToken>(tokens: &[T]) -> Vec<usize> {
    let mut closes = Vec::new();
    let mut opens: Vec<Open> = Vec::new();
    // A directive inside a launch is looked at by itself; what it interrupted goes on after it.
    let mut interrupted: Option<(Vec<Open>, usize)> = None;
    let (mut depth, mut line_start, mut previous) = (0_usize, true, TokenKind::Newline);
    let mut index = 0;
    while index < tokens.len() {
        let kind = tokens[index].kind();
        let mut width = 1;
        match kind {
            TokenKind::Newline => {
                if let Some((outer, outer_depth)) = interrupted.take() {
                    closes.extend(opens.drain(..).filter_map(|open| open.fallback));
                    (opens, depth) = (outer, outer_depth);
                }
                line_start = true;
                index += 1;
                continue;
            }
            kind if kind.is_trivia() => {
                index += 1;
                continue;
            }
            TokenKind::Hash if line_start && interrupted.is_none() => {
                interrupted = Some((std::mem::take(&mut opens), depth));
                depth = 0;
            }
            TokenKind::LaunchOpen => {
                if opens.last().is_some_and(|open| open.depth == depth) {
                    closes.extend(opens.pop().and_then(|open| open.fallback));
                }
                opens.push(Open { depth, angles: 0, fallback: None });
            }
            TokenKind::LaunchClose => {
                opens.pop();
            }
            TokenKind::Less if previous == TokenKind::Identifier => {
                if let Some(open) = opens.last_mut().filter(|open| open.depth == depth) {
                    open.angles += 1;
                }
            }
            TokenKind::Greater => {
                while tokens.get(index + width).is_some_and(|next| {
                    next.kind() == TokenKind::Greater && tokens[index + width - 1].touches(next)
                }) {
                    width += 1;
                }
                if let Some(open) = opens.last_mut().filter(|open| open.depth == depth) {
                    if width >= 3 && width - 3 >= open.angles {
                        closes.push(index + width - 3);
                        opens.pop();
                    } else {
                        if width >= 3 {
                            open.fallback = Some(index + width - 3);
                        }
                        open.angles = open.angles.saturating_sub(width);
                    }
                }
            }
            TokenKind::Semicolon if opens.last().is_some_and(|open| open.depth == depth) => {
                closes.extend(opens.pop().and_then(|open| open.fallback));
            }
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => {
                while opens.last().is_some_and(|open| open.depth >= depth) {
                    closes.extend(opens.pop().and_then(|open| open.fallback));
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        previous = kind;
        line_start = false;
        index += width;
    }
    closes.extend(opens.into_iter().filter_map(|open| open.fallback));
    if let Some((outer, _)) = interrupted {
        closes.extend(outer.into_iter().filter_map(|open| open.fallback));
    }
    closes
}
