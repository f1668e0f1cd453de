//! Reads inputs, and the headers that they may include, into source maps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use port::{Diagnostic, FileId, SourceMap};
use port_diag::{Finding, Span};

use crate::findings::{HeaderLeftOut, NotUtf8};
use crate::text::{self, Decoded};

/// Larger files are refused before they are read: no kernel is that long, and generated tables of
/// that size hold no code to port.
pub const LARGEST_FILE: u64 = 16 << 20;

/// Folders of our own making; what is in them is no input.
const OUR_FOLDERS: [&str; 2] = [crate::layout::DEFAULT_FOLDER, crate::snapshot::FOLDER];

/// A file that cannot be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    pub path: String,
    pub reason: String,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// A file to port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The path as given, or found below a folder that was given; `-` is standard input.
    pub path: PathBuf,
    /// The folder that was given.
    pub folder: Option<PathBuf>,
}

impl Input {
    /// Whether this is standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// The path as source maps and reports spell it.
    pub fn name(&self) -> String {
        if self.is_stdin() { "stdin.cu".to_owned() } else { slashed(&self.path) }
    }
}

/// What a command line's inputs name.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Files in the order given; a folder's in order of path. Each once.
    pub files: Vec<Input>,
    /// Files and folders inside a given folder that cannot be read.
    pub unreadable: Vec<LoadError>,
}

/// The files that the inputs name: a file as it is, and of a folder every `.cu` file that is no part
/// of another one there.
pub fn expand(inputs: &[PathBuf]) -> Result<Inputs, LoadError> {
    let mut found = Inputs::default();
    let mut seen = BTreeSet::new();
    for input in inputs {
        let mut add = |path: PathBuf, folder: Option<PathBuf>| {
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            if seen.insert(folded(&absolute)) {
                found.files.push(Input { path, folder });
            }
        };
        if !input.is_dir() {
            add(input.clone(), None);
            continue;
        }
        let mut files = Vec::new();
        walk(input, &mut files, &mut found.unreadable)?;
        if files.is_empty() {
            // Of several inputs the others are worth porting.
            let reason = "the folder holds no `.cu` file; headers are ported with the files that include them";
            found.unreadable.push(error(input, reason));
        }
        files.sort();
        for file in without_parts(files) {
            add(file, Some(input.clone()));
        }
    }
    found.unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    match found.unreadable.pop() {
        Some(only) if found.files.is_empty() && found.unreadable.is_empty() => Err(only),
        last => {
            found.unreadable.extend(last);
            Ok(found)
        }
    }
}

fn walk(
    folder: &Path,
    found: &mut Vec<PathBuf>,
    unreadable: &mut Vec<LoadError>,
) -> Result<(), LoadError> {
    let mut pending = vec![folder.to_owned()];
    while let Some(current) = pending.pop() {
        let entries = match fs::read_dir(&current) {
            Ok(entries) => entries,
            Err(problem) if current == folder => return Err(error(folder, &problem.to_string())),
            Err(problem) => {
                unreadable.push(error(&current, &problem.to_string()));
                continue;
            }
        };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            let name = entry.file_name();
            if kind.is_dir() {
                let hidden = name.to_string_lossy().starts_with('.');
                if !hidden && !OUR_FOLDERS.iter().any(|ours| name == *ours) {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "cu") {
                // A link to a file is one; links into folders are not followed: a cycle would never
                // end. Pipes and devices in a folder are no sources.
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_file() => found.push(path),
                    Ok(_) => {}
                    Err(problem) => unreadable.push(error(&path, &problem.to_string())),
                }
            }
        }
    }
    Ok(())
}

/// Leaves out the files that another one includes: `kernel.cu` in `main.cu` is ported with it, and
/// is no program of its own. Of files that only include each other the first stays.
fn without_parts(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let index: BTreeMap<PathBuf, usize> =
        files.iter().enumerate().map(|(number, path)| (folded(path), number)).collect();
    let includes: Vec<Vec<usize>> = files
        .iter()
        .map(|path| {
            // What cannot be read is reported when it is loaded.
            let Ok(Decoded { text, .. }) = read(path) else { return Vec::new() };
            if !text.contains(".cu\"") {
                return Vec::new();
            }
            let beside = path.parent().unwrap_or(Path::new(""));
            let requests = port::include_requests(&text).into_iter().filter(|r| !r.angled);
            requests
                .filter_map(|request| index.get(&folded(&beside.join(request.name))).copied())
                .collect()
        })
        .collect();
    let mut kept = vec![false; files.len()];
    let mut reached = vec![false; files.len()];
    let included: BTreeSet<usize> = includes
        .iter()
        .enumerate()
        .flat_map(|(from, to)| to.iter().copied().filter(move |to| *to != from))
        .collect();
    let whole = (0..files.len()).filter(|number| !included.contains(number));
    for first in whole.chain(0..files.len()) {
        if reached[first] {
            continue;
        }
        kept[first] = true;
        let mut pending = vec![first];
        while let Some(number) = pending.pop() {
            if !std::mem::replace(&mut reached[number], true) {
                pending.extend(&includes[number]);
            }
        }
    }
    files.into_iter().zip(kept).filter_map(|(file, kept)| kept.then_some(file)).collect()
}

/// A path without `.` and `..`, its other parts as they are.
fn folded(path: &Path) -> PathBuf {
    let mut folded = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if folded.file_name().is_some() => {
                folded.pop();
            }
            part => folded.push(part),
        }
    }
    folded
}

/// One translation unit: its file and every header in reach.
pub struct Unit {
    pub sources: SourceMap,
    pub root: FileId,
    /// Where the root is; for standard input, where a file of its name would be.
    pub path: PathBuf,
    /// What is to be said about the files themselves.
    pub findings: Vec<Diagnostic>,
    /// Whether some file has bytes that are no UTF-8; its ports have them too.
    pub raw: bool,
    names: Names,
}

impl Unit {
    /// Where a file of the source map is.
    pub fn real_path(&self, file: FileId) -> PathBuf {
        if file == self.root {
            return self.path.clone();
        }
        self.names.real(&self.sources.file(file).path)
    }
}

/// Loads a file (`-` is standard input) and, transitively, what its `#include` lines may mean.
pub fn load(input: &Input, include_dirs: &[PathBuf]) -> Result<Unit, LoadError> {
    // Paths that are no UTF-8 are spelled with replacement characters, and found again by this.
    let inexact = |folder: &&Path| folder.to_str().is_none();
    let folders = input.path.parent().into_iter().chain(include_dirs.iter().map(PathBuf::as_path));
    let folders = folders.filter(inexact).map(|folder| (slashed(folder), folder.to_owned()));
    let names = Names { folders: folders.collect(), home: PathBuf::new() };
    let include: Vec<String> = include_dirs.iter().map(|folder| slashed(folder)).collect();
    load_as(&input.name(), input, &include, names)
}

/// Loads a file with paths spelled as seen from a folder, whatever the current one is: `home` is that
/// folder, and relative paths of the source map start there.
pub fn load_from(
    home: &Path,
    name: &str,
    input: &Input,
    include: &[String],
) -> Result<Unit, LoadError> {
    load_as(name, input, include, Names { folders: Vec::new(), home: home.to_owned() })
}

fn load_as(name: &str, input: &Input, include: &[String], names: Names) -> Result<Unit, LoadError> {
    let (decoded, path) = if input.is_stdin() {
        (read_from(std::io::stdin().lock(), Path::new("standard input"))?, PathBuf::from(name))
    } else {
        (read(&input.path)?, input.path.clone())
    };
    let mut raw_files = Vec::new();
    raw_files.extend(decoded.raw.map(|raw| (name.to_owned(), raw)));
    let mut private = decoded.raw.is_none() && text::has_raw(&decoded.text);
    let mut read_header = |candidate: &str| {
        let path = names.real(candidate);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Err(problem) if !is_absence(&problem) => return Err(problem.to_string()),
            // A folder or a pipe of that name is not the header.
            _ => return Ok(None),
        }
        let decoded = read(&path).map_err(|error| error.reason)?;
        raw_files.extend(decoded.raw.map(|raw| (candidate.to_owned(), raw)));
        private |= decoded.raw.is_none() && text::has_raw(&decoded.text);
        Ok(Some(decoded.text))
    };
    let loaded = port::load(name, &decoded.text, include, &mut read_header);
    if private && !raw_files.is_empty() {
        let reason = "bytes that are no UTF-8 and private use characters are in the files of one unit; convert them to UTF-8";
        return Err(LoadError { path: name.to_owned(), reason: reason.to_owned() });
    }
    let mut findings = Vec::new();
    for (path, (start, byte)) in &raw_files {
        let Some(file) = loaded.sources.find(path) else { continue };
        let line = loaded.sources.file(file).line_column(*start).line;
        let finding = NotUtf8 { byte: format!("0x{byte:02X}"), line };
        findings.push(finding.at_span(Span::new(file, *start, start + 4)));
    }
    for port::Refused { path, reason } in loaded.refused {
        findings.push(HeaderLeftOut { path, reason }.nowhere());
    }
    let raw = !raw_files.is_empty();
    Ok(Unit { sources: loaded.sources, root: loaded.root, path, findings, raw, names })
}

/// Where the files of a source map are.
struct Names {
    /// The real folders of those whose spelling is not exact.
    folders: Vec<(String, PathBuf)>,
    /// The folder where relative paths start; empty for the current one.
    home: PathBuf,
}

impl Names {
    /// The path of the file system that a spelling of the source map means.
    fn real(&self, spelled: &str) -> PathBuf {
        let inside =
            |folder: &str| spelled.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        let known = |(folder, real): &(String, PathBuf)| Some(real.join(inside(folder)?));
        let known = self.folders.iter().find_map(known);
        known.unwrap_or_else(|| self.home.join(spelled))
    }
}

fn is_absence(problem: &std::io::Error) -> bool {
    // A name longer than the system takes, or through a file, is no file either.
    matches!(
        problem.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
    ) || problem.kind() == ErrorKind::InvalidInput
}

fn read(path: &Path) -> Result<Decoded, LoadError> {
    let metadata = fs::metadata(path).map_err(|e| error(path, &e.to_string()))?;
    if metadata.is_dir() {
        return Err(error(path, "is a folder"));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(error(path, &too_large(metadata.len())));
    }
    let file = fs::File::open(path).map_err(|e| error(path, &e.to_string()))?;
    read_from(file, path)
}

fn read_from(reader: impl Read, path: &Path) -> Result<Decoded, LoadError> {
    let mut bytes = Vec::new();
    // A pipe or a device does not tell its size: one byte past the limit is enough to refuse it.
    reader
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| error(path, &e.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(error(path, &too_large(bytes.len() as u64)));
    }
    text::decode(bytes).map_err(|reason| error(path, &reason))
}

fn too_large(bytes: u64) -> String {
    format!("is too large: {bytes} bytes or more, the limit is {LARGEST_FILE}")
}

fn error(path: &Path, reason: &str) -> LoadError {
    LoadError { path: path.display().to_string(), reason: reason.to_owned() }
}

/// A path with `/` between its parts, as spans and reports show it.
pub fn slashed(path: &Path) -> String {
    port_diag::source::normalise(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_program_are_no_programs() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file");
            path
        };
        let main = put("main.cu", "#include \"kernel.cu\"\n#include \"none.cu\"\n");
        let kernel = put("kernel.cu", "#include \"../x/kernel.cu\"\n");
        let a = put("a.cu", "#include \"b.cu\"\n");
        let b = put("b.cu", "#include \"./a.cu\"\n");
        let own = put("own.cu", "#include \"own.cu\"\n");
        let files = vec![a.clone(), b, kernel, main.clone(), own.clone()];
        assert_eq!(without_parts(files), [a, main, own]);
    }

    #[test]
    fn a_folder_that_is_no_utf8_is_found_by_its_spelling() {
        let folders = vec![("a/\u{fffd}".to_owned(), PathBuf::from("real"))];
        let names = Names { folders, home: PathBuf::from("home") };
        assert_eq!(names.real("a/\u{fffd}/x.h"), Path::new("real/x.h"));
        assert_eq!(names.real("a/x.h"), Path::new("home/a/x.h"));
        assert_eq!(names.real("/x.h"), Path::new("/x.h"));
        assert_eq!(folded(Path::new("./a/../b/./c")), Path::new("b/c"));
    }
}
