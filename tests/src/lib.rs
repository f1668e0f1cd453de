//! What the workspace tests share.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

pub mod ascend_cost;
pub mod ascend_text;
pub mod cpu;
pub mod kernels;
pub mod mutate;
pub mod originals;
pub mod random;
pub mod reference;

pub use port_compilers as compilers;

/// Whether every kernel is built in every flavour (`PORT_TEST_ALL_FLAVOURS=1`). Else flavours that have
/// much in common take turns from kernel to kernel: compilers take most of the time of the suite.
pub fn all_flavours() -> bool {
    std::env::var_os("PORT_TEST_ALL_FLAVOURS").is_some_and(|value| value == "1")
}

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
