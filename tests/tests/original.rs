//! Every kernel of `kernels/` as its author wrote it: accepted by NVIDIA's compiler, and executed by
//! the fiber oracle against the independent references. What a port is compared with must itself be
//! right.
//!
//! A test reads `kernel::original` or `kernel::nvcc`. The latter is listed as ignored where the
//! compiler is not installed.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use std::collections::BTreeSet;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use port_check::Case;
use port_check::oracle::{Order, RunOptions};
use port_tests::all_flavours;
use port_tests::compilers::Tools;
use port_tests::kernels::{self, Kernel};
use port_tests::originals;
use port_tests::reference::{Expected, reference};

/// The chip that the kernels are written for.
const ARCHITECTURE: &str = "sm_80";

/// The one before it: a branch on `__CUDA_ARCH__ >= 800` is compiled on both of its sides. Those of the
/// shared headers are compiled for every fourth kernel.
const ARCHITECTURE_BEFORE: &str = "sm_75";

/// No result of a kernel without a race depends on the order in which threads run.
const ORDERS: [Order; 3] = [Order::Ascending, Order::Descending, Order::Shuffled(7)];

fn main() {
    let arguments = Arguments::from_args();
    let tools = Arc::new(Tools::locate());
    let nvcc = tools.nvcc().is_some();
    let mut trials = Vec::new();
    for (index, kernel) in kernels::all().into_iter().enumerate() {
        let kernel = Arc::new(kernel);
        let shared = kernel.clone();
        trials.push(Trial::test(format!("{}::original", kernel.name), move || original(&shared)));
        let (name, tools) = (format!("{}::nvcc", kernel.name), tools.clone());
        let trial = Trial::test(name, move || {
            accepted_by_nvcc(&kernel, index % 4 == 0 || all_flavours(), &tools)
        });
        trials.push(match nvcc {
            true => trial,
            false => trial.with_ignored_flag(true).with_kind("needs nvcc"),
        });
    }
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

fn accepted_by_nvcc(kernel: &Kernel, on_both: bool, tools: &Tools) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let has_branch = std::fs::read_to_string(&kernel.path)?.contains("__CUDA_ARCH__");
    let before = (on_both || has_branch).then_some(ARCHITECTURE_BEFORE);
    for architecture in before.into_iter().chain([ARCHITECTURE]) {
        let output = folder.path().join("kernel.ptx");
        let extra = ["-Werror", "all-warnings", "-Xcompiler", "-Wall,-Wextra"];
        tools
            .compile_cuda(&kernel.path, architecture, &[], &extra, &output)
            .map_err(|failure| Failed::from(format!("{architecture}: {}", failure.output)))?;
    }
    Ok(())
}

/// Over all parameter sets of the spec and several orders of threads, every output is what the
/// reference says.
fn original(kernel: &Kernel) -> Result<(), Failed> {
    let spec = originals::spec(kernel)?;
    let (sources, root) = kernel.load();
    let program = originals::oracle()?.build(&originals::source(&sources, root), &spec);
    let program = program.map_err(|error| error.to_string())?;
    let mut compared = 0;
    for set in spec.parameter_sets() {
        let case = spec.case(&set).map_err(|findings| format!("{set:?}: {findings:?}"))?;
        let expected = reference(&kernel.name, &case)
            .ok_or_else(|| format!("no reference of {}", kernel.name))?;
        covers_every_output(&case, &expected)?;
        for order in ORDERS {
            let options = RunOptions { warp: 32, order, ..RunOptions::default() };
            let run = program
                .run(&case, &options)
                .map_err(|error| format!("{set:?}, {order:?}: {error}"))?;
            // A shuffle that reads a lane which takes no part, say.
            if let Some(note) = run.notes.first() {
                return Err(format!("{set:?}, {order:?}: {note:?}").into());
            }
            for expected in &expected {
                let name = &expected.name;
                let actual = run.output(name).ok_or_else(|| format!("{name} is no output"))?;
                expected
                    .check(actual)
                    .map_err(|mismatch| format!("{set:?}, {order:?}: {mismatch}"))?;
                compared += actual.len();
            }
        }
    }
    match compared {
        0 => Err("the spec compares nothing".into()),
        _ => Ok(()),
    }
}

/// The references speak of all outputs of the spec, once each, and a tolerance that would let
/// anything through is a mistake.
fn covers_every_output(case: &Case, expected: &[Expected]) -> Result<(), Failed> {
    let outputs: BTreeSet<&str> =
        case.buffers.iter().filter(|buffer| buffer.output).map(|buffer| &*buffer.name).collect();
    let referenced: BTreeSet<&str> = expected.iter().map(|expected| &*expected.name).collect();
    if outputs != referenced || referenced.len() != expected.len() {
        let difference: Vec<_> = outputs.symmetric_difference(&referenced).collect();
        return Err(format!("outputs and references differ: {difference:?}").into());
    }
    for Expected { name, values, tolerance } in expected {
        let finite = || values.iter().filter(|value| value.is_finite());
        let scale = finite().fold(0.0_f64, |most, value| most.max(value.abs()));
        let mut sorted = tolerance.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        if median > (0.02 * scale).max(1e-5) {
            return Err(
                format!("{name}: a tolerance of {median:e} for values up to {scale:e}").into()
            );
        }
    }
    Ok(())
}
