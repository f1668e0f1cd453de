//! The main command: loads inputs, ports each to each target, plans the outputs, writes and reports.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use port::{FileRole, Options, Target, Translation};

use crate::arguments::{CommonArguments, MessageFormat, PortArguments};
use crate::layout::{self, Destination};
use crate::load::{self, Loaded};
use crate::report::{self, Ported};
use crate::write::{self, Planned};
use crate::{CLEAN, FINDINGS, print};

/// Runs the command; the exit status, or why the run cannot be done.
pub fn run(arguments: &PortArguments, common: &CommonArguments) -> Result<u8, String> {
    let inputs = load::expand(&arguments.inputs).map_err(|error| error.to_string())?;
    let several = inputs.len() > 1 || inputs.iter().any(|(_, folder)| folder.is_some());
    let several = several || arguments.target.len() > 1;
    let destination = Destination::new(arguments.output.as_deref(), several);
    if destination == Destination::Stdout {
        if several {
            return Err("`-o -` takes one input file and one target".to_owned());
        }
        if common.message_format == MessageFormat::Json {
            return Err(
                "`-o -` and `--message-format json` both want standard output; give `-o` a path"
                    .to_owned(),
            );
        }
    }

    let current = std::env::current_dir()
        .map(|folder| load::slashed(&folder))
        .map_err(|error| format!("cannot tell the current folder: {error}"))?;
    let loaded = load_all(&inputs, arguments)?;
    let options = options(arguments, &loaded, &current, several);
    let units = port_all(&inputs, loaded, arguments, common, &options);

    let plan = plan(&units, &destination, &current, several)?;
    if destination == Destination::Stdout {
        print(&plan.stdout)?;
    } else {
        write::write_all(&plan.files, arguments.force)?;
    }
    report::print(&units, &plan.outputs, arguments, common)?;
    let failed = units.iter().any(Ported::has_errors);
    Ok(if failed { FINDINGS } else { CLEAN })
}

fn load_all(
    inputs: &[(PathBuf, Option<PathBuf>)],
    arguments: &PortArguments,
) -> Result<Vec<Loaded>, String> {
    let load = |(path, _): &(PathBuf, Option<PathBuf>)| load::load(path, &arguments.include);
    inputs.iter().map(load).collect::<Result<_, _>>().map_err(|error| error.to_string())
}

fn options(arguments: &PortArguments, loaded: &[Loaded], current: &str, several: bool) -> Options {
    let defines = arguments.define.iter().map(|define| match define.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (define.clone(), "1".to_owned()),
    });
    // One unit has its generated files beside its root; several share theirs, so that a header of
    // two units includes one and the same.
    let shared_folder = several.then(|| {
        let relative =
            loaded.iter().all(|unit| !unit.sources.file(unit.root).path.starts_with('/'));
        layout::as_given(&base(loaded.iter().map(|unit| &unit.sources), current), current, relative)
    });
    Options {
        include_dirs: arguments.include.iter().map(|folder| load::slashed(folder)).collect(),
        defines: defines.collect(),
        instantiate: arguments.instantiate.clone(),
        warp: arguments.warp,
        cuda_arch: arguments.cuda_arch,
        shared_folder,
    }
}

/// The folder common to all files of a run, absolute.
fn base<'a>(sources: impl Iterator<Item = &'a port::SourceMap>, current: &str) -> String {
    let paths: Vec<String> = sources
        .flat_map(|sources| {
            sources.ids().map(|id| layout::absolute(&sources.file(id).path, current))
        })
        .collect();
    layout::common_folder(paths.iter().map(String::as_str))
}

/// Ports every unit, several at the same time; the result is in the order of the inputs.
fn port_all(
    inputs: &[(PathBuf, Option<PathBuf>)],
    loaded: Vec<Loaded>,
    arguments: &PortArguments,
    common: &CommonArguments,
    options: &Options,
) -> Vec<Ported> {
    let available = std::thread::available_parallelism().map_or(1, |n| n.get());
    let jobs = common.jobs.map_or(available, |jobs| jobs.get()).min(loaded.len()).max(1);
    let next = AtomicUsize::new(0);
    let slots: Vec<Mutex<Option<Vec<Translation>>>> =
        loaded.iter().map(|_| Mutex::new(None)).collect();
    let progress = loaded.len() > 1 && std::io::stderr().is_terminal() && !common.quiet;
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(unit) = loaded.get(index) else { break };
                    if progress {
                        eprint!(
                            "\r{}/{} {:<60}",
                            index + 1,
                            loaded.len(),
                            inputs[index].0.display()
                        );
                    }
                    let done =
                        port::translate(&unit.sources, unit.root, &arguments.target, options);
                    if let Ok(mut slot) = slots[index].lock() {
                        *slot = Some(done);
                    }
                }
            });
        }
    });
    if progress {
        eprint!("\r{:<80}\r", "");
    }
    let translations =
        slots.into_iter().map(|slot| slot.into_inner().ok().flatten().unwrap_or_default());
    loaded
        .into_iter()
        .zip(translations)
        .map(|(unit, translations)| Ported { sources: unit.sources, root: unit.root, translations })
        .collect()
}

/// The files to write, and what each unit and target wrote.
struct Plan {
    files: Vec<Planned>,
    stdout: String,
    /// By unit and target: the paths of the outputs.
    outputs: Vec<Vec<Vec<PathBuf>>>,
}

fn plan(
    units: &[Ported],
    destination: &Destination,
    current: &str,
    several: bool,
) -> Result<Plan, String> {
    let mut planned: BTreeMap<PathBuf, Planned> = BTreeMap::new();
    let mut stdout = String::new();
    let mut outputs = Vec::new();
    let base = base(units.iter().map(|unit| &unit.sources), current);
    for unit in units {
        let mut of_unit = Vec::new();
        for translation in &unit.translations {
            let mut paths = Vec::new();
            if *destination == Destination::Stdout {
                stdout.push_str(&single_text(translation)?);
            } else {
                for (path, text, generated) in
                    placed(unit, translation, destination, &base, current, several)?
                {
                    add(&mut planned, &translation.target, &path, text, generated)?;
                    paths.push(path);
                }
            }
            of_unit.push(paths);
        }
        outputs.push(of_unit);
    }
    let files = planned.into_values().collect();
    Ok(Plan { files, stdout, outputs })
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
                        inlined.push_str(&file.text);
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

/// The outputs of a unit with their paths; the flag marks generated files.
fn placed<'a>(
    unit: &'a Ported,
    translation: &'a Translation,
    destination: &Destination,
    base: &str,
    current: &str,
    several: bool,
) -> Result<Vec<(PathBuf, &'a str, bool)>, String> {
    let extension = translation.target.backend.extension();
    let root = &*unit.sources.file(unit.root).path;
    let folder = match destination {
        Destination::Folder(folder) => {
            let several_targets = unit.translations.len() > 1;
            let name = translation.target.backend.name();
            Some(if several_targets { folder.join(name) } else { folder.clone() })
        }
        Destination::Default if several || layout::changes_headers(translation) => {
            Some(layout::default_folder(&translation.target))
        }
        Destination::File(path) if layout::changes_headers(translation) => {
            return Err(format!(
                "{root} is ported together with its headers; `-o {}` must be a folder (end it in `/`)",
                path.display()
            ));
        }
        _ => None,
    };
    let root_path = match (&folder, destination) {
        (Some(folder), _) => {
            let name = layout::ported_name(root, extension);
            layout::mirrored(&layout::absolute(&name.to_string_lossy(), current), base, folder)
        }
        (None, Destination::File(path)) => path.clone(),
        (None, _) => layout::ported_name(root, extension),
    };
    let mut placed = Vec::new();
    for file in &translation.ported.files {
        let generated = matches!(file.role, FileRole::Generated(_));
        let path = match (file.role, &folder) {
            (FileRole::Root, _) => root_path.clone(),
            (FileRole::Header(id), Some(folder)) => {
                let source = &unit.sources.file(id).path;
                layout::mirrored(&layout::absolute(source, current), base, folder)
            }
            // The headers are as they were, where they were.
            (FileRole::Header(_), None) => continue,
            (FileRole::Generated(name), Some(folder)) if several => folder.join(name),
            (FileRole::Generated(name), _) => {
                root_path.parent().unwrap_or(Path::new("")).join(name)
            }
        };
        placed.push((path, &*file.text, generated));
    }
    Ok(placed)
}

/// Adds a file; units that share one must agree on its text, or it must be one that can be joined.
fn add(
    planned: &mut BTreeMap<PathBuf, Planned>,
    target: &Target,
    path: &Path,
    text: &str,
    generated: bool,
) -> Result<(), String> {
    let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let join = |known: &str| {
        if known == text {
            return Some(text.to_owned());
        }
        generated.then(|| target.backend.merge_generated(&name, &[known, text])).flatten()
    };
    let mut file = Planned { path: path.to_owned(), text: text.to_owned(), replace: false };
    if let Some(known) = planned.get(path) {
        file.replace = known.replace;
        file.text = join(&known.text).ok_or_else(|| {
            format!(
                "two inputs want different text in {}; port them in separate runs with separate `-o` folders",
                path.display()
            )
        })?;
    } else if generated && let Ok(earlier) = std::fs::read_to_string(path) {
        // A generated file of an earlier run is ours to extend. What is not ours stays the writer's
        // to refuse.
        if let Some(joined) = join(&earlier) {
            file.text = joined;
            file.replace = true;
        }
    }
    planned.insert(path.to_owned(), file);
    Ok(())
}
