//! Puts what a local variable is known to hold in the place of loading it, and takes away stores
//! that nobody loads and loads that nobody uses.

use std::collections::{HashMap, HashSet};

use super::copy::Copier;
use super::inline::without_blocks;
use crate::analysis::flow::{Definition, Flow, Root, StatementId};
use crate::expression::Expression;
use crate::function::Function;
use crate::module::Module;
use crate::operation::Conversion;
use crate::statement::{Block, Statement, StatementKind, Value};
use crate::types::{Type, Types};
use crate::typing::ExpressionTypes;

/// One round over a function of a valid module; `None` if there is nothing to do.
pub fn forward(module: &Module, function: &Function) -> Option<Function> {
    let types = ExpressionTypes::of(module, function);
    let flow = Flow::of(&module.types, function, &types);
    let mut work = Work::default();
    find(&module.types, &flow, &mut work);
    if work.is_empty() {
        return None;
    }
    // Parts of values are new expressions of the source.
    let mut source = function.clone();
    for (load, whole, path) in std::mem::take(&mut work.parts) {
        let part = extract(&mut source, load, whole, &path);
        work.replaced.insert(load, part);
    }
    let mut split = HashMap::new();
    for (id, load, pointer) in std::mem::take(&mut work.splits) {
        if let Some((value, loads)) = split_load(&mut source, load, pointer) {
            work.replaced.insert(load, value);
            split.insert(id, loads);
        }
    }
    let function = &source;
    let body = function.body.as_ref()?;
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
    let edits = Edits { removed: work.removed, split };
    target.body = Some(copy(&mut target, &mut copier, body, &edits, &mut next));
    Some(target)
}

/// What a round does.
#[derive(Default)]
struct Work {
    replaced: HashMap<Value, Value>,
    /// Loads from one of two places, chosen by a condition.
    splits: Vec<(StatementId, Value, Value)>,
    /// Loads that give a part of a value: the load, the value, and the way to the part.
    parts: Vec<(Value, Value, Vec<u32>)>,
    removed: HashSet<StatementId>,
}

impl Work {
    fn is_empty(&self) -> bool {
        self.replaced.is_empty()
            && self.parts.is_empty()
            && self.splits.is_empty()
            && self.removed.is_empty()
    }
}

/// What becomes of statements.
struct Edits {
    removed: HashSet<StatementId>,
    /// Loads that two loads replace: results and pointers.
    split: HashMap<StatementId, [(Value, Value); 2]>,
}

fn find(types: &Types, flow: &Flow<'_>, work: &mut Work) {
    let used = used(flow);
    // Stores that some load may see, and locals that are read otherwise.
    let mut seen: HashSet<StatementId> = HashSet::new();
    let mut read = vec![false; flow.function.locals.len()];
    for (id, entry) in flow.statements() {
        match &entry.statement.kind {
            StatementKind::Load { result, pointer, access } => {
                let Some(definitions) = flow.definitions(*result) else {
                    if !access.volatile && chooses_local(flow, *pointer) {
                        work.splits.push((id, *result, *pointer));
                    }
                    continue;
                };
                if !used[result.index()] && !access.volatile {
                    work.removed.insert(id);
                    continue;
                }
                // A store that a load no longer needs goes in the next round.
                match definitions {
                    [Definition::Whole(store, value)]
                        if !access.volatile && flow.holds(*store, id) =>
                    {
                        work.replaced.insert(*result, *value);
                        work.removed.insert(id);
                    }
                    [Definition::Part(store, value)]
                        if !access.volatile && flow.holds(*store, id) =>
                    {
                        if let Some(path) = part(types, flow, *store, id, *value, *result) {
                            work.parts.push((*result, *value, path));
                            work.removed.insert(id);
                        }
                    }
                    _ => {}
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

/// The choice that a pointer is made from, and the steps from there, last first.
fn choice(function: &Function, pointer: Value) -> Option<(Value, [Value; 2], Vec<Value>)> {
    let mut steps = Vec::new();
    let mut pointer = pointer;
    // Operands are older than their users, so this ends.
    loop {
        match &function.expressions[pointer] {
            Expression::Select { condition, accept, reject } => {
                return Some((*condition, [*accept, *reject], steps));
            }
            Expression::Element { base, .. }
            | Expression::Member { base, .. }
            | Expression::FragmentElement { base, .. } => {
                steps.push(pointer);
                pointer = *base;
            }
            Expression::Convert { kind: Conversion::Space, value, .. } => {
                steps.push(pointer);
                pointer = *value;
            }
            _ => return None,
        }
    }
}

/// Whether a pointer is one of two that both point into locals, as `min` on references gives it.
/// Both may be loaded then, whichever is meant.
fn chooses_local(flow: &Flow<'_>, pointer: Value) -> bool {
    let is_local = |pointer: &Value| matches!(flow.root(*pointer), Root::Local(_));
    choice(flow.function, pointer).is_some_and(|(_, arms, _)| arms.iter().all(is_local))
}

/// Makes two loads of one: gives the value that chooses between their results, and the results with
/// their pointers.
fn split_load(
    function: &mut Function,
    load: Value,
    pointer: Value,
) -> Option<(Value, [(Value, Value); 2])> {
    let (condition, arms, steps) = choice(function, pointer)?;
    let location = function.expressions.location(load)?;
    let result = function.expressions[load].clone();
    let loads = arms.map(|arm| {
        let mut pointer = arm;
        for step in steps.iter().rev() {
            let mut expression = function.expressions[*step].clone();
            // The pointer is the first operand of each of them.
            let mut first = true;
            expression.for_each_operand_mut(|operand| {
                if std::mem::take(&mut first) {
                    *operand = pointer;
                }
            });
            pointer = function.expressions.append(expression, location);
        }
        (function.expressions.append(result.clone(), location), pointer)
    });
    let [(accept, _), (reject, _)] = loads;
    let chosen = Expression::Select { condition, accept, reject };
    Some((function.expressions.append(chosen, location), loads))
}

/// The way from a stored value to the part of it that a load gives.
fn part(
    types: &Types,
    flow: &Flow<'_>,
    store: StatementId,
    load: StatementId,
    value: Value,
    result: Value,
) -> Option<Vec<u32>> {
    let pointer = |id: StatementId| match &flow.entry(id).statement.kind {
        StatementKind::Load { pointer, .. } | StatementKind::Store { pointer, .. } => {
            flow.offset(types, *pointer)
        }
        _ => None,
    };
    let mut rest = pointer(load)?.checked_sub(pointer(store)?)?;
    let wanted = flow.types.get(result);
    let mut ty = flow.types.get(value);
    let mut path = Vec::new();
    while rest != 0 || ty != wanted {
        let (index, inner, start) = match ty {
            Type::Struct(handle) => {
                let members = &types.structs().get(handle)?.members;
                let mut at = members.iter().enumerate().filter(|(_, member)| {
                    let size = types.layout(member.ty).map_or(0, |layout| layout.size);
                    member.offset <= rest && rest < member.offset.saturating_add(size)
                });
                let (index, member) = at.next()?;
                // Members of a union overlap: which one was stored is not known.
                if at.next().is_some() {
                    return None;
                }
                (index as u64, member.ty, member.offset)
            }
            Type::Vector(scalar, size) => {
                let index = rest / scalar.size();
                if index >= u64::from(size.count()) {
                    return None;
                }
                (index, Type::Scalar(scalar), index * scalar.size())
            }
            Type::Array(handle) => {
                let array = types.arrays().get(handle)?;
                let size = types.layout(array.element)?.size;
                let index = rest.checked_div(size).filter(|index| *index < array.length)?;
                (index, array.element, index * size)
            }
            _ => return None,
        };
        path.push(u32::try_from(index).ok()?);
        rest -= start;
        ty = inner;
    }
    Some(path)
}

/// Appends what takes a part out of a value; what was composed is taken as it went in.
fn extract(function: &mut Function, load: Value, whole: Value, path: &[u32]) -> Value {
    let mut value = whole;
    for index in path {
        let known = match &function.expressions[value] {
            Expression::Compose { parts, .. } => parts.get(*index as usize).copied(),
            _ => None,
        };
        value = match (known, function.expressions.location(load)) {
            (Some(part), _) => part,
            (None, Some(location)) => {
                let part = Expression::Extract { value, index: *index };
                function.expressions.append(part, location)
            }
            (None, None) => value,
        };
    }
    value
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
    edits: &Edits,
    next: &mut u32,
) -> Block {
    let mut copied = Block::new();
    for statement in &block.statements {
        let id = StatementId(*next);
        *next += 1;
        if edits.removed.contains(&id) {
            continue;
        }
        let location = copier.location(target, statement.location);
        if let (Some(loads), StatementKind::Load { access, .. }) =
            (edits.split.get(&id), &statement.kind)
        {
            for (result, pointer) in loads {
                let mut kind =
                    StatementKind::Load { result: *result, pointer: *pointer, access: *access };
                copier.statement(target, &mut kind);
                copied.statements.push(Statement { kind, location });
            }
            continue;
        }
        let mut kind = without_blocks(&statement.kind);
        let when_last = matches!(&kind, StatementKind::Loop(_));
        if !when_last {
            copier.statement(target, &mut kind);
        }
        let inner: Vec<Block> = statement
            .kind
            .blocks()
            .into_iter()
            .map(|inner| copy(target, copier, inner, edits, next))
            .collect();
        for (place, block) in kind.blocks_mut().into_iter().zip(inner) {
            *place = block;
        }
        if when_last {
            copier.statement(target, &mut kind);
        }
        copied.statements.push(Statement { kind, location });
    }
    copied
}
