//! What the workspace tests share.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

pub mod cpu;
pub mod kernels;
pub mod mutate;
pub mod originals;
pub mod random;
pub mod reference;

pub use port_compilers as compilers;

/// What became of each kernel instance, and what was found, as snapshots have it.
pub fn summary(ported: &port::Ported) -> String {
    let mut text = String::new();
    for kernel in &ported.kernels {
        text += &format!(
            "{} {}{} ({})\n",
            kernel.status.as_str(),
            kernel.name,
            kernel.instance,
            kernel.lowering
        );
    }
    text.push('\n');
    for finding in &ported.diagnostics {
        text += &format!("{}[{}]: {}\n", finding.severity.as_str(), finding.code, finding.message);
    }
    text
}
