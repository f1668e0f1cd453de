//! The project's chores, each one command: `cargo xtask <TASK>`.

// An outermost crate: it reads and writes files and starts compilers.
#![allow(clippy::disallowed_methods)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod codegen_api;
mod codegen_assets;
mod codegen_ast;
mod codegen_profiles;
mod external;
mod fuzz;
mod mutants;
mod setup;
mod tidy;
mod validate;
mod verify_api;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measures the front end in release mode; `bench cpu`: ports to the processor.
    Bench {
        /// `cpu`, or CUDA files for the front end; the bundled kernels when none is given.
        paths: Vec<String>,
    },
    /// Regenerates the committed code and documentation pages that come from data.
    Codegen {
        /// Changes nothing; fails where a committed file is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Compares with suites of others, over a checkout of theirs.
    External(external::Arguments),
    /// Runs mutants of real texts through the stages; what fails is shortened and saved.
    Fuzz(fuzz::Arguments),
    /// Plants faults into the ports of all kernels; says which the check finds, and at which line.
    Mutants {
        /// The ports: hip or ascend.
        #[arg(long, default_value = "hip")]
        target: String,
        /// Decides which faults.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Faults of each kernel; 16 for HIP, 2 for each chip of Ascend.
        #[arg(long)]
        per_kernel: Option<usize>,
        /// Kernels whose names hold one of these; all when none is given.
        kernels: Vec<String>,
    },
    /// Installs the compilers, header sets and cargo tools that tests and checks use.
    Setup(setup::Arguments),
    /// Checks house rules that no compiler checks.
    Tidy,
    /// Compiles HIP files by clang for every architecture and header set, CUDA files by nvcc.
    Validate(validate::Arguments),
    /// Checks that every HIP name of the API tables is in the installed HIP headers.
    VerifyApi,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Bench { paths } => bench::run(&paths),
        Task::Codegen { check } => codegen_api::run(check)
            .and(codegen_ast::run(check))
            .and(codegen_profiles::run(check))
            .and(codegen_assets::run(check)),
        Task::External(arguments) => external::run(&arguments),
        Task::Fuzz(arguments) => fuzz::run(&arguments),
        Task::Mutants { target, seed, per_kernel, kernels } => {
            mutants::run(&target, seed, per_kernel, &kernels)
        }
        Task::Setup(arguments) => setup::run(&arguments),
        Task::Tidy => tidy::run(),
        Task::Validate(arguments) => validate::run(&arguments),
        Task::VerifyApi => verify_api::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
