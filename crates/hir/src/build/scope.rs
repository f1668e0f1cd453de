//! Scopes: which declarations stand under which name, where. Knows no tokens.
//!
//! Namespaces and records keep their names for good. Block scopes, parameters and template
//! parameters are one stack of bindings with a shortcut from each name to its innermost one; record
//! scopes stand on the same stack, so that a method of a local class sees its class before the
//! function around it.

use port_syntax::{Symbol, SymbolMap};

use crate::*;

/// One declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decl {
    Variable(VariableId),
    Field(RecordId, u32),
    EnumConstant(EnumId, u32),
    Record(RecordId),
    Enum(EnumId),
    Alias(AliasId),
    Namespace(NamespaceId),
    /// A namespace, class or other name of a library, by its qualified name: what a using
    /// declaration or a namespace alias stands for.
    External(Symbol),
}

/// What a name stands for in one scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// A type or namespace.
    pub scope: Option<Decl>,
    /// A variable, field, enumerator or library name; it hides a type of the same name.
    pub value: Option<Decl>,
    /// Functions; they hide a type of the same name.
    pub functions: Vec<FunctionId>,
    /// The record through which the functions were declared, if by one.
    pub record: Option<RecordId>,
    /// Whether any of the functions is a template.
    pub template: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryId(u32);

/// Names of a namespace or record.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub entries: SymbolMap<EntryId>,
    /// Namespaces whose names are visible here by `using namespace`.
    pub used: Vec<NamespaceId>,
    /// The same, of libraries.
    pub used_external: Vec<Symbol>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct RecordNames {
    pub names: SymbolMap<EntryId>,
    pub bases: Vec<RecordId>,
    /// Some base depends on a template parameter or is not in view.
    pub unknown_bases: bool,
}

/// What a template parameter takes, as far as reading needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterSort {
    Type,
    Value,
    Template,
}

/// What a name of the stack stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Binding {
    Local(LocalId),
    TemplateParameter {
        parameter: TemplateParameterRef,
        sort: ParameterSort,
        pack: bool,
    },
    /// A local record, alias, enumerator, function or using declaration.
    Entry(EntryId),
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    name: Symbol,
    binding: Binding,
    /// The slot that this one hides, plus one; 0 for none.
    hidden: u32,
}

#[derive(Clone, Copy, Debug)]
struct OpenRecord {
    record: RecordId,
    /// Bindings made before it was entered.
    depth: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Used {
    Namespace(NamespaceId),
    External(Symbol),
}

/// How far the stack reached; see [`Scopes::restore`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    slots: u32,
    records: u32,
    uses: u32,
}

#[derive(Default)]
pub(super) struct Scopes {
    entries: Vec<Entry>,
    namespaces: Vec<Names>,
    records: Vec<RecordNames>,
    slots: Vec<Slot>,
    /// Innermost slot of each name, plus one; 0 for none.
    innermost: SymbolMap<u32>,
    open_records: Vec<OpenRecord>,
    /// `using namespace` in blocks.
    open_uses: Vec<Used>,
}

/// What lookup found on the stack or in an open record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lexical {
    Binding(Binding),
    /// In a record that is open, or in a base of it.
    Member(EntryId, RecordId),
}

impl Scopes {
    pub fn new() -> Self {
        Scopes { namespaces: vec![Names::default()], ..Scopes::default() }
    }

    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.0 as usize]
    }

    pub fn entry_mut(&mut self, id: EntryId) -> &mut Entry {
        &mut self.entries[id.0 as usize]
    }

    pub fn new_entry(&mut self, entry: Entry) -> EntryId {
        self.entries.push(entry);
        EntryId(self.entries.len() as u32 - 1)
    }

    pub fn namespace(&self, id: NamespaceId) -> &Names {
        &self.namespaces[id.index()]
    }

    pub fn namespace_mut(&mut self, id: NamespaceId) -> &mut Names {
        while self.namespaces.len() <= id.index() {
            self.namespaces.push(Names::default());
        }
        &mut self.namespaces[id.index()]
    }

    pub fn record(&self, id: RecordId) -> &RecordNames {
        &self.records[id.index()]
    }

    pub fn record_mut(&mut self, id: RecordId) -> &mut RecordNames {
        while self.records.len() <= id.index() {
            self.records.push(RecordNames::default());
        }
        &mut self.records[id.index()]
    }

    /// The entry of a name in a namespace, made if need be.
    pub fn namespace_entry(&mut self, namespace: NamespaceId, name: Symbol) -> EntryId {
        let fresh = EntryId(self.entries.len() as u32);
        let id = *self.namespace_mut(namespace).entries.entry(name).or_insert(fresh);
        if id == fresh {
            self.entries.push(Entry::default());
        }
        id
    }

    /// The entry of a name in a record, made if need be.
    pub fn record_entry(&mut self, record: RecordId, name: Symbol) -> EntryId {
        let fresh = EntryId(self.entries.len() as u32);
        let id = *self.record_mut(record).names.entry(name).or_insert(fresh);
        if id == fresh {
            self.entries.push(Entry { record: Some(record), ..Entry::default() });
        }
        id
    }

    pub fn mark(&self) -> Mark {
        Mark {
            slots: self.slots.len() as u32,
            records: self.open_records.len() as u32,
            uses: self.open_uses.len() as u32,
        }
    }

    /// Leaves every scope entered since the mark.
    pub fn restore(&mut self, mark: Mark) {
        while self.slots.len() > mark.slots as usize {
            if let Some(slot) = self.slots.pop() {
                self.innermost.insert(slot.name, slot.hidden);
            }
        }
        self.open_records.truncate(mark.records as usize);
        self.open_uses.truncate(mark.uses as usize);
    }

    pub fn bind(&mut self, name: Symbol, binding: Binding) {
        let position = self.slots.len() as u32 + 1;
        let hidden = self.innermost.insert(name, position).unwrap_or(0);
        self.slots.push(Slot { name, binding, hidden });
    }

    pub fn open_record(&mut self, record: RecordId) {
        self.open_records.push(OpenRecord { record, depth: self.slots.len() as u32 });
    }

    /// The innermost open record.
    pub fn innermost_record(&self) -> Option<RecordId> {
        self.open_records.last().map(|open| open.record)
    }

    pub fn open_records(&self) -> impl Iterator<Item = RecordId> + '_ {
        self.open_records.iter().rev().map(|open| open.record)
    }

    pub fn open_use(&mut self, used: Used) {
        self.open_uses.push(used);
    }

    pub fn open_uses(&self) -> impl Iterator<Item = Used> + '_ {
        self.open_uses.iter().rev().copied()
    }

    /// The innermost thing under a name among blocks, parameters, template parameters and open
    /// records. Namespaces come after.
    pub fn lexical(&self, name: Symbol) -> Option<Lexical> {
        let position = self.innermost.get(&name).copied().unwrap_or(0);
        for open in self.open_records.iter().rev() {
            if open.depth < position {
                break;
            }
            if let Some((entry, record)) = self.member(open.record, name) {
                return Some(Lexical::Member(entry, record));
            }
        }
        (position > 0).then(|| Lexical::Binding(self.slots[position as usize - 1].binding))
    }

    /// A member of a record or of its bases, with the record that has it.
    pub fn member(&self, record: RecordId, name: Symbol) -> Option<(EntryId, RecordId)> {
        self.visit_bases(record, |id, names| names.names.get(&name).map(|entry| (*entry, id)))
    }

    /// Whether a member of this record might come from a base that is not known.
    pub fn has_unknown_bases(&self, record: RecordId) -> bool {
        self.visit_bases(record, |_, names| names.unknown_bases.then_some(())).is_some()
    }

    /// Asks a record and then its bases, depth first, until one answers. A limited number of them:
    /// bases that share bases would otherwise be asked without end.
    fn visit_bases<T>(
        &self,
        record: RecordId,
        mut ask: impl FnMut(RecordId, &RecordNames) -> Option<T>,
    ) -> Option<T> {
        let names = self.records.get(record.index())?;
        if let Some(answer) = ask(record, names) {
            return Some(answer);
        }
        if names.bases.is_empty() {
            return None;
        }
        let mut waiting: Vec<RecordId> = names.bases.iter().rev().copied().collect();
        for _ in 0..64 {
            let next = waiting.pop()?;
            let names = self.records.get(next.index())?;
            if let Some(answer) = ask(next, names) {
                return Some(answer);
            }
            waiting.extend(names.bases.iter().rev());
        }
        None
    }
}
