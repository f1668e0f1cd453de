//! What fuzzing once found, replayed; and a few mutants of every stage, the same ones each time.
//! `PORT_MUTANTS` asks for more.

#![allow(clippy::disallowed_methods, reason = "inputs are files")]

use port_fuzz::mutate::{Random, mutate};
use port_fuzz::stages::{files, workspace};
use port_fuzz::{STAGES, Stage, run};

fn stage(name: &str) -> &'static Stage {
    STAGES.iter().find(|stage| stage.name == name).expect("a stage")
}

/// Runs `count` mutants; at least `share` percent of them go all the way: mutations that nothing
/// survives would test nothing.
fn mutants(name: &str, count: u64, share: u64) -> Result<(), String> {
    let asked = std::env::var("PORT_MUTANTS").ok().and_then(|count| count.parse().ok());
    let count: u64 = asked.unwrap_or(count);
    let stage = stage(name);
    let seeds = (stage.seeds)();
    let mut whole = 0;
    for number in 0..count {
        let mut random = Random::new(number);
        let donor = &seeds[random.below(seeds.len())];
        // Every seed in turn, the small ones first.
        let mutant = mutate(&mut random, &seeds[number as usize % seeds.len()], donor);
        match run(stage, &mutant) {
            Ok(reached) => whole += u64::from(reached == stage.whole),
            // Not by a panic: those of stages are caught, and their messages kept.
            Err(failure) => return Err(format!("mutant {number}: {failure}\n{mutant}")),
        }
    }
    match whole * 100 >= count * share {
        true => Ok(()),
        false => Err(format!("only {whole} of {count} are whole")),
    }
}

#[test]
fn lexer() -> Result<(), String> {
    mutants("lexer", 400, 100)
}

#[test]
fn preprocessor() -> Result<(), String> {
    mutants("preprocessor", 200, 20)
}

#[test]
fn parser() -> Result<(), String> {
    mutants("parser", 160, 10)
}

#[test]
fn hir() -> Result<(), String> {
    mutants("hir", 120, 10)
}

#[test]
fn lower() -> Result<(), String> {
    mutants("lower", 80, 20)
}

#[test]
fn ir_text() -> Result<(), String> {
    mutants("ir-text", 2000, 2)
}

#[test]
fn port_hip() -> Result<(), String> {
    mutants("port-hip", 80, 10)
}

#[test]
fn port_cpu() -> Result<(), String> {
    mutants("port-cpu", 80, 10)
}

#[test]
fn port_ascend() -> Result<(), String> {
    mutants("port-ascend", 40, 10)
}

#[test]
fn machine() -> Result<(), String> {
    mutants("machine", 80, 10)
}

#[test]
fn spec() -> Result<(), String> {
    mutants("spec", 200, 1)
}

/// Every prefix of a program is read: what an editor saves half-way.
#[test]
fn prefixes() -> Result<(), String> {
    let stage = stage("parser");
    for seed in (stage.seeds)().iter().take(2) {
        for end in (0..seed.len()).step_by(5).filter(|end| seed.is_char_boundary(*end)) {
            if let Err(failure) = run(stage, &seed[..end]) {
                return Err(format!("{failure}\n{}", &seed[..end]));
            }
        }
    }
    Ok(())
}

#[test]
fn regressions() -> Result<(), String> {
    for stage in &STAGES {
        for path in files(&workspace().join("fixtures/fuzz").join(stage.name), "txt") {
            let text = std::fs::read_to_string(&path).expect("readable");
            if let Err(failure) = run(stage, &text) {
                return Err(format!("{}: {failure}", path.display()));
            }
        }
    }
    Ok(())
}
