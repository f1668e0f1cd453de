//! Products of matrices, recognised and given to the cube by the high-level `Matmul`.
//!
//! The result is cut into squares. A vector core asks its cube core for the product of one, in
//! `float`, finds it in the workspace, scales it, adds what is to be added and stores it. The order
//! in which products are summed is the cube's own: results are those of a reassociated sum.

mod polynomial;
mod recognise;

use port_backend::Status;
use port_ir::analysis::affine::Symbol;
use port_ir::{Axis, Builtin, Conversion, Expression, IntegerOp, Scalar, Type, Value};

use crate::code::facts::Facts;
use crate::code::refuse;
use crate::code::types::scalar_name;
use crate::host::text::camel_case;
use crate::kernel::{
    Context, Declarations, DeviceKernel, NotTranslated, Request, TilingField, Unit,
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
    let product = recognise(&facts)?;
    Writer { facts: &facts, product }.kernel(request)
}

struct Writer<'w, 'c, 'a> {
    facts: &'w Facts<'c, 'a>,
    product: Product,
}

impl Writer<'_, '_, '_> {
    fn kernel(&self, request: &Request) -> Result<DeviceKernel, NotTranslated> {
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
        let units = format!("((matrixM + {0}) / {SIDE}) * ((matrixN + {0}) / {SIDE})", SIDE - 1);
        field("uint32_t", "squares", units, "squares of the result");
        let names: Vec<String> = [&product.a, &product.b, &product.c]
            .iter()
            .map(|operand| self.facts.function.parameters[operand.argument as usize].name.clone())
            .collect();
        let mut pointers: Vec<u32> =
            [&product.a, &product.b, &product.c].iter().map(|operand| operand.argument).collect();
        pointers.sort_unstable();
        pointers.dedup();
        let definitions = self.class(&name)?;
        let entry = format!(
            "    AscendC::TPipe pipe;\n    {name}<decltype(tiling)> op;\n    \
             TCubeTiling cube = op.CubeTiling(tiling);\n    \
             REGIST_MATMUL_OBJ(&pipe, GetSysWorkSpacePtr(), op.matmul, &cube);\n    \
             op.Init({}, {}, {}, workspace, tiling, &pipe);\n    op.Process();\n    op.matmul.End();\n",
            names[0], names[1], names[2]
        );
        let mut includes = std::collections::BTreeSet::new();
        includes.insert("lib/matmul_intf.h");
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
            proven_for: None,
            workspace: Some(format!(
                "static_cast<size_t>(cores) * 2 * {SIDE} * {SIDE} * sizeof(float)"
            )),
            includes,
            definitions,
            entry,
        })
    }

    // What the host computes.

    /// How many rows or columns are computed: what the guards leave of what the grid covers.
    fn extent(&self, extent: &Extent) -> Result<String, NotTranslated> {
        let axis = |axis: Axis| axis.name();
        let threads = format!("block.{}", axis(extent.thread));
        let covered = match (extent.block, extent.step) {
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
        line(
            "    __aicore__ inline void Init(GM_ADDR a, GM_ADDR b, GM_ADDR c, GM_ADDR workspace, const Tiling& tiling,",
        );
        line("                                AscendC::TPipe* pipe)");
        line("    {");
        line(&format!("        aGm.SetGlobalBuffer(reinterpret_cast<__gm__ {element}*>(a));"));
        line(&format!("        bGm.SetGlobalBuffer(reinterpret_cast<__gm__ {element}*>(b));"));
        line(&format!("        cGm.SetGlobalBuffer(reinterpret_cast<__gm__ {out}*>(c));"));
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
        text.push_str(&reads_old);
        let mut line = |part: &str| {
            text.push_str(part);
            text.push('\n');
        };
        line("        pipe->InitBuffer(inQueueProduct, BUFFER_NUM, SIDE * sizeof(float));");
        line(&format!("        pipe->InitBuffer(outQueueC, BUFFER_NUM, SIDE * sizeof({out}));"));
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
            line("            AscendC::DataCopyPad(old, cGm[place], copy, pad);");
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
        line(&format!("    AscendC::GlobalTensor<{element}> aGm, bGm;"));
        line(&format!("    AscendC::GlobalTensor<{out}> cGm;"));
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
        line("};");
        Ok(text)
    }
}

/// The smaller of two numbers, and not less than zero.
fn smaller(a: &str, b: &str) -> String {
    format!("static_cast<uint32_t>(({a}) < ({b}) ? (({a}) < 0 ? 0 : ({a})) : ({b}))")
}
