//! Code that means something else on the target although it is spelled the same, found by data flow
//! over the IR of all kernel instances in view. A place is reported once, whatever the number of
//! instances that show it.

use std::collections::BTreeSet;

use port_diag::{Finding, Span};
use port_ir::BarrierScope;
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::{Assumptions, ModuleUniformity, Uniformity};
use port_ir::analysis::{divergence, progress, warp_size};
use port_rewrite::Reason;

use super::architecture;
use super::port::Port;
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

    let mut seen = BTreeSet::new();
    for wait in progress::find(&program, &uniformity, CUDA_WARP) {
        if wait.needs != progress::Needs::Lanes {
            continue;
        }
        let span = wait.location.origin.span;
        if seen.insert((LockStep::METADATA.code, span)) {
            let reason = match wait.kind {
                progress::WaitKind::Lock => {
                    "it takes a lock that another lane of its warp may hold"
                }
                progress::WaitKind::Poll => "it waits for what another lane of its warp may write",
            };
            port.report_at(&LockStep { reason: reason.to_owned() }, span);
        }
    }
    for doubt in divergence::find(&program, &uniformity) {
        report_divergence(port, &doubt, &mut seen);
    }
    if !port.logical_warps() && wave(port) != CUDA_WARP {
        for assumption in warp_size::find(&program, CUDA_WARP) {
            report_width(port, &assumption, &mut seen);
        }
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
fn report_divergence(
    port: &mut Port<'_>,
    doubt: &divergence::Divergent,
    seen: &mut BTreeSet<(&'static str, Span)>,
) {
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
    let span = doubt.location.origin.span;
    if seen.insert((DivergentCollective::METADATA.code, span)) {
        let finding =
            DivergentCollective { operation: operation.to_owned(), scope: scope.to_owned() };
        port.report_at(&finding, span);
    }
}

/// A constant that stands for 32 lanes, where a warp has more.
fn report_width(
    port: &mut Port<'_>,
    assumption: &warp_size::Assumption,
    seen: &mut BTreeSet<(&'static str, Span)>,
) {
    let span = assumption.location.origin.span;
    let constant = port.unit.sources.text(span).to_owned();
    let reason = assumption.kind.description().to_owned();
    let certain = assumption.certainty == warp_size::Certainty::Certain;
    match assumption.kind {
        warp_size::AssumptionKind::FullMask if certain => {
            if seen.insert((FullMask::METADATA.code, span)) {
                port.report_at(&FullMask { constant }, span);
                let reason = Reason::Finding(FullMask::METADATA.code);
                port.changes.replace(span, FULL_MASK, reason);
            }
        }
        warp_size::AssumptionKind::NarrowMask => {
            if seen.insert((NarrowMask::METADATA.code, span)) {
                port.report_at(&NarrowMask { operation: constant }, span);
            }
        }
        _ if certain => {
            if seen.insert((WarpWidthConstant::METADATA.code, span)) {
                port.report_at(&WarpWidthConstant { constant, reason }, span);
            }
        }
        _ => {
            if seen.insert((LikelyWarpWidth::METADATA.code, span)) {
                port.report_at(&LikelyWarpWidth { constant, reason }, span);
            }
        }
    }
}
