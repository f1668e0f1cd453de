//! Products of matrices, recognised and given to the cube by the high-level `Matmul`.
//!
//! * `recognise`: kernels in which a thread makes one element, by their statements.
//! * `threads`, `blocked`: kernels in which the threads of a block make a tile, with warps' tiles or
//!   registers, by what the block does to symbols.
//! * `polynomial`: sizes and places.
//!
//! The result is cut into squares. A vector core asks its cube core for the product of one, in
//! `float`, finds it in the workspace, scales it, adds what is to be added and stores it. The order
//! in which products are summed is the cube's own: results are those of a reassociated sum.

mod blocked;
mod polynomial;
mod recognise;
mod threads;

use port_backend::Status;
use port_ir::analysis::affine::Symbol;
use port_ir::analysis::flow::Entry;
use port_ir::{
    Axis, Builtin, Conversion, Expression, FloatOp, FunctionKind, IntegerOp, Scalar, StatementKind,
    Type, Value,
};

use crate::code::facts::Facts;
use crate::code::refuse;
use crate::code::types::scalar_name;
use crate::host::text::camel_case;
use crate::kernel::{
    Chip, Context, Declarations, DeviceKernel, NotTranslated, Request, TilingField, Unit,
};
use polynomial::Poly;
use recognise::{Extent, Operand, Product, recognise};

/// The side of a square of the result.
const SIDE: u32 = 128;

/// The form of a kernel.
pub(crate) fn kernel(
    context: &Context<'_, '_>,
    request: &Request,
    _declarations: &mut Declarations,
) -> Result<DeviceKernel, NotTranslated> {
    let facts = Facts::of(context.program, context.uniformity, request.function);
    let multiplies = |(_, entry): (_, &Entry<'_>)| {
        matches!(entry.statement.kind, StatementKind::MatrixMultiply { .. })
    };
    let has_tiles = facts.flow.statements().any(multiplies);
    if context.options.chip == Chip::A950 && !has_tiles {
        return Err(refuse("its threads are as fast"));
    }
    let (product, proven_for) = match recognise(&facts) {
        Ok(product) => (product, None),
        Err(why) => match by_blocks(context, request, &facts, has_tiles)? {
            Some((product, shape)) => (product, Some(shape)),
            None => return Err(why),
        },
    };
    Writer { facts: &facts, product }.kernel(request, context.options.chip, proven_for)
}

/// Blocks of kernels that say nothing of their launches.
const SHAPES: [[u32; 3]; 8] = [
    [256, 1, 1],
    [128, 1, 1],
    [64, 1, 1],
    [32, 1, 1],
    [512, 1, 1],
    [16, 16, 1],
    [32, 8, 1],
    [32, 4, 1],
];

/// The product that blocks make together, and for which shape of a block that is proven.
#[allow(clippy::type_complexity, reason = "a product and three numbers")]
fn by_blocks(
    context: &Context<'_, '_>,
    request: &Request,
    facts: &Facts<'_, '_>,
    has_tiles: bool,
) -> Result<Option<(Product, [u32; 3])>, NotTranslated> {
    // What no product does is seen at once.
    let mut nested = false;
    for (id, entry) in facts.flow.statements() {
        match &entry.statement.kind {
            StatementKind::Load { .. }
            | StatementKind::Store { .. }
            | StatementKind::If { .. }
            | StatementKind::Block(_)
            | StatementKind::Return { .. }
            | StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Barrier { named: None, reduce: None, .. }
            | StatementKind::MatrixLoad { .. }
            | StatementKind::MatrixStore { .. }
            | StatementKind::MatrixMultiply { .. } => {}
            StatementKind::Loop(_) => nested |= facts.flow.loop_around(id).is_some(),
            _ => return Ok(None),
        }
    }
    let adds = facts.function.expressions.iter().any(|(value, e)| {
        let is_product = matches!(
            e,
            Expression::FusedMultiplyAdd { .. } | Expression::Float { op: FloatOp::Multiply, .. }
        );
        is_product && facts.ty(value) == Type::F32
    });
    if !(has_tiles || nested && adds) {
        return Ok(None);
    }
    let mut known: Vec<[u32; 3]> = Vec::new();
    let mut all_known = true;
    let launches = &context.program.module.launches;
    for launch in launches.iter().filter(|launch| launch.kernel == request.function) {
        let block = launch
            .block
            .map(|axis| axis.and_then(port_ir::Range::single).and_then(|n| u32::try_from(n).ok()));
        match block {
            [Some(x), Some(y), Some(z)] if x > 0 && y > 0 && z > 0 => known.push([x, y, z]),
            _ => all_known = false,
        }
    }
    known.sort_unstable();
    known.dedup();
    let bound = match facts.function.kind {
        FunctionKind::Kernel(bounds) => bounds.max_threads,
        FunctionKind::Device => None,
    };
    let shapes: Vec<[u32; 3]> = match (all_known, &known[..], bound) {
        (true, [shape], _) => vec![*shape],
        (true, [_, ..], _) => return Ok(None),
        (_, _, Some(threads)) => vec![[threads, 1, 1]],
        _ => SHAPES.to_vec(),
    };
    let fits = |shape: &[u32; 3]| shape.iter().map(|n| u64::from(*n)).product::<u64>() <= 1024;
    for shape in shapes.into_iter().filter(fits) {
        if let Ok(product) = blocked::recognise(facts, shape) {
            return Ok(Some((product, shape)));
        }
    }
    Ok(None)
}

struct Writer<'w, 'c, 'a> {
    facts: &'w Facts<'c, 'a>,
    product: Product,
}

impl Writer<'_, '_, '_> {
    fn kernel(
        &self,
        request: &Request,
        chip: Chip,
        proven_for: Option<[u32; 3]>,
    ) -> Result<DeviceKernel, NotTranslated> {
        let product = &self.product;
        let name = format!("Kernel{}", camel_case(&request.name));
        let mut tiling = Vec::new();
        let mut field = |ty: &str, name: &str, value: String, comment: &str| {
            tiling.push(TilingField {
                ty: ty.to_owned(),
                name: name.to_owned(),
                value,
                comment: comment.to_owned(),
            });
        };
        let rows = self.extent(&product.rows)?;
        let columns = self.extent(&product.columns)?;
        field("uint32_t", "matrixM", rows, "rows of the result");
        field("uint32_t", "matrixN", columns, "columns of the result");
        field("uint32_t", "matrixK", self.depth()?, "length of the sums");
        field(
            "uint32_t",
            "strideA",
            self.count(&product.a.stride)?,
            "elements from a line of A to the next",
        );
        field(
            "uint32_t",
            "strideB",
            self.count(&product.b.stride)?,
            "elements from a line of B to the next",
        );
        field(
            "uint32_t",
            "strideC",
            self.count(&product.c.stride)?,
            "elements from a row of C to the next",
        );
        for (name, index) in [("factorProduct", product.alpha), ("factorOld", product.beta)] {
            if let Some(index) = index {
                let parameter = &self.facts.function.parameters[index as usize];
                if parameter.ty != Type::F32 {
                    return Err(refuse("it scales by something else than a float"));
                }
                let comment = format!("`{}`", parameter.name);
                field("float", name, parameter.name.clone(), &comment);
            }
        }
        if let Some(bias) = product.bias.filter(|bias| bias.may_lack) {
            let name = &self.facts.function.parameters[bias.argument as usize].name;
            let comment = format!("whether there is a `{name}`");
            field("uint32_t", "hasBias", format!("{name} != nullptr ? 1 : 0"), &comment);
        }
        let units = format!("((matrixM + {0}) / {SIDE}) * ((matrixN + {0}) / {SIDE})", SIDE - 1);
        field("uint32_t", "squares", units, "squares of the result");
        let mut pointers: Vec<u32> =
            [&product.a, &product.b, &product.c].iter().map(|operand| operand.argument).collect();
        if self.reads_other() {
            pointers.push(product.old);
        }
        pointers.extend(product.bias.map(|bias| bias.argument));
        let names: Vec<String> = pointers
            .iter()
            .map(|index| self.facts.function.parameters[*index as usize].name.clone())
            .collect();
        pointers.sort_unstable();
        pointers.dedup();
        let definitions = self.class(&name)?;
        let entry = format!(
            "    AscendC::TPipe pipe;\n    {name}<decltype(tiling)> op;\n    \
             TCubeTiling cube = op.CubeTiling(tiling);\n    \
             REGIST_MATMUL_OBJ(&pipe, GetSysWorkSpacePtr(), op.matmul, &cube);\n    \
             op.Init({}, workspace, tiling, &pipe);\n    op.Process();\n    op.matmul.End();\n",
            names.join(", ")
        );
        let mut includes = std::collections::BTreeSet::new();
        includes.insert("lib/matmul_intf.h");
        if chip == Chip::A950 {
            includes.insert("kernel_operator.h");
        }
        Ok(DeviceKernel {
            lowering: "matmul",
            status: Status::Ported,
            reason: None,
            unit: Unit::Cube,
            pointers,
            symbols: Vec::new(),
            tiling,
            blocks: "squares == 0 ? 1 : (squares + 1) / 2 < cores ? (squares + 1) / 2 : cores"
                .to_owned(),
            threads: None,
            apart: Vec::new(),
            proven_for: proven_for.map(|[x, y, z]| {
                let condition = format!("block.x == {x} && block.y == {y} && block.z == {z}");
                let words = match (y, z) {
                    (1, 1) => format!("{x} threads"),
                    _ => format!("{x}x{y}x{z} threads"),
                };
                (condition, words)
            }),
            workspace: Some(format!(
                "static_cast<size_t>(cores) * 2 * {SIDE} * {SIDE} * sizeof(float)"
            )),
            includes,
            definitions,
            entry,
        })
    }

    /// Whether the old values are those of another matrix than the result.
    fn reads_other(&self) -> bool {
        self.product.beta.is_some() && self.product.old != self.product.c.argument
    }

    // What the host computes.

    /// How many rows or columns are computed: what the guards leave of what the grid covers.
    fn extent(&self, extent: &Extent) -> Result<String, NotTranslated> {
        let axis = |axis: Axis| axis.name();
        let threads = format!("block.{}", axis(extent.thread));
        let covered = match (extent.block, extent.step) {
            (Some(block), _) if extent.tile.is_some() => {
                let (side, _) = extent.tile.unwrap_or_default();
                format!("grid.{} * {side}", axis(block))
            }
            (None, _) => threads,
            (Some(block), None) => format!("grid.{} * {threads}", axis(block)),
            (Some(block), Some(step)) => {
                format!("((grid.{} - 1) * {step} + {threads})", axis(block))
            }
        };
        let Some(limit) = &extent.limit else {
            return Ok(format!("static_cast<uint32_t>({covered})"));
        };
        let limit = self.host(limit)?;
        let limit = match extent.tile {
            // A guard decides for several lines.
            Some((_, lines)) if lines > 1 => {
                format!("({limit} + {}) / {lines} * {lines}", lines - 1)
            }
            _ => limit,
        };
        Ok(smaller(
            &format!("static_cast<int64_t>({limit})"),
            &format!("static_cast<int64_t>({covered})"),
        ))
    }

    fn depth(&self) -> Result<String, NotTranslated> {
        let depth = &self.product.depth;
        let limit = self.host(&depth.limit)?;
        let (step, tile) = (depth.step, depth.tile);
        let passes = if step == 1 {
            format!("static_cast<int64_t>({limit})")
        } else {
            format!("(static_cast<int64_t>({limit}) + {}) / {step}", step - 1)
        };
        let total = if tile == 1 { passes } else { format!("({passes}) * {tile}") };
        Ok(match &depth.end {
            Some(end) => {
                let end = self.host(end)?;
                smaller(&format!("static_cast<int64_t>({end})"), &total)
            }
            None => smaller(&total, "static_cast<int64_t>(0x7fffffff)"),
        })
    }

    fn count(&self, poly: &Poly) -> Result<String, NotTranslated> {
        Ok(format!("static_cast<uint32_t>({})", self.host(poly)?))
    }

    /// A polynomial as C++ of the host.
    fn host(&self, poly: &Poly) -> Result<String, NotTranslated> {
        let mut terms = Vec::new();
        for (factors, count) in &poly.0 {
            let mut parts = Vec::new();
            if *count != 1 || factors.is_empty() {
                parts.push(count.to_string());
            }
            for symbol in factors {
                parts.push(match symbol {
                    Symbol::Builtin(Builtin::BlockDim(axis)) => format!("block.{}", axis.name()),
                    Symbol::Builtin(Builtin::GridDim(axis)) => format!("grid.{}", axis.name()),
                    Symbol::Value(value) => self.host_value(*value, 16)?,
                    _ => return Err(refuse("the host does not know a size")),
                });
            }
            terms.push(parts.join(" * "));
        }
        Ok(match terms.len() {
            0 => "0".to_owned(),
            1 => terms.remove(0),
            _ => format!("({})", terms.join(" + ")),
        })
    }

    fn host_value(&self, value: Value, depth: u32) -> Result<String, NotTranslated> {
        let unknown = || refuse("the host does not know a size");
        let depth = depth.checked_sub(1).ok_or_else(unknown)?;
        match self.facts.expression(self.facts.flow.plain(value)) {
            Expression::Constant(constant) => {
                Ok(constant.as_integer().ok_or_else(unknown)?.to_string())
            }
            Expression::Argument(index) => {
                let parameter =
                    self.facts.function.parameters.get(*index as usize).ok_or_else(unknown)?;
                Ok(parameter.name.clone())
            }
            Expression::Convert {
                kind: Conversion::ZeroExtend | Conversion::SignExtend | Conversion::Bits,
                value,
                ..
            } => self.host_value(*value, depth),
            Expression::Integer { op, left, right } => {
                let operator = match op {
                    IntegerOp::Add => "+",
                    IntegerOp::Subtract => "-",
                    IntegerOp::Multiply => "*",
                    IntegerOp::Divide => "/",
                    _ => return Err(unknown()),
                };
                let (left, right) =
                    (self.host_value(*left, depth)?, self.host_value(*right, depth)?);
                Ok(format!("({left} {operator} {right})"))
            }
            _ => Err(unknown()),
        }
    }

    // The device.

    fn class(&self, name: &str) -> Result<String, NotTranslated> {
        let product = &self.product;
        let element = scalar_name(product.a.element)?;
        let out = scalar_name(product.c.element)?;
        let place = |operand: &Operand, stride: &str, line: &str, along: &str| {
            // The first element of the square: `line` of the result, 0 along the sums.
            let _ = along;
            if operand.transposed { line.to_owned() } else { format!("{line} * {stride}") }
        };
        // A's lines are rows, B's lines run along the columns.
        let start_a = place(&product.a, "static_cast<uint64_t>(strideA)", "row", "k");
        let start_b = if product.b.transposed {
            "column * static_cast<uint64_t>(strideB)".to_owned()
        } else {
            "column".to_owned()
        };
        // The leading extents of the matrices are their strides.
        let org_m = if product.a.transposed { "strideA" } else { "matrixM" };
        let org_ka = if product.a.transposed { "matrixK" } else { "strideA" };
        let org_n = if product.b.transposed { "matrixN" } else { "strideB" };
        let org_kb = if product.b.transposed { "strideB" } else { "matrixK" };
        let wide = product.c.element == Scalar::F32;
        let mut compute = String::new();
        if product.alpha.is_some() {
            compute.push_str("        AscendC::Muls(sums, sums, factorProduct, count);\n        AscendC::PipeBarrier<PIPE_V>();\n");
        }
        if product.bias.is_some() {
            let add = "AscendC::Add(sums, sums, biasBuf.Get<float>(), count);\n";
            match product.bias.is_some_and(|bias| bias.may_lack) {
                true => compute.push_str(&format!(
                    "        if (hasBias) {{\n            {add}            AscendC::PipeBarrier<PIPE_V>();\n        }}\n"
                )),
                false => compute
                    .push_str(&format!("        {add}        AscendC::PipeBarrier<PIPE_V>();\n")),
            }
        }
        if product.beta.is_some() {
            let body = if wide {
                "AscendC::Muls(old, old, factorOld, count);\nAscendC::PipeBarrier<PIPE_V>();\nAscendC::Add(sums, sums, old, count);\nAscendC::PipeBarrier<PIPE_V>();\n".to_owned()
            } else {
                "AscendC::Cast(wideOld, old, AscendC::RoundMode::CAST_NONE, count);\nAscendC::PipeBarrier<PIPE_V>();\nAscendC::Muls(wideOld, wideOld, factorOld, count);\nAscendC::PipeBarrier<PIPE_V>();\nAscendC::Add(sums, sums, wideOld, count);\nAscendC::PipeBarrier<PIPE_V>();\n".to_owned()
            };
            compute.push_str("        if (readsOld) {\n");
            if !wide {
                compute.push_str(
                    "            AscendC::LocalTensor<float> wideOld = wideBuf.Get<float>();\n",
                );
            }
            compute.push_str(&format!(
                "            AscendC::LocalTensor<{out}> old = inQueueC.DeQue<{out}>();\n"
            ));
            for line in body.lines() {
                compute.push_str(&format!("            {line}\n"));
            }
            compute.push_str("            inQueueC.FreeTensor(old);\n        }\n");
        }
        let finish = if wide {
            // A copy of the sums leaves.
            "        AscendC::Adds(result, sums, 0.0f, count);\n".to_owned()
        } else {
            "        AscendC::Cast(result, sums, AscendC::RoundMode::CAST_RINT, count);\n"
                .to_owned()
        };
        let finish = if wide {
            finish.replace(
                "AscendC::Adds(result, sums, 0.0f, count);",
                "AscendC::DataCopy(result, sums, SIDE);",
            )
        } else {
            finish
        };
        let reads_old = match (product.beta, product.beta_may_skip) {
            (None, _) => String::new(),
            (Some(_), true) => "        readsOld = tiling.factorOld != 0.0f;\n".to_owned(),
            (Some(_), false) => "        readsOld = true;\n".to_owned(),
        };
        let has_beta = product.beta.is_some();
        let old_gm = if self.reads_other() { "oldGm" } else { "cGm" };
        let bias = match product.bias {
            Some(bias) => Some((bias, scalar_name(bias.element)?)),
            None => None,
        };
        let mut text = String::new();
        let mut line = |part: &str| {
            text.push_str(part);
            text.push('\n');
        };
        line(&format!(
            "// The result is cut into squares of {SIDE} x {SIDE}; a vector core asks its cube core for one after"
        ));
        line("// the other, and scales and stores it row by row.");
        line("template <typename Tiling>");
        line(&format!("class {name} {{"));
        line("public:");
        line(&format!(
            "    using TypeA = matmul::MatmulType<AscendC::TPosition::GM, CubeFormat::ND, {element}, {}>;",
            product.a.transposed
        ));
        line(&format!(
            "    using TypeB = matmul::MatmulType<AscendC::TPosition::GM, CubeFormat::ND, {element}, {}>;",
            product.b.transposed
        ));
        line(
            "    using TypeC = matmul::MatmulType<AscendC::TPosition::GM, CubeFormat::ND, float>;",
        );
        line("    matmul::Matmul<TypeA, TypeB, TypeC> matmul;");
        line("");
        line("    __aicore__ inline TCubeTiling CubeTiling(const Tiling& tiling)");
        line("    {");
        line("        TCubeTiling cube;");
        line("        cube.usedCoreNum = AscendC::GetBlockNum();");
        for (member, value) in [
            ("M", "tiling.matrixM"),
            ("N", "tiling.matrixN"),
            ("Ka", "tiling.matrixK"),
            ("Kb", "tiling.matrixK"),
            ("singleCoreM", "SIDE"),
            ("singleCoreN", "SIDE"),
            ("singleCoreK", "tiling.matrixK"),
            ("baseM", "SIDE"),
            ("baseN", "SIDE"),
            ("baseK", "BASE_K"),
            ("depthA1", "4"),
            ("depthB1", "4"),
            ("stepM", "1"),
            ("stepN", "1"),
            ("isBias", "0"),
            ("transLength", "0"),
            ("iterateOrder", "0"),
            ("shareMode", "0"),
            ("shareL1Size", "4 * 2 * SIDE * BASE_K * sizeof(float)"),
            ("shareL0CSize", "SIDE * SIDE * sizeof(float)"),
            ("shareUbSize", "0"),
            ("batchM", "1"),
            ("batchN", "1"),
            ("singleBatchM", "1"),
            ("singleBatchN", "1"),
            ("stepKa", "2"),
            ("stepKb", "2"),
            ("depthAL1CacheUB", "0"),
            ("depthBL1CacheUB", "0"),
            ("dbL0A", "2"),
            ("dbL0B", "2"),
            ("dbL0C", "1"),
        ] {
            line(&format!("        cube.{member} = {value};"));
        }
        line("        return cube;");
        line("    }");
        line("");
        let others =
            [(self.reads_other(), "GM_ADDR old, "), (product.bias.is_some(), "GM_ADDR bias, ")];
        let others: String = others.iter().filter(|(is, _)| *is).map(|(_, text)| *text).collect();
        line(&format!(
            "    __aicore__ inline void Init(GM_ADDR a, GM_ADDR b, GM_ADDR c, {others}GM_ADDR workspace, const Tiling& tiling,"
        ));
        line("                                AscendC::TPipe* pipe)");
        line("    {");
        line(&format!("        aGm.SetGlobalBuffer(reinterpret_cast<__gm__ {element}*>(a));"));
        line(&format!("        bGm.SetGlobalBuffer(reinterpret_cast<__gm__ {element}*>(b));"));
        line(&format!("        cGm.SetGlobalBuffer(reinterpret_cast<__gm__ {out}*>(c));"));
        if self.reads_other() {
            line(&format!("        oldGm.SetGlobalBuffer(reinterpret_cast<__gm__ {out}*>(old));"));
        }
        if let Some((_, element)) = &bias {
            line(&format!(
                "        biasGm.SetGlobalBuffer(reinterpret_cast<__gm__ {element}*>(bias));"
            ));
        }
        line("        core = AscendC::GetBlockIdx();");
        line("        cores = AscendC::GetBlockNum() * AscendC::GetTaskRation();");
        line(
            "        productGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(workspace) + core * SIDE * SIDE);",
        );
        for member in ["matrixM", "matrixN", "matrixK", "strideA", "strideB", "strideC", "squares"]
        {
            line(&format!("        {member} = tiling.{member};"));
        }
        if product.alpha.is_some() {
            line("        factorProduct = tiling.factorProduct;");
        }
        if has_beta {
            line("        factorOld = tiling.factorOld;");
        }
        if product.bias.is_some_and(|bias| bias.may_lack) {
            line("        hasBias = tiling.hasBias != 0;");
        }
        text.push_str(&reads_old);
        let mut line = |part: &str| {
            text.push_str(part);
            text.push('\n');
        };
        line("        pipe->InitBuffer(inQueueProduct, BUFFER_NUM, SIDE * sizeof(float));");
        line(&format!("        pipe->InitBuffer(outQueueC, BUFFER_NUM, SIDE * sizeof({out}));"));
        if let Some((_, element)) = &bias {
            line(&format!("        pipe->InitBuffer(inQueueBias, 1, SIDE * sizeof({element}));"));
            line("        pipe->InitBuffer(biasBuf, SIDE * sizeof(float));");
        }
        if has_beta {
            line(&format!("        pipe->InitBuffer(inQueueC, BUFFER_NUM, SIDE * sizeof({out}));"));
            if !wide {
                line("        pipe->InitBuffer(wideBuf, SIDE * sizeof(float));");
            }
        }
        line("    }");
        line("");
        line("    __aicore__ inline void Process()");
        line("    {");
        line(&format!("        matmul.SetOrgShape({org_m}, {org_n}, {org_ka}, {org_kb}, SIDE);"));
        line("        uint32_t across = (matrixN + SIDE - 1) / SIDE;");
        line("        for (uint32_t square = core; square < squares; square += cores) {");
        line("            uint64_t row = static_cast<uint64_t>(square / across) * SIDE;");
        line("            uint64_t column = static_cast<uint64_t>(square % across) * SIDE;");
        line("            uint32_t rows = matrixM - row < SIDE ? matrixM - row : SIDE;");
        line("            uint32_t count = matrixN - column < SIDE ? matrixN - column : SIDE;");
        line("            if (matrixK != 0) {");
        line(&format!(
            "                matmul.SetTensorA(aGm[{start_a}], {});",
            product.a.transposed
        ));
        line(&format!(
            "                matmul.SetTensorB(bGm[{start_b}], {});",
            product.b.transposed
        ));
        line("                matmul.SetTail(rows, count, matrixK);");
        line("                matmul.IterateAll(productGm);");
        line("            }");
        if let Some((bias, _)) = &bias {
            line(match bias.may_lack {
                true => "            if (hasBias) LoadBias(column, count);",
                false => "            LoadBias(column, count);",
            });
        }
        line("            for (uint32_t i = 0; i < rows; ++i) {");
        line("                uint64_t place = (row + i) * strideC + column;");
        line("                CopyIn(i, place, count);");
        line("                Compute(count);");
        line("                CopyOut(place, count);");
        line("            }");
        line("            // The next product overwrites what was read.");
        line("            AscendC::PipeBarrier<PIPE_ALL>();");
        line("        }");
        line("    }");
        line("");
        line("private:");
        if let Some((bias, element)) = &bias {
            line("    // What is added to all rows of a square.");
            line("    __aicore__ inline void LoadBias(uint64_t column, uint32_t count)");
            line("    {");
            line(&format!(
                "        AscendC::LocalTensor<{element}> bias = inQueueBias.AllocTensor<{element}>();"
            ));
            line(&format!(
                "        AscendC::DataCopyExtParams copy{{1, count * static_cast<uint32_t>(sizeof({element})), 0, 0, 0}};"
            ));
            line(&format!(
                "        AscendC::DataCopyPadExtParams<{element}> pad{{false, 0, 0, 0}};"
            ));
            line("        AscendC::DataCopyPad(bias, biasGm[column], copy, pad);");
            line("        inQueueBias.EnQue(bias);");
            line(&format!("        bias = inQueueBias.DeQue<{element}>();"));
            line(match bias.element {
                Scalar::F32 => "        AscendC::DataCopy(biasBuf.Get<float>(), bias, SIDE);",
                _ => {
                    "        AscendC::Cast(biasBuf.Get<float>(), bias, AscendC::RoundMode::CAST_NONE, count);"
                }
            });
            line("        AscendC::PipeBarrier<PIPE_V>();");
            line("        inQueueBias.FreeTensor(bias);");
            line("    }");
            line("");
        }
        line("    __aicore__ inline void CopyIn(uint32_t i, uint64_t place, uint32_t count)");
        line("    {");
        line("        AscendC::LocalTensor<float> sums = inQueueProduct.AllocTensor<float>();");
        line("        if (matrixK != 0) {");
        line("            AscendC::DataCopy(sums, productGm[i * SIDE], SIDE);");
        line("        }");
        line("        inQueueProduct.EnQue(sums);");
        if has_beta {
            line("        if (readsOld) {");
            line(&format!(
                "            AscendC::LocalTensor<{out}> old = inQueueC.AllocTensor<{out}>();"
            ));
            line(&format!(
                "            AscendC::DataCopyExtParams copy{{1, count * static_cast<uint32_t>(sizeof({out})), 0, 0, 0}};"
            ));
            line(&format!(
                "            AscendC::DataCopyPadExtParams<{out}> pad{{false, 0, 0, 0}};"
            ));
            line(&format!("            AscendC::DataCopyPad(old, {old_gm}[place], copy, pad);"));
            line("            inQueueC.EnQue(old);");
            line("        }");
        } else {
            line("        (void)place;");
            line("        (void)count;");
        }
        line("    }");
        line("");
        line("    __aicore__ inline void Compute(uint32_t count)");
        line("    {");
        line("        AscendC::LocalTensor<float> sums = inQueueProduct.DeQue<float>();");
        line(&format!(
            "        AscendC::LocalTensor<{out}> result = outQueueC.AllocTensor<{out}>();"
        ));
        line("        if (matrixK == 0) {");
        line("            AscendC::Duplicate(sums, 0.0f, SIDE);");
        line("            AscendC::PipeBarrier<PIPE_V>();");
        line("        }");
        text.push_str(&compute);
        text.push_str(&finish);
        let mut line = |part: &str| {
            text.push_str(part);
            text.push('\n');
        };
        line("        outQueueC.EnQue(result);");
        line("        inQueueProduct.FreeTensor(sums);");
        line("    }");
        line("");
        line("    __aicore__ inline void CopyOut(uint64_t place, uint32_t count)");
        line("    {");
        line(&format!("        AscendC::LocalTensor<{out}> result = outQueueC.DeQue<{out}>();"));
        line(&format!(
            "        AscendC::DataCopyExtParams copy{{1, count * static_cast<uint32_t>(sizeof({out})), 0, 0, 0}};"
        ));
        line("        AscendC::DataCopyPad(cGm[place], result, copy);");
        line("        outQueueC.FreeTensor(result);");
        line("    }");
        line("");
        line(&format!("    static constexpr uint32_t SIDE = {SIDE};"));
        line(&format!(
            "    static constexpr uint32_t BASE_K = {};",
            if product.a.element == Scalar::F32 { 32 } else { 64 }
        ));
        line("    static constexpr uint32_t BUFFER_NUM = 2;");
        line("    AscendC::TQue<AscendC::QuePosition::VECIN, BUFFER_NUM> inQueueProduct;");
        if has_beta {
            line("    AscendC::TQue<AscendC::QuePosition::VECIN, BUFFER_NUM> inQueueC;");
            if !wide {
                line("    AscendC::TBuf<AscendC::QuePosition::VECCALC> wideBuf;");
            }
        }
        line("    AscendC::TQue<AscendC::QuePosition::VECOUT, BUFFER_NUM> outQueueC;");
        if let Some((_, element)) = &bias {
            line("    AscendC::TQue<AscendC::QuePosition::VECIN, 1> inQueueBias;");
            line("    AscendC::TBuf<AscendC::QuePosition::VECCALC> biasBuf;");
            line(&format!("    AscendC::GlobalTensor<{element}> biasGm;"));
        }
        line(&format!("    AscendC::GlobalTensor<{element}> aGm, bGm;"));
        let old = if self.reads_other() { ", oldGm" } else { "" };
        line(&format!("    AscendC::GlobalTensor<{out}> cGm{old};"));
        line("    AscendC::GlobalTensor<float> productGm;");
        line(
            "    uint32_t core, cores, matrixM, matrixN, matrixK, strideA, strideB, strideC, squares;",
        );
        if product.alpha.is_some() {
            line("    float factorProduct;");
        }
        if has_beta {
            line("    float factorOld;");
            line("    bool readsOld;");
        }
        if product.bias.is_some_and(|bias| bias.may_lack) {
            line("    bool hasBias;");
        }
        line("};");
        Ok(text)
    }
}

/// The smaller of two numbers, and not less than zero.
fn smaller(a: &str, b: &str) -> String {
    format!("static_cast<uint32_t>(({a}) < ({b}) ? (({a}) < 0 ? 0 : ({a})) : ({b}))")
}
