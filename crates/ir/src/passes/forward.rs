//! Puts what a local variable is known to hold in the place of loading it, and takes away stores
//! that nobody loads and loads that nobody uses.

use std::collections::{HashMap, HashSet};

use super::copy::Copier;
use super::inline::without_blocks;
use crate::analysis::flow::{Definition, Flow, Root, StatementId};
use crate::function::Function;
use crate::module::Module;
use crate::statement::{Block, Statement, StatementKind, Value};
use crate::typing::ExpressionTypes;

/// One round over a function of a valid module; `None` if there is nothing to do.
pub fn forward(module: &Module, function: &Function) -> Option<Function> {
    let body = function.body.as_ref()?;
    let types = ExpressionTypes::of(module, function);
    let flow = Flow::of(&module.types, function, &types);
    let mut work = Work::default();
    find(&flow, &mut work);
    if work.replaced.is_empty() && work.removed.is_empty() {
        return None;
    }
    let mut target = Function {
        locals: Default::default(),
        expressions: Default::default(),
        names: Default::default(),
        inlined: Default::default(),
        body: None,
        ..function.clone()
    };
    let mut copier = Copier::new(function, std::mem::take(&mut work.replaced));
    let mut next = 0;
    target.body = Some(copy(&mut target, &mut copier, body, &work.removed, &mut next));
    Some(target)
}

/// What a round does.
#[derive(Default)]
struct Work {
    replaced: HashMap<Value, Value>,
    removed: HashSet<StatementId>,
}

fn find(flow: &Flow<'_>, work: &mut Work) {
    let used = used(flow);
    // Stores that some load may see, and locals that are read otherwise.
    let mut seen: HashSet<StatementId> = HashSet::new();
    let mut read = vec![false; flow.function.locals.len()];
    for (id, entry) in flow.statements() {
        match &entry.statement.kind {
            StatementKind::Load { result, access, .. } => {
                let Some(definitions) = flow.definitions(*result) else { continue };
                if !used[result.index()] && !access.volatile {
                    work.removed.insert(id);
                    continue;
                }
                if let [Definition::Whole(store, value)] = definitions
                    && !access.volatile
                    && flow.holds(*store, id)
                {
                    work.replaced.insert(*result, *value);
                    work.removed.insert(id);
                    // The store may have lost its last reader: the next round sees.
                }
                seen.extend(definitions.iter().filter_map(Definition::statement));
            }
            StatementKind::Copy { source, .. } => {
                if let Root::Local(local) = flow.root(*source) {
                    read[local.index()] = true;
                }
            }
            StatementKind::Atomic { pointer, .. } => {
                if let Root::Local(local) = flow.root(*pointer) {
                    read[local.index()] = true;
                }
            }
            _ => {}
        }
    }
    for (id, entry) in flow.statements() {
        let StatementKind::Store { pointer, access, .. } = &entry.statement.kind else { continue };
        if let Root::Local(local) = flow.root(*pointer)
            && !flow.escapes(local)
            && !read[local.index()]
            && !access.volatile
            && !seen.contains(&id)
        {
            work.removed.insert(id);
        }
    }
}

/// Which values statements use, directly or through others.
fn used(flow: &Flow<'_>) -> Vec<bool> {
    let mut used = vec![false; flow.function.expressions.len()];
    for (_, entry) in flow.statements() {
        for operand in entry.statement.kind.operands() {
            used[operand.index()] = true;
        }
        if let StatementKind::Loop(looping) = &entry.statement.kind
            && let Some(test) = looping.test
        {
            used[test.index()] = true;
        }
    }
    for (handle, expression) in flow.function.expressions.iter().rev() {
        if used[handle.index()] {
            expression.for_each_operand(|operand| used[operand.index()] = true);
        }
    }
    used
}

fn copy(
    target: &mut Function,
    copier: &mut Copier<'_>,
    block: &Block,
    removed: &HashSet<StatementId>,
    next: &mut u32,
) -> Block {
    let mut result = Block::new();
    for statement in &block.statements {
        let id = StatementId(*next);
        *next += 1;
        if removed.contains(&id) {
            continue;
        }
        let location = copier.location(target, statement.location);
        let mut kind = without_blocks(&statement.kind);
        let when_last = matches!(&kind, StatementKind::Loop(_));
        if !when_last {
            copier.statement(target, &mut kind);
        }
        let inner: Vec<Block> = statement
            .kind
            .blocks()
            .into_iter()
            .map(|inner| copy(target, copier, inner, removed, next))
            .collect();
        for (place, block) in kind.blocks_mut().into_iter().zip(inner) {
            *place = block;
        }
        if when_last {
            copier.statement(target, &mut kind);
        }
        result.statements.push(Statement { kind, location });
    }
    result
}
