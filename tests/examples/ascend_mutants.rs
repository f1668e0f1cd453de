//! Plants faults into the device code of the Ascend ports of all kernels, and prints what finds them.
//! Started by `cargo xtask mutants --target ascend`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use port_check::ascend::Model;
use port_check::toolchain::Toolchain;
use port_tests::kernels::{self, Kernel};
use port_tests::mutate::ascend::{Bench, Fate, Kind, Mutant, sample};

/// Seed, mutants of each kernel and chip (0: the ports themselves are watched), parts of kernels' names
/// or of chips', kinds of faults and lines (none: all),
/// whether all fates are printed.
struct Arguments {
    seed: u64,
    per_kernel: usize,
    kernels: Vec<String>,
    chips: Vec<String>,
    kinds: Vec<Kind>,
    lines: Vec<u32>,
    all: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments {
        seed: 1,
        per_kernel: 2,
        kernels: Vec::new(),
        chips: Vec::new(),
        kinds: Vec::new(),
        lines: Vec::new(),
        all: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, String> {
            let value = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
            value.parse().map_err(|_| format!("`{word} {value}`: not a number"))
        };
        match word.as_str() {
            "--seed" => parsed.seed = number()?,
            "--per-kernel" => parsed.per_kernel = number()? as usize,
            "--kind" => {
                let name = words.next().unwrap_or_default();
                let named = |kind: &&Kind| format!("{kind:?}").eq_ignore_ascii_case(&name);
                let kind = Kind::ALL.iter().find(named);
                parsed.kinds.push(*kind.ok_or_else(|| format!("no kind `{name}`"))?);
            }
            "--line" => parsed.lines.push(number()? as u32),
            "--list" => parsed.all = true,
            "910b" | "950" => parsed.chips.push(word),
            _ => parsed.kernels.push(word),
        }
    }
    Ok(parsed)
}

type Results = Result<Vec<(Mutant, Fate)>, String>;

fn run(kernel: &Kernel, target: &str, model: &Model, arguments: &Arguments) -> Results {
    let bench = Bench::new(kernel, target, model)?;
    if arguments.per_kernel == 0 {
        bench.watched_itself()?;
    }
    // Each kernel has its own sequence.
    let own = kernel.name.bytes().chain(target.bytes());
    let own = own.fold(arguments.seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mut mutants = bench.mutants();
    mutants.retain(|m| arguments.kinds.is_empty() || arguments.kinds.contains(&m.kind));
    mutants.retain(|m| arguments.lines.is_empty() || arguments.lines.contains(&m.line));
    let mut results = Vec::new();
    let mut faults = 0;
    // What changes nothing is no fault: others are taken in its place.
    for mutant in sample(mutants, arguments.per_kernel * 3, own) {
        let fate = bench.test(&mutant);
        faults += usize::from(fate.is_fault());
        results.push((mutant, fate));
        if faults == arguments.per_kernel {
            break;
        }
    }
    Ok(results)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("mutants: {message}");
            return ExitCode::from(2);
        }
    };
    let model = match Model::new(&Toolchain::discover()) {
        Ok(model) => model,
        Err(error) => {
            eprintln!("mutants: {error}");
            return ExitCode::from(2);
        }
    };
    let mut subjects: Vec<(Kernel, &str)> = Vec::new();
    for kernel in kernels::all() {
        let named = |name: &String| kernel.name.contains(name.as_str());
        if arguments.kernels.is_empty() || arguments.kernels.iter().any(named) {
            let named = |target: &&str| {
                arguments.chips.is_empty() || arguments.chips.iter().any(|c| target.ends_with(c))
            };
            let targets = ["ascend:910b", "ascend:950"].into_iter().filter(named);
            subjects.extend(targets.map(|target| (kernel.clone(), target)));
        }
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((kernel, target)) =
                    subjects.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let name = format!("{} {target}", kernel.name);
                    let results = run(kernel, target, &model, &arguments);
                    if let Err(why) = &results {
                        eprintln!("{name}: not tested: {why}");
                    }
                    for (mutant, fate) in results.iter().flatten() {
                        if arguments.all || matches!(fate, Fate::Survived | Fate::Idle) {
                            let Mutant { kind, line, description, text, .. } = mutant;
                            eprintln!(
                                "{name}: {kind:?} at line {line}, {description}: {fate:?}\n    {text}"
                            );
                        }
                    }
                    done.lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .insert(name, results);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (mut caught, mut all) = (0, 0);
    for (name, results) in &done {
        match results {
            Ok(results) => {
                for (mutant, fate) in results.iter().filter(|(_, fate)| fate.is_fault()) {
                    all += 1;
                    caught += usize::from(*fate != Fate::Survived);
                    if *fate == Fate::Survived {
                        let Mutant { kind, line, description, .. } = mutant;
                        println!("{name}: survives: {kind:?} at line {line}, {description}");
                    }
                }
            }
            Err(why) => println!("{name}: not tested: {why}"),
        }
    }
    println!(
        "\n{:<12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "compiler", "rule", "ended", "result", "none", "idle", "no fault"
    );
    for kind in Kind::ALL {
        let of = |is: fn(&Fate) -> bool| {
            let results = done.values().flatten().flatten();
            results.filter(|(mutant, fate)| mutant.kind == kind && is(fate)).count()
        };
        println!(
            "{:<12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            format!("{kind:?}"),
            of(|fate| matches!(fate, Fate::NotCompiled)),
            of(|fate| matches!(fate, Fate::Rule(_))),
            of(|fate| matches!(fate, Fate::Ended(_))),
            of(|fate| matches!(fate, Fate::Result(_))),
            of(|fate| matches!(fate, Fate::Survived)),
            of(|fate| matches!(fate, Fate::Idle)),
            of(|fate| matches!(fate, Fate::Equivalent | Fate::Same)),
        );
    }
    let tested = done.values().filter(|results| results.is_ok()).count();
    println!(
        "\n{caught} of {all} faults that are executed are found; {tested} of {} ports",
        done.len()
    );
    match all > 0 && caught == all {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
