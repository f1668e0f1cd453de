//! Suites of others, which the repository does not keep: each runs over a checkout of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};

mod ascend;
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
    /// Public Ascend C (gitcode.com/cann/asc-devkit, `examples`) against the model of its API; needs
    /// Python with NumPy for the samples' own data and checks.
    Ascend {
        /// A folder of samples.
        #[arg(long)]
        path: PathBuf,
        /// Only samples whose path contains this.
        #[arg(long, default_value = "")]
        filter: String,
        /// Longest time of all samples together, in seconds; the rest is counted as not tried.
        #[arg(long, default_value_t = 1800)]
        seconds: u64,
    },
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
        Some(Suite::Ascend { path, filter, seconds }) => ascend::run(path, filter, *seconds),
        Some(Suite::MatlabTensorCore { path }) => matlab_tensor_core::run(path),
        Some(Suite::Varity { path, cases, port }) => varity::run(path, cases, port.as_deref()),
        None => {
            println!("ascend               samples of Ascend C: those that pass on the model");
            println!("matlab-tensor-core   matrix units: equal results by chip and format");
            println!(
                "varity               random programs: equal results at -O3 and with fast math"
            );
            Ok(())
        }
    }
}
