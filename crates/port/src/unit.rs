//! One translation unit, analysed once for all targets.

use port_backend::{FileRole, KernelInstance, Options as BackendOptions, OutputFile, Ported, Unit};
use port_diag::{Diagnostic, FileId, Finding, Severity, SourceMap};
use port_hir::Module;
use port_syntax::{Configuration, Parsed};

use crate::device::Dialect;
use crate::{Options, Target, Translation};

/// The finding of a limit of the front end; one about the whole unit leaves no token of it.
const UNIT_TOO_LARGE: &str = "P0114";

/// A translation unit under the reference configuration.
pub struct Analysis<'a> {
    sources: &'a SourceMap,
    root: FileId,
    options: &'a Options,
    configuration: Configuration,
    parsed: Parsed,
    module: Module,
    ir: port_ir::Module,
    instances: Vec<KernelInstance>,
    /// Findings of the front end.
    diagnostics: Vec<Diagnostic>,
    /// Findings of lowering. An error of these keeps a kernel out of the IR; whether that keeps it
    /// from being ported is for the back end to say.
    lowering: Vec<Diagnostic>,
}

impl<'a> Analysis<'a> {
    /// Reads, parses, resolves and lowers a file with its headers.
    pub fn new(sources: &'a SourceMap, root: FileId, options: &'a Options) -> Self {
        let configuration = configuration(options, Dialect::Cuda);
        let parsed = read(sources, root, options);
        let mut diagnostics = parsed.unit.diagnostics.clone();
        let module = port_hir::build(&parsed.unit);
        diagnostics.extend(module.diagnostics.iter().cloned());
        let asked = port_lower::Options {
            instantiate: options.instantiate.clone(),
            ..port_lower::Options::default()
        };
        let lowered = port_lower::lower(&module, &asked);
        let instances = lowered.instances.iter().map(|report| instance(report, &lowered)).collect();
        Analysis {
            sources,
            root,
            options,
            configuration,
            parsed,
            module,
            ir: lowered.module,
            instances,
            diagnostics,
            lowering: lowered.diagnostics,
        }
    }

    /// The port to one target, with the findings of the front end.
    pub fn port(&self, target: &Target) -> Translation {
        let about_instances = |finding: &&Diagnostic| {
            finding.severity < Severity::Error || NO_TARGET_HELPS.contains(&finding.code)
        };
        let mut findings = self.diagnostics.clone();
        findings.extend(self.lowering.iter().filter(about_instances).cloned());
        let unit = Unit {
            sources: self.sources,
            root: self.root,
            configuration: &self.configuration,
            parsed: &self.parsed,
            module: &self.module,
            instances: &self.instances,
            ir: &self.ir,
            findings: &findings,
        };
        let options = BackendOptions {
            warp: self.options.warp,
            architecture: target.architecture.map(|architecture| architecture.name),
            cuda_arch: self.options.cuda_arch,
            shared_folder: self.options.shared_folder.clone(),
            float: self.options.float,
            cann: self.options.cann,
            project: self.options.project,
            torch: self.options.torch,
            specification: self.options.specification.clone(),
        };
        let mut ported = match self.is_unread() {
            true => self.as_it_is(findings.clone()),
            false => target.backend.port(&unit, &options),
        };
        port_diag::render::sort(self.sources, &mut ported.diagnostics);
        Translation { target: *target, ported }
    }

    /// Whether the unit passes a limit of the front end, so that none of it was read.
    fn is_unread(&self) -> bool {
        let limit = |finding: &Diagnostic| finding.code == UNIT_TOO_LARGE;
        self.parsed.tokens().is_empty() && self.diagnostics.iter().any(limit)
    }

    /// The text unchanged: of what was not read, nothing is known to change.
    fn as_it_is(&self, diagnostics: Vec<Diagnostic>) -> Ported {
        let text = self.sources.file(self.root).text.to_string();
        let root = OutputFile { role: FileRole::Root, text, changes: Vec::new() };
        Ported { files: vec![root], kernels: Vec::new(), diagnostics }
    }

    /// The findings of the front end and of lowering, whatever a target makes of them.
    pub fn findings(&self) -> Vec<Diagnostic> {
        let mut findings: Vec<Diagnostic> =
            self.diagnostics.iter().chain(&self.lowering).cloned().collect();
        port_diag::render::sort(self.sources, &mut findings);
        findings
    }

    /// All kernel instances in view as IR.
    pub fn ir(&self) -> &port_ir::Module {
        &self.ir
    }

    /// The kernel instances in view, `ns::k<float, 4>`, in the order of the text.
    pub fn instances(&self) -> impl Iterator<Item = String> + '_ {
        self.instances.iter().map(|instance| {
            format!("{}{}", self.module.function_name(instance.kernel), instance.arguments)
        })
    }

    /// These kernel instances, and what they call, as IR in its text form.
    pub fn ir_text(&self, instances: &[String]) -> String {
        let only = port_lower::Options {
            kernels: instances.to_vec(),
            instantiate: self.options.instantiate.clone(),
            ..port_lower::Options::default()
        };
        let lowered = port_lower::lower(&self.module, &only);
        port_ir::print(&lowered.module, &port_ir::PrintOptions::default())
    }
}

/// What concerns the user and not a target: an instance that was asked for by name and cannot be made,
/// and templates that no compiler instantiates.
const NO_TARGET_HELPS: [&str; 2] = [
    port_lower::findings::BadInstance::METADATA.code,
    port_lower::findings::EndlessTemplates::METADATA.code,
];

fn instance(report: &port_lower::InstanceReport, lowered: &port_lower::Lowered) -> KernelInstance {
    let name = &report.instance.name;
    let arguments = name.find('<').map_or("", |at| &name[at..]).to_owned();
    let of_instance = |finding: &&Diagnostic| {
        finding.severity == Severity::Error && finding.kernel.as_ref() == Some(name)
    };
    let failure = lowered.diagnostics.iter().find(of_instance);
    // A function that several kernels call is reported for the first of them.
    let by_code = || lowered.diagnostics.iter().find(|d| report.codes.contains(&d.code));
    KernelInstance {
        kernel: report.instance.kernel,
        arguments,
        function: report.function.filter(|_| report.is_whole()),
        failure: (!report.is_whole()).then(|| failure.or_else(by_code).cloned()).flatten(),
    }
}

/// The macros and folders of the reference, or of a port to a dialect.
pub(crate) fn configuration(options: &Options, dialect: Dialect) -> Configuration {
    let mut configuration = match dialect {
        Dialect::Cuda => Configuration::cuda(options.cuda_arch),
        Dialect::Hip => Configuration::hip(),
    };
    for (name, value) in &options.defines {
        configuration = configuration.define(name, value);
    }
    for folder in &options.include_dirs {
        configuration = configuration.include_dir(folder);
    }
    configuration
}

/// Preprocesses and parses a file with its headers, as the reference compiles it.
fn read(sources: &SourceMap, root: FileId, options: &Options) -> Parsed {
    port_syntax::parse(port_syntax::preprocess(
        sources,
        root,
        &configuration(options, Dialect::Cuda),
    ))
}

/// The front end alone: lexer, preprocessor, tree and names. For measuring it.
pub fn front_end(sources: &SourceMap, root: FileId, options: &Options) -> Module {
    port_hir::build(&read(sources, root, options).unit)
}
