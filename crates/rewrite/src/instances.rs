//! Template arguments of instances as text: which of them can be named at the end of a file.

use std::collections::BTreeSet;

use port_hir::{Module, Parent};
use port_syntax::Keyword;

/// The part of template arguments that does not name something at namespace scope. `types` are the
/// user's names there ([`type_names`]), `library` further names that the target knows.
pub fn unnameable(arguments: &str, types: &BTreeSet<String>, library: &[&str]) -> Option<String> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$');
    let allowed = |c: char| is_name(c) || " <>,*&()[]-+.'".contains(c);
    if let Some(other) = arguments.chars().find(|c| !allowed(*c)) {
        return Some(other.to_string());
    }
    let words = arguments.split(|c| !is_name(c)).filter(|word| !word.is_empty());
    for word in words {
        let first = word.chars().next().unwrap_or(' ');
        let is_keyword = Keyword::ALL.iter().any(|keyword| keyword.as_str() == word);
        let known = first.is_ascii_digit()
            || is_keyword
            || types.contains(word)
            || library.contains(&word)
            || port_api::find(word).is_some()
            || (word.starts_with("std::") && !word.contains("::__"))
            || matches!(word, "true" | "false" | "int8_t" | "uint8_t" | "int16_t" | "uint16_t")
            || matches!(word, "int32_t" | "uint32_t" | "int64_t" | "uint64_t" | "size_t" | "half");
        if !known {
            return Some(word.to_owned());
        }
    }
    None
}

/// The qualified names of the types, enumerators and functions that namespaces hold.
pub fn type_names(module: &Module) -> BTreeSet<String> {
    let at_namespace = |mut parent: Parent| loop {
        match parent {
            Parent::Namespace(_) => return true,
            Parent::Record(id) if !module.records[id].name.as_str().is_empty() => {
                parent = module.records[id].parent;
            }
            Parent::Record(_) | Parent::Function(_) => return false,
        }
    };
    let mut names = BTreeSet::new();
    for (_, record) in module.records.iter() {
        if at_namespace(record.parent) && !record.name.as_str().is_empty() {
            names.insert(module.qualified_name(record.parent, record.name.as_str()));
        }
    }
    // `typedef struct { … } Block;` names a struct that has no other name.
    for (_, alias) in module.aliases.iter() {
        if at_namespace(alias.parent) && alias.template_parameters.is_none() {
            names.insert(module.qualified_name(alias.parent, alias.name.as_str()));
        }
    }
    for (_, function) in module.functions.iter() {
        if matches!(function.parent, Parent::Namespace(_)) && !function.name.as_str().is_empty() {
            names.insert(module.qualified_name(function.parent, function.name.as_str()));
        }
    }
    // `typedef struct { … } Pair;`: the alias is the only name.
    for (_, alias) in module.aliases.iter() {
        if alias.template_parameters.is_none() && at_namespace(alias.parent) {
            names.insert(module.qualified_name(alias.parent, alias.name.as_str()));
        }
    }
    for (_, found) in module.enums.iter() {
        if !at_namespace(found.parent) {
            continue;
        }
        let own = module.qualified_name(found.parent, found.name.as_str());
        for constant in &found.constants {
            let name = constant.name.as_str();
            names.insert(module.qualified_name(found.parent, name));
            names.insert(format!("{own}::{name}"));
        }
        if !found.name.as_str().is_empty() {
            names.insert(own);
        }
    }
    names
}

/// The arguments of `<a, b<c, d>, 3>`.
pub fn split_arguments(arguments: &str) -> Vec<String> {
    let inside = arguments.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let Some(inside) = inside.filter(|inside| !inside.is_empty()) else { return Vec::new() };
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for character in inside.chars() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_told_apart() {
        assert_eq!(split_arguments("<a, b<c, d>, (1, 2)>"), ["a", "b<c, d>", "(1, 2)"]);
        assert_eq!(split_arguments(""), [""; 0]);
    }
}
