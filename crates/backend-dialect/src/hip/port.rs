//! The passes of a port to HIP, in order, and what they share.

use std::collections::{BTreeMap, BTreeSet};

use port_api::Row;
use port_backend::findings::TemplateKeyword;
use port_backend::{
    FileRole, KernelInstance, KernelReport, Options, OutputFile, Ported, Status, Unit, WarpMode,
    unmarked_templates,
};
use port_diag::{Diagnostic, FileId, Finding, Origin, Severity, Span};
use port_hir::{Body, Function, FunctionId};
use port_rewrite::{ChangeSet, FileText, NameUse, Reason, Side};
use port_syntax::{TokenKind, lex};

use super::{
    TARGET, architecture, branches, device, guard, hazards, includes, members, names, operators,
    pasted, rules,
};
use crate::compat;
use crate::findings::ProxyArchitecture;
use crate::program::Program;

/// The codes of the findings that concern each kernel.
pub(super) type CodesByKernel = BTreeMap<FunctionId, BTreeSet<(&'static str, Severity)>>;

/// What the passes share.
pub(super) struct Port<'a> {
    pub unit: &'a Unit<'a>,
    pub options: &'a Options,
    /// The unit's functions: who holds which token, who calls whom.
    pub program: Program<'a>,
    /// The root and the repository headers that it includes.
    pub files: Vec<FileText<'a>>,
    /// The text that no pass of the reference compiles.
    pub inactive: Vec<Span>,
    pub changes: ChangeSet,
    pub findings: Vec<Diagnostic>,
    /// The kernels that a finding concerns, by its index, where data flow told them.
    pub concerned: BTreeMap<usize, BTreeSet<FunctionId>>,
    /// Uses that a semantic rule edits, with the file's index in `files`.
    pub rule_uses: Vec<(usize, NameUse)>,
    /// Whether some file names the CUDA API or holds device code.
    pub uses_runtime: bool,
    /// Rows whose note was given.
    pub noted: BTreeSet<&'static str>,
    /// Functions that each file's text calls and that stand before its code.
    pub definitions: BTreeMap<FileId, BTreeSet<String>>,
}

/// Ports a unit.
pub(super) fn run(unit: &Unit<'_>, options: &Options) -> Ported {
    let files = unit.parsed.unit.files.iter().map(|id| FileText::new(unit.sources, *id)).collect();
    let mut port = Port {
        unit,
        options,
        program: Program::new(unit.module, unit.parsed),
        files,
        inactive: branches::inactive(unit),
        changes: ChangeSet::new(),
        findings: unit.findings.to_vec(),
        concerned: BTreeMap::new(),
        rule_uses: Vec::new(),
        uses_runtime: unit.module.kernels().next().is_some(),
        noted: BTreeSet::new(),
        definitions: BTreeMap::new(),
    };
    port.note_proxy();
    names::apply(&mut port);
    pasted::apply(&mut port);
    members::apply(&mut port);
    rules::apply(&mut port);
    device::apply(&mut port);
    operators::apply(&mut port);
    mark_templates(&mut port);
    hazards::apply(&mut port);
    branches::report(&mut port);
    guard::apply(&mut port);
    includes::apply(&mut port);
    hazards::report_unchecked(&mut port);
    port.finish()
}

/// Writes `template` where nvcc does without.
fn mark_templates(port: &mut Port<'_>) {
    for (span, name) in unmarked_templates(port.unit) {
        port.report_at(&TemplateKeyword { name }, span);
        let reason = Reason::Finding(TemplateKeyword::METADATA.code);
        port.changes.insert(span.file, span.start, Side::After, "template ", reason);
    }
}

impl<'a> Port<'a> {
    /// The finding at a place of a file, in the kernels that the place belongs to.
    pub fn report_at(&mut self, finding: &impl Finding, span: Span) {
        let tokens = self.program.tokens_of(span);
        // A macro's body is used in several places: the first use is shown.
        let origin = match tokens.first() {
            Some(token) => self.unit.parsed.tokens()[*token].origin,
            None => Origin::plain(span),
        };
        let origin = Origin { span, ..origin };
        let diagnostic = finding.at(origin, &self.unit.module.expansions);
        let kernel = self
            .program
            .kernels_at(&tokens)
            .first()
            .map(|kernel| self.unit.module.function_name(*kernel));
        self.findings.push(match kernel {
            Some(kernel) => diagnostic.in_kernel(kernel),
            None => diagnostic,
        });
    }

    /// The finding at an origin, in a named kernel.
    pub fn report_in(
        &mut self,
        finding: &impl Finding,
        origin: Origin,
        because: Option<Span>,
        kernel: String,
    ) {
        let mut diagnostic = finding.at(origin, &self.unit.module.expansions);
        if let Some(span) = because {
            diagnostic = diagnostic.with_label(span, "here");
        }
        self.findings.push(diagnostic.in_kernel(kernel));
    }

    /// Replaces a span, with the row that asked for it.
    pub fn rename(&mut self, span: Span, text: &str, row: &'static Row) {
        self.changes.replace(span, text, Reason::Row(row.name));
    }

    fn note_proxy(&mut self) {
        let named = self.options.architecture;
        let chip = architecture::ALL.iter().find(|chip| Some(chip.name) == named);
        if let Some((chip, note)) = chip.and_then(|chip| Some((chip, chip.note?))) {
            let finding =
                ProxyArchitecture { architecture: chip.name.to_owned(), note: note.to_owned() };
            self.findings.push(finding.nowhere());
        }
    }

    fn finish(self) -> Ported {
        let mut files = Vec::new();
        let ids: Vec<FileId> = self.files.iter().map(|file| file.id).collect();
        for id in ids {
            let (changes, conflicts) = self.changes.resolved(id);
            let changes = changes.into_iter().cloned().collect();
            debug_assert!(conflicts.is_empty(), "passes contradict each other: {conflicts:?}");
            let role = if id == self.unit.root { FileRole::Root } else { FileRole::Header(id) };
            let text = self.changes.apply(self.unit.sources, id);
            files.push(OutputFile { role, text, changes });
        }
        files.sort_by_key(|file| file.role);
        let names: BTreeSet<String> =
            files.iter().flat_map(|file| identifiers(&file.text)).collect();
        let header = compat::assemble(names.iter().map(String::as_str), &self.compat_options());
        if let Some(text) = header {
            let role = FileRole::Generated(compat::FILE_NAME);
            files.push(OutputFile { role, text, changes: Vec::new() });
        }
        let kernels = self.kernel_reports();
        Ported { files, kernels, diagnostics: self.findings }
    }

    /// The kernels that are defined in view; one that is only declared is ported where its body is.
    pub fn defined_kernels(&self) -> impl Iterator<Item = (FunctionId, &'a Function)> + use<'a> {
        let kernels = self.unit.module.kernels();
        kernels.filter(|(_, kernel)| matches!(kernel.body, Body::Block(_)))
    }

    /// One report an instance; a kernel without an instance in view has one too.
    fn kernel_reports(&self) -> Vec<KernelReport> {
        let mut reports = Vec::new();
        let instances = self.instances_by_kernel();
        let codes = self.codes_by_kernel();
        for (id, function) in self.defined_kernels() {
            let span = self.unit.module.expansions.outermost(function.origin);
            let name = self.unit.module.function_name(id);
            let manual = self.is_manual(id, &codes);
            let codes: Vec<&'static str> =
                codes.get(&id).into_iter().flatten().map(|(code, _)| *code).collect();
            let report = |arguments: &str, analysed: bool| KernelReport {
                name: name.clone(),
                instance: arguments.to_owned(),
                file: span.file,
                line: self.unit.sources.file(span.file).line_column(span.start).line,
                status: match (manual, analysed) {
                    (true, _) => Status::Manual,
                    (false, true) => Status::Ported,
                    (false, false) => Status::PortedUnchecked,
                },
                lowering: "edits",
                codes: codes.clone(),
            };
            match instances.get(&id) {
                None => reports.push(report("", false)),
                Some(instances) => reports.extend(
                    instances.iter().map(|one| report(&one.arguments, one.function.is_some())),
                ),
            }
        }
        reports
    }

    /// The instances of each kernel, by their arguments.
    pub fn instances_by_kernel(&self) -> BTreeMap<FunctionId, Vec<&'a KernelInstance>> {
        let mut by_kernel: BTreeMap<FunctionId, Vec<&KernelInstance>> = BTreeMap::new();
        for instance in self.unit.instances {
            by_kernel.entry(instance.kernel).or_default().push(instance);
        }
        for instances in by_kernel.values_mut() {
            instances.sort_by(|a, b| a.arguments.cmp(&b.arguments));
        }
        by_kernel
    }

    /// Whether some error concerns the kernel, or the front end could not read it.
    pub fn is_manual(&self, kernel: FunctionId, codes: &CodesByKernel) -> bool {
        self.unit.module.functions[kernel].poison.is_some()
            || codes
                .get(&kernel)
                .is_some_and(|codes| codes.iter().any(|(_, is)| *is == Severity::Error))
    }

    /// The findings that concern each kernel: those that name it, and those at a place that it
    /// reaches.
    pub fn codes_by_kernel(&self) -> CodesByKernel {
        let by_name: BTreeMap<String, FunctionId> = self
            .defined_kernels()
            .map(|(id, _)| (self.unit.module.function_name(id), id))
            .collect();
        let mut codes = CodesByKernel::new();
        for (index, finding) in self.findings.iter().enumerate() {
            if let Some(concerned) = self.concerned.get(&index) {
                for kernel in concerned {
                    codes.entry(*kernel).or_default().insert((finding.code, finding.severity));
                }
                continue;
            }
            let named = finding.kernel.as_ref().and_then(|name| by_name.get(name)).copied();
            let place = finding.primary.as_ref().map(|label| label.span);
            let at = place.map(|span| self.program.kernels_at(&self.program.tokens_of(span)));
            for kernel in named.into_iter().chain(at.into_iter().flatten()) {
                codes.entry(kernel).or_default().insert((finding.code, finding.severity));
            }
        }
        codes
    }

    /// What the compatibility header is assembled for.
    pub fn compat_options(&self) -> compat::Options {
        compat::Options { warp: self.options.warp, cuda_arch: self.options.cuda_arch * 10 }
    }

    /// The identifiers of a file as it is ported so far.
    pub fn ported_identifiers(&self, file: FileId) -> BTreeSet<String> {
        identifiers(&self.changes.apply(self.unit.sources, file))
    }

    /// The name of the target in messages.
    pub fn target(&self) -> String {
        TARGET.to_owned()
    }

    /// Whether the port keeps logical warps of 32 lanes.
    pub fn logical_warps(&self) -> bool {
        self.options.warp == WarpMode::Logical32
    }
}

/// The identifiers of a text, macros' bodies and inactive branches included.
pub(super) fn identifiers(text: &str) -> BTreeSet<String> {
    let tokens = lex(text);
    let names = tokens.iter().filter(|token| token.kind == TokenKind::Identifier);
    names.map(|token| token.spelling(text).into_owned()).collect()
}

/// One compatibility header for the uses of several. A header is recognised as ours by being what
/// its own identifiers assemble to; one that was edited is not.
pub(super) fn merge_compat_headers(texts: &[&str]) -> Option<String> {
    let mut names = BTreeSet::new();
    let mut options: Option<compat::Options> = None;
    let mut arch_fixed = false;
    for text in texts {
        let own = identifiers(text);
        let cuda_arch = cuda_arch_of(text);
        let made_by = |warp| {
            let options = compat::Options { warp, ..compat::Options::default() };
            let options =
                cuda_arch.map_or(options, |cuda_arch| compat::Options { cuda_arch, ..options });
            let made = compat::assemble(own.iter().map(String::as_str), &options);
            (made.as_deref() == Some(*text)).then_some(options)
        };
        let found = made_by(WarpMode::Logical32).or_else(|| made_by(WarpMode::Native))?;
        match options {
            Some(known) if known.warp != found.warp => return None,
            Some(known) if cuda_arch.is_some_and(|_| arch_fixed && known != found) => return None,
            Some(known) if cuda_arch.is_none() => options = Some(known),
            _ => options = Some(found),
        }
        arch_fixed |= cuda_arch.is_some();
        names.extend(own);
    }
    compat::assemble(names.iter().map(String::as_str), &options?)
}

/// The value that a compatibility header gives `PORT_CUDA_ARCH`, if it defines it.
fn cuda_arch_of(text: &str) -> Option<u32> {
    text.lines().find_map(|line| line.strip_prefix("#define PORT_CUDA_ARCH "))?.trim().parse().ok()
}
