//! The compatibility header against real compilers: every piece of it for every architecture and
//! header set, and its arithmetic executed on this machine against exact references.
//!
//! Where the compilers or header sets of `cargo xtask setup` are missing, the tests that need them are
//! listed as ignored, with what is missing. `PORT_FULL_GRID=1` compiles for every pair of architecture
//! and header set, which takes minutes.

#![allow(clippy::disallowed_methods, reason = "the test starts compilers and writes their inputs")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use port_api::{Kind, Side, Status};
use port_backend_dialect::compat::{self, Options, WarpMode};

use port_compilers::{ARCHITECTURES, HipHeaders, HipJob, HipStage, Tools, in_parallel};

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let tools = Tools::locate();
    let missing: BTreeSet<String> =
        HipHeaders::ALL.iter().flat_map(|&headers| tools.missing_for_hip(headers)).collect();
    let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
    let free: [(&str, fn()); 6] = [
        ("every_compat_row_has_a_piece", every_compat_row_has_a_piece),
        ("roundings_are_those_of_the_hardware", roundings_are_those_of_the_hardware),
        ("conversions_are_exact", conversions_are_exact),
        ("half_and_bfloat16_are_exact", half_and_bfloat16_are_exact),
        ("eight_bit_floats_are_exact", eight_bit_floats_are_exact),
        (
            "integer_intrinsics_follow_their_definitions",
            integer_intrinsics_follow_their_definitions,
        ),
    ];
    let with_tools: [(&str, fn()); 2] = [
        (
            "everything_compiles_against_each_header_set_and_for_each_architecture",
            everything_compiles_against_each_header_set_and_for_each_architecture,
        ),
        ("named_roundings_are_not_contracted", named_roundings_are_not_contracted),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let mut trials: Vec<Trial> = free.into_iter().map(trial).collect();
    trials.extend(with_tools.into_iter().map(trial).map(|trial| match missing.is_empty() {
        true => trial,
        false => trial.with_ignored_flag(true).with_kind(format!("needs {missing}")),
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The header with everything that the API rows may ask for, and the types that its conditions name.
fn whole_header(warp: WarpMode) -> String {
    let conditions = ["__half", "half", "half2", "__half2", "long", "int64_t", "short", "float2"];
    let names = compat::provided_names().chain(conditions);
    compat::assemble(names, &Options { warp, cuda_arch: 800 }).expect("all of it")
}

/// The name that a port's text has for a CUDA name.
fn ported(name: &str) -> &str {
    port_api::find(name).and_then(|row| row.hip_name()).unwrap_or(name)
}

/// A type of a signature with ported names.
fn ported_type(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').map(ported).collect();
    words.join(" ")
}

/// The C++ declaration `result name(parameters)` as ported types; `None` for templates and what has
/// no single-word name.
fn parse_signature(signature: &str, name: &str) -> Option<(String, Vec<String>)> {
    let (result, rest) = signature.split_once(&format!(" {name}("))?;
    let parameters = rest.strip_suffix(')')?;
    if result.starts_with("template") {
        return None;
    }
    let mut types = Vec::new();
    for parameter in parameters.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let declaration = parameter.split('=').next().unwrap_or_default().trim();
        // The name is the last word, where there is more than the type.
        let end = declaration
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .map_or(0, |place| place + 1);
        let (head, last) = declaration.split_at(end);
        const TYPE_WORDS: &[&str] =
            &["int", "unsigned", "long", "short", "char", "float", "double", "bool"];
        let has_name = !head.trim().is_empty() && !TYPE_WORDS.contains(&last);
        types.push(ported_type(if has_name { head.trim() } else { declaration }));
    }
    Some((ported_type(result), types))
}

/// Calls every function that the header provides with arguments of the types of its CUDA signatures,
/// and uses its constants; then what has no signatures that say enough.
fn use_of_everything() -> String {
    let mut text = String::from(
        "#include <hip/hip_runtime.h>\n#include <hip/hip_fp16.h>\n#include \"port_hip_compat.h\"\n\
         template <typename T> __device__ T any_value();\n",
    );
    let mut number = 0;
    for row in port_api::rows() {
        let compat_name = match row.hip.status {
            Status::Compat(name) if compat::provides(name) => name,
            Status::Same if row.kind == Kind::Function && compat::provides(row.name) => row.name,
            _ => continue,
        };
        if row.kind == Kind::Function {
            let on_host = match row.side {
                Side::Host => true,
                Side::Device => false,
                Side::Both => row.family.starts_with("runtime"),
            };
            let device = if on_host { "" } else { "__device__ " };
            for signature in row.signatures {
                let overload = matches!(row.hip.status, Status::Same);
                if overload && !signature.contains("__nv_bfloat16") {
                    continue;
                }
                // HIP has no such type: `cudaGraphExecUpdate` with a result structure.
                if signature.contains("cudaGraphExecUpdateResultInfo") {
                    continue;
                }
                // Before HIP 6 there is no such type.
                let guarded = signature.contains("cudaMemLocation");
                let Some((result, types)) = parse_signature(signature, row.name) else { continue };
                let parameters: Vec<String> =
                    types.iter().enumerate().map(|(i, name)| format!("{name} a{i}")).collect();
                let arguments: Vec<String> = (0..types.len()).map(|i| format!("a{i}")).collect();
                if guarded {
                    text.push_str("#if HIP_VERSION_MAJOR >= 6\n");
                }
                writeln!(
                    text,
                    "{device}{result} call_{number}({}) {{ return {compat_name}({}); }}",
                    parameters.join(", "),
                    arguments.join(", ")
                )
                .unwrap();
                if guarded {
                    text.push_str("#endif\n");
                }
                number += 1;
            }
        } else if compat_name.contains("CUDART_")
            && !compat_name.ends_with("CB")
            && !compat_name.ends_with("API")
        {
            writeln!(text, "__device__ auto constant_{number}() {{ return {compat_name}; }}")
                .unwrap();
            number += 1;
        }
    }
    assert!(number > 700, "only {number} uses were written");
    text.push_str(include_str!("compat/everything.inc"));
    text
}

/// A folder of the build for this test's files.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

fn every_compat_row_has_a_piece() {
    let missing: Vec<&str> = port_api::rows()
        .filter_map(|row| match row.hip.status {
            Status::Compat(name) => Some(name),
            _ => None,
        })
        // Of a qualified name the namespace is the piece; its members are used in
        // `compat/everything.inc`.
        .filter(|name| !compat::provides(name.split("::").next().unwrap_or(name)))
        .collect();
    assert!(missing.is_empty(), "no piece provides {missing:?}");
}

/// Compiles the use of everything in each of these ways.
fn compile_everything(jobs: &[(WarpMode, &str, HipHeaders, HipStage)]) {
    let tools = Tools::locate();
    let text = use_of_everything();
    let folder_of = |warp: WarpMode| folder(&format!("everything_{warp:?}"));
    for warp in [WarpMode::Logical32, WarpMode::Native] {
        std::fs::write(folder_of(warp).join(compat::FILE_NAME), whole_header(warp)).unwrap();
        std::fs::write(folder_of(warp).join("everything.hip"), &text).unwrap();
    }
    let outcomes = in_parallel(jobs, |(warp, architecture, headers, stage)| {
        tools.compile_hip(&HipJob {
            source: &folder_of(*warp).join("everything.hip"),
            architecture,
            headers: *headers,
            stage: *stage,
            include_folders: &[],
            extra: &["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"],
            output: None,
            precompiled: None,
        })
    });
    let failures: Vec<String> = outcomes
        .into_iter()
        .zip(jobs)
        .filter_map(|(outcome, (warp, architecture, headers, stage))| {
            let failure = outcome.err()?;
            let output: String = failure.output.lines().take(12).collect::<Vec<_>>().join("\n");
            let command = failure.command;
            Some(format!("{warp:?} {architecture} {headers} {stage:?}\n{command}\n{output}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Header sets and architectures differ independently of each other: both passes against each header
/// set, and code for each architecture. The grid of all pairs is for those who ask.
fn everything_compiles_against_each_header_set_and_for_each_architecture() {
    use HipStage::{Check, Device, DeviceCheck};
    if std::env::var_os("PORT_FULL_GRID").is_some() {
        return whole_grid();
    }
    let mut jobs = Vec::new();
    for headers in HipHeaders::ALL {
        // The host pass is the same for every architecture.
        jobs.push((WarpMode::Logical32, "gfx90a", headers, Check));
        jobs.push((WarpMode::Logical32, "gfx1030", headers, DeviceCheck));
    }
    for architecture in ["gfx906", "gfx90a", "gfx942", "gfx1030", "gfx1100"] {
        jobs.push((WarpMode::Logical32, architecture, HipHeaders::V5_2, Device));
    }
    // Native warps differ by the size of the wave alone.
    jobs.push((WarpMode::Native, "gfx90a", HipHeaders::V7_1, Device));
    jobs.push((WarpMode::Native, "gfx1030", HipHeaders::V5_2, Device));
    compile_everything(&jobs);
}

/// Every pair, for those who ask.
fn whole_grid() {
    let mut jobs = Vec::new();
    for headers in HipHeaders::ALL {
        for architecture in ARCHITECTURES {
            for warp in [WarpMode::Logical32, WarpMode::Native] {
                jobs.push((warp, architecture, headers, HipStage::Device));
                jobs.push((warp, architecture, headers, HipStage::Check));
            }
        }
    }
    compile_everything(&jobs);
}

/// `__fadd_rn(__fmul_rn(a, b), c)` is a product and a sum on every architecture, at -O3 and under
/// -ffast-math, where the plain expression is fused.
fn named_roundings_are_not_contracted() {
    let tools = Tools::locate();
    let folder = folder("contraction");
    let names = ["port_fadd_rn", "port_fmul_rn", "port_dadd_rn", "port_dmul_rn"];
    let header = compat::assemble(names, &Options::default()).expect("these names");
    std::fs::write(folder.join(compat::FILE_NAME), header).unwrap();
    let source = folder.join("contraction.hip");
    let text = "#include \"port_hip_compat.h\"\n\
         extern \"C\" __global__ void named(float *x, double *d) {\n\
           x[0] = port_fadd_rn(port_fmul_rn(x[1], x[2]), x[3]);\n\
           d[0] = port_dadd_rn(port_dmul_rn(d[1], d[2]), d[3]);\n\
           x[4] = port_fmul_rn(x[1], x[3]) + x[2];\n\
           x[5] = port_fadd_rn(x[2] * x[3], x[1]);\n}\n\
         extern \"C\" __global__ void plain(float *x) { x[0] = x[1] * x[2] + x[3]; }\n";
    std::fs::write(&source, text).unwrap();
    let jobs: Vec<(&str, &[&str])> = ARCHITECTURES
        .iter()
        .flat_map(|&architecture| {
            [(architecture, &["-O3"][..]), (architecture, &["-O3", "-ffast-math"][..])]
        })
        .collect();
    let outcomes = in_parallel(&jobs, |(architecture, extra)| {
        let output = folder.join(format!("{architecture}_{}.s", extra.len()));
        let job = HipJob {
            source: &source,
            architecture,
            headers: HipHeaders::V6_4,
            stage: HipStage::Assembly,
            include_folders: &[],
            extra,
            output: Some(&output),
            precompiled: None,
        };
        tools.compile_hip(&job).map(|()| std::fs::read_to_string(&output).expect("assembly"))
    });
    for ((architecture, extra), outcome) in jobs.iter().zip(outcomes) {
        let assembly = outcome.unwrap_or_else(|failure| panic!("{failure}"));
        let body = |kernel: &str| {
            let (_, from) = assembly.split_once(&format!("\n{kernel}:")).expect("the kernel");
            from.split_once("s_endpgm").expect("its end").0.to_string()
        };
        let fused = |text: &str| {
            ["fma", "v_mac", "v_mad", "fmac"].iter().any(|name| {
                text.lines().any(|line| line.trim_start().starts_with("v_") && line.contains(name))
            })
        };
        let what = format!("{architecture} {extra:?}");
        assert!(!fused(&body("named")), "{what}: named roundings are fused\n{}", body("named"));
        assert!(
            body("named").contains("v_mul_f64") && body("named").contains("v_add_f64"),
            "{what}"
        );
        // The test would prove nothing if nothing were fused.
        assert!(fused(&body("plain")), "{what}: the plain expression is not fused");
    }
}

/// Compiles a file of `tests/compat/` as plain C++ with the pieces that it names, and runs it.
fn run_on_host(name: &str, samples: &str) {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(name).with_extension("cpp");
    let text = std::fs::read_to_string(&source).expect("the program");
    let identifiers = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    // The names that the programs' macros put together.
    let built = compat::provided_names().filter(|name| {
        name.starts_with("port_v")
            || ["_rn", "_rz", "_ru", "_rd"].iter().any(|suffix| name.ends_with(suffix))
    });
    let names = identifiers.chain(built.map(|name| -> &str { name }));
    let header = compat::assemble(names, &Options::default()).expect("some pieces");
    let folder = folder(name);
    std::fs::write(folder.join(compat::FILE_NAME), header).unwrap();
    let program = folder.join("program");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_string());
    let mut compile = Command::new(&compiler);
    compile.args(["-O1", "-std=c++17", "-ffp-contract=off", "-frounding-math", "-Wall", "-Werror"]);
    compile.args(["-Wno-unknown-pragmas", "-I"]).arg(source.with_file_name("host"));
    compile.arg("-I").arg(&folder).arg(&source).arg("-o").arg(&program).arg("-lm");
    let output = compile.output().unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new(&program).arg(samples).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn roundings_are_those_of_the_hardware() {
    run_on_host("rounding", "200000");
}

fn conversions_are_exact() {
    run_on_host("conversion", "200000");
}

fn half_and_bfloat16_are_exact() {
    run_on_host("sixteen_bits", "20000");
}

fn eight_bit_floats_are_exact() {
    run_on_host("eight_bits", "20000");
}

fn integer_intrinsics_follow_their_definitions() {
    run_on_host("integers", "20000");
}
