//! Random programs: the original on the fiber oracle against the port to the processor (its compiled
//! forms, by `g++ -O2` and `-O3 -march=native`) and against the HIP port on waves of 32 and 64.
//! Results must be equal bit for bit.
//!
//! * `PORT_RANDOM_SEEDS=from..to` runs those seeds instead of the fixed ones,
//!   `PORT_RANDOM_BATCH=n` so many in a unit;
//! * `PORT_RANDOM_TARGETS=cpu,native,hip` names what is compared;
//! * `PORT_RANDOM_REDUCE=n` gives the reducer so many trials for a failing program;
//! * `PORT_RANDOM_KEEP=folder` keeps the sources of what fails.

#![allow(clippy::disallowed_methods, reason = "the tests run compilers and keep sources")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use libtest_mimic::{Arguments, Failed, Trial};
use port::{FileRole, Options, Severity, SourceMap, Status, Target, Translation};
use port_check::cpu::Flavour;
use port_check::oracle::{Executable, Language, Oracle, Order, RunOptions, RunResult, Source};
use port_check::toolchain::Toolchain;
use port_check::{ParameterSet, Spec, metrics};
use port_tests::cpu::compiler;
use port_tests::random::{Unit, reduce};

/// The seeds of every run.
const SEEDS: std::ops::Range<u64> = 0..6;
/// Programs in one translation unit.
const BATCH: u64 = 3;
/// Trials of the reducer.
const TRIALS: usize = 60;
/// Of a hundred kernels, how many must have a compiled form for the processor.
const COMPILED_PERCENT: usize = 80;

/// A way to run a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Hip,
    Cpu,
    CpuNative,
}

/// Why a program fails, in a form that the reducer can compare.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    /// The program, where it is known.
    seed: Option<u64>,
    mode: Option<Mode>,
    /// The kind: `values`, `build` …
    kind: &'static str,
    message: String,
}

/// How kernels of the processor's port came out.
#[derive(Clone, Debug, Default)]
struct Statistics {
    compiled: usize,
    slow: BTreeMap<String, usize>,
    compared: usize,
}

static STATISTICS: Mutex<Option<Statistics>> = Mutex::new(None);

fn main() {
    let arguments = Arguments::from_args();
    let variable = |name: &str| std::env::var(name).ok();
    let seeds = variable("PORT_RANDOM_SEEDS").and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.trim().parse().ok()?..to.trim().parse().ok()?)
    });
    let seeds: std::ops::Range<u64> = seeds.unwrap_or(SEEDS);
    let batch =
        variable("PORT_RANDOM_BATCH").and_then(|text| text.parse().ok()).unwrap_or(BATCH).max(1);
    let targets = variable("PORT_RANDOM_TARGETS").unwrap_or_else(|| "hip,cpu,native".into());
    let mut modes = Vec::new();
    for (name, mode) in [("hip", Mode::Hip), ("cpu", Mode::Cpu), ("native", Mode::CpuNative)] {
        if targets.split(',').any(|target| target.trim() == name) {
            modes.push(mode);
        }
    }
    let mut trials = Vec::new();
    let mut from = seeds.start;
    while from < seeds.end {
        let to = (from + batch).min(seeds.end);
        let modes = modes.clone();
        trials
            .push(Trial::test(format!("seeds::{from}..{to}"), move || batch_of(from..to, &modes)));
        from = to;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    let statistics = STATISTICS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    let Some(statistics) = statistics else { conclusion.exit() };
    let slow: usize = statistics.slow.values().sum();
    let kernels = statistics.compiled + slow;
    println!(
        "{} of {kernels} kernels have a compiled form; {} values compared",
        statistics.compiled, statistics.compared
    );
    for (reason, count) in &statistics.slow {
        println!("    {count} × {reason}");
    }
    if kernels > 0 && statistics.compiled * 100 < kernels * COMPILED_PERCENT {
        println!("fewer than {COMPILED_PERCENT} of a hundred");
        std::process::exit(101);
    }
    conclusion.exit()
}

/// Runs the programs of some seeds as one unit; those that fail are run, cut down and shown alone.
fn batch_of(seeds: std::ops::Range<u64>, modes: &[Mode]) -> Result<(), Failed> {
    let unit = Unit::of(seeds);
    let mut statistics = Statistics::default();
    let mut failures = check(&unit, modes, &mut statistics);
    if let [program] = &unit.programs[..] {
        failures.iter_mut().for_each(|failure| failure.seed = Some(program.seed));
    } else if failures.iter().any(|failure| failure.seed.is_none()) {
        failures.retain(|failure| failure.seed.is_some());
        statistics = Statistics::default();
        for program in &unit.programs {
            let alone = Unit { programs: vec![program.clone()] };
            for failure in check(&alone, modes, &mut statistics) {
                let seed = Some(program.seed);
                if !failures.iter().any(|known| known.seed == seed && known.kind == failure.kind) {
                    failures.push(Failure { seed, ..failure });
                }
            }
        }
    }
    {
        let mut all = STATISTICS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let all = all.get_or_insert_with(Statistics::default);
        all.compiled += statistics.compiled;
        all.compared += statistics.compared;
        for (reason, count) in statistics.slow {
            *all.slow.entry(reason).or_default() += count;
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    let trials = std::env::var("PORT_RANDOM_REDUCE").ok().and_then(|text| text.parse().ok());
    let mut report = String::new();
    let mut reduced = Vec::new();
    for failure in &failures {
        let _ = writeln!(
            report,
            "seed {:?}, {:?}, {}: {}",
            failure.seed, failure.mode, failure.kind, failure.message
        );
        let program = unit.programs.iter().find(|program| Some(program.seed) == failure.seed);
        let Some(program) = program else { continue };
        if reduced.contains(&(failure.seed, failure.kind)) {
            continue;
        }
        reduced.push((failure.seed, failure.kind));
        let mode: Vec<Mode> = failure.mode.into_iter().collect();
        let mut last = failure.message.clone();
        let text = reduce::reduce(&program.text, trials.unwrap_or(TRIALS), &mut |text| {
            let mut program = program.clone();
            program.text = text.clone();
            let unit = Unit { programs: vec![program] };
            // What the front end alone gets wrong needs no compiler.
            let found = match failure.kind {
                "ir" => front_end(&unit).err().into_iter().collect(),
                _ => check(&unit, &mode, &mut Statistics::default()),
            };
            let same =
                found.iter().find(|found| found.kind == failure.kind && found.mode == failure.mode);
            if let Some(same) = same {
                last.clone_from(&same.message);
            }
            same.is_some()
        });
        let mut program = program.clone();
        program.text = text;
        let unit = Unit { programs: vec![program] };
        let _ = writeln!(report, "reduced:\n{}\n{}", last, unit.text());
        if let Ok(folder) = std::env::var("PORT_RANDOM_KEEP") {
            let path = PathBuf::from(folder).join(format!("seed_{}", failure.seed.unwrap_or(0)));
            std::fs::create_dir_all(&path)?;
            std::fs::write(path.join("kernel.cu"), unit.text())?;
            std::fs::write(path.join("kernel.toml"), unit.spec())?;
            std::fs::write(path.join("failure.txt"), &report)?;
        }
    }
    Err(report.into())
}

/// Everything that is wrong with the ports of a unit.
fn check(unit: &Unit, modes: &[Mode], statistics: &mut Statistics) -> Vec<Failure> {
    let mut failures = Vec::new();
    if let Err(failure) = try_check(unit, modes, statistics, &mut failures) {
        failures.push(failure);
    }
    failures
}

fn try_check(
    unit: &Unit,
    modes: &[Mode],
    statistics: &mut Statistics,
    failures: &mut Vec<Failure>,
) -> Result<(), Failure> {
    let of = |kind: &'static str, mode: Option<Mode>| {
        move |message: String| Failure { seed: None, mode, kind, message }
    };
    let oracle =
        Oracle::new(&Toolchain::discover()).map_err(|e| of("oracle", None)(e.to_string()))?;
    let mut spec_sources = SourceMap::new();
    let spec_text = unit.spec();
    let file = spec_sources.add("random.toml", &spec_text);
    let spec = Spec::parse(&spec_sources, file).map_err(|e| of("spec", None)(format!("{e:?}")))?;
    let case =
        spec.case(&ParameterSet::default()).map_err(|e| of("spec", None)(format!("{e:?}")))?;
    let text = unit.text();
    let run = |program: &Executable, warp, order, kind, mode| {
        let options = RunOptions { warp, order, ..RunOptions::default() };
        program.run(&case, &options).map_err(|e| of(kind, mode)(e.to_string()))
    };

    // The original: the same in every order of threads, or the generator is wrong.
    let original = oracle
        .build(&Source::new(Language::Cuda, "random.cu", &text), &spec)
        .map_err(|e| of("original-build", None)(first_lines(&e.to_string())))?;
    let expected = run(&original, 32, Order::Ascending, "original-run", None)?;
    let shuffled = run(&original, 32, Order::Shuffled(11), "original-run", None)?;
    let races = compare(unit, &expected, &shuffled, None, "race", statistics);
    if !races.is_empty() {
        failures.extend(races);
        return Ok(());
    }

    front_end(unit)?;
    let mut sources = SourceMap::new();
    let root = sources.add("random.cu", &text);
    let options = Options::default();
    let analysis = port::Analysis::new(&sources, root, &options);
    for mode in modes {
        if *mode == Mode::CpuNative && modes.contains(&Mode::Cpu) {
            continue; // with the other flavour
        }
        let name = if *mode == Mode::Hip { "hip" } else { "cpu" };
        let target: Target = name.parse().map_err(|_| of("target", None)(name.into()))?;
        let translation = analysis.port(&target);
        if let Some(error) =
            translation.ported.diagnostics.iter().find(|d| d.severity == Severity::Error)
        {
            let rendered = port_diag::render::human::render(
                &sources,
                error,
                port_diag::render::human::Options::default(),
            );
            return Err(of("port", Some(*mode))(rendered));
        }
        if *mode == Mode::Hip {
            let ported = ported_source(&translation, Language::Hip, "random.hip", &spec);
            let ported = oracle
                .build(&ported, &spec)
                .map_err(|e| of("build", Some(*mode))(first_lines(&e.to_string())))?;
            for warp in [32, 64] {
                let actual = run(&ported, warp, Order::Ascending, "run", Some(*mode))?;
                failures.extend(compare(
                    unit,
                    &expected,
                    &actual,
                    Some(*mode),
                    "values",
                    statistics,
                ));
            }
            continue;
        }
        for kernel in &translation.ported.kernels {
            match kernel.status {
                Status::Ported => statistics.compiled += 1,
                _ => {
                    let reason = translation
                        .ported
                        .diagnostics
                        .iter()
                        .find(|d| d.message.contains(&*kernel.name))
                        .map_or_else(
                            || "no reason".to_owned(),
                            |d| d.message.replace(&*kernel.name, "k"),
                        );
                    *statistics.slow.entry(reason).or_default() += 1;
                }
            }
        }
        let ported = ported_source(&translation, Language::Cpu, "random.cpp", &spec);
        for (flavour, own) in [(Flavour::Gnu, Mode::Cpu), (Flavour::GnuNative, Mode::CpuNative)] {
            if !modes.contains(&own) {
                continue;
            }
            let compiler =
                compiler(flavour).map_err(|e| of("compiler", Some(own))(e.to_string()))?;
            let executable = compiler
                .build(&ported, &spec)
                .map_err(|e| of("build", Some(own))(first_lines(&e.to_string())))?;
            let actual = run(&executable, 32, Order::Ascending, "run", Some(own))?;
            failures.extend(compare(unit, &expected, &actual, Some(own), "values", statistics));
        }
    }
    Ok(())
}

/// Whether the front end gives valid IR.
fn front_end(unit: &Unit) -> Result<(), Failure> {
    let mut sources = SourceMap::new();
    let root = sources.add("random.cu", &unit.text());
    let options = Options::default();
    let analysis = port::Analysis::new(&sources, root, &options);
    let Err(errors) = port_ir::validate(analysis.ir()) else { return Ok(()) };
    let message = errors.first().map_or_else(String::new, |error| {
        let place =
            error.location.as_ref().map_or("", |location| sources.text(location.origin.span));
        format!("{}: {place}", error.message)
    });
    Err(Failure { seed: None, mode: None, kind: "ir", message })
}

/// One failure for each program whose outputs differ.
fn compare(
    unit: &Unit,
    expected: &RunResult,
    actual: &RunResult,
    mode: Option<Mode>,
    kind: &'static str,
    statistics: &mut Statistics,
) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for (name, tensor) in &expected.outputs {
        statistics.compared += tensor.len();
        let seed = unit.owner(name).map(|program| program.seed);
        if failures.iter().any(|failure| failure.seed == seed) {
            continue;
        }
        let comparison = actual.output(name).and_then(|actual| metrics::compare(actual, tensor));
        let message = match comparison {
            Some(comparison) if comparison.is_equal() => continue,
            Some(comparison) => {
                format!(
                    "{name}: {} differ, first {:?}",
                    comparison.unequal, comparison.first_mismatch
                )
            }
            None => format!("{name} is missing"),
        };
        failures.push(Failure { seed, mode, kind, message });
    }
    if expected.stdout != actual.stdout {
        let message = format!("printed {:?} for {:?}", actual.stdout, expected.stdout);
        failures.push(Failure { seed: None, mode, kind: "printed", message });
    }
    failures
}

fn ported_source(translation: &Translation, language: Language, root: &str, spec: &Spec) -> Source {
    let files = &translation.ported.files;
    let main = files.iter().find(|file| matches!(file.role, FileRole::Root));
    let mut source = Source::new(language, root, main.map_or("", |file| &file.text));
    for file in files {
        if let FileRole::Generated(name) = file.role {
            source = source.with_file(&Path::new(name).to_string_lossy(), &file.text);
        }
    }
    if language == Language::Hip {
        for launch in &spec.launches {
            for word in launch.kernel.split(|c: char| !c.is_alphanumeric() && c != '_') {
                let form = port_api::find(word).and_then(|row| row.hip_name());
                if let Some(form) = form.filter(|form| *form != word) {
                    source = source.with_rename(word, form);
                }
            }
        }
    }
    source
}

fn first_lines(text: &str) -> String {
    text.lines().take(12).collect::<Vec<_>>().join("\n")
}
