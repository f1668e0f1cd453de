//! The SIMT machine against loops made by hand (`fixtures/bench/hand.cpp`): time of one thread without
//! checks, the cost of all checks and of twins, the time to load a kernel, and what the host's threads
//! bring.

use std::path::Path;
use std::process::Command;

use super::cpu::{done, keep_best, measured};
use crate::tidy::workspace_root;

/// How often each program runs, in turns; the best time counts.
const ROUNDS: usize = 3;

/// A kernel's line: milliseconds without checks, with all, and microseconds to load.
struct Line {
    name: String,
    plain: f64,
    checked: f64,
    load: f64,
    /// Milliseconds with twins.
    twins: f64,
    /// Threads of the host, and how much faster the launch and a large one are on all of them.
    threads: f64,
    small: f64,
    large: f64,
}

/// Builds both programs, runs them in turns and prints the ratios.
pub fn run() -> Result<(), String> {
    let root = workspace_root();
    let out = root.join("target/bench/simt");
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let program = out.join("hand");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
    done(
        Command::new(compiler)
            .args(["-std=c++17", "-O3", "-march=native", "-fopenmp"])
            .arg(root.join("fixtures/bench/hand.cpp"))
            .arg("-o")
            .arg(&program),
    )?;
    let (mut by_hand, mut machine) = (Vec::new(), Vec::<Line>::new());
    for _ in 0..ROUNDS {
        keep_best(&mut by_hand, measured(&program)?);
        let lines = run_machine(&root)?;
        if machine.is_empty() {
            machine = lines;
            continue;
        }
        for (best, line) in machine.iter_mut().zip(lines) {
            best.plain = best.plain.min(line.plain);
            best.checked = best.checked.min(line.checked);
            best.load = best.load.min(line.load);
            best.twins = best.twins.min(line.twins);
            best.small = best.small.max(line.small);
            best.large = best.large.max(line.large);
        }
    }
    println!(
        "{:12} {:>10} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "machine ms", "by hand ms", "speed", "checks", "load us", "twins", "threads", "large"
    );
    let (mut speeds, mut checks) = (Vec::new(), Vec::new());
    let (mut small, mut large, mut twins) = (Vec::new(), Vec::new(), Vec::new());
    for (line, hand) in machine.iter().zip(&by_hand) {
        if line.name != hand.name {
            return Err(format!("{} is measured against {}", line.name, hand.name));
        }
        let (speed, checked) = (hand.milliseconds / line.plain, line.checked / line.plain);
        println!(
            "{:12} {:10.3} {:10.3} {speed:7.3}x {checked:7.2}x {:8.0} {:7.2}x {:7.2}x {:7.2}x",
            line.name,
            line.plain,
            hand.milliseconds,
            line.load,
            line.twins / line.plain,
            line.small,
            line.large
        );
        twins.push(line.twins / line.plain);
        small.push(line.small);
        large.push(line.large);
        speeds.push(speed);
        checks.push(checked);
    }
    if speeds.is_empty() || speeds.len() != by_hand.len() {
        return Err("the two measure different kernels".to_owned());
    }
    let worst = checks.iter().copied().fold(0.0, f64::max);
    println!(
        "geometric mean: {:.3}x the speed by hand; all checks {:.2}x the time, worst {worst:.2}x; \
         twins {:.2}x the time, worst {:.2}x; on {} threads {:.2}x the speed, of large launches {:.2}x",
        mean(&speeds),
        mean(&checks),
        mean(&twins),
        twins.iter().copied().fold(0.0, f64::max),
        machine.first().map_or(1.0, |line| line.threads),
        mean(&small),
        mean(&large),
    );
    Ok(())
}

/// The geometric mean.
fn mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}

fn run_machine(root: &Path) -> Result<Vec<Line>, String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["run", "--quiet", "--release", "-p", "port-simt", "--example", "speed", "--"])
        .args(["cpu", "plain"])
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default().to_owned();
            let mut number = || words.next().and_then(|word| word.parse::<f64>().ok());
            match std::array::from_fn(|_| number()) {
                [
                    Some(plain),
                    Some(checked),
                    Some(load),
                    Some(twins),
                    Some(threads),
                    Some(small),
                    Some(large),
                ] => Ok(Line { name, plain, checked, load, twins, threads, small, large }),
                _ => Err(format!("the machine prints `{line}`")),
            }
        })
        .collect()
}
