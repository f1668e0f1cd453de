//! Identifiers of the emitted text: the user's where there are any, none twice.

use std::collections::{BTreeMap, BTreeSet};

/// The words of C++, which no name may be.
const KEYWORDS: &[&str] = &[
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
];

/// The identifiers of one function.
#[derive(Clone, Debug)]
pub struct Names {
    used: BTreeSet<String>,
    /// The number that was last given to a name: those below it are used.
    last: BTreeMap<String, u64>,
}

impl Names {
    /// No names yet; `reserved` and `taken` are not to be given, nor the words of C++.
    pub fn new(reserved: &BTreeSet<String>, taken: &[&str]) -> Self {
        let mut used = reserved.clone();
        used.extend(taken.iter().map(ToString::to_string));
        used.extend(KEYWORDS.iter().map(ToString::to_string));
        Names { used, last: BTreeMap::new() }
    }

    /// Keeps a name from being given.
    pub fn take(&mut self, name: &str) {
        self.used.insert(name.to_string());
    }

    /// An identifier like `wish` that is not used yet.
    pub fn fresh(&mut self, wish: &str) -> String {
        let base = identifier(wish);
        if self.used.insert(base.clone()) {
            return base;
        }
        let last = self.last.entry(base.clone()).or_insert(1);
        loop {
            *last += 1;
            let name = format!("{base}_{last}");
            if self.used.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A text as an identifier: other characters become single underscores.
pub fn identifier(text: &str) -> String {
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
