//! The class of a kernel over rows: `CopyIn…`, a method for each loop over a row, `CopyOut…`.
//!
//! A row that fits into the unified buffer is copied in once, while the row before it is computed,
//! and its tensors stay for all loops. A longer one goes through in pieces, once for each loop.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use port_backend::Status;
use port_backend::text::names::Names;
use port_diag::SourceMap;
use port_ir::{Builtin, Function, Location, Module, Scalar, Type};

use super::execute::{Executor, Item, Result, Rows, Store};
use super::graph::{Base, Fold, Graph, Id, Op};
use super::phase::{Phase, Reduction, VectorStore};
use super::scalars::{Scalars, camel, float_text};
use super::vector::{Vectors, element_type};
use crate::code::refuse;
use crate::host::text::{camel_case, has_word};
use crate::kernel::{DeviceKernel, Request, TilingField, Unit};

/// Bytes of the unified buffer, less what the stack of the high-level functions needs.
const BUFFER_BYTES: u64 = 192 * 1024 - 512;
/// Elements of a piece, at most.
const MAX_PIECE: u64 = 16384;

/// An array of a row in global memory.
#[derive(Clone, Debug)]
struct Array {
    base: Base,
    offset: Id,
    ty: Scalar,
    /// The user's name, upper camel case.
    name: String,
    /// Lengths that phases read or write of it.
    lengths: Vec<Id>,
    /// Whether it is the same for all rows, and stays.
    stays: bool,
}

impl Array {
    fn is(&self, base: Base, offset: Id, ty: Scalar) -> bool {
        self.base == base && self.offset == offset && self.ty == ty
    }
}

/// A method of a phase.
struct Method {
    name: String,
    /// Arrays that it is given: input (or the output of an earlier phase, where that is known).
    inputs: Vec<Given>,
    outputs: Vec<usize>,
    text: String,
}

#[derive(Clone, Copy)]
struct Given {
    input: usize,
    /// Where an earlier phase made it.
    output: Option<usize>,
}

struct Writer<'w> {
    sources: &'w SourceMap,
    graph: &'w Graph,
    scalars: Scalars<'w>,
    inputs: Vec<Array>,
    outputs: Vec<Array>,
    /// Slots, masks and whether places are needed, at most.
    slots: usize,
    masks: usize,
    places: bool,
    names: &'w BTreeMap<Id, String>,
    reductions: &'w [Reduction],
    /// Members, with what they begin with.
    members: Vec<(String, &'static str, String)>,
    /// Results of one element a row: tensor of global memory, element and member.
    results: Vec<(Base, Scalar, String)>,
    function: &'w Function,
}

/// The kernel's text, from what a group of it does.
pub(super) fn kernel(
    sources: &SourceMap,
    reserved: &BTreeSet<String>,
    request: &Request,
    made: Executor<'_, '_>,
) -> Result<DeviceKernel> {
    let Executor { module, function, shape, graph, items, reductions, rows, guards, names, .. } =
        made;
    if !items.iter().any(|item| matches!(item, Item::Phase(_))) || reductions.is_empty() {
        return Err(refuse("it reduces no rows"));
    }
    check(function, &graph, &items, &rows)?;
    let taken: Vec<&str> = function
        .parameters
        .iter()
        .map(|p| p.name.as_str())
        .chain(RESERVED.iter().copied())
        .collect();
    let writer = Writer {
        sources,
        graph: &graph,
        scalars: Scalars {
            module,
            function,
            names: Names::new(reserved, &taken),
            tiling: Vec::new(),
            members: BTreeMap::new(),
            totals: BTreeMap::new(),
            tensors: BTreeMap::new(),
            is_host: false,
            functions: false,
            builtins: BTreeSet::new(),
            has_warps: shape.warps.is_some(),
        },
        inputs: Vec::new(),
        outputs: Vec::new(),
        slots: 0,
        masks: 0,
        places: false,
        names: &names,
        reductions: &reductions,
        members: Vec::new(),
        results: Vec::new(),
        function,
    };
    writer.write(module, request, &items, &rows, &guards)
}

/// Names that the text has.
const RESERVED: &[&str] = &[
    "tiling",
    "tiling_",
    "grid",
    "block",
    "shared",
    "cores",
    "ubBytes",
    "stream",
    "workspace",
    "rows",
    "row",
    "start",
    "count",
    "length",
    "work",
    "places",
    "padded",
    "pipe_",
    "firstRow_",
    "lastRow_",
    "length_",
    "isLoaded",
    "isNext",
    "AscendC",
    "core",
    "PIECE",
    "BUFFER_NUM",
];

/// What would be wrong if rows were handled in another order, or copied in beforehand.
fn check(function: &Function, graph: &Graph, items: &[Item], rows: &Rows) -> Result<()> {
    let is_grid = matches!(rows, Rows::Loop(_));
    let mut roots = Vec::new();
    let mut stored: Vec<Base> = Vec::new();
    for item in items {
        match item {
            Item::Phase(phase) => {
                roots.push(phase.length);
                roots.extend(&phase.guards);
                for store in &phase.stores {
                    roots.extend([store.offset, store.value]);
                    stored.push(store.base);
                }
            }
            Item::Store(store) => {
                roots.extend([store.offset, store.value]);
                roots.extend(&store.guards);
                stored.push(store.base);
            }
        }
    }
    for root in &roots {
        let is_unknown =
            graph.any(*root, &|op| matches!(op, Op::Carried(_) | Op::Partial(..) | Op::Undefined));
        if is_unknown {
            return Err(refuse("a value is not the same in all threads of a row"));
        }
        if is_grid
            && graph.any(*root, &|op| matches!(op, Op::Builtin(Builtin::BlockIndex(_)) | Op::Warp))
        {
            return Err(refuse("its loop over rows also asks for the block"));
        }
    }
    // An array that is written is read at the row's own place only.
    let offsets = |base: Base| -> BTreeSet<Id> {
        let mut found = BTreeSet::new();
        for item in items {
            let Item::Phase(phase) = item else { continue };
            for store in &phase.stores {
                if store.base == base {
                    found.insert(store.offset);
                }
            }
        }
        found
    };
    let mut seen = BTreeSet::new();
    let mut open: Vec<Id> = roots;
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = graph.node(id);
        match node.op {
            Op::Vector(base, _) if stored.contains(&base) => {
                let own = offsets(base);
                let Some(offset) = node.args.first() else { continue };
                if own.len() != 1 || !own.contains(offset) {
                    return Err(refuse("it reads what other rows may write"));
                }
            }
            Op::Load(base, _) if stored.contains(&base) => {
                return Err(refuse("it reads single elements of what it writes"));
            }
            _ => {}
        }
        open.extend(&node.args);
    }
    // Without a promise, what one pointer writes another may read later.
    let mut written: Vec<(Base, Scalar)> = Vec::new();
    let mut read: Vec<Base> = Vec::new();
    for item in items {
        let Item::Phase(phase) = item else { continue };
        let mut own = Vec::new();
        for root in phase_roots(phase, &[]) {
            own.extend(vectors(graph, root).into_iter().filter_map(|id| match graph.op(id) {
                Op::Vector(base, _) => Some((*base, graph.node(id).ty)),
                _ => None,
            }));
        }
        for (base, ty) in own {
            let again = read.contains(&base);
            let clash = written.iter().any(|(other, wrote)| {
                *other != base
                    && *wrote == ty
                    && !(promised(function, *other) || promised(function, base))
            });
            if again && clash {
                return Err(refuse("what it writes may be what it reads again"));
            }
            read.push(base);
        }
        written.extend(phase.stores.iter().map(|s| (s.base, s.ty)));
    }
    Ok(())
}

fn promised(function: &Function, base: Base) -> bool {
    match base {
        Base::Argument(index) => function
            .parameters
            .get(index as usize)
            .is_some_and(|p| p.attributes.restrict || p.attributes.read_only),
        _ => true,
    }
}

fn phase_roots(phase: &Phase, reductions: &[Reduction]) -> Vec<Id> {
    let mut roots: Vec<Id> = phase.stores.iter().map(|s| s.value).collect();
    for index in &phase.reductions {
        roots.extend(reductions.get(*index as usize).map(|r| r.term));
    }
    roots
}

/// The vectors that a value reads, in order.
fn vectors(graph: &Graph, root: Id) -> Vec<Id> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        if matches!(graph.op(id), Op::Vector(..)) {
            found.push(id);
        }
        open.extend(&graph.node(id).args);
    }
    found.sort_unstable();
    found
}

impl Writer<'_> {
    fn write(
        mut self,
        module: &Module,
        request: &Request,
        items: &[Item],
        rows: &Rows,
        guards: &[Id],
    ) -> Result<DeviceKernel> {
        let class = format!("Kernel{}", camel_case(&request.name));
        let tiling = format!("{}Tiling", camel_case(&request.name));
        let phases: Vec<&Phase> = items
            .iter()
            .filter_map(|item| match item {
                Item::Phase(phase) => Some(phase),
                Item::Store(_) => None,
            })
            .collect();
        let lengths: BTreeSet<Id> = phases.iter().map(|phase| phase.length).collect();
        let is_fixed = lengths.iter().all(|length| self.is_fixed(*length));

        // The arrays of a row.
        for phase in &phases {
            for root in phase_roots(phase, self.reductions) {
                for id in vectors(self.graph, root) {
                    self.input(id, phase.length, is_fixed)?;
                }
            }
            for store in &phase.stores {
                self.output(store, phase.length)?;
            }
        }
        for (index, reduction) in self.reductions.iter().enumerate() {
            let member = match reduction.after.and_then(|r| self.scalars.totals.get(&r)) {
                Some(member) => member.clone(),
                None => {
                    let name = format!("{}_", self.scalars.names.fresh(&camel(&reduction.name)));
                    self.members.push((name.clone(), "float", String::new()));
                    name
                }
            };
            self.scalars.totals.insert(index as u32, member);
        }
        if self.reductions.iter().any(|r| {
            r.after
                .is_some_and(|before| items.iter().any(|item| self.uses(item, &Op::Total(before))))
        }) {
            return Err(refuse("a running value is also asked for on its way"));
        }

        // What happens between the phases, and the phases.
        let mut between: Vec<String> = Vec::new();
        let mut methods: Vec<Method> = Vec::new();
        let mut done: Vec<u32> = Vec::new();
        let mut pending = String::new();
        let mut made_by: BTreeMap<(Base, Id), usize> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            match item {
                Item::Phase(phase) => {
                    self.announce(items, at, &done, &mut pending)?;
                    for index in &phase.reductions {
                        let Some(reduction) = self.reductions.get(*index as usize) else {
                            continue;
                        };
                        if reduction.after.is_some() {
                            continue;
                        }
                        let start = match reduction.init {
                            Some(init) => self.scalars.text(self.graph, init)?,
                            None => neutral(reduction.fold),
                        };
                        let member = self.scalars.totals[index].clone();
                        let _ = writeln!(pending, "        {member} = {start};");
                    }
                    between.push(std::mem::take(&mut pending));
                    let method = self.method(phase, &made_by)?;
                    for store in &phase.stores {
                        if let Some(output) = self
                            .outputs
                            .iter()
                            .position(|o| o.is(store.base, store.offset, store.ty))
                        {
                            made_by.insert((store.base, store.offset), output);
                        }
                    }
                    methods.push(method);
                    done.extend(&phase.reductions);
                }
                Item::Store(store) => {
                    self.announce(items, at, &done, &mut pending)?;
                    self.result(store, &mut pending)?;
                }
            }
        }
        between.push(pending);

        let mut text = String::new();
        self.class(
            &mut text, &class, &tiling, &phases, &between, &methods, guards, rows, is_fixed,
        )?;

        // The frame.
        self.scalars.is_host = true;
        let count = match rows {
            Rows::Groups => self.scalars.groups(),
            Rows::Loop(count) => self.scalars.text(self.graph, *count)?,
        };
        let count =
            format!("static_cast<int64_t>({count}) > 0 ? static_cast<int64_t>({count}) : 0");
        let mut fields = vec![TilingField {
            ty: "int64_t".to_owned(),
            name: "rows".to_owned(),
            value: count,
            comment: "rows in all".to_owned(),
        }];
        fields.append(&mut self.scalars.tiling);
        let pointers: Vec<u32> = self
            .function
            .parameters
            .iter()
            .enumerate()
            .filter(|(_, p)| matches!(p.ty, Type::Pointer(_)))
            .map(|(i, _)| i as u32)
            .collect();
        let _ = module;
        let names: Vec<String> =
            pointers.iter().map(|i| self.function.parameters[*i as usize].name.clone()).collect();
        let used: Vec<String> = names
            .iter()
            .zip(&pointers)
            .filter(|(_, i)| {
                self.scalars.tensors.keys().any(|(base, _)| *base == Base::Argument(**i))
            })
            .map(|(name, _)| name.clone())
            .collect();
        let arguments: String = used.iter().map(|name| format!("{name}, ")).collect();
        Ok(DeviceKernel {
            lowering: "rows",
            status: Status::Ported,
            reason: None,
            unit: Unit::Vector,
            pointers,
            symbols: Vec::new(),
            tiling: fields,
            blocks: "static_cast<uint32_t>(rows == 0 ? 1 : rows < cores ? rows : cores)".to_owned(),
            threads: None,
            workspace: None,
            includes: BTreeSet::new(),
            definitions: text,
            entry: format!("    {class} op;\n    op.Init({arguments}tiling);\n    op.Process();\n"),
        })
    }

    fn uses(&self, item: &Item, op: &Op) -> bool {
        let roots = match item {
            Item::Phase(phase) => {
                let mut roots = phase_roots(phase, self.reductions);
                roots.push(phase.length);
                roots
            }
            Item::Store(store) => vec![store.value, store.offset],
        };
        roots.iter().any(|root| self.graph.any(*root, &|own| own == op))
    }

    /// Whether a value is the same for all rows.
    fn is_fixed(&self, id: Id) -> bool {
        !self.graph.any(id, &|op| {
            matches!(
                op,
                Op::Row
                    | Op::Warp
                    | Op::Builtin(Builtin::BlockIndex(_))
                    | Op::Load(..)
                    | Op::Total(_)
            )
        })
    }

    fn upper(&self, base: Base) -> String {
        let name = match base {
            Base::Argument(index) => {
                self.function.parameters.get(index as usize).map_or("", |p| p.name.as_str())
            }
            _ => "",
        };
        let own = camel(name.trim_matches('_'));
        let mut chars = own.chars();
        chars
            .next()
            .map_or("Data".to_owned(), |c| c.to_uppercase().collect::<String>() + chars.as_str())
    }

    fn input(&mut self, id: Id, length: Id, is_fixed: bool) -> Result<usize> {
        let node = self.graph.node(id);
        let Op::Vector(base, _) = node.op else { return Err(refuse("an input is no vector")) };
        let Some(offset) = node.args.first().copied() else {
            return Err(refuse("an input has no place"));
        };
        element_type(node.ty)?;
        if let Some(at) = self.inputs.iter().position(|a| a.is(base, offset, node.ty)) {
            if !self.inputs[at].lengths.contains(&length) {
                self.inputs[at].lengths.push(length);
            }
            return Ok(at);
        }
        let upper = self.upper(base);
        let name = self.scalars.names.fresh(&format!("inQueue{upper}"));
        let name = name.trim_start_matches("inQueue").to_owned();
        let stays = is_fixed && self.is_fixed(offset);
        let lengths = vec![length];
        self.inputs.push(Array { base, offset, ty: node.ty, name, lengths, stays });
        self.scalars.tensor(base, self.inputs[self.inputs.len() - 1].ty)?;
        Ok(self.inputs.len() - 1)
    }

    fn output(&mut self, store: &VectorStore, length: Id) -> Result<usize> {
        element_type(store.ty)?;
        if let Some(at) = self.outputs.iter().position(|a| a.is(store.base, store.offset, store.ty))
        {
            if !self.outputs[at].lengths.contains(&length) {
                return Err(refuse("parts of what it wrote are written again"));
            }
            return Ok(at);
        }
        let upper = self.upper(store.base);
        let name = self.scalars.names.fresh(&format!("outQueue{upper}"));
        let name = name.trim_start_matches("outQueue").to_owned();
        let (base, offset, ty) = (store.base, store.offset, store.ty);
        let lengths = vec![length];
        self.outputs.push(Array { base, offset, ty, name, lengths, stays: false });
        self.scalars.tensor(base, ty)?;
        Ok(self.outputs.len() - 1)
    }

    /// Where a place of the text stems from.
    fn source(&self, location: Location) -> String {
        let span = location.origin.span;
        let file = self.sources.file(span.file);
        let line = file.line_column(span.start).line;
        let text = file.line_text(line).trim();
        let path = file.path.rsplit('/').next().unwrap_or("");
        let text = text.trim_end_matches('{').trim_end();
        format!("{path}:{line}: {text}")
    }

    // Scalars.

    /// Members for what the next items ask for and can be computed now.
    fn announce(
        &mut self,
        items: &[Item],
        at: usize,
        done: &[u32],
        pending: &mut String,
    ) -> Result<()> {
        let Some(item) = items.get(at) else { return Ok(()) };
        let mut wanted: Vec<Id> = Vec::new();
        match item {
            Item::Phase(phase) => {
                for root in phase_roots(phase, self.reductions) {
                    self.operands(root, &mut wanted);
                }
            }
            Item::Store(store) => {
                self.shared(store.value, &mut wanted);
            }
        }
        let _ = done;
        for id in wanted {
            if self.scalars.members.contains_key(&id) || self.is_plain(id) {
                continue;
            }
            let ty = match self.graph.node(id).ty {
                Scalar::F32 => "float",
                Scalar::Bool => "bool",
                Scalar::I64 => "int64_t",
                _ => "float",
            };
            let wish = self.names.get(&id).map_or("factor", String::as_str);
            let text = self.scalars.text(self.graph, id)?;
            let name = format!("{}_", self.scalars.names.fresh(&camel(wish)));
            let _ = writeln!(pending, "        {name} = {text};");
            self.members.push((name.clone(), ty, String::new()));
            self.scalars.members.insert(id, name);
        }
        Ok(())
    }

    /// Whether a scalar needs no member.
    fn is_plain(&self, id: Id) -> bool {
        match self.graph.op(id) {
            Op::Constant(_) | Op::Parameter(..) | Op::Total(_) => true,
            Op::Unary(_) => self.graph.node(id).args.iter().all(|arg| self.is_plain(*arg)),
            _ => false,
        }
    }

    /// The scalars that an element's value uses, inner ones that the user named first.
    fn operands(&self, root: Id, found: &mut Vec<Id>) {
        let mut seen = BTreeSet::new();
        let mut open = vec![root];
        let mut own = Vec::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if Vectors::varies(self.graph, id) {
                let is_place = matches!(self.graph.op(id), Op::Vector(..));
                if !is_place {
                    open.extend(self.graph.node(id).args.iter().rev());
                }
            } else if self.graph.node(id).ty.is_float() {
                own.push(id);
            }
        }
        for id in own {
            self.shared(id, found);
        }
    }

    /// A scalar after the ones in it that have names of their own.
    fn shared(&self, id: Id, found: &mut Vec<Id>) {
        let mut seen = BTreeSet::new();
        let mut stack = vec![(id, false)];
        while let Some((next, ready)) = stack.pop() {
            if ready {
                let is_named = self.names.contains_key(&next)
                    && self.graph.node(next).ty == Scalar::F32
                    && self.graph.any(next, &|op| matches!(op, Op::Total(_)));
                let is_load = matches!(self.graph.op(next), Op::Load(..));
                if next == id || is_named || is_load {
                    found.push(next);
                }
                continue;
            }
            if !seen.insert(next) {
                continue;
            }
            stack.push((next, true));
            if !matches!(self.graph.op(next), Op::Load(..)) {
                stack.extend(self.graph.node(next).args.iter().map(|arg| (*arg, false)));
            }
        }
    }

    /// One element that a row leaves.
    fn result(&mut self, store: &Store, pending: &mut String) -> Result<()> {
        let member = match self
            .results
            .iter()
            .find(|(base, ty, _)| *base == store.base && *ty == store.ty)
        {
            Some((.., name)) => name.clone(),
            None => {
                let tensor = self.scalars.tensor(store.base, store.ty)?;
                let wish = format!("{}Results", tensor.trim_end_matches("Gm"));
                let name = format!("{}_", self.scalars.names.fresh(&wish));
                self.results.push((store.base, store.ty, name.clone()));
                name
            }
        };
        let place = self.scalars.element(self.graph, store.offset, store.ty)?;
        let value = self.scalars.text(self.graph, store.value)?;
        let own = self.graph.node(store.value).ty;
        let value = match store.ty {
            Scalar::F32 if own == Scalar::F32 => value,
            Scalar::F16 | Scalar::Bf16 => {
                return Err(refuse("a single element of half precision is written"));
            }
            ty if own == Scalar::I64 || own == ty => {
                format!("static_cast<{}>({value})", element_type(ty)?)
            }
            _ => return Err(refuse("a single element of another type is written")),
        };
        let guard = self.guard(&store.guards)?;
        let line = format!("{member}.Put({place}, {value});");
        let _ = writeln!(pending, "        // {}", self.source(store.location));
        match guard {
            Some(guard) => {
                let _ = writeln!(pending, "        if ({guard}) {line}");
            }
            None => {
                let _ = writeln!(pending, "        {line}");
            }
        }
        Ok(())
    }

    fn guard(&mut self, guards: &[Id]) -> Result<Option<String>> {
        let mut texts = Vec::new();
        for guard in guards {
            texts.push(self.scalars.operand(self.graph, *guard)?);
        }
        let joined = texts.join(" && ");
        let bare = match texts.as_slice() {
            [only] => only
                .strip_prefix('(')
                .and_then(|t| t.strip_suffix(')'))
                .filter(|t| !t.contains('('))
                .unwrap_or(only)
                .to_owned(),
            _ => joined,
        };
        Ok((!texts.is_empty()).then_some(bare))
    }

    // Phases.

    fn method(&mut self, phase: &Phase, made_by: &BTreeMap<(Base, Id), usize>) -> Result<Method> {
        let mut given = Vec::new();
        let mut tensors = BTreeMap::new();
        let mut parameters = Vec::new();
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut fresh = |wish: String| {
            let mut name = wish;
            while !names.insert(name.clone()) || RESERVED.contains(&name.as_str()) {
                name.push('_');
            }
            name
        };
        for root in phase_roots(phase, self.reductions) {
            for id in vectors(self.graph, root) {
                if tensors.contains_key(&id) {
                    continue;
                }
                let node = self.graph.node(id);
                let Op::Vector(base, version) = node.op else { continue };
                let offset = node.args.first().copied().unwrap_or(id);
                let Some(input) = self.inputs.iter().position(|a| a.is(base, offset, node.ty))
                else {
                    return Err(refuse("an input has no tensor"));
                };
                let output = made_by.get(&(base, offset)).copied();
                if version > 0 {
                    let is_same = output.is_some_and(|o| self.outputs[o].lengths == [phase.length]);
                    if !is_same {
                        return Err(refuse("it reads a part of what it wrote"));
                    }
                } else if output.is_some() {
                    return Err(refuse("it reads what was there before it wrote"));
                }
                let name = fresh(lower(&self.inputs[input].name));
                parameters.push(format!("const LocalTensor<{}>& {name}", element_type(node.ty)?));
                tensors.insert(id, (name, node.ty));
                given.push(Given { input, output });
            }
        }
        let mut outputs = Vec::new();
        let mut targets = Vec::new();
        for store in &phase.stores {
            let Some(output) =
                self.outputs.iter().position(|a| a.is(store.base, store.offset, store.ty))
            else {
                return Err(refuse("an output has no tensor"));
            };
            let name = fresh(lower(&self.outputs[output].name));
            parameters.push(format!("const LocalTensor<{}>& {name}", element_type(store.ty)?));
            outputs.push(output);
            targets.push(name);
        }
        let mut roots: Vec<Id> = phase.stores.iter().map(|s| s.value).collect();
        let mut folds = Vec::new();
        for index in &phase.reductions {
            if let Some(reduction) = self.reductions.get(*index as usize) {
                let member = self.scalars.totals.get(index).cloned().unwrap_or_default();
                folds.push((reduction.fold, reduction.term, member));
                roots.push(reduction.term);
            }
        }
        let mut vectors = Vectors::new(self.graph, &mut self.scalars, &tensors);
        vectors.count(&roots);
        for (store, name) in phase.stores.iter().zip(&targets) {
            vectors.want(store.value, name);
        }
        // What is stored is what sums are made of.
        for (store, name) in phase.stores.iter().zip(&targets) {
            vectors.store(store.value, name, store.ty)?;
        }
        for (fold, term, member) in &folds {
            vectors.reduce(*fold, *term, member)?;
        }
        let lines = std::mem::take(&mut vectors.lines);
        let (slots, masks, places) = (vectors.slots, vectors.masks, vectors.places);
        self.slots = self.slots.max(slots);
        self.masks = self.masks.max(masks);
        self.places |= places;

        let what: String = match (phase.stores.is_empty(), folds.as_slice()) {
            (false, _) => {
                let name = outputs.first().map_or("", |o| self.outputs[*o].name.as_str());
                format!("Compute{name}")
            }
            (true, folds) => {
                let member = folds.first().map_or("", |f| f.2.trim_end_matches('_'));
                let mut chars = member.chars();
                let upper = chars.next().map_or(String::new(), |c| {
                    c.to_uppercase().collect::<String>() + chars.as_str()
                });
                format!("Reduce{upper}")
            }
        };
        let name = self.scalars.names.fresh(&what);
        let body = lines.join("\n");
        if has_word(&body, "start") {
            parameters.push("int64_t start".to_owned());
        }
        if has_word(&body, "row") {
            parameters.push("int64_t row".to_owned());
        }
        parameters.push("uint32_t count".to_owned());
        let mut text = format!("    // {}\n", self.source(phase.location));
        let _ = writeln!(
            text,
            "    __aicore__ inline void {name}({})\n    {{\n        if (count == 0) return;",
            parameters.join(", ")
        );
        for slot in 0..slots {
            if has_word(&body, &format!("values{slot}")) {
                let _ = writeln!(
                    text,
                    "        const auto values{slot} = valuesBuf_.GetWithOffset<float>(PIECE, {slot} * PIECE * sizeof(float));"
                );
            }
        }
        for mask in 0..masks {
            if has_word(&body, &format!("mask{mask}")) {
                let _ = writeln!(
                    text,
                    "        const auto mask{mask} = maskBuf_.GetWithOffset<uint8_t>(PIECE / 8, {mask} * PIECE / 8);"
                );
            }
        }
        if has_word(&body, "work") {
            text.push_str("        const auto work = workBuf_.Get<float>();\n");
        }
        if has_word(&body, "places") {
            text.push_str("        const auto places = placesBuf_.Get<float>();\n");
        }
        if has_word(&body, "padded") {
            text.push_str("        const uint32_t padded = (count + 63) / 64 * 64;\n");
        }
        for line in lines {
            let _ = writeln!(text, "        {line}");
        }
        text.push_str("    }\n");
        Ok(Method { name, inputs: given, outputs, text })
    }

    // The class.

    #[allow(clippy::too_many_arguments, reason = "one text of many pieces")]
    fn class(
        &mut self,
        text: &mut String,
        class: &str,
        tiling: &str,
        phases: &[&Phase],
        between: &[String],
        methods: &[Method],
        guards: &[Id],
        rows: &Rows,
        is_fixed: bool,
    ) -> Result<()> {
        let _ = rows;
        let mut lengths: Vec<Id> = Vec::new();
        for phase in phases {
            if !lengths.contains(&phase.length) {
                lengths.push(phase.length);
            }
        }
        let mut length_names = BTreeMap::new();
        let mut length_texts = String::new();
        for (index, length) in lengths.iter().enumerate() {
            let name = match index {
                0 => "Length".to_owned(),
                _ => format!("Length{}", index + 1),
            };
            let value = self.scalars.text(self.graph, *length)?;
            let parameter = if has_word(&value, "row") { "int64_t row" } else { "" };
            let argument = if parameter.is_empty() { "" } else { "row" };
            let work = if has_word(&value, "work") {
                return Err(refuse("a row's length is computed by a function"));
            } else {
                ""
            };
            let _ = write!(
                length_texts,
                "    // The elements of {}.\n    __aicore__ inline int64_t {name}({parameter}) const\n    {{\n{work}        const int64_t length = {value};\n        return length > 0 ? length : 0;\n    }}\n",
                match index {
                    0 => "a row".to_owned(),
                    _ => "a row's part".to_owned(),
                }
            );
            length_names.insert(*length, (name, argument));
        }
        let call = |length: &Id, row: &str| match length_names.get(length) {
            Some((name, "")) => format!("{name}()"),
            Some((name, _)) => format!("{name}({row})"),
            None => "0".to_owned(),
        };
        let is_row = self.guard(guards)?;

        // Copies of each array.
        let mut copies = String::new();
        for array in &self.inputs.clone() {
            let place = self.scalars.element(self.graph, array.offset, array.ty)?;
            let ty = element_type(array.ty)?;
            let gm = self.scalars.tensor(array.base, array.ty)?;
            let at = if place == "0" { "start".to_owned() } else { format!("{place} + start") };
            let row = if has_word(&at, "row") { "int64_t row, " } else { "" };
            let _ = write!(
                copies,
                "    __aicore__ inline void CopyIn{0}({row}int64_t start, uint32_t count)\n    {{\n        const auto {1} = inQueue{0}_.AllocTensor<{ty}>();\n        rows::CopyRowIn({1}, {gm}[{at}], count);\n        inQueue{0}_.EnQue({1});\n    }}\n",
                array.name,
                local(&array.name)
            );
        }
        for array in &self.outputs.clone() {
            let place = self.scalars.element(self.graph, array.offset, array.ty)?;
            let ty = element_type(array.ty)?;
            let gm = self.scalars.tensor(array.base, array.ty)?;
            let at = if place == "0" { "start".to_owned() } else { format!("{place} + start") };
            let row = if has_word(&at, "row") { "int64_t row, " } else { "" };
            // The next row may begin in the data block in which this one ends.
            let wait = match self.inputs.iter().any(|input| input.base == array.base) {
                true => "        rows::WaitFor<HardEvent::MTE2_MTE3>();\n",
                false => "",
            };
            let _ = write!(
                copies,
                "    __aicore__ inline void CopyOut{0}({row}int64_t start, uint32_t count)\n    {{\n        const auto {1} = outQueue{0}_.DeQue<{ty}>();\n{wait}        rows::CopyRowOut({gm}[{at}], {1}, count);\n        outQueue{0}_.FreeTensor({1});\n    }}\n",
                array.name,
                local(&array.name)
            );
        }
        let takes_row = |name: &str| copies.contains(&format!(" {name}(int64_t row, "));
        let copy_in = |array: &Array, row: &str, start: &str, count: &str| {
            let name = format!("CopyIn{}", array.name);
            if takes_row(&name) {
                format!("{name}({row}, {start}, {count});")
            } else {
                format!("{name}({start}, {count});")
            }
        };
        let copy_out = |array: &Array, start: &str, count: &str| {
            let name = format!("CopyOut{}", array.name);
            if takes_row(&name) {
                format!("{name}(row, {start}, {count});")
            } else {
                format!("{name}({start}, {count});")
            }
        };

        // A row in one piece.
        let longest = |array: &Array, row: &str| {
            let mut texts: Vec<String> =
                array.lengths.iter().map(|length| call(length, row)).collect();
            let mut all = texts.remove(0);
            for other in texts {
                all = format!("rows::Longer({all}, {other})");
            }
            all
        };
        // What is only read again where rows are in pieces.
        let first_in: Vec<usize> = {
            let mut found: Vec<usize> = Vec::new();
            for method in methods {
                for given in &method.inputs {
                    if given.output.is_none() && !found.contains(&given.input) {
                        found.push(given.input);
                    }
                }
            }
            found
        };
        let mut process_row = String::new();
        let kept: Vec<usize> = first_in.iter().copied().filter(|i| self.inputs[*i].stays).collect();
        let own: Vec<usize> = first_in.iter().copied().filter(|i| !self.inputs[*i].stays).collect();
        for index in &own {
            let array = &self.inputs[*index];
            let _ = writeln!(
                process_row,
                "        const auto {} = inQueue{}_.DeQue<{}>();",
                local(&array.name),
                array.name,
                element_type(array.ty)?
            );
        }
        let mut allocated: Vec<usize> = Vec::new();
        let mut long = String::new();
        let mut freed: BTreeSet<usize> = BTreeSet::new();
        let last_use = |input: usize| {
            methods
                .iter()
                .rposition(|m| m.inputs.iter().any(|g| g.input == input && g.output.is_none()))
        };
        let last_out = |output: usize| {
            methods.iter().rposition(|m| {
                m.outputs.contains(&output) || m.inputs.iter().any(|g| g.output == Some(output))
            })
        };
        let input_names = |given: &Given| match given.output {
            Some(output) => format!("{}Out", local(&self.outputs[output].name)),
            None if self.inputs[given.input].stays => {
                format!("{}_", local(&self.inputs[given.input].name))
            }
            None => local(&self.inputs[given.input].name),
        };
        for (index, method) in methods.iter().enumerate() {
            let phase = phases[index];
            if let Some(code) = between.get(index) {
                process_row.push_str(code);
                long.push_str(code);
            }
            let guard = {
                let mut texts = Vec::new();
                for id in &phase.guards {
                    texts.push(self.scalars.operand(self.graph, *id)?);
                }
                (!texts.is_empty()).then(|| texts.join(" && "))
            };
            for output in &method.outputs {
                if !allocated.contains(output) {
                    allocated.push(*output);
                    let array = &self.outputs[*output];
                    let _ = writeln!(
                        process_row,
                        "        const auto {}Out = outQueue{}_.AllocTensor<{}>();",
                        local(&array.name),
                        array.name,
                        element_type(array.ty)?
                    );
                }
            }
            if guard.is_some() && !method.outputs.is_empty() {
                return Err(refuse("rows are written under a condition"));
            }
            let mut arguments: Vec<String> = method.inputs.iter().map(input_names).collect();
            arguments.extend(
                method.outputs.iter().map(|o| format!("{}Out", local(&self.outputs[*o].name))),
            );
            let has = |word: &str| method.text.contains(&format!("int64_t {word}"));
            if has("start") {
                arguments.push("0".to_owned());
            }
            if has("row") {
                arguments.push("row".to_owned());
            }
            let length = call(&phase.length, "row");
            arguments.push(format!("static_cast<uint32_t>({length})"));
            let line = format!("{}({});", method.name, arguments.join(", "));
            match &guard {
                Some(guard) => {
                    let _ = writeln!(process_row, "        if ({guard}) {line}");
                }
                None => {
                    let _ = writeln!(process_row, "        {line}");
                }
            }
            // What nobody needs any more.
            for input in &own {
                if last_use(*input) == Some(index) && freed.insert(*input) {
                    let array = &self.inputs[*input];
                    let _ = writeln!(
                        process_row,
                        "        inQueue{}_.FreeTensor({});",
                        array.name,
                        local(&array.name)
                    );
                }
            }
            for output in allocated.clone() {
                if last_out(output) == Some(index) {
                    let array = &self.outputs[output];
                    let _ = writeln!(
                        process_row,
                        "        outQueue{0}_.EnQue({1}Out);",
                        array.name,
                        local(&array.name)
                    );
                    let count = format!("static_cast<uint32_t>({})", longest(array, "row"));
                    let _ = writeln!(process_row, "        {}", copy_out(array, "0", &count));
                }
            }

            // The same phase, piece by piece.
            let reads_back = method.inputs.iter().any(|g| g.output.is_some());
            if reads_back {
                long.push_str(
                    "        // What was written is read back.\n        PipeBarrier<PIPE_ALL>();\n",
                );
            }
            let open = match &guard {
                Some(guard) => format!("        if ({guard}) {{\n"),
                None => "        {\n".to_owned(),
            };
            long.push_str(&open);
            let _ = writeln!(long, "            const int64_t length = {length};");
            let mut inputs: Vec<usize> = method.inputs.iter().map(|g| g.input).collect();
            inputs.sort_unstable();
            inputs.dedup();
            for input in &inputs {
                let line =
                    copy_in(&self.inputs[*input], "row", "0", "rows::PieceOf(length, 0, PIECE)");
                let _ = writeln!(long, "            if (length > 0) {line}");
            }
            long.push_str(
                "            for (int64_t start = 0; start < length; start += PIECE) {\n",
            );
            long.push_str(
                "                const uint32_t count = rows::PieceOf(length, start, PIECE);\n",
            );
            if !inputs.is_empty() {
                long.push_str("                if (start + PIECE < length) {\n");
                for input in &inputs {
                    let line = copy_in(
                        &self.inputs[*input],
                        "row",
                        "start + PIECE",
                        "rows::PieceOf(length, start + PIECE, PIECE)",
                    );
                    let _ = writeln!(long, "                    {line}");
                }
                long.push_str("                }\n");
            }
            for input in &inputs {
                let array = &self.inputs[*input];
                let _ = writeln!(
                    long,
                    "                const auto {} = inQueue{}_.DeQue<{}>();",
                    local(&array.name),
                    array.name,
                    element_type(array.ty)?
                );
            }
            for output in &method.outputs {
                let array = &self.outputs[*output];
                let _ = writeln!(
                    long,
                    "                const auto {}Out = outQueue{}_.AllocTensor<{}>();",
                    local(&array.name),
                    array.name,
                    element_type(array.ty)?
                );
            }
            let mut arguments: Vec<String> =
                method.inputs.iter().map(|g| local(&self.inputs[g.input].name)).collect();
            arguments.extend(
                method.outputs.iter().map(|o| format!("{}Out", local(&self.outputs[*o].name))),
            );
            if has("start") {
                arguments.push("start".to_owned());
            }
            if has("row") {
                arguments.push("row".to_owned());
            }
            arguments.push("count".to_owned());
            let _ = writeln!(long, "                {}({});", method.name, arguments.join(", "));
            for input in &inputs {
                let array = &self.inputs[*input];
                let _ = writeln!(
                    long,
                    "                inQueue{}_.FreeTensor({});",
                    array.name,
                    local(&array.name)
                );
            }
            for output in &method.outputs {
                let array = &self.outputs[*output];
                let _ = writeln!(
                    long,
                    "                outQueue{0}_.EnQue({1}Out);",
                    array.name,
                    local(&array.name)
                );
                let _ = writeln!(long, "                {}", copy_out(array, "start", "count"));
            }
            long.push_str("            }\n        }\n");
        }
        let tail = between.last().cloned().unwrap_or_default();
        process_row.push_str(&tail);
        long.push_str(&tail);
        let with_work = |code: &str| match has_word(code, "work") {
            true => "        const auto work = workBuf_.Get<float>();\n",
            false => "",
        };

        // The rows of a core.
        let mut process = String::new();
        if !kept.is_empty() {
            let limit =
                lengths.iter().map(|l| format!("{} <= PIECE", call(l, "0"))).collect::<Vec<_>>();
            let _ = writeln!(
                process,
                "        // What all rows share stays, where a row is one piece.\n        const bool isShared = firstRow_ < lastRow_ && {};",
                limit.join(" && ")
            );
            process.push_str("        if (isShared) {\n");
            for index in &kept {
                let array = &self.inputs[*index];
                let count = format!("static_cast<uint32_t>({})", longest(array, "0"));
                let _ = writeln!(process, "            {}", copy_in(array, "0", "0", &count));
                let _ = writeln!(
                    process,
                    "            {}_ = inQueue{}_.DeQue<{}>();",
                    local(&array.name),
                    array.name,
                    element_type(array.ty)?
                );
            }
            process.push_str("        }\n");
        }
        process.push_str("        bool isLoaded = false;\n        for (int64_t row = firstRow_; row < lastRow_; ++row) {\n");
        if is_row.is_some() {
            process.push_str("            if (!IsRow(row)) continue;\n");
        }
        let whole = |row: &str| {
            lengths
                .iter()
                .map(|l| format!("{} <= PIECE", call(l, row)))
                .collect::<Vec<_>>()
                .join(" && ")
        };
        let condition = if lengths.len() == 1 {
            format!("{} > PIECE", call(&lengths[0], "row"))
        } else {
            format!("!({})", whole("row"))
        };
        let _ = writeln!(
            process,
            "            if ({condition}) {{\n                ProcessLongRow(row);\n                continue;\n            }}"
        );
        if !own.is_empty() {
            process
                .push_str("            // The next row is copied in while this one is computed.\n");
            process.push_str("            if (!isLoaded) CopyInRow(row);\n");
            let mut next = vec!["row + 1 < lastRow_".to_owned()];
            if is_row.is_some() {
                next.push("IsRow(row + 1)".to_owned());
            }
            if !is_fixed {
                next.push(whole("row + 1"));
            }
            let _ = writeln!(
                process,
                "            isLoaded = {};\n            if (isLoaded) CopyInRow(row + 1);",
                next.join(" && ")
            );
        }
        process.push_str("            ProcessRow(row);\n        }\n");
        if !kept.is_empty() {
            process.push_str("        if (isShared) {\n");
            for index in &kept {
                let array = &self.inputs[*index];
                let _ = writeln!(
                    process,
                    "            inQueue{}_.FreeTensor({}_);",
                    array.name,
                    local(&array.name)
                );
            }
            process.push_str("        }\n");
        }
        for (.., name) in &self.results {
            let _ = writeln!(process, "        {name}.Flush();");
        }
        if own.is_empty() {
            process = process.replace("        bool isLoaded = false;\n", "");
        }
        let mut copy_row = String::new();
        let is_in_place =
            self.inputs.iter().any(|input| self.outputs.iter().any(|o| o.base == input.base));
        if is_in_place {
            copy_row.push_str(
                "        // The row before may end in the data block in which this one begins.\n",
            );
            copy_row.push_str("        rows::WaitFor<HardEvent::MTE3_MTE2>();\n");
        }
        for index in &own {
            let array = &self.inputs[*index];
            let count = format!("static_cast<uint32_t>({})", longest(array, "row"));
            let _ = writeln!(copy_row, "        {}", copy_in(array, "row", "0", &count));
        }

        // Room.
        let mut bytes = 0u64;
        for array in &self.inputs {
            bytes += 2 * array.ty.size();
        }
        for array in &self.outputs {
            bytes += 2 * array.ty.size();
        }
        bytes += self.slots as u64 * 4;
        let mut bits = self.masks as u64;
        if self.places {
            bytes += 4;
        }
        // Work space of reductions: a result and an index for each 64 elements.
        bits += 1;
        let fixed = 64 + self.results.len() as u64 * 256 * 8 + 32 * 16;
        let piece = (BUFFER_BYTES - fixed) * 8 / (bytes * 8 + bits) / 256 * 256;
        let piece = piece.min(MAX_PIECE);
        if piece < 256 {
            return Err(refuse("a row's values leave no room in the unified buffer"));
        }

        // All of it.
        let names: Vec<(String, u32)> = self
            .function
            .parameters
            .iter()
            .enumerate()
            .filter(|(index, _)| {
                self.scalars.tensors.keys().any(|(base, _)| *base == Base::Argument(*index as u32))
            })
            .map(|(index, p)| (p.name.clone(), index as u32))
            .collect();
        let list: String = names.iter().map(|(name, _)| format!("GM_ADDR {name}, ")).collect();
        let _ = writeln!(text, "class {class} {{\npublic:");
        let _ = writeln!(text, "    __aicore__ inline {class}() {{}}");
        let _ = writeln!(
            text,
            "    __aicore__ inline void Init({list}const {tiling}& tiling)\n    {{\n        tiling_ = tiling;"
        );
        text.push_str("        // Neighbouring rows stay on one core.\n");
        text.push_str("        firstRow_ = tiling.rows * GetBlockIdx() / GetBlockNum();\n");
        text.push_str("        lastRow_ = tiling.rows * (GetBlockIdx() + 1) / GetBlockNum();\n");
        for ((base, ty), name) in &self.scalars.tensors {
            let Base::Argument(index) = base else { continue };
            let from =
                self.function.parameters.get(*index as usize).map_or("", |p| p.name.as_str());
            let _ = writeln!(
                text,
                "        {name}.SetGlobalBuffer(reinterpret_cast<__gm__ {}*>({from}));",
                element_type(*ty)?
            );
        }
        for array in &self.inputs {
            let _ = writeln!(
                text,
                "        pipe_.InitBuffer(inQueue{}_, rows::BUFFER_NUM, PIECE * sizeof({}));",
                array.name,
                element_type(array.ty)?
            );
        }
        for array in &self.outputs {
            let _ = writeln!(
                text,
                "        pipe_.InitBuffer(outQueue{}_, rows::BUFFER_NUM, PIECE * sizeof({}));",
                array.name,
                element_type(array.ty)?
            );
        }
        if self.slots > 0 {
            let _ = writeln!(
                text,
                "        pipe_.InitBuffer(valuesBuf_, {} * PIECE * sizeof(float));",
                self.slots
            );
        }
        if self.masks > 0 {
            let _ =
                writeln!(text, "        pipe_.InitBuffer(maskBuf_, {} * PIECE / 8);", self.masks);
        }
        text.push_str("        pipe_.InitBuffer(workBuf_, PIECE / 8);\n");
        if self.places {
            text.push_str("        pipe_.InitBuffer(placesBuf_, PIECE * sizeof(float));\n");
            text.push_str("        rows::CountUp(placesBuf_.Get<float>(), PIECE);\n");
        }
        for (base, ty, name) in &self.results {
            let gm = self.scalars.tensors.get(&(*base, *ty)).cloned().unwrap_or_default();
            let _ = writeln!(text, "        {name}.Init(pipe_, {gm});");
        }
        text.push_str("    }\n\n    __aicore__ inline void Process()\n    {\n");
        text.push_str(&process);
        text.push_str("    }\n\nprivate:\n");
        if let Some(is_row) = &is_row {
            let _ = writeln!(
                text,
                "    __aicore__ inline bool IsRow(int64_t row) const {{ return {is_row}; }}"
            );
        }
        text.push_str(&length_texts);
        text.push_str(&copies);
        if !own.is_empty() {
            let _ = write!(
                text,
                "    __aicore__ inline void CopyInRow(int64_t row)\n    {{\n{copy_row}    }}\n"
            );
        }
        for method in methods {
            text.push('\n');
            text.push_str(&method.text);
        }
        let _ = write!(
            text,
            "\n    // A row of one piece.\n    __aicore__ inline void ProcessRow(int64_t row)\n    {{\n{}{process_row}    }}\n",
            with_work(&process_row)
        );
        let _ = write!(
            text,
            "    // A row of several pieces, which come again for each loop over it.\n    __aicore__ inline void ProcessLongRow(int64_t row)\n    {{\n{}{long}    }}\n\n",
            with_work(&long)
        );
        let _ = writeln!(text, "    // Elements that are handled together.");
        let _ = writeln!(text, "    static constexpr uint32_t PIECE = {piece};");
        let _ = writeln!(text, "    {tiling} tiling_;\n    TPipe pipe_;");
        for array in &self.inputs {
            let _ = writeln!(
                text,
                "    TQue<TPosition::VECIN, rows::BUFFER_NUM> inQueue{}_;",
                array.name
            );
        }
        for array in &self.outputs {
            let _ = writeln!(
                text,
                "    TQue<TPosition::VECOUT, rows::BUFFER_NUM> outQueue{}_;",
                array.name
            );
        }
        if self.slots > 0 {
            text.push_str("    TBuf<TPosition::VECCALC> valuesBuf_;\n");
        }
        if self.masks > 0 {
            text.push_str("    TBuf<TPosition::VECCALC> maskBuf_;\n");
        }
        text.push_str("    TBuf<TPosition::VECCALC> workBuf_;\n");
        if self.places {
            text.push_str("    TBuf<TPosition::VECCALC> placesBuf_;\n");
        }
        for index in &kept {
            let array = &self.inputs[*index];
            let _ = writeln!(
                text,
                "    LocalTensor<{}> {}_;",
                element_type(array.ty)?,
                local(&array.name)
            );
        }
        for ((_, ty), name) in &self.scalars.tensors {
            let _ = writeln!(text, "    GlobalTensor<{}> {name};", element_type(*ty)?);
        }
        for (_, ty, name) in &self.results {
            let _ = writeln!(text, "    rows::RowResults<{}> {name};", element_type(*ty)?);
        }
        for (name, ty, _) in &self.members {
            let _ = writeln!(text, "    {ty} {name};");
        }
        text.push_str("    int64_t firstRow_;\n    int64_t lastRow_;\n};\n");
        Ok(())
    }
}

fn neutral(fold: Fold) -> String {
    float_text(match fold {
        Fold::Sum => 0.0,
        Fold::Maximum => f32::NEG_INFINITY,
        Fold::Minimum => f32::INFINITY,
    })
}

/// `Input` as `input`.
fn lower(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().collect::<String>() + chars.as_str())
}

/// The local tensor of an array.
fn local(name: &str) -> String {
    lower(name)
}
