//! The class of a kernel: buffers, the loop over tiles or blocks, and the statements of one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use port_backend::Status;
use port_backend::text::names::Names;
use port_ir::{Function, Type};

use super::engine::{GlobalRoot, Merged, State, StorageKind, scalar_type};
use super::ir::{self, Node, Places};
use super::shape::Lanes;
use super::tidy;
use crate::host::text::{camel_case, has_word, wrapped};
use crate::kernel::{Context, DeviceKernel, Request, TilingField, Unit};

pub(super) struct Written<'w, 'a> {
    pub context: &'w Context<'w, 'a>,
    pub request: &'w Request,
    pub function: &'w Function,
    pub lanes: Lanes,
    pub places: &'w Places,
    pub nodes: &'w [Node],
    /// Bytes of values for each lane.
    pub values: u32,
    /// Input and output buffers.
    pub buffers: (u32, u32),
    /// Lanes of a tile.
    pub tile: u64,
    /// The threads that have an element each, where any number of threads does the same.
    pub threads: Option<String>,
    pub static_shared: u64,
    pub dynamic: bool,
    pub state: State,
}

impl Written<'_, '_> {
    pub fn kernel(mut self) -> DeviceKernel {
        let module = self.context.program.module;
        let class = format!("Kernel{}", camel_case(&self.request.name));
        let tiling = format!("{}Tiling", camel_case(&self.request.name));
        let pointers: Vec<u32> = self
            .function
            .parameters
            .iter()
            .enumerate()
            .filter(|(_, p)| matches!(p.ty, Type::Pointer(_)))
            .map(|(i, _)| i as u32)
            .collect();
        let symbols: BTreeSet<_> = self
            .state
            .views
            .keys()
            .filter_map(|(root, _)| match root {
                GlobalRoot::Symbol(variable) => Some(*variable),
                GlobalRoot::Argument(_) => None,
            })
            .collect();
        let symbols: Vec<_> = symbols.into_iter().collect();
        let mut names: Vec<String> = Vec::new();
        for index in &pointers {
            names.push(self.function.parameters[*index as usize].name.clone());
        }
        for symbol in &symbols {
            names.push(module.variables[*symbol].name.replace("::", "_"));
        }
        let blocks = self.schedule();
        let mut text = String::new();
        let _ = writeln!(text, "class {class} {{\npublic:");
        let _ = writeln!(text, "    __aicore__ inline {class}() {{}}");
        let list: Vec<String> = names.iter().map(|name| format!("GM_ADDR {name}")).collect();
        let mut own = vec![format!("const {tiling}& tiling")];
        let merges = !self.state.merged.is_empty();
        if merges {
            own.insert(0, "GM_ADDR workspace".to_owned());
        }
        let list: Vec<&str> = list.iter().chain(&own).map(String::as_str).collect();
        let head = wrapped("    __aicore__ inline void Init(", &list, ")");
        let _ = writeln!(text, "{head}\n    {{");
        text.push_str("        tiling_ = tiling;\n");
        for ((root, ty), name) in &self.state.views {
            let from = match root {
                GlobalRoot::Argument(index) => {
                    self.function.parameters[*index as usize].name.clone()
                }
                GlobalRoot::Symbol(variable) => module.variables[*variable].name.replace("::", "_"),
            };
            if ty.is_empty() {
                let _ = writeln!(text, "        {name} = {from};");
            } else {
                let _ = writeln!(
                    text,
                    "        {name}.SetGlobalBuffer(reinterpret_cast<__gm__ {ty}*>({from}));"
                );
            }
        }
        let extents = match self.lanes {
            Lanes::Grid | Lanes::Row => "tiling.tileLanes, 1, 1".to_owned(),
            Lanes::Block => "tiling.blockDimX, tiling.blockDimY, tiling.blockDimZ".to_owned(),
        };
        let shared = self.static_shared.div_ceil(32) * 32;
        let fixed = match (shared, self.dynamic) {
            (0, false) => "0",
            (0, true) => "tiling.dynamicBytes",
            (_, false) => "SHARED_BYTES",
            (_, true) => "SHARED_BYTES + tiling.dynamicBytes",
        };
        let buffers = match self.buffers {
            (2, 2) => String::new(),
            (2, output) => format!(", lanes::INPUT_BUFFERS, {output}"),
            (input, output) => format!(", {input}, {output}"),
        };
        let coordinates = if self.state.coordinates { super::COORDINATE_BYTES } else { 0 };
        let _ = writeln!(
            text,
            "        lanes.Init(pipe_, {extents}, INPUT_BYTES, OUTPUT_BYTES, VALUE_BYTES, {fixed}{buffers});"
        );
        if self.state.coordinates {
            text.push_str("        lanes.Coordinates();\n");
        }
        if self.state.uses_shared {
            let _ = writeln!(
                text,
                "        shared_ = lanes.memory.GetWithOffset<uint8_t>({fixed}, 0);"
            );
        }
        text.push_str("        values_ = lanes.next;\n");
        if merges {
            text.push_str("        workspace_ = workspace;\n");
        }
        text.push_str("    }\n");
        self.process(&mut text);
        let _ = writeln!(
            text,
            "private:\n    \
             // Bytes of a lane: in an input buffer, in an output buffer, and of its values.\n    \
             static constexpr uint32_t INPUT_BYTES = {};\n    \
             static constexpr uint32_t OUTPUT_BYTES = {};\n    \
             static constexpr uint32_t VALUE_BYTES = {};\n",
            self.state.input.max(4),
            self.state.output.max(4),
            self.values + coordinates
        );
        if shared > 0 {
            let end = text.trim_end().len();
            text.truncate(end);
            let _ = writeln!(
                text,
                "\n    // Shared memory of the kernel's own.\n    \
                 static constexpr uint32_t SHARED_BYTES = {shared};\n"
            );
        }
        text.push_str(
            "    // Values of all lanes, `parts` for each; they begin `offset` bytes a lane into the buffer. Values that are\n    \
             // not needed at the same time share a place.\n    \
             template <typename T, uint32_t parts = 1>\n    \
             __aicore__ inline LocalTensor<T> Lanes(uint32_t offset)\n    {\n        \
             return lanes.memory.GetWithOffset<T>(parts * lanes.padded, values_ + offset * lanes.padded);\n    }\n\n",
        );
        self.step(&mut text);
        let _ =
            writeln!(text, "\n    TPipe pipe_;\n    lanes::Block lanes;\n    {tiling} tiling_;");
        for ((_, ty), name) in &self.state.views {
            if ty.is_empty() {
                let _ = writeln!(text, "    GM_ADDR {name};");
            } else {
                let _ = writeln!(text, "    GlobalTensor<{ty}> {name};");
            }
        }
        if self.state.uses_shared {
            text.push_str("    LocalTensor<uint8_t> shared_;\n");
        }
        for name in &self.state.held {
            let _ = writeln!(text, "    lanes::Held {name};");
        }
        for name in &self.state.kept {
            let _ = writeln!(text, "    lanes::HeldRows {name};");
        }
        text.push_str("    uint32_t values_;\n");
        if merges {
            text.push_str("    // Numbers of this core, which the first core puts together.\n");
            for Merged { name, ty, start, .. } in &self.state.merged {
                let _ = writeln!(text, "    {ty} {name} = {start};");
            }
            text.push_str("    GM_ADDR workspace_;\n");
        }
        text.push_str("};\n");
        if merges {
            names.push("workspace".to_owned());
        }
        let arguments = if names.is_empty() { String::new() } else { names.join(", ") + ", " };
        let entry =
            format!("    {class} op;\n    op.Init({arguments}tiling);\n    op.Process();\n");
        debug_assert!(!text.contains("\n\n\n"), "an empty line is enough");
        DeviceKernel {
            lowering: match self.lanes {
                Lanes::Grid | Lanes::Row => "flatten",
                Lanes::Block => "block",
            },
            status: Status::Ported,
            reason: None,
            unit: Unit::Vector,
            pointers,
            symbols,
            tiling: std::mem::take(&mut self.state.tiling),
            blocks,
            workspace: merges.then(|| format!("cores * {}", 32 * self.state.merged.len())),
            includes: BTreeSet::new(),
            definitions: text,
            entry,
            ..template()
        }
    }

    /// What the host computes for the loop over tiles or blocks; gives the number of cores.
    fn schedule(&mut self) -> String {
        let field = |ty: &str, name: &str, value: &str, comment: &str| TilingField {
            ty: ty.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            comment: comment.to_owned(),
        };
        let tile = self.tile;
        // What tiles share is copied for each of them.
        let share = if self.state.gathers { 2 } else { 4 };
        let lanes = if self.threads.is_some() { "threads" } else { "blockDimX" };
        let mut fields = match self.lanes {
            Lanes::Grid => vec![
                match &self.threads {
                    None => field(
                        "uint64_t",
                        "threads",
                        "static_cast<uint64_t>(grid.x) * block.x",
                        "threads of a row of blocks",
                    ),
                    Some(threads) => field(
                        "uint64_t",
                        "threads",
                        &lane_each(threads),
                        "elements, with a lane each",
                    ),
                },
                field(
                    "uint32_t",
                    "tileLanes",
                    &format!(
                        "TileLanes(threads, static_cast<uint64_t>(grid.y) * grid.z, cores, {tile}, {share})"
                    ),
                    "threads that are handled together",
                ),
                field(
                    "uint32_t",
                    "tiles",
                    "static_cast<uint32_t>((threads + tileLanes - 1) / tileLanes)",
                    "tiles of a row",
                ),
                field("uint32_t", "rowsY", "grid.y", "rows of blocks"),
                field("uint32_t", "rowsZ", "grid.z", "layers of rows of blocks"),
            ],
            Lanes::Row => vec![
                match &self.threads {
                    None => field("uint32_t", "blockDimX", "block.x", "threads of a block in x"),
                    Some(threads) => {
                        let elements = "elements of a block's row, with a lane each";
                        field("uint64_t", "threads", &lane_each(threads), elements)
                    }
                },
                field("uint32_t", "blockDimY", "block.y", "in y"),
                field("uint32_t", "blockDimZ", "block.z", "in z"),
                field("uint32_t", "gridDimX", "grid.x", "blocks in x"),
                field("uint32_t", "gridDimY", "grid.y", "in y"),
                field("uint32_t", "gridDimZ", "grid.z", "in z"),
                field(
                    "uint32_t",
                    "tileLanes",
                    &format!(
                        "TileLanes({lanes}, static_cast<uint64_t>(blockDimY) * blockDimZ * gridDimX * gridDimY * gridDimZ, cores, {tile}, {share})"
                    ),
                    "threads that are handled together",
                ),
                field(
                    "uint32_t",
                    "tiles",
                    &format!("static_cast<uint32_t>(({lanes} + tileLanes - 1) / tileLanes)"),
                    "tiles of a block's row",
                ),
            ],
            Lanes::Block => vec![
                field("uint32_t", "blockDimX", "block.x", "threads of a block in x"),
                field("uint32_t", "blockDimY", "block.y", "in y"),
                field("uint32_t", "blockDimZ", "block.z", "in z"),
                field("uint32_t", "gridDimX", "grid.x", "blocks in x"),
                field("uint32_t", "gridDimY", "grid.y", "in y"),
                field("uint32_t", "gridDimZ", "grid.z", "in z"),
            ],
        };
        if self.dynamic {
            fields.push(field(
                "uint32_t",
                "dynamicBytes",
                "static_cast<uint32_t>((shared + 31) / 32 * 32)",
                "dynamic shared memory",
            ));
        }
        let work = match self.lanes {
            Lanes::Grid => "static_cast<uint64_t>(tiles) * rowsY * rowsZ",
            Lanes::Row => {
                "static_cast<uint64_t>(tiles) * blockDimY * blockDimZ * gridDimX * gridDimY * gridDimZ"
            }
            Lanes::Block => "static_cast<uint64_t>(gridDimX) * gridDimY * gridDimZ",
        };
        if !self.state.held.is_empty() {
            let rows = match self.lanes {
                Lanes::Grid => "static_cast<uint64_t>(rowsY) * rowsZ",
                _ => {
                    "static_cast<uint64_t>(blockDimY) * blockDimZ * gridDimX * gridDimY * gridDimZ"
                }
            };
            fields.push(field("uint64_t", "rows", rows, "rows in all"));
        }
        fields.push(field("uint64_t", "work", work, "tiles or blocks in all"));
        fields.append(&mut self.state.tiling);
        self.state.tiling = fields;
        if self.state.one_core {
            return "1".to_owned();
        }
        "static_cast<uint32_t>(work < cores ? work : cores)".to_owned()
    }

    /// Whether the statements of a tile or block ask for a number of the block.
    fn asks_for(&self, word: &str) -> bool {
        fn any(nodes: &[Node], word: &str) -> bool {
            nodes.iter().any(|node| match node {
                Node::Line(line) => !line.starts_with("//") && has_word(line, word),
                Node::Nest { head, body, .. } => has_word(head, word) || any(body, word),
            })
        }
        any(self.nodes, word)
    }

    /// What a tile or block is given: parameters, and what the loop over all of them gives for each.
    fn place(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let tile = match self.state.held.is_empty() {
            true => ("int64_t", "tileStart", "work % tiling_.tiles * tiling_.tileLanes"),
            false => ("int64_t", "tileStart", "work / tiling_.rows * tiling_.tileLanes"),
        };
        match self.lanes {
            Lanes::Grid => vec![
                tile,
                ("uint32_t", "blockY", "row % tiling_.rowsY"),
                ("uint32_t", "blockZ", "row / tiling_.rowsY"),
            ],
            Lanes::Row => vec![
                tile,
                ("uint32_t", "threadY", "row % tiling_.blockDimY"),
                ("uint32_t", "threadZ", "layer % tiling_.blockDimZ"),
                ("uint32_t", "blockX", "block % tiling_.gridDimX"),
                ("uint32_t", "blockY", "blockRow % tiling_.gridDimY"),
                ("uint32_t", "blockZ", "blockRow / tiling_.gridDimY"),
            ],
            Lanes::Block => vec![
                ("uint32_t", "blockX", "work % tiling_.gridDimX"),
                ("uint32_t", "blockY", "row % tiling_.gridDimY"),
                ("uint32_t", "blockZ", "row / tiling_.gridDimY"),
            ],
        }
        .into_iter()
        .filter(|(_, name, _)| *name == "tileStart" || self.asks_for(name))
        .collect()
    }

    fn process(&self, text: &mut String) {
        text.push_str("    __aicore__ inline void Process()\n    {\n");
        let row = if self.state.held.is_empty() {
            text.push_str("        for (uint64_t work = GetBlockIdx(); work < tiling_.work; work += GetBlockNum()) {\n");
            "work / tiling_.tiles"
        } else {
            text.push_str(
                "        // The same columns of one row after the other, so that what all rows share stays.\n        \
                 const uint64_t end = tiling_.work * (GetBlockIdx() + 1) / GetBlockNum();\n        \
                 for (uint64_t work = tiling_.work * GetBlockIdx() / GetBlockNum(); work < end; ++work) {\n",
            );
            "work % tiling_.rows"
        };
        // Each number is that of the one before without its fastest part.
        let numbers: &[(&str, &str)] = match self.lanes {
            Lanes::Grid => &[("row", row)],
            Lanes::Row => &[
                ("row", row),
                ("layer", "row / tiling_.blockDimY"),
                ("block", "layer / tiling_.blockDimZ"),
                ("blockRow", "block / tiling_.gridDimX"),
            ],
            Lanes::Block => &[("row", "work / tiling_.gridDimX")],
        };
        let place = self.place();
        let mut needed: Vec<&str> = place.iter().map(|(_, _, value)| *value).collect();
        for (name, value) in numbers.iter().rev() {
            if needed.iter().any(|text| has_word(text, name)) {
                needed.push(value);
            }
        }
        for (name, value) in numbers {
            if needed.iter().any(|text| has_word(text, name)) {
                let _ = writeln!(text, "            const uint64_t {name} = {value};");
            }
        }
        let step = if self.lanes == Lanes::Block { "ProcessBlock" } else { "ProcessTile" };
        let values: Vec<&str> = place.iter().map(|(_, _, value)| *value).collect();
        let call = wrapped(&format!("            {step}("), &values, ");");
        let _ = writeln!(text, "{call}\n        }}");
        for (index, merged) in self.state.merged.iter().enumerate() {
            let Merged { name, ty, step, view, at, .. } = merged;
            let own = match index {
                0 => "workspace_".to_owned(),
                _ => format!("workspace_ + {} * GetBlockNum()", 32 * index),
            };
            let _ = writeln!(
                text,
                "        lanes::Merge<{ty}, lanes::Step::{step}>(lanes, {view}, {at}, {name}, {own});"
            );
        }
        text.push_str("    }\n\n");
    }

    fn step(&self, text: &mut String) {
        let step = if self.lanes == Lanes::Block { "ProcessBlock" } else { "ProcessTile" };
        let place: Vec<String> =
            self.place().iter().map(|(ty, name, _)| format!("{ty} {name}")).collect();
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let head = wrapped(&format!("    __aicore__ inline void {step}("), &place, ")");
        let _ = writeln!(text, "{head}\n    {{");
        let everyone = match self.lanes {
            Lanes::Grid => "lanes.First(static_cast<int64_t>(tiling_.threads) - tileStart)",
            Lanes::Row if self.threads.is_some() => {
                "lanes.First(static_cast<int64_t>(tiling_.threads) - tileStart)"
            }
            Lanes::Row => "lanes.First(tiling_.blockDimX - tileStart)",
            Lanes::Block => "lanes.All()",
        };
        if self.asks_for("everyone") {
            let _ = writeln!(text, "        const lanes::Box everyone = {everyone};");
        }
        let mut body = String::new();
        for storage in self.state.storage.values() {
            match storage.kind {
                StorageKind::Scalars => {
                    for (leaf, name) in storage.leaves.iter().zip(&storage.names) {
                        let _ = writeln!(
                            body,
                            "        {} {name} = 0;",
                            scalar_type(leaf.scalar).unwrap_or("float")
                        );
                    }
                }
                StorageKind::Array => {
                    let ty = storage
                        .leaves
                        .first()
                        .and_then(|l| scalar_type(l.scalar))
                        .unwrap_or("float");
                    let _ = writeln!(
                        body,
                        "        {ty} {}[{}] = {{}};",
                        storage.names[0],
                        storage.leaves.len()
                    );
                }
                StorageKind::Pointer => {
                    let _ = writeln!(body, "        GM_ADDR {} = nullptr;", storage.names[0]);
                }
                StorageKind::Offset => {
                    let _ = writeln!(body, "        int64_t {} = 0;", storage.names[0]);
                }
                StorageKind::Vectors | StorageKind::Words => {}
            }
        }
        let (tile, places, nodes) = ir::with_temporaries(&self.state.tile, self.places, self.nodes);
        let bytes = |name: &str| {
            let (from, slot) = (places.offsets.get(name)?, tile.slots.get(name)?);
            Some((*from, from + slot.bytes))
        };
        let nodes = tidy::unrepeated(&tile, &bytes, nodes);
        ir::write(&tile, &places, &nodes, 2, &mut body);
        let reserved = Names::new(self.context.options.reserved, super::RESERVED);
        let is_free = |name: &str| reserved.clone().fresh(name) == name;
        text.push_str(&tidy::short_names(&body, &is_free));
        text.push_str("    }\n");
    }
}

/// At least one thread: a launch has work.
fn lane_each(threads: &str) -> String {
    format!("static_cast<uint64_t>({threads} > 1 ? {threads} : 1)")
}

/// The statements as they are written.
pub(super) fn finished(nodes: Vec<Node>, state: &State) -> Vec<Node> {
    let nodes = needed(passed(&nodes, &state.counted));
    let fields = state.tiling.iter().map(|field| (field.name.as_str(), field.ty.as_str()));
    let members = state.views.iter().filter(|((_, ty), _)| ty.is_empty());
    let members = members.map(|(_, name)| (name.as_str(), "GM_ADDR"));
    let variables = state.storage.values().flat_map(|storage| {
        let ty = |index: usize| match storage.kind {
            StorageKind::Scalars => storage.leaves.get(index).and_then(|l| scalar_type(l.scalar)),
            StorageKind::Pointer => Some("GM_ADDR"),
            StorageKind::Offset => Some("int64_t"),
            _ => None,
        };
        let typed = move |(index, name): (usize, &'_ String)| Some((name.clone(), ty(index)?));
        storage.names.iter().enumerate().filter_map(typed).collect::<Vec<_>>()
    });
    let variables: Vec<(String, &str)> = variables.collect();
    let variables = variables.iter().map(|(name, ty)| (name.as_str(), *ty));
    let nodes = tidy::tidy(
        &state.tile,
        nodes,
        &tidy::Known::new(fields, members, variables),
        state.one_core,
    );
    needed(nodes)
}

/// Counts the passes of loops where somebody asks for them.
fn passed(nodes: &[Node], counted: &BTreeSet<u32>) -> Vec<Node> {
    nodes
        .iter()
        .filter_map(|node| match node {
            Node::Line(line) => match line.strip_prefix("PASSED(") {
                Some(id) => {
                    let id: u32 = id.trim_end_matches(')').parse().ok()?;
                    counted.contains(&id).then(|| Node::Line(format!("++passes{id};")))
                }
                None => Some(node.clone()),
            },
            Node::Nest { head, body, repeats } => Some(Node::Nest {
                head: head.clone(),
                body: passed(body, counted),
                repeats: *repeats,
            }),
        })
        .collect()
}

/// The name that a line defines, if all it does is define a constant.
fn defines(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("const ")?;
    let (head, _) = rest.split_once(" = ")?;
    // What moves data is done for its effect too.
    (!line.contains("lanes.LoadOne") && !line.contains("lanes.Decompose"))
        .then(|| head.rsplit(' ').next())?
}

fn count_words<'t>(nodes: &'t [Node], counts: &mut BTreeMap<&'t str, u32>) {
    for node in nodes {
        let line = match node {
            Node::Line(line) if line.starts_with("//") => continue,
            Node::Line(line) => line,
            Node::Nest { head, body, .. } => {
                count_words(body, counts);
                head
            }
        };
        for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            *counts.entry(word).or_default() += 1;
        }
    }
}

fn without(nodes: &[Node], unused: &BTreeSet<String>) -> Vec<Node> {
    nodes
        .iter()
        .filter_map(|node| match node {
            Node::Line(line) => {
                let gone = defines(line).is_some_and(|name| unused.contains(name));
                (!gone).then(|| node.clone())
            }
            Node::Nest { head, body, repeats } => {
                let body = without(body, unused);
                let plain = head.is_empty() || head.starts_with("if (");
                (!(body.is_empty() && head.is_empty() && plain)).then(|| Node::Nest {
                    head: head.clone(),
                    body,
                    repeats: *repeats,
                })
            }
        })
        .collect()
}

fn definitions(nodes: &[Node], names: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Line(line) => names.extend(defines(line).map(str::to_owned)),
            Node::Nest { body, .. } => definitions(body, names),
        }
    }
}

/// Without constants that nobody asks for.
fn needed(mut nodes: Vec<Node>) -> Vec<Node> {
    // Each round takes what the last one left unused; chains are short.
    for _ in 0..8 {
        let mut counts = BTreeMap::new();
        count_words(&nodes, &mut counts);
        let mut names = Vec::new();
        definitions(&nodes, &mut names);
        let unused: BTreeSet<String> =
            names.into_iter().filter(|name| counts.get(name.as_str()) == Some(&1)).collect();
        if unused.is_empty() {
            break;
        }
        nodes = without(&nodes, &unused);
    }
    nodes
}

/// The fields that this form does not set.
fn template() -> DeviceKernel {
    DeviceKernel {
        lowering: "",
        status: Status::Ported,
        reason: None,
        unit: Unit::Vector,
        threads: None,
        proven_for: None,
        apart: Vec::new(),
        pointers: Vec::new(),
        symbols: Vec::new(),
        tiling: Vec::new(),
        blocks: String::new(),
        workspace: None,
        includes: BTreeSet::new(),
        definitions: String::new(),
        entry: String::new(),
    }
}
