//! What `run` and `check` work on: a source, a launch on data (from flags or a spec), and the kernels
//! as code for the machine.

use std::path::Path;

use port::{DeviceCode, Dialect, FileId, Options, Severity, WarpMode};
use port_check::inline::{self, InlineError, InlineLaunch, InlineParameter};
use port_check::machine_findings::ArgumentMismatch;
use port_check::{Case, ParameterSet, Spec, arguments, machine};
use port_diag::{Diagnostic, Finding, SourceMap};
use port_float::{Profile, Side};
use port_ir::Type;

use crate::arguments::{CommonArguments, DataArguments, MessageFormat, ReadingArguments};
use crate::load::{self, Input, Unit};
use crate::{pipeline, report};

/// Instructions after which a run is taken to have no end.
pub const DEFAULT_FUEL: u64 = 2_000_000_000;

/// A source with something to launch.
pub struct Subject {
    pub unit: Unit,
    /// The unit's own files; its sources also hold the spec, or the flags.
    pub files: Vec<FileId>,
    pub options: Options,
    pub code: DeviceCode,
    pub spec: Spec,
    pub case: Case,
}

/// Why there is no subject.
pub enum Refusal {
    /// Wrong usage, or a file that cannot be read.
    Usage(String),
    /// Findings, with the sources that they point at.
    Findings(Box<SourceMap>, Vec<Diagnostic>),
}

impl From<String> for Refusal {
    fn from(message: String) -> Refusal {
        Refusal::Usage(message)
    }
}

/// A profile by name.
pub fn profile(name: &str) -> Result<Profile, String> {
    Profile::named(name).map_err(|error| {
        format!("--profile: {error}\nthe profiles are: {}", Profile::names().join(", "))
    })
}

/// The profile with the warps that a port runs with: 32 lanes on any hardware unless asked otherwise.
pub fn with_warps(profile: &Profile, warp: WarpMode) -> Profile {
    match warp {
        WarpMode::Logical32 => profile.with_warp_width(32),
        WarpMode::Native => profile.clone(),
    }
}

/// Options for reading, with the compute capability of a CUDA profile where none was asked for.
pub fn options(reading: &ReadingArguments, profile: &Profile) -> Options {
    let mut options = pipeline::options(reading, None);
    if let Side::Cuda(arch) = profile.side()
        && reading.cuda_arch == crate::arguments::DEFAULT_CUDA_ARCH
    {
        options.cuda_arch = arch;
    }
    options
}

/// The source file, with the headers in reach.
pub fn load_unit(input: &Path, reading: &ReadingArguments) -> Result<Unit, String> {
    let input = Input { path: input.to_owned(), folder: None };
    load::load(&input, &reading.include).map_err(|error| error.to_string())
}

impl Subject {
    /// Reads the source, and the launch that flags or a spec give.
    pub fn load(
        input: &Path,
        reading: &ReadingArguments,
        data: &DataArguments,
        profile: &Profile,
    ) -> Result<Subject, Refusal> {
        let mut unit = load_unit(input, reading)?;
        let options = options(reading, profile);
        let files: Vec<FileId> = unit.sources.ids().collect();
        let set = parameter_set(&data.set)?;
        if data.spec.is_none() && data.grid.is_some() {
            return Subject::inline(unit, files, options, data);
        }
        let path = match &data.spec {
            Some(path) => path.clone(),
            None => input.with_extension("toml"),
        };
        if data.spec.is_none() && !path.is_file() {
            return Err(Refusal::Usage(format!(
                "nothing says what to launch: give --kernel, --grid, --block and --arg, or a spec ({} does not exist; `port check {} --init` writes one)",
                path.display(),
                input.display()
            )));
        }
        let flags = [
            (data.block.is_some(), "--block"),
            (data.shared.is_some(), "--shared"),
            (!data.arguments.is_empty(), "--arg"),
            (!data.symbols.is_empty(), "--symbol"),
        ];
        if let Some((_, flag)) = flags.iter().find(|(given, _)| *given) {
            let reason = match &data.spec {
                Some(_) => "a spec has launches of its own",
                None => "a launch of your own needs --grid too",
            };
            return Err(Refusal::Usage(format!("{flag}: {reason}")));
        }
        let spec = Spec::load(&path, &mut unit.sources)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let mut spec = match spec {
            Ok(spec) => spec,
            Err(findings) => return Err(refused(unit, findings)),
        };
        if let Some(asked) = &data.kernel {
            let known: Vec<String> = spec.launches.iter().map(|l| l.kernel.clone()).collect();
            spec.launches.retain(|launch| {
                report::names_kernel(std::slice::from_ref(asked), &launch.kernel)
                    || launch.kernel.replace(' ', "") == asked.replace(' ', "")
            });
            if spec.launches.is_empty() {
                let message = format!(
                    "{} launches no kernel `{asked}`; it launches: {}",
                    path.display(),
                    known.join(", ")
                );
                return Err(Refusal::Usage(message));
            }
        }
        let case = match spec.case(&set) {
            Ok(case) => case,
            Err(findings) => return Err(refused(unit, findings)),
        };
        let kernels: Vec<String> = spec.launches.iter().map(|l| l.kernel.clone()).collect();
        let code = port::device_code(&unit.sources, unit.root, &options, Dialect::Cuda, &kernels);
        Ok(Subject { unit, files, options, code, spec, case })
    }

    fn inline(
        mut unit: Unit,
        files: Vec<FileId>,
        options: Options,
        data: &DataArguments,
    ) -> Result<Subject, Refusal> {
        let need = |flag: &str| format!("a launch needs {flag}");
        let kernel = data.kernel.clone().ok_or_else(|| need("--kernel"))?;
        let grid = data.grid.clone().ok_or_else(|| need("--grid"))?;
        let block = data.block.clone().ok_or_else(|| need("--block"))?;
        let set = parameter_set(&data.set)?;
        if let Some((name, _)) = set.values.first() {
            return Err(Refusal::Usage(format!("--set {name}: only a spec has integers to set")));
        }
        let kernels = [kernel.clone()];
        let code = port::device_code(&unit.sources, unit.root, &options, Dialect::Cuda, &kernels);
        let (found, function) = match machine::find_kernel(&code, &kernel) {
            Ok((found, handle)) => (found, &code.module.functions[handle]),
            Err(findings) => return Err(refused(unit, findings)),
        };
        let types = &code.module.types;
        let parameters: Vec<InlineParameter> = function
            .parameters
            .iter()
            .enumerate()
            .map(|(index, parameter)| InlineParameter {
                name: match parameter.name.as_str() {
                    "" => (index + 1).to_string(),
                    name => name.to_owned(),
                },
                pointer: matches!(parameter.ty, Type::Pointer(_)),
                dtype: parameter.pointee.and_then(Type::scalar).map(arguments::dtype_of),
                read_only: parameter.attributes.read_only,
            })
            .collect();
        let split = |pairs: &[String], flag: &str| -> Result<Vec<(String, String)>, String> {
            let pair = |text: &String| {
                let (name, value) = text
                    .split_once('=')
                    .ok_or_else(|| format!("{flag} {text}: write NAME=VALUE"))?;
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            };
            pairs.iter().map(pair).collect()
        };
        let launch = InlineLaunch {
            kernel,
            grid,
            block,
            shared: data.shared.clone().unwrap_or_default(),
            arguments: split(&data.arguments, "--arg")?,
            symbols: split(&data.symbols, "--symbol")?,
        };
        let spec = match inline::spec(&mut unit.sources, &launch, &parameters) {
            Ok(spec) => spec,
            Err(InlineError::Mismatch(problem)) => {
                let parameters = arguments::signature(types, function);
                let kernel = found.name.clone();
                let finding = ArgumentMismatch { kernel, problem, parameters };
                return Err(refused(unit, vec![finding.nowhere()]));
            }
            Err(InlineError::Bad(findings)) => return Err(refused(unit, findings)),
        };
        match spec.case(&ParameterSet::default()) {
            Ok(case) => Ok(Subject { unit, files, options, code, spec, case }),
            Err(findings) => Err(refused(unit, findings)),
        }
    }
}

fn refused(unit: Unit, findings: Vec<Diagnostic>) -> Refusal {
    Refusal::Findings(Box::new(unit.sources), findings)
}

fn parameter_set(texts: &[String]) -> Result<ParameterSet, String> {
    let mut set = ParameterSet::default();
    for text in texts {
        let value = text.split_once('=').and_then(|(name, value)| {
            Some((name.trim().to_owned(), value.trim().parse::<i64>().ok()?))
        });
        set.values.push(value.ok_or_else(|| format!("--set {text}: write NAME=INTEGER"))?);
    }
    Ok(set)
}

/// Prints findings in the asked format; JSON is the caller's document.
pub fn show(
    sources: &SourceMap,
    findings: &[Diagnostic],
    common: &CommonArguments,
) -> Result<(), String> {
    match common.message_format {
        MessageFormat::Json => Ok(()),
        _ => report::print_findings(sources, findings, common),
    }
}

/// Whether something needs a person.
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
