//! Every kernel of `kernels/` on the SIMT machine under the `cpu` profile, over every parameter set of
//! its spec: the results are those of the original on the fiber oracle, bit for bit. Where the original
//! itself gives other bits in another order of threads (float atomics), the reference's bounds decide.
//!
//! And under every other profile, on one small parameter set: it runs to its end, gives numbers where the
//! reference has some, and stays within the reference's bounds, under fast math within 2^-14 of the largest
//! magnitude of them.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use libtest_mimic::{Arguments, Failed, Trial};
use port::Dialect;
use port_check::machine::{Machine, Options};
use port_check::{Case, Spec};
use port_diag::render::human;
use port_float::Profile;
use port_tests::kernels::{self, Kernel};
use port_tests::originals::{self, Originals};
use port_tests::reference::reference;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for kernel in kernels::all() {
        let name = format!("{}::machine", kernel.name);
        let same = kernel.clone();
        trials.push(Trial::test(name, move || equals_the_original(&same)));
        let name = format!("{}::profiles", kernel.name);
        trials.push(Trial::test(name, move || runs_under_every_profile(&kernel)));
    }
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

fn equals_the_original(kernel: &Kernel) -> Result<(), Failed> {
    let spec = originals::spec(kernel)?;
    let (sources, root) = kernel.load();
    let names: Vec<String> = spec.launches.iter().map(|launch| launch.kernel.clone()).collect();
    let code = port::device_code(&sources, root, &Default::default(), Dialect::Cuda, &names);
    let profile = Profile::named("cpu").map_err(|error| format!("{error:?}"))?;
    let machine = Machine::new(&code, &profile);
    Originals::run(kernel, &spec)?.compare(|case| {
        let run = machine.run(case, &Options::default());
        match run.findings.first() {
            Some(finding) => Err(human::render(&sources, finding, human::Options::default())),
            None => Ok(run.result),
        }
    })?;
    Ok(())
}

/// The case with the fewest threads among those with several blocks, so that it is small and not trivial.
fn small_case(spec: &Spec) -> Result<Case, String> {
    let mut cases = Vec::new();
    for set in spec.parameter_sets() {
        let case = spec.case(&set).map_err(|_| format!("no case for {}", set.label()))?;
        let count = |extents: [u32; 3]| extents.iter().map(|e| u64::from(*e)).product::<u64>();
        let blocks: u64 = case.launches.iter().map(|launch| count(launch.grid)).sum();
        let threads: u64 =
            case.launches.iter().map(|launch| count(launch.grid) * count(launch.block)).sum();
        cases.push((blocks < 2, threads, case));
    }
    cases.sort_by_key(|(trivial, threads, _)| (*trivial, *threads));
    cases.into_iter().next().map(|(_, _, case)| case).ok_or_else(|| "no parameter set".into())
}

fn runs_under_every_profile(kernel: &Kernel) -> Result<(), Failed> {
    let spec = originals::spec(kernel)?;
    let (sources, root) = kernel.load();
    let names: Vec<String> = spec.launches.iter().map(|launch| launch.kernel.clone()).collect();
    let code = port::device_code(&sources, root, &Default::default(), Dialect::Cuda, &names);
    let case = small_case(&spec)?;
    let bounds = reference(&kernel.name, &case).ok_or("the kernel has no reference")?;
    let mut problems = String::new();
    for name in Profile::names() {
        let profile = Profile::named(&name).map_err(|error| format!("{error:?}"))?;
        // The text counts on warps of 32 lanes, as its ports do.
        let profile = profile.with_warp_width(32);
        let run = Machine::new(&code, &profile).run(&case, &Options::default());
        if let Some(finding) = run.findings.first() {
            let text = human::render(&sources, finding, human::Options::default());
            problems += &format!("{name}: {text}\n");
            continue;
        }
        for bound in &bounds {
            let Some(actual) = run.result.output(&bound.name) else {
                problems += &format!("{name}: {} is missing\n", bound.name);
                continue;
            };
            let mut bound = bound.clone();
            if name.ends_with("+fast-math") {
                // CUDA states no bound for __sinf and __cosf beyond π; a wrong function is further off
                // than this.
                let largest = bound.values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
                bound.tolerance.iter_mut().for_each(|own| *own += largest * 2f64.powi(-14));
            }
            if let Err(mismatch) = bound.check(actual) {
                problems += &format!("{name}: {mismatch}\n");
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}
