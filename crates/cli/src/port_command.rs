//! The main command: loads inputs, ports each to each target, plans the outputs, writes and reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use port::{FileRole, Target, Translation};

use crate::arguments::{CommonArguments, MessageFormat, PortArguments};
use crate::layout::{self, Destination, Placed, Placing, Run};
use crate::load::{self, LoadError, Unit};
use crate::pipeline::{self, Ported};
use crate::report::{self, Reported};
use crate::write::{self, Planned};
use crate::{CLEAN, FINDINGS, USAGE, print, text};

/// Runs the command; the exit status, or why the run cannot be done.
pub fn run(arguments: &PortArguments, common: &CommonArguments) -> Result<u8, String> {
    let inputs = load::expand(&arguments.inputs).map_err(|error| error.to_string())?;
    let targets = pipeline::targets(&arguments.target);
    let files = &inputs.files;
    let run = Run {
        files: files.len(),
        targets: targets.len(),
        of_folder: files.iter().any(|input| input.folder.is_some()),
        of_stdin: files.iter().all(|input| input.is_stdin()),
    };
    let mut destination = Destination::new(arguments.output.as_deref(), &run)?;
    if destination == Destination::Stdout && common.message_format != MessageFormat::Human {
        return Err(
            "the port and the findings both want standard output; give `-o` a path".to_owned()
        );
    }

    let current = std::env::current_dir()
        .map(|folder| load::slashed(&folder))
        .map_err(|error| format!("cannot tell the current folder: {error}"))?;
    let loaded = pipeline::load_all(files, &arguments.reading.include, common);
    let base = base(loaded.iter().flatten(), &current);
    let mut units = port_all(&run, &destination, &base, &current, loaded, arguments, common);
    let changes_headers = |unit: &Ported| unit.translations.iter().any(layout::changes_headers);
    if destination == Destination::Beside && units.iter().flatten().any(changes_headers) {
        // A changed header has no place beside the user's own.
        destination = Destination::DefaultFolder;
        if run.shares(&destination) {
            let loaded = units.into_iter().map(|unit| unit.map(|ported| ported.unit)).collect();
            units = port_all(&run, &destination, &base, &current, loaded, arguments, common);
        }
    }
    check_kernels(&units, &arguments.kernel)?;

    let placing = Placing {
        destination: &destination,
        targets: &targets,
        shared: run.shares(&destination),
        base: &base,
        current: &current,
        taken: &layout::taken,
    };
    let plan = plan(&units, &placing)?;
    if destination == Destination::Stdout {
        print(&plan.stdout)?;
    } else {
        let read: Vec<PathBuf> = units.iter().flatten().flat_map(|unit| read(&unit.unit)).collect();
        write::write_all(&plan.files, arguments.force, &read)?;
    }
    let mut reported: Vec<Reported> = Vec::new();
    for ((input, unit), outputs) in files.iter().zip(units).zip(plan.outputs) {
        reported.push(Reported { name: input.name(), result: unit, outputs });
    }
    for error in inputs.unreadable {
        reported.push(Reported {
            name: error.path.clone(),
            result: Err(error),
            outputs: Vec::new(),
        });
    }
    report::print(&reported, &arguments.kernel, common)?;
    Ok(status(reported.iter().map(|reported| &reported.result)))
}

fn status<'a>(results: impl Iterator<Item = &'a Result<Ported, LoadError>>) -> u8 {
    results
        .map(|result| match result {
            Err(_) => USAGE,
            Ok(ported) if ported.has_errors() => FINDINGS,
            Ok(_) => CLEAN,
        })
        .max()
        .unwrap_or(CLEAN)
}

/// The files that a unit read.
fn read(unit: &Unit) -> impl Iterator<Item = PathBuf> + '_ {
    unit.sources.ids().map(|file| unit.real_path(file))
}

/// The folder common to all files of a run, absolute.
pub fn base<'a>(units: impl Iterator<Item = &'a Unit>, current: &str) -> String {
    let paths: Vec<String> = units
        .flat_map(|unit| {
            let sources = &unit.sources;
            sources.ids().map(|id| layout::absolute(&sources.file(id).path, current))
        })
        .collect();
    layout::common_folder(paths.iter().map(String::as_str))
}

/// Ports every unit, several at the same time; the result is in the order of the inputs.
fn port_all(
    run: &Run,
    destination: &Destination,
    base: &str,
    current: &str,
    loaded: Vec<Result<Unit, LoadError>>,
    arguments: &PortArguments,
    common: &CommonArguments,
) -> Vec<Result<Ported, LoadError>> {
    let shared_folder = run.shares(destination).then(|| {
        let is_relative = |unit: &Unit| !unit.sources.file(unit.root).path.starts_with('/');
        layout::as_given(base, current, loaded.iter().flatten().all(is_relative))
    });
    let options = pipeline::options(&arguments.reading, shared_folder);
    let targets = pipeline::targets(&arguments.target);
    pipeline::port_all(loaded, &targets, &options, common)
}

/// A kernel that was asked for and is in no input is a mistake in the name.
fn check_kernels(units: &[Result<Ported, LoadError>], asked: &[String]) -> Result<(), String> {
    let mut known: Vec<&str> = units
        .iter()
        .flatten()
        .flat_map(|unit| &unit.translations)
        .flat_map(|translation| &translation.ported.kernels)
        .map(|kernel| kernel.name.as_str())
        .collect();
    known.sort_unstable();
    known.dedup();
    for name in asked {
        let is_known = known.iter().any(|k| report::names_kernel(std::slice::from_ref(name), k));
        if !is_known && units.iter().all(Result::is_ok) {
            let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(format!("no kernel `{name}`; there are: {list}. Nothing was written"));
        }
    }
    Ok(())
}

/// The files to write, and what each unit and target wrote.
struct Plan {
    files: Vec<Planned>,
    stdout: Vec<u8>,
    /// By input and target: the paths of the outputs.
    outputs: Vec<Vec<Vec<PathBuf>>>,
}

fn plan(units: &[Result<Ported, LoadError>], placing: &Placing<'_>) -> Result<Plan, String> {
    let mut planned: BTreeMap<PathBuf, Planned> = BTreeMap::new();
    let mut stdout = Vec::new();
    let mut outputs = Vec::new();
    for unit in units {
        let mut of_unit = Vec::new();
        for (ported, translation) in unit
            .iter()
            .flat_map(|unit| unit.translations.iter().map(move |translation| (unit, translation)))
        {
            let unit = &ported.unit;
            let mut paths = Vec::new();
            if *placing.destination == Destination::Stdout {
                stdout.extend(text::encode(&single_text(translation)?, unit.raw));
            } else {
                let name = |file| unit.sources.file(file).path.to_string();
                let real = |file| unit.real_path(file);
                let mut placed = placing.place(translation, unit.root, &name, &real)?;
                let known = |path: &Path| planned.get(path).map(|file| file.bytes.clone());
                if let Some(own) = own_folder(&known, placing, translation, unit, &placed) {
                    let own = Placing {
                        destination: &Destination::Folder(own),
                        targets: std::slice::from_ref(&translation.target),
                        ..*placing
                    };
                    placed = own.place(translation, unit.root, &name, &real)?;
                }
                for placed in placed {
                    paths.push(placed.path.clone());
                    let bytes = text::encode(placed.text, unit.raw);
                    let file = Planned { path: placed.path, bytes, replace: false };
                    add(&mut planned, &translation.target, file, placed.generated)?;
                }
            }
            of_unit.push(paths);
        }
        outputs.push(of_unit);
    }
    let files = planned.into_values().collect();
    Ok(Plan { files, stdout, outputs })
}

/// A folder of its own for a unit whose port has another text for a file than that of an earlier unit:
/// a header that each of them configures in another way, for example. `a/k.unit` for `a/k.hip`.
pub fn own_folder(
    known: &dyn Fn(&Path) -> Option<Vec<u8>>,
    placing: &Placing<'_>,
    translation: &Translation,
    unit: &Unit,
    placed: &[Placed<'_>],
) -> Option<PathBuf> {
    placing.folder(&translation.target)?;
    let disagrees = |placed: &Placed<'_>| {
        let Some(known) = known(&placed.path) else { return false };
        let bytes = text::encode(placed.text, unit.raw);
        let target = &translation.target;
        pipeline::join(target, &placed.path, &known, &bytes, placed.generated).is_none()
    };
    let root = placed.first()?;
    // Two inputs of one name are a mistake that no folder mends.
    let is_header = |placed: &&Placed<'_>| placed.path != root.path && !placed.generated;
    let disagree = placed.iter().filter(is_header).any(disagrees);
    disagree.then(|| root.path.with_extension("unit"))
}

/// The port as one text: the generated header stands in place of its include.
fn single_text(translation: &Translation) -> Result<String, String> {
    if layout::changes_headers(translation) {
        return Err("the port changes headers as well as the file; give `-o` a folder".to_owned());
    }
    let mut text = String::new();
    for file in &translation.ported.files {
        match file.role {
            FileRole::Root => text = file.text.clone(),
            FileRole::Generated(name) => {
                let mut inlined = String::new();
                let mut done = false;
                for line in text.split_inclusive('\n') {
                    if !done && line.trim_start().starts_with("#include") && line.contains(name) {
                        // A file that is compiled is included by nobody.
                        let lines = file.text.split_inclusive('\n');
                        inlined.extend(lines.filter(|line| line.trim() != "#pragma once"));
                        done = true;
                    } else {
                        inlined.push_str(line);
                    }
                }
                text = inlined;
            }
            FileRole::Header(_) => {}
        }
    }
    Ok(text)
}

/// Adds a file; units that share one must agree on its text, or it must be one that can be joined.
fn add(
    planned: &mut BTreeMap<PathBuf, Planned>,
    target: &Target,
    mut file: Planned,
    generated: bool,
) -> Result<(), String> {
    let path = file.path.clone();
    let join = |known: &[u8], text: &[u8]| pipeline::join(target, &path, known, text, generated);
    if let Some(known) = planned.get(&file.path) {
        file.replace = known.replace;
        file.bytes = join(&known.bytes, &file.bytes).ok_or_else(|| {
            format!(
                "two inputs or targets want different text in {}; port them in separate runs with separate `-o` folders. Nothing was written",
                file.path.display()
            )
        })?;
    } else if generated && let Ok(earlier) = std::fs::read(&file.path) {
        // A generated file of an earlier run is ours to extend. What is not ours stays the writer's
        // to refuse.
        if let Some(joined) = join(&earlier, &file.bytes) {
            file.bytes = joined;
            file.replace = true;
        }
    }
    planned.insert(file.path.clone(), file);
    Ok(())
}
