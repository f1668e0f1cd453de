//! `cargo xtask fuzz`: starts the fuzzer of `crates/fuzz`, in release mode.

use std::process::Command;

use crate::tidy::workspace_root;

/// Which stages, and for how long.
#[derive(clap::Args)]
pub struct Arguments {
    /// The stages (lexer, preprocessor, parser, hir, lower, ir-text, port-hip, port-cpu, port-ascend,
    /// machine, spec); all of them when none is given.
    stages: Vec<String>,
    /// Seconds of the processor, shared by the stages.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the mutants begin; another number gives other mutants.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Without optimisation: slower, and overflows of integers are found.
    #[arg(long)]
    debug: bool,
}

/// Runs the fuzzer; an error where it found something.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(workspace_root()).args(["run", "--quiet", "-p", "port-fuzz"]);
    if !arguments.debug {
        command.arg("--release");
    }
    command.arg("--").args(&arguments.stages);
    command.args(["--seconds", &arguments.seconds.to_string()]);
    command.args(["--seed", &arguments.seed.to_string()]);
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("inputs that fail are in fixtures/fuzz".to_owned()) }
}
