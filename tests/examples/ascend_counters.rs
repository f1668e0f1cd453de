//! What the vector kernels of Ascend ports cost on the 910B, by the counters of the model, at sizes
//! that fill many tiles: bytes of global memory against those of the buffers, lanes in use, overlap of
//! copies and computation, accesses of the scalar unit.

use port::{Options, Target};
use port_check::Spec;
use port_check::ascend::Model;
use port_check::oracle::{Language, RunOptions, Source};
use port_check::ports::{emitted, renames};
use port_check::spec::{Argument, ParameterSet};
use port_check::toolchain::Toolchain;
use port_diag::FileId;
use port_tests::{kernels, originals};

/// Kernels with large sizes.
const SIZES: &[(&str, &[(&str, i64)])] = &[
    ("activation/gelu_tanh", &[("n", 262_151)]),
    ("optimizer/adamw", &[("n", 131_071)]),
    ("norm/rms_norm", &[("tokens", 48), ("hidden", 8192)]),
    ("softmax/softmax", &[("rows", 96), ("cols", 4096)]),
];

fn measure(name: &str, sizes: &[(&str, i64)], model: &Model) -> Result<(), String> {
    let kernel = kernels::all().into_iter().find(|kernel| kernel.name == name);
    let kernel = kernel.ok_or("no such kernel")?;
    let (sources, root) = kernel.load();
    let spec: Spec = originals::spec(&kernel)?;
    let target: Target = "ascend:910b".parse().map_err(|error| format!("{error:?}"))?;
    let instantiate = originals::instances(&sources, &spec);
    let options = Options { instantiate, ..Options::default() };
    let translation = port::translate(&sources, root, &[target], &options).pop();
    let translation = translation.ok_or("no translation")?;
    let own: Vec<FileId> = sources.ids().collect();
    let mut files = emitted(&sources, &own, root, &translation, "asc").into_iter();
    let (path, text) = files.next().ok_or("the port has no root")?;
    let source = Source::new(Language::Ascend, &path, &text);
    let source = files.fold(source, |source, (path, text)| source.with_file(&path, &text));
    let names = renames(&spec, port::ascend_name);
    let source = names.iter().fold(source, |source, (from, to)| source.with_rename(from, to));
    let program = model.build(&source, &spec).map_err(|error| error.to_string())?;
    let set = ParameterSet::new(sizes.iter().copied());
    let case = spec.case(&set).map_err(|_| "no case")?;
    let run = program.run(&case, &RunOptions::default()).map_err(|error| error.to_string())?;
    if let Some(violation) = run.violations.first() {
        return Err(violation.to_string());
    }
    let launched = case.launches.iter().filter(|launch| !launch.grid.contains(&0));
    for (launch, cost) in launched.zip(&run.launches) {
        let buffers = launch.arguments.iter().filter_map(|argument| match argument {
            Argument::Buffer { index, .. } => case.buffers.get(*index),
            _ => None,
        });
        let bytes: usize = buffers.map(|buffer| buffer.tensor.bytes().len()).sum();
        let of = |name: &str| cost.counters.get(name).copied().unwrap_or(0.0);
        let moved = of("gm_to_ub_bytes") + of("ub_to_gm_bytes");
        println!(
            "{name} {}: {:.2} x the buffers' {bytes} bytes, lanes {:.0} %, overlap {:.2}, scalar GM {} UB {}, transfers {}",
            launch.kernel,
            moved / bytes.max(1) as f64,
            100.0 * of("vector_lanes") / of("vector_lanes_possible").max(1.0),
            of("overlap"),
            of("scalar_gm_accesses"),
            of("scalar_ub_accesses"),
            of("transfers"),
        );
    }
    Ok(())
}

fn main() {
    let model = match Model::new(&Toolchain::discover()) {
        Ok(model) => model,
        Err(error) => return eprintln!("{error}"),
    };
    for (name, sizes) in SIZES {
        if let Err(why) = measure(name, sizes, &model) {
            println!("{name}: {why}");
        }
    }
}
