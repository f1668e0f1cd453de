//! A binding for PyTorch: each kernel as an operator that is given its launch and its parameters. The
//! caller's tensors are on the NPU; what the kernel writes is changed in place.

use std::fmt::Write;

use port_ir::{Parameter, Scalar, Type};

use super::c_type;
use crate::port::Port;
use crate::section::{Made, Section};

/// The kernels that an operator can be made of: pointers and numbers alone.
pub(crate) fn operators(section: &Section) -> impl Iterator<Item = &Made> {
    section.made().filter(|made| made.parameters.iter().all(|p| c_type(p.ty).is_some()))
}

/// What the kernels' file has for the binding: functions of plain types.
pub(crate) fn entries(section: &Section) -> String {
    let mut out = String::from(
        "\n// For the binding of PyTorch: the launchers under names without templates.\n",
    );
    for made in operators(section) {
        let list: Vec<String> = made
            .parameters
            .iter()
            .map(|p| format!("{} {}", c_type(p.ty).unwrap_or("void*"), p.name))
            .collect();
        // The launcher's own pointer types, whatever they are.
        let arguments: Vec<String> = made
            .parameters
            .iter()
            .map(|p| match p.ty {
                Type::Pointer(_) => format!("port_acl::AnyPointer{{{}}}", p.name),
                _ => p.name.clone(),
            })
            .collect();
        let more = if list.is_empty() { "" } else { ", " };
        let _ = writeln!(
            out,
            "void torch_{}(dim3 grid, dim3 block, size_t shared, aclrtStream stream{more}{})\n{{\n    {}(grid, block, shared, stream{more}{});\n}}",
            made.name,
            list.join(", "),
            made.launcher,
            arguments.join(", ")
        );
    }
    out
}

/// The binding's file.
pub(super) fn file(port: &Port<'_>, section: &Section) -> String {
    let stem = port.stem();
    let library = format!("{}_ops", super::identifier(&stem));
    let mut out = format!(
        "// The kernels of {stem}.asc as operators of PyTorch: `torch.ops.{library}.<kernel>(…, grid, block, shared)`.\n\
         // Made by port.\n\
         #include <torch/extension.h>\n\
         #include <torch/library.h>\n\
         #include \"torch_npu/csrc/core/npu/NPUStream.h\"\n\n\
         #include \"port_ascend.h\"\n\n"
    );
    for made in operators(section) {
        let list: Vec<String> =
            made.parameters.iter().map(|p| c_type(p.ty).unwrap_or("void*").to_owned()).collect();
        let more = if list.is_empty() { "" } else { ", " };
        let _ = writeln!(
            out,
            "void torch_{}(dim3 grid, dim3 block, size_t shared, aclrtStream stream{more}{});",
            made.name,
            list.join(", ")
        );
    }
    out.push_str(
        "\nnamespace {\n\n\
         dim3 Extents(at::IntArrayRef sizes)\n{\n    \
         const auto at = [&](size_t i) { return sizes.size() > i ? static_cast<uint32_t>(sizes[i]) : 1u; };\n    \
         return dim3(at(0), at(1), at(2));\n}\n",
    );
    for made in operators(section) {
        let list: Vec<String> =
            made.parameters.iter().map(|p| format!("{} {}", argument_type(p), p.name)).collect();
        let more = if list.is_empty() { "" } else { ", " };
        let arguments: Vec<String> = made
            .parameters
            .iter()
            .map(|p| match p.ty {
                Type::Pointer(_) => format!("{}.data_ptr()", p.name),
                _ => format!("static_cast<{}>({})", c_type(p.ty).unwrap_or("int"), p.name),
            })
            .collect();
        let _ = writeln!(
            out,
            "\nvoid {}({}{more}at::IntArrayRef grid, at::IntArrayRef block, int64_t shared)\n{{\n    \
             const aclrtStream stream = c10_npu::getCurrentNPUStream().stream();\n    \
             torch_{}(Extents(grid), Extents(block), static_cast<size_t>(shared), stream{more}{});\n}}",
            made.name,
            list.join(", "),
            made.name,
            arguments.join(", ")
        );
    }
    let _ = writeln!(out, "\n}}  // namespace\n\nTORCH_LIBRARY_FRAGMENT({library}, m)\n{{");
    for made in operators(section) {
        let _ = writeln!(out, "    m.def(\"{}\");", schema(made));
    }
    let _ = writeln!(out, "}}\n\nTORCH_LIBRARY_IMPL({library}, PrivateUse1, m)\n{{");
    for made in operators(section) {
        let _ = writeln!(out, "    m.impl(\"{0}\", &{0});", made.name);
    }
    out.push_str("}\n");
    out
}

fn argument_type(parameter: &Parameter) -> &'static str {
    match parameter.ty {
        Type::Pointer(_) => "const at::Tensor&",
        Type::Scalar(Scalar::F32 | Scalar::F64) => "double",
        Type::Scalar(Scalar::Bool) => "bool",
        _ => "int64_t",
    }
}

/// `k(Tensor(a!) y, Tensor x, int n, int[] grid, int[] block, int shared) -> ()`
fn schema(made: &Made) -> String {
    let mut aliases = 'a'..='z';
    let mut list: Vec<String> = made
        .parameters
        .iter()
        .map(|parameter| {
            let ty = match parameter.ty {
                Type::Pointer(_) if parameter.attributes.read_only => "Tensor".to_owned(),
                Type::Pointer(_) => format!("Tensor({}!)", aliases.next().unwrap_or('z')),
                Type::Scalar(Scalar::F32 | Scalar::F64) => "float".to_owned(),
                Type::Scalar(Scalar::Bool) => "bool".to_owned(),
                _ => "int".to_owned(),
            };
            format!("{ty} {}", parameter.name)
        })
        .collect();
    list.extend(["int[] grid", "int[] block", "int shared"].map(str::to_owned));
    format!("{}({}) -> ()", made.name, list.join(", "))
}
