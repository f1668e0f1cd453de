//! Every kernel of `kernels/`, ported to Ascend: the emitted text is compiled with g++ against the model
//! of the Ascend C API, which enforces the chip's rules, and run over every parameter set of its spec.
//! The results are held to the independent references.
//!
//! A test reads `kernel::chip::property`.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use port::{Options, Severity, Status, Target, Translation};
use port_check::Spec;
use port_check::ascend::Model;
use port_check::oracle::{Language, RunOptions, Source};
use port_check::ports::{emitted, renames};
use port_check::spec::{Argument, ParameterSet};
use port_check::toolchain::Toolchain;
use port_diag::render::human;
use port_diag::{FileId, SourceMap};
use port_tests::kernels::{self, Kernel};
use port_tests::originals;
use port_tests::reference::reference;

const TARGETS: [&str; 2] = ["ascend:910b", "ascend:950"];

/// A kernel of independent elements.
const FLAT: &str = "activation/gelu_tanh";

fn main() {
    let arguments = Arguments::from_args();
    let compiler = Toolchain::discover().cxx.is_some();
    let mut trials = Vec::new();
    for kernel in kernels::all() {
        let kernel = Arc::new(kernel);
        for target in TARGETS {
            let subject =
                Arc::new(Subject { kernel: kernel.clone(), target, port: OnceLock::new() });
            let name = format!("{}::{}", kernel.name, target.replace(':', "_"));
            let shared = subject.clone();
            trials.push(Trial::test(format!("{name}::findings"), move || findings(&shared)));
            if compiler && kernel.name == FLAT && target == TARGETS[0] {
                let shared = subject.clone();
                trials.push(Trial::test(format!("{name}::counters"), move || counters(&shared)));
            }
            let trial = Trial::test(format!("{name}::executed"), move || executed(&subject));
            trials.push(match compiler {
                true => trial,
                false => trial.with_ignored_flag(true).with_kind("needs a C++ compiler"),
            });
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// A kernel with its port to a chip.
struct Subject {
    kernel: Arc<Kernel>,
    target: &'static str,
    port: OnceLock<Result<Arc<Port>, String>>,
}

struct Port {
    sources: SourceMap,
    root: FileId,
    translation: Translation,
}

impl Subject {
    fn port(&self) -> Result<Arc<Port>, Failed> {
        let make = || {
            let (sources, root) = self.kernel.load();
            let target: Target = self.target.parse().map_err(|error| format!("{error:?}"))?;
            // The text itself may launch fewer instances than the spec.
            let spec = originals::spec(&self.kernel)?;
            let instantiate = originals::instances(&sources, &spec);
            let options = Options { instantiate, ..Options::default() };
            let mut translations = port::translate(&sources, root, &[target], &options);
            let translation = translations.pop().ok_or("no translation")?;
            Ok(Arc::new(Port { sources, root, translation }))
        };
        Ok(self.port.get_or_init(make).clone()?)
    }
}

impl Port {
    fn source(&self, spec: &Spec) -> Result<Source, Failed> {
        let files: Vec<FileId> = self.sources.ids().collect();
        let files = emitted(&self.sources, &files, self.root, &self.translation, "asc");
        let (path, text) = files.first().ok_or("the port has no root")?;
        let source = Source::new(Language::Ascend, path, text);
        let source =
            files.iter().skip(1).fold(source, |source, (path, text)| source.with_file(path, text));
        let renames = renames(spec, port::ascend_name);
        Ok(renames.iter().fold(source, |source, (from, to)| source.with_rename(from, to)))
    }
}

/// What became of each kernel and what was found: reviewed. Nothing is left to a person.
fn findings(subject: &Subject) -> Result<(), Failed> {
    let port = subject.port()?;
    let ported = &port.translation.ported;
    let mut text = String::new();
    for kernel in &ported.kernels {
        text += &format!(
            "{} {}{} ({})\n",
            kernel.status.as_str(),
            kernel.name,
            kernel.instance,
            kernel.lowering
        );
    }
    text.push('\n');
    for finding in &ported.diagnostics {
        text += &format!("{}[{}]: {}\n", finding.severity.as_str(), finding.code, finding.message);
    }
    // The text itself is thousands of lines a kernel: what it does is the other test's matter.
    let mut settings = insta::Settings::clone_current();
    let folder = format!("snapshots/{}", subject.target.replace(':', "_"));
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = subject.kernel.name.replace('/', "__");
    settings.bind(|| insta::assert_snapshot!(name, text));

    if let Some(error) = ported.diagnostics.iter().find(|d| d.severity == Severity::Error) {
        return Err(human::render(&port.sources, error, human::Options::default()).into());
    }
    match ported.kernels.iter().find(|kernel| kernel.status == Status::Manual) {
        Some(kernel) => Err(format!("{}{} is manual", kernel.name, kernel.instance).into()),
        None if ported.kernels.is_empty() => Err("the port has no kernel".into()),
        None => Ok(()),
    }
}

/// The model, compiled once for a process.
fn model() -> Result<&'static Model, String> {
    static MODEL: OnceLock<Result<Model, String>> = OnceLock::new();
    let make = || Model::new(&Toolchain::discover()).map_err(|error| error.to_string());
    MODEL.get_or_init(make).as_ref().map_err(Clone::clone)
}

/// Over all parameter sets no rule of the chip is broken, and every output is what the reference says.
fn executed(subject: &Subject) -> Result<(), Failed> {
    let spec = originals::spec(&subject.kernel)?;
    let source = subject.port()?.source(&spec)?;
    let program = model()?.build(&source, &spec).map_err(|error| error.to_string())?;
    let mut compared = 0;
    for set in spec.parameter_sets() {
        let label = set.label();
        let case = spec.case(&set).map_err(|findings| format!("{label}: {findings:?}"))?;
        let expected =
            reference(&subject.kernel.name, &case).ok_or("the kernel has no reference")?;
        let run = program
            .run(&case, &RunOptions::default())
            .map_err(|error| format!("{label}: {error}"))?;
        if let Some(violation) = run.violations.first() {
            return Err(format!("{label}: {violation}").into());
        }
        for expected in &expected {
            let name = &expected.name;
            let actual = run.result.output(name).ok_or_else(|| format!("{name} is no output"))?;
            expected.check(actual).map_err(|mismatch| format!("{label}: {mismatch}"))?;
            compared += actual.len();
        }
    }
    match compared {
        0 => Err("the spec compares nothing".into()),
        _ => Ok(()),
    }
}

/// Over many tiles an element-wise kernel moves each byte about once, fills the lanes, copies while it
/// computes, and leaves the scalar unit alone.
fn counters(subject: &Subject) -> Result<(), Failed> {
    let spec = originals::spec(&subject.kernel)?;
    let source = subject.port()?.source(&spec)?;
    let program = model()?.build(&source, &spec).map_err(|error| error.to_string())?;
    let set = ParameterSet::new([("n", (1 << 17) + 29)]);
    let case = spec.case(&set).map_err(|findings| format!("{findings:?}"))?;
    let run = program.run(&case, &RunOptions::default()).map_err(|error| error.to_string())?;
    let launched: Vec<_> = case.launches.iter().filter(|l| !l.grid.contains(&0)).collect();
    if launched.is_empty() || launched.len() != run.launches.len() {
        return Err(format!("{} of {} launches", run.launches.len(), launched.len()).into());
    }
    for (launch, cost) in launched.into_iter().zip(&run.launches) {
        let buffers = launch.arguments.iter().filter_map(|argument| match argument {
            Argument::Buffer { index, .. } => case.buffers.get(*index),
            _ => None,
        });
        let bytes = buffers.map(|buffer| buffer.tensor.bytes().len()).sum::<usize>() as f64;
        let of = |name: &str| cost.counters.get(name).copied().unwrap_or(f64::NAN);
        let holds = [
            ("bytes", of("gm_to_ub_bytes") + of("ub_to_gm_bytes") <= 1.2 * bytes),
            ("lanes", of("vector_lanes") >= 0.9 * of("vector_lanes_possible")),
            ("overlap", of("overlap") > 0.25),
            ("scalar", of("scalar_gm_accesses") + of("scalar_ub_accesses") <= of("transfers")),
        ];
        if let Some((what, _)) = holds.iter().find(|(_, holds)| !holds) {
            return Err(format!("{}: {what}: {:?}", launch.kernel, cost.counters).into());
        }
    }
    Ok(())
}
