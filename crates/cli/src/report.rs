//! What a run prints: findings in the asked format, and what became of each kernel.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;

use port::{FileRole, KernelReport, Severity, SourceMap, Translation};
use port_diag::Diagnostic;
use port_diag::render::{github, human, json, sarif};
use serde_json::{Value, json};

use crate::arguments::{Color, CommonArguments, MessageFormat};
use crate::load::{LoadError, Unit};
use crate::pipeline::Ported;
use crate::{print as print_out, print_error, text};

/// The findings that are printed for people: nobody reads more.
const MOST_FINDINGS: usize = 1000;

/// What became of an input.
pub struct Reported {
    /// The input, as reports spell it.
    pub name: String,
    /// Its ports, or why it could not be taken.
    pub result: Result<Ported, LoadError>,
    /// The paths of its outputs, by target.
    pub outputs: Vec<Vec<PathBuf>>,
}

/// Prints the report of a run. `kernels` are those asked for; none means all.
pub fn print(
    reported: &[Reported],
    kernels: &[String],
    common: &CommonArguments,
) -> Result<(), String> {
    let text = match common.message_format {
        MessageFormat::Human => human(reported, kernels, common),
        MessageFormat::Json => pretty(&document(reported, kernels))?,
        MessageFormat::Sarif => {
            let findings: Vec<_> = shown(reported, kernels).collect();
            pretty(&sarif::log(&findings, &crate::explain::findings(), env!("CARGO_PKG_VERSION")))?
        }
        MessageFormat::Github => {
            shown(reported, kernels).map(|(sources, d)| github::line(sources, d)).collect()
        }
    };
    // Findings are for people, on standard error; standard output stays the program's.
    match common.message_format {
        MessageFormat::Human => print_error(&text::shown(&text)),
        _ => print_out(&text::shown(&text))?,
    }
    for Reported { result, .. } in reported {
        if let Err(error) = result {
            print_error(&format!("port: {error}\n"));
        }
    }
    Ok(())
}

/// Prints findings that belong to no port in the asked format; as JSON they are part of a document.
pub fn print_findings(
    sources: &SourceMap,
    findings: &[Diagnostic],
    common: &CommonArguments,
) -> Result<(), String> {
    match common.message_format {
        MessageFormat::Human => {
            let color = colored(common, std::io::stderr().is_terminal());
            let lowest = if common.quiet { Severity::Error } else { Severity::Note };
            let mut text = String::new();
            for finding in findings.iter().filter(|f| f.severity >= lowest).take(MOST_FINDINGS) {
                text.push_str(&human::render(sources, finding, human::Options { color }));
                text.push('\n');
            }
            print_error(&text::shown(&text));
            Ok(())
        }
        MessageFormat::Json => Ok(()),
        MessageFormat::Sarif => {
            let findings: Vec<_> = findings.iter().map(|finding| (sources, finding)).collect();
            let kinds = crate::explain::findings();
            print_out(&pretty(&sarif::log(&findings, &kinds, env!("CARGO_PKG_VERSION")))?)
        }
        MessageFormat::Github => {
            let lines: String =
                findings.iter().map(|finding| github::line(sources, finding)).collect();
            print_out(&text::shown(&lines))
        }
    }
}

/// A JSON document as text.
pub fn pretty(document: &Value) -> Result<String, String> {
    let text = serde_json::to_string_pretty(document).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

/// All findings of a run that the user asked to see, in order. What several targets say alike is said
/// once.
fn shown<'a>(
    reported: &'a [Reported],
    asked: &'a [String],
) -> impl Iterator<Item = (&'a SourceMap, &'a Diagnostic)> {
    let units = reported.iter().filter_map(|reported| reported.result.as_ref().ok());
    units.flat_map(move |ported| {
        let mut said = BTreeSet::new();
        let all = ported.translations.iter().flat_map(|target| &target.ported.diagnostics);
        all.filter(move |d| is_asked(d, asked) && said.insert(key(d)))
            .map(|diagnostic| (&ported.unit.sources, diagnostic))
    })
}

/// What tells findings apart.
fn key(d: &Diagnostic) -> impl Ord {
    let place = d.primary.as_ref().map(|label| label.span);
    let place = place.map(|span| (span.file.0, span.start, span.end));
    (d.code, place, &*d.message, d.kernel.as_deref())
}

fn is_asked(diagnostic: &Diagnostic, asked: &[String]) -> bool {
    let Some(kernel) = diagnostic.kernel.as_deref() else { return true };
    asked.is_empty() || names_kernel(asked, kernel)
}

/// Whether a kernel, given by its qualified name with or without arguments, is one of those asked.
pub fn names_kernel(asked: &[String], kernel: &str) -> bool {
    let plain = kernel.split('<').next().unwrap_or(kernel);
    let last = plain.rsplit("::").next().unwrap_or(plain);
    asked.iter().any(|name| name == kernel || name == plain || name == last)
}

/// Whether what goes to standard error is coloured.
pub fn colored(common: &CommonArguments, is_terminal: bool) -> bool {
    match common.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    }
}

fn human(reported: &[Reported], kernels: &[String], common: &CommonArguments) -> String {
    let color = colored(common, std::io::stderr().is_terminal());
    let lowest = match (common.quiet, common.verbose) {
        (true, _) => Severity::Error,
        (_, true) => Severity::Note,
        _ => Severity::Warning,
    };
    let mut text = String::new();
    let (mut hidden_notes, mut printed, mut more) = (0, 0, 0);
    for (sources, diagnostic) in shown(reported, kernels) {
        if diagnostic.severity >= lowest && printed == MOST_FINDINGS {
            more += 1;
        } else if diagnostic.severity >= lowest {
            printed += 1;
            text.push_str(&human::render(sources, diagnostic, human::Options { color }));
            text.push('\n');
        } else if diagnostic.severity == Severity::Note {
            hidden_notes += 1;
        }
    }
    if more > 0 {
        let _ = writeln!(text, "{more} more findings; `--message-format json` lists all\n");
    }
    if !common.quiet {
        for Reported { result, outputs, .. } in reported {
            let Ok(ported) = result else { continue };
            for (translation, outputs) in ported.translations.iter().zip(outputs) {
                summary(&mut text, &ported.unit, translation, outputs, kernels, common.verbose);
            }
        }
        if hidden_notes > 0 {
            let noun = if hidden_notes == 1 { "note" } else { "notes" };
            let _ = writeln!(text, "{hidden_notes} {noun} not shown; `-v` shows them");
        }
    }
    text
}

fn summary(
    text: &mut String,
    unit: &Unit,
    translation: &Translation,
    outputs: &[PathBuf],
    asked: &[String],
    verbose: bool,
) {
    let root = &unit.sources.file(unit.root).path;
    let paths: Vec<String> = outputs.iter().map(|path| path.display().to_string()).collect();
    let to = match paths.split_first() {
        None => "standard output".to_owned(),
        Some((first, [])) => first.clone(),
        Some((first, rest)) => format!("{first} (with {})", rest.join(", ")),
    };
    let changes: usize = translation.ported.files.iter().map(|file| file.changes.len()).sum();
    let edits = if changes == 1 { "edit" } else { "edits" };
    let _ = writeln!(text, "{root} -> {to} [{}]: {changes} {edits}", translation.target);
    for kernel in port::kernels(asked_kernels(translation, asked)) {
        let instances = match kernel.instances {
            1 => String::new(),
            some => format!(" ({some} instances)"),
        };
        let _ = writeln!(text, "  {:<16} {}{instances}", kernel.status.as_str(), kernel.name);
    }
    if verbose {
        for file in &translation.ported.files {
            let id = match file.role {
                FileRole::Root => unit.root,
                FileRole::Header(id) => id,
                FileRole::Generated(_) => continue,
            };
            let source = unit.sources.file(id);
            for change in &file.changes {
                let place = source.line_column(change.edit.span.start);
                let old = unit.sources.text(change.edit.span);
                let _ = writeln!(
                    text,
                    "  {}:{}:{}: {:?} -> {:?} ({})",
                    source.path, place.line, place.column, old, change.edit.text, change.reason
                );
            }
        }
    }
}

fn asked_kernels<'a>(
    translation: &'a Translation,
    asked: &'a [String],
) -> impl Iterator<Item = &'a KernelReport> {
    let all = translation.ported.kernels.iter();
    all.filter(|kernel| asked.is_empty() || names_kernel(asked, &kernel.name))
}

/// The report of a run as JSON. `kernels` are those asked for; none means all.
pub fn document(reported: &[Reported], kernels: &[String]) -> Value {
    let input = |reported: &Reported| match &reported.result {
        Ok(ported) => {
            let targets = ported.translations.iter().zip(&reported.outputs);
            let targets: Vec<Value> = targets
                .map(|(translation, outputs)| target(&ported.unit, translation, outputs, kernels))
                .collect();
            json!({ "path": reported.name, "targets": targets })
        }
        Err(error) => json!({ "path": reported.name, "error": error.reason, "targets": [] }),
    };
    let inputs: Vec<Value> = reported.iter().map(input).collect();
    json!({ "schema": 1, "inputs": inputs })
}

fn target(unit: &Unit, translation: &Translation, outputs: &[PathBuf], asked: &[String]) -> Value {
    let outputs: Vec<String> =
        outputs.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let kernels: Vec<Value> = asked_kernels(translation, asked)
        .map(|kernel| {
            json!({
                "name": kernel.name,
                "instance": kernel.instance,
                "file": &*unit.sources.file(kernel.file).path,
                "line": kernel.line,
                "status": kernel.status.as_str(),
                "lowering": kernel.lowering,
                "diagnostics": kernel.codes,
            })
        })
        .collect();
    let diagnostics: Vec<Value> = translation
        .ported
        .diagnostics
        .iter()
        .filter(|diagnostic| is_asked(diagnostic, asked))
        .map(|diagnostic| json::value(&unit.sources, diagnostic))
        .collect();
    json!({
        "target": translation.target.backend.name(),
        "arch": translation.target.architecture.map(|architecture| architecture.name),
        "outputs": outputs,
        "kernels": kernels,
        "diagnostics": diagnostics,
    })
}
