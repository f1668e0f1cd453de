//! Specs: what to launch, on which data. [`Spec::parse`] reads the TOML beside a kernel;
//! [`Spec::case`] evaluates it for one set of integers into a [`Case`] that a runner executes.
//! Knows nothing of how kernels are compiled or run.
//!
//! ```toml
//! ints = [["rows", "128"], ["cols", "4096"], ["blocks", "ceil_div(rows * cols, 256)"]]
//! rule = "ecosystem-fp32"                 # how `check` judges; optional
//! feedback = { y = "x" }                  # for --steps: output → input of the next step; optional
//!
//! [buffers]                               # dtype: f64 f32 f16 bf16 i8..i64 u8..u64 bool
//! x = { dtype = "f32", shape = ["rows", "cols"], init = "normal(0, 1)", seed = 1 }
//! w = { dtype = "f32", values = [0.5, 0.25] }
//! y = { dtype = "f32", shape = ["rows", "cols"], init = "zeros", out = true }
//!
//! [symbols]                               # __constant__ and __device__ variables; optional
//! taps = { dtype = "f32", shape = [9], init = "uniform(0, 1)", seed = 4 }
//!
//! [[launch]]
//! kernel = "softmax<float>"               # a C++ expression that names one function
//! grid = ["rows"]
//! block = [256]
//! shared = "cols * 4"                     # dynamic shared memory in bytes; 0 by default
//! args = ["y", "x", "&x[cols]", "cols", 1e-5, true, "null", { scale = 0.5, data = "w" }]
//!
//! [[sweep]]                               # further sets of integers that tests run, over `ints`
//! rows = 0
//! [[sweep]]
//! rows = 1
//! cols = 7
//! ```
//!
//! `init`: `zeros`, `ones`, `full(v)`, `iota`, `uniform(a, b)`, `normal(m, s)`, `ints(a, b)` (a ≤ v
//! < b), `file "x.npy"` (beside the spec); see [`crate::generate`] for the formulas. Their arguments
//! are expressions. A string argument of a launch is a buffer's name, `&buffer[expression]` for a
//! pointer into it (in elements), `null`, or an expression ([`crate::expression`]).

mod case;
pub(crate) mod read;

use std::path::PathBuf;

use port_diag::{Diagnostic, SourceMap, Span};

pub use case::{Argument, Buffer, Case, Launch};

use crate::expression::Expression;
use crate::tensor::DType;

/// A spec as read: expressions not yet evaluated.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The folder of the spec, where its data files are looked for; empty for the current one.
    pub directory: PathBuf,
    /// Integers in order of definition.
    pub integers: Vec<Integer>,
    /// The acceptance rule's name.
    pub rule: Option<String>,
    /// For repeated application: (output, input of the next step).
    pub feedback: Vec<(String, String)>,
    /// Buffers, in the order of the text.
    pub buffers: Vec<BufferSpec>,
    /// `__constant__` and `__device__` variables, in the order of the text.
    pub symbols: Vec<BufferSpec>,
    /// Launches, in order.
    pub launches: Vec<LaunchSpec>,
    /// Further sets of integers that tests run.
    pub sweep: Vec<ParameterSet>,
}

/// A named integer of a spec.
#[derive(Clone, Debug)]
pub struct Integer {
    /// Its name.
    pub name: String,
    /// Its default.
    pub value: Located,
}

/// An expression with its text and place.
#[derive(Clone, Debug)]
pub struct Located {
    /// What is evaluated.
    pub expression: Expression,
    /// The text, for messages.
    pub text: String,
    /// The place in the spec.
    pub span: Span,
}

/// A buffer or symbol of a spec.
#[derive(Clone, Debug)]
pub struct BufferSpec {
    /// Its name.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first; empty for a scalar.
    pub shape: Vec<Located>,
    /// How it is filled.
    pub init: Init,
    /// Seed of random values.
    pub seed: u64,
    /// Whether its final contents are a result.
    pub output: bool,
    /// The place of its table.
    pub span: Span,
}

/// How a buffer is filled; see [`crate::generate::Generator`].
#[derive(Clone, Debug)]
pub enum Init {
    /// One value.
    Full(Located),
    /// 0, 1, 2 …
    Iota,
    /// Uniform reals.
    Uniform(Located, Located),
    /// Approximately normal reals: mean, deviation.
    Normal(Located, Located),
    /// Uniform integers.
    Integers(Located, Located),
    /// A NumPy file.
    File {
        /// Path, relative to the spec.
        path: String,
        /// The place of the path.
        span: Span,
    },
    /// Values written in the spec.
    Values(Vec<f64>),
}

/// A launch of a spec.
#[derive(Clone, Debug)]
pub struct LaunchSpec {
    /// The kernel: C++ text that names one function, such as `softmax<float, 128>`.
    pub kernel: String,
    /// Blocks in x, y, z (one to three).
    pub grid: Vec<Located>,
    /// Threads of a block in x, y, z (one to three).
    pub block: Vec<Located>,
    /// Bytes of dynamic shared memory.
    pub shared: Located,
    /// The kernel's arguments, in order.
    pub arguments: Vec<ArgumentSpec>,
    /// The place of its table.
    pub span: Span,
}

/// A kernel argument of a spec.
#[derive(Clone, Debug)]
pub enum ArgumentSpec {
    /// A pointer to an element of a buffer (index into [`Spec::buffers`]); `None` is element 0.
    Buffer(usize, Option<Located>),
    /// A null pointer.
    Null,
    /// A number.
    Value(Located),
    /// `true` or `false`.
    Bool(bool),
    /// A struct by value: named fields, the rest value-initialised.
    Struct(Vec<(String, ArgumentSpec)>),
}

/// Integers that replace a spec's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParameterSet {
    /// (name, value), in order of the text.
    pub values: Vec<(String, i64)>,
}

impl ParameterSet {
    /// The set with these values.
    pub fn new<'name>(values: impl IntoIterator<Item = (&'name str, i64)>) -> ParameterSet {
        ParameterSet { values: values.into_iter().map(|(n, v)| (n.to_string(), v)).collect() }
    }

    /// `rows=1 cols=7`, or `default` for the empty set.
    pub fn label(&self) -> String {
        if self.values.is_empty() {
            return "default".into();
        }
        self.values.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
    }
}

impl Spec {
    /// Reads a spec from a file of the map. All problems found are returned, in order of the text.
    pub fn parse(sources: &SourceMap, file: port_diag::FileId) -> Result<Spec, Vec<Diagnostic>> {
        read::read(sources, file)
    }

    /// Reads a spec from the disk; the outer error is an unreadable file.
    #[allow(clippy::disallowed_methods, reason = "the runners' way to a spec")]
    pub fn load(
        path: &std::path::Path,
        sources: &mut SourceMap,
    ) -> std::io::Result<Result<Spec, Vec<Diagnostic>>> {
        let text = std::fs::read_to_string(path)?;
        let file = sources.add(&path.to_string_lossy(), &text);
        let mut spec = Spec::parse(sources, file);
        if let Ok(spec) = &mut spec {
            spec.directory = path.parent().map(Into::into).unwrap_or_default();
        }
        Ok(spec)
    }

    /// The defaults followed by every `[[sweep]]` set.
    pub fn parameter_sets(&self) -> Vec<ParameterSet> {
        std::iter::once(ParameterSet::default()).chain(self.sweep.iter().cloned()).collect()
    }

    /// Evaluates the spec, with the integers of `parameters` in place of their defaults (integers
    /// defined from them follow).
    pub fn case(&self, parameters: &ParameterSet) -> Result<Case, Vec<Diagnostic>> {
        self.case_within(parameters, case::MEMORY_LIMIT)
    }

    /// The same, refused if all buffers together have more than so many bytes.
    pub fn case_within(
        &self,
        parameters: &ParameterSet,
        memory_limit: u64,
    ) -> Result<Case, Vec<Diagnostic>> {
        case::evaluate(self, parameters, memory_limit)
    }
}
