//! Verdicts on ports that sum in another order by their nature, and on races that no output shows.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels")]

use std::time::Duration;

use port::{Dialect, Options, Target};
use port_check::judge::{Comparison, Runs, multiplies_fragments};
use port_check::machine::{Checks, Options as MachineOptions};
use port_check::ports::PortedUnit;
use port_check::rules::Rule;
use port_check::verdict::Verdict;
use port_diag::FileId;
use port_float::Profile;
use port_tests::mutate::Kind;
use port_tests::mutate::bench::{Bench, Fate};
use port_tests::{kernels, originals};

fn kernel(name: &str) -> kernels::Kernel {
    kernels::all().into_iter().find(|kernel| kernel.name == name).expect(name)
}

/// The reference multiplies with a matrix unit, whose sums are in an order of its own; the HIP port has
/// plain loops. Both under the same arithmetic differ in bits, and yet the port computes what it should:
/// it is compared with the reference whose matrix unit sums in the order of plain code.
#[test]
fn a_port_without_a_matrix_unit_is_compared_with_ordered_sums() {
    let kernel = kernel("gemm/wmma_gemm");
    let spec = originals::spec(&kernel).unwrap();
    let (sources, root) = kernel.load();
    let files: Vec<FileId> = sources.ids().collect();
    let names: Vec<String> = spec.launches.iter().map(|launch| launch.kernel.clone()).collect();
    let options = Options::default();
    let reference = port::device_code(&sources, root, &options, Dialect::Cuda, &names);
    let target: Target = "hip:gfx90a".parse().unwrap();
    let translation = port::translate(&sources, root, &[target], &options).pop().unwrap();
    // Products whose sums depend on their order.
    let sets = spec.parameter_sets();
    let set = sets.iter().find(|set| set.label() == "M=17 N=13 K=19").expect("a ragged product");
    let case = spec.case(set).unwrap();
    let unit = PortedUnit {
        sources: &sources,
        files: &files,
        root,
        translation: &translation,
        options: &options,
        spec: &spec,
        case: &case,
        time_limit: Duration::from_secs(10),
    };
    let port = unit.read_back().map_err(|note| note.missing).unwrap();
    assert!(multiplies_fragments(&reference) && !multiplies_fragments(&port));
    let profile = |name: &str| Profile::named(name).unwrap();
    let comparison = Comparison {
        reference: &reference,
        port: Some(&port),
        case: &case,
        reference_profile: profile("cuda:sm_80"),
        target_profile: profile("hip:gfx90a").with_warp_width(32),
        rule: Rule::named("torch").unwrap(),
        options: MachineOptions { checks: Checks::NONE, ..MachineOptions::default() },
        schedules: Vec::new(),
        causes: false,
    };
    let mut runs = comparison.run();
    let [same, _] = runs.port.as_ref().unwrap();
    assert_ne!(same.result.outputs, runs.reference.result.outputs, "the orders differ");
    let plain = runs.plain.as_ref().expect("the reference is run with ordered sums too");
    assert_eq!(same.result.outputs, plain.result.outputs, "in the same order, the same bits");
    let worst = |runs: &Runs| comparison.judge(runs, &[], &[]).verdict();
    assert!(worst(&runs) < Verdict::Unproven, "{:?}", worst(&runs));
    // It is that run that the verdict rests on.
    runs.plain = None;
    assert_eq!(worst(&runs), Verdict::PortBug);
}

/// The kernels of a sort pass their keys on to later launches, which own the outputs: a race in an earlier
/// one is a bug all the same.
#[test]
fn a_race_in_a_kernel_without_outputs_of_its_own_is_a_bug() {
    let bench = Bench::new(&kernel("sort/bitonic_sort")).map_err(|why| why.to_string()).unwrap();
    let removed = bench.mutants().into_iter().filter(|m| m.kind == Kind::RemovedBarrier);
    let mut races = 0;
    for mutant in removed {
        if let Fate::Tested(tested) = bench.test(&mutant) {
            assert!(tested.right_class, "{}: no race is found", tested.expected);
            assert_eq!(tested.verdict, Verdict::PortBug, "{}", tested.expected);
            races += 1;
        }
    }
    assert!(races > 0, "no removed barrier shows");
}
