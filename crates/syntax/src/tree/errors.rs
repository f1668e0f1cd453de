//! Where a tree is broken. Tree-sitter recovers from any text and marks what it could not fit in;
//! this module turns the marks into disjoint runs of tokens.

use std::ops::Range;

use tree_sitter::Tree;

use super::Parsed;

/// A run of tokens that is not C++.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRegion {
    /// Which tokens. For a missing token, the token before it.
    pub tokens: Range<usize>,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// What is wrong with a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The tokens fit nowhere.
    Unexpected,
    /// The grammar wants this token after the region.
    Missing(&'static str),
}

/// All regions, in order. Overlapping ones are merged.
pub(super) fn find(parsed: &Parsed, tree: &Tree) -> Vec<ErrorRegion> {
    let mut regions: Vec<ErrorRegion> = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let mut descend = false;
        if node.is_missing() {
            let next = parsed.token_at(node.start_byte());
            let before = previous_visible(parsed, next);
            let tokens = before..(before + 1).min(parsed.tokens().len());
            add(&mut regions, tokens, ErrorKind::Missing(node.kind()));
        } else if node.is_error() {
            let mut tokens = parsed.tokens_in(node);
            if tokens.is_empty() {
                let at = previous_visible(parsed, tokens.start);
                tokens = at..(at + 1).min(parsed.tokens().len());
            }
            add(&mut regions, tokens, ErrorKind::Unexpected);
        } else {
            descend = node.has_error();
        }
        if descend && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                regions.sort_by_key(|region| region.tokens.start);
                return merge(regions);
            }
        }
    }
}

fn previous_visible(parsed: &Parsed, token: usize) -> usize {
    let at = parsed.visible.partition_point(|index| (*index as usize) < token);
    at.checked_sub(1).and_then(|at| parsed.visible.get(at)).map_or(0, |index| *index as usize)
}

fn add(regions: &mut Vec<ErrorRegion>, tokens: Range<usize>, kind: ErrorKind) {
    if !tokens.is_empty() {
        regions.push(ErrorRegion { tokens, kind });
    }
}

fn merge(regions: Vec<ErrorRegion>) -> Vec<ErrorRegion> {
    let mut merged: Vec<ErrorRegion> = Vec::with_capacity(regions.len());
    for region in regions {
        match merged.last_mut() {
            Some(last) if region.tokens.start < last.tokens.end => {
                last.tokens.end = last.tokens.end.max(region.tokens.end);
                last.kind = ErrorKind::Unexpected;
            }
            _ => merged.push(region),
        }
    }
    merged
}
