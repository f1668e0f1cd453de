//! `port check`: runs a kernel and its port, and says what each difference is.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use port::{Dialect, FileRole, FloatMode, Severity, Status, Target, Translation, WarpMode};
use port_check::ascend::Headers;
use port_check::attribution::Cause;
use port_check::fixes::{self, Fix};
use port_check::growth::{self, Growth};
use port_check::init;
use port_check::judge::{Comparison, EvidenceNote, KernelReport, OutputReport, Report};
use port_check::localize;
use port_check::machine::{Machine, Options, Schedule};
use port_check::metrics::bucket_label;
use port_check::ports::PortedUnit;
use port_check::rules::Rule;
use port_check::search::{self, Worst};
use port_check::toolchain::Toolchain;
use port_check::verdict::Verdict;
use port_check::{Case, lines};
use port_diag::render::json;
use port_diag::{Diagnostic, SourceMap, Span};
use port_float::{Evidence, Profile};
use serde_json::{Value, json};

use crate::arguments::{CheckArguments, CommonArguments, MessageFormat};
use crate::run::machine_options;
use crate::subject::{self, Refusal, Subject};
use crate::write::{self, Planned};
use crate::{CLEAN, FINDINGS, parallel, pipeline, print, proposals, report};

/// Schedules of the reference beside its own, for noise of order.
const SCHEDULES: [Schedule; 8] = [
    Schedule::Reversed,
    Schedule::Seeded(1),
    Schedule::Seeded(2),
    Schedule::Seeded(3),
    Schedule::Seeded(4),
    Schedule::Seeded(5),
    Schedule::Seeded(6),
    Schedule::Seeded(7),
];

/// Where the search for worst inputs begins: the same inputs each time.
const SEED: u64 = 1;

/// A target that was checked.
struct Checked {
    target: Target,
    profile: String,
    reference: String,
    rule: Rule,
    report: Report,
    /// Of the port, of the runs and of the verdicts.
    findings: Vec<Diagnostic>,
    /// Parts of the target's arithmetic whose bits are not public.
    modelled: Vec<String>,
    growth: Vec<Growth>,
    /// The parameter set, where all are checked.
    set: Option<String>,
    fixes: Vec<Fix>,
    worst: Vec<Worst>,
}

/// Runs the command; the exit status.
pub fn run(arguments: &CheckArguments, common: &CommonArguments) -> Result<u8, String> {
    let reference = subject::profile(&arguments.profile)?;
    if arguments.init {
        return write_spec(arguments, common, &reference);
    }
    let options = machine_options(&arguments.machine)?;
    let settings = parallel::Settings { jobs: std::num::NonZeroUsize::new(1), progress: None };
    let mut results = parallel::map(&[()], &settings, |()| check(arguments, &reference, &options));
    let defect = |message: String| {
        pipeline::defect(arguments.input.display().to_string(), &message).to_string()
    };
    let result = match results.pop() {
        Some(Ok(result)) => result,
        Some(Err(message)) => return Err(defect(message)),
        None => return Err(defect("nothing was done".into())),
    };
    let (subject, checked) = match result {
        Ok(done) => done,
        Err(Refusal::Usage(message)) => return Err(message),
        Err(Refusal::Findings(sources, findings)) => {
            subject::show(&sources, &findings, common)?;
            if common.message_format == MessageFormat::Json {
                let findings: Vec<Value> =
                    findings.iter().map(|f| json::value(&sources, f)).collect();
                let document =
                    json!({"schema": 1, "kernels": [], "evidence": [], "diagnostics": findings});
                print(&report::pretty(&document)?)?;
            }
            return Ok(FINDINGS);
        }
    };
    let sources = &subject.unit.sources;
    if let Some(path) = &arguments.html {
        let page = crate::check_html::page(&subject, &views(sources, &checked));
        let planned = Planned { path: path.clone(), bytes: page.into_bytes(), replace: false };
        write::write_all(&[planned], arguments.force, std::slice::from_ref(&arguments.input))?;
    }
    let all: Vec<Diagnostic> =
        checked.iter().flat_map(|checked| checked.findings.iter().cloned()).collect();
    match common.message_format {
        MessageFormat::Json => print(&report::pretty(&document(sources, &checked))?)?,
        MessageFormat::Human => {
            let lowest = if common.verbose { Severity::Note } else { Severity::Warning };
            let shown: Vec<Diagnostic> =
                all.iter().filter(|finding| finding.severity >= lowest).cloned().collect();
            report::print_findings(sources, &shown, common)?;
            let mut text = String::new();
            for checked in &checked {
                human(&mut text, sources, &arguments.input, checked, common);
            }
            print(&text)?;
        }
        _ => report::print_findings(sources, &all, common)?,
    }
    let worried = checked.iter().any(|checked| {
        checked.report.verdict().needs_a_person() || subject::has_errors(&checked.findings)
    });
    Ok(if worried { FINDINGS } else { CLEAN })
}

/// A checked target as the HTML page shows it.
pub struct View<'a> {
    pub title: String,
    pub rule: &'a str,
    pub report: &'a Report,
    pub text: String,
}

fn views<'a>(sources: &SourceMap, checked: &'a [Checked]) -> Vec<View<'a>> {
    checked
        .iter()
        .map(|checked| {
            let mut text = String::new();
            for kernel in &checked.report.kernels {
                kernel_text(&mut text, sources, kernel, true);
            }
            text.push_str(&proposals::text(sources, &checked.fixes, &checked.worst));
            let set = checked.set.as_ref().map_or(String::new(), |set| format!(", {set}"));
            View {
                title: format!("{} ({}{set})", checked.target, checked.profile),
                rule: checked.rule.name(),
                report: &checked.report,
                text,
            }
        })
        .collect()
}

fn check(
    arguments: &CheckArguments,
    reference: &Profile,
    options: &Options,
) -> Result<(Subject, Vec<Checked>), Refusal> {
    let subject = Subject::load(&arguments.input, &arguments.reading, &arguments.data, reference)?;
    let targets = pipeline::targets(&arguments.target);
    let mut translations =
        port::translate(&subject.unit.sources, subject.unit.root, &targets, &subject.options);
    let mut edited = Vec::new();
    if let Some(path) = &arguments.port {
        let [translation] = &mut translations[..] else {
            return Err(Refusal::Usage("--port: one text is the port to one target".into()));
        };
        edited = put_in_place(translation, path)?;
    }
    let mut cases: Vec<(Option<String>, Case)> = Vec::new();
    if arguments.sweep {
        for set in subject.spec.parameter_sets() {
            match subject.spec.case(&set) {
                Ok(case) => cases.push((Some(set.label()), case)),
                Err(findings) => {
                    return Err(Refusal::Findings(Box::new(subject.unit.sources), findings));
                }
            }
        }
    } else {
        cases.push((None, subject.case.clone()));
    }
    let mut checked = Vec::new();
    for translation in &translations {
        for (set, case) in &cases {
            let done = check_target(arguments, &subject, translation, case, reference, options)?;
            let mut done = Checked { set: set.clone(), ..done };
            name_edits(&mut done.report, &edited);
            checked.push(done);
        }
    }
    Ok((subject, checked))
}

/// A text of the user's takes the port's place; files that the port brings along may lie beside it. Gives
/// where it is not what would have been written: `FILE:LINE`.
fn put_in_place(translation: &mut Translation, path: &Path) -> Result<Vec<String>, Refusal> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut edited = Vec::new();
    for file in &mut translation.ported.files {
        let given = match file.role {
            FileRole::Root => path.to_owned(),
            FileRole::Generated(name) => path.with_file_name(name),
            FileRole::Header(_) => continue,
        };
        if file.role != FileRole::Root && !given.is_file() {
            continue;
        }
        let text = read(&given)?;
        let changed = lines::changed(&file.text, &text);
        edited.extend(changed.into_iter().map(|line| format!("{}:{line}", given.display())));
        file.text = text;
    }
    Ok(edited)
}

/// A port bug that no line of the original is named for comes from what was edited.
fn name_edits(report: &mut Report, edited: &[String]) {
    /// More are no help.
    const MOST: usize = 4;
    if edited.is_empty() {
        return;
    }
    let bugs = report.kernels.iter_mut().filter(|kernel| kernel.verdict == Verdict::PortBug);
    for kernel in bugs.filter(|kernel| kernel.causes.is_empty()) {
        let more = edited.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = &edited[..edited.len().min(MOST)];
        let name = format!("edited at {}{more}", shown.join(", "));
        kernel.causes.push(Cause { name, share: 1.0, places: Vec::new() });
    }
}

/// The profile of a target's own arithmetic.
fn target_profile(target: &Target) -> Result<Profile, String> {
    let name = match (target.backend.name(), target.architecture) {
        ("hip", None) => "hip:gfx90a".to_owned(),
        ("ascend", None) => "ascend:910b".to_owned(),
        (_, Some(_)) => target.to_string(),
        (name, None) => name.to_owned(),
    };
    Profile::named(&name).map_err(|error| error.to_string())
}

fn rule(arguments: &CheckArguments, subject: &Subject, target: &Target) -> Result<Rule, String> {
    let name = arguments.rule.as_deref().or(subject.spec.rule.as_deref());
    let usual = if target.backend.name() == "ascend" { "ecosystem" } else { "torch" };
    Rule::named(name.unwrap_or(usual)).map_err(|error| format!("--rule: {error}"))
}

/// What `--ascend-include` without a folder stands for.
const HOME: &str = "$ASCEND_HOME_PATH";

/// The headers of `--ascend-include`.
fn ascend_headers(arguments: &CheckArguments) -> Result<Option<Headers>, String> {
    let Some(folder) = &arguments.ascend_include else { return Ok(None) };
    let folder = Some(folder.as_path()).filter(|folder| folder.as_os_str() != HOME);
    let headers = Headers::new(folder, &Toolchain::discover());
    headers.map(Some).map_err(|error| format!("--ascend-include: {error}"))
}

fn check_target(
    arguments: &CheckArguments,
    subject: &Subject,
    translation: &Translation,
    case: &Case,
    reference: &Profile,
    options: &Options,
) -> Result<Checked, Refusal> {
    let target = translation.target;
    let rule = rule(arguments, subject, &target)?;
    let mut own = target_profile(&target)?;
    if target.backend.name() == "cpu" && arguments.reading.float == FloatMode::Cuda {
        own = own.fused_as(reference);
    }
    let wave = own.warp_width();
    let is_hip = target.backend.name() == "hip";
    let unit = PortedUnit {
        sources: &subject.unit.sources,
        files: &subject.files,
        root: subject.unit.root,
        translation,
        options: &subject.options,
        spec: &subject.spec,
        case,
        time_limit: Duration::from_secs(arguments.time_limit),
    };
    let first = Machine::new(&subject.code, reference).run(case, options);
    let ends = !first.has_no_end();
    let mut executed = Vec::new();
    let mut missing: Vec<EvidenceNote> = Vec::new();
    let what = "the port, compiled with the system's C++ compiler";
    if !ends {
        missing.push(EvidenceNote::missing(what, "the original has no end within its budget"));
    } else if arguments.no_compiler {
        missing.push(EvidenceNote::missing(what, "--no-compiler"));
    } else {
        let attempt = match target.backend.name() {
            "hip" => unit.executed_as_hip(wave),
            "ascend" => match ascend_headers(arguments)? {
                Some(headers) => {
                    unit.read_with_headers(&headers).and_then(|()| unit.executed_on_ascend())
                }
                None => unit.executed_on_ascend(),
            },
            _ => unit.executed_on_cpu(own.name()),
        };
        match attempt {
            Ok(done) => executed.push(done),
            Err(note) => missing.push(note),
        }
    }
    let mut read_back = None;
    let mut port_sources = None;
    if is_hip && ends {
        match unit.read_back_with_sources() {
            Ok((code, sources)) => {
                read_back = Some(code);
                port_sources = Some(sources);
            }
            Err(note) => missing.push(note),
        }
    }
    let target_profile = match read_back {
        // The port's own text says how wide its warps are.
        Some(_) if arguments.reading.warp == WarpMode::Native => own.clone(),
        _ => subject::with_warps(&own, arguments.reading.warp),
    };
    let comparison = Comparison {
        reference: &subject.code,
        port: read_back.as_ref(),
        case,
        reference_profile: reference.clone(),
        target_profile,
        rule: rule.clone(),
        options: options.clone(),
        schedules: SCHEDULES.to_vec(),
        causes: !arguments.no_causes && ends,
    };
    let runs = comparison.run_after(first);
    let mut report = comparison.judge(&runs, &executed, &missing);
    if let Some(port_sources) = &port_sources {
        localize::explain(&comparison, &subject.unit.sources, port_sources, &mut report);
    }
    let growth = match arguments.steps.filter(|_| ends) {
        Some(steps) => growth::grow(&comparison, &subject.spec.feedback, steps)
            .map_err(|problem| format!("--steps: {problem}"))?,
        None => Vec::new(),
    };
    let fixes = match arguments.fix && ends {
        true => {
            let kernels: Vec<String> =
                subject.spec.launches.iter().map(|launch| launch.kernel.clone()).collect();
            let rebuild = |sources: &SourceMap| {
                let (root, options) = (subject.unit.root, &subject.options);
                Some(port::device_code(sources, root, options, Dialect::Cuda, &kernels))
            };
            let sources = &subject.unit.sources;
            fixes::propose(&comparison, &runs, &report.kernels, sources, &rebuild)
        }
        false => Vec::new(),
    };
    let worst = match arguments.search.filter(|_| ends) {
        Some(runs) => search::search(&comparison, runs, SEED)
            .map_err(|problem| format!("--search: {problem}"))?,
        None => Vec::new(),
    };
    let mut findings: Vec<Diagnostic> = report.findings.clone();
    if arguments.port.is_none() {
        findings.extend(port_findings(subject, translation));
    }
    findings.extend(report.verdict_findings(&subject.code, &rule));
    let modelled = own.parts().into_iter().filter(|part| part.evidence == Evidence::Modelled);
    let modelled = modelled.map(|part| part.what.to_string()).collect();
    Ok(Checked {
        target,
        profile: comparison.target_profile.name().to_owned(),
        reference: reference.name().to_owned(),
        rule,
        report,
        findings,
        modelled,
        growth,
        set: None,
        fixes,
        worst,
    })
}

/// What keeps kernels of the launches from being ported.
fn port_findings(subject: &Subject, translation: &Translation) -> Vec<Diagnostic> {
    let launched: Vec<&str> =
        subject.case.launches.iter().map(|l| port::plain_name(&l.kernel)).collect();
    let manual = translation.ported.kernels.iter().filter(|kernel| {
        let last = kernel.name.rsplit("::").next().unwrap_or(&kernel.name);
        kernel.status == Status::Manual
            && launched.iter().any(|name| *name == kernel.name || *name == last)
    });
    let codes: Vec<&str> = manual.flat_map(|kernel| kernel.codes.iter().copied()).collect();
    let errors = translation.ported.diagnostics.iter();
    errors.filter(|d| d.severity == Severity::Error && codes.contains(&d.code)).cloned().collect()
}

fn human(
    text: &mut String,
    sources: &SourceMap,
    input: &Path,
    checked: &Checked,
    common: &CommonArguments,
) {
    let Checked { target, profile, reference, rule, report, modelled, growth, .. } = checked;
    let verdict = report.verdict().as_str();
    let set = checked.set.as_ref().map_or(String::new(), |set| format!(" [{set}]"));
    let _ = writeln!(
        text,
        "{} -> {target}{set}: {verdict} (rule {}; {reference} against {profile})",
        input.display(),
        rule.name()
    );
    if common.quiet {
        return;
    }
    for kernel in &report.kernels {
        kernel_text(text, sources, kernel, common.verbose);
    }
    if !growth.is_empty() {
        text.push_str("\nover steps\n");
    }
    for known in growth {
        let Some((first, last)) = known.steps.first().zip(known.steps.last()) else { continue };
        let grows = match known.exponent {
            Some(exponent) => format!(", grows as t^{exponent:.2}"),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "  {:<16} rms {:.3e} -> {:.3e}, bias {:+.3e} -> {:+.3e} after {} steps{grows}",
            known.output, first.relative_rms, last.relative_rms, first.bias, last.bias, last.step
        );
    }
    text.push_str(&proposals::text(sources, &checked.fixes, &checked.worst));
    text.push_str("\nevidence\n");
    for note in &report.evidence {
        let _ = match &note.missing {
            None => writeln!(text, "  yes      {}", note.what),
            Some(why) => writeln!(text, "  missing  {}: {why}", note.what),
        };
    }
    if !modelled.is_empty() {
        let _ = writeln!(text, "  modelled {}: these bits are not public", modelled.join(", "));
    }
}

fn kernel_text(text: &mut String, sources: &SourceMap, kernel: &KernelReport, verbose: bool) {
    let later = if kernel.inherits { " (by what later launches make of its results)" } else { "" };
    let _ = writeln!(text, "\n{}: {}{later}", kernel.name, kernel.verdict.as_str());
    for output in &kernel.outputs {
        output_text(text, output, verbose);
    }
    if !kernel.causes.is_empty() {
        text.push_str("  causes\n");
    }
    for cause in kernel.causes.iter().filter(|cause| cause.share >= 0.001) {
        let lines = lines(sources, &cause.places);
        let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
        let place = match lines.len() {
            0 => String::new(),
            1 => format!("  line {}", lines[0]),
            _ => format!("  lines {}", lines.join(", ")),
        };
        let _ = writeln!(text, "    {:>5.1} %  {}{place}", cause.share * 100.0, cause.name);
    }
}

fn output_text(text: &mut String, output: &OutputReport, verbose: bool) {
    let judged = &output.judged;
    let _ = writeln!(
        text,
        "  {:<16} {:<5} {:>9} elements  {}: {}",
        output.name,
        output.dtype.name(),
        output.count,
        judged.verdict.as_str(),
        judged.reason
    );
    let Some(c) = &judged.comparison else { return };
    if judged.verdict == Verdict::Equal && !verbose {
        return;
    }
    let _ = writeln!(
        text,
        "    max ulp {}, max rel {:.3e}, mean rel {:.3e}, bias {:+.3e}, cosine {:.9}, rmse {:.3e}, of scale {:.3e}",
        c.max_ulp, c.max_relative, c.mean_relative, c.bias, c.cosine, c.rmse, c.scale_error
    );
    if c.nan_mismatch + c.infinity_mismatch > 0 {
        let _ = writeln!(
            text,
            "    {} NaN and {} infinities on one side only",
            c.nan_mismatch, c.infinity_mismatch
        );
    }
    let histogram: Vec<String> = c
        .ulp_histogram
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(entry, count)| format!("{}: {count}", bucket_label(entry)))
        .collect();
    let _ = writeln!(text, "    ulp  {}", histogram.join("  "));
    if let Some(own) = &judged.conditioning {
        let _ = writeln!(
            text,
            "    reference against high precision: max rel {:.3e}, rmse {:.3e}",
            own.max_relative, own.rmse
        );
    }
    let of = |pass: bool| {
        let names = output.passes.iter().filter(|(_, passed)| *passed == pass);
        names.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    };
    let (all, failed) = (output.passes.len(), of(false));
    let passed = output.passes.iter().filter(|(_, passed)| *passed).count();
    let _ = match (verbose, failed.is_empty()) {
        (true, _) => writeln!(text, "    passes {}\n    fails  {failed}", of(true)),
        (false, true) => writeln!(text, "    passes all {all} rules"),
        (false, false) => writeln!(text, "    passes {passed} of {all} rules; fails {failed}"),
    };
}

/// The lines of places, each once.
fn lines(sources: &SourceMap, places: &[Span]) -> Vec<u32> {
    let mut lines: Vec<u32> =
        places.iter().map(|span| sources.file(span.file).line_column(span.start).line).collect();
    lines.dedup();
    lines
}

/// A measure; what is not finite has no number in JSON.
pub fn measure(value: f64) -> Value {
    match value.is_finite() {
        true => json!(value),
        false => json!(value.to_string()),
    }
}

fn document(sources: &SourceMap, checked: &[Checked]) -> Value {
    let mut kernels = Vec::new();
    for checked in checked {
        for kernel in &checked.report.kernels {
            let outputs: Vec<Value> = kernel.outputs.iter().map(output_json).collect();
            let causes: Vec<Value> = kernel
                .causes
                .iter()
                .map(|cause| {
                    let lines = lines(sources, &cause.places);
                    json!({
                        "line": lines.first(),
                        "cause": cause.name,
                        "share": cause.share,
                        "lines": lines,
                    })
                })
                .collect();
            let mut value = json!({
                "name": kernel.name,
                "target": checked.target.to_string(),
                "verdict": kernel.verdict.as_str(),
                "outputs": outputs,
                "causes": causes,
                "rule": checked.rule.name(),
                "profiles": [checked.reference, checked.profile],
            });
            if let Some(set) = &checked.set {
                value["set"] = json!(set);
            }
            kernels.push(value);
        }
    }
    let evidence = checked.iter().flat_map(|checked| {
        checked.report.evidence.iter().map(|note| {
            json!({
                "target": checked.target.to_string(),
                "what": note.what,
                "missing": note.missing,
            })
        })
    });
    let evidence: Vec<Value> = evidence.collect();
    let findings = checked.iter().flat_map(|checked| &checked.findings);
    let findings: Vec<Value> = findings.map(|finding| json::value(sources, finding)).collect();
    let mut document =
        json!({"schema": 1, "kernels": kernels, "evidence": evidence, "diagnostics": findings});
    let growth: Vec<Value> = checked.iter().flat_map(|checked| {
        checked.growth.iter().map(|known| {
            let steps = known.steps.iter().map(|step| {
                json!({"step": step.step, "relative_rms": measure(step.relative_rms), "bias": measure(step.bias)})
            });
            json!({
                "target": checked.target.to_string(),
                "output": known.output,
                "exponent": known.exponent,
                "steps": steps.collect::<Vec<Value>>(),
            })
        })
    }).collect();
    if !growth.is_empty() {
        document["growth"] = Value::Array(growth);
    }
    for checked in checked {
        let about = json!({"target": checked.target.to_string(), "set": checked.set});
        proposals::add_json(&mut document, sources, &about, &checked.fixes, &checked.worst);
    }
    document
}

fn output_json(output: &OutputReport) -> Value {
    let judged = &output.judged;
    let mut pass = serde_json::Map::new();
    for (rule, passed) in &output.passes {
        pass.insert((*rule).to_owned(), json!(passed));
    }
    let mut value = json!({
        "name": output.name,
        "dtype": output.dtype.name(),
        "count": output.count,
        "verdict": judged.verdict.as_str(),
        "reason": judged.reason,
    });
    // The same fields with and without a comparison.
    let c = judged.comparison.as_ref();
    value["max_ulp"] = c.map_or(Value::Null, |c| json!(c.max_ulp));
    let measures = [
        ("max_rel", c.map(|c| c.max_relative)),
        ("mean_rel", c.map(|c| c.mean_relative)),
        ("bias", c.map(|c| c.bias)),
        ("cosine", c.map(|c| c.cosine)),
        ("rmse", c.map(|c| c.rmse)),
        ("max_abs", c.map(|c| c.max_absolute)),
        ("offset", c.map(|c| c.offset)),
        ("scale_error", c.map(|c| c.scale_error)),
    ];
    for (name, measured) in measures {
        value[name] = measured.map_or(Value::Null, measure);
    }
    let counts = [
        ("nan_mismatch", c.map(|c| c.nan_mismatch)),
        ("inf_mismatch", c.map(|c| c.infinity_mismatch)),
        ("unequal", c.map(|c| c.unequal)),
    ];
    for (name, counted) in counts {
        value[name] = json!(counted);
    }
    value["ulp_histogram"] = json!(c.map(|c| &c.ulp_histogram));
    value["pass"] = Value::Object(pass);
    value
}

/// `--init`: a spec from the file's own launches and kernels.
fn write_spec(
    arguments: &CheckArguments,
    common: &CommonArguments,
    profile: &Profile,
) -> Result<u8, String> {
    let unit = subject::load_unit(&arguments.input, &arguments.reading)?;
    let options = subject::options(&arguments.reading, profile);
    let kernels: Vec<String> = arguments.data.kernel.iter().cloned().collect();
    let dialect = port::Dialect::Cuda;
    let code = port::device_code(&unit.sources, unit.root, &options, dialect, &kernels);
    let name = arguments.input.file_name().map(|name| name.to_string_lossy().into_owned());
    let written = init::spec_text(&code, &name.unwrap_or_default(), profile);
    let path: PathBuf = match &arguments.data.spec {
        Some(path) => path.clone(),
        None => arguments.input.with_extension("toml"),
    };
    if written.launches == 0 {
        let findings: Vec<Diagnostic> = code
            .diagnostics
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .cloned()
            .collect();
        subject::show(&unit.sources, &findings, common)?;
        return Err(format!(
            "{}: no kernel that can be run; nothing was written",
            arguments.input.display()
        ));
    }
    let planned = Planned { path: path.clone(), bytes: written.text.into_bytes(), replace: false };
    write::write_all(&[planned], arguments.force, std::slice::from_ref(&arguments.input))?;
    if !common.quiet {
        let launches = if written.launches == 1 { "launch" } else { "launches" };
        crate::print_error(&format!(
            "{}: {} {launches}; look at the sizes and values before you trust a verdict\n",
            path.display(),
            written.launches
        ));
    }
    Ok(CLEAN)
}
