//! The tree of a function's blocks, and which positions come before which: what the printer needs
//! to place names and the validator to check that results are visible where they are used.

use std::collections::HashMap;

use crate::MAX_BLOCK_DEPTH;
use crate::function::Function;
use crate::statement::{Block, LoopTest, StatementKind};

/// A position: before statement `index` of a block, or, with the block's length, at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The block, see [`ScopeTree::scope`].
    pub(crate) scope: usize,
    /// Counts statements.
    pub(crate) index: usize,
}

struct Scope {
    /// Where the block lies in the one whose values it sees.
    parent: Option<Place>,
    depth: usize,
}

/// The blocks of a function. A loop that tests first computes its condition in a block that its
/// body and step see; else each block sees the one around it.
pub(crate) struct ScopeTree {
    scopes: Vec<Scope>,
    /// Blocks are known by address: the function is borrowed while the tree is in use.
    known: HashMap<*const Block, usize>,
    too_deep: bool,
}

impl ScopeTree {
    /// The tree of a function's body. Blocks deeper than [`MAX_BLOCK_DEPTH`] are left out.
    pub(crate) fn of(function: &Function) -> Self {
        let mut tree = ScopeTree { scopes: Vec::new(), known: HashMap::new(), too_deep: false };
        if let Some(body) = &function.body {
            tree.add(body, None, 1);
        }
        tree
    }

    /// Whether blocks were left out.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.too_deep
    }

    /// Number of blocks.
    pub(crate) fn len(&self) -> usize {
        self.scopes.len()
    }

    /// The number of a block; `None` if it was left out.
    pub(crate) fn scope(&self, block: &Block) -> Option<usize> {
        self.known.get(&std::ptr::from_ref(block)).copied()
    }

    fn add(&mut self, block: &Block, parent: Option<Place>, nesting: usize) -> Option<usize> {
        if nesting > MAX_BLOCK_DEPTH {
            self.too_deep = true;
            return None;
        }
        let scope = self.scopes.len();
        let depth = parent.map_or(0, |parent| self.scopes[parent.scope].depth + 1);
        self.scopes.push(Scope { parent, depth });
        self.known.insert(std::ptr::from_ref(block), scope);
        for (index, statement) in block.statements.iter().enumerate() {
            let place = Place { scope, index };
            let StatementKind::Loop(looping) = &statement.kind else {
                for inner in statement.kind.blocks() {
                    self.add(inner, Some(place), nesting + 1);
                }
                continue;
            };
            let condition = self.add(&looping.condition, Some(place), nesting + 1);
            let mut around = place;
            if let Some(scope) = condition
                && looping.when == LoopTest::Before
                && looping.has_condition()
            {
                around = Place { scope, index: looping.condition.statements.len() };
            }
            self.add(&looping.body, Some(around), nesting + 1);
            self.add(&looping.step, Some(around), nesting + 1);
        }
        Some(scope)
    }

    /// The latest position that comes before both.
    pub(crate) fn common(&self, mut a: Place, mut b: Place) -> Place {
        while a.scope != b.scope {
            let (up, other) = if self.scopes[a.scope].depth >= self.scopes[b.scope].depth {
                (&mut a, b)
            } else {
                (&mut b, a)
            };
            match self.scopes[up.scope].parent {
                Some(parent) => *up = parent,
                None => return other,
            }
        }
        Place { scope: a.scope, index: a.index.min(b.index) }
    }

    /// Whether what the statement at `definition` gives is visible at `user`.
    pub(crate) fn sees(&self, user: Place, definition: Place) -> bool {
        let mut user = user;
        while user.scope != definition.scope {
            if self.scopes[user.scope].depth <= self.scopes[definition.scope].depth {
                return false;
            }
            match self.scopes[user.scope].parent {
                Some(parent) => user = parent,
                None => return false,
            }
        }
        user.index > definition.index
    }
}
