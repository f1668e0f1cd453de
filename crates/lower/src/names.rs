//! Types, template arguments and values as text, the way a person writes them in C++.

use port_ir::{FragmentUse, MatrixLayout, Scalar};

use crate::context::Context;
use crate::ty::{Kind, Type};
use crate::value::{Argument, TemplateKind, Value};

/// A type's name.
pub(crate) fn type_name(cx: &Context<'_>, ty: Type) -> String {
    let mut text = String::new();
    write_type(cx, ty, 0, &mut text);
    text
}

/// Deeper parts of a type are `…`.
const DEPTH: u32 = 24;

fn write_type(cx: &Context<'_>, ty: Type, depth: u32, out: &mut String) {
    if depth > DEPTH {
        out.push('…');
        return;
    }
    let pointer_like = matches!(cx.types.kind(ty), Kind::Pointer(_) | Kind::MemberPointer(..));
    if !pointer_like {
        if ty.constant {
            out.push_str("const ");
        }
        if ty.volatile {
            out.push_str("volatile ");
        }
    }
    match cx.types.kind(ty) {
        Kind::Builtin(builtin) => out.push_str(builtin.spelling()),
        Kind::Narrow(scalar) => out.push_str(match scalar {
            Scalar::F16 => "half",
            Scalar::Bf16 => "__nv_bfloat16",
            Scalar::F8E4M3 => "__nv_fp8_e4m3",
            _ => "__nv_fp8_e5m2",
        }),
        Kind::Vector { dim3: true, .. } => out.push_str("dim3"),
        Kind::Vector { .. } => out.push_str(&vector_name(cx, ty)),
        Kind::Pointer(inner) => {
            write_declarator(cx, *inner, "*", depth, out);
            if ty.constant {
                out.push_str(" const");
            }
            if ty.volatile {
                out.push_str(" volatile");
            }
        }
        Kind::LValueReference(inner) => write_declarator(cx, *inner, "&", depth, out),
        Kind::RValueReference(inner) => write_declarator(cx, *inner, "&&", depth, out),
        Kind::Array(element, extent) => {
            // Extents are written from the outside in: `float [4][8]`.
            let mut extents = String::new();
            let (mut element, mut extent) = (*element, *extent);
            loop {
                match extent {
                    Some(extent) => extents.push_str(&format!("[{extent}]")),
                    None => extents.push_str("[]"),
                }
                match cx.types.kind(element) {
                    Kind::Array(inner, inner_extent) => {
                        (element, extent) = (*inner, *inner_extent);
                    }
                    _ => break,
                }
            }
            write_type(cx, element, depth + 1, out);
            out.push_str(&extents);
        }
        Kind::Function(function) => {
            write_type(cx, function.result, depth + 1, out);
            out.push('(');
            for (index, parameter) in function.parameters.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_type(cx, *parameter, depth + 1, out);
            }
            if function.variadic {
                out.push_str(if function.parameters.is_empty() { "..." } else { ", ..." });
            }
            out.push(')');
        }
        Kind::MemberPointer(class, pointee) => {
            write_type(cx, *pointee, depth + 1, out);
            out.push(' ');
            out.push_str(&cx.class(*class).name);
            out.push_str("::*");
        }
        Kind::Class(class) => out.push_str(&cx.class(*class).name),
        Kind::Enum(enumeration) => out.push_str(&cx.enumeration(*enumeration).name),
        Kind::Fragment(fragment) => {
            let operand = match fragment.operand {
                FragmentUse::A => "matrix_a",
                FragmentUse::B => "matrix_b",
                FragmentUse::Accumulator => "accumulator",
            };
            out.push_str(&format!(
                "nvcuda::wmma::fragment<{operand}, {}, {}, {}, {}",
                fragment.m,
                fragment.n,
                fragment.k,
                fragment.element.storage().name()
            ));
            match fragment.layout {
                Some(MatrixLayout::RowMajor) => out.push_str(", row_major"),
                Some(MatrixLayout::ColumnMajor) => out.push_str(", col_major"),
                None => {}
            }
            out.push('>');
        }
        Kind::Opaque(name) => out.push_str(name.as_str()),
        Kind::Auto => out.push_str("auto"),
        Kind::Placeholder(number) => out.push_str(&format!("<parameter {number}>")),
        Kind::Overload => out.push_str("<overloaded function>"),
        Kind::Unknown => out.push_str("<unknown>"),
    }
}

fn write_declarator(cx: &Context<'_>, inner: Type, mark: &str, depth: u32, out: &mut String) {
    match cx.types.kind(inner) {
        Kind::Function(_) | Kind::Array(..) => {
            let mut text = String::new();
            write_type(cx, inner, depth + 1, &mut text);
            let at = text.find(['(', '[']).unwrap_or(text.len());
            let (head, tail) = text.split_at(at);
            out.push_str(&format!("{head}({mark}){tail}"));
        }
        _ => {
            write_type(cx, inner, depth + 1, out);
            out.push_str(mark);
        }
    }
}

/// `float4`, `half2`, `ulonglong2`.
fn vector_name(cx: &Context<'_>, ty: Type) -> String {
    let Some((element, count)) = cx.types.vector_parts(ty) else { return String::new() };
    if element.same(Type::BFLOAT16) {
        return format!("__nv_bfloat16{count}");
    }
    let name = match cx.types.kind(element) {
        Kind::Builtin(builtin) => {
            use port_hir::Builtin::*;
            match builtin {
                Char | SignedChar => "char",
                UnsignedChar => "uchar",
                Short => "short",
                UnsignedShort => "ushort",
                Int => "int",
                UnsignedInt => "uint",
                Long => "long",
                UnsignedLong => "ulong",
                LongLong => "longlong",
                UnsignedLongLong => "ulonglong",
                Double => "double",
                _ => "float",
            }
        }
        _ => "half",
    };
    format!("{name}{count}")
}

/// Longer lists of template arguments are cut: types that double at each step have names that do.
const LENGTH: usize = 2000;

/// Template arguments, without the brackets. A cut list ends with `…` and is not unique.
pub(crate) fn arguments_text(cx: &Context<'_>, arguments: &[Argument]) -> String {
    let mut parts = Vec::new();
    collect_arguments(cx, arguments, &mut parts);
    let mut text = parts.join(", ");
    if text.len() > LENGTH {
        let end = (0..=LENGTH).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn collect_arguments(cx: &Context<'_>, arguments: &[Argument], parts: &mut Vec<String>) {
    for argument in arguments {
        match argument {
            Argument::Type(ty) => parts.push(type_name(cx, *ty)),
            Argument::Value(value, ty) => parts.push(value_text(cx, value, *ty)),
            Argument::Template(template) => parts.push(match template.which {
                TemplateKind::Record(id) => {
                    cx.hir(template.outer.unit).records[id].name.as_str().to_string()
                }
                TemplateKind::Alias(id) => {
                    cx.hir(template.outer.unit).aliases[id].name.as_str().to_string()
                }
                TemplateKind::Library(name) => name.as_str().to_string(),
                TemplateKind::Placeholder(number) => format!("<template {number}>"),
            }),
            Argument::Pack(list) => collect_arguments(cx, list, parts),
        }
    }
}

/// A value as a template argument is written.
pub(crate) fn value_text(cx: &Context<'_>, value: &Value, ty: Type) -> String {
    match value {
        Value::Integer(number) => match cx.types.kind(ty) {
            Kind::Builtin(port_hir::Builtin::Bool) => (*number != 0).to_string(),
            Kind::Enum(id) => {
                let enumeration = cx.enumeration(*id);
                let hir = cx.hir(enumeration.environment.unit);
                let position = enumeration.values.iter().position(|known| *known == Some(*number));
                let constant =
                    position.and_then(|index| hir.enums[enumeration.id].constants.get(index));
                match constant {
                    Some(constant) if enumeration.scoped => {
                        format!("{}::{}", enumeration.name, constant.name)
                    }
                    Some(constant) => constant.name.as_str().to_string(),
                    None => format!("({}){number}", enumeration.name),
                }
            }
            _ => number.to_string(),
        },
        Value::Float(number) => format!("{number}"),
        Value::Null => "nullptr".to_string(),
        Value::Function(function) => cx.function(*function).name.clone(),
        Value::Placeholder(number) => format!("<value {number}>"),
        Value::Aggregate(parts) => {
            let parts: Vec<_> = parts.iter().map(|p| value_text(cx, p, Type::UNKNOWN)).collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Address(_) => "&…".to_string(),
        Value::Member(index) => format!("&member {index}"),
        Value::String(_) => "\"…\"".to_string(),
        Value::Undefined => "?".to_string(),
    }
}
