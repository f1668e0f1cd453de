//! What is seen only where statements stand together.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::{Expression, Type, Types, widened};
use super::{COLUMNS, Known, Statement, counts, head_of, mentions, names, parse};
use crate::host::text::{has_word, replace_words};
use crate::tile::ir::{Node, Tile};

/// Functions whose result depends on their arguments alone.
const PURE: &[&str] = &[
    "lanes::Intersect",
    "lanes::IsEmpty",
    "lanes::Form",
    "lanes::Row",
    "lanes::Bound",
    "lanes::Box",
    "lanes.Below",
    "lanes.All",
    "lanes.None",
    "static_cast",
    "reinterpret_cast",
    "int32_t",
    "uint32_t",
    "int64_t",
    "uint64_t",
    "float",
    "bool",
    "true",
    "false",
    "nullptr",
    "INT64_MIN",
    "__gm__",
];

/// The beginnings of names that stand for nothing of the user's.
const UNNAMED: &[&str] = &["value", "base", "pointer", "wide", "inside"];

fn is_unnamed(name: &str) -> bool {
    UNNAMED.iter().any(|wish| {
        name.strip_prefix(wish).is_some_and(|rest| {
            let digits = rest.strip_prefix('_').unwrap_or(rest);
            digits.chars().all(|c| c.is_ascii_digit())
        })
    })
}

/// Whether a value is the same wherever its names are in scope.
fn is_fixed(value: &Expression, fixed: &BTreeSet<String>) -> bool {
    names(value).iter().all(|name| {
        PURE.contains(&name.as_str()) || fixed.contains(name) || name.starts_with("tiling_.")
    })
}

/// The counter of a loop's passes that a line defines: in each pass it is a constant.
fn counter(line: &str) -> Option<String> {
    match parse(line) {
        Statement::Variable(ty, name, value) if ty == "int64_t" && value.to_string() == "0" => {
            let number = name.strip_prefix("passes")?;
            number.chars().all(|c| c.is_ascii_digit()).then_some(name)
        }
        _ => None,
    }
}

fn renamed(line: &str, to: &BTreeMap<String, String>) -> String {
    match to.is_empty() || line.starts_with("//") {
        true => line.to_owned(),
        false => replace_words(line, &|word| to.get(word).cloned()),
    }
}

/// What is computed twice from the same numbers, once.
pub(super) fn shared(
    nodes: Vec<Node>,
    known: &Known,
    outer: &BTreeMap<(String, String), String>,
    renames: &mut BTreeMap<String, String>,
) -> Vec<Node> {
    fn walk(
        nodes: Vec<Node>,
        fixed: &mut BTreeSet<String>,
        outer: &BTreeMap<(String, String), String>,
        renames: &mut BTreeMap<String, String>,
    ) -> Vec<Node> {
        let mut seen = outer.clone();
        let mut out = Vec::new();
        for node in nodes {
            match node {
                Node::Line(line) => {
                    let line = renamed(&line, renames);
                    fixed.extend(counter(&line));
                    if let Statement::Constant(ty, name, value) = parse(&line)
                        && is_unnamed(&name)
                        && value.is_number_of(Type::read(&ty))
                    {
                        renames.insert(name, value.to_string());
                        continue;
                    }
                    if let Statement::Constant(ty, name, value) = parse(&line)
                        && is_fixed(&value, fixed)
                    {
                        let key = (ty, value.to_string());
                        match seen.get(&key) {
                            Some(first) if is_unnamed(&name) => {
                                renames.insert(name, first.clone());
                                continue;
                            }
                            _ => {
                                fixed.insert(name.clone());
                                seen.insert(key, name);
                            }
                        }
                    }
                    out.push(Node::Line(line));
                }
                Node::Nest { head, body, repeats } => {
                    let head = renamed(&head, renames);
                    let body = walk(body, fixed, &seen, renames);
                    out.push(Node::Nest { head, body, repeats });
                }
            }
        }
        out
    }
    walk(nodes, &mut known.fixed.clone(), outer, renames)
}

/// Constants without a name of the user's that are asked for once stand where they are asked for.
pub(super) fn inlined(nodes: Vec<Node>, known: &Known, types: &Types) -> Vec<Node> {
    let mut fixed = known.fixed.clone();
    collect_fixed(&nodes, &mut fixed);
    let uses = counts(&nodes);
    put_in(nodes, &fixed, types, &uses)
}

fn collect_fixed(nodes: &[Node], fixed: &mut BTreeSet<String>) {
    for node in nodes {
        match node {
            Node::Line(line) => {
                fixed.extend(counter(line));
                // Whatever it comes from, a constant does not change.
                if let Statement::Constant(_, name, _) = parse(line) {
                    fixed.insert(name);
                }
            }
            Node::Nest { body, .. } => collect_fixed(body, fixed),
        }
    }
}

fn put_in(
    nodes: Vec<Node>,
    fixed: &BTreeSet<String>,
    types: &Types,
    uses: &BTreeMap<String, u32>,
) -> Vec<Node> {
    let mut rest: std::collections::VecDeque<Node> = nodes.into();
    let mut out = Vec::new();
    while let Some(node) = rest.pop_front() {
        match node {
            Node::Line(line) => match put(&line, &rest, fixed, types, uses) {
                Some((at, changed)) => rest[at] = changed,
                None => out.push(Node::Line(line)),
            },
            Node::Nest { head, body, repeats } => {
                let body = put_in(body, fixed, types, uses);
                out.push(Node::Nest { head, body, repeats });
            }
        }
    }
    out
}

/// Which of the statements after a constant asks for it, with its value in it, if that may be.
fn put(
    line: &str,
    rest: &std::collections::VecDeque<Node>,
    fixed: &BTreeSet<String>,
    types: &Types,
    uses: &BTreeMap<String, u32>,
) -> Option<(usize, Node)> {
    let Statement::Constant(ty, name, value) = parse(line) else { return None };
    if !is_unnamed(&name) || uses.get(&name) != Some(&2) {
        return None;
    }
    let (own, declared) = (value.ty(types)?, Type::read(&ty)?);
    let value = match own == declared {
        true => value,
        false => widened(&value, declared, types)?,
    };
    let at = rest.iter().position(|node| mentions(node, &name))?;
    let node = rest.get(at)?;
    if !is_fixed(&value, fixed) {
        // A variable: as it is now, which it is in the next statement at the latest.
        let is_next = rest.iter().take(at).all(is_comment);
        let is_there = match node {
            Node::Line(_) => true,
            Node::Nest { head, .. } => has_word(head, &name),
        };
        if !value.is_plain() || !is_next || !is_there {
            return None;
        }
    }
    Some((at, with(node, &name, &value, 0)?))
}

/// A statement with a value in the place of a name; `None` where it would be longer than a line, or
/// computed again and again.
fn with(node: &Node, name: &str, value: &Expression, depth: u32) -> Option<Node> {
    let put = |inner: Expression| {
        inner.map(&|inner| match inner {
            Expression::Atom(text) if text == name => value.clone(),
            other => other,
        })
    };
    let room = COLUMNS.saturating_sub(12);
    match node {
        Node::Line(line) => {
            let changed = match parse(line) {
                Statement::Constant(ty, name, value) => Statement::Constant(ty, name, put(value)),
                Statement::Variable(ty, name, value) => Statement::Variable(ty, name, put(value)),
                Statement::Assign(place, value) => Statement::Assign(put(place), put(value)),
                Statement::Plain(value) => Statement::Plain(put(value)),
                Statement::When(condition, rest) => Statement::When(put(condition), rest),
                Statement::Text(_) => return None,
            };
            let text = changed.text();
            (text.len() <= room && !has_word(&text, name)).then_some(Node::Line(text))
        }
        Node::Nest { head, body, repeats } => {
            if has_word(head, name) {
                let head = head_of(head, &put);
                let fits = head.len() <= room && !has_word(&head, name);
                return (fits && !*repeats).then(|| Node::Nest {
                    head,
                    body: body.clone(),
                    repeats: *repeats,
                });
            }
            if *repeats || depth > 8 {
                return None;
            }
            let at = body.iter().position(|inner| mentions(inner, name))?;
            let mut body = body.clone();
            body[at] = with(&body[at], name, value, depth + 1)?;
            Some(Node::Nest { head: head.clone(), body, repeats: false })
        }
    }
}

/// Instructions that read their operands and write their first argument, element by element.
const ELEMENTWISE: &[&str] = &[
    "Add",
    "Adds",
    "Sub",
    "Mul",
    "Muls",
    "Div",
    "Max",
    "Maxs",
    "Min",
    "Mins",
    "Abs",
    "Exp",
    "Ln",
    "Sqrt",
    "Duplicate",
];

/// Functions of the support code that write their first argument and nothing else.
const COMPUTING: &[&str] = &[
    "lanes.Spread",
    "lanes.MaskAnd",
    "lanes.MaskOr",
    "lanes.MaskNot",
    "lanes.MaskAndNot",
    "lanes.MaskXor",
    "lanes.MaskCopy",
    "lanes.MaskSet",
    "lanes.MaskOf",
    "lanes.Choose",
    "lanes.Move",
    "lanes.CompareIntegers",
    "lanes.CompareUnsigned",
    "lanes.BitAnd",
    "lanes.BitOr",
    "lanes.BitXor",
    "lanes.BitNot",
    "lanes.ShiftUp",
    "lanes.ShiftDown",
    "lanes.ShiftDownSigned",
    "lanes.ShiftEach",
    "lanes.IntegerOfMask",
    "lanes.MaskOfInteger",
    "lanes.Narrow",
    "lanes.RoundTo<half>",
    "lanes.RoundTo<bfloat16_t>",
    "lanes.Ballot",
    "lanes.Shuffle",
    "Cast",
    "Compare",
    "CompareScalar",
];

/// The function that a line calls, and its arguments.
fn call(line: &str) -> Option<(String, Vec<Expression>)> {
    let Statement::Plain(Expression::Call(callee, arguments)) = parse(line) else { return None };
    Some((callee.to_string(), arguments))
}

/// The slot that an argument is, or is a part of.
fn slot_of<'t>(tile: &'t Tile, argument: &Expression) -> Option<&'t str> {
    let name = match argument {
        Expression::Atom(name) => name,
        Expression::Index(whole, _) => match &**whole {
            Expression::Atom(name) => name,
            _ => return None,
        },
        _ => return None,
    };
    tile.slots.get_key_value(name).map(|(name, _)| name.as_str())
}

/// Without blocks that are there for nothing: no name is given twice.
pub(super) fn flat(nodes: Vec<Node>) -> Vec<Node> {
    let mut out = Vec::new();
    for node in nodes {
        match node {
            Node::Nest { head, body, repeats: false } if head.is_empty() => out.extend(flat(body)),
            Node::Nest { head, body, repeats } => {
                out.push(Node::Nest { head, body: flat(body), repeats });
            }
            line => out.push(line),
        }
    }
    out
}

/// `while (true) { if (i >= n) break; … }` as `while (i < n) { … }`.
pub(super) fn conditions(nodes: Vec<Node>, types: &Types) -> Vec<Node> {
    let change = |node: Node| match node {
        Node::Nest { head, body, repeats } => {
            let mut body = conditions(body, types);
            let first = body.iter().position(|node| !is_comment(node));
            let leaves = first.and_then(|at| match body.get(at)? {
                Node::Line(line) => match parse(line) {
                    Statement::When(condition, rest) if rest == "break;" => Some((at, condition)),
                    _ => None,
                },
                Node::Nest { .. } => None,
            });
            match leaves {
                Some((at, condition)) if head == "while (true)" && condition.is_plain() => {
                    body.remove(at);
                    let goes_on = Expression::Unary('!', condition.into()).simple(types);
                    Node::Nest { head: format!("while ({goes_on})"), body, repeats }
                }
                _ => Node::Nest { head, body, repeats },
            }
        }
        line => line,
    };
    nodes.into_iter().map(change).collect()
}

/// Functions that write to their first argument and read the others, besides those above.
const MOVING: &[&str] = &[
    "lanes.Load<",
    "lanes.LoadAt<",
    "lanes.LoadShared<",
    "lanes.Store<",
    "lanes.StoreAt<",
    "lanes.StoreSame<",
    "lanes.StoreShared<",
];

/// Without statements whose result is still where they would put it, once vectors have places: `bytes`
/// tells from where to where a vector lies.
pub(in crate::tile) fn unrepeated(
    tile: &Tile,
    bytes: &dyn Fn(&str) -> Option<(u32, u32)>,
    nodes: Vec<Node>,
) -> Vec<Node> {
    let mut fixed = BTreeSet::new();
    collect_fixed(&nodes, &mut fixed);
    fixed.insert("everyone".to_owned());
    fixed.insert("lanes.padded".to_owned());
    repeat_in(tile, bytes, &fixed, nodes)
}

fn repeat_in(
    tile: &Tile,
    bytes: &dyn Fn(&str) -> Option<(u32, u32)>,
    fixed: &BTreeSet<String>,
    nodes: Vec<Node>,
) -> Vec<Node> {
    // By the vector that holds it: what made it.
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    let mut out = Vec::new();
    for node in nodes {
        let line = match node {
            Node::Nest { head, body, repeats } => {
                held.clear();
                let body = repeat_in(tile, bytes, fixed, body);
                out.push(Node::Nest { head, body, repeats });
                continue;
            }
            Node::Line(line) => line,
        };
        if line.starts_with("//") {
            out.push(Node::Line(line));
            continue;
        }
        let called = call(&line);
        let written: Vec<String> = match &called {
            Some((name, arguments))
                if ELEMENTWISE.contains(&name.as_str())
                    || COMPUTING.contains(&name.as_str())
                    || MOVING.iter().any(|start| name.starts_with(start)) =>
            {
                let result = arguments.first().and_then(|first| slot_of(tile, first));
                result.map(str::to_owned).into_iter().collect()
            }
            _ => tile.slots.keys().filter(|name| has_word(&line, name)).cloned().collect(),
        };
        // Only what is made from numbers is the same again.
        let made = called.and_then(|(name, arguments)| {
            let (first, rest) = arguments.split_first()?;
            let Expression::Atom(result) = first else { return None };
            let is_made = matches!(
                name.as_str(),
                "lanes.MaskOf" | "lanes.MaskSet" | "lanes.Spread" | "Duplicate"
            );
            let is_same = rest.iter().all(|argument| is_fixed(argument, fixed));
            (is_made && is_same && tile.slots.contains_key(result)).then(|| result.clone())
        });
        if let Some(result) = &made
            && held.get(result) == Some(&line)
        {
            continue;
        }
        held.retain(|name, _| {
            let own = bytes(name);
            !written.iter().any(|written| match (own, bytes(written)) {
                (Some((a, b)), Some((c, d))) => a < d && c < b,
                _ => true,
            })
        });
        if let Some(result) = made {
            held.insert(result, line.clone());
        }
        out.push(Node::Line(line));
    }
    out
}

/// A result that is moved at once is made where it goes.
pub(super) fn moved(tile: &Tile, nodes: Vec<Node>) -> Vec<Node> {
    let uses = counts(&nodes);
    move_in(tile, nodes, &uses)
}

fn move_in(tile: &Tile, nodes: Vec<Node>, uses: &BTreeMap<String, u32>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for node in nodes {
        match node {
            Node::Nest { head, body, repeats } => {
                let body = move_in(tile, body, uses);
                out.push(Node::Nest { head, body, repeats });
            }
            Node::Line(line) => {
                let made = out.last().and_then(|last| match last {
                    Node::Line(last) => made_in_place(tile, last, &line, uses),
                    Node::Nest { .. } => None,
                });
                match made {
                    Some(made) => {
                        out.pop();
                        out.push(Node::Line(made));
                    }
                    None => out.push(Node::Line(line)),
                }
            }
        }
    }
    out
}

fn made_in_place(
    tile: &Tile,
    before: &str,
    line: &str,
    uses: &BTreeMap<String, u32>,
) -> Option<String> {
    let (name, arguments) = call(line)?;
    if let Some(made) = changed_at_once(before, &name, &arguments) {
        return Some(made);
    }
    let [target, Expression::Atom(source)] = arguments.as_slice() else { return None };
    let (own, into) = (tile.slots.get(source)?, tile.slots.get(slot_of(tile, target)?)?);
    let is_move = name == "lanes.Move" && own.element == into.element && own.bytes == 4;
    if !is_move || uses.get(source) != Some(&2) {
        return None;
    }
    let (function, mut operands) = call(before)?;
    let is_result = matches!(operands.first(), Some(Expression::Atom(first)) if first == source);
    if !is_result || !ELEMENTWISE.contains(&function.as_str()) {
        return None;
    }
    *operands.first_mut()? = target.clone();
    Some(Statement::Plain(Expression::Call(Expression::Atom(function).into(), operands)).text())
}

/// `Adds(a, b, 0, n); Muls(a, a, 4, n);` as `Muls(a, b, 4, n);`.
fn changed_at_once(before: &str, name: &str, arguments: &[Expression]) -> Option<String> {
    let (copying, copy) = call(before)?;
    let ([to, from, Expression::Atom(zero), length], "Adds", true) =
        (copy.as_slice(), copying.as_str(), ELEMENTWISE.contains(&name))
    else {
        return None;
    };
    let [result, operand, rest @ ..] = arguments else { return None };
    // A float would lose the sign of its zero; its zero is written otherwise.
    let is_same = zero == "0" && result == to && operand == to && rest.last() == Some(length);
    if !is_same || rest.contains(to) {
        return None;
    }
    let mut changed = vec![result.clone(), from.clone()];
    changed.extend_from_slice(rest);
    let callee = Expression::Atom(name.to_owned());
    Some(Statement::Plain(Expression::Call(callee.into(), changed)).text())
}

/// Without vectors that are computed and never read, and conditions of nothing.
pub(super) fn read_by_nobody(tile: &Tile, mut nodes: Vec<Node>) -> Vec<Node> {
    // Each round takes what only the last one's lines read; chains are short.
    for _ in 0..8 {
        let mut uses = BTreeMap::new();
        used_in(tile, &nodes, &mut uses);
        let unread: BTreeSet<&str> =
            uses.into_iter().filter(|(_, reads)| *reads == 0).map(|(name, _)| name).collect();
        let before = size(&nodes);
        nodes = without(tile, nodes, &unread);
        if size(&nodes) == before {
            break;
        }
    }
    nodes
}

/// How many lines do something else with a vector than to compute it, or it from itself.
fn used_in<'t>(tile: &'t Tile, nodes: &[Node], uses: &mut BTreeMap<&'t str, u32>) {
    for node in nodes {
        let line = match node {
            Node::Line(line) if line.starts_with("//") => continue,
            Node::Line(line) => line,
            Node::Nest { head, body, .. } => {
                used_in(tile, body, uses);
                head
            }
        };
        let result = computed(tile, line);
        let words: BTreeSet<&str> =
            line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for word in words {
            if let Some((name, _)) = tile.slots.get_key_value(word) {
                *uses.entry(name.as_str()).or_default() += u32::from(result != Some(name));
            }
        }
    }
}

/// The vector that a line computes, if it does nothing else.
fn computed<'t>(tile: &'t Tile, line: &str) -> Option<&'t str> {
    let (function, arguments) = call(line)?;
    let is_pure =
        ELEMENTWISE.contains(&function.as_str()) || COMPUTING.contains(&function.as_str());
    let result = arguments.first().filter(|_| is_pure)?;
    slot_of(tile, result)
}

fn size(nodes: &[Node]) -> usize {
    nodes
        .iter()
        .map(|node| match node {
            Node::Line(_) => 1,
            Node::Nest { body, .. } => 1 + size(body),
        })
        .sum()
}

fn without(tile: &Tile, nodes: Vec<Node>, unread: &BTreeSet<&str>) -> Vec<Node> {
    let mut out = Vec::new();
    let mut nodes = nodes.into_iter().peekable();
    while let Some(node) = nodes.next() {
        match node {
            Node::Line(line) => {
                if !computed(tile, &line).is_some_and(|result| unread.contains(result)) {
                    out.push(Node::Line(line));
                }
            }
            Node::Nest { head, body, repeats } => {
                let body = without(tile, body, unread);
                let is_empty = body.iter().all(is_comment);
                let has_else =
                    matches!(nodes.peek(), Some(Node::Nest { head, .. }) if head == "else");
                let is_condition = head.starts_with("if (") || head == "else";
                // What is asked is whether lanes take part, or a comparison.
                if !(is_empty && is_condition && !has_else) {
                    out.push(Node::Nest { head, body, repeats });
                }
            }
        }
    }
    out
}

fn is_comment(node: &Node) -> bool {
    matches!(node, Node::Line(line) if line.starts_with("//"))
}

const STORED: &str = "lanes::Wait<HardEvent::MTE3_MTE2>();";

/// Whether a line may write to global memory.
fn may_store(line: &str) -> bool {
    const SHARED: [&str; 3] = ["StoreShared<", "UpdateShared<", "SharedElements<"];
    !line.starts_with("//")
        && !SHARED.iter().any(|word| line.contains(word))
        && ["Store", "Accumulate", "Update", "DataCopy", "SetAtomic"]
            .iter()
            .any(|word| line.contains(word))
}

/// Waits for stores, once after them. `others`: whether stores of other blocks come before those here.
pub(super) fn waiting_once(nodes: Vec<Node>, others: bool) -> Vec<Node> {
    let mut waited = !others;
    wait_in(nodes, &mut waited)
}

fn wait_in(nodes: Vec<Node>, waited: &mut bool) -> Vec<Node> {
    let mut out = Vec::new();
    for node in nodes {
        match node {
            Node::Line(line) if line == STORED => {
                if !*waited {
                    out.push(Node::Line(line));
                }
                *waited = true;
            }
            Node::Line(line) => {
                *waited &= !may_store(&line);
                out.push(Node::Line(line));
            }
            Node::Nest { head, body, repeats } => {
                let stores = stores_in(&body);
                // Another pass may have stored; an arm may not have been gone through.
                let mut inside = *waited && !(repeats && stores);
                let body = wait_in(body, &mut inside);
                *waited &= !stores;
                out.push(Node::Nest { head, body, repeats });
            }
        }
    }
    out
}

fn stores_in(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Line(line) => may_store(line),
        Node::Nest { body, .. } => stores_in(body),
    })
}

/// Comments that name a line of the source, where the line changes; none without a statement.
pub(super) fn commented(nodes: Vec<Node>) -> Vec<Node> {
    comment_in(nodes, &mut None)
}

fn comment_in(nodes: Vec<Node>, said: &mut Option<String>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    let mut next: Option<String> = None;
    for node in nodes {
        match node {
            Node::Line(line) if line.starts_with("//") => next = Some(line),
            node => {
                if let Some(comment) = next.take().filter(|comment| said.as_ref() != Some(comment))
                {
                    out.push(Node::Line(comment.clone()));
                    *said = Some(comment);
                }
                out.push(match node {
                    Node::Nest { head, body, repeats } => {
                        let body = comment_in(body, said);
                        Node::Nest { head, body, repeats }
                    }
                    line => line,
                });
            }
        }
    }
    out
}
