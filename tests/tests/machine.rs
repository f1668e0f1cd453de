//! Every kernel of `kernels/` on the SIMT machine under the `cpu` profile, over every parameter set of
//! its spec: the results are those of the original on the fiber oracle, bit for bit. Where the original
//! itself gives other bits in another order of threads (float atomics), the reference's bounds decide.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use port::Dialect;
use port_check::machine::{Machine, Options};
use port_check::oracle::{Language, Oracle, Order, RunOptions, RunResult, Source};
use port_check::toolchain::Toolchain;
use port_check::{Case, Spec, metrics};
use port_diag::SourceMap;
use port_diag::render::human;
use port_float::Profile;
use port_tests::kernels::{self, Kernel};
use port_tests::reference::reference;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for kernel in kernels::all() {
        let name = format!("{}::machine", kernel.name);
        trials.push(Trial::test(name, move || equals_the_original(&kernel)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// What the original computes, by parameter set.
struct Originals {
    cases: Vec<(String, Case, RunResult)>,
    /// Outputs that depend on the order of threads for some parameter set.
    by_order: BTreeSet<String>,
}

fn spec_of(kernel: &Kernel) -> Result<Arc<Spec>, Failed> {
    let mut sources = SourceMap::new();
    let spec = Spec::load(&kernel.spec_path, &mut sources).map_err(|error| error.to_string())?;
    let spec = spec.map_err(|findings| {
        let render = |finding| human::render(&sources, finding, human::Options::default());
        findings.iter().map(render).collect::<String>()
    })?;
    Ok(Arc::new(spec))
}

fn originals(kernel: &Kernel, spec: &Spec) -> Result<Originals, Failed> {
    static ORACLE: OnceLock<Result<Oracle, String>> = OnceLock::new();
    let oracle = ORACLE
        .get_or_init(|| Oracle::new(&Toolchain::discover()).map_err(|error| error.to_string()));
    let oracle = oracle.as_ref().map_err(|error| Failed::from(error.clone()))?;
    let (sources, root) = kernel.load();
    let file = |id| sources.file(id);
    let mut source = Source::new(Language::Cuda, &file(root).path, &file(root).text);
    for id in sources.ids().filter(|id| *id != root) {
        source = source.with_file(&file(id).path, &file(id).text);
    }
    let program = oracle.build(&source, spec).map_err(|error| error.to_string())?;
    let mut originals = Originals { cases: Vec::new(), by_order: BTreeSet::new() };
    for set in spec.parameter_sets() {
        let label = set.label();
        let case = spec.case(&set).map_err(|_| format!("no case for {label}"))?;
        let run = |order| {
            let options = RunOptions { order, ..RunOptions::default() };
            program.run(&case, &options).map_err(|error| format!("the original: {error}"))
        };
        let (result, other) = (run(Order::Ascending)?, run(Order::Shuffled(7))?);
        for (name, tensor) in &result.outputs {
            if other.output(name) != Some(tensor) {
                originals.by_order.insert(name.clone());
            }
        }
        originals.cases.push((label, case, result));
    }
    Ok(originals)
}

fn equals_the_original(kernel: &Kernel) -> Result<(), Failed> {
    let spec = spec_of(kernel)?;
    let (sources, root) = kernel.load();
    let names: Vec<String> = spec.launches.iter().map(|launch| launch.kernel.clone()).collect();
    let code = port::device_code(&sources, root, &Default::default(), Dialect::Cuda, &names);
    let profile = Profile::named("cpu").map_err(|error| format!("{error:?}"))?;
    let machine = Machine::new(&code, &profile);
    let originals = originals(kernel, &spec)?;
    let mut compared = 0;
    for (label, case, original) in &originals.cases {
        let failed = |problem: String| Failed::from(format!("{label}: {problem}"));
        let run = machine.run(case, &Options::default());
        if let Some(finding) = run.findings.first() {
            return Err(failed(human::render(&sources, finding, human::Options::default())));
        }
        for (name, expected) in &original.outputs {
            let actual =
                run.result.output(name).ok_or_else(|| failed(format!("{name} is missing")))?;
            if originals.by_order.contains(name) {
                let bounds = reference(&kernel.name, case)
                    .ok_or_else(|| failed("the kernel has no reference".into()))?;
                let bound = bounds.iter().find(|bound| bound.name == *name);
                let bound = bound.ok_or_else(|| failed(format!("{name} has no reference")))?;
                bound.check(actual).map_err(|mismatch| failed(mismatch.to_string()))?;
            } else {
                let comparison = metrics::compare(actual, expected)
                    .ok_or_else(|| failed(format!("{name}: shapes or types differ")))?;
                if !comparison.is_equal() {
                    let (first, ulp) = (comparison.first_mismatch, comparison.max_ulp);
                    return Err(failed(format!("{name}: {first:?}, {ulp} ulp at most")));
                }
            }
            compared += expected.len();
        }
    }
    match compared {
        0 => Err("the spec compares nothing".into()),
        _ => Ok(()),
    }
}
