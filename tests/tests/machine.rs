//! Every kernel of `kernels/` on the SIMT machine under the `cpu` profile, over every parameter set of
//! its spec: the results are those of the original on the fiber oracle, bit for bit. Where the original
//! itself gives other bits in another order of threads (float atomics), the reference's bounds decide.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use libtest_mimic::{Arguments, Failed, Trial};
use port::Dialect;
use port_check::machine::{Machine, Options};
use port_diag::render::human;
use port_float::Profile;
use port_tests::kernels::{self, Kernel};
use port_tests::originals::{self, Originals};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for kernel in kernels::all() {
        let name = format!("{}::machine", kernel.name);
        trials.push(Trial::test(name, move || equals_the_original(&kernel)));
    }
    libtest_mimic::run(&arguments, trials).exit();
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
