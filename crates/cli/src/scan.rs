//! `port scan`: what of a repository would port, what would not, and why. Writes nothing but the page
//! that is asked for.
//!
//! A unit is reduced to its kernels and causes as soon as it is ported, so that a scan holds the text
//! of as many units as it has threads, whatever the size of the repository.

mod page;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use port::{Severity, Status, Target};
use port_diag::render;
use serde_json::{Value, json};

use crate::arguments::{CommonArguments, MessageFormat, ScanArguments};
use crate::load::{self, Input, LoadError};
use crate::parallel;
use crate::write::{self, Planned};
use crate::{CLEAN, FINDINGS, USAGE, pipeline, print, print_error, report, text};

/// Names inside messages that are shown with a cause.
const EXAMPLES: usize = 4;

/// Runs the command; the exit status, or why the run cannot be done.
pub fn run(arguments: &ScanArguments, common: &CommonArguments) -> Result<u8, String> {
    if !matches!(common.message_format, MessageFormat::Human | MessageFormat::Json) {
        return Err("`port scan` reports as `human` or `json`".to_owned());
    }
    let all = || port::backends().iter().map(|b| Target { backend: *b, architecture: None });
    let targets = match pipeline::targets(&arguments.target) {
        none if none.is_empty() => all().collect(),
        asked => asked,
    };
    // Read first: a baseline that is none should not cost a scan.
    let baseline = arguments.baseline.as_deref().map(Baseline::read).transpose()?;
    let inputs = load::expand(&arguments.inputs).map_err(|error| error.to_string())?;
    let options = pipeline::options(&arguments.reading, None);
    let progress = |index: usize| inputs.files.get(index).map_or(String::new(), Input::name);
    let results = parallel::map(&inputs.files, &pipeline::settings(common, &progress), |input| {
        let unit = load::load(input, &arguments.reading.include)?;
        let translations = pipeline::translate(&unit, &targets, &options);
        Ok(translations.iter().map(|t| Survey::of(&unit.sources, &t.ported)).collect::<Vec<_>>())
    });
    let mut unreadable = inputs.unreadable;
    let mut surveys: Vec<Survey> = targets.iter().map(|_| Survey::default()).collect();
    let mut files = 0;
    for (input, result) in inputs.files.iter().zip(results) {
        let result = result.unwrap_or_else(|message| Err(pipeline::defect(input.name(), &message)));
        match result {
            Ok(of_unit) => {
                files += 1;
                surveys.iter_mut().zip(of_unit).for_each(|(all, unit)| all.add(unit));
            }
            Err(error) => unreadable.push(error),
        }
    }
    let scan = Scan { files, unreadable, targets: targets.into_iter().zip(surveys).collect() };
    let regressions = baseline.map_or(Vec::new(), |baseline| baseline.regressions(&scan));
    if let Some(path) = &arguments.html {
        let page = page::page(&scan, &regressions).into_bytes();
        let planned = Planned { path: path.clone(), bytes: page, replace: false };
        write::write_all(&[planned], arguments.force, &arguments.inputs)?;
    }
    let text = match common.message_format {
        MessageFormat::Json => report::pretty(&scan.document(&regressions))?,
        _ => scan.human(&regressions, common),
    };
    print(&text::shown(&text))?;
    for error in &scan.unreadable {
        print_error(&format!("port: {error}\n"));
    }
    Ok(if !scan.unreadable.is_empty() {
        USAGE
    } else if !regressions.is_empty() {
        FINDINGS
    } else {
        CLEAN
    })
}

/// A kernel by the place of its definition: one in a header that several units include is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct KernelKey {
    file: String,
    line: u32,
    name: String,
}

#[derive(Debug)]
struct Kernel {
    status: Status,
    instances: BTreeSet<String>,
    codes: BTreeSet<&'static str>,
}

/// A kind of finding: its code and its message without the names in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CauseKey {
    code: &'static str,
    message: String,
}

/// A place in a file, for people.
type Place = (String, u32, u32);

#[derive(Debug)]
struct Cause {
    severity: Severity,
    /// The places, each once: a header's finding is one, however many units include it. Findings
    /// without a place count once for each unit.
    places: BTreeSet<Place>,
    elsewhere: usize,
    kernels: BTreeSet<String>,
    /// The names in the messages, with how often each occurs.
    names: BTreeMap<String, usize>,
}

/// What a target makes of some units.
#[derive(Debug, Default)]
struct Survey {
    kernels: BTreeMap<KernelKey, Kernel>,
    causes: BTreeMap<CauseKey, Cause>,
}

impl Survey {
    fn of(sources: &port::SourceMap, ported: &port::Ported) -> Survey {
        let mut survey = Survey::default();
        for report in &ported.kernels {
            let key = KernelKey {
                file: sources.file(report.file).path.to_string(),
                line: report.line,
                name: report.name.clone(),
            };
            survey.kernel(
                key,
                Kernel {
                    status: report.status,
                    instances: BTreeSet::from([report.instance.clone()]),
                    codes: report.codes.iter().copied().collect(),
                },
            );
        }
        for finding in ported.diagnostics.iter().filter(|d| d.severity > Severity::Note) {
            let (message, names) = kind(&finding.message);
            let place = render::shown_span(finding).map(|span| {
                let file = sources.file(span.file);
                let at = file.line_column(span.start);
                (file.path.to_string(), at.line, at.column)
            });
            let plain =
                |kernel: &String| kernel.split('<').next().unwrap_or(kernel).trim_end().to_owned();
            survey.cause(
                CauseKey { code: finding.code, message },
                Cause {
                    severity: finding.severity,
                    elsewhere: usize::from(place.is_none()),
                    places: place.into_iter().collect(),
                    kernels: finding.kernel.iter().map(plain).collect(),
                    names: names.into_iter().map(|name| (name, 1)).collect(),
                },
            );
        }
        survey
    }

    fn add(&mut self, other: Survey) {
        other.kernels.into_iter().for_each(|(key, kernel)| self.kernel(key, kernel));
        other.causes.into_iter().for_each(|(key, cause)| self.cause(key, cause));
    }

    fn kernel(&mut self, key: KernelKey, kernel: Kernel) {
        match self.kernels.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert(kernel)),
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                known.status = known.status.max(kernel.status);
                known.instances.extend(kernel.instances);
                known.codes.extend(kernel.codes);
            }
        }
    }

    fn cause(&mut self, key: CauseKey, cause: Cause) {
        match self.causes.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert(cause)),
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                // The names of a place that is known were counted with it.
                let is_new = !cause.places.is_subset(&known.places) || cause.places.is_empty();
                if is_new {
                    for (name, count) in cause.names {
                        *known.names.entry(name).or_default() += count;
                    }
                }
                known.places.extend(cause.places);
                known.elsewhere += cause.elsewhere;
                known.kernels.extend(cause.kernels);
            }
        }
    }

    /// Kernels by status, the best first.
    fn totals(&self) -> BTreeMap<Status, usize> {
        let mut totals = BTreeMap::new();
        for kernel in self.kernels.values() {
            *totals.entry(kernel.status).or_default() += 1;
        }
        totals
    }

    /// The causes, errors first, then those of the most places.
    fn ranked(&self) -> Vec<(&CauseKey, &Cause)> {
        let mut ranked: Vec<_> = self.causes.iter().collect();
        ranked.sort_by_key(|(key, cause)| {
            (std::cmp::Reverse((cause.severity, cause.count())), (*key).clone())
        });
        ranked
    }
}

impl Cause {
    fn count(&self) -> usize {
        self.places.len() + self.elsewhere
    }

    /// The most frequent names, most frequent first.
    fn examples(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
        names.into_iter().take(EXAMPLES).map(|(name, _)| name.as_str()).collect()
    }
}

/// A message without the names in it, and the names: those between backquotes.
fn kind(message: &str) -> (String, Vec<String>) {
    let (mut kind, mut names) = (String::new(), Vec::new());
    for (number, part) in message.split('`').enumerate() {
        if number % 2 == 0 {
            kind.push_str(part);
        } else {
            kind.push_str("`…`");
            names.push(part.to_owned());
        }
    }
    // Counts and lines differ from place to place as names do; `UTF-8` and `sm_80` are no counts.
    let plain: Vec<String> = kind
        .split(' ')
        .map(|word| {
            let end = word.trim_end_matches([',', '.', ';', ':', ')']);
            let is_count = !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
            if is_count { format!("N{}", &word[end.len()..]) } else { word.to_owned() }
        })
        .collect();
    let plain = plain.join(" ");
    (plain, names)
}

/// The result of a run.
struct Scan {
    /// Files that were read and ported.
    files: usize,
    unreadable: Vec<LoadError>,
    targets: Vec<(Target, Survey)>,
}

impl Scan {
    fn human(&self, regressions: &[Regression], common: &CommonArguments) -> String {
        let mut text = String::new();
        if !common.quiet {
            self.kernels(&mut text);
        }
        for (target, survey) in &self.targets {
            let ranked = survey.ranked();
            if ranked.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\ncauses [{target}]");
            for (key, cause) in ranked {
                let places = counted(cause.count(), "place");
                let kernels = match cause.kernels.len() {
                    0 => String::new(),
                    some => format!(" in {}", counted(some, "kernel")),
                };
                let severity = cause.severity.as_str();
                let _ = writeln!(text, "  {severity}[{}]: {}", key.code, key.message);
                let first = cause.places.first().map_or(String::new(), |(file, line, column)| {
                    format!(", first at {file}:{line}:{column}")
                });
                let _ = writeln!(text, "      {places}{kernels}{first}");
                let names = cause.examples();
                if !names.is_empty() {
                    let _ = writeln!(text, "      {}", names.join(", "));
                }
            }
        }
        if !regressions.is_empty() {
            text.push_str("\nworse than the baseline\n");
            for regression in regressions {
                let Regression { target, key, was, is } = regression;
                let KernelKey { file, name, .. } = key;
                let _ = writeln!(text, "  [{target}] {file}: {name}: {was}, now {is}");
            }
        }
        let _ = write!(text, "\n{}", counted(self.files, "file"));
        match self.unreadable.len() {
            0 => text.push('\n'),
            some => drop(writeln!(text, ", {some} more could not be read")),
        }
        for (target, survey) in &self.targets {
            let totals = survey.totals();
            let parts: Vec<String> = totals
                .iter()
                .map(|(status, count)| format!("{count} {}", status.as_str()))
                .collect();
            let kernels = counted(survey.kernels.len(), "kernel");
            let rest =
                if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
            let _ = writeln!(text, "{target}: {kernels}{rest}");
        }
        text
    }

    /// One line a kernel, with its status on each target.
    fn kernels(&self, text: &mut String) {
        let keys: BTreeSet<&KernelKey> =
            self.targets.iter().flat_map(|(_, survey)| survey.kernels.keys()).collect();
        let titles: Vec<String> =
            self.targets.iter().map(|(target, _)| target.to_string()).collect();
        let width = |title: &String| title.len().max("ported-unchecked".len());
        let mut file = None;
        for title in &titles {
            let _ = write!(text, "{title:<0$} ", width(title));
        }
        text.push_str(if keys.is_empty() { "no kernels\n" } else { "kernel\n" });
        for key in keys {
            if file != Some(&key.file) {
                file = Some(&key.file);
                let _ = writeln!(text, "{}", key.file);
            }
            for ((_, survey), title) in self.targets.iter().zip(&titles) {
                let status = survey.kernels.get(key).map_or("-", |kernel| kernel.status.as_str());
                let _ = write!(text, "{status:<0$} ", width(title));
            }
            let instances = self.targets.iter().filter_map(|(_, survey)| survey.kernels.get(key));
            let instances = instances.map(|kernel| kernel.instances.len()).max().unwrap_or(0);
            let instances = match instances {
                0 | 1 => String::new(),
                some => format!(", {some} instances"),
            };
            let _ = writeln!(text, "{} (line {}{instances})", key.name, key.line);
        }
    }

    fn document(&self, regressions: &[Regression]) -> Value {
        let unreadable: Vec<Value> = self
            .unreadable
            .iter()
            .map(|error| json!({ "path": error.path, "reason": error.reason }))
            .collect();
        let targets: Vec<Value> = self
            .targets
            .iter()
            .map(|(target, survey)| {
                let totals: serde_json::Map<String, Value> = survey
                    .totals()
                    .into_iter()
                    .map(|(status, count)| (status.as_str().to_owned(), json!(count)))
                    .collect();
                let kernels: Vec<Value> = survey
                    .kernels
                    .iter()
                    .map(|(key, kernel)| {
                        json!({
                            "name": key.name,
                            "file": key.file,
                            "line": key.line,
                            "status": kernel.status.as_str(),
                            "instances": kernel.instances.len(),
                            "diagnostics": kernel.codes,
                        })
                    })
                    .collect();
                let causes: Vec<Value> = survey
                    .ranked()
                    .into_iter()
                    .map(|(key, cause)| {
                        let first = cause.places.first().map(|(file, line, column)| {
                            json!({ "file": file, "line": line, "column": column })
                        });
                        json!({
                            "code": key.code,
                            "severity": cause.severity.as_str(),
                            "message": key.message,
                            "count": cause.count(),
                            "kernels": cause.kernels.len(),
                            "first": first,
                            "names": cause.examples(),
                        })
                    })
                    .collect();
                json!({
                    "target": target.backend.name(),
                    "arch": target.architecture.map(|architecture| architecture.name),
                    "totals": totals,
                    "kernels": kernels,
                    "causes": causes,
                })
            })
            .collect();
        let regressions: Vec<Value> = regressions
            .iter()
            .map(|Regression { target, key, was, is }| {
                json!({ "target": target, "file": key.file, "name": key.name, "was": was, "is": is })
            })
            .collect();
        json!({
            "schema": 1,
            "files": self.files,
            "unreadable": unreadable,
            "targets": targets,
            "regressions": regressions,
        })
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A kernel that ports worse than it did.
struct Regression {
    target: String,
    key: KernelKey,
    was: String,
    is: &'static str,
}

/// An earlier report: the worst status by target, file and kernel. Lines are left out, as an edit
/// above a kernel is no change of it.
struct Baseline(BTreeMap<(String, String, String), String>);

impl Baseline {
    fn read(path: &std::path::Path) -> Result<Baseline, String> {
        let failed = |reason: String| format!("--baseline {}: {reason}", path.display());
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let document: Value =
            serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
        let wrong = || failed("is no report of `port scan --message-format json`".to_owned());
        let mut kernels: BTreeMap<(String, String, String), String> = BTreeMap::new();
        for target in document["targets"].as_array().ok_or_else(wrong)? {
            let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
            let mut name = text(&target["target"])?;
            if let Some(architecture) = target["arch"].as_str() {
                let _ = write!(name, ":{architecture}");
            }
            for kernel in target["kernels"].as_array().ok_or_else(wrong)? {
                let key = (name.clone(), text(&kernel["file"])?, text(&kernel["name"])?);
                let status = text(&kernel["status"])?;
                let entry = kernels.entry(key).or_insert_with(|| status.clone());
                if rank(&status) > rank(entry) {
                    *entry = status;
                }
            }
        }
        Ok(Baseline(kernels))
    }

    fn regressions(&self, scan: &Scan) -> Vec<Regression> {
        let mut regressions: Vec<Regression> = Vec::new();
        for (target, survey) in &scan.targets {
            for (key, kernel) in &survey.kernels {
                let target = target.to_string();
                let was = self.0.get(&(target.clone(), key.file.clone(), key.name.clone()));
                let Some(was) = was else { continue };
                let is = kernel.status.as_str();
                if rank(is) > rank(was) {
                    regressions.push(Regression { target, key: key.clone(), was: was.clone(), is });
                }
            }
        }
        regressions
    }
}

/// How bad a status is; one that is unknown is as good as any.
fn rank(status: &str) -> usize {
    let all = [Status::Ported, Status::PortedUnchecked, Status::PortedSlow, Status::Manual];
    all.iter().position(|known| known.as_str() == status).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_message_has_no_names() {
        let (message, names) = kind("inline PTX `mov.u32` on line 12 has no form on `HIP`");
        assert_eq!(message, "inline PTX `…` on line N has no form on `…`");
        assert_eq!(names, ["mov.u32", "HIP"]);
        assert_eq!(kind("odd ` quote").0, "odd `…`");
        assert_eq!(kind("UTF-8: 12, at sm_80 20)").0, "UTF-8: N, at sm_80 N)");
    }

    #[test]
    fn a_header_of_two_units_counts_once() {
        let header = "__global__ void k(int *x) { \
                      asm volatile(\"mapa.u32 %0, %1, 1;\" : \"=r\"(*x) : \"r\"(0)); }\n";
        let survey = |unit: &str| {
            let mut sources = port::SourceMap::new();
            let root = sources.add(unit, "#include \"k.cuh\"\n");
            sources.add("k.cuh", header);
            let target: Target = "hip".parse().expect("a target");
            let translation =
                port::translate(&sources, root, &[target], &port::Options::default()).remove(0);
            Survey::of(&sources, &translation.ported)
        };
        let mut all = survey("a.cu");
        all.add(survey("b.cu"));
        assert_eq!(all.totals(), BTreeMap::from([(Status::Manual, 1)]));
        let ranked = all.ranked();
        assert_eq!(ranked[0].0.code, "P0403");
        assert_eq!(ranked[0].1.count(), 1);
        assert_eq!(ranked[0].1.examples().first(), Some(&"mapa.u32"));
    }
}
