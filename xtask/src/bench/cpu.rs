//! Ports to the processor against loops made by hand without thought (`fixtures/bench`).

use std::path::Path;
use std::process::Command;

use crate::tidy::workspace_root;

/// The options of users, from most to least.
const OPTIONS: [&[&str]; 3] =
    [&["-O3", "-march=native", "-fopenmp"], &["-O2", "-fopenmp"], &["-O2"]];

/// How often each program runs; the best time counts.
const ROUNDS: usize = 5;

/// A line of what a program prints.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) milliseconds: f64,
    /// Over the results.
    hash: String,
}

/// Ports, compiles, runs in turns, compares results and prints times.
pub fn run() -> Result<(), String> {
    let root = workspace_root();
    let (bench, out) = (root.join("fixtures/bench"), root.join("target/bench/cpu"));
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    done(
        Command::new(env!("CARGO"))
            .current_dir(&root)
            .args(["run", "--quiet", "-p", "port-cli", "--"])
            .arg(bench.join("blocks.cu"))
            .args(["--target", "cpu", "--quiet", "--force", "-o"])
            .arg(format!("{}/", out.display())),
    )?;
    for options in OPTIONS {
        let sources = [out.join("blocks.cpp"), bench.join("mechanical.cpp")];
        let mut programs = Vec::new();
        for (source, name) in sources.iter().zip(["port", "mechanical"]) {
            let program = out.join(name);
            let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
            done(Command::new(compiler).arg("-std=c++17").args(options).args([
                source.as_path(),
                Path::new("-o"),
                &program,
            ]))?;
            programs.push(program);
        }
        let mut best: [Vec<Line>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (best, program) in best.iter_mut().zip(&programs) {
                keep_best(best, measured(program)?);
            }
        }
        println!("{}", options.join(" "));
        println!("  {:12} {:>10} {:>10} {:>7}", "", "port ms", "by hand ms", "ratio");
        let [ports, by_hand] = &best;
        for (port, hand) in ports.iter().zip(by_hand) {
            if port.name != hand.name || port.hash != hand.hash {
                return Err(format!("{}: the results of {} differ", port.name, hand.name));
            }
            let ratio = port.milliseconds / hand.milliseconds;
            println!(
                "  {:12} {:10.3} {:10.3} {ratio:7.2}",
                port.name, port.milliseconds, hand.milliseconds
            );
        }
    }
    Ok(())
}

pub(super) fn done(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(error) => Err(format!("cannot run {name}: {error}")),
    }
}

/// Runs a program on one thread, which is what the other is made for.
pub(super) fn measured(program: &Path) -> Result<Vec<Line>, String> {
    let shown = program.display();
    let output = Command::new(program)
        .env("OMP_NUM_THREADS", "1")
        .output()
        .map_err(|error| format!("cannot run {shown}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{shown}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().map(str::to_owned);
            let (name, time, hash) = (word(), word(), word());
            let milliseconds = time.and_then(|time| time.parse().ok());
            match (name, milliseconds, hash) {
                (Some(name), Some(milliseconds), Some(hash)) => {
                    Ok(Line { name, milliseconds, hash })
                }
                _ => Err(format!("{shown} prints `{line}`")),
            }
        })
        .collect()
}

pub(super) fn keep_best(best: &mut Vec<Line>, lines: Vec<Line>) {
    if best.is_empty() {
        *best = lines;
        return;
    }
    for (best, line) in best.iter_mut().zip(lines) {
        best.milliseconds = best.milliseconds.min(line.milliseconds);
    }
}
