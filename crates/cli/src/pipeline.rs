//! What every command that ports does alike: options from flags, loading, porting on several threads.

use std::path::{Path, PathBuf};

use port::{Options, Severity, Target, Translation};

use crate::arguments::{CommonArguments, ReadingArguments};
use crate::load::{self, Input, LoadError, Unit};
use crate::parallel::{self, Settings};

/// A unit with its ports.
pub struct Ported {
    pub unit: Unit,
    /// One a target, in the order asked.
    pub translations: Vec<Translation>,
}

impl Ported {
    /// Whether something needs a person.
    pub fn has_errors(&self) -> bool {
        let mut all = self.translations.iter().flat_map(|t| &t.ported.diagnostics);
        all.any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// The pipeline's options from flags.
pub fn options(reading: &ReadingArguments, shared_folder: Option<String>) -> Options {
    let defines = reading.define.iter().map(|define| match define.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (define.clone(), "1".to_owned()),
    });
    Options {
        include_dirs: reading.include.iter().map(|folder| load::slashed(folder)).collect(),
        defines: defines.collect(),
        instantiate: reading.instantiate.clone(),
        warp: reading.warp,
        cuda_arch: reading.cuda_arch,
        shared_folder,
        float: reading.float,
        cann: reading.cann,
        project: reading.project,
        torch: reading.torch,
        specification: None,
    }
}

/// Each target once, in the order asked.
pub fn targets(asked: &[Target]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for target in asked {
        if !targets.iter().any(|known| known.to_string() == target.to_string()) {
            targets.push(*target);
        }
    }
    targets
}

/// Ports a unit; what is to be said about its files is among the findings of each target.
pub fn translate(unit: &Unit, targets: &[Target], options: &Options) -> Vec<Translation> {
    let asks = targets.iter().any(|target| target.backend.folder_suffix().is_some());
    let specification = asks.then(|| specification(unit)).flatten();
    let options = Options { specification, ..options.clone() };
    let mut translations = port::translate(&unit.sources, unit.root, targets, &options);
    for translation in &mut translations {
        let diagnostics = &mut translation.ported.diagnostics;
        diagnostics.extend(unit.findings.iter().cloned());
        port_diag::render::sort(&unit.sources, diagnostics);
    }
    translations
}

/// The text of the specification beside a unit's root, where there is one.
fn specification(unit: &Unit) -> Option<String> {
    let path = unit.real_path(unit.root).with_extension("toml");
    std::fs::read_to_string(path).ok()
}

/// Ports loaded units on several threads, with progress on a terminal. A defect of ours becomes that
/// unit's error. The result is in the order of the units.
pub fn port_all(
    loaded: Vec<Result<Unit, LoadError>>,
    targets: &[Target],
    options: &Options,
    common: &CommonArguments,
) -> Vec<Result<Ported, LoadError>> {
    let name = |unit: &Result<Unit, LoadError>| match unit {
        Ok(unit) => unit.sources.file(unit.root).path.to_string(),
        Err(error) => error.path.clone(),
    };
    let progress = |index: usize| loaded.get(index).map_or(String::new(), name);
    let results = parallel::map(&loaded, &settings(common, &progress), |unit| {
        unit.as_ref().ok().map(|unit| translate(unit, targets, options))
    });
    let mut ported = Vec::new();
    for (unit, result) in loaded.into_iter().zip(results) {
        ported.push(match result {
            Ok(translations) => {
                unit.map(|unit| Ported { unit, translations: translations.unwrap_or_default() })
            }
            Err(message) => Err(defect(name(&unit), &message)),
        });
    }
    ported
}

/// One text of a file for two units that want it: theirs where they agree, a generated file that
/// serves both where the back end can make one.
pub fn join(
    target: &Target,
    path: &Path,
    known: &[u8],
    text: &[u8],
    generated: bool,
) -> Option<Vec<u8>> {
    if known == text {
        return Some(text.to_vec());
    }
    let texts = [std::str::from_utf8(known).ok()?, std::str::from_utf8(text).ok()?];
    let name = path.file_name()?.to_string_lossy();
    let joined = generated.then(|| target.backend.merge_generated(&name, &texts)).flatten();
    joined.map(String::into_bytes)
}

/// Loads inputs, each with the headers in reach.
pub fn load_all(
    inputs: &[Input],
    include: &[PathBuf],
    common: &CommonArguments,
) -> Vec<Result<Unit, LoadError>> {
    let settings = Settings { jobs: common.jobs, progress: None };
    let results = parallel::map(inputs, &settings, |input| load::load(input, include));
    let named = |(input, result): (&Input, Result<Result<Unit, LoadError>, String>)| {
        result.unwrap_or_else(|message| Err(defect(input.name(), &message)))
    };
    inputs.iter().zip(results).map(named).collect()
}

/// How threads of a command work.
pub fn settings<'a>(
    common: &CommonArguments,
    progress: &'a (dyn Fn(usize) -> String + Sync),
) -> Settings<'a> {
    Settings { jobs: common.jobs, progress: (!common.quiet).then_some(progress) }
}

/// What is said of an input on which `port` itself fails.
pub fn defect(path: String, message: &str) -> LoadError {
    let reason = format!(
        "internal error: {message}; this is a defect of port, please report it with the file"
    );
    LoadError { path, reason }
}
