//! One translation unit, analysed once for all targets.

use port_backend::{KernelInstance, Options as BackendOptions, Unit};
use port_diag::{Diagnostic, FileId, SourceMap};
use port_hir::Module;
use port_syntax::{Configuration, Parsed};

use crate::{Options, Target, Translation};

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
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Analysis<'a> {
    /// Reads, parses, resolves and lowers a file with its headers.
    pub fn new(sources: &'a SourceMap, root: FileId, options: &'a Options) -> Self {
        let configuration = configuration(options);
        let parsed = read(sources, root, options);
        let mut diagnostics = parsed.unit.diagnostics.clone();
        let module = port_hir::build(&parsed.unit);
        diagnostics.extend(module.diagnostics.iter().cloned());
        let ir = port_ir::Module::default();
        let instances = Vec::new();
        Analysis { sources, root, options, configuration, parsed, module, ir, instances, diagnostics }
    }

    /// The port to one target, with the findings of the front end.
    pub fn port(&self, target: &Target) -> Translation {
        let unit = Unit {
            sources: self.sources,
            root: self.root,
            configuration: &self.configuration,
            parsed: &self.parsed,
            module: &self.module,
            instances: &self.instances,
            ir: &self.ir,
        };
        let options = BackendOptions {
            warp: self.options.warp,
            architecture: target.architecture.map(|architecture| architecture.name),
            cuda_arch: self.options.cuda_arch,
            shared_folder: self.options.shared_folder.clone(),
        };
        let mut ported = target.backend.port(&unit, &options);
        ported.diagnostics.extend(self.diagnostics.iter().cloned());
        port_diag::render::sort(self.sources, &mut ported.diagnostics);
        Translation { target: *target, ported }
    }

    /// The kernel instances in view as IR, in its text form.
    pub fn ir_text(&self) -> String {
        port_ir::print(&self.ir, &port_ir::PrintOptions::default())
    }
}

/// The macros and folders of the reference.
fn configuration(options: &Options) -> Configuration {
    let mut configuration = Configuration::cuda(options.cuda_arch);
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
    port_syntax::parse(port_syntax::preprocess(sources, root, &configuration(options)))
}

/// The front end alone: lexer, preprocessor, tree and names. For measuring it.
pub fn front_end(sources: &SourceMap, root: FileId, options: &Options) -> Module {
    port_hir::build(&read(sources, root, options).unit)
}
