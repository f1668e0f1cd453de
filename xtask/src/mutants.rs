//! `cargo xtask mutants`: the faults of `port_tests::mutate`, over all kernels.

use std::process::Command;

/// Runs them in a process of its own, so that xtask needs none of the workspace.
pub fn run(seed: u64, per_kernel: usize, kernels: &[String]) -> Result<(), String> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "port-tests", "--example", "mutants", "--"])
        .args(["--seed", &seed.to_string(), "--per-kernel", &per_kernel.to_string()])
        .args(kernels)
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("too many faults were not found".into()),
    }
}
