//! Every kernel of `kernels/`, ported to the processor: compiled as users compile it, by g++ and
//! clang, optimised and with sanitizers, and run over every parameter set of its spec. The results
//! are those of the original on the fiber oracle, bit for bit; where the original itself gives other
//! bits in another order of threads (float atomics), the reference's bounds decide.
//!
//! A test reads `kernel::cpu::property`; a property that is a compiler runs the port that it made. Every
//! kernel is compiled with sanitizers, all of its instances; optimised, those that the spec launches, by
//! turns with `g++ -O2`, with `g++ -O3 -march=native -fopenmp` and, which takes the least time, with
//! clang. Some are compiled by `g++ -O2` with their own header, not with the one precompiled for all.
//! `PORT_TEST_ALL_FLAVOURS=1` asks for every flavour, instance and header.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use port::{FileRole, Options, Severity, Status, Target, Translation};
use port_check::Spec;
use port_check::cpu::{Compiler, Flavour};
use port_check::oracle::{Language, RunOptions, Source};
use port_diag::render::human;
use port_diag::{FileId, SourceMap};
use port_tests::all_flavours;
use port_tests::cpu::compiler;
use port_tests::kernels::{self, Kernel};
use port_tests::originals::{self, Originals};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let compilers = Flavour::ALL.map(|flavour| (flavour, compiler(flavour).ok().map(Arc::new)));
    let own_header = Compiler::new(Flavour::Gnu).ok().map(Arc::new);
    let all = all_flavours();
    for (index, kernel) in kernels::all().into_iter().enumerate() {
        let subject = Arc::new(Subject::new(kernel));
        let name = format!("{}::cpu", subject.kernel.name);
        let shared = subject.clone();
        trials.push(Trial::test(format!("{name}::statuses"), move || statuses(&shared)));
        for (flavour, compiler) in compilers.clone() {
            let turn = match flavour {
                Flavour::Sanitized => true,
                Flavour::GnuNative => index % 4 == 3,
                Flavour::Gnu => index % 4 == 1,
                Flavour::Clang => index % 2 == 0,
            };
            if !turn && !all {
                continue;
            }
            let compiler = match flavour {
                Flavour::Gnu if all || index % 8 == 1 => own_header.clone(),
                _ => compiler,
            };
            let shared = subject.clone();
            let missing = compiler.is_none();
            let trial = Trial::test(format!("{name}::{}", flavour.name()), move || {
                let compiler = compiler.ok_or("no compiler")?;
                executed_like_the_original(&shared, flavour, &compiler)
            });
            trials.push(match missing {
                false => trial,
                true => trial
                    .with_ignored_flag(true)
                    .with_kind(format!("needs the compiler of {}", flavour.name())),
            });
        }
    }
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

/// A kernel with what its tests share, each made once.
struct Subject {
    kernel: Kernel,
    spec: OnceLock<Result<Arc<Spec>, String>>,
    port: OnceLock<Result<Arc<Port>, String>>,
    originals: OnceLock<Result<Arc<Originals>, String>>,
}

struct Port {
    sources: SourceMap,
    root: FileId,
    translation: Translation,
}

impl Subject {
    fn new(kernel: Kernel) -> Subject {
        let (spec, port, originals) = Default::default();
        Subject { kernel, spec, port, originals }
    }

    fn spec(&self) -> Result<Arc<Spec>, Failed> {
        let load = || originals::spec(&self.kernel).map(Arc::new);
        Ok(self.spec.get_or_init(load).clone()?)
    }

    fn port(&self) -> Result<Arc<Port>, Failed> {
        let make = || {
            let (sources, root) = self.kernel.load();
            let target: Target = "cpu".parse().map_err(|error| format!("{error:?}"))?;
            let mut translations = port::translate(&sources, root, &[target], &Options::default());
            let translation = translations.pop().ok_or("no translation")?;
            Ok(Arc::new(Port { sources, root, translation }))
        };
        Ok(self.port.get_or_init(make).clone()?)
    }

    fn originals(&self) -> Result<Arc<Originals>, Failed> {
        let spec = self.spec()?;
        let run = || Originals::run(&self.kernel, &spec).map(Arc::new);
        Ok(self.originals.get_or_init(run).clone()?)
    }
}

impl Port {
    /// The emitted files as a source for a driver; the root's first.
    fn source(&self) -> Result<Source, Failed> {
        let root = PathBuf::from(&*self.sources.file(self.root).path);
        let place = |role| match role {
            FileRole::Root => root.with_extension("cpp"),
            FileRole::Header(id) => PathBuf::from(&*self.sources.file(id).path),
            FileRole::Generated(name) => root.with_file_name(name),
        };
        let files = &self.translation.ported.files;
        let first = files.first().filter(|file| file.role == FileRole::Root);
        let first = first.ok_or("the port has no root")?;
        let source = Source::new(Language::Cpu, &place(first.role).to_string_lossy(), &first.text);
        Ok(files.iter().skip(1).fold(source, |source, file| {
            source.with_file(&place(file.role).to_string_lossy(), &file.text)
        }))
    }
}

/// The port with no compiled form but those of the instances that the spec launches: to optimise the
/// others, which nothing executes, takes a third of a build. All stay if the spec names an instance
/// otherwise than the port registers it: without its compiled form it would run on fibers.
fn with_launched_instances(source: Source, spec: &Spec) -> Source {
    const REGISTER: &str = "static const port_cpu::Register ";
    fn plain(name: &str) -> String {
        name.replace("::", " ").split_whitespace().collect()
    }
    fn registered(line: &str) -> Option<String> {
        let (_, arguments) = line.strip_prefix(REGISTER)?.split_once('(')?;
        let (kernel, _) = arguments.split_once(", port_cpu::compiled::")?;
        Some(plain(kernel))
    }
    let launched: BTreeSet<String> =
        spec.launches.iter().map(|launch| plain(&launch.kernel)).collect();
    let text =
        |(_, text): &(String, String)| text.lines().filter_map(registered).collect::<Vec<_>>();
    let known: BTreeSet<String> = source.files.first().map(text).into_iter().flatten().collect();
    if !launched.is_subset(&known) {
        return source;
    }
    let mut source = source;
    if let Some((_, text)) = source.files.first_mut() {
        let kept = |line: &&str| registered(line).is_none_or(|name| launched.contains(&name));
        let lines: Vec<&str> = text.split('\n').filter(kept).collect();
        *text = lines.join("\n");
    }
    source
}

/// No kernel is left to a person; which instances run as loops and which on fibers, and what was
/// found, is reviewed.
fn statuses(subject: &Subject) -> Result<(), Failed> {
    let port = subject.port()?;
    let ported = &port.translation.ported;
    let text = port_tests::summary(ported);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/cpu"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = subject.kernel.name.replace('/', "__");
    settings.bind(|| insta::assert_snapshot!(name, text));

    if let Some(kernel) = ported.kernels.iter().find(|kernel| kernel.status == Status::Manual) {
        return Err(format!("{}{} is manual", kernel.name, kernel.instance).into());
    }
    if let Some(error) = ported.diagnostics.iter().find(|d| d.severity == Severity::Error) {
        return Err(human::render(&port.sources, error, human::Options::default()).into());
    }
    match ported.kernels.is_empty() {
        true => Err("the port has no kernel".into()),
        false => Ok(()),
    }
}

/// The seconds that a flavour took for a kernel, printed with `PORT_TEST_TIMES=1`.
fn note_time(subject: &Subject, flavour: Flavour, what: &str, start: std::time::Instant) {
    static ASKED: OnceLock<bool> = OnceLock::new();
    static SUMS: Mutex<BTreeMap<String, f64>> = Mutex::new(BTreeMap::new());
    if *ASKED.get_or_init(|| std::env::var_os("PORT_TEST_TIMES").is_some()) {
        let seconds = start.elapsed().as_secs_f64();
        let mut sums = SUMS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let sum = sums.entry(what.to_owned()).or_insert(0.0);
        *sum += seconds;
        let (kernel, flavour) = (&subject.kernel.name, flavour.name());
        eprintln!("{kernel} {flavour} {what}: {seconds:.2} s, so far {sum:.1} s");
    }
}

fn executed_like_the_original(
    subject: &Subject,
    flavour: Flavour,
    compiler: &Compiler,
) -> Result<(), Failed> {
    let spec = subject.spec()?;
    let mut source = subject.port()?.source()?;
    if flavour != Flavour::Sanitized && !all_flavours() {
        source = with_launched_instances(source, &spec);
    }
    let start = std::time::Instant::now();
    let program = compiler.build(&source, &spec).map_err(|error| error.to_string())?;
    note_time(subject, flavour, "compiled", start);
    let originals = subject.originals()?;
    let start = std::time::Instant::now();
    let run = |case: &_| program.run(case, &RunOptions::default()).map_err(|e| e.to_string());
    match flavour {
        Flavour::GnuNative => originals.compare_of_threads(run)?,
        _ => originals.compare(run)?,
    }
    note_time(subject, flavour, "executed", start);
    Ok(())
}
