//! Suites of others, which the repository does not keep: each runs over a checkout of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};

mod matlab_tensor_core;
mod varity;

#[derive(Args)]
pub struct Arguments {
    /// Which suite; without one, lists them.
    #[command(subcommand)]
    suite: Option<Suite>,
}

#[derive(Subcommand)]
enum Suite {
    /// Published results of real matrix units (github.com/north-numerical-computing/MATLAB-tensor-core)
    /// against the models of `port-float`.
    MatlabTensorCore {
        /// A checkout of the repository.
        #[arg(long)]
        path: PathBuf,
    },
    /// Random programs with recorded results of a V100 (github.com/LLNL/Varity, `cuda_examples`)
    /// against `port run`.
    Varity {
        /// A checkout of the repository, or a folder of its `case_N` with `outputs.txt`.
        #[arg(long)]
        path: PathBuf,
        /// First and last case.
        #[arg(long, default_value = "1..100")]
        cases: String,
        /// The program to run; built if not given.
        #[arg(long)]
        port: Option<PathBuf>,
    },
}

pub fn run(arguments: &Arguments) -> Result<(), String> {
    match &arguments.suite {
        Some(Suite::MatlabTensorCore { path }) => matlab_tensor_core::run(path),
        Some(Suite::Varity { path, cases, port }) => varity::run(path, cases, port.as_deref()),
        None => {
            println!("matlab-tensor-core   matrix units: equal results by chip and format");
            println!(
                "varity               random programs: equal results at -O3 and with fast math"
            );
            Ok(())
        }
    }
}
