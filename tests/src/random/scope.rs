//! What a generator knows while it writes: names in scope, who agrees on what, and the random bits.

use super::tree::{Node, Part, Range, Role};
use super::types::Type;

/// How far threads agree: on a value, or on being at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    Varying,
    /// Within a warp.
    Warp,
    /// Within a block.
    Block,
}

/// The lanes of a warp that are known to be here together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Unknown ones.
    Unknown,
    /// All that exist and have not returned.
    Full,
    /// The lower sixteen.
    Low16,
}

/// A value that is being written.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its text.
    pub node: Node,
    /// Its type in C++.
    pub ty: Type,
    /// The values that it may have, for an integer.
    pub range: Range,
    /// Which threads agree on it.
    pub level: Level,
    /// How tightly its outermost operator binds: 16 primary, 15 unary, 13 `*` … 2 `?:`.
    pub precedence: u32,
}

impl From<Value> for Part {
    fn from(value: Value) -> Part {
        Part::Node(value.node)
    }
}

impl Value {
    /// A value of these parts.
    pub fn new(ty: Type, range: Range, level: Level, precedence: u32, parts: Vec<Part>) -> Value {
        let node = Node::new(Role::Expression(ty, range), parts);
        Value { node, ty, range, level, precedence }
    }

    /// A value written as one token or call.
    pub fn atom(ty: Type, range: Range, level: Level, text: impl Into<String>) -> Value {
        Value::new(ty, range, level, 16, vec![Part::Text(text.into())])
    }

    /// In parentheses, if the outermost operator binds less than `precedence`.
    pub fn at(self, precedence: u32) -> Node {
        if self.precedence >= precedence {
            return self.node;
        }
        Node::new(self.node.role, vec!["(".into(), self.node.into(), ")".into()])
    }
}

/// A scalar that can be read, and perhaps written, by a text.
#[derive(Clone, Debug)]
pub struct Place {
    /// The text.
    pub text: String,
    /// The type.
    pub ty: Type,
    /// Which threads agree on its value; who does not may not write it.
    pub level: Level,
    /// Whether it may be written.
    pub writable: bool,
    /// The variable that it is part of.
    pub variable: usize,
    /// What it holds, for an integer.
    pub range: Range,
}

/// An array whose elements can be read at any index.
#[derive(Clone, Debug)]
pub struct Array {
    /// The text before the indices.
    pub text: String,
    /// The extents.
    pub extents: Vec<u32>,
    /// The element type.
    pub ty: Type,
    /// Whether the elements differ between threads (a local array).
    pub own: bool,
    /// Whether it may be written at any index.
    pub writable: bool,
    /// The variable that it is.
    pub variable: usize,
}

/// What may be done with a shared array until the next barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Each thread reads and writes its own element.
    Own,
    /// Everybody reads.
    Read,
    /// Everybody applies the same atomic operation.
    Atomic(&'static str),
}

/// A shared array.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Its name.
    pub name: String,
    /// Its extents.
    pub extents: Vec<u32>,
    /// Its element type.
    pub ty: Type,
    /// The text of the calling thread's element.
    pub own: String,
    /// What may be done with it.
    pub state: State,
    /// The variable that it is.
    pub variable: usize,
}

/// A device function that can be called as part of an expression.
#[derive(Clone, Debug)]
pub struct Callable {
    /// The text before the parentheses.
    pub text: String,
    /// The parameter types.
    pub parameters: Vec<Type>,
    /// The result type.
    pub result: Type,
}

/// A device function that changes what it is given by reference, and is called as a statement.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// The text before the parentheses.
    pub text: String,
    /// The parameters: the type, and `&` or `*` for those that are changed.
    pub parameters: Vec<(Type, Option<char>)>,
}

/// A loop around a place.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// How far threads agree in its body.
    pub level: Level,
    /// The lanes known to be together in its body.
    pub mask: Mask,
}

/// A place in the program.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Which threads are here together.
    pub level: Level,
    /// Lanes of a warp that are here together.
    pub mask: Mask,
    /// Agreement on the conditions since the innermost loop began.
    pub relative: Level,
    /// The innermost loop.
    pub around: Option<Around>,
    /// Whether `break` would leave a switch.
    pub in_switch: bool,
    /// How many more compound statements may nest.
    pub depth: u32,
    /// Loops around.
    pub loops: u32,
    /// Whether threads may return one by one.
    pub may_return: bool,
    /// Whether this is a kernel's body (else a device function's).
    pub kernel: bool,
}

impl Position {
    /// Inside of a condition on which threads agree so far.
    pub fn under(self, level: Level) -> Position {
        Position {
            level: self.level.min(level),
            relative: self.relative.min(level),
            mask: if level >= Level::Warp { self.mask } else { Mask::Unknown },
            depth: self.depth.saturating_sub(1),
            ..self
        }
    }

    /// Inside of a loop whose trips threads agree on so far.
    pub fn inside(self, level: Level) -> Position {
        let inner = self.under(level);
        Position {
            relative: Level::Block,
            around: Some(Around { level: inner.level, mask: inner.mask }),
            in_switch: false,
            loops: self.loops + 1,
            may_return: self.may_return
                && inner.level == Level::Varying
                && inner.mask == Mask::Unknown,
            ..inner
        }
    }

    /// Whether leaving the loop (or its pass) here keeps together who must be.
    pub fn may_leave(self) -> bool {
        let Some(around) = self.around else { return false };
        match self.relative {
            Level::Block => true,
            Level::Warp => around.level <= Level::Warp,
            Level::Varying => around.level == Level::Varying && around.mask == Mask::Unknown,
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): a stable sequence on every platform.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit.max(1) as u64) as usize
    }

    /// A number of `low..=high`.
    pub fn within(&mut self, low: i128, high: i128) -> i128 {
        low + i128::from(self.bits()) % (high - low + 1).max(1)
    }

    /// True in one of `n` cases.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}
