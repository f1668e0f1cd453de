//! Code that means something else on the target although it is spelled the same, found by data flow
//! over the IR of all kernel instances in view. A place is reported once, whatever the number of
//! instances that show it.

use std::collections::{BTreeMap, BTreeSet};

use port_diag::{Finding, Span};
use port_hir::{ExprKind, FunctionId};
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::{Assumptions, ModuleUniformity, Uniformity};
use port_ir::analysis::{divergence, progress, warp_size};
use port_ir::{BarrierScope, Handle, Location};
use port_rewrite::Reason;

use super::architecture;
use super::port::Port;
use super::rules::source_span;
use crate::findings::{
    DivergentCollective, FullMask, LikelyWarpWidth, LockStep, NarrowMask, UncheckedKernel,
    WarpWidthConstant,
};

/// Lanes of a warp in CUDA: the number that the source was written for.
const CUDA_WARP: u32 = 32;

/// What a native port writes for a mask of all lanes.
const FULL_MASK: &str = "PORT_FULL_MASK";

/// Searches the IR and reports.
pub(super) fn apply(port: &mut Port<'_>) {
    let module = port.unit.ir;
    // An invalid module is a defect of ours: nothing is concluded from it, and the kernels' status
    // says that they were not analysed.
    let Ok(info) = port_ir::validate(module) else { return };
    // Inlined, so that what goes through objects, references and wrappers is seen.
    let module = &port_ir::passes::flatten(module, &info);
    let Ok(info) = port_ir::validate(module) else { return };
    let program = Program::of(module, &info);
    let assumptions = Assumptions::from_launches(module, Some(CUDA_WARP));
    let uniformity = ModuleUniformity::of(&program, assumptions);

    let mut search = Search::new(port);
    for wait in progress::find(&program, &uniformity, CUDA_WARP) {
        if wait.needs != progress::Needs::Lanes {
            continue;
        }
        let reason = match wait.kind {
            progress::WaitKind::Lock => "it takes a lock that another lane of its warp may hold",
            progress::WaitKind::Poll => "it waits for what another lane of its warp may write",
        };
        let finding = LockStep { reason: reason.to_owned() };
        search.report(port, &finding, wait.location, Some(wait.function));
    }
    for doubt in divergence::find(&program, &uniformity) {
        report_divergence(port, &doubt, &mut search);
    }
    if !port.logical_warps() && wave(port) != CUDA_WARP {
        for assumption in warp_size::find(&program, CUDA_WARP) {
            report_width(port, &assumption, &mut search);
        }
    }
}

/// What a search needs besides the IR.
struct Search {
    /// The kernel that each function of the IR is an instance of.
    kernels: BTreeMap<Handle<port_ir::Function>, FunctionId>,
    /// What is reported, with the index of the finding.
    seen: BTreeMap<(&'static str, Span), usize>,
    /// The calls of the text. What stands at one is of the function that was called.
    calls: BTreeSet<Span>,
}

impl Search {
    fn new(port: &Port<'_>) -> Search {
        let instances = port.unit.instances.iter();
        let kernels = instances.filter_map(|one| Some((one.function?, one.kernel))).collect();
        let exprs = port.unit.module.exprs.iter();
        let calls = exprs
            .filter(|(_, expr)| matches!(expr.kind, ExprKind::Call { .. }))
            .filter_map(|(_, expr)| source_span(port, expr.tokens))
            .collect();
        Search { kernels, seen: BTreeMap::new(), calls }
    }

    /// Reports a finding, each place once, and notes every kernel in which the place shows it: a
    /// macro's body is in many. `true` when it is new.
    fn report<F: Finding>(
        &mut self,
        port: &mut Port<'_>,
        finding: &F,
        location: Location,
        function: Option<Handle<port_ir::Function>>,
    ) -> bool {
        let origin = location.origin;
        let kernel = function.and_then(|function| self.kernels.get(&function)).copied();
        let key = (F::METADATA.code, origin.span);
        let known = self.seen.get(&key).copied();
        let index = known.unwrap_or(port.findings.len());
        if known.is_none() {
            self.seen.insert(key, index);
            match kernel {
                Some(kernel) => {
                    let name = port.unit.module.function_name(kernel);
                    port.report_in(finding, origin, None, name);
                }
                None => port.report_at(finding, origin.span),
            }
        }
        if let Some(kernel) = kernel {
            port.concerned.entry(index).or_default().insert(kernel);
        }
        known.is_none()
    }
}

/// Reports the kernels that could not be searched. Comes after every other finding: a kernel that
/// needs a person anyway is not reported twice.
pub(super) fn report_unchecked(port: &mut Port<'_>) {
    let module = port.unit.module;
    let mut unchecked = Vec::new();
    let instances = port.instances_by_kernel();
    for (id, kernel) in port.defined_kernels() {
        let mut instances = instances.get(&id).into_iter().flatten();
        let Some(first) = instances.clone().next() else {
            let why = "no instance of it is in view".to_owned();
            unchecked.push((id, kernel.origin, why, None));
            continue;
        };
        if let Some(failed) = instances.find(|instance| instance.function.is_none()) {
            let failure = failed.failure.as_ref().or(first.failure.as_ref());
            let why = failure.map_or("it could not be lowered", |f| f.message.as_str()).to_owned();
            let place =
                failure.and_then(|failure| failure.primary.as_ref()).map(|label| label.span);
            unchecked.push((id, kernel.origin, why, place));
        }
    }
    let codes = port.codes_by_kernel();
    for (id, origin, why, place) in unchecked {
        let kernel = module.function_name(id);
        if !port.is_manual(id, &codes) {
            let finding = UncheckedKernel { kernel: kernel.clone(), why };
            port.report_in(&finding, origin, place, kernel);
        }
    }
}

/// Lanes of a wave of the architecture asked for; without one, of the widest.
fn wave(port: &Port<'_>) -> u32 {
    let named = port.options.architecture;
    let chip = architecture::ALL.iter().find(|chip| Some(chip.name) == named);
    chip.map_or(64, |chip| chip.wave)
}

/// A barrier or warp operation that only a part of its threads is sure to reach, where it is not
/// just that the others have returned: hardware does not wait for those.
fn report_divergence(port: &mut Port<'_>, doubt: &divergence::Divergent, search: &mut Search) {
    let (operation, scope) = match doubt.needs {
        divergence::Needs::Barrier(BarrierScope::Block) => ("a barrier of the block", "block"),
        divergence::Needs::Barrier(BarrierScope::Grid) => ("a barrier of the grid", "grid"),
        divergence::Needs::Matrix => ("a matrix operation", "warp"),
        // The program has chosen its lanes, or takes those that are there.
        _ => return,
    };
    if doubt.only_returns() || doubt.together == Uniformity::Block {
        return;
    }
    let finding = DivergentCollective { operation: operation.to_owned(), scope: scope.to_owned() };
    search.report(port, &finding, doubt.location, Some(doubt.function));
}

/// A constant that stands for 32 lanes, where a warp has more.
fn report_width(port: &mut Port<'_>, assumption: &warp_size::Assumption, search: &mut Search) {
    let (location, function) = (assumption.location, assumption.function);
    let span = location.origin.span;
    // A constant inside a function of the library, or the value of a parameter that the call leaves
    // out: the target's own function is right about it.
    let is_call = search.calls.contains(&span);
    if is_call && assumption.kind != warp_size::AssumptionKind::NarrowMask {
        return;
    }
    let constant = port.unit.sources.text(span).to_owned();
    let reason = assumption.kind.description().to_owned();
    let certain = assumption.certainty == warp_size::Certainty::Certain;
    match assumption.kind {
        warp_size::AssumptionKind::FullMask if certain => {
            if search.report(port, &FullMask { constant }, location, function) {
                let reason = Reason::Finding(FullMask::METADATA.code);
                port.changes.replace(span, FULL_MASK, reason);
            }
        }
        warp_size::AssumptionKind::NarrowMask => {
            search.report(port, &NarrowMask { operation: constant }, location, function);
        }
        _ if certain => {
            search.report(port, &WarpWidthConstant { constant, reason }, location, function);
        }
        _ => {
            search.report(port, &LikelyWarpWidth { constant, reason }, location, function);
        }
    }
}
