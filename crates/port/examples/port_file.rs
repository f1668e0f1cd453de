//! Ports one file with its quoted headers, without the command line's care for what it overwrites:
//! `port_file TARGET INPUT FOLDER [-I DIR]…`. Prints the status of each kernel and the findings.

#![allow(clippy::disallowed_methods, reason = "an example that reads and writes files")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use port::{FileRole, Options, SourceMap, Target};

fn load(sources: &mut SourceMap, seen: &mut BTreeSet<PathBuf>, path: &Path, folders: &[PathBuf]) {
    if !seen.insert(path.to_path_buf()) {
        return;
    }
    let Ok(bytes) = std::fs::read(path) else { return };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let requests = port::include_requests(&text);
    sources.add(&path.to_string_lossy(), text.as_str());
    let own = path.parent().map(Path::to_path_buf).unwrap_or_default();
    for request in requests {
        for folder in std::iter::once(&own).chain(folders) {
            let candidate = folder.join(&request.name);
            if candidate.is_file() {
                load(sources, seen, &candidate, folders);
                break;
            }
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(target), Some(input), Some(folder)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: port_file TARGET INPUT FOLDER [-I DIR]...");
        std::process::exit(2);
    };
    let folders: Vec<PathBuf> = arguments.filter(|a| a != "-I").map(PathBuf::from).collect();
    let target: Target = target.parse().expect("a target");
    let mut sources = SourceMap::new();
    let input = PathBuf::from(input);
    load(&mut sources, &mut BTreeSet::new(), &input, &folders);
    let root = port::FileId(0);
    let include_dirs = folders.iter().map(|folder| folder.to_string_lossy().into_owned()).collect();
    let options = Options { include_dirs, ..Options::default() };
    let Some(translation) = port::translate(&sources, root, &[target], &options).pop() else {
        return;
    };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let base = input.parent().map(Path::to_path_buf).unwrap_or_default();
    for file in &translation.ported.files {
        let name = match file.role {
            FileRole::Root => Path::new(input.file_name().unwrap_or_default())
                .with_extension(target.backend.extension()),
            FileRole::Header(id) => {
                let path = Path::new(&*sources.file(id).path);
                if target.backend.folder_suffix().is_some() {
                    let root = &sources.file(root).path;
                    let place = folder.join(port::in_folder(root, &path.to_string_lossy()));
                    std::fs::create_dir_all(place.parent().unwrap_or(&folder)).expect("a folder");
                    std::fs::write(place, &file.text).expect("a file");
                    continue;
                }
                let relative = path.strip_prefix(&base).unwrap_or(path);
                // Nothing outside the folder.
                relative
                    .components()
                    .filter(|c| matches!(c, std::path::Component::Normal(_)))
                    .collect()
            }
            FileRole::Generated(name) => PathBuf::from(name),
        };
        let place = folder.join(name);
        std::fs::create_dir_all(place.parent().unwrap_or(&folder)).expect("a folder");
        std::fs::write(place, &file.text).expect("a file");
    }
    for kernel in &translation.ported.kernels {
        println!(
            "{} {}{} {:?}",
            kernel.status.as_str(),
            kernel.name,
            kernel.instance,
            kernel.codes
        );
    }
    for finding in &translation.ported.diagnostics {
        let at = finding.primary.as_ref().map_or(String::new(), |label| {
            let file = sources.file(label.span.file);
            format!("{}:{}: ", file.path, file.line_column(label.span.start).line)
        });
        println!("{at}{} {:?}: {}", finding.code, finding.severity, finding.message);
    }
}
