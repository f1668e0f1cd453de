//! Writes outputs: all of a run's files or none, each whole, and no file of the user's overwritten
//! unasked.

use std::fs;
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// A file to write.
pub struct Planned {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// It extends a file of ours: overwriting that one loses nothing.
    pub replace: bool,
}

/// Writes all files. What exists is checked before anything is written, so that a refusal leaves
/// nothing half done; then every file is written under another name in its folder, and only when all
/// are there they get their names. A file that already holds exactly these bytes is left alone.
/// `inputs` are never written, whatever `force` says.
pub fn write_all(files: &[Planned], force: bool, inputs: &[PathBuf]) -> Result<(), String> {
    let files: Vec<&Planned> = files.iter().filter(|file| !holds(file)).collect();
    let mut taken = Vec::new();
    for file in &files {
        let kind = fs::symlink_metadata(&file.path);
        if is_input(&file.path, inputs) {
            return Err(format!(
                "{} is an input of this run and is not overwritten; nothing was written. Use `-o` for another place",
                file.path.display()
            ));
        }
        if file.path.is_dir() {
            return Err(format!("{} is a folder; nothing was written", file.path.display()));
        }
        if kind.is_ok() && !force && !file.replace && !is_device(&file.path) {
            taken.push(file.path.display().to_string());
        }
    }
    if !taken.is_empty() {
        let (verb, rest) = match taken.len() {
            1 => ("exists and differs", String::new()),
            2..=8 => ("exist and differ", String::new()),
            many => ("exist and differ", format!(" and {} more", many - 8)),
        };
        taken.truncate(8);
        return Err(format!(
            "{}{rest} {verb}; nothing was written. Use `--force` to overwrite, or `-o` for another place",
            taken.join(", ")
        ));
    }
    let mut made = Made::default();
    let result = stage(&files, &mut made).and_then(|staged| commit(staged, force, &mut made));
    if result.is_err() {
        made.undo();
    }
    result
}

/// What a run has made so far, to be taken back when it fails.
#[derive(Default)]
struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn undo(&self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        // Only empty folders go.
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// A file under another name, ready to get its own.
struct Staged<'a> {
    file: &'a Planned,
    temporary: TempPath,
}

fn stage<'a>(files: &[&'a Planned], made: &mut Made) -> Result<Vec<Staged<'a>>, String> {
    let mut staged = Vec::new();
    for file in files {
        let failed = |error: Error| {
            format!("cannot write {}: {error}; nothing was written", file.path.display())
        };
        if is_device(&file.path) {
            // A device or a pipe is written to, not replaced.
            let open = fs::OpenOptions::new().write(true).open(&file.path);
            open.and_then(|mut device| device.write_all(&file.bytes).and_then(|()| device.flush()))
                .map_err(failed)?;
        } else {
            let temporary = temporary(file, made).map_err(failed)?;
            staged.push(Staged { file, temporary });
        }
    }
    Ok(staged)
}

fn temporary(file: &Planned, made: &mut Made) -> std::io::Result<TempPath> {
    let folder = match file.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    make_folder(folder, made)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".port-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As a file made by `creat` would be; the umask still applies.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder)?;
    temporary.write_all(&file.bytes)?;
    temporary.as_file().sync_all()?;
    Ok(temporary.into_temp_path())
}

/// Makes a folder and those above it, remembering which are new.
fn make_folder(folder: &Path, made: &mut Made) -> std::io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => made.folders.push(folder.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn commit(staged: Vec<Staged<'_>>, force: bool, made: &mut Made) -> Result<(), String> {
    for Staged { file, temporary } in staged {
        // A link stays one: what it leads to is replaced.
        let path = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
        let new = fs::symlink_metadata(&path).is_err();
        let result = if force || file.replace {
            temporary.persist(&path)
        } else {
            // Between the check and here somebody may have made the file.
            temporary.persist_noclobber(&path)
        };
        result.map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => {
                format!("{} appeared meanwhile; it was left as it is", path.display())
            }
            _ => format!("cannot write {}: {}", path.display(), error.error),
        })?;
        if new {
            made.files.push(path);
        }
    }
    Ok(())
}

fn holds(file: &Planned) -> bool {
    let same_size =
        |metadata: fs::Metadata| metadata.is_file() && metadata.len() == file.bytes.len() as u64;
    fs::metadata(&file.path).is_ok_and(same_size)
        && fs::read(&file.path).is_ok_and(|bytes| bytes == file.bytes)
}

fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn is_input(path: &Path, inputs: &[PathBuf]) -> bool {
    let Ok(path) = fs::canonicalize(path) else { return false };
    inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(path: PathBuf, text: &str) -> Planned {
        Planned { path, bytes: text.as_bytes().to_vec(), replace: false }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_or_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        fs::write(root.join("file"), "x").expect("a file");
        // The second cannot be written: its folder is a file.
        let files =
            [planned(root.join("new/deep/a.hip"), "a"), planned(root.join("file/b.hip"), "b")];
        let error = write_all(&files, false, &[]).expect_err("a file is no folder");
        assert!(error.contains("b.hip") && error.contains("nothing was written"), "{error}");
        assert_eq!(names(root), ["file"]);
        write_all(&files[..1], false, &[]).expect("written");
        assert_eq!(fs::read_to_string(root.join("new/deep/a.hip")).expect("the file"), "a");
        assert_eq!(names(&root.join("new/deep")), ["a.hip"]);
    }

    #[test]
    fn inputs_are_never_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("k.cu");
        fs::write(&input, "mine").expect("a file");
        let other = folder.path().join("./k.cu");
        let error = write_all(&[planned(other, "port")], true, std::slice::from_ref(&input));
        assert!(error.expect_err("refused").contains("is an input"));
        assert_eq!(fs::read_to_string(&input).expect("still there"), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_devices_stay_devices() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        assert!(write_all(&[planned(link.clone(), "new")], false, &[]).is_err());
        write_all(&[planned(link.clone(), "new")], true, &[]).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("there"), "new");
        write_all(&[planned("/dev/null".into(), "text")], false, &[]).expect("a device takes all");
        let error = write_all(&[planned("/dev/full".into(), "text")], true, &[]);
        assert!(error.expect_err("full").contains("/dev/full"));
        assert!(is_device(Path::new("/dev/full")));
    }
}
