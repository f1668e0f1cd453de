//! The tile IR: statements of Ascend C over vectors of lanes, before the vectors have a place.
//!
//! A vector is a *slot*: a name with an element type and a number of parts. Statements name slots in
//! their text; which statements use a slot is read from there, so that what is written and what is
//! planned cannot differ.

use std::collections::BTreeMap;

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
}

/// Where slots lie.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// For each slot, bytes for each lane that lie before it.
    pub offsets: BTreeMap<String, u32>,
    /// Bytes for each lane in all.
    pub bytes: u32,
}

/// The identifiers of a line.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
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
    for (index, node) in nodes.iter().enumerate() {
        for name in &used[index] {
            if declared.contains(name) {
                continue;
            }
            let only_here = used.iter().enumerate().all(|(i, l)| i == index || !l.contains(name));
            if only_here
                && matches!(node, Node::Nest { head, .. } if !words(head).any(|w| w == name))
            {
                // Declared inside.
                continue;
            }
            let slot = &tile.slots[name];
            let offset = places.offsets.get(name).copied().unwrap_or(0);
            text.push_str(&format!(
                "{indent}const auto {name} = Lanes<{}>({offset}, {});\n",
                slot.element, slot.bytes
            ));
            declared.push(name.clone());
        }
        match node {
            Node::Line(line) => text.push_str(&format!("{indent}{line}\n")),
            Node::Nest { head, body, .. } => {
                let open = if head.is_empty() { "{".to_owned() } else { format!("{head} {{") };
                text.push_str(&format!("{indent}{open}\n"));
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
    fn what_a_loop_reads_lives_to_its_end() {
        let body = vec![line("use a"), line("b = 1"), line("use b")];
        let nodes = [line("a = 1"), Node::Nest { head: "while (x)".into(), body, repeats: true }];
        let places = place(&tile(&["a", "b"]), &nodes);
        assert_ne!(places.offsets["a"], places.offsets["b"]);
    }
}
