//! `cargo xtask fuzz [STAGE] --seconds N`: mutants of real texts through the stages for a time, that of
//! the processor where the system says it.
//!
//! The work is done by child processes, so that an input which exhausts the stack or memory, or never
//! ends, is caught as well as one that panics. Each input is on disk before it is run. What fails is
//! shortened and saved to `fixtures/fuzz/<stage>/`, where the tests of this crate replay it.

#![allow(clippy::disallowed_methods, reason = "it reads seeds, saves findings and starts itself")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use port_fuzz::mutate::{Random, mutate};
use port_fuzz::stages::workspace;
use port_fuzz::{STAGES, Stage, minimise, run};

/// As much as the command line gives its workers.
const STACK: usize = 64 << 20;

/// What a child may use, in KB of address space: the pipeline's stacks are part of it.
const MEMORY: u64 = 4 << 20;

/// How long shortening may take.
const SHORTENING: Duration = Duration::from_secs(30);

/// How much longer than its processor time a child may take.
const STARVED: u32 = 20;

/// The exit status of a child that found failures, and saved them.
const FOUND: u8 = 3;

const USAGE: &str = "usage: port-fuzz [STAGE] [--seconds N] [--seed N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--child", stage, seconds, seed, current] => child(stage, seconds, seed, current),
        ["--replay", stage, file] => replay(stage, file),
        ref arguments => parent(arguments),
    };
    result.unwrap_or_else(|message| {
        eprintln!("port-fuzz: {message}");
        ExitCode::FAILURE
    })
}

fn stage(name: &str) -> Result<&'static Stage, String> {
    STAGES.iter().find(|stage| stage.name == name).ok_or_else(|| {
        let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        format!("no stage `{name}`; there are: {}\n{USAGE}", names.join(", "))
    })
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number\n{USAGE}"))
}

/// Runs stages one after the other, each in a child that is started again when it dies.
fn parent(arguments: &[&str]) -> Result<ExitCode, String> {
    let (mut stages, mut seconds, mut seed) = (Vec::new(), 60, 1);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match *word {
            "--seconds" => seconds = number(words.next().ok_or(USAGE)?)?,
            "--seed" => seed = number(words.next().ok_or(USAGE)?)?,
            name => stages.push(stage(name)?),
        }
    }
    if stages.is_empty() {
        stages.extend(&STAGES);
    }
    let share = (seconds / stages.len() as u64).max(1);
    let mut found = false;
    for stage in stages {
        let mut left = Duration::from_secs(share);
        while left.as_secs() > 0 {
            let (failed, spent) = supervise(stage, left.as_secs(), seed)?;
            found |= failed;
            left = left.saturating_sub(spent.max(Duration::from_secs(1)));
            seed += 1;
        }
    }
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One child; whether something was found, and what it used of the processors.
fn supervise(stage: &Stage, seconds: u64, seed: u64) -> Result<(bool, Duration), String> {
    let current = std::env::temp_dir().join(format!("port-fuzz-{}.txt", std::process::id()));
    let path = current.to_string_lossy().into_owned();
    let mut child =
        limited(&["--child", stage.name, &seconds.to_string(), &seed.to_string(), &path])
            .spawn()
            .map_err(|error| format!("cannot start itself: {error}"))?;
    // A child that is silent for this long is stuck in one input, or shortens one.
    let patience = Duration::from_secs(seconds) + SHORTENING + 4 * stage.patience * run::BUDGET;
    let start = Instant::now();
    let mut spent = Duration::ZERO;
    let process = child.id().to_string();
    let status = loop {
        // On a machine with other work a child waits; one that waits for itself never ends.
        spent = run::processor_time(&process).map_or(start.elapsed(), |time| time.max(spent));
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break Some(status),
            None if spent > patience || start.elapsed() > STARVED * patience => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let found = match status.map(|status| status.code()) {
        Some(Some(0)) => false,
        Some(Some(code)) if code == i32::from(FOUND) => true,
        died => {
            let why = if died.is_some() { "the process died" } else { "it does not end" };
            let text = std::fs::read_to_string(&current)
                .map_err(|error| format!("{}: {error}", current.display()))?;
            let mut dies = |text: &str| dies(stage, text, &current);
            let text = minimise::minimise(&text, SHORTENING, &mut dies);
            save(stage, &text, why)?;
            true
        }
    };
    let _ = std::fs::remove_file(&current);
    Ok((found, spent))
}

/// Itself, with bounded memory.
fn limited(arguments: &[&str]) -> Command {
    let itself = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("port-fuzz"));
    let mut command = Command::new("bash");
    command.args(["-c", &format!("ulimit -c 0; ulimit -v {MEMORY}; exec \"$0\" \"$@\"")]);
    command.arg(itself).args(arguments);
    command
}

/// Whether a process of its own dies or hangs on a text.
fn dies(stage: &Stage, text: &str, file: &Path) -> bool {
    if std::fs::write(file, text).is_err() {
        return false;
    }
    let path = file.to_string_lossy();
    let mut command = limited(&["--replay", stage.name, &path]);
    let Ok(mut child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return false;
    };
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.code().is_none_or(|code| code > 1),
            Ok(None) if start.elapsed() > stage.patience * run::BUDGET => {
                let _ = child.kill();
                let _ = child.wait();
                return true;
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => return false,
        }
    }
}

/// On a thread with the stack that users' runs have.
fn with_stack<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, String> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work);
    let thread = thread.map_err(|error| error.to_string())?;
    thread.join().map_err(|_| "the fuzzer itself panicked".to_owned())
}

fn replay(name: &str, file: &str) -> Result<ExitCode, String> {
    let stage = stage(name)?;
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    match with_stack(move || run(stage, &text))? {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(failure) => {
            println!("{failure}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn child(name: &str, seconds: &str, seed: &str, current: &str) -> Result<ExitCode, String> {
    let stage = stage(name)?;
    let (seconds, seed) = (number(seconds)?, number(seed)?);
    let current = PathBuf::from(current);
    with_stack(move || fuzz(stage, Duration::from_secs(seconds), seed, &current))?
}

fn fuzz(stage: &Stage, time: Duration, seed: u64, current: &Path) -> Result<ExitCode, String> {
    let seeds = (stage.seeds)();
    let mut random = Random::new(seed);
    let mut known = BTreeSet::new();
    let (mut inputs, mut whole) = (0_u64, 0_u64);
    let work = run::Work::begin();
    while work.done() < time {
        let pick = |random: &mut Random| seeds.get(random.below(seeds.len())).map_or("", |s| s);
        let (text, donor) = (pick(&mut random), pick(&mut random));
        let mutant = mutate(&mut random, text, donor);
        std::fs::write(current, &mutant)
            .map_err(|error| format!("{}: {error}", current.display()))?;
        inputs += 1;
        match run(stage, &mutant) {
            Ok(reached) => whole += u64::from(reached == stage.whole),
            Err(failure) => {
                if !known.insert(failure.key().to_owned()) {
                    continue;
                }
                let mut fails =
                    |text: &str| run(stage, text).is_err_and(|other| other.key() == failure.key());
                let short = minimise::minimise(&mutant, SHORTENING, &mut fails);
                save(stage, &short, &failure.to_string())?;
            }
        }
    }
    println!(
        "{}: {inputs} inputs in {:.0} s of the processor, {whole} of them whole; {} failures (seed {seed})",
        stage.name,
        work.done().as_secs_f64(),
        known.len()
    );
    Ok(if known.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

/// Saves an input under a name that its text gives, and shows it.
fn save(stage: &Stage, text: &str, why: &str) -> Result<(), String> {
    // FNV-1a: a short name that is the same for the same text.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folder = workspace().join("fixtures/fuzz").join(stage.name);
    let path = folder.join(format!("{:08x}.txt", hash >> 32));
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    std::fs::write(&path, text).map_err(failed)?;
    println!("{}: {why}\n  saved as {}", stage.name, path.display());
    for line in text.lines().take(20) {
        println!("  | {}", line.chars().take(120).collect::<String>());
    }
    Ok(())
}
