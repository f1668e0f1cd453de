//! The state of a text under construction: names, scopes, where values live.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::text::names::Names;
use port_diag::Origin;
use port_ir::analysis::flow::{Root, StatementId};
use port_ir::{
    Expression, Extent, FloatOp, Function, Handle, IntegerOp, Local, Space, StatementKind, Type,
    Value, Variable,
};

use super::cpp::Text;
use super::facts::{END, Facts, Position};
use super::types::Spelling;
use super::writer::Writer;
use super::{Context, refuse};
use crate::kernel::NotTranslated;
use port_backend::text::cpp::{line_at, one_line};

/// Writes statements of one thread.
pub(crate) struct Printer<'e, 'c, 'a> {
    pub(crate) context: &'e Context<'c, 'a>,
    pub(crate) facts: &'e Facts<'c, 'a>,
    pub(crate) spelling: &'e mut Spelling<'a>,
    pub(crate) names: Names,
    pub(crate) out: Writer,
    scopes: Vec<BTreeMap<Value, String>>,
    pub(crate) locals: Vec<Option<String>>,
    /// Locals of which each thread has an element of an array.
    pub(crate) kept_locals: BTreeSet<Handle<Local>>,
    /// The arrays of results that outlive a loop over threads.
    pub(crate) kept: BTreeMap<Value, String>,
    /// Before which statements locals are declared.
    pub(crate) declared_before: BTreeMap<StatementId, Vec<Handle<Local>>>,
    /// The loops and switches of C++ around, with the labels of their steps.
    pub(crate) targets: Vec<(StatementId, Option<String>)>,
    /// What a jump out of the text does, by its target (`None`: the kernel) and whether it continues.
    pub(crate) leaves: BTreeMap<(Option<StatementId>, bool), Vec<String>>,
    /// The label at the end of the loop over threads, and whether something jumps there.
    pub(crate) next_label: Option<(String, bool)>,
    /// Where loads that happen in their reader may not be moved to: results read elsewhere.
    pub(crate) unfolded: BTreeSet<Value>,
    line: Option<(u32, u32)>,
    /// The place of the statement that is being made.
    pub(crate) place: Origin,
    pub(crate) variables: BTreeMap<Handle<Variable>, String>,
    pub(crate) arguments: BTreeMap<u32, String>,
    /// What the names of functions begin with: the kernel's own.
    pub(crate) base: String,
    /// The functions that were written because they are called, callees first.
    pub(super) functions: Vec<super::functions::Called>,
    /// The functions whose text this is, outermost first; empty for the kernel's own.
    pub(super) inside: Vec<Handle<Function>>,
    /// Where the arrays of all threads lie.
    pub(crate) array_spaces: BTreeMap<String, Space>,
    /// The values with a name that the text reads; `None` for all.
    pub(crate) wanted: Option<BTreeSet<Value>>,
    pub(super) spaces: super::spaces::Spaces,
    /// Of a called function, the memories that its parameters point into.
    pub(super) argument_spaces: Option<Vec<Space>>,
    /// Includes that the text needs.
    pub(crate) includes: BTreeSet<&'static str>,
}

impl<'e, 'c, 'a> Printer<'e, 'c, 'a> {
    pub(crate) fn new(
        context: &'e Context<'c, 'a>,
        facts: &'e Facts<'c, 'a>,
        spelling: &'e mut Spelling<'a>,
    ) -> Self {
        let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
        let mut printer = Printer {
            context,
            facts,
            spelling,
            names: super::types::names(context.reserved),
            out: Writer::at_depth(1),
            scopes: vec![BTreeMap::new()],
            locals: vec![None; facts.function.locals.len()],
            kept_locals: BTreeSet::new(),
            kept: BTreeMap::new(),
            declared_before: BTreeMap::new(),
            targets: Vec::new(),
            leaves: BTreeMap::new(),
            next_label: None,
            unfolded: BTreeSet::new(),
            line: None,
            place: nowhere,
            variables: BTreeMap::new(),
            arguments: BTreeMap::new(),
            base: String::new(),
            functions: Vec::new(),
            inside: Vec::new(),
            array_spaces: BTreeMap::new(),
            wanted: None,
            spaces: super::spaces::Spaces::of(facts),
            argument_spaces: None,
            includes: BTreeSet::new(),
        };
        // Parameters get their names first, so that they are the user's.
        for (index, parameter) in facts.function.parameters.iter().enumerate() {
            let wish = if parameter.name.is_empty() { "parameter" } else { &parameter.name };
            let name = printer.names.fresh(wish);
            printer.arguments.insert(index as u32, name);
        }
        for variable in &context.program.info(facts.handle).variables {
            // What `printf` is given is written where it stands.
            if is_literal(&facts.module.variables[*variable].name) {
                continue;
            }
            let wish = printer.variable_wish(*variable);
            let name = printer.names.fresh(&wish);
            printer.variables.insert(*variable, name);
        }
        printer
    }

    // Scopes.

    pub(crate) fn push_scope(&mut self) {
        self.scopes.push(BTreeMap::new());
    }

    pub(crate) fn pop_scope(&mut self) {
        self.scopes.pop();
    }

    pub(crate) fn scopes(&self) -> Vec<BTreeMap<Value, String>> {
        self.scopes.clone()
    }

    pub(crate) fn restore_scopes(&mut self, scopes: Vec<BTreeMap<Value, String>>) {
        self.scopes = scopes;
    }

    pub(crate) fn bind(&mut self, value: Value, name: String) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(value, name);
        }
    }

    /// The name of a value, if it has one here.
    pub(crate) fn known(&self, value: Value) -> Option<Text> {
        for scope in self.scopes.iter().rev() {
            if let Some(name) = scope.get(&value) {
                return Some(Text::primary(name.clone()));
            }
        }
        self.kept
            .get(&value)
            .map(|array| self.loaded_element(&format!("{array}[t]"), self.facts.ty(value)))
    }

    /// An element of an array of all threads.
    pub(crate) fn loaded_element(&self, element: &str, ty: Type) -> Text {
        let array = element.split('[').next().unwrap_or(element);
        let space = self.array_spaces.get(array).copied().unwrap_or(Space::Shared);
        Text::primary(match ty {
            Type::Pointer(Space::Generic | Space::Local) => element.to_owned(),
            Type::Pointer(pointee) => {
                format!(
                    "reinterpret_cast<{}uint8_t*>({element})",
                    super::types::space_name(pointee)
                )
            }
            ty if crate::scalar::is_copied(ty) => {
                let name = if space == Space::Shared { "LoadUb" } else { "LoadGm" };
                format!("{name}(&{element})")
            }
            _ => element.to_owned(),
        })
    }

    /// The assignment of the thread's element of an array.
    pub(crate) fn stored_element(&self, array: &str, ty: Type, text: &Text) -> String {
        let space = self.array_spaces.get(array).copied().unwrap_or(Space::Shared);
        match ty {
            Type::Pointer(space) if !matches!(space, Space::Generic | Space::Local) => {
                format!("{array}[t] = reinterpret_cast<uint64_t>({})", text.text)
            }
            ty if crate::scalar::is_copied(ty) => {
                let name = if space == Space::Shared { "StoreUb" } else { "StoreGm" };
                format!("{name}(&{array}[t], {})", text.text)
            }
            _ => format!("{array}[t] = {}", text.text),
        }
    }

    /// What a local holds.
    pub(super) fn local_value(&mut self, local: Handle<Local>) -> Result<Text, NotTranslated> {
        let name = self.local_name(local)?;
        if self.kept_locals.contains(&local) {
            let ty = self.facts.function.locals[local].ty;
            return Ok(self.loaded_element(&name, ty));
        }
        Ok(Text::primary(name))
    }

    // Names of what surrounds the body.

    pub(crate) fn argument(&self, index: u32) -> Result<Text, NotTranslated> {
        match self.arguments.get(&index) {
            Some(name) => Ok(Text::primary(name.clone())),
            None => Err(refuse("it uses a parameter that is not there")),
        }
    }

    pub(crate) fn variable_wish(&self, variable: Handle<Variable>) -> String {
        let name = &self.facts.module.variables[variable].name;
        name.rsplit(['.', ':']).next().unwrap_or(name).to_string()
    }

    pub(crate) fn variable_name(&self, variable: Handle<Variable>) -> Result<Text, NotTranslated> {
        match self.variables.get(&variable) {
            Some(name) => Ok(Text::primary(name.clone())),
            None if is_literal(&self.facts.module.variables[variable].name) => {
                Err(refuse("it uses the characters of a string"))
            }
            None => Err(refuse("it uses a variable that is not followed")),
        }
    }

    /// What the pointer to a module's variable points at: of an array its elements.
    pub(crate) fn variable_pointee(&self, variable: Handle<Variable>) -> Type {
        let variable = &self.facts.module.variables[variable];
        match (variable.extent, variable.ty) {
            (Extent::Fixed, Type::Array(array)) => self.facts.module.types.arrays()[array].element,
            (_, ty) => ty,
        }
    }

    /// Global and constant variables that the kernel uses, in order.
    pub(crate) fn symbols(&self) -> Result<Vec<Handle<Variable>>, NotTranslated> {
        let mut symbols = Vec::new();
        for variable in self.variables.keys() {
            let data = &self.facts.module.variables[*variable];
            if data.space == Space::Shared {
                continue;
            }
            symbols.push(*variable);
        }
        Ok(symbols)
    }

    // Values without a name of the user.

    /// A name for a value: the user's, or one that says where it comes from.
    pub(crate) fn wish(&self, value: Value) -> String {
        let facts = self.facts;
        if let Some(name) = facts.function.names.get(&value) {
            return name.clone();
        }
        match facts.expression(value) {
            Expression::Compare { .. } => "holds".to_string(),
            Expression::Element { .. } | Expression::Member { .. } => "place".to_string(),
            Expression::Math { function, .. } => format!("{}Of", function.name()),
            Expression::Float { op: FloatOp::Multiply, .. }
            | Expression::Integer { op: IntegerOp::Multiply, .. } => "product".to_string(),
            Expression::Float { op: FloatOp::Add, .. }
            | Expression::Integer { op: IntegerOp::Add, .. } => "sum".to_string(),
            Expression::Float { op: FloatOp::Subtract, .. }
            | Expression::Integer { op: IntegerOp::Subtract, .. } => "difference".to_string(),
            Expression::Float { op: FloatOp::Divide, .. }
            | Expression::Integer { op: IntegerOp::Divide, .. } => "quotient".to_string(),
            Expression::Convert { value, .. } => self.wish(*value),
            Expression::Result(_) => self.wish_of_result(value),
            _ => "value".to_string(),
        }
    }

    fn wish_of_result(&self, value: Value) -> String {
        let facts = self.facts;
        let Some(definer) = facts.flow.definer(value) else { return "value".to_string() };
        match facts.kind(definer) {
            StatementKind::Load { pointer, .. } => {
                let root = match facts.flow.root(*pointer) {
                    Root::Local(local) => facts.function.locals[local].name.clone(),
                    Root::Variable(variable) => self.variable_wish(variable),
                    Root::Argument(index) | Root::ArgumentAddress(index) => facts
                        .function
                        .parameters
                        .get(index as usize)
                        .map_or("loaded".to_string(), |parameter| parameter.name.clone()),
                    _ => return "loaded".to_string(),
                };
                format!("{root}Value")
            }
            StatementKind::Shuffle { value, .. } => {
                let name = self.wish(*value);
                format!("{}Shuffled", name.trim_end_matches("Shuffled").trim_end_matches("Value"))
            }
            StatementKind::Vote { .. } => "votes".to_string(),
            StatementKind::Match { .. } => "matching".to_string(),
            StatementKind::ActiveMask { .. } => "activeLanes".to_string(),
            StatementKind::WarpReduce { .. } => "reduced".to_string(),
            StatementKind::Atomic { .. } => "old".to_string(),
            StatementKind::MatrixLoad { .. } => "tile".to_string(),
            StatementKind::MatrixMultiply { .. } => "products".to_string(),
            StatementKind::Barrier { .. } => "counted".to_string(),
            _ => "result".to_string(),
        }
    }

    // Locals.

    /// Finds before which statements the locals of one thread are declared.
    pub(crate) fn plan_locals(&mut self, top: &dyn Fn(usize) -> bool) {
        let facts = self.facts;
        for (local, _) in facts.function.locals.iter() {
            if self.kept_locals.contains(&local) {
                continue;
            }
            let places = self.places_of_local(local);
            let Some(mut place) = self.facts.common_position(&places) else { continue };
            let starts_with_store = |place: Position| {
                place.key != END
                    && matches!(facts.kind(StatementId(place.key)), StatementKind::Store { pointer, .. }
                        if facts.variable(*pointer) == Some(local))
            };
            // What a pass of a loop leaves, the next one finds.
            if !starts_with_store(place) || facts.flow.escapes(local) {
                place = self.outside_loops(place, top);
            }
            if place.key == END
                && let Some(parent) = facts.blocks[place.block].parent
            {
                place = parent;
            }
            self.declared_before.entry(StatementId(place.key)).or_default().push(local);
        }
    }

    /// Where a local is read or written.
    pub(crate) fn places_of_local(&self, local: Handle<Local>) -> Vec<Position> {
        let facts = self.facts;
        let accesses = &facts.accesses[local.index()];
        let mut places: Vec<Position> =
            accesses.iter().map(|access| facts.position(*access)).collect();
        for access in accesses {
            if let StatementKind::Load { result, .. } = facts.kind(*access)
                && facts.folded[result.index()]
            {
                places.extend(&facts.uses[result.index()]);
            }
        }
        places
    }

    /// The position around all loops of the text that a position lies in; `top` tells the blocks
    /// that are not inside.
    fn outside_loops(&self, place: Position, top: &dyn Fn(usize) -> bool) -> Position {
        let facts = self.facts;
        let mut at = place;
        let mut result = place;
        while !top(at.block) {
            let Some(parent) = facts.blocks[at.block].parent else { return result };
            if parent.key == END
                || matches!(facts.kind(StatementId(parent.key)), StatementKind::Loop(_))
            {
                result = parent;
            }
            at = parent;
        }
        result
    }

    /// Gives a local its name.
    pub(crate) fn name_local(&mut self, local: Handle<Local>) -> String {
        let wish = self.facts.function.locals[local].name.clone();
        let name = self.names.fresh(&wish);
        self.locals[local.index()] = Some(name.clone());
        name
    }

    /// The name of a local, or of the thread's own one in its array.
    pub(crate) fn local_name(&mut self, local: Handle<Local>) -> Result<String, NotTranslated> {
        let Some(name) = self.locals[local.index()].clone() else {
            return Err(refuse("it uses a variable in a way that is not followed"));
        };
        Ok(if self.kept_locals.contains(&local) { format!("{name}[t]") } else { name })
    }

    /// Each thread has an element of an array for a local.
    pub(crate) fn keep_local(&mut self, local: Handle<Local>, array: String) {
        let space = self.array_spaces.get(&array).copied().unwrap_or(Space::Shared);
        self.spaces.moved.insert(local, space);
        self.locals[local.index()] = Some(array);
        self.kept_locals.insert(local);
    }

    /// Refuses a text that keeps a pointer which may point into several memories.
    pub(crate) fn check_pointers(&self) -> Result<(), NotTranslated> {
        if self.spaces.is_mixed() {
            return Err(refuse("it keeps a pointer that may point to several kinds of memory"));
        }
        Ok(())
    }

    // Comments.

    /// Says which line of the user's text follows, where that changes.
    pub(crate) fn comment(&mut self, id: StatementId) {
        let origin = self.facts.statement(id).location.origin;
        if let Some((file, line, text)) = line_at(self.context.sources, origin)
            && self.line != Some((file, line))
        {
            self.line = Some((file, line));
            self.out.comment(text);
        }
    }

    /// The kernel's name and line, for the comment before it.
    pub(crate) fn title(&self) -> String {
        let origin = self.context.program.module.functions.origin(self.facts.handle);
        let name = one_line(&self.facts.function.name);
        match origin.and_then(|origin| line_at(self.context.sources, origin)) {
            Some((_, _, text)) => format!("{name}  ({text})"),
            None => name,
        }
    }
}

/// Whether a variable holds the characters of a string literal: the user has no name for it.
pub(super) fn is_literal(name: &str) -> bool {
    name.strip_prefix("string").is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(['.', '_', '#', ':']) || rest.parse::<u64>().is_ok()
    })
}

/// Whether a text has a word.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let mut rest = text;
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(at) = rest.find(word) {
        let before = rest[..at].chars().next_back();
        let member = rest[..at].ends_with('.') || rest[..at].ends_with("->");
        let after = rest[at + word.len()..].chars().next();
        if !member && !before.is_some_and(inside) && !after.is_some_and(inside) {
            return true;
        }
        rest = &rest[at + word.len()..];
    }
    false
}
