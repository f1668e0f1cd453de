//! The class of a kernel over rows: `CopyIn…`, a method for each loop over a row, `CopyOut…`.
//!
//! A row that fits into the unified buffer is copied in once, while the row before it is computed,
//! and its tensors stay for all loops. A longer one goes through in pieces, once for each loop.

mod apart;
mod class;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use port_backend::Status;
use port_backend::text::names::Names;
use port_diag::SourceMap;
use port_ir::{Builtin, CompareOp, Conversion, Function, Location, Module, Scalar, Type, UnaryOp};

use super::execute::{Executor, Item, Result, Rows, Store};
use super::graph::{Base, Fold, Graph, Id, Op};
use super::phase::{Phase, Reduction, VectorStore};
use super::scalars::{Scalars, camel};
use super::vector::{Vectors, element_type};
use crate::code::{float_text, refuse};
use crate::host::text::{camel_case, has_word};
use crate::kernel::{DeviceKernel, Request, TilingField, Unit};
use crate::tile::BUFFER_BYTES;

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
    formulas: &'w BTreeMap<u32, Id>,
    /// Lengths of phases that write a row that others write otherwise.
    exclusive: BTreeSet<Id>,
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
    let Executor {
        module,
        function,
        shape,
        graph,
        items,
        reductions,
        formulas,
        rows,
        guards,
        names,
        ..
    } = made;
    if !items.iter().any(|item| matches!(item, Item::Phase(_))) || reductions.is_empty() {
        return Err(refuse("it reduces no rows"));
    }
    check(&graph, &items, &reductions, &rows)?;
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
        formulas: &formulas,
        exclusive: BTreeSet::new(),
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
fn check(graph: &Graph, items: &[Item], reductions: &[Reduction], rows: &Rows) -> Result<()> {
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
        let is_unknown = graph.any(*root, &|op| {
            matches!(op, Op::Carried(_) | Op::Partial(..) | Op::Scaled(..) | Op::Undefined)
        });
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
    // Blocks have no order, so that what one reads no other writes; the passes of one block have.
    let mut seen = BTreeSet::new();
    let mut open: Vec<Id> = roots;
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = graph.node(id);
        if let Op::Vector(base, _) = node.op
            && is_grid
            && stored.contains(&base)
        {
            let own = offsets(base);
            let Some(offset) = node.args.first() else { continue };
            if own.len() != 1 || !own.contains(offset) {
                return Err(refuse("it reads what other rows may write"));
            }
        }
        open.extend(&node.args);
    }
    // Single elements are read before the row writes.
    let mut written: BTreeSet<Base> = BTreeSet::new();
    for item in items {
        let (roots, bases) = match item {
            Item::Phase(phase) => {
                let mut roots = phase_roots(phase, reductions);
                roots.push(phase.length);
                roots.extend(phase.guards.iter().copied());
                (roots, phase.stores.iter().map(|store| store.base).collect())
            }
            Item::Store(store) => {
                let mut roots = vec![store.value];
                roots.extend(store.guards.iter().copied());
                (roots, vec![store.base])
            }
        };
        for root in roots {
            let is_late =
                graph.any(root, &|op| matches!(op, Op::Load(base, _) if written.contains(base)));
            let is_early =
                graph.any(root, &|op| matches!(op, Op::Load(base, _) if stored.contains(base)));
            // A phase's values may be computed anew for each piece, which an earlier one has written.
            let is_phase = matches!(item, Item::Phase(_));
            if is_late || is_early && (is_phase || is_grid) {
                return Err(refuse("it reads single elements of what it writes"));
            }
        }
        written.extend::<Vec<Base>>(bases);
    }
    Ok(())
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
        self.exclusive = Self::exclusive(self.graph, &phases);

        // The arrays of a row.
        for phase in &phases {
            for root in phase_roots(phase, self.reductions) {
                for id in vectors(self.graph, root) {
                    self.input(id, phase.length, is_fixed)?;
                }
            }
            for store in &phase.stores {
                self.output(store, phase)?;
            }
        }
        for (index, reduction) in self.reductions.iter().enumerate() {
            if self.formulas.contains_key(&(index as u32)) {
                continue;
            }
            let member = match reduction.after.and_then(|r| self.scalars.totals.get(&r)) {
                Some(member) => member.clone(),
                None => {
                    let wish = match reduction.name.as_str() {
                        "" => "total",
                        name => name,
                    };
                    let name = format!("{}_", self.scalars.names.fresh(&camel(wish)));
                    let ty = if reduction.fold == Fold::First { "int64_t" } else { "float" };
                    self.members.push((name.clone(), ty, String::new()));
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
                            None if reduction.fold == Fold::First => "-1".to_owned(),
                            None => neutral(reduction.fold),
                        };
                        let member = self.scalars.totals[index].clone();
                        let _ = writeln!(pending, "        {member} = {start};");
                    }
                    between.push(std::mem::take(&mut pending));
                    let method = self.method(phase, &made_by)?;
                    for store in &phase.stores {
                        if let Some(output) = self.output_of(store, phase.length) {
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

        let count_name = self.scalars.names.fresh("rowCount");
        let mut text = String::new();
        self.class(
            &count_name,
            &mut text,
            &class,
            &tiling,
            &phases,
            &between,
            &methods,
            guards,
            is_fixed,
        )?;

        // The frame.
        self.scalars.is_host = true;
        let count = match rows {
            Rows::Groups => self.scalars.groups(),
            Rows::Loop(count) => {
                let count = self.scalars.text(self.graph, *count)?;
                format!("static_cast<int64_t>({count}) > 0 ? static_cast<int64_t>({count}) : 0")
            }
        };
        let apart = self.kept_apart(&phases);
        let mut fields = vec![TilingField {
            ty: "int64_t".to_owned(),
            name: count_name.clone(),
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
            blocks: format!(
                "static_cast<uint32_t>({count_name} == 0 ? 1 : {count_name} < cores ? {count_name} : cores)"
            ),
            threads: None,
            proven_for: None,
            apart,
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

    fn output_of(&self, store: &VectorStore, length: Id) -> Option<usize> {
        self.outputs
            .iter()
            .position(|a| a.is(store.base, store.offset, store.ty) && a.lengths.contains(&length))
    }

    /// The lengths of phases of which only one happens to a row.
    fn exclusive(graph: &Graph, phases: &[&Phase]) -> BTreeSet<Id> {
        let is_not = |left: Id, right: Id| {
            let (a, b) = (graph.node(left), graph.node(right));
            let opposite = |x: CompareOp, y: CompareOp| {
                let pairs = [
                    (CompareOp::Equal, CompareOp::NotEqual),
                    (CompareOp::Less, CompareOp::GreaterEqual),
                    (CompareOp::Greater, CompareOp::LessEqual),
                ];
                pairs.contains(&(x, y)) || pairs.contains(&(y, x))
            };
            match (&a.op, &b.op) {
                (Op::Compare(x), Op::Compare(y)) => a.args == b.args && opposite(*x, *y),
                (Op::Unary(UnaryOp::Not), _) => *a.args == [right],
                (_, Op::Unary(UnaryOp::Not)) => *b.args == [left],
                _ => false,
            }
        };
        let apart = |a: &Phase, b: &Phase| {
            a.conditions.iter().any(|x| b.conditions.iter().any(|y| is_not(*x, *y)))
        };
        let mut found = BTreeSet::new();
        for phase in phases {
            let writes = |other: &&&Phase| {
                let pairs =
                    phase.stores.iter().flat_map(|a| other.stores.iter().map(move |b| (a, b)));
                phase.length != other.length
                    && pairs.clone().any(|(a, b)| (a.base, a.offset) == (b.base, b.offset))
            };
            let mut others = phases.iter().filter(writes).peekable();
            if others.peek().is_some() && others.all(|other| apart(phase, other)) {
                found.insert(phase.length);
            }
        }
        found
    }

    fn output(&mut self, store: &VectorStore, phase: &Phase) -> Result<usize> {
        let length = phase.length;
        element_type(store.ty)?;
        let is_same = |a: &Array| a.is(store.base, store.offset, store.ty);
        if let Some(at) = self.output_of(store, length) {
            return Ok(at);
        }
        // Where one row is written in one of several ways, each has an array of its own.
        if self.outputs.iter().any(is_same) && !self.exclusive.contains(&length) {
            return Err(refuse("parts of what it wrote are written again"));
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
                self.shared(self.unrounded(store), &mut wanted);
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
                ty if ty.is_float() => "float",
                _ => "int64_t",
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
            } else if self.graph.node(id).ty.is_float() || matches!(self.graph.op(id), Op::Load(..))
            {
                own.push(id);
            } else {
                open.extend(self.graph.node(id).args.iter().rev());
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

    /// What a row leaves, as it is collected: halves are floats that are rounded together.
    fn unrounded(&self, store: &Store) -> Id {
        let node = self.graph.node(store.value);
        let is_narrow = matches!(store.ty, Scalar::F16 | Scalar::Bf16);
        match (&node.op, &node.args[..]) {
            (Op::Convert(Conversion::FloatToFloat { .. }), [wide])
                if is_narrow && node.ty == store.ty && self.graph.node(*wide).ty == Scalar::F32 =>
            {
                *wide
            }
            _ => store.value,
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
        let value = self.scalars.text(self.graph, self.unrounded(store))?;
        let own = self.graph.node(store.value).ty;
        let value = match store.ty {
            Scalar::F32 if own == Scalar::F32 => value,
            Scalar::F16 | Scalar::Bf16 if own == store.ty => value,
            Scalar::F16 | Scalar::Bf16 | Scalar::F32 => {
                return Err(refuse("a single element of another type is written"));
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
            let Some(output) = self.output_of(store, phase.length) else {
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
}

fn neutral(fold: Fold) -> String {
    float_text(match fold {
        Fold::Sum => 0.0,
        Fold::Maximum => f32::NEG_INFINITY,
        Fold::Minimum => f32::INFINITY,
        Fold::First => -1.0,
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
