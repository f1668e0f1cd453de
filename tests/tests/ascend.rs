//! Every kernel of `kernels/`, ported to Ascend: the emitted text is compiled with g++ against the model
//! of the Ascend C API, which enforces the chip's rules, and run over every parameter set of its spec.
//! The results are held to the independent references.
//!
//! A test reads `kernel::chip::property`.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use port::{KernelReport, Options, Severity, Status, Target, Translation};
use port_check::Spec;
use port_check::ascend::{Executable, Model};
use port_check::oracle::{Language, RunOptions, Source};
use port_check::ports::{emitted, renames};
use port_check::spec::{ArgumentSpec, LaunchSpec};
use port_check::toolchain::Toolchain;
use port_diag::render::human;
use port_diag::{Diagnostic, FileId, SourceMap};
use port_tests::ascend_cost::{ALL, KNOWN};
use port_tests::ascend_text;
use port_tests::kernels::{self, Kernel};
use port_tests::originals;
use port_tests::reference::reference;

const TARGETS: [&str; 2] = ["ascend:910b", "ascend:950"];

/// (kernel, chip, how the spec's launches of it begin, what the chip or the back end lacks): instances
/// that are left to a person, here for a gap of the chip. Everything else of these kernels is executed.
const MANUAL: [(&str, &str, &str, &str); 0] = [];

fn main() {
    let arguments = Arguments::from_args();
    let compiler = Toolchain::discover().cxx.is_some();
    let mut trials = Vec::new();
    for kernel in kernels::all() {
        let kernel = Arc::new(kernel);
        for target in TARGETS {
            let subject = Arc::new(Subject {
                kernel: kernel.clone(),
                target,
                port: OnceLock::new(),
                program: OnceLock::new(),
            });
            let name = format!("{}::{}", kernel.name, target.replace(':', "_"));
            let shared = subject.clone();
            trials.push(Trial::test(format!("{name}::findings"), move || findings(&shared)));
            let is_measured = ALL.iter().any(|measured| measured.kernel == kernel.name);
            if compiler && is_measured && target == TARGETS[0] {
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
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

/// A kernel with its port to a chip.
struct Subject {
    kernel: Arc<Kernel>,
    target: &'static str,
    port: OnceLock<Result<Arc<Port>, String>>,
    /// The port with all launches of the spec, compiled once.
    program: OnceLock<Result<Arc<Executable>, String>>,
}

struct Port {
    sources: SourceMap,
    root: FileId,
    translation: Translation,
}

impl Subject {
    /// How the launches begin that are left to a person, and why they are.
    fn manual(&self) -> Option<(&'static str, &'static str)> {
        let own = |known: &&(&str, &str, &'static str, &'static str)| {
            known.0 == self.kernel.name && known.1 == self.target
        };
        MANUAL.iter().find(own).map(|(_, _, start, why)| (*start, *why))
    }

    fn program(&self, spec: &Spec, source: &Source) -> Result<Arc<Executable>, Failed> {
        let make = || {
            let program = model()?.build(source, spec).map_err(|error| error.to_string())?;
            Ok(Arc::new(program))
        };
        Ok(self.program.get_or_init(make).clone()?)
    }

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

/// What became of each kernel, what was found, and the text that was made: reviewed. Nothing is left to a person.
fn findings(subject: &Subject) -> Result<(), Failed> {
    let port = subject.port()?;
    let ported = &port.translation.ported;
    let text = port_tests::summary(ported) + &ascend_text::made(ported);
    let mut settings = insta::Settings::clone_current();
    let folder = format!("snapshots/{}", subject.target.replace(':', "_"));
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = subject.kernel.name.replace('/', "__");
    settings.bind(|| insta::assert_snapshot!(name, text));

    let manual = subject.manual();
    let is_known = |error: &&Diagnostic| manual.is_some_and(|(_, why)| error.message.contains(why));
    let mut errors = ported.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    if let Some(error) = errors.clone().find(|error| !is_known(error)) {
        return Err(human::render(&port.sources, error, human::Options::default()).into());
    }
    let is_manual = |kernel: &KernelReport| kernel.status == Status::Manual;
    match (manual, ported.kernels.iter().find(|kernel| is_manual(kernel)), errors.next()) {
        (None, Some(kernel), _) => {
            Err(format!("{}{} is manual", kernel.name, kernel.instance).into())
        }
        (Some(_), None, _) | (Some(_), _, None) => {
            Err("it has a form now: take it off the list".into())
        }
        _ if ported.kernels.is_empty() => Err("the port has no kernel".into()),
        _ => Ok(()),
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
    let mut spec = originals::spec(&subject.kernel)?;
    let mut source = subject.port()?.source(&spec)?;
    // What only launches write that are left out stays as it was.
    let mut unwritten = BTreeSet::new();
    if let Some((start, _)) = subject.manual() {
        source = source.with_define("PORT_ALLOW_MANUAL", "1");
        let (out, kept): (Vec<LaunchSpec>, _) =
            spec.launches.into_iter().partition(|launch| launch.kernel.starts_with(start));
        for argument in out.iter().flat_map(|launch| &launch.arguments) {
            if let ArgumentSpec::Buffer(index, _) = argument {
                unwritten.insert(spec.buffers[*index].name.clone());
            }
        }
        spec.launches = kept;
    }
    let program = subject.program(&spec, &source)?;
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
        for expected in expected.iter().filter(|expected| !unwritten.contains(&expected.name)) {
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

/// Over many tiles an element-wise kernel, or one over rows, moves what it needs about once, fills the lanes,
/// copies while it computes, and asks the scalar unit for a few numbers a tile or row. Rows of several
/// pieces are copied once for each loop over them.
fn counters(subject: &Subject) -> Result<(), Failed> {
    let spec = originals::spec(&subject.kernel)?;
    let port = subject.port()?;
    let program = subject.program(&spec, &port.source(&spec)?)?;
    let text = port.translation.ported.files.iter().map(|file| file.text.as_str());
    let pieces = text.flat_map(|text| text.split("PIECE = ").skip(1));
    let pieces: Vec<i64> = pieces.filter_map(|rest| rest.split(';').next()?.parse().ok()).collect();
    let kernel = subject.kernel.name.as_str();
    let known: Vec<_> = KNOWN.iter().filter(|known| known.0 == kernel).collect();
    let mut missed: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); known.len()];
    let mut wrong = Vec::new();
    for measured in ALL.iter().filter(|measured| measured.kernel == kernel) {
        for cost in measured.costs(&port.translation.ported.kernels, &spec, &program)? {
            let place = known.iter().position(|(_, start, _)| cost.launch.starts_with(start));
            for miss in measured.misses(&cost, &pieces)? {
                match place.filter(|place| known[*place].2.contains(&miss)) {
                    Some(place) => _ = missed[place].insert(miss),
                    None => wrong.push(format!("{:?}: {miss}: {cost:?}", measured.ints)),
                }
            }
        }
    }
    for ((_, start, listed), missed) in known.into_iter().zip(missed) {
        for held in listed.iter().filter(|what| !missed.contains(*what)) {
            wrong.push(format!("{start} holds {held} now: take it off the list"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
