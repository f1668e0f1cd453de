//! What stands on each line of a kernel, as operations on operands: for finding lines of a port that
//! are made otherwise than the reference's. Knows nothing of what the lines compute.
//!
//! An operation is told by its kind and attributes, by its operands as far as they stand on the same
//! line, and by the branches and loops around it. What stands on another line is told by that line
//! alone, so that a difference shows where it is, not where it leads.

use std::collections::{BTreeMap, BTreeSet};

use port::DeviceCode;
use port_ir::{Block, Expression, Function, Location, Module, StatementKind, Type, Value};
use port_simt::names;

use crate::localize::Difference;

/// A line: its file's number and its own, from 1.
pub(crate) type Line = (u32, u32);

/// Where something stands: a line of the reference's text, and whether in truth in a header that the
/// line calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub line: Line,
    pub called: bool,
}

/// Something that stands on a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    /// `addition`, `store`, `constant` …
    what: &'static str,
    /// Whether it is done for what it does, not for its value.
    effect: bool,
    digest: u64,
}

/// A line that is made otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unlike {
    pub line: Line,
    pub difference: Difference,
    pub what: &'static str,
    /// Only values are gone that nothing needs any more; then the lines that used them.
    pub idle: Option<BTreeSet<Line>>,
}

/// The lines of a kernel.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    items: BTreeMap<Line, Vec<Item>>,
    /// For each line the lines that use its values.
    users: BTreeMap<Line, BTreeSet<Line>>,
    /// Atomic operations by line, those of headers too: they are spelled there, but are the line's own.
    atomics: BTreeMap<Line, Vec<&'static str>>,
    /// The sizes of variables, by the lines that declare them and their names.
    sizes: BTreeMap<(Line, String), BTreeSet<u64>>,
}

impl Structure {
    /// The lines that a function does in part in a header.
    pub(crate) fn helped(
        function: &Function,
        standing: impl Fn(Location) -> Option<Standing>,
    ) -> BTreeSet<Line> {
        let mut found = BTreeSet::new();
        each_place(function, |place, _| {
            let called = standing(place).filter(|standing| standing.called);
            found.extend(called.map(|standing| standing.line));
        });
        found
    }

    /// The lines on which a function works on fragments of matrices, for which a port may have a type
    /// of its own.
    pub(crate) fn fragments(
        function: &Function,
        standing: impl Fn(Location) -> Option<Standing>,
    ) -> BTreeSet<Line> {
        let mut found = BTreeSet::new();
        each_place(function, |place, is_fragment| {
            let line = standing(place).filter(|_| is_fragment);
            found.extend(line.map(|standing| standing.line));
        });
        found
    }

    /// Reads a function. `standing` says where its text is; `helped` are the lines of which the port
    /// does part in a header: what comes from them is taken to be the same.
    pub(crate) fn of(
        code: &DeviceCode,
        function: &Function,
        helped: &BTreeSet<Line>,
        standing: impl Fn(Location) -> Option<Standing>,
    ) -> Structure {
        let mut reader = Reader {
            module: &code.module,
            function,
            helped,
            standing: &standing,
            known: BTreeMap::new(),
            places: BTreeMap::new(),
            defined: BTreeMap::new(),
            found: Structure::default(),
        };
        reader.read();
        reader.found
    }

    /// The lines of `port` that are made otherwise than this reference's, in the order of the text.
    /// Where a line is in part in a header of the port, nothing is known.
    pub(crate) fn unlike(&self, port: &Structure, helped: &BTreeSet<Line>) -> Vec<Unlike> {
        let declared = self.sizes.keys().map(|(line, _)| line);
        let lines: BTreeSet<Line> =
            self.items.keys().chain(port.items.keys()).chain(declared).copied().collect();
        let none = Vec::new();
        let mut found = Vec::new();
        for line in lines {
            if helped.contains(&line) {
                found.extend(self.unlike_atomics(port, line));
                continue;
            }
            let of = |side: &Structure| side.items.get(&line).unwrap_or(&none).clone();
            let (mut missing, mut added) = (of(self), of(port));
            missing.sort();
            added.sort();
            subtract(&mut missing, &mut added);
            let Some(first) = added.first().or(missing.first()) else {
                // Each side may have variables of its own, and types that have no size.
                let start = (line, String::new());
                let mut declared = self.sizes.range(start..).take_while(|(at, _)| at.0 == line);
                let resized = declared.any(|(at, sizes)| {
                    let other = port.sizes.get(at).filter(|other| !other.is_empty());
                    !sizes.is_empty() && other.is_some_and(|other| other != sizes)
                });
                if resized {
                    let (difference, what) = (Difference::Value, "declaration");
                    found.push(Unlike { line, difference, what, idle: None });
                }
                continue;
            };
            // The smallest piece that differs says most: what holds it differs with it.
            let in_both = |item: &&Item| {
                added.iter().any(|other| other.what == item.what)
                    && missing.iter().any(|other| other.what == item.what)
            };
            let alone = |items: &[Item], others: &[Item]| {
                let lone = |item: &&Item| {
                    let count = |list: &[Item]| list.iter().filter(|o| o.what == item.what).count();
                    count(items) > count(others)
                };
                items.iter().find(lone).map(|item| item.what)
            };
            let (difference, what) = match (alone(&added, &missing), alone(&missing, &added)) {
                (Some(what), _) => (Difference::Added, what),
                (None, Some(what)) => (Difference::Missing, what),
                (None, None) => {
                    let constant = added.iter().find(|item| item.what == "constant");
                    let value = added.iter().filter(in_both).find(|item| !item.effect);
                    (Difference::Value, constant.or(value).unwrap_or(first).what)
                }
            };
            let is_idle = added.is_empty() && !missing.iter().any(|item| item.effect);
            let users = || self.users.get(&line).cloned().unwrap_or_default();
            let idle = is_idle.then(users);
            // What a header needs no more, such as the mask of a shuffle.
            let is_line = |user: &Line| *user == line || helped.contains(user);
            if idle.as_ref().is_some_and(|users| users.iter().all(is_line)) {
                continue;
            }
            found.push(Unlike { line, difference, what, idle });
        }
        found
    }
}

impl Structure {
    /// A line with as many atomic operations as this reference's, but others.
    fn unlike_atomics(&self, port: &Structure, line: Line) -> Option<Unlike> {
        let of = |side: &Structure| {
            let mut operations = side.atomics.get(&line).cloned().unwrap_or_default();
            operations.sort_unstable();
            operations
        };
        let (reference, port) = (of(self), of(port));
        let (_, what) = reference
            .iter()
            .zip(&port)
            .find(|(a, b)| a != b)
            .filter(|_| reference.len() == port.len())?;
        Some(Unlike { line, difference: Difference::Added, what, idle: None })
    }
}

/// Calls `visit` with the places of a function, and whether a fragment of a matrix is worked on there.
fn each_place(function: &Function, mut visit: impl FnMut(Location, bool)) {
    let mut blocks: Vec<&Block> = function.body.iter().collect();
    while let Some(block) = blocks.pop() {
        for statement in &block.statements {
            let is_fragment = matches!(
                statement.kind,
                StatementKind::MatrixLoad { .. }
                    | StatementKind::MatrixStore { .. }
                    | StatementKind::MatrixMultiply { .. }
            );
            visit(statement.location, is_fragment);
            blocks.extend(statement.kind.blocks());
        }
    }
    for (value, expression) in function.expressions.iter() {
        let is_fragment = matches!(
            expression,
            Expression::FragmentElement { .. } | Expression::FragmentLength(_)
        );
        if let Some(place) = function.expressions.location(value) {
            visit(place, is_fragment);
        }
    }
}

/// Takes away what two sorted lists have in common.
fn subtract(a: &mut Vec<Item>, b: &mut Vec<Item>) {
    let mut only = [Vec::new(), Vec::new()];
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y => {
                i += 1;
                j += 1;
            }
            (Some(x), Some(y)) if x < y => {
                only[0].push(x.clone());
                i += 1;
            }
            (Some(x), None) => {
                only[0].push(x.clone());
                i += 1;
            }
            (_, Some(y)) => {
                only[1].push(y.clone());
                j += 1;
            }
            (None, None) => break,
        }
    }
    let [first, second] = only;
    (*a, *b) = (first, second);
}

/// A digest of words and texts (FNV-1a).
#[derive(Clone, Copy)]
struct Digest(u64);

impl Digest {
    fn new(tag: &str) -> Digest {
        Digest(0xcbf2_9ce4_8422_2325).text(tag)
    }

    fn word(self, word: u64) -> Digest {
        word.to_le_bytes().iter().fold(self, |sum, byte| sum.byte(*byte))
    }

    fn text(self, text: &str) -> Digest {
        text.bytes().fold(self.word(text.len() as u64), Digest::byte)
    }

    fn byte(self, byte: u8) -> Digest {
        Digest((self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    fn line(self, line: Line) -> Digest {
        self.word(u64::from(line.0)).word(u64::from(line.1))
    }
}

struct Reader<'a> {
    module: &'a Module,
    function: &'a Function,
    helped: &'a BTreeSet<Line>,
    standing: &'a dyn Fn(Location) -> Option<Standing>,
    /// What each value is, on its own line.
    known: BTreeMap<Value, u64>,
    places: BTreeMap<Value, Option<Standing>>,
    /// The statements that define values.
    defined: BTreeMap<Value, &'a StatementKind>,
    found: Structure,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let Some(body) = &self.function.body else { return };
        let mut needed: BTreeSet<Value> = BTreeSet::new();
        let mut pending: Vec<Value> = Vec::new();
        let mut blocks = vec![body];
        while let Some(block) = blocks.pop() {
            for statement in &block.statements {
                pending.extend(statement.kind.operands());
                if let StatementKind::Loop(looping) = &statement.kind {
                    pending.extend(looping.test);
                }
                for result in statement.kind.results() {
                    self.defined.insert(result, &statement.kind);
                }
                blocks.extend(statement.kind.blocks());
            }
        }
        while let Some(next) = pending.pop() {
            if needed.insert(next)
                && let Some(expression) = self.function.expressions.get(next)
            {
                pending.extend(expression.operands());
            }
        }
        for value in &needed {
            let place =
                self.function.expressions.location(*value).and_then(|at| (self.standing)(at));
            self.places.insert(*value, place);
        }
        // Operands come before what uses them.
        for value in needed {
            self.value(value);
        }
        self.block(body, Digest::new("body"), 0);
        self.declarations();
    }

    fn put(&mut self, at: Option<Standing>, what: &'static str, effect: bool, digest: u64) {
        if let Some(Standing { line, called: false }) = at {
            self.found.items.entry(line).or_default().push(Item { what, effect, digest });
        }
    }

    fn value(&mut self, value: Value) {
        let function = self.function;
        let Some(expression) = function.expressions.get(value) else { return };
        let here = self.places.get(&value).copied().flatten();
        let what = what_of(expression);
        let digest = match (expression, self.defined.get(&value).copied()) {
            (Expression::Result(_), Some(statement)) => {
                let number = statement.results().iter().position(|result| *result == value);
                let digest = Digest::new("result").word(number.unwrap_or(0) as u64);
                self.operation(digest, statement, here)
            }
            _ => {
                let mut digest = self.shape(expression);
                expression.for_each_operand(|operand| {
                    digest = digest.word(self.operand(operand, here));
                });
                digest
            }
        };
        self.known.insert(value, digest.0);
        if !matches!(expression, Expression::Result(_)) && !is_name(expression) {
            self.put(here, what, false, digest.0);
        }
    }

    /// An operand of what stands `here`.
    fn operand(&mut self, value: Value, here: Option<Standing>) -> u64 {
        let function = self.function;
        let Some(expression) = function.expressions.get(value) else { return 0 };
        if is_name(expression) {
            return self.shape(expression).0;
        }
        let place = self.places.get(&value).copied().flatten();
        if let (Some(own), Some(here)) = (place, here) {
            self.found.users.entry(own.line).or_default().insert(here.line);
        }
        match (place, here) {
            (Some(own), Some(here)) if own.line == here.line && !own.called => {
                self.known.get(&value).copied().unwrap_or(0)
            }
            (Some(own), _) if self.helped.contains(&own.line) => Digest::new("helped").0,
            (Some(own), _) => Digest::new("elsewhere").line(own.line).0,
            (None, _) => Digest::new("nowhere").0,
        }
    }

    /// A statement without what is around and inside it.
    fn operation(
        &mut self,
        digest: Digest,
        kind: &StatementKind,
        here: Option<Standing>,
    ) -> Digest {
        let mut digest = digest.text(names::of_statement(kind));
        match kind {
            StatementKind::Call { function, .. } => {
                let name = self.module.functions.get(*function).map_or("", |f| &f.name);
                digest = digest.text(name);
            }
            StatementKind::Block(_) | StatementKind::If { .. } => {}
            StatementKind::Loop(looping) => {
                digest = digest.text(&format!("{:?}", looping.when));
                if let Some(test) = looping.test {
                    digest = digest.word(self.operand(test, here));
                }
            }
            StatementKind::Switch { cases, .. } => {
                for case in cases {
                    digest = digest.word(u64::from(case.default) + 2 * u64::from(case.fallthrough));
                    digest = case.values.iter().fold(digest, |sum, bits| sum.word(*bits));
                }
            }
            // Without blocks inside, so what is left is small.
            plain => {
                let mut plain = plain.clone();
                plain.for_each_value_mut(|value| *value = Value::from_index(0));
                digest = digest.text(&format!("{plain:?}"));
            }
        }
        for operand in kind.operands() {
            digest = digest.word(self.operand(operand, here));
        }
        digest
    }

    fn block(&mut self, block: &'a Block, around: Digest, depth: usize) {
        // As deep as valid modules are.
        if depth > port_ir::MAX_BLOCK_DEPTH {
            return;
        }
        for statement in &block.statements {
            let here = (self.standing)(statement.location);
            let own = matches!(here, Some(Standing { called: false, .. }));
            if let (StatementKind::Atomic { op, .. }, Some(here)) = (&statement.kind, here) {
                let operation = names::of_atomic(*op);
                self.found.atomics.entry(here.line).or_default().push(operation);
            }
            if !is_order(&statement.kind) {
                let digest = self.operation(around, &statement.kind, here);
                self.put(here, names::of_statement(&statement.kind), true, digest.0);
            }
            for (number, inner) in statement.kind.blocks().into_iter().enumerate() {
                let around = match (here, own) {
                    (Some(here), true) => around
                        .line(here.line)
                        .text(names::of_statement(&statement.kind))
                        .word(number as u64),
                    _ => around,
                };
                self.block(inner, around, depth + 1);
            }
        }
    }

    /// Variables that the function uses, at the lines that declare them.
    fn declarations(&mut self) {
        let used: Vec<Value> = self.known.keys().copied().collect();
        for value in used {
            let declared = match self.function.expressions.get(value) {
                Some(Expression::Local(local)) => self
                    .function
                    .locals
                    .get(*local)
                    .zip(self.function.locals.location(*local))
                    .map(|(known, at)| (&known.name, known.ty, at)),
                Some(Expression::Variable(handle)) => self
                    .module
                    .variables
                    .get(*handle)
                    .zip(self.module.variables.location(*handle))
                    .map(|(known, at)| (&known.name, known.ty, at)),
                _ => None,
            };
            let Some((name, ty, at)) = declared else { continue };
            let Some(Standing { line, called: false }) = (self.standing)(at) else { continue };
            let sized = self.module.types.layout(ty).map(|layout| layout.size);
            let sizes = self.found.sizes.entry((line, name.clone())).or_default();
            sizes.extend(sized);
        }
    }

    /// A type by its size: a port may have a structure for what is a number or fragment to the
    /// reference.
    fn ty(&self, digest: Digest, ty: Type) -> Digest {
        match self.module.types.layout(ty) {
            Some(layout) => digest.word(layout.size),
            None => digest,
        }
    }

    /// An expression without its operands.
    fn shape(&self, expression: &Expression) -> Digest {
        let digest = Digest::new(what_of(expression));
        match expression {
            Expression::Local(local) => {
                let name = self.function.locals.get(*local).map_or("", |local| &local.name);
                digest.text("local").text(name)
            }
            Expression::Variable(variable) => {
                let name = self.module.variables.get(*variable).map_or("", |known| &known.name);
                // A kernel's own variables are named after it, and so after its types.
                let own = name.rsplit(['.', ':']).next().unwrap_or(name);
                digest.text("variable").text(own)
            }
            Expression::Zero(ty) | Expression::Undefined(ty) | Expression::Result(ty) => {
                self.ty(digest, *ty)
            }
            Expression::Convert { kind, to, .. } => self.ty(digest.text(&format!("{kind:?}")), *to),
            Expression::Splat { ty, .. } | Expression::Compose { ty, .. } => self.ty(digest, *ty),
            Expression::Element { element, .. } => self.ty(digest.text("element"), *element),
            Expression::Member { index, .. } => digest.text("member").word(u64::from(*index)),
            other => {
                let mut plain = other.clone();
                plain.for_each_operand_mut(|operand| *operand = Value::from_index(0));
                digest.text(&format!("{plain:?}"))
            }
        }
    }
}

/// What does nothing of its own that another thread could see: a port may do without.
fn is_order(kind: &StatementKind) -> bool {
    matches!(
        kind,
        StatementKind::Block(_)
            | StatementKind::AsyncCommit
            | StatementKind::AsyncWait { .. }
            | StatementKind::Prefetch { .. }
    )
}

/// What a value is called; what people have no word for is an address or a part of something.
fn what_of(expression: &Expression) -> &'static str {
    match expression {
        Expression::Builtin(_) => "thread number",
        Expression::Argument(_) | Expression::ArgumentAddress(_) => "parameter",
        Expression::Element { .. } | Expression::Member { .. } => "address",
        other => names::of_expression(other).unwrap_or("value"),
    }
}

/// What is named where it is used, and so is told by its name.
fn is_name(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Argument(_)
            | Expression::ArgumentAddress(_)
            | Expression::Local(_)
            | Expression::Variable(_)
    )
}
