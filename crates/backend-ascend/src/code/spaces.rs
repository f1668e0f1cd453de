//! Which memory a pointer of unknown space points into.
//!
//! The device has no pointers that may point anywhere. What the IR calls generic is followed to
//! where it was stored: members of structs by their type, local variables one by one. In memory such
//! a pointer is an integer.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{Conversion, Expression, Handle, Local, Space, StatementKind, Struct, Type, Value};

use super::facts::Facts;

/// Where a pointer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Member(Handle<Struct>, u32),
    Local(Handle<Local>),
}

/// What the pointers of a function are made of.
#[derive(Debug, Default)]
pub(super) struct Spaces {
    sources: BTreeMap<Place, Vec<Value>>,
    /// Locals that lie elsewhere than on the thread's own stack.
    pub(super) moved: BTreeMap<Handle<Local>, Space>,
    mixed: Cell<bool>,
}

impl Spaces {
    pub(super) fn of(facts: &Facts<'_, '_>) -> Self {
        let mut spaces = Spaces::default();
        let is_pointer = |value: Value| matches!(facts.ty(value), Type::Pointer(_));
        for (value, expression) in facts.function.expressions.iter() {
            match expression {
                Expression::Compose { ty: Type::Struct(handle), parts } => {
                    for (index, part) in
                        parts.iter().enumerate().filter(|(_, part)| is_pointer(**part))
                    {
                        spaces.add(Place::Member(*handle, index as u32), *part);
                    }
                }
                Expression::Insert { index, part, .. } if is_pointer(*part) => {
                    if let Type::Struct(handle) = facts.ty(value) {
                        spaces.add(Place::Member(handle, *index), *part);
                    }
                }
                _ => {}
            }
        }
        for index in 0..facts.block_of.len() {
            if let StatementKind::Store { pointer, value, .. } =
                facts.kind(StatementId(index as u32))
                && is_pointer(*value)
                && let Some(place) = place(facts, *pointer)
            {
                spaces.add(place, *value);
            }
        }
        spaces
    }

    fn add(&mut self, place: Place, value: Value) {
        self.sources.entry(place).or_default().push(value);
    }

    /// Whether a pointer was met that may point into several memories.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixed.get()
    }

    /// The memory that a pointer points into; generic where nothing says.
    pub(super) fn space(
        &self,
        facts: &Facts<'_, '_>,
        arguments: Option<&[Space]>,
        value: Value,
    ) -> Space {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut is_local = false;
        let mut work = vec![value];
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            if let (Expression::Argument(index), Some(arguments)) =
                (facts.expression(value), arguments)
            {
                found.extend(arguments.get(*index as usize));
                continue;
            }
            match facts.ty(value).space() {
                Some(Space::Generic) | None => {}
                Some(Space::Local) => {
                    if let Root::Local(local) = facts.flow.root(value) {
                        found.insert(self.moved.get(&local).copied().unwrap_or(Space::Local));
                        continue;
                    }
                    is_local = true;
                }
                Some(Space::Constant) => {
                    found.insert(Space::Global);
                    continue;
                }
                Some(space) => {
                    found.insert(space);
                    continue;
                }
            }
            match facts.expression(value) {
                Expression::Element { base, .. }
                | Expression::Member { base, .. }
                | Expression::FragmentElement { base, .. } => work.push(*base),
                Expression::Convert { kind: Conversion::Space, value, .. } => work.push(*value),
                Expression::Select { accept, reject, .. } => work.extend([*accept, *reject]),
                Expression::Extract { value: whole, index } => {
                    if let Type::Struct(handle) = facts.ty(*whole) {
                        work.extend(
                            self.sources.get(&Place::Member(handle, *index)).into_iter().flatten(),
                        );
                    }
                }
                Expression::Result(_) => {
                    if let Some(definer) = facts.flow.definer(value)
                        && let StatementKind::Load { pointer, .. } = facts.kind(definer)
                        && let Some(place) = place(facts, *pointer)
                    {
                        work.extend(self.sources.get(&place).into_iter().flatten());
                    }
                }
                _ => {}
            }
        }
        // What nothing is known of came from the host.
        found.remove(&Space::Generic);
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (None, _) if is_local => Space::Local,
            (None, _) => Space::Generic,
            (Some(space), None) => space,
            _ => {
                self.mixed.set(true);
                Space::Generic
            }
        }
    }
}

/// Where a store or load of a pointer keeps it.
fn place(facts: &Facts<'_, '_>, pointer: Value) -> Option<Place> {
    if let Expression::Member { structure, index, .. } = facts.expression(pointer) {
        return Some(Place::Member(*structure, *index));
    }
    match facts.flow.root(pointer) {
        Root::Local(local) => Some(Place::Local(local)),
        _ => None,
    }
}
