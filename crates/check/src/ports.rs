//! Running what a port emits: its files as they are, compiled by the machine's C++ compiler, and HIP
//! read back by the front end. What cannot be done is said, and why.

use std::path::PathBuf;
use std::time::Duration;

use port::{DeviceCode, Dialect, FileRole, Options, Translation};
use port_diag::{FileId, SourceMap};

use crate::cpu::{Compiler, Flavour};
use crate::judge::{EvidenceNote, Executed};
use crate::oracle::{Language, Oracle, OracleError, RunOptions, Source};
use crate::spec::{Case, Spec};
use crate::toolchain::Toolchain;

/// A unit with one of its ports.
pub struct PortedUnit<'a> {
    /// The files.
    pub sources: &'a SourceMap,
    /// Those of them that are the unit's own: the root and its headers.
    pub files: &'a [FileId],
    /// The root.
    pub root: FileId,
    /// The port.
    pub translation: &'a Translation,
    /// How the unit was read.
    pub options: &'a Options,
    /// What is launched.
    pub spec: &'a Spec,
    /// On which data.
    pub case: &'a Case,
    /// Longest time of each run.
    pub time_limit: Duration,
}

/// Evidence, or why there is none.
pub type Attempt = Result<Executed, EvidenceNote>;

impl PortedUnit<'_> {
    /// The unit as it is.
    fn original(&self) -> Source {
        let file = |id: FileId| self.sources.file(id);
        let mut source = Source::new(Language::Cuda, &file(self.root).path, &file(self.root).text);
        for id in self.files.iter().filter(|id| **id != self.root) {
            source = source.with_file(&file(*id).path, &file(*id).text);
        }
        self.with_options(source)
    }

    fn with_options(&self, mut source: Source) -> Source {
        for (name, value) in &self.options.defines {
            source = source.with_define(name, value);
        }
        for folder in &self.options.include_dirs {
            source = source.with_include_directory(folder);
        }
        source
    }

    fn emitted(&self, extension: &str) -> Vec<(String, String)> {
        emitted(self.sources, self.files, self.root, self.translation, extension)
    }

    fn source(&self, language: Language, extension: &str) -> Option<Source> {
        let mut files = self.emitted(extension).into_iter();
        let (path, text) = files.next()?;
        let mut source = Source::new(language, &path, &text);
        source.files.extend(files);
        Some(self.with_options(source))
    }

    /// The spec names instances as the CUDA text does; names that HIP spells otherwise.
    fn renames(&self) -> Vec<(String, &'static str)> {
        renames(self.spec, port::hip_name)
    }

    fn run_options(&self, warp: u32) -> RunOptions {
        RunOptions { warp, time_limit: self.time_limit, ..RunOptions::default() }
    }

    /// The CPU port, compiled and run. Its reference is the machine under the target's arithmetic, of
    /// this name.
    pub fn executed_on_cpu(&self, profile: &str) -> Attempt {
        let what = "the port, compiled with the system's C++ compiler";
        let build = || -> Result<_, OracleError> {
            let compiler =
                Compiler::new(Flavour::Gnu).or_else(|_| Compiler::new(Flavour::Clang))?;
            let source = self.source(Language::Cpu, "cpp").ok_or_else(no_root)?;
            compiler.build(&source, self.spec)
        };
        let program = build().map_err(|error| note(what, &error))?;
        let port = program.run(self.case, &self.run_options(32));
        let port = port.map_err(|error| ended(what, &error))?;
        let how = format!("the compiled port against the machine under `{profile}`");
        Ok(Executed { how, reference: None, port, is_target: true, reordered: false })
    }

    /// The Ascend port on the model of the chip. Its reference is the machine under the target's
    /// arithmetic; sums may be in another order, and the bits of functions are not public. Rules of
    /// the chip that it breaks end it.
    pub fn executed_on_ascend(&self) -> Attempt {
        let what =
            "the port, compiled with the system's C++ compiler against the model of the chip";
        let prepare = || -> Result<_, OracleError> {
            let model = crate::ascend::Model::new(&Toolchain::discover())?;
            let source = self.source(Language::Ascend, "asc").ok_or_else(no_root)?;
            let renames = renames(self.spec, port::ascend_name);
            let source =
                renames.iter().fold(source, |source, (from, to)| source.with_rename(from, to));
            // Whether threads meet without a barrier only their accesses tell.
            let program = model
                .build_watching_threads(&source, self.spec)
                .or_else(|_| model.build(&source, self.spec))?;
            Ok((model, source, program))
        };
        let (model, source, program) = prepare().map_err(|error| note(what, &error))?;
        let options = self.run_options(32);
        let run = program.run(self.case, &options).or_else(|_| {
            // Watching takes its time, which the run itself may need.
            model.build(&source, self.spec)?.run(self.case, &options)
        });
        let run = run.map_err(|error| ended(what, &error))?;
        if let Some(broken) = run.violations.first() {
            let why = format!("a rule of the chip is broken: {broken}");
            return Err(EvidenceNote { stopped: true, ..EvidenceNote::missing(what, why) });
        }
        let target = self.translation.target;
        let how = format!("the port on the model of the chip against the machine under `{target}`");
        Ok(Executed { how, reference: None, port: run.result, is_target: true, reordered: true })
    }

    /// The Ascend port, read with the headers of a CANN release; what they do not accept.
    pub fn read_with_headers(&self, headers: &crate::ascend::Headers) -> Result<(), EvidenceNote> {
        let what = format!("the port, read with the headers of {}", headers.home().display());
        let check = || -> Result<_, OracleError> {
            headers.check(&self.source(Language::Ascend, "asc").ok_or_else(no_root)?)
        };
        let errors = check().map_err(|error| note(&what, &error))?;
        let Some(first) = errors.first() else { return Ok(()) };
        let more = match errors.len() {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        let why = format!("the headers do not accept it: {first}{more}");
        Err(EvidenceNote { stopped: true, ..EvidenceNote::missing(what, why) })
    }

    /// The original and the HIP port, both compiled against the fiber runtime and run: the same
    /// arithmetic, that of this machine.
    pub fn executed_as_hip(&self, wave: u32) -> Attempt {
        let what = "both texts, compiled with the system's C++ compiler";
        let build = || -> Result<_, OracleError> {
            let oracle = Oracle::new(&Toolchain::discover())?;
            let mut ported = self.source(Language::Hip, "hip").ok_or_else(no_root)?;
            for (from, to) in self.renames() {
                ported = ported.with_rename(&from, to);
            }
            let original = oracle.build(&self.original(), self.spec)?;
            let reference = original.run(self.case, &self.run_options(32))?;
            Ok((reference, oracle.build(&ported, self.spec)?))
        };
        let (reference, program) = build().map_err(|error| note(what, &error))?;
        let port = program.run(self.case, &self.run_options(wave));
        let port = port.map_err(|error| ended(what, &error))?;
        let how = format!("both texts on the fiber runtime, the port with waves of {wave}");
        Ok(Executed { how, reference: Some(reference), port, is_target: false, reordered: false })
    }

    /// The HIP port as kernels, read back under the target's macros. The error says what in it the
    /// front end does not read.
    pub fn read_back(&self) -> Result<DeviceCode, EvidenceNote> {
        self.read_back_with_sources().map(|(code, _)| code)
    }

    /// As [`PortedUnit::read_back`], with the port's own files.
    pub fn read_back_with_sources(&self) -> Result<(DeviceCode, SourceMap), EvidenceNote> {
        let missing =
            |reason: String| EvidenceNote::missing("the port, read back by the front end", reason);
        let mut sources = SourceMap::new();
        let mut root = None;
        for (path, text) in self.emitted("hip") {
            let id = sources.add(&path, &text);
            root.get_or_insert(id);
        }
        let root = root.ok_or_else(|| missing("the port has no root".into()))?;
        let renames = self.renames();
        let renamed = |text: &str| {
            let mut out = String::new();
            let mut rest = text;
            while !rest.is_empty() {
                let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (name, tail) = rest.split_at(word);
                let form = renames.iter().find(|(from, _)| from == name);
                out.push_str(form.map_or(name, |(_, to)| to));
                let other = tail.find(is_word).unwrap_or(tail.len());
                out.push_str(&tail[..other]);
                rest = &tail[other..];
            }
            out
        };
        let kernels: Vec<String> =
            self.spec.launches.iter().map(|launch| launch.kernel.clone()).collect();
        let asked: Vec<String> = kernels.iter().map(|kernel| renamed(kernel)).collect();
        let mut code = port::device_code(&sources, root, self.options, Dialect::Hip, &asked);
        // Launches go on naming instances as the CUDA text does.
        for (kernel, asked) in kernels.iter().zip(&asked).filter(|(kernel, asked)| kernel != asked)
        {
            for known in code.kernels.iter_mut().filter(|known| known.asked_as.contains(asked)) {
                known.asked_as.push(kernel.clone());
            }
        }
        for kernel in &kernels {
            if let Err(findings) = crate::machine::find_kernel(&code, kernel) {
                let first = findings.first().map(|f| format!("{}: {}", f.code, f.message));
                return Err(missing(first.unwrap_or_else(|| "a kernel is missing".into())));
            }
        }
        Ok((code, sources))
    }
}

/// Words in the names of a spec's kernels that a target spells otherwise, with its spelling.
pub fn renames(
    spec: &Spec,
    name: impl Fn(&str) -> Option<&'static str>,
) -> Vec<(String, &'static str)> {
    let mut renames: Vec<(String, &'static str)> = Vec::new();
    for word in spec.launches.iter().flat_map(|launch| words(&launch.kernel)) {
        if let Some(form) = name(word).filter(|form| *form != word)
            && !renames.iter().any(|(known, _)| known == word)
        {
            renames.push((word.to_owned(), form));
        }
    }
    renames
}

/// (path, text) of a port: its root first, then its other files and the unit's headers (`unit` are the
/// unit's own files) that stay as they are.
pub fn emitted(
    sources: &SourceMap,
    unit: &[FileId],
    root: FileId,
    translation: &Translation,
    extension: &str,
) -> Vec<(String, String)> {
    let root_path = &*sources.file(root).path;
    let root_file = PathBuf::from(root_path);
    // A port that is a folder has all files in it; it is compiled there.
    let is_folder = translation.target.backend.folder_suffix().is_some();
    let place = |path: &str| match is_folder {
        true => port::in_folder(root_path, path),
        false => path.to_owned(),
    };
    let files = &translation.ported.files;
    let mut emitted: Vec<(String, String)> = Vec::new();
    for file in files {
        let path = match file.role {
            FileRole::Root => place(&root_file.with_extension(extension).to_string_lossy()),
            FileRole::Header(id) => place(&sources.file(id).path),
            FileRole::Generated(name) if is_folder => name.to_owned(),
            FileRole::Generated(name) => {
                root_file.with_file_name(name).to_string_lossy().into_owned()
            }
        };
        emitted.push((path, file.text.clone()));
    }
    for id in unit {
        let ported = files.iter().any(|file| file.role == FileRole::Header(*id));
        if *id != root && !ported {
            let file = sources.file(*id);
            emitted.push((place(&file.path), file.text.to_string()));
        }
    }
    emitted
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

fn no_root() -> OracleError {
    OracleError::Io("the port has no root".into())
}

fn note(what: &str, error: &OracleError) -> EvidenceNote {
    EvidenceNote::missing(what, error.finding().message)
}

/// Why a port's run gave nothing. Limits of time and memory are ours, what the runtime lacks too; an
/// address or a barrier is the port's.
fn ended(what: &str, error: &OracleError) -> EvidenceNote {
    const OURS: [&str; 6] =
        ["time-limit", "memory-limit", "unsupported", "argument", "invalid-launch", "io"];
    let stopped = matches!(error, OracleError::Run { kind, .. } if !OURS.contains(&&**kind));
    EvidenceNote { stopped, ..note(what, error) }
}
