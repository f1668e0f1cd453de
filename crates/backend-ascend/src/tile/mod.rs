//! Tiles of vectors: the forms of the 910B's vector unit.
//!
//! * `shape`: what differs between lanes.
//! * `engine`, `value`, `memory`, `control`, `warp`: from the IR of a thread to vectors of lanes.
//! * `ir`: statements over vectors, and where vectors lie in the unified buffer.
//! * `tidy`: statements as a person would write them.
//! * `stride`: loops over elements in steps of the block or grid, which need no loop.
//! * `races`: whether blocks may meet in global memory.
//! * `write`: the class of a kernel.
//!
//! Two choices of lanes make two forms. *Flatten*: threads of a kernel that never work together are
//! lanes of tiles of any length, whatever the user's blocks are. *Block*: the threads of a block are
//! the lanes; shared memory, barriers, shuffles and votes work between them.

mod control;
mod engine;
mod ir;
mod memory;
mod races;
mod shape;
mod stride;
mod tidy;
mod value;
mod warp;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use port_backend::Status;
use port_backend::text::names::Names;
use port_ir::analysis::affine::Affine;
use port_ir::analysis::flow::Root;
use port_ir::{Axis, Builtin, Expression, FunctionKind, StatementKind, Type};

use crate::kernel::{Context, Declarations, DeviceKernel, NotTranslated, Request, Unit};
use crate::support::Library;
use engine::{Active, Engine, GlobalRoot, State};
use shape::{Lanes, Shape};

/// The support code: what a block of lanes can do.
const SUPPORT: &str = include_str!("assets/lanes.h");
/// What the support code needs besides for atomic operations that no unit has.
const ATOMICS: &str = include_str!("assets/atomics.h");
/// Functions of angles.
const ANGLES: &str = include_str!("assets/angles.h");
/// Powers, and what else is made of logarithms and half turns.
const POWERS: &str = include_str!("assets/powers.h");

/// Bytes of the unified buffer, less what the stack of the high-level functions needs.
pub(crate) const BUFFER_BYTES: u64 = 192 * 1024 - 512;
/// Bytes for each lane that the support code takes, without coordinates.
const SCRATCH_BYTES: u32 = 34;
const COORDINATE_BYTES: u32 = 12;
/// Threads of a block where nothing is said about them.
const MAX_THREADS: u64 = 1024;
/// What blocks hold in nearly all programs.
const USUAL_THREADS: u64 = 512;
/// Lanes of a tile, at most.
const MAX_TILE: u64 = 4032;

/// The form of a kernel.
pub(crate) fn kernel(
    context: &Context<'_, '_>,
    request: &Request,
    declarations: &mut Declarations,
) -> Result<DeviceKernel, NotTranslated> {
    let module = context.program.module;
    let function = &module.functions[request.function];
    // Threads of other rows of a block: a block of them fills the lanes better than a row does.
    let rows = function
        .expressions
        .iter()
        .any(|(_, e)| matches!(e, Expression::Builtin(Builtin::ThreadIndex(Axis::Y | Axis::Z))));
    let order = if rows {
        [Lanes::Grid, Lanes::Block, Lanes::Row]
    } else {
        [Lanes::Grid, Lanes::Row, Lanes::Block]
    };
    let mut refused = None;
    let mut made = None;
    for lanes in order {
        let made_once = translate(context, request, lanes, true);
        let tried = match made_once {
            Err(_) if lanes != Lanes::Block => translate(context, request, lanes, false),
            other => other,
        };
        match tried {
            Ok(kernel) => {
                made = Some(kernel);
                break;
            }
            // Why a block is no tile is what a reader wants to know.
            Err(why) if lanes == Lanes::Block => refused = Some(why),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    let Some((made, needs)) = made else {
        let nowhere = port_diag::Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
        let reason = "it has no vector form".to_owned();
        return Err(refused.unwrap_or(NotTranslated { reason, origin: nowhere }));
    };
    declarations.add_support(Library::Lanes, "lanes", SUPPORT);
    if needs.steps {
        declarations.add_support(Library::Lanes, "atomics", ATOMICS);
    }
    if needs.angles {
        declarations.add_support(Library::Lanes, "angles", ANGLES);
    }
    if needs.powers {
        declarations.add_support(Library::Lanes, "powers", POWERS);
    }
    Ok(made)
}

/// Pieces of support code that not every kernel needs.
struct Needs {
    steps: bool,
    angles: bool,
    powers: bool,
}

fn translate(
    context: &Context<'_, '_>,
    request: &Request,
    lanes: Lanes,
    single: bool,
) -> Result<(DeviceKernel, Needs), NotTranslated> {
    let program = context.program;
    let module = program.module;
    let function = &module.functions[request.function];
    let flow = program.flow(request.function);
    let info = program.info(request.function);
    let location = module.functions.location(request.function);
    let refuse = |reason: &str| {
        let nowhere = port_diag::Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
        Err(NotTranslated {
            reason: reason.to_owned(),
            origin: location.map_or(nowhere, |l| l.origin),
        })
    };
    let Some(body) = &function.body else { return refuse("it is not defined here") };
    if !info.poison.is_empty() {
        return refuse("a part of it could not be translated");
    }
    let shape = Shape::of(flow, &module.types, lanes);
    let Some((shared, static_shared)) = Engine::shared_layout(module, &info.variables) else {
        return refuse("its shared memory has no layout");
    };
    let dynamic =
        info.variables.iter().any(|v| module.variables[*v].extent == port_ir::Extent::Dynamic);
    if lanes != Lanes::Block && !shared.is_empty() {
        return refuse("the threads of a block share memory");
    }
    let mut last_use = vec![0u32; function.expressions.len()];
    let mut writes: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    let mut written = BTreeSet::new();
    for (id, entry) in flow.statements() {
        for operand in entry.statement.kind.operands() {
            let last = &mut last_use[operand.index()];
            *last = (*last).max(id.0);
        }
        // A condition is needed until its arms begin; a loop's until its end.
        if let StatementKind::Loop(looping) = &entry.statement.kind
            && let Some(test) = looping.test
        {
            last_use[test.index()] = entry.end.0;
        }
        let pointer = match &entry.statement.kind {
            StatementKind::Store { pointer, .. } | StatementKind::Atomic { pointer, .. } => {
                *pointer
            }
            _ => continue,
        };
        match flow.root(pointer) {
            Root::Local(local) => writes.entry(local).or_default().push(id.0),
            Root::Argument(index) => {
                written.insert(GlobalRoot::Argument(index));
            }
            Root::Variable(variable) => {
                written.insert(GlobalRoot::Symbol(variable));
            }
            Root::Value(_) | Root::Unknown => {
                for local in function.locals.handles().filter(|local| flow.escapes(*local)) {
                    writes.entry(local).or_default().push(id.0);
                }
                for (index, parameter) in function.parameters.iter().enumerate() {
                    if matches!(parameter.ty, Type::Pointer(_)) && !parameter.attributes.read_only {
                        written.insert(GlobalRoot::Argument(index as u32));
                    }
                }
            }
            Root::ArgumentAddress(_) => {}
        }
    }
    for index in (0..function.expressions.len()).rev() {
        let handle = port_ir::Handle::from_index(index);
        let last = last_use[index];
        function.expressions[handle].for_each_operand(|operand| {
            let own = &mut last_use[operand.index()];
            *own = (*own).max(last);
        });
    }
    let taken: Vec<String> = function
        .parameters
        .iter()
        .map(|p| p.name.clone())
        .chain(RESERVED.iter().map(|s| (*s).to_owned()))
        // Counters of loops go by these names.
        .chain(function.names.values().filter(|name| is_counter(name)).cloned())
        .collect();
    let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
    let state = State {
        tile: ir::Tile::default(),
        names: Names::new(context.options.reserved, &taken),
        scopes: vec![(Vec::new(), BTreeMap::new())],
        storage: BTreeMap::new(),
        tiling: Vec::new(),
        views: BTreeMap::new(),
        counted: BTreeSet::new(),
        input: 0,
        output: 0,
        coordinates: false,
        depth: 0,
        loops: Vec::new(),
        returned: None,
        stored: BTreeSet::new(),
        scalar_work: Vec::new(),
        one_core: false,
        next: 0,
        done: BTreeSet::new(),
        vector_work: 0,
        uses_shared: false,
        subject: String::new(),
        uses_steps: false,
        merged: Vec::new(),
        uses_angles: false,
        uses_powers: false,
        flat_used: false,
        held: Vec::new(),
        kept: Vec::new(),
        gathers: false,
        pairs: Vec::new(),
        present: vec![("everyone".to_owned(), 0)],
    };
    let mut engine = Engine {
        module,
        function,
        flow,
        sources: context.options.sources,
        affine: Affine::new(flow, &module.types)
            .with_exact(stride::exact_conversions(flow, &module.types)),
        shape: &shape,
        lanes,
        last_use,
        writes,
        shared,
        state,
        written,
        single: BTreeMap::new(),
        own_elements: false,
        apart: Vec::new(),
    };
    let elements = if single { engine.threads_of_elements() } else { None };
    if let Some(origin) = races::met(module, flow, &mut engine.affine, &shape) {
        engine.state.one_core = true;
        let reason = "blocks may read what others write, so that one core takes all of them";
        engine.state.scalar_work.push((reason.to_owned(), origin));
    }
    engine.block(body, &Active::Box("everyone".to_owned()))?;
    let nodes = engine.close();
    let (state, apart) = (engine.state, engine.apart);
    let nodes = write::finished(nodes, &state);
    let places = ir::place(&state.tile, &nodes);
    let coordinates = if state.coordinates { COORDINATE_BYTES } else { 0 };
    let values = places.bytes.div_ceil(4) * 4;
    let queues = (state.input.max(4), state.output.max(4));
    let bytes_with = |input: u32, output: u32| {
        u64::from(values + SCRATCH_BYTES + coordinates + input * queues.0 + output * queues.1)
    };
    let bound = match function.kind {
        FunctionKind::Kernel(bounds) => bounds.max_threads.map(u64::from),
        FunctionKind::Device => None,
    };
    let (threads, is_known) = most_threads(module, request, bound);
    let fixed = static_shared + if dynamic { 32 * 1024 } else { 0 };
    let room_for = |bytes: u64| BUFFER_BYTES.saturating_sub(fixed) / bytes.max(1) / 64 * 64;
    // Two buffers let a transfer go on while the vector unit works; one will do where there is no room.
    let needed = if lanes == Lanes::Block { threads.div_ceil(64) * 64 } else { 64 };
    let choices = [(2, 2), (2, 1), (1, 1)];
    let fits = |needed: u64| {
        choices.into_iter().find(|(input, output)| room_for(bytes_with(*input, *output)) >= needed)
    };
    let mut most = None;
    let buffers = fits(needed).or_else(|| {
        // Nobody says that blocks are as large as they may be: the launcher holds them to the room.
        let room = room_for(bytes_with(1, 1));
        let serves = !is_known && lanes == Lanes::Block && room >= USUAL_THREADS;
        most = serves.then_some(room);
        serves.then_some((1, 1))
    });
    let Some(buffers) = buffers else {
        return refuse(&format!(
            "its threads hold more values than the unified buffer has room for: {} bytes for each of {threads}",
            bytes_with(1, 1)
        ));
    };
    let room = room_for(bytes_with(buffers.0, buffers.1));
    let slow = state.one_core;
    let reason = state.scalar_work.first().cloned();
    let made = write::Written {
        context,
        request,
        function,
        lanes,
        places: &places,
        nodes: &nodes,
        values,
        buffers,
        tile: room.min(MAX_TILE),
        threads: elements,
        static_shared,
        dynamic,
        state,
    };
    let needs = Needs {
        steps: made.state.uses_steps,
        angles: made.state.uses_angles,
        powers: made.state.uses_powers,
    };
    let mut made = made.kernel();
    if slow {
        made.status = Status::PortedSlow;
        made.reason = reason;
    }
    made.unit = Unit::Vector;
    made.apart = apart;
    made.threads = most.and_then(|most| u32::try_from(most).ok());
    Ok((made, needs))
}

/// Whether a name is that of a counter of a loop's passes.
fn is_counter(name: &str) -> bool {
    let number = name.strip_prefix("passes").filter(|number| !number.is_empty());
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Names of the kernel's class that no value may have.
const RESERVED: &[&str] = &[
    "threads",
    "tiles",
    "tileLanes",
    "rowsY",
    "rowsZ",
    "Abs",
    "Add",
    "Adds",
    "And",
    "Cast",
    "Compare",
    "CompareScalar",
    "DataCopy",
    "Div",
    "Duplicate",
    "Exp",
    "Gather",
    "GlobalTensor",
    "Ln",
    "LocalTensor",
    "Max",
    "Maxs",
    "Min",
    "Mins",
    "Mul",
    "Muls",
    "Not",
    "Or",
    "Select",
    "ShiftLeft",
    "ShiftRight",
    "Sqrt",
    "Sub",
    "bfloat16_t",
    "half",
    "lanes",
    "row",
    "work",
    "tiling_",
    "tiling",
    "shared_",
    "pipe_",
    "values_",
    "everyone",
    "blockX",
    "threadY",
    "threadZ",
    "blockY",
    "blockZ",
    "tileStart",
    "Lanes",
    "Process",
    "Init",
    "AscendC",
    "shared",
    "grid",
    "block",
    "cores",
    "ubBytes",
    "stream",
    "workspace",
];

/// The threads of a block in the launches in view, else what the kernel or the chip allows; and
/// whether somebody says so.
fn most_threads(module: &port_ir::Module, request: &Request, bound: Option<u64>) -> (u64, bool) {
    let mut most = 0;
    for launch in module.launches.iter().filter(|l| l.kernel == request.function) {
        let mut product = 1u64;
        for axis in &launch.block {
            let high = axis.map_or(i64::MAX, |range| range.high);
            product = product.saturating_mul(u64::try_from(high).unwrap_or(1));
        }
        most = most.max(product);
    }
    let limit = bound.unwrap_or(MAX_THREADS).min(MAX_THREADS);
    let is_known = bound.is_some() || (1..=MAX_THREADS).contains(&most);
    (if most == 0 { limit } else { most.min(limit) }, is_known)
}
