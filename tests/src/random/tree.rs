//! Program text as a tree that can be printed and cut down. Knows nothing of what the text means
//! beyond what each node says about itself.

use super::types::Type;

/// The values that an integer expression may have.
pub type Range = (i128, i128);

/// A piece of a node.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// A node of its own.
    Node(Node),
}

/// What may be done with a node.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// A value; may become a literal or one of its parts that has the same type and no other values.
    Expression(Type, Range),
    /// A statement that may go.
    Statement,
    /// A statement that others need.
    Fixed,
    /// A compound statement: may go, or be replaced by what its blocks hold.
    Compound,
    /// A list of statements.
    Block,
    /// Anything else.
    Text,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub role: Role,
    /// Its text.
    pub parts: Vec<Part>,
}

impl From<&str> for Part {
    fn from(text: &str) -> Part {
        Part::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Part {
        Part::Text(text)
    }
}

impl From<Node> for Part {
    fn from(node: Node) -> Part {
        Part::Node(node)
    }
}

impl Node {
    /// A node of these parts.
    pub fn new(role: Role, parts: Vec<Part>) -> Node {
        Node { role, parts }
    }

    /// A list of statements.
    pub fn block(statements: Vec<Node>) -> Node {
        Node { role: Role::Block, parts: statements.into_iter().map(Part::Node).collect() }
    }

    /// The text, indented by its braces.
    pub fn text(&self) -> String {
        let mut flat = String::new();
        self.write(&mut flat);
        indent(&flat)
    }

    fn write(&self, out: &mut String) {
        let lines = matches!(self.role, Role::Block);
        for part in &self.parts {
            if lines {
                out.push('\n');
            }
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Node(node) => node.write(out),
            }
        }
        if lines {
            out.push('\n');
        }
    }

    /// The number of nodes, itself included.
    pub fn count(&self) -> usize {
        let parts = self.parts.iter().map(|part| match part {
            Part::Node(node) => node.count(),
            Part::Text(_) => 0,
        });
        1 + parts.sum::<usize>()
    }

    /// The `index`-th node in reading order, itself first.
    pub fn get(&self, index: usize) -> Option<&Node> {
        if index == 0 {
            return Some(self);
        }
        let mut left = index - 1;
        for part in &self.parts {
            let Part::Node(node) = part else { continue };
            let count = node.count();
            if left < count {
                return node.get(left);
            }
            left -= count;
        }
        None
    }

    /// The same with the `index`-th node replaced.
    pub fn with(&self, index: usize, new: &Node) -> Node {
        if index == 0 {
            return new.clone();
        }
        let mut left = index - 1;
        let mut found = false;
        let parts = self.parts.iter().map(|part| match part {
            Part::Node(node) if !found => {
                let count = node.count();
                if left < count {
                    found = true;
                    return Part::Node(node.with(left, new));
                }
                left -= count;
                part.clone()
            }
            _ => part.clone(),
        });
        Node { role: self.role, parts: parts.collect() }
    }

    /// What may stand in the place of this node, the smallest first.
    pub fn smaller(&self) -> Vec<Node> {
        let nothing = Node { role: Role::Text, parts: Vec::new() };
        match self.role {
            Role::Statement => vec![nothing],
            Role::Compound => {
                let blocks = self.parts.iter().filter_map(|part| match part {
                    Part::Node(node) if matches!(node.role, Role::Block) => Some(node.clone()),
                    _ => None,
                });
                std::iter::once(nothing.clone()).chain(blocks).collect()
            }
            Role::Expression(ty, range) => {
                let mut smaller = Vec::new();
                if self.parts.len() == 1 && matches!(self.parts[0], Part::Text(_)) {
                    return smaller;
                }
                for value in [0, 1] {
                    if !ty.is_integer() || (range.0 <= value && value <= range.1) {
                        let text = ty.literal(value);
                        smaller.push(Node::new(
                            Role::Expression(ty, (value, value)),
                            vec![text.into()],
                        ));
                        break;
                    }
                }
                self.same_typed(ty, range, &mut smaller);
                smaller
            }
            Role::Block => {
                let goes = |part: &Part| matches!(part, Part::Node(node) if matches!(node.role, Role::Statement | Role::Compound));
                let loose = self.parts.iter().filter(|part| goes(part)).count();
                let mut smaller = Vec::new();
                let mut size = loose / 2;
                while size >= 2 {
                    for from in (0..loose).step_by(size).rev() {
                        let mut index = 0;
                        let parts = self.parts.iter().filter(|part| {
                            let own = index;
                            index += usize::from(goes(part));
                            !goes(part) || own < from || own >= from + size
                        });
                        smaller.push(Node::new(Role::Block, parts.cloned().collect()));
                    }
                    size /= 2;
                }
                smaller
            }
            Role::Fixed | Role::Text => Vec::new(),
        }
    }

    fn same_typed(&self, ty: Type, range: Range, found: &mut Vec<Node>) {
        for part in &self.parts {
            let Part::Node(node) = part else { continue };
            match node.role {
                Role::Expression(own, inner)
                    if own == ty
                        && (!ty.is_integer() || (range.0 <= inner.0 && inner.1 <= range.1)) =>
                {
                    let parts = vec!["(".into(), node.clone().into(), ")".into()];
                    found.push(Node::new(node.role, parts));
                }
                _ => node.same_typed(ty, range, found),
            }
        }
    }
}

/// Puts each line at the depth of its braces, and drops empty lines.
fn indent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let closing = line.chars().take_while(|c| *c == '}').count();
        let level = if line.starts_with('#') { 0 } else { depth.saturating_sub(closing) };
        out.extend(std::iter::repeat_n("    ", level));
        out.push_str(line);
        out.push('\n');
        let opened = line.matches('{').count();
        let closed = line.matches('}').count();
        depth = (depth + opened).saturating_sub(closed);
    }
    out
}
