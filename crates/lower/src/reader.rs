//! Reads an instance as a person writes it on the command line: `ns::k<float, 128, Sum>`.

use port_hir::{Builtin, FunctionId, Module};

use crate::check::Checker;
use crate::context::{Context, FunctionInstanceId, Unit};
use crate::overload::Candidate;
use crate::ty::Type;
use crate::value::{Argument, Environment, TemplateKind, TemplateName, Value};

/// The instance of a kernel that a text names.
pub(crate) fn read(
    cx: &mut Context<'_>,
    module: &Module,
    text: &str,
) -> Result<FunctionInstanceId, String> {
    let text = text.trim();
    let (name, arguments) = match text.find('<') {
        Some(at) => {
            let (name, rest) = text.split_at(at);
            let inner = rest
                .strip_prefix('<')
                .and_then(|rest| rest.trim_end().strip_suffix('>'))
                .ok_or("a `>` is missing")?;
            (name.trim(), Some(inner))
        }
        None => (text, None),
    };
    let kernels: Vec<FunctionId> = module
        .kernels()
        .filter(|(id, function)| {
            let full = module.function_name(*id);
            function.specialisation.is_none()
                && (full == name.trim_start_matches("::") || full.ends_with(&format!("::{name}")))
        })
        .map(|(id, _)| id)
        .collect();
    if kernels.is_empty() {
        return Err("no kernel has this name".to_string());
    }
    let mut given = Vec::new();
    if let Some(arguments) = arguments {
        for argument in split(arguments) {
            given.push(read_argument(cx, module, argument.trim(), 0)?);
        }
    }
    let mut why = "the arguments do not fit".to_string();
    for id in kernels {
        let function = &module.functions[id];
        let candidate =
            Candidate { function: id, environment: Environment::top(Unit::USER), class: None };
        let mut checker = Checker::new(cx, Environment::top(Unit::USER));
        let hir = checker.hir();
        let list = match &hir.functions[id].template_parameters {
            None if given.is_empty() => None,
            None => continue,
            Some(parameters) => {
                let outer = Environment::top(Unit::USER);
                match checker.complete_arguments(parameters, given.clone(), &outer) {
                    Ok(list) => Some(list),
                    Err(reason) => {
                        why = reason;
                        continue;
                    }
                }
            }
        };
        let _ = function;
        let instance =
            checker.attempt(|checker| checker.function_instance(&candidate, list)).flatten();
        if let Some(instance) = instance {
            return Ok(instance);
        }
    }
    Err(why)
}

/// Splits at commas that are in no brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text.get(start..).unwrap_or("");
    if !last.trim().is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}

const DEPTH: u32 = 32;

fn read_argument(
    cx: &mut Context<'_>,
    module: &Module,
    text: &str,
    depth: u32,
) -> Result<Argument, String> {
    if let Some((value, ty)) = read_number(text) {
        return Ok(Argument::Value(value, ty));
    }
    if let Some(argument) = read_constant(cx, module, text) {
        return Ok(argument);
    }
    if let Some(template) = read_template(cx, module, text) {
        return Ok(Argument::Template(template));
    }
    read_type(cx, module, text, depth).map(Argument::Type)
}

/// The name of a class or alias template, for a parameter that takes one. A template's name without
/// arguments is no type.
fn read_template(cx: &mut Context<'_>, module: &Module, text: &str) -> Option<TemplateName> {
    let name = text.trim_start_matches("::");
    let named = |full: &str| full == name || full.ends_with(&format!("::{name}"));
    let outer = Environment::top(Unit::USER);
    for (id, record) in module.records.iter() {
        if record.specialisation.is_none()
            && record.template_parameters.is_some()
            && matches!(record.parent, port_hir::Parent::Namespace(_))
            && named(&module.qualified_name(record.parent, record.name.as_str()))
        {
            return Some(TemplateName { which: TemplateKind::Record(id), outer });
        }
    }
    for (id, alias) in module.aliases.iter() {
        if alias.template_parameters.is_some()
            && matches!(alias.parent, port_hir::Parent::Namespace(_))
            && named(&module.qualified_name(alias.parent, alias.name.as_str()))
        {
            return Some(TemplateName { which: TemplateKind::Alias(id), outer });
        }
    }
    let origin = port_diag::Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
    let mut checker = Checker::new(cx, outer);
    let key = port_hir::Name::new(name);
    match checker.attempt(|checker| checker.library_entity(key, None, origin)) {
        Some(crate::lookup::Entity::Template(template)) => Some(template),
        _ => None,
    }
}

fn read_number(text: &str) -> Option<(Value, Type)> {
    match text {
        "true" => return Some((Value::TRUE, Type::BOOL)),
        "false" => return Some((Value::FALSE, Type::BOOL)),
        _ => {}
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let digits = digits.trim_end_matches(['u', 'U', 'l', 'L']);
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i128::from_str_radix(hex, 16).ok()?,
        None if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse().ok()?,
        None => return None,
    };
    Some((Value::Integer(if negative { -value } else { value }), Type::LONG))
}

/// An enumerator or a function of the file.
fn read_constant(cx: &mut Context<'_>, module: &Module, text: &str) -> Option<Argument> {
    for (id, definition) in module.enums.iter() {
        for (index, constant) in definition.constants.iter().enumerate() {
            let name = module.qualified_name(definition.parent, constant.name.as_str());
            let scoped = module.qualified_name(definition.parent, definition.name.as_str());
            if name == text || format!("{scoped}::{}", constant.name) == text {
                let env = Environment::top(Unit::USER);
                let mut checker = Checker::new(cx, env.clone());
                if let crate::lookup::Entity::Constant(value, ty) =
                    checker.enumerator(id, index as u32, env)
                {
                    return Some(Argument::Value(value, ty));
                }
            }
        }
    }
    // A function, for a parameter that is a pointer to one.
    for (id, function) in module.functions.iter() {
        if function.template_parameters.is_none()
            && matches!(function.parent, port_hir::Parent::Namespace(_))
            && module.function_name(id) == text
        {
            let environment = Environment::top(Unit::USER);
            let candidate =
                Candidate { function: id, environment: environment.clone(), class: None };
            let mut checker = Checker::new(cx, environment);
            let instance = checker.function_instance(&candidate, None)?;
            let ty = checker.function_type(instance);
            let ty = checker.cx.types.pointer(ty);
            return Some(Argument::Value(Value::Function(instance), ty));
        }
    }
    None
}

fn read_type(
    cx: &mut Context<'_>,
    module: &Module,
    text: &str,
    depth: u32,
) -> Result<Type, String> {
    if depth > DEPTH {
        return Err("the arguments are nested too deeply".to_string());
    }
    let text = text.trim();
    // From the outside: pointers and references, then qualifiers.
    if let Some(inner) = text.strip_suffix('*') {
        let inner = read_type(cx, module, inner, depth + 1)?;
        return Ok(cx.types.pointer(inner));
    }
    if let Some(inner) = text.strip_suffix("&&") {
        let inner = read_type(cx, module, inner, depth + 1)?;
        return Ok(cx.types.rvalue_reference(inner));
    }
    if let Some(inner) = text.strip_suffix('&') {
        let inner = read_type(cx, module, inner, depth + 1)?;
        return Ok(cx.types.lvalue_reference(inner));
    }
    if let Some(inner) = text.strip_prefix("const ") {
        let inner = read_type(cx, module, inner, depth + 1)?;
        return Ok(cx.types.qualify(inner, true, false));
    }
    if let Some(inner) = text.strip_suffix(" const") {
        let inner = read_type(cx, module, inner, depth + 1)?;
        return Ok(cx.types.qualify(inner, true, false));
    }
    if let Some(builtin) = builtin(text) {
        return Ok(Type::builtin(builtin));
    }
    let (name, arguments) = match text.find('<') {
        Some(at) => {
            let (name, rest) = text.split_at(at);
            let inner = rest
                .strip_prefix('<')
                .and_then(|rest| rest.strip_suffix('>'))
                .ok_or_else(|| format!("`{text}` is no type"))?;
            (name.trim(), Some(inner))
        }
        None => (text, None),
    };
    let mut given = Vec::new();
    if let Some(arguments) = arguments {
        for argument in split(arguments) {
            given.push(read_argument(cx, module, argument.trim(), depth + 1)?);
        }
    }
    let top = Environment::top(Unit::USER);
    let origin = port_diag::Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
    let named = |full: &str| full == name || full.ends_with(&format!("::{name}"));
    for (id, record) in module.records.iter() {
        if record.specialisation.is_none()
            && named(&module.qualified_name(record.parent, record.name.as_str()))
        {
            let mut checker = Checker::new(cx, top.clone());
            return Ok(checker.class_from_template(id, given, &top, origin));
        }
    }
    for (id, alias) in module.aliases.iter() {
        if matches!(alias.parent, port_hir::Parent::Namespace(_))
            && named(&module.qualified_name(alias.parent, alias.name.as_str()))
        {
            let mut checker = Checker::new(cx, top.clone());
            return Ok(checker.alias_from_template(id, given, &top, origin));
        }
    }
    for (id, definition) in module.enums.iter() {
        if named(&module.qualified_name(definition.parent, definition.name.as_str())) {
            let mut checker = Checker::new(cx, top.clone());
            return Ok(checker.enumeration(id, top));
        }
    }
    let mut checker = Checker::new(cx, top);
    let entity =
        checker.attempt(|checker| checker.library_entity(port_hir::Name::new(name), None, origin));
    match entity {
        Some(crate::lookup::Entity::Type(ty)) => Ok(ty),
        _ => Err(format!("`{text}` is no type that the file declares")),
    }
}

fn builtin(text: &str) -> Option<Builtin> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(match &words[..] {
        ["void"] => Builtin::Void,
        ["bool"] => Builtin::Bool,
        ["char"] => Builtin::Char,
        ["signed", "char"] | ["int8_t"] => Builtin::SignedChar,
        ["unsigned", "char"] | ["uint8_t"] => Builtin::UnsignedChar,
        ["short"] | ["short", "int"] | ["int16_t"] => Builtin::Short,
        ["unsigned", "short"] | ["uint16_t"] => Builtin::UnsignedShort,
        ["int"] | ["signed"] | ["int32_t"] => Builtin::Int,
        ["unsigned"] | ["unsigned", "int"] | ["uint32_t"] => Builtin::UnsignedInt,
        ["long"] | ["long", "int"] | ["int64_t"] | ["ptrdiff_t"] => Builtin::Long,
        ["unsigned", "long"] | ["uint64_t"] | ["size_t"] => Builtin::UnsignedLong,
        ["long", "long"] => Builtin::LongLong,
        ["unsigned", "long", "long"] => Builtin::UnsignedLongLong,
        ["float"] => Builtin::Float,
        ["double"] => Builtin::Double,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split_outside_brackets() {
        assert_eq!(split("float, A<int, 3>, 4"), vec!["float", " A<int, 3>", " 4"]);
        assert_eq!(split(""), Vec::<&str>::new());
    }

    #[test]
    fn numbers_are_read_in_their_bases() {
        assert_eq!(read_number("-12"), Some((Value::Integer(-12), Type::LONG)));
        assert_eq!(read_number("0x1Fu"), Some((Value::Integer(31), Type::LONG)));
        assert_eq!(read_number("float"), None);
    }
}
