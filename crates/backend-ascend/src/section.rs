//! The section at the end of the root: the kernels in Ascend C, each behind its launcher, and the
//! header with their tiling.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use port_backend::{KernelInstance, KernelReport, Status};
use port_diag::{Finding, Origin};
use port_hir::{Body, FunctionId, Parent, RecordId};
use port_ir::{Handle, Module, Parameter};
use port_rewrite::instances::{split_arguments, type_names, unnameable};
use port_syntax::Keyword;

use crate::findings::{LargeAngles, NoForm, ScalarForm};
use crate::host::kernels::{FRAME, Kernel, KernelParameter, PREFIX};
use crate::host::text::{camel_case, has_word, replace_words, wrapped};
use crate::kernel::{self, APART_FUNCTION, Chip, DeviceKernel, Request, TILING_FUNCTIONS, Unit};
use crate::port::Port;
use crate::support::{self, Header};
use crate::tiling;

/// Names in expressions of the host that a kernel's parameter must not have.
const RESERVED: &[&str] = &[
    "grid",
    "block",
    "shared",
    "stream",
    "cores",
    "ubBytes",
    "workspace",
    "tiling",
    "port_acl",
    // What the host computes for the loops over tiles and blocks, before it looks at parameters.
    "threads",
    "tileLanes",
    "tiles",
    "rowsY",
    "rowsZ",
    "work",
    "dynamicBytes",
    "blockDimX",
    "blockDimY",
    "blockDimZ",
    "gridDimX",
    "gridDimY",
    "gridDimZ",
];

/// Names that template arguments may have besides the user's and CUDA's.
const KNOWN: &[&str] = &[
    "half",
    "bfloat16_t",
    "bfloat162_t",
    "::nvcuda::wmma::row_major",
    "::nvcuda::wmma::col_major",
    "::nvcuda::wmma::matrix_a",
    "::nvcuda::wmma::matrix_b",
    "::nvcuda::wmma::accumulator",
];

/// The section and what is in it.
#[derive(Default)]
pub(crate) struct Section {
    /// Its text.
    pub text: String,
    /// The text of the header with the tiling structures.
    pub tiling: Option<String>,
    /// Device code in a file of its own, for CANN 8.
    pub device: Option<String>,
    /// Headers of Ascend C that the kernels need.
    pub includes: BTreeSet<&'static str>,
    /// Headers of device code that stand beside the port.
    pub headers: Vec<Header>,
    /// The launchers that exist, by the instance's index among the unit's.
    pub launchers: BTreeMap<usize, Launcher>,
    /// Kernel templates with instances that cannot be named: any instance ends the program.
    pub general: BTreeSet<FunctionId>,
    /// What became of each instance, in the order of the text.
    pub outcomes: Vec<Outcome>,
}

/// The launcher of an instance.
pub(crate) struct Launcher {
    /// `template <> void launch_k<float>(dim3 grid, …, float* x)`, for inside its namespace; a second
    /// one for PyTorch's own narrow types.
    pub declarations: Vec<String>,
    /// The records that the instance's arguments name.
    pub records: Vec<RecordId>,
}

/// What became of an instance.
pub(crate) struct Outcome {
    pub kernel: FunctionId,
    /// Template arguments, as reports show them.
    pub arguments: String,
    pub result: Result<Made, Refusal>,
}

/// A kernel in Ascend C.
pub(crate) struct Made {
    /// Its name in the port.
    pub name: String,
    pub device: DeviceKernel,
    /// Its parameters, named as the launcher's.
    pub parameters: Vec<Parameter>,
    /// The launcher with its namespaces and template arguments, `ns::launch_k<float>`.
    pub launcher: String,
    /// Device types and functions that it shares with others.
    pub shared: std::rc::Rc<str>,
}

/// Why an instance has no kernel.
#[derive(Clone)]
pub(crate) struct Refusal {
    /// "… because `reason`".
    pub reason: String,
    pub origin: Option<Origin>,
    /// No instance of it is in view.
    pub unseen: bool,
}

impl Refusal {
    fn of(reason: impl Into<String>) -> Self {
        Refusal { reason: reason.into(), origin: None, unseen: false }
    }
}

/// An instance on its way.
struct Candidate<'k> {
    kernel: &'k Kernel,
    instance: Option<usize>,
    /// The index of its request.
    request: Option<usize>,
    refusal: Option<Refusal>,
    /// Whether its launcher can be declared.
    nameable: bool,
}

/// Makes the section.
pub(crate) fn make(port: &mut Port<'_>, kernels: &[Kernel]) -> Section {
    let reserved: BTreeSet<String> =
        port.unit.parsed.unit.macros.iter().map(|known| known.name.as_str().to_owned()).collect();
    let types = type_names(port.unit.module);
    let mut names = Names { taken: port.identifiers(), used: BTreeSet::new() };
    let mut ir = port.unit.ir.clone();
    let mut requests: Vec<Request> = Vec::new();
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    // What is only declared is another file's.
    let is_defined =
        |kernel: &&Kernel| matches!(port.unit.module.functions[kernel.id].body, Body::Block(_));
    let defined: Vec<&Kernel> = kernels.iter().filter(is_defined).collect();
    for kernel in defined {
        let none = [None];
        let own: Vec<Option<usize>> = match kernel.instances.is_empty() {
            true => none.to_vec(),
            false => kernel.instances.iter().copied().map(Some).collect(),
        };
        for index in own {
            let instance = index.and_then(|index| port.unit.instances.get(index));
            let admitted = admit(port, kernel, instance, &types);
            let nameable = admitted.is_ok()
                || instance
                    .is_some_and(|i| unnameable(&spelled(&i.arguments), &types, KNOWN).is_none());
            let (request, refusal) = match admitted {
                Ok(function) => {
                    name_parameters(&mut ir, function);
                    let arguments = instance.map_or("", |instance| &instance.arguments);
                    let full = format!("{}{arguments}", port.unit.module.function_name(kernel.id));
                    requests.push(Request { function, name: names.unique(&full) });
                    (Some(requests.len() - 1), None)
                }
                Err(refusal) => (None, Some(refusal)),
            };
            candidates.push(Candidate { kernel, instance: index, request, refusal, nameable });
        }
    }
    let forms = kernel::Forms::All;
    let options =
        kernel::Options { sources: port.unit.sources, reserved: &reserved, chip: port.chip, forms };
    let emitted = kernel::emit(&ir, &requests, &options);
    let mut forms: Vec<Option<Result<DeviceKernel, kernel::NotTranslated>>> =
        emitted.kernels.into_iter().map(Some).collect();
    let shared: std::rc::Rc<str> = emitted.declarations.as_str().into();
    let mut section = Section::default();
    let namespace = names.unique(&format!("{} kernels", port.stem()));
    let mut writer = Writer {
        port,
        ir: &ir,
        namespace,
        device: String::new(),
        launchers: Vec::new(),
        tiling: String::new(),
    };
    for candidate in candidates {
        let form = candidate.request.and_then(|index| forms.get_mut(index)).and_then(Option::take);
        let request = candidate.request.and_then(|index| requests.get(index));
        let result = match (form, request) {
            (Some(Ok(device)), Some(request)) => {
                let function = &ir.functions[request.function];
                let parameters = function.parameters.clone();
                let instance = candidate.instance.and_then(|at| writer.port.unit.instances.get(at));
                let launcher = writer.launcher(candidate.kernel.id, instance);
                Ok(Made {
                    name: request.name.clone(),
                    device,
                    parameters,
                    launcher,
                    shared: shared.clone(),
                })
            }
            (Some(Err(not)), _) => {
                Err(Refusal { reason: not.reason, origin: Some(not.origin), unseen: false })
            }
            _ => Err(candidate.refusal.clone().unwrap_or_else(|| Refusal::of("it has no form"))),
        };
        writer.instance(&mut section, &candidate, request, &result);
        let instance = candidate.instance.and_then(|index| writer.port.unit.instances.get(index));
        section.outcomes.push(Outcome {
            kernel: candidate.kernel.id,
            arguments: instance.map_or(String::new(), |instance| instance.arguments.clone()),
            result,
        });
    }
    section.headers = emitted.headers;
    writer.finish(&mut section, &emitted.declarations);
    section
}

/// The IR of an instance, or why it has none that a launcher can be written for.
fn admit(
    port: &Port<'_>,
    kernel: &Kernel,
    instance: Option<&KernelInstance>,
    types: &BTreeSet<String>,
) -> Result<Handle<port_ir::Function>, Refusal> {
    let module = port.unit.module;
    let function = &module.functions[kernel.id];
    if !matches!(function.parent, Parent::Namespace(_)) {
        return Err(Refusal::of("it is a member of a class"));
    }
    let Some(instance) = instance else {
        let reason = "no instance of it is in view; `--instantiate` names one";
        return Err(Refusal { unseen: true, ..Refusal::of(reason) });
    };
    let Some(ir) = instance.function else {
        let why =
            instance.failure.as_ref().map_or("it could not be analysed".to_owned(), |found| {
                format!("of {}: {}", found.code, found.message)
            });
        return Err(Refusal::of(why));
    };
    if let Some(unnamed) = unnameable(&spelled(&instance.arguments), types, KNOWN) {
        return Err(Refusal::of(match unnamed.contains('#') || instance.arguments.contains("lambda") {
            true => "its argument is a closure, whose type the port cannot name; make it a struct with `operator()`".to_owned(),
            false => format!("its argument `{unnamed}` has no name at namespace scope"),
        }));
    }
    let count = port.unit.ir.functions[ir].parameters.len();
    if count != kernel.parameters.len() {
        return Err(Refusal::of("its parameters could not be told apart"));
    }
    Ok(ir)
}

/// Template arguments as the port spells them.
fn spelled(arguments: &str) -> String {
    replace_words(arguments, &|word| match WMMA.contains(&word) {
        true => Some(format!("::nvcuda::wmma::{word}")),
        false => crate::host::api::type_name(word).map(str::to_owned),
    })
}

/// Names of `nvcuda::wmma` that template arguments are.
const WMMA: &[&str] = &["row_major", "col_major", "matrix_a", "matrix_b", "accumulator"];

/// Gives each parameter of a kernel a name of its own that expressions of the host can hold.
fn name_parameters(ir: &mut Module, function: Handle<port_ir::Function>) {
    let mut taken: BTreeSet<String> = RESERVED.iter().map(|name| (*name).to_owned()).collect();
    for (index, parameter) in ir.functions[function].parameters.iter_mut().enumerate() {
        let mut name = parameter.name.clone();
        if name.is_empty() {
            name = format!("argument{index}");
        }
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        parameter.name = name;
    }
}

struct Writer<'p, 'a> {
    port: &'p mut Port<'a>,
    ir: &'p Module,
    device: String,
    /// The namespace of device code.
    namespace: String,
    /// By namespace: the text of launchers, in order.
    launchers: Vec<(Vec<String>, String)>,
    tiling: String,
}

impl Writer<'_, '_> {
    /// Writes the launcher of an instance, and the kernel behind it.
    fn instance(
        &mut self,
        section: &mut Section,
        candidate: &Candidate<'_>,
        request: Option<&Request>,
        result: &Result<Made, Refusal>,
    ) {
        let id = candidate.kernel.id;
        let module = self.port.unit.module;
        let function = &module.functions[id];
        let is_template = function.template_parameters.is_some();
        let instance = candidate.instance.and_then(|index| self.port.unit.instances.get(index));
        let unseen = result.as_ref().is_err_and(|refusal| refusal.unseen);
        if unseen && is_template {
            // What the text launches, for types that are not in view, has to build under the guard.
            if self.is_launched(id) {
                section.general.insert(id);
                let message =
                    self.stop(id, None, "no instance of it is in view; `--instantiate` names one");
                self.push(id, &message);
            }
            return;
        }
        if !candidate.nameable && is_template {
            section.general.insert(id);
            let reason = result.as_ref().err().map_or("", |refusal| &refusal.reason);
            let message = self.stop(id, instance, reason);
            self.push(id, &message);
            return;
        }
        let names: Option<Vec<String>> = request.map(|request| {
            let parameters = &self.ir.functions[request.function].parameters;
            parameters.iter().map(|parameter| parameter.name.clone()).collect()
        });
        let arguments = instance.map_or("", |instance| &instance.arguments);
        let Some(head) = self.head(candidate.kernel, arguments, names.as_deref(), &|_| None) else {
            section.general.insert(id);
            let message = self.stop(id, instance, "its parameters depend on a pack");
            self.push(id, &message);
            return;
        };
        let mut heads = vec![head];
        if is_template && self.includes_torch() {
            // `scalar_t` of a dispatch macro is PyTorch's type, with the same bits.
            let narrow = |word: &str| match word {
                "half" => Some("c10::Half".to_owned()),
                "bfloat16_t" => Some("c10::BFloat16".to_owned()),
                _ => None,
            };
            let other = self.head(candidate.kernel, arguments, names.as_deref(), &narrow);
            heads.extend(other.filter(|other| *other != heads[0]));
        }
        if is_template && let Some(index) = candidate.instance {
            let records = self.records(arguments);
            section.launchers.insert(index, Launcher { declarations: heads.clone(), records });
        }
        let body = match result {
            Ok(made) => {
                self.kernel(id, arguments, made);
                self.launch(made)
            }
            Err(refusal) => {
                let stop = self.stop(id, instance, &refusal.reason);
                let full = format!("{}{arguments}", module.function_name(id));
                self.push(id, &stop);
                format!("    port_acl::Untranslated({});\n", literal(&full))
            }
        };
        for head in heads {
            self.push(id, &format!("{head}\n{{\n{body}}}\n"));
        }
    }

    /// An instance's launcher with its namespaces and template arguments.
    fn launcher(&self, kernel: FunctionId, instance: Option<&KernelInstance>) -> String {
        let mut path = self.port.namespaces(kernel).unwrap_or_default();
        path.retain(|name| !name.is_empty());
        let function = &self.port.unit.module.functions[kernel];
        let own = format!("{PREFIX}{}", function.name.as_str());
        path.push(&own);
        let list = instance.map_or(String::new(), |instance| spelled(&instance.arguments));
        let list = if function.template_parameters.is_some() { list } else { String::new() };
        format!("{}{list}", path.join("::"))
    }

    /// Whether the text launches a kernel.
    fn is_launched(&self, kernel: FunctionId) -> bool {
        let module = self.port.unit.module;
        let name = module.functions[kernel].name;
        module.launches.iter().any(|(_, launch)| match &module.exprs[launch.callee].kind {
            port_hir::ExprKind::Name(callee) => callee.last().is_some_and(|last| last.name == name),
            _ => true,
        })
    }

    /// Adds text to the launchers of a kernel's namespace.
    fn push(&mut self, kernel: FunctionId, text: &str) {
        let path: Vec<String> = self
            .port
            .namespaces(kernel)
            .unwrap_or_default()
            .iter()
            .map(|n| (*n).to_owned())
            .collect();
        match self.launchers.last_mut().filter(|last| last.0 == path) {
            Some((_, known)) => {
                known.push('\n');
                known.push_str(text);
            }
            None => self.launchers.push((path, text.to_owned())),
        }
    }

    /// The lines that hold the build up.
    fn stop(&self, kernel: FunctionId, instance: Option<&KernelInstance>, reason: &str) -> String {
        let finding = no_form(self.port, kernel, instance.map_or("", |i| &i.arguments), reason);
        let message = finding.message().replace(['"', '\\'], "'").replace(['\n', '\r'], " ");
        let code = NoForm::METADATA.code;
        format!("#ifndef PORT_ALLOW_MANUAL\n#error \"port: {code}: {message}\"\n#endif\n")
    }

    /// The head of an instance's launcher; `None` where its parameters cannot be written.
    fn head(
        &self,
        kernel: &Kernel,
        arguments: &str,
        names: Option<&[String]>,
        narrow: &dyn Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let spelled = |text: &str| replace_words(&spelled(text), narrow);
        let function = &self.port.unit.module.functions[kernel.id];
        let mut to: BTreeMap<&str, String> = BTreeMap::new();
        let mut head = String::new();
        let mut list = String::new();
        if let Some(template) = &function.template_parameters {
            let values = split_arguments(arguments);
            if template.parameters.iter().any(|p| p.pack) {
                return None;
            }
            for (parameter, value) in template.parameters.iter().zip(&values) {
                let value = spelled(value);
                // `const T` of a pointer is no pointer to a constant.
                let is_plain = !value.contains(['*', '&']) && !value.starts_with("const ");
                let value = match parameter.kind {
                    port_hir::TemplateParameterKind::Type { .. } if !is_plain => {
                        format!("std::common_type_t<{value}>")
                    }
                    _ => value,
                };
                to.insert(parameter.name.as_str(), value);
            }
            head.push_str("template <>\n");
            list = spelled(arguments);
        }
        let c_linkage = function.qualifiers.c_linkage;
        if c_linkage {
            head.push_str("extern \"C\" ");
        }
        let before = std::mem::take(&mut head);
        let _ = write!(head, "void {PREFIX}{}{list}(", function.name.as_str());
        let frame = FRAME.iter().map(|(ty, name)| format!("{ty} {name}"));
        let substitute = |text: &str| replace_words(text, &|word| to.get(word).cloned());
        let own = kernel.parameters.iter().enumerate().map(|(index, parameter)| {
            let KernelParameter { before, after, .. } = parameter;
            // What is managed gets its device address in place; `T* const` is `T*` to a caller.
            let trimmed = before.trim_end();
            let before = match trimmed.strip_suffix("const") {
                Some(rest) if rest.trim_end().ends_with('*') => rest.trim_end(),
                _ => before.as_str(),
            };
            let name = names.and_then(|names| names.get(index)).map_or("", String::as_str);
            let space = if name.is_empty()
                || before.ends_with(['*', '&', '(']) && !before.ends_with(" *")
            {
                if before.ends_with('(') || name.is_empty() { "" } else { " " }
            } else if before.ends_with(" *") {
                ""
            } else {
                " "
            };
            format!("{}{space}{name}{}", substitute(before), substitute(after))
        });
        let all: Vec<String> = frame.chain(own).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Some(format!("{before}{}", wrapped(&head, &all, ")")))
    }

    /// Whether the text is written against PyTorch.
    fn includes_torch(&self) -> bool {
        let includes = self.port.files.iter().flat_map(|file| file.includes());
        let prefixes = ["torch/", "ATen/", "c10/"];
        includes.into_iter().any(|line| prefixes.iter().any(|prefix| line.name.starts_with(prefix)))
    }

    /// The records that template arguments name.
    fn records(&self, arguments: &str) -> Vec<RecordId> {
        let module = self.port.unit.module;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let words: BTreeSet<&str> = arguments.split(|c| !is_name(c)).collect();
        let records = module.records.iter().filter(|(_, record)| {
            let name = record.name.as_str();
            !name.is_empty()
                && record.defined
                && words.contains(&*module.qualified_name(record.parent, name))
        });
        records.map(|(id, _)| id).collect()
    }

    /// The kernel and its definitions.
    fn kernel(&mut self, id: FunctionId, arguments: &str, made: &Made) {
        let module = self.port.unit.module;
        let device = &made.device;
        let span = module.expansions.outermost(module.functions[id].origin);
        let file = self.port.unit.sources.file(span.file);
        let line = file.line_column(span.start).line;
        let path = file.path.rsplit('/').next().unwrap_or("");
        let name = &made.name;
        let out = &mut self.device;
        let _ = writeln!(out, "// {}{arguments} ({path}:{line})", module.function_name(id));
        let definitions = device.definitions.trim();
        if !definitions.is_empty() {
            let _ = writeln!(out, "{definitions}\n");
        }
        let kind = match device.unit {
            Unit::Vector => "__vector__ ",
            Unit::Cube => "__mix__(1, 2) ",
            Unit::Threads => "",
        };
        let bounds = device.threads.filter(|_| device.unit == Unit::Threads);
        let bounds = bounds.map(|threads| format!("__launch_bounds__({threads}) "));
        let kind = format!("{kind}{}", bounds.unwrap_or_default());
        let mut parameters: Vec<String> = Vec::new();
        for index in &device.pointers {
            if let Some(parameter) = made.parameters.get(*index as usize) {
                parameters.push(format!("GM_ADDR {}", parameter.name));
            }
        }
        for symbol in &device.symbols {
            let name = self.ir.variables[*symbol].name.replace("::", "_");
            parameters.push(format!("GM_ADDR {name}"));
        }
        if device.workspace.is_some() {
            parameters.push("GM_ADDR workspace".to_owned());
        }
        let is_current = self.port.is_current_cann();
        let mut opening = String::new();
        let kind = match is_current {
            true => format!("__global__ {kind}"),
            false => {
                let task = if device.unit == Unit::Cube { "MIX_AIC_1_2" } else { "AIV_ONLY" };
                let _ = writeln!(opening, "    KERNEL_TASK_TYPE_DEFAULT(KERNEL_TYPE_{task});");
                "extern \"C\" __global__ __aicore__ ".to_owned()
            }
        };
        if !device.tiling.is_empty() {
            let ty = camel_case(name);
            match is_current {
                true => parameters.push(format!("{ty}Tiling tiling")),
                false => {
                    parameters.push("GM_ADDR tilingAddress".to_owned());
                    let _ = writeln!(opening, "    {ty}Tiling tiling;");
                    opening.push_str("    CopyTiling(tiling, tilingAddress);\n");
                }
            }
            self.tiling.push_str(&tiling::text(name, arguments, module.function_name(id), made));
        }
        let entry = device.entry.trim_end_matches('\n');
        let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
        let head = wrapped(&format!("{kind}void {name}("), &parameters, ")");
        let _ = writeln!(out, "{head}\n{{\n{opening}{entry}\n}}\n");
    }

    /// The statements of a launcher.
    fn launch(&self, made: &Made) -> String {
        let device = &made.device;
        let name = &made.name;
        let mut out = String::new();
        let used = |word: &str| {
            device.tiling.iter().any(|field| has_word(&field.value, word))
                || has_word(&device.blocks, word)
                || device.workspace.as_ref().is_some_and(|size| has_word(size, word))
        };
        if let (Unit::Vector, Some(most)) = (device.unit, device.threads) {
            let _ = writeln!(
                out,
                "    if (static_cast<uint64_t>(block.x) * block.y * block.z > {most}) {{\n        \
                 port_acl::Untranslated(\"{name} with more than {most} threads in a block\");\n    }}"
            );
        }
        if let Some((condition, blocks)) = &device.proven_for {
            let _ = writeln!(
                out,
                "    if (!({condition})) {{\n        \
                 port_acl::Untranslated(\"{name} with a block of other than {blocks}\");\n    }}"
            );
        }
        if self.port.managed {
            for index in &device.pointers {
                if let Some(Parameter { name, .. }) = made.parameters.get(*index as usize) {
                    let _ = writeln!(out, "    {name} = port_acl::DeviceAddress({name});");
                }
            }
        }
        if used("cores") {
            let which = if device.unit == Unit::Cube { "CubeCores" } else { "VectorCores" };
            let _ = writeln!(out, "    const uint32_t cores = port_acl::{which}();");
        }
        if used("ubBytes") {
            let _ = writeln!(out, "    const uint32_t ubBytes = port_acl::kUbBytes;");
        }
        if !device.tiling.is_empty() {
            let given: Vec<String> =
                tiling::inputs(made).into_iter().map(|(_, name)| name).collect();
            let ty = camel_case(name);
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            let head = format!("    const {ty}Tiling tiling = Make{ty}Tiling(");
            let _ = writeln!(out, "{}", wrapped(&head, &given, ");"));
        }
        let fields = |text: &str| tiling::of_tiling(&device.tiling, text);
        for (condition, otherwise) in &device.apart {
            let _ = writeln!(
                out,
                "    if (!{}) {{\n        port_acl::Untranslated(\"{name} with {otherwise}\");\n    }}",
                fields(condition)
            );
        }
        let mut arguments: Vec<String> = Vec::new();
        for index in &device.pointers {
            if let Some(parameter) = made.parameters.get(*index as usize) {
                arguments.push(format!("(uint8_t*){}", parameter.name));
            }
        }
        for symbol in &device.symbols {
            let name = &self.ir.variables[*symbol].name;
            let is_managed = self.port.unit.module.variables.iter().any(|(_, variable)| {
                variable.storage.managed
                    && self.port.unit.module.qualified_name(variable.parent, variable.name.as_str())
                        == *name
            });
            let which = if is_managed { "ManagedVariable" } else { "SymbolAddress" };
            arguments.push(format!("port_acl::{which}({name})"));
        }
        if let Some(size) = &device.workspace {
            let _ = writeln!(
                out,
                "    uint8_t* workspace = port_acl::Workspace({}, stream);",
                fields(size)
            );
            arguments.push("workspace".to_owned());
        }
        if !device.tiling.is_empty() {
            arguments.push(match self.port.is_current_cann() {
                true => "tiling".to_owned(),
                false => "(uint8_t*)port_acl::TilingMemory(tiling)".to_owned(),
            });
        }
        if !self.port.is_current_cann() {
            let mut list = vec![fields(&device.blocks), "stream".to_owned()];
            list.append(&mut arguments);
            let _ = writeln!(out, "    ACLRT_LAUNCH_KERNEL({name})({});", list.join(", "));
            return out;
        }
        let configuration = match device.unit {
            Unit::Threads => format!("{}, block, shared, stream", fields(&device.blocks)),
            _ => format!("{}, nullptr, stream", fields(&device.blocks)),
        };
        let head = format!("    {}::{name}<<<{configuration}>>>(", self.namespace);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let _ = writeln!(out, "{}", wrapped(&head, &arguments, ");"));
        out
    }

    /// Device code in a namespace of its own, so that the names of Ascend C do not meet the user's in
    /// the launchers. Where it calls what the user's text has at namespace scope too, the namespace
    /// stands inside Ascend C's own, whose names then come first.
    fn in_namespace(&self, device: &str) -> String {
        let module = self.port.unit.module;
        let global = module.global();
        let records = module.records.iter().map(|(_, record)| (record.parent, record.name));
        let functions = module.functions.iter().map(|(_, found)| (found.parent, found.name));
        let variables = module.variables.iter().map(|(_, found)| (found.parent, found.name));
        let aliases = module.aliases.iter().map(|(_, found)| (found.parent, found.name));
        let meets = records
            .chain(functions)
            .chain(variables)
            .chain(aliases)
            .filter(|(parent, _)| *parent == Parent::Namespace(global))
            .any(|(_, name)| !name.as_str().is_empty() && has_word(device, name.as_str()));
        let own = &self.namespace;
        let device = device.trim_end();
        if self.port.chip == Chip::A950 {
            format!("namespace {own} {{\n\n{device}\n\n}}  // namespace {own}\n\n")
        } else if meets {
            format!(
                "namespace AscendC {{\nnamespace {own} {{\n\n{device}\n\n}}  // namespace {own}\n}}  // namespace AscendC\n\n\
                 namespace {own} = AscendC::{own};\n\n"
            )
        } else {
            format!(
                "namespace {own} {{\n\nusing namespace AscendC;\n\n{device}\n\n}}  // namespace {own}\n\n"
            )
        }
    }

    /// The file of device code that CANN 8 compiles apart from the host's.
    fn device_file(&self, section: &Section, device: &str) -> String {
        let stem = self.port.stem();
        let mut text = format!("// The kernels of {stem}.asc in Ascend C. Made by port.\n");
        text.push_str("#include \"kernel_operator.h\"\n");
        for include in &section.includes {
            let _ = writeln!(text, "#include \"{include}\"");
        }
        for header in &section.headers {
            let _ = writeln!(text, "#include \"{}\"", header.name);
        }
        if !self.tiling.is_empty() {
            let _ = writeln!(text, "#include \"{stem}_tiling.h\"");
        }
        text.push_str("\nusing namespace AscendC;\n");
        if !self.tiling.is_empty() {
            text.push_str(COPY_TILING);
        }
        text.push('\n');
        text.push_str(device);
        text.push('\n');
        text
    }

    fn finish(self, section: &mut Section, declarations: &str) {
        if self.launchers.is_empty() {
            return;
        }
        let stem = self.port.stem();
        let mut text = String::from("\n// ---- Kernels in Ascend C, made by port. ----\n");
        let includes: BTreeSet<&str> =
            section.made().flat_map(|made| made.device.includes.iter().copied()).collect();
        section.includes = includes;
        if !self.tiling.is_empty() {
            let _ = writeln!(text, "#include \"{stem}_tiling.h\"");
            section.tiling = Some(format!(
                "// Tiling of the kernels in {stem}.asc: what the host computes for each launch. Made by port.\n\
                 #pragma once\n\n#include <cstddef>\n#include <cstdint>\n{}{}{}{}",
                tiling::dim3(self.port.chip),
                if section.made().any(|made| !made.device.apart.is_empty()) {
                    APART_FUNCTION
                } else {
                    ""
                },
                if self.tiling.contains("TileLanes(") { TILING_FUNCTIONS } else { "" },
                self.tiling
            ));
        }
        text.push('\n');
        if !self.device.is_empty() {
            let mut device = declarations.trim().to_owned();
            if !device.is_empty() {
                device.push_str("\n\n");
            }
            device.push_str(&self.device);
            device.insert_str(0, &support::prelude(&section.headers, &device));
            let device = support::joined(&device);
            if self.port.is_current_cann() {
                text.push_str(&self.in_namespace(&device));
            } else {
                for made in section.made() {
                    let _ = writeln!(text, "#include \"aclrtlaunch_{}.h\"", made.name);
                }
                text.push('\n');
                section.device = Some(self.device_file(section, device.trim_end()));
            }
        }
        for (path, launchers) in &self.launchers {
            for name in path {
                let space = if name.is_empty() { "" } else { " " };
                let _ = writeln!(text, "namespace {name}{space}{{");
            }
            if !path.is_empty() {
                text.push('\n');
            }
            text.push_str(launchers);
            for name in path.iter().rev() {
                let space = if name.is_empty() { "" } else { " " };
                let _ = writeln!(text, "\n}}  // namespace{space}{name}");
            }
            text.push('\n');
        }
        if self.port.options.torch {
            text.push_str(&crate::project::torch::entries(section));
        }
        let trimmed = text.trim_end().len();
        text.truncate(trimmed);
        text.push('\n');
        section.text = text;
    }
}

/// How a kernel for CANN 8 reads its tiling.
const COPY_TILING: &str = "
// The tiling is in global memory, where the host put it.
template <typename T>
__aicore__ inline void CopyTiling(T& tiling, GM_ADDR address)
{
    auto target = reinterpret_cast<uint8_t*>(&tiling);
    auto source = reinterpret_cast<__gm__ uint8_t*>(address);
    for (uint32_t i = 0; i < sizeof(T); ++i) {
        target[i] = source[i];
    }
}
";

fn no_form(port: &Port<'_>, kernel: FunctionId, arguments: &str, reason: &str) -> NoForm {
    let name = port.unit.module.function_name(kernel);
    NoForm {
        kernel: format!("{name}{arguments}"),
        chip: port.chip_name().to_owned(),
        reason: reason.to_owned(),
    }
}

/// Whether vectors compute a function of angles, in the kernel or in what it calls of the lanes' header.
fn has_bounded_angles(device: &DeviceKernel) -> bool {
    let texts = [&device.definitions, &device.entry];
    let calls = ["lanes.Sine(", " Tangent(lanes, ", "::Tangent(lanes, "];
    texts.iter().any(|text| calls.iter().any(|call| text.contains(call)))
}

/// A C string literal.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' | '\r' => out.push(' '),
            '?' => out.push_str("\\?"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

impl Section {
    /// The kernels that there are.
    pub fn made(&self) -> impl Iterator<Item = &Made> {
        self.outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok())
    }

    /// One report an instance, with its finding.
    pub fn reports(&self, port: &mut Port<'_>) -> Vec<KernelReport> {
        let module = port.unit.module;
        let mut reports = Vec::new();
        for outcome in &self.outcomes {
            let function = &module.functions[outcome.kernel];
            let name = module.function_name(outcome.kernel);
            let full = format!("{name}{}", outcome.arguments);
            let span = module.expansions.outermost(function.origin);
            let (status, lowering, found, origin) = match &outcome.result {
                Ok(made) => {
                    let slow = made.device.reason.as_ref().map(|(reason, origin)| {
                        let finding = ScalarForm {
                            kernel: full.clone(),
                            chip: port.chip_name().to_owned(),
                            lowering: made.device.lowering.to_owned(),
                            reason: reason.clone(),
                        };
                        (finding.at(function.origin, &module.expansions), Some(*origin))
                    });
                    if has_bounded_angles(&made.device) {
                        let finding = LargeAngles { kernel: full.clone() };
                        let finding = finding.at(function.origin, &module.expansions);
                        port.findings.push(finding.in_kernel(full.clone()));
                    }
                    let (found, origin) = slow.map_or((None, None), |(f, o)| (Some(f), o));
                    (made.device.status, made.device.lowering, found, origin)
                }
                // Lowering has said so; where nothing launches it, there is nothing to add.
                Err(refusal) if refusal.unseen && !self.general.contains(&outcome.kernel) => {
                    (Status::Manual, "none", None, None)
                }
                Err(refusal) => {
                    let finding =
                        no_form(port, outcome.kernel, &outcome.arguments, &refusal.reason);
                    let found = finding.at(function.origin, &module.expansions);
                    (Status::Manual, "none", Some(found), refusal.origin)
                }
            };
            if let Some(mut found) = found {
                let place = found.primary.as_ref().map(|label| label.span);
                let label = origin.map(|origin| module.expansions.outermost(origin));
                if let Some(span) = label.filter(|span| !span.is_empty() && Some(*span) != place) {
                    found = found.with_label(span, "here");
                }
                port.findings.push(found.in_kernel(full.clone()));
            }
            let codes: BTreeSet<&'static str> = port
                .findings
                .iter()
                .filter(|f| f.kernel.as_ref().is_some_and(|k| *k == full || *k == name))
                .map(|finding| finding.code)
                .collect();
            reports.push(KernelReport {
                name,
                instance: outcome.arguments.clone(),
                file: span.file,
                line: port.unit.sources.file(span.file).line_column(span.start).line,
                status,
                lowering,
                codes: codes.into_iter().collect(),
            });
        }
        reports
    }
}

/// Names of C++ functions, each once.
struct Names {
    /// The user's identifiers.
    taken: BTreeSet<String>,
    used: BTreeSet<String>,
}

impl Names {
    /// `ns::SoftMax<float, 4>` as `ns_soft_max_float_4`.
    fn unique(&mut self, own: &str) -> String {
        let mut name = String::new();
        let mut after_lower = false;
        for character in own.chars() {
            if character.is_ascii_alphanumeric() {
                if character.is_ascii_uppercase() && after_lower {
                    name.push('_');
                }
                after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
                name.push(character.to_ascii_lowercase());
            } else {
                after_lower = false;
                if !name.is_empty() && !name.ends_with('_') {
                    name.push('_');
                }
            }
        }
        let base = name.trim_end_matches('_').to_owned();
        let is_keyword = Keyword::ALL.iter().any(|keyword| keyword.as_str() == base);
        let starts_badly = !base.starts_with(|c: char| c.is_ascii_alphabetic());
        let mut name = match base.is_empty() || is_keyword || starts_badly {
            true => format!("kernel_{base}").trim_end_matches('_').to_owned(),
            false => base,
        };
        // The kernel's own name is free: where it stood, its launcher's stands.
        let plain = own.split('<').next().unwrap_or(own);
        let is_free = |names: &Names, name: &str| {
            !names.used.contains(name) && (name == plain || !names.taken.contains(name))
        };
        if !is_free(self, &name) {
            name.push_str("_kernel");
        }
        let base = name.clone();
        let mut number = 2;
        while !is_free(self, &name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.used.insert(name.clone());
        name
    }
}
