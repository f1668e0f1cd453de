//! Conditionals that the target would compile differently: found by reading the text again under
//! the target's macros and comparing which branches are active.

use std::collections::BTreeSet;

use port_backend::Unit;
use port_diag::Span;
use port_syntax::preprocess;

use super::port::Port;
use crate::findings::TargetOnlyBranch;

/// Reports every conditional whose active branch differs.
pub(super) fn report(port: &mut Port<'_>) {
    // What the port tests in place of CUDA's macros has the value that they have in the reference,
    // so they stay defined; what HIP's compilers define comes on top.
    let mut target = port.unit.configuration.clone();
    target.name = "hip";
    for (name, value) in HIP_MACROS {
        target = target.define(name, value);
    }
    let read = preprocess(port.unit.sources, port.unit.root, &target);
    let active_in_reference: BTreeSet<Span> = active_branches(&port.unit.parsed.unit.conditionals);
    let known: BTreeSet<Span> = directives(&port.unit.parsed.unit.conditionals);
    let mut differing: Vec<Span> = active_branches(&read.conditionals)
        .into_iter()
        .filter(|directive| known.contains(directive) && !active_in_reference.contains(directive))
        .collect();
    differing.sort();
    for directive in differing {
        let finding = TargetOnlyBranch { target: port.target() };
        port.report_at(&finding, directive);
    }
}

/// The branches that neither of the reference's passes, over the device's code and over the host's,
/// compiles.
pub(super) fn inactive(unit: &Unit<'_>) -> Vec<Span> {
    let host = unit.configuration.clone().undefine("__CUDA_ARCH__");
    let host = preprocess(unit.sources, unit.root, &host);
    let active_on_host: BTreeSet<Span> = active_branches(&host.conditionals);
    let branches = unit.parsed.unit.conditionals.iter().flat_map(|c| &c.branches);
    branches
        .filter(|branch| !branch.active && !active_on_host.contains(&branch.directive))
        .map(|branch| branch.body)
        .collect()
}

/// What tells HIP's compilers from nvcc. `USE_ROCM` is what PyTorch's extensions are built with.
const HIP_MACROS: [(&str, &str); 6] = [
    ("__HIPCC__", "1"),
    ("__HIP__", "1"),
    ("__HIP_PLATFORM_AMD__", "1"),
    ("__HIP_PLATFORM_HCC__", "1"),
    ("__HIP_DEVICE_COMPILE__", "1"),
    ("USE_ROCM", "1"),
];

fn active_branches(conditionals: &[port_syntax::Conditional]) -> BTreeSet<Span> {
    let branches = conditionals.iter().flat_map(|conditional| &conditional.branches);
    branches.filter(|branch| branch.active).map(|branch| branch.directive).collect()
}

fn directives(conditionals: &[port_syntax::Conditional]) -> BTreeSet<Span> {
    let branches = conditionals.iter().flat_map(|conditional| &conditional.branches);
    branches.map(|branch| branch.directive).collect()
}
