//! Where outputs go: paths in, paths out. Only [`Taken`] looks at what exists.

use std::path::{Component, Path, PathBuf};

use port::{FileId, FileRole, OutputFile, Target, Translation};

/// Ports of folders, and of files whose headers change, go below this folder, one folder a target.
pub const DEFAULT_FOLDER: &str = "port-out";

/// Where the ports of a run go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Beside each input.
    Beside,
    /// This file.
    File(PathBuf),
    /// Files below this folder, paths mirrored.
    Folder(PathBuf),
    /// Below the default folder, paths mirrored.
    DefaultFolder,
    /// Standard output.
    Stdout,
}

/// What a run is about, as far as it decides where outputs go.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Input files.
    pub files: usize,
    /// Targets.
    pub targets: usize,
    /// Whether a folder was given.
    pub of_folder: bool,
    /// Whether the only input is standard input.
    pub of_stdin: bool,
}

impl Run {
    /// Whether several units share what is generated, so that a header of two of them includes one
    /// and the same file.
    pub fn shares(&self, destination: &Destination) -> bool {
        let folder = matches!(destination, Destination::Folder(_) | Destination::DefaultFolder);
        folder && (self.files > 1 || self.of_folder)
    }
}

impl Destination {
    /// Reads `-o`: `-` is standard output; a path that is a folder or ends in `/` is a folder; so is
    /// any path when the run has several outputs. Without `-o` files are ported in place, folders to
    /// the default folder and standard input to standard output.
    pub fn new(output: Option<&Path>, run: &Run) -> Result<Destination, String> {
        let several = run.files > 1 || run.of_folder || run.targets > 1;
        let Some(path) = output else {
            return Ok(match run {
                Run { of_folder: true, .. } => Destination::DefaultFolder,
                Run { of_stdin: true, .. } if several => {
                    return Err(
                        "standard input with several targets needs a folder: `-o DIR/`".to_owned()
                    );
                }
                Run { of_stdin: true, .. } => Destination::Stdout,
                _ => Destination::Beside,
            });
        };
        if path.as_os_str() == "-" {
            if several {
                return Err("`-o -` takes one input file and one target".to_owned());
            }
            return Ok(Destination::Stdout);
        }
        let ends_in_slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if path.is_file() && (several || ends_in_slash) {
            return Err(format!("`-o {}` is a file; this run needs a folder", path.display()));
        }
        Ok(if several || ends_in_slash || path.is_dir() {
            Destination::Folder(path.to_owned())
        } else {
            Destination::File(path.to_owned())
        })
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

/// Whether the port of a unit is more than one file of the user's, which then need a place together. A
/// port that is a folder has it.
pub fn changes_headers(translation: &Translation) -> bool {
    if translation.target.backend.folder_suffix().is_some() {
        return false;
    }
    let mut files = translation.ported.files.iter();
    files.any(|file| matches!(file.role, FileRole::Header(_)) && !file.changes.is_empty())
}

/// The folder of a target among those of a run: its name, with the architecture where the run has
/// several of one name.
pub fn target_folder(target: &Target, targets: &[Target]) -> String {
    let name = target.backend.name();
    let same = targets.iter().filter(|other| other.backend.name() == name).count();
    match target.architecture {
        Some(architecture) if same > 1 => format!("{name}-{}", architecture.name),
        _ => name.to_owned(),
    }
}

/// A path of the source map as an absolute one.
pub fn absolute(path: &str, current: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{current}/{path}") };
    port_diag::source::normalise(&joined)
}

/// A file mirrored below a folder: what follows the base. `spelled` is the file's absolute path as
/// the base is spelled, `real` the path as the file system has it; its parts are kept.
pub fn mirrored(spelled: &str, real: &Path, base: &str, folder: &Path) -> PathBuf {
    let rest = spelled.strip_prefix(base).unwrap_or(spelled).trim_start_matches('/');
    let parts = rest.split('/').count();
    let names: Vec<Component<'_>> = real.components().collect();
    let exact: PathBuf = names[names.len().saturating_sub(parts)..].iter().collect();
    // A real path with `..` or links in it may have other parts than its spelling.
    if crate::load::slashed(&exact) == rest { folder.join(exact) } else { folder.join(rest) }
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

/// Whether a name beside an input is taken by a file that is no earlier port of it.
pub type Taken<'a> = dyn Fn(&Path, &Translation) -> bool + 'a;

/// What exists and does not name a file that only ports include.
pub fn taken(path: &Path, translation: &Translation) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return path.symlink_metadata().is_ok() };
    let text = String::from_utf8_lossy(&bytes);
    let generated = translation.ported.files.iter().filter_map(|file| match file.role {
        FileRole::Generated(name) => Some(name),
        _ => None,
    });
    let mut own = generated.map(|name| text.contains(&format!("{name}\"")));
    !own.any(|own| own)
}

/// The files of a unit, as placing them needs to know.
#[derive(Clone, Copy)]
pub struct Placing<'a> {
    /// Where they go.
    pub destination: &'a Destination,
    /// The targets of the run; of several each has a folder of its own.
    pub targets: &'a [Target],
    /// Whether generated files are shared by units.
    pub shared: bool,
    /// The folder common to all files of the run, absolute.
    pub base: &'a str,
    /// The current folder, as source maps spell paths.
    pub current: &'a str,
    /// Whether a name is taken.
    pub taken: &'a Taken<'a>,
}

/// An output with its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    pub path: PathBuf,
    pub text: &'a str,
    /// Made by the back end, rather than an edit of a file of the user's.
    pub generated: bool,
}

impl Placing<'_> {
    /// The folder of a target's ports, where they go to one.
    pub fn folder(&self, target: &Target) -> Option<PathBuf> {
        match self.destination {
            Destination::Folder(folder) if self.targets.len() > 1 => {
                Some(folder.join(target_folder(target, self.targets)))
            }
            Destination::Folder(folder) => Some(folder.clone()),
            Destination::DefaultFolder => {
                Some(Path::new(DEFAULT_FOLDER).join(target_folder(target, self.targets)))
            }
            _ => None,
        }
    }

    /// Places the outputs of a unit. `name` tells how the source map spells a file and `real` where
    /// it is.
    pub fn place<'t>(
        &self,
        translation: &'t Translation,
        root: FileId,
        name: &dyn Fn(FileId) -> String,
        real: &dyn Fn(FileId) -> PathBuf,
    ) -> Result<Vec<Placed<'t>>, String> {
        let extension = translation.target.backend.extension();
        if let Some(suffix) = translation.target.backend.folder_suffix() {
            return Ok(self.place_folder(translation, root, name, real, suffix));
        }
        if let Destination::File(path) = self.destination
            && changes_headers(translation)
        {
            return Err(format!(
                "{} is ported together with its headers; `-o {}` must be a folder (end it in `/`)",
                name(root),
                path.display()
            ));
        }
        let folder = self.folder(&translation.target);
        let in_folder = |folder: &Path, file: FileId| {
            let spelled = absolute(&name(file), self.current);
            mirrored(&spelled, &real(file), self.base, folder)
        };
        let root_path = match (&folder, self.destination) {
            (Some(folder), _) => in_folder(folder, root).with_extension(extension),
            (None, Destination::File(path)) => path.clone(),
            (None, _) => {
                let path = real(root).with_extension(extension);
                // `x.cpp` may be the host half of the user's own program.
                let is_host_name = matches!(extension, "cpp" | "cc" | "cxx" | "c");
                if is_host_name && (self.taken)(&path, translation) {
                    path.with_extension(format!("port.{extension}"))
                } else {
                    path
                }
            }
        };
        let mut placed = Vec::new();
        for file in &translation.ported.files {
            let path = match (file.role, &folder) {
                (FileRole::Root, _) => root_path.clone(),
                (FileRole::Header(id), Some(folder)) => in_folder(folder, id),
                // The headers are as they were, where they were.
                (FileRole::Header(_), None) => continue,
                (FileRole::Generated(name), Some(folder)) if self.shared => folder.join(name),
                (FileRole::Generated(name), _) => {
                    root_path.parent().unwrap_or(Path::new("")).join(name)
                }
            };
            let generated = matches!(file.role, FileRole::Generated(_));
            placed.push(Placed { path, text: &file.text, generated });
        }
        Ok(placed)
    }

    /// Places a port that is a folder of its own: `x_ascend` for `x.cu`, with all that it needs.
    fn place_folder<'t>(
        &self,
        translation: &'t Translation,
        root: FileId,
        name: &dyn Fn(FileId) -> String,
        real: &dyn Fn(FileId) -> PathBuf,
        suffix: &str,
    ) -> Vec<Placed<'t>> {
        let source = match (self.folder(&translation.target), self.destination) {
            (Some(folder), _) => {
                let spelled = absolute(&name(root), self.current);
                mirrored(&spelled, &real(root), self.base, &folder)
            }
            // A folder to be: a port of one file has no other use for a name.
            (None, Destination::File(path)) => {
                let file = real(root);
                path.join(file.file_name().unwrap_or(file.as_os_str()))
            }
            (None, _) => real(root),
        };
        let stem = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = source.with_file_name(format!("{stem}{suffix}"));
        let extension = translation.target.backend.extension();
        let place = |file: &'t OutputFile| {
            let path = match file.role {
                FileRole::Root => folder.join(format!("{stem}.{extension}")),
                FileRole::Header(id) => folder.join(port::in_folder(&name(root), &name(id))),
                FileRole::Generated(name) => folder.join(name),
            };
            let generated = matches!(file.role, FileRole::Generated(_));
            Placed { path, text: &file.text, generated }
        };
        translation.ported.files.iter().map(place).collect()
    }
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
        let mirror = |spelled: &str, real: &str, base: &str| {
            mirrored(spelled, Path::new(real), base, Path::new("out"))
        };
        assert_eq!(mirror("/r/a/b/x.cu", "b/x.cu", "/r/a"), Path::new("out/b/x.cu"));
        assert_eq!(mirror("/r/a/b/x.cu", "b/../b/x.cu", "/r"), Path::new("out/a/b/x.cu"));
        assert_eq!(mirror("/x.cu", "/x.cu", ""), Path::new("out/x.cu"));
    }

    #[test]
    fn folders_are_spelled_as_the_inputs_were() {
        assert_eq!(as_given("/r", "/r/csrc", true), "..");
        assert_eq!(as_given("/r/csrc/k", "/r/csrc", true), "k");
        assert_eq!(as_given("/r", "/r", true), "");
        assert_eq!(as_given("/r", "/r/csrc", false), "/r");
        assert_eq!(absolute("../x/k.cu", "/r/csrc"), "/r/x/k.cu");
    }

    #[test]
    fn where_a_run_writes() {
        let one = Run { files: 1, targets: 1, of_folder: false, of_stdin: false };
        let new = |output: Option<&str>, run: Run| Destination::new(output.map(Path::new), &run);
        assert_eq!(new(None, one), Ok(Destination::Beside));
        assert_eq!(new(None, Run { files: 2, targets: 2, ..one }), Ok(Destination::Beside));
        assert_eq!(new(None, Run { of_folder: true, ..one }), Ok(Destination::DefaultFolder));
        assert_eq!(new(None, Run { of_stdin: true, ..one }), Ok(Destination::Stdout));
        assert!(new(None, Run { of_stdin: true, targets: 2, ..one }).is_err());
        assert_eq!(new(Some("none/x.hip"), one), Ok(Destination::File("none/x.hip".into())));
        assert_eq!(new(Some("none/"), one), Ok(Destination::Folder("none/".into())));
        let several = Run { files: 2, ..one };
        assert_eq!(new(Some("none"), several), Ok(Destination::Folder("none".into())));
        assert!(new(Some("-"), several).is_err());
        assert!(!several.shares(&Destination::Beside));
        assert!(several.shares(&Destination::DefaultFolder));
        assert!(!one.shares(&Destination::DefaultFolder));
    }

    /// A back end of one file, for placing alone.
    fn translation(target: &str) -> Translation {
        let mut sources = port::SourceMap::new();
        let root = sources.add("a.cu", "__global__ void k(int *x) { *x = __popc(*x); }\n");
        let target = target.parse().expect("a target");
        port::translate(&sources, root, &[target], &port::Options::default()).remove(0)
    }

    #[test]
    fn a_file_is_ported_beside_its_input() {
        let translation = translation("hip");
        let targets = ["hip:gfx90a", "hip"].map(|target| target.parse().expect("a target"));
        let placing = Placing {
            destination: &Destination::Beside,
            targets: &targets,
            shared: false,
            base: "/r",
            current: "/r",
            taken: &|_, _| true,
        };
        let name = |_| "a.cu".to_owned();
        let real = |_| PathBuf::from("a.cu");
        let placed = placing.place(&translation, FileId(0), &name, &real).expect("places");
        assert_eq!(placed[0].path, Path::new("a.hip"));
        let folder = Destination::Folder("out".into());
        let placing = Placing { destination: &folder, ..placing };
        let placed = placing.place(&translation, FileId(0), &name, &real).expect("places");
        assert_eq!(placed[0].path, Path::new("out/hip/a.hip"));
        assert_eq!(target_folder(&targets[0], &targets), "hip-gfx90a");
    }

    #[test]
    fn a_port_to_ascend_is_a_folder() {
        let translation = translation("ascend");
        let targets = [translation.target];
        let placing = Placing {
            destination: &Destination::Beside,
            targets: &targets,
            shared: false,
            base: "/r",
            current: "/r",
            taken: &|_, _| true,
        };
        let name = |_| "ops/a.cu".to_owned();
        let real = |_| PathBuf::from("ops/a.cu");
        let first = |placing: &Placing<'_>| {
            let placed = placing.place(&translation, FileId(0), &name, &real).expect("places");
            placed[0].path.clone()
        };
        assert_eq!(first(&placing), Path::new("ops/a_ascend/a.asc"));
        let folder = Destination::File("out".into());
        assert_eq!(
            first(&Placing { destination: &folder, ..placing }),
            Path::new("out/a_ascend/a.asc")
        );
        let folder = Destination::Folder("out".into());
        assert_eq!(
            first(&Placing { destination: &folder, ..placing }),
            Path::new("out/ops/a_ascend/a.asc")
        );
    }
}
