//! Conditions on `__CUDA_ARCH__`. nvcc compiles a text twice, a port once: host code gets the host's
//! branch, code that only the device runs gets the device's, and what is for both gets the host's.

use std::collections::BTreeSet;

use port_backend::Unit;
use port_diag::Span;
use port_hir::FunctionId;
use port_rewrite::{FileText, Reason};
use port_syntax::{Conditional, TokenKind, preprocess};

use crate::findings::HostBranch;
use crate::port::Port;

/// The macro that stands for `__CUDA_ARCH__` where the device's branch is meant.
const ARCHITECTURE: &str = "PORT_CUDA_ARCH";
const CUDA: &str = "__CUDA_ARCH__";
const REASON: Reason = Reason::Row(CUDA);

/// The bytes of a function's definition.
struct Extent {
    span: Span,
    function: FunctionId,
}

/// A function for both sides whose body has a branch for the host.
pub(crate) struct HostBranchOf {
    pub function: FunctionId,
    pub directive: Span,
}

/// Edits the conditions; returns the places that keep the host's branch in what kernels may call.
pub(crate) fn apply(port: &mut Port<'_>) -> Vec<HostBranchOf> {
    let extents = extents(port);
    let differing = differing(port.unit);
    let mut kept = Vec::new();
    let mut renamed = false;
    for index in 0..port.files.len() {
        let id = port.files[index].id;
        let mut edits: BTreeSet<Span> = BTreeSet::new();
        for conditional in &differing {
            let Some(first) = conditional.branches.first() else { continue };
            if first.directive.file != id {
                continue;
            }
            match side(port, &extents, conditional) {
                CodeSide::Device => {
                    for branch in &conditional.branches {
                        edits.extend(names_in(&port.files[index], branch.directive));
                    }
                }
                CodeSide::Both(function) => {
                    kept.push(HostBranchOf { function, directive: first.directive });
                }
                CodeSide::Host => {}
            }
        }
        // The value itself, in code.
        let file = &port.files[index];
        for (at, token) in file.tokens.iter().enumerate() {
            let span = file.span(token);
            if token.kind == TokenKind::Identifier
                && file.bytes(token) == CUDA
                && file.directive_of(at).is_none()
                && innermost(&extents, span).is_some_and(|id| is_device_only(port, id))
            {
                edits.insert(span);
            }
        }
        renamed |= !edits.is_empty();
        for span in edits {
            port.changes.replace(span, ARCHITECTURE, REASON);
        }
    }
    if renamed {
        port.architecture = Some(format!("#define {ARCHITECTURE} {}", port.options.cuda_arch * 10));
    }
    kept
}

/// Reports a branch that a kernel on fibers takes as the host does.
pub(crate) fn report(port: &mut Port<'_>, branch: &HostBranchOf, compiled: &BTreeSet<FunctionId>) {
    let module = port.unit.module;
    let tokens: Vec<usize> = module.functions[branch.function].tokens.range().take(1).collect();
    let kernels = port.program.kernels_at(&tokens);
    let Some(kernel) = kernels.iter().find(|kernel| !compiled.contains(kernel)) else { return };
    let function = module.function_name(branch.function);
    let finding = HostBranch { function, kernel: module.function_name(*kernel) };
    port.report_at(&finding, branch.directive);
}

enum CodeSide {
    Device,
    Host,
    Both(FunctionId),
}

/// Whose code a conditional is.
fn side(port: &Port<'_>, extents: &[Extent], conditional: &Conditional) -> CodeSide {
    let Some(first) = conditional.branches.first() else { return CodeSide::Host };
    if let Some(function) = innermost(extents, first.directive) {
        return if is_device_only(port, function) {
            CodeSide::Device
        } else if port.program.is_device(function) {
            CodeSide::Both(function)
        } else {
            CodeSide::Host
        };
    }
    // Around declarations: the device's, unless there is host code or an include in it.
    for branch in &conditional.branches {
        let holds_host = extents.iter().any(|extent| {
            branch.body.contains(extent.span) && !is_device_only(port, extent.function)
        });
        let includes = &port.unit.parsed.unit.includes;
        if holds_host || includes.iter().any(|include| branch.body.contains(include.name_span)) {
            return CodeSide::Host;
        }
    }
    CodeSide::Device
}

fn is_device_only(port: &Port<'_>, function: FunctionId) -> bool {
    let qualifiers = &port.unit.module.functions[function].qualifiers;
    qualifiers.global || (qualifiers.device && !qualifiers.host)
}

fn innermost(extents: &[Extent], span: Span) -> Option<FunctionId> {
    let holding = extents.iter().filter(|extent| extent.span.contains(span));
    holding.min_by_key(|extent| extent.span.len()).map(|extent| extent.function)
}

fn extents(port: &Port<'_>) -> Vec<Extent> {
    let functions = port.unit.module.functions.iter();
    functions
        .filter_map(|(function, data)| {
            let span = port.source_span(data.tokens)?;
            Some(Extent { span, function })
        })
        .collect()
}

fn names_in(file: &FileText<'_>, directive: Span) -> Vec<Span> {
    let found = file
        .directives
        .iter()
        .find(|d| d.line.start <= directive.start && directive.start < d.line.end);
    let Some(found) = found else { return Vec::new() };
    let tokens = file.tokens.get(found.tokens.clone()).unwrap_or(&[]);
    let named = tokens.iter().filter(|token| file.bytes(token) == CUDA);
    named.map(|token| file.span(token)).collect()
}

/// The conditionals whose active branch is not the same in the two passes.
fn differing<'u>(unit: &Unit<'u>) -> Vec<&'u Conditional> {
    let host = host_pass(unit);
    let active_on_host: BTreeSet<Span> = active_branches(&host);
    let all = unit.parsed.unit.conditionals.iter();
    let differs = |conditional: &&Conditional| {
        let branches = conditional.branches.iter();
        branches.clone().any(|b| b.active != active_on_host.contains(&b.directive))
    };
    all.filter(differs).collect()
}

fn host_pass(unit: &Unit<'_>) -> Vec<Conditional> {
    let host = unit.configuration.clone().undefine(CUDA);
    preprocess(unit.sources, unit.root, &host).conditionals
}

/// The branches that neither pass compiles.
pub(crate) fn inactive(unit: &Unit<'_>) -> Vec<Span> {
    let host = host_pass(unit);
    let active_on_host: BTreeSet<Span> = active_branches(&host);
    let branches = unit.parsed.unit.conditionals.iter().flat_map(|c| &c.branches);
    branches
        .filter(|branch| !branch.active && !active_on_host.contains(&branch.directive))
        .map(|branch| branch.body)
        .collect()
}

fn active_branches(conditionals: &[Conditional]) -> BTreeSet<Span> {
    let branches = conditionals.iter().flat_map(|conditional| &conditional.branches);
    branches.filter(|branch| branch.active).map(|branch| branch.directive).collect()
}
