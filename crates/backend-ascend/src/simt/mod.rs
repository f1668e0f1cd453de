//! Threads of the 950: the kernel as SIMT code, nearly one to one.
//!
//! The body is a function of one thread of one block of the user's grid; the kernel calls it for
//! one block after the other, because a grid of the 950 has at most 65535 blocks. Shuffles and
//! votes have no mask: what lanes outside of it would answer is masked away.

mod convergent;

use port_backend::Status;
use port_ir::analysis::flow::Root;
use port_ir::{
    Conversion, Expression, Extent, FunctionKind, LaunchFacts, Range, Scalar, Space, StatementKind,
    Type, Value,
};

use crate::code::facts::Facts;
use crate::code::types::Spelling;
use crate::code::{self, Printer, has_word, placed, refuse};
use crate::host::text::camel_case;
use crate::kernel::{Context, Declarations, DeviceKernel, NotTranslated, Request, Unit};

pub(crate) use convergent::{atomic, convergent};

/// Threads of a block, at most.
const MAX_THREADS: u32 = 2048;
/// Threads of a block where nothing promises fewer.
const DEFAULT_THREADS: u32 = 1024;
/// Bytes of shared memory of a block, at most.
const MAX_SHARED: u64 = 216 * 1024;
/// Blocks of a grid, at most.
const MAX_BLOCKS: u32 = 65535;

/// The form of a kernel.
pub(crate) fn kernel(
    context: &Context<'_, '_>,
    request: &Request,
    declarations: &mut Declarations,
) -> Result<DeviceKernel, NotTranslated> {
    let program = context.program;
    code::admit::admit(program, request.function)?;
    let facts = Facts::of(program, context.uniformity, request.function);
    let inner = code::Context {
        program,
        uniformity: context.uniformity,
        sources: context.options.sources,
        reserved: context.options.reserved,
        form: code::Form::Threads,
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
    let threads = block_bound(printer);
    if threads > MAX_THREADS {
        return Err(refuse(format!(
            "its blocks have up to {threads} threads, more than {MAX_THREADS}"
        )));
    }
    printer.plan_locals(&|block| block == 0);
    printer.block(0)?;
    printer.check_pointers()?;
    let body = std::mem::take(&mut printer.out).finish();
    let mut frame = printer.frame(&body)?;
    let shared = shared_lines(printer, &body)?;
    let uses = |word: &str| has_word(&body, word);
    let blocks =
        frame.field("uint32_t", "blocks", "grid.x * grid.y * grid.z", "blocks of the grid");
    frame.place_of_block(&uses);
    if uses("dynamicBytes") {
        frame.number(
            "dynamicBytes",
            "static_cast<uint32_t>(shared)",
            "bytes of dynamic shared memory",
        );
    }
    let name = format!("{}Thread", camel_case(&request.name));
    let mut definitions = format!("namespace {} {{\n\n", code::NAMESPACE);
    definitions.push_str(&printer.called_texts());
    definitions.push_str(&format!("// {}\n", printer.title()));
    definitions.push_str(&format!(
        "__aicore__ inline void {name}({})\n{{\n",
        frame.parameters.join(",\n        ")
    ));
    for line in &shared {
        definitions.push_str(&format!("    {line}\n"));
    }
    definitions.push_str(&body);
    definitions.push_str(&format!("}}\n\n}}  // namespace {}\n", code::NAMESPACE));
    let mut entry = String::new();
    for line in &frame.before {
        entry.push_str(&format!("    {line}\n"));
    }
    entry.push_str(&format!(
        "    for (uint32_t block = blockIdx.x; block < tiling.{blocks}; block += gridDim.x) {{\n"
    ));
    entry.push_str(&format!(
        "        {}::{name}({});\n",
        code::NAMESPACE,
        frame.arguments.join(",\n                ")
    ));
    if !shared.is_empty() {
        entry.push_str(&format!("        if (block + gridDim.x < tiling.{blocks}) {{\n"));
        entry.push_str(
            "            asc_syncthreads();  // the next block uses the same shared memory\n",
        );
        entry.push_str("        }\n");
    }
    entry.push_str("    }\n");
    let mut includes = printer.includes.clone();
    includes.insert("simt_api/asc_simt.h");
    let sixteen = [("half", "simt_api/asc_fp16.h"), ("bfloat16_t", "simt_api/asc_bf16.h")];
    for (word, include) in sixteen {
        if has_word(&definitions, word) {
            includes.insert(include);
        }
    }
    Ok(DeviceKernel {
        lowering: "simt",
        status: Status::Ported,
        reason: None,
        unit: Unit::Threads,
        pointers: frame.pointers,
        symbols: frame.symbols,
        tiling: frame.tiling,
        blocks: format!(
            "grid.x * grid.y * grid.z < {MAX_BLOCKS} ? grid.x * grid.y * grid.z : {MAX_BLOCKS}"
        ),
        threads: Some(threads),
        proven_for: None,
        apart: Vec::new(),
        workspace: None,
        includes,
        definitions,
        entry,
    })
    .map(|mut kernel| {
        let slow = facts.flow.statements().find(|(_, entry)| {
            matches!(entry.statement.kind, StatementKind::MatrixMultiply { .. })
        });
        if has_word(&kernel.definitions, "Float64")
            && computes_doubles(facts)
            && !waits_for_memory(facts)
        {
            kernel.status = Status::PortedSlow;
            let origin = facts.function.body.as_ref().and_then(|body| body.statements.first());
            let origin = origin.map_or(nowhere(), |statement| statement.location.origin);
            kernel.reason = Some((
                "its `double` arithmetic is computed with integers: the chip has none".to_owned(),
                origin,
            ));
        }
        if let Some((_, entry)) = slow {
            kernel.status = Status::PortedSlow;
            kernel.reason = Some((
                "its matrix tiles are multiplied lane by lane, through shuffles, not by the cube"
                    .to_owned(),
                entry.statement.location.origin,
            ));
        }
        kernel
    })
}

/// Whether a kernel is one warp whose time is that of its loads: nothing else hides their latency, which is
/// longer than the few operations on doubles that wait for each of them.
fn waits_for_memory(facts: &Facts<'_, '_>) -> bool {
    /// Operations on doubles for each load: some tens of instructions each, of a few cycles.
    const OPERATIONS: usize = 2;
    let launches = || facts.module.launches.iter().filter(|l| l.kernel == facts.handle);
    let single = |axis: Option<Range>| axis.and_then(Range::single);
    let is_one_warp = |launch: &LaunchFacts| {
        let threads = launch.block.iter().map(|axis| single(*axis)).product::<Option<i64>>();
        launch.grid.iter().all(|axis| single(*axis) == Some(1))
            && threads.is_some_and(|threads| threads <= 32)
    };
    if launches().next().is_none() || !launches().all(is_one_warp) {
        return false;
    }
    facts.flow.statements().all(|(id, entry)| {
        let StatementKind::Loop(looping) = &entry.statement.kind else { return true };
        // A loop of so many passes as its text says takes the same time for all sizes.
        let is_short = looping.test.is_some_and(|test| {
            let Expression::Compare { left, right, .. } = facts.expression(test) else {
                return false;
            };
            let is_fixed = |value: &Value| facts.flow.constant(*value, &mut Vec::new()).is_some();
            is_fixed(left) || is_fixed(right)
        });
        let inside = || facts.flow.inside(id).map(|(_, entry)| &entry.statement.kind);
        let loads = inside().filter(|kind| match kind {
            StatementKind::Load { pointer, .. } => {
                matches!(facts.flow.root(*pointer), Root::Argument(_))
            }
            _ => false,
        });
        let mut seen = vec![false; facts.function.expressions.len()];
        let mut work: Vec<Value> = inside().flat_map(StatementKind::operands).collect();
        let mut operations = 0;
        while let Some(value) = work.pop() {
            if std::mem::replace(&mut seen[value.index()], true) {
                continue;
            }
            let operands = facts.expression(value).operands();
            let is_double = facts.ty(value).scalar() == Some(Scalar::F64);
            operations += usize::from(is_double && !operands.is_empty());
            work.extend(operands);
        }
        is_short || operations <= OPERATIONS * loads.count()
    })
}

/// Whether a kernel computes with `double`. What is only moved is 64 bits to the chip.
fn computes_doubles(facts: &Facts<'_, '_>) -> bool {
    let is_double = |value: Value| facts.ty(value).scalar() == Some(Scalar::F64);
    let mut seen = vec![false; facts.function.expressions.len()];
    let mut work: Vec<Value> = Vec::new();
    for (_, entry) in facts.flow.statements() {
        match &entry.statement.kind {
            StatementKind::Load { .. } | StatementKind::Store { .. } => {}
            StatementKind::Call { .. } => return true,
            kind if kind.operands().into_iter().any(is_double) => return true,
            _ => {}
        }
        work.extend(entry.statement.kind.operands());
    }
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut seen[value.index()], true) {
            continue;
        }
        let expression = facts.expression(value);
        let moves = matches!(
            expression,
            Expression::Select { .. }
                | Expression::Convert { kind: Conversion::Bits, .. }
                | Expression::Splat { .. }
                | Expression::Compose { .. }
                | Expression::Extract { .. }
                | Expression::Insert { .. }
        );
        if !moves && expression.operands().into_iter().chain([value]).any(is_double) {
            let is_leaf = expression.operands().is_empty();
            if !is_leaf {
                return true;
            }
        }
        work.extend(expression.operands());
    }
    false
}

fn nowhere() -> port_diag::Origin {
    port_diag::Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0))
}

/// Threads of a block, at most.
fn block_bound(printer: &Printer<'_, '_, '_>) -> u32 {
    let facts = printer.facts;
    if let FunctionKind::Kernel(bounds) = facts.function.kind
        && let Some(threads) = bounds.max_threads
    {
        return threads;
    }
    // Launches of other translation units are not in view: what is seen is no bound.
    DEFAULT_THREADS
}

/// The declarations of the shared variables that a body uses.
fn shared_lines(
    printer: &mut Printer<'_, '_, '_>,
    body: &str,
) -> Result<Vec<String>, NotTranslated> {
    let facts = printer.facts;
    let mut lines = Vec::new();
    let mut bytes = 0u64;
    let mut dynamic = Vec::new();
    for (variable, name) in printer.variables.clone() {
        let data = &facts.module.variables[variable];
        if data.space != Space::Shared || !has_word(body, &name) {
            continue;
        }
        let pointee = printer.variable_pointee(variable);
        let spelled = printer.spelling.value(pointee)?;
        if data.extent == Extent::Dynamic {
            dynamic.push((name, spelled));
            continue;
        }
        let Some(layout) = facts.module.types.layout(data.ty) else {
            return Err(refuse("it keeps matrix fragments in shared memory"));
        };
        bytes += layout.size.div_ceil(16) * 16;
        let length = match data.ty {
            Type::Array(array) => facts.module.types.arrays()[array].length,
            _ => 1,
        };
        // Rows of it may be read as vectors.
        let align = data.align.unwrap_or(1).max(layout.align).max(16);
        lines.push(format!("alignas({align}) __ubuf__ {spelled} {name}[{length}];"));
    }
    if bytes > MAX_SHARED {
        return Err(refuse(format!(
            "it uses {bytes} bytes of shared memory, more than {MAX_SHARED}"
        )));
    }
    match &dynamic[..] {
        [] => {}
        [(name, spelled)] => lines.push(format!("extern __ubuf__ {spelled} {name}[];")),
        several => {
            let base = printer.names.fresh("dynamicShared");
            lines.push(format!("extern __ubuf__ uint8_t {base}[];"));
            for (name, spelled) in several {
                lines.push(format!(
                    "__ubuf__ {spelled}* {name} = reinterpret_cast<__ubuf__ {spelled}*>({base});"
                ));
            }
        }
    }
    if has_word(body, "syncCount") {
        lines.push("__ubuf__ uint32_t syncCount[1];".to_owned());
    }
    Ok(lines)
}
