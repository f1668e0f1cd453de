//! The header with the tiling of kernels: what the host computes for a launch, as a structure and the
//! function that fills it, which needs no device.

use std::fmt::Write;

use port_ir::{Parameter, Scalar, Type};

use crate::host::text::{camel_case, has_word, replace_words, wrapped};
use crate::kernel::{Chip, TilingField};
use crate::section::Made;

/// `dim3`, as `port_ascend.h` has it too; the 950's own headers have it.
pub(crate) fn dim3(chip: Chip) -> &'static str {
    match chip {
        Chip::A910b => DIM3,
        Chip::A950 => "\n#include \"simt_api/asc_simt.h\"\n",
    }
}

const DIM3: &str = "
#ifndef PORT_DIM3
#define PORT_DIM3
// Extents of a grid or a block, as launches give them.
struct dim3 {
    uint32_t x, y, z;
    constexpr dim3(uint32_t x = 1, uint32_t y = 1, uint32_t z = 1) : x(x), y(y), z(z) {}
};
#endif
";

/// An expression in which fields are the tiling's.
pub(crate) fn of_tiling(fields: &[TilingField], text: &str) -> String {
    replace_words(text, &|word| {
        fields.iter().any(|field| field.name == word).then(|| format!("tiling.{word}"))
    })
}

/// What the function that fills a tiling is given: types and names. A type that only the user's text
/// has is a template parameter.
pub(crate) fn inputs(made: &Made) -> Vec<(Option<String>, String)> {
    let used = |word: &str| made.device.tiling.iter().any(|field| has_word(&field.value, word));
    let mut inputs = Vec::new();
    let frame = [
        ("const dim3&", "grid"),
        ("const dim3&", "block"),
        ("size_t", "shared"),
        ("uint32_t", "cores"),
        ("uint32_t", "ubBytes"),
    ];
    for (ty, name) in frame {
        if used(name) {
            inputs.push((Some(ty.to_owned()), name.to_owned()));
        }
    }
    for Parameter { name, ty, .. } in &made.parameters {
        if used(name) {
            inputs.push((parameter_type(*ty).map(str::to_owned), name.clone()));
        }
    }
    inputs
}

/// A parameter's type where it is one of C++'s own.
pub(crate) fn parameter_type(ty: Type) -> Option<&'static str> {
    Some(match ty {
        Type::Pointer(_) => "const void*",
        Type::Scalar(scalar) => match scalar {
            Scalar::Bool => "bool",
            Scalar::I8 => "int8_t",
            Scalar::U8 => "uint8_t",
            Scalar::I16 => "int16_t",
            Scalar::U16 => "uint16_t",
            Scalar::I32 => "int32_t",
            Scalar::U32 => "uint32_t",
            Scalar::I64 => "int64_t",
            Scalar::U64 => "uint64_t",
            Scalar::F32 => "float",
            Scalar::F64 => "double",
            _ => return None,
        },
        _ => return None,
    })
}

/// The structure of a kernel's tiling and the function that fills it.
pub(crate) fn text(name: &str, arguments: &str, kernel: String, made: &Made) -> String {
    let ty = camel_case(name);
    let mut out = String::new();
    let _ = writeln!(out, "\n// For {kernel}{arguments}.");
    let _ = writeln!(out, "struct {ty}Tiling {{");
    for field in &made.device.tiling {
        let _ = writeln!(out, "    {} {};  // {}", field.ty, field.name, field.comment);
    }
    out.push_str("};\n\n");
    let inputs = inputs(made);
    let templates: Vec<String> = inputs
        .iter()
        .filter(|(ty, _)| ty.is_none())
        .map(|(_, name)| format!("typename {}Type", camel_case(name)))
        .collect();
    if !templates.is_empty() {
        let _ = writeln!(out, "template <{}>", templates.join(", "));
    }
    let list: Vec<String> = inputs
        .iter()
        .map(|(ty, name)| match ty {
            Some(ty) => format!("{ty} {name}"),
            None => format!("const {}Type& {name}", camel_case(name)),
        })
        .collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let head = wrapped(&format!("inline {ty}Tiling Make{ty}Tiling("), &list, ")");
    let _ = writeln!(out, "{head}\n{{");
    let _ = writeln!(out, "    {ty}Tiling tiling = {{}};");
    for (index, field) in made.device.tiling.iter().enumerate() {
        let before = made.device.tiling.get(..index).unwrap_or(&[]);
        let value = of_tiling(before, &field.value);
        let _ = writeln!(out, "    tiling.{} = {value};", field.name);
    }
    out.push_str("    return tiling;\n}\n");
    out
}
