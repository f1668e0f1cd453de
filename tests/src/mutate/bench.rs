//! A kernel with its port, and what the check says of the port's mutants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use port::{DeviceCode, Dialect, FileRole, Options, Target, Translation, WarpMode};
use port_check::judge::{Comparison, Report, multiplies_fragments};
use port_check::localize::{self, Side};
use port_check::machine::{Checks, Machine, MachineRun, Options as MachineOptions, Schedule};
use port_check::ports::PortedUnit;
use port_check::rules::Rule;
use port_check::verdict::Verdict;
use port_check::{Case, Spec};
use port_diag::{FileId, SourceMap};
use port_float::{PartId, Profile};

use super::{Class, Edit, Kind, Mutant, code, text};
use crate::kernels::Kernel;

/// The code of a race.
const RACE: &str = "P0633";

/// Parameter sets of a kernel that cost more are left out, unless it has no other: instructions.
const MOST_INSTRUCTIONS: u64 = 3_000_000;

/// A kernel, its port and what it is run on.
pub struct Bench {
    name: String,
    sources: SourceMap,
    root: FileId,
    files: Vec<FileId>,
    spec: Spec,
    reference: DeviceCode,
    /// The HIP port; `None` where the front end does not read it back whole: then faults are planted
    /// into the original's own text, which takes the port's place.
    translation: Option<Translation>,
    port: DeviceCode,
    port_sources: SourceMap,
    /// Cheap ones first, each with what the reference gives.
    cases: Vec<(String, Case, MachineRun)>,
    profile: Profile,
    target: Profile,
    stand_in: Option<String>,
}

/// What became of a mutant.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It is no program any more.
    Unreadable(String),
    /// No parameter set of the spec shows it.
    Unchanged,
    /// It changes some output, or is a race.
    Tested(Tested),
}

/// What the check said of a mutant.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The parameter set.
    pub label: String,
    /// The classes that the report names.
    pub classes: BTreeSet<Class>,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the class is the one that the kind asks for.
    pub right_class: bool,
    /// Whether the line that is named is one of the fault's statement.
    pub right_line: bool,
    /// Whether it is the fault's very line.
    pub same_line: bool,
    /// What was named: lines with causes.
    pub named: Vec<String>,
    /// The fault's line in the reference.
    pub expected: String,
}

/// Why a kernel has no bench.
#[derive(Debug)]
pub struct Unusable(pub String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn unusable<T>(why: impl Into<String>) -> Result<T, Unusable> {
    Err(Unusable(why.into()))
}

fn ported(sources: &SourceMap, root: FileId, warp: WarpMode) -> Result<Translation, Unusable> {
    let Ok(target) = "hip:gfx90a".parse::<Target>() else { return unusable("no such target") };
    let options = Options { warp, ..Options::default() };
    match port::translate(sources, root, &[target], &options).pop() {
        Some(translation) => Ok(translation),
        None => unusable("no translation"),
    }
}

impl Bench {
    /// Ports a kernel, reads the port back and runs the reference.
    pub fn new(kernel: &Kernel) -> Result<Bench, Unusable> {
        let (sources, root) = kernel.load();
        let files: Vec<FileId> = sources.ids().collect();
        let spec = match crate::originals::spec(kernel) {
            Ok(spec) => spec,
            Err(problem) => return unusable(problem),
        };
        let names: Vec<String> = spec.launches.iter().map(|l| l.kernel.clone()).collect();
        let reference =
            port::device_code(&sources, root, &Options::default(), Dialect::Cuda, &names);
        let (Ok(profile), Ok(target)) =
            (Profile::named("cuda:sm_80"), Profile::named("hip:gfx90a"))
        else {
            return unusable("no such profile");
        };
        let machine = Machine::new(&reference, &profile);
        let mut cases = Vec::new();
        let mut refused = String::new();
        for set in spec.parameter_sets() {
            let Ok(case) = spec.case(&set) else { return unusable("a set has no case") };
            let run = machine.run(&case, &MachineOptions::default());
            match run.findings.first() {
                Some(finding) => refused = format!("{}: {}", finding.code, finding.message),
                None => cases.push((set.label(), case, run)),
            }
        }
        cases.sort_by_key(|(_, _, run)| run.instructions);
        let cheap = cases.iter().filter(|(_, _, run)| run.instructions <= MOST_INSTRUCTIONS);
        let cheap = cheap.count().max(1);
        cases.truncate(cheap);
        if cases.is_empty() {
            return unusable(format!("the reference does not run: {refused}"));
        }
        let translation = ported(&sources, root, WarpMode::Logical32)?;
        let target = target.with_warp_width(32);
        let mut bench = Bench {
            name: kernel.name.clone(),
            sources,
            root,
            files,
            spec,
            port: reference.clone(),
            reference,
            translation: Some(translation),
            port_sources: SourceMap::new(),
            cases,
            profile,
            target,
            stand_in: None,
        };
        let read = bench.translation.as_ref().map(|translation| bench.read_back(translation));
        (bench.port, bench.port_sources) = match read {
            Some(Ok(read)) => read,
            Some(Err(why)) => {
                bench.stand_in = Some(why);
                bench.translation = None;
                bench.read_again(None)?
            }
            None => bench.read_again(None)?,
        };
        // A matrix unit sums in another order than plain code: a fault is what differs beside that.
        if multiplies_fragments(&bench.reference) && !multiplies_fragments(&bench.port) {
            let plain = Profile::named("cpu").map_err(|error| Unusable(error.to_string()))?;
            bench.profile = bench.profile.with(PartId::MatrixUnit, &plain);
            let machine = Machine::new(&bench.reference, &bench.profile);
            for (_, case, run) in &mut bench.cases {
                *run = machine.run(case, &MachineOptions::default());
            }
        }
        Ok(bench)
    }

    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why the original's text takes the port's place, where it does.
    pub fn stand_in(&self) -> Option<&str> {
        self.stand_in.as_deref()
    }

    /// The original read once more, with other text in one of its files.
    fn read_again(
        &self,
        edit: Option<(&str, std::ops::Range<usize>, &str)>,
    ) -> Result<(DeviceCode, SourceMap), Unusable> {
        let mut sources = SourceMap::new();
        for id in self.sources.ids() {
            let file = self.sources.file(id);
            let mut text = file.text.to_string();
            if let Some((_, range, replacement)) =
                edit.as_ref().filter(|(path, ..)| **path == *file.path)
            {
                text.replace_range(range.clone(), replacement);
            }
            sources.add(&file.path, &text);
        }
        let names: Vec<String> = self.spec.launches.iter().map(|l| l.kernel.clone()).collect();
        let options = Options::default();
        let code = port::device_code(&sources, self.root, &options, Dialect::Cuda, &names);
        for name in &names {
            if let Err(findings) = port_check::machine::find_kernel(&code, name) {
                return unusable(findings.first().map_or(String::new(), |f| f.message.clone()));
            }
        }
        Ok((code, sources))
    }

    fn read_back(&self, translation: &Translation) -> Result<(DeviceCode, SourceMap), String> {
        let unit = PortedUnit {
            sources: &self.sources,
            files: &self.files,
            root: self.root,
            translation,
            options: &Options::default(),
            spec: &self.spec,
            case: &self.cases[0].1,
            time_limit: Duration::from_secs(10),
        };
        unit.read_back_with_sources().map_err(|note| note.missing.unwrap_or_default())
    }

    /// The paths of files that the port brings along.
    fn generated(&self) -> BTreeSet<String> {
        let root = PathBuf::from(&*self.sources.file(self.root).path);
        let files = self.translation.iter().flat_map(|translation| &translation.ported.files);
        files
            .filter_map(|file| match file.role {
                FileRole::Generated(name) => {
                    Some(root.with_file_name(name).to_string_lossy().into_owned())
                }
                _ => None,
            })
            .collect()
    }

    /// Every fault that can be planted.
    pub fn mutants(&self) -> Vec<Mutant> {
        let generated = self.generated();
        let mut mutants = code::mutants(&self.port, &self.port_sources, &generated);
        let mut executed: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (path, line) in code::executed(&self.port, &self.port_sources) {
            executed.entry(path).or_default().insert(line);
        }
        for id in self.port_sources.ids() {
            let file = self.port_sources.file(id);
            if let Some(lines) = executed.get(&*file.path)
                && !generated.contains(&*file.path)
            {
                mutants.extend(text::mutants(&file.path, &file.text, lines));
            }
        }
        mutants.extend(self.native_warps());
        mutants
    }

    /// Kernels that the port's own analysis says depend on a warp's width, run on wide ones.
    fn native_warps(&self) -> Option<Mutant> {
        self.translation.as_ref()?;
        let translation = ported(&self.sources, self.root, WarpMode::Native).ok()?;
        let finding =
            translation.ported.diagnostics.iter().find(|finding| finding.code == "P0501")?;
        let span = finding.primary.as_ref()?.span;
        let file = self.sources.file(span.file);
        let line = file.line_column(span.start).line;
        Some(Mutant {
            kind: Kind::NativeWarps,
            description: "waves of 64".to_owned(),
            path: file.path.to_string(),
            lines: line..=line,
            line,
            edit: Edit::NativeWarps,
        })
    }

    /// Where the width of a warp matters: what the port's own analysis names, and warp operations.
    fn lines_of_warps(&self) -> Vec<(FileId, u32)> {
        let mut lines = Vec::new();
        let mut add = |span: port_diag::Span| {
            lines.push((span.file, self.sources.file(span.file).line_column(span.start).line));
        };
        if let Ok(translation) = ported(&self.sources, self.root, WarpMode::Native) {
            let findings = translation.ported.diagnostics.iter();
            let findings = findings.filter(|finding| finding.code.starts_with("P05"));
            findings.filter_map(|finding| finding.primary.as_ref()).for_each(|at| add(at.span));
        }
        for (_, function) in self.reference.module.functions.iter() {
            for statement in code::statements(function) {
                if statement.kind.is_convergent() {
                    add(self.reference.expansions.outermost(statement.location.origin));
                }
            }
        }
        lines
    }

    /// The port's kernels with a fault.
    fn mutated(&self, mutant: &Mutant) -> Result<(DeviceCode, SourceMap), String> {
        match &mutant.edit {
            Edit::Code(change) => {
                let module = code::apply(&self.port.module, change);
                let module = module.ok_or("not a valid module")?;
                Ok((DeviceCode { module, ..self.port.clone() }, self.port_sources.clone()))
            }
            Edit::Text { path, range, replacement } => {
                let Some(mut translation) = self.translation.clone() else {
                    return self
                        .read_again(Some((path, range.clone(), replacement)))
                        .map_err(|e| e.0);
                };
                let root = PathBuf::from(&*self.sources.file(self.root).path);
                let root = root.with_extension("hip").to_string_lossy().into_owned();
                let is_own = |role: FileRole| match role {
                    FileRole::Root => *path == root,
                    FileRole::Header(id) => *self.sources.file(id).path == **path,
                    FileRole::Generated(_) => false,
                };
                let files = &mut translation.ported.files;
                let known = files.iter_mut().find(|file| is_own(file.role));
                match known {
                    Some(file) => file.text.replace_range(range.clone(), replacement),
                    None => {
                        let unchanged =
                            self.sources.ids().find(|id| *self.sources.file(*id).path == **path);
                        let id = unchanged.ok_or("the file is not the port's")?;
                        let mut text = self.sources.file(id).text.to_string();
                        text.replace_range(range.clone(), replacement);
                        let role = FileRole::Header(id);
                        files.push(port::OutputFile { role, text, changes: Vec::new() });
                    }
                }
                self.read_back(&translation)
            }
            Edit::NativeWarps => {
                let translation =
                    ported(&self.sources, self.root, WarpMode::Native).map_err(|e| e.0)?;
                self.read_back(&translation)
            }
        }
    }

    fn options(&self, reference: &MachineRun) -> MachineOptions {
        // A fault may well loop for ever.
        MachineOptions {
            fuel: reference.instructions.saturating_mul(8) + 1_000_000,
            ..MachineOptions::default()
        }
    }

    /// The report on a port, for a parameter set.
    fn report(
        &self,
        port: &DeviceCode,
        port_sources: &SourceMap,
        target: &Profile,
        case: &Case,
        options: &MachineOptions,
    ) -> Result<Report, String> {
        let comparison = Comparison {
            reference: &self.reference,
            port: Some(port),
            case,
            reference_profile: self.profile.clone(),
            target_profile: target.clone(),
            rule: Rule::named("torch").map_err(|error| error.to_string())?,
            options: options.clone(),
            schedules: vec![Schedule::Reversed, Schedule::Seeded(1)],
            causes: false,
        };
        let runs = comparison.run();
        let mut report = comparison.judge(&runs, &[], &[]);
        localize::explain(&comparison, &self.sources, port_sources, &mut report);
        Ok(report)
    }

    /// What the check says of the port without a fault: every verdict that is not `equal` under the
    /// same arithmetic, and every finding, for each parameter set.
    pub fn twin(&self) -> Result<(), String> {
        for (label, case, reference) in &self.cases {
            let options = self.options(reference);
            // The same arithmetic on both sides: nothing may differ.
            let report =
                self.report(&self.port, &self.port_sources, &self.profile, case, &options)?;
            if let Some(finding) = report.findings.first() {
                return Err(format!("{label}: {}: {}", finding.code, finding.message));
            }
            for kernel in &report.kernels {
                for output in &kernel.outputs {
                    if output.judged.verdict != Verdict::Equal {
                        let (name, reason) = (&output.name, &output.judged.reason);
                        let verdict = output.judged.verdict.as_str();
                        return Err(format!("{label}: {name}: {verdict}: {reason}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The lines that the port without a fault makes otherwise than the original, by kernel.
    pub fn made_otherwise(&self) -> Vec<String> {
        let profile = &self.profile;
        let reference = Side { code: &self.reference, sources: &self.sources, profile };
        let port = Side { code: &self.port, sources: &self.port_sources, profile };
        let kernels: BTreeSet<&str> = self.spec.launches.iter().map(|l| &*l.kernel).collect();
        let found = kernels.into_iter().flat_map(|kernel| {
            let lines = localize::made_otherwise(reference, port, kernel).into_iter();
            lines.map(move |(file, line, how)| {
                format!("{kernel}: {}:{line}: {how}", self.sources.file(file).path)
            })
        });
        found.collect()
    }

    /// Runs a mutant, and asks the check.
    pub fn test(&self, mutant: &Mutant) -> Fate {
        let (port, port_sources) = match self.mutated(mutant) {
            Ok(mutated) => mutated,
            Err(why) => return Fate::Unreadable(why),
        };
        let width = if mutant.kind == Kind::NativeWarps { 64 } else { 32 };
        let same = self.profile.with_warp_width(width);
        let machine = Machine::new(&port, &same);
        for (label, case, reference) in &self.cases {
            let mut options = self.options(reference);
            if mutant.kind.class() == Class::Race {
                options.checks = Checks { races: true, ..Checks::NONE };
            }
            let run = machine.run(case, &options);
            if let Some(finding) = run.findings.iter().find(|finding| finding.code == "P0622") {
                return Fate::Unreadable(finding.message.clone());
            }
            if run.result.outputs == reference.result.outputs && run.findings.is_empty() {
                continue;
            }
            options.checks = Checks::NONE;
            let target = self.target.with_warp_width(width);
            return match self.report(&port, &port_sources, &target, case, &options) {
                Ok(report) => Fate::Tested(self.tested(mutant, label, &report)),
                Err(why) => Fate::Unreadable(why),
            };
        }
        Fate::Unchanged
    }

    fn tested(&self, mutant: &Mutant, label: &str, report: &Report) -> Tested {
        let verdict = report.verdict();
        let mut classes = BTreeSet::new();
        if verdict == Verdict::PortBug {
            classes.insert(Class::PortBug);
        }
        if report.findings.iter().any(|finding| finding.code == RACE) {
            classes.insert(Class::Race);
        }
        let mut named = Vec::new();
        let (mut right_line, mut same_line) = (false, false);
        let expected = |line: u32| match mutant.edit {
            Edit::NativeWarps => {
                let id = self.sources.ids().find(|id| *self.sources.file(*id).path == *mutant.path);
                id.map(|id| (id, line))
            }
            _ => localize::reference_line(&self.sources, &self.port_sources, &mutant.path, line),
        };
        let mut lines: Vec<(FileId, u32)> = mutant.lines.clone().filter_map(expected).collect();
        if matches!(mutant.edit, Edit::NativeWarps) {
            lines.extend(self.lines_of_warps());
        }
        let own = expected(mutant.line);
        for cause in report.kernels.iter().flat_map(|kernel| kernel.causes.iter()) {
            for place in cause.places.iter().take(1) {
                let file = self.sources.file(place.file);
                let at = (place.file, file.line_column(place.start).line);
                right_line |= lines.contains(&at);
                same_line |= own == Some(at);
                named.push(format!("{}:{}: {}", file.path, at.1, cause.name));
            }
        }
        let expected = own.map_or(String::new(), |(file, line)| {
            format!("{}:{line}", self.sources.file(file).path)
        });
        Tested {
            label: label.to_owned(),
            right_class: classes.contains(&mutant.kind.class()),
            classes,
            verdict,
            right_line,
            same_line,
            named,
            expected,
        }
    }
}
