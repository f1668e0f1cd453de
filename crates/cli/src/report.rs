//! What a run prints: findings in the asked format, and what became of each kernel.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;

use port::{FileId, FileRole, KernelReport, Severity, SourceMap, Status, Translation};
use port_diag::Diagnostic;
use port_diag::render::{github, human, json, sarif};
use serde_json::{Value, json};

use crate::arguments::{Color, CommonArguments, MessageFormat, PortArguments};
use crate::print as print_out;

/// An input with its ports.
pub struct Ported {
    pub sources: SourceMap,
    pub root: FileId,
    /// One a target, in the order asked.
    pub translations: Vec<Translation>,
}

impl Ported {
    /// Whether something needs a person.
    pub fn has_errors(&self) -> bool {
        let mut all = self.translations.iter().flat_map(|t| &t.ported.diagnostics);
        all.any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Prints the report of a run. `outputs` holds the paths by unit and target.
pub fn print(
    units: &[Ported],
    outputs: &[Vec<Vec<PathBuf>>],
    arguments: &PortArguments,
    common: &CommonArguments,
) -> Result<(), String> {
    match common.message_format {
        MessageFormat::Human => {
            human(units, outputs, arguments, common);
            Ok(())
        }
        MessageFormat::Json => {
            let document = document(units, outputs, arguments);
            let text = serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?;
            print_out(&format!("{text}\n"))
        }
        MessageFormat::Sarif => {
            let findings: Vec<_> = shown(units, arguments).collect();
            let log = sarif::log(&findings, &port::findings(), env!("CARGO_PKG_VERSION"));
            let text = serde_json::to_string_pretty(&log).map_err(|e| e.to_string())?;
            print_out(&format!("{text}\n"))
        }
        MessageFormat::Github => {
            let lines = shown(units, arguments).map(|(sources, d)| github::line(sources, d));
            print_out(&lines.collect::<String>())
        }
    }
}

/// All findings of a run that the user asked to see, in order.
fn shown<'a>(
    units: &'a [Ported],
    arguments: &'a PortArguments,
) -> impl Iterator<Item = (&'a SourceMap, &'a Diagnostic)> {
    units.iter().flat_map(move |unit| {
        let all = unit.translations.iter().flat_map(|translation| &translation.ported.diagnostics);
        all.filter(|diagnostic| is_asked(diagnostic, arguments)).map(|d| (&unit.sources, d))
    })
}

fn is_asked(diagnostic: &Diagnostic, arguments: &PortArguments) -> bool {
    let Some(kernel) = diagnostic.kernel.as_deref() else { return true };
    arguments.kernel.is_empty() || names_kernel(&arguments.kernel, kernel)
}

/// Whether a kernel, given by its qualified name with or without arguments, is one of those asked.
fn names_kernel(asked: &[String], kernel: &str) -> bool {
    let plain = kernel.split('<').next().unwrap_or(kernel);
    let last = plain.rsplit("::").next().unwrap_or(plain);
    asked.iter().any(|name| name == kernel || name == plain || name == last)
}

fn human(
    units: &[Ported],
    outputs: &[Vec<Vec<PathBuf>>],
    arguments: &PortArguments,
    common: &CommonArguments,
) {
    let color = match common.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        }
    };
    let lowest = match (common.quiet, common.verbose) {
        (true, _) => Severity::Error,
        (_, true) => Severity::Note,
        _ => Severity::Warning,
    };
    let mut text = String::new();
    let mut hidden_notes = 0;
    for (sources, diagnostic) in shown(units, arguments) {
        if diagnostic.severity >= lowest {
            text.push_str(&human::render(sources, diagnostic, human::Options { color }));
            text.push('\n');
        } else if diagnostic.severity == Severity::Note {
            hidden_notes += 1;
        }
    }
    if !common.quiet {
        for (unit, outputs) in units.iter().zip(outputs) {
            for (translation, outputs) in unit.translations.iter().zip(outputs) {
                summary(&mut text, unit, translation, outputs, arguments, common.verbose);
            }
        }
        if hidden_notes > 0 {
            let noun = if hidden_notes == 1 { "note" } else { "notes" };
            let _ = writeln!(text, "{hidden_notes} {noun} not shown; `-v` shows them");
        }
    }
    // Findings are for people, on standard error; standard output stays the program's.
    eprint!("{text}");
}

fn summary(
    text: &mut String,
    unit: &Ported,
    translation: &Translation,
    outputs: &[PathBuf],
    arguments: &PortArguments,
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
    for (name, status, instances) in kernels(translation, arguments) {
        let instances = match instances {
            0 | 1 => String::new(),
            n => format!(" ({n} instances)"),
        };
        let _ = writeln!(text, "  {:<16} {name}{instances}", status.as_str());
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

/// Each kernel once, with the worst status of its instances and their number.
fn kernels(translation: &Translation, arguments: &PortArguments) -> Vec<(String, Status, usize)> {
    let mut order: Vec<&str> = Vec::new();
    let mut by_name: BTreeMap<&str, (Status, usize)> = BTreeMap::new();
    for kernel in asked_kernels(translation, arguments) {
        let entry = by_name.entry(&kernel.name).or_insert_with(|| {
            order.push(&kernel.name);
            (kernel.status, 0)
        });
        entry.0 = entry.0.max(kernel.status);
        entry.1 += 1;
    }
    order
        .into_iter()
        .map(|name| {
            let (status, instances) = by_name[name];
            (name.to_owned(), status, instances)
        })
        .collect()
}

fn asked_kernels<'a>(
    translation: &'a Translation,
    arguments: &'a PortArguments,
) -> impl Iterator<Item = &'a KernelReport> {
    let all = translation.ported.kernels.iter();
    all.filter(|kernel| {
        arguments.kernel.is_empty() || names_kernel(&arguments.kernel, &kernel.name)
    })
}

fn document(units: &[Ported], outputs: &[Vec<Vec<PathBuf>>], arguments: &PortArguments) -> Value {
    let inputs: Vec<Value> = units
        .iter()
        .zip(outputs)
        .map(|(unit, outputs)| {
            let targets: Vec<Value> = unit
                .translations
                .iter()
                .zip(outputs)
                .map(|(translation, outputs)| target(unit, translation, outputs, arguments))
                .collect();
            json!({ "path": &*unit.sources.file(unit.root).path, "targets": targets })
        })
        .collect();
    json!({ "schema": 1, "inputs": inputs })
}

fn target(
    unit: &Ported,
    translation: &Translation,
    outputs: &[PathBuf],
    arguments: &PortArguments,
) -> Value {
    let outputs: Vec<String> =
        outputs.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let kernels: Vec<Value> = asked_kernels(translation, arguments)
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
        .filter(|diagnostic| is_asked(diagnostic, arguments))
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
