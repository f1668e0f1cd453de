//! Loops of the scalar unit: the form for what has no vector form. Right, and slow.
//!
//! One core executes the blocks of the grid one after the other, each as loops over its threads,
//! split at barriers and warp operations. Several cores would have to agree on whole cache lines of
//! global memory, so there is one, and atomic operations are plain ones. Shared memory, masks and
//! values that outlive a loop over threads lie in the unified buffer, what does not fit in the
//! workspace. Functions that the scalar unit lacks go through the vector unit, an element at a time.

mod block;
mod plan;
mod warp;

use port_backend::Status;
use port_ir::analysis::progress::{self, WaitKind};
use port_ir::{Extent, FunctionKind, Space, Type};

use crate::code::facts::Facts;
use crate::code::frame::Frame;
use crate::code::types::Spelling;
use crate::code::{self, Printer, has_word, placed, refuse};
use crate::host::text::camel_case;
use crate::kernel::{Context, Declarations, DeviceKernel, NotTranslated, Request, Unit};
use block::Block;
use plan::Plan;

/// Threads of a block where nothing promises fewer.
const DEFAULT_THREADS: u64 = 1024;
/// Bytes of the unified buffer for the element that goes through the vector unit.
const SCRATCH_BYTES: u64 = 256;
/// Bytes of the unified buffer for static shared memory and arrays of all threads; the rest is for
/// dynamic shared memory.
pub(crate) const ARRAY_BYTES: u64 = 144 * 1024;
/// Shared memory that a kernel of the source may have.
const MAX_SHARED: u64 = 160 * 1024;

/// The form of a kernel.
pub(crate) fn kernel(
    context: &Context<'_, '_>,
    request: &Request,
    declarations: &mut Declarations,
) -> Result<DeviceKernel, NotTranslated> {
    let program = context.program;
    code::admit::admit(program, request.function)?;
    let facts = Facts::of(program, context.uniformity, request.function);
    for wait in progress::find(program, context.uniformity, 32) {
        // A lock that is released where it was taken lets one thread after the other through.
        let in_turn = wait.kind == WaitKind::Lock && wait.needs != progress::Needs::Lanes;
        if wait.function == request.function && !in_turn {
            let reason = "a loop waits for what another thread writes".to_owned();
            return Err(NotTranslated { reason, origin: wait.location.origin });
        }
    }
    let inner = code::Context {
        program,
        uniformity: context.uniformity,
        sources: context.options.sources,
        reserved: context.options.reserved,
        form: code::Form::Scalar,
    };
    let mut spelling = Spelling::new(program.module, context.options.reserved);
    let mut printer = Printer::new(&inner, &facts, &mut spelling);
    printer.base = camel_case(&request.name);
    let made = write(&mut printer, request).map_err(|refused| placed(refused, printer.place))?;
    spelling.declare(declarations);
    Ok(made)
}

fn write(
    printer: &mut Printer<'_, '_, '_>,
    request: &Request,
) -> Result<DeviceKernel, NotTranslated> {
    let facts = printer.facts;
    let (shared, shared_bytes) = shared_variables(printer)?;
    let plan = Plan::of(facts);
    let mut block = Block::new(printer, &plan);
    block.bound = match facts.function.kind {
        FunctionKind::Kernel(bounds) => bounds.max_threads.map_or(DEFAULT_THREADS, u64::from),
        FunctionKind::Device => DEFAULT_THREADS,
    };
    block.used_bytes = SCRATCH_BYTES + shared_bytes;
    block.write()?;
    let mut arrays = std::mem::take(&mut block.arrays);
    let alive = std::mem::take(&mut block.alive);
    printer.check_pointers()?;
    let mut body = std::mem::take(&mut printer.out).finish();
    if has_word(&body, &alive) {
        let all = format!(
            "    for (uint32_t t = 0; t < threads; ++t) {{\n        {alive}[t] = 1;\n    }}\n"
        );
        body.insert_str(0, &all);
    } else {
        arrays.retain(|array| array.name != alive);
    }
    let mut frame = printer.frame(&body)?;
    let prelude = prelude(printer, &mut frame, &body, &shared, shared_bytes, &arrays)?;

    let name = format!("{}Block", camel_case(&request.name));
    let mut definitions = format!("namespace {} {{\n\n", code::NAMESPACE);
    definitions.push_str(&printer.called_texts());
    definitions.push_str(&format!("// {}\n", printer.title()));
    definitions.push_str(&format!(
        "__aicore__ inline void {name}({})\n{{\n",
        frame.parameters.join(",\n        ")
    ));
    for line in &prelude.lines {
        definitions.push_str(&format!("    {line}\n"));
    }
    definitions.push_str(&body);
    definitions.push_str(&format!("}}\n\n}}  // namespace {}\n", code::NAMESPACE));

    // The kernel's own parameters keep their names.
    let own = |wish: &str| {
        let is_parameter = facts.function.parameters.iter().any(|p| p.name == wish);
        if is_parameter {
            format!("{wish}Of{}", camel_case(&request.name))
        } else {
            wish.to_owned()
        }
    };
    let (pipe, buffer, scratch) = (own("pipe"), own("buffer"), own("scratch"));
    let (ub, block, written) = (own("ub"), own("block"), own("written"));
    let mut entry = Vec::new();
    entry.push(format!("AscendC::TPipe {pipe};"));
    entry.push(format!("AscendC::TBuf<AscendC::TPosition::VECCALC> {buffer};"));
    entry.push(format!("{pipe}.InitBuffer({buffer}, tiling.{});", prelude.ub_field));
    entry.push(format!("AscendC::LocalTensor<float> {scratch} = {buffer}.Get<float>();"));
    if has_word(&definitions, "scratch") {
        entry.push(format!("AscendC::Duplicate({scratch}, 1.0f, 64);"));
        entry.push("AscendC::SetFlag<AscendC::HardEvent::V_S>(EVENT_ID0);".to_owned());
        entry.push("AscendC::WaitFlag<AscendC::HardEvent::V_S>(EVENT_ID0);".to_owned());
    }
    entry.push(format!("__ubuf__ uint8_t* {ub} = (__ubuf__ uint8_t*){scratch}.GetPhyAddr();"));
    entry.append(&mut frame.before);
    entry.push(format!(
        "for (uint32_t {block} = 0; {block} < tiling.{}; ++{block}) {{",
        prelude.blocks_field
    ));
    let arguments: Vec<String> = frame
        .arguments
        .iter()
        .map(|argument| match argument.as_str() {
            "scratch" => scratch.clone(),
            "ub" => ub.clone(),
            other => match other.strip_prefix("block ") {
                Some(rest) => format!("{block} {rest}"),
                None => other.to_owned(),
            },
        })
        .collect();
    entry.push(format!(
        "    {}::{name}({});",
        code::NAMESPACE,
        arguments.join(",\n                ")
    ));
    entry.push("}".to_owned());
    if let Some(first) = frame.pointers.first() {
        let first = &facts.function.parameters[*first as usize].name;
        entry.push("// What was stored leaves the data cache.".to_owned());
        entry.push(format!("AscendC::GlobalTensor<uint8_t> {written};"));
        entry.push(format!(
            "{written}.SetGlobalBuffer(reinterpret_cast<__gm__ uint8_t*>({first}));"
        ));
        entry.push(
            "AscendC::DataCacheCleanAndInvalid<uint8_t, AscendC::CacheLine::ENTIRE_DATA_CACHE,"
                .to_owned(),
        );
        entry.push(format!("    AscendC::DcciDst::CACHELINE_OUT>({written});"));
    }
    let entry = entry.iter().map(|line| format!("    {line}\n")).collect();
    Ok(DeviceKernel {
        lowering: "scalar",
        status: Status::PortedSlow,
        reason: None,
        unit: Unit::Vector,
        pointers: frame.pointers,
        symbols: frame.symbols,
        tiling: frame.tiling,
        blocks: "1".to_owned(),
        threads: None,
        proven_for: None,
        apart: Vec::new(),
        workspace: prelude.workspace,
        includes: printer.includes.clone(),
        definitions,
        entry,
    })
}

/// A shared variable: its name, the type of what it points at, its offset (`None`: dynamic).
struct Shared {
    name: String,
    ty: String,
    offset: Option<u64>,
}

/// The shared variables of a kernel and how many bytes the static ones take.
fn shared_variables(
    printer: &mut Printer<'_, '_, '_>,
) -> Result<(Vec<Shared>, u64), NotTranslated> {
    let facts = printer.facts;
    let mut shared = Vec::new();
    let mut bytes = 0u64;
    for (variable, name) in printer.variables.clone() {
        let data = &facts.module.variables[variable];
        if data.space != Space::Shared {
            continue;
        }
        let pointee = printer.variable_pointee(variable);
        let ty = printer.spelling.value(pointee)?;
        if data.extent == Extent::Dynamic {
            shared.push(Shared { name, ty, offset: None });
            continue;
        }
        let Some(layout) = facts.module.types.layout(data.ty) else {
            return Err(refuse("it keeps matrix fragments in shared memory"));
        };
        shared.push(Shared { name, ty, offset: Some(bytes) });
        bytes += layout.size.div_ceil(32) * 32;
    }
    if bytes > MAX_SHARED {
        return Err(refuse(format!(
            "its {bytes} bytes of shared memory do not fit into the unified buffer"
        )));
    }
    Ok((shared, bytes))
}

/// What stands before the body, and what the host computes for it.
struct Prelude {
    lines: Vec<String>,
    ub_field: String,
    blocks_field: String,
    workspace: Option<String>,
}

fn prelude(
    printer: &mut Printer<'_, '_, '_>,
    frame: &mut Frame,
    body: &str,
    shared: &[Shared],
    shared_bytes: u64,
    arrays: &[block::LaneArray],
) -> Result<Prelude, NotTranslated> {
    let mut lines = Vec::new();
    let threads = "block.x * block.y * block.z";
    let fixed = SCRATCH_BYTES + shared_bytes;
    for variable in shared.iter().filter(|variable| has_word(body, &variable.name)) {
        if let Some(offset) = variable.offset {
            lines.push(format!(
                "__ubuf__ {0}* {1} = reinterpret_cast<__ubuf__ {0}*>(ub + {2});",
                variable.ty,
                variable.name,
                SCRATCH_BYTES + offset
            ));
        }
    }
    let has_dynamic =
        shared.iter().any(|variable| variable.offset.is_none() && has_word(body, &variable.name));
    let (in_ub, in_gm): (Vec<_>, Vec<_>) =
        arrays.iter().partition(|array| array.space == Space::Shared);
    if !in_ub.is_empty() || has_dynamic {
        lines.push(format!("__ubuf__ uint8_t* ubNext = ub + {fixed};"));
    }
    let mut sums = [0u64; 2];
    for (index, (list, next, space)) in
        [(&in_ub, "ubNext", Space::Shared), (&in_gm, "keptNext", Space::Global)]
            .into_iter()
            .enumerate()
    {
        if space == Space::Global && !list.is_empty() {
            lines.push("__gm__ uint8_t* keptNext = kept;".to_owned());
        }
        for array in list.iter() {
            let prefix = code::types::space_name(space);
            lines.push(format!(
                "{prefix}{0}* {1} = reinterpret_cast<{prefix}{0}*>({next});",
                array.ty, array.name
            ));
            lines.push(format!("{next} += (threads * {} + 31) / 32 * 32;", array.bytes));
            sums[index] += array.bytes;
        }
    }
    if has_dynamic {
        for variable in shared.iter().filter(|variable| variable.offset.is_none()) {
            lines.push(format!(
                "__ubuf__ {0}* {1} = reinterpret_cast<__ubuf__ {0}*>(ubNext);",
                variable.ty, variable.name
            ));
        }
    }
    let text = format!("{body}{}", lines.join("\n"));
    let uses = |word: &str| has_word(&text, word);
    // The numbers of the launch.
    let numbers = [
        ("threads", threads, "threads of a block"),
        ("blockDimX", "block.x", "threads of a block in x"),
        ("blockDimY", "block.y", "threads of a block in y"),
        ("blockDimZ", "block.z", "threads of a block in z"),
        ("dynamicBytes", "static_cast<uint32_t>(shared)", "bytes of dynamic shared memory"),
    ];
    for (name, value, comment) in numbers {
        if uses(name) {
            frame.number(name, value, comment);
        }
    }
    frame.place_of_block(&uses);
    if uses("scratch") {
        frame.parameters.push("AscendC::LocalTensor<float>& scratch".to_owned());
        frame.arguments.push("scratch".to_owned());
    }
    if uses("ub") {
        frame.parameters.push("__ubuf__ uint8_t* ub".to_owned());
        frame.arguments.push("ub".to_owned());
    }
    let mut workspace = None;
    if !in_gm.is_empty() {
        frame.parameters.push("__gm__ uint8_t* kept".to_owned());
        frame.arguments.push("reinterpret_cast<__gm__ uint8_t*>(workspace)".to_owned());
        workspace =
            Some(format!("static_cast<size_t>({threads}) * {} + {}", sums[1], 32 * in_gm.len()));
    }
    let dynamic =
        if has_dynamic { " + (static_cast<uint32_t>(shared) + 31) / 32 * 32" } else { "" };
    let ub_field = frame.field(
        "uint32_t",
        "ubSize",
        &format!("{fixed} + {threads} * {} + {}{dynamic}", sums[0], 32 * in_ub.len()),
        "bytes of the unified buffer",
    );
    let blocks_field =
        frame.field("uint32_t", "blocks", "grid.x * grid.y * grid.z", "blocks of the grid");
    let _ = printer;
    Ok(Prelude { lines, ub_field, blocks_field, workspace })
}

/// Whether a value of a type is copied to and from the memory of all threads by a function.
pub(crate) fn is_copied(ty: Type) -> bool {
    matches!(ty, Type::Vector(..) | Type::Struct(_) | Type::Array(_) | Type::Fragment(_))
        || ty == Type::F64
}
