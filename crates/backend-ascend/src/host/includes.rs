//! Headers: CUDA's own become ACL's, once; the repository's are found where the port has them.

use std::collections::BTreeMap;

use port_diag::{FileId, Finding, Span};
use port_rewrite::{IncludeLine, Reason, Side};

use super::header;
use crate::findings::NoHeader;
use crate::kernel::Chip;
use crate::port::Port;
use crate::section::Section;

/// Headers whose content leaves with the device code, or is in `port_ascend.h`.
const PROVIDED: &[&str] = &[
    "builtin_types.h",
    "cooperative_groups.h",
    "cooperative_groups/",
    "cub/",
    "cuda.h",
    "cuda_awbarrier.h",
    "cuda_bf16.h",
    "cuda_device_runtime_api.h",
    "cuda_fp16.h",
    "cuda_pipeline",
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
    "math_constants.h",
    "math_functions.h",
    "mma.h",
    "curand_kernel.h",
    "sm_20_atomic_functions.h",
    "sm_20_intrinsics.h",
    "sm_30_intrinsics.h",
    "sm_32_intrinsics.h",
    "sm_60_atomic_functions.h",
    "sm_61_intrinsics.h",
    "vector_functions.h",
    "vector_types.h",
];

/// The 950's own header.
const SIMT: &str = "simt_api/asc_simt.h";

/// The header that nvcc includes by itself.
const RUNTIME: &str = "cuda_runtime.h";

/// Edits the include lines.
pub(crate) fn apply(port: &mut Port<'_>, section: &Section) {
    let resolved = resolved(port);
    for index in 0..port.files.len() {
        let id = port.files[index].id;
        let lines = port.files[index].includes();
        let newline = if port.files[index].text.contains("\r\n") { "\r\n" } else { "\n" };
        let is_root = id == port.unit.root;
        let own: Vec<String> = match is_root {
            true => {
                let mut names = vec!["acl/acl.h"];
                if port.is_current_cann() {
                    if port.chip == Chip::A910b {
                        names.push("kernel_operator.h");
                    }
                    names.extend(&section.includes);
                }
                if port.chip == Chip::A950 && !names.contains(&SIMT) {
                    names.push(SIMT);
                }
                if port.is_current_cann() {
                    names.extend(section.headers.iter().map(|header| header.name));
                }
                names.push(header::FILE_NAME);
                names.iter().map(|name| format!("\"{name}\"")).collect()
            }
            false => vec![format!("\"{}{}\"", up_from(port, id), header::FILE_NAME)],
        };
        let own = own.join(&format!("{newline}#include "));
        let mut included = false;
        for (position, line) in lines.iter().enumerate() {
            if port.is_removed(line.line) {
                continue;
            }
            if let Some(header) = resolved.get(&line.header) {
                let name = format!("\"{}\"", between(port, id, *header));
                if name != port.unit.sources.text(line.header) {
                    port.changes.replace(line.header, name, Reason::Row("#include"));
                }
                continue;
            }
            if let Some((_, theirs)) =
                super::torch::HEADERS.iter().find(|(cuda, _)| *cuda == line.name)
            {
                let name = format!("<{theirs}>");
                port.changes.replace(line.header, name, Reason::Row(RUNTIME));
                continue;
            }
            let is_provided = PROVIDED.iter().any(|known| match known.strip_suffix('/') {
                Some(_) => line.name.starts_with(known),
                None => {
                    line.name == *known || *known == "cuda_pipeline" && line.name.starts_with(known)
                }
            });
            if !is_provided {
                report_unsupported(port, id, line, newline);
                continue;
            }
            let reason = Reason::Row(port_api::header(&line.name).map_or(RUNTIME, |h| h.name));
            // In the root it has to come before everything else, as nvcc includes its own first.
            if !included && (position == 0 || !is_root) {
                included = true;
                port.changes.replace(line.header, own.clone(), reason);
            } else {
                port.changes.replace(line.line, "", reason);
            }
        }
        if is_root && !included {
            let at = port.files[index].first_include_or_code();
            let text = format!("#include {own}{newline}");
            port.changes.insert(id, at, Side::After, text, Reason::Row(RUNTIME));
        }
    }
}

/// Beginnings of the names of headers that only CUDA's libraries have, and what to do without.
const LIBRARIES: &[(&str, &str)] = &[
    ("cublas", "call aclnnMatmul, or the operators of the catlass library"),
    ("cufft", "call an FFT of the host, or write the kernel"),
    ("curand", "fill the array with aclnnInplaceNormal or aclnnInplaceUniform"),
    ("cusparse", "call aclnn's operators, or write the loops"),
    ("cusolver", "call LAPACK on the host"),
    ("cudnn", "call aclnn's operators"),
    ("cutensor", "call aclnn's operators"),
    ("cutlass/", "use the catlass library"),
    ("cute/", "use the catlass library"),
    ("thrust/", "write the kernel, or use the standard algorithms on the host"),
    ("cuda/", "use the standard library's form"),
    ("nccl", "call HCCL"),
    ("npp", "call aclnn's operators or DVPP"),
    ("nvml", "call DCMI, or leave it out"),
    ("nvrtc", "compile the kernel with the program"),
    ("nvToolsExt", "use aclprof's ranges, or leave it out"),
    ("nvtx", "use aclprof's ranges, or leave it out"),
    ("cupti", "use aclprof, or leave it out"),
    ("cuda", "leave it out, or write what it gives in C++"),
];

/// Reports a header of CUDA's that has no form, and puts it behind the guard.
fn report_unsupported(port: &mut Port<'_>, id: FileId, line: &IncludeLine, newline: &str) {
    let library = LIBRARIES.iter().find(|(prefix, _)| line.name.starts_with(prefix));
    let Some((_, way)) = library else { return };
    if port.inactive.iter().any(|body| body.contains(line.header)) {
        return;
    }
    let finding = NoHeader { header: line.name.clone(), way: (*way).to_owned() };
    port.report_at(&finding, line.header);
    let code = NoHeader::METADATA.code;
    let message = finding.message().replace(['"', '\\'], "'");
    let open = format!(
        "#ifndef PORT_ALLOW_MANUAL{newline}#error \"port: {code}: {message}\"{newline}#else{newline}// "
    );
    // Left out under the guard: there is no such header where the port is built.
    port.changes.insert(id, line.line.start, Side::After, open, Reason::Finding(code));
    let ended = port.unit.sources.text(line.line).ends_with('\n');
    let close = format!("{}#endif{newline}", if ended { "" } else { newline });
    port.changes.insert(id, line.line.end, Side::Before, close, Reason::Finding(code));
}

/// The files of the repository that include lines resolve to.
fn resolved(port: &Port<'_>) -> BTreeMap<Span, FileId> {
    let includes = port.unit.parsed.unit.includes.iter();
    includes.filter_map(|include| Some((include.name_span, include.file?))).collect()
}

/// A file's place in the port's folder.
fn place(port: &Port<'_>, file: FileId) -> String {
    let path = |id: FileId| port.unit.sources.file(id).path.to_string();
    if file == port.unit.root {
        return String::new();
    }
    port_backend::in_folder(&path(port.unit.root), &path(file))
}

/// The steps from a file's folder up to the port's.
fn up_from(port: &Port<'_>, file: FileId) -> String {
    "../".repeat(place(port, file).matches('/').count())
}

/// One file of the port as another includes it.
fn between(port: &Port<'_>, from: FileId, to: FileId) -> String {
    let (from, to) = (place(port, from), place(port, to));
    let split = |path: &str| match path.rsplit_once('/') {
        Some((folder, name)) => (folder.to_owned(), name.to_owned()),
        None => (String::new(), path.to_owned()),
    };
    let ((here, _), (there, name)) = (split(&from), split(&to));
    format!("{}{name}", port_rewrite::relative(&here, &there))
}
