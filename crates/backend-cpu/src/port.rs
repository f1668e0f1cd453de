//! The passes of a port to the CPU, in order, and what they share.

use port_backend::{FileRole, Options, OutputFile, Ported, Unit};
use port_diag::{Diagnostic, Finding, Origin, Span};
use port_hir::TokenRange;
use port_rewrite::{ChangeSet, FileText, Program};

use crate::{header, includes, kernels, launches};

/// What the passes share.
pub(crate) struct Port<'a> {
    pub unit: &'a Unit<'a>,
    pub options: &'a Options,
    /// The unit's functions: who holds which token, who calls whom.
    pub program: Program<'a>,
    /// The root and the repository headers that it includes.
    pub files: Vec<FileText<'a>>,
    pub changes: ChangeSet,
    pub findings: Vec<Diagnostic>,
    /// Whether some file names the CUDA API or holds device code.
    pub uses_runtime: bool,
}

/// Ports a unit.
pub(crate) fn run(unit: &Unit<'_>, options: &Options) -> Ported {
    let files = unit.parsed.unit.files.iter().map(|id| FileText::new(unit.sources, *id)).collect();
    let mut port = Port {
        unit,
        options,
        program: Program::new(unit.module, unit.parsed),
        files,
        changes: ChangeSet::new(),
        findings: unit.findings.to_vec(),
        uses_runtime: true,
    };
    launches::apply(&mut port);
    let kernels = kernels::apply(&mut port);
    includes::apply(&mut port);
    port.finish(kernels)
}

impl Port<'_> {
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

    fn finish(self, kernels: kernels::Kernels) -> Ported {
        let mut files = Vec::new();
        for file in &self.files {
            let (changes, conflicts) = self.changes.resolved(file.id);
            debug_assert!(conflicts.is_empty(), "passes contradict each other: {conflicts:?}");
            let changes = changes.into_iter().cloned().collect();
            let is_root = file.id == self.unit.root;
            let role = if is_root { FileRole::Root } else { FileRole::Header(file.id) };
            let mut text = self.changes.apply(self.unit.sources, file.id);
            if is_root {
                text.push_str(&kernels.section);
            }
            files.push(OutputFile { role, text, changes });
        }
        files.sort_by_key(|file| file.role);
        if self.uses_runtime {
            let role = FileRole::Generated(header::FILE_NAME);
            files.push(OutputFile { role, text: header::assemble(), changes: Vec::new() });
        }
        Ported { files, kernels: kernels.reports, diagnostics: self.findings }
    }
}
