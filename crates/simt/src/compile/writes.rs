//! Which buffers a kernel may write to: what its stores' pointers are made of. Reads of the others
//! can take part in no race.

use std::collections::{BTreeSet, HashMap};

use port_ir::{
    Block, Expression, Function, Handle, Local, Module, Scalar, StatementKind, Type, Value,
};

/// Where a pointer that is written through comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    /// Parameters, by place, that are such pointers or hold them.
    pub(crate) parameters: BTreeSet<usize>,
    /// Names of the module's variables.
    pub(crate) variables: BTreeSet<String>,
}

/// The most values that are looked at.
const MOST_VALUES: usize = 100_000;

struct Facts {
    /// Pointers that are written through, other than directly to a local.
    pointers: Vec<Value>,
    /// What is stored to each local; `None` for what is not known.
    stored: HashMap<Handle<Local>, Option<Vec<Value>>>,
    /// The pointers of loads, by their results.
    loads: HashMap<Value, Value>,
    /// Values that shuffles pass on, by their results.
    passed: HashMap<Value, Value>,
}

/// The targets of a kernel's writes; `None` if they are not known.
pub(super) fn targets(module: &Module, function: &Function) -> Option<Targets> {
    let mut facts = Facts {
        pointers: Vec::new(),
        stored: HashMap::new(),
        loads: HashMap::new(),
        passed: HashMap::new(),
    };
    let mut blocks: Vec<&Block> = function.body.iter().collect();
    while let Some(block) = blocks.pop() {
        for statement in &block.statements {
            facts.note(function, &statement.kind)?;
            blocks.extend(statement.kind.blocks());
        }
    }
    let mut targets = Targets::default();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut locals: BTreeSet<usize> = BTreeSet::new();
    let mut open = facts.pointers.clone();
    while let Some(value) = open.pop() {
        if !seen.insert(value.index()) {
            continue;
        }
        if seen.len() > MOST_VALUES {
            return None;
        }
        match function.expressions.get(value)? {
            Expression::Argument(index) => {
                targets.parameters.insert(*index as usize);
            }
            Expression::Variable(variable) => {
                targets.variables.insert(module.variables.get(*variable)?.name.clone());
            }
            // The address of a local that is written through another pointer: what it holds then
            // is not known.
            Expression::Local(_) => return None,
            Expression::ArgumentAddress(_) => {}
            Expression::Element { base, .. }
            | Expression::Member { base, .. }
            | Expression::FragmentElement { base, .. } => open.push(*base),
            Expression::Select { accept, reject, .. } => open.extend([*accept, *reject]),
            Expression::Result(ty) => {
                if let Some(value) = facts.passed.get(&value) {
                    open.push(*value);
                    continue;
                }
                let Some(pointer) = facts.loads.get(&value).copied() else {
                    carries_none(ty).then_some(())?;
                    continue;
                };
                match base(function, pointer) {
                    Some(Expression::Local(local)) => {
                        if locals.insert(local.index()) {
                            open.extend(facts.stored.remove(local).unwrap_or(Some(Vec::new()))?);
                        }
                    }
                    Some(Expression::ArgumentAddress(index)) => {
                        targets.parameters.insert(*index as usize);
                    }
                    _ => carries_none(ty).then_some(())?,
                }
            }
            expression => expression.for_each_operand(|operand| open.push(operand)),
        }
    }
    Some(targets)
}

/// Whether no pointer fits in a value.
fn carries_none(ty: &Type) -> bool {
    matches!(ty, Type::Scalar(scalar) if scalar.size() < 8 || *scalar == Scalar::F64)
}

/// What the address of a part is the address of a part of.
fn base(function: &Function, pointer: Value) -> Option<&Expression> {
    let mut pointer = pointer;
    loop {
        match function.expressions.get(pointer)? {
            Expression::Element { base, .. }
            | Expression::Member { base, .. }
            | Expression::FragmentElement { base, .. } => pointer = *base,
            other => return Some(other),
        }
    }
}

impl Facts {
    fn writes(&mut self, function: &Function, pointer: Value, value: Option<Value>) {
        match base(function, pointer) {
            Some(Expression::Local(local)) => {
                let stored = self.stored.entry(*local).or_insert_with(|| Some(Vec::new()));
                match (stored.as_mut(), value) {
                    (Some(stored), Some(value)) => stored.push(value),
                    _ => *stored = None,
                }
            }
            _ => self.pointers.push(pointer),
        }
    }

    /// Notes a statement; `None` for one that may write what is not known.
    fn note(&mut self, function: &Function, kind: &StatementKind) -> Option<()> {
        match kind {
            StatementKind::Load { result, pointer, .. } => {
                self.loads.insert(*result, *pointer);
            }
            StatementKind::Store { pointer, value, .. } => {
                self.writes(function, *pointer, Some(*value));
            }
            StatementKind::Copy { destination, .. } | StatementKind::Fill { destination, .. } => {
                self.writes(function, *destination, None);
            }
            StatementKind::AsyncCopy(copy) => self.writes(function, copy.destination, None),
            StatementKind::Atomic { pointer, .. } | StatementKind::MatrixStore { pointer, .. } => {
                self.writes(function, *pointer, None);
            }
            StatementKind::Shuffle { result, value, .. } => {
                self.passed.insert(*result, *value);
            }
            StatementKind::Call { .. } => return None,
            _ => {}
        }
        Some(())
    }
}
