//! Rules about types, variables, signatures, locals and launch facts.

use std::collections::HashSet;

use super::{Errors, Rule};
use crate::arena::{Arena, Handle};
use crate::function::Function;
use crate::module::{ArgumentFact, Extent, Module, Range};
use crate::types::{Space, Type};

/// The rules that are not about one function.
pub(super) fn check(module: &Module, errors: &mut Errors) {
    types(module, errors);
    distinct(&module.variables, |variable| &variable.name, "variable", errors);
    distinct(&module.functions, |function| &function.name, "function", errors);
    variables(module, errors);
    launches(module, errors);
}

fn distinct<T>(arena: &Arena<T>, name: impl Fn(&T) -> &str, what: &str, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (handle, item) in arena.iter() {
        let name = name(item);
        if name.is_empty() {
            let message = format!("a {what} has no name");
            errors.report(Rule::DistinctNames, arena.location(handle), message);
        } else if !seen.insert(name) {
            let message = format!("a second {what} is called `{name}`");
            errors.report(Rule::DistinctNames, arena.location(handle), message);
        }
    }
}

/// Reports what is wrong with a type by itself; whether it may be a fragment is the caller's rule.
fn check_type(module: &Module, ty: Type) -> Result<(), (Rule, &'static str)> {
    match ty {
        Type::Array(handle) if !module.types.arrays().contains(handle) => {
            Err((Rule::Handle, "there is no such array type"))
        }
        Type::Struct(handle) if !module.types.structs().contains(handle) => {
            Err((Rule::Handle, "there is no such struct type"))
        }
        Type::Fragment(fragment) if fragment.m == 0 || fragment.n == 0 || fragment.k == 0 => {
            Err((Rule::FragmentShape, "a fragment's dimension is zero"))
        }
        _ => Ok(()),
    }
}

fn types(module: &Module, errors: &mut Errors) {
    let (arrays, structs) = (module.types.arrays(), module.types.structs());
    for (handle, array) in arrays.iter() {
        let location = arrays.location(handle);
        if matches!(array.element, Type::Array(inner) if inner >= handle) {
            errors.report(Rule::TypeLayout, location, "an array's element is not older than it");
        }
        if let Err((rule, message)) = check_type(module, array.element) {
            errors.report(rule, location, message);
        } else if module.types.layout(Type::Array(handle)).is_none()
            && module.types.layout(array.element).is_some()
        {
            errors.report(Rule::TypeLayout, location, "an array is larger than 2^63 bytes");
        }
    }
    for (handle, structure) in structs.iter() {
        let location = structs.location(handle);
        let name = &structure.name;
        if !structure.align.is_power_of_two() || structure.size % structure.align.max(1) != 0 {
            let message = format!("the alignment of `{name}` does not fit its size");
            errors.report(Rule::TypeLayout, location, message);
        }
        for member in &structure.members {
            let inner = module.types.peeled(member.ty).map_or(member.ty, |(inner, _)| inner);
            if matches!(inner, Type::Struct(member) if member >= handle) {
                let message = format!("a member of `{name}` is not older than it");
                errors.report(Rule::TypeLayout, location, message);
                continue;
            }
            if let Err((rule, message)) = check_type(module, member.ty) {
                errors.report(rule, location, message);
                continue;
            }
            let end = module
                .types
                .layout(member.ty)
                .and_then(|layout| member.offset.checked_add(layout.size));
            if end.is_none_or(|end| end > structure.size) {
                let message =
                    format!("member `{}` of `{name}` does not lie inside it", member.name);
                errors.report(Rule::TypeLayout, location, message);
            }
        }
    }
}

fn align_fits(align: Option<u64>, own: u64) -> bool {
    align.is_none_or(|align| align.is_power_of_two() && align >= own)
}

fn variables(module: &Module, errors: &mut Errors) {
    for (handle, variable) in module.variables.iter() {
        let location = module.variables.location(handle);
        let name = &variable.name;
        if let Err((rule, message)) = check_type(module, variable.ty) {
            errors.report(rule, location, message);
            continue;
        }
        let mut report = |rule, message: &str| {
            errors.report(rule, location, format!("variable `{name}` {message}"));
        };
        let Some(layout) = module.types.layout(variable.ty) else {
            report(Rule::TypeLayout, "has a type without layout");
            continue;
        };
        if !matches!(variable.space, Space::Global | Space::Shared | Space::Constant) {
            report(Rule::Variable, "lies in a space that has no variables");
        }
        if variable.extent == Extent::Dynamic && variable.space != Space::Shared {
            report(Rule::Variable, "is dynamic but not shared");
        }
        if let Some(initial) = &variable.initial {
            if variable.space == Space::Shared {
                report(Rule::Variable, "is shared and cannot have a first value");
            }
            if initial.len() as u64 > layout.size {
                report(Rule::Variable, "has more first bytes than its size");
            }
        }
        if !align_fits(variable.align, layout.align) {
            report(Rule::Variable, "has an alignment that is none or less than its type's");
        }
    }
}

fn launches(module: &Module, errors: &mut Errors) {
    for launch in &module.launches {
        let location = Some(launch.location);
        let Some(kernel) = module.functions.get(launch.kernel) else {
            errors.report(Rule::Handle, location, "a launch names no function");
            continue;
        };
        let mut report = |message: String| errors.report(Rule::LaunchFacts, location, message);
        if !kernel.is_kernel() {
            report(format!("`{}` is launched but is no kernel", kernel.name));
        }
        let is_empty = |range: &Range| range.low > range.high;
        for range in launch.grid.iter().chain(&launch.block).flatten() {
            if is_empty(range) || range.low < 0 {
                report("a grid or block has an extent below 0".to_string());
            }
        }
        if launch.dynamic_shared.is_some_and(|range| is_empty(&range) || range.low < 0) {
            report("the size of dynamic shared memory is below 0".to_string());
        }
        for fact in &launch.arguments {
            let (parameters, range) = match *fact {
                ArgumentFact::Range { parameter, range } => ([parameter, parameter], Some(range)),
                ArgumentFact::Extent { parameter, bytes } => ([parameter, parameter], Some(bytes)),
                ArgumentFact::Aligned { parameter, align } => {
                    if !align.is_power_of_two() {
                        report(format!("{align} is no alignment"));
                    }
                    ([parameter, parameter], None)
                }
                ArgumentFact::Disjoint { first, second } | ArgumentFact::Same { first, second } => {
                    ([first, second], None)
                }
            };
            if parameters.iter().any(|parameter| *parameter as usize >= kernel.parameters.len()) {
                report(format!("`{}` has no such parameter", kernel.name));
            }
            if range.is_some_and(|range| is_empty(&range)) {
                report("a range is empty".to_string());
            }
        }
    }
}

/// The rules about a function's signature and locals.
pub(super) fn check_function(
    module: &Module,
    handle: Handle<Function>,
    function: &Function,
    errors: &mut Errors,
) {
    let at = module.functions.location(handle);
    if function.is_kernel() {
        if function.result.is_some() {
            errors.report(Rule::Signature, at, "a kernel returns a value");
        }
        if function.body.is_none() {
            errors.report(Rule::Signature, at, "a kernel has no body");
        }
    }
    for parameter in &function.parameters {
        let location = Some(parameter.location);
        let name = &parameter.name;
        if let Err((rule, message)) = check_type(module, parameter.ty) {
            errors.report(rule, location, message);
            continue;
        }
        if module.types.layout(parameter.ty).is_none() && function.is_kernel() {
            let message = format!("parameter `{name}` has a type without layout");
            errors.report(Rule::TypeLayout, location, message);
        }
        if let Some(pointee) = parameter.pointee
            && let Err((rule, message)) = check_type(module, pointee)
        {
            errors.report(rule, location, message);
        }
        let attributes = parameter.attributes;
        let of_pointer = attributes.restrict || attributes.read_only || parameter.pointee.is_some();
        if of_pointer && parameter.ty.space().is_none() {
            let message = format!("parameter `{name}` is no pointer");
            errors.report(Rule::Signature, location, message);
        }
        if attributes.grid_constant && !function.is_kernel() {
            let message = format!("parameter `{name}` is `grid_constant` outside a kernel");
            errors.report(Rule::Signature, location, message);
        }
    }
    if let Some(result) = function.result
        && let Err((rule, message)) = check_type(module, result)
    {
        errors.report(rule, at, message);
    }
    for (handle, local) in function.locals.iter() {
        let location = function.locals.location(handle);
        if let Err((rule, message)) = check_type(module, local.ty) {
            errors.report(rule, location, message);
            continue;
        }
        let own = module.types.layout(local.ty).map_or(1, |layout| layout.align);
        if !align_fits(local.align, own) {
            let message = format!("the alignment of local `{}` does not do", local.name);
            errors.report(Rule::Local, location, message);
        }
    }
}

/// Whether a type that an expression names exists.
pub(super) fn type_problem(module: &Module, ty: Type) -> Option<(Rule, &'static str)> {
    check_type(module, ty).err()
}
