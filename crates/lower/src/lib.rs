//! From names and types to the IR: `port-hir`'s module, in which templates are not instantiated and
//! overloads not chosen, becomes functions with known types.
//!
//! [`lower`] does three things. [`instances`](fn@instances) finds which kernels are used with which
//! template arguments. Checking gives every expression of a kernel, and of what it calls, its type:
//! templates are instantiated, overloads chosen, conversions written out, constants evaluated. Then
//! the IR is emitted, every node with the place in the user's text that asked for it.
//!
//! What cannot be understood, or has no form in the IR, is a finding (`P03xx`) at its place, with the
//! calls that lead there from the kernel, and poison in the IR: nothing that uses it is translated.
//!
//! This crate knows no target.

mod check;
mod classes;
mod constant;
mod context;
mod conversion;
mod deduce;
mod emit;
pub mod findings;
mod functions;
mod instances;
mod intrinsics;
mod library;
mod lookup;
mod names;
mod overload;
mod reader;
mod substitute;
mod traits;
mod ty;
mod typed;
mod value;
mod walk;

use port_diag::Diagnostic;
use port_hir::{FunctionId, LaunchId};
use port_ir::{ArgumentFact, Function, Handle, LaunchFacts, Type};

pub use findings::FINDINGS;

/// What to lower.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only these kernels, by name (with or without namespace) or instance; empty for all.
    pub kernels: Vec<String>,
    /// Instances besides those that are in view: `k<float, 128>`.
    pub instantiate: Vec<String>,
    /// Whether kernel templates that nothing instantiates are lowered for default arguments.
    pub defaults: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { kernels: Vec::new(), instantiate: Vec::new(), defaults: true }
    }
}

/// Why an instance is lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstanceSource {
    /// It is no template.
    Plain,
    /// Host code in view launches it, or takes its address.
    Launch,
    /// The source instantiates it explicitly.
    ExplicitInstantiation,
    /// [`Options::instantiate`] asks for it.
    Asked,
    /// Nothing says how it is used: default arguments.
    Default,
}

/// A kernel with known template arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The kernel.
    pub kernel: FunctionId,
    /// Its qualified name with template arguments, as a person writes them: `ns::k<float, 128>`.
    pub name: String,
    /// Why it is lowered.
    pub source: InstanceSource,
    /// The texts of [`Options::instantiate`] that name it.
    pub asked_as: Vec<String>,
    /// The launches in view that use it, in the order of the text.
    pub launches: Vec<LaunchId>,
}

/// What became of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceReport {
    /// The instance.
    pub instance: Instance,
    /// The kernel in the IR; `None` if not even its parameters could be read.
    pub function: Option<Handle<Function>>,
    /// The codes of the findings that keep it, or a function it calls, from being translated; in
    /// order, each once. Empty: it is translated whole.
    pub codes: Vec<&'static str>,
}

impl InstanceReport {
    /// Whether all of the kernel was translated.
    pub fn is_whole(&self) -> bool {
        self.function.is_some() && self.codes.is_empty()
    }
}

/// What [`lower`] gives.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Kernels, what they call, their variables, and what is known of launches.
    pub module: port_ir::Module,
    /// The instances, in the order of the kernels in the text.
    pub instances: Vec<InstanceReport>,
    /// Findings, in the order in which they were made.
    pub diagnostics: Vec<Diagnostic>,
}

/// The instances of kernels that a translation unit needs.
pub fn instances(module: &port_hir::Module, options: &Options) -> (Vec<Instance>, Vec<Diagnostic>) {
    with_stack(|| {
        let mut cx = context::Context::new(module);
        let found = instances::find(&mut cx, options);
        let list = found.iter().map(|found| instance(&cx, found)).collect();
        (list, cx.diagnostics)
    })
}

/// Lowers a translation unit.
pub fn lower(module: &port_hir::Module, options: &Options) -> Lowered {
    with_stack(|| lower_here(module, options))
}

fn instance(cx: &context::Context<'_>, found: &instances::Found) -> Instance {
    let entry = cx.function(found.kernel);
    let kernel = match entry.source {
        context::FunctionSource::Function(id) => id,
        context::FunctionSource::Lambda(_) => FunctionId::from_index(0),
    };
    let mut launches: Vec<LaunchId> = found.launches.iter().map(|found| found.launch).collect();
    launches.sort();
    launches.dedup();
    let (name, asked_as) = (entry.name.clone(), found.asked_as.clone());
    Instance { kernel, name, source: found.source, asked_as, launches }
}

fn lower_here(module: &port_hir::Module, options: &Options) -> Lowered {
    let mut cx = context::Context::new(module);
    let found = instances::find(&mut cx, options);
    let mut lowerer = emit::Lowerer::new(cx);
    let mut reports = Vec::new();
    for found in &found {
        let function = lowerer.kernel(found.kernel);
        let instance = instance(&lowerer.cx, found);
        if let Some(kernel) = function {
            for launch in &found.launches {
                let arguments = argument_facts(&lowerer.module.functions[kernel], launch);
                lowerer.module.launches.push(LaunchFacts {
                    kernel,
                    grid: launch.grid,
                    block: launch.block,
                    dynamic_shared: launch.shared,
                    arguments,
                    location: launch.origin.into(),
                });
            }
        }
        reports.push(InstanceReport { instance, function, codes: Vec::new() });
    }
    lowerer.leave_out_invalid();
    for report in &mut reports {
        if let Some(function) = report.function {
            report.codes = lowerer.codes(function);
        }
    }
    Lowered { module: lowerer.module, instances: reports, diagnostics: lowerer.cx.diagnostics }
}

/// What is known of a launch's integers.
fn argument_facts(kernel: &Function, launch: &instances::LaunchFound) -> Vec<ArgumentFact> {
    let is_integer = |ty: Type| matches!(ty, Type::Scalar(scalar) if scalar.is_integer());
    let arguments = (0..).zip(kernel.parameters.iter().zip(&launch.arguments));
    let facts = arguments.filter(|(_, (parameter, _))| is_integer(parameter.ty));
    facts
        .filter_map(|(parameter, (_, range))| {
            Some(ArgumentFact::Range { parameter, range: (*range)? })
        })
        .collect()
}

/// Templates and calls nest deeper than a thread's usual stack holds in a debug build; the limits
/// that bound them are counted, not felt. Where memory is limited less must do: an optimised build
/// needs a small part of it.
const STACKS: [usize; 4] = [512 << 20, 128 << 20, 64 << 20, 16 << 20];

fn with_stack<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let mut work = Some(work);
    for size in STACKS {
        let done = std::thread::scope(|scope| {
            let slot = &mut work;
            // The thread takes the work only once it runs, so a failure leaves it for the next try.
            let run = move || slot.take().map(|work| work());
            let thread = std::thread::Builder::new().stack_size(size).spawn_scoped(scope, run);
            match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(_) => None,
            }
        });
        if let Some(result) = done {
            return result;
        }
    }
    match work {
        Some(work) => work(),
        // A thread ran and has given its result above.
        None => unreachable!("work is taken once, and its result returned"),
    }
}
