//! Public Ascend C against the model of its API, in a process of its own, so that xtask needs none of
//! the workspace.

use std::path::Path;
use std::process::Command;

/// Runs every sample below a folder whose path contains `filter`, for so many seconds.
pub fn run(path: &Path, filter: &str, seconds: u64) -> Result<(), String> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "port-check", "--example", "ascend_samples", "--"])
        .arg(path)
        .arg(filter)
        .arg(seconds.to_string())
        // As the device compiler does by default, and as public samples expect.
        .env("PORT_ASCEND_AUTO_SYNC", "on")
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("not every sample passes".into()),
    }
}
