//! Each kernel as a custom operator in the layout of msopgen: a description, the host's half with the
//! tiling function and the definition, and the kernel's entry. The launch of CUDA is given by attributes.

use std::fmt::Write;

use port_ir::{Parameter, Scalar, Type};

use super::torch::operators;
use crate::host::text::{camel_case, has_word};
use crate::kernel::Unit;
use crate::port::Port;
use crate::section::{Made, Section};
use crate::support::{Header, joined, prelude};
use crate::tiling;

/// The files of every operator that can be one.
pub(super) fn files(port: &Port<'_>, section: &Section) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let stem = port.stem();
    // An operator of msopgen has no place for variables of the program.
    for made in operators(section).filter(|made| made.device.symbols.is_empty()) {
        let name = &made.name;
        files.push((format!("{name}.json"), description(made)));
        files.push((format!("op_host/{name}.cpp"), host(&stem, made)));
        files.push((format!("op_kernel/{name}.cpp"), kernel(&stem, made, &section.headers)));
    }
    files
}

fn pointers(made: &Made) -> impl Iterator<Item = &Parameter> {
    made.parameters.iter().filter(|p| matches!(p.ty, Type::Pointer(_)))
}

fn scalars(made: &Made) -> impl Iterator<Item = &Parameter> {
    made.parameters.iter().filter(|p| !matches!(p.ty, Type::Pointer(_)))
}

/// What a pointer points at, as (json, ge::DataType).
fn data_type(parameter: &Parameter) -> (&'static str, &'static str) {
    let scalar = match parameter.pointee {
        Some(Type::Scalar(scalar) | Type::Vector(scalar, _)) => Some(scalar),
        _ => None,
    };
    match scalar {
        Some(Scalar::F16) => ("float16", "DT_FLOAT16"),
        Some(Scalar::Bf16) => ("bfloat16", "DT_BF16"),
        Some(Scalar::F32) => ("float", "DT_FLOAT"),
        Some(Scalar::I8) => ("int8", "DT_INT8"),
        Some(Scalar::I16) => ("int16", "DT_INT16"),
        Some(Scalar::U16) => ("uint16", "DT_UINT16"),
        Some(Scalar::I32) => ("int32", "DT_INT32"),
        Some(Scalar::U32) => ("uint32", "DT_UINT32"),
        Some(Scalar::I64) => ("int64", "DT_INT64"),
        Some(Scalar::U64) => ("uint64", "DT_UINT64"),
        Some(Scalar::F64) => ("double", "DT_DOUBLE"),
        _ => ("uint8", "DT_UINT8"),
    }
}

/// An attribute's kind, as (json, OpDef, C++).
fn attribute(parameter: &Parameter) -> (&'static str, &'static str, &'static str) {
    match parameter.ty {
        Type::Scalar(Scalar::F32 | Scalar::F64) => ("float", "Float", "float"),
        Type::Scalar(Scalar::Bool) => ("bool", "Bool", "bool"),
        _ => ("int", "Int", "int64_t"),
    }
}

/// The launch, as attributes with what they are without one.
const LAUNCH: [(&str, u32); 7] = [
    ("grid_x", 1),
    ("grid_y", 1),
    ("grid_z", 1),
    ("block_x", 1),
    ("block_y", 1),
    ("block_z", 1),
    ("dynamic_shared", 0),
];

fn description(made: &Made) -> String {
    let tensors = |list: Vec<&Parameter>| -> String {
        let parts: Vec<String> = list
            .iter()
            .map(|p| {
                format!(
                    "      {{\"name\": \"{}\", \"param_type\": \"required\", \"format\": [\"ND\"], \"type\": [\"{}\"]}}",
                    p.name,
                    data_type(p).0
                )
            })
            .collect();
        parts.join(",\n")
    };
    let mut attributes: Vec<String> = scalars(made)
        .map(|p| {
            format!(
                "      {{\"name\": \"{}\", \"param_type\": \"required\", \"type\": \"{}\"}}",
                p.name,
                attribute(p).0
            )
        })
        .collect();
    attributes.extend(LAUNCH.iter().map(|(name, value)| {
        format!(
            "      {{\"name\": \"{name}\", \"param_type\": \"optional\", \"type\": \"int\", \"default_value\": \"{value}\"}}"
        )
    }));
    let (inputs, outputs): (Vec<&Parameter>, Vec<&Parameter>) =
        pointers(made).partition(|p| p.attributes.read_only);
    format!(
        "[\n  {{\n    \"op\": \"{}\",\n    \"language\": \"cpp\",\n    \"input_desc\": [\n{}\n    ],\n    \"output_desc\": [\n{}\n    ],\n    \"attr\": [\n{}\n    ]\n  }}\n]\n",
        camel_case(&made.name),
        tensors(inputs),
        tensors(outputs),
        attributes.join(",\n")
    )
}

fn host(stem: &str, made: &Made) -> String {
    let name = &made.name;
    let ty = camel_case(name);
    let mut out = format!(
        "// The host's half of the operator {ty}: what is computed for a launch, and what the operator is\n\
         // given. Made by port from {stem}.cu.\n\
         #include \"register/op_def_registry.h\"\n\
         #include \"tiling/platform/platform_ascendc.h\"\n\n\
         #include \"../{stem}_tiling.h\"\n\nnamespace optiling {{\n\n"
    );
    let _ = writeln!(
        out,
        "static ge::graphStatus TilingFunc(gert::TilingContext* context)\n{{\n    \
         const gert::RuntimeAttrs* attributes = context->GetAttrs();\n    \
         platform_ascendc::PlatformAscendC platform(context->GetPlatformInfo());"
    );
    let device = &made.device;
    let uses = |word: &str| {
        device.tiling.iter().any(|field| has_word(&field.value, word))
            || has_word(&device.blocks, word)
            || device.workspace.as_ref().is_some_and(|size| has_word(size, word))
    };
    if uses("cores") {
        let cores = if device.unit == Unit::Cube { "GetCoreNumAic" } else { "GetCoreNumAiv" };
        let _ = writeln!(out, "    const uint32_t cores = platform.{cores}();");
    }
    if uses("ubBytes") {
        out.push_str(
            "    uint64_t ubBytes = 0;\n    platform.GetCoreMemSize(platform_ascendc::CoreMemType::UB, ubBytes);\n",
        );
    }
    let mut index = 0;
    for parameter in scalars(made) {
        if uses(&parameter.name) {
            let (_, _, ty) = attribute(parameter);
            let own = tiling::parameter_type(parameter.ty).unwrap_or(ty);
            let _ = writeln!(
                out,
                "    const auto {} = static_cast<{own}>(*attributes->GetAttrPointer<{ty}>({index}));",
                parameter.name
            );
        }
        index += 1;
    }
    let _ = writeln!(
        out,
        "    const auto launch = [&](size_t i) {{\n        \
         return static_cast<uint32_t>(*attributes->GetAttrPointer<int64_t>({index} + i));\n    }};"
    );
    for (name, first) in [("grid", 0), ("block", 3)] {
        if uses(name) {
            let _ = writeln!(
                out,
                "    const dim3 {name}(launch({first}), launch({}), launch({}));",
                first + 1,
                first + 2
            );
        }
    }
    if uses("shared") {
        out.push_str("    const size_t shared = launch(6);\n");
    }
    // Addresses are not known yet; what asks for them gets the alignment that tensors have.
    for parameter in pointers(made) {
        if uses(&parameter.name) {
            let _ = writeln!(out, "    const void* {} = nullptr;", parameter.name);
        }
    }
    let fields = |text: &str| tiling::of_tiling(&device.tiling, text);
    if !device.tiling.is_empty() {
        let given: Vec<String> = tiling::inputs(made).into_iter().map(|(_, name)| name).collect();
        let _ = writeln!(
            out,
            "    auto& tiling = *context->GetTilingData<{ty}Tiling>();\n    tiling = Make{ty}Tiling({});",
            given.join(", ")
        );
    }
    let _ = writeln!(out, "    context->SetBlockDim({});", fields(&device.blocks));
    let _ = writeln!(
        out,
        "    context->GetWorkspaceSizes(1)[0] = platform.GetLibApiWorkSpaceSize(){};",
        device.workspace.as_ref().map_or(String::new(), |size| format!(" + {}", fields(size)))
    );
    out.push_str(
        "    return ge::GRAPH_SUCCESS;\n}\n\n}  // namespace optiling\n\nnamespace ops {\n\n",
    );
    let _ = writeln!(
        out,
        "class {ty} : public OpDef {{\npublic:\n    explicit {ty}(const char* name) : OpDef(name)\n    {{"
    );
    for parameter in pointers(made) {
        let kind = if parameter.attributes.read_only { "Input" } else { "Output" };
        let _ = writeln!(
            out,
            "        this->{kind}(\"{}\").ParamType(REQUIRED).DataType({{ge::{}}}).Format({{ge::FORMAT_ND}});",
            parameter.name,
            data_type(parameter).1
        );
    }
    for parameter in scalars(made) {
        let _ = writeln!(
            out,
            "        this->Attr(\"{}\").AttrType(REQUIRED).{}();",
            parameter.name,
            attribute(parameter).1
        );
    }
    for (name, value) in LAUNCH {
        let _ = writeln!(out, "        this->Attr(\"{name}\").AttrType(OPTIONAL).Int({value});");
    }
    let _ = writeln!(
        out,
        "        this->AICore().SetTiling(optiling::TilingFunc);\n        \
         this->AICore().AddConfig(\"ascend910b\");\n        \
         this->AICore().AddConfig(\"ascend910_93\");\n    }}\n}};\n\nOP_ADD({ty});\n\n}}  // namespace ops"
    );
    out
}

fn kernel(stem: &str, made: &Made, headers: &[Header]) -> String {
    let name = &made.name;
    let ty = camel_case(name);
    let device = &made.device;
    let mut out = format!(
        "// The kernel's entry of the operator {ty}. Made by port from {stem}.cu.\n#include \"kernel_operator.h\"\n"
    );
    for include in &device.includes {
        let _ = writeln!(out, "#include \"{include}\"");
    }
    let shared = made.shared.trim();
    let between = if shared.is_empty() { "" } else { "\n\n" };
    let text = format!("{shared}{between}{}", device.definitions.trim());
    let called = format!("{text}\n{}", device.entry);
    for header in headers.iter().filter(|header| header.serves(&called)) {
        let _ = writeln!(out, "#include \"../{}\"", header.name);
    }
    let _ = writeln!(out, "#include \"../{stem}_tiling.h\"\n\nusing namespace AscendC;\n");
    let text = format!("{}{text}", prelude(headers, &called));
    let _ = writeln!(out, "{}\n", joined(&text));
    let inputs = pointers(made).filter(|p| p.attributes.read_only);
    let outputs = pointers(made).filter(|p| !p.attributes.read_only);
    let mut list: Vec<String> =
        inputs.chain(outputs).map(|p| format!("GM_ADDR {}", p.name)).collect();
    list.extend(["GM_ADDR workspaceAddress".to_owned(), "GM_ADDR tilingAddress".to_owned()]);
    let _ =
        writeln!(out, "extern \"C\" __global__ __aicore__ void {name}({})\n{{", list.join(", "));
    let task = if device.unit == Unit::Cube { "MIX_AIC_1_2" } else { "AIV_ONLY" };
    let _ = writeln!(out, "    KERNEL_TASK_TYPE_DEFAULT(KERNEL_TYPE_{task});");
    if !device.tiling.is_empty() {
        let _ = writeln!(
            out,
            "    REGISTER_TILING_DEFAULT({ty}Tiling);\n    GET_TILING_DATA(tiling, tilingAddress);"
        );
    }
    if device.workspace.is_some() {
        out.push_str("    GM_ADDR workspace = GetUserWorkspace(workspaceAddress);\n");
    }
    let _ = writeln!(out, "{}\n}}", device.entry.trim_end_matches('\n'));
    out
}
