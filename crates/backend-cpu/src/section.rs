//! The generated section at the end of the root: the compiled forms of kernels and their
//! registration.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::{FloatMode, KernelInstance};
use port_diag::{Diagnostic, Origin};
use port_float::Profile;
use port_hir::{FunctionId, Parent};
use port_ir::{Handle, Variable};
use port_syntax::Keyword;

use crate::kernel::{self, Request};
use crate::port::Port;

/// The section, and why instances are not in it.
#[derive(Default)]
pub(crate) struct Section {
    pub text: String,
    /// For each instance of the unit, in order: `None` when it is compiled.
    pub refused: Vec<Option<Refusal>>,
    /// The kernels whose instances are told by a list of their arguments.
    pub listed: BTreeSet<FunctionId>,
    /// The closures among these, which get numbers.
    pub closures: BTreeSet<usize>,
    /// Kernels that run thread by thread and count on lanes that go in step: what they exchange, where.
    pub in_step: Vec<(FunctionId, String, Origin)>,
}

/// Why an instance has no compiled form.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// "… because `reason`".
    pub reason: String,
    /// Where, if the emitter said.
    pub origin: Option<Origin>,
}

impl Section {
    /// Whether the instance of this index is compiled.
    pub fn is_compiled(&self, instance: usize) -> bool {
        self.refused.get(instance).is_some_and(Option::is_none)
    }
}

impl Refusal {
    /// A refusal without a place.
    pub fn of(reason: impl Into<String>) -> Self {
        Refusal { reason: reason.into(), origin: None }
    }
}

/// An instance that may have a compiled form.
struct Candidate {
    /// Index among the unit's instances.
    instance: usize,
    request: Request,
    /// How it is found.
    own: Own,
}

/// How the dispatcher of a kernel finds the form of an instance.
enum Own {
    /// By the instance's name in C++.
    Name(String),
    /// By the kernel's definition and the list of template arguments.
    Listed { kernel: FunctionId, types: String },
}

/// Makes the section.
pub(crate) fn make(port: &Port<'_>) -> Section {
    let unit = port.unit;
    let reserved: BTreeSet<String> =
        unit.parsed.unit.macros.iter().map(|known| known.name.as_str().to_owned()).collect();
    let types = port_rewrite::instances::type_names(port.unit.module);
    let listed = crate::lists::kernels(port, &types);
    let mut closures = BTreeSet::new();
    // A form may not hide what the header gives forms to use.
    let taken = reserved.union(crate::names::called()).cloned().collect();
    let mut names = Names { taken };
    let mut refused: Vec<Option<Refusal>> = Vec::new();
    let mut candidates = Vec::new();
    for (index, instance) in unit.instances.iter().enumerate() {
        match candidate(port, instance, &types, &listed) {
            Ok((function, own, numbers)) => {
                closures.extend(numbers);
                let full =
                    format!("{}{}", unit.module.function_name(instance.kernel), instance.arguments);
                let name = names.unique(&full);
                let request = Request { function, name };
                candidates.push(Candidate { instance: index, request, own });
                refused.push(None);
            }
            Err(refusal) => refused.push(Some(refusal)),
        }
    }
    if candidates.is_empty() {
        let in_step = in_step(port, &refused);
        return Section { refused, in_step, ..Section::default() };
    }
    let variables = variable_names(port);
    let constants = constants(port, &variables);
    let address = |handle: Handle<Variable>| {
        if let Some((name, _)) = constants.get(&handle) {
            return Some(format!("(void*){name}"));
        }
        let variable = &unit.ir.variables[handle];
        (variables.get(variable.name.as_str()) == Some(&1))
            .then(|| format!("(void*)&::{}", variable.name))
    };
    let requests: Vec<Request> = candidates.iter().map(|c| c.request.clone()).collect();
    let fusing = match port.options.float {
        FloatMode::Own => None,
        FloatMode::Cuda => fused_as_cuda(),
    };
    let options = kernel::Options {
        sources: unit.sources,
        reserved: &reserved,
        address: &address,
        fusing: fusing.as_ref(),
    };
    let emitted = kernel::emit(unit.ir, &requests, &options);
    let mut forms = String::new();
    let mut registrations = String::new();
    for (candidate, form) in candidates.iter().zip(emitted.kernels) {
        match form {
            Ok(compiled) => {
                forms.push_str(compiled.text.trim_end());
                forms.push_str("\n\n");
                registrations.push_str(&registration(port, candidate));
            }
            Err(not) => {
                let origin = Some(not.origin);
                refused[candidate.instance] = Some(Refusal { reason: not.reason, origin });
            }
        }
    }
    let mut text = String::new();
    if !registrations.is_empty() {
        text.push_str(
            "\n// ---- Compiled kernels: the threads of a block as loops. Made by port from the kernels\n\
             // above; PORT_CPU_KERNEL runs them.\n\
             namespace port_cpu {\nnamespace compiled {\n\n",
        );
        let mut bytes = String::new();
        for (name, definition) in constants.values() {
            if forms.contains(&format!("{name})")) || emitted.declarations.contains(name.as_str()) {
                bytes.push_str(definition);
            }
        }
        if !bytes.is_empty() {
            text.push_str(&bytes);
            text.push('\n');
        }
        let declarations = emitted.declarations.trim_end();
        if !declarations.is_empty() {
            text.push_str(declarations);
            text.push_str("\n\n");
        }
        text.push_str(forms.trim_end());
        text.push_str("\n\n}  // namespace compiled\n}  // namespace port_cpu\n\n");
        // Outside, where the user's types go by their own names.
        text.push_str(&registrations);
    }
    let in_step = in_step(port, &refused);
    Section { text, refused, listed, closures, in_step }
}

/// The processor's arithmetic with nvcc's choice of what is fused, which is the same for every chip that
/// has a profile.
fn fused_as_cuda() -> Option<Profile> {
    let cuda = Profile::named("cuda:sm_80").ok()?;
    Some(Profile::named("cpu").ok()?.fused_as(&cuda))
}

/// The object that registers a form while the program starts.
fn registration(port: &Port<'_>, candidate: &Candidate) -> String {
    let ir = port.unit.ir;
    let function = &ir.functions[candidate.request.function];
    let sizes: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| {
            ir.types.layout(parameter.ty).map_or("0".to_owned(), |layout| layout.size.to_string())
        })
        .collect();
    let name = &candidate.request.name;
    let own = match &candidate.own {
        Own::Name(own) => own.clone(),
        Own::Listed { kernel, types } => {
            format!("{}, typeid(port_cpu::TypesOf<{types}>)", crate::lists::id(port, *kernel))
        }
    };
    let sizes = sizes.join(", ");
    format!(
        "static const port_cpu::Register port_cpu_register_{name}({own}, \
         port_cpu::compiled::{name}, port_cpu::Layout<{sizes}>());\n"
    )
}

/// The instance's IR, how its form is found, and the closures that it names.
fn candidate(
    port: &Port<'_>,
    instance: &KernelInstance,
    types: &BTreeSet<String>,
    listed: &BTreeSet<FunctionId>,
) -> Result<(Handle<port_ir::Function>, Own, Vec<usize>), Refusal> {
    let module = port.unit.module;
    let Some(function) = instance.function else {
        let why = instance.failure.as_ref().map_or("it could not be analysed".to_owned(), because);
        return Err(Refusal::of(why));
    };
    let kernel = &module.functions[instance.kernel];
    if !matches!(kernel.parent, Parent::Namespace(_)) {
        return Err(Refusal::of("it is a member, so that no form can be registered"));
    }
    if listed.contains(&instance.kernel) {
        let (list, closures) = crate::lists::arguments(port, instance, types)
            .map_err(|unnamed| Refusal::of(nameless(&unnamed)))?;
        let own = Own::Listed { kernel: instance.kernel, types: list };
        return Ok((function, own, closures));
    }
    if crate::lists::has_rivals(port, instance.kernel) {
        return Err(Refusal::of(
            "other functions have its name, so that no form can be registered",
        ));
    }
    if let Some(unnamed) = unnameable(&instance.arguments, types) {
        return Err(Refusal::of(nameless(&unnamed)));
    }
    let arguments = crate::lists::spelled(&instance.arguments);
    let own = format!("::{}{arguments}", module.function_name(instance.kernel));
    Ok((function, Own::Name(own), Vec::new()))
}

fn nameless(argument: &str) -> String {
    if argument.contains("lambda#") {
        return format!("the layout of its closure `{argument}` is not certain");
    }
    format!("its argument `{argument}` has no name at namespace scope")
}

/// A finding as the end of a sentence.
fn because(finding: &Diagnostic) -> String {
    format!("of {}: {}", finding.code, finding.message)
}

/// The part of template arguments that does not name something at the end of the file.
pub(crate) fn unnameable(arguments: &str, types: &BTreeSet<String>) -> Option<String> {
    port_rewrite::instances::unnameable(arguments, types, crate::lists::WMMA)
}

/// Instances that run thread by thread, and count on lanes that go in step.
fn in_step(port: &Port<'_>, refused: &[Option<Refusal>]) -> Vec<(FunctionId, String, Origin)> {
    let instances = port.unit.instances.iter().zip(refused);
    let slow = instances.filter(|(_, refusal)| refusal.is_some());
    let slow: Vec<_> = slow.filter_map(|(i, _)| Some((i.kernel, i.function?))).collect();
    if slow.is_empty() {
        return Vec::new();
    }
    let functions: Vec<_> = slow.iter().map(|(_, function)| *function).collect();
    let found = kernel::exchanges_in_step(port.unit.ir, &functions);
    let named = slow.iter().zip(found);
    named.filter_map(|((kernel, _), found)| found.map(|(name, at)| (*kernel, name, at))).collect()
}

/// Constants larger than this stay with the user's text.
const MOST_BYTES: u64 = 1 << 16;

/// Constants that the end of the file cannot name, static members and instances of variable templates:
/// what a form uses instead, and its definition.
fn constants(
    port: &Port<'_>,
    named: &BTreeMap<String, usize>,
) -> BTreeMap<Handle<Variable>, (String, String)> {
    let ir = port.unit.ir;
    let mut found = BTreeMap::new();
    for (handle, variable) in ir.variables.iter() {
        let (Some(initial), port_ir::Extent::Fixed) = (&variable.initial, variable.extent) else {
            continue;
        };
        if named.contains_key(variable.name.as_str()) || !never_changes(port, variable) {
            continue;
        }
        let Some(layout) = ir.types.layout(variable.ty) else { continue };
        if layout.size > MOST_BYTES || initial.len() as u64 > layout.size {
            continue;
        }
        let align = variable.align.unwrap_or(layout.align).max(layout.align);
        let bytes: Vec<String> = initial.iter().map(u8::to_string).collect();
        let name = format!("port_cpu_constant_{}", handle.index());
        let definition = format!(
            "alignas({align}) static const unsigned char {name}[{}] = {{{}}};  // {}\n",
            layout.size.max(1),
            bytes.join(", "),
            port_backend::text::cpp::one_line(&variable.name),
        );
        found.insert(handle, (name, definition));
    }
    found
}

/// Whether neither host nor device can write a variable: a static member or a function's own constant,
/// which are reached only if they are constant, or an instance of a variable template that is.
fn never_changes(port: &Port<'_>, variable: &Variable) -> bool {
    let name = variable.name.as_str();
    let module = port.unit.module;
    let behind = name.rsplit('>').next().unwrap_or(name);
    let is_member = match name.contains('>') {
        true => behind.starts_with("::"),
        false => module.variables.iter().any(|(_, found)| {
            matches!(found.parent, Parent::Record(_))
                && module.qualified_name(found.parent, found.name.as_str()) == name
        }),
    };
    // A function's own variable is `function.variable`.
    if is_member || behind.contains('.') {
        return variable.space == port_ir::Space::Constant;
    }
    let Some(template) = name.ends_with('>').then(|| name.split('<').next()).flatten() else {
        return false;
    };
    let mut any = false;
    for (_, found) in module.variables.iter() {
        let own = module.qualified_name(found.parent, found.name.as_str());
        if found.template_parameters.is_some() && own == template {
            any = true;
            let constant = found.storage.constexpr || module.types[found.ty].qualifiers.constant;
            if found.storage.constant || !constant {
                return false;
            }
        }
    }
    any
}

/// How many variables of namespaces have each qualified name.
fn variable_names(port: &Port<'_>) -> BTreeMap<String, usize> {
    let module = port.unit.module;
    let mut names = BTreeMap::new();
    for (_, variable) in module.variables.iter() {
        if matches!(variable.parent, Parent::Namespace(_)) {
            let name = module.qualified_name(variable.parent, variable.name.as_str());
            *names.entry(name).or_insert(0) += 1;
        }
    }
    names
}

/// Names of C++ functions, each once.
struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// `::ns::k<float, 4>` as `ns_k_float_4`.
    fn unique(&mut self, own: &str) -> String {
        let mut name = String::new();
        for character in own.chars() {
            if character.is_ascii_alphanumeric() {
                name.push(character);
            } else if !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
        }
        let base = name.trim_end_matches('_').to_owned();
        let is_keyword = Keyword::ALL.iter().any(|keyword| keyword.as_str() == base);
        let mut name = if base.is_empty() || is_keyword { format!("kernel_{base}") } else { base };
        if self.taken.contains(&name) {
            name.push_str("_kernel");
        }
        let base = name.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        name
    }
}
