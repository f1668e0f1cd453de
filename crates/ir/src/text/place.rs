//! Where the text form names each pure expression: before the first statement that needs it, in
//! the innermost block that holds all its uses.

use crate::arena::Handle;
use crate::expression::Expression;
use crate::function::Function;
use crate::scope::{Place, ScopeTree};
use crate::statement::{Block, StatementKind};

/// The definitions to print, by block and position.
pub(super) struct Placement {
    tree: ScopeTree,
    /// For each scope, pairs of position and expression, in order.
    definitions: Vec<Vec<(usize, Handle<Expression>)>>,
}

impl Placement {
    /// Places the expressions of a function for which `inline` is false.
    pub(super) fn of(function: &Function, inline: impl Fn(&Expression) -> bool) -> Self {
        let mut finder = Finder {
            tree: ScopeTree::of(function),
            places: vec![None; function.expressions.len()],
        };
        if let Some(body) = &function.body {
            finder.block(body);
        }
        // Users are younger than what they use, so going backwards each place is final when seen.
        for (handle, expression) in function.expressions.iter().rev() {
            let Some(place) = finder.places[handle.index()] else { continue };
            expression.for_each_operand(|operand| {
                if operand < handle {
                    finder.use_at(operand, place);
                }
            });
        }
        let mut definitions = vec![Vec::new(); finder.tree.len()];
        for (handle, expression) in function.expressions.iter() {
            if inline(expression) && !function.names.contains_key(&handle)
                || matches!(expression, Expression::Result(_))
            {
                continue;
            }
            if let Some(place) = finder.places[handle.index()] {
                definitions[place.scope].push((place.index, handle));
            }
        }
        for list in &mut definitions {
            // Stable: at one position the older expression stays first.
            list.sort_by_key(|(index, _)| *index);
        }
        Placement { tree: finder.tree, definitions }
    }

    /// What to name before statement `index` of `block`; with the block's length, at its end.
    pub(super) fn before(&self, block: &Block, index: usize) -> Vec<Handle<Expression>> {
        let Some(scope) = self.tree.scope(block) else { return Vec::new() };
        let list = &self.definitions[scope];
        let start = list.partition_point(|(position, _)| *position < index);
        list[start..]
            .iter()
            .take_while(|(position, _)| *position == index)
            .map(|(_, handle)| *handle)
            .collect()
    }
}

struct Finder {
    tree: ScopeTree,
    places: Vec<Option<Place>>,
}

impl Finder {
    fn block(&mut self, block: &Block) {
        let Some(scope) = self.tree.scope(block) else { return };
        for (index, statement) in block.statements.iter().enumerate() {
            for operand in statement.kind.operands() {
                self.use_at(operand, Place { scope, index });
            }
            if let StatementKind::Loop(looping) = &statement.kind
                && let Some(test) = looping.test
                && let Some(scope) = self.tree.scope(&looping.condition)
            {
                let index = looping.condition.statements.len();
                self.use_at(test, Place { scope, index });
            }
            for inner in statement.kind.blocks() {
                self.block(inner);
            }
        }
    }

    fn use_at(&mut self, handle: Handle<Expression>, place: Place) {
        let Some(known) = self.places.get(handle.index()).copied() else { return };
        let merged = known.map_or(place, |known| self.tree.common(known, place));
        self.places[handle.index()] = Some(merged);
    }
}
