//! `cargo xtask bench`: figures for speed. Nothing fails by being slow.
//!
//! Without a name, or with files, it is the front end that is measured. `cargo xtask bench cpu` measures
//! ports to the processor, `cargo xtask bench simt` the SIMT machine. Another measurement is a module and a line in [`run`].

mod cpu;
mod simt;

use std::process::Command;

use crate::tidy::{files, workspace_root};

/// Runs the measurement that the first argument names; by default that of the front end, over the
/// bundled kernels or over the files named.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments.first().map(String::as_str) {
        Some("cpu") => cpu::run(),
        Some("simt") => simt::run(),
        _ => front_end(arguments),
    }
}

fn front_end(paths: &[String]) -> Result<(), String> {
    let root = workspace_root();
    let kernels = files(&root.join("kernels"), "cu");
    let kernels = kernels.iter().filter_map(|path| path.strip_prefix(&root).ok());
    let mut arguments: Vec<String> = paths.to_vec();
    if arguments.is_empty() {
        arguments = kernels.map(|path| path.display().to_string()).collect();
    }
    let status = Command::new(env!("CARGO"))
        .current_dir(&root)
        .args(["run", "--quiet", "--release", "-p", "port", "--example", "front_end_speed", "--"])
        .args(&arguments)
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the measuring program failed".to_owned()) }
}
