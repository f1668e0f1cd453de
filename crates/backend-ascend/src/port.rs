//! The passes of a port to Ascend, in order, and what they share.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::{Cann, FileRole, Options, OutputFile, Ported, Unit, generated};
use port_diag::{Diagnostic, FileId, Finding, Origin, Span};
use port_hir::{FunctionId, TokenRange};
use port_rewrite::{ChangeSet, FileText, Program, Reason};
use port_syntax::{Token, TokenKind};

use crate::host::{api, device, header, includes, kernels, launches, pointers, qualifiers, torch};
use crate::kernel::Chip;
use crate::{project, section};

/// What the passes share.
pub(crate) struct Port<'a> {
    pub unit: &'a Unit<'a>,
    pub options: &'a Options,
    pub chip: Chip,
    /// The unit's functions: who holds which token, who calls whom.
    pub program: Program<'a>,
    /// The root and the repository headers that it includes.
    pub files: Vec<FileText<'a>>,
    /// The text that the reference does not compile.
    pub inactive: Vec<Span>,
    pub changes: ChangeSet,
    pub findings: Vec<Diagnostic>,
    /// Text that other edits do without: nothing is to be changed inside.
    pub removed: Vec<Span>,
    /// Device-only text, which leaves as it stands.
    pub gone: Vec<Span>,
    /// Whether the program shares memory between host and device.
    pub managed: bool,
    /// Places that hold the build up until a person has looked at them: code and message.
    pub stops: Vec<(Span, &'static str, String)>,
}

/// Ports a unit.
pub(crate) fn run(unit: &Unit<'_>, options: &Options) -> Ported {
    let files: Vec<FileText<'_>> =
        unit.parsed.unit.files.iter().map(|id| FileText::new(unit.sources, *id)).collect();
    let branches = unit.parsed.unit.conditionals.iter().flat_map(|found| &found.branches);
    let inactive = branches.filter(|branch| !branch.active).map(|branch| branch.body).collect();
    let chip = if options.architecture == Some("950") { Chip::A950 } else { Chip::A910b };
    let mut port = Port {
        unit,
        options,
        chip,
        program: Program::new(unit.module, unit.parsed),
        files,
        inactive,
        changes: ChangeSet::new(),
        findings: unit.findings.to_vec(),
        removed: Vec::new(),
        gone: Vec::new(),
        stops: Vec::new(),
        managed: false,
    };
    let words = port.identifiers();
    port.managed = ["cudaMallocManaged", "__managed__"].iter().any(|word| words.contains(*word));
    device::find(&mut port);
    let found = kernels::find(&mut port);
    let section = section::make(&mut port, &found);
    kernels::declare(&mut port, &found, &section);
    launches::apply(&mut port);
    pointers::apply(&mut port);
    qualifiers::apply(&mut port);
    api::apply(&mut port);
    torch::apply(&mut port);
    device::apply(&mut port);
    includes::apply(&mut port, &section);
    port.finish(&section)
}

impl<'a> Port<'a> {
    /// A file of the unit.
    pub fn file(&self, id: FileId) -> Option<&FileText<'a>> {
        self.files.iter().find(|file| file.id == id)
    }

    /// The tokens that the reference compiles.
    pub fn tokens(&self) -> &'a [Token] {
        self.unit.parsed.tokens()
    }

    /// Whether text leaves.
    pub fn is_removed(&self, span: Span) -> bool {
        self.removed.iter().any(|gone| gone.contains(span))
    }

    /// The name of the chip, for people.
    pub fn chip_name(&self) -> &'static str {
        match self.chip {
            Chip::A910b => "910B",
            Chip::A950 => "950",
        }
    }

    /// Whether the port is for CANN 9 and up.
    pub fn is_current_cann(&self) -> bool {
        self.options.cann == Cann::V9
    }

    /// The finding at a place of a file, in the kernel that the place belongs to.
    pub fn report_at(&mut self, finding: &impl Finding, span: Span) {
        let tokens = self.program.tokens_of(span);
        // A macro's body is used in several places: the first use is shown.
        let origin = match tokens.first() {
            Some(token) => self.tokens()[*token].origin,
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

    /// The bytes of tokens in one file: as they stand, in a macro's body when all come from one, or
    /// with the uses of the macros that some come from.
    pub fn source_span(&self, range: TokenRange) -> Option<Span> {
        let tokens = self.tokens().get(range.range())?;
        let (first, last) = (tokens.first()?.origin, tokens.last()?.origin);
        let expansions = &self.unit.module.expansions;
        let (from, to) = match first.expansion == last.expansion {
            true => (first.span, last.span),
            false => (expansions.outermost(first), expansions.outermost(last)),
        };
        let ordered = from.file == to.file && from.start < to.end;
        ordered.then(|| from.to(to))
    }

    /// The raw token of a file that begins at a byte.
    pub fn raw_at(&self, span: Span) -> Option<(usize, usize)> {
        let index = self.files.iter().position(|file| file.id == span.file)?;
        let file = &self.files[index];
        let at = file.tokens.partition_point(|token| token.start < span.start);
        (file.tokens.get(at)?.start == span.start).then_some((index, at))
    }

    /// The namespaces around a function, outermost first, by name; empty names are unnamed ones.
    /// `None` for a member.
    pub fn namespaces(&self, function: FunctionId) -> Option<Vec<&'a str>> {
        let module = self.unit.module;
        let port_hir::Parent::Namespace(mut id) = module.functions[function].parent else {
            return None;
        };
        let mut names = Vec::new();
        while let Some(parent) = module.namespaces[id].parent {
            names.push(module.namespaces[id].name.as_str());
            id = parent;
        }
        names.reverse();
        Some(names)
    }

    /// Every identifier of the unit: names that generated text must not take.
    pub fn identifiers(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for file in &self.files {
            let words = file.tokens.iter().filter(|token| token.kind == TokenKind::Identifier);
            names.extend(words.map(|token| file.bytes(token).to_owned()));
        }
        names
    }

    /// The stem of the root's name: `softmax` of `ops/softmax.cu`.
    pub fn stem(&self) -> String {
        let path = &self.unit.sources.file(self.unit.root).path;
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        if stem.is_empty() || stem == "-" { "kernels".to_owned() } else { stem.to_owned() }
    }

    /// Holds the build up at the line of a place.
    fn write_stops(&mut self) {
        let mut done = BTreeSet::new();
        let mut edits: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
        for file in &self.files {
            let (changes, _) = self.changes.resolved(file.id);
            edits.insert(file.id, changes.iter().map(|change| change.edit.span).collect());
        }
        for (span, code, message) in std::mem::take(&mut self.stops) {
            let Some(file) = self.file(span.file) else { continue };
            let index = file.tokens.partition_point(|token| token.end <= span.start);
            let line_start = |byte: u32| {
                let before = file.text.get(..byte as usize).unwrap_or("");
                before.rfind('\n').map_or(0, |newline| newline as u32 + 1)
            };
            let mut at = match file.directive_of(index) {
                Some(directive) => directive.line.start,
                None => line_start(span.start),
            };
            // Words that leave may join two lines: before the first of them then.
            let own = edits.get(&span.file).map_or(&[][..], Vec::as_slice);
            let last = own.partition_point(|edit| edit.start < at).checked_sub(1);
            if let Some(joined) = last.and_then(|last| own.get(last)).filter(|edit| at < edit.end) {
                at = line_start(joined.start);
            }
            let inside = |gone: &Span| gone.file == span.file && gone.start < at && at < gone.end;
            let is_gone = self.removed.iter().any(inside);
            if is_gone || !done.insert((span.file, at, message.clone())) {
                continue;
            }
            let newline = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
            let message = message.replace(['"', '\\'], "'").replace(['\n', '\r'], " ");
            let text = [
                "#ifndef PORT_ALLOW_MANUAL",
                &format!("#error \"port: {code}: {message}\""),
                "#endif",
                "",
            ]
            .join(newline);
            self.changes.insert(
                span.file,
                at,
                port_rewrite::Side::After,
                text,
                Reason::Finding(code),
            );
        }
    }

    fn finish(mut self, section: &section::Section) -> Ported {
        self.write_stops();
        let reports = section.reports(&mut self);
        let mut files = Vec::new();
        for file in &self.files {
            let (changes, conflicts) = self.changes.resolved(file.id);
            debug_assert!(conflicts.is_empty(), "passes contradict each other: {conflicts:?}");
            let changes = changes.into_iter().cloned().collect();
            let is_root = file.id == self.unit.root;
            let role = if is_root { FileRole::Root } else { FileRole::Header(file.id) };
            let mut text = self.changes.apply(self.unit.sources, file.id);
            if is_root && !section.text.is_empty() {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&section.text);
            }
            files.push(OutputFile { role, text, changes });
        }
        files.sort_by_key(|file| file.role);
        let mut made: Vec<(String, String)> = Vec::new();
        if let Some(tiling) = &section.tiling {
            made.push((format!("{}_tiling.h", self.stem()), tiling.clone()));
        }
        let texts: Vec<&str> =
            files.iter().map(|file| &*file.text).chain(made.iter().map(|made| &*made.1)).collect();
        let text = header::assemble(&texts, self.chip, self.is_current_cann());
        made.push((header::FILE_NAME.to_owned(), text));
        made.extend(section.headers.iter().map(|h| (h.name.to_owned(), h.text.clone())));
        if let Some(device) = &section.device {
            made.push((format!("{}_kernels.cpp", self.stem()), device.clone()));
        }
        made.extend(project::files(&self, section));
        files.extend(made.into_iter().map(|(name, text)| OutputFile {
            role: generated(&name),
            text,
            changes: Vec::new(),
        }));
        Ported { files, kernels: reports, diagnostics: self.findings }
    }
}
