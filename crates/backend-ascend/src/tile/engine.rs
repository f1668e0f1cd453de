//! From the IR of one thread to vectors of lanes: what all parts of the translation share.
//!
//! A value that all lanes share is a scalar of C++; one that is linear in the lane's place is kept as
//! a form until a vector of it is needed; anything else is a vector. Statements are translated in
//! order, so that all lanes have done one before any does the next: one of the orders that the
//! source allows, since it has no data races.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::text::cpp::{line_at, one_line};
use port_backend::text::names::Names;
use port_diag::{Origin, SourceMap};
use port_ir::analysis::affine::{Affine, Polynomial, Symbol};
use port_ir::analysis::flow::{Flow, StatementId};
use port_ir::{
    Axis, Builtin, Expression, Function, Handle, Local, Location, Module, Scalar, Type, Value,
    Variable,
};

use super::ir::{Node, Slot, Tile};
use super::shape::{Lanes, Shape};
use crate::kernel::{NotTranslated, TilingField};

/// What a value has become.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val {
    /// The same for all lanes: an expression of C++ in the value's own type.
    Uniform(String),
    /// An integer that is linear in the lane's place.
    Linear(Linear),
    /// Floats of all formats up to 32 bits: a vector of `float`.
    Float(String),
    /// Integers up to 32 bits: a vector of `int32_t`, extended as the type says.
    Int(String),
    /// 64-bit integers: the low and the high halves.
    Long(String, String),
    /// Truth values: a bit for each lane.
    Mask(String),
    /// Truth values that hold in a box; with the box where they do not, if that is one.
    Box(String, Option<String>),
    /// The parts of a vector, array or struct.
    Parts(Vec<Val>),
}

/// `base + step · place`, in x, y, z and the lane's number; steps are expressions of C++.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Linear {
    pub base: String,
    pub steps: [String; 4],
}

impl Linear {
    /// As an object of the support code.
    pub fn text(&self) -> String {
        let [x, y, z, n] = &self.steps;
        if [x, y, z].iter().all(|step| *step == "0") {
            let step = if n == "1" { String::new() } else { format!(", {n}") };
            return format!("lanes::Row({}{step})", self.base);
        }
        format!("lanes::Form{{{}, {{{x}, {y}, {z}, {n}}}}}", self.base)
    }

    /// Whether neighbouring lanes have neighbouring elements, of so many parts each. Neighbours in y
    /// or z are no neighbours among the lanes.
    pub fn is_row(&self, parts: u32) -> bool {
        self.axis()
            .is_some_and(|axis| matches!(axis, 0 | 3) && self.steps[axis] == parts.to_string())
    }

    /// Whether its steps are small numbers, so that 32 bits hold what the lanes of a block add.
    pub fn has_known_steps(&self) -> bool {
        self.steps.iter().all(|step| step.parse::<i32>().is_ok_and(|step| step.abs() < 1 << 16))
    }

    /// The only coordinate that it depends on.
    pub fn axis(&self) -> Option<usize> {
        let mut axes = (0..4).filter(|axis| self.steps[*axis] != "0");
        let axis = axes.next()?;
        axes.next().is_none().then_some(axis)
    }
}

/// The lanes that take part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Active {
    /// A box, by name.
    Box(String),
    /// A mask, by name.
    Mask(String),
}

impl Active {
    pub fn name(&self) -> &str {
        match self {
            Active::Box(name) | Active::Mask(name) => name,
        }
    }
}

/// Where a local variable lives.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    /// Its parts.
    pub leaves: Vec<Leaf>,
    /// The names: of the vector of all parts, or of each scalar, or of the scalars' array.
    pub names: Vec<String>,
    pub kind: StorageKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StorageKind {
    /// One C++ variable for each part.
    Scalars,
    /// One C++ array.
    Array,
    /// One slot for all parts, 4 bytes each (64-bit integers two).
    Vectors,
    /// One slot for each word of its memory: its bytes are accessed as several types.
    Words,
    /// A pointer into global memory that all lanes share.
    Pointer,
    /// A pointer into shared memory or a variable that all lanes share: bytes from its beginning.
    Offset,
}

/// A scalar part of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Bytes from the start.
    pub offset: u64,
    pub scalar: Scalar,
}

/// A loop around.
#[derive(Clone, Debug)]
pub(super) struct Around {
    /// The lanes of the pass.
    pub active: Active,
    /// Depth of divergence at its body.
    pub depth: u32,
    /// A mask of the lanes that wait for the step.
    pub continued: Option<String>,
    /// The loop's number.
    pub id: StatementId,
    /// Whether it is a switch, which `continue` passes through.
    pub is_switch: bool,
}

pub(super) type Result<T> = std::result::Result<T, NotTranslated>;

/// What changes while a kernel is translated.
#[derive(Clone)]
pub(super) struct State {
    pub tile: Tile,
    pub names: Names,
    /// The statements of the blocks that are open, innermost last, with the values that they know.
    pub scopes: Vec<(Vec<Node>, BTreeMap<Value, Val>)>,
    pub storage: BTreeMap<Handle<Local>, Storage>,
    pub tiling: Vec<TilingField>,
    /// Pointer parameters and symbols that are used, with the element types of their views.
    pub views: BTreeMap<(GlobalRoot, &'static str), String>,
    /// Loops whose passes are counted.
    pub counted: BTreeSet<u32>,
    /// Bytes for each lane that the input and the output buffer need.
    pub input: u32,
    pub output: u32,
    /// Whether x, y and z are asked for.
    pub coordinates: bool,
    /// Divergent constructs around.
    pub depth: u32,
    pub loops: Vec<Around>,
    /// The mask of the lanes that have returned inside loops.
    pub returned: Option<String>,
    /// Pointer arguments that have been stored through.
    pub stored: BTreeSet<GlobalRoot>,
    /// Operations that go lane by lane in the scalar unit.
    pub scalar_work: Vec<(String, Origin)>,
    /// Whether only one core may run it, and why.
    pub one_core: bool,
    /// The statement being translated.
    pub next: u32,
    /// Statements that were translated together with one before.
    pub done: BTreeSet<u32>,
    /// Vector operations on floats or data.
    pub vector_work: u32,
    pub uses_shared: bool,
    /// A name for what is being loaded.
    pub subject: String,
    /// Whether atomic operations go lane by lane through `atomics.h`.
    pub uses_steps: bool,
    /// Numbers that each core keeps of its own, and that are put together at the end.
    pub merged: Vec<Merged>,
    /// Whether functions of `angles.h` are called.
    pub uses_angles: bool,
    /// Whether functions of `powers.h` are called.
    pub uses_powers: bool,
    pub flat_used: bool,
    /// Members that say what is held from one row to the next.
    pub held: Vec<String>,
    /// Members that say what rows are held from pass to pass.
    pub kept: Vec<String>,
    /// Whether elements are loaded that do not follow each other: tiles may need the same ones.
    pub gathers: bool,
    /// Boxes and masks of which some lane is known to be in them, where statements stand now.
    pub present: Vec<(String, usize)>,
    /// Of divisions in the blocks that are open, quotient and rest; of offsets, their estimates: under a key, with how
    /// many blocks were open.
    pub pairs: Vec<(String, Val, Val, usize)>,
}

/// A number in global memory that all threads update and nobody reads: each core updates one of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Merged {
    /// The class's member.
    pub name: String,
    /// Its type.
    pub ty: &'static str,
    /// What is done to it, as the support code names it.
    pub step: &'static str,
    /// What a core begins with.
    pub start: &'static str,
    /// The view of global memory, and the element there.
    pub view: String,
    pub at: u64,
}

/// What lies in global memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GlobalRoot {
    Argument(u32),
    Symbol(Handle<Variable>),
}

/// What a pointer that lies in a variable points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointee {
    Global(GlobalRoot),
    /// The block's shared memory: which variable, the offset says.
    Shared,
    Local(Handle<Local>),
}

/// The translation of one kernel.
pub(super) struct Engine<'e, 'a> {
    pub module: &'e Module,
    pub function: &'e Function,
    pub flow: &'e Flow<'a>,
    pub sources: &'e SourceMap,
    pub affine: Affine<'e, 'a>,
    pub shape: &'e Shape,
    pub lanes: Lanes,
    /// For each value, the last statement that needs it.
    pub last_use: Vec<u32>,
    /// For each local, the statements that write to it.
    pub writes: BTreeMap<Handle<Local>, Vec<u32>>,
    /// Offsets of shared variables, in bytes, and of the dynamic ones.
    pub shared: BTreeMap<Handle<Variable>, u64>,
    pub state: State,
    /// Pointer arguments that are stored through anywhere.
    pub written: BTreeSet<GlobalRoot>,
    /// Loops over elements that have a lane each, and whether there are none.
    pub single: BTreeMap<StatementId, bool>,
    /// Whether what is being stored goes to elements that belong to the lanes.
    pub own_elements: bool,
    /// What the host asks of pointers where each element has a lane.
    pub apart: Vec<(String, String)>,
}

/// An element type of memory in C++.
pub(super) fn memory_type(scalar: Scalar) -> Option<&'static str> {
    Some(match scalar {
        Scalar::Bool | Scalar::U8 => "uint8_t",
        Scalar::I8 => "int8_t",
        Scalar::I16 => "int16_t",
        Scalar::U16 => "uint16_t",
        Scalar::I32 => "int32_t",
        Scalar::U32 => "uint32_t",
        Scalar::F16 => "half",
        Scalar::Bf16 => "bfloat16_t",
        Scalar::F32 => "float",
        // Two halves.
        Scalar::I64 | Scalar::U64 | Scalar::F64 => "uint32_t",
        Scalar::F8E4M3 | Scalar::F8E5M2 => return None,
    })
}

/// The type of a scalar that all lanes share.
pub(super) fn scalar_type(scalar: Scalar) -> Option<&'static str> {
    Some(match scalar {
        Scalar::Bool => "bool",
        Scalar::F16 | Scalar::Bf16 => "float",
        Scalar::I64 => "int64_t",
        Scalar::U64 => "uint64_t",
        // Only moved: its bits.
        Scalar::F64 => "uint64_t",
        other => return memory_type(other),
    })
}

impl<'e, 'a> Engine<'e, 'a> {
    pub fn refuse<T>(&self, reason: impl Into<String>, location: Location) -> Result<T> {
        Err(NotTranslated { reason: reason.into(), origin: location.origin })
    }

    pub fn refuse_value<T>(&self, reason: impl Into<String>, value: Value) -> Result<T> {
        let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
        let origin = self.function.expressions.location(value).map_or(nowhere, |l| l.origin);
        Err(NotTranslated { reason: reason.into(), origin })
    }

    pub fn expression(&self, value: Value) -> &'e Expression {
        &self.function.expressions[value]
    }

    pub fn type_of(&self, value: Value) -> Type {
        self.flow.types.get(value)
    }

    pub fn scalar_of(&self, value: Value) -> Result<Scalar> {
        match self.type_of(value) {
            Type::Scalar(scalar) => Ok(scalar),
            _ => self.refuse_value("a value is no number", value),
        }
    }

    /// Adds a line to the innermost block.
    pub fn line(&mut self, text: impl Into<String>) {
        if let Some((nodes, _)) = self.state.scopes.last_mut() {
            nodes.push(Node::Line(text.into()));
        }
    }

    /// What follows stems from this place.
    pub fn source(&mut self, location: Location) {
        let Some((file, line, name)) = line_at(self.sources, location.origin) else { return };
        let text = self.sources.file(port_diag::FileId(file)).line_text(line);
        let text = one_line(text.trim().trim_end_matches(['{', '}']).trim_end());
        // What does not fit says where to read it.
        let text =
            if text.len() > 72 || text.is_empty() { String::new() } else { format!(": {text}") };
        self.line(format!("// {name}{text}"));
    }

    pub fn open(&mut self) {
        self.state.scopes.push((Vec::new(), BTreeMap::new()));
    }

    pub fn close(&mut self) -> Vec<Node> {
        let body = self.state.scopes.pop().map(|(nodes, _)| nodes).unwrap_or_default();
        let open = self.state.scopes.len();
        self.state.pairs.retain(|(.., depth)| *depth <= open);
        self.state.present.retain(|(_, depth)| *depth <= open);
        body
    }

    /// From here to the end of the block, some lane is active.
    pub fn some_are(&mut self, active: &Active) {
        let open = self.state.scopes.len();
        self.state.present.push((active.name().to_owned(), open));
    }

    /// What belongs together and has been computed, as quotient and rest.
    pub fn known_pair(&self, key: &str) -> Option<(Val, Val)> {
        let found = self.state.pairs.iter().find(|(own, ..)| own == key);
        found.map(|(_, a, b, _)| (a.clone(), b.clone()))
    }

    pub fn remember_pair(&mut self, key: String, (a, b): &(Val, Val)) {
        let open = self.state.scopes.len();
        self.state.pairs.push((key, a.clone(), b.clone(), open));
    }

    pub fn nest(&mut self, head: impl Into<String>, body: Vec<Node>, repeats: bool) {
        if let Some((nodes, _)) = self.state.scopes.last_mut() {
            nodes.push(Node::Nest { head: head.into(), body, repeats });
        }
    }

    pub fn known(&self, value: Value) -> Option<Val> {
        self.state.scopes.iter().rev().find_map(|(_, known)| known.get(&value).cloned())
    }

    pub fn remember(&mut self, value: Value, val: &Val) {
        if let Some((_, known)) = self.state.scopes.last_mut() {
            known.insert(value, val.clone());
        }
    }

    /// The user's name for a value, or `wish`.
    pub fn wish(&self, value: Value, wish: &str) -> String {
        self.function.names.get(&value).cloned().unwrap_or_else(|| wish.to_owned())
    }

    pub fn fresh(&mut self, wish: &str) -> String {
        self.state.names.fresh(wish)
    }

    pub fn slot(&mut self, wish: &str, element: &'static str, bytes: u32) -> String {
        let is_named = self.function.names.values().any(|name| name == wish);
        // A scalar may have the name of what all lanes' values are called after.
        let wish = if is_named { wish.to_owned() } else { format!("{wish}Lanes") };
        let name = self.state.names.fresh(&wish);
        if is_named {
            self.state.tile.named.insert(name.clone());
        }
        self.state.tile.slots.insert(name.clone(), Slot { element, bytes, variable: false });
        name
    }

    pub fn float_slot(&mut self, wish: &str) -> String {
        self.state.vector_work += 1;
        self.slot(wish, "float", 4)
    }

    pub fn int_slot(&mut self, wish: &str) -> String {
        self.slot(wish, "int32_t", 4)
    }

    pub fn mask_slot(&mut self, wish: &str) -> String {
        self.slot(wish, "uint8_t", 1)
    }

    /// A constant of C++; short expressions stay as they are.
    pub fn scalar(&mut self, wish: &str, ty: &str, text: &str) -> String {
        let is_short = text.len() < 24
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if is_short {
            return text.to_owned();
        }
        let name = self.fresh(wish);
        self.line(format!("const {ty} {name} = {text};"));
        name
    }

    /// A number that the host computes.
    pub fn field(&mut self, wish: &str, ty: &str, value: &str, comment: &str) -> String {
        if let Some(known) = self.state.tiling.iter().find(|f| f.value == value && f.ty == ty) {
            return format!("tiling_.{}", known.name);
        }
        // A parameter's field has its name.
        let is_own = value == wish
            && self.function.parameters.iter().any(|p| p.name == wish)
            && !self.state.tiling.iter().any(|f| f.name == wish);
        let name = if is_own { wish.to_owned() } else { self.state.names.fresh(wish) };
        self.state.tiling.push(TilingField {
            ty: ty.to_owned(),
            name: name.clone(),
            value: value.to_owned(),
            comment: comment.to_owned(),
        });
        format!("tiling_.{name}")
    }

    // Integers as polynomials.

    /// A symbol as an `int64_t`; `None` if lanes differ in it.
    fn symbol(&mut self, symbol: Symbol) -> Result<Option<String>> {
        Ok(match symbol {
            Symbol::Builtin(builtin) => {
                self.builtin(builtin)?.map(|text| format!("static_cast<int64_t>({text})"))
            }
            Symbol::Passes(id) => {
                self.state.counted.insert(id.0);
                Some(format!("passes{}", id.0))
            }
            Symbol::Value(value) => {
                if self.shape.varies(value) {
                    return Ok(None);
                }
                let text = self.uniform(value)?;
                Some(format!("static_cast<int64_t>({text})"))
            }
        })
    }

    /// A builtin that all lanes share, as C++.
    pub fn builtin(&mut self, builtin: Builtin) -> Result<Option<String>> {
        let axis = |axis: Axis| axis.name();
        let field = |engine: &mut Self, wish: &str, value: String, comment: &str| {
            match wish.starts_with("blockDim") || wish.starts_with("gridDim") {
                // The loop over blocks has them.
                true if engine.lanes != Lanes::Grid => format!("tiling_.{wish}"),
                _ => engine.field(wish, "uint32_t", &value, comment),
            }
        };
        Ok(Some(match builtin {
            Builtin::BlockDim(a) => field(
                self,
                &format!("blockDim{}", upper(axis(a))),
                format!("block.{}", axis(a)),
                "threads of a block",
            ),
            Builtin::GridDim(a) => field(
                self,
                &format!("gridDim{}", upper(axis(a))),
                format!("grid.{}", axis(a)),
                "blocks of the grid",
            ),
            Builtin::BlockIndex(Axis::X) if self.lanes == Lanes::Grid => return Ok(None),
            Builtin::BlockIndex(Axis::X) => "blockX".to_owned(),
            Builtin::ThreadIndex(Axis::Y) if self.lanes == Lanes::Row => "threadY".to_owned(),
            Builtin::ThreadIndex(Axis::Z) if self.lanes == Lanes::Row => "threadZ".to_owned(),
            Builtin::BlockIndex(Axis::Y) => "blockY".to_owned(),
            Builtin::BlockIndex(Axis::Z) => "blockZ".to_owned(),
            Builtin::WarpSize => "32".to_owned(),
            Builtin::DynamicSharedSize => field(
                self,
                "sharedBytes",
                "static_cast<uint32_t>(shared)".into(),
                "dynamic shared memory",
            ),
            _ => return Ok(None),
        }))
    }

    /// A polynomial, with `plus` added and divided by what divides it, as a form in the lane's place.
    pub fn linear(
        &mut self,
        polynomial: &Polynomial,
        plus: u64,
        divisor: i128,
    ) -> Result<Option<Linear>> {
        let [tx, ty, tz] = Axis::ALL.map(|a| Symbol::Builtin(Builtin::ThreadIndex(a)));
        let row = self.lanes == Lanes::Row;
        let is_place = |s: Symbol| s == tx || !row && (s == ty || s == tz);
        if polynomial.any_symbol(|s| s == Symbol::Builtin(Builtin::LaneId)) {
            return Ok(None);
        }
        let mut steps = Vec::new();
        for symbol in [tx, ty, tz] {
            if row && symbol != tx {
                steps.push(Polynomial::default());
                continue;
            }
            let Some(step) = polynomial.stride(symbol) else { return Ok(None) };
            if step.any_symbol(is_place) {
                return Ok(None);
            }
            steps.push(step);
        }
        let zero = Polynomial::default();
        let mut rest: Vec<(Vec<Symbol>, i128)> = polynomial
            .terms()
            .filter(|(factors, _)| !factors.iter().any(|f| is_place(*f)))
            .map(|(factors, c)| (factors.to_vec(), c))
            .collect();
        match rest.iter_mut().find(|(f, _)| f.is_empty()) {
            Some((_, c)) => *c += i128::from(plus),
            None => rest.push((Vec::new(), i128::from(plus))),
        }
        rest.retain(|(_, c)| *c != 0);
        let [dx, dy] = [Axis::X, Axis::Y].map(|a| Symbol::Builtin(Builtin::BlockDim(a)));
        let bx = Symbol::Builtin(Builtin::BlockIndex(Axis::X));
        let mut number = zero.clone();
        if self.lanes == Lanes::Grid {
            // c · (block.x · block_dim.x + thread.x) is c · the lane's number in the row of blocks.
            let mut matched: Vec<(Vec<Symbol>, i128)> = Vec::new();
            for (factors, c) in steps[0].terms() {
                let mut key = factors.to_vec();
                key.push(bx);
                key.push(dx);
                key.sort_unstable();
                matched.push((key, c));
            }
            for (key, c) in &matched {
                let Some(at) = rest.iter().position(|(f, k)| f == key && k == c) else {
                    return Ok(None);
                };
                rest.remove(at);
            }
            if rest.iter().any(|(factors, _)| factors.contains(&bx))
                || steps[1] != zero
                || steps[2] != zero
            {
                return Ok(None);
            }
            number = std::mem::replace(&mut steps[0], zero.clone());
        } else if row {
            number = std::mem::replace(&mut steps[0], zero.clone());
        } else {
            // c · (x + X · (y + Y · z)) is c · the lane's number.
            let times = |p: &Polynomial, symbol: Symbol| -> Vec<(Vec<Symbol>, i128)> {
                let mut terms: Vec<_> = p
                    .terms()
                    .map(|(factors, c)| {
                        let mut factors = factors.to_vec();
                        factors.push(symbol);
                        factors.sort_unstable();
                        (factors, c)
                    })
                    .collect();
                terms.sort();
                terms
            };
            let terms = |p: &Polynomial| -> Vec<(Vec<Symbol>, i128)> {
                let mut terms: Vec<_> = p.terms().map(|(f, c)| (f.to_vec(), c)).collect();
                terms.sort();
                terms
            };
            let rows = steps[1] != zero && terms(&steps[1]) == times(&steps[0], dx);
            if rows && (steps[2] == zero || terms(&steps[2]) == times(&steps[1], dy)) {
                // Without z it is the number only where the block has no depth; then z is 0.
                let flat_depth = steps[2] != zero || !self.uses_z();
                if flat_depth {
                    number = std::mem::replace(&mut steps[0], zero.clone());
                    steps[1] = zero.clone();
                    steps[2] = zero.clone();
                }
            }
        }
        let mut texts = Vec::new();
        for step in steps.iter().chain([&number]) {
            let step: Vec<(Vec<Symbol>, i128)> =
                step.terms().map(|(f, c)| (f.to_vec(), c)).collect();
            match self.divided(&step, divisor)? {
                Some(text) => texts.push(text),
                None => return Ok(None),
            }
        }
        let Some(base) = self.divided(&rest, divisor)? else { return Ok(None) };
        if texts[..3].iter().any(|t| t != "0") {
            self.state.coordinates = true;
        }
        let mut steps: [String; 4] = Default::default();
        for (to, from) in steps.iter_mut().zip(texts) {
            *to = from;
        }
        let mut base = base;
        if self.lanes != Lanes::Block && steps[3] != "0" {
            // Lanes count from the tile's first.
            self.state.flat_used = true;
            let step = if steps[3] == "1" { String::new() } else { format!(" * ({})", steps[3]) };
            base = if base == "0" {
                format!("tileStart{step}")
            } else {
                format!("{base} + tileStart{step}")
            };
        }
        let base = self.scalar("base", "int64_t", &base);
        Ok(Some(Linear { base, steps }))
    }

    /// Whether the kernel asks for z.
    fn uses_z(&self) -> bool {
        self.function
            .expressions
            .iter()
            .any(|(_, e)| *e == Expression::Builtin(Builtin::ThreadIndex(Axis::Z)))
    }

    /// A sum divided by a number: term by term if it divides all of them, else as it is, since an
    /// access is aligned.
    pub fn divided(
        &mut self,
        terms: &[(Vec<Symbol>, i128)],
        divisor: i128,
    ) -> Result<Option<String>> {
        if let Some(terms) = divide_terms(terms, divisor) {
            return self.polynomial_of(&terms);
        }
        Ok(self.polynomial_of(terms)?.map(|text| format!("({text}) / {divisor}")))
    }

    pub fn polynomial_of(&mut self, terms: &[(Vec<Symbol>, i128)]) -> Result<Option<String>> {
        if terms.is_empty() {
            return Ok(Some("0".to_owned()));
        }
        let mut texts = Vec::new();
        for (factors, coefficient) in terms {
            // A loop of one pass.
            let is_first =
                |s: &Symbol| matches!(s, Symbol::Passes(id) if self.single.contains_key(id));
            if factors.iter().any(is_first) {
                continue;
            }
            let mut parts = Vec::new();
            for factor in factors {
                let Some(text) = self.symbol(*factor)? else { return Ok(None) };
                parts.push(text);
            }
            if *coefficient != 1 || parts.is_empty() {
                parts.push(coefficient.to_string());
            }
            texts.push(parts.join(" * "));
        }
        if texts.is_empty() {
            return Ok(Some("0".to_owned()));
        }
        Ok(Some(texts.join(" + ")))
    }

    /// The scalar parts of a type.
    pub fn leaves(&self, ty: Type) -> Option<Vec<Leaf>> {
        let mut leaves = Vec::new();
        self.collect(ty, 0, &mut leaves).then_some(leaves)
    }

    fn collect(&self, ty: Type, offset: u64, leaves: &mut Vec<Leaf>) -> bool {
        if leaves.len() > 256 {
            return false;
        }
        match ty {
            Type::Scalar(scalar) => {
                leaves.push(Leaf { offset, scalar });
                true
            }
            Type::Vector(scalar, size) => {
                for i in 0..u64::from(size.count()) {
                    leaves.push(Leaf { offset: offset + i * scalar.size(), scalar });
                }
                true
            }
            Type::Array(handle) => {
                let Some(array) = self.module.types.arrays().get(handle).copied() else {
                    return false;
                };
                let Some(layout) = self.module.types.layout(array.element) else { return false };
                if array.length > 256 {
                    return false;
                }
                (0..array.length)
                    .all(|i| self.collect(array.element, offset + i * layout.size, leaves))
            }
            Type::Struct(handle) => {
                let Some(structure) = self.module.types.structs().get(handle) else { return false };
                structure.members.iter().all(|m| self.collect(m.ty, offset + m.offset, leaves))
            }
            Type::Pointer(_) | Type::Fragment(_) => false,
        }
    }
}

fn upper(name: &str) -> String {
    name.to_uppercase()
}

/// Terms divided by a number that divides all of them.
pub(super) fn divide_terms(
    terms: &[(Vec<Symbol>, i128)],
    divisor: i128,
) -> Option<Vec<(Vec<Symbol>, i128)>> {
    terms
        .iter()
        .map(|(factors, c)| (c % divisor == 0).then(|| (factors.clone(), c / divisor)))
        .collect()
}
