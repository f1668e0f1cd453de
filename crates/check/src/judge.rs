//! From runs to a report: which output of which kernel is what, by how much, and why. Runs the
//! machine; what a C++ compiler is needed for is given by the caller as further evidence.

use std::collections::BTreeSet;

use port::DeviceCode;
use port_diag::{Diagnostic, Finding as _, Label};
use port_float::{PartId, Profile};
use port_ir::{Block, StatementKind};

use crate::attribution::{Ablation, Cause};
use crate::machine::{self, Checks, Machine, MachineRun, Options, Schedule};
use crate::machine_findings::{
    IllConditioned, OutOfMemory, PortBug, TargetDrift, Uninitialised, Unproven,
};
use crate::oracle::RunResult;
use crate::rules::{RULES, Rule};
use crate::spec::Case;
use crate::tensor::{DType, Tensor};
use crate::verdict::{Evidence, Judged, SameArithmetic, Verdict};

/// What is compared.
pub struct Comparison<'a> {
    /// The reference's kernels.
    pub reference: &'a DeviceCode,
    /// The port's kernels as the front end reads them back, where it can.
    pub port: Option<&'a DeviceCode>,
    /// The launches and data.
    pub case: &'a Case,
    /// The reference's arithmetic.
    pub reference_profile: Profile,
    /// The target's.
    pub target_profile: Profile,
    /// What the outputs are judged by.
    pub rule: Rule,
    /// How the machine runs. The schedule is the reference's own.
    pub options: Options,
    /// Further schedules of the reference, for noise of order.
    pub schedules: Vec<Schedule>,
    /// Whether differences are traced to parts of the arithmetic.
    pub causes: bool,
}

/// Reference and port run in some other way, under one arithmetic.
pub struct Executed {
    /// How: "compiled with g++, against the machine under `cpu`".
    pub how: String,
    /// The reference; `None` for the machine's own run under the target's profile.
    pub reference: Option<RunResult>,
    /// The port.
    pub port: RunResult,
    /// Whether the port's arithmetic was the target's own.
    pub is_target: bool,
    /// Whether the port may round at other places than the reference ([`SameArithmetic`]).
    pub reordered: bool,
}

/// What there is to judge by, and what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceNote {
    /// What was, or would have been, done.
    pub what: String,
    /// Why it was not; `None` where it was.
    pub missing: Option<String>,
    /// Whether it was begun, and the port ended with an error where the original did not: then
    /// `missing` is that error.
    pub stopped: bool,
}

impl EvidenceNote {
    /// Something that was done.
    pub fn done(what: impl Into<String>) -> EvidenceNote {
        EvidenceNote { what: what.into(), missing: None, stopped: false }
    }

    /// Something that could not be done.
    pub fn missing(what: impl Into<String>, why: impl Into<String>) -> EvidenceNote {
        EvidenceNote { what: what.into(), missing: Some(why.into()), stopped: false }
    }
}

/// The result of a check.
#[derive(Clone, Debug)]
pub struct Report {
    /// One for each kernel of the launches, in their order.
    pub kernels: Vec<KernelReport>,
    /// What the verdicts rest on.
    pub evidence: Vec<EvidenceNote>,
    /// What went wrong in runs of the machine.
    pub findings: Vec<Diagnostic>,
}

/// A kernel with its outputs.
#[derive(Clone, Debug)]
pub struct KernelReport {
    /// The kernel, as the spec names it.
    pub name: String,
    /// The worst verdict of its outputs.
    pub verdict: Verdict,
    /// Its outputs.
    pub outputs: Vec<OutputReport>,
    /// Whether it has none, and the verdict is that of later launches that read what it writes.
    pub inherits: bool,
    /// What makes the difference, the largest share first.
    pub causes: Vec<Cause>,
}

/// An output.
#[derive(Clone, Debug)]
pub struct OutputReport {
    /// The buffer or symbol.
    pub name: String,
    /// Its elements' type.
    pub dtype: DType,
    /// Their number.
    pub count: usize,
    /// The verdict, with what was measured.
    pub judged: Judged,
    /// What each known rule says; without what it cannot judge.
    pub passes: Vec<(&'static str, bool)>,
}

impl Report {
    /// The worst verdict.
    pub fn verdict(&self) -> Verdict {
        self.kernels.iter().map(|kernel| kernel.verdict).max().unwrap_or(Verdict::Unproven)
    }

    /// The verdicts that a person should see, as findings at the kernels; the causes are among them.
    pub fn verdict_findings(&self, code: &DeviceCode, rule: &Rule) -> Vec<Diagnostic> {
        let place = |kernel: &str| {
            let (_, handle) = machine::find_kernel(code, kernel).ok()?;
            let origin = code.module.functions.origin(handle)?;
            Some(Label { span: code.expansions.outermost(origin), message: String::new() })
        };
        let mut findings = Vec::new();
        for kernel in &self.kernels {
            for output in &kernel.outputs {
                let (name, reason) = (output.name.clone(), output.judged.reason.clone());
                let mut finding = match output.judged.verdict {
                    Verdict::PortBug => PortBug { output: name, reason }.nowhere(),
                    Verdict::TargetDrift => {
                        TargetDrift { output: name, rule: rule.name().into(), reason }.nowhere()
                    }
                    Verdict::IllConditioned => IllConditioned { output: name, reason }.nowhere(),
                    Verdict::Unproven => Unproven { output: name, reason }.nowhere(),
                    Verdict::Equal | Verdict::WithinRule | Verdict::OrderNoise => continue,
                };
                finding.primary = place(&kernel.name);
                for cause in kernel.causes.iter().filter(|cause| cause.share >= 0.01) {
                    let text = format!("{}: {:.0} % of the drift", cause.name, cause.share * 100.0);
                    if let Some(span) = cause.places.first() {
                        finding = finding.with_label(*span, text);
                    }
                }
                findings.push(finding.in_kernel(&kernel.name));
            }
            if kernel.outputs.is_empty() && !kernel.inherits {
                let reason = "no output is its own: mark a buffer that it writes with `out = true`";
                let finding = Unproven { output: kernel.name.clone(), reason: reason.into() };
                let mut finding = finding.nowhere();
                finding.primary = place(&kernel.name);
                findings.push(finding.in_kernel(&kernel.name));
            }
        }
        findings
    }
}

/// The machine's runs of a comparison.
pub struct Runs {
    /// The reference under its own profile.
    pub reference: MachineRun,
    /// The reference's kernels under the target's profile.
    pub target: MachineRun,
    /// The port, read back, under the reference's profile (with as many lanes in a warp as the port
    /// has) and under the target's.
    pub port: Option<[MachineRun; 2]>,
    /// The reference with its products of fragments summed as plain code does, where it has a matrix
    /// unit compute them and the port does not.
    pub plain: Option<MachineRun>,
    /// Reference and port with all checks.
    pub checked: Option<[MachineRun; 2]>,
    /// The reference in high precision, if it has an end.
    pub exact: Option<MachineRun>,
    /// The reference under other schedules.
    pub schedules: Vec<MachineRun>,
}

impl Comparison<'_> {
    /// Runs the machine as often as the comparison needs.
    pub fn run(&self) -> Runs {
        let machine = Machine::new(self.reference, &self.reference_profile);
        self.run_after(machine.run(self.case, &self.options))
    }

    /// As [`Comparison::run`], after the reference's run under its own profile. If that has no end,
    /// nothing else is run: all of it would use up its budget.
    pub fn run_after(&self, reference: MachineRun) -> Runs {
        if reference.has_no_end() {
            let outputs = self.case.buffers.iter().chain(&self.case.symbols);
            let incomplete = outputs.map(|output| output.name.clone()).collect();
            let target = MachineRun { incomplete, ..reference.clone() };
            let (port, plain, checked, exact) = Default::default();
            return Runs { reference, target, port, plain, checked, exact, schedules: Vec::new() };
        }
        let run = |code: &DeviceCode, profile: &Profile, options: &Options| {
            Machine::new(code, profile).run(self.case, options)
        };
        let target = run(self.reference, &self.target_profile, &self.options);
        let width = self.target_profile.warp_width();
        let same = self.reference_profile.with_warp_width(width);
        let port = self.port.map(|code| {
            [&same, &self.target_profile].map(|profile| run(code, profile, &self.options))
        });
        let has_none = self.port.filter(|port| !multiplies_fragments(port));
        let ordered = has_none.filter(|_| multiplies_fragments(self.reference));
        let plain = ordered.and_then(|_| Profile::named("cpu").ok()).map(|plain| {
            let profile = self.reference_profile.with(PartId::MatrixUnit, &plain);
            run(self.reference, &profile, &self.options)
        });
        let checked = self.port.map(|code| {
            let options = Options { checks: Checks::ALL, ..self.options.clone() };
            [run(self.reference, &self.reference_profile, &options), run(code, &same, &options)]
        });
        let exact = Machine::new(self.reference, &self.reference_profile);
        let exact = Some(exact.run_exact(self.case, &self.options));
        let machine = Machine::new(self.reference, &self.reference_profile);
        let mut schedules: Vec<MachineRun> = Vec::new();
        for schedule in &self.schedules {
            let options = Options { schedule: *schedule, ..self.options.clone() };
            schedules.push(machine.run(self.case, &options));
            // What two other orders do not move has no order.
            let moves = |run: &MachineRun| run.result.outputs != reference.result.outputs;
            if schedules.len() >= 2 && !schedules.iter().any(moves) {
                break;
            }
        }
        Runs { reference, target, port, plain, checked, exact, schedules }
    }

    /// Judges every output.
    pub fn judge(&self, runs: &Runs, executed: &[Executed], missing: &[EvidenceNote]) -> Report {
        let mut findings = runs.reference.findings.clone();
        let mut evidence = vec![EvidenceNote {
            what: format!("reference on the machine under `{}`", self.reference_profile.name()),
            missing: problem(&runs.reference),
            stopped: false,
        }];
        let target = format!("reference under `{}`", self.target_profile.name());
        let exact = "reference in high precision".to_owned();
        for (run, what) in [(Some(&runs.target), target), (runs.exact.as_ref(), exact)] {
            if let Some(missing) = run.map(problem) {
                evidence.push(EvidenceNote { what, missing, stopped: false });
            }
        }
        if let Some([same, own]) = &runs.port {
            let what = "the port read back, under both sides' arithmetic".to_owned();
            let missing = problem(same).or_else(|| problem(own));
            evidence.push(EvidenceNote { what, missing, stopped: false });
            // What only the port does wrong is said; what the reference does too was said above.
            let known: BTreeSet<&str> = findings.iter().map(|f| f.code).collect();
            let new = same.findings.iter().filter(|finding| !known.contains(finding.code));
            let new: Vec<Diagnostic> = new.cloned().collect();
            findings.extend(new);
        }
        if let Some([reference, port]) = &runs.checked {
            let known = |finding: &Diagnostic| {
                let same = |other: &Diagnostic| other.code == finding.code;
                reference.findings.iter().any(same) || findings.iter().any(same)
            };
            let new = port.findings.iter();
            let new = new.filter(|finding| is_of_the_kernel(finding) && !known(finding));
            let new: Vec<Diagnostic> = new.cloned().collect();
            findings.extend(new);
        }
        for executed in executed {
            evidence.push(EvidenceNote::done(executed.how.clone()));
        }
        evidence.extend(missing.iter().cloned());

        let owners = self.owners();
        let mut ablation = Ablation::new(self, runs);
        let mut kernels: Vec<KernelReport> = Vec::new();
        for (name, outputs) in owners {
            let only_port = self.only_port(&name, runs);
            let outputs: Vec<OutputReport> = outputs
                .into_iter()
                .filter_map(|output| {
                    let stopped = only_port.clone().or_else(|| stopped(output, runs, missing));
                    self.output(output, runs, executed, stopped)
                })
                .collect();
            let verdict = outputs.iter().map(|output| output.judged.verdict).max();
            let causes = match self.causes {
                true => ablation.causes(&name, &outputs),
                false => Vec::new(),
            };
            let verdict = verdict.unwrap_or(Verdict::Unproven);
            kernels.push(KernelReport { name, verdict, outputs, inherits: false, causes });
        }
        self.inherit(&mut kernels);
        // What checks find in a kernel is its own, whether it has outputs or others hide its.
        for kernel in &mut kernels {
            if self.only_port(&kernel.name, runs).is_some() {
                kernel.verdict = Verdict::PortBug;
                kernel.inherits = kernel.outputs.is_empty();
            }
        }
        Report { kernels, evidence, findings }
    }

    /// What the checks find in a kernel of the port and not in the reference's, a clause.
    fn only_port(&self, kernel: &str, runs: &Runs) -> Option<String> {
        let [reference, port] = runs.checked.as_ref()?;
        let (own, _) = machine::find_kernel(self.port?, kernel).ok()?;
        let named =
            |finding: &&Diagnostic| finding.kernel.as_ref().is_none_or(|of| *of == own.name);
        let known = |code: &str| reference.findings.iter().any(|finding| finding.code == code);
        let mut new = port.findings.iter().filter(named);
        let finding = new.find(|finding| is_of_the_kernel(finding) && !known(finding.code))?;
        Some(format!("only the port: {}: {}", finding.code, finding.message))
    }

    /// A kernel whose results only other launches read is what those make of them.
    fn inherit(&self, kernels: &mut [KernelReport]) {
        let launches = &self.case.launches;
        for index in (0..launches.len()).rev() {
            let written = machine::written_by(self.reference, &launches[index], self.case);
            let inherited = launches[index + 1..]
                .iter()
                .filter(|later| {
                    let used = machine::buffers_of(&later.arguments, self.case);
                    used.iter().any(|name| written.contains(&name.as_str()))
                })
                .filter_map(|later| kernels.iter().find(|known| known.name == later.kernel))
                .filter(|later| !later.outputs.is_empty() || later.inherits)
                .map(|later| later.verdict)
                .max();
            let own = kernels.iter_mut().find(|known| known.name == launches[index].kernel);
            if let (Some(own), Some(verdict)) = (own, inherited)
                && own.outputs.is_empty()
            {
                own.verdict = if own.inherits { own.verdict.max(verdict) } else { verdict };
                own.inherits = true;
            }
        }
    }

    /// The outputs of each kernel: those that its launches may write, each with the last that may.
    fn owners(&self) -> Vec<(String, Vec<&str>)> {
        let case = self.case;
        let mut owner: Vec<(&str, Option<usize>)> = Vec::new();
        let outputs = case.buffers.iter().chain(&case.symbols).filter(|buffer| buffer.output);
        owner.extend(outputs.map(|buffer| (buffer.name.as_str(), None)));
        for (index, launch) in case.launches.iter().enumerate() {
            let written = machine::written_by(self.reference, launch, case);
            for (name, last) in &mut owner {
                // Any launch may write a symbol.
                let symbol = case.symbols.iter().any(|symbol| symbol.name == *name);
                if written.contains(name) || symbol {
                    *last = Some(index);
                }
            }
        }
        let mut kernels: Vec<(String, Vec<&str>)> = Vec::new();
        for (index, launch) in case.launches.iter().enumerate() {
            let own = owner.iter().filter(|(_, last)| *last == Some(index)).map(|(name, _)| *name);
            match kernels.iter_mut().find(|(name, _)| *name == launch.kernel) {
                Some((_, outputs)) => outputs.extend(own),
                None => kernels.push((launch.kernel.clone(), own.collect())),
            }
        }
        kernels
    }

    fn output(
        &self,
        name: &str,
        runs: &Runs,
        executed: &[Executed],
        stopped: Option<String>,
    ) -> Option<OutputReport> {
        let complete = |run: &'_ MachineRun| !run.incomplete.contains(name);
        let of = |run: &MachineRun| -> Option<Tensor> {
            complete(run).then(|| run.result.output(name).cloned()).flatten()
        };
        let buffers = self.case.buffers.iter().chain(&self.case.symbols);
        let initial = &buffers.into_iter().find(|buffer| buffer.name == name)?.tensor;
        let reference = of(&runs.reference);
        let target = of(&runs.target);
        let exact = runs.exact.as_ref().and_then(of);
        let schedules: Vec<Tensor> = runs.schedules.iter().filter_map(of).collect();
        let port = runs.port.as_ref().map(|[same, own]| (of(same), of(own)));
        let plain = runs.plain.as_ref().and_then(of);
        let mut same = Vec::new();
        if let (Some((Some(port), _)), Some(reference)) = (&port, &reference) {
            let how = "both on the machine, under the reference's arithmetic";
            // No port can do what the reference's matrix unit does other than with that unit.
            let plain = plain.as_ref().filter(|_| reference != port);
            let reference = plain.unwrap_or(reference);
            same.push(SameArithmetic { how, reference, port, reordered: false });
        }
        let executed_pairs: Vec<(&Executed, Option<&Tensor>, &Tensor)> = executed
            .iter()
            .filter_map(|executed| {
                let reference = match &executed.reference {
                    Some(result) => result.output(name),
                    None => target.as_ref(),
                };
                Some((executed, reference, executed.port.output(name)?))
            })
            .collect();
        for (executed, reference, port) in &executed_pairs {
            if let Some(reference) = reference {
                let (how, reordered) = (&executed.how, executed.reordered);
                same.push(SameArithmetic { how, reference, port, reordered });
            }
        }
        // The nearest to the emitted text comes first.
        let own = executed_pairs.iter().find(|(executed, ..)| executed.is_target);
        let own = own.map(|(_, _, port)| *port);
        let own = own.or_else(|| port.as_ref().and_then(|(_, own)| own.as_ref()));
        let own = own.or(target.as_ref());
        let evidence = Evidence {
            reference: reference.as_ref(),
            port: own,
            same,
            stopped,
            schedules: schedules.iter().collect(),
            exact: exact.as_ref(),
        };
        let judged = evidence.judge(&self.rule);
        let mut passes = Vec::new();
        if let (Some(port), Some(reference)) = (own, &reference) {
            for listed in RULES {
                let rule = Rule::named(listed.name).ok();
                let judgement = rule.map(|rule| rule.judge(port, reference, exact.as_ref()));
                passes.extend(judgement.and_then(|j| j.pass).map(|pass| (listed.name, pass)));
            }
        }
        Some(OutputReport {
            name: name.to_owned(),
            dtype: initial.dtype(),
            count: initial.len(),
            judged,
            passes,
        })
    }
}

/// Whether code has a matrix unit multiply. A port without one sums the same products in the order of
/// plain code.
pub fn multiplies_fragments(code: &DeviceCode) -> bool {
    let functions = code.module.functions.iter();
    let mut open: Vec<&Block> = functions.filter_map(|(_, known)| known.body.as_ref()).collect();
    while let Some(block) = open.pop() {
        for statement in &block.statements {
            if let StatementKind::MatrixMultiply { .. } = statement.kind {
                return true;
            }
            open.extend(statement.kind.blocks());
        }
    }
    false
}

/// Whether a finding is about what a kernel did, not about what the machine or the arguments lack. A
/// dialect's compatibility header may copy words of which only some were written.
fn is_of_the_kernel(finding: &Diagnostic) -> bool {
    const OTHERS: [&str; 2] = [OutOfMemory::METADATA.code, Uninitialised::METADATA.code];
    ("P0630".."P0650").contains(&finding.code) && !OTHERS.contains(&finding.code)
}

/// What the port does wrong that the reference does not, for an output of a kernel.
fn stopped(output: &str, runs: &Runs, missing: &[EvidenceNote]) -> Option<String> {
    if runs.reference.incomplete.contains(output) {
        return None;
    }
    let where_not = "the port stops where the reference does not";
    if let Some([same, _]) = &runs.port
        && same.incomplete.contains(output)
        && let Some(finding) = same.findings.iter().find(|finding| is_of_the_kernel(finding))
    {
        return Some(format!("{where_not}: {}: {}", finding.code, finding.message));
    }
    // Where another launch of the reference stops, the port's whole run ends there too.
    if !runs.reference.incomplete.is_empty() {
        return None;
    }
    let note = missing.iter().find(|note| note.stopped)?;
    Some(format!("{where_not}: {}", note.missing.as_deref().unwrap_or("it ended with an error")))
}

/// Why a run says nothing, in a clause.
fn problem(run: &MachineRun) -> Option<String> {
    match (run.incomplete.is_empty(), run.findings.first()) {
        (true, _) => None,
        (false, Some(finding)) => Some(format!("{}: {}", finding.code, finding.message)),
        (false, None) => Some("a launch did not end".into()),
    }
}
