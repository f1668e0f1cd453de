//! `cargo xtask mutants`: the faults of `port_tests::mutate`, over all kernels.

use std::process::Command;

/// Runs them in a process of its own, so that xtask needs none of the workspace. Those of HIP ports
/// are found by the check, those of Ascend ports by the model of the chip.
pub fn run(
    target: &str,
    seed: u64,
    per_kernel: Option<usize>,
    kernels: &[String],
) -> Result<(), String> {
    let (example, usual) = match target {
        "hip" => ("mutants", 16),
        "ascend" => ("ascend_mutants", 2),
        other => return Err(format!("no mutants for `{other}`: hip or ascend")),
    };
    let per_kernel = per_kernel.unwrap_or(usual);
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "port-tests", "--example", example, "--"])
        .args(["--seed", &seed.to_string(), "--per-kernel", &per_kernel.to_string()])
        .args(kernels)
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("too many faults were not found".into()),
    }
}
