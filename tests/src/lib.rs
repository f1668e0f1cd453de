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

use libtest_mimic::Trial;
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

/// Trials in an order in which those of one kernel (what stands before the first `::`) are far from each
/// other, and those of one kind too: neighbours run at the same time, and would wait for the one that makes
/// what both need, a port, an executable or a compiled runtime.
pub fn in_turns(trials: Vec<Trial>) -> Vec<Trial> {
    let mut kernels: Vec<(String, Vec<Option<Trial>>)> = Vec::new();
    for trial in trials {
        let kernel = trial.name().split("::").next().unwrap_or_default().to_owned();
        match kernels.iter_mut().find(|(name, _)| *name == kernel) {
            Some((_, own)) => own.push(Some(trial)),
            None => kernels.push((kernel, vec![Some(trial)])),
        }
    }
    let rounds = kernels.iter().map(|(_, own)| own.len()).max().unwrap_or(0);
    let mut ordered = Vec::new();
    for round in 0..rounds {
        for (index, (_, own)) in kernels.iter_mut().enumerate().filter(|(_, of)| round < of.1.len())
        {
            let place = (round + index) % own.len();
            ordered.extend(own[place].take());
        }
    }
    ordered
}
