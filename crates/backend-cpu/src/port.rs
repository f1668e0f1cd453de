//! The passes of a port to the CPU, in order, and what they share.

use std::collections::BTreeSet;

use port_backend::findings::TemplateKeyword;
use port_backend::{FileRole, KernelReport, Options, OutputFile, Ported, Unit, unmarked_templates};
use port_diag::{Diagnostic, FileId, Finding, Origin, Span};
use port_hir::{FunctionId, TokenRange};
use port_rewrite::{ChangeSet, FileText, Program, Reason, Side};
use port_syntax::TokenKind;

use crate::findings::{ImplicitSynchrony, InlineAssembly};
use crate::guard::{self, Trouble};
use crate::{
    branches, device, header, includes, kernels, launches, names, pointers, section, shared,
    synchrony,
};

/// What the passes share.
pub(crate) struct Port<'a> {
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
    /// Whether some file names the CUDA API or holds device code.
    pub uses_runtime: bool,
    /// The definition of the macro that stands for `__CUDA_ARCH__` in device code, where it is used.
    pub architecture: Option<String>,
}

/// Ports a unit.
pub(crate) fn run(unit: &Unit<'_>, options: &Options) -> Ported {
    let files: Vec<FileText<'_>> =
        unit.parsed.unit.files.iter().map(|id| FileText::new(unit.sources, *id)).collect();
    let mut port = Port {
        unit,
        options,
        program: Program::new(unit.module, unit.parsed),
        files,
        inactive: branches::inactive(unit),
        changes: ChangeSet::new(),
        findings: unit.findings.to_vec(),
        uses_runtime: true,
        architecture: None,
    };
    launches::apply(&mut port);
    pointers::apply(&mut port);
    shared::apply(&mut port);
    let host_branches = branches::apply(&mut port);
    let section = section::make(&port);
    crate::lists::number_closures(&mut port, &section.closures);
    let kernels = kernels::find(&port, &section);
    let removed: Vec<Span> = kernels.iter().filter_map(|kernel| kernel.removed).collect();
    let compiled: BTreeSet<FunctionId> =
        kernels.iter().filter(|kernel| kernel.all_compiled).map(|kernel| kernel.id).collect();
    let stays = |span: Span| !removed.iter().any(|body| body.contains(span));

    for (span, name) in unmarked_templates(unit) {
        if stays(span) {
            port.report_at(&TemplateKeyword { name }, span);
            let reason = Reason::Finding(TemplateKeyword::METADATA.code);
            port.changes.insert(span.file, span.start, Side::After, "template ", reason);
        }
    }
    let mut troubles = Vec::new();
    for assembly in device::assembly(&port) {
        if stays(assembly.span) {
            device::replace(&mut port, &assembly);
            let matters = port.matters(assembly.span, &compiled);
            if matters {
                port.report_at(&assembly.finding, assembly.span);
            }
            let (code, message) = (InlineAssembly::METADATA.code, assembly.finding.message());
            troubles.push(Trouble { span: assembly.span, code, message, matters, replaced: true });
        }
    }
    let mut types = BTreeSet::new();
    for unsupported in names::unsupported(&port) {
        if stays(unsupported.span) {
            if unsupported.is_type {
                types.insert(unsupported.finding.name.clone());
            }
            let matters = port.matters(unsupported.span, &compiled);
            if matters {
                port.report_at(&unsupported.finding, unsupported.span);
            }
            let (code, message) = (guard::name_code(), unsupported.finding.message());
            troubles.push(Trouble {
                span: unsupported.span,
                code,
                message,
                matters,
                replaced: false,
            });
        }
    }
    let mut in_step = synchrony::in_step(&port);
    for (_, name, origin) in &section.in_step {
        let span = port.unit.module.expansions.outermost(*origin);
        if in_step.iter().all(|known| known.span != span) {
            let finding = ImplicitSynchrony { name: name.clone() };
            in_step.push(synchrony::InStep { span, finding });
        }
    }
    for lanes in in_step {
        if stays(lanes.span) {
            // A template without an instance in view stops the program, not the build.
            let at = port.program.kernels_at(&port.program.tokens_of(lanes.span));
            let matters = kernels
                .iter()
                .any(|k| at.contains(&k.id) && !k.instances.is_empty() && !k.all_compiled);
            if matters {
                port.report_at(&lanes.finding, lanes.span);
            }
            let (code, message) = (ImplicitSynchrony::METADATA.code, lanes.finding.message());
            let (span, replaced) = (lanes.span, false);
            troubles.push(Trouble { span, code, message, matters, replaced });
        }
    }
    let guards = guard::apply(&mut port, &troubles);
    kernels::enter_all(&mut port, &kernels, &section, &guards);
    kernels::report_unseen(&mut port);
    let troubled = guard::troubled(&port, &troubles);
    let reports = kernels::reports(&mut port, &kernels, &section, &troubled);
    for branch in host_branches {
        branches::report(&mut port, &branch, &compiled);
    }
    // Heads of functions and members may name the types; nothing that uses a value is compiled.
    if !types.is_empty() {
        let lines: Vec<String> = types.iter().map(|name| format!("struct {name} {{}};")).collect();
        let stand_in = format!("#ifdef PORT_ALLOW_MANUAL\n{}\n#endif", lines.join("\n"));
        port.architecture = Some(match port.architecture.take() {
            Some(define) => format!("{define}\n{stand_in}"),
            None => stand_in,
        });
    }
    includes::apply(&mut port);
    port.finish(section.text, reports)
}

impl<'a> Port<'a> {
    /// A file of the unit.
    pub fn file(&self, id: FileId) -> Option<&FileText<'a>> {
        self.files.iter().find(|file| file.id == id)
    }

    /// Whether what stands at a place may be run: by the host, or by a kernel that is not among
    /// these.
    fn matters(&self, span: Span, compiled: &BTreeSet<FunctionId>) -> bool {
        let tokens = self.program.tokens_of(span);
        let device_only = tokens.first().is_some_and(|token| {
            self.program.function_at(*token).is_some_and(|function| {
                let qualifiers = &self.unit.module.functions[function].qualifiers;
                qualifiers.global || (qualifiers.device && !qualifiers.host)
            })
        });
        let kernels = self.program.kernels_at(&tokens);
        !device_only || kernels.iter().any(|kernel| !compiled.contains(kernel))
    }

    /// The finding at a place of a file, in the kernel that the place belongs to.
    pub fn report_at(&mut self, finding: &impl Finding, span: Span) {
        let tokens = self.program.tokens_of(span);
        // A macro's body is used in several places: the first use is shown.
        let origin = match tokens.first() {
            Some(token) => self.unit.parsed.tokens()[*token].origin,
            None => Origin::plain(span),
        };
        let origin = Origin { span, ..origin };
        let diagnostic = finding.at(origin, &self.unit.module.expansions);
        let kernel = self.program.kernels_at(&tokens).first().copied();
        self.findings.push(match kernel {
            Some(kernel) => diagnostic.in_kernel(self.unit.module.function_name(kernel)),
            None => diagnostic,
        });
    }

    /// The bytes of tokens that stand together in one file.
    pub fn source_span(&self, range: TokenRange) -> Option<Span> {
        let tokens = self.unit.parsed.tokens().get(range.range())?;
        let (first, last) = (tokens.first()?.origin, tokens.last()?.origin);
        let same = first.span.file == last.span.file && first.expansion == last.expansion;
        let ordered = first.span.start < last.span.end;
        (same && ordered).then(|| first.span.to(last.span))
    }

    /// What the header has to have.
    fn needs(&self) -> header::Needs {
        let includes = self.files.iter().flat_map(FileText::includes).collect::<Vec<_>>();
        let names = self.files.iter().flat_map(|file| {
            let tokens = file.tokens.iter().filter(|t| t.kind == TokenKind::Identifier);
            tokens.map(|token| file.bytes(token))
        });
        header::Needs::of(includes.iter().map(|include| include.name.as_str()), names)
    }

    fn finish(self, section: String, reports: Vec<KernelReport>) -> Ported {
        let mut files = Vec::new();
        for file in &self.files {
            let (changes, conflicts) = self.changes.resolved(file.id);
            debug_assert!(conflicts.is_empty(), "passes contradict each other: {conflicts:?}");
            let changes = changes.into_iter().cloned().collect();
            let is_root = file.id == self.unit.root;
            let role = if is_root { FileRole::Root } else { FileRole::Header(file.id) };
            let mut text = self.changes.apply(self.unit.sources, file.id);
            if is_root {
                if !section.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&section);
            }
            files.push(OutputFile { role, text, changes });
        }
        files.sort_by_key(|file| file.role);
        if self.uses_runtime {
            let role = FileRole::Generated(header::FILE_NAME);
            files.push(OutputFile {
                role,
                text: header::assemble(self.needs()),
                changes: Vec::new(),
            });
        }
        Ported { files, kernels: reports, diagnostics: self.findings }
    }
}
