//! The C++ runtime, embedded: the files under `oracle/`.

/// (path below the runtime's folder, text), sorted by path.
pub(super) const FILES: &[(&str, &str)] = &include!("assets.list");

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "compares with the folder")]
mod tests {
    use super::FILES;
    use std::path::Path;

    fn collect(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }

    #[test]
    fn every_file_of_the_runtime_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle");
        let mut found = Vec::new();
        collect(&root, &root, &mut found);
        found.sort();
        let mut listed: Vec<_> = FILES.iter().map(|(path, _)| path.to_string()).collect();
        listed.sort();
        assert_eq!(listed, found, "assets.list names the files under oracle/");
    }
}
