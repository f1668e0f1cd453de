//! Where outputs go. Pure: paths in, paths out.

use std::path::{Path, PathBuf};

use port::{FileRole, Target, Translation};

/// What `-o` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Nothing was asked: beside the input, or the default folder.
    Default,
    /// This file.
    File(PathBuf),
    /// Files below this folder, paths mirrored.
    Folder(PathBuf),
    /// Standard output.
    Stdout,
}

impl Destination {
    /// Reads `-o`: `-` is standard output; a path that is a folder or ends in `/` is a folder; so is
    /// any path when the run has several units.
    pub fn new(output: Option<&Path>, several: bool) -> Destination {
        let Some(path) = output else { return Destination::Default };
        let text = path.to_string_lossy();
        if text == "-" {
            Destination::Stdout
        } else if several || text.ends_with(['/', '\\']) || path.is_dir() {
            Destination::Folder(path.to_owned())
        } else {
            Destination::File(path.to_owned())
        }
    }
}

/// The folder that all these paths have in common; empty for relative paths with nothing in common.
pub fn common_folder<'a>(paths: impl IntoIterator<Item = &'a str>) -> String {
    let mut common: Option<Vec<&str>> = None;
    for path in paths {
        let folder: Vec<&str> = path.split('/').collect();
        let folder = &folder[..folder.len() - 1];
        common = Some(match common {
            None => folder.to_vec(),
            Some(known) => {
                known.iter().zip(folder).take_while(|(a, b)| a == b).map(|(a, _)| *a).collect()
            }
        });
    }
    common.unwrap_or_default().join("/")
}

/// Whether the port of a unit is more than one file of the user's.
pub fn changes_headers(translation: &Translation) -> bool {
    let mut files = translation.ported.files.iter();
    files.any(|file| matches!(file.role, FileRole::Header(_)) && !file.changes.is_empty())
}

/// The default folder of a target.
pub fn default_folder(target: &Target) -> PathBuf {
    Path::new("port-out").join(target.backend.name())
}

/// The name of a root's port: `x.cu` becomes `x.hip`.
pub fn ported_name(root: &str, extension: &str) -> PathBuf {
    Path::new(root).with_extension(extension)
}

/// A path of the source map as an absolute one.
pub fn absolute(path: &str, current: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{current}/{path}") };
    port_diag::source::normalise(&joined)
}

/// A path of the source map mirrored below a folder: what follows the base, both absolute.
pub fn mirrored(absolute: &str, base: &str, folder: &Path) -> PathBuf {
    let rest = absolute.strip_prefix(base).unwrap_or(absolute);
    folder.join(rest.trim_start_matches('/'))
}

/// A folder as paths of the source map spell it: relative to the current one where that is shorter
/// for a reader, as the inputs were given.
pub fn as_given(base: &str, current: &str, relative_inputs: bool) -> String {
    if !relative_inputs {
        return base.to_owned();
    }
    let split = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (base, current) = (split(base), split(current));
    let common = base.iter().zip(&current).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", current.len() - common);
    up.chain(base[common..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_folders() {
        assert_eq!(common_folder(["a/b/x.cu", "a/c/y.cuh"]), "a");
        assert_eq!(common_folder(["a/b/x.cu"]), "a/b");
        assert_eq!(common_folder(["x.cu", "a/y.cu"]), "");
        assert_eq!(common_folder(["/r/a/x.cu", "/r/b/y.cu"]), "/r");
    }

    #[test]
    fn mirrored_paths_keep_what_follows_the_base() {
        let folder = Path::new("out");
        assert_eq!(mirrored("/r/a/b/x.cu", "/r/a", folder), Path::new("out/b/x.cu"));
        assert_eq!(mirrored("/x.cu", "", folder), Path::new("out/x.cu"));
        assert_eq!(ported_name("a/x.cu", "hip"), Path::new("a/x.hip"));
    }

    #[test]
    fn folders_are_spelled_as_the_inputs_were() {
        assert_eq!(as_given("/r", "/r/csrc", true), "..");
        assert_eq!(as_given("/r/csrc/k", "/r/csrc", true), "k");
        assert_eq!(as_given("/r", "/r", true), "");
        assert_eq!(as_given("/r", "/r/csrc", false), "/r");
        assert_eq!(absolute("../x/k.cu", "/r/csrc"), "/r/x/k.cu");
    }
}
