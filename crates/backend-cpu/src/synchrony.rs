//! Text that counts on the lanes of a warp to go in step: accesses to volatile shared memory without a
//! barrier between them. Compiled kernels keep the step; thread by thread it is lost.

use port_diag::{Origin, Span};
use port_hir::{Body, FunctionId};
use port_syntax::Token;

use crate::findings::ImplicitSynchrony;
use crate::port::Port;

/// A function that does, and the array that it works on.
pub(crate) struct InStep {
    pub span: Span,
    pub finding: ImplicitSynchrony,
}

/// So many accesses between two barriers are more than one lane's own business: `s[t] += s[t + 1]` is two.
const ACCESSES: usize = 3;

/// The functions of the device that do, in order.
pub(crate) fn in_step(port: &Port<'_>) -> Vec<InStep> {
    let mut found = Vec::new();
    for (id, function) in port.unit.module.functions.iter() {
        if !matches!(function.body, Body::Block(_)) || !port.program.is_device(id) {
            continue;
        }
        let Some(tokens) = port.unit.parsed.tokens().get(function.tokens.range()) else { continue };
        if let Some((name, origin)) = volatile_array(tokens, is_kernel(port, id)) {
            let span = port.unit.module.expansions.outermost(origin);
            found.push(InStep { span, finding: ImplicitSynchrony { name } });
        }
    }
    found
}

fn is_kernel(port: &Port<'_>, id: FunctionId) -> bool {
    port.unit.module.functions[id].is_kernel()
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.text.as_str())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The first name of volatile shared memory that is accessed often enough without a barrier, where it
/// is accessed first.
fn volatile_array(tokens: &[Token], kernel: bool) -> Option<(String, Origin)> {
    // Who synchronises a warp by hand counts on nothing.
    let by_hand = |token: &Token| matches!(token.text.as_str(), "__syncwarp" | "sync");
    if tokens.iter().any(by_hand) {
        return None;
    }
    let body = tokens.iter().position(|token| token.text.as_str() == "{")?;
    let shared: Vec<&str> = (0..tokens.len())
        .filter(|at| text(tokens, *at) == "__shared__")
        .filter_map(|at| declared(tokens, at))
        .collect();
    for at in (0..tokens.len()).filter(|at| text(tokens, *at) == "volatile") {
        let Some(name) = declared(tokens, at) else { continue };
        let statement = (0..at).rev().take_while(|i| !matches!(text(tokens, *i), ";" | "{" | "}"));
        let is_shared = statement.into_iter().any(|i| text(tokens, i) == "__shared__")
            || shared.contains(&name)
            // What a kernel is given lies in global memory.
            || (at < body && !kernel)
            || points_into(tokens, at, &shared);
        if is_shared && most_between_barriers(&tokens[body..], name) >= ACCESSES {
            let access = (body..tokens.len()).find(|i| is_access(tokens, *i, name))?;
            return Some((name.to_owned(), tokens[access].origin));
        }
    }
    None
}

/// The name that a declaration gives, from a word of its type on.
fn declared(tokens: &[Token], from: usize) -> Option<&str> {
    let mut last = None;
    for at in from + 1..tokens.len() {
        match text(tokens, at) {
            "[" | "=" | ";" | "," | ")" | "(" | "{" => break,
            word if is_name(word) => last = Some(word),
            _ => {}
        }
    }
    last
}

/// Whether `volatile T *p = …;` is made of shared memory.
fn points_into(tokens: &[Token], from: usize, shared: &[&str]) -> bool {
    let words = (from..tokens.len()).map(|at| text(tokens, at)).take_while(|text| *text != ";");
    words.skip_while(|text| *text != "=").any(|text| shared.contains(&text))
}

fn is_access(tokens: &[Token], at: usize, name: &str) -> bool {
    text(tokens, at) == name && text(tokens, at + 1) == "["
}

fn most_between_barriers(tokens: &[Token], name: &str) -> usize {
    let (mut most, mut here) = (0, 0);
    for at in 0..tokens.len() {
        let word = text(tokens, at);
        if word.starts_with("__syncthreads") {
            here = 0;
        } else if is_access(tokens, at, name) {
            here += 1;
            most = most.max(here);
        }
    }
    most
}
