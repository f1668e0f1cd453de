//! Reads inputs, and the repository headers that they may include, into a source map.

use std::collections::VecDeque;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use port_diag::{FileId, SourceMap};

/// Larger files are refused before they are read: no kernel is that long, and generated tables of
/// that size hold no code to port.
pub const LARGEST_FILE: u64 = 16 << 20;

/// A file that cannot be taken, and why.
#[derive(Debug)]
pub struct LoadError {
    pub path: String,
    pub reason: String,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// One translation unit: its file and every header in reach.
pub struct Loaded {
    pub sources: SourceMap,
    pub root: FileId,
}

/// The files that the inputs name: a file as it is, a folder's `.cu` files in order of path.
/// The flag says whether the file came from a folder, and gives that folder.
pub fn expand(inputs: &[PathBuf]) -> Result<Vec<(PathBuf, Option<PathBuf>)>, LoadError> {
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            let mut found = Vec::new();
            walk(input, &mut found)?;
            if found.is_empty() {
                return Err(error(input, "the folder holds no `.cu` file"));
            }
            found.sort();
            files.extend(found.into_iter().map(|file| (file, Some(input.clone()))));
        } else {
            files.push((input.clone(), None));
        }
    }
    files.dedup();
    Ok(files)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| error(&folder, &e.to_string()))?;
        for entry in entries.flatten() {
            // Links are not followed into folders: a cycle would never end.
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if kind.is_dir() && !hidden {
                pending.push(path);
            } else if !kind.is_dir() && path.extension().is_some_and(|e| e == "cu") {
                found.push(path);
            }
        }
    }
    Ok(())
}

/// Loads a file (`-` is standard input) and, transitively, what its `#include` lines may mean.
pub fn load(path: &Path, include_dirs: &[PathBuf]) -> Result<Loaded, LoadError> {
    let mut sources = SourceMap::new();
    let text = if path.as_os_str() == "-" { read_stdin()? } else { read(path)? };
    let name = if path.as_os_str() == "-" { "stdin.cu".to_owned() } else { slashed(path) };
    let root = sources.add(&name, &text);
    let mut pending = VecDeque::from([root]);
    while let Some(id) = pending.pop_front() {
        let file = sources.file(id);
        let (text, folder) = (file.text.clone(), PathBuf::from(&*file.path));
        let folder = folder.parent().unwrap_or(Path::new("")).to_owned();
        for request in port::include_requests(&text) {
            let beside = (!request.angled).then_some(&folder);
            for directory in beside.into_iter().chain(include_dirs) {
                let candidate = slashed(&directory.join(&request.name));
                if sources.find(&candidate).is_some() {
                    break;
                }
                // What cannot be read is reported as a missing include, where it is included.
                if let Ok(text) = read(Path::new(&candidate)) {
                    pending.push_back(sources.add(&candidate, &text));
                    break;
                }
            }
        }
    }
    Ok(Loaded { sources, root })
}

fn read(path: &Path) -> Result<String, LoadError> {
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

fn read_stdin() -> Result<String, LoadError> {
    read_from(std::io::stdin().lock(), Path::new("standard input"))
}

fn read_from(reader: impl Read, path: &Path) -> Result<String, LoadError> {
    let mut bytes = Vec::new();
    // A pipe or a device does not tell its size: one byte past the limit is enough to refuse it.
    reader
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| error(path, &e.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(error(path, &too_large(bytes.len() as u64)));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        let reason = format!(
            "is not UTF-8 text (byte {at}, line {line}); convert it first, for example with `iconv -f LATIN1 -t UTF-8`"
        );
        error(path, &reason)
    })
}

fn too_large(bytes: u64) -> String {
    format!("is too large: {bytes} bytes, the limit is {LARGEST_FILE}")
}

fn error(path: &Path, reason: &str) -> LoadError {
    LoadError { path: path.display().to_string(), reason: reason.to_owned() }
}

/// A path with `/` between its parts, as spans and reports show it.
pub fn slashed(path: &Path) -> String {
    port_diag::source::normalise(&path.to_string_lossy())
}
