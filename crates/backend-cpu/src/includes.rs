//! Headers: CUDA's own become `port_cpu.hpp`, once.

use std::collections::BTreeSet;

use port_diag::{FileId, Finding, Span};
use port_rewrite::{IncludeLine, Reason, Side, relative};

use crate::findings::UnsupportedHeader;
use crate::header;
use crate::port::Port;

/// Headers whose names `port_cpu.hpp` gives.
const PROVIDED: &[&str] = &[
    "builtin_types.h",
    "cuda.h",
    "cuda_device_runtime_api.h",
    "cuda_profiler_api.h",
    "cuda_runtime.h",
    "cuda_runtime_api.h",
    "device_atomic_functions.h",
    "device_functions.h",
    "device_launch_parameters.h",
    "device_types.h",
    "driver_functions.h",
    "driver_types.h",
    "host_config.h",
    "host_defines.h",
    "math_functions.h",
    "sm_20_atomic_functions.h",
    "sm_20_intrinsics.h",
    "sm_30_intrinsics.h",
    "sm_32_intrinsics.h",
    "sm_60_atomic_functions.h",
    "vector_functions.h",
    "vector_types.h",
];

/// The header that nvcc includes by itself.
const RUNTIME: &str = "cuda_runtime.h";

/// Edits the include lines.
pub(crate) fn apply(port: &mut Port<'_>) {
    let in_repository = in_repository(port);
    for index in 0..port.files.len() {
        let id = port.files[index].id;
        let lines = port.files[index].includes();
        let mut included = false;
        let newline = if port.files[index].text.contains("\r\n") { "\r\n" } else { "\n" };
        let is_root = id == port.unit.root;
        for (position, line) in lines.iter().enumerate() {
            if in_repository.contains(&line.header) {
                continue;
            }
            if !PROVIDED.contains(&line.name.as_str()) && !header::replaces(&line.name) {
                report_unsupported(port, id, line, newline);
                continue;
            }
            let reason = Reason::Row(port_api::header(&line.name).map_or(RUNTIME, |h| h.name));
            // In the root it has to come before everything else, as nvcc includes its own first.
            if !included && (position == 0 || !is_root) {
                included = true;
                let mut name = format!("\"{}\"", include_name(port, id));
                if let Some(define) = port.architecture.as_ref().filter(|_| is_root) {
                    name = format!("{name}{newline}{define}");
                }
                port.changes.replace(line.header, name, reason);
            } else {
                port.changes.replace(line.line, "", reason);
            }
        }
        if is_root && !included && port.uses_runtime {
            let file = &port.files[index];
            let at = file.first_include_or_code();
            let mut text = format!("#include \"{}\"{newline}", include_name(port, id));
            if let Some(define) = &port.architecture {
                text.push_str(&format!("{define}{newline}"));
            }
            port.changes.insert(id, at, Side::After, text, Reason::Row(RUNTIME));
        }
    }
}

/// Beginnings of the names of headers that only CUDA's libraries have, and what to do without.
const LIBRARIES: &[(&str, &str)] = &[
    ("cublas", "call a BLAS for CPUs"),
    ("cufft", "call an FFT for CPUs, such as FFTW"),
    ("curand", "use <random>"),
    ("cusparse", "call a sparse library for CPUs, or write the loops"),
    ("cusolver", "call LAPACK"),
    ("cudnn", "call oneDNN, or write the loops"),
    ("cutensor", "write the loops"),
    ("cutlass/", "write the loops"),
    ("cute/", "write the loops"),
    ("thrust/", "use the standard algorithms over the same pointers"),
    ("cuda/", "use the standard library's form"),
    ("nccl", "leave it out: one process holds all data"),
    ("npp", "write the loops"),
    ("nvml", "leave it out"),
    ("nvrtc", "compile the kernel with the program"),
    ("nvToolsExt", "leave it out"),
    ("nvtx", "leave it out"),
    ("cupti", "leave it out"),
    ("cuda", "leave it out, or write what it gives in C++"),
];

/// Reports a header of CUDA's that `port_cpu.hpp` does not replace, and puts it behind the guard.
fn report_unsupported(port: &mut Port<'_>, id: FileId, line: &IncludeLine, newline: &str) {
    let library = LIBRARIES.iter().find(|(prefix, _)| line.name.starts_with(prefix));
    let Some((_, way)) = library else { return };
    if port.inactive.iter().any(|body| body.contains(line.header)) {
        return;
    }
    let finding = UnsupportedHeader { header: line.name.clone(), way: (*way).to_owned() };
    port.report_at(&finding, line.header);
    let code = UnsupportedHeader::METADATA.code;
    let message = finding.message().replace(['"', '\\'], "'");
    let open =
        format!("#ifndef PORT_ALLOW_MANUAL{newline}#error \"port: {code}: {message}\"{newline}");
    port.changes.insert(id, line.line.start, Side::After, open, Reason::Finding(code));
    let ended = port.unit.sources.text(line.line).ends_with('\n');
    let close = format!("{}#endif{newline}", if ended { "" } else { newline });
    port.changes.insert(id, line.line.end, Side::Before, close, Reason::Finding(code));
}

/// The names in include lines that resolve to files of the repository.
fn in_repository(port: &Port<'_>) -> BTreeSet<Span> {
    let includes = port.unit.parsed.unit.includes.iter();
    includes.filter(|include| include.file.is_some()).map(|include| include.name_span).collect()
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
