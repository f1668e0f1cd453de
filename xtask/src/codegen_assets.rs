//! Generates the lists of C++ files that `port-check` embeds: one entry for each file below a folder.

use std::path::Path;

/// (list, the folder that paths are relative to, folders of files below it).
const LISTS: [(&str, &str, &[&str]); 2] = [
    ("crates/check/src/oracle/assets.list", "crates/check/oracle", &["include", "src"]),
    ("crates/check/src/ascend/assets.list", "crates/check/ascend", &["include", "src"]),
];

/// Writes the lists, or with `check` compares them with what is there.
///
/// # Errors
/// A message that says what failed, or with `check` that a list is out of date.
pub fn run(check: bool) -> Result<(), String> {
    for (list, root, folders) in LISTS {
        let mut paths = Vec::new();
        for folder in folders {
            collect(&Path::new(root).join(folder), &mut paths)?;
        }
        paths.sort();
        let root_name = root.rsplit('/').next().unwrap_or(root);
        let mut text = "[\n".to_owned();
        for path in paths {
            let path = path.strip_prefix(&format!("{root}/")).unwrap_or(&path);
            text += &format!("    (\"{path}\", include_str!(\"../../{root_name}/{path}\")),\n");
        }
        text += "]\n";
        crate::codegen_api::write_or_compare(list, &text, check)?;
    }
    Ok(())
}

fn collect(folder: &Path, found: &mut Vec<String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
