//! The analyses, from files that say what they must find and why.

mod common;

use common::Case;
use port_ir::analysis::affine::{AccessKind, Affine};
use port_ir::analysis::divergence::{self, MaskKind, Needs};
use port_ir::analysis::flow::Root;
use port_ir::analysis::program::Program;
use port_ir::analysis::progress;
use port_ir::analysis::uniformity::{Assumptions, CauseKind, ModuleUniformity};
use port_ir::analysis::warp_size;
use port_ir::passes::flatten;
use port_ir::{ModuleInfo, validate};

/// Lanes of a warp in the programs of these tests.
const WARP_WIDTH: u32 = 32;

fn valid(case: &Case) -> ModuleInfo {
    validate(&case.module).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors
            .iter()
            .map(|error| format!("{}:{}: {error}", case.name, case.line(error.location)))
            .collect();
        panic!("{}", lines.join("\n"))
    })
}

fn uniformity(program: &Program<'_>) -> ModuleUniformity {
    let assumptions = Assumptions::from_launches(program.module, Some(WARP_WIDTH));
    ModuleUniformity::of(program, assumptions)
}

fn cause(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Branch => "branch",
        CauseKind::Loop => "loop",
        CauseKind::Continue => "continue",
        CauseKind::Return => "return",
    }
}

/// Each line that says something about a value or statement says what is true.
#[test]
fn uniformity_of_values_and_statements() {
    for case in common::cases("uniformity") {
        let info = valid(&case);
        let program = Program::of(&case.module, &info);
        let uniformity = uniformity(&program);
        let mut facts = Vec::new();
        for (handle, function) in case.module.functions.iter() {
            let known = uniformity.function(handle);
            for (value, expression) in function.expressions.iter() {
                // Leaves have lines of their own only where they have names.
                if !expression.is_leaf() {
                    let line = case.line(function.expressions.location(value));
                    facts.push((line, format!("value: {}", known.value(value).name())));
                }
            }
            for (id, entry) in program.flow(handle).statements() {
                let line = case.line(Some(entry.statement.location));
                let together = known.together(id);
                facts.push((line, format!("together: {}", together.level.name())));
                for reason in together.causes.iter() {
                    let at = case.label(reason.location);
                    facts.push((line, format!("parted: {} at {at}", cause(reason.kind))));
                }
            }
        }
        assert!(!case.expected.is_empty(), "{} expects nothing", case.name);
        for (line, words) in &case.expected {
            let about: Vec<&String> =
                facts.iter().filter(|(at, _)| at == line).map(|(_, fact)| fact).collect();
            assert!(about.contains(&words), "{}:{line}: {words} is not in {about:?}", case.name);
        }
    }
}

#[test]
fn divergent_barriers_and_warp_operations() {
    for case in common::cases("divergence") {
        let info = valid(&case);
        let program = Program::of(&case.module, &info);
        let found = divergence::find(&program, &uniformity(&program));
        let answers = found.iter().map(|divergent| {
            let needs = match divergent.needs {
                Needs::Barrier(_) => "barrier".to_string(),
                Needs::Warp(MaskKind::Active) => "warp active".to_string(),
                Needs::Warp(MaskKind::Computed) => "warp computed".to_string(),
                Needs::Warp(MaskKind::Constant(bits)) => format!("warp {bits:#x}"),
                Needs::Matrix => "matrix".to_string(),
            };
            let why = if divergent.only_returns() {
                "only return"
            } else {
                divergent.causes.first().map_or("?", |first| cause(first.kind))
            };
            let words = format!("{needs} together: {}, {why}", divergent.together.name());
            (case.line(Some(divergent.location)), words)
        });
        case.check(answers.collect());
    }
}

#[test]
fn constants_that_stand_for_the_width_of_a_warp() {
    for case in common::cases("warp_size") {
        let info = valid(&case);
        let found = warp_size::find(&Program::of(&case.module, &info), WARP_WIDTH);
        let answers = found.iter().map(|assumption| {
            let warp_size::Assumption { kind, certainty, constant, .. } = assumption;
            (case.line(Some(assumption.location)), format!("{kind:?} {certainty:?} {constant}"))
        });
        case.check(answers.collect());
    }
}

#[test]
fn loops_that_wait_for_another_thread() {
    for case in common::cases("progress") {
        let info = valid(&case);
        let program = Program::of(&case.module, &info);
        let found = progress::find(&program, &uniformity(&program), WARP_WIDTH);
        let answers = found.iter().map(|wait| {
            (case.line(Some(wait.location)), format!("{:?} {:?}", wait.kind, wait.needs))
        });
        case.check(answers.collect());
    }
}

/// Accesses to memory that is not local, with the labels of loops for their passes.
#[test]
fn addresses_as_polynomials() {
    for case in common::cases("affine") {
        let info = valid(&case);
        let program = Program::of(&case.module, &info);
        let mut answers = Vec::new();
        for (_, flow) in program.functions() {
            for access in Affine::new(flow, &case.module.types).accesses() {
                let root = match access.address.root {
                    Root::Argument(index) => &flow.function.parameters[index as usize].name,
                    Root::Variable(variable) => &case.module.variables[variable].name,
                    _ => continue,
                };
                let kind = match access.kind {
                    AccessKind::Read => "read",
                    AccessKind::Write => "write",
                    AccessKind::Atomic => "atomic",
                };
                let mut offset = access.address.offset.text(flow.function);
                // Longer numbers first: one may begin another.
                let mut statements: Vec<_> = flow.statements().collect();
                statements.reverse();
                for (id, entry) in statements {
                    let label = case.label(entry.statement.location);
                    offset = offset.replace(&format!("pass{}", id.0), &label);
                }
                let bytes = access.bytes.unwrap_or(0);
                let line = case.line(Some(flow.entry(access.statement).statement.location));
                answers.push((line, format!("{kind} {bytes}: {root} + {offset}")));
            }
        }
        case.check(answers);
    }
}

/// The analyses of a module after [`flatten`]: what is in methods and behind references is seen.
#[test]
fn flattened_modules() {
    for case in common::cases("flattened") {
        let flat = flatten(&case.module, &valid(&case));
        let info = validate(&flat).unwrap_or_else(|errors| panic!("{errors:?}"));
        let program = Program::of(&flat, &info);
        let mut answers = Vec::new();
        for assumption in warp_size::find(&program, WARP_WIDTH) {
            answers.push((case.line(Some(assumption.location)), format!("{:?}", assumption.kind)));
        }
        for divergent in divergence::find(&program, &uniformity(&program)) {
            // The statement is in the method; the call says which one is meant.
            let kernel = &flat.functions[divergent.function];
            let call = divergent.location.inlined.map(|frame| kernel.inlined[frame].call);
            let place = call.unwrap_or(divergent.location);
            answers.push((case.line(Some(place)), "divergent".to_string()));
        }
        case.check(answers);
    }
}

/// Inlining loses no constant, and finds none that is not there.
#[test]
fn constants_are_the_same_after_flattening() {
    for case in common::cases("warp_size") {
        let flat = flatten(&case.module, &valid(&case));
        let info = validate(&flat).unwrap_or_else(|errors| panic!("{errors:?}"));
        let found = warp_size::find(&Program::of(&flat, &info), WARP_WIDTH);
        let answers = found.iter().map(|assumption| {
            let warp_size::Assumption { kind, certainty, constant, .. } = assumption;
            (case.line(Some(assumption.location)), format!("{kind:?} {certainty:?} {constant}"))
        });
        case.check(answers.collect());
    }
}
