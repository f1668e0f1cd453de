//! Plants faults into the ports of all kernels, and prints what the check says of them.
//! Started by `cargo xtask mutants`.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use port_tests::kernels::{self, Kernel};
use port_tests::mutate::bench::{Bench, Fate};
use port_tests::mutate::{Mutant, sample, table};

struct Arguments {
    seed: u64,
    per_kernel: usize,
    kernels: Vec<String>,
    all: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments { seed: 1, per_kernel: 16, kernels: Vec::new(), all: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, String> {
            let value = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
            value.parse().map_err(|_| format!("`{word} {value}`: not a number"))
        };
        match word.as_str() {
            "--seed" => parsed.seed = number()?,
            "--per-kernel" => parsed.per_kernel = number()? as usize,
            "--list" => parsed.all = true,
            _ => parsed.kernels.push(word),
        }
    }
    Ok(parsed)
}

struct Done {
    kernel: String,
    /// Why it was not tested, or what is said of the port without a fault.
    problem: Option<String>,
    results: Vec<(Mutant, Fate)>,
}

fn run(kernel: &Kernel, seed: u64, per_kernel: usize) -> Done {
    let name = kernel.name.clone();
    let bench = match Bench::new(kernel) {
        Ok(bench) => bench,
        Err(why) => {
            let problem = Some(format!("not tested: {why}"));
            return Done { kernel: name, problem, results: Vec::new() };
        }
    };
    if let Some(why) = bench.stand_in() {
        eprintln!("{name}: the original stands in for the port: {why}");
    }
    for line in bench.made_otherwise() {
        eprintln!("{name}: made otherwise: {line}");
    }
    let problem = bench.twin().err().map(|why| format!("without a fault: {why}"));
    // Each kernel has its own sequence.
    let own = name.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mutants = sample(bench.mutants(), per_kernel, own);
    let results = mutants.into_iter().map(|mutant| {
        let fate = bench.test(&mutant);
        (mutant, fate)
    });
    let results = results.collect();
    Done { kernel: name, problem, results }
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("mutants: {message}");
            return ExitCode::from(2);
        }
    };
    let mut kernels = kernels::all();
    if !arguments.kernels.is_empty() {
        kernels.retain(|kernel| arguments.kernels.iter().any(|name| kernel.name.contains(name)));
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(kernel) = kernels.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run(kernel, arguments.seed, arguments.per_kernel);
                    eprintln!("{}", kernel.name);
                    done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(result);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_by(|a, b| a.kernel.cmp(&b.kernel));
    let mut problems = 0;
    for kernel in &done {
        if let Some(problem) = &kernel.problem {
            println!("{}: {problem}", kernel.kernel);
            problems += 1;
        }
    }
    for kernel in &done {
        for (mutant, fate) in &kernel.results {
            if let Some(miss) = table::miss(&kernel.kernel, mutant, fate) {
                println!("{miss}");
            } else if arguments.all {
                let (kind, name) = (mutant.kind.name(), &mutant.description);
                println!("{}: {kind} ({name}) at line {}: {fate:?}", kernel.kernel, mutant.line);
            }
        }
    }
    let results = done.iter().flat_map(|kernel| kernel.results.iter());
    let (rows, sum) = table::rows(results.map(|(mutant, fate)| (mutant, fate)));
    println!("\n{}", table::text(&rows, &sum));
    let share = |part: usize| 100.0 * part as f64 / sum.changed.max(1) as f64;
    println!(
        "{} of {} kernels, {} mutants that change an output: {:.1} % right class, {:.1} % right line",
        done.len() - problems,
        done.len(),
        sum.changed,
        share(sum.right_class),
        share(sum.right_line)
    );
    match sum.changed > 0
        && problems == 0
        && share(sum.right_class) >= 98.0
        && share(sum.right_line) >= 90.0
    {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
