//! Writes outputs: each file appears whole or not at all, and no file of the user's is overwritten
//! unasked.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file to write.
pub struct Planned {
    pub path: PathBuf,
    pub text: String,
    /// It extends a file of ours: overwriting that one loses nothing.
    pub replace: bool,
}

/// Writes all files. Before the first is written, every target is checked, so that a refusal leaves
/// nothing half done. A file that already holds exactly this text is left alone.
pub fn write_all(files: &[Planned], force: bool) -> Result<(), String> {
    if !force {
        let taken: Vec<String> = files
            .iter()
            .filter(|file| !file.replace && file.path.exists() && !holds(&file.path, &file.text))
            .map(|file| file.path.display().to_string())
            .collect();
        if !taken.is_empty() {
            return Err(format!(
                "{} exists and differs; nothing was written. Use `--force` to overwrite, or `-o` for another place",
                taken.join(", ")
            ));
        }
    }
    for file in files {
        write(file, force)
            .map_err(|error| format!("cannot write {}: {error}", file.path.display()))?;
    }
    Ok(())
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes())
}

fn write(file: &Planned, force: bool) -> std::io::Result<()> {
    if holds(&file.path, &file.text) {
        return Ok(());
    }
    let folder = match file.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".port-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As a file made by `creat` would be; the umask still applies.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder)?;
    temporary.write_all(file.text.as_bytes())?;
    temporary.as_file().sync_all()?;
    if force || file.replace {
        temporary.persist(&file.path).map_err(|error| error.error)?;
    } else {
        // Between the check and here somebody may have made the file.
        temporary.persist_noclobber(&file.path).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => {
                std::io::Error::new(ErrorKind::AlreadyExists, "it appeared meanwhile")
            }
            _ => error.error,
        })?;
    }
    Ok(())
}
