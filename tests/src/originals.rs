//! What the originals compute: the kernels of `kernels/` on the fiber oracle, and how another way to run
//! them is compared with it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use port_check::oracle::{Language, Oracle, Order, RunOptions, RunResult, Source};
use port_check::toolchain::Toolchain;
use port_check::{Case, Spec, metrics};
use port_diag::render::human;
use port_diag::{FileId, SourceMap};

use crate::kernels::Kernel;
use crate::reference::reference;

/// The oracle, compiled once for a process.
pub fn oracle() -> Result<&'static Oracle, String> {
    static ORACLE: OnceLock<Result<Oracle, String>> = OnceLock::new();
    ORACLE
        .get_or_init(|| Oracle::new(&Toolchain::discover()).map_err(|error| error.to_string()))
        .as_ref()
        .map_err(Clone::clone)
}

/// The spec of a kernel; what is wrong with it as text.
pub fn spec(kernel: &Kernel) -> Result<Spec, String> {
    let mut sources = SourceMap::new();
    let spec = Spec::load(&kernel.spec_path, &mut sources).map_err(|error| error.to_string())?;
    spec.map_err(|findings| {
        let render = |finding| human::render(&sources, finding, human::Options::default());
        findings.iter().map(render).collect()
    })
}

/// The instances that a spec launches, which its text may launch fewer of. Those that macros of the
/// text spell are the text's own.
pub fn instances(sources: &SourceMap, spec: &Spec) -> Vec<String> {
    let is_macro = |word: &str| {
        let define = format!("#define {word} ");
        !word.is_empty() && sources.ids().any(|id| sources.file(id).text.contains(&define))
    };
    let names = spec.launches.iter().map(|launch| launch.kernel.clone());
    let separates = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    names.filter(|name| !name.split(separates).any(is_macro)).collect()
}

/// A text with the other files of its unit, for the oracle.
pub fn source(sources: &SourceMap, root: FileId) -> Source {
    let file = |id| sources.file(id);
    let source = Source::new(Language::Cuda, &file(root).path, &file(root).text);
    let others = sources.ids().filter(|id| *id != root);
    others.fold(source, |source, id| source.with_file(&file(id).path, &file(id).text))
}

/// What a kernel's original computes, by parameter set.
pub struct Originals {
    kernel: String,
    cases: Vec<(String, Case, RunResult)>,
    /// Outputs that depend on the order of threads for some parameter set.
    by_order: BTreeSet<String>,
    /// Whether the text adds atomically, so that floats depend on the order of blocks, which the oracle
    /// does not change.
    adds_atomically: bool,
}

impl Originals {
    /// Runs the original over all parameter sets, in two orders of threads.
    pub fn run(kernel: &Kernel, spec: &Spec) -> Result<Originals, String> {
        let (sources, root) = kernel.load();
        let program = oracle()?.build(&source(&sources, root), spec);
        let program = program.map_err(|error| error.to_string())?;
        let (cases, by_order) = Default::default();
        let adds_atomically = sources.ids().any(|id| sources.file(id).text.contains("atomicAdd("));
        let kernel = kernel.name.clone();
        let mut originals = Originals { kernel, cases, by_order, adds_atomically };
        for set in spec.parameter_sets() {
            let label = set.label();
            let case = spec.case(&set).map_err(|_| format!("no case for {label}"))?;
            let run = |order| {
                let options = RunOptions { order, ..RunOptions::default() };
                program.run(&case, &options).map_err(|error| format!("the original: {error}"))
            };
            let (result, other) = (run(Order::Ascending)?, run(Order::Shuffled(7))?);
            for (name, tensor) in &result.outputs {
                if other.output(name) != Some(tensor) {
                    originals.by_order.insert(name.clone());
                }
            }
            originals.cases.push((label, case, result));
        }
        Ok(originals)
    }

    /// Runs every case in another way and compares: bit for bit, and where the original itself gives
    /// other bits in another order (float atomics), within the reference's bounds.
    pub fn compare(
        &self,
        run: impl FnMut(&Case) -> Result<RunResult, String>,
    ) -> Result<(), String> {
        self.compare_in_order(run, true)
    }

    /// The same of runs whose blocks come in any order: what is added atomically then need not have the
    /// original's bits either.
    pub fn compare_of_threads(
        &self,
        run: impl FnMut(&Case) -> Result<RunResult, String>,
    ) -> Result<(), String> {
        self.compare_in_order(run, !self.adds_atomically)
    }

    fn compare_in_order(
        &self,
        mut run: impl FnMut(&Case) -> Result<RunResult, String>,
        keeps_order: bool,
    ) -> Result<(), String> {
        let mut compared = 0;
        for (label, case, original) in &self.cases {
            let failed = |problem: String| format!("{label}: {problem}");
            let result = run(case).map_err(failed)?;
            for (name, expected) in &original.outputs {
                let actual =
                    result.output(name).ok_or_else(|| failed(format!("{name} is missing")))?;
                let differs = actual != expected && expected.dtype().is_float();
                if self.by_order.contains(name) || (!keeps_order && differs) {
                    let bounds = reference(&self.kernel, case)
                        .ok_or_else(|| failed("the kernel has no reference".into()))?;
                    let bound = bounds.iter().find(|bound| bound.name == *name);
                    let bound = bound.ok_or_else(|| failed(format!("{name} has no reference")))?;
                    bound.check(actual).map_err(|mismatch| failed(mismatch.to_string()))?;
                } else {
                    let comparison = metrics::compare(actual, expected)
                        .ok_or_else(|| failed(format!("{name}: shapes or types differ")))?;
                    if !comparison.is_equal() {
                        let (first, ulp) = (comparison.first_mismatch, comparison.max_ulp);
                        return Err(failed(format!("{name}: {first:?}, {ulp} ulp at most")));
                    }
                }
                compared += expected.len();
            }
        }
        match compared {
            0 => Err("the spec compares nothing".into()),
            _ => Ok(()),
        }
    }
}
