//! Text that counts on the lanes of a warp to go in step: accesses to volatile shared memory without a
//! barrier between them. Compiled kernels keep the step; thread by thread it is lost.
//!
//! One access, or one that reads another lane's element to change its own (`s[t] += s[t + 16]`), is what
//! threads may do between barriers. More of them count on the step: in one function, in a loop without a
//! barrier, or spread over functions that are called one after the other.

use std::cell::RefCell;
use std::collections::BTreeMap;

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

/// Calls and loops inside each other are followed so far.
const DEPTH: usize = 24;

/// The functions of the device that do, in order.
pub(crate) fn in_step(port: &Port<'_>) -> Vec<InStep> {
    let module = port.unit.module;
    let mut texts = BTreeMap::new();
    let mut names: BTreeMap<&str, Vec<FunctionId>> = BTreeMap::new();
    for (id, function) in module.functions.iter() {
        if !matches!(function.body, Body::Block(_)) || !port.program.is_device(id) {
            continue;
        }
        let Some(tokens) = port.unit.parsed.tokens().get(function.tokens.range()) else { continue };
        let Some(text) = Text::new(tokens, function.is_kernel()) else { continue };
        texts.insert(id, text);
        names.entry(function.name.as_str()).or_default().push(id);
    }
    // Most programs have none: calls need not be followed.
    if !texts.values().any(|text| text.tokens.iter().any(|t| t.text.as_str() == "volatile")) {
        return Vec::new();
    }
    let program = Functions { texts, names, known: RefCell::default() };
    let mut found = Vec::new();
    for text in program.texts.values() {
        if let Some((name, origin)) = program.shared_in_step(text) {
            let span = module.expansions.outermost(origin);
            found.push(InStep { span, finding: ImplicitSynchrony { name } });
        }
    }
    found
}

/// A function's tokens.
struct Text<'a> {
    tokens: &'a [Token],
    /// Where its body begins.
    body: usize,
    kernel: bool,
    /// The names of its parameters, in order.
    parameters: Vec<Option<&'a str>>,
    waits: bool,
}

struct Functions<'a> {
    texts: BTreeMap<FunctionId, Text<'a>>,
    names: BTreeMap<&'a str, Vec<FunctionId>>,
    /// What a function does with what a parameter of it points to.
    known: RefCell<BTreeMap<(FunctionId, usize), Accesses>>,
}

/// Accesses between two barriers.
#[derive(Clone, Copy, Default)]
struct Stretch {
    count: usize,
    /// Whether one of them may write.
    writes: bool,
}

impl Stretch {
    fn and(self, other: Stretch) -> Stretch {
        Stretch { count: self.count + other.count, writes: self.writes || other.writes }
    }

    fn counts_on_step(self) -> bool {
        self.writes && self.count >= ACCESSES
    }
}

/// What is done before the first barrier, what behind the last, and whether any stretch counts on lanes
/// that go in step.
#[derive(Clone, Copy, Default)]
struct Accesses {
    head: Stretch,
    tail: Stretch,
    in_step: bool,
    barrier: bool,
}

impl Accesses {
    fn one(writes: bool) -> Self {
        let stretch = Stretch { count: 1, writes };
        Accesses { head: stretch, tail: stretch, in_step: false, barrier: false }
    }

    fn waits() -> Self {
        Accesses { barrier: true, ..Accesses::default() }
    }

    fn then(self, next: Accesses) -> Accesses {
        let joined = self.tail.and(next.head);
        Accesses {
            head: if self.barrier { self.head } else { joined },
            tail: if next.barrier { next.tail } else { joined },
            in_step: self.in_step || next.in_step || joined.counts_on_step(),
            barrier: self.barrier || next.barrier,
        }
    }
}

impl<'a> Text<'a> {
    fn new(tokens: &'a [Token], kernel: bool) -> Option<Self> {
        let body = tokens.iter().position(|token| token.text.as_str() == "{")?;
        let close = (0..body).rev().find(|at| text(tokens, *at) == ")")?;
        let open = opening(tokens, close)?;
        let parameters = split(tokens, open, close)
            .into_iter()
            .map(|(first, end)| {
                let end =
                    (first..end).find(|at| matches!(text(tokens, *at), "=" | "[")).unwrap_or(end);
                (first..end).rev().map(|at| text(tokens, at)).find(|text| is_name(text))
            })
            .collect();
        let waits = (body..tokens.len()).any(|at| is_barrier(tokens, at));
        Some(Text { tokens, body, kernel, parameters, waits })
    }
}

impl<'a> Functions<'a> {
    /// The first name of shared memory that is accessed in step, and where it is accessed first.
    fn shared_in_step(&self, function: &Text<'a>) -> Option<(String, Origin)> {
        let tokens = function.tokens;
        for name in shared_names(function) {
            let range = function.body..tokens.len();
            if self.range(tokens, range, name, is_volatile(tokens, name), 0).in_step {
                let access = (function.body..tokens.len()).find(|at| text(tokens, *at) == name)?;
                return Some((name.to_owned(), tokens[access].origin));
            }
        }
        None
    }

    /// The accesses by a name among tokens.
    fn range(
        &self,
        tokens: &'a [Token],
        range: std::ops::Range<usize>,
        name: &str,
        volatile: bool,
        depth: usize,
    ) -> Accesses {
        let mut sum = Accesses::default();
        if depth > DEPTH {
            return sum;
        }
        let mut at = range.start;
        while at < range.end {
            let word = text(tokens, at);
            if let Some(end) = loop_end(tokens, at, depth).filter(|end| *end <= range.end) {
                let once = self.range(tokens, at + 1..end, name, volatile, depth + 1);
                // What one pass leaves open, the next goes on with.
                sum = sum.then(once).then(once);
                at = end;
                continue;
            }
            if is_barrier(tokens, at) {
                sum = sum.then(Accesses::waits());
            } else if is_access(tokens, at, name) && (volatile || is_cast_volatile(tokens, at)) {
                sum = sum.then(Accesses::one(may_write(tokens, at)));
            } else if is_name(word) && self.names.contains_key(word) {
                sum = sum.then(self.call(tokens, at, name, depth));
            }
            at += 1;
        }
        sum
    }

    /// What a call does with a name that is among its arguments, and whether it waits.
    fn call(&self, tokens: &'a [Token], at: usize, name: &str, depth: usize) -> Accesses {
        let mut done = Accesses::default();
        let Some(open) = arguments_of(tokens, at) else { return done };
        let Some(close) = closing(tokens, open) else { return done };
        let arguments = split(tokens, open, close);
        for id in self.names.get(text(tokens, at)).into_iter().flatten() {
            let Some(callee) = self.texts.get(id) else { continue };
            for (index, argument) in arguments.iter().enumerate() {
                let passes = (argument.0..argument.1).any(|at| {
                    let is_whole = at + 1 == argument.1 || text(tokens, at + 1) != "[";
                    text(tokens, at) == name && is_whole
                        || text(tokens, at) == "&" && text(tokens, at + 1) == name
                });
                if passes {
                    done = worse(done, self.parameter(*id, callee, index, depth));
                }
            }
            if callee.waits && !done.in_step && done.head.count == 0 && done.tail.count == 0 {
                done = Accesses::waits();
            }
        }
        done
    }

    /// What a function does with what a parameter points to.
    fn parameter(&self, id: FunctionId, callee: &Text<'a>, index: usize, depth: usize) -> Accesses {
        let Some(Some(name)) = callee.parameters.get(index) else { return Accesses::default() };
        if let Some(known) = self.known.borrow().get(&(id, index)) {
            return *known;
        }
        // A function that calls itself adds nothing.
        self.known.borrow_mut().insert((id, index), Accesses::default());
        let volatile = is_volatile(callee.tokens, name);
        let range = callee.body..callee.tokens.len();
        let done = self.range(callee.tokens, range, name, volatile, depth + 1);
        self.known.borrow_mut().insert((id, index), done);
        done
    }
}

/// Of two overloads, that which does more.
fn worse(one: Accesses, other: Accesses) -> Accesses {
    let weight = |a: &Accesses| (a.in_step, a.head.count + a.tail.count);
    if weight(&other) > weight(&one) { other } else { one }
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.text.as_str())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Where the lanes of a warp wait for each other, on fibers too.
fn is_barrier(tokens: &[Token], at: usize) -> bool {
    let word = text(tokens, at);
    let waits = word.starts_with("__syncthreads")
        || word == "__syncwarp"
        || word == "sync"
        || (word.starts_with("__") && word.ends_with("_sync"));
    waits && text(tokens, at + 1) == "("
}

/// The names of shared memory in a function: variables, pointers into them, and the pointers that a
/// function of the device is given. What a kernel is given lies in global memory.
fn shared_names<'a>(function: &Text<'a>) -> Vec<&'a str> {
    let tokens = function.tokens;
    let mut names: Vec<&str> = Vec::new();
    let mut add = |name: Option<&'a str>| {
        if let Some(name) = name.filter(|name| !names.contains(name)) {
            names.push(name);
        }
    };
    for at in (0..tokens.len()).filter(|at| text(tokens, *at) == "__shared__") {
        add(declared(tokens, at));
    }
    for at in (0..tokens.len()).filter(|at| text(tokens, *at) == "volatile") {
        let is_parameter = at < function.body;
        if is_parameter && function.kernel {
            continue;
        }
        let shared: Vec<&str> = (0..tokens.len())
            .filter(|at| text(tokens, *at) == "__shared__")
            .filter_map(|at| declared(tokens, at))
            .collect();
        if is_parameter || points_into(tokens, at, &shared) {
            add(declared(tokens, at));
        }
    }
    names
}

/// Whether a name is declared volatile.
fn is_volatile(tokens: &[Token], name: &str) -> bool {
    (0..tokens.len()).any(|at| match text(tokens, at) {
        "volatile" => declared(tokens, at) == Some(name),
        // `__shared__ volatile float s[…]` is found by either word.
        "__shared__" => {
            declared(tokens, at) == Some(name)
                && (at..tokens.len())
                    .take_while(|at| !matches!(text(tokens, *at), ";" | "[" | "="))
                    .any(|at| text(tokens, at) == "volatile")
        }
        _ => false,
    })
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

/// `s[…]`, `*s`, `s->`
fn is_access(tokens: &[Token], at: usize, name: &str) -> bool {
    if text(tokens, at) != name {
        return false;
    }
    let before = at.checked_sub(1).map_or("", |before| text(tokens, before));
    let dereferenced = before == "*"
        && at.checked_sub(2).is_none_or(|two| {
            let word = text(tokens, two);
            !is_name(word) && !matches!(word, ")" | "]")
        });
    matches!(text(tokens, at + 1), "[" | "->") || dereferenced || is_cast_volatile(tokens, at)
}

/// Whether an access may write: `s[i] = x`, `s[i]++`, `--s[i]`, and all that is not plainly read.
fn may_write(tokens: &[Token], at: usize) -> bool {
    let mut end = at + 1;
    while text(tokens, end) == ")" {
        end += 1;
    }
    if text(tokens, end) != "[" {
        return true;
    }
    while text(tokens, end) == "[" {
        let Some(close) = closing(tokens, end) else { return true };
        end = close + 1;
    }
    let next = text(tokens, end);
    let compares = matches!(next, "==" | "<=" | ">=" | "!=");
    let before = at.checked_sub(1).map_or("", |before| text(tokens, before));
    (next.ends_with('=') && !compares)
        || matches!(next, "++" | "--" | "." | "->")
        || matches!(before, "++" | "--" | "&")
}

/// `((volatile float *)s)[…]`
fn is_cast_volatile(tokens: &[Token], at: usize) -> bool {
    let Some(close) = at.checked_sub(1).filter(|close| text(tokens, *close) == ")") else {
        return false;
    };
    opening(tokens, close)
        .is_some_and(|open| (open..close).any(|at| text(tokens, at) == "volatile"))
}

/// The parenthesis of a call's arguments, behind the callee's name and its template arguments.
fn arguments_of(tokens: &[Token], at: usize) -> Option<usize> {
    let next = at + 1;
    if text(tokens, next) != "<" {
        return (text(tokens, next) == "(").then_some(next);
    }
    let mut depth = 0usize;
    for at in next..tokens.len() {
        match text(tokens, at) {
            "<" => depth += 1,
            ">" => depth = depth.checked_sub(1)?,
            ";" | "{" => return None,
            _ => {}
        }
        if depth == 0 {
            return (text(tokens, at + 1) == "(").then_some(at + 1);
        }
    }
    None
}

/// The end of the loop that begins at a token.
fn loop_end(tokens: &[Token], at: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH {
        return None;
    }
    let body = match text(tokens, at) {
        "for" | "while" if text(tokens, at + 1) == "(" => closing(tokens, at + 1)? + 1,
        "do" => at + 1,
        _ => return None,
    };
    if text(tokens, body) == "{" {
        return Some(closing(tokens, body)? + 1);
    }
    // A body of one statement, which may be a loop or a condition itself.
    if let Some(end) = loop_end(tokens, body, depth + 1) {
        return Some(end);
    }
    let mut at = body;
    while at < tokens.len() {
        match text(tokens, at) {
            "(" | "[" => at = closing(tokens, at)?,
            "{" => return Some(closing(tokens, at)? + 1),
            ";" => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in open..tokens.len() {
        match text(tokens, at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn opening(tokens: &[Token], close: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in (0..=close).rev() {
        match text(tokens, at) {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The ranges between the commas of a list in parentheses.
fn split(tokens: &[Token], open: usize, close: usize) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut first = open + 1;
    let mut at = first;
    while at < close {
        match text(tokens, at) {
            "(" | "[" | "{" => match closing(tokens, at) {
                Some(end) => at = end,
                None => break,
            },
            "," => {
                parts.push((first, at));
                first = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if first < close {
        parts.push((first, close));
    }
    parts
}
