//! `port snapshot`: the ports of a user's own operators, kept under version control. Shows how they
//! change, and accepts the change.
//!
//! Ports of a folder are kept inside it, in `port-snapshots/<target>/`, mirrored as a port to a folder
//! is, each root with a report of its kernels and findings (`k.report.txt` beside `k.hip`). Paths in
//! them are as seen from that folder, so that they are the same from everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use port::{FileRole, Target};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::arguments::{CommonArguments, MessageFormat, SnapshotArguments};
use crate::layout::{self, Destination, Placing};
use crate::load::{self, Input, LoadError};
use crate::pipeline::{self, Ported};
use crate::write::{self, Planned};
use crate::{CLEAN, FINDINGS, USAGE, parallel, port_command, print, print_error, report, text};

/// The folder of the ports, inside the folder that is ported.
pub const FOLDER: &str = "port-snapshots";

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// Runs the command; the exit status, or why the run cannot be done.
pub fn run(arguments: &SnapshotArguments, common: &CommonArguments) -> Result<u8, String> {
    if !matches!(common.message_format, MessageFormat::Human | MessageFormat::Json) {
        return Err("`port snapshot` reports as `human` or `json`".to_owned());
    }
    let inputs = load::expand(&arguments.inputs).map_err(|error| error.to_string())?;
    if inputs.files.iter().any(Input::is_stdin) {
        return Err("standard input has no place for a snapshot; name a file".to_owned());
    }
    let targets = pipeline::targets(&arguments.target);
    let mut homes: BTreeMap<PathBuf, Vec<Input>> = BTreeMap::new();
    for input in inputs.files {
        let beside = || input.path.parent().unwrap_or(Path::new("")).to_owned();
        homes.entry(input.folder.clone().unwrap_or_else(beside)).or_default().push(input);
    }
    let mut unreadable = inputs.unreadable;
    let mut changes = Vec::new();
    for (home, inputs) in &homes {
        let home = Home::new(home, inputs, arguments, common)?;
        for target in &targets {
            changes.extend(home.changes(target, &targets)?);
        }
        unreadable.extend(home.unreadable);
    }
    let changed = changes.iter().any(|change| change.state != State::Unchanged);
    if arguments.accept {
        accept(&changes)?;
    }
    let text = match common.message_format {
        MessageFormat::Json => report::pretty(&document(&changes, &unreadable))?,
        _ => human(&changes, arguments, common),
    };
    print(&text::shown(&text))?;
    for error in &unreadable {
        print_error(&format!("port: {error}\n"));
    }
    Ok(if !unreadable.is_empty() {
        USAGE
    } else if arguments.check && changed {
        FINDINGS
    } else {
        CLEAN
    })
}

/// A folder with the ports of what it holds.
struct Home {
    /// The folder as given.
    path: PathBuf,
    /// The same, absolute, as source maps spell paths.
    absolute: String,
    /// The folder common to it and to all files of its units, absolute.
    base: String,
    units: Vec<Ported>,
    unreadable: Vec<LoadError>,
    /// Whether everything in the folder was ported, so that what else is kept is out of date.
    whole: bool,
}

impl Home {
    fn new(
        path: &Path,
        inputs: &[Input],
        arguments: &SnapshotArguments,
        common: &CommonArguments,
    ) -> Result<Home, String> {
        let spelled = |path: &Path| {
            let absolute = std::path::absolute(path);
            absolute
                .map(|path| load::slashed(&path))
                .map_err(|error| format!("{}: {error}", path.display()))
        };
        let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let absolute = spelled(here)?;
        let seen = |path: &Path| Ok(layout::as_given(&spelled(path)?, &absolute, true));
        let include: Vec<String> =
            arguments.reading.include.iter().map(|dir| seen(dir)).collect::<Result<_, String>>()?;
        let names: Vec<String> =
            inputs.iter().map(|input| seen(&input.path)).collect::<Result<_, String>>()?;
        let named: Vec<(&Input, String)> = inputs.iter().zip(names).collect();
        let settings = parallel::Settings { jobs: common.jobs, progress: None };
        let loaded = parallel::map(&named, &settings, |(input, name)| {
            load::load_from(here, name, input, &include)
        });
        let loaded: Vec<_> = named
            .iter()
            .zip(loaded)
            .map(|((_, name), result)| {
                result.unwrap_or_else(|message| Err(pipeline::defect(name.clone(), &message)))
            })
            .collect();
        let base = port_command::base(loaded.iter().flatten(), &absolute);
        let base = layout::common_folder([format!("{base}/x").as_str(), &format!("{absolute}/x")]);
        let mut options =
            pipeline::options(&arguments.reading, Some(layout::as_given(&base, &absolute, true)));
        options.include_dirs = include;
        let targets = pipeline::targets(&arguments.target);
        let (mut units, mut unreadable) = (Vec::new(), Vec::new());
        for result in pipeline::port_all(loaded, &targets, &options, common) {
            match result {
                Ok(unit) => units.push(unit),
                Err(error) => unreadable.push(error),
            }
        }
        let whole = unreadable.is_empty() && inputs.iter().all(|input| input.folder.is_some());
        Ok(Home { path: path.to_owned(), absolute, base, units, unreadable, whole })
    }

    /// What is kept for a target against what it would be now.
    fn changes(&self, target: &Target, targets: &[Target]) -> Result<Vec<Change>, String> {
        let folder = self.path.join(FOLDER).join(layout::target_folder(target, targets));
        let wanted = self.wanted(target, &folder)?;
        let mut changes = Vec::new();
        for (path, File { bytes, generated }) in wanted {
            let kept = match fs::read(&path) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(format!("{}: {error}", path.display())),
            };
            let bytes = match &kept {
                // A file of several operators, of which this run ports some.
                Some(kept) if generated && !self.whole => {
                    pipeline::join(target, &path, kept, &bytes, true).unwrap_or(bytes)
                }
                _ => bytes,
            };
            let state = match &kept {
                None => State::New,
                Some(kept) if *kept == bytes => State::Unchanged,
                Some(_) => State::Changed,
            };
            let target = target.to_string();
            changes.push(Change { target, path, state, generated, kept, now: Some(bytes) });
        }
        if self.whole {
            let known: BTreeSet<PathBuf> =
                changes.iter().map(|change| change.path.clone()).collect();
            for path in files(&folder) {
                if !known.contains(&path) {
                    let target = target.to_string();
                    let kept = fs::read(&path).ok();
                    let state = State::Gone;
                    changes.push(Change { target, path, state, generated: false, kept, now: None });
                }
            }
            changes.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(changes)
    }

    /// The files that should be kept for a target.
    fn wanted(&self, target: &Target, folder: &Path) -> Result<BTreeMap<PathBuf, File>, String> {
        let placing = Placing {
            destination: &Destination::Folder(folder.to_owned()),
            targets: std::slice::from_ref(target),
            shared: true,
            base: &self.base,
            current: &self.absolute,
            taken: &|_, _| false,
        };
        let mut wanted: BTreeMap<PathBuf, File> = BTreeMap::new();
        for ported in &self.units {
            let unit = &ported.unit;
            let is_target = |t: &&port::Translation| t.target.to_string() == target.to_string();
            let Some(translation) = ported.translations.iter().find(is_target) else { continue };
            let name = |file| unit.sources.file(file).path.to_string();
            let real = |file| unit.real_path(file);
            let mut placed = placing.place(translation, unit.root, &name, &real)?;
            let known = |path: &Path| wanted.get(path).map(|file| file.bytes.clone());
            if let Some(own) =
                port_command::own_folder(&known, &placing, translation, unit, &placed)
            {
                let own = Placing { destination: &Destination::Folder(own), ..placing };
                placed = own.place(translation, unit.root, &name, &real)?;
            }
            for (placed, output) in placed.into_iter().zip(&translation.ported.files) {
                let bytes = text::encode(placed.text, unit.raw);
                if output.role == FileRole::Root {
                    let root = name(unit.root);
                    let report = port::summary(&unit.sources, translation);
                    let report = format!("{root} for {target}\n{report}");
                    let path = placed.path.with_extension("report.txt");
                    let bytes = text::shown(&report).into_bytes();
                    wanted.insert(path, File { bytes, generated: false });
                }
                let bytes = match wanted.get(&placed.path) {
                    None => bytes,
                    Some(known) => {
                        let generated = placed.generated;
                        pipeline::join(target, &placed.path, &known.bytes, &bytes, generated)
                            .ok_or_else(|| {
                                format!(
                                    "two inputs want different text in {}",
                                    placed.path.display()
                                )
                            })?
                    }
                };
                wanted.insert(placed.path, File { bytes, generated: placed.generated });
            }
        }
        Ok(wanted)
    }
}

/// A file that should be kept.
struct File {
    bytes: Vec<u8>,
    generated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unchanged,
    Changed,
    New,
    Gone,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            State::Unchanged => "unchanged",
            State::Changed => "changed",
            State::New => "new",
            State::Gone => "gone",
        }
    }
}

/// A file that is kept, or should be.
struct Change {
    target: String,
    path: PathBuf,
    state: State,
    generated: bool,
    kept: Option<Vec<u8>>,
    now: Option<Vec<u8>>,
}

impl Change {
    /// What changed, as a unified diff; empty for a file that only one side has.
    fn diff(&self, color: bool) -> String {
        let (Some(kept), Some(now)) = (&self.kept, &self.now) else { return String::new() };
        let (kept, now) = (String::from_utf8_lossy(kept), String::from_utf8_lossy(now));
        let diff = TextDiff::from_lines(&*kept, &*now);
        let mut text = String::new();
        let paint = |code: &str, line: &str| match color {
            true => format!("\x1b[{code}m{line}\x1b[0m"),
            false => line.to_owned(),
        };
        let path = self.path.display();
        let _ = writeln!(text, "{}", paint("1", &format!("--- {path} (accepted)")));
        let _ = writeln!(text, "{}", paint("1", &format!("+++ {path} (now)")));
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            let _ = writeln!(text, "{}", paint("36", &hunk.header().to_string()));
            for change in hunk.iter_changes() {
                let line = change.value();
                let ending = if line.ends_with('\n') { "" } else { "\n\\ no newline at the end" };
                let line = line.strip_suffix('\n').unwrap_or(line);
                let line = match change.tag() {
                    ChangeTag::Equal => format!(" {line}"),
                    ChangeTag::Delete => paint("31", &format!("-{line}")),
                    ChangeTag::Insert => paint("32", &format!("+{line}")),
                };
                let _ = writeln!(text, "{line}{ending}");
            }
        }
        text
    }
}

fn human(changes: &[Change], arguments: &SnapshotArguments, common: &CommonArguments) -> String {
    let color = report::colored(common, std::io::stdout().is_terminal());
    let mut text = String::new();
    for change in changes.iter().filter(|change| change.state != State::Unchanged) {
        // What back ends bring with every port is long and changes with `port`, not with the user's
        // operators.
        if change.state == State::Changed && (!change.generated || common.verbose) {
            if !common.quiet {
                text.push_str(&change.diff(color));
            }
        } else {
            let _ = writeln!(text, "{}: {}", change.state.as_str(), change.path.display());
        }
    }
    let count = |state: State| changes.iter().filter(|change| change.state == state).count();
    let counts: Vec<String> = [State::Unchanged, State::Changed, State::New, State::Gone]
        .into_iter()
        .filter(|state| count(*state) > 0)
        .map(|state| format!("{} {}", count(state), state.as_str()))
        .collect();
    let changed = changes.iter().any(|change| change.state != State::Unchanged);
    let rest = match (changed, arguments.accept) {
        (false, _) => "",
        (true, true) => "; accepted",
        (true, false) => "; `--accept` writes them",
    };
    let _ = writeln!(text, "{} files: {}{rest}", changes.len(), counts.join(", "));
    text
}

fn document(changes: &[Change], unreadable: &[LoadError]) -> Value {
    let files: Vec<Value> = changes
        .iter()
        .map(|change| {
            json!({
                "target": change.target,
                "path": change.path.to_string_lossy(),
                "state": change.state.as_str(),
                "diff": if change.state == State::Changed { change.diff(false) } else { String::new() },
            })
        })
        .collect();
    let unreadable: Vec<Value> = unreadable
        .iter()
        .map(|error| json!({ "path": error.path, "reason": error.reason }))
        .collect();
    json!({ "schema": 1, "files": files, "unreadable": unreadable })
}

/// Writes what is new or changed, and removes what is gone.
fn accept(changes: &[Change]) -> Result<(), String> {
    let planned = |change: &Change| {
        let bytes = change.now.clone()?;
        Some(Planned { path: change.path.clone(), bytes, replace: true })
    };
    let planned: Vec<Planned> = changes.iter().filter_map(planned).collect();
    write::write_all(&planned, true, &[])?;
    for change in changes.iter().filter(|change| change.state == State::Gone) {
        let path = change.path.display();
        fs::remove_file(&change.path).map_err(|error| format!("cannot remove {path}: {error}"))?;
        // Folders go with their last file; the first that is not empty ends it.
        let above = change.path.ancestors().skip(1);
        let _ = above.take_while(|folder| fs::remove_dir(folder).is_ok()).count();
    }
    Ok(())
}

/// All files below a folder, sorted; links are not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(_) => found.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    found.sort();
    found
}
