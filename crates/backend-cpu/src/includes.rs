//! Headers: CUDA's own become `port_cpu.hpp`, once.

use port_diag::FileId;
use port_rewrite::{FileText, IncludeLine, Reason, Side};
use port_syntax::TokenKind;

use crate::header;
use crate::port::Port;

/// Headers whose names `port_cpu.hpp` gives.
const PROVIDED: &[&str] = &[
    "builtin_types.h",
    "cooperative_groups.h",
    "cooperative_groups/memcpy_async.h",
    "cooperative_groups/reduce.h",
    "cooperative_groups/scan.h",
    "cuda.h",
    "cuda_bf16.h",
    "cuda_bf16.hpp",
    "cuda_device_runtime_api.h",
    "cuda_fp16.h",
    "cuda_fp16.hpp",
    "cuda_pipeline.h",
    "cuda_pipeline_primitives.h",
    "cuda_profiler_api.h",
    "cuda_runtime.h",
    "cuda_runtime_api.h",
    "curand_kernel.h",
    "curand_philox4x32_x.h",
    "device_atomic_functions.h",
    "device_functions.h",
    "device_launch_parameters.h",
    "device_types.h",
    "driver_functions.h",
    "driver_types.h",
    "host_config.h",
    "host_defines.h",
    "math_constants.h",
    "math_functions.h",
    "sm_20_atomic_functions.h",
    "sm_20_intrinsics.h",
    "sm_30_intrinsics.h",
    "sm_32_intrinsics.h",
    "sm_60_atomic_functions.h",
    "vector_functions.h",
    "vector_types.h",
];

/// Edits the include lines.
pub(crate) fn apply(port: &mut Port<'_>) {
    for index in 0..port.files.len() {
        let id = port.files[index].id;
        let lines = port.files[index].includes();
        let mut included = false;
        let is_root = id == port.unit.root;
        for (position, line) in lines.iter().enumerate() {
            if is_in_repository(port, line) || !PROVIDED.contains(&line.name.as_str()) {
                continue;
            }
            let reason = Reason::Row(port_api::header(&line.name).map_or("<<<>>>", |h| h.name));
            // In the root it has to come before everything else, as nvcc includes its own first.
            if !included && (position == 0 || !is_root) {
                included = true;
                let name = format!("\"{}\"", include_name(port, id));
                port.changes.replace(line.header, name, reason);
            } else {
                port.changes.replace(line.line, "", reason);
            }
        }
        if is_root && !included && port.uses_runtime {
            let file = &port.files[index];
            let newline = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
            let at = first_include_or_code(file);
            let text = format!("#include \"{}\"{newline}", include_name(port, id));
            port.changes.insert(id, at, Side::After, text, Reason::Row("<<<>>>"));
        }
    }
}

fn is_in_repository(port: &Port<'_>, line: &IncludeLine) -> bool {
    let includes = &port.unit.parsed.unit.includes;
    includes.iter().any(|include| include.name_span == line.header && include.file.is_some())
}

/// Where an include goes that must come first: after `#pragma once`, an include guard and leading
/// comments.
fn first_include_or_code(file: &FileText<'_>) -> u32 {
    let first = file.directives.first();
    let guard = first.is_some_and(|d| d.keyword == "ifndef")
        && file.directives.get(1).is_some_and(|d| d.keyword == "define");
    let opener = match first {
        Some(_) if guard => file.directives.get(1),
        Some(once) if is_pragma_once(file, once) => Some(once),
        _ => None,
    };
    if let Some(opener) = opener {
        return opener.line.end;
    }
    let start = file.tokens.first().map_or(0, |token| token.start);
    let before = file.text.get(..start as usize).unwrap_or("");
    before.rfind('\n').map_or(0, |newline| newline as u32 + 1)
}

fn is_pragma_once(file: &FileText<'_>, directive: &port_rewrite::Directive) -> bool {
    let word = file.tokens.get(directive.tokens.clone()).and_then(|tokens| tokens.get(2));
    directive.keyword == "pragma"
        && word.is_some_and(|t| t.kind == TokenKind::Identifier && file.bytes(t) == "once")
}

/// The header as a file of the unit includes it: from the folder that the units of a run share, else
/// from beside the root's port.
fn include_name(port: &Port<'_>, file: FileId) -> String {
    let folder = |id: FileId| {
        let path = &port.unit.sources.file(id).path;
        path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
    };
    let to = port.options.shared_folder.clone().unwrap_or_else(|| folder(port.unit.root));
    format!("{}{}", relative(&folder(file), &to), header::FILE_NAME)
}

/// The way from one folder to another, ending in `/` unless they are the same.
fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut way = "../".repeat(from.len() - common);
    for part in &to[common..] {
        way.push_str(part);
        way.push('/');
    }
    way
}

