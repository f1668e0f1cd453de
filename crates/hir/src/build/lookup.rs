//! Name lookup: from an identifier, and the place before it, to what it stands for.

use port_syntax::Symbol;

use super::Builder;
use super::scope::{Binding, Decl, Entry, EntryId, Lexical, ParameterSort, Used};
use crate::*;

/// What a name stands for, before it is written down as a [`Res`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    Binding(Binding),
    /// Declared in a namespace or, with the record that has it, in a record.
    Entry(EntryId),
    Member(EntryId, RecordId),
    Decl(Decl),
    /// A fundamental type under a library's name: `uint32_t`.
    Builtin(Builtin),
    /// A row of the API tables.
    Api(&'static port_api::Row),
    /// A library's name without a row.
    Library(Symbol),
    /// To be found after substitution.
    Dependent,
    /// Not in view.
    Nothing,
}

/// In what the next segment of a qualified name is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Nothing stands before it.
    Open,
    Namespace(NamespaceId),
    /// `exact`: the record itself, and no instance of a template.
    Record {
        record: RecordId,
        exact: bool,
    },
    Enum(EnumId),
    External(Symbol),
    /// Known only after substitution, or not at all.
    Opaque,
}

/// What sort of thing a name is, as far as it decides how the tokens after it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Type,
    /// A class or alias template without its arguments.
    TypeTemplate,
    Value,
    /// A variable template or value-like template without its arguments.
    ValueTemplate,
    Function {
        template: bool,
    },
    Namespace,
    Unknown,
}

impl Class {
    pub fn is_type(self) -> bool {
        matches!(self, Class::Type | Class::TypeTemplate)
    }
}

/// Names without rows that `using namespace std` opens: what follows from them says which kernels are
/// launched.
const STD_CONTAINERS: [&str; 7] =
    ["vector", "deque", "span", "unique_ptr", "shared_ptr", "make_unique", "make_shared"];
/// The same of Thrust.
const THRUST_CONTAINERS: [&str; 5] =
    ["device_vector", "host_vector", "device_ptr", "raw_pointer_cast", "device_pointer_cast"];

impl Builder<'_> {
    /// Looks up one identifier.
    pub(super) fn look(&mut self, place: Place, name: Symbol) -> Found {
        match place {
            Place::Open => self.look_unqualified(name),
            Place::Namespace(id) => match self.look_in_namespace(id, name) {
                Some(entry) => self.found_entry(entry),
                None if id == self.module.global() => self.look_library(None, name),
                None => Found::Nothing,
            },
            Place::Record { record, exact } => match self.scopes.member(record, name) {
                Some((entry, record)) => Found::Member(entry, record),
                None if exact && !self.scopes.has_unknown_bases(record) => Found::Nothing,
                None => Found::Dependent,
            },
            Place::Enum(id) => {
                let constants = &self.module.enums[id].constants;
                match constants.iter().position(|constant| constant.name == name) {
                    Some(index) => Found::Decl(Decl::EnumConstant(id, index as u32)),
                    None => Found::Nothing,
                }
            }
            Place::External(path) => self.look_library(Some(path), name),
            Place::Opaque => Found::Dependent,
        }
    }

    fn look_unqualified(&mut self, name: Symbol) -> Found {
        match self.scopes.lexical(name) {
            Some(Lexical::Binding(Binding::Entry(entry))) => return self.found_entry(entry),
            Some(Lexical::Binding(binding)) => return Found::Binding(binding),
            Some(Lexical::Member(entry, record)) => return Found::Member(entry, record),
            None => {}
        }
        let mut namespace = Some(self.context.namespace);
        while let Some(id) = namespace {
            if let Some(entry) = self.look_in_namespace(id, name) {
                return self.found_entry(entry);
            }
            namespace = self.module.namespaces[id].parent;
        }
        let uses: Vec<Used> = self.scopes.open_uses().collect();
        for used in &uses {
            if let Used::Namespace(id) = used
                && let Some(entry) = self.look_in_namespace_table(*id, name)
            {
                return self.found_entry(entry);
            }
        }
        match self.look_library(None, name) {
            Found::Nothing => {}
            found => return found,
        }
        for used in &uses {
            if let Used::External(path) = used
                && let Some(found) = self.row_in(*path, name)
            {
                return found;
            }
        }
        let mut namespace = Some(self.context.namespace);
        while let Some(id) = namespace {
            for index in 0..self.scopes.namespace(id).used_external.len() {
                let path = self.scopes.namespace(id).used_external[index];
                if let Some(found) = self.row_in(path, name) {
                    return found;
                }
            }
            namespace = self.module.namespaces[id].parent;
        }
        if self.scopes.open_records().any(|record| self.scopes.has_unknown_bases(record)) {
            return Found::Dependent;
        }
        Found::Nothing
    }

    /// What a name before `::` means: variables hide nothing there.
    pub(super) fn as_qualifier(&mut self, found: Found, name: Symbol) -> Found {
        if !matches!(found, Found::Binding(Binding::Local(_))) {
            return found;
        }
        let mut namespace = Some(self.context.namespace);
        while let Some(id) = namespace {
            if let Some(entry) = self.look_in_namespace(id, name) {
                return self.found_entry(entry);
            }
            namespace = self.module.namespaces[id].parent;
        }
        found
    }

    fn look_in_namespace_table(&self, namespace: NamespaceId, name: Symbol) -> Option<EntryId> {
        self.scopes.namespace(namespace).entries.get(&name).copied()
    }

    /// A name of a namespace or of those it uses. Overloads of both are put together.
    fn look_in_namespace(&mut self, namespace: NamespaceId, name: Symbol) -> Option<EntryId> {
        let own = self.look_in_namespace_table(namespace, name);
        if self.scopes.namespace(namespace).used.is_empty() {
            return own;
        }
        // `using namespace` is followed through namespaces that use others in turn.
        let mut seen = vec![namespace];
        let mut index = 0;
        while let Some(next) = seen.get(index).copied() {
            for used in &self.scopes.namespace(next).used {
                if !seen.contains(used) && seen.len() < 64 {
                    seen.push(*used);
                }
            }
            index += 1;
        }
        let mut found = own;
        for used in &seen[1..] {
            let Some(entry) = self.look_in_namespace_table(*used, name) else { continue };
            let Some(first) = found else {
                found = Some(entry);
                continue;
            };
            let more = &self.scopes.entry(entry).functions;
            let known = self.scopes.entry(first);
            if known.functions.is_empty() || more.iter().all(|id| known.functions.contains(id)) {
                continue;
            }
            let mut merged = known.clone();
            merged.template |= self.scopes.entry(entry).template;
            for id in more {
                if !merged.functions.contains(id) {
                    merged.functions.push(*id);
                }
            }
            found = Some(self.scopes.new_entry(merged));
        }
        found
    }

    fn found_entry(&mut self, entry: EntryId) -> Found {
        match *self.scopes.entry(entry) {
            Entry { value: Some(Decl::External(path)), .. }
            | Entry { value: None, scope: Some(Decl::External(path)), .. } => library(path),
            _ => Found::Entry(entry),
        }
    }

    /// A name of the global scope that libraries fill, or of one of their namespaces.
    fn look_library(&mut self, path: Option<Symbol>, name: Symbol) -> Found {
        let key = (path.unwrap_or(self.words.empty), name);
        if let Some(found) = self.library.get(&key) {
            return *found;
        }
        let found = match path {
            None => match fixed_width(name.as_str()) {
                Some(builtin) => Found::Builtin(builtin),
                None => port_api::find(name.as_str()).map_or(Found::Nothing, Found::Api),
            },
            Some(path) if path == "std" && name == "nullptr_t" => {
                Found::Builtin(Builtin::NullPointer)
            }
            Some(path) => match fixed_width(name.as_str()).filter(|_| path == "std") {
                Some(builtin) => Found::Builtin(builtin),
                None => library(Symbol::new(&format!("{path}::{name}"))),
            },
        };
        self.library.insert(key, found);
        found
    }

    /// A row of a library's namespace that `using namespace` opened, or one of the names that host
    /// code keeps its data in.
    fn row_in(&mut self, path: Symbol, name: Symbol) -> Option<Found> {
        let found = self.look_library(Some(path), name);
        let known = match path.as_str() {
            "std" => STD_CONTAINERS.contains(&name.as_str()),
            "thrust" => THRUST_CONTAINERS.contains(&name.as_str()),
            _ => false,
        };
        (known || matches!(found, Found::Api(_))).then_some(found)
    }

    /// The place that `name::` stands for.
    pub(super) fn place_of(&mut self, found: Found, name: Symbol, arguments: bool) -> Place {
        match found {
            Found::Binding(Binding::Entry(entry)) => match self.scopes.entry(entry).scope {
                Some(decl) => self.place_of_decl(decl, arguments),
                None => Place::Opaque,
            },
            Found::Binding(_) | Found::Builtin(_) => Place::Opaque,
            Found::Decl(_) => Place::Opaque,
            Found::Entry(entry) | Found::Member(entry, _) => {
                match self.scopes.entry(entry).scope {
                    Some(decl) => self.place_of_decl(decl, arguments),
                    // A value or function before `::` is no scope: some library has the name too.
                    None => Place::External(name),
                }
            }
            Found::Api(row) => Place::External(Symbol::new(row.name)),
            Found::Library(path) => Place::External(path),
            Found::Dependent => Place::Opaque,
            Found::Nothing => Place::External(name),
        }
    }

    fn place_of_decl(&mut self, decl: Decl, arguments: bool) -> Place {
        match decl {
            Decl::Namespace(id) => Place::Namespace(id),
            Decl::Record(record) => {
                // Inside the class itself its own name, with or without arguments, is this class.
                let open = self.scopes.open_records().any(|open| open == record);
                let data = &self.module.records[record];
                let exact = data.template_parameters.is_none() || (open && !arguments);
                Place::Record { record, exact }
            }
            Decl::Enum(id) => Place::Enum(id),
            Decl::Alias(id) => match self.record_of_type(self.module.aliases[id].ty, 0) {
                Some((record, exact)) => Place::Record {
                    record,
                    exact: exact && self.module.aliases[id].template_parameters.is_none(),
                },
                None => match &self.module.types[self.module.aliases[id].ty].kind {
                    TyKind::Named(NameRef { resolution: Res::Enum(id), .. }) => Place::Enum(*id),
                    TyKind::Named(NameRef {
                        resolution: Res::Api(path) | Res::Library(path),
                        ..
                    }) => Place::External(*path),
                    _ => Place::Opaque,
                },
            },
            Decl::External(path) => Place::External(path),
            _ => Place::Opaque,
        }
    }

    /// The record that a type names, and whether it names the record itself rather than an instance
    /// of a template.
    pub(super) fn record_of_type(&self, ty: TyId, depth: u32) -> Option<(RecordId, bool)> {
        if depth > 16 {
            return None;
        }
        let TyKind::Named(name) = &self.module.types[ty].kind else { return None };
        match &name.resolution {
            Res::Record(id) => Some((*id, self.module.records[*id].template_parameters.is_none())),
            Res::Alias(id) => {
                let alias = &self.module.aliases[*id];
                let (record, exact) = self.record_of_type(alias.ty, depth + 1)?;
                Some((record, exact && alias.template_parameters.is_none()))
            }
            _ => None,
        }
    }

    /// What sort of thing this is.
    pub(super) fn class_of(&self, found: Found, arguments: bool) -> Class {
        match found {
            Found::Binding(Binding::Local(_)) => Class::Value,
            Found::Binding(Binding::TemplateParameter { sort, .. }) => match sort {
                ParameterSort::Type => Class::Type,
                ParameterSort::Value => Class::Value,
                ParameterSort::Template if arguments => Class::Type,
                ParameterSort::Template => Class::TypeTemplate,
            },
            Found::Binding(Binding::Entry(entry)) | Found::Entry(entry) => {
                self.class_of_entry(entry, arguments)
            }
            Found::Member(entry, _) => self.class_of_entry(entry, arguments),
            Found::Decl(_) => Class::Value,
            Found::Builtin(_) => Class::Type,
            Found::Api(row) => match row.kind {
                port_api::Kind::Type => Class::Type,
                port_api::Kind::Function => Class::Function {
                    template: arguments
                        || row.signatures.iter().any(|text| text.starts_with("template")),
                },
                port_api::Kind::Constant | port_api::Kind::Variable | port_api::Kind::Field => {
                    Class::Value
                }
                // A macro of the toolkit may stand for a constant, a type or a function.
                port_api::Kind::Macro => Class::Unknown,
                port_api::Kind::Namespace => Class::Namespace,
            },
            Found::Library(_) | Found::Dependent | Found::Nothing => Class::Unknown,
        }
    }

    fn class_of_entry(&self, entry: EntryId, arguments: bool) -> Class {
        let entry = self.scopes.entry(entry);
        if !entry.functions.is_empty() {
            return Class::Function { template: entry.template };
        }
        match entry.value.or(entry.scope) {
            Some(Decl::Variable(id)) => {
                if self.module.variables[id].template_parameters.is_some() && !arguments {
                    Class::ValueTemplate
                } else {
                    Class::Value
                }
            }
            Some(Decl::Field(..) | Decl::EnumConstant(..)) => Class::Value,
            Some(Decl::Record(id)) => {
                if self.module.records[id].template_parameters.is_some() && !arguments {
                    Class::TypeTemplate
                } else {
                    Class::Type
                }
            }
            Some(Decl::Alias(id)) => {
                if self.module.aliases[id].template_parameters.is_some() && !arguments {
                    Class::TypeTemplate
                } else {
                    Class::Type
                }
            }
            Some(Decl::Enum(_)) => Class::Type,
            Some(Decl::Namespace(_)) => Class::Namespace,
            Some(Decl::External(_)) | None => Class::Unknown,
        }
    }

    /// As a [`Res`], with the meaning of the token.
    pub(super) fn resolve(&self, found: Found, qualified: bool) -> (Res, Meaning) {
        match found {
            Found::Binding(Binding::Local(id)) => {
                (Res::Local(id), Meaning::User(Entity::Local(id)))
            }
            Found::Binding(Binding::TemplateParameter { parameter, .. }) => (
                Res::TemplateParameter(parameter),
                Meaning::User(Entity::TemplateParameter(parameter)),
            ),
            Found::Binding(Binding::Entry(entry)) | Found::Entry(entry) => {
                self.resolve_entry(entry, None)
            }
            Found::Member(entry, record) => self.resolve_entry(entry, Some(record)),
            Found::Decl(decl) => resolve_decl(decl),
            // The token is the library's even though the type is known.
            Found::Builtin(_) => (Res::Unresolved, Meaning::Unresolved),
            Found::Api(row) => {
                let name = Symbol::new(row.name);
                (Res::Api(name), Meaning::Api(name))
            }
            Found::Library(path) => (Res::Library(path), Meaning::Library(path)),
            Found::Dependent if qualified => (Res::Dependent, Meaning::Member),
            Found::Dependent => (Res::Dependent, Meaning::Unresolved),
            Found::Nothing => (Res::Unresolved, Meaning::Unresolved),
        }
    }

    fn resolve_entry(&self, id: EntryId, member_of: Option<RecordId>) -> (Res, Meaning) {
        let entry = self.scopes.entry(id);
        if let Some(first) = entry.functions.first() {
            let functions = entry.functions.clone();
            let meaning = Meaning::User(Entity::Function(*first));
            return match member_of.or(entry.record) {
                Some(record) => (Res::Methods { record, functions }, meaning),
                None => (Res::Functions(functions), meaning),
            };
        }
        match entry.value.or(entry.scope) {
            Some(decl) => resolve_decl(decl),
            None => (Res::Unresolved, Meaning::Unresolved),
        }
    }
}

/// What one declaration is, as a resolution and as the meaning of a token.
pub(super) fn resolve_decl(decl: Decl) -> (Res, Meaning) {
    match decl {
        Decl::Variable(id) => (Res::Variable(id), Meaning::User(Entity::Variable(id))),
        Decl::Field(record, index) => {
            (Res::Field { record, index }, Meaning::User(Entity::Field(record, index)))
        }
        Decl::EnumConstant(enumeration, index) => (
            Res::EnumConstant { enumeration, index },
            Meaning::User(Entity::EnumConstant(enumeration, index)),
        ),
        Decl::Record(id) => (Res::Record(id), Meaning::User(Entity::Record(id))),
        Decl::Enum(id) => (Res::Enum(id), Meaning::User(Entity::Enum(id))),
        Decl::Alias(id) => (Res::Alias(id), Meaning::User(Entity::Alias(id))),
        Decl::Namespace(id) => (Res::Namespace(id), Meaning::User(Entity::Namespace(id))),
        Decl::External(path) => match library(path) {
            Found::Api(row) => {
                let name = Symbol::new(row.name);
                (Res::Api(name), Meaning::Api(name))
            }
            _ => (Res::Library(path), Meaning::Library(path)),
        },
    }
}

/// A qualified name of a library.
fn library(path: Symbol) -> Found {
    port_api::find(path.as_str()).map_or(Found::Library(path), Found::Api)
}

/// The integer types that the C library names, on 64-bit Linux.
fn fixed_width(name: &str) -> Option<Builtin> {
    Some(match name {
        "int8_t" | "int_least8_t" | "int_fast8_t" => Builtin::SignedChar,
        "uint8_t" | "uint_least8_t" | "uint_fast8_t" => Builtin::UnsignedChar,
        "int16_t" | "int_least16_t" => Builtin::Short,
        "uint16_t" | "uint_least16_t" | "ushort" => Builtin::UnsignedShort,
        "int32_t" | "int_least32_t" => Builtin::Int,
        "uint32_t" | "uint_least32_t" | "uint" => Builtin::UnsignedInt,
        "int64_t" | "int_least64_t" | "int_fast16_t" | "int_fast32_t" | "int_fast64_t"
        | "intptr_t" | "ptrdiff_t" | "intmax_t" | "ssize_t" | "clock_t" | "time_t" => Builtin::Long,
        "uint64_t" | "uint_least64_t" | "uint_fast16_t" | "uint_fast32_t" | "uint_fast64_t"
        | "uintptr_t" | "size_t" | "uintmax_t" | "ulong" => Builtin::UnsignedLong,
        _ => return None,
    })
}
