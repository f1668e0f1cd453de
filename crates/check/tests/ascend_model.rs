//! The model of the Ascend C API: each rule has a kernel that breaks it and a mended twin, and kernels
//! of the usual shapes compute what arithmetic says.

use port_check::ascend::{Model, Program};
use port_check::oracle::{Language, RunOptions, Source};
use port_check::toolchain::Toolchain;

const RULES: &str = include_str!("../ascend/tests/rules.cpp");
const KERNELS: &str = include_str!("../ascend/tests/kernels.cpp");
const THREADS: &str = include_str!("../ascend/tests/threads.cpp");

fn program(name: &str, text: &str) -> Option<Program> {
    let toolchain = Toolchain::discover();
    // Without a compiler there is nothing to run.
    toolchain.cxx.as_ref()?;
    let model = Model::new(&toolchain).expect("the model compiles");
    let source = Source::new(Language::Ascend, name, text);
    Some(model.build_program(&source).unwrap_or_else(|error| panic!("{error}")))
}

/// (rule, line) of the comments `//! rule` in the function `name`, and in those that it names.
fn marks(text: &str, name: &str) -> Vec<(String, u32)> {
    let start = format!("void {name}(");
    let body = |start: &str| {
        let lines = text.lines().enumerate().skip_while(|(_, line)| !line.contains(start));
        let all: Vec<(usize, &str)> = lines.collect();
        // A function of one line, or up to the brace that stands alone.
        let is_end = |(_, line): &(usize, &str)| *line == "}" || line.ends_with("; }");
        let end = all.iter().position(is_end).map_or(0, |end| end + 1);
        all[..end].to_vec()
    };
    let mut lines = body(&start);
    // A launch's kernel.
    let launched =
        lines.iter().find_map(|(_, line)| line.split_once("<<<")?.0.split_whitespace().last());
    lines.extend(launched.iter().flat_map(|kernel| body(&format!("__global__ void {kernel}("))));
    let marked = lines.into_iter().filter_map(|(number, line)| {
        let (_, rule) = line.split_once("//! ")?;
        Some((rule.to_string(), number as u32 + 1))
    });
    marked.collect()
}

/// Runs each rule's kernel and its mended twin; how many there are.
fn rules(file: &str, text: &str, program: &Program) -> usize {
    let options = RunOptions::default();
    let names = program.run(&["list"], &options).expect("the list").result.stdout;
    for name in names.lines() {
        let mut expected = marks(text, name);
        assert!(!expected.is_empty(), "{name} marks no line");
        let bad = program.run(&[name, "bad"], &options).expect(name);
        let mut found: Vec<(String, u32)> =
            bad.violations.iter().map(|v| (v.rule.clone(), v.line)).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{name}: {}", bad.result.stderr);
        assert_eq!(bad.result.status, Some(87), "{name}");
        for violation in &bad.violations {
            assert!(violation.file.ends_with(file), "{name}: {violation}");
            assert!(!violation.kernel.is_empty() && violation.message.len() > 10, "{violation}");
        }
        let mended = program.run(&[name, "ok"], &options).expect(name);
        assert_eq!(mended.violations, [], "{name}");
        assert_eq!(mended.result.status, Some(0), "{name}: {}", mended.result.stderr);
    }
    names.lines().count()
}

#[test]
fn every_rule_catches_its_kernel_and_passes_the_mended_one() {
    let Some(program) = program("rules.cpp", RULES) else { return };
    assert!(rules("rules.cpp", RULES, &program) > 30);
}

#[test]
fn threads_of_the_950_have_rules_and_functions_of_their_own() {
    let Some(program) = program("threads.cpp", THREADS) else { return };
    assert!(rules("threads.cpp", THREADS, &program) > 6);
    // What watching the accesses shows.
    let watched = [
        ("exchanged", "shared-race"),
        ("counted", "shared-race"),
        ("beside", "gm-out-of-bounds"),
        ("across", "gm-out-of-bounds"),
    ];
    for (name, rule) in watched {
        let rules = |twin| {
            let run = program.run(&[name, twin], &RunOptions::default()).expect(name);
            run.violations.into_iter().map(|violation| violation.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules("bad"), [rule], "{name}");
        assert!(rules("ok").is_empty(), "{name}");
    }
    // Threads that write what another one has just written do nothing more.
    let digest = |name, twin| {
        let run = program.run(&[name, twin], &RunOptions::default()).expect(name);
        assert!(run.violations.is_empty(), "{name}");
        run.digest
    };
    assert_eq!(digest("repeated", "bad"), digest("repeated", "ok"));
    assert_ne!(digest("decided", "bad"), digest("decided", "ok"));
    let run = program.run(&["functions"], &RunOptions::default()).expect("it runs");
    // 2 + 1 + 1/2; the root of 2^-130 is 2^-65, which the host keeps.
    assert_eq!(run.result.stdout, "0 0 inf 3.5, host 2.71051e-20\n");
    assert_eq!(run.launches.len(), 1);
}

#[test]
fn kernels_compute_what_arithmetic_says() {
    let Some(program) = program("kernels.cpp", KERNELS) else { return };
    let run = program.run(&[], &RunOptions::default()).expect("it runs");
    assert_eq!(run.violations, [], "{}", run.result.stderr);
    assert_eq!(run.result.status, Some(0), "{}{}", run.result.stdout, run.result.stderr);
    // Each launch has its own entry, and two buffers a queue let transfers run beside computation.
    let of =
        |name: &str| run.launches.iter().find(|launch| launch.kernel == name).expect(name).clone();
    let (add, single) = (of("add"), of("add_single"));
    assert_eq!(add.counters["gm_to_ub_bytes"], 2.0 * add.counters["ub_to_gm_bytes"]);
    assert_eq!(add.counters["vector_lanes"], add.counters["ub_to_gm_bytes"] / 4.0);
    assert!(add.cycles < single.cycles, "{} {}", add.cycles, single.cycles);
    assert!(add.counters["overlap"] > single.counters["overlap"]);
}
