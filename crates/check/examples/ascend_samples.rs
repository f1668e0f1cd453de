//! Public Ascend C against the model of its API: each sample is built and run as its README says, with
//! the model in the place of CMake and the chip. `cargo xtask external ascend` runs it.
//!
//! Arguments: the folder of the samples, what their paths have to contain, and for how many seconds
//! samples are begun. The end is a table: how many are right, and why the others are not.

#![allow(clippy::disallowed_methods, reason = "it reads samples and runs them")]
#![allow(clippy::print_stdout, reason = "it reports to a terminal")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use port_check::ascend::{self, Model, Violation};
use port_check::oracle::{Language, OracleError, Source};
use port_check::toolchain::Toolchain;

/// Longest time of a command of a sample.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A sample: a folder with a README, and one Ascend C file with a `main`.
struct Sample {
    folder: PathBuf,
    name: String,
    root: String,
    commands: Vec<String>,
    defines: Vec<(String, String)>,
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, filter, seconds] = &arguments[..] else {
        return Err("usage: ascend_samples FOLDER FILTER SECONDS".into());
    };
    let seconds = seconds.parse().map_err(|_| format!("`{seconds}` is no number of seconds"))?;
    let path = Path::new(path);
    let mut samples = Vec::new();
    find(path, path, &mut samples)?;
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples.retain(|sample| sample.name.contains(filter.as_str()));
    let model = Model::new(&Toolchain::discover()).map_err(|error| error.to_string())?;
    let start = Instant::now();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for sample in &samples {
        if start.elapsed() > Duration::from_secs(seconds) {
            *counts.entry("not tried: no time is left".into()).or_default() += 1;
            continue;
        }
        let kind = match attempt(sample, &model) {
            Ok(()) => {
                println!("pass  {}", sample.name);
                RIGHT.to_owned()
            }
            Err(Failure { kind, why }) => {
                let why = why.trim_end().replace('\n', "\n      ");
                println!("fail  {}: {kind}: {why}", sample.name);
                kind
            }
        };
        *counts.entry(kind).or_default() += 1;
    }
    println!();
    for (kind, count) in &counts {
        println!("{count:>5}  {kind}");
    }
    let right = counts.get(RIGHT).copied().unwrap_or(0);
    println!("{right} of {} samples are right", samples.len());
    match samples.len() {
        0 => Err(format!("no sample in {}", path.display())),
        all if all == right => Ok(()),
        all => Err(format!("{} samples are not", all - right)),
    }
}

/// What a sample is that compiles, ends, passes its own checks and breaks no rule.
const RIGHT: &str = "right";

/// Why a sample is not: a kind to count, and what was said.
struct Failure {
    kind: String,
    why: String,
}

impl Failure {
    fn new(kind: &str, why: impl Into<String>) -> Failure {
        Failure { kind: kind.to_owned(), why: why.into() }
    }
}

fn find(folder: &Path, base: &Path, samples: &mut Vec<Sample>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    let has_main = |path: &&PathBuf| {
        path.extension() == Some(OsStr::new("asc"))
            && fs::read_to_string(path).is_ok_and(|text| text.contains(" main("))
    };
    let roots: Vec<&PathBuf> = entries.iter().filter(has_main).collect();
    if let [root] = roots[..] {
        let readme = ["README_en.md", "README.md"].iter().map(|name| folder.join(name));
        let readme = readme.filter_map(|path| fs::read_to_string(path).ok()).next();
        let (commands, defines) = commands(&readme.unwrap_or_default());
        let name = folder.strip_prefix(base).unwrap_or(folder).to_string_lossy().into_owned();
        let root = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        samples.push(Sample { folder: folder.to_owned(), name, root, commands, defines });
    }
    for folder in entries.iter().filter(|path| path.is_dir()) {
        find(folder, base, samples)?;
    }
    Ok(())
}

/// The commands of a README's first block that builds and runs, in order, and the macros that it gives
/// CMake.
fn commands(readme: &str) -> (Vec<String>, Vec<(String, String)>) {
    let blocks = readme.split("```").skip(1).step_by(2);
    let mut blocks = blocks.filter(|block| block.contains("cmake") && block.contains("./"));
    let (mut commands, mut defines) = (Vec::new(), Vec::new());
    let mut variables: Vec<(String, String)> = Vec::new();
    for line in blocks.next().unwrap_or_default().lines() {
        let mut line = line.split(" #").next().unwrap_or(line).trim().to_owned();
        if let Some((name, value)) = line.split_once('=')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            variables.push((format!("${name}"), value.to_owned()));
            continue;
        }
        for (name, value) in &variables {
            line = line.replace(name, value);
        }
        for command in line.split([';', '&']).map(str::trim).filter(|command| !command.is_empty()) {
            if command.starts_with("cmake") {
                let words = command.split_whitespace().filter_map(|word| word.strip_prefix("-D"));
                let pairs = words.filter_map(|word| word.split_once('='));
                defines.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            } else if command.starts_with("python3") || command.starts_with("./") {
                commands.push(command.to_owned());
            }
        }
    }
    (commands, defines)
}

fn attempt(sample: &Sample, model: &Model) -> Result<(), Failure> {
    let io = |error: std::io::Error| Failure::new("files", error.to_string());
    let work = tempfile::tempdir().map_err(io)?;
    copy(&sample.folder, work.path()).map_err(io)?;
    let build = work.path().join("build");
    fs::create_dir_all(&build).map_err(io)?;

    let mut source = Source::new(Language::Ascend, "", "");
    source.files.clear();
    texts(work.path(), work.path(), &mut source.files).map_err(io)?;
    source.files.sort_by_key(|(path, _)| *path != sample.root);
    let mut chip = "2201";
    for (name, value) in &sample.defines {
        match name.as_str() {
            "CMAKE_ASC_ARCHITECTURES" if value.contains("3510") => chip = "3510",
            _ if name.starts_with("CMAKE") => {}
            _ => source = source.with_define(name, value),
        }
    }
    let source = source.with_define("__NPU_ARCH__", chip);
    let program = match model.build_program(&source) {
        Ok(program) => program,
        Err(OracleError::Compile { output, .. }) => {
            let errors = output.lines().filter(|line| line.contains("error")).take(3);
            let why = errors.collect::<Vec<_>>().join("\n");
            return Err(Failure::new("does not compile", why));
        }
        Err(error) => return Err(Failure::new("does not link", error.to_string())),
    };
    let report = work.path().join("report.json");
    let own = ["./demo".to_owned()];
    let commands = if sample.commands.is_empty() { &own[..] } else { &sample.commands };
    for command in commands {
        let mut words = command.split_whitespace();
        let name = words.next().unwrap_or_default();
        let mut process = match name {
            "python3" => Command::new("python3"),
            _ => Command::new(program.path()),
        };
        process.args(words).current_dir(&build).env(ascend::REPORT_VARIABLE, &report);
        let said = end_of(process, work.path()).map_err(|why| match name {
            "python3" => Failure::new("its own Python ends", why),
            _ => match ascend::read_report(&report) {
                Ok(cost) if !cost.violations.is_empty() => broken(&cost.violations[0]),
                _ => Failure::new("does not end well", why),
            },
        })?;
        let words = said.to_lowercase();
        // The samples' own checks end with 0 whatever they find.
        if words.contains("fail") || (command.contains("verify") && !words.contains("pass")) {
            let why = format!("`{command}` says: {}", last_lines(&said));
            return Err(Failure::new("is wrong by its own check", why));
        }
    }
    let cost = ascend::read_report(&report);
    let cost = cost.map_err(|error| Failure::new("files", error.to_string()))?;
    match cost.violations.first() {
        Some(violation) => Err(broken(violation)),
        None if cost.launches.is_empty() => Err(Failure::new("launches nothing", "no kernel")),
        None => Ok(()),
    }
}

fn broken(violation: &Violation) -> Failure {
    Failure::new(&format!("breaks `{}`", violation.rule), violation.to_string())
}

/// Runs a command to its end; what it printed.
fn end_of(mut command: Command, folder: &Path) -> Result<String, String> {
    let io = |error: std::io::Error| error.to_string();
    let path = folder.join("said");
    let file = fs::File::create(&path).map_err(io)?;
    command.stdin(Stdio::null()).stderr(file.try_clone().map_err(io)?).stdout(file);
    let mut child = command.spawn().map_err(io)?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(io)? {
            break status;
        }
        if start.elapsed() > TIME_LIMIT {
            child.kill().and_then(|()| child.wait()).map_err(io)?;
            return Err(format!("no end after {} s", TIME_LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let said = String::from_utf8_lossy(&fs::read(&path).map_err(io)?).into_owned();
    match status.success() {
        true => Ok(said),
        false => Err(format!("{status}: {}", last_lines(&said))),
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(4)..].join("\n")
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

/// (path below the base, text) of the C++ files below a folder.
fn texts(folder: &Path, base: &Path, found: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            texts(&path, base, found)?;
            continue;
        }
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if ["asc", "cpp", "h", "hpp"].contains(&extension) {
            let name = path.strip_prefix(base).unwrap_or(&path).to_string_lossy().into_owned();
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            found.push((name, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn commands_are_those_of_the_readme() {
        let readme = "x\n```bash\nsource a\n```\ny\n  ```bash\n  N=1\n  mkdir -p build && cd build;\n  cmake \
                      -DN=$N -DCMAKE_ASC_ARCHITECTURES=dav-2201 ..;make -j; # x\n  python3 ../g.py 1\n  \
                      ./demo\n  python3 ../v.py a b   # verify\n  ```\n";
        let (commands, defines) = super::commands(readme);
        assert_eq!(commands, ["python3 ../g.py 1", "./demo", "python3 ../v.py a b"]);
        assert_eq!(defines.len(), 2);
    }
}
