//! Kernels as IR that a machine can run: lowered, flattened and valid, with what is known of each.
//!
//! A back end is given all of a unit; whoever runs kernels names those that it wants, and gets back
//! which instance each name means.

use port_diag::{Diagnostic, Expansions, FileId, Severity, SourceMap};
use port_ir::{Function, Handle};
use port_syntax::{Configuration, MacroDefinition};

use crate::Options;
use crate::unit::configuration;

/// Which compiler's view of the text is lowered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The reference: nvcc.
    #[default]
    Cuda,
    /// A HIP port, as hipcc reads it.
    Hip,
}

/// Kernels of a unit as IR.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// The kernels and what they could not be inlined into, flattened and valid; empty where lowering
    /// gave no valid module.
    pub module: port_ir::Module,
    /// The instances that were lowered, in the order of the text.
    pub kernels: Vec<DeviceKernel>,
    /// The qualified names of all kernels of the unit, lowered or not, templates once.
    pub names: Vec<String>,
    /// Findings of the front end and of lowering, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The macro expansions that origins in the module refer to.
    pub expansions: Expansions,
}

/// An instance of a kernel.
#[derive(Clone, Debug)]
pub struct DeviceKernel {
    /// With template arguments: `ns::k<float, 128>`.
    pub name: String,
    /// Those of the asked texts that mean it.
    pub asked_as: Vec<String>,
    /// The kernel in the module; `None` where its parameters could not be read.
    pub function: Option<Handle<Function>>,
    /// The codes of the findings that keep it from being translated whole; empty for one that can run.
    pub codes: Vec<&'static str>,
    /// Whether it has template arguments that nothing in view asks for.
    pub by_default: bool,
}

impl DeviceCode {
    /// The instance that an asked text, or a name without arguments, means. Several are an ambiguity,
    /// none a name that is not there.
    pub fn kernels_named(&self, text: &str) -> Vec<&DeviceKernel> {
        let text = text.trim();
        let asked: Vec<_> =
            self.kernels.iter().filter(|k| k.asked_as.iter().any(|t| t.trim() == text)).collect();
        if !asked.is_empty() {
            return asked;
        }
        let named = |kernel: &&DeviceKernel| {
            let plain = plain_name(&kernel.name);
            kernel.name == text || plain == text || plain.rsplit("::").next() == Some(text)
        };
        self.kernels.iter().filter(named).collect()
    }

    /// The errors that keep a kernel from running; where none names it, those of the unit.
    pub fn errors_of(&self, kernel: &DeviceKernel) -> Vec<Diagnostic> {
        let errors = || self.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        let own: Vec<Diagnostic> = errors()
            .filter(|d| d.kernel.as_ref() == Some(&kernel.name) || kernel.codes.contains(&d.code))
            .cloned()
            .collect();
        match own.is_empty() {
            true => errors().cloned().collect(),
            false => own,
        }
    }
}

/// A kernel's name without template arguments.
pub fn plain_name(name: &str) -> &str {
    name.split('<').next().unwrap_or(name).trim()
}

/// Rounds in which names in a text are replaced: macros that stand for macros.
const ROUNDS: usize = 8;

/// A text with the file's macros that take no arguments replaced: `k<TILE>` is `k<32>`.
fn expand(text: &str, macros: &[MacroDefinition]) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (word, tail) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
            let known = |known: &&MacroDefinition| {
                known.name == *word && known.parameters.is_none() && !known.ended
            };
            match macros.iter().rev().find(known).filter(|_| !word.is_empty()) {
                Some(found) => {
                    for token in &found.body {
                        if token.spaced && !out.is_empty() {
                            out.push(' ');
                        }
                        out.push_str(token.text.as_str());
                    }
                }
                None => out.push_str(word),
            }
            let (other, tail) = tail.split_at(tail.find(is_word).unwrap_or(tail.len()));
            out.push_str(other);
            rest = tail;
        }
        // A macro may name itself, twice.
        if out == text || out.len() > 4096 {
            break;
        }
        text = out;
    }
    text
}

/// Lowers the kernels that the texts name: a kernel (`softmax`), or an instance (`softmax<float,
/// 128>`). No text means all kernels in view.
pub fn device_code(
    sources: &SourceMap,
    root: FileId,
    options: &Options,
    dialect: Dialect,
    kernels: &[String],
) -> DeviceCode {
    let configuration: Configuration = configuration(options, dialect);
    let parsed = port_syntax::parse(port_syntax::preprocess(sources, root, &configuration));
    let mut diagnostics = parsed.unit.diagnostics.clone();
    let module = port_hir::build(&parsed.unit);
    diagnostics.extend(module.diagnostics.iter().cloned());
    let mut names: Vec<String> = Vec::new();
    for (id, _) in module.kernels() {
        let name = module.function_name(id);
        if !names.contains(&name) {
            names.push(name);
        }
    }

    let mut wanted: Vec<String> = Vec::new();
    let mut instantiate = options.instantiate.clone();
    let expanded: Vec<String> =
        kernels.iter().map(|text| expand(text, &parsed.unit.macros)).collect();
    for text in &expanded {
        let plain = plain_name(text).trim_start_matches("::").to_owned();
        let inner = format!("::{plain}");
        let meant = names.iter().filter(|name| **name == plain || name.ends_with(&inner));
        let meant: Vec<String> = meant.cloned().collect();
        // A name that means nothing is for the caller to report; asking for it would be a finding.
        if !meant.is_empty() && text.contains('<') && !instantiate.contains(text) {
            instantiate.push(text.clone());
        }
        wanted.extend(meant);
        wanted.push(plain);
    }
    let asked = port_lower::Options { kernels: wanted, instantiate, defaults: true };
    let lowered = port_lower::lower(&module, &asked);
    diagnostics.extend(lowered.diagnostics);
    port_diag::render::sort(sources, &mut diagnostics);
    let as_asked = |mut texts: Vec<String>| {
        let written = kernels.iter().zip(&expanded).filter(|(text, expanded)| text != expanded);
        let written: Vec<String> =
            written.filter(|(_, of)| texts.contains(of)).map(|(text, _)| text.clone()).collect();
        texts.extend(written);
        texts
    };
    let reports = lowered.instances.into_iter().map(|report| DeviceKernel {
        name: report.instance.name,
        asked_as: as_asked(report.instance.asked_as),
        function: report.function,
        codes: report.codes,
        by_default: report.instance.source == port_lower::InstanceSource::Default,
    });
    let mut kernels: Vec<DeviceKernel> = reports.collect();
    let module_expansions = module.expansions.clone();
    let flat = port_ir::validate(&lowered.module)
        .ok()
        .map(|info| port_ir::passes::flatten(&lowered.module, &info));
    let module = flat.unwrap_or_else(|| {
        // A module that is not valid is a defect of lowering; nothing of it may run.
        kernels.iter_mut().for_each(|kernel| kernel.function = None);
        port_ir::Module::new()
    });
    DeviceCode { module, kernels, names, diagnostics, expansions: module_expansions }
}
