//! Faults planted into ports: the check names the right class for nearly all of a sample, and the
//! right line for most; a port without a fault gets no finding. `cargo xtask mutants` takes all
//! kernels and more faults.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels")]

use libtest_mimic::{Arguments, Failed, Trial};
use port_tests::kernels::{self, Kernel};
use port_tests::mutate::bench::Bench;
use port_tests::mutate::{sample, table};

/// Kernels whose runs are short.
const KERNELS: [&str; 4] =
    ["embedding/embedding_gather", "gemm/sgemm_naive", "sort/bitonic_sort", "stencil/stencil_2d"];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for kernel in kernels::all() {
        if KERNELS.contains(&kernel.name.as_str()) {
            let name = format!("{}::mutants", kernel.name);
            trials.push(Trial::test(name, move || faults_are_found(&kernel)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
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
