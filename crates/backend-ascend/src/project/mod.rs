//! What a port needs around its sources: build files, documentation (here), data (`data`), a binding for
//! PyTorch (`torch`), the layout of msopgen (`msopgen`).

use std::fmt::Write;

use port_backend::{Project, Status};

use port_ir::Type;

use crate::kernel::Chip;
use crate::port::Port;
use crate::section::Section;
use crate::tiling;

mod data;
mod msopgen;
pub(crate) mod torch;

/// The files around the sources of a port: names and texts.
pub(crate) fn files(port: &Port<'_>, section: &Section) -> Vec<(String, String)> {
    let mut files = vec![
        ("CMakeLists.txt".to_owned(), cmake(port)),
        ("README.md".to_owned(), readme(port, section)),
    ];
    files.extend(data::files(port, section));
    if port.options.torch {
        files.push((format!("{}_torch.cpp", port.stem()), torch::file(port, section)));
    }
    if port.options.project == Project::Msopgen {
        files.extend(msopgen::files(port, section));
    }
    files
}

/// A parameter's type where any file can name it.
fn c_type(ty: Type) -> Option<&'static str> {
    match ty {
        Type::Pointer(_) => Some("void*"),
        ty => tiling::parameter_type(ty),
    }
}

/// A stem as an identifier.
fn identifier(stem: &str) -> String {
    let mut out: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert_str(0, "port_");
    }
    out
}

/// Whether the port is a whole program.
fn is_program(port: &Port<'_>) -> bool {
    let module = port.unit.module;
    let mains = module.functions_named("main");
    mains.iter().any(|id| {
        let function = &module.functions[*id];
        function.parent == port_hir::Parent::Namespace(module.global())
            && matches!(function.body, port_hir::Body::Block(_))
    })
}

fn cmake(port: &Port<'_>) -> String {
    let stem = port.stem();
    let arch = match port.chip {
        Chip::A910b => "dav-2201",
        Chip::A950 => "dav-3510",
    };
    if !port.is_current_cann() {
        return cmake_8(port);
    }
    let simt = if port.chip == Chip::A950 { " --enable-simt" } else { "" };
    let kind = match is_program(port) {
        true => format!("add_executable({stem} {stem}.asc)"),
        false => format!("add_library({stem} SHARED {stem}.asc)"),
    };
    format!(
        "cmake_minimum_required(VERSION 3.16)\n\n\
         set(CMAKE_ASC_ARCHITECTURES \"{arch}\" CACHE STRING \"the architecture of the NPU\")\n\n\
         find_package(ASC REQUIRED)\n\
         project({stem} LANGUAGES ASC CXX)\n\n\
         set(CMAKE_CXX_STANDARD 17)\n\
         set(CMAKE_CXX_STANDARD_REQUIRED ON)\n\n\
         {kind}\n\
         target_include_directories({stem} PRIVATE ${{CMAKE_CURRENT_SOURCE_DIR}})\n\
         target_compile_options({stem} PRIVATE $<$<COMPILE_LANGUAGE:ASC>:--npu-arch=${{CMAKE_ASC_ARCHITECTURES}}{simt}>)\n\
         target_link_libraries({stem} PRIVATE ascendcl)\n"
    )
}

/// For CANN 8: device code is a library that `ascendc_library` builds, host code is plain C++.
fn cmake_8(port: &Port<'_>) -> String {
    let stem = port.stem();
    let kind = match is_program(port) {
        true => format!("add_executable({stem} {stem}.asc)"),
        false => format!("add_library({stem} SHARED {stem}.asc)"),
    };
    format!(
        "cmake_minimum_required(VERSION 3.16)\n\
         project({stem} LANGUAGES CXX)\n\n\
         set(CMAKE_CXX_STANDARD 17)\n\
         set(CMAKE_CXX_STANDARD_REQUIRED ON)\n\
         set(SOC_VERSION \"Ascend910B3\" CACHE STRING \"the chip\")\n\
         set(RUN_MODE \"npu\" CACHE STRING \"where the kernels run\")\n\
         set(ASCEND_CANN_PACKAGE_PATH \"$ENV{{ASCEND_HOME_PATH}}\" CACHE PATH \"where CANN is\")\n\n\
         if(EXISTS ${{ASCEND_CANN_PACKAGE_PATH}}/tools/tikcpp/ascendc_kernel_cmake)\n    \
         include(${{ASCEND_CANN_PACKAGE_PATH}}/tools/tikcpp/ascendc_kernel_cmake/ascendc.cmake)\n\
         else()\n    \
         include(${{ASCEND_CANN_PACKAGE_PATH}}/compiler/tikcpp/ascendc_kernel_cmake/ascendc.cmake)\n\
         endif()\n\n\
         ascendc_library({stem}_kernels SHARED {stem}_kernels.cpp)\n\n\
         set_source_files_properties({stem}.asc PROPERTIES LANGUAGE CXX COMPILE_OPTIONS \"-x;c++\")\n\
         {kind}\n\
         target_include_directories({stem} PRIVATE ${{CMAKE_CURRENT_SOURCE_DIR}})\n\
         target_link_libraries({stem} PRIVATE {stem}_kernels ascendcl)\n"
    )
}

fn readme(port: &Port<'_>, section: &Section) -> String {
    let stem = port.stem();
    let path = &port.unit.sources.file(port.unit.root).path;
    let source = path.rsplit('/').next().unwrap_or(path);
    let chip = port.chip_name();
    let mut out =
        format!("# {stem}\n\nThe port of `{source}` to Ascend C for the {chip}, made by port.\n\n");
    out.push_str("| file | holds |\n|---|---|\n");
    let _ = writeln!(
        out,
        "| `{stem}.asc` | the host code on ACL; the kernels and their launchers at the end |"
    );
    if section.tiling.is_some() {
        let _ = writeln!(
            out,
            "| `{stem}_tiling.h` | what the host computes for each launch; needs no device |"
        );
    }
    out.push_str("| `port_ascend.h` | what the host code needs beyond ACL |\n");
    for header in &section.headers {
        let _ = writeln!(out, "| `{}` | device code that the kernels call |", header.name);
    }
    if section.device.is_some() {
        let _ =
            writeln!(out, "| `{stem}_kernels.cpp` | the kernels, which CANN 8 compiles apart |");
    }
    out.push_str("| `scripts/gen_data.py` | writes inputs as binary files |\n");
    out.push_str("| `scripts/verify_result.py` | compares an output with what it should be |\n");
    if port.options.torch {
        let _ = writeln!(out, "| `{stem}_torch.cpp` | the kernels as operators of PyTorch |");
    }
    if port.options.project == Project::Msopgen {
        out.push_str("| `op_host`, `op_kernel`, `*.json` | each kernel as a custom operator |\n");
    }
    out.push_str("\n## Build\n\n```\nsource ${ASCEND_HOME_PATH}/set_env.sh\ncmake -B build && cmake --build build\n```\n");
    if is_program(port) {
        let _ = writeln!(out, "\n## Run\n\n```\n./build/{stem}\n```");
    } else {
        out.push_str("\nWho calls the library has called `aclInit` and `aclrtSetDevice`.\n");
    }
    let _ = writeln!(
        out,
        "\n## Check\n\n```\npython3 scripts/gen_data.py            # input/*.bin\n\
         port run {source} --spec … --dump golden  # what CUDA computes\n\
         python3 scripts/verify_result.py output/y.bin golden/y.npy --dtype float32\n```\n\n\
         `port check {source} --target ascend` does all of it without a chip."
    );
    out.push_str("\n## Kernels\n\n| kernel | status | form | note |\n|---|---|---|---|\n");
    for outcome in &section.outcomes {
        let name = port.unit.module.function_name(outcome.kernel);
        let (status, form, note) = match &outcome.result {
            Ok(made) => {
                let reason = made.device.reason.as_ref().map_or("", |(reason, _)| reason.as_str());
                (made.device.status, made.device.lowering, reason)
            }
            Err(refusal) => (Status::Manual, "none", refusal.reason.as_str()),
        };
        let note = note.replace('|', "\\|");
        let _ = writeln!(
            out,
            "| `{name}{}` | {} | {form} | {note} |",
            outcome.arguments,
            status.as_str()
        );
    }
    out.push_str(
        "\nA launch `k<<<grid, block, shared, stream>>>(…)` is a call `launch_k(grid, block, shared, stream, …)`.\n\
         `cudaMemcpy` and `cudaMemset` wait for the kernels before them; ACL's do not, so that\n\
         `aclrtSynchronizeDevice` stands before each.\n",
    );
    out
}
