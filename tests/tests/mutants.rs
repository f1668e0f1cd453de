//! Faults planted into ports: the check names the right class for nearly all of a sample, and the
//! right line for most; a port without a fault gets no finding. `cargo xtask mutants` takes all
//! kernels and more faults.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels")]

use libtest_mimic::{Arguments, Failed, Trial};
use port_check::ascend::Model;
use port_check::toolchain::Toolchain;
use port_tests::kernels::{self, Kernel};
use port_tests::mutate::ascend;
use port_tests::mutate::bench::Bench;
use port_tests::mutate::{sample, table};

/// Kernels whose runs are short.
const KERNELS: [&str; 4] =
    ["embedding/embedding_gather", "gemm/sgemm_naive", "sort/bitonic_sort", "stencil/stencil_2d"];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    // Small ports to each chip, with how many faults; what has scratch of its own beside the buffers takes
    // long, so that it is only seen to break no rule where all of its accesses are watched. They take longest and
    // come first.
    for (name, target, count) in [
        ("sort/bitonic_sort", "ascend:910b", 0),
        ("embedding/embedding_gather", "ascend:950", 4),
        ("gemm/wmma_gemm", "ascend:910b", 4),
    ] {
        if let Some(kernel) = kernels::all().into_iter().find(|kernel| kernel.name == name) {
            let name = format!("{name}::{}_mutants", target.replace(':', "_"));
            let trial = Trial::test(name, move || device_faults_are_found(&kernel, target, count));
            trials.push(match Toolchain::discover().cxx {
                Some(_) => trial,
                None => trial.with_ignored_flag(true).with_kind("needs a C++ compiler"),
            });
        }
    }
    for kernel in kernels::all() {
        if KERNELS.contains(&kernel.name.as_str()) {
            let name = format!("{}::mutants", kernel.name);
            trials.push(Trial::test(name, move || faults_are_found(&kernel)));
        }
    }
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

/// A port without a fault breaks no rule where its accesses are watched, and each fault shows: the compiler,
/// a rule of the chip, how the run ends or a result.
fn device_faults_are_found(kernel: &Kernel, target: &str, count: usize) -> Result<(), Failed> {
    let model = Model::new(&Toolchain::discover()).map_err(|error| error.to_string())?;
    let bench = ascend::Bench::new(kernel, target, &model)?;
    bench.watched_itself()?;
    let (mut faults, mut missed) = (0, Vec::new());
    for mutant in ascend::sample(bench.mutants(), count, 1) {
        let fate = bench.test(&mutant);
        faults += usize::from(fate.is_fault());
        if fate.is_fault() && !fate.is_found() {
            missed.push(format!("line {}: {}: {}", mutant.line, mutant.description, mutant.text));
        }
    }
    match (faults, missed.is_empty()) {
        (0 | 1, _) if count > 0 => Err(format!("only {faults} mutants change what is done").into()),
        (_, true) => Ok(()),
        (_, false) => Err(missed.join("\n").into()),
    }
}

fn faults_are_found(kernel: &Kernel) -> Result<(), Failed> {
    let bench = Bench::new(kernel).map_err(|why| why.to_string())?;
    bench.twin().map_err(|why| format!("the port without a fault: {why}"))?;
    let mutants = sample(bench.mutants(), 8, 1);
    let results: Vec<_> = mutants.into_iter().map(|mutant| (bench.test(&mutant), mutant)).collect();
    let (_, sum) = table::rows(results.iter().map(|(fate, mutant)| (mutant, fate)));
    let misses: Vec<String> = results
        .iter()
        .filter_map(|(fate, mutant)| table::miss(bench.name(), mutant, fate))
        .collect();
    if sum.changed < 3 {
        return Err(
            format!("only {} of {} mutants change an output", sum.changed, sum.planted).into()
        );
    }
    // The line is named for most; `cargo xtask mutants` holds the whole set to shares.
    match sum.right_class == sum.changed && sum.right_line * 4 >= sum.changed * 3 {
        true => Ok(()),
        false => Err(misses.join("\n").into()),
    }
}
