//! The tile IR: statements of Ascend C over vectors of lanes, before the vectors have a place.
//!
//! A vector is a *slot*: a name with an element type and a number of parts. Statements name slots in
//! their text; which statements use a slot is read from there, so that what is written and what is
//! planned cannot differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::text::replace_words;

/// A statement or a group of them.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// One line.
    Line(String),
    /// `head { body } `; what `repeats` may be executed several times.
    Nest { head: String, body: Vec<Node>, repeats: bool },
}

/// A vector of lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The element's type in C++.
    pub element: &'static str,
    /// Bytes for each lane.
    pub bytes: u32,
    /// Whether what it holds in one pass of a loop may be asked for in the next, although nothing
    /// outside the loop touches it.
    pub variable: bool,
}

/// Statements with their slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Tile {
    /// By name.
    pub slots: BTreeMap<String, Slot>,
    /// Those of them that have a name of the user's.
    pub named: BTreeSet<String>,
    /// Those that hold from one tile to the next what they are given.
    pub held: BTreeSet<String>,
}

/// Where slots lie.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// For each slot, bytes for each lane that lie before it.
    pub offsets: BTreeMap<String, u32>,
    /// Bytes for each lane in all.
    pub bytes: u32,
}

/// The identifiers of a line, but no members of something.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let line = if line.starts_with("//") { "" } else { line };
    let mut before = '\0';
    line.split_inclusive(move |c: char| !is_word(c)).filter_map(move |piece| {
        let word = piece.trim_end_matches(|c| !is_word(c));
        let is_member = matches!(before, '.' | ':');
        before = piece.chars().last().unwrap_or(' ');
        (!word.is_empty() && !is_member).then_some(word)
    })
}

/// From the first to the last position of use, in the order of the text.
#[derive(Clone, Copy, Debug)]
struct Life {
    first: usize,
    last: usize,
    /// How many lines use it.
    uses: usize,
}

struct Walk<'t> {
    tile: &'t Tile,
    /// For each slot, how many times it is used in all.
    totals: BTreeMap<String, usize>,
    lives: BTreeMap<String, Life>,
    position: usize,
}

impl Walk<'_> {
    fn touch(&mut self, line: &str) {
        for word in words(line) {
            if self.tile.slots.contains_key(word) {
                let position = self.position;
                let life = self.lives.entry(word.to_owned()).or_insert(Life {
                    first: position,
                    last: position,
                    uses: 0,
                });
                life.last = life.last.max(position);
                life.uses += 1;
            }
        }
        self.position += 1;
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Line(line) => self.touch(line),
                Node::Nest { head, body, repeats } => {
                    let start = self.position;
                    let before: BTreeMap<String, usize> =
                        self.lives.iter().map(|(name, life)| (name.clone(), life.uses)).collect();
                    self.touch(head);
                    self.nodes(body);
                    let end = self.position;
                    self.position += 1;
                    if *repeats {
                        // What is used outside too, or carried from pass to pass, is there in
                        // every pass as a whole.
                        for (name, life) in &mut self.lives {
                            let inside = life.uses - before.get(name).copied().unwrap_or(0);
                            let all = self.totals.get(name).copied().unwrap_or(0);
                            let carried = self.tile.slots[name].variable;
                            if inside > 0 && (inside < all || carried) {
                                life.first = life.first.min(start);
                                life.last = life.last.max(end);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Gives each slot a place: slots whose lives do not meet may share one.
pub(super) fn place(tile: &Tile, nodes: &[Node]) -> Places {
    let start = || Walk { tile, totals: BTreeMap::new(), lives: BTreeMap::new(), position: 0 };
    let mut first = start();
    first.nodes(nodes);
    let mut walk = start();
    walk.totals = first.lives.into_iter().map(|(name, life)| (name, life.uses)).collect();
    walk.nodes(nodes);
    for name in &tile.held {
        if let Some(life) = walk.lives.get_mut(name) {
            (life.first, life.last) = (0, usize::MAX);
        }
    }
    let mut order: Vec<(String, Life, u32)> = walk
        .lives
        .iter()
        .map(|(name, life)| {
            let slot = &tile.slots[name];
            (name.clone(), *life, slot.bytes)
        })
        .collect();
    order.sort_by(|a, b| (a.1.first, &a.0).cmp(&(b.1.first, &b.0)));
    let mut places = Places::default();
    let mut taken: Vec<(Life, u32, u32)> = Vec::new();
    for (name, life, bytes) in order {
        let mut live: Vec<(u32, u32)> = taken
            .iter()
            .filter(|(other, ..)| other.last >= life.first && life.last >= other.first)
            .map(|(_, offset, size)| (*offset, *size))
            .collect();
        live.sort_unstable();
        let mut at = 0;
        for (offset, size) in live {
            if at + bytes <= offset {
                break;
            }
            at = at.max(offset + size);
        }
        places.bytes = places.bytes.max(at + bytes);
        taken.push((life, at, bytes));
        places.offsets.insert(name, at);
    }
    places
}

/// Which slots a node uses.
fn uses(tile: &Tile, node: &Node, found: &mut Vec<String>) {
    let mut add = |line: &str| {
        for word in words(line) {
            if tile.slots.contains_key(word) && !found.iter().any(|known| known == word) {
                found.push(word.to_owned());
            }
        }
    };
    match node {
        Node::Line(line) => add(line),
        Node::Nest { head, body, .. } => {
            add(head);
            for inner in body {
                uses(tile, inner, found);
            }
        }
    }
}

/// Gives vectors that stand for nothing of the user's the names of their places, as a person reuses
/// temporaries: `tmp0`, `tmp1` ….
pub(super) fn with_temporaries(
    tile: &Tile,
    places: &Places,
    nodes: &[Node],
) -> (Tile, Places, Vec<Node>) {
    let mut order: Vec<&str> = Vec::new();
    for node in nodes {
        let mut found = Vec::new();
        uses(tile, node, &mut found);
        for name in found {
            let slot = tile.slots.get_key_value(&name).filter(|(_, slot)| !slot.variable);
            let name = slot.map(|(name, _)| name.as_str());
            order.extend(name.filter(|name| !tile.named.contains(*name) && !order.contains(name)));
        }
    }
    let mut all = BTreeSet::new();
    all_words(nodes, &mut all);
    let mut of_place: BTreeMap<(u32, &str, u32), String> = BTreeMap::new();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut to: BTreeMap<&str, String> = BTreeMap::new();
    let mut renamed = Tile::default();
    let mut moved = Places { offsets: BTreeMap::new(), bytes: places.bytes };
    for name in order {
        let slot = &tile.slots[name];
        let Some(offset) = places.offsets.get(name).copied() else { continue };
        let stem = match slot.element {
            "float" => "tmp",
            "uint8_t" => "mask",
            _ => "tmpInt",
        };
        let own = of_place.entry((offset, slot.element, slot.bytes)).or_insert_with(|| {
            let count = counts.entry(stem).or_default();
            loop {
                let own = format!("{stem}{count}");
                *count += 1;
                if !all.contains(&own) {
                    return own;
                }
            }
        });
        renamed.slots.insert(own.clone(), slot.clone());
        moved.offsets.insert(own.clone(), offset);
        to.insert(name, own.clone());
    }
    for (name, slot) in &tile.slots {
        if let (false, Some(offset)) = (to.contains_key(name.as_str()), places.offsets.get(name)) {
            renamed.slots.insert(name.clone(), slot.clone());
            moved.offsets.insert(name.clone(), *offset);
        }
    }
    (renamed, moved, with_names(nodes, &to))
}

fn with_names(nodes: &[Node], to: &BTreeMap<&str, String>) -> Vec<Node> {
    let change = |line: &str| match line.starts_with("//") {
        true => line.to_owned(),
        false => replace_words(line, &|word| to.get(word).cloned()),
    };
    nodes
        .iter()
        .map(|node| match node {
            Node::Line(line) => Node::Line(change(line)),
            Node::Nest { head, body, repeats } => {
                Node::Nest { head: change(head), body: with_names(body, to), repeats: *repeats }
            }
        })
        .collect()
}

fn all_words(nodes: &[Node], all: &mut BTreeSet<String>) {
    for node in nodes {
        match node {
            Node::Line(line) => all.extend(words(line).map(str::to_owned)),
            Node::Nest { head, body, .. } => {
                all.extend(words(head).map(str::to_owned));
                all_words(body, all);
            }
        }
    }
}

/// The size of a type of C++.
fn element_bytes(element: &str) -> u32 {
    match element {
        "uint8_t" | "int8_t" => 1,
        "half" | "bfloat16_t" | "int16_t" | "uint16_t" => 2,
        "int64_t" | "uint64_t" => 8,
        _ => 4,
    }
}

/// Writes statements, each vector declared in the innermost block that holds all its uses.
pub(super) fn write(tile: &Tile, places: &Places, nodes: &[Node], depth: usize, text: &mut String) {
    let mut declared = Vec::new();
    write_in(tile, places, nodes, depth, &mut declared, text);
}

fn write_in(
    tile: &Tile,
    places: &Places,
    nodes: &[Node],
    depth: usize,
    declared: &mut Vec<String>,
    text: &mut String,
) {
    let before = declared.len();
    let indent = "    ".repeat(depth);
    let used: Vec<Vec<String>> = nodes
        .iter()
        .map(|node| {
            let mut found = Vec::new();
            uses(tile, node, &mut found);
            found
        })
        .collect();
    let is_else =
        |node: Option<&Node>| matches!(node, Some(Node::Nest { head, .. }) if head == "else");
    for (index, node) in nodes.iter().enumerate() {
        // Nothing may stand between an `if` and its `else`.
        let arms = if is_else(nodes.get(index + 1)) { index..index + 2 } else { index..index + 1 };
        for (holder, name) in arms.flat_map(|i| used[i].iter().map(move |name| (i, name))) {
            if declared.contains(name) {
                continue;
            }
            let only_here = used.iter().enumerate().all(|(i, l)| i == holder || !l.contains(name));
            if only_here
                && matches!(&nodes[holder], Node::Nest { head, .. } if !words(head).any(|w| w == name))
            {
                // Declared inside.
                continue;
            }
            let slot = &tile.slots[name];
            let offset = places.offsets.get(name).copied().unwrap_or(0);
            let parts = slot.bytes / element_bytes(slot.element);
            let parts = if parts > 1 { format!(", {parts}") } else { String::new() };
            text.push_str(&format!(
                "{indent}const auto {name} = Lanes<{}{parts}>({offset});\n",
                slot.element
            ));
            declared.push(name.clone());
        }
        match node {
            Node::Line(line) => text.push_str(&format!("{indent}{line}\n")),
            Node::Nest { head, body, .. } => {
                let open = if head.is_empty() { "{".to_owned() } else { format!("{head} {{") };
                match text.strip_suffix(&format!("{indent}}}\n")).map(str::len) {
                    Some(end) if head == "else" => {
                        text.truncate(end);
                        text.push_str(&format!("{indent}}} {open}\n"));
                    }
                    _ => text.push_str(&format!("{indent}{open}\n")),
                }
                write_in(tile, places, body, depth + 1, declared, text);
                text.push_str(&format!("{indent}}}\n"));
            }
        }
    }
    declared.truncate(before);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(names: &[&str]) -> Tile {
        let mut tile = Tile::default();
        for name in names {
            let slot = Slot { element: "float", bytes: 4, variable: false };
            tile.slots.insert((*name).to_owned(), slot);
        }
        tile
    }

    fn line(text: &str) -> Node {
        Node::Line(text.to_owned())
    }

    #[test]
    fn slots_that_do_not_meet_share_a_place() {
        let nodes = [line("a = 1"), line("b = a"), line("c = b")];
        let places = place(&tile(&["a", "b", "c"]), &nodes);
        // `a` is dead where `c` begins.
        assert_eq!(places.bytes, 8);
        assert_eq!(places.offsets["a"], places.offsets["c"]);
    }

    #[test]
    fn nothing_stands_between_if_and_else() {
        let nest = |head: &str, text: &str| Node::Nest {
            head: head.to_owned(),
            body: vec![line(text)],
            repeats: false,
        };
        let nodes = [nest("if (x)", "use b"), nest("else", "a = 1"), line("use a")];
        let tile = tile(&["a", "b"]);
        let mut text = String::new();
        write(&tile, &place(&tile, &nodes), &nodes, 0, &mut text);
        assert!(text.starts_with("const auto a"), "{text}");
        assert!(text.contains("} else {\n    a = 1\n}\nuse a\n"), "{text}");
    }

    #[test]
    fn what_a_loop_reads_lives_to_its_end() {
        let body = vec![line("use a"), line("b = 1"), line("use b")];
        let nodes = [line("a = 1"), Node::Nest { head: "while (x)".into(), body, repeats: true }];
        let places = place(&tile(&["a", "b"]), &nodes);
        assert_ne!(places.offsets["a"], places.offsets["b"]);
    }
}
