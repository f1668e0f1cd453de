//! Runs emitted kernels beside the originals: the frame that a port has around them is made here, of
//! the same parts, as a function that the oracle's driver can launch.

#![allow(clippy::disallowed_methods, reason = "the tests read kernels and run compilers")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use port_backend_ascend::kernel::{
    APART_FUNCTION, Chip, DeviceKernel, Forms, Options, Request, TILING_FUNCTIONS, Unit, emit,
};
use port_check::oracle::{Language, Oracle, RunOptions, Source};
use port_check::toolchain::Toolchain;
use port_check::{Spec, metrics};
use port_diag::SourceMap;
use port_ir::{Function, Module, Scalar, Type};
use port_syntax::{Configuration, preprocess};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The kernels of the repository, by path.
pub fn kernels() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let families = std::fs::read_dir(workspace().join("kernels")).expect("the kernels");
    for family in families.flatten() {
        let Ok(files) = std::fs::read_dir(family.path()) else { continue };
        found.extend(
            files
                .flatten()
                .map(|file| file.path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "toml")),
        );
    }
    found.sort();
    found
}

/// Runs the kernels, or a sample of them, in the form of a chip, and compares with the oracle.
pub fn check_all(chip: Chip, forms: Forms, sample: &[&str]) {
    let wanted = std::env::var("PORT_KERNELS").ok();
    let all = wanted.as_deref() == Some("all");
    let mut failures = Vec::new();
    for path in kernels() {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("").to_owned();
        let is_wanted = match &wanted {
            Some(names) => all || names.split(',').any(|name| name == stem),
            None => sample.contains(&stem.as_str()),
        };
        if !is_wanted {
            continue;
        }
        match check(&path, chip, forms) {
            Ok(what) => eprintln!("{stem}: {what}"),
            Err(why) => {
                eprintln!("{stem}: FAILED");
                failures.push(format!("{stem}: {why}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn check(spec_path: &Path, chip: Chip, forms: Forms) -> Result<String, String> {
    let mut sources = SourceMap::new();
    let spec = Spec::load(spec_path, &mut sources)
        .map_err(|error| error.to_string())?
        .map_err(|errors| format!("{errors:?}"))?;
    let text_path = spec_path.with_extension("cu");
    let text = std::fs::read_to_string(&text_path).map_err(|error| error.to_string())?;
    compare(&text_path, &text, spec, chip, forms)
}

/// The form of each kernel of a text: `ported matmul`, or why it has none.
pub fn forms(name: &str, text: &str, chip: Chip) -> Vec<String> {
    let mut sources = SourceMap::new();
    let root = sources.add(name, text);
    let unit = preprocess(&sources, root, &Configuration::cuda(80));
    let lowered = port_lower::lower(&port_hir::build(&unit), &port_lower::Options::default());
    let requests: Vec<Request> = lowered
        .instances
        .iter()
        .enumerate()
        .filter_map(|(index, report)| {
            Some(Request { function: report.function?, name: format!("kernel_{index}") })
        })
        .collect();
    let reserved = BTreeSet::new();
    let forms = Forms::All;
    let options = Options { sources: &sources, reserved: &reserved, chip, forms };
    let emitted = emit(&lowered.module, &requests, &options);
    let form = |kernel: Result<DeviceKernel, _>| match kernel {
        Ok(kernel) => format!("{} {}", kernel.status.as_str(), kernel.lowering),
        Err(port_backend_ascend::kernel::NotTranslated { reason, .. }) => reason,
    };
    emitted.kernels.into_iter().map(form).collect()
}

/// Runs a text with its spec in the form of a chip, and compares with the oracle.
pub fn check_text(name: &str, text: &str, spec: &str, chip: Chip) -> Result<String, String> {
    let mut sources = SourceMap::new();
    let file = sources.add("test.toml", spec);
    let spec = Spec::parse(&sources, file).map_err(|errors| format!("{errors:?}"))?;
    compare(Path::new(&format!("{name}.cu")), text, spec, chip, Forms::All)
}

fn compare(
    text_path: &Path,
    text: &str,
    mut spec: Spec,
    chip: Chip,
    forms: Forms,
) -> Result<String, String> {
    let mut read = |path: &str| Ok(std::fs::read_to_string(path).ok());
    let loaded = port::load(&text_path.to_string_lossy(), text, &[], &mut read);
    let (sources, root) = (loaded.sources, loaded.root);
    let unit = preprocess(&sources, root, &Configuration::cuda(80));
    let options = port_lower::Options {
        kernels: Vec::new(),
        instantiate: spec.launches.iter().map(|launch| launch.kernel.clone()).collect(),
        defaults: false,
    };
    let lowered = port_lower::lower(&port_hir::build(&unit), &options);
    let module = &lowered.module;

    // One request for each launch of the spec.
    // A macro of the text in a spec.
    let plain = |name: &str| name.replace(' ', "").replace("QK4_0", "32");
    let mut requests = Vec::new();
    let mut asked = Vec::new();
    for (index, launch) in spec.launches.iter().enumerate() {
        let function = lowered.instances.iter().find_map(|report| {
            let named = plain(&report.instance.name) == plain(&launch.kernel)
                || report.instance.asked_as.contains(&launch.kernel);
            report.function.filter(|_| named)
        });
        let Some(function) = function else {
            let known: Vec<&str> =
                lowered.instances.iter().map(|report| &*report.instance.name).collect();
            return Err(format!("no instance of `{}` among {known:?}", launch.kernel));
        };
        requests.push(Request { function, name: format!("kernel_{index}") });
        asked.push(index);
    }
    let reserved = BTreeSet::new();
    let options = Options { sources: &sources, reserved: &reserved, chip, forms };
    let emitted = emit(module, &requests, &options);
    let mut refused = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    let mut kept = Vec::new();
    let mut text = String::new();
    let mut includes = BTreeSet::new();
    for (index, form) in emitted.kernels.iter().enumerate() {
        match form {
            Ok(kernel) => {
                kept.push(index);
                includes.extend(kernel.includes.iter().copied());
                statuses.insert(format!("{} {}", kernel.status.as_str(), kernel.lowering));
                if std::env::var_os("PORT_FORMS").is_some() {
                    let name = &spec.launches[index].kernel;
                    eprintln!("    {name}: {} {}", kernel.status.as_str(), kernel.lowering);
                }
            }
            Err(why) => {
                refused.insert(format!("`{}`: {}", spec.launches[index].kernel, why.reason));
            }
        }
    }
    for include in &includes {
        let _ = writeln!(text, "#include \"{include}\"");
    }
    if chip == Chip::A910b {
        text.push_str("#include \"kernel_operator.h\"\n");
        // The machine of the model is compiled with the text: the driver links one file.
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(workspace().join("crates/check/ascend/src"))
                .map_err(|error| error.to_string())?
                .flatten()
                .map(|file| file.path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
                .collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let _ = writeln!(text, "#include \"../src/{name}\"");
        }
        text.push_str(REGISTER);
    } else {
        text.push_str(REPORT);
    }
    text.push_str("#include <cstdio>\n#include <cstdlib>\n");
    text.push_str(FRAME);
    let structs = struct_texts(module);
    text.push_str(&structs);
    let symbols = symbols(module, &emitted.kernels);
    for (_, symbol) in &symbols {
        text.push_str(symbol);
    }
    for header in &emitted.headers {
        text.push_str(&header.text.replace("#pragma once", ""));
    }
    let kernels = emitted.kernels.iter().flatten();
    let own: String =
        kernels.map(|kernel| format!("{}{}", kernel.definitions, kernel.entry)).collect();
    let own = format!("{}{own}", emitted.declarations);
    text.push_str(&port_backend_ascend::support::prelude(&emitted.headers, &own));
    text.push_str(&emitted.declarations);
    for index in &kept {
        if let Ok(kernel) = &emitted.kernels[*index] {
            let function = &module.functions[requests[*index].function];
            text.push_str(&frame(module, function, *index, kernel));
        }
    }
    let text = text
        .replace("extern __ubuf__", "extern thread_local")
        .replace(") __ubuf__", ") static thread_local")
        .replace("    __ubuf__ uint32_t syncCount[", "    static thread_local uint32_t syncCount[");
    if let Some(folder) = std::env::var_os("PORT_KEEP") {
        let name = text_path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let _ = std::fs::write(Path::new(&folder).join(format!("{name}.cpp")), &text);
    }
    if kept.is_empty() {
        return Ok(format!("nothing to run; refused: {refused:?}"));
    }

    let oracle = Oracle::new(&Toolchain::discover()).map_err(|error| error.to_string())?;
    let mut launches = Vec::new();
    for (index, launch) in spec.launches.iter().enumerate() {
        if kept.contains(&index) {
            launches.push(launch.clone());
        }
    }
    spec.launches = launches;
    let mut ported = spec.clone();
    ported.symbols.retain(|symbol| symbols.iter().any(|(name, _)| *name == symbol.name));
    for (launch, index) in ported.launches.iter_mut().zip(&kept) {
        launch.kernel = format!("run_kernel_{index}");
    }
    let file = |id| sources.file(id);
    let mut original = Source::new(Language::Cuda, &file(root).path, &file(root).text);
    for id in sources.ids().filter(|id| *id != root) {
        original = original.with_file(&file(id).path, &file(id).text);
    }
    let include = workspace().join("crates/check/ascend/include");
    let source = Source::new(Language::Cuda, "port.cu", &text).with_include_directory(include);
    let build = |source: &Source, spec: &Spec| {
        oracle.build(source, spec).map_err(|error| error.to_string())
    };
    let (a, b) = (build(&original, &spec)?, build(&source, &ported)?);
    let mut compared = 0;
    let mut worst = 0.0f64;
    for set in spec.parameter_sets() {
        let run = |program: &port_check::oracle::Executable, spec: &Spec| {
            let case = spec.case(&set).map_err(|errors| format!("{errors:?}"))?;
            program
                .run(&case, &RunOptions::default())
                .map_err(|error| format!("{}: {error}", set.label()))
        };
        let (expected, actual) = (run(&a, &spec)?, run(&b, &ported)?);
        if let Some(note) = actual.notes.first()
            && expected.notes.is_empty()
        {
            return Err(format!("{}: {note:?}", set.label()));
        }
        for (output, tensor) in &expected.outputs {
            let own = actual.output(output).ok_or("an output is missing")?;
            let found = metrics::compare(own, tensor).ok_or("outputs of different shapes")?;
            compared += 1;
            if !found.is_equal() {
                let relative = found.max_relative;
                worst = worst.max(relative);
                if relative > 1e-2 {
                    return Err(format!(
                        "{} {output}: {:?} {relative}",
                        set.label(),
                        found.first_mismatch
                    ));
                }
            }
        }
    }
    let worst =
        if worst > 0.0 { format!(", worst relative difference {worst:e}") } else { String::new() };
    let refused =
        if refused.is_empty() { String::new() } else { format!(", refused: {refused:?}") };
    Ok(format!("{compared} outputs agree, {statuses:?}{worst}{refused}"))
}

/// Tells the model of the oracle's buffers.
const REGISTER: &str = "
#include <vector>
#include <port_oracle/core.hpp>
namespace port_test {
inline void Register(const void* pointer) {
    const void* base = nullptr;
    std::size_t size = port_oracle::allocation_size(pointer, &base);
    if (size) port_ascend::register_gm(const_cast<void*>(base), size);
}
}
";

/// What breaks a rule of the SIMT headers ends the program: the rest of the model has no part here.
const REPORT: &str = "
#include <cstdio>
#include <cstdlib>
namespace port_ascend {
void report(const char* rule, const char* call, Site, const char*, ...) {
    std::fprintf(stderr, \"%s breaks the rule %s\\n\", call, rule);
    std::abort();
}
}
";

/// What the frames use.
const FRAME: &str = "
namespace port_test {
inline uint3 Block() { return uint3{blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z), 0, 0}; }
inline uint3 Blocks() { return uint3{gridDim.x * gridDim.y * gridDim.z, 1, 1}; }
}
";

fn parameter_type(ty: Type) -> String {
    match ty {
        Type::Pointer(_) => "uint8_t*".to_owned(),
        Type::Scalar(scalar) => scalar_type(scalar).to_owned(),
        Type::Struct(handle) => format!("TestStruct{}", handle.index()),
        Type::Vector(scalar, size) => format!("TestVector{}{}", scalar.name(), size.count()),
        _ => "uint64_t".to_owned(),
    }
}

fn scalar_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::I8 => "int8_t",
        Scalar::I16 => "int16_t",
        Scalar::I32 => "int32_t",
        Scalar::I64 => "int64_t",
        Scalar::U8 => "uint8_t",
        Scalar::U16 => "uint16_t",
        Scalar::U32 => "uint32_t",
        Scalar::U64 => "uint64_t",
        Scalar::F16 => "half",
        Scalar::Bf16 => "bfloat16_t",
        Scalar::F32 => "float",
        _ => "double",
    }
}

/// The structs and vectors that parameters may have, with the user's names of members.
fn struct_texts(module: &Module) -> String {
    let mut text = String::new();
    text.push_str(APART_FUNCTION);
    text.push_str(TILING_FUNCTIONS);
    for scalar in Scalar::ALL {
        let element = scalar_type(scalar);
        for (count, members) in [(2, "x, y"), (3, "x, y, z"), (4, "x, y, z, w")] {
            let align = if count == 3 { 1 } else { (scalar.size() * count).min(16) };
            let _ = writeln!(
                text,
                "struct alignas({align}) alignas({element}) TestVector{}{count} {{ {element} {members}; }};",
                scalar.name()
            );
        }
    }
    for (handle, structure) in module.types.structs().iter() {
        let mut base = String::new();
        let mut body = Some(String::new());
        for (index, member) in structure.members.iter().enumerate() {
            let spelled = parameter_type(member.ty);
            match member.ty {
                Type::Struct(inner)
                    if index == 0 && module.types.structs()[inner].name.ends_with(&member.name) =>
                {
                    base = format!(" : {spelled}");
                }
                Type::Array(array) if !member.name.is_empty() => {
                    let array = module.types.arrays()[array];
                    let element = parameter_type(array.element);
                    let line = format!(" {element} {}[{}];", member.name, array.length);
                    body = body.map(|text| text + &line);
                }
                Type::Fragment(_) | Type::Array(_) => body = None,
                _ if member.name.is_empty() => body = None,
                _ => body = body.map(|text| text + &format!(" {spelled} {};", member.name)),
            }
        }
        let body = body.unwrap_or(format!(" uint8_t bytes[{}];", structure.size.max(1)));
        let _ = writeln!(text, "struct TestStruct{}{base} {{{body} }};", handle.index());
    }
    text
}

/// The symbols of some kernels, as the driver fills them: name and definition.
fn symbols(
    module: &Module,
    kernels: &[Result<DeviceKernel, port_backend_ascend::kernel::NotTranslated>],
) -> Vec<(String, String)> {
    let mut handles = BTreeSet::new();
    for kernel in kernels.iter().flatten() {
        handles.extend(kernel.symbols.iter().copied());
    }
    handles
        .into_iter()
        .map(|handle| {
            let variable = &module.variables[handle];
            let size = module.types.layout(variable.ty).map_or(1, |layout| layout.size);
            let mut bytes = variable.initial.clone().unwrap_or_default();
            bytes.resize(size as usize, 0);
            let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
            let (spaces, name) = variable.name.rsplit_once("::").unwrap_or(("", &variable.name));
            let mut text = format!("alignas(16) uint8_t {name}[{size}] = {{{}}};", list.join(", "));
            if !spaces.is_empty() {
                text = format!("namespace {spaces} {{ {text} }}");
            }
            (variable.name.clone(), text + "\n")
        })
        .collect()
}

/// The kernel with its tiling and a function that launches it.
fn frame(module: &Module, function: &Function, index: usize, kernel: &DeviceKernel) -> String {
    let mut text = format!("struct Kernel{index}Tiling {{\n");
    for field in &kernel.tiling {
        let _ = writeln!(text, "    {} {};", field.ty, field.name);
    }
    text.push_str("};\n");
    // Vector code stands in Ascend C's own namespace, as in a port.
    let is_inside = kernel.unit == Unit::Vector && kernel.lowering != "scalar";
    if is_inside {
        text.push_str("namespace AscendC {\n");
    }
    text.push_str(&kernel.definitions);
    let mut parameters: Vec<String> = Vec::new();
    let mut arguments: Vec<String> = Vec::new();
    for pointer in &kernel.pointers {
        let name = &function.parameters[*pointer as usize].name;
        parameters.push(format!("GM_ADDR {name}"));
        arguments.push(name.clone());
    }
    for symbol in &kernel.symbols {
        let name = &module.variables[*symbol].name;
        parameters.push(format!("GM_ADDR {}", name.replace("::", "_")));
        arguments.push(format!("::{name}"));
    }
    if kernel.workspace.is_some() {
        parameters.push("GM_ADDR workspace".to_owned());
        arguments.push("workspace".to_owned());
    }
    parameters.push(format!("Kernel{index}Tiling tiling"));
    arguments.push("tiling".to_owned());
    let entry = match kernel.unit {
        Unit::Threads => kernel
            .entry
            .replace("blockIdx.x", "port_test::Block().x")
            .replace("gridDim.x", "port_test::Blocks().x"),
        _ => kernel.entry.clone(),
    };
    let head = match kernel.unit {
        Unit::Threads => "",
        Unit::Vector => "__vector__ ",
        Unit::Cube => "__mix__(1, 2) ",
    };
    let _ = writeln!(
        text,
        "__global__ {head}void emitted_kernel_{index}({})\n{{\n{entry}}}",
        parameters.join(", ")
    );
    if is_inside {
        let _ = writeln!(text, "}}\nusing AscendC::emitted_kernel_{index};");
    }
    let own: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| format!("{} {}", parameter_type(parameter.ty), parameter.name))
        .collect();
    let _ = writeln!(text, "void run_kernel_{index}({})\n{{", own.join(", "));
    text.push_str("    const dim3 grid = gridDim, block = blockDim;\n    const size_t shared = port_oracle::dynamic_shared_size();\n    const uint32_t cores = 4, ubBytes = 192 * 1024;\n    (void)grid; (void)block; (void)shared; (void)cores; (void)ubBytes;\n");
    if kernel.unit != Unit::Threads {
        text.push_str("    if (threadIdx.x | threadIdx.y | threadIdx.z | blockIdx.x | blockIdx.y | blockIdx.z) return;\n");
    }
    let _ = writeln!(text, "    Kernel{index}Tiling tiling = {{}};");
    for (at, field) in kernel.tiling.iter().enumerate() {
        let value = with_fields(&field.value, &kernel.tiling[..at]);
        let _ = writeln!(text, "    tiling.{} = {value};", field.name);
    }
    for (condition, otherwise) in &kernel.apart {
        let condition = with_fields(condition, &kernel.tiling);
        let _ = writeln!(
            text,
            "    if (!{condition}) {{ std::fprintf(stderr, \"{otherwise}\\n\"); std::abort(); }}"
        );
    }
    if let Some(size) = &kernel.workspace {
        let size = with_fields(size, &kernel.tiling);
        let _ = writeln!(
            text,
            "    static std::vector<uint8_t> memory; memory.assign({size}, 0xcd);\n    uint8_t* workspace = memory.data(); port_ascend::register_gm(workspace, memory.size(), \"workspace\");"
        );
    }
    let list = arguments.join(", ");
    match kernel.unit {
        Unit::Threads => {
            let _ = writeln!(text, "    emitted_kernel_{index}({list});");
        }
        _ => {
            for pointer in &kernel.pointers {
                let name = &function.parameters[*pointer as usize].name;
                let _ = writeln!(text, "    port_test::Register({name});");
            }
            for symbol in &kernel.symbols {
                let name = module.variables[*symbol].name.clone();
                let _ = writeln!(
                    text,
                    "    port_ascend::register_gm(::{name}, sizeof ::{name}, \"{name}\");"
                );
            }
            let blocks = with_fields(&kernel.blocks, &kernel.tiling);
            let _ = writeln!(
                text,
                "    port_ascend::launch(\"k\", emitted_kernel_{index}, {blocks}, nullptr, nullptr)({list});"
            );
        }
    }
    text.push_str("}\n");
    text
}

/// An expression in which fields are the tiling's.
fn with_fields(text: &str, fields: &[port_backend_ascend::kernel::TilingField]) -> String {
    let mut out = String::new();
    let mut rest = text;
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    while !rest.is_empty() {
        let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        if fields.iter().any(|field| field.name == word) && !out.ends_with(['.', ':']) {
            out.push_str("tiling.");
        }
        out.push_str(word);
        let mut letters = tail.chars();
        out.extend(letters.next());
        rest = letters.as_str();
    }
    out
}
