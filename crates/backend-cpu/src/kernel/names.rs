//! Identifiers of the emitted text: the user's where there are any, none twice.

use std::collections::BTreeSet;

/// Words that no name may be: C++'s, and those that emitted text uses.
const TAKEN: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "class",
    "compl",
    "const",
    "const_cast",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "concept",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
    // Emitted text and its headers.
    "block",
    "thread",
    "launch",
    "arguments",
    "threads",
    "width",
    "height",
    "row",
    "whole",
    "t",
    "tx",
    "ty",
    "tz",
    "std",
    "port_cpu",
    "compiled",
    "main",
    "errno",
    "assert",
    "printf",
    "stdin",
    "stdout",
    "stderr",
    "NULL",
    "EOF",
    "NAN",
    "INFINITY",
    "unix",
    "linux",
    "i386",
    "signbit",
    "isnan",
    "isinf",
    "f16",
    "bf16",
    "f8e4m3",
    "f8e5m2",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "add",
    "sub",
    "mul",
    "divide",
    "remainder",
    "minimum",
    "maximum",
    "bits",
    "as",
    "at",
    "map",
    "any",
    "each",
    "all",
    "array",
    "fragment",
    "vec2",
    "vec3",
    "vec4",
    "argument",
    "fill",
    "y0",
    "y1",
    "yn",
    "j0",
    "j1",
    "jn",
    "gamma",
    "index",
    "exp",
    "log",
    "pow",
    "sin",
    "cos",
    "tan",
    "floor",
    "ceil",
    "round",
    "trunc",
    "fma",
    "sqrt",
    "absolute",
    "negate",
    "widen",
    "narrow",
    "shift_left",
    "shift_right",
    "shuffle",
    "ballot",
    "vote",
    "copy_bytes",
    "fill_bytes",
    "clamp",
    "convert",
    "integer",
    "splat",
    "select",
    "part",
    "with_part",
    "atomic",
    "fence",
    "clip",
    "next",
    "lane_of",
    "warp_of",
    "begin",
    "fail",
];

/// The identifiers of one function.
#[derive(Clone, Debug)]
pub(super) struct Names {
    used: BTreeSet<String>,
}

impl Names {
    pub(super) fn new(reserved: &BTreeSet<String>) -> Self {
        let mut used = reserved.clone();
        used.extend(TAKEN.iter().map(ToString::to_string));
        Names { used }
    }

    /// Keeps a name from being given.
    pub(super) fn take(&mut self, name: &str) {
        self.used.insert(name.to_string());
    }

    /// An identifier like `wish` that is not used yet.
    pub(super) fn fresh(&mut self, wish: &str) -> String {
        let base = identifier(wish);
        if self.used.insert(base.clone()) {
            return base;
        }
        for number in 2u64.. {
            let name = format!("{base}_{number}");
            if self.used.insert(name.clone()) {
                return name;
            }
        }
        base
    }
}

/// A text as an identifier: other characters become single underscores.
pub(super) fn identifier(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let mut name = name.trim_end_matches('_').to_string();
    if name.is_empty() {
        name.push_str("value");
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'n');
    }
    name
}
