//! The C++ runtime, embedded: the files under `oracle/`.

/// (path below the runtime's folder, text), sorted by path.
pub(super) const FILES: &[(&str, &str)] = &include!("assets.list");

/// The paths of the files below a folder, relative to a root, sorted.
#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "compares with the folder")]
pub(crate) fn files_below(folder: &std::path::Path, root: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, root));
        } else {
            found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::{FILES, files_below};
    use std::path::Path;

    #[test]
    fn every_file_of_the_runtime_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle");
        let mut listed: Vec<_> = FILES.iter().map(|(path, _)| path.to_string()).collect();
        listed.sort();
        let found = files_below(&root, &root);
        assert_eq!(listed, found, "assets.list names the files under oracle/");
    }
}
