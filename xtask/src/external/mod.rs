//! Suites of others, which the repository does not keep: each runs over a checkout of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};

mod matlab_tensor_core;

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
}

pub fn run(arguments: &Arguments) -> Result<(), String> {
    match &arguments.suite {
        Some(Suite::MatlabTensorCore { path }) => matlab_tensor_core::run(path),
        None => {
            println!("matlab-tensor-core   matrix units: equal results by chip and format");
            Ok(())
        }
    }
}
